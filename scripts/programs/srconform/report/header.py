# SPDX-License-Identifier: GPL-2.0-only
"""A header as rows of octets, expected and seen, with what differs marked."""

NAMES = {0: "version, length", 1: "TOS", 2: "total length", 4: "identification",
         6: "flags, offset", 8: "TTL", 9: "protocol", 10: "checksum", 12: "source",
         16: "destination", 20: "options"}


def rows(row):
    """[(offset, name, expected octets, seen octets, {differing columns})] of four octets
    each. Octets are two digits, or blank where there is none."""
    octets = row["octets"]
    expected, seen = [bytes.fromhex(octets[name]) for name in ("expected", "seen")]
    free = set(octets["any"])
    length = (seen[0] & 15) * 4 if seen else 0
    end = max(len(expected), length if expected else min(len(seen), 60))
    found = []
    for at in range(0, end, 4):
        name = ", ".join(NAMES[i] for i in range(at, at + 4) if i in NAMES)
        left, right, marks = [], [], set()
        for i in range(at, at + 4):
            left.append("--" if i in free else "%02x" % expected[i]
                        if i < len(expected) else "")
            right.append("%02x" % seen[i] if i < len(seen) else "")
            if expected and seen and i not in free and left[-1] != right[-1]:
                marks.add(i - at)
        found.append((at, name, left, right, marks))
    return found
