// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/rewrite.c, for every owned datagram that is routed, and whatever its options
 * hold: it is sent on, dropped or refused, and counted once.
 */
#include "proof.h"

void main(void)
{
	struct sk_buff *skb = proof_datagram();
	struct srcroute_received received;
	struct srcroute_packet p;
	unsigned int verdict, ptr = nondet_u8();

	skb->_skb_refdst = PROOF_INPUT;
	proof_own(&p, skb);
	p.verdict = srr_parse(p.h.options, p.h.options_len, &p.srr);
	suppose(p.verdict == SRR_VALID);
	suppose(proof_is_compiled(skb));
	proof.compiled = true;
	p.received = nondet_bool() ? &received : NULL;
	if (nondet_bool()) {
		suppose(ptr >= p.srr.ptr && ptr + 3 <= p.srr.len &&
			ptr % 4 == 0);
		verdict = srcroute_forward_hit(&p, nondet_u32(), ptr,
					       nondet_u32());
	} else {
		verdict = srcroute_forward_transit(&p);
	}
	reach(proof_cpu.stats.outcome[SRCROUTE_HOP]);
	reach(proof_cpu.stats.outcome[SRCROUTE_TRANSIT]);
	reach(proof_cpu.stats.outcome[SRCROUTE_FRAG_NEEDED]);
	reach(proof_cpu.stats.outcome[SRCROUTE_TTL_EXCEEDED]);
	reach(proof_cpu.stats.outcome[SRCROUTE_NESTED]);
	prove(verdict == NF_STOLEN, "the verdict is NF_STOLEN");
	prove(proof.taken == 1, "it ends once");
	prove(proof_counted() == 1, "it is counted once");
	prove(proof.bh == 0, "softirqs are as they were");
	prove(proof.held == 0, "no reference is kept, and none given away twice");
	prove(proof.forwarded == proof_cpu.stats.outcome[SRCROUTE_HOP] +
				 proof_cpu.stats.outcome[SRCROUTE_TRANSIT],
	      "what is forwarded is counted so");
}
