# SPDX-License-Identifier: GPL-2.0-only
"""Octets: IPv4 headers, options, ICMP, ARP and Ethernet, built and read.

Nothing here raises on what has come from a device, however broken it is, but
Broken, and that only where its name says so.
"""

import socket
import struct

EOL, NOP, RR, TS, SEC, LSRR, SID, SSRR, ALERT = 0, 1, 7, 68, 130, 131, 136, 137, 148
ICMP, TCP, UDP = 1, 6, 17
ETH_IP, ETH_ARP, ETH_VLAN = 0x0800, 0x0806, 0x8100
BROADCAST = b"\xff" * 6
UNREACHABLE, REDIRECT, ECHO, ECHO_REPLY, EXCEEDED, PROBLEM = 3, 5, 8, 0, 11, 12
ERRORS = (3, 4, 5, 11, 12)
RESERVED, DF, MF = 0x8000, 0x4000, 0x2000


class Broken(ValueError):
    """These octets are no datagram."""


def addr(quad):
    """The four octets of a dotted quad."""
    return socket.inet_aton(quad)


def quad(octets):
    """The dotted quad of four octets."""
    return socket.inet_ntoa(octets)


def number(quad_):
    return struct.unpack("!I", addr(quad_))[0]


def from_number(value):
    return quad(struct.pack("!I", value & 0xFFFFFFFF))


def checksum(octets):
    """RFC 1071, as it is to be written into a field that is 0 in octets."""
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Option:
    """An option where it was found: at counts from the beginning of the header."""

    def __init__(self, at, octets, whole=True):
        self.at, self.octets, self.whole = at, octets, whole
        self.kind = octets[0]

    @property
    def is_route(self):
        return self.kind in (LSRR, SSRR)

    @property
    def ptr(self):
        return self.octets[2] if len(self.octets) > 2 else 0

    def slots(self):
        """Its whole slots, as octets."""
        body = self.octets[3:]
        return [body[i:i + 4] for i in range(0, len(body) // 4 * 4, 4)]


def read_options(area):
    """The options of an option area (what follows the first 20 octets). The last
    one has whole == False if its length is wrong; what follows it is not looked at."""
    found, at = [], 0
    while at < len(area) and area[at] != EOL:
        if area[at] == NOP:
            found.append(Option(20 + at, area[at:at + 1]))
            at += 1
            continue
        length = area[at + 1] if at + 1 < len(area) else 0
        if length < 2 or at + length > len(area):
            found.append(Option(20 + at, area[at:], whole=False))
            break
        found.append(Option(20 + at, area[at:at + length]))
        at += length
    return found


class Datagram:
    """The fields of a datagram that has come from somewhere. Broken if there is not
    even a header; what else is wrong with it is told by its members."""

    def __init__(self, octets):
        if len(octets) < 20:
            raise Broken("%d octets are no header" % len(octets))
        (first, self.tos, self.length, self.ident, self.frag, self.ttl, self.proto,
         self.sum, src, dst) = struct.unpack("!BBHHHBBH4s4s", octets[:20])
        self.version, self.header_length = first >> 4, (first & 15) * 4
        if self.version != 4 or not 20 <= self.header_length <= len(octets):
            raise Broken("version %d, header of %d octets in %d"
                         % (self.version, self.header_length, len(octets)))
        # Ethernet pads short frames.
        if self.header_length <= self.length <= len(octets):
            octets = octets[:self.length]
        self.octets = octets
        self.header = octets[:self.header_length]
        self.area = self.header[20:]
        self.payload = octets[self.header_length:]
        self.src, self.dst = quad(src), quad(dst)

    @property
    def options(self):
        return read_options(self.area)

    @property
    def offset(self):
        return self.frag & 0x1FFF

    @property
    def sum_ok(self):
        return checksum(self.header) == 0

    def route(self):
        """Its first source route, or None."""
        return next((o for o in self.options if o.is_route), None)


def sound(octets):
    """Has it a header that can be read?"""
    try:
        return bool(Datagram(octets))
    except Broken:
        return False


class Error:
    """An ICMP message that quotes a datagram, or None by of()."""

    def __init__(self, datagram):
        body = datagram.payload
        self.datagram = datagram
        self.type, self.code, self.pointer = body[0], body[1], body[4]
        self.mtu = struct.unpack("!H", body[6:8])[0]
        self.quote = body[8:]
        self.sum_ok = checksum(body) == 0

    @classmethod
    def of(cls, datagram):
        body = datagram.payload
        if datagram.proto != ICMP or datagram.offset or len(body) < 8 or \
                body[0] not in ERRORS:
            return None
        return cls(datagram)


def build(src, dst, area=b"", payload=b"", *, ttl=64, proto=UDP, tos=0, ident=0,
          frag=0, version=4, header_length=None, length=None, sum_=None):
    """A datagram. The area is padded with zeroes to a multiple of four; what is
    given beside it stays as it is given, right or wrong."""
    area += b"\0" * (-len(area) % 4)
    words = 5 + len(area) // 4 if header_length is None else header_length // 4
    if length is None:
        length = 20 + len(area) + len(payload)
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | words & 15, tos, length, ident,
                       frag, ttl, proto, 0, addr(src), addr(dst)) + area
    right = checksum((head + payload)[:words * 4] if words >= 5 else head)
    value = right if sum_ is None else sum_(right)
    return head[:10] + struct.pack("!H", value) + head[12:] + payload


def with_sum(header):
    """The same header with the checksum that it ought to have."""
    header = header[:10] + b"\0\0" + header[12:]
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:]


def udp(payload, sport=4000, dport=9):
    """UDP without a checksum, which is legal and the same for every destination."""
    return struct.pack("!4H", sport, dport, 8 + len(payload), 0) + payload


def icmp(kind, code, rest, payload):
    """An ICMP message; rest is its second word."""
    body = struct.pack("!BBH", kind, code, 0) + rest + payload
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def arp(operation, sender_mac, sender, target_mac, target):
    return struct.pack("!HHBBH6s4s6s4s", 1, ETH_IP, 6, 4, operation, sender_mac,
                       addr(sender), target_mac, addr(target))


def read_arp(octets):
    """(operation, sender's MAC, sender, target) or None."""
    if len(octets) < 28 or octets[:6] != b"\0\1\x08\0\x06\x04":
        return None
    operation, mac, sender, _, target = struct.unpack("!H6s4s6s4s", octets[6:28])
    return operation, mac, quad(sender), quad(target)


def frame(to, sender, kind, body, vlan=None):
    """An Ethernet frame; vlan puts a tag into it."""
    tag = b"" if vlan is None else struct.pack("!HH", ETH_VLAN, vlan)
    return to + sender + tag + struct.pack("!H", kind) + body
