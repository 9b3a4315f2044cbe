// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hooks that do nothing, in the places where srcroute has its own: what they
 * cost is the floor that `make bench` compares with.
 */
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>

static unsigned int accept(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

static const struct nf_hook_ops hooks[] = {
	{
		.hook = accept,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_RAW_BEFORE_DEFRAG,
	},
	{
		.hook = accept,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_LAST,
	},
	{
		.hook = accept,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_FIRST,
	},
};

static int __net_init emptyhooks_net_init(struct net *net)
{
	return nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

static void __net_exit emptyhooks_net_exit(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

static struct pernet_operations emptyhooks_net_ops = {
	.init = emptyhooks_net_init,
	.exit = emptyhooks_net_exit,
};

static int __init emptyhooks_init(void)
{
	return register_pernet_subsys(&emptyhooks_net_ops);
}

static void __exit emptyhooks_exit(void)
{
	unregister_pernet_subsys(&emptyhooks_net_ops);
}

module_init(emptyhooks_init);
module_exit(emptyhooks_exit);
MODULE_DESCRIPTION("Netfilter hooks that do nothing, for measuring");
MODULE_LICENSE("GPL");
