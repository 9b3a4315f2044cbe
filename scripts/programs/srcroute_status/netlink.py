# SPDX-License-Identifier: GPL-2.0-only
"""Interfaces, addresses, rules and routes, asked of the kernel by rtnetlink(7), as
ip(8) does. Addresses are numbers.
"""

import collections
import errno
import os
import socket
import struct

_GETLINK, _GETADDR, _GETROUTE, _GETRULE = 18, 22, 26, 34
_REQUEST, _DUMP = 1, 0x300
_ERROR, _DONE = 2, 3
_SOL_NETLINK, _STRICT = 270, 12
_FIB_MATCH = 0x2000
_VRF_TABLE, _BPF_IN = 1, 1
_ENCAP_SEG6, _ENCAP_BPF, _ENCAP_SEG6_LOCAL = 5, 6, 7
_SECONDARY, _UP = 1, 1
_LOCAL_TABLE, _OTHER_TABLE = 255, 252
_IIFNAME, _IP_PROTO = 3, 22
_KINDS = {1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast",
          6: "blackhole", 7: "unreachable", 8: "prohibit"}
# Whose ports a look-up can be told.
PROTOCOLS = (socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP)

# master: ifindex of the VRF or bridge that it belongs to; table: that of a VRF
Link = collections.namedtuple("Link", "index name mtu kind master table up")
# net: the prefix, which is that of the peer where there is one
Address = collections.namedtuple("Address", "index local net length primary scope")
# via: "" for none; other: the gateway is one of IPv6; redirects: the kernel's
# encapsulation takes the datagram before forwarding asks of its TTL and length
Route = collections.namedtuple("Route", "kind net length dev via other mtu redirects")


def number(quad):
    return int.from_bytes(socket.inet_aton(quad), "big")


def quad(address):
    return socket.inet_ntoa(address.to_bytes(4, "big"))


def holds(net, length, address):
    return not (net ^ address) >> (32 - length) if length else True


def _attribute(kind, value):
    return struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _attributes(octets):
    """{type: value}; the last of each type."""
    found, at = {}, 0
    while at + 4 <= len(octets):
        length, kind = struct.unpack_from("HH", octets, at)
        if length < 4:
            break
        found[kind & 0x3FFF] = octets[at + 4:at + length]
        at += (length + 3) & ~3
    return found


def _u32(octets):
    return struct.unpack_from("I", octets)[0] if octets else 0


def _address(octets):
    return int.from_bytes(octets, "big") if octets else 0


