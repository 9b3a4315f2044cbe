/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * srcroute: forwarding of source-routed IPv4 datagrams. The data path, and the file
 * that has the code of each step:
 *
 *   PRE_ROUTING, first   untrack.c    not ours to track: conntrack and reassembly
 *                                     leave it alone
 *   PRE_ROUTING, last    judge.c      is the destination local? are the options
 *                                     sound? what becomes of it
 *                        route.c      look up the next address; is it adjacent?
 *                        rewrite.c    TTL and MTU; rewrite the header; forward
 *                        refuse.c     or drop it: counter, ICMP error, trace, log
 *   (the kernel)         ip_forward(), FORWARD, output
 *   LOCAL_OUT, after raw icmp.c       ICMP errors about it that the kernel sends
 *
 * They use: classify.h (is a datagram ours?), header.c (the checked header),
 * option.c (the option engine, which knows no kernel), compile.c (the kernel's check
 * of the other options), address.c (local addresses), ipsec.c (policies), record.c
 * (Record Route, Timestamp).
 * control.h has the settings that they read and the counters that they write.
 */
#ifndef _SRCROUTE_DATAPATH_H
#define _SRCROUTE_DATAPATH_H

#include <linux/in.h>
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <srcroute/option.h>
#include <srcroute/outcome.h>

#include "compat.h"
#include "control.h"
#include "header.h"

/**
 * struct srcroute_received - what the kernel's check of the options changes
 * @options: the option area as it was received
 * @check: the checksum of the header, too
 */
struct srcroute_received {
	u8 options[SRR_OPTIONS_MAX];
	__sum16 check;
};

/**
 * struct srcroute_packet - an owned datagram in PRE_ROUTING (O1)
 * @skb: the datagram
 * @h: its header; taken anew wherever the datagram may have been moved
 * @net: the namespace
 * @sn: what is kept for it
 * @in: the interface it came in by; under VRF the enslaved one
 * @iface: settings and counters of @in
 * @srr: its source route
 * @verdict: what srr_parse() said of its options, never SRR_NONE
 * @received: the options as received, if srcroute_compile() has changed them, and the
 *	      checksum is stale then; else NULL
 * @action: what lsrr or ssrr of @in says, never SRCROUTE_OFF
 * @hit: for a local address, and the route is incomplete
 * @metadata: what @skb had in place of a route, as in its _skb_refdst: the metadata
 *	      of a tunnel; 0 for none
 * @tun_id: the key of that tunnel, if there are @metadata
 */
struct srcroute_packet {
	struct sk_buff *skb;
	struct srcroute_header h;
	struct net *net;
	struct srcroute_net *sn;
	struct net_device *in;
	struct srcroute_iface *iface;
	struct srr srr;
	enum srr_verdict verdict;
	const struct srcroute_received *received;
	enum srcroute_action action;
	bool hit;
	unsigned long metadata;
	__be64 tun_id;
};

/* untrack.c */
unsigned int srcroute_hook_pre_routing_first(void *priv, struct sk_buff *skb,
					     const struct nf_hook_state *state);

/* judge.c */
unsigned int srcroute_hook_pre_routing_last(void *priv, struct sk_buff *skb,
					    const struct nf_hook_state *state);

/* icmp.c */
unsigned int srcroute_hook_local_out(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state);

/* route.c */
void srcroute_metadata_take(struct srcroute_packet *p);
void srcroute_metadata_show(const struct srcroute_packet *p);
bool srcroute_route_is_transit(const struct srcroute_packet *p, __be32 daddr);
bool srcroute_has_host_route(const struct srcroute_packet *p, __be32 addr);
bool srcroute_route_error_is_local(const struct srcroute_packet *p,
				   enum srcroute_outcome outcome, __be32 daddr);

/* rewrite.c */
unsigned int srcroute_forward_hit(struct srcroute_packet *p, __be32 next,
				  unsigned int ptr, __be32 on_link);
unsigned int srcroute_forward_transit(struct srcroute_packet *p);

/* ipsec.c */
bool srcroute_ipsec_applies(const struct net *net, const struct sk_buff *skb);
unsigned int srcroute_ipsec_mtu(struct srcroute_packet *p, __be32 next);
bool srcroute_ipsec_permits(struct srcroute_packet *p, __be32 next);

/* refuse.c */
unsigned int srcroute_discard(struct srcroute_packet *p,
			      enum srcroute_outcome outcome);
unsigned int srcroute_unroutable(struct srcroute_packet *p, int err);
unsigned int srcroute_refuse(struct srcroute_packet *p,
			     enum srcroute_outcome outcome, u32 info);
unsigned int srcroute_ignore(struct srcroute_packet *p,
			     enum srcroute_outcome outcome);
unsigned int srcroute_unreachable(struct srcroute_packet *p);

