#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srtrace(8) --probe and --aliases of many: memory, rate, an end in the middle, courtesy.
Needs no module: the network is a function (lib/mimic.py).
"""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile

from lib import ktap
from lib.ktap import check, equal, test
from lib.mimic import Mimic
from lib.netns import wait_until
from lib.packet import ICMP, Packet, icmp_error, ip, lsrr
from lib.tracer import (HOST, PROGRAM, echo_reply, most_memory, read, returned,
                        srtrace, start)

R2 = "10.221.0.3"
_RCVBUFFORCE, _TIMESTAMPNS, _OUTGOING = 33, 35, 4


def gateways(n):
    return ["10.224.%d.%d" % (i // 250, 1 + i % 250) for i in range(n)]


def forward(probe):
    return [returned(probe, R2)]


class Listed:
    """A directory with a list of gateways in it."""

    def __init__(self, names):
        self.directory = tempfile.TemporaryDirectory()
        ktap.cleanup(self.directory.cleanup)
        self.path = self.file("list", names)
        self.state = os.path.join(self.directory.name, "state")

    def file(self, name, lines):
        path = os.path.join(self.directory.name, name)
        pathlib.Path(path).write_text("".join(line + "\n" for line in lines))
        return path


class Stamps:
    """What arrives in the network, with the kernel's times: we may be late."""

    def __init__(self, mimic):
        with mimic.world:
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                      socket.htons(0x0800))
        self.sock.bind((mimic.wire.dev, 0x0800))
        self.sock.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 1 << 24)
        self.sock.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
        self.sock.setblocking(False)
        ktap.cleanup(self.sock.close)

    def read(self):
        """(seconds, datagram) of all so far."""
        while True:
            try:
                datagram, parts, _, where = self.sock.recvmsg(65536, 256)
            except BlockingIOError:
                return
            if where[2] == _OUTGOING or datagram[9] != ICMP:
                continue
            seconds, nanoseconds = struct.unpack("qq", parts[0][2])
            yield seconds + nanoseconds / 1e9, datagram


def memory_for(mimic, n):
    """In kB. A sanitizer is not to keep what is freed. The rate is one that mimic keeps
    up with on any machine: what waits for a reply takes memory, too. So do the first
    hundreds, since Debian 13's sanitizer has pools that fill: 15, then 18 MB for good.
    """
    listed = Listed(gateways(n))
    with mimic.host:
        program = subprocess.Popen(
            [PROGRAM, "-n", "-q", "1", "-w", "0.5", "-r", "500", "--probe",
             listed.path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=0:"
                 "thread_local_quarantine_size_kb=0"})
    most = most_memory(program)
    equal(program.returncode, 0, "exit code")
    return most


@test("srtrace: four times as many gateways take no more memory")
def memory():
    mimic = Mimic(forward)
    few, many = memory_for(mimic, 1000), memory_for(mimic, 4000)
    # When something was last sent to whom is a table of 1 MB, used bit by bit.
    check(many < few + 1500, "%d kB, then %d" % (few, many))


@test("srtrace: the rate of --probe is never more than was asked for, and near it")
def rate():
    mimic = Mimic(forward)
    stamps = Stamps(mimic)
    # A machine may be too slow for what is asked; make field wants 98 %.
    for wanted, n, least in (100, 300, 70), (1000, 2000, 0):
        listed = Listed(gateways(n))
        srtrace(mimic, "-r", str(wanted), "--probe", listed.path)
        times = [at for at, _ in stamps.read()]
        got = (n - 1) / (times[-1] - times[0])
        check(len(times) == n and least < got < 1.02 * wanted,
              "%.1f instead of %d" % (got, wanted))


@test("srtrace: --probe never sends two probes to a gateway within a second, whether it is "
      "silent, refuses, or is named twice")
