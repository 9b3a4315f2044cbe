/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel for scripts/check/proof-hooks: what the hooks use of it, and no more, in
 * place of all its headers. What it may do to a datagram is in kernel.c; here are
 * declarations, and functions that only ask.
 *
 * Whatever the module does not decide itself is any value: nondet_*() have no
 * body, and nor has a variable that nobody sets.
 *
 * checkpatch: NEW_TYPEDEFS,MACRO_ARG_REUSE,MACRO_ARG_PRECEDENCE,SPACING: it is
 * the kernel, as far as the module can tell.
 * checkpatch: CAMELCASE,MACRO_ARG_UNUSED,IS_ENABLED_CONFIG,TRAILING_SEMICOLON: words
 * of the language, and macros of the kernel's that mean less here.
 */
#ifndef _PROOF_KERNEL_H
#define _PROOF_KERNEL_H

/* Of the language and its library. */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef u64 __be64;
typedef u16 __be16;
typedef u32 __be32;
typedef u16 __sum16;
typedef unsigned long size_t;
typedef _Bool bool;

enum {
	false,
	true
};

#define NULL			((void *)0)
#define offsetof(type, member)	__builtin_offsetof(type, member)
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define static_assert(expr, ...) _Static_assert(expr, "" __VA_ARGS__)

#define ENOMEM		12
#define EACCES		13
#define EFAULT		14
#define EINVAL		22
#define ENETUNREACH	101
#define ENOBUFS		105
#define EHOSTUNREACH	113

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int octet, size_t n);
void *malloc(size_t size);
void free(void *memory);

/* For `scripts/check/proof-hooks --compile`: CBMC knows these by itself. */
#ifdef WITHOUT_CBMC
void __CPROVER_assert(bool condition, const char *what);
void __CPROVER_assume(bool condition);
void __CPROVER_cover(bool condition);
bool __CPROVER_r_ok(const void *from, size_t n);
bool __CPROVER_w_ok(const void *to, size_t n);
#endif

bool nondet_bool(void);
u8 nondet_u8(void);
u32 nondet_u32(void);
int nondet_int(void);

/* Of the compiler, and of other processors. */

#define likely(x)		(x)
#define unlikely(x)		(x)
#define noinline
#define __always_inline	inline
#define __uninitialized
#define __rcu
#define __percpu
#define __force
#define __read_mostly
#define CONFIG_XFRM		1

/* Everything is, and PREEMPT_RT may be. */
#define IS_ENABLED(option)	PROOF_##option
#define PROOF_CONFIG_BRIDGE_NETFILTER	1
#define PROOF_CONFIG_IP_VS	1
#define PROOF_CONFIG_PREEMPT_RT	proof_preempt_rt
extern bool proof_preempt_rt;

#define BUILD_BUG_ON_MSG(condition, message) \
	_Static_assert(!(condition), message)

/* Another value each time: someone writes it meanwhile. */
#define READ_ONCE(x) ({							\
	__typeof__(x) any_value;					\
	(void)(x);							\
	any_value;							\
})

#define WRITE_ONCE(x, value)		((x) = (value))
#define rcu_dereference(pointer)	(pointer)
#define this_cpu_inc(x)			((x)++)
#define this_cpu_read(x)		(x)
#define this_cpu_ptr(pointer)		(pointer)
#define this_cpu_write(x, value)	((x) = (value))
#define DEFINE_PER_CPU(type, name)	type name
#define raw_cpu_read(x)			((x) + nondet_u8())
#define __this_cpu_inc(x)		((x)++)
#define __this_cpu_dec(x)		((x)--)
#define preempt_disable()
#define preempt_enable()
#define lockdep_is_held(lock)		0
#define lockdep_rtnl_is_held()		0

bool in_softirq(void);
void local_bh_disable(void);
void local_bh_enable(void);

struct rcu_head {
	int unused;
};

struct mutex {
	int unused;
};

