/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * srcroute: forwarding of source-routed IPv4 datagrams.
 *
 * The way of a datagram, and where its code is:
 *
 *   PRE_ROUTING, first   claim.c    keep it from conntrack and reassembly
 *   PRE_ROUTING, last    decide.c   check it, find and route to the next hop
 *                        forward.c  TTL, MTU (ipsec.c: that of policies); rewrite
 *                                   the header, and into ip_forward()
 *   (the kernel)         FORWARD filters, output
 *   LOCAL_OUT, first     errors.c   the ICMP errors that it gave rise to
 *
 * header.c checks the header that all of them work on, discard.c ends a
 * datagram, record.c fills Record Route and Timestamp, address.c knows addresses
 * and links, policy.c the settings of the interfaces, sysctl.c and stats.c the
 * files, netns.c what a network namespace has of all this. option.c is the
 * option engine.
 */
#ifndef _SRCROUTE_H
#define _SRCROUTE_H

#include <linux/cache.h>
#include <linux/hashtable.h>
#include <linux/if.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <linux/ratelimit.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <srcroute/option.h>
#include <srcroute/outcome.h>

#include "header.h"

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
enum srcroute_key {
	SRCROUTE_LSRR,
	SRCROUTE_SSRR,
	SRCROUTE_KEY_NONLOCAL,
	SRCROUTE_KEY_REVISIT,
	SRCROUTE_KEY_REVERSE_ERRORS,
	SRCROUTE_KEY_MARK,
	SRCROUTE_KEY_COUNT
};

/**
 * struct srcroute_policy - the settings of an interface, `all` or `default`
 * @value: by enum srcroute_key; written under srcroute_net.lock, read anywhere
 * @name: the directory of its sysctl files
 * @table: the files, NULL while it has none
 * @header: what unregisters @table
 */
struct srcroute_policy {
	u32 value[SRCROUTE_KEY_COUNT];
	char name[IFNAMSIZ];
	struct ctl_table *table;
	struct ctl_table_header *header;
};

/**
 * struct srcroute_stats - counters of one CPU for datagrams from one interface
 * @outcome: by enum srcroute_outcome; their sum is `received`
 */
struct srcroute_stats {
	unsigned long outcome[SRCROUTE_OUTCOME_COUNT];
};

/**
 * struct srcroute_cpu - what a CPU keeps of an interface, and no other writes
 * @stats: counters
 * @own: the own address that datagrams were last for (decide.c)
 */
struct srcroute_cpu {
	struct srcroute_stats stats;
	u64 own;
};

/**
 * struct srcroute_iface - what we keep for a network interface
 * @node: in srcroute_net.ifaces, by its ifindex
 * @dev: the interface; outlives this, since it is freed a grace period after its
 *	 NETDEV_UNREGISTER
 * @cpu: its counters
 * @policy: its settings
 * @rcu: frees it once no datagram looks at it any more
 */
struct srcroute_iface {
	struct hlist_node node;
	const struct net_device *dev;
	struct srcroute_cpu __percpu *cpu;
	struct srcroute_policy policy;
	struct rcu_head rcu;
};

#define SRCROUTE_IFACE_BITS	8
#define SRCROUTE_HOOKS		3

/**
 * struct srcroute_net - what we keep for a network namespace
 * @ifaces: struct srcroute_iface by ifindex; changed under @lock and RTNL, read
 *	    by RCU
 * @router_id: recorded where an interface has no address (H7); 0 for none
 * @log: limits the lines that its datagrams and interfaces can put into the log
 * @bridge_told: the log says that bridges are left to the kernel (O5)
 * @net: the namespace
 * @hooks: ours, with the namespace as their private data
 * @lock: for changes of settings, @ifaces and @hooked; may be taken under RTNL
 * @incomplete: an interface has found no memory; changed under RTNL
 * @active: interfaces whose lsrr or ssrr is not 0
 * @hooked: the hooks are registered
 * @dying: the namespace goes; no hook may be registered any more
 * @all: what the files under conf/all show
 * @initial: conf/default, what a new interface starts with
 * @table: the files that belong to no interface
 * @header: what unregisters @table
 */
struct srcroute_net {
	DECLARE_HASHTABLE(ifaces, SRCROUTE_IFACE_BITS);
	__be32 router_id;

	struct ratelimit_state log;
	bool bridge_told;
	struct net *net;
	struct nf_hook_ops hooks[SRCROUTE_HOOKS];
	struct mutex lock;	/* settings, ifaces, hooks */
	bool incomplete;
	unsigned int active;
	bool hooked;
	bool dying;
	struct srcroute_policy all;
	struct srcroute_policy initial;
	struct ctl_table *table;
	struct ctl_table_header *header;
};

