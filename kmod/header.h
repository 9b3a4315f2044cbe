/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The IPv4 header of a datagram, checked. There is no other way to one in this
 * module, and `make lint` sees to that.
 */
#ifndef _SRCROUTE_HEADER_H
#define _SRCROUTE_HEADER_H

#include <linux/ip.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <srcroute/option.h>

/**
 * struct srcroute_header - a header that srcroute_header_read() has checked
 * @iph: the header; all of it, options included, lies in the linear part
 * @options: its option area
 * @options_len: octets of @options, 0 to SRR_OPTIONS_MAX
 *
 * Stale as soon as something may have moved the header of the datagram.
 */
struct srcroute_header {
	struct iphdr *iph;
	u8 *options;
	unsigned int options_len;
};

/**
 * struct srcroute_quote - a copy of the header that an ICMP error quotes
 * @octets: the header, options included
 * @options_len: octets of its option area, 0 to SRR_OPTIONS_MAX
 */
struct srcroute_quote {
	union {
		struct iphdr iph;
		u8 octets[sizeof(struct iphdr) + SRR_OPTIONS_MAX];
	};
	unsigned int options_len;
};

bool srcroute_header_read(struct sk_buff *skb, struct srcroute_header *h);
bool srcroute_header_make_writable(struct sk_buff *skb,
				   struct srcroute_header *h);
bool srcroute_header_make_room(struct sk_buff *skb, struct srcroute_header *h);
bool srcroute_quote_read(const struct sk_buff *skb, unsigned int offset,
			 struct srcroute_quote *quote);

/**
 * srcroute_is_plain() - is a datagram surely one without options?
 * @skb: any datagram at a hook
 *
 * Asked of every datagram, so nothing is pulled and nothing checked.
 *
 * Context: any.
 * Return: false if it is worth a closer look.
 */
static inline bool srcroute_is_plain(const struct sk_buff *skb)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;

	return skb_headlen(skb) >= sizeof(*iph) && iph->ihl == 5;
}

/**
 * srcroute_may_have_route() - is a datagram with options worth a closer look?
 * @skb: a datagram that is not plain
 *
 * The types of the source routes are above 127, which few other octets of
 * options are.
 *
 * Context: any.
 * Return: false if it surely has no source route.
 */
static inline bool srcroute_may_have_route(const struct sk_buff *skb)
{
	const u32 *word, *end;
	u32 seen = 0;

	if (unlikely(skb_headlen(skb) < sizeof(struct iphdr) ||
		     skb_headlen(skb) < ip_hdrlen(skb)))
		return true;
	word = (const u32 *)ip_hdr(skb) + 5;
	end = (const u32 *)ip_hdr(skb) + ip_hdr(skb)->ihl;
	while (word < end)
		seen |= *word++;
	return seen & 0x80808080;
}

#endif /* _SRCROUTE_HEADER_H */
