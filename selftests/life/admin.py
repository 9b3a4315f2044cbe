#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Whoever runs the router: the files and who may write them, odd names of
interfaces, many writers and many interfaces at a time, and the tracepoints.
Values that are wrong are in policy.py; the topology is drawn in
lib/standard.py.
"""

import errno
import itertools
import os
import random
import re
import shlex
import signal
import tempfile

from lib import features, ktap, module, packet, rtnetlink
from lib.ktap import check, equal, test
from lib.netns import Netns, Wire, cable, error_of, sh, wait_until
from lib.packet import edit, ip, lsrr, ssrr
from lib.standard import (A, B, C, FAR, HOOKS, LO, NEXT, SRC, StandardBench,
                          expect)
from lib.tracing import Log, Trace

bench = StandardBench()
ROOT = "/proc/sys/net/ipv4/srcroute/"
CONF = ROOT + "conf/%s/%s"
ROUTER_ID = ROOT + "router_id"
DEFAULTS = {"lsrr": "0", "ssrr": "0", "nonlocal": "1", "revisit": "1",
            "reverse_errors": "0", "mark": "0"}
MAC = b"\x02\0\0\0\0\x40"
UNPRIVILEGED = "setpriv --reuid 65534 --regid 65534 --clear-groups "
NO_NET_ADMIN = "setpriv --bounding-set -net_admin --inh-caps -net_admin "


def read(dev, key, ns=bench.router):
    return ns.sysctl(CONF % (dev, key))


def write(dev, key, value, ns=bench.router):
    ns.sysctl(CONF % (dev, key), value)


def reset():
    """Everything as at the start."""
    for key, value in DEFAULTS.items():
        write("all", key, value)


def opened(path, flags=os.O_RDWR, ns=bench.router):
    """A file descriptor for the length of a test."""
    with ns:
        fd = os.open(path, flags)
    ktap.cleanup(os.close, fd)
    return fd


def directories(ns=bench.router):
    with ns:
        return sorted(os.listdir(ROOT + "conf"))


def interfaces(ns=bench.router):
    with ns, open("/proc/thread-self/net/dev") as file:
        return [line.split(":")[0].strip() for line in file if ":" in line]


def consistent(ns=bench.router):
    """Every interface has its files and counters, and nothing else has."""
    equal(directories(ns), sorted(interfaces(ns) + ["all", "default"]),
          "directories of conf")
    equal({dev for dev, _ in ns.counters()}, set(interfaces(ns)),
          "interfaces in /proc/net/srcroute")


def forwards(wire=None, src=SRC):
    """Is a loose hit followed?"""
    sent = ip(src, A, lsrr(FAR))
    (wire or bench.wires["a"]).send(sent)
    out = bench.collect()
    if "b" not in out:
        return False
    expect(out, {"b": [edit(sent, dst=FAR, options=lsrr(B, ptr=8), ttl=63)]})
    return True


# How files are written and read


@test("Interface: a write that is too long fails with EINVAL and changes "
      "nothing")
def overlong():
    ktap.cleanup(reset)
    for path, right in ((CONF % ("a", "lsrr"), "2"),
                        (CONF % ("all", "mark"), "7"), (ROUTER_ID, B)):
        bench.router.sysctl(path, right)
        for text in ("1" * 32, "1" * 33, "1 " * 2048, "1" * 4096,
                     " " * 5000 + "x", "x" * 70000):
            fd = opened(path)
            equal(error_of(os.write, fd, text.encode()), errno.EINVAL,
                  "errno for %d octets" % len(text))
            equal(bench.router.sysctl(path), right, path)
    bench.router.sysctl(ROUTER_ID, "0.0.0.0")


@test("Interface: a value is taken whole: what is written behind the first "
      "octet of a file changes nothing")
def partial():
    ktap.cleanup(reset)
    ktap.cleanup(bench.router.sysctl, ROUTER_ID, "0.0.0.0")
    for path, first, rest in ((CONF % ("a", "lsrr"), b"1", b"2\n"),
                              (CONF % ("all", "mark"), b"1", b"6\n"),
                              (ROUTER_ID, B.encode(), b"9\n")):
        fd = opened(path)
        equal(os.write(fd, first), len(first), "octets taken")
        for attempt in (lambda: os.write(fd, rest),
                        lambda: os.pwrite(fd, rest, 1),
                        lambda: os.pwrite(fd, rest, 1 << 40)):
            equal(error_of(attempt), errno.EINVAL, "errno")
            equal(bench.router.sysctl(path), first.decode(), path)


@test("Interface: one open file takes one value after another from its start")
def again_and_again():
    ktap.cleanup(reset)
    fd = opened(CONF % ("a", "ssrr"))
    for value in "3", "0", "2", "1":
        os.lseek(fd, 0, os.SEEK_SET)
        equal(os.write(fd, value.encode()), 1, "octets taken")
        equal(os.pread(fd, 16, 0), value.encode() + b"\n", "value")
    for i in range(4):
        equal(os.pwrite(fd, b" %d\n" % i, 0), 3, "octets taken")
        equal(read("a", "ssrr"), str(i), "value")


def bit_by_bit(path, size):
    fd = opened(path, os.O_RDONLY)
    pieces = list(iter(lambda: os.read(fd, size), b""))
    check(all(len(piece) <= size for piece in pieces), "too much was read")
    return b"".join(pieces).decode()


@test("Interface, S: reading with small buffers gives no more than fits, and "
      "the whole of a table")
def small_buffers():
    ktap.cleanup(reset)
    ktap.cleanup(bench.router.sysctl, ROUTER_ID, "0.0.0.0")
    write("a", "mark", 4294967295)
    bench.router.sysctl(ROUTER_ID, B)
    for size in 1, 2, 3, 7, 11, 64:
        equal(bit_by_bit(ROUTER_ID, size), B + "\n", "router_id")
        # A number in pieces is the kernel's to cut, as in any other file.
        number = bit_by_bit(CONF % ("a", "mark"), size)
        check("4294967295\n".startswith(number) and number, number)
    with bench.router:
        table = "/proc/%d/task/%d/net/srcroute" % (os.getpid(), os.getpid())
        whole = bit_by_bit(table, 1 << 16)
        for size in 1, 5, 100, 1000:
            check(bit_by_bit(table, size) == whole, "table by %d" % size)


@test("Interface: sysctl -p takes every name, also of an interface with dots")
def sysctl_p():
    dev = "eth0.100"
    bench.router.ip("link add name %s type dummy" % dev)
    ktap.cleanup(bench.router.ip, "link del dev " + dev)
    ktap.cleanup(reset)
    ktap.cleanup(bench.router.sysctl, ROUTER_ID, "0.0.0.0")
    wanted = {}
    lines = ["# as in /etc/sysctl.d", "net.ipv4.srcroute.router_id = " + LO]
    for i, (name, key) in enumerate(itertools.product(
            ("all", "default", "a", dev), DEFAULTS)):
        value = {"mark": 100 + i, "lsrr": i % 4, "ssrr": 3 - i % 4}.get(
            key, i // 6 % 2)
        wanted[name, key] = str(value)
        lines.append("net.ipv4.srcroute.conf.%s.%s = %d" % (
            name.replace(".", "/"), key, value))
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        bench.router.run(["sysctl", "-p", file.name])
    for (name, key), value in wanted.items():
        equal(read(name, key), value, "%s of %s" % (key, name))
    equal(bench.router.sysctl(ROUTER_ID), LO, "router_id")


@test("Interface: sysctl lists every file, to everyone, with exit status 0")
def sysctl_lists():
    dev = "eth0.100"
    bench.router.ip("link add name %s type dummy" % dev)
    ktap.cleanup(bench.router.ip, "link del dev " + dev)
    wanted = sorted(["net.ipv4.srcroute.router_id = 0.0.0.0"] + [
        "net.ipv4.srcroute.conf.%s.%s = %s" % (name.replace(".", "/"), key,
                                               value)
        for name in interfaces() + ["all", "default"]
        for key, value in DEFAULTS.items()])
    for who in "", UNPRIVILEGED:
        listed = bench.router.run(who + "sysctl net.ipv4.srcroute")
        equal(sorted(listed.splitlines()), wanted, "list")


# Names


@test("Interface: names with dots, of 15 characters, or odd ones have files, "
      "counters and a policy")
def odd_names():
    ktap.cleanup(reset)
    for name in ("x.y..z", "abcdefghijklmno", "lsrr", "router_id",
                 "\u00e9\u00df\u2192", "-", "ALL", "all."):
        bench.router.ip("link add name %s type dummy" % name)
        consistent()
        write(name, "lsrr", 1)
        equal(read(name, "lsrr"), "1", "lsrr of " + name)
        bench.router.ip("link del dev " + name)
    consistent()


@test("Interface, O1: a name of 15 characters, with dots, forwards by its own "
      "policy")
def long_name():
    name = "eth0.1234567890"
    bench.link(name, "10.40.0.1/24", peers=["10.40.0.2"])
    ktap.cleanup(bench.unlink, name)
    write(name, "lsrr", 1)
    check(forwards(bench.wires[name], "10.40.0.2"), "no hit was followed")
    equal(bench.router.counters()[name, "hop"], 1, "hop")
    write(name, "lsrr", 0)
    check(not forwards(bench.wires[name], "10.40.0.2"), "a hit was followed")


def renamed(old, new):
    """Does the kernel let it happen? IPv6 does not where it is at home."""
    said = bench.router.run(
        "ip link set dev %s down; ip link set dev %s name %s" % (
            old, old, new), check=False)
    bench.router.ip("link set dev %s up" % (old if said else new))
    return not said


def odd_interface(mtu):
    """odd, by which hits come in while its lsrr is 1; returns the far end,
    which the bench does not know, for it could not follow the names."""
    cable(bench.router, "odd", bench.world, "far", address=MAC.hex(":"))
    ktap.cleanup(bench.world.ip, "link del dev far")
    ktap.cleanup(reset)
    bench.router.ip("link set dev odd mtu %d" % mtu)
    write("odd", "lsrr", 1)
    write("odd", "mark", 99)
    far = Wire(bench.world, "far", MAC)
    ktap.cleanup(far.sock.close)
    return far


def has_its_settings(far):
    consistent()
    equal([read("odd", key) for key in DEFAULTS],
          ["1", "0", "1", "1", "0", "99"], "settings of odd")
    check(forwards(far), "not followed as odd")


def without_files(name, far):
    """odd is called @name, which stays the name of other files."""
    equal(directories(), sorted({*interfaces(), "all", "default"}),
          "directories")
    equal([read(dev, "lsrr") for dev in (name, "a")], ["0", "0"], "lsrr")
    check(forwards(far), "not followed as " + name)
    write("default", "ssrr", 2)
    equal(read("a", "ssrr"), "0", "ssrr of a, default written")
    write("default", "ssrr", 0)
    write("all", "lsrr", 0)
    check(not forwards(far), "followed as %s, 0 written to all" % name)
    write("all", "lsrr", 1)
    check(forwards(far), "not followed as %s, 1 written to all" % name)
    for dev in "a", "default":
        write(dev, "lsrr", 0)


@test("Interface: renamed to `all` or `default` an interface keeps its "
      "settings, has no files, and gets them back with its name")
def reserved_names():
    # With an MTU too small for IPv6 there is nobody who minds.
    far, log = odd_interface(1200), Log()
    for name in "all", "default":
        check(renamed("odd", name), "the kernel refuses " + name)
        equal(log.lines(), [name + ": srcroute: no settings under this name"],
              "what the log says of it")
        without_files(name, far)
        check(renamed(name, "odd"), "no way back from " + name)
        has_its_settings(far)
        write("all", "lsrr", 0)
        write("odd", "lsrr", 1)


@test("Interface: where the kernel takes a rename to `all` or `default` back, "
      "files and settings are as before")
def reserved_names_refused():
    far = odd_interface(1500)
    for name in "all", "default":
        if renamed("odd", name):
            check(renamed(name, "odd"), "no way back from " + name)
        has_its_settings(far)
        check(renamed("odd", "even") and renamed("even", "odd"), "rename")
        has_its_settings(far)


# Who may write


def user_namespaces():
    """What goes before a command that makes user namespaces. There are none
    under chroot, where all of scripts/bed/vm's guest runs: leave it there, by a
    mount namespace whose first file system is what chroot hid."""
    if not sh("unshare -U true", check=False):
        return ""
    return ("unshare -m nsenter --mount=/proc/self/ns/mnt /bin/sh -c "
            "'cd /root && mount -o move . / && "
            "exec chroot . /usr/bin/env \"$@\"' - ")


def writers():
    """Commands before which a write fails."""
    home = user_namespaces()
    return {
        "nobody": UNPRIVILEGED,
        "root of a user namespace": home + UNPRIVILEGED + "unshare -Ur ",
        "root of a user namespace, once our root": home + "unshare -Ur ",
        "nobody known in a user namespace": home + "unshare -U ",
        "root without CAP_NET_ADMIN": NO_NET_ADMIN,
        "root without capabilities":
            "setpriv --bounding-set -all --inh-caps -all ",
    }


def denied(who, said):
    check("ermission denied" in said or "not permitted" in said,
          "%s: %s" % (who, said))


@test("Interface: without CAP_NET_ADMIN in the namespace's user namespace no "
      "file can be written, and every file can be read")
def may_not_write():
    paths = [CONF % ("a", "lsrr"), CONF % ("all", "ssrr"),
             CONF % ("default", "mark"), ROUTER_ID]
    before = [bench.router.sysctl(path) for path in paths]
    script = "; ".join("echo 2 >%s && echo done; cat %s" % (path, path)
                       for path in paths)
    for who, prefix in writers().items():
        said = bench.router.run("LC_ALL=C %s bash -c '%s'" % (
            prefix, script)).splitlines()
        equal(said[1::2], before, "read by " + who)
        for line in said[0::2]:
            denied(who, line)
        equal([bench.router.sysctl(path) for path in paths], before, who)


@test("Interface: an open file gives nobody the right to write, not even root "
      "of a namespace below")
def inherited_file():
    fd = opened(CONF % ("a", "lsrr"))
    below = user_namespaces() + UNPRIVILEGED + "unshare -Urn "
    for who, prefix in [*writers().items(), ("root of another", below)]:
        denied(who, bench.router.run(
            "LC_ALL=C %s bash -c 'echo 2 >&%d && echo done'" % (prefix, fd),
            pass_fds=[fd], check=False))
        equal(read("a", "lsrr"), "0", "lsrr")


@test("Interface: root of a user namespace sets what its own network namespace "
      "has, and nothing beyond")
def own_namespace():
    before = bench.router.run("sysctl net.ipv4.srcroute")
    script = """
        set -e
        cd %sconf
        for dev in all default lo; do
            for key in lsrr ssrr nonlocal revisit reverse_errors mark; do
                echo 1 > $dev/$key
                test "$(cat $dev/$key)" = 1
            done
        done
        ip link set lo up
        ip addr add 10.99.0.1/32 dev lo
        ip link add name inner type dummy
        test "$(cat inner/lsrr)" = 1
        echo 10.99.0.1 > ../router_id
        test "$(cat ../router_id)" = 10.99.0.1
        echo 4 > lo/lsrr && exit 1
        grep -q "^inner received 0$" /proc/net/srcroute
    """ % ROOT
    prefix = user_namespaces() + UNPRIVILEGED + "unshare -Urn sh -c "
    bench.router.run(prefix + shlex.quote(script))
    equal(bench.router.run("sysctl net.ipv4.srcroute"), before, "the router")


# Many at a time


def start(ns, work):
    """A process that does work() in a namespace until it is through."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        with ns:
            work()
        status = 0
    finally:
        os._exit(status)


