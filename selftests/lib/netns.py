# SPDX-License-Identifier: GPL-2.0-only
"""Network namespaces for tests: unique names, nothing left, nothing else
touched.
"""

import atexit
import contextlib
import ctypes
import fcntl
import os
import select
import socket
import struct
import subprocess
import time

from . import iproute, packet, rtnetlink

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET, _MS_BIND, _MNT_DETACH = 0x40000000, 0x1000, 2
_PLACES = "/run/netns"  # ip-netns(8)
_ETH_IP = 0x0800
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_alive = []


def _call(name, *args):
    if getattr(_libc, name)(*args):
        raise OSError(ctypes.get_errno(), name)


def _setns(fd):
    _call("setns", fd, _CLONE_NEWNET)


def _unshare(back):
    """A new namespace; this process returns to another."""
    _call("unshare", _CLONE_NEWNET)
    try:
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    finally:
        _setns(back)


def sh(command, check=True, **options):
    """Run a command line; its output is in the exception if it fails."""
    done = subprocess.run(command, shell=isinstance(command, str), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **options)
    if check and done.returncode:
        raise RuntimeError("%s: exit %d: %s" % (command, done.returncode,
                                                done.stdout.strip()))
    return done.stdout


def wait_until(true, seconds=10, what="condition"):
    """Poll, because a fixed sleep is too short on some machine."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("%s: not within %d s" % (what, seconds))
        time.sleep(0.02)


def error_of(function, *args):
    """The errno that it fails with, 0 if it does not."""
    try:
        function(*args)
    except OSError as error:
        return error.errno
    return 0


def _is_mounted(place):
    """os.path.ismount() does not know a directory that is mounted on itself."""
    with open("/proc/self/mountinfo") as mounts:
        return any(line.split()[4] == place for line in mounts)


class Netns:
    """A namespace. `with ns:` moves this process into it, and back."""

    _count = 0
    _deletions = 0  # of interfaces, or whole namespaces of them
    _inside = [os.open("/proc/self/ns/net", os.O_RDONLY)]

    def __init__(self, label, name=None):
        Netns._count += 1
        self.name = name or "srr-%d-%d-%s" % (os.getpid(), Netns._count, label)
        self.label = label
        self._place = os.path.join(_PLACES, self.name)
        self._ip, self._deletions_seen = None, 0
        self._make()
        _alive.append(self)
        self.up("lo")
        # Nothing on the wire that a test has not sent.
        for scope in "all", "default":
            self.sysctl("net.ipv6.conf.%s.disable_ipv6" % scope, 1)
        # The kernel's limits on ICMP are not what is tested.
        self.sysctl("net.ipv4.icmp_ratelimit", 0)

    def _make(self):
        """As ip(8) does it, but for the start of ip(8), which takes ten times
        as long; a machine's first is left to it, to prepare the places."""
        if not _is_mounted(_PLACES):
            sh(["ip", "netns", "add", self.name])
            self._fd = os.open(self._place, os.O_RDONLY)
            return
        os.close(os.open(self._place, os.O_CREAT | os.O_EXCL, 0))
        self._fd = _unshare(self._inside[-1])
        _call("mount", b"/proc/self/fd/%d" % self._fd, self._place.encode(),
              None, _MS_BIND, None)

    def _unmake(self):
        os.close(self._fd)
        _call("umount2", self._place.encode(), _MNT_DETACH)
        os.unlink(self._place)

    def fileno(self):
        return self._fd

    def __enter__(self):
        self._inside.append(self._fd)
        _setns(self._fd)
        return self

    def __exit__(self, *_):
        self._inside.pop()
        _setns(self._inside[-1])

    def close(self):
        if self in _alive:
            _alive.remove(self)
            self._end_ip()
            self._unmake()
            Netns._deletions += 1

    def wait_for_ports(self, *ports):
        """A bridge discards until the kernel has noticed that a port's link is up."""
        for port in ports:
            wait_until(lambda: "state forwarding" in self.run(
                "bridge link show dev " + port), what="port " + port)

    def up(self, dev):
        with self, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            request = struct.pack("16sH14x", dev.encode(), _IFF_UP)
            fcntl.ioctl(s, _SIOCSIFFLAGS, request)

    def ip(self, *lines):
        """Commands of ip(8), without the "ip"."""
        if not lines:
            return
        if not self._ip or not self._ip.usable() or \
                self._deletions_seen != Netns._deletions:
            self._end_ip()
            with self:
                self._ip = iproute.Batch()
            self._deletions_seen = Netns._deletions
        # A veth pair that goes is gone in another namespace, too.
        Netns._deletions += any("link del " in line for line in lines)
        self._ip.run(*lines)

    def _end_ip(self):
        if self._ip:
            self._ip.end()
            self._ip = None

    def run(self, command, check=True, **options):
        with self:
            return sh(command, check=check, **options)

    def popen(self, command, **options):
        with self:
            return subprocess.Popen(command, shell=isinstance(command, str),
                                    text=True, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, **options)

    @contextlib.contextmanager
    def open(self, path, mode="r"):
        """A file of /proc as this namespace sees it."""
        path = path.replace("/proc/net", "/proc/thread-self/net")
        with self:
            with open(path, mode) as file:
                yield file

    @staticmethod
    def _path(key):
        return "/proc/sys/" + key.replace(".", "/")

    def sysctl(self, key, value=None):
        """Read or write; a dot in an interface name is written as a slash is
        elsewhere: pass the path with slashes then."""
        path = key if key.startswith("/") else self._path(key)
        if value is None:
            with self.open(path) as file:
                return file.read().strip()
        with self:
            fd = os.open(path, os.O_WRONLY)
            try:
                os.write(fd, ("%s\n" % value).encode())
            finally:
                os.close(fd)

    def counters(self):
        """{(interface, counter): value} of /proc/net/srcroute."""
        with self.open("/proc/net/srcroute") as file:
            rows = [line.split() for line in file]
        return {(row[0], row[1]): int(row[2]) for row in rows}


