// SPDX-License-Identifier: GPL-2.0-only
/*
 * TTL and MTU, the rewrite of the header, and the call of the kernel's forwarding
 * (H1, H7, H9, H11, H14, I2).
 *
 * The kernel's errors quote the header that they find. So what ip_forward() is
 * going to refuse with an error is refused here, with the header as received, and
 * everything else is rewritten before ip_forward() gets it.
 */
#include <linux/bottom_half.h>
#include <linux/icmp.h>
#include <linux/inetdevice.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <net/inet_sock.h>
#include <net/lwtunnel.h>
#include <net/route.h>
#include <trace/events/srcroute.h>

#include "compat.h"
#include "datapath.h"

/*
 * How many datagrams are being forwarded one inside the other (H14): a route may
 * encapsulate in SRv6 for ourselves, and what comes out is at the hooks again, on the
 * same stack.
 */
#define DEPTH_MAX	2

/* No other task forwards on this CPU before this one has finished. */
static DEFINE_PER_CPU(unsigned int, depth);

/*
 * With PREEMPT_RT, tasks that forward preempt each other, and since Linux 6.18 a task
 * does not wait until another one on its CPU has left softirqs. A counter per CPU would
 * count all of them. So each CPU has a list with an entry for each datagram that is
 * being forwarded on it. A task stays on its CPU meanwhile.
 */
struct forwarding {
	struct hlist_node node;
	const struct task_struct *task;
};

static DEFINE_PER_CPU(struct hlist_head, forwardings);

static noinline void preemptible_input(struct sk_buff *skb)
{
	struct forwarding here = { .task = current };

	preempt_disable();
	hlist_add_head(&here.node, this_cpu_ptr(&forwardings));
	preempt_enable();
	dst_input(skb);
	preempt_disable();
	hlist_del(&here.node);
	preempt_enable();
}

/* A task in process context may be on any CPU, and has no entry in any list. */
static unsigned int preemptible_depth(void)
{
	const struct forwarding *one;
	unsigned int count = 0;

	preempt_disable();
	hlist_for_each_entry(one, this_cpu_ptr(&forwardings), node)
		count += one->task == current;
	preempt_enable();
	return count;
}

static __always_inline void input(struct sk_buff *skb)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		preemptible_input(skb);
		return;
	}
	__this_cpu_inc(depth);
	dst_input(skb);
	__this_cpu_dec(depth);
}

static bool is_too_deep(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return preemptible_depth() >= DEPTH_MAX;
	return unlikely(raw_cpu_read(depth) >= DEPTH_MAX);
}

/*
 * The route takes the datagram before ip_forward() does: SRv6 encapsulates it
 * whatever its TTL and length, and BPF may do anything.
 */
static bool acts_on_input(const struct sk_buff *skb)
{
	return lwtunnel_input_redirect(skb_dst(skb)->lwtstate);
}

/* The same question as ip_exceeds_mtu() asks, which is not exported. */
static bool exceeds(const struct sk_buff *skb, unsigned int mtu)
{
	if (likely(skb->len <= mtu))
		return false;
	if (unlikely(IPCB(skb)->frag_max_size > mtu))
		return true;
	return !skb->ignore_df &&
	       !(skb_is_gso(skb) && skb_gso_validate_network_len(skb, mtu));
}

/*
 * Does a datagram that must not be fragmented fit the MTU of the path? It does where
 * IPsec has no path.
 *
 * Return: 0 if it does, the MTU if not, or -ENOMEM if the header is lost: there was no
 *	   memory to ask IPsec.
 */
static noinline int exceeded_mtu(struct srcroute_packet *p, __be32 next)
{
	unsigned int mtu;

	if (likely(!srcroute_ipsec_applies(p->net, p->skb))) {
		mtu = ip_dst_mtu_maybe_forward(skb_dst(p->skb), true);
	} else {
		/* To be read again, it has to be sound. */
		if (p->received)
			srcroute_header_set_checksum(p->h.iph);
		mtu = srcroute_ipsec_mtu(p, next);
		if (!srcroute_header_read(p->skb, &p->h))
			return -ENOMEM;
	}
	return mtu && exceeds(p->skb, mtu) ? mtu : 0;
}

