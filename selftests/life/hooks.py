#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Random and broken datagrams, put in ahead of, between and behind the hooks, and
past all checks of the kernel's. For the guests of `make check-debug`, whose
kernels notice what goes wrong; loads and unloads the module itself.

	selftests/life/hooks.py MODULE SEED COUNT

Two routers of lib/thrower.py, one for each processor, get a half of COUNT each.
SRCROUTE_WAYS in the environment names the ways in to take, instead of all.
Their settings change from phase to phase; so do firewall, IPsec policies and
whether packet sockets listen, so that datagrams are shared.
"""

import collections
import multiprocessing
import os
import random
import sys
import time
import traceback

from lib import features, ktap, module
from lib.ktap import check, equal, test
from lib.netns import sh
from lib.nft import nft
from lib.standard import StandardBench
from lib.thrower import Thrower, ways

MODULE, SEED, COUNT = sys.argv.pop(1), int(sys.argv.pop(1)), \
    int(sys.argv.pop(1))
WAYS = ways(os.environ.get("SRCROUTE_WAYS", "").split())
PHASE = 4000  # datagrams with the same settings; there may be 65,000
OUTCOMES = ("hop", "transit", "local", "policy_drop", "policy_reject",
            "bad_option", "strict_transit", "bad_next", "no_route",
            "not_adjacent", "nonlocal", "revisit", "bad_source", "no_memory",
            "ttl_exceeded", "frag_needed", "nested", "not_accepted")
RARE = "no_memory", "frag_needed", "nested", "not_accepted"

# What else there may be. Conntrack takes datagrams away, to reassemble them. In
# the place of a datagram whose options the kernel has compiled another may be
# put with other options, or none. The kernel's own errors about such a one write
# beyond their stack, so nothing is to be rejected there. And it takes for granted
# that what comes out of End.DX4 keeps its route, which NAT drops when it translates
# an address back.
COMPANY = (
    "", "", "",
    "chain f { type filter hook forward priority 0; ct state invalid drop; }",
    "chain p { type filter hook prerouting priority raw; "
    "iifname tx notrack; } "
    "chain n { type nat hook postrouting priority srcnat; masquerade; }",
    "chain p { type filter hook prerouting priority raw; "
    "ip option lsrr type 131 counter; ip option rr type 7 counter; } "
    "chain f { type filter hook forward priority 10; "
    "iifname != { q4, q5 } reject with icmp type host-prohibited; }",
)
_NULL = "enc ecb(cipher_null) '' auth digest_null ''"
IPSEC = (
    (), (), (),
    ("policy add dir fwd src 0.0.0.0/0 dst 10.9.0.0/16 action block",
     "policy add dir out src 0.0.0.0/0 dst 10.10.0.0/16 action block"),
    ("policy add dir out src 0.0.0.0/0 dst 10.9.0.0/16 tmpl src 10.2.0.1 "
     "dst 10.2.0.2 proto esp mode tunnel",
     "state add src 10.2.0.1 dst 10.2.0.2 proto esp spi 4660 mode tunnel " +
     _NULL),
)


class Sums:
    """What a worker has found."""

    def __init__(self):
        self.ways = {way.name: collections.Counter() for way in WAYS}
        self.counters = collections.Counter()
        self.wrong = []
        self.faults = 0

    def add(self, other):
        for name, tally in other.ways.items():
            self.ways[name].update(tally)
        self.counters.update(other.counters)
        self.wrong += other.wrong
        self.faults += other.faults


def moved(field, before):
    now = field.router.counters()
    return now, {key: value - before.get(key, 0) for key, value in now.items()}


def parse(line):
    return {key: int(value) for key, value in
            (word.split("=") for word in line.split())}


class Worker:

    def __init__(self, number, progress, checked):
        os.sched_setaffinity(0, {number})
        self.seed = SEED * 16 + number
        self.dice = random.Random(self.seed)
        self.progress = progress
        self.sums = Sums()
        self.field = Thrower("throw", self.seed, WAYS, checked)
        self.before = self.field.router.counters()

    def surroundings(self):
        """Other ones; do they leave datagrams where they are?"""
        company = self.dice.choice(COMPANY)
        nft(self.field.router, "table ip company\ndelete table ip company\n" +
            ("table ip company { %s }" % company if company else ""))
        self.field.router.ip("xfrm policy flush", "xfrm state flush",
                             *["xfrm " + line for line in
                               self.dice.choice(IPSEC)])
        return not company

    def phase(self, count):
        exact = self.surroundings()
        self.field.choose(self.dice)
        listen, gso = self.dice.random() < .4, self.dice.randrange(2)
        lines = self.field.ask("phase", count, int(exact), int(listen), gso)
        self.before, by = moved(self.field, self.before)
        tallies = {}
        for line in lines:
            what, rest = line.split(" ", 1)
            if what == "tally":
                name, rest = rest.split(" ", 1)
                tallies[name] = parse(rest)
            elif what == "fault":
                self.sums.faults += 1
                self.wrong(rest)
        for way in WAYS:
            self.judge(way, tallies[way.name], by, exact)
        self.judge_counters(by)
        return sum(tally["sent"] for tally in tallies.values())

    def wrong(self, text):
        self.sums.wrong.append(text)
        if len(self.sums.wrong) < 20:
            print("# wrong: " + text, flush=True)

    def judge(self, way, tally, by, exact):
        def count(counter):
            return sum(by.get((dev, counter), 0) for dev in way.counted)
        tally = dict(tally, owned=count("received"))
        self.sums.ways[way.name].update(tally)
        if not (way.exact and exact):
            return
        taken = count("received") - count("local")
        if taken != tally["gone"]:
            self.wrong("%s: counters say that %d were taken, %d are gone" % (
                way.name, taken, tally["gone"]))
        if not tally["surely"] <= tally["owned"] <= \
                tally["sent"] - tally["never"]:
            self.wrong("%s: owned %d, but must be at least %d and at most %d"
                       % (way.name, tally["owned"], tally["surely"],
                          tally["sent"] - tally["never"]))

    def judge_counters(self, by):
        for dev in {dev for dev, _ in by}:
            outcomes = sum(by.get((dev, name), 0) for name in OUTCOMES)
            if by[dev, "received"] != outcomes:
                self.wrong("%s: received %d, outcomes %d" % (
                    dev, by[dev, "received"], outcomes))
        for (_, name), value in by.items():
            self.sums.counters[name] += value

    def run(self, count):
        done = 0
        while done < count:
            sent = self.phase(min(PHASE, count - done))
            done += sent
            with self.progress.get_lock():
                self.progress.value += sent
            if not sent:
                self.wrong("nothing could be put in")
                break
        self.field.close()
        return self.sums


def work(number, count, progress, results, checked):
    try:
        results.put(Worker(number, progress, checked).run(count))
    except Exception:
        results.put(traceback.format_exc())


def queues_are_checked():
    """Then what a queue gives back has the options that it has got."""
    bench = StandardBench()
    try:
        checked = not features.queue_takes_options(bench)
    finally:
        bench.close()
    print("# what queues give back the kernel %s" % (
        "checks, as since Linux 7.2" if checked else "takes as it is"))
    return checked


def throw():
    """By all processors, with a line now and then."""
    processors = os.cpu_count()
    checked = queues_are_checked()
    progress, results = multiprocessing.Value("L", 0), multiprocessing.Queue()
    workers = [multiprocessing.Process(
        target=work, args=(i, COUNT // processors, progress, results, checked))
        for i in range(processors)]
    start = said = time.monotonic()
    for worker in workers:
        worker.start()
    sums, left = Sums(), processors
    while left:
        time.sleep(.5)
        while not results.empty():
            result = results.get()
            check(isinstance(result, Sums), result)
            sums.add(result)
            left -= 1
        check(left <= sum(w.is_alive() for w in workers) + results.qsize(),
              "a worker has ended")
        if time.monotonic() - said > 10 or not left:
            said = time.monotonic()
            print("# put in %d of %d, %.0f a second" % (
                progress.value, COUNT, progress.value / (said - start)),
                flush=True)
    for worker in workers:
        worker.join()
    return sums


result = Sums()


@test("O1: what is not ours is the same behind every hook, and is there; "
      "what is ours is counted")
def untouched():
    print("# seed %d: selftests/life/hooks.py MODULE %d %d repeats it" % (
        SEED, SEED, COUNT))
    sh(["modprobe", "tun"])  # its device file is not there until then
    module.load(MODULE)
    result.add(throw())
    equal(result.wrong, [], "what is wrong")
    equal(result.faults, 0, "faults")


@test("S: all counters have moved, and add up")
def counters():
    print("# " + ", ".join("%s %d" % i for i in
                           sorted(result.counters.items())))
    if "SRCROUTE_WAYS" in os.environ:
        return
    never = [name for name in OUTCOMES if name not in RARE and
             not result.counters[name]]
    equal(never, [], "counters that have not moved")


@test("O1: every way in was taken, and led to our hooks")
def taken():
    print("# %-15s %8s %8s %8s %8s %8s %8s" % (
        "way", "sent", "accepted", "owned", "never", "changed", "copied"))
    bad = []
    for way in WAYS:
        tally = result.ways[way.name]
        accepted = tally["seen"] + tally["gone"]
        print("# %-15s %8d %8d %8d %8d %8d %8d" % (
            way.name, tally["sent"], accepted, tally["owned"],
            tally["never"], tally["changed"], tally["copied"]))
        if accepted < tally["sent"] * .5:
            bad.append("%s: %d of %d accepted" % (way.name, accepted,
                                                  tally["sent"]))
        # What End.DX4 hands over has a route of IPv6, so it is not ours.
        if way.counted and way.name != "dx4" and not tally["owned"]:
            bad.append(way.name + ": none owned")
    equal(bad, [], "ways in")


@test("Interface: nothing holds the module afterwards")
def afterwards():
    equal(module.references(), 0, "references")
    module.unload()


if __name__ == "__main__":
    ktap.main()
