// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook of LOCAL_OUT, before connection tracking: the router's own ICMP errors
 * about source-routed datagrams (H11, I1, I4, C4), and its replies to some (H8).
 *
 * The kernel sends some that it must not send: ip_forward() answers sources that are
 * not one host. An error about a failed link carries the reversed route of the
 * rewritten header, whose first address is our own, so it would loop to ourselves. And
 * where a BPF program has a datagram routed again (BPF_LWT_REROUTE), behind rewrite.c,
 * that look-up may ask for a redirect.
 */
#include <linux/icmp.h>
#include <linux/netfilter_ipv4.h>
#include <net/dst.h>
#include <net/route.h>
#include <net/sock.h>
#include <trace/events/srcroute.h>

#include "datapath.h"

/**
 * struct error - an ICMP error about a datagram with a source route
 * @h: its own header
 * @type: its type, also if it is a reply; the rest is then left as it was
 * @code: its code
 * @quote: the header of the datagram
 * @verdict: what srr_parse() says of the options in @quote
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
	       type == ICMP_PARAMETERPROB || type == ICMP_REDIRECT;
}

static u8 *quoted_options(struct error *e)
{
	return e->quote.octets + sizeof(struct iphdr);
}

static bool read_error(struct sk_buff *skb, struct error *e)
{
	struct icmphdr icmph;
	unsigned int offset;

	e->type = 0;
	e->code = 0;
	if (!srcroute_header_read(skb, &e->h) ||
	    e->h.iph->protocol != IPPROTO_ICMP)
		return false;
	offset = sizeof(struct iphdr) + e->h.options_len;
	if (skb_copy_bits(skb, offset, &icmph, sizeof(icmph)))
		return false;
	e->type = icmph.type;
	e->code = icmph.code;
	if (!is_error(icmph.type) ||
	    !srcroute_quote_read(skb, offset + sizeof(icmph), &e->quote))
		return false;
	e->verdict = srr_parse(quoted_options(e), e->quote.options_len, &e->srr);
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
	slot = srr_recorded(quoted_options(e), &e->srr, &n);
	return n && srcroute_addr_is_local(net, dev,
					   srcroute_read(slot + 4 * (n - 1)));
}

/* C2: its route was incomplete when it came in; it may be complete since then. */
static bool was_untracked(struct error *e, struct net *net,
			  const struct net_device *dev)
{
	return e->verdict != SRR_VALID || !srr_is_complete(&e->srr) ||
	       was_recorded_here(e, net, dev);
}

/* Would it come back to us before it goes anywhere? */
static bool is_for_own_addr(const struct sk_buff *skb,
			    const struct nf_hook_state *state,
			    const struct srcroute_header *h)
{
	return (skb_rtable(skb)->rt_flags & RTCF_LOCAL) &&
	       srcroute_addr_is_local(state->net, state->out, h->iph->daddr);
}

/*
 * Has the error a source route that leads back to ourselves? An error about a failed
 * link has one. It is recognised by "host unreachable" beside the route: what T3 sends
 * has none, and ip_forward() sends no such error about a source-routed datagram. The
 * other errors that have one are about datagrams whose routes end here (H8).
 */
static bool icmp_has_stale_srr(const struct sk_buff *skb,
			       const struct nf_hook_state *state,
			       const struct error *e, struct srr *srr)
{
	if (srr_parse(e->h.options, e->h.options_len, srr) != SRR_VALID)
		return false;
	return (e->type == ICMP_DEST_UNREACH && e->code == ICMP_HOST_UNREACH) ||
	       is_for_own_addr(skb, state, &e->h);
}

/* I3, I4: take out the source route, and send the error to the source. */
static bool icmp_strip_srr(struct sk_buff *skb, const struct nf_hook_state *state,
			   struct error *e, const struct srr *srr)
{
	if (!srcroute_header_make_writable(skb, &e->h))
		return false;
	memset(e->h.options + srr->off, IPOPT_NOOP, srr->len);
	e->h.iph->daddr = e->quote.iph.saddr;
	ip_send_check(e->h.iph);
	IPCB(skb)->opt.srr = 0;
	IPCB(skb)->opt.is_strictroute = 0;
	/* Another link may need more room, and move the header. */
	return !ip_route_me_harder(state->net, state->sk, skb, RTN_UNSPEC) &&
	       srcroute_header_read(skb, &e->h);
}

/*
 * I1: is it an error to ourselves about a datagram that was forwarded? With
 * accept_local such a datagram may have one of our addresses as its source. Errors
 * about our own output are for our own sockets; ip_forward() sends none of those,
 * and the recorded part of such a datagram has no address of ours.
 */
static bool is_to_ourselves(struct error *e, struct net *net,
			    const struct net_device *dev)
{
	if (!srcroute_addr_is_local(net, dev, e->quote.iph.saddr))
		return false;
	return (e->type == ICMP_TIME_EXCEEDED && e->code == ICMP_EXC_TTL) ||
	       (e->type == ICMP_DEST_UNREACH && e->code == ICMP_FRAG_NEEDED) ||
	       was_recorded_here(e, net, dev);
}

