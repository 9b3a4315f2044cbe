// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/address.c, for any answers of the kernel's tables and any addresses of
 * an interface, or none.
 */
#include "proof.h"

void main(void)
{
	struct sk_buff *skb = proof_datagram();

	srcroute_addr_is_local(&proof_net, proof_device(), nondet_u32());
	srcroute_addr_is_local_anywhere(&proof_net, nondet_u32());
	srcroute_addr_is_unicast_host(&proof_net, proof_device(), nondet_u32());
	proof_route(skb);
	reach(srcroute_egress_address(&proof_sn, skb_rtable(skb), nondet_u32(),
				      nondet_u32()));
	srcroute_egress_address(&proof_sn, skb_rtable(skb), nondet_u32(),
				nondet_u32());
}