def finish(pids, what):
    for pid in pids:
        _, status = os.waitpid(pid, 0)
        equal(status, 0, "exit of " + what)


def write_at_random(seed, targets, count):
    """Values that are one digit, the writer's own where it is a mark."""
    rng = random.Random(seed)
    for _ in range(count):
        dev, key = rng.choice(targets)
        value = seed if key == "mark" else rng.choice((0, 0, 1, 2, 3))
        with open(CONF % (dev, key), "w") as file:
            file.write(str(value))


@test("Interface: with several writers at a time every value is one that was "
      "written, and hooks are in if and only if one is not 0")
def concurrent_writers():
    ktap.cleanup(reset)
    keys = "lsrr", "ssrr", "mark"
    everything = [(dev, key) for dev in ("all", "default", "a", "b", "lo")
                  for key in keys]
    for round_ in range(3):
        finish([start(bench.router, lambda: write_at_random(
            seed, everything, 60)) for seed in range(1, 5)], "a writer")
        for dev, key in everything:
            check(int(read(dev, key)) in range(5 if key == "mark" else 4),
                  "%s of %s: %s" % (key, dev, read(dev, key)))
        on = [dev for dev in interfaces()
              for key in keys[:2] if read(dev, key) != "0"]
        equal(bench.hooks(), HOOKS if on else [], "hooks with %s on" % on)
        equal(forwards(), read("a", "lsrr") == "1", "forwarded")
        write("a", "lsrr", 1)
        check(forwards(), "not forwarded with lsrr at 1")
    reset()
    equal(bench.hooks(), [], "hooks at the end")


