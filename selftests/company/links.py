#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which link a hit may take, and what kinds of links there are: the settings
nonlocal, revisit and mark, H2, H7 without addresses, O1 and O5 on interfaces
that are made of others. The topology is drawn in lib/standard.py; a test adds

    10.4N.0.2 ---- link N of the test's own ---- 10.4N.0.1 R

and takes it away again.
"""

import contextlib
import functools
import os
import socket

from lib import ktap, packet
from lib.ktap import check, equal, test
from lib.netns import Bench, Netns, Wire, cable, sh, wait_until
from lib.nft import nft
from lib.packet import edit, ip, lsrr, ssrr
from lib.queue import Queue
from lib.standard import (A, B, C, FAR, LO, NEXT, NEXT_C, SRC, StandardBench,
                          expect, expect_error, expect_nothing, expect_one)

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)
CONF = "/proc/sys/net/ipv4/srcroute/conf/%s/%s"
ROUTER_ID = "net.ipv4.srcroute.router_id"
HOP = {"received": 1, "hop": 1}


def one(dev, **values):
    """Settings of one interface for the length of a test."""
    for key, value in values.items():
        bench.configure(CONF % (dev, key), value)


def passes(sent, link, goal, record, by="a", **how):
    """A route of one address is followed: rewritten, counted once."""
    kind = packet.Packet(sent).options[0]
    bench.moved()
    expect(bench.exchange(by, sent, **how), {link: [
        edit(sent, dst=goal, ttl=63,
             options=packet.route(kind, [record], ptr=8))]})
    equal(bench.moved(), HOP, "counters")


def refused(counter, options, src=A):
    sent = ip(SRC, A, options)
    bench.moved()
    expect_error(bench.exchange("a", sent), 3, 5, sent, src=src)
    equal(bench.moved(), {"received": 1, counter: 1}, "counters")


def not_owned(by, *datagrams, **how):
    """The kernel decides: with accept_source_route at 0, to drop."""
    bench.moved()
    expect_nothing(bench.exchange(by, *datagrams, **how))
    equal(bench.moved(), {}, "counters")


def added(name, *lines):
    """Lines of ip(8) that make an interface, for the length of a test."""
    bench.router.ip(*lines)
    ktap.cleanup(bench.router.ip, "link del dev " + name)


def wired(name, *addresses, peers=()):
    """A link of the bench for the length of a test."""
    bench.link(name, *addresses, peers=peers)
    ktap.cleanup(bench.unlink, name)


def counted(chain, number):
    """How many packets the nft rule of this number in a chain has seen."""
    rules = [line for line in nft(bench.router, "list chain ip t " +
                                  chain).splitlines() if "counter" in line]
    return int(rules[number].split("packets ")[1].split()[0])


def table(*lines):
    """A table `t` of nft for the length of a test."""
    nft(bench.router, "add table ip t\n" + "\n".join(
        "add " + line for line in lines))
    ktap.cleanup(nft, bench.router, "delete table ip t")


# nonlocal and revisit


@test("Interface, H5: nonlocal 0 refuses with 3/5 a hit that would leave by "
      "another interface")
def nonlocal_refuses():
    one("a", **{"nonlocal": 0})
    for options in lsrr(FAR), lsrr(NEXT, FAR), lsrr(B, NEXT_C), ssrr(NEXT):
        refused("nonlocal", options)


@test("Interface: nonlocal 0 lets a hit back out by the interface that it came "
      "in by")
def nonlocal_allows():
    one("a", **{"nonlocal": 0})
    bench.neighbour("a", "10.1.0.3")
    for kind in lsrr, ssrr:
        passes(ip(SRC, A, kind("10.1.0.3")), "a", "10.1.0.3", A)
    # The address is another interface's; the way out is not.
    passes(ip(SRC, C, lsrr("10.1.0.3")), "a", "10.1.0.3", A)


@test("Interface: nonlocal is the arrival interface's own, and asks nothing of "
      "transit or of a complete route")
def nonlocal_elsewhere():
    one("a", **{"nonlocal": 0})
    passes(ip(NEXT, A, lsrr(SRC)), "a", SRC, A, by="b")
    sent = ip(SRC, "10.9.5.5", lsrr(FAR))
    expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})
    bench.moved()
    expect_nothing(bench.exchange("a", ip(SRC, A, lsrr(FAR, ptr=8))))
    equal(bench.moved(), {"received": 1, "local": 1}, "counters")


@test("Interface: nonlocal 1, the default, lets a hit leave by any interface")
def nonlocal_default():
    equal(bench.router.sysctl(CONF % ("a", "nonlocal")), "1", "nonlocal")
    passes(ip(SRC, A, lsrr(NEXT_C)), "c", NEXT_C, C)


@test("Interface, H5: revisit 0 refuses with 3/5 a hit whose recorded part "
      "holds an own address")
def revisit_refuses():
    one("a", revisit=0)
    for options in (lsrr(B, FAR, ptr=8), lsrr(LO, FAR, ptr=8),
                    lsrr("10.8.8.8", A, "10.8.8.9", FAR, ptr=16),
                    ssrr(C, NEXT, ptr=8)):
        refused("revisit", options)


@test("Interface: revisit 0 looks at the recorded part alone, and at hits "
      "alone")
def revisit_allows():
    one("a", revisit=0)
    for slots, ptr in (([FAR, B], 4), (["10.8.8.8", FAR, B], 8),
                       (["127.0.0.1", FAR], 8)):
        i = (ptr - 4) // 4
        after = slots[:i] + [B] + slots[i + 1:]
        sent = ip(SRC, A, lsrr(*slots, ptr=ptr))
        expect(bench.exchange("a", sent), {"b": [edit(
            sent, dst=FAR, options=lsrr(*after, ptr=ptr + 4), ttl=63)]})
    for dst, options in (("10.9.5.5", lsrr(B, FAR, ptr=8)),
                         ("10.9.5.5", lsrr(B, ptr=8))):
        sent = ip(SRC, dst, options)
        expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})
    bench.moved()
    expect_nothing(bench.exchange("a", ip(SRC, A, lsrr(B, ptr=8))))
    equal(bench.moved(), {"received": 1, "local": 1}, "counters")


@test("Interface: revisit is the arrival interface's own, and 1, the default, "
      "lets a datagram come by again")
def revisit_default():
    one("b", revisit=0)
    equal(bench.router.sysctl(CONF % ("a", "revisit")), "1", "revisit")
    sent = ip(SRC, A, lsrr(B, FAR, ptr=8))
    bench.moved()
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=FAR, options=lsrr(B, B, ptr=12), ttl=63)]})
    equal(bench.moved(), HOP, "counters")


# mark and policy routing


def steer():
    """Whatever has bit 2 of the mark leaves by c."""
    bench.temporary("rule add fwmark 2/2 lookup 77")
    bench.temporary("route add 10.9.0.0/16 via %s table 77" % NEXT_C)


@test("Interface, H2: mark is set before hits and transit are routed")
def mark_routes():
    steer()
    sent = ip(SRC, "10.9.5.5", lsrr(FAR))
    for value, link, record in (2, "c", C), (4, "b", B), (0, "b", B):
        one("a", mark=value)
        passes(ip(SRC, A, lsrr(FAR)), link, FAR, record)
        expect(bench.exchange("a", sent), {link: [edit(sent, ttl=63)]})


@test("Interface: mark is the arrival interface's own")
def mark_per_interface():
    steer()
    one("b", mark=2)
    passes(ip(SRC, A, lsrr(FAR)), "b", FAR, B)
    passes(ip(NEXT, A, lsrr(FAR)), "c", FAR, C, by="b")


@test("Interface: other bits of the mark stay, and FORWARD filters see them "
      "all")
def mark_keeps_bits():
    one("a", mark=0x80000002)
    table("chain ip t pre { type filter hook prerouting priority raw; }",
          "rule ip t pre iifname a meta mark set 0x00010100",
          "chain ip t forward { type filter hook forward priority filter; }",
          "rule ip t forward meta mark 0x80010102 counter",
          "rule ip t forward counter")
    sent = [ip(SRC, A, lsrr(FAR)), ip(SRC, A, ssrr(NEXT)),
            ip(SRC, "10.9.5.5", lsrr(FAR))]
    for n, datagram in enumerate(sent, 1):
        expect_one(bench.exchange("a", datagram), "b")
        equal(counted("forward", 0), n, "packets with the whole mark")


@test("Interface, C1: a FORWARD rule can drop what carries the mark, and only "
      "that")
def mark_drops():
    one("a", mark=2)
    table("chain ip t forward { type filter hook forward priority filter; }",
          "rule ip t forward meta mark & 2 == 2 counter drop")
    for dst in A, "10.9.5.5":
        for mark, links in (2, []), (4, ["b"]):
            one("a", mark=mark)
            out = bench.exchange("a", ip(SRC, dst, lsrr(FAR)))
            equal(list(out), links, "links with mark %d" % mark)
    equal(counted("forward", 0), 2, "packets dropped")
    plain = ip(SRC, FAR)
    expect(bench.exchange("a", plain), {"b": [edit(plain, ttl=63)]})
    passes(ip(NEXT, A, lsrr(SRC)), "a", SRC, A, by="b")


@test("Interface, O1: mark is not set for what is not owned")
def mark_not_owned():
    steer()
    one("a", mark=2, lsrr=0)
    for scope in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)
    # Native forwards these by itself, and would by c if they were marked.
    for sent, wanted in (
            (ip(SRC, FAR), {}), (ip(SRC, FAR, b"\1\1\1\1"), {}),
            (ip(SRC, "10.9.5.5", lsrr(FAR)), {}),
            (ip(SRC, A, lsrr(FAR)),
             {"dst": FAR, "options": lsrr(B, ptr=8)})):
        expect(bench.exchange("a", sent), {"b": [
            edit(sent, ttl=63, **wanted)]})
    passes(ip(SRC, A, ssrr(NEXT)), "b", NEXT, B)


@test("Interface, Terms: mark is not set for a complete route that is ours or "
      "a destination left to the kernel")
def mark_left_to_kernel():
    one("a", mark=2)
    for scope in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)
    bench.temporary("rule add fwmark 2/2 lookup 77")
    bench.temporary("route add local 10.9.7.7 dev lo table 77")
    table("chain ip t in { type filter hook input priority filter; }",
          "rule ip t in meta mark 0 counter",
          "rule ip t in meta mark != 0 counter",
          "chain ip t forward { type filter hook forward priority filter; }",
          "rule ip t forward meta mark != 0 counter")
    bench.moved()
    bench.exchange("a", ip(SRC, A, lsrr(FAR, ptr=8)))
    equal(counted("in", 0), 1, "delivered without a mark")
    equal(bench.moved(), {"received": 1, "local": 1}, "counters")
    # By the mark it is a local socket's, so it is the kernel's, unmarked.
    bench.moved()
    sent = ip(SRC, "10.9.7.7", lsrr(FAR))
    expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})
    equal(bench.moved(), {}, "counters")
    equal([counted("in", 1), counted("forward", 0)], [0, 0], "marked packets")
    # As transit it is marked.
    bench.router.ip("rule del fwmark 2/2 lookup 77")
    expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})
    equal(counted("forward", 0), 1, "marked packets in transit")
    bench.router.ip("rule add fwmark 2/2 lookup 77")  # as cleaned up


@test("H2: a hit follows rules for a mark that nft has set, and for TOS")
def routed_by_mark_and_tos():
    steer()
    table("chain ip t pre { type filter hook prerouting priority raw; }",
          "rule ip t pre udp sport 4001 meta mark set 2")
    other = ip(SRC, A, lsrr(FAR), payload=packet.udp(sport=4001))
    passes(other, "c", FAR, C)
    passes(ip(SRC, A, lsrr(FAR)), "b", FAR, B)
    bench.temporary("rule add tos 0x10 lookup 77")
    passes(ip(SRC, A, lsrr(FAR), tos=0x10), "c", FAR, C)
    passes(ip(SRC, A, lsrr(FAR), tos=0x08), "b", FAR, B)


def flow(port):
    return ip(SRC, A, lsrr("10.15.0.1"), payload=packet.udp(sport=port))


@test("H2, H7: over a multipath route each flow takes one nexthop, whose "
      "interface's address is recorded; flows take both")
def multipath():
    bench.configure("net.ipv4.fib_multipath_hash_policy", 1)
    bench.temporary("route add 10.15.0.0/16 nexthop via %s dev b "
                    "nexthop via %s dev c" % (NEXT, NEXT_C))
    taken = {}
    for port in list(range(4000, 4016)) * 2:
        sent = flow(port)
        out = bench.exchange("a", sent)
        check(list(out) in (["b"], ["c"]), "links: %s" % list(out))
        link, = out
        mine = {"b": B, "c": C}[link]
        expect(out, {link: [edit(sent, dst="10.15.0.1", ttl=63,
                                 options=lsrr(mine, ptr=8))]})
        equal(taken.setdefault(port, link), link, "link of a flow seen twice")
    equal(sorted(set(taken.values())), ["b", "c"], "links taken")


# Interfaces without an address


@functools.lru_cache
def unnumbered():
    """e, with a network of neighbours behind it. Made once."""
    bench.link("e")
    bench.router.ip("route add 10.13.0.0/16 dev e")
    bench.neighbour("e", "10.13.0.1")


def records(mine):
    passes(ip(SRC, A, lsrr("10.13.0.1")), "e", "10.13.0.1", mine)


@test("H7: for an interface without address router_id is recorded")
def router_id_recorded():
    unnumbered()
    bench.configure(ROUTER_ID, C)
    records(C)
    bench.temporary("route add 10.13.0.1/32 dev e")
    passes(ip(SRC, A, ssrr("10.13.0.1")), "e", "10.13.0.1", C)


@test("H7, H9: router_id is what Record Route gets there, in transit too")
def router_id_record_route():
    unnumbered()
    bench.configure(ROUTER_ID, C)
    sent = ip(SRC, A, lsrr("10.13.0.1") + packet.record(1))
    expect(bench.exchange("a", sent), {"e": [
        edit(sent, dst="10.13.0.1", ttl=63,
             options=lsrr(C, ptr=8) + packet.record(1, [C]))]})
    sent = ip(SRC, "10.13.0.1", lsrr(FAR) + packet.record(1))
    expect(bench.exchange("a", sent), {"e": [
        edit(sent, ttl=63, options=lsrr(FAR) + packet.record(1, [C]))]})


@test("H7: an interface with an address has no use for router_id")
def router_id_not_used():
    bench.configure(ROUTER_ID, C)
    passes(ip(SRC, A, lsrr(FAR)), "b", FAR, B)


@test("H7: without router_id the first global address of the namespace is "
      "recorded")
def first_global():
    unnumbered()
    records(LO)
    bench.router.ip("addr del %s/32 dev lo" % LO)
    ktap.cleanup(bench.router.ip, "addr add %s/32 dev lo" % LO)
    records("192.0.2.254")  # of the link that the bench made first


@test("H7: router_id is ignored while it is no own address, and not forgotten")
def router_id_deleted():
    unnumbered()
    ktap.cleanup(bench.router.sysctl, ROUTER_ID, "0.0.0.0")
    bench.temporary("addr add 10.3.0.77/32 dev c")
    bench.router.sysctl(ROUTER_ID, "10.3.0.77")
    records("10.3.0.77")
    bench.router.ip("addr del 10.3.0.77/32 dev c")
    records(LO)
    equal(bench.router.sysctl(ROUTER_ID), "10.3.0.77", "router_id")
    bench.router.ip("addr add 10.3.0.77/32 dev c")
    records("10.3.0.77")


@test("H7: where the namespace has no global address either, the destination "
      "of arrival is recorded")
def arrival_recorded():
    other = Bench("no-global")
    ktap.cleanup(other.close)
    other.router.ip("addr flush dev marker",
                    "addr add 192.0.2.254/31 scope link dev marker")
    for name in "a", "e":
        other.link(name)
    other.router.ip("addr add 10.1.0.1/24 scope link dev a",
                    "addr add 10.1.0.9/24 scope link dev a",
                    "route add 10.13.0.0/16 dev e")
    other.neighbour("e", "10.13.0.1")
    other.set(lsrr=1)
    for own in "10.1.0.1", "10.1.0.9":
        sent = ip(SRC, own, lsrr("10.13.0.1"))
        expect(other.exchange("a", sent), {"e": [edit(
            sent, dst="10.13.0.1", options=lsrr(own, ptr=8), ttl=63)]})


# Bridges

BSRC, BR = "10.43.0.2", "10.43.0.1"


@functools.lru_cache
def bridge():
    """br0, 10.43.0.1, with two ports; `br0` of the world is the far end of
    the first, so that the bench can use the name for both. Made once."""
    for end in "br0", "far":
        cable(bench.router, "port-" + end, bench.world, end)
    bench.router.ip("link add name br0 type bridge mcast_snooping 0",
                    "link set dev port-br0 master br0",
                    "link set dev port-far master br0",
                    "link set dev br0 up", "addr add %s/24 dev br0" % BR)
    bench.router.wait_for_ports("port-br0", "port-far")
    bench.attach("br0", [BSRC])
    # Known to the bridge, so that nothing is flooded.
    bench.router.run("bridge fdb replace %s dev port-br0 master static" %
                     bench.wires["br0"].own.hex(":"))


@test("O1: what a bridge hands up is the bridge's: its policy counts, not its "
      "port's")
def bridge_ingress():
    bench.nf_call(0)
    bridge()
    one("port-br0", lsrr=0)
    before = bench.router.counters()["br0", "received"]
    for own in BR, A:
        passes(ip(BSRC, own, lsrr(NEXT)), "b", NEXT, B, by="br0")
    equal(bench.router.counters()["br0", "received"] - before, 2,
          "received on br0")
    one("br0", lsrr=0)
    one("port-br0", lsrr=1)
    not_owned("br0", ip(BSRC, BR, lsrr(NEXT)))


@test("H7: a hit leaves by a bridge with the bridge's address, also back")
def bridge_egress():
    bench.nf_call(0)
    bridge()
    passes(ip(SRC, A, lsrr(BSRC)), "br0", BSRC, BR)
    passes(ip(SRC, A, ssrr(BSRC)), "br0", BSRC, BR)
    bench.neighbour("br0", "10.43.0.3")
    one("br0", **{"nonlocal": 0})
    passes(ip(BSRC, BR, lsrr("10.43.0.3")), "br0", "10.43.0.3", BR, by="br0")


def frames_are_bridged():
    """Frames between the bridge's two ports go by as they are."""
    far = Wire(bench.world, "far", bench.wires["br0"].own)
    ktap.cleanup(far.sock.close)
    bench.router.run("bridge fdb replace %s dev port-far master static" %
                     far.own.hex(":"))
    bench.using(lsrr=3, ssrr=3)
    bench.moved()
    for dst in BR, A, "10.43.0.9", FAR:
        for options in (lsrr(FAR), ssrr(FAR), lsrr(FAR, ptr=8),
                        lsrr(FAR, ptr=5), lsrr(B, FAR) + packet.record(1)):
            sent = ip(BSRC, dst, options)
            bench.send("br0", sent, to=far.own)
            expect({"far": [far.receive(5)]}, {"far": [sent]})
    expect_nothing(bench.collect())
    equal(bench.moved(), {}, "counters")