struct ratelimit_state {
	int unused;
};

bool __ratelimit(struct ratelimit_state *limit);

struct task_struct;
extern const struct task_struct *current;

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

static inline void hlist_add_head(struct hlist_node *node,
				  struct hlist_head *head)
{
	node->next = head->first;
	node->pprev = &head->first;
	if (head->first)
		head->first->pprev = &node->next;
	head->first = node;
}

static inline void hlist_del(struct hlist_node *node)
{
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
}

#define hlist_for_each_entry(item, head, member)			\
	for (struct hlist_node *node = (head)->first;			\
	     node && (item = container_of(node, __typeof__(*item),	\
					  member), 1);			\
	     node = node->next)

/* A list is as good as a table: at most one item has a key. */
#define DECLARE_HASHTABLE(name, bits)	struct hlist_node *name
#define hash_for_each_possible_rcu(table, item, member, key, cond)	\
	for (item = table ? container_of(table, __typeof__(*item), member) : \
			    NULL;					\
	     item;							\
	     item = item->member.next ? container_of(item->member.next,	\
						     __typeof__(*item),	\
						     member) : NULL)

/* Octets: this machine is little-endian. */

static inline u16 ntohs(__be16 x)
{
	return x >> 8 | x << 8;
}

static inline u32 ntohl(__be32 x)
{
	return x >> 24 | (x >> 8 & 0xff00) | (x & 0xff00) << 8 | x << 24;
}

#define htons(x)	ntohs(x)
#define htonl(x)	ntohl(x)

/* Of protocols. */

#define AF_INET			2
#define SOCK_RAW		3
#define IPPROTO_ICMP		1
#define IPOPT_END		0
#define IPOPT_NOOP		1
#define IPOPT_RR		7
#define IPOPT_TIMESTAMP		68
#define ICMP_DEST_UNREACH	3
#define ICMP_NET_UNREACH	0
#define ICMP_HOST_UNREACH	1
#define ICMP_PKT_FILTERED	13
#define ICMP_FRAG_NEEDED	4
#define ICMP_TIME_EXCEEDED	11
#define ICMP_EXC_TTL		0
#define ICMP_REDIRECT		5
#define ICMP_PARAMETERPROB	12
#define INET_DSCP_MASK		0xfc
#define INET_ECN_MASK		3
#define inet_dsfield_to_dscp(dsfield)	((u8)((dsfield) & INET_DSCP_MASK))
#define DEFINE_DROP_REASON(...)

struct iphdr {
	u8 ihl:4, version:4;
	u8 tos;
	__be16 tot_len;
	__be16 id;
	__be16 frag_off;
	u8 ttl;
	u8 protocol;
	__sum16 check;
	__be32 saddr;
	__be32 daddr;
};

struct icmphdr {
	u8 type;
	u8 code;
	__sum16 checksum;
	__be32 un;
};

#define IP_DF			0x4000
#define IPSTATS_MIB_INHDRERRORS	4
#define IPSTATS_MIB_FRAGFAILS	18
#define IP_INC_STATS(net, item)	((void)(net))

static inline bool ipv4_is_loopback(__be32 addr)
{
	return (addr & 0xff) == 127;
}

static inline bool ipv4_is_zeronet(__be32 addr)
{
	return !addr;
}

static inline bool ipv4_is_multicast(__be32 addr)
{
	return (addr & 0xf0) == 224;
}

static inline bool ipv4_is_lbcast(__be32 addr)
{
	return addr == 0xffffffff;
}

/* Of interfaces. */

#define IFNAMSIZ	16
#define IFF_LOOPBACK	8

struct in_ifaddr {
	struct in_ifaddr *ifa_next;
	__be32 ifa_local;
	__be32 ifa_address;
	__be32 ifa_mask;
};

struct in_device {
	struct in_ifaddr *ifa_list;
};

