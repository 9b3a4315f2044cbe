# SPDX-License-Identifier: GPL-2.0-only
"""What a case consists of. The cases themselves are in cases/.

    Case("LSRR-1", "the next address becomes the destination",
         RFC791_LSRR,                          the rule: RFC, section, level, our words
         Send("A", [Loose("n")]),              what is sent, by the names of plan.py
         Out("n", [Loose("B", ptr=8)]))        what it becomes: destination, options

An expectation judges only what it looks at (`look`), so that a fault is told once, by
the case that is meant for it. What else differs is shown beside it.
"""

from dataclasses import dataclass, field
from typing import Optional, Sequence, Tuple

from . import wire
from .plan import IN, OUT

MUST, SHOULD, MAY = "MUST", "SHOULD", "MAY"
KEEP = None     # the options as they were sent
NOW = -1        # a time stamp of the device, in the entries of an expected Stamp

# RFCs whose words of requirement have no capitals (see rules.py).
PLAIN = ("RFC 791", "RFC 792", "RFC 1624", "RFC 2113", "RFC 5771", "RFC 6274",
         "draft of 1987, Postel and Reynolds")

CONFORMS, DEVIATES_MUST, DEVIATES_SHOULD = "conforms", "deviates (MUST)", "deviates (SHOULD)"
CHOICE, SILENT, DEAD, NOT_APPLICABLE = "permitted choice", "silent", "dead", "not applicable"
OUTCOMES = (CONFORMS, CHOICE, DEVIATES_MUST, DEVIATES_SHOULD, SILENT, DEAD, NOT_APPLICABLE)


@dataclass(frozen=True, eq=False)
class Rule:
    """A sentence of an RFC, in our own words."""

    rfc: str
    section: str
    level: str
    text: str

    def __str__(self):
        words = ", in plain words" if self.rfc in PLAIN else ""
        return "%s, %s (%s%s): %s" % (self.rfc, self.section, self.level, words, self.text)


@dataclass(frozen=True, eq=False)
class Send:
    """A datagram. What is wrong with it on purpose is in `wrong`: version,
    header_length, length, sum_ (a function of the right checksum)."""

    dst: str = "A"
    options: Sequence = ()
    src: str = "s"
    side: str = IN
    ttl: int = 64
    tos: int = 0
    frag: int = 0
    ident: Optional[int] = None     # else one of its own
    size: int = 32                  # octets of payload behind the UDP header
    body: str = "udp"               # udp, echo, rest (zeroes, of a datagram in pieces), error
                                    # (an ICMP error), unknown (ICMP)
    link: str = "dut"               # or broadcast, multicast
    wrong: dict = field(default_factory=dict)
    cut: Optional[int] = None       # only so many octets of it are sent
    sum_in: Optional[int] = None    # choose ident so that this is its checksum
    sum_out: Optional[int] = None   # ... or what the checksum is to be afterwards

    def area(self, resolve):
        return b"".join(option.octets(resolve) for option in self.options)

    def drawn(self):
        """In one line."""
        parts = ["%s > %s" % (self.src, self.dst)]
        parts += [str(option) for option in self.options]
        if self.ttl != 64:
            parts.append("ttl %d" % self.ttl)
        if self.tos:
            parts.append("tos 0x%02x" % self.tos)
        if self.frag:
            parts.append("fragment 0x%04x" % self.frag)
        if self.body != "udp":
            parts.append(self.body)
        if self.size != 32:
            parts.append("%d octets" % self.size)
        if self.link != "dut":
            parts.append("link-layer " + self.link)
        parts += sorted("wrong " + name.rstrip("_") for name in self.wrong)
        if self.cut is not None:
            parts.append("cut to %d octets" % self.cut)
        if self.side != IN:
            parts.append("by the out side")
        return ", ".join(parts)