@test("O1: frames that are bridged pass untouched")
def bridged_through():
    bench.nf_call(0)
    bridge()
    frames_are_bridged()


def br_netfilter():
    """In, and on in the router's namespace, or the test has no ground."""
    sh("modprobe br_netfilter")
    check(bench.nf_call(1), "no br_netfilter")


@test("O1, O5: frames that are bridged pass untouched with br_netfilter on")
def bridged_through_filter():
    br_netfilter()
    bridge()
    frames_are_bridged()


def said():
    """How often the kernel's log, all of it, speaks of O5."""
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    count = 0
    while True:
        try:
            count += b"srcroute: source routes that come in over a bridge" \
                     in os.read(log, 8192)
        except BlockingIOError:
            os.close(log)
            return count


@test("O5: with bridge-nf-call-iptables on, what comes in over a bridge is not "
      "owned; that is logged once")
def bridge_filter():
    br_netfilter()
    bridge()
    bench.using(lsrr=1, ssrr=3)
    for options in lsrr(NEXT), ssrr(NEXT), lsrr(NEXT, ptr=8):
        not_owned("br0", ip(BSRC, BR, options), ip(BSRC, FAR, options))
    lines = said()
    check(lines, "nothing in the log")
    not_owned("br0", ip(BSRC, BR, lsrr(NEXT)))
    equal(said(), lines, "lines in the log, later")
    # What only leaves by the bridge is ours.
    bench.using(ssrr=1)
    for kind in lsrr, ssrr:
        passes(ip(SRC, A, kind(BSRC)), "br0", BSRC, BR)


