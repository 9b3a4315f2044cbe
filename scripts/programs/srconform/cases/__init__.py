# SPDX-License-Identifier: GPL-2.0-only
"""The cases. A file for each family; ALL has them in the order of the files.

    H  hits: source routes for the device      F  fragments, DF, MTU
    T  transit: source routes for others       E  ICMP errors
    R  Record Route                            C  the rest of the header
    S  Timestamp                               W  broadcast, multicast, martians
    O  several options, order, padding         V  broken options
    L  the TTL                                 B  bursts, order, fuzz

To add one: ten lines in the file of its family, with the next number. Ids are stable.
"""

from . import (broken, crowds, errors, header, hits, life, link, order, pieces, record,
               stamps, transit)

MODULES = (hits, transit, record, stamps, order, life, pieces, errors, header, link,
           broken, crowds)
ALL = [case for module in MODULES for case in module.CASES]


def family(case):
    """The letters of its id."""
    return case.id.rstrip("0123456789")


def select(words):
    """Those that have a word as their id or as their family; all without words. A word
    that chooses nothing is a ValueError."""
    if not words:
        return list(ALL)
    chosen = set()
    for word in words:
        some = {c.id for c in ALL if word.upper() in (c.id, family(c))}
        if not some:
            raise ValueError("no case and no family is called '%s'" % word)
        chosen |= some
    return [c for c in ALL if c.id in chosen]
