// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last hook of PRE_ROUTING: what becomes of an owned datagram (O2, V, H2 to
 * H6, H8, T). forward.c rewrites it and sends it on.
 */
#include <linux/icmp.h>
#include <linux/netfilter_ipv4.h>
#include <linux/string.h>
#include <net/dst_metadata.h>
#include <net/l3mdev.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <trace/events/srcroute.h>

#include "compat.h"
#include "srcroute.h"

/* ICMP 12/0 blames the destination address for a strict route in transit. */
#define POINTER_DADDR	offsetof(struct iphdr, daddr)

static u32 setting(const struct srcroute_packet *p, enum srcroute_key key)
{
	return READ_ONCE(p->iface->policy.value[key]);
}

static bool is_destination_translated(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	enum ip_conntrack_info info;
	const struct nf_conn *ct = nf_ct_get(skb, &info);

	if (!ct)
		return false;
	return ct->status & (CTINFO2DIR(info) == IP_CT_DIR_ORIGINAL ?
			     IPS_DST_NAT : IPS_SRC_NAT);
#else
	return false;
#endif
}

static int route_to(const struct srcroute_packet *p, __be32 daddr)
{
	const struct iphdr *iph = p->h.iph;

	return ip_route_input_noref(p->skb, daddr, iph->saddr, iph->tos, p->in);
}

/* What compile() changes, and what undoes it. */
struct uncompiled {
	u8 area[SRR_AREA_MAX];
	__sum16 check;
};

static void keep(const struct srcroute_packet *p, struct uncompiled *was)
{
	memcpy(was->area, p->h.area, p->h.area_len);
	was->check = p->h.iph->check;
}

static void undo_compile(const struct srcroute_packet *p,
			 const struct uncompiled *was)
{
	memcpy(p->h.area, was->area, p->h.area_len);
	p->h.iph->check = was->check;
	memset(&IPCB(p->skb)->opt, 0, sizeof(IPCB(p->skb)->opt));
}

/*
 * The kernel's own check of the options (V5). It moves the pointers of Record
 * Route and Timestamp, so it is done once and only where there is more than
 * the source route.
 *
 * What they record meanwhile shows in errors alone: for transit what the kernel
 * finds by the route, for a hit, which has none yet, where it arrived. What it
 * may have instead of a route is tunnel metadata, not to be taken for one.
 *
 * Return: 0, -EINVAL with @pointer set, or -ENOMEM.
 */
static int compile(struct srcroute_packet *p, unsigned int *pointer)
{
	struct ip_options *opt = &IPCB(p->skb)->opt;
	struct sk_buff *skb = p->skb;
	unsigned long refdst = skb->_skb_refdst;
	bool routed = skb_valid_dst(skb);
	__be32 info;
	int err;

	if (!srcroute_header_make_writable(skb, &p->h))
		return -ENOMEM;

	opt->optlen = p->h.area_len;
	if (!routed)
		skb->_skb_refdst = 0;
	err = __ip_options_compile(p->net, opt, skb, &info);
	skb->_skb_refdst = refdst;
	if (err)
		*pointer = ntohl(info) >> 24;
	else if (!routed)
		srcroute_record(skb, &p->h, p->h.iph->daddr);
	/* Even if it has failed, pointers may have moved. */
	ip_send_check(p->h.iph);
	return err;
}

static unsigned int compile_failed(struct srcroute_packet *p, int err,
				   unsigned int pointer)
{
	if (err == -ENOMEM)
		return srcroute_discard(p, SRCROUTE_NO_MEMORY);
	return srcroute_refuse(p, SRCROUTE_BAD_OPTION, pointer << 24);
}

/* Whether it is delivered is up to accept_source_route, here alone (O3). */
static unsigned int to_kernel(const struct srcroute_packet *p)
{
	srcroute_count(p->iface, SRCROUTE_LOCAL);
	return NF_ACCEPT;
}

/* H8. The kernel's error about another option would echo the route: V5 here. */
static noinline unsigned int deliver(struct srcroute_packet *p)
{
	unsigned int pointer;
	struct uncompiled was;
	int err;

	if (!p->srr.alone) {
		keep(p, &was);
		err = compile(p, &pointer);
		if (err)
			return compile_failed(p, err, pointer);
		undo_compile(p, &was);
	}
	return to_kernel(p);
}

