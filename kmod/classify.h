/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which datagrams are ours, and by which interface they came in (O1, O4 to O6): what
 * is asked of every source route. The rest is in classify.c.
 */
#ifndef _SRCROUTE_CLASSIFY_H
#define _SRCROUTE_CLASSIFY_H

#include <net/dst_metadata.h>
#include <net/l3mdev.h>

#include "datapath.h"

struct net_device *srcroute_receiving_dev(const struct sk_buff *skb);
bool srcroute_is_for_rx_handler(const struct srcroute_packet *p);
bool srcroute_is_bridged(const struct sk_buff *skb);
void srcroute_log_bridge(struct srcroute_net *sn);

/**
 * srcroute_is_from_the_wire() - has a device just received a datagram? (O1)
 * @skb: any datagram in PRE_ROUTING
 *
 * One that has a route already is not ours: output has looped it, IPsec in transport
 * mode has put it back, SRv6 has decided where it goes. The route may be one of IPv6
 * (End.DX4), so it is never looked into.
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool srcroute_is_from_the_wire(const struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST && !skb_valid_dst(skb) &&
	       !(skb->dev->flags & IFF_LOOPBACK);
}

/**
 * srcroute_classify() - is a datagram ours? (O1, O4, O5, O6)
 * @p: filled in if it is
 * @sn: the namespace
 * @skb: any datagram in PRE_ROUTING; its header may be moved
 *
 * Inline: a call of its own costs a hit some 20 instructions (docs/cost.md).
 *
 * Context: RCU read side.
 * Return: true if it came from a device, carries a source route, and the
 *	   interface has lsrr or ssrr, whichever it is, not at 0.
 */
static inline bool srcroute_classify(struct srcroute_packet *p,
				     struct srcroute_net *sn,
				     struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	enum srcroute_conf_key key;

	if (!srcroute_is_from_the_wire(skb) ||
	    !srcroute_header_read(skb, &p->h))
		return false;

	p->verdict = srr_parse(p->h.options, p->h.options_len, &p->srr);
	if (p->verdict == SRR_NONE)
		return false;

	p->skb = skb;
	p->net = sn->net;
	p->sn = sn;
	p->in = likely(!netif_is_l3_master(dev)) ? dev :
						   srcroute_receiving_dev(skb);
	p->iface = srcroute_iface_get(sn, p->in);
	if (!p->iface)
		return false;

	key = p->srr.type == SRR_SSRR ? SRCROUTE_CONF_SSRR : SRCROUTE_CONF_LSRR;
	p->action = READ_ONCE(p->iface->conf.value[key]);
	if (p->action == SRCROUTE_OFF)
		return false;
	if (unlikely(netif_has_l3_rx_handler(dev)) &&
	    srcroute_is_for_rx_handler(p))
		return false;

	/*
	 * A frame that is being bridged. If it turns out to be for us, br_netfilter
	 * keeps it from the hooks that come later, so it would be half processed (O5).
	 */
	if (unlikely(srcroute_bridge_port(skb)) && srcroute_is_bridged(skb)) {
		srcroute_log_bridge(sn);
		return false;
	}
	return true;
}

#endif /* _SRCROUTE_CLASSIFY_H */
