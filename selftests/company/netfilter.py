#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Beside a firewall: connection tracking, NAT, nftables, user-space queues: C1
to C4, H10, O5, and the errors that come late: I4. The topology is drawn in
lib/standard.py.
"""

import contextlib
import itertools
import re
import socket
import struct

from lib import features, ktap, packet
from lib.ktap import check, equal, test
from lib.nft import nft
from lib.packet import edit, ip, lsrr, record, ssrr, timestamps
from lib.queue import Queue
from lib.standard import (A, B, FAR, SRC, StandardBench, expect,
                          expect_error, expect_nothing, expect_one)

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)


def load(rules):
    """A ruleset for the length of a test."""
    ktap.cleanup(nft, bench.router, "flush ruleset")
    nft(bench.router, rules)


def hits(name):
    """The packets that a named counter has seen."""
    text = nft(bench.router, "list counter ip t " + name)
    return int(re.search(r"packets (\d+)", text).group(1))


def advanced(sent, **fields):
    return edit(sent, ttl=63, dst=FAR, options=lsrr(B, ptr=8), **fields)


def tcp(src, dst, flags=2, sport=4000, dport=80):
    """A TCP segment whose checksum is right between these addresses."""
    head = struct.pack("!HHIIBBHHH", sport, dport, 1, 0, 0x50, flags, 1024, 0,
                       0)
    pseudo = packet.addr(src) + packet.addr(dst) + struct.pack("!HH", 6, 20)
    return head[:16] + struct.pack("!H", packet.checksum(pseudo + head)) \
        + head[18:]


CHAINS = """
table ip t {
    counter arrived { }
    counter left_forward { }
    counter left_postrouting { }
    counter elsewhere { }
    chain prerouting {
        type filter hook prerouting priority raw
        ip daddr %(a)s counter name arrived
        ip daddr %(far)s counter name elsewhere
    }
    chain forward {
        type filter hook forward priority filter
        ip daddr %(far)s oifname b counter name left_forward
        ip daddr %(a)s counter name elsewhere
    }
    chain postrouting {
        type filter hook postrouting priority mangle
        ip daddr %(far)s counter name left_postrouting
        ip daddr %(a)s counter name elsewhere
    }
}
""" % {"a": A, "far": FAR}


@test("C1: PREROUTING sees a hit as it arrived, FORWARD and POSTROUTING as it "
      "leaves")
def chains_see():
    load(CHAINS)
    sent = ip(SRC, A, lsrr(FAR))
    expect(bench.exchange("a", sent), {"b": [advanced(sent)]})
    equal([hits(name) for name in ("arrived", "left_forward",
                                   "left_postrouting", "elsewhere")],
          [1, 1, 1, 0], "counters")


@test("C1: a drop in any chain drops a hit and transit")
def chains_drop():
    hit, transit = ip(SRC, A, lsrr(FAR)), ip(SRC, "10.9.5.5", lsrr(FAR))
    passing = {hit: advanced(hit), transit: edit(transit, ttl=63)}

    def dropped_by(rules, *datagrams):
        """By them alone: with accept in the place of drop all pass."""
        for verdict in "drop", "accept":
            nft(bench.router, rules % verdict)
            for sent in datagrams:
                expect(bench.exchange("a", sent),
                       {} if verdict == "drop" else {"b": [passing[sent]]})
            nft(bench.router, "flush ruleset")

    ktap.cleanup(nft, bench.router, "flush ruleset")
    for where in ("hook prerouting priority raw", "hook prerouting priority "
                  "-500", "hook prerouting priority mangle",
                  "hook prerouting priority 2000000000",
                  "hook forward priority mangle",
                  "hook forward priority filter",
                  "hook postrouting priority 0"):
        dropped_by("table ip t { chain c { type filter %s; ip saddr %s %%s; } "
                   "}" % (where, SRC), hit, transit)
    for where in "hook ingress device a", "hook egress device b":
        try:
            dropped_by("table netdev t { chain c { type filter %s priority 0; "
                       "ip saddr %s %%s; } }" % (where, SRC), hit, transit)
        except RuntimeError as error:
            if "egress" not in where or "not supported" not in str(error):
                raise
            print("# this kernel has no egress hook (Linux 5.16)")


@test("C1: a FORWARD rule on the true next hop lets one through and drops the "
      "other")
def forward_filter():
    load("table ip t { chain c { type filter hook forward priority 0; policy "
         "drop; ip daddr { %s, 192.0.3.0/24 } accept; } }" % FAR)
    sent = ip(SRC, A, lsrr(FAR))
    expect(bench.exchange("a", sent), {"b": [advanced(sent)]})
    other = ip(SRC, A, lsrr("10.9.0.2"))
    expect_nothing(bench.exchange("a", other))
    nft(bench.router, "flush ruleset")
    expect(bench.exchange("a", other), {"b": [
        edit(other, dst="10.9.0.2", options=lsrr(B, ptr=8), ttl=63)]})


STATEFUL = """
table ip t {
    counter untracked { }
    counter invalid { }
    counter tracked { }
    counter icmp_untracked { }
    chain forward {
        type filter hook forward priority filter
        ip saddr %s accept
        ct state untracked counter name untracked
        ct state invalid counter name invalid drop
        ct state new,established,related counter name tracked
    }
    chain output {
        type filter hook output priority filter
        ip protocol icmp ct state untracked counter name icmp_untracked
        ct state invalid counter name invalid drop
    }
    chain nat {
        type nat hook postrouting priority srcnat
        ip saddr %s masquerade
    }
}
""" % (bench.MARKER, SRC)


def states():
    return {name: hits(name) for name in ("untracked", "invalid", "tracked",
                                          "icmp_untracked") if hits(name)}


@test("C2: an incomplete datagram is untracked, never invalid, and not "
      "translated, whatever its transport checksum")
def untracked():
    load(STATEFUL)
    # Right for where the route ends; conntrack would look at where it is.
    segment = tcp(SRC, "10.9.0.7")
    for dst, options in ((A, lsrr(FAR, "10.9.0.7")),
                         ("10.9.5.5", lsrr(FAR, "10.9.0.7"))):
        sent = ip(SRC, dst, options, proto=6, payload=segment)
        out = expect_one(bench.exchange("a", sent), "b")
        equal(packet.Packet(out).src, SRC, "source")
    equal(states(), {"untracked": 2}, "states")


@test("C2, H10: a broken one is untracked too, and no fragment of it is waited "
      "for")
def broken_untracked():
    load(STATEFUL)  # brings in conntrack, which reassembles
    sent = ip(SRC, A, lsrr(FAR, ptr=5), frag=0x2000, payload=b"fragment")
    expect_error(bench.exchange("a", sent), 12, 0, sent, pointer=22)


@test("C2: a complete datagram is tracked, and translated, as usual")
def complete_tracked():
    load(STATEFUL)
    sent = ip(SRC, "10.9.5.5", lsrr("10.7.0.1", ptr=8), proto=6,
              payload=tcp(SRC, "10.9.5.5"))
    out = packet.Packet(expect_one(bench.exchange("a", sent), "b"))
    equal((out.src, out.options), (B, lsrr("10.7.0.1", ptr=8) + b"\0"),
          "source and options")
    equal(states(), {"tracked": 1}, "states")


@test("C2, C4: a stateful ruleset that drops ct state invalid in OUTPUT spares "
      "the router's errors about untracked datagrams")
def errors_untracked():
    load(STATEFUL)
    # Errors of the module and of forwarding; a complete one is related.
    for options, ttl, kind, code in ((lsrr("127.0.0.1"), 64, 3, 5),
                                     (ssrr(FAR), 64, 3, 5),
                                     (lsrr(FAR), 1, 11, 0)):
        sent = ip(SRC, A, options, ttl=ttl, proto=6, payload=tcp(SRC, FAR))
        expect_error(bench.exchange("a", sent), kind, code, sent)
    equal(states(), {"icmp_untracked": 3}, "states")
    sent = ip(SRC, A, lsrr(FAR, ptr=5), proto=6, payload=tcp(SRC, FAR))
    expect_error(bench.exchange("a", sent), 12, 0, sent, pointer=22)
    equal(states(), {"icmp_untracked": 4}, "states")


@test("C4, H8: ... and its reply to an echo whose route has ended at us; a reply to a "
      "tracked one stays tracked")
def replies_untracked():
    load(STATEFUL)
    for dev in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % dev, 1)
    for options, counted in (lsrr(B, "10.5.0.1"), 1), (lsrr(B, ptr=8), 1):
        out = bench.exchange("a", ip(SRC, A, options, proto=packet.ICMP,
                                     payload=packet.icmp_error(8, 0, b"")))
        equal(packet.Packet(expect_one(out, "a")).payload[0], 0, "type")
        equal(states(), {"icmp_untracked": counted}, "states")


@test("C4: errors about tracked datagrams stay tracked")
def errors_tracked():
    load(STATEFUL)
    for sent in (ip(SRC, FAR, ttl=1), ip(SRC, "10.9.5.5",
                                         lsrr("10.7.0.1", ptr=8), ttl=1)):
        out = packet.Error(expect_one(bench.exchange("a", sent), "a"))
        equal((out.type, out.code), (11, 0), "error")
    equal(states(), {}, "states")


@test("O5: a datagram whose destination NAT has changed is the kernel's")
def translated():
    load("table ip t { chain c { type nat hook prerouting priority dstnat; "
         "ip daddr 10.9.5.5 dnat to %s; } }" % FAR)
    bench.moved()
    for dev in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % dev, 1)
    sent = ip(SRC, "10.9.5.5", lsrr("10.7.0.1", ptr=8))
    out = packet.Packet(expect_one(bench.exchange("a", sent), "b"))
    equal(out.dst, FAR, "destination")
    equal(bench.moved(), {}, "counters")
    nft(bench.router, "flush ruleset")
    sent = ip(SRC, "10.9.5.6", lsrr("10.7.0.1", ptr=8))
    expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})
    equal(bench.moved(), {"received": 1, "transit": 1}, "without NAT")


def fragments(dst, options, data):
    """A datagram in three fragments, with the option in each (RFC 791)."""
    size = 64
    parts = [data[i:i + size] for i in range(0, len(data), size)]
    return [ip(SRC, dst, options, payload=part, ident=0x4242,
               frag=(i * size // 8) | (0x2000 if part is not parts[-1] else 0))
            for i, part in enumerate(parts)]


def fragments_forwarded():
    parts = fragments(A, lsrr(FAR), packet.udp(bytes(range(160))))
    equal(len(parts), 3, "fragments")
    for order in parts, parts[::-1], parts[1:2]:
        expect(bench.exchange("a", *order),
               {"b": [advanced(part) for part in order]})


@test("H10: fragments of an incomplete route are forwarded each by itself")
def fragments_plain():
    fragments_forwarded()


@test("H10: ... and are not reassembled with conntrack and NAT loaded either")
def fragments_conntrack():
    load(STATEFUL)
    fragments_forwarded()
    equal(states(), {"untracked": 7}, "states")


@test("H10: fragments in transit keep to themselves too")
def fragments_transit():
    load(STATEFUL)
    parts = fragments("10.9.5.5", lsrr(FAR), packet.udp(bytes(160)))
    expect(bench.exchange("a", *parts),
           {"b": [edit(part, ttl=63) for part in parts]})


@test("C3: NFQUEUE in PREROUTING shows a hit as it arrived and lets it go on")
def queue_prerouting():
    load("table ip t { chain c { type filter hook prerouting priority 0; "
         "ip saddr %s queue num 7; } }" % SRC)
    queue = Queue(bench.router, 7)
    ktap.cleanup(queue.close)
    for sent in ip(SRC, A, lsrr(FAR)), ip(SRC, A, lsrr(FAR) + record(1)):
        bench.send("a", sent)
        equal(queue.wait(1)[-1].hex(), sent.hex(), "queued")
        expect_nothing(bench.collect())
        queue.accept()
        out = packet.Packet(expect_one(bench.collect(), "b"))
        equal((out.dst, out.options[:7]), (FAR, lsrr(B, ptr=8)), "sent on")
    refused = ip(SRC, A, lsrr("127.0.0.1"))
    bench.send("a", refused)
    queue.wait(1)
    queue.accept()
    expect_error(bench.collect(), 3, 5, refused)


@test("C3: NFQUEUE in FORWARD shows a hit as it leaves and lets it go on")
def queue_forward():
    load("table ip t { chain c { type filter hook forward priority 0; "
         "ip saddr %s queue num 8; } }" % SRC)
    queue = Queue(bench.router, 8)
    ktap.cleanup(queue.close)
    sent = ip(SRC, A, lsrr(FAR))
    bench.send("a", sent)
    equal(queue.wait(1)[-1].hex(), advanced(sent).hex(), "queued")
    queue.accept()
    expect(bench.collect(), {"b": [advanced(sent)]})


@test("C3, H7: what a queue in FORWARD puts in the place of a hit goes as it is, "
      "however early that queue comes")
def replaced_by_user_space():
    sent = ip(SRC, A, lsrr(FAR) + record(1))
    right = edit(sent, dst=FAR, ttl=63,
                 options=lsrr(B, ptr=8) + record(1, [B]))
    others = right, edit(right, dst="10.9.7.7")
    if features.queue_takes_options(bench):
        others += (ip(SRC, A), ip(SRC, FAR, lsrr(A)),
                   edit(right, options=b"\1" * 16))
    else:
        print("# this kernel lets no program change options (Linux 7.2)")
    for priority in -0x80000000, 0, 0x7FFFFFFF:
        load("table ip t { chain c { type filter hook forward priority %d; "
             "ip saddr %s queue num 9; } }" % (priority, SRC))
        with contextlib.closing(Queue(bench.router, 9)) as queue:
            for instead in others:
                bench.send("a", sent)
                equal(queue.wait(1)[-1].hex(), right.hex(), "in the queue")
                queue.accept(instead)
                expect(bench.collect(), {"b": [instead]})
        nft(bench.router, "flush ruleset")


def only(*devices):
    """lsrr is on for these interfaces alone, for the length of a test."""
    ktap.cleanup(lambda: bench.set(lsrr=1, ssrr=1))
    bench.set(lsrr=0, ssrr=0)
    for dev in devices:
        bench.router.sysctl("net.ipv4.srcroute.conf.%s.lsrr" % dev, 1)


@test("Interface, C3: the write that takes the hooks out makes the kernel drop "
      "what the queues of the namespace hold; no other write does")
def queue_loses():
    plain = ip(SRC, FAR)
    for where in "prerouting", "forward", "postrouting":
        load("table ip t { chain c { type filter hook %s priority 0; "
             "ip saddr %s queue num 10; } }" % (where, SRC))
        with contextlib.closing(Queue(bench.router, 10)) as queue:
            # Not the last; the last; and when there is none left to take out.
            only("a", "b")
            for dev, comes in ("a", True), ("b", False), ("b", True):
                bench.send("a", plain)
                queue.wait(1)
                bench.router.sysctl(
                    "net.ipv4.srcroute.conf.%s.lsrr" % dev, 0)
                queue.accept()
                expect(bench.collect(),
                       {"b": [edit(plain, ttl=63)]} if comes else {})
        nft(bench.router, "flush ruleset")


@test("Interface, C3: the write that registers the hooks makes the kernel "
      "queue again what a queue in PREROUTING holds, and lose nothing")
def queue_again():
    only()
    load("table ip t { chain c { type filter hook prerouting priority 0; "
         "ip saddr %s queue num 10; } }" % SRC)
    plain = ip(SRC, FAR)
    with contextlib.closing(Queue(bench.router, 10)) as queue:
        for registers in True, False:
            bench.send("a", plain)
            queue.wait(1)
            bench.router.sysctl("net.ipv4.srcroute.conf.a.lsrr", 1)
            queue.accept()
            if registers:
                expect_nothing(bench.collect())
                equal(queue.wait(1)[-1].hex(), plain.hex(), "queued again")
                queue.accept()
            expect(bench.collect(), {"b": [edit(plain, ttl=63)]})


@test("C3: a socket of the router never swallows a hit (early demux)")
def socket_on_router():
    with bench.router:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.bind((A, 9))
        sock.connect((SRC, 4000))
        plain = ip(SRC, A)
        expect_nothing(bench.exchange("a", plain))
        sock.settimeout(5)
        equal(sock.recv(100), b"srcroute", "the socket is the one")
        sent = ip(SRC, A, lsrr(FAR))
        expect(bench.exchange("a", sent), {"b": [advanced(sent)]})
        sock.setblocking(False)
        try:
            ktap.fail("swallowed: %r" % sock.recv(100))
        except BlockingIOError:
            pass


@test("C3: a socket that TPROXY assigns does not hold a hit up")
def tproxy_socket():
    with bench.router:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.setsockopt(socket.IPPROTO_IP, 19, 1)  # IP_TRANSPARENT
        sock.bind(("0.0.0.0", 5000))
        load("table ip t { chain c { type filter hook prerouting priority "
             "mangle; ip saddr %s udp dport 9 tproxy to :5000; } }" % SRC)
        sent = ip(SRC, A, lsrr(FAR))
        expect(bench.exchange("a", sent), {"b": [advanced(sent)]})


@test("I4: what FORWARD rejects carries no source route and reaches the source")
def rejected():
    bench.using(reverse_errors=1)
    bench.neighbour("a", "10.1.0.7")
    load("table ip t { chain c { type filter hook forward priority 0; "
         "ip saddr %s reject with icmp type admin-prohibited; } }" % SRC)
    # What the kernel's check has found beside the route, it would echo with the route.
    for route, beside in itertools.product((lsrr(FAR), lsrr("10.1.0.7", FAR, ptr=8)),
                                           (b"", record(3), timestamps(1, 8))):
        # GRE, since Linux 5.10 does not reject UDP without a checksum.
        sent = ip(SRC, A, route + beside, proto=47)
        error = packet.Error(expect_one(bench.exchange("a", sent), "a"))
        equal((error.type, error.code, error.packet.dst, error.packet.options[:1]),
              (3, 13, SRC, beside[:1]), "error")
        equal(packet.Packet(error.quote).dst, FAR, "quoted destination")


@test("I4, H9: ... and a Timestamp option in it has whole entries, as that which it quotes")
def rejected_stamps():
    load("table ip t { chain c { type filter hook forward priority 0; "
         "ip saddr %s reject with icmp type admin-prohibited; } }" % SRC)
    for (dst, route), slots in itertools.product(
            ((A, lsrr(FAR)), (FAR, lsrr("10.1.0.7", ptr=8))), (1, 2, 3)):
        for flag, entry in (0, 4), (1, 8), (3, 8):
            sent = ip(SRC, dst, route + timestamps(flag, entry * slots), proto=47)
            error = packet.Error(expect_one(bench.exchange("a", sent), "a"))
            quoted = packet.Packet(error.quote).options[len(route):]
            length = 4 + entry * slots
            option = error.packet.options[:length]
            equal((option[0], (option[2] - 5) % entry, quoted[2]),
                  (packet.TS, 0, 5 + entry), "option, pointers")
            if flag == 1:
                equal(option.hex(" "), quoted[:length].hex(" "), "option")


@test("I4: reject answers where the transport checksum fits the header: the "
      "kernel verifies it first, so not before the last hop")
def rejected_checksum():
    load("table ip t { chain c { type filter hook forward priority 0; "
         "ip saddr %s reject with icmp type admin-prohibited; } }" % SRC)
    segment = tcp(SRC, FAR)
    sent = ip(SRC, A, lsrr(FAR), proto=6, payload=segment)
    error = packet.Error(expect_one(bench.exchange("a", sent), "a"))
    equal((error.type, error.code), (3, 13), "error at the last hop")
    route = lsrr("10.9.0.2", FAR)
    sent = ip(SRC, A, route, proto=6, payload=segment)
    expect_nothing(bench.exchange("a", sent))
    sent = ip(SRC, A, route, proto=6, payload=tcp(SRC, "10.9.0.2"))
    error = packet.Error(expect_one(bench.exchange("a", sent), "a"))
    equal((error.type, error.code), (3, 13), "error where it fits")


def unresolved(sent):
    """The error that comes when next does not answer ARP."""
    bench.send("a", sent)
    datagram = bench.wires["a"].receive(10)
    check(datagram, "no error")
    return packet.Error(datagram)


@test("I4, C4: when next does not answer ARP, the error reaches the source "
      "without a source route")
def link_failure():
    load(STATEFUL)
    for key, value in (("retrans_time_ms", 20), ("mcast_solicit", 1)):
        bench.configure("net.ipv4.neigh.c.%s" % key, value)
    for reverse in 0, 1:
        bench.using(reverse_errors=reverse)
        for options, dst in ((lsrr("10.3.0.9"), A),
                             (lsrr("10.1.0.7", "10.3.0.9", ptr=8), A),
                             (lsrr("10.3.0.9", FAR), A),
                             (lsrr("10.1.0.7", FAR, ptr=8), "10.3.0.9")):
            bench.router.ip("neigh flush dev c 10.3.0.9")
            sent = ip(SRC, dst, options, proto=6, payload=tcp(SRC, FAR))
            error = unresolved(sent)
            equal((error.type, error.code, error.packet.dst),
                  (3, 1, SRC), "error")
            check(set(error.packet.options) <= {0, 1},
                  "options: %s" % error.packet.options.hex(" "))
            check(error.packet.sum_ok() and error.sum_ok, "checksums")
            quoted = packet.Packet(error.quote)
            equal((quoted.src, quoted.dst), (SRC, "10.3.0.9"), "quoted")
    equal(states().get("invalid", 0), 0, "errors called invalid")


if __name__ == "__main__":
    ktap.main(bench.close)
