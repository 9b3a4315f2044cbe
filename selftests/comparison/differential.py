#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A corpus of valid, odd and hostile datagrams through our router, compared
octet by octet with a naive model of the contract (lib/model.py) and with what
native Linux makes of it.

SRCROUTE_DATAGRAMS says how many, SRCROUTE_SEED which. The router is drawn in
lib/corpus.py.

Not in the corpus, because no second observer can predict them: multipath
routes (H2 lets the hash use either destination), neighbours that do not answer
(I4 takes seconds of retries), rate limits, memory shortage.
"""

import collections
import os
import select
import socket
import time

from lib import corpus, ktap, packet
from lib.field import MARK, MARK_ROUTE, Field
from lib.ktap import check, test
from lib.model import Model, Router, find_route, number

COUNT = int(os.environ.get("SRCROUTE_DATAGRAMS", "2000"))
SEED = int(os.environ.get("SRCROUTE_SEED", "1812"))
BATCH = 100
SHOWN = 2  # differences of a kind that are printed in full
LINKS = [name for name, *_ in corpus.LINKS]
# What some part of every corpus comes to.
EVERY = ("hop", "transit", "local", "kernel", "bad_option", "bad_source",
         "bad_next", "no_route")
_RCVBUFFORCE = 33


class FieldBench(Field):
    """Outputs come in batches; a datagram's are found by its identification
    and payload, or by those of the quote."""

    def __init__(self, label, **settings):
        super().__init__(label, **settings)
        for wire in self.wires.values():
            wire.sock.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 1 << 24)
            wire.sock.setblocking(False)
        self._raw = self._raw_sockets()
        self._batch = 0

    def _raw_sockets(self):
        """Ears for what is delivered; their transport headers are broken, so
        nothing but these takes any notice."""
        with self.router:
            socks = [socket.socket(socket.AF_INET, socket.SOCK_RAW, proto)
                     for proto in corpus.RAW_PROTOCOLS]
        for sock in socks:
            sock.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 1 << 24)
            sock.setblocking(False)
        return socks

    def close(self):
        for sock in self._raw:
            sock.close()
        super().close()

    def exchange_cases(self, cases):
        """({case: ([(link, datagram)], [delivered])}, [strays])"""
        for case in cases:
            self.wires[case.link].send(case.octets, case.to)
        sorter = Sorter(cases)
        for name in LINKS:
            for datagram in self._until_mark(name):
                sorter.sort(name, datagram)
        for sock in self._raw:
            for datagram in _drain(sock):
                sorter.delivered(datagram)
        return sorter.results, sorter.strays

    def _until_mark(self, name):
        self._batch += 1
        mark = b"mark%d" % self._batch
        self.wires["marker"].send(packet.ip(self.MARKER, self.sink(name),
                                            payload=mark, proto=253))
        sock, got = self.wires[name].sock, []
        while True:
            for frame in _drain(sock):
                datagram = frame[14:14 + int.from_bytes(frame[16:18], "big")]
                if datagram[9] == 253 and datagram[20:] == mark:
                    return got
                got.append(datagram)
            check(select.select([sock], [], [], 10)[0],
                  "no marker on link " + name)

    def moved(self):
        """{(link, counter): n} since the last call. The model says that an
        error is suppressed, and not by which link it would have left."""
        now, before = self.router.counters(), getattr(self, "_counters", {})
        self._counters = now
        return {key: now[key] - before.get(key, 0) for key in now
                if now[key] != before.get(key, 0) and
                key[1] != "icmp_suppressed"}


def _drain(sock):
    while True:
        try:
            yield sock.recv(65536)
        except BlockingIOError:
            return


class Sorter:
    """Whose output is it?"""

    def __init__(self, cases):
        self._of = {case.octets[4:6]: case for case in cases}
        self._payload = {case: packet.Packet(case.octets).payload
                         for case in cases}
        self.results = {case: ([], []) for case in cases}
        self.strays = []

    def _owner(self, datagram):
        """By identification and payload, all of it or a fragment; else it is
        an error of the router, whose identification is any number."""
        hlen = (datagram[0] & 15) * 4
        case = self._of.get(datagram[4:6])
        if case and datagram[hlen:] in self._payload[case]:
            return case
        if datagram[9] == packet.ICMP and len(datagram) >= hlen + 28:
            return self._of.get(datagram[hlen + 12:hlen + 14])
        return None

    def sort(self, link, datagram):
        case = self._owner(datagram)
        if not case:
            self.strays.append("%s: %s" % (link, packet.Packet(datagram)))
        elif not is_redirect_for_ordinary(datagram, case):
            self.results[case][0].append((link, normal(datagram, case)))

    def delivered(self, datagram):
        case = self._owner(datagram)
        if case:
            self.results[case][1].append(
                without_time(datagram, case, False)
                if datagram[4:6] == case.octets[4:6]
                else without_sum(normal(datagram, case)))
        else:
            self.strays.append("delivered: %s" % packet.Packet(datagram))


def is_redirect_for_ordinary(datagram, case):
    """The kernel limits redirects by the clock. There are none about
    source-routed datagrams (H11); the others are none of ours."""
    hlen = (datagram[0] & 15) * 4
    return (datagram[9] == packet.ICMP and datagram[hlen] == 5 and
            datagram[4:6] != case.octets[4:6] and
            not corpus.has_route(case.octets[20:(case.octets[0] & 15) * 4]))


def timestamp_at(head):
    """Where the Timestamp option of an IP header is, or None."""
    at = 20
    while at < len(head) and head[at]:
        if head[at] == packet.NOP:
            at += 1
            continue
        if at + 4 > len(head) or head[at + 1] < 2:
            return None
        if head[at] == packet.TS:
            return at
        at += head[at + 1]
    return None


def without_time(datagram, case, summed=True):
    """Times that were recorded on the way become 0: nobody can predict a
    clock. Those that the datagram came with stay. Where there is one, the
    checksum becomes 0 if it is right; the kernel does not sum up again what
    it delivers."""
    head = datagram[:(datagram[0] & 15) * 4]
    at = timestamp_at(head)
    came = timestamp_at(case.octets[:(case.octets[0] & 15) * 4])
    if at is None or came is None:
        return datagram
    out = bytearray(datagram)
    end = at + head[at + 1]
    step = 4 if head[at + 3] & 15 == 0 else 8
    times = [at + ptr + step - 5 for ptr in range(case.octets[came + 2],
                                                  head[at + 2], step)]
    for time_at in times:
        for octet in range(time_at, min(time_at + 4, end)):
            out[octet] = 0
    if times and summed and not packet.checksum(head):
        out[10:12] = bytes(2)
    return bytes(out)


def without_sum(datagram):
    """An error to ourselves that has recorded a time when it was sent: its
    checksum is of that moment."""
    if timestamp_at(datagram[:(datagram[0] & 15) * 4]) is None:
        return datagram
    return datagram[:10] + bytes(2) + datagram[12:]


def normal(datagram, case):
    """An output as it can be compared. Of an error of the router's own, the
    identification is any number, and the checksums cover it and the times:
    they become 0 where they are right."""
    hlen = (datagram[0] & 15) * 4
    if datagram[4:6] == case.octets[4:6] and \
            datagram[hlen:] in case.octets[20:]:
        return without_time(datagram, case)
    out = bytearray(without_time(datagram, case))
    out[4:6] = bytes(2)
    if not packet.checksum(datagram[:hlen]):
        out[10:12] = bytes(2)
    if not packet.checksum(datagram[hlen:]):
        out[hlen + 2:hlen + 4] = bytes(2)
    for at in quote_may_differ(case.octets):
        if hlen + 8 + at < len(out):
            out[hlen + 8 + at] = 0
    return bytes(out)


def quote_may_differ(sent):
    """I2: octets of a quoted datagram that need not be those that were sent:
    TTL, checksum, octets after EOL, what RR and TS recorded (the pointer, the
    overflow, the slot at the pointer)."""
    yield from (8, 10, 11)
    end = (sent[0] & 15) * 4
    at = 20
    while at < end:
        kind = sent[at]
        if kind == packet.EOL:
            yield from range(at + 1, end)
            return
        if kind == packet.NOP:
            at += 1
            continue
        if at + 1 == end or sent[at + 1] < 2:
            return
        if kind in (packet.RR, packet.TS) and sent[at + 1] > 3:
            slot = at + sent[at + 2] - 1
            width = 8 if kind == packet.TS else 4
            yield at + 2
            if kind == packet.TS:
                yield at + 3
            yield from range(max(slot, at), min(slot + width, end,
                                                at + sent[at + 1]))
        at += sent[at + 1]


# Against the model

def expected(fate, case):
    outputs = [(link, normal(datagram, case))
               for link, datagram in fate.outputs]
    delivered = [] if fate.delivered is None else \
        [without_time(fate.delivered, case, False)]
    return outputs, delivered


def show(outputs, delivered):
    lines = ["%s: %s [%s]" % (link, packet.Packet(d), d.hex())
             for link, d in outputs]
    lines += ["delivered: %s [%s]" % (packet.Packet(d), d.hex())
              for d in delivered]
    return "; ".join(lines) or "nothing"


def predicted_counters(fates):
    sums = collections.Counter()
    for case, fate in fates.items():
        for counter, n in fate.counters().items():
            sums[case.link, counter] += n
    return dict(sums)


class Run:
    """A corpus through our router, and through a native one if given."""

    def __init__(self, count, seed, model, ours, native=None):
        self.model, self.ours, self.native = model, ours, native
        self.wrong, self.unexplained = [], []
        self.rules, self.outcomes = (collections.Counter(),
                                     collections.Counter())
        self._go(corpus.Corpus(seed).cases(count))

    def _go(self, cases):
        self.ours.moved()
        said = time.monotonic()
        for at in range(0, len(cases), BATCH):
            self._batch(cases[at:at + BATCH])
            if time.monotonic() - said > 5:
                said = time.monotonic()
                print("# %d of %d" % (at + BATCH, len(cases)), flush=True)

    def _batch(self, cases):
        fates = {case: self.model.predict(case.link, case.octets, not case.to)
                 for case in cases}
        got, strays = self.ours.exchange_cases(cases)
        self.wrong += [("stray output", stray) for stray in strays]
        for case, fate in fates.items():
            self._judge(case, fate, got[case])
        if self.ours.moved() != predicted_counters(fates):
            self._judge_counters(fates)
        if self.native:
            natively, strays = self.native.exchange_cases(cases)
            self.unexplained += [("stray output of native", stray)
                                 for stray in strays]
            for case, fate in fates.items():
                self._compare(case, fate, got[case], natively[case])

    def _judge(self, case, fate, got):
        self.outcomes["kernel" if fate.kernel else fate.outcome] += 1
        if not fate.kernel and got != expected(fate, case):
            self.wrong.append((kind_of(fate), "%s: got %s; wanted %s" % (
                case, show(*got), show(*expected(fate, case)))))

    def _judge_counters(self, fates):
        """One at a time, to name the datagram."""
        before = len(self.wrong)
        for case, fate in fates.items():
            self.ours.exchange_cases([case])
            moved, wanted = self.ours.moved(), predicted_counters(
                {case: fate})
            if moved != wanted:
                self.wrong.append((kind_of(fate), "%s: counters %s, wanted %s"
                                   % (case, moved, wanted)))
        if len(self.wrong) == before:
            self.wrong.append(("counters of a batch, but of no datagram of it "
                               "by itself", "first: %s" % next(iter(fates))))

    def _compare(self, case, fate, ours, native):
        if ours == native:
            self.rules["same"] += 1
            return
        rules = explain(case, fate, ours, native)
        if not rules:
            text = "%s: ours %s; native %s" % (case, show(*ours), show(*native))
            self.unexplained.append((kind_of(fate), text))
        for rule in rules or ():
            self.rules[rule] += 1

    def report(self, differences):
        """All kinds, and some of each in full."""
        kinds = collections.defaultdict(list)
        for kind, text in differences:
            kinds[kind].append(text)
        for kind, texts in sorted(kinds.items()):
            print("# %d: %s" % (len(texts), kind))
            for text in texts[:SHOWN]:
                print("#   " + text, flush=True)
        check(not differences, "%d differences in %d datagrams" % (
            len(differences), sum(self.outcomes.values())))

    def reaches(self, *outcomes):
        """Each by one datagram in a hundred at least: a corpus that does not
        reach an outcome says nothing about it."""
        for outcome in outcomes:
            check(self.outcomes[outcome] * 100 >= sum(self.outcomes.values()),
                  "%s: %d of %d datagrams" % (outcome, self.outcomes[outcome],
                                              sum(self.outcomes.values())))


def kind_of(fate):
    return "%s after rules %s" % ("left to the kernel" if fate.kernel
                                  else fate.outcome, " ".join(fate.rules))


# Against native

def explain(case, fate, ours, native):
    """The rules that a difference from native falls under, or None."""
    if fate.kernel:
        return spared(ours, native)
    if fate.outcome == "local":
        return completed(fate, ours, native)
    if fate.error is None:
        return recorded(fate, ours, native) \
            if fate.outcome in ("hop", "transit") else None
    return refused(case, fate, ours, native)


def spared(ours, native):
    """I1: an error of the kernel's to a host that is none."""
    if any(ours) or len(native[0]) != 1:
        return None
    error = error_of(native[0][0])
    if error and not all(router().one_host(number(quad)) for quad in (
            error.packet.dst, packet.Packet(error.quote).src)):
        return {"I1"}
    return None


