# SPDX-License-Identifier: GPL-2.0-only
"""What the device does with a datagram: RFC 791, 792, 1122 and 1812, and the
contract where these leave a choice.

The router knows no sockets and no time of its own: datagrams come by receive(), and
leave by the function `transmit` that it is made with. Each place where a fault acts
asks faulty(NAME); faults.py says what each is.
"""

import ipaddress
import random
import time

from . import header
from .header import DF, ICMP, MF, OFFSET, SSRR, UDP, BadOption, Datagram, Options

ECHO, ECHO_REPLY = 8, 0
UNREACHABLE, REDIRECT, EXCEEDED, PARAMETER = 3, 5, 11, 12
NET, HOST, PROTOCOL, PORT, NEEDS_FRAGMENTS, ROUTE_FAILED, ADMIN = 0, 1, 2, 3, 4, 5, 13
# ICMP messages that are no errors; what is not known counts as one (I1).
QUERIES = frozenset((0, 8, 13, 14, 15, 16, 17, 18))
KNOWN = frozenset((header.NOP, header.RR, header.TS, header.LSRR, header.SSRR, 148))
HOST_FRAME, BROADCAST_FRAME = 0, 1  # PACKET_HOST, PACKET_BROADCAST
ERROR_SIZE = 576  # RFC 1812, 4.3.2.3


def number(octets):
    return int.from_bytes(octets, "big")


class Port:
    """An interface with its addresses, the primary one first."""

    def __init__(self, name, addresses, mtu=1500):
        self.name, self.mtu = name, mtu
        self.addresses = [ipaddress.ip_interface(text) for text in addresses]
        self.own = [address.ip.packed for address in self.addresses]
        self.nets = [(number(a.network.network_address.packed),
                      number(a.network.netmask.packed)) for a in self.addresses]
        # The old form too, with a host part of zeroes (RFC 1812, 4.2.3.1).
        self.broadcasts = {address.packed for a in self.addresses
                           if a.network.prefixlen < 31 for address in
                           (a.network.broadcast_address, a.network.network_address)}

    def holds(self, address):
        return any(number(address) & mask == net for net, mask in self.nets)

    def address_for(self, next_hop):
        """The one to be known by to a neighbour: of its own prefix, if there is one."""
        for own, (net, mask) in zip(self.own, self.nets):
            if number(next_hop) & mask == net:
                return own
        return self.own[0]


class Route:

    def __init__(self, net, mask, port, gateway=None, kind="unicast"):
        self.net, self.mask, self.kind = net, mask, kind
        self.port, self.gateway = port, gateway


class Way:
    """Where a datagram leaves: the port and the neighbour on it."""

    def __init__(self, route, address):
        self.port, self.gateway = route.port, route.gateway
        self.next_hop = route.gateway or address


class Arrival:
    """A datagram beside what is known of how it came."""

    def __init__(self, port, frame, datagram):
        self.port, self.frame, self.datagram = port, frame, datagram
        self.options, self.rewritten = None, False


class Refused(Exception):
    """It goes no further; kind None is silence."""

    def __init__(self, kind=None, code=0, middle=bytes(4)):
        super().__init__("ICMP %s/%d" % (kind, code))
        self.kind, self.code, self.middle = kind, code, middle


