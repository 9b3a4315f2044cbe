// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which datagrams are ours, and by which interface they came in (O1, O4 to O6).
 */
#include <linux/netfilter_bridge.h>
#include <net/dst_metadata.h>
#include <net/l3mdev.h>

#include "datapath.h"

/*
 * A datagram that has a route already is not ours: output has looped it, IPsec in
 * transport mode has put it back, SRv6 has decided where it goes. The route may be
 * one of IPv6 (End.DX4), so it is never looked into.
 */
static bool is_from_the_wire(const struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST && !skb_valid_dst(skb) &&
	       !(skb->dev->flags & IFF_LOOPBACK);
}

/*
 * Has SRv6 brought a datagram with options into a VRF (End.DT4, End.DT46)? It takes
 * it for granted that there are none, whereas ip_rcv_core() notes where transport
 * begins. So the header must not be noted before the last hook has asked.
 *
 * What a queue has given options on the pass of the enslaved interface looks the
 * same, and is taken for the VRF's.
 */
static bool is_by_srv6(const struct sk_buff *skb)
{
	return skb_transport_offset(skb) == sizeof(struct iphdr);
}

/*
 * The interface that a datagram came in by (O1).
 *
 * Under VRF the enslaved interface counts, also on the pass on its master. By
 * SRv6 a datagram comes to the master from outside the VRF, or from a link of it
 * on which no hook has seen it. The kernel then routes it as received by the
 * master, and so the master itself counts. So it does if the enslaved interface
 * has gone while a queue held the datagram.
 */
static struct net_device *receiving_dev(const struct sk_buff *skb)
{
	struct net_device *dev;

	if (likely(!netif_is_l3_master(skb->dev)) || is_by_srv6(skb))
		return skb->dev;
	dev = dev_get_by_index_rcu(dev_net(skb->dev), IPCB(skb)->iif);
	if (dev && l3mdev_master_ifindex_rcu(dev) == skb->dev->ifindex)
		return dev;
	return skb->dev;
}

/*
 * What is not for the namespace itself belongs to the other end of the device: a
 * container, as with ipvlan in mode l3s, whose handler runs after PRE_ROUTING.
 */
static bool is_for_rx_handler(const struct srcroute_packet *p)
{
	return unlikely(netif_has_l3_rx_handler(p->skb->dev)) &&
	       !srcroute_addr_is_local(p->net, p->in, p->h.iph->daddr);
}

/* Once in a namespace: it is no fault, and may go on as long as the router. */
static void log_bridge(struct srcroute_net *sn)
{
	if (READ_ONCE(sn->bridge_logged) || !srcroute_may_log(sn))
		return;
	WRITE_ONCE(sn->bridge_logged, true);
	pr_notice("srcroute: source routes that come in over a bridge are left to the kernel while bridge-nf-call-iptables is on\n");
}

/**
 * srcroute_classify() - is a datagram ours? (O1, O4, O5, O6)
 * @p: filled in if it is
 * @sn: the namespace
 * @skb: any datagram in PRE_ROUTING; its header may be moved
 *
 * Context: RCU read side.
 * Return: true if it came from a device, carries a source route, and the
 *	   interface has lsrr or ssrr, whichever it is, not at 0.
 */
bool srcroute_classify(struct srcroute_packet *p, struct srcroute_net *sn,
		       struct sk_buff *skb)
{
	enum srcroute_conf_key key;

	if (!is_from_the_wire(skb) || !srcroute_header_read(skb, &p->h))
		return false;

	p->verdict = srr_parse(p->h.options, p->h.options_len, &p->srr);
	if (p->verdict == SRR_NONE)
		return false;

	p->skb = skb;
	p->net = sn->net;
	p->sn = sn;
	p->in = receiving_dev(skb);
	p->iface = srcroute_iface_get(sn, p->in);
	if (!p->iface)
		return false;

	key = p->srr.type == SRR_SSRR ? SRCROUTE_CONF_SSRR : SRCROUTE_CONF_LSRR;
	p->action = READ_ONCE(p->iface->conf.value[key]);
	if (p->action == SRCROUTE_OFF || is_for_rx_handler(p))
		return false;

	/*
	 * A frame that is being bridged. If it turns out to be for us, br_netfilter
	 * keeps it from the hooks that come later, so it would be half processed (O5).
	 */
	if (nf_bridge_in_prerouting(skb)) {
		log_bridge(sn);
		return false;
	}
	return true;
}
