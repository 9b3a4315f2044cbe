#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Source routes through routers whose links have no IPv4 addresses. BIRD finds
their routes by BGP over link-local addresses of IPv6 (BGP unnumbered, RFC
8950), so that routes of IPv4 have next hops of IPv6:

               fe80::1  fe80::2  fe80::2  fe80::3
    h1 ----- r1 --------------- r2 --------------- r3 ----- h2
     10.1.0                                         10.3.0

rN is 10.0.0.N and 10.0.9.N on its loopback, r1 also 10.1.0.1 and r3 10.3.0.3.
h1 is 10.1.0.101, h2 is 10.3.0.102; they are test sockets. An interface has the
name of its neighbour. In a guest of scripts/bed/vm, where nf_srcroute is loaded.
"""

import json
import os
import shutil

from lib import ktap
from lib.chain import Node
from lib.ktap import check, equal, test
from lib.lab import HOME, start_bird, stop_birds
from lib.netns import Netns, Wire, cable, wait_until
from lib.packet import edit, ip, lsrr, record, ssrr
from lib.standard import expect_error

ROUTERS = "r1", "r2", "r3"
LINKS = ("r1", "r2"), ("r2", "r3")
HOSTS = {"h1": ("r1", "10.1.0.101", "10.1.0.1"),
         "h2": ("r3", "10.3.0.102", "10.3.0.3")}
H1, H2 = HOSTS["h1"][1], HOSTS["h2"][1]
R1, R3 = HOSTS["h1"][2], HOSTS["h2"][2]  # on the links to the hosts
ROUTER_ID = "net.ipv4.srcroute.router_id"


def loopback(router):
    return "10.0.0." + router[1:]


def second(router):
    return "10.0.9." + router[1:]


def link_local(router):
    return "fe80::" + router[1:]


def bird_config(name, neighbours):
    """The sessions are up as soon as both ends are: no delays."""
    sessions = ["""
protocol bgp {
	local %s as %d;
	neighbor %s external;
	interface "%s";
	connect delay time 1; connect retry time 1; error wait time 1, 2;
	ipv4 { extended next hop; import all; export all; };
}""" % (link_local(name), 65000 + int(name[1:]), link_local(other), other)
        for other in neighbours]
    return """
