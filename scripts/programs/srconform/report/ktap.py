# SPDX-License-Identifier: GPL-2.0-only
"""KTAP (Documentation/dev-tools/ktap.rst): a test for each case."""


def passed(row):
    """Does it hold, for a program that asks yes or no?"""
    if row["outcome"] == "silent":
        return row["rule"]["level"] != "MUST"
    return row["outcome"] in ("conforms", "permitted choice", "not applicable")


def text(document):
    lines = ["KTAP version 1", "1..%d" % len(document["cases"])]
    for number, row in enumerate(document["cases"], 1):
        if row["outcome"] != "conforms":
            lines.append("# %s: %s" % (row["outcome"], row["why"]))
        skip = " # SKIP %s" % row["why"] if row["outcome"] == "not applicable" else ""
        title = row["title"].replace("#", "")
        lines.append("%s %d %s: %s%s" % ("ok" if passed(row) else "not ok", number,
                                         row["id"], title, skip))
    return "\n".join(lines) + "\n"
