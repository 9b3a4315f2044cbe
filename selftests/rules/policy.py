#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Who decides on a datagram, and what is counted: O1 to O3, S, and the files
of the interface. The topology is drawn in lib/standard.py.
"""

import collections
import errno
import os
import re
import socket

from lib import features, ktap, packet
from lib.ktap import check, equal, test
from lib.netns import Bench, Netns, error_of, sh
from lib.packet import edit, ip, lsrr, ssrr
from lib.standard import (A, B, FAR, HOOKS, LO, NEXT, NEXT_C, SRC,
                          StandardBench, expect, expect_error, expect_nothing,
                          expect_one)
from lib.tracing import Log, Trace

bench = StandardBench()
CONF = "net.ipv4.srcroute.conf.%s.%s"
FILES = {"lsrr": (0, 3), "ssrr": (0, 3), "nonlocal": (1, 1),
         "revisit": (1, 1), "reverse_errors": (0, 1), "mark": (0, 2**32 - 1)}
COUNTERS = ["received", "hop", "transit", "local", "policy_drop",
            "policy_reject", "bad_option", "strict_transit", "bad_next",
            "no_route", "not_adjacent", "nonlocal", "revisit", "bad_source",
            "no_memory", "ttl_exceeded", "frag_needed", "nested",
            "not_accepted", "icmp_suppressed"]


@test("Interface: every interface, all and default have every file, with its "
      "default")
def files_and_defaults():
    for dev in "all", "default", "a", "b", "lo":
        for name, (default, _) in FILES.items():
            equal(bench.router.sysctl(CONF % (dev, name)), str(default),
                  "%s of %s" % (name, dev))
    equal(bench.router.sysctl("net.ipv4.srcroute.router_id"), "0.0.0.0",
          "router_id")


@test("Interface: hooks are registered only while some lsrr or ssrr is not 0")
def hooks_on_demand():
    equal(bench.hooks(), [], "hooks at the start")
    for name in "lsrr", "ssrr":
        bench.router.sysctl(CONF % ("a", name), 2)
        bench.router.sysctl(CONF % ("b", name), 1)
        equal(bench.hooks(), HOOKS, "hooks with %s on" % name)
        bench.router.sysctl(CONF % ("a", name), 0)
        check(bench.hooks(), "no hooks, though b is on")
        bench.router.sysctl(CONF % ("b", name), 0)
        equal(bench.hooks(), [], "hooks with %s off" % name)
    bench.router.sysctl(CONF % ("default", "lsrr"), 1)
    ktap.cleanup(bench.router.sysctl, CONF % ("default", "lsrr"), 0)
    equal(bench.hooks(), [], "hooks with default on, no interface")


@test("Interface: a write to all goes to every interface and to default, and "
      "reads back")
def all_writes():
    bench.router.sysctl(CONF % ("c", "lsrr"), 3)
    bench.router.sysctl(CONF % ("all", "lsrr"), 2)
    for dev in "all", "default", "a", "b", "c", "lo":
        equal(bench.router.sysctl(CONF % (dev, "lsrr")), "2", dev)
    bench.router.sysctl(CONF % ("c", "lsrr"), 1)
    equal(bench.router.sysctl(CONF % ("all", "lsrr")), "2", "last written")
    equal(bench.router.sysctl(CONF % ("a", "lsrr")), "2", "no other touched")
    bench.router.sysctl(CONF % ("all", "lsrr"), 0)


@test("Interface: a new interface starts with default, and all has no hold on "
      "it later")
def default_for_new():
    bench.router.sysctl(CONF % ("default", "ssrr"), 3)
    bench.router.ip("link add name fresh type dummy")
    ktap.cleanup(bench.router.ip, "link del dev fresh")
    bench.router.sysctl(CONF % ("default", "ssrr"), 0)
    equal(bench.router.sysctl(CONF % ("fresh", "ssrr")), "3", "ssrr")
    check(bench.hooks(), "no hooks for an interface that came with ssrr")


@test("Interface: files go with the interface, and so does its need of hooks")
def removal():
    bench.router.ip("link add name gone type dummy")
    bench.router.sysctl(CONF % ("gone", "lsrr"), 1)
    check(bench.hooks(), "hooks while it is there")
    bench.router.ip("link del dev gone")
    with bench.router:
        check(not os.path.exists(Netns._path(CONF % ("gone", "lsrr"))),
              "files are left")
    equal(bench.hooks(), [], "hooks after it")
    check(("gone", "received") not in bench.router.counters(),
          "counters are left")


@test("Interface: a renamed interface keeps values and counters under its new "
      "name")
def renaming():
    bench.link("was", "10.4.0.1/24", peers=["10.4.0.2"])
    ktap.cleanup(bench.unlink, "was")
    bench.router.sysctl(CONF % ("was", "lsrr"), 1)
    bench.exchange("was", ip("10.4.0.2", A, lsrr(FAR)))
    equal(bench.router.counters()["was", "hop"], 1, "hop")
    bench.router.ip("link set dev was down", "link set dev was name renamed")
    ktap.cleanup(bench.router.ip, "link set dev renamed name was")
    equal(bench.router.sysctl(CONF % ("renamed", "lsrr")), "1", "lsrr")
    equal(bench.router.counters()["renamed", "hop"], 1, "hop")
    with bench.router:
        check(not os.path.exists(Netns._path(CONF % ("was", "lsrr"))),
              "old files are left")


@test("Interface: one that moves to another namespace starts there with that "
      "namespace's default")
def moving():
    other = Netns("other")
    ktap.cleanup(other.close)
    other.sysctl(CONF % ("default", "mark"), 7)
    bench.router.ip("link add name mover type dummy")
    bench.router.sysctl(CONF % ("mover", "mark"), 9)
    bench.router.sysctl(CONF % ("mover", "lsrr"), 1)
    check(bench.hooks(), "hooks where it was")
    bench.router.ip("link set dev mover netns %s" % other.name)
    equal(other.sysctl(CONF % ("mover", "mark")), "7", "mark")
    equal(other.sysctl(CONF % ("mover", "lsrr")), "0", "lsrr")
    equal(bench.hooks(), [], "hooks")
    bench.router.sysctl(CONF % ("default", "lsrr"), 0)


@test("Interface: a value out of range, or text, fails with EINVAL and changes "
      "nothing")
def bad_values():
    for name, (default, top) in FILES.items():
        for dev in "a", "all", "default":
            path = CONF % (dev, name)
            bench.router.sysctl(path, top)
            for bad in (top + 1, -1, "x", "1 1", "1x", "", " ", "0x", "1\0",
                        "9" * 40, "1.0", "4294967296"):
                try:
                    bench.router.sysctl(path, bad)
                except OSError as error:
                    equal(error.errno, 22, "errno for %r" % bad)
                else:
                    ktap.fail("%s took %r" % (path, bad))
                equal(bench.router.sysctl(path), str(top), "value")
            bench.router.sysctl(path, default)
    bench.router.sysctl(CONF % ("a", "mark"), "0xff")
    equal(bench.router.sysctl(CONF % ("a", "mark")), "255", "hexadecimal")
    bench.set(**{name: default for name, (default, _) in FILES.items()})


@test("Interface: router_id takes an own address or 0.0.0.0")
def router_id():
    path = "net.ipv4.srcroute.router_id"
    bench.router.sysctl(path, B)
    for bad in NEXT, "127.0.0.1", "1", "x", "10.2.0.1/24", "255.255.255.255":
        try:
            bench.router.sysctl(path, bad)
        except OSError as error:
            equal(error.errno, 22, "errno for " + bad)
        else:
            ktap.fail("took " + bad)
        equal(bench.router.sysctl(path), B, "value")
    bench.router.sysctl(path, "0.0.0.0")


@test("S: everyone may read /proc/net/srcroute: a line per interface and "
      "counter, in the order of the contract")
def proc_file():
    with bench.router:
        text = sh("setpriv --reuid 65534 --clear-groups cat "
                  "/proc/self/net/srcroute")
    rows = [line.split(" ") for line in text.splitlines()]
    for dev in "a", "b", "c", "lo":
        equal([row[1] for row in rows if row[0] == dev], COUNTERS, dev)
    check(all(len(row) == 3 and row[2].isdigit() for row in rows), text)


@test("O1: at 0 the kernel decides alone: with accept_source_route 0 hits and "
      "transit are dropped")
def off_native_off():
    bench.router.sysctl(CONF % ("c", "lsrr"), 1)  # the hooks are in
    ktap.cleanup(bench.router.sysctl, CONF % ("c", "lsrr"), 0)
    bench.moved()
    for dst in A, "10.9.5.5":
        sent = ip(SRC, dst, lsrr(FAR))
        expect_nothing(bench.exchange("a", sent))
        equal(bench.moved(), {}, "counters")
        bench.router.sysctl(CONF % ("a", "lsrr"), 1)
        equal(list(bench.exchange("a", sent)), ["b"], "links with lsrr 1")
        bench.router.sysctl(CONF % ("a", "lsrr"), 0)
        bench.moved()


@test("O1: at 0 the kernel decides alone: with accept_source_route 1 it "
      "forwards both, and names its src hint")
def off_native_on():
    bench.router.sysctl(CONF % ("c", "lsrr"), 1)
    ktap.cleanup(bench.router.sysctl, CONF % ("c", "lsrr"), 0)
    for dev in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % dev, 1)
    bench.temporary("route add 10.11.0.0/16 via %s src 10.5.0.1" % NEXT)
    bench.moved()
    sent = ip(SRC, A, lsrr("10.11.0.1"))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst="10.11.0.1", options=lsrr("10.5.0.1", ptr=8),
             ttl=63)]})
    bench.router.sysctl(CONF % ("a", "lsrr"), 1)
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, dst="10.11.0.1", options=lsrr(B, ptr=8), ttl=63)]})
    bench.router.sysctl(CONF % ("a", "lsrr"), 0)
    bench.moved()
    sent = ip(SRC, "10.9.5.5", lsrr(FAR))
    expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})
    equal(bench.moved(), {}, "counters")


@test("O1: lsrr does not speak for strict routes, nor ssrr for loose ones, nor "
      "an interface for another")
def types_apart():
    for mine, other, key in ((lsrr, ssrr, "lsrr"), (ssrr, lsrr, "ssrr")):
        bench.router.sysctl(CONF % ("a", key), 1)
        bench.moved()
        expect_nothing(bench.exchange("a", ip(SRC, A, other(NEXT))))
        expect_nothing(bench.exchange("b", ip(NEXT, A, mine(SRC))))
        equal(bench.moved(), {}, "counters of " + key)
        equal(list(bench.exchange("a", ip(SRC, A, mine(NEXT)))), ["b"], key)
        bench.router.sysctl(CONF % ("b", key), 1)
        equal(list(bench.exchange("b", ip(NEXT, A, mine(SRC)))), ["a"],
              key + " of b")
        for dev in "a", "b":
            bench.router.sysctl(CONF % (dev, key), 0)


@test("O1: ordinary datagrams, other options and our own output pass untouched "
      "and uncounted")
def not_owned():
    bench.using(lsrr=1, ssrr=1)
    bench.moved()
    for options in b"", b"\1\1\1\0", packet.record(0), b"\x94\4\0\0":
        sent = ip(SRC, FAR, options)
        expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})
    with bench.router, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((B, 4000))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, lsrr(NEXT_C))
        s.sendto(b"srcroute", (FAR, 9))
        out = packet.Packet(expect_one(bench.collect(), "c"))
        equal((out.src, out.dst, out.options, out.ttl),
              (B, NEXT_C, lsrr(FAR) + b"\0", 64), "our own output")
    equal(bench.moved(), {}, "counters")
    # The same, where it comes from outside.
    bench.exchange("a", ip(SRC, NEXT_C, lsrr(FAR)))
    equal(bench.moved(), {"received": 1, "transit": 1}, "counters of transit")


@test("O1: a datagram for a broadcast, multicast or loopback address is "
      "left to the kernel")
def neither():
    bench.using(lsrr=1, ssrr=1)
    with bench.router:
        ear = socket.socket(socket.AF_INET, socket.SOCK_RAW, packet.UDP)
    ktap.cleanup(ear.close)
    ear.setblocking(False)
    bench.moved()
    # By itself the kernel forwards and delivers none of these, whether source
    # routes are accepted or not.
    for accepted in 0, 1:
        for dev in "all", "a":
            bench.configure("net.ipv4.conf.%s.accept_source_route" % dev,
                            accepted)
        for dst in ("255.255.255.255", "10.1.0.255", "224.0.0.1", "127.0.0.1",
                    "0.0.0.0"):
            for options in lsrr(FAR), ssrr(FAR), lsrr(FAR, ptr=5):
                out = bench.exchange("a", ip(SRC, dst, options))
                # Its own error about a pointer is the kernel's.
                check("b" not in out and "c" not in out, "%s: %s" % (dst, out))
                equal(bench.moved(), {}, "counters for %s" % dst)
    equal(error_of(ear.recv, 4096), errno.EAGAIN, "delivered")
    sent = ip(SRC, A, lsrr(FAR, ptr=8))
    bench.exchange("a", sent)
    equal(ear.recv(4096), sent, "one for us is delivered")
    equal(bench.moved(), {"received": 1, "local": 1}, "its counters")


@test("O2: 2 discards every datagram of its type in silence, before V is "
      "looked at")
def drop():
    bench.using(lsrr=2, ssrr=2)
    for kind in lsrr, ssrr:
        for dst, options in ((A, kind(FAR)), (A, kind(FAR, ptr=8)),
                             ("10.9.5.5", kind(FAR)), (A, kind(FAR, ptr=5)),
                             (A, kind(FAR, length=3)),
                             ("10.9.5.5", kind(FAR, ptr=8))):
            bench.moved()
            expect_nothing(bench.exchange("a", ip(SRC, dst, options)))
            equal(bench.moved(), {"received": 1, "policy_drop": 1}, "counters")


@test("O2: 3 discards and answers ICMP 3/13")
def reject():
    bench.using(lsrr=3, ssrr=3)
    for kind in lsrr, ssrr:
        for dst, options in ((A, kind(FAR)), (A, kind(FAR, ptr=8)),
                             ("10.9.5.5", kind(FAR)), (A, kind(FAR, ptr=5))):
            sent = ip(SRC, dst, options)
            bench.moved()
            expect_error(bench.exchange("a", sent), 3, 13, sent)
            equal(bench.moved(), {"received": 1, "policy_reject": 1},
                  "counters")


def unreachables_sent():
    with bench.router.open("/proc/net/snmp") as file:
        names, values = [line.split() for line in file
                         if line.startswith("Icmp:")]
    return int(values[names.index("OutDestUnreachs")])


@test("O2, I1: 3 does not answer to an own address, not even about a "
      "destination without a route")
def reject_own_source():
    bench.using(lsrr=3)
    before = unreachables_sent()
    for src in A, B, LO:
        for dst in A, "10.9.5.5", "10.77.0.1":
            bench.moved()
            expect_nothing(bench.exchange("a", ip(src, dst, lsrr(FAR))))
            equal(bench.moved(), {"received": 1, "policy_reject": 1},
                  "counters")
    equal(unreachables_sent(), before, "errors sent")


@test("O2: where both types are there, the first decides")
def first_decides():
    bench.using(lsrr=2, ssrr=1)
    bench.moved()
    expect_nothing(bench.exchange("a", ip(SRC, A, lsrr(FAR) + ssrr(FAR))))
    equal(bench.moved(), {"received": 1, "policy_drop": 1}, "counters")
    sent = ip(SRC, A, ssrr(FAR) + lsrr(FAR))
    expect_error(bench.exchange("a", sent), 12, 0, sent, pointer=27)


@test("O3: accept_source_route neither helps nor hinders, and stays as it is")
def accept_source_route():
    bench.using(lsrr=1, ssrr=1)
    for value in "0", "1":
        for dev in "all", "a":
            bench.configure("net.ipv4.conf.%s.accept_source_route" % dev,
                            value)
        sent = ip(SRC, A, lsrr(FAR))
        expect(bench.exchange("a", sent), {"b": [
            edit(sent, dst=FAR, options=lsrr(B, ptr=8), ttl=63)]})
        sent = ip(SRC, "10.9.5.5", lsrr(FAR))
        expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})
        for dev in "all", "a":
            equal(bench.router.sysctl(
                "net.ipv4.conf.%s.accept_source_route" % dev), value, dev)


@test("S: every datagram moves received and one outcome by one")
def counters_move_once():
    bench.using(lsrr=1, ssrr=1)
    bench.temporary("route add unreachable 10.78.0.0/16")
    for counter, sent in (
            ("hop", ip(SRC, A, lsrr(FAR))),
            ("transit", ip(SRC, "10.9.5.5", lsrr(FAR))),
            ("local", ip(SRC, A, lsrr(FAR, ptr=8))),
            ("bad_option", ip(SRC, A, lsrr(FAR, ptr=5))),
            ("strict_transit", ip(SRC, "10.9.5.5", ssrr(FAR))),
            ("bad_next", ip(SRC, A, lsrr("127.0.0.1"))),
            ("no_route", ip(SRC, A, lsrr("10.78.0.1"))),
            ("not_adjacent", ip(SRC, A, ssrr(FAR))),
            ("bad_source", ip(B, A, lsrr(FAR)))):
        bench.moved()
        bench.exchange("a", sent)
        equal(bench.moved(), {"received": 1, counter: 1}, "counters")
    for value, counter in (2, "policy_drop"), (3, "policy_reject"):
        bench.using(lsrr=value)
        bench.exchange("a", ip(SRC, A, lsrr(FAR)))
        equal(bench.moved(), {"received": 1, counter: 1}, "counters")


@test("S: counters are those of the interface of arrival")
def counters_per_interface():
    bench.using(lsrr=1)
    before = bench.router.counters()
    bench.exchange("a", ip(SRC, A, lsrr(FAR)), ip(SRC, A, lsrr(FAR)))
    bench.exchange("b", ip(NEXT, A, lsrr(SRC)))
    after = bench.router.counters()
    equal([after[dev, name] - before[dev, name] for dev in "abc"
           for name in ("received", "hop")], [2, 2, 1, 1, 0, 0],
          "received and hop of a, b, c")


# What each reason is called everywhere: settings, datagram, ICMP error, drop
# reason of the kernel's, sentence in the log.
FORWARD = {"lsrr": 1, "ssrr": 1, "nonlocal": 1, "revisit": 1}
REASONS = {
    "policy_drop": ({"lsrr": 2}, ip(SRC, A, lsrr(FAR)), None, "NETFILTER_DROP",
                    "dropped because lsrr or ssrr is 2"),
    "policy_reject": ({"lsrr": 3}, ip(SRC, A, lsrr(FAR)), (3, 13), "NETFILTER_DROP",
                      "refused because lsrr or ssrr is 3"),
    "bad_option": ({}, ip(SRC, A, lsrr(FAR, ptr=5)), (12, 0), "IP_INHDR",
                   "malformed IP options"),
    "strict_transit": ({}, ip(SRC, "10.9.5.5", ssrr(FAR)), (12, 0), "IP_INHDR",
                       "strict route through this router, which it does not "
                       "list"),
    "bad_next": ({}, ip(SRC, A, lsrr("127.0.0.1")), (3, 5), "IP_INADDRERRORS",
                 "next address is not that of one host"),
    "no_route": ({}, ip(SRC, A, lsrr("10.77.0.1")), (3, 5), "IP_INNOROUTES",
                 "no route to the next address"),
    "not_adjacent": ({}, ip(SRC, A, ssrr(FAR)), (3, 5), "IP_INNOROUTES",
                     "strict route, and the next address is not on a link of "
                     "ours"),
    "nonlocal": ({"nonlocal": 0}, ip(SRC, A, lsrr(FAR)), (3, 5), "NETFILTER_DROP",
                 "would leave through another interface, and nonlocal is 0"),
    "revisit": ({"revisit": 0}, ip(SRC, A, lsrr(B, FAR, ptr=8)), (3, 5),
                "NETFILTER_DROP",
                "has been here before, and revisit is 0"),
    "ttl_exceeded": ({}, ip(SRC, A, lsrr(FAR), ttl=1), (11, 0), "IP_INHDR",
                     "time to live exceeded"),
    "frag_needed": ({}, ip(SRC, A, lsrr("10.80.0.1"), frag=0x4000,
                           payload=packet.udp(bytes(600))), (3, 4),
                    "PKT_TOO_BIG",
                    "larger than the MTU, and must not be fragmented"),
    "bad_source": ({}, ip(B, A, lsrr(FAR)), None, "IP_RPFILTER",
                   "source address failed the martian or reverse-path check"),
}


def one_reason(outcome, log, trace, drops):
    """A datagram that is discarded for it, and all that tells of it."""
    settings, sent, icmp, drop, sentence = REASONS[outcome]
    bench.set(**{**FORWARD, **settings})
    p = packet.Packet(sent)
    bench.moved()
    drops.lines()
    out = bench.exchange("a", sent)
    equal(bench.moved(), {"received": 1, outcome: 1}, "counters")
    if icmp:
        error = packet.Error(expect_one(out, "a"))
        equal((error.type, error.code), icmp, "error of " + outcome)
    else:
        expect_nothing(out)
    kind, code = icmp or (0, 0)
    equal(trace.lines(), ["srcroute_discard: in=a saddr=%s daddr=%s reason=%s "
                          "icmp=%d/%d" % (p.src, p.dst, outcome, kind, code)],
          "event")
    features.check_drop(drops.lines(), drop, outcome)
    return "srcroute: a: discarded %s -> %s: %s" % (p.src, p.dst, sentence)


@test("S, I2, O2, V4, T2, H2 to H5: each reason has its counter, ICMP error, event, "
      "drop reason and, with log_martians on, sentence in the log")
def reasons():
    bench.using(**FORWARD)  # and afterwards as before
    bench.temporary("route add 10.80.0.0/16 via %s mtu lock 600" % NEXT)
    known = [name for dev, name in bench.router.counters() if dev == "a"]
    equal(sorted(set(known) - set(REASONS)),
          sorted(["received", "hop", "transit", "local", "nested",
                  "not_accepted", "no_memory", "icmp_suppressed"]), "counters without a reason here")
    log = Log()
    with Trace("srcroute/srcroute_discard") as trace, \
            Trace("skb/kfree_skb") as drops:
        for outcome in REASONS:
            one_reason(outcome, log, trace, drops)
        equal(log.lines(), [], "lines with log_martians off")
        bench.configure("net.ipv4.conf.a.log_martians", 1)
        for number, outcome in enumerate(REASONS):
            if number % 8 == 0:
                log.wait_for_limit()
            line = one_reason(outcome, log, trace, drops)
            equal(log.lines(), [line], "log")


def discards_logged(log):
    """{interface: lines about discards} since the last call"""
    said = [re.match(r"srcroute: (\w+): discarded", line) for line in log.lines()]
    return collections.Counter(match.group(1) for match in said if match)


@test("S: a namespace whose discards fill the log keeps no other namespace from "
      "it")
def log_limit():
    other = Bench("other")
    ktap.cleanup(other.close)
    other.link("noisy", "10.8.0.1/24", peers=["10.8.0.2"])
    other.set(lsrr=1)
    other.router.sysctl("net.ipv4.conf.noisy.log_martians", 1)
    bench.using(lsrr=1)
    bench.configure("net.ipv4.conf.a.log_martians", 1)
    log = Log()
    log.wait_for_limit()
    other.exchange("noisy", *[ip("10.8.0.2", "10.8.0.1", lsrr("127.0.0.1"))] * 50)
    bench.exchange("a", ip(SRC, A, lsrr("127.0.0.1")))
    logged = discards_logged(log)
    check(0 < logged.get("noisy", 0) <= 20, "lines of 50: %s" % logged)
    equal(logged.get("a"), 1, "lines of the other namespace")


if __name__ == "__main__":
    ktap.main(bench.close)
