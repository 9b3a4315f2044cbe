# SPDX-License-Identifier: GPL-2.0-only
"""The router that selftests/life/hooks.py throws datagrams at, and the program that
throws them (selftests/hooks/throw.c).

It is that of lib/corpus.py, and has a device of its own for each way in, so that
the counters of each are apart. Nobody listens to what it sends.

    q1 to q8     datagrams that a queue puts others in the place of:
                 PRE_ROUTING ahead of our hooks, between them, after all others;
                 FORWARD ahead of ours and behind; POST_ROUTING; ICMP errors
    qt           as they are, by a tap, in pieces
    g1 v1 i1     out of GRE, VXLAN and IPIP, which arrive on tg, tv and ti
    t4 t46 tx    out of SRv6: End.DT4 and End.DT46 into VRFs, End.DX4
    px           the way out, of what is only to be forwarded
"""

import subprocess

from . import corpus
from .field import Field
from .netns import Wire
from .nft import nft

THROW = "out/hooks/throw"
HARDWARE = "02:00:00:00:f0:01"  # as frames.c has it
EXIT, ASKED = "10.50.0.2", "10.1.0.77"
FIRST, LAST = -(1 << 31), (1 << 31) - 1
KEYS = "lsrr", "ssrr", "nonlocal", "revisit", "reverse_errors", "mark"


class Way:
    """A way in. Its datagrams count for the interfaces `counted`, where they
    count at all; exact: each of them does, or comes out behind our hooks."""

    def __init__(self, name, kind, device, weight, counted, *, queue=0,
                 exact=False, own=corpus.OWN, tunnel=()):
        self.name, self.kind, self.device = name, kind, device
        self.weight, self.counted, self.queue = weight, counted, queue
        self.exact, self.own, self.tunnel = exact, own, tunnel


WAYS = (
    Way("first", "pre", "q1", 10, ["q1"], queue=1, exact=True),
    Way("between", "pre", "q2", 10, ["q2"], queue=2, exact=True),
    Way("last", "pre", "q3", 10, ["q3"], queue=3, exact=True),
    Way("forward", "forward", "q4", 10, ["q4"], queue=4),
    Way("forward-behind", "forward-behind", "q5", 4, ["q5"], queue=5),
    Way("post", "post", "q6", 4, ["q6"], queue=6),
    Way("output", "raw", "-", 10, [], queue=7),
    Way("errors", "errors", "q8", 8, ["q8"], queue=8),
    Way("output-behind", "output-behind", "-", 4, [], queue=9),
    Way("tap", "tap", "qt", 10, ["qt"], exact=True),
    Way("gre", "gre", "tg", 6, ["g1"], exact=True,
        tunnel=("10.30.0.1", "10.30.0.2")),
    Way("vxlan", "vxlan", "tv", 6, ["v1"], exact=True,
        tunnel=("10.30.1.1", "10.30.1.2")),
    Way("ipip", "ipip", "ti", 6, ["i1"], exact=True,
        tunnel=("10.30.2.1", "10.30.2.2")),
    Way("dt4", "srv6", "t4", 10, ["t4", "vrf4"], exact=True,
        own=("10.40.4.1", "10.40.4.1") + corpus.OWN[:3], tunnel=("fd00:4::d",)),
    Way("dt46", "srv6", "t46", 10, ["t46", "vrf46"], exact=True,
        own=("10.40.46.1", "10.40.46.1") + corpus.OWN[:3],
        tunnel=("fd00:46::d",)),
    Way("dx4", "srv6", "tx", 4, ["tx"], exact=True, tunnel=("fd00:10::d",)),
)
LISTENED = ("qt", "g1", "v1", "i1", "vrf4", "vrf46")
TUNNELS = (("g1", "gre", "tg"), ("i1", "ipip", "ti"),
           ("v1", "vxlan id 7 dstport 4789 nolearning", "tv"))
VRFS = (("4", "4 vrftable 104"), ("46", "46 vrftable 146"))


