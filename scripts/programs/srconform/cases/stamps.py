# SPDX-License-Identifier: GPL-2.0-only
"""Timestamp.

    s -- GA -- [A device B] -- GB -- F      a stamp is put in on the way to F
"""

from .. import rules
from ..case import NOW, Case, May, Nothing, Out, Reply, Send
from ..option import Loose, Stamp

TS = ("ts",)
IGNORES = May(Out("F", look=TS), "passes flags 0 and 1 through unchanged")

CASES = [
    Case("S1", "flag 0: a stamp is put in, the pointer moves on by four", rules.TS_STAMP,
         Send("F", [Stamp(0, room=8)]), Out("F", [Stamp(0, 8, [NOW, 0], ptr=9)], look=TS),
         (IGNORES,)),
    Case("S2", "flag 0: behind a stamp of another", rules.TS_STAMP,
         Send("F", [Stamp(0, entries=[12345, 0, 0], ptr=9)]),
         Out("F", [Stamp(0, entries=[12345, NOW, 0], ptr=13)], look=TS), (IGNORES,)),
    Case("S3", "flag 0: the stamp is in milliseconds since midnight, or marked",
         rules.TS_VALUE, Send("F", [Stamp(0, room=4)]),
         Out("F", [Stamp(0, entries=[NOW], ptr=9)], look=("stamp",)), (IGNORES,)),
    Case("S4", "flag 0: nine stamps, the last one free", rules.TS_STAMP,
         Send("F", [Stamp(0, entries=[1] * 8 + [0], ptr=37)]),
         Out("F", [Stamp(0, entries=[1] * 8 + [NOW], ptr=41)], look=TS), (IGNORES,)),
    Case("S5", "flag 1: address and stamp, the pointer moves on by eight", rules.TS_STAMP,
         Send("F", [Stamp(1, room=16)]),
         Out("F", [Stamp(1, entries=["B", NOW, 0, 0], ptr=13)], look=TS), (IGNORES,)),
    Case("S6", "flag 1: behind another's", rules.TS_STAMP,
         Send("F", [Stamp(1, entries=["m", 77, 0, 0], ptr=13)]),
         Out("F", [Stamp(1, entries=["m", 77, "B", NOW], ptr=21)], look=TS), (IGNORES,)),
    Case("S7", "flag 3: the next address is that of the way out", rules.TS_MATCH,
         Send("F", [Stamp(3, entries=["B", 0, "F", 0])]),
         Out("F", [Stamp(3, entries=["B", NOW, "F", 0], ptr=13)], look=TS)),
    Case("S8", "flag 3: the next address is that of arrival", rules.TS_MATCH,
         Send("F", [Stamp(3, entries=["A", 0, "F", 0])]),
         Out("F", [Stamp(3, entries=["A", NOW, "F", 0], ptr=13)], look=TS)),
    Case("S9", "flag 3: the next address is another one of the device", rules.TS_MATCH,
         Send("F", [Stamp(3, entries=["A2", 0, "F", 0])]),
         Out("F", [Stamp(3, entries=["A2", NOW, "F", 0], ptr=13)], look=TS)),
    Case("S10", "flag 3: somebody else is next", rules.TS_OTHER,
         Send("F", [Stamp(3, entries=["F", 0, "B", 0])]), Out("F", look=TS)),
    Case("S11", "flag 0, full: the overflow count goes up", rules.TS_FULL,
         Send("F", [Stamp(0, entries=[1, 2], ptr=13)]),
         Out("F", [Stamp(0, entries=[1, 2], ptr=13, overflow=1)], look=TS), (IGNORES,)),
    Case("S12", "flag 1, full: the overflow count goes up", rules.TS_FULL,
         Send("F", [Stamp(1, entries=["m", 2], ptr=13, overflow=6)]),
         Out("F", [Stamp(1, entries=["m", 2], ptr=13, overflow=7)], look=TS), (IGNORES,)),
    Case("S13", "flag 0, full, the overflow count at 15: discarded", rules.TS_OVERFLOW,
         Send("F", [Stamp(0, entries=[1], ptr=9, overflow=15)]), Nothing(look=("out",)),
         (IGNORES,), nasty=True),
    Case("S14", "flag 3, full: forwarded", rules.TS_FULL,
         Send("F", [Stamp(3, entries=["B", 2], ptr=13)]), Out("F", look=TS),
         (May(Out("F", [Stamp(3, entries=["B", 2], ptr=13, overflow=1)], look=TS),
              "counts an overflow with flag 3 as well"),)),
    Case("S15", "flag 1, room for four octets only: discarded", rules.TS_SHORT,
         Send("F", [Stamp(1, entries=["m", 2, 0], ptr=13)]), Nothing(look=("out",)),
         (IGNORES,), nasty=True),
    Case("S16", "with a loose route, both are written", rules.TS_STAMP,
         Send("A", [Loose("n"), Stamp(0, room=8)]),
         Out("n", [Loose("B", ptr=8), Stamp(0, entries=[NOW, 0], ptr=9)],
             look=TS + ("ptr", "dst")),
         (May(Out("n", [Loose("B", ptr=8), Stamp(0, room=8)], look=TS + ("ptr", "dst")),
              IGNORES.name, unless="S1"),)),
    Case("S17", "the checksum after a stamp", rules.SUM_RIGHT,
         Send("F", [Stamp(0, room=8)]),
         Out("F", [Stamp(0, entries=[NOW, 0], ptr=9)], look=("sum",))),
    Case("S18", "in an echo request for the device: it answers", rules.ECHO,
         Send("A", [Stamp(0, room=8)], body="echo"), Reply(options=None)),
    Case("S19", "flag 3 beside a loose route at the device", rules.TS_MATCH,
         Send("A", [Stamp(3, entries=["A", 0]), Loose("n")]),
         Out("n", [Stamp(3, entries=["A", NOW], ptr=13), Loose("B", ptr=8)],
             look=TS + ("ptr",))),
    Case("S20", "in an echo request for the device: the reply has it, with a stamp of the "
         "device", rules.ECHO_OPTIONS, Send("A", [Stamp(0, room=12)], body="echo"),
         Reply(options=[Stamp(0, 12, [NOW], ptr=9)], look=("route",)),
         (May(Reply(options=[Stamp(0, 12, [NOW, NOW], ptr=13)], look=("route",)),
              "stamps the request and the reply"),)),
]
