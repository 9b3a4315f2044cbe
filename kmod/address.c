// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses: which are local, which can be that of a host.
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
