#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""srconform on VLANs: with interfaces of the tester's machine for them and without, on
two cables and on one, with tags that the card puts in and takes out and with tags in
the frame. The device is this machine's kernel.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "../../scripts/programs")
sys.path.insert(0, PROGRAMS)

from lib import ktap  # noqa: E402
from lib.ktap import check, equal, test  # noqa: E402
from srconform import config  # noqa: E402
from srconform.lab import Lab  # noqa: E402
from srconform.plan import Plan  # noqa: E402

PROGRAM = os.path.join(PROGRAMS, "srconform/srconform")
# Each kind of answer: forwarded, by the other side, an error, a reply, pieces, a burst.
SOME = "H1,H2,H8,H11,H31,T1,R1,S1,L1,L4,E2,E41,F14,F20,V1,B1,O10"
CABLE = ("ip link add name jx type veth peer name jy", "ip link set jx up",
         "ip link set jy up")


def offloads(cable, on):
    """Whether the card puts tags in and takes them out, at both ends."""
    for lab, name in cable:
        done = subprocess.run(["ip", "netns", "exec", lab, "ethtool", "-K", name, "txvlan",
                               on, "rxvlan", on], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False)
        equal(done.returncode, 0, "ethtool of " + name)


class Tagged(Lab):
    """The device's interfaces are VLAN 10 and VLAN 20, of the in cable both or each
    of its own one."""

    def __init__(self, one_cable=False, offload="on"):
        super().__init__(Plan())
        self.cables, self.offload = ("in", "in" if one_cable else "out"), offload
        self.lacking = False

    def _make(self):
        names = ["%s.%d" % pair for pair in zip(self.cables, (10, 20))]
        lines = config.linux(self.plan, names)
        self.kernel, self.lacking = False, True
        super()._make()
        offloads([(self.dut, "in"), (self.dut, "out"), (self.tester, "jin"),
                  (self.tester, "jout")], self.offload)
        try:
            for cable, name in zip(self.cables, names):
                self.inside(self.dut, "ip", "link", "set", cable, "mtu", "1500", "up")
                self.inside(self.dut, *("ip link add link %s name %s type vlan id %s" % (
                    cable, name, name[-2:])).split())
        except OSError:
            return
        self.lacking = False
        for line in lines:
            self.inside(self.dut, *line.replace("sysctl -w", "sysctl -qw").split(),
                        check="icmp_msgs" not in line)

    def outcomes(self, *ports, select=SOME, command="run", dut=()):
        """{case: outcome} by these interfaces of the tester; or what check says."""
        ends = [word for pair in zip(("--in", "--out"), ports) for word in pair]
        with tempfile.NamedTemporaryFile() as file:
            words = ["-q", "--select", select, "-j", file.name] if command == "run" else []
            done = subprocess.run(
                ["ip", "netns", "exec", self.tester, PROGRAM, command, *ends, *dut, *words],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            if command != "run":
                return done.returncode
            equal(done.returncode, 0, done.stdout)
            return {row["id"]: row["outcome"] for row in json.load(file)["cases"]}


def lab(**options):
    """One with VLANs, or no test."""
    usual()  # a lab has this process's number in its name: one at a time
    one = Tagged(**options)
    one.__enter__()
    ktap.cleanup(one.__exit__)
    if one.lacking:
        ktap.lacks("VLAN devices")
    return one


@functools.cache
def usual():
    """The outcomes without a VLAN."""
    with Lab() as plain, tempfile.NamedTemporaryFile() as file:
        subprocess.run(["ip", "netns", "exec", plain.tester, PROGRAM, "run", "--in", "jin",
                        "--out", "jout", "-q", "--select", SOME, "-j", file.name],
                       stdout=subprocess.DEVNULL, check=False)
        return {row["id"]: row["outcome"] for row in json.load(file)["cases"]}


def alike(one, *ports):
    equal(one.outcomes(*ports), usual(), "outcomes by %s" % " and ".join(ports))


@test("Judge: VLANs that the tester's machine does not know, tags offloaded")
def unknown():
    one = lab()
    alike(one, "jin.10", "jout.20")
    equal(one.outcomes("jin.11", "jout.20", command="check"), 4, "another VLAN")
    equal(one.outcomes("jin", "jout", command="check"), 4, "without a tag")


@test("Judge: VLANs that the tester's machine does not know, tags in the frame")
def in_the_frame():
    alike(lab(offload="off"), "jin.10", "jout.20")


@test("Judge: VLANs that are interfaces of the tester's machine")
def known():
    one = lab()
    for line in ("ip link add link jin name jin.10 type vlan id 10", "ip link set jin.10 up"):
        one.inside(one.tester, *line.split())
    alike(one, "jin.10", "jout.20")


for _offload in "on", "off":
    @test("Judge: both VLANs on one cable, offloads %s" % _offload)
    def one_cable(offload=_offload):
        alike(lab(one_cable=True, offload=offload), "jin.10", "jin.20")


@test("Judge: one interface alone, which is a VLAN")
def one_interface():
    one = lab()
    plan = Plan(["192.0.2.1"], single=True)
    for line in ("ip addr flush dev out.20", "ip addr flush dev in.10",
                 *[line for line in config.linux(plan, ["in.10"]) if "sysctl" not in line]):
        one.inside(one.dut, *line.split())
    found = one.outcomes("jin.10", select="H1,H8,R1,L4,C28", dut=("--dut", "192.0.2.1"))
    equal(set(found.values()), {"conforms"}, "%s" % found)


TAGS = """
import socket, sys, time
sys.path.insert(0, %r)
from srconform.port import Port
near, far, other = [Port(name) for name in ("jx.10", "jy.10", "jy")]
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
raw.bind(("jx", 3))
def came(port):
    time.sleep(0.1)
    found = []
    while True:
        got = port.receive()
        if not got:
            return found
        if got[3] not in (0x86dd, 0x0806):
            found.append(got[3:])
head, body = b"\\xff" * 6 + b"\\2" * 6, b"tagged".ljust(46)
near.send(b"\\xff" * 6, b"\\2" * 6, 0x88b5, body)
assert came(far) == [(0x88b5, body)], "tagged"
assert came(other) == [], "tagged, for who has no tag"
for tags, mine, untagged in (
        ("", False, True), ("8100 0000", False, True), ("8100 e00a", True, False),
        ("8100 000b", False, False), ("88a8 000a", False, False),
        ("8100 000b 8100 000a", False, False), ("88a8 000b 8100 000a", False, False),
        ("8100 000a 8100 000b", False, False)):
    raw.send(head + bytes.fromhex(tags) + b"\\x88\\xb5" + body)
    got = [pair for pair in came(far) if pair[0] == 0x88b5]
    assert got == [(0x88b5, body)] * mine, (tags, got)
    got = [pair for pair in came(other) if pair[0] == 0x88b5]
    assert got == [(0x88b5, body)] * untagged, (tags, got)
"""


@test("Judge: a tag is put in and taken out; frames of other VLANs, of two tags and of "
      "another kind of tag are left out")
def tags():
    with Lab() as bare:
        for line in CABLE:
            bare.inside(bare.tester, *line.split())
        for on in "on", "off":
            offloads([(bare.tester, "jx"), (bare.tester, "jy")], on)
            done = subprocess.run(["ip", "netns", "exec", bare.tester, sys.executable, "-c",
                                   TAGS % PROGRAMS], text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
            check(done.returncode == 0 and not done.stdout,
                  "offloads %s: %s" % (on, done.stdout))


if __name__ == "__main__":
    usual()
    ktap.main(beside=len(os.sched_getaffinity(0)) * 4)
