# SPDX-License-Identifier: GPL-2.0-only
"""What an answer says of a case: one try, then all of them."""

from . import wire
from .case import (CHOICE, CONFORMS, DEVIATES_MUST, DEVIATES_SHOULD, KEEP, MAY, MUST,
                   SILENT, Err, Fragments, Nothing, Out, Reply)
from .expected import WORDS, Drawing, hidden

MIN_TTL = 8     # less than anybody begins with

NOPS = "adds, moves or leaves out NOP and End of List, as anybody may (RFC 791, 3.1)"


class Answer:
    """A datagram of the device that belongs to a try."""

    def __init__(self, side, time, mac, datagram, frame):
        self.side, self.time, self.mac = side, time, mac
        self.datagram, self.frame = datagram, frame
        self.forwarded = False  # it is what was sent, an ICMP error itself maybe
        self.error = wire.Error.of(datagram)
        body = datagram.payload
        self.redirect = self.error is not None and self.error.type == wire.REDIRECT
        self.reply = datagram.proto == wire.ICMP and not datagram.offset and \
            body[:1] == b"\0"

    @property
    def kind(self):
        if self.forwarded:
            return "out"
        if self.error:
            return "redirect" if self.redirect else "error"
        return "reply" if self.reply else "out"

    def __str__(self):
        d = self.datagram
        text = "%s > %s ttl %d" % (d.src, d.dst, d.ttl)
        if self.error and not self.forwarded:
            text = "ICMP %d/%d pointer %d from %s" % (self.error.type, self.error.code,
                                                      self.error.pointer, d.src)
        elif self.reply:
            text = "echo reply " + text
        if d.area:
            text += " options " + " ".join("%02x" % o for o in d.area)
        return text + " by the %s side" % self.side


class Result:
    """An outcome and why. differs: names of what is not as expected, judged or not;
    seen: the answer that it is about; expected: octets of the header, if drawn."""

    def __init__(self, outcome, why="", *, seen=None, expected=b"", differs=(), judged=(),
                 choice="", mask=(), instead=None):
        self.outcome, self.why, self.seen = outcome, why, seen
        self.expected, self.differs, self.judged = expected, set(differs), set(judged)
        self.choice, self.mask = choice, set(mask)
        self.instead = instead      # the Result where this choice is none


def deviates(level):
    return {MUST: DEVIATES_MUST, MAY: CHOICE}.get(level, DEVIATES_SHOULD)


