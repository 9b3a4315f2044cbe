#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel's forwarding gets of a hit and of transit, and what it never gets:
H1, H7, H13, H14, I2, T1. The topology is drawn in lib/standard.py.
"""

import contextlib
import glob
import os
import re
import socket
import time

from lib import bpf, features, ktap, packet, rtnetlink
from lib.ktap import check, equal, test
from lib.netns import sh
from lib.nft import nft
from lib.packet import edit, ip, lsrr, record
from lib.standard import (A, B, FAR, NEXT, SRC, StandardBench, expect,
                          expect_nothing, expect_one)

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)

DF = 0x4000
ALERT = b"\x94\4\0\0"
CODED = "10.85.0.1"  # what is encapsulated on its way there
HIT = ip(SRC, A, lsrr(FAR))


def small_mtu():
    """A route with an MTU of 600, for the length of a test."""
    bench.temporary("route add 10.80.0.0/16 via %s mtu lock 600" % NEXT)


def kernels(name):
    """A counter of the kernel's for IP, in this namespace."""
    return int(re.search(r"%s +(\d+)" % name, bench.router.run(
        "nstat -asz " + name)).group(1))


def big(dst, options, **fields):
    return ip(SRC, dst, options, frag=DF, payload=packet.udp(bytes(800)),
              **fields)


def told(sent, kind, code, mtu=0, **how):
    """One error, with all of what it quotes as it was sent."""
    error = packet.Error(expect_one(bench.exchange("a", sent), "a"))
    equal((error.type, error.code, error.mtu, error.packet.options),
          (kind, code, mtu, how.get("options", b"")), "error")
    equal(error.quote.hex(), sent[:len(error.quote)].hex(), "quote")
    check(len(error.quote) >= 28 + len(packet.Packet(sent).options), "a short quote")


def one(counter):
    equal(bench.moved(), {"received": 1, counter: 1}, "counters")


@test("S, H1, I2: the TTL and the MTU have counters of their own, and add to the "
      "kernel's InHdrErrors and FragFails, for hits and transit")
def own_counters():
    small_mtu()
    for sent, kind, code, mtu, counter, native in (
            (ip(SRC, A, lsrr(FAR), ttl=1), 11, 0, 0, "ttl_exceeded",
             "IpInHdrErrors"),
            (ip(SRC, FAR, lsrr(NEXT), ttl=1), 11, 0, 0, "ttl_exceeded",
             "IpInHdrErrors"),
            (ip(SRC, FAR, lsrr(NEXT) + record(1), ttl=0), 11, 0, 0,
             "ttl_exceeded", "IpInHdrErrors"),
            (big(A, lsrr("10.80.0.1")), 3, 4, 600, "frag_needed",
             "IpFragFails"),
            (big("10.80.0.1", lsrr(NEXT)), 3, 4, 600, "frag_needed",
             "IpFragFails")):
        before = kernels(native)
        bench.moved()
        told(sent, kind, code, mtu)
        one(counter)
        equal(kernels(native) - before, 1, native)


@test("I2: what fits exactly goes, and so does what may be fragmented")
def exact_fit():
    small_mtu()
    for options, new in (lsrr("10.80.0.1"), lsrr(B, ptr=8)), \
            (lsrr("10.80.0.1") + record(1), lsrr(B, ptr=8) + record(1, [B])):
        head = len(ip(SRC, A, options, payload=b""))
        for length in 599, 600, 601:
            sent = ip(SRC, A, options, frag=DF,
                      payload=packet.udp(bytes(length - head - 8)))
            out = bench.exchange("a", sent)
            if length > 600:
                equal(packet.Error(expect_one(out, "a")).mtu, 600, "MTU")
            else:
                expect(out, {"b": [edit(sent, dst="10.80.0.1", options=new,
                                        ttl=63)]})
    pieces = bench.exchange("a", edit_frag(big(A, lsrr("10.80.0.1")), 0))["b"]
    check(len(pieces) == 2 and all(p[20:27] == lsrr(B, ptr=8) for p in pieces),
          "fragments: %s" % pieces)


def edit_frag(sent, frag):
    p = packet.Packet(sent)
    return ip(p.src, p.dst, p.options, ttl=p.ttl, payload=p.payload,
              proto=p.proto, ident=p.ident, frag=frag)


@test("H1, I1: a TTL of 1 gives no error about an error, a later fragment or to an "
      "own source, and is counted all the same")
def silent_ttl():
    bench.configure("net.ipv4.conf.a.accept_local", 1)
    for sent in (ip(SRC, A, lsrr(FAR), ttl=1, frag=2),
                 ip(SRC, A, lsrr(FAR), ttl=1, proto=packet.ICMP,
                    payload=b"\3\1" + bytes(30)),
                 ip(B, A, lsrr(FAR), ttl=1)):
        bench.moved()
        expect_nothing(bench.exchange("a", sent))
        one("ttl_exceeded")


