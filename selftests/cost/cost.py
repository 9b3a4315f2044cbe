#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What forwarding costs, in instructions per datagram, with us, with native
Linux, and without either. For scripts/bench/measure, in a guest.

    selftests/cost/cost.py MODULE FLOOR [--key] [WORD...]

MODULE is not yet loaded; FLOOR is where the modules of selftests/bench/floor
are. --key: only what `make check` looks at. WORDs select states and cases by
name. Prints a line of JSON for every measurement.
"""

import contextlib
import json
import sys

from lib.inject import CASES, MANY, Router, module, srcroute

MODULE, FLOOR = sys.argv[1:3]
KEY = "--key" in sys.argv
WORDS = [word for word in sys.argv[3:] if word != "--key"]

PLAIN = {"ordinary", "No Operation"}
KEY_CASES = PLAIN | {"LSRR, 1 slot", "SSRR, 1 slot", "LSRR and RR", "transit"}


# States of the machine


def absent(_):
    return contextlib.nullcontext()


def off(router):
    return srcroute(router, MODULE)


def on(router):
    return srcroute(router, MODULE, lsrr=1, ssrr=1)


def empty_hooks(_):
    return module(FLOOR + "/emptyhooks.ko")


def bare(_):
    return module(FLOOR + "/barehits.ko")


@contextlib.contextmanager
def native(router):
    keys = ["net.ipv4.conf.%s.accept_source_route" % dev
            for dev in ("all", "in")]
    for key in keys:
        router.sysctl(key, 1)
    try:
        yield
    finally:
        for key in keys:
            router.sysctl(key, 0)


RULES = """
table ip filter {
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        ct state invalid drop
        iifname "in" oifname "out" accept
    }
}
"""


@contextlib.contextmanager
def firewall(router):
    router.run("nft -f -", input=RULES)
    try:
        yield
    finally:
        router.run("nft flush ruleset")


STATES = [
    # name, what makes it, cases, a firewall beside it
    ("absent", absent, PLAIN, False),
    ("off", off, PLAIN, False),
    ("empty hooks", empty_hooks, PLAIN, False),
    ("on", on, set(CASES), False),
    ("native", native, set(CASES), False),
    ("bare", bare, {"LSRR, 1 slot"}, False),
    ("absent", absent, {"ordinary"}, True),
    ("empty hooks", empty_hooks, {"ordinary"}, True),
    ("on", on, {"ordinary"}, True),
]


def measure(router, state, case, wall):
    for batch in (1,) if KEY else (1, 64):
        for destinations in (1,) if KEY else (1, MANY):
            result = {"state": state, "firewall": wall, "case": case.name,
                      "batch": batch, "destinations": destinations}
            result.update(router.verify(case, batch, destinations))
            result["cost"] = router.inject(case, batch, destinations)[0]
            print(json.dumps(result), flush=True)


def chosen(state, case):
    if KEY and case not in KEY_CASES:
        return False
    return not WORDS or state in WORDS or case in WORDS


def main():
    router = Router()
    try:
        for name, state, names, wall in STATES:
            cases = [case for case in CASES.values()
                     if case.name in names and chosen(name, case.name)]
            with contextlib.ExitStack() as stack:
                stack.enter_context(state(router))
                if wall:
                    stack.enter_context(firewall(router))
                for case in cases:
                    measure(router, name, case, wall)
    finally:
        router.close()


if __name__ == "__main__":
    main()
