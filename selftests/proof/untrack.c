// SPDX-License-Identifier: GPL-2.0-only
/*
 * srcroute_hook_pre_routing_first(): leaves every datagram as it is, untracked or not.
 */
#include "proof.h"

void main(void)
{
	struct sk_buff *skb = proof_datagram();
	struct nf_hook_state state = { .net = &proof_net };
	unsigned int verdict;

	verdict = srcroute_hook_pre_routing_first(&proof_sn, skb, &state);
	prove(verdict == NF_ACCEPT, "the verdict is NF_ACCEPT");
	prove(!proof.taken, "it is not freed");
	prove(!proof_counted(), "it is not counted");
	prove(proof_is_unchanged(), "it is not changed");
	prove(skb->ct == proof.before.ct || !skb->ct, "no connection is made up");
	reach(proof.before.ct != skb->ct || skb->ctinfo == IP_CT_UNTRACKED);
}
