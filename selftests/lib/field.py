# SPDX-License-Identifier: GPL-2.0-only
"""The router that the corpus of lib/corpus.py is thrown at."""

from . import corpus
from .netns import Bench

MARK, MARK_ROUTE = 7, "10.9.0.0/16 via 10.3.0.2"


class Field(Bench):
    """The router of lib/corpus.py."""

    def __init__(self, label, **settings):
        super().__init__(label)
        ns = self.router
        for scope in "all", "default":
            ns.sysctl("net.ipv4.conf.%s.accept_source_route" % scope, 1)
        for key, value in (("icmp_ratemask", 0), ("icmp_echo_ignore_all", 1),
                           ("ipfrag_time", 100000)):
            ns.sysctl("net.ipv4." + key, value)
        self._build()
        self.set(**settings)

    def _build(self):
        ns = self.router
        ns.ip(*["addr add %s dev lo" % a for a in corpus.LOOPBACK])
        for name, addresses, mtu, conf in corpus.LINKS:
            self.link(name, *addresses)
            if mtu != 1500:
                ns.ip("link set dev %s mtu %d" % (name, mtu))
            for key, value in conf.items():
                ns.sysctl("net.ipv4.conf.%s.%s" % (name, key), value)
            for key in "mcast_solicit", "ucast_solicit", "app_solicit":
                # What native takes for a next address shall not be waited
                # for.
                ns.sysctl("net.ipv4.neigh.%s.%s" % (name, key), 0)
            self.neighbour(name, *corpus.REACHABLE)
            self.sink(name)
        ns.ip(*["route add " + route for route in corpus.ROUTES])

    def policy(self):
        """A route for those that bear MARK."""
        self.router.ip("route add %s table 77" % MARK_ROUTE,
                       "rule add fwmark %d lookup 77" % MARK)
