# SPDX-License-Identifier: GPL-2.0-only
"""A router of lib/topology.py on a bench; that of lib/corpus.py if none is named."""

from . import corpus
from .netns import Bench
from .nft import nft
from .topology import (OUTER, OWN_SEGMENT, PLAIN, SEGMENT, SEGMENTS, VRF_TABLE)

_NEXT_SEGMENT = "fc00:1::2"


class Field(Bench):

    def __init__(self, label, topology=PLAIN, **settings):
        super().__init__(label)
        self.topology = topology
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
        ns.ip(*["addr add %s dev lo" % a for a in self.topology.loopback])
        for link in self.topology.links:
            self._build_link(link)
        if SEGMENTS in self.topology.names("wire"):
            self._build_segments()
        ns.ip(*["route add " + route for route in self.topology.routes])
        self._build_rules()

    def _build_link(self, link):
        ns, name = self.router, link.name
        if link.kind == "vrf":
            ns.ip("link add name %s up type vrf table %s" % (
                name, self.topology.vrfs[name]))
        elif link.kind == "wire":
            self.link(name)
        else:
            ns.ip("link add name %s up type %s local %s remote %s ttl 33" % (
                name, link.kind, *OUTER))
        # The addresses last: the table that they go to is the VRF's.
        ns.ip(*["link set dev %s master %s" % (name, link.vrf)] *
              (link.vrf not in (None, name)),
              *["addr add %s dev %s" % (a, name) for a in link.addresses])
        if link.mtu != 1500 and link.kind != "vrf":
            ns.ip("link set dev %s mtu %d" % (name, link.mtu))
        for key, value in link.conf.items():
            ns.sysctl("net.ipv4.conf.%s.%s" % (name, key), value)
        if link.kind == "wire":
            self._build_neighbours(name)

    def _build_neighbours(self, name):
        for key in "mcast_solicit", "ucast_solicit", "app_solicit":
            # What native takes for a next address shall not be waited for.
            self.router.sysctl("net.ipv4.neigh.%s.%s" % (name, key), 0)
        # Other tables may have for far hosts what is ours in this one.
        more = () if self.topology is PLAIN else \
            corpus.OWN + corpus.NOWHERE + corpus.BROADCAST[:-1]
        self.neighbour(name, *corpus.REACHABLE, OUTER[1], *more)
        self.sink(name)

    def _build_segments(self):
        """SRv6 by the link s: what is led to SEGMENT leaves by it, and what
        comes for OWN_SEGMENT goes into the VRF."""
        ns, far = self.router, self.wires[SEGMENTS].own.hex(":")
        for scope in "all", "default", SEGMENTS:
            ns.sysctl("net.ipv6.conf.%s.disable_ipv6" % scope, 0)
        ns.sysctl("net.ipv6.conf.all.forwarding", 1)
        ns.ip("addr add fc00:1::1/64 dev %s nodad" % SEGMENTS,
              "neigh replace %s lladdr %s dev %s nud permanent" % (
                  _NEXT_SEGMENT, far, SEGMENTS),
              "route add %s/128 via %s dev %s" % (SEGMENT, _NEXT_SEGMENT,
                                                  SEGMENTS))
        for name in self.topology.near():
            if name in self.topology.vrfs:
                ns.sysctl("net.vrf.strict_mode", 1)
                ns.ip("route add %s/128 encap seg6local action End.DT4 "
                      "vrftable %s dev %s" % (OWN_SEGMENT, VRF_TABLE, name))

    def _build_rules(self):
        # By the main table the marker is to have a way back.
        self.router.ip("route add %s/32 dev marker" % self.MARKER,
                       *["rule add " + rule
                         for rule in self.topology.added_rules()])
        if not self.topology.local_first:
            self.router.ip("rule add pref 32000 lookup local",
                           "rule del pref 0")
        if self.topology.marks:
            nft(self.router, "table ip marks { chain c { type filter hook "
                "prerouting priority raw; %s } }" % " ".join(
                    "ip saddr %s meta mark set %d;" % item
                    for item in self.topology.marks.items()))
