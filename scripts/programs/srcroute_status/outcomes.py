# SPDX-License-Identifier: GPL-2.0-only
"""What can become of a datagram, in the order of include/srcroute/outcome.h, which
scripts/check/doc-facts compares this with.
"""

import collections

# icmp: type/code of the error, "" for none
Outcome = collections.namedtuple("Outcome", "name icmp sentence")

OUTCOMES = [Outcome(*one) for one in (
    ("hop", "", "handed to forwarding, towards the next address of its route"),
    ("transit", "", "forwarded on its way to another router of its route"),
    ("local", "", "route complete, handed to the kernel for local delivery"),
    ("policy_drop", "", "dropped because lsrr or ssrr is 2"),
    ("policy_reject", "3/13", "refused because lsrr or ssrr is 3"),
    ("bad_option", "12/0", "malformed IP options"),
    ("strict_transit", "12/0",
     "strict route through this router, which it does not list"),
    ("bad_next", "3/5", "next address is not that of one host"),
    ("no_route", "3/5", "no route to the next address"),
    ("not_adjacent", "3/5",
     "strict route, and the next address is not on a link of ours"),
    ("nonlocal", "3/5", "would leave through another interface, and nonlocal is 0"),
    ("revisit", "3/5", "has been here before, and revisit is 0"),
    ("bad_source", "", "source address failed the martian or reverse-path check"),
    ("no_memory", "", "out of memory"),
    ("ttl_exceeded", "11/0", "time to live exceeded"),
    ("frag_needed", "3/4", "larger than the MTU, and must not be fragmented"),
    ("nested", "", "came back too often while it was forwarded, out of tunnels"),
    ("not_accepted", "",
     "route complete, out of SRv6, and accept_source_route is 0"),
)]
BY_NAME = {one.name: one for one in OUTCOMES}
WENT_ON = ("hop", "transit", "local")
