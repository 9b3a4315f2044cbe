# SPDX-License-Identifier: GPL-2.0-only
"""The sentences of RFCs that cases are about, in our own words.

A level is the word of the RFC where it has capitals (RFC 1122, 1191, 1812, 2644, 3168,
6864 and 7126). The others, in case.PLAIN, say what is done, or should be, in ordinary
words: there MUST stands for a plain statement of how the protocol works, and SHOULD for
advice. Sections are those of selftests/conform/sections.
"""

from .case import MAY, MUST, SHOULD, Rule


def _rule(rfc, section, level, text):
    return Rule(rfc, section, level, text)


def setting(section, name):
    """RFC 7126: an option with a setting of its own."""
    return _rule("RFC 7126", section, SHOULD, "%s has a setting of its own: to drop what "
                 "has it, to ignore it, or to act on it as its RFC says" % name)


def advised(section, name, otherwise):
    """RFC 7126: to be dropped; RFC 1812: to be forwarded. Neither is held against a
    device."""
    return _rule("RFC 7126", section, SHOULD, "what has %s is dropped; %s"
                 % (name, otherwise))


def never_dropped(section, name):
    """RFC 7126: no reason to drop."""
    return _rule("RFC 7126", section, SHOULD, "%s is no reason to drop a datagram" % name)


def not_by_default(section, name):
    """RFC 7126: some networks depend on the option."""
    return _rule("RFC 7126", section, SHOULD, "what has %s is neither dropped nor changed "
                 "unless the device is told to" % name)


SRR_NEXT = _rule("RFC 791", "3.1, Source and Record Route", MUST, "at an address of the route the next "
                 "one becomes the destination")
SRR_RECORD = _rule("RFC 791", "3.1, Source and Record Route", MUST, "the slot just used gets the "
                   "router's own address towards the next network")
SRR_PTR = _rule("RFC 791", "3.1, Source and Record Route", MUST, "the pointer moves on by four")
SRR_SIZE = _rule("RFC 791", "3.1, Source and Record Route", MUST, "the option keeps its length, and the "
                 "slots not yet used stay as they are")
SRR_EMPTY = _rule("RFC 791", "3.1, Source and Record Route", MUST, "a pointer past the length means that "
                  "the route is used up and the destination alone counts")
SRR_DELIVER = _rule("RFC 1812", "4.2.2.1", MUST, "a datagram whose source route has come to "
                    "its end is delivered, with the route as it was recorded")
SRR_ONCE = _rule("RFC 1812", "5.2.4.1", SHOULD, "a datagram with two source routes is "
                 "discarded, and the error points at the beginning of the second one")
SRR_TRANSIT = _rule("RFC 791", "3.1, Source and Record Route", MUST, "a loose route may pass any number "
                    "of gateways between its addresses")
OWN_IN_ROW = _rule("RFC 1812", "5.2.3", MUST, "the pointer moves on past the router's own "
                   "addresses; a route that ends at one is delivered")
OPTION_ADDRESS = _rule("RFC 1812", "4.2.2.2", MUST, "the address recorded is that of the "
                       "interface by which the datagram leaves")
SSRR_DIRECT = _rule("RFC 791", "3.1, Strict Source and Record Route", MUST, "a strict route goes to its next "
                    "address only by a network that is directly connected")
SSRR_FAR = _rule("RFC 1812", "5.2.4.3", MUST, "a strict route whose next address is not on a "
                 "connected network is discarded, and the source is told")
SSRR_TRANSIT = _rule("RFC 1812", "5.2.2", SHOULD, "what has a strict route and is not for the "
                     "router is answered with ICMP 12/0 that points at the destination")
SR_FAILED = _rule("RFC 1812", "5.2.7.1", SHOULD, "a source route that cannot be followed is "
                  "answered with code 5, source route failed")
SR_NO_WAY = _rule("RFC 1812", "5.2.4.3", MUST, "where the next address of a source route has "
                  "no route, or a strict one is not a neighbour's, the error is source route "
                  "failed")
NO_REDIRECT = _rule("RFC 1812", "5.2.7.2", MUST, "no redirect is sent for a datagram that has "
                    "a source route")
REVERSED = _rule("RFC 1812", "4.3.2.6", SHOULD, "an error about a source-routed datagram goes "
                 "back along the recorded part, reversed, unless it is about the route itself")
ECHO_REVERSED = _rule("RFC 1812", "4.3.3.6", MUST, "the reply to a source-routed echo goes "
                      "back along the reversed route, unless policy would stop it there")
SOURCE_RECORDED = _rule("RFC 1812", "4.2.2.1", MUST, "the reversed route is well formed, even "
                        "where the source has recorded itself in it")
