/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control side: what is kept for each namespace and each interface, and the
 * files by which it is set and read.
 *
 * From the lowest layer to the highest; no file calls one above it:
 *
 *   hooks.c              the netfilter hooks of a namespace
 *   conf.c               settings, and the interfaces that they belong to
 *   sysctl.c, proc.c     the files that show them
 *   netdev.c, netns.c    interfaces and namespaces come and go
 *   main.c               the module does
 *
 * The data path (datapath.h) reads the settings and writes the counters.
 */
#ifndef _SRCROUTE_CONTROL_H
#define _SRCROUTE_CONTROL_H

#include <linux/hashtable.h>
#include <linux/if.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <linux/ratelimit.h>
#include <linux/rtnetlink.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <srcroute/outcome.h>

struct ctl_table;
struct ctl_table_header;

/* The values of lsrr and ssrr. */
enum srcroute_action {
	SRCROUTE_OFF,
	SRCROUTE_FORWARD,
	SRCROUTE_DROP,
	SRCROUTE_REJECT,
};

/* The files of an interface; contract, section Interface. */
enum srcroute_conf_key {
	SRCROUTE_CONF_LSRR,
	SRCROUTE_CONF_SSRR,
	SRCROUTE_CONF_NONLOCAL,
	SRCROUTE_CONF_REVISIT,
	SRCROUTE_CONF_REVERSE_ERRORS,
	SRCROUTE_CONF_MARK,
	SRCROUTE_CONF_COUNT
};

/**
 * struct srcroute_conf - the settings of an interface, `all` or `default`
 * @value: by enum srcroute_conf_key; written under srcroute_net.lock, read
 *	   anywhere
 * @name: the directory of its sysctl files
 * @table: the files, NULL while it has none
 * @header: what unregisters @table
 */
struct srcroute_conf {
	u32 value[SRCROUTE_CONF_COUNT];
	char name[IFNAMSIZ];
	struct ctl_table *table;
	struct ctl_table_header *header;
};

/**
 * struct srcroute_stats - counters of one CPU for one interface
 * @outcome: of datagrams that came in by it, by enum srcroute_outcome; their sum is
 *	     `received`
 * @icmp_suppressed: our own ICMP that was to leave by it, and was dropped (H8, H11, I1, I4)
 */
struct srcroute_stats {
	unsigned long outcome[SRCROUTE_OUTCOME_COUNT];
	unsigned long icmp_suppressed;
};

/**
 * struct srcroute_cpu - what a CPU keeps of an interface, and no other writes
 * @stats: counters
 * @local: the local address that datagrams were last for (judge.c)
 */
struct srcroute_cpu {
	struct srcroute_stats stats;
	u64 local;
};

/**
 * struct srcroute_iface - what is kept for a network interface
 * @node: in srcroute_net.ifaces, by its ifindex
 * @dev: the interface; outlives this, since it is freed a grace period after its
 *	 NETDEV_UNREGISTER
 * @cpu: its counters
 * @conf: its settings
 * @rcu: frees it once no datagram looks at it any more
 */
struct srcroute_iface {
	struct hlist_node node;
	const struct net_device *dev;
	struct srcroute_cpu __percpu *cpu;
	struct srcroute_conf conf;
	struct rcu_head rcu;
};

#define SRCROUTE_IFACE_BITS	8
#define SRCROUTE_HOOK_COUNT	3

/**
 * struct srcroute_net - what is kept for a network namespace
 * @ifaces: struct srcroute_iface by ifindex; changed under @lock and RTNL, read
 *	    by RCU
 * @router_id: recorded where an interface has no address (H7); 0 for none
 * @log: limits the lines that its datagrams and interfaces can put into the log
 * @bridge_logged: the log says that bridges are left to the kernel (O5)
 * @net: the namespace
 * @hooks: ours, with the namespace as their private data
 * @lock: for changes of settings, @ifaces and @hooks_registered; may be taken
 *	  under RTNL
 * @incomplete: an interface has found no memory; changed under RTNL
 * @nr_active: interfaces whose lsrr or ssrr is not 0
 * @hooks_registered: they are in place
 * @exiting: the namespace is being removed; no hook may be registered any more
 * @conf_all: what the files under conf/all show
 * @conf_default: conf/default, what a new interface starts with
 * @table: the files that belong to no interface
 * @header: what unregisters @table
 */
struct srcroute_net {
	DECLARE_HASHTABLE(ifaces, SRCROUTE_IFACE_BITS);
	__be32 router_id;

