#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What becomes of a source-routed datagram where the contract says that native Linux
does something else: an experiment for each [N] of docs/SPEC.md, and what each shows, in
a few fixed words.

Without the module it shows what the kernel does whose accept_source_route is 1; with the
module loaded, and lsrr and ssrr at 1, what that does, which has to be what is promised.
scripts/check/deviations runs it both ways on each kernel, and docs/differences.md is made
of what it says. The topology is drawn in lib/standard.py.
"""

import os
import select
import socket

from lib import features, ktap, packet
from lib.liveframes import inject
from lib.netns import wait_until
from lib.nft import nft
from lib.packet import ip, lsrr, record, ssrr
from lib.standard import A, B, FAR, LO, NEXT, SRC, StandardBench
from lib.tracing import Trace

OURS = os.path.exists("/sys/module/nf_srcroute")
bench = StandardBench()
NOWHERE, BACK = "172.16.0.1", "10.1.0.7"


def setup():
    for dev in "all", "default", *bench.wires:
        bench.router.sysctl("net.ipv4.conf.%s.accept_source_route" % dev, 1)
    if OURS:
        bench.set(lsrr=1, ssrr=1)


def shows(name, question, promised):
    """An experiment: its name is the rule's id and a word, and it gives what it has
    seen; with the module, that has to be what is promised."""
    def register(function):
        def run():
            seen = function()
            print("# seen: %s: %s" % (name, seen))
            if OURS and seen not in (promised, *promised * isinstance(promised, tuple)):
                ktap.fail("%s, and not: %s" % (seen, promised))
        ktap.test("%s: %s" % (name, question))(run)
        return function
    return register


# What is seen

FIELDS = {0: "the type", 1: "the length", 2: "the pointer"}


def error_in(out):
    """The only thing that has come out, if it is an ICMP error."""
    if list(out) == ["a"] and len(out["a"]) == 1 and \
            packet.Packet(out["a"][0]).proto == packet.ICMP:
        return packet.Error(out["a"][0])
    return None


def field(pointer, options):
    """The destination address; or of which option, and which octet of it, where there
    are no No Operations."""
    if pointer == 16:
        return "the destination"
    at = 20
    while at < 20 + len(options):
        if pointer - at in FIELDS:
            return "%s of option %d" % (FIELDS[pointer - at], options[at - 20])
        length = options[at - 20 + 1]
        at += length if length >= 2 else 60
    return "octet %d" % pointer


def fate(sent, links="bc"):
    """Of one datagram that comes in by link a: in the words of the table."""
    out = bench.exchange("a", sent)
    if not out:
        return "silence"
    error = error_in(out)
    if error:
        told = "ICMP %d/%d" % (error.type, error.code)
        if error.type == 12:
            told += ", at " + field(error.pointer, packet.Packet(sent).options)
        return told
    ktap.check(len(out) == 1 and list(out)[0] in links and
               len(list(out.values())[0]) == 1, "neither error nor one datagram: %s"
               % out)
    return "forwarded"


def the_only(out):
    datagrams = [d for some in out.values() for d in some]
    ktap.equal(len(datagrams), 1, "datagrams")
    return datagrams[0]


def the_error(sent):
    error = error_in(bench.exchange("a", sent))
    ktap.check(error, "no error")
    return error


# V

BEYOND = "ICMP 12/0, at the length of option 131"


@shows("V1 beyond", "an option whose length runs past the header", BEYOND)
def length_beyond():
    return fate(ip(SRC, A, lsrr(FAR, length=39)))


@shows("V3 length", "a length that is not 3 and whole addresses", BEYOND)
def length_odd():
    return fate(ip(SRC, A, lsrr(FAR, length=8) + b"\1"))


AT_POINTER = "ICMP 12/0, at the pointer of option 131"


@shows("V4 pointer", "a pointer between two addresses", AT_POINTER)
def pointer_odd():
    between = b"\1" + packet.addr(FAR) + b"\1\1\1"
    return fate(ip(SRC, A, bytes([packet.LSRR, 11, 5]) + between))


@shows("V5 order", "another option is broken, and behind it the route: told of is",
       AT_POINTER)
def order_of_faults():
    return fate(ip(SRC, A, bytes([packet.RR, 7, 3]) + bytes(4) + lsrr(FAR, ptr=3)))


# H

@shows("H1 ttl", "no TTL left, and a strict route to no neighbour", "ICMP 3/5")
def ttl_first():
    return fate(ip(SRC, A, ssrr(FAR), ttl=1))


@shows("H3 loopback", "next is in 127/8", "ICMP 3/5")
def next_loopback():
    return fate(ip(SRC, A, lsrr("127.0.0.1")))


@shows("H3 multicast", "next is a multicast address", "ICMP 3/5")
def next_multicast():
    return fate(ip(SRC, A, lsrr("224.0.0.5")))


@shows("H3 broadcast", "next is the broadcast address of a link", "ICMP 3/5")
def next_broadcast():
    return fate(ip(SRC, A, lsrr("10.2.0.255")))


# A matter of the kernel's routing, and the same with the module.
LOWEST = "forwarded", "ICMP 3/5"


@shows("H3 lowest", "next is the lowest address of the prefix of a link", LOWEST)
def next_lowest():
    bench.neighbour("b", "10.2.0.0")
    return fate(ip(SRC, A, lsrr("10.2.0.0")))


@shows("H4 none", "no route to next", "ICMP 3/5")
def next_without_route():
    return fate(ip(SRC, A, lsrr(NOWHERE)))


@shows("H4 unreachable", "an `unreachable` route to next", "ICMP 3/5")
def next_unreachable():
    bench.temporary("route add unreachable 172.16.0.0/16")
    return fate(ip(SRC, A, lsrr(NOWHERE)))


# Of the kernel as well: one that has no reasons cannot be given any.
REASON = "IP_INNOROUTES", "the kernel has none"


# Of what is dropped in silence: the host on the link has no use for an error either.
@shows("H4 reason", "a `blackhole` route to next: dropwatch and traces show as the reason",
       REASON)
def reason_of_drop():
    bench.temporary("route add blackhole 172.16.0.0/16")
    lines = []
    with Trace("skb/kfree_skb") as drops:
        bench.send("a", ip(SRC, A, lsrr(NOWHERE)))
        wait_until(lambda: lines.extend(drops.lines()) or lines, what="a drop")
    ktap.equal(bench.collect(), {}, "on the links")
    if not features.has_drop_reasons():
        return "the kernel has none"
    return ", ".join(sorted({line.split("reason: ")[1] for line in lines}))


@shows("H4 forwarding", "forwarding is off", "ICMP 3/5")
def forwarding_off():
    bench.configure("net.ipv4.conf.a.forwarding", 0)
    return fate(ip(SRC, A, lsrr(NEXT)))


@shows("H5 gateway", "strict, to a neighbour that its route names as its own gateway",
       "forwarded")
def own_gateway():
    bench.temporary("route add %s/32 via %s dev b onlink" % (NEXT, NEXT))
    return fate(ip(SRC, A, ssrr(NEXT)))


@shows("H5 default", "strict, to anyone, by a default route without a gateway",
       "ICMP 3/5")
def by_default_route():
    bench.temporary("route add default dev c")
    bench.neighbour("c", NOWHERE)
    return fate(ip(SRC, A, ssrr(NOWHERE)))


@shows("H6 complete", "the last address is the router's own: it gets the datagram",
       "the pointer past the end, the checksum right")
def completed():
    with bench.router:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
    with sock:
        sock.settimeout(5)
        ktap.equal(fate(ip(SRC, A, lsrr(B), proto=253)), "silence", "on the links")
        got = packet.Packet(sock.recv(100))
    ktap.equal(got.dst, B, "destination")
    pointers = {4: "as it came", 8: "past the end"}
    return "the pointer %s, the checksum %s" % (
        pointers[got.options[2]], "right" if got.sum_ok() else "wrong")


def with_hint():
    bench.temporary("route add 10.8.0.0/16 via %s src %s" % (NEXT, LO))


NAMES = {B: "the address of the way out", LO: "the `src` of the route"}


@shows("H7 recorded", "the route to next has a `src` of another link: recorded is",
       NAMES[B])
def recorded_hint():
    with_hint()
    out = packet.Packet(the_only(bench.exchange("a", ip(SRC, A, lsrr("10.8.0.1")))))
    return NAMES[packet.quad(out.options[3:7])]


@shows("H9 record", "... and by Record Route, in transit", NAMES[B])
def record_hint():
    with_hint()
    sent = ip(SRC, "10.8.0.1", lsrr(NEXT) + record(1))
    out = packet.Packet(the_only(bench.exchange("a", sent)))
    return NAMES[packet.quad(out.options[10:14])]


@shows("H10 fragment", "the first fragment, with conntrack in use", "forwarded")
def fragment_with_conntrack():
    ktap.cleanup(nft, bench.router, "flush ruleset")
    nft(bench.router, "table ip t { chain c { type filter hook forward priority 0; "
        "ct state new counter; } }")
    sent = ip(SRC, A, lsrr(FAR), frag=0x2000, payload=packet.udp(bytes(24)))
    return {"silence": "held until all have come"}.get(fate(sent), "forwarded")


@shows("H12 list", "64 received in one list", "64 rewritten, 0 as they came")
def received_in_one_list():
    features.need_live_frames()
    bench.router.run("ethtool -K a gro on")
    wire = bench.wires["a"]
    inject(bench.router, "a", wire.to + wire.own + b"\x08\0" + ip(SRC, A, lsrr(FAR)),
           64)
    out = [packet.Packet(d).dst for d in bench.collect()["b"]]
    return "%d rewritten, %d as they came" % (out.count(FAR), out.count(A))


def burst(*datagrams):
    """Queued up in front of the router and let go at once, they are received in lists,
    as from a card under load. {link: [datagrams]} of what has come out."""
    features.need_napi_of_veth()
    bench.router.run("ethtool -K a gro on")
    bench.world.run("ethtool -K a tso off")
    bench.world.run("tc qdisc add dev a root netem slot 200ms 200ms")
    bench.send("a", *datagrams)
    # What is sent later than these comes later.
    wait_until(lambda: "backlog 0b 0p" in
               bench.world.run("tc -s qdisc show dev a"), what="an empty queue")
    bench.world.run("tc qdisc del dev a root")
    return bench.collect()


@shows("H12 beside", "ordinary datagrams for the router itself, in lists with others "
       "that are source-routed", "32 delivered, 0 sent to the address of the others")
def beside_in_lists():
    with bench.router:
        ear = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
    with ear:
        ear.setblocking(False)
        out = burst(*[ip(SRC, A, options, proto=253)
                      for options in (lsrr(FAR), b"") * 32])
        delivered = 0
        while select.select([ear], [], [], 0)[0]:
            delivered += packet.Packet(ear.recv(100)).options == b""
    astray = [d for d in out.get("b", []) if not packet.Packet(d).options]
    return "%d delivered, %d sent to the address of the others" % (delivered,
                                                                  len(astray))


@shows("H13 policy", "an IPsec policy blocks what is for next", "silence")
def policy_for_next():
    ktap.cleanup(bench.router.ip, "xfrm policy flush")
    bench.router.ip("xfrm policy add dir out src 0.0.0.0/0 dst %s/32 action block" %
                    FAR)
    return fate(ip(SRC, A, lsrr(FAR)))


@shows("H13 arrival", "... or what is for the router itself", "forwarded")
def policy_for_arrival():
    ktap.cleanup(bench.router.ip, "xfrm policy flush")
    bench.router.ip("xfrm policy add dir out src 0.0.0.0/0 dst %s/32 action block" % A)
    return fate(ip(SRC, A, lsrr(FAR)))


# T, C

@shows("T1 transit", "loose, for another router, accept_source_route 0", "forwarded")
def transit():
    for dev in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % dev, 0)
    return fate(ip(SRC, FAR, lsrr(NEXT)))


@shows("T2 no route", "strict, for another router, to which no route leads",
       "ICMP 12/0, at the destination")
def strict_transit_without_route():
    return fate(ip(SRC, "10.77.0.1", ssrr(NEXT)))


@shows("T3 no route", "loose, for another router, to which no route leads", "ICMP 3/0")
def transit_without_route():
    return fate(ip(SRC, "10.77.0.1", lsrr(NEXT)))


@shows("C3 socket", "a socket of the router is connected to the sender", "forwarded")
def connected_socket():
    with bench.router:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.bind((A, 9))
        sock.connect((SRC, 4000))
        ktap.equal(fate(ip(SRC, A)), "silence", "what is for the socket")
        ktap.equal(sock.recv(100), b"srcroute", "the socket is the one")
        seen = fate(ip(SRC, A, lsrr(FAR)))
        if select.select([sock], [], [], 0)[0]:
            return "the socket gets it"
        return seen


# I

@shows("I1 broadcast", "no TTL left; the source is the broadcast address of a link",
       "silence")
def source_broadcast():
    return fate(ip("10.1.0.255", A, lsrr(FAR), ttl=1))


def on_loopback():
    """An ear for what the router sends to itself."""
    with bench.router:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        sock.bind(("lo", 0x0800))
    return sock


@shows("I1 own", "... or, with accept_local, an address of the router", "silence")
def source_own():
    bench.configure("net.ipv4.conf.a.accept_local", 1)
    with on_loopback() as ear:
        ktap.equal(fate(ip(B, A, lsrr(FAR), ttl=1)), "silence", "on the links")
        return "an error to itself" if select.select([ear], [], [], 0.2)[0] \
            else "silence"


QUOTES = {A: "the destination that it came with", B: "the last own address of the route"}


@shows("I2 quote", "no TTL left, behind own addresses in the route: quoted is",
       QUOTES[A])
def quoted_destination():
    error = the_error(ip(SRC, A, lsrr(B, FAR), ttl=1))
    return QUOTES[packet.Packet(error.quote).dst]


@shows("I3 reversed", "no TTL left behind a gateway: the error goes",
       "straight to the source")
def error_reversed():
    bench.neighbour("a", BACK)
    error = the_error(ip(SRC, A, lsrr(BACK, FAR, ptr=8), ttl=1))
    return {(SRC, False): "straight to the source",
            (BACK, True): "back along the route"}[
                error.packet.dst, packet.LSRR in error.packet.options]


@shows("I3 echo", "the pointer is at fault, and Record Route beside it: the error has",
       "no options")
def error_echoes():
    error = the_error(ip(SRC, A, record(1) + lsrr(FAR, ptr=3)))
    return "Record Route, too" if packet.RR in error.packet.options else "no options"


@shows("I4 neighbour", "next does not answer ARP", "ICMP 3/1")
def neighbour_is_silent():
    for key, value in (("retrans_time_ms", 20), ("mcast_solicit", 1)):
        bench.configure("net.ipv4.neigh.c.%s" % key, value)
    bench.router.ip("neigh flush dev c 10.3.0.9")
    with on_loopback() as ear:
        bench.send("a", ip(SRC, A, lsrr("10.3.0.9")))
        heard = select.select([ear, bench.wires["a"].sock], [], [], 10)[0]
        ktap.check(heard, "neither an error nor a loop")
        if ear not in heard:
            return fate_of_late(bench.wires["a"].receive(0))
    bench.collect()
    return "the error goes to the router itself"


def fate_of_late(datagram):
    error = packet.Error(datagram)
    return "ICMP %d/%d" % (error.type, error.code)


if __name__ == "__main__":
    setup()
    ktap.main(bench.close)
