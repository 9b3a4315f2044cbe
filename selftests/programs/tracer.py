#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What srtrace(8) does with its options, with what is silent or lost, and at its end.
Needs no module: the network is a function (lib/mimic.py).
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

from lib import ktap
from lib.ktap import check, equal, test
from lib.mimic import Later, Mimic
from lib.netns import Netns, Wire, cable, wait_until
from lib.packet import ICMP, UDP, Packet, icmp_error, ip, lsrr
from lib.tracer import (HOST, PROGRAM, chain_of, echo_reply, expired, read,
                        returned, srtrace, start, verdict)

R1, G, R2, TO = "10.221.0.1", "10.221.0.2", "10.221.0.3", "10.222.0.9"
MANY = ["10.221.3.%d" % i for i in range(1, 100)]


def sent(mimic, *words):
    """The first probe, as the network sees it."""
    mimic.seen.clear()
    mimic.answer = lambda probe: [echo_reply(probe)]
    srtrace(mimic, "-w", "0.3", "-q", "1", "-m", "1", *words, status=None)
    check(mimic.seen, "%s: nothing has been sent" % (words,))
    return Packet(mimic.seen[0])


@test("srtrace: -t, -F and -l are seen in the probes, with every kind and with routes")
def header_fields():
    mimic = Mimic()
    for kind in "-I", "-U", "-T":
        for way in (TO,), ("-g", G, TO), ("--loop", G):
            plain = sent(mimic, kind, *way)
            equal((plain.tos, plain.frag), (0, 0), "without them")
            probe = sent(mimic, kind, "-t", "184", "-F", "-l", "777", *way)
            equal((probe.tos, probe.frag, probe.length, probe.dst),
                  (184, 0x4000, 777, G if "-g" in way or "--loop" in way else TO),
                  (kind, way))
            check(probe.sum_ok(), "checksum")
    equal(sent(mimic, "-4", TO).dst, TO, "-4")
    # There is a least that it needs.
    equal(sent(mimic, "-l", "28", "-g", G, TO).length, 20 + 8 + 16, "the least")


@test("srtrace: nine gateways fit: the destination and eight slots before the last")
def nine():
    mimic = Mimic()
    gateways = ["10.221.2.%d" % i for i in range(1, 10)]
    for words in (["-g", ",".join(gateways)],
                  [word for one in gateways for word in ("-g", one)]):
        probe = sent(mimic, *words, TO)
        equal((probe.dst, probe.options), (gateways[0],
                                           lsrr(*gateways[1:], TO) + b"\0"),
              "the route")
    # Back to ourselves by all nine.
    equal(sent(mimic, "--loop", ",".join(gateways)).options,
          lsrr(*gateways[1:], HOST) + b"\0", "of a loop")


class Second:
    """A second link of the host, with a world of its own behind it."""

    def __init__(self, host, *lines):
        self.world = Netns("second")
        ktap.cleanup(self.close)
        cable(host, "side", self.world, "far", "addr add 10.230.0.1/24 dev side",
              "neigh replace 10.230.0.254 lladdr 02:00:00:00:0b:02 dev side "
              "nud permanent", *lines)
        self.wire = Wire(self.world, "far", b"\2\0\0\0\x0b\1")

    def close(self):
        self.wire.sock.close()
        self.world.close()

    def next(self):
        self.wire.sock.settimeout(0.5)
        with contextlib.suppress(socket.timeout):
            while True:
                frame = self.wire.sock.recv(4096)
                if frame[23] == ICMP:
                    return Packet(frame[14:])
        return None


@test("srtrace: -i sends by the interface, whatever routing says")
def device():
    mimic = Mimic()
    second = Second(mimic.host, "route add default via 10.230.0.254 metric 99")
    probe = sent(mimic, TO)
    equal((probe.src, second.next()), (HOST, None), "without it")
    mimic.seen.clear()
    srtrace(mimic, "-i", "side", "-m", "1", "-q", "1", "-w", "0.2", TO, status=1)
    probe = second.next()
    equal(((probe.src, probe.dst) if probe else None, mimic.seen),
          (("10.230.0.1", TO), []), "with it")
    text = srtrace(mimic, "-i", "none", TO, status=4)
    equal(text, "", "an interface that there is not")


