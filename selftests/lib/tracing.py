# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel does, read through a tracefs instance of our own."""

import os

from . import ktap

_TRACEFS = "/sys/kernel/tracing"


def _write(path, text, flags=os.O_TRUNC):
    fd = os.open(os.path.join(_TRACEFS, path), os.O_WRONLY | flags)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


class Trace:
    """Events, recorded while this process is current: with Trace("a/b")."""

    def __init__(self, *events):
        self._events = events
        self._home = "instances/srr-%d-%d" % (os.getpid(), id(self))

    def __enter__(self):
        os.mkdir(os.path.join(_TRACEFS, self._home))
        for event in self._events:
            where = "%s/events/%s/" % (self._home, event)
            _write(where + "filter", "common_pid == %d" % os.getpid())
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


def calls(functions, action):
    """Which of these functions of the module run during action()."""
    group = "srr_%d" % os.getpid()
    for name in functions:
        _write("kprobe_events", "p:%s/%s nf_srcroute:%s\n" %
               (group, name, name), os.O_APPEND)
    try:
        with Trace(*["%s/%s" % (group, name) for name in functions]) as trace:
            action()
            seen = {line.split(":")[0] for line in trace.lines()}
    finally:
        for name in functions:
            _write("kprobe_events", "-:%s/%s\n" % (group, name),
                   os.O_APPEND)
    ktap.check(seen <= set(functions), "probes: %s" % seen)
    return sorted(seen)