struct net_device {
	char name[IFNAMSIZ];
	int ifindex;
	u32 flags;
	bool l3_master;
	bool l3_slave;
	bool l3_rx_handler;
	bool bridge_port;
	struct in_device *in_dev;
};

#define in_dev_for_each_ifa_rcu(ifa, in_dev) \
	for (ifa = (in_dev)->ifa_list; ifa; ifa = ifa->ifa_next)

static inline bool netif_is_l3_master(const struct net_device *dev)
{
	return dev->l3_master;
}

static inline bool netif_is_l3_slave(const struct net_device *dev)
{
	return dev->l3_slave;
}

static inline bool netif_is_bridge_port(const struct net_device *dev)
{
	return dev->bridge_port;
}

static inline bool netif_has_l3_rx_handler(const struct net_device *dev)
{
	return dev->l3_rx_handler;
}

static inline struct in_device *__in_dev_get_rcu(const struct net_device *dev)
{
	return dev->in_dev;
}

static inline bool inet_ifa_match(__be32 addr, const struct in_ifaddr *ifa)
{
	return !((addr ^ ifa->ifa_address) & ifa->ifa_mask);
}

static inline bool IN_DEV_FORWARD(const struct in_device *in_dev)
{
	return in_dev->ifa_list || nondet_bool();
}

static inline bool IN_DEV_SOURCE_ROUTE(const struct in_device *in_dev)
{
	return in_dev->ifa_list || nondet_bool();
}

static inline bool IN_DEV_LOG_MARTIANS(const struct in_device *in_dev)
{
	return in_dev->ifa_list || nondet_bool();
}

/* Of a namespace. */

#define NF_DROP			0u
#define NF_ACCEPT		1u
#define NF_STOLEN		2u
#define NF_INET_PRE_ROUTING	0
#define NF_INET_NUMHOOKS	5

#define XFRM_POLICY_FWD		2
#define XFRM_POLICY_OUT		1
#define XFRM_USERPOLICY_ACCEPT	2

struct nf_hook_ops {
	int unused;
};

struct nf_hook_entries {
	u16 num_hook_entries;
};

struct user_namespace;
extern struct user_namespace init_user_ns;

struct net {
	struct user_namespace *user_ns;
	struct {
		struct nf_hook_entries *hooks_ipv4[NF_INET_NUMHOOKS];
	} nf;
	struct {
		unsigned int policy_count[3];
		u8 policy_default[3];
	} xfrm;
	struct {
		struct ip_ra_chain *ra_chain;
	} ipv4;
};

struct sock {
	int sk_bound_dev_if;
	u16 sk_type;
	u16 sk_protocol;
	u8 sk_kern_sock:1;
	struct net *net;
};

struct inet_sock {
	struct sock sk;
	u16 inet_num;
};

struct ip_ra_chain {
	struct ip_ra_chain *next;
	struct sock *sk;
};

struct nf_hook_state {
	struct net_device *in;
	struct net_device *out;
	struct sock *sk;
	struct net *net;
};

static inline const struct inet_sock *inet_sk(const struct sock *sk)
{
	return (const struct inet_sock *)sk;
}

static inline bool sk_fullsock(const struct sock *sk)
{
	return sk;
}

struct net *dev_net(const struct net_device *dev);
int l3mdev_master_ifindex_rcu(const struct net_device *dev);
struct net_device *dev_get_by_index_rcu(struct net *net, int ifindex);
struct net_device *__ip_dev_find(struct net *net, __be32 addr, bool devref);
u32 rt_genid_ipv4(const struct net *net);
void *net_generic(const struct net *net, unsigned int id);

/* Of routing. */

#define RTCF_LOCAL		0x80000000
#define LOOPBACK_IFINDEX	1
#define IPTOS_TOS_MASK		0x1E
#define IPTOS_PREC_INTERNETCONTROL	0xC0

#define RTN_UNSPEC		0
#define RTN_UNICAST		1
#define RTN_LOCAL		2
#define RTN_BROADCAST		3
#define RTN_UNREACHABLE		7
#define RT_SCOPE_UNIVERSE	0