@test("O5: ... and once for each namespace")
def bridge_filter_elsewhere():
    br_netfilter()
    lines = said()
    other = Netns("other")
    ktap.cleanup(other.close)
    cable(other, "port", bench.world, "elsewhere",
          "link add name br0 type bridge mcast_snooping 0",
          "link set dev br0 address 02:00:00:00:00:43",
          "link set dev port master br0", "link set dev br0 up")
    other.wait_for_ports("port")
    for key, value in (("net.bridge.bridge-nf-call-iptables", 1),
                       ("net.ipv4.srcroute.conf.all.lsrr", 1)):
        other.sysctl(key, value)
    wire = Wire(bench.world, "elsewhere", b"\2\0\0\0\0\x43")
    ktap.cleanup(wire.sock.close)

    def is_said():
        wire.send(ip(BSRC, BR, lsrr(NEXT)))
        return said() > lines
    wait_until(is_said, what="a line")
    for _ in range(3):
        is_said()
    equal(said(), lines + 1, "lines")


@test("O5: ... nor is what comes in over a bridge of a VRF, where br_netfilter "
      "keeps no hook from seeing it again; a bridge of another namespace does "
      "not matter")
def bridge_filter_vrf():
    br_netfilter()
    vrf()
    own, far = "10.45.0.1", "10.45.0.2"
    cable(bench.router, "port-brv", bench.world, "brv")
    ktap.cleanup(bench.router.ip, "link del dev port-brv")
    added("brv", "link add name brv type bridge mcast_snooping 0",
          "link set dev port-brv master brv", "link set dev brv master red",
          "link set dev brv up", "addr add %s/24 dev brv" % own)
    bench.router.wait_for_ports("port-brv")
    bench.attach("brv", [far])
    ktap.cleanup(detach, "brv")
    bench.using(lsrr=1, ssrr=1)
    for kind in lsrr, ssrr:
        not_owned("brv", ip(far, own, kind(VNEXT)), ip(far, VNEXT, kind(FAR)))
    bench.nf_call(0)
    passes(ip(far, own, lsrr(VNEXT)), "q", VNEXT, Q, by="brv")
    bench.nf_call(1)

    other = Netns("other")
    ktap.cleanup(other.close)
    cable(other, "port", bench.world, "mv",
          "link add name br0 type bridge mcast_snooping 0",
          "link set dev port master br0", "link set dev br0 up promisc on",
          "link add link br0 name mv netns %s type macvlan mode bridge" %
          bench.router.name)
    other.wait_for_ports("port")
    other.sysctl("net.bridge.bridge-nf-call-iptables", 1)
    bench.router.ip("link set dev mv master red", "link set dev mv up",
                    "addr add 10.46.0.1/24 dev mv")
    bench.attach("mv", ["10.46.0.2"])
    ktap.cleanup(detach, "mv")
    passes(ip("10.46.0.2", "10.46.0.1", lsrr(VNEXT)), "q", VNEXT, Q, by="mv")


