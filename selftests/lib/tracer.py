# SPDX-License-Identifier: GPL-2.0-only
"""srtrace(8) in a host whose network is a function (mimic.py), and what routers and
destinations answer it.
"""

import contextlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import time

from .ktap import equal
from .mimic import Mimic
from .packet import ICMP, Packet, checksum, icmp_error, ip, lsrr

HOST = Mimic.HOST


def find_program():
    places = [parent / "out/srtrace/srtrace"
              for parent in pathlib.Path(__file__).resolve().parents]
    found = [str(place) for place in places if place.exists()]
    return (os.environ.get("SRTRACE") or (found or [None])[0] or
            shutil.which("srtrace") or "srtrace")


PROGRAM = find_program()


def srtrace(mimic, *words, status=0, **options):
    with mimic.host:
        done = subprocess.run([PROGRAM, "-n", *words], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60, **options)
    if status is not None:
        equal(done.returncode, status, "exit code (%s%s)" % (done.stderr,
                                                             done.stdout))
    return done.stdout


def start(mimic, *words):
    """The same, while it runs: for communicate()."""
    with mimic.host:
        return subprocess.Popen([PROGRAM, "-n", *words], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)


def most_memory(program):
    """In kB, of a program while it runs; that of getrusage() would be at least ours."""
    most = 0
    while program.poll() is None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open("/proc/%d/status" % program.pid) as file:
                most = max([most] + [int(line.split()[1]) for line in file
                                     if line.startswith("VmHWM:")])
        time.sleep(0.02)
    return most


def read(text):
    return [json.loads(line) for line in text.splitlines()]


def verdict(mimic, *words, status=None):
    """The last line of JSON, and those of probes."""
    lines = read(srtrace(mimic, "-j", "-w", "0.3", "-q", "1", *words,
                         status=status))
    return lines[-1], [one for one in lines if one["type"] == "probe"]


def expired(probe, by, **fields):
    """The error of a router, which quotes what fits into 576 octets (RFC 1812)."""
    return ip(by, HOST, proto=ICMP, payload=icmp_error(11, 0, probe[:548]), **fields)


def echo_reply(probe, by=None):
    """Of the last address of its route, if nobody else is named."""
    packet = Packet(probe)
    body = b"\0\0\0\0" + packet.payload[4:]
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return ip(by or packet.dst, HOST, proto=ICMP, payload=body)


def returned(probe, slot, ptr=8, src=HOST, dst=HOST):
    """A probe of --loop as it comes back: the gateway has recorded slot."""
    return ip(src, dst, lsrr(slot, ptr=ptr), proto=ICMP,
              ident=Packet(probe).ident, payload=Packet(probe).payload)


def chain_of(hops, lose=lambda n: False):
    """A way of so many routers; the n-th datagram that lose() chooses is lost."""
    count = [0]

    def answer(probe):
        count[0] += 1
        ttl = Packet(probe).ttl
        if lose(count[0]):
            return []
        if ttl > hops:
            return [echo_reply(probe)]
        return [expired(probe, "10.221.1.%d" % ttl)]
    return answer
