#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The lab of docs/containerlab/: its topology file is the lab of docs/lab.md, and what its
page tells the reader to type does what the page says. `containerlab` and `docker exec` are
those of lib/clab.py, FRR is Debian's. In a guest of scripts/bed/vm, where nf_srcroute is
loaded.
"""

import os
import re
import sys
import tempfile

from lib import clab, ktap, lab, page, typed
from lib.ktap import equal, test

FOLDER = "docs/containerlab"
PAGE = FOLDER + "/README.md"


def topology():
    return clab.Topology(os.path.join(lab.TOP, FOLDER, "srcroute.clab.yml"))


def routing(name):
    """{interface: (address, cost)} of a router's configuration."""
    with open(os.path.join(lab.TOP, FOLDER, name + ".conf")) as file:
        text = file.read()
    found = {}
    for port, lines in re.findall(r"^interface (\S+)\n((?: .*\n)*)", text, re.M):
        cost = re.search(r" ip ospf cost (\d+)", lines)
        found[port] = (re.search(r" ip address (\S+)", lines)[1], cost and int(cost[1]))
    return found


@test("Interface: the containerlab topology is the lab of docs/lab.md: links, addresses, costs, "
      "and what each router does")
def is_the_lab():
    drawn = topology()
    equal(sorted(drawn.links), sorted((one, other, other, one)
                                      for one, other in lab.all_links()), "links")
    equal(sorted(drawn.nodes), sorted([*lab.ROUTERS, *lab.HOSTS]), "nodes")
    for name, what in lab.ROUTERS.items():
        wanted = {"lo": (lab.router_id(name) + "/32", None)}
        for one, other in lab.all_links():
            for node, far, address in zip((one, other), (other, one),
                                          lab.link_addresses(one, other)):
                if node == name:
                    wanted[far] = (address + "/24", lab.costs()[name].get(far))
        equal(routing(name), wanted, "addresses and costs of " + name)
        keys = drawn.nodes[name]["sysctls"]
        equal([keys.get("net.ipv4." + key, 0) for key in (
            "srcroute.conf.all.lsrr", "srcroute.conf.all.ssrr",
            "conf.all.accept_source_route")],
            {lab.OURS: [1, 1, 0], lab.NATIVE: [0, 0, 1], lab.NEITHER: [0, 0, 0]}[what], name)
    for host, router in lab.HOSTS.items():
        own, gateway = lab.link_addresses(host, router)
        equal(drawn.nodes[host]["exec"], ["ip address add %s/24 dev %s" % (own, router),
                                          "ip route add default via " + gateway], host)


@test("H1, H7: the commands of docs/containerlab/ do what its page says, with FRR")
def page_is_right():
    home = tempfile.mkdtemp()
    for name in "containerlab", "docker":
        path = os.path.join(home, name)
        with open(path, "w") as file:
            file.write('#!/bin/sh\nexec %s %s %s "$@"\n' % (
                sys.executable, os.path.join(lab.TOP, "selftests/lib/clab.py"), name))
        os.chmod(path, 0o755)
    os.environ["PATH"] = os.pathsep.join([
        home, os.path.join(lab.TOP, "out/srtrace"), os.environ["PATH"]])
    os.chdir(lab.TOP)
    steps = [step for section in page.sections(PAGE).values() for step in section.steps()]
    end = steps.pop()
    ktap.cleanup(typed.follow, [end])
    typed.follow(steps, times=3)


if __name__ == "__main__":
    ktap.main()
