# SPDX-License-Identifier: GPL-2.0-only
"""Broadcast and multicast at both layers, and addresses that nobody can have.

    s -- GA -- [A device B] -- GB -- F
"""

from .. import rules
from ..case import Case, Err, May, Nothing, Out, Send
from ..option import Loose, Strict

HIT = [Loose("n")]
AS_LINUX = May(Out("F"), "takes the address for an ordinary one, as Linux does",
               only="linux")


def quiet(number, title, rule, send, may=(), look=("any",)):
    return Case("W%d" % number, title, rule, send, Nothing(look=look), tuple(may),
                nasty=True)


SOURCES = [("0.0.0.0", "0.0.0.0"), ("127.0.0.1", "in 127/8"),
           ("224.0.0.1", "a multicast group"), ("255.255.255.255", "the limited broadcast"),
           ("A", "the device's own address"), ("BCA", "a link's broadcast address")]


def martian(source):
    return rules.OWN_SOURCE if source == "A" else rules.MARTIAN_SRC


CASES = [
    quiet(1, "an ordinary datagram in a link-layer broadcast", rules.CAST_LINK,
          Send("F", link="broadcast")),
    quiet(2, "LSRR in a link-layer broadcast", rules.CAST_LINK,
          Send("A", HIT, link="broadcast")),
    quiet(3, "LSRR in a link-layer multicast", rules.CAST_LINK,
          Send("A", HIT, link="multicast")),
    quiet(4, "SSRR in a link-layer broadcast", rules.CAST_LINK,
          Send("A", [Strict("n")], link="broadcast")),
    quiet(5, "LSRR in transit in a link-layer broadcast", rules.CAST_LINK,
          Send("F", [Loose("F2")], link="broadcast")),
    quiet(6, "LSRR for 255.255.255.255", rules.CAST_LIMITED,
          Send("255.255.255.255", HIT, link="broadcast")),
    quiet(7, "LSRR for a multicast group", rules.ERR_NOT_CAST,
          Send("224.0.0.1", HIT, link="multicast")),
    quiet(8, "LSRR for the broadcast address of the link on the far side",
          rules.CAST_DIRECTED, Send("BC", HIT)),
    quiet(9, "an ordinary datagram for the broadcast address of the far link",
          rules.CAST_DIRECTED, Send("BC"), look=("out",)),
    quiet(10, "an ordinary datagram for a multicast group of the link", rules.CAST_LOCAL,
          Send("224.0.0.5", link="multicast")),
    *[quiet(11 + i, "an ordinary datagram whose source is %s" % text, martian(source),
            Send("F", src=source)) for i, (source, text) in enumerate(SOURCES)],
    *[quiet(17 + i, "LSRR whose source is %s" % text, martian(source),
            Send("A", HIT, src=source)) for i, (source, text) in enumerate(SOURCES)],
    quiet(23, "an ordinary datagram for 127.0.0.1", rules.MARTIAN_DST,
          Send("127.0.0.1"), [May(Err(3, 0, codes=(1,)), "answers: unreachable")],
          look=("out",)),
    quiet(24, "an ordinary datagram for 0.0.0.0", rules.MARTIAN_DST, Send("0.0.0.0"),
          look=("out",)),
    quiet(25, "LSRR for 127.0.0.1", rules.MARTIAN_DST, Send("127.0.0.1", HIT),
          look=("out",)),
    quiet(26, "a strict route from 127.0.0.1", rules.MARTIAN_SRC,
          Send("A", [Strict("n")], src="127.0.0.1")),
    quiet(27, "an ordinary datagram for 255.255.255.255", rules.CAST_LIMITED,
          Send("255.255.255.255", link="broadcast"), look=("out",)),
    quiet(28, "an ordinary datagram whose source is in 0/8", rules.MARTIAN_SRC,
          Send("F", src="0.1.2.3"), [AS_LINUX]),
    quiet(29, "an ordinary datagram whose source is in 240/4", rules.CLASS_E,
          Send("F", src="240.1.2.3"), [AS_LINUX]),
]
