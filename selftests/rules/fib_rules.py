#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every selector and every action of ip-rule(8): a source route leads on by
what the rules say of an ordinary datagram to its next address, and no rule
makes an address one of ours or takes it away (H2, H4, H5, H6, T1).

                                +-------+-- b -- 10.2.0.254 (gateway)
    10.1.0.2, .3, .4, .5 -- a --|   R   |
    in GRE, keys 5, 6 --- (b) t-|       |-- c -- 10.3.0.254 (gateway)
    10.2.0.3 ------------- b ---|       |
    VRF red: 10.41.0.2 --- p ---|       |-- q -- 10.42.0.254 (gateway)
                                +-------+

Nothing here says what a rule matches. For each rule, each flow and each next
address an ordinary datagram goes along with the source routes, and its fate on
the kernel that runs is what theirs is compared with: the link that it leaves by
and the hardware address that it leaves for, an ICMP error, delivery to a
socket, or silence. All are sent at once and told apart by their identification.

Whether its route names a gateway shows in the hardware address. Every route to
a whole network without a gateway has an MTU of 600 here, so a datagram of 700
octets that must not be fragmented tells it from a route to one host.
"""

import atexit
import collections
import errno
import socket
import struct

from lib import ktap, packet, rtnetlink
from lib.ktap import check, equal, test
from lib.netns import Wire
from lib.nft import nft
from lib.packet import edit, ip, lsrr, ssrr
from lib.standard import A, B, C, LO, StandardBench, show

DF, MORE = 0x4000, 0x2000
GATEWAY = bytes.fromhex("0200000000fe")
Q, RED = "10.42.0.1", "10.45.0.1"
RECORDED = {"b": B, "c": C, "q": Q}  # by the link that it leaves by
# Own by a local route to a network.
ANY_MAIN, ANY_RED = "10.99.1.1", "10.98.1.1"
TRANSPARENT = 19  # IP_TRANSPARENT
_SO_RCVBUFFORCE = 33
LINES = 4  # that a row may say of what is wrong

# Next address: its route in the main table, that of table 100, which is the
# VRF's, and that of table 77. DIRECT is a host route.
DIRECT, NETWORK, BY_GATEWAY = "%s/32 dev {0}", "%s/24 dev {0} mtu lock 600", \
    "%s/32 via {1} dev {0}"
GOALS = {
    "10.49.0.1": (BY_GATEWAY, "c", BY_GATEWAY),
    "10.49.1.1": (BY_GATEWAY, "c", DIRECT),
    "10.49.2.1": (DIRECT, "c", BY_GATEWAY),
    "10.49.3.1": (NETWORK, "c", DIRECT),
    "10.49.4.1": (NETWORK, "b", DIRECT),  # the same link, whatever the table
    "10.49.5.1": (DIRECT, "b", NETWORK),
}
FAR, WIDE = "10.49.0.1", "10.49.3.1"
GATEWAYS = {"b": "10.2.0.254", "c": "10.3.0.254", "q": "10.42.0.254"}

# Own addresses of a flow: those that one slot, and two, arrive for, and the one
# in the first slot of two. An address that only the table of the VRF has as a
# network is no source of errors that the kernel accepts.
Flow = collections.namedtuple("Flow", "by src home own fields key",
                              defaults=[(LO, ANY_MAIN, LO), {}, None])


def ports(sport=4000, dport=9):
    return {"payload": packet.udp(sport=sport, dport=dport)}


TCP = {"proto": packet.TCP,
       "payload": packet.udp(sport=4000, dport=9)[:8] + b"\x50\x10" + bytes(14)}
ECHO = {"proto": packet.ICMP, "payload": b"\x08\0" + bytes(14)}
# What it has in the place of ports are those of the others.
ESP = {"proto": 50, "payload": struct.pack("!HH", 4000, 9) + bytes(20)}
MARKED = "10.1.0.4"
VRF_SRC, OWN_RED = "10.41.0.2", (RED, RED, ANY_RED)

FLOWS = {
    "UDP": Flow("a", "10.1.0.2", "a"),
    "another source": Flow("a", "10.1.0.3", "a"),
    "mark 4": Flow("a", MARKED, "a"),
    "TOS 0x10": Flow("a", "10.1.0.2", "a", fields={"tos": 0x10}),
    "TOS 0x0b": Flow("a", "10.1.0.2", "a", fields={"tos": 0x0B}),
    "DSCP 46": Flow("a", "10.1.0.2", "a", fields={"tos": 46 << 2}),
    "DSCP 44": Flow("a", "10.1.0.2", "a", fields={"tos": 44 << 2 | 1}),
    "other ports": Flow("a", "10.1.0.2", "a", fields=ports(5000, 53)),
    "TCP": Flow("a", "10.1.0.2", "a", fields=TCP),
    "ICMP": Flow("a", "10.1.0.2", "a", fields=ECHO),
    "ESP": Flow("a", "10.1.0.2", "a", fields=ESP),
    "first fragment": Flow("a", "10.1.0.2", "a", fields={"frag": MORE}),
    "later fragment": Flow("a", "10.1.0.2", "a", fields={"frag": 2}),
    "by b": Flow("b", "10.2.0.3", "b"),
    "VRF": Flow("p", VRF_SRC, "p", OWN_RED),
    "VRF, other ports": Flow("p", VRF_SRC, "p", OWN_RED, ports(5000, 53)),
    "tunnel 5": Flow("b", "10.1.0.5", "a", key=5),
    "tunnel 6": Flow("b", "10.1.0.5", "a", key=6),
}

# Rules, separated by `;`, and to ordinary datagrams of how many flows they have
# to make a difference, or the test says nothing: all, some, none, or whichever,
# where kernels differ. The first rule has the preference 100, the next 110.
ALL, SOME, NONE, ANY = "all", "some", "none", "any"
SELECTORS = {
    "from 10.1.0.2": SOME,
    "from 10.1.0.2/31": SOME,
    "not from 10.1.0.2": SOME,
    "to 10.49.3.0/24": ALL,  # but not to every next address
    "not to 10.49.3.0/24": ALL,
    "tos 0x10": SOME,
    "dsfield 0x08": SOME,
    "dscp 46": SOME,
    "dscp 2": SOME,
    "fwmark 4": SOME,
    "fwmark 5/4": SOME,
    "fwmark 0/4": SOME,
    "not fwmark 4/4": SOME,
    "iif a": SOME,
    "iif t": SOME,
    "iif red": ANY,
    "iif p": ANY,
    "not iif red": ANY,
    "iif lo": NONE,
    "oif b": NONE,
    "not oif b": ALL,
    "uidrange 0-0": ALL,
    "uidrange 1-4294967294": NONE,
    "ipproto udp": SOME,
    "ipproto tcp": SOME,
    "ipproto icmp": SOME,
    "ipproto esp": SOME,
    "not ipproto udp": SOME,
    "sport 4000": SOME,
    "sport 4001-5000": SOME,
    "dport 9": SOME,
    "dport 10-53": SOME,
    "not dport 9": SOME,
    "ipproto udp sport 4000 dport 9": SOME,
    "ipproto tcp dport 1-10": SOME,
    "from 10.1.0.2 iif a ipproto udp dport 53": SOME,
    "tun_id 5": SOME,
    "not tun_id 5": SOME,
    "tun_id 6 dport 9": SOME,
}
ACTIONS = {
    "lookup 77": ALL,
    "lookup 80": NONE,  # empty
    "lookup 79": ALL,  # a default route without a gateway
    "dport 9 lookup 79": SOME,
    "l3mdev": ANY,
    "l3mdev; iif red lookup 77": ANY,
    "iif red lookup 77; l3mdev": ANY,
    "iif red lookup 77; iif p lookup 77": SOME,  # one of them, by the kernel
    "nop; lookup 77": ALL,
    "nop": NONE,
    "goto 120; unreachable; lookup 77": ALL,
    "from 10.1.0.2 goto 120; prohibit; lookup 77": ALL,
    "ipproto tcp goto 130; dport 53 goto 130; nop; lookup 77": ALL,
    "blackhole": ALL,
    "unreachable": ALL,
    "prohibit": ALL,
    "dport 9 blackhole": SOME,
    "ipproto tcp unreachable": SOME,
    "sport 5000 prohibit": SOME,
    "tun_id 5 prohibit": SOME,
    "iif red blackhole": ANY,
    "uidrange 0-0 unreachable": ALL,
    "tos 0x10 blackhole": SOME,
    "dscp 46 unreachable": SOME,
    "fwmark 4 prohibit": SOME,
    "lookup 77 realms 3": ALL,
    "lookup 78 suppress_prefixlength 0": ALL,
    "lookup 78 suppress_prefixlength 31": ALL,
    "lookup 78 suppress_prefixlength 32": NONE,
    "dport 9 lookup 78 suppress_prefixlength 0": SOME,
    "lookup 77 suppress_ifgroup 5": ALL,  # that of c
    "lookup 77 suppress_ifgroup 6": ALL,
    "sport 4000 lookup 77 suppress_ifgroup 5": SOME,
    # Which comes first.
    "dport 9 lookup 77; sport 4000 unreachable; ipproto udp lookup 77": SOME,
    "sport 4000 unreachable; dport 9 lookup 77; ipproto udp lookup 77": SOME,
    # A local route that rules lead to: TPROXY's pair.
    "lookup 88": ALL,
    "fwmark 4 lookup 88": SOME,
    "dport 9 lookup 88": SOME,
    "iif red lookup 88": ANY,
}
# Rules for own addresses, where they come ahead of the local table.
OWN = " ".join((LO, ANY_MAIN, RED, ANY_RED)).split()
TAKING = ("blackhole", "unreachable", "prohibit", "lookup 77", "lookup 79",
          "dport 9 lookup 77", "uidrange 0-0 blackhole", "iif a prohibit")


class Ear(Wire):
    """One that knows which hardware address a datagram came for, and that holds
    all that comes in at once."""

    class Heard(bytes):
        to = None

    def __init__(self, *args):
        super().__init__(*args)
        self.sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 1 << 24)

    def receive(self, seconds):
        self.sock.settimeout(seconds)
        try:
            frame = self.sock.recv(65536)
        except TimeoutError:
            return None
        length = int.from_bytes(frame[16:18], "big")
        heard = self.Heard(frame[14:14 + length])
        heard.to = frame[:6]
        return heard


class RulesBench(StandardBench):

    def attach(self, name, peers=()):
        super().attach(name, peers)
        wire = self.wires[name]
        wire.sock.close()
        self.wires[name] = Ear(self.world, name, wire.to)


bench = RulesBench()


def unlimited_errors():
    """The kernel's limit on errors about ordinary datagrams that have no route
    is one for all namespaces; it is put back at the end."""
    path = "/proc/sys/net/ipv4/route/error_cost"
    with open(path) as file:
        old = file.read()
    atexit.register(write, path, old)
    write(path, "0")


def write(path, value):
    with open(path, "w") as file:
        file.write(value)


def table_of_goals(table, kinds):
    """Routes to all next addresses."""
    lines = []
    for goal, (link, kind) in zip(GOALS, kinds):
        if kind == NETWORK:
            goal = goal.rsplit(".", 1)[0] + ".0"
        lines.append("route add %s table %d" % (
            (kind % goal).format(link, GATEWAYS[link]), table))
    return lines


def set_up():
    ns = bench.router
    ns.sysctl("net.ipv4.icmp_ratemask", 0)
    ns.ip("link add name red type vrf table 100", "link set dev red up",
          "addr add %s/32 dev red" % RED,
          "link add name t type gre external", "link set dev t up",
          "addr add 10.48.0.1/30 dev t", "link set dev c group 5")
    for name, own in ("p", "10.41.0.1"), ("q", Q):
        bench.link(name)
        ns.ip("link set dev %s master red" % name,
              "addr add %s/24 dev %s" % (own, name))
    for link, gateway in GATEWAYS.items():
        bench.neighbour(link, *GOALS, *OWN)
        ns.ip("neigh replace %s lladdr %s dev %s nud permanent" % (
            gateway, GATEWAY.hex(":"), link))
    for flow in FLOWS.values():
        bench.neighbour(flow.home, flow.src)
    # An ordinary datagram may leave by the link that it came in by.
    for scope in "all", "a", "b", "c", "p", "q", "red", "t":
        ns.sysctl("net.ipv4.conf.%s.send_redirects" % scope, 0)
    set_up_tables(ns)
    set_up_rules(ns)
    nft(ns, "table ip t { chain c { type filter hook prerouting priority raw; "
        "ip saddr %s meta mark set 4; } }" % MARKED)
    bench.set(lsrr=1, ssrr=1)


def set_up_tables(ns):
    kinds = GOALS.values()
    ns.ip(*table_of_goals(254, [("b", main) for main, _, _ in kinds]),
          *table_of_goals(100, [("q", main) for main, _, _ in kinds]),
          *table_of_goals(77, [(link, other) for _, link, other in kinds]),
          "route add default via %s table 77" % GATEWAYS["c"],
          "route add default via %s table 78" % GATEWAYS["c"],
          "route add %s/32 dev c table 78" % WIDE,
          "route add default dev c mtu lock 600 table 79",
          "route add local default dev lo table 88",
          "route add local 10.99.0.0/16 dev lo table local",
          "route add local 10.98.0.0/16 dev red table 100")


def set_up_rules(ns):
    """What the bench itself needs stays out of reach of the rules under test:
    its marker, the outside of the tunnel, and the way back to the sources."""
    ns.ip("rule add pref 1 iif marker lookup main",
          "rule add pref 2 to %s lookup local" % B,
          "rule add pref 3 to 10.1.0.0/28 lookup main",
          "rule add pref 3 to 10.2.0.0/28 lookup main",
          "rule add pref 3 to 10.41.0.0/28 lookup 100",
          "rule add pref 3 to %s lookup main" % bench.MARKER,
          "route add %s/32 dev marker" % bench.MARKER)


class Shot:
    """A datagram of a flow towards a next address, of a kind."""

    COUNT = 0

    def __init__(self, name, flow, kind, goal):
        Shot.COUNT += 1
        self.name, self.flow, self.kind, self.goal = name, flow, kind, goal
        self.ident = Shot.COUNT
        one, two, first = flow.own
        make = {"ordinary": lambda: self._ip(goal),
                "large": lambda: self._large(goal),
                "loose": lambda: self._ip(one, lsrr(goal)),
                "strict": lambda: self._ip(one, ssrr(goal)),
                "over own": lambda: self._ip(two, lsrr(first, goal)),
                "transit": lambda: self._ip(goal, lsrr(FAR))}
        self.datagram = make[kind]()
        self._left = {}
        frag = flow.fields.get("frag", 0)
        self.is_fragment, self.is_later = bool(frag), bool(frag & 0x1FFF)

    def _ip(self, dst, options=b"", **fields):
        return ip(self.flow.src, dst, options, ident=self.ident,
                  **{**self.flow.fields, **fields})

    def _large(self, goal):
        payload = self.flow.fields.get("payload", packet.udp())
        return self._ip(goal, payload=payload + bytes(700 - 20 - len(payload)),
                        frag=self.flow.fields.get("frag", 0) | DF)

    def frame(self):
        """What to send for it, and by which wire."""
        if self.flow.key is None:
            return self.flow.by, self.datagram
        head = struct.pack("!HHI", 0x2000, 0x0800, self.flow.key)
        return self.flow.by, ip("10.2.0.2", B, payload=head + self.datagram,
                                proto=47)

    def left(self, link):
        """The datagram as it leaves by a link."""
        if link not in self._left:
            mine = RECORDED[link]
            new = {"loose": {"options": lsrr(mine, ptr=8)},
                   "strict": {"options": ssrr(mine, ptr=8)},
                   "over own": {"options": lsrr(self.flow.own[2], mine,
                                                ptr=12)}}
            self._left[link] = edit(self.datagram, ttl=63, dst=self.goal,
                                    **new.get(self.kind, {}))
        return self._left[link]

    def __str__(self):
        return "%s to %s (%s)" % (self.kind, self.goal, self.name)


def make_shots():
    """Those of each flow and next address belong together; ordinary ones go to
    own addresses, too, where that shows."""
    groups, alone = [], []
    for name, flow in FLOWS.items():
        for goal in GOALS:
            groups.append({kind: Shot(name, flow, kind, goal) for kind in (
                "ordinary", "large", "loose", "strict", "over own", "transit")})
        if "frag" not in flow.fields:
            alone += [Shot(name, flow, "ordinary", goal)
                      for goal in set(flow.own)]
    return groups, alone


set_up()
unlimited_errors()
ALL_GROUPS, TO_OWN = make_shots()


class Volley:
    """All datagrams towards some of the next addresses."""

    def __init__(self, *goals):
        self.groups = [group for group in ALL_GROUPS
                       if group["ordinary"].goal in goals]
        shots = TO_OWN + [shot for group in self.groups
                          for shot in group.values()]
        # What comes out of the tunnel takes another queue than the marker,
        # which is to be far behind.
        shots.sort(key=lambda shot: shot.flow.key is None)
        self.shots = {shot.ident: shot for shot in shots}
        self.frames = [shot.frame() for shot in shots]


WHOLE = Volley(*GOALS)
# Time is short: where this is asked, the whole has been, in another order.
HALF = Volley(FAR, WIDE, "10.49.5.1")
FEW = Volley(FAR)
SOURCES = {packet.addr(flow.src) for flow in FLOWS.values()}

# What can become of a datagram.
Left = collections.namedtuple("Left", "link to octets")
Error = collections.namedtuple("Error", "link type code octets")
Refusal = collections.namedtuple("Refusal", "code")  # of ICMP type 3
DELIVERED, SILENCE = "delivery to a socket", "silence"
ORDINARY = "ordinary", "large"


class Sockets:
    """They hear all that is delivered, whatever it is for."""

    def __init__(self):
        with bench.router:
            self.all = [socket.socket(socket.AF_INET, socket.SOCK_RAW, proto)
                        for proto in (packet.UDP, packet.TCP, packet.ICMP, 50)]
        for sock in self.all:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 1 << 22)

    def heard(self):
        """Identifications of what has been delivered since."""
        found = set()
        for sock in self.all:
            try:
                while True:
                    octets = sock.recv(2000)
                    if octets[12:16] in SOURCES:
                        found.add(int.from_bytes(octets[4:6], "big"))
            except BlockingIOError:
                pass
        return found


SOCKETS = Sockets()


def fate_of(link, octets):
    """Whose datagram that is or quotes, and what has become of it."""
    if octets[12:16] in SOURCES:
        return int.from_bytes(octets[4:6], "big"), Left(link, octets.to,
                                                        octets)
    if octets[9] == packet.ICMP and octets[20] == 3:
        return int.from_bytes(octets[32:34], "big"), Error(
            link, octets[20], octets[21], octets)
    if octets[9] == packet.TCP and octets[33] & 4:
        return None, None  # nobody has such a connection
    if octets[9] == packet.ICMP and octets[20:22] == b"\x0b\1":
        return None, None  # a fragment was kept for the rest, in vain
    return ktap.fail("unexpected: " + show({link: [octets]}))


def reassembly():
    """How many fragments the kernel has kept to deliver them."""
    with bench.router.open("/proc/net/snmp") as file:
        names, values = [line.split() for line in file
                         if line.startswith("Ip:")]
    return int(values[names.index("ReasmReqds")])


def add_reassembled(volley, fates, number):
    """An ordinary fragment that is to be delivered waits for the rest."""
    waiting = [ident for ident, shot in volley.shots.items()
               if shot.is_fragment and shot.kind in ORDINARY and
               ident not in fates]
    check(number in (0, len(waiting)), "%d of %d fragments wait" % (
        number, len(waiting)))
    if number:
        fates.update(dict.fromkeys(waiting, DELIVERED))


def send_all(volley):
    """{identification: fate}"""
    fates, before = {}, reassembly()
    for link, frame in volley.frames:
        bench.wires[link].send(frame)
    for link, datagrams in bench.collect().items():
        for octets in datagrams:
            ident, fate = fate_of(link, octets)
            check(ident not in fates, "two came of %s" %
                  volley.shots.get(ident))
            if ident:
                fates[ident] = fate
    for ident in SOCKETS.heard():
        fates[ident] = DELIVERED
    add_reassembled(volley, fates, reassembly() - before)
    return {ident: fates.get(ident, SILENCE) for ident in volley.shots}


def brief(fate):
    """What two of one kind have in common."""
    if isinstance(fate, Left):
        return "leaves by %s for %s" % (
            fate.link, "a gateway" if fate.to == GATEWAY else "a neighbour")
    if isinstance(fate, Error):
        return "ICMP %d/%d on %s" % (fate.type, fate.code, fate.link)
    if isinstance(fate, Refusal):
        return "ICMP 3/%d" % fate.code
    return fate


# What has to become of the source routes of a group, by what has become of its
# ordinary datagrams: a fate, and the counter that it adds to.

REFUSED = Refusal(5)


def of_hit(shot, group, fates):
    """H2, H4, H5, H6."""
    fate = fates[group["ordinary"].ident]
    if isinstance(fate, Left):
        adjacent = fate.to != GATEWAY and isinstance(
            fates[group["large"].ident], Left)
        if shot.kind == "strict" and not adjacent:
            return REFUSED, "not_adjacent"
        return Left(fate.link, fate.to, shot.left(fate.link)), "hop"
    # Of a later fragment an error would not tell (I1); it is counted alike.
    return SILENCE if fate == SILENCE else REFUSED, "no_route"


def of_transit(shot, group, fates):
    """T1, T3; what rules lead to a socket is the kernel's, which drops it."""
    fate = fates[group["ordinary"].ident]
    if isinstance(fate, Left):
        return Left(fate.link, fate.to, shot.left(fate.link)), "transit"
    if isinstance(fate, Error):
        return Refusal(fate.code), "no_route"
    return SILENCE, None if fate == DELIVERED else "no_route"


