# SPDX-License-Identifier: GPL-2.0-only
"""IPv4 datagrams as octets: building them, also broken ones, and reading them.

Addresses are dotted quads. A datagram is a bytes object from the first octet
of its IP header on.
"""

import socket
import struct

LSRR, SSRR, RR, TS, RA = 131, 137, 7, 68, 148
EOL, NOP = 0, 1
ICMP, TCP, UDP = 1, 6, 17


def addr(quad):
    return socket.inet_aton(quad)


def quad(octets):
    return socket.inet_ntoa(octets)


def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def route(kind, slots, ptr=4, length=None):
    """A source route of either type; length overrides what is right."""
    body = b"".join(addr(slot) for slot in slots)
    return bytes([kind, len(body) + 3 if length is None else length, ptr]) + body


def lsrr(*slots, ptr=4, length=None):
    return route(LSRR, slots, ptr, length)


def ssrr(*slots, ptr=4, length=None):
    return route(SSRR, slots, ptr, length)


def record(slots, used=()):
    """A Record Route option with room for slots addresses."""
    body = b"".join(addr(u) for u in used).ljust(4 * slots, b"\0")
    return bytes([RR, 3 + 4 * slots, 4 + 4 * len(used)]) + body


def timestamps(flag, room):
    """A Timestamp option that is empty, with so many octets of room."""
    return bytes([TS, 4 + room, 5, flag]) + bytes(room)


def udp(payload=b"srcroute", sport=4000, dport=9):
    """A UDP datagram without checksum, which is legal and NAT-proof."""
    return struct.pack("!4H", sport, dport, 8 + len(payload), 0) + payload


def icmp_error(kind, code, quote):
    """An ICMP error about a datagram, without its IP header."""
    body = bytes([kind, code]) + bytes(6) + quote
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def tcp(payload, sport=4000, dport=9):
    """A segment of TCP whose checksum is still to be written."""
    return struct.pack("!HHIIBBHHH", sport, dport, 1, 1, 0x50, 0x10, 8192, 0,
                       0) + payload


CHECKSUM_AT = {TCP: 16, UDP: 6}  # octets into the header


def pseudo(src, dst, proto, length):
    """What the checksum of transport covers beside it."""
    return addr(src) + addr(dst) + struct.pack("!II", proto, length)


def with_checksum(body, src, dst, proto=UDP, begun=False):
    """TCP or UDP with the checksum for these addresses; or with what a sender
    writes there, whose device is to compute it: one of the addresses alone."""
    at = CHECKSUM_AT[proto]
    head = pseudo(src, dst, proto, len(body))
    value = checksum(head) ^ 0xFFFF if begun else checksum(head + body)
    return body[:at] + struct.pack("!H", value or 0xFFFF) + body[at + 2:]


def ip(src, dst, options=b"", *, payload=None, ttl=64, proto=UDP, tos=0,
       ident=0x5352, frag=0, length=None):
    """A datagram. Options are padded with zeroes to a multiple of four; length
    overrides what is right."""
    if payload is None:
        payload = udp()
    options += b"\0" * (-len(options) % 4)
    if length is None:
        length = 20 + len(options) + len(payload)
    head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, tos, length,
                       ident, frag, ttl, proto, 0, addr(src),
                       addr(dst)) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def edit(datagram, **fields):
    """The same datagram with other ttl, src, dst or options, checksum right."""
    p = Packet(datagram)
    given = {"src": p.src, "dst": p.dst, "options": p.options, "ttl": p.ttl}
    given.update(fields)
    return ip(given["src"], given["dst"], given["options"], ttl=given["ttl"],
              payload=p.payload, proto=p.proto, tos=p.tos, ident=p.ident,
              frag=p.frag)


class Packet:
    """The fields of a received datagram."""

    def __init__(self, octets):
        (vihl, self.tos, self.length, self.ident, self.frag, self.ttl,
         self.proto, self.sum, src, dst) = struct.unpack("!BBHHHBBH4s4s",
                                                         octets[:20])
        self.octets = octets[:self.length]
        self.head = octets[:(vihl & 15) * 4]
        self.options = self.head[20:]
        self.payload = self.octets[len(self.head):]
        self.src, self.dst = quad(src), quad(dst)

    def sum_ok(self):
        return checksum(self.head) == 0

    def __str__(self):
        text = "%s > %s ttl %d proto %d len %d" % (
            self.src, self.dst, self.ttl, self.proto, self.length)
        if self.options:
            text += " options " + self.options.hex(" ")
        if self.proto == ICMP and not self.frag & 0x1FFF:
            text += " icmp " + self.payload[:8].hex(" ")
        return text if self.sum_ok() else text + " BAD CHECKSUM"


class Error:
    """An ICMP error and what it quotes."""

    def __init__(self, octets):
        self.packet = Packet(octets)
        if self.packet.proto != ICMP:
            raise ValueError("not ICMP: %s" % self.packet)
        body = self.packet.payload
        self.type, self.code, self.pointer = body[0], body[1], body[4]
        self.mtu = struct.unpack("!H", body[6:8])[0]
        self.quote = body[8:]
        self.sum_ok = checksum(body) == 0
