// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which datagrams are ours, and the first hook of PRE_ROUTING, which keeps
 * them from connection tracking and reassembly (O1, O5, C2, H10).
 */
#include <linux/netfilter_bridge.h>
#include <net/dst_metadata.h>
#include <net/l3mdev.h>
#include <net/netfilter/nf_conntrack.h>

#include "srcroute.h"

/* Locally looped datagrams arrive with the route that output gave them. */
static bool is_from_the_wire(const struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST && !skb_valid_dst(skb) &&
	       !(skb->dev->flags & IFF_LOOPBACK);
}

/**
 * srcroute_receiving_dev() - the interface that a datagram came in by (O1)
 * @skb: the datagram, in PRE_ROUTING or FORWARD
 *
 * Under VRF the enslaved interface counts, also on the pass on its master. By
 * SRv6 a datagram comes to the master from an interface outside the VRF, whose
 * settings say nothing about the VRF: then the master itself counts. So it does
 * if the enslaved interface has gone while a queue held the datagram.
 *
 * Context: RCU read side.
 * Return: never NULL.
 */
struct net_device *srcroute_receiving_dev(const struct sk_buff *skb)
{
	struct net_device *dev;

	if (likely(!netif_is_l3_master(skb->dev)))
		return skb->dev;
	dev = dev_get_by_index_rcu(dev_net(skb->dev), IPCB(skb)->iif);
	if (dev && l3mdev_master_ifindex_rcu(dev) == skb->dev->ifindex)
		return dev;
	return skb->dev;
}

/* Once in a namespace: it is no fault, and may go on as long as the router. */
static void tell_of_bridge(struct srcroute_net *sn)
{
	if (READ_ONCE(sn->bridge_told) || !srcroute_may_log(sn))
		return;
	WRITE_ONCE(sn->bridge_told, true);
	pr_notice("srcroute: source routes that come in over a bridge are left to the kernel while bridge-nf-call-iptables is on\n");
}

/**
 * srcroute_recognise() - is this datagram ours? (O1, O4, O5, O6)
 * @p: filled in if it is
 * @sn: the namespace
 * @skb: any datagram in PRE_ROUTING; its header may be moved
 *
 * Context: RCU read side.
 * Return: true if it came from a device, carries a source route, and the
 *	   interface has lsrr or ssrr, whichever it is, not at 0.
 */
bool srcroute_recognise(struct srcroute_packet *p, struct srcroute_net *sn,
			struct sk_buff *skb)
{
	enum srcroute_key key;

	if (!is_from_the_wire(skb) || !srcroute_header_read(skb, &p->h))
		return false;

	p->verdict = srr_find(p->h.area, p->h.area_len, &p->srr);
	if (p->verdict == SRR_NONE)
		return false;

	p->skb = skb;
	p->net = sn->net;
	p->sn = sn;
	p->in = srcroute_receiving_dev(skb);
	p->iface = srcroute_iface_get(sn, p->in);
	if (!p->iface)
		return false;

	key = p->srr.type == SRR_SSRR ? SRCROUTE_SSRR : SRCROUTE_LSRR;
	p->action = READ_ONCE(p->iface->policy.value[key]);
	if (p->action == SRCROUTE_OFF)
		return false;

	/*
	 * A frame that is being bridged. If it turns out to be for us, br_netfilter
	 * keeps it from the hooks behind it, so it would be half processed (O5).
	 */
	if (nf_bridge_in_prerouting(skb)) {
		tell_of_bridge(sn);
		return false;
	}
	return true;
}

/*
 * If only our two hooks are in PRE_ROUTING, nothing tracks or reassembles, so a
 * second walk through the options can be saved: 280 instructions of a hit, 6 %
 * (`make bench`). An array without hooks is what is left while ours are taken
 * out.
 *
 * There is no function to ask, but the array and its lock are no secret of the
 * kernel's: nf_hook(), which every module that calls a hook compiles into itself
 * from <linux/netfilter.h>, reads it in the same way. A number that is out of
 * date costs nothing: whoever registers a hook has no claim on the datagrams
 * that are at ours already.
 */
static bool is_anyone_else(const struct net *net)
{
	const struct nf_hook_entries *entries =
		rcu_dereference(net->nf.hooks_ipv4[NF_INET_PRE_ROUTING]);

	return entries && entries->num_hook_entries > 2;
}

static noinline unsigned int claim(struct srcroute_net *sn, struct sk_buff *skb)
{
	struct srcroute_packet p __uninitialized;

	if (!srcroute_recognise(&p, sn, skb))
		return NF_ACCEPT;
	if (p.verdict != SRR_VALID || !srr_is_complete(&p.srr))
		nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	return NF_ACCEPT;
}

/**
 * srcroute_claim() - hook: mark owned datagrams as untracked
 * @priv: the struct srcroute_net of the namespace
 * @skb: a datagram in PRE_ROUTING, before defragmentation
 * @state: the hook
 *
 * The transport checksum of a datagram that has addresses to go covers the
 * last of them, so conntrack would call it invalid (C2). What is untracked is
 * not reassembled either (H10). A complete one is tracked as usual.
 *
 * Context: softirq, or process context after an NFQUEUE verdict; RCU read side.
 * Return: NF_ACCEPT.
 */
unsigned int srcroute_claim(void *priv, struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	if (likely(srcroute_is_plain(skb)) || !is_anyone_else(state->net) ||
	    skb_nfct(skb) || !srcroute_may_have_route(skb))
		return NF_ACCEPT;
	return claim(priv, skb);
}
