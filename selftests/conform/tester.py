# SPDX-License-Identifier: GPL-2.0-only
"""The hosts around a device, played by one process: they answer ARP, send a datagram
and say what has come of it.
"""

import select
import socket
import struct
import time

from around import IN, OUT
from lib.packet import addr, ip

_ETH_ALL, _IGNORE_OUTGOING, _SOL_PACKET = 3, 23, 263
EVERYONE = b"\xff" * 6
SILENT = addr("192.0.2.66"), addr("198.51.100.66")  # the hosts that answer no ARP


class Side:
    """One cable: every address on it but the device's own is answered for."""

    def __init__(self, tester, name, device):
        with tester:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.socket.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
            self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)
            self.socket.bind((name, _ETH_ALL))
        self.own = self.socket.getsockname()[4]
        self.device, self.device_is = addr(device), None
        self.got = []

    def ask(self, host):
        self.socket.send(EVERYONE + self.own + struct.pack(
            "!HHHBBH6s4s6s4s", 0x806, 1, 0x800, 6, 4, 1, self.own, addr(host),
            bytes(6), self.device))

    def send(self, datagram, to=None):
        self.socket.send((to or self.device_is) + self.own + b"\x08\0" + datagram)

    def read(self):
        frame = self.socket.recv(65536)
        if frame[12:14] == b"\x08\x06":
            self._arp(frame[14:42])
        elif frame[12:14] == b"\x08\0":
            length = int.from_bytes(frame[16:18], "big")
            self.got.append((frame[:6], frame[14:14 + length]))

    def _arp(self, arp):
        op, sender, target = arp[6:8], arp[14:18], arp[24:28]
        if sender == self.device:
            self.device_is = arp[8:14]
        if op == b"\0\x01" and target != self.device and target not in SILENT:
            self.socket.send(arp[8:14] + self.own + b"\x08\x06" + arp[:6] + b"\0\x02" +
                             self.own + target + arp[8:18])


class Tester:
    """Both sides of a place. Silence is told by a marker for each side, an ordinary
    datagram that is sent after the one in question and forwarded after it."""

    MARKER = "203.0.113.1"

    def __init__(self, place, addresses, hosts):
        """addresses: of the device; hosts: one on each side."""
        self.sides = [Side(place.tester, name, device) for name, device in
                      zip((IN, OUT), addresses)]
        self._hosts, self._serial = hosts, 0
        for side, host in zip(self.sides, hosts):
            side.ask(host)
            self.wait(lambda side=side: side.device_is)
        for host in hosts:
            self.know(host)

    def know(self, host):
        """Have the device ask for the neighbour on the way to a host, and wait."""
        mark = ip(self.MARKER, host, payload=b"who are you", proto=253)
        self.sides[0].send(mark)
        self.wait(lambda: any(d[16:] == mark[16:] for s in self.sides for _, d in s.got))
        for side in self.sides:
            side.got.clear()

    def wait(self, true, seconds=5):
        end = time.monotonic() + seconds
        while not true():
            ready = select.select([s.socket for s in self.sides], [], [],
                                  max(0, end - time.monotonic()))[0]
            if not ready:
                raise TimeoutError("nothing came in %d s" % seconds)
            for side in self.sides:
                if side.socket in ready:
                    side.read()

    def exchange(self, *datagrams, to=None, side=0):
        """What came out of each side, in order."""
        for datagram in datagrams:
            self.sides[side].send(datagram, to)
        self._serial += 1
        mark = b"marker %d" % self._serial
        for host in self._hosts:
            self.sides[side].send(ip(self.MARKER, host, payload=mark, proto=253))
        self.wait(lambda: all(any(d[20:] == mark for _, d in s.got)
                              for s in self.sides))
        out = []
        for s in self.sides:
            out.append([d for _, d in s.got if d[12:16] != addr(self.MARKER)])
            s.got.clear()
        return out
