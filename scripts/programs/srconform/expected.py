# SPDX-License-Identifier: GPL-2.0-only
"""What a forwarded datagram ought to look like, and by what it differs from that."""

from . import wire
from .case import KEEP, NOW
from .option import Stamp

DAY = 24 * 3600 * 1000
FIXED = (("version", 0, 1), ("tos", 1, 2), ("len", 2, 4), ("id", 4, 6), ("frag", 6, 8),
         ("ttl", 8, 9), ("proto", 9, 10), ("sum", 10, 12), ("src", 12, 16),
         ("dst", 16, 20))
WORDS = {
    "side": "it left by the wrong side", "hop": "it went to another next hop",
    "dst": "destination", "src": "source", "ttl": "TTL", "tos": "TOS",
    "id": "identification", "frag": "flags and offset", "len": "total length",
    "sum": "header checksum", "payload": "payload", "length": "type or length of the "
    "source route", "ptr": "pointer of the source route", "record": "recorded address",
    "slots": "other slots of the source route", "rr": "Record Route",
    "ts": "Timestamp", "other": "another option", "padding": "octets after the options",
    "area": "length of the header", "version": "version or header length",
    "sum0": "checksum, not the one of a new computation", "proto": "protocol", "stamp": "time stamp",
}


def hidden(octets, at):
    """Without those where a time stamp may be any."""
    return bytes(0 if i in at else octet for i, octet in enumerate(octets))


class Drawing:
    """Compares by a plan."""

    def __init__(self, plan):
        self.plan = plan

    def drawn(self, expect, sent, source):
        """(header, masked offsets, {offset: aspect}) of an Out for octets sent."""
        was = wire.Datagram(sent)
        resolve = lambda name: self.plan.resolve(name, source)  # noqa: E731
        area, mask, aspects = was.area, set(), {}
        if expect.options is not KEEP:
            area, stamps = self.area(expect.options, source)
            mask = {20 + at for at in stamps}
            area += was.area[len(area):]
        for name, first, last in FIXED:
            aspects.update(dict.fromkeys(range(first, last), name))
        header = bytearray(was.header[:20] + area)
        header[8] = max(was.ttl - expect.hops, 0)
        header[16:20] = wire.addr(resolve(expect.to))
        self._option_aspects(bytes(header), was.header, aspects)
        return wire.with_sum(bytes(header)), mask, aspects

    def area(self, options, source):
        """The octets of options, and which of them are time stamps of the device."""
        area, stamps = b"", set()
        for option in options:
            stamps |= self._stamps(option, len(area))
            area += option.octets(lambda name: self.plan.resolve(name, source))
        return area, stamps

    def same_but_for_nops(self, expect, sent, source, answer):
        """Is it what is expected, but for NOP, End of List and padding?"""
        if answer.kind != "out":
            return False
        differs, header, mask = self.compare(expect, sent, source, answer)
        seen = answer.datagram.header
        wanted, got = ([o for o in wire.read_options(area) if o.kind != wire.NOP]
                       for area in (header[20:], seen[20:]))
        return not differs & {"side", "hop", "payload", "sum", "sum0"} and \
            hidden(seen, mask)[20:] != hidden(header, mask)[20:] and \
            header[1:2] + header[4:10] + header[12:20] == \
            seen[1:2] + seen[4:10] + seen[12:20] and len(wanted) == len(got) and \
            all(len(a.octets) == len(b.octets) and all(
                x == y or a.at + i in mask for i, (x, y) in enumerate(zip(a.octets, b.octets)))
                for a, b in zip(wanted, got))

    @staticmethod
    def _stamps(option, at):
        """Where an expected option holds a time stamp of the device."""
        found = set()
        if isinstance(option, Stamp):
            for index, entry in enumerate(option.entries):
                if entry == NOW:
                    first = at + 4 + 4 * index
                    found |= set(range(first, first + 4))
        return found

    @staticmethod
    def _option_aspects(header, was, aspects):
        end = 20
        for option in wire.read_options(header[20:]):
            at, size = option.at, len(option.octets)
            end = at + size
            name = {wire.RR: "rr", wire.TS: "ts"}.get(option.kind, "other")
            aspects.update(dict.fromkeys(range(at, end), name))
            if option.is_route:
                aspects.update({at: "length", at + 1: "length", at + 2: "ptr"})
                for i in range(at + 3, end):
                    slot = at + 3 + (i - at - 3) // 4 * 4
                    same = header[slot:slot + 4] == was[slot:slot + 4]
                    aspects[i] = "slots" if same else "record"
        aspects.update(dict.fromkeys(range(end, len(header)), "padding"))

    def compare(self, expect, sent, source, answer):
        """(aspects that differ, expected header, masked offsets)"""
        header, mask, aspects = self.drawn(expect, sent, source)
        seen = answer.datagram
        differs = set()
        if answer.side != expect.side and not self.plan.single:
            differs.add("side")
        via = expect.via or self._hop(expect, source)
        if via and answer.mac != self.plan.mac(answer.side, self.plan.resolve(via)):
            differs.add("hop")
        if len(seen.header) != len(header):
            differs.add("area")
        same = self._recorded(header, sent, seen.header, answer.side)
        for at in range(min(len(header), len(seen.header))):
            if header[at] != seen.header[at] and at not in mask and at not in same and \
                    aspects[at] != "sum":
                differs.add(aspects[at])
        if not seen.sum_ok:
            differs.add("sum")
        if wire.with_sum(seen.header) != seen.header:
            differs.add("sum0")
        if seen.payload != sent[len(wire.Datagram(sent).header):]:
            differs.add("payload")
        if mask and not self._stamps_ok(seen.header, mask):
            differs.add("stamp")
        return differs, header, mask

    def _hop(self, expect, source):
        path = self.plan.route(self.plan.resolve(expect.to, source))
        return path[1] if path else None

    def _recorded(self, header, sent, seen, side):
        """Octets where the device is to record its address, and has recorded one that
        is as good: another one of the interface by which it left."""
        own = [wire.addr(quad) for quad in
               self.plan.own(None if self.plan.single else side)]
        same = set()
        for option in wire.read_options(header[20:]):
            start = {wire.RR: 3, wire.TS: 4, wire.LSRR: 3, wire.SSRR: 3}.get(option.kind)
            if start is None:
                continue
            for at in range(option.at + start, option.at + len(option.octets) - 3, 4):
                if header[at:at + 4] in own and header[at:at + 4] != sent[at:at + 4] and \
                        seen[at:at + 4] in own:
                    same |= set(range(at, at + 4))
        return same

    @staticmethod
    def _stamps_ok(header, mask):
        """Milliseconds since midnight, or the bit that says it is something else."""
        for at in sorted(mask)[::4]:
            value = int.from_bytes(header[at:at + 4], "big")
            if not value >> 31 and value >= DAY:
                return False
        return True
