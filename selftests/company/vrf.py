#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Whose setting, whose address and whose table: in a VRF, and where `all`,
`default` and the interfaces disagree.

    main table                             VRF red, table 100
                    +--------------------+
    10.1.0.2 -- a --| 10.1.0.1  10.41.0.1|-- p -- 10.41.0.2
                    |         R          |
    10.2.0.2 -- b --| 10.2.0.1  10.42.0.1|-- q -- 10.42.0.2
                    +--------------------+
                    lo 10.5.0.1   red 10.45.0.1

Each table has 10.9.0.0/16 and the networks of the other behind its own 10.x.0.2
on b or q. So an address that is ours, a neighbour's or a broadcast address in
one is that of a far host in the other, and a mix-up of both shows.
"""

import collections
import contextlib
import itertools
import re

from lib import features, ktap, packet
from lib.ktap import check, equal, test
from lib.nft import nft
from lib.packet import edit, ip, lsrr, record, ssrr
from lib.standard import (A, B, FAR, LO, NEXT, SRC, StandardBench, expect,
                          expect_error, expect_nothing)
from lib.tracing import Log, Trace

bench = StandardBench()
ROUTER_ID = "net.ipv4.srcroute.router_id"
OURS = "/proc/sys/net/ipv4/srcroute/conf/%s/%s"
KERNELS = "/proc/sys/net/ipv4/conf/%s/%s"
EVENTS = "srcroute/srcroute_advance", "srcroute/srcroute_discard"
BIT = 2  # of the mark


class World:
    """A routing table: `by` is the link that a test's datagrams come in by,
    `out` the one that 10.9.0.0/16 is behind."""

    def __init__(self, by, out, table, src, own, mine, gateway, loop):
        self.by, self.out, self.table = by, out, table
        self.src, self.own, self.mine = src, own, mine
        self.gateway, self.loop = gateway, loop
        self.broadcast = own[:-1] + "255"
        self.far_broadcast = mine[:-1] + "255"
        self.second = own[:-1] + "3"  # another neighbour on `by`
        self.nowhere, self.barred, self.black = [
            "10.%d.0." % (n + 10 * (table == 100)) for n in (80, 81, 82)]
        self.other = None

    def route(self, network):
        """What sends a network out, for ip(8)."""
        return "route add %s via %s dev %s table %d" % (
            network, self.gateway, self.out, self.table)

    def hit(self, options, **fields):
        return ip(fields.pop("src", self.src), self.own, options, **fields)


MAIN = World("a", "b", 254, SRC, A, B, NEXT, LO)
RED = World("p", "q", 100, "10.41.0.2", "10.41.0.1", "10.42.0.1", "10.42.0.2",
            "10.45.0.1")
MAIN.other, RED.other = RED, MAIN
WORLDS = MAIN, RED
INTERFACES = "a", "b", "c", "lo", "p", "q", "red"


def make_red():
    """As the kernel's Documentation/networking/vrf.rst has it: addresses of the
    main table are asked for last."""
    bench.router.ip("link add name red type vrf table 100",
                    "link set dev red up", "addr add 10.45.0.1/32 dev red",
                    "route add unreachable default metric 4278198272 table 100",
                    "rule add pref 32000 lookup local", "rule del pref 0")
    for name, own in (RED.by, RED.own), (RED.out, RED.mine):
        bench.link(name)
        bench.router.ip("link set dev %s master red" % name,
                        "addr add %s/24 dev %s" % (own, name))
    bench.neighbour(RED.by, RED.src)
    bench.neighbour(RED.out, RED.gateway)
    for w in WORLDS:
        bench.neighbour(w.by, w.second)
        bench.router.ip(*[w.route(net + ".0/24") for net in (
            w.other.own[:-2], w.other.mine[:-2], w.other.loop[:-2])])
    bench.router.ip(RED.route("10.9.0.0/16"))


make_red()
bench.set(lsrr=1, ssrr=1)


def rest(w):
    """Every interface but that of arrival, and `default`."""
    return [dev for dev in INTERFACES + ("default",) if dev != w.by]


@contextlib.contextmanager
def disagreeing(w, key, value, elsewhere):
    """A setting of srcroute: for the interface of arrival, and everywhere
    else."""
    old = bench.router.sysctl(OURS % ("default", key))
    bench.router.sysctl(OURS % ("all", key), elsewhere)
    bench.router.sysctl(OURS % (w.by, key), value)
    for dev in rest(w):
        equal(bench.router.sysctl(OURS % (dev, key)), str(elsewhere), dev)
    try:
        yield
    finally:
        bench.router.sysctl(OURS % ("all", key), old)


@contextlib.contextmanager
def native(key, values):
    """Settings of the kernel: {interface: value}, `all` ahead of others, since
    a write to it may go to them all; as they were afterwards."""
    old = {dev: bench.router.sysctl(KERNELS % (dev, key))
           for dev in ("all", "marker", "default") + INTERFACES}
    for dev, value in values.items():
        bench.router.sysctl(KERNELS % (dev, key), value)
    try:
        yield
    finally:
        for dev, value in old.items():
            bench.router.sysctl(KERNELS % (dev, key), value)


def combinations(w, key, values=(0, 1)):
    """Every pair of what `all` and the interface of arrival say, while every
    other one says the opposite of the latter. Yields both."""
    for whole, own in itertools.product(values, repeat=2):
        opposite = values[0] if own else values[-1]
        settings = {"all": whole}
        settings.update(dict.fromkeys(rest(w), opposite), **{w.by: own})
        if key == "forwarding":
            settings["marker"] = 1  # what the bench itself needs
        with native(key, settings):
            yield whole, own


def moved():
    """{(interface, counter): n} since the last call, zeroes left out."""
    now, before = bench.router.counters(), getattr(moved, "before", {})
    moved.before = now
    return {key: value - before.get(key, 0) for key, value in now.items()
            if value != before.get(key, 0)}


def counters(w, *names):
    """What one datagram adds: at the interface of arrival alone."""
    return {(w.by, name): 1 for name in ("received",) + names} if names else {}


def exchange(w, sent, *names):
    """What comes out; the counters must be these."""
    moved()
    out = bench.exchange(w.by, sent)
    equal(moved(), counters(w, *names), "counters of %s" % packet.Packet(sent))
    return out


def advanced(w, sent, slots, ptr, dst, link=None):
    """What should come out of a hit with one route."""
    return {link or w.out: [edit(sent, dst=dst, ttl=63, options=packet.route(
        packet.Packet(sent).options[0], slots, ptr=ptr))]}


def passes(w, sent, dst, link=None, mine=None):
    """A route of one slot is followed."""
    expect(exchange(w, sent, "hop"),
           advanced(w, sent, [mine or w.mine], 8, dst, link))


def silent(w, sent, *names):
    expect_nothing(exchange(w, sent, *names))


def refused(w, sent, counter, kind=3, code=5, **error):
    where = {"src": w.own, "to": w.src, "link": w.by}
    where.update(error)
    expect_error(exchange(w, sent, counter), kind, code, sent, **where)


@contextlib.contextmanager
def added(line):
    """A line of ip(8) with `add`, for a part of a test."""
    bench.router.ip(line)
    try:
        yield
    finally:
        bench.router.ip(line.replace(" add ", " del ", 1))


def load(rules):
    """A ruleset for the length of a test."""
    ktap.cleanup(nft, bench.router, "flush ruleset")
    nft(bench.router, rules)


def seen(counter):
    """How many packets a counter of the table `t` has."""
    return int(re.search(r"packets (\d+)", nft(
        bench.router, "list counter ip t " + counter)).group(1))


# What becomes of a datagram, and who is told

Case = collections.namedtuple("Case", "outcome sent out settings drop",
                              defaults=({}, None))


def followed(w):
    """Hits, transit and complete routes, and what comes out of each: the
    addresses of the other table are those of strangers here."""
    o = w.other
    for next_hop in (FAR, o.own, o.mine, o.loop, o.src, o.broadcast,
                     o.far_broadcast):
        sent = w.hit(lsrr(next_hop))
        yield Case("hop", sent, advanced(w, sent, [w.mine], 8, next_hop))
    for slots in [w.loop, FAR], [w.mine, o.own], [w.own, o.loop]:
        sent = w.hit(lsrr(*slots))
        yield Case("hop", sent, advanced(w, sent, [slots[0], w.mine], 12,
                                         slots[1]))
    sent = w.hit(ssrr(w.gateway))
    yield Case("hop", sent, advanced(w, sent, [w.mine], 8, w.gateway))
    sent = w.hit(lsrr(FAR), src=o.mine)  # ours there, a stranger's here
    yield Case("hop", sent, advanced(w, sent, [w.mine], 8, FAR))
    sent = w.hit(lsrr(FAR) + record(2))
    yield Case("hop", sent, {w.out: [edit(
        sent, dst=FAR, ttl=63,
        options=lsrr(w.mine, ptr=8) + record(2, [w.mine]))]})
    for dst in o.own, o.mine, o.loop, o.broadcast, FAR:
        sent = ip(w.src, dst, lsrr(FAR) + record(2))
        yield Case("transit", sent, {w.out: [edit(
            sent, ttl=63, options=lsrr(FAR) + record(2, [w.mine]))]})
    for own in w.own, w.mine, w.loop:
        yield Case("local", ip(w.src, own, lsrr(FAR, ptr=8)), {})
        yield Case("local", w.hit(lsrr(own)), {})


def discarded(w):
    """Every outcome but no_memory; an error is (type, code, pointer)."""
    o = w.other
    yield Case("bad_option", w.hit(lsrr(FAR, ptr=5)), (12, 0, 22),
               drop="IP_INHDR")
    yield Case("strict_transit", ip(w.src, o.own, ssrr(FAR)), (12, 0, 16),
               drop="IP_INHDR")
    for bad in w.broadcast, w.far_broadcast, "127.0.0.1":
        yield Case("bad_next", w.hit(lsrr(bad)), (3, 5, 0),
                   drop="IP_INADDRERRORS")
    # To these the other table has a route.
    for network in w.nowhere, w.barred:
        yield Case("no_route", w.hit(lsrr(network + "1")), (3, 5, 0),
                   drop="IP_INNOROUTES")
    yield Case("no_route", w.hit(lsrr(w.black + "1")), {},
               drop="IP_INNOROUTES")
    for distant in FAR, o.gateway, o.own:
        yield Case("not_adjacent", w.hit(ssrr(distant)), (3, 5, 0),
                   drop="IP_INNOROUTES")
    yield Case("nonlocal", w.hit(lsrr(FAR)), (3, 5, 0), {"nonlocal": (0, 1)},
               "NETFILTER_DROP")
    yield Case("revisit", w.hit(lsrr(w.loop, FAR, ptr=8)), (3, 5, 0),
               {"revisit": (0, 1)}, "NETFILTER_DROP")
    yield Case("bad_source", w.hit(lsrr(FAR), src=w.mine), {},
               drop="IP_RPFILTER")
    yield Case("policy_drop", w.hit(lsrr(FAR)), {}, {"lsrr": (2, 1)},
               "NETFILTER_DROP")
    yield Case("policy_reject", w.hit(lsrr(FAR)), (3, 13, 0), {"lsrr": (3, 1)},
               "NETFILTER_DROP")


def routes_for(w):
    """What discarded() needs beyond the drawing: no way here, one there."""
    for kind, network in ("unreachable", w.barred), ("blackhole", w.black):
        bench.temporary("route add %s %s0/24 table %d" % (kind, network,
                                                          w.table))
    for network in w.nowhere, w.barred, w.black:
        bench.temporary(w.other.route(network + "0/24"))


def events(w, case):
    """The tracepoints of a datagram."""
    p = packet.Packet(case.sent)
    if case.drop:
        icmp = case.out[:2] if case.out else (0, 0)
        return ["srcroute_discard: in=%s saddr=%s daddr=%s reason=%s "
                "icmp=%d/%d" % (w.by, p.src, p.dst, case.outcome, *icmp)]
    line = ("srcroute_advance: in=%s saddr=%s arrival=%s daddr=%s record=%s "
            "ptr=%d")
    if case.outcome == "hop":
        left = packet.Packet(case.out[w.out][0])
        return [line % (w.by, p.src, p.dst, left.dst, w.mine, left.options[2])]
    if case.outcome == "local" and p.options[2] == 4:
        return [line % (w.by, p.src, p.dst, packet.quad(p.options[3:7]),
                        "0.0.0.0", 8)]
    return []


def became(w, case):
    """One datagram: what comes out, and which counters count."""
    with contextlib.ExitStack() as stack:
        for key, values in case.settings.items():
            stack.enter_context(disagreeing(w, key, *values))
        out = exchange(w, case.sent, case.outcome)
    if isinstance(case.out, dict):
        expect(out, case.out)
    else:
        # Once it is routed on, the error has the address of the link that it
        # leaves by; that is one and the same here.
        kind, code, pointer = case.out
        expect_error(out, kind, code, case.sent, pointer=pointer, src=w.own,
                     to=w.src, link=w.by)


@test("O1, S, H6, H7, H9, T1: inside a VRF and outside, hits, transit and "
      "complete routes go by their own table's routes and addresses, are "
      "counted and traced once, at the interface of arrival")
def follows_own_table():
    with Trace(*EVENTS) as trace:
        for w in WORLDS:
            for case in followed(w):
                became(w, case)
                equal(trace.lines(), events(w, case), "events")


@test("O1, O2, S, V4, T2, H2, H3, H4, H5: so do discards: counter, ICMP error, "
      "tracepoint and drop reason")
def discards_by_own_table():
    with Trace(*EVENTS) as trace, Trace("skb/kfree_skb") as drops:
        for w in WORLDS:
            routes_for(w)
            for case in discarded(w):
                drops.lines()
                became(w, case)
                equal(trace.lines(), events(w, case), "events")
                features.check_drop(drops.lines(), case.drop, case.outcome)


@test("H9, T1: so does an address in a Timestamp option, of hits and of transit")
def stamped_by_own_table():
    for w in WORLDS:
        option = packet.timestamps(1, 16)
        for sent, names, options in (
                (w.hit(lsrr(FAR) + option), ("hop",),
                 lsrr(w.mine, ptr=8)),
                (ip(w.src, w.other.own, lsrr(FAR) + option), ("transit",),
                 lsrr(FAR))):
            (link, [datagram]), = exchange(w, sent, *names).items()
            p = packet.Packet(datagram)
            equal((link, p.options[:7].hex(" "), p.options[7:11].hex(" "),
                   packet.quad(p.options[11:15]), p.sum_ok()),
                  (w.out, options.hex(" "), "44 14 0d 01", w.mine, True),
                  "options")


@test("H10: so do fragments, each by itself")
def fragments_by_own_table():
    payload = packet.udp(bytes(40))
    for w in WORLDS:
        for frag, part in (0x2000, payload[:24]), (3, payload[24:]):
            fields = {"frag": frag, "payload": part}
            passes(w, w.hit(lsrr(FAR), **fields), FAR)
            sent = ip(w.src, w.other.own, lsrr(FAR), **fields)
            expect(exchange(w, sent, "transit"), {w.out: [edit(sent, ttl=63)]})


@test("Terms, O1: a datagram for one and the same address is a hit inside the "
      "VRF and transit outside, or the other way round, by turns")
def own_by_turns():
    for _ in range(2):
        for w, v in itertools.product(WORLDS, WORLDS):
            sent = ip(w.src, v.own, lsrr(FAR))
            if w is v:
                passes(w, sent, FAR)
            else:
                expect(exchange(w, sent, "transit"),
                       {w.out: [edit(sent, ttl=63)]})


@test("H5: what makes next adjacent is a host route of the datagram's own table "
      "or by a rule for its interface, and no other's")
def adjacent_by_own_table():
    for w in WORLDS:
        host = "10.50.0.%d" % w.table
        sent = w.hit(ssrr(host))
        bench.neighbour(w.out, host)
        bench.temporary(w.route("10.50.0.0/24"))
        bench.temporary("route add %s/32 dev %s table %d" % (
            host, w.other.out, w.other.table))
        refused(w, sent, "not_adjacent")
        bench.temporary("route add %s/32 dev %s table 77" % (host, w.out))
        with added("rule add pref 10 iif %s lookup 77" % w.other.by):
            refused(w, sent, "not_adjacent")
        with added("rule add pref 10 iif %s lookup 77" % w.by):
            passes(w, sent, host)
        with added("route add %s/32 dev %s table %d" % (host, w.out, w.table)):
            passes(w, sent, host)


@test("H7: where a link has no address, router_id is recorded whichever table it "
      "belongs to, else an address of the link's own table")
def unnumbered():
    for w, name in (MAIN, "e"), (RED, "u"):
        bench.link(name)
        ktap.cleanup(bench.unlink, name)
        if w is RED:
            bench.router.ip("link set dev u master red")
        bench.router.ip("route add 10.13.0.0/16 dev %s table %d" % (
            name, w.table))
        bench.neighbour(name, "10.13.0.1")
    for identity, recorded in (("0.0.0.0", [MAIN.loop, RED.loop]),
                               (MAIN.mine, [MAIN.mine] * 2),
                               (RED.mine, [RED.mine] * 2),
                               (RED.loop, [RED.loop] * 2)):
        bench.configure(ROUTER_ID, identity)
        for w, link, mine in zip(WORLDS, "eu", recorded):
            passes(w, w.hit(lsrr("10.13.0.1")), "10.13.0.1", link, mine)
            sent = ip(w.src, "10.13.0.1", lsrr(FAR) + record(1))
            expect(exchange(w, sent, "transit"), {link: [edit(
                sent, ttl=63, options=lsrr(FAR) + record(1, [mine]))]})
            # The others have an address.
            passes(w, w.hit(lsrr(FAR)), FAR)


# Errors

def erroneous(w):
    """What raises errors, before there is a route to next and with it: counter,
    type, code, and how to make the datagram."""
    big = {"frag": 0x4000, "payload": packet.udp(bytes(800))}
    yield "bad_next", 3, 5, "127.0.0.1", {}
    yield "no_route", 3, 5, w.barred + "1", {}
    yield "ttl_exceeded", 11, 0, FAR, {"ttl": 1}
    yield "frag_needed", 3, 4, "10.63.0.1", big


# These come from the address of the link that leads to next.
ROUTED = "ttl_exceeded", "frag_needed"


def routes_for_errors(w):
    bench.temporary("route add unreachable %s0/24 table %d" % (w.barred,
                                                               w.table))
    bench.temporary(w.route("10.63.0.0/16") + " mtu lock 600")


def told(out, kind, code, sent, **how):
    """An error, and for want of MTU what would have fitted."""
    if (kind, code) != (3, 4):
        expect_error(out, kind, code, sent, **how)
        return
    (link, [datagram]), = out.items()
    error = packet.Error(datagram)
    p = error.packet
    equal((link, p.src, p.dst, p.options, error.type, error.code, error.mtu),
          (how["link"], how["src"], how["to"], how.get("options", b""), 3, 4,
           600), "error")
    equal(error.quote.hex(), sent[:len(error.quote)].hex(), "quote")


@test("I1, I2: inside a VRF and outside, an error goes to its source by the own "
      "table's route, with the address of the link by which it leaves or that "
      "of arrival; who is one host depends on that table, too")
def errors_by_own_table():
    for w in WORLDS:
        o = w.other
        routes_for_errors(w)
        for why, kind, code, next_hop, fields in erroneous(w):
            # Ours, neighbours and broadcast addresses of the other table.
            for src in (o.src, o.own, o.mine, o.loop, o.gateway, o.broadcast,
                        o.far_broadcast):
                sent = w.hit(lsrr(next_hop), src=src, **fields)
                told(exchange(w, sent, why), kind, code, sent, link=w.out,
                     to=src, src=w.mine if why in ROUTED else w.own)
            for src in w.broadcast, w.far_broadcast, w.mine:
                silent(w, w.hit(lsrr(next_hop), src=src, **fields),
                       "bad_source")


@test("I1: with accept_local no error goes to a source that is ours by the own "
      "table; one does to a source that is ours by the other")
def own_source_by_own_table():
    load("""table ip t {
        counter told { }
        chain out { type filter hook output priority 0;
            ip protocol icmp counter name told; }
        }""")
    for w in WORLDS:
        routes_for_errors(w)
        with native("accept_local", {w.by: 1}):
            for why, kind, code, next_hop, fields in erroneous(w):
                before = seen("told")
                for src in w.mine, w.loop:
                    silent(w, w.hit(lsrr(next_hop), src=src, **fields),
                           why)
                equal(seen("told"), before, "errors in OUTPUT")
                for src in w.other.mine, w.other.loop:
                    sent = w.hit(lsrr(next_hop), src=src, **fields)
                    told(exchange(w, sent, why), kind, code, sent,
                         link=w.out, to=src,
                         src=w.mine if why in ROUTED else w.own)
                check(seen("told") > before, "no errors in OUTPUT")


@test("I3: with reverse_errors 1 a recorded part is not reversed for an own or "
      "a broadcast address of the own table, and is for one of the other")
def reversed_by_own_table():
    for w in WORLDS:
        o = w.other
        routes_for_errors(w)
        with disagreeing(w, "reverse_errors", 1, 0):
            for why, kind, code, next_hop, fields in erroneous(w):
                for last in (w.second, o.own, o.mine, o.loop, o.broadcast,
                             o.far_broadcast):
                    sent = w.hit(lsrr(last, next_hop, ptr=8), **fields)
                    link = w.by if last == w.second else w.out
                    told(exchange(w, sent, why), kind, code, sent,
                         link=link, to=last, options=lsrr(w.src) + b"\0",
                         src=w.own if why not in ROUTED or link == w.by else
                         w.mine)
                for last in (w.own, w.mine, w.loop, w.broadcast,
                             w.far_broadcast):
                    sent = w.hit(lsrr(last, next_hop, ptr=8), **fields)
                    told(exchange(w, sent, why), kind, code, sent,
                         link=w.by, to=w.src, src=w.own)
                for first in o.mine, w.mine:
                    sent = w.hit(lsrr(first, w.second, next_hop, ptr=12),
                                 **fields)
                    way = {"to": w.second,
                           "options": lsrr(first, w.src) + b"\0"} \
                        if first == o.mine else {"to": w.src}
                    told(exchange(w, sent, why), kind, code, sent,
                         link=w.by, src=w.own, **way)


@test("I3: nor is it reversed if rules lead its last address to ourselves, as an "
      "address outside the VRF where the local table is asked first")
def reversed_by_rules():
    o = RED.other
    routes_for_errors(RED)
    bench.temporary("route add local 10.7.7.0/24 dev lo table 77")
    with disagreeing(RED, "reverse_errors", 1, 0):
        for rule, last in (("rule add pref 10 lookup local", o.own),
                           ("rule add pref 10 lookup local", o.loop),
                           ("rule add pref 10 to 10.7.7.7 ipproto icmp lookup 77",
                            "10.7.7.7")):
            for why, kind, code, next_hop, fields in erroneous(RED):
                with added(rule):
                    sent = RED.hit(lsrr(last, next_hop, ptr=8), **fields)
                    told(exchange(RED, sent, why), kind, code, sent,
                         link=RED.by, to=RED.src, src=RED.own)


@test("C4, I4: the error about a hit that FORWARD rejects is untracked and "
      "leaves by the own table, inside a VRF and outside")
def rejected_by_own_table():
    load("""table ip t {
        counter untracked { }
        counter tracked { }
        chain forward { type filter hook forward priority 0;
            meta l4proto gre reject with icmp type admin-prohibited; }
        chain out { type filter hook output priority 0;
            ip protocol icmp ct state untracked counter name untracked accept
            ip protocol icmp counter name tracked; }
        }""")
    for w in WORLDS:
        for src, link, mine in ((w.src, w.by, w.own),
                                (w.other.src, w.out, w.mine)):
            for options, left in ((lsrr(FAR), lsrr(w.mine, ptr=8)),
                                  (lsrr(FAR, NEXT),
                                   lsrr(w.mine, NEXT, ptr=8))):
                before = seen("untracked")
                # Linux 5.10 does not reject UDP without a checksum.
                sent = w.hit(options, src=src, proto=47)
                # What FORWARD saw, though it left nowhere.
                expect_error(exchange(w, sent, "hop"), 3, 13,
                             edit(sent, dst=FAR, options=left, ttl=63),
                             to=src, src=mine, link=link)
                check(seen("untracked") > before, "the error was tracked")
    equal(seen("tracked"), 0, "tracked errors")


# Settings of srcroute

KINDS = {"lsrr": (lsrr, FAR), "ssrr": (ssrr, None)}


def by_value(w, value, options, dst):
    """What lsrr or ssrr says of a hit and, if it is loose, of transit."""
    hit = w.hit(options)
    sents = [hit]
    if options[0] == packet.LSRR:
        sents.append(ip(w.src, w.other.own, options))
    for sent in sents:
        if value == 0:
            silent(w, sent)
        elif value == 2:
            silent(w, sent, "policy_drop")
        elif value == 3:
            refused(w, sent, "policy_reject", 3, 13)
        elif sent is hit:
            passes(w, sent, dst)
        else:
            expect(exchange(w, sent, "transit"), {w.out: [edit(sent, ttl=63)]})


@test("Interface, O1, O2: lsrr and ssrr are those of the interface of arrival, "
      "whatever all, default and every other interface say")
def types_by_interface():
    for w in WORLDS:
        for key, (kind, dst) in KINDS.items():
            dst = dst or w.gateway
            for mine, elsewhere in itertools.permutations(range(4), 2):
                with disagreeing(w, key, mine, elsewhere):
                    by_value(w, mine, kind(dst), dst)


@test("Interface, H5: so are nonlocal and revisit")
def limits_by_interface():
    for w in WORLDS:
        here = w.hit(lsrr(w.second))
        back = w.hit(lsrr(w.mine, FAR, ptr=8))
        for value in 0, 1:
            with disagreeing(w, "nonlocal", value, 1 - value):
                passes(w, here, w.second, w.by, w.own)
                if value:
                    passes(w, w.hit(lsrr(FAR)), FAR)
                else:
                    refused(w, w.hit(lsrr(FAR)), "nonlocal")
            with disagreeing(w, "revisit", value, 1 - value):
                passes(w, w.hit(lsrr(FAR)), FAR)
                if value:
                    expect(exchange(w, back, "hop"),
                           advanced(w, back, [w.mine, w.mine], 12, FAR))
                else:
                    refused(w, back, "revisit")


@test("Interface, I3: so is reverse_errors, for errors of the module and of the "
      "kernel")
def reversal_by_interface():
    for w in WORLDS:
        routes_for_errors(w)
        for value in 0, 1:
            with disagreeing(w, "reverse_errors", value, 1 - value):
                for why, kind, code, next_hop, fields in erroneous(w):
                    sent = w.hit(lsrr(w.second, next_hop, ptr=8), **fields)
                    way = {"to": w.second, "options": lsrr(w.src) + b"\0"} \
                        if value else {"to": w.src}
                    told(exchange(w, sent, why), kind, code, sent,
                         link=w.by, src=w.own, **way)


@test("Interface, H2: so is mark, for hits and for transit")
def mark_by_interface():
    bench.temporary("rule add pref 10 fwmark %d/%d lookup 77" % (BIT, BIT))
    for w in WORLDS:
        sent = ip(w.src, "10.9.5.5", lsrr(FAR))
        for value, elsewhere, link, mine in ((BIT, 4, w.by, w.own),
                                             (4, BIT, w.out, w.mine),
                                             (0, BIT, w.out, w.mine)):
            with disagreeing(w, "mark", value, elsewhere), \
                    added("route add 10.9.0.0/16 via %s dev %s table 77" %
                          (w.second, w.by)):
                passes(w, w.hit(lsrr(FAR)), FAR, link, mine)
                expect(exchange(w, sent, "transit"),
                       {link: [edit(sent, ttl=63)]})


# Settings of the kernel

def forwards(w, own):
    """By what forwarding of the interface says."""
    hit, other = w.hit(lsrr(FAR)), ip(w.src, w.other.own, lsrr(FAR))
    martian = ip("127.0.0.9", w.other.own, lsrr(FAR))
    if own:
        passes(w, hit, FAR)
        expect(exchange(w, other, "transit"), {w.out: [edit(other, ttl=63)]})
        silent(w, martian, "bad_source")
    else:
        refused(w, hit, "no_route")
        silent(w, other)  # neither hit nor transit
        silent(w, martian)
    silent(w, w.hit(lsrr(FAR), src="127.0.0.9"), "bad_source")


@test("H4, Terms, H2, H13: forwarding is that of the interface of arrival, "
      "whatever all, default and every other interface say; with IPsec policies, "
      "too")
def forwarding():
    for w in WORLDS:
        for _, own in combinations(w, "forwarding"):
            forwards(w, own)
    bench.router.run("ip xfrm policy add src 198.51.100.0/24 dst "
                     "198.51.100.0/24 dir out action block")
    ktap.cleanup(bench.router.run, "ip xfrm policy flush")
    for w in WORLDS:
        for _, own in combinations(w, "forwarding"):
            forwards(w, own)


@test("S: a discard is logged under the interface of arrival if log_martians of "
      "all or of that interface is on, whatever the others say")
def log_martians():
    log = Log()
    log.wait_for_limit()
    for w in WORLDS:
        for whole, own in combinations(w, "log_martians"):
            refused(w, w.hit(lsrr("127.0.0.1")), "bad_next")
            equal(log.lines(), ["srcroute: %s: discarded %s -> %s: next address is "
                            "not that of one host" % (w.by, w.src, w.own)] *
                  (whole or own), "lines with %d, %d" % (whole, own))


@test("H2: accept_local is on if all's or the interface of arrival's is")
def accept_local():
    for w in WORLDS:
        for whole, own in combinations(w, "accept_local"):
            sent = w.hit(lsrr(FAR), src=w.mine)
            if whole or own:
                passes(w, sent, FAR)
            else:
                silent(w, sent, "bad_source")


def watch_input():
    load("""table ip t {
        counter in { }
        chain input { type filter hook input priority 0;
            meta l4proto udp counter name in drop; }
        }""")


@test("H8, O3: a complete route is delivered if accept_source_route of all and "
      "of the interface of arrival is on; hits and transit do not ask")
def accept_source_route():
    watch_input()
    for w in WORLDS:
        for whole, own in combinations(w, "accept_source_route"):
            for options in lsrr(FAR, ptr=8), lsrr(w.mine):
                before = seen("in")
                silent(w, w.hit(options), "local")
                equal(seen("in") - before, whole and own, "delivered")
            passes(w, w.hit(lsrr(FAR)), FAR)
            sent = ip(w.src, w.other.own, lsrr(FAR))
            expect(exchange(w, sent, "transit"), {w.out: [edit(sent, ttl=63)]})


@test("H8: the reply to an echo whose route ends at an own address starts behind it, by "
      "the own table")
def reply_by_own_table():
    for w in WORLDS:
        with native("accept_source_route", {"all": 1, w.by: 1}):
            out = bench.exchange(w.by, w.hit(
                lsrr(w.second, w.loop, ptr=8), proto=packet.ICMP,
                payload=packet.icmp_error(8, 0, b"route")))
            (link, [reply]), = out.items()
            p = packet.Packet(reply)
            equal((link, p.src, p.dst, p.options),
                  (w.by, w.loop, w.second, lsrr(w.loop, w.src, ptr=8) + b"\0"), w.by)


@test("H3, Terms: with bc_forwarding a broadcast address is no next address and "
      "no transit either, whoever has it on")
def bc_forwarding():
    for w in WORLDS:
        for whole, own in combinations(w, "bc_forwarding"):
            for bad in w.broadcast, w.far_broadcast:
                refused(w, w.hit(lsrr(bad)), "bad_next")
            silent(w, ip(w.src, w.far_broadcast, lsrr(FAR)))
            # The setting is in force: without a route in it, this passes.
            plain = ip(w.src, w.far_broadcast)
            expect(exchange(w, plain), {w.out: [edit(plain, ttl=63)]}
                   if whole and own else {})


@test("H3, Terms: with route_localnet 127/8 is no next address and no own one "
      "either, whoever has it on")
def route_localnet():
    watch_input()
    for w in WORLDS:
        for whole, own in combinations(w, "route_localnet"):
            refused(w, w.hit(lsrr("127.0.0.1")), "bad_next")
            silent(w, ip(w.src, "127.0.0.1", lsrr(FAR)))
            before = seen("in")
            exchange(w, ip(w.src, "127.0.0.1"))
            # 127/8 is in the main table alone; a VRF of Linux 7.2 says so by ICMP.
            equal(seen("in") - before, (whole or own) and w is MAIN,
                  "ordinary datagrams delivered")


@test("H11: no redirect, whoever has send_redirects or shared_media on")
def send_redirects():
    for w in WORLDS:
        bench.temporary("route add 10.64.0.0/16 via %s dev %s table %d" % (
            w.second, w.by, w.table))
        for n, (whole, own) in enumerate(combinations(w, "send_redirects")):
            # The kernel tells one source a few times only.
            src = w.own[:-1] + str(20 + n)
            bench.neighbour(w.by, src)
            for shared in 0, 1:
                with native("shared_media", {"all": shared, w.by: shared}):
                    passes(w, w.hit(lsrr("10.64.0.1"), src=src), "10.64.0.1",
                           w.by, w.own)
            out = exchange(w, ip(src, "10.64.0.1"))
            equal(len(out[w.by]), 2 if whole or own else 1,
                  "ordinary datagram and redirect")


if __name__ == "__main__":
    ktap.main(bench.close)
