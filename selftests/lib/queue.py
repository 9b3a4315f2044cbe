# SPDX-License-Identifier: GPL-2.0-only
"""A user-space NFQUEUE program, by way of libnetfilter_queue."""

import ctypes
import os
import select

_lib = ctypes.CDLL("libnetfilter_queue.so.1", use_errno=True)
_ACCEPT, _COPY_PACKET = 1, 2
_callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p,
                                  ctypes.c_void_p, ctypes.c_void_p,
                                  ctypes.c_void_p)
for _name in ("nfq_open", "nfq_create_queue", "nfq_get_msg_packet_hdr"):
    getattr(_lib, _name).restype = ctypes.c_void_p


class _Header(ctypes.BigEndianStructure):
    _fields_ = [("id", ctypes.c_uint32), ("protocol", ctypes.c_uint16),
                ("hook", ctypes.c_uint8)]
    _pack_ = 1


class Queue:
    """A queue of a namespace. Datagrams wait in it until accept()."""

    def __init__(self, ns, number):
        with ns:
            self._handle = ctypes.c_void_p(_lib.nfq_open())
        self._callback = _callback_type(self._take)
        self._waiting, self.seen = [], []
        self._queue = ctypes.c_void_p(_lib.nfq_create_queue(
            self._handle, ctypes.c_uint16(number), self._callback, None))
        if not self._queue:
            raise OSError(ctypes.get_errno(), "nfq_create_queue")
        _lib.nfq_set_mode(self._queue, ctypes.c_uint8(_COPY_PACKET), 0xFFFF)
        self._fd = _lib.nfq_fd(self._handle)

    def close(self):
        _lib.nfq_destroy_queue(self._queue)
        _lib.nfq_close(self._handle)

    def _take(self, _queue, _message, data, _arg):
        data = ctypes.c_void_p(data)
        header = ctypes.cast(_lib.nfq_get_msg_packet_hdr(data),
                             ctypes.POINTER(_Header))
        payload = ctypes.POINTER(ctypes.c_ubyte)()
        length = _lib.nfq_get_payload(data, ctypes.byref(payload))
        self._waiting.append(header.contents.id)
        self.seen.append(bytes(payload[:length]))
        return 0

    def wait(self, number, seconds=5):
        """Until so many datagrams wait; all datagrams seen so far."""
        while len(self._waiting) < number:
            if not select.select([self._fd], [], [], seconds)[0]:
                raise TimeoutError("%d of %d in the queue" %
                                   (len(self._waiting), number))
            message = os.read(self._fd, 1 << 16)
            _lib.nfq_handle_packet(self._handle, message, len(message))
        return self.seen

    def accept(self, instead=b""):
        """Let all go that wait, or something else instead."""
        for number in self._waiting:
            _lib.nfq_set_verdict(self._queue, number, _ACCEPT, len(instead),
                                 instead or None)
        self._waiting.clear()
