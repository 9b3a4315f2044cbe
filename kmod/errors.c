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
#include <linux/netfilter_ipv4.h>
#include <net/dst.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/sock.h>

#include "srcroute.h"

/**
 * struct error - an ICMP error about a datagram with a source route
 * @h: its own header
 * @type: its type
 * @code: its code
 * @quote: the header of the datagram
 * @verdict: what srr_find() says of the options in @quote
 * @srr: the source route in @quote
 */
struct error {
	struct srcroute_header h;
	u8 type;
	u8 code;
	struct srcroute_quote quote;
	enum srr_verdict verdict;
	struct srr srr;
};

static bool is_error(u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

static u8 *quoted_area(struct error *e)
{
	return e->quote.octets + sizeof(struct iphdr);
}

static bool read_error(struct sk_buff *skb, struct error *e)
{
	struct icmphdr icmph;
	unsigned int offset;

	if (!srcroute_header_read(skb, &e->h) ||
	    e->h.iph->protocol != IPPROTO_ICMP)
		return false;
	offset = sizeof(struct iphdr) + e->h.area_len;
	if (skb_copy_bits(skb, offset, &icmph, sizeof(icmph)) ||
	    !is_error(icmph.type) ||
	    !srcroute_quote_read(skb, offset + sizeof(icmph), &e->quote))
		return false;
	e->type = icmph.type;
	e->code = icmph.code;
	e->verdict = srr_find(quoted_area(e), e->quote.area_len, &e->srr);
	return e->verdict != SRR_NONE;
}

/* Is the last address that has been recorded one of ours? */
static bool was_recorded_here(struct error *e, struct net *net,
			      const struct net_device *dev)
{
	const u8 *slot;
	unsigned int n;

	if (e->verdict != SRR_VALID)
		return false;
	slot = srr_recorded(quoted_area(e), &e->srr, &n);
	return n && srcroute_is_own(net, dev, srcroute_read(slot + 4 * (n - 1)));
}

/* C2 left it untracked: it has addresses to go, or had until we took the last. */
static bool was_untracked(struct error *e, struct net *net,
			  const struct net_device *dev)
{
	return e->verdict != SRR_VALID || !srr_is_complete(&e->srr) ||
	       was_recorded_here(e, net, dev);
}

/*
 * Does the error travel back a route that it should not? Host unreachable is
 * what a failed link gives, and nothing that the module or ip_forward() says
 * of a source-routed datagram.
 */
static bool is_led_astray(const struct error *e, struct srr *srr)
{
	return e->type == ICMP_DEST_UNREACH && e->code == ICMP_HOST_UNREACH &&
	       srr_find(e->h.area, e->h.area_len, srr) == SRR_VALID;
}

/* I4: no source route, and straight to the source. */
static bool lead_home(struct sk_buff *skb, const struct nf_hook_state *state,
		      struct error *e, const struct srr *srr)
{
	if (!srcroute_header_make_writable(skb, &e->h))
		return false;
	memset(e->h.area + srr->off, IPOPT_NOOP, srr->len);
	e->h.iph->daddr = e->quote.iph.saddr;
	ip_send_check(e->h.iph);
	IPCB(skb)->opt.srr = 0;
	IPCB(skb)->opt.is_strictroute = 0;
	/* A route of other needs moves the header. */
	return !ip_route_me_harder(state->net, state->sk, skb, RTN_UNSPEC) &&
	       srcroute_header_read(skb, &e->h);
}

/*
 * Is it forwarding that tells ourselves? accept_local lets in what bears one of
 * our addresses as its source. Our own output, whose errors are for our own
 * sockets, has no TTL or path MTU to fail in ip_forward(), and nothing of ours
 * in the recorded part.
 */
static bool is_to_ourselves(struct error *e, struct net *net,
			    const struct net_device *dev)
{
	if (!srcroute_is_own(net, dev, e->quote.iph.saddr))
		return false;
	return (e->type == ICMP_TIME_EXCEEDED && e->code == ICMP_EXC_TTL) ||
	       (e->type == ICMP_DEST_UNREACH && e->code == ICMP_FRAG_NEEDED) ||
	       was_recorded_here(e, net, dev);
}

/* I1 */
static bool may_be_sent(struct error *e, struct net *net,
			const struct net_device *dev)
{
	return srcroute_is_one_host(net, dev, e->h.iph->daddr) &&
	       srcroute_is_one_host(net, dev, e->quote.iph.saddr) &&
	       !is_to_ourselves(e, net, dev);
}

static noinline unsigned int set_right(struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	const struct net_device *out = state->out;
	struct error e __uninitialized;
	struct srr srr;

	if (!read_error(skb, &e))
		return NF_ACCEPT;

	if (is_led_astray(&e, &srr)) {
		if (!lead_home(skb, state, &e, &srr))
			return NF_DROP;
		out = skb_dst(skb)->dev;
	}
	if (!may_be_sent(&e, state->net, out))
		return NF_DROP;
	if (!skb_nfct(skb) && was_untracked(&e, state->net, out))
		nf_ct_set(skb, NULL, IP_CT_UNTRACKED);			/* C4 */
	return NF_ACCEPT;
}

/*
 * The socket by which the kernel sends its own ICMP. Whatever else passes
 * LOCAL_OUT is not ours to change: an error that a program sends by a raw
 * socket, and what is only forwarded by way of it (IPVS, copies of a `dup`, the
 * transmit path of a VRF).
 */
static bool is_from_icmp_socket(const struct sock *sk)
{
	return sk && sk_fullsock(sk) && sk->sk_kern_sock &&
	       sk->sk_type == SOCK_RAW && sk->sk_protocol == IPPROTO_ICMP;
}

/**
 * srcroute_errors() - hook: set right the errors about source-routed datagrams
 * @priv: not used
 * @skb: a datagram on its way out
 * @state: the hook
 *
 * Under VRF an error comes twice, the second time with nothing left to change.
 *
 * Context: any; RCU read side.
 * Return: NF_DROP for an error that must not be sent or cannot be, else
 *	   NF_ACCEPT.
 */
unsigned int srcroute_errors(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	if (likely(!is_from_icmp_socket(state->sk)))
		return NF_ACCEPT;
	return set_right(skb, state);
}
