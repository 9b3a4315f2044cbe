#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srconform without a device: octets, expectations, verdicts, reports. Runs on any
machine.
"""

import copy
import html.parser
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "../../scripts/programs")
sys.path.insert(0, PROGRAMS)

from lib import ktap, unprivileged  # noqa: E402
from lib.ktap import check, equal, test  # noqa: E402
from srconform import cases, cli, config, diff, explain, special, wire  # noqa: E402
from srconform.bed import Frame  # noqa: E402
from srconform.case import (CONFORMS, DEVIATES_MUST, KEEP, NOT_APPLICABLE,  # noqa: E402
                            SILENT, Err, Nothing, Out, Reply)
from srconform.engine import Engine  # noqa: E402
from srconform.plan import IN, OUT, Plan  # noqa: E402
from srconform.report import (capture, header, html as page, junit,  # noqa: E402
                              ktap as tap, markdown, schema)
from srconform.runner import Runner  # noqa: E402
from srconform.tries import Try  # noqa: E402
from srconform.session import Session  # noqa: E402
from srconform.verdict import Answer, Judge, Result, combine, quote_ok  # noqa: E402

PLAN = Plan()
UNKNOWN_TO_ENGINE = {"H60", "B13", "B14"}   # neighbours that are silent; the fuzz


class NoBed:
    """A bed without wires."""

    def __init__(self, plan=PLAN):
        self.plan, self.arrive, self.capture = plan, None, []


def case(id_):
    return cases.select([id_])[0]


def masked(octets, mask):
    return bytes(0 if i in mask else octet for i, octet in enumerate(octets))


def agrees(one):
    """Is what the case draws what the engine computes?"""
    octets, source = explain.sample(one, PLAN)
    send, expect = one.sends()[0], one.expect
    fate = Engine(PLAN).fate(octets, send.side, send.link)
    if isinstance(expect, Out):
        drawn, mask, _ = Judge(PLAN).drawn(expect, octets, source)
        mask = mask | {10, 11} if mask else mask
        return fate.kind == "out" and fate.side == expect.side and \
            masked(fate.octets[:len(drawn)], mask) == masked(drawn, mask)
    if isinstance(expect, Err):
        return fate.kind == "error" and (not expect.look or (
            fate.type == expect.type and fate.code in (expect.code,) + expect.codes and
            expect.at in (None, fate.pointer)))
    if isinstance(expect, Nothing):
        return fate.kind not in {"any": ("out", "error"), "error": ("error",),
                                 "out": ("out",)}[expect.look[0]]
    return fate.kind == ("local" if isinstance(expect, Reply) else "out")


@test("Judge: what each case draws is what the engine computes by the RFCs")
def drawn_is_computed():
    wrong = [c.id for c in cases.ALL if c.id not in UNKNOWN_TO_ENGINE and not agrees(c)]
    equal(wrong, [], "cases that draw something else")


@test("Judge: there are 120 cases or more, each with an id, a rule, and what it looks at")
def rows():
    ids = [c.id for c in cases.ALL]
    check(len(ids) >= 120, "only %d" % len(ids))
    equal(len(set(ids)), len(ids), "different ids")
    for one in cases.ALL:
        check(one.title and one.rule.text and one.rule.section, one.id)
        check(one.rule.level in ("MUST", "SHOULD", "MAY"), one.id)
        check(not one.special or one.special in special.FUNCTIONS, one.id)
        check(set(one.needs) <= {"two", "mtu", "nowhere"}, one.id)


@test("Judge: every file of cases has its family, and selection knows ids and families")
def selection():
    for module in cases.MODULES:
        equal(len({cases.family(c) for c in module.CASES}), 1, module.__name__)
    equal([c.id for c in cases.select(["h1", "T2"])], ["H1", "T2"], "by id")
    equal({cases.family(c) for c in cases.select(["R"])}, {"R"}, "by family")
    try:
        cases.select(["Z9"])
        ktap.fail("Z9 chooses something")
    except ValueError:
        pass


@test("Judge: the checksum of RFC 1624's example, and of a header that has 0xffff")
def checksums():
    octets = struct.pack("!HH", 0xCD7A, 0x5555)
    total = wire.checksum(octets)
    equal(total, ~(0xCD7A + 0x5555 - 0x10000 + 1 if 0xCD7A + 0x5555 > 0xFFFF
                   else 0xCD7A + 0x5555) & 0xFFFF, "checksum")
    one = wire.build("192.0.2.1", "192.0.2.2", ident=1)
    equal(wire.checksum(one[:20]), 0, "a header with its own checksum")
    for id_, value in ("C15", 0), ("C16", 0), ("C17", 1):
        octets, source = explain.sample(case(id_), PLAN)
        after = Judge(PLAN).drawn(case(id_).expect, octets, source)[0]
        equal(int.from_bytes(after[10:12], "big"), value, id_)
    equal(explain.sample(case("C13"), PLAN)[0][10:12], b"\xff\xff", "C13")


@test("Judge: 20,000 hostile datagrams break nothing that reads them")
def hostile():
    rng = random.Random(20)
    runner = Runner(NoBed(), Judge(PLAN))
    one = Try(case("H1"), PLAN.source(1))
    runner.sources[one.source] = one
    octets, _ = explain.sample(case("H1"), PLAN)
    one.sent.append((IN, octets))
    heads = [octets, wire.build("192.0.2.1", one.source, payload=wire.icmp(
        3, 5, b"\0" * 4, octets), proto=1)]
    for _ in range(20000):
        some = bytearray(rng.choice(heads))
        for _ in range(rng.randrange(6)):
            some[rng.randrange(len(some))] = rng.randrange(256)
        one.answers = {}
        runner.arrive(OUT, 0.0, b"\0" * 6, bytes(some[:rng.randrange(len(some) + 1)]),
                      Frame(0.0, OUT, False, b""))
        for id_ in "H1", "F14", "V1", "E17", "H20", "W1":
            runner.judge.judge(case(id_), octets, one.source, one.answers.get(0, []))


def answered(one, octets, side=OUT, hop="n"):
    """The Result where these octets come."""
    sent, source = explain.sample(one, PLAN)
    mac = PLAN.mac(side, PLAN.resolve(hop, source))
    answers = [Answer(side, 0.0, mac, wire.Datagram(octets), None)] if octets else []
    return Judge(PLAN).judge(one, sent, source, answers)


def right(one):
    sent, _ = explain.sample(one, PLAN)
    return Engine(PLAN).fate(sent).octets


def changed(octets, at, value=None, good_sum=True):
    some = bytearray(octets)
    some[at] = some[at] ^ 1 if value is None else value
    length = (octets[0] & 15) * 4
    if good_sum:
        some[:length] = wire.with_sum(bytes(some[:length]))
    return bytes(some)


@test("Judge: each octet that is wrong is told by its own name, and judged where looked at")
def names_of_octets():
    octets = right(case("H1"))
    for id_, at, name in (("H1", 19, "dst"), ("H2", 26, "record"), ("H3", 22, "ptr"),
                          ("H4", 21, "length"), ("L6", 8, "ttl"), ("C23", 1, "tos"),
                          ("C26", 5, "id"), ("F9", 6, "frag"), ("C29", 12, "src"),
                          ("H63", 60, "payload")):
        one = case(id_)
        octets = right(one)
        equal(answered(one, octets).outcome, CONFORMS, id_ + " right")
        wrong = answered(one, changed(octets, at))
        check(name in wrong.judged, "%s at %d: %s" % (id_, at, wrong.judged))
        equal(wrong.outcome, DEVIATES_MUST, id_)
    other = answered(case("H1"), changed(right(case("H1")), 22))
    equal((other.outcome, "ptr" in other.differs), (CONFORMS, True), "not looked at")


@test("Judge: a stale checksum, a wrong side and a wrong next hop are told")
def around_the_header():
    one = case("C18")
    wrong = answered(one, changed(right(one), 10, good_sum=False))
    equal(wrong.outcome, DEVIATES_MUST, "checksum")
    one = case("H1")
    equal(answered(one, right(one), side=IN).judged, {"side"}, "side")
    one = case("H6")
    equal(answered(one, right(one), hop="n").judged, {"hop"}, "next hop")
    equal(answered(one, right(one), hop="GB").outcome, CONFORMS, "the gateway")


def error(one, type_, code, pointer=0, quote=None, src="A"):
    sent, source = explain.sample(one, PLAN)
    quote = sent if quote is None else quote
    body = wire.icmp(type_, code, bytes([pointer, 0, 0, 0]), quote)
    octets = wire.build(PLAN.resolve(src), source, payload=body, proto=1, tos=0xC0)
    return answered(one, octets, side=IN, hop="GA")


@test("Judge: errors by type, code, pointer, source and quote")
def errors():
    equal(error(case("V9"), 12, 0, 22).outcome, CONFORMS, "right pointer")
    equal(error(case("V9"), 12, 0, 20).outcome, "permitted choice", "within the option")
    equal(error(case("V9"), 12, 0, 40).outcome, DEVIATES_MUST, "another pointer")
    equal(error(case("H51"), 3, 5).outcome, CONFORMS, "3/5")
    equal(error(case("H51"), 3, 0).outcome, DEVIATES_MUST, "3/0: no route, a MUST")
    equal(error(case("H56"), 3, 0).outcome, "deviates (SHOULD)", "3/0: 127/8, a SHOULD")
    equal(error(case("E2"), 11, 0, src="B").outcome, DEVIATES_MUST, "from elsewhere")
    sent, _ = explain.sample(case("E6"), PLAN)
    equal(error(case("E6"), 11, 0).outcome, CONFORMS, "quote")
    equal(error(case("E6"), 11, 0, quote=changed(sent, 19)).outcome, DEVIATES_MUST,
          "a rewritten quote")
    own = [wire.addr(quad) for quad in PLAN.own()]
    moved = changed(changed(changed(sent, 22, 8), 19, sent[26]), 26, own[2][3])
    moved = moved[:16] + sent[23:27] + moved[20:23] + own[2] + moved[27:]
    equal(error(case("E6"), 11, 0, quote=moved).outcome, "permitted choice",
          "a source route as forwarding makes it")
    equal(error(case("E8"), 12, 0, 22, quote=changed(sent, 22, 8)).outcome, DEVIATES_MUST,
          "... not in an error about it")
    for at, value in (22, 6), (22, 12), (21, 11), (23, 1):
        equal(error(case("E6"), 11, 0, quote=changed(sent, at, value)).outcome,
              DEVIATES_MUST, "octet %d of the quote is %d" % (at, value))
    check(quote_ok(changed(sent, 8), sent), "a TTL in the quote may differ")
    check(not quote_ok(sent[:24], sent), "a short quote")


@test("Judge: forwarded where only advice is against it breaks a SHOULD")
def against_advice():
    for id_ in "V6", "V41", "V49", "C9", "T8":
        sent, _ = explain.sample(case(id_), PLAN)
        seen = answered(case(id_), changed(sent[:len(sent) & ~3], 8, 63), hop="GB")
        equal(seen.outcome.replace("permitted choice", "deviates (SHOULD)"),
              "deviates (SHOULD)", id_)


@test("Judge: NOPs that are left out or put in are nobody's fault, another octet is")
def nops():
    one = case("R14")
    octets = right(one)
    body = octets[23:34]
    for area in body + b"\0", b"\1" * 5 + body, b"\1" + body:
        octets_ = with_area(octets, area)
        equal(answered(one, octets_, hop="GB").outcome, "permitted choice", area.hex())
        equal(Judge(PLAN, "strict").judge(one, *explain.sample(one, PLAN), [
            Answer(OUT, 0.0, PLAN.mac(OUT, PLAN.resolve("GB")), wire.Datagram(octets_),
                   None)]).outcome, DEVIATES_MUST, "strict")
        for at in 1, 9, 16, 20 + area.index(b"\7") + 2:
            equal(answered(one, changed(octets_, at), hop="GB").outcome, DEVIATES_MUST,
                  "octet %d of it" % at)
    stamped = right(case("S3"))
    late = changed(stamped, 24, 0x7F)
    equal(answered(case("S3"), late, hop="GB").outcome, DEVIATES_MUST, "a time of no day")


def with_area(octets, area):
    """The same datagram with these options."""
    head = octets[:20] + area + bytes(-len(area) % 4)
    head = bytes([0x40 | len(head) // 4]) + head[1:]
    rest = octets[(octets[0] & 15) * 4:]
    return wire.with_sum(head[:2] + struct.pack("!H", len(head) + len(rest)) + head[4:]) + rest


@test("Judge: what no RFC asks for is a choice, and has a name")
def no_rule():
    one = case("E44")
    seen = error(one, 12, 0, 28, src="F")
    check(seen.outcome in (CONFORMS, "permitted choice"), seen.outcome)
    for one in cases.ALL:
        if one.rule.level == "MAY":
            equal(Judge(PLAN).judge(one, *explain.sample(one, PLAN), []).outcome, SILENT,
                  one.id)


@test("Judge: forwarded where an error or nothing is due breaks a MUST")
def came_through():
    sent, _ = explain.sample(case("H35"), PLAN)
    equal(answered(case("H35"), changed(sent, 8, 63), hop="GB").outcome, DEVIATES_MUST,
          "H35")
    equal(answered(case("W2"), changed(sent, 8, 63)).outcome, DEVIATES_MUST, "W2")
    equal(answered(case("W2"), b"").outcome, CONFORMS, "W2, nothing")


@test("Judge: of several tries a wrong one counts, silence only if all are silent")
def tries():
    good, silent, wrong = [lambda o=o: Result(o) for o in (CONFORMS, SILENT, DEVIATES_MUST)]
    one = case("H1")
    equal(combine(one, [silent(), good(), silent()], 3).outcome, CONFORMS, "one came")
    equal(combine(one, [silent()] * 3, 3).outcome, SILENT, "none came")
    equal(combine(one, [good(), wrong(), good()], 3).outcome, DEVIATES_MUST, "one wrong")


@test("Judge: a profile chooses among what is permitted")
def profiles():
    one = case("H51")
    sent, source = explain.sample(one, PLAN)
    found = {profile: Judge(PLAN, profile).judge(one, sent, source, []).outcome
             for profile in cli.PROFILES}
    equal(found, {"rfc": SILENT, "linux": "permitted choice", "strict": SILENT}, "silence")


@test("Judge: no choice that another case gives the lie")
def contradiction():
    name = case("H17").may[0].name
    for other, wanted in (CONFORMS, SILENT), ("permitted choice", "permitted choice"):
        session = Session(NoBed())
        session.results = {case("H17"): Result("permitted choice", choice=name),
                           case("H18"): Result(other)}
        session.contradict()
        equal(session.results[case("H17")].outcome, wanted, "H17 where H18 %s" % other)
    for one in cases.ALL:
        for may in one.may:
            check(not may.unless or cases.select([may.unless]), one.id)


@test("Judge: a setting that another case shows to be off is no choice")
def setting_is_off():
    one = case("R11")
    sent, source = explain.sample(one, PLAN)
    octets = with_area(right(one), right(one)[20:27] + sent[27:38])
    unread = Answer(OUT, 0.0, PLAN.mac(OUT, PLAN.resolve("n")), wire.Datagram(octets), None)
    for other, wanted in ("permitted choice", "permitted choice"), (CONFORMS, DEVIATES_MUST):
        session = Session(NoBed())
        session.results = {one: Judge(PLAN).judge(one, sent, source, [unread]),
                           case("R1"): Result(other)}
        session.contradict()
        equal(session.results[one].outcome, wanted, "R11 where R1 %s" % other)


def sections():
    """{(number of the RFC, section)} of the table."""
    with open(os.path.join(HERE, "sections")) as file:
        return {tuple(line.split()[:2]) for line in file if line[0] != "#"}


CITED = re.compile(r"\bRFC (\d+),? (\d+(?:\.\d+)+)")
PARTS = {"RFC 792": {"Time Exceeded"}, "draft of 1987, Postel and Reynolds": {"example 2"}}


@test("Judge: each section that a case cites is in the table of sections")
def cited():
    known = sections()
    for one in cases.ALL:
        rfc, section = one.rule.rfc, one.rule.section
        check(section in PARTS.get(rfc, ()) or (rfc.split()[-1], section.split(",")[0]) in
              known, "%s: %s, %s" % (one.id, rfc, section))


@test("Judge: each section that a file of the repository cites is in the table of sections")
def cited_elsewhere():
    known, found = sections(), 0
    top = os.path.join(HERE, "../..")
    names = subprocess.run(["git", "-C", top, "ls-files"], capture_output=True, text=True,
                           check=False).stdout.split()
    for name in names:
        path = os.path.join(top, name)
        # The matrix says what the cases were when it was made.
        if name == "docs/judged.md" or not os.path.isfile(path):
            continue
        with open(path, errors="replace") as file:
            for rfc, section in CITED.findall(" ".join(file.read().split())):
                found += 1
                check((rfc, section) in known, "%s: RFC %s, %s" % (name, rfc, section))
    check(not names or found > 30, "only %d citations" % found)


@test("Judge: each section of RFC 7126 about an option has a case")
def filters():
    cited = {one.rule.section for one in cases.ALL if one.rule.rfc == "RFC 7126"}
    equal(cited, {"4.%d" % number for number in range(1, 24)}, "sections")


@test("Judge: the cases that the page puts beside the tests of 1988 exist")
def of_1988():
    with open(os.path.join(HERE, "../../docs/judge-your-router.md")) as file:
        table = file.read().split("## The tests of 1988")[1].split("\n## ")[0]
    rows_ = [line for line in table.splitlines() if line.startswith("| 9.")]
    named = [id_ for row in rows_ for id_ in re.findall(r"\b[A-Z]\d+\b", row)]
    check(len(named) > 50, "only %d" % len(named))
    cases.select(named)
    for id_ in "V44", "O18", "V45":
        check("MSTD-1777-TESTS" in case(id_).old, id_)


@test("Judge: with one interface the out side is on the same wire, and the plan says so")
def one_interface():
    plan = Plan(["192.0.2.1"], single=True)
    equal(plan.own(), ["192.0.2.1", "198.18.1.1"], "own addresses")
    equal(plan.route(plan.resolve("F")), (OUT, plan.named["GB"]), "way to F")
    check("mtu" not in config.text(plan, "linux"), "an MTU for one interface")
    for two in ("192.0.2.254", "198.51.100.1"), ("192.0.2.1/33", "198.51.100.1"):
        try:
            Plan(two)
            ktap.fail("%s is taken" % (two,))
        except ValueError:
            pass


@test("Judge: the configuration is given for each kind of device, with every address")
def configuration():
    for style in "linux", "freebsd", "frr", "prose":
        text = config.text(PLAN, style, ["eth7", "eth8"])
        for part in PLAN.own() + [str(PLAN.far_in), PLAN.named["GB"]]:
            check(part in text, "%s has no %s" % (style, part))


class Line:
    """As runner.Line, for documents without a run."""

    @staticmethod
    def as_dict():
        return {"sent": 1, "lost": 0, "copies": 0, "median_ms": 0.1, "worst_ms": 0.2}


def document(ids=("H1", "H2", "V1", "E6", "H60"), name="test & <device>"):
    """One that has an outcome of each kind."""
    session = Session(NoBed())
    session.runner.line = Line()
    session.runner.flows = {"before": Line.as_dict()}
    results = {}
    for id_ in ids:
        one = case(id_)
        results[one] = Result(NOT_APPLICABLE, "needs | more < that")
        if id_ == "H1":
            results[one] = answered(one, right(one))
        elif id_ == "H2":
            results[one] = answered(one, changed(right(one), 26))
        elif id_ == "V1":
            results[one] = answered(one, b"")
        results[one].tries = []
    session.results = results
    return session.document(name)


@test("Judge: a document is as the schema says; what is missing, unknown or of another "
      "type is told")
def documents():
    good = json.loads(json.dumps(document()))
    schema.check(good)
    for path, value in ((["profile"], "other"), (["cases", 0, "outcome"], "good"),
                        (["cases", 0, "tries"], "3"), (["line", "sent"], -1),
                        (["cases", 0, "more"], 1), (["seconds"], True)):
        bad = copy.deepcopy(good)
        place = bad
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        refused(bad, path)
    for name in good:
        bad = dict(good)
        del bad[name]
        refused(bad, name)


def refused(bad, what):
    try:
        schema.check(bad)
    except schema.SchemaError:
        return
    ktap.fail("taken: %s" % what)


class Pages(html.parser.HTMLParser):
    """Notes marks and whether all that is opened is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.marks = [], [], 0

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta",):
            self.open.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.marks += tag == "mark"
        check(tag not in ("script", "link", "img"), "the page needs %s" % tag)

    def handle_endtag(self, tag):
        equal(self.open.pop(), tag, "closed")