def courtesy():
    mimic = Mimic()
    stamps = Stamps(mimic)

    def answer(probe):
        dst = Packet(probe).dst
        kind = int(dst.split(".")[3]) % 3
        if kind == 0:
            return forward(probe) if Packet(probe).options else [echo_reply(probe)]
        if kind == 1 and Packet(probe).options:
            return [ip(dst, HOST, proto=ICMP, payload=icmp_error(3, 13, probe))]
        return []

    mimic.answer = answer
    listed = Listed(gateways(30) + gateways(30))
    # The second line of a gateway is asked before or after the first has been given up.
    for wait in "0.1", "1.5":
        text = srtrace(mimic, "-r", "1000", "-q", "2", "-w", wait, "--probe", listed.path)
        check("20 of 60 forward (33.3 %), 20 refuse, 20 silent, of whom 0 answer ping" in
              text, text)
        last, least = {}, 9
        for at, probe in stamps.read():
            dst = Packet(probe).dst
            least = min(least, at - last.get(dst, 0))
            last[dst] = at
        check(0.99 < least < 9, "%.3f s apart, with -w %s" % (least, wait))


@test("srtrace: --probe that was ended goes on with --resume where it was, and asks all")
def resume():
    mimic = Mimic(forward)
    names = gateways(60)
    listed = Listed(names)
    program = start(mimic, "-j", "-r", "40", "--resume", listed.state, "--probe",
                    listed.path)
    wait_until(lambda: len(mimic.seen) > 20, 20, "probes")
    program.send_signal(signal.SIGINT)
    first = read(program.communicate(timeout=10)[0])
    equal(first[-1]["reason"], "interrupted", "the first run")
    second = read(srtrace(mimic, "-j", "-r", "1000", "--resume", listed.state, "--probe",
                          listed.path))
    asked = [[one["gateway"] for one in run if one["type"] == "gateway"]
             for run in (first, second)]
    equal(set(asked[0]) | set(asked[1]), set(names), "all")
    check(len(asked[0]) > 15 and len(asked[1]) < 50, "%d, then %d" % (
        len(asked[0]), len(asked[1])))
    check(len(set(asked[0]) & set(asked[1])) <= 2, "asked twice")
    mimic.seen.clear()
    text = srtrace(mimic, "--resume", listed.state, "--probe", listed.path, status=1)
    equal((mimic.seen, text.startswith("0 of 0 forward")), ([], True), "the third run")
    pathlib.Path(listed.state).write_text("no state\n")
    srtrace(mimic, "--resume", listed.state, "--probe", listed.path, status=2)


@test("srtrace: --probe leaves out what --exclude has, and says what is wrong with a list "
      "before anything is sent")
def exclude():
    mimic = Mimic(forward)
    names = gateways(300)
    listed = Listed(names)
    out = listed.file("out", ["10.224.1.0/24  # a prefix", "", names[3]])
    text = srtrace(mimic, "-r", "2000", "--exclude", out, "--probe", listed.path)
    check("249 of 249 forward" in text and "51 excluded" in text, text)
    asked = {Packet(probe).dst for probe in mimic.seen}
    equal(asked, {name for name in names[:250]} - {names[3]}, "asked")
    mimic.seen.clear()
    for line in "no.such.name.invalid", "127.0.0.1", HOST, "0.0.0.1", "224.0.0.5":
        srtrace(mimic, "--probe", listed.file("wrong", names[:3] + [line]), status=2)
    for line in "10.0.0.0/33", "10.0.0/x", "word":
        srtrace(mimic, "--exclude", listed.file("wrong", [line]), "--probe", listed.path,
                status=2)
    # Names are asked for, which is no probe.
    equal([probe for probe in mimic.seen if Packet(probe).proto == ICMP], [], "probes")
    # Of what cannot be read twice, the rest is asked.
    text = srtrace(mimic, "--probe", "-", input="127.0.0.1\n%s\n" % names[0])
    check("1 of 1 forward" in text and "1 lines skipped" in text, text)


