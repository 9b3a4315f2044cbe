#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What srconform makes of answers that a hostile device sends: frames, datagrams,
options, quotes of ICMP errors and ARP, changed at random. Whatever comes, there is a
defined result: no exception, no hang.

    SRCROUTE_SEED=N      repeats a run
    SRCROUTE_HOSTILE=N   how many inputs, in all

The seeds are what the device of dut/ answers to each case, right or with a fault.
"""

import copy
import html.parser
import json
import os
import random
import signal
import sys
import tempfile
import time
import xml.etree.ElementTree as tree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../scripts/programs"))

from dut.faults import FAULTS  # noqa: E402
from dut.header import checksum  # noqa: E402
from dut.router import Port, Router  # noqa: E402
from lib import ktap  # noqa: E402
from lib.ktap import check, test  # noqa: E402
from srconform import cases, cli, diff, wire  # noqa: E402
from srconform.bed import Bed  # noqa: E402
from srconform.case import OUTCOMES  # noqa: E402
from srconform.plan import IN, OUT, Plan  # noqa: E402
from srconform.report import capture, html as page, junit, markdown, schema  # noqa: E402
from srconform.report import ktap as tap, matrix, terminal  # noqa: E402
from srconform.runner import Line  # noqa: E402
from srconform.session import Session  # noqa: E402
from srconform.verdict import Answer  # noqa: E402

SEED = int(os.environ.get("SRCROUTE_SEED", random.randrange(1 << 31)))
INPUTS = int(os.environ.get("SRCROUTE_HOSTILE", 20000))
BATCH, LIMIT = 500, 20  # inputs, and the seconds of CPU in which so many must be done
TELLING = (0, 1, 2, 3, 4, 5, 7, 8, 11, 12, 39, 40, 64, 68, 69, 127, 128, 131, 137, 255)


class NoPort:
    """An interface without a wire: it keeps what is sent by it."""

    name = "none"

    def __init__(self):
        self.sent = []

    def send(self, to, sender, kind, body):
        self.sent.append((to, sender, kind, body))
        return time.time()

    @staticmethod
    def receive():
        return None


class Bench:
    """The tool's stations, runner and judge around a device in this process."""

    def __init__(self, rng, profile):
        self.rng = rng
        self.plan = Plan()
        self.ports = {IN: NoPort(), OUT: NoPort()}
        self.bed = Bed(self.plan, "in", "out", ports=self.ports)
        self.session = Session(self.bed, profile)
        self.runner = self.session.runner
        self.judge = self.runner.judge
        self.runner.line = Line([])
        self.seeds = [seed for case in cases.ALL for seed in self._seeds(case)]

    def _device(self, fault):
        """The router, and the list of what it sends: (side, next hop, octets)."""
        out, ports = [], []
        for side in IN, OUT:
            ports.append(Port(side, ["%s/%d" % (own, prefix.bits) for own, prefix in zip(
                self.plan.own(side), self.plan.on_link(side))], 1280))
        routes = [(str(self.plan.far_in), self.plan.gateway(IN)),
                  (str(self.plan.far_out), self.plan.gateway(OUT))]
        router = Router(ports, routes, lambda port, hop, octets, *_: out.append(
            (port.name, wire.quad(hop), octets)), lambda name: name == fault)
        return router, ports, out

    def _seeds(self, case):
        """(case, its try, answers), by a device that is right and by two that are not."""
        if case.special:
            return
        for fault in None, *self.rng.sample(list(FAULTS), 2):
            router, ports, out = self._device(fault)
            one = self.runner.start(case)
            for side, octets in one.sent:
                router.receive(ports[side == OUT], 0, octets)
            yield case, one, list(out)

    def answers(self, outputs):
        """Outputs, changed here and there."""
        rng = self.rng
        outputs = list(outputs)
        if not outputs or rng.random() < 0.1:
            outputs.append((rng.choice((IN, OUT)), self.plan.named["n"],
                            rng.randbytes(rng.randrange(100))))
        if rng.random() < 0.1:
            outputs.append(rng.choice(outputs))
        for side, hop, octets in outputs:
            yield side, hop, mutate(rng, octets)

    def judged(self, case, tried, outputs, note=lambda text: None):
        """The Result of a case's answers, changed here and there."""
        answers = []
        for side, hop, octets in self.answers(outputs):
            note("%s %s %s" % (case.id, side, octets.hex()))
            try:
                datagram = wire.Datagram(octets)
            except wire.Broken:
                continue
            answers.append(Answer(side, 0.0, self.plan.mac(side, hop), datagram, None))
        index = self.rng.randrange(len(tried.sent))
        return self.judge.judge(case, tried.sent[index][1], tried.source, answers)

    def document(self, seeds):
        """What a run has found, with an answer to each seed."""
        self.session.results = {}
        for case, tried, outputs in seeds:
            result = self.judged(case, tried, outputs)
            result.tries = [tried]
            self.session.results[case] = result
        return self.session.document("a | <device> & 'its' name")

    def forget(self):
        self.bed.capture.clear()
        self.bed.claims = {IN: {}, OUT: {}}
        for port in self.ports.values():
            port.sent.clear()


