// SPDX-License-Identifier: GPL-2.0-only
/*
 * srcroute_advance(): whatever the control block says.
 */
#include "proof.h"

void main(void)
{
	struct sk_buff *skb = proof_datagram();
	struct nf_hook_state state = { .net = &proof_net };
	unsigned int verdict;

	/* FORWARD is reached with a route of IPv4 alone. */
	skb->_skb_refdst = PROOF_OUTPUT;
	proof.before._skb_refdst = PROOF_OUTPUT;
	state.in = nondet_bool() ? proof_device() : NULL;

	verdict = srcroute_advance(&proof_sn, skb, &state);
	prove(verdict == NF_ACCEPT || verdict == NF_DROP,
	      "the verdict is NF_ACCEPT or NF_DROP");
	reach(verdict == NF_ACCEPT && proof_cpu.stats.advanced);
	reach(verdict == NF_ACCEPT && !proof_cpu.stats.advanced);
	reach(verdict == NF_DROP);
	prove(!proof.taken, "it is not freed");
	prove(!proof_counted(), "it is counted no second time");
	prove(proof_cpu.stats.advanced <= 1, "it is rewritten once");
	if (!IPCB(&proof.before)->opt.__pad2)
		prove(verdict == NF_ACCEPT && proof_is_unchanged(),
		      "what is not tagged is not changed");
}
