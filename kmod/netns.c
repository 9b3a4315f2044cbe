// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network namespaces: what one has of srcroute, and when its hooks are in.
 */
#include <linux/netfilter_ipv4.h>
#include <linux/slab.h>
#include <net/netns/generic.h>

#include "srcroute.h"

static unsigned int srcroute_net_id;

/*
 * The priorities let every other chain see a datagram, in PRE_ROUTING as it
 * arrived, from FORWARD on as it leaves (C1).
 */
static const struct nf_hook_ops hooks[] = {
	/* registered first: before there is anything to raise errors about */
	{
		.hook = srcroute_errors,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_FIRST,
	},
	{
		.hook = srcroute_claim,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_RAW_BEFORE_DEFRAG,
	},
	{
		.hook = srcroute_decide,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_LAST,
	},
};

/*
 * Only a pointer is where the kernel would have room for all: what it allocates
 * there is charged to nobody, and a user may make namespaces without number.
 */
static struct srcroute_net **place(const struct net *net)
{
	return net_generic(net, srcroute_net_id);
}

/**
 * srcroute_net() - what we keep for a network namespace
 * @net: the namespace
 *
 * Return: never NULL between srcroute_netns_init() and srcroute_netns_exit().
 */
struct srcroute_net *srcroute_net(const struct net *net)
{
	return *place(net);
}

/**
 * srcroute_hooks_add() - register the hooks of a namespace
 * @sn: the namespace; it may have them already
 *
 * Context: process context, srcroute_net.lock held.
 * Return: 0, -ENODEV if the namespace is on its way out, or a negative error.
 */
int srcroute_hooks_add(struct srcroute_net *sn)
{
	int err;

	if (sn->dying)
		return -ENODEV;
	if (sn->hooked)
		return 0;

	err = nf_register_net_hooks(sn->net, sn->hooks, ARRAY_SIZE(sn->hooks));
	if (err)
		return err;
	sn->hooked = true;
	return 0;
}

static void del_hooks(struct srcroute_net *sn)
{
	nf_unregister_net_hooks(sn->net, sn->hooks, ARRAY_SIZE(sn->hooks));
}

/**
 * srcroute_hooks_del() - take out the hooks of a namespace
 * @sn: the namespace; it may have none
 *
 * Context: process context, srcroute_net.lock held.
 */
void srcroute_hooks_del(struct srcroute_net *sn)
{
	if (!sn->hooked || sn->dying)
		return;
	del_hooks(sn);
	sn->hooked = false;
}

static void init_policy(struct srcroute_policy *policy)
{
	enum srcroute_key key;

	for (key = 0; key < SRCROUTE_KEY_COUNT; key++)
		policy->value[key] = srcroute_keys[key].initial;
}

/* They get at the namespace's data by a pointer of their own. */
static void init_hooks(struct srcroute_net *sn)
{
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(hooks) != ARRAY_SIZE(sn->hooks));
	memcpy(sn->hooks, hooks, sizeof(hooks));
	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		sn->hooks[i].priv = sn;
}

static int __net_init netns_init(struct net *net)
{
	struct srcroute_net *sn = kzalloc(sizeof(*sn), GFP_KERNEL_ACCOUNT);
	int err;

	if (!sn)
		return -ENOMEM;
	*place(net) = sn;
	sn->net = net;
	mutex_init(&sn->lock);
	hash_init(sn->ifaces);
	ratelimit_default_init(&sn->log);
	init_hooks(sn);
	init_policy(&sn->all);
	init_policy(&sn->initial);

	err = srcroute_stats_init(net);
	if (err)
		goto no_stats;
	err = srcroute_sysctl_init(sn);
	if (err)
		goto no_sysctl;
	return 0;

no_sysctl:
	srcroute_stats_exit(net);
no_stats:
	kfree(sn);
	return err;
}

/* A write through a file that someone still holds open comes too late now. */
static void __net_exit netns_pre_exit(struct net *net)
{
	struct srcroute_net *sn = srcroute_net(net);

	mutex_lock(&sn->lock);
	sn->dying = true;
	if (sn->hooked)
		del_hooks(sn);
	mutex_unlock(&sn->lock);
}

/* The kernel has waited for readers: none is at a hook any more (C3). */
static void __net_exit netns_exit(struct net *net)
{
	struct srcroute_net *sn = srcroute_net(net);

	srcroute_sysctl_exit(sn);
	srcroute_stats_exit(net);
	WARN_ON_ONCE(!hash_empty(sn->ifaces));
	kfree(sn);
}

static struct pernet_operations netns_ops = {
	.init = netns_init,
	.pre_exit = netns_pre_exit,
	.exit = netns_exit,
	.id = &srcroute_net_id,
	.size = sizeof(struct srcroute_net *),
};

/**
 * srcroute_netns_init() - set up all namespaces, and those to come
 *
 * Context: process context.
 * Return: 0 or a negative error.
 */
int srcroute_netns_init(void)
{
	return register_pernet_subsys(&netns_ops);
}

/**
 * srcroute_netns_exit() - leave all namespaces
 *
 * Context: process context, after srcroute_interfaces_exit().
 */
void srcroute_netns_exit(void)
{
	unregister_pernet_subsys(&netns_ops);
}
