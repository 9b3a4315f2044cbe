# SPDX-License-Identifier: GPL-2.0-only
"""Frames put into the receive path of a device in one list, from inside the
kernel: BPF_PROG_TEST_RUN on an XDP program that passes everything.
"""

import ctypes
import os
import socket
import struct

from . import bpf

_TEST_RUN = 10
_LIVE_FRAMES = 1 << 1
_XDP_PASS = 2


def inject(ns, dev, frame, number):
    """The same frame that many times, up to 64, as one received list. The
    device needs a receive queue: for veth, GRO on."""
    data = ctypes.create_string_buffer(frame, len(frame))
    with ns:
        ifindex = socket.if_nametoindex(dev)
    context = struct.pack("=IIIIII", 0, len(frame), 0, ifindex, 0, 0)
    ctx = ctypes.create_string_buffer(context, len(context))
    program = bpf.load(bpf.XDP, bpf.returns(_XDP_PASS))
    try:
        with ns:
            bpf.call(_TEST_RUN, struct.pack(
                "=IIIIQQIIIIQQIII4x", program, 0, len(frame), 0,
                ctypes.addressof(data), 0, number, 0, len(context), 0,
                ctypes.addressof(ctx), 0, _LIVE_FRAMES, 0, number))
    finally:
        os.close(program)
