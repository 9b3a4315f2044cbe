#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srtrace(8) --svg, --dot, --html: what is in the pictures, and that nothing in them covers
anything else. Needs no module: the network is a function (lib/mimic.py).
"""

import os
import re
import tempfile
from xml.etree import ElementTree

from lib import ktap
from lib.ktap import check, equal, test
from lib.mimic import Mimic
from lib.packet import ICMP, Packet, icmp_error, ip, lsrr
from lib.tracer import HOST, chain_of, echo_reply, expired, returned, srtrace

R1, G, R2, TO = "10.221.0.1", "10.221.0.2", "10.221.0.3", "10.222.0.9"
SVG = "{http://www.w3.org/2000/svg}"
LETTER = 8      # width of one of 13 pixels, in most fonts


def drawn(mimic, *words, status=0):
    """The files that it makes: SVG, for Graphviz, HTML."""
    with tempfile.TemporaryDirectory() as directory:
        paths = [os.path.join(directory, name) for name in ("a.svg", "a.dot", "a.html")]
        srtrace(mimic, "-w", "0.3", "--svg", paths[0], "--dot", paths[1],
                "--html", paths[2], *words, status=status)
        result = []
        for path in paths:
            with open(path) as file:
                result.append(file.read())
        return result


class Box:
    def __init__(self, group):
        self.kind = group.get("class")
        self.x, self.y, self.width, self.height = (
            int(group.find(SVG + "rect").get(name))
            for name in ("x", "y", "width", "height"))
        self.texts = group.findall(SVG + "text")
        self.lines = [text.text for text in self.texts]


def boxes(svg):
    """All of them; none covers another, and every text is in its own."""
    root = ElementTree.fromstring(svg)
    found = [Box(group) for group in root.findall(SVG + "g")]
    for i, box in enumerate(found):
        for other in found[:i]:
            check(box.x >= other.x + other.width or other.x >= box.x + box.width or
                  box.y >= other.y + other.height or other.y >= box.y + box.height,
                  "%s covers %s" % (box.lines, other.lines))
        for text in box.texts:
            check(box.x < int(text.get("x")) and int(text.get("x")) + LETTER *
                  len(text.text) <= box.x + box.width and
                  box.y < int(text.get("y")) < box.y + box.height,
                  "%r is not in its box" % text.text)
        check(box.x + box.width <= int(root.get("width")) and
              box.y + box.height <= int(root.get("height")), "outside")
    return root, found


@test("srtrace: a picture of a trace has a box for each hop, with 3 and with 20 of them, also "
      "for the silent ones and for who refuses")
def trace():
    for hops in 3, 20:
        mimic = Mimic(chain_of(hops))
        svg, dot, html = drawn(mimic, TO)
        root, found = boxes(svg)
        equal([box.kind for box in found], ["us"] + ["router"] * hops + ["end"], "kinds")
        equal([box.lines[1] for box in found],
              [HOST] + ["10.221.1.%d" % i for i in range(1, hops + 1)] + [TO], "hosts")
        equal(len(root.findall(SVG + "line")), hops + 1, "arrows")
        equal((len(re.findall("^n[0-9]+ \\[", dot, re.M)), dot.count("->")),
              (hops + 2, hops + 1), "Graphviz")
        check("<svg" in html and html.count("<tr>") == hops + 3 and
              "reached: its own answer" in html, html)
    mimic = Mimic(lambda probe: [] if Packet(probe).ttl == 2 else
                  [ip(R2, HOST, proto=ICMP, payload=icmp_error(3, 13, probe))]
                  if Packet(probe).ttl == 3 else [expired(probe, G)])
    _, found = boxes(drawn(mimic, "-g", G, TO, status=1)[0])
    equal([box.kind for box in found], ["us", "gateway", "silent", "refused"], "kinds")
    check("prohibited by filtering (3/13)" in "".join(found[3].lines) or
          any("prohibited" in line for line in found[3].lines), found[3].lines)


@test("srtrace: a picture of a loop has both ways beside each other, and shows where they "
      "part")
def loop():
    def answer(probe, back="10.221.5.5"):
        packet = Packet(probe)
        gone = ip(HOST, HOST, lsrr(R2, ptr=8), ttl=1, proto=ICMP, ident=packet.ident,
                  payload=packet.payload)
        return {1: [expired(probe, R1)], 2: [expired(probe, "10.221.1.2")],
                3: [expired(probe, G)], 4: [expired(gone, back)],
                5: [expired(gone, R1)]}.get(packet.ttl, [returned(probe, R2)])

    mimic = Mimic(answer)
    root, found = boxes(drawn(mimic, "--loop", G)[0])
    by_host = {(box.lines[1], box.x): box for box in found}
    left, right = sorted({box.x for box in found})
    equal([box.kind for box in found],
          ["us", "router", "router", "gateway", "other", "router"], "kinds")
    equal(by_host[R1, left].y, by_host[R1, right].y, "the same router")
    equal(by_host["10.221.1.2", left].y, by_host["10.221.5.5", right].y,
          "what is as far away")
    equal(len([line for line in root.findall(SVG + "line")
               if line.get("class") == "same"]), 1, "what is one router")
    mimic.answer = lambda probe: answer(probe, "10.221.1.2")
    _, found = boxes(drawn(mimic, "--loop", G)[0])
    check("other" not in [box.kind for box in found], "one way, drawn as two")


@test("srtrace: a picture of branches has them beside each other; one of aliases has the "
      "interfaces of a router in one box")
def others():
    def answer(probe):
        ttl = Packet(probe).ttl
        if ttl > 3:
            return [echo_reply(probe)]
        return [expired(probe, "10.221.%d.%d" % (
            ttl, 1 + (Packet(probe).payload[3] % 3 if ttl == 2 else 0)))]

    mimic = Mimic(answer)
    root, found = boxes(drawn(mimic, "--flows", TO)[0])
    equal(len({box.y for box in found}), 5, "rows")
    equal(sorted(box.lines[1] for box in found if box.kind == "other"),
          ["10.221.2.1", "10.221.2.2", "10.221.2.3"], "branches")
    equal(len(root.findall(SVG + "line")), 1 + 3 + 3 + 1, "arrows")
    mimic.answer = lambda probe: [returned(probe, R2)] \
        if Packet(probe).options[1] == 7 else []
    _, found = boxes(drawn(mimic, "--aliases", G, R1)[0])
    equal([set(box.lines[1:]) for box in found], [{G, R1, R2}], "routers")


@test("srtrace: a picture that cannot be written is an error, and modes that have none say "
      "so")
def errors():
    mimic = Mimic(chain_of(2))
    srtrace(mimic, "--svg", "/nonexistent/a.svg", TO, status=2)
    srtrace(mimic, "--svg", "/dev/full", TO, status=4)
    for words in (("--record", TO), ("--mtu", TO), ("--probe", "-"), ("--report", TO)):
        srtrace(mimic, "--svg", "/dev/null", *words, status=2)


if __name__ == "__main__":
    ktap.main()