def completed(fate, ours, native):
    """H6: native leaves pointer and checksum as they were, and has recorded
    the arrival address."""
    if "H6" not in fate.native or ours[0] or native[0] or \
            len(ours[1]) != 1 or len(native[1]) != 1:
        return None
    one, two = packet.Packet(ours[1][0]), packet.Packet(native[1][0])
    same = (one.src, one.dst, one.payload, one.ttl, len(one.options)) == \
        (two.src, two.dst, two.payload, two.ttl, len(two.options))
    return {"H6"} if same else None


def recorded(fate, ours, native):
    """H7, H9: the addresses recorded, and nothing else."""
    if [link for link, _ in ours[0]] != [link for link, _ in native[0]]:
        return None
    rules = set()
    for (_, one), (_, two) in zip(ours[0], native[0]):
        if len(one) != len(two):
            return None
        one, two = bytearray(one), bytearray(two)
        for rule, at in fate.recorded:
            if one[at:at + 4] != two[at:at + 4]:
                rules.add(rule)
            one[at:at + 4] = two[at:at + 4] = bytes(4)
        one[10:12] = two[10:12] = bytes(2)
        if one != two:
            return None
    return rules


def refused(case, fate, ours, native):
    ours, native = ours[0], native[0]
    rule = next(iter(fate.native & {"V3", "V4", "H3", "H4", "H5"}), None)
    if rule in ("H3", "H4"):
        return {rule} if not native else None
    if rule:
        # Native has let it pass for sound, or for adjacent; what then becomes
        # of it is anything.
        return {rule}
    if not native:
        return unsent(case)
    error = error_of(native[0])
    if not error or len(native) != 1 or len(ours) > 1:
        return None
    if not ours:
        return unanswered(case, error)
    mine = error_of(ours[0])
    return same_error(case, fate, ours[0][0], mine, native[0][0], error)


