// SPDX-License-Identifier: GPL-2.0-only
/*
 * Source-route forwarding for IPv4: registration.
 */
#include <linux/module.h>

#include "compat.h"
#include "control.h"

static int __init srcroute_init(void)
{
	int err;

	err = srcroute_netns_init();
	if (err)
		return err;
	err = srcroute_netdev_init();
	if (err)
		srcroute_netns_exit();
	return err;
}

static void __exit srcroute_exit(void)
{
	srcroute_netdev_exit();
	srcroute_netns_exit();
}

module_init(srcroute_init);
module_exit(srcroute_exit);

MODULE_DESCRIPTION("IPv4 source-route forwarding");
MODULE_AUTHOR("The srcroute developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(SRCROUTE_VERSION);
MODULE_INFO(lacks, SRCROUTE_LACKS);	/* of this kernel */
