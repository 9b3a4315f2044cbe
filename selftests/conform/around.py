# SPDX-License-Identifier: GPL-2.0-only
"""What is around a device: a namespace of its own, one for the tester, two cables
between them.

The namespaces have no names and end with the last process in them, however that
ends; a device ends with the process that has started it.
"""

import atexit
import ctypes
import os
import signal
import subprocess

from lib.netns import Fleeting, sh

HERE = os.path.dirname(os.path.abspath(__file__))
IN, OUT = "in0", "out0"  # the tester's ends
PORTS = "dut0", "dut1"  # the device's
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def end_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def end_at_signals():
    """Let SIGTERM do what Ctrl-C does, in the background too: end the run, no single
    test, and what is registered to be ended."""
    for number in signal.SIGINT, signal.SIGTERM:
        signal.signal(number, signal.default_int_handler)


class Place:
    """Two namespaces with cables between them."""

    def __init__(self, label, mtus=(1500, 1500)):
        self.tester, self.inner = Fleeting("tester"), Fleeting(label)
        for near, far, mtu in zip((IN, OUT), PORTS, mtus):
            with self.tester:
                sh("ip link add %s mtu %d type veth peer name %s mtu %d netns "
                   "/proc/%d/fd/%d" % (near, mtu, far, mtu, os.getpid(),
                                       self.inner.fileno()))
            self.tester.up(near)
            self.inner.up(far)

    def close(self):
        for ns in self.tester, self.inner:
            ns.close()


class Device(Place):
    """device.py with these addresses on its two ports."""

    def __init__(self, addresses, routes=(), *words, mtus=(1500, 1500)):
        super().__init__("device", mtus)
        self.command = [os.path.join(HERE, "device.py")]
        for port, texts in zip(PORTS, addresses):
            self.command += ["--port", "%s=%s" % (port, ",".join(texts))]
        for prefix, target in routes:
            self.command += ["--route", "%s=%s" % (prefix, target)]
        self.command += words
        with self.inner:
            self._process = subprocess.Popen(self.command, stdout=subprocess.PIPE,
                                             text=True, preexec_fn=end_with_parent)
        atexit.register(self.close)
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("the device does not start: %s" % self.command)

    @property
    def pid(self):
        return self._process.pid

    def alive(self):
        return self._process.poll() is None

    def close(self):
        if self.alive():
            self._process.terminate()
        self._process.wait()
        self._process.stdout.close()
        atexit.unregister(self.close)
        super().close()


class Native(Place):
    """This machine's kernel, which forwards and acts on source routes."""

    def __init__(self, addresses, routes=(), mtus=(1500, 1500)):
        super().__init__("native", mtus)
        for key, value in (("ip_forward", 1), ("icmp_msgs_per_sec", 100000),
                           ("icmp_msgs_burst", 10000)):
            self._set("net.ipv4." + key, value)
        for name in ("all", "default", *PORTS):
            for key, value in (("accept_source_route", 1), ("rp_filter", 0)):
                self._set("net.ipv4.conf.%s.%s" % (name, key), value)
        for port, texts in zip(PORTS, addresses):
            for text in texts:
                self.inner.run("ip addr add %s dev %s" % (text, port))
        for prefix, target in routes:
            if target[0].isdigit():
                self.inner.run("ip route add %s via %s" % (prefix, target))
            else:
                self.inner.run("ip route add %s %s" % (target, prefix))

    def _set(self, key, value):
        try:
            self.inner.sysctl(key, value)
        except FileNotFoundError:  # a limit that belongs to the machine on this kernel
            pass