@test("O5: with br_netfilter in but bridge-nf-call-iptables off, the bridge's "
      "datagrams are owned")
def bridge_filter_off():
    br_netfilter()
    bench.nf_call(0)
    bridge()
    passes(ip(BSRC, BR, lsrr(NEXT)), "b", NEXT, B, by="br0")


# Interfaces on top of others


def detach(name):
    bench.wires.pop(name).sock.close()
    bench._sinks.pop(name, None)


@test("O1, H7: a VLAN is an interface of its own, for policy and for address")
def vlan():
    cable(bench.router, "trunk", bench.world, "trunk")
    ktap.cleanup(bench.router.ip, "link del dev trunk")
    for ns in bench.router, bench.world:
        ns.ip("link add link trunk name trunk.100 type vlan id 100",
              "link set dev trunk.100 up")
    bench.router.ip("addr add 10.44.0.1/24 dev trunk.100",
                    "addr add 10.46.0.1/24 dev trunk")
    bench.attach("trunk.100", ["10.44.0.2"])
    ktap.cleanup(detach, "trunk.100")
    one("trunk", lsrr=0)
    passes(ip(SRC, A, lsrr("10.44.0.2")), "trunk.100", "10.44.0.2",
           "10.44.0.1")
    sent = ip("10.44.0.2", "10.44.0.1", lsrr(NEXT))
    passes(sent, "b", NEXT, B, by="trunk.100")
    one("trunk", lsrr=1)
    one("trunk.100", lsrr=0)
    not_owned("trunk.100", sent)