def reversed_to_nowhere(case):
    """Would native's error go back to an address that leads nowhere, or to
    itself?"""
    area = packet.Packet(case.octets).options
    srr, _ = find_route(area)
    recorded = srr.recorded(area)
    return recorded and (not router().one_host(recorded[-1]) or
                         router().kind(recorded[-1]) != "unicast")


def unsent(case):
    """Ours has sent an error, native has not: it had nowhere to go, or no
    room in an option that it would have echoed."""
    if reversed_to_nowhere(case):
        return {"I3"}
    area = packet.Packet(case.octets).options
    return {"I3"} if packet.RR in area or packet.TS in area else None


def unanswered(case, error):
    """Ours has sent no error, native has."""
    src = number(packet.quad(case.octets[12:16]))
    if not router().one_host(src):
        return {"I1"}
    if without_route(error.packet.options)[1] and \
            router().kind(src) != "unicast":
        return {"I3"}
    return None


def error_of(output):
    try:
        error = packet.Error(output[1])
    except ValueError:
        return None
    return error if error.type in (3, 11, 12) else None


def same_error(case, fate, link, mine, other, error):
    """What may differ between two errors about the same datagram."""
    rules = set()
    if (mine.type, mine.code) != (error.type, error.code):
        if (mine.type, mine.code, error.type, error.code) == (3, 5, 11, 0) \
                and case.octets[8] <= 1:
            rules.add("H1")
        else:
            return None
    elif mine.packet.payload[4:8] != error.packet.payload[4:8]:
        if "V1" in fate.native and error.pointer == mine.pointer - 1:
            rules.add("V1")
        elif mine.type == 12 and (error.pointer < mine.pointer or
                                  "V2" in fate.rules):
            rules.add("V5")
        else:
            return None
    p, q = mine.packet, error.packet
    options, route = without_route(q.options)
    if (p.tos, p.frag) != (q.tos, q.frag):
        return None
    if route:
        rules.add("I3")
    elif (p.ttl, p.dst, link) != (q.ttl, q.dst, other):
        return None
    if shape(p.options) != shape(options):
        if p.options.strip(b"\0"):
            return None
        rules.add("I3")
    elif differ(p.options, options, route) or p.src != q.src and not route:
        return None
    return same_quote(rules, mine.quote, error.quote)


