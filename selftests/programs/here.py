#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""scripts/lab/here: the lab of docs/lab.md on a machine with nf_srcroute loaded, of which
nothing is left, whatever ends it. In a guest of scripts/bed/vm.
"""

import os
import pty
import re
import select
import signal
import subprocess
import time

from lib import ktap, lab, page
from lib.ktap import check, equal, fail, test
from lib.netns import sh, wait_until

HERE = os.path.join(lab.TOP, "scripts/lab/here")


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return [int(word) for word in file.read().split()]


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child] + descendants(child)
    return found


def name_of(pid):
    with open("/proc/%d/comm" % pid) as file:
        return file.read().strip()


def machine():
    """All of this machine that a lab could leave something in."""
    names = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink("/proc/%s/exe" % pid):  # the kernel's own have none
                names.append(name_of(int(pid)))
        except OSError:
            pass
    with open("/proc/self/mounts") as mounts, open("/etc/hosts") as hosts:
        return {"processes": sorted(names), "mounts": mounts.read(), "hosts": hosts.read(),
                "links": sh("ip -o link | cut -d: -f2"), "netns": sh("ip netns list"),
                "run": sorted(os.listdir("/run")), "tmp": sorted(os.listdir("/tmp")),
                "counters": sh("cut -d ' ' -f 1 /proc/net/srcroute | sort -u"),
                "sysctl": sh("cd /proc/sys/net/ipv4 && grep -r . ip_forward conf/all "
                             "conf/default srcroute")}


def gone(before):
    def same():
        now = machine()
        return all(now[key] == before[key] for key in before)
    try:
        wait_until(same, 30, "nothing is left")
    except TimeoutError:
        now = machine()
        fail("left: %s" % {key: (before[key], now[key]) for key in before
                           if now[key] != before[key]})


class Terminal:
    """The lab on a terminal."""

    def __init__(self):
        self.shown = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "dumb"
            os.execv(HERE, [HERE])
        ktap.cleanup(self._end)

    def wait_for(self, pattern, seconds=200):
        end, seen = time.monotonic() + seconds, len(self.shown)
        while not re.search(pattern, self.shown[seen:]):
            left = max(0, end - time.monotonic())
            if not select.select([self.fd], [], [], left)[0]:
                fail("no %r, but %r" % (pattern, self.shown))
            self.shown += os.read(self.fd, 65536).decode()

    def type(self, text):
        os.write(self.fd, text.encode())

    def find(self, name):
        return next(pid for pid in descendants(self.pid) if name_of(pid) == name)

    def end(self):
        """Its exit status, or minus the signal."""
        pid, self.pid = self.pid, None
        while select.select([self.fd], [], [], 30)[0]:
            try:
                self.shown += os.read(self.fd, 65536).decode()
            except OSError:  # nobody has the other end any more
                break
        status = os.waitpid(pid, 0)[1]
        return -(status & 127) or status >> 8

    def _end(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


@test("Interface: scripts/lab/here runs a command in the lab, with its exit status, and "
      "nothing is left")
def command():
    before = machine()
    done = subprocess.run([HERE, "sh", "-c", "on h1 probe -g r6 h2 && capture h2 dst h2 && "
                           "on h1 probe h2 && show h2 && ls /tmp && exit 7"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    check("reply from 10.3.0.102" in done.stdout and "ICMP echo request" in done.stdout and
          "h2.pcap" in done.stdout, done.stdout)
    equal(done.returncode, 7, "exit status")
    gone(before)


@test("Interface: ... a shell on a terminal, where exercise 1 comes out as docs/lab.md says")
def shell():
    before = machine()
    place = Terminal()
    place.wait_for(r"lab# ")
    check(page.the_map() in place.shown.replace("\r\n", "\n"), place.shown)
    commands, wanted = page.exercises()[0].steps()[0]
    for line in commands.split("\n"):
        place.type(line + "\n")
        place.wait_for(r"lab# ")
    said = place.shown.replace("\r\n", "\n")
    check("10.0.56.6" in said and wanted.split("\n")[0] in said, said)
    # Ctrl-C at the prompt is the shell's.
    place.type("\x03")
    place.wait_for(r"lab# ")
    place.type("exit\n")
    equal(place.end(), 0, "exit status")
    gone(before)


@test("Interface: ... nothing is left after Ctrl-C while it starts")
def interrupted():
    before = machine()
    place = Terminal()
    place.wait_for("are linked")
    place.type("\x03")
    equal(place.end(), 130, "exit status")
    gone(before)


@test("Interface: ... nor after SIGKILL of what was started, of its first process, of the "
      "shell, or when the terminal is closed")
def killed():
    before = machine()
    for kill in ("unshare", "here", "guest", "bash", "terminal"):
        place = Terminal()
        place.wait_for(r"lab# ")
        check(machine() != before, "nothing is there")
        if kill == "terminal":
            os.kill(place.find("bash"), 0)
            os.close(place.fd)
            place.fd = os.open("/dev/null", os.O_RDONLY)
            pid, place.pid = place.pid, None
            os.waitpid(pid, 0)
        else:
            os.kill(place.pid if kill == "unshare" else place.find(kill), signal.SIGKILL)
            place.end()
        gone(before)


@test("Interface: ... without the module, a terminal or a right option it says so")
def refused():
    for words, before, code, said in (
            ([], [], 2, "terminal"), (["-x"], [], 2, "-x"),
            (["true"], ["setpriv", "--reuid", "65534", "--clear-groups"], 3, "root")):
        done = subprocess.run([*before, HERE, *words], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        equal((done.returncode, words), (code, words), done.stdout)
        check(said in done.stdout and done.stdout.count("\n") == 1, done.stdout)


if __name__ == "__main__":
    ktap.main()
