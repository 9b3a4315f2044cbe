# SPDX-License-Identifier: GPL-2.0-only
"""What /proc and /sys say. What cannot be read is noted, with the reason."""

import os

SETTINGS = ("lsrr", "ssrr", "nonlocal", "revisit", "reverse_errors", "mark")
COUNTERS = "/proc/net/srcroute"
_CONF = "/proc/sys/net/ipv4/srcroute/"
_IPV4 = "/proc/sys/net/ipv4/"


class System:

    def __init__(self):
        self.unread = []  # (what, why)

    def note(self, what, why):
        if (what, why) not in self.unread:
            self.unread.append((what, why))

    def read(self, path):
        """A file's text, or None if there is no such file or it cannot be read."""
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read().strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.note(path, error.strerror)
            return None

    def number(self, path, otherwise=0):
        text = self.read(path)
        try:
            return int(text)
        except (TypeError, ValueError):
            return otherwise

    @staticmethod
    def loaded():
        return os.path.exists(COUNTERS)

    @staticmethod
    def kernel():
        return os.uname().release

    def version(self):
        """Of the module."""
        return self.read("/sys/module/nf_srcroute/version") or ""

    def router_id(self):
        return self.read(_CONF + "router_id") or "0.0.0.0"

    def settings(self, name):
        """{setting: value} of an interface, {} if it has none."""
        home = os.path.join(_CONF, "conf", name)
        if not os.path.isdir(home):
            return {}
        return {key: self.number(os.path.join(home, key)) for key in SETTINGS}

    def ipv4(self, name, key):
        """net.ipv4.conf.NAME.KEY"""
        return self.number(os.path.join(_IPV4, "conf", name, key))

    def accepts(self, name):
        """Does the kernel accept_source_route by this interface?"""
        return bool(self.ipv4("all", "accept_source_route") and
                    self.ipv4(name, "accept_source_route"))

    def forwards(self, name):
        return bool(self.ipv4(name, "forwarding"))

    def rp_filter(self, name):
        return max(self.ipv4("all", "rp_filter"), self.ipv4(name, "rp_filter"))

    def ip_forward(self):
        return bool(self.number(_IPV4 + "ip_forward"))

    def bridge_calls_iptables(self):
        return bool(self.number("/proc/sys/net/bridge/bridge-nf-call-iptables"))

    def counters(self):
        """{interface: {counter: value}}, in the order of the file."""
        found = {}
        for line in (self.read(COUNTERS) or "").split("\n"):
            words = line.split()
            if len(words) == 3 and words[2].isdigit():
                found.setdefault(words[0], {})[words[1]] = int(words[2])
        return found