WANTED = {"loose": of_hit, "strict": of_hit, "over own": of_hit,
          "transit": of_transit}


def is_refusal(shot, fate, code):
    """An error to its source that quotes it as it was sent (I2)."""
    if not isinstance(fate, Error):
        return False
    return (fate.link, fate.type, fate.code, fate.octets[0], fate.octets[28:],
            fate.octets[16:20]) == (
        shot.flow.home, 3, code, 0x45, shot.datagram, packet.addr(shot.flow.src))


def is_as_wanted(shot, fate, wanted):
    if not isinstance(wanted, Refusal):
        return fate == wanted
    if shot.is_later:
        return fate == SILENCE  # I1
    return is_refusal(shot, fate, wanted.code)


def differences(volley, fates, counters):
    """Lines that say what is not as it should be."""
    lines, sums = [], collections.Counter()
    for group in volley.groups:
        for kind, wanted_of in WANTED.items():
            shot = group[kind]
            wanted, counter = wanted_of(shot, group, fates)
            if counter:
                sums.update(("received", counter))
            if not is_as_wanted(shot, fates[shot.ident], wanted):
                lines.append("%s: %s; wanted %s, for an ordinary one: %s" % (
                    shot, brief(fates[shot.ident]), brief(wanted),
                    brief(fates[group["ordinary"].ident])))
    # Which counter has the next address that leads to a socket is left open.
    if "bad_next" in counters:
        counters["no_route"] = counters.get("no_route", 0) + \
            counters.pop("bad_next")
    if not lines and counters != sums:
        lines.append("counters %s; wanted %s" % (counters, dict(sums)))
    return lines


