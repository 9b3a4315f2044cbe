#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The module comes and goes, under traffic and with things held open. For the
guests of `make check-debug`; loads and unloads the module itself.

	selftests/life/reload.py MODULE [RELOADS]
"""

import multiprocessing
import os
import sys
import time

from lib import ktap, module
from lib.ktap import equal, test
from lib.packet import edit, ip, lsrr
from lib.queue import Queue
from lib.standard import A, B, FAR, SRC, StandardBench, expect

MODULE = sys.argv.pop(1)
RELOADS = int(sys.argv.pop(1)) if len(sys.argv) > 1 else 1000
HIT = ip(SRC, A, lsrr(FAR))
BURST = [HIT] * 16
ADVANCED = edit(HIT, dst=FAR, options=lsrr(B, ptr=8), ttl=63)

keeper = module.keep_hooks()
module.load(MODULE)
bench = StandardBench()


def load():
    module.load(MODULE)
    bench.set(lsrr=1, ssrr=1)


def works():
    bench.set(lsrr=1, ssrr=1)
    expect(bench.exchange("a", HIT), {"b": [ADVANCED]})


def traffic(stop, sent):
    """In bursts, because an unload waits for processors to rest."""
    while not stop.is_set():
        bench.send("a", *BURST)
        sent.value += len(BURST)
        time.sleep(0.001)


@test("Interface: unloaded and loaded again and again under traffic, the "
      "module works each time")
def again_and_again():
    os.sched_setaffinity(0, range(os.cpu_count()))
    stop = multiprocessing.Event()
    sent = multiprocessing.Value("L", 0, lock=False)
    sender = multiprocessing.Process(target=traffic, args=(stop, sent))
    sender.start()
    ktap.cleanup(sender.join)
    ktap.cleanup(stop.set)
    said, owned, idle = time.monotonic(), 0, 0
    for number in range(RELOADS):
        module.unload()
        load()
        before = sent.value
        while sent.value < before + 2 * len(BURST):  # one of them is whole
            time.sleep(0.001)
        hits = bench.router.counters()["a", "hop"]
        owned += hits
        idle += not hits
        if time.monotonic() - said > 10:
            said = time.monotonic()
            print("# reload %d of %d" % (number + 1, RELOADS), flush=True)
    print("# %d reloads, %d datagrams sent, %d of them rewritten" % (
        RELOADS, sent.value, owned))
    equal(idle, 0, "loads after which nothing was rewritten")


def drain():
    """What the traffic has left: more than the socket holds, so that a marker
    may be lost."""
    while bench.wires["b"].receive(0.5) is not None:
        pass


@test("C3: an unload while datagrams wait in queues is safe; verdicts that "
      "come later are for nothing")
def queued():
    drain()
    for hook in "prerouting priority 0", "forward priority 0":
        works()
        bench.router.run("nft -f -", input="table ip t { chain c { type filter "
                         "hook %s; ip saddr 10.1.0.2 queue num 3\n}\n}\n"
                         % hook)
        ktap.cleanup(bench.router.run, "nft delete table ip t", False)
        queue = Queue(bench.router, 3)
        bench.send("a", HIT, HIT)
        queue.wait(2)
        module.unload()
        queue.accept()
        queue.close()
        bench.router.run("nft delete table ip t")
        for datagram in bench.collect().get("b", ()):
            # One that waited in FORWARD had been rewritten.
            equal(datagram, ADVANCED, "datagram that waited")
        load()
    works()


@test("Interface: an unload does not wait for files that are held open")
def held_open():
    works()
    with bench.router:
        held = [open(path) for path in
                ("/proc/thread-self/net/srcroute",
                 "/proc/sys/net/ipv4/srcroute/conf/all/lsrr")]
    module.unload()
    for file in held:
        try:
            text = file.read()
        except OSError:
            text = ""
        equal(text, "", "what %s still says" % file.name)
        file.close()
    load()
    works()


@test("Interface: settings and namespaces hold no reference to the module")
def references():
    works()
    equal(module.references(), 0, "references")


def close():
    bench.close()
    module.unload()


if __name__ == "__main__":
    ktap.main(close)