class Router:

    def __init__(self, ports, routes, transmit, faulty=lambda name: False,
                 chooses=lambda name: False):
        self.ports, self.transmit = ports, transmit
        self.faulty, self.chooses = faulty, chooses
        self.own = {address for port in ports for address in port.own}
        self.broadcasts = set().union(*(port.broadcasts for port in ports))
        self._routes = list(self._connected())
        for prefix, target in routes:
            self._routes.append(self._route(prefix, target))
        self._routes.sort(key=lambda route: -route.mask)
        self._ways, self._ident = {}, random.randrange(1 << 16)
        self._hits, self._pieces, self._last_error = 0, {}, {}
        self._hint, self._count, self._last_hit = (None, 0), 0, 0
        self.dead = False

    def _connected(self):
        for port in self.ports:
            for net, mask in port.nets:
                yield Route(net, mask, port)

    def _route(self, prefix, target):
        """target: a gateway, or a kind of route that leads nowhere."""
        network = ipaddress.ip_network(prefix)
        net = number(network.network_address.packed), number(network.netmask.packed)
        if target in ("blackhole", "unreachable", "prohibit"):
            return Route(*net, None, None, target)
        gateway = ipaddress.ip_address(target).packed
        port = next(port for port in self.ports if port.holds(gateway))
        return Route(*net, port, gateway)

    # Addresses

    def lookup(self, address):
        if address not in self._ways:
            wanted = number(address)
            self._ways[address] = next((route for route in self._routes if
                                        wanted & route.mask == route.net), None)
        return self._ways[address]

    def is_broadcast(self, address):
        return address == b"\xff" * 4 or address in self.broadcasts

    def is_host(self, address):
        """Can it be the address of one host (RFC 1812, 4.2.2.11 and 5.3.7)?"""
        return (address[0] not in (0, 127) and address[0] >> 4 != 14
                and not self.is_broadcast(address))

    # The way of a datagram

    def receive(self, port, frame, octets):
        """octets: what was in a frame of IPv4; frame: who it was addressed to."""
        datagram = Datagram.accept(octets)
        if self.dead or datagram is None:
            return
        if not datagram.sum_is_right() and not self.faulty("checksum-unverified"):
            return
        if not datagram.is_whole() and self.faulty("truncated-silent"):
            return
        arrival = Arrival(port, frame, datagram)
        self._count += 1
        try:
            self._process(arrival)
        except Refused as refused:
            if refused.kind is not None:
                self.error(arrival, refused.kind, refused.code, refused.middle)
        except BadOption as bad:
            self._bad_option(arrival, bad)

    def _bad_option(self, arrival, bad):
        pointer = bad.pointer
        if self.faulty("error-pointer-off"):
            pointer += 1
        if self.faulty("error-pointer-from-option"):
            pointer -= 20
        if self.faulty("bad-option-silent"):
            return
        if self.faulty("bad-option-unreachable"):
            self.error(arrival, UNREACHABLE, ROUTE_FAILED)
            return
        self.error(arrival, PARAMETER, 0, bytes((pointer & 255, 0, 0, 0)),
                   with_route=not bad.about_route)

    def _process(self, arrival):
        datagram, faulty = arrival.datagram, self.faulty
        destination = datagram.destination
        self._check_addresses(arrival)
        if not datagram.is_whole() and not faulty("truncated-forwarded"):
            raise Refused(PARAMETER, 0, b"\2\0\0\0")
        if datagram.has_options():
            self._dies_of(datagram)
            arrival.options = Options.read(datagram.head, faulty)
            # Every option is checked before anything is decided (V5).
            self._stamp_head(bytearray(datagram.head), arrival.options, bytes(4))
            self._filter(datagram)
        if destination in self.own:
            self._for_us(arrival)
        elif arrival.options and arrival.options.route is not None:
            self._transit(arrival)
        else:
            self._ordinary(arrival)

    def _check_addresses(self, arrival):
        """The martians, and broadcasts at both layers: all in silence."""
        datagram, faulty = arrival.datagram, self.faulty
        source, destination = datagram.source, datagram.destination
        if not self.is_host(source) and not faulty("martian-source"):
            raise Refused()
        if source[0] >= 240 and not faulty("class-e-source"):
            raise Refused()
        if source in self.own and not faulty("own-source"):
            raise Refused()
        if destination == b"\xff" * 4 and faulty("limited-broadcast"):
            return
        if arrival.frame != HOST_FRAME and not faulty("link-broadcast-forwarded"):
            raise Refused(UNREACHABLE if faulty("error-about-broadcast") else None, NET)
        if self.is_broadcast(destination):
            if not faulty("directed-broadcast") or destination == b"\xff" * 4:
                raise Refused()
        elif destination[0] == 127 and faulty("loopback-destination"):
            return
        elif not self.is_host(destination):
            raise Refused()

    def _filter(self, datagram):
        """Drop by what options there are, though nobody has asked for it."""
        kinds, at, head = set(), 20, datagram.head
        while at < len(head) and head[at] != header.EOL:
            kinds.add(head[at])
            at += 1 if head[at] == header.NOP else max(head[at + 1], 2)
        if self.faulty("nop-dropped") and header.NOP in kinds:
            raise Refused()
        if self.faulty("unknown-dropped") and not kinds <= KNOWN:
            raise Refused()

    def _dies_of(self, datagram):
        """A loop over the options that a length of 0 never ends."""
        if not self.faulty("dies-of-length-0"):
            return
        at, head = 20, datagram.head
        while at < len(head) and head[at] != header.EOL:
            if head[at] == header.NOP:
                at += 1
                continue
            length = head[at + 1] if at + 1 < len(head) else 1
            if length == 0:
                self.dead = True
                raise Refused()
            at += length

    def _for_us(self, arrival):
        options, head = arrival.options, arrival.datagram.head
        at = options.route if options else None
        if at is None:
            self._deliver(arrival)
            return
        end = self._end(head, at)
        if self.faulty("last-slot-left"):
            end -= 4
        if self.faulty("full-route-delivered") and end == 39:
            end = 0
        if head[at + 2] > end:
            if not self.faulty("complete-route-dropped"):
                self._deliver(arrival)
        else:
            self._hit(arrival)

    @staticmethod
    def _end(head, at):
        """The length octet; cut at the end of the header for a fault that lets a
        longer one in."""
        return min(head[at + 1], len(head) - at)

    # A source route that is addressed to us

    def _hit(self, arrival):
        datagram, faulty = arrival.datagram, self.faulty
        head, at = datagram.head, arrival.options.route
        cost = 1
        if faulty("hits-dropped"):
            raise Refused()
        if faulty("fragments-dropped") and datagram.fragment & OFFSET:
            raise Refused()
        if faulty("fragments-reassembled") and datagram.fragment & (OFFSET | MF):
            arrival = self._reassemble(arrival)
            if arrival is None:
                return
            datagram, head = arrival.datagram, arrival.datagram.head
        while True:
            pointer, end = head[at + 2], self._end(head, at)
            slot = at + pointer - 1
            address = bytes(head[slot:slot + 4])
            if len(address) < 4:  # beyond the header, which a fault has let in
                raise Refused()
            # H6: addresses of ours in a row cost nothing.
            if address not in self.own:
                break
            if faulty("own-in-row-refused"):
                raise Refused(UNREACHABLE, ROUTE_FAILED)
            if self.chooses("own-in-row-costs"):
                cost += 1
            head[at + 2] += 4
            if head[at + 2] > end:
                datagram.destination = address
                datagram.head = Datagram(datagram.finish()).head
                if not faulty("own-last-dropped"):
                    self._deliver(arrival)
                return
        way = self._next(arrival, address)
        self._hint = way, self._count
        # A flow of hits alone: whoever sends ordinary datagrams between them sees none.
        self._hits = self._hits + 1 if self._last_hit == self._count - 1 else 1
        self._last_hit = self._count
        unprocessed = faulty("every-64th") and self._hits % 64 == 0
        recorded = self._recorded(arrival, way)
        if self.chooses("quote-as-forwarded"):
            self._rewrite(arrival, address, recorded)
        self._spend_ttl(arrival, cost)
        self._fits(arrival, way)
        self._redirect(arrival, way)
        if not unprocessed:
            self._rewrite(arrival, address, recorded)
            if not faulty("hit-options-stay"):
                self._stamp(arrival, recorded)
        self._send(arrival, way)

    def _next(self, arrival, address):
        """H2 to H5: where to, or why not."""
        faulty, failed = self.faulty, Refused(UNREACHABLE, ROUTE_FAILED)
        strict = arrival.datagram.head[arrival.options.route] == SSRR
        if faulty("failed-silent"):
            failed = Refused()
        elif faulty("failed-net-code"):
            failed = Refused(UNREACHABLE, NET)
        if not self.is_host(address):
            if faulty("bad-next-silent"):
                raise Refused()
            if not faulty("bad-next-forwarded") or address not in self.broadcasts:
                raise failed
        route = self.lookup(address)
        if route is None or route.kind in ("unreachable", "prohibit"):
            raise failed
        if route.kind == "blackhole":
            raise Refused()
        way = Way(route, address)
        if strict and not faulty("adjacency-ignored"):
            if way.gateway and way.gateway != address:
                raise failed
        if way.port is arrival.port and faulty("no-hairpin"):
            raise failed
        return way

    def _recorded(self, arrival, way):
        """RFC 791: its own address as known in the environment into which the
        datagram is forwarded."""
        if self.faulty("records-ingress"):
            return arrival.port.address_for(arrival.datagram.source)
        if self.faulty("records-arrival"):
            return arrival.datagram.destination
        if self.faulty("records-first-primary"):
            return self.ports[0].own[0]
        return way.port.address_for(way.next_hop)

    def _rewrite(self, arrival, address, recorded):
        if arrival.rewritten:
            return
        arrival.rewritten = True
        datagram, faulty = arrival.datagram, self.faulty
        head, at = datagram.head, arrival.options.route
        slot = at + head[at + 2] - 1
        datagram.destination = address
        if not faulty("records-nothing"):
            head[slot:slot + 4] = recorded
        if not faulty("pointer-stays"):
            head[at + 2] += 8 if faulty("pointer-by-8") else 4
        if faulty("destination-stays"):
            datagram.destination = Datagram(datagram.raw).destination

    # What is not addressed to us

    def _transit(self, arrival):
        datagram, faulty = arrival.datagram, self.faulty
        strict = datagram.head[arrival.options.route] == SSRR
        if strict and not faulty("strict-transit"):
            # T2: a strict route does not lead through a router that it does not name.
            raise BadOption(16, True)
        if faulty("transit-dropped"):
            raise Refused()
        if faulty("transit-acts"):
            head, at = datagram.head, arrival.options.route
            if head[at + 2] <= self._end(head, at):
                self._hit(arrival)
                return
        self._ordinary(arrival)

    def _ordinary(self, arrival):
        datagram = arrival.datagram
        route = self.lookup(datagram.destination)
        if datagram.destination[0] in (127, 255):  # which a fault has let in
            route = next(r for r in self._routes if r.gateway and r.port is not
                         arrival.port)
        if route is None or route.kind == "unreachable":
            code = HOST if route or self.chooses("no-route-host-code") else NET
            if self.faulty("no-route-silent"):
                raise Refused()
            raise Refused(UNREACHABLE, code)
        if route.kind == "prohibit":
            raise Refused(UNREACHABLE, ADMIN)
        if route.kind == "blackhole":
            raise Refused()
        way = Way(route, datagram.destination)
        if self.faulty("hint-leaks") and self._hint[1] == self._count - 1 > 0:
            way = self._hint[0]
        self._spend_ttl(arrival, 1)
        self._fits(arrival, way)
        self._redirect(arrival, way)
        if arrival.options:
            if not self.faulty("transit-options-stay"):
                self._stamp(arrival, self._recorded(arrival, way))
            if self.faulty("options-stripped"):
                datagram.set_options(b"")
        self._send(arrival, way)

    def _redirect(self, arrival, way):
        """RFC 1812, 5.2.7.2; never about a source route (H11)."""
        source, options = arrival.datagram.source, arrival.options
        if way.port is not arrival.port or self.chooses("no-redirects"):
            return
        if options and options.route is not None and not self.faulty("redirects-routes"):
            return
        if any(number(source) & mask == number(way.next_hop) & mask
               for _, mask in way.port.nets):
            self.error(arrival, REDIRECT, 1, way.next_hop)

    # Common to all that is forwarded

    def _spend_ttl(self, arrival, cost):
        datagram, faulty = arrival.datagram, self.faulty
        if faulty("ttl-stays"):
            return
        if faulty("ttl-by-2"):
            cost += 1
        if datagram.ttl <= cost and not faulty("ttl-0-forwarded"):
            if faulty("ttl-silent"):
                raise Refused()
            raise Refused(EXCEEDED, 1 if faulty("ttl-wrong-code") else 0)
        datagram.ttl = max(datagram.ttl - cost, 0)

    def _fits(self, arrival, way):
        datagram = arrival.datagram
        if len(datagram.raw) <= way.port.mtu or not datagram.fragment & DF:
            return
        if self.faulty("df-ignored"):
            return
        if self.faulty("df-silent"):
            raise Refused()
        mtu = 0 if self.faulty("df-without-mtu") else way.port.mtu
        raise Refused(UNREACHABLE, NEEDS_FRAGMENTS, b"\0\0" + mtu.to_bytes(2, "big"))

    def _stamp(self, arrival, own):
        """Record Route and Timestamp (H9)."""
        self._stamp_head(arrival.datagram.head, arrival.options, own)

    def _stamp_head(self, head, options, own):
        if options.record is not None:
            self._record(head, options.record, own)
        if options.stamp is not None:
            self._timestamp(head, options.stamp, own)

    def _record(self, head, at, own):
        length = head[at + 1]
        pointer = head[at + 2]
        if self.chooses("record-unread"):
            return
        if pointer < 4:
            raise BadOption(at + 2)
        if pointer > length:
            return
        if pointer + 3 > length or pointer % 4 and not self.faulty("pointer-across"):
            raise BadOption(at + 2)
        slot = at + pointer - 1
        if self.faulty("record-slot-off"):
            slot = min(slot + 4, at + length - 4)
        head[slot:slot + 4] = own
        if not self.faulty("record-pointer-stays"):
            head[at + 2] += 4

    def _timestamp(self, head, at, own):
        length, faulty = head[at + 1], self.faulty
        pointer, flag = head[at + 2], head[at + 3] & 15
        if flag in (0, 1) and self.chooses("stamp-unread"):
            return
        if flag not in (0, 1, 3):
            raise BadOption(at + 3)
        if pointer < 5:
            raise BadOption(at + 2)
        if pointer > length:
            self._overflow(head, at, flag)
            return
        size = 8 if flag in (1, 3) else 4
        if pointer + size - 1 > length or \
                (pointer - 5) % size and not faulty("pointer-across"):
            raise BadOption(at + 2)
        slot = at + pointer - 1
        if faulty("stamp-slot-off"):
            slot = min(slot + size, at + length - size)
        now = self._now()
        if flag == 0 or (flag == 1 and faulty("stamp-no-address")):
            head[slot:slot + 4] = now
        elif flag == 1:
            head[slot:slot + 8] = own + now
        elif flag == 3:
            prespecified = bytes(head[slot:slot + 4])
            if prespecified not in self.own and not faulty("stamp-all-prespecified"):
                return
            if faulty("stamp-no-prespecified"):
                return
            head[slot + 4:slot + 8] = now
        if not faulty("stamp-pointer-stays"):
            head[at + 2] += size

    def _overflow(self, head, at, flag):
        """The count of those that found no room, which is not asked for where the
        sender has said who shall answer."""
        if flag == 3 or self.faulty("overflow-stays"):
            return
        if head[at + 3] >> 4 == 15:
            if self.faulty("overflow-wraps"):
                head[at + 3] &= 15
                return
            raise BadOption(at + 3)
        head[at + 3] += 16

    def _now(self):
        """Milliseconds since midnight UT (RFC 791, 3.1)."""
        now = int(time.time() * 1000) % 86400000
        if self.faulty("stamp-since-1970"):
            now = int(time.time()) & 0x7FFFFFFF
        return now.to_bytes(4, "big")

    def _send(self, arrival, way):
        datagram, faulty = arrival.datagram, self.faulty
        if faulty("tos-lost"):
            datagram.head[1] = 0
        if faulty("ident-changed"):
            datagram.head[4:6] = self._next_ident()
        if faulty("df-cleared"):
            datagram.head[6] &= ~(DF >> 8)
        if faulty("payload-changed") and len(datagram.payload) >= 40:
            datagram.payload = datagram.payload[:-1] + b"\xaa"
        if self.chooses("nops-lost") and datagram.has_options():
            self._lose_nops(datagram)
        self._out(way, datagram, arrival)

    @staticmethod
    def _lose_nops(datagram):
        kept, at, head = bytearray(), 20, datagram.head
        while at < len(head) and head[at] != header.EOL:
            length = 1 if head[at] == header.NOP else head[at + 1]
            if head[at] != header.NOP:
                kept += head[at:at + length]
            at += length
        datagram.set_options(kept + head[at:])

    def _next_ident(self):
        self._ident = (self._ident + 1) & 0xFFFF
        return self._ident.to_bytes(2, "big")

    def _out(self, way, datagram, arrival=None):
        """As it is, or as fragments. arrival: what an error about it answers."""
        if len(datagram.head) + len(datagram.payload) <= way.port.mtu:
            self._frame(way, datagram, arrival)
            return
        if self.faulty("fragments-unsent"):
            return
        for part in header.fragments(datagram, way.port.mtu, self.faulty):
            self._frame(way, part, arrival)

    def _frame(self, way, datagram, arrival):
        octets = datagram.finish()
        if arrival and self.faulty("checksum-stale"):
            octets = octets[:10] + arrival.datagram.raw[10:12] + octets[12:]
        if self.faulty("checksum-ffff") and octets[10:12] == b"\0\0":
            octets = octets[:10] + b"\xff\xff" + octets[12:]
        broadcast = way.next_hop in self.broadcasts
        self.transmit(way.port, way.next_hop, octets, arrival, broadcast)

    def unresolved(self, arrival):
        """A neighbour has not answered ARP (RFC 1812, 4.3.3.1)."""
        if arrival is not None and not self.faulty("no-neighbour-silent"):
            self.error(arrival, UNREACHABLE, HOST)

    # What is for the router itself

    def _deliver(self, arrival):
        """Echo is answered; UDP and other protocols have no socket here."""
        if arrival.datagram.fragment & (OFFSET | MF):
            if self.faulty("own-fragments-dropped"):
                return
            arrival = self._reassemble(arrival)
            if arrival is None:
                return
        datagram = arrival.datagram
        payload = datagram.payload
        if datagram.protocol == ICMP:
            if payload[:1] == b"\xfc" and self.faulty("unknown-icmp-answered"):
                self._originate(datagram.source, datagram.destination, header.icmp(
                    UNREACHABLE, PROTOCOL, bytes(4), datagram.raw[:28]), b"", 0, 64)
            if (len(payload) >= 8 and payload[0] == ECHO
                    and header.checksum(payload) == 0):
                self._echo(arrival)
        elif datagram.protocol == UDP:
            raise Refused(UNREACHABLE, PORT)
        elif datagram.protocol != 6:
            raise Refused(UNREACHABLE, PROTOCOL)

    def _reassemble(self, arrival):
        """Pieces in whatever order; those that overlap are not believed."""
        datagram = arrival.datagram
        key = bytes(datagram.head[4:6] + datagram.head[9:10] + datagram.head[12:20])
        pieces = self._pieces.setdefault(key, {})
        pieces[datagram.fragment & OFFSET] = arrival
        if len(self._pieces) > 64:
            self._pieces.pop(next(iter(self._pieces)))
        payload, at = b"", 0
        while at in pieces:
            piece = pieces[at].datagram
            payload += piece.payload
            if not piece.fragment & MF:
                self._pieces.pop(key, None)
                whole = pieces[0]
                whole.datagram.payload = payload
                whole.datagram.head[6:8] = b"\0\0"
                return whole
            if not piece.payload or len(piece.payload) % 8:
                return None
            at += len(piece.payload) // 8
        return None

    def _echo(self, arrival):
        datagram, options = arrival.datagram, arrival.options
        head, own = datagram.head, datagram.destination
        answer, back = b"", datagram.source
        if options:
            self._stamp(arrival, own)
            back, answer = self._way_back(arrival, head)
            if self.faulty("echo-without-route"):
                back, answer = datagram.source, b""
            for at in options.record, options.stamp:
                if at is not None and not self.faulty("echo-options-lost"):
                    answer += bytes(head[at:at + head[at + 1]])
        data = datagram.payload[8:]
        if self.faulty("echo-data-cut"):
            data = data[:64]
        if self.faulty("echo-from-first"):
            own = self.ports[0].own[0]
        reply = header.icmp(ECHO_REPLY, 0, datagram.payload[4:8], data)
        self._originate(back, own, reply, answer, datagram.head[1] & (
            0x1F if self.faulty("echo-precedence-lost") else 0xFF), datagram.ttl)

    def _way_back(self, arrival, head):
        """(first destination, option) of the reversed route: what has been recorded,
        without ourselves, and the source at the end (RFC 1122, 3.2.1.8)."""
        source = arrival.datagram.source
        at = arrival.options.route if arrival.options else None
        if at is None:
            return source, b""
        end = min(head[at + 2] - 1, self._end(head, at))
        slots = [bytes(head[at + i:at + i + 4]) for i in range(3, end, 4)]
        slots = [slot for slot in slots if len(slot) == 4 and slot not in self.own]
        if slots and slots[0] == source and not self.faulty("source-in-way-back"):
            slots.pop(0)
        if not self.faulty("route-not-reversed"):
            slots.reverse()
        slots.append(source)
        if len(slots) == 1:
            return source, b""
        rest = b"".join(slots[1:])
        return slots[0], bytes((head[at], 3 + len(rest), 4)) + rest

    def _originate(self, to, own, message, options, tos, ttl):
        """Send a message of our own; own: its source, or None for the address of
        the port that it leaves by; ttl: of the datagram that it answers."""
        route = self.lookup(to)
        if to in self.own or route is None or route.kind != "unicast":
            return
        way = Way(route, to)
        if own is None:
            own = way.port.address_for(way.next_hop)
        datagram = Datagram.make(own, to, ICMP, message, options, tos,
                                 ttl=ttl if self.faulty("icmp-ttl-taken") else 64,
                                 ident=int.from_bytes(self._next_ident(), "big"))
        self._out(way, datagram)

    # ICMP errors

    def may_answer(self, arrival):
        """RFC 1812, 4.3.2.7."""
        faulty, datagram = self.faulty, Datagram(arrival.datagram.raw)
        source, payload = datagram.source, datagram.payload
        if datagram.fragment & OFFSET and not faulty("error-about-fragment"):
            return False
        if arrival.frame != HOST_FRAME and not faulty("error-about-broadcast"):
            return False
        if not self.is_host(datagram.destination):
            return False
        if not self.is_host(source) or source in self.own:
            return False
        if datagram.protocol == ICMP and not datagram.fragment & OFFSET:
            if not payload or payload[0] not in QUERIES:
                return faulty("error-about-error")
        return True

    def error(self, arrival, kind, code, middle=bytes(4), with_route=True):
        faulty = self.faulty
        if not self.may_answer(arrival) or faulty("no-errors"):
            return
        received = Datagram(arrival.datagram.raw)
        to, options = received.source, b""
        if with_route and not self.chooses("errors-without-route"):
            to, options = self._error_route(arrival, received)
        if self.chooses("errors-limited") and not self._within_limit(to):
            return
        options += bytes(-len(options) % 4)
        quote = self._quote(arrival, received, 28 + len(options))
        message = header.icmp(kind, code, middle, quote)
        if faulty("error-checksum"):
            message = message[:2] + bytes((message[2] ^ 1,)) + message[3:]
        tos = 0 if faulty("error-tos") else received.head[1] & 0x1E | 0xC0
        if faulty("error-tos-bits"):
            tos &= 0xE0
        own = None
        if faulty("error-source"):
            other = [port for port in self.ports if port is not arrival.port]
            own = other[0].own[0] if other else b"\x0a\0\0\1"
        self._originate(to, own, message, options, tos, received.ttl)

    def _error_route(self, arrival, received):
        """RFC 1812, 4.3.2.6, from the route as it was received."""
        if arrival.options is None:
            return received.source, b""
        if self.faulty("error-route-kept"):
            at = arrival.options.route
            if at is not None:
                end = at + self._end(received.head, at)
                return received.source, bytes(received.head[at:end])
        to, option = self._way_back(arrival, received.head)
        if to in self.own:
            return received.source, b""
        return to, option

    def _quote(self, arrival, received, before):
        faulty = self.faulty
        quote = received.raw
        if arrival.rewritten and self.chooses("quote-as-forwarded"):
            quote = arrival.datagram.finish()
        if faulty("quote-rewritten"):
            quote = arrival.datagram.finish()
            if quote == received.raw:  # refused before anything was written
                quote = quote[:16] + received.source + quote[20:]
        if faulty("quote-28"):
            return quote[:28]
        if faulty("quote-header-only"):
            return quote[:len(received.head)]
        if self.chooses("quote-8-octets"):
            return quote[:len(received.head) + 8]
        return quote[:ERROR_SIZE - before]

    def _within_limit(self, to):
        """RFC 1812, 4.3.2.8: no more than ten a second to each."""
        now = time.monotonic()
        tokens, before = self._last_error.get(to, (10.0, now))
        tokens = min(10.0, tokens + (now - before) * 10)
        self._last_error[to] = (max(tokens - 1, 0), now)
        return tokens >= 1
