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

static bool fits(const u8 *option, unsigned int off, unsigned int len)
{
	return off + 3 <= len && off + option[1] <= len &&
	       option[2] <= option[1] + 1;
}

/*
 * Is the option where it was? A hook ahead of this one, at the very end of the
 * range of priorities, may have let user space put another datagram in the
 * place of the one that was checked.
 */
static bool is_as_decided(const struct sk_buff *skb)
{
	const struct ip_options *opt = &IPCB(skb)->opt;
	const u8 *header = skb_network_header(skb);
	unsigned int len = ip_hdrlen(skb);
	const u8 *srr = header + opt->__pad2;

	if (len > skb_headlen(skb))
		return false;
	if (opt->__pad2 != SRCROUTE_TAG_TRANSIT &&
	    !(fits(srr, opt->__pad2, len) &&
	      (srr[0] == SRR_LSRR || srr[0] == SRR_SSRR)))
		return false;
	return (!opt->rr_needaddr || (fits(header + opt->rr, opt->rr, len) &&
				      header[opt->rr] == IPOPT_RR)) &&
	       (!opt->ts_needaddr || (fits(header + opt->ts, opt->ts, len) &&
				      header[opt->ts] == IPOPT_TIMESTAMP));
}

/* ip_forward() has made the header writable: it counts down the TTL in it. */
static void rewrite(struct sk_buff *skb, __be32 record)
{
	const struct ip_options *opt = &IPCB(skb)->opt;
	struct iphdr *iph = ip_hdr(skb);

	if (opt->__pad2 != SRCROUTE_TAG_TRANSIT) {
		srr_advance((u8 *)iph + opt->__pad2,
			    (const u8 *)&opt->nexthop, (const u8 *)&record);
		iph->daddr = opt->nexthop;
	}
	if (opt->rr_needaddr || opt->ts_needaddr)
		srcroute_record(skb, record);
	ip_send_check(iph);
}

static void account(const struct sk_buff *skb, const struct srcroute_net *sn,
		    const struct net_device *in, __be32 arrival, __be32 record)
{
	const u8 *option = skb_network_header(skb) + IPCB(skb)->opt.__pad2;
	const struct srcroute_iface *iface;

	iface = srcroute_iface_get(sn, in->ifindex);
	if (iface)
		this_cpu_inc(iface->cpu->stats.advanced);
	trace_srcroute_advance(skb, in, arrival, record, option[2]);
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

/* Under VRF the enslaved interface; FORWARD is told of its master. */
static struct net_device *receiving_dev(const struct sk_buff *skb,
					const struct nf_hook_state *state)
{
	int ifindex = IPCB(skb)->iif;

	if (likely(state->in && state->in->ifindex == ifindex))
		return state->in;
	return dev_get_by_index_rcu(state->net, ifindex);
}

static unsigned int advance_hit(struct sk_buff *skb, struct srcroute_net *sn,
				struct net_device *in)
{
	bool ipsec = srcroute_ipsec_applies(sn->net, skb);
	__be32 next = IPCB(skb)->opt.nexthop;
	__be32 arrival, record;

	if (ipsec && !srcroute_ipsec_resume(skb, in, next))
		return NF_DROP;
	arrival = ip_hdr(skb)->daddr;
	record = srcroute_egress_address(sn, skb_rtable(skb), next, arrival);
	rewrite(skb, record);
	if (ipsec && !srcroute_ipsec_permits(skb))
		return NF_DROP;
	account(skb, sn, in, arrival, record);
	return NF_ACCEPT;
}

static unsigned int advance_transit(struct sk_buff *skb,
				    struct srcroute_net *sn)
{
	__be32 daddr = ip_hdr(skb)->daddr;

	rewrite(skb, srcroute_egress_address(sn, skb_rtable(skb), daddr,
					     daddr));
	return NF_ACCEPT;
}

static noinline unsigned int advance(struct srcroute_net *sn,
				     struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	unsigned int verdict;
	struct net_device *in;

	if (!is_as_decided(skb))
		return NF_DROP;

	if (IPCB(skb)->opt.__pad2 == SRCROUTE_TAG_TRANSIT) {
		verdict = advance_transit(skb, sn);
	} else {
		in = receiving_dev(skb, state);
		verdict = in ? advance_hit(skb, sn, in) : NF_DROP;
	}
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
	return advance(priv, skb, state);
}
