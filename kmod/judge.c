// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last hook of PRE_ROUTING: what becomes of an owned datagram (O2, V, H2 to
 * H6, H8, T). rewrite.c forwards it, refuse.c drops it.
 */
#include <linux/icmp.h>
#include <linux/inetdevice.h>
#include <linux/string.h>
#include <net/dst.h>
#include <net/ip_fib.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <trace/events/srcroute.h>

#include "classify.h"
#include "datapath.h"

/* ICMP 12/0 blames the destination address for a strict route in transit. */
#define POINTER_DADDR	offsetof(struct iphdr, daddr)

static u32 setting(const struct srcroute_packet *p, enum srcroute_conf_key key)
{
	return READ_ONCE(p->iface->conf.value[key]);
}

/* V5: the kernel's own check of the options has failed. */
static unsigned int compile_failed(struct srcroute_packet *p, int err,
				   unsigned int fault)
{
	if (err == -ENOMEM)
		return srcroute_discard(p, SRCROUTE_NO_MEMORY);
	return srcroute_refuse(p, SRCROUTE_BAD_OPTION, fault << 24);
}

/*
 * accept_source_route decides if a complete datagram is delivered, and nothing else
 * (O3). The kernel checks it before it routes a datagram that a device has received.
 * It does not for a datagram that SRv6 brings to the VRF device from outside the VRF.
 */
static bool is_accepted(const struct srcroute_packet *p)
{
	struct in_device *in_dev;

	if (likely(!netif_is_l3_master(p->in)))
		return true;
	in_dev = __in_dev_get_rcu(p->in);
	return in_dev && IN_DEV_SOURCE_ROUTE(in_dev);
}

static unsigned int to_kernel(struct srcroute_packet *p)
{
	srcroute_count(p->iface, SRCROUTE_LOCAL);
	return NF_ACCEPT;
}

/* H8, V5: the kernel's own error about another option would carry the route back. */
static noinline unsigned int deliver(struct srcroute_packet *p)
{
	struct srcroute_received received;
	unsigned int fault;
	int err;

	if (!p->srr.only_option) {
		err = srcroute_compile(p, &received, &fault);
		if (err)
			return compile_failed(p, err, fault);
		if (!srcroute_uncompile(p))
			return srcroute_discard(p, SRCROUTE_NO_MEMORY);
	}
	if (!is_accepted(p))
		return srcroute_discard(p, SRCROUTE_NOT_ACCEPTED);
	return to_kernel(p);
}

/* H6: all addresses that were left are ours. */
static noinline unsigned int complete_route(struct srcroute_packet *p,
					    __be32 last)
{
	__be32 arrival;

	if (!(p->received ? srcroute_uncompile(p) :
			    srcroute_header_make_writable(p->skb, &p->h)))
		return srcroute_discard(p, SRCROUTE_NO_MEMORY);
	if (!is_accepted(p))	/* as it was received: I2 */
		return srcroute_discard(p, SRCROUTE_NOT_ACCEPTED);

	arrival = p->h.iph->daddr;
	p->h.iph->daddr = last;
	srr_complete(p->h.options + p->srr.off);
	ip_send_check(p->h.iph);
	trace_srcroute_advance(p->h.iph, p->in, arrival, 0, p->srr.len + 1);
	return to_kernel(p);
}

static noinline bool recorded_has_local_addr(const struct srcroute_packet *p)
{
	const u8 *slot;
	unsigned int n;

	slot = srr_recorded(p->h.options, &p->srr, &n);
	for (; n; n--, slot += 4)
		if (srcroute_addr_is_local(p->net, p->in, srcroute_read(slot)))
			return true;
	return false;
}

/* A link may have its neighbours as gateways: `onlink`, or a nexthop object. */
static bool is_own_gateway(const struct rtable *rt, __be32 next)
{
	return rt->rt_gw_family == AF_INET && rt->rt_gw4 == next;
}

