#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a gateway does with a datagram that has come to it and goes on: H1, H2,
H6 to H9, H11. The topology is drawn in lib/standard.py.
"""

import os

from lib import bpf, features, ktap, packet, rtnetlink
from lib.ktap import check, equal, test
from lib.packet import edit, ip, lsrr, ssrr, timestamps
from lib.standard import (A, B, C, FAR, LO, NEXT, NEXT_C, SRC, StandardBench,
                          expect, expect_error, expect_nothing, expect_one)

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)


@test("H7: a loose hit leaves with next as destination, the egress address "
      "recorded, the pointer moved")
def loose_hit():
    sent = ip(SRC, A, lsrr(FAR, "10.9.0.2"))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=FAR, options=lsrr(B, "10.9.0.2", ptr=8) + b"\0",
             ttl=63)]})


@test("H7: a strict hit to a neighbour is rewritten the same way")
def strict_hit():
    sent = ip(SRC, A, ssrr(NEXT, FAR))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=NEXT, options=ssrr(B, FAR, ptr=8) + b"\0", ttl=63)]})


@test("H7: the last address makes the route complete")
def last_address():
    sent = ip(SRC, A, lsrr("10.7.7.7", FAR, ptr=8))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=FAR, options=lsrr("10.7.7.7", B, ptr=12) + b"\0",
             ttl=63)]})


@test("H7: a route of nine slots, len 39, is followed slot by slot")
def nine_slots():
    slots = ["10.9.1.%d" % i for i in range(1, 10)]
    for i in range(9):
        before, after = list(slots), list(slots)
        after[i] = B
        sent = ip(SRC, A, lsrr(*before, ptr=4 + 4 * i))
        equal(len(packet.Packet(sent).options), 40, "octets of options")
        expect(bench.exchange("a", sent), {"b": [
            edit(sent, dst=slots[i], ttl=63,
                 options=lsrr(*after, ptr=8 + 4 * i) + b"\0")]})


@test("H7: the option is found behind others, aligned or not")
def other_places():
    for pad in range(5):
        sent = ip(SRC, A, b"\1" * pad + lsrr(FAR))
        expect(bench.exchange("a", sent), {"b": [
            edit(sent, dst=FAR, ttl=63,
                 options=b"\1" * pad + lsrr(B, ptr=8))]})


@test("H7: any of the router's addresses is a hit, whatever interface it came "
      "in by")
def any_own_address():
    for own in A, B, C, LO:
        sent = ip(SRC, own, lsrr(FAR))
        expect(bench.exchange("a", sent), {"b": [
            edit(sent, dst=FAR, options=lsrr(B, ptr=8), ttl=63)]})


@test("H7: towards a gateway or a neighbour, the primary address whose prefix "
      "holds it is recorded")
def recorded_prefix():
    bench.temporary("addr add 10.2.9.1/24 dev b")
    bench.temporary("route add 10.10.0.0/16 via 10.2.9.2")
    bench.neighbour("b", "10.2.9.2")
    for to, mine in ((FAR, B), ("10.10.0.1", "10.2.9.1"),
                     ("10.2.9.2", "10.2.9.1"), (NEXT, B)):
        sent = ip(SRC, A, lsrr(to))
        expect(bench.exchange("a", sent), {"b": [
            edit(sent, dst=to, options=lsrr(mine, ptr=8), ttl=63)]})


@test("H7: the recorded address is a primary one")
def recorded_primary():
    bench.temporary("addr add 10.2.0.99/24 dev b")
    sent = ip(SRC, A, lsrr(NEXT))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=NEXT, options=lsrr(B, ptr=8), ttl=63)]})


@test("H7: the src hint of a route plays no part")
def recorded_not_hint():
    bench.temporary("route add 10.11.0.0/16 via %s src %s" % (NEXT, LO))
    sent = ip(SRC, A, lsrr("10.11.0.1"))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst="10.11.0.1", options=lsrr(B, ptr=8), ttl=63)]})


@test("H7: without a prefix that holds next, the first primary address is "
      "recorded")
def recorded_first():
    bench.temporary("addr add 10.2.9.1/24 dev b")
    bench.temporary("route add 10.12.0.1/32 dev b")
    bench.neighbour("b", "10.12.0.1")
    sent = ip(SRC, A, lsrr("10.12.0.1"))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst="10.12.0.1", options=lsrr(B, ptr=8), ttl=63)]})


@test("H7: the checksum is right where its value is zero (RFC 1624)")
def checksum_zero():
    options = lsrr(FAR)
    left = edit(ip(SRC, A, options, ident=0), dst=FAR, ttl=63,
                options=lsrr(B, ptr=8))
    # Choose the identification that makes the sum of the rest come out even.
    ident = packet.Packet(left).sum
    sent = ip(SRC, A, options, ident=ident)
    wanted = edit(sent, dst=FAR, options=lsrr(B, ptr=8), ttl=63)
    equal(packet.Packet(wanted).sum, 0, "checksum that is wanted")
    expect(bench.exchange("a", sent), {"b": [wanted]})


@test("H7: payload, TOS, identification and protocol are left alone")
def rest_untouched():
    for proto, body in ((6, bytes(range(40))), (47, b"\0" * 9),
                        (17, b""), (1, b"\x08\0\0\0abcdefgh")):
        sent = ip(SRC, A, lsrr(FAR), proto=proto, payload=body, tos=0xB8,
                  ident=0xBEEF)
        expect(bench.exchange("a", sent), {"b": [
            edit(sent, dst=FAR, options=lsrr(B, ptr=8), ttl=63)]})


@test("H1: one TTL decrement, also where the route names us three times")
def one_decrement():
    sent = ip(SRC, A, lsrr(B, LO, FAR), ttl=2)
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=FAR, ttl=1,
             options=lsrr(B, LO, B, ptr=16) + b"\0")]})


@test("H1: a TTL of 1 ends here with ICMP 11/0 that quotes what was received")
def ttl_expires():
    sent = ip(SRC, A, lsrr(FAR, "10.9.0.2"), ttl=1)
    expect_error(bench.exchange("a", sent), 11, 0, sent)


@test("H2: a hit follows policy routing")
def policy_routing():
    features.need_rules()
    bench.temporary("rule add from %s lookup 77" % SRC)
    bench.temporary("route add 10.9.0.0/16 via %s table 77" % NEXT_C)
    sent = ip(SRC, A, lsrr(FAR))
    expect(bench.exchange("a", sent), {"c": [
        edit(sent, dst=FAR, options=lsrr(C, ptr=8), ttl=63)]})
    other = ip("10.1.0.3", A, lsrr(FAR))
    expect(bench.exchange("a", other), {"b": [
        edit(other, dst=FAR, options=lsrr(B, ptr=8), ttl=63)]})


@test("H2: a source that is martian, or fails rp_filter, is dropped in silence "
      "and counted")
def bad_sources():
    bench.moved()
    for src in "127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0", B:
        expect_nothing(bench.exchange("a", ip(src, A, lsrr(FAR))))
        equal(bench.moved(), {"received": 1, "bad_source": 1}, src)
    # Of these, one that another setting takes: it passes then.
    bench.configure("net.ipv4.conf.a.accept_local", 1)
    equal(list(bench.exchange("a", ip(B, A, lsrr(FAR)))), ["b"],
          "with accept_local")
    for strict in 1, 0:
        bench.configure("net.ipv4.conf.a.rp_filter", strict)
        bench.moved()
        out = bench.exchange("a", ip("10.3.0.2", A, lsrr(FAR)))
        equal((list(out), bench.moved()),
              ([], {"received": 1, "bad_source": 1}) if strict else
              (["b"], {"received": 1, "hop": 1}),
              "rp_filter %d" % strict)


@test("H2: a bad source gets no answer to a broken option, a bad next or a "
      "missing route either")
def bad_sources_and_faults():
    for options in (lsrr(FAR, ptr=5), lsrr("127.0.0.1"), lsrr("10.77.0.1"),
                    ssrr(FAR), lsrr(FAR) + b"\x07\x03\x04\0\0"):
        sent = ip("10.3.0.2", A, options)
        bench.configure("net.ipv4.conf.a.rp_filter", 1)
        bench.moved()
        expect_nothing(bench.exchange("a", sent))
        equal(bench.moved(), {"received": 1, "bad_source": 1},
              options.hex(" "))
        bench.configure("net.ipv4.conf.a.rp_filter", 0)
        # An answer, but for the last, which has no fault.
        equal(list(bench.exchange("a", sent)),
              ["b" if options[7:] else "c"], "links of what comes out")


@test("H6: own addresses are passed over, their slots left as they are")
def own_addresses_skipped():
    sent = ip(SRC, A, lsrr(B, C, FAR, "10.9.0.9"))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=FAR, ttl=63,
             options=lsrr(B, C, B, "10.9.0.9", ptr=16) + b"\0")]})


def accept_source_routes():
    for scope in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)


def deliver(sent):
    """What a raw socket on the router gets, with accept_source_route on."""
    import socket
    accept_source_routes()
    with bench.router:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
    with raw:
        raw.settimeout(5)
        out = bench.exchange("a", sent)
        expect_nothing(out)
        raw.setblocking(False)
        try:
            return raw.recv(4096)
        except BlockingIOError:
            return None


@test("H6: a route that ends at us is completed: last address, pointer past "
      "the end, checksum right")
def completed_here():
    sent = ip(SRC, A, lsrr(B, LO), proto=253, payload=b"completed")
    got = deliver(sent)
    check(got, "nothing was delivered")
    wanted = edit(sent, dst=LO, options=lsrr(B, LO, ptr=12) + b"\0")
    equal(str(packet.Packet(got)), str(packet.Packet(wanted)), "delivered")
    equal(got.hex(), wanted.hex(), "delivered")


@test("H8, H6: the reply to an echo whose route ends at us starts behind our own addresses")
def reply_behind_us():
    accept_source_routes()
    near = "10.1.0.9"
    bench.neighbour("a", near)
    echo = {"proto": packet.ICMP, "payload": packet.icmp_error(8, 0, b"route")}
    for route, by, to, back in (
            (lsrr(LO), SRC, SRC, lsrr(LO, ptr=8)),
            (ssrr(LO), SRC, SRC, ssrr(LO, ptr=8)),
            (lsrr(B, C, LO), SRC, SRC, lsrr(C, B, LO, ptr=16)),
            (lsrr(B, LO, ptr=8), SRC, SRC, lsrr(B, LO, ptr=12)),
            (lsrr(near, LO, ptr=8), SRC, near, lsrr(LO, SRC, ptr=8)),
            (lsrr(near, B, LO, ptr=8), SRC, near, lsrr(B, LO, SRC, ptr=12))):
        out = bench.exchange("a", ip(by, A, route, **echo))
        p = packet.Packet(expect_one(out, "a"))
        equal((p.src, p.dst, p.proto, p.payload[:1], p.options, p.sum_ok()),
              (LO, to, packet.ICMP, b"\0", back + b"\0", True), "reply to " + route.hex())


@test("H8, H3: there is no reply to an echo whose route ends at us where no single host is "
      "behind our own addresses; it is counted as icmp_suppressed")
def reply_to_many():
    accept_source_routes()
    echo = {"proto": packet.ICMP, "payload": packet.icmp_error(8, 0, b"route")}
    for many in ("10.1.0.255", "10.2.0.255", "224.0.0.1", "255.255.255.255", "0.0.0.0",
                 "127.0.0.1"):
        bench.moved()
        expect_nothing(bench.exchange("a", ip(SRC, A, lsrr(many, LO, ptr=8), **echo)))
        equal(bench.moved(), {"received": 1, "local": 1, "icmp_suppressed": 1}, many)


@test("H8, I3: an error about a datagram whose route ends at us, and that has passed one "
      "of our addresses before, goes straight to its source")
def error_behind_us():
    accept_source_routes()
    near = "10.1.0.9"
    bench.neighbour("a", near)
    for route, at in ((lsrr(LO), LO), (ssrr(LO), LO), (lsrr(B, LO), LO),
                      (lsrr(near, LO, ptr=8), LO), (lsrr(near, LO, ptr=12), A)):
        for fields, code in ({}, 3), ({"proto": 253, "payload": bytes(8)}, 2):
            sent = ip(SRC, A, route, **fields)
            error = packet.Error(expect_one(bench.exchange("a", sent), "a"))
            p = error.packet
            equal((p.src, p.dst, error.type, error.code, p.sum_ok(), error.sum_ok),
                  (at, SRC, 3, code, True, True), "error about " + route.hex())
            equal(p.options.strip(b"\0\1"), b"", "its options")
            delivered = packet.Packet(error.quote + bytes(8))
            equal((delivered.dst, delivered.options[3:-1]),
                  (at, packet.Packet(sent).options[3:-1]), "the quote")
    # Along a route of others it is the kernel's.
    p = packet.Packet(expect_one(bench.exchange("a", ip(SRC, A, lsrr(near, ptr=8))), "a"))
    equal((p.dst, p.options), (near, lsrr(SRC) + b"\0"), "by another gateway")


@test("H6: completion leaves a Record Route option to the kernel as it came")
def completed_with_record_route():
    sent = ip(SRC, A, lsrr(B) + packet.record(2), proto=253, payload=b"once")
    got = packet.Packet(deliver(sent))
    equal(got.options.hex(" "),
          (lsrr(B, ptr=8) + packet.record(2, [B]) + b"\0\0").hex(" "),
          "options")


@test("H6, H8, O3: a completed route is the kernel's: accept_source_route 0 "
      "drops it")
def completed_but_refused():
    import socket
    bench.moved()
    with bench.router:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
    with raw:
        expect_nothing(bench.exchange(
            "a", ip(SRC, A, lsrr(B), proto=253, payload=b"x")))
        raw.setblocking(False)
        try:
            ktap.fail("delivered: %s" % packet.Packet(raw.recv(4096)))
        except BlockingIOError:
            pass
    equal(bench.moved(), {"received": 1, "local": 1}, "counters")
    check(deliver(ip(SRC, A, lsrr(B), proto=253, payload=b"x")),
          "nothing is delivered with accept_source_route 1 either")


@test("H8: a complete datagram is handed to the kernel as it came")
def complete_delivered():
    for options in (lsrr(FAR, ptr=8), lsrr(), ssrr(FAR, ptr=8),
                    lsrr(FAR, ptr=8) + packet.record(1, [SRC])):
        sent = ip(SRC, A, options, proto=253, payload=b"complete")
        bench.moved()
        got = deliver(sent)
        equal(bench.moved(), {"received": 1, "local": 1}, "counters")
        check(got, "nothing was delivered for " + options.hex(" "))
        equal(got.hex(), sent.hex(), "delivered")


@test("H9: a Record Route option on a hit gets the address of H7")
def record_route_on_hit():
    sent = ip(SRC, A, lsrr(FAR) + packet.record(2))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=FAR, ttl=63,
             options=lsrr(B, ptr=8) + packet.record(2, [B]))]})


@test("H9: a src hint does not show in Record Route either")
def record_route_not_hint():
    bench.temporary("route add 10.11.0.0/16 via %s src %s" % (NEXT, LO))
    sent = ip(SRC, A, packet.record(1) + lsrr("10.11.0.1"))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst="10.11.0.1", ttl=63,
             options=packet.record(1, [B]) + lsrr(B, ptr=8))]})


@test("H9: a Timestamp option on a hit gets the address of H7 and the time")
def timestamp_on_hit():
    sent = ip(SRC, A, lsrr(FAR) + timestamps(1, 16))
    got = packet.Packet(expect_one(bench.exchange("a", sent), "b"))
    check(got.sum_ok(), "checksum")
    option = got.options[7:]
    equal(option[:4].hex(" "), "44 14 0d 01", "head of the option")
    equal(packet.quad(option[4:8]), B, "address")
    check(int.from_bytes(option[8:12], "big") < 86400000, "time")
    check(any(option[8:12]), "no time was recorded")
    equal(option[12:20].hex(), "00" * 8, "rest")


@test("H9: a Timestamp option that wants times alone gets one")
def timestamp_only():
    sent = ip(SRC, A, lsrr(FAR) + timestamps(0, 8))
    got = packet.Packet(expect_one(bench.exchange("a", sent), "b"))
    option = got.options[7:]
    equal(option[:4].hex(" "), "44 0c 09 00", "head of the option")
    check(got.sum_ok() and any(option[4:8]) and not any(option[8:12]),
          "one time")


@test("H9: a full Record Route option is left as it is")
def record_route_full():
    full = packet.record(1, ["10.8.8.8"])
    sent = ip(SRC, A, lsrr(FAR) + full)
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=FAR, ttl=63, options=lsrr(B, ptr=8) + full)]})


@test("H9, H6, I2: options of 40 octets, all there can be, go on, are completed and "
      "are quoted whole")
def all_octets():
    for slots in 1, 7:
        route, room = [FAR] * slots, 8 - slots
        sent = ip(SRC, A, lsrr(*route) + packet.record(room))
        equal(sent[0], 0x4F, "version and header of 60 octets")
        expect(bench.exchange("a", sent), {"b": [
            edit(sent, dst=FAR, ttl=63, options=lsrr(B, *route[1:], ptr=8) +
                 packet.record(room, [B]))]})
        got = deliver(ip(SRC, A, lsrr(*[LO] * slots) + packet.record(room),
                         proto=253))
        equal(packet.Packet(got).options.hex(), (
            lsrr(*[LO] * slots, ptr=4 + 4 * slots) + packet.record(room, [LO]) +
            b"\0\0").hex(), "options as delivered")
        bad = lsrr(*["127.0.0.1"] * slots)
        sent = ip(SRC, A, bad + packet.record(room))
        expect_error(bench.exchange("a", sent), 3, 5, sent)


@test("H11: no redirect, though next is on the link that it came from")
def no_redirect():
    for scope in "all", "a":
        bench.configure("net.ipv4.conf.%s.send_redirects" % scope, 1)
    bench.neighbour("a", "10.1.0.3")
    bench.moved()
    sent = ip(SRC, A, lsrr("10.1.0.3"))
    expect(bench.exchange("a", sent), {"a": [
        edit(sent, dst="10.1.0.3", options=lsrr(A, ptr=8), ttl=63)]})
    sent = ip(SRC, "10.1.0.3", lsrr(FAR))
    expect(bench.exchange("a", sent), {"a": [edit(sent, ttl=63)]})
    equal(bench.moved(), {"received": 2, "hop": 1, "transit": 1}, "counters")
    # Last: the kernel tells one source a few times only.
    plain = ip(SRC, "10.1.0.3")
    out = bench.exchange("a", plain)
    equal(len(out["a"]), 2, "datagrams for an ordinary one: forwarded, "
          "redirect")


@test("H11: nor if a BPF program has it routed again, which asks for a redirect anew; "
      "it is counted as icmp_suppressed")
def no_redirect_by_bpf():
    features.need_bpf_routes()
    # The kernel tells one source a few times only.
    one, two, three = "10.1.0.20", "10.1.0.21", "10.1.0.22"
    bench.neighbour("a", "10.1.0.3", one, two, three)
    for scope in "all", "a":
        bench.configure("net.ipv4.conf.%s.send_redirects" % scope, 1)
    program = bpf.load(bpf.LWT_IN, bpf.sets_mark(77) +
                       bpf.returns(bpf.LWT_REROUTE))
    ktap.cleanup(os.close, program)
    with bench.router:
        equal(rtnetlink.add_bpf_route("10.1.0.3", "a", program), 0, "errno")
    ktap.cleanup(bench.router.ip, "route del 10.1.0.3/32 dev a")
    bench.temporary("route add 10.1.0.3/32 dev a table 77")
    bench.temporary("rule add fwmark 77 lookup 77")
    bench.moved()
    for sent, out in (
            (ip(one, A, lsrr("10.1.0.3")),
             {"dst": "10.1.0.3", "options": lsrr(A, ptr=8)}),
            (ip(two, "10.1.0.3", lsrr(FAR)), {})):
        expect(bench.exchange("a", sent), {"a": [edit(sent, ttl=63, **out)]})
        equal(bench.moved().get("icmp_suppressed"), 1, "icmp_suppressed")
    out = bench.exchange("a", ip(three, "10.1.0.3"))
    equal(len(out["a"]), 2, "datagrams for an ordinary one: forwarded, "
          "redirect")


@test("O4: octets behind End of Options are padding, and are cleared")
def padding_cleared():
    sent = ip(SRC, A, lsrr(FAR) + b"\0" + lsrr(NEXT_C))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst=FAR, ttl=63, options=lsrr(B, ptr=8) + b"\0" * 9)]})


@test("T1: a loose route for another router is forwarded unchanged, complete "
      "or not")
def loose_transit():
    for options in (lsrr(FAR, "10.9.0.2"), lsrr(FAR, ptr=8), lsrr(),
                    lsrr("127.0.0.1")):
        sent = ip(SRC, "10.9.5.5", options)
        expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})


@test("T1, H9: Record Route in transit gets the address of H7, the rest stays")
def transit_record_route():
    bench.temporary("route add 10.11.0.0/16 via %s src %s" % (NEXT, LO))
    sent = ip(SRC, "10.11.0.1", lsrr(FAR) + packet.record(2))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, ttl=63, options=lsrr(FAR) + packet.record(2, [B]))]})


@test("T1, H9: so does a Timestamp option in transit that wants addresses")
def transit_timestamp():
    bench.temporary("route add 10.11.0.0/16 via %s src %s" % (NEXT, LO))
    sent = ip(SRC, "10.11.0.1", lsrr(FAR) + timestamps(1, 16))
    got = packet.Packet(expect_one(bench.exchange("a", sent), "b"))
    check(got.sum_ok(), "checksum")
    equal(packet.quad(got.options[11:15]), B, "address")


@test("T1, H9: what a full Timestamp counts, and octets behind the end that become 0, "
      "are in the checksum, in transit and of a hit")
def changed_by_the_check():
    for other, changed in ((timestamps(1, 0), bytes([packet.TS, 4, 5, 0x11])),
                           (timestamps(0, 0), bytes([packet.TS, 4, 5, 0x10])),
                           (packet.record(0) + b"\1\0\7\7", packet.record(0) + b"\1\0\0\0")):
        for dst, to, route in ("10.9.0.1", "10.9.0.1", lsrr(FAR)), \
                (A, FAR, lsrr(B, ptr=8)):
            sent = ip(SRC, dst, lsrr(FAR) + other)
            expect(bench.exchange("a", sent), {"b": [
                edit(sent, dst=to, ttl=63, options=route + changed)]})


@test("T2: a strict route for another router is refused with 12/0, pointer 16")
def strict_transit():
    for options in ssrr(FAR), ssrr(FAR, ptr=8):
        sent = ip(SRC, "10.9.5.5", options)
        bench.moved()
        expect_error(bench.exchange("a", sent), 12, 0, sent, pointer=16,
                     src=A)
        equal(bench.moved(), {"received": 1, "strict_transit": 1}, "counters")


def without_route(dst, code):
    for options in lsrr(FAR), lsrr(FAR, ptr=8), lsrr(FAR) + packet.record(1):
        sent = ip(SRC, dst, options)
        bench.moved()
        out = bench.exchange("a", sent)
        if code is None:
            expect_nothing(out)
        else:
            expect_error(out, 3, code, sent, src=A)
        equal(bench.moved(), {"received": 1, "no_route": 1}, "counters")


@test("T3: in transit, no route is told of as to an ordinary datagram: 3/0, 3/1, 3/13, "
      "nothing for a blackhole")
def transit_without_route():
    without_route("10.77.0.1", 0)
    for kind, net, code in ("unreachable", 78, 1), ("prohibit", 79, 13), \
            ("blackhole", 76, None):
        bench.temporary("route add %s 10.%d.0.0/16" % (kind, net))
        without_route("10.%d.0.1" % net, code)
    bench.temporary("route add 10.76.0.0/24 via %s" % NEXT)
    equal(list(bench.exchange("a", ip(SRC, "10.76.0.1", lsrr(FAR)))), ["b"], "by a route")


@test("T3, H2: from a source that none may be there is no answer, but a count")
def transit_without_route_or_source():
    bench.moved()
    expect_nothing(bench.exchange("a", ip("127.0.0.1", "10.77.0.1", lsrr(FAR))))
    equal(bench.moved(), {"received": 1, "bad_source": 1}, "counters")


@test("T3, T2, I1: nor for one that is the broadcast address of a link, which routing has not "
      "checked then: no error is made")
def transit_without_route_from_broadcast():
    for options, counter in (lsrr(FAR), "no_route"), (ssrr(FAR), "strict_transit"):
        for src in "10.1.0.255", "10.2.0.255":
            bench.moved()
            expect_nothing(bench.exchange("a", ip(src, "10.77.0.1", options)))
            equal(bench.moved(), {"received": 1, counter: 1}, "counters")


@test("T3, Terms: what comes in by an interface that does not forward is the kernel's")
def no_route_without_forwarding():
    bench.configure("net.ipv4.conf.a.forwarding", 0)
    bench.moved()
    expect_nothing(bench.exchange("a", ip(SRC, "10.77.0.1", lsrr(FAR))))
    equal(bench.moved(), {}, "counters")


if __name__ == "__main__":
    ktap.main(bench.close)
