#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Datagrams that reach a hook by a path on which nobody has checked their header:
O6. And what else passes LOCAL_OUT than the router's own errors: I1, I4.

The topology is drawn in lib/standard.py; beside it there is

    SRv6, End.DT4 or End.DT46 ---- t ---| R | VRF blue: u, 10.50.0.1 ---- 10.50.0.2
"""

import functools
import itertools
import select
import socket
import struct

from lib import features, ktap, packet
from lib.ktap import equal, test
from lib.netns import wait_until
from lib.nft import nft
from lib.packet import edit, ip, lsrr, record, ssrr
from lib.queue import Queue
from lib.standard import (A, B, C, FAR, NEXT, NEXT_C, SRC, StandardBench,
                          expect, expect_nothing, expect_one)
from lib.tap import Tap

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)

DT4, DT46 = "fc00::4", "fc00::46"
SPARE = "10.9.0.99"
U, U_NEXT = "10.50.0.1", "10.50.0.2"
ICMP_HOST_UNREACHABLE = b"\3\1"


def load(rules):
    """A ruleset for the length of a test."""
    ktap.cleanup(nft, bench.router, "flush ruleset")
    nft(bench.router, rules)


# Headers that are not sound

def with_sum(octets, header_len):
    """The checksum of the header made right."""
    head = octets[:10] + b"\0\0" + octets[12:header_len]
    return octets[:10] + struct.pack("!H", packet.checksum(head)) + octets[12:]


def poke(octets, at, value):
    return octets[:at] + bytes([value]) + octets[at + 1:]


def unsound(sound):
    """{what is wrong: datagram}, of a datagram with options. All else of each is
    right, so that a check which is missing cannot hide behind another."""
    length = 4 * (sound[0] & 15)
    found = {"header of %d octets" % (4 * ihl):
             with_sum(poke(sound, 0, 0x40 + ihl), max(4 * ihl, 12))
             for ihl in range(5)}
    found["header longer than the datagram"] = with_sum(
        poke(sound[:2] + struct.pack("!H", length) + sound[4:length], 0, 0x4F),
        60)
    found["version 6"] = with_sum(poke(sound, 0, 0x60 + length // 4), length)
    found["total length below that of the header"] = with_sum(
        sound[:2] + struct.pack("!H", length - 1) + sound[4:], length)
    found["total length 0"] = with_sum(sound[:2] + b"\0\0" + sound[4:], length)
    found["total length beyond the end"] = with_sum(
        sound[:2] + struct.pack("!H", len(sound) + 1) + sound[4:], length)
    found["checksum off by one"] = poke(sound, 11, sound[11] ^ 1)
    return found


def forwarded(octets):
    """What ip_forward() makes of it, sound or not: it counts down the TTL and
    adds to the checksum, and looks at nothing else."""
    total = int.from_bytes(octets[10:12], "big") + 0x0100
    return (octets[:8] + bytes([octets[8] - 1, octets[9]]) +
            ((total + (total >= 0xFFFF)) & 0xFFFF).to_bytes(2, "big") +
            octets[12:])


class Ear:
    """Frames on the far end of a link, all of their octets."""

    def __init__(self, link):
        self._sock = bench.wires[link].sock
        self._link = link

    def next(self, wanted, seconds=5):
        """The first datagram that begins with those octets but for the TTL and
        the checksum, or None."""
        while select.select([self._sock], [], [], seconds)[0]:
            datagram = self._sock.recv(65536)[14:]
            if datagram[:8] + datagram[9:10] + datagram[12:20] == \
                    wanted[:8] + wanted[9:10] + wanted[12:20]:
                return datagram[:len(wanted)]
        return None


# SRv6

@functools.lru_cache
def blue():
    """The VRF."""
    ns = bench.router
    ns.ip("link add name blue type vrf table 50", "link set dev blue up")
    bench.link("u")
    ns.ip("link set dev u master blue", "addr add %s/24 dev u" % U)
    bench.neighbour("u", U_NEXT)
    for key in "lsrr", "ssrr":
        ns.sysctl("net.ipv4.srcroute.conf.all." + key, 1)


@functools.lru_cache
def into_blue():
    """The tap by which the two segments come that lead into it."""
    features.need_segments()
    blue()
    ns = bench.router
    for scope in "all", "default":
        ns.sysctl("net.ipv6.conf.%s.disable_ipv6" % scope, 0)
        ns.sysctl("net.ipv6.conf.%s.accept_dad" % scope, 0)
    ns.sysctl("net.vrf.strict_mode", 1)
    tap = Tap(ns, "t")
    ns.ip("link set dev t address 02:00:00:00:00:74",
          "link set dev t up",
          "route add %s/128 encap seg6local action End.DT4 vrftable 50 "
          "dev blue" % DT4,
          "route add %s/128 encap seg6local action End.DT46 vrftable 50 "
          "dev blue" % DT46)
    ns.sysctl("net.ipv6.conf.all.seg6_enabled", 1)
    ns.sysctl("net.ipv6.conf.t.seg6_enabled", 1)
    ns.sysctl("net.ipv6.conf.all.forwarding", 1)
    for key in "lsrr", "ssrr":
        ns.sysctl("net.ipv4.srcroute.conf.all." + key, 1)
    ns.sysctl("net.ipv4.conf.t.rp_filter", 0)
    return tap


def encapsulated(segment, datagram):
    head = struct.pack("!IHBB", 6 << 28, len(datagram), 4, 64)
    return (b"\2\0\0\0\0\x74" + b"\2\0\0\0\0\x75" + b"\x86\xdd" + head +
            socket.inet_pton(socket.AF_INET6, "fc00::1") +
            socket.inet_pton(socket.AF_INET6, segment) + datagram)


BEFORE_INNER = 14 + 40


def ways_in(tap, datagram):
    """By both segments, whole, and cut in the middle of its header."""
    for segment in DT4, DT46:
        frame = encapsulated(segment, datagram)
        yield functools.partial(tap.send, frame)
        for cut in BEFORE_INNER + 20, BEFORE_INNER + 24:
            if cut < len(frame):
                yield functools.partial(tap.send, frame, cut)


@test("O6, H7: a hit that comes into a VRF by SRv6 is rewritten, also if its "
      "options are not in one piece with the rest of the header")
def srv6_hit():
    tap = into_blue()
    ear = Ear("u")
    for options, new in ((lsrr(U_NEXT), lsrr(U, ptr=8)),
                         (lsrr(U_NEXT) + record(1),
                          lsrr(U, ptr=8) + record(1, [U]))):
        sent = ip("10.50.0.3", U, options)
        right = edit(sent, dst=U_NEXT, options=new, ttl=63)
        for send in ways_in(tap, sent):
            bench.moved()
            send()
            equal((ear.next(right) or b"nothing").hex(), right.hex(), "output")
            equal(bench.moved(), {"received": 1, "hop": 1},
                  "counters")


@test("O6: what comes into a VRF by SRv6 with a header that is not sound is not "
      "owned, and left as it is")
def srv6_unsound():
    tap = into_blue()
    ear = Ear("u")
    # A is an own address of those outside the VRF, too.
    for dst in A, U, U_NEXT:
        for options in lsrr("10.50.0.9") + b"\1", lsrr("10.50.0.9") + record(1):
            sound = ip(SRC, dst, options)
            for what, sent in unsound(sound).items():
                for send in ways_in(tap, sent):
                    bench.moved()
                    send()
                    if dst == U_NEXT:
                        out = ear.next(forwarded(sent))
                        equal((out or b"nothing").hex(),
                              forwarded(sent).hex(), what)
                    bench.collect()
                    equal(bench.moved(), {}, "%s: counters" % what)
    for send in ways_in(tap, ip("10.50.0.3", U, lsrr(U_NEXT))):
        send()
        bench.collect()
        equal(bench.moved(), {"received": 1, "hop": 1}, "sound")


# Queues

class Substitution:
    """Whatever a hook lets into a queue is replaced by user space."""

    def __init__(self, hook, priority, match="ip saddr " + SRC):
        self._rules = ("table ip t { chain c { type filter hook %s priority "
                       "%d; %s queue num 7; } }" % (hook, priority, match))

    def __enter__(self):
        nft(bench.router, self._rules)
        self._queue = Queue(bench.router, 7)
        return self

    def __exit__(self, *_):
        self._queue.close()
        nft(bench.router, "flush ruleset")

    def wait(self, number):
        self._queue.wait(number)

    def accept(self):
        self._queue.accept()

    def replace(self, sent, instead):
        """Send, and let go something else; what was queued."""
        bench.send("a", sent)
        queued = self._queue.wait(1)[-1]
        self._queue.accept(instead)
        return queued


# Ahead of our first hook, between both, and ahead of the second: of hooks of one
# priority the youngest comes first.
PRE_ROUTING = -500, 0, 0x7FFFFFFF


@test("O6: what a queue in PREROUTING puts in the place of a datagram is ours if "
      "its header is sound")
def replaced_by_hit():
    features.need_queue_that_takes_options(bench)
    for priority in PRE_ROUTING:
        with Substitution("prerouting", priority) as queue:
            for options in lsrr(FAR), lsrr(FAR) + record(2):
                bench.moved()
                queue.replace(ip(SRC, FAR), ip(SRC, A, options))
                out = packet.Packet(expect_one(bench.collect(), "b"))
                equal((out.dst, out.options[:7]), (FAR, lsrr(B, ptr=8)),
                      "output")
                equal(bench.moved(), {"received": 1, "hop": 1},
                      "counters")


@test("O6: what a queue in PREROUTING puts there with a header that is not sound "
      "is not owned, and left as it is")
def replaced_by_unsound():
    features.need_queue_that_takes_options(bench)
    ear = Ear("b")
    for priority in PRE_ROUTING:
        for dst in FAR, A:
            with Substitution("prerouting", priority) as queue:
                sound = ip(SRC, dst, lsrr(NEXT))
                for what, instead in unsound(sound).items():
                    unsound_is_left(ear, queue, what, instead)
                queue.replace(ip(SRC, FAR), sound)
                bench.collect()
                equal(bench.moved().get("received"), 1, "sound")


def unsound_is_left(ear, queue, what, instead):
    bench.moved()
    queue.replace(ip(SRC, FAR), instead)
    # The kernel looks at options, once it sees that there are any, itself.
    if instead[16:20] == packet.addr(FAR) and instead[0] & 15 < 6:
        out = ear.next(forwarded(instead))
        equal((out or b"nothing").hex(), forwarded(instead).hex(), what)
    bench.collect()
    equal(bench.moved(), {}, "%s: counters" % what)


def every_outcome():
    """A datagram of each option type for each check of PRE_ROUTING."""
    alone = b"", record(2), packet.timestamps(1, 8), b"\x94\4\0\0", b"\0" + lsrr(NEXT)
    for kind, other in itertools.product((lsrr, ssrr), alone):
        yield ip(SRC, A, kind(NEXT) + other)
        yield ip(SRC, A, kind(B, NEXT) + other)
        yield ip(SRC, FAR, kind(NEXT) + other)
        yield ip(SRC, FAR, kind(NEXT, ptr=8) + other)
        yield ip(SRC, A, kind(NEXT, ptr=8) + other)
        yield ip(SRC, A, kind(B) + other)
        for bad in ("127.0.0.1", "10.2.0.255", "10.77.0.1", FAR):
            yield ip(SRC, A, kind(bad) + other)
        for options in kind(NEXT, ptr=5), kind(NEXT, length=6), kind(NEXT) * 2:
            yield ip(SRC, A, options + other)
        yield ip(SRC, A, kind(NEXT) + other, ttl=1)
        yield ip(B, A, kind(NEXT) + other)
    yield ip(SRC, A, lsrr(NEXT) + b"\7\3")


def without_time(out):
    """What comes out, but for identification, times and checksums: an error
    has a new one, and a time has passed."""
    found = {}
    for link, datagrams in out.items():
        for datagram in datagrams:
            p = packet.Packet(datagram)
            at = p.options.find(bytes([packet.TS, 12]))
            options = bytearray(p.options)
            if at >= 0:
                options[at + 8:at + 12] = bytes(4)
            payload = bytearray(p.payload)
            if p.proto == packet.ICMP:  # what is quoted may have a time, too
                payload = payload[:2] + payload[4:8] + payload[28:36]
            found.setdefault(link, []).append(
                (p.src, p.dst, p.ttl, bytes(options), bytes(payload)))
    return found


@test("O2, O6, V4, H3 to H8, T1, T2: what a queue in PREROUTING puts in the place of a datagram "
      "becomes what it would have become by itself, for each type of option and "
      "each check")
def replaced_by_any():
    features.need_queue_that_takes_options(bench)
    for settings, reached in (
            ({}, {"received", "hop", "transit", "local",
                  "bad_option", "strict_transit", "bad_next", "no_route",
                  "not_adjacent", "bad_source"}),
            ({"nonlocal": 0}, {"nonlocal"}),
            ({"lsrr": 2, "ssrr": 3}, {"policy_drop", "policy_reject"})):
        bench.using(**settings)
        wanted = []
        for sent in every_outcome():
            bench.moved()
            out = without_time(bench.exchange("a", sent))
            wanted.append((sent, out, bench.moved()))
        equal(reached - {name for *_, moved in wanted for name in moved},
              set(), "not reached")
        for priority in PRE_ROUTING:
            with Substitution("prerouting", priority,
                              "iifname a ip daddr " + SPARE) as queue:
                for sent, out, counters in wanted:
                    bench.moved()
                    queue.replace(ip(SRC, SPARE), sent)
                    equal(without_time(bench.collect()), out,
                          str(packet.Packet(sent)))
                    equal(bench.moved(), counters, str(packet.Packet(sent)))


@test("O6, S: what waits in a queue while its interface goes leaves nothing "
      "behind, and the rest goes on")
def interface_gone():
    for hook in "prerouting", "forward":
        bench.link("gone", "10.60.0.1/24", peers=["10.60.0.2"])
        with Substitution(hook, 0, "ip saddr 10.60.0.2") as queue:
            for sent in (ip("10.60.0.2", A, lsrr(NEXT)),
                         ip("10.60.0.2", FAR, lsrr(NEXT) + record(1))):
                bench.send("gone", sent)
            queue.wait(2)
            bench.unlink("gone")
            queue.accept()
            expect_nothing(bench.collect())
        sent = ip(SRC, A, lsrr(NEXT))
        equal(list(bench.exchange("a", sent)), ["b"], "another's")


@test("O1, O6, S: what waits in a queue while the enslaved interface goes that it "
      "came in by is the VRF's")
def slave_gone():
    blue()
    bench.using(lsrr=1, ssrr=1)
    for hook, priority in ("prerouting", 0), ("forward", -0x80000000):
        bench.link("w")
        bench.router.ip("link set dev w master blue",
                        "addr add 10.51.0.1/24 dev w")
        sent = ip("10.51.0.9", U, lsrr(U_NEXT))
        right = edit(sent, dst=U_NEXT, options=lsrr(U, ptr=8), ttl=63)
        expect(bench.exchange("w", sent), {"u": [right]})
        with Substitution(hook, priority, "ip saddr 10.51.0.9 iifname blue") as queue:
            bench.send("w", sent)
            queue.wait(1)
            before = bench.router.counters()
            bench.unlink("w")
            queue.accept()
            expect(bench.collect(), {"u": [right]})
        after = bench.router.counters()
        counted = {key: after[key] - before[key] for key in after
                   if after[key] != before[key]}
        equal(counted, {} if hook == "forward" else
              {("blue", "received"): 1, ("blue", "hop"): 1}, "counters")


@test("O6, I4: what a queue ahead of ours in LOCAL_OUT puts in the place of an "
      "error with a header that is not sound is left as it is")
def replaced_in_output():
    features.need_queue_that_takes_options(bench)
    refused = ip(SRC, A, lsrr("127.0.0.1"))
    quote = ip(SRC, FAR, lsrr(B, NEXT, ptr=8))
    ear = Ear("a")
    elsewhere = "10.1.0.7"
    bench.neighbour("a", elsewhere)
    with Substitution("output", -0x80000000, "ip protocol icmp") as queue:
        queued = queue.replace(refused, b"")
        equal(expect_one(bench.collect(), "a").hex(), queued.hex(), "unchanged")
        # An error that is led astray, as a failed link gives it: set right ...
        route = lsrr(B, SRC, ptr=8)
        sound = error_about(quote, src=A, dst=elsewhere, options=route)
        queue.replace(refused, sound)
        out = packet.Packet(expect_one(bench.collect(), "a"))
        equal((out.dst, out.options), (SRC, b"\1" * 11 + b"\0"), "led home")
        # ... if its header is sound, and that in its quote.
        for what, instead in unsound(sound).items():
            queue.replace(refused, instead)
            out = ear.next(instead)
            equal((out or b"nothing").hex(), instead.hex(), what)
        for what, bad in unsound(quote).items():
            if "end" in what or "checksum" in what or what == "total length 0":
                continue  # not asked of what is quoted
            instead = error_about(bad, src=A, dst=elsewhere, options=route)
            queue.replace(refused, instead)
            out = ear.next(instead)
            equal((out or b"nothing").hex(), instead.hex(), "quoted: " + what)


# Others that have a share in a datagram

class Socket:
    """A packet socket on the interface of arrival."""

    def __init__(self):
        with bench.router:
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                       socket.htons(0x0800))
            self._sock.bind(("a", 0x0800))
        ktap.cleanup(self._sock.close)

    def exchange(self, sent):
        """What comes out, and what was seen on the way in."""
        out, found = bench.exchange("a", sent), []
        while select.select([self._sock], [], [], 0)[0]:
            datagram, where = self._sock.recvfrom(65536)
            if where[2] != 4:  # PACKET_OUTGOING
                found.append(datagram[:int.from_bytes(datagram[2:4], "big")])
        return out, found


class Mirror:
    """Copies of what comes in by a leave by c, frames as they are."""

    def exchange(self, sent):
        out = bench.exchange("a", sent)
        return out, out.pop("c", [])


def every_kind(observer):
    """Whatever becomes of a datagram, who looks on sees what was sent."""
    for kind in lsrr, ssrr:
        passes_beside(observer, A, kind(NEXT), NEXT, kind(B, ptr=8))
        passes_beside(observer, A, kind(NEXT) + record(2), NEXT,
                      kind(B, ptr=8) + record(2, [B]))
    passes_beside(observer, FAR, lsrr(NEXT), FAR, lsrr(NEXT))
    passes_beside(observer, FAR, lsrr(NEXT) + record(2), FAR,
                  lsrr(NEXT) + record(2, [B]))
    for options in lsrr(B), lsrr(B) + record(2):
        completes_beside(observer, options)
    for options, dst, ttl, error in (
            (lsrr("127.0.0.1") + record(2), A, 64, (3, 5)),
            (lsrr(NEXT, ptr=5) + record(2), A, 64, (12, 0)),
            (ssrr(NEXT) + record(2), FAR, 64, (12, 0)),
            (lsrr(NEXT) + record(2), A, 1, (11, 0)),
            (lsrr(NEXT) + record(2), FAR, 1, (11, 0))):
        sent = ip(SRC, dst, options, ttl=ttl)
        out, seen = observer.exchange(sent)
        told = packet.Error(expect_one(out, "a"))
        equal((told.type, told.code), error, "error")
        equal(seen, [sent], "seen")


def passes_beside(observer, dst, options, new_dst, new_options):
    sent = ip(SRC, dst, options)
    out, seen = observer.exchange(sent)
    equal(out, {"b": [edit(sent, dst=new_dst, options=new_options, ttl=63)]},
          "output")
    equal(seen, [sent], "seen")


def completes_beside(observer, options):
    """A route whose last address is ours is delivered with the pointer at its
    end."""
    for scope in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)
    with bench.router, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((B, 9))
        s.settimeout(5)
        sent = ip(SRC, A, options)
        out, seen = observer.exchange(sent)
        expect_nothing(out)
        equal(s.recv(100), b"srcroute", "delivered")
    equal(seen, [sent], "seen")


@test("O6, H6, H7, T1, I2: a packet socket on the interface of arrival sees what "
      "was sent, and the datagram becomes what it should")
def shared_with_socket():
    every_kind(Socket())


@test("O6, H6, H7, T1, I2: so does a copy that the kernel has made on the "
      "interface of arrival, by nft's dup or by tc's mirror")
def shared_with_copies():
    ktap.cleanup(nft, bench.router, "flush ruleset")
    nft(bench.router, "table netdev t { chain c { type filter hook ingress "
        "device a priority 0; dup to c; } }")
    every_kind(Mirror())
    nft(bench.router, "flush ruleset")
    ktap.cleanup(bench.router.run, "tc qdisc del dev a clsact")
    bench.router.run("tc qdisc add dev a clsact && tc filter add dev a ingress "
                     "matchall action mirred egress mirror dev c")
    every_kind(Mirror())


# Other senders in LOCAL_OUT

def error_about(quote, src=SRC, dst=A, kind=ICMP_HOST_UNREACHABLE, options=b""):
    body = kind + b"\0\0" + bytes(4) + quote
    body = body[:2] + struct.pack("!H", packet.checksum(body)) + body[4:]
    return ip(src, dst, options, proto=packet.ICMP, payload=body)


# It says that 10.2.0.77 was the source of a datagram of ours, and comes itself
# with a source route, as an error does that is led astray.
ASTRAY = error_about(ip("10.2.0.77", FAR, lsrr(B, NEXT, ptr=8)), dst=FAR,
                     options=lsrr(FAR, NEXT, ptr=12))


@test("I4: a copy of somebody else's error goes where the copy goes, not where "
      "the quote points")
def copied_error():
    bench.neighbour("b", "10.2.0.77")
    bench.using(lsrr=0, ssrr=0)
    bench.router.sysctl("net.ipv4.srcroute.conf.c.lsrr", 1)
    ktap.cleanup(bench.router.sysctl, "net.ipv4.srcroute.conf.c.lsrr", 0)
    load("table ip t { chain p { type filter hook prerouting priority 0; "
         "iifname a ip saddr %s dup to %s device c; } "
         "chain f { type filter hook forward priority 0; ip saddr %s drop; } }"
         % (SRC, NEXT_C, SRC))
    out = bench.exchange("a", ASTRAY)
    equal(list(out), ["c"], "links")
    equal(out["c"][0][12:].hex(), ASTRAY[12:].hex(), "the copy")


@test("I4, O6: an error that a program sends by a raw socket stays as it is")
def raw_error():
    bench.neighbour("b", "10.2.0.77")
    mine = error_about(ip("10.2.0.77", FAR, lsrr(B, NEXT, ptr=8)), src=B,
                       dst=FAR, options=lsrr(FAR, NEXT, ptr=12))
    for protocol in socket.IPPROTO_ICMP, socket.IPPROTO_RAW:
        with bench.router:
            sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
        ktap.cleanup(sock.close)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        sock.sendto(mine, (FAR, 0))
        equal(bench.collect(), {"b": [mine]}, "output")
        ear = Ear("b")
        for what, bad in unsound(mine).items():
            if bad[0] >> 4 == 4 and (bad[0] & 15) >= 5:
                continue  # the kernel fills in length and checksum
            try:
                sock.sendto(bad, (FAR, 0))
            except OSError:  # newer kernels refuse
                continue
            out = ear.next(bad)
            equal((out or b"nothing").hex(), bad.hex(), what)


@test("I4: an error that goes through a VRF by way of LOCAL_OUT stays as it is")
def error_through_vrf():
    blue()
    bench.neighbour("u", "10.50.0.77", "10.50.0.8")
    bench.temporary("route add 10.50.0.8/32 dev blue")
    sent = error_about(ip("10.50.0.77", FAR, lsrr(B, NEXT, ptr=8)),
                       dst="10.50.0.8", options=lsrr("10.50.0.8", ptr=8))
    for scope in "all", "a":
        bench.configure("net.ipv4.srcroute.conf.%s.lsrr" % scope, 0)
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)
    bench.router.sysctl("net.ipv4.srcroute.conf.c.lsrr", 1)
    ktap.cleanup(bench.router.sysctl, "net.ipv4.srcroute.conf.c.lsrr", 0)
    out = packet.Packet(expect_one(bench.exchange("a", sent), "u"))
    equal((out.dst, out.payload.hex()),
          ("10.50.0.8", packet.Packet(sent).payload.hex()), "output")


@test("I4: an error that IPVS sends on to a server stays as it is")
def error_through_ipvs():
    ktap.cleanup(bench.router.run, "ipvsadm -C")
    bench.router.run("ipvsadm -A -u %s:9 -s rr" % A)
    bench.router.run("ipvsadm -a -u %s:9 -r %s -g" % (A, NEXT))
    for scope in "all", "a":
        bench.configure("net.ipv4.srcroute.conf.%s.lsrr" % scope, 0)
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)
    bench.router.sysctl("net.ipv4.srcroute.conf.c.lsrr", 1)
    ktap.cleanup(bench.router.sysctl, "net.ipv4.srcroute.conf.c.lsrr", 0)
    request = ip(SRC, A, payload=packet.udp())
    expect(bench.exchange("a", request), {"b": [edit(request, ttl=63)]})
    sport, dport = struct.unpack("!2H", request[20:24])
    answer = ip(A, SRC, lsrr(B, NEXT, ptr=8),
                payload=packet.udp(sport=dport, dport=sport))
    sent = error_about(answer, options=lsrr(B, ptr=8))
    expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})


# Errors to ourselves

def on_loopback():
    """A socket that sees what the router sends to itself."""
    with bench.router:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                             socket.htons(0x0800))
        sock.bind(("lo", 0x0800))
    ktap.cleanup(sock.close)
    return sock


def errors_on(sock):
    found = []
    while select.select([sock], [], [], 0)[0]:
        datagram = sock.recv(65536)
        if datagram[9] == packet.ICMP:
            found.append(packet.Error(datagram))
    return [(e.type, e.code, e.packet.dst) for e in found]


@test("I1: with accept_local, forwarding tells no source that is one of our "
      "addresses")
def own_source():
    bench.temporary("route add 10.80.0.0/16 via %s mtu lock 600" % NEXT)
    ear = on_loopback()
    big = {"frag": 0x4000, "payload": packet.udp(bytes(800))}
    for options, dst, fields, error in (
            (lsrr(FAR), A, {"ttl": 1}, (11, 0)),
            (lsrr(*[FAR] * 9), A, {"ttl": 1}, (11, 0)),
            (lsrr("10.80.0.1"), A, big, (3, 4)),
            (lsrr(NEXT), FAR, {"ttl": 1}, (11, 0)),
            (lsrr(NEXT), "10.80.0.1", big, (3, 4))):
        sent = ip(SRC, dst, options, **fields)
        out = packet.Error(bench.exchange("a", sent)["a"][0])
        equal((out.type, out.code), error, "to a source that is not ours")
        bench.configure("net.ipv4.conf.a.accept_local", 1)
        expect_nothing(bench.exchange("a", ip(C, dst, options, **fields)))
        equal(errors_on(ear), [], "errors to ourselves")
    # The error about a datagram without a source route is the kernel's.
    expect_nothing(bench.exchange("a", ip(C, FAR, ttl=1)))
    equal(errors_on(ear), [(11, 0, C)], "error of an ordinary datagram")


@test("I1: nor does the kernel's own forwarding of source routes, where lsrr is 0")
def own_source_not_owned():
    bench.configure("net.ipv4.srcroute.conf.a.lsrr", 0)
    for scope in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)
    bench.temporary("route add 10.80.0.0/16 via %s mtu lock 600" % NEXT)
    ear = on_loopback()
    big = {"frag": 0x4000, "payload": packet.udp(bytes(800))}
    for options, dst, fields, error in (
            (lsrr(FAR), A, {"ttl": 1}, (11, 0)),
            (lsrr("10.80.0.1"), A, big, (3, 4)),
            (lsrr(NEXT), FAR, {"ttl": 1}, (11, 0)),
            (lsrr(NEXT), "10.80.0.1", big, (3, 4))):
        bench.configure("net.ipv4.conf.a.accept_local", 0)
        out = packet.Error(bench.exchange("a", ip(SRC, dst, options, **fields))["a"][0])
        equal((out.type, out.code), error, "to a source that is not ours")
        bench.configure("net.ipv4.conf.a.accept_local", 1)
        bench.moved()
        expect_nothing(bench.exchange("a", ip(C, dst, options, **fields)))
        equal(errors_on(ear), [], "errors to ourselves")


@test("I1: our own output is told what is wrong with its options")
def own_fault():
    ear = on_loopback()
    with bench.router, socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                     socket.IPPROTO_RAW) as sock:
        # An odd Timestamp option, behind a sound source route.
        sock.sendto(ip(C, C, lsrr(FAR) + b"\x44\3\5"), (C, 0))
    wait_until(lambda: (12, 0, C) in errors_on(ear), what="our own error")


@test("I1, I4: nor does a next hop that does not answer ARP, or a rule that "
      "rejects in FORWARD; our own output is told")
def own_source_late():
    for key, value in (("retrans_time_ms", 20), ("mcast_solicit", 1)):
        bench.configure("net.ipv4.neigh.c.%s" % key, value)
    bench.configure("net.ipv4.conf.a.accept_local", 1)
    ear = on_loopback()
    bench.send("a", ip(B, A, lsrr("10.3.0.9")))
    # The neighbour that our own output waits for is the same.
    with bench.router:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS,
                        lsrr("10.3.0.9", FAR) + b"\0")
        sock.bind((C, 4000))
        sock.sendto(b"x", (FAR, 9))
        wait_until(lambda: (3, 1, C) in errors_on(ear), what="our own error")
    bench.collect()
    equal(errors_on(ear), [], "errors about what was forwarded")
    load("table ip t { chain c { type filter hook forward priority 0; ip saddr "
         "{ %s, %s } reject with icmp type admin-prohibited; } }" % (B, SRC))
    # GRE, since Linux 5.10 does not reject UDP without a checksum.
    expect_nothing(bench.exchange("a", ip(B, A, lsrr(FAR), proto=47)))
    equal(errors_on(ear), [], "errors about what was rejected")
    # Others are told.
    told = packet.Error(expect_one(
        bench.exchange("a", ip(SRC, A, lsrr(FAR), proto=47)), "a"))
    equal((told.type, told.code), (3, 13), "what is rejected")
    nft(bench.router, "flush ruleset")
    bench.router.ip("neigh flush dev c 10.3.0.9")
    bench.send("a", ip(SRC, A, lsrr("10.3.0.9")))
    told = packet.Error(bench.wires["a"].receive(10) or bytes(40))
    equal((told.type, told.code), (3, 1), "what does not answer")


if __name__ == "__main__":
    ktap.main(bench.close)
