#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""scripts/lab/here: the lab of docs/lab.md on a machine with nf_srcroute loaded, of which
nothing is left, whatever ends it. In a guest of scripts/bed/vm.
"""

import os
import signal
import subprocess
import time

from lib import ktap, lab, page
from lib.ktap import check, equal, fail, test
from lib.netns import sh, wait_until
from lib.terminal import Terminal

HERE = os.path.join(lab.TOP, "scripts/lab/here")
PROMPT = r"lab# $"
INTERRUPTED = 130


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return [int(word) for word in file.read().split()]
    except OSError:  # it has ended
        return []


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child] + descendants(child)
    return found


def name_of(pid):
    try:
        with open("/proc/%d/comm" % pid) as file:
            return file.read().strip()
    except OSError:
        return ""


def processes():
    """All but the kernel's own, and those that are gone but for their status."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink("/proc/%s/exe" % pid):
                found.append(name_of(int(pid)))
        except OSError:
            pass
    return sorted(found)


def files(*places):
    """{name: when it was written} of all in the places."""
    found = {}
    for place in places:
        for directory, _, names in os.walk(place):
            for name in [".", *names]:
                path = os.path.join(directory, name)
                found[path] = os.lstat(path).st_mtime_ns
    return found


def namespaces():
    """Of all processes, of each kind."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for kind in "mnt", "net", "pid":
            try:
                found.add(os.readlink("/proc/%s/ns/%s" % (pid, kind)))
            except OSError:
                pass
    return found


def machine():
    """All of this machine that a lab could leave something in."""
    with open("/proc/self/mounts") as mounts, open("/etc/hosts") as hosts:
        return {"processes": processes(), "mounts": mounts.read(), "hosts": hosts.read(),
                "namespaces": namespaces(),
                "links": sh("ip -o link"), "netns": sh("ip netns list"),
                "routes": sh("ip route show table all"),
                "files": files("/run", "/tmp", "/root", "/var/tmp", "/dev/shm"),
                "counters": sh("cut -d ' ' -f 1 /proc/net/srcroute | sort -u"),
                "sysctl": sh("cd /proc/sys/net && grep -rs . ipv4/ip_forward ipv4/conf "
                             "ipv4/srcroute ipv6/conf | grep -v stable_secret")}


# Settings of the machine that a new namespace would take over.
for SCOPE in "all", "default":
    for KEY in "accept_source_route", "rp_filter":
        with open("/proc/sys/net/ipv4/conf/%s/%s" % (SCOPE, KEY), "w") as FILE:
            FILE.write("1\n")
BEFORE = machine()


def differences():
    now = machine()
    return {key: (BEFORE[key], now[key]) for key in BEFORE if now[key] != BEFORE[key]}


def gone(how=""):
    try:
        wait_until(lambda: not differences(), 60, "nothing is left")
    except TimeoutError:
        fail("%s left: %s" % (how, differences()))


class Here(Terminal):
    """The lab on a terminal, whose leader it is, or that of a shell which starts it."""

    def __init__(self, *command):
        super().__init__(*(command or (HERE,)))

    def interrupt(self, pattern):
        """Ctrl-C, as a human types it: one that comes between the prompt and the moment when
        bash reads, it loses itself."""
        time.sleep(1)
        self.type("\x03")
        self.wait_for(pattern, 30)

    def ask(self, text):
        """Type a line at the prompt; what comes out."""
        self.type(text + "\n")
        return self.wait_for(PROMPT).replace("\r\n", "\n")

    def find(self, name):
        return next(pid for pid in descendants(self.pid) if name_of(pid) == name)

    def keeper(self):
        return self.pid

    def init(self):
        return children(self.pid)[0]


@test("Interface: scripts/lab/here runs a command in the lab, with its exit status, and "
      "nothing is left")
def command():
    done = subprocess.run(
        [HERE, "sh", "-c", "on h1 probe -g r6 h2 && capture h2 dst h2 && on h1 probe h2 && "
         "show h2 && on h1 probe -g r4 h2; ls /tmp /run; ip -o link; exit 7"], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=400)
    for wanted in ("reply from 10.3.0.102", "ICMP echo request", "nothing came back",
                   "h2.pcap", "lab\n", "1: lo:"):
        check(wanted in done.stdout, "no %r, but %s" % (wanted, done.stdout))
    check("\n2: " not in done.stdout, done.stdout)
    equal(done.returncode, 7, "exit status")
    gone()


@test("Interface: ... a shell on a terminal, where exercise 1 comes out as docs/lab.md says; "
      "Ctrl-C is the shell's, and the command's that runs")
def shell():
    place = Here()
    check(page.the_map() in place.wait_for(PROMPT).replace("\r\n", "\n"), place.shown)
    commands, wanted = page.exercises()[0].steps()[0]
    said = "".join(place.ask(line) for line in commands.split("\n"))
    check("10.0.56.6" in said and wanted.split("\n")[0] in said, said)
    for _ in range(3):
        place.type("on h1 ")
        place.interrupt(r"\^C\r?\n" + PROMPT)
    # A command that Ctrl-C ends, on a node and not; another that is stopped and goes on.
    for words in "sleep 1000", "on h1 sleep 1000", "birdc r1":
        place.type(words + "\n")
        wait_until(lambda: words.split()[-2][:5] in
                   [name_of(pid)[:5] for pid in descendants(place.pid)], 30, words)
        place.interrupt(PROMPT)
        if words.startswith("birdc"):  # asks nobody for a status of Ctrl-C
            continue
        check("130" in place.ask("echo $?"), place.shown)
    place.type("sleep 1000\n")
    wait_until(lambda: "sleep" in map(name_of, descendants(place.pid)), 30, "sleep")
    place.type("\x1a")
    place.wait_for("Stopped")
    place.wait_for(PROMPT)
    place.type("fg\n")
    place.interrupt(r"\^C(.|\n)*" + PROMPT)
    place.type("exit\n")
    equal(place.end(), 0, "exit status")
    gone()


@test("Interface: ... started by a shell, which has its terminal back afterwards, and by make")
def started_by_a_shell():
    # Not an interactive one, which would take the terminal back by itself.
    place = Here("bash", "-c", "trap : INT; %s sh -c 'read -r line; echo in $line'; stty -a; "
                     "read -r line; echo out $line" % HERE)
    wait_until(lambda: any(name_of(pid) == "sh" for pid in descendants(place.pid)), 300, "sh")
    place.type("one\n")
    place.wait_for("in one")
    place.wait_for(r" echo ")
    place.type("two\n")
    place.wait_for("out two", 30)
    equal(place.end(), 0, "exit status")
    place = Here("make", "-s", "-C", lab.TOP, "lab", "HERE=1")
    place.wait_for(PROMPT)
    place.interrupt(r"\^C\r?\n" + PROMPT)
    place.type("exit\n")
    equal(place.end(), 0, "exit status of make")
    gone()


@test("Interface: ... nothing is left after Ctrl-C or the end of the terminal while it starts, "
      "whenever that is")
def interrupted():
    for number, delay in enumerate((0.1, 0.2, 0.3, 0.5, 0.6, 0.8, 1, 1.2, 1.5, 1.8, 2.2, 3, 5)):
        place = Here()
        time.sleep(delay)
        if number % 2:
            place.close()
            pid, place.pid = place.pid, None
            os.waitpid(pid, 0)
        else:
            place.type("\x03")
            # Python says so itself, until it has begun with our first line.
            status = place.end()
            check(status == INTERRUPTED or "lab:" not in place.shown and
                  "KeyboardInterrupt" in place.shown,
                  "%s s: exit status %d, %s" % (delay, status, place.shown))
        gone("after %s s" % delay)
    place = Here()
    place.wait_for("are linked")
    place.type("\x03")
    equal(place.end(), INTERRUPTED, "exit status")
    gone()


@test("Interface: ... nor after the end of any process of it, of several labs at a time")
def killed():
    ways = {"keeper": lambda place: os.kill(place.keeper(), signal.SIGKILL),
            "keeper by SIGTERM": lambda place: os.kill(place.keeper(), signal.SIGTERM),
            "init": lambda place: os.kill(place.init(), signal.SIGKILL),
            "guest": lambda place: os.kill(place.find("guest"), signal.SIGKILL),
            "shell": lambda place: os.kill(place.find("bash"), signal.SIGKILL),
            "terminal": Here.close}
    places = {way: Here() for way in ways}
    for place in places.values():
        place.wait_for(PROMPT, 500)
    check({"processes", "namespaces"} <= set(differences()), "nothing is there")
    for way, place in places.items():
        check("reply" in place.ask("on h1 probe -w 30 -g r6 h2"), place.shown)
        place.type("on h1 sleep 1000 &\non r2 sleep 1000\n")
        wait_until(lambda: [name_of(pid) for pid in descendants(place.pid)].count("sleep") == 2,
                   60, "sleep")
        ours = len(namespaces())
        ways[way](place)
        if way == "terminal":
            pid, place.pid = place.pid, None
            os.waitpid(pid, 0)
        else:
            place.end()
        wait_until(lambda: len(namespaces()) < ours, 60, "the namespaces go: " + way)
    gone()


@test("Interface: ... SIGKILL while it starts leaves nothing either")
def killed_while_it_starts():
    for delay in (0.1, 0.3, 0.5, 0.8, 1.2, 2, 4):
        place = Here()
        time.sleep(delay)
        os.kill(place.pid, signal.SIGKILL)
        place.end()
        gone("after %s s" % delay)


@test("Interface: ... without the module, root, a terminal or a right option it says so")
def refused():
    nobody = ["setpriv", "--reuid", "65534", "--clear-groups"]
    no_module = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /proc/$$/net && '
                 'exec "$@"', "sh"]
    unable = ["setpriv", "--bounding-set", "-sys_admin"]
    for words, before, code, said in (
            ([], [], 2, "terminal"), (["-x"], [], 2, "-x"), (["true"], nobody, 3, "sudo"),
            (["true"], no_module, 4, "modprobe"), (["true"], unable, 3, "namespaces"),
            (["nonsuch"], [], 127, "nonsuch: No such file")):
        done = subprocess.run([*before, HERE, *words], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        equal((done.returncode, words), (code, words), done.stdout)
        check(said in done.stdout and done.stdout.count("\n") == 1, done.stdout)


if __name__ == "__main__":
    ktap.main()