# A row of a table

def has_dscp():
    """Does the kernel know the selector? One that does refuses a rule that asks
    for TOS as well."""
    with bench.router:
        if rtnetlink.add_rule(99, 77, dscp=4, tos=0x10) == errno.EINVAL:
            return True
    bench.router.ip("rule del pref 99")
    return False


HAS_DSCP = has_dscp()
DSCP_ACTIONS = {"lookup": rtnetlink.RULE_TABLE,
                "unreachable": rtnetlink.RULE_UNREACHABLE}


def add_rule(pref, text):
    words = text.split()
    if words[0] != "dscp":
        bench.router.ip("rule add pref %d %s" % (pref, text))
        return
    # The ip(8) of Debian 12 does not know it.
    with bench.router:
        equal(rtnetlink.add_rule(
            pref, 77 if words[2] == "lookup" else 0, dscp=int(words[1]),
            action=DSCP_ACTIONS[words[2]]), 0, "errno of " + text)


class Rules:
    """Some rules, for as long as `with` lasts."""

    def __init__(self, text):
        self._texts = [rule.strip() for rule in text.split(";")]
        self._prefs = []

    def __enter__(self):
        # The last first: goto is to find where it goes.
        for i, text in reversed(list(enumerate(self._texts))):
            add_rule(100 + 10 * i, text)
            self._prefs.append(100 + 10 * i)

    def __exit__(self, *_):
        bench.router.ip(*["rule del pref %d" % pref for pref in self._prefs])


