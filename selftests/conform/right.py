#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The device without a fault beside this machine's kernel, both with the same
addresses and routes:

    h 192.0.2.9            .1 device .1            198.51.100.9 h
    g 192.0.2.254, behind it 10.1/16           198.51.100.254 g, behind it 10.2/16

Where native Linux does otherwise than the RFCs or the contract, the device is held
to these, octet by octet.
"""

import os
import struct
import time

from around import Device, Native, end_at_signals
from lib import ktap
from lib.ktap import check, equal, test
from lib.packet import (ICMP, Error, Packet, addr, checksum, icmp_error, ip, lsrr,
                        quad, record, ssrr, timestamps, udp)
from tester import EVERYONE, Tester

DUT_IN, DUT_IN2, DUT_OUT = "192.0.2.1", "192.0.2.2", "198.51.100.1"
H_IN, G_IN, H_OUT, G_OUT = "192.0.2.9", "192.0.2.254", "198.51.100.9", "198.51.100.254"
FAR_IN, FAR_OUT, NOWHERE, SHUT = "10.1.0.1", "10.2.0.1", "10.3.0.1", "10.4.0.1"
ADDRESSES = [[DUT_IN + "/24", DUT_IN2 + "/24"], [DUT_OUT + "/24"]]
ROUTES = [("10.1.0.0/16", G_IN), ("10.2.0.0/16", G_OUT), ("10.4.0.0/16", "prohibit"),
          ("10.5.0.0/16", "blackhole"), ("203.0.113.0/24", G_IN)]
MTUS = 1500, 600


def start(kind):
    place = kind(ADDRESSES, ROUTES, mtus=MTUS)
    tester = Tester(place, (DUT_IN, DUT_OUT), (H_IN, H_OUT))
    for host in FAR_IN, FAR_OUT:
        tester.know(host)
    return place, tester


def hide(datagram):
    """Without what may differ: identification and time of the router's own, and the
    checksums over them, which are checked here."""
    got = Packet(datagram)
    check(got.sum_ok(), "checksum: %s" % got)
    head = bytearray(got.head)
    if got.proto == ICMP and got.ttl == 64 and not got.frag & 0x1FFF:
        equal(checksum(got.payload), 0, "checksum of ICMP of %s" % got)
        head[4:6] = b"\0\0"
    at = 20
    while at < len(head) and head[at]:
        if head[at] == 68:
            hide_times(head, at)
        at += 1 if head[at] == 1 else max(head[at + 1], 2)
    head[10:12] = b"\0\0"
    return bytes(head), got.payload


def now():
    """Milliseconds since midnight."""
    return struct.pack("!I", int(time.time() * 1000) % 86400000)


def hide_times(head, at):
    size = 4 if head[at + 3] & 15 == 0 else 8
    for slot in range(at + 4, at + head[at + 2] - 1, size):
        apart = int.from_bytes(now(), "big") - struct.unpack_from(
            "!I", head, slot + size - 4)[0]
        check(abs(apart) < 5000 or abs(apart) > 86395000, "time %d ms ago" % apart)
        head[slot + size - 4:slot + size] = bytes(4)


right, ours = start(Device)
native, theirs = start(Native)


def alike(*datagrams, outputs=1, **options):
    """Both do the same; how many datagrams come out, so that two that do nothing do
    not agree."""
    got, wanted = ([[hide(d) for d in side] for side in tester.exchange(
        *datagrams, **options)] for tester in (ours, theirs))
    equal(sum(map(len, wanted)), outputs, "outputs of native to %s" % Packet(datagrams[0]))
    for side, one, other in zip(("in", "out"), got, wanted):
        equal([(h.hex(" "), p.hex(" ")) for h, p in one],
              [(h.hex(" "), p.hex(" ")) for h, p in other], "side " + side)


def forwarded(datagram, **options):
    """What comes out of the far side of the device."""
    out = ours.exchange(datagram, **options)
    equal((len(out[0]), len(out[1])), (0, 1), "outputs")
    check(Packet(out[1][0]).sum_ok(), "checksum")
    return out[1][0]


def answered(datagram, kind, code, **options):
    """The ICMP error that the device sends back."""
    out = ours.exchange(datagram, **options)
    equal((len(out[0]), len(out[1])), (1, 0), "outputs")
    error = Error(out[0][0])
    check(error.sum_ok and error.packet.sum_ok(), "checksum")
    equal((error.type, error.code), (kind, code), "ICMP")
    return error


def silent(datagram, **options):
    equal(ours.exchange(datagram, **options), [[], []], "outputs")


@test("Device: ordinary datagrams leave as the kernel forwards them")
def ordinary():
    for to in H_OUT, FAR_OUT:
        for options in b"", b"\1\1\1\1", record(3), record(1, [H_IN]), \
                timestamps(0, 8), b"\x9e\4ab", b"\x88\4\0\1":
            alike(ip(H_IN, to, options, ttl=9, tos=0x5C, ident=77))
    alike(ip(H_IN, H_OUT, payload=b"", ttl=2))
    alike(ip(H_IN, H_OUT, payload=udp(b"odd"), frag=0x4000))
    alike(ip(H_IN, H_OUT, payload=b"later", frag=0x2003))
    alike(*[ip(H_IN, H_OUT, ident=i) for i in range(64)], outputs=64)


@test("Device: what has a prespecified timestamp is stamped if the address is its own")
def prespecified():
    for mine in DUT_IN, DUT_OUT, H_OUT:
        area = bytes([68, 20, 5, 3]) + addr(mine) + bytes(4) + addr(H_OUT) + bytes(4)
        alike(ip(H_IN, H_OUT, area))
    alike(ip(H_IN, H_OUT, bytes([68, 4, 5, 3])))


@test("Device: a full Timestamp option counts, until it can count no more")
def overflow():
    for count in 0, 14, 15:
        alike(ip(H_IN, H_OUT, bytes([68, 8, 9, count << 4]) + now()),
              outputs=1)


@test("Device: loose routes go as the kernel sends them, with every number of slots")
def loose():
    for slots in range(1, 10):
        alike(ip(H_IN, DUT_IN, lsrr(*[H_OUT] * slots)))
        alike(ip(H_IN, DUT_OUT, lsrr(*[FAR_OUT] * slots, ptr=4 * slots)))
    alike(ip(H_IN, DUT_IN, b"\1" + lsrr(FAR_OUT, H_OUT), ttl=2, tos=0x1C))
    alike(ip(H_IN, DUT_IN, lsrr(H_IN, H_OUT)))
    alike(ip(H_IN, DUT_IN, ssrr(H_OUT, FAR_OUT)))


@test("Device: ICMP errors about ordinary datagrams are the kernel's")
def errors():
    long = udp(bytes(range(256)) * 4)
    alike(ip(H_IN, H_OUT, ttl=1, payload=long))
    # Sources that have had no error yet: native limits those about routes by itself.
    alike(ip("10.1.0.2", NOWHERE, tos=0x1C))
    alike(ip("10.1.0.3", SHUT))
    alike(ip(H_IN, DUT_IN))
    alike(ip(H_IN, DUT_IN, payload=b"what", proto=200))
    alike(ip(H_IN, H_OUT, payload=long, frag=0x4000))
    alike(ip(H_IN, H_OUT, b"\x07\x07\x05" + bytes(5)))
    echo = icmp_error(8, 0, b"ping")
    alike(ip("10.1.0.4", NOWHERE, payload=echo, proto=ICMP))


@test("Device: ICMP errors about source routes take the way back that was recorded")
def errors_back():
    alike(ip(H_IN, DUT_IN, lsrr(G_IN, H_OUT, ptr=8), ttl=1))
    alike(ip(H_IN, DUT_IN, lsrr("10.1.0.7", G_IN, H_OUT, ptr=12), ttl=1))
    alike(ip(H_IN, DUT_IN, lsrr(H_OUT), ttl=1))
    alike(ip(H_IN, DUT_IN, lsrr(H_OUT), payload=udp(bytes(999)), frag=0x4000))


@test("Device: an echo is answered, by the way back of its route")
def echo():
    ping = icmp_error(8, 0, b"ping")
    alike(ip(H_IN, DUT_IN, payload=ping, proto=ICMP))
    alike(ip(H_IN, DUT_OUT, payload=ping, proto=ICMP, tos=0x10))
    alike(ip(H_IN, DUT_IN, lsrr("10.1.0.7", G_IN, ptr=12), payload=ping, proto=ICMP))


@test("Device: no answer where the kernel has none")
def no_answer():
    error = icmp_error(3, 1, ip(H_OUT, H_IN))
    for datagram in (ip(H_IN, NOWHERE, payload=error, proto=ICMP),
                     ip(H_IN, H_OUT, ttl=1, payload=error, proto=ICMP),
                     ip(H_IN, H_OUT, ttl=1, frag=1), ip("127.0.0.1", H_OUT),
                     ip("224.0.0.1", H_OUT), ip(H_IN, "127.0.0.1"),
                     ip(H_IN, "224.0.0.9"), ip(H_IN, "255.255.255.255"),
                     ip(H_IN, "10.5.0.1"), ip(DUT_IN, H_OUT)):
        alike(datagram, outputs=0)
    bad = bytearray(ip(H_IN, H_OUT))
    bad[10] ^= 1
    alike(bytes(bad), outputs=0)
    for frame in EVERYONE, b"\1\0\x5e\0\0\1":
        alike(ip(H_IN, H_OUT), to=frame, outputs=0)


@test("Device: a datagram that is too long leaves in the kernel's pieces")
def fragments():
    data = bytes(i * 7 & 255 for i in range(1444))
    for frag in 0, 0x2000, 0x2010, 0x10:
        alike(ip(H_IN, H_OUT, payload=data, frag=frag), outputs=3)
    # Native keeps the place of options that are not copied, with NOPs.
    area = b"\1" + lsrr(H_OUT) + record(1) + b"\1\1"
    got = ours.exchange(ip(H_IN, DUT_IN, area, payload=data))[1]
    parts = [Packet(d) for d in got]
    equal(b"".join(p.payload for p in parts), data, "data")
    moved = lsrr(DUT_OUT, ptr=8)
    equal(parts[0].options[:15], b"\1" + moved + record(1, [DUT_OUT]), "first")
    for part in parts[1:]:
        equal(part.options, moved + b"\0", "later")
        check(part.sum_ok() and part.length <= 600, str(part))


@test("Device: a redirect is sent as the kernel sends it, and not about a source route")
def redirects():
    out = ours.exchange(ip(H_IN, FAR_IN))[0]
    equal(len(out), 2, "outputs")
    error = Error(next(d for d in out if d[9] == ICMP))
    equal((error.type, error.code, quad(error.packet.payload[4:8])), (5, 1, G_IN),
          "redirect")
    equal(len(ours.exchange(ip(H_IN, DUT_IN, lsrr(FAR_IN)))[0]), 1, "outputs of a hit")


@test("Device: who does not answer ARP is unreachable, and the way back is the reversed "
      "route")
def unresolved():
    for datagram in ip(H_IN, "198.51.100.66"), ip(H_IN, DUT_IN, lsrr("198.51.100.66")):
        ours.sides[0].send(datagram)
        ours.wait(lambda: ours.sides[0].got)
        (_, answer), = ours.sides[0].got
        ours.sides[0].got.clear()
        error = Error(answer)
        equal((error.type, error.code, error.quote), (3, 1, datagram), "error")


@test("Device: H5 a strict route leads to neighbours alone")
def strict():
    forwarded(ip(H_IN, DUT_IN, ssrr(G_OUT, FAR_OUT)))
    answered(ip(H_IN, DUT_IN, ssrr(FAR_OUT)), 3, 5)
    equal(answered(ip(H_IN, H_OUT, ssrr(H_OUT)), 12, 0).pointer, 16, "T2")


@test("Device: H3 and H4 a source route that fails is answered with 3/5")
def failed():
    for to in "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", \
            "198.51.100.255", NOWHERE, SHUT:
        answered(ip(H_IN, DUT_IN, lsrr(to)), 3, 5)
    silent(ip(H_IN, DUT_IN, lsrr("10.5.0.1")))


@test("Device: V1 to V5 each broken option is answered, and the octet is named")
def broken():
    for area, pointer in ((lsrr(H_OUT, length=1), 21), (lsrr(H_OUT, length=0), 21),
                          (lsrr(H_OUT, length=9), 21), (lsrr(H_OUT, length=6), 21),
                          (lsrr(H_OUT, ptr=0), 22), (lsrr(H_OUT, ptr=5), 22),
                          (lsrr(H_OUT, ptr=9), 22), (lsrr(H_OUT) + b"\x83", 27),
                          (lsrr(H_OUT) + ssrr(H_OUT), 27), (b"\1\1\1\x83", 23),
                          (lsrr(H_OUT) + record(1) + record(1), 34),
                          (lsrr(H_OUT) + b"\x44\6\5\0\0\0", 29)):
        equal(answered(ip(H_IN, DUT_IN, area), 12, 0).pointer, pointer, area.hex())
    forwarded(ip(H_IN, DUT_IN, lsrr(H_OUT) + b"\0" + ssrr(H_OUT)))


@test("Device: H6 addresses of its own in a row cost one TTL")
def own_in_row():
    got = Packet(forwarded(ip(H_IN, DUT_IN, lsrr(DUT_IN2, DUT_OUT, H_OUT), ttl=2)))
    equal((got.options[:15], got.dst, got.ttl),
          (lsrr(DUT_IN2, DUT_OUT, DUT_OUT, ptr=16), H_OUT, 1), "hit")
    ping = icmp_error(8, 0, b"ping")
    out = ours.exchange(ip(H_IN, DUT_IN, lsrr(DUT_OUT), payload=ping, proto=ICMP))[0]
    equal([Packet(d).payload[:2] for d in out], [b"\0\0"], "echo")


@test("Device: H9 the address recorded is that of the way out, in every option")
def records():
    got = Packet(forwarded(ip(H_IN, DUT_IN2, lsrr(FAR_OUT) + record(2, [H_IN]))))
    equal(got.options[:18], lsrr(DUT_OUT, ptr=8) + record(2, [H_IN, DUT_OUT]), "options")
    got = Packet(forwarded(ip(H_IN, FAR_OUT, lsrr(H_OUT) + record(1))))
    equal(got.options[:14], lsrr(H_OUT) + record(1, [DUT_OUT]), "transit")


@test("Device: a header whose checksum is 0x0000 has it so, not 0xffff (RFC 1624)")
def zero_checksum():
    sent = forwarded(ip(H_IN, DUT_IN, lsrr(H_OUT), ident=1))
    ident = (1 + int.from_bytes(sent[10:12], "big")) % 0xFFFF
    sent = forwarded(ip(H_IN, DUT_IN, lsrr(H_OUT), ident=ident))
    equal(sent[10:12], b"\0\0", "checksum")


@test("Device: 1,000 datagrams at once all pass, and so do bursts of 64 of each kind")
def bursts():
    for count, datagram in ((1000, ip(H_IN, H_OUT)), (64, ip(H_IN, DUT_IN, lsrr(H_OUT))),
                            (64, ip(H_IN, H_OUT, record(9)))):
        start_of = time.monotonic()
        out = ours.exchange(*[datagram] * count)
        print("# %d in %.0f ms" % (count, (time.monotonic() - start_of) * 1000))
        equal(len(out[1]), count, "outputs")
    check(right.alive(), "the device has ended")


@test("Device: random options do not stop it")
def fuzz():
    seed = os.urandom(4)
    print("# seed %s" % seed.hex())
    import random
    rng = random.Random(seed)
    for _ in range(20):
        for _ in range(50):
            area = bytearray(rng.randbytes(rng.randrange(0, 41, 4)))
            for _ in range(rng.randrange(4)):
                if area:
                    area[rng.randrange(len(area))] = rng.choice(
                        (0, 1, 3, 4, 7, 11, 68, 131, 137))
            ours.sides[0].send(ip(H_IN, rng.choice((DUT_IN, H_OUT)), bytes(area)))
        ours.exchange()
    check(right.alive(), "the device has ended")


if __name__ == "__main__":
    end_at_signals()
    ktap.main()
