// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netfilter hooks of a namespace. They are registered while a setting needs
 * them, so that a namespace that does not use the module pays nothing.
 */
#include <linux/netfilter_ipv4.h>

#include "datapath.h"

/*
 * The priorities let every other chain see a datagram, in PRE_ROUTING as it
 * arrived, from FORWARD on as it leaves (C1).
 *
 * A rule of raw that sets a zone takes back that a datagram is untracked. In
 * LOCAL_OUT ours therefore comes between raw and conntrack (C4). In PRE_ROUTING it
 * cannot, since reassembly comes before raw (H10).
 */
static const struct nf_hook_ops hooks[] = {
	/* registered first: before there is anything to raise errors about */
	{
		.hook = srcroute_hook_local_out,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_CONNTRACK - 1,
	},
	{
		.hook = srcroute_hook_pre_routing_first,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_RAW_BEFORE_DEFRAG,
	},
	{
		.hook = srcroute_hook_pre_routing_last,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_LAST,
	},
};

/**
 * srcroute_hooks_init() - prepare the hooks of a new namespace
 * @sn: the namespace, which is the private data of its hooks
 */
void srcroute_hooks_init(struct srcroute_net *sn)
{
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(hooks) != ARRAY_SIZE(sn->hooks));
	memcpy(sn->hooks, hooks, sizeof(hooks));
	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		sn->hooks[i].priv = sn;
}

/**
 * srcroute_hooks_register() - register the hooks of a namespace
 * @sn: the namespace; its hooks may be registered already
 *
 * Context: process context, srcroute_net.lock held.
 * Return: 0, -ENODEV if the namespace is being removed, or a negative error.
 */
int srcroute_hooks_register(struct srcroute_net *sn)
{
	int err;

	if (sn->exiting)
		return -ENODEV;
	if (sn->hooks_registered)
		return 0;

	err = nf_register_net_hooks(sn->net, sn->hooks, ARRAY_SIZE(sn->hooks));
	if (err)
		return err;
	sn->hooks_registered = true;
	return 0;
}

/**
 * srcroute_hooks_unregister() - take out the hooks of a namespace
 * @sn: the namespace; its hooks need not be registered
 *
 * The kernel then drops what NFQUEUEs of the namespace hold.
 *
 * Context: process context, srcroute_net.lock held.
 */
void srcroute_hooks_unregister(struct srcroute_net *sn)
{
	if (!sn->hooks_registered)
		return;
	nf_unregister_net_hooks(sn->net, sn->hooks, ARRAY_SIZE(sn->hooks));
	sn->hooks_registered = false;
}
