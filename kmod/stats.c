// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/srcroute: one line per interface and counter (S).
 */
#include <linux/cpumask.h>
#include <linux/netdevice.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>

#include "srcroute.h"

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
	}
}

/*
 * A record is a whole bucket, so a reader misses no interface that stays. The
 * one behind the last bucket is of the interfaces that are in none.
 */
static void *find(struct seq_file *seq, loff_t pos)
{
	struct srcroute_net *sn = srcroute_net(seq_file_net(seq));

	return pos <= HASH_SIZE(sn->ifaces) ? sn->ifaces + pos : NULL;
}

static void *start(struct seq_file *seq, loff_t *pos)
	__acquires(RCU)
{
	rcu_read_lock();
	return find(seq, *pos);
}

static void *next(struct seq_file *seq, void *v, loff_t *pos)
{
	return find(seq, ++*pos);
}

static void stop(struct seq_file *seq, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static void show_iface(struct seq_file *seq, const struct srcroute_iface *iface)
{
	const char *name = iface->dev->name;
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
}

/* For which no memory was found. */
static void show_unavailable(struct seq_file *seq,
			     const struct srcroute_net *sn)
{
	const struct net_device *dev;

	if (!READ_ONCE(sn->incomplete))
		return;
	for_each_netdev_rcu(sn->net, dev)
		if (!srcroute_iface_get(sn, dev))
			seq_printf(seq, "%s unavailable 1\n", dev->name);
}

static int show(struct seq_file *seq, void *v)
{
	struct srcroute_net *sn = srcroute_net(seq_file_net(seq));
	const struct srcroute_iface *iface;
	struct hlist_head *bucket = v;

	if (bucket == sn->ifaces + HASH_SIZE(sn->ifaces)) {
		show_unavailable(seq, sn);
		return 0;
	}
	hlist_for_each_entry_rcu(iface, bucket, node)
		show_iface(seq, iface);
	return 0;
}

static const struct seq_operations stats_ops = {
	.start = start,
	.next = next,
	.stop = stop,
	.show = show,
};

/**
 * srcroute_stats_init() - make /proc/net/srcroute
 * @net: a new namespace
 *
 * Context: process context.
 * Return: 0 or -ENOMEM.
 */
int srcroute_stats_init(struct net *net)
{
	if (!proc_create_net("srcroute", 0444, net->proc_net, &stats_ops,
			     sizeof(struct seq_net_private)))
		return -ENOMEM;
	return 0;
}

/**
 * srcroute_stats_exit() - remove /proc/net/srcroute
 * @net: a namespace on its way out
 *
 * Context: process context.
 */
void srcroute_stats_exit(struct net *net)
{
	remove_proc_entry("srcroute", net->proc_net);
}
