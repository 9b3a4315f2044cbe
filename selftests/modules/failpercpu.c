// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes per-CPU allocations of a range of code fail, which failslab cannot do.
 * For selftests/life/faults.py; x86-64.
 */
#include <linux/kprobes.h>
#include <linux/module.h>

static unsigned long start;
module_param(start, ulong, 0444);
MODULE_PARM_DESC(start, "first octet of the code whose allocations fail");

static unsigned long end;
module_param(end, ulong, 0444);
MODULE_PARM_DESC(end, "octet behind that code");

static unsigned long failed;
module_param(failed, ulong, 0444);
MODULE_PARM_DESC(failed, "how many have failed");

/* As if the function had returned NULL at once. */
static int fail(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long caller = *(unsigned long *)regs->sp;

	if (caller < start || caller >= end)
		return 0;
	failed++;
	regs->ax = 0;
	regs->ip = caller;
	regs->sp += sizeof(caller);
	return 1;
}

NOKPROBE_SYMBOL(fail);

/* One that has this is never turned into a jump, which would not obey fail(). */
static void not_optimised(struct kprobe *probe, struct pt_regs *regs,
			  unsigned long flags)
{
}

static struct kprobe probe = {
	.symbol_name = "pcpu_alloc_noprof",
	.pre_handler = fail,
	.post_handler = not_optimised,
};

static int __init failpercpu_init(void)
{
	return register_kprobe(&probe);
}

static void __exit failpercpu_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(failpercpu_init);
module_exit(failpercpu_exit);
MODULE_DESCRIPTION("Per-CPU allocations that fail, for tests");
MODULE_LICENSE("GPL");
