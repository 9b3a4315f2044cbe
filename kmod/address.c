// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses and links: which are ours, which one is recorded, what is adjacent.
 */
#include <linux/inetdevice.h>
#include <linux/rtnetlink.h>
#include <net/inet_ecn.h>
#include <net/ip_fib.h>
#include <net/l3mdev.h>
#include <net/route.h>

#include "srcroute.h"

/* The bits of the TOS octet that a route may ask for. */
#define ROUTE_TOS	(IPTOS_TOS_MASK & ~INET_ECN_MASK)

/**
 * srcroute_is_own() - is an address delivered locally?
 * @net: the namespace
 * @dev: an interface of the VRF in question, or of none
 * @addr: the address
 *
 * Context: RCU read side.
 * Return: true if it is one of ours; never for 127/8.
 */
bool srcroute_is_own(struct net *net, const struct net_device *dev, __be32 addr)
{
	return !ipv4_is_loopback(addr) &&
	       inet_addr_type_dev_table(net, dev, addr) == RTN_LOCAL;
}

/**
 * srcroute_is_own_anywhere() - srcroute_is_own() in any VRF of the namespace
 * @net: the namespace
 * @addr: the address
 *
 * Context: RCU read side.
 * Return: true if it is one of ours.
 */
bool srcroute_is_own_anywhere(struct net *net, __be32 addr)
{
	const struct net_device *dev = __ip_dev_find(net, addr, false);

	return dev && srcroute_is_own(net, dev, addr);
}

/**
 * srcroute_is_one_host() - may an ICMP error be sent to an address? (I1)
 * @net: the namespace
 * @dev: an interface of the VRF in question, or of none
 * @addr: the address
 *
 * Context: RCU read side.
 * Return: false if it cannot be that of a host or is a broadcast address.
 */
bool srcroute_is_one_host(struct net *net, const struct net_device *dev,
			  __be32 addr)
{
	return srcroute_is_host(addr) &&
	       inet_addr_type_dev_table(net, dev, addr) != RTN_BROADCAST;
}

static bool is_on_link(const struct net_device *dev, __be32 addr)
{
	const struct in_device *in_dev = __in_dev_get_rcu(dev);
	const struct in_ifaddr *ifa;

	if (!in_dev)
		return false;
	/* Where there is a peer, its address is what the prefix belongs to. */
	in_dev_for_each_ifa_rcu(ifa, in_dev)
		if (inet_ifa_match(addr, ifa))
			return true;
	return false;
}

/* What routing finds for a datagram without looking at its source. */
static int look_up(const struct srcroute_packet *p, __be32 daddr,
		   struct fib_result *res)
{
	const struct iphdr *iph = p->h.iph;
	struct flowi4 fl4 = {
		.flowi4_iif = p->in->ifindex,
		.flowi4_mark = p->skb->mark,
		.flowi4_tos = iph->tos & ROUTE_TOS,
		.daddr = daddr,
		.saddr = iph->saddr,
	};

	return fib_lookup(p->net, &fl4, res, 0);
}

static bool has_host_route(const struct srcroute_packet *p,
			   const struct net_device *out, __be32 addr)
{
	struct fib_result res;

	return !look_up(p, addr, &res) && res.prefixlen == 32 &&
	       fib_info_nh_uses_dev(res.fi, out);
}

/**
 * srcroute_is_transit() - would a datagram be transit but for its source?
 * @p: a datagram that routing has refused
 *
 * Context: RCU read side.
 * Return: true if its destination routes as unicast and may be forwarded.
 */
bool srcroute_is_transit(const struct srcroute_packet *p)
{
	struct in_device *in_dev = __in_dev_get_rcu(p->in);
	struct fib_result res;

	return in_dev && IN_DEV_FORWARD(in_dev) &&
	       !look_up(p, p->h.iph->daddr, &res) &&
	       res.type == RTN_UNICAST;
}

/**
 * srcroute_is_adjacent() - does a strict route lead to the next address? (H5)
 * @p: the datagram, routed to @next
 * @next: the address
 *
 * A route without a gateway is not enough: a default route may be one.
 *
 * Context: RCU read side.
 * Return: true if @next is on the link that the datagram leaves by.
 */
bool srcroute_is_adjacent(const struct srcroute_packet *p, __be32 next)
{
	const struct rtable *rt = skb_rtable(p->skb);

	if (rt->rt_uses_gateway)
		return false;
	return is_on_link(rt->dst.dev, next) ||
	       has_host_route(p, rt->dst.dev, next);
}

/* The kernel keeps secondary addresses behind all primary ones. */
static __be32 primary_address(const struct net_device *dev, __be32 neighbour)
{
	const struct in_device *in_dev = __in_dev_get_rcu(dev);
	const struct in_ifaddr *ifa;
	__be32 first = 0;

	if (!in_dev)
		return 0;
	in_dev_for_each_ifa_rcu(ifa, in_dev) {
		if (inet_ifa_match(neighbour, ifa))
			return ifa->ifa_local;
		if (!first)
			first = ifa->ifa_local;
	}
	return first;
}

static __be32 unnumbered_address(struct srcroute_net *sn,
				 const struct net_device *dev)
{
	__be32 id = READ_ONCE(sn->router_id);

	if (id && srcroute_is_own_anywhere(sn->net, id))
		return id;
	return inet_select_addr(dev, 0, RT_SCOPE_UNIVERSE);
}

/**
 * srcroute_egress_address() - the address to record (H7)
 * @sn: the namespace
 * @rt: the route that the datagram leaves by
 * @next: where it goes
 * @arrival: the destination that it arrived with
 *
 * Context: RCU read side.
 * Return: the primary address of the interface whose prefix holds the gateway
 *	   or @next, else its first primary one; without any, router_id, a
 *	   global address of the namespace or VRF, or @arrival.
 */
__be32 srcroute_egress_address(struct srcroute_net *sn, const struct rtable *rt,
			       __be32 next, __be32 arrival)
{
	const struct net_device *dev = rt->dst.dev;
	__be32 addr;

	if (rt->rt_gw_family == AF_INET)
		next = rt->rt_gw4;
	addr = primary_address(dev, next);
	if (likely(addr))
		return addr;
	addr = unnumbered_address(sn, dev);
	return addr ? addr : arrival;
}
