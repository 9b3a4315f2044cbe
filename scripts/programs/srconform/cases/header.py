# SPDX-License-Identifier: GPL-2.0-only
"""The header but for its options: checks on arrival, checksum, TOS, identification.

    s -- GA -- [A device B] -- GB -- F
"""

from .. import rules
from ..case import SHOULD, Case, Err, May, Nothing, Out, Send
from ..option import Loose, Record

HIT, ON = [Loose("n")], [Loose("B", ptr=8)]


def other(right):
    return right ^ 0x0101


def ones(_):
    return 0xFFFF


def invalid(number, title, send, rule=rules.VALID, at=None):
    """at: where a Parameter Problem may point."""
    may = () if at is None else (May(Err(12, 0, at=at, look=("type", "pointer")),
                                     "answers ICMP 12/0 (RFC 1812, 5.2.2)"),)
    return Case("C%d" % number, title, rule, send, Nothing(), may, nasty=True)


def truncated(number, title, send):
    return Case("C%d" % number, title, rules.TRUNCATED, send, Nothing(look=("out",)),
                nasty=True)


CASES = [
    invalid(1, "a wrong checksum: discarded", Send("F", wrong={"sum_": other}),
            rules.SUM_VERIFY),
    invalid(2, "LSRR with a wrong checksum: discarded",
            Send("A", HIT, wrong={"sum_": other}), rules.SUM_VERIFY),
    invalid(3, "version 5", Send("F", wrong={"version": 5})),
    invalid(4, "version 0", Send("A", HIT, wrong={"version": 0})),
    invalid(5, "a header length of 16", Send("F", wrong={"header_length": 16}),
            at=0),
    invalid(6, "a header length of 0", Send("F", wrong={"header_length": 0})),
    invalid(7, "a total length shorter than the header", Send("F", wrong={"length": 19}),
            at=2),
    invalid(8, "LSRR, total length shorter than the header",
            Send("A", HIT, wrong={"length": 24}), at=2),
    truncated(9, "a total length longer than the datagram: not forwarded",
              Send("F", wrong={"length": 500})),
    truncated(10, "LSRR, total length longer than the datagram: not forwarded",
              Send("A", HIT, wrong={"length": 500})),
    invalid(11, "a header length that takes in the payload: what it holds is no option",
            Send("F", [], wrong={"header_length": 60, "length": 40}), at=2),
    Case("C12", "a checksum of 0x0000 on arrival", rules.SUM_VERIFY, Send("F", sum_in=0),
         Out("F", look=("dst", "sum"))),
    Case("C13", "a checksum of 0xffff on arrival, which is 0 as well", rules.SUM_VERIFY,
         Send("F", sum_in=0, wrong={"sum_": ones}), Out("F", look=("dst", "sum"))),
    Case("C14", "LSRR with a checksum of 0x0000 on arrival", rules.SUM_VERIFY,
         Send("A", HIT, sum_in=0), Out("n", ON, look=("dst", "sum"))),
    Case("C15", "a checksum that becomes 0x0000", rules.SUM_ZERO, Send("F", sum_out=0),
         Out("F", look=("sum", "sum0")), known="RFC 1141 gives 0xffff here"),
    Case("C16", "LSRR: a checksum that becomes 0x0000", rules.SUM_ZERO,
         Send("A", HIT, sum_out=0), Out("n", ON, look=("sum", "sum0")),
         known="RFC 1141 gives 0xffff here"),
    Case("C17", "LSRR: a checksum that becomes 0x0001", rules.SUM_ZERO,
         Send("A", HIT, sum_out=1), Out("n", ON, look=("sum", "sum0"))),
    Case("C18", "LSRR: the checksum", rules.SUM_RIGHT, Send("A", HIT),
         Out("n", ON, look=("sum",))),
    Case("C19", "LSRR of 9 slots: the checksum", rules.SUM_RIGHT,
         Send("A", [Loose("n", *["F%d" % i for i in range(1, 9)])]),
         Out("n", [Loose("B", *["F%d" % i for i in range(1, 9)], ptr=8)], look=("sum",))),
    Case("C20", "LSRR for own addresses, then on: the checksum", rules.SUM_RIGHT,
         Send("A", [Loose("B", "A", "n")]),
         Out("n", [Loose("B", "A", "B", ptr=16)], look=("sum",))),
    Case("C21", "LSRR and RR: the checksum", rules.SUM_RIGHT, Send("A", HIT + [Record(2)]),
         Out("n", ON + [Record(2, ["B"])], look=("sum",))),
    Case("C22", "TOS stays", rules.TOS_KEPT, Send("F", tos=0xB8), Out("F", look=("tos",))),
    Case("C23", "LSRR: TOS stays", rules.TOS_KEPT, Send("A", HIT, tos=0xB8),
         Out("n", ON, look=("tos",))),
    Case("C24", "the two low bits of TOS (ECN) stay", rules.CE_KEPT,
         Send("A", HIT, tos=0x03), Out("n", ON, look=("tos",))),
    Case("C25", "the identification stays", rules.ID_KEPT, Send("F", ident=0xBEEF),
         Out("F", look=("id",))),
    Case("C26", "LSRR: the identification stays", rules.ID_KEPT,
         Send("A", HIT, ident=0xFFFF), Out("n", ON, look=("id",))),
    Case("C27", "an identification of 0 stays", rules.ID_KEPT,
         Send("A", HIT, ident=0), Out("n", ON, look=("id",))),
    Case("C28", "an ordinary datagram: nothing but TTL and checksum changes", rules.ORDINARY,
         Send("F"), Out("F", look=("side", "hop", "src", "dst", "len", "payload", "area"))),
    Case("C29", "LSRR: the source stays", rules.SRR_NEXT, Send("A", HIT),
         Out("n", ON, look=("src", "proto", "version"))),
    Case("C30", "an ordinary datagram to a neighbour", rules.ORDINARY, Send("n"),
         Out("n", look=("side", "hop", "dst"))),
    Case("C31", "a total length longer than the datagram: an error points at it",
         rules.TRUNCATED, Send("F", wrong={"length": 500}),
         Err(12, 0, at=2, span=(2, 3), look=("type", "pointer"), forwarded=SHOULD),
         (May(Nothing(), "discards without a word, as Linux does", only="linux"),),
         nasty=True),
]
