#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srcroute-status --live shows what the module decides, and leaves tracing as it was
(Interface, I1). The topology is drawn in lib/standard.py.
"""

import json
import os
import re
import select
import signal
import subprocess
import time

from lib import ktap, packet
from lib.ktap import check, equal, fail, test
from lib.netns import wait_until
from lib.packet import ip, lsrr, ssrr
from lib.standard import A, FAR, LO, NEXT, SRC, StandardBench
from lib.status import PROGRAM, check_schema

TRACEFS = "/sys/kernel/tracing"
INSTANCES = TRACEFS + "/instances"

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)


def state():
    """What of tracing others see, and the instances."""
    found = {}
    # Not buffer_size_kb: before Linux 6.8 the first event of any instance lets the others
    # have their full buffers, or on 5.10 say that they have them.
    for name in ("tracing_on", "current_tracer", "trace_clock", "trace_options",
                 "options/record-cmd", "events/srcroute/enable",
                 "events/srcroute/srcroute_discard/filter"):
        with open(os.path.join(TRACEFS, name)) as file:
            found[name] = file.read()
    return found, os.listdir(INSTANCES)


class Live:
    """The program, with its events on."""

    def __init__(self, *words):
        self._before = set(os.listdir(INSTANCES))
        with bench.router:
            self.process = subprocess.Popen(
                [PROGRAM, "--live", *words], text=True, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
        ktap.cleanup(self._end)
        wait_until(lambda: any(self._is_on(name) for name in set(os.listdir(INSTANCES)) -
                               self._before), 60, "its events are on")

    @staticmethod
    def _is_on(name):
        path = os.path.join(INSTANCES, name, "events/srcroute/enable")
        try:
            with open(path) as file:
                return file.read().strip() == "1"
        except OSError:
            return False

    def _end(self):
        """Also what a test that has failed has left: the next one begins without."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=90)
        wait_until(lambda: set(os.listdir(INSTANCES)) <= self._before, 20, "its instance is gone")

    def rest(self):
        """(exit status, output, what it complains of), when it has ended."""
        text, complaint = self.process.communicate(timeout=90)
        return self.process.returncode, text, complaint


def gone(before):
    try:
        wait_until(lambda: state() == before, 20)
    except TimeoutError:
        now = state()
        fail("tracing is not as it was: instances %s, not %s; %s" % (
            now[1], before[1], {key: (now[0][key], before[0][key]) for key in now[0]
                                if now[0][key] != before[0][key]}))


EVERYTHING = (ip(SRC, A, lsrr(FAR)), ip(SRC, A, lsrr(LO)), ip(SRC, A, lsrr("10.77.0.1")),
              ip("127.0.0.5", A, lsrr(FAR)), ip(SRC, A, ssrr(FAR)))
OUTCOMES = ["hop", "local", "no_route", "bad_source", "not_adjacent"]


@test("Interface: --live shows each datagram that is decided, as JSON by its schema, and "
      "leaves tracing as it was")
def everything():
    before = state()
    program = Live("-j", "-c", "5")
    bench.exchange("a", *EVERYTHING)
    code, text, complaint = program.rest()
    equal((code, complaint), (0, ""), "exit status, complaint")
    events = [json.loads(line) for line in text.split("\n") if line]
    for one in events:
        check_schema(one, "live")
        check(abs(one["time"] - time.time()) < 60, "time %s" % one["time"])
    equal([one["outcome"] for one in events], OUTCOMES, "outcomes")
    first, second, third = events[:3]
    equal((first["interface"], first["source"], first["arrival"], first["destination"],
           first["recorded"], first["pointer"]), ("a", SRC, A, FAR, "10.2.0.1", 8), "hop")
    equal((second["destination"], second["pointer"]), (LO, 8), "local")
    equal((third["destination"], third["icmp"]), (A, "3/5"), "no_route")
    gone(before)


@test("Interface: ... filtered by interface, outcome and address, in words, for so long")
def filtered():
    for words, lines, said in (
            (["--in", "b"], 1, "10.2.0.2 > 10.2.0.1 no_route: no route to the next address "
                               "(ICMP 3/5)"),
            (["--outcome", "not_adjacent"], 1, "not on a link of ours (ICMP 3/5)"),
            (["--address", FAR], 1, "hop: came for 10.1.0.1, recorded 10.2.0.1, pointer 8"),
            (["--in", "c"], 0, "")):
        program = Live(*words, "-w", "3")
        bench.send("b", ip(NEXT, "10.2.0.1", lsrr("10.77.0.1")))
        bench.exchange("a", *EVERYTHING)
        code, text, complaint = program.rest()
        equal((code, complaint, text.count("\n")), (0, "", lines), "%s: %s" % (words, text))
        check(said in text, text)


