#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every way into a VRF, and what reaches PRE_ROUTING with a route or for
somebody else: O1, H8. What becomes of a datagram with a source route is
compared with what becomes of an ordinary one that comes the same way.

    main table                             VRF red, table 100
                    +--------------------+
    10.1.0.2 -- a --| 10.1.0.1  10.41.0.1|-- p -- 10.41.0.2
                    |         R          |
    10.2.0.2 -- b --| 10.2.0.1  10.42.0.1|-- q -- 10.42.0.2
                    |                    |
      SRv6 ---- t --|     red 10.45.0.1  |-- tunnels, which run over b
                    |                    |
                    |                    |  VRF green, table 200
                    |           10.61.0.1|-- g -- 10.61.0.2
                    +--------------------+

10.9.0.0/16 and 10.45.0.0/24 are behind 10.2.0.2 for the main table, 10.9.0.0/16
is behind 10.42.0.2 for red: the link shows the table. Each VRF has a socket on
port 9, and so has the main table: the socket shows the table, too.
"""

import contextlib
import functools
import itertools
import os
import socket
import struct
import time

from lib import features, ktap, packet
from lib.ktap import check, equal, test
from lib.netns import Netns, sh, wait_until
from lib.packet import edit, ip, lsrr, record
from lib.queue import Queue
from lib.nft import nft
from lib.standard import (A, B, FAR, NEXT, SRC, StandardBench, expect,
                          expect_nothing, expect_one)
from lib.tap import Tap
from lib.tracing import Trace, calls

bench = StandardBench()

V, P, Q = "10.45.0.1", "10.41.0.1", "10.42.0.1"
VSRC, VNEXT = "10.41.0.2", "10.42.0.2"
OURS = "/proc/sys/net/ipv4/srcroute/conf/%s/%s"
KERNELS = "/proc/sys/net/ipv4/conf/%s/accept_source_route"
LAST_HOOK = "srcroute_hook_pre_routing_last"
SEGMENTS = {action: segment for action, segment in
            (("End.DT4", "fc00::4"), ("End.DT46", "fc00::46"))
            if action in features.segments()}
DX4 = "fc00::d4"


def make_vrf(name, table, **links):
    ns = bench.router
    ns.ip("link add name %s type vrf table %d" % (name, table),
          "link set dev %s up" % name,
          "route add unreachable default metric 4278198272 table %d" %
          table)
    for link, own in links.items():
        bench.link(link)
        ns.ip("link set dev %s master %s" % (link, name),
              "addr add %s/24 dev %s" % (own, link))
        bench.neighbour(link, own[:-1] + "2")


def make_vrfs():
    """As the kernel's Documentation/networking/vrf.rst has it: addresses of the
    main table are asked for last."""
    make_vrf("red", 100, p=P, q=Q)
    make_vrf("green", 200, g="10.61.0.1")
    bench.router.ip("addr add %s/32 dev red" % V,
                    "rule add pref 32000 lookup local", "rule del pref 0",
                    "route add 10.9.0.0/16 via %s dev q table 100" % VNEXT,
                    "route add 10.45.0.0/24 via " + NEXT)


def make_segments():
    """The tap and the segments that end in red, in each table, so that the tap
    may be in any VRF."""
    ns = bench.router
    for scope in "all", "default":
        ns.sysctl("net.ipv6.conf.%s.disable_ipv6" % scope, 0)
        ns.sysctl("net.ipv6.conf.%s.accept_dad" % scope, 0)
    ns.sysctl("net.ipv6.conf.all.forwarding", 1)
    ns.sysctl("net.vrf.strict_mode", 1)
    tap = Tap(ns, "t")
    ns.ip("link set dev t address 02:00:00:00:00:74", "link set dev t up")
    for action, segment in SEGMENTS.items():
        ns.ip(*["route add %s/128 encap seg6local action %s vrftable 100 "
                "dev red table %d" % (segment, action, table)
                for table in (254, 100, 200)])
    return tap


INNER = {"ipip": (4, b""), "gre": (47, b"\0\0\x08\0")}


def make_tunnels():
    """Of each kind one whose peer is fixed, and one whose peer is any, which
    comes with each datagram as metadata."""
    for mode in INNER:
        bench.router.ip(
            "tunnel add one-%s mode %s local %s remote %s" % (mode, mode, B,
                                                              NEXT),
            "link add name any-%s type %s external" % (mode, mode),
            *["link set dev %s-%s %s" % (which, mode, what)
              for which in ("one", "any") for what in ("master red", "up")])


make_vrfs()
tap = make_segments()
make_tunnels()
bench.set(lsrr=1, ssrr=1)


# Ways in

def in_ipv6(segment, datagram):
    head = struct.pack("!IHBB", 6 << 28, len(datagram), 4, 64)
    return (b"\2\0\0\0\0\x74" + b"\2\0\0\0\0\x75" + b"\x86\xdd" + head +
            socket.inet_pton(socket.AF_INET6, "fc00::1") +
            socket.inet_pton(socket.AF_INET6, segment) + datagram)


def by_link(link, datagram):
    bench.send(link, datagram)


def by_segment(segment, datagram):
    tap.send(in_ipv6(segment, datagram))


def by_tunnel(mode, peer, datagram):
    proto, head = INNER[mode]
    bench.send("b", ip(peer, B, proto=proto, payload=head + datagram))


def without_identification(datagram):
    """Each ICMP error has one of its own."""
    p = packet.Packet(datagram)
    if p.proto != packet.ICMP:
        return datagram
    return ip(p.src, p.dst, p.options, payload=p.payload, ttl=p.ttl,
              proto=p.proto, tos=p.tos, frag=p.frag, ident=0)


class Way:
    """A way in: `dev` is the interface of arrival, `master` the VRF that the
    tap is enslaved to, `by_srv6` if the kernel does not ask
    accept_source_route."""

    def __init__(self, name, dev, send, by_srv6=False, master=None):
        self.name, self.dev, self.send = name, dev, send
        self.by_srv6, self.master = by_srv6, master

    @contextlib.contextmanager
    def open(self):
        if not self.master:
            yield self
            return
        bench.router.ip("link set dev t master " + self.master)
        try:
            yield self
        finally:
            bench.router.ip("link set dev t nomaster")

    def _came(self):
        out = {link: [without_identification(d) for d in datagrams]
               for link, datagrams in bench.collect().items()}
        return out, heard()

    def exchange(self, sent):
        """What comes out, and whose socket it is delivered to. Tunnels hand what
        they receive to a NAPI of their own, so it may come later than what
        tells the bench that all has come."""
        self.send(sent)
        came = self._came()
        if "tunnel" in self.name and came == ({}, []):
            time.sleep(.1)
            came = self._came()
        return came

    def goes(self, sent):
        """By which links, and to which sockets."""
        out, ears = self.exchange(sent)
        return sorted(out), ears


BY_LINK = Way("an enslaved device", "p", functools.partial(by_link, "p"))


def ways():
    yield BY_LINK
    for master in None, "green", "red":
        for action, segment in SEGMENTS.items():
            yield Way("%s by a link of %s" % (action, master or "no VRF"),
                      "red", functools.partial(by_segment, segment), True,
                      master)
    for mode in INNER:
        for which, peer in ("one", NEXT), ("any", "10.2.0.3"):
            yield Way("an enslaved tunnel: %s %s" % (which, mode),
                      "%s-%s" % (which, mode),
                      functools.partial(by_tunnel, mode, peer))


def each_way(chosen=lambda way: True):
    """Opens one after the other."""
    found = list(filter(chosen, ways()))
    if not found:
        features.need_segments()
    for way in found:
        with way.open():
            yield way


def by_srv6(way):
    return way.by_srv6


# Sockets

def make_ears():
    ears = {}
    with bench.router:
        for owner in "red", "green", "none":
            ears[owner] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            ears[owner].setblocking(False)
            ears[owner].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if owner != "none":
                ears[owner].setsockopt(socket.SOL_SOCKET,
                                       socket.SO_BINDTODEVICE,
                                       owner.encode())
            ears[owner].bind(("0.0.0.0", 9))
    return ears


EARS = make_ears()


def heard():
    """The owners of the sockets that have got something since the last call."""
    found = []
    for owner, ear in EARS.items():
        with contextlib.suppress(BlockingIOError):
            while True:
                equal(ear.recv(100), b"srcroute", "delivered")
                found.append(owner)
    return found


# Settings

def interfaces():
    with bench.router:
        return [name for name in os.listdir("/proc/sys/net/ipv4/conf")
                if name not in ("all", "default")]


@contextlib.contextmanager
def srcroute(dev, value, elsewhere):
    """lsrr and ssrr of one interface, and of all others."""
    bench.set(lsrr=elsewhere, ssrr=elsewhere)
    for key in "lsrr", "ssrr":
        bench.router.sysctl(OURS % (dev, key), value)
    try:
        yield
    finally:
        bench.set(lsrr=1, ssrr=1)


@contextlib.contextmanager
def accepting(dev, whole, own):
    """accept_source_route: that of all, that of one interface; every other has
    the opposite of the latter."""
    ns, names = bench.router, interfaces()
    old = {name: ns.sysctl(KERNELS % name) for name in ["all"] + names}
    ns.sysctl(KERNELS % "all", whole)
    for name in names:
        ns.sysctl(KERNELS % name, own if name == dev else 1 - own)
    try:
        yield
    finally:
        for name, value in old.items():
            ns.sysctl(KERNELS % name, value)


def forward():
    """The settings that most tests start with."""
    bench.set(lsrr=1, ssrr=1)


def moved():
    """{(interface, counter): n} since the last call, zeroes left out."""
    now, before = bench.router.counters(), getattr(moved, "before", {})
    moved.before = now
    return {key: value - before.get(key, 0) for key, value in now.items()
            if value != before.get(key, 0)}


def counted(dev, *names):
    equal(moved(), {(dev, name): 1 for name in names}, "counters")


def owned(way, sent, counter):
    """By the same way this one is not left alone."""
    moved()
    way.exchange(sent)
    counted(way.dev, "received", counter)


PLAIN_OUT, PLAIN_IN = ip(VSRC, FAR), ip(VSRC, V)
HIT, TRANSIT = ip(VSRC, V, lsrr(FAR)), ip(VSRC, FAR, lsrr(NEXT))
COMPLETE = ip(VSRC, V, lsrr(FAR, ptr=8))
COMPLETED = ip(VSRC, V, lsrr(Q))


def advanced(sent, record_, dst=FAR):
    return edit(sent, dst=dst, options=lsrr(record_, ptr=8), ttl=63)


@test("O1, H2, H7: by every way into a VRF a hit leaves where an ordinary "
      "datagram for its next address does, with the VRF's address, counted at "
      "the interface of arrival, whose settings alone count")
def hit():
    for way in each_way():
        with srcroute(way.dev, 1, 3):
            out, ears = way.exchange(PLAIN_OUT)
            equal((sorted(out), ears), (["q"], []), "ordinary by " + way.name)
            moved()
            link, = out
            expect(way.exchange(HIT)[0], {link: [advanced(HIT, Q)]})
            counted(way.dev, "received", "hop")
            sent = ip(VSRC, V, lsrr(FAR) + record(1))
            expect(way.exchange(sent)[0], {link: [edit(
                sent, dst=FAR, ttl=63,
                options=lsrr(Q, ptr=8) + record(1, [Q]))]})
            counted(way.dev, "received", "hop")


@test("O1, T1: by every way into a VRF transit leaves where an ordinary "
      "datagram does")
def transit():
    for way in each_way():
        with srcroute(way.dev, 1, 3):
            out, _ = way.exchange(PLAIN_OUT)
            link, = out
            moved()
            expect(way.exchange(TRANSIT)[0], {link: [edit(TRANSIT, ttl=63)]})
            counted(way.dev, "received", "transit")


@test("O1, O2, S: by every way into a VRF lsrr of the interface of arrival "
      "decides what is owned and what is refused, whatever those of all others "
      "say")
def policy():
    for way in each_way():
        with accepting(way.dev, 0, 1):
            for sent in HIT, TRANSIT, COMPLETE:
                with srcroute(way.dev, 2, 1):
                    moved()
                    equal(way.goes(sent), ([], []), "dropped, " + way.name)
                    counted(way.dev, "received", "policy_drop")
                with srcroute(way.dev, 0, 1):
                    way.goes(sent)
                    counted(way.dev)


@test("O1: by every way into a VRF what is not owned becomes what it becomes "
      "without the module")
def not_owned():
    ktap.cleanup(forward)
    for way in each_way():
        for whole, own in (0, 0), (1, 1):
            with accepting(way.dev, whole, own):
                for sent in HIT, TRANSIT, COMPLETE:
                    bench.set(lsrr=0, ssrr=0)
                    native = way.exchange(sent)
                    with srcroute(way.dev, 0, 1):
                        moved()
                        equal(way.exchange(sent), native, way.name)
                        counted(way.dev)
        owned(way, HIT, "hop")


@test("O1, Terms: by every way into a VRF what is for a broadcast address "
      "becomes what it becomes without the module, and is not counted")
def broadcast():
    everyone = P[:-1] + "255"
    for way in each_way():
        equal(way.goes(ip(VSRC, everyone)), ([], ["red"]), "ordinary")
        for accept in 0, 1:
            with accepting(way.dev, accept, accept):
                as_without(way, [ip(VSRC, everyone, options) for options in (
                    lsrr(FAR, ptr=8), lsrr(FAR), packet.ssrr(FAR))], (1,))
        owned(way, HIT, "hop")


@test("O1, O3, H6, H8: by every way into a VRF a complete route for an address "
      "of the VRF is delivered inside it, as an ordinary datagram is, if "
      "accept_source_route of all and of the interface of arrival is on")
def complete():
    for way in each_way():
        equal(way.goes(PLAIN_IN), ([], ["red"]), "ordinary by " + way.name)
        for whole, own in itertools.product((0, 1), repeat=2):
            with accepting(way.dev, whole, own), srcroute(way.dev, 1, 3):
                for sent in COMPLETE, COMPLETED:
                    moved()
                    equal(way.goes(sent), ([], ["red"] * (whole and own)),
                          "%s, all %d, its own %d" % (way.name, whole, own))
                    counted(way.dev, "received",
                            "not_accepted" if way.by_srv6 and
                            not (whole and own) else "local")


def asked():
    """Every way by SRv6, and what the settings say that the module asks."""
    for way in each_way(by_srv6):
        for whole, own in itertools.product((0, 1), repeat=2):
            with accepting("red", whole, own):
                yield way, whole and own


@test("H8, S: what SRv6 brings into a VRF is dropped without an ICMP error if "
      "accept_source_route of the VRF device or of all is 0: counted, traced as it "
      "came (I2), with its drop reason")
def not_accepted():
    line = ("srcroute_discard: in=red saddr=%s daddr=%s reason=not_accepted "
            "icmp=0/0")
    cases = (COMPLETE, COMPLETED,
             ip(VSRC, V, lsrr(FAR, ptr=8) + record(1)),
             ip(VSRC, V, lsrr(Q) + record(1)),
             ip(VSRC, V, packet.ssrr(FAR, ptr=8)),
             ip(VSRC, V, packet.ssrr(P, Q)))
    with Trace("srcroute/srcroute_discard") as trace, \
            Trace("skb/kfree_skb") as drops:
        for way, accepted in asked():
            for sent in cases:
                trace.lines(), drops.lines(), moved()
                equal(way.goes(sent), ([], ["red"] * accepted), way.name)
                counted("red", "received",
                        "local" if accepted else "not_accepted")
                equal(trace.lines(), [] if accepted else
                      [line % (VSRC, V)], "trace")
                equal("reason: IP_INHDR" in "\n".join(drops.lines()),
                      not accepted, "drop reason")


@test("H8, H10: ... and so are fragments, reassembled by conntrack or not")
def not_accepted_fragments():
    payload = packet.udp()
    for rules in "", ("table ip t { chain c { type filter hook input "
                      "priority 0; ct state invalid drop; } }"):
        ktap.cleanup(nft, bench.router, "flush ruleset")
        nft(bench.router, rules)
        for ident, (way, accepted) in enumerate(asked()):
            for frag, part in (0x2000, payload[:8]), (1, payload[8:]):
                way.send(ip(VSRC, V, lsrr(FAR, ptr=8), frag=frag,
                            ident=ident, payload=part))
            equal((bench.collect(), heard()), ({}, ["red"] * accepted),
                  way.name)


@test("H8, V5: a fault in another option of what SRv6 brings goes before "
      "accept_source_route; hits and transit do not ask it")
def asked_last():
    bad = ip(VSRC, V, lsrr(FAR, ptr=8) + b"\7\7\3" + bytes(4))
    for way in each_way(by_srv6):
        with accepting("red", 0, 0):
            moved()
            out, _ = way.exchange(bad)
            error = packet.Error(expect_one(out, "p"))
            equal((error.type, error.code, error.packet.dst), (12, 0, VSRC),
                  "error")
            counted("red", "received", "bad_option")
            expect(way.exchange(HIT)[0], {"q": [advanced(HIT, Q)]})
            counted("red", "received", "hop")
            expect(way.exchange(TRANSIT)[0], {"q": [edit(TRANSIT, ttl=63)]})
            counted("red", "received", "transit")


# Routes and rules that lead into a VRF

def leaks(network, table):
    """A route of another table into red: by its device, and by a link of it."""
    for line in "dev red", "via %s dev q" % VNEXT:
        route = "route add %s %s table %d" % (network, line, table)
        bench.router.ip(route)
        try:
            yield line
        finally:
            bench.router.ip(route.replace(" add ", " del ", 1))


G, GSRC = "10.61.0.1", "10.61.0.2"


def gets_into_red(link, src, own, mine):
    """By a leaked route for 10.9.77.1; `mine` is recorded."""
    far = "10.9.77.1"
    way = Way(link, link, functools.partial(by_link, link))
    plain = ip(src, far)
    expect(way.exchange(plain)[0], {"q": [edit(plain, ttl=63)]})
    sent = ip(src, far, lsrr(NEXT))
    moved()
    expect(way.exchange(sent)[0], {"q": [edit(sent, ttl=63)]})
    counted(link, "received", "transit")
    sent = ip(src, own, lsrr(far))
    expect(way.exchange(sent)[0], {"q": [advanced(sent, mine, far)]})
    counted(link, "received", "hop")


@test("O1, H2, H7, T1: by a route that leaks from the main table or another "
      "VRF hits and transit get into a VRF as ordinary datagrams do; the "
      "interface by which they came to the router counts, and nothing a second "
      "time")
def leaked():
    for link, own, src, table in ("a", A, SRC, 254), ("g", G, GSRC, 200):
        for line in leaks("10.9.77.0/24", table):
            with srcroute(link, 1, 3):
                gets_into_red(link, src, own, V if line == "dev red" else Q)


@test("O1, O3: what a leaked route leads to an address of the VRF is transit "
      "where it came in, and the kernel's inside the VRF: delivered as an "
      "ordinary datagram is if accept_source_route of the VRF device is on")
def leaked_to_own():
    for link, src, table in ("a", SRC, 254), ("g", GSRC, 200):
        way = Way(link, link, functools.partial(by_link, link))
        bench.temporary("route add %s/32 dev red table %d" % (V, table))
        equal(way.goes(ip(src, V)), ([], ["red"]), "ordinary")
        sent = ip(src, V, lsrr(FAR, ptr=8))
        for whole, own in itertools.product((0, 1), repeat=2):
            with accepting("red", whole, own), srcroute(link, 1, 3):
                moved()
                equal(way.goes(sent), ([], ["red"] * (whole and own)),
                      "%s, all %d, red %d" % (link, whole, own))
                counted(link, "received", "transit")


RULES = {
    "l3mdev": (),
    "l3mdev behind other rules": (
        "rule add pref 2000 l3mdev", "rule del pref 1000"),
    "rules for interfaces in its place": (
        "rule add pref 1000 iif red lookup 100",
        "rule add pref 1000 iif p lookup 100", "rule del pref 1000 l3mdev"),
    "a rule for some datagrams alone": (
        "rule add pref 900 from %s ipproto udp sport 4001 l3mdev" % VSRC,
        "rule del pref 1000"),
    "l3mdev behind a rule for the main table": (
        "rule add pref 900 from %s to 10.9.0.0/16 lookup 254" % VSRC,),
    "no l3mdev": ("rule del pref 1000",),
}
L3MDEV = "rule add pref 1000 l3mdev"


@contextlib.contextmanager
def ruled(lines):
    bench.router.ip(*lines)
    try:
        yield
    finally:
        for line in lines:
            bench.router.ip(L3MDEV if " del " in line else
                            line.replace(" add ", " del ", 1))


def follows(way, taken):
    """Ordinary datagrams and ours go to the same places, by ports of two."""
    for port in 4001, 4002:
        udp = {"payload": packet.udp(sport=port)}
        for dst, options in itertools.product(
                (FAR, V), (lsrr(NEXT, ptr=8), lsrr(NEXT))):
            plain = way.goes(ip(VSRC, dst, **udp))
            taken.update(plain[0] + plain[1])
            if dst == V and options[2] == 4:
                continue  # a hit is for next
            equal(way.goes(ip(VSRC, dst, options, **udp)), plain,
                  "%s to %s" % (way.name, dst))
        equal(way.goes(ip(VSRC, V, lsrr(FAR), **udp)),
              way.goes(ip(VSRC, FAR, **udp)), way.name + ", hit")


@test("O1, H2, H8: whatever rules lead to the VRF's table or away from it, "
      "l3mdev or others, hits, transit and complete routes go where ordinary "
      "datagrams go")
def rules():
    taken = {}
    for name, lines in RULES.items():
        taken[name] = set()
        with ruled(lines):
            for way in each_way():
                with accepting(way.dev, 1, 1), srcroute(way.dev, 1, 3):
                    follows(way, taken[name])
    equal(taken["l3mdev"], {"q", "red"}, "by l3mdev")
    equal(taken["no l3mdev"], {"b"}, "without l3mdev")
    equal(taken["a rule for some datagrams alone"], {"q", "red", "b"},
          "by port")


@test("O1, Terms, H2: a rule that leads from outside into a VRF's table leads "
      "hits and transit as well; an address of the VRF is none outside it, and "
      "left to the kernel")
def rule_from_outside():
    bench.temporary("rule add pref 900 iif a lookup 100")
    way = Way("a", "a", functools.partial(by_link, "a"))
    with accepting("a", 1, 1), srcroute("a", 1, 3):
        plain = ip(SRC, FAR)
        expect(way.exchange(plain)[0], {"q": [edit(plain, ttl=63)]})
        sent = ip(SRC, A, lsrr(FAR))
        moved()
        expect(way.exchange(sent)[0], {"q": [advanced(sent, Q)]})
        counted("a", "received", "hop")
        sent = ip(SRC, FAR, lsrr(NEXT))
        expect(way.exchange(sent)[0], {"q": [edit(sent, ttl=63)]})
        counted("a", "received", "transit")
        plain = way.goes(ip(SRC, V))
        check(plain[1], "an ordinary datagram is not delivered")
        equal(way.goes(ip(SRC, V, lsrr(FAR, ptr=8))), plain, "complete")
        counted("a")


# What never reaches us

@functools.lru_cache
def mpls():
    """Label 100 ends in red."""
    sh("modprobe mpls_router")
    bench.router.sysctl("net.mpls.platform_labels", 1000)
    bench.router.sysctl("net.mpls.conf.a.input", 1)
    bench.router.run("ip -f mpls route add 100 dev red")


def by_label(datagram):
    wire = bench.wires["a"]
    wire.sock.send(wire.to + wire.own + b"\x88\x47" +
                   struct.pack("!I", 100 << 12 | 1 << 8 | 64) + datagram)


@test("O1: what the last label of MPLS brings into a VRF never comes by "
      "PRE_ROUTING: it leaves as the kernel sends it, whatever lsrr says")
def mpls_transit():
    mpls()
    ktap.cleanup(forward)
    way = Way("MPLS", "red", by_label)
    expect(way.exchange(PLAIN_OUT)[0], {"q": [edit(PLAIN_OUT, ttl=63)]})
    for sent in (TRANSIT, ip(VSRC, FAR, packet.ssrr(NEXT)),
                 ip(VSRC, FAR, lsrr(NEXT, ptr=5))):
        bench.set(lsrr=0, ssrr=0)
        native = way.exchange(sent)
        equal(native, ({"q": [edit(sent, ttl=63)]}, []), "native")
        for value in 1, 3:
            bench.set(lsrr=value, ssrr=value)
            moved()
            equal(calls([LAST_HOOK], lambda: way.send(sent)), [], "hooks")
            equal((bench.collect(), heard()), native, "with lsrr %d" % value)
            counted("red")
    # By an enslaved link it does.
    equal(calls([LAST_HOOK], lambda: BY_LINK.send(TRANSIT)), [LAST_HOOK],
          "hooks for what comes by a link")
    bench.collect()


def as_without(way, sents, values=(1, 3)):
    """With these settings they become what they become with lsrr and ssrr at
    0, and no counter moves. What that is."""
    ktap.cleanup(forward)
    seen = []
    for sent in sents:
        bench.set(lsrr=0, ssrr=0)
        native = way.exchange(sent)
        for value in values:
            bench.set(lsrr=value, ssrr=value)
            moved()
            equal(way.exchange(sent), native, "%s with lsrr %d: %s" % (
                way.name, value, packet.Packet(sent)))
            equal(moved(), {}, "counters")
        seen.append(native)
    forward()
    return seen


@test("O1, O3: ... and for an address of the VRF it is looped, and the "
      "kernel's: accept_source_route of the VRF device decides")
def mpls_local():
    mpls()
    way = Way("MPLS", "red", by_label)
    equal(way.goes(PLAIN_IN), ([], ["red"]), "ordinary")
    for whole, own in itertools.product((0, 1), repeat=2):
        with accepting("red", whole, own):
            seen = as_without(way, [COMPLETE, COMPLETED, HIT])
            equal(seen[0], ({}, ["red"] * (whole and own)), "complete")
    owned(BY_LINK, COMPLETE, "local")


# What has a route already

ESP, SPI = 50, 0x1234


def esp(src, dst, options, inner, proto):
    """Transport mode under null ciphers."""
    pad = -(len(inner) + 2) % 4
    esp.sequence += 1
    return ip(src, dst, options, proto=ESP, payload=struct.pack(
        "!II", SPI, esp.sequence) + inner + bytes(range(1, pad + 1)) +
        bytes([pad, proto]))


esp.sequence = 0


def transport_mode():
    ktap.cleanup(bench.router.ip, "xfrm state flush")
    bench.router.ip("xfrm state add src %s dst %s proto esp spi %d mode "
                    "transport enc ecb(cipher_null) '' auth digest_null ''" %
                    (SRC, A, SPI))


def protected(options=b"", dport=9):
    return esp(SRC, A, options, packet.udp(dport=dport), packet.UDP)


def by_ipsec(sent):
    """The kernel puts back what was protected some time later, one by one: wait
    until it has done so with a datagram that comes after it."""
    with bench.router:
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with ear:
        ear.settimeout(10)
        ear.bind(("0.0.0.0", 10))
        by_link("a", sent)
        by_link("a", protected(dport=10))
        equal(ear.recv(100), b"srcroute", "what comes after it")


@test("O1, H8: a datagram that IPsec in transport mode puts back into "
      "PRE_ROUTING is judged the first time alone")
def ipsec_once():
    transport_mode()
    ktap.cleanup(forward)
    way = Way("ESP", "a", by_ipsec)
    equal(way.goes(protected()), ([], ["none"]), "ordinary")
    for accept in 0, 1:
        with accepting("a", accept, accept):
            bench.set(lsrr=0)
            native = way.exchange(protected(lsrr(FAR, ptr=8)))
            equal(native, ({}, ["none"] * accept), "native")
            bench.set(lsrr=1)
            moved()
            equal(way.exchange(protected(lsrr(FAR, ptr=8))), native, "with it")
            counted("a", "received", "local")


@contextlib.contextmanager
def held(match):
    """A queue in INPUT."""
    nft(bench.router, "table ip t { chain c { type filter hook input "
        "priority 0; %s queue num 7; } }" % match)
    queue = Queue(bench.router, 7)
    try:
        yield queue
    finally:
        queue.close()
        nft(bench.router, "flush ruleset")


@test("O1: ... so what has passed with lsrr at 0 is put back untouched and "
      "uncounted, whatever lsrr says by then")
def ipsec_put_back():
    transport_mode()
    ktap.cleanup(forward)
    for options in lsrr(FAR, ptr=8), packet.ssrr(FAR, ptr=8):
        with accepting("a", 1, 1), held("ip protocol esp") as queue:
            bench.set(lsrr=0, ssrr=0)
            bench.send("a", protected(options))
            queue.wait(1)
            equal(heard(), [], "before the verdict")
            bench.set(lsrr=3, ssrr=3)
            moved()
            put_back = []

            def accept():
                queue.accept()
                wait_until(lambda: put_back.extend(heard()) or put_back)
            equal(calls([LAST_HOOK], accept), [LAST_HOOK], "hooks")
            equal((bench.collect(), put_back), ({}, ["none"]), "put back")
            equal(moved(), {}, "counters")
            # By itself it is refused.
            bench.exchange("a", protected(options))
            counted("a", "received", "policy_reject")


@functools.lru_cache
def end_dx4():
    """From now on such datagrams pass PRE_ROUTING: the kernel lets nobody take
    this back. The segment sends them the way of 10.9.0.1."""
    features.need_hooks_of_segments()
    sh("echo 1 >/proc/sys/net/netfilter/nf_hooks_lwtunnel")
    bench.router.ip("route add %s/128 encap seg6local action End.DX4 nh4 %s "
                    "dev t" % (DX4, FAR))


@test("O1: what SRv6 leads to a neighbour by End.DX4 has a route of IPv6 in "
      "PRE_ROUTING, and passes untouched and uncounted, as without the module")
def srv6_to_neighbour():
    end_dx4()
    way = Way("End.DX4", "t", functools.partial(by_segment, DX4))
    equal(calls([LAST_HOOK], lambda: way.send(ip(SRC, A, lsrr(FAR)))),
          [LAST_HOOK], "hooks")
    bench.collect()
    sents = [ip(SRC, dst, options) for dst in (A, FAR) for options in (
        b"", lsrr(FAR), lsrr(FAR, ptr=8), lsrr(B), lsrr(FAR) + record(1),
        packet.ssrr(FAR), packet.ssrr(FAR, ptr=5))]
    for accept in 0, 1:
        with accepting("t", accept, accept):
            for native in as_without(way, sents):
                equal(sorted(native[0]), ["b"], "links")


@test("O1: what a VRF sends to itself, a loop, passes untouched and uncounted, "
      "as without the module; what others send does not")
def looped_in_vrf():
    with bench.router:
        out = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                            socket.IPPROTO_RAW)
    ktap.cleanup(out.close)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"red")
    way = Way("loop", "red", lambda sent: out.sendto(sent, (V, 0)))
    sents = [ip(Q, V, options) for options in (
        lsrr(FAR, ptr=8), packet.ssrr(FAR, ptr=8), lsrr(FAR), lsrr(Q),
        lsrr(FAR, ptr=5))]
    for accept in 0, 1:
        with accepting("red", accept, accept):
            seen = as_without(way, sents)
            equal(seen[0], ({}, ["red"] * accept), "complete")
    equal(calls([LAST_HOOK], lambda: way.send(sents[0])), [LAST_HOOK], "hooks")
    owned(BY_LINK, COMPLETE, "local")


# What is for a container

HOST, HOST_PEER, CONTAINER = "10.70.0.1", "10.70.0.2", "10.70.0.9"


@functools.lru_cache
def container():
    """10.70.0.9 behind the link i, by ipvlan in mode l3s; a socket of it."""
    ns = Netns("container")
    bench.link("i", HOST + "/24", peers=[HOST_PEER, CONTAINER])
    bench.set(lsrr=1, ssrr=1)
    bench.router.ip("link add link i name iv type ipvlan mode l3s",
                    "link set dev iv netns " + ns.name)
    ns.ip("link set dev iv up", "addr add %s/24 dev iv" % CONTAINER,
          "route add default dev iv")
    with ns:
        EARS["container"] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        EARS["container"].setblocking(False)
        EARS["container"].bind((CONTAINER, 9))
    return ns


def container_accepts(value):
    for scope in "all", "iv":
        container().sysctl(KERNELS % scope, value)


def answers(way, sents):
    """What becomes of datagrams under each accept_source_route of the host's
    and of the container's."""
    for host, own in itertools.product((0, 1), repeat=2):
        container_accepts(own)
        with accepting("i", host, host):
            yield from as_without(way, sents)


