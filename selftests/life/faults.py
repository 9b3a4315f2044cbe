#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every allocation of the module fails in turn, by position: a clean error,
nothing half done, and the next try works. For the guest of `make check-debug`:
needs a kernel with failslab, and loads and unloads the module itself.

	selftests/life/faults.py MODULE DIR		DIR has what is built of modules/
"""

import ctypes
import errno
import os
import socket
import sys
import time

from lib import failslab, ktap, module, packet, rcu, rtnetlink
from lib.beside import beside
from lib.ktap import check, equal, test
from lib.liveframes import inject
from lib.netns import Netns, wait_until
from lib.packet import edit, ip, lsrr, record
from lib.standard import A, B, FAR, NEXT, SRC, StandardBench, expect

MODULE, HELPERS = sys.argv.pop(1), sys.argv.pop(1)
FAILPERCPU, HOLDDEV = (HELPERS + "/" + name for name in ("failpercpu.ko",
                                                         "holddev.ko"))
METRICS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "../../scripts/programs/srcroute-metrics")
CONF = "/proc/sys/net/ipv4/srcroute/conf/"
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_made = {}
keeper = module.keep_hooks()


def loaded():
    """The first test leaves it loaded; chosen alone, others have to see to it."""
    if not module.traces():
        module.load(MODULE)


def beneath_module():
    loaded()
    failslab.beneath(failslab.module())


def bench():
    """With the module loaded."""
    loaded()
    if "bench" not in _made:
        _made["bench"] = StandardBench()
        _made["bench"].router.run("ethtool -K a gro on")
    return _made["bench"]


def close():
    for thing in _made.values():
        thing.close()


def space(label):
    """A namespace for the length of a test."""
    ns = Netns(label)
    ktap.cleanup(ns.close)
    return ns


def outcome(what, results, allowed=(0, errno.ENOMEM)):
    """Every position has failed cleanly or was got over; at least one has
    failed."""
    print("# %s: %d allocations, %d of them needed" % (
        what, len(results), sum(1 for r in results if r)))
    check(all(r in allowed for r in results), "errors: %s" % results)
    check(errno.ENOMEM in results, "none has failed")


# Loading

def load():
    """errno of finit_module(2)."""
    try:
        module.load(MODULE)
    except OSError as error:
        return error.errno
    return 0


@test("Interface: each allocation of a load fails in turn: ENOMEM, nothing "
      "left, the next load works")
def loading():
    spaces = [space("load%d" % i) for i in range(2)]
    for ns in spaces:
        ns.ip("link add name d type dummy")
    space("many").ip(*["link add name d%d type dummy" % i for i in range(20)])
    failslab.beneath(failslab.function("do_one_initcall"))
    rcu.expedited()
    results = []
    for number, error in failslab.positions(lambda n: load()):
        results.append(error)
        if error:
            equal(module.traces(), [], "left after failure %d" % number)
        else:
            module.unload()
    outcome("load", results)
    # The last try has loaded it, no allocation having failed.
    for ns in spaces:
        equal(ns.sysctl(CONF + "d/lsrr"), "0", "after the load")


@test("Interface: a load that fails waits for what it has put off")
def failed_load_waits():
    """At the last allocation that it needs: by then it has most interfaces."""
    if module.traces():
        module.unload()
    failslab.beneath(failslab.function("do_one_initcall"))
    rcu.expedited()
    failed = []
    for number, error in failslab.positions(lambda n: load()):
        if error:
            failed.append(number)
        else:
            module.unload()
    module.unload()
    rcu.hold_callbacks(3)

    def fail():
        with failslab.nth(failed[-1]):
            equal(load(), errno.ENOMEM, "errno")
    ran = module.order_of_end(fail)
    check(len(ran) > 1, "no interface had anything")
    equal(ran.index("srcroute_netns_exit"), len(ran) - 1, "what is last")
    equal(load(), 0, "errno of the next load")


# Namespaces and interfaces

def start(action):
    """A process that ends with action()."""
    pid = os.fork()
    if not pid:
        code = 99
        try:
            code = action()
        finally:
            os._exit(code)
    return pid


def result(pid):
    """What action() has returned there."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def unshare_with_fault(number):
    """(errno, whether it came to the failure)"""
    def child():
        with failslab.nth(number) as failed:
            done = _libc.unshare(CLONE_NEWNET)
            error = ctypes.get_errno() if done else 0
        if not error and not os.path.exists(CONF + "lo/lsrr"):
            return 98
        return error | (128 if failed() else 0)
    code = result(start(child))
    return code & 127, bool(code & 128)


@test("Interface: each allocation for a namespace fails in turn: ENOMEM, the "
      "next namespace works")
