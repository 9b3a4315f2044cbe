#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Write the datagrams of a storm to a file, and what they must do to the
counters, as lib/model.py predicts it of each.

	selftests/life/storm-corpus.py COUNT SEED FILE

Apart from storm.py because an emulated processor would take hours.
"""

import collections
import json
import struct
import sys
import time

from lib import corpus
from lib.model import Model
from lib.routing import Router
from lib.topology import PLAIN


def main():
    count, seed, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    links = [name for name, *_ in corpus.LINKS]
    source = corpus.Corpus(seed)
    model = Model(Router(PLAIN), lsrr=1, ssrr=1)
    sums = collections.Counter()
    said = time.monotonic()
    with open(path, "wb") as file:
        for number in range(count):
            case = source.case()
            fate = model.predict(case.link, case.octets, not case.to)
            for counter, n in fate.counters().items():
                sums["%s %s" % (case.link, counter)] += n
            file.write(struct.pack("=B6sH", links.index(case.link),
                                   case.to or bytes(6), len(case.octets)) +
                       case.octets)
            if time.monotonic() - said > 10:
                said = time.monotonic()
                print("# predicted %d of %d" % (number, count), flush=True)
    with open(path + ".json", "w") as file:
        json.dump({"count": count, "seed": seed, "counters": sums}, file)


if __name__ == "__main__":
    main()
