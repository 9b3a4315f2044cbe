# SPDX-License-Identifier: GPL-2.0-only
"""What would become of a datagram, step by step, with the rules of docs/SPEC.md.

A prediction: the settings are those of the module, and the routes those that the kernel
finds now for such a datagram. What rules of a firewall, NAT or IPsec make of it, and
which of several ways of a multipath route it takes, is not in it.
"""

import errno
import socket

from . import LOAD, NOT_LOADED, SYSTEM, USAGE, StatusError, netlink
from .netlink import holds, number, quad
from .outcomes import BY_NAME, OUTCOMES

FORMAT = 1
SLOTS_MAX = 9
# Of the exit status: what is refused, or ends here, is REASON and its number.
REASON, KERNEL, UNKNOWN = 10, 40, 41
LEFT = "left to the kernel, which decides alone; no counter moves"
UNTOLD = "cannot be told"
_BY_SOURCE = "rules of routing ask for the source or the interface of arrival, and the " \
    "kernel does not say which route it is that the source has failed for"
_BY_PROTO = "rules of routing ask for the protocol, and the kernel can be asked about " \
    "ICMP, TCP and UDP alone"
_ICMP_ERRORS = (1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12)
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.ESRCH,
                errno.EAGAIN)
# T3: what the source is told where no route leads on, by what the kernel says of it.
_CODES = {errno.EHOSTUNREACH: 1, errno.EACCES: 13}
_SOURCE_FAILED = (errno.EINVAL, errno.EXDEV)


def is_host(address):
    """H3: can it be that of a host, as the kernel's routing sees it?"""
    return address not in (0, 0xFFFFFFFF) and address >> 24 != 127 and \
        address >> 28 != 14


