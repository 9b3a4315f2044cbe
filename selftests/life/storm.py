#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Hostile datagrams while everything around them changes. For the guests of
`make check-debug`, whose kernels notice what goes wrong; loads and unloads the
module itself.

	selftests/life/storm.py MODULE FILE		FILE is storm-corpus.py's

The datagrams go to two routers of lib/corpus.py at the same time:

  steady	Nothing that bears on them changes; its counters must be, one by
		one, what the model has predicted.
  wild		Its settings, firewall, addresses and links change all the time.

Meanwhile settings of other interfaces flip, interfaces come, go, are renamed and
move, namespaces are made and destroyed with datagrams on their way, rulesets are
loaded, all files are read.
"""

import collections
import errno
import json
import multiprocessing
import os
import random
import struct
import sys
import time
from pathlib import Path

from lib import corpus, ktap, module, rtnetlink
from lib.field import Field
from lib.ktap import check, equal, fail, test
from lib.netns import Fleeting, Wire, wait_until
from lib.nft import nft
from lib.packet import ip, lsrr, ssrr
from lib.queue import Queue

MODULE, CORPUS = sys.argv.pop(1), sys.argv.pop(1)
LINKS = [name for name, *_ in corpus.LINKS]
CONF = "/proc/sys/net/ipv4/srcroute/conf/"
SHARE = 32    # datagrams that a sender takes at once
RELOADS = 10
BETWEEN = 50  # datagrams owned from one reload to the next
PAUSE = 0.3   # seconds between two rounds of the chaos
WILD = 8      # every how manieth datagram goes to the wild router as well
# An interface, its files or its namespace may have gone meanwhile.
GONE = (errno.ENOENT, errno.ENODEV, errno.EINVAL, errno.EIO)
DOWN = (errno.ENETDOWN, errno.ENXIO, errno.ENOBUFS)

STEADY_RULES = (
    "",
    "table ip s { chain p { type filter hook prerouting priority raw; "
    "counter; } }",
    "table ip s { chain f { type filter hook forward priority 0; "
    "ip option lsrr type 131 counter; } chain o { type filter hook output "
    "priority -400; counter; } }",
)
WILD_RULES = STEADY_RULES + (
    "table ip s { chain f { type filter hook forward priority 0; "
    "ct state invalid drop; ct state established accept; "
    "ct state untracked counter accept; } }",
    "table ip s { chain n { type nat hook postrouting priority srcnat; "
    "masquerade; } chain d { type nat hook prerouting priority dstnat; "
    "udp dport 9 dnat to 10.9.0.9; } }",
    "table ip s { chain f { type filter hook forward priority 0; "
    "reject with icmp type host-prohibited; } }",
    "table ip s { chain p { type filter hook prerouting priority 0; "
    "queue num 7 bypass; } chain f { type filter hook forward priority 0; "
    "queue num 8 bypass; } }",
    "table ip s { chain p { type filter hook prerouting priority raw; "
    "meta mark set 7; ip daddr 10.1.0.0/16 drop; } }",
)

_made = {}


def steady():
    return _field("steady")


def wild():
    return _field("wild")


def _field(name):
    if name not in _made:
        _made[name] = Field(name, lsrr=1, ssrr=1)
    return _made[name]


def close():
    for field in _made.values():
        field.close()
    _made.clear()


def frames():
    """(index of the link, destination hardware address or None, octets)"""
    with open(CORPUS, "rb") as file:
        while True:
            head = file.read(9)
            if not head:
                return
            link, to, length = struct.unpack("=B6sH", head)
            yield link, to if any(to) else None, file.read(length)


def prediction():
    with open(CORPUS + ".json") as file:
        return json.load(file)


# What goes on around the datagrams. Each is a process that does one thing over
# and over, and fails if it meets an error that it should not.

class Chaos:

    def __init__(self, *actions):
        self._stop = multiprocessing.Event()
        self._rounds = {}
        self._processes = [multiprocessing.Process(
            target=self._run, args=(action, self._counter(action.__name__)))
            for action in actions]

    def _counter(self, name):
        self._rounds[name] = multiprocessing.Value("L", 0, lock=False)
        return self._rounds[name]

    def _run(self, action, rounds):
        os.sched_setaffinity(0, range(os.cpu_count()))
        os.nice(15)  # the datagrams come first
        dice = random.Random(action.__name__)
        while not self._stop.is_set():
            action(dice)
            rounds.value += 1
            time.sleep(PAUSE)

    def __enter__(self):
        for process in self._processes:
            process.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for process in self._processes:
            process.join()
        print("# rounds: " + ", ".join("%s %d" % (name, value.value) for
                                       name, value in self._rounds.items()))
        equal([p.exitcode for p in self._processes],
              [0] * len(self._processes), "exit codes of the chaos")
        check(all(value.value for value in self._rounds.values()),
              "something never came to its turn")


def attempt(action, *args, allowed=GONE):
    try:
        return action(*args)
    except OSError as error:
        if error.errno not in allowed:
            raise
        return None


def write(ns, path, value):
    attempt(ns.sysctl, path, value)


def any_value(dice, key):
    return {"lsrr": dice.randrange(5), "ssrr": dice.randrange(5),
            "mark": dice.getrandbits(32)}.get(key, dice.randrange(3))


def flip(ns, dice, interfaces):
    key = dice.choice(("lsrr", "ssrr", "nonlocal", "revisit",
                       "reverse_errors", "mark"))
    write(ns, CONF + "%s/%s" % (dice.choice(interfaces), key),
          any_value(dice, key))


def flip_others(dice):
    """Never a link of the steady router's."""
    flip(steady().router, dice, ["default", "lo", "x0", "x1", "y0", "y1"])
    write(steady().router, "net.ipv4.srcroute.router_id",
          dice.choice(("10.5.0.1", "0.0.0.0", "10.99.0.9")))


