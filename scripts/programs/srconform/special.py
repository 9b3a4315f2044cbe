# SPDX-License-Identifier: GPL-2.0-only
"""Cases of many datagrams. Each function takes the runner and the case, and gives a
Result. Where datagrams get lost on the line, that is taken off before anything is said
of the device.
"""

import random
import struct

from . import wire
from .case import CHOICE, CONFORMS, DEAD, SILENT, Out
from .plan import IN, OUT
from .runner import MAGIC
from .tries import Line, Try
from .verdict import Result, deviates

BURST = 64
FUZZ = 1000


def _send(runner, case, send, count, pace=0.0, between=None):
    """So many tries of one datagram; `between` sends something after each."""
    tries = []
    for _ in range(count):
        one = Try(case, runner.new_source())
        runner.sources[one.source] = one
        token, ident = runner.new_token(one, 0, send.ident)
        octets = runner.octets(case, send, one.source, token, ident)
        one.sent.append((send.side, octets))
        one.frames.append(runner.bed.send(send.side, octets, one.source))
        tries.append(one)
        if between:
            between()
        if pace:
            runner.bed.pump(pace)
    return tries


def _judged(runner, case, tries):
    return [runner.judge.judge(case, one.sent[0][1], one.source, one.answers.get(0, []))
            for one in tries]


def _allowed(runner, count):
    """How many of so many the line may lose."""
    return round(count * runner.line.loss * 3) + (2 if runner.line.lost else 0)


def _sum_up(runner, case, rounds):
    """The worst of what was seen of several bursts; a datagram is missing only if the
    same number is missing more than the line loses, in every burst."""
    results = [r for one in rounds for r in one]
    wrong = [r for r in results if r.outcome.startswith("deviates")]
    if wrong:
        wrong[0].why += " (%d of %d datagrams)" % (len(wrong), len(results))
        return wrong[0]
    missing = min(sum(r.outcome == SILENT for r in one) for one in rounds)
    if missing > _allowed(runner, len(rounds[0])):
        good = [r for r in results if r.outcome != SILENT]
        text = "%d of %d datagrams did not come through" % (missing, len(rounds[0]))
        if not good:
            return Result(SILENT, text, expected=results[0].expected)
        return Result(deviates(case.rule.level), text, seen=good[0].seen)
    return next(r for r in results if r.outcome != SILENT)


def burst(runner, case, between=None):
    """A burst at once, three times."""
    rounds = []
    for _ in range(runner.rounds):
        tries = _send(runner, case, case.send, BURST, between=between)
        runner.bed.pump(runner.grace, lambda: all(t.answers for t in tries))  # noqa: B023
        rounds.append(_judged(runner, case, tries))
        if between:
            runner.mark_rounds.append(runner.marks_between)
            runner.marks_between = []
    return _sum_up(runner, case, rounds)


def mixed(runner, case):
    """Loose routes and ordinary datagrams by turns: neither disturbs the other."""
    runner.marks_between, runner.mark_rounds = [], []
    result = burst(runner, case,
                   between=lambda: runner.marks_between.append(runner.mark()))
    lost = min(sum(not m.came for m in marks) for marks in runner.mark_rounds)
    if lost > _allowed(runner, BURST):
        return Result(deviates(case.rule.level), "%d of %d ordinary datagrams between "
                      "loose routes were lost" % (lost, BURST))
    marks = [m for one in runner.mark_rounds for m in one if m.came]
    astray = [m for m in marks if m.hop != _way_of_marks(runner.plan)]
    if astray and result.outcome == CONFORMS:
        return Result(deviates(case.rule.level), "%d of %d ordinary datagrams between "
                      "loose routes went to another next hop" % (len(astray), len(marks)),
                      differs={"hop"}, judged={"hop"})
    return result


def _way_of_marks(plan):
    """Where the ordinary datagrams of Runner.mark() have to come."""
    return OUT, plan.mac(OUT, plan.gateway(OUT))


