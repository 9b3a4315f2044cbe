# SPDX-License-Identifier: GPL-2.0-only
"""The state of a router as one document, and that as one screen."""

import textwrap
import time

from . import netlink, obstacles
from .outcomes import BY_NAME, OUTCOMES, WENT_ON

FORMAT = 1
_DONE = ("left to the kernel", "forwarded", "dropped and counted",
         "dropped, counted and answered with ICMP 3/13")


def meaning(system, name, settings):
    """What the settings of an interface come to, in a few sentences."""
    loose, strict = settings["lsrr"], settings["ssrr"]
    if loose == strict:
        text = "Source routes are %s." % _DONE[loose]
    else:
        text = "Loose routes are %s, strict ones %s." % (_DONE[loose], _DONE[strict])
    if 0 in (loose, strict):
        text += " The kernel itself %s by accept_source_route." % (
            "forwards and takes them" if system.accepts(name) else "drops them")
    if 1 in (loose, strict):
        for key, off, said in (
                ("nonlocal", 1, "They may leave only by the interface they came in by."),
                ("revisit", 1, "What has been here before is refused."),
                ("reverse_errors", 0, "Errors travel the recorded route back.")):
            if settings[key] != off:
                text += " " + said
        if settings["mark"]:
            text += " They get the mark 0x%x." % settings["mark"]
    return text


def _rates(before, after, seconds):
    return {key: round((value - before.get(key, value)) / seconds, 1)
            for key, value in after.items()}


def gather(system, seconds=0, sleep=time.sleep):
    """The document, as docs/srcroute-status.schema.json has it."""
    before, started = system.counters(), time.monotonic()
    if seconds and system.loaded():
        sleep(seconds)
    passed = time.monotonic() - started
    counters = system.counters()
    try:
        link = netlink.Netlink()
        links = link.links()
        link.close()
    except OSError as error:
        system.note("interfaces", "rtnetlink: %s" % error.strerror)
        links = []
    document = {"srcroute_status": FORMAT, "kernel": system.kernel(),
                "loaded": system.loaded(), "module": system.version(),
                "interfaces": [], "refusals": []}
    if system.loaded():
        document["router_id"] = system.router_id()
    if seconds:
        document["seconds"] = round(passed, 1)
    settings = {}
    for name, values in counters.items():
        some = system.settings(name)
        one = {"name": name, "available": "unavailable" not in values,
               "settings": some, "counters": values}
        if some:
            settings[name] = some
            one["meaning"] = meaning(system, name, some)
        if seconds:
            one["rates"] = _rates(before.get(name, {}), values, passed)
        document["interfaces"].append(one)
        document["refusals"] += _refusals(one)
    document["obstacles"] = [dict(one._asdict()) for one in
                             obstacles.find(system, links, settings, counters)]
    document["unread"] = [{"what": what, "why": why} for what, why in system.unread]
    return document


def _refusals(interface):
    for outcome in OUTCOMES:
        count = interface["counters"].get(outcome.name, 0)
        if not count or outcome.name in WENT_ON:
            continue
        one = {"interface": interface["name"], "outcome": outcome.name, "count": count,
               "icmp": outcome.icmp, "sentence": outcome.sentence}
        if "rates" in interface:
            one["rate"] = interface["rates"][outcome.name]
        yield one


# The screen

def table(rows):
    """Columns as wide as they need be; numbers to the right, the last as it is."""
    widths = [max(len(str(row[at])) for row in rows) for at in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [str(cell).rjust(width) if isinstance(cell, (int, float)) or
                 str(cell).endswith("/s") else str(cell).ljust(width)
                 for cell, width in zip(row, widths)]
        yield "  ".join(cells + [str(row[-1])]).rstrip()


def _head(document):
    module = "nf_srcroute %s" % document["module"] if document["loaded"] else \
        "nf_srcroute is not loaded"
    yield "Linux %s, %s" % (document["kernel"], module)
    if document.get("router_id", "0.0.0.0") != "0.0.0.0":
        yield "router_id %s" % document["router_id"]


def _is_on(interface):
    some = interface["settings"]
    return bool(some and (some["lsrr"] or some["ssrr"]))


def _interfaces(document):
    on = [one for one in document["interfaces"] if _is_on(one)]
    off = [one["name"] for one in document["interfaces"]
           if one["available"] and not _is_on(one)]
    if on:
        yield ""
        yield from table([("INTERFACE", "LSRR", "SSRR", "MEANING")] + [
            (one["name"], one["settings"]["lsrr"], one["settings"]["ssrr"],
             one["meaning"]) for one in on])
    if off:
        yield ""
        yield "Off, so that the kernel alone decides: " + ", ".join(off)


def _counters(document):
    """What went on, by interface."""
    rows = []
    for one in document["interfaces"]:
        counters, rates = one["counters"], one.get("rates", {})
        if not any(counters.get(name) for name in ("received", "icmp_suppressed")):
            continue
        for name in ("received",) + WENT_ON + ("icmp_suppressed",):
            if not counters.get(name):
                continue
            text = BY_NAME[name].sentence if name in BY_NAME else \
                "datagrams that srcroute decided on" if name == "received" else \
                "ICMP errors that were not sent by it"
            rate = ["%.1f/s" % rates[name]] if rates else []
            rows.append([one["name"], name, counters[name], *rate, text])
    if rows:
        yield ""
        head = ["INTERFACE", "COUNTER", "COUNT"] + ["RATE"] * ("seconds" in document)
        yield from table([[*head, "MEANING"]] + rows)


def _screen_refusals(document):
    if not document["refusals"]:
        return
    yield ""
    head = ["INTERFACE", "REFUSED", "COUNT"] + ["RATE"] * ("seconds" in document)
    rows = [[*head, "WHY"]]
    for one in document["refusals"]:
        text = one["sentence"]
        if one["icmp"]:
            text += " (ICMP %s)" % one["icmp"]
        rate = ["%.1f/s" % one["rate"]] if "rate" in one else []
        rows.append([one["interface"], one["outcome"], one["count"], *rate, text])
    yield from table(rows)


def _obstacles(document):
    for severity, title in ((obstacles.STOPS, "Stands in the way:"),
                            (obstacles.MAY, "May stand in the way:")):
        some = [one for one in document["obstacles"] if one["severity"] == severity]
        if some:
            yield ""
            yield title
        alike = {}
        for one in some:
            alike.setdefault((one["kind"], one["text"]), []).append(one)
        for (_, text), ones in alike.items():
            names = ", ".join(one["interface"] for one in ones if one["interface"])
            yield "  %s%s" % (names + ": " if names else "", text)
            yield "    %s%s" % (ones[0]["remedy"], " (and so on)" if len(
                {one["remedy"] for one in ones}) > 1 else "")


def _fold(line, width):
    """A line for a terminal: what the last column of a table has too much goes below it.
    Commands, which stand four blanks in, are left for copying."""
    if len(line) <= width or line.startswith("    "):
        return [line]
    column = max(line.rfind("  ") + 2, 4)
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False,
                         subsequent_indent=" " * (column if column < width - 20 else 4))


def screen(document, width=None):
    """The document for people; @width: of their terminal."""
    lines = list(_head(document))
    for part in (_interfaces, _counters, _screen_refusals, _obstacles):
        lines += part(document)
    if document["unread"]:
        lines += ["", "Not read:"]
        lines += ["  %(what)s: %(why)s" % one for one in document["unread"]]
    if width:
        lines = [part for line in lines for part in _fold(line, width)]
    return "\n".join(lines)
