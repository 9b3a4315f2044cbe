#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Of datagrams with a source route that a router receives in one list, each has to be
processed, and what is for the router itself has to be delivered.

    host 10.1.0.2 ---- 10.1.0.1 router 10.2.0.1 ---- 10.2.0.2 gateway ---- 10.9.0.1

ip_list_rcv_finish() keeps the route of a datagram as a hint for those behind it with
the same destination. That of one with a source route leads to the next address of its
route, not to its destination; those behind it, with a source route or without, follow
it without ip_route_input(), and so without ip_options_rcv_srr().

Needs root, iproute2, veth with NAPI (Linux 5.13), sch_netem. Prints KTAP.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
import time

NAMES = HOST, ROUTER, GATEWAY = ["srr-hints-%s-%d" % (name, os.getpid())
                                 for name in ("host", "router", "gateway")]
SKIP, ETH_IP, NUMBER, PROTO = 4, 0x0800, 32, 253
CLONE_NEWNET, SIOCETHTOOL, SIOCGIFHWADDR = 0x40000000, 0x8946, 0x8927
ETHTOOL_STSO, ETHTOOL_SGRO = 0x1F, 0x2C
libc = ctypes.CDLL(None, use_errno=True)


def sh(command):
    done = subprocess.run(command.split(), text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        print("ok 1 # SKIP %s: %s" % (command, done.stdout.strip()))
        sys.exit(SKIP)


def enter(name):
    with open("/run/netns/" + name) as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def interface_ioctl(dev, request, rest):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return fcntl.ioctl(sock, request, struct.pack("16s", dev.encode()) + rest)


def ethtool(dev, command, value):
    words = ctypes.create_string_buffer(struct.pack("II", command, value))
    interface_ioctl(dev, SIOCETHTOOL, struct.pack("P16x", ctypes.addressof(words)))


def setup():
    with open("/proc/kallsyms") as file:
        if " veth_set_features" not in file.read():
            print("ok 1 # SKIP a veth has no NAPI here")
            sys.exit(SKIP)
    for name in NAMES:
        sh("ip netns add " + name)
        sh("ip -n %s link set lo up" % name)
    for one, other, net in (HOST, ROUTER, "10.1.0"), (GATEWAY, ROUTER, "10.2.0"):
        dev = "to" + net[3]
        sh("ip link add %s netns %s type veth peer name %s netns %s" %
           (dev, one, dev, other))
        for name, address in (one, net + ".2"), (other, net + ".1"):
            sh("ip -n %s addr add %s/24 dev %s" % (name, address, dev))
            sh("ip -n %s link set %s up" % (name, dev))
    sh("ip -n %s route add 10.9.0.0/16 via 10.2.0.2" % ROUTER)
    for key in ("ip_forward", "conf.all.accept_source_route",
                "conf.to1.accept_source_route"):
        sh("ip netns exec %s sysctl -qw net.ipv4.%s=1" % (ROUTER, key))
    for key in "all", "to1":
        sh("ip netns exec %s sysctl -qw net.ipv4.conf.%s.rp_filter=0" % (ROUTER, key))
    # A veth receives in NAPI, and so in lists, where GRO is on, from one that does not
    # segment.
    enter(HOST)
    ethtool("to1", ETHTOOL_STSO, 0)
    enter(ROUTER)
    ethtool("to1", ETHTOOL_SGRO, 1)
    # Both are to know each other before anything has to wait for that.
    sh("ping -q -c 1 -W 5 10.1.0.2")
    sh("ping -q -c 1 -W 5 10.2.0.2")


def packet_socket(dev):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_IP))
    sock.bind((dev, ETH_IP))
    sock.setblocking(False)
    return sock


def datagram(options):
    head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0,
                       28 + len(options), 1, 0, 64, PROTO, 0,
                       socket.inet_aton("10.1.0.2"),
                       socket.inet_aton("10.1.0.1")) + options
    total = sum(struct.unpack("!%dH" % (len(head) // 2), head))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack("!H", ~total & 0xFFFF) + head[12:] + b"payload."


def run():
    """Destinations of what the gateway's link has carried, and how many ordinary
    datagrams the router has got."""
    enter(ROUTER)
    mac = interface_ioctl("to1", SIOCGIFHWADDR, bytes(240))[18:24]
    ear = socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTO)
    ear.setblocking(False)
    enter(GATEWAY)
    out = packet_socket("to2")
    enter(HOST)
    mouth = packet_socket("to1")
    # Held, so that the router gets them at once.
    sh("tc qdisc add dev to1 root netem slot 300ms 300ms")
    hit = datagram(b"\x83\x07\x04" + socket.inet_aton("10.9.0.1") + b"\0")
    for _ in range(NUMBER):
        for sent in hit, datagram(b""):
            mouth.send(mac + bytes(6) + b"\x08\0" + sent)
    time.sleep(2)
    frames, delivered = [], 0
    with contextlib.suppress(BlockingIOError):
        while True:
            frames.append(out.recv(2048)[14:])
    with contextlib.suppress(BlockingIOError):
        while True:
            delivered += len(ear.recv(2048)) == 28
    return [frame for frame in frames if frame[9] == PROTO], delivered


def main():
    print("TAP version 13\n1..2", flush=True)
    setup()
    frames, delivered = run()
    targets = [socket.inet_ntoa(frame[16:20]) for frame in frames
               if frame[0] != 0x45]
    good = [targets.count("10.9.0.1") == NUMBER == len(targets),
            delivered == NUMBER]
    print("# of %d with a source route %d left rewritten, %d as they came" % (
        NUMBER, targets.count("10.9.0.1"), targets.count("10.1.0.1")))
    print("%s 1 each datagram with a source route goes on to its next address" %
          ("ok" if good[0] else "not ok"))
    print("# of %d for the router itself %d were delivered, %d sent on" % (
        NUMBER, delivered, sum(frame[0] == 0x45 for frame in frames)))
    print("%s 2 ordinary datagrams between them are delivered" %
          ("ok" if good[1] else "not ok"))
    return 0 if all(good) else 1


try:
    sys.exit(main())
finally:
    for each in NAMES:
        subprocess.run(["ip", "netns", "del", each], check=False,
                       stderr=subprocess.DEVNULL)
