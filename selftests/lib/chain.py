# SPDX-License-Identifier: GPL-2.0-only
"""Hosts and routers in a row, real network stacks all of them:

    node 0 ---- node 1 ---- ... ---- node n
          link 0      link 1

Every node has a route to every link.
"""

import hashlib
import ipaddress
import os
import re
import select
import socket
import tempfile
import time

from . import ktap
from .netns import Netns, cable, wait_until

_ETH_ALL, _OUTGOING = 3, 4


class Node:
    """A namespace with a left and a right interface, where it has them, and
    what they are called."""

    def __init__(self, label, left=None, right=None, name=None,
                 ports=("left", "right")):
        self.label, self.left, self.right = label, left, right
        self.ports = ports
        self.ns = Netns(label, name)

    def router(self):
        self.ns.sysctl("net.ipv4.ip_forward", 1)
        return self

    def ours(self, **values):
        """A router with srcroute on, lsrr and ssrr at 1 unless said."""
        for key, value in {"lsrr": 1, "ssrr": 1, **values}.items():
            self.ns.sysctl("net.ipv4.srcroute.conf.all." + key, value)
        return self.router()

    def accepting(self):
        """accept_source_route, for a native gateway or a host that listens;
        ahead of the interfaces, which take over what `default` says."""
        for scope in "all", "default":
            self.ns.sysctl("net.ipv4.conf.%s.accept_source_route" % scope, 1)
        return self


class Chain:

    def __init__(self, *nodes):
        self.nodes = nodes
        self.links = []
        for near, far in zip(nodes, nodes[1:]):
            cable(near.ns, near.ports[1], far.ns, far.ports[0],
                  "addr add %s dev %s" % (near.right, near.ports[1]))
            self.links.append(ipaddress.ip_interface(near.right).network)
        for i, node in enumerate(nodes):
            lines = ["addr add %s dev %s" % (node.left, node.ports[0])] \
                if node.left else []
            for j, network in enumerate(self.links):
                if j < i - 1:
                    via = nodes[i - 1].right
                elif j > i:
                    via = nodes[i + 1].left
                else:
                    continue
                lines.append("route add %s via %s" % (network,
                                                      via.split("/")[0]))
            node.ns.ip(*lines)

    def close(self):
        for node in self.nodes:
            node.ns.close()


class Taps:
    """Ears on every link, at its right end; `with Taps(chain) as taps`."""

    def __init__(self, chain):
        self._socks = []
        for node in chain.nodes[1:]:
            with node.ns:
                sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                     socket.htons(_ETH_ALL))
                sock.bind((node.ports[0], _ETH_ALL))
                self._socks.append(sock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in self._socks:
            sock.close()

    def next(self, link, wanted, rightward=True, seconds=5):
        """The next datagram on a link, in one direction, that @wanted likes,
        or None."""
        end = time.monotonic() + seconds
        sock = self._socks[link]
        while select.select([sock], [], [], max(0, end - time.monotonic()))[0]:
            frame, where = sock.recvfrom(65536)
            if frame[12:14] != b"\x08\0":
                continue
            if (where[2] != _OUTGOING) != rightward:
                continue
            datagram = frame[14:14 + int.from_bytes(frame[16:18], "big")]
            if wanted(datagram):
                return datagram
        return None


def _gates(gateways):
    return [word for gateway in gateways for word in ("-g", gateway)]


def traceroute(ns, to, gateways=(), *words, check=True):
    """The addresses that inetutils-traceroute shows, in order."""
    output = ns.run(["inetutils-traceroute", "-I", "-q", "1", "-w", "2", *words,
                     *_gates(gateways), to], check=check)
    return re.findall(r"^\s*\d+\s+(\S+)", output, re.M)


def transfer(near, far, to, gateways=(), seconds=120):
    """1 MB each way over TCP between two namespaces, with a source route of
    nc."""
    data = os.urandom(1 << 20)
    with tempfile.TemporaryDirectory() as home:
        for name in "up", "down":
            with open(os.path.join(home, name), "wb") as file:
                file.write(data if name == "up" else data[::-1])
        server = far.popen("exec nc.traditional -l -p 5001 -q 30 <%s/down "
                           ">%s/got-up" % (home, home))
        try:
            # An earlier connection may still be there in another state.
            wait_until(lambda: ":1389 00000000:0000 0A" in
                       far.run("cat /proc/self/net/tcp"), what="nc listens")
            near.run("exec nc.traditional %s -q 30 %s 5001 <%s/up >%s/got-down" %
                     (" ".join(_gates(gateways)), to, home, home),
                     timeout=seconds)
            ktap.equal(server.wait(60), 0, "exit status of the server")
        finally:
            server.kill()
            server.wait()
        for name, wanted in ("got-up", data), ("got-down", data[::-1]):
            with open(os.path.join(home, name), "rb") as file:
                got = file.read()
            ktap.equal((len(got), hashlib.sha256(got).hexdigest()),
                       (len(wanted), hashlib.sha256(wanted).hexdigest()), name)
