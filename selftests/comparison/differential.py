#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A corpus of valid, odd and hostile datagrams through our router, compared
octet by octet with a naive model of the contract (lib/model.py) and with what
native Linux makes of it.

SRCROUTE_DATAGRAMS says how many, SRCROUTE_SEED which. The router is drawn in
lib/corpus.py; after it come others, with a VRF, rules and encapsulation, that are
made at random (lib/topology.py). SRCROUTE_TOPOLOGY=N tries that of seed N alone.

Not in the corpus, because no second observer can predict them: multipath
routes (H2 lets the hash use either destination), neighbours that do not answer
(I4 takes seconds of retries), rate limits, memory shortage.
"""

import collections
import os
import time

from lib import corpus, features, ktap, packet, topology
from lib.fieldbench import FieldBench, expected, router_of
from lib.ktap import check, test
from lib.model import Model, find_route, host
from lib.routing import number

COUNT = int(os.environ.get("SRCROUTE_DATAGRAMS", "2000"))
SEED = int(os.environ.get("SRCROUTE_SEED", "1812"))
BATCH = 100
SHOWN = 2  # differences of a kind that are printed in full
# What some part of every corpus comes to.
EVERY = ("hop", "transit", "local", "kernel", "bad_option", "bad_source",
         "bad_next", "no_route")


# Against the model

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
        drawn = ours.topology is not topology.PLAIN and ours.topology
        self._go(corpus.Corpus(seed, drawn).cases(count))

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
        if fate.any_source:
            got = [(link, datagram[:12] + fate.outputs[0][1][12:16] +
                    datagram[16:]) for link, datagram in got[0]], got[1]
        if fate.looped:
            got = got[0], []
        if not fate.kernel and not fate.elsewhere and \
                got != expected(fate, case):
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

    @staticmethod
    def tell(differences):
        """All kinds, and some of each in full."""
        kinds = collections.defaultdict(list)
        for kind, text in differences:
            kinds[kind].append(text)
        for kind, texts in sorted(kinds.items()):
            print("# %d: %s" % (len(texts), kind))
            for text in texts[:SHOWN]:
                print("#   " + text, flush=True)

    def report(self, differences):
        self.tell(differences)
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
    if error and not all(one_host(number(quad)) for quad in (
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
    if told_itself(case, ours, native):
        return {"I1"}
    ours, native = ours[0], native[0]
    rule = next(iter(fate.native & {"V3", "V4", "H3", "H4", "H5", "T2", "T3"}), None)
    if rule in ("H3", "H4", "T2", "T3"):
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


def told_itself(case, ours, native):
    """Where no route leads, native has not checked the source, which may be its own."""
    return not any(ours) and not native[0] and len(native[1]) == 1 and \
        error_of((None, native[1][0])) is not None and \
        router().own(number(packet.quad(case.octets[12:16])))


def reversed_to_nowhere(case):
    """Would native's error go back to an address that leads nowhere, or to
    itself?"""
    area = packet.Packet(case.octets).options
    srr, _ = find_route(area)
    recorded = srr.recorded(area)
    return recorded and (not one_host(recorded[-1]) or
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
    if not one_host(src):
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


def router():
    return make("router", lambda: router_of(ours(), topology.PLAIN))


def one_host(address):
    return host(address) and not router().broadcast(address)


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
    run = Run(count, SEED + 1, Model(router(), **settings), bench)
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


# Other routers, the model only


def on(drawn, seed, count):
    """Some of a corpus on a topology, with the settings that it has."""
    bench = FieldBench("drawn", drawn, **drawn.settings)
    try:
        return Run(count, seed, Model(router_of(ours(), drawn), **drawn.settings),
                   bench)
    finally:
        bench.close()


@test("Model: H2 with mark and a rule for it")
def mark():
    settings = {"lsrr": 1, "ssrr": 1, "mark": topology.MARK}
    drawn = topology.Topology(**{**topology.MARKED, "settings": settings})
    run = on(drawn, SEED + 1, max(100, COUNT // 10))
    run.report(run.wrong)
    run.reaches(*EVERY)


def seeds():
    """Of the topologies that are tried: more of them, the more datagrams."""
    if "SRCROUTE_TOPOLOGY" in os.environ:
        return [int(os.environ["SRCROUTE_TOPOLOGY"])]
    return [SEED * 1000 + i for i in range(3 + COUNT // 1000)]


def on_drawn(kinds, *reached):
    """As many datagrams on each of some topologies of these kinds."""
    wrong, outcomes = [], collections.Counter()
    for seed in seeds():
        drawn = topology.draw(seed, *kinds,
                              segments="End.DT4" in features.segments())
        run = on(drawn, seed, 150 + COUNT // 100)
        outcomes += run.outcomes
        if run.wrong:
            print("# SRCROUTE_TOPOLOGY=%d: %d differences on" % (
                seed, len(run.wrong)))
            print("#   " + str(drawn).replace("\n", "\n#   "))
            run.tell(run.wrong)
        wrong += run.wrong
    print("# outcomes: " + ", ".join("%s %d" % item for item in
                                     sorted(outcomes.items())))
    check(not wrong, "%d differences in %d datagrams" % (
        len(wrong), sum(outcomes.values())))
    for outcome in reached:
        check(outcomes[outcome] * 300 >= sum(outcomes.values()), outcome)


@test("Model: O1, H2, H6, H8 with some links in a VRF and SRv6 into it")
def in_vrf():
    on_drawn(["vrf"], *EVERY, *["not_accepted"] * (
        "End.DT4" in features.segments()))


@test("Model: H2, H4, H5, H6 with rules before and after the local table")
def by_rules():
    on_drawn(["rules"], *EVERY, "not_adjacent")


@test("Model: H1, H5, I2 with routes that encapsulate or have an MTU")
def encapsulated():
    on_drawn(["encapsulation"], *EVERY, "not_adjacent", "frag_needed")


@test("Model: the same with a VRF, rules and encapsulation at once")
def all_at_once():
    on_drawn(topology.KINDS, *EVERY, "not_adjacent")


if __name__ == "__main__":
    ktap.main(close)
