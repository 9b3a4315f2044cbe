/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels, recognised by what they declare and never by
 * their version: distributions carry patches back.
 */
#ifndef _SRCROUTE_COMPAT_H
#define _SRCROUTE_COMPAT_H

#include <linux/build_bug.h>
#include <linux/sysctl.h>
#include <net/inet_dscp.h>
#include <net/net_namespace.h>
#include <net/route.h>
#include <net/udp.h>	/* has <net/gso.h>, where there is one (Linux 6.5) */
#include <net/xfrm.h>

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

/* The bits of the TOS octet that routing asks for: since Linux 6.12 all of the DSCP. */
#ifdef IPTOS_RT_MASK
#define SRCROUTE_TOS_MASK	IPTOS_RT_MASK
#else
#define SRCROUTE_TOS_MASK	INET_DSCP_MASK
#endif

/* Since Linux 6.9 this takes the namespace, too. */
#ifdef CONFIG_XFRM
static inline int srcroute_decode_session(struct net *net, struct sk_buff *skb,
					  struct flowi *fl)
{
	typedef int with_net(struct net *, struct sk_buff *, struct flowi *,
			     unsigned int, int);
	typedef int without_net(struct sk_buff *, struct flowi *, unsigned int,
				int);
	void *decode = __xfrm_decode_session;

	if (__builtin_types_compatible_p(typeof(__xfrm_decode_session),
					 without_net))
		return ((without_net *)decode)(skb, fl, AF_INET, 0);
	return ((with_net *)decode)(net, skb, fl, AF_INET, 0);
}
#endif

/* Linux 6.14 made this return a drop reason; the decisions here need errno. */
static_assert(__builtin_types_compatible_p
	      (typeof(ip_route_input_noref(NULL, 0, 0, 0, NULL)), int),
	      "srcroute does not know this kernel's ip_route_input_noref()");

#endif /* _SRCROUTE_COMPAT_H */
