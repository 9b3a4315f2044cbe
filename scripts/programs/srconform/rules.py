# SPDX-License-Identifier: GPL-2.0-only
"""The sentences of RFCs that cases are about, in our own words."""

from .case import MAY, MUST, SHOULD, Rule


def _rule(rfc, section, level, text):
    return Rule(rfc, section, level, text)


def setting(section, name):
    """RFC 7126: an option with a setting of its own."""
    return _rule("RFC 7126", section, SHOULD, "%s has a setting of its own: to drop what "
                 "has it or to forward it as its RFC says" % name)


def obsolete(section, name):
    """RFC 7126: an option that may be dropped; else RFC 1812, 5.3.13.1 holds."""
    return _rule("RFC 7126", section, SHOULD, "%s is out of use: drop what has it; what is "
                 "not dropped passes unchanged (RFC 1812, 5.3.13.1)" % name)


def never_dropped(section, name, level=SHOULD):
    """RFC 7126: no reason to drop."""
    return _rule("RFC 7126", section, level, "%s is no reason to drop a datagram" % name)


def not_by_default(section, name):
    """RFC 7126: some networks depend on the option."""
    return _rule("RFC 7126", section, SHOULD, "what has %s is neither dropped nor changed "
                 "unless the device is told to" % name)


SRR_NEXT = _rule("RFC 791", "3.1, Source Route", MUST, "at an address of the route the next "
                 "one becomes the destination")
SRR_RECORD = _rule("RFC 791", "3.1, Source Route", MUST, "the slot just used gets the "
                   "router's own address towards the next network")
SRR_PTR = _rule("RFC 791", "3.1, Source Route", MUST, "the pointer moves on by four")
SRR_SIZE = _rule("RFC 791", "3.1, Source Route", MUST, "the option keeps its length, and the "
                 "slots not yet used stay as they are")
SRR_EMPTY = _rule("RFC 791", "3.1, Source Route", MUST, "a pointer past the length means that "
                  "the route is used up and the destination alone counts")
SRR_DELIVER = _rule("RFC 1122", "3.2.1.8", MUST, "a datagram whose source route has come to "
                    "its end is delivered, with the route as it was recorded")
SRR_ONCE = _rule("RFC 791", "3.1, Source Route", SHOULD, "a source route appears at most once "
                 "in a datagram")
SRR_TRANSIT = _rule("RFC 791", "3.1, Source Route", MUST, "a loose route may pass any number "
                    "of gateways between its addresses")
OPTION_ADDRESS = _rule("RFC 1812", "4.2.2.2", MUST, "the address recorded is that of the "
                       "interface by which the datagram leaves")
SSRR_DIRECT = _rule("RFC 791", "3.1, Strict Source", MUST, "a strict route goes to its next "
                    "address only by a network that is directly connected")
SSRR_TRANSIT = _rule("RFC 791", "3.1, Strict Source", MUST, "a strict route passes no gateway "
                     "that it does not name")
SR_FAILED = _rule("RFC 1812", "5.2.7.1", SHOULD, "a source route that cannot be followed is "
                  "answered with code 5, source route failed")
NO_REDIRECT = _rule("RFC 1812", "5.2.7.2", MUST, "no redirect is sent for a datagram that has "
                    "a source route")
REVERSED = _rule("RFC 1812", "4.3.2.6", SHOULD, "an error about a source-routed datagram goes "
                 "back along the recorded part, reversed")
ECHO_REVERSED = _rule("RFC 1122", "3.2.2.6", MUST, "the reply to a source-routed echo goes "
                      "back along the reversed route")
RR_RECORD = _rule("RFC 791", "3.1, Record Route", MUST, "the router's address is put where "
                  "the pointer points, and the pointer moves on by four")
RR_FULL = _rule("RFC 791", "3.1, Record Route", MUST, "a full Record Route is forwarded as it "
                "is")
RR_SHORT = _rule("RFC 791", "3.1, Record Route", MUST, "with some room, but not for an "
                 "address, the datagram is discarded; an ICMP 12 may be sent")
TS_STAMP = _rule("RFC 791", "3.1, Internet Timestamp", MUST, "the time stamp is put where the "
                 "pointer points, and the pointer moves on")
TS_VALUE = _rule("RFC 791", "3.1, Internet Timestamp", MUST, "a stamp is in milliseconds "
                 "since midnight UT, or has its high bit set")
TS_MATCH = _rule("RFC 1812", "5.3.13.6", MUST, "with flag 3 the stamp is added if the next "
                 "address is any one of the router's")
TS_OTHER = _rule("RFC 791", "3.1, Internet Timestamp", MUST, "with flag 3 a module whose "
                 "address is not next leaves the option alone")
TS_FULL = _rule("RFC 791", "3.1, Internet Timestamp", MUST, "where the area is full, the "
                "overflow count goes up by one and the datagram is forwarded")
TS_OVERFLOW = _rule("RFC 791", "3.1, Internet Timestamp", MUST, "where the overflow count "
                    "itself overflows, the datagram is discarded; an ICMP 12 may be sent")
TS_SHORT = _rule("RFC 791", "3.1, Internet Timestamp", MUST, "with some room, but not for a "
                 "whole stamp, the datagram is discarded; an ICMP 12 may be sent")
UNKNOWN = _rule("RFC 1812", "5.3.13.1", MUST, "an option that the router does not know is "
                "passed through unchanged")
