# SPDX-License-Identifier: GPL-2.0-only
"""Source routes for an address of the device that have addresses to go.

         m --+          +-- n n2       s, behind GA, asks the device at A (or B),
             |  A    B  |
    s -- GA -+          +- GB -- F     to go on to n, to F, back to m, ...
"""

from .. import rules
from ..case import MUST, NOW, SHOULD, Case, Err, May, Nothing, Out, Reply, Send
from ..option import NOP, Loose, Stamp, Strict
from ..plan import IN

ROUTE = ("dst", "length", "ptr", "record", "slots")
NOT_FOR_ITSELF = May(Nothing(), "takes no source-routed datagram for itself", unless="H18")
UNLUCKY = May(Nothing(), "discards without a word, as Linux does", only="linux")
NOT_BACK = May(Err(3, 5), "refuses to send a route back, so that no redirect is due")
NOT_RECORDED = May(Out("n", [Loose("B", ptr=8), Stamp(1, room=8)], look=("record", "ts")),
                   "passes flags 0 and 1 through unchanged", unless="S1")
OTHER_CODE = "RFC 1812 names code 5; 0 and 1 are seen on old stacks"
FAR = ["F%d" % i for i in range(1, 10)]


def full(kind, count):
    """A route of so many slots whose first one is n."""
    return [kind("n", *FAR[:count - 1])], [kind("B", *FAR[:count - 1], ptr=8)]


def sizes(kind, first, rule):
    """Every number of slots that fits."""
    return [Case("H%d" % (first + count - 1), "%s of %d slot%s: the first is used" % (
        kind.name, count, "s" if count > 1 else ""), rule, Send("A", full(kind, count)[0]),
        Out("n", full(kind, count)[1], look=ROUTE)) for count in range(1, 10)]


def refused(number, kind, target, what, forwarded=MUST):
    """forwarded: the level of what is against forwarding to there (RFC 1812, 5.3.5.1 and
    5.3.7, RFC 2644 and 5771)."""
    return Case("H%d" % number, "%s whose next address is %s" % (kind.name, what),
                rules.SR_FAILED, Send("A", [kind(target)]), Err(3, 5, forwarded=forwarded),
                (UNLUCKY,), known="Linux says nothing")