@test("I1: ... ICMP errors that are not sent")
def suppressed():
    """The kernel's own, to a broadcast address of a link, by way of a gateway; without one
    Linux 7 makes none."""
    bench.configure("net.ipv4.srcroute.conf.a.lsrr", 0)
    for scope in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)
    bench.neighbour("a", "10.1.0.7")
    program = Live("-c", "1", "-w", "30", "--outcome", "icmp_suppressed")
    bench.exchange("a", ip(SRC, A, lsrr(FAR), ttl=1),
                   ip("10.2.0.255", A, lsrr("10.1.0.7", FAR, ptr=8), ttl=1))
    code, text, complaint = program.rest()
    equal((code, complaint), (0, ""), "exit status, complaint")
    check(re.search(r"10\.2\.0\.255 > \S+ icmp_suppressed: an ICMP 11/0 about it was not sent$",
                    text, re.M) and text.count("\n") == 1, text)


@test("H8: ... replies that are not sent, since nothing leads to where they are to go")
def reply_suppressed():
    for scope in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)
    program = Live("-c", "1", "-w", "30", "--outcome", "icmp_suppressed")
    bench.exchange("a", ip(SRC, A, lsrr("172.16.0.1", LO, ptr=8), proto=packet.ICMP,
                           payload=packet.icmp_error(8, 0, b"route")))
    code, text, complaint = program.rest()
    equal((code, complaint), (0, ""), "exit status, complaint")
    check(re.search(r"%s > 172\.16\.0\.1 icmp_suppressed: the reply, ICMP 0/0, was not sent$" %
                    re.escape(LO), text, re.M), text)


@test("Interface: ... and tracing is as it was after Ctrl-C, SIGTERM and SIGKILL, and after "
      "the keeper's death with the next start")
def ends():
    before = state()
    for number, code in ((signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM),
                         (signal.SIGKILL, -signal.SIGKILL)):
        program = Live()
        bench.exchange("a", ip(SRC, A, lsrr(FAR)))
        check(select.select([program.process.stdout], [], [], 20)[0], "nothing was shown")
        os.kill(program.process.pid, number)
        equal(program.rest()[0], code, "exit status after %s" % number)
        gone(before)
    program = Live()
    keeper = int(bench.router.run(["pgrep", "-P", str(program.process.pid)]))
    os.kill(keeper, signal.SIGKILL)
    program.process.kill()
    program.rest()
    check(state() != before, "the instance went by itself")
    program = Live("-w", "1")
    equal(program.rest()[0], 0, "exit status")
    gone(before)


@test("Interface: ... what is lost because it comes too fast is said")
def lost():
    program = Live("--outcome", "bad_next", "-w", "40")
    os.kill(program.process.pid, signal.SIGSTOP)
    for _ in range(60):
        bench.exchange("a", *[ip(SRC, A, lsrr("127.0.0.1"))] * 100)
    os.kill(program.process.pid, signal.SIGCONT)
    code, text, complaint = program.rest()
    equal(code, 0, "exit status")
    check("events were lost" in complaint and complaint.count("\n") == 1, complaint)
    shown = text.count(" bad_next: ")
    check(shown, "nothing was shown")
    equal(shown + int(complaint.split()[1]), 6000, "shown and lost")


@test("Interface: ... who may not read tracepoints is told so, and nothing else is done")
def refused():
    before = state()
    for words, code, said in ((["--live"], 3, "root"),
                              (["--live", "--outcome", "transit"], 2, "transit"),
                              (["--live", "--explain", "1.1.1.1", "1.1.1.1", "-"], 2,
                               "--explain"),
                              (["--count", "2"], 2, "--live"),
                              (["--live", "--address", "1.2"], 2, "'1.2'")):
        with bench.router:
            done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", PROGRAM,
                                   *words], text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=90)
        equal((done.returncode, done.stdout), (code, ""), words)
        check(said in done.stderr and done.stderr.count("\n") == 1, done.stderr)
    equal(state(), before, "tracing")


if __name__ == "__main__":
    ktap.main(bench.close)
