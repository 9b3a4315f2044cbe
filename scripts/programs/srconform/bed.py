# SPDX-License-Identifier: GPL-2.0-only
"""Every host, neighbour and gateway around the device: they answer ARP, send, and hand
over what comes to them. Each has a hardware address of its own, so that the next hop
that the device has chosen is to be seen on the wire.
"""

import select
import time

from . import wire
from .plan import IN, OUT
from .port import Port

LINKS = {"broadcast": wire.BROADCAST, "multicast": b"\x01\x00\x5e\x00\x00\x01"}


class Frame:
    """One that was sent or received, for the capture."""

    __slots__ = ("time", "side", "sent", "octets", "comment")

    def __init__(self, when, side, sent, octets):
        self.time, self.side, self.sent = when, side, sent
        self.octets, self.comment = octets, ""


class Bed:
    """The tester's stations. `arrive` is called with (side, time, hardware address,
    datagram's octets, frame) for each IPv4 datagram that the device sends."""

    def __init__(self, plan, inside, outside=None, ports=None):
        self.plan = plan
        if ports is None:
            ports = {IN: Port(inside)}
            ports[OUT] = ports[IN] if plan.single else Port(outside)
        self.ports = ports
        self.dut = {IN: None, OUT: None}
        self.asked = {IN: set(), OUT: set()}    # addresses that the device has asked for
        self.claims = {IN: {}, OUT: {}}         # {address: {hardware address}}
        self.arrive = lambda *_: None
        self.capture = []
        self.stations = set()   # hardware addresses that something was sent from
        self.looped = False     # our own frames come back by another interface

    def close(self):
        for port in set(self.ports.values()):
            port.close()

    def station(self, side, source):
        """The hardware address that a datagram of this source comes from."""
        if self.plan.plays(side, source):
            return self.plan.mac(side, source)
        return self.plan.mac(side, self.plan.gateway(side))

    def send(self, side, datagram, source, link="dut"):
        """The frame of it."""
        to = LINKS.get(link) or self.dut[side] or wire.BROADCAST
        return self._send(side, to, self.station(side, source), wire.ETH_IP, datagram)

    def _send(self, side, to, sender, kind, body):
        self.stations.add(sender)
        when = self.ports[side].send(to, sender, kind, body)
        frame = Frame(when, side, True, wire.frame(to, sender, kind, body))
        self.capture.append(frame)
        return frame

    def ask(self, side, address):
        """Ask by ARP who has an address, as a neighbour."""
        asker = next(p for p in self.plan.on_link(side) if address in p).host(-8)
        mac = self.plan.mac(side, asker)
        self._send(side, wire.BROADCAST, mac, wire.ETH_ARP,
                   wire.arp(1, mac, asker, b"\0" * 6, address))

    def pump(self, seconds, done=lambda: False):
        """Take what comes for so long, or until done() holds. True if it does."""
        end = time.monotonic() + seconds
        ports = list(set(self.ports.values()))
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                self._drain(ports)
                return done()
            ready, _, _ = select.select(ports, [], [], left)
            self._drain(ready)
        return True

    def _drain(self, ports):
        for port in ports:
            got = port.receive()
            while got:
                self._take(port, *got)
                got = port.receive()

    def _side(self, port, to):
        """The side a frame is for: with one interface, that of the station."""
        if not self.plan.single:
            return IN if port is self.ports[IN] else OUT
        return OUT if to[1] == 0x0B else IN

    def _take(self, port, when, to, sender, kind, body):
        side = self._side(port, to)
        frame = Frame(when, side, False, wire.frame(to, sender, kind, body))
        self.capture.append(frame)
        if sender in self.stations:
            self.looped = True
        elif kind == wire.ETH_ARP:
            self._take_arp(side, sender, body)
        elif kind == wire.ETH_IP:
            self.arrive(side, when, to, body, frame)

    def _take_arp(self, side, sender, body):
        got = wire.read_arp(body)
        if not got:
            return
        operation, mac, address, target = got
        sides = (IN, OUT) if self.plan.single else (side,)
        for each in sides:
            self.claims[each].setdefault(address, set()).add(mac)
            if operation == 1:
                self.asked[each].add(target)
                if self.plan.plays(each, target):
                    mine = self.plan.mac(each, target)
                    self._send(each, sender, mine, wire.ETH_ARP,
                               wire.arp(2, mine, target, mac, address))

    def find_dut(self, seconds=1.0, tries=3):
        """Learn the device's hardware address on each side: what is missing."""
        missing = []
        for side in IN, OUT:
            for address in self.plan.own(side):
                if not self._find(side, address, seconds, tries):
                    missing.append((side, address))
        return missing

    def other_side(self, side, address):
        """Does somebody answer for it on the other side, asked by a neighbour there?"""
        other = OUT if side == IN else IN
        mac = self.plan.mac(other, self.plan.gateway(side))
        self._send(other, wire.BROADCAST, mac, wire.ETH_ARP, wire.arp(
            1, mac, self.plan.gateway(side), b"\0" * 6, address))
        return self.pump(1.0, lambda: address in self.claims[other])

    def _find(self, side, address, seconds, tries):
        for _ in range(tries):
            self.ask(side, address)
            if self.pump(seconds, lambda: address in self.claims[side]):
                self.dut[side] = self.dut[side] or min(self.claims[side][address])
                return True
        return False
