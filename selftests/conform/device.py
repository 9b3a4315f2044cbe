#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A device for srconform to judge: an IPv4 router in user space that is right by the
RFCs and the contract, or wrong in one respect.

    device.py --port IF=ADDRESS/LENGTH[,...] --port ... [--route PREFIX=GATEWAY ...]
              [--fault NAME] [--choice NAME] [--loss PERCENT] [--delay MS]
              [--reorder PERCENT] [--double PERCENT] [--seed N]
    device.py --list

The interfaces must be up and have no addresses: the kernel then takes no part in IPv4
on them. In the place of a gateway a route may have `unreachable`, `prohibit` or
`blackhole`. A line on standard output says when it is ready. --loss is for each
direction; --reorder is of those frames that --delay holds back.
"""

import argparse
import signal
import sys

from dut.faults import CHOICES, FAULTS
from dut.router import Port, Router
from dut.wire import Clock, Link, Loop, Weather

LATE, PAUSE = 0.2, 0.01
QUEUE = 40


class Device:
    """The router on its links; faults of what it sends, whatever that is."""

    def __init__(self, options):
        self._clock = Clock()
        weather = Weather(self._clock, options.loss, options.delay, options.reorder,
                          options.double, options.seed)
        self._fault, self._choices = options.fault, options.choice
        self._held, self._links = [], {}
        self._queued = 0
        ports = [Port(name, addresses.split(",")) for name, addresses in options.port]
        self.router = Router(ports, options.route, self._transmit,
                             lambda name: name == self._fault,
                             lambda name: name in self._choices)
        self._loop = Loop(self._clock)
        for port in ports:
            link = Link(port, self._clock, weather, self.router.unresolved)
            self._links[port] = link
            self._loop.add(link, self.router.receive)

    def run(self):
        print("ready", flush=True)
        self._loop.run()

    def _transmit(self, port, next_hop, octets, arrival, broadcast):
        def send():
            self._links[port].send(next_hop, octets, arrival, broadcast)

        if arrival is None:  # of its own making
            send()
        elif self._fault == "late" and arrival.datagram.has_options():
            self._clock.after(LATE, send)
        elif self._fault == "reorders" and arrival.datagram.has_options():
            self._swap(send)
        elif self._fault == "loses-bursts":
            self._queue(arrival.datagram.has_options(), send)
        else:
            send()
            if self._fault == "duplicates":
                send()

    def _swap(self, send):
        if not self._held:
            self._held.append(send)
            self._clock.after(PAUSE, self._let_go)
        else:
            send()
            self._let_go()

    def _let_go(self):
        while self._held:
            self._held.pop()()

    def _queue(self, slow, send):
        """A slow path that is emptied when something else comes."""
        self._queued = self._queued + 1 if slow else 0
        if self._queued <= QUEUE:
            send()


def pair(text):
    name, equals, rest = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("NAME=VALUE is wanted: %s" % text)
    return name, rest


def parse(words):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--port", action="append", type=pair)
    parser.add_argument("--route", action="append", type=pair, default=[])
    parser.add_argument("--fault", choices=FAULTS, metavar="NAME")
    parser.add_argument("--choice", action="append", choices=CHOICES, default=[],
                        metavar="NAME")
    for name in "loss", "delay", "reorder", "double":
        parser.add_argument("--" + name, type=float, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args(words)
    if not options.list and not options.port:
        parser.error("--port is missing")
    return options


def main():
    options = parse(sys.argv[1:])
    if options.list:
        for name, fault in FAULTS.items():
            print("%-26s %s (%s)" % (name, fault.text, " ".join(fault.cases)))
        for name, text in CHOICES.items():
            print("%-26s %s (no fault)" % (name, text))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    Device(options).run()


if __name__ == "__main__":
    main()
