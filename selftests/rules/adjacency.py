#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Whom a strict route may name, by what gateway the route to it has: H5.

The topology is drawn in lib/standard.py. The neighbours on b and c have link
addresses of their own here, and frames are compared with them: each verdict on
a strict route is compared with whether an ordinary datagram to the same address
goes to the link address that the router's neighbour table has for it.
"""

import contextlib
import json
import select
import socket

from lib import features, ktap, packet
from lib.ktap import check, equal, test
from lib.packet import edit, ip, lsrr, ssrr
from lib.standard import (A, B, C, NEXT, NEXT_C, SRC, StandardBench, expect,
                          expect_error, expect_nothing, expect_one)

X, OTHER = "10.9.0.5", "10.9.0.6"  # hosts on b, in no prefix of an address
ON_LINK = "10.2.0.77"  # a host on b and on c, in the prefix of b's address
FAR_NET = "10.77.0.5", "10.77.0.6"  # two hosts for the default route
GATEWAY6, OTHER6 = "fe80::5", "fe80::6"
LIKE_X = "a09:5::1"  # its first four octets are those of X
ANYWHERE = "0.0.0.0/0"
MACS = {X: 5, OTHER: 6, ON_LINK: 7, FAR_NET[0]: 8, FAR_NET[1]: 9, NEXT: 2,
        NEXT_C: 3, GATEWAY6: 5, OTHER6: 0x66, LIKE_X: 0x67}
SSRR = "net.ipv4.srcroute.conf.all.ssrr"
HASH = "net.ipv4.fib_multipath_hash_"
BY_PORTS, BY_SOURCE = 0x30, 0x01  # of fib_multipath_hash_fields
FLOWS = 64

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)


def mac(name):
    return "02:00:00:00:00:%02x" % MACS[name]


def set_up_neighbours():
    ns = bench.router
    for scope in "all", "b":
        ns.sysctl("net.ipv6.conf.%s.disable_ipv6" % scope, 0)
    ns.ip(*["neigh replace %s lladdr %s dev %s nud permanent" % (
        name, mac(name), dev) for name in MACS
        for dev in (["b", "c"] if name == ON_LINK else
                    ["c"] if name == NEXT_C else ["b"])])
    bench.neighbour("a", *[source(n) for n in range(FLOWS)])


def source(flow):
    return "10.1.0.%d" % (100 + flow)


class Ear:
    """What leaves by a link, and which link address it goes to."""

    def __init__(self, link):
        with bench.world:
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                       socket.htons(0x0800))
            self._sock.bind((link, 0x0800))

    def frames(self):
        """[(link address, datagram)] since the last call."""
        found = []
        while select.select([self._sock], [], [], 0)[0]:
            frame, where = self._sock.recvfrom(65536)
            if where[2] == socket.PACKET_OUTGOING:
                continue
            length = int.from_bytes(frame[16:18], "big")
            p = packet.Packet(frame[14:14 + length])
            if bench.MARKER not in (p.src, p.dst):
                found.append((frame[:6].hex(":"), p.octets))
        return found


set_up_neighbours()
ears = {link: Ear(link) for link in "bc"}


def frames_of(sent):
    """What comes out by any link, and [(link, link address, datagram)] of what
    leaves by b and c."""
    out = bench.exchange("a", sent)
    frames = [(link, *frame) for link, ear in ears.items()
              for frame in ear.frames()]
    equal([frame[2] for frame in frames], out.get("b", []) + out.get("c", []),
          "datagrams of the frames")
    return out, frames


def ordinary(host, **fields):
    """The link, and the link address there, to which an ordinary datagram for a
    host goes."""
    sent = ip(fields.pop("src", SRC), host, **fields)
    _, frames = frames_of(sent)
    equal([frame[2] for frame in frames], [edit(sent, ttl=63)], "ordinary")
    return frames[0][:2]


def link_address(host, link):
    """What the router's neighbour table has for a host, or None."""
    entries = json.loads(bench.router.run(
        "ip -json -4 neigh show %s dev %s nud permanent" % (host, link)))
    return entries[0]["lladdr"] if entries else None


def hit(kind, host, **fields):
    return ip(fields.pop("src", SRC), A, kind(host), **fields)


def counted(reason):
    equal(bench.moved(), {"received": 1, reason: 1}, "counters")


def expect_rewritten(frames, sent, kind, host, link, to):
    """One frame on a link, for a link address, with host as its destination."""
    new = kind({"b": B, "c": C}[link], ptr=8)
    equal(frames, [(link, to, edit(sent, dst=host, ttl=63, options=new))],
          "frames")
    counted("hop")


def loose_goes(host, link, to, **fields):
    sent = hit(lsrr, host, **fields)
    bench.moved()
    expect_rewritten(frames_of(sent)[1], sent, lsrr, host, link, to)


