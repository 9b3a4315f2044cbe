# SPDX-License-Identifier: GPL-2.0-only
"""A seeded corpus of valid, odd and hostile datagrams, and the router that it
is thrown at.

                    +-----------+
     10.1.0.0/24 -a-|           |-b- 10.2.0.0/24, 10.2.9.0/24, far nets
     10.4.0.0/24 -d-|     R     |-c- 10.3.0.0/24, peer 10.60.0.2
       (MTU 400)    |           |-e- (no address) 10.13.0.0/16
     10.6.0.0/24 -f-|           |
    (not forwarding)+-----------+     10.5.0.1 on the loopback

R has .1 everywhere. rp_filter is strict on c and loose on d.
"""

import random

from . import packet

# name, addresses, MTU, settings of net.ipv4.conf.<name>
LINKS = (
    ("a", ("10.1.0.1/24",), 1500, {}),
    ("b", ("10.2.0.1/24", "10.2.0.99/24", "10.2.9.1/24"), 1500, {}),
    ("c", ("10.3.0.1/24", "10.60.0.1 peer 10.60.0.2"), 1500,
     {"rp_filter": 1}),
    ("d", ("10.4.0.1/24",), 400, {"rp_filter": 2}),
    ("e", (), 1500, {}),
    ("f", ("10.6.0.1/24",), 1500, {"forwarding": 0}),
)
LOOPBACK = ("10.5.0.1/32",)

# As ip-route(8) takes them.
ROUTES = (
    "10.9.0.0/16 via 10.2.0.2",
    "10.10.0.0/16 via 10.2.9.2",
    "10.11.0.0/16 via 10.2.0.2 src 10.5.0.1",
    "10.12.0.0/16 dev b",
    "10.12.0.1/32 dev c",
    "10.12.0.2/32 via 10.3.0.2",
    "10.13.0.0/16 dev e",
    "10.13.0.9/32 dev e",
    "10.14.0.0/16 via 10.99.0.1 dev c onlink",
    "10.15.0.0/16 via 10.4.0.2",
    "10.3.0.76/31 dev b",
    "198.51.100.0/24 via 10.1.0.2",
    "blackhole 10.76.0.0/16",
    "unreachable 10.78.0.0/16",
    "prohibit 10.79.0.0/16",
)

OWN = ("10.1.0.1", "10.2.0.1", "10.2.0.99", "10.2.9.1", "10.3.0.1",
       "10.60.0.1", "10.4.0.1", "10.6.0.1", "10.5.0.1")
NEAR = {"a": ("10.1.0.2", "10.1.0.3"), "b": ("10.2.0.2", "10.2.9.2"),
        "c": ("10.3.0.2", "10.60.0.2"), "d": ("10.4.0.2",),
        "e": ("10.13.0.1", "10.13.0.9"), "f": ("10.6.0.2",)}
NEIGHBOURS = tuple(a for near in NEAR.values() for a in near) + ("10.2.0.0",)
FAR = ("10.9.0.1", "10.9.7.7", "10.10.0.1", "10.11.0.1", "10.14.0.1",
       "10.15.0.1", "198.51.100.1")
DIRECT = ("10.12.0.1", "10.12.0.2", "10.12.0.3", "10.3.0.77")
NOWHERE = ("10.77.0.1", "203.0.113.5", "10.76.0.1", "10.78.0.1", "10.79.0.1")
BROADCAST = ("10.1.0.255", "10.2.0.255", "10.2.9.255", "10.4.0.255",
             "255.255.255.255")
WEIRD = ("0.0.0.0", "127.1.2.3", "127.0.0.1", "127.255.255.255", "224.0.0.1",
         "239.1.2.3", "239.255.0.1")
NARROW = ("10.4.0.2", "10.15.0.1")  # out by d
# Those that the router may ask its links for.
REACHABLE = NEIGHBOURS + FAR + DIRECT + ("10.99.0.1",)

RAW_PROTOCOLS = (packet.ICMP, packet.TCP, packet.UDP, 47, 254)
_MULTICAST_MAC, _BROADCAST_MAC = b"\x01\0\x5e\0\0\1", b"\xff" * 6
_OTHERS_MAC = b"\x02\0\0\0\0\x77"


class Case:
    """A datagram of the corpus; its number is its identification too."""

    def __init__(self, number, link, octets, to=None):
        self.number, self.link = number, link
        self.octets, self.to = octets, to

    def __str__(self):
        return "datagram %d on %s%s: %s [%s]" % (
            self.number, self.link, " to " + self.to.hex(":") if self.to
            else "", packet.Packet(self.octets), self.octets.hex())


