#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What is tracked before the module sees it, or again after it has been marked
untracked: by act_ct, by the conntrack of a bridge, by a zone that a rule of raw
sets; and what IPVS looks for in FORWARD: C2, C4, H10, O5.

Beside the topology of lib/standard.py, there are:

    10.4.0.2 ---- d ---- br0, 10.4.0.1 ---| R |
    10.50.0.2 --- u ---- 10.50.0.1 -------|   |-- 10.51.0.1 --- w --- 10.51.0.2
                                       VRF red     (and behind it 10.59.0.0/16)
"""

import functools
import re
import struct

from lib import ktap, packet
from lib.ktap import check, equal, test
from lib.netns import sh, wait_until
from lib.nft import nft
from lib.packet import Packet, edit, ip, lsrr, ssrr
from lib.standard import (A, B, FAR, NEXT, SRC, StandardBench, expect,
                          expect_error, expect_nothing, expect_one)

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)

IN_VRF = "table 51"


def load(rules):
    """A ruleset for the length of a test."""
    ktap.cleanup(nft, bench.router, "flush ruleset")
    nft(bench.router, rules)


# Who tracks

def on_ingress(link, action):
    """A tc(8) action for what comes in by a link, for the length of a test."""
    ktap.cleanup(bench.router.run, "tc qdisc del dev %s clsact" % link)
    bench.router.run("tc qdisc add dev %s clsact && tc filter add dev %s "
                     "ingress protocol ip matchall action %s"
                     % (link, link, action))


def act_ct():
    on_ingress("a", "ct")


def act_ct_commit():
    on_ingress("a", "ct commit")


@functools.lru_cache
def bridge():
    sh(["modprobe", "nf_conntrack_bridge"])
    bench.link("d")
    bench.router.ip("link add name br0 type bridge mcast_snooping 0",
                    "link set dev d master br0", "link set dev br0 up",
                    "addr add 10.4.0.1/24 dev br0",
                    "neigh replace 10.4.0.2 lladdr %s dev br0 nud permanent"
                    % bench.wires["d"].own.hex(":"))
    bench.router.wait_for_ports("d")
    bench.router.sysctl("net.ipv4.conf.br0.rp_filter", 0)
    bench.set(lsrr=1, ssrr=1)


def bridge_conntrack():
    bridge()
    bench.nf_call(0)
    load("table bridge t { chain c { type filter hook prerouting priority 0; "
         "ct state invalid counter; } }")


def zone():
    load("table ip zones { "
         "chain p { type filter hook prerouting priority raw; "
         "ip saddr != %s ct zone set 7; } "
         "chain o { type filter hook output priority raw; "
         "ct zone set 7; } }" % bench.MARKER)


@functools.lru_cache
def red():
    bench.router.ip("link add name red type vrf table 51",
                    "link set dev red up")
    for link, own, far in (("u", "10.50.0.1/24", "10.50.0.2"),
                           ("w", "10.51.0.1/24", "10.51.0.2")):
        bench.link(link)
        bench.router.ip("link set dev %s master red" % link,
                        "addr add %s dev %s" % (own, link))
        bench.neighbour(link, far)
    bench.router.ip("route add 10.59.0.0/16 via 10.51.0.2 " + IN_VRF)
    bench.set(lsrr=1, ssrr=1)


def zone_of_vrf():
    red()
    zone()


class Company:
    """Who tracks, where that happens, and by which way a datagram goes on."""

    def __init__(self, begin, into="a", src=SRC, own=A, out="b", leaves=B,
                 near=NEXT, far=FAR, table=""):
        self.begin, self.table = begin, table
        self.into, self.src, self.own = into, src, own
        self.out, self.leaves, self.near, self.far = out, leaves, near, far

    def hit(self, options, **fields):
        return ip(self.src, self.own, options, **fields)

    def transit(self, options, **fields):
        return ip(self.src, self.far, options, **fields)

    def hit_leaves(self, sent, dst, options):
        return edit(sent, ttl=63, dst=dst, options=options)


COMPANIES = {
    "act_ct": Company(act_ct),
    "act_ct that commits": Company(act_ct_commit),
    "the conntrack of a bridge": Company(bridge_conntrack, "d", "10.4.0.2",
                                         "10.4.0.1"),
    "a zone that raw sets": Company(zone),
    "a zone that raw sets under VRF": Company(
        zone_of_vrf, "u", "10.50.0.2", "10.50.0.1", "w", "10.51.0.1",
        "10.51.0.2", "10.59.0.1", IN_VRF),
}


def with_each(text, *names):
    """One test for each company, or for those named."""
    def decorate(function):
        for name in names or COMPANIES:
            test(text % name)(functools.partial(function, COMPANIES[name]))
        return function
    return decorate


# The firewall

FIREWALL = """
table ip t {
    counter forward_untracked { }
    counter forward_invalid { }
    counter forward_tracked { }
    counter output_untracked { }
    counter output_invalid { }
    chain raw {
        type filter hook prerouting priority raw
        ip saddr %(marker)s notrack
    }
    chain forward {
        type filter hook forward priority filter
        ip saddr %(marker)s accept
        ct state untracked counter name forward_untracked accept
        ct state invalid counter name forward_invalid drop
        counter name forward_tracked
    }
    chain output {
        type filter hook output priority filter
        ct state untracked counter name output_untracked accept
        ct state invalid counter name output_invalid drop
    }
    chain nat {
        type nat hook postrouting priority srcnat
        ip saddr { 10.1.0.0/24, 10.4.0.0/24, 10.50.0.0/24 } masquerade
    }
}
""" % {"marker": bench.MARKER}


def states():
    """Packets of the named counters that have seen any."""
    text = nft(bench.router, "list counters table ip t")
    found = re.findall(r"counter (\w+) {\s+packets (\d+)", text)
    return {name: int(n) for name, n in found if int(n)}


def entries():
    """The table of connections: (protocol, source, destination) of each."""
    with bench.router.open("/proc/net/nf_conntrack") as file:
        return sorted(re.search(r"^ipv4 +\d+ (\w+).*? src=(\S+) dst=(\S+)",
                                line).groups() for line in file)


def held():
    return int(bench.router.sysctl("net.netfilter.nf_conntrack_count"))


def nothing_is_held():
    """A reference that nobody puts keeps its connection in the count, be it in
    the table or not."""
    bench.router.run("conntrack -F")
    wait_until(lambda: not held(), what="no connection left")


def guard(company):
    """The firewall, and who tracks; an empty table of connections."""
    load(FIREWALL)
    company.begin()
    nothing_is_held()


def masqueraded(sent, company):
    return edit(sent, ttl=63, src=company.leaves)


# Datagrams

def tcp(src, dst, data=b""):
    """A SYN whose checksum is right between these addresses."""
    head = struct.pack("!HHIIBBHHH", 4000, 80, 1, 0, 0x50, 2, 1024, 0, 0)
    return with_sum(src, dst, packet.TCP, head + data, 16)


def udp(src, dst, data=b"srcroute"):
    return with_sum(src, dst, packet.UDP, packet.udp(data), 6)


def with_sum(src, dst, proto, segment, at):
    pseudo = packet.addr(src) + packet.addr(dst) + struct.pack(
        "!HH", proto, len(segment))
    total = packet.checksum(pseudo + segment)
    return segment[:at] + struct.pack("!H", total) + segment[at + 2:]


def echo(data=b"srcroute"):
    body = struct.pack("!BBHHH", 8, 0, 0, 0x5352, 1) + data
    return body[:2] + struct.pack("!H", packet.checksum(body)) + body[4:]


def payloads(src, last):
    """(protocol, payload), with the checksums that its sender has made for the
    last address of the route, and UDP without any."""
    return [(packet.UDP, packet.udp()), (packet.UDP, udp(src, last)),
            (packet.TCP, tcp(src, last)), (packet.ICMP, echo())]


def routed(company):
    """[(what is sent, what is to leave)] of hits and incomplete transit."""
    c, pairs = company, []
    for proto, payload in payloads(c.src, c.far):
        fields = {"proto": proto, "payload": payload}
        for options, dst, after in (
                (lsrr(c.far), c.far, lsrr(c.leaves, ptr=8)),
                (lsrr(c.near, c.far), c.near, lsrr(c.leaves, c.far, ptr=8)),
                (ssrr(c.near, c.far), c.near, ssrr(c.leaves, c.far, ptr=8))):
            sent = c.hit(options, **fields)
            pairs.append((sent, c.hit_leaves(sent, dst, after)))
        sent = c.transit(lsrr("10.77.0.1"), **fields)
        pairs.append((sent, edit(sent, ttl=63)))
    return pairs


@with_each("C2: what %s has tracked leaves untranslated and untracked, hits "
           "and incomplete transit; an ordinary datagram is masqueraded",
           *[name for name in COMPANIES if "commits" not in name])
def untracked_again(company):
    guard(company)
    sent, wanted = zip(*routed(company))
    plain = ip(company.src, company.far, ident=1)
    expect(bench.exchange(company.into, *sent, plain),
           {company.out: [*wanted, masqueraded(plain, company)]})
    equal(states(), {"forward_untracked": len(sent), "forward_tracked": 1},
          "states")
    equal(entries(), [("udp", company.src, company.far)], "connections")
    nothing_is_held()


@with_each("C2: what %s has entered in the table of connections leaves "
           "untracked, the first and the next", "act_ct that commits")
def untracked_although_confirmed(company):
    guard(company)
    sent, wanted = zip(*routed(company))
    plain = ip(company.src, company.far, ident=1)
    for times in 1, 2:
        expect(bench.exchange(company.into, *sent, plain),
               {company.out: [*wanted, edit(plain, ttl=63)]})
        equal(states(), {"forward_untracked": times * len(sent),
                         "forward_tracked": times}, "states")
    check(("udp", company.src, company.own) in entries(), "none of act_ct")
    nothing_is_held()


# Errors of the router

def errors(company):
    """[(datagram, type, code, pointer)]"""
    c = company
    big = {"frag": 0x4000, "payload": udp(c.src, "10.80.0.1", bytes(800))}
    segment = {"proto": packet.TCP, "payload": tcp(c.src, "10.77.0.1")}
    return [(c.hit(lsrr(c.far), ttl=1, **segment), 11, 0, 0),
            (c.transit(lsrr(c.far), ttl=1, **segment), 11, 0, 0),
            (c.hit(lsrr("10.80.0.1"), **big), 3, 4, 0),
            (ip(c.src, "10.80.0.1", lsrr(c.far), **big), 3, 4, 0),
            (c.hit(lsrr(c.far, ptr=5), **segment), 12, 0, 22),
            (c.transit(lsrr(c.far, ptr=5), **segment), 12, 0, 22),
            (c.hit(lsrr("127.0.0.1"), **segment), 3, 5, 0),
            (c.hit(ssrr(c.far), **segment), 3, 5, 0),
            (c.transit(ssrr(c.far), **segment), 12, 0, 16)]


def pointer_of(kind, code, pointer):
    """The octet where an ICMP error has its pointer; of 3/4 it is unused."""
    return pointer if (kind, code) == (12, 0) else 0


@with_each("C4: the router's errors about what %s has tracked are untracked, "
           "too: they pass ct state invalid drop in OUTPUT")
def errors_pass(company):
    c = company
    guard(c)
    bench.temporary("route add 10.80.0.0/16 via %s mtu lock 600 %s"
                    % (c.near, c.table))
    made = errors(c)
    for sent, kind, code, pointer in made:
        expect_error(bench.exchange(c.into, sent), kind, code, sent,
                     pointer=pointer_of(kind, code, pointer), to=c.src,
                     src=c.own, link=c.into)
    # Under VRF an error passes OUTPUT twice.
    times = 2 if c.table else 1
    equal(states(), {"output_untracked": len(made) * times}, "states")
    nothing_is_held()


@with_each("C4: an error about an ordinary datagram that %s has tracked is "
           "tracked, and related to it; one about a hit beside it is not")
def errors_of_others(company):
    c = company
    guard(c)
    nft(bench.router, "add counter ip t output_related; "
        "insert rule ip t output ct state related counter name output_related")
    plain = ip(c.src, c.far)
    expect_one(bench.exchange(c.into, plain), c.out)
    for sent in edit(plain, ttl=1), c.hit(lsrr(c.far), ttl=1):
        expect_error(bench.exchange(c.into, sent), 11, 0, sent, to=c.src,
                     src=c.own, link=c.into)
    times = 2 if c.table else 1
    equal(states(), {"forward_tracked": 1, "output_related": times,
                     "output_untracked": times}, "states")


# Fragments

def pieces(src, dst, options, payload, proto=packet.UDP, size=64):
    """A datagram in fragments, with the option in each (RFC 791)."""
    parts = [payload[i:i + size] for i in range(0, len(payload), size)]
    return [ip(src, dst, options, payload=part, ident=0x4242, proto=proto,
               frag=(i * size // 8) | (0x2000 if part is not parts[-1] else 0))
            for i, part in enumerate(parts)]


def go_by_themselves(company, proto=packet.UDP):
    """A middle one alone, and three in the wrong order."""
    c, data = company, udp(company.src, company.far, bytes(range(160)))
    parts = pieces(c.src, c.own, lsrr(c.far), data, proto)
    equal(len(parts), 3, "fragments")
    for sent in parts[1:2], parts[::-1]:
        expect(bench.exchange(c.into, *sent), {c.out: [
            c.hit_leaves(part, c.far, lsrr(c.leaves, ptr=8))
            for part in sent]})
    parts = pieces(c.src, c.far, lsrr("10.77.0.1"), data, proto)
    for sent in parts[1:2], parts[::-1]:
        expect(bench.exchange(c.into, *sent),
               {c.out: [edit(part, ttl=63) for part in sent]})


@with_each("H10: fragments of hits and of incomplete transit go each by itself "
           "with %s", "a zone that raw sets", "a zone that raw sets under VRF")
def fragments_in_zone(company):
    guard(company)
    go_by_themselves(company)
    equal(states(), {"forward_untracked": 8}, "states")
    nothing_is_held()


@with_each("H10: what %s has reassembled before the module sees it goes on as "
           "one datagram, untracked", "act_ct", "the conntrack of a bridge")
def reassembled_before(company):
    c = company
    guard(c)
    data = udp(c.src, c.far, bytes(range(160)))
    for dst, options, after in (
            (c.own, lsrr(c.far), lsrr(c.leaves, ptr=8)),
            (c.far, lsrr("10.77.0.1"), lsrr("10.77.0.1"))):
        parts = pieces(c.src, dst, options, data)
        whole = ip(c.src, dst, options, payload=data, ident=0x4242)
        # In order: act_ct of Linux 5.10 loses what is not, and its namespace with it.
        expect_nothing(bench.exchange(c.into, *parts[:-1]))
        expect(bench.exchange(c.into, parts[-1]),
               {c.out: [c.hit_leaves(whole, c.far, after)]})
    equal(states(), {"forward_untracked": 2}, "states")
    nothing_is_held()
    nft(bench.router, "flush ruleset")


@test("H10: ... and without act_ct each by itself")
def reassembled_by_act_ct():
    load(FIREWALL)
    go_by_themselves(COMPANIES["act_ct"])


# Destinations that NAT has changed

def as_native_has_it(link, *datagrams):
    """What the kernel makes of them where the module is off."""
    bench.using(lsrr=0, ssrr=0)
    out = bench.exchange(link, *datagrams)
    bench.set(lsrr=1, ssrr=1)
    return out


def accept_source_routes(link):
    for scope in "all", link:
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)


def translated_by_act_ct(new):
    """act_ct gives a datagram another destination, or does not."""
    load(FIREWALL)
    accept_source_routes("a")
    sent = ip(SRC, A, lsrr(NEXT))
    bench.moved()
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, ttl=63, dst=NEXT, options=lsrr(B, ptr=8))]})
    equal(bench.moved(), {"received": 1, "hop": 1}, "without act_ct")
    equal(states(), {"forward_untracked": 1}, "without act_ct")
    on_ingress("a", "ct commit nat dst addr %s pipe" % new)
    native = as_native_has_it("a", sent)
    expect_one(native, "b")
    nothing_is_held()
    expect(bench.exchange("a", sent), native)
    equal(bench.moved(), {}, "counters")
    equal(states(), {"forward_untracked": 1, "forward_tracked": 2}, "states")
    nothing_is_held()


for to, address in ("somebody else's", FAR), ("another of ours", "10.5.0.1"):
    test("O5: a datagram whose destination act_ct has changed, to %s, is the "
         "kernel's and stays tracked, incomplete as it is" % to)(
             functools.partial(translated_by_act_ct, address))


@test("C4, O5: an error about an incomplete datagram that act_ct has "
      "translated is untracked, so it quotes the new destination")
def error_about_translated():
    load(FIREWALL)
    accept_source_routes("a")
    on_ingress("a", "ct commit nat dst addr %s pipe" % FAR)
    sent = ip(SRC, "10.9.5.5", lsrr("10.77.0.1"), ttl=1)
    native = packet.Error(expect_one(as_native_has_it("a", sent), "a"))
    equal(Packet(native.quote).dst, "10.9.5.5", "quoted without the module")
    expect_error(bench.exchange("a", sent), 11, 0, edit(sent, dst=FAR))
    equal(states(), {"output_untracked": 1}, "states")
    nothing_is_held()


def masquerade_one(company):
    """A connection of an inner host, and what a hit looks like that comes back
    along it and has the inner host in its route."""
    c = company
    request = ip(c.src, c.near)
    expect(bench.exchange(c.into, request),
           {c.out: [edit(request, ttl=63, src=c.leaves)]})
    back = packet.udp(sport=9, dport=4000)
    plain = ip(c.near, c.leaves, payload=back)
    expect(bench.exchange(c.out, plain),
           {c.into: [edit(plain, ttl=63, dst=c.src)]})
    return ip(c.near, c.leaves, lsrr(c.src), payload=back)


@test("C2: a hit that looks like an answer of a masqueraded connection is not "
      "translated, tracked by act_ct or not")
def answer_along_masqueraded():
    for tracks in False, True:
        load(FIREWALL)
        if tracks:
            on_ingress("b", "ct")
        sent = masquerade_one(COMPANIES["act_ct"])
        expect(bench.exchange("b", sent), {"a": [
            edit(sent, ttl=63, dst=SRC, options=lsrr(A, ptr=8))]})
        equal(states(), {"forward_untracked": 1, "forward_tracked": 2},
              "states")
        nft(bench.router, "flush ruleset")
    nothing_is_held()


# IPVS

CLIENT, SERVER = SRC, NEXT


def service():
    """A service of NAT on an address of the router, and a connection to it."""
    ktap.cleanup(bench.router.run, "ipvsadm -C")
    bench.router.run("ipvsadm -A -u %s:9 -s rr" % A)
    bench.router.run("ipvsadm -a -u %s:9 -r %s -m" % (A, SERVER))
    request = ip(CLIENT, A, payload=udp(CLIENT, A))
    expect(bench.exchange("a", request),
           {"b": [ip(CLIENT, SERVER, payload=udp(CLIENT, SERVER), ttl=63)]})


def answer(dst, options=b"", src=SERVER, **fields):
    """From the server, or as it is when IPVS has translated it."""
    segment = packet.udp(sport=9, dport=4000)
    return ip(src, dst, options, payload=with_sum(src, CLIENT, packet.UDP,
                                                  segment, 6), **fields)


@test("C2: IPVS translates an answer of its server, but not what looks like "
      "one: a hit whose next is the client, incomplete transit")
def past_ipvs():
    service()
    plain, translated = answer(CLIENT), answer(CLIENT, src=A, ttl=63)
    hit = answer(B, lsrr(CLIENT))
    on_the_way = answer(CLIENT, lsrr(FAR))
    expect(bench.exchange("b", plain, hit, on_the_way, plain), {"a": [
        translated, edit(hit, ttl=63, dst=CLIENT, options=lsrr(A, ptr=8)),
        edit(on_the_way, ttl=63), translated]})


@test("C2: IPVS has complete routes as it has them without the module: transit "
      "is translated, and a request reaches the server")
def complete_by_ipvs():
    service()
    bench.moved()
    for link in "a", "b":
        accept_source_routes(link)
    complete = lsrr(FAR, ptr=8)
    request = ip(CLIENT, A, complete, payload=udp(CLIENT, A))
    for link, sent, wanted in (
            ("b", answer(CLIENT, complete), {"a": [
                answer(CLIENT, complete, src=A, ttl=63)]}),
            ("a", request, {"b": [ip(CLIENT, SERVER, complete, ttl=63,
                                     payload=udp(CLIENT, SERVER))]})):
        expect(as_native_has_it(link, sent), wanted)
        expect(bench.exchange(link, sent), wanted)
    equal(bench.moved(), {"received": 2, "transit": 1, "local": 1}, "counters")


@test("H10: fragments of hits and of incomplete transit go each by itself with "
      "a service of IPVS in the namespace; ordinary ones are reassembled")
def fragments_past_ipvs():
    service()
    go_by_themselves(COMPANIES["act_ct"])
    go_by_themselves(COMPANIES["act_ct"], packet.TCP)
    parts = pieces(SRC, FAR, b"", packet.udp(bytes(range(160))))
    expect_nothing(bench.exchange("a", *parts[:0:-1]))
    check(bench.exchange("a", parts[0]), "ordinary fragments")


def icmp_error(quote):
    body = b"\3\1\0\0" + bytes(4) + quote
    return body[:2] + struct.pack("!H", packet.checksum(body)) + body[4:]


@test("H10: ... but IPVS waits for all of those of ICMP; without a service "
      "each goes by itself")
def icmp_fragments():
    c = COMPANIES["act_ct"]
    go_by_themselves(c, packet.ICMP)
    service()
    parts = pieces(SRC, A, lsrr(FAR), echo(bytes(152)), packet.ICMP)
    expect_nothing(bench.exchange("a", *parts[:0:-1]))
    expect(bench.exchange("a", parts[0]), {"b": [
        c.hit_leaves(part, FAR, lsrr(B, ptr=8)) for part in parts]})


@test("C2: ... but IPVS has an ICMP error about one of its connections, a hit "
      "or not: it goes to the server")
def icmp_errors_to_ipvs():
    quote = ip(A, CLIENT, payload=packet.udp(sport=9, dport=4000))
    sent = ip(CLIENT, A, lsrr(FAR), proto=packet.ICMP,
              payload=icmp_error(quote))
    expect(bench.exchange("a", sent), {"b": [
        edit(sent, ttl=63, dst=FAR, options=lsrr(B, ptr=8))]})
    service()
    out = Packet(expect_one(bench.exchange("a", sent), "b"))
    equal((out.src, out.dst, out.options), (CLIENT, SERVER,
                                            lsrr(B, ptr=8) + b"\0"), "sent on")


if __name__ == "__main__":
    ktap.main(bench.close)