def flip_wild(dice):
    flip(wild().router, dice, ["all", "default"] + LINKS)
    write(wild().router, "/proc/sys/net/ipv4/conf/%s/forwarding" %
          dice.choice(LINKS), dice.randrange(2))


def do(action, *args):
    equal(action(*args), 0, "errno of %s%s" % (action.__name__, args))


def shuffle(dice):
    """An interface comes, gets an address and another name, visits the other
    router, goes."""
    here, there = dice.sample((steady().router, wild().router), 2)
    number = dice.randrange(2)
    x, y = "x%d" % number, "y%d" % number
    with here:
        do(rtnetlink.add_dummy, x)
        do(rtnetlink.add_address, x, "10.66.%d.1" % number, 24)
        do(rtnetlink.rename, x, y)
        if dice.randrange(2):
            do(rtnetlink.move, y, there)
            here = there
    with here:
        do(rtnetlink.delete, y)


def churn(dice):
    """A namespace goes with its settings on and datagrams on their way."""
    ns, world, address = Fleeting("churn"), Fleeting("churner"), b"\2srcrt"
    with ns:
        do(rtnetlink.add_veth, "l", address, "l", world)
        do(rtnetlink.add_address, "l", "10.1.0.1", 24)
    world.up("l")
    for key in "lsrr", "ssrr":
        write(ns, CONF + "all/" + key, dice.randrange(1, 4))
    ns.sysctl("net.ipv4.ip_forward", 1)
    wire = Wire(world, "l", address)
    for i in range(dice.randrange(40)):
        wire.send(ip("10.1.0.2", "10.1.0.1",
                     dice.choice((lsrr, ssrr))("10.1.0.9"), ident=i))
    for gone in dice.sample((ns, world), 2):
        gone.close()
    wire.sock.close()


def load_rules(field, rules):
    nft(field.router, "flush ruleset\n" + rules)


def reload_steady_rules(dice):
    load_rules(steady(), dice.choice(STEADY_RULES))


def reload_wild_rules(dice):
    load_rules(wild(), dice.choice(WILD_RULES))


def pull_links(dice):
    link = dice.choice(LINKS)
    with wild().router:
        do(rtnetlink.set_up, link, False)
        do(rtnetlink.set_up, link)
        do(rtnetlink.add_address, link, "10.67.0.%d" % dice.randrange(1, 9), 24)


def answer_queue(_dice):
    queue = Queue(wild().router, 7)
    try:
        queue.wait(20, 0.3)
    except TimeoutError:
        pass  # the rules of the moment may have none
    queue.accept()
    queue.close()


def read_all(_dice):
    for field in steady(), wild():
        attempt(field.router.counters)
        with field.router:
            for where, _, files in os.walk("/proc/sys/net/ipv4/srcroute"):
                for name in files:
                    attempt(Path(where, name).read_text)


AROUND = (flip_others, flip_wild, shuffle, churn, reload_steady_rules,
          reload_wild_rules, pull_links, answer_queue, read_all)


# The datagrams

def send_share(processor, taken):
    """What no other sender has taken, a few at a time, so that all are busy to
    the end and every link has two of them."""
    os.sched_setaffinity(0, {processor})
    wires = [(steady().wires[name], wild().wires[name]) for name in LINKS]
    mine = False
    for number, (link, to, octets) in enumerate(frames()):
        if number % SHARE == 0:
            with taken.get_lock():
                mine = taken.value == number
                taken.value += SHARE * mine
        if mine:
            for wire in wires[link][:1 if number % WILD else 2]:
                attempt(wire.send, octets, to, allowed=DOWN)


def deaf():
    """Nobody listens to what the routers send, neither a socket nor the far
    end itself: its time is the routers'."""
    for field in steady(), wild():
        for name, wire in field.wires.items():
            field.wires[name] = Wire(field.world, name, wire.to, 0)
            wire.sock.close()
        field.world.ip(*["link set dev %s address 02:00:00:00:66:%02x" % (
            name, i) for i, name in enumerate(field.wires)])


