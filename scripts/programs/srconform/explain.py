# SPDX-License-Identifier: GPL-2.0-only
"""A case for somebody who wants to see it by hand: rule, picture, octets, commands."""

from . import wire
from .engine import Engine
from .plan import IN
from .runner import Runner
from .verdict import Judge


class _NoBed:
    """A bed without wires, for datagrams that are only shown."""

    def __init__(self, plan):
        self.plan, self.arrive = plan, None


def sample(case, plan):
    """The octets of a case's first datagram."""
    runner = Runner(_NoBed(plan), Judge(plan))
    source = plan.source(0)
    return runner.octets(case, case.sends()[0], source, 1, 0x5352), source


def dump(octets, limit=60):
    """Rows of hexadecimal."""
    rows = [octets[i:i + 16] for i in range(0, min(len(octets), limit), 16)]
    return "\n".join("    %02d  %s" % (16 * i, " ".join("%02x" % o for o in row))
                     for i, row in enumerate(rows))


def nping(octets):
    """As near as nping comes: it builds the header from its parts."""
    try:
        datagram = wire.Datagram(octets)
    except wire.Broken:
        return "(nping cannot build such a header)"
    kind, ends = "--udp", "-g 4000 -p 9 "
    if datagram.proto == wire.ICMP and not datagram.offset and len(datagram.payload) > 1:
        kind = "--icmp --icmp-type %d --icmp-code %d" % tuple(datagram.payload[:2])
        ends = ""
    words = ["nping %s -c 1 -N -S %s --ttl %d --tos %d --id %d" % (
        kind, datagram.src, datagram.ttl, datagram.tos, datagram.ident)]
    if datagram.area:
        words.append("--ip-options '%s'" % "".join("\\x%02x" % o for o in datagram.area))
    return " ".join(words + [ends + datagram.dst])


def scapy(octets):
    """Exactly these octets."""
    return ("python3 -c 'from scapy.all import *; sendp(Ether(dst=\"DEVICE\", "
            "type=0x800)/Raw(bytes.fromhex(\"%s\")), iface=\"IN\")'" % octets.hex())


def text(case, plan):
    """What `srconform explain` prints."""
    octets, source = sample(case, plan)
    rule = case.rule
    lines = ["%s: %s" % (case.id, case.title), "",
             "  " + str(rule).replace(": " + rule.text, ""), "  %s" % rule.text, "",
             "  sent:     %s" % "; ".join(s.drawn() for s in case.sends()),
             "  expected: %s" % case.expect.drawn()]
    for may in case.may:
        only = " (profile %s)" % may.only if may.only else ""
        lines.append("  or:       %s: %s%s" % (may.expect.drawn(), may.name, only))
    for name, value in (("in the field", case.known), ("1988", case.old),
                        ("carried out", "special.py, %s()" % case.special
                         if case.special else "")):
        if value:
            lines.append("  %s: %s" % (name, value))
    named = sorted({"%s = %s" % (n, v) for n, v in plan.named.items()
                    if n in (case.sends()[0].drawn() + " " + case.expect.drawn())
                    .replace("[", " ").replace("]", " ").replace(",", " ").split()})
    lines += ["  where s = %s%s" % (source, "".join(", " + n for n in named)), "",
              "  the datagram, from the first octet of its header:", dump(octets)]
    fate = Engine(plan).fate(octets, case.sends()[0].side or IN, case.sends()[0].link)
    if fate.kind == "out":
        lines += ["  what it becomes:", dump(fate.octets[:(fate.octets[0] & 15) * 4])]
    lines += ["", "  by hand, on the in side:", "    " + nping(octets),
              "    " + scapy(octets), "  and watch: tcpdump -nvvX -i OUT ip"]
    return "\n".join(lines)
