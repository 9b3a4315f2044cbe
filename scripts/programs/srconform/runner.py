# SPDX-License-Identifier: GPL-2.0-only
"""Sends the cases and gathers what comes back.

Many are under way at a time. Every datagram has an identification, a token in its
payload and every try a source address of its own, so that each answer finds the try
that it belongs to, however late it comes. After each datagram of a case an ordinary one
is sent the same way: the mark, which tells silence from a device that is dead.
"""

import math
import struct
import time

from . import wire
from .case import CONFORMS, DEAD, NOT_APPLICABLE, PROTOCOLS, SILENT, Err, Out
from .plan import IN
from .tries import Line, LineError, Mark, Try
from .verdict import Answer, Result, combine

MAGIC = b"SRcf"
NO_TYPE = 252           # of ICMP: nobody's so far
ROUNDS = 3
PACE = 0.004            # between two cases
SLOWER = (0.05, 0.3, 1.05)  # between two errors, where the device limits them


class Runner:
    """Carries out cases. say(done, all, text) hears how far it is."""

    def __init__(self, bed, judge, *, rounds=ROUNDS, patience=8.0,
                 say=lambda *_: None):
        self.bed, self.plan, self.judge = bed, bed.plan, judge
        self.rounds, self.patience, self.say = rounds, patience, say
        self.grace, self.wanted, self.limited = 0.4, rounds, False
        self.line = None
        self.owners = {}        # {token: (try or mark, index)}
        self.idents = {}        # {ident: the same}
        self.sources = {}       # {source: try}
        self.token = self.ident = self.source_index = 0
        self.tries = {}         # {case: [tries]}
        self.dead = {}          # {case: why}
        self.ended = None       # the case after which nothing is forwarded any more
        self.done = self.total = 0
        bed.arrive = self.arrive

    # Datagrams ----------------------------------------------------------------------

    def new_source(self):
        self.source_index += 1
        return self.plan.source(self.source_index)

    def new_token(self, owner, index, ident=None):
        self.token += 1
        if ident is None:
            self.ident = self.ident % 0xFFFF + 1
            ident = self.ident
        self.owners[self.token] = self.idents[ident] = (owner, index)
        return self.token, ident

    @staticmethod
    def payload(send, token, source):
        """What follows the header."""
        body = (MAGIC + struct.pack("!I", token)).ljust(send.size, b"\xa5")[:max(
            send.size, 8)]
        if send.body == "rest":     # which leaves the checksum of what precedes it right
            return bytes(send.size)
        if send.frag & 0x1FFF:
            return body
        if send.body == "echo":
            return wire.icmp(wire.ECHO, 0, struct.pack("!HH", token & 0xFFFF, 1), body)
        if send.body == "unknown":
            return wire.icmp(NO_TYPE, 0, struct.pack("!HH", token & 0xFFFF, 1), body)
        if send.body == "error":
            return wire.icmp(wire.UNREACHABLE, 3, b"\0" * 4, wire.build(
                "192.0.2.77", source, payload=wire.udp(body)))
        return wire.udp(body, sport=token & 0xFFFF or 1)

    def octets(self, case, send, source, token, ident):
        """A datagram as it is to be sent."""
        resolve = lambda name: self.plan.resolve(name, source)  # noqa: E731
        area = send.area(resolve)
        payload = self.payload(send, token, source)

        def made(ident):
            return wire.build(resolve(send.src), resolve(send.dst), area, payload,
                              ttl=send.ttl, tos=send.tos, frag=send.frag, ident=ident,
                              proto=PROTOCOLS[send.body], **send.wrong)
        if send.sum_in is not None or send.sum_out is not None:
            header = made(0)[:20 + len(area) + -len(area) % 4]
            if send.sum_out is not None:
                header = self.judge.drawn(case.expect, made(0), source)[0]
            rest = ~wire.checksum(header[:10] + b"\0\0" + header[12:]) & 0xFFFF
            wish = send.sum_in if send.sum_out is None else send.sum_out
            ident = ((~wish & 0xFFFF) - rest) % 0xFFFF
        whole = made(ident)
        return whole if send.cut is None else whole[:send.cut]

    def start(self, case):
        """Send a case once, and a mark behind it."""
        one = Try(case, self.new_source())
        self.sources[one.source] = one
        for index, send in enumerate(case.sends()):
            token, ident = self.new_token(one, index, send.ident)
            octets = self.octets(case, send, one.source, token, ident)
            one.sent.append((send.side, octets))
            frame = self.bed.send(send.side, octets, self._from(octets, one.source),
                                  send.link)
            one.frames.append(frame)
        self.mark(one)
        return one

    def _from(self, octets, source):
        return wire.quad(octets[12:16]) if len(octets) >= 16 else source

    def mark(self, owner=None):
        """An ordinary datagram through the device."""
        mark = Mark(owner)
        token, ident = self.new_token(mark, 0)
        source = self.new_source()
        body = wire.udp(MAGIC + struct.pack("!I", token) + b"mark")
        octets = wire.build(source, self.plan.resolve("F"), payload=body, ident=ident)
        mark.sent = self.bed.send(IN, octets, source).time
        return mark

    # Answers ------------------------------------------------------------------------

    def arrive(self, side, when, mac, octets, frame):
        """A datagram of the device: whose is it?"""
        try:
            datagram = wire.Datagram(octets)
        except wire.Broken:
            return
        found = self._owner(datagram)
        if found:
            owner, index = found
            answer = Answer(side, when, mac, datagram, frame)
            if isinstance(owner, Try):
                frame.comment = owner.case.id
            owner.add(index, answer)

    def _owner(self, datagram):
        at = datagram.octets.find(MAGIC)
        if at >= 0 and len(datagram.octets) >= at + 8:
            token = struct.unpack("!I", datagram.octets[at + 4:at + 8])[0]
            if token in self.owners:
                return self.owners[token]
        error = wire.Error.of(datagram)
        # Of a quote the first 20 octets are enough, whatever options there were.
        head = datagram.header if not error else error.quote
        if len(head) < 20:
            return None
        source, ident = wire.quad(head[12:16]), struct.unpack("!H", head[4:6])[0]
        for address in source, datagram.dst:
            if address in self.sources:
                return self.sources[address], 0
        return self._by_ident(source, ident)

    def _by_ident(self, source, ident):
        """Where neither token nor source of its own tell: the device itself, and others
        on the wire, use the same numbers, so the source has to be that of the try."""
        owner, index = self.idents.get(ident, (None, 0))
        if isinstance(owner, Try) and index < len(owner.sent) and \
                owner.sent[index][1][12:16] == wire.addr(source):
            return owner, index
        return None

    # The line -----------------------------------------------------------------------

    def flow(self, count, pace=0.004):
        """Ordinary datagrams; what became of them."""
        marks = []
        for _ in range(count):
            marks.append(self.mark())
            self.bed.pump(pace)
        self.bed.pump(max(self.grace, 0.4), lambda: all(m.came for m in marks))
        return marks

    def calibrate(self):
        """How long an answer takes, how many get lost, whether errors are limited."""
        marks = self.flow(100)
        if any(not m.came for m in marks):
            self.bed.pump(1.5, lambda: all(m.came for m in marks))
        self.line = Line(marks)
        if self.line.loss > 0.5:
            raise LineError("of %d ordinary datagrams the device lost %d: that is no line "
                            "to judge it by" % (self.line.sent, self.line.lost))
        self.grace = min(4.0, max(0.4, 3 * self.line.worst + 0.1))
        if self.line.lost:
            loss = min(0.6, (self.line.lost + 1) / self.line.sent * 1.5)
            self.wanted = max(self.rounds, min(16, math.ceil(
                math.log(1e-7) / math.log(loss))))

    # Rounds -------------------------------------------------------------------------

    def run(self, cases):
        """All cases: {case: Result}."""
        calm = [c for c in cases if not c.nasty and not c.special]
        nasty = [c for c in cases if c.nasty and not c.special]
        self.total = self.rounds * (len(calm) + len(nasty))
        self.tries = {case: [] for case in calm + nasty}
        for some in calm, nasty:
            for number in range(self.rounds):
                self.round(some, "round %d of %d" % (number + 1, self.rounds))
            self.again(some)
        return {case: self.result(case) for case in calm + nasty}

    def round(self, cases, text):
        tries = []
        for case in cases:
            if self.ended or case in self.dead:
                continue
            one = self.start(case)
            tries.append(one)
            self.tries[case].append(one)
            if case.nasty:
                self.bed.pump(self.grace, lambda: one.marked)  # noqa: B023
                if not one.marked:
                    self.look_for_life(one)
            else:
                self.bed.pump(PACE)
            self.done += 1
            self.say(self.done, self.total, text)
        self.bed.pump(self.grace, lambda: self._settled(tries))
        if tries and not any(t.marked for t in tries[-4:]):
            last = max((i for i, t in enumerate(tries) if t.marked or t.answers),
                       default=-1)
            if last + 1 < len(tries):
                self.look_for_life(tries[last + 1])

    def _settled(self, tries):
        """Every try has all it can have, so that there is no need to wait."""
        return all(t.marked and (t.answers and isinstance(t.case.expect, (Out, Err)))
                   for t in tries)

    def alive(self, seconds):
        """Is anything ordinary forwarded?"""
        end, marks = time.monotonic() + seconds, []
        while time.monotonic() < end:
            marks.append(self.mark())   # which may be longer under way than the wait
            if self.bed.pump(min(0.3, self.grace), lambda: any(m.came for m in marks)):
                return True
        return self.bed.pump(self.grace, lambda: any(m.came for m in marks))

    def look_for_life(self, suspect):
        """The mark behind a try is missing: lost, or is the device dead?"""
        marks = [self.mark() for _ in range(5)]
        if self.bed.pump(self.grace, lambda: any(m.came for m in marks)):
            return
        if not self.alive(self.patience):
            self.ended = suspect.case
            self.dead[suspect.case] = "nothing is forwarded any more since this case"
            return
        self.alive(1)
        one = self.start(suspect.case)
        marks = [self.mark() for _ in range(5)]
        if not self.bed.pump(self.grace, lambda: any(m.came for m in marks)):
            self.dead[suspect.case] = "forwarding stops for a while after this case"
            self.alive(self.patience)
        self.tries[suspect.case].append(one)

    def again(self, cases):
        """More tries for silence on a line that loses; slow ones where the device
        limits its errors."""
        for _ in range(self.wanted - self.rounds):
            silent = [c for c in cases if c not in self.dead and self._silent(c)]
            if not silent:
                break
            self.total += len(silent)
            self.round(silent, "again, for silence")
        quiet = [c for c in cases if c not in self.dead and isinstance(c.expect, Err) and
                 not any(one.answers for one in self.tries[c])]
        pace = self.pace_of_errors() if quiet and not self.ended else 0
        self.total += len(quiet) if pace else 0
        for case in quiet if pace else ():
            self.bed.pump(pace)
            self.round([case], "slowly, since the device limits its errors")

    def pace_of_errors(self):
        """0 if the device keeps no errors back at the pace of the rounds; else the
        pause between two at which it does not."""
        if not self._keeps_back(30, PACE):
            return 0
        self.limited = True
        for pace in SLOWER[:-1]:
            self.bed.pump(1.0)      # what it saves up is not to count
            if not self._keeps_back(10, pace):
                return pace
        return SLOWER[-1]

    def _keeps_back(self, count, pace):
        """Asked with errors that it has to send, about a TTL of 1."""
        marks = []
        for _ in range(count):
            mark = Mark()
            token, ident = self.new_token(mark, 0)
            source = self.new_source()
            octets = wire.build(source, self.plan.resolve("F"), ttl=1, ident=ident,
                                payload=wire.udp(MAGIC + struct.pack("!I", token)))
            mark.sent = self.bed.send(IN, octets, source).time
            marks.append(mark)
            self.bed.pump(pace)
        self.bed.pump(self.grace, lambda: all(m.came for m in marks))
        came = sum(bool(m.came) for m in marks)
        return came < count * 0.9 * (1 - 2 * self.line.loss)

    def _silent(self, case):
        """Was there no answer at all, or no try that says anything?"""
        return all(r.outcome == SILENT for r in self.results(case))

    # Results ------------------------------------------------------------------------

    def results(self, case):
        """Of each try: the worst of its datagrams. One without an answer and without
        its mark says nothing."""
        found = []
        for one in self.tries[case]:
            if not one.marked and not one.answers:
                continue
            parts = [self.judge.judge(case, octets, one.source, one.answers.get(i, []))
                     for i, (_, octets) in enumerate(one.sent)
                     if case.sends()[i].body != "rest"]
            worst = max(parts, key=lambda r: r.outcome not in (CONFORMS,))
            worst.one = one
            found.append(worst)
        return found

    def result(self, case):
        if case in self.dead:
            result = Result(DEAD, self.dead[case])
            result.tries = self.tries[case]
            return result
        results = self.results(case)
        if results:
            result = combine(case, results, self.wanted)
        elif self.ended:
            result = Result(NOT_APPLICABLE, "the device was dead: it forwards nothing "
                            "since %s" % self.ended.id)
        else:
            result = Result(DEAD, "the ordinary datagram behind it did not come through "
                            "in any of %d tries" % len(self.tries[case]))
        result.tries = self.tries[case]
        return result
