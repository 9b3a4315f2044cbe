// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first hook of LOCAL_OUT: the router's own ICMP errors about
 * source-routed datagrams (I1, I4, C4).
 *
 * Some are not ours but the kernel's: forwarding answers sources that are not
 * one host, and a link that fails gives back the route of a header that was
 * rewritten, which leads straight to ourselves.
 */
#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/netfilter_ipv4.h>
#include <net/dst.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include "srcroute.h"

#define OPT_NOOP	1

/**
 * struct quote - what an ICMP error says of the datagram it is about
 * @error: type of the error
 * @code: its code
 * @source: source of the datagram
 * @verdict: what srr_find() says of its options
 * @srr: its source route
 * @area: its option area
 * @room: where @area is if the error is not in one piece
 */
struct quote {
	u8 error;
	u8 code;
	__be32 source;
	enum srr_verdict verdict;
	struct srr srr;
	const u8 *area;
	u8 room[SRR_AREA_MAX];
};

static bool is_error(u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

/* Is it an ICMP error about a datagram with a source route? */
static bool read_quote(const struct sk_buff *skb, struct quote *q)
{
	unsigned int offset = ip_hdrlen(skb);
	struct icmphdr _icmph, *icmph;
	struct iphdr _iph, *iph;
	unsigned int len;

	icmph = skb_header_pointer(skb, offset, sizeof(_icmph), &_icmph);
	if (!icmph || !is_error(icmph->type))
		return false;
	q->error = icmph->type;
	q->code = icmph->code;

	offset += sizeof(*icmph);
	iph = skb_header_pointer(skb, offset, sizeof(_iph), &_iph);
	if (!iph || iph->ihl <= 5)
		return false;
	q->source = iph->saddr;

	offset += sizeof(*iph);
	len = iph->ihl * 4 - sizeof(*iph);
	q->area = skb_header_pointer(skb, offset, len, q->room);
	if (!q->area)
		return false;
	q->verdict = srr_find(q->area, len, &q->srr);
	return q->verdict != SRR_NONE;
}

/* C2 left it untracked: it has addresses to go, or had until we took the last. */
static bool was_untracked(const struct quote *q, struct net *net,
			  const struct net_device *dev)
{
	const u8 *slot;
	unsigned int n;

	if (q->verdict != SRR_VALID || !srr_is_complete(&q->srr))
		return true;
	slot = srr_recorded(q->area, &q->srr, &n);
	return n && srcroute_is_own(net, dev, srcroute_read(slot + 4 * (n - 1)));
}

/*
 * Does the error travel back a route that it should not? Host unreachable is
 * what a failed link gives, and nothing that the module or ip_forward() says
 * of a source-routed datagram.
 */
static bool is_led_astray(const struct sk_buff *skb, const struct quote *q,
			  struct srr *srr)
{
	return q->error == ICMP_DEST_UNREACH && q->code == ICMP_HOST_UNREACH &&
	       srr_find(srcroute_area(skb), srcroute_area_len(skb), srr) ==
	       SRR_VALID;
}

/* I4: no source route, and straight to the source. */
static int lead_home(struct sk_buff *skb, const struct nf_hook_state *state,
		     const struct srr *srr, __be32 source)
{
	if (skb_ensure_writable(skb, ip_hdrlen(skb)))
		return -ENOMEM;
	memset(srcroute_area(skb) + srr->off, OPT_NOOP, srr->len);
	ip_hdr(skb)->daddr = source;
	ip_send_check(ip_hdr(skb));
	IPCB(skb)->opt.srr = 0;
	IPCB(skb)->opt.is_strictroute = 0;
	return ip_route_me_harder(state->net, state->sk, skb, RTN_UNSPEC);
}

static noinline unsigned int set_right(struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	const struct net_device *out = state->out;
	struct quote q __uninitialized;
	struct srr srr;

	if (!read_quote(skb, &q))
		return NF_ACCEPT;

	if (is_led_astray(skb, &q, &srr)) {
		if (lead_home(skb, state, &srr, q.source))
			return NF_DROP;
		out = skb_dst(skb)->dev;
	}
	if (!srcroute_is_one_host(state->net, out, ip_hdr(skb)->daddr) ||
	    !srcroute_is_one_host(state->net, out, q.source))
		return NF_DROP;						/* I1 */
	if (!skb_nfct(skb) && was_untracked(&q, state->net, out))
		nf_ct_set(skb, NULL, IP_CT_UNTRACKED);			/* C4 */
	return NF_ACCEPT;
}

/**
 * srcroute_errors() - hook: set right the errors about source-routed datagrams
 * @priv: not used
 * @skb: a datagram of our own, on its way out
 * @state: the hook
 *
 * Context: any; RCU read side.
 * Return: NF_DROP for an error that must not be sent or cannot be, else
 *	   NF_ACCEPT.
 */
unsigned int srcroute_errors(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	if (likely(ip_hdr(skb)->protocol != IPPROTO_ICMP))
		return NF_ACCEPT;
	return set_right(skb, state);
}
