# SPDX-License-Identifier: GPL-2.0-only
"""A network that is a function: what leaves a host is given to it, and what it
returns comes back. Whoever wants routers that lie, lose or limit writes them here.
"""

import select
import threading

from . import ktap
from .netns import Netns, Wire, cable

GATEWAY = "10.220.0.254"


class Mimic:
    """A host with one link, on which everything is answered by answer(datagram):
    datagrams, or pairs of a datagram and the link-layer address it is sent to."""

    HOST, NEAR = "10.220.0.1", "02:00:00:00:0a:01"

    def __init__(self, answer=lambda datagram: ()):
        self.answer, self.seen, self.failed = answer, [], None
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
        self._stop = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop:
            if not select.select([self.wire.sock], [], [], 0.1)[0]:
                continue
            datagram = self.wire.receive(1)
            self.seen.append(datagram)
            try:
                for one in self.answer(datagram):
                    self.wire.send(*(one if isinstance(one, tuple) else (one,)))
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
