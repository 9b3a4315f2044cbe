# SPDX-License-Identifier: GPL-2.0-only
"""The bench that most tests use, and what they say of its output.

                       +--------+
    10.1.0.2 ---- a ---| .1  .1 |--- b ---- 10.2.0.2 ---- 10.9.0.0/16
                       |   R    |
                       |     .1 |--- c ---- 10.3.0.2
                       +--------+

R is 10.1.0.1, 10.2.0.1 and 10.3.0.1, and 10.5.0.1 on its loopback.
"""

import os
import socket

from . import ktap, packet
from .netns import Bench
from .tracing import calls

SRC = "10.1.0.2"
A, B, C, LO = "10.1.0.1", "10.2.0.1", "10.3.0.1", "10.5.0.1"
NEXT, NEXT_C = "10.2.0.2", "10.3.0.2"
FAR = "10.9.0.1"
CALL_IPTABLES = "/proc/sys/net/bridge/bridge-nf-call-iptables"
HOOKS = ["srcroute_hook_local_out", "srcroute_hook_pre_routing_first",
         "srcroute_hook_pre_routing_last"]


class StandardBench(Bench):

    def __init__(self):
        super().__init__()
        self.link("a", A + "/24", peers=[SRC])
        self.link("b", B + "/24", peers=[NEXT])
        self.link("c", C + "/24", peers=[NEXT_C])
        self.router.ip("route add 10.9.0.0/16 via " + NEXT,
                       "addr add %s/32 dev lo" % LO)

    def configure(self, key, value):
        """A sysctl for the length of a test."""
        old = self.router.sysctl(key)
        self.router.sysctl(key, value)
        ktap.cleanup(self.router.sysctl, key, old)

    def temporary(self, add):
        """A line of ip(8) that begins with `... add`, for the length of a
        test."""
        self.router.ip(add)
        ktap.cleanup(self.router.ip, add.replace(" add ", " del ", 1))

    def using(self, **values):
        """Settings of srcroute for the length of a test."""
        for key, value in values.items():
            self.configure("net.ipv4.srcroute.conf.all." + key, value)

    def nf_call(self, value):
        """bridge-nf-call-iptables for the length of a test; false where
        br_netfilter is not loaded."""
        with self.router:
            there = os.path.exists(CALL_IPTABLES)
        if there:
            self.configure(CALL_IPTABLES, value)
        return there

    def hooks(self):
        """The hooks of the module that run, of HOOKS, while ordinary traffic
        takes every path: forwarded, an error about it, the router's own
        output, and what it sends to itself."""
        def traffic():
            self.exchange("a", packet.ip(SRC, FAR),
                          packet.ip(SRC, FAR, ttl=1))
            with self.router, socket.socket(socket.AF_INET,
                                            socket.SOCK_DGRAM) as sock:
                for goal in FAR, A, "127.0.0.1":
                    sock.sendto(b"srcroute", (goal, 9))
            self.collect()
        return calls(HOOKS, traffic)

    def moved(self):
        """What the counters have added since the last call, zeroes left
        out: {counter: n}, summed over the interfaces."""
        now, before = self.router.counters(), getattr(self, "_counters", {})
        self._counters = now
        sums = {}
        for (dev, name), value in now.items():
            change = value - before.get((dev, name), 0)
            if change:
                sums[name] = sums.get(name, 0) + change
        return sums


def show(out):
    return "; ".join("%s: %s" % (link, " | ".join(str(packet.Packet(d))
                                                  for d in datagrams))
                     for link, datagrams in sorted(out.items())) or "nothing"


def expect(out, wanted):
    """Octet by octet."""
    if out != wanted:
        ktap.fail("got %s; wanted %s" % (show(out), show(wanted)))


def expect_nothing(out):
    expect(out, {})


def expect_one(out, link):
    if list(out) != [link] or len(out[link]) != 1:
        ktap.fail("got %s; wanted one datagram on %s" % (show(out), link))
    return out[link][0]


def expect_error(out, kind, code, quote, *, pointer=0, options=b"", to=SRC,
                 src=A, link="a"):
    """An ICMP error, all of it: addresses, options, quote (I2, I3)."""
    error = packet.Error(expect_one(out, link))
    p = error.packet
    got = "%s > %s icmp %d/%d pointer %d options [%s]" % (
        p.src, p.dst, error.type, error.code, error.pointer,
        p.options.hex(" "))
    wanted = "%s > %s icmp %d/%d pointer %d options [%s]" % (
        src, to, kind, code, pointer, options.hex(" "))
    ktap.equal(got, wanted, "error")
    ktap.check(p.sum_ok() and error.sum_ok, "checksum of the error")
    ktap.equal(error.quote.hex(" "), quote[:576 - 28].hex(" "), "quote")
