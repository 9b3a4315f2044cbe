# SPDX-License-Identifier: GPL-2.0-only
"""Options that are broken: each for the device (A) and, where it says so, passing
through to F. Option octets begin at octet 20 of the header.
"""

from .. import rules
from ..case import Case, Err, May, Nothing, Out, Send
from ..option import NOP, Loose, Raw, Record, Stamp, Strict

QUIET = May(Nothing(), "discards without a word", only="linux")
THROUGH = May(Out("F", look=("side", "dst", "rr", "ts", "other", "area")),
              "passes the option on without a look into it")
SECURITY_BAD = Raw("82 02 00 00 00 00 00 00 00 00 00")
STREAM = Raw("88 04 12 34")


def bad(number, title, options, at, *, span=None, dst="A", may=(), rule=rules.PROBLEM,
        known="", old="", through="MUST"):
    """ICMP 12/0; at: where the fault is; span: the octets of the option."""
    return Case("V%d" % number, title, rule, Send(dst, options),
                Err(12, 0, at=at, span=span or (at, at), look=("type", "pointer"),
                    forwarded=through), tuple(may), known, old, nasty=True)


LSRR = (20, 26)
COMPLETE = May(Out("F"), "takes any pointer past the length for a used-up route")

CASES = [
    bad(1, "LSRR with a length of 0", [Loose("n", length=0)], 21, span=LSRR),
    bad(2, "LSRR with a length of 1", [Loose("n", length=1)], 21, span=LSRR),
    bad(3, "LSRR with a length of 2", [Loose("n", length=2)], 21, span=LSRR),
    bad(4, "LSRR with a length of 4: half a slot", [Loose("1.1.1.1", length=4)], 21, span=(20, 23),
        known="Linux looks at what is behind it first"),
    bad(5, "LSRR with a length of 5", [Loose("1.1.1.1", length=5)], 21, span=LSRR),
    bad(6, "LSRR with a length of 8: a slot and an octet", [Loose("n", length=8)], 21,
        span=(20, 27), rule=rules.SRR_SANE, through="SHOULD",
        known="Linux uses the slot that is there"),
    bad(7, "LSRR with a length of 255", [Loose("n", length=255)], 21, span=LSRR),
    bad(8, "LSRR that is one octet longer than the header", [Loose("n", length=9)], 21,
        span=(20, 28)),
    bad(9, "LSRR with a pointer of 0", [Loose("n", ptr=0)], 22, span=LSRR),
    bad(10, "LSRR with a pointer of 3", [Loose("n", ptr=3)], 22, span=LSRR),
    bad(11, "LSRR with a pointer of 5: into a slot", [Loose("n", ptr=5)], 22, span=LSRR,
        known="Linux takes it where a whole address is left"),
    bad(12, "LSRR with a pointer of 7", [Loose("n", ptr=7)], 22, span=LSRR),
    bad(13, "LSRR of two slots with a pointer of 6", [Loose("n", "F", ptr=6)], 22,
        span=(20, 30)),
    bad(14, "SSRR with a length of 0", [Strict("n", length=0)], 21, span=LSRR),
    bad(15, "SSRR with a length of 6", [Strict("n", length=6)], 21, span=LSRR),
    bad(16, "SSRR with a pointer of 3", [Strict("n", ptr=3)], 22, span=LSRR),
    bad(17, "SSRR with a pointer of 6", [Strict("n", ptr=6)], 22, span=LSRR),
    bad(18, "two loose routes", [Loose("n"), Loose("n")], 27, span=(27, 33),
        rule=rules.SRR_ONCE, through="SHOULD",
        known="RFC 1122 calls what happens to two of them a matter of the implementation"),
    bad(19, "a loose and a strict route", [Loose("n"), Strict("n")], 27, span=(27, 33),
        rule=rules.SRR_ONCE, through="SHOULD"),
    bad(20, "a strict and a loose route, a NOP between", [Strict("n"), NOP, Loose("n")], 28,
        span=(28, 34), rule=rules.SRR_ONCE, through="SHOULD"),
    bad(21, "LSRR, the type octet alone at the end", [NOP, NOP, NOP, Raw("83")], 23),
    bad(22, "LSRR and an unknown option without a length octet",
        [Loose("n"), Raw("9e")], 27),
    bad(23, "LSRR and an unknown option with a length of 0",
        [Loose("n"), Raw("9e 00")], 28, span=(27, 28)),
    bad(24, "LSRR and an unknown option that runs past the header",
        [Loose("n"), Raw("9e 09 00 00 00")], 28, span=(27, 31)),
    bad(25, "RR with a length of 2", [Record(1, length=2)], 21, span=LSRR, dst="F",
        may=[THROUGH]),
    bad(26, "RR with a pointer of 3", [Record(1, ptr=3)], 22, span=LSRR, dst="F",
        may=[THROUGH]),
    bad(27, "RR with a pointer of 0", [Record(2, ptr=0)], 22, span=(20, 30), dst="F",
        may=[THROUGH]),
    bad(28, "RR twice", [Record(1), Record(1)], 27, span=(27, 33), dst="F",
        may=[THROUGH], through="SHOULD"),
    bad(29, "RR with a length of 255", [Record(1, length=255)], 21, span=LSRR, dst="F",
        may=[THROUGH]),
    bad(30, "TS with a length of 3", [Stamp(0, room=4, length=3)], 21, span=(20, 27),
        dst="F", may=[THROUGH]),
    bad(31, "TS with a pointer of 4", [Stamp(0, room=8, ptr=4)], 22, span=(20, 31), dst="F",
        may=[THROUGH]),
    bad(32, "TS with a pointer of 0", [Stamp(0, room=8, ptr=0)], 22, span=(20, 31), dst="F",
        may=[THROUGH]),
    bad(33, "TS twice", [Stamp(0, room=4), Stamp(0, room=4)], 28, span=(28, 35), dst="F",
        may=[THROUGH], through="SHOULD"),
    bad(34, "TS with flag 2, which does not exist", [Stamp(2, room=8)], 23, span=(20, 31),
        dst="F", may=[THROUGH], through="SHOULD"),
    bad(35, "TS with a length of 255", [Stamp(0, room=4, length=255)], 21, span=(20, 27),
        dst="F", may=[THROUGH]),
    bad(36, "an unknown option with a length of 0, in transit", [Raw("9e 00 00 00")], 21,
        span=(20, 23), dst="F", may=[THROUGH]),
    bad(37, "an unknown option with a length of 1, in transit", [Raw("9e 01 00 00")], 21,
        span=(20, 23), dst="F", may=[THROUGH]),
    bad(38, "an unknown option past the header, in transit", [Raw("9e 0c 00 00")], 21,
        span=(20, 23), dst="F", may=[THROUGH]),
    bad(39, "LSRR with a length of 0, in transit", [Loose("F2", length=0)], 21, span=LSRR,
        dst="F", rule=rules.SRR_SANE, through="SHOULD"),
    bad(40, "LSRR with a pointer of 3, in transit", [Loose("F2", ptr=3)], 22, span=LSRR,
        dst="F", rule=rules.SRR_SANE, through="SHOULD"),
    bad(41, "LSRR with a length of 6, in transit", [Loose("F2", length=6)], 21, span=LSRR,
        dst="F", rule=rules.SRR_SANE, through="SHOULD", known="Linux passes it on"),
    bad(42, "LSRR with a pointer past the end that is no slot's, in transit",
        [Loose("F2", ptr=13)], 22, span=LSRR, dst="F", may=[COMPLETE],
        rule=rules.SRR_SANE, through="SHOULD"),
    Case("V43", "LSRR with a pointer of 252 is used up", rules.SRR_EMPTY,
         Send("F", [Loose("F2", ptr=252)]), Out("F", look=("dst", "ptr")), nasty=True),
    Case("V44", "a bad security option and a good stream ID", rules.SEC_SANE,
         Send("F", [SECURITY_BAD, STREAM]), Nothing(look=("error",)),
         (May(Err(12, 0), "answers 12/0"),), nasty=True,
         old="MSTD-1777-TESTS 2040 and 2041"),
    Case("V45", "an ordinary datagram after all that", rules.ROBUST, Send("F"),
         Out("F"), nasty=True, old="MSTD-1777-TESTS 2042"),
    bad(46, "LSRR behind 37 NOPs: only half of it fits", [NOP] * 37 + [Raw("83 07 04")], 58,
        span=(57, 59)),
    bad(47, "SSRR with a length of 255 and a pointer of 255",
        [Strict("n", ptr=255, length=255)], 21, span=LSRR),
    Case("V48", "LSRR all of ones", rules.PROBLEM, Send("A", [Raw("83" + " ff" * 39)]),
         Err(12, 0, at=21, span=(20, 59), look=("type", "pointer")), nasty=True),
    bad(49, "RR of three slots with a pointer of 5", [Record(3, ptr=5)], 22, span=(20, 34),
        dst="F", may=[THROUGH], rule=rules.RR_SANE, through="SHOULD",
        known="Linux writes across two slots"),
    bad(50, "TS of three slots, flag 0, with a pointer of 6", [Stamp(0, room=12, ptr=6)], 22,
        span=(20, 35), dst="F", may=[THROUGH], rule=rules.TS_SANE, through="SHOULD",
        known="Linux writes across two slots"),
]
