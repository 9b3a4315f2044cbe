# SPDX-License-Identifier: GPL-2.0-only
"""A whole run: wiring, calibration, cases, and the document that reports are made of."""

import time

from . import VERSION, special
from .case import CONFORMS, DEAD, NOT_APPLICABLE, OUTCOMES, SILENT, Nothing
from .expected import WORDS
from .runner import Runner
from .verdict import Judge, Result
from .wiring import Wiring


class Session:
    """Carries out cases on a bed. `document` is what report/schema.json describes."""

    def __init__(self, bed, profile="rfc", *, rounds=3, patience=8.0, seed=1, say=None):
        self.bed, self.plan, self.profile, self.seed = bed, bed.plan, profile, seed
        self.runner = Runner(bed, Judge(bed.plan, profile), rounds=rounds,
                             patience=patience, say=say or (lambda *_: None))
        self.runner.seed, self.runner.flows, self.runner.fuzzed = seed, {}, []
        self.wiring = Wiring(self.runner)
        self.results, self.started = {}, time.time()

    def prepare(self):
        """Wiring and calibration; WiringError ends it."""
        self.wiring.run()
        self.runner.calibrate()

    def run(self, cases):
        """{case: Result} of all, in their order."""
        found, todo = {}, []
        for case in cases:
            lack = next((self.wiring.lacks[n] for n in case.needs
                         if n in self.wiring.lacks), None)
            if lack:
                found[case] = Result(NOT_APPLICABLE, lack)
                found[case].tries = []
            else:
                todo.append(case)
        found.update(self.runner.run(todo))
        crowds = [c for c in todo if c.special]
        for index, case in enumerate(crowds):
            self.runner.say(index, len(crowds), case.title)
            if self.runner.ended:
                found[case] = Result(NOT_APPLICABLE, "the device is dead since %s"
                                     % self.runner.ended.id)
                found[case].tries = []
            else:
                found[case] = special.run(self.runner, case)
        self.results = {case: found[case] for case in cases}
        self.contradict()
        return self.results

    def contradict(self):
        """A choice is none where another case shows that the device has not made it."""
        outcomes = {case.id: result.outcome for case, result in self.results.items()}
        for case, result in self.results.items():
            for may in case.may:
                if may.name == result.choice and outcomes.get(may.unless) == CONFORMS:
                    self._is_none(case, result, may)

    @staticmethod
    def _is_none(case, result, may):
        """Take a choice back."""
        result.choice = ""
        if isinstance(may.expect, Nothing) or not result.instead:
            result.outcome = SILENT
            result.why = "no answer; expected %s; %s is answered" % (
                case.expect.drawn(), may.unless)
        else:
            result.outcome, result.judged = result.instead.outcome, result.instead.judged
            result.why = "%s; %s shows that the device is not set to do so" % (
                result.instead.why, may.unless)

    def status(self):
        """1 if a MUST is broken, or an answer that a MUST wants did not come; else 0."""
        for case, result in self.results.items():
            if result.outcome in ("deviates (MUST)", DEAD) or \
                    result.outcome == SILENT and case.rule.level == "MUST":
                return 1
        return 0

    def document(self, name=""):
        """What a run has found, as plain data."""
        counts = {outcome: sum(r.outcome == outcome for r in self.results.values())
                  for outcome in OUTCOMES}
        return {
            "srconform": 1, "version": VERSION, "name": name,
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started)),
            "seconds": round(time.time() - self.started, 1), "profile": self.profile,
            "seed": self.seed, "one_interface": self.plan.single,
            "device": {"in": self.plan.own("in"), "out": self.plan.own("out")},
            "wiring": self.wiring.checks, "line": self.runner.line.as_dict(),
            "flows": self.runner.flows, "counts": counts, "status": self.status(),
            "cases": [self._row(case, result) for case, result in self.results.items()],
        }

    def _row(self, case, result):
        row = {
            "id": case.id, "title": case.title, "outcome": result.outcome,
            "why": result.why, "choice": result.choice,
            "rule": {"rfc": case.rule.rfc, "section": case.rule.section,
                     "level": case.rule.level, "text": case.rule.text},
            "sent": "; ".join(send.drawn() for send in case.sends()),
            "expected": case.expect.drawn(), "known": case.known, "old": case.old,
            "tries": len(result.tries), "wrong": sorted(result.judged), "also": sorted(
                WORDS.get(n, n) for n in result.differs - result.judged),
            "octets": {"sent": "", "expected": result.expected.hex(), "seen": "",
                       "any": sorted(result.mask)},
            "seen": str(result.seen) if result.seen else "",
        }
        one = getattr(result, "one", None) or (result.tries[0] if result.tries else None)
        if one and one.sent:
            row["octets"]["sent"] = one.sent[0][1][:60].hex()
        if result.seen:
            d = result.seen.datagram
            row["octets"]["seen"] = (d.octets if result.seen.error else d.header).hex()
        return row
