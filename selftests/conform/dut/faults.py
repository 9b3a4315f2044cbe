# SPDX-License-Identifier: GPL-2.0-only
"""What can be wrong with the device, and what may differ though it is right.

A fault has a sentence, the cases of srconform that are meant for it, and what it makes
wrong, in the words of srconform's documents. Any other case may tell of it only for
that; and, where `among` is given, only a case that is named there or whose family is.
A choice is what the RFCs leave to a router, or only recommend: no MUST is broken by it.
"""


class Fault:

    def __init__(self, text, cases, wrong, among="", profile="rfc"):
        self.text, self.profile = text, profile
        self.cases, self.wrong = cases.split(), set(wrong.split())
        self.among = set(among.split()) | set(self.cases) if among else None


# What srconform says of a case that says nothing of octets.
QUIET = "silent choice"
KIND = "kind"  # forwarded, an error, a reply: it is another one than expected
ROUTE_FAILED = "H35 H36 H38 H51 H52 H53 H54 H55 H56 H57 H58 H59 E9 E16 E24 E27"
TTL_ENDS = "L E2 E4 E5 E6 E7 E10 E11 E12 E13 E14 E15 E17 E18 E20 E39 E40 E42 E43 E45 E46 B11"

FAULTS = {
    # The source route
    "pointer-stays": Fault(
        "the pointer of a source route is not advanced", "H3 H30 H50", "ptr first copied"),
    "pointer-by-8": Fault(
        "the pointer of a source route is advanced by 8", "H3 H30 H50",
        "ptr first copied"),
    "records-ingress": Fault(
        "records its address on the side where the datagram came in", "H2 H12 R1 S5",
        "record rr ts first copied"),
    "records-arrival": Fault(
        "records the address that the datagram came for", "H2 H12", "record rr ts first copied"),
    "records-first-primary": Fault(
        "records the first address that it has, on any interface", "H2 H9 R1",
        "record rr ts first copied"),
    "records-nothing": Fault(
        "leaves the next address in its slot", "H2 H8", "record first copied"),
    "destination-stays": Fault(
        "moves the pointer on and leaves the destination as it was", "H1 H31", "dst"),
    "hit-options-stay": Fault(
        "does not update Record Route and Timestamp beside a source route", "R11 R12 S16",
        "rr ts first"),
    "adjacency-ignored": Fault(
        "forwards a strict route by way of a gateway that it does not name", "H35 H38",
        "kind", "H36 E9"),
    "second-route": Fault(
        "accepts a second source route, and uses the first", "V18 V19 V20", "kind",
        "V18 V19 V20"),
    "last-slot-left": Fault(
        "takes a route with one slot left for complete", "H1 H21 H30",
        "kind type silent pointer route to dst area choice"),
    "full-route-delivered": Fault(
        "takes a route of nine slots for complete", "H29 H49", "kind", "H30 H50 C19"),
    "complete-route-dropped": Fault(
        "drops a complete route for itself", "H18 H20", "silent", "H19 H66 H69",
        profile="strict"),
    "hits-dropped": Fault(
        "drops source routes that are addressed to it, without a word", "H1 H31", QUIET,
        "H R T S O L F E C B"),
    "own-in-row-refused": Fault(
        "refuses a route that names another address of it next", "H14 H15 H37", "kind",
        "H16 H17 L14 L15 C20 E7"),
    "own-last-dropped": Fault(
        "drops a route that ends at another address of it", "H17 L15", "silent", "H17"),
    "no-hairpin": Fault(
        "refuses a source route back out of the interface that it came by", "H8 H39",
        "kind", "H13 H67", profile="strict"),
    "every-64th": Fault(
        "forwards every 64th of a flow of source routes unchanged", "B1 B3",
        "dst ptr record", "B B7 B9"),
    "hint-leaks": Fault(
        "sends an ordinary datagram where the source route just before it went", "B2",
        "hop", "B2"),
    # Next addresses
    "bad-next-silent": Fault(
        "says nothing when the next address is no host's", "H53 H54 H55 H56 H57 H58 H59",
        "silent", "E16"),
    "bad-next-forwarded": Fault(
        "forwards to a broadcast address in a source route", "H54 H58", "kind", "H54"),
    "failed-silent": Fault(
        "says nothing when a source route fails", "H36 H51 H52", "silent", ROUTE_FAILED),
    "failed-net-code": Fault(
        "answers ICMP 3/0 when a source route fails", "H36 H51 H52", "type",
        ROUTE_FAILED),
    # Transit
    "strict-transit": Fault(
        "forwards a strict route that does not name it", "T7 T8", "kind choice",
        "T9 T10"),
    "transit-dropped": Fault(
        "drops a loose route that is for others", "T1 T2 T3", "silent",
        "T L10 V43 B4"),
    "transit-acts": Fault(
        "acts on a source route that is for others", "T1 T3 T6",
        "dst length ptr record slots type hop kind", "T B4"),
    "transit-options-stay": Fault(
        "does not update Record Route and Timestamp of others", "S7 S8 T12",
        "rr ts choice", "R S T B5"),
    "options-stripped": Fault(
        "removes the options of what it forwards for others", "T1 O1 R1",
        "area length ptr record slots rr ts stamp other padding first copied sum choice"),
    # Validity
    "route-length": Fault(
        "accepts a source route whose length is no whole number of slots", "V6 V41",
        "kind pointer type choice", "V3 V4 V5 V15"),
    "pointer-low": Fault(
        "accepts a pointer below 4", "V9", "kind pointer type silent choice",
        "V9 V10 V16 V40 E3 E8 E22 E26 E28"),
    "pointer-odd": Fault(
        "accepts a pointer between two slots", "V11 V13", "kind pointer type route to silent choice",
        "V12 V17 V42 E19"),
    "length-past-end": Fault(
        "accepts an option that runs past the header", "V7 V24",
        "kind type silent pointer choice", "V"),
    "eol-ignored": Fault(
        "reads options behind the end of the list", "O21", "kind", "O21"),
    "bad-option-silent": Fault(
        "says nothing about a broken option", "V1 V9 V18 V25", QUIET,
        "V E3 E8 E19 E44 T7 T8 T9 T10"),
    "bad-option-unreachable": Fault(
        "answers ICMP 3/5 to a broken option", "V1 V9 V18 V25", "type pointer choice",
        "V E19 E44 T7 T8 T9 T10"),
    "unknown-dropped": Fault(
        "drops what has an option that it does not know", "O1 O2 O35 O47",
        "silent choice", "O F18 F19 V44"),
    "nop-dropped": Fault(
        "drops what has a NOP", "O8 O23 H61 R14", "silent", "O11 O16 O17 V20 V21 V46"),
    # Record Route and Timestamp
    "pointer-across": Fault(
        "accepts a pointer of Record Route or Timestamp that is across two slots", "V49 V50",
        "choice kind", "V49"),
    "record-slot-off": Fault(
        "records itself one slot too far in Record Route", "R1 R2 R3", "rr first route"),
    "record-pointer-stays": Fault(
        "does not advance the pointer of Record Route", "R1 R2 R4", "rr first route"),
    "stamp-slot-off": Fault(
        "writes a timestamp one slot too far", "S1 S5 S7", "ts stamp route"),
    "stamp-pointer-stays": Fault(
        "does not advance the pointer of Timestamp", "S1 S5 S7", "ts route"),
    "stamp-no-address": Fault(
        "writes a time alone where address and time are asked for", "S5 S6",
        "ts stamp", "H68 T14"),
    "stamp-all-prespecified": Fault(
        "writes its time beside addresses of others", "S10", "ts", "S10"),
    "stamp-no-prespecified": Fault(
        "writes no time beside its own prespecified address", "S7 S8 S9", "ts", "S19"),
    "stamp-since-1970": Fault(
        "writes seconds since 1970, without the bit that says so", "S3", "ts stamp"),
    "overflow-stays": Fault(
        "does not count in a full Timestamp option", "S11 S12", "ts kind", "S13",
        profile="strict"),
    "overflow-wraps": Fault(
        "counts from 15 to 0 in a full Timestamp option", "S13", "kind", "S13"),
    # Header
    "checksum-stale": Fault(
        "sends the checksum that came", "C18 R15 S17 T5", "sum sum0"),
    "checksum-ffff": Fault(
        "sends the checksum 0x0000 as 0xffff", "C15 C16", "sum sum0"),
    "checksum-unverified": Fault(
        "forwards datagrams with a wrong header checksum", "C1 C2", "kind", "C1"),
    "ttl-stays": Fault(
        "does not decrement the TTL", "L1 L6 L8 T4", "ttl kind silent", "B6 H16 E21 E23 " + TTL_ENDS),
    "ttl-by-2": Fault(
        "takes 2 from the TTL", "L1 L2 L6", "ttl kind choice", "B6 H16 T4 L"),
    "ttl-0-forwarded": Fault(
        "forwards with a TTL of 0", "L4 L5 L8 L9 L10 L11", "kind silent", "E21 E23 " + TTL_ENDS),
    "ttl-silent": Fault(
        "says nothing when the TTL ends", "L4 L8 L9 L10", QUIET, TTL_ENDS),
    "ttl-wrong-code": Fault(
        "answers ICMP 11/1 when the TTL ends", "L4 L8 L9 L10", "type", TTL_ENDS),
    "tos-lost": Fault("forwards with a TOS of 0", "C22 C23 C24", "tos"),
    "ident-changed": Fault("forwards with another identification", "C25 C26 C27", "id"),
    "df-cleared": Fault("clears Don't Fragment", "F8 F9", "frag", "F8"),
    "payload-changed": Fault(
        "changes the last octet of 40 octets of data or more", "H63 C28", "payload"),
    # Fragments and MTU
    "fragments-copy-all": Fault(
        "copies every option into later fragments", "F16 F17 F19", "copied", "F24"),
    "fragments-lose-route": Fault(
        "leaves the source route out of later fragments", "F14 F15", "copied", "F24"),
    "fragments-unsent": Fault(
        "drops what it would have to fragment", "F13 F14", "silent",
        "F15 F16 F17 F18 F19 F24 F25 F26"),
    "reserved-lost": Fault(
        "clears the reserved flag in fragments", "F25", "reserved", "F25"),
    "fragments-many": Fault(
        "makes fragments of 32 octets", "F26", "few", "F26"),
    "fragments-dropped": Fault(
        "drops later fragments of a source route", "F5 F6 F7", "silent", "F5"),
    "fragments-reassembled": Fault(
        "puts a source route's fragments together before it forwards", "F4 F5 F6",
        "silent", "F7"),
    "df-ignored": Fault(
        "fragments in spite of Don't Fragment", "F20 F22", "kind", "F21 F23"),
    "df-silent": Fault(
        "says nothing when Don't Fragment forbids to forward", "F20 F22", "silent",
        "F21 F23"),
    "df-without-mtu": Fault("leaves the MTU out of ICMP 3/4", "F21", "mtu", "F21"),
    # ICMP errors
    "no-errors": Fault(
        "sends no ICMP error at all", "L4 E1 V1", QUIET,
        "L T F20 F21 F22 F23 V E C31 H60 B11 " + ROUTE_FAILED),
    "truncated-silent": Fault(
        "says nothing about what is shorter than its total length", "C31", "silent", "C31"),
    "no-route-silent": Fault(
        "says nothing about an ordinary datagram without a route", "E1", "silent", "T11"),
    "no-neighbour-silent": Fault(
        "says nothing when a neighbour does not answer", "H60", "silent choice", "H60"),
    "error-pointer-off": Fault(
        "ICMP 12/0 points one octet too far", "V21 V22 V23", "pointer choice", "V T10"),
    "error-pointer-from-option": Fault(
        "ICMP 12/0 counts from the first option", "V1 V9 V18 T10", "pointer choice", "V"),
    "error-checksum": Fault(
        "sends ICMP errors with a wrong checksum", "E13 E14", "sum", "E13"),
    "error-source": Fault(
        "sends ICMP errors from its address on another interface", "E2 E3 E4", "from",
        "E2"),
    "error-tos": Fault(
        "sends ICMP errors with a TOS of 0", "E12 E45", "tos tos-bits", "E12",
        profile="strict"),
    "error-tos-bits": Fault(
        "sends ICMP errors without the TOS bits of the datagram", "E45", "tos-bits", "E45"),
    "icmp-ttl-taken": Fault(
        "sends ICMP messages with the TTL of what they answer", "E46 E47", "ttl", "E46"),
    "unknown-icmp-answered": Fault(
        "answers ICMP of an unknown type", "E51", "kind", "E51"),
    "error-about-error": Fault(
        "answers ICMP errors with ICMP errors", "E21 E22 E23 E24", "kind", "E21"),
    "error-about-fragment": Fault(
        "answers later fragments with ICMP errors", "E25 E26 E27", "kind", "E25"),
    "error-about-broadcast": Fault(
        "answers link-layer broadcasts with ICMP errors", "E28 E29", "kind",
        "W1 W2 W3 W4 W5"),
    "error-route-kept": Fault(
        "copies the source route into ICMP errors as it came", "E16 E17 E18",
        "route to", "E43"),
    "route-not-reversed": Fault(
        "puts the recorded addresses into the way back in their order", "H66 E43",
        "route to", "E43"),
    "quote-rewritten": Fault(
        "quotes the header with another destination than it came with", "E5 E6 E8 E9",
        "quote choice", "E7 F23"),
    "quote-28": Fault(
        "quotes 28 octets, whatever the length of the header", "E6 E8 E10",
        "quote size", "E7 E9 E11 F23"),
    "quote-header-only": Fault(
        "quotes the header without any data", "E5 E6 E8", "quote size",
        "E7 E9 E10 E11 F23"),
    "echo-without-route": Fault(
        "answers a source-routed echo request without the reversed route", "H20 H66",
        "route", "H20 H69"),
    "source-in-way-back": Fault(
        "keeps the source in a reversed route where it has recorded itself", "H69", "route",
        "H69"),
    "own-fragments-dropped": Fault(
        "drops fragments that are for itself", "E52", "silent", "E52"),
    "echo-options-lost": Fault(
        "answers an echo request without its Record Route and Timestamp", "R18 S20",
        "route", "R18"),
    "echo-data-cut": Fault(
        "answers an echo request with 64 octets of its data at most", "E49", "data", "E49"),
    "echo-from-first": Fault(
        "answers an echo request from its first address", "E48", "from", "E48"),
    "echo-precedence-lost": Fault(
        "answers an echo request without its precedence", "E50", "precedence", "E50"),
    "redirects-routes": Fault(
        "sends redirects for source routes", "H13 H67", "redirect", "H13"),
    # What must not be forwarded
    "link-broadcast-forwarded": Fault(
        "forwards what came as a link-layer broadcast or multicast", "W1 W2 W3 W4 W5",
        "kind", "W1"),
    "directed-broadcast": Fault(
        "forwards to the broadcast address of a link", "W8 W9", "kind", "W8"),
    "martian-source": Fault(
        "forwards from sources that are no host's", "W11 W12 W13 W17 W18 W19 W28", "kind",
        "W14 W16 W20 W22 W26"),
    "class-e-source": Fault("forwards from 240/4", "W29", "kind", "W29"),
    "limited-broadcast": Fault(
        "forwards the limited broadcast", "W27", "kind", "W6 E30"),
    "truncated-forwarded": Fault(
        "forwards what is shorter than its total length", "C9 C10", "kind", "C31"),
    "own-source": Fault("forwards from its own address", "W15 W21", "kind", "W15"),
    "loopback-destination": Fault("forwards to 127/8", "W23", "kind", "W25"),
    # Life
    "dies-of-length-0": Fault(
        "stops forwarding at an option of length 0", "V1", "dead"),
    "late": Fault(
        "forwards datagrams with options 200 ms late", "B12", "choice", "B12"),
    "duplicates": Fault("forwards everything twice", "B9 B10", "crowd choice",
        "B9"),
    "reorders": Fault(
        "lets every second datagram with options pass the one before it", "B7",
        "crowd choice", "B7"),
    "loses-bursts": Fault(
        "loses datagrams with options behind the 40th in a row", "B1 B3 B4 B5",
        "crowd silent", "B"),
}

CHOICES = {
    "own-in-row-costs": "takes 1 from the TTL for each of its addresses in a row",
    "errors-without-route": "ICMP errors go straight to the source",
    "errors-limited": "no more than ten ICMP errors a second, after ten at once",
    "quote-8-octets": "ICMP errors quote the header and eight octets",
    "no-redirects": "no ICMP redirects",
    "quote-as-forwarded": "ICMP errors quote the source route as it has been rewritten",
    "nops-lost": "removes NOP options",
    "record-unread": "passes Record Route through unread",
    "stamp-unread": "passes flags 0 and 1 of Timestamp through unread",
    "no-route-host-code": "ICMP 3/1 where there is no route",
}
