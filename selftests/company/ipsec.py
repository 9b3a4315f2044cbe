#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""IPsec policies are asked about the next address of a hit, never about the
one it arrived with, and nothing leaves in clear that they protect: H13.

The topology is drawn in lib/standard.py. The states use null ciphers, so that
what is inside can be compared.
"""

import struct

from lib import ktap, packet
from lib.ktap import equal, test
from lib.netns import wait_until
from lib.packet import edit, ip, lsrr
from lib.standard import (A, B, FAR, LO, NEXT, SRC, StandardBench, expect,
                          expect_nothing, expect_one)
from lib.tracing import Trace

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)

ESP, SPI = 50, 0x1234
NULL = "enc ecb(cipher_null) '' auth digest_null ''"
TUNNEL = "tmpl src %s dst %s proto esp mode tunnel"


def xfrm(*lines):
    """Policies and states for the length of a test."""
    ktap.cleanup(bench.router.ip, "xfrm policy flush", "xfrm state flush")
    bench.router.ip(*["xfrm " + line for line in lines])


def state(src, dst):
    return ("state add src %s dst %s proto esp spi %d mode tunnel %s" %
            (src, dst, SPI, NULL))


def advanced(sent):
    return edit(sent, dst=FAR, options=lsrr(B, ptr=8), ttl=63)


def passes(sent):
    bench.moved()
    expect(bench.exchange("a", sent), {"b": [advanced(sent)]})
    equal(bench.moved(), {"received": 1, "hop": 1}, "counters")


def dies(sent):
    before = bench.router.counters()["a", "hop"]
    bench.moved()
    bench.send("a", sent)
    wait_until(lambda: bench.router.counters()["a", "hop"] > before)
    expect_nothing(bench.collect())
    equal(bench.moved(), {"received": 1, "hop": 1}, "counters")


HIT = ip(SRC, A, lsrr(FAR))


@test("H13: a hit whose next is protected leaves through the tunnel, rewritten")
def tunnel_for_next():
    xfrm("policy add dir out src 10.1.0.0/16 dst 10.9.0.0/16 " +
         TUNNEL % (B, NEXT), state(B, NEXT))
    outer = packet.Packet(expect_one(bench.exchange("a", HIT), "b"))
    equal((outer.proto, outer.src, outer.dst), (ESP, B, NEXT), "outer header")
    equal(struct.unpack("!I", outer.payload[:4])[0], SPI, "SPI")
    equal(outer.payload[8:8 + len(HIT)].hex(), advanced(HIT).hex(), "inside")


@test("H13: without a state for it nothing leaves, least of all in clear")
def no_state():
    xfrm("policy add dir out src 10.1.0.0/16 dst 10.9.0.0/16 " +
         TUNNEL % (B, NEXT))
    dies(HIT)
    bench.router.ip("xfrm policy flush")
    passes(HIT)


@test("H13: an outbound policy that blocks next drops the hit")
def block_next():
    xfrm("policy add dir out src 0.0.0.0/0 dst %s/32 action block" % FAR)
    dies(HIT)
    bench.router.ip("xfrm policy flush")
    passes(HIT)


@test("H13: an outbound policy for the arrival destination has no say")
def block_arrival():
    xfrm("policy add dir out src 0.0.0.0/0 dst %s/32 action block" % A)
    passes(HIT)


@test("H13: a tunnel for the arrival destination is not taken")
def tunnel_for_arrival():
    xfrm("policy add dir out src 10.1.0.0/16 dst %s/32 " % A +
         TUNNEL % (B, NEXT), state(B, NEXT))
    passes(HIT)


@test("H13: a forward policy that blocks next drops the hit, one that blocks "
      "the arrival destination has no say")
def forward_policy():
    xfrm("policy add dir fwd src 0.0.0.0/0 dst %s/32 action block" % A)
    passes(HIT)
    xfrm("policy add dir fwd src 0.0.0.0/0 dst %s/32 action block" % FAR)
    dies(HIT)


@test("H13: where forwarding is blocked by default, a policy for next lets a "
      "hit through, one for the arrival destination does not")
def default_block():
    ktap.cleanup(bench.router.ip, "xfrm policy setdefault fwd accept")
    xfrm("policy setdefault fwd block",
         # the markers of the bench
         "policy add dir fwd src %s/32 dst 0.0.0.0/0" % bench.MARKER)
    dies(HIT)
    bench.router.ip("xfrm policy add dir fwd src 0.0.0.0/0 dst %s/32" % A)
    dies(HIT)
    bench.router.ip("xfrm policy add dir fwd src 0.0.0.0/0 dst %s/32" % FAR)
    passes(HIT)


def esp(src, dst, inner):
    """A tunnel-mode ESP datagram under null ciphers."""
    pad = -(len(inner) + 2) % 4
    body = inner + bytes(range(1, pad + 1)) + bytes([pad, 4])
    esp.sequence += 1
    return ip(src, dst, proto=ESP,
              payload=struct.pack("!II", SPI, esp.sequence) + body)


esp.sequence = 0


@test("H13: a hit that came through a tunnel needs a forward policy for next")
def hit_from_tunnel():
    xfrm(state(SRC, A))
    inner = ip("10.1.0.9", A, lsrr(FAR))
    dies(esp(SRC, A, inner))
    bench.router.ip("xfrm policy add dir fwd src 10.1.0.9/32 dst %s/32 " % A +
                    TUNNEL % (SRC, A))
    dies(esp(SRC, A, inner))
    bench.router.ip("xfrm policy add dir fwd src 10.1.0.9/32 dst %s/32 " % FAR
                    + TUNNEL % (SRC, A))
    # What comes out of a tunnel takes another queue than the bench's markers.
    bench.send("a", esp(SRC, A, inner))
    got = bench.wires["b"].receive(5)
    expect({"b": [got or b""]}, {"b": [advanced(inner)]})


@test("H13: a hit in clear is dropped where the policy for next wants a tunnel")
def clear_but_protected():
    xfrm("policy add dir fwd src 10.1.0.0/16 dst %s/32 " % FAR +
         TUNNEL % (SRC, A))
    dies(HIT)
    bench.router.ip("xfrm policy flush")
    passes(HIT)


@test("H13: disable_policy of the interface of arrival holds for hits too")
def disable_policy():
    bench.configure("net.ipv4.conf.a.disable_policy", 1)
    xfrm("policy add dir fwd src 0.0.0.0/0 dst %s/32 action block" % FAR)
    passes(HIT)


@test("H13, I2: with policies around, TTL and other errors are as ever")
def errors_with_policies():
    xfrm("policy add dir fwd src 0.0.0.0/0 dst 10.55.0.0/16 action block")
    sent = ip(SRC, A, lsrr(FAR), ttl=1)
    error = packet.Error(expect_one(bench.exchange("a", sent), "a"))
    equal((error.type, error.code, error.quote.hex()), (11, 0, sent.hex()),
          "error")
    passes(HIT)


@test("H13, H9: with policies around, a DF hit with Record Route is updated, and one "
      "too long for the tunnel is quoted as received")
def record_route_with_policies():
    xfrm("policy add dir fwd src 0.0.0.0/0 dst 10.55.0.0/16 action block")
    route = lsrr(FAR) + packet.record(1)
    sent = ip(SRC, A, route, frag=0x4000)
    expect(bench.exchange("a", sent), {"b": [edit(
        sent, dst=FAR, options=lsrr(B, ptr=8) + packet.record(1, [B]), ttl=63)]})
    bench.temporary("route add 10.80.0.0/16 via %s mtu lock 600" % NEXT)
    sent = ip(SRC, A, lsrr("10.80.0.1") + packet.record(1), frag=0x4000,
              payload=packet.udp(bytes(800)))
    error = packet.Error(expect_one(bench.exchange("a", sent), "a"))
    equal((error.type, error.code, error.mtu, error.quote.hex()),
          (3, 4, 600, sent[:548].hex()), "error")


def blocked(near):
    """Policies that let nothing out to @near, one after the other."""
    out = "policy add dir out src 0.0.0.0/0 dst %s/32 " % near
    for line in out + "action block", out + TUNNEL % (A, near):
        xfrm(line)
        yield line
        bench.router.ip("xfrm policy flush")
    # Linux 5.15 is the first that has one.
    if "out:" in bench.router.run("ip xfrm policy getdefault", check=False):
        ktap.cleanup(bench.router.ip, "xfrm policy setdefault out accept")
        xfrm("policy add dir out src %s/32 dst 0.0.0.0/0 action allow" % bench.MARKER,
             "policy setdefault out block")
        yield "setdefault out block"
        bench.router.ip("xfrm policy setdefault out accept")


@test("H8: the reply to an echo whose route ends at us is dropped and counted where "
      "the policy for its way back drops it")
def reply_blocked():
    near = "10.1.0.9"
    bench.neighbour("a", near)
    for scope in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)
    asked = [ip(SRC, A, route, proto=packet.ICMP,
                payload=packet.icmp_error(kind, 0, bytes(12)))
             for route in (lsrr(near, LO, ptr=8), lsrr(near, LO, ptr=12))
             for kind in (8, 13)]
    for policy in blocked(near):
        for sent, kind in zip(asked, (0, 14) * 2):
            bench.moved()
            with Trace("srcroute/srcroute_icmp_suppress") as trace:
                expect_nothing(bench.exchange("a", sent))
                line, = trace.lines()
            equal((line.split()[1], line.split()[3:]),
                  ("out=lo", ["daddr=" + near, "icmp=%d/0" % kind]), policy)
            equal(bench.moved().get("icmp_suppressed"), 1, policy)
    for sent in asked:
        expect_one(bench.exchange("a", sent), "a")


if __name__ == "__main__":
    ktap.main(bench.close)
