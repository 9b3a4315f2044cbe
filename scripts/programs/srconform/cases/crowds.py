# SPDX-License-Identifier: GPL-2.0-only
"""Many datagrams: batches, order, copies, and an ordinary flow beside nasty ones. How
each is carried out is in special.py.
"""

from .. import rules
from ..case import Case, Err, May, Out, Send
from ..option import Loose, Record, Strict

HIT, ON = Send("A", [Loose("n")]), Out("n", [Loose("B", ptr=8)],
                                       look=("side", "dst", "ptr", "record", "sum"))

CASES = [
    Case("B1", "a burst of 64 loose routes: every one is rewritten", rules.SRR_NEXT,
         HIT, ON, special="burst",
         known="Linux forwards all but the first of a batch as they came (route hints)"),
    Case("B2", "64 loose routes and 64 ordinary ones by turns", rules.ORDINARY,
         HIT, ON, special="mixed"),
    Case("B3", "a burst of 64 strict routes", rules.SRR_NEXT, Send("A", [Strict("n")]),
         Out("n", [Strict("B", ptr=8)], look=ON.look), special="burst"),
    Case("B4", "a burst of 64 loose routes in transit", rules.SRR_TRANSIT,
         Send("F", [Loose("F2")]), Out("F", look=("side", "dst", "ptr", "slots")),
         special="burst"),
    Case("B5", "a burst of 64 with Record Route", rules.RR_RECORD, Send("F", [Record(2)]),
         Out("F", [Record(2, ["B"])], look=("dst", "rr", "sum")),
         (May(Out("F", look=("dst", "rr", "sum")), "passes Record Route through unchanged",
              unless="R1"),), special="burst"),
    Case("B6", "a burst of 64 ordinary datagrams", rules.ORDINARY, Send("F"),
         Out("F", look=("side", "dst", "ttl", "sum")), special="burst"),
    Case("B7", "loose routes of one flow stay in order", rules.SAME, HIT, ON,
         special="order"),
    Case("B8", "ordinary datagrams of one flow stay in order", rules.SAME, Send("F"),
         Out("F"), special="order"),
    Case("B9", "no datagram with a loose route comes twice", rules.SAME, HIT, ON,
         special="copies"),
    Case("B10", "no ordinary datagram comes twice", rules.SAME, Send("F"), Out("F"),
         special="copies"),
    Case("B11", "no ICMP error comes twice", rules.SAME, Send("F", ttl=1), Err(11, 0),
         special="copies"),
    Case("B12", "a loose route takes as long as an ordinary datagram", rules.SAME, HIT, ON,
         special="slow", known="hardware routers hand options to a slow path"),
    Case("B13", "1,000 datagrams with options at random, beside an ordinary flow: it goes on",
         rules.ROBUST, Send("A"), Out("F"), special="fuzz"),
    Case("B14", "nothing of the 1,000 comes out with a wrong checksum", rules.SUM_RIGHT,
         Send("A"), Out("F"), special="fuzzed"),
]
