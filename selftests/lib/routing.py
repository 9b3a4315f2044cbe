# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel's routing says, as a table of rules and tables of routes, in the
words of ip-rule(8) and ip-route(8). Naive, for the model of the contract
(lib/model.py): every look-up goes through the rules from the first to the last.
"""

import collections

from . import packet

LOCAL_FIRST, VRF_PREF, LOCAL_LAST = 0, 1000, 32000
REFUSALS = ("blackhole", "unreachable", "prohibit")
PROTOCOLS = {"icmp": packet.ICMP, "tcp": packet.TCP, "udp": packet.UDP,
             "gre": 47}


def number(quad):
    return int.from_bytes(packet.addr(quad), "big")


def mask_of(length):
    return 0xFFFFFFFF << (32 - length) & 0xFFFFFFFF


def network(text):
    """(number, length) of "10.1.0.0/16" or of one address."""
    quad, _, length = text.partition("/")
    return number(quad), int(length or 32)


def never_a_source(address):
    """Martian to the kernel whatever the routes say; the rest of 0/8 is not
    (H2 leaves this check to it)."""
    return (address >> 28 == 14 or address in (0, 0xFFFFFFFF)
            or address >> 24 == 127)


class Flow(collections.namedtuple("Flow", "src tos mark iif vrf proto sport "
                                  "dport", defaults=(0, 0, 0, "lo", None, 0, 0,
                                                     0))):
    """What a rule can see of a datagram, beside the address that it is routed
    to. iif is "lo" for what is our own."""

    def back(self, towards, out):
        """The flow by which the kernel asks for the way back to the source, of
        a datagram routed towards an address and by a link, or to ourselves."""
        return self._replace(src=towards, mark=0, iif=out or "lo",
                             sport=self.dport, dport=self.sport)


class Address:
    """An address of an interface; the prefix is that of the peer, if any."""

    def __init__(self, text):
        local, _, peer = text.partition(" peer ")
        local, _, length = local.partition("/")
        self.local = number(local)
        self.length = int(length or 32)
        self.mask = mask_of(self.length)
        self.net = (number(peer) if peer else self.local) & self.mask
        self.has_peer = bool(peer)
        self.secondary = False

    def holds(self, address):
        return address & self.mask == self.net


class Route:
    """mtu is 0 where the link decides. `coded`: SRv6 takes the datagram before
    it is forwarded."""

    def __init__(self, kind, net=0, length=0, dev=None, via=0, src=0):
        self.kind, self.net, self.length = kind, net, length
        self.dev, self.via, self.src = dev, via, src
        self.mtu, self.metric, self.table = 0, 0, "main"
        self.coded = False

    @classmethod
    def parse(cls, text):
        words = [word for word in text.split() if word not in ("onlink",
                                                               "lock")]
        kind = words.pop(0) if words[0] in ("local",) + REFUSALS else "unicast"
        route = cls(kind, *network(words.pop(0)))
        given = dict(zip(words[::2], words[1::2]))
        route.dev = given.get("dev")
        route.via = number(given.get("via", "0.0.0.0"))
        route.src = number(given.get("src", "0.0.0.0"))
        route.mtu = int(given.get("mtu", 0))
        route.metric = int(given.get("metric", 0))
        route.table = given.get("table", "main")
        route.coded = given.get("encap") == "seg6"
        return route

    def holds(self, address):
        return address & mask_of(self.length) == self.net


class Rule:
    """One of ip-rule(8), with the selectors and actions that the topologies of
    the comparison have."""

    def __init__(self, text):
        self.text = text
        words = text.split()
        self.inverted = "not" in words
        if self.inverted:
            words.remove("not")
        self.kind = "lookup"
        if words[-1] in REFUSALS + ("l3mdev",):
            self.kind = words.pop()
        given = dict(zip(words[::2], words[1::2]))
        self.pref = int(given.pop("pref"))
        self.table = given.pop("lookup", None)
        self.suppressed = int(given.pop("suppress_prefixlength", -1))
        self._selectors = [self._selector(*item) for item in given.items()]

    @staticmethod
    def _selector(key, value):
        """A function of the address and the flow."""
        if key in ("from", "to"):
            net, length = network(value)
            mask = mask_of(length)
            if key == "to":
                return lambda address, _: address & mask == net
            return lambda _, flow: flow.src & mask == net
        if key == "tos":  # three bits of the DSCP are none of the TOS
            return lambda _, flow: flow.tos & 0x1C == int(value, 0)
        if key == "dscp":
            return lambda _, flow: flow.tos >> 2 == int(value, 0)
        if key == "fwmark":
            mark, _, mask = value.partition("/")
            mask = int(mask or "0xffffffff", 0)
            return lambda _, flow: flow.mark & mask == int(mark, 0)
        if key == "ipproto":
            return lambda _, flow: flow.proto == PROTOCOLS[value]
        if key in ("sport", "dport"):
            return lambda _, flow: getattr(flow, key) == int(value)
        return {"iif": lambda _, flow: flow.iif == value}[key]

    def matches(self, address, flow):
        if self.kind == "l3mdev" and not flow.vrf:
            return False
        return self.inverted != all(selects(address, flow)
                                    for selects in self._selectors)


class Router:
    """A topology of lib/topology.py as its router sees it. Before Linux 5.14 the
    lowest address of a prefix was a broadcast address, too."""

    def __init__(self, topology, lowest_is_broadcast=False):
        self._lowest_is_broadcast = lowest_is_broadcast
        self.topology = topology
        self.links, self.mtu, self.conf, self._vrf = {}, {}, {}, {}
        self._tables = collections.defaultdict(list)
        self._add_link("lo", topology.loopback, 65536, {}, None)
        for link in topology.links:
            self._add_link(*link[:5])
        self._tables["local"].append(Route("local", 127 << 24, 8, "lo"))
        for text in topology.routes:
            route = Route.parse(text)
            if route.via and not route.dev:
                route.dev = self._dev_towards(route.via)
            self._tables[route.table].append(route)
        for table in self._tables.values():
            table.sort(key=lambda route: (-route.length, route.metric))
        self._rules = [Rule(text) for text in topology.all_rules()]
        # With more rules than the kernel's own it takes the long way.
        self._custom = bool(topology.rules or topology.vrfs)
        self._known = {}

    def _add_link(self, name, addresses, mtu, conf, vrf):
        self.mtu[name], self.conf[name], self._vrf[name] = mtu, conf, vrf
        mine = self.links[name] = [Address(text) for text in addresses]
        local, main = [self._tables[self.topology.vrfs.get(vrf, table)]
                       for table in ("local", "main")]
        for i, a in enumerate(mine):
            a.secondary = any(b.net == a.net and b.mask == a.mask
                              for b in mine[:i])
            local.append(Route("local", a.local, 32, name, 0, a.local))
            if a.secondary:
                continue
            if a.has_peer or a.length < 32:
                main.append(Route("unicast", a.net, a.length, name, 0,
                                  a.local))
            if a.length < 31:
                local.append(Route("broadcast", a.net | ~a.mask & 0xFFFFFFFF,
                                   32, name, 0, a.local))
                if self._lowest_is_broadcast:
                    local.append(Route("broadcast", a.net, 32, name, 0,
                                       a.local))

    def _dev_towards(self, gateway):
        return next(name for name, addresses in self.links.items()
                    if any(a.holds(gateway) for a in addresses))

    # Routing

    def lookup(self, address, flow=Flow()):
        """The route to an address by the rules, or None. One that a rule itself
        refuses has the kind of a route that does, unless it is unreachable."""
        key = address, flow
        if key not in self._known:
            self._known[key] = self._lookup(address, flow)
        return self._known[key]

    def _lookup(self, address, flow):
        for rule in self._rules:
            if not rule.matches(address, flow):
                continue
            if rule.kind == "unreachable":
                return None     # as if no route led there, unlike such a route
            if rule.kind in REFUSALS:
                return Route(rule.kind)
            table = self.topology.vrfs[flow.vrf] if rule.kind == "l3mdev" \
                else rule.table
            route = self._in_table(table, address)
            if route and (route.kind in REFUSALS or
                          route.length > rule.suppressed):
                return route
        return None

    def _in_table(self, table, address):
        return next((route for route in self._tables[table]
                     if route.holds(address)), None)

    def kind(self, address, flow=Flow()):
        route = self.lookup(address, flow)
        return route.kind if route else None

    def forwarding(self, link):
        return self.conf[link].get("forwarding", 1)

    def accepts(self, link):
        """accept_source_route, which is on for `all`."""
        return self.conf[link].get("accept_source_route", 1)

    def source_passes(self, flow, towards, out):
        """Martian and reverse-path check of a source, for a datagram that is
        delivered (out is None) or leaves by out."""
        src, dev = flow.src, flow.iif
        if never_a_source(src):
            return False
        strict = self.conf[dev].get("rp_filter", 0)
        # The kernel goes the long way where it may have to redirect.
        if not strict and out != dev and not self._custom:
            return not self.own(src)
        # What leaks into a VRF is checked there.
        vrf = flow.vrf or out and self.vrf_of(out)
        route = self.lookup(src, flow.back(towards, out)._replace(vrf=vrf))
        if route and route.kind in ("local", "broadcast"):
            return False
        if not route or route.kind != "unicast":
            return not strict
        if dev in (route.dev, self._vrf[route.dev]):
            return True
        return not strict or strict == 2 and bool(self.links[dev])

    # Addresses: what rules say does not count

    def vrf_of(self, link):
        """A VRF's device is in it."""
        return link if link in self.topology.vrfs else self._vrf[link]

    def _type(self, address, vrf):
        route = self._in_table(self.topology.vrfs.get(vrf, "local"), address)
        return route.kind if route else None

    def own(self, address, vrf=None):
        return address >> 24 != 127 and self._type(address, vrf) == "local"

    def broadcast(self, address, vrf=None):
        return address == 0xFFFFFFFF or self._type(address,
                                                   vrf) == "broadcast"

    def primaries(self, dev):
        return [a for a in self.links[dev] if not a.secondary]

    def first_global(self, vrf=None):
        """A VRF's device comes first in it, as the loopback does elsewhere."""
        names = sorted((name for name in self.links
                        if self.vrf_of(name) == vrf),
                       key=lambda name: name != vrf)
        return next((a.local for name in names
                     for a in self.primaries(name)), 0)

    def preferred_source(self, route):
        """What the kernel takes for datagrams of its own."""
        if route.src:
            return route.src
        mine = self.primaries(route.dev)
        for a in mine:
            if not route.via or a.holds(route.via):
                return a.local
        return mine[0].local if mine else self.first_global(
            self.vrf_of(route.dev))