static unsigned int refuse(struct srcroute_packet *p, __be32 next,
			   enum srcroute_outcome outcome, u32 info)
{
	if (srcroute_ipsec_applies(p->net, p->skb) &&
	    !srcroute_ipsec_permits(p, next))
		return srcroute_discard(p, outcome);
	return srcroute_refuse(p, outcome, info);
}

/*
 * H1, I2: what ip_forward() refuses with an error.
 *
 * Return: false if it does not, else true with @verdict set.
 */
static __always_inline bool is_refused(struct srcroute_packet *p, __be32 next,
				       unsigned int *verdict)
{
	int mtu;

	if (unlikely(acts_on_input(p->skb)))
		return false;
	if (unlikely(p->h.iph->ttl <= 1)) {
		IP_INC_STATS(p->net, IPSTATS_MIB_INHDRERRORS);
		*verdict = refuse(p, next, SRCROUTE_TTL_EXCEEDED, 0);
		return true;
	}
	if (!(p->h.iph->frag_off & htons(IP_DF)))
		return false;

	mtu = exceeded_mtu(p, next);
	if (likely(!mtu))
		return false;
	if (mtu < 0) {
		*verdict = srcroute_discard(p, SRCROUTE_NO_MEMORY);
		return true;
	}
	IP_INC_STATS(p->net, IPSTATS_MIB_FRAGFAILS);
	*verdict = refuse(p, next, SRCROUTE_FRAG_NEEDED, mtu);
	return true;
}

/*
 * ip_forward() must not act on any option again. Their offsets stay, for fragments and
 * errors. If the source route is the only option, no offset has been set.
 */
static void settle_options(struct sk_buff *skb)
{
	struct ip_options *opt = &IPCB(skb)->opt;

	opt->srr = 0;
	opt->is_strictroute = 0;
	opt->srr_is_hit = 0;
	opt->rr_needaddr = 0;
	if (opt->ts_needaddr)	/* an error is not to add half an entry */
		opt->ts_needtime = 0;
	opt->ts_needaddr = 0;
	opt->is_changed = 0;
}

/*
 * Call the kernel's forwarding, instead of NF_ACCEPT: after PRE_ROUTING the kernel
 * would give a hit to a local socket (early demux, C3), and use its route as a hint
 * for the rest of a batch (H12).
 */
static __always_inline unsigned int forward(struct srcroute_packet *p,
					    struct sk_buff *skb,
					    enum srcroute_outcome outcome)
{
	/* ip_forward() and the flowtable look here whether there are options. */
	IPCB(skb)->opt.optlen = p->h.options_len;
	IPCB(skb)->flags &= ~IPSKB_DOREDIRECT;		/* H11 */
	if (unlikely(skb->sk))	/* by TPROXY; ip_forward() drops what has one */
		skb_orphan(skb);
	srcroute_count(p->iface, outcome);

	/* After an NFQUEUE verdict this is process context. */
	if (likely(in_softirq())) {
		input(skb);
		return NF_STOLEN;
	}
	local_bh_disable();
	input(skb);
	local_bh_enable();
	return NF_STOLEN;
}

static __be32 first_address(const struct net_device *dev)
{
	const struct in_device *in_dev = __in_dev_get_rcu(dev);
	const struct in_ifaddr *ifa;

	if (!in_dev)
		return 0;
	in_dev_for_each_ifa_rcu(ifa, in_dev)
		if (ifa->ifa_local)
			return ifa->ifa_local;
	return 0;
}

/* 0 if there is none either. */
static noinline __be32 address_off_link(struct srcroute_net *sn,
					const struct net_device *dev)
{
	__be32 addr = first_address(dev);
	__be32 id = READ_ONCE(sn->router_id);

	if (addr)
		return addr;
	if (id && srcroute_addr_is_local_anywhere(sn->net, id))
		return id;
	return inet_select_addr(dev, 0, RT_SCOPE_UNIVERSE);
}

/*
 * The address to record (H7): the primary one of the interface of departure whose
 * prefix holds the gateway or the next address, which is @on_link, else its first
 * primary one; without any, router_id, a global address of the namespace or VRF, or
 * @arrival, the destination that the datagram arrived with.
 */
