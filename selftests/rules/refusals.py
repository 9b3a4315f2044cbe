#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Why a hit may not go on, and the ICMP errors that say so: H3 to H5, I1 to
I3. The topology is drawn in lib/standard.py.
"""

from lib import features, ktap, packet
from lib.ktap import check, equal, test
from lib.packet import edit, ip, lsrr, record, ssrr, timestamps
from lib.standard import (A, B, FAR, LO, NEXT, SRC, StandardBench,
                          expect, expect_error, expect_nothing, expect_one)
from lib.tracing import Trace

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)


def refused(counter, options, **error):
    """ICMP 3/5 and one counter."""
    sent = ip(SRC, A, options)
    bench.moved()
    expect_error(bench.exchange("a", sent), 3, 5, sent, **error)
    equal(bench.moved(), {"received": 1, counter: 1}, "counters")


@test("H3: a next address that cannot be a host's is refused with 3/5")
def next_not_host():
    for bad in ("0.0.0.0", "127.0.0.1", "127.255.0.1", "224.0.0.1",
                "239.255.255.255", "255.255.255.255"):
        refused("bad_next", lsrr(bad, FAR))
        refused("bad_next", ssrr(bad))


@test("H3, Terms: in the rest of 0/8 and in 240/4, next, transit and own "
      "addresses are what routing says, as for ordinary datagrams")
def unusual_unicast():
    for net in "0.1.2.0/24", "240.1.2.0/24", "255.255.255.0/24":
        address = net.replace(".0/24", ".3")
        refused("no_route", lsrr(address))
        bench.temporary("route add %s via %s" % (net, NEXT))
        plain = ip(SRC, address)
        expect(bench.exchange("a", plain), {"b": [edit(plain, ttl=63)]})
        hit, transit = ip(SRC, A, lsrr(address)), ip(SRC, address, lsrr(FAR))
        expect(bench.exchange("a", hit), {"b": [edit(
            hit, dst=address, options=lsrr(B, ptr=8), ttl=63)]})
        expect(bench.exchange("a", transit), {"b": [edit(transit, ttl=63)]})
        own = net.replace(".0/24", ".9")
        bench.temporary("route add local %s/32 dev lo table local" % own)
        through = ip(SRC, own, lsrr(own, FAR))
        expect(bench.exchange("a", through), {"b": [edit(
            through, dst=FAR, options=lsrr(own, B, ptr=12), ttl=63)]})


@test("H3: a broadcast address of a link is refused with 3/5")
def next_broadcast():
    for bad in "10.1.0.255", "10.2.0.255":
        refused("bad_next", lsrr(bad, FAR))


@test("H3: comes before H6: own addresses ahead of the bad one do not help")
def next_not_host_behind_own():
    refused("bad_next", lsrr(B, "127.0.0.1"))
    refused("bad_next", lsrr("127.0.0.1", B))


@test("H4: no route, an unreachable or a prohibited one: 3/5")
def no_route():
    refused("no_route", lsrr("10.77.0.1", FAR))
    bench.temporary("route add unreachable 10.78.0.0/16")
    refused("no_route", lsrr("10.78.0.1", FAR))
    bench.temporary("route add prohibit 10.79.0.0/16")
    refused("no_route", lsrr("10.79.0.1", FAR))


@test("H4: a blackhole route stays silent, and is counted")
def blackhole():
    bench.temporary("route add blackhole 10.78.0.0/16")
    bench.moved()
    sent = ip(SRC, A, lsrr("10.78.0.1", FAR))
    expect_nothing(bench.exchange("a", sent))
    equal(bench.moved(), {"received": 1, "no_route": 1}, "counters")
    bench.temporary("route add 10.78.0.0/24 via %s" % NEXT)
    equal(list(bench.exchange("a", sent)), ["b"], "with a route")


@test("H2: a route to next of type anycast or multicast stays silent, as for an ordinary "
      "datagram, and is counted as bad_source")
def martian_types():
    for kind, there in ("anycast", "10.78.0.1"), ("multicast", "10.79.0.1"):
        bench.temporary("route add %s %s dev b" % (kind, there))
        bench.moved()
        expect_nothing(bench.exchange("a", ip(SRC, A, lsrr(there, FAR))))
        equal(bench.moved(), {"received": 1, "bad_source": 1}, kind)
        expect_nothing(bench.exchange("a", ip(SRC, there)))


@test("H4: forwarding off on the interface: 3/5")
def forwarding_off():
    bench.configure("net.ipv4.conf.a.forwarding", 0)
    refused("no_route", lsrr(FAR))


@test("H5: a strict route whose next is behind a gateway is refused with 3/5")
def strict_behind_gateway():
    refused("not_adjacent", ssrr(FAR))


@test("H5: a default route without a gateway does not make next adjacent")
def strict_default_route():
    bench.temporary("route add default dev b")
    refused("not_adjacent", ssrr("198.51.100.1"))


@test("H5: a neighbour in a prefix of the egress interface is adjacent")
def strict_prefix():
    sent = ip(SRC, A, ssrr(NEXT, FAR))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=NEXT, options=ssrr(B, FAR, ptr=8) + b"\0", ttl=63)]})


@test("H5: a prefix of another interface does not make next adjacent")
def strict_other_prefix():
    bench.temporary("route add 10.3.0.76/31 dev b")
    refused("not_adjacent", ssrr("10.3.0.77"))


@test("H5: a host route without a gateway makes next adjacent")
def strict_host_route():
    bench.temporary("route add 10.50.0.1/32 dev b")
    bench.neighbour("b", "10.50.0.1")
    sent = ip(SRC, A, ssrr("10.50.0.1"))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst="10.50.0.1", options=ssrr(B, ptr=8), ttl=63)]})


@test("H5: a peer address makes next adjacent")
def strict_peer():
    bench.temporary("addr add 10.60.0.1 peer 10.60.0.2 dev c")
    bench.neighbour("c", "10.60.0.2")
    sent = ip(SRC, A, ssrr("10.60.0.2"))
    expect(bench.exchange("a", sent), {"c": [
        edit(sent, dst="10.60.0.2", options=ssrr("10.60.0.1", ptr=8),
             ttl=63)]})


@test("H5, H6: strictness is asked of the first address that is not ours")
def strict_after_own():
    sent = ip(SRC, A, ssrr(B, NEXT))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=NEXT, options=ssrr(B, B, ptr=12) + b"\0", ttl=63)]})
    refused("not_adjacent", ssrr(B, FAR))


@test("I1: no error about an ICMP error")
def none_about_errors():
    for kind in 3, 4, 5, 11, 12, 8, 0, 13:
        sent = ip(SRC, A, lsrr("127.0.0.1"), proto=1,
                  payload=bytes([kind, 0]) + b"\0" * 30)
        if kind in (3, 4, 5, 11, 12):
            expect_nothing(bench.exchange("a", sent))
        else:
            expect_error(bench.exchange("a", sent), 3, 5, sent)


@test("I1: no error about a fragment other than the first")
def none_about_fragments():
    for options in lsrr("127.0.0.1"), lsrr(FAR, ptr=5), ssrr(FAR):
        expect_nothing(bench.exchange("a", ip(SRC, A, options, frag=0x2001)))
        first = ip(SRC, A, options, frag=0x2000)
        check(bench.exchange("a", first).get("a"), "an error about the first")


@test("I1: no error, and no processing, for a link-layer broadcast")
def none_about_broadcast():
    bench.moved()
    for to in b"\xff" * 6, b"\x01\0\x5e\0\0\1":
        expect_nothing(bench.exchange("a", ip(SRC, A, lsrr("127.0.0.1")),
                                      to=to))
        expect_nothing(bench.exchange("a", ip(SRC, A, lsrr(FAR)), to=to))
    equal(bench.moved(), {}, "counters")
    equal([list(bench.exchange("a", ip(SRC, A, lsrr(slot))))
           for slot in ("127.0.0.1", FAR)], [["a"], ["b"]], "for us alone")


@test("I1: no error to a source that is a broadcast address of a link")
def none_to_broadcast_source():
    for options, ttl in ((lsrr("127.0.0.1"), 64), (lsrr(FAR, ptr=5), 64),
                         (ssrr(FAR), 64), (lsrr(FAR), 1)):
        for src in "10.1.0.255", "10.2.0.255":
            expect_nothing(bench.exchange("a", ip(src, A, options, ttl=ttl)))
        sent = ip(SRC, A, options, ttl=ttl)
        packet.Error(expect_one(bench.exchange("a", sent), "a"))


@test("S, I1: an ICMP error of the kernel's that must not be sent is counted as "
      "icmp_suppressed at the interface that it was to leave by, and traced")
def suppressed():
    # Once it has had a local route of an administrator's, which others here add, a
    # namespace finds out that such a source is none before any error is made.
    fresh = StandardBench()
    ktap.cleanup(fresh.close)
    fresh.router.sysctl("net.ipv4.srcroute.conf.c.lsrr", 1)  # for the hooks
    for dev in "all", "a":
        fresh.router.sysctl("net.ipv4.conf.%s.accept_source_route" % dev, 1)
    fresh.neighbour("a", "10.1.0.7")
    with Trace("srcroute/srcroute_icmp_suppress") as trace:
        straight, along = lsrr(FAR), lsrr("10.1.0.7", FAR, ptr=8)
        for src, options, link in (("10.1.0.255", straight, "a"),
                                   ("10.2.0.255", straight, "b"),
                                   ("10.1.0.255", along, "a"), ("10.2.0.255", along, "a")):
            # Linux 7 itself sends such a source nothing, unless a route leads there.
            made = options == along or fresh.exchange("a", ip(src, FAR, ttl=1)).get(link)
            before = fresh.router.counters()
            expect_nothing(fresh.exchange("a", ip(src, A, options, ttl=1)))
            after = fresh.router.counters()
            equal({key: n - before[key] for key, n in after.items() if n != before[key]},
                  {(link, "icmp_suppressed"): 1} if made else {}, "counters")
            equal([line.replace("daddr=" + FAR, "daddr=" + A) for line in trace.lines()],
                  ["srcroute_icmp_suppress: out=%s saddr=%s daddr=%s icmp=11/0" % (
                      link, src, A)] if made else [], "event")
        for options in straight, along:
            expect_one(fresh.exchange("a", ip(SRC, A, options, ttl=1)), "a")
            equal(trace.lines(), [], "event of an error that is sent")


@test("I2: errors quote the datagram as received, also after own addresses")
def quote_as_received():
    bench.temporary("route add unreachable 10.78.0.0/16")
    for options, kind, code in ((lsrr(B, LO, "127.0.0.1"), 3, 5),
                                (lsrr(B, "10.78.0.1"), 3, 5),
                                (ssrr(B, FAR), 3, 5)):
        sent = ip(SRC, A, options, payload=packet.udp(bytes(100)))
        expect_error(bench.exchange("a", sent), kind, code, sent)


# What the kernel's check of the options changes: pointers, an overflow, octets
# behind the end.
BESIDE = (record(2), timestamps(1, 8), timestamps(0, 4), bytes([packet.TS, 4, 5, 0]),
          record(1) + b"\0\1\2")


@test("I2: errors quote what other options held as they came in, be it a hit, transit, "
      "or complete")
def other_options_as_received():
    bench.temporary("route add unreachable 10.78.0.0/16")
    bad = bytes([packet.RA, 3, 0])
    for other in BESIDE:
        for dst, route, ttl, error in ((A, lsrr("10.78.0.1"), 9, (3, 5)),
                                       (A, lsrr(B, "10.78.0.1"), 9, (3, 5)),
                                       (A, lsrr(FAR), 1, (11, 0)),
                                       (FAR, lsrr(NEXT), 1, (11, 0))):
            sent = ip(SRC, dst, route + other, ttl=ttl)
            expect_error(bench.exchange("a", sent), *error, sent)
        if other is BESIDE[-1]:
            continue  # what follows would be behind the end
        for ptr in 4, 8:
            sent = ip(SRC, A, lsrr(FAR, ptr=ptr) + other + bad)
            at = packet.Packet(sent).options.index(bad) + 1
            expect_error(bench.exchange("a", sent), 12, 0, sent,
                         pointer=20 + at)


@test("I2: what is dropped without an error is traced as received")
def traced_as_received():
    bench.configure("net.ipv4.conf.a.rp_filter", 1)
    bench.configure("net.ipv4.conf.all.rp_filter", 0)
    with Trace("srcroute/srcroute_discard") as trace:
        for other in BESIDE:
            bench.moved()
            expect_nothing(bench.exchange(
                "a", ip("10.77.7.7", A, lsrr(FAR) + other)))
            equal(bench.moved(), {"received": 1, "bad_source": 1}, "counters")
            equal(trace.lines(), ["srcroute_discard: in=a saddr=10.77.7.7 "
                                  "daddr=%s reason=bad_source icmp=0/0" % A],
                  "event")


@test("I2: an error for want of MTU quotes the datagram as received")
def mtu_error():
    bench.temporary("route add 10.80.0.0/16 via %s mtu lock 600" % NEXT)
    sent = ip(SRC, A, lsrr("10.80.0.1"), frag=0x4000,
              payload=packet.udp(bytes(800)))
    out = bench.exchange("a", sent)
    error = packet.Error(out["a"][0])
    equal((error.type, error.code, error.mtu), (3, 4, 600), "error")
    equal(error.packet.options, b"", "options of the error")
    equal(error.quote.hex(), sent[:548].hex(), "quote")


ERRORS = (
    # options of the hit with room for the recorded part, TTL, type, code
    (lambda r: lsrr(*r, FAR, ptr=4 + 4 * len(r)), 1, 11, 0),
    (lambda r: lsrr(*r, "127.0.0.1", ptr=4 + 4 * len(r)), 64, 3, 5),
    (lambda r: lsrr(*r, "10.77.0.1", ptr=4 + 4 * len(r)), 64, 3, 5),
    (lambda r: ssrr(*r, FAR, ptr=4 + 4 * len(r)), 64, 3, 5),
)


@test("I3: with reverse_errors 0 no error carries a source route")
def straight():
    for options, ttl, kind, code in ERRORS:
        sent = ip(SRC, A, options(["10.1.0.7", "10.1.0.8"]), ttl=ttl)
        expect_error(bench.exchange("a", sent), kind, code, sent)


def way_back(kind, recorded):
    """The option of an error that goes back along the recorded part."""
    option = packet.route(kind, list(reversed(recorded))[1:] + [SRC])
    return option + b"\0" * (-len(option) % 4)


def back_neighbours():
    bench.neighbour("a", "10.1.0.7", "10.1.0.8")


@test("I3: with reverse_errors 1 errors about hits carry the recorded part "
      "reversed, of the same type, up to TTL")
def reversed_route():
    bench.using(reverse_errors=1)
    back_neighbours()
    for recorded in ["10.1.0.7"], ["10.1.0.8", "10.1.0.7"], \
            ["198.51.100.1", "10.9.9.9", "10.1.0.8"], \
            ["198.51.100.%d" % n for n in range(1, 8)] + ["10.1.0.8"]:
        for options, ttl, kind, code in ERRORS:
            sent = ip(SRC, A, options(recorded), ttl=ttl)
            expect_error(bench.exchange("a", sent), kind, code, sent,
                         to=recorded[-1],
                         options=way_back(sent[20], recorded))


@test("I3: with reverse_errors 1 an error for want of MTU goes back the same "
      "way")
def reversed_mtu():
    bench.using(reverse_errors=1)
    back_neighbours()
    bench.temporary("route add 10.80.0.0/16 via %s mtu lock 600" % NEXT)
    sent = ip(SRC, A, lsrr("10.1.0.8", "10.1.0.7", "10.80.0.1", ptr=12),
              frag=0x4000, payload=packet.udp(bytes(800)))
    out = bench.exchange("a", sent)
    error = packet.Error(out["a"][0])
    equal((error.type, error.code, error.mtu), (3, 4, 600), "error")
    equal(error.packet.options.hex(" "),
          way_back(131, ["10.1.0.8", "10.1.0.7"]).hex(" "), "options")
    equal(error.packet.dst, "10.1.0.7", "destination")


@test("I1, I3: with reverse_errors 1 none to a broadcast address by a gateway "
      "either")
def reversed_to_broadcast():
    bench.using(reverse_errors=1)
    back_neighbours()
    recorded = ["10.1.0.7", "10.1.0.8"]
    for options, ttl, kind, code in ERRORS:
        for src in "10.1.0.255", "10.2.0.255":
            expect_nothing(bench.exchange(
                "a", ip(src, A, options(recorded), ttl=ttl)))
        sent = ip(SRC, A, options(recorded), ttl=ttl)
        expect_error(bench.exchange("a", sent), kind, code, sent,
                     to=recorded[-1], options=way_back(sent[20], recorded))


@test("I3: nothing recorded, nothing reversed")
def nothing_recorded():
    bench.using(reverse_errors=1)
    for options, ttl, kind, code in ERRORS:
        sent = ip(SRC, A, options([]), ttl=ttl)
        expect_error(bench.exchange("a", sent), kind, code, sent)


@test("I3: an error about the source route itself goes straight, one about "
      "another option goes back along it")
def straight_about_route():
    bench.using(reverse_errors=1)
    back_neighbours()
    recorded = ["10.1.0.8", "10.1.0.7"]
    for options, octet in ((lsrr(*recorded, FAR, ptr=13), 2),
                           (lsrr(*recorded, FAR, ptr=12, length=14), 1),
                           (lsrr(*recorded, FAR, ptr=12) + lsrr(FAR), 15)):
        sent = ip(SRC, A, options)
        expect_error(bench.exchange("a", sent), 12, 0, sent,
                     pointer=20 + octet)
    sound = lsrr(*recorded, FAR, ptr=12)
    for other, octet in ((b"\x07\0", 1), (bytes([packet.RA, 3, 0]), 1)):
        sent = ip(SRC, A, sound + other)
        expect_error(bench.exchange("a", sent), 12, 0, sent,
                     pointer=35 + octet, to=recorded[-1],
                     options=way_back(131, recorded))


@test("I3: errors about transit and by policy go straight")
def straight_transit():
    bench.using(reverse_errors=1)
    back_neighbours()
    sent = ip(SRC, "10.9.5.5", lsrr("10.1.0.7", FAR, ptr=8), ttl=1)
    expect_error(bench.exchange("a", sent), 11, 0, sent, src=A)
    sent = ip(SRC, "10.9.5.5", ssrr("10.1.0.7", FAR, ptr=8))
    expect_error(bench.exchange("a", sent), 12, 0, sent, pointer=16)
    bench.using(lsrr=3)
    sent = ip(SRC, A, lsrr("10.1.0.7", FAR, ptr=8))
    expect_error(bench.exchange("a", sent), 3, 13, sent)


@test("I3: a recorded part with an own address in it, or that ends in no "
      "unicast one, is not reversed")
def straight_not_reversible():
    bench.using(reverse_errors=1)
    back_neighbours()
    for recorded in ([B], [B, "10.1.0.7"], ["10.1.0.7", LO],
                     ["10.1.0.7", "224.0.0.1"], ["10.1.0.7", "10.1.0.255"],
                     ["255.255.255.255"], ["0.0.0.0"]):
        for options, ttl, kind, code in ERRORS:
            sent = ip(SRC, A, options(recorded), ttl=ttl)
            expect_error(bench.exchange("a", sent), kind, code, sent)


@test("I3: an own address at its end is one even where rules lead it elsewhere")
def straight_whatever_rules_say():
    features.need_rules()
    bench.using(reverse_errors=1)
    ktap.cleanup(bench.router.ip, "rule add pref 0 lookup local", "rule del pref 32000")
    bench.router.ip("rule add pref 32000 lookup local", "rule del pref 0")
    bench.temporary("route add default via %s table 90" % NEXT)
    bench.temporary("rule add pref 10 to %s lookup 90" % B)
    for options, ttl, kind, code in ERRORS:
        sent = ip(SRC, A, options([B]), ttl=ttl)
        expect_error(bench.exchange("a", sent), kind, code, sent)


@test("I3: where the recorded part begins with the source, it is named once")
def reversed_without_twin():
    bench.using(reverse_errors=1)
    back_neighbours()
    sent = ip(SRC, A, lsrr(SRC, "10.1.0.7", FAR, ptr=12), ttl=1)
    expect_error(bench.exchange("a", sent), 11, 0, sent, to="10.1.0.7",
                 options=lsrr(SRC) + b"\0")


if __name__ == "__main__":
    ktap.main(bench.close)