def ordinary(volley, fates):
    return {ident: brief(fate) for ident, fate in fates.items()
            if volley.shots[ident].kind in ORDINARY}


def effect(volley, before, after):
    """To how many flows the rules make a difference."""
    changed = {volley.shots[ident].name for ident in before
               if after[ident] != before[ident]}
    return NONE if not changed else ALL if len(changed) == len(FLOWS) else SOME


def try_row(volley, text, wanted, plain):
    """Lines that say what is wrong. What the rules change for ordinary
    datagrams is told by what these do without."""
    with Rules(text):
        fates, lines = compare(volley)
    got = effect(volley, plain, ordinary(volley, fates))
    if wanted != ANY and got != wanted:
        lines.append("it makes a difference to %s of the flows; wanted %s" % (
            got, wanted))
    return lines


def compare(volley):
    """The fates, and what is wrong with them."""
    bench.moved()
    fates = send_all(volley)
    return fates, differences(volley, fates, bench.moved())


def report(text, lines):
    print("# %s: %d wrong" % (text, len(lines)))
    for line in lines[:LINES]:
        print("#   " + line)


def try_rows(volley, rows):
    """All of them, and ahead of them what happens without."""
    fates, lines = compare(volley)
    plain, wrong = ordinary(volley, fates), {"no rule": lines}
    for text, wanted in rows.items():
        if "dscp" in text and not HAS_DSCP:
            print("# left out, for this kernel has no selector dscp: " + text)
            continue
        wrong[text] = try_row(volley, text, wanted, plain)
    failed = [text for text, lines in wrong.items() if lines]
    for text in failed:
        report(text, wrong[text])
    check(not failed, "%d of %d rows" % (len(failed), len(wrong)))