@test("O1, H7: so is a macvlan")
def macvlan():
    to = b"\x02\0\0\0\0\x47"
    added("mv", "link add link a name mv address %s type macvlan mode bridge"
          % to.hex(":"), "link set dev mv up", "addr add 10.47.0.1/24 dev mv",
          "neigh replace 10.47.0.2 lladdr %s dev mv nud permanent"
          % bench.wires["a"].own.hex(":"))
    one("a", lsrr=0)
    sent = ip("10.47.0.2", "10.47.0.1", lsrr(NEXT))
    passes(sent, "b", NEXT, B, to=to)
    passes(ip(NEXT, A, lsrr("10.47.0.2")), "a", "10.47.0.2", "10.47.0.1",
           by="b")
    one("a", lsrr=1)
    one("mv", lsrr=0)
    not_owned("a", sent, to=to)


INNER = {"ipip": (4, b""), "gre": (47, b"\0\0\x08\0")}


@contextlib.contextmanager
def tunnel(mode):
    """t, 10.48.0.1 with 10.48.0.2 behind it, runs from B to NEXT. Yields the
    protocol, and what stands before the inner datagram."""
    bench.router.ip("tunnel add t mode %s local %s remote %s ttl 33" % (
        mode, B, NEXT), "link set dev t up", "addr add 10.48.0.1/30 dev t",
        "route add 10.49.0.0/16 dev t")
    try:
        yield INNER[mode]
    finally:
        bench.router.ip("link del dev t")


def expect_in_tunnel(out, proto, head, inner, ttl=33):
    """The identification of the outer header is the kernel's to choose."""
    got = packet.Packet(expect_one(out, "b"))
    expect(out, {"b": [ip(B, NEXT, proto=proto, payload=head + inner, ttl=ttl,
                          ident=got.ident, frag=got.frag & 0x4000)]})


