# SPDX-License-Identifier: GPL-2.0-only
"""Frames put into the receive path of a device in one list, from inside the
kernel: BPF_PROG_TEST_RUN on an XDP program that passes everything.
"""

import ctypes
import os
import socket
import struct

_SYS_BPF = {"x86_64": 321, "s390x": 351, "aarch64": 280,
            "armv7l": 386}[os.uname().machine]
_PROG_LOAD, _TEST_RUN = 5, 10
_XDP, _LIVE_FRAMES = 6, 1 << 1
_PASS = struct.pack("=BBhi", 0xB7, 0, 0, 2) + struct.pack("=BBhi", 0x95, 0, 0,
                                                         0)
_libc = ctypes.CDLL(None, use_errno=True)


def _bpf(command, attributes):
    attr = ctypes.create_string_buffer(attributes, len(attributes))
    done = _libc.syscall(_SYS_BPF, command, attr, len(attributes))
    if done < 0:
        error = ctypes.get_errno()
        raise OSError(error, "bpf: " + os.strerror(error))
    return done


def _load():
    licence = ctypes.create_string_buffer(b"GPL")
    code = ctypes.create_string_buffer(_PASS, len(_PASS))
    return _bpf(_PROG_LOAD, struct.pack(
        "=IIQQIIQ", _XDP, len(_PASS) // 8, ctypes.addressof(code),
        ctypes.addressof(licence), 0, 0, 0))


def inject(ns, dev, frame, number):
    """The same frame that many times, up to 64, as one received list. The
    device needs a receive queue: for veth, GRO on."""
    data = ctypes.create_string_buffer(frame, len(frame))
    with ns:
        ifindex = socket.if_nametoindex(dev)
    context = struct.pack("=IIIIII", 0, len(frame), 0, ifindex, 0, 0)
    ctx = ctypes.create_string_buffer(context, len(context))
    program = _load()
    try:
        with ns:
            _bpf(_TEST_RUN, struct.pack(
                "=IIIIQQIIIIQQIII4x", program, 0, len(frame), 0,
                ctypes.addressof(data), 0, number, 0, len(context), 0,
                ctypes.addressof(ctx), 0, _LIVE_FRAMES, 0, number))
    finally:
        os.close(program)
