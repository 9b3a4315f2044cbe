/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels, recognised by what they declare and never by
 * their version: distributions carry patches back. The releases named here are
 * Linus's, for whoever wants to drop one of them some day. At the end, what a kernel
 * may be built without. No other file has an #if.
 *
 * Headers come by way of those that every supported kernel has: not all have
 * <net/inet_dscp.h> (Linux 5.18) or <net/gso.h> (Linux 6.5), and sparse knows no
 * __has_include.
 *
 * checkpatch: MACRO_ARG_UNUSED: where there are no reasons, their names mean nothing.
 */
#ifndef _SRCROUTE_COMPAT_H
#define _SRCROUTE_COMPAT_H

#include <linux/build_bug.h>
#include <linux/ip.h>
#include <linux/netfilter_bridge.h>
#include <linux/skbuff.h>
#include <linux/sysctl.h>
#include <net/flow.h>
#include <net/icmp.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip_fib.h>	/* has <net/inet_dscp.h> */
#include <net/net_namespace.h>
#include <net/route.h>
#include <net/udp.h>	/* has <net/gso.h> */
#include <net/xfrm.h>

/*
 * Is a function declared as this type? The compiler asks by itself, but for a call
 * that has a cast or a conversion in it.
 */
#define srcroute_is_declared(name, type)				\
	__builtin_types_compatible_p(typeof(name), type)

/* What a proc_handler gets as its table: const since Linux 6.11. */
#define srcroute_ctl_table						\
	typeof(*__builtin_choose_expr(					\
		__builtin_types_compatible_p(proc_handler,		\
			int (struct ctl_table *, int, void *, size_t *,	\
			     loff_t *)),				\
		(struct ctl_table *)NULL, (const struct ctl_table *)NULL))

/*
 * Since Linux 6.6 tables are counted, and register_net_sysctl() is a macro
 * about this. Older kernels look for the empty entry at the end, so tables of
 * @n entries are one longer than that.
 */
#ifdef register_net_sysctl
#define srcroute_register_sysctl(net, path, table, n)			\
	register_net_sysctl_sz(net, path, table, n)
#else
#define srcroute_register_sysctl(net, path, table, n)			\
	((void)(n), register_net_sysctl(net, path, table))
#endif

/*
 * Why a datagram is dropped: Linux 5.17 began to say so, Linux 6.0 made a list of
 * the reasons. Before, dropwatch and the like show where it was dropped, and the
 * counters why. modinfo shows what the module has to do without.
 */
#ifdef DEFINE_DROP_REASON
#define SRCROUTE_LACKS	"nothing"
#define srcroute_reason	enum skb_drop_reason
#define SRCROUTE_DROP_REASON(name)	SKB_DROP_REASON_##name
static inline void srcroute_kfree_skb(struct sk_buff *skb, int reason)
{
	kfree_skb_reason(skb, reason);
}
#else
#define SRCROUTE_LACKS	"drop reasons"
#define srcroute_reason	int
#define SRCROUTE_DROP_REASON(name)	0
static inline void srcroute_kfree_skb(struct sk_buff *skb, int reason)
{
	kfree_skb(skb);
}
#endif

/* The bits of the TOS octet that routing asks for: since Linux 6.12 all of the DSCP. */
#ifdef IPTOS_RT_MASK
#define SRCROUTE_TOS_MASK	IPTOS_RT_MASK
#else
#define SRCROUTE_TOS_MASK	((u8)~INET_ECN_MASK)
#endif

/* A DSCP is a type of its own since Linux 5.18. */
#ifdef INET_DSCP_MASK
#define srcroute_dscp(tos)	inet_dsfield_to_dscp((tos) & SRCROUTE_TOS_MASK)
#else
#define srcroute_dscp(tos)	((u8)((tos) & SRCROUTE_TOS_MASK))
#endif

/* Flows have one since Linux 6.18. */
static inline void srcroute_flow_set_tos(struct flowi4 *fl4, u8 tos)
{
#ifdef flowi4_dscp
	fl4->flowi4_dscp = srcroute_dscp(tos);
#else
	fl4->flowi4_tos = tos & SRCROUTE_TOS_MASK;
#endif
}

/*
 * Returns an error before Linux 6.14, and then a drop reason, which is 0 for none as
 * well. Takes a TOS octet before Linux 6.13, and then a DSCP, to which it no longer
 * reduces what it gets.
 */
