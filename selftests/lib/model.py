# SPDX-License-Identifier: GPL-2.0-only
"""A second, naive implementation of the contract: what must come of a
datagram.

Written from the contract, to be compared with the module; nothing is shared
but the address and checksum helpers of lib/packet.py. It is slow and
straightforward on purpose: every decision is taken from the octets anew, and
leaves the id of its rule in Fate.rules. Where native Linux decides otherwise
(marked [N] in the contract) and the difference would show in this datagram,
the id is in Fate.native too.

What the contract leaves to the kernel (source check, routing, the kernel's
own view of options, the form of an ICMP error) is spelled out as the kernel
does it.
"""

from . import packet
from .routing import Flow, never_a_source, number
from .topology import CODED

LSRR, SSRR, RR, TS, RA, CIPSO = 131, 137, 7, 68, 148, 134
EOL, NOP = 0, 1
DF, MF, OFFSET = 0x4000, 0x2000, 0x1FFF
OUTCOMES = {"bad_option": (12, 0), "strict_transit": (12, 0),
            "bad_next": (3, 5), "no_route": (3, 5), "not_adjacent": (3, 5),
            "nonlocal": (3, 5), "revisit": (3, 5), "ttl_exceeded": (11, 0),
            "frag_needed": (3, 4)}
# Where no route leads on, the code of the error, by the kind of the route (T3).
UNREACHABLE = {None: 0, "unreachable": 1, "prohibit": 13, "blackhole": None}
# What the kernel calls ICMP errors; types above 18 too (I1).
ICMP_ERRORS = frozenset((1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12))


def octets(address):
    return address.to_bytes(4, "big")


def quad_of(address):
    return packet.quad(octets(address))


def read(area, at):
    return int.from_bytes(area[at:at + 4], "big")


def host(address):
    """H3: not 0.0.0.0, in 127/8 or 224/4, or the limited broadcast address."""
    return (address not in (0, 0xFFFFFFFF) and address >> 24 != 127 and
            address >> 28 != 14)


class Srr:
    """A source route: offset in the area, type, length, pointer."""

    def __init__(self, at, kind):
        self.at, self.kind, self.len, self.ptr = at, kind, 0, 0

    def complete(self):
        return self.ptr > self.len

    def recorded(self, area):
        """Addresses in the slots ahead of the pointer."""
        end = min(self.ptr, self.len + 1)
        return [read(area, self.at + p - 1) for p in range(4, end, 4)]


class Fault(Exception):
    """A broken option: the rule, the octet of the area to blame, and whether
    it is the source route that is broken."""

    def __init__(self, rule, at):
        super().__init__(rule)
        self.rule, self.at, self.about_route = rule, at, False


def find_route(area):
    """O4, V1 to V4: (source route, fault), either may be None."""
    srr = None
    at = 0
    is_route = False
    try:
        while at < len(area) and area[at] != EOL:
            if area[at] == NOP:
                at += 1
                continue
            is_route = area[at] in (LSRR, SSRR)
            if is_route:
                if srr:
                    raise Fault("V2", at)
                srr = Srr(at, area[at])
            if at + 1 == len(area):
                raise Fault("V1", at)
            length = area[at + 1]
            if length < 2 or at + length > len(area):
                raise Fault("V1", at + 1)
            if is_route:
                if length < 3 or length % 4 != 3:
                    raise Fault("V3", at + 1)
                srr.len, srr.ptr = length, area[at + 2]
                if srr.ptr < 4 or srr.ptr % 4:
                    raise Fault("V4", at + 2)
            at += length
    except Fault as fault:
        fault.about_route = is_route
        return srr, fault
    return srr, None


