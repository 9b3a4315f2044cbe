# SPDX-License-Identifier: GPL-2.0-only
"""Allocations of the kernel that fail, one position after the other.

Needs failslab with its stack filter (scripts/bed/build-kernel debug). Of this thread
alone, and only those beneath a range of code, the nth allocation fails
(Documentation/fault-injection in the kernel's source).
"""

import contextlib
import os

from . import ktap

_HOME = "/sys/kernel/debug/failslab/"
_MOST = 2000  # positions; an action that has more goes round in circles
_DEPTH = 32   # frames of the stack that are looked at


def _symbols():
    with open("/proc/kallsyms") as file:
        for line in file:
            address, kind, name, *module = line.split()
            yield int(address, 16), kind, name, "".join(module)


def function(name):
    """Where a function of the kernel lies: (start, end)."""
    code = sorted(s for s in _symbols() if s[1] in "tT" and not s[3])
    at = next(i for i, s in enumerate(code) if s[2] == name)
    start = code[at][0]
    return start, next(s[0] for s in code[at:] if s[0] > start)


def module(name="nf_srcroute"):
    """Where the code of a module lies."""
    code = [s[0] for s in _symbols() if s[1] in "tT" and
            s[3] == "[%s]" % name]
    return min(code), max(code) + 4096


def _write(name, value):
    with open(_HOME + name, "w") as file:
        file.write(value)


def beneath(code):
    """Only allocations that (start, end) of code has called for."""
    for name, value in (("verbose", "0"), ("ignore-gfp-wait", "N"),
                        ("stacktrace-depth", str(_DEPTH)),
                        ("require-start", hex(code[0])),
                        ("require-end", hex(code[1]))):
        _write(name, value)


def always(fails):
    """Fail them all, in every context, or none."""
    _write("times", "-1")
    _write("probability", "100" if fails else "0")


@contextlib.contextmanager
def nth(number):
    """Within, the nth allocation fails. Yields a function that says whether
    it came to that."""
    fd = os.open("/proc/thread-self/fail-nth", os.O_RDWR)
    state = {}
    os.pwrite(fd, b"%d" % number, 0)
    try:
        yield lambda: state["left"] == 0
    finally:
        state["left"] = int(os.pread(fd, 20, 0))
        os.pwrite(fd, b"0", 0)
        os.close(fd)


def positions(action):
    """Call action(n) with the nth allocation failing, from the first on until
    there are no more. Yields (n, what action returned)."""
    for number in range(1, _MOST):
        with nth(number) as failed:
            result = action(number)
        if not failed():
            return
        yield number, result
    ktap.fail("more than %d allocations" % _MOST)