def namespaces():
    beneath_module()
    results, number = [], 1
    while True:
        error, failed = unshare_with_fault(number)
        if not failed:
            break
        results.append(error)
        number += 1
    equal(error, 0, "without a failure")
    outcome("namespace", results)


@test("Interface: an interface whose counters find no memory is refused, the "
      "next try works")
def counters():
    loaded()
    ns = space("percpu")
    module.load(FAILPERCPU, "start=%d end=%d" % failslab.module())
    try:
        with ns:
            equal(rtnetlink.add_dummy("d"), errno.ENOMEM, "errno")
        with open("/sys/module/failpercpu/parameters/failed") as file:
            equal(file.read(), "1\n", "failures")
    finally:
        module.remove("failpercpu")
    with ns:
        equal(rtnetlink.add_dummy("d"), 0, "errno of the next try")
        check(has_files("d"), "files")


def has_files(name):
    return os.path.exists(CONF + name)


@test("Interface: each allocation for an interface fails in turn: ENOMEM, no "
      "interface, the next try works")
def interfaces():
    beneath_module()
    ns = space("ifaces")
    ns.sysctl("net.ipv4.srcroute.conf.default.lsrr", 1)  # hooks, too
    results = []
    with ns:
        for number, error in failslab.positions(
                lambda n: rtnetlink.add_dummy("d%d" % n)):
            results.append(error)
            equal(has_files("d%d" % number), not error, "files")
            if not error:
                rtnetlink.delete("d%d" % number)
        check(has_files("d%d" % (len(results) + 1)), "files of the last")
    outcome("interface", results)


@test("Interface: each allocation for a rename fails in turn: the interface "
      "keeps its name, files and values")
def renaming():
    beneath_module()
    ns = space("rename")
    ns.ip("link add name was type dummy")
    ns.sysctl(CONF + "was/lsrr", 3)
    results = []
    with ns:
        for _, error in failslab.positions(
                lambda n: rtnetlink.rename("was", "now")):
            results.append(error)
            name = "was" if error else "now"
            equal(has_files("was"), bool(error), "files of the old name")
            equal(ns.sysctl(CONF + name + "/lsrr"), "3", "its value")
            if not error:
                equal(rtnetlink.rename("now", "was"), 0, "renamed back")
    outcome("rename", results)
    equal(ns.sysctl(CONF + "now/lsrr"), "3", "the value after all")


def tried_again(ns, results):
    """A write to another setting finds memory for the interface, or fails and
    changes nothing."""
    path, before = CONF + "all/mark", ns.sysctl(CONF + "all/mark")
    after = str(1 + int(before))
    for _, error in failslab.positions(lambda n: write(path, after)):
        results.append(error)
        if not error:
            break
        equal(ns.sysctl(path), before, "the setting")
        equal(ns.counters().get(("d", "unavailable")), 1, "unavailable")
    equal(ns.sysctl(CONF + "d/mark"), after, "mark of the interface")
    equal(ns.sysctl(CONF + "d/lsrr"), "1", "lsrr of the interface")
    check(("d", "unavailable") not in ns.counters(), "unavailable still")


@test("Interface: each allocation for a move to a namespace fails in turn: "
      "there the interface is without settings, and that is to be seen, or not "
      "at all; a write tries again")
def moving():
    beneath_module()
    here, there = space("here"), space("there")
    there.sysctl("net.ipv4.srcroute.conf.default.lsrr", 1)
    here.ip("link add name d type dummy")
    failslab_of_write = []
    results, unset = [], 0
    with here:
        for _, error in failslab.positions(
                lambda n: rtnetlink.move("d", there)):
            results.append(error)
            if error:
                continue
            with there:  # the kernel moves it whatever we say
                available = has_files("d")
                unset += not available
                counters = there.counters()
                equal(("d", "received") in counters, available, "counters")
                equal(counters.get(("d", "unavailable")),
                      None if available else 1, "unavailable")
                if not available:
                    check('srcroute_unavailable{device="d"} 1' in
                          there.run([METRICS]).split("\n"), "metrics")
                    tried_again(there, failslab_of_write)
                equal(rtnetlink.move("d", here), 0, "moved back")
            check(has_files("d"), "files after the move back")
    print("# %d of %d left it without settings" % (unset, len(results)))
    check(unset, "none has failed")
    outcome("a write that tries again", failslab_of_write)
    equal(there.sysctl(CONF + "d/lsrr"), "1", "the last move")