# The order in which the kernel asks

def local_last():
    """Rules are asked before the local table."""
    ktap.cleanup(bench.router.ip, "rule add pref 0 lookup local",
                 "rule del pref 32000")
    bench.router.ip("rule add pref 32000 lookup local", "rule del pref 0")


def vrf_by_rules_alone():
    """Nothing leads into the table of the VRF but rules under test."""
    ktap.cleanup(bench.router.ip, "rule add pref 1000 l3mdev")
    bench.router.ip("rule del pref 1000")


def led_to_77():
    return {"%s lookup 77" % selector: wanted
            for selector, wanted in SELECTORS.items()}


@test("H2, H5, H6, T1, T3: by every selector of ip-rule(8), source routes go on as "
      "an ordinary datagram to next does, of every protocol and as a fragment")
def selectors():
    try_rows(WHOLE, led_to_77())


@test("H2, H4, H5, H6, T1, T3: with every action of ip-rule(8), too, a local route "
      "that is no address of ours included")
def actions():
    try_rows(WHOLE, ACTIONS)


@test("H2, H5, H6, T1, T3: by every selector, where rules are asked before the "
      "local table, so that they lead away what is for our own addresses")
def selectors_ahead():
    local_last()
    vrf_by_rules_alone()
    try_rows(HALF, led_to_77())