static __always_inline __be32
egress_address(const struct srcroute_packet *p, __be32 on_link, __be32 arrival)
{
	__be32 addr;

	if (likely(on_link))
		return on_link;
	addr = address_off_link(p->sn, skb_dst(p->skb)->dev);
	return addr ? addr : arrival;
}

/**
 * srcroute_forward_hit() - rewrite a hit and send it on (H7, H9)
 * @p: the datagram, its header as received, routed to @next
 * @next: the first address of its route that is not ours
 * @ptr: the pointer as it points at @next
 * @on_link: srcroute_addr_on_link() of the route
 *
 * Context: RCU read side. Frees @p->skb or gives it away.
 * Return: NF_STOLEN.
 */
unsigned int srcroute_forward_hit(struct srcroute_packet *p, __be32 next,
				  unsigned int ptr, __be32 on_link)
{
	struct sk_buff *skb = p->skb;
	__be32 arrival, record;
	unsigned int verdict;
	struct iphdr *iph;

	if (is_too_deep())
		return srcroute_discard(p, SRCROUTE_NESTED);
	if (is_refused(p, next, &verdict))
		return verdict;
	if (!srcroute_header_make_room(skb, &p->h))
		return srcroute_discard(p, SRCROUTE_NO_MEMORY);

	iph = p->h.iph;
	arrival = iph->daddr;
	record = egress_address(p, on_link, arrival);
	srr_advance(p->h.options + p->srr.off, ptr, (const u8 *)&record);
	iph->daddr = next;
	if (unlikely(!p->srr.only_option)) {
		srcroute_record(skb, &p->h, record);
		settle_options(skb);
		/* No local daemon is to take it. */
		IPCB(skb)->opt.router_alert = 0;
	}
	srcroute_header_set_checksum(iph);
	trace_srcroute_advance(iph, p->in, arrival, record, ptr + 4);
	srcroute_hide_from_ipvs(skb);
	return forward(p, skb, SRCROUTE_HOP);
}

/*
 * T1: will a daemon take it for its Router Alert? ip_forward() asks before it looks at
 * TTL and MTU, by ip_call_ra_chain(), which is not exported.
 */
static bool has_daemon(const struct srcroute_packet *p)
{
	const struct ip_ra_chain *ra;

	if (likely(!IPCB(p->skb)->opt.router_alert))
		return false;
	for (ra = rcu_dereference(p->net->ipv4.ra_chain); ra;
	     ra = rcu_dereference(ra->next)) {
		const struct sock *sk = ra->sk;
		int bound = sk ? READ_ONCE(sk->sk_bound_dev_if) : 0;

		if (sk && inet_sk(sk)->inet_num == p->h.iph->protocol &&
		    (!bound || bound == p->skb->dev->ifindex))
			return true;
	}
	return false;
}

/**
 * srcroute_forward_transit() - send a datagram for another router on (T1, H9)
 * @p: the datagram, its header as received, routed to its destination
 *
 * Context: RCU read side. Frees @p->skb or gives it away.
 * Return: NF_STOLEN.
 */
unsigned int srcroute_forward_transit(struct srcroute_packet *p)
{
	struct sk_buff *skb = p->skb;
	__be32 daddr = p->h.iph->daddr;
	unsigned int verdict;
	__be32 record;

	if (is_too_deep())
		return srcroute_discard(p, SRCROUTE_NESTED);
	if (!has_daemon(p) && is_refused(p, daddr, &verdict))
		return verdict;
	if (p->received) {
		if (!srcroute_header_make_room(skb, &p->h))
			return srcroute_discard(p, SRCROUTE_NO_MEMORY);
		record = srcroute_addr_on_link(skb_rtable(skb), daddr);
		record = egress_address(p, record, daddr);
		srcroute_record(skb, &p->h, record);
		srcroute_header_set_checksum(p->h.iph);
	}
	settle_options(skb);
	if (!srr_is_complete(&p->srr))
		srcroute_hide_from_ipvs(skb);
	return forward(p, skb, SRCROUTE_TRANSIT);
}
