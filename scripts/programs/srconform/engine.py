# SPDX-License-Identifier: GPL-2.0-only
"""What a router does with a datagram, by RFC 791, 792, 1122 and 1812.

The cases draw what they expect; this computes it, from the octets alone. The tests of
the tool hold the one against the other, so that an error in a case, or here, shows.
It decides as a router does with source routes on, no firewall, and no choice of its own.
"""

from .plan import IN, OUT
from .wire import (DF, EOL, LSRR, NOP, RR, SSRR, TS, Broken, Datagram, addr, number, quad,
                   with_sum)

STAMP = b"\0\0\0\0"


class Fate:
    """What becomes of it: kind is out, error, local or drop."""

    def __init__(self, kind, *, side=None, hop=None, octets=b"", type_=0, code=0,
                 pointer=None, stamps=()):
        self.kind, self.side, self.hop, self.octets = kind, side, hop, octets
        self.type, self.code, self.pointer, self.stamps = type_, code, pointer, stamps

    def __str__(self):
        if self.kind == "error":
            return "error %d/%d pointer %s" % (self.type, self.code, self.pointer)
        return "%s %s" % (self.kind, self.octets.hex())


class _Refused(Exception):
    def __init__(self, type_, code, pointer=None):
        super().__init__()
        self.args = (type_, code, pointer)


def _bad(octet):
    raise _Refused(12, 0, octet)


def is_host(address):
    """May it be one host's?"""
    first = number(address) >> 24
    return first not in (0, 127) and first < 224


class Engine:
    """The device as it ought to be."""

    def __init__(self, plan, mtu=1280):
        self.plan, self.mtu = plan, {IN: 1500, OUT: mtu}

    def fate(self, octets, side=IN, link="dut"):
        try:
            datagram = Datagram(octets)
        except Broken:
            return Fate("drop")
        if not datagram.sum_ok or datagram.length < datagram.header_length or \
                link != "dut" or not self._source_ok(datagram.src):
            return Fate("drop")
        try:
            if datagram.length > len(octets):
                _bad(2)
            return self._decide(datagram)
        except _Refused as refused:
            if datagram.offset or self._is_error(datagram):
                return Fate("drop")
            type_, code, pointer = refused.args
            return Fate("error", side=side, type_=type_, code=code, pointer=pointer)

    def _source_ok(self, source):
        return is_host(source) and source not in self.plan.own() and \
            not self.plan.is_broadcast(source)

    @staticmethod
    def _is_error(datagram):
        return datagram.proto == 1 and datagram.payload[:1] in (
            b"\3", b"\4", b"\5", b"\x0b", b"\x0c")

    def _decide(self, datagram):
        found = self._options(datagram.header)
        route = next((o for o in found if o[0] in (LSRR, SSRR)), None)
        own = datagram.dst in self.plan.own()
        header = bytearray(datagram.header)
        if own and (not route or header[route[1] + 2] > header[route[1] + 1]):
            return Fate("local")
        if not own and not is_host(datagram.dst) or self.plan.is_broadcast(datagram.dst):
            return Fate("drop")
        if not own and route and route[0] == SSRR:
            _bad(16)
        goal, at = datagram.dst, 0
        if own:
            goal, at = self._next(header, route)
            if goal in self.plan.own():
                return Fate("local", octets=bytes(header))
        return self._forward(datagram, header, found, goal, at,
                             bool(own and route[0] == SSRR))

    def _options(self, header):
        """[(kind, offset)] or _Refused."""
        found, at = [], 20
        while at < len(header) and header[at] != EOL:
            if header[at] == NOP:
                at += 1
                continue
            if at + 1 >= len(header):
                _bad(at)
            length = header[at + 1]
            if length < 2 or at + length > len(header):
                _bad(at + 1)
            self._option(header, at, length, [kind for kind, _ in found])
            found.append((header[at], at))
            at += length
        return found

    @staticmethod
    def _option(header, at, length, before):
        kind = header[at]
        if kind in (LSRR, SSRR):
            if LSRR in before or SSRR in before:
                _bad(at)
            if length < 3 or length % 4 != 3:
                _bad(at + 1)
            if header[at + 2] < 4 or header[at + 2] % 4:
                _bad(at + 2)
        elif kind == RR:
            if RR in before:
                _bad(at)
            if length < 3:
                _bad(at + 1)
            if header[at + 2] < 4 or length >= header[at + 2] > length - 3 or \
                    header[at + 2] <= length and header[at + 2] % 4:
                _bad(at + 2)
        elif kind == TS:
            if TS in before:
                _bad(at)
            if length < 4:
                _bad(at + 1)
            flag, size = header[at + 3] & 15, 4 if header[at + 3] & 15 == 0 else 8
            ptr = header[at + 2]
            if flag not in (0, 1, 3):
                _bad(at + 3)
            if ptr < 5 or length >= ptr > length + 1 - size or \
                    ptr <= length and (ptr - 5) % size:
                _bad(at + 2)
            if ptr > length and flag != 3 and header[at + 3] >> 4 == 15:
                _bad(at + 3)

    def _next(self, header, route):
        """Pass over own addresses: the next address and where its slot is."""
        at = route[1]
        while header[at + 2] <= header[at + 1]:
            slot = at + header[at + 2] - 1
            goal = quad(bytes(header[slot:slot + 4]))
            header[at + 2] += 4
            if goal not in self.plan.own():
                return goal, slot
        header[16:20] = addr(goal)
        return goal, 0

    def _forward(self, datagram, header, found, goal, slot, strict):
        if slot and (not is_host(goal) or self.plan.is_broadcast(goal)):
            raise _Refused(3, 5)
        path = self.plan.route(goal)
        if path is None:
            raise _Refused(3, 5 if slot else 0)
        side, hop = path
        if strict and hop != goal:
            raise _Refused(3, 5)
        if datagram.ttl <= 1:
            raise _Refused(11, 0)
        if datagram.frag & DF and datagram.length > self.mtu[side]:
            raise _Refused(3, 4)
        header[8] -= 1
        mine = self._address(side, hop)
        if slot:
            header[slot:slot + 4] = addr(mine)
            header[16:20] = addr(goal)
        stamps = [s for kind, at in found for s in self._record(header, kind, at, mine)]
        return Fate("out", side=side, hop=hop, stamps=stamps,
                    octets=with_sum(bytes(header)) + datagram.payload)

    def _address(self, side, hop):
        """The device's address on that side, of the prefix that the next hop is in."""
        own = self.plan.own(side)
        for address, prefix in zip(own, self.plan.on_link(side)):
            if hop in prefix:
                return address
        return own[0]

    def _record(self, header, kind, at, mine):
        """Update RR and TS; where stamps were put."""
        length, ptr = header[at + 1] if kind in (RR, TS) else 0, 0
        if length:
            ptr = header[at + 2]
        if kind == RR and ptr <= length:
            header[at + ptr - 1:at + ptr + 3] = addr(mine)
            header[at + 2] += 4
        elif kind == TS:
            return self._stamp(header, at, mine)
        return []

    def _stamp(self, header, at, mine):
        length, ptr, flag = header[at + 1], header[at + 2], header[at + 3] & 15
        place = at + ptr - 1
        if ptr > length:
            if flag != 3:
                header[at + 3] += 16
            return []
        if flag == 0:
            header[at + 2] += 4
            header[place:place + 4] = STAMP
            return [place]
        if flag == 1:
            header[place:place + 4] = addr(mine)
        elif quad(bytes(header[place:place + 4])) not in self.plan.own():
            return []
        header[at + 2] += 8
        header[place + 4:place + 8] = STAMP
        return [place + 4]