def routers(n, each):
    """n routers with so many addresses each; a router records the one that stands
    towards the next address of a route, or towards us."""
    router_of = {"10.22%d.%d.%d" % (6 + i // 250, i % 250, 1 + j): i
                 for i in range(n) for j in range(each)}

    def answer(probe):
        named = Packet(probe).dst
        if named not in router_of:
            return []
        towards = Packet(probe).options[3:7]
        i = router_of[named]
        own = "10.22%d.%d.%d" % (6 + i // 250, i % 250, 1 + sum(towards) % each)
        body = Packet(probe)
        slots = [own, own][:(body.options[1] - 3) // 4]
        return [ip(HOST, HOST, lsrr(*slots, ptr=4 + 4 * len(slots)), proto=ICMP,
                   ident=body.ident, payload=body.payload, ttl=60)]
    return router_of, answer


@test("srtrace: --aliases of 1,000 addresses: so many probes a round, ten rounds, and the "
      "routers are right; silent ones cost no more than to be asked")
def aliases():
    router_of, answer = routers(250, 4)
    mimic = Mimic(answer)
    names = list(router_of)
    lines = read(srtrace(mimic, "-j", "-z", "0.0005", "-N", "200", "-w", "0.5",
                         "--aliases", *names))
    equal([one["ttl"] for one in lines if one["type"] == "probe" and
           one["outcome"] != "returned"], [], "probes that have not returned")
    check(len(mimic.seen) <= 11 * len(names), "%d probes" % len(mimic.seen))
    groups = [{router_of[name] for name in one["addresses"]} for one in lines
              if one["type"] == "router"]
    check(all(len(group) == 1 for group in groups), "two routers in one")
    check(len(groups) < 300, "%d instead of 250" % len(groups))
    silent = ["10.229.0.%d" % i for i in range(1, 11)]
    lines = read(srtrace(mimic, "-j", "-w", "0.5", "--aliases", *silent, names[0],
                         names[1]))
    check(lines[-1]["time"] - lines[0]["time"] < 4, "it takes long")
    alone = [one for one in lines if one["type"] == "router"]
    equal(len(alone), 11, "routers")
    equal([one["addresses"][0] for one in alone if one.get("not_known") == "silent"],
          silent, "those of which nothing is known")
    text = srtrace(mimic, "-w", "0.5", "--aliases", silent[0], *names[:2])
    check("not known, silent:  %s\n" % silent[0] in text and "router 2" not in text,
          text)


@test("srtrace: --aliases names what contradicts: addresses that are not as far away, and a "
      "gateway that records what is not its own")
def contradictions():
    near, far, wrong = "10.226.0.1", "10.226.0.2", "10.227.0.1"

    def answer(probe):
        packet = Packet(probe)
        slots = {near: [far], far: [near]}.get(packet.dst, [HOST])
        n = (packet.options[1] - 3) // 4
        return [ip(HOST, HOST, lsrr(*(slots * n), ptr=4 + 4 * n), proto=ICMP,
                   ident=packet.ident, payload=packet.payload,
                   ttl=50 if packet.dst == far else 60)]

    mimic = Mimic(answer)
    lines = read(srtrace(mimic, "-j", "-w", "0.5", "--aliases", near, far, wrong))
    together = [one for one in lines if one["type"] == "router" and
                near in one["addresses"]][0]
    equal((set(together["addresses"]), together["contradictions"]),
          ({near, far}, ["%s is 4 hops out and back, %s 14: perhaps not one router" % (
              near, far)]), "far away")
    check(any("%s recorded %s" % (wrong, HOST) in one
              for one in lines[-1]["contradictions"]), "not its own")
    text = srtrace(mimic, "-w", "0.5", "--aliases", near, far, wrong)
    check("    but %s is 4 hops" % near in text and "not believed: %s recorded" % wrong
          in text, text)


if __name__ == "__main__":
    ktap.main()
