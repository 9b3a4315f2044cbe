#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""When the next address of a source route does not answer ARP, the ICMP error has to
reach the sender of the datagram.

    host 10.1.0.2 ---- 10.1.0.1 router 10.3.0.1 ---- (nobody is 10.3.0.9)

ipv4_send_dest_unreach() compiles the options of a header that ip_forward_options() has
rewritten. The route that icmp_send() reverses then has the router's own address in it,
as the last gateway that was passed: the error is sent there first, which is to the
router itself, by lo.

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

NAMES = HOST, ROUTER = ["srr-failure-%s-%d" % (name, os.getpid())
                        for name in ("host", "router")]
SKIP, ETH_IP, ICMP, CLONE_NEWNET = 4, 0x0800, 1, 0x40000000
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


def setup():
    for name in NAMES:
        sh("ip netns add " + name)
        sh("ip -n %s link set lo up" % name)
    sh("ip link add to1 netns %s type veth peer name to1 netns %s" % (HOST, ROUTER))
    sh("ip link add to3 netns %s type veth peer name to3 netns %s" % (HOST, ROUTER))
    for name, address, dev in ((HOST, "10.1.0.2", "to1"), (ROUTER, "10.1.0.1", "to1"),
                               (ROUTER, "10.3.0.1", "to3")):
        sh("ip -n %s addr add %s/24 dev %s" % (name, address, dev))
        sh("ip -n %s link set %s up" % (name, dev))
    sh("ip -n %s link set to3 up" % HOST)
    for key, value in (("ip_forward", 1), ("conf.all.accept_source_route", 1),
                       ("conf.to1.accept_source_route", 1), ("icmp_ratelimit", 0),
                       ("neigh.to3.mcast_solicit", 1),
                       ("neigh.to3.retrans_time_ms", 100)):
        sh("ip netns exec %s sysctl -qw net.ipv4.%s=%d" % (ROUTER, key, value))
    enter(HOST)
    sh("ping -q -c 1 -W 5 10.1.0.1")


def hears(name, dev):
    """What a device of a namespace carries."""
    enter(name)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_IP))
    sock.bind((dev, ETH_IP))
    return sock


def errors(sock, seconds):
    """The ICMP errors "unreachable" that come within this time, no more than two."""
    found, end = [], time.monotonic() + seconds
    while len(found) < 2 and select.select(
            [sock], [], [], max(0, end - time.monotonic()))[0]:
        octets = sock.recv(2048)
        if octets[9] == ICMP and octets[(octets[0] & 15) * 4] == 3:
            found.append((socket.inet_ntoa(octets[16:20]),
                          octets[20:(octets[0] & 15) * 4].hex(" ")))
    return found


def main():
    print("TAP version 13\n1..2", flush=True)
    setup()
    looped, arrived = hears(ROUTER, "lo"), hears(HOST, "to1")
    enter(HOST)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, 253) as sock:
        # From here on, with a loose source route to 10.3.0.9 by the router.
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, struct.pack(
            "BBB4sB", 131, 7, 4, socket.inet_aton("10.1.0.1"), 0))
        sock.sendto(b"payload.", ("10.3.0.9", 0))
    told = [error for error in errors(arrived, 5) if error[0] == "10.1.0.2"]
    print("%s 1 the sender is told that the host is unreachable" %
          ("ok" if told else "not ok"))
    loops = errors(looped, 0)
    for destination, options in loops:
        print("# on lo of the router: an error to %s, options %s" % (destination,
                                                                     options))
    print("%s 2 the router tells nothing to itself" % ("not ok" if loops else "ok"))
    return 0 if told and not loops else 1


try:
    sys.exit(main())
finally:
    for each in NAMES:
        subprocess.run(["ip", "netns", "del", each], check=False,
                       stderr=subprocess.DEVNULL)
