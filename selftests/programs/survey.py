#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srtrace(8) --probe of long lists: memory, rate, an end in the middle, courtesy. Needs no
module: the network is a function (lib/mimic.py).
"""

import os
import pathlib
import signal
import subprocess
import tempfile
import time

from lib import ktap
from lib.ktap import check, equal, test
from lib.mimic import Mimic
from lib.netns import wait_until
from lib.packet import ICMP, Packet, icmp_error, ip
from lib.tracer import HOST, PROGRAM, echo_reply, read, returned, srtrace, start

R2 = "10.221.0.3"


def gateways(n):
    return ["10.224.%d.%d" % (i // 250, 1 + i % 250) for i in range(n)]


def forward(probe):
    return [returned(probe, R2)]


class Listed:
    """A directory with a list of gateways in it."""

    def __init__(self, names):
        self.directory = tempfile.TemporaryDirectory()
        ktap.cleanup(self.directory.cleanup)
        self.path = self.file("list", names)
        self.state = os.path.join(self.directory.name, "state")

    def file(self, name, lines):
        path = os.path.join(self.directory.name, name)
        pathlib.Path(path).write_text("".join(line + "\n" for line in lines))
        return path


def most_memory(mimic, n):
    """In kB."""
    listed = Listed(gateways(n))
    with mimic.host:
        program = subprocess.Popen([PROGRAM, "-n", "-q", "1", "-w", "0.5", "-r", "4000",
                                    "--probe", listed.path],
                                   stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(program.pid, 0)
    program.returncode = os.waitstatus_to_exitcode(status)
    equal(program.returncode, 0, "exit code")
    return usage.ru_maxrss


@test("srtrace: ten thousand gateways take no more memory than a thousand")
def memory():
    mimic = Mimic(forward)
    few, many = most_memory(mimic, 1000), most_memory(mimic, 10000)
    # When something was last sent to whom is a table of 1 MB, used bit by bit.
    check(many < few + 1500, "%d kB, then %d" % (few, many))


@test("srtrace: the rate of --probe is what was asked for, within 2 %")
def rate():
    mimic = Mimic()
    times = []

    def answer(probe):
        times.append(time.monotonic())
        return forward(probe)

    mimic.answer = answer
    for wanted, n in (200, 400), (1000, 2000):
        times.clear()
        listed = Listed(gateways(n))
        srtrace(mimic, "-r", str(wanted), "--probe", listed.path)
        got = (n - 1) / (times[-1] - times[0])
        check(0.98 * wanted < got < 1.02 * wanted, "%.1f instead of %d" % (got, wanted))


@test("srtrace: --probe never sends two probes to a gateway within a second, whether it is "
      "silent, refuses, or is named twice")
def courtesy():
    mimic = Mimic()
    last, least = {}, [9]

    def answer(probe):
        dst, now = Packet(probe).dst, time.monotonic()
        if dst in last:
            least[0] = min(least[0], now - last[dst])
        last[dst] = now
        kind = int(dst.split(".")[3]) % 3
        if kind == 0:
            return forward(probe) if Packet(probe).options else [echo_reply(probe)]
        if kind == 1 and Packet(probe).options:
            return [ip(dst, HOST, proto=ICMP, payload=icmp_error(3, 13, probe))]
        return []

    mimic.answer = answer
    listed = Listed(gateways(30) + gateways(30))
    text = srtrace(mimic, "-r", "1000", "-q", "2", "-w", "0.1", "--probe", listed.path)
    check("20 of 60 forward (33.3 %), 20 refuse, 20 silent, of whom 0 answer ping" in
          text, text)
    check(least[0] > 0.99, "%.3f s apart" % least[0])


@test("srtrace: --probe that was ended goes on with --resume where it was, and asks all")
def resume():
    mimic = Mimic(forward)
    names = gateways(60)
    listed = Listed(names)
    program = start(mimic, "-j", "-r", "40", "--resume", listed.state, "--probe",
                    listed.path)
    wait_until(lambda: len(mimic.seen) > 20, 20, "probes")
    program.send_signal(signal.SIGINT)
    first = read(program.communicate(timeout=10)[0])
    equal(first[-1]["reason"], "interrupted", "the first run")
    second = read(srtrace(mimic, "-j", "-r", "1000", "--resume", listed.state, "--probe",
                          listed.path))
    asked = [[one["gateway"] for one in run if one["type"] == "gateway"]
             for run in (first, second)]
    equal(set(asked[0]) | set(asked[1]), set(names), "all")
    check(len(asked[0]) > 15 and len(asked[1]) < 50, "%d, then %d" % (
        len(asked[0]), len(asked[1])))
    check(len(set(asked[0]) & set(asked[1])) <= 2, "asked twice")
    mimic.seen.clear()
    text = srtrace(mimic, "--resume", listed.state, "--probe", listed.path, status=1)
    equal((mimic.seen, text.startswith("0 of 0 forward")), ([], True), "the third run")
    pathlib.Path(listed.state).write_text("no state\n")
    srtrace(mimic, "--resume", listed.state, "--probe", listed.path, status=2)


@test("srtrace: --probe leaves out what --exclude has, and says what is wrong with a list "
      "before anything is sent")
def exclude():
    mimic = Mimic(forward)
    names = gateways(300)
    listed = Listed(names)
    out = listed.file("out", ["10.224.1.0/24  # a prefix", "", names[3]])
    text = srtrace(mimic, "-r", "2000", "--exclude", out, "--probe", listed.path)
    check("249 of 249 forward" in text and "51 excluded" in text, text)
    asked = {Packet(probe).dst for probe in mimic.seen}
    equal(asked, {name for name in names[:250]} - {names[3]}, "asked")
    mimic.seen.clear()
    for line in "no.such.name.invalid", "127.0.0.1", HOST, "0.0.0.1", "224.0.0.5":
        srtrace(mimic, "--probe", listed.file("wrong", names[:3] + [line]), status=2)
    for line in "10.0.0.0/33", "10.0.0/x", "word":
        srtrace(mimic, "--exclude", listed.file("wrong", [line]), "--probe", listed.path,
                status=2)
    # Names are asked for, which is no probe.
    equal([probe for probe in mimic.seen if Packet(probe).proto == ICMP], [], "probes")
    # Of what cannot be read twice, the rest is asked.
    text = srtrace(mimic, "--probe", "-", input="127.0.0.1\n%s\n" % names[0])
    check("1 of 1 forward" in text and "1 lines skipped" in text, text)


if __name__ == "__main__":
    ktap.main()
