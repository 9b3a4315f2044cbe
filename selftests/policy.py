#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Who decides on a datagram, and what is counted: O1 to O3, S, and the files
of the interface. The topology is drawn in lib/standard.py.
"""

import collections
import os
import re
import time

from lib import ktap, packet
from lib.ktap import check, equal, test
from lib.netns import Bench, Netns, sh
from lib.packet import edit, ip, lsrr, ssrr
from lib.standard import (A, B, FAR, LO, NEXT, SRC, StandardBench, expect,
                          expect_error, expect_nothing)
from lib.tracing import calls

bench = StandardBench()
CONF = "net.ipv4.srcroute.conf.%s.%s"
FILES = {"lsrr": (0, 3), "ssrr": (0, 3), "nonlocal": (1, 1),
         "revisit": (1, 1), "reverse_errors": (0, 1), "mark": (0, 2**32 - 1)}
COUNTERS = ["received", "hop", "transit", "local", "policy_drop",
            "policy_reject", "bad_option", "strict_transit", "bad_next",
            "no_route", "not_adjacent", "nonlocal", "revisit", "bad_source",
            "no_memory", "advanced"]


HOOKS = ["srcroute_advance", "srcroute_claim", "srcroute_decide"]


def hooks():
    """The module's hooks that an ordinary datagram through the router meets."""
    return calls(HOOKS, lambda: bench.exchange("a", ip(SRC, FAR)))


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
    equal(hooks(), [], "hooks at the start")
    for name in "lsrr", "ssrr":
        bench.router.sysctl(CONF % ("a", name), 2)
        bench.router.sysctl(CONF % ("b", name), 1)
        equal(hooks(), HOOKS, "hooks with %s on" % name)
        bench.router.sysctl(CONF % ("a", name), 0)
        check(hooks(), "no hooks, though b is on")
        bench.router.sysctl(CONF % ("b", name), 0)
        equal(hooks(), [], "hooks with %s off" % name)
    bench.router.sysctl(CONF % ("default", "lsrr"), 1)
    ktap.cleanup(bench.router.sysctl, CONF % ("default", "lsrr"), 0)
    equal(hooks(), [], "hooks with default on, no interface")


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
    check(hooks(), "no hooks for an interface that came with ssrr")


@test("Interface: files go with the interface, and so does its need of hooks")
def removal():
    bench.router.ip("link add name gone type dummy")
    bench.router.sysctl(CONF % ("gone", "lsrr"), 1)
    check(hooks(), "hooks while it is there")
    bench.router.ip("link del dev gone")
    with bench.router:
        check(not os.path.exists(Netns._path(CONF % ("gone", "lsrr"))),
              "files are left")
    equal(hooks(), [], "hooks after it")
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
    check(hooks(), "hooks where it was")
    bench.router.ip("link set dev mover netns %s" % other.name)
    equal(other.sysctl(CONF % ("mover", "mark")), "7", "mark")
    equal(other.sysctl(CONF % ("mover", "lsrr")), "0", "lsrr")
    equal(hooks(), [], "hooks")
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
        expect_nothing(bench.exchange("a", ip(SRC, dst, lsrr(FAR))))
    equal(bench.moved(), {}, "counters")


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
        check(bench.exchange("a", ip(SRC, A, mine(NEXT))).get("b"), key)
        bench.router.sysctl(CONF % ("a", key), 0)


@test("O1: ordinary datagrams, other options and our own output pass untouched "
      "and uncounted")
def not_owned():
    bench.using(lsrr=1, ssrr=1)
    bench.moved()
    for options in b"", b"\1\1\1\0", packet.record(0), b"\x94\4\0\0":
        sent = ip(SRC, FAR, options)
        expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})
    bench.router.run("nc.traditional -u -w 1 -q 0 -g %s %s 9 </dev/null || :"
                     % (B, A))
    equal(bench.moved(), {}, "counters")


@test("O1: a datagram for a broadcast, multicast or loopback address is "
      "left to the kernel")
def neither():
    bench.using(lsrr=1, ssrr=1)
    bench.moved()
    for dst in ("255.255.255.255", "10.1.0.255", "224.0.0.1", "127.0.0.1",
                "0.0.0.0", "0.1.2.3", "10.77.0.1"):
        for options in lsrr(FAR), ssrr(FAR), lsrr(FAR, ptr=5):
            bench.exchange("a", ip(SRC, dst, options))
            equal(bench.moved(), {}, "counters for %s" % dst)


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
        wanted = {"received": 1, counter: 1}
        if counter == "hop":
            wanted["advanced"] = 1
        equal(bench.moved(), wanted, "counters")
    for value, counter in (2, "policy_drop"), (3, "policy_reject"):
        bench.using(lsrr=value)
        bench.exchange("a", ip(SRC, A, lsrr(FAR)))
        equal(bench.moved(), {"received": 1, counter: 1}, "counters")


@test("S: a hit that dies of TTL is a hop that did not advance")
def hop_without_advance():
    bench.using(lsrr=1)
    bench.moved()
    bench.exchange("a", ip(SRC, A, lsrr(FAR), ttl=1))
    equal(bench.moved(), {"received": 1, "hop": 1}, "counters")


@test("S: counters are those of the interface of arrival")
def counters_per_interface():
    bench.using(lsrr=1)
    before = bench.router.counters()
    bench.exchange("a", ip(SRC, A, lsrr(FAR)), ip(SRC, A, lsrr(FAR)))
    bench.exchange("b", ip(NEXT, A, lsrr(SRC)))
    after = bench.router.counters()
    equal([after[dev, name] - before[dev, name] for dev in "abc"
           for name in ("received", "advanced")], [2, 2, 1, 1, 0, 0],
          "received and advanced of a, b, c")


@test("S: with log_martians on, each discard is logged with its reason")
def log_martians():
    bench.using(lsrr=1)
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    ktap.cleanup(os.close, log)
    os.lseek(log, 0, os.SEEK_END)

    def lines():
        found = []
        while True:
            try:
                line = os.read(log, 8192).decode(errors="replace")
            except BlockingIOError:
                return found
            if "srcroute: a: discarded" in line:
                found.append(line.split(";", 1)[1].strip())

    bench.exchange("a", ip(SRC, A, lsrr("127.0.0.1")))
    equal(lines(), [], "lines with log_martians off")
    bench.configure("net.ipv4.conf.a.log_martians", 1)
    time.sleep(5.1)  # the kernel's own limit on such lines
    bench.exchange("a", ip(SRC, A, lsrr("127.0.0.1")))
    equal(lines(), ["srcroute: a: discarded %s -> %s: next address is not "
                    "that of one host" % (SRC, A)], "lines")


def discards_logged(log):
    """{interface: lines about discards} since the last call"""
    found = collections.Counter()
    while True:
        try:
            line = os.read(log, 8192).decode(errors="replace")
        except BlockingIOError:
            return dict(found)
        said = re.search(r"srcroute: (\w+): discarded", line)
        if said:
            found[said.group(1)] += 1


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
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    ktap.cleanup(os.close, log)
    time.sleep(5.1)  # the limit is on so many lines in five seconds
    os.lseek(log, 0, os.SEEK_END)
    other.exchange("noisy", *[ip("10.8.0.2", "10.8.0.1", lsrr("127.0.0.1"))] * 50)
    bench.exchange("a", ip(SRC, A, lsrr("127.0.0.1")))
    logged = discards_logged(log)
    check(0 < logged.get("noisy", 0) <= 20, "lines of 50: %s" % logged)
    equal(logged.get("a"), 1, "lines of the other namespace")


if __name__ == "__main__":
    ktap.main(bench.close)
