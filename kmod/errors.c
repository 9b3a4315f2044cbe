// SPDX-License-Identifier: GPL-2.0
/*
 * The first hook of LOCAL_OUT: the router's ICMP errors about source-routed
 * datagrams (I1).
 */
#include <linux/icmp.h>
#include <linux/ip.h>
#include <net/route.h>

#include "srcroute.h"

static bool is_error(u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

/* Does an ICMP error quote a datagram with a source route? */
static bool quotes_route(const struct sk_buff *skb)
{
	unsigned int offset = ip_hdrlen(skb);
	struct icmphdr _icmph, *icmph;
	struct iphdr _quoted, *quoted;
	u8 _area[SRR_AREA_MAX], *area;
	unsigned int len;
	struct srr srr;

	icmph = skb_header_pointer(skb, offset, sizeof(_icmph), &_icmph);
	if (!icmph || !is_error(icmph->type))
		return false;
	offset += sizeof(*icmph);
	quoted = skb_header_pointer(skb, offset, sizeof(_quoted), &_quoted);
	if (!quoted || quoted->ihl <= 5)
		return false;
	offset += sizeof(*quoted);
	len = quoted->ihl * 4 - sizeof(*quoted);
	area = skb_header_pointer(skb, offset, len, _area);
	return area && srr_find(area, len, &srr) != SRR_NONE;
}

/**
 * srcroute_errors() - hook: keep errors from going to more than one host (I1)
 * @priv: not used
 * @skb: a datagram of our own, on its way out
 * @state: the hook
 *
 * The kernel's forwarding answers any source that passes its checks, and a
 * broadcast address of a link may.
 *
 * Context: any; RCU read side.
 * Return: NF_DROP for such an error, else NF_ACCEPT.
 */
unsigned int srcroute_errors(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (likely(iph->protocol != IPPROTO_ICMP) || !quotes_route(skb))
		return NF_ACCEPT;
	if (!srcroute_is_one_host(state->net, state->out, iph->daddr))
		return NF_DROP;
	return NF_ACCEPT;
}