	struct ratelimit_state log;
	bool bridge_logged;
	struct net *net;
	struct nf_hook_ops hooks[SRCROUTE_HOOK_COUNT];
	struct mutex lock;	/* settings, ifaces, hooks */
	bool incomplete;
	unsigned int nr_active;
	bool hooks_registered;
	bool exiting;
	struct srcroute_conf conf_all;
	struct srcroute_conf conf_default;
	struct ctl_table *table;
	struct ctl_table_header *header;
};

/* hooks.c */
void srcroute_hooks_init(struct srcroute_net *sn);
int srcroute_hooks_register(struct srcroute_net *sn);
void srcroute_hooks_unregister(struct srcroute_net *sn);

/* conf.c */
extern const struct srcroute_conf_key_info {
	const char *name;
	u32 max;
	u32 initial;
} srcroute_conf_keys[SRCROUTE_CONF_COUNT];

extern unsigned int srcroute_net_id;
extern struct ratelimit_state srcroute_log_of_users;

void srcroute_conf_init(struct srcroute_net *sn);
int srcroute_conf_write(struct srcroute_net *sn, struct srcroute_conf *conf,
			enum srcroute_conf_key key, u32 value);
struct srcroute_iface *srcroute_iface_add(struct srcroute_net *sn,
					  const struct net_device *dev);
void srcroute_iface_del(struct srcroute_net *sn, struct srcroute_iface *iface);
void srcroute_iface_wait(void);

/* sysctl.c */
int srcroute_sysctl_init(struct srcroute_net *sn);
void srcroute_sysctl_exit(struct srcroute_net *sn);
int srcroute_iface_register(struct srcroute_net *sn,
			    const struct net_device *dev);
int srcroute_iface_rename(struct srcroute_net *sn,
			  const struct net_device *dev);
void srcroute_iface_unregister(struct srcroute_net *sn,
			       const struct net_device *dev);
void srcroute_ifaces_follow(bool on);

/* proc.c */
int srcroute_proc_init(struct net *net);
void srcroute_proc_exit(struct net *net);

/* netdev.c */
int srcroute_netdev_init(void);
void srcroute_netdev_exit(void);

/* netns.c */
int srcroute_netns_init(void);
void srcroute_netns_exit(void);

/**
 * srcroute_net() - what is kept for a network namespace
 * @net: the namespace
 *
 * Return: never NULL between srcroute_netns_init() and srcroute_netns_exit().
 */
static inline struct srcroute_net *srcroute_net(const struct net *net)
{
	return *(struct srcroute_net **)net_generic(net, srcroute_net_id);
}

/**
 * srcroute_iface_get() - what is kept for an interface
 * @sn: the namespace
 * @dev: the interface
 *
 * By the interface itself, not by its ifindex, which another one gets as soon as
 * this one has gone.
 *
 * Context: RCU read side, RTNL or srcroute_net.lock held.
 * Return: NULL if there is nothing.
 */
static inline struct srcroute_iface *
srcroute_iface_get(const struct srcroute_net *sn, const struct net_device *dev)
{
	struct srcroute_iface *iface;

	hash_for_each_possible_rcu(sn->ifaces, iface, node, dev->ifindex,
				   lockdep_is_held(&sn->lock) ||
				   lockdep_rtnl_is_held())
		if (iface->dev == dev)
			return iface;
	return NULL;
}

/**
 * srcroute_may_log() - may another line go into the kernel's log?
 * @sn: the namespace that gives rise to it
 *
 * A namespace has a limit of its own: whoever fills one namespace with noise
 * keeps the others and the rest of the kernel neither from the log nor from
 * their own lines. Users may make any number of them, so these have another limit
 * in common.
 *
 * Context: any.
 * Return: true if it may.
 */
static inline bool srcroute_may_log(struct srcroute_net *sn)
{
	return __ratelimit(&sn->log) &&
	       (sn->net->user_ns == &init_user_ns ||
		__ratelimit(&srcroute_log_of_users));
}

/**
 * srcroute_count() - count what became of an owned datagram (S)
 * @iface: the interface it came in by
 * @outcome: what became of it; once per datagram
 */
static inline void srcroute_count(const struct srcroute_iface *iface,
				  enum srcroute_outcome outcome)
{
	this_cpu_inc(iface->cpu->stats.outcome[outcome]);
}

#endif /* _SRCROUTE_CONTROL_H */
