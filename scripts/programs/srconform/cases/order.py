# SPDX-License-Identifier: GPL-2.0-only
"""Several options together: order, NOP, EOL, padding, and options that are nobody's
business on the way.
"""

from .. import rules
from ..case import KEEP, Case, May, Out, Send
from ..option import EOL, NOP, Loose, Raw, Record, Stamp

COPIED, ONCE = Raw("9e 06 11 22 33 44"), Raw("5e 06 11 22 33 44")   # RFC 4727
SECURITY = Raw("82 0b 00 00 00 00 00 00 00 00 00")
STREAM, ALERT = Raw("88 04 12 34"), Raw("94 04 00 00")
SAME = ("dst", "other", "area")
HIDDEN = Raw("83 07 04 c6 33 64 09")    # what would be a source route before EOL
CLEARED = May(Out("F", [EOL, Raw("00 00 00 00 00 00 00")], look=("dst", "padding", "area")),
              "clears what is behind the end of the list")

CASES = [
    Case("O1", "an unknown option with the copied flag passes", rules.UNKNOWN,
         Send("F", [COPIED]), Out("F", look=SAME), known="firewalls of today drop it"),
    Case("O2", "an unknown option without the copied flag passes", rules.UNKNOWN,
         Send("F", [ONCE]), Out("F", look=SAME), known="firewalls of today drop it"),
    Case("O3", "an unknown option before a loose route", rules.UNKNOWN,
         Send("A", [COPIED, Loose("n")]),
         Out("n", [COPIED, Loose("B", ptr=8)], look=SAME + ("ptr",))),
    Case("O4", "an unknown option behind a loose route", rules.UNKNOWN,
         Send("A", [Loose("n"), ONCE]),
         Out("n", [Loose("B", ptr=8), ONCE], look=SAME + ("ptr",))),
    Case("O5", "Basic Security passes", rules.UNKNOWN, Send("F", [SECURITY]),
         Out("F", look=SAME)),
    Case("O6", "Stream ID passes", rules.UNKNOWN, Send("F", [STREAM]), Out("F", look=SAME)),
    Case("O7", "Router Alert passes", rules.UNKNOWN, Send("F", [ALERT]),
         Out("F", look=SAME)),
    Case("O8", "an area of NOPs passes", rules.NOP_EOL, Send("F", [NOP] * 8),
         Out("F", look=SAME)),
    Case("O9", "an area of EOL passes", rules.NOP_EOL, Send("F", [EOL] * 8),
         Out("F", look=("dst", "area"))),
    Case("O10", "a source route behind EOL is none", rules.NOP_EOL,
         Send("F", [EOL, HIDDEN]), Out("F", look=("dst", "area", "padding")), (CLEARED,)),
    Case("O11", "NOPs before, between and behind", rules.NOP_EOL,
         Send("A", [NOP, Loose("n"), NOP, NOP, Record(2), NOP]),
         Out("n", [NOP, Loose("B", ptr=8), NOP, NOP, Record(2, ["B"]), NOP],
             look=("dst", "ptr", "other", "area"))),
    Case("O12", "a loose route, EOL and padding", rules.NOP_EOL,
         Send("A", [Loose("n"), EOL, Raw("00 00 00 00")]),
         Out("n", [Loose("B", ptr=8)], look=("dst", "ptr", "area"))),
    Case("O13", "LSRR, RR, TS", rules.NOP_EOL,
         Send("A", [Loose("n"), Record(2), Stamp(0, room=4)]),
         Out("n", [Loose("B", ptr=8), Record(2, ["B"]), Stamp(0, entries=[-1], ptr=9)],
             look=("dst", "ptr", "rr", "ts"))),
    Case("O14", "TS, RR, LSRR", rules.NOP_EOL,
         Send("A", [Stamp(0, room=4), Record(2), Loose("n")]),
         Out("n", [Stamp(0, entries=[-1], ptr=9), Record(2, ["B"]), Loose("B", ptr=8)],
             look=("dst", "ptr", "rr", "ts"))),
    Case("O15", "RR, LSRR, TS", rules.NOP_EOL,
         Send("A", [Record(2), Loose("n"), Stamp(0, room=4)]),
         Out("n", [Record(2, ["B"]), Loose("B", ptr=8), Stamp(0, entries=[-1], ptr=9)],
             look=("dst", "ptr", "rr", "ts"))),
    Case("O16", "two NOPs before a loose route", rules.NOP_EOL,
         Send("A", [NOP, NOP, Loose("n")]),
         Out("n", [NOP, NOP, Loose("B", ptr=8)], look=("dst", "ptr", "record"))),
    Case("O17", "three NOPs before a loose route", rules.NOP_EOL,
         Send("A", [NOP, NOP, NOP, Loose("n")]),
         Out("n", [NOP, NOP, NOP, Loose("B", ptr=8)], look=("dst", "ptr", "record"))),
    Case("O18", "security and stream ID together", rules.UNKNOWN,
         Send("F", [SECURITY, STREAM]), Out("F", KEEP, look=SAME),
         old="MSTD-1777-TESTS, the good half of 2040 and 2041"),
    Case("O19", "40 octets, all that there can be", rules.UNKNOWN,
         Send("F", [Raw("9e 28" + " 77" * 38)]), Out("F", look=SAME)),
    Case("O20", "Router Alert beside a loose route", rules.UNKNOWN,
         Send("A", [ALERT, Loose("n")]),
         Out("n", [ALERT, Loose("B", ptr=8)], look=SAME + ("ptr",))),
    Case("O21", "a loose route for the device, and what would be a second one behind EOL",
         rules.NOP_EOL, Send("A", [Loose("n"), EOL, HIDDEN]),
         Out("n", [Loose("B", ptr=8), EOL, HIDDEN], look=("dst", "ptr", "area")),
         known="Linux clears what is behind the end of the list"),
]
