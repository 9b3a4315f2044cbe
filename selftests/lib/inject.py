# SPDX-License-Identifier: GPL-2.0-only
"""What `make bench` forwards, and what it counts. In a guest of scripts/bed/vm -i a
nanosecond is an instruction.

    10.0.0.1/24 in [R] out 10.1.0.1/16, static neighbours

Frames come in from inside the kernel (selftests/bench/inject.c) and go out by a
dummy device, errors too.
"""

import contextlib
import os
import socket
import subprocess

from . import packet
from .netns import Netns, cable, sh
from .packet import Packet, ip, lsrr, record, ssrr

TOOLS = "out/bench"
SAMPLES = int(os.environ.get("SRCROUTE_SAMPLES", 30))  # of 256 datagrams
IN, OUT = "10.0.0.1", "10.1.0.1"
SOURCE = "10.1.250.1"
FRAME = 128
MANY = 1000  # destinations
_SO_RCVBUFFORCE = 33

TIMESTAMP = bytes([packet.TS, 12, 5, 1]) + bytes(8)  # with addresses


def destination(i):
    return "10.1.%d.%d" % (1 + i // 250, 1 + i % 250)


def rest(slots):
    """What a route has behind its first address."""
    return ["10.9.0.%d" % i for i in range(1, slots)]


class Case:
    """Datagrams to measure with. options(i) and to(i) are those of the i-th;
    leaves(p, i) tells whether p is what should become of it."""

    def __init__(self, name, options, to, leaves):
        self.name, self.options, self.to = name, options, to
        self.leaves = leaves

    def datagram(self, i):
        options = self.options(i)
        options += bytes(-len(options) % 4)
        room = FRAME - 14 - 20 - len(options)
        return ip(SOURCE, self.to(i), options,
                  payload=packet.udp(bytes(room - 8)))


def passing(name, options=b""):
    """Somebody else's datagrams."""
    return Case(name, lambda i: options, destination,
                lambda p, i: (p.dst, p.ttl) == (destination(i), 63) and
                p.options.startswith(options))


def hit(name, make, slots, more=b""):
    """The route ahead of other options, all of which have to change."""
    def leaves(p, i):
        route = make(OUT, *rest(slots), ptr=8)
        others = p.options[len(route):]
        return p.dst == destination(i) and p.options.startswith(route) and (
            not more or not others.startswith(more))
    return Case(name, lambda i: make(destination(i), *rest(slots)) + more,
                lambda i: IN, leaves)


def refusal(name, options):
    return Case(name, lambda i: options, lambda i: IN,
                lambda p, i: (p.dst, p.payload[0]) == (SOURCE, 12))


CASES = {case.name: case for case in [
    passing("ordinary"),
    passing("No Operation", b"\1" * 16),
    hit("LSRR, 1 slot", lsrr, 1),
    hit("LSRR, 3 slots", lsrr, 3),
    hit("LSRR, 9 slots", lsrr, 9),
    hit("SSRR, 1 slot", ssrr, 1),
    hit("SSRR, 3 slots", ssrr, 3),
    hit("SSRR, 9 slots", ssrr, 9),
    hit("LSRR and RR", lsrr, 3, record(3)),
    hit("LSRR and TS", lsrr, 3, TIMESTAMP),
    passing("transit", lsrr("10.9.0.1", "10.9.0.2", "10.9.0.3")),
    refusal("refusal", lsrr("10.9.0.1", "10.9.0.2", "10.9.0.3", ptr=3)),
]}


class Router(Netns):

    def __init__(self, destinations=MANY):
        super().__init__("cost")
        self.far = Netns("far")
        cable(self, "in", self.far, "far")
        # A veth has a receive queue with GRO only.
        self.run("ethtool -K in gro on")
        self.ip("link set in address 02:00:00:00:00:01",
                "addr add %s/24 dev in" % IN,
                "link add out type dummy", "link set out up",
                "addr add %s/16 dev out" % OUT,
                *["neigh add %s lladdr 02:00:00:00:00:02 dev out nud permanent"
                  % quad for quad in
                  [SOURCE] + [destination(i) for i in range(destinations)]])
        for key, value in (("ip_forward", 1), ("conf.all.rp_filter", 0),
                           ("icmp_ratelimit", 0),
                           ("icmp_msgs_per_sec", 1000000),
                           ("icmp_msgs_burst", 1000000),
                           ("conf.in.rp_filter", 0),
                           ("conf.all.accept_source_route", 0),
                           ("conf.in.accept_source_route", 0)):
            self.sysctl("net.ipv4." + key, value)

    def close(self):
        super().close()
        self.far.close()

    def frames(self, case, destinations):
        header = b"\2\0\0\0\0\1" + b"\2\0\0\0\0\2" + b"\x08\0"
        return b"".join(header + case.datagram(i) for i in range(destinations))

    def inject(self, case, batch=1, destinations=1, samples=SAMPLES):
        """Instructions per datagram, and how many datagrams were sent."""
        with self:
            done = subprocess.run(
                [TOOLS + "/inject", TOOLS + "/frames.bpf.o", str(batch),
                 str(samples), "in"], input=self.frames(case, destinations),
                stdout=subprocess.PIPE, check=True)
        cost, sent = done.stdout.split()
        return float(cost), int(sent)

    def verify(self, case, batch=1, destinations=1):
        """Of so many datagrams: left, left as they should, left as they
        came."""
        with self, socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                 socket.htons(0x0003)) as tap:
            tap.bind(("out", 0))
            tap.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 1 << 25)
            _, sent = self.inject(case, batch, destinations, 1)
            tap.setblocking(False)
            out = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    out.append(Packet(tap.recv(4096)[14:]))
        good = sum(case.leaves(p, i % destinations)
                   for i, p in enumerate(out))
        return {"sent": sent, "left": len(out), "good": good,
                "unprocessed": sum(p.dst == IN for p in out)}


@contextlib.contextmanager
def module(path):
    sh(["insmod", path])
    try:
        yield
    finally:
        sh(["rmmod", os.path.basename(path).replace(".ko", "")])


@contextlib.contextmanager
def srcroute(router, path, **settings):
    """Ours, loaded; with settings, if any, for all interfaces."""
    with module(path):
        for key, value in settings.items():
            router.sysctl("net.ipv4.srcroute.conf.all." + key, value)
        yield
