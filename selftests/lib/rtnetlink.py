# SPDX-License-Identifier: GPL-2.0-only
"""Changes of interfaces by this very process: ip(8) would be another one. All
return an errno, 0 for none.
"""

import errno
import os
import socket
import struct

_NEWLINK, _DELLINK = 16, 17
_REQUEST, _ACK, _EXCL, _CREATE = 1, 4, 0x200, 0x400
_IFNAME, _LINKINFO, _NET_NS_FD, _KIND = 3, 18, 28, 1


def _attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + \
        b"\0" * (-len(value) % 4)


def _request(kind, flags, name, attributes):
    """About an interface, None for one that there is not yet."""
    try:
        ifindex = socket.if_nametoindex(name) if name else 0
    except OSError:
        return errno.ENODEV
    body = struct.pack("=BxHiII", 0, 0, ifindex, 0, 0) + attributes
    head = struct.pack("=IHHII", 16 + len(body), kind,
                       flags | _REQUEST | _ACK, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        sock.send(head + body)
        answer = sock.recv(1 << 16)
    return -struct.unpack("=i", answer[16:20])[0]


def add_dummy(name):
    info = _attribute(_KIND, b"dummy\0")
    return _request(_NEWLINK, _CREATE | _EXCL, None,
                    _attribute(_IFNAME, name.encode() + b"\0") +
                    _attribute(_LINKINFO, info))


def rename(name, new):
    return _request(_NEWLINK, 0, name,
                    _attribute(_IFNAME, new.encode() + b"\0"))


def move(name, ns):
    """To the namespace of this name."""
    fd = os.open("/run/netns/" + ns, os.O_RDONLY)
    try:
        return _request(_NEWLINK, 0, name,
                        _attribute(_NET_NS_FD, struct.pack("=I", fd)))
    finally:
        os.close(fd)


def delete(name):
    return _request(_DELLINK, 0, name, b"")
