// SPDX-License-Identifier: GPL-2.0-only
/*
 * srcroute_hook_pre_routing_last(): every datagram ends in one way and is counted once, or is
 * left as it is.
 */
#include "proof.h"

void main(void)
{
	struct sk_buff *skb = proof_datagram();
	struct nf_hook_state state = { .net = &proof_net };
	unsigned long counted;
	unsigned long metadata = skb->_skb_refdst;
	unsigned int verdict;

	verdict = srcroute_hook_pre_routing_last(&proof_sn, skb, &state);
	counted = proof_counted();
	prove(verdict == NF_ACCEPT || verdict == NF_STOLEN,
	      "the verdict is NF_ACCEPT or NF_STOLEN");
	prove(proof.bh == 0, "softirqs are as they were");
	prove(proof.held == (verdict == NF_STOLEN &&
			     metadata == PROOF_METADATA ? -1 : 0),
	      "no reference is kept, and none given away twice");
	reach(verdict == NF_ACCEPT && !counted);
	reach(verdict == NF_ACCEPT && counted);
	reach(proof_cpu.stats.outcome[SRCROUTE_HOP]);
	reach(proof_cpu.stats.outcome[SRCROUTE_TRANSIT]);
	reach(proof_cpu.stats.outcome[SRCROUTE_NOT_ADJACENT]);
	if (verdict == NF_STOLEN) {
		prove(proof.taken == 1, "what is stolen ends once");
		prove(counted == 1, "what is stolen is counted once");
		prove(proof.forwarded ==
		      proof_cpu.stats.outcome[SRCROUTE_HOP] +
		      proof_cpu.stats.outcome[SRCROUTE_TRANSIT],
		      "what is forwarded is counted so");
		return;
	}
	prove(!proof.taken, "what is accepted is not freed");
	prove(counted == proof_cpu.stats.outcome[SRCROUTE_LOCAL] && counted <= 1,
	      "what is accepted is counted as local, once, or not at all");
	prove(counted || proof_is_unchanged(),
	      "what is not counted is not changed");
}