#define DST_METADATA		128

struct lwtunnel_state {
	bool input_redirect;
};

struct dst_entry {
	struct net_device *dev;
	struct lwtunnel_state *lwtstate;
	u16 flags;
	u16 header_len;
	short error;
};

#define LL_RESERVED_SPACE(dev)	(nondet_u8() + (dev)->flags % 2)

static inline bool lwtunnel_input_redirect(const struct lwtunnel_state *lwtstate)
{
	return lwtstate && lwtstate->input_redirect;
}

struct rtable {
	struct dst_entry dst;
	u16 rt_type;
	unsigned int rt_flags;
	u8 rt_uses_gateway;
	u8 rt_gw_family;
	__be32 rt_gw4;
};

struct fib_result {
	u8 prefixlen;
	u8 type;
};

struct flow_keys {
	int unused;
};

#define IP_TUNNEL_INFO_TX	1

struct ip_tunnel_info {
	struct {
		__be64 tun_id;
	} key;
	u8 mode;
};

struct flowi4 {
	int flowi4_iif;
	int flowi4_oif;
	u32 flowi4_mark;
	u8 flowi4_tos;
	u8 flowi4_scope;
	u8 flowi4_proto;
	u32 flowi4_uid;
	u8 fl4_icmp_type;
	u8 fl4_icmp_code;
	struct {
		__be64 tun_id;
	} flowi4_tun_key;
	__be32 saddr;
	__be32 daddr;
};

u32 IP4_REPLY_MARK(const struct net *net, u32 mark);
int fib_lookup(struct net *net, struct flowi4 *fl4, struct fib_result *res,
	       unsigned int flags);
bool fib4_has_custom_rules(const struct net *net);
u32 sock_net_uid(const struct net *net, const struct sock *sk);
u32 inet_addr_type_dev_table(struct net *net, const struct net_device *dev,
			     __be32 addr);
__be32 inet_select_addr(const struct net_device *dev, __be32 dst, int scope);

/* Of datagrams. */

#define PACKET_HOST		0
#define IPSKB_DOREDIRECT	2

struct ip_options {
	__be32 faddr;
	__be32 nexthop;
	u8 optlen;
	u8 srr;
	u8 rr;
	u8 ts;
	u8 is_strictroute:1, srr_is_hit:1, is_changed:1, rr_needaddr:1,
	   ts_needtime:1, ts_needaddr:1;
	u8 router_alert;
	u8 cipso;
	u8 __pad2;
};

struct inet_skb_parm {
	int iif;
	struct ip_options opt;
	u16 flags;
	u16 frag_max_size;
};

struct nf_conntrack_tuple {
	struct {
		struct {
			__be32 ip;
		} u3;
	} src;
};

struct nf_conn {
	unsigned long status;
	struct nf_conntrack_tuple tuple[2];	/* by enum ip_conntrack_dir */
};

enum ip_conntrack_info {
	IP_CT_ESTABLISHED,
	IP_CT_RELATED,
	IP_CT_NEW,
	IP_CT_IS_REPLY,
	IP_CT_UNTRACKED = 7
};

enum ip_conntrack_dir {
	IP_CT_DIR_ORIGINAL,
	IP_CT_DIR_REPLY
};

#define CTINFO2DIR(info)	((info) >= IP_CT_IS_REPLY)
#define nf_ct_tuple(ct, dir)	(&(ct)->tuple[dir])
#define IPS_SRC_NAT		16
#define IPS_DST_NAT		32

/**
 * struct sk_buff - a datagram
 * @head: the memory that holds its linear part, of PROOF_HEAD octets
 * @data: the linear part, which ends where @head ends: one octet further is out
 *	  of bounds, however long the linear part is
 * @_skb_refdst: number of its route (enum proof_dst), 0 for none, and SKB_DST_NOREF
 */
