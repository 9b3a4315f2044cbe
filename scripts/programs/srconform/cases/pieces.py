# SPDX-License-Identifier: GPL-2.0-only
"""Fragments, DF and the MTU. The out side's MTU is 1,280 where a case needs one.

    s -- GA -- [A device B] -- GB -- F      1,400 octets come in
"""

from .. import rules
from ..case import Case, Err, Fragments, May, Out, Send
from ..option import Loose, Raw, Record, Stamp, Strict
from ..wire import DF, MF

HIT, ON = [Loose("n")], [Loose("B", ptr=8)]
COPIED, ONCE = Raw("9e 06 11 22 33 44"), Raw("5e 06 11 22 33 44")
ROUTE = ("dst", "ptr", "record", "frag")
BIG = 1400 - 28
MTU = ("mtu",)
AS_FORWARDED = "quotes the source route as forwarding has made it (RFC 1812, 4.3.2.3)"

CASES = [
    Case("F1", "a first fragment is forwarded as it is", rules.FRAG_KEPT,
         Send("F", frag=MF), Out("F", look=("dst", "frag", "payload"))),
    Case("F2", "a later fragment is forwarded as it is", rules.FRAG_KEPT,
         Send("F", frag=MF | 10), Out("F", look=("dst", "frag", "payload"))),
    Case("F3", "a last fragment alone is forwarded as it is", rules.FRAG_KEPT,
         Send("F", frag=10), Out("F", look=("dst", "frag", "payload"))),
    Case("F4", "LSRR on a first fragment: forwarded by itself", rules.FRAG_KEPT,
         Send("A", HIT, frag=MF), Out("n", ON, look=ROUTE),
         known="Linux with conntrack puts it together first"),
    Case("F5", "LSRR on a later fragment: forwarded by itself", rules.FRAG_KEPT,
         Send("A", HIT, frag=MF | 10), Out("n", ON, look=ROUTE)),
    Case("F6", "LSRR on a last fragment: forwarded by itself", rules.FRAG_KEPT,
         Send("A", HIT, frag=10), Out("n", ON, look=ROUTE)),
    Case("F7", "SSRR on a later fragment: forwarded by itself", rules.FRAG_KEPT,
         Send("A", [Strict("n")], frag=10), Out("n", [Strict("B", ptr=8)], look=ROUTE)),
    Case("F8", "DF stays", rules.DF_KEPT, Send("F", frag=DF), Out("F", look=("frag",))),
    Case("F9", "DF stays with LSRR", rules.DF_KEPT, Send("A", HIT, frag=DF),
         Out("n", ON, look=("frag",))),
    Case("F10", "the reserved flag is no reason to discard", rules.RESERVED,
         Send("F", frag=0x8000), Out("F", look=("dst", "frag"))),
    Case("F11", "LSRR with the reserved flag", rules.RESERVED, Send("A", HIT, frag=0x8000),
         Out("n", ON, look=("dst", "frag"))),
    Case("F12", "the highest offset that there is", rules.FRAG_KEPT,
         Send("F", frag=0x1FFF), Out("F", look=("dst", "frag"))),
    Case("F13", "what is too large is fragmented", rules.FRAG_MAKE,
         Send("F", size=BIG), Fragments("F", look=("cover", "flags", "payload")), needs=MTU),
    Case("F14", "LSRR is in every fragment", rules.FRAG_COPY,
         Send("A", HIT, size=BIG), Fragments("n", ON, ON, look=("first", "copied")),
         needs=MTU),
    Case("F15", "SSRR is in every fragment", rules.FRAG_COPY,
         Send("A", [Strict("n")], size=BIG),
         Fragments("n", [Strict("B", ptr=8)], [Strict("B", ptr=8)],
                   look=("first", "copied")), needs=MTU),
    Case("F16", "RR is in the first fragment only", rules.FRAG_COPY,
         Send("F", [Record(2)], size=BIG),
         Fragments("F", None, [], look=("copied",)), needs=MTU),
    Case("F17", "TS is in the first fragment only", rules.FRAG_COPY,
         Send("F", [Stamp(0, room=8)], size=BIG),
         Fragments("F", None, [], look=("copied",)), needs=MTU),
    Case("F18", "an unknown option with the copied flag is in every fragment",
         rules.FRAG_COPY, Send("F", [COPIED], size=BIG),
         Fragments("F", [COPIED], [COPIED], look=("first", "copied")), needs=MTU),
    Case("F19", "an unknown option without it is in the first only", rules.FRAG_COPY,
         Send("F", [ONCE], size=BIG),
         Fragments("F", [ONCE], [], look=("first", "copied")), needs=MTU),
    Case("F20", "with DF: ICMP 3/4", rules.DF_MTU, Send("F", frag=DF, size=BIG), Err(3, 4),
         needs=MTU),
    Case("F21", "ICMP 3/4 has the MTU in it", rules.DF_VALUE,
         Send("F", frag=DF, size=BIG), Err(3, 4, look=("type", "mtu")), needs=MTU,
         known="devices older than RFC 1191 send 0"),
    Case("F22", "LSRR with DF: ICMP 3/4", rules.DF_MTU,
         Send("A", HIT, frag=DF, size=BIG), Err(3, 4), needs=MTU),
    Case("F23", "ICMP 3/4 about LSRR quotes what was received", rules.ERR_QUOTE,
         Send("A", HIT, frag=DF, size=BIG), Err(3, 4, look=("quote", "rewritten")),
         (May(Err(3, 4, look=("quote",)), AS_FORWARDED),), needs=MTU),
    Case("F24", "LSRR and RR on what is too large", rules.FRAG_COPY,
         Send("A", HIT + [Record(2)], size=BIG),
         Fragments("n", ON + [Record(2, ["B"])], ON, look=("first", "copied")),
         (May(Fragments("n", ON + [Record(2)], ON, look=("first", "copied")),
              "passes Record Route through unchanged", unless="R1"),), needs=MTU),
    Case("F25", "the reserved flag is in every fragment", rules.RESERVED,
         Send("F", frag=0x8000, size=BIG), Fragments("F", look=("reserved",)), needs=MTU,
         known="Linux clears it"),
    Case("F26", "there are no more fragments than are needed", rules.FRAG_FEW,
         Send("F", size=BIG), Fragments("F", look=("few",)), needs=MTU),
]