def send_all(total):
    taken = multiprocessing.Value("L", 0)
    senders = [multiprocessing.Process(target=send_share, args=(i, taken))
               for i in range(os.cpu_count())]
    for sender in senders:
        sender.start()
    while any(sender.is_alive() for sender in senders):
        time.sleep(5)
        print("# sent %d of %d" % (min(taken.value, total), total),
              flush=True)
    equal([sender.exitcode for sender in senders], [0] * len(senders),
          "exit codes of the senders")


def counters(field):
    return {"%s %s" % key: value for key, value in
            field.router.counters().items() if value and key[0] in LINKS}


def received(field):
    return sum(value for key, value in counters(field).items()
               if key.endswith(" received"))


@test("S: in a storm, the counters are what was sent, datagram by datagram")
def storm():
    module.load(MODULE)
    plan = prediction()
    print("# %d datagrams, seed %d" % (plan["count"], plan["seed"]))
    steady(), wild()
    deaf()
    with Chaos(*AROUND):
        send_all(plan["count"])
    wait_until(lambda: _settled(steady()), what="quiet counters", seconds=60)
    got = counters(steady())
    # By which link a suppressed error would have left, the model does not say.
    differing = {key: (got.get(key, 0), plan["counters"].get(key, 0))
                 for key in set(got) | set(plan["counters"])
                 if got.get(key, 0) != plan["counters"].get(key, 0) and
                 not key.endswith("icmp_suppressed")}
    equal(differing, {}, "counters that differ (got, predicted)")
    print("# counted: %d owned of %d sent to the steady router" % (
        received(steady()), plan["count"]))


def _settled(field):
    before = counters(field)
    time.sleep(0.5)
    return counters(field) == before


@test("S: of what the wild router has received nothing is counted twice")
def wild_sums():
    got = counters(wild())
    sums = collections.Counter()
    for key, value in got.items():
        sums[key.split()[1]] += value
    print("# wild: " + ", ".join("%s %d" % i for i in sorted(sums.items())))
    sent = prediction()["count"]
    check(0 < sums["received"] <= sent, "received %d of %d" % (
        sums["received"], sent))


# The module goes and comes

def send_forever(dice):
    for link, to, octets in frames():
        for field in steady(), wild():
            attempt(field.wires[LINKS[link]].send, octets, to, allowed=DOWN)
        if dice.random() < .001:
            return


def turn_on(field):
    for key in "lsrr", "ssrr":
        field.router.sysctl(CONF + "all/" + key, 1)


@test("Interface: the module is unloaded and loaded in a storm")
def reloads():
    owned = 0
    with Chaos(send_forever, flip_others, flip_wild, shuffle, churn,
               reload_wild_rules, answer_queue, read_all):
        for number in range(RELOADS):
            module.unload()
            module.load(MODULE)
            for field in steady(), wild():
                turn_on(field)
            wait_until(lambda: received(steady()) >= BETWEEN, seconds=120,
                       what="datagrams after a reload")
            owned += received(steady())
            print("# reload %d of %d" % (number + 1, RELOADS), flush=True)
    print("# %d reloads, %d datagrams owned between them" % (RELOADS, owned))


@test("Interface: after the storm nothing holds the module, nor any memory")
def afterwards():
    equal(module.references(), 0, "references")
    close()
    module.unload()
    slack = 2000  # kernel and shell keep some hundreds; a leak grows
    left = []

    def settled():
        left[:] = grown(slack).items()
        return not left
    try:
        wait_until(settled, seconds=60, what="memory")
    except TimeoutError:
        fail("objects that are left, by cache: %s" % left)


# What lies in memory, for a storm too long for kmemleak

CACHES = Path("/sys/kernel/slab")
# A pool that is filled at need, and one object for each of any other cache.
DEBUGGERS = "debug_objects_cache", "kmemleak_object"


def objects(shrink):
    """How many there are in each of the kernel's caches, but for those that it
    gives up when memory is short; after some have lost what is free, or dead
    and kept by KASAN."""
    for name in shrink:
        (CACHES / name / "shrink").write_text("1")
    with open("/proc/slabinfo") as file:
        rows = [line.split() for line in file][2:]
    return {row[0]: int(row[1]) for row in rows
            if row[0] not in DEBUGGERS and
            not int((CACHES / row[0] / "reclaim_account").read_text())}


def grown(slack):
    """{cache: by how many objects}, of those that have by more"""
    def more(now):
        return {name: count - before.get(name, 0)
                for name, count in now.items()
                if count - before.get(name, 0) > slack}
    return more(objects(more(objects([]))))


def first_use():
    """What the kernel sets up once, at the first use of something, stays."""
    module.load(MODULE)
    for rules in WILD_RULES:
        load_rules(wild(), rules)
    for action in AROUND:
        action(random.Random(0))
    close()
    module.unload()


if __name__ == "__main__":
    first_use()
    before = objects(os.listdir(CACHES))
    ktap.main(close)
