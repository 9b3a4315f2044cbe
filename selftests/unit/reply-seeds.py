#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Replies as they are, for reply-fuzz.c to begin with: it sends from 10.0.0.9 to
10.0.0.3, by way of 10.0.0.1 and 10.0.0.2 where the first octet has 8 in it.

    reply-seeds.py DIRECTORY
"""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lib.packet import ICMP, UDP, checksum, icmp_error, ip, lsrr  # noqa: E402

US, TO, G1, G2, R = "10.0.0.9", "10.0.0.3", "10.0.0.1", "10.0.0.2", "10.0.0.77"
DATA = struct.pack("<I", 0x01020304) + b"\x12\x34"


def echo(kind):
    """With the checksum that the probe has."""
    wanted = 1 + 61000 % 0xfff0
    body = struct.pack("!BBHHH", 8, 0, wanted, 0x9000, 0x1234) + DATA + b"\0\0"
    body = body[:14] + struct.pack("!H", checksum(body))
    if kind == 8:
        return body
    body = bytes([kind, 0, 0, 0]) + body[4:]
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def seeds():
    plain = ip(US, TO, proto=ICMP, ident=0x1234, payload=echo(8))
    routed = ip(US, G1, lsrr(G2, TO), proto=ICMP, ident=0x1234, payload=echo(8))
    label = b"\x20\0\0\0" + struct.pack("!HBBI", 8, 1, 1, 0x10101)
    label = label[:2] + struct.pack("!H", checksum(label)) + label[4:]
    yield 32, ip(TO, US, proto=ICMP, payload=echo(0))
    yield 32, ip(R, US, proto=ICMP, payload=icmp_error(11, 0, plain))
    yield 33, ip(R, US, proto=ICMP, payload=icmp_error(3, 3, ip(
        US, TO, proto=UDP, ident=0x1234)))
    yield 40, ip(R, US, proto=ICMP, payload=icmp_error(11, 0, routed))
    yield 40, ip(R, US, proto=ICMP, payload=icmp_error(11, 0, routed[:28]))
    yield 56, ip(US, US, lsrr(G1, G2, ptr=12), proto=ICMP, ident=0x1234,
                 payload=echo(8))
    long = icmp_error(11, 0, plain.ljust(128, b"\0") + label)
    yield 32, ip(R, US, proto=ICMP, payload=long[:5] + b"\x20" + long[6:])


for number, (first, datagram) in enumerate(seeds()):
    # The kind is the first octet modulo 3, which must be ICMP's, 0, or UDP's.
    while first % 3 != (1 if datagram[9] == UDP or first == 33 else 0):
        first += 64
    pathlib.Path(sys.argv[1], "seed-%d" % number).write_bytes(
        bytes([first % 256]) + datagram)