class Compiled:
    """V5: the kernel's reading of an option area that has passed V1 to V4,
    and what it leaves in the area: pointers of RR and TS moved on, octets
    behind the end cleared. Times are written as zeroes."""

    def __init__(self, router, area):
        self.area = bytearray(area)
        self.rr = self.ts = self.cipso = None
        self.rr_address = self.ts_address = self.ts_time = False
        self._router = router
        self._walk()

    def _walk(self):
        area, at = self.area, 0
        checks = {RR: self._record, TS: self._timestamp, RA: self._alert,
                  CIPSO: self._cipso}
        while at < len(area):
            if area[at] == EOL:
                area[at:] = bytes(len(area) - at)
                return
            if area[at] == NOP:
                at += 1
                continue
            length = area[at + 1]
            if area[at] in checks:
                checks[area[at]](at, length)
            at += length

    def _record(self, at, length):
        area = self.area
        if self.rr is not None:
            raise Fault("V5", at)
        if length < 3:
            raise Fault("V5", at + 1)
        ptr = area[at + 2]
        if ptr < 4:
            raise Fault("V5", at + 2)
        if ptr <= length:
            if ptr + 3 > length:
                raise Fault("V5", at + 2)
            area[at + 2] += 4
            self.rr_address = True
        self.rr = at

    def _timestamp(self, at, length):
        area = self.area
        if self.ts is not None:
            raise Fault("V5", at)
        if length < 4:
            raise Fault("V5", at + 1)
        ptr, flag = area[at + 2], area[at + 3] & 15
        if ptr < 5:
            raise Fault("V5", at + 2)
        if ptr <= length:
            self._stamp(at, length, ptr, flag)
        elif flag != 3:
            if area[at + 3] >> 4 == 15:
                raise Fault("V5", at + 3)
            area[at + 3] += 16
        self.ts = at

    def _stamp(self, at, length, ptr, flag):
        area = self.area
        if ptr + (3 if flag not in (1, 3) else 7) > length:
            raise Fault("V5", at + 2)
        if flag == 0:
            area[at + ptr - 1:at + ptr + 3] = bytes(4)
            area[at + 2] += 4
            self.ts_time = True
        elif flag == 1:
            area[at + 2] += 8
            self.ts_address = self.ts_time = True
        elif flag == 3 and self._is_for_us(read(area, at + ptr - 1)):
            area[at + ptr + 3:at + ptr + 7] = bytes(4)
            area[at + 2] += 8
            self.ts_time = True

    def _is_for_us(self, address):
        """To the kernel: whatever is not unicast, as its local table has it,
        in a VRF, too."""
        return (address >> 24 == 127 or address == 0 or address >> 28 == 14
                or self._router.broadcast(address)
                or self._router.own(address))

    def _alert(self, at, length):
        if length < 4:
            raise Fault("V5", at + 1)

    def _cipso(self, at, length):
        """No domain of interpretation is known here."""
        if self.cipso is not None:
            raise Fault("V5", at)
        raise Fault("V5", at + (1 if length < 8 else 2))

    def slots(self):
        """Where the addresses of H9 go."""
        if self.rr_address:
            yield self.rr + self.area[self.rr + 2] - 5
        if self.ts_address:
            yield self.ts + self.area[self.ts + 2] - 9

    def record(self, address):
        """H9, with the address of H7."""
        for at in self.slots():
            self.area[at:at + 4] = octets(address)
        if self.ts_address:
            at = self.ts + self.area[self.ts + 2] - 5
            self.area[at:at + 4] = bytes(4)


class Fate:
    """What must become of a datagram.

    kernel: it is the kernel's alone, and no counter moves.
    outcome: the counter, beside `received`.
    outputs: [(link, datagram)]; checksums right, identification of an error 0,
    times 0.
    delivered: what a raw socket on the router gets, or None.
    error: (type, code), also where I1 then forbids it.
    recorded: [(rule, offset)] of the addresses recorded in an output.
    any_source: the kernel is free in the choice of an error's source: it leaves
    the VRF by a link that is none of it.
    looped: rules lead the error to a socket of ours.
    elsewhere: the kernel gets it, and its rules lead what is for us elsewhere.
    """

    def __init__(self):
        self.kernel = False
        self.outcome = None
        self.outputs = []
        self.delivered = None
        self.rules = []
        self.native = set()
        self.error = None
        self.recorded = []
        self.elsewhere = self.any_source = self.looped = False

    def counters(self):
        if self.kernel:
            return {}
        return {"received": 1, self.outcome: 1}


