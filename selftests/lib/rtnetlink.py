# SPDX-License-Identifier: GPL-2.0-only
"""Changes of interfaces by this very process: ip(8) would be another one. What changes
something returns an errno, 0 for none.
"""

import errno
import socket
import struct

_NEWLINK, _DELLINK, _GETLINK, _NEWADDR, _NEWROUTE, _NEWRULE = 16, 17, 18, 20, 24, 32
_REQUEST, _ACK, _REPLACE, _EXCL, _CREATE = 1, 4, 0x100, 0x200, 0x400
# of links and, from _KIND on, of what lies in _LINKINFO
_HWADDR, _IFNAME, _OPERSTATE, _LINKINFO, _NET_NS_FD = 1, 3, 16, 18, 28
_OPERSTATE_UP = b"\6"
_GSO_IPV4_MAX_SIZE, _GRO_IPV4_MAX_SIZE = 63, 64
_KIND, _DATA, _VETH_PEER = 1, 2, 1
_LOCAL = 2  # of addresses
_UP = 1
_PRIORITY, _TABLE, _DSCP = 6, 15, 25  # of rules
RULE_TABLE, RULE_UNREACHABLE = 1, 7
_DST, _OIF, _ENCAP_TYPE, _ENCAP = 1, 4, 21, 22  # of routes
_MAIN, _STATIC, _LINK_SCOPE, _UNICAST = 254, 4, 253, 1
_ENCAP_BPF, _BPF_IN, _BPF_FD, _BPF_NAME = 6, 1, 1, 2


def _attribute(kind, *values):
    value = b"".join(values)
    return struct.pack("=HH", 4 + len(value), kind) + value + \
        b"\0" * (-len(value) % 4)


def _name(name):
    return _attribute(_IFNAME, name.encode() + b"\0")


def _exchange(kind, flags, *parts):
    body = b"".join(parts)
    head = struct.pack("=IHHII", 16 + len(body), kind,
                       flags | _REQUEST | _ACK, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        sock.send(head + body)
        answer = sock.recv(1 << 16)
    return -struct.unpack("=i", answer[16:20])[0]


def _link(ifindex=0, up=None):
    change = 0 if up is None else _UP
    return struct.pack("=BxHiII", 0, 0, ifindex, _UP * bool(up), change)


def _change(name, attributes=b"", up=None, kind=_NEWLINK):
    """About an interface that there is."""
    try:
        ifindex = socket.if_nametoindex(name)
    except OSError:
        return errno.ENODEV
    return _exchange(kind, 0, _link(ifindex, up), attributes)


def add_dummy(name):
    return _exchange(_NEWLINK, _CREATE | _EXCL, _link(), _name(name),
                     _attribute(_LINKINFO, _attribute(_KIND, b"dummy\0")))


def add_veth(name, hwaddr, peer, ns):
    """A pair, up at this end, the other in another namespace."""
    other = _attribute(_VETH_PEER, _link(), _name(peer),
                       _attribute(_NET_NS_FD, struct.pack("=I", ns.fileno())))
    return _exchange(_NEWLINK, _CREATE | _EXCL, _link(up=True), _name(name),
                     _attribute(_HWADDR, hwaddr),
                     _attribute(_LINKINFO, _attribute(_KIND, b"veth\0"),
                                _attribute(_DATA, other)))


def add_address(name, address, length):
    """Or find that there is such a one."""
    head = struct.pack("=BBBBI", socket.AF_INET, length, 0, 0,
                       socket.if_nametoindex(name))
    return _exchange(_NEWADDR, _CREATE | _REPLACE, head,
                     _attribute(_LOCAL, socket.inet_aton(address)))


def set_up(name, up=True):
    return _change(name, up=up)


def rename(name, new):
    return _change(name, _name(new))


def move(name, ns):
    return _change(name, _attribute(_NET_NS_FD,
                                    struct.pack("=I", ns.fileno())))


def delete(name):
    return _change(name, kind=_DELLINK)


def _attributes(name):
    """{kind: value} of an interface."""
    body = _link(socket.if_nametoindex(name))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        sock.send(struct.pack("=IHHII", 16 + len(body), _GETLINK, _REQUEST, 1,
                              0) + body)
        answer = sock.recv(1 << 16)
    found, at = {}, 32
    while at < len(answer):
        length, kind = struct.unpack_from("=HH", answer, at)
        found[kind] = answer[at + 4:at + length]
        at += (length + 3) & ~3
    return found


def carries(name):
    """Does it send? That its other end is up it learns from a thread of the kernel, and
    what is sent before is dropped. The thread sets the state first and the rest after
    it, under a lock that every change takes: so one that changes nothing waits for it."""
    return _attributes(name).get(_OPERSTATE) == _OPERSTATE_UP and not set_up(name)


def big_tcp(name, size):
    """How long datagrams of GSO and GRO may be in IPv4. False if the kernel has
    no such limit, as before BIG TCP for IPv4 (Linux 6.3)."""
    value = struct.pack("=I", size)
    _change(name, _attribute(_GSO_IPV4_MAX_SIZE, value) +
            _attribute(_GRO_IPV4_MAX_SIZE, value))
    return _attributes(name).get(_GSO_IPV4_MAX_SIZE) == value


def add_rule(pref, table=0, dscp=None, tos=0, action=RULE_TABLE):
    """A rule of ip-rule(8) for IPv4. A kernel that does not know the selector
    dscp overlooks it."""
    head = struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, tos, 0, 0, 0,
                       action, 0)
    more = [] if dscp is None else [_attribute(_DSCP, bytes([dscp]))]
    return _exchange(_NEWRULE, _CREATE | _EXCL, head,
                     _attribute(_PRIORITY, struct.pack("=I", pref)),
                     _attribute(_TABLE, struct.pack("=I", table)), *more)


def add_bpf_route(address, dev, program):
    """A route to one address on the link of an interface, whose input a program
    handles, which is given as a descriptor."""
    head = struct.pack("=BBBBBBBBI", socket.AF_INET, 32, 0, 0, _MAIN, _STATIC,
                       _LINK_SCOPE, _UNICAST, 0)
    handler = _attribute(_BPF_IN, _attribute(_BPF_FD, struct.pack("=I", program)),
                         _attribute(_BPF_NAME, b"srcroute\0"))
    return _exchange(_NEWROUTE, _CREATE | _EXCL, head,
                     _attribute(_DST, socket.inet_aton(address)),
                     _attribute(_OIF, struct.pack(
                         "=I", socket.if_nametoindex(dev))),
                     _attribute(_ENCAP_TYPE, struct.pack("=H", _ENCAP_BPF)),
                     _attribute(_ENCAP, handler))