ECHO_OPTIONS = _rule("RFC 1812", "4.3.3.6", SHOULD, "Record Route and Timestamp of an echo "
                     "request are updated, and sent back with the reply")
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
STREAM = _rule("RFC 1812", "5.3.13.3", MUST, "a Stream Identifier is ignored and passed "
               "through unchanged")
ALERT = _rule("RFC 2113", "2.2", MUST, "a router that does not know Router Alert ignores it, "
              "one that knows it looks at the datagram and forwards it")
NOP_EOL = _rule("RFC 791", "3.1, Options", MUST, "No Operation may stand between options, End "
                "of Option List ends them")
ALL_OPTIONS = _rule("RFC 791", "3.1, Options", MUST, "every gateway carries out the options "
                    "that there are; nothing is said of an order")
PROBLEM = _rule("RFC 1812", "4.3.3.5", MUST, "an error that no other ICMP message covers is "
                "answered with a Parameter Problem; its pointer names the octet that is wrong")
SRR_SANE = _rule("RFC 6274", "3.13.2.3", SHOULD, "a source route whose length is no whole "
                 "number of slots, or whose pointer is between two, is dropped")
RR_SANE = _rule("RFC 6274", "3.13.2.5", SHOULD, "a Record Route whose pointer is between two "
                "slots is dropped")
TS_SANE = _rule("RFC 6274", "3.13.2.7", SHOULD, "a Timestamp whose pointer is between two "
                "slots is dropped")
SEC_SANE = _rule("RFC 6274", "3.13.2.12", SHOULD, "a Basic Security option of fewer than three "
                 "octets may be dropped, and is no reason for anything else")
TTL_LESS = _rule("RFC 1812", "5.3.1", MUST, "the TTL is reduced by at least one")
TTL_ZERO = _rule("RFC 1812", "5.3.1", MUST, "where the TTL becomes 0 the datagram is discarded "
                 "and answered with ICMP 11/0")
TTL_OWN = _rule("RFC 1812", "4.2.2.9", MUST, "the TTL is asked about only when forwarding, not "
                "for what is the router's own")
TTL_NONE = _rule("RFC 1812", "4.2.2.9", MUST, "nothing is forwarded with a TTL of 0")
SUM_VERIFY = _rule("RFC 1812", "4.2.2.5", MUST, "the header checksum is verified, and what "
                   "fails is discarded without a word")
SUM_RIGHT = _rule("RFC 791", "3.1, Header Checksum", MUST, "the checksum is computed anew "
                  "where the header changes")
SUM_ZERO = _rule("RFC 1624", "3", MUST, "the checksum after an update is the one that a "
                 "computation from the start gives: never 0xffff")
VALID = _rule("RFC 1812", "5.2.2", MUST, "a header that fails the checks of version, length, "
              "total length or checksum is discarded; of a length a Parameter Problem may tell")
TRUNCATED = _rule("RFC 1812", "5.2.2", SHOULD, "what is shorter than its total length says is "
                  "discarded, and answered with ICMP 12/0 that points at the total length")
RESERVED = _rule("RFC 1812", "5.2.5", MUST, "a reserved bit that is set is no reason to "
                 "discard a datagram; it passes as it is, and is in every fragment")
TOS_KEPT = _rule("RFC 1812", "5.3.3.3", MUST, "the precedence of what others have sent stays "
                 "as it is")
CE_KEPT = _rule("RFC 3168", "12", MUST, "a router does not take a mark of congestion away")
ID_KEPT = _rule("RFC 791", "3.1, Identification", MUST, "the sender chooses the identification, "
                "by which fragments are put together")
FRAG_KEPT = _rule("RFC 1812", "5.2.6", MUST, "no datagram is put together before it is "
                  "forwarded: a fragment is forwarded as one")
DF_KEPT = _rule("RFC 6864", "4.3", MUST, "nobody on the way clears Don't Fragment")
FRAG_COPY = _rule("RFC 791", "3.1, Options", MUST, "options with the copied flag are in every "
                  "fragment, the others in the first one only")
FRAG_MAKE = _rule("RFC 1812", "4.2.2.7", MUST, "what is larger than the MTU and may be "
                  "fragmented is")
FRAG_FEW = _rule("RFC 1812", "4.2.2.7", SHOULD, "there are no more fragments than are needed")
DF_MTU = _rule("RFC 1191", "4", MUST, "what is larger than the MTU and must not be "
               "fragmented is answered with ICMP 3/4")
DF_VALUE = _rule("RFC 1191", "4", MUST, "ICMP 3/4 has the MTU of the next hop in it")
NO_ROUTE = _rule("RFC 1812", "5.2.4.3", MUST, "where there is no route, the source is told: "
                 "network or host unreachable")
ERR_NOT_ERR = _rule("RFC 1812", "4.3.2.7", MUST, "no ICMP error about an ICMP error")
ERR_NOT_FRAG = _rule("RFC 1812", "4.3.2.7", MUST, "no ICMP error about a fragment other than "
                     "the first")