struct sk_buff {
	u8 *head;
	u8 *data;
	unsigned int len;
	unsigned int data_len;
	struct net_device *dev;
	struct sock *sk;
	unsigned long _skb_refdst;
	struct nf_conn *ct;
	enum ip_conntrack_info ctinfo;
	struct inet_skb_parm control;
	u32 mark;
	u16 network_header;
	u16 transport_header;
	u8 pkt_type;
	bool ignore_df;
	bool gso;
	bool gso_tcp;
	bool bridged;
	int bridge_port;
	bool secpath;
	bool ipvs_property;
};

#define IPCB(skb)	(&(skb)->control)

static inline unsigned int skb_headlen(const struct sk_buff *skb)
{
	return skb->len - skb->data_len;
}

static inline bool skb_cloned(const struct sk_buff *skb)
{
	return nondet_bool();
}

static inline u8 *skb_network_header(const struct sk_buff *skb)
{
	return skb->head + skb->network_header;
}

static inline int skb_network_offset(const struct sk_buff *skb)
{
	return skb_network_header(skb) - skb->data;
}

static inline void skb_set_transport_header(struct sk_buff *skb, int offset)
{
	skb->transport_header = skb->data - skb->head + offset;
}

static inline int skb_transport_offset(const struct sk_buff *skb)
{
	/* The header may be noted anywhere: not by a pointer to there. */
	return skb->transport_header - (skb->data - skb->head);
}

static inline struct iphdr *ip_hdr(const struct sk_buff *skb)
{
	return (struct iphdr *)skb_network_header(skb);
}

static inline unsigned int ip_hdrlen(const struct sk_buff *skb)
{
	return ip_hdr(skb)->ihl * 4;
}

static inline bool skb_is_gso(const struct sk_buff *skb)
{
	return skb->gso;
}

static inline bool skb_is_gso_tcp(const struct sk_buff *skb)
{
	return skb->gso_tcp;
}

static inline bool nf_bridge_in_prerouting(const struct sk_buff *skb)
{
	return skb->bridged;
}

static inline int nf_bridge_get_physinif(const struct sk_buff *skb)
{
	return skb->bridge_port;
}

static inline bool secpath_exists(const struct sk_buff *skb)
{
	return skb->secpath;
}

static inline void *skb_nfct(const struct sk_buff *skb)
{
	return skb->ct;
}

static inline struct nf_conn *nf_ct_get(const struct sk_buff *skb,
					enum ip_conntrack_info *info)
{
	*info = skb->ctinfo;
	return skb->ct;
}

static inline void nf_ct_set(struct sk_buff *skb, struct nf_conn *ct,
			     enum ip_conntrack_info info)
{
	skb->ct = ct;
	skb->ctinfo = info;
}

static inline void nf_reset_ct(struct sk_buff *skb)
{
	skb->ct = NULL;
}

static inline void skb_orphan(struct sk_buff *skb)
{
	skb->sk = NULL;
}

struct dst_entry *skb_dst(const struct sk_buff *skb);

static inline struct rtable *skb_rtable(const struct sk_buff *skb)
{
	return (struct rtable *)skb_dst(skb);
}

static inline bool skb_valid_dst(const struct sk_buff *skb)
{
	return skb_dst(skb) && !(skb_dst(skb)->flags & DST_METADATA);
}

#define SKB_DST_NOREF		8ul

void refdst_drop(unsigned long refdst);

static inline void skb_dst_drop(struct sk_buff *skb)
{
	refdst_drop(skb->_skb_refdst);
	skb->_skb_refdst = 0;
}

struct ip_tunnel_info *skb_tunnel_info(const struct sk_buff *skb);
void dst_hold(struct dst_entry *dst);
bool dst_hold_safe(struct dst_entry *dst);
void dst_release(struct dst_entry *dst);

/* These may free, change or move a datagram, and fail. */

