// SPDX-License-Identifier: GPL-2.0-only
/*
 * IPsec: what policies say of a hit on its way to the next address (H13).
 *
 * ip_forward() checks them for every rewritten datagram, by its new header. The checks
 * here are those whose result is needed before the rewrite.
 */
#include <net/ip.h>
#include <net/xfrm.h>

#include "compat.h"
#include "datapath.h"

/**
 * srcroute_ipsec_applies() - may a policy have a say in a datagram? (H13)
 * @net: the namespace
 * @skb: the datagram
 *
 * Context: any.
 * Return: true if there are policies, or if it has come through IPsec.
 */
bool srcroute_ipsec_applies(const struct net *net, const struct sk_buff *skb)
{
	return srcroute_has_policies(net) || secpath_exists(skb);
}

static struct dst_entry *look_up(struct srcroute_packet *p, __be32 next)
{
	struct dst_entry *dst = skb_dst(p->skb);
	struct flowi fl;

	if (srcroute_decode_session(p->net, p->skb, &fl) ||
	    !dst_hold_safe(dst))
		return ERR_PTR(-EINVAL);
	fl.u.ip4.daddr = next;
	return xfrm_lookup(p->net, dst, &fl, NULL, XFRM_LOOKUP_QUEUE);
}

/**
 * srcroute_ipsec_mtu() - the MTU of the path to the next address (I2)
 * @p: the datagram, routed to @next; its header may be moved, and is not changed
 * @next: the address
 *
 * Context: RCU read side.
 * Return: 0 if there is no such path, which is for ip_forward() to say; @p->h is
 *	   stale then, and must be read again in any case.
 */
unsigned int srcroute_ipsec_mtu(struct srcroute_packet *p, __be32 next)
{
	struct dst_entry *dst = look_up(p, next);
	unsigned int mtu;

	if (IS_ERR(dst))
		return 0;
	mtu = ip_dst_mtu_maybe_forward(dst, true);
	dst_release(dst);
	return mtu;
}

/**
 * srcroute_ipsec_permits() - may a datagram that is refused be answered? (H13)
 * @p: the datagram, its header as received
 * @next: where it was to go
 *
 * Only for one that ip_forward() will not see: the check uses up the proof that a
 * datagram came through IPsec.
 *
 * Context: RCU read side. The header is as it was afterwards; it may have moved.
 * Return: false if the policies for @next drop it, or there is no memory.
 */
bool srcroute_ipsec_permits(struct srcroute_packet *p, __be32 next)
{
	__be32 daddr = p->h.iph->daddr;
	__sum16 check = p->h.iph->check;
	bool permits;

	if (!srcroute_header_make_writable(p->skb, &p->h))
		return false;
	p->h.iph->daddr = next;
	ip_send_check(p->h.iph);
	permits = xfrm4_policy_check(NULL, XFRM_POLICY_FWD, p->skb);
	if (!srcroute_header_read(p->skb, &p->h))
		return false;
	p->h.iph->daddr = daddr;
	p->h.iph->check = check;	/* maybe 0xffff, where we would write 0 */
	return permits;
}