def _way(name):
    return next(way for way in WAYS if way.name == name)


def _marked(name):
    """The rule that tells the datagrams of a way that sends; see throw.c."""
    return "meta mark & 0xff000000 == 0x%x" % (
        0x40 + WAYS.index(_way(name)) << 24)


def _behind():
    """Where datagrams are looked at. Those of PRE_ROUTING have to be there
    before our hooks are: of hooks with one priority the last comes first."""
    devices = [dev for way in WAYS for dev in way.counted
               if way.exact and dev not in ("t4", "t46")]
    return """
table ip behind {
  chain pre { type filter hook prerouting priority %d;
    iifname { %s } queue num 100; }
  chain forward { type filter hook forward priority %d;
    iifname q4 queue num 101; }
  chain output { type filter hook output priority %d;
    %s queue num 102
    %s queue num 102; }
  chain post { type filter hook postrouting priority 50;
    iifname q5 queue num 103
    %s queue num 103; }
}""" % (LAST, ", ".join(devices), FIRST + 1, FIRST + 1, _marked("output"),
        _marked("errors"), _marked("output-behind"))


def _ahead():
    return """
table ip ahead {
  chain first { type filter hook prerouting priority -500;
    iifname q1 queue num 1; }
  chain between { type filter hook prerouting priority -100;
    iifname q2 queue num 2; }
  chain last { type filter hook prerouting priority %d;
    iifname q3 queue num 3; }
  chain forward { type filter hook forward priority %d;
    iifname q4 queue num 4; }
  chain behind { type filter hook forward priority 0;
    iifname q5 queue num 5; }
  chain post { type filter hook postrouting priority 0;
    iifname q6 queue num 6; }
  chain output { type filter hook output priority %d;
    %s queue num 7
    ip daddr %s ip protocol icmp queue num 8; }
  chain outward { type filter hook output priority 0;
    %s queue num 9; }
}""" % (LAST, FIRST, FIRST, _marked("output"), ASKED, _marked("output-behind"))


def ways(names):
    """Those, or all."""
    return [way for way in WAYS if way.name in names or not names]