def order(runner, case):
    """How many of a flow overtake others, beyond what ordinary ones do."""
    def swapped(tries):
        times = [t.answers[0][0].time for t in tries if t.answers.get(0)]
        return sum(a > b for a, b in zip(times, times[1:])), len(times)

    worst = []
    for _ in range(runner.rounds):
        tries = _send(runner, case, case.send, BURST, pace=0.001)
        runner.bed.pump(runner.grace, lambda: all(t.answers for t in tries))  # noqa: B023
        base = runner.flow(BURST, pace=0.001)
        ordinary = [m.came for m in base if m.came]
        usual = sum(a > b for a, b in zip(ordinary, ordinary[1:]))
        count, came = swapped(tries)
        if not came:
            return Result(SILENT, "no datagram came through")
        # The line itself may be what reorders: the verdict on the flow of ordinary
        # ones has only itself, so it is a choice and no deviation.
        worst.append((count, usual, came))
    count, usual, came = min(worst)
    if not count:
        return Result(CONFORMS)
    if isinstance(case.expect, Out) and case.send.options and count > 3 * usual + 2:
        return Result(deviates(case.rule.level), "%d of %d datagrams overtook others; of "
                      "ordinary ones %d did" % (count, came, usual))
    text = "reorders, or the line to it does: %d of %d" % (count, came)
    return Result(CHOICE, text, choice=text)


