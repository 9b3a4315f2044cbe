# SPDX-License-Identifier: GPL-2.0-only
"""The lab of `make lab`, which docs/lab.md draws and explains: six routers with
OSPF by BIRD, and two hosts. For a guest of scripts/bed/vm, as root.

The namespaces have plain names, so there can be one lab at a time. All that is
kept on disk is in HOME; /etc/hosts is changed for this process and its
children alone.
"""

import ctypes
import heapq
import json
import os
import shutil
import subprocess
import time

from .chain import Node
from .netns import cable, sh

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
HOME = "/run/lab"
_CLONE_NEWNS = 0x20000

# What a router does with source routes.
OURS, NATIVE, NEITHER = "srcroute", "native", "neither"
ROUTERS = {"r1": OURS, "r2": OURS, "r3": OURS, "r4": NEITHER, "r5": NATIVE,
           "r6": OURS}
HOSTS = {"h1": "r1", "h2": "r3"}

# Ends of a link, and what it costs to leave by it. No two ways between two
# routers cost the same, with any one link down: one that takes turns would
# spoil a traceroute.
LINKS = {("r1", "r2"): (10, 10), ("r2", "r3"): (10, 90),
         ("r1", "r4"): (45, 45), ("r2", "r5"): (17, 17),
         ("r3", "r6"): (10, 10), ("r4", "r5"): (10, 10),
         ("r5", "r6"): (10, 10)}


def router_id(name):
    return "10.0.0." + name[1:]


def link_addresses(one, other):
    """Of both ends, on the link between two routers or a host and its one."""
    if one in HOSTS:
        net, first = "10.%s.0." % other[1:], "10" + one[1:]
    else:
        net, first = "10.0.%s%s." % (one[1:], other[1:]), one[1:]
    return net + first, net + other[1:]


def all_links():
    return list(HOSTS.items()) + list(LINKS)


def names():
    """{name: address} of all: r2-r1 is r2's address on the link to r1."""
    found = {name: router_id(name) for name in ROUTERS}
    for one, other in all_links():
        first, second = link_addresses(one, other)
        found[one if one in HOSTS else "%s-%s" % (one, other)] = first
        found["%s-%s" % (other, one)] = second
    return found


def costs(down=()):
    """{router: {neighbour: cost}}, without the links that are down."""
    found = {name: {} for name in ROUTERS}
    for (one, other), (there, back) in LINKS.items():
        if (one, other) not in down:
            found[one][other], found[other][one] = there, back
    return found


def first_hops(source, graph):
    """{router: neighbour to send by}, by the cheapest way."""
    found, queue = {}, [(0, source, None)]
    while queue:
        cost, name, first = heapq.heappop(queue)
        if name in found:
            continue
        found[name] = first
        for neighbour, step in graph[name].items():
            heapq.heappush(queue, (cost + step, neighbour,
                                   first or neighbour))
    del found[source]
    return found


def bird_config(name):
    """Hellos are frequent, so that a lab need not be waited for. A link that
    fails takes its carrier along, which BIRD sees at once; so `dead` may be long
    enough for a machine too busy to say hello in time."""
    ports = ['interface "%s" { type ptp; cost %d; hello 1; dead 20; '
             'retransmit 2; };' % item for item in costs()[name].items()]
    ports += ['interface "%s" { stub; };' % host
              for host, router in HOSTS.items() if router == name]
    return """
log "%(home)s/%(name)s.log" all;
router id %(id)s;
protocol device { scan time 1; }
protocol direct { ipv4; }
protocol kernel { ipv4 { import none; export where source != RTS_DEVICE; }; }
protocol ospf v2 {
	ipv4;
	area 0 {
		interface "lo" { stub; };
		%(ports)s
	};
}
""" % {"home": HOME, "name": name, "id": router_id(name),
       "ports": "\n\t\t".join(ports)}