@test("H2, H4, H5, H6, T1, T3: with every action, where rules are asked before the "
      "local table")
def actions_ahead():
    local_last()
    vrf_by_rules_alone()
    try_rows(HALF, {**ACTIONS, "l3mdev": SOME})


@test("H6, T1: no rule takes an address away from us, that of a local route to "
      "a network or that of a VRF included")
def own_stays():
    local_last()
    try_rows(FEW, {"to %s %s" % (own, taking): SOME
                   for own in OWN for taking in TAKING
                   if "iif a" not in taking or own in (LO, ANY_MAIN)})


# Destinations that rules lead to a local route

@test("O1, T1: what arrives for an address that only rules lead to a local "
      "route is the kernel's, as it came and uncounted")
def arrives_for_proxy():
    with bench.router:
        proxy = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        proxy.setsockopt(socket.IPPROTO_IP, TRANSPARENT, 1)
        proxy.bind((FAR, 9))
        proxy.settimeout(5)
    ktap.cleanup(proxy.close)
    for scope in "all", "a":
        bench.configure("net.ipv4.conf.%s.accept_source_route" % scope, 1)
    with Rules("to %s fwmark 4 lookup 88" % FAR):
        for kind in lsrr, ssrr:
            complete = ip(MARKED, FAR, kind(A, ptr=8),
                          payload=packet.udp(kind.__name__.encode()))
            # Not for the socket: native gives it what it should forward (C3).
            incomplete = ip(MARKED, FAR, kind("10.3.0.2"),
                            payload=packet.udp(dport=10))
            bench.moved()
            equal(bench.exchange("a", complete), {}, "on the wire")
            equal(proxy.recv(100), kind.__name__.encode(), "the socket")
            ours = bench.exchange("a", incomplete)
            equal(bench.moved(), {}, "counters")
            equal((ours, list(ours)), (natively(incomplete), ["c"]), "native")
    # Without the rule both are transit.
    bench.moved()
    sent = ip(MARKED, FAR, lsrr(A, ptr=8))
    equal(bench.exchange("a", sent), {"b": [edit(sent, ttl=63)]}, "transit")
    equal(bench.moved(), {"received": 1, "transit": 1}, "counters")


def natively(sent):
    """What the kernel does with it while srcroute is off."""
    bench.set(lsrr=0, ssrr=0)
    try:
        return bench.exchange("a", sent)
    finally:
        bench.set(lsrr=1, ssrr=1)


if __name__ == "__main__":
    ktap.main(bench.close)