def into_tunnel(mode):
    with tunnel(mode) as (proto, head):
        for kind, to in ((lsrr, "10.48.0.2"), (lsrr, "10.49.0.1"),
                         (ssrr, "10.48.0.2")):
            sent = ip(SRC, A, kind(to))
            bench.moved()
            expect_in_tunnel(bench.exchange("a", sent), proto, head, edit(
                sent, dst=to, options=kind("10.48.0.1", ptr=8), ttl=63))
            equal(bench.moved(), HOP, "counters of " + mode)
        refused("not_adjacent", ssrr("10.49.0.1"))


def out_of_tunnel(mode):
    with tunnel(mode) as (proto, head):
        sent = ip("10.48.0.2", A, lsrr(NEXT_C))
        outer = ip(NEXT, B, proto=proto, payload=head + sent)
        bench.moved()
        expect(bench.exchange("b", outer), {"c": [
            edit(sent, dst=NEXT_C, options=lsrr(C, ptr=8), ttl=63)]})
        equal(bench.moved(), HOP, "counters of " + mode)
        bench.router.sysctl(CONF % ("t", "lsrr"), 0)
        not_owned("b", outer)


@test("H7, H5: into an IPIP or GRE tunnel the tunnel's address is recorded, "
      "and the outer header is an ordinary one")
def tunnel_egress():
    for mode in INNER:
        into_tunnel(mode)


@test("O1: out of an IPIP or GRE tunnel the tunnel's policy counts, not that "
      "of the link below")
def tunnel_ingress():
    one("b", lsrr=0)
    for mode in INNER:
        out_of_tunnel(mode)


@test("O1, H7, V5: a tunnel whose peer the route names is no different, other "
      "options included")
def tunnel_by_metadata():
    added("t", "link add name t type ipip external", "link set dev t up",
          "addr add 10.48.0.1/30 dev t",
          "route add 10.49.0.0/16 encap ip id 0 src %s dst %s ttl 33 dev t"
          % (B, NEXT))
    sent = ip(SRC, A, lsrr("10.49.0.1"))
    expect_in_tunnel(bench.exchange("a", sent), 4, b"", edit(
        sent, dst="10.49.0.1", options=lsrr("10.48.0.1", ptr=8), ttl=63))
    for more, after in ((b"", b""),
                        (packet.record(2), packet.record(2, [C]))):
        sent = ip("10.48.0.2", A, lsrr(NEXT_C) + more)
        outer = ip(NEXT, B, proto=4, payload=sent)
        bench.moved()
        expect(bench.exchange("b", outer), {"c": [edit(
            sent, dst=NEXT_C, options=lsrr(C, ptr=8) + after, ttl=63)]})
        equal(bench.moved(), HOP, "counters")


@test("O1, T1: so is transit out of a tunnel whose peer came with it, and what "
      "stays the kernel's")
def transit_by_metadata():
    added("t", "link add name t type ipip external", "link set dev t up",
          "addr add 10.48.0.1/30 dev t")
    sent = ip("10.48.0.2", NEXT_C, lsrr(FAR))
    bench.moved()
    expect(bench.exchange("b", ip(NEXT, B, proto=4, payload=sent)),
           {"c": [edit(sent, ttl=63)]})
    equal(bench.moved(), {"received": 1, "transit": 1}, "counters")
    not_owned("b", ip(NEXT, B, proto=4, payload=ip("10.48.0.2", "10.3.0.255",
                                                   lsrr(FAR))))


@test("C3, O1: so is what a queue in PREROUTING gives back of it")
def queued_with_metadata():
    added("t", "link add name t type ipip external", "link set dev t up",
          "addr add 10.48.0.1/30 dev t")
    queue = Queue(bench.router, 7)
    ktap.cleanup(queue.close)
    ktap.cleanup(nft, bench.router, "flush ruleset")
    for priority in -500, 0, 0x7FFFFFFF:
        nft(bench.router, "flush ruleset; table ip t { chain c { type filter hook "
            "prerouting priority %d; iifname t queue num 7; } }" % priority)
        for dst, options, counter, new_dst, after in (
                (A, lsrr(NEXT_C), "hop", NEXT_C, lsrr(C, ptr=8)),
                (A, lsrr(NEXT_C) + packet.record(2), "hop", NEXT_C,
                 lsrr(C, ptr=8) + packet.record(2, [C])),
                (NEXT_C, lsrr(FAR), "transit", NEXT_C, lsrr(FAR)),
                (A, lsrr("127.0.0.1") + packet.record(1), "bad_next", None, b""),
                (A, lsrr(B), "local", None, b"")):
            sent = ip("10.48.0.2", dst, options)
            bench.moved()
            bench.send("b", ip(NEXT, B, proto=4, payload=sent))
            queue.wait(1)
            queue.accept()
            expect(bench.collect(), {"c": [edit(
                sent, dst=new_dst, options=after, ttl=63)]} if new_dst else {})
            equal(bench.moved(), {"received": 1, counter: 1}, "counters")


@test("H6, H7: a hit in a tunnel whose own route ends at us is one of its own")
def tunnel_that_ends_a_route():
    added("t", "link add name t type ipip local %s remote %s" % (B, NEXT),
          "link set dev t up", "addr add 10.48.0.1/30 dev t")
    for scope in "all", "b":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)
    sent = ip("10.48.0.2", A, lsrr(NEXT_C))
    for dst, options in (C, lsrr(B)), (B, lsrr(B, ptr=8)), (C, lsrr(B) + packet.record(1)):
        bench.moved()
        expect(bench.exchange("b", ip(NEXT, dst, options, proto=4, payload=sent)),
               {"c": [edit(sent, dst=NEXT_C, options=lsrr(C, ptr=8), ttl=63)]})
        equal(bench.moved(), {"received": 2, "local": 1, "hop": 1}, "counters")


