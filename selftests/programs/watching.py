#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srtrace(8) --watch and --report: a way asked again and again. Needs no module: the
network is a function (lib/mimic.py).
"""

import contextlib
import csv
import fcntl
import io
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import jsonschema
import pyte

from lib import ktap
from lib.ktap import check, equal, test
from lib.mimic import Mimic
from lib.packet import ICMP, Packet, ip, lsrr
from lib.tracer import (HOST, PROGRAM, chain_of, expired, read,
                        returned, srtrace, start)

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "docs/srtrace.schema.json"
R1, G, R2, TO = "10.221.0.1", "10.221.0.2", "10.221.0.3", "10.222.0.9"
QUICK = ("--every", "0.1", "-w", "0.3", "-z", "0.001")


def two_ways(probe):
    """Out by 10.221.1.1 and 10.221.1.2, back by 10.221.5.1."""
    packet = Packet(probe)
    gone = ip(HOST, HOST, lsrr(R2, ptr=8), ttl=1, proto=ICMP, ident=packet.ident,
              payload=packet.payload)
    return {1: [expired(probe, R1)], 2: [expired(probe, "10.221.1.2")],
            3: [expired(probe, G)], 4: [expired(gone, "10.221.5.1")],
            5: [expired(gone, R1)]}.get(packet.ttl, [returned(probe, R2)])


@test("srtrace: --report counts what is lost at each hop, and its times, in all four "
      "forms")
def report():
    mimic = Mimic()
    count = {}

    def answer(probe):
        ttl = Packet(probe).ttl
        count[ttl] = count.get(ttl, 0) + 1
        if ttl == 2 and count[ttl] % 2:
            return []
        return chain_of(3)(probe)

    mimic.answer = answer
    lines = read(srtrace(mimic, *QUICK, "--report=json", "-c", "6", TO))
    schema = json.loads(SCHEMA.read_text())
    for line in lines:
        jsonschema.validate(line, schema)
    hops = [one for one in lines if one["type"] == "hop"]
    equal([(one["sent"], one["received"], one["loss_percent"],
            one["routers"][0]["address"]) for one in hops],
          [(6, 6, 0, "10.221.1.1"), (6, 3, 50, "10.221.1.2"),
           (6, 6, 0, "10.221.1.3"), (6, 6, 0, TO)], "hops")
    equal((lines[-1]["verdict"], lines[-1]["rounds"]), ("reached", 6), "end")
    times = [one["rtt_ms"] for one in lines
             if one["type"] == "probe" and one["ttl"] == 1]
    router = hops[0]["routers"][0]
    check(abs(router["mean_ms"] - sum(times) / 6) < 0.002, "mean")
    equal((router["best_ms"], router["worst_ms"], router["last_ms"]),
          (min(times), max(times), times[-1]), "times")
    mean = sum(times) / 6
    deviation = (sum((one - mean) ** 2 for one in times) / 5) ** 0.5
    jitter = sum(abs(a - b) for a, b in zip(times, times[1:])) / 5
    check(abs(router["deviation_ms"] - deviation) < 0.01, "deviation")
    check(abs(router["jitter_ms"] - jitter) < 0.01, "jitter")
    rows = list(csv.DictReader(io.StringIO(
        srtrace(mimic, *QUICK, "--report=csv", "-c", "4", TO))))
    equal([(row["hop"], row["address"], row["sent"]) for row in rows],
          [(str(i), "10.221.1.%d" % i, "4") for i in (1, 2, 3)] + [("4", TO, "4")],
          "CSV")
    equal(rows[1]["loss_percent"], "50.0", "loss in CSV")
    text = srtrace(mimic, *QUICK, "--report=prometheus", "-c", "4", TO)
    for line in text.splitlines():
        check(re.match(r'# (HELP|TYPE) srtrace_\w+ .|srtrace_\w+\{(\w+="[^"]*",?)+\} '
                       r'(NaN|nan|[\d.]+)$', line), line)
    check('hop="2",side="out",address="10.221.1.2"} 0.500000' in text, text)
    text = srtrace(mimic, *QUICK, "--report", "-c", "4", TO)
    check(re.search(r"^ 2  10\.221\.1\.2 +50\.0 +4 ", text, re.M) and
          "reached; 4 rounds, 0 changes" in text, text)


@test("srtrace: --report of a way that changes keeps the times of two routers apart, and "
      "follows it when it becomes longer")
def changes():
    mimic = Mimic()

    def answer(probe):
        if Packet(probe).ttl == 2 and len(mimic.seen) > 12:
            return [expired(probe, "10.221.7.7")]
        return chain_of(2 if len(mimic.seen) < 12 else 4)(probe)

    mimic.answer = answer
    lines = read(srtrace(mimic, *QUICK, "--report=json", "-c", "12", TO))
    hops = {one["ttl"]: one for one in lines if one["type"] == "hop"}
    equal((hops[2]["changes"], {one["address"] for one in hops[2]["routers"]}),
          (1, {"10.221.1.2", "10.221.7.7"}), "hop 2")
    equal(sum(one["received"] for one in hops[2]["routers"]), hops[2]["received"],
          "replies of hop 2")
    equal((sorted(hops), lines[-1]["verdict"]), ([1, 2, 3, 4, 5], "reached"),
          "hops")
    equal(hops[5]["routers"][0]["address"], TO, "the end")


@test("srtrace: --report --loop knows the two ways")
def report_loop():
    mimic = Mimic(two_ways)
    lines = read(srtrace(mimic, *QUICK, "--report=json", "-c", "3", "--loop", G))
    equal([(one["ttl"], one["side"]) for one in lines if one["type"] == "hop"],
          [(1, "out"), (2, "out"), (3, "out"), (4, "back"), (5, "back"), (6, "end")],
          "sides")
    equal(lines[-1]["verdict"], "returned", "verdict")


class Terminal:
    """srtrace on a terminal of its own: what it has written, and what is on the screen."""

    def __init__(self, mimic, columns, *words, **environment):
        self.written = ""
        self.screen = pyte.Screen(columns, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.near, far = pty.openpty()
        self.resize(columns, 24)
        with mimic.host:
            self.program = subprocess.Popen(
                [PROGRAM, "-n", *QUICK, "--watch", *words], stdin=far, stdout=far,
                stderr=far, start_new_session=True,
                env={**os.environ, "TERM": "vt100", "LC_ALL": "C.UTF-8",
                     **environment},
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(far)
        ktap.cleanup(self.close)

    def close(self):
        os.close(self.near)
        with contextlib.suppress(ProcessLookupError):
            self.program.kill()
        self.program.wait()

    def resize(self, columns, lines):
        """As a window does: the kernel tells the program by SIGWINCH."""
        self.screen.resize(lines, columns)
        fcntl.ioctl(self.near, termios.TIOCSWINSZ,
                    struct.pack("HHHH", lines, columns, 0, 0))

    def _read(self):
        if select.select([self.near], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):     # it has ended
                octets = os.read(self.near, 65536)
                self.stream.feed(octets)
                self.written += octets.decode(errors="replace")

    def shows(self, *words, without=()):
        """The screen, once it has these words and none of those."""
        end = time.monotonic() + 20
        while True:
            self._read()
            text = "\n".join(self.screen.display)
            if all(word in text for word in words) and not any(
                    word in text for word in without):
                return text
            check(time.monotonic() < end, "not %s without %s:\n%s" % (words, without, text))

    def says(self, words):
        """All that it has written, once these words are in it."""
        end = time.monotonic() + 20
        while words not in self.written:
            check(time.monotonic() < end, "no %r in %r" % (words, self.written[-2000:]))
            self._read()
        return self.written

    def type(self, text):
        os.write(self.near, text.encode())


@test("srtrace: --watch draws hops, obeys its keys, follows the size of the terminal, and "
      "ends with a summary")
def keys():
    mimic = Mimic(chain_of(3))
    terminal = Terminal(mimic, 100, TO)
    terminal.shows("10.221.1.3", "loss%", "mean", "worst", "jitter", "changes")
    terminal.type("h")
    terminal.shows("forget what was counted")
    terminal.type("hp")
    terminal.shows("paused", without=["forget what was counted"])
    seen = len(mimic.seen)
    time.sleep(0.5)
    check(len(mimic.seen) <= seen + 4, "it does not pause")
    terminal.type("p")
    # On 40 columns there is room for two numbers behind an address.
    terminal.resize(40, 12)
    terminal.shows("10.221.1.1", "10.221.1.3", "loss%", without=["jitter", "paused"])
    terminal.resize(100, 24)
    terminal.shows("10.221.1.1", "10.221.1.3", "loss%", "jitter")
    terminal.type("q")
    terminal.says("rounds, 0 changes of the way")
    equal(terminal.program.wait(5), 0, "exit code")


@test("srtrace: --watch --loop shows both ways in one table, and where they part")
def both_ways():
    mimic = Mimic(two_ways)
    terminal = Terminal(mimic, 100, "--loop", G)
    terminal.shows("turns here", "out", "back", "!")
    os.kill(terminal.program.pid, signal.SIGINT)
    terminal.says("returned; ")


@test("srtrace: --watch without colours, and on a terminal that cannot be drawn on")
def plain():
    mimic = Mimic(chain_of(3, lambda n: n % 7 == 0))
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False),
                                  ({"TERM": "vt100"}, False)):
        terminal = Terminal(mimic, 100, TO, **{"TERM": "xterm-256color",
                                               **environment})
        terminal.shows("4  10.222.0.9")    # the destination is green
        equal(bool(re.search(r"\033\[3[0-7]m", terminal.written)), coloured,
              environment)
        terminal.type("q")
        terminal.says("changes of the way")
    for environment in {"TERM": "dumb"}, {"TERM": "no-such-terminal"}:
        terminal = Terminal(mimic, 80, "-c", "4", TO, **environment)
        text = terminal.says("hop  ")
        check(re.search(r"round 2: 4 hops, \d with losses, 0 changes of the way", text)
              and "\033" not in text, text)
    program = start(mimic, *QUICK, "--watch", "-c", "4", TO)
    text = program.communicate(timeout=20)[0]
    check("round 2: 4 hops" in text and "\033" not in text, text)


if __name__ == "__main__":
    ktap.main()
