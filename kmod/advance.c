// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first hook of FORWARD: rewrite the header of a datagram that
 * srcroute_decide() has sent on its way (H7, H9).
 *
 * The kernel has made its forwarding checks, so the only error still to come
 * is one that must not travel the recorded route (I4).
 */
#include <linux/ip.h>
#include <net/route.h>
#include <trace/events/srcroute.h>

#include "srcroute.h"

/*
 * Is there a source route where srcroute_decide() has found one? A hook ahead of
 * this one, at the very end of the range of priorities, may have let user space
 * put another datagram in the place of the one that was checked.
 */
static bool has_route(const struct srcroute_header *h, unsigned int offset)
{
	const u8 *option = (const u8 *)h->iph + offset;
	unsigned int header_len = sizeof(*h->iph) + h->area_len;

	return offset >= sizeof(*h->iph) && offset + 3 <= header_len &&
	       (option[0] == SRR_LSRR || option[0] == SRR_SSRR) &&
	       option[1] >= 3 && option[1] % 4 == 3 &&
	       offset + option[1] <= header_len &&
	       option[2] >= 4 && option[2] % 4 == 0;
}

/* H7, H9. Return: false if the header is not the one that was checked. */
static bool rewrite(const struct sk_buff *skb, const struct srcroute_header *h,
		    __be32 record)
{
	const struct ip_options *opt = &IPCB(skb)->opt;
	unsigned int offset = opt->__pad2;

	if (offset != SRCROUTE_TAG_TRANSIT) {
		if (!has_route(h, offset) ||
		    !srr_advance((u8 *)h->iph + offset,
				 (const u8 *)&opt->nexthop,
				 (const u8 *)&record))
			return false;
		h->iph->daddr = opt->nexthop;
	}
	if ((opt->rr_needaddr || opt->ts_needaddr) &&
	    !srcroute_record(skb, h, record))
		return false;
	ip_send_check(h->iph);
	return true;
}

static void account(const struct sk_buff *skb, const struct srcroute_header *h,
		    const struct srcroute_net *sn, const struct net_device *in,
		    __be32 arrival, __be32 record)
{
	const u8 *option = (const u8 *)h->iph + IPCB(skb)->opt.__pad2;
	const struct srcroute_iface *iface;

	iface = srcroute_iface_get(sn, in);
	if (iface)
		this_cpu_inc(iface->cpu->stats.advanced);
	trace_srcroute_advance(h->iph, in, arrival, record, option[2]);
}

/* What follows shall neither record again nor echo the route. */
static void untag(struct sk_buff *skb)
{
	struct ip_options *opt = &IPCB(skb)->opt;

	opt->__pad2 = 0;
	opt->srr = 0;
	opt->rr_needaddr = 0;
	opt->ts_needaddr = 0;
	opt->is_changed = 0;
}

static unsigned int advance_hit(struct sk_buff *skb, struct srcroute_header *h,
				struct srcroute_net *sn)
{
	struct net_device *in = srcroute_receiving_dev(skb);
	bool ipsec = srcroute_ipsec_applies(sn->net, skb);
	__be32 next = IPCB(skb)->opt.nexthop;
	__be32 arrival, record;

	if (ipsec && !srcroute_ipsec_resume(skb, h, in, next))
		return NF_DROP;
	arrival = h->iph->daddr;
	record = srcroute_egress_address(sn, skb_rtable(skb), next, arrival);
	if (!rewrite(skb, h, record))
		return NF_DROP;
	/* Policies look into the datagram, which may move it. */
	if (ipsec && !(srcroute_ipsec_permits(skb) &&
		       srcroute_header_read(skb, h)))
		return NF_DROP;
	account(skb, h, sn, in, arrival, record);
	return NF_ACCEPT;
}

static unsigned int advance_transit(struct sk_buff *skb,
				    const struct srcroute_header *h,
				    struct srcroute_net *sn)
{
	__be32 daddr = h->iph->daddr;
	__be32 record = srcroute_egress_address(sn, skb_rtable(skb), daddr,
						daddr);

	return rewrite(skb, h, record) ? NF_ACCEPT : NF_DROP;
}

static noinline unsigned int advance(struct srcroute_net *sn,
				     struct sk_buff *skb)
{
	struct srcroute_header h;
	unsigned int verdict;

	/* ip_forward() has made it writable, a queue since then maybe not. */
	if (!srcroute_header_read(skb, &h) ||
	    !srcroute_header_make_writable(skb, &h))
		return NF_DROP;

	if (IPCB(skb)->opt.__pad2 == SRCROUTE_TAG_TRANSIT)
		verdict = advance_transit(skb, &h, sn);
	else
		verdict = advance_hit(skb, &h, sn);
	untag(skb);
	return verdict;
}

/**
 * srcroute_advance() - hook: rewrite the header (H7, H9, H13)
 * @priv: the struct srcroute_net of the namespace
 * @skb: a datagram at the start of FORWARD
 * @state: the hook
 *
 * Context: softirq, or process context after an NFQUEUE verdict; RCU read side.
 * Return: NF_ACCEPT; NF_DROP if the interface of arrival has gone, if the
 *	   header is another one now, or if IPsec does not let it out or has no
 *	   memory.
 */
unsigned int srcroute_advance(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	if (likely(!IPCB(skb)->opt.__pad2))
		return NF_ACCEPT;
	return advance(priv, skb);
}
