// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/srcroute: one line per interface and counter (S).
 */
#include <linux/cpumask.h>
#include <linux/netdevice.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>

#include "control.h"

static void sum_up(const struct srcroute_iface *iface,
		   struct srcroute_stats *sum)
{
	enum srcroute_outcome i;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct srcroute_stats *one =
			&per_cpu_ptr(iface->cpu, cpu)->stats;

		for (i = 0; i < SRCROUTE_OUTCOME_COUNT; i++)
			sum->outcome[i] += READ_ONCE(one->outcome[i]);
		sum->icmp_suppressed += READ_ONCE(one->icmp_suppressed);
	}
}

/*
 * The position in the file is the ifindex of an interface. So interfaces come in that
 * order, and a reader misses none that exists all the time.
 */
static const struct net_device *find(struct net *net, loff_t from)
{
	const struct net_device *dev, *found = NULL;

	for_each_netdev_rcu(net, dev)
		if (dev->ifindex >= from &&
		    (!found || dev->ifindex < found->ifindex))
			found = dev;
	return found;
}

static void *start(struct seq_file *seq, loff_t *pos)
	__acquires(RCU)
{
	rcu_read_lock();
	return (void *)find(seq_file_net(seq), *pos);
}

static void *next(struct seq_file *seq, void *v, loff_t *pos)
{
	const struct net_device *dev = v;

	*pos = dev->ifindex + 1;
	return (void *)find(seq_file_net(seq), *pos);
}

static void stop(struct seq_file *seq, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static void show_counters(struct seq_file *seq, const char *name,
			  const struct srcroute_iface *iface)
{
	unsigned long received = 0;
	struct srcroute_stats sum;
	enum srcroute_outcome i;

	sum_up(iface, &sum);
	for (i = 0; i < SRCROUTE_OUTCOME_COUNT; i++)
		received += sum.outcome[i];
	seq_printf(seq, "%s received %lu\n", name, received);
	for (i = 0; i < SRCROUTE_OUTCOME_COUNT; i++)
		seq_printf(seq, "%s %s %lu\n", name,
			   srcroute_outcomes[i].name, sum.outcome[i]);
	seq_printf(seq, "%s icmp_suppressed %lu\n", name, sum.icmp_suppressed);
}

/* An interface that is being registered has no counters yet, and is not shown. */
static int show(struct seq_file *seq, void *v)
{
	struct srcroute_net *sn = srcroute_net(seq_file_net(seq));
	const struct srcroute_iface *iface;
	const struct net_device *dev = v;

	iface = srcroute_iface_get(sn, dev);
	if (iface)
		show_counters(seq, dev->name, iface);
	else if (READ_ONCE(sn->incomplete))	/* there was no memory for it */
		seq_printf(seq, "%s unavailable 1\n", dev->name);
	return 0;
}

static const struct seq_operations proc_ops = {
	.start = start,
	.next = next,
	.stop = stop,
	.show = show,
};

/**
 * srcroute_proc_init() - make /proc/net/srcroute
 * @net: a new namespace
 *
 * Context: process context.
 * Return: 0 or -ENOMEM.
 */
int srcroute_proc_init(struct net *net)
{
	if (!proc_create_net("srcroute", 0444, net->proc_net, &proc_ops,
			     sizeof(struct seq_net_private)))
		return -ENOMEM;
	return 0;
}

/**
 * srcroute_proc_exit() - remove /proc/net/srcroute
 * @net: a namespace that is being removed
 *
 * Context: process context.
 */
void srcroute_proc_exit(struct net *net)
{
	remove_proc_entry("srcroute", net->proc_net);
}
