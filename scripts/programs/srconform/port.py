# SPDX-License-Identifier: GPL-2.0-only
"""An interface of the tester, by an AF_PACKET socket: CAP_NET_RAW is all it needs,
and no address of the machine is used. Time stamps are the kernel's.

A name such as eth1.10 is an interface if there is one; else VLAN 10 on eth1, whose
tags are put in and taken out here.
"""

import errno
import os
import socket
import struct
import time

from .wire import ETH_VLAN, frame

_ETH_ALL = 3
_SOL_PACKET, _ADD_MEMBERSHIP, _AUXDATA, _PROMISC = 263, 1, 8, 1
_OUTGOING = 4
_TIMESTAMPNS = 35
_TAGGED, _KIND_OF_TAG = 1 << 4, 1 << 6
_NONE_OF_OURS = -1      # the tag of a frame whose tag is no VLAN of 802.1Q


class PortError(Exception):
    """The interface cannot be used."""


def split(name):
    """(interface, VLAN or None)."""
    base, dot, vlan = name.rpartition(".")
    if not os.path.exists("/sys/class/net/" + name) and dot and vlan.isdigit() and \
            0 < int(vlan) < 4095:
        return base, int(vlan)
    return name, None


class Port:
    """send() and receive() whole frames without their tag."""

    def __init__(self, name):
        self.name = name
        device, self.vlan = split(name)
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            index = socket.if_nametoindex(device)
            self.sock.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
            self.sock.setsockopt(_SOL_PACKET, _AUXDATA, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
            self.sock.bind((device, _ETH_ALL))
            self.sock.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP,
                                 struct.pack("iHH8s", index, _PROMISC, 0, b""))
        except OSError as error:
            self.sock.close()
            raise PortError("%s: %s" % (device, error.strerror or error)) from error
        self.sock.setblocking(False)

    def fileno(self):
        return self.sock.fileno()

    def close(self):
        self.sock.close()

    def send(self, to, sender, kind, body):
        """The time at which it was given to the kernel."""
        octets = frame(to, sender, kind, body, self.vlan)
        for _ in range(50):
            now = time.time()
            try:
                self.sock.send(octets)
                return now
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.ENOBUFS):
                    raise PortError("%s: %s" % (self.name, error.strerror)) from error
            time.sleep(0.002)   # the queue is full, or there is nobody at the other end
        return now

    def receive(self):
        """(time, destination, sender, ethertype, body), or None if there is none.
        What this machine sends itself is left out, and so are other VLANs."""
        while True:
            try:
                octets, ancillary, _, address = self.sock.recvmsg(65600, 256)
            except BlockingIOError:
                return None
            except OSError as error:
                raise PortError("%s: %s" % (self.name, error.strerror)) from error
            if address[2] == _OUTGOING or len(octets) < 14:
                continue
            when, tag = self._ancillary(ancillary)
            kind = struct.unpack("!H", octets[12:14])[0]
            body = octets[14:]
            if kind == ETH_VLAN and tag is None and len(body) >= 4:
                tag, kind = struct.unpack("!HH", body[:4])
                tag = tag & 0xFFF or None
                body = body[4:]
            if tag == self.vlan:
                return when, octets[:6], octets[6:12], kind, body

    @staticmethod
    def _ancillary(ancillary):
        when, tag = time.time(), None
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == _TIMESTAMPNS and len(data) >= 16:
                seconds, nanoseconds = struct.unpack("qq", data[:16])
                when = seconds + nanoseconds / 1e9
            elif level == _SOL_PACKET and kind == _AUXDATA and len(data) >= 20:
                status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
                if status & _KIND_OF_TAG and tpid != ETH_VLAN:
                    tag = _NONE_OF_OURS
                elif status & _TAGGED:
                    tag = tci & 0xFFF or None
        return when, tag
