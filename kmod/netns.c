// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network namespaces: what is kept for each from its creation to its removal.
 */
#include <linux/slab.h>

#include "control.h"

/*
 * Only a pointer is in the memory that the kernel allocates for each namespace: that
 * memory is charged to no cgroup, and a user may create any number of namespaces.
 */
static struct srcroute_net **place(const struct net *net)
{
	return net_generic(net, srcroute_net_id);
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
	ratelimit_default_init(&sn->log);
	srcroute_hooks_init(sn);
	srcroute_conf_init(sn);

	err = srcroute_proc_init(net);
	if (err)
		goto no_proc;
	err = srcroute_sysctl_init(sn);
	if (err)
		goto no_sysctl;
	return 0;

no_sysctl:
	srcroute_proc_exit(net);
no_proc:
	kfree(sn);
	return err;
}

/* From here on, a write through a file that is still open registers no hook. */
static void __net_exit netns_pre_exit(struct net *net)
{
	struct srcroute_net *sn = srcroute_net(net);

	mutex_lock(&sn->lock);
	srcroute_hooks_unregister(sn);
	sn->exiting = true;
	mutex_unlock(&sn->lock);
}

/*
 * The kernel waits for a grace period between pre_exit and exit, so no datagram
 * is at a hook any more (C3).
 */
static void __net_exit netns_exit(struct net *net)
{
	struct srcroute_net *sn = srcroute_net(net);

	srcroute_sysctl_exit(sn);
	srcroute_proc_exit(net);
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
 * Context: process context, after srcroute_netdev_exit().
 */
void srcroute_netns_exit(void)
{
	unregister_pernet_subsys(&netns_ops);
}