class Judge(Drawing):
    """Judges tries by a plan and a profile."""

    def __init__(self, plan, profile="rfc"):
        super().__init__(plan)
        self.profile = profile

    # One try ----------------------------------------------------------------------

    def judge(self, case, sent, source, answers):
        """The Result of one datagram's answers."""
        was = wire.Datagram(sent) if wire.sound(sent) else None
        for answer in answers:
            answer.forwarded = was is not None and answer.datagram.src == was.src and \
                answer.datagram.payload == was.payload
        real = [a for a in answers if a.kind != "redirect"]
        first = self._match(case, case.expect, sent, source, real)
        if "redirect" in getattr(case.expect, "look", ()) and len(real) < len(answers):
            wrong = next(a for a in answers if a.kind == "redirect")
            return Result(deviates(case.rule.level), "a redirect came: %s" % wrong,
                          seen=wrong, differs={"redirect"}, judged={"redirect"})
        if first.outcome == CONFORMS or first.choice:
            return first
        for may in case.may:
            if may.allowed(self.profile):
                other = self._match(case, may.expect, sent, source, real)
                if other.outcome == CONFORMS:
                    return Result(CHOICE, may.name, seen=other.seen, choice=may.name,
                                  expected=first.expected, differs=first.differs,
                                  instead=first)
        if self.profile != "strict" and isinstance(case.expect, Out) and \
                any(self.same_but_for_nops(case.expect, sent, source, a) for a in real):
            return Result(CHOICE, NOPS, seen=first.seen, choice=NOPS,
                          expected=first.expected, differs=first.differs)
        if first.outcome == CHOICE:     # other than a MAY has it
            first.choice = first.why
        return first

    def _match(self, case, expect, sent, source, answers):
        level = case.rule.level
        if isinstance(expect, Nothing):
            return self._nothing(expect, level, answers)
        if not answers:
            expected = self.drawn(expect, sent, source)[0] \
                if isinstance(expect, Out) else b""
            return Result(SILENT, "no answer; expected " + expect.drawn(),
                          expected=expected)
        if isinstance(expect, Out):
            return self._out(expect, level, sent, source, answers)
        if isinstance(expect, Fragments):
            return self._fragments(expect, level, sent, source, answers)
        if isinstance(expect, Err):
            return self._error(expect, level, sent, source, answers)
        return self._reply(expect, level, sent, source, answers)

    @staticmethod
    def _nothing(expect, level, answers):
        kinds = {"any": ("out", "error", "reply"), "error": ("error",),
                 "out": ("out",)}[expect.look[0]]
        wrong = [a for a in answers if a.kind in kinds]
        if not wrong:
            return Result(CONFORMS, seen=answers[0] if answers else None)
        if level == MAY:
            return Result(CHOICE, "it came: %s" % wrong[0], seen=wrong[0],
                          choice="answers")
        return Result(deviates(level), "expected %s, got %s" % (expect.drawn(), wrong[0]),
                      seen=wrong[0], differs={"kind"}, judged={"kind"})

    def _out(self, expect, level, sent, source, answers):
        out = [a for a in answers if a.kind in ("out", "reply")] or answers
        answer = out[0]
        if answer.kind not in ("out", "reply"):
            return Result(deviates(level), "expected %s, got %s" % (
                expect.drawn(), answer), seen=answer, differs={"kind"}, judged={"kind"},
                expected=self.drawn(expect, sent, source)[0])
        differs, header, mask = self.compare(expect, sent, source, answer)
        judged = differs & set(expect.look)
        if "ts" in expect.look:
            judged |= differs & {"stamp"}
        # Without the header's shape nothing of the options can be compared.
        if "area" in differs and set(expect.look) - {"side", "hop", "dst", "src", "ttl"}:
            judged.add("area")
        outcome = deviates(level) if judged else CONFORMS
        return Result(outcome, self._say(judged), seen=answer, expected=header,
                      differs=differs, judged=judged, mask=mask)

    @staticmethod
    def fewest(size, pieces):
        """How many fragments are enough, by the largest that there is."""
        room = max(p.datagram.length for p in pieces)
        heads = [p.datagram.header_length for p in pieces]
        first, later = ((room - head) // 8 * 8 for head in (heads[0], heads[-1]))
        return 1 + -(-max(size - first, 0) // max(later, 8))

    @staticmethod
    def _say(judged):
        names = sorted(WORDS.get(name, name) for name in judged)
        return "wrong: " + ", ".join(names) if names else ""

    def _error(self, expect, level, sent, source, answers):
        errors = [a for a in answers if a.kind == "error"]
        forwarded = [a for a in answers if a.kind in ("out", "reply")]
        if forwarded:
            return Result(deviates(expect.forwarded), "expected %s, but it came through: "
                          "%s" % (expect.drawn(), forwarded[0]), seen=forwarded[0],
                          differs={"kind"}, judged={"kind"})
        answer = errors[0]
        differs = self._error_differs(expect, sent, source, answer)
        judged = differs & set(expect.look)
        if not judged:
            return Result(CONFORMS, seen=answer, differs=differs)
        if judged == {"pointer"} and expect.span and self.profile != "strict" and \
                expect.span[0] <= answer.error.pointer <= expect.span[1]:
            text = "points at octet %d, another one of the option" % answer.error.pointer
            return Result(CHOICE, text, seen=answer, differs=differs, choice=text)
        return Result(deviates(level), "expected %s, got %s; wrong: %s" % (
            expect.drawn(), answer, ", ".join(sorted(judged))), seen=answer,
            differs=differs, judged=judged)

    def _error_differs(self, expect, sent, source, answer):
        error, d = answer.error, answer.datagram
        differs = set()
        if error.type != expect.type or \
                error.code not in (expect.code,) + tuple(expect.codes):
            differs.add("type")
        if expect.at is not None and error.pointer != expect.at:
            differs.add("pointer")
        if not error.sum_ok or not d.sum_ok:
            differs.add("sum")
        if d.src not in self.plan.own(None if self.plan.single else answer.side):
            differs.add("from")
        if d.dst != self._goal(expect, sent, source):
            differs.add("to")
        area = b"".join(o.octets(lambda n: self.plan.resolve(n, source))
                        for o in expect.options)
        if d.area.rstrip(b"\0") != area.rstrip(b"\0"):
            differs.add("route")
        if d.tos >> 5 not in (6, 7):
            differs.add("tos")
        if d.tos & 0x1E != sent[1] & 0x1E:
            differs.add("tos-bits")
        if d.ttl < MIN_TTL:
            differs.add("ttl")
        if not quote_ok(error.quote, sent):
            own = [wire.addr(quad) for quad in self.plan.own()]
            differs.add("rewritten" if quote_ok(error.quote, sent, own) else "quote")
        whole = min(len(sent), 576 - d.header_length - 8)
        if len(error.quote) < whole or d.length > 576:
            differs.add("size")
        if error.type == 3 and error.code == 4 and not 68 <= error.mtu < len(sent):
            differs.add("mtu")
        return differs

    def _goal(self, expect, sent, source):
        return self.plan.resolve(expect.to, source) if expect.to \
            else wire.quad(sent[12:16])

    def _reply(self, expect, level, sent, source, answers):
        replies = [a for a in answers if a.kind == "reply"]
        if not replies:
            return Result(deviates(level), "expected %s, got %s" % (
                expect.drawn(), answers[0]), seen=answers[0], differs={"kind"},
                judged={"kind"})
        d, asked = replies[0].datagram, wire.Datagram(sent)
        area, stamps = self.area(expect.options or (), source)
        differs = set()
        if expect.options is not KEEP and \
                hidden(d.area, stamps).rstrip(b"\0") != hidden(area, stamps).rstrip(b"\0"):
            differs.add("route")
        if not d.sum_ok:
            differs.add("sum")
        if d.src != asked.dst:
            differs.add("from")
        if d.payload[4:] != asked.payload[4:]:
            differs.add("data")
        if d.tos >> 5 != asked.tos >> 5:
            differs.add("precedence")
        if d.ttl < MIN_TTL:
            differs.add("ttl")
        judged = differs & set(expect.look)
        return Result(deviates(level) if judged else CONFORMS, self._say(judged),
                      seen=replies[0], differs=differs, judged=judged)

    def _fragments(self, expect, level, sent, source, answers):
        # Once each: that something comes twice is for the cases about copies.
        once = {a.datagram.octets: a for a in reversed(answers) if a.kind == "out"}
        pieces = sorted(once.values(), key=lambda a: a.datagram.offset)
        if not pieces:
            return Result(deviates(level), "expected %s, got %s" % (
                expect.drawn(), answers[0]), seen=answers[0], differs={"kind"},
                judged={"kind"})
        differs = set()
        payload = sent[len(wire.Datagram(sent).header):]
        covered = bytearray(len(payload))
        for piece in pieces:
            at = piece.datagram.offset * 8
            size = len(piece.datagram.payload)
            if piece.datagram.payload != payload[at:at + size]:
                differs.add("payload")
            covered[at:at + size] = b"\1" * size
        if len(pieces) < 2 or not all(covered):
            differs.add("cover")
        if pieces[-1].datagram.frag & wire.MF or \
                not all(p.datagram.frag & wire.MF for p in pieces[:-1]):
            differs.add("flags")
        if not all(p.datagram.sum_ok for p in pieces):
            differs.add("sum")
        if any((p.datagram.frag ^ wire.Datagram(sent).frag) & wire.RESERVED for p in pieces):
            differs.add("reserved")
        if len(pieces) > self.fewest(len(payload), pieces):
            differs.add("few")
        for name, drawn, some in (("first", expect.first, pieces[:1]),
                                  ("copied", expect.later, pieces[1:])):
            if drawn is None:
                continue
            area = b"".join(o.octets(lambda n: self.plan.resolve(n, source))
                            for o in drawn)
            if any(trimmed(p.datagram.area) != trimmed(area) for p in some):
                differs.add(name)
        if "cover" in differs and len(pieces) >= 1 and not all(covered):
            # A piece may have been lost: that is no verdict.
            return Result(SILENT, "not all fragments came", seen=pieces[0])
        judged = differs & set(expect.look)
        worst = next((p for p in pieces[1:]
                      if trimmed(p.datagram.area) != trimmed(area)), pieces[0])
        return Result(deviates(level) if judged else CONFORMS, self._say(judged),
                      seen=worst, differs=differs, judged=judged)


def trimmed(area):
    """The options of an area without NOP, EOL and padding."""
    return b"".join(o.octets for o in wire.read_options(area) if o.kind != wire.NOP)


def quote_ok(quote, sent, own=()):
    """The header as received, and eight octets of what follows. TTL, checksum and what
    options record may be as forwarding leaves them (RFC 1812, 4.3.2.3); with addresses of
    the device, so may its source route: a destination that is its own or of the route,
    own addresses in slots, and a pointer that has moved on."""
    if not wire.sound(sent):
        return False
    was = wire.Datagram(sent)
    if len(quote) < min(len(sent), was.header_length + 8):
        return False
    free = {8, 10, 11}
    for option in was.options:
        if option.kind in (wire.RR, wire.TS):
            free |= set(range(option.at + 2, option.at + len(option.octets)))
        if option.is_route and own:
            free |= _moved_on(quote, sent, option, own)
    end = min(len(quote), len(sent))
    return all(quote[i] == sent[i] for i in range(end) if i not in free)


def _moved_on(quote, sent, route, own):
    """Octets in which a quote has the source route as forwarding makes it."""
    free, start = set(), route.at + 3
    if quote[16:20] in list(own) + route.slots():
        free |= set(range(16, 20))
    pointer = quote[route.at + 2]
    if pointer > route.ptr and pointer % 4 == 0 and pointer <= len(route.octets) + 1:
        free.add(route.at + 2)
    for slot in range(start, route.at + len(route.octets) - 3, 4):
        if quote[slot:slot + 4] in own:
            free |= set(range(slot, slot + 4))
    return free


def combine(case, results, wanted):
    """The outcome of all tries of a case. A wrong answer counts however often there is
    a right one; silence only counts if every try, `wanted` at least, was silent."""
    for outcome in (DEVIATES_MUST, DEVIATES_SHOULD):
        wrong = [r for r in results if r.outcome == outcome]
        if wrong:
            result = wrong[0]
            if len(wrong) < len(results):
                result.why += " (%d of %d tries)" % (len(wrong), len(results))
            return result
    for outcome in (CONFORMS, CHOICE):
        good = [r for r in results if r.outcome == outcome]
        if good:
            if outcome == CONFORMS and isinstance(case.expect, (Out, Err, Reply,
                                                                Fragments)):
                missing = sum(r.outcome == SILENT for r in results)
                if missing:
                    good[0].why = "%d of %d tries without an answer" % (
                        missing, len(results))
            return good[0]
    result = results[0]
    result.why += " (%d tries)" % len(results)
    return result