class Netlink:
    """Of the network namespace in which it is made."""

    def __init__(self):
        self._sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                   socket.NETLINK_ROUTE)
        # A dump of one table then is one of that table alone.
        self._sock.setsockopt(_SOL_NETLINK, _STRICT, 1)
        self._number = 0

    def close(self):
        self._sock.close()

    def _ask(self, kind, body, dump=False):
        """The bodies of the messages of the answer."""
        self._number += 1
        flags = _REQUEST | (_DUMP if dump else 0)
        self._sock.send(struct.pack("IHHII", 16 + len(body), kind, flags, self._number,
                                    0) + body)
        found = []
        while True:
            octets, at = self._sock.recv(1 << 20), 0
            while at + 16 <= len(octets):
                length, kind, _, sequence, _ = struct.unpack_from("IHHII", octets, at)
                body = octets[at + 16:at + length]
                at += (length + 3) & ~3
                if sequence != self._number:
                    continue
                if kind == _ERROR:
                    error = -struct.unpack_from("i", body)[0]
                    raise OSError(error, os.strerror(error))
                if kind == _DONE:
                    return found
                found.append(body)
                if not dump:
                    return found

    def links(self):
        """In the order of their ifindex."""
        found = []
        for body in self._ask(_GETLINK, struct.pack("BxHiII", 0, 0, 0, 0, 0), True):
            index, flags = struct.unpack_from("iI", body, 4)
            some = _attributes(body[16:])
            info = _attributes(some.get(18, b""))
            kind = info.get(1, b"").rstrip(b"\0").decode()
            table = _u32(_attributes(info.get(2, b"")).get(_VRF_TABLE)) \
                if kind == "vrf" else 0
            found.append(Link(index, some[3].rstrip(b"\0").decode(errors="replace"),
                              _u32(some.get(4)), kind, _u32(some.get(10)), table,
                              bool(flags & _UP)))
        return sorted(found)

    def addresses(self):
        """In the kernel's own order for each interface: primary ones first."""
        found = []
        for body in self._ask(_GETADDR, struct.pack("BBBBi", socket.AF_INET, 0, 0, 0, 0),
                              True):
            length, flags, scope, index = struct.unpack_from("=BBBi", body, 1)
            some = _attributes(body[8:])
            net = _address(some.get(1))
            found.append(Address(index, _address(some.get(2)) or net, net, length,
                                 not flags & _SECONDARY, scope))
        return found

    def rules(self):
        """Does a rule ask for the source, or for the interface of arrival? Is one a
        blackhole? Does one ask for the protocol?"""
        by_source = blackhole = by_proto = False
        for body in self._ask(_GETRULE, struct.pack("BBBBBBBBI", socket.AF_INET, 0, 0, 0,
                                                    0, 0, 0, 0, 0), True):
            some = _attributes(body[12:])
            by_source = by_source or bool(body[2]) or _IIFNAME in some
            blackhole = blackhole or _KINDS.get(body[7]) == "blackhole"
            by_proto = by_proto or _IP_PROTO in some
        return by_source, blackhole, by_proto

    def table(self, table=_LOCAL_TABLE):
        """[(kind, net, length)] of a table; of all, if it is 0."""
        body = struct.pack("BBBBBBBBI", socket.AF_INET, 0, 0, 0,
                           table if table < 256 else _OTHER_TABLE, 0, 0, 0, 0)
        if table:
            body += _attribute(15, struct.pack("I", table))
        try:
            routes = self._ask(_GETROUTE, body, True)
        except OSError as error:
            if error.errno != errno.ENOENT:     # a table that there is not yet
                raise
            routes = ()
        return [(_KINDS.get(one[7], ""), _address(_attributes(one[12:]).get(1)), one[1])
                for one in routes]

    def route(self, to, tos=0, mark=0, proto=0, ports=(0, 0), src=None, iif=0, oif=0,
              fibmatch=False):
        """What `ip route get` says: OSError where there is no route. With iif it is the
        look-up of what comes in by that interface, the check of its source included."""
        body = struct.pack("BBBBBBBBI", socket.AF_INET, 32, 32 if src is not None else 0,
                           tos & 0xFC, 0, 0, 0, 0, _FIB_MATCH if fibmatch else 0)
        body += _attribute(1, to.to_bytes(4, "big"))
        if src is not None:
            body += _attribute(2, src.to_bytes(4, "big"))
        for kind, value in ((3, iif), (4, oif), (16, mark)):
            if value:
                body += _attribute(kind, struct.pack("I", value))
        if proto in PROTOCOLS:
            body += _attribute(27, bytes([proto]))
            if any(ports):
                body += _attribute(28, ports[0].to_bytes(2, "big"))
                body += _attribute(29, ports[1].to_bytes(2, "big"))
        answer = self._ask(_GETROUTE, body)[0]
        some = _attributes(answer[12:])
        via, other = some.get(5, b""), some.get(18, b"")[2:]
        mtu = _u32(_attributes(some.get(8, b"")).get(2))
        encap = struct.unpack("H", some[21])[0] if 21 in some else 0
        redirects = encap in (_ENCAP_SEG6, _ENCAP_SEG6_LOCAL) or encap == _ENCAP_BPF \
            and _BPF_IN in _attributes(some.get(22, b""))
        gateway = quad(_address(via)) if via else \
            socket.inet_ntop(socket.AF_INET6, other) if other else ""
        return Route(_KINDS.get(answer[7], ""), _address(some.get(1)), answer[1],
                     _u32(some.get(4)), gateway, bool(other), mtu, redirects)
