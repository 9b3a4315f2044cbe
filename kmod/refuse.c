// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a datagram is dropped: counter, ICMP error, tracepoint, log (I1 to I3, S).
 */
#include <linux/icmp.h>
#include <linux/inetdevice.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/route.h>
#include <trace/events/srcroute.h>

#include "datapath.h"

#define SRCROUTE_OUTCOME_INFO(id, name, type, code, drop_reason, sentence) \
	[SRCROUTE_##id] = {						\
		name, type, code, SRCROUTE_DROP_REASON(drop_reason), sentence \
	},

const struct srcroute_outcome_info srcroute_outcomes[] = {
	SRCROUTE_OUTCOMES(SRCROUTE_OUTCOME_INFO)
};

static void log_martian(const struct srcroute_packet *p,
			enum srcroute_outcome outcome)
{
	struct in_device *in_dev = __in_dev_get_rcu(p->in);
	const struct iphdr *iph = p->h.iph;

	if (in_dev && IN_DEV_LOG_MARTIANS(in_dev) && srcroute_may_log(p->sn))
		pr_warn("srcroute: %s: discarded %pI4 -> %pI4: %s\n",
			p->in->name, &iph->saddr, &iph->daddr,
			srcroute_outcomes[outcome].sentence);
}

static unsigned int drop_skb(struct srcroute_packet *p,
			     enum srcroute_outcome outcome, u8 type, u8 code)
{
	srcroute_count(p->iface, outcome);
	/* __icmp_send() may have moved the header to look at its flow. */
	if (srcroute_header_read(p->skb, &p->h)) {
		trace_srcroute_discard(p->h.iph, p->in, outcome, type, code);
		log_martian(p, outcome);
	}
	srcroute_kfree_skb(p->skb, srcroute_outcomes[outcome].drop_reason);
	return NF_STOLEN;
}

/* I2: errors quote, and the trace and the log show, what was received. */
static bool bring_back(struct srcroute_packet *p)
{
	return likely(!p->received) || srcroute_uncompile(p);
}

/**
 * srcroute_discard() - drop a datagram without an ICMP error
 * @p: the datagram
 * @outcome: for counter, tracepoint and log
 *
 * Context: RCU read side. Frees @p->skb.
 * Return: NF_STOLEN.
 */
unsigned int srcroute_discard(struct srcroute_packet *p,
			      enum srcroute_outcome outcome)
{
	bring_back(p);
	return drop_skb(p, outcome, 0, 0);
}

/**
 * srcroute_unroutable() - drop a datagram that could not be routed
 * @p: the datagram
 * @err: what ip_route_input_noref() said: it checks the source, too (H2)
 *
 * Context: RCU read side. Frees @p->skb.
 * Return: NF_STOLEN.
 */
unsigned int srcroute_unroutable(struct srcroute_packet *p, int err)
{
	return srcroute_discard(p, err == -ENOBUFS ? SRCROUTE_NO_MEMORY :
						     SRCROUTE_BAD_SOURCE);
}

/*
 * I3: may an error carry the recorded part of a sound route, reversed? Not if an address
 * there is our own or the first one leads to us: the error would come back to us, and be
 * dropped as a martian, since we are its source. Nor if the first address is not that of
 * one host.
 */
static bool is_reversible(const struct srcroute_packet *p,
			  enum srcroute_outcome outcome)
{
	u8 route[4 * SRR_SLOTS_MAX];
	unsigned int i, n;

	n = srr_reverse(p->h.options, &p->srr, route);
	for (i = 0; i < n; i++)
		if (srcroute_addr_is_local(p->net, p->in,
					   srcroute_read(route + 4 * i)))
			return false;
	return !n ||
	       (srcroute_addr_is_unicast_host(p->net, p->in,
					      srcroute_read(route)) &&
		!srcroute_route_error_is_local(p, outcome,
					       srcroute_read(route)));
}

static bool carries_reversed_route(const struct srcroute_packet *p,
				   enum srcroute_outcome outcome)
{
	if (!p->hit || outcome == SRCROUTE_POLICY_REJECT)
		return false;
	if (!READ_ONCE(p->iface->conf.value[SRCROUTE_CONF_REVERSE_ERRORS]))
		return false;
	return is_reversible(p, outcome);
}