@dataclass(frozen=True, eq=False)
class Out:
    """It is forwarded. look: what is judged of side, hop, src, dst, ttl, tos, id,
    frag, len, sum, payload, length, ptr, record, slots, rr, ts, other, padding."""

    to: str
    options: Optional[Sequence] = KEEP
    look: Tuple[str, ...] = ("side", "dst")
    side: str = OUT
    hops: int = 1           # what is taken off the TTL
    via: Optional[str] = None   # whose hardware address the frame has

    def drawn(self):
        options = "options as sent" if self.options is KEEP else \
            ", ".join(str(option) for option in self.options)
        return "out by the %s side to %s, %s" % (self.side, self.to,
                                                 options or "no options")


@dataclass(frozen=True, eq=False)
class Fragments:
    """It is forwarded in pieces; look: cover, payload, flags, copied, first, sum,
    reserved, few."""

    to: str
    first: Sequence = ()
    later: Sequence = ()
    look: Tuple[str, ...] = ("cover",)
    side: str = OUT

    def drawn(self):
        return "in fragments to %s; later ones with %s" % (
            self.to, ", ".join(map(str, self.later)) or "no options")


@dataclass(frozen=True, eq=False)
class Err:
    """An ICMP error to the source; at: the pointer, counted from the header's start.
    look: what is judged of type, pointer, quote, rewritten (a quote with the source route
    as forwarding has made it), from, sum, route, tos (precedence), tos-bits, to, size,
    mtu, ttl. codes: those that are as good."""

    type: int
    code: int
    at: Optional[int] = None
    look: Tuple[str, ...] = ("type",)
    options: Sequence = ()
    codes: Tuple[int, ...] = ()
    span: Tuple[int, int] = ()      # any pointer in there is a permitted choice
    to: str = ""            # where it goes, if not straight to the source
    forwarded: str = MUST   # the level of the rule that it breaks to forward it

    def drawn(self):
        text = "ICMP %d/%d" % (self.type, self.code)
        if self.at is not None:
            text += " pointer %d" % self.at
        if self.options:
            text += " with " + ", ".join(map(str, self.options))
        return text


@dataclass(frozen=True, eq=False)
class Reply:
    """The device answers as a host: an echo reply. look: type, route (all options), sum,
    from, data, precedence, ttl."""

    options: Optional[Sequence] = ()
    look: Tuple[str, ...] = ("type",)

    def drawn(self):
        text = "echo reply"
        return text + " with " + ", ".join(map(str, self.options)) \
            if self.options else text


@dataclass(frozen=True, eq=False)
class Nothing:
    """No answer; look: any, or error (it may be forwarded, but no ICMP error), or
    out (an error is allowed, but not to forward it)."""

    look: Tuple[str, ...] = ("any",)

    def drawn(self):
        return {"any": "nothing", "error": "no ICMP error",
                "out": "not forwarded"}[self.look[0]]


@dataclass(frozen=True, eq=False)
class May:
    """Another thing that it may do. only: the profile that permits it, if not all
    but strict do; unless: the case whose outcome shows that it is not what the device
    does, if that one conforms."""

    expect: object
    name: str
    only: str = ""
    unless: str = ""

    def allowed(self, profile):
        return self.only == profile if self.only else profile != "strict"


@dataclass(frozen=True, eq=False)
class Case:
    """A row of cases/."""

    id: str
    title: str
    rule: Rule
    send: object            # a Send, or several
    expect: object
    may: Tuple[May, ...] = ()
    known: str = ""         # what else exists in the field
    old: str = ""           # the test of 1988 that it covers
    nasty: bool = False     # broken octets: after the others
    needs: Tuple[str, ...] = ()     # two (interfaces), mtu, nowhere
    special: str = ""       # the function of special.py that carries it out

    def sends(self):
        return self.send if isinstance(self.send, (list, tuple)) else [self.send]


PROTOCOLS = {"udp": wire.UDP, "echo": wire.ICMP, "rest": wire.ICMP, "error": wire.ICMP,
             "unknown": wire.ICMP}
