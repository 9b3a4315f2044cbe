# SPDX-License-Identifier: GPL-2.0-only
"""Several options together: order, NOP, EOL, padding, options that are nobody's
business on the way, and what RFC 7126 lets a filter do to each of them.
"""

from .. import rules
from ..case import KEEP, NOW, Case, Err, May, Nothing, Out, Send
from ..option import EOL, NOP, Loose, Raw, Record, Stamp, Strict

COPIED, ONCE = Raw("9d 06 11 22 33 44"), Raw("5d 06 11 22 33 44")   # nobody's so far
SECURITY = Raw("82 0b 00 00 00 00 00 00 00 00 00")
STREAM, ALERT = Raw("88 04 12 34"), Raw("94 04 00 00")
SAME = ("dst", "other", "area")
REFUSED = (May(Err(3, 5), "refuses it aloud: source route failed"),
           May(Err(3, 13), "refuses it aloud: prohibited"))
UNROUTED = (REFUSED[0], May(Err(3, 3), "takes it for itself, as if there was no route in it"))
LABELS = (May(Nothing(), "drops it by its label, which a setting may do (RFC 1812, 5.3.13.2)"),
          May(Err(12, 0, codes=(1,)), "refuses the label aloud (RFC 1108, 2.8.1)"))
HIDDEN = Raw("83 07 04 c6 33 64 09")    # what would be a source route before EOL
CLEARED = May(Out("F", [EOL, Raw("00 00 00 00 00 00 00")], look=("dst", "padding", "area")),
              "clears what is behind the end of the list")


def dropped(section, why):
    """... in silence or aloud: RFC 7126 does not say which."""
    return (May(Nothing(), "drops it, as RFC 7126, %s %s" % (section, why)), REFUSED[1])


def filtered(number, section, name, send, out, *more):
    """An option with a setting of its own (RFC 7126): whatever the device is told, it
    drops the datagram or does right by it."""
    return Case("O%d" % number, "%s: dropped, or forwarded as it ought to be" % name,
                rules.setting(section, name), send, out, (*dropped(section, "has it"), *more))


def obsolete(number, section, name, octets):
    """An option that RFC 7126 advises to drop, and RFC 1812 to pass on unread."""
    return Case("O%d" % number, "%s, obsolete: dropped, or passed on unread" % name,
                rules.advised(section, name, "what is not dropped passes unchanged (RFC 1812, "
                              "5.3.13.%d)" % (3 if section == "4.6" else 1)),
                Send("F", [Raw(octets)]), Out("F", look=SAME), dropped(section, "advises"))


def label(number, section, name, octets, known=""):
    """An option that some networks depend on: dropped only where the device is told to."""
    return Case("O%d" % number, "%s is not dropped unless the device is told to" % name,
                rules.not_by_default(section, name), Send("F", [Raw(octets)]),
                Out("F", look=SAME), dropped(section, "has it, if it is told to"), known)


def settings(*options):
    """What else may come out, where RR or TS are set to be passed through unread (RFC
    1812, 5.3.13.5 and 5.3.13.6)."""
    plain = {Record: Record(2), Stamp: Stamp(0, room=4)}
    return tuple(May(Out("n", [plain[type(o)] if type(o) in kinds else o for o in options],
                         look=("dst", "ptr", "rr", "ts", "other", "area")), name, unless=unless)
                 for kinds, name, unless in (
                     ((Record,), "passes Record Route through unchanged", "R1"),
                     ((Stamp,), "passes flags 0 and 1 through unchanged", "S1"),
                     ((Record, Stamp), "passes Record Route and Timestamp through unchanged",
                      "R1")))


def both(number, title, sent, out):
    """A source route among other options, all carried out."""
    return Case("O%d" % number, title, rules.ALL_OPTIONS, Send("A", sent),
                Out("n", out, look=("dst", "ptr", "rr", "ts")), settings(*out))


def ignored(options):
    """What a setting may say as well: as if the option was not there."""
    return May(Out("F", look=("dst",)), "leaves %s alone" % options)


