#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Who judges the judge: srconform against devices that are wrong on purpose, each in
one respect, and against one that is right.

    faults.py [WORD...]     the devices whose names or sentences have a word

Each fault must be told by the cases that are meant for it, and by no other case, nor
for another reason (dut/faults.py). The right device gets no deviation, whatever the line
to it does. All cases are sent to it; to the others all but those of many datagrams,
and once. With SRCROUTE_WHOLE=1 in the environment all of them go to all, three times.
SRCROUTE_JOBS=N devices are judged at the same time, 32 by default: a run is mostly
waiting.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

from around import HERE, IN, OUT, PORTS, Device, end_at_signals, end_with_parent
from dut.faults import CHOICES, FAULTS
from lib import ktap
from lib.ktap import check, equal, test

PROGRAM = os.path.join(HERE, "../../scripts/programs/srconform/srconform")
DUT = "192.0.2.1/24,198.51.100.1/24"
WHOLE = bool(os.environ.get("SRCROUTE_WHOLE"))
JOBS = int(os.environ.get("SRCROUTE_JOBS", 32))
SEED = int(os.environ.get("SRCROUTE_SEED", 1))
ALMOST_ALL = "H T R S O L F E C W V".split()
BAD_LINE = ["--loss", "5", "--delay", "300", "--reorder", "25", "--seed", str(SEED)]
CONFORMS, CHOICE, SILENT, DEAD = "conforms", "permitted choice", "silent", "dead"
SECONDS = 900  # after which a run hangs
UNWIRED, STARTS = 4, 3


def configuration():
    """What `srconform config` wants of a Linux device: addresses by port, routes and
    the MTU of each port."""
    text = subprocess.run([PROGRAM, "config", "--dut", DUT, "--style", "linux", "--names",
                           ",".join(PORTS)], capture_output=True, text=True,
                          check=True).stdout
    addresses = [re.findall(r"ip address add (\S+) dev %s\b" % port, text)
                 for port in PORTS]
    routes = re.findall(r"ip route add (\S+) via (\S+)", text)
    mtus = [int((re.findall(r"ip link set %s mtu (\d+)" % port, text) or [1500])[0])
            for port in PORTS]
    if not all(addresses) or not routes:
        raise RuntimeError("srconform config has no addresses or routes: " + text)
    return addresses, routes, mtus


class Run:
    """srconform, once, against a device of its own."""

    def __init__(self, words=(), *, profile="rfc", select=(), rounds=2, only=False):
        self._words, self._started, self._device = list(words), 0.0, None
        self._process, self.document, self.status = None, None, None
        self.seconds, self._said, self._file = 0.0, None, None
        self._survived, self._starts = False, 0
        self._options = ["--profile", profile, "--patience", "3",
                         "--rounds", str(3 if WHOLE else rounds)]
        if select and (only or not WHOLE):
            self._options += ["--select", ",".join(select)]

    def start(self):
        self._starts += 1
        addresses, routes, mtus = CONFIGURATION
        self._file = tempfile.NamedTemporaryFile("r", suffix=".json")
        self._said = tempfile.TemporaryFile("w+")
        self._device = Device(addresses, routes, *self._words, mtus=mtus)
        with self._device.tester:
            self._process = subprocess.Popen(
                [PROGRAM, "run", "--in", IN, "--out", OUT, "--dut", DUT, "-q", "-j",
                 self._file.name, *self._options], stdout=subprocess.DEVNULL,
                stderr=self._said, preexec_fn=end_with_parent)
        self._started = time.monotonic()

    def ended(self):
        if time.monotonic() - self._started > SECONDS:
            self._process.kill()
        return self._process.poll() is not None

    def stop(self):
        self.seconds = time.monotonic() - self._started
        self.status = self._process.returncode
        self._survived = self._device.alive()
        self._device.close()

    def is_to_start_again(self):
        """Where the machine is so busy that no ordinary datagram has come through in
        time, srconform says that of the wiring, and has asked nothing yet."""
        return self.status == UNWIRED and self._starts < STARTS

    def checked(self):
        """Itself, with its document."""
        text = self._file.read()
        self._file.close()
        self._said.seek(0)
        said = self._said.read().strip()
        self._said.close()
        if not text:
            ktap.fail("srconform: exit %s: %s" % (self.status, said[-600:]))
        self.document = json.loads(text)
        check(self._survived, "the device has ended")
        return self

    def rows(self):
        return self.document["cases"]

    def outcomes(self):
        return {row["id"]: row["outcome"] for row in self.rows()}


