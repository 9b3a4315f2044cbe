# SPDX-License-Identifier: GPL-2.0-only
"""The corpus through a router of lib/topology.py, and whose each output is."""

import select
import socket
import struct

from . import corpus, packet
from .field import Field
from .ktap import check
from .routing import Router
from .topology import (CODED, OUTER, OWN_SEGMENT, PLAIN, SEGMENTS, UNDERLAY)

_RCVBUFFORCE = 33
_ETH_IPV6, _IPIP, _ROUTING = 0x86DD, 4, 43
_TUNNELS = {"ipip": (_IPIP, b""), "gre": (47, b"\0\0\x08\0")}


class FieldBench(Field):
    """Outputs come in batches; a datagram's are found by its identification
    and payload, or by those of the quote."""

    def __init__(self, label, topology=PLAIN, **settings):
        super().__init__(label, topology, **settings)
        for wire in self.wires.values():
            wire.sock.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 1 << 24)
            wire.sock.setblocking(False)
        self._raw = self._raw_sockets()
        self._coded = self._coded_socket()
        self._batch = 0

    def _raw_sockets(self):
        """Ears for what is delivered; their transport headers are broken, so
        nothing but these takes any notice."""
        with self.router:
            socks = [socket.socket(socket.AF_INET, socket.SOCK_RAW, proto)
                     for proto in corpus.RAW_PROTOCOLS]
        for sock in socks:
            sock.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 1 << 24)
            sock.setblocking(False)
        return socks

    def close(self):
        for sock in self._raw + [self._coded] * bool(self._coded):
            sock.close()
        super().close()

    def exchange_cases(self, cases):
        """({case: ([(link, datagram)], [delivered])}, [strays])"""
        for case in cases:
            if case.link in self.topology.vrfs:
                self._send_by_segment(case.octets)
            else:
                self.wires[case.link].send(case.octets, case.to)
        sorter = Sorter(cases)
        for name in self.topology.names("wire"):
            for datagram in self._until_mark(name):
                link, inner = self._unwrapped(name, datagram)
                if inner[0] >> 4 == 4:  # not what IPv6 says of itself
                    sorter.sort(link, inner)
        for datagram in self._out_of_segments():
            sorter.sort(CODED, datagram)
        for sock in self._raw:
            for datagram in _drain(sock):
                sorter.delivered(datagram)
        return sorter.results, sorter.strays

    def _until_mark(self, name):
        self._batch += 1
        mark = b"mark%d" % self._batch
        self.wires["marker"].send(packet.ip(self.MARKER, self.sink(name),
                                            payload=mark, proto=253))
        sock, got = self.wires[name].sock, []
        while True:
            for frame in _drain(sock):
                datagram = frame[14:14 + int.from_bytes(frame[16:18], "big")]
                if datagram[9] == 253 and datagram[20:] == mark:
                    return got
                got.append(datagram)
            check(select.select([sock], [], [], 10)[0],
                  "no marker on link " + name)

    # Encapsulation

    def _coded_socket(self):
        if SEGMENTS not in self.wires:
            return None
        with self.world:
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                 socket.htons(_ETH_IPV6))
        sock.bind((SEGMENTS, _ETH_IPV6))
        sock.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 1 << 24)
        sock.setblocking(False)
        return sock

    def _send_by_segment(self, datagram):
        wire = self.wires[SEGMENTS]
        head = struct.pack("!IHBB", 6 << 28, len(datagram), _IPIP, 64)
        ends = [socket.inet_pton(socket.AF_INET6, end)
                for end in ("fc00:1::2", OWN_SEGMENT)]
        wire.sock.send(wire.to + wire.own + _ETH_IPV6.to_bytes(2, "big") +
                       head + b"".join(ends) + datagram)

    def _out_of_segments(self):
        """What has left in IPv6, without that."""
        for frame in _drain(self._coded) if self._coded else ():
            inner = frame[14 + 40:]
            if frame[20] == _ROUTING:
                inner = inner[8 * (inner[1] + 1):]
            if inner[0] >> 4 == 4:
                yield inner

    def _unwrapped(self, name, datagram):
        """(link, datagram): the tunnel's, if it has come by that, and its outer
        header is as it should be."""
        link = self.topology.tunnel()
        proto, head = _TUNNELS[link.kind] if link else (None, b"")
        if name != UNDERLAY or datagram[9] != proto:
            return name, datagram
        if datagram[22:24] == b"\x86\xdd":
            return name, datagram[24:]
        inner = datagram[20 + len(head):]
        # Of ECN the tunnel shows what is inside, but for "congestion".
        wanted = packet.ip(*OUTER, payload=head + inner, proto=proto, ttl=33,
                           tos=inner[1] & 3 if inner[1] & 3 < 3 else 2,
                           ident=int.from_bytes(datagram[4:6], "big"),
                           frag=0x4000)
        return link.name if datagram == wanted else "t, outer header", inner

    def moved(self):
        """{(link, counter): n} since the last call. The model says that an
        error is suppressed, and not by which link it would have left."""
        now, before = self.router.counters(), getattr(self, "_counters", {})
        self._counters = now
        return {key: now[key] - before.get(key, 0) for key in now
                if now[key] != before.get(key, 0) and
                key[1] != "icmp_suppressed"}


def _drain(sock):
    """All that it has received."""
    while True:
        try:
            yield sock.recv(65536)
        except BlockingIOError:
            return


def router_of(bench, drawn):
    """The model of a router, as the kernel has it that is tested."""
    table = bench.router.run("ip -4 route show table local")
    return Router(drawn, "broadcast 10.2.0.0 " in table)