CASES = [
    Case("O1", "an unknown option with the copied flag passes", rules.UNKNOWN,
         Send("F", [COPIED]), Out("F", look=SAME), known="firewalls of today drop it"),
    Case("O2", "an unknown option without the copied flag passes", rules.UNKNOWN,
         Send("F", [ONCE]), Out("F", look=SAME), known="firewalls of today drop it"),
    Case("O3", "an unknown option before a loose route", rules.UNKNOWN,
         Send("A", [COPIED, Loose("n")]),
         Out("n", [COPIED, Loose("B", ptr=8)], look=SAME + ("ptr",))),
    Case("O4", "an unknown option behind a loose route", rules.UNKNOWN,
         Send("A", [Loose("n"), ONCE]),
         Out("n", [Loose("B", ptr=8), ONCE], look=SAME + ("ptr",))),
    Case("O5", "the security option of RFC 791 passes", rules.UNKNOWN, Send("F", [SECURITY]),
         Out("F", look=SAME), LABELS),
    Case("O6", "Stream ID passes", rules.STREAM, Send("F", [STREAM]), Out("F", look=SAME)),
    Case("O7", "Router Alert passes", rules.ALERT, Send("F", [ALERT]),
         Out("F", look=SAME)),
    Case("O8", "an area of NOPs passes", rules.NOP_EOL, Send("F", [NOP] * 8),
         Out("F", look=SAME)),
    Case("O9", "an area of EOL passes", rules.NOP_EOL, Send("F", [EOL] * 8),
         Out("F", look=("dst", "area"))),
    Case("O10", "a source route behind EOL is none", rules.NOP_EOL,
         Send("F", [EOL, HIDDEN]), Out("F", look=("dst", "area", "padding")), (CLEARED,)),
    Case("O11", "NOPs before, between and behind", rules.NOP_EOL,
         Send("A", [NOP, Loose("n"), NOP, NOP, Record(2), NOP]),
         Out("n", [NOP, Loose("B", ptr=8), NOP, NOP, Record(2, ["B"]), NOP],
             look=("dst", "ptr", "other", "area")), settings(
                 NOP, Loose("B", ptr=8), NOP, NOP, Record(2, ["B"]), NOP)[:1]),
    Case("O12", "a loose route, EOL and padding", rules.NOP_EOL,
         Send("A", [Loose("n"), EOL, Raw("00 00 00 00")]),
         Out("n", [Loose("B", ptr=8)], look=("dst", "ptr", "area"))),
    both(13, "LSRR, RR, TS", [Loose("n"), Record(2), Stamp(0, room=4)],
         [Loose("B", ptr=8), Record(2, ["B"]), Stamp(0, entries=[NOW], ptr=9)]),
    both(14, "TS, RR, LSRR", [Stamp(0, room=4), Record(2), Loose("n")],
         [Stamp(0, entries=[NOW], ptr=9), Record(2, ["B"]), Loose("B", ptr=8)]),
    both(15, "RR, LSRR, TS", [Record(2), Loose("n"), Stamp(0, room=4)],
         [Record(2, ["B"]), Loose("B", ptr=8), Stamp(0, entries=[NOW], ptr=9)]),
    Case("O16", "two NOPs before a loose route", rules.NOP_EOL,
         Send("A", [NOP, NOP, Loose("n")]),
         Out("n", [NOP, NOP, Loose("B", ptr=8)], look=("dst", "ptr", "record"))),
    Case("O17", "three NOPs before a loose route", rules.NOP_EOL,
         Send("A", [NOP, NOP, NOP, Loose("n")]),
         Out("n", [NOP, NOP, NOP, Loose("B", ptr=8)], look=("dst", "ptr", "record"))),
    Case("O18", "security and stream ID together", rules.UNKNOWN,
         Send("F", [SECURITY, STREAM]), Out("F", KEEP, look=SAME), LABELS,
         old="MSTD-1777-TESTS, the good half of 2040 and 2041"),
    Case("O19", "40 octets, all that there can be", rules.UNKNOWN,
         Send("F", [Raw("9e 28" + " 77" * 38)]), Out("F", look=SAME)),
    Case("O20", "Router Alert beside a loose route", rules.ALERT,
         Send("A", [ALERT, Loose("n")]),
         Out("n", [ALERT, Loose("B", ptr=8)], look=SAME + ("ptr",))),
    Case("O21", "a loose route for the device, and what would be a second one behind EOL",
         rules.NOP_EOL, Send("A", [Loose("n"), EOL, HIDDEN]),
         Out("n", [Loose("B", ptr=8), EOL, HIDDEN], look=("dst", "ptr", "area")),
         known="Linux clears what is behind the end of the list"),
    # RFC 7126, chapter 4, by its sections: what a filter may do to each option.
    Case("O22", "padding of EOL behind an option is no reason to drop",
         rules.never_dropped("4.1", "End of Option List"),
         Send("F", [COPIED, EOL, EOL]), Out("F", look=SAME)),
    Case("O23", "NOPs alone are no reason to drop",
         rules.never_dropped("4.2", "No Operation"), Send("F", [NOP] * 4), Out("F", look=SAME)),
    filtered(24, "4.3", "LSRR", Send("A", [Loose("n")]),
             Out("n", [Loose("B", ptr=8)], look=("dst",)), *UNROUTED),
    filtered(25, "4.4", "SSRR", Send("A", [Strict("n")]),
             Out("n", [Strict("B", ptr=8)], look=("dst",)), *UNROUTED),
    filtered(26, "4.5", "Record Route", Send("F", [Record(2)]),
             Out("F", [Record(2, ["B"])], look=("dst",)), ignored("Record Route")),
    obsolete(27, "4.6", "Stream Identifier", "88 04 43 21"),
    Case("O28", "Timestamp: dropped, or forwarded as it ought to be",
         rules.advised("4.7", "Timestamp", "what is not dropped gets its stamp or passes "
                       "unchanged (RFC 1812, 5.3.13.6)"), Send("F", [Stamp(0, room=8)]),
         Out("F", [Stamp(0, 8, [NOW, 0], ptr=9)], look=("dst",)),
         (*dropped("4.7", "advises"), ignored("Timestamp"))),
    filtered(29, "4.8", "Router Alert", Send("F", [ALERT]), Out("F", look=SAME)),
    obsolete(30, "4.9", "Probe MTU", "0b 04 05 dc"),
    obsolete(31, "4.10", "Reply MTU", "0c 04 05 dc"),
    obsolete(32, "4.11", "Traceroute", "52 0c 12 34 00 01 ff ff c6 12 10 02"),
    label(33, "4.12", "DoD Basic Security", "82 04 ab 80"),
    label(34, "4.13", "DoD Extended Security", "85 06 01 02 03 04"),
    label(35, "4.14", "CIPSO", "86 0a 00 00 00 07 01 04 00 01",
          "Linux refuses a domain that it has not been told of, also in transit"),
    obsolete(36, "4.15", "VISA", "8e 06 01 02 03 04"),
    obsolete(37, "4.16", "Extended Internet Protocol", "91 08 01 02 03 04 05 06"),
    obsolete(38, "4.17", "Address Extension", "93 0a 07 80 00 00 01 02 03 04"),
    obsolete(39, "4.18", "Sender Directed Multi-Destination Delivery",
             "95 07 c6 12 20 09 00"),
    obsolete(40, "4.19", "Dynamic Packet State", "97 06 01 02 03 04"),
    obsolete(41, "4.20", "Upstream Multicast Packet", "98 03 00"),
    filtered(42, "4.21", "Quick-Start", Send("F", [Raw("19 08 05 40 12 34 56 78")]),
             Out("F", look=("dst",))),
    *[filtered(43 + i, "4.22", "Experiment %d" % kind, Send("F", [Raw("%02x 06 11 22 33 44"
                                                                    % kind)]),
               Out("F", look=SAME)) for i, kind in enumerate((30, 94, 158, 222))],
    filtered(47, "4.23", "an option of a reserved class", Send("F", [Raw("3d 04 55 aa")]),
             Out("F", look=SAME)),
]