static void answer(const struct srcroute_packet *p,
		   enum srcroute_outcome outcome, u8 code, u32 info)
{
	struct ip_options opt = { .optlen = p->h.options_len };

	if (carries_reversed_route(p, outcome))
		opt.srr = sizeof(struct iphdr) + p->srr.off;
	srcroute_icmp_send(p->skb, srcroute_outcomes[outcome].icmp_type, code,
			   htonl(info), &opt);
}

/* Routing has checked the source if it has found a route that leads anywhere. */
static bool is_routed(const struct sk_buff *skb)
{
	return skb_valid_dst(skb) && !skb_dst(skb)->error &&
	       skb_rtable(skb)->rt_type != RTN_BROADCAST;
}

/*
 * I1: may an error tell the source? Routing does not check it where it leads nowhere, or
 * rules lead elsewhere; and in the table by which the error leaves it may be another's.
 */
static bool may_be_told(const struct srcroute_packet *p)
{
	__be32 saddr = p->h.iph->saddr;

	return !srcroute_addr_is_local(p->net, p->in, saddr) &&
	       srcroute_addr_is_unicast_host(p->net, p->in, saddr);
}

static unsigned int drop_checked(struct srcroute_packet *p,
				 enum srcroute_outcome outcome, bool icmp,
				 u8 code, u32 info)
{
	int err = 0;

	if (!bring_back(p))
		return drop_skb(p, SRCROUTE_NO_MEMORY, 0, 0);
	/* Checks the source, and __icmp_send() wants a route on the datagram. */
	if (!is_routed(p->skb))
		err = srcroute_route_input(p, p->h.iph->daddr);
	if (err && outcome == SRCROUTE_POLICY_REJECT)
		return srcroute_discard(p, outcome);
	if (err)
		return srcroute_unroutable(p, err);
	if (!icmp || !may_be_told(p))
		return srcroute_discard(p, outcome);

	/* What else I1 forbids, __icmp_send() or srcroute_hook_local_out() drops. */
	answer(p, outcome, code, info);
	return drop_skb(p, outcome, srcroute_outcomes[outcome].icmp_type, code);
}

/**
 * srcroute_refuse() - drop a datagram and send an ICMP error to its source
 * @p: the datagram, its header as received
 * @outcome: for counter, ICMP error, tracepoint and log
 * @info: the second word of the error: with ICMP type 12, in its first octet, the
 *	  offset in the IP header of the octet to blame; with 3/4 the MTU; else 0
 *
 * A source that fails its check turns this into a silent drop (H2).
 *
 * Context: RCU read side. Frees @p->skb.
 * Return: NF_STOLEN.
 */
unsigned int srcroute_refuse(struct srcroute_packet *p,
			     enum srcroute_outcome outcome, u32 info)
{
	return drop_checked(p, outcome, true, srcroute_outcomes[outcome].icmp_code,
			    info);
}

/**
 * srcroute_ignore() - srcroute_refuse() without the ICMP error
 * @p: the datagram
 * @outcome: for counter, tracepoint and log
 *
 * Context: RCU read side. Frees @p->skb.
 * Return: NF_STOLEN.
 */
unsigned int srcroute_ignore(struct srcroute_packet *p,
			     enum srcroute_outcome outcome)
{
	return drop_checked(p, outcome, false, 0, 0);
}

/**
 * srcroute_unreachable() - refuse transit without a route (T3)
 * @p: the datagram, its header as received; its route says why there is none
 *
 * The error is that which the kernel sends about an ordinary datagram.
 *
 * Context: RCU read side. Frees @p->skb.
 * Return: NF_STOLEN.
 */
unsigned int srcroute_unreachable(struct srcroute_packet *p)
{
	u8 code;

	switch (skb_dst(p->skb)->error) {
	case ENETUNREACH:
		code = ICMP_NET_UNREACH;
		break;
	case EHOSTUNREACH:
		code = ICMP_HOST_UNREACH;
		break;
	case EACCES:
		code = ICMP_PKT_FILTERED;
		break;
	default:	/* a blackhole */
		return srcroute_ignore(p, SRCROUTE_NO_ROUTE);
	}
	return drop_checked(p, SRCROUTE_NO_ROUTE, true, code, 0);
}