def copies(runner, case):
    """Does anything come twice?"""
    seen = []
    for _ in range(runner.rounds):
        tries = _send(runner, case, case.send, BURST // 2, pace=0.01)
        runner.bed.pump(max(runner.grace, 0.4), lambda: False)
        kind = "out" if isinstance(case.expect, Out) else "error"
        counts = [sum(a.kind == kind for a in t.answers.get(0, [])) for t in tries]
        if not any(counts):
            return Result(SILENT, "no datagram came through")
        seen.append((sum(c - 1 for c in counts if c > 1), len(counts)))
    extra, count = min(seen)
    if not extra:
        return Result(CONFORMS)
    if runner.line.copies and (case.send.options or kind == "error"):
        text = "%d copies, but ordinary datagrams are doubled as well" % extra
        return Result(CHOICE, text, choice=text)
    return Result(deviates(case.rule.level), "%d copies of %d datagrams" % (extra, count))


def slow(runner, case):
    """The time of a loose route beside that of an ordinary datagram: a choice, since
    no verdict depends on time alone."""
    tries = _send(runner, case, case.send, BURST, pace=0.004)
    runner.bed.pump(runner.grace, lambda: all(t.answers for t in tries))
    marks = runner.flow(BURST)
    times = sorted(t.answers[0][0].time - t.frames[0].time for t in tries
                   if t.answers.get(0))
    usual = Line(marks).median
    if not times:
        return Result(SILENT, "no datagram came through")
    median = times[len(times) // 2]
    text = "%.1f ms, an ordinary datagram %.1f ms" % (median * 1000, usual * 1000)
    if median > 5 * usual + 0.02:
        return Result(CHOICE, "takes longer for options: " + text,
                      choice="hands options to a slow path")
    return Result(CONFORMS, text)


def limit(runner, case):
    """How many errors of a burst from one source and of one from many come."""
    def errors(tries):
        return sum(bool(t.answers.get(0)) for t in tries)

    many = _send(runner, case, case.send, BURST)
    runner.bed.pump(runner.grace, lambda: all(t.answers for t in many))
    same = []
    source = runner.new_source()
    for _ in range(BURST):
        one = Try(case, source)
        token, ident = runner.new_token(one, 0)
        octets = runner.octets(case, case.send, source, token, ident)
        one.frames.append(runner.bed.send(IN, octets, source))
        same.append(one)
    runner.bed.pump(runner.grace, lambda: all(t.answers for t in same))
    text = "of %d errors at once, %d came for one source, %d for as many sources" % (
        BURST, errors(same), errors(many))
    if not errors(many):
        return Result(SILENT, "no error came at all")
    if errors(same) == BURST == errors(many):
        return Result(CHOICE, "does not limit errors: " + text, choice="no limit is set")
    return Result(CONFORMS, text)


def late(runner, case):
    """An error that takes as long as the device asks by ARP."""
    for _ in range(2):
        one = runner.start(case)
        runner.bed.pump(max(5.0, runner.grace), lambda: one.answers)  # noqa: B023
        result = runner.judge.judge(case, one.sent[0][1], one.source,
                                    one.answers.get(0, []))
        if one.answers:
            break
    return result


def random_area(rng):
    """An option area: valid options, broken ones, or noise."""
    parts = b""
    while len(parts) < 36 and rng.random() < 0.8:
        kind = rng.choice((7, 68, 131, 137, 131, 137, 0x9E, 0x5E, 148, 130, 136, 0, 1,
                           rng.randrange(256)))
        room = 40 - len(parts)
        length = rng.choice((rng.randrange(256), 3, 7, 11, 15, 4, 8, 39, 40, 0, 1, 2))
        body = bytes(rng.randrange(256) for _ in range(min(room, 38)))
        ptr = rng.choice((4, 8, 5, 9, 0, 3, 255, 12, rng.randrange(256)))
        parts += bytes([kind, length, ptr]) + body[:max(0, min(length, room) - 3)]
    return parts[:40]


def fuzz(runner, case):
    """1,000 of them, an ordinary flow beside them: its loss and latency before, during
    and after."""
    rng = random.Random(runner.seed)
    before = runner.flow(200, pace=0.002)
    during, runner.fuzzed = [], []
    targets = ("A", "A", "B", "F", "n")
    for index in range(FUZZ):
        one = Try(case, runner.new_source())
        token, ident = runner.new_token(one, 0)
        area = random_area(rng)
        octets = wire.build(one.source, runner.plan.resolve(rng.choice(targets)), area,
                            wire.udp(MAGIC + struct.pack("!I", token) + b"fuzz" * 4),
                            ident=ident, ttl=rng.choice((1, 2, 64)),
                            frag=rng.choice((0, 0, 0, 0x4000, 0x2000, 10)))
        one.sent.append((IN, octets))
        frame = runner.bed.send(IN, octets, one.source)
        frame.comment = case.id
        runner.fuzzed.append(one)
        if index % 4 == 0:
            during.append(runner.mark())
            runner.bed.pump(0.002)
    runner.bed.pump(max(runner.grace, 0.4), lambda: all(m.came for m in during))
    after = runner.flow(200, pace=0.002)
    lines = {"before": Line(before), "during": Line(during), "after": Line(after)}
    runner.flows = {name: line.as_dict() for name, line in lines.items()}
    text = "; ".join("%s: %d of %d lost, %.1f ms" % (
        name, line.lost, line.sent, line.median * 1000) for name, line in lines.items())
    if lines["after"].lost == lines["after"].sent:
        if not runner.alive(runner.patience):
            runner.ended = case
            return Result(DEAD, "nothing is forwarded any more: " + text)
        return Result(DEAD, "forwarding stopped for a while: " + text)
    usual = max(lines["before"].loss, runner.line.loss)
    if lines["during"].loss > 2 * usual + 0.1:
        return Result(deviates(case.rule.level), text)
    return Result(CONFORMS, text)


def fuzzed(runner, case):
    """What has come out of the fuzz, by checksum."""
    came = [a for one in runner.fuzzed for a in one.answers.get(0, [])]
    if not came:
        return Result(SILENT, "nothing has come out of it")
    wrong = [a for a in came if not a.datagram.sum_ok]
    if wrong:
        return Result(deviates(case.rule.level), "%d of %d have a wrong checksum" % (
            len(wrong), len(came)), seen=wrong[0], differs={"sum"}, judged={"sum"})
    return Result(CONFORMS, "%d came out" % len(came))


FUNCTIONS = {f.__name__: f for f in (burst, mixed, order, copies, slow, limit, late, fuzz,
                                     fuzzed)}


def run(runner, case):
    """The Result of a case of this kind."""
    result = FUNCTIONS[case.special](runner, case)
    if result.outcome == CHOICE and not result.choice:
        result.choice = result.why
    result.tries = []
    if result.outcome != DEAD and not runner.alive(runner.patience):
        runner.ended = case
        result = Result(DEAD, "nothing is forwarded any more since this case")
        result.tries = []
    return result