def expected(fate, case):
    """What the model predicts, as Sorter has results."""
    outputs = [(link, normal(datagram, case))
               for link, datagram in fate.outputs]
    delivered = [] if fate.delivered is None else \
        [without_time(fate.delivered, case, False)]
    return outputs, delivered


class Sorter:
    """Whose output is it?"""

    def __init__(self, cases):
        self._of = {case.octets[4:6]: case for case in cases}
        self._payload = {case: packet.Packet(case.octets).payload
                         for case in cases}
        self.results = {case: ([], []) for case in cases}
        self.strays = []

    def _owner(self, datagram):
        """By identification and payload, all of it or a fragment; else it is
        an error of the router, whose identification is any number."""
        hlen = (datagram[0] & 15) * 4
        case = self._of.get(datagram[4:6])
        if case and datagram[hlen:] in self._payload[case]:
            return case
        if datagram[9] == packet.ICMP and len(datagram) >= hlen + 28:
            return self._of.get(datagram[hlen + 12:hlen + 14])
        return None

    def sort(self, link, datagram):
        case = self._owner(datagram)
        if not case:
            self.strays.append("%s: %s [%s]" % (
                link, packet.Packet(datagram), datagram.hex()))
        elif not is_redirect_for_ordinary(datagram, case):
            self.results[case][0].append((link, normal(datagram, case)))

    def delivered(self, datagram):
        case = self._owner(datagram)
        if case:
            self.results[case][1].append(
                without_time(datagram, case, False)
                if datagram[4:6] == case.octets[4:6]
                else without_sum(normal(datagram, case)))
        else:
            self.strays.append("delivered: %s" % packet.Packet(datagram))


def is_redirect_for_ordinary(datagram, case):
    """The kernel limits redirects by the clock. There are none about
    source-routed datagrams (H11); the others are none of ours."""
    hlen = (datagram[0] & 15) * 4
    return (datagram[9] == packet.ICMP and datagram[hlen] == 5 and
            datagram[4:6] != case.octets[4:6] and
            not corpus.has_route(case.octets[20:(case.octets[0] & 15) * 4]))


def timestamp_at(head):
    """Where the Timestamp option of an IP header is, or None."""
    at = 20
    while at < len(head) and head[at]:
        if head[at] == packet.NOP:
            at += 1
            continue
        if at + 4 > len(head) or head[at + 1] < 2:
            return None
        if head[at] == packet.TS:
            return at
        at += head[at + 1]
    return None


def without_time(datagram, case, summed=True):
    """Times that were recorded on the way become 0: nobody can predict a
    clock. Those that the datagram came with stay. Where there is one, the
    checksum becomes 0 if it is right; the kernel does not sum up again what
    it delivers."""
    head = datagram[:(datagram[0] & 15) * 4]
    at = timestamp_at(head)
    came = timestamp_at(case.octets[:(case.octets[0] & 15) * 4])
    if at is None or came is None:
        return datagram
    out = bytearray(datagram)
    end = at + head[at + 1]
    step = 4 if head[at + 3] & 15 == 0 else 8
    times = [at + ptr + step - 5 for ptr in range(case.octets[came + 2],
                                                  head[at + 2], step)]
    for time_at in times:
        for octet in range(time_at, min(time_at + 4, end)):
            out[octet] = 0
    if times and summed and not packet.checksum(head):
        out[10:12] = bytes(2)
    return bytes(out)


def without_sum(datagram):
    """An error to ourselves that has recorded a time when it was sent: its
    checksum is of that moment."""
    if timestamp_at(datagram[:(datagram[0] & 15) * 4]) is None:
        return datagram
    return datagram[:10] + bytes(2) + datagram[12:]


def normal(datagram, case):
    """An output as it can be compared. Of an error of the router's own, the
    identification is any number, and the checksums cover it and the times:
    they become 0 where they are right."""
    hlen = (datagram[0] & 15) * 4
    if datagram[4:6] == case.octets[4:6] and \
            datagram[hlen:] in case.octets[20:]:
        return without_time(datagram, case)
    out = bytearray(without_time(datagram, case))
    out[4:6] = bytes(2)
    if not packet.checksum(datagram[:hlen]):
        out[10:12] = bytes(2)
    if not packet.checksum(datagram[hlen:]):
        out[hlen + 2:hlen + 4] = bytes(2)
    for at in quote_may_differ(case.octets):
        if hlen + 8 + at < len(out):
            out[hlen + 8 + at] = 0
    return bytes(out)


def quote_may_differ(sent):
    """I2 [N]: octets that native Linux does not quote as they were sent: TTL,
    checksum, octets after EOL, what RR and TS recorded (the pointer, the overflow,
    the slot at the pointer). That ours quotes them is for the tests of I2."""
    yield from (8, 10, 11)
    end = (sent[0] & 15) * 4
    at = 20
    while at < end:
        kind = sent[at]
        if kind == packet.EOL:
            yield from range(at + 1, end)
            return
        if kind == packet.NOP:
            at += 1
            continue
        if at + 1 == end or sent[at + 1] < 2:
            return
        if kind in (packet.RR, packet.TS) and sent[at + 1] > 3:
            slot = at + sent[at + 2] - 1
            width = 8 if kind == packet.TS else 4
            yield at + 2
            if kind == packet.TS:
                yield at + 3
            yield from range(max(slot, at), min(slot + width, end,
                                                at + sent[at + 1]))
        at += sent[at + 1]