def strict_goes(host, link, to, **fields):
    """Does it go? If not, then it is refused with 3/5 and counted."""
    sent = hit(ssrr, host, **fields)
    bench.moved()
    out, frames = frames_of(sent)
    if frames:
        expect_rewritten(frames, sent, ssrr, host, link, to)
    else:
        expect_error(out, 3, 5, sent, to=packet.Packet(sent).src)
        counted("not_adjacent")
    return bool(frames)


def is_adjacent(host, **fields):
    """The verdict, which is that on whom an ordinary datagram gets to. A loose
    route goes there in either case."""
    link, to = ordinary(host, **fields)
    loose_goes(host, link, to, **fields)
    verdict = strict_goes(host, link, to, **fields)
    equal(verdict, to == link_address(host, link),
          "a strict route to %s, by %s to %s, goes" % (host, link, to))
    return verdict


# Routes. Each way of writing one gives the lines of ip(8) that add it.

def by_onlink(prefix, gateway, dev="b"):
    return ["route add %s via %s dev %s onlink" % (prefix, gateway, dev)]


def by_object(prefix, gateway, dev="b"):
    return ["nexthop add id 1 via %s dev %s onlink" % (gateway, dev),
            "route add %s nhid 1" % prefix]


def by_group(prefix, gateway, dev="b"):
    return ["nexthop add id 1 via %s dev %s onlink" % (gateway, dev),
            "nexthop add id 9 group 1", "route add %s nhid 9" % prefix]


WAYS = by_onlink, by_object, by_group


@contextlib.contextmanager
def routed(lines):
    """Lines of ip(8), undone at the end."""
    bench.router.ip(*lines)
    try:
        yield
    finally:
        undo = []
        for line in reversed(lines):
            words = line.split()
            undo.append("route del " + words[2] if words[0] == "route" else
                        "nexthop del id " + words[3])
        bench.router.ip(*undo)


@test("H5: a host that its route names as its own gateway is adjacent, with "
      "`onlink`, a nexthop object or a group of one; behind another gateway it "
      "is not, and a loose route goes by either")
def own_gateway():
    for way in WAYS:
        for host, dev, other in ((X, "b", NEXT), (ON_LINK, "b", NEXT),
                                 (ON_LINK, "c", NEXT_C)):
            for gateway in host, other:
                with routed(way(host + "/32", gateway, dev)):
                    equal(is_adjacent(host), gateway == host,
                          "%s: %s via %s is adjacent" % (way.__name__, host,
                                                         gateway))


@test("H5: of a prefix behind a gateway the gateway itself is adjacent, and no "
      "other host of it")
def gateway_of_a_prefix():
    for way in WAYS:
        for prefix, gateway, other in (("10.9.0.0/24", X, OTHER),
                                       (ANYWHERE, *FAR_NET)):
            with routed(way(prefix, gateway)):
                for host in gateway, other:
                    equal(is_adjacent(host), host == gateway,
                          "%s: %s in %s is adjacent" % (way.__name__, host,
                                                        prefix))


@test("H5: native Linux refuses a strict route to such a host with 3/5, and we "
      "do not")
def native():
    for dev in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % dev, 1)
    ktap.cleanup(bench.router.sysctl, SSRR, 1)
    for way in WAYS:
        with routed(way(X + "/32", X)):
            bench.set(ssrr=0)
            out, _ = frames_of(hit(ssrr, X))
            bench.set(ssrr=1)
            error = packet.Error(expect_one(out, "a"))
            equal((error.type, error.code), (3, 5), "native error")
            check(is_adjacent(X), "not adjacent")


# Several next hops

def by_multipath(prefix, *hops):
    return ["route add %s %s" % (prefix, " ".join("nexthop " + hop
                                                  for hop in hops))]


def by_group_of(prefix, *hops, kind=""):
    ids = range(1, len(hops) + 1)
    return ["nexthop add id %d %s" % pair for pair in zip(ids, hops)] + [
        "nexthop add id 9 group %s %s" % ("/".join(map(str, ids)), kind),
        "route add %s nhid 9" % prefix]


def by_resilient_group_of(prefix, *hops):
    return by_group_of(prefix, *hops, kind="type resilient buckets 16")


def port_flow(flow):
    return {"payload": packet.udp(sport=4000 + flow)}


def source_flow(flow):
    return {"src": source(flow)}


def two_outcomes(outcome, flow_of, text):
    """Flows are tried until they have had two outcomes."""
    found = set()
    for flow in range(FLOWS):
        found.add(outcome(flow_of(flow)))
        if len(found) == 2:
            return
    ktap.fail("%s: all of %d flows have the outcome %s" % (text, FLOWS, found))


def x_is_adjacent(fields):
    return is_adjacent(X, **fields)


def hash_of(fields):
    """What chooses the next hop is the same for a hit and for an ordinary
    datagram to its next address, with these fields alone."""
    features.need_hash_fields()
    bench.configure(HASH + "policy", 3)
    bench.configure(HASH + "fields", fields)


VIA_X, VIA_NEXT = "via %s dev b onlink" % X, "via %s dev b" % NEXT
VIA_6 = "via inet6 %s dev b" % OTHER6


