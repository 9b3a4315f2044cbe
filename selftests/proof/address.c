// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/address.c, for any answers of the kernel's tables.
 */
#include "proof.h"

void main(void)
{
	proof_datagram();
	srcroute_addr_is_local(&proof_net, proof_device(), nondet_u32());
	reach(srcroute_addr_is_local_anywhere(&proof_net, nondet_u32()));
	srcroute_addr_is_local_anywhere(&proof_net, nondet_u32());
	srcroute_addr_is_unicast_host(&proof_net, proof_device(), nondet_u32());
}
