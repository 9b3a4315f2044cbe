#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A strict source route may only lead to a host on a network that the router is
attached to (RFC 791), not to any address that a default route happens to cover.

    host 10.1.0.2 ---- 10.1.0.1 router 10.3.0.1 ---- 10.3.0.2 neighbour

ip_forward() refuses a strict route where the route to the next address uses a gateway,
and takes all else for adjacent. `ip route add default dev DEV`, as on a link where
proxy ARP answers for the world, uses none: the whole Internet is adjacent.

Needs root and iproute2. Prints KTAP.
"""

import ctypes
import os
import select
import socket
import struct
import subprocess
import sys
import time

NAMES = HOST, ROUTER, NEIGHBOUR = ["ssrr-default-%s-%d" % (name, os.getpid())
                                   for name in ("host", "router", "neighbour")]
SKIP, ETH_IP, PROTO, CLONE_NEWNET = 4, 0x0800, 253, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def sh(command):
    done = subprocess.run(command.split(), text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        print("ok 1 # SKIP %s: %s" % (command, done.stdout.strip()))
        sys.exit(SKIP)
    return done.stdout


def enter(name):
    with open("/run/netns/" + name) as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def setup():
    for name in NAMES:
        sh("ip netns add " + name)
        sh("ip -n %s link set lo up" % name)
    for one, other, net in ((HOST, ROUTER, "10.1.0"), (NEIGHBOUR, ROUTER, "10.3.0")):
        dev = "to" + net[3]
        sh("ip link add %s netns %s type veth peer name %s netns %s" %
           (dev, one, dev, other))
        for name, address in (one, net + ".2"), (other, net + ".1"):
            sh("ip -n %s addr add %s/24 dev %s" % (name, address, dev))
            sh("ip -n %s link set %s up" % (name, dev))
    for key in ("ip_forward", "conf.all.accept_source_route",
                "conf.to1.accept_source_route"):
        sh("ip netns exec %s sysctl -qw net.ipv4.%s=1" % (ROUTER, key))
    sh("ip -n %s route add default dev to3" % ROUTER)
    # The neighbour answers for whatever it is asked.
    sh("ip netns exec %s sysctl -qw net.ipv4.conf.to3.proxy_arp=1" % NEIGHBOUR)
    sh("ip netns exec %s sysctl -qw net.ipv4.ip_forward=1" % NEIGHBOUR)
    sh("ip -n %s link add far type dummy" % NEIGHBOUR)
    sh("ip -n %s link set far up" % NEIGHBOUR)
    sh("ip -n %s route add 172.16.0.0/12 dev far" % NEIGHBOUR)
    # The time that a proxy waits before it answers.
    sh("ip netns exec %s sysctl -qw net.ipv4.neigh.to3.proxy_delay=0" % NEIGHBOUR)


def leaves(sock, address, to):
    """Does a strict source route to an address leave the router?"""
    enter(HOST)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTO) as raw:
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, struct.pack(
            "BBB4sB", 137, 7, 4, socket.inet_aton("10.1.0.1"), 0))
        raw.sendto(to, (address, 0))
    end = time.monotonic() + 3
    while select.select([sock], [], [], max(0, end - time.monotonic()))[0]:
        octets = sock.recv(2048)
        if octets[9] == PROTO and octets.endswith(to):
            return socket.inet_ntoa(octets[16:20]) == address
    return False


def main():
    print("TAP version 13\n1..2", flush=True)
    setup()
    enter(NEIGHBOUR)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_IP))
    sock.bind(("to3", ETH_IP))
    good = leaves(sock, "10.3.0.2", b"adjacent"), not leaves(sock, "172.16.0.1",
                                                             b"far away")
    for number, (passed, what) in enumerate(zip(good, (
            "a strict route to a neighbour is forwarded",
            "a strict route to what only a default route covers is not")), 1):
        print("%s %d %s" % ("ok" if passed else "not ok", number, what))
    return 0 if all(good) else 1


try:
    sys.exit(main())
finally:
    for each in NAMES:
        subprocess.run(["ip", "netns", "del", each], check=False,
                       stderr=subprocess.DEVNULL)
