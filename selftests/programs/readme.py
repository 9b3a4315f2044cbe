#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The five minutes of README.md: what it tells the reader to type, in the network
that it draws.

    S eth0 ---- eth0 G eth1 ---- eth0 D
       192.0.2.0/24     198.51.100.0/24

Building and loading the module is left out: it is loaded already.
"""

import subprocess

from lib import page
from lib.chain import Chain, Node
from lib.ktap import check, equal, fail, main, test

PAGE = "README.md"
nodes = {"S": Node("S", right="192.0.2.9/24", ports=(None, "eth0")),
         "G": Node("G", "192.0.2.1/24", "198.51.100.1/24", ports=("eth0", "eth1")),
         "D": Node("D", "198.51.100.7/24", ports=("eth0", None))}
net = Chain(*nodes.values())


def follow(title):
    """Type what a section has, each where it says, and compare what comes out."""
    steps = page.sections(PAGE)[title].steps_on()
    check(steps, "nothing to type in '%s'" % title)
    for node, commands, wanted in steps:
        with nodes[node].ns:
            done = subprocess.run(["sh", "-c", commands], text=True, timeout=120,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        if wanted is not None and not page.matches(done.stdout, wanted):
            fail("on %s, %s\ngave\n%s\nand not\n%s" % (node, commands, done.stdout,
                                                      wanted))
        check(wanted or not done.returncode, done.stdout)


@test("Interface: the addresses of README.md's picture are those that it types")
def picture():
    text = next(text for kind, text in page.sections(PAGE)["srcroute"].parts
                if kind == page.OUTPUT)
    for node in net.nodes:
        for address in filter(None, (node.left, node.right)):
            check(address.split("/")[0] in text, address)


@test("H1, H6: README.md's five minutes end with the answer and the counters that "
      "it shows")
def five_minutes():
    follow("Five minutes")


@test("Interface: README.md's way to switch it off does")
def switched_off():
    follow("Switch it off")
    with nodes["G"].ns:
        for name in "eth0", "eth1", "default":
            for key in "lsrr", "ssrr":
                equal(nodes["G"].ns.sysctl("net.ipv4.srcroute.conf.%s.%s" % (
                    name, key)), "0", name)


if __name__ == "__main__":
    main(net.close)
