# SPDX-License-Identifier: GPL-2.0-only
"""A page of HTML that needs nothing else: expected and seen header side by side."""

from html import escape

from ..case import OUTCOMES
from . import header

STYLE = """
body { font: 15px/1.45 sans-serif; max-width: 60em; margin: 1.5em auto; padding: 0 1em;
  color: #1d2330; background: #fff }
h1 { font-size: 1.5em } h2 { font-size: 1.2em; margin-top: 2em }
table { border-collapse: collapse } td, th { padding: .15em .6em; text-align: left;
  vertical-align: top; border-bottom: 1px solid #d9dde5 }
code, .octets { font-family: monospace } details { margin: .3em 0 }
summary { cursor: pointer } mark { background: #ffd0cc; font-weight: bold }
.o { display: inline-block; min-width: 9em; font-weight: bold }
.good { color: #17692c } .may { color: #6a5300 } .bad { color: #a3160a } .none { color: #666 }
@media (prefers-color-scheme: dark) { body { background: #14171d; color: #dfe3ea }
  td, th { border-color: #39404d } mark { background: #7a201a; color: #fff }
  .good { color: #7fd592 } .may { color: #e2c765 } .bad { color: #ff8d82 }
  .none { color: #9aa3b2 } }
"""
CLASSES = {"conforms": "good", "permitted choice": "may", "not applicable": "none"}


def _octets(row):
    table = header.rows(row)
    if not table:
        return ""
    lines = ["<table class='octets'><tr><th>octet</th><th></th><th>expected</th>"
             "<th>seen</th></tr>"]
    for at, name, left, right, marks in table:
        seen = " ".join("<mark>%s</mark>" % (one or "&nbsp;&nbsp;") if i in marks else one
                        for i, one in enumerate(right))
        lines.append("<tr><td>%d</td><td>%s</td><td>%s</td><td>%s</td></tr>" % (
            at, escape(name), " ".join(left), seen))
    return "\n".join(lines + ["</table>"])


def _case(row):
    kind = CLASSES.get(row["outcome"], "bad")
    rule = "%(rfc)s, %(section)s (%(level)s): %(text)s" % row["rule"]
    facts = [("rule", rule), ("sent", row["sent"]), ("expected", row["expected"]),
             ("seen", row["seen"]), ("why", row["why"]),
             ("differs as well, judged by other cases", ", ".join(row["also"])),
             ("known in the field", row["known"]), ("test of 1988", row["old"]),
             ("octets sent", row["octets"]["sent"])]
    table = "".join("<tr><th>%s</th><td>%s</td></tr>" % (escape(name), escape(value))
                    for name, value in facts if value)
    opened = " open" if kind == "bad" else ""
    return ("<details id='%s'%s><summary><span class='o %s'>%s</span> <b>%s</b> %s</summary>"
            "<table>%s</table>%s</details>" % (row["id"], opened, kind, row["outcome"],
                                               row["id"], escape(row["title"]), table,
                                               _octets(row)))


def text(document):
    name = escape(document["name"] or "the device")
    parts = ["<!doctype html><html lang='en'><head><meta charset='utf-8'>"
             "<meta name='viewport' content='width=device-width'>"
             "<title>srconform: %s</title><style>%s</style></head><body>" % (name, STYLE),
             "<h1>What %s does with IPv4 options</h1>" % name,
             "<p>srconform %s, %s, profile %s, %s s</p><table>" % (
                 escape(document["version"]), escape(document["started"]),
                 document["profile"], document["seconds"])]
    parts += ["<tr><td class='%s'>%s</td><td>%d</td></tr>" % (
        CLASSES.get(o, "bad"), o, document["counts"][o]) for o in OUTCOMES]
    parts.append("</table>")
    for what, flow in [("the line", document["line"])] + [
            ("an ordinary flow %s the fuzz" % n, f) for n, f in document["flows"].items()]:
        parts.append("<p>%s: %d of %d lost, median %s ms, worst %s ms</p>" % (
            escape(what), flow["lost"], flow["sent"], flow["median_ms"], flow["worst_ms"]))
    parts += [_case(row) for row in document["cases"]]
    return "\n".join(parts + ["</body></html>"]) + "\n"