ERR_NOT_CAST = _rule("RFC 1812", "4.3.2.7", MUST, "no ICMP error about a datagram for a "
                     "broadcast or multicast address, nor about a link-layer broadcast")
ERR_NOT_SOURCE = _rule("RFC 1812", "4.3.2.7", MUST, "no ICMP error to a source that is not one "
                       "host")
ERR_TO = _rule("RFC 792", "Time Exceeded", MUST, "an ICMP error goes to the source of the "
               "datagram that it is about")
ERR_FROM = _rule("RFC 1812", "4.3.2.4", MUST, "the source of an ICMP error is an address of "
                 "the interface by which it leaves")
ERR_QUOTE = _rule("RFC 1812", "4.3.2.3", MUST, "the header in an ICMP error is the one that "
                  "was received, but for what forwarding has changed before the error")
PROBLEM_QUOTE = _rule("RFC 1812", "4.3.3.5", MUST, "the option that a Parameter Problem points "
                      "into is quoted as it was received")
ERR_SIZE = _rule("RFC 1812", "4.3.2.3", SHOULD, "an ICMP error has as much of the datagram as "
                 "fits into 576 octets")
ERR_TOS = _rule("RFC 1812", "4.3.2.5", SHOULD, "an ICMP error has precedence 6 or 7, if "
                "nothing else is set")
ERR_TOS_BITS = _rule("RFC 1812", "4.3.2.5", SHOULD, "an ICMP error has the TOS bits of the "
                     "datagram that it is about")
ERR_OPTIONS = _rule("RFC 1812", "4.3.2.6", MAY, "of the options of a datagram, an error "
                    "takes over the source route; nothing is said of others")
ERR_SUM = _rule("RFC 792", "Time Exceeded", MUST, "the checksum of an ICMP message is right")
ERR_LIMIT = _rule("RFC 1812", "4.3.2.8", SHOULD, "a router can limit the rate of its ICMP "
                  "errors")
CAST_LINK = _rule("RFC 1812", "5.3.4", MUST, "what was received as a link-layer broadcast or "
                  "multicast is not forwarded to one host")
CAST_LIMITED = _rule("RFC 1812", "5.3.5.1", MUST, "the limited broadcast is not forwarded")
CAST_DIRECTED = _rule("RFC 2644", "3", MUST, "directed broadcasts are not forwarded unless the "
                      "router is told to")
CAST_LOCAL = _rule("RFC 5771", "4", MUST, "what is for a group of 224.0.0.0/24 is not forwarded "
                   "off its link")
MARTIAN_SRC = _rule("RFC 1812", "5.3.7", SHOULD, "what has an invalid source address is not "
                    "forwarded")
MARTIAN_DST = _rule("RFC 1812", "5.3.7", SHOULD, "what has an invalid destination is not "
                    "forwarded")
CLASS_E = _rule("RFC 6274", "4.3.4", SHOULD, "what comes from 240.0.0.0/4 is dropped")
OWN_SOURCE = _rule("RFC 6274", "4.3.7", SHOULD, "what comes from the router's own address, but "
                   "not from the router, is dropped")
ECHO = _rule("RFC 1812", "4.3.3.6", MUST, "a router answers echo requests")
REASSEMBLED = _rule("RFC 1812", "4.2.2.8", MUST, "what is for the router itself is put "
                    "together from its fragments")
ECHO_FROM = _rule("RFC 1812", "4.3.3.6", MUST, "an echo reply comes from the address that was "
                  "asked")
ECHO_DATA = _rule("RFC 1812", "4.3.3.6", MUST, "an echo reply has all of the data of its "
                  "request")
REPLY_PRECEDENCE = _rule("RFC 1812", "4.3.2.5", MUST, "an ICMP reply has the precedence of its "
                         "request")
ICMP_TTL = _rule("RFC 1812", "4.3.2.2", MUST, "an ICMP message does not take its TTL from the "
                 "datagram that it answers")
ICMP_UNKNOWN = _rule("RFC 1812", "4.3.2.1", MUST, "an ICMP message of an unknown type gets no "
                     "answer")
ORDINARY = _rule("RFC 1812", "5.2.4.1", MUST, "a datagram is forwarded by the destination in "
                 "its header")
ROBUST = _rule("RFC 791", "3.2", MUST, "an implementation is robust: datagrams of others do not "
               "stop it")
SAME = _rule("RFC 1812", "2.2.1", MAY, "IP promises neither order nor one copy of a datagram; "
             "that a router keeps both is worth knowing, and no RFC asks for it")
DRAFT = _rule("draft of 1987, Postel and Reynolds", "example 2", MUST, "of a gateway's "
              "addresses the one on the side of the next network is recorded")
