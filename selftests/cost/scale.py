#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a hit costs as a router grows, and what we take of memory and time. For
scripts/bench/measure, in a guest.

    selftests/cost/scale.py MODULE [SERIES...]

MODULE is not yet loaded. SERIES: interfaces namespaces addresses routes.
Prints a line of JSON for every size.
"""

import ctypes
import json
import os
import sys
import time

from lib import module
from lib.inject import CASES, Router, srcroute
from lib.netns import Netns

MODULE = sys.argv[1]
HIT, PLAIN = CASES["LSRR, 1 slot"], CASES["ordinary"]
_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
QUIET = 500000  # instructions in 100 ms


def busy():
    """What all tasks have run, in instructions; waiting is not in it."""
    time.sleep(0.001)  # this one is counted when it stops
    with open("/proc/schedstat") as file:
        return next(int(line.split()[7]) for line in file
                    if line.startswith("cpu0 "))


def instructions(call, *args):
    start = busy()
    call(*args)
    return busy() - start


def kernel_memory():
    """Octets in slabs and per-CPU areas."""
    with open("/proc/meminfo") as file:
        fields = dict(line.split(":") for line in file)
    return sum(1024 * int(fields[key].split()[0]) for key in ("Slab", "Percpu"))


def cost(router):
    return {"hit": router.inject(HIT)[0], "ordinary": router.inject(PLAIN)[0]}


def of_loading():
    """What the module takes when it finds what is there now."""
    before = kernel_memory()
    took = instructions(module.load, MODULE)
    result = {"load": took, "memory": kernel_memory() - before}
    module.unload()
    return result


def of_writing(router):
    """A write to conf.all that leaves the hooks as they are."""
    def write(value):
        with router, open("/proc/sys/net/ipv4/srcroute/conf/all/lsrr",
                          "w") as file:
            file.write(value)
    write("2")
    return {"write": instructions(write, "1")}


def settle():
    """The kernel ends a namespace behind our back: wait for it to rest."""
    before, now = 0, busy()
    while now - before > QUIET:
        time.sleep(0.1)
        before, now = now, busy()


def of_leaving(interfaces):
    """The end of a namespace."""
    away = Netns("away")
    away.ip(*["link add gone%d type dummy" % i for i in range(interfaces)])
    settle()

    def leave():
        away.close()
        settle()
    return instructions(leave)


def interfaces(router):
    there = 0
    for number in 1, 10, 100, 1000:
        router.ip(*["link add more%d type dummy" % i
                    for i in range(there, number)])
        there = number
        result = of_loading()
        result["exit without"] = of_leaving(number)
        with srcroute(router, MODULE, lsrr=1, ssrr=1):
            result.update(cost(router))
            result.update(of_writing(router))
            result["exit"] = of_leaving(number)
        yield number, result


def namespaces(router):
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    others = []
    for number in 1, 50, 500:
        while len(others) < number - 1:
            if _libc.unshare(_CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "unshare")
            others.append(os.open("/proc/self/ns/net", os.O_RDONLY))
            _libc.setns(home, _CLONE_NEWNET)
        result = of_loading()
        with srcroute(router, MODULE, lsrr=1, ssrr=1):
            for fd in others:
                _libc.setns(fd, _CLONE_NEWNET)
                with open("/proc/sys/net/ipv4/srcroute/conf/all/lsrr",
                          "w") as file:
                    file.write("1")
            _libc.setns(home, _CLONE_NEWNET)
            result.update(cost(router))
        yield number, result
    for fd in others:
        os.close(fd)


def addresses(router):
    """Half of them each on the interface of arrival and on that of egress."""
    there = 1
    with srcroute(router, MODULE, lsrr=1, ssrr=1):
        for number in 1, 100, 10000:
            router.ip(*["addr add 10.77.%d.%d/32 dev %s" %
                        (i // 250, 1 + i % 250, "out" if i % 2 else "in")
                        for i in range(there, number)])
            there = number
            yield number, cost(router)


def routes(router):
    there = 0
    with srcroute(router, MODULE, lsrr=1, ssrr=1):
        for number in 10, 1000, 100000:
            router.ip(*["route add 11.%d.%d.%d/32 dev out" %
                        (i >> 16, i >> 8 & 255, i & 255)
                        for i in range(there, number)])
            there = number
            yield number, cost(router)


def main():
    for series in interfaces, namespaces, addresses, routes:
        if sys.argv[2:] and series.__name__ not in sys.argv[2:]:
            continue
        router = Router(destinations=1)
        for size, result in series(router):
            result.update({"series": series.__name__, "size": size})
            print(json.dumps(result), flush=True)
        router.close()


if __name__ == "__main__":
    main()
