# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel does and says: through a tracefs instance of our own, and in
its log."""

import os
import time

from . import ktap

_TRACEFS = "/sys/kernel/tracing"
# What we send is forwarded in our own context, or by a thread of the kernel's that happens
# to run what softirqs are pending: under load, on PREEMPT_RT any that disables them. Those
# of a processor have a slash in their names: ksoftirqd/0, ktimers/0, rcuc/0, kworker/0:1.
_OURS = 'common_pid == %d || COMM ~ "*/*"'


def _write(path, text, flags=os.O_TRUNC):
    fd = os.open(os.path.join(_TRACEFS, path), os.O_WRONLY | flags)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


class Trace:
    """Events, recorded while this process or a thread of the kernel's is current, or
    whoever is: with Trace("a/b")."""

    def __init__(self, *events, everyone=False):
        self._events, self._everyone = events, everyone
        self._home = "instances/srr-%d-%d" % (os.getpid(), id(self))

    def __enter__(self):
        os.mkdir(os.path.join(_TRACEFS, self._home))
        for event in self._events:
            where = "%s/events/%s/" % (self._home, event)
            if not self._everyone:
                _write(where + "filter", _OURS % os.getpid())
            _write(where + "enable", "1")
        return self

    def __exit__(self, *_):
        for event in self._events:
            _write("%s/events/%s/enable" % (self._home, event), "0")
        os.rmdir(os.path.join(_TRACEFS, self._home))

    def lines(self):
        """Everything since the last call, "event: fields" each."""
        path = os.path.join(_TRACEFS, self._home, "trace")
        with open(path) as file:
            lines = [line.split(": ", 1)[1].strip() for line in file
                     if not line.startswith("#")]
        _write(self._home + "/trace", "\n")
        return lines


class Log:
    """What the module says in the kernel's log from now on, for the length of a
    test."""

    def __init__(self):
        self._fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        ktap.cleanup(os.close, self._fd)
        os.lseek(self._fd, 0, os.SEEK_END)

    def wait_for_limit(self):
        """The limit is on so many lines in five seconds: all are to be had."""
        time.sleep(5.1)
        os.lseek(self._fd, 0, os.SEEK_END)

    def lines(self):
        """Those since the last call."""
        found = []
        while True:
            try:
                line = os.read(self._fd, 8192).decode(errors="replace")
            except BlockingIOError:
                return found
            if "srcroute: " in line:
                found.append(line.split(";", 1)[1].split("\n")[0])


def run_of(functions, action, everyone=False, module="nf_srcroute"):
    """These functions of the module, or of another, as they run during
    action(), in order, each as often as it does."""
    group = "srr_%d" % os.getpid()
    for name in functions:
        _write("kprobe_events", "p:%s/%s %s:%s\n" %
               (group, name, module, name), os.O_APPEND)
    try:
        with Trace(*["%s/%s" % (group, name) for name in functions],
                   everyone=everyone) as trace:
            action()
            seen = [line.split(":")[0] for line in trace.lines()]
    finally:
        for name in functions:
            _write("kprobe_events", "-:%s/%s\n" % (group, name),
                   os.O_APPEND)
    ktap.check(set(seen) <= set(functions), "probes: %s" % seen)
    return seen


def calls(functions, action):
    """Which of these functions of the module run during action()."""
    return sorted(set(run_of(functions, action)))