def write_all_for_ever():
    for value in itertools.cycle((1, 0, 2, 3)):
        for key in "lsrr", "mark":
            with open(CONF % ("all", key), "w") as file:
                file.write(str(value))


def stop(pid):
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)


@test("Interface: 200 interfaces come, are renamed, move and go while all is "
      "written, and nothing is left of them")
def churn():
    other = Netns("other")
    ktap.cleanup(other.close)
    ktap.cleanup(reset)
    consistent()
    stop_writer = start(bench.router, write_all_for_ever)
    try:
        for batch in range(5):
            names = ["n%d-%d" % (batch, i) for i in range(40)]
            bench.router.ip(*["link add name %s type dummy" % name
                              for name in names])
            bench.router.ip(*["link set dev %s name r%s" % (name, name)
                              for name in names])
            bench.router.ip(*["link set dev r%s netns %s" % (name, other.name)
                              for name in names[::8]])
            for ns in bench.router, other:
                consistent(ns)
            moved = ["link del dev r%s" % name for name in names[::8]]
            other.ip(*moved)
            bench.router.ip(*["link del dev r%s" % name for name in names
                              if "link del dev r" + name not in moved])
    finally:
        stop(stop_writer)
    for ns in bench.router, other:
        consistent(ns)
    write("all", "lsrr", 1)
    check(forwards(), "not forwarded afterwards")
    reset()
    equal(bench.hooks(), [], "hooks at the end")


