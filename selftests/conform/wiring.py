#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srconform on this machine's kernel: the wiring that it finds wrong, one interface,
and what it leaves behind.
"""

import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "../../scripts/programs")
sys.path.insert(0, PROGRAMS)

from lib import ktap, unprivileged  # noqa: E402
from lib.ktap import check, equal, test  # noqa: E402
from srconform.lab import Lab  # noqa: E402
from srconform.plan import Plan  # noqa: E402

PROGRAM = os.path.join(PROGRAMS, "srconform/srconform")


def conform(lab, *words, ports=("jin", "jout"), by=()):
    """(exit status, all that it says) of the program in the tester's namespace; by: the
    words of a command that runs it."""
    ends = [word for pair in zip(("--in", "--out"), ports) for word in pair]
    program = os.path.join(unprivileged.copied(os.path.dirname(PROGRAM)), "srconform") if by \
        else PROGRAM
    done = subprocess.run(["ip", "netns", "exec", lab.tester, *by, program, words[0],
                           *ends, *words[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def finds(commands, word, *, where="dut", ports=("jin", "jout")):
    """With these commands on the device, `check` ends with 4 and such a word."""
    with Lab() as lab:
        equal(conform(lab, "check")[0], 0, "before")
        for line in commands:
            lab.inside(getattr(lab, where), *line.split())
        code, said = conform(lab, "check", ports=ports)
    check(word in said, "no '%s' in: %s" % (word, said))
    equal(code, 4, "exit status")


@test("Judge: an address that nobody has is named")
def no_address():
    finds(["ip addr flush dev out"], "nobody answers ARP for 198.51.100.1")


@test("Judge: a second address that is missing is named")
def no_second_address():
    finds(["ip addr del 198.18.2.1/24 dev out"], "nobody does for 198.18.2.1")


@test("Judge: forwarding that is off is guessed at")
def no_forwarding():
    finds(["sysctl -qw net.ipv4.ip_forward=0"], "is forwarding on")


@test("Judge: a route that is missing is named, with what the device answers")
def no_route():
    finds(["ip route del 198.18.32.0/20"],
          "does not forward to 198.18.32.0/20 by 198.51.100.254: it answers ICMP 3/0")


@test("Judge: a route by another gateway is named")
def other_gateway():
    finds(["ip route replace 198.18.32.0/20 via 198.51.100.9"], "another gateway")


@test("Judge: interfaces that are swapped are told")
def swapped():
    finds([], "swapped", ports=("jout", "jin"))


@test("Judge: a cable that is out is told")
def no_cable():
    finds(["ip link set out down"], "nobody answers ARP", where="dut")


@test("Judge: two interfaces on one wire are told")
def one_wire():
    with Lab() as lab:
        for line in ("ip link add name jx type veth peer name jy", "ip link set jx up",
                     "ip link set jy up"):
            lab.inside(lab.tester, *line.split())
        code, said = conform(lab, "check", ports=("jx", "jy"))
    check("same wire" in said, said)
    equal(code, 4, "exit status")


@test("Judge: with one interface, what needs two is named, and the rest is judged")
def one_interface():
    plan = Plan(["192.0.2.1"], single=True)
    with Lab(plan) as lab, tempfile.NamedTemporaryFile() as file:
        code, said = conform(lab, "run", "--dut", "192.0.2.1", "-q", "--select",
                             "H1,H2,H6,H8,H9,H14,H31,R,C,F13", "-j", file.name, ports=("jin",))
        found = json.load(open(file.name))
    rows = {row["id"]: row for row in found["cases"]}
    equal(code, 0, "exit status: " + said)
    equal(rows["H1"]["outcome"], "conforms", "H1")
    equal((rows["H9"]["outcome"], rows["H9"]["why"]),
          ("not applicable", "needs a second interface (--out)"), "H9")
    judged = sum(row["outcome"] != "not applicable" for row in rows.values())
    check(judged > 50, "judged: %d" % judged)


@test("Judge: a device that forwards to where it has no route leaves those cases out")
def default_route():
    with Lab() as lab, tempfile.NamedTemporaryFile() as file:
        lab.inside(lab.dut, "ip", "route", "add", "default", "via", "198.51.100.254")
        lab.inside(lab.dut, "ip", "link", "set", "out", "mtu", "1500")
        conform(lab, "run", "-q", "--select", "H51,F13,H1", "-j", file.name)
        rows = {row["id"]: row for row in json.load(open(file.name))["cases"]}
    check("default route" in rows["H51"]["why"], rows["H51"]["why"])
    check("MTU" in rows["F13"]["why"], rows["F13"]["why"])
    equal(rows["H1"]["outcome"], "conforms", "H1")


@test("Judge: source routes that are off make deviations, and a warning before them")
def no_source_routes():
    with Lab(extra=["sysctl -w net.ipv4.conf.all.accept_source_route=0"]) as lab:
        code, said = conform(lab, "run", "--select", "H1,C28")
    check("WARNING: it does not forward a loose source route" in said, said)
    check("silent H1" in said, said)
    equal(code, 1, "exit status")


@test("Judge: CAP_NET_RAW is enough")
def one_capability():
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
              "--bounding-set=-all,+net_raw", "--inh-caps=-all,+net_raw",
              "--ambient-caps=-all,+net_raw", sys.executable]
    with Lab() as lab:
        code, said = conform(lab, "run", "-q", "--select", "H1,L1,E2", by=nobody)
        equal(code, 0, said)
        none = [word.replace(",+net_raw", "") for word in nobody]
        equal(conform(lab, "run", "-q", by=none)[0], 3, "without it")


@test("Judge: a device that limits its errors gets the same outcomes, and no more silence")
def limited_errors():
    outcomes = []
    for limit in [], ["sysctl -w net.ipv4.icmp_msgs_per_sec=5",
                      "sysctl -w net.ipv4.icmp_msgs_burst=2"]:
        with Lab(extra=limit) as lab, tempfile.NamedTemporaryFile() as file:
            conform(lab, "run", "-q", "--select", "L,T,E,V1,V9,V40", "-j", file.name)
            outcomes.append({row["id"]: row["outcome"]
                             for row in json.load(open(file.name))["cases"]})
    limit = outcomes[1].pop("E42")
    print("# E42: %s" % limit)
    if limit == "permitted choice":
        ktap.lacks("a limit on ICMP errors for each namespace")
    outcomes[0].pop("E42")
    equal(outcomes[1], outcomes[0], "outcomes")


def namespaces():
    """Those of this process; others may have labs at the same time."""
    found = os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
    return [name for name in found if "-%d-" % os.getpid() in name]


@test("Judge: a lab leaves no namespace behind, and uses no address of this machine")
def nothing_left():
    before = namespaces()
    with Lab() as lab:
        addresses = subprocess.run(
            ["ip", "-n", lab.tester, "-4", "-o", "addr"], stdout=subprocess.PIPE, text=True,
            check=True).stdout
        conform(lab, "run", "-q", "--select", "H1")
        equal(subprocess.run(["ip", "-n", lab.tester, "-4", "-o", "addr"], text=True,
                             stdout=subprocess.PIPE, check=True).stdout, addresses,
              "addresses of the tester")
        equal(len(namespaces()), 2, "namespaces during it")
    equal(addresses, "", "addresses before")
    equal(namespaces(), before, "namespaces")


if __name__ == "__main__":
    ktap.main(beside=len(os.sched_getaffinity(0)) * 4)