@test("srtrace: --vrf sends in the VRF, and knows whose addresses are its own there")
def vrf():
    mimic = Mimic()
    try:
        # As Documentation/networking/vrf.rst has it: else the local table comes first.
        mimic.host.ip("link add red type vrf table 77", "link set red up",
                      "rule add pref 32765 table local", "rule del pref 0")
    except Exception:
        ktap.lacks("VRF")
    second = Second(mimic.host, "link set side master red",
                    "route add table 77 default via 10.230.0.254",
                    "neigh replace 10.230.0.254 lladdr 02:00:00:00:0b:02 dev side "
                    "nud permanent")
    srtrace(mimic, "--vrf", "red", "-m", "1", "-q", "1", "-w", "0.2", "-g", HOST,
            TO, status=1)
    probe = second.next()
    equal(((probe.src, probe.dst, probe.options) if probe else None, mimic.seen),
          (("10.230.0.1", HOST, lsrr(TO) + b"\0"), []),
          "by a gateway whose address is ours elsewhere alone")
    srtrace(mimic, "--vrf", "red", "-g", "10.230.0.1", TO, status=2)
    srtrace(mimic, "--vrf", "red", "-s", HOST, TO, status=2)


@test("srtrace: an option that would have no effect is refused")
def no_effect():
    mimic = Mimic()
    for words in (("-d", G, TO), ("-r", "5", TO), ("-S", TO), ("-p", "80", TO),
                  ("--loop", "-g", R1, G), ("--record", "-U", TO),
                  ("--record", "-l", "99", TO), ("--record", "--gap", "3", TO),
                  ("--aliases", "-r", "5", G, R1), ("--aliases", "-T", G, R1),
                  ("--probe", "-", "-F"), ("--probe", "-", "-z", "1"),
                  ("--probe", "-", "-N", "1"), ("-j", "-v", TO),
                  ("-i", "out", "--vrf", "out", TO), ("-w", "1,3", "--loop", G),
                  ("-w", "1,3,10", "--flows", TO), ("-w", "1,3", "--report", TO),
                  ("-w", "1,3,10,1", TO), ("-w", "1,", TO), ("-w", ",3", TO)):
        srtrace(mimic, *words, status=2)
    equal(mimic.seen, [], "probes")


def await_probes(mimic, n):
    """So many of a run that has begun now, and time for the answers to be read."""
    wait_until(lambda: len(mimic.seen) >= n and not mimic.busy, 20, "probes")
    time.sleep(0.3)
    mimic.seen.clear()


@test("srtrace: Ctrl-C keeps what a trace has, and says that it was ended")
def interrupt_trace():
    mimic = Mimic(lambda probe: [expired(probe, R1)] if Packet(probe).ttl == 1
                  else [])
    for stop in signal.SIGINT, signal.SIGTERM:
        program = start(mimic, "-w", "30", "-q", "1", TO)
        await_probes(mimic, 3)
        program.send_signal(stop)
        text = program.communicate(timeout=5)[0]
        check(re.search("^ 1  %s  " % R1, text, re.M) and "\n 2  *" in text, text)
        equal(program.returncode, 1, "exit code")
        program = start(mimic, "-j", "-w", "30", "-q", "1", TO)
        await_probes(mimic, 3)
        program.send_signal(stop)
        end = read(program.communicate(timeout=5)[0])[-1]
        equal((end["verdict"], end["reason"]), ("unknown", "interrupted"), "JSON")


@test("srtrace: Ctrl-C of many gateways keeps those that are known, and counts the others")
def interrupt_scan():
    mimic = Mimic(lambda probe: [returned(probe, R2)]
                  if Packet(probe).dst != R1 else [])
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("\n".join([G, R1] + MANY[:30]))
        file.flush()
        program = start(mimic, "-w", "30", "-r", "2", "--probe", file.name)
        await_probes(mimic, 3)
    program.send_signal(signal.SIGINT)
    text = program.communicate(timeout=5)[0]
    check(re.search("^forwards +%s  " % G, text, re.M), text)
    check(re.search("^unknown +%s" % R1, text, re.M), text)
    check(re.search(r"^\d of 32 forward .* 1 unknown, 2\d not asked to the end$",
                    text, re.M), text)


@test("srtrace: Ctrl-C of a loop shows the hops that have answered")
def interrupt_loop():
    mimic = Mimic(lambda probe: [expired(probe, R1)] if Packet(probe).ttl == 1
                  else [])
    program = start(mimic, "-w", "30", "--loop", G)
    await_probes(mimic, 3)
    program.send_signal(signal.SIGINT)
    text = program.communicate(timeout=5)[0]
    check(re.search("^ 1 .*%s " % R1, text, re.M) and "interrupted" in text, text)