/*
 * H6: all that was left of the route is ours. @was is what was received, NULL
 * if nothing has changed it.
 */
static noinline unsigned int complete_route(struct srcroute_packet *p,
					    const struct uncompiled *was,
					    __be32 last)
{
	struct sk_buff *skb = p->skb;
	__be32 arrival;

	if (!srcroute_header_make_writable(skb, &p->h))
		return srcroute_discard(p, SRCROUTE_NO_MEMORY);
	if (was)
		undo_compile(p, was);

	/* The kernel looks for sockets ahead of the route only without one. */
	skb_dst_drop(skb);
	arrival = p->h.iph->daddr;
	p->h.iph->daddr = last;
	srr_finish(p->h.area + p->srr.off);
	ip_send_check(p->h.iph);
	trace_srcroute_advance(p->h.iph, p->in, arrival, 0, p->srr.len + 1);
	return to_kernel(p);
}

static noinline bool was_here_before(const struct srcroute_packet *p)
{
	const u8 *slot;
	unsigned int n;

	slot = srr_recorded(p->h.area, &p->srr, &n);
	for (; n; n--, slot += 4)
		if (srcroute_is_own(p->net, p->in, srcroute_read(slot)))
			return true;
	return false;
}

/* H5 and the limits of an interface; the route is that to @next. */
static unsigned int leave(struct srcroute_packet *p, __be32 next)
{
	if (p->srr.type == SRR_SSRR && !srcroute_is_adjacent(p, next))
		return srcroute_refuse(p, SRCROUTE_NOT_ADJACENT, 0);
	if (!setting(p, SRCROUTE_KEY_NONLOCAL) &&
	    skb_rtable(p->skb)->dst.dev != p->in)
		return srcroute_refuse(p, SRCROUTE_NONLOCAL, 0);
	return srcroute_forward_hit(p, next);
}

/* H2 to H4, H6: route to the first address left that is not ours. */
static unsigned int follow(struct srcroute_packet *p,
			   const struct uncompiled *was)
{
	struct srr srr = p->srr;
	__be32 next = 0;

	for (; !srr_is_complete(&srr); srr.ptr += 4) {
		const struct rtable *rt;
		int err;

		next = srcroute_read(srr_slot(p->h.area, &srr));
		if (!srcroute_is_host(next))
			return srcroute_refuse(p, SRCROUTE_BAD_NEXT, 0);
		err = route_to(p, next);
		if (err)
			return srcroute_unroutable(p, err);

		rt = skb_rtable(p->skb);
		if (rt->rt_type == RTN_BROADCAST)
			return srcroute_refuse(p, SRCROUTE_BAD_NEXT, 0);
		if (rt->dst.error == EINVAL)	/* a blackhole */
			return srcroute_ignore(p, SRCROUTE_NO_ROUTE);
		if (rt->dst.error)
			return srcroute_refuse(p, SRCROUTE_NO_ROUTE, 0);
		if (rt->rt_type != RTN_LOCAL)
			return leave(p, next);
	}
	return complete_route(p, was, next);
}

static unsigned int hop(struct srcroute_packet *p, const struct uncompiled *was)
{
	if (!setting(p, SRCROUTE_KEY_REVISIT) && was_here_before(p))
		return srcroute_refuse(p, SRCROUTE_REVISIT, 0);
	return follow(p, was);
}

static noinline unsigned int hop_with_options(struct srcroute_packet *p)
{
	struct uncompiled was __uninitialized;
	unsigned int pointer;
	int err;

	keep(p, &was);
	err = compile(p, &pointer);
	if (err)
		return compile_failed(p, err, pointer);
	return hop(p, &was);
}

static unsigned int bad_option(struct srcroute_packet *p)
{
	return srcroute_refuse(p, SRCROUTE_BAD_OPTION,
			       (sizeof(struct iphdr) + p->srr.fault) << 24);
}

static unsigned int to_own_address(struct srcroute_packet *p)
{
	if (p->verdict == SRR_FAULT && p->srr.route_at_fault)
		return bad_option(p);

	p->hit = !srr_is_complete(&p->srr);
	if (p->hit)
		p->skb->mark |= setting(p, SRCROUTE_KEY_MARK);
	if (p->verdict == SRR_FAULT)
		return bad_option(p);
	if (!p->hit)
		return deliver(p);
	return p->srr.alone ? hop(p, NULL) : hop_with_options(p);
}

