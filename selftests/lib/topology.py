# SPDX-License-Identifier: GPL-2.0-only
"""Routers that the corpus of lib/corpus.py is thrown at: their interfaces, VRFs,
routes and rules, in the words of ip(8). From the same data namespaces are set up
(lib/field.py) and the model predicts (lib/routing.py).

PLAIN is the router that lib/corpus.py draws. draw() makes others at random: on
the same links, with the same addresses, but

    vrf             some of the links are in the VRF red, and SRv6 leads into it;
                    routes of either table may lead out by a link of the other
    rules           rules of ip-rule(8), before the local table or after it
    encapsulation   routes into a tunnel, into SRv6, and with an MTU of their own

The tunnel t runs over the link u; s is the link that has SRv6. Both are nobody
else's.
"""

import collections
import random
import re

from . import corpus
from .routing import LOCAL_FIRST, LOCAL_LAST, VRF_PREF, Route, number

# kind: wire, vrf, ipip or gre
Link = collections.namedtuple("Link", "name addresses mtu conf vrf kind",
                              defaults=(1500, {}, None, "wire"))

VRF, VRF_TABLE, VRF_ADDRESS = "red", "100", "10.45.0.1"
TUNNEL, TUNNEL_ADDRESS, TUNNEL_PEER = "t", "10.48.0.1", "10.48.0.2"
UNDERLAY, OUTER = "u", ("192.0.4.1", "192.0.4.2")
SEGMENTS = "s"
CODED = SEGMENTS + "6"  # where the model has what leaves by s in SRv6
SEGMENT, OWN_SEGMENT = "fc00:5::1", "fc00::4"
PROXY_TABLE = "88"
# Rules that keep what the bench itself needs out of reach of all others.
BENCH = ("pref 1 iif marker lookup main", "pref 2 to 192.0.2.0/31 lookup main",
         "pref 2 to %s lookup main" % OUTER[1])
KINDS = ("vrf", "rules", "encapsulation")
_NARROW = 800  # a large datagram of the corpus is larger

# What routes are drawn for.
_NETWORKS = ("10.9.0.0/16", "10.10.0.0/16", "10.11.0.0/16", "10.12.0.0/16",
             "10.13.0.0/16", "10.14.0.0/16", "10.15.0.0/16",
             "198.51.100.0/24")
_HOSTS = ("10.9.0.1", "10.12.0.1", "10.12.0.2", "10.13.0.9", "10.14.0.1",
          "10.2.9.2", "10.3.0.2")


def _preference(rule):
    return int(rule.split()[1])


class Topology:

    def __init__(self, links=tuple(Link(*link) for link in corpus.LINKS),
                 loopback=corpus.LOOPBACK, routes=corpus.ROUTES, rules=(),
                 vrfs=(), marks=(), local_first=True, settings=(), into_vrf=True):
        self.links, self.loopback = tuple(links), loopback
        self.routes, self.rules = tuple(routes), tuple(rules)
        self.vrfs = dict(vrfs)  # name: table
        self.marks = dict(marks)  # source: what nft sets
        self.local_first = local_first
        self.settings = dict(settings)  # of srcroute
        self.into_vrf = into_vrf  # can SRv6 lead there?

    def added_rules(self):
        """In their order, the bench's own first."""
        return sorted([*BENCH, *self.rules], key=_preference) if self.rules \
            else []

    def all_rules(self):
        """The kernel's own among them."""
        rules = ["pref %d lookup local" % (LOCAL_FIRST if self.local_first
                                           else LOCAL_LAST),
                 "pref 32766 lookup main", "pref 32767 lookup default"]
        if self.vrfs:
            rules.append("pref %d l3mdev" % VRF_PREF)
        return sorted(rules + self.added_rules(), key=_preference)

    def names(self, *kinds):
        return [link.name for link in self.links if link.kind in kinds]

    def tunnel(self):
        """The link that is one, or None."""
        return next((link for link in self.links if link.kind in ("ipip",
                                                                  "gre")), None)

    def extra_own(self):
        return [a.partition("/")[0] for link in self.links
                if link.kind != "wire" for a in link.addresses]

    def extra_neighbours(self):
        return [TUNNEL_PEER] if self.tunnel() else []

    def near(self):
        """Sources that each way in should have; one is SRv6, into the VRF."""
        near = dict(corpus.NEAR)
        if self.into_vrf and self.names("vrf") and SEGMENTS in self.names("wire"):
            near[VRF] = tuple(a for link in self.links if link.vrf == VRF
                              for a in corpus.NEAR.get(link.name, ()))
        return near

    def tos(self):
        """Values that rules ask for."""
        found = [re.search(r" tos (\S+)", text) for text in self.rules]
        return [int(match[1], 16) for match in found if match]

    def narrow(self):
        """Addresses of the corpus whose route is too narrow for its large
        datagrams, in one table or another."""
        mtus = {link.name: link.mtu for link in self.links}
        routes = [route for route in map(Route.parse, self.routes) if route.dev
                  and 0 < (route.mtu or mtus.get(route.dev, 0)) < _NARROW]
        return [a for a in corpus.FAR + corpus.DIRECT + corpus.NEAR["d"]
                if a in corpus.NARROW or
                any(route.holds(number(a)) for route in routes)]

    def __str__(self):
        lines = ["%s%s: %s, mtu %d %s" % (
            link.name, " in " + link.vrf if link.vrf else "",
            ", ".join(link.addresses) or "no address", link.mtu,
            link.conf or "") for link in self.links]
        return "\n".join(lines + list(self.routes) + self.all_rules() +
                         ["marks %s, settings %s" % (self.marks,
                                                     self.settings)])