NOP_EOL = _rule("RFC 791", "3.1, Options", MUST, "No Operation may stand between options, End "
                "of List ends them; options may stand in any order")
PROBLEM = _rule("RFC 1812", "4.3.3.5", MUST, "an error that no other ICMP message covers is "
                "answered with a Parameter Problem")
POINTER = _rule("RFC 792", "Parameter Problem", MUST, "the pointer names the octet at which "
                "the error was found")
NO_TRUST = _rule("RFC 6274", "3.13", SHOULD, "options are checked before use: a length that "
                 "runs past the header is never followed")
TTL_LESS = _rule("RFC 1812", "5.3.1", MUST, "the TTL is reduced by at least one")
TTL_ZERO = _rule("RFC 1812", "5.3.1", MUST, "where the TTL becomes 0 the datagram is discarded "
                 "and answered with ICMP 11/0")
TTL_OWN = _rule("RFC 1812", "4.2.2.9", MUST, "the TTL is asked about only when forwarding, not "
                "for what is the router's own")
SUM_VERIFY = _rule("RFC 1812", "4.2.2.5", MUST, "the header checksum is verified, and what "
                   "fails is discarded without a word")
SUM_RIGHT = _rule("RFC 1624", "3", MUST, "the checksum after an update is the one that a "
                  "computation from the start gives")
VALID = _rule("RFC 1812", "5.2.2", MUST, "a header that fails the checks of version, length, "
              "total length or checksum is discarded without a word")
RESERVED = _rule("RFC 1812", "4.2.2.3", MUST, "a reserved bit that is set is no reason to "
                 "discard a datagram")
TOS_KEPT = _rule("RFC 1812", "5.3.2", MUST, "forwarding leaves the TOS octet as it is")
ID_KEPT = _rule("RFC 6864", "4.1", MUST, "nobody on the way changes the identification")
FRAG_KEPT = _rule("RFC 791", "3.2, Fragmentation", MUST, "a fragment is forwarded as one, by "
                  "its destination; only the destination puts it together")
FRAG_COPY = _rule("RFC 791", "3.1, Options", MUST, "options with the copied flag are in every "
                  "fragment, the others in the first one only")
FRAG_MAKE = _rule("RFC 1812", "4.2.2.7", MUST, "what is larger than the MTU and may be "
                  "fragmented is")
DF_MTU = _rule("RFC 1812", "5.2.7.1", MUST, "what is larger than the MTU and must not be "
               "fragmented is answered with ICMP 3/4")
DF_VALUE = _rule("RFC 1191", "4", MUST, "ICMP 3/4 has the MTU of the next hop in it")
NO_ROUTE = _rule("RFC 1812", "5.2.7.1", MUST, "where there is no route, the source is told: "
                 "destination unreachable")
ERR_NOT_ERR = _rule("RFC 1812", "4.3.2.7", MUST, "no ICMP error about an ICMP error")
ERR_NOT_FRAG = _rule("RFC 1812", "4.3.2.7", MUST, "no ICMP error about a fragment other than "
                     "the first")
ERR_NOT_CAST = _rule("RFC 1812", "4.3.2.7", MUST, "no ICMP error about a datagram for a "
                     "broadcast or multicast address, nor about a link-layer broadcast")
ERR_NOT_SOURCE = _rule("RFC 1812", "4.3.2.7", MUST, "no ICMP error to a source that is not one "
                       "host")
ERR_FROM = _rule("RFC 1812", "4.3.2.4", MUST, "the source of an ICMP error is an address of "
                 "the interface by which it leaves")
ERR_QUOTE = _rule("RFC 1812", "4.3.2.3", MUST, "the header in an ICMP error is the one that "
                  "was received")
ERR_SIZE = _rule("RFC 1812", "4.3.2.3", SHOULD, "an ICMP error has as much of the datagram as "
                 "fits into 576 octets")
ERR_TOS = _rule("RFC 1812", "4.3.2.5", SHOULD, "an ICMP error has precedence 6 or 7")
ERR_OPTIONS = _rule("RFC 1812", "4.3.2.6", MAY, "of the options of a datagram, an error "
                    "takes over the source route; nothing is said of others")
ERR_SUM = _rule("RFC 792", "checksum", MUST, "the checksum of an ICMP message is right")
ERR_LIMIT = _rule("RFC 1812", "4.3.2.8", SHOULD, "a router can limit the rate of its ICMP "
                  "errors")
CAST_LINK = _rule("RFC 1812", "5.3.4", MUST, "what was received as a link-layer broadcast is "
                  "not forwarded")
MARTIAN_SRC = _rule("RFC 1812", "5.3.7", SHOULD, "what has an invalid source address is not "
                    "forwarded")
MARTIAN_DST = _rule("RFC 1812", "5.3.7", SHOULD, "what has an invalid destination is not "
                    "forwarded")
ECHO = _rule("RFC 1812", "4.3.3.6", MUST, "a router answers echo requests")
ORDINARY = _rule("RFC 1812", "5.2.1", MUST, "an ordinary datagram is forwarded by its "
                 "destination")
ROBUST = _rule("RFC 1812", "1.3.2", MUST, "hostile datagrams do not stop a router")
SAME = _rule("RFC 1812", "2.2.1", SHOULD, "datagrams of one flow are neither doubled nor "
             "reordered without need")
DRAFT = _rule("draft of 1987, Postel and Reynolds", "example 2", MUST, "of a gateway's "
              "addresses the one on the side of the next network is recorded")