class Fleeting(Netns):
    """One without a name, that this process alone knows."""

    def _make(self):
        self._fd = _unshare(self._inside[-1])

    def _unmake(self):
        os.close(self._fd)


@atexit.register
def _close_all():
    for ns in list(_alive):
        ns.close()


def cable(ns1, name1, ns2, name2, *lines, **options):
    """A veth pair between two namespaces, both ends up and sending; and what else
    ip(8) shall do in the first."""
    extra = " ".join("%s %s" % item for item in options.items())
    ns1.ip("link add name %s up %s type veth peer name %s netns %s" % (
        name1, extra, name2, ns2.name), *lines)
    ns2.up(name2)
    with ns1:
        wait_until(lambda: rtnetlink.carries(name1), what="carrier of " + name1)


def _hwaddr(dev):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        answer = fcntl.ioctl(s, 0x8927, struct.pack("256s", dev.encode()))
    return answer[18:24].hex()


class Wire:
    """The far end of a link: frames go in and come out as octets."""

    def __init__(self, ns, dev, to, ethertype=_ETH_IP):
        self.to, self.dev = to, dev
        with ns:
            self.own = bytes.fromhex(_hwaddr(dev))
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                      socket.htons(ethertype))
            self.sock.bind((dev, ethertype))
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)

    def send(self, datagram, to=None):
        self.sock.send((to or self.to) + self.own +
                       _ETH_IP.to_bytes(2, "big") + datagram)

    def receive(self, seconds):
        """The next frame's datagram, or None."""
        if not select.select([self.sock], [], [], seconds)[0]:
            return None
        frame = self.sock.recv(65536)
        length = int.from_bytes(frame[16:18], "big")
        return frame[14:14 + length]


class Bench:
    """A router on a bench: every link of it ends in a test socket.

    Neighbours are permanent entries, so that nothing but datagrams is on the
    wires. link() makes a link named X with the router's addresses; the far end
    answers for whatever address neighbour() or link() names.

    Silence is told from slowness by a marker: an ordinary datagram, sent after
    the one under test along the same queue, that comes out of every link.
    """

    MARKER = "192.0.2.1"

    def __init__(self, label="router"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self.router = Netns(label)
        self.world = Netns("world")
        self.wires = {}
        self._serial = 0
        self.router.sysctl("net.ipv4.ip_forward", 1)
        self.router.sysctl("net.ipv4.conf.all.rp_filter", 0)
        self.router.sysctl("net.ipv4.conf.default.rp_filter", 0)
        self.link("marker", "192.0.2.254/31")
        self._sinks = {}
        self._sinks_made = 0

    def close(self):
        for wire in self.wires.values():
            wire.sock.close()
        self.router.close()
        self.world.close()

    def link(self, name, *addresses, peers=()):
        cable(self.router, name, self.world, name,
              *["addr add %s dev %s" % (a, name) for a in addresses])
        self.attach(name, peers)

    def unlink(self, name):
        self.wires.pop(name).sock.close()
        self._sinks.pop(name, None)
        self.router.ip("link del dev " + name)

    def attach(self, name, peers=()):
        with self.router:
            own = bytes.fromhex(_hwaddr(name))
        self.wires[name] = Wire(self.world, name, own)
        self.neighbour(name, *peers)

    def neighbour(self, name, *addresses):
        self.router.ip(*self._neighbours(name, addresses))

    def _neighbours(self, name, addresses):
        far = self.wires[name].own.hex(":")
        return ["neigh replace %s lladdr %s dev %s nud permanent"
                % (a, far, name) for a in addresses]

    def sink(self, name):
        """Where the marker of a link goes: a host route of its own."""
        if name not in self._sinks:
            self._sinks_made += 1
            sink = "192.0.3.%d" % self._sinks_made
            self._sinks[name] = sink
            self.router.ip("route add %s/32 dev %s scope link" % (sink, name),
                           *self._neighbours(name, [sink]))
        return self._sinks[name]

    def send(self, name, *datagrams, to=None):
        for datagram in datagrams:
            self.wires[name].send(datagram, to)

    def collect(self):
        """{link: [datagrams]} of what has come out; links without any are
        left out."""
        self._serial += 1
        payload = b"marker%d" % self._serial
        for name in self.wires:
            self.wires["marker"].send(packet.ip(
                self.MARKER, self.sink(name), payload=payload, proto=253))
        out = {name: self._until_mark(name, payload) for name in self.wires}
        return {name: got for name, got in out.items() if got}

    def _until_mark(self, name, payload):
        source, got = packet.addr(self.MARKER), []
        while True:
            datagram = self.wires[name].receive(5)
            if datagram is None:
                raise TimeoutError("no marker on link %s" % name)
            if datagram[12:16] == source and datagram[20:] == payload:
                return got
            # An old marker, or that it is sent back by the link that it is on.
            if source not in (datagram[12:16], datagram[16:20]):
                got.append(datagram)

    def exchange(self, name, *datagrams, to=None):
        self.send(name, *datagrams, to=to)
        return self.collect()

    def set(self, **values):
        """Settings of srcroute for all interfaces: set(lsrr=1)."""
        for key, value in values.items():
            self.router.sysctl("net.ipv4.srcroute.conf.all." + key, value)