@test("H5, H7: on links of two, by a peer address, a /31 or a /32, both ways")
def links_of_two():
    wired("y", "10.60.0.1 peer 10.60.0.2", "10.61.0.0/31",
          peers=["10.60.0.2", "10.61.0.1"])
    wired("z", "10.62.0.1/32", peers=["10.62.0.2"])
    bench.router.ip("route add 10.62.0.2 dev z")
    for dev, mine, far in (("y", "10.60.0.1", "10.60.0.2"),
                           ("y", "10.61.0.0", "10.61.0.1"),
                           ("z", "10.62.0.1", "10.62.0.2")):
        for kind in lsrr, ssrr:
            passes(ip(SRC, A, kind(far)), dev, far, mine)
            passes(ip(SRC, mine, kind(far)), dev, far, mine)
            passes(ip(far, mine, kind(NEXT)), "b", NEXT, B, by=dev)


# VRF


@functools.lru_cache
def vrf():
    """p, 10.41.0.1, and q, 10.42.0.1, of the VRF red, which sees no other
    table: local addresses are asked for after it, as the kernel's
    Documentation/networking/vrf.rst has it. Made once, for it takes long."""
    bench.router.ip("link add name red type vrf table 100",
                    "link set dev red up",
                    "route add unreachable default metric 4278198272 table 100",
                    "rule add pref 32000 lookup local", "rule del pref 0")
    for name, net in ("p", "10.41.0"), ("q", "10.42.0"):
        bench.link(name)
        bench.router.ip("link set dev %s master red" % name,
                        "addr add %s.1/24 dev %s" % (net, name))
        bench.neighbour(name, net + ".2")


VSRC, P, Q, VNEXT = "10.41.0.2", "10.41.0.1", "10.42.0.1", "10.42.0.2"


@test("O1, H1: under VRF a hit is processed once, by its slave's policy, and "
      "counted there")
def vrf_hit():
    vrf()
    one("red", lsrr=0)
    before = bench.router.counters()
    for own in P, Q:
        passes(ip(VSRC, own, lsrr(VNEXT)), "q", VNEXT, Q, by="p")
    passes(ip(VSRC, P, ssrr(VNEXT)), "q", VNEXT, Q, by="p")
    after = bench.router.counters()
    equal([after[dev, "received"] - before[dev, "received"]
           for dev in ("p", "q", "red")], [3, 0, 0], "received on p, q, red")


@test("O1: under VRF transit is processed once too, and a refusal answers "
      "from the VRF")
def vrf_transit():
    vrf()
    bench.moved()
    sent = ip(VSRC, VNEXT, lsrr(FAR) + packet.record(2))
    expect(bench.exchange("p", sent), {"q": [edit(
        sent, ttl=63, options=lsrr(FAR) + packet.record(2, [Q]))]})
    equal(bench.moved(), {"received": 1, "transit": 1}, "counters")
    sent = ip(VSRC, VNEXT, ssrr(FAR))
    expect_error(bench.exchange("p", sent), 12, 0, sent, pointer=16, to=VSRC,
                 src=P, link="p")
    equal(bench.moved(), {"received": 1, "strict_transit": 1}, "counters")


@test("O1: a VRF device's policy says nothing for its slaves")
def vrf_policy():
    vrf()
    one("p", lsrr=0, ssrr=0)
    for options in lsrr(VNEXT), ssrr(VNEXT):
        not_owned("p", ip(VSRC, P, options), ip(VSRC, VNEXT, options))
    one("p", lsrr=1, ssrr=1)
    for options in lsrr(VNEXT), ssrr(VNEXT):
        bench.moved()
        bench.exchange("p", ip(VSRC, P, options), ip(VSRC, VNEXT, options))
        equal(bench.moved()["received"], 2, "owned by the slave's own")


@test("O2: under VRF the slave's policy refuses, once")
def vrf_reject():
    vrf()
    one("p", lsrr=3)
    sent = ip(VSRC, P, lsrr(VNEXT))
    bench.moved()
    expect_error(bench.exchange("p", sent), 3, 13, sent, to=VSRC, src=P,
                 link="p")
    equal(bench.moved(), {"received": 1, "policy_reject": 1}, "counters")


@test("I4: under VRF, where errors pass LOCAL_OUT twice, that about a next hop "
      "which does not answer reaches the source without a source route")
def vrf_link_failure():
    vrf()
    for key, value in (("retrans_time_ms", 20), ("mcast_solicit", 1)):
        bench.configure("net.ipv4.neigh.q.%s" % key, value)
    bench.neighbour("p", "10.41.0.3")
    for options in lsrr("10.42.0.9"), lsrr("10.41.0.3", "10.42.0.9", ptr=8):
        bench.router.ip("neigh flush dev q 10.42.0.9")
        bench.send("p", ip(VSRC, P, options))
        datagram = bench.wires["p"].receive(10)
        check(datagram, "no error")
        error = packet.Error(datagram)
        equal((error.type, error.code, error.packet.dst), (3, 1, VSRC), "error")
        check(set(error.packet.options) <= {0, 1}, "options: %s" %
              error.packet.options.hex(" "))
        check(error.packet.sum_ok(), "checksum")


