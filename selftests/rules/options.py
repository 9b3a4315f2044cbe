#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What is wrong with the options of a datagram, and what its source is told:
V1 to V5, O4. The topology is drawn in lib/standard.py.
"""

from lib import ktap, packet
from lib.ktap import equal, test
from lib.packet import edit, ip, lsrr, ssrr
from lib.standard import (A, B, FAR, SRC, StandardBench, expect,
                          expect_error, expect_nothing)

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)

OWN, TRANSIT = A, "10.9.5.5"


def refused(options, octet, *, dst=OWN, padded=True):
    """ICMP 12/0 that blames an octet of the options; the counter moves."""
    sent = ip(SRC, dst, options) if padded else raw(dst, options)
    bench.moved()
    expect_error(bench.exchange("a", sent), 12, 0, sent, pointer=20 + octet)
    equal(bench.moved(), {"received": 1, "bad_option": 1}, "counters")


def raw(dst, options):
    """Options that fill their area, so that no padding is added."""
    equal(len(options) % 4, 0, "octets of options")
    return ip(SRC, dst, options)


def not_owned(options, dst=OWN):
    """Left to the kernel, which has accept_source_route off: no trace in our
    counters. Whatever the kernel does with it is its business."""
    bench.moved()
    bench.exchange("a", ip(SRC, dst, options))
    equal(bench.moved(), {}, "counters")


def owned(options, outcome, dst=OWN):
    """... as it is not where what hides the source route is not there."""
    bench.moved()
    equal(list(bench.exchange("a", ip(SRC, dst, options))), ["b"], "links")
    equal(bench.moved(), {"received": 1, outcome: 1}, "counters")


@test("V1: an option without a length octet: its type octet is blamed")
def no_length():
    for dst in OWN, TRANSIT:
        refused(lsrr(FAR) + b"\x07", 7, dst=dst, padded=False)
        refused(b"\1\1\1\x83", 3, dst=dst, padded=False)


@test("V1: a length of 0 or 1: the length octet is blamed")
def short_length():
    for dst in OWN, TRANSIT:
        for length in 0, 1:
            refused(lsrr(FAR) + bytes([7, length]), 8, dst=dst)
            refused(lsrr(FAR, length=length), 1, dst=dst)


@test("V1: a length that runs past the header: the length octet is blamed")
def long_length():
    refused(lsrr(FAR) + b"\x07\x07\x04\0\0", 8, padded=False)
    refused(lsrr(FAR, length=12) + b"\1", 1, padded=False)
    refused(lsrr(FAR, length=255), 1)


@test("V2: a second source route of either type: its type octet is blamed")
def second_route():
    for dst in OWN, TRANSIT:
        refused(lsrr(FAR) + lsrr(FAR), 7, dst=dst)
        refused(lsrr(FAR) + ssrr(FAR), 7, dst=dst)
        refused(ssrr(FAR) + b"\1" + lsrr(FAR), 8, dst=dst)
    refused(lsrr(FAR, ptr=8) + lsrr(FAR, length=0), 7)


@test("V3: a source route not of whole slots: the length octet is blamed")
def broken_length():
    for length in 2, 4, 5, 6, 8, 9, 10:
        refused(lsrr(FAR, "10.9.0.2", length=length), 1)
        refused(b"\1" + ssrr(FAR, "10.9.0.2", length=length), 2)
    refused(lsrr(FAR, "10.9.0.2", length=6), 1, dst=TRANSIT)


@test("V3: an empty source route of three octets is sound")
def empty_route():
    sent = ip(SRC, TRANSIT, lsrr())
    expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})


@test("V4: a pointer below 4 or off the slots: the pointer octet is blamed")
def broken_pointer():
    for ptr in (0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 253, 254, 255):
        refused(lsrr(FAR, "10.9.0.2", ptr=ptr), 2)
    refused(b"\1\1" + ssrr(FAR, ptr=6), 4)
    refused(lsrr(FAR, ptr=9), 2, dst=TRANSIT)


@test("V4: a pointer far beyond the end is sound: the route is complete")
def pointer_far_beyond():
    for ptr in 8, 12, 252:
        sent = ip(SRC, TRANSIT, lsrr(FAR, ptr=ptr))
        expect(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]})


@test("V5: another malformed option: the octet that the kernel blames")
def other_options():
    for other, octet in (
            (bytes([packet.RR, 3, 3]), 2),  # pointer below 4
            (bytes([packet.RR, 2]), 1),  # no pointer
            (bytes([packet.RR, 6, 4, 0, 0, 0]), 2),  # half a slot
            (packet.record(1) + packet.record(1), 7),  # two of them
            (bytes([packet.TS, 3, 5]), 1),  # no flags
            (bytes([packet.TS, 8, 4, 0, 0, 0, 0, 0]), 2),  # pointer
            (bytes([packet.RA, 3, 0]), 1)):  # too short
        for dst in OWN, TRANSIT:
            sent = ip(SRC, dst, lsrr(FAR) + other)
            bench.moved()
            out = bench.exchange("a", sent)
            error = packet.Error(out["a"][0])
            equal((error.type, error.code, error.pointer),
                  (12, 0, 27 + octet), "error for " + other.hex(" "))
            equal(error.quote.hex(" "), sent.hex(" "), "quote")
            equal(bench.moved(), {"received": 1, "bad_option": 1}, "counters")


@test("V5: holds for a complete datagram for us as well")
def other_options_complete():
    sent = ip(SRC, OWN, lsrr(FAR, ptr=8) + bytes([packet.RR, 3, 3]))
    expect_error(bench.exchange("a", sent), 12, 0, sent, pointer=29)


@test("V1, V5: faults are told in octet order, the kernel's own come last")
def order_of_faults():
    refused(bytes([packet.RR, 3, 3]) + lsrr(FAR, ptr=5), 5)
    refused(lsrr(FAR, length=6, ptr=5) + b"\x83", 1)
    refused(lsrr(FAR, ptr=5) + lsrr(FAR), 2)


@test("O4: a fault ahead of the first source route leaves it to the kernel")
def fault_first():
    not_owned(b"\x07\x00\1\1" + lsrr(FAR))
    not_owned(b"\x07\xff\1\1" + lsrr(FAR))
    not_owned(b"\x07\x01\1\1" + lsrr(FAR), dst=TRANSIT)
    owned(b"\x07\x03\4\1" + lsrr(FAR), "hop")
    owned(b"\x07\x03\4\1" + lsrr(FAR), "transit", dst=TRANSIT)


@test("O4: a source route behind End of Options is none")
def route_in_padding():
    not_owned(b"\0" + lsrr(FAR))
    not_owned(b"\1\0\1" + lsrr(FAR), dst=TRANSIT)
    owned(b"\1" + lsrr(FAR), "hop")
    owned(b"\1\1\1" + lsrr(FAR), "transit", dst=TRANSIT)


@test("O4: octets that look like a source route inside another option are "
      "none")
def route_inside_option():
    inside = bytes([packet.RR, 11, 12]) + lsrr(FAR) + b"\0"
    not_owned(inside, dst=TRANSIT)
    owned(b"\1\1\1" + lsrr(FAR) + b"\0", "transit", dst=TRANSIT)


@test("H2: a broken option in a datagram from a martian gets no answer")
def martian_and_broken():
    bench.moved()
    sent = ip(B, OWN, lsrr(FAR, ptr=5))
    expect_nothing(bench.exchange("a", sent))
    equal(bench.moved(), {"received": 1, "bad_source": 1}, "counters")
    sent = edit(sent, src=SRC)
    expect_error(bench.exchange("a", sent), 12, 0, sent, pointer=22, src=OWN)


if __name__ == "__main__":
    ktap.main(bench.close)
