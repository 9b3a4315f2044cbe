#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a stranger gains: the bounds that SECURITY.md gives, measured.

    stranger ---- gw1 ---- gw2 ---- victim
            10.210.0   10.210.1   10.210.2
"""

import socket
import subprocess
import sys
import time

from lib import ktap, packet
from lib.chain import Chain, Node, Taps
from lib.ktap import check, equal, test
from lib.netns import wait_until
from lib.packet import ip, lsrr, ssrr
from lib.tracing import Log

STRANGER, GW1, VICTIM = "10.210.0.1", "10.210.0.2", "10.210.2.2"
LEFT, RIGHT = "10.210.1.1", "10.210.1.2"  # of the link that is bounced over
LONGEST = lsrr(*[RIGHT, LEFT] * 4, RIGHT)


def chain(**settings):
    made = Chain(Node("stranger", right=STRANGER + "/24"),
                 Node("gw1", GW1 + "/24", LEFT + "/24").ours(**settings),
                 Node("gw2", RIGHT + "/24", "10.210.2.1/24").ours(**settings),
                 Node("victim", VICTIM + "/24").accepting())
    ktap.cleanup(made.close)
    return made


def send(made, datagram):
    with made.nodes[0].ns:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW,
                           socket.IPPROTO_RAW) as raw:
            raw.sendto(datagram, (GW1, 0))


def crossings(made, counter):
    """How often a datagram with the longest bouncing route crosses the link
    between the gateways, once counter says that it has come to its end."""
    send(made, ip(STRANGER, GW1, LONGEST))
    gateways = [node.ns for node in made.nodes[1:3]]

    def total(name):
        return sum(value for ns in gateways for key, value in
                   ns.counters().items() if key[1] == name)
    wait_until(lambda: total(counter))
    equal(total(counter), 1, counter)
    return total("hop")


@test("H7, H1: a route of nine slots crosses a link nine times, not more")
def bounce():
    times = crossings(chain(), "local")
    print("# revisit 1: %d crossings for one datagram" % times)
    equal(times, 9, "crossings")


@test("Interface, H5: with revisit 0 on both gateways it crosses the link "
      "twice")
def no_bounce():
    times = crossings(chain(revisit=0), "revisit")
    print("# revisit 0: %d crossings for one datagram" % times)
    equal(times, 2, "crossings")


def answer(made, datagram):
    """The error that goes back to the stranger's link."""
    with Taps(made) as taps:
        send(made, datagram)
        return taps.next(0, lambda d: d[9] == packet.ICMP, rightward=False)


@test("I1, I2: an error is one, at most 28 octets longer than what it answers, "
      "and never longer than 576; a reversed route adds its own length")
def error_size():
    for settings, extra in ({}, 0), ({"reverse_errors": 1}, 8):
        made = chain(**settings)
        made.nodes[0].ns.ip("addr add 10.210.0.77/24 dev right")
        for size in 0, 100, 1000:
            sent = ip(STRANGER, GW1, lsrr("10.210.0.77", "127.0.0.1", ptr=8),
                      payload=packet.udp(b"x" * size))
            got = answer(made, sent)
            print("# %d octets are answered with %d" % (len(sent), len(got)))
            equal(len(got), min(len(sent) + 28 + extra, 576), "length")
        equal(made.nodes[1].ns.counters()["left", "bad_next"], 3, "bad_next")


@test("H2: who borrows the address of a host elsewhere is found out where "
      "rp_filter is strict")
def borrowed_source():
    made = chain()
    gw1 = made.nodes[1].ns
    gw1.sysctl("net.ipv4.conf.left.rp_filter", 1)
    for options in lsrr(VICTIM), ssrr(RIGHT, VICTIM):
        send(made, ip(VICTIM, GW1, options))
    wait_until(lambda: gw1.counters()["left", "received"] == 2)
    equal(gw1.counters()["left", "bad_source"], 2, "bad_source")
    equal(gw1.counters()["left", "hop"], 0, "hop")


# Of a user: a link with both ends in a namespace, and as much noise on it as there may be.
NOISE = """
import socket, subprocess, sys, time
subprocess.run(["ip", "-batch", "-"], check=True, text=True, input='''
link add name p0 up address 02:00:00:00:00:01 type veth peer name p1
link set dev p1 up
addr add 10.210.0.2/24 dev p0
''')
for path, value in ("conf/all/log_martians", 1), ("srcroute/conf/all/lsrr", 2):
    with open("/proc/sys/net/ipv4/" + path, "w") as file:
        file.write(str(value))
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("p1", 0))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(30):
    wire.send(bytes.fromhex("020000000001" "020000000002" "0800" + sys.argv[1]))
counters, tries = "", 200
while "p0 policy_drop 30\\n" not in counters and tries:
    time.sleep(.05)
    tries -= 1
    with open("/proc/net/srcroute") as file:
        counters = file.read()
print(counters)
"""
USERS = 8


def user_namespace(command):
    return ["unshare", "--user", "--map-root-user", "--net"] + command


@test("S: however many namespaces users make, they fill the kernel's log no faster than one")
def log_of_users():
    if subprocess.run(user_namespace(["true"]), stderr=subprocess.DEVNULL,
                      check=False).returncode:
        ktap.lacks("namespaces of users")
    sent = ip(STRANGER, GW1, lsrr(VICTIM))
    users = [subprocess.Popen(user_namespace([sys.executable, "-c", NOISE, sent.hex()]),
                              text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
             for _ in range(USERS)]
    for user in users:
        equal(user.stdout.readline(), "ready\n", "a user's namespace")
    log = Log()
    log.wait_for_limit()
    began = time.monotonic()
    for user in users:
        user.stdin.write("\n")
        user.stdin.flush()
    for user in users:
        check("p0 policy_drop 30\n" in user.communicate()[0], "not all were dropped")
    times = 1 + (time.monotonic() - began) // 5
    check(0 < len(log.lines()) <= 10 * times < 10 * USERS, "lines in the log")


if __name__ == "__main__":
    ktap.main()