/*
 * H5: does the route to @next lead straight to it? That it has no gateway is not
 * enough: a default route may have none. A gateway of IPv6 does not tell whose @next is.
 */
static __always_inline bool is_adjacent(const struct srcroute_packet *p,
					__be32 next, __be32 on_link)
{
	const struct rtable *rt = skb_rtable(p->skb);

	if (rt->rt_uses_gateway)
		return is_own_gateway(rt, next);
	return likely(on_link) || srcroute_has_host_route(p, next);
}

/* H5 and the limits of an interface; the route is that to @next. */
static __always_inline unsigned int
check_egress(struct srcroute_packet *p, __be32 next, unsigned int ptr)
{
	__be32 on_link = srcroute_addr_on_link(skb_rtable(p->skb), next);

	if (p->srr.type == SRR_SSRR && !is_adjacent(p, next, on_link))
		return srcroute_refuse(p, SRCROUTE_NOT_ADJACENT, 0);
	if (!setting(p, SRCROUTE_CONF_NONLOCAL) &&
	    skb_rtable(p->skb)->dst.dev != p->in)
		return srcroute_refuse(p, SRCROUTE_NONLOCAL, 0);
	return srcroute_forward_hit(p, next, ptr, on_link);
}

/*
 * Is the address that the datagram has been routed to one of ours? The local table
 * decides (H6). It has been asked already unless rules come before it.
 */
static bool next_is_local(const struct srcroute_packet *p, __be32 next)
{
	if (likely(skb_rtable(p->skb)->rt_type != RTN_LOCAL &&
		   !fib4_has_custom_rules(p->net)))
		return false;
	return srcroute_addr_is_local(p->net, p->in, next);
}

/*
 * H3, H4: @next is not ours. Routes that forward are of one type; all others are to
 * an address of ours, to a broadcast address, or say why there is none.
 */
static __always_inline unsigned int
check_route(struct srcroute_packet *p, __be32 next, unsigned int ptr)
{
	const struct rtable *rt = skb_rtable(p->skb);

	if (likely(rt->rt_type == RTN_UNICAST))
		return check_egress(p, next, ptr);
	if (rt->rt_type == RTN_BROADCAST)
		return srcroute_refuse(p, SRCROUTE_BAD_NEXT, 0);
	if (rt->dst.error == EINVAL)	/* a blackhole */
		return srcroute_ignore(p, SRCROUTE_NO_ROUTE);
	/* Rules may lead to a socket of ours, as for a transparent proxy. */
	return srcroute_refuse(p, SRCROUTE_NO_ROUTE, 0);
}

/* H2 to H4, H6: route to the first address left that is not ours. There is one left. */
static __always_inline unsigned int route_next(struct srcroute_packet *p)
{
	struct srr srr = p->srr;
	__be32 next;
	int err;

	do {
		next = srcroute_read(srr_slot(p->h.options, &srr));
		if (!srcroute_addr_is_unicast(next))
			return srcroute_refuse(p, SRCROUTE_BAD_NEXT, 0);
		err = srcroute_route_input(p, next);
		if (unlikely(err))
			return srcroute_unroutable(p, err);
		if (!next_is_local(p, next))
			return check_route(p, next, srr.ptr);
		srr.ptr += 4;
	} while (!srr_is_complete(&srr));
	return complete_route(p, next);
}

static __always_inline unsigned int process_hit(struct srcroute_packet *p)
{
	if (!setting(p, SRCROUTE_CONF_REVISIT) && recorded_has_local_addr(p))
		return srcroute_refuse(p, SRCROUTE_REVISIT, 0);
	return route_next(p);
}

static noinline unsigned int process_hit_with_options(struct srcroute_packet *p)
{
	struct srcroute_received received __uninitialized;
	unsigned int fault;
	int err;

	err = srcroute_compile(p, &received, &fault);
	if (err)
		return compile_failed(p, err, fault);
	return process_hit(p);
}