log "%s/%s.log" all;
router id %s;
protocol device { scan time 1; }
protocol direct { ipv4; }
protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }
%s
""" % (HOME, name, loopback(name), "".join(sessions))


class Unnumbered:

    def __init__(self):
        os.makedirs(HOME, exist_ok=True)
        self.routers = {name: Node(name) for name in ROUTERS}
        self.world = Netns("world")
        for name, node in self.routers.items():
            self._configure(name, node)
        for one, other in LINKS:
            cable(self.routers[one].ns, other, self.routers[other].ns, one)
            self._link_local(one, other)
            self._link_local(other, one)
        self.wires = {host: self._host(host, *what)
                      for host, what in HOSTS.items()}
        self._birds = [start_bird(node.ns, name, bird_config(
            name, self.neighbours(name))) for name, node in
            self.routers.items()]

    def _configure(self, name, node):
        for scope in "all", "default":
            node.ns.sysctl("net.ipv4.conf.%s.rp_filter" % scope, 0)
            node.ns.sysctl("net.ipv6.conf.%s.disable_ipv6" % scope, 0)
        node.ns.sysctl("net.ipv6.conf.default.addr_gen_mode", 1)  # none
        node.ns.ip("addr add %s/32 dev lo" % loopback(name),
                   "addr add %s/32 dev lo" % second(name))
        node.ours()

    def _link_local(self, name, dev):
        self.routers[name].ns.ip("addr add %s/64 dev %s nodad" % (
            link_local(name), dev))

    def _host(self, host, router, address, gateway):
        ns = self.routers[router].ns
        cable(ns, host, self.world, host, "addr add %s/24 dev %s" % (gateway,
                                                                    host))
        wire = Wire(self.world, host, b"\xff" * 6)
        link = json.loads(ns.run("ip -json link show dev " + host))[0]
        wire.to = bytes.fromhex(link["address"].replace(":", ""))
        ns.ip("neigh replace %s lladdr %s dev %s nud permanent" % (
            address, wire.own.hex(":"), host))
        return wire

    @staticmethod
    def neighbours(name):
        return [other for link in LINKS if name in link
                for other in link if other != name]

    def routes(self, name):
        """{destination: (interface, gateway)} of what BGP has found."""
        found = json.loads(self.routers[name].ns.run(
            "ip -json -4 route show proto bird"))
        return {route["dst"]: (route["dev"], route["via"]["host"])
                for route in found}

    def settle(self):
        """Wait for BGP."""
        far = {"r1": ("10.3.0.0/24", "r2"), "r2": ("10.3.0.0/24", "r3"),
               "r3": ("10.1.0.0/24", "r2")}
        for name, (prefix, by) in far.items():
            wait_until(lambda: self.routes(name).get(prefix) == (
                by, link_local(by)), 60, "BGP of %s" % name)
        wait_until(lambda: self.routes("r2").get("10.1.0.0/24") == (
            "r1", link_local("r1")), 60, "BGP of r2")

    def exchange(self, sent, to):
        """What a host receives next, when h1 has sent a datagram."""
        self.wires["h1"].send(sent)
        got = self.wires[to].receive(5)
        check(got is not None, "nothing reaches " + to)
        return got

    def close(self):
        stop_birds(self._birds)
        for wire in self.wires.values():
            wire.sock.close()
        for node in self.routers.values():
            node.ns.close()
        self.world.close()
        shutil.rmtree(HOME)


place = Unnumbered()
WAY = [loopback("r2"), loopback("r3"), H2]


def arrives(kind, recorded, more=b"", after=b""):
    """A route by all three routers, to h2, with what they are to record."""
    sent = ip(H1, R1, kind(*WAY) + more)
    wanted = edit(sent, dst=H2, ttl=61,
                  options=kind(*recorded, ptr=16) + after)
    equal(place.exchange(sent, "h2").hex(" "), wanted.hex(" "), "at h2")


def refused(sent, router, src, link, quote):
    """A router refuses what h1 sends, and h2 gets nothing of it."""
    ns = place.routers[router].ns
    before = ns.counters()
    expect_error({"a": [place.exchange(sent, "h1")]}, 3, 5, quote, src=src,
                 to=H1)
    after = ns.counters()
    equal({key: after[key] - before[key] for key in after
           if after[key] != before[key]},
          {(link, "received"): 1, (link, "not_adjacent"): 1}, router)
    ordinary = ip(H1, H2)
    equal(place.exchange(ordinary, "h2"), edit(ordinary, ttl=61),
          "an ordinary datagram after it")


def host_route(router, neighbour):
    """To its loopback, without a gateway, for the length of a test: ARP finds
    it."""
    line = "route %%s %s/32 dev %s" % (loopback(neighbour), neighbour)
    place.routers[router].ns.ip(line % "add")
    ktap.cleanup(place.routers[router].ns.ip, line % "del")


@test("H7, H9: loose routes go by BGP unnumbered, and where a link has no "
      "address a router's first one is recorded, or router_id")
def loose():
    place.settle()
    arrives(lsrr, [loopback("r1"), loopback("r2"), R3])
    arrives(lsrr, [loopback("r1"), loopback("r2"), R3], record(3),
            record(3, [loopback("r1"), loopback("r2"), R3]))
    for name, address in ("r1", R1), ("r2", second("r2")), ("r3", second("r3")):
        place.routers[name].ns.sysctl(ROUTER_ID, address)
        ktap.cleanup(place.routers[name].ns.sysctl, ROUTER_ID, "0.0.0.0")
    arrives(lsrr, [R1, second("r2"), R3], record(3),
            record(3, [R1, second("r2"), R3]))


@test("H5, H7: by BGP unnumbered a strict route to a neighbour is refused with "
      "3/5 at each router, and goes by host routes to the neighbours")
def strict():
    place.settle()
    sent = ip(H1, R1, ssrr(*WAY))
    refused(sent, "r1", R1, "h1", quote=sent)
    host_route("r1", "r2")
    refused(sent, "r2", loopback("r2"), "r1", quote=edit(
        sent, dst=WAY[0], ttl=63, options=ssrr(loopback("r1"), *WAY[1:],
                                               ptr=8)))
    host_route("r2", "r3")
    arrives(ssrr, [loopback("r1"), loopback("r2"), R3])


if __name__ == "__main__":
    ktap.main(place.close)