PLAIN = Topology()
# Another, with a route for those that bear a mark.
MARK = 7
MARKED = {"routes": corpus.ROUTES + ("10.9.0.0/16 via 10.3.0.2 table 77",),
          "rules": ("pref 100 fwmark %d lookup 77" % MARK,)}


def draw(seed, *kinds, segments=True):
    """A topology of these KINDS. segments: can SRv6 lead into a VRF?"""
    return _Draw(seed, kinds, segments).topology()


class _Draw:

    def __init__(self, seed, kinds, segments):
        self._random = random.Random("%s %s" % (seed, kinds))
        self.vrf, self.rules, self.encapsulation = [kind in kinds
                                                    for kind in KINDS]
        self._segments = segments and self.vrf
        self.links = []

    def _chance(self, chance):
        return self._random.random() < chance

    def topology(self):
        r = self._random
        self._draw_links()
        local_first = not (self.vrf or self.rules) or self._chance(.4)
        routes = self._routes("main", None)
        if self.vrf:
            routes += self._routes(VRF_TABLE, VRF)
        marks = {}
        if self.rules:
            routes += self._routes("77", None) + self._routes("78", None)
            routes.append("local 0.0.0.0/0 dev lo table " + PROXY_TABLE)
            marks = {"10.1.0.3": 4}
        return Topology(
            self.links, routes=routes, rules=self._rules() if self.rules
            else (), vrfs={VRF: VRF_TABLE} if self.vrf else (), marks=marks,
            local_first=local_first, into_vrf=self._segments, settings={
                "lsrr": 1, "ssrr": 1,
                "nonlocal": int(not self._chance(.1)),
                "revisit": int(not self._chance(.25)),
                "reverse_errors": r.randrange(2),
                "mark": r.choice((0, 3)) if self.rules else 0})

    # Interfaces

    def _draw_links(self):
        r = self._random
        enslaved = self._enslaved() if self.vrf else ()
        for name, addresses, mtu, conf in corpus.LINKS:
            conf = dict(conf, accept_source_route=int(self._chance(.7)))
            if name in "cd":
                conf["rp_filter"] = r.choice((0, 1, 2))
            self.links.append(Link(name, addresses, mtu, conf,
                                   VRF if name in enslaved else None))
        if self.encapsulation or self._segments:
            self.links.append(Link(SEGMENTS, r.choice((("10.7.0.1/24",),
                                                       ()))))
        if self.encapsulation:
            self._draw_tunnel()
        if self.vrf:
            addresses = (VRF_ADDRESS + "/32",) if self._chance(.6) else ()
            self.links.insert(0, Link(
                VRF, addresses, 65536,
                {"accept_source_route": int(self._chance(.5))}, VRF, "vrf"))

    def _enslaved(self):
        """At least one of the first three, and not all of them."""
        r = self._random
        some = r.sample("abc", r.choice((1, 2, 2)))
        return some + r.sample("def", r.randrange(3))

    def _draw_tunnel(self):
        r = self._random
        self.links.append(Link(UNDERLAY, (OUTER[0] + "/30",)))
        addresses = (TUNNEL_ADDRESS + "/30",) if self._chance(.7) else ()
        self.links.append(Link(
            TUNNEL, addresses, r.choice((400, 500, 1400)), {},
            VRF if self.vrf and self._chance(.5) else None,
            r.choice(("ipip", "gre"))))

    def _inside(self, vrf):
        return [link for link in self.links if link.vrf == vrf and
                link.kind == "wire" and link.name in corpus.NEAR]

    # Routes

    def _routes(self, table, vrf):
        """Of a table, whose own links are those of a VRF or of none."""
        wide = list(_NETWORKS)
        if vrf or self.vrf:
            # The networks of the other table are far ones here.
            wide += [".".join(corpus.NEAR[link.name][0].split(".")[:3]) +
                     ".0/24" for link in self._inside(None if vrf else VRF)
                     if table in ("main", VRF_TABLE)]
        routes = [self._route(net, vrf) for net in wide if self._chance(.75)]
        routes += [self._route(host + "/32", vrf) for host in _HOSTS
                   if self._chance(.35)]
        routes += self._default(table, vrf)
        if table != "main":
            routes = [route + " table " + table for route in routes]
        return routes

    def _default(self, table, vrf):
        """Not by a link without a gateway: an address that nobody has would be
        asked for."""
        if vrf and self._chance(.5):
            return ["unreachable 0.0.0.0/0 metric 4278198272"]
        if self._chance(.3 if table == "main" else .5):
            ways = [self._by_gateway]
            if self.encapsulation:
                ways += [self._by_tunnel, self._by_segments]
            return ["0.0.0.0/0" + self._random.choice(ways)(vrf)]
        return []

    def _route(self, net, vrf):
        r = self._random
        if self._chance(.1):
            return r.choice(("blackhole ", "unreachable ", "prohibit ")) + net
        ways = [self._by_gateway, self._by_gateway, self._by_link]
        if net.endswith("/32"):
            ways.append(lambda vrf: self._onlink(net[:-3], vrf))
        else:
            ways.append(lambda vrf: self._onlink("10.99.0.1", vrf))
        if self.encapsulation:
            ways += [self._by_tunnel, self._by_segments] * 2
        return net + r.choice(ways)(vrf)

    def _some_link(self, vrf):
        """Now and then one of the other table: a leak."""
        inside = self._inside(vrf)
        if self.vrf and self._chance(.2):
            inside = self._inside(None if vrf else VRF)
        return self._random.choice(inside).name

    def _mtu(self):
        if not self.encapsulation or self._chance(.6):
            return ""
        return " mtu %d" % self._random.choice((300, 500, 600))

    def _by_gateway(self, vrf):
        link = self._some_link(vrf)
        gateway = self._random.choice(corpus.NEAR[link])
        hint = " src %s" % corpus.LOOPBACK[0][:-3] \
            if not self.vrf and self._chance(.1) else ""
        return " via %s dev %s onlink%s%s" % (gateway, link, hint,
                                              self._mtu())

    def _onlink(self, gateway, vrf):
        return " via %s dev %s onlink%s" % (gateway, self._some_link(vrf),
                                            self._mtu())

    def _by_link(self, vrf):
        return " dev %s%s" % (self._some_link(vrf), self._mtu())

    def _by_tunnel(self, _):
        return " dev %s%s" % (TUNNEL, self._mtu())

    @staticmethod
    def _by_segments(_):
        return " encap seg6 mode encap segs %s dev %s" % (SEGMENT, SEGMENTS)

    # Rules

    def _rules(self):
        r = self._random
        prefs = sorted(r.sample(range(100, 2000), r.randrange(2, 7)))
        return ["pref %d %s%s" % (pref, self._selectors(), self._action())
                for pref in prefs]

    def _selectors(self):
        r = self._random
        # What a rule of `iif` says of a VRF differs from kernel to kernel.
        makers = [self._from, self._from, self._to, self._to, self._tos,
                  self._mark, self._proto, self._ports] + \
            [self._iif, self._iif] * (not self.vrf)
        chosen = r.sample(makers, r.choice((1, 1, 1, 2)))
        texts = dict(maker().split() for maker in chosen)  # each key once
        return ("not " if self._chance(.15) else "") + "".join(
            "%s %s " % item for item in texts.items())

    def _from(self):
        near = self._random.choice(corpus.NEAR["a"] * 2 + corpus.NEAR["b"] +
                                   corpus.NEAR["c"])
        return "from " + self._random.choice(
            (near, near.rsplit(".", 1)[0] + ".0/24"))

    def _to(self):
        return "to " + self._random.choice(
            _NETWORKS + _HOSTS + corpus.OWN + corpus.NEIGHBOURS)

    def _tos(self):
        return "tos 0x%02x" % self._random.choice((0x04, 0x08, 0x10, 0x18))

    def _mark(self):
        return "fwmark " + self._random.choice(("4", "3", "7", "1/1", "4/4"))

    def _proto(self):
        return "ipproto " + self._random.choice(("udp", "tcp", "icmp", "gre"))

    def _ports(self):
        return self._random.choice(("sport 4000", "dport 9", "dport 4000"))

    def _iif(self):
        return "iif " + self._random.choice("abc")

    def _action(self):
        r = self._random
        table = r.choice(("77", "78"))
        return r.choice((
            "lookup " + table, "lookup " + table, "lookup " + table,
            "lookup %s suppress_prefixlength %d" % (
                table, r.choice((0, 15, 16, 24, 31))),
            "lookup main suppress_prefixlength %d" % r.choice((0, 16)),
            "lookup " + PROXY_TABLE, "blackhole", "unreachable", "prohibit"))