/* compile.c */
int srcroute_compile(struct srcroute_packet *p,
		     struct srcroute_received *received, unsigned int *fault);
bool srcroute_uncompile(struct srcroute_packet *p);

/* record.c */
void srcroute_record(const struct sk_buff *skb, const struct srcroute_header *h,
		     __be32 addr);

/* address.c */
bool srcroute_addr_is_local(struct net *net, const struct net_device *dev,
			    __be32 addr);
bool srcroute_addr_is_local_anywhere(struct net *net, __be32 addr);
bool srcroute_addr_is_unicast_host(struct net *net,
				   const struct net_device *dev, __be32 addr);

/**
 * srcroute_addr_is_unicast() - can an address be that of a host? (H3)
 * @addr: the address
 *
 * As the kernel's routing sees it, which takes all of 240/4 but the limited broadcast
 * address, and of 0/8 all but 0.0.0.0, for ordinary addresses.
 *
 * Return: false for 0.0.0.0, 127/8, 224/4 and 255.255.255.255.
 */
static inline bool srcroute_addr_is_unicast(__be32 addr)
{
	return !ipv4_is_zeronet(addr) && !ipv4_is_loopback(addr) &&
	       !ipv4_is_multicast(addr) && !ipv4_is_lbcast(addr);
}

/**
 * srcroute_addr_on_link() - our own address on the link that a route leads to
 * @rt: the route
 * @next: the address that it is the route to
 *
 * Inline, since every hit asks (docs/cost.md).
 *
 * Context: RCU read side.
 * Return: of the interface of departure, the primary address whose prefix holds the
 *	   gateway, or @next if there is none or it is one of IPv6; 0 if no prefix does.
 *	   Where there is a peer, its address is what the prefix belongs to.
 */
static inline __be32 srcroute_addr_on_link(const struct rtable *rt, __be32 next)
{
	const struct in_device *in_dev = __in_dev_get_rcu(rt->dst.dev);
	const struct in_ifaddr *ifa;

	if (unlikely(!in_dev))
		return 0;
	if (rt->rt_gw_family == AF_INET)
		next = rt->rt_gw4;
	/* The kernel's list has all primary addresses before the secondary ones. */
	in_dev_for_each_ifa_rcu(ifa, in_dev)
		if (inet_ifa_match(next, ifa))
			return ifa->ifa_local;
	return 0;
}

/**
 * srcroute_is_dnat() - has NAT changed the destination of a datagram? (O5)
 * @p: an owned datagram
 *
 * What NAT has yet to do does not count: a datagram that act_ct has tracked before us
 * may belong to a connection that NAT would translate after us.
 *
 * Context: any.
 * Return: true if it has.
 */
static inline bool srcroute_is_dnat(const struct srcroute_packet *p)
{
	enum ip_conntrack_info info;
	const struct nf_conn *ct = nf_ct_get(p->skb, &info);
	enum ip_conntrack_dir dir = CTINFO2DIR(info);

	if (!ct || !(ct->status & (dir == IP_CT_DIR_ORIGINAL ? IPS_DST_NAT :
							       IPS_SRC_NAT)))
		return false;
	return p->h.iph->daddr == nf_ct_tuple(ct, !dir)->src.u3.ip;
}

/**
 * srcroute_untrack() - connection tracking and NAT are to leave a datagram alone (C2)
 * @skb: a datagram in PRE_ROUTING, or an ICMP error in LOCAL_OUT
 *
 * It may be tracked already: act_ct and the conntrack of a bridge come before our
 * first hook, and a rule of the raw table that sets a zone comes after it. In
 * LOCAL_OUT such a rule has left a template, which says how to track.
 *
 * Context: any.
 */
static inline void srcroute_untrack(struct sk_buff *skb)
{
	nf_reset_ct(skb);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}

/**
 * srcroute_route_input() - route a datagram as if it were for an address (H2)
 * @p: the datagram
 * @daddr: the address, in place of the destination
 *
 * Checks its source, too, where there is a route.
 *
 * Context: RCU read side, which the route is not to leave.
 * Return: 0, with a route on @p->skb, which may be one that says why there is none;
 *	   -ENOBUFS for want of memory, another negative error if the source fails.
 */
static inline int srcroute_route_input(const struct srcroute_packet *p,
				       __be32 daddr)
{
	const struct iphdr *iph = p->h.iph;

	if (unlikely(p->metadata))
		srcroute_metadata_show(p);
	return srcroute_ip_route_input(p->skb, daddr, iph->saddr, iph->tos,
				       p->in);
}

/**
 * srcroute_read() - read an address of an option
 * @octets: four octets in wire order, at any alignment
 *
 * Return: the address, in network byte order.
 */
static inline __be32 srcroute_read(const u8 *octets)
{
	__be32 addr;

	memcpy(&addr, octets, sizeof(addr));
	return addr;
}

#endif /* _SRCROUTE_DATAPATH_H */
