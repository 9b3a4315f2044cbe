#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Corners of the contract that no other test looks into; `make mutants` showed
which. The topology is drawn in lib/standard.py.
"""

from lib import ktap, packet
from lib.ktap import check, equal, test
from lib.nft import nft
from lib.packet import edit, ip, lsrr, ssrr
from lib.standard import (A, B, FAR, LO, NEXT, SRC, StandardBench, expect,
                          expect_error, expect_one)

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)

HOST = "10.50.0.1"


def refused(options, tos=0):
    sent = ip(SRC, A, options, tos=tos)
    bench.moved()
    expect_error(bench.exchange("a", sent), 3, 5, sent)
    equal(bench.moved(), {"received": 1, "not_adjacent": 1}, "counters")


def taken(to, mine=B, tos=0):
    sent = ip(SRC, A, ssrr(to), tos=tos)
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=to, options=ssrr(mine, ptr=8), ttl=63)]})


@test("H2, S, O1: what comes in by an interface on which IPv4 is off, as with an MTU "
      "below 68, goes nowhere; a hit is counted and logged")
def without_ipv4():
    bench.using(lsrr=1)
    bench.configure("net.ipv4.conf.all.log_martians", 1)
    bench.router.ip("link add link a name tiny type vlan id 5",
                    "link set dev tiny up", "addr add 10.64.0.1/24 dev tiny")
    ktap.cleanup(bench.router.ip, "link del dev tiny")
    wire = bench.wires["a"]
    hit, transit = ip("10.64.0.2", LO, lsrr(FAR)), ip("10.64.0.2", FAR, lsrr(NEXT))

    def counted(*sent):
        before = bench.router.counters()
        for datagram in sent:
            wire.sock.send(wire.to + wire.own + b"\x81\0\0\5\x08\0" + datagram)
        out, now = bench.collect(), bench.router.counters()
        return out, {name: now[dev, name] - before[dev, name]
                     for dev, name in now if dev == "tiny" and
                     now[dev, name] != before[dev, name]}
    equal(counted(hit, transit), ({"b": [
        edit(hit, dst=FAR, options=lsrr(B, ptr=8), ttl=63),
        edit(transit, ttl=63)]},
        {"received": 2, "hop": 1, "transit": 1}), "with IPv4")
    bench.router.ip("link set dev tiny mtu 67")
    equal(counted(hit, transit), ({}, {"received": 1, "bad_source": 1}), "without")


@test("H5: next in a prefix of the egress interface, but routed by a gateway, "
      "is not adjacent")
def prefix_by_gateway():
    bench.neighbour("b", "10.2.0.77")
    taken("10.2.0.77")
    bench.temporary("route add 10.2.0.77/32 via " + NEXT)
    refused(ssrr("10.2.0.77"))


@test("H5: the prefix of a second address makes next adjacent too")
def second_prefix():
    bench.temporary("addr add 10.2.9.1/24 dev b")
    bench.neighbour("b", "10.2.9.2")
    taken("10.2.9.2", "10.2.9.1")


def host_route_by(rule, tos=0, other_tos=0):
    """A host route in a table of its own counts for those that the rule sends
    there; the way to the others is a default route."""
    bench.neighbour("b", HOST)
    bench.temporary("route add default dev b")
    bench.temporary("route add %s/32 dev b table 77" % HOST)
    refused(ssrr(HOST), tos=other_tos)
    bench.temporary("rule add %s lookup 77" % rule)
    taken(HOST, tos=tos)


@test("H5, H2: a host route of policy routing by source makes next adjacent")
def host_route_by_source():
    host_route_by("from " + SRC)


@test("H5, H2: ... by interface of arrival")
def host_route_by_interface():
    host_route_by("iif a")


@test("H5, H2: ... by mark")
def host_route_by_mark():
    bench.using(mark=4)
    host_route_by("fwmark 4")


@test("H5, H2: ... by TOS, and for that TOS alone")
def host_route_by_tos():
    host_route_by("tos 0x10", tos=0x10)
    refused(ssrr(HOST), tos=0x08)


@test("O5: a reply whose destination NAT has changed back is the kernel's")
def translated_reply():
    ktap.cleanup(nft, bench.router, "flush ruleset")
    nft(bench.router, "table ip t { chain c { type nat hook postrouting "
        "priority srcnat; ip saddr %s masquerade; } }" % SRC)
    for dev in "all", "b":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % dev, 1)
    out = packet.Packet(expect_one(bench.exchange("a", ip(SRC, NEXT)), "b"))
    equal(out.src, B, "source")
    bench.moved()
    reply = ip(NEXT, B, lsrr("10.7.0.1", ptr=8),
               payload=packet.udp(sport=9, dport=4000))
    back = packet.Packet(expect_one(bench.exchange("b", reply), "a"))
    equal(back.dst, SRC, "destination")
    equal(bench.moved(), {}, "counters")
    # What belongs to no translated connection is owned.
    bench.exchange("b", ip(NEXT, B, lsrr("10.7.0.1", ptr=8)))
    equal(bench.moved(), {"received": 1, "local": 1}, "counters")


@test("I3: an error of the kernel's forwarding about transit goes straight, "
      "Record Route in it or not")
def transit_with_record_route():
    bench.using(reverse_errors=1)
    bench.neighbour("a", "10.1.0.7")
    for more in b"", packet.record(1), packet.record(1, [SRC]):
        sent = ip(SRC, "10.9.5.5", lsrr("10.1.0.7", FAR, ptr=8) + more, ttl=1)
        error = packet.Error(expect_one(bench.exchange("a", sent), "a"))
        equal((error.type, error.code, error.packet.dst), (11, 0, SRC),
              "error")
        check(packet.LSRR not in error.packet.options[:1],
              "options: " + error.packet.options.hex(" "))


@test("O1, Terms: the destination 0.0.0.0 is the kernel's, also where a default "
      "route would take it")
def zero_net_by_default_route():
    bench.temporary("route add default via " + NEXT)
    for options in lsrr(FAR), ssrr(FAR), lsrr(FAR, ptr=5):
        bench.moved()
        expect(bench.exchange("a", ip(SRC, "0.0.0.0", options)), {})
        equal(bench.moved(), {}, "counters")
        # The same route takes what is for another address.
        bench.exchange("a", ip(SRC, "198.51.100.1", options))
        equal(bench.moved()["received"], 1, "received")


@test("O1, Terms: an address is ours from the moment that it is added until it "
      "is removed")
def address_comes_and_goes():
    sent = ip(SRC, "10.5.0.9", lsrr(FAR))

    def counters(of):
        bench.moved()
        for _ in range(2):
            bench.exchange("a", of)
        return bench.moved()

    for _ in range(2):
        equal(counters(sent), {"received": 2, "no_route": 2}, "no address of ours")
        bench.router.ip("addr add 10.5.0.9/32 dev lo")
        hits = {"received": 2, "hop": 2}
        # The last one is what a processor remembers when the address goes.
        for dst in "10.5.0.9", A, "10.5.0.9":
            equal(counters(ip(SRC, dst, lsrr(FAR))), hits, dst)
        bench.router.ip("addr del 10.5.0.9/32 dev lo")


def leave_in_fragments(more, later):
    """The options of the fragments that a hit leaves in."""
    bench.router.ip("link set dev b mtu 400")
    ktap.cleanup(bench.router.ip, "link set dev b mtu 1500")
    sent = ip(SRC, A, lsrr(FAR) + more, payload=packet.udp(bytes(800)))
    out = [packet.Packet(d) for d in bench.exchange("a", sent)["b"]]
    equal(len(out), 3, "fragments")
    route = lsrr(B, ptr=8)
    for p in out:
        equal((p.dst, p.options[:len(route)]), (FAR, route), "the route")
    equal([p.options[len(route):] for p in out[1:]], [later] * 2,
          "the other options of later fragments")
    return out[0].options[len(route):]


@test("H7, H9: a hit that leaves in fragments has its route in each of them, and "
      "what is not to be copied in the first alone")
def hit_in_fragments():
    equal(leave_in_fragments(b"\1", b"\1"), b"\1", "the first")
    equal(leave_in_fragments(packet.record(2) + b"\1\1", b"\1" * 13)[2], 8,
          "the pointer of Record Route in the first")


if __name__ == "__main__":
    ktap.main(bench.close)
