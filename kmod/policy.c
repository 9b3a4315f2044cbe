// SPDX-License-Identifier: GPL-2.0-only
/*
 * The settings of the interfaces, which follow the interfaces as they appear,
 * vanish, are renamed and move between namespaces.
 */
#include <linux/netdevice.h>
#include <linux/notifier.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "srcroute.h"

const struct srcroute_key_info srcroute_keys[] = {
	[SRCROUTE_LSRR]			= { "lsrr", 3, SRCROUTE_OFF },
	[SRCROUTE_SSRR]			= { "ssrr", 3, SRCROUTE_OFF },
	[SRCROUTE_KEY_NONLOCAL]		= { "nonlocal", 1, 1 },
	[SRCROUTE_KEY_REVISIT]		= { "revisit", 1, 1 },
	[SRCROUTE_KEY_REVERSE_ERRORS]	= { "reverse_errors", 1, 0 },
	[SRCROUTE_KEY_MARK]		= { "mark", U32_MAX, 0 },
};

static bool is_active(const struct srcroute_policy *policy)
{
	return policy->value[SRCROUTE_LSRR] || policy->value[SRCROUTE_SSRR];
}

static void unhook_if_idle(struct srcroute_net *sn)
{
	if (!sn->active)
		srcroute_hooks_del(sn);
}

static void write_iface(struct srcroute_net *sn, struct srcroute_policy *policy,
			enum srcroute_key key, u32 value)
{
	sn->active -= is_active(policy);
	WRITE_ONCE(policy->value[key], value);
	sn->active += is_active(policy);
}

static void write_all(struct srcroute_net *sn, enum srcroute_key key, u32 value)
{
	struct srcroute_iface *iface;
	int bucket;

	WRITE_ONCE(sn->all.value[key], value);
	WRITE_ONCE(sn->initial.value[key], value);
	hash_for_each(sn->ifaces, bucket, iface, node)
		write_iface(sn, &iface->policy, key, value);
}

/**
 * srcroute_policy_write() - change a setting
 * @sn: the namespace
 * @policy: that of an interface, &srcroute_net.all or &srcroute_net.initial
 * @key: the setting
 * @value: its new value, in range
 *
 * Hooks are in place before a value can need them, so a failure changes
 * nothing.
 *
 * Context: process context; takes srcroute_net.lock.
 * Return: 0, -ENOMEM if hooks could not be registered, -ENODEV if the
 *	   namespace is on its way out.
 */
int srcroute_policy_write(struct srcroute_net *sn,
			  struct srcroute_policy *policy,
			  enum srcroute_key key, u32 value)
{
	int err = 0;

	mutex_lock(&sn->lock);
	if ((key == SRCROUTE_LSRR || key == SRCROUTE_SSRR) && value &&
	    policy != &sn->initial)
		err = srcroute_hooks_add(sn);
	if (err)
		goto unlock;

	if (policy == &sn->all)
		write_all(sn, key, value);
	else if (policy == &sn->initial)
		WRITE_ONCE(policy->value[key], value);
	else
		write_iface(sn, policy, key, value);
	unhook_if_idle(sn);
unlock:
	mutex_unlock(&sn->lock);
	return err;
}

static void free_iface(struct srcroute_iface *iface)
{
	free_percpu(iface->cpu);
	kfree(iface);
}

static void free_iface_rcu(struct rcu_head *rcu)
{
	free_iface(container_of(rcu, struct srcroute_iface, rcu));
}

/* Before the code of free_iface_rcu() goes. */
static void wait_for_freeing(void)
{
	rcu_barrier();
}

static struct srcroute_iface *alloc_iface(const struct net_device *dev)
{
	struct srcroute_iface *iface = kzalloc(sizeof(*iface),
					       GFP_KERNEL_ACCOUNT);

	if (!iface)
		return NULL;
	iface->dev = dev;
	iface->cpu = alloc_percpu_gfp(struct srcroute_cpu, GFP_KERNEL_ACCOUNT);
	if (!iface->cpu) {
		kfree(iface);
		return NULL;
	}
	return iface;
}

/* An interface starts with what conf/default says at this moment. */
static int insert_iface(struct srcroute_net *sn, struct srcroute_iface *iface)
{
	int err = 0;

	mutex_lock(&sn->lock);
	memcpy(iface->policy.value, sn->initial.value,
	       sizeof(iface->policy.value));
	if (is_active(&iface->policy)) {
		err = srcroute_hooks_add(sn);
		if (err)
			goto unlock;
		sn->active++;
	}
	hash_add_rcu(sn->ifaces, &iface->node, iface->dev->ifindex);
unlock:
	mutex_unlock(&sn->lock);
	return err;
}