class Pool:
    """Several runs at a time, in the order in which they are asked for."""

    def __init__(self):
        self._waiting, self._running, self._ended = {}, {}, {}

    def add(self, name, run):
        self._waiting[name] = run

    def result(self, name):
        """Of that run; those behind it in the list go on meanwhile."""
        while name not in self._ended:
            for other in [n for n, run in self._running.items() if run.ended()]:
                run = self._running.pop(other)
                run.stop()
                (self._waiting if run.is_to_start_again() else self._ended)[other] = run
            while self._waiting and len(self._running) < JOBS:
                other = next(iter(self._waiting))
                self._running[other] = self._waiting.pop(other)
                self._running[other].start()
            time.sleep(0.05)
        return self._ended.pop(name).checked()


POOL = Pool()
CONFIGURATION = configuration()


def judged(text, name, *words, **options):
    """A test about one run, if its words are asked for."""
    def register(function):
        title = "Device: " + text
        if not sys.argv[1:] or any(word in title for word in sys.argv[1:]):
            POOL.add(name, Run(words, **options))
        test(title)(lambda: function(POOL.result(name)))
        return function
    return register


def aspects(row):
    """What a case says is wrong, in one kind of words."""
    if row["outcome"] == CHOICE:
        return {"choice"}
    if row["outcome"] == SILENT:
        return {"silent"}
    if row["outcome"] in (DEAD, "not applicable"):
        return {"dead"}
    return set(row["wrong"]) or {"crowd"}


def family(case):
    return case.rstrip("0123456789")


def describe(row):
    return "%s %s: %s" % (row["id"], row["outcome"], row["why"])


def hold(fault, run):
    """The cases that are meant tell of the fault; others only of the same."""
    told = {row["id"]: row for row in run.rows() if row["outcome"] != CONFORMS}
    told.pop("E42", None)  # whether errors are limited: a note on every device
    for row in told.values():
        if os.environ.get("SRCROUTE_SHOW"):
            print("# %s %s" % (describe(row), sorted(aspects(row))))
    missing = [case for case in fault.cases if case not in told]
    check(not missing, "not noticed by " + " ".join(missing))
    for case, row in told.items():
        extra = aspects(row) - fault.wrong
        check(not extra, "%s; not meant: %s" % (describe(row), " ".join(sorted(extra))))
        check(fault.among is None or case in fault.among or family(case) in fault.among,
              "not meant for it: " + describe(row))


def summary(run):
    line = run.document["line"]
    counts = run.document["counts"]
    print("# %.0f s; of %d ordinary datagrams %d lost, %.0f ms; %s" % (
        run.seconds, line["sent"], line["lost"], line["median_ms"],
        ", ".join("%s %d" % pair for pair in counts.items() if pair[1])))


def no_deviation(run, *others):
    """Each case conforms, or has one of the other outcomes."""
    wrong = [describe(row) for row in run.rows()
             if row["outcome"] != CONFORMS and row["outcome"] not in others
             and row["id"] != "E42"]
    summary(run)
    check(not wrong, "; ".join(wrong[:5]))


for _profile in "rfc", "linux", "strict":
    @judged("the right one conforms in every case, profile %s" % _profile,
            "right " + _profile, profile=_profile,
            select=[] if _profile == "rfc" else ALMOST_ALL)
    def right(run):
        no_deviation(run)
        equal(run.status, 0, "exit status")
        check(len(run.rows()) > 300, "only %d cases" % len(run.rows()))


@judged("a line that loses 5 %, delays by 300 ms and reorders is not the device's fault",
        "bad line", *BAD_LINE, select=["H", "T", "R", "L", "B1", "B6", "B7", "B9", "B13"],
        rounds=1)
def bad_line(run):
    no_deviation(run, CHOICE, SILENT)
    line = run.document["line"]
    check(line["lost"] and line["median_ms"] > 250, "the line is good")
    silent = [row["id"] for row in run.rows() if row["outcome"] == SILENT]
    print("# silent: %d (%s)" % (len(silent), " ".join(silent)))
    check(len(silent) <= len(run.rows()) / 20, "silence is taken for an answer")


@judged("copies that the line makes are not the device's fault", "copies", "--double",
        "10", "--delay", "1", "--seed", str(SEED), select=["H", "T", "E", "B9", "B11"],
        rounds=1, only=True)  # B10 has nothing to compare with
def copies(run):
    no_deviation(run, CHOICE)


for _name, _text in CHOICES.items():
    @judged("what is a router's choice breaks no MUST: %s: %s" % (_name, _text),
            "choice " + _name, "--choice", _name, select=ALMOST_ALL)
    def choice(run):
        no_deviation(run, CHOICE, "deviates (SHOULD)")
        equal(run.status, 0, "exit status")


for _name, _fault in FAULTS.items():
    @judged("%s: %s: %s" % (_name, _fault.text, " ".join(_fault.cases)), _name, "--fault",
            _name, profile=_fault.profile, select=ALMOST_ALL + _fault.cases, rounds=1)
    def wrong(run, _fault=_fault):
        hold(_fault, run)


if __name__ == "__main__":
    end_at_signals()
    ktap.main()