@test("srtrace: what has no room in its socket makes silence unknown, not silent")
def lost():
    mimic = Mimic()
    program = None

    def answer(probe):
        # More than there is room for, while it does not look.
        if Packet(probe).ttl != 1 or len(mimic.seen) > 1:
            return
        os.kill(program.pid, signal.SIGSTOP)
        junk = ip(R1, HOST, proto=ICMP, payload=bytes(1400))
        for _ in range(9000):
            mimic.wire.send(junk)
        time.sleep(0.2)
        os.kill(program.pid, signal.SIGCONT)
        yield from ()

    mimic.answer = answer
    for words in ("-j", "-q", "1"), ("--report=json", "-c", "1"):
        mimic.seen.clear()
        program = start(mimic, *words, "-w", "1", "-m", "1", TO)
        lines = read(program.communicate(timeout=60)[0])
        equal((lines[1]["outcome"], lines[-1]["verdict"], lines[-1]["reason"]),
              ("unknown", "unknown", "replies were lost before they were read"), words)
        check(lines[-1]["lost_here"] > 100, "lost: %d" % lines[-1]["lost_here"])
    mimic.answer = lambda probe: []
    equal(verdict(mimic, "-m", "1", TO)[0]["verdict"], "not reached",
          "without a loss")


@test("srtrace: times are the kernel's, and replies that came while it did not look "
      "are not given up")
def kernel_times():
    mimic = Mimic()
    program = None

    def answer(probe):
        os.kill(program.pid, signal.SIGSTOP)
        yield expired(probe, R1)
        time.sleep(0.6)
        os.kill(program.pid, signal.SIGCONT)

    mimic.answer = answer
    program = start(mimic, "-j", "-w", "0.3", "-q", "1", "-m", "1", TO)
    probe = read(program.communicate(timeout=60)[0])[1]
    equal(probe["outcome"], "expired", "outcome")
    check(probe["rtt_ms"] < 300, "%s ms" % probe["rtt_ms"])


def slow_hop(seconds, hop, lost):
    """Three hops and the destination: one takes so long, and of one the last probe is
    lost."""
    way, count = chain_of(3), {}

    def answer(probe):
        ttl = Packet(probe).ttl
        count[ttl] = count.get(ttl, 0) + 1
        if ttl == lost and count[ttl] == 3:
            return []
        return [Later(seconds, one) if ttl == hop else one for one in way(probe)]
    return answer


def hop_of(mimic, ttl, *words):
    """Outcomes of a hop's probes, and how long was waited for those that have none."""
    lines = read(srtrace(mimic, "-j", *words, TO, status=0))
    mine = [one for one in lines if one.get("ttl") == ttl]
    return [one["outcome"] for one in mine], [one["waited_ms"] for one in mine
                                              if "waited_ms" in one]


@test("srtrace: what is lost of a hop that has answered is waited for as long as that takes "
      "times three; a slow hop behind fast ones is not called silent")
def patience():
    for hop, lost, words, least, most in (
            (9, 2, (), 250, 1500),      # the least
            (2, 2, ("-w", "5"), 1500, 4000),    # three times 0.5 s
            (9, 2, ("-w", "2,0"), 2000, 9000),
            (2, 2, ("-w", "1.2"), 1200, 1500)):
        outcomes, waited = hop_of(Mimic(slow_hop(0.5, hop, lost)), 2, *words)
        equal(sorted(outcomes), ["expired", "expired", "none"], (hop, words))
        check(least <= waited[0] < most, "%s ms, not %d to %d" % (waited, least, most))
    # A second, behind and ahead of routers that are fast.
    equal(hop_of(Mimic(slow_hop(1, 2, 9)), 2), (["expired"] * 3, []), "a slow hop")
    # As traceroute has it, which is no default.
    outcomes, waited = hop_of(Mimic(slow_hop(1, 2, 9)), 2, "-w", "2,3,10")
    check(outcomes[0] == "none" and 250 <= waited[0] < 1900, "%s %s" % (outcomes, waited))
    # When it comes after all, while others are waited for.
    mimic = Mimic(lambda probe: [] if Packet(probe).ttl == 4
                  else slow_hop(1, 2, 9)(probe))
    text = srtrace(mimic, "-m", "4", "-q", "1", "-w", "2,3,10", TO, status=1)
    check(re.search(r"^ 2  10.221.1.2  \d+\.\d+ ms \(late\)$|"
                    r"^late, of hop 2: 10.221.1.2 after 1\d\d\d\.", text, re.M), text)


@test("srtrace: an answer of UDP belongs to the hop of the destination, whether it sends our "
      "data back or its own")
