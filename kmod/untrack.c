// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first hook of PRE_ROUTING keeps datagrams with addresses to go from
 * connection tracking and reassembly (C2, H10).
 */
#include <net/netfilter/nf_conntrack.h>

#include "classify.h"
#include "datapath.h"

/*
 * If only our two hooks are in PRE_ROUTING, nothing tracks or reassembles, so a
 * second walk through the options can be saved: 280 instructions of a hit, 6 %
 * (`make bench`). An array without hooks is what is left while ours are taken
 * out.
 *
 * The kernel has no function for this. nf_hook() of <linux/netfilter.h>, which is
 * inlined into every module that calls a hook, reads the array in the same way. A
 * stale number does no harm: a hook that is being registered need not see datagrams
 * that have passed ours already.
 */
static bool has_other_hooks(const struct net *net)
{
	const struct nf_hook_entries *entries =
		rcu_dereference(net->nf.hooks_ipv4[NF_INET_PRE_ROUTING]);

	return entries && entries->num_hook_entries > 2;
}

static noinline unsigned int untrack(struct srcroute_net *sn,
				     struct sk_buff *skb)
{
	struct srcroute_packet p __uninitialized;

	if (!srcroute_classify(&p, sn, skb) || srcroute_is_dnat(&p))
		return NF_ACCEPT;
	if (p.verdict != SRR_VALID || !srr_is_complete(&p.srr))
		srcroute_untrack(skb);
	return NF_ACCEPT;
}

/**
 * srcroute_hook_pre_routing_first() - hook: mark owned datagrams as untracked
 * @priv: the struct srcroute_net of the namespace
 * @skb: a datagram in PRE_ROUTING, before defragmentation
 * @state: the hook
 *
 * The transport checksum of a datagram that has addresses to go covers the
 * last of them, so conntrack would call it invalid (C2). What is untracked is
 * not reassembled either (H10). A complete one is tracked as usual.
 *
 * Context: softirq, or process context after an NFQUEUE verdict; RCU read side.
 * Return: NF_ACCEPT.
 */
unsigned int srcroute_hook_pre_routing_first(void *priv, struct sk_buff *skb,
					     const struct nf_hook_state *state)
{
	/* In the order of what it costs to ask. */
	if (likely(srcroute_is_plain(skb)) || !has_other_hooks(state->net) ||
	    !srcroute_may_have_route(skb))
		return NF_ACCEPT;
	return untrack(priv, skb);
}