# Routes that act on input

def encapsulating(dev="b"):
    """CODED is reached by SRv6: a datagram for it leaves in IPv6."""
    ns = bench.router
    for scope in "all", "default", dev:
        ns.sysctl("net.ipv6.conf.%s.disable_ipv6" % scope, 0)
    ns.sysctl("net.ipv6.conf.all.forwarding", 1)
    ns.ip("addr replace fc00::1/64 dev %s nodad" % dev)
    far = bench.wires[dev].own.hex(":")
    ns.ip("neigh replace fc00::2 lladdr %s dev %s nud permanent" % (far, dev),
          "route replace fc00:5::/32 via fc00::2 dev " + dev)
    bench.temporary("route add %s/32 encap seg6 mode encap segs fc00:5::1 dev %s"
                    % (CODED, dev))


def in_ipv6(dev):
    """A socket that hears what leaves in IPv6 by a link."""
    with bench.world:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                             socket.htons(0x86DD))
        sock.bind((dev, 0x86DD))
        sock.settimeout(5)
    ktap.cleanup(sock.close)
    return sock


def inside(sock):
    """The next IPv4 datagram that comes out in IPv6."""
    while True:
        frame = sock.recv(65536)
        at = 14 + 40
        if frame[20] == 43:  # a segment routing header
            at += 8 * (frame[55] + 1)
        if frame[at] >> 4 == 4:
            length = int.from_bytes(frame[at + 2:at + 4], "big")
            return frame[at:at + length]


@test("H7, H1: a hit whose route encapsulates in SRv6 is rewritten first, whatever "
      "its TTL, as with an ordinary datagram to next")
def encapsulated():
    encapsulating()
    heard = in_ipv6("b")
    for ttl in 64, 1:
        bench.send("a", ip(SRC, CODED, ttl=ttl))
        plain = packet.Packet(inside(heard))
        sent = ip(SRC, A, lsrr(CODED), ttl=ttl)
        bench.moved()
        bench.send("a", sent)
        got = packet.Packet(inside(heard))
        equal((got.dst, got.ttl, got.options[:3]),
              (CODED, plain.ttl, lsrr(CODED, ptr=8)[:3]), "inside")
        one("hop")


@test("H1: what the kernel refuses behind a BPF program of the route has been counted as "
      "hop, and is quoted as it was rewritten")
def behind_bpf():
    features.need_bpf_routes()
    program = bpf.load(bpf.LWT_IN, bpf.returns(bpf.OK))
    ktap.cleanup(os.close, program)
    bench.neighbour("b", CODED)
    with bench.router:
        equal(rtnetlink.add_bpf_route(CODED, "b", program), 0, "errno")
    ktap.cleanup(bench.router.ip, "route del %s/32 dev b" % CODED)
    bench.moved()
    sent = ip(SRC, A, lsrr(CODED))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=CODED, options=lsrr(B, ptr=8), ttl=63)]})
    one("hop")
    error = packet.Error(expect_one(bench.exchange("a", edit(sent, ttl=1)), "a"))
    quoted = packet.Packet(error.quote)
    equal((error.type, error.code, quoted.dst), (11, 0, CODED), "error")
    one("hop")


def joined_vrfs():
    """red and green, each of which reaches the other's address, and the main table
    both, by SRv6 segments of this router: R_i, one CPU's stack."""
    features.need_segments()
    ns = bench.router
    encapsulating()
    addresses = {"red": ("10.61.0.1", 61), "green": ("10.62.0.1", 62)}
    for name, (address, table) in addresses.items():
        ns.ip("link add name %s type vrf table %d" % (name, table),
              "link set dev %s up" % name)
        ns.sysctl("net.vrf.strict_mode", 1)
        ns.ip("addr add %s/32 dev %s" % (address, name),
              "route add fc00:6::%d/128 encap seg6local action End.DT4 "
              "vrftable %d dev %s" % (table, table, name))
        ns.sysctl("net.ipv4.conf.%s.accept_source_route" % name, 1)
        ktap.cleanup(ns.ip, "link del dev " + name)
    bench.configure("net.ipv4.conf.all.accept_source_route", 1)
    for table in 254, 61, 62:
        for address, segment in addresses.values():
            if table != segment:
                bench.temporary("route add %s/32 table %d encap seg6 mode encap "
                                "segs fc00:6::%d dev b" % (address, table,
                                                           segment))
    for key in "lsrr", "ssrr":
        ns.sysctl("net.ipv4.srcroute.conf.all." + key, 1)


@test("H14: a hit that comes back out of segments of ours while it is forwarded goes on "
      "once, and is dropped the next time")
