# SPDX-License-Identifier: GPL-2.0-only
"""ICMP errors: what is in them, whom they go to, and to whom never.

    s -- GA -- [A device B]      the error comes back to s, by GA
"""

from .. import rules
from ..case import Case, Err, May, Nothing, Out, Reply, Send
from ..option import Loose, Raw, Record, Strict
from ..wire import MF

HIT, BAD = [Loose("n")], [Loose("n", ptr=3)]
NEXT_BAD = [Loose("224.0.0.1")]
STRAIGHT = May(Err(3, 5, look=("type", "route", "to")), "sends errors straight to the source, "
               "as policy may want it (RFC 1812, 4.3.2.6)")
STRAIGHT_TTL = May(Err(11, 0, look=("type", "route", "to")), STRAIGHT.name)
QUIET = May(Nothing(), "discards without a word, as Linux does", only="linux")
LOUD = ("from", "to", "sum")


def never(number, title, rule, send, nasty=True):
    return Case("E%d" % number, title, rule, send, Nothing(look=("error",)), nasty=nasty)


CASES = [
    Case("E1", "no route: destination unreachable", rules.NO_ROUTE, Send("X"),
         Err(3, 0, codes=(1,)), needs=("nowhere",)),
    Case("E2", "a TTL error comes from an address of its interface", rules.ERR_FROM,
         Send("F", ttl=1), Err(11, 0, look=("from",))),
    Case("E3", "an error about an option comes from an address of its interface",
         rules.ERR_FROM, Send("A", BAD), Err(12, 0, look=("from",)), nasty=True),
    Case("E4", "an error about a hit asked for at the far address comes from its interface",
         rules.ERR_FROM, Send("B", HIT, ttl=1), Err(11, 0, look=("from",))),
    Case("E5", "a TTL error quotes the header as received", rules.ERR_QUOTE,
         Send("F", ttl=1), Err(11, 0, look=("quote",))),
    Case("E6", "a TTL error about LSRR quotes the header as received", rules.ERR_QUOTE,
         Send("A", HIT, ttl=1), Err(11, 0, look=("quote",)),
         known="a device that rewrites first quotes what it has written"),
    Case("E7", "... also behind own addresses", rules.ERR_QUOTE,
         Send("A", [Loose("B", "n")], ttl=1), Err(11, 0, look=("quote",)),
         known="Linux quotes the last own address as the destination"),
    Case("E8", "an error about an option quotes the header as received", rules.ERR_QUOTE,
         Send("A", BAD), Err(12, 0, look=("quote",)), nasty=True),
    Case("E9", "a source route that failed is quoted as received", rules.ERR_QUOTE,
         Send("A", [Strict("F")]), Err(3, 5, look=("quote",)), (QUIET,)),
    Case("E10", "an error has as much of the datagram as fits", rules.ERR_SIZE,
         Send("F", ttl=1, size=300), Err(11, 0, look=("size",))),
    Case("E11", "an error about a large datagram is no longer than 576 octets",
         rules.ERR_SIZE, Send("F", ttl=1, size=1000), Err(11, 0, look=("size",))),
    Case("E12", "an error's TOS has precedence 6 or 7", rules.ERR_TOS, Send("F", ttl=1),
         Err(11, 0, look=("tos",)), (May(Err(11, 0), "sends errors with the TOS of "
                                         "ordinary traffic"),)),
    Case("E13", "the checksums of an error are right", rules.ERR_SUM, Send("F", ttl=1),
         Err(11, 0, look=("sum",))),
    Case("E14", "the checksums of an error about LSRR are right", rules.ERR_SUM,
         Send("A", HIT, ttl=1), Err(11, 0, look=("sum",))),
    Case("E15", "an error goes to the source", rules.ERR_QUOTE, Send("A", HIT, ttl=1),
         Err(11, 0, look=("to",))),
    Case("E16", "LSRR that failed, with a part recorded: the error goes back along it",
         rules.REVERSED, Send("A", [Loose("m", "224.0.0.1", ptr=8)]),
         Err(3, 5, options=[Loose("s")], to="m", look=("type", "route", "to")),
         (STRAIGHT, QUIET), known="Linux does so for TTL errors"),
    Case("E17", "LSRR whose TTL ends, with a part recorded: the error goes back along it",
         rules.REVERSED, Send("A", [Loose("m", "n", ptr=8)], ttl=1),
         Err(11, 0, options=[Loose("s")], to="m", look=("type", "route", "to")),
         (STRAIGHT_TTL,)),
    Case("E18", "SSRR whose TTL ends, with a part recorded: a strict way back",
         rules.REVERSED, Send("A", [Strict("m", "n", ptr=8)], ttl=1),
         Err(11, 0, options=[Strict("s")], to="m", look=("type", "route", "to")),
         (STRAIGHT_TTL,)),
    Case("E19", "an error about the source route itself goes straight", rules.REVERSED,
         Send("A", [Loose("m", "n", ptr=9)]),
         Err(12, 0, look=("type", "route", "to")), nasty=True),
    Case("E20", "nothing recorded: the error goes straight", rules.REVERSED,
         Send("A", HIT, ttl=1), Err(11, 0, look=("type", "to"))),
    never(21, "no error about an ICMP error whose TTL ends", rules.ERR_NOT_ERR,
          Send("F", ttl=1, body="error")),
    never(22, "no error about an ICMP error with a broken LSRR", rules.ERR_NOT_ERR,
          Send("A", BAD, body="error")),
    never(23, "no error about an ICMP error with LSRR whose TTL ends", rules.ERR_NOT_ERR,
          Send("A", HIT, ttl=1, body="error")),
    never(24, "no error about an ICMP error whose source route fails", rules.ERR_NOT_ERR,
          Send("A", NEXT_BAD, body="error")),
    never(25, "no error about a later fragment whose TTL ends", rules.ERR_NOT_FRAG,
          Send("F", ttl=1, frag=10)),
    never(26, "no error about a later fragment with a broken LSRR", rules.ERR_NOT_FRAG,
          Send("A", BAD, frag=MF | 10)),
    never(27, "no error about a later fragment whose source route fails",
          rules.ERR_NOT_FRAG, Send("A", NEXT_BAD, frag=10)),
    never(28, "no error about a link-layer broadcast with a broken LSRR",
          rules.ERR_NOT_CAST, Send("A", BAD, link="broadcast")),
    never(29, "no error about a link-layer broadcast whose TTL ends", rules.ERR_NOT_CAST,
          Send("F", ttl=1, link="broadcast")),
    never(30, "no error about a datagram for 255.255.255.255", rules.ERR_NOT_CAST,
          Send("255.255.255.255", BAD, link="broadcast")),
    never(31, "no error about a datagram for a multicast group", rules.ERR_NOT_CAST,
          Send("224.0.0.1", BAD, link="multicast")),
    never(32, "no error to 0.0.0.0", rules.ERR_NOT_SOURCE, Send("A", BAD, src="0.0.0.0")),
    never(33, "no error to 127.0.0.1", rules.ERR_NOT_SOURCE,
          Send("A", BAD, src="127.0.0.1")),
    never(34, "no error to a multicast group", rules.ERR_NOT_SOURCE,
          Send("A", BAD, src="224.0.0.9")),
    never(35, "no error to 255.255.255.255", rules.ERR_NOT_SOURCE,
          Send("A", BAD, src="255.255.255.255")),
    never(36, "no error to a link's broadcast address", rules.ERR_NOT_SOURCE,
          Send("A", BAD, src="BCA")),
    never(37, "no error to the device's own address", rules.ERR_NOT_SOURCE,
          Send("F", ttl=1, src="A")),
    never(38, "no TTL error to a link's broadcast address", rules.ERR_NOT_SOURCE,
          Send("F", ttl=1, src="BCA")),
    Case("E39", "an ICMP echo is no error: it gets one", rules.TTL_ZERO,
         Send("F", ttl=1, body="echo"), Err(11, 0)),
    Case("E40", "a first fragment gets an error", rules.TTL_ZERO,
         Send("F", ttl=1, frag=MF), Err(11, 0)),
    Case("E41", "the device answers an echo request", rules.ECHO,
         Send("A", body="echo"), Reply(look=("route", "sum"))),
    Case("E42", "a burst of errors: are they limited?", rules.ERR_LIMIT, Send("F", ttl=1),
         Err(11, 0), special="limit",
         known="Linux: 1 a second for each destination, 1,000 in all; BSD: 200 in all"),
    Case("E43", "LSRR whose TTL ends, with two recorded: the last one comes first",
         rules.REVERSED, Send("A", [Loose("m", "m2", "n", ptr=12)], ttl=1),
         Err(11, 0, options=[Loose("m", "s")], to="m2", look=("type", "route", "to")),
         (STRAIGHT_TTL,)),
    Case("E44", "an error about a broken option has no Record Route of the datagram",
         rules.ERR_OPTIONS, Send("F", [Record(2), Raw("9e 00 00 00")]),
         Err(12, 0, look=("type", "route")),
         (May(Err(12, 0), "sends the datagram's Record Route along in its error"),
          May(Out("F"), "passes the option on without a look into it")), nasty=True,
         known="Linux sends it along"),
]