@test("Interface: a namespace starts with the defaults, and goes with its "
      "settings on")
def namespaces():
    ktap.cleanup(reset)
    write("all", "lsrr", 1)
    for number in range(4):
        ns = Netns("passing%d" % number)
        for key, value in DEFAULTS.items():
            for dev in "all", "default", "lo":
                equal(read(dev, key, ns), value, "%s of %s" % (key, dev))
        ns.ip("link add name here type dummy")
        write("all", "lsrr", 1 + number % 3, ns)
        write("default", "ssrr", 3, ns)
        consistent(ns)
        ns.close()
    check(forwards(), "the router has lost its hooks")
    check("passing" not in sh("ip netns list"), "a namespace is left")


def allocations(action):
    """What we allocate meanwhile: [(octets, as the kernel's trace has it)]"""
    with Trace("kmem/kmalloc", "percpu/percpu_alloc_percpu") as trace:
        action()
        lines = [line for line in trace.lines() if "[nf_srcroute]" in line]
    return [(int(re.search(r"(?:bytes_req|bytes_alloc)=(\d+)", line).group(1)),
             line) for line in lines]


@test("Interface: what namespaces and interfaces make us allocate is charged to "
      "the cgroup of who makes them")
def charged():
    made = allocations(lambda: ktap.cleanup(Netns("charged").close))
    # If the kernel allocated for us, it would charge nobody.
    check(sum(octets for octets, _ in made) > 2000, "of a namespace: %s" % made)
    with bench.router:
        of_link = allocations(lambda: equal(rtnetlink.add_dummy("charged"), 0,
                                            "errno"))
        rtnetlink.delete("charged")
    percpu = features.has_percpu_callers()
    check(len(of_link) >= 2 + percpu and
          any("percpu" in line for _, line in of_link) == percpu,
          "of an interface: %s" % of_link)
    free = [line for _, line in made + of_link if "ACCOUNT" not in line]
    equal(free, [], "charged to nobody")