class Model:

    DEFAULTS = {"lsrr": 0, "ssrr": 0, "nonlocal": 1, "revisit": 1,
                "reverse_errors": 0, "mark": 0}

    def __init__(self, router, **settings):
        self.router = router
        self.settings = {**self.DEFAULTS, **settings}

    def predict(self, link, datagram, to_us=True):
        """to_us: the frame is for the router's own link-layer address."""
        return _Decision(self.router, self.settings, link, datagram,
                         to_us).fate


class _Decision:
    """The way of one datagram through the contract."""

    def __init__(self, router, settings, link, datagram, to_us):
        self.router, self.settings, self.link = router, settings, link
        self.vrf = router.vrf_of(link)
        self.datagram = datagram
        self.head = packet.Packet(datagram)
        self.area = self.head.options
        self.src, self.dst = number(self.head.src), number(self.head.dst)
        self.mark = router.topology.marks.get(self.head.src, 0)
        self.compiled = None
        self.hit = False
        self.fate = Fate()
        self.srr, self.fault = find_route(self.area)
        if not to_us or not self.srr:
            self.leave_to_kernel("O1" if not to_us else "O4")
            return
        self.decide()

    def note(self, rule, native=False):
        self.fate.rules.append(rule)
        if native:
            self.fate.native.add(rule)

    def leave_to_kernel(self, rule):
        self.note(rule)
        self.fate.kernel = True

    # O

    def decide(self):
        action = self.settings["lsrr" if self.srr.kind == LSRR else "ssrr"]
        if action == 0:
            self.leave_to_kernel("O1")
        elif action == 2:
            self.note("O2")
            self.fate.outcome = "policy_drop"
        elif action == 3:
            self.note("O2")
            self.reject()
        elif self.is_own(self.dst):
            self.own()
        else:
            self.elsewhere()

    def reject(self):
        """A source that fails the check gets no answer, and there is none
        about what was sent to many (I1)."""
        self.fate.outcome = "policy_reject"
        route = self.route_to(self.dst)
        if not host(self.dst) or route and route.kind == "broadcast":
            self.note("I1")
        elif self.source_passes(self.dst):
            self.icmp(3, 13, 0, route)

    def elsewhere(self):
        """Terms: transit routes as unicast; anything else is the kernel's."""
        self.mark |= self.settings["mark"]
        route = self.route_to(self.dst) if host(self.dst) else None
        if not host(self.dst) or not self.router.forwarding(self.link) or \
                route and route.kind in ("local", "broadcast"):
            self.leave_to_kernel("Terms")
        elif not self.source_passes(self.dst):
            self.bad_source()
        elif self.is_broken():
            pass
        elif self.srr.kind == SSRR:
            self.note("T2", not route or route.kind != "unicast")
            self.refuse("strict_transit", 16 << 24)
        elif not route or route.kind != "unicast":
            self.note("T3", True)
            self.fate.outcome = "no_route"
            code = UNREACHABLE[route.kind if route else None]
            if code is not None:
                self.icmp(3, code, 0, route)
        else:
            self.note("T1")
            self.fate.outcome = "transit"
            self.forward(route, self.dst)

    # Routing

    def is_own(self, address):
        """By the table of the VRF, or the local one, whatever rules say."""
        return self.router.own(address, self.vrf)

    def flow(self):
        """What rules see of it. Of a fragment they see no ports."""
        sport = dport = 0
        if self.head.proto in (packet.TCP, packet.UDP) and \
                not self.head.frag & (MF | OFFSET):
            sport, dport = [int.from_bytes(self.head.payload[at:at + 2], "big")
                            for at in (0, 2)]
        return Flow(self.src, self.head.tos, self.mark, self.link, self.vrf,
                    self.head.proto, sport, dport)

    def route_to(self, address):
        """By all rules. None also where the interface does not forward."""
        route = self.router.lookup(address, self.flow())
        if route and route.kind not in ("local", "broadcast") and \
                not self.router.forwarding(self.link):
            return None
        return route

    def source_passes(self, towards):
        """H2: checked on the way to an address. Where there is none, there is
        nothing to check a source against but what none may be."""
        route = self.route_to(towards)
        if not route or route.kind not in ("local", "broadcast", "unicast"):
            return not never_a_source(self.src)
        if route.kind == "broadcast":
            towards = 0     # so the kernel asks; and it does not ask about 0/8
            if self.src >> 24 == 0:
                return not never_a_source(self.src)
        return self.router.source_passes(
            self.flow(), towards,
            route.dev if route.kind == "unicast" else None)

    def bad_source(self):
        self.note("H2")
        self.fate.outcome = "bad_source"

    # V

    def broken(self):
        """The fault, or None."""
        if self.fault:
            return self.fault
        try:
            self.compiled = Compiled(self.router, self.area)
            return None
        except Fault as fault:
            return fault

    def is_broken(self):
        fault = self.broken()
        if not fault:
            return False
        # Native finds the same in a type octet without a length, and in a
        # pointer below 4.
        at_type = fault.rule == "V1" and fault.at + 1 == len(self.area)
        too_low = fault.rule == "V4" and self.area[fault.at] < 4
        self.note(fault.rule, fault.rule in ("V1", "V3", "V4")
                  and not at_type and not too_low)
        self.refuse("bad_option", 20 + fault.at << 24)
        return True

    # H

    def own(self):
        self.hit = not (self.fault and self.fault.about_route) and \
            not self.srr.complete()
        if self.hit:
            self.mark |= self.settings["mark"]
        if not self.hit and not self.broken():
            # The source is the kernel's to check then.
            self.note("H8")
            self.deliver(self.dst, self.area)
        elif self.is_broken():
            pass
        elif not self.settings["revisit"] and any(
                map(self.is_own, self.srr.recorded(self.area))):
            self.note("H5")
            self.refuse("revisit")
        else:
            self.follow()

    def follow(self):
        for ptr in range(self.srr.ptr, self.srr.len, 4):
            next_ = read(self.area, self.srr.at + ptr - 1)
            route = self.route_to(next_) if host(next_) else None
            broadcast = route and route.kind == "broadcast"
            if broadcast and not self.source_passes(next_):
                self.bad_source()
                return
            if not host(next_) or broadcast:
                self.note("H3", True)
                self.refuse("bad_next")
                return
            if not self.is_own(next_):
                self.leave(ptr, next_, route)
                return
            self.note("H6")
            if not self.source_passes(next_):
                self.bad_source()
                return
        area = bytearray(self.area)
        area[self.srr.at + 2] = self.srr.len + 1
        self.fate.native.add("H6")
        self.deliver(next_, area)

    def leave(self, ptr, next_, route):
        if route and route.kind == "blackhole":
            self.note("H4")
            self.fate.outcome = "no_route"
            if not self.source_passes(self.dst):
                self.bad_source()
        elif not route or route.kind not in ("local", "unicast"):
            self.note("H4", True)
            self.refuse("no_route")
        elif not self.source_passes(next_):
            self.bad_source()
        elif route.kind == "local":  # rules alone lead it to us
            self.note("H4", True)
            self.refuse("no_route", route=route)
        elif self.srr.kind == SSRR and not self.adjacent(route, next_):
            self.note("H5", not route.via)
            self.refuse("not_adjacent", route=route)
        elif not self.settings["nonlocal"] and route.dev != self.link:
            self.note("H5")
            self.refuse("nonlocal", route=route)
        else:
            self.note("H7", True)
            self.fate.outcome = "hop"
            self.forward(route, next_, ptr)

    def adjacent(self, route, next_):
        if route.via:
            return route.via == next_
        return (route.length == 32 or
                any(a.holds(next_) for a in self.router.links[route.dev]))

    def recorded_address(self, route, next_):
        """H7"""
        towards = route.via or next_
        mine = self.router.primaries(route.dev)
        for a in mine:
            if a.holds(towards):
                return a.local
        if mine:
            return mine[0].local
        return self.router.first_global(
            self.router.vrf_of(route.dev)) or self.dst

    def deliver(self, dst, area):
        """To the kernel, which records in its own manner: the destination.
        What SRv6 brings into a VRF it delivers unasked, and records nothing."""
        by_segment = self.link == self.vrf
        accepted = self.router.accepts(self.link)
        self.fate.outcome = "local" if accepted or not by_segment \
            else "not_accepted"
        self.fate.elsewhere = self.router.kind(dst, self.flow()) != "local"
        # Fragments are never complete here, so never delivered.
        if not accepted or self.head.frag & (MF | OFFSET) or \
                not self.source_passes(dst):
            return
        if by_segment:
            self.fate.delivered = self.rebuild(self.head.ttl, dst, area)
            return
        compiled = Compiled(self.router, area)
        whole = self.rebuild(self.head.ttl, dst, area)
        compiled.record(dst)
        self.fate.delivered = (whole[:20] + bytes(compiled.area)
                               + self.head.payload)

    def rebuild(self, ttl, dst, area):
        return packet.edit(self.datagram, ttl=ttl, dst=quad_of(dst),
                           options=bytes(area))

    # Forwarding: the kernel's checks, then H7

    def forward(self, route, next_, ptr=None):
        mtu = self.mtu_of(route)
        if route.coded:
            self.note("H1")  # neither is asked about
        elif self.head.ttl <= 1:
            self.note("H1")
            self.refuse("ttl_exceeded", route=route)
            return
        elif self.head.frag & DF and self.head.length > mtu:
            self.note("I2")
            self.refuse("frag_needed", mtu, route)
            return
        record = self.recorded_address(route, next_)
        area = self.compiled
        if ptr:
            slot = self.srr.at + ptr - 1
            area.area[slot:slot + 4] = octets(record)
            area.area[self.srr.at + 2] = ptr + 4
            self.fate.recorded.append(("H7", 20 + slot))
        self.fate.recorded += [("H9", 20 + at) for at in area.slots()]
        if area.rr_address or area.ts_address:
            self.note("H9", True)
        area.record(record)
        if route.coded:
            self.fate.outputs = [(CODED, self.rebuild(self.head.ttl, next_,
                                                      area.area))]
            return
        whole = self.rebuild(self.head.ttl - 1, next_, area.area)
        self.fate.outputs = [(route.dev, piece)
                             for piece in fragments(whole, mtu)]

    def mtu_of(self, route):
        return route.mtu or self.router.mtu[route.dev]

    # I

    def refuse(self, outcome, rest=0, route=None):
        """rest: the second word of the error; route: that which was found before
        it was refused, with the source checked on it."""
        if not route:
            if not self.source_passes(self.dst):
                self.bad_source()
                return
            route = self.route_to(self.dst)
        self.fate.outcome = outcome
        self.icmp(*OUTCOMES[outcome], rest, route)

    def one_host(self, address, vrf):
        return host(address) and not self.router.broadcast(address, vrf)

    def may_answer(self):
        """I1"""
        if self.head.frag & OFFSET or not self.one_host(self.src, self.vrf) \
                or self.is_own(self.src):
            return False
        if self.head.proto != packet.ICMP:
            return True
        return bool(self.head.payload) and \
            self.head.payload[0] not in ICMP_ERRORS and \
            self.head.payload[0] <= 18

    def way_back(self, kind, code):
        """I3: the recorded part reversed, or None."""
        if not self.settings["reverse_errors"] or not self.hit or \
                (kind, code) == (3, 13):
            return None
        recorded = self.srr.recorded(self.area)
        if not recorded or any(map(self.is_own, recorded)) or \
                not self.one_host(recorded[-1], self.vrf):
            return None
        back = recorded[::-1]
        if back[-1] == self.src:
            back.pop()
        return back or None

    def to_ourselves(self, kind, code, vrf):
        """I1: is the source of the datagram ours, where its error leaves?"""
        recorded = [] if self.fault else self.srr.recorded(self.area)
        return self.router.own(self.src, vrf) and (
            (kind, code) in ((11, 0), (3, 4))
            or bool(recorded) and self.router.own(recorded[-1], vrf))

    def icmp(self, kind, code, rest, arrival):
        self.fate.error = (kind, code)
        if not self.may_answer():
            self.note("I1")
            return
        back = self.way_back(kind, code)
        # An error about a datagram that is led to us comes from the address that
        # it was sent to, another from that of the link by which it leaves.
        src = self.dst if arrival and arrival.kind == "local" else 0
        flow = Flow(src, self.error_tos(), vrf=self.vrf, proto=packet.ICMP,
                    sport=kind << 8 | code)
        if back and self.router.kind(back[0], flow) == "local":
            back = None
        target = back[0] if back else self.src
        route = self.router.lookup(target, flow)
        if not route or route.kind != "unicast":
            # The error has no way to go, but to ourselves if rules say so.
            self.fate.looped = bool(route) and route.kind == "local"
            return
        vrf = self.router.vrf_of(route.dev)
        if not all(self.one_host(a, vrf) for a in (self.src, target)) or \
                vrf != self.vrf and self.to_ourselves(kind, code, vrf):
            self.note("I1")
            return
        self.fate.any_source = not src and self.vrf != vrf
        src = src or self.router.preferred_source(route)
        options = b""
        self.note("I3")
        if back:
            slots = back[1:] + [self.src]
            options = bytes([self.srr.kind, 3 + 4 * len(slots), 4]) + \
                b"".join(octets(a) for a in slots)
        self.answer(route, (src, target), bytes([kind, code, 0, 0])
                    + octets(rest), options + bytes(-len(options) % 4))

    def answer(self, route, ends, head, options):
        room = min(576, self.mtu_of(route)) - 28 - len(options)
        body = head + self.datagram[:room]
        sum_ = packet.checksum(body)
        self.fate.outputs = [(CODED if route.coded else route.dev, packet.ip(
            quad_of(ends[0]), quad_of(ends[1]), options,
            payload=body[:2] + sum_.to_bytes(2, "big") + body[4:],
            proto=packet.ICMP, ident=0, tos=self.error_tos()))]

    def error_tos(self):
        return self.head.tos & 0x1E | 0xC0


def without_uncopied(area):
    """RFC 791: options of a fragment other than the first."""
    area, at = bytearray(area), 0
    while at < len(area) and area[at] != EOL:
        if area[at] == NOP:
            at += 1
            continue
        length = area[at + 1]
        if not area[at] & 0x80:
            area[at:at + length] = bytes([NOP]) * length
        at += length
    return area


def fragments(whole, mtu):
    """A datagram as it leaves by a link."""
    if len(whole) <= mtu:
        return [whole]
    head = packet.Packet(whole)
    area, payload = head.options, head.payload
    room = mtu - len(head.head)
    offset, more = head.frag & OFFSET, head.frag & MF
    first = not offset
    pieces = []
    while payload:
        step = room if len(payload) <= room else room & ~7
        piece, payload = payload[:step], payload[step:]
        pieces.append(packet.ip(
            head.src, head.dst, bytes(area), payload=piece, ttl=head.ttl,
            proto=head.proto, tos=head.tos, ident=head.ident,
            frag=offset | (MF if payload or more else 0)))
        if first:
            area = without_uncopied(area)
            first = False
        offset += len(piece) // 8
    return pieces
