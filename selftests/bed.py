#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Does the test bed notice? What selftests/judge makes of results, and
scripts/bed/splats of a kernel's messages; and what is said of what cannot work. Runs on
any machine, without the module.
"""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap

from lib import ktap
from lib.ktap import check, equal, test
from lib.mirror import Bed

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
JUDGE = os.path.join(HERE, "judge")
HEADERS = os.path.abspath(os.path.join(HERE, "../scripts/headers"))
SETUP = os.path.join(HERE, "../scripts/setup")
SPLATS = os.path.join(HERE, "../scripts/bed/splats")


def answer(command, text=""):
    """Its exit status and what it says."""
    done = subprocess.run(command, input=text, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def judged(text):
    """The exit status and the count of a document."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        status, said = answer([JUDGE, file.name])
    return status, said.splitlines()[-1]


WHOLE = """\
KTAP version 1
1..2
  KTAP version 1
  1..3
  # a note
    1..2
    ok 1 - one
    ok 2 - two
  ok 1 both
  ok 2 - by itself
    1..1
    ok 1 alone
    1..1
    ok 1 alone again
  ok 3 two runs
ok 1 a part
ok 2 another
"""


@test("The run: results are counted where there are none below them")
def counted():
    equal(judged(WHOLE), (0, "6 passed, 0 failed"), "whole")
    for old, new, count in (
            ("ok 2 - two", "not ok 2 - two", "5 passed, 1 failed"),
            ("ok 1 both", "not ok 1 both", "6 passed, 1 failed"),
            ("ok 1 a part", "not ok 1 a part", "6 passed, 1 failed"),
            ("ok 2 another", "not ok 2 another", "5 passed, 1 failed")):
        equal(judged(WHOLE.replace(old, new)), (1, count), new)
    # One failure, of which each level above tells too.
    told = WHOLE.replace("ok 2 - two", "not ok 2 - two").replace(
        "ok 1 both", "not ok 1 both").replace(
        "ok 1 a part", "not ok 1 a part")
    equal(judged(told), (1, "5 passed, 1 failed"), "told")


@test("The run: a list that ends early fails, wherever it ends")
def ends_early():
    lines = WHOLE.splitlines(keepends=True)
    for number in range(len(lines)):
        for ending in "", "Terminated\n", "Killed\n", "ok\n":
            status, count = judged("".join(lines[:number]) + ending)
            check(status and not count.endswith(" 0 failed"),
                  "%d lines: %s" % (number, count))


@test("The run: a result that is left out, doubled or out of turn fails")
def out_of_turn():
    lines = WHOLE.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if "ok " not in line and "1.." not in line:
            continue
        # A plan twice is a list that has not begun.
        for text in (lines[:number] + lines[number + 1:],
                     lines[:number + 1] + lines[number:]):
            status, count = judged("".join(text))
            check(status, "line %d: %s: %s" % (number, line.strip(), count))


@test("The run: `Bail out!` and a skip fail, in any case and at any depth")
def bail_and_skip():
    for old, new in (
            ("  # a note", "  Bail out! the module is gone"),
            ("  # a note", "BAIL OUT!"), ("ok 1 a part", "bail out!"),
            ("- two", "- two # SKIP"), ("- two", "- two # skip no such tool"),
            ("- two", "- two #Skip"), ("ok 2 another", "ok 2 another # SKIP")):
        status, count = judged(WHOLE.replace(old, new))
        check(status and not count.endswith(" 0 failed"),
              "%s: %s" % (new, count))
    equal(judged(WHOLE.replace("- two", "- a route that others skip")),
          (0, "6 passed, 0 failed"), "a name")


@test("The run: what a kernel lacks is neither passed nor failed, if that is all of the "
      "reason, and never a failure less")
def kernel_lacks():
    lacking = "- two # SKIP the kernel lacks a hook"
    equal(judged(WHOLE.replace("- two", lacking)), (0, "5 passed, 0 failed"),
          "one")
    for old, new in (("ok 2 - two", "not ok 2 " + lacking),
                     ("- two", "- two # SKIP the kernel lacks "),
                     ("- two", "- two # SKIP the host lacks a tool")):
        status, count = judged(WHOLE.replace(old, new))
        check(status and not count.endswith(" 0 failed"),
              "%s: %s" % (new, count))


