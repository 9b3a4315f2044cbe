#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Two processors forward hits at once: how much more than one? For scripts/bench,
in a guest with two processors and no other work beside it.

    selftests/cost/processors.py MODULE

Prints a line of JSON. Time is that of this machine, so only the ratio of
measurements that alternate counts.
"""

import json
import statistics
import sys

from lib.inject import CASES, TOOLS, Router, srcroute
from lib.netns import cable

MODULE = sys.argv[1]
CASE = CASES["LSRR, 1 slot"]
ROUNDS = 15
SAMPLES = 200  # of 256 datagrams
FRAMES = "/run/frames"


def rate(router, *interfaces):
    """Datagrams in a nanosecond, of all processors at once, one for each
    interface."""
    out = router.run("%s/inject %s/frames.bpf.o 64 %d %s <%s" % (
        TOOLS, TOOLS, SAMPLES, " ".join(interfaces), FRAMES))
    return sum(1 / float(line.split()[0]) for line in out.splitlines())


def main():
    router = Router(destinations=1)
    cable(router, "in2", router.far, "far2")
    router.run("ethtool -K in2 gro on")
    router.ip("link set in2 address 02:00:00:00:00:01")
    with open(FRAMES, "wb") as file:
        file.write(router.frames(CASE, 1))
    with srcroute(router, MODULE, lsrr=1, ssrr=1):
        ratios = []
        for _ in range(ROUNDS):
            one = rate(router, "in")
            ratios.append(rate(router, "in", "in2") / one)
    router.close()
    print(json.dumps({"ratio": round(statistics.median(ratios), 3),
                      "rounds": [round(ratio, 3) for ratio in ratios]}))


if __name__ == "__main__":
    main()