class Thrower(Field):

    def __init__(self, label, seed, chosen, checked):
        """checked: the kernel checks what queues give back."""
        super().__init__(label)
        self._chosen = chosen
        self._deaf()
        with self.router:
            self._program = subprocess.Popen(
                [THROW, str(seed)], text=True, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE)
        self._tell_ways()
        self._exit()
        self._tunnels()
        self._segments()
        self._ask_nobody()
        for device in LISTENED:
            self._say("listen", device)
        self._say("leaving", "px")
        nft(self.router, _behind())
        # One that always has its setting on, so that the hooks stay.
        self.setting("marker", lsrr=1)
        nft(self.router, _ahead())
        self.ask("queues", int(checked))

    def close(self):
        self._program.stdin.close()
        self._program.wait()
        super().close()

    def _deaf(self):
        """Not even the far ends: their time is the router's."""
        for name, wire in self.wires.items():
            self.wires[name] = Wire(self.world, name, wire.to, 0)
            wire.sock.close()
        self.world.ip(*["link set dev %s address 02:00:00:00:66:%02x" % (
            name, i) for i, name in enumerate(self.wires)])

    def _say(self, *words):
        self._program.stdin.write(" ".join(map(str, words)) + "\n")
        self._program.stdin.flush()

    def ask(self, *words):
        """The lines of the answer."""
        self._say(*words)
        self._say("done")
        lines = []
        for line in self._program.stdout:
            if line == "done\n":
                return lines
            lines.append(line.rstrip())
        raise RuntimeError("throw has ended, status %s; it said: %s" % (
            self._program.wait(), lines))

    def _tell_ways(self):
        self._say("pool near", *corpus.NEIGHBOURS + corpus.FAR +
                  corpus.DIRECT)
        self._say("pool odd", *corpus.NOWHERE + corpus.BROADCAST +
                  corpus.WEIRD)
        self._say("pool exit", EXIT)
        self._say("pool asked", ASKED)
        for way in WAYS:
            self._say("way", way.name, way.kind, way.device, way.queue,
                      way.weight if way in self._chosen else 0)
            self._say("own", way.name, *way.own)
            if way.tunnel:
                self._say("tunnel", way.name, *way.tunnel)
        self.ask()
        self.router.ip(*["link set dev %s address %s up" % (
            way.device, HARDWARE) for way in WAYS if way.device != "-"])

    def _ways_out(self, device, *addresses):
        self.router.ip(*["neigh replace %s lladdr 02:00:00:00:f0:03 dev %s "
                         "nud permanent" % (a, device) for a in addresses])

    def _ask_nobody(self):
        """Or datagrams would wait for an answer."""
        places = self.router.run("ls /proc/sys/net/ipv4/neigh").split()
        for key in "mcast_solicit", "ucast_solicit", "app_solicit":
            for place in places:
                self.router.sysctl("net.ipv4.neigh.%s.%s" % (place, key), 0)

    def _exit(self):
        self.router.ip("link add px type dummy", "link set px up",
                       "addr add 10.50.0.1/24 dev px")
        self._ways_out("px", EXIT)
        self._ways_out("a", ASKED)

    def _tunnels(self):
        for (device, kind, tap) in TUNNELS:
            here, there = next(way.tunnel for way in WAYS
                               if way.device == tap)
            kind = kind.split(" ", 1)
            self.router.ip(
                "addr add %s/24 dev %s" % (here, tap),
                "link add %s type %s local %s remote %s %s" % (
                    device, kind[0], here, there, " ".join(kind[1:])),
                "link set %s up" % device)
        self.router.ip("link set v1 address " + HARDWARE)

    def _segments(self):
        for device in "all", "default", "t4", "t46", "tx":
            for key, value in ("disable_ipv6", 0), ("seg6_enabled", 1):
                self.router.sysctl("net.ipv6.conf.%s.%s" % (device, key),
                                   value)
        # Or End.DX4 passes PRE_ROUTING by.
        self.router.sysctl("net.netfilter.nf_hooks_lwtunnel", 1)
        for number, behaviour in VRFS:
            table = "1%02d" % int(number)
            vrf, out = "vrf" + number, "d" + number
            gateway = "10.40.%s.2" % number
            self.router.ip(
                "link add %s type vrf table %s" % (vrf, table),
                "link set %s up" % vrf,
                "link add %s type dummy" % out)
            # Or End.DT4 is not to be had.
            self.router.sysctl("net.vrf.strict_mode", 1)
            self.router.ip(
                "link set %s master %s up" % (out, vrf),
                "addr add 10.40.%s.1/24 dev %s" % (number, out),
                "route add default via %s dev %s table %s" % (
                    gateway, out, table),
                "route add fd00:%s::d/128 encap seg6local action End.DT%s "
                "dev %s" % (number, behaviour, vrf))
            self._ways_out(out, gateway)
        self.router.ip("route add fd00:10::d/128 encap seg6local action "
                       "End.DX4 nh4 %s dev tx" % EXIT)

    def setting(self, device, **values):
        for key, value in values.items():
            self.router.sysctl("net.ipv4.srcroute.conf.%s.%s" % (device, key),
                               value)

    def choose(self, dice):
        """Other settings for every way in."""
        for way in WAYS:
            values = {
                "lsrr": dice.choice((0, 1, 1, 1, 1, 2, 3)),
                "ssrr": dice.choice((0, 1, 1, 1, 1, 2, 3)),
                "nonlocal": dice.choice((1, 1, 0)),
                "revisit": dice.choice((1, 1, 0)),
                "reverse_errors": dice.randrange(2),
                "mark": dice.choice((0, 0, dice.getrandbits(32)))}
            if way.kind == "errors":
                values.update(lsrr=1, mark=0)
            for device in way.counted:
                self.setting(device, **values)
            self._say("setting", way.name, values["lsrr"], values["ssrr"])
