#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srcroute-status --explain predicts what the module then does: O1, O2, V4, H, T, I, S.

A thousand datagrams of lib/corpus.py whose only option is one source route, on routers
and settings drawn at random (lib/topology.py). SRCROUTE_SEED says which,
SRCROUTE_DATAGRAMS how many; SRCROUTE_ROUTER=N tries the router of number N alone.
"""

import collections
import json
import os
import random
import subprocess

from lib import corpus, features, ktap, packet, topology
from lib.fieldbench import FieldBench
from lib.ktap import check, equal, test
from lib.standard import CALL_IPTABLES
from lib.status import PROGRAM, check_schema
from lib.topology import CODED
from srcroute_status import explain, netlink, system
from srcroute_status.outcomes import OUTCOMES

COUNT = int(os.environ.get("SRCROUTE_DATAGRAMS", "1000"))
SEED = int(os.environ.get("SRCROUTE_SEED", "22"))
BATCH = 50
ROUTERS = ((), ("vrf",), ("rules",), ("encapsulation",), topology.KINDS)
SHOWN = 5


def only_route(options):
    """(is it strict, its slots, its pointer), if options are one source route that is as
    long as its addresses, and padding."""
    area = options.lstrip(b"\1").rstrip(b"\0\1")
    options = options.lstrip(b"\1")
    if len(area) < 3 or area[0] not in (packet.LSRR, packet.SSRR) or area[1] < 3:
        return None
    area = options[:area[1]]
    if len(area) != area[1] or len(area) % 4 != 3 or options[len(area):].strip(b"\0\1"):
        return None
    return area[0] == packet.SSRR, [netlink.number(packet.quad(area[at:at + 4]))
                                    for at in range(3, len(area), 4)], area[2]


def datagram_of(case, drawn):
    """What the program is to be told of it, None if it cannot be said."""
    head = packet.Packet(case.octets)
    route = only_route(head.options)
    if not route or case.to or len(route[1]) > 9 or \
            20 + (3 + 4 * len(route[1]) + 3 & ~3) != len(head.head):
        return None
    fragment = head.frag & 0x3FFF
    ports = (0, 0)
    if head.proto in (packet.TCP, packet.UDP) and not fragment:
        ports = tuple(int.from_bytes(head.payload[at:at + 2], "big") for at in (0, 2))
    return explain.Datagram(
        netlink.number(head.src), netlink.number(head.dst), route[1], case.link,
        strict=route[0], pointer=route[2], ttl=head.ttl, size=head.length,
        df=bool(head.frag & 0x4000), tos=head.tos, mark=drawn.marks.get(head.src, 0),
        proto=head.proto, ports=ports, icmp_type=head.payload[0] if head.payload else 8,
        offset=head.frag & 0x1FFF)


def with_settings(drawn, r, number):
    """The same router with settings of all kinds; each that is seldom has one."""
    values = {"lsrr": r.choice((1,) * 9 + (0, 2, 3)), "ssrr": r.choice((1,) * 9 + (0, 2, 3)),
              "nonlocal": int(number != 3), "revisit": int(number != 1),
              "reverse_errors": r.randrange(2), "mark": r.choice((0, 0, 4))}
    return topology.Topology(drawn.links, drawn.loopback, drawn.routes, drawn.rules,
                             drawn.vrfs, drawn.marks, drawn.local_first, values)


class Run:
    """Some datagrams on one router."""

    def __init__(self, seed, number, count):
        seed, kinds = seed * 1000 + number, ROUTERS[number]
        if kinds == topology.KINDS and not features.segments():
            kinds = kinds[1:]  # a link with SRv6, and a VRF that it cannot lead into
        r = random.Random("%s %s" % (seed, kinds))
        segments = "End.DT4" in features.segments()
        drawn = topology.draw(seed, *kinds, segments=segments) if kinds else topology.PLAIN
        self.drawn = with_settings(drawn, r, number)
        self.wrong, self.outcomes = [], collections.Counter()
        self.unanswered, self.fine = 0, 0
        self.bench = FieldBench("predict", self.drawn, **self.drawn.settings)
        try:
            router_id = r.choice((None, "10.5.0.1"))
            if router_id:
                self.bench.router.sysctl("net.ipv4.srcroute.router_id", router_id)
            self._go(count, corpus.Corpus(seed, self.drawn if kinds else None))
        finally:
            self.bench.close()

    def _go(self, count, source):
        with self.bench.router:
            self.router = explain.Router(system.System())
        self.bench.moved()
        cases = []
        while len(cases) < count:
            case = source.case()
            datagram = datagram_of(case, self.drawn)
            if datagram:
                cases.append((case, datagram))
        for at in range(0, count, BATCH):
            self._batch(cases[at:at + BATCH])
        self.router.close()

    def _batch(self, pairs):
        with self.bench.router:
            said = {case: explain.Explanation(self.router, datagram)
                    for case, datagram in pairs}
        got, strays = self.bench.exchange_cases([case for case, _ in pairs])
        self.wrong += ["stray output: %s" % stray for stray in strays]
        for case, explanation in said.items():
            self.outcomes[explanation.document()["outcome"]] += 1
            why = self._differs(case, explanation, got[case][0])
            if why:
                self._wrong(case, explanation, why)
        if self.bench.moved() != self._counters(said):
            self._one_by_one(said)

    @staticmethod
    def _counters(said):
        sums = collections.Counter()
        for case, explanation in said.items():
            if explanation.outcome not in (explain.KERNEL, explain.UNKNOWN):
                sums[case.link, "received"] += 1
                sums[case.link, explanation.outcome] += 1
        return dict(sums)

    def _one_by_one(self, said):
        for case, explanation in said.items():
            self.bench.exchange_cases([case])
            moved, wanted = self.bench.moved(), self._counters({case: explanation})
            if explanation.outcome != explain.UNKNOWN and moved != wanted:
                self._wrong(case, explanation, "the counters say %s" % moved)

    def _wrong(self, case, explanation, why):
        self.wrong.append("%s: %s; %s" % (case, explain.screen(
            explanation.document()).replace("\n", "; "), why))

    def _differs(self, case, explanation, outputs):
        """How what came out is not what was predicted, or ""."""
        document = explanation.document()
        if document["outcome"] == "unknown" and not self.drawn.rules:
            return "can be told, as there are no rules"
        if document["outcome"] in ("kernel", "unknown"):
            return ""
        if document["outcome"] == "local":
            return "came out" if outputs and not explanation.elsewhere and \
                (not self.router.by_proto or
                 explanation.datagram.proto in netlink.PROTOCOLS) else ""
        if "interface" in document:
            return self._forwarded(explanation, document, outputs)
        if not outputs:
            return self._silent(explanation, document)
        if "icmp" not in document:
            return "something came out, %s" % packet.Packet(outputs[0][1])
        return self._answered(case, document, outputs)

    @staticmethod
    def _forwarded(explanation, document, outputs):
        """The link, the destination, what was recorded and the pointer."""
        link = CODED if explanation.route.redirects else document["interface"]
        if not outputs or {one for one, _ in outputs} != {link}:
            return "came out by %s" % [one for one, _ in outputs]
        head = packet.Packet(outputs[0][1])
        if head.dst != document["destination"]:
            return "is for %s" % head.dst
        if explanation.outcome == "transit":
            return ""
        _, slots, pointer = only_route(head.options)
        slot = netlink.quad(slots[(pointer - 8) // 4])
        if (slot, pointer) != (document["recorded"], document["pointer"]):
            return "recorded %s, pointer %d" % (slot, pointer)
        return ""

    def _silent(self, explanation, document):
        """No error has come; if one was predicted, it had no way to go."""
        if "icmp" not in document:
            return ""
        self.unanswered += 1
        if self.drawn.rules:
            return ""  # of the error, which rules lead where nobody has asked
        vrf = self.router.vrf(explanation.link)
        found = self.router.route(explanation.error_to[0], explanation.datagram, 0,
                                  oif=vrf.index if vrf else 0)
        if isinstance(found, netlink.Route) and found.kind == "unicast":
            return "no error came, but %s can be reached" % netlink.quad(
                explanation.error_to[0])
        return ""

    def _answered(self, case, document, outputs):
        try:
            error = packet.Error(outputs[0][1])
        except ValueError:
            return "came out: %s" % packet.Packet(outputs[0][1])
        if len(outputs) > 1 or "%d/%d" % (error.type, error.code) != document["icmp"]:
            return "the error is %d/%d" % (error.type, error.code)
        if error.packet.dst != document["icmp_by"][0]:
            return "the error is for %s" % error.packet.dst
        pointer = document.get("icmp_pointer", 0)
        if document["outcome"] == "bad_option":  # the program knows of no padding ahead
            options = packet.Packet(case.octets).options
            pointer += len(options) - len(options.lstrip(b"\1"))
        if error.pointer != pointer or \
                error.mtu != document.get("icmp_mtu", 0) and error.code == 4:
            return "pointer %d, MTU %d of the error" % (error.pointer, error.mtu)
        self.fine += 1
        return ""


@test("O1, O2, V4, H2, H3, H4, H5, H6, H7, H8, T1, T2, I1, I3: what --explain predicts of "
      "1,000 datagrams is what the module does")
def predictions():
    chosen = [int(os.environ["SRCROUTE_ROUTER"])] if "SRCROUTE_ROUTER" in os.environ else \
        range(len(ROUTERS))
    outcomes, wrong, unanswered, fine = collections.Counter(), [], 0, 0
    for number in chosen:
        run = Run(SEED, number, COUNT // len(ROUTERS))
        outcomes += run.outcomes
        unanswered, fine = unanswered + run.unanswered, fine + run.fine
        if run.wrong:
            print("# SRCROUTE_SEED=%d SRCROUTE_ROUTER=%d: %d wrong on" % (
                SEED, number, len(run.wrong)))
            print("#   " + str(run.drawn).replace("\n", "\n#   "))
            for text in run.wrong[:SHOWN]:
                print("# " + text, flush=True)
        wrong += run.wrong
    print("# seed %d, outcomes: %s; errors %d, without a way to go %d" % (
        SEED, ", ".join("%s %d" % item for item in sorted(outcomes.items())), fine,
        unanswered))
    check(not wrong, "%d of %d predictions are wrong" % (len(wrong), COUNT))
    if len(chosen) == len(ROUTERS):
        for name in ("hop", "transit", "local", "kernel", "bad_option", "bad_source",
                     "bad_next", "no_route", "not_adjacent", "strict_transit",
                     "ttl_exceeded", "policy_drop", "policy_reject", "nonlocal",
                     "frag_needed", "revisit"):
            check(outcomes[name], "%s was never predicted" % name)
        check(outcomes["unknown"] * 10 <= COUNT, "unknown: %d" % outcomes["unknown"])
        check(unanswered < fine, "errors: %d of %d" % (fine, fine + unanswered))


# The program

field = None


def call(*words):
    """(exit status, output, what it complains of)"""
    with field.router:
        done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", PROGRAM,
                               "--explain", *words], text=True, timeout=300,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr


@test("H7, H4: --explain shows each step by its rule, the address recorded, and exits by "
      "outcome; it needs no privilege")
def shown():
    global field
    field = FieldBench("explain", lsrr=1, ssrr=2)
    code, text, complaint = call("10.1.0.2", "10.1.0.1", "10.2.0.1,10.9.0.1", "--in", "a")
    equal((code, complaint), (0, ""), text)
    for part in ("H6 ", "H7 ", "by b, gateway 10.2.0.2", "recorded in its place 10.2.0.1",
                 "Prediction: hop: handed to forwarding", "pointer 12",
                 "ip route get 10.9.0.1 from 10.1.0.2 iif a"):
        check(part in text, "no %r in %s" % (part, text))
    code, text, complaint = call("10.1.0.2", "10.1.0.1", "10.77.0.1", "--in", "a", "-j")
    document = json.loads(text)
    check_schema(document, "explain")
    names = [one.name for one in OUTCOMES]
    equal((code, document["status"], document["outcome"], document["icmp"]),
          (10 + names.index("no_route"),) * 2 + ("no_route", "3/5"), text)
    equal(call("10.1.0.2", "10.1.0.1", "-", "--in", "a", "--strict")[0],
          10 + names.index("policy_drop"), "exit status")
    field.router.sysctl("net.ipv4.srcroute.conf.a.lsrr", 0)
    equal(call("10.1.0.2", "10.1.0.1", "-", "--in", "a")[0], explain.KERNEL, "exit status")


@test("O5: --explain knows bridges")
def bridges():
    ns = field.router
    ns.ip("link add name br0 up type bridge", "link add name port up type dummy",
          "link set dev port master br0")
    ktap.cleanup(ns.ip, "link del dev br0", "link del dev port")
    ns.sysctl("net.ipv4.srcroute.conf.br0.lsrr", 2)
    code, text, complaint = call("10.1.0.2", "10.1.0.1", "-", "--in", "port")
    check(code == 2 and "--in br0" in complaint, complaint)
    words = ("10.1.0.2", "10.1.0.1", "-", "--in", "br0")
    with ns:
        there = os.path.exists(CALL_IPTABLES)
    for value, wanted in ((0, 13), (1, explain.KERNEL)) if there else ((None, 13),):
        if there:
            ns.sysctl(CALL_IPTABLES, value)
        equal(call(*words)[0], wanted, "exit status, bridge-nf-call-iptables %s" % value)


WRONG = (("1.2.3.4 1.2.3 1.1.1.1 --in a", "1.2.3"), ("h 1.2.3.4 - --in a", "'h'"),
         ("1.2.3.4 1.2.3.4 1.1.1.1", "--in"), ("1.2.3.4 1.2.3.4 1.1.1.1 --in z", "z"),
         ("1.2.3.4 1.2.3.4 1.1.1.1, --in a", "''"),
         ("1.2.3.4 1.2.3.4 - --in a --ttl 256", "--ttl"),
         ("1.2.3.4 1.2.3.4 1.1.1.1 --in a --size 27", "27"),
         ("1.2.3.4 1.2.3.4 %s --in a" % ",".join(["1.1.1.1"] * 10), "10"))


@test("H7: --explain says in one sentence what is wrong with its arguments")
def wrong_words():
    for words, said in WRONG:
        code, text, complaint = call(*words.split())
        equal((code, text), (2, ""), words)
        check(said in complaint and complaint.count("\n") == 1 and
              complaint.startswith("srcroute-status: "), complaint)


def close():
    if field:
        field.close()


if __name__ == "__main__":
    ktap.main(close)