def same_quote(rules, mine, other):
    """Longer options leave less room; native quotes the last own address
    that it has skipped."""
    common = min(len(mine), len(other))
    one, two = bytearray(mine[:common]), bytearray(other[:common])
    if one[16:20] != two[16:20]:
        rules.add("I2")
        one[16:20] = two[16:20]
    if one != two or len(mine) != len(other) and "I3" not in rules:
        return None
    return rules


def without_route(options):
    srr, _ = find_route(options)
    if not srr:
        return options, b""
    end = srr.at + srr.len
    return options[:srr.at] + options[end:], options[srr.at:end]


def differ(mine, other, elsewhere):
    """Of the same shape; the padding is not looked at, nor what is recorded
    on another way back."""
    at = 0
    for kind, length in shape(mine):
        seen = min(length, 3) if elsewhere and kind in (
            packet.RR, packet.TS) else length
        if mine[at:at + seen] != other[at:at + seen]:
            return True
        at += length
    return False


def shape(options):
    """Types and lengths of echoed options."""
    at, found = 0, []
    while at < len(options) and options[at]:
        found.append(options[at:at + 2])
        at += options[at + 1]
    return found


# The benches, made when they are first needed

_made = {}


def make(name, function):
    if name not in _made:
        _made[name] = function()
    return _made[name]