CASES = [
    Case("H1", "LSRR: the next address becomes the destination", rules.SRR_NEXT,
         Send("A", [Loose("n")]), Out("n", [Loose("B", ptr=8)]),
         known="most routers of today discard every source route, as RFC 7126 advises"),
    Case("H2", "LSRR: the address of the way out is recorded", rules.SRR_RECORD,
         Send("A", [Loose("n")]), Out("n", [Loose("B", ptr=8)], look=("record",)),
         known="some record the address of arrival"),
    Case("H3", "LSRR: the pointer moves on by four", rules.SRR_PTR,
         Send("A", [Loose("n")]), Out("n", [Loose("B", ptr=8)], look=("ptr",))),
    Case("H4", "LSRR: the length and the slots to come stay", rules.SRR_SIZE,
         Send("A", [Loose("n", "F", "F2")]),
         Out("n", [Loose("B", "F", "F2", ptr=8)], look=("length", "slots", "area"))),
    Case("H5", "LSRR: a used slot before the pointer stays", rules.SRR_SIZE,
         Send("A", [Loose("m", "n", "F", ptr=8)]),
         Out("n", [Loose("m", "B", "F", ptr=12)], look=("slots", "length"))),
    Case("H6", "LSRR to a host behind a gateway", rules.SRR_TRANSIT,
         Send("A", [Loose("F")]),
         Out("F", [Loose("B", ptr=8)], look=("side", "dst", "hop"), via="GB")),
    Case("H7", "LSRR that asks for the address on the far side", rules.SRR_NEXT,
         Send("B", [Loose("n")]), Out("n", [Loose("B", ptr=8)], look=ROUTE)),
    Case("H8", "LSRR back out by the interface that it came in by", rules.SRR_NEXT,
         Send("A", [Loose("m")]), Out("m", [Loose("A", ptr=8)], look=ROUTE + ("side",),
                                      side=IN),
         known="RFC 1122, 3.3.5 has a switch for routes that go on by another interface"),
    Case("H9", "LSRR by another prefix of the way out", rules.OPTION_ADDRESS,
         Send("A", [Loose("n2")]), Out("n2", [Loose("B2", ptr=8)], look=("record", "dst")),
         needs=("two",)),
    Case("H10", "LSRR from a neighbour", rules.SRR_NEXT,
         Send("A", [Loose("n")], src="m"), Out("n", [Loose("B", ptr=8)], look=ROUTE)),
    Case("H11", "LSRR the other way, in by the out side", rules.SRR_NEXT,
         Send("B", [Loose("m")], src="F", side="out"),
         Out("m", [Loose("A", ptr=8)], look=ROUTE + ("side",), side=IN), needs=("two",)),
    Case("H12", "the draft's example: of two addresses that of the next network is recorded",
         rules.DRAFT, Send("A", [Loose("m", "GB", "F", ptr=8)]),
         Out("GB", [Loose("m", "B", "F", ptr=12)], look=ROUTE)),
    Case("H13", "LSRR from a neighbour to its neighbour: no redirect", rules.NO_REDIRECT,
         Send("A", [Loose("m2")], src="m"),
         Out("m2", [Loose("A", ptr=8)], look=("redirect",), side=IN),
         (NOT_BACK,)),
    Case("H14", "LSRR for an own address, then on: it passes over itself", rules.OWN_IN_ROW,
         Send("A", [Loose("B", "n")]), Out("n", [Loose("B", "B", ptr=12)],
                                           look=("side", "dst", "ptr", "record"))),
    Case("H15", "LSRR of three own addresses and then a host", rules.OWN_IN_ROW,
         Send("A", [Loose("B", "A2", "A", "n")]),
         Out("n", [Loose("B", "A2", "A", "B", ptr=20)], look=("dst", "ptr", "record"))),
    Case("H16", "own addresses in a row take one off the TTL", rules.TTL_LESS,
         Send("A", [Loose("B", "A", "n")], ttl=30),
         Out("n", [Loose("B", "A", "B", ptr=16)], look=("ttl",)),
         tuple(May(Out("n", [Loose("B", "A", "B", ptr=16)], look=("ttl",), hops=n),
                   "takes %d off the TTL, one for each own address" % n) for n in (2, 3))),
    Case("H17", "LSRR whose last address is an own one ends here", rules.OWN_IN_ROW,
         Send("A", [Loose("B")], body="echo"), Reply(options=None),
         (NOT_FOR_ITSELF,),
         known="where the pointer is moved past its own address, Linux puts that address "
         "first into the reversed route, and its reply never leaves"),
    Case("H18", "LSRR that is used up, for an own address", rules.SRR_DELIVER,
         Send("A", [Loose("m", ptr=8)], body="echo"), Reply(options=None),
         (May(Nothing(), "takes no source-routed datagram for itself"),)),
    Case("H19", "LSRR without a slot, for an own address", rules.SRR_EMPTY,
         Send("A", [Loose()], body="echo"), Reply(options=None),
         (May(Nothing(), "takes no source-routed datagram for itself"),
          May(Err(12, 0), "calls a route without a slot a fault")),
         known="Linux calls it a fault"),
    Case("H20", "the reply to a source-routed echo goes back along the route",
         rules.ECHO_REVERSED, Send("A", [Loose("m", ptr=8)], body="echo"),
         Reply(options=[Loose("s")], look=("route",)),
         (May(Nothing(), "takes no source-routed datagram for itself"),)),
    *sizes(Loose, 21, rules.SRR_SIZE),
    Case("H30", "LSRR of 9 slots: the last one is used", rules.SRR_PTR,
         Send("A", [Loose(*FAR[:8], "n", ptr=36)]),
         Out("n", [Loose(*FAR[:8], "B", ptr=40)], look=ROUTE)),
    Case("H31", "SSRR: the next address becomes the destination", rules.SRR_NEXT,
         Send("A", [Strict("n")]), Out("n", [Strict("B", ptr=8)])),
    Case("H32", "SSRR: record, pointer and length", rules.SRR_RECORD,
         Send("A", [Strict("n", "F")]),
         Out("n", [Strict("B", "F", ptr=8)], look=ROUTE)),
    Case("H33", "SSRR to another prefix of the way out", rules.SSRR_DIRECT,
         Send("A", [Strict("n2")]), Out("n2", [Strict("B2", ptr=8)], look=("dst", "record")),
         needs=("two",)),
    Case("H34", "SSRR to a gateway that is a neighbour", rules.SSRR_DIRECT,
         Send("A", [Strict("GB", "F")]),
         Out("GB", [Strict("B", "F", ptr=8)], look=("dst", "hop"), via="GB")),
    Case("H35", "SSRR to a host that is not a neighbour", rules.SSRR_DIRECT,
         Send("A", [Strict("F")]), Err(3, 5, look=()), (UNLUCKY,),
         known="Linux forwards it if the route's gateway is the destination itself"),
    Case("H36", "... is told: source route failed", rules.SR_NO_WAY,
         Send("A", [Strict("F")]), Err(3, 5), (UNLUCKY,), known=OTHER_CODE),
    Case("H37", "SSRR for an own address, then a neighbour", rules.SSRR_DIRECT,
         Send("A", [Strict("B", "n")]),
         Out("n", [Strict("B", "B", ptr=12)], look=("side", "dst", "ptr", "record"))),
    Case("H38", "SSRR for an own address, then far away", rules.SSRR_DIRECT,
         Send("A", [Strict("B", "F")]), Err(3, 5, look=()), (UNLUCKY,)),
    Case("H39", "SSRR back out by the interface that it came in by", rules.SRR_NEXT,
         Send("A", [Strict("m")]), Out("m", [Strict("A", ptr=8)], look=ROUTE + ("side",),
                                       side=IN)),
    *sizes(Strict, 41, rules.SRR_SIZE),
    Case("H50", "SSRR of 9 slots: the last one is used", rules.SRR_PTR,
         Send("A", [Strict(*FAR[:8], "n", ptr=36)]),
         Out("n", [Strict(*FAR[:8], "B", ptr=40)], look=ROUTE)),
    Case("H51", "LSRR without a route to its next address", rules.SR_NO_WAY,
         Send("A", [Loose("X")]), Err(3, 5), (UNLUCKY,), known=OTHER_CODE,
         needs=("nowhere",)),
    Case("H52", "SSRR without a route to its next address", rules.SR_NO_WAY,
         Send("A", [Strict("X")]), Err(3, 5), (UNLUCKY,), known=OTHER_CODE,
         needs=("nowhere",)),
    refused(53, Loose, "255.255.255.255", "the limited broadcast"),
    refused(54, Loose, "BC", "a link's broadcast address"),
    refused(55, Loose, "224.0.0.1", "a multicast group"),
    refused(56, Loose, "127.0.0.1", "in 127/8", SHOULD),
    refused(57, Loose, "0.0.0.0", "0.0.0.0", SHOULD),
    refused(58, Strict, "BC", "a link's broadcast address"),
    refused(59, Strict, "224.0.0.1", "a multicast group"),
    Case("H60", "LSRR whose next address does not answer ARP", rules.SR_FAILED,
         Send("A", [Loose("y")]), Err(3, 5, codes=(1,)),
         (UNLUCKY,), special="late",
         known="native Linux sends the error to itself and loops it over lo"),
    Case("H61", "LSRR behind one NOP, so that nothing is aligned", rules.NOP_EOL,
         Send("A", [NOP, Loose("n")]), Out("n", [NOP, Loose("B", ptr=8)], look=ROUTE)),
    Case("H62", "LSRR with an ICMP echo inside", rules.SRR_NEXT,
         Send("A", [Loose("n")], body="echo"), Out("n", [Loose("B", ptr=8)], look=ROUTE)),
    Case("H63", "LSRR with 1,000 octets of payload: nothing of it changes", rules.SRR_NEXT,
         Send("A", [Loose("n")], size=1000),
         Out("n", [Loose("B", ptr=8)], look=("payload", "len"))),
    Case("H64", "LSRR that names the same far address twice", rules.SRR_NEXT,
         Send("A", [Loose("n", "n")]), Out("n", [Loose("B", "n", ptr=8)], look=ROUTE)),
    Case("H65", "LSRR that has been here before", rules.SRR_NEXT,
         Send("A", [Loose("A", "B", "n", ptr=12)]),
         Out("n", [Loose("A", "B", "B", ptr=16)], look=ROUTE),
         (May(Err(3, 5), "refuses a route that comes by again"),)),
    Case("H66", "two recorded addresses come back in the other order",
         rules.ECHO_REVERSED, Send("A", [Loose("m", "m2", ptr=12)], body="echo"),
         Reply(options=[Loose("m", "s")], look=("route",)),
         (May(Nothing(), "takes no source-routed datagram for itself"),)),
    Case("H67", "SSRR from a neighbour to its neighbour: no redirect", rules.NO_REDIRECT,
         Send("A", [Strict("m2")], src="m"),
         Out("m2", [Strict("A", ptr=8)], look=("redirect",), side=IN),
         (NOT_BACK,)),
    Case("H68", "LSRR with Timestamp, flag 1: both have the address of the way out",
         rules.OPTION_ADDRESS, Send("A", [Loose("n"), Stamp(1, room=8)]),
         Out("n", [Loose("B", ptr=8), Stamp(1, entries=["B", NOW], ptr=13)],
             look=("record", "ts")), (NOT_RECORDED,)),
    Case("H69", "the source has recorded itself: it is not twice in the way back",
         rules.SOURCE_RECORDED, Send("A", [Loose("s", "m", ptr=12)], body="echo"),
         Reply(options=[Loose("s")], look=("route",)),
         (May(Nothing(), "takes no source-routed datagram for itself"),)),
]