def nested():
    joined_vrfs()
    red, green = "10.61.0.1", "10.62.0.1"
    for route, fate in (
            ([red], {("a", "hop"): 1, ("red", "local"): 1}),
            ([red, green], {("a", "hop"): 1, ("red", "hop"): 1,
                            ("green", "local"): 1}),
            ([red, green, red], {("a", "hop"): 1, ("red", "hop"): 1,
                                 ("green", "nested"): 1}),
            ([red, green] * 4, {("a", "hop"): 1, ("red", "hop"): 1,
                                ("green", "nested"): 1})):
        before = bench.router.counters()
        bench.exchange("a", ip(SRC, A, lsrr(*route)))
        after = bench.router.counters()
        equal({key: after[key] - before[key] for key in after
               if after[key] != before[key] and key[1] != "received"}, fate,
              "counters of %s" % route)


def threads_of(dev):
    """Those that receive from a device of the router, which a veth has with GRO, and
    uses for what comes from a peer that does not segment."""
    path = "/sys/class/net/%s/threaded" % dev
    in_ns = "ip netns exec %s sh -c '%%s'" % bench.router.name
    if "yes" not in sh(in_ns % ("[ ! -e %s ] || echo yes" % path)):
        ktap.lacks("threads of NAPI (Linux 5.12)")
    for ns, feature, on, off in ((bench.router, "gro", "on", "off"),
                                 (bench.world, "tso", "off", "on")):
        ns.run("ethtool -K %s %s %s" % (dev, feature, on))
        ktap.cleanup(ns.run, "ethtool -K %s %s %s" % (dev, feature, off))
    sh(in_ns % ("echo 1 >" + path))
    ktap.cleanup(sh, in_ns % ("echo 0 >" + path))
    for comm in glob.glob("/proc/[0-9]*/comm"):
        with contextlib.suppress(OSError), open(comm) as file:
            if file.read().startswith("napi/%s-" % dev):
                yield int(comm.split("/")[2])


def urgent(pid, level):
    """Before all tasks that are less so, and on the processor of this one."""
    os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(level))
    os.sched_setaffinity(pid, os.sched_getaffinity(0))


@test("H14: what several tasks forward by turns on one processor is not nested "
      "(PREEMPT_RT)")
def by_turns():
    rounds, before = 20, os.sched_getparam(0)
    for level, dev in enumerate("abc", 10):
        found = list(threads_of(dev))
        check(found, "no thread of " + dev)
        for pid in found:
            urgent(pid, level)
    # To forward takes longer than the next one takes to come.
    nft(bench.router, "table ip slow { chain many { " + "ip ttl 200 counter; " * 200
        + "} chain c { type filter hook forward priority 0; " + "jump many; " * 500
        + "} }")
    ktap.cleanup(nft, bench.router, "delete table ip slow")
    ktap.cleanup(os.sched_setscheduler, 0, os.SCHED_OTHER, before)
    urgent(0, 50)
    bench.moved()
    for _ in range(rounds):
        for dev in "abc":
            bench.send(dev, HIT)
            time.sleep(.002)
        time.sleep(.1)
    bench.collect()
    equal(bench.moved(), {"received": 3 * rounds, "hop": 3 * rounds}, "counters")


# Options that the kernel would act on

@test("H7, T1: a daemon that takes Router Alert gets transit, as it gets an ordinary "
      "datagram, and no hit")
def router_alert():
    with bench.router:
        daemon = socket.socket(socket.AF_INET, socket.SOCK_RAW, 17)
        daemon.setsockopt(socket.IPPROTO_IP, 5, 1)  # IP_ROUTER_ALERT
        daemon.settimeout(2)
    ktap.cleanup(daemon.close)
    for sent in ip(SRC, FAR, ALERT), ip(SRC, FAR, lsrr(NEXT) + b"\1" + ALERT):
        expect_nothing(bench.exchange("a", sent))
        equal(daemon.recv(2000)[12:20].hex(), sent[12:20].hex(), "heard")
    sent = ip(SRC, A, lsrr(FAR) + b"\1" + ALERT)
    expect(bench.exchange("a", sent), {"b": [edit(
        sent, dst=FAR, ttl=63, options=lsrr(B, ptr=8) + b"\1" + ALERT)]})


@test("T1: a daemon gets transit with Router Alert whatever its TTL and length; what is "
      "not for it is refused as it came")
