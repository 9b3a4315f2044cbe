// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds an interface of the namespace of who loads it, so that its end takes as
 * long as this module is there. For selftests/life/faults.py.
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>

static char *name;
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "of the interface");

static struct net_device *dev;

static int __init holddev_init(void)
{
	dev = dev_get_by_name(current->nsproxy->net_ns, name);
	return dev ? 0 : -ENODEV;
}

static void __exit holddev_exit(void)
{
	dev_put(dev);
}

module_init(holddev_init);
module_exit(holddev_exit);
MODULE_DESCRIPTION("An interface that takes long to go, for tests");
MODULE_LICENSE("GPL");
