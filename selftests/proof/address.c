// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/address.c, for any answers of the kernel's tables and any addresses of
 * an interface, or none.
 */
#include "proof.h"

void main(void)
{
	struct sk_buff *skb = proof_datagram();
	struct srcroute_packet p;

	p.skb = skb;
	p.net = &proof_net;
	p.sn = &proof_sn;
	p.in = proof_device();
	suppose(srcroute_header_read(skb, &p.h));
	srcroute_is_own(&proof_net, proof_device(), nondet_u32());
	srcroute_is_own_anywhere(&proof_net, nondet_u32());
	srcroute_is_one_host(&proof_net, proof_device(), nondet_u32());
	srcroute_is_transit(&p);
	if (ip_route_input_noref(skb, nondet_u32(), nondet_u32(), nondet_u8(),
				 p.in))
		return;
	reach(srcroute_is_adjacent(&p, nondet_u32()));
	reach(srcroute_egress_address(&proof_sn, skb_rtable(skb), nondet_u32(),
				      nondet_u32()));
	srcroute_is_adjacent(&p, nondet_u32());
	srcroute_egress_address(&proof_sn, skb_rtable(skb), nondet_u32(),
				nondet_u32());
}
