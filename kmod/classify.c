// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which datagrams are ours, and by which interface they came in (O1, O4 to O6): VRF,
 * receive handlers, bridges. What is asked of every source route is in classify.h.
 */
#include <linux/netfilter_bridge.h>
#include <net/l3mdev.h>

#include "classify.h"

/*
 * Has SRv6 brought a datagram with options into a VRF (End.DT4, End.DT46)? SRv6 sets
 * the transport offset as if there were no options, whereas ip_rcv_core() sets it
 * behind them. So nothing may change the offset before the last hook has read it.
 *
 * If an NFQUEUE verdict has added options on the pass of the enslaved interface, the
 * datagram looks the same, and is treated as one that SRv6 has brought.
 */
static bool is_by_srv6(const struct sk_buff *skb)
{
	return skb_transport_offset(skb) == sizeof(struct iphdr);
}

/**
 * srcroute_receiving_dev() - the interface that a datagram in a VRF came in by (O1)
 * @skb: the datagram, on its pass on the master
 *
 * The enslaved interface counts, also here. By SRv6 a datagram comes to the master
 * from outside the VRF, or from a link of it on which no hook has seen it. The kernel
 * then routes it as received by the master, and so the master itself counts. So it does
 * if the enslaved interface has gone while a queue held the datagram.
 *
 * Context: RCU read side.
 * Return: the interface.
 */
struct net_device *srcroute_receiving_dev(const struct sk_buff *skb)
{
	struct net_device *dev;

	if (is_by_srv6(skb))
		return skb->dev;
	dev = dev_get_by_index_rcu(dev_net(skb->dev), IPCB(skb)->iif);
	if (dev && l3mdev_master_ifindex_rcu(dev) == skb->dev->ifindex)
		return dev;
	return skb->dev;
}

/**
 * srcroute_is_for_rx_handler() - is a datagram for the other end of its device? (O1)
 * @p: the datagram; its device has a handler that runs after PRE_ROUTING
 *
 * A datagram that is not for the namespace itself belongs to a container, as with
 * ipvlan in mode l3s.
 *
 * Context: RCU read side.
 * Return: true if it is.
 */
bool srcroute_is_for_rx_handler(const struct srcroute_packet *p)
{
	return !srcroute_addr_is_local(p->net, p->in, p->h.iph->daddr);
}

/**
 * srcroute_is_bridged() - does br_netfilter have the first look at a datagram? (O5)
 * @skb: a datagram that br_netfilter has seen
 *
 * What a bridge hands up, br_netfilter keeps from the hooks, which have seen it as a
 * frame; but not under VRF. A bridge of another namespace does not matter: a macvlan on
 * it may be here.
 *
 * Context: RCU read side.
 * Return: true if it is a frame that is being bridged, or has been one.
 */
bool srcroute_is_bridged(const struct sk_buff *skb)
{
	const struct net_device *port;

	if (nf_bridge_in_prerouting(skb))
		return true;
	if (!netif_is_l3_master(skb->dev) && !netif_is_l3_slave(skb->dev))
		return false;
	port = dev_get_by_index_rcu(dev_net(skb->dev), srcroute_bridge_port(skb));
	return port && netif_is_bridge_port(port);
}

/**
 * srcroute_log_bridge() - say that what is bridged is left to the kernel (O5)
 * @sn: the namespace
 *
 * Once in a namespace: it is no fault, and may go on as long as the router.
 *
 * Context: any.
 */
void srcroute_log_bridge(struct srcroute_net *sn)
{
	if (READ_ONCE(sn->bridge_logged) || !srcroute_may_log(sn))
		return;
	WRITE_ONCE(sn->bridge_logged, true);
	pr_notice("srcroute: source routes that come in over a bridge are left to the kernel while bridge-nf-call-iptables is on\n");
}