/**
 * struct srcroute_packet - an owned datagram in PRE_ROUTING (O1)
 * @skb: the datagram
 * @h: its header; taken anew wherever the datagram may have been moved
 * @net: the namespace
 * @sn: what we keep for it
 * @in: the interface it came in by; under VRF the enslaved one
 * @iface: settings and counters of @in
 * @srr: its source route
 * @verdict: what srr_find() said of its options, never SRR_NONE
 * @action: what lsrr or ssrr of @in says, never SRCROUTE_OFF
 * @hit: for one of our addresses, and more addresses to come
 */
struct srcroute_packet {
	struct sk_buff *skb;
	struct srcroute_header h;
	struct net *net;
	struct srcroute_net *sn;
	struct net_device *in;
	struct srcroute_iface *iface;
	struct srr srr;
	enum srr_verdict verdict;
	enum srcroute_action action;
	bool hit;
};

/* claim.c */
struct net_device *srcroute_receiving_dev(const struct sk_buff *skb);
bool srcroute_recognise(struct srcroute_packet *p, struct srcroute_net *sn,
			struct sk_buff *skb);
unsigned int srcroute_claim(void *priv, struct sk_buff *skb,
			    const struct nf_hook_state *state);

/* decide.c */
unsigned int srcroute_decide(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state);

/* forward.c */
unsigned int srcroute_forward_hit(struct srcroute_packet *p, __be32 next);
unsigned int srcroute_forward_transit(struct srcroute_packet *p);

/* ipsec.c */
bool srcroute_ipsec_applies(const struct net *net, const struct sk_buff *skb);
unsigned int srcroute_ipsec_mtu(struct srcroute_packet *p, __be32 next);
bool srcroute_ipsec_permits(struct srcroute_packet *p, __be32 next);

/* errors.c */
unsigned int srcroute_errors(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state);

/* discard.c */
unsigned int srcroute_discard(struct srcroute_packet *p,
			      enum srcroute_outcome why);
unsigned int srcroute_unroutable(struct srcroute_packet *p, int err);
unsigned int srcroute_refuse(struct srcroute_packet *p,
			     enum srcroute_outcome why, u32 info);
unsigned int srcroute_ignore(struct srcroute_packet *p,
			     enum srcroute_outcome why);
bool srcroute_is_reversible(const struct srcroute_packet *p);

/* record.c */
void srcroute_record(const struct sk_buff *skb, const struct srcroute_header *h,
		     __be32 addr);

/* address.c */
bool srcroute_is_own(struct net *net, const struct net_device *dev,
		     __be32 addr);
bool srcroute_is_own_anywhere(struct net *net, __be32 addr);
bool srcroute_is_one_host(struct net *net, const struct net_device *dev,
			  __be32 addr);
bool srcroute_is_transit(const struct srcroute_packet *p);
bool srcroute_is_adjacent(const struct srcroute_packet *p, __be32 next);
__be32 srcroute_egress_address(struct srcroute_net *sn, const struct rtable *rt,
			       __be32 next, __be32 arrival);

/* policy.c */
extern const struct srcroute_key_info {
	const char *name;
	u32 max;
	u32 initial;
} srcroute_keys[SRCROUTE_KEY_COUNT];

int srcroute_policy_write(struct srcroute_net *sn,
			  struct srcroute_policy *policy,
			  enum srcroute_key key, u32 value);
int srcroute_interfaces_complete(struct srcroute_net *sn);
int srcroute_interfaces_init(void);
void srcroute_interfaces_exit(void);

/* netns.c */
struct srcroute_net *srcroute_net(const struct net *net);
int srcroute_hooks_add(struct srcroute_net *sn);
void srcroute_hooks_del(struct srcroute_net *sn);
int srcroute_netns_init(void);
void srcroute_netns_exit(void);

/* sysctl.c */
int srcroute_sysctl_add(struct srcroute_net *sn, struct srcroute_policy *policy,
			const char *name);
void srcroute_sysctl_del(struct srcroute_policy *policy);
int srcroute_sysctl_init(struct srcroute_net *sn);
void srcroute_sysctl_exit(struct srcroute_net *sn);

/* stats.c */
int srcroute_stats_init(struct net *net);
void srcroute_stats_exit(struct net *net);

/**
 * srcroute_iface_get() - what we keep for an interface
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
 * their own lines.
 *
 * Context: any.
 * Return: true if it may.
 */
static inline bool srcroute_may_log(struct srcroute_net *sn)
{
	return __ratelimit(&sn->log);
}

/**
 * srcroute_is_host() - can an address be that of a host? (H3)
 * @addr: the address
 *
 * Return: false in 0/8, 127/8, 224/4 and 240/4.
 */
static inline bool srcroute_is_host(__be32 addr)
{
	u32 first_octet = ntohl(addr) >> 24;

	return first_octet != 0 && first_octet != 127 && first_octet < 224;
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

/**
 * srcroute_read() - read an address of an option
 * @octets: four octets in wire order, at any alignment
 *
 * Return: the address, in network byte order.
 */
static inline __be32 srcroute_read(const u8 *octets)
{
	__be32 addr;

	memcpy(&addr, octets, sizeof(addr));
	return addr;
}

#endif /* _SRCROUTE_H */
