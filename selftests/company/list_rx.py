#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Many datagrams at a time: H12. A native router is shown beside ours, so that
the tests prove that the batches are ones: it forwards most of a batch as it
came. The topology is drawn in lib/standard.py.
"""

import socket
import struct

from lib import features, ktap, packet
from lib.chain import Chain, Node, Taps
from lib.ktap import check, equal, test
from lib.liveframes import inject
from lib.packet import edit, ip, lsrr
from lib.standard import A, B, FAR, SRC, StandardBench, expect

bench = StandardBench()
# A veth receives through NAPI and GRO only from a peer that does not segment.
bench.router.run("ethtool -K a gro on")
bench.world.run("ethtool -K a tso off")

UDP_SEGMENT, IP_OPTIONS = 103, 4


def native():
    bench.using(lsrr=0, ssrr=0)
    for dev in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % dev, 1)


def ours():
    bench.using(lsrr=1, ssrr=1)


def in_one_list(sent, number):
    """What comes of a datagram received that many times in one list."""
    features.need_live_frames()
    wire = bench.wires["a"]
    inject(bench.router, "a", wire.to + wire.own + b"\x08\0" + sent, number)
    return bench.collect()


HIT = ip(SRC, A, lsrr(FAR))
REWRITTEN = edit(HIT, dst=FAR, options=lsrr(B, ptr=8), ttl=63)


@test("H12: native forwards 63 of 64 hits received in one list as they came")
def native_list():
    native()
    out = in_one_list(HIT, 64)
    unprocessed = edit(HIT, ttl=63)
    equal([out["b"].count(REWRITTEN), out["b"].count(unprocessed)], [1, 63],
          "rewritten and unprocessed")


@test("H12: every hit received in one list of 64 is rewritten")
def our_list():
    ours()
    bench.moved()
    for _ in range(20):
        expect(in_one_list(HIT, 64), {"b": [REWRITTEN] * 64})
    equal(bench.moved(), {"received": 1280, "hop": 1280},
          "counters")


@test("H12: lists of transit, refusals and complete datagrams are taken one by "
      "one too")
def other_lists():
    ours()
    sent = ip(SRC, "10.9.5.5", lsrr(FAR))
    expect(in_one_list(sent, 64), {"b": [edit(sent, ttl=63)] * 64})
    sent = ip(SRC, A, lsrr("127.0.0.1"))
    out = in_one_list(sent, 32)  # the kernel sends 50 errors in a row
    equal(list(out), ["a"], "links with errors")
    equal([(packet.Error(d).type, packet.Error(d).quote) for d in out["a"]],
          [(3, sent)] * 32, "errors")
    expect(in_one_list(ip(SRC, A, lsrr(FAR, ptr=8)), 64), {})


def burst(datagrams):
    """Queue them up in front of the router, and let them go at once, so that
    NAPI and GRO see many."""
    bench.world.run("tc qdisc add dev a root netem slot 200ms 200ms")
    ktap.cleanup(bench.world.run, "tc qdisc del dev a root", False)
    bench.send("a", *datagrams)
    got = []
    while len(got) < len(datagrams):
        datagram = bench.wires["b"].receive(3)
        if datagram is None:
            break
        got.append(datagram)
    bench.world.run("tc qdisc del dev a root")
    return got


def mixture():
    """Hits and ordinary datagrams to the same and to other addresses."""
    sent, wanted = [], []
    for i in range(60):
        for datagram, out in (
                (ip(SRC, A, lsrr(FAR), ident=i), True),
                (ip(SRC, FAR, ident=i, payload=packet.udp(b"plain")), None),
                (ip(SRC, A, lsrr(FAR, "10.9.0.2"), ident=i), True),
                (ip(SRC, "10.9.5.5", lsrr(FAR), ident=i), False)):
            sent.append(datagram)
            if out:
                option = bytearray(packet.Packet(datagram).options)
                option[2] = 8
                option[3:7] = packet.addr(B)
                wanted.append(edit(datagram, dst=FAR, options=bytes(option),
                                   ttl=63))
            else:
                wanted.append(edit(datagram, ttl=63))
    return sent, wanted


@test("H12: hits, transit and ordinary datagrams in one NAPI run: none "
      "misrouted, none unprocessed, none touched")
def mixed_burst():
    ours()
    sent, wanted = mixture()
    got = burst(sent)
    equal(sorted(d.hex() for d in got), sorted(d.hex() for d in wanted),
          "datagrams")


@test("H12: ... where native sends hits out unprocessed")
def mixed_burst_native():
    features.need_napi_of_veth()
    native()
    sent = [ip(SRC, A, lsrr(FAR), ident=i) for i in range(100)]
    got = [packet.Packet(d) for d in burst(sent)]
    unprocessed = [p for p in got if p.dst == A]
    check(unprocessed, "the burst was not taken as a batch")


H1, G1, H2 = "10.211.0.1", "10.211.0.2", "10.211.1.2"


def gso_lab():
    """A gateway between two hosts, and a socket of the first whose datagrams
    take it and are cut into segments of 500 octets."""
    chain = Chain(Node("h1", right=H1 + "/24"),
                  Node("gw", G1 + "/24", "10.211.1.1/24").ours(),
                  Node("h2", H2 + "/24").accepting())
    ktap.cleanup(chain.close)
    with chain.nodes[0].ns:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ktap.cleanup(sock.close)
    sock.setsockopt(socket.IPPROTO_IP, IP_OPTIONS, lsrr(G1))
    sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 500)
    return chain, sock


@test("H12: a GSO datagram of a sender with offloads on is rewritten whole: "
      "every segment arrives with the route complete")
def gso():
    chain, sock = gso_lab()
    features.need_udp_segmentation(chain.nodes[0].ns, "right")
    with Taps(chain) as taps:
        data = b"".join(struct.pack("!H", i) * 250 for i in range(40))
        sock.sendto(data, (H2, 4711))
        first = taps.next(0, lambda d: d[9] == 17)
        check(len(first) == len(data) + 36,
              "the gateway got %d octets, no GSO datagram" % len(first))
        last = taps.next(1, lambda d: d[9] == 17)
        p = packet.Packet(last)
        equal((p.dst, p.options, p.sum_ok()),
              (H2, lsrr("10.211.1.1", ptr=8) + b"\0", True), "header")
        equal(last[36:].hex(), data.hex(), "segments")
    equal(chain.nodes[1].ns.counters()["left", "hop"], 1, "hop")


@test("H12: a GSO datagram that the egress has to segment: the option is right "
      "in every segment")
def gso_segmented():
    chain, sock = gso_lab()
    chain.nodes[1].ns.run("ethtool -K right tx-udp-segmentation off "
                          "tx-checksumming off")
    with Taps(chain) as taps:
        sock.sendto(bytes(500 * 40), (H2, 4711))
        for number in range(40):
            datagram = taps.next(1, lambda d: d[9] == 17)
            check(datagram, "segment %d is missing" % number)
            p = packet.Packet(datagram)
            equal((p.length, p.dst, p.options, p.sum_ok()),
                  (28 + 500 + 8, H2, lsrr("10.211.1.1", ptr=8) + b"\0", True),
                  "segment %d" % number)


if __name__ == "__main__":
    ktap.main(bench.close)