def start_bird(ns, name, config):
    """A BIRD in a namespace, whose files in HOME begin with a name."""
    base = "%s/%s" % (HOME, name)
    with open(base + ".conf", "w") as file:
        file.write(config)
    # In a session of its own, or a Ctrl-C in the shell would end it.
    with ns:
        return subprocess.Popen(
            ["bird", "-f", "-c", base + ".conf", "-s", base + ".ctl",
             "-P", base + ".pid"], start_new_session=True)


def stop_birds(birds):
    """All at once, and wait for them."""
    for bird in birds:
        bird.terminate()
    for bird in birds:
        bird.wait()


def _own_mounts():
    """Mounts of this process are seen by it and by its children only."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    sh(["mount", "--make-rprivate", "/"])


class Lab:

    def __init__(self, say=lambda text: None):
        self.say, self._birds = say, []
        _own_mounts()
        os.makedirs(HOME, exist_ok=True)
        self._name_addresses()
        self.nodes = {name: Node(name, name=name)
                      for name in [*ROUTERS, *HOSTS]}
        for name, node in self.nodes.items():
            self._configure(name, node)
        for one, other in all_links():
            self._link(one, other)
        for host, router in HOSTS.items():
            self.nodes[host].ns.ip("route add default via " +
                                   link_addresses(host, router)[1])
        self.say("%d routers and %d hosts are linked" % (len(ROUTERS),
                                                         len(HOSTS)))
        self._birds += [start_bird(self.nodes[name].ns, name,
                                   bird_config(name)) for name in ROUTERS]

    def _name_addresses(self):
        path = HOME + "/hosts"
        with open(path, "w") as file:
            file.write("127.0.0.1 localhost\n")
            for name, address in names().items():
                file.write("%s %s\n" % (address, name))
        sh(["mount", "--bind", path, "/etc/hosts"])

    def _configure(self, name, node):
        # Where two ways differ, a strict reverse path check drops.
        for scope in "all", "default":
            node.ns.sysctl("net.ipv4.conf.%s.rp_filter" % scope, 0)
            # A new namespace has what the machine has.
            node.ns.sysctl("net.ipv4.conf.%s.accept_source_route" % scope, 0)
        node.ns.sysctl("net.ipv4.ip_forward", 0)
        if name in HOSTS:
            node.accepting()
            return
        node.ns.ip("addr add %s/32 dev lo" % router_id(name))
        if ROUTERS[name] == OURS:
            node.ours()
        elif ROUTERS[name] == NATIVE:
            node.router().accepting()
        else:
            node.router()

    def _link(self, one, other):
        """An interface has the name of its neighbour."""
        cable(self.nodes[one].ns, other, self.nodes[other].ns, one)
        first, second = link_addresses(one, other)
        self.nodes[one].ns.ip("addr add %s/24 dev %s" % (first, other))
        self.nodes[other].ns.ip("addr add %s/24 dev %s" % (second, one))

    def settled(self, down=()):
        """The routers that send to all others as the costs say."""
        graph = costs(down)
        return [name for name in ROUTERS
                if self._ospf_hops(name) == first_hops(name, graph)]

    def _ospf_hops(self, name):
        """{router: interface to send by}, as BIRD has told the kernel."""
        routes = json.loads(self.nodes[name].ns.run(
            ["ip", "-json", "-4", "route", "show", "proto", "bird"]) or "[]")
        ways = {route["dst"]: route.get("dev") for route in routes}
        return {other: ways[router_id(other)] for other in ROUTERS
                if router_id(other) in ways}

    def settle(self, seconds=180):
        """Wait for OSPF, and say how far it is."""
        end, before = time.monotonic() + seconds, None
        while True:
            ready = self.settled()
            if ready != before:
                self.say("OSPF: %d of %d routers have found the best ways" %
                         (len(ready), len(ROUTERS)))
                before = ready
            if len(ready) == len(ROUTERS):
                return
            if time.monotonic() > end:
                raise TimeoutError("OSPF: not within %d s; ready: %s" % (
                    seconds, " ".join(ready)))
            time.sleep(0.5)

    def close(self):
        stop_birds(self._birds)
        for node in self.nodes.values():
            node.ns.close()
        sh(["umount", "/etc/hosts"])
        shutil.rmtree(HOME)