def udp_answers():
    def answer(probe, data, late):
        packet, ttl = Packet(probe), Packet(probe).ttl
        if packet.proto != UDP:     # our kernel's error, since no program has that port
            return []
        if ttl < 4:
            reply = expired(probe, "10.221.1.%d" % ttl)
            return [] if ttl == 2 and not late else [Later(late, reply)]
        ports = packet.payload[2:4] + packet.payload[:2]
        return [ip(TO, HOST, proto=UDP, payload=ports + bytes(
            [0, 8 + len(data or packet.payload[8:]), 0, 0]) + (data or packet.payload[8:]))]

    # The routers are slow, or the second is silent.
    for data, late in (b"", 0.3), (b"no echo", 0):
        mimic = Mimic(lambda probe, data=data, late=late: answer(probe, data, late))
        end, probes = verdict(mimic, "-U", "-p", "7", "-w", "1", TO, status=0)
        equal((end["verdict"], {one["ttl"] for one in probes
                                if one["outcome"] == "answered"}),
              ("reached", {4}), (data, probes))


@test("srtrace: that there is no way any more in the middle of a trace is said")
def way_lost():
    mimic = Mimic()

    def answer(probe):
        if Packet(probe).ttl == 2:
            mimic.host.ip("route replace unreachable default")
        return [expired(probe, R1)]

    mimic.answer = answer
    text = srtrace(mimic, "-N", "1", "-q", "1", "-w", "0.5", TO, status=1)
    check("not sent: No route to host" in text and
          "our own kernel has not sent them all: No route to host" in text, text)
    check(len(text.splitlines()) < 12, text)
    mimic.host.ip("route replace default via 10.220.0.254")
    end, probes = verdict(mimic, "-N", "1", TO, status=1)
    equal((end["verdict"], end["reason"]), ("unknown", "not sent: No route to host"),
          "JSON")
    equal([one["outcome"] for one in probes[:3]], ["expired", "expired", "unsent"],
          "probes")
    mimic.host.ip("route replace default via 10.220.0.254")
    end, _ = verdict(mimic, "-N", "1", "--loop", G, status=1)
    equal((end["verdict"], end["reason"]), ("unknown", "not sent: No route to host"),
          "a loop")


@test("srtrace: what our own kernel has not sent is not called silence, in no mode")
def unsent():
    mimic = Mimic()

    def answer(_):
        mimic.host.ip("route replace unreachable default")
        return []

    mimic.answer = answer
    for words in (["-f", "2", "-m", "2", "-q", "2"], ["-N", "1", "--flows"],
                  ["-N", "1", "-c", "1", "--report"]):
        mimic.host.ip("route replace default via 10.220.0.254")
        text = srtrace(mimic, "-w", "0.3", *words, TO, status=1)
        check("ot sent" in text and ": No route to host" in text, text)
        mimic.host.ip("route replace default via 10.220.0.254")
        end = read(srtrace(mimic, "-j", "-w", "0.3", *words, TO, status=1))[-1]
        equal((end["verdict"], end["reason"]),
              ("unknown", "not sent: No route to host"), words)
    check(re.search(r"has not sent \d+ probes: No route", text), text)
    for words, names in (["--aliases"], [G, R1]), (["--probe"], ["-"]):
        text = srtrace(mimic, *words, *names, input=G, status=1)
        check("not sent: No route to host" in text or "unsent" in text, text)
        end = read(srtrace(mimic, "-j", *words, *names, input=G, status=1))[-1]
        equal(end["verdict"], "unknown", words)
    for words in (["--record"], ["--record", "--times"], ["--mtu"]):
        mimic.host.ip("route replace default via 10.220.0.254")
        text = srtrace(mimic, "-q", "2", "-w", "0.3", *words, TO, status=1)
        check("not sent: No route to host" in text and "no answer" not in text, text)
        mimic.host.ip("route replace default via 10.220.0.254")
        lines = read(srtrace(mimic, "-j", "-q", "2", "-w", "0.3", *words, TO, status=1))
        equal((lines[1]["outcome"], lines[-1]["verdict"], lines[-1]["reason"]),
              ("unsent", "unknown", "not sent: No route to host"), words)


@test("srtrace: a disk that is full ends a trace where it is, and says so")
def disk_full():
    mimic = Mimic(chain_of(25))
    with mimic.host, open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "-n", "-q", "1", TO], text=True, check=False,
                              stdout=full, stderr=subprocess.PIPE, timeout=60)
    equal((done.returncode, done.stderr),
          (4, "srtrace: standard output: No space left on device\n"), "said")
    check(max(Packet(probe).ttl for probe in mimic.seen) < 20, "it goes on")


@test("srtrace: a destination that nobody can have is refused; our own says nothing of "
      "probes that pass us")
