#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The programs that people use source routes with, from Debian, across three
gateways:

    h1 ---- g1 ---- g2 ---- g3 ---- h2
      10.210.0  10.210.1  10.210.2  10.210.3     .1 left, .2 right of a link
"""

import re

from lib import ktap
from lib.chain import Chain, Node, Taps, traceroute, transfer
from lib.ktap import check, equal, test

H1, G1, G2, G3, H2 = ("10.210.0.1", "10.210.0.2", "10.210.1.2", "10.210.2.2",
                      "10.210.3.2")


def lab():
    return Chain(Node("h1", right=H1 + "/24").accepting(),
                 Node("g1", G1 + "/24", "10.210.1.1/24").ours(),
                 Node("g2", G2 + "/24", "10.210.2.1/24").ours(),
                 Node("g3", G3 + "/24", "10.210.3.1/24").ours(),
                 Node("h2", H2 + "/24").accepting())


chain = lab()
h1, g1, g2, g3, h2 = (node.ns for node in chain.nodes)


@test("H1, I3: inetutils-traceroute -g shows every gateway of a loose route")
def traceroute_gateways():
    equal(traceroute(h1, H2, [G2]), [G1, G2, G3, H2], "hops")


@test("H1, H6, I3: a traceroute to oneself by a far gateway shows the way out "
      "and the way back")
def traceroute_to_self():
    # h1 itself takes its own probes for martians, so the last hop is g1.
    equal(traceroute(h1, H1, [G3], "-m", "5", check=False),
          [G1, G2, G3, G2, G1], "hops")


@test("H7, H12: nc -g carries 1 MB each way over TCP through three gateways")
def tcp_through_gateways():
    before = [node.counters() for node in (g1, g2, g3)]
    transfer(h1, h2, H2, [G1, G2, G3])
    for node, counters in zip((g1, g2, g3), before):
        now = node.counters()
        for side in "left", "right":
            moved = {name: now[side, name] - counters[side, name]
                     for name in ("hop", "received")}
            check(moved["hop"] > 50, "%s: %s hits from %s" %
                  (node.label, moved["hop"], side))
            equal(moved["hop"], moved["received"], "received")


@test("O1: ping -R is not ours: its Record Route option works as ever")
def ping_record_route():
    before = g2.counters()
    output = h1.run(["ping", "-R", "-n", "-c", "1", "-W", "5", H2])
    recorded = re.findall(r"^(?:RR:)?\s+(\d+\.\d+\.\d+\.\d+)$", output, re.M)
    equal(recorded, [H1, "10.210.1.1", "10.210.2.1", "10.210.3.1", H2, H2, G3,
                     G2, G1], "recorded")
    equal(g2.counters(), before, "counters")


@test("H7: tcpdump prints the route with its pointer behind the last address")
def tcpdump_sees():
    dump = h2.popen(["tcpdump", "-n", "-v", "-l", "-c", "1", "-i", "left",
                     "ip[0] > 0x45 and icmp"])
    ktap.cleanup(dump.kill)
    first = dump.stdout.readline()
    check("listening" in first, first)
    with Taps(chain) as taps:
        traceroute(h1, H2, [G2], "-f", "5", "-m", "5", check=False)
        check(taps.next(3, lambda d: d[0] > 0x45), "nothing on the last link")
    output = dump.stdout.read()
    check("LSRR 10.210.2.1" in output, output)


if __name__ == "__main__":
    ktap.main(chain.close)
