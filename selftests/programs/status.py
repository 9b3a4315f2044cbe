#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srcroute-status: what it says is what the kernel says (S, Interface). The topology is
drawn in lib/standard.py.
"""

import json
import os
import subprocess
import time

from lib import ktap
from lib.ktap import check, equal, test
from lib.netns import sh
from lib.nft import nft
from lib.packet import ip, lsrr, ssrr
from lib.standard import A, FAR, SRC, StandardBench
from lib.status import PROGRAM, PROGRAMS, TOP, check_schema
from srcroute_status import obstacles, status, system

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)


def call(*words, user=None):
    """(exit status, output, what it complains of) of the program."""
    before = ["setpriv", "--reuid", str(user), "--clear-groups"] if user else []
    with bench.router:
        done = subprocess.run(before + [PROGRAM, *words], text=True, timeout=300,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr


def gather(*args):
    """The document, made in this process: a program takes long to start."""
    with bench.router:
        document = status.gather(system.System(), *args)
    check_schema(document, "status")
    return document


def kinds(document, interface="a"):
    """{kind: severity} of the obstacles of an interface, and of those of all."""
    return {one["kind"]: one["severity"] for one in document["obstacles"]
            if one["interface"] in ("", interface)}


def screen(document):
    return status.screen(document)


@test("Interface, S: srcroute-status shows settings and counters as /proc has them, as "
      "JSON by its schema, for everyone")
def as_nobody():
    bench.exchange("a", ip(SRC, A, lsrr(FAR)), ip(SRC, A, lsrr("127.0.0.1")))
    bench.configure("net.ipv4.srcroute.conf.b.ssrr", 3)
    bench.configure("net.ipv4.srcroute.conf.b.mark", 256)
    code, text, complaint = call("-j", user=65534)
    equal((code, complaint), (0, ""), "exit status, complaint")
    document = json.loads(text)
    check_schema(document, "status")
    shown = {(one["name"], counter): value for one in document["interfaces"]
             for counter, value in one["counters"].items()}
    equal(shown, bench.router.counters(), "counters")
    for one in document["interfaces"]:
        for key, value in one["settings"].items():
            equal(str(value), bench.router.sysctl("net.ipv4.srcroute.conf.%s.%s" % (
                one["name"], key)), "%s of %s" % (key, one["name"]))
    equal((document["kernel"], document["module"]), (
        os.uname().release, bench.router.run("cat /sys/module/nf_srcroute/version"
                                             ).strip()), "versions")
    meaning = next(one["meaning"] for one in document["interfaces"]
                   if one["name"] == "b")
    check("Loose routes are forwarded, strict ones dropped, counted and answered with "
          "ICMP 3/13." in meaning and "mark 0x100" in meaning, meaning)
    check([one for one in document["unread"] if one["what"] == "rules of nftables"],
          "rules read by nobody: %s" % document["unread"])


@test("S: ... refusals by reason, with the sentence of the module, and rates")
def refusals():
    def asleep(seconds):
        equal(seconds, 7, "seconds")
        bench.exchange("a", *[ip(SRC, A, lsrr("127.0.0.1"))] * 30, ip(SRC, A, lsrr(FAR)))
        time.sleep(.5)

    bench.exchange("a", ip(SRC, A, lsrr("127.0.0.1")))
    before = bench.router.counters()["a", "bad_next"]
    document = gather(7, asleep)
    one = next(one for one in document["refusals"]
               if (one["interface"], one["outcome"]) == ("a", "bad_next"))
    equal((one["count"], one["icmp"], one["sentence"]), (
        before + 30, "3/5", "next address is not that of one host"), "refusal")
    wanted = 30 / document["seconds"]
    check(abs(one["rate"] - wanted) <= .2 * wanted + .1, "rate %s in %s s" % (
        one["rate"], document["seconds"]))
    text = screen(document)
    check("bad_next" in text and "%.1f/s" % one["rate"] in text and
          "next address is not that of one host (ICMP 3/5)" in text, text)
    document = gather()
    check("seconds" not in document and "rate" not in document["refusals"][0] and
          "/s " not in screen(document), "rates without -w")


def appears(kind, severity, cause, *args, interface="a"):
    """It is not there, and is there once it has a cause."""
    before = kinds(gather(), interface)
    check(kind not in before, "%s before its cause" % kind)
    cause(*args)
    document = gather()
    equal(kinds(document, interface).get(kind), severity, kind)
    text = next(one["text"] for one in document["obstacles"] if one["kind"] == kind)
    check(text in screen(document), screen(document))
    return document


@test("Interface: ... what stands in the way: no forwarding, rp_filter, "
      "accept_source_route, nonlocal, an interface that is down, all off")
def in_the_way():
    for key in "conf.all.accept_source_route", "conf.a.accept_source_route":
        bench.configure("net.ipv4." + key, 1)
    equal(kinds(gather()), {}, "obstacles")
    equal(call()[0], 0, "exit status")
    for key, value, kind, severity in (
            ("conf.a.forwarding", 0, "forwarding", "stops"),
            ("conf.all.rp_filter", 1, "rp_filter", "may"),
            ("conf.a.accept_source_route", 0, "accept_source_route", "may"),
            ("srcroute.conf.a.nonlocal", 0, "nonlocal", "may")):
        appears(kind, severity, bench.configure, "net.ipv4." + key, value)
        bench.router.sysctl("net.ipv4." + key, int(not value))
    # Loose: what counts is the larger of the two.
    bench.configure("net.ipv4.conf.all.rp_filter", 1)
    bench.configure("net.ipv4.conf.a.rp_filter", 2)
    check("rp_filter" not in kinds(gather()), "rp_filter 2 stands in the way")
    bench.router.ip("link add name low type dummy")
    ktap.cleanup(bench.router.ip, "link del dev low")
    bench.configure("net.ipv4.srcroute.conf.low.lsrr", 1)
    equal(kinds(gather(), "low"), {"down": "may"}, "down")
    equal(call()[0], 0, "exit status")
    bench.configure("net.ipv4.conf.b.forwarding", 0)
    equal(call()[0], 1, "exit status")
    bench.set(lsrr=2, ssrr=0)
    ktap.cleanup(lambda: bench.set(lsrr=1, ssrr=1))
    document = gather()
    equal(kinds(document), {"all_off": "stops"}, "obstacles")


@test("H4: ... and what the remedy says removes it: forwarding")
def remedy():
    bench.configure("net.ipv4.conf.a.forwarding", 0)
    out = bench.exchange("a", ip(SRC, A, lsrr(FAR)))
    check("b" not in out, "forwarded")
    document = gather()
    command = next(one["remedy"] for one in document["obstacles"]
                   if one["kind"] == "forwarding")
    bench.router.run(command)
    check("b" in bench.exchange("a", ip(SRC, A, lsrr(FAR))), "not forwarded")
    check("forwarding" not in kinds(gather()), "still in the way")


RULES = {
    "ip option lsrr exists drop": "IP option lsrr",
    "iifname \"a\" ip option ssrr exists counter reject": "IP option ssrr",
    "ip hdrlength > 5 drop": "length of the header",
    "ct state untracked drop": "untracked",
    "ip protocol udp jump deep": "IP option lsrr",
}


def chain(rules, policy="accept", hook="prerouting"):
    """nft finds an option in FORWARD only while its pointer is 4."""
    nft(bench.router, "table ip t {\nchain deep {\nip option lsrr exists drop\n}\n"
        "chain f {\ntype filter hook %s priority 0\npolicy %s\n%s\n}\n}\n" % (
            hook, policy, "ip protocol 253 accept\n" + rules))  # the bench's markers


def no_table():
    bench.router.run("nft delete table ip t || :")


@test("C1: ... rules that drop source routes, and none that do not")
def firewall():
    ktap.cleanup(no_table)
    for rule, word in RULES.items():
        document = appears("firewall", "may", chain, rule)
        text = next(one["text"] for one in document["obstacles"]
                    if one["kind"] == "firewall")
        check(word in text and "ip t " in text, text)
        # It does what is said of it.
        out = bench.exchange("a", ip(SRC, A, lsrr(FAR)), ip(SRC, A, ssrr("10.2.0.2")))
        check(len(out.get("b", ())) < 2, "nothing was dropped by " + rule)
        no_table()
    for rules, policy in (("ct state invalid drop; ip saddr 10.8.0.0/16 drop", "accept"),
                          ("ip hdrlength > 5 accept", "drop"),
                          ("ct state untracked accept", "drop"),
                          ("ip option rr exists drop", "accept")):
        chain(rules, policy, "forward")
        check("firewall" not in kinds(gather()), "%s stands in the way" % rules)
        check("b" in bench.exchange("a", ip(SRC, A, lsrr(FAR))), rules)
        no_table()
    appears("firewall", "may", chain, "ct state established,related accept", "drop",
            "forward")
    check("b" not in bench.exchange("a", ip(SRC, A, lsrr(FAR))), "not dropped")


@test("O5: ... a bridge, its ports, and a VRF")
def masters():
    bench.router.run("ip link add name br0 up type bridge")
    ktap.cleanup(bench.router.ip, "link del dev br0")
    bench.configure("net.ipv4.srcroute.conf.br0.lsrr", 1)
    bench.router.ip("link add name port up type dummy", "link set dev port master br0")
    ktap.cleanup(bench.router.ip, "link del dev port")
    bench.configure("net.ipv4.srcroute.conf.port.lsrr", 1)
    document = gather()
    equal(kinds(document, "port").get("bridge_port"), "stops", "bridge_port")
    check("bridge_port" not in kinds(document), "a is no port of a bridge")
    if bench.nf_call(1):
        equal(kinds(gather(), "br0").get("br_netfilter"), "stops", "br_netfilter")
    bench.nf_call(0)
    check("br_netfilter" not in kinds(gather(), "br0"), "br_netfilter is off")
    bench.router.run("ip link add name red up type vrf table 100")
    ktap.cleanup(bench.router.ip, "link del dev red")
    bench.configure("net.ipv4.srcroute.conf.red.lsrr", 1)
    equal(kinds(gather(), "red").get("vrf"), "may", "vrf")


@test("Interface: ... an interface for which there was no memory, and no module at all")
def without():
    path = bench.router.run("mktemp").strip()
    ktap.cleanup(os.unlink, path)
    with bench.router.open("/proc/net/srcroute") as counters, open(path, "w") as file:
        file.write("".join(line for line in counters if not line.startswith("c ")) +
                   "c unavailable 1\n")
    old, system.COUNTERS = system.COUNTERS, path
    ktap.cleanup(setattr, system, "COUNTERS", old)
    document = gather()
    equal(kinds(document, "c").get("unavailable"), "stops", "unavailable")
    equal([one["available"] for one in document["interfaces"] if one["name"] == "c"],
          [False], "available")
    check("no memory" in screen(document), screen(document))
    system.COUNTERS = path + ".none"
    document = gather()
    equal((document["loaded"], document["interfaces"], kinds(document)),
          (False, [], {"not_loaded": obstacles.STOPS}), "without a module")
    check("nf_srcroute is not loaded" in screen(document), screen(document))


WRONG = {"-w 0": "seconds", "-w x": "seconds", "-w": "-w", "--none": "--none",
         "word": "word"}


@test("S: ... a wrong command line is one sentence and exit status 2")
def wrong():
    for words, said in WRONG.items():
        code, text, complaint = call(*words.split())
        equal((code, text), (2, ""), words)
        check(complaint.startswith("srcroute-status: ") and said in complaint and
              complaint.count("\n") == 1 and "Traceback" not in complaint, complaint)


@test("S: ... installed, it has completion and the version of the package")
def installed():
    home = sh("mktemp -d").strip()
    ktap.cleanup(sh, "rm -r " + home)
    sh("make -s -C %s/srcroute_status install DESTDIR=%s" % (PROGRAMS, home))
    with open(os.path.join(TOP, "debian/changelog")) as file:
        version = file.readline().split("(")[1].split(")")[0]
    equal(sh([home + "/usr/bin/srcroute-status", "--version"]).strip(),
          "srcroute-status " + version, "version")
    completed = sh(["bash", "-c", "source %s/usr/share/bash-completion/completions/"
                    "srcroute-status; COMP_WORDS=(srcroute-status --); COMP_CWORD=1; "
                    "_srcroute_status; echo ${COMPREPLY[*]}" % home]).split()
    shown = sh([home + "/usr/bin/srcroute-status", "--help"])
    for word in completed:
        check(word in shown, "completes %s, which there is not" % word)
    for word in shown.split():
        if word.startswith("--"):
            check(word.strip(",.:;]") in completed, "does not complete " + word)


if __name__ == "__main__":
    ktap.main(bench.close)
