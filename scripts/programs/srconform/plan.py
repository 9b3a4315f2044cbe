# SPDX-License-Identifier: GPL-2.0-only
"""The addresses around the device under test, by the names that cases use.

                         +--------+
      s ---- GA ---+     |        |     +---- GB ---- F
                   +-----| A    B |-----+
             m ----+     | A2   B2|     +---- n   n2
             z ----+     +--------+     +---- y
          (in)                                (out)

    A  B      the device's addresses, as --dut has them
    A2 B2     a second address on each side, in a prefix of its own
    GA GB     gateways of the tester; behind GA is every s, behind GB every F
    s         the source of a case: every try has its own, so that answers are told apart
    m  n  n2  neighbours of the device: n of B's prefix, n2 of B2's; m2 beside m
    F  F1-F9  hosts behind GB
    z  y      neighbours' addresses that nobody answers ARP for
    X         an address that the device has no route to

Everything but A and B is in the prefix --lab (198.18.0.0/16, of the range for such
tests, RFC 2544), or in the prefixes of A and B. With one interface the out side is
A2's prefix on the same wire: B is A2, and there is no B2.
"""

from .wire import addr, from_number, number, quad

IN, OUT = "in", "out"
SOURCES = 4000  # of s


class Prefix:
    """An IPv4 prefix."""

    def __init__(self, text):
        self.address, _, length = text.partition("/")
        self.bits = int(length or 32)
        if not 0 <= self.bits <= 32:
            raise ValueError("no prefix: %s" % text)
        self.mask = 0xFFFFFFFF << (32 - self.bits) & 0xFFFFFFFF
        self.base = number(self.address) & self.mask

    def __contains__(self, address):
        return number(address) & self.mask == self.base

    def __str__(self):
        return "%s/%d" % (from_number(self.base), self.bits)

    def host(self, index):
        """The index-th address; negative ones count from the end."""
        size = 1 << (32 - self.bits)
        return from_number(self.base + (index if index >= 0 else size + index))

    @property
    def broadcast(self):
        return self.host(-1)


class Plan:
    """Who is where."""

    def __init__(self, dut=("192.0.2.1/24", "198.51.100.1/24"), lab="198.18.0.0/16",
                 single=False):
        lab = Prefix(lab)
        if lab.bits > 16:
            raise ValueError("--lab wants a prefix of 16 bits or fewer")
        self.lab, self.single = lab, single
        net = [Prefix("%s/%d" % (from_number(lab.base + (i << 8)), 24)
                      if i < 16 else "%s/20" % from_number(lab.base + (i << 8)))
               for i in (1, 2, 16, 32, 64)]
        second_in, second_out, self.far_in, self.far_out, self.nowhere = net
        first_in = Prefix(self._with_bits(dut[0]))
        self.named = {"A": first_in.address, "A2": second_in.host(1)}
        if single:
            first_out = second_in
            self.named["B"] = self.named["A2"]
            self.links = {IN: [first_in], OUT: [second_in]}
        else:
            first_out = Prefix(self._with_bits(dut[1]))
            self.named["B"], self.named["B2"] = first_out.address, second_out.host(1)
            self.named["n2"] = second_out.host(10)
            self.links = {IN: [first_in, second_in], OUT: [first_out, second_out]}
        self.named.update(
            GA=first_in.host(-2), GB=first_out.host(-2), m=first_in.host(-8), m2=first_in.host(-7),
            n=first_out.host(-8), z=first_in.host(-9), y=first_out.host(-9),
            F=self.far_out.host(9), X=self.nowhere.host(1),
            BC=first_out.broadcast, BCA=first_in.broadcast)
        for i in range(1, 10):
            self.named["F%d" % i] = self.far_out.host(16 + i)
        self.silent = {self.named["z"], self.named["y"]}
        clash = [n for n in ("GA", "GB", "m", "n") if self.named[n] in self.own()]
        if clash:
            raise ValueError("the device has the address of %s" % ", ".join(clash))

    @staticmethod
    def _with_bits(text):
        return text if "/" in text else text + "/24"

    def source(self, index):
        """A source of its own for each try."""
        return self.far_in.host(2 + index % SOURCES)

    def resolve(self, name, source=None):
        """The dotted quad of a name; of a quad itself."""
        if name == "s":
            return source or self.source(0)
        return self.named.get(name, name)

    def own(self, side=None):
        """The device's addresses, on one side or on both."""
        names = {IN: ("A",) if self.single else ("A", "A2"),
                 OUT: ("B",) if self.single else ("B", "B2")}
        sides = (side,) if side else (IN, OUT)
        return [self.named[n] for each in sides for n in names[each]]

    def on_link(self, side):
        """The prefixes of a side."""
        return self.links[side]

    def gateway(self, side):
        return self.named["GA" if side == IN else "GB"]

    def route(self, address):
        """(side, next hop) to an address, or None."""
        for side in IN, OUT:
            if any(address in prefix for prefix in self.links[side]):
                return side, address
        if address in self.far_in:
            return IN, self.named["GA"]
        if address in self.far_out:
            return OUT, self.named["GB"]
        return None

    def is_broadcast(self, address):
        """Of a link, the old form with a host part of zeroes included."""
        return address == "255.255.255.255" or any(
            address in (p.broadcast, p.host(0)) for side in (IN, OUT)
            for p in self.links[side])

    def plays(self, side, address):
        """Does the tester answer ARP for it on that side?"""
        return any(address in p for p in self.links[side]) and \
            address not in self.own() and address not in self.silent and \
            not self.is_broadcast(address)

    def mac(self, side, address):
        """The hardware address of a station that the tester plays: a locally
        administered one that has the address in it."""
        return b"\x02" + (b"\x0a" if side == IN else b"\x0b") + addr(address)

    def name_of(self, address):
        """Its name, or the quad itself."""
        for name, value in self.named.items():
            if value == address:
                return name
        return "s" if address in self.far_in else address

    def describe(self, octets):
        """Four octets as a quad with its name."""
        text = quad(octets)
        name = self.name_of(text)
        return text if name == text else "%s (%s)" % (text, name)
