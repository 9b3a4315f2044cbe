# SPDX-License-Identifier: GPL-2.0-only
"""Datagrams as they are decided, from the tracepoints of the module.

They come by an instance of tracefs of our own, so that nobody else's tracing changes.
It goes with us whatever ends us: a process beside us, which no signal from the terminal
reaches, waits for our end and removes it.
"""

import errno
import os
import re
import select
import signal
import sys
import time

from . import LOAD, NOT_LOADED, PRIVILEGE, SYSTEM, USAGE, StatusError
from .outcomes import BY_NAME

FORMAT = 1
_PLACES = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
_PREFIX = "srcroute-status-"
_KILOBYTES = 256  # of each processor
EVENTS = {"srcroute_advance": "advance", "srcroute_discard": "discard",
          "srcroute_icmp_suppress": "icmp_suppressed"}
_LINE = re.compile(r"\s(\d+\.\d+): (srcroute_\w+): (.*)$")
_LOST = re.compile(r"LOST (\d+) EVENTS")
_REPLIES = "0/0", "14/0"  # to an echo or timestamp request
# Lines of a processor's `stats` that say what has not come to us.
_LOSSES = ("overrun", "dropped events")


def _write(path, text):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _home():
    for place in _PLACES:
        if os.path.isdir(os.path.join(place, "instances")):
            return place
    if os.geteuid():
        raise StatusError("--live reads tracepoints, which only root may", PRIVILEGE)
    raise StatusError("--live needs tracefs: mount -t tracefs tracefs " + _PLACES[0],
                      SYSTEM)


def _is_alive(pid):
    return os.path.exists("/proc/%d" % pid)


def _remove(path):
    """An instance; whoever still has a file of it open is waited for."""
    for _ in range(100):
        try:
            os.rmdir(path)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EBUSY:
                return
            time.sleep(.05)
        else:
            return


class Instance:
    """`with Instance() as instance`: the events, on."""

    def __init__(self):
        self._place = _home()
        self.path = os.path.join(self._place, "instances", _PREFIX + str(os.getpid()))
        self._keeper = self._pipe = None
        self.lost = 0

    def __enter__(self):
        self._clean()
        if not os.path.isdir(os.path.join(self._place, "events/srcroute")):
            raise StatusError("nf_srcroute is not loaded: " + LOAD, NOT_LOADED)
        try:
            self._start_keeper()
            os.mkdir(self.path)
            # Not norecord-cmd, though nobody asks for the names of tasks here: an instance
            # takes that over from the others, and to change it would change theirs.
            _write(self._file("buffer_size_kb"), str(_KILOBYTES))
            _write(self._file("trace_clock"), "mono")
            for event in EVENTS:
                _write(self._file("events/srcroute", event, "enable"), "1")
        except PermissionError as error:
            self.__exit__()
            raise StatusError("--live reads tracepoints, which only root may",
                              PRIVILEGE) from error
        except OSError as error:
            self.__exit__()
            raise StatusError("tracefs: %s" % error, SYSTEM) from error
        return self

    def __exit__(self, *_):
        """The keeper removes it, so that there is one way to do so."""
        if self._keeper:
            os.close(self._pipe)
            os.waitpid(self._keeper, 0)
            self._keeper = None

    def _file(self, *names):
        return os.path.join(self.path, *names)

    def _clean(self):
        """Of one whose keeper has been killed, too."""
        home = os.path.dirname(self.path)
        try:
            names = os.listdir(home)
        except PermissionError as error:
            raise StatusError("--live reads tracepoints, which only root may",
                              PRIVILEGE) from error
        for name in names:
            pid = name[len(_PREFIX):]
            if name.startswith(_PREFIX) and pid.isdigit() and not _is_alive(int(pid)):
                _remove(os.path.join(home, name))

    def _start_keeper(self):
        ours, self._pipe = os.pipe()
        self._keeper = os.fork()
        if self._keeper:
            os.close(ours)
            return
        try:
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            os.close(self._pipe)
            quiet = os.open("/dev/null", os.O_RDWR)
            for fd in range(3):
                os.dup2(quiet, fd)
            os.read(ours, 1)  # nobody writes: this is the end of the other process
            _remove(self.path)
        finally:
            os._exit(0)

    def lines(self, end):
        """(time, event, {field: value}) until a time of the monotonic clock, which is that
        of the events; None for ever. @lost grows by what has been lost before a line."""
        fd = os.open(self._file("trace_pipe"), os.O_RDONLY | os.O_NONBLOCK)
        rest = ""
        try:
            while True:
                left = None if end is None else max(0, end - time.monotonic())
                if not select.select([fd], [], [], left)[0]:
                    return
                try:
                    rest += os.read(fd, 1 << 16).decode(errors="replace")
                except BlockingIOError:
                    time.sleep(.01)
                    continue
                *whole, rest = rest.split("\n")
                for line in whole:
                    found = self._parse(line)
                    if found and end is not None and found[0] > end:
                        return
                    if found:
                        yield found
        finally:
            os.close(fd)

    def _parse(self, line):
        lost = _LOST.search(line)
        if lost:
            self.lost += int(lost[1])
            return None
        match = _LINE.search(line)
        if not match or match[2] not in EVENTS:
            return None
        return float(match[1]), EVENTS[match[2]], dict(
            word.split("=", 1) for word in match[3].split() if "=" in word)

    def losses(self):
        """What the buffers had no room for, by their own account."""
        found = 0
        for name in os.listdir(self._file("per_cpu")):
            with open(self._file("per_cpu", name, "stats"), encoding="ascii") as file:
                for line in file:
                    key, _, value = line.partition(":")
                    if key in _LOSSES:
                        found += int(value)
        return max(found, self.lost)


