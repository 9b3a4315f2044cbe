#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Where the instructions of a forwarded datagram go, function by function. For
`scripts/bench/measure profile`, in a guest.

    selftests/cost/hotspots.py MODULE CASE [native|absent|on]

perf samples the program counter by the guest's clock, which is the count of
instructions, so a function's share of the samples is its share of them.
"""

import bisect
import collections
import contextlib
import subprocess
import sys

from lib.inject import CASES, TOOLS, Router, srcroute
from lib.netns import sh

MODULE, CASE = sys.argv[1:3]
STATE = sys.argv[3] if len(sys.argv) > 3 else "on"
DATA, FRAMES = "/run/perf.data", "/run/frames"
SAMPLES = 1000  # of 256 datagrams
PERIOD = 50000  # samples of the program counter in 10^9 instructions


def symbols():
    """Sorted addresses and names of the kernel's functions, ours marked."""
    found = []
    with open("/proc/kallsyms") as file:
        for line in file:
            address, kind, name, *of = line.split()
            if kind in "tTwW":
                ours = of == ["[nf_srcroute]"]
                found.append((int(address, 16), "* " * ours + name))
    return zip(*sorted(found))


def sampled():
    """How many samples lie in which function, those in user space left out."""
    addresses, names = symbols()

    def function(address):
        i = bisect.bisect(addresses, address) - 1
        # Compiled BPF lies behind all that has a name.
        return names[i] if address - addresses[i] < 1 << 16 else "(injecting)"

    script = subprocess.run(["perf", "script", "-i", DATA, "-F", "comm,ip"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True, check=True)
    count = collections.Counter()
    for line in script.stdout.splitlines():
        fields = line.split()
        if fields[:1] != ["inject"] or int(fields[-1], 16) < 1 << 63:
            continue
        count[function(int(fields[-1], 16))] += 1
    return count


def state(router):
    if STATE == "on":
        return srcroute(router, MODULE, lsrr=1, ssrr=1)
    for dev in ("all", "in"):
        router.sysctl("net.ipv4.conf.%s.accept_source_route" % dev,
                      int(STATE == "native"))
    return contextlib.nullcontext()


def main():
    router = Router(destinations=1)
    case = CASES[CASE]
    with state(router):
        cost = router.inject(case)[0]
        with open(FRAMES, "wb") as file:
            file.write(router.frames(case, 1))
        router.run("perf record -q -a -e cpu-clock -F %d -o %s %s/inject "
                   "%s/frames.bpf.o 1 %d in <%s" % (
                       PERIOD, DATA, TOOLS, TOOLS, SAMPLES, FRAMES))
        count = sampled()
    router.close()
    total = sum(count.values())
    ours = sum(n for name, n in count.items() if name.startswith("*"))
    print("%s, %s: %.0f instructions per datagram, %.0f of them ours (*)" % (
        CASE, STATE, cost, cost * ours / total))
    for name, n in count.most_common(70):
        print("%7.0f  %s" % (cost * n / total, name))
    sh(["rm", DATA, FRAMES])


if __name__ == "__main__":
    main()
