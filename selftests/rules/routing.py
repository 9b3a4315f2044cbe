#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""By which routes and past which policies hits and transit go: H2, H5, H7, H13,
by everything that a rule of ip-rule(8) or a policy of IPsec can ask for and that
the contract names. The topology is drawn in lib/standard.py; table 77 leads to
10.9.0.0/16 by c instead of b, and has a host route for a neighbour there.
"""

from lib import ktap, packet
from lib.ktap import equal, test
from lib.netns import Bench
from lib.nft import nft
from lib.packet import edit, ip, lsrr, record, ssrr
from lib.standard import (A, B, C, FAR, NEXT, NEXT_C, SRC, StandardBench,
                          expect, expect_error)

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)
OTHER = "10.1.0.3"  # another source on a
HOST = "10.55.0.1"  # on the link c, and only table 77 says that it is there
UNRELATED = "policy add dir out src 192.0.2.128/25 dst 192.0.2.128/25 " \
            "action block"

bench.neighbour("c", HOST)
bench.router.ip("route add 10.9.0.0/16 via %s table 77" % NEXT_C,
                "route add %s/32 dev c table 77" % HOST,
                "route add 10.55.0.0/24 dev c",
                "rule add pref 100 to %s/32 fwmark 1/1 lookup 77" % HOST)


def xfrm(*lines):
    """Policies for the length of a test."""
    ktap.cleanup(bench.router.ip, "xfrm policy flush")
    bench.router.ip(*["xfrm " + line for line in lines])


def marked(condition):
    """What nft says of the mark of a datagram that comes in by a."""
    ktap.cleanup(nft, bench.router, "flush ruleset")
    nft(bench.router, "table ip t { chain c { type filter hook prerouting "
        "priority raw; iifname a %s meta mark set 4; } }" % condition)


# Selector: what the datagrams have that match, and what one has that does not.
SELECTORS = {
    "tos 0x10": ({"tos": 0x10}, {"tos": 0x08}),
    # Of the octet only the bits of the old TOS, as the kernel's own look-up.
    "tos 0x08": ({"tos": 0x0B}, {"tos": 0x10}),
    "from %s" % SRC: ({}, {"src": OTHER}),
    "iif a": ({}, {"by": "b"}),
    "fwmark 4/4": ({"tos": 0x04}, {"tos": 0}),
}


def goes(by, sent, dst, options, link):
    expect(bench.exchange(by, sent), {link: [
        edit(sent, dst=dst, options=options, ttl=63)]})


def follows(by, fields, matches):
    """Hits, strict ones and transit of such a datagram."""
    fields = dict(fields)
    src = fields.pop("src", SRC if by == "a" else NEXT)
    link, mine = ("c", C) if matches else ("b", B)
    goes(by, ip(src, A, lsrr(FAR), **fields), FAR, lsrr(mine, ptr=8), link)
    sent = ip(src, "10.9.5.5", lsrr(FAR) + record(1), **fields)
    goes(by, sent, "10.9.5.5", lsrr(FAR) + record(1, [mine]), link)
    strict = ip(src, A, ssrr(HOST), **fields)
    if matches:
        goes(by, strict, HOST, ssrr(C, ptr=8), "c")
    else:
        expect_error(bench.exchange(by, strict), 3, 5, strict, link=by,
                     to=src, src=A if by == "a" else B)


@test("H2, H5, H7, T1: hits and transit follow rules by TOS, mark, source and "
      "interface, and so does the question who is adjacent; with IPsec policies "
      "around, too")
def rules():
    bench.neighbour("a", OTHER)
    for policies in False, True:
        if policies:
            xfrm(UNRELATED)
        for selector, (right, wrong) in SELECTORS.items():
            marked("ip dscp 1")
            bench.router.ip("rule add pref 90 %s lookup 77" % selector)
            try:
                for fields, matches in (right, True), (wrong, False):
                    fields = dict(fields)
                    follows(fields.pop("by", "a"), fields, matches)
            finally:
                bench.router.ip("rule del pref 90")


def blocked_by(policy, blocked, passing):
    """A policy that blocks some of the datagrams for next, in either
    direction."""
    for direction in "out", "fwd":
        xfrm("policy add dir %s src 0.0.0.0/0 dst %s/32 %s action block" % (
            direction, FAR, policy))
        for proto, payload in blocked + passing:
            sent = ip(SRC, A, lsrr(FAR), proto=proto, payload=payload)
            out = bench.exchange("a", sent)
            equal(list(out), ["b"] if (proto, payload) in passing else [],
                  "%s: protocol %d, %s" % (policy, proto, payload[:4].hex()))
        bench.router.ip("xfrm policy flush")


def udp(sport, dport):
    return packet.UDP, packet.udp(sport=sport, dport=dport)


@test("H13: policies for next see protocol and ports of a hit")
def policies_by_port():
    esp = (50, b"\0\0\x12\x34" + bytes(16))
    tcp = (packet.TCP, packet.udp(sport=4000, dport=9) + bytes(12))
    blocked_by("proto udp", [udp(4000, 9), udp(1, 2)], [tcp, esp])
    blocked_by("proto udp dport 9", [udp(4000, 9)], [udp(9, 4000), tcp, esp])
    blocked_by("proto udp sport 4000", [udp(4000, 9)], [udp(9, 4000), tcp])
    blocked_by("proto esp", [esp], [udp(4000, 9), tcp])


@test("H13: policies for next see its source, and a mark that other rules have set")
def policies_by_mark():
    marked("ip dscp 1")
    for direction in "out", "fwd":
        xfrm("policy add dir %s src 0.0.0.0/0 dst %s/32 action block mark 4 "
             "mask 4" % (direction, FAR))
        for tos, links in (4, []), (0, ["b"]):
            sent = ip(SRC, A, lsrr(FAR), tos=tos)
            equal(list(bench.exchange("a", sent)), links, "TOS %d" % tos)
        bench.router.ip("xfrm policy flush")
        xfrm("policy add dir %s src %s/32 dst %s/32 action block" % (
            direction, SRC, FAR))
        for src, links in (SRC, []), (OTHER, ["b"]):
            sent = ip(src, A, lsrr(FAR))
            equal(list(bench.exchange("a", sent)), links, "source " + src)
        bench.router.ip("xfrm policy flush")


@test("H13: in a VRF it is disable_policy of the enslaved interface that exempts a "
      "hit")
def disable_policy_of_slave():
    bench.router.ip("link add name red type vrf table 100",
                    "link set dev red up")
    ktap.cleanup(bench.router.ip, "link del dev red")
    for name, own, there in (("p", "10.41.0.1", "10.41.0.2"),
                             ("q", "10.42.0.1", "10.42.0.2")):
        bench.link(name)
        ktap.cleanup(bench.unlink, name)
        bench.router.ip("link set dev %s master red" % name,
                        "addr add %s/24 dev %s" % (own, name))
        bench.neighbour(name, there)
    bench.using(lsrr=1, ssrr=1)
    xfrm("policy add dir fwd src 0.0.0.0/0 dst 10.42.0.2/32 action block")
    sent = ip("10.41.0.2", "10.41.0.1", lsrr("10.42.0.2"))
    for slave in 0, 1:
        for master in 0, 1:
            bench.configure("net.ipv4.conf.p.disable_policy", slave)
            bench.configure("net.ipv4.conf.red.disable_policy", master)
            equal(list(bench.exchange("p", sent)), ["q"] if slave else [],
                  "links with %d at the slave, %d at the master" % (slave,
                                                                    master))


@test("H7: towards a peer, and whatever else is behind it, our end of its address "
      "pair is recorded")
def peer():
    bench.temporary("addr add 10.60.0.1 peer 10.60.0.2/32 dev b")
    bench.temporary("addr add 10.61.0.1 peer 10.61.0.0/24 dev b")
    bench.neighbour("b", "10.60.0.2", "10.61.0.9")
    bench.temporary("route add 10.62.0.0/24 via 10.60.0.2 dev b onlink")
    for next_hop, mine in (("10.60.0.2", "10.60.0.1"),
                           ("10.61.0.9", "10.61.0.1"),
                           ("10.62.0.1", "10.60.0.1"), (NEXT, B)):
        goes("a", ip(SRC, A, lsrr(next_hop) + record(1)), next_hop,
             lsrr(mine, ptr=8) + record(1, [mine]) + b"\0\0", "b")


@test("H7: where no interface has a global address, the one that the datagram "
      "arrived for is recorded")
def no_global_address():
    bare = Bench("bare")
    ktap.cleanup(bare.close)
    bare.router.ip("addr flush dev marker")
    bare.link("in", "10.1.0.1/24 scope link", peers=[SRC])
    bare.link("out", peers=[FAR])
    bare.router.ip("addr add 10.1.0.3/32 dev in scope host",
                   "route add 10.9.0.0/16 dev out scope link")
    bare.set(lsrr=1)
    for own in "10.1.0.1", "10.1.0.3":
        sent = ip(SRC, own, lsrr(FAR))
        expect(bare.exchange("in", sent), {"out": [
            edit(sent, dst=FAR, options=lsrr(own, ptr=8), ttl=63)]})
    bare.router.ip("addr add 10.1.0.4/32 dev in")
    sent = ip(SRC, "10.1.0.1", lsrr(FAR))
    expect(bare.exchange("in", sent), {"out": [
        edit(sent, dst=FAR, options=lsrr("10.1.0.4", ptr=8), ttl=63)]})


if __name__ == "__main__":
    ktap.main(bench.close)
