# SPDX-License-Identifier: GPL-2.0-only
"""A device to try it on, without a second machine: this machine's Linux in a network
namespace, and the tester in another one.

    tester  jin ---- in  device  out ---- jout

Needs root for the namespaces. They have names of their own and are gone afterwards.
"""

import os
import subprocess
import sys

from . import config
from .plan import Plan

NAMES = "srconform-%d-dut", "srconform-%d-tester"


def _run(*words, check=True):
    try:
        done = subprocess.run(words, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
    except FileNotFoundError:
        raise OSError("%s is missing: the lab needs ip and sysctl, of iproute2 and procps" %
                      words[0]) from None
    if check and done.returncode:
        raise OSError("%s: %s" % (" ".join(words), done.stdout.strip()))
    return done.returncode


class Lab:
    """The two namespaces, as a context. Without `kernel` the device's interfaces are
    only up, for a program that forwards by packet sockets."""

    def __init__(self, plan=None, extra=(), kernel=True):
        self.plan, self.extra, self.kernel = plan or Plan(), extra, kernel
        self.dut, self.tester = [name % os.getpid() for name in NAMES]

    def __enter__(self):
        try:
            self._make()
        except OSError:
            self.__exit__()
            raise
        return self

    def _make(self):
        for name in self.dut, self.tester:
            _run("ip", "netns", "add", name)
            for scope in "all", "default":
                self.inside(name, "sysctl", "-qw",
                            "net.ipv6.conf.%s.disable_ipv6=1" % scope, check=False)
        for there, here in ("in", "jin"), ("out", "jout"):
            _run("ip", "link", "add", "name", there, "netns", self.dut, "type", "veth",
                 "peer", "name", here, "netns", self.tester)
            self.inside(self.tester, "ip", "link", "set", here, "up")
        for line in config.linux(self.plan, ["in", "out"]) + list(self.extra):
            if not self.kernel and not line.startswith("ip link"):
                continue
            words = line.replace("sysctl -w", "sysctl -qw").split()
            # Which of these exist depends on the kernel.
            self.inside(self.dut, *words, check="icmp_msgs" not in line)

    @staticmethod
    def inside(name, *words, check=True):
        return _run("ip", "netns", "exec", name, *words, check=check)

    def __exit__(self, *_):
        for name in self.dut, self.tester:
            _run("ip", "netns", "del", name, check=False)


def _settings(words):
    """(`--sysctl NAME=VALUE` as commands, the other words)."""
    commands, rest, words = [], [], list(words)
    while words:
        word = words.pop(0)
        if word == "--sysctl" and words:
            commands.append("sysctl -w " + words.pop(0))
        else:
            rest.append(word)
    return commands, rest


def main(words):
    """srconform lab [--sysctl NAME=VALUE]... [options of run]: run it there."""
    if os.geteuid():
        print("srconform: the lab needs root, for network namespaces", file=sys.stderr)
        return 3
    extra, words = _settings(words)
    program = os.path.join(os.path.dirname(os.path.realpath(__file__)), "srconform")
    try:
        with Lab(extra=extra) as lab:
            return subprocess.run(
                ["ip", "netns", "exec", lab.tester, program, "run", "--in", "jin", "--out",
                 "jout", "--name", "Linux %s" % os.uname().release] + words,
                check=False).returncode
    except OSError as error:
        print("srconform: %s" % error, file=sys.stderr)
        return 4
