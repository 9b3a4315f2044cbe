// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interfaces are registered, renamed, moved between namespaces and unregistered:
 * their settings, files and counters follow.
 */
#include <linux/netdevice.h>
#include <linux/notifier.h>

#include "control.h"

/*
 * A failure keeps an interface from being registered, but not from moving to
 * another namespace: there, its source routes are the kernel's until somebody
 * writes to a setting, which tries again.
 */
static int register_or_warn(struct srcroute_net *sn,
			    const struct net_device *dev)
{
	int err = srcroute_iface_register(sn, dev);

	if (!err)
		return 0;
	WRITE_ONCE(sn->incomplete, true);
	if (srcroute_may_log(sn))
		netdev_warn(dev, "srcroute: no memory for its settings\n");
	return err;
}

/* Called under RTNL, which keeps interfaces from changing meanwhile. */
static int on_netdevice(struct notifier_block *nb, unsigned long event,
			void *ptr)
{
	const struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct srcroute_net *sn = srcroute_net(dev_net(dev));

	switch (event) {
	case NETDEV_REGISTER:
		return notifier_from_errno(register_or_warn(sn, dev));
	case NETDEV_CHANGENAME:
		return notifier_from_errno(srcroute_iface_rename(sn, dev));
	case NETDEV_UNREGISTER:
		srcroute_iface_unregister(sn, dev);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block netdevice_notifier = {
	.notifier_call = on_netdevice,
};

/**
 * srcroute_netdev_init() - follow the interfaces of all namespaces
 *
 * Context: process context, after srcroute_netns_init().
 * Return: 0 or a negative error.
 */
int srcroute_netdev_init(void)
{
	int err = register_netdevice_notifier(&netdevice_notifier);

	/*
	 * If it fails, it has unregistered the interfaces that it had registered,
	 * and their data are still to be freed.
	 */
	if (err) {
		srcroute_iface_wait();
		return err;
	}
	srcroute_ifaces_follow(true);
	return 0;
}

/**
 * srcroute_netdev_exit() - forget the interfaces of all namespaces
 *
 * Context: process context, before srcroute_netns_exit().
 */
void srcroute_netdev_exit(void)
{
	srcroute_ifaces_follow(false);
	unregister_netdevice_notifier(&netdevice_notifier);
	srcroute_iface_wait();
}