static unsigned int transit(struct srcroute_packet *p)
{
	unsigned int pointer;
	int err;

	if (p->verdict == SRR_FAULT)
		return bad_option(p);
	if (!p->srr.alone) {
		err = compile(p, &pointer);
		if (err)
			return compile_failed(p, err, pointer);
	}
	if (p->srr.type == SRR_SSRR)
		return srcroute_refuse(p, SRCROUTE_STRICT_TRANSIT,
				       POINTER_DADDR << 24);
	return srcroute_forward_transit(p);
}

static noinline unsigned int leave_to_kernel(struct srcroute_packet *p,
					     u32 mark,
					     struct dst_entry *metadata)
{
	skb_dst_drop(p->skb);
	if (metadata)
		skb_dst_set(p->skb, metadata);
	p->skb->mark = mark;
	return NF_ACCEPT;
}

/*
 * Not for us: transit if it routes as unicast, else the kernel's, which is to
 * have it as it came. A route takes the place of a tunnel's metadata.
 */
static unsigned int to_elsewhere(struct srcroute_packet *p)
{
	struct dst_entry *metadata = skb_dst(p->skb);
	struct sk_buff *skb = p->skb;
	u32 mark = skb->mark;
	int err;

	if (!srcroute_is_host(p->h.iph->daddr))
		return NF_ACCEPT;

	if (metadata)
		dst_hold(metadata);
	skb->mark |= setting(p, SRCROUTE_KEY_MARK);
	err = route_to(p, p->h.iph->daddr);
	if (err ? !srcroute_is_transit(p) :
		  skb_rtable(skb)->rt_type != RTN_UNICAST)
		return leave_to_kernel(p, mark, metadata);
	dst_release(metadata);
	return err ? srcroute_unroutable(p, err) : transit(p);
}

/*
 * Is the destination one of our addresses? To ask the routing table costs as
 * much as all the rest, and mostly the answer is that for the last datagram of
 * this interface. A CPU remembers it together with the generation of the routes,
 * which every change of routes, addresses or VRFs raises; in the same way the
 * kernel trusts routes that it keeps. One word: no interrupt sees half of it.
 */
static bool has_arrived(const struct srcroute_packet *p)
{
	__be32 daddr = p->h.iph->daddr;
	u64 own = (u64)(__force u32)daddr << 32 | (u32)rt_genid_ipv4(p->net);

	if (likely(daddr && this_cpu_read(p->iface->cpu->own) == own))
		return true;
	if (!srcroute_is_own(p->net, p->in, daddr))
		return false;
	this_cpu_write(p->iface->cpu->own, own);
	return true;
}

static noinline unsigned int decide(struct srcroute_net *sn, struct sk_buff *skb)
{
	struct srcroute_packet p __uninitialized;

	if (netif_is_l3_slave(skb->dev))	/* acts on the master's pass */
		return NF_ACCEPT;
	if (!srcroute_recognise(&p, sn, skb))
		return NF_ACCEPT;
	if (is_destination_translated(skb))	/* O5 */
		return NF_ACCEPT;

	/* Not what another protocol has left there: SRv6 hands datagrams over. */
	memset(&IPCB(skb)->opt, 0, sizeof(IPCB(skb)->opt));
	p.hit = false;
	if (p.action == SRCROUTE_DROP)
		return srcroute_discard(&p, SRCROUTE_POLICY_DROP);
	if (p.action == SRCROUTE_REJECT)
		return srcroute_refuse(&p, SRCROUTE_POLICY_REJECT, 0);
	if (has_arrived(&p))
		return to_own_address(&p);
	return to_elsewhere(&p);
}

/**
 * srcroute_decide() - hook: what becomes of an owned datagram
 * @priv: the struct srcroute_net of the namespace
 * @skb: a datagram at the end of PRE_ROUTING
 * @state: the hook
 *
 * Context: softirq, or process context after an NFQUEUE verdict; RCU read side.
 * Return: NF_ACCEPT for what is left to the kernel, else NF_STOLEN.
 */
unsigned int srcroute_decide(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	if (likely(srcroute_is_plain(skb)) || !srcroute_may_have_route(skb))
		return NF_ACCEPT;
	return decide(priv, skb);
}