enum skb_drop_reason {
	SKB_DROP_REASON_NOT_SPECIFIED,
	SKB_DROP_REASON_NETFILTER_DROP,
	SKB_DROP_REASON_IP_INHDR,
	SKB_DROP_REASON_IP_INADDRERRORS,
	SKB_DROP_REASON_IP_INNOROUTES,
	SKB_DROP_REASON_IP_RPFILTER,
	SKB_DROP_REASON_NOMEM,
	SKB_DROP_REASON_PKT_TOO_BIG
};

bool fib4_rules_early_flow_dissect(struct net *net, struct sk_buff *skb,
				   struct flowi4 *fl4, struct flow_keys *keys);
bool pskb_may_pull(struct sk_buff *skb, unsigned int len);
int skb_ensure_writable(struct sk_buff *skb, unsigned int len);
int skb_copy_bits(const struct sk_buff *skb, int offset, void *to, int len);
void kfree_skb_reason(struct sk_buff *skb, enum skb_drop_reason reason);
int dst_input(struct sk_buff *skb);
int ip_route_input_noref(struct sk_buff *skb, __be32 daddr, __be32 saddr,
			 u8 tos, struct net_device *dev);
int ip_route_me_harder(struct net *net, struct sock *sk, struct sk_buff *skb,
		       unsigned int type);
int __ip_options_compile(struct net *net, struct ip_options *opt,
			 struct sk_buff *skb, __be32 *info);
void __icmp_send(struct sk_buff *skb, int type, int code, __be32 info,
		 const struct ip_options *opt);
bool xfrm4_policy_check(struct sock *sk, int dir, struct sk_buff *skb);
unsigned int ip_dst_mtu_maybe_forward(const struct dst_entry *dst,
				      bool forwarding);
bool skb_gso_validate_network_len(const struct sk_buff *skb, unsigned int mtu);
int skb_cow(struct sk_buff *skb, unsigned int headroom);

struct flowi {
	struct {
		struct flowi4 ip4;
	} u;
};

#define XFRM_LOOKUP_QUEUE	2

int __xfrm_decode_session(struct net *net, struct sk_buff *skb, struct flowi *fl,
			  unsigned int family, int reverse);
struct dst_entry *xfrm_lookup(struct net *net, struct dst_entry *dst_orig,
			      const struct flowi *fl, const struct sock *sk,
			      int flags);

static inline struct dst_entry *ERR_PTR(long error)
{
	return (struct dst_entry *)error;
}

static inline bool IS_ERR(const void *pointer)
{
	return (unsigned long)pointer >= (unsigned long)-4095;
}

__sum16 ip_fast_csum(const void *iph, unsigned int ihl);
void ip_send_check(struct iphdr *iph);

#define MSEC_PER_SEC	1000L
#define NSEC_PER_MSEC	1000000L

struct timespec64 {
	long tv_sec;
	long tv_nsec;
};

void ktime_get_real_ts64(struct timespec64 *ts);
u64 div_u64_rem(u64 dividend, u32 divisor, u32 *remainder);

/* Of logs and tracing. What is printed is read. */

void proof_print_addresses(const __be32 *from, const __be32 *to);

#define pr_notice(...)			((void)0)
#define pr_warn(format, in, from, to, outcome) \
	proof_print_addresses(from, to)

#define TP_PROTO(...)			__VA_ARGS__
#define TP_ARGS(...)			__VA_ARGS__
#define TP_STRUCT__entry(...)		__VA_ARGS__
#define TP_fast_assign(...)		__VA_ARGS__
#define TP_printk(...)
#define __array(type, item, n)		type item[n];
#define __field(type, item)		type item;
#define TRACE_DEFINE_ENUM(value)
#define TRACE_EVENT(name, proto, args, fields, assign, print)		\
	static inline void trace_##name(proto)				\
	{								\
		struct {						\
			fields						\
		} entry, *__entry = &entry;				\
		assign							\
	}

#endif /* _PROOF_KERNEL_H */