@test("Interface: under VRF nonlocal, revisit and mark are the slave's")
def vrf_settings():
    vrf()
    one("red", mark=2, revisit=0, **{"nonlocal": 0})
    bench.temporary("rule add fwmark 2/2 prohibit pref 10")
    passes(ip(VSRC, P, lsrr(VNEXT)), "q", VNEXT, Q, by="p")
    bench.neighbour("p", "10.41.0.3")
    one("p", **{"nonlocal": 0})
    passes(ip(VSRC, P, lsrr("10.41.0.3")), "p", "10.41.0.3", P, by="p")
    one("p", revisit=0, **{"nonlocal": 1})
    sent = ip(VSRC, P, lsrr(Q, VNEXT, ptr=8))
    bench.moved()
    expect_error(bench.exchange("p", sent), 3, 5, sent, to=VSRC, src=P,
                 link="p")
    equal(bench.moved(), {"received": 1, "revisit": 1}, "counters")
    # An address of another VRF is not ours.
    sent = ip(VSRC, P, lsrr(B, VNEXT, ptr=8))
    expect(bench.exchange("p", sent), {"q": [
        edit(sent, dst=VNEXT, options=lsrr(B, Q, ptr=12), ttl=63)]})


@test("O1, C1: under VRF PREROUTING rules see a hit on the slave and on the "
      "VRF device, as it arrived, and may drop it")
def vrf_prerouting():
    vrf()
    table("chain ip t pre { type filter hook prerouting priority raw; }",
          "rule ip t pre iifname p ip daddr %s counter" % P,
          "rule ip t pre iifname red ip daddr %s counter" % P,
          "rule ip t pre iifname red udp sport 4001 counter drop")
    passes(ip(VSRC, P, lsrr(VNEXT)), "q", VNEXT, Q, by="p")
    not_owned("p", ip(VSRC, P, lsrr(VNEXT), payload=packet.udp(sport=4001)))
    equal([counted("pre", n) for n in range(3)], [2, 2, 1],
          "packets of the rules")


@test("H6, T3: an own address outside a VRF is none inside it, and the other "
      "way round")
def vrf_own():
    vrf()
    for link, src, dst, code in ("p", VSRC, B, 1), ("a", SRC, P, 0):
        sent = ip(src, dst, lsrr(VNEXT))
        bench.moved()
        expect_error(bench.exchange(link, sent), 3, code, sent, to=src, link=link,
                     src=P if link == "p" else A)
        equal(bench.moved(), {"received": 1, "no_route": 1}, "counters: transit")
    sent = ip(VSRC, P, lsrr(B, VNEXT))
    expect_error(bench.exchange("p", sent), 3, 5, sent, to=VSRC, src=P,
                 link="p")
    equal(bench.moved(), {"received": 1, "no_route": 1}, "counters")
    sent = ip(VSRC, P, lsrr(Q, VNEXT))
    expect(bench.exchange("p", sent), {"q": [
        edit(sent, dst=VNEXT, options=lsrr(Q, Q, ptr=12), ttl=63)]})


@test("H7: for a VRF's interface without address, the VRF's own address is "
      "recorded, without it another of the VRF; router_id goes before")
def vrf_unnumbered():
    vrf()
    wired("u")
    bench.router.ip("link set dev u master red",
                    "route add 10.14.0.0/16 dev u table 100")
    bench.neighbour("u", "10.14.0.1")

    def records_in_vrf(mine):
        passes(ip(VSRC, P, lsrr("10.14.0.1")), "u", "10.14.0.1", mine, by="p")

    records_in_vrf(P)
    bench.temporary("addr add 10.45.0.1/32 dev red")
    records_in_vrf("10.45.0.1")
    passes(ip(VSRC, "10.45.0.1", lsrr(VNEXT)), "q", VNEXT, Q, by="p")
    bench.configure(ROUTER_ID, Q)
    records_in_vrf(Q)


@test("H7, H1: a hit that a route hands to a VRF device leaves by the VRF once "
      "rewritten, with that device's address")
def vrf_leak():
    vrf()
    bench.temporary("addr add 10.45.0.1/32 dev red")
    bench.temporary("route add 10.42.0.0/24 dev red")
    passes(ip(SRC, A, lsrr(VNEXT)), "q", VNEXT, "10.45.0.1")
    bench.temporary("route add 10.1.0.0/24 dev a table 100")
    passes(ip(VSRC, P, lsrr(SRC)), "a", SRC, A, by="p")


# Our own


@test("O1: a datagram that the router sends to itself is not owned")
def looped():
    bench.using(lsrr=2, ssrr=2)
    for scope in "all", "lo":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)
    with bench.router:
        out = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                            socket.IPPROTO_RAW)
        ears = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
    with out, ears:
        ears.settimeout(5)
        bench.moved()
        for dst in A, LO:
            for options in lsrr(FAR, ptr=8), ssrr(FAR, ptr=8):
                sent = ip(B, dst, options, proto=253, payload=b"loop")
                out.sendto(sent, (dst, 0))
                equal(ears.recv(4096).hex(" "), sent.hex(" "), "delivered")
        for options in lsrr(FAR), ssrr(NEXT), lsrr(FAR, ptr=5):
            out.sendto(ip(B, A, options, proto=253), (A, 0))
        bench.collect()
        equal(bench.moved(), {}, "counters")
        for options in lsrr(FAR, ptr=8), ssrr(NEXT):
            bench.exchange("a", ip(SRC, A, options, proto=253))
        equal(bench.moved(), {"received": 2, "policy_drop": 2}, "of others")


if __name__ == "__main__":
    ktap.main(bench.close)
