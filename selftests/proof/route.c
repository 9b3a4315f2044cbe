// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/route.c, for any answers of the kernel's routing: the metadata of a tunnel are
 * shown to every look-up, and kept.
 */
#include "proof.h"

void main(void)
{
	struct sk_buff *skb = proof_datagram();
	enum srcroute_outcome outcome = nondet_u8();
	struct srcroute_packet p;

	suppose(outcome < SRCROUTE_OUTCOME_COUNT);
	suppose((skb->_skb_refdst & ~SKB_DST_NOREF) <= PROOF_METADATA);
	proof_own(&p, skb);
	p.metadata = 0;
	if (skb->_skb_refdst)
		srcroute_metadata_take(&p);
	prove(p.metadata == proof.before._skb_refdst && !skb->_skb_refdst,
	      "metadata are taken off the datagram");
	reach(p.metadata);
	if (srcroute_route_input(&p, nondet_u32()))
		srcroute_route_is_transit(&p, nondet_u32());
	else
		reach(srcroute_has_host_route(&p, nondet_u32()));
	if (skb_valid_dst(skb))
		reach(srcroute_route_error_is_local(&p, outcome, nondet_u32()));
	srcroute_route_input(&p, nondet_u32());
	skb_dst_drop(skb);
	prove(!proof.held, "no reference of the metadata is given away");
}
