# SPDX-License-Identifier: GPL-2.0-only
"""Links of the device: frames by AF_PACKET, ARP, and what a bad link does to both.

The kernel takes no part: the interfaces have no addresses in the namespace, so it
answers no ARP and drops all IPv4 that comes.
"""

import fcntl
import heapq
import itertools
import random
import select
import socket
import struct
import time

ETH_ALL, ETH_IP, ETH_ARP = 3, 0x0800, 0x0806
_SOL_PACKET, _IGNORE_OUTGOING = 263, 23
_SIOCGIFHWADDR, _SIOCGIFMTU = 0x8927, 0x8921
HOST, BROADCAST, MULTICAST = 0, 1, 2
EVERYONE = b"\xff" * 6
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_TRIES, _APART, _WAITING = 3, 0.2, 1024


class Clock:
    """Calls that are due later."""

    def __init__(self):
        self._due, self._count = [], itertools.count()

    def after(self, seconds, function, *args):
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._count),
                                   function, args))

    def run(self):
        """Make those that are due; how long until the next one, or None."""
        while self._due:
            left = self._due[0][0] - time.monotonic()
            if left > 0:
                return left
            _, _, function, args = heapq.heappop(self._due)
            function(*args)
        return None


class Weather:
    """What happens to frames on a bad link: in each direction some are lost; of
    those that are sent some are delayed, some doubled, and some pass the others."""

    def __init__(self, clock, loss=0, delay=0, reorder=0, double=0, seed=None):
        self._clock, self._random = clock, random.Random(seed)
        self._loss, self._delay = loss / 100, delay / 1000
        self._reorder, self._double = reorder / 100, double / 100

    def _happens(self, probability):
        return probability and self._random.random() < probability

    def receives(self):
        return not self._happens(self._loss)

    def send(self, function, *args):
        if self._happens(self._loss):
            return
        for _ in range(1 + bool(self._happens(self._double))):
            if not self._delay or self._happens(self._reorder):
                function(*args)
            else:
                self._clock.after(self._delay, function, *args)


class Neighbour:
    """An address of a link: known, or asked for while datagrams wait."""

    def __init__(self):
        self.hardware, self.waiting, self.tries = None, [], 0


class Link:
    """One interface: raw socket, ARP."""

    def __init__(self, port, clock, weather, gives_up):
        self.port, self._clock, self._weather = port, clock, weather
        self._gives_up, self._neighbours = gives_up, {}
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        for option in 33, socket.SO_RCVBUF:  # SO_RCVBUFFORCE, where we may
            try:
                self.socket.setsockopt(socket.SOL_SOCKET, option, 1 << 24)
                break
            except OSError:
                continue
        self.socket.bind((port.name, ETH_ALL))
        self.socket.setblocking(False)
        self.own = self._ask(_SIOCGIFHWADDR)[18:24]
        self.port.mtu = struct.unpack("i", self._ask(_SIOCGIFMTU)[16:20])[0]

    def _ask(self, request):
        return fcntl.ioctl(self.socket, request,
                           struct.pack("256s", self.port.name.encode()))

    # Frames

    def frames(self):
        """(kind, ethertype, octets) of those that are there; others' are not ours,
        though a bridge or a hub shows them."""
        for _ in range(64):
            try:
                frame, (_, ethertype, kind, *_) = self.socket.recvfrom(65536)
            except (BlockingIOError, InterruptedError):
                return
            if kind > MULTICAST or len(frame) < 14 or not self._weather.receives():
                continue
            yield kind, ethertype, frame

    def _put(self, frame):
        try:
            self.socket.send(frame)
        except OSError:
            pass  # the link is down or full: as if it were lost on the way

    def _frame(self, to, ethertype, octets):
        self._weather.send(self._put, to + self.own +
                           ethertype.to_bytes(2, "big") + octets)

    # ARP (RFC 826)

    def arp(self, octets):
        if len(octets) < _ARP.size:
            return
        hard, proto, hlen, plen, op, sha, spa, tha, tpa = _ARP.unpack_from(octets)
        if (hard, proto, hlen, plen) != (1, ETH_IP, 6, 4) or sha[0] & 1:
            return
        ours = tpa in self.port.own
        if self.port.holds(spa) and spa not in self.port.own:
            if ours or spa in self._neighbours:
                self._learn(spa, sha)
        if op == 1 and ours:
            self._say(sha, 2, tpa, sha, spa)

    def _say(self, to, op, own, hardware, address):
        self._frame(to, ETH_ARP, _ARP.pack(1, ETH_IP, 6, 4, op, self.own, own,
                                           hardware, address))

    def _learn(self, address, hardware):
        known = self._neighbours.setdefault(address, Neighbour())
        known.hardware = hardware
        waiting, known.waiting = known.waiting, []
        for datagram, _ in waiting:
            self._frame(hardware, ETH_IP, datagram)

    def _ask_for(self, address):
        known = self._neighbours[address]
        if known.hardware:
            return
        if known.tries == _TRIES:
            del self._neighbours[address]
            for _, arrival in known.waiting:
                self._gives_up(arrival)
            return
        known.tries += 1
        self._say(EVERYONE, 1, self.port.address_for(address), bytes(6), address)
        self._clock.after(_APART, self._ask_for, address)

    def send(self, next_hop, datagram, arrival, broadcast):
        """To a neighbour, when it is known; an error about `arrival` if it is not."""
        if broadcast:
            self._frame(EVERYONE, ETH_IP, datagram)
            return
        known = self._neighbours.get(next_hop)
        if known and known.hardware:
            self._frame(known.hardware, ETH_IP, datagram)
            return
        if not known:
            known = self._neighbours[next_hop] = Neighbour()
        known.waiting.append((datagram, arrival))
        del known.waiting[:-_WAITING]
        if not known.tries:
            self._ask_for(next_hop)


class Loop:
    """Receives on every link until it is told to stop."""

    def __init__(self, clock):
        self._clock, self._poll, self._links = clock, select.poll(), {}

    def add(self, link, receive):
        self._poll.register(link.socket, select.POLLIN)
        self._links[link.socket.fileno()] = link, receive

    def run(self):
        while True:
            left = self._clock.run()
            wait = None if left is None else max(0, left * 1000) + 1
            for number, _ in self._poll.poll(wait):
                link, receive = self._links[number]
                for kind, ethertype, frame in link.frames():
                    if ethertype == ETH_IP:
                        receive(link.port, kind, frame[14:])
                    elif ethertype == ETH_ARP:
                        link.arp(frame[14:])
