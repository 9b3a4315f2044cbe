# SPDX-License-Identifier: GPL-2.0-only
"""JUnit XML: a test case for each case, a suite for each family."""

from xml.sax.saxutils import escape, quoteattr

from .ktap import passed


def _family(row):
    return row["id"].rstrip("0123456789")


def _case(row):
    lines = ["  <testcase classname=%s name=%s>" % (
        quoteattr("srconform." + _family(row)), quoteattr(row["id"] + ": " + row["title"]))]
    if row["outcome"] == "not applicable":
        lines.append("   <skipped message=%s/>" % quoteattr(row["why"]))
    elif not passed(row):
        lines.append("   <failure type=%s message=%s>%s</failure>" % (
            quoteattr(row["outcome"]), quoteattr(row["why"]), escape(
                "%(rfc)s, %(section)s (%(level)s): %(text)s" % row["rule"])))
    elif row["why"]:
        lines.append("   <system-out>%s</system-out>" % escape(
            row["outcome"] + ": " + row["why"]))
    return lines + ["  </testcase>"]


def text(document):
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             "<testsuites name=%s>" % quoteattr("srconform " + document["name"])]
    for family in dict.fromkeys(_family(row) for row in document["cases"]):
        rows = [row for row in document["cases"] if _family(row) == family]
        lines.append(' <testsuite name="%s" tests="%d" failures="%d" skipped="%d">' % (
            family, len(rows), sum(not passed(row) for row in rows),
            sum(row["outcome"] == "not applicable" for row in rows)))
        for row in rows:
            lines += _case(row)
        lines.append(" </testsuite>")
    return "\n".join(lines + ["</testsuites>"]) + "\n"
