# SPDX-License-Identifier: GPL-2.0-only
"""A tap whose frames come in cut up: of a frame, the first piece is the linear
part of the datagram's buffer, each further one a page of its own.
"""

import fcntl
import os
import struct

from .netns import sh

_TUNSETIFF = 0x400454CA
_TAP, _NAPI, _NAPI_FRAGS, _NO_PI = 2, 0x10, 0x20, 0x1000


class Tap:
    """An interface of a namespace, down at first, for as long as this is open."""

    def __init__(self, ns, name):
        if not os.path.exists("/dev/net/tun"):
            sh(["modprobe", "tun"])
        with ns:
            self._fd = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(self._fd, _TUNSETIFF, struct.pack(
                "16sH22x", name.encode(), _TAP | _NAPI | _NAPI_FRAGS | _NO_PI))

    def send(self, frame, *cuts):
        """Cut at these offsets."""
        ends = list(cuts) + [len(frame)]
        os.writev(self._fd, [frame[start:end] for start, end
                             in zip([0] + ends, ends)])

    def close(self):
        os.close(self._fd)