class Corpus:

    def __init__(self, seed, topology=None):
        """topology: one of lib/topology.py instead of the router above."""
        self._random = random.Random(seed)
        self._number = 0
        self._big = False
        self._own, self._neighbours, self._narrow = OWN, NEIGHBOURS, NARROW
        self._near, self._tos, self._much = NEAR, (), .15
        self._links = [(6, "a"), (3, "b"), (3, "c"), (2, "d"), (1, "e"),
                       (.7, "f")]
        if topology:
            self._own += tuple(topology.extra_own())
            self._neighbours += tuple(topology.extra_neighbours())
            self._narrow = tuple(topology.narrow())
            self._near = topology.near()
            self._tos = tuple(topology.tos())
            self._much = .4 if topology.tunnel() else .15
            self._links += [(4, name) for name in self._near
                            if name not in NEAR]

    def cases(self, count):
        return [self.case() for _ in range(count)]

    def _pick(self, *weighted):
        """One of the values of (weight, value) pairs."""
        r = self._random.random() * sum(weight for weight, _ in weighted)
        for weight, value in weighted:
            r -= weight
            if r < 0:
                return value
        return weighted[-1][1]

    def _address(self, *weights):
        """own, neighbours, far, direct, nowhere, broadcast, weird"""
        pool = self._pick(*zip(weights, (
            self._own, self._neighbours, FAR, DIRECT, NOWHERE, BROADCAST,
            WEIRD)))
        return self._random.choice(pool)

    def _source(self, link):
        if self._random.random() < .75:
            return self._random.choice(self._near[link])
        return self._address(2, 4, 5, 1, 3, 2, 2)

    def _slot(self):
        if self._big and self._random.random() < .5:
            return self._random.choice(self._narrow)
        return self._address(4, 8, 5, 3, 2, 1, 1)

    def _route(self):
        r = self._random
        kind = self._pick((6, packet.LSRR), (4, packet.SSRR))
        count = self._pick((1, 0), (10, 1), (8, 2), (4, 3), (1, 5), (1, 9))
        slots = [self._slot() for _ in range(count)]
        ptr = 4 + 4 * self._pick((6, 0), (4, r.randint(0, count)),
                                 (2, count), (.3, r.randint(0, 62)))
        if count > 1 and r.random() < .2:
            # Half way, and likely to be refused: for errors that go back.
            n = r.randrange(1, count)
            slots[n - 1] = self._address(3, 5, 3, 1, 1, 2, 2)
            slots[n] = self._address(0, 1, 2, 1, 3, 2, 3)
            ptr = 4 + 4 * n
        length = None
        if r.random() < .08:
            ptr = self._pick((1, r.randrange(256)), (2, r.randrange(12)))
        if r.random() < .08:
            length = self._pick((1, r.randrange(256)), (3, r.randrange(12)))
        return packet.route(kind, slots, ptr, length)

    def _record(self):
        r = self._random
        count = self._pick((1, 0), (4, 1), (4, 2), (1, r.randint(0, 9)))
        used = r.randint(0, count)
        option = bytearray(packet.record(count, [self._slot()
                                                 for _ in range(used)]))
        return self._damage(option, .15)

    def _timestamp(self):
        r = self._random
        flag = self._pick((3, 0), (3, 1), (3, 3), (.5, r.randrange(16)))
        size = 4 if flag == 0 else 8
        count = r.randint(0, 2)
        used = r.randint(0, count)
        body = b""
        for i in range(count):
            if size == 8:
                body += packet.addr(self._slot()) if i < used or flag == 3 \
                    else bytes(4)
            body += r.randbytes(4) if i < used else bytes(4)
        overflow = self._pick((3, 0), (1, 15), (1, r.randrange(16)))
        option = bytearray([packet.TS, 4 + len(body), 5 + used * size,
                            overflow << 4 | flag]) + body
        return self._damage(option, .15)

    def _damage(self, option, chance):
        r = self._random
        if r.random() < chance:
            option[r.choice((1, 2, 2, 3)) % len(option)] = self._pick(
                (1, r.randrange(256)), (3, r.randrange(12)))
        return bytes(option)

    def _alert(self):
        return self._pick((4, b"\x94\4\0\0"), (1, b"\x94\4\1\0"),
                          (1, b"\x94\3\0"), (1, b"\x94\2"))

    def _other(self):
        """An option of any type, security labels included."""
        r = self._random
        kind = self._pick((1, 130), (1, 136), (1, 134), (1, 82),
                          (3, r.randrange(2, 256)))
        body = r.randbytes(r.randrange(7))
        length = 2 + len(body)
        if r.random() < .2:
            length = self._pick((1, r.randrange(256)), (2, r.randrange(4)))
        return bytes([kind, length]) + body

    def _parts(self):
        r = self._random
        parts = [self._route()] if r.random() < .94 else []
        for chance, make in ((.05, self._route), (.35, self._record),
                             (.03, self._record), (.25, self._timestamp),
                             (.02, self._timestamp), (.1, self._alert),
                             (.1, self._other)):
            if r.random() < chance:
                parts.append(make())
        if r.random() < .4:
            parts += [b"\1"] * r.randrange(1, 4)
        if r.random() < .04:
            parts.append(b"\0")
        r.shuffle(parts)
        return parts

    def _options(self):
        r = self._random
        area = b""
        for part in self._parts():
            # Now and then one is cut off by the end of the header.
            if len(area) + len(part) <= 40 or r.random() < .05:
                area += part
        area = area[:40]
        if r.random() < .08:
            # Padding that is no zeroes, behind an end or not.
            area += self._pick((3, b"\0"), (1, b"")) + r.randbytes(3)
            area = area[:len(area) & ~3][:40]
        return area or b"\1"

    def _payload(self, proto, tag):
        """The tag tells where what comes out came from. Nothing that the
        router's own sockets would answer: a length, offset or checksum of the
        transport header is wrong."""
        r = self._random
        if proto == packet.UDP:
            head = b"\x0f\xa0\0\x09\xff\xff\x12\x34"
        elif proto == packet.TCP:
            head = b"\x0f\xa0\0\x09" + bytes(16)
        elif proto == packet.ICMP:
            kind = self._pick((4, 8), (1, 3), (1, 4), (1, 5), (1, 11),
                              (1, 12), (1, r.randrange(256)))
            head = bytes([kind, r.randrange(16), 0, 0]) + bytes(4)
        else:
            head = b""
        return head + tag + r.randbytes(r.randrange(40))

    def _fragment(self):
        r = self._random
        return self._pick((12, 0), (12 if self._big else 2, 0x4000),
                          (1, 0x2000),
                          (1, r.randrange(1, 64)),
                          (1, 0x2000 | r.randrange(1, 64)),
                          (.5, 0x8000), (.3, 0x6000))

    def _ordinary_destination(self, link):
        """One for which no error or redirect is due: the kernel limits their
        rate by the clock, and they are none of ours."""
        return self._random.choice(
            OWN + (("10.3.0.2", "10.14.0.1") if link != "c"
                   else ("10.2.0.2", "10.9.0.1")))

    def _some_tos(self):
        """With rules that ask for it, often one of theirs, among the bits that
        they do not ask for."""
        r = self._random
        if self._tos and r.random() < .4:
            return r.choice(self._tos) | r.choice((0, 1, 0x20, 0xE0))
        return self._pick((3, 0), (1, r.randrange(256)))

    def case(self):
        r = self._random
        self._number += 1
        link = self._pick(*self._links)
        self._big = link != "d" and r.random() < self._much
        options = self._options()
        src = self._source(link)
        dst = self._pick((6, r.choice(self._own)),
                         (3 if self._big else 0, r.choice(self._narrow)),
                         (4, self._address(1, 5, 6, 3, 2, 1, 1)))
        if not has_route(options):
            dst = self._ordinary_destination(link)
        proto = self._pick((5, packet.UDP), (2, packet.TCP),
                           (2, packet.ICMP), (1, 47), (2, 254))
        payload = self._payload(proto, b"tag" + self._number.to_bytes(4,
                                                                      "big"))
        if self._big:
            payload += r.randbytes(r.randrange(300, 700))
        frag = self._fragment()
        if frag & 0x2000:
            payload = payload[:len(payload) & ~7]
        datagram = packet.ip(
            src, dst, options, payload=payload, proto=proto, frag=frag,
            ttl=self._pick((8, 64), (1, 255), (1, 2), (1, 1), (.5, 0),
                           (1, r.randrange(256))),
            tos=self._some_tos(),
            ident=self._number & 0xFFFF)
        to = self._pick((60, None), (.5, _BROADCAST_MAC),
                        (.5, _MULTICAST_MAC), (.5, _OTHERS_MAC))
        # What comes into a VRF by SRv6 has no link layer.
        return Case(self._number, link, datagram, to if link in NEAR else None)


def has_route(options):
    """Is there a source route before the end, or before the first fault?"""
    options += b"\0" * (-len(options) % 4)
    at = 0
    while at < len(options) and options[at]:
        if options[at] in (packet.LSRR, packet.SSRR):
            return True
        if options[at] == packet.NOP:
            at += 1
            continue
        if at + 1 == len(options) or options[at + 1] < 2:
            return False
        at += options[at + 1]
    return False