@test("Judge: the page of HTML is whole, has every case, and marks the octets that differ")
def pages():
    parser = Pages()
    parser.feed(page.text(document()))
    equal(parser.open, [], "left open")
    equal(parser.ids, ["H1", "H2", "V1", "E6", "H60"], "cases")
    rows_ = header.rows(document()["cases"][1])
    # The recorded octet, and the checksum that covers it.
    marked = {at + i for at, _, _, _, marks in rows_ for i in marks}
    check(26 in marked and marked <= {10, 11, 26}, "marked: %s" % marked)
    equal(parser.marks, len(marked), "marks on the page")


@test("Judge: Markdown, KTAP and JUnit say of each case what the document does")
def texts():
    some = document()
    text = markdown.text(some)
    for row in some["cases"]:
        check("| %s |" % row["id"] in text, "Markdown has no %s" % row["id"])
    equal([line for line in tap.text(some).splitlines() if "ok " in line[:7]],
          ["ok 1 H1: " + case("H1").title, "not ok 2 H2: " + case("H2").title,
           "not ok 3 V1: " + case("V1").title,
           "ok 4 E6: " + case("E6").title + " # SKIP needs | more < that",
           "ok 5 H60: " + case("H60").title + " # SKIP needs | more < that"], "KTAP")
    root = tree.fromstring(junit.text(some).encode())
    equal([(s.get("name"), s.get("tests"), s.get("failures"), s.get("skipped"))
           for s in root], [("H", "3", "1", "1"), ("V", "1", "1", "0"),
                            ("E", "1", "0", "1")], "JUnit")


