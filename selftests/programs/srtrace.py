#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srtrace(8) across three gateways, and what it shows of them:

    h1 ---- g1 ---- g2 ---- g3 ---- h2
      10.210.0  10.210.1  10.210.2  10.210.3     .1 left, .2 right of a link

The program is $SRTRACE, or the one that make has left in out/srtrace/, or that
of this machine.
"""

import json
import os
import pathlib
import re
import subprocess
import tempfile

from lib import ktap
from lib.chain import Chain, Node, Taps
from lib.ktap import check, equal, test
from lib.netns import Netns, Wire, cable
from lib.packet import (ICMP, Packet, edit, icmp_error, ip, lsrr, record,
                        ssrr)
from lib.tracer import PROGRAM

H1, G1, G2, G3, H2 = ("10.210.0.1", "10.210.0.2", "10.210.1.2", "10.210.2.2",
                      "10.210.3.2")
RIGHT1, RIGHT2, RIGHT3 = "10.210.1.1", "10.210.2.1", "10.210.3.1"
NOBODY = "10.210.0.99"
LIAR, BEHIND = "10.210.9.2", "10.210.9.3"


COMPLETION = str(pathlib.Path(__file__).resolve().parents[2] /
                 "scripts/programs/srtrace/srtrace.bash")
chain = Chain(Node("h1", right=H1 + "/24").accepting(),
              Node("g1", G1 + "/24", RIGHT1 + "/24").ours(),
              Node("g2", G2 + "/24", RIGHT2 + "/24").ours(),
              Node("g3", G3 + "/24", RIGHT3 + "/24").ours(),
              Node("h2", H2 + "/24").accepting())
h1, g1, g2, g3, h2 = (node.ns for node in chain.nodes)


def srtrace(*words, status=0, **options):
    """Its output; from h1, without names, one probe per hop."""
    with h1:
        done = subprocess.run(
            [PROGRAM, "-n", "-w", "3", "-q", "1", *words], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    equal(done.returncode, status, "exit code (%s)" % done.stderr.strip())
    return done.stdout or done.stderr


def read_lines(text):
    """The lines of JSON: the last one, with those of probes and of gateways."""
    lines = [json.loads(line) for line in text.splitlines()]
    equal((lines[0]["type"], lines[0]["schema"], lines[-1]["type"]),
          ("start", "srtrace-2", "end"), "the first line and the last")
    result = dict(lines[-1])
    for kind in "probe", "gateway", "router":
        result[kind + "s"] = [one for one in lines if one["type"] == kind]
    return result


def data(*words, **options):
    return read_lines(srtrace("-j", *words, **options))


def addresses(replies):
    return [reply["from"] for reply in replies]


def hops(result):
    return sorted(result["probes"], key=lambda probe: probe["ttl"])


@test("srtrace: a trace by way of a gateway shows every hop, and where in its "
      "route the probe was")
def trace_places():
    found = hops(data("-g", G2, H2))
    equal(addresses(found), [G1, G2, G3, H2], "hops")
    equal([(hop["passed"], hop["to"]) for hop in found[:3]],
          [(0, G2), (0, G2), (1, H2)], "places")
    text = srtrace("-v", "-g", G2, H2)
    check("[1 of 1, to %s]" % H2 in text, text)
    check("option: " + lsrr(H2).hex(" ") in text, text)


@test("srtrace: a trace without gateways is an ordinary traceroute")
def trace_plain():
    found = hops(data(H2))
    equal(addresses(found), [G1, G2, G3, H2], "hops")
    equal([hop.get("passed") for hop in found], [None] * 4, "places")


class Liar:
    """A gateway beside h1 whose errors quote a probe with other options."""

    NEAR = "02:00:00:00:09:01"

    def __init__(self):
        self.world = Netns("liar")
        ktap.cleanup(self.close)
        cable(h1, "liar", self.world, "liar",
              "addr add 10.210.9.1/24 dev liar", address=self.NEAR)
        self.wire = Wire(self.world, "liar",
                         bytes.fromhex(self.NEAR.replace(":", "")))
        h1.ip("neigh replace %s lladdr %s dev liar nud permanent" % (
            LIAR, self.wire.own.hex(":")))

    def close(self):
        self.wire.sock.close()
        h1.ip("link del dev liar")
        self.world.close()

    def answer(self, options, *words):
        """What srtrace prints of one probe by way of us, of which we say that
        it has expired here with these options."""
        with h1:
            program = subprocess.Popen(
                [PROGRAM, "-n", "-w", "3", "-q", "1", "-m", "1", *words, "-g",
                 LIAR, BEHIND], text=True, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
        probe = self.wire.receive(30)  # with sanitizers it starts slowly
        equal(Packet(probe).dst, LIAR, "where the probe goes")
        self.wire.send(ip(LIAR, Packet(probe).src, proto=ICMP,
                          payload=icmp_error(11, 0, edit(probe,
                                                         options=options))))
        output = program.communicate(timeout=10)[0]
        equal(program.returncode, 1, "exit code (%s)" % output.strip())
        return output

    def hop(self, options):
        """The same, as JSON has it."""
        return hops(read_lines(self.answer(options, "-j")))[0]


UNSOUND = (
    ("no route", b"\1" * 8),
    ("a route that runs past the header", lsrr(BEHIND, length=39)),
    ("a strict one that runs past it", ssrr(BEHIND, length=11)),
    ("a length of part of a slot", lsrr(BEHIND, length=6)),
    ("a length octet short of an option", lsrr(BEHIND, length=1)),
    ("no length octet", b"\1" * 7 + bytes([131])),
    ("a pointer into the option's head", lsrr(BEHIND, ptr=0)),
    ("a pointer between two slots", lsrr(BEHIND, ptr=7)),
    ("a second route", lsrr(BEHIND) + ssrr(BEHIND)),
    ("another option that runs past the header", lsrr(BEHIND) + b"\7\x27\4"),
)
SOUND = (
    (0, lsrr(BEHIND)), (1, lsrr(BEHIND, ptr=8)), (0, b"\1" + lsrr(BEHIND)),
    (1, lsrr(BEHIND, ptr=252)), (1, lsrr(BEHIND, ptr=8) + record(3)),
)
OTHERS = (
    ssrr(BEHIND, ptr=8), b"\1" + lsrr(LIAR, BEHIND, BEHIND, ptr=12),
    lsrr(LIAR), lsrr(BEHIND, BEHIND),
)


@test("srtrace: a quote whose source route is broken shows no route, in text "
      "and in JSON")
def broken_quotes():
    liar = Liar()
    for what, options in UNSOUND:
        text = liar.answer(options)
        check("%s  " % LIAR in text and "[no sound route in it]" in text,
              "%s: %s" % (what, text))
        check(" of 1, to" not in text, "%s: %s" % (what, text))
        hop = liar.hop(options)
        padded = options + b"\0" * (-len(options) % 4)
        equal((hop["from"], hop["outcome"], hop["options"], hop.get("passed")),
              (LIAR, "expired", padded.hex(), None), what)


@test("srtrace: a quote whose source route is sound shows how much of it is "
      "used up, never more than there is of it")
def sound_quotes():
    liar = Liar()
    for passed, options in SOUND:
        text = liar.answer(options)
        check("[%d of 1, to %s]" % (passed, LIAR) in text, text)
        equal(liar.hop(options).get("passed"), passed, "passed, of " + options.hex(" "))


@test("srtrace: a quote with a sound route that is not the one sent says so, and "
      "shows no place in it")
def other_routes():
    liar = Liar()
    for options in OTHERS:
        text = liar.answer(options)
        check("[another route in it]" in text and " of 1, to" not in text, text)
        hop = liar.hop(options)
        equal((hop["outcome"], hop["route"], hop.get("passed")),
              ("expired", "another route in it", None), options.hex(" "))


def checksum_is_right(kind, protocol):
    """At the end of the route a host checks it."""
    with Taps(chain) as taps:
        result = data(kind, "-g", G1, "-g", G3, "-f", "4", H2)
        datagram = taps.next(3, lambda d: d[9] == protocol)
    equal(result["verdict"], "reached", "verdict of " + kind)
    equal(hops(result)[0]["from"], H2, "who answers")
    p = Packet(datagram)
    equal((p.dst, p.options[:11]), (H2, lsrr(RIGHT1, RIGHT3, ptr=12)),
          "what arrives")


@test("srtrace: probes of UDP have the checksum of the route's end: it answers")
def udp():
    checksum_is_right("-U", 17)


@test("srtrace: probes of TCP have the checksum of the route's end: it answers")
def tcp():
    checksum_is_right("-T", 6)


@test("srtrace: a strict route is followed by neighbours, and its failure is shown")
def strict():
    found = hops(data("-S", "-g", G1, "-g", G2, "-g", G3, H2))
    equal(addresses(found), [G1, G2, G3, H2], "hops")
    result = data("-S", "-g", G1, "-g", G3, H2, status=1)
    last = hops(result)[-1]
    equal((last["from"], last["outcome"], last["icmp"]),
          (G1, "refused", {"type": 3, "code": 5}), "the failure")
    check("source route failed (3/5)" in
          srtrace("-S", "-g", G1, "-g", G3, H2, status=1), "no words for it")


@test("srtrace: out to a gateway and back: both ways, hop by hop")
def loop():
    result = data("--loop", G3)
    equal(result["out"], [G1, G2, G3], "out")
    equal(result["back"], [G2, G1], "back")
    equal(result["verdict"], "returned", "verdict")
    text = srtrace("--loop", G3)
    check(re.search(r"1 +%s .* ms +%s .* ms$" % (G1, G1), text, re.M), text)
    check(re.search(r"3 +%s .*turns here" % G3, text), text)
    check("!" not in text, "the same way is marked:\n" + text)


@test("srtrace: out to a gateway and back: two ways that differ are marked")
def loop_asymmetric():
    # A link of their own between g1 and g3, which g3 alone uses, for what is for h1.
    cable(g1, "short", g3, "short", "addr add 10.210.9.1/24 dev short")
    ktap.cleanup(g1.ip, "link del dev short")
    g3.ip("addr add 10.210.9.3/24 dev short",
          "route add %s/32 via 10.210.9.1 src %s" % (H1, G3))
    result = data("--loop", G3)
    equal((result["verdict"], result["out"], result["back"]),
          ("returned", [G1, G2, G3], [G1]), "ways")
    text = srtrace("--loop", G3)
    check(re.search(r"1 +%s .* ms +%s .* ms$" % (G1, G1), text, re.M), text)
    check(re.search(r"2 +%s .* ms +!$" % G2, text, re.M), text)
    check("3 hops out, 1 back; ! the ways differ" in text, text)


@test("srtrace: Record Route: the way there and the way back are told apart")
def recorded():
    result = data("--record", H2)
    equal(result["there"], [RIGHT1, RIGHT2, RIGHT3], "there")
    equal(result["back"], [G3, G2, G1], "back")
    check(re.search("there:.*%s.*back:.*%s" % (RIGHT3, G3),
                    srtrace("--record", H2), re.S), "text")


@test("srtrace: addresses that a router records are its own; each is shown with how")
def aliases():
    result = data("--aliases", G2, G3, RIGHT1)
    together = [set(router["addresses"]) for router in result["routers"]]
    check({G2, RIGHT2} in together, "g2: %s" % together)
    check({RIGHT1, G1} <= max(together, key=lambda one: RIGHT1 in one),
          "g1: %s" % together)
    check("%s recorded %s towards %s" % (G2, RIGHT2, G3) in
          srtrace("--aliases", G2, G3), "no evidence")


@test("srtrace: many gateways: who forwards, who refuses and how, who is silent")
def scan():
    g2.sysctl("net.ipv4.srcroute.conf.all.lsrr", 3)
    ktap.cleanup(g2.sysctl, "net.ipv4.srcroute.conf.all.lsrr", 1)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("# gateways\n%s\n%s  # the second\n\n%s\n" % (
            G1, G2, NOBODY))
        file.flush()
        result = data("--probe", file.name, "-r", "100", "-w", "2")
        g2.sysctl("net.ipv4.srcroute.conf.all.lsrr", 2)
        text = srtrace("--probe", file.name, "-r", "100", "-w", "2")
        srtrace("--probe", "-", "-r", "100", "-w", "1", input=NOBODY + "\n",
                status=1)
    found = {one["gateway"]: one for one in result["gateways"]}
    equal({name: (one["verdict"], one.get("answers_ping"))
           for name, one in found.items()},
          {G1: ("forwards", None), G2: ("refuses", True),
           NOBODY: ("silent", False)}, "verdicts")
    equal(found[G2]["icmp"], {"type": 3, "code": 13}, "how it refuses")
    check(re.search("silent +%s +answers ping" % G2, text), text)
    check("1 of 3 forward (33.3 %), 0 refuse, 2 silent, of whom 1 answer ping"
          in text, text)


@test("srtrace: many gateways: no more per second than is asked for")
def scan_rate():
    lines = [json.loads(line) for line in srtrace(
        "-j", "--probe", "-", "-r", "4", "-w", "1",
        input="\n".join((G1, RIGHT1, G2, RIGHT2, G3, RIGHT3))).splitlines()]
    took = lines[-1]["time"] - lines[0]["time"]
    check(1.2 < took < 3, "6 at 4 a second: in %.2f s" % took)


@test("srtrace: without privilege, with bad words, without a way: a clear error "
      "and its exit code")
def errors():
    text = srtrace(H2, status=3, user=65534, group=65534, extra_groups=[])
    check("CAP_NET_RAW" in text, text)
    for words, said in (
            ([], "no target"), (["-U", "-p", "70000", H2], "65535"),
            (["-S", H2], "needs a gateway"), ([H2, H2], "one word too many"),
            (["-g", G1] * 10 + [H2], "room for 9"), (["-x", H2], "invalid"),
            (["no.such.name.invalid"], "no.such.name"),
            (["--probe", "/nonexistent"], "No such file"),
            (["--loop", "--record", H2], "one of"),
            (["-f", "9", "-m", "3", H2], "behind"),
            (["-g", H1, H2], "address of this machine"),
            (["-g", "127.0.0.2", H2], "no address that a gateway can have"),
            (["-g", "0.1.2.3", H2], "no address that a gateway can have"),
            (["-s", H2, H2], "no address of this machine"),
            (["--record", "-f", "2", H2], "-f has no effect"),
            (["--aliases", "-m", "2", H2], "-m has no effect"),
            (["-r", "5", H2], "-r has no effect"),
            (["-j", "-v", H2], "-v has no effect")):
        text = srtrace(*words, status=2)
        check(said in text, "%s: %s" % (words, text))
    check(re.search(r"^srtrace \d+\.\d+", srtrace("-V")), "no version")
    srtrace("192.0.2.1", status=4)
    for where in "/dev/full", "&-":
        with h1:
            done = subprocess.run(
                ["bash", "-c", '"$0" -n "$1" >' + where, PROGRAM, H2],
                text=True, stderr=subprocess.PIPE, check=False)
        equal(done.returncode, 4, "standard output is " + where)
        check("standard output" in done.stderr, done.stderr)
    srtrace("-w", "0.3", "-m", "2", NOBODY, status=1)


def completions(*words):
    """What bash offers for the last word."""
    done = subprocess.run(
        ["bash", "-c", '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
         '_srtrace; printf "%s\\n" "${COMPREPLY[@]}"', COMPLETION, "srtrace",
         *words], text=True, check=True, stdout=subprocess.PIPE)
    return set(done.stdout.split())


@test("srtrace: the shell completes every option that the help tells of, and "
      "names of files")
def completion():
    told = re.findall(r"^  ((?:--?\w+ ?,? ?)+)", srtrace("-h"), re.M)
    options = set(re.findall(r"--?\w+", " ".join(told)))
    check({"-g", "-U", "-V", "--loop", "--probe"} <= options, options)
    equal(options - completions("-"), set(), "options that are not offered")
    equal(completions("--pr"), {"--probe"}, "offered for --pr")
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "gateways")
        pathlib.Path(path).touch()
        equal(completions("--probe", path[:-3]), {path}, "files")
        equal(completions("-w", path[:-3]), set(), "files for a number")


if __name__ == "__main__":
    ktap.main(chain.close)