static noinline unsigned int bad_option(struct srcroute_packet *p)
{
	return srcroute_refuse(p, SRCROUTE_BAD_OPTION,
			       (sizeof(struct iphdr) + p->srr.fault) << 24);
}

/*
 * The kernel delivers by the offset that is set here, and SRv6 has set it as if there
 * were no options. It is not set for a datagram that is left to the kernel: with the
 * wrong offset such a datagram is not delivered, as without the module, and nothing
 * else would check accept_source_route.
 */
static void note_transport(const struct srcroute_packet *p)
{
	p->skb->transport_header = p->skb->network_header +
				   sizeof(struct iphdr) + p->h.options_len;
}

static unsigned int judge_local(struct srcroute_packet *p)
{
	bool is_sound = likely(p->verdict == SRR_VALID);

	note_transport(p);
	if (!is_sound && p->srr.route_at_fault)
		return bad_option(p);
	if (srr_is_complete(&p->srr))
		return is_sound ? deliver(p) : bad_option(p);

	p->hit = true;
	p->skb->mark |= setting(p, SRCROUTE_CONF_MARK);
	srcroute_untrack(p->skb);
	if (!is_sound)
		return bad_option(p);
	return likely(p->srr.only_option) ? process_hit(p) :
					    process_hit_with_options(p);
}

static __always_inline unsigned int process_transit(struct srcroute_packet *p)
{
	if (p->srr.type == SRR_SSRR)
		return srcroute_refuse(p, SRCROUTE_STRICT_TRANSIT,
				       POINTER_DADDR << 24);
	if (unlikely(skb_rtable(p->skb)->dst.error))
		return srcroute_unreachable(p);
	return srcroute_forward_transit(p);
}

static noinline unsigned int
process_transit_with_options(struct srcroute_packet *p)
{
	struct srcroute_received received __uninitialized;
	unsigned int fault;
	int err;

	err = srcroute_compile(p, &received, &fault);
	if (err)
		return compile_failed(p, err, fault);
	return process_transit(p);
}

static unsigned int judge_transit(struct srcroute_packet *p)
{
	note_transport(p);
	if (p->verdict == SRR_FAULT)
		return bad_option(p);
	if (!srr_is_complete(&p->srr))
		srcroute_untrack(p->skb);
	return likely(p->srr.only_option) ? process_transit(p) :
					    process_transit_with_options(p);
}

/*
 * A look-up of a local address costs as much as everything else, and its result is
 * mostly that of the last datagram on this interface. So each CPU keeps the address
 * with the generation of the routes, which every change of routes, addresses or VRFs
 * raises. The kernel validates cached routes in the same way. Address and generation
 * share one u64, so one per-CPU access reads both.
 */
static u64 local_key(const struct srcroute_packet *p)
{
	return (u64)(__force u32)p->h.iph->daddr << 32 |
	       (u32)rt_genid_ipv4(p->net);
}

static bool daddr_was_local(const struct srcroute_packet *p)
{
	return p->h.iph->daddr &&
	       this_cpu_read(p->iface->cpu->local) == local_key(p);
}

static bool daddr_is_local(const struct srcroute_packet *p)
{
	u64 key = local_key(p);

	if (!srcroute_addr_is_local(p->net, p->in, p->h.iph->daddr))
		return false;
	this_cpu_write(p->iface->cpu->local, key);
	return true;
}

/* T3: without forwarding, no source is told that there is no route. */
static noinline bool is_unreachable(const struct srcroute_packet *p)
{
	struct in_device *in_dev = __in_dev_get_rcu(p->in);

	return skb_rtable(p->skb)->rt_type == RTN_UNREACHABLE &&
	       in_dev && IN_DEV_FORWARD(in_dev);
}

