// SPDX-License-Identifier: GPL-2.0-only
/*
 * The route of a datagram to any address: what the kernel's routing says of it, as
 * of a datagram that had the address as its destination (H2, H5).
 */
#include <linux/inetdevice.h>
#include <net/dst_metadata.h>
#include <net/ip_fib.h>
#include <net/ip_tunnels.h>
#include <net/l3mdev.h>
#include <net/route.h>

#include "compat.h"
#include "datapath.h"

/**
 * srcroute_metadata_take() - keep the metadata of a tunnel from our look-ups
 * @p: the datagram, which has metadata in place of a route
 *
 * A route would take their place. Our look-ups are to see them, each of them, and so is
 * the kernel if it is handed the datagram back.
 *
 * Context: RCU read side. The caller owns @p->metadata, as of _skb_refdst.
 */
void srcroute_metadata_take(struct srcroute_packet *p)
{
	const struct ip_tunnel_info *info = skb_tunnel_info(p->skb);

	p->tun_id = info && !(info->mode & IP_TUNNEL_INFO_TX) ?
		    info->key.tun_id : 0;
	p->metadata = p->skb->_skb_refdst;
	p->skb->_skb_refdst = 0;
}

/**
 * srcroute_metadata_show() - let the next look-up see the metadata of a tunnel
 * @p: the datagram, which has them; a route that it has goes
 *
 * Context: RCU read side.
 */
void srcroute_metadata_show(const struct srcroute_packet *p)
{
	skb_dst_drop(p->skb);
	p->skb->_skb_refdst = p->metadata | SKB_DST_NOREF;
}

/*
 * The kernel's own look-up for forwarding, again, for what a route does not tell:
 * every selector of a rule must see what ip_route_input_slow() shows it.
 */
static int look_up(const struct srcroute_packet *p, __be32 daddr,
		   struct fib_result *res)
{
	const struct iphdr *iph = p->h.iph;
	struct flow_keys keys;
	struct flowi4 fl4 = {
		.flowi4_iif = p->in->ifindex,
		.flowi4_mark = p->skb->mark,
		.flowi4_scope = RT_SCOPE_UNIVERSE,
		.flowi4_uid = sock_net_uid(p->net, NULL),
		.flowi4_tun_key.tun_id = p->metadata ? p->tun_id : 0,
		.daddr = daddr,
		.saddr = iph->saddr,
	};

	srcroute_flow_set_tos(&fl4, iph->tos);
	fib4_rules_early_flow_dissect(p->net, p->skb, &fl4, &keys);
	return fib_lookup(p->net, &fl4, res, 0);
}

/**
 * srcroute_route_is_transit() - would a datagram be forwarded but for its source? (T)
 * @p: a datagram that srcroute_route_input() has refused
 * @daddr: the address that it was routed to
 *
 * Context: RCU read side.
 * Return: true if it would, or if its source would be told that there is no route.
 */
bool srcroute_route_is_transit(const struct srcroute_packet *p, __be32 daddr)
{
	struct in_device *in_dev = __in_dev_get_rcu(p->in);
	struct fib_result res;

	return in_dev && IN_DEV_FORWARD(in_dev) &&
	       (look_up(p, daddr, &res) || res.type == RTN_UNICAST);
}

/**
 * srcroute_has_host_route() - does a route lead to one address alone? (H5)
 * @p: the datagram
 * @addr: the address
 *
 * Context: RCU read side.
 * Return: true if the route to @addr is to no other address.
 */
bool srcroute_has_host_route(const struct srcroute_packet *p, __be32 addr)
{
	struct fib_result res;

	return !look_up(p, addr, &res) && res.prefixlen == 32;
}

/**
 * srcroute_route_error_is_local() - would an ICMP error come back to ourselves? (I3)
 * @p: the datagram that it is about, which has a route
 * @outcome: why the datagram is refused
 * @daddr: the destination of the error, not one of our addresses
 *
 * Rules may lead it to us all the same: as the kernel sets them up, they ask the local
 * table before that of a VRF. The flow is that of __icmp_send(), but that
 * icmp_errors_use_inbound_ifaddr is taken as off.
 *
 * Context: RCU read side.
 * Return: true if it would.
 */
bool srcroute_route_error_is_local(const struct srcroute_packet *p,
				   enum srcroute_outcome outcome, __be32 daddr)
{
	const struct iphdr *iph = p->h.iph;
	struct fib_result res;
	struct flowi4 fl4 = {
		.flowi4_iif = LOOPBACK_IFINDEX,
		.flowi4_oif = l3mdev_master_ifindex_rcu(p->in),
		.flowi4_mark = IP4_REPLY_MARK(p->net, p->skb->mark),
		.flowi4_scope = RT_SCOPE_UNIVERSE,
		.flowi4_proto = IPPROTO_ICMP,
		.flowi4_uid = sock_net_uid(p->net, NULL),
		.fl4_icmp_type = srcroute_outcomes[outcome].icmp_type,
		.fl4_icmp_code = srcroute_outcomes[outcome].icmp_code,
		.daddr = daddr,
	};

	if (skb_rtable(p->skb)->rt_flags & RTCF_LOCAL)
		fl4.saddr = iph->daddr;
	srcroute_flow_set_tos(&fl4, (iph->tos & IPTOS_TOS_MASK) |
				    IPTOS_PREC_INTERNETCONTROL);
	return !fib_lookup(p->net, &fl4, &res, 0) && res.type == RTN_LOCAL;
}
