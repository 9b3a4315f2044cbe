# SPDX-License-Identifier: GPL-2.0-only
"""Several documents as one page of Markdown: the cases by device, with the evidence for
whatever does not conform.
"""

from ..case import OUTCOMES
from .markdown import cell

SHORT = {"conforms": "ok", "permitted choice": "may", "deviates (MUST)": "**MUST**",
         "deviates (SHOULD)": "**SHOULD**", "silent": "silent", "dead": "**dead**",
         "not applicable": "n/a"}
BAD = ("deviates (MUST)", "deviates (SHOULD)", "silent", "dead")
OCTETS = ("sent", "expected")


def _family(id_):
    return id_.rstrip("0123456789")


def _rows(documents):
    """[(id, [row or None of each document])]"""
    found = {}
    for index, document in enumerate(documents):
        for row in document["cases"]:
            found.setdefault(row["id"], [None] * len(documents))[index] = row
    return list(found.items())


def _same(rows):
    return all(row is None or row["outcome"] == "conforms" for row in rows)


def _counts(documents):
    lines = ["| | device | %s | status |" % " | ".join(OUTCOMES),
             "|---|---|%s---|" % ("---|" * len(OUTCOMES))]
    for number, document in enumerate(documents, 1):
        lines.append("| %d | %s | %s | %d |" % (
            number, cell(document["name"]),
            " | ".join(str(document["counts"][o]) for o in OUTCOMES), document["status"]))
    return lines


def _table(documents):
    numbers = range(1, len(documents) + 1)
    lines = ["| case | rule | | %s |" % " | ".join(map(str, numbers)),
             "|---|---|---|%s" % ("---|" * len(documents))]
    rest = {}
    for id_, rows in _rows(documents):
        if _same(rows):
            rest.setdefault(_family(id_), []).append(id_)
            continue
        row = next(r for r in rows if r)
        link = "[%s](#%s)" % (id_, id_.lower()) if _bad(rows) else id_
        lines.append("| %s | %s, %s (%s) | %s | %s |" % (
            link, row["rule"]["rfc"], cell(row["rule"]["section"]), row["rule"]["level"],
            cell(row["title"]), " | ".join(SHORT[r["outcome"]] if r else "" for r in rows)))
    lines += ["", "All devices conform in these: " + "; ".join(
        "%s (%d of %s)" % (", ".join(ids), len(ids), family)
        for family, ids in rest.items()) + "."]
    return lines


def _bad(rows):
    return any(row and row["outcome"] in BAD for row in rows)


def _evidence(documents):
    lines = []
    for id_, rows in _rows(documents):
        if not _bad(rows):
            continue
        row = next(r for r in rows if r)
        lines += ["", "### %s" % id_, "", "%s." % (row["title"][0].upper() +
                                                  row["title"][1:]), "",
                  "- rule: %(rfc)s, %(section)s (%(level)s): %(text)s" % row["rule"],
                  "- sent: `%s`" % row["sent"], "- expected: `%s`" % row["expected"]]
        groups = {}
        for number, one in enumerate(rows, 1):
            if one and one["outcome"] in BAD:
                key = (one["outcome"], tuple(one["wrong"]), one["why"].split(":")[0])
                groups.setdefault(key, []).append((number, one))
        first = next(iter(groups.values()))[0][1]
        for name in OCTETS:
            if first["octets"][name]:
                lines.append("- octets %s: `%s`" % (name, first["octets"][name]))
        for (outcome, _, _), some in groups.items():
            one = some[0][1]
            lines.append("- %s (%s): %s" % (outcome, ", ".join(str(n) for n, _ in some),
                                            one["why"]))
            if one["octets"]["seen"]:
                lines.append("  - octets seen: `%s`" % one["octets"]["seen"][:136])
    return lines


def text(documents):
    """The page, without its title."""
    lines = _counts(documents) + ["", "## Cases in which they differ, or do not conform", ""]
    lines += _table(documents) + ["", "## Evidence"] + _evidence(documents)
    return "\n".join(lines) + "\n"
