/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The IPv4 header of a datagram, checked. There is no other way to one in this
 * module, and `make lint` sees to that.
 */
#ifndef _SRCROUTE_HEADER_H
#define _SRCROUTE_HEADER_H

#include <linux/ip.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/dst.h>
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
bool srcroute_quote_read(const struct sk_buff *skb, unsigned int offset,
			 struct srcroute_quote *quote);

/**
 * srcroute_header_locate() - take a header anew that may have moved
 * @skb: the datagram
 * @h: its header
 *
 * Moving it does not change its length.
 *
 * Context: any.
 */
static inline void srcroute_header_locate(const struct sk_buff *skb,
					  struct srcroute_header *h)
{
	h->iph = (struct iphdr *)skb->data;
	h->options = (u8 *)(h->iph + 1);
}

/**
 * srcroute_header_set_checksum() - compute the checksum of a header anew
 * @iph: the header, writable
 *
 * What ip_send_check() does, inline.
 */
static inline void srcroute_header_set_checksum(struct iphdr *iph)
{
	iph->check = 0;
	iph->check = ip_fast_csum(iph, iph->ihl);
}

/**
 * srcroute_header_make_room() - let a header be changed before it is forwarded
 * @skb: the datagram, routed
 * @h: its header; taken anew if it has moved
 *
 * Where it must be copied, the copy has room for the headers of the link as well,
 * which spares ip_forward() another one. Inline, since mostly there is nothing to do.
 *
 * Context: RCU read side.
 * Return: false if there is no memory; @h must not be used any more then.
 */
static inline bool srcroute_header_make_room(struct sk_buff *skb,
					     struct srcroute_header *h)
{
	const struct dst_entry *dst = skb_dst(skb);

	if (likely(!skb_cloned(skb)))
		return true;
	if (skb_cow(skb, LL_RESERVED_SPACE(dst->dev) + dst->header_len))
		return false;
	srcroute_header_locate(skb, h);
	return true;
}

/**
 * srcroute_is_plain() - is a datagram surely one without options?
 * @skb: any datagram at a hook
 *
 * Called for every datagram, so it pulls nothing, and reads the first octet alone,
 * which has version and header length. Whether the header is complete does not matter:
 * a plain datagram is left alone. The read is safe even if the linear part is empty,
 * since struct skb_shared_info follows it.
 *
 * Context: any.
 * Return: false if it is worth a closer look.
 */
static inline bool srcroute_is_plain(const struct sk_buff *skb)
{
	return skb->data[0] == 0x45;
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
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	unsigned int at, end;

	if (unlikely(skb_headlen(skb) < sizeof(*iph)))
		return true;
	end = iph->ihl * 4;
	if (unlikely(skb_headlen(skb) < end))
		return true;
	for (at = sizeof(*iph); at < end; at += 4)
		if (*(const u32 *)(skb->data + at) & 0x80808080)
			return true;
	return false;
}

#endif /* _SRCROUTE_HEADER_H */