static void remove_iface(struct srcroute_net *sn, struct srcroute_iface *iface)
{
	mutex_lock(&sn->lock);
	hash_del_rcu(&iface->node);
	sn->active -= is_active(&iface->policy);
	unhook_if_idle(sn);
	mutex_unlock(&sn->lock);
	call_rcu(&iface->rcu, free_iface_rcu);
}

/* conf/all and conf/default are taken; the interface keeps its settings. */
static int add_files(struct srcroute_net *sn, struct srcroute_iface *iface,
		     const struct net_device *dev)
{
	if (!sysctl_dev_name_is_allowed(dev->name)) {
		if (srcroute_may_log(sn))
			netdev_warn(dev, "srcroute: no settings under this name\n");
		srcroute_sysctl_del(&iface->policy);
		return 0;
	}
	return srcroute_sysctl_add(sn, &iface->policy, dev->name);
}

static int appear(struct srcroute_net *sn, const struct net_device *dev)
{
	struct srcroute_iface *iface = alloc_iface(dev);
	int err;

	if (!iface)
		return -ENOMEM;
	err = insert_iface(sn, iface);
	if (err) {
		free_iface(iface);
		return err;
	}
	err = add_files(sn, iface, dev);
	if (err)
		remove_iface(sn, iface);
	return err;
}

/*
 * A failure keeps an interface from being registered, but not from moving to
 * another namespace: there, its source routes are the kernel's until somebody
 * writes to a setting, which tries again (srcroute_interfaces_complete()).
 */
static int appear_or_tell(struct srcroute_net *sn, const struct net_device *dev)
{
	int err = appear(sn, dev);

	if (!err)
		return 0;
	WRITE_ONCE(sn->incomplete, true);
	if (srcroute_may_log(sn))
		netdev_warn(dev, "srcroute: no memory for its settings\n");
	return err;
}

static void vanish(struct srcroute_net *sn, const struct net_device *dev)
{
	struct srcroute_iface *iface = srcroute_iface_get(sn, dev);

	if (!iface)	/* the kernel says goodbye more than once */
		return;
	srcroute_sysctl_del(&iface->policy);
	remove_iface(sn, iface);
}

static int rename_files(struct srcroute_net *sn, const struct net_device *dev)
{
	struct srcroute_iface *iface = srcroute_iface_get(sn, dev);

	return iface ? add_files(sn, iface, dev) : 0;
}

/* Called under RTNL, which keeps interfaces from changing meanwhile. */
static int on_netdevice(struct notifier_block *nb, unsigned long event,
			void *ptr)
{
	const struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct srcroute_net *sn = srcroute_net(dev_net(dev));

	switch (event) {
	case NETDEV_REGISTER:
		return notifier_from_errno(appear_or_tell(sn, dev));
	case NETDEV_CHANGENAME:
		return notifier_from_errno(rename_files(sn, dev));
	case NETDEV_UNREGISTER:
		vanish(sn, dev);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block netdevice_notifier = {
	.notifier_call = on_netdevice,
};

/**
 * srcroute_interfaces_complete() - try again where there was no memory
 * @sn: the namespace
 *
 * Before a setting is written, so that `all` means all interfaces.
 *
 * Context: process context, in a handler of a sysctl file. Takes RTNL, and never
 *	    waits for it: its holder may be waiting for the handler to end.
 * Return: 0, -ENOMEM if there is no memory still, or what makes the system call
 *	   begin anew.
 */
int srcroute_interfaces_complete(struct srcroute_net *sn)
{
	struct net_device *dev;
	int err = 0;

	if (likely(!READ_ONCE(sn->incomplete)))
		return 0;
	if (!rtnl_trylock())
		return restart_syscall();
	for_each_netdev(sn->net, dev)
		if (!err && !srcroute_iface_get(sn, dev))
			err = appear(sn, dev);
	if (!err)
		WRITE_ONCE(sn->incomplete, false);
	rtnl_unlock();
	return err;
}

/**
 * srcroute_interfaces_init() - follow the interfaces of all namespaces
 *
 * Context: process context, after srcroute_netns_init().
 * Return: 0 or a negative error.
 */
int srcroute_interfaces_init(void)
{
	int err = register_netdevice_notifier(&netdevice_notifier);

	/* It has told us the end of those that it had told us of so far. */
	if (err)
		wait_for_freeing();
	return err;
}

/**
 * srcroute_interfaces_exit() - forget the interfaces of all namespaces
 *
 * Context: process context, before srcroute_netns_exit().
 */
void srcroute_interfaces_exit(void)
{
	unregister_netdevice_notifier(&netdevice_notifier);
	wait_for_freeing();
}