class Filter:
    """What of it is to be shown. outcome: a counter; address: any of the header's, or of
    the option's that is shown."""

    def __init__(self, iface=None, outcome=None, address=None):
        if outcome and outcome not in ("hop", "local", "icmp_suppressed") and (
                outcome not in BY_NAME or outcome == "transit"):
            raise StatusError("there are no events of %r; there are: %s" % (
                outcome, ", ".join([one for one in BY_NAME if one != "transit"] +
                                   ["icmp_suppressed"])), USAGE)
        self.iface, self.outcome, self.address = iface, outcome, address

    def takes(self, event):
        return (not self.iface or event["interface"] == self.iface) and \
            (not self.outcome or event["outcome"] == self.outcome) and \
            (not self.address or self.address in (event["source"], event["destination"],
                                                  event.get("arrival"),
                                                  event.get("recorded")))


def _outcome(kind, fields):
    if kind == "discard":
        return fields["reason"]
    if kind == "advance":  # with nothing recorded, the route ends here (H6)
        return "local" if fields["record"] == "0.0.0.0" else "hop"
    return kind


def event(at, kind, fields):
    """As docs/srcroute-status.schema.json has it."""
    found = {"srcroute_live": FORMAT, "time": at, "outcome": _outcome(kind, fields),
             "interface": fields.get("in") or fields["out"], "source": fields["saddr"],
             "destination": fields["daddr"]}
    if kind == "advance":
        found.update(arrival=fields["arrival"], recorded=fields["record"],
                     pointer=int(fields["ptr"]))
    elif kind == "icmp_suppressed" or fields["icmp"] != "0/0":
        found["icmp"] = fields["icmp"]
    return found


def line(one):
    """An event for people."""
    clock = time.strftime("%H:%M:%S", time.localtime(one["time"])) + \
        ".%03d" % (one["time"] % 1 * 1000)
    text = "%s %s %s > %s %s" % (clock, one["interface"], one["source"],
                                 one["destination"], one["outcome"])
    if one["outcome"] in ("hop", "local") and "arrival" in one:
        text += ": came for %s, recorded %s, pointer %d" % (
            one["arrival"], one["recorded"], one["pointer"])
    elif one["outcome"] in BY_NAME:
        text += ": " + BY_NAME[one["outcome"]].sentence
        text += " (ICMP %s)" % one["icmp"] if "icmp" in one else ""
    elif one["icmp"] in _REPLIES:
        text += ": the reply, ICMP %s, was not sent" % one["icmp"]
    else:
        text += ": an ICMP %s about it was not sent" % one["icmp"]
    return text


def run(chosen, most, seconds, show):
    """Show what @chosen takes, at most so many, for so many seconds. Returns what was lost.
    Ends by KeyboardInterrupt as well, with the instance gone."""
    with Instance() as instance:
        offset = time.time() - time.monotonic()
        end = time.monotonic() + seconds if seconds else None
        shown = 0
        try:
            for at, kind, fields in instance.lines(end):
                one = event(round(at + offset, 6), kind, fields)
                if chosen.takes(one):
                    show(one)
                    sys.stdout.flush()
                    shown += 1
                    if shown == most:
                        break
        except KeyboardInterrupt:
            pass
        return instance.losses()
