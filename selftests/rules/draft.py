#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The examples of the draft by Postel and Reynolds, "Comments on the IP Source
Route Option" (1987), and paths of several gateways, ours and native.
"""

import socket

from lib import ktap, packet
from lib.chain import Chain, Node, Taps
from lib.ktap import check, equal, test
from lib.packet import ip, lsrr, ssrr

IP_OPTIONS, SO_NO_CHECK = 4, 11


def udp_socket(node, options=b""):
    """Without UDP checksums: Linux would compute them for the first hop."""
    with node.ns:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    if options:
        sock.setsockopt(socket.IPPROTO_IP, IP_OPTIONS, options)
    return sock


def send(node, options, destination, payload):
    with udp_socket(node, options) as sock:
        sock.sendto(payload, (destination, 4711))


def receive(node):
    sock = udp_socket(node)
    sock.bind(("", 4711))
    sock.settimeout(10)
    return sock


def follow(chain, options, destination, wanted):
    """Send from the first node; the header on each link must be as wanted:
    (destination, option), and the payload must arrive at the last node."""
    ends = chain.nodes[0], chain.nodes[-1]
    payload = b"example"
    with Taps(chain) as taps, receive(ends[1]) as sock:
        send(ends[0], options, destination, payload)
        for link, (dst, option) in enumerate(wanted):
            got = taps.next(link, lambda d: d.endswith(payload))
            check(got, "nothing on link %d" % link)
            p = packet.Packet(got)
            check(p.sum_ok(), "checksum on link %d" % link)
            equal((p.src, p.dst, p.options.hex(" "), p.ttl),
                  (ends[0].right.split("/")[0], dst,
                   (option + b"\0" * (-len(option) % 4)).hex(" "), 64 - link),
                  "header on link %d" % link)
        got, peer = sock.recvfrom(100)
        equal((got, peer[0]), (payload, ends[0].right.split("/")[0]),
              "delivered")


def example_3():
    return Chain(
        Node("isi-ark", right="128.9.0.12/16"),
        Node("isi-wb-gw", "128.9.0.25/16", "28.45.0.0/8").ours(),
        Node("ll-gw", "28.19.0.0/8", "10.5.0.10/8").ours(),
        Node("crc-gw", "10.1.0.15/8", "128.43.1.1/16").ours(),
        Node("dmc-crc", "128.43.0.1/16").accepting())


@test("H7, H5: Example 3 of the draft, a strict route with its own addresses, "
      "at all four links")
def draft_example_3():
    chain = example_3()
    ktap.cleanup(chain.close)
    follow(chain, ssrr("128.9.0.25", "28.19.0.0", "10.1.0.15"), "128.43.0.1", [
        ("128.9.0.25", ssrr("28.19.0.0", "10.1.0.15", "128.43.0.1", ptr=4)),
        ("28.19.0.0", ssrr("28.45.0.0", "10.1.0.15", "128.43.0.1", ptr=8)),
        ("10.1.0.15", ssrr("28.45.0.0", "10.5.0.10", "128.43.0.1", ptr=12)),
        ("128.43.0.1", ssrr("28.45.0.0", "10.5.0.10", "128.43.1.1", ptr=16)),
    ])


@test("H7: Example 2 of the draft: of a gateway's two addresses the one in the "
      "direction of travel is recorded")
def draft_example_2():
    ia, ib, jb, jc, kc, kd, ld, le = (
        "172.16.1.1", "172.16.1.2", "172.16.2.1", "172.16.2.2",
        "172.16.3.1", "172.16.3.2", "172.16.4.1", "172.16.4.2")
    chain = Chain(Node("a", right=ia + "/24"),
                  Node("b", ib + "/24", jb + "/24").ours(),
                  Node("c", jc + "/24", kc + "/24").ours(),
                  Node("d", kd + "/24", ld + "/24").ours(),
                  Node("e", le + "/24").accepting())
    ktap.cleanup(chain.close)
    for kind in lsrr, ssrr:
        follow(chain, kind(ib, jc, kd), le, [
            (ib, kind(jc, kd, le, ptr=4)),
            (jc, kind(jb, kd, le, ptr=8)),
            (kd, kind(jb, kc, le, ptr=12)),
            (le, kind(jb, kc, ld, ptr=16))])


def nine_gateways():
    """Ten networks 10.200.N.0/24, .1 left and .2 right of each."""
    nodes = [Node("source", right="10.200.0.1/24")]
    for i in range(8):
        nodes.append(Node("gw%d" % i, "10.200.%d.2/24" % i,
                          "10.200.%d.1/24" % (i + 1)).ours())
    nodes.append(Node("sink", "10.200.8.2/24").accepting())
    return Chain(*nodes)


@test("H7: a full option: eight gateways and the destination in one datagram")
def full_option():
    chain = nine_gateways()
    ktap.cleanup(chain.close)
    hops = ["10.200.%d.2" % i for i in range(9)]
    mine = ["10.200.%d.1" % i for i in range(1, 9)]
    # Linux' sender takes nine addresses: eight gateways, and the destination
    # goes into the last of eight slots.
    follow(chain, lsrr(*hops[:8]), hops[8], [
        (hops[i], lsrr(*mine[:i], *hops[i + 1:], ptr=4 + 4 * i))
        for i in range(9)])


@test("H7: a full option of nine slots, pointer 4, from the wire to its end")
def full_option_nine_slots():
    chain = nine_gateways()
    ktap.cleanup(chain.close)
    first = chain.nodes[0]
    hops = ["10.200.%d.2" % i for i in range(9)]
    mine = ["10.200.%d.1" % i for i in range(1, 9)]
    # The last gateway is named twice, by both its addresses (H6).
    slots = hops[1:8] + ["10.200.8.1", hops[8]]
    sent = ip("10.200.0.1", hops[0], lsrr(*slots),
              payload=packet.udp(b"full", dport=4711))
    with Taps(chain) as taps, receive(chain.nodes[-1]) as sock:
        with first.ns:
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                socket.IPPROTO_RAW)
        with raw:
            raw.sendto(sent, (hops[0], 0))
        got = packet.Packet(taps.next(8, lambda d: d.endswith(b"full")))
        equal(got.options.hex(" "), (lsrr(*mine[:7], "10.200.8.1", mine[7],
                                          ptr=40) + b"\0").hex(" "), "options")
        equal(got.dst, hops[8], "destination")
        equal(sock.recv(100), b"full", "delivered")


@test("H7, T1: a mixed path: ours, native, ours")
def mixed_path():
    chain = Chain(Node("a", right="10.201.0.1/24"),
                  Node("ours1", "10.201.0.2/24", "10.201.1.1/24").ours(),
                  Node("native", "10.201.1.2/24", "10.201.2.1/24")
                  .router().accepting(),
                  Node("ours2", "10.201.2.2/24", "10.201.3.1/24").ours(),
                  Node("e", "10.201.3.2/24").accepting())
    ktap.cleanup(chain.close)
    for kind in lsrr, ssrr:
        follow(chain, kind("10.201.0.2", "10.201.1.2", "10.201.2.2"),
               "10.201.3.2", [
            ("10.201.0.2", kind("10.201.1.2", "10.201.2.2", "10.201.3.2",
                                ptr=4)),
            ("10.201.1.2", kind("10.201.1.1", "10.201.2.2", "10.201.3.2",
                                ptr=8)),
            ("10.201.2.2", kind("10.201.1.1", "10.201.2.1", "10.201.3.2",
                                ptr=12)),
            ("10.201.3.2", kind("10.201.1.1", "10.201.2.1", "10.201.3.1",
                                ptr=16))])


@test("T1: a loose route passes untouched through the routers in between")
def routers_in_between():
    chain = Chain(Node("a", right="10.202.0.1/24"),
                  Node("r1", "10.202.0.2/24", "10.202.1.1/24").ours(),
                  Node("r2", "10.202.1.2/24", "10.202.2.1/24").ours(),
                  Node("gw", "10.202.2.2/24", "10.202.3.1/24").ours(),
                  Node("e", "10.202.3.2/24").accepting())
    ktap.cleanup(chain.close)
    before = lsrr("10.202.3.2", ptr=4)
    follow(chain, lsrr("10.202.2.2"), "10.202.3.2", [
        ("10.202.2.2", before), ("10.202.2.2", before),
        ("10.202.2.2", before), ("10.202.3.2", lsrr("10.202.3.1", ptr=8))])


if __name__ == "__main__":
    ktap.main()