@test("Interface: a file that is held open does not outlive its namespace")
def held_open():
    ns = Netns("held")
    fd = opened(CONF % ("all", "lsrr"), ns=ns)
    os.pwrite(fd, b"1", 0)
    ns.close()

    def gone():
        code = error_of(os.pwrite, fd, b"1", 0)
        check(code in (0, errno.ENODEV, errno.ENOENT), "errno %d" % code)
        return code == errno.ENOENT

    wait_until(gone, what="the end of the file")
    equal(error_of(os.pread, fd, 16, 0), errno.ENOENT, "errno of a read")


@test("S: /proc/PID/net/srcroute is the table of that process's namespace")
def table_of_process():
    other = Netns("other")
    ktap.cleanup(other.close)
    other.ip("link add name elsewhere type dummy")
    process = other.popen(["sleep", "600"])
    ktap.cleanup(process.wait)
    ktap.cleanup(process.kill)

    def listed(pid):
        with open("/proc/%d/net/srcroute" % pid) as file:
            return {line.split()[0] for line in file}

    wait_until(lambda: "elsewhere" in listed(process.pid), what="its namespace")
    equal(listed(process.pid), set(interfaces(other)), "interfaces")
    check("elsewhere" not in listed(os.getpid()), "that of this process, too")


# Tracepoints