def destinations():
    mimic = Mimic(chain_of(2))
    mimic.host.ip("link set lo up")
    for words in (["0.0.0.0"], ["0.1.2.3"], ["224.0.0.1"], ["255.255.255.255"],
                  ["-g", G, "127.0.0.1"], ["--record", "0.0.0.0"],
                  ["-d", "127.0.0.1", "--probe", "-"], ["-d", "0.0.0.0", "--probe", "-"]):
        srtrace(mimic, *words, input=G, status=2)
    equal(mimic.seen, [], "probes")
    for own in "127.0.0.1", HOST:
        text = srtrace(mimic, "-w", "0.5", own, status=0)
        check("not believed" not in text and "copies" not in text, text)


@test("srtrace: an interface that flaps costs the gateways of that time, not the others")
def flap():
    mimic = Mimic()

    def answer(probe):
        if Packet(probe).dst == R1:
            mimic.host.ip("link set out down")
            time.sleep(0.5)
            mimic.host.ip(
                "link set out up",
                "neigh replace 10.220.0.254 lladdr %s dev out nud permanent" %
                mimic.wire.own.hex(":"), "route replace default via 10.220.0.254")
            return []
        return [returned(probe, R2)]

    mimic.answer = answer
    text = srtrace(mimic, "-r", "10", "-w", "0.5", "-q", "1", "--probe", "-",
                   input="\n".join([G, R1] + MANY[:20]), status=0)
    found = re.search(r"^(\d+) of 22 forward", text, re.M)
    check(found and int(found[1]) > 10 and "unsent" in text, text)


@test("srtrace: the MTU of \"fragmentation needed\" is shown")
def mtu_shown():
    mimic = Mimic()

    def answer(probe):
        body = icmp_error(3, 4, probe)
        body = body[:6] + b"\x05\x14" + body[8:]
        total = sum(int.from_bytes(body[i:i + 2], "big")
                    for i in range(0, len(body) - 1, 2) if i != 2)
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        return [ip(R1, HOST, proto=ICMP,
                   payload=body[:2] + (~total & 0xffff).to_bytes(2, "big") + body[4:])]

    mimic.answer = answer
    text = srtrace(mimic, "-q", "1", "-F", "-l", "1400", TO, status=1)
    check("refused by %s: fragmentation needed, MTU 1300 (3/4)" % R1 in text, text)
    _, probes = verdict(mimic, "-F", "-l", "1400", TO, status=1)
    equal(probes[0]["icmp"], {"type": 3, "code": 4, "mtu": 1300}, "JSON")


@test("srtrace: replies are read without any privilege; CAP_NET_RAW alone is enough to "
      "begin with")
def privileges():
    mimic = Mimic()
    with mimic.host:
        program = subprocess.Popen(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
             "--inh-caps", "+net_raw", "--ambient-caps", "+net_raw",
             "--bounding-set", "-all,+net_raw", PROGRAM, "-n", "-w", "3", "-q", "1",
             "-m", "1", TO], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: mimic.seen, 20, "a probe")
    with open("/proc/%d/status" % program.pid) as file:
        status = dict(map(str.strip, line.split(":", 1)) for line in file)
    equal({name: int(status[name], 16) for name in
           ("CapInh", "CapPrm", "CapEff", "CapAmb")},
          dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapAmb"), 0), "capabilities")
    equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "no new ones, seccomp")
    mimic.wire.send(echo_reply(mimic.seen[0]))
    check("10.222.0.9" in program.communicate(timeout=10)[0], "no answer")
    equal(program.returncode, 0, "exit code")
    # Names are looked up in there, too.
    mimic.host.ip("link set lo up")
    with mimic.host:
        text = subprocess.run([PROGRAM, "-q", "1", "localhost"], text=True, check=True,
                              stdout=subprocess.PIPE).stdout
    check("localhost (127.0.0.1)" in text, text)


@test("srtrace: a router that limits its errors is asked slowly enough to answer")
def limits():
    # One error each 40 ms from each router, which gives three probes in 120 ms.
    last, way = {}, chain_of(5)

    def answer(probe):
        ttl, now = Packet(probe).ttl, time.monotonic()
        if ttl < 6 and now - last.get(ttl, 0) < 0.04:
            return []
        last[ttl] = now
        return way(probe)

    mimic = Mimic(answer)
    lines = read(srtrace(mimic, "-j", "-w", "0.5", TO, status=0))
    silent = [one for one in lines if one.get("outcome") == "none"]
    check(len(silent) <= 1, "%d of %d probes" % (len(silent), len(mimic.seen)))


if __name__ == "__main__":
    ktap.main()