def file_of_tests(*bodies):
    """What selftests/run sees of a file with these tests."""
    text = "import os, signal, sys\nsys.path.insert(0, %r)\n" % HERE
    text += "from lib import ktap\n"
    for number, body in enumerate(bodies):
        text += "@ktap.test('test %d')\ndef t%d():\n" % (number, number)
        text += textwrap.indent(body, "    ") + "\n"
    text += "ktap.main()\n"
    run = subprocess.run([sys.executable, "-c", text], text=True, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    status, said = answer([JUDGE, "--indent"], run.stdout)
    return run.returncode, status, said


@test("The run: a test that ends its file is a failure, and the others run")
def exits():
    equal(file_of_tests("pass", "pass")[:2], (0, 0), "two that pass")
    for body in "sys.exit(0)", "sys.exit()", "raise SystemExit":
        own, status, said = file_of_tests("pass", body, "pass")
        check(own and status, "%s: %s" % (body, said))
        check("not ok 2 test 1" in said and "ok 3 test 2" in said, said)
    _, status, said = file_of_tests("ktap.lacks('this')", "ktap.lacks('that')")
    check(not status and said.count("# SKIP the kernel lacks th") == 2, said)
    # What it has changed must be undone all the same.
    _, status, said = file_of_tests("ktap.cleanup(ktap.fail, 'left')\n"
                                    "ktap.lacks('this')", "pass")
    check(status and "not ok 1" in said and "SKIP" not in said, said)
    for body in "os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)":
        _, status, said = file_of_tests("pass", body, "pass")
        check(status and "1 of 3 results" in said, "%s: %s" % (body, said))


@test("The run: a failure that is found by the tests' own library fails one test, "
      "and the others run")
def fails_in_library():
    for body in ("ktap.cleanup(ktap.fail, 'afterwards')",
                 "ktap.cleanup(ktap.equal, 1, 2)", "ktap.fail('at once')"):
        own, status, said = file_of_tests(body, "pass")
        check(own and status, "%s: %s" % (body, said))
        check("not ok 1 test 0" in said and "ok 2 test 1" in said, said)


COMPLAINTS = """\
WARNING: CPU: 0 PID: 1 at net/core/skbuff.c:6 skb_release_head_state+0x5/0x10
WARNING: possible recursive locking detected
BUG: unable to handle page fault for address: ffffa1b2
BUG: KASAN: slab-out-of-bounds in f+0x1/0x2 [nf_srcroute]
BUG kmalloc-64 (Tainted: G           OE     ): Poison overwritten
BUG: Bad page state in process python3  pfn:01234
kernel BUG at net/core/skbuff.c:192!
invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
Oops: invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
------------[ cut here ]------------
general protection fault, probably for non-canonical address 0xdead
Kernel panic - not syncing: Fatal exception in interrupt
Call Trace:
RIP: 0010:nf_hook_slow+0x1/0x2
sysctl duplicate entry: /net/ipv4/srcroute/conf/all//lsrr
sysctl could not get directory: /net/ipv4/srcroute -17
sysctl could not get directory: /net/ipv4/srcroute/conf/a -2
sysctl table check failed: net/ipv4/srcroute/conf/lsrr No proc_handler
INFO: trying to register non-static key.
INFO: task kworker/0:1:9 blocked for more than 120 seconds.
INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: INFO: rcu_preempt self-detected stall on CPU
INFO: Slab 0x1 objects=21 used=1 fp=0x2 flags=0x3
watchdog: BUG: soft lockup - CPU#0 stuck for 22s!
WARNING: suspicious RCU usage
BUG: sleeping function called from invalid context at mm/slab.h:3
BUG: scheduling while atomic: python3/12/0x00000200
refcount_t: underflow; use-after-free.
UBSAN: array-index-out-of-bounds in kmod/option.c:12:3
kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
unreferenced object 0xffff888 (size 64):
unregister_netdevice: waiting for a to become free. Usage count = 2
ref_tracker: net notrefcnt@0xffff has 1/1 users at
kobject_add_internal failed for x with -EEXIST, don't try to register
sysfs: cannot create duplicate filename '/module/nf_srcroute'
proc_dir_entry 'net/srcroute' already registered
python3: page allocation failure: order:5, mode:0x40cc0
list_add corruption. prev->next should be next
skbuff: skb_over_panic: text:ffff len:1 put:1 head:ffff data:ffff
kmem_cache_destroy nf_srcroute: Slab cache still has objects remaining
ODEBUG: free active (active state 0) object: 1 object type: timer_list
nf_srcroute: Unknown symbol ip_route_input_noref (err -2)
Kernel stack guard page was hit
double fault: 0000 [#1] PREEMPT SMP
""".splitlines()

HARMLESS = """\
sysctl could not get directory: /net/ipv4/srcroute/conf/a -12
Linux version 6.12.117+deb12-amd64 (debian-kernel@lists.debian.org)
ACPI: Using ACPI (MADT) for SMP configuration information
Yama: disabled by default; enable with sysctl kernel.yama.*
acpi PNP0A03:00: fail to add MMCONFIG information, can't access
nf_srcroute: loading out-of-tree module taints kernel.
nf_srcroute: module verification failed: signature and/or required key missing
nf_srcroute: srcroute: IN=a SRC=10.1.0.2 DST=10.1.0.1: bad_next, ICMP 3/5
kmemleak: Kernel memory leak detector initialized (mem pool available: 15)
""".splitlines()
LAST = "vm: the command has ended"


def complaints(lines, last=LAST):
    with tempfile.NamedTemporaryFile("w") as file:
        # As a serial console ends them.
        file.writelines("[    1.5] %s\r\n" % line for line in lines)
        file.flush()
        status, said = answer([SPLATS, file.name] + [last] * bool(last))
    return said if status else ""


@test("The run: each complaint of a kernel is noticed by itself")
def noticed():
    for line in COMPLAINTS:
        said = complaints(HARMLESS + [line, LAST])
        check(line in said, "not noticed: " + line)


@test("The run: what is no complaint passes; an empty log, or one that breaks off, "
      "does not")
def whole_log():
    equal(complaints(HARMLESS + [LAST]), "", "harmless")
    equal(complaints(HARMLESS, ""), "", "harmless, of another machine")
    for lines, last in ([], ""), ([], LAST), (HARMLESS, LAST), ([LAST[:9]], ""):
        check("is not whole" in complaints(lines, last), "%d lines" % len(lines))


def read(path):
    with open(os.path.join(TOP, path)) as file:
        return file.read()


def kernel_headers(home, machine="X86", gcc=100000, variables=""):
    """A tree that looks like one, for a machine that the kernel calls so."""
    os.makedirs(home + "/include/config")
    for path, text in (("Makefile", "%:\n\t@false\n"), (".kernelvariables", variables),
                       ("include/config/kernel.release", "6.99\n"),
                       ("include/config/auto.conf",
                        "CONFIG_%s=y\nCONFIG_GCC_VERSION=%d\n" % (machine, gcc))):
        with open("%s/%s" % (home, path), "w") as file:
            file.write(text)
    return home


def one_line(command, wanted, **options):
    """It fails, and all that it says is one sentence."""
    done = subprocess.run(command, text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    check(done.returncode and wanted in done.stdout and
          done.stdout.count("\n") == 1, "%s: %d: %s" % (command, done.returncode,
                                                        done.stdout))


def fake_compiler(home, version):
    """One for x86-64, of this version."""
    path = home + "/gcc"
    with open(path, "w") as file:
        file.write("#!/bin/sh\ncase $1 in -dumpmachine) echo x86_64-linux-gnu ;; "
                   "*) echo %s ;; esac\n" % version)
    os.chmod(path, 0o755)
    return path


@test("The run: wrong headers and compilers are told of in a sentence, before or after "
      "the build")
def bad_headers():
    with tempfile.TemporaryDirectory() as home:
        gcc = fake_compiler(home, "12.2.0")

        def asked(when, tree, cc=gcc):
            return [HEADERS, when, tree, "6.1.0-1-amd64", cc]
        good = kernel_headers(home + "/good")
        equal(answer(asked("before", good)), (0, ""), "what is in order")
        one_line(asked("before", home + "/none"), "apt install linux-headers-6.1.0-1")
        os.makedirs(home + "/source")
        with open(home + "/source/Makefile", "w"):
            pass
        one_line(asked("before", home + "/source"), "no kernel that is configured")
        arm = kernel_headers(home + "/arm", "ARM64")
        one_line(asked("before", arm), "are not for x86_64-linux-gnu")
        debian = kernel_headers(home + "/debian", variables="CC = $(if $(X),$(Y)) "
                                "$(CROSS_COMPILE)gcc-99\n")
        one_line(asked("before", debian, ""), "no compiler gcc-99")
        equal(answer(asked("before", debian)), (0, ""), "another compiler is named")
        one_line(asked("after", kernel_headers(home + "/newer", gcc=140200)),
                 "is older than the compiler of that kernel (14.2)")
        one_line(asked("after", good), "report the first error")


# What kbuild is to the module's Kbuild.
KBUILD = """
comma := ,
src := $(M)
objtree := $(CURDIR)
KERNELRELEASE := 6.99
include $(objtree)/include/config/auto.conf
include $(M)/Kbuild
modules:
	@:
"""


def told(home, exported, options):
    """What make says of such a kernel to somebody who builds the module, line by line."""
    with open(home + "/kernel/Module.symvers", "w") as file:
        file.writelines("0x0\t%s\tvmlinux\tEXPORT_SYMBOL\n" % name for name in exported)
    with open(home + "/kernel/include/config/auto.conf", "w") as file:
        file.writelines("CONFIG_%s=y\n" % name for name in ["X86", *options])
    status, said = answer(["make", "-C", home + "/module", "KDIR=%s/kernel" % home,
                           "CC=%s/gcc" % home])
    lines = [line for line in said.splitlines() if "srcroute: " in line]
    check(bool(status) == bool(lines), said)
    return lines


@test("The run: each function that a kernel does not export, and each option that it was "
      "built without, is named once, before the compiler is started")
def not_exported():
    calls = re.findall(r"^srcroute_calls [:+]= ((?:.*\\\n)*.*)", read("Kbuild"), re.M)
    calls = " ".join(calls).replace("\\\n", " ").split()
    options = re.search(r"^srcroute_config := (.*)", read("Kbuild"), re.M)[1].split()
    optional = ["IP_MULTIPLE_TABLES", "XFRM", "NF_CONNTRACK", "NET_L3_MASTER_DEV",
                "SKB_EXTENSIONS", "RETPOLINE", "IPV6", "MODULES"]
    with tempfile.TemporaryDirectory() as home:
        fake_compiler(home, "12.2.0")
        with open(kernel_headers(home + "/kernel") + "/Makefile", "w") as file:
            file.write(KBUILD)
        for path in "Makefile", "Kbuild", "scripts/headers", "debian/changelog":
            os.makedirs(os.path.dirname("%s/module/%s" % (home, path)), exist_ok=True)
            shutil.copy(os.path.join(TOP, path), "%s/module/%s" % (home, path))
        for choice in 0, -1:
            equal(told(home, [one.split("|")[choice] for one in calls],
                       options + optional), [], "a kernel that has all")
        for lacking in calls:
            line, = told(home, {one for other in calls if other != lacking
                                for one in other.split("|")}, options + optional)
            check(line.endswith("Linux 6.99 does not export %s(), which the module calls.  "
                                "Stop." % lacking.split("|")[0]), line)
        for lacking in options:
            line, = told(home, [one.split("|")[0] for one in calls],
                         [one for one in options if one != lacking] + optional)
            check(line.endswith("Linux 6.99 is built without CONFIG_%s, which the module "
                                "needs.  Stop." % lacking), line)
        equal(told(home, [one.split("|")[0] for one in calls
                          if one not in ("xfrm_lookup", "nf_conntrack_destroy")],
                   options + ["MODULES", "IPV6"]), [], "a kernel without what is optional")


@test("The run: a tree that cannot be written to, and a full disk, are told of")
def bad_disk():
    with tempfile.TemporaryDirectory() as home:
        good, gcc = kernel_headers(home + "/good"), fake_compiler(home, "12.2.0")
        for mount, when, wanted in (("ro", "before", "cannot be written to"),
                                    ("size=16k", "after", "the disk is full")):
            os.makedirs("%s/%s" % (home, when))
            one_line(["unshare", "--mount", "sh", "-c",
                      "mount -t tmpfs -o %s tmpfs %s/%s && cd %s/%s && exec %s %s %s x "
                      "%s" % (mount, home, when, home, when, HEADERS, when, good, gcc)],
                     wanted)


@test("The run: without a network, what is there is enough, and what is not is named")
def no_network():
    with tempfile.TemporaryDirectory() as home:
        for name, text in ("apt-get", "exit 100"), ("dpkg-query", ":"):
            with open("%s/%s" % (home, name), "w") as file:
                file.write("#!/bin/sh\n%s\n" % text)
            os.chmod("%s/%s" % (home, name), 0o755)
        status, said = answer(["env", "PATH=%s:%s" % (home, os.environ["PATH"]), SETUP,
                               "python"])
        check(status and said.endswith("could not install, for the reason above: "
                                       "python3\n"), said)
        equal(answer(["unshare", "--net", SETUP, "python"]), (0, ""), "all is there")


ARCH = answer(["dpkg", "--print-architecture"])[1].strip()


def kernel_of(bed, name):
    """The release that the name stands for, if all of it is there."""
    place = "%s/%s/" % (bed.kernels, name)
    if not os.path.exists(place + "release"):
        return None
    check(os.path.exists(place + "image") and os.path.isdir(place + "headers") and
          os.path.exists(place + "suite"), "%s: %s" % (place, os.listdir(place)))
    with open(place + "release") as file:
        return file.read().strip()


def with_kernel(series="7.3.1"):
    """A bed, the kernel that its mirror has in backports, and that kernel's packages."""
    bed, release = Bed(), "%s-%s" % (series, ARCH)
    bed.kernel("trixie-backports", release)
    return bed, release, {name + "_1_all.deb" for name in (
        "linux-headers-" + release, "linux-image-" + release,
        "linux-headers-%s-common" % series)}


@test("The run: newest is the higher release of backports and sid that has an image, and "
      "no other kernel than that of its role")
def newest_kernel():
    bed, release, _ = with_kernel()
    bed.kernel("sid", "7.2.9-" + ARCH)
    bed.kernel("sid", "7.4.0-" + ARCH, image=False)
    equal(bed.works("fetch-kernel", "--roles", "newest", "backports", "stable"),
          ["backports", "stable"], "roles")
    bed.works("fetch-kernel", "newest")
    equal([kernel_of(bed, name) for name in ("newest", "backports", "unstable")],
          [release, release, None], "kernels")
    equal(os.readlink(bed.kernels + "/newest"), "backports", "link")
    bed.kernel("sid", "7.10.1-" + ARCH)
    os.remove(bed.kernels + "/newest")
    bed.works("fetch-kernel", "newest")
    equal(kernel_of(bed, "newest"), "7.10.1-" + ARCH, "7.10 is newer than 7.3")
    bed.switch("down")
    equal(bed.works("fetch-kernel", "--roles", "newest"), ["unstable"], "no mirror")
    roles = bed.works("fetch-kernel", "--roles")
    check({"backports", "unstable"} < set(roles) and "newest" not in roles, roles)


@test("The run: a kernel that is not to be had, a mirror that does not answer and a full "
      "disk are told of in a line, and nothing is left of the kernel")
def no_kernel():
    bed, _, packages = with_kernel()
    bed.fails("fetch-kernel", "9.9", wanted="no kernel 9.9 (trixie trixie-backports sid): "
              "no kernel with headers in sid")
    bed.fails("fetch-kernel", "eldest", wanted="no role 'eldest'")
    bed.switch("down")
    for name in "backports", "newest":
        bed.fails("fetch-kernel", name, wanted="does not answer: 404  Not Found")
    bed.switch("down", False)
    for room in "100k", "300k":
        bed.fails("fetch-kernel", "backports", wanted="No space left", room=room)
    equal([name for name in os.listdir(bed.kernels) if name[-4:] != ".log"], ["lock"],
          "left")
    equal(bed.done().count(max(packages)), 1, "fits at 300k, and not at 100k")


def goes_on(bed, command, downloads, *stops):
    """Killed at each of the stops, then run: what has been downloaded is kept."""
    for at, by in itertools.product(stops, (signal.SIGTERM, signal.SIGKILL)):
        # Where there is but one to download, it is there after the first time.
        if at != "apt-get" or len(set(downloads) - set(bed.done(keep=True))) > 0:
            bed.killed(*command, at=at, by=by)
            yield by
    before = bed.done()
    bed.works(*command)
    equal(sorted(before + bed.done()), sorted(downloads), "downloaded")


@test("The run: a kernel goes on where its download or its unpacking was killed")
def interrupted_kernel():
    bed, release, packages = with_kernel()
    command = "fetch-kernel", "backports"
    for _ in goes_on(bed, command, packages, "apt-get", "tar"):
        equal(kernel_of(bed, "backports"), None, "half a kernel")
    equal(kernel_of(bed, "backports"), release, "release")
    equal(set(os.listdir(bed.kernels)), {"lock", release, "backports"}, "left")


def with_source(suite="sid", series="7.3"):
    bed, package = Bed(), "linux-source-" + series
    path = "%s/%s" % (bed.home, package)
    os.makedirs(path)
    with open(path + "/Makefile", "wb") as file:
        file.write(os.urandom(200000))
    subprocess.run(["/bin/tar", "-C", bed.home, "-cJf", path + ".tar.xz", package],
                   check=True)
    bed.package(suite, package, files=["usr/src/%s.tar.xz" % package],
                content=path + ".tar.xz")
    return bed


@test("The run: a kernel's source goes on as well, and says what is wrong in a line")
def kernel_source():
    bed, command = with_source(), ("fetch-source", "newest")
    bed.switch("down")
    bed.fails(*command, wanted="does not answer: 404  Not Found")
    bed.switch("down", False)
    for room in "100k", "300k", "500k":
        bed.fails(*command, wanted="No space left", room=room)
    bed.done()
    link = bed.kernels + "/linux-source-newest"
    for _ in goes_on(bed, command, ["linux-source-7.3_1_all.deb"], "apt-get", "tar",
                     "unxz"):
        check(not os.path.exists(link), "half a source")
    check(os.path.getsize(link + "/Makefile"), "the source is not whole")
    check(not [name for name in os.listdir(bed.kernels)
               if not name.startswith("linux-source-7.3-1") and
               name != "linux-source-newest"], os.listdir(bed.kernels))
    bed.switch("down")
    equal(bed.works(*command), [bed.kernels + "/linux-source-7.3-1"], "no mirror")
    bed = Bed()
    bed.fails(*command, wanted="no suite has its linux-source")


@test("The run: a source of another release is built in a system of that, and so is what is "
      "built for it; setup knows where this machine's has none of 6.12")
def source_of_another_release():
    for suite, series, name in (("trixie", "6.12", "debug"),
                                ("sid", "7.3", "debug+newest")):
        bed = with_source(suite, series)
        bed.switch("later-release")
        bed.works("build-kernel", name)
        there = "in " + suite
        equal(bed.done(), ["linux-source-%s_1_all.deb" % series, "one", "two", there,
                           there, "configured", there, there], name)
    bed.works("kernel-make", name, "modules")
    equal(bed.done(), [there], "a module")
    with tempfile.TemporaryDirectory() as home:
        path = home + "/apt-cache"
        with open(path, "w") as file:
            file.write("#!/bin/sh\nfor word; do :; done\n[ $word = linux-source ]\n")
        os.chmod(path, 0o755)
        for task, wanted in ("lint", ["linux-source"]), ("kernel", []):
            _, said = answer(["env", "PATH=%s:%s" % (home, os.environ["PATH"]), SETUP,
                              "--names", task])
            equal([name for name in said.split() if name.startswith("linux")], wanted,
                  task)


@test("The run: setup takes a package for one that it provides in a version, and for no other "
      "whose name it has, too")
def provided():
    packages = "\n".join((
        "installed gcc, c-compiler, gcc-x86-64-linux-gnu (= 4:14.2.0-1)",
        "installed libelf1t64, libelf1 (= 0.192-4), libelf1-t64 (= 0.192-4)",
        "installed inetutils-traceroute, traceroute", "not-installed make, "))
    with tempfile.TemporaryDirectory() as home:
        for name, says in ("dpkg-query", packages), ("id", "1000"):
            with open(os.path.join(home, name), "w") as file:
                file.write("#!/bin/sh\ncat <<END\n%s\nEND\n" % says)
            os.chmod(file.name, 0o755)
        _, said = answer(["env", "PATH=%s:%s" % (home, os.environ["PATH"]), SETUP,
                          "build", "field"])
    missing = said.split(":")[-1].split()
    check("traceroute" in missing and "make" in missing, said)
    equal([name for name in ("gcc", "libelf1", "inetutils-traceroute") if name in missing],
          [], "asked for again")


@test("The run: a system of another release goes on as well, and says what is wrong in a "
      "line")
def debian_root():
    bed, command = Bed(), ("debian-root", "trixie", "gcc")
    roots = bed.tree + "/out/root"
    bed.switch("down")
    bed.fails(*command, wanted="Failed getting release file")
    bed.switch("down", False)
    bed.fails(*command, wanted="No space left", room="100k")
    bed.done()
    for by in goes_on(bed, command, ["one", "two"], "debootstrap"):
        check(not os.path.exists(roots + "/trixie"), "half a system")
        check(by == signal.SIGKILL or not os.path.exists(roots + "/trixie.new"),
              "not even taken away")
    equal(set(os.listdir(roots)), {"trixie", "trixie.lock"}, "left")
    bed.switch("down")
    equal(bed.works(*command), [roots + "/trixie"], "no mirror")


@test("The run: a system of another architecture goes on as well, and says what is wrong "
      "in a line")
def foreign_root():
    bed, command = Bed(), ("foreign-root", "s390x")
    release = "6.1.0-1-s390x"
    bed.switch("down")
    bed.fails(*command, wanted="does not answer: 404  Not Found")
    bed.switch("down", False)
    bed.fails(*command, wanted="apt knows no kernel for s390x")
    bed.package("apt", "linux-image-s390x", "linux-image-" + release)
    bed.package("apt", "linux-kbuild-6.1")
    bed.kernel("apt", release)
    bed.package("apt", "base", files=["bin/x", "usr/bin/x", "etc/x", "usr/lib/python3.1/x"])
    for room in "150k", "400k":
        bed.fails(*command, wanted="No space left", room=room)
    bed.done()
    debs = [name + "_1_all.deb" for name in (
        "base", "linux-kbuild-6.1", "linux-image-" + release, "linux-headers-" + release,
        "linux-headers-6.1.0-1-common")]
    for _ in goes_on(bed, command, debs, "apt-get", "tar"):
        check(not os.path.exists(bed.kernels + "/s390x/release"), "half a system")
    check(os.path.exists(bed.kernels + "/s390x/disk"), "no disk")


@test("The run: a kernel's build goes on where it was killed or the disk was full, unless "
      "its configuration has changed, and says what is wrong in a line")
def interrupted_build():
    bed, command = Bed(), ("build-kernel", "debug")
    source = bed.kernels + "/linux-source-6.12-6.12.1-1"
    place = bed.kernels + "/debug"
    os.makedirs(source)
    with open(source + "/.unpacked", "w"):
        pass
    bed.fails(*command, wanted="No space left", room="100k")
    bed.done()
    for by in signal.SIGTERM, signal.SIGKILL:
        bed.killed(*command, at="make", by=by)
        check(not os.path.exists(place + "/release"), "half a kernel")
    bed.switch("broken")
    bed.fails(*command, wanted="no kernel debug: two.c:1:2: error: no such thing")
    equal(bed.done(), ["configured", "kept", "kept"], "begun once")
    with open(bed.tree + "/selftests/kernel/debug.config", "a") as file:
        file.write("CONFIG_OF_ANOTHER=y\n")
    bed.fails(*command, wanted="two.c:1:2: error")
    bed.switch("broken", False)
    bed.works(*command)
    equal(bed.done(), ["configured", "kept"], "begun anew")
    equal(os.readlink(place + "/headers"), ".", "headers")
    bed.works(*command)
    equal(bed.done(), [], "there already")


@test("The run: a tree that cannot be written to is told of before anything is done")
def read_only_tree():
    for goal in "demo", "check", "kernels", "quick", "lint":
        one_line(["unshare", "--mount", "sh", "-c",
                  'mount --bind -o ro "$1" "$1" && cd "$1" && exec make -s "$2"', "sh",
                  os.path.dirname(HERE), goal], "cannot be written to")


if __name__ == "__main__":
    ktap.main()