def router_alert_last_hop():
    small_mtu()
    with bench.router:
        daemon = socket.socket(socket.AF_INET, socket.SOCK_RAW, 17)
        daemon.setsockopt(socket.IPPROTO_IP, 5, 1)  # IP_ROUTER_ALERT
        daemon.settimeout(2)
    ktap.cleanup(daemon.close)
    options = lsrr(NEXT) + b"\1" + ALERT
    expiring = ip(SRC, FAR, options, ttl=1)

    def heard():
        for sent in ip(SRC, FAR, ALERT, ttl=1), expiring, big("10.80.0.1", options):
            expect_nothing(bench.exchange("a", sent))
            equal(daemon.recv(2000)[12:20].hex(), sent[12:20].hex(), "heard")

    heard()
    told(edit(expiring, options=lsrr(NEXT) + record(1)), 11, 0)
    told(ip(SRC, FAR, options + record(2), ttl=1, proto=253), 11, 0)
    for link, hears in ("b", False), ("a", True):
        daemon.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, link.encode())
        if hears:
            heard()
        else:
            told(edit(expiring, options=options + record(2)), 11, 0)


@test("H5, I2: a strict hit is the kernel's to forward however its next hop is "
      "reached: no second refusal quotes it rewritten")
def strict_by_gateway():
    host = "10.86.0.1"
    bench.temporary("route add %s/32 dev b" % host)
    bench.neighbour("b", host)
    sent = ip(SRC, A, packet.ssrr(host) + record(1))
    expect(bench.exchange("a", sent), {"b": [edit(
        sent, dst=host, ttl=63,
        options=packet.ssrr(B, ptr=8) + record(1, [B]))]})


# IPsec

TUNNEL = "tmpl src %s dst %s proto esp mode tunnel"


def xfrm(*lines):
    ktap.cleanup(bench.router.ip, "xfrm policy flush", "xfrm state flush")
    bench.router.ip(*["xfrm " + line for line in lines])


def state(src, dst):
    return ("state add src %s dst %s proto esp spi 291 mode tunnel enc "
            "ecb(cipher_null) '' auth digest_null ''" % (src, dst))


@test("H13, I2: a hit too large for the tunnel of next, or with any policy about for "
      "the link, is quoted as received")
def ipsec_mtu():
    small_mtu()
    xfrm("policy add dir out src 198.51.100.0/24 dst 198.51.100.0/24")
    bench.moved()
    told(big(A, lsrr("10.80.0.1")), 3, 4, 600)
    one("frag_needed")
    xfrm("policy add dir out src 10.1.0.0/16 dst 10.9.0.0/16 " +
         TUNNEL % (B, NEXT), state(B, NEXT))
    sent = ip(SRC, A, lsrr(FAR), frag=DF, payload=packet.udp(bytes(1450)))
    error = packet.Error(expect_one(bench.exchange("a", sent), "a"))
    equal((error.type, error.code, error.quote.hex()),
          (3, 4, sent[:548].hex()), "error")
    check(1400 < error.mtu < 1480, "MTU %d" % error.mtu)
    one("frag_needed")
    fits = ip(SRC, A, lsrr(FAR), frag=DF,
              payload=packet.udp(bytes(error.mtu - 36)))
    equal(packet.Packet(expect_one(bench.exchange("a", fits), "b")).proto, 50,
          "protocol of what fits")
    one("hop")


@test("H13: what the forward policies for next drop gets no error, whatever those "
      "for the arrival destination say")
def ipsec_silence():
    expired = ip(SRC, A, lsrr(FAR), ttl=1)
    xfrm("policy add dir fwd src 0.0.0.0/0 dst %s/32 action block" % A)
    bench.moved()
    told(expired, 11, 0)
    one("ttl_exceeded")
    xfrm("policy add dir fwd src 0.0.0.0/0 dst %s/32 action block" % FAR)
    expect_nothing(bench.exchange("a", expired))
    one("ttl_exceeded")


@test("I2, H13: where a checksum of 0 came as 0xffff, the quote has 0xffff, with "
      "policies about as well")
def ipsec_other_zero():
    zeroes = [next(sent for sent in (ip(SRC, dst, options, ttl=1, ident=ident)
                                     for ident in range(0x10000))
                   if sent[10:12] == b"\0\0")
              for dst, options in ((A, lsrr(FAR)), (FAR, lsrr(NEXT)))]
    for policies in [], ["policy add dir out src 198.51.100.0/24 dst 198.51.100.0/24"]:
        xfrm(*policies)
        for sent in zeroes:
            told(sent[:10] + b"\xff\xff" + sent[12:], 11, 0)


@test("C1, H13: with policies about, FORWARD sees the interface that leads to next")
def ipsec_forward_chain():
    xfrm("policy add dir out src 198.51.100.0/24 dst 198.51.100.0/24")
    ktap.cleanup(nft, bench.router, "flush ruleset")
    nft(bench.router, """table ip t {
        chain c { type filter hook forward priority -2147483648;
            ip saddr %s oifname != "b" drop
            ip saddr %s ip daddr != %s drop
        }
        }""" % (SRC, SRC, FAR))
    expect(bench.exchange("a", HIT), {"b": [edit(
        HIT, dst=FAR, options=lsrr(B, ptr=8), ttl=63)]})


if __name__ == "__main__":
    ktap.main(bench.close)