class Datagram:
    """As it arrives. slots: the addresses of the option; pointer as in the option."""

    def __init__(self, src, dst, slots, iface, strict=False, pointer=4, ttl=64, size=0,
                 df=False, tos=0, mark=0, proto=socket.IPPROTO_UDP, ports=(0, 0),
                 icmp_type=8, offset=0):
        self.src, self.dst, self.slots, self.iface = src, dst, list(slots), iface
        self.strict, self.pointer, self.ttl, self.df = strict, pointer, ttl, df
        self.tos, self.mark, self.proto, self.ports = tos, mark, proto, ports
        self.icmp_type, self.offset = icmp_type, offset
        self.length = 3 + 4 * len(self.slots)
        header = 20 + (self.length + 3 & ~3)
        self.size = size or header + 8
        if self.size < header:
            raise StatusError("a size of %d is less than the header of %d octets" % (
                size, header), USAGE)

    def complete(self):
        return self.pointer > self.length

    def recorded(self):
        """The slots ahead of the pointer."""
        return self.slots[:(min(self.pointer, self.length + 1) - 4) // 4]

    def __str__(self):
        kind = "SSRR" if self.strict else "LSRR"
        return "%s > %s by %s, %s %s, pointer %d, TTL %d, %d octets%s" % (
            quad(self.src), quad(self.dst), self.iface, kind,
            ",".join(map(quad, self.slots)) or "without addresses", self.pointer,
            self.ttl, self.size, ", DF" if self.df else "")


class Router:
    """What the kernel says of this network namespace. Asked once of each thing."""

    def __init__(self, system):
        self.system = system
        if not system.loaded():
            raise StatusError("nf_srcroute is not loaded, so there is nothing to explain: " +
                              LOAD, NOT_LOADED)
        try:
            self._netlink = netlink.Netlink()
            self.links = self._netlink.links()
            self.addresses = self._netlink.addresses()
            self._by_source, self._blackhole, self.by_proto = self._netlink.rules()
        except OSError as error:
            raise StatusError("rtnetlink: %s" % error.strerror, SYSTEM) from error
        self.by_name = {link.name: link for link in self.links}
        self.by_index = {link.index: link for link in self.links}
        self._tables, self._routes = {}, {}

    def close(self):
        self._netlink.close()

    def check_interface(self, name):
        """StatusError if nothing comes in by it."""
        if name not in self.by_name:
            raise StatusError("there is no interface %s; there are %s" % (
                name, ", ".join(self.by_name)), USAGE)
        master = self.by_index.get(self.by_name[name].master)
        if master and master.kind == "bridge":
            raise StatusError("%s is a port of the bridge %s, and to IP what comes in by it "
                              "comes in by that: --in %s" % (name, master.name,
                                                             master.name), USAGE)

    def vrf(self, link):
        """The VRF that an interface is, or belongs to, or None."""
        if link.kind == "vrf":
            return link
        master = self.by_index.get(link.master)
        return master if master and master.kind == "vrf" else None

    # Addresses: what rules of routing say does not count

    def kind(self, address, vrf=None):
        """By the local table, or that of a VRF: local, broadcast, ..."""
        table = [vrf.table] if vrf else []
        return next((kind for kind, net, length in self._table(*table)
                     if holds(net, length, address)), "")

    def _table(self, *number):
        """The longest prefix first."""
        if number not in self._tables:
            self._tables[number] = sorted(self._netlink.table(*number),
                                          key=lambda route: -route[2])
        return self._tables[number]

    def own(self, address, vrf=None):
        return address >> 24 != 127 and self.kind(address, vrf) == "local"

    def one_host(self, address, vrf=None):
        return is_host(address) and self.kind(address, vrf) != "broadcast"

    # Routes

    def route(self, to, datagram, mark, **more):
        """A Route, or an OSError."""
        key = (to, datagram.src, datagram.tos, mark, datagram.iface, datagram.proto,
               datagram.ports, tuple(more.items()))
        if key not in self._routes:
            try:
                self._routes[key] = self._netlink.route(
                    to, datagram.tos, mark, datagram.proto,
                    datagram.ports if not datagram.offset else (0, 0), **more)
            except OSError as error:
                self._routes[key] = error
        return self._routes[key]

    def arrival(self, to, datagram, mark, fibmatch=False):
        """Of what comes in; the kernel checks its source, too."""
        iif = self.by_name[datagram.iface].index
        found = self.route(to, datagram, mark, src=datagram.src, iif=iif,
                           fibmatch=fibmatch)
        if fibmatch or isinstance(found, OSError) or found.kind != "unicast":
            return found
        # Linux 5.10 says of encapsulation only where it shows the entry of the table.
        entry = self.route(to, datagram, mark, src=datagram.src, iif=iif, fibmatch=True)
        if isinstance(entry, OSError):
            return found
        return found._replace(redirects=found.redirects or entry.redirects)

    def unchecked(self, to, datagram, mark):
        """... without the check: the kinds that the route may have, of which there is
        one if no rule asks for what only a datagram that comes in has."""
        if self._by_source:
            kinds = {kind for kind, net, length in self._table(0) if
                     holds(net, length, to)} | (
                         {"blackhole"} if self._blackhole else set())
            return kinds - {"unreachable", "prohibit"}
        vrf = self.vrf(self.by_name[datagram.iface])
        found = self.route(to, datagram, mark, oif=vrf.index if vrf else 0)
        if isinstance(found, OSError):
            return {"blackhole"} if found.errno == errno.EINVAL else set()
        return {found.kind}

    # H7

    def on_link(self, route, towards):
        """Our address on the link, 0 if no prefix there holds the gateway."""
        if route.via and not route.other:
            towards = number(route.via)
        return next((a.local for a in self.addresses if a.index == route.dev and
                     holds(a.net, a.length, towards)), 0)

    def egress_address(self, route, towards, arrival):
        """What is recorded, and why."""
        link = self.by_index[route.dev]
        found = self.on_link(route, towards)
        if found:
            return found, "its address on that link"
        found = next((a.local for a in self.addresses if a.index == link.index), 0)
        if found:
            return found, "the first address of %s" % link.name
        router_id = number(self.system.router_id())
        if router_id and self.own(router_id):
            return router_id, "router_id"
        vrf = self.vrf(link)
        inside = sorted((one for one in self.links if self.vrf(one) == vrf),
                        key=lambda one: one != vrf)
        found = next((a.local for one in inside for a in self.addresses
                      if a.index == one.index and a.primary and a.scope == 0), 0)
        if found:
            return found, "the first global address"
        return arrival, "the destination it arrived with"


class _Decided(Exception):
    """The outcome is known: a counter, or KERNEL, or UNKNOWN."""


class Explanation:
    """Of a datagram at a router."""

    def __init__(self, router, datagram):
        self.router, self.datagram = router, datagram
        self.link = router.by_name[datagram.iface]
        self.vrf = router.vrf(self.link)
        self.settings = router.system.settings(datagram.iface)
        self.mark = datagram.mark
        self.hit = self._routed = self.elsewhere = False
        self.steps, self.commands = [], []  # (rule, text); ip route get
        self.outcome = self.next = self.record = self.route = None
        self.pointer, self.octet, self.mtu = datagram.pointer, 0, 0
        self.error_to, self.icmp, self._unreachable = [], "", 0
        try:
            self._decide()
        except _Decided as decided:
            self.outcome = decided.args[0]

    def _step(self, rule, text):
        self.steps.append((rule, text))

    # Routing

    def _arrival(self, to):
        """(what the kernel says: a Route, "none", "blackhole" or "bad_source")"""
        if self.router.by_proto and self.datagram.proto not in netlink.PROTOCOLS:
            self._step("H2", _BY_PROTO)
            raise _Decided(UNKNOWN)
        found = self.router.arrival(to, self.datagram, self.mark)
        self._note_command(to)
        if not isinstance(found, OSError):
            return found
        if found.errno in _UNREACHABLE:
            self._unreachable = _CODES.get(found.errno, 0)
            return "none"
        if found.errno not in _SOURCE_FAILED:
            raise StatusError("the kernel does not say how it would route %s: %s" % (
                quad(to), found.strerror), SYSTEM)
        if not is_host(self.datagram.src) or found.errno == errno.EXDEV:
            return "bad_source"
        kinds = self.router.unchecked(to, self.datagram, self.mark)
        if "blackhole" not in kinds:
            return "bad_source"
        if len(kinds) > 1:
            self._step("H4", _BY_SOURCE)
            raise _Decided(UNKNOWN)
        return "blackhole"

    def _note_command(self, to):
        words = ["ip route get", quad(to), "from", quad(self.datagram.src), "iif",
                 self.datagram.iface]
        for name, value in ("mark", self.mark), ("tos", self.datagram.tos & 0xFC):
            if value:
                words += [name, "0x%x" % value]
        text = " ".join(words)
        if text not in self.commands:
            self.commands.append(text)

    def _bad_source(self):
        self._step("H2", "the source %s fails the kernel's check on %s: it is no address of "
                   "a host, is ours, or rp_filter wants the way back to lead out there" % (
                       quad(self.datagram.src), self.datagram.iface))
        raise _Decided("bad_source")

    # O

    def _decide(self):
        if not self.settings:
            self._step("Interface", "%s has no settings, as there was no memory for it" %
                       self.datagram.iface)
            raise _Decided(KERNEL)
        if self.link.kind == "bridge" and self.router.system.bridge_calls_iptables():
            self._step("O5", "bridge-nf-call-iptables is 1, and it comes in over a bridge")
            raise _Decided(KERNEL)
        key = "ssrr" if self.datagram.strict else "lsrr"
        action = self.settings[key]
        words = ("the kernel decides alone", "srcroute forwards", "srcroute drops",
                 "srcroute drops and answers")
        self._step("O2" if action > 1 else "O1", "%s of %s is %d: %s" % (
            key, self.datagram.iface, action, words[action]))
        if action == 0:
            raise _Decided(KERNEL)
        if action == 2:
            raise _Decided("policy_drop")
        if action == 3:
            self._reject()
        if self.router.own(self.datagram.dst, self.vrf):
            self._own()
        self._transit()

    def _reject(self):
        self._routed = True
        found = self._arrival(self.datagram.dst)
        many = not is_host(self.datagram.dst) or \
            isinstance(found, netlink.Route) and found.kind == "broadcast"
        if found == "bad_source":
            self._step("H2", "the source fails its check, and is not answered")
            raise _Decided("policy_reject")
        if many:
            self._step("I1", "what is sent to many is not answered")
            raise _Decided("policy_reject")
        self._refuse("policy_reject")

    # V

    def _check(self):
        """V4. What else V asks, an option made of addresses keeps."""
        if self.datagram.pointer >= 4 and self.datagram.pointer % 4 == 0:
            self._step("V4", "the option is sound")
            return
        self._step("V4", "the pointer %d is not that of an address: 4, 8, 12, ..." %
                   self.datagram.pointer)
        self.octet = 22
        self._refuse("bad_option")

    # T

    def _transit(self):
        dst = self.datagram.dst
        if not is_host(dst):
            self._left(dst)
        self.mark |= self.settings["mark"]
        found = self._arrival(dst)
        forwards = self.router.system.forwards(self.datagram.iface)
        if found == "bad_source" and forwards:
            kinds = self.router.unchecked(dst, self.datagram, self.mark)
            if kinds & {"local", "broadcast"} and len(kinds) > 1:
                self._step("H2", _BY_SOURCE)
                raise _Decided(UNKNOWN)
            if not kinds & {"local", "broadcast"}:
                self._bad_source()
        self._routed = isinstance(found, netlink.Route)
        if found.kind != "unicast" if self._routed else \
                found == "bad_source" or not forwards:
            self._left(dst)
        if self._routed:
            way = self._way(found)
        elif found == "blackhole":
            way = "by a route that is a blackhole"
        else:
            way = "without a route"
        self._step("T1", "%s is not ours: in transit, %s" % (quad(dst), way))
        self._check()
        if self.datagram.strict:
            self._step("T2", "a strict route may not pass a router that it does not list")
            self.octet = 16
            self._refuse("strict_transit")
        if found == "blackhole":
            self._ignore("no_route")
        if found == "none":
            self._step("T3", "no route leads on")
            self._refuse("no_route", "3/%d" % self._unreachable)
        self.next, self.route = dst, found
        self._ask_forwarding(found)
        raise _Decided("transit")

    def _left(self, dst):
        self._step("O1", "%s is neither ours nor another router's or host's" % quad(dst))
        raise _Decided(KERNEL)

    # H

    def _own(self):
        datagram = self.datagram
        sound = datagram.pointer >= 4 and datagram.pointer % 4 == 0
        if sound and datagram.complete():
            self._step("H8", "%s is ours and the route is complete" % quad(datagram.dst))
            self._deliver()
        if not sound:
            self._check()
        self._step("O1", "%s is ours and the route has addresses to go: a hit" % quad(
            datagram.dst))
        self._check()
        self.hit = True
        self.mark |= self.settings["mark"]
        if not self.settings["revisit"] and any(
                self.router.own(a, self.vrf) for a in datagram.recorded()):
            self._step("H5", "the recorded part has an address of ours, and revisit is 0")
            self._refuse("revisit")
        self._follow()

    def _follow(self):
        slots, first = self.datagram.slots, (self.datagram.pointer - 4) // 4
        for index in range(first, len(slots)):
            to, self.pointer = slots[index], 4 + 4 * index
            if not is_host(to):
                self._step("H3", "%s is not the address of one host" % quad(to))
                self._refuse("bad_next")
            found = self._arrival(to)
            if found == "bad_source":
                self._bad_source()
            if not self.router.own(to, self.vrf):
                self._leave(to, found)
            self._step("H6", "%s is ours: the pointer moves on to %d" % (
                quad(to), self.pointer + 4))
            self._routed = isinstance(found, netlink.Route) and found.kind != "broadcast"
        self.next, self.pointer = slots[-1], self.datagram.length + 1
        self._step("H6", "the route ends here: the destination becomes %s" %
                   quad(self.next))
        self._deliver()

    def _deliver(self):
        accepted = self.router.system.accepts(self.datagram.iface)
        if self.link.kind == "vrf" and not accepted:
            self._step("H8", "accept_source_route of the VRF is 0")
            raise _Decided("not_accepted")
        self._step("H8", "accept_source_route of %s: the kernel %s it" % (
            self.datagram.iface, "takes" if accepted else "drops"))
        to = self.next or self.datagram.dst
        found = self.router.arrival(to, self.datagram, self.mark)
        self.elsewhere = accepted and isinstance(found, netlink.Route) and \
            found.kind != "local"
        if self.elsewhere:
            self._step("H8", "but its rules of routing lead %s elsewhere" % quad(to))
        raise _Decided("local")

    def _way(self, route):
        return "by %s%s" % (self.router.by_index[route.dev].name if
                            route.dev in self.router.by_index else "?",
                            ", gateway " + route.via if route.via else "")

    def _leave(self, to, found):
        if found in ("none", "blackhole"):
            self._routed = False
            self._step("H4", "the kernel has no route for %s from here%s" % (
                quad(to), ", but a blackhole" if found == "blackhole" else
                "" if self.router.system.forwards(self.datagram.iface) else
                ": %s does not forward" % self.datagram.iface))
            if found == "blackhole":
                self._ignore("no_route")
            self._refuse("no_route")
        if found.kind == "broadcast":
            self._routed = False
            self._step("H3", "%s routes as a broadcast address" % quad(to))
            self._refuse("bad_next")
        self._routed = True
        if found.kind != "unicast":
            self._step("H4", "rules lead %s to this router itself" % quad(to))
            self._refuse("no_route")
        self.next, self.route = to, found
        self._step("H2", "the kernel would send it to %s %s" % (quad(to), self._way(found)))
        if self.datagram.strict:
            self._check_adjacent(to, found)
        if not self.settings["nonlocal"] and found.dev != self.link.index:
            self._step("H5", "it came in by another interface, and nonlocal is 0")
            self._refuse("nonlocal")
        self._ask_forwarding(found)
        self.record, why = self.router.egress_address(found, to, self.datagram.dst)
        self._step("H7", "destination %s; recorded in its place %s, %s; pointer %d" % (
            quad(to), quad(self.record), why, self.pointer + 4))
        self.pointer += 4
        raise _Decided("hop")

    def _check_adjacent(self, to, found):
        if found.via:
            adjacent = not found.other and number(found.via) == to
            why = "its route names %s as the gateway" % found.via
        elif self.router.on_link(found, to):
            adjacent, why = True, "it is on that link"
        else:
            match = self.router.arrival(to, self.datagram, self.mark, fibmatch=True)
            adjacent = isinstance(match, netlink.Route) and match.length == 32
            why = "a host route leads to it" if adjacent else \
                "no prefix of that link holds it, and no host route leads to it"
        self._step("H5", "%s is %s: %s" % (quad(to), "adjacent" if adjacent else
                                           "not adjacent", why))
        if not adjacent:
            self._refuse("not_adjacent")

    # H1, I2

    def _ask_forwarding(self, route):
        if route.redirects:
            self._step("H1", "the route encapsulates: neither TTL nor MTU is asked about")
            return
        if self.datagram.ttl <= 1:
            self._step("H1", "the TTL of %d is used up" % self.datagram.ttl)
            self._refuse("ttl_exceeded")
        mtu = route.mtu or self.router.by_index[route.dev].mtu
        if self.datagram.df and self.datagram.size > mtu:
            self._step("I2", "larger than the MTU of %d, and DF is set" % mtu)
            self.mtu = mtu
            self._refuse("frag_needed")
        self._step("H1", "TTL %d becomes %d%s" % (
            self.datagram.ttl, self.datagram.ttl - 1, "" if self.datagram.size <= mtu else
            "; it leaves in fragments for an MTU of %d" % mtu))

    # I

    def _ignore(self, outcome):
        if not self._routed and self._arrival(self.datagram.dst) == "bad_source":
            self._bad_source()
        raise _Decided(outcome)

    def _refuse(self, outcome, icmp=""):
        """The source is checked first, if no route that was found has done so."""
        if not self._routed and self._arrival(self.datagram.dst) == "bad_source":
            self._bad_source()
        why = self._unanswered()
        if why:
            self._step("I1", "no ICMP error: " + why)
            raise _Decided(outcome)
        back = self._way_back(outcome)
        self.error_to = back or [self.datagram.src]
        self.icmp = icmp or BY_NAME[outcome].icmp
        self._step("I3", "ICMP %s to %s%s" % (
            self.icmp, quad(self.datagram.src), ", by the reversed route %s" %
            ",".join(map(quad, back)) if back else ""))
        raise _Decided(outcome)

    def _unanswered(self):
        datagram = self.datagram
        if datagram.offset:
            return "it is a later fragment"
        if not self.router.one_host(datagram.src, self.vrf):
            return "the source is not one host"
        if self.router.own(datagram.src, self.vrf):
            return "the source is ours"
        if datagram.proto == socket.IPPROTO_ICMP and (
                datagram.icmp_type in _ICMP_ERRORS or datagram.icmp_type > 18):
            return "it is an ICMP error itself"
        return ""

    def _way_back(self, outcome):
        """The addresses that the error goes by, the source last; [] for straight."""
        if not self.settings["reverse_errors"] or not self.hit or \
                outcome == "policy_reject":
            return []
        recorded = self.datagram.recorded()
        if not recorded or not self.router.one_host(recorded[-1], self.vrf) or \
                any(self.router.own(a, self.vrf) for a in recorded):
            return []
        back = recorded[::-1]
        if back[-1] == self.datagram.src:
            back.pop()
        return back + [self.datagram.src] if back else []

    # What has come of it

    def status(self):
        """The exit status."""
        if self.outcome in ("hop", "transit"):
            return 0
        if self.outcome in (KERNEL, UNKNOWN):
            return self.outcome
        return REASON + [one.name for one in OUTCOMES].index(self.outcome)

    def document(self):
        """As docs/srcroute-status.schema.json has it."""
        names = {KERNEL: ("kernel", LEFT), UNKNOWN: ("unknown", UNTOLD)}
        name, sentence = names.get(self.outcome) or (
            self.outcome, BY_NAME[self.outcome].sentence)
        found = {"srcroute_explain": FORMAT, "datagram": str(self.datagram),
                 "steps": [{"rule": rule, "text": text} for rule, text in self.steps],
                 "outcome": name, "sentence": sentence, "status": self.status(),
                 "commands": self.commands}
        if name in ("hop", "transit"):
            found["interface"] = self.router.by_index[self.route.dev].name
            if self.route.via:
                found["gateway"] = self.route.via
        if name in ("hop", "transit", "local"):
            found["destination"] = quad(self.next or self.datagram.dst)
            found["pointer"] = self.pointer
        if self.record:
            found["recorded"] = quad(self.record)
        if self.error_to:
            found["icmp"] = self.icmp
            found["icmp_by"] = [quad(address) for address in self.error_to]
            if self.octet:
                found["icmp_pointer"] = self.octet
            if self.mtu:
                found["icmp_mtu"] = self.mtu
        return found


def screen(document):
    """The document for people."""
    width = max(len(step["rule"]) for step in document["steps"])
    lines = [document["datagram"], ""]
    lines += ["%s  %s" % (step["rule"].ljust(width), step["text"])
              for step in document["steps"]]
    lines += ["", "Prediction: %s: %s" % (document["outcome"], document["sentence"])]
    if document["commands"]:
        lines += ["", "The kernel was asked:"] + ["  " + one
                                                  for one in document["commands"]]
    return "\n".join(lines)