def mutate(rng, octets):
    """Up to six changes; the checksum of the header is put right every other time, so
    that more than the first question is asked."""
    octets = bytearray(octets)
    for _ in range(rng.randrange(7)):
        change(rng, octets)
    size = (octets[0] & 15) * 4 if octets else 0
    if 20 <= size <= len(octets) and rng.random() < 0.5:
        octets[10:12] = b"\0\0"
        octets[10:12] = checksum(octets[:size]).to_bytes(2, "big")
    return bytes(octets)


def change(rng, octets):
    at = rng.randrange(len(octets) + 1)
    kind = rng.randrange(8)
    if kind == 0:
        del octets[at:]
    elif kind == 1:
        octets[at:at] = rng.randbytes(rng.randrange(1, 40))
    elif kind == 2:
        del octets[at:at + rng.randrange(1, 9)]
    elif kind == 3 and octets:
        other = rng.randrange(len(octets))
        octets[at:at + 8] = octets[other:other + 8]
    elif kind == 4 and len(octets) > 1:
        octets[0] = rng.choice((0x45, 0x46, 0x4F, 0x40, 0x65, octets[0]))
    elif at < len(octets):
        octets[at] = rng.choice(TELLING) if kind < 7 else rng.randrange(256)


def attempt(seconds, function, what):
    """Call it; an exception, or more time than it may take, fails with the input."""
    def too_long(*_):
        raise TimeoutError("not done in %d s" % seconds)

    signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return function()
    except Exception as error:  # whatever it is, it must not be
        print("# input: %s" % what())
        raise AssertionError("%s: %s" % (type(error).__name__, error)) from error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def batches(count, function, size=BATCH):
    """Call function so often; say how fast."""
    begin, last = time.monotonic(), [""]

    def some(number):
        for _ in range(number):
            function(last)

    for done in range(0, count, size):
        attempt(LIMIT, lambda done=done: some(min(size, count - done)),
                lambda: last[0])
    took = time.monotonic() - begin
    print("# %d inputs, %.0f a second, seed %d" % (count, count / max(took, 1e-9), SEED),
          flush=True)


