// SPDX-License-Identifier: GPL-2.0-only
/*
 * IPsec: policies are asked about the next address, not about the one that a
 * hit arrived with (H13).
 *
 * ip_forward() asks ahead of FORWARD, while the header still shows where the
 * datagram arrived. Where there are policies, srcroute_decide() keeps it from
 * asking, and srcroute_advance() asks when the header is rewritten.
 */
#include <net/route.h>
#include <net/xfrm.h>

#include "srcroute.h"

/**
 * srcroute_ipsec_defer() - keep ip_forward() from asking about a datagram
 * @skb: the datagram, routed
 *
 * A flag of the route says so, so it gets a route of its own until FORWARD.
 *
 * Context: RCU read side.
 * Return: false if there was no memory.
 */
bool srcroute_ipsec_defer(struct sk_buff *skb)
{
	struct rtable *rt = skb_rtable(skb);

	rt = rt_dst_clone(rt->dst.dev, rt);
	if (!rt)
		return false;
	rt->dst.flags |= DST_NOXFRM;
	skb_dst_drop(skb);
	skb_dst_set(skb, &rt->dst);
	IPCB(skb)->flags |= IPSKB_NOPOLICY;
	return true;
}

/**
 * srcroute_ipsec_resume() - give a datagram its own route back
 * @skb: a deferred datagram, ahead of its rewrite
 * @h: its header
 * @in: the interface it came in by
 * @next: where it goes
 *
 * Context: RCU read side.
 * Return: false if it cannot be routed any more.
 */
bool srcroute_ipsec_resume(struct sk_buff *skb, const struct srcroute_header *h,
			   struct net_device *in, __be32 next)
{
	/* Routing sets it again if the interface is exempt from policies. */
	IPCB(skb)->flags &= ~IPSKB_NOPOLICY;
	if (ip_route_input_noref(skb, next, h->iph->saddr, h->iph->tos, in))
		return false;
	return !skb_rtable(skb)->dst.error &&
	       skb_rtable(skb)->rt_type == RTN_UNICAST;
}

/**
 * srcroute_ipsec_permits() - do the policies let a datagram out?
 * @skb: the datagram, rewritten; may get a route through IPsec, and be moved
 *
 * Context: RCU read side.
 * Return: false if it must be dropped.
 */
bool srcroute_ipsec_permits(struct sk_buff *skb)
{
	return xfrm4_policy_check(NULL, XFRM_POLICY_FWD, skb) &&
	       xfrm4_route_forward(skb);
}