def blocks(octets):
    """[(type, body)] of a pcapng file."""
    while octets:
        kind, size = struct.unpack("<II", octets[:8])
        equal(struct.unpack("<I", octets[size - 4:size])[0], size, "the second length")
        equal(size % 4, 0, "alignment")
        yield kind, octets[8:size - 4]
        octets = octets[size:]


@test("Judge: the capture has every frame, and the case on those that belong to one")
def captured():
    one = case("H1")
    result = Result(CONFORMS)
    attempt = Try(one, PLAN.source(1))
    frames = [Frame(2.5, IN, True, b"x" * 61), Frame(3.25, OUT, False, b"y" * 60)]
    attempt.frames = frames[:1]
    result.tries = [attempt]
    with tempfile.NamedTemporaryFile() as file:
        capture.write(file.name, frames[::-1], {one: result})
        found = list(blocks(file.read()))
    equal([kind for kind, _ in found], [0x0A0D0D0A, 1, 1, 6, 6], "blocks")
    number, high, low, size, _ = struct.unpack("<IIIII", found[3][1][:20])
    equal((number, (high << 32 | low) / 1e9, size), (0, 2.5, 61), "the first frame")
    check(b"H1: " in found[3][1] and b"H1: " not in found[4][1], "comments")


@test("Judge: diff says what has changed, and nothing of what has not")
def differences():
    first, second = document(), document()
    equal(diff.changes(first, second), [], "the same")
    second["cases"][0]["outcome"] = SILENT
    del second["cases"][3]
    equal([(id_, was, now) for id_, _, was, now in diff.changes(first, second)],
          [("H1", CONFORMS, SILENT), ("E6", NOT_APPLICABLE, "not there")], "changed")