@test("Interface: srcroute_advance tells every rewrite, by H7 and by H6")
def trace_advance():
    bench.using(lsrr=1, ssrr=1)
    line = ("srcroute_advance: in=%s saddr=%s arrival=%s daddr=%s record=%s "
            "ptr=%d")
    with Trace("srcroute/srcroute_advance") as trace:
        for sent, wanted in (
                (ip(SRC, A, lsrr(FAR)), ("a", SRC, A, FAR, B, 8)),
                (ip(SRC, LO, ssrr(B, NEXT, FAR)),
                 ("a", SRC, LO, NEXT, B, 12)),
                (ip(SRC, A, lsrr(C, LO)), ("a", SRC, A, LO, "0.0.0.0", 12)),
                (ip(NEXT, B, b"\1" + lsrr(SRC) + packet.record(1)),
                 ("b", NEXT, B, SRC, A, 8))):
            bench.exchange(wanted[0], sent)
            equal(trace.lines(), [line % wanted], "events")
        for sent in (ip(SRC, FAR), ip(SRC, A, lsrr(FAR, ptr=8)),
                     ip(SRC, "10.9.5.5", lsrr(FAR) + packet.record(1)),
                     ip(SRC, A, lsrr("127.0.0.1")),
                     ip(SRC, A, lsrr(FAR), ttl=1)):
            bench.exchange("a", sent)
            equal(trace.lines(), [], "events without a rewrite")


