#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Do datagrams write to memory that all processors share? For scripts/bench, in
a guest.

    selftests/cost/shared_writes.py MODULE

Looks into the kernel's memory (/proc/kcore) before and after: at the struct
srcroute_net of a namespace, found by a kprobe, and at every struct srcroute_iface
in its table, as far as datagrams read them. Prints a line of JSON.
"""

import json
import os
import struct
import sys

from lib.inject import CASES, Router, srcroute
from lib.ktap import check

MODULE = sys.argv[1]
TRACE = "/sys/kernel/tracing/"
BUCKETS = 256
NET_SIZE = 2300  # octets: the table, the hooks
IFACE_SIZE = 56  # node, ifindex, address of the per-CPU part, settings
RUNS = 100  # of 256 datagrams and more


def write(path, text):
    with open(TRACE + path, "w") as file:
        file.write(text)


def srcroute_net(router):
    """Its address: what the hooks get."""
    write("kprobe_events", "p:shared srcroute_hook_pre_routing_first sn=%di:x64")
    write("events/kprobes/shared/enable", "1")
    router.inject(CASES["ordinary"], samples=1)
    write("events/kprobes/shared/enable", "0")
    with open(TRACE + "trace") as file:
        address = int(file.read().rsplit("sn=", 1)[1].split()[0], 16)
    write("kprobe_events", "")
    return address


class Memory:
    """The kernel's, by address."""

    def __init__(self):
        self.fd = os.open("/proc/kcore", os.O_RDONLY)
        header = os.pread(self.fd, 64, 0)
        start, = struct.unpack_from("<Q", header, 32)
        size, number = struct.unpack_from("<HH", header, 54)
        self.segments = [struct.unpack_from(
            "<IIQQQQ", os.pread(self.fd, size, start + i * size))
            for i in range(number)]

    def read(self, address, size):
        for kind, _, offset, base, _, length in self.segments:
            if kind == 1 and base <= address and address + size <= base + length:
                return os.pread(self.fd, size, offset + address - base)
        raise ValueError("nothing at %#x" % address)

    def interfaces(self, net):
        for first in struct.unpack("<%dQ" % BUCKETS, net[:8 * BUCKETS]):
            while first:
                yield first
                first, = struct.unpack("<Q", self.read(first, 8))


def main():
    router = Router(destinations=1)
    memory = Memory()
    with srcroute(router, MODULE, lsrr=1, ssrr=1):
        at = srcroute_net(router)
        places = [(at, NET_SIZE)] + [
            (iface, IFACE_SIZE)
            for iface in memory.interfaces(memory.read(at, NET_SIZE))]
        check(len(places) > 2, "no interfaces in the table")
        before = [memory.read(*place) for place in places]
        for case in "LSRR, 1 slot", "LSRR and RR", "transit", "refusal":
            router.inject(CASES[case], samples=RUNS)
        after = [memory.read(*place) for place in places]
        hits = router.counters()["in", "hop"]
        check(hits > 2 * RUNS * 256, "%d hits" % hits)
    router.close()
    changed = sum(a != b for old, new in zip(before, after)
                  for a, b in zip(old, new))
    print(json.dumps({"watched": sum(map(len, before)), "written": changed,
                      "hits": hits}))


if __name__ == "__main__":
    main()