@test("Interface: a write that tries again waits for whoever changes interfaces")
def tried_again_in_company():
    beneath_module()
    here, there, busy = space("here"), space("there"), space("busy")
    here.ip("link add name d type dummy")

    def change():
        with busy:
            rtnetlink.add_dummy("x")
            rtnetlink.delete("x")
    beside(change)
    for number in range(1, 21):
        with here, failslab.nth(1):
            equal(rtnetlink.move("d", there), 0, "errno of the move")
        with there:
            check(not has_files("d"), "files without memory")
            equal(write(CONF + "all/mark", str(number)), 0, "errno of the write")
            equal(there.sysctl(CONF + "d/mark"), str(number), "mark")
            equal(rtnetlink.move("d", here), 0, "errno of the way back")


@test("Interface: an interface keeps its settings while the end of another one "
      "that had its ifindex is told a second time")
def second_end():
    loaded()
    ns = space("end")
    ns.ip("link add name was index 4711 type dummy")
    with ns:
        module.load(HOLDDEV, "name=was")
    try:
        with ns:
            deletion = start(lambda: rtnetlink.delete("was"))
            wait_until(lambda: not has_files("was"))
        ns.ip("link add name now index 4711 type dummy")
        ns.sysctl(CONF + "now/lsrr", 3)
        time.sleep(3)  # the kernel tells of it each second until it is gone
        equal(ns.sysctl(CONF + "now/lsrr"), "3", "its setting")
        check(("now", "received") in ns.counters(), "counters")
    finally:
        module.remove("holddev")
    equal(result(deletion), 0, "errno of the deletion")


# Settings

def write(path, value):
    """errno of a write."""
    try:
        fd = os.open(path, os.O_WRONLY)
        try:
            os.write(fd, value.encode())
        finally:
            os.close(fd)
    except OSError as error:
        return error.errno
    return 0


def write_in_turn(ns, path, before, after):
    results = []
    with ns:
        for _, error in failslab.positions(lambda n: write(path, after)):
            results.append(error)
            equal(ns.sysctl(path), before if error else after, path)
            equal(write(path, before), 0, "taking it back")
        equal(ns.sysctl(path), after, path)
        equal(write(path, before), 0, "taking it back")
    return results


@test("Interface: each allocation of a write to a setting fails in turn: "
      "ENOMEM, the value stays, the next write works")
def settings():
    beneath_module()
    ns = space("settings")
    ns.ip("link add name d type dummy")
    for path in "all/lsrr", "all/ssrr", "d/lsrr", "d/ssrr":
        outcome(path, write_in_turn(ns, CONF + path, "0", "1"))


@test("Interface: a write that needs no hooks allocates nothing")
def settings_without_allocation():
    beneath_module()
    ns = space("settings")
    ns.sysctl(CONF + "lo/ssrr", 1)
    for path, before, after in (("all/mark", "0", "7"),
                                ("default/lsrr", "0", "1"),
                                ("lo/lsrr", "0", "1"),
                                ("lo/revisit", "1", "0")):
        equal(write_in_turn(ns, CONF + path, before, after), [], path)


# The hot path

HIT = ip(SRC, A, lsrr(FAR))
ADVANCED = edit(HIT, dst=FAR, options=lsrr(B, ptr=8), ttl=63)


def receive(datagram):
    """In the context of this process, as failslab needs it."""
    wire = bench().wires["a"]
    inject(bench().router, "a", wire.to + wire.own + b"\x08\0" + datagram, 1)


def each_position(datagram, right, wrong, counter):
    """What comes out is right or, if an allocation has failed, one of those
    that are wrong; it is counted once in any case. Returns the numbers of
    positions and of wrong outputs."""
    beneath_module()
    b, number, bad = bench(), 0, 0
    b.collect()
    b.exchange("a", datagram)  # the kernel keeps the route that it takes
    b.moved()
    for number, _ in failslab.positions(lambda n: receive(datagram)):
        out, moved = b.collect(), b.moved()
        check(out == right or out in wrong, "position %d: %s" % (number, out))
        equal(moved.get("received"), 1, "position %d: received" % number)
        bad += out != right
        expect(b.exchange("a", datagram), right)
        equal(b.moved().get(counter), 1, counter)
    expect(b.collect(), right)  # of the last try
    equal(b.moved().get(counter), 1, counter)
    print("# %d allocations, %d of them needed" % (number, bad))
    return number, bad


def tap():
    """tcpdump on the interface of arrival: datagrams are shared with it."""
    with bench().router:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                             socket.htons(0x0800))
        sock.bind(("a", 0x0800))
    ktap.cleanup(sock.close)


@test("H7: a hit needs no allocation")
def hot_path():
    bench().set(lsrr=1, ssrr=1)
    equal(each_position(HIT, {"b": [ADVANCED]}, [], "hop"), (0, 0),
          "allocations")