static inline int srcroute_ip_route_input(struct sk_buff *skb, __be32 daddr,
					  __be32 saddr, u8 tos,
					  struct net_device *dev)
{
	typedef int takes_tos(struct sk_buff *, __be32, __be32, u8,
			      struct net_device *);
	typedef int takes_dscp(struct sk_buff *, __be32, __be32,
			       typeof(srcroute_dscp(tos)), struct net_device *);
	typedef srcroute_reason returns_reason(struct sk_buff *, __be32, __be32,
					       typeof(srcroute_dscp(tos)),
					       struct net_device *);
	int ret = (int)ip_route_input_noref(skb, daddr, saddr,
		__builtin_choose_expr
			(srcroute_is_declared(ip_route_input_noref, takes_tos),
			 (u8)(tos & SRCROUTE_TOS_MASK), srcroute_dscp(tos)),
		dev);

	BUILD_BUG_ON_MSG(!srcroute_is_declared(ip_route_input_noref, takes_tos) &&
			 !srcroute_is_declared(ip_route_input_noref, takes_dscp) &&
			 !srcroute_is_declared(ip_route_input_noref, returns_reason),
			 "ip_route_input_noref() is declared in a new way");
	if (!ret ||
	    !srcroute_is_declared(ip_route_input_noref, returns_reason))
		return ret;
	return ret == SRCROUTE_DROP_REASON(NOMEM) ? -ENOBUFS : -EINVAL;
}

/*
 * Since Linux 6.18 this takes all of a control block, for the interface in it:
 * icmp_errors_use_inbound_ifaddr, icmp_errors_extension_mask.
 */
static inline void srcroute_icmp_send(struct sk_buff *skb, u8 type, u8 code,
				      __be32 info, const struct ip_options *opt)
{
	typedef void takes_options(struct sk_buff *, int, int, __be32,
				   const struct ip_options *);
	const struct inet_skb_parm parm = {
		.iif = IPCB(skb)->iif,
		.opt = *opt,
	};

	__icmp_send(skb, type, code, info, __builtin_choose_expr
		    (srcroute_is_declared(__icmp_send, takes_options),
		     opt, &parm));
}

#ifdef CONFIG_XFRM
/* Since Linux 6.9 this takes the namespace, too. */
static inline int srcroute_decode_session(struct net *net, struct sk_buff *skb,
					  struct flowi *fl)
{
	typedef int with_net(struct net *, struct sk_buff *, struct flowi *,
			     unsigned int, int);
	typedef int without_net(struct sk_buff *, struct flowi *, unsigned int,
				int);
	void *decode = __xfrm_decode_session;

	BUILD_BUG_ON_MSG(!srcroute_is_declared(__xfrm_decode_session, with_net) &&
			 !srcroute_is_declared(__xfrm_decode_session, without_net),
			 "__xfrm_decode_session() is declared in a new way");
	if (srcroute_is_declared(__xfrm_decode_session, without_net))
		return ((without_net *)decode)(skb, fl, AF_INET, 0);
	return ((with_net *)decode)(net, skb, fl, AF_INET, 0);
}

static inline bool srcroute_has_policies(const struct net *net)
{
	return READ_ONCE(net->xfrm.policy_count[XFRM_POLICY_FWD]) ||
	       READ_ONCE(net->xfrm.policy_count[XFRM_POLICY_OUT]) ||
	       READ_ONCE(net->xfrm.policy_default[XFRM_POLICY_FWD]) !=
	       XFRM_USERPOLICY_ACCEPT ||
	       READ_ONCE(net->xfrm.policy_default[XFRM_POLICY_OUT]) !=
	       XFRM_USERPOLICY_ACCEPT;
}
#else
static inline int srcroute_decode_session(struct net *net, struct sk_buff *skb,
					  struct flowi *fl)
{
	return -EOPNOTSUPP;
}

static inline bool srcroute_has_policies(const struct net *net)
{
	return false;
}
#endif

/* The port of a bridge by which br_netfilter has seen a datagram: an ifindex, or 0. */
static inline int srcroute_bridge_port(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	return nf_bridge_get_physinif(skb);
#else
	return 0;
#endif
}

/*
 * In FORWARD, IPVS would translate what looks like a reply of one of its servers, and
 * reassemble fragments to find out (C2, H10).
 */
static inline void srcroute_hide_from_ipvs(struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_IP_VS)
	skb->ipvs_property = 1;
#endif
}

#endif /* _SRCROUTE_COMPAT_H */