@test("Judge: every case can be explained, with octets and commands")
def explained():
    for one in cases.ALL:
        text = explain.text(one, PLAN)
        for part in one.id, one.rule.text, "00  ", "nping", "fromhex":
            check(part in text, "%s: no %s" % (one.id, part))
    for id_, words in (("H1", "nping --udp"), ("H17", "nping --icmp --icmp-type 8"),
                       ("E22", "nping --icmp --icmp-type 3 --icmp-code 3")):
        check(words in explain.text(case(id_), PLAN), "%s: no %s" % (id_, words))


def status(*words, user=None):
    """The exit status of the program and what it says to stderr."""
    directory = os.path.join(PROGRAMS, "srconform")
    if user:
        directory = unprivileged.copied(directory)
    done = subprocess.run([os.path.join(directory, "srconform"), *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, preexec_fn=user)
    return done.returncode, done.stderr


def nobody():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


@test("Judge: exit status 0, 2 and 4, with a word that says why")
def exit_status():
    equal(status("list")[0], 0, "list")
    for words in ([], ["run"], ["run", "--in", "lo", "--out", "lo", "--dut", "x,y"],
                  ["list", "--select", "Z9"], ["diff", "/nowhere", "/nowhere"],
                  ["run", "--in", "lo", "--dut", "192.0.2.254"], ["nothing"]):
        equal(status(*words)[0], 2, "%s" % words)
    code, said = status("run", "-q", "--in", "nowhere0", "--out", "nowhere1")
    equal(code, 4, "no such interface")
    check("nowhere0: no interface" in said, "it says %s" % said)


@test("Judge: exit status 3 without CAP_NET_RAW")
def privilege():
    if os.geteuid():
        ktap.lacks("another user to become")
    code, said = status("run", "-q", "--in", "lo", "--out", "lo", user=nobody)
    equal(code, 3, "unprivileged")
    check("CAP_NET_RAW" in said, "it says %s" % said)


def options_of(parser):
    """{command: its long options} as argparse has them."""
    commands = next(a for a in parser._actions if a.dest == "command").choices
    return {name: {option for action in some._actions
                   for option in action.option_strings
                   if option.startswith("--") and option != "--help"}
            for name, some in commands.items()}


@test("Judge: the man page and the completion have every command and every option")
def documented():
    with open(os.path.join(HERE, "../../docs/man/srconform.1")) as file:
        manual = file.read()
    with open(os.path.join(PROGRAMS, "srconform/srconform.bash")) as file:
        completion = file.read()
    for command, options in options_of(cli._parser()).items():
        check(".It Cm %s\n" % command in manual, "the man page has no %s" % command)
        check(" %s" % command in completion or "'%s" % command in completion, command)
        for option in options:
            check("Fl -%s" % option[2:] in manual, "the man page has no %s" % option)
            check(option in completion, "the completion has no %s" % option)


@test("Judge: options that are kept are drawn as sent")
def kept():
    equal(case("T1").expect.options, KEEP, "T1")
    octets, source = explain.sample(case("T1"), PLAN)
    drawn = Judge(PLAN).drawn(case("T1").expect, octets, source)[0]
    equal(drawn[20:], octets[20:len(drawn)], "options")


if __name__ == "__main__":
    ktap.main()
