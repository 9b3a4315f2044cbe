// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only way to an IPv4 header (O6).
 *
 * ip_rcv_core() checks the header of what a device receives, but other paths to a
 * hook do not pass it: SRv6 into a VRF (End.DT4, End.DT46), the payload of an NFQUEUE
 * verdict, raw sockets. So each hook checks the header itself.
 */
#include <linux/netdevice.h>

#include "header.h"

/* By the first octet: version 4, a header length of 5 words or more. */
static bool is_well_formed(u8 octet)
{
	return octet >= 0x45 && octet <= 0x4f;
}

static bool is_linear(const struct sk_buff *skb)
{
	return skb_headlen(skb) >= sizeof(struct iphdr) &&
	       skb_headlen(skb) >= ip_hdrlen(skb);
}

/* The total length is 0 where 16 bits are too few for it (BIG TCP). */
static bool is_all_there(const struct sk_buff *skb, const struct iphdr *iph,
			 unsigned int header_len)
{
	unsigned int len = ntohs(iph->tot_len);

	if (likely(len >= header_len))
		return len <= skb->len;
	return !len && skb_is_gso(skb) && skb_is_gso_tcp(skb);
}

/* Of a header that is all in the linear part. */
static __always_inline bool check(const struct sk_buff *skb,
				  struct srcroute_header *h)
{
	struct iphdr *iph = ip_hdr(skb);
	unsigned int len = iph->ihl * 4;

	if (!is_well_formed(*(const u8 *)iph) || !is_all_there(skb, iph, len) ||
	    ip_fast_csum(iph, iph->ihl))
		return false;
	h->iph = iph;
	h->options = (u8 *)(iph + 1);
	h->options_len = len - sizeof(*iph);
	return true;
}

/* Get all of the header into the linear part first. */
static noinline bool pull_and_check(struct sk_buff *skb,
				    struct srcroute_header *h)
{
	return pskb_may_pull(skb, sizeof(struct iphdr)) &&
	       pskb_may_pull(skb, ip_hdrlen(skb)) && check(skb, h);
}

/**
 * srcroute_header_read() - check the header of a datagram (O6)
 * @skb: the datagram at a hook, where its data begin with the header
 * @h: filled in if the header is sound
 *
 * Checks what ip_rcv_core() checks: version, header length, total length, and
 * the checksum, since a rewrite would give a corrupt header a correct one. May
 * move the header.
 *
 * Context: any.
 * Return: false if the header is not sound; such a datagram is never ours, and
 *	   no octet of it is changed.
 */
bool srcroute_header_read(struct sk_buff *skb, struct srcroute_header *h)
{
	if (skb_network_offset(skb))
		return false;
	return likely(is_linear(skb)) ? check(skb, h) : pull_and_check(skb, h);
}

/**
 * srcroute_header_make_writable() - let a header be changed
 * @skb: the datagram
 * @h: its header; taken anew, since it may have moved
 *
 * A datagram may be shared: with a packet socket, other ports of a bridge, a copy in
 * a queue.
 *
 * Context: any.
 * Return: false if there is no memory; @h must not be used any more then.
 */
bool srcroute_header_make_writable(struct sk_buff *skb,
				   struct srcroute_header *h)
{
	if (skb_ensure_writable(skb, sizeof(struct iphdr) + h->options_len))
		return false;
	srcroute_header_locate(skb, h);
	return true;
}

/**
 * srcroute_quote_read() - copy the header that an ICMP error quotes (O6)
 * @skb: the error
 * @offset: where the quote begins, from the IP header of the error on
 * @quote: filled in if the header is sound
 *
 * Checks what can be checked of a datagram that is not all there. Not the
 * checksum: an error of the kernel about a Record Route option quotes it stale.
 *
 * Context: any.
 * Return: false if the header is not sound, or not all in the quote.
 */
bool srcroute_quote_read(const struct sk_buff *skb, unsigned int offset,
			 struct srcroute_quote *quote)
{
	unsigned int len;

	if (skb_copy_bits(skb, offset, quote->octets, sizeof(struct iphdr)) ||
	    !is_well_formed(quote->octets[0]))
		return false;
	len = quote->iph.ihl * 4;
	if (ntohs(quote->iph.tot_len) && ntohs(quote->iph.tot_len) < len)
		return false;
	quote->options_len = len - sizeof(struct iphdr);
	return !skb_copy_bits(skb, offset + sizeof(struct iphdr),
			      quote->octets + sizeof(struct iphdr),
			      quote->options_len);
}
