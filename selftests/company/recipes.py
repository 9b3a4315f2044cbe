#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The recipes of docs/filtering.md, taken out of the page and run: C1, C2, C4,
and the mark. The topology is drawn in lib/standard.py. And those of a whole
way, with a recipe on the first of three gateways:

    host ----- a gate b ----- second ----- third ----- end
        10.1.0      c 10.2.0    |    10.9.1     10.9.2       .1 left, .2 right
                    +-----------+                            of a link
                        10.3.0
"""

import functools
import os
import re
import struct

from lib import ktap, packet
from lib.chain import Chain, Node, traceroute, transfer
from lib.ktap import check, equal, test
from lib.netns import cable
from lib.nft import nft
from lib.packet import ICMP, edit, icmp_error, ip, lsrr, ssrr
from lib.standard import (A, B, FAR, NEXT, NEXT_C, SRC, StandardBench, expect,
                          expect_error, expect_nothing, expect_one)

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../docs/filtering.md")
STRANGER, OTHER = "10.1.3.77", "10.1.0.3"
SECOND, THIRD, END = "10.9.1.1", "10.9.1.2", "10.9.2.2"
WAY = [A, SECOND]  # the third is in transit
SMALL_MTU = 600  # between the third and the end

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)
bench.neighbour("a", OTHER)
tested, travelled = set(), set()
dropped = []  # by the recipe of this test: (link, datagram)


def read_recipes():
    """{heading: [(language, block)]} of the page; headings without blocks are
    left out."""
    found, heading = {}, None
    with open(PAGE) as page:
        text = page.read()
    for match in re.finditer(r"^## ([^\n]+)$|^```(\w+)\n(.*?)^```$", text,
                             re.M | re.S):
        if match[1]:
            heading = match[1]
        else:
            found.setdefault(heading, []).append((match[2], match[3]))
    return found


RECIPES = read_recipes()


def undo():
    nft(bench.router, "flush ruleset")
    bench.set(lsrr=1, ssrr=1, mark=0)


def load_into(ns, heading):
    for language, block in RECIPES[heading]:
        command = {"nft": ["nft", "-f", "-"], "sh": ["sh", "-e"]}[language]
        ns.run(command, input=block)


def load(heading):
    ktap.cleanup(undo)
    load_into(bench.router, heading)
    # What tells the bench that all has come out is no part of the recipe.
    if "hook forward" in nft(bench.router, "list chains inet"):
        nft(bench.router, "insert rule inet srcroute forward ip saddr %s "
            "accept" % bench.MARKER)


def recipe(heading):
    """A test that begins with the recipe loaded. What the recipe has dropped has
    to pass when it is gone."""
    tested.add(heading)

    def decorate(function):
        @functools.wraps(function)
        def run():
            dropped.clear()
            load(heading)
            function()
            undo()
            for by, sent in dropped:
                out = bench.exchange(by, sent)
                check(out, "dropped without the recipe: %s" %
                      packet.Packet(sent))
        return run
    return decorate


def passes(sent, link, **changed):
    expect(bench.exchange("a", sent), {link: [edit(sent, ttl=63, **changed)]})


def hit_passes(slot, link="b", recorded=B):
    passes(ip(SRC, A, lsrr(slot)), link, dst=slot,
           options=lsrr(recorded, ptr=8))


def is_dropped(sent, by="a"):
    expect_nothing(bench.exchange(by, sent))
    dropped.append((by, sent))


def hit_is_dropped(slot):
    is_dropped(ip(SRC, A, lsrr(slot)))


def counted():
    """Packets of the counters of the ruleset."""
    text = nft(bench.router, "list ruleset")
    return sum(int(n) for n in re.findall(r"counter packets (\d+)", text))


@test("C1: recipe: source routes to some networks only, the rest untouched")
@recipe("To some networks only")
def some_networks():
    hit_passes(FAR)
    hit_is_dropped(NEXT_C)
    is_dropped(ip(SRC, NEXT_C, lsrr(FAR)))
    equal(counted(), 2, "counter")
    passes(ip(SRC, NEXT_C), "c")


@test("C2, C4: recipe: a stateful firewall lets source routes by their mark, "
      "and the errors about them")
@recipe("A stateful firewall")
def stateful():
    hit_passes(FAR)
    hit_is_dropped(NEXT_C)
    passes(ip(SRC, NEXT_C), "c")
    refused = ip(SRC, A, lsrr("127.0.0.1"))
    expect_error(bench.exchange("a", refused), 3, 5, refused)
    strict = ip(SRC, A, ssrr(FAR))
    expect_error(bench.exchange("a", strict), 3, 5, strict)
    bench.set(mark=0)
    hit_is_dropped(FAR)


def error(quote, kind=11, to=SRC):
    """An ICMP error from behind b."""
    return ip(NEXT, to, proto=ICMP, payload=icmp_error(kind, 0, quote))


def gets_back(sent):
    expect(bench.exchange("b", sent), {"a": [edit(sent, ttl=63)]})


ROUTED = ip(SRC, NEXT, lsrr(FAR))
# What looks like the options of a quote that has none: ports and length.
PORTS = packet.udp(sport=0x8307, dport=0x0400)


@test("C2: recipe: a stateful firewall lets errors in that quote a source "
      "route, for hosts that have sent some")
@recipe("A stateful firewall")
def stateful_errors():
    is_dropped(error(ROUTED), by="b")
    hit_passes(FAR)
    for kind in 3, 11, 12:
        gets_back(error(ROUTED, kind))
    for options in (ssrr(FAR), lsrr(FAR, B, ptr=12), b"\1" + lsrr(FAR),
                    b"\1" + ssrr(FAR, ptr=8), lsrr(FAR) + packet.record(3),
                    lsrr(*[FAR] * 9)):
        gets_back(error(edit(ROUTED, options=options)))
    for options in (packet.record(3), packet.record(3) + lsrr(FAR), b"\1" * 8,
                    b"\1\1" + lsrr(FAR), b"\0" * 4 + lsrr(FAR)):
        is_dropped(error(edit(ROUTED, options=options)), by="b")
    for sent in (error(ROUTED, 4), error(ROUTED, 5), error(ROUTED, 0),
                 error(ip(SRC, NEXT)), error(ip(SRC, NEXT, payload=PORTS)),
                 error(b"\x67" + ROUTED[1:]), error(ROUTED[:20]),
                 error(ROUTED, to=OTHER), ip(NEXT, SRC, payload=icmp_error(
                     11, 0, ROUTED), proto=99)):
        is_dropped(sent, by="b")


@test("C2: recipe: a stateful firewall lets answers in along a source route, "
      "for hosts that have sent some")
@recipe("A stateful firewall")
def stateful_answers():
    answer = ip(FAR, B, lsrr(SRC))
    is_dropped(answer, by="b")
    hit_passes(FAR)
    expect(bench.exchange("b", answer), {"a": [
        edit(answer, ttl=63, dst=SRC, options=lsrr(A, ptr=8))]})
    is_dropped(ip(FAR, B, lsrr(OTHER)), by="b")
    is_dropped(ip(FAR, B, lsrr(NEXT_C)), by="b")
    is_dropped(ip(FAR, SRC, payload=packet.udp()), by="b")


@test("C1: recipe: options from some hosts only")
@recipe("From some hosts only")
def some_hosts():
    hit_passes(FAR)
    is_dropped(ip(STRANGER, A, lsrr(FAR)))
    is_dropped(ip(STRANGER, A, lsrr(B, FAR, ptr=8)))
    equal(counted(), 2, "counter")
    passes(ip(STRANGER, FAR), "b")


@test("C1: recipe: options from some hosts only, and back to who has sent some")
@recipe("From some hosts only")
def some_hosts_answers():
    answer, stray = ip(FAR, B, lsrr(SRC)), ip(FAR, B, lsrr(OTHER))
    request = ip(NEXT, B, packet.record(2))
    for sent in answer, stray, request:
        is_dropped(sent, by="b")
    hit_passes(FAR)
    expect(bench.exchange("b", answer), {"a": [
        edit(answer, ttl=63, dst=SRC, options=lsrr(A, ptr=8))]})
    for sent in stray, request, ip(SRC, B, lsrr(FAR)):
        is_dropped(sent, by="b")
    equal(counted(), 6, "counter")


@test("C1: recipe: hits pass, loose routes for other routers do not")
@recipe("For this router only, none in transit")
def no_transit():
    hit_passes(FAR)
    is_dropped(ip(SRC, "10.9.5.5", lsrr(FAR)))
    equal(counted(), 1, "counter")
    passes(ip(SRC, FAR), "b")


@test("C2: recipe: source routes do not get past masquerading, answers do")
@recipe("Not past masquerading")
def masquerading():
    intruder = ip(NEXT, B, lsrr(SRC))
    is_dropped(intruder, by="b")
    equal(counted(), 1, "counter")
    out = packet.Packet(expect_one(bench.exchange("a", ip(SRC, FAR)), "b"))
    equal(out.src, B, "source, translated")
    answer = ip(FAR, B, payload=packet.udp(sport=9, dport=4000))
    out = packet.Packet(expect_one(bench.exchange("b", answer), "a"))
    equal(out.dst, SRC, "destination, translated back")


def tcp_for(dst, src=SRC):
    """A SYN with the checksum that is right for this destination."""
    head = struct.pack("!HHIIBBHHH", 4000, 80, 1, 0, 0x50, 2, 1024, 0, 0)
    pseudo = packet.addr(src) + packet.addr(dst) + struct.pack("!HH", 6, 20)
    return head[:16] + struct.pack("!H", packet.checksum(pseudo + head)) \
        + head[18:]


@test("C2, C4: recipe: a zone for all but source routes")
@recipe("Zones")
def zones():
    segment = {"proto": 6, "payload": tcp_for(FAR)}
    sent = ip(SRC, A, lsrr(NEXT, FAR), **segment)
    wanted = edit(sent, ttl=63, dst=NEXT, options=lsrr(B, FAR, ptr=8))
    expect(bench.exchange("a", sent), {"b": [wanted]})
    equal(counted(), 0, "counter")
    passes(ip(SRC, FAR, **segment), "b")
    nft(bench.router, "add chain inet srcroute late { type filter hook output "
        "priority filter; }; add rule inet srcroute late ct state invalid drop")
    refused = ip(SRC, A, lsrr("127.0.0.1"), **segment)
    expect_error(bench.exchange("a", refused), 3, 5, refused)
    # Without the words that spare source routes:
    nft(bench.router, "flush chain inet srcroute prerouting; "
        "add rule inet srcroute prerouting ct zone set 7")
    is_dropped(sent)
    equal(counted(), 1, "counter")


def pieces(src, dst):
    """Three fragments of a hit for a neighbour of b, and what is to leave."""
    data = packet.udp(bytes(160))
    sent = [ip(src, dst, lsrr(NEXT), payload=data[i:i + 64], frag=more | i // 8)
            for i, more in ((0, 0x2000), (64, 0x2000), (128, 0))]
    return sent, [edit(part, ttl=63, dst=NEXT, options=lsrr(B, ptr=8))
                  for part in sent]


def waited_for(link, sent):
    """Nothing goes on before the last has come. In order: act_ct of Linux 5.10 loses
    what is not, and its namespace with it."""
    expect_nothing(bench.exchange(link, *sent[:-1]))
    expect_one(bench.exchange(link, sent[-1]), "b")


@test("H10: recipe: act_ct for datagrams without options")
@recipe("Behind act_ct")
def behind_act_ct():
    ktap.cleanup(bench.router.run, "tc qdisc del dev a clsact")
    sent, wanted = pieces(SRC, A)
    expect(bench.exchange("a", *sent[::-1]), {"b": wanted[::-1]})
    # It does get the others.
    plain = [ip(SRC, FAR, payload=part[(part[0] & 15) * 4:],
                frag=int.from_bytes(part[6:8], "big")) for part in sent]
    waited_for("a", plain)
    bench.router.run("tc filter del dev a ingress; tc filter add dev a ingress "
                     "protocol ip matchall action ct")
    waited_for("a", sent)


@test("H10: recipe: the conntrack of bridges for datagrams without options")
@recipe("Behind a bridge with connection tracking")
def behind_bridge():
    bench.link("d")
    ktap.cleanup(bench.unlink, "d")
    bench.router.ip("link add name br0 type bridge mcast_snooping 0",
                    "link set dev d master br0", "link set dev br0 up",
                    "addr add 10.4.0.1/24 dev br0")
    ktap.cleanup(bench.router.ip, "link del dev br0")
    bench.router.wait_for_ports("d")
    bench.router.sysctl("net.ipv4.conf.br0.rp_filter", 0)
    bench.nf_call(0)
    bench.set(lsrr=1, ssrr=1)
    sent, wanted = pieces("10.4.0.2", "10.4.0.1")
    expect(bench.exchange("d", *sent[::-1]), {"b": wanted[::-1]})
    nft(bench.router, "flush chain bridge srcroute prerouting")
    waited_for("d", sent)


@test("C1: recipe: source routes at a limited rate, the rest at any")
@recipe("A limited rate")
def limited():
    out = bench.exchange("a", *[ip(SRC, A, lsrr(FAR))] * 20)
    # A slow machine may take some seconds.
    check(5 <= len(out["b"]) <= 9, "%d of 20" % len(out["b"]))
    equal(counted(), 20 - len(out["b"]), "counter")
    out = bench.exchange("a", *[ip(SRC, FAR)] * 20)
    equal(len(out["b"]), 20, "ordinary ones")


@test("C1: recipe: a counter for every source and next hop")
@recipe("Who sends them where")
def who_where():
    bench.exchange("a", *[ip(SRC, A, lsrr(FAR))] * 2, ip(SRC, FAR),
                   ip(STRANGER, A, lsrr(NEXT_C)))
    text = nft(bench.router, "list set inet srcroute seen")
    seen = {(src, dst): int(n) for src, dst, n in re.findall(
        r"(\S+) \. (\S+) counter packets (\d+)", text)}
    # The first datagram makes the entry; what its counter says of it is nft's.
    equal(sorted(seen), sorted([(SRC, FAR), (STRANGER, NEXT_C)]), "entries")
    check(seen[SRC, FAR] > seen[STRANGER, NEXT_C], "counters: %s" % seen)


@test("Interface: recipe: source routes go another way than the rest")
@recipe("Another path than the rest")
def another_way():
    ktap.cleanup(bench.router.ip, "rule del fwmark 0x100/0x100",
                 "route flush table 100")
    hit_passes(FAR, "c", "10.3.0.1")
    passes(ip(SRC, FAR), "b")


@test("O2: recipe: none, and the source is told")
@recipe("None, and the source is told")
def none():
    for options in lsrr(FAR), ssrr(NEXT):
        sent = ip(SRC, A, options)
        expect_error(bench.exchange("a", sent), 3, 13, sent)
    passes(ip(SRC, FAR), "b")


class Way:
    """The whole way, in real network stacks."""

    def __init__(self):
        self.chain = Chain(
            Node("host", right=SRC + "/24").accepting(),
            Node("gate", A + "/24", B + "/24", ports=("a", "b")).ours(),
            Node("second", NEXT + "/24", SECOND + "/24").ours(),
            Node("third", THIRD + "/24", "10.9.2.1/24").ours(),
            Node("end", END + "/24").accepting())
        self.host, self.gate, self.second, self.third, self.end = (
            node.ns for node in self.chain.nodes)
        cable(self.gate, "c", self.second, "side",
              "addr add 10.3.0.1/24 dev c")
        self.second.ip("addr add %s/24 dev side" % NEXT_C)
        self.host.ip("route add 10.3.0.0/24 via " + A)
        self.third.ip("route add 10.3.0.0/24 via " + SECOND,
                      "route replace 10.9.2.0/24 dev right src 10.9.2.1 scope "
                      "link proto kernel mtu %d" % SMALL_MTU)
        self.end.ip("route add 10.3.0.0/24 via 10.9.2.1")

    def undo(self):
        nft(self.gate, "flush ruleset")
        for key, value in ("lsrr", 1), ("ssrr", 1), ("mark", 0):
            self.gate.sysctl("net.ipv4.srcroute.conf.all." + key, value)
        self.gate.run("ip rule del fwmark 0x100/0x100; "
                      "ip route flush table 100", check=False)

    def too_large(self):
        """Datagrams that the third has answered with their MTU."""
        with self.third.open("/proc/net/snmp") as file:
            names, values = [line.split() for line in file
                             if line.startswith("Ip:")]
        return int(values[names.index("FragFails")])

    def trace(self, gateways=()):
        """Past every router, each by the address that faces the host."""
        equal(traceroute(self.host, END, gateways, "-m", "5", check=False),
              [A, NEXT, THIRD, END],
              "hops by %s" % (list(gateways) or "no gateway"))

    def carry(self, gateways=()):
        """1 MB each way, and not before the host has heard of the MTU."""
        self.host.ip("route flush cache")
        before = self.too_large()
        transfer(self.host, self.end, END, gateways, seconds=60)
        check(self.too_large() > before, "nothing was larger than the MTU")


@functools.cache
def way():
    """Made by the first test that needs it."""
    return Way()


def travel(heading):
    """A test with a recipe on the first gateway of a whole way."""
    travelled.add(heading)

    def decorate(function):
        @functools.wraps(function)
        def run():
            ktap.cleanup(way().undo)
            load_into(way().gate, heading)
            function(way())
            # Whatever becomes of source routes, the rest goes on as ever.
            way().trace()
            way().carry()
        return run
    return decorate


@test("C1: recipe on the first of three gateways: to some networks only: a "
      "traceroute, and 1 MB past a small MTU")
@travel("To some networks only")
def some_networks_travel(all_of_it):
    all_of_it.trace(WAY)
    all_of_it.carry(WAY)


@test("C2: recipe on the first of three gateways: a stateful firewall: a "
      "traceroute, and 1 MB past a small MTU")
@travel("A stateful firewall")
def stateful_travel(all_of_it):
    all_of_it.trace(WAY)
    all_of_it.carry(WAY)


@test("C1: recipe on the first of three gateways: options from some hosts: a "
      "traceroute, and 1 MB past a small MTU")
@travel("From some hosts only")
def some_hosts_travel(all_of_it):
    all_of_it.trace(WAY)
    all_of_it.carry(WAY)


@test("C1: recipe on the first of three gateways: none in transit: a "
      "traceroute, and 1 MB past a small MTU")
@travel("For this router only, none in transit")
def no_transit_travel(all_of_it):
    all_of_it.trace(WAY)
    all_of_it.carry(WAY)


@test("C2: recipe on the first of three gateways: masquerading: gateways are "
      "shown, but no answer comes by a source route; the rest as ever")
@travel("Not past masquerading")
def masquerading_travel(all_of_it):
    equal(traceroute(all_of_it.host, END, WAY, "-m", "4", check=False),
          [A, NEXT, THIRD, "*"], "hops")
    nft(all_of_it.gate, "flush chain inet srcroute forward")
    all_of_it.trace(WAY)


@test("C1: recipe on the first of three gateways: a limited rate: a "
      "traceroute; the rest as ever")
@travel("A limited rate")
def limited_travel(all_of_it):
    all_of_it.trace(WAY)


@test("C1: recipe on the first of three gateways: who sends them where: a "
      "traceroute, and 1 MB past a small MTU")
@travel("Who sends them where")
def who_where_travel(all_of_it):
    all_of_it.trace(WAY)
    all_of_it.carry(WAY)


@test("Interface: recipe on the first of three gateways: another way: a "
      "traceroute, and 1 MB past a small MTU")
@travel("Another path than the rest")
def another_way_travel(all_of_it):
    before = all_of_it.second.counters()
    all_of_it.trace(WAY)
    all_of_it.carry(WAY)
    now = all_of_it.second.counters()
    check(now["side", "hop"] > before["side", "hop"], "not by the other way")
    equal(now["left", "hop"], before["left", "hop"], "by the way of the rest")


@test("O2: recipe on the first of three gateways: none: the traceroute ends "
      "there; the rest as ever")
@travel("None, and the source is told")
def none_travel(all_of_it):
    equal(traceroute(all_of_it.host, END, WAY, "-m", "5", check=False), [A],
          "hops")


@test("C2: recipe on the first of three gateways: a zone for all but source "
      "routes: a traceroute, and 1 MB past a small MTU")
@travel("Zones")
def zones_travel(all_of_it):
    all_of_it.trace(WAY)
    all_of_it.carry(WAY)


@test("H10: recipe on the first of three gateways: act_ct for datagrams "
      "without options: a traceroute, and 1 MB past a small MTU")
@travel("Behind act_ct")
def act_ct_travel(all_of_it):
    ktap.cleanup(all_of_it.gate.run, "tc qdisc del dev a clsact")
    all_of_it.trace(WAY)
    all_of_it.carry(WAY)


@test("H10: recipe on the first of three gateways: the conntrack of bridges "
      "for datagrams without options: a traceroute, and 1 MB past a small MTU")
@travel("Behind a bridge with connection tracking")
def bridge_travel(all_of_it):
    all_of_it.trace(WAY)
    all_of_it.carry(WAY)


@test("C1: every recipe of docs/filtering.md has its tests here")
def all_tested():
    equal(sorted(tested), sorted(RECIPES), "recipes")
    equal(sorted(travelled), sorted(RECIPES), "recipes on a whole way")


def close():
    bench.close()
    if way.cache_info().currsize:
        way().chain.close()


if __name__ == "__main__":
    ktap.main(close)
