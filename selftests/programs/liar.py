#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srtrace(8) among liars: each field of a reply is forged in turn, and no verdict
changes. Needs no module: the network is a function (lib/mimic.py).
"""

import json
import pathlib
import re
import struct

import jsonschema

from lib import ktap
from lib.ktap import check, equal, test
from lib.mimic import Mimic
from lib.packet import (ICMP, Packet, addr, checksum, icmp_error, ip, lsrr,
                        ssrr)
from lib.tracer import (HOST, chain_of, echo_reply, expired, returned, srtrace,
                        verdict)

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "docs/srtrace.schema.json"
R1, G, R2, TO = "10.221.0.1", "10.221.0.2", "10.221.0.3", "10.222.0.9"
STRANGER = "10.223.0.1"


def put(octets, at, new):
    return octets[:at] + new + octets[at + len(new):]


def flip(octets, at):
    return put(octets, at, bytes([octets[at] ^ 0x55]))


def resum(datagram):
    """The same with the checksum of IP, and of ICMP, right again."""
    head = 4 * (datagram[0] & 15)
    body = put(datagram[head:], 2, b"\0\0")
    body = put(body, 2, struct.pack("!H", checksum(body)))
    front = put(datagram[:head], 10, b"\0\0")
    return put(front, 10, struct.pack("!H", checksum(front))) + body


# Of an error: 20 octets of header, 8 of ICMP, then the quote.
QUOTE = 28
LIES = {
    "checksum of IP": lambda e, n: flip(e, 10),
    "checksum of ICMP": lambda e, n: flip(e, 22),
    "a later fragment": lambda e, n: resum(put(e, 6, b"\0\x10")),
    "more fragments": lambda e, n: resum(put(e, 6, b"\x20\0")),
    "destination address": lambda e, n: resum(put(e, 16, addr(STRANGER))),
    "a frame for another host": lambda e, n: (e, bytes.fromhex("020000000bad")),
    "quoted source": lambda e, n: resum(put(e, QUOTE + 12, addr(STRANGER))),
    "quoted destination": lambda e, n: resum(put(e, QUOTE + 16, addr(STRANGER))),
    "quoted identification": lambda e, n: resum(flip(e, QUOTE + 4)),
    "quoted protocol": lambda e, n: resum(put(e, QUOTE + 9, b"\x2f")),
    "quoted ICMP type": lambda e, n: resum(put(e, QUOTE + n, b"\0")),
    "quoted identifier": lambda e, n: resum(flip(e, QUOTE + n + 4)),
    "quoted sequence": lambda e, n: resum(flip(e, QUOTE + n + 6)),
    "quoted checksum": lambda e, n: resum(flip(e, QUOTE + n + 2)),
    "quoted header length": lambda e, n: resum(put(e, QUOTE, b"\x4f")),
    "quoted version": lambda e, n: resum(put(e, QUOTE, b"\x65")),
    "length of IP beyond the datagram": lambda e, n: resum(put(e, 2, b"\4\0")),
    "a quote of 20 octets less": lambda e, n: ip(
        R1, HOST, proto=ICMP, payload=icmp_error(3, 1, e[QUOTE:QUOTE + 8])),
}


@test("srtrace: an error that is forged in any field ends no trace")
def errors():
    for what, lie in LIES.items():
        for words, n in (([TO], 20), (["-g", G, TO], 28)):
            mimic = Mimic()

            def answer(probe, lie=lie, n=n):
                wrong = ip(R1, HOST, proto=ICMP, payload=icmp_error(3, 1, probe))
                return [lie(wrong, n)]

            mimic.answer = answer
            end, probes = verdict(mimic, "-m", "2", *words, status=1)
            equal((end["verdict"], [one["outcome"] for one in probes]),
                  ("not reached", ["none"] * 2), what)
            if what != "quoted header length":
                mimic.answer = lambda probe: [
                    ip(R1, HOST, proto=ICMP, payload=icmp_error(3, 1, probe))]
                equal(verdict(mimic, "-m", "2", *words)[0]["verdict"], "refused",
                      "without the lie")


ANSWER_LIES = {
    "checksum of IP": lambda r: flip(r, 10),
    "checksum of ICMP": lambda r: flip(r, 22),
    "a later fragment": lambda r: resum(put(r, 6, b"\0\x10")),
    "another answers": lambda r: resum(put(r, 12, addr(STRANGER))),
    "destination address": lambda r: resum(put(r, 16, addr(STRANGER))),
    "a frame for another host": lambda r: (r, bytes.fromhex("020000000bad")),
    "identifier": lambda r: resum(flip(r, 24)),
    "sequence": lambda r: resum(flip(r, 26)),
    "token": lambda r: resum(flip(r, 28)),
    "data cut off": lambda r: resum(put(r, 2, b"\0\x20")[:32]),
}


@test("srtrace: an answer that is forged in any field is not the destination's")
def answers():
    mimic = Mimic()
    for what, lie in ANSWER_LIES.items():
        mimic.answer = lambda probe, lie=lie: [lie(echo_reply(probe))]
        end, _ = verdict(mimic, "-m", "1", TO, status=1)
        equal(end["verdict"], "not reached", what)
    mimic.answer = lambda probe: [echo_reply(probe)]
    equal(verdict(mimic, "-m", "1", TO, status=0)[0]["verdict"], "reached",
          "without a lie")


@test("srtrace: a probe has returned only if it is for us and its route is used up")
def returns():
    mimic = Mimic()
    for what, lie in (
            ("the route is not used up", lambda p: returned(p, R2, ptr=4)),
            ("with a strict route", lambda p: ip(
                HOST, HOST, ssrr(R2, ptr=8), proto=ICMP,
                ident=Packet(p).ident, payload=Packet(p).payload)),
            ("with a longer route", lambda p: ip(
                HOST, HOST, lsrr(R1, R2, ptr=12), proto=ICMP,
                ident=Packet(p).ident, payload=Packet(p).payload)),
            ("it passes us", lambda p: returned(p, R2, dst=STRANGER)),
            ("it has lost its route", lambda p: ip(
                HOST, HOST, proto=ICMP, ident=Packet(p).ident,
                payload=Packet(p).payload)),
            ("another has sent it", lambda p: returned(p, R2, src=STRANGER)),
            ("other data", lambda p: resum(flip(returned(p, R2), 34))),
            ("a firewall rejects it", lambda p: ip(
                R1, HOST, proto=ICMP, payload=icmp_error(3, 3, p)))):
        mimic.answer = lambda probe, lie=lie: [lie(probe)]
        end, _ = verdict(mimic, "-m", "1", "--loop", G, status=1)
        check(end["verdict"] in ("not returned", "refused"),
              "%s: %s" % (what, end))
        text = srtrace(mimic, "-w", "0.3", "-q", "1", "-r", "1000", "--probe",
                       "-", input=G + "\n", status=1)
        check("forwards" not in text, "%s: %s" % (what, text))
    mimic.answer = lambda probe: [returned(probe, R2)]
    equal(verdict(mimic, "-m", "1", "--loop", G, status=0)[0]["verdict"],
          "returned", "without a lie")


@test("srtrace: a reject of a firewall on the way is not the destination's word")
def firewall():
    mimic = Mimic(lambda probe: [
        ip(R1, HOST, proto=ICMP, payload=icmp_error(3, 3, probe))])
    for kind in "-I", "-U", "-T":
        end, _ = verdict(mimic, kind, TO, status=1)
        equal(end["verdict"], "refused", kind)
        text = srtrace(mimic, "-q", "1", kind, TO, status=1)
        check("refused by %s: port unreachable (3/3)" % R1 in text, text)
    mimic.answer = lambda probe: [
        ip(TO, HOST, proto=ICMP, payload=icmp_error(3, 3, probe))]
    equal(verdict(mimic, "-U", TO, status=0)[0]["verdict"], "reached",
          "the destination's own")


@test("srtrace: a quote of 28 octets is matched by addresses and identification")
def short_quotes():
    mimic = Mimic(lambda probe: [
        ip(R1, HOST, proto=ICMP, payload=icmp_error(11, 0, probe[:28]))])
    text = srtrace(mimic, "-m", "2", "-w", "0.3", "-q", "1", "-g", G, "-g", R2, TO, status=1)
    check("%s " % R1 in text and "[0 of 2, to %s, quote cut]" % G in text, text)
    mimic.answer = lambda probe: [
        ip(R1, HOST, proto=ICMP,
           payload=icmp_error(11, 0, flip(probe, 5)[:28]))]
    text = srtrace(mimic, "-m", "2", "-w", "0.3", "-q", "1", "-g", G, TO, status=1)
    check(R1 not in text, text)
    check(all(Packet(probe).ident for probe in mimic.seen), "an identification of 0")


@test("srtrace: options that a gateway has stripped or broken are shown so")
def rewritten_quotes():
    mimic = Mimic()
    for options, said in ((b"", "[options stripped]"),
                          (lsrr(TO, ptr=7), "[no sound route in it]"),
                          (lsrr(STRANGER), "[another route in it]")):
        mimic.answer = lambda probe, options=options: [
            ip(R1, HOST, proto=ICMP, payload=icmp_error(11, 0, ip(
                HOST, G, options, proto=ICMP, ident=Packet(probe).ident,
                payload=Packet(probe).payload)))]
        text = srtrace(mimic, "-m", "1", "-q", "1", "-g", G, TO, status=1)
        check(said in text, text)


def extended(probe, words, extension):
    quote = probe.ljust(128, b"\0")
    body = bytes([11, 0, 0, 0, 0, words, 0, 0]) + quote + extension
    return ip(R1, HOST, proto=ICMP,
              payload=put(body, 2, struct.pack("!H", checksum(body))))


def objects(*contents):
    body = b"\x20\0\0\0" + b"".join(
        struct.pack("!HBB", 4 + len(data), kind, sub) + data
        for kind, sub, data in contents)
    return put(body, 2, struct.pack("!H", checksum(body)))


@test("srtrace: labels of MPLS and interfaces are shown; lengths that are wrong say so")
def extensions():
    label = (1, 1, struct.pack("!I", 16 << 12 | 1 << 8 | 1))
    interface = (2, 0x0a, struct.pack("!I", 7) + b"\x08eth0\0\0\0")
    more = objects(label, interface)
    mimic = Mimic()
    for words, octets, said in (
            (32, more, ("<MPLS L=16,E=0,S=1,T=1>", "<in eth0 index 7>")),
            (0, more, ("<MPLS L=16,E=0,S=1,T=1>",)),
            (255, more, ("[wrong length of the quote]",)),
            (1, more, ("[wrong length of the quote]",)),
            (32, objects((9, 1, b"1234"), label, (9, 2, b"")),
             ("<MPLS L=16,E=0,S=1,T=1>", "<2 other objects>")),
            (32, flip(more, 2), ("[broken extension]",)),
            (32, objects(label)[:6], ("[broken extension]",))):
        mimic.answer = lambda probe, words=words, octets=octets: [
            extended(probe, words, octets)]
        text = srtrace(mimic, "-v", "-m", "1", "-q", "1", TO, status=1)
        check(R1 in text and "[reply TTL 64, 1 hops back]" in text, text)
        for part in said:
            check(part in text, "%s: %s" % (part, text))


@test("srtrace: late replies and copies are shown as what they are")
def late():
    mimic = Mimic()
    held = []

    def answer(probe):
        # Hop 1 is answered when hop 2 is asked, which is too late.
        if Packet(probe).ttl == 1:
            held.append(probe)
            return []
        return [expired(one, R1) for one in held] + [expired(probe, R2)] * 3

    mimic.answer = answer
    text = srtrace(mimic, "-m", "2", "-N", "1", "-w", "0.3", "-q", "1", TO, status=1)
    check("late, of hop 1: %s" % R1 in text, text)
    mimic.answer = lambda probe: [expired(probe, R1)] * 3
    text = srtrace(mimic, "-m", "1", "-q", "2", TO, status=1)
    # Those of the last one may come too late to be counted.
    check("(2 more copies)" in text and
          re.search(r"^came more than once: [2-4] replies$", text, re.M), text)
    check(verdict(mimic, "-m", "1", "-q", "2", TO, status=1)[0]["copies"] in (2, 3, 4),
          "in JSON")


@test("srtrace: a type of service that is rewritten on the way is shown")
def rewritten_tos():
    def answer(probe):
        ttl = Packet(probe).ttl
        quote = put(put(probe, 1, b"\x28" if ttl > 1 else probe[1:2]), 8, b"\1")
        return [expired(quote, "10.221.1.%d" % ttl)]
    mimic = Mimic(answer)
    text = srtrace(mimic, "-t", "184", "-m", "3", TO, status=1)
    equal([line.count("[TOS 40 in the quote]") for line in text.splitlines()[1:4]],
          [0, 1, 1], text)
    _, probes = verdict(mimic, "-t", "184", "-m", "2", TO, status=1)
    equal([(one["quoted_ttl"], one["quoted_tos"]) for one in probes],
          [(1, 184), (1, 40)], "JSON")


@test("srtrace: two runs with the same process id do not take each other's replies")
def same_process():
    mimic = Mimic()
    srtrace(mimic, "-m", "1", "-w", "0.1", "-q", "1", TO, status=1)
    srtrace(mimic, "-m", "1", "-w", "0.1", "-q", "1", TO, status=1)
    first, second = (Packet(probe).payload for probe in mimic.seen[:2])
    check(first[4:6] != second[4:6] or first[8:12] != second[8:12],
          "both are known by " + first.hex())
    old = mimic.seen[0]
    mimic.answer = lambda probe: [echo_reply(old)]
    equal(verdict(mimic, "-m", "1", TO, status=1)[0]["verdict"], "not reached",
          "an answer to another run")


def took(lines):
    return lines[-1]["time"] - lines[0]["time"]


@test("srtrace: twelve hops with losses in less than 3 s, three probes a hop and not "
      "one more")
def quick():
    mimic = Mimic(chain_of(11, lambda n: n % 13 == 0))
    lines = [json.loads(line) for line in
             srtrace(mimic, "-j", TO, status=0).splitlines()]
    check(took(lines) < 3, "%.2f s" % took(lines))
    ttls = [Packet(probe).ttl for probe in mimic.seen]
    equal(len([ttl for ttl in ttls if ttl <= 12]), 36, "probes to hops that there are")
    # Until the destination has answered, nobody knows that there is no hop 13.
    check(len(ttls) <= 36 + 5, "%d probes" % len(ttls))


@test("srtrace: every line of JSON is as the schema says")
def schema():
    schema = json.loads(SCHEMA.read_text())
    mimic = Mimic(chain_of(4, lambda n: n % 5 == 0))
    lines = []
    for words in ([TO], ["-U", TO], ["-g", G, TO], ["--loop", G],
                  ["--flows", TO], ["--mtu", TO],
                  ["--record", TO], ["--aliases", G, R2], ["--probe", "-"]):
        lines += srtrace(mimic, "-j", "-w", "0.2", *words, input=G,
                         status=None).splitlines()
    check(len(lines) > 40, "only %d lines" % len(lines))
    for line in map(json.loads, lines):
        jsonschema.validate(line, schema)
    wrong = dict(json.loads(lines[-1]), verdict="perhaps")
    try:
        jsonschema.validate(wrong, schema)
    except jsonschema.ValidationError:
        return
    ktap.fail("the schema takes anything")


@test("srtrace: silence is given up after a gap; a gateway that does not forward is "
      "known in seconds")
def silence():
    mimic = Mimic(lambda probe: [expired(probe, R1)] if Packet(probe).ttl == 1
                  else [expired(probe, G)] if Packet(probe).ttl == 2 else [])
    text = srtrace(mimic, "-w", "0.5", TO, status=1)
    check("5 silent hops in a row" in text, text)
    equal(len(text.splitlines()), 1 + 2 + 5 + 1, "lines")
    lines = [json.loads(line) for line in srtrace(
        mimic, "-j", "-w", "0.5", "--loop", G, status=1).splitlines()]
    check(took(lines) < 5, "%.2f s" % took(lines))
    text = srtrace(mimic, "-w", "0.5", "--loop", G, status=1)
    check("nothing is heard from behind the gateway" in text and
          "turns here" not in text, text)


@test("srtrace: a silent first hop of the way back is not counted as out")
def silent_back():
    def answer(probe):
        ttl = Packet(probe).ttl
        gone = ip(HOST, HOST, lsrr(R2, ptr=8), ttl=ttl, proto=ICMP,
                  ident=Packet(probe).ident, payload=Packet(probe).payload)
        return {1: [expired(probe, R1)], 2: [expired(probe, G)], 3: [],
                4: [expired(gone, R1)]}.get(ttl, [returned(probe, R2)])
    mimic = Mimic(answer)
    end, _ = verdict(mimic, "--loop", G, status=0)
    equal((end["out"], end["back"]), ([R1, G], [None, R1]), "ways")
    check("2 hops out, 2 back" in srtrace(mimic, "-w", "0.3", "--loop", G), "text")


@test("srtrace: out to a gateway and back: two ways that differ are marked")
def ways_differ():
    def answer(probe, back=STRANGER):
        ttl = Packet(probe).ttl
        gone = ip(HOST, HOST, lsrr(R2, ptr=8), ttl=ttl, proto=ICMP,
                  ident=Packet(probe).ident, payload=Packet(probe).payload)
        return {1: [expired(probe, R1)], 2: [expired(probe, G)],
                3: [expired(gone, back)]}.get(ttl, [returned(probe, R2)])
    mimic = Mimic(answer)
    text = srtrace(mimic, "--loop", G, status=0)
    check("ms  !" in text and "! the ways differ" in text, text)
    for most in "1", "2", "3":
        end, _ = verdict(mimic, "-m", most, "--loop", G, status=1)
        equal((end["verdict"], end["reason"]), ("not returned", "no hop left"), most)
    mimic.answer = lambda probe: answer(probe, R1)
    text = srtrace(mimic, "--loop", G, status=0)
    check("!" not in text, text)


@test("srtrace: a thousand gateways at a thousand a second: all that forward are seen; "
      "behind loss they are asked again")
def many():
    gateways = ["10.224.%d.%d" % (i // 250, 1 + i % 250) for i in range(1000)]
    lossy = [0]

    def answer(probe):
        lossy[0] += 1
        return [returned(probe, R2)] if lossy[0] % 3 else []
    mimic = Mimic(lambda probe: [returned(probe, R2)])
    text = srtrace(mimic, "-r", "1000", "--probe", "-",
                   input="\n".join(gateways), status=0)
    check("1000 of 1000 forward" in text, text[-200:])
    mimic.answer = answer
    text = srtrace(mimic, "-r", "1000", "-q", "8", "-w", "0.3", "--probe", "-",
                   input="\n".join(gateways[:100]), status=0)
    check("100 of 100 forward" in text, text[-200:])


@test("srtrace: gateways without a route are told of, and the others asked")
def no_route():
    mimic = Mimic(lambda probe: [returned(probe, R2)])
    mimic.host.ip("route add unreachable 10.225.0.0/24")
    text = srtrace(mimic, "-r", "1000", "--probe", "-",
                   input="10.225.0.1\n%s\n" % G, status=0)
    check("unsent" in text and "1 of 2 forward" in text and "1 unknown" in text,
          text)


if __name__ == "__main__":
    ktap.main()
