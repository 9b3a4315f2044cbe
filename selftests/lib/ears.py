# SPDX-License-Identifier: GPL-2.0-only
"""What crosses the links of a chain (lib/chain.py), as a packet socket hears
it: whole datagrams, however long, and whether their transport checksum is
still to be computed (CHECKSUM_PARTIAL).
"""

import collections
import socket
import struct

from . import packet
from .ktap import check, equal
from .netns import wait_until

_ETH_ALL, _ETH_IP, _OUTGOING = 3, 0x0800, 4
_SOL_PACKET, _AUXDATA, _NOT_READY = 263, 8, 1 << 3
_SO_RCVBUFFORCE = 33


def words(octets):
    """Their sum as 16-bit words, modulo 65535, as checksums are made."""
    return int.from_bytes(octets + b"\0" * (len(octets) % 2), "big") % 0xFFFF


class Heard:
    """A datagram; one of BIG TCP has a total length of 0."""

    def __init__(self, octets, partial):
        self.packet = p = packet.Packet(octets)
        self.octets = octets[:p.length] if p.length else octets
        self.payload = self.octets[len(p.head):]
        self.partial = partial
        self.complete = p.options[2:3] > p.options[1:2]

    def __len__(self):
        return len(self.octets)

    def goal(self):
        """Its last destination."""
        p = self.packet
        return p.dst if self.complete else packet.quad(
            p.options[p.options[1] - 4:p.options[1]])

    def checksum_fits(self, goal):
        """Is the checksum of TCP or UDP that for a destination? One that is
        to be computed yet consists of addresses, protocol and length."""
        p = self.packet
        pseudo = words(packet.pseudo(p.src, goal, p.proto,
                                     len(self.payload)))
        if self.partial:
            at = packet.CHECKSUM_AT[p.proto]
            return words(self.payload[at:at + 2]) == pseudo
        return (pseudo + words(self.payload)) % 0xFFFF == 0

    def has_checksum(self):
        """Of TCP or UDP, and not a fragment."""
        p = self.packet
        if p.frag & 0x3FFF:
            return False
        return p.proto == packet.TCP or \
            p.proto == packet.UDP and self.payload[6:8] != b"\0\0"


class Ear:
    """Hears both directions of a link at one end of it."""

    _buffer = bytearray(1 << 18)

    def __init__(self, ns, dev, near, far):
        """@near, @far: names for the two ends, by which drain() tells the
        directions."""
        self._to = {False: near, True: far}
        with ns:
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                       socket.htons(_ETH_ALL))
            self._sock.bind((dev, _ETH_ALL))
        self._sock.setsockopt(_SOL_PACKET, _AUXDATA, 1)
        self._sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 1 << 26)

    def drain(self):
        """(end that it goes to, Heard) of all so far that have a source route
        and no option before it."""
        while True:
            try:
                length, extra, _, where = self._sock.recvmsg_into(
                    [self._buffer], 256, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            octets = bytes(self._buffer[:length])
            if where[1] == _ETH_IP and octets[0] > 0x45 and \
                    octets[20] == packet.LSRR:
                status = struct.unpack_from("=I", extra[0][2])[0]
                yield (self._to[where[2] == _OUTGOING],
                       Heard(octets, bool(status & _NOT_READY)))

    def close(self):
        self._sock.close()


class Listening:
    """What the gateways count, beside what they are heard to receive."""

    def __init__(self, ears, gateways):
        """Ends of @ears are named (node, interface).

        @gateways: {node: its addresses}"""
        self._ears, self._gateways = ears, gateways
        self.heard = collections.defaultdict(list)
        for ear in ears:
            collections.deque(ear.drain(), 0)
        self._before = self._counters()

    def _counters(self):
        return {(node.label, *key): value for node in self._gateways
                for key, value in node.ns.counters().items()}

    def _counted(self):
        now = self._counters()
        return {key: now[key] - self._before[key] for key in now
                if now[key] != self._before[key]}

    def _wanted(self):
        """Each is counted once: as a hop if it is for an address of the
        gateway, else as transit."""
        wanted = collections.Counter()
        for node, own in self._gateways.items():
            for (label, dev), heard in self.heard.items():
                for one in heard if label == node.label else ():
                    hit = one.packet.dst in own
                    wanted[label, dev, "received"] += 1
                    wanted[label, dev, "hop" if hit else "transit"] += 1
        return dict(wanted)

    def _agree(self):
        for ear in self._ears:
            for to, heard in ear.drain():
                self.heard[to].append(heard)
        return self._counted() == self._wanted()

    def settle(self):
        """{(node, interface): what went into it}, once all has been counted;
        every header is sound."""
        try:
            wait_until(self._agree, 5)
        except TimeoutError:
            equal(self._counted(), self._wanted(), "counters")
        check(self.heard, "nothing has been heard")
        for to, heard in self.heard.items():
            for one in heard:
                check(one.packet.sum_ok(), "%s: bad header checksum: %s" %
                      (to, one.packet))
        return self.heard
