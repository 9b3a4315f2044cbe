# SPDX-License-Identifier: GPL-2.0-only
"""Source routes for somebody else, which only pass through.

    s -- GA -- [A device B] -- GB -- F      the destination is F, not the device
"""

from .. import rules
from ..case import NOW, SHOULD, Case, Err, May, Nothing, Out, Send
from ..option import Loose, Record, Stamp, Strict

SAME = ("dst", "length", "ptr", "record", "slots", "area")
NO_RR = May(Out("F", look=SAME + ("rr",)), "passes Record Route through unchanged",
            unless="R1")
NO_TS = May(Out("F", look=SAME + ("ts",)), "passes flags 0 and 1 through unchanged",
            unless="S1")
CODES = (May(Err(3, 5), "answers 3/5"), May(Nothing(), "discards without a word"))

CASES = [
    Case("T1", "LSRR with addresses to go passes as it is", rules.SRR_TRANSIT,
         Send("F", [Loose("F2")]), Out("F", look=SAME),
         known="Linux drops it while accept_source_route is 0"),
    Case("T2", "LSRR that is used up passes as it is", rules.SRR_EMPTY,
         Send("F", [Loose("m", ptr=8)]), Out("F", look=SAME)),
    Case("T3", "LSRR of 9 slots passes as it is", rules.SRR_TRANSIT,
         Send("F", [Loose(*["F%d" % i for i in range(1, 10)])]), Out("F", look=SAME)),
    Case("T4", "LSRR in transit: the TTL", rules.TTL_LESS,
         Send("F", [Loose("F2")]), Out("F", look=("ttl",))),
    Case("T5", "LSRR in transit: the checksum", rules.SUM_RIGHT,
         Send("F", [Loose("F2")]), Out("F", look=("sum",))),
    Case("T6", "LSRR in transit to a neighbour", rules.SRR_TRANSIT,
         Send("n", [Loose("F2")]), Out("n", look=SAME)),
    Case("T7", "SSRR in transit is not forwarded", rules.SSRR_FAR,
         Send("F", [Strict("F2")]), Err(12, 0, look=()), CODES),
    Case("T8", "SSRR in transit to a neighbour is not forwarded either", rules.SSRR_TRANSIT,
         Send("n", [Strict("F2")]), Err(12, 0, look=(), forwarded=SHOULD), CODES),
    Case("T9", "SSRR in transit that is used up", rules.SSRR_FAR,
         Send("F", [Strict("m", ptr=8)]), Err(12, 0, look=()), CODES +
         (May(Out("F"), "forwards a strict route that is used up, by its destination (RFC 791, 3.1)"),)),
    Case("T10", "SSRR in transit: the error names the destination", rules.SSRR_TRANSIT,
         Send("F", [Strict("F2")]), Err(12, 0, at=16, look=("type", "pointer"), span=(16, 26)),
         CODES),
    Case("T11", "LSRR in transit without a route", rules.NO_ROUTE,
         Send("X", [Loose("F2")]), Err(3, 0, codes=(1, 5)), needs=("nowhere",)),
    Case("T12", "LSRR in transit with Record Route: that one is written", rules.RR_RECORD,
         Send("F", [Loose("F2"), Record(2)]),
         Out("F", [Loose("F2"), Record(2, ["B"])], look=SAME + ("rr",)), (NO_RR,)),
    Case("T13", "LSRR in transit from the out side", rules.SRR_TRANSIT,
         Send("s", [Loose("m")], src="F", side="out"), Out("s", look=SAME + ("side",),
                                                           side="in"), needs=("two",)),
    Case("T14", "LSRR in transit with Timestamp, flag 1: the address of the way out",
         rules.OPTION_ADDRESS, Send("F", [Loose("F2"), Stamp(1, room=8)]),
         Out("F", [Loose("F2"), Stamp(1, entries=["B", NOW], ptr=13)], look=SAME + ("ts",)),
         (NO_TS,),
         known="Linux writes that of arrival, unless it is the gateway that is asked for"),
    Case("T15", "LSRR without a slot passes as it is", rules.SRR_EMPTY,
         Send("F", [Loose()]), Out("F", look=SAME),
         (May(Err(12, 0), "calls a route without a slot a fault"),)),
]
