#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What other processors and put-off work still use is not gone too early. For the
guests of `make check-debug`: needs two processors, of which it takes one offline,
and loads and unloads the module itself.

	selftests/life/lifetimes.py MODULE
"""

import os
import sys
import time

from lib import ktap, module, rcu
from lib.beside import beside, use_processor
from lib.ktap import check, equal, fail, test
from lib.netns import Netns
from lib.nft import nft
from lib.packet import edit, ip, lsrr
from lib.standard import A, B, FAR, SRC, StandardBench, expect

MODULE = sys.argv.pop(1)
HIT = ip(SRC, A, lsrr(FAR))
ADVANCED = edit(HIT, dst=FAR, options=lsrr(B, ptr=8), ttl=63)
ONLINE = "/sys/devices/system/cpu/cpu1/online"
CONF, CONF_FILES = "net.ipv4.srcroute.conf.", "/proc/sys/net/ipv4/srcroute/conf/"

keeper = module.keep_hooks()
module.load(MODULE)
bench = StandardBench()
bench.set(lsrr=1, ssrr=1)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def attempt(path, text):
    try:
        write(path, text)
    except FileNotFoundError:
        time.sleep(0.01)


@test("S: what a processor has counted stays when it is taken offline")
def offline():
    ktap.cleanup(use_processor, 0)
    use_processor(1)
    bench.moved()
    expect(bench.exchange("a", HIT), {"b": [ADVANCED]})
    use_processor(0)
    expect(bench.exchange("a", HIT), {"b": [ADVANCED]})
    before = bench.router.counters()
    equal(bench.moved(), {"received": 2, "hop": 2}, "counters")
    write(ONLINE, "0")
    ktap.cleanup(write, ONLINE, "1")
    equal(bench.router.counters(), before, "counters of one processor less")
    expect(bench.exchange("a", HIT), {"b": [ADVANCED]})
    equal(bench.moved(), {"received": 1, "hop": 1}, "counters")


@test("S: interfaces go while another processor reads their counters")
def read_while_they_go():
    ns = Netns("read")
    ktap.cleanup(ns.close)
    names = ["d%d" % number for number in range(50)]
    with ns:
        beside(ns.counters)
        for _ in range(10):
            ns.ip(*["link add name %s group 7 type dummy" % n for n in names])
            check(("d49", "received") in ns.counters(), "no counters")
            ns.ip("link del group 7")
        equal({dev for dev, _ in ns.counters()}, {"lo"}, "who has counters")


def slow_routes(count):
    """Each lookup looks at so many rules first: long enough for a switch to
    fall between the first hook and the last."""
    lines = ["rule %%s pref %d from 10.250.%d.%d lookup 250" % (
        1000 + n, n >> 8, n & 255) for n in range(count)]
    bench.router.ip(*[line % "add" for line in lines])
    ktap.cleanup(bench.router.ip, *[line % "del" for line in lines])


@test("C3: a datagram that the first hook has let in is rewritten, also if the "
      "last setting is switched off meanwhile")
def switched_off():
    slow_routes(2000)
    beside(lambda: bench.send("a", *[HIT] * 16))
    wire, got = bench.wires["b"], 0
    for _ in range(60):
        bench.set(lsrr=1)
        time.sleep(0.05)
        bench.set(lsrr=0, ssrr=0)
        while True:
            datagram = wire.receive(0)
            if datagram is None:
                break
            got += 1
            expect({"b": [datagram]}, {"b": [ADVANCED]})
    print("# %d datagrams" % got)
    check(got > 50, "only %d datagrams have come" % got)


@test("Interface: an unload waits for what has been put off before it takes down the "
      "namespaces, however soon the kernel is through with its readers")
def put_off():
    rcu.expedited()
    ns = Netns("many")
    ktap.cleanup(ns.close)
    ns.ip(*["link add name d%d type dummy" % i for i in range(10)])
    rcu.hold_callbacks(3)
    ran = module.order_of_end(module.unload)
    check(len(ran) > 10, "only %d have run" % len(ran))
    equal(ran.index("srcroute_netns_exit"), len(ran) - 1, "what is last")
    module.load(MODULE)
    equal(ns.sysctl(CONF + "d9.lsrr"), "0", "lsrr")


def crowd(ns, count):
    """So many chains in PRE_ROUTING."""
    nft(ns, "table ip crowd { %s }" % " ".join(
        "chain c%d { type filter hook prerouting priority 0; }" % i
        for i in range(count)))


def write_when_interfaces_go():
    """A write before that makes up for the interface that there was no room for."""
    use_processor(0)  # the other one is kept busy
    if not os.path.exists(CONF_FILES + "lo"):
        attempt(CONF_FILES + "all/mark", "1")


@test("Interface: a write that comes while the module is unloaded brings no interface back")
def write_while_it_goes():
    rcu.expedited()
    ns = Netns("crowd")
    ktap.cleanup(ns.close)
    ns.sysctl(CONF + "default.lsrr", 1)
    crowd(ns, 1024)  # the most that netfilter takes
    try:
        ns.ip("link add name d0 type dummy")
        fail("there is room for more hooks")
    except RuntimeError:
        nft(ns, "flush ruleset")
    with ns:
        beside(write_when_interfaces_go)
        rcu.hold_callbacks(3)
        module.unload()
        check(not os.path.exists(CONF_FILES), "files are left")
    module.load(MODULE)
    ns.ip("link add name d0 type dummy")
    equal(ns.sysctl(CONF + "d0.lsrr"), "0", "lsrr")


def close():
    bench.close()
    module.unload()


if __name__ == "__main__":
    ktap.main(close)
