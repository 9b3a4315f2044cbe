# SPDX-License-Identifier: GPL-2.0-only
"""IPv4 headers, options and ICMP messages as the device under test reads and
writes them.

This is written from the RFCs for the device alone. Neither the judge nor the module
nor its model uses it, so that an error in one of them is not made again here.
"""

import struct

EOL, NOP, RR, TS, LSRR, SSRR = 0, 1, 7, 68, 131, 137
COPIED = 0x80  # the bit of an option's type that has it in all fragments
ICMP, UDP = 1, 17
DF, MF, OFFSET = 0x4000, 0x2000, 0x1FFF


def checksum(octets):
    """The Internet checksum. 2^16 is 1 modulo 2^16 - 1, so the sum of the words is
    the remainder of the whole number, except that a sum of zero is told from one of
    0xffff by there being any octet that is not zero."""
    number = int.from_bytes(octets, "big") << 8 * (len(octets) % 2)
    rest = number % 0xFFFF
    return 0xFFFF - rest if rest else 0 if number else 0xFFFF


class BadOption(Exception):
    """An option is wrong; pointer is the octet of the header to name in ICMP 12/0."""

    def __init__(self, pointer, about_route=False):
        super().__init__("octet %d" % pointer)
        self.pointer, self.about_route = pointer, about_route


class Datagram:
    """A datagram in parts that can be changed. `raw` stays what was received."""

    def __init__(self, raw):
        self.raw = raw
        size = (raw[0] & 15) * 4
        self.head, self.payload = bytearray(raw[:size]), raw[size:]

    @staticmethod
    def accept(octets):
        """The datagram in a frame, without what a link has added, or less of it than it
        says; None if it must be dropped without a word (RFC 1812, 5.2.2)."""
        if len(octets) < 20 or octets[0] >> 4 != 4:
            return None
        size, length = (octets[0] & 15) * 4, octets[2] << 8 | octets[3]
        if size < 20 or size > min(length, len(octets)):
            return None
        return Datagram(bytes(octets[:length]))

    @staticmethod
    def make(source, destination, protocol, payload, options=b"", tos=0, ttl=64,
             ident=0):
        options += bytes(-len(options) % 4)
        size = 20 + len(options)
        return Datagram(struct.pack(
            "!BBHHHBBH4s4s", 0x40 | size // 4, tos, size + len(payload), ident, 0,
            ttl, protocol, 0, source, destination) + options + payload)

    def is_whole(self):
        return len(self.raw) >= (self.head[2] << 8 | self.head[3])

    def sum_is_right(self):
        return checksum(self.head) == 0

    def finish(self):
        """The octets to send, with the length and checksum that belong to them."""
        self.head[2:4] = (len(self.head) + len(self.payload)).to_bytes(2, "big")
        self.head[10:12] = b"\0\0"
        self.head[10:12] = checksum(self.head).to_bytes(2, "big")
        return bytes(self.head) + self.payload

    def set_options(self, options):
        options = bytes(options) + bytes(-len(options) % 4)
        self.head[20:] = options
        self.head[0] = 0x40 | len(self.head) // 4

    @property
    def source(self):
        return bytes(self.head[12:16])

    @property
    def destination(self):
        return bytes(self.head[16:20])

    @destination.setter
    def destination(self, address):
        self.head[16:20] = address

    @property
    def ttl(self):
        return self.head[8]

    @ttl.setter
    def ttl(self, value):
        self.head[8] = value & 255

    @property
    def protocol(self):
        return self.head[9]

    @property
    def fragment(self):
        return self.head[6] << 8 | self.head[7]

    def has_options(self):
        return len(self.head) > 20


class Options:
    """Where the options of a header are: offsets of their type octets."""

    def __init__(self):
        self.route = self.record = self.stamp = None
        self.all = []  # (offset, length) of every option, NOP and EOL included

    @staticmethod
    def read(head, faulty):
        """Raise BadOption at the first octet that is wrong. faulty(NAME) says whether
        the device has that fault."""
        found, at = Options(), 20
        while at < len(head):
            kind = head[at]
            if kind in (EOL, NOP):
                found.all.append((at, 1))
                at += 1
                if kind == EOL and not faulty("eol-ignored"):
                    break
                continue
            is_route = kind in (LSRR, SSRR)
            again = is_route and found.route is not None
            if again and not faulty("second-route"):
                raise BadOption(at, True)
            if at + 1 == len(head):
                raise BadOption(at, is_route)
            length = head[at + 1]
            if faulty("length-past-end") and length >= 2:
                length = min(length, len(head) - at)
            if length < 2 or at + length > len(head):
                raise BadOption(at + 1, is_route)
            found.all.append((at, length))
            if is_route and not again:
                Options.check_route(head, at, faulty)
                found.route = at
            elif kind in (RR, TS) and length < (3 if kind == RR else 4):
                raise BadOption(at + 1)
            elif kind == RR:
                found.record = found.once(found.record, at)
            elif kind == TS:
                found.stamp = found.once(found.stamp, at)
            at += length
        return found

    @staticmethod
    def check_route(head, at, faulty):
        length = head[at + 1]
        if length % 4 != 3 and not faulty("route-length"):
            raise BadOption(at + 1, True)
        pointer = head[at + 2] if length > 2 else 0
        if pointer < 4 and not faulty("pointer-low"):
            raise BadOption(at + 2, True)
        if pointer % 4 and not faulty("pointer-odd"):
            raise BadOption(at + 2, True)

    @staticmethod
    def once(known, at):
        if known is not None:
            raise BadOption(at)
        return at


def fragments(datagram, mtu, faulty):
    """The datagrams that it is sent as over a link of that MTU (RFC 791, 3.2)."""
    first, rest = datagram.head, later_head(datagram.head, faulty)
    field, payload, at = datagram.fragment, datagram.payload, 0
    while True:
        head = bytearray(rest if at else first)
        room = mtu - len(head)
        piece = payload[at:at + room]
        more = at + len(piece) < len(payload)
        if more:
            piece = payload[at:at + (32 if faulty("fragments-many") else room // 8 * 8)]
        offset = (field & OFFSET) + at // 8
        flags = field & ~(MF | OFFSET) | (MF if more or field & MF else 0)
        if faulty("reserved-lost"):
            flags &= DF | MF
        head[6:8] = (flags | offset & OFFSET).to_bytes(2, "big")
        part = Datagram(bytes(head) + piece)
        yield part
        at += len(piece)
        if not more:
            return


def later_head(head, faulty):
    """The header of fragments behind the first: with the options that are copied."""
    options, at = bytearray(), 20
    while at < len(head) and head[at] != EOL:
        length = 1 if head[at] == NOP else head[at + 1]
        wanted = head[at] & COPIED or faulty("fragments-copy-all")
        if faulty("fragments-lose-route") and head[at] in (LSRR, SSRR):
            wanted = False
        if wanted:
            options += head[at:at + length]
        at += length
    made = Datagram(bytes(head))
    made.set_options(options)
    return made.head


def icmp(kind, code, middle, rest):
    """An ICMP message; middle is the four octets behind its checksum."""
    body = bytes((kind, code, 0, 0)) + middle + rest
    return body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
