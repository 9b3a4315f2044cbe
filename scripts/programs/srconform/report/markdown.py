# SPDX-License-Identifier: GPL-2.0-only
"""Markdown, for people who read text."""

from ..case import OUTCOMES
from . import header

SHOWN = ("deviates (MUST)", "deviates (SHOULD)", "silent", "dead")


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def _head(document):
    lines = ["# What %s does with IPv4 options" % (document["name"] or "the device"), "",
             "srconform %(version)s, %(started)s, profile %(profile)s, %(seconds)s s."
             % document, "", "| outcome | cases |", "|---|---|"]
    lines += ["| %s | %d |" % (o, document["counts"][o]) for o in OUTCOMES]
    line = document["line"]
    lines += ["", "The line: %(lost)d of %(sent)d ordinary datagrams lost, median "
              "%(median_ms)s ms." % line]
    for name, flow in document["flows"].items():
        lines.append("Beside the fuzz, %s: %d of %d lost, median %s ms, worst %s ms."
                     % (name, flow["lost"], flow["sent"], flow["median_ms"],
                        flow["worst_ms"]))
    return lines


def _case(row):
    lines = ["", "### %(id)s: %(title)s" % row, "",
             "%s. %s" % (row["outcome"].capitalize(), row["why"]), "",
             "- rule: %(rfc)s, %(section)s (%(level)s): %(text)s" % row["rule"],
             "- sent: %s" % row["sent"], "- expected: %s" % row["expected"]]
    for name in "seen", "known", "old":
        if row[name]:
            lines.append("- %s: %s" % ({"known": "known in the field",
                                        "old": "test of 1988"}.get(name, name), row[name]))
    table = header.rows(row)
    if table:
        lines += ["", "| octet | | expected | seen |", "|---|---|---|---|"]
        for at, name, left, right, marks in table:
            right = ["**%s**" % one if i in marks and one else one
                     for i, one in enumerate(right)]
            lines.append("| %d | %s | %s | %s |" % (at, name, " ".join(left),
                                                    " ".join(right)))
    return lines


def text(document):
    lines = _head(document)
    lines += ["", "## What does not conform"]
    wrong = [row for row in document["cases"] if row["outcome"] in SHOWN]
    for row in wrong:
        lines += _case(row)
    if not wrong:
        lines += ["", "Nothing."]
    lines += ["", "## All cases", "", "| case | | outcome | |", "|---|---|---|---|"]
    lines += ["| %s | %s | %s | %s |" % (row["id"], cell(row["title"]), row["outcome"],
                                         cell(row["why"])) for row in document["cases"]]
    return "\n".join(lines) + "\n"
