#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The lab of `make lab` is as docs/lab.md draws it, and its exercises do what
the page says: the commands are run as they stand there. In a guest of
scripts/bed/vm, where nf_srcroute is loaded.
"""

import os
import re

from lib import ktap, lab, page, typed
from lib.ktap import check, equal, test
from lib.terminal import Terminal

SCRIPTS = os.path.join(lab.TOP, "scripts/lab")
os.environ["PATH"] = os.path.join(SCRIPTS, "bin:") + os.environ["PATH"]
place = lab.Lab(lambda text: print("# " + text, flush=True))


def exercise(number):
    """Type the commands, and compare what comes out."""
    place.settle()
    chosen = page.exercises()[number - 1]
    check(chosen.title.startswith("%d. " % number), chosen.title)
    typed.follow(chosen.steps())


@test("O1, O3: OSPF finds the ways that docs/lab.md tells, on links that it "
      "draws, through routers that are what it says")
def lab_is_as_drawn():
    place.settle()
    drawing = page.the_map()
    drawn = set(re.findall(r"\b10\.\d+\.\d+\b(?!\.)", drawing))
    equal(drawn, {lab.link_addresses(*link)[0].rpartition(".")[0]
                  for link in lab.all_links()}, "links")
    for kind in lab.OURS, lab.NATIVE, lab.NEITHER:
        said = re.search(r"^ *((?:r\d )+) *%s:" % kind, drawing, re.M)
        equal(said and said[1].split(), [
            name for name, what in lab.ROUTERS.items() if what == kind], kind)
    for name, what in lab.ROUTERS.items():
        ns = place.nodes[name].ns
        equal([ns.sysctl("net.ipv4." + key) for key in (
            "srcroute.conf.all.lsrr", "srcroute.conf.all.ssrr",
            "conf.all.accept_source_route")],
            {lab.OURS: ["1", "1", "0"], lab.NATIVE: ["0", "0", "1"],
             lab.NEITHER: ["0", "0", "0"]}[what], name)


@test("H1, H7: exercise 1, a datagram is forwarded by way of a gateway")
def forward():
    exercise(1)


@test("H5, I3: exercise 2, a strict route that leaves a router out is refused")
def strict():
    exercise(2)


@test("H1, I3: exercise 3, a traceroute to oneself sees the way back")
def way_back():
    exercise(3)


@test("C1, Interface: exercise 4, nft drops by the true next hop and the mark")
def firewall():
    exercise(4)


@test("H2, H5: exercise 5, a link fails and a loose route finds its way around")
def link_fails():
    exercise(5)


def converse(lines):
    """Type each line at a prompt of the shell of the lab or of a tour, on a
    terminal. What it shows."""
    terminal = Terminal("bash", "--rcfile", SCRIPTS + "/shell-rc", "-i")
    for line in lines:
        terminal.wait_for(r"lab# |leaves\] ", 120)
        terminal.type(line + "\n")
    terminal.end()
    return terminal.shown.replace("\r\n", "\n")


@test("Interface: the shell of the lab shows the map, leads through a tour, "
      "runs a command on a router")
def shell():
    place.settle()
    shown = converse(["map", "tour", "tour 2", "", "q", "on r2 cat "
                      "/proc/sys/net/ipv4/srcroute/conf/r1/lsrr", "exit"])
    check(page.the_map() in shown, shown)
    for chosen in page.exercises():
        check(chosen.title in shown, shown)
    check("reply from 10.3.0.102" in shown, shown)
    check("lsrr\n1\n" in shown, shown)


if __name__ == "__main__":
    ktap.main(place.close)