def discards():
    """Datagrams, and what the tracepoint says of them."""
    return ((ip(SRC, A, lsrr(FAR, ptr=5)), "bad_option", "12/0"),
            (ip(SRC, "10.9.5.5", ssrr(FAR)), "strict_transit", "12/0"),
            (ip(SRC, A, lsrr("127.0.0.1")), "bad_next", "3/5"),
            (ip(SRC, A, lsrr("10.78.0.1")), "no_route", "3/5"),
            (ip(SRC, A, lsrr("10.79.0.1")), "no_route", "0/0"),
            (ip(SRC, A, ssrr(FAR)), "not_adjacent", "3/5"),
            (ip(SRC, A, lsrr(B, FAR, ptr=8)), "revisit", "3/5"),
            (ip(SRC, A, lsrr(FAR), ttl=1), "ttl_exceeded", "11/0"),
            (ip(SRC, "10.9.5.5", lsrr(FAR), ttl=1), "ttl_exceeded", "11/0"),
            (ip(B, A, lsrr(FAR)), "bad_source", "0/0"),
            (ip("127.0.0.1", A, lsrr(FAR, ptr=5)), "bad_source", "0/0"))


@test("Interface: srcroute_discard tells every discard, its reason and its "
      "ICMP error")
def trace_discard():
    bench.using(lsrr=1, ssrr=1, revisit=0)
    bench.temporary("route add unreachable 10.78.0.0/16")
    bench.temporary("route add blackhole 10.79.0.0/16")
    line = "srcroute_discard: in=a saddr=%s daddr=%s reason=%s icmp=%s"

    def says(sent, reason, icmp):
        bench.exchange("a", sent)
        p = packet.Packet(sent)
        equal(trace.lines(), [line % (p.src, p.dst, reason, icmp)], "events")

    with Trace("srcroute/srcroute_discard") as trace:
        for sent, reason, icmp in discards():
            says(sent, reason, icmp)
        bench.using(lsrr=2, ssrr=3, **{"nonlocal": 0})
        says(ip(SRC, A, lsrr(FAR)), "policy_drop", "0/0")
        says(ip(SRC, A, ssrr(FAR)), "policy_reject", "3/13")
        bench.using(lsrr=1)
        says(ip(SRC, A, lsrr(FAR)), "nonlocal", "3/5")
        bench.using(**{"nonlocal": 1})
        for sent in ip(SRC, FAR), ip(SRC, FAR, ttl=1), ip(SRC, A, lsrr(FAR)):
            bench.exchange("a", sent)
            equal(trace.lines(), [], "events without a discard")


@test("Interface: the format of srcroute_discard tells user space the name of "
      "each reason by its number")
def trace_format():
    with open("/sys/kernel/tracing/events/srcroute/srcroute_discard/"
              "format") as file:
        named = re.findall(r'{ (\w+), "(\w+)" }', file.read())
    reasons = [name for dev, name in bench.router.counters()
               if dev == "a" and name not in ("received",
                                              "icmp_suppressed")]
    equal(named, [(str(number), name) for number, name in enumerate(reasons)],
          "names")


# By what the kernel shows of itself; the module goes by what its headers declare.
@test("Interface: modinfo says that the module does without drop reasons where the "
      "kernel has none, and nothing elsewhere")
def modinfo_lacks():
    equal(module.information("lacks", module.file()),
          "nothing" if features.has_drop_reasons() else "drop reasons", "lacks")


if __name__ == "__main__":
    ktap.main(bench.close)
