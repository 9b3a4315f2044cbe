# SPDX-License-Identifier: GPL-2.0-only
"""What differs between two runs: of two devices, or of two releases of one."""

from .report import header

BAD = ("deviates (MUST)", "deviates (SHOULD)", "silent", "dead")


def _name(document, path):
    return document["name"] or path


def _octets_differ(old, new):
    """Do the headers that were seen differ, but for what changes with every run?"""
    if old["octets"]["expected"] and new["octets"]["expected"]:
        marks = [[sorted(m) for *_, m in header.rows(row)] for row in (old, new)]
        return marks[0] != marks[1]
    return False


def changes(first, second):
    """[(id, title, was, is)] of what differs."""
    before = {row["id"]: row for row in first["cases"]}
    after = {row["id"]: row for row in second["cases"]}
    found = []
    for id_ in list(before) + [i for i in after if i not in before]:
        old, new = before.get(id_), after.get(id_)
        was, now = [one["outcome"] + (": " + one["choice"] if one["choice"] else "")
                    if one else "not there" for one in (old, new)]
        if was == now and old["outcome"] in BAD and _octets_differ(old, new):
            was, now = [w + ", " + one["seen"] for w, one in ((was, old), (now, new))]
        if was != now:
            found.append((id_, (new or old)["title"], was, now))
    return found


def text(first, second, paths):
    """(what to print, whether nothing differs)"""
    found = changes(first, second)
    names = [_name(document, path) for document, path in zip((first, second), paths)]
    lines = ["--- %s (%s)" % (names[0], first["started"]),
             "+++ %s (%s)" % (names[1], second["started"])]
    for id_, title, was, now in found:
        lines += ["%-4s %s" % (id_, title), "    - %s" % was, "    + %s" % now]
    same = sum(row["id"] in {r["id"] for r in second["cases"]} for row in first["cases"])
    lines.append("%d of %d cases differ" % (len(found), max(same, len(found))))
    return "\n".join(lines), not found
