# SPDX-License-Identifier: GPL-2.0-only
"""The system call bpf(2), and short programs for it."""

import ctypes
import os
import struct

# Architectures that are younger than the system call share a number.
_SYS_BPF = {"x86_64": 321, "i686": 357, "s390x": 351, "armv7l": 386,
            "ppc64le": 361}.get(os.uname().machine, 280)
_PROG_LOAD = 5
XDP, LWT_IN = 6, 10  # types of programs
OK, LWT_REROUTE = 0, 128
_MARK = 8  # where a program finds the mark of a datagram
_libc = ctypes.CDLL(None, use_errno=True)


def call(command, attributes):
    attr = ctypes.create_string_buffer(attributes, len(attributes))
    done = _libc.syscall(_SYS_BPF, command, attr, len(attributes))
    if done < 0:
        error = ctypes.get_errno()
        raise OSError(error, "bpf: " + os.strerror(error))
    return done


def _instruction(code, dst=0, src=0, offset=0, value=0):
    """Which of the two registers is in which half of the octet depends on the order
    of octets."""
    pair = dst | src << 4 if struct.pack("=H", 1)[0] else dst << 4 | src
    return struct.pack("=BBhi", code, pair, offset, value)


def returns(value):
    return _instruction(0xB7, value=value) + _instruction(0x95)


def sets_mark(value):
    """To be followed by something that returns."""
    return _instruction(0xB7, dst=2, value=value) + \
        _instruction(0x63, dst=1, src=2, offset=_MARK)


def load(kind, program):
    """A descriptor, for the caller to close."""
    licence = ctypes.create_string_buffer(b"GPL")
    code = ctypes.create_string_buffer(program, len(program))
    return call(_PROG_LOAD, struct.pack(
        "=IIQQIIQ", kind, len(program) // 8, ctypes.addressof(code),
        ctypes.addressof(licence), 0, 0, 0))