@test("H7: a hit that a tap has a share in fails cleanly for want of memory")
def shared_hit():
    bench().set(lsrr=1, ssrr=1)
    tap()
    number, bad = each_position(HIT, {"b": [ADVANCED]}, [{}], "hop")
    check(number and bad, "nothing has failed")


@test("S, H9: compiling options of a shared datagram fails as no_memory")
def shared_record():
    bench().set(lsrr=1, ssrr=1)
    tap()
    sent = ip(SRC, A, lsrr(FAR) + record(2))
    right = edit(sent, dst=FAR, ttl=63,
                 options=lsrr(B, ptr=8) + record(2, [B]))
    before = bench().router.counters()["a", "no_memory"]
    number, bad = each_position(sent, {"b": [right]}, [{}], "hop")
    check(number and bad, "nothing has failed")
    check(bench().router.counters()["a", "no_memory"] > before, "no_memory")


@test("H8, H9: a complete datagram with a Record Route that is shared")
def shared_complete():
    bench().set(lsrr=1, ssrr=1)
    tap()
    sent = ip(SRC, A, lsrr(FAR, ptr=8) + record(2))
    number, _ = each_position(sent, {}, [], "local")
    check(number, "nothing has failed")


@test("I1: a refusal whose error finds no memory is counted all the same")
def refusal():
    bench().set(lsrr=1, ssrr=1)
    sent = ip(SRC, A, lsrr("127.0.0.1"))
    bench().send("a", sent)
    error = bench().collect()["a"][0]
    beneath_module()
    b, results = bench(), []
    b.moved()
    for _ in failslab.positions(lambda n: receive(sent)):
        results.append(len(b.collect().get("a", ())))
        equal(b.moved(), {"received": 1, "bad_next": 1}, "counters")
    out = b.collect()["a"]
    equal([packet.Error(d).quote for d in out], [packet.Error(error).quote],
          "the error in the end")
    print("# %d allocations, %d of them needed" % (len(results),
                                                   results.count(0)))
    check(0 in results, "nothing has failed")


@test("H13: a hit that IPsec policies are asked about needs no allocation, "
      "its MTU included")
def ipsec():
    b = bench()
    b.set(lsrr=1, ssrr=1)
    ktap.cleanup(b.router.ip, "xfrm policy flush")
    b.router.ip("xfrm policy add dir out src 10.1.0.0/16 dst 10.77.0.0/16 "
                "action block")
    for frag in 0, 0x4000:  # DF: for its MTU they are asked beforehand
        sent = ip(SRC, A, lsrr(FAR), frag=frag)
        wanted = edit(sent, dst=FAR, options=lsrr(B, ptr=8), ttl=63)
        equal(each_position(sent, {"b": [wanted]}, [], "hop"), (0, 0),
              "allocations")


@test("I4: the error about a next hop that does not answer is lost for want "
      "of memory, and nothing else")
def late_error():
    """The kernel sends it from a timer, where positions cannot be counted: once
    the datagram waits, all allocations beneath the module fail, or none."""
    b = bench()
    b.set(lsrr=1, ssrr=1)
    b.configure("net.ipv4.neigh.b.mcast_solicit", 5)  # seconds
    ktap.cleanup(b.neighbour, "b", NEXT)

    def neighbour():
        return b.router.run("ip neigh show to %s dev b" % NEXT)

    beneath_module()
    ktap.cleanup(failslab.always, False)
    for fails in True, False:
        b.router.ip("neigh del %s dev b" % NEXT)
        failslab.always(False)
        b.moved()
        b.send("a", HIT)
        # Not the neighbour's state: ip(8) may take longer than it lasts.
        wait_until(lambda: "hop" in b.moved(), what="a hit that waits")
        failslab.always(fails)
        wait_until(lambda: "FAILED" in neighbour(), 30,
                   "a neighbour given up")
        out = b.collect()
        if not fails or out:
            equal([(link, packet.Error(d).code, len(packet.Packet(d).options
                                                    .strip(b"\1\0")))
                   for link in out for d in out[link]], [("a", 1, 0)],
                  "errors")


@test("Interface: each allocation of a read of /proc/net/srcroute fails in "
      "turn")
def reading():
    def read(number):
        try:
            fd = os.open("/proc/thread-self/net/srcroute", os.O_RDONLY)
            try:
                os.read(fd, 1 << 16)
            finally:
                os.close(fd)
        except OSError as error:
            return error.errno
        return 0

    failslab.beneath(failslab.function("proc_reg_open"))
    with bench().router:
        outcome("read", [r for _, r in failslab.positions(read)])


if __name__ == "__main__":
    ktap.main(close)
