# SPDX-License-Identifier: GPL-2.0-only
"""A network that is a function: what leaves a host is given to it, and what it
returns comes back. Whoever wants routers that lie, lose or limit writes them here.
"""

import heapq
import itertools
import select
import threading
import time

from . import ktap
from .netns import Netns, Wire, cable

GATEWAY = "10.220.0.254"


class Later:
    """What is sent so many seconds after that which it answers."""

    def __init__(self, seconds, datagram):
        self.seconds, self.datagram = seconds, datagram


class Mimic:
    """A host with one link, on which everything is answered by answer(datagram):
    datagrams, pairs of a datagram and the link-layer address it is sent to, or one of
    these Later."""

    HOST, NEAR = "10.220.0.1", "02:00:00:00:0a:01"

    def __init__(self, answer=lambda datagram: ()):
        self.answer, self.seen, self.failed = answer, [], None
        self.busy = False  # with an answer to the last one seen
        self.host, self.world = Netns("host"), Netns("mimic")
        ktap.cleanup(self.close)
        cable(self.host, "out", self.world, "mimic",
              "addr add %s/24 dev out" % self.HOST, address=self.NEAR)
        self.wire = Wire(self.world, "mimic",
                         bytes.fromhex(self.NEAR.replace(":", "")))
        self.host.ip(
            "neigh replace %s lladdr %s dev out nud permanent" % (
                GATEWAY, self.wire.own.hex(":")),
            "route add default via " + GATEWAY)
        self._stop, self._held, self._number = False, [], itertools.count()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _send(self, one):
        if isinstance(one, Later):
            # The number keeps datagrams of one moment in order.
            heapq.heappush(self._held, (time.monotonic() + one.seconds,
                                        next(self._number), one.datagram))
        else:
            self.wire.send(*(one if isinstance(one, tuple) else (one,)))

    def _next_held(self):
        """Send what is due; how long until there is more, 0.1 s at most."""
        while self._held and self._held[0][0] <= time.monotonic():
            self._send(heapq.heappop(self._held)[-1])
        return min(0.1, max(0, self._held[0][0] - time.monotonic())) \
            if self._held else 0.1

    def _run(self):
        while not self._stop:
            try:
                if not select.select([self.wire.sock], [], [], self._next_held())[0]:
                    continue
                datagram = self.wire.receive(1)
                self.busy = True
                self.seen.append(datagram)
                for one in self.answer(datagram):
                    self._send(one)
                self.busy = False
            except Exception as error:  # the thread has nobody to catch it
                self.failed = error
                return

    def close(self):
        self._stop = True
        self._thread.join()
        self.wire.sock.close()
        self.host.close()
        self.world.close()
        if self.failed:
            raise self.failed
