// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses: which are local, which can be that of a host, which one is recorded.
 */
#include <linux/inetdevice.h>
#include <net/l3mdev.h>
#include <net/route.h>

#include "datapath.h"

/**
 * srcroute_addr_is_local() - is an address one of the router's?
 * @net: the namespace
 * @dev: an interface of the VRF in question, or of none
 * @addr: the address
 *
 * The local table says so, or the table of the VRF. Rules have no say.
 *
 * Context: RCU read side.
 * Return: true if it is one of ours; never for 127/8.
 */
bool srcroute_addr_is_local(struct net *net, const struct net_device *dev,
			    __be32 addr)
{
	return !ipv4_is_loopback(addr) &&
	       inet_addr_type_dev_table(net, dev, addr) == RTN_LOCAL;
}

/**
 * srcroute_addr_is_local_anywhere() - srcroute_addr_is_local() in any VRF of the namespace
 * @net: the namespace
 * @addr: the address
 *
 * Context: RCU read side.
 * Return: true if it is one of ours.
 */
bool srcroute_addr_is_local_anywhere(struct net *net, __be32 addr)
{
	const struct net_device *dev = __ip_dev_find(net, addr, false);

	return dev && srcroute_addr_is_local(net, dev, addr);
}

/**
 * srcroute_addr_is_unicast_host() - may an ICMP error be sent to an address? (I1)
 * @net: the namespace
 * @dev: an interface of the VRF in question, or of none
 * @addr: the address
 *
 * Context: RCU read side.
 * Return: false if it cannot be that of a host or is a broadcast address.
 */
bool srcroute_addr_is_unicast_host(struct net *net,
				   const struct net_device *dev, __be32 addr)
{
	return srcroute_addr_is_unicast(addr) &&
	       inet_addr_type_dev_table(net, dev, addr) != RTN_BROADCAST;
}

/* The kernel's list has all primary addresses before the secondary ones. */
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

	if (id && srcroute_addr_is_local_anywhere(sn->net, id))
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