/* H11, I1 */
static bool may_be_sent(struct error *e, struct net *net,
			const struct net_device *dev)
{
	return e->type != ICMP_REDIRECT &&
	       srcroute_addr_is_unicast_host(net, dev, e->h.iph->daddr) &&
	       srcroute_addr_is_unicast_host(net, dev, e->quote.iph.saddr) &&
	       !is_to_ourselves(e, net, dev);
}

/*
 * H8: a reply goes back along the route of the request, and the last address recorded
 * there is ours if H6 has completed it. We are the first gateway of the reply then, and
 * do what H3, H6 and H7 do.
 *
 * Return: false if it must be dropped: it could not be written to, nothing or no host
 *	   is there, or IPsec forbids it, and no route is left, without which the kernel
 *	   must not get it back. @reply has its header then.
 */
static bool icmp_start_behind_us(struct sk_buff *skb,
				 const struct nf_hook_state *state,
				 struct iphdr *reply)
{
	struct srcroute_header h;
	unsigned int ptr;
	__be32 next;
	struct srr srr;

	if (!srcroute_header_read(skb, &h) ||
	    srr_parse(h.options, h.options_len, &srr) != SRR_VALID ||
	    !is_for_own_addr(skb, state, &h))
		return true;

	for (ptr = srr.ptr; ptr <= srr.len; ptr += 4) {
		next = srcroute_read(h.options + srr.off + ptr - 1);
		if (!srcroute_addr_is_local(state->net, state->out, next))
			break;
	}
	if (ptr > srr.len)
		return true;
	*reply = *h.iph;
	if (!srcroute_header_make_writable(skb, &h))
		return false;
	if (h.iph->daddr == h.iph->saddr)	/* C4: what H6 makes of the last slot */
		srcroute_untrack(skb);
	srr_advance(h.options + srr.off, ptr, (const u8 *)&h.iph->daddr);
	h.iph->daddr = next;
	ip_send_check(h.iph);
	*reply = *h.iph;
	return !ip_route_me_harder(state->net, state->sk, skb, RTN_UNSPEC) &&
	       srcroute_addr_is_unicast_host(state->net, skb_dst(skb)->dev, next);
}

/* @about: the datagram that an error is about, or a reply itself */
static unsigned int suppress(const struct srcroute_net *sn,
			     const struct net_device *out,
			     const struct iphdr *about, u8 type, u8 code)
{
	const struct srcroute_iface *iface = srcroute_iface_get(sn, out);

	if (iface)
		this_cpu_inc(iface->cpu->stats.icmp_suppressed);
	trace_srcroute_icmp_suppress(about, out, type, code);
	return NF_DROP;
}

static unsigned int suppress_error(const struct srcroute_net *sn,
				   const struct net_device *out,
				   const struct error *e)
{
	return suppress(sn, out, &e->quote.iph, e->type, e->code);
}

static noinline unsigned int icmp_fixup(const struct srcroute_net *sn,
					struct sk_buff *skb,
					const struct nf_hook_state *state)
{
	const struct net_device *out = state->out;
	struct error e __uninitialized;
	struct iphdr reply __uninitialized;
	struct srr srr;

	if (!read_error(skb, &e)) {
		if (icmp_start_behind_us(skb, state, &reply))
			return NF_ACCEPT;
		return suppress(sn, out, &reply, e.type, e.code);
	}
	if (icmp_has_stale_srr(skb, state, &e, &srr)) {
		if (!icmp_strip_srr(skb, state, &e, &srr))
			return suppress_error(sn, out, &e);
		out = skb_dst(skb)->dev;
	}
	if (!may_be_sent(&e, state->net, out))
		return suppress_error(sn, out, &e);
	if (was_untracked(&e, state->net, out))
		srcroute_untrack(skb);					/* C4 */
	return NF_ACCEPT;
}

/*
 * The socket by which the kernel sends its own ICMP. Nothing else in LOCAL_OUT may be
 * changed: neither an error that a program sends by a raw socket, nor datagrams that
 * are only forwarded through LOCAL_OUT (IPVS, copies of a `dup`, the transmit path of
 * a VRF).
 */
static bool is_from_icmp_socket(const struct sock *sk)
{
	return sk && sk_fullsock(sk) && sk->sk_kern_sock &&
	       sk->sk_type == SOCK_RAW && sk->sk_protocol == IPPROTO_ICMP;
}

/**
 * srcroute_hook_local_out() - hook: correct ICMP errors and replies with source routes
 * @priv: the struct srcroute_net of the namespace
 * @skb: a datagram on its way out
 * @state: the hook
 *
 * Under VRF an error comes twice, the second time with nothing left to change.
 *
 * Context: any; RCU read side.
 * Return: NF_DROP for an error or a reply that must not be sent or cannot be, which
 *	   is counted, else NF_ACCEPT.
 */
unsigned int srcroute_hook_local_out(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	if (likely(!is_from_icmp_socket(state->sk)))
		return NF_ACCEPT;
	return icmp_fixup(priv, skb, state);
}
