# SPDX-License-Identifier: GPL-2.0-only
"""The TTL.

    s -- GA -- [A device B] -- GB -- F
"""

from .. import rules
from ..case import Case, Err, May, Nothing, Out, Reply, Send
from ..option import Loose, Strict

HIT, ON = [Loose("n")], [Loose("B", ptr=8)]

CASES = [
    Case("L1", "an ordinary datagram: the TTL is one less", rules.TTL_LESS, Send("F"),
         Out("F", look=("ttl",))),
    Case("L2", "an ordinary datagram: 2 becomes 1", rules.TTL_LESS, Send("F", ttl=2),
         Out("F", look=("dst", "ttl"))),
    Case("L3", "an ordinary datagram: 255 becomes 254", rules.TTL_LESS, Send("F", ttl=255),
         Out("F", look=("dst", "ttl"))),
    Case("L4", "an ordinary datagram with 1: ICMP 11/0", rules.TTL_ZERO, Send("F", ttl=1),
         Err(11, 0)),
    Case("L5", "an ordinary datagram with 0 is not forwarded", rules.TTL_NONE,
         Send("F", ttl=0), Nothing(look=("out",)), nasty=True),
    Case("L6", "LSRR: the TTL is one less", rules.TTL_LESS, Send("A", HIT),
         Out("n", ON, look=("ttl",))),
    Case("L7", "LSRR: 2 becomes 1", rules.TTL_LESS, Send("A", HIT, ttl=2),
         Out("n", ON, look=("dst", "ttl"))),
    Case("L8", "LSRR with 1: ICMP 11/0", rules.TTL_ZERO, Send("A", HIT, ttl=1), Err(11, 0)),
    Case("L9", "SSRR with 1: ICMP 11/0", rules.TTL_ZERO, Send("A", [Strict("n")], ttl=1),
         Err(11, 0)),
    Case("L10", "LSRR in transit with 1: ICMP 11/0", rules.TTL_ZERO,
         Send("F", [Loose("F2")], ttl=1), Err(11, 0)),
    Case("L11", "LSRR with 0 is not forwarded", rules.TTL_NONE, Send("A", HIT, ttl=0),
         Nothing(look=("out",)), nasty=True),
    Case("L12", "an echo request for the device with 1 is answered", rules.TTL_OWN,
         Send("A", body="echo", ttl=1), Reply()),
    Case("L13", "an echo request for the far address with 1 is answered", rules.TTL_OWN,
         Send("B", body="echo", ttl=1), Reply()),
    Case("L14", "LSRR for own addresses, then on: 2 is enough", rules.TTL_LESS,
         Send("A", [Loose("B", "n")], ttl=2),
         Out("n", [Loose("B", "B", ptr=12)], look=("dst",)),
         (May(Err(11, 0), "takes one off for each own address"),)),
    Case("L15", "LSRR that ends at an own address with 1 is taken", rules.TTL_OWN,
         Send("A", [Loose("B")], body="echo", ttl=1), Reply(options=None),
         (May(Nothing(), "takes no source-routed datagram for itself", unless="H18"),)),
]