def ours():
    return make("ours", lambda: FieldBench("ours"))


def router_with(policy=()):
    """As the kernel has it that is tested."""
    table = ours().router.run("ip -4 route show table local")
    return Router(corpus.LINKS, corpus.LOOPBACK, corpus.ROUTES, policy,
                  "broadcast 10.2.0.0 " in table)


def router():
    return make("router", router_with)


def close():
    for thing in _made.values():
        if isinstance(thing, FieldBench):
            thing.close()


def main_run():
    """Both comparisons, in one pass."""
    def run():
        print("# seed %d, %d datagrams" % (SEED, COUNT), flush=True)
        ours().set(lsrr=1, ssrr=1)
        native = FieldBench("native")
        try:
            return Run(COUNT, SEED, Model(router(), lsrr=1, ssrr=1), ours(),
                       native)
        finally:
            native.close()
    return make("run", run)


@test("Model: outputs, deliveries and counters are those of a naive "
      "implementation of the contract")
def against_model():
    run = main_run()
    print("# outcomes: " + ", ".join("%s %d" % item for item in
                                     sorted(run.outcomes.items())))
    run.report(run.wrong)
    run.reaches(*EVERY, "not_adjacent", "strict_transit")


@test("Native: outputs are those of native Linux, but for what the contract "
      "marks [N]")
def against_native():
    run = main_run()
    for rule, n in sorted(run.rules.items()):
        print("# %s: %d" % (rule, n))
    run.report(run.unexplained)
    # Where all differs something else has been compared, and where nothing does
    # it was native with itself.
    same = run.rules["same"]
    check(COUNT < 2 * same and 20 * same < 19 * COUNT, "the same: %d" % same)


def with_settings(*reached, part=10, **settings):
    """A part of the corpus, model only, and the outcomes that it reaches."""
    count = max(100, COUNT // part)
    print("# seed %d, %d datagrams" % (SEED + 1, count), flush=True)
    bench = ours()
    bench.set(**{**Model.DEFAULTS, **settings})
    ktap.cleanup(lambda: bench.set(**Model.DEFAULTS))
    policy = [(MARK, MARK_ROUTE)] if settings.get("mark") else ()
    model = Model(router_with(policy), **settings)
    run = Run(count, SEED + 1, model, bench)
    run.report(run.wrong)
    run.reaches(*reached)


@test("Model: I3 with reverse_errors 1")
def reverse_errors():
    with_settings(*EVERY, part=2, lsrr=1, ssrr=1, reverse_errors=1)


@test("Model: H5 with nonlocal 0")
def nonlocal_off():
    with_settings("hop", "nonlocal", **{"lsrr": 1, "ssrr": 1, "nonlocal": 0})


@test("Model: H5 with revisit 0")
def revisit_off():
    with_settings("hop", "revisit", lsrr=1, ssrr=1, revisit=0,
                  reverse_errors=1)


@test("Model: O2 with lsrr 2 and ssrr 1")
def drop_loose():
    with_settings("policy_drop", "hop", lsrr=2, ssrr=1)


@test("Model: O2 with lsrr 3 and ssrr 2")
def reject_loose():
    with_settings("policy_reject", "policy_drop", lsrr=3, ssrr=2,
                  reverse_errors=1)


@test("Model: O2 with lsrr 1 and ssrr 3")
def reject_strict():
    with_settings("policy_reject", "hop", lsrr=1, ssrr=3)


@test("Model: O1 with lsrr 1 and ssrr 0")
def loose_alone():
    with_settings("kernel", "hop", lsrr=1, ssrr=0)


@test("Model: H2 with mark and a rule for it")
def mark():
    bench = ours()
    bench.policy()
    ktap.cleanup(bench.router.ip, "rule del fwmark %d" % MARK)
    ktap.cleanup(bench.router.ip, "route flush table 77")
    with_settings(*EVERY, lsrr=1, ssrr=1, mark=MARK)


if __name__ == "__main__":
    ktap.main(close)