@test("O1: with ipvlan in mode l3s what is for a container is not ours: a "
      "complete route reaches its socket as without the module")
def ipvlan_container():
    container()
    way = Way("ipvlan", "i", functools.partial(by_link, "i"))
    equal(way.goes(ip(HOST_PEER, CONTAINER)), ([], ["container"]), "ordinary")
    sents = [ip(HOST_PEER, CONTAINER, options) for options in (
        lsrr(FAR, ptr=8), packet.ssrr(FAR, ptr=8),
        lsrr(FAR, ptr=8) + record(1), lsrr(FAR), lsrr(CONTAINER),
        lsrr(FAR, ptr=5))]
    seen = list(answers(way, sents))
    check(({}, ["container"]) in seen[::len(sents)], "never delivered")
    owned(way, ip(HOST_PEER, HOST, lsrr(FAR)), "hop")


@test("O1, H7: with ipvlan in mode l3s a hit and a complete route for the host "
      "are ours as ever; transit is not, and becomes what it becomes without "
      "the module")
def ipvlan_host():
    container()
    way = Way("ipvlan", "i", functools.partial(by_link, "i"))
    for own in HOST, A:
        sent = ip(HOST_PEER, own, lsrr(FAR))
        moved()
        expect(way.exchange(sent)[0], {"b": [advanced(sent, B)]})
        counted("i", "received", "hop")
        sent = ip(HOST_PEER, own, lsrr(FAR, ptr=8))
        for accept in 0, 1:
            with accepting("i", accept, accept):
                equal(way.goes(sent), ([], ["none"] * accept), "complete")
                counted("i", "received", "local")
    list(answers(way, [ip(HOST_PEER, FAR, lsrr(NEXT)),
                       ip(HOST_PEER, FAR, packet.ssrr(NEXT))]))


@test("O1, H7: a hit whose next address is a container behind ipvlan leaves "
      "for it as an ordinary datagram does")
def ipvlan_next():
    container()
    plain = ip(SRC, CONTAINER)
    expect(bench.exchange("a", plain), {"i": [edit(plain, ttl=63)]})
    sent = ip(SRC, A, lsrr(CONTAINER))
    expect(bench.exchange("a", sent), {"i": [advanced(sent, HOST, CONTAINER)]})
    equal(heard(), [], "heard")
    expect_nothing(bench.collect())


if __name__ == "__main__":
    ktap.main(bench.close)
