#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srtrace(8): the branches of ways that are balanced, and the MTU of a way. Needs no
module: the network is a function, or routers of native Linux.
"""

import hashlib
import struct
import time

from lib import ktap
from lib.chain import Chain, Node
from lib.ktap import check, equal, test
from lib.mimic import Mimic
from lib.netns import cable
from lib.packet import ICMP, Packet, checksum, icmp_error, ip
from lib.tracer import (HOST, echo_reply, expired, read, srtrace, verdict)

G, R2, TO = "10.221.0.2", "10.221.0.3", "10.222.0.9"


def flow(probe):
    """What a balancer looks at: the first octets of transport, without sequence."""
    return Packet(probe).payload[:4]


def diamond(widths):
    """A way whose hop n is so many routers wide; all flows meet where it is one."""
    def answer(probe):
        ttl = Packet(probe).ttl
        if ttl > len(widths):
            if Packet(probe).proto == ICMP:
                return [echo_reply(probe)]
            return [ip(Packet(probe).dst, HOST, proto=ICMP,
                       payload=icmp_error(3, 3, probe))]
        chosen = hashlib.sha256(bytes([ttl]) + flow(probe)).digest()[0] % \
            widths[ttl - 1]
        return [expired(probe, "10.221.%d.%d" % (ttl, 1 + chosen))]
    return answer


def branches(mimic, *words, status=0):
    lines = read(srtrace(mimic, "-j", "-w", "0.4", "--flows", *words, status=status))
    found = {}
    for line in lines:
        if line["type"] == "branch":
            found.setdefault(line["ttl"], {})[line["router"]] = line
    return found, lines[-1]


@test("srtrace: --flows finds every branch of ways that are balanced, with each kind of "
      "probe, and by gateways")
def all_branches():
    widths = [1, 2, 4, 1, 3, 1]
    mimic = Mimic(diamond(widths))
    for words in (["-I"], ["-U"], ["-T"]):
        mimic.seen.clear()
        found, end = branches(mimic, *words, TO)
        equal([len(found[ttl]) for ttl in sorted(found)], widths + [1], words)
        equal((end["verdict"], end["widest"]), ("reached", 4), words)
        # The same for those who look: the addresses of a hop are behind those before.
        equal(set(found[4]["10.221.4.1"]["behind"]), set(found[3]), "behind")
        check(len(mimic.seen) < 400, "%d probes" % len(mimic.seen))
    mimic.answer = lambda probe: diamond([1, 3, 1])(probe)
    text = srtrace(mimic, "--flows", "-w", "0.4", TO)
    check("at most 3 branches beside each other: no other branch, with a likelihood "
          "of 95 %" in text and " flows  <- " not in text.splitlines()[2], text)


@test("srtrace: --flows stops where the MDA does: 6 flows without a branch, 11 with two, "
      "16 with three, 21 with four")
def stopping():
    for width, wanted in (1, 6), (2, 11), (3, 16), (4, 21):
        # One time of twenty, flows that are random miss a branch.
        for _ in range(10):
            mimic = Mimic(diamond([width]))
            found, _ = branches(mimic, "-m", "1", TO, status=None)
            if len(found[1]) == width:
                break
        seen = [Packet(probe).payload[2:4] for probe in mimic.seen
                if Packet(probe).ttl == 1]
        # One flow is sent six times more, to see whether packets are balanced.
        equal((len(set(seen)), len(seen)), (wanted, wanted + 6 * (width > 1)),
              "flows, of %d branches" % width)


@test("srtrace: --flows misses a branch in less than one of twenty ways")
def misses():
    missed = 0
    mimic = Mimic(lambda probe: diamond([2])(probe))
    for _ in range(40):
        found, _ = branches(mimic, "-z", "0.001", "-m", "2", TO, status=None)
        missed += len(found[1]) < 2
    # At 5 % more than 6 of 40 would be seen once in 300 times.
    check(missed <= 6, "%d of 40 times" % missed)


@test("srtrace: --flows does not take a router that limits its errors for a branch, and "
      "says who balances packets")
def limited():
    # As Linux does: six at once, then one each second; here each 0.6 s.
    credit, last = [6], [time.monotonic()]

    def answer(probe):
        if Packet(probe).ttl == 2:
            now = time.monotonic()
            credit[0] = min(6, credit[0] + (now - last[0]) / 0.6)
            last[0] = now
            if credit[0] < 1:
                return []
            credit[0] -= 1
        return diamond([1, 2, 1])(probe)

    mimic = Mimic(answer)
    found, _ = branches(mimic, TO)
    equal(set(found[2]), {"10.221.2.1", "10.221.2.2"}, "routers")
    count = [0]

    def by_turns(probe):
        count[0] += 1
        if Packet(probe).ttl == 2:
            return [expired(probe, "10.221.2.%d" % (1 + count[0] % 2))]
        return diamond([1, 2, 1])(probe)

    mimic.answer = by_turns
    found, _ = branches(mimic, TO)
    check(found[1]["10.221.1.1"]["by_packet"], "nobody is said to balance packets")
    mimic.answer = diamond([1, 2, 1])
    found, _ = branches(mimic, TO)
    check(not found[1]["10.221.1.1"]["by_packet"], "somebody is said to balance packets")


@test("srtrace: a trace is one flow: it shows one way where there are many, the same "
      "one in each hop, and in each run")
def one_flow():
    mimic = Mimic(diamond([1, 4, 4, 4]))
    for kind in "-I", "-U", "-T":
        ways = set()
        for _ in range(3):
            mimic.seen.clear()
            lines = read(srtrace(mimic, "-j", kind, TO))
            equal(len({flow(probe) for probe in mimic.seen}), 1, "flows")
            for ttl in range(1, 5):
                equal(len({one["from"] for one in lines
                           if one["type"] == "probe" and one["ttl"] == ttl}), 1,
                      "routers of hop %d" % ttl)
            ways.add(tuple(sorted({one["from"] for one in lines
                                   if one.get("outcome") == "expired"})))
        equal(len(ways), 1, "ways of three runs")


@test("srtrace: --flows on routers of Linux: both branches of an ECMP route by ports, and "
      "by a gateway behind them")
def linux():
    chain = Chain(Node("h1", right="10.240.0.1/24"),
                  Node("r1", "10.240.0.2/24", "10.240.1.1/24").router(),
                  Node("r2", "10.240.1.2/24", "10.240.2.1/24").router(),
                  Node("r3", "10.240.2.2/24", "10.240.3.1/24").router(),
                  Node("h2", "10.240.3.2/24"))
    ktap.cleanup(chain.close)
    h1, r1, r2, r3, h2 = (node.ns for node in chain.nodes)
    side = Node("side").router()
    ktap.cleanup(side.ns.close)
    cable(r1, "up", side.ns, "up", "addr add 10.240.8.1/24 dev up")
    cable(side.ns, "down", r3, "down", "addr add 10.240.8.2/24 dev up",
          "addr add 10.240.9.1/24 dev down", "route add 10.240.0.0/24 via 10.240.8.1",
          "route add 10.240.3.0/24 via 10.240.9.2")
    r3.ip("addr add 10.240.9.2/24 dev down")
    r1.sysctl("net.ipv4.fib_multipath_hash_policy", 1)
    r1.ip("route replace 10.240.3.0/24 nexthop via 10.240.1.2 nexthop via 10.240.8.2")
    for router in r1, r2, r3, side.ns, h2:
        router.sysctl("net.ipv4.icmp_ratelimit", 0)

    class World:
        host = h1

    found, end = branches(World, "-U", "10.240.3.2")
    equal(end["verdict"], "reached", "verdict")
    equal((set(found[1]), set(found[2]), len(found[3]), set(found[4])),
          ({"10.240.0.2"}, {"10.240.1.2", "10.240.8.2"}, 1, {"10.240.3.2"}), "routers")


def too_long(probe, by, mtu, said=True):
    body = icmp_error(3, 4, probe[:548])
    body = body[:2] + b"\0\0" + body[4:6] + struct.pack("!H", mtu if said else 0) + \
        body[8:]
    return ip(by, HOST, proto=ICMP,
              payload=body[:2] + struct.pack("!H", checksum(body)) + body[4:])


def narrow(limits, said=True, silent=False):
    """A way whose hop n hands on what is no longer than that."""
    def answer(probe):
        packet = Packet(probe)
        for hop, limit in enumerate(limits, 1):
            if packet.ttl == hop:
                return [expired(probe, "10.221.1.%d" % hop)]
            if packet.length > limit:
                if silent:
                    return []
                return [too_long(probe, "10.221.1.%d" % hop, limit, said)]
        return [echo_reply(probe)]
    return answer


@test("srtrace: --mtu shows where the way becomes narrow, by errors that say how much, by "
      "those that do not, and by silence")
def mtu():
    mimic = Mimic(narrow([1500, 1400, 1400, 1280]))
    lines = read(srtrace(mimic, "-j", "-w", "0.3", "--mtu", TO))
    equal([(one["ttl"], one["from"], one["mtu"]) for one in lines
           if one["type"] == "mtu"],
          [(3, "10.221.1.2", 1400), (5, "10.221.1.4", 1280)], "where")
    equal((lines[-1]["path_mtu"], lines[-1]["verdict"]), (1280, "reached"), "MTU")
    check(all(Packet(probe).frag == 0x4000 for probe in mimic.seen), "fragments")
    equal(Packet(mimic.seen[0]).length, 1500, "the first length")
    text = srtrace(mimic, "-w", "0.3", "--mtu", TO)
    check("10.221.1.2  MTU 1400: says the router" in text and
          "reached: its own answer; MTU 1280" in text, text)
    mimic.answer = narrow([1500, 1400], said=False)
    lines = read(srtrace(mimic, "-j", "-w", "0.3", "--mtu", TO))
    equal(lines[-1]["path_mtu"], 1400, "by a guess")
    mimic.answer = narrow([1500, 1333], silent=True)
    lines = read(srtrace(mimic, "-j", "-w", "0.1", "-q", "1", "--mtu", TO))
    equal(lines[-1]["path_mtu"], 1333, "by silence")
    check(any("vanishes" in one.get("how", "") for one in lines), "not said")
    mimic.answer = lambda probe: [too_long(probe, "10.221.1.1", 20)]
    equal(read(srtrace(mimic, "-j", "-w", "0.1", "--mtu", TO, status=1))[-1]["verdict"],
          "refused", "of a router that wants none")
    mimic.answer = lambda probe: []
    end, _ = verdict(mimic, "--mtu", "--gap", "2", TO, status=1)
    equal((end["verdict"], end["reason"]), ("not reached", "too many silent hops"),
          "of silence")


@test("srtrace: --record --times shows the clocks of routers, those of a time of their own, "
      "and how many had no room")
def clocks():
    def answer(probe, shift=0, own=False):
        packet = Packet(probe)
        option = bytearray(packet.options[:36])
        equal((option[0], option[1], option[2], option[3]), (68, 36, 5, 1), "option")
        ms = int(time.time() * 1000 + shift) % 86400000
        for i in range(3):
            value = 0x80000000 | 77 if own and i == 1 else (ms + 100 * i) % 86400000
            option[4 + 8 * i:12 + 8 * i] = bytes([10, 221, 0, 1 + i]) + \
                struct.pack("!I", value)
        option[2], option[3] = 29, 0x21
        body = b"\0\0\0\0" + packet.payload[4:]
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        return [ip(TO, HOST, bytes(option), proto=ICMP, payload=body)]

    mimic = Mimic(answer)
    end = read(srtrace(mimic, "-j", "--record", "--times", TO))[-1]
    ahead = [one["ahead_ms"] for one in end["clocks"]]
    check(len(ahead) == 3 and -2 < ahead[0] < 50 and 99 < ahead[1] - ahead[0] < 101 and
          end["without"] == 2, end)
    # Midnight lies between the two clocks.
    mimic.answer = lambda probe: answer(probe, 80000000)
    ahead = read(srtrace(mimic, "-j", "--record", "--times", TO))[-1]["clocks"][0]
    check(-6400100 < ahead["ahead_ms"] < -6399000, ahead)
    mimic.answer = lambda probe: answer(probe, own=True)
    text = srtrace(mimic, "--record", "--times", TO)
    check("77, of a time of its own" in text and "2 more had no room" in text, text)
    mimic.answer = lambda probe: [echo_reply(probe)]
    text = srtrace(mimic, "--record", "--times", TO, status=1)
    check("an answer without a record" in text, text)


if __name__ == "__main__":
    ktap.main()
