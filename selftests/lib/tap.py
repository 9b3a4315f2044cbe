# SPDX-License-Identifier: GPL-2.0-only
"""Taps: interfaces whose other end is a program."""

import fcntl
import os
import struct

from .netns import sh

_TUNSETIFF = 0x400454CA
_TAP, _NAPI, _NAPI_FRAGS, _NO_PI, _VNET_HDR = 2, 0x10, 0x20, 0x1000, 0x4000
_NEEDS_CSUM = 1

# What a frame is to be cut into: those of struct virtio_net_hdr.
NO_GSO, GSO_TCP, GSO_UDP, GSO_UDP_L4 = 0, 1, 3, 5


def _open(ns, name, flags):
    if not os.path.exists("/dev/net/tun"):
        sh(["modprobe", "tun"])
    with ns:
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, _TUNSETIFF, struct.pack(
            "16sH22x", name.encode(), _TAP | _NO_PI | flags))
    return fd


class Tap:
    """An interface of a namespace, down at first, for as long as this is open.

    Frames come in cut up: of a frame, the first piece is the linear part of the
    datagram's buffer, each further one a page of its own."""

    def __init__(self, ns, name):
        self._fd = _open(ns, name, _NAPI | _NAPI_FRAGS)

    def send(self, frame, *cuts):
        """Cut at these offsets."""
        ends = list(cuts) + [len(frame)]
        os.writev(self._fd, [frame[start:end] for start, end
                             in zip([0] + ends, ends)])

    def close(self):
        os.close(self._fd)


class GuestTap:
    """One as a virtual machine has: its frames come with what is still to be
    done to them, so that the offloads of the machine's card are real."""

    def __init__(self, ns, name):
        self._fd = _open(ns, name, _VNET_HDR)

    def send(self, frame, gso=NO_GSO, size=0, checksum=None):
        """@size: that of a segment's payload; @checksum: where the checksum
        that is to be computed begins in the frame, and how far from there it
        is written, if it is to be."""
        start, offset = checksum or (0, 0)
        os.write(self._fd, struct.pack(
            "=BBHHHH", _NEEDS_CSUM if checksum else 0, gso, start + 20, size,
            start, offset) + frame)

    def close(self):
        os.close(self._fd)