@test("Device: whatever a device answers to a case, there is an outcome")
def outcomes():
    rng = random.Random(SEED)
    benches = [Bench(rng, profile) for profile in ("rfc", "linux", "strict")]
    seen = dict.fromkeys(OUTCOMES, 0)

    def one(last):
        bench = rng.choice(benches)
        result = bench.judged(*rng.choice(bench.seeds),
                              lambda text: last.__setitem__(0, text))
        str(result.why)
        seen[result.outcome] += 1

    batches(INPUTS * 9 // 20, one)
    print("# " + ", ".join("%s %d" % pair for pair in seen.items()))
    check(sum(1 for count in seen.values() if count) >= 4, "the same outcome always")


@test("Device: whatever frames come, those who play the hosts go on")
def frames():
    rng = random.Random(SEED + 1)
    bench = Bench(rng, "rfc")
    belong = [0]
    arp = [wire.arp(op, bench.plan.mac(IN, "1.2.3.4"), sender, b"\0" * 6, target)
           for op in (1, 2) for sender in bench.plan.own() for target in
           (bench.plan.named["GA"], bench.plan.named["n"], bench.plan.named["m"])]

    def one(last):
        case, tried, outputs = rng.choice(bench.seeds)
        tried.answers.clear()
        side, kind = rng.choice((IN, OUT)), wire.ETH_IP
        if rng.random() < 0.2:
            body, kind = mutate(rng, rng.choice(arp)), wire.ETH_ARP
        else:
            body = mutate(rng, rng.choice(outputs)[2]) if outputs else rng.randbytes(40)
        if rng.random() < 0.02:
            kind = rng.randrange(65536)
        last[0] = "%s %04x %s" % (side, kind, body.hex())
        to, sender = bench.plan.mac(side, bench.plan.named["n"]), rng.randbytes(6)
        bench.bed._take(bench.ports[side], time.time(), to, sender, kind, body)
        for index, answers in tried.answers.items():
            belong[0] += 1
            bench.judge.judge(case, tried.sent[index][1], tried.source, answers)
        if len(bench.bed.capture) > 1000:
            bench.forget()

    batches(INPUTS * 9 // 20, one)
    check(belong[0] > INPUTS // 20, "hardly one belongs to a case: %d" % belong[0])


class Strict(html.parser.HTMLParser):
    """Only what srconform itself writes, closed as it was opened."""

    KNOWN = set("html head meta title style body h1 h2 p table tr td th details summary "
                "span b code mark".split())

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        check(tag in self.KNOWN, "HTML has a tag <%s>" % tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        check(self.open and self.open.pop() == tag, "HTML closes <%s>" % tag)


def reports(document):
    """Every report of it; those that programs read are read again."""
    terminal.summary(document, True)
    markdown.text(document)
    matrix.text([document])
    lines = tap.text(document).splitlines()
    results = [line for line in lines if line.startswith(("ok ", "not ok "))]
    check(len(results) == len(document["cases"]), "KTAP has %d results" % len(results))
    tree.fromstring(junit.text(document).encode())
    reader = Strict()
    reader.feed(page.text(document))
    check(not reader.open, "HTML leaves %s open" % reader.open)


@test("Device: whatever it answers, every report of it can be read")
def reported():
    rng = random.Random(SEED + 2)
    bench = Bench(rng, "rfc")

    def one(_):
        document = bench.document(rng.sample(bench.seeds, 20))
        schema.check(document)
        reports(json.loads(json.dumps(document)))
        with tempfile.NamedTemporaryFile() as file:
            capture.write(file.name, bench.bed.capture[:50], bench.session.results)

    batches(INPUTS // 20 // 20, one, 20)


VALUES = [None, True, 0, -1, 1, 10 ** 30, 1e400, 0.5, float("nan"), [], [[]], {}, {"a": 1},
          "", "zz", "abc", "0", "4", "45", "4500", "X1", "<script>", "a\nnot ok 1", "a # SKIP",
          "\0", "\ud800", "\uffff", "]]>", "a | b", "\x1b[2J", ["x"], [1, 10 ** 9],
          "deviates (MUST)", "conforms", "MUST", "%s %d %(id)s", "&amp;", "'\"", "a" * 5000]


def place(rng, document):
    """Somewhere in a document: what it is in, and its key."""
    inside = document
    while True:
        keys = list(inside) if isinstance(inside, dict) else range(len(inside))
        key = rng.choice(keys)
        if isinstance(inside[key], (dict, list)) and inside[key] and rng.random() < 0.9:
            inside = inside[key]
            continue
        return inside, key


def damage(rng, document):
    """A document of srconform that somebody else has written."""
    document = copy.deepcopy(document)
    for _ in range(rng.randrange(1, 4)):
        inside, key = place(rng, document)
        kind = rng.random()
        if kind < 0.05 and len(inside) > 1:
            del inside[key]
        elif kind < 0.1 and isinstance(inside, dict):
            inside["more"] = inside[key]
        elif kind < 0.8:
            same = [v for v in VALUES if isinstance(v, type(inside[key]))]
            inside[key] = copy.deepcopy(rng.choice(same))
        else:
            inside[key] = copy.deepcopy(rng.choice(VALUES))
    text = json.dumps(document)
    if rng.random() < 0.1:
        text = mutate(rng, text.encode()).decode("latin-1")
    return "[" * 100000 if rng.random() < 0.01 else text


@test("Device: a document that somebody has changed is refused, or compared and reported")
def documents():
    rng = random.Random(SEED + 3)
    bench = Bench(rng, "rfc")
    good = [json.loads(json.dumps(bench.document(rng.sample(bench.seeds, 3))))
            for _ in range(10)]
    count = {True: 0, False: 0}

    def one(last):
        last[0] = text = damage(rng, rng.choice(good))
        with tempfile.NamedTemporaryFile("w", encoding="latin-1",
                                         errors="replace") as file:
            file.write(text)
            file.flush()
            try:
                document = cli._load(file.name)
            except cli.UsageError:
                count[False] += 1
                return
        count[True] += 1
        diff.text(document, rng.choice(good), ["a", "b"])[0].encode()
        reports(document)

    batches(INPUTS // 20, one)
    print("# %d refused, %d compared" % (count[False], count[True]))
    check(all(count.values()) or INPUTS < 2000, "all of them, or none")


if __name__ == "__main__":
    ktap.main()
