// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floor for a hit: LSRR as the only option, forwarded and recorded by hooks
 * in the places where srcroute has its own, but without a single check, setting
 * or counter. For measuring alone: a datagram can do as it likes with this.
 */
#include <linux/bottom_half.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <net/ip.h>
#include <net/route.h>

static unsigned int accept(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

static unsigned int forward(void *priv, struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	struct iphdr *iph = ip_hdr(skb);
	u8 *option = (u8 *)(iph + 1);
	__be32 next;

	if (likely(iph->ihl == 5))
		return NF_ACCEPT;
	memcpy(&next, option + option[2] - 1, sizeof(next));
	if (ip_route_input_noref(skb, next, iph->saddr, iph->tos, skb->dev))
		return NF_DROP;
	memcpy(option + option[2] - 1, &iph->daddr, sizeof(iph->daddr));
	option[2] += 4;
	iph->daddr = next;
	ip_send_check(iph);
	local_bh_disable();
	dst_input(skb);
	local_bh_enable();
	return NF_STOLEN;
}

static const struct nf_hook_ops hooks[] = {
	{
		.hook = accept,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_RAW_BEFORE_DEFRAG,
	},
	{
		.hook = forward,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_LAST,
	},
};

static int __net_init barehits_net_init(struct net *net)
{
	return nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

static void __net_exit barehits_net_exit(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

static struct pernet_operations barehits_net_ops = {
	.init = barehits_net_init,
	.exit = barehits_net_exit,
};

static int __init barehits_init(void)
{
	return register_pernet_subsys(&barehits_net_ops);
}

static void __exit barehits_exit(void)
{
	unregister_pernet_subsys(&barehits_net_ops);
}

module_init(barehits_init);
module_exit(barehits_exit);
MODULE_DESCRIPTION("Source routes forwarded without a check, for measuring");
MODULE_LICENSE("GPL");
