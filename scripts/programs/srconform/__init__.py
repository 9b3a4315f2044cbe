# SPDX-License-Identifier: GPL-2.0-only
"""srconform: what a router does with IPv4 options, rule by rule.

    wire.py      octets of IPv4, ICMP, ARP and Ethernet: build and read
    plan.py      the addresses around the device under test, by short names
    option.py    options as data, with names for addresses
    case.py      what a case consists of
    cases/       the cases, a file for each family
    engine.py    what RFC 791, 792, 1122 and 1812 make of a datagram
    port.py      an interface of the tester: frames, VLAN tags, time stamps
    bed.py       every host, neighbour and gateway around the device
    wiring.py    is the device configured and connected as it is to be?
    tries.py     what is sent, and the line that it goes by
    runner.py    sends the cases, many at a time, and repeats them
    special.py   cases of many datagrams: bursts, order, limits, fuzz
    expected.py  a datagram as it ought to come out, and what differs
    verdict.py   one try of a case, then all of them: an outcome
    report/      the result for people and for programs
    session.py   a whole run; cli.py: the commands; lab.py: a device to try it on
    config.py, explain.py, diff.py: commands that need no device
"""

VERSION = "1.0"