@test("H5, H2: of several next hops that one counts which the flow takes, as "
      "it does for an ordinary datagram with the same ports or source")
def member_of_the_flow():
    for fields, flow_of in (BY_SOURCE, source_flow), (BY_PORTS, port_flow):
        hash_of(fields)
        for way in by_multipath, by_group_of, by_resilient_group_of:
            with routed(way(X + "/32", VIA_X, VIA_NEXT)):
                two_outcomes(x_is_adjacent, flow_of, way.__name__)
        with routed(by_multipath(X + "/32", "dev b", VIA_NEXT)):
            two_outcomes(x_is_adjacent, flow_of, "a member without a gateway")


@test("H5, H2: ... and with the kernel's own choices of fields, where the "
      "destination counts, as it does for a loose route")
def member_of_the_loose_flow():
    def verdict(fields):
        sent = hit(lsrr, X, **fields)
        _, frames = frames_of(sent)
        equal([frame[2] for frame in frames], [edit(
            sent, dst=X, ttl=63, options=lsrr(B, ptr=8))], "a loose route")
        to = frames[0][1]
        strict = strict_goes(X, "b", to, **fields)
        equal(strict, to == link_address(X, "b"), "a strict route goes")
        return strict

    bench.configure(HASH + "policy", 0)
    for policy, flow_of in (0, source_flow), (1, port_flow):
        bench.router.sysctl(HASH + "policy", policy)
        for way in by_multipath, by_group_of:
            with routed(way(X + "/32", VIA_X, VIA_NEXT)):
                two_outcomes(verdict, flow_of, way.__name__)


@test("H5: where all of several next hops are the host itself, by two links, "
      "it is adjacent by either")
def all_members_are_next():
    def link(fields):
        check(is_adjacent(ON_LINK, **fields), "not adjacent")
        return ordinary(ON_LINK, **fields)[0]

    hash_of(BY_PORTS)
    hops = ["via %s dev %s onlink" % (ON_LINK, dev) for dev in "bc"]
    for way in by_multipath, by_group_of:
        with routed(way(ON_LINK + "/32", *hops)):
            two_outcomes(link, port_flow, way.__name__)


# A gateway of IPv6

def by_inet6(prefix, gateway):
    return ["route add %s via inet6 %s dev b onlink" % (prefix, gateway)]


def by_inet6_object(prefix, gateway):
    return ["nexthop add id 1 via %s dev b onlink" % gateway,
            "route add %s nhid 1" % prefix]


def by_inet6_group(prefix, gateway):
    return ["nexthop add id 1 via %s dev b onlink" % gateway,
            "nexthop add id 9 group 1", "route add %s nhid 9" % prefix]


@test("H5: a gateway of IPv6 makes nobody adjacent, not even in a host route, "
      "nor whose address it begins with, nor who has its link address; a loose "
      "route goes")
def gateway_of_ipv6():
    for way, way4 in zip((by_inet6, by_inet6_object, by_inet6_group), WAYS):
        for host, prefix in ((X, X + "/32"), (X, "10.9.0.0/24"),
                             (ON_LINK, ON_LINK + "/32")):
            for gateway in GATEWAY6, OTHER6, LIKE_X:
                with routed(way(prefix, gateway)):
                    equal(ordinary(host), ("b", mac(gateway)), "ordinary")
                    loose_goes(host, "b", mac(gateway))
                    check(not strict_goes(host, "b", mac(gateway)),
                          "%s: %s by %s" % (way.__name__, prefix, gateway))
            with routed(way4(prefix, host)):
                check(is_adjacent(host), "not with its own gateway of IPv4")


@test("H5, H2: ... and with the host itself and a gateway of IPv6 as next "
      "hops, the flow decides")
def one_member_of_ipv6():
    hash_of(BY_PORTS)
    for way, hop in ((by_multipath, VIA_6),
                     (by_group_of, VIA_6.replace("inet6 ", ""))):
        with routed(way(X + "/32", VIA_X, hop)):
            two_outcomes(x_is_adjacent, port_flow, way.__name__)


@test("H4, H5: a nexthop object that is a blackhole swallows strict and loose "
      "routes without an error, as it does an ordinary datagram")
def blackhole_object():
    for group in [], ["nexthop add id 9 group 1"]:
        for prefix in X + "/32", "10.9.0.0/24":
            with routed(["nexthop add id 1 blackhole", *group,
                         "route add %s nhid %d" % (prefix, 9 if group else 1)]):
                expect_nothing(bench.exchange("a", ip(SRC, X)))
                for kind in lsrr, ssrr:
                    bench.moved()
                    expect(bench.exchange("a", hit(kind, X)), {})
                    equal(bench.moved(), {"received": 1, "no_route": 1},
                          "counters")
            with routed(by_object(prefix, X)):
                check(is_adjacent(X), "not adjacent")


if __name__ == "__main__":
    ktap.main(bench.close)
