// SPDX-License-Identifier: GPL-2.0-only
/*
 * srcroute_hook_local_out(): whatever leaves this host.
 */
#include "proof.h"

void main(void)
{
	struct sk_buff *skb = proof_datagram();
	struct inet_sock socket;
	struct nf_hook_state state = { .net = &proof_net };
	unsigned int verdict;

	/* LOCAL_OUT is reached with a route of IPv4 alone. */
	skb->_skb_refdst = PROOF_OUTPUT;
	proof.before._skb_refdst = PROOF_OUTPUT;
	state.out = proof_device();
	state.sk = nondet_bool() ? &socket.sk : NULL;

	verdict = srcroute_hook_local_out(&proof_sn, skb, &state);
	prove(verdict == NF_ACCEPT || verdict == NF_DROP,
	      "the verdict is NF_ACCEPT or NF_DROP");
	reach(verdict == NF_ACCEPT && proof.rerouted);
	reach(verdict == NF_ACCEPT && !proof.rerouted);
	reach(verdict == NF_DROP);
	if (verdict == NF_ACCEPT)
		prove(skb->_skb_refdst, "what the kernel gets back has a route");
	prove(verdict == NF_DROP || !proof.unwritable,
	      "what has to be changed and cannot be is not sent");
	prove(!proof.taken, "it is not freed");
	prove(!proof_counted(), "it is not counted");
	if (verdict == NF_ACCEPT && !proof.rerouted)
		prove(proof_is_unchanged(), "what is not sent elsewhere is not changed");
}