/*
 * T: is the destination unicast, and not ours? If so, the datagram has the route, which
 * may say that there is none, or @err says why it has not. If not, it is as it came.
 */
static bool routes_as_transit(const struct srcroute_packet *p, int *err)
{
	__be32 daddr = p->h.iph->daddr;
	struct sk_buff *skb = p->skb;
	u32 mark = skb->mark;

	if (!srcroute_addr_is_unicast(daddr))
		return false;
	skb->mark |= setting(p, SRCROUTE_CONF_MARK);
	*err = srcroute_route_input(p, daddr);
	if (*err ? srcroute_route_is_transit(p, daddr) :
		   likely(skb_rtable(skb)->rt_type == RTN_UNICAST) ||
		   is_unreachable(p))
		return true;
	skb_dst_drop(skb);
	skb->mark = mark;
	return false;
}

/*
 * If no rule comes before the local table, one look-up tells both that the destination
 * is not ours and how to reach it. A datagram that is neither ours nor transit is left
 * to the kernel.
 *
 * Return: true if the destination is ours, else false with @verdict set.
 */
static bool is_for_us(struct srcroute_packet *p, unsigned int *verdict)
{
	bool rules_first = fib4_has_custom_rules(p->net);
	int err;

	if (rules_first && daddr_is_local(p))
		return true;
	if (routes_as_transit(p, &err)) {
		*verdict = err ? srcroute_unroutable(p, err) : judge_transit(p);
		return false;
	}
	if (!rules_first && daddr_is_local(p))
		return true;
	*verdict = NF_ACCEPT;
	return false;
}

/* O2 */
static noinline unsigned int turn_down(struct srcroute_packet *p)
{
	if (p->action == SRCROUTE_DROP)
		return srcroute_discard(p, SRCROUTE_POLICY_DROP);
	return srcroute_refuse(p, SRCROUTE_POLICY_REJECT, 0);
}

static unsigned int judge(struct srcroute_packet *p)
{
	unsigned int verdict;

	if (unlikely(p->action != SRCROUTE_FORWARD))
		return turn_down(p);
	if (likely(daddr_was_local(p)) || is_for_us(p, &verdict))
		return judge_local(p);
	return verdict;
}

static noinline unsigned int process(struct srcroute_net *sn,
				     struct sk_buff *skb)
{
	struct srcroute_packet p __uninitialized;
	unsigned int verdict;

	if (netif_is_l3_slave(skb->dev))	/* acts on the master's pass */
		return NF_ACCEPT;
	if (!srcroute_classify(&p, sn, skb) || srcroute_is_dnat(&p))
		return NF_ACCEPT;

	/* Not what another protocol has left there: SRv6 hands datagrams over. */
	memset(&IPCB(skb)->opt, 0, sizeof(IPCB(skb)->opt));
	p.hit = false;
	p.received = NULL;
	p.metadata = 0;
	if (unlikely(skb->_skb_refdst))
		srcroute_metadata_take(&p);

	verdict = judge(&p);
	if (verdict == NF_ACCEPT) {
		skb_dst_drop(skb);
		skb->_skb_refdst = p.metadata;
	} else if (unlikely(p.metadata)) {
		refdst_drop(p.metadata);
	}
	return verdict;
}

/**
 * srcroute_hook_pre_routing_last() - hook: what becomes of an owned datagram
 * @priv: the struct srcroute_net of the namespace
 * @skb: a datagram at the end of PRE_ROUTING
 * @state: the hook
 *
 * Context: softirq, or process context after an NFQUEUE verdict; RCU read side.
 * Return: NF_ACCEPT for what is left to the kernel, else NF_STOLEN.
 */
unsigned int srcroute_hook_pre_routing_last(void *priv, struct sk_buff *skb,
					    const struct nf_hook_state *state)
{
	if (likely(srcroute_is_plain(skb)) || !srcroute_may_have_route(skb))
		return NF_ACCEPT;
	return process(priv, skb);
}
