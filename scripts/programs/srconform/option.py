# SPDX-License-Identifier: GPL-2.0-only
"""Options as a case writes them: with names for addresses, right or wrong.

    Loose("n")                  LSRR with one slot
    Strict("n", "F", ptr=8)     SSRR with two, the first one used
    Record(3)                   Record Route with three empty slots
    Stamp(0, room=8)            Timestamp, flag 0, two empty slots
    Raw(1)  Raw("94 04 00 00")  octets
"""

from .wire import LSRR, RR, SSRR, TS, addr


class Route:
    """A source route; length overrides what is right."""

    kind, name = LSRR, "LSRR"

    def __init__(self, *slots, ptr=4, length=None):
        self.slots, self.ptr, self.length = slots, ptr, length

    def octets(self, resolve):
        body = b"".join(addr(resolve(slot)) for slot in self.slots)
        length = 3 + len(body) if self.length is None else self.length
        return bytes([self.kind, length, self.ptr]) + body

    def __str__(self):
        text = "%s[%s] ptr %d" % (self.name, " ".join(self.slots), self.ptr)
        return text if self.length is None else text + " length %d" % self.length


class Loose(Route):
    """Loose Source and Record Route."""


class Strict(Route):
    """Strict Source and Record Route."""

    kind, name = SSRR, "SSRR"


class Record:
    """Record Route with room for so many addresses, some of them used."""

    def __init__(self, room, used=(), ptr=None, length=None, spare=0):
        self.room, self.used, self.spare = room, used, spare
        self.ptr = 4 + 4 * len(used) if ptr is None else ptr
        self.length = length

    def octets(self, resolve):
        body = b"".join(addr(resolve(one)) for one in self.used)
        body = body.ljust(4 * self.room + self.spare, b"\0")
        length = 3 + len(body) if self.length is None else self.length
        return bytes([RR, length, self.ptr]) + body

    def __str__(self):
        text = "RR[%d slots] ptr %d" % (self.room, self.ptr)
        if self.spare:
            text += " and %d octets" % self.spare
        return text if self.length is None else text + " length %d" % self.length


class Stamp:
    """Timestamp. Entries are what is prespecified: addresses of four octets, or
    whole numbers for time stamps that others have left."""

    def __init__(self, flag, room=0, entries=(), ptr=5, overflow=0, length=None):
        self.flag, self.room, self.entries = flag, room, entries
        self.ptr, self.overflow, self.length = ptr, overflow, length

    def octets(self, resolve):
        body = b"".join(max(one, 0).to_bytes(4, "big") if isinstance(one, int)
                        else addr(resolve(one)) for one in self.entries)
        body = body.ljust(self.room or len(body), b"\0")
        length = 4 + len(body) if self.length is None else self.length
        return bytes([TS, length, self.ptr, self.overflow << 4 | self.flag]) + body

    def __str__(self):
        text = "TS flag %d ptr %d overflow %d" % (self.flag, self.ptr, self.overflow)
        if self.entries:
            text += " [%s]" % " ".join(
                "now" if one == -1 else str(one) for one in self.entries)
        if self.room:
            text += " room %d" % self.room
        return text if self.length is None else text + " length %d" % self.length


class Raw:
    """Octets, as numbers or in hexadecimal."""

    def __init__(self, *what):
        self.value = b"".join(bytes([one]) if isinstance(one, int)
                              else bytes.fromhex(one) for one in what)

    def octets(self, _):
        return self.value

    def __str__(self):
        return "octets " + " ".join("%02x" % one for one in self.value)


NOP, EOL = Raw(1), Raw(0)
