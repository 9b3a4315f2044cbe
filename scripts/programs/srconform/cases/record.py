# SPDX-License-Identifier: GPL-2.0-only
"""Record Route.

    s -- GA -- [A device B] -- GB -- F      B is recorded on the way to F
"""

from .. import rules
from ..case import Case, May, Nothing, Out, Reply, Send
from ..option import NOP, Loose, Record, Strict

RR = ("rr",)
IGNORES = May(Out("F", look=RR), "passes Record Route through unchanged")


def unread(*options):
    """A setting (RFC 1812, 5.3.13.5) which R1 shows, beside a source route too."""
    return (May(Out("n", options, look=RR + ("ptr", "dst")), IGNORES.name, unless="R1"),)


PAST = May(Out("F", look=RR), IGNORES.name, unless="R1")

CASES = [
    Case("R1", "the address of the way out is recorded, the pointer moves on",
         rules.RR_RECORD, Send("F", [Record(3)]), Out("F", [Record(3, ["B"])], look=RR),
         (IGNORES,)),
    Case("R2", "in the second slot, behind what others have recorded", rules.RR_RECORD,
         Send("F", [Record(3, ["m"])]), Out("F", [Record(3, ["m", "B"])], look=RR),
         (IGNORES,)),
    Case("R3", "of 9 slots the first", rules.RR_RECORD,
         Send("F", [Record(9)]), Out("F", [Record(9, ["B"])], look=RR), (IGNORES,)),
    Case("R4", "of 9 slots the last", rules.RR_RECORD,
         Send("F", [Record(9, ["m"] * 8)]), Out("F", [Record(9, ["m"] * 8 + ["B"])],
                                                look=RR), (IGNORES,)),
    Case("R5", "a full one is forwarded as it is", rules.RR_FULL,
         Send("F", [Record(2, ["m", "m2"])]), Out("F", look=RR + ("dst", "side"))),
    Case("R6", "one without a slot is full", rules.RR_FULL,
         Send("F", [Record(0)]), Out("F", look=RR + ("dst", "side"))),
    Case("R7", "room for one octet only: discarded", rules.RR_SHORT,
         Send("F", [Record(1, ["m"], spare=1)]), Nothing(look=("out",)), (PAST,),
         nasty=True),
    Case("R8", "room for three octets only: discarded", rules.RR_SHORT,
         Send("F", [Record(1, ["m"], spare=3)]), Nothing(look=("out",)), (PAST,),
         nasty=True),
    Case("R9", "to a neighbour", rules.RR_RECORD,
         Send("n", [Record(2)]), Out("n", [Record(2, ["B"])], look=RR),
         (May(Out("n", look=RR), IGNORES.name),)),
    Case("R10", "the other way it is the address of the in side", rules.OPTION_ADDRESS,
         Send("s", [Record(2)], src="F", side="out"),
         Out("s", [Record(2, ["A"])], look=RR, side="in"),
         (May(Out("s", look=RR, side="in"), IGNORES.name),), needs=("two",)),
    Case("R11", "behind a loose route, both are written", rules.RR_RECORD,
         Send("A", [Loose("n"), Record(2)]),
         Out("n", [Loose("B", ptr=8), Record(2, ["B"])], look=RR + ("ptr", "dst")),
         unread(Loose("B", ptr=8), Record(2))),
    Case("R12", "before a loose route, both are written", rules.RR_RECORD,
         Send("A", [Record(2), Loose("n")]),
         Out("n", [Record(2, ["B"]), Loose("B", ptr=8)], look=RR + ("ptr", "dst")),
         unread(Record(2), Loose("B", ptr=8))),
    Case("R13", "with a strict route, both are written", rules.RR_RECORD,
         Send("A", [Strict("n"), Record(2)]),
         Out("n", [Strict("B", ptr=8), Record(2, ["B"])], look=RR + ("ptr", "dst")),
         unread(Strict("B", ptr=8), Record(2))),
    Case("R14", "behind NOPs", rules.NOP_EOL,
         Send("F", [NOP, NOP, NOP, Record(2)]),
         Out("F", [NOP, NOP, NOP, Record(2, ["B"])], look=RR), (IGNORES,)),
    Case("R15", "the checksum after recording", rules.SUM_RIGHT,
         Send("F", [Record(3)]), Out("F", [Record(3, ["B"])], look=("sum",))),
    Case("R16", "in an echo request for the device: it answers", rules.ECHO,
         Send("A", [Record(3)], body="echo"), Reply(options=None)),
    Case("R17", "a pointer far beyond the end is a full one", rules.RR_FULL,
         Send("F", [Record(1, ptr=40)]), Out("F", look=RR + ("dst",))),
    Case("R18", "in an echo request for the device: the reply has it, with the device in it",
         rules.ECHO_OPTIONS, Send("A", [Record(3)], body="echo"),
         Reply(options=[Record(3, ["A"])], look=("route",)),
         (May(Reply(options=[Record(3, ["A", "A"])], look=("route",)),
              "records itself for the request and for the reply"),)),
]
