#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""How much of the contract does native Linux keep? The corpus of differential.py
through a router that has accept_source_route on, and no module.

A datagram counts as kept if all that comes out of the router, and all that is
delivered there, is what the model (lib/model.py) says, octet by octet, with lsrr and
ssrr at 1 and with either value of reverse_errors. Those that the contract leaves to
the kernel are not counted. Each is sent by itself: that native forwards hits of a
batch unprocessed (H12) is not in the number.

SRCROUTE_DATAGRAMS says how many, SRCROUTE_SEED which.
"""

import collections
import os

from lib import corpus, ktap
from lib.fieldbench import FieldBench, expected, router_of
from lib.ktap import check, test
from lib.model import Model
from lib.topology import PLAIN

COUNT = int(os.environ.get("SRCROUTE_DATAGRAMS", "2000"))
SEED = int(os.environ.get("SRCROUTE_SEED", "1812"))
BATCH = 100


class Score:
    """Of each outcome that the contract asks for: how many there are, and how many
    native has kept."""

    def __init__(self, models):
        self._models = models
        self.all, self.kept = collections.Counter(), collections.Counter()

    def add(self, case, got):
        fates = [model.predict(case.link, case.octets, not case.to)
                 for model in self._models]
        if fates[0].kernel:
            return
        self.all[fates[0].outcome] += 1
        self.kept[fates[0].outcome] += any(got == expected(fate, case)
                                           for fate in fates)

    def show(self):
        for outcome, n in sorted(self.all.items()):
            print("# %s: %d of %d" % (outcome, self.kept[outcome], n))
        print("# native keeps the contract for %d of %d datagrams" % (
            self.kept.total(), self.all.total()))


def is_loaded():
    return os.path.exists("/sys/module/nf_srcroute")


@test("Native: how much of the contract native Linux keeps, without the module")
def native():
    check(not is_loaded(), "the module is loaded: rmmod nf_srcroute")
    print("# seed %d, %d datagrams" % (SEED, COUNT), flush=True)
    bench = FieldBench("native")
    ktap.cleanup(bench.close)
    router = router_of(bench, PLAIN)
    score = Score([Model(router, lsrr=1, ssrr=1, reverse_errors=value)
                   for value in (0, 1)])
    cases = corpus.Corpus(SEED, PLAIN).cases(COUNT)
    for at in range(0, COUNT, BATCH):
        got, strays = bench.exchange_cases(cases[at:at + BATCH])
        check(not strays, "stray output: %s" % strays[:3])
        for case, results in got.items():
            score.add(case, results)
    score.show()
    # Sound hits and routes that are complete: a router that forwards none of them, or
    # all alike, is not the one of the corpus.
    for outcome in "hop", "local", "no_route":
        check(score.all[outcome] * 100 >= COUNT, "too few of " + outcome)
    check(score.kept["hop"] and score.kept["local"], "native forwards nothing")
    check(score.kept.total() < score.all.total(), "native is not native")


if __name__ == "__main__":
    ktap.main()
