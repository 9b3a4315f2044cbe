// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel may do to a datagram, for scripts/check/proof-hooks.
 *
 * Whatever may move the header does so at any call, and frees the old one;
 * whatever may fail fails at any call; every answer of a table is any answer.
 * What a function takes for granted is proved where it is called.
 */
#include "proof.h"

struct proof_state proof;
struct net proof_net;
struct srcroute_net proof_sn;
struct srcroute_iface proof_iface;
struct srcroute_cpu proof_cpu;

static struct nf_hook_entries any_hooks;
static struct in_ifaddr any_addresses[2];
static struct in_device any_in_device[2];
static struct net_device any_device[2];
static struct ip_tunnel_info any_tunnel;
static struct nf_conn any_conn;
static struct sock any_socket;
static struct inet_sock any_inet_socket;
static struct ip_ra_chain any_daemon;
static struct dst_entry any_dst[2];
static struct rtable any_route[2];
static struct lwtunnel_state any_lwtstate;

/* Of the library: in full, for lengths that are not constant. */

#pragma CPROVER check push
#pragma CPROVER check disable "pointer"
#pragma CPROVER check disable "bounds"

static void copy(u8 *to, const u8 *from, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] = from[i];
}

static void fill(u8 *to, u8 octet, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] = octet;
}

static void any_octets(u8 *to, size_t n)
{
	struct proof_head any;

	copy(to, any.octet, n);
}

#pragma CPROVER check pop

void *memcpy(void *to, const void *from, size_t n)
{
	prove(__CPROVER_r_ok(from, n), "what is copied may be read");
	prove(__CPROVER_w_ok(to, n), "where it is copied to may be written");
	copy(to, from, n);
	return to;
}

void *memset(void *to, int octet, size_t n)
{
	prove(__CPROVER_w_ok(to, n), "what is filled may be written");
	fill(to, octet, n);
	return to;
}

bool proof_preempt_rt;
const struct task_struct *current;

bool in_softirq(void)
{
	return proof.softirq;
}

void local_bh_disable(void)
{
	proof.bh++;
}

void local_bh_enable(void)
{
	proof.bh--;
}

bool __ratelimit(struct ratelimit_state *limit)
{
	return nondet_bool();
}

/* The linear part: where it is, and moving it. */

static struct proof_head *new_head(void)
{
	struct proof_head *head = malloc(sizeof(*head));

	suppose(head);
	return head;
}

/*
 * What lies behind the linear part is out of bounds, but for one octet where it is
 * empty: the kernel has struct skb_shared_info there, so that octet may be read, and is
 * any.
 */
static void use_head(struct sk_buff *skb, struct proof_head *head,
		     unsigned int headlen)
{
	unsigned int start = PROOF_HEAD - (headlen ? headlen : 1);
	u8 *old = skb->head;

	skb->head = head->octet;
	skb->data = skb->head + start;
	skb->network_header = start;
	skb->data_len = skb->len - headlen;
	if (old)
		free(old);
}

/* Nor does moving it change what compiling has found. */
static void keep_compiled(const struct sk_buff *skb)
{
	if (proof.compiled)
		suppose(proof_is_compiled(skb));
}

/* Neither moving a datagram nor compiling its options changes its route. */
void proof_keep_route(const struct sk_buff *skb)
{
	const u8 *route = skb->data + proof.route.at;

	if (proof.route.at)
		suppose((route[0] == SRR_LSRR || route[0] == SRR_SSRR) &&
			route[1] == proof.route.len &&
			route[2] == proof.route.ptr);
}

static void move(struct sk_buff *skb)
{
	struct proof_head *head = new_head();

#ifdef HEADER
	/* Of what moves, the hooks may rely on nothing but the length again. */
	head->octet[0] = skb->head[0];
#else
	*head = *(struct proof_head *)skb->head;
#endif
	use_head(skb, head, skb_headlen(skb));
	proof_keep_route(skb);
	keep_compiled(skb);
}

/*
 * As the kernel may at any call. Not where the proof is about octets: moving does
 * not change them.
 */
void proof_move(struct sk_buff *skb)
{
#ifndef OCTETS
	if (nondet_bool())
		move(skb);
#endif
}

/* Is this a look at the header where it is now? */
bool proof_is_fresh(const struct sk_buff *skb, const struct srcroute_header *h)
{
	return h->iph == ip_hdr(skb) && h->options == (u8 *)(h->iph + 1) &&
	       sizeof(*h->iph) + h->options_len <= skb_headlen(skb);
}

#pragma CPROVER check push
#pragma CPROVER check disable "pointer"
#pragma CPROVER check disable "bounds"

/* An octet of the datagram, in the linear part or behind it. */
static u8 octet_at(const struct sk_buff *skb, unsigned int at)
{
	return at < skb_headlen(skb) ? skb->data[at] : proof.rest.octet[at];
}

#ifndef HEADER
static void pull(struct sk_buff *skb, unsigned int len)
{
	struct proof_head *head = new_head();
	unsigned int i;

	for (i = 0; i < PROOF_HEAD; i++)
		if (i < len)
			head->octet[PROOF_HEAD - len + i] = octet_at(skb, i);
	use_head(skb, head, len);
}
#endif /* HEADER */
#pragma CPROVER check pop

/* Any octets: what a quote holds is somebody else's. */
int skb_copy_bits(const struct sk_buff *skb, int offset, void *to, int len)
{
	if (offset > (int)skb->len - len)
		return -EFAULT;
	prove(offset >= 0 && len >= 0, "copies octets of the datagram");
	prove(__CPROVER_w_ok(to, len), "where octets are copied to may be written");
	any_octets(to, len);
	return 0;
}

#ifndef HEADER
bool pskb_may_pull(struct sk_buff *skb, unsigned int len)
{
	if (len <= skb_headlen(skb))
		return true;
	if (len > skb->len || nondet_bool())
		return false;
	prove(len <= PROOF_HEAD, "no more is pulled than a header");
	pull(skb, len);
	return true;
}

int skb_ensure_writable(struct sk_buff *skb, unsigned int len)
{
	if (!pskb_may_pull(skb, len) || nondet_bool())
		return -ENOMEM;
	proof_move(skb);
	return 0;
}
#endif /* HEADER */

int skb_cow(struct sk_buff *skb, unsigned int headroom)
{
	if (nondet_bool())
		return -ENOMEM;
	proof_move(skb);
	return 0;
}

/* What all functions of IPv4 take for granted that are given a datagram. */
static void check_header(const struct sk_buff *skb)
{
	prove(skb_headlen(skb) >= sizeof(struct iphdr) &&
	      ip_hdr(skb)->ihl >= 5 && ip_hdrlen(skb) <= skb_headlen(skb),
	      "the kernel is given a whole header");
}

/* Routes. */

struct dst_entry *skb_dst(const struct sk_buff *skb)
{
	switch (skb->_skb_refdst & ~SKB_DST_NOREF) {
	case PROOF_METADATA:
		return &any_dst[0];
	case PROOF_FOREIGN:
		return &any_dst[1];
	case PROOF_OUTPUT:
		return &any_route[0].dst;
	case PROOF_INPUT:
		return &any_route[1].dst;
	default:
		return NULL;
	}
}

static bool is_ipv4(unsigned long dst)
{
	return dst >= PROOF_OUTPUT;
}

/* Of the routes, all but metadata are without references here. */
void refdst_drop(unsigned long refdst)
{
	if (refdst == PROOF_METADATA)
		proof.held--;
}

struct ip_tunnel_info *skb_tunnel_info(const struct sk_buff *skb)
{
	struct ip_tunnel_info any;

	prove(skb_dst(skb) && !skb_valid_dst(skb), "metadata are asked for a tunnel");
	any_tunnel = any;
	return nondet_bool() ? &any_tunnel : NULL;
}

u32 sock_net_uid(const struct net *net, const struct sock *sk)
{
	return nondet_u32();
}

/* Looks into the transport header, and copies what it needs. */
bool fib4_rules_early_flow_dissect(struct net *net, struct sk_buff *skb,
				   struct flowi4 *fl4, struct flow_keys *keys)
{
	check_header(skb);
	return nondet_bool();
}

void dst_hold(struct dst_entry *dst)
{
	prove(dst, "there is something to hold");
	proof.held++;
}

bool dst_hold_safe(struct dst_entry *dst)
{
	if (nondet_bool())
		return false;
	dst_hold(dst);
	return true;
}

void dst_release(struct dst_entry *dst)
{
	if (dst)
		proof.held--;
}

static void any_rtable(struct rtable *rt)
{
	struct rtable any;

	*rt = any;
	rt->dst.dev = proof_device();
	rt->dst.flags &= ~DST_METADATA;
	rt->dst.lwtstate = nondet_bool() ? &any_lwtstate : NULL;
}

void proof_route(struct sk_buff *skb)
{
	any_rtable(&any_route[1]);
	skb->_skb_refdst = PROOF_INPUT;
}

int ip_route_input_noref(struct sk_buff *skb, __be32 daddr, __be32 saddr,
			 u8 tos, struct net_device *dev)
{
	int err = nondet_int();

	prove(dev, "routing is told the interface");
	suppose(err <= 0);
	if (err || nondet_bool())
		skb_dst_drop(skb);
	if (!err)
		proof_route(skb);
	return err;
}

int ip_route_me_harder(struct net *net, struct sock *sk, struct sk_buff *skb,
		       unsigned int type)
{
	check_header(skb);
	proof.rerouted = true;
	if (nondet_bool())
		return -EHOSTUNREACH;
	if (nondet_bool()) {	/* IPsec forbids it */
		skb->_skb_refdst = 0;
		return -EHOSTUNREACH;
	}
	any_rtable(&any_route[0]);
	skb->_skb_refdst = PROOF_OUTPUT;
	if (nondet_bool())
		return -ENOMEM;
	proof_move(skb);
	return 0;
}

u32 IP4_REPLY_MARK(const struct net *net, u32 mark)
{
	return nondet_u32();
}

/* Somebody may add a rule meanwhile. */
bool fib4_has_custom_rules(const struct net *net)
{
	return nondet_bool();
}

int fib_lookup(struct net *net, struct flowi4 *fl4, struct fib_result *res,
	       unsigned int flags)
{
	struct fib_result any;

	*res = any;
	return nondet_int();
}

u32 inet_addr_type_dev_table(struct net *net, const struct net_device *dev,
			     __be32 addr)
{
	return nondet_u32();
}

__be32 inet_select_addr(const struct net_device *dev, __be32 dst, int scope)
{
	return nondet_u32();
}

struct net_device *dev_get_by_index_rcu(struct net *net, int ifindex)
{
	return nondet_bool() ? proof_device() : NULL;
}

struct net_device *__ip_dev_find(struct net *net, __be32 addr, bool devref)
{
	return dev_get_by_index_rcu(net, 0);
}

int l3mdev_master_ifindex_rcu(const struct net_device *dev)
{
	return nondet_int();
}

struct net *dev_net(const struct net_device *dev)
{
	return &proof_net;
}

u32 rt_genid_ipv4(const struct net *net)
{
	return nondet_u32();
}

/* Ends of a datagram. */

void proof_take(struct sk_buff *skb)
{
	prove(skb == proof.skb, "it is the datagram that ends");
	proof.taken++;
	refdst_drop(skb->_skb_refdst);
	free(skb->head);
	free(skb);
}

void kfree_skb_reason(struct sk_buff *skb, enum skb_drop_reason reason)
{
	proof_take(skb);
}

int dst_input(struct sk_buff *skb)
{
	check_header(skb);
	prove(is_ipv4(skb->_skb_refdst), "what is forwarded has a route");
	prove(proof.bh || proof.softirq, "softirqs are held off");
	prove(!skb->sk, "what is forwarded is no socket's");
	proof.forwarded++;
	proof_take(skb);
	return 0;
}

/* Options. */

/* Has an option with a pointer room for @n octets ahead of it? */
static bool has_room(const u8 *header, unsigned int len, unsigned int at,
		     unsigned int n)
{
	return at >= sizeof(struct iphdr) && at + 3 <= len &&
	       at + header[at + 1] <= len && header[at + 2] >= 4 + n &&
	       header[at + 2] <= header[at + 1] + 1;
}

/* Has an option, at an offset in the header, no octet of what else is there? */
static bool is_apart(const u8 *header, unsigned int at, unsigned int other,
		     unsigned int len)
{
	return at + header[at + 1] <= other || at >= other + len;
}

static bool is_beside_route(const u8 *header, unsigned int at)
{
	return !proof.route.at ||
	       is_apart(header, at, proof.route.at, proof.route.len);
}

/* Is this what compiling finds in a header? */
static bool is_compiled(const struct ip_options *opt, const u8 *header,
			unsigned int len)
{
	return (!opt->rr_needaddr ||
		(has_room(header, len, opt->rr, 4) &&
		 is_beside_route(header, opt->rr) &&
		 header[opt->rr] == IPOPT_RR)) &&
	       (!opt->ts_needaddr ||
		(has_room(header, len, opt->ts, 9) &&
		 is_beside_route(header, opt->ts) &&
		 header[opt->ts] == IPOPT_TIMESTAMP)) &&
	       (!opt->rr_needaddr || !opt->ts_needaddr ||
		is_apart(header, opt->rr, opt->ts, header[opt->ts + 1]));
}

bool proof_is_compiled(const struct sk_buff *skb)
{
	return is_compiled(&IPCB(skb)->opt, skb_network_header(skb),
			   ip_hdrlen(skb));
}

/*
 * Checks, fills in @opt, and records by the route if there is one. From one option
 * to the next it goes as srr_parse() does, so that those that it finds overlap neither
 * the source route nor each other.
 */
int __ip_options_compile(struct net *net, struct ip_options *opt,
			 struct sk_buff *skb, __be32 *info)
{
	u8 *header = skb_network_header(skb);
	unsigned int len = sizeof(struct iphdr) + opt->optlen;
	struct ip_options any;

	check_header(skb);
	prove(ip_hdrlen(skb) == len, "it is all options that are checked");
	prove(!skb->_skb_refdst || is_ipv4(skb->_skb_refdst),
	      "options are recorded by a route of IPv4");
	any_octets(header + sizeof(struct iphdr), opt->optlen);
	proof_keep_route(skb);
	any.optlen = opt->optlen;
	any.nexthop = opt->nexthop;
	any.__pad2 = opt->__pad2;
	*opt = any;
	if (nondet_bool()) {
		*info = nondet_u32();
		return -EINVAL;
	}
	suppose(is_compiled(opt, header, len));
	proof.compiled = true;
	return 0;
}

/* Where an error is to go back the way, the route is read. */
static void check_echo(const struct sk_buff *skb, unsigned int at)
{
	const u8 *srr = skb_network_header(skb) + at;
	unsigned int len = ip_hdrlen(skb);

	prove(at >= sizeof(struct iphdr) && at + 3 <= len &&
	      at + srr[1] <= len, "the route that an error echoes is there");
	prove(srr[2] >= 4 && srr[1] >= 3,
	      "the route that an error echoes is sound");
}

/* Before Linux 6.12 it pulls more of the datagram than there was. */
void __icmp_send(struct sk_buff *skb, int type, int code, __be32 info,
		 const struct ip_options *opt)
{
	check_header(skb);
	prove(is_ipv4(skb->_skb_refdst), "an error has a route");
	if (opt->srr)
		check_echo(skb, opt->srr);
	proof.answered++;
	proof_move(skb);
}

/* It decodes the datagram, and pulls for that. */
bool xfrm4_policy_check(struct sock *sk, int dir, struct sk_buff *skb)
{
	check_header(skb);
	proof_move(skb);
	return nondet_bool();
}

/* Before Linux 6.9 it pulls. */
int __xfrm_decode_session(struct net *net, struct sk_buff *skb, struct flowi *fl,
			  unsigned int family, int reverse)
{
	check_header(skb);
	proof_move(skb);
	return nondet_int();
}

/* Keeps the reference for the route that it returns, or gives it back. */
struct dst_entry *xfrm_lookup(struct net *net, struct dst_entry *dst_orig,
			      const struct flowi *fl, const struct sock *sk,
			      int flags)
{
	prove(proof.held == 1, "IPsec is given a reference");
	if (nondet_bool()) {
		dst_release(dst_orig);
		return ERR_PTR(-EHOSTUNREACH);
	}
	return nondet_bool() ? dst_orig : &any_route[0].dst;
}

unsigned int ip_dst_mtu_maybe_forward(const struct dst_entry *dst,
				      bool forwarding)
{
	prove(dst && dst->dev, "the MTU is that of a route");
	return nondet_u32();
}

bool skb_gso_validate_network_len(const struct sk_buff *skb, unsigned int mtu)
{
	prove(skb->gso, "only what has segments is asked for their length");
	return nondet_bool();
}

__sum16 ip_fast_csum(const void *iph, unsigned int ihl)
{
	prove(ihl >= 5, "a checksum is of five words or more");
	prove(__CPROVER_r_ok(iph, 4 * ihl), "a checksum is of octets that are there");
	return nondet_u32();
}

void ip_send_check(struct iphdr *iph)
{
	iph->check = 0;
	iph->check = ip_fast_csum(iph, iph->ihl);
}

void ktime_get_real_ts64(struct timespec64 *ts)
{
	ts->tv_sec = nondet_u32();
	ts->tv_nsec = nondet_u32() % (1000 * 1000 * 1000);
}

u64 div_u64_rem(u64 dividend, u32 divisor, u32 *remainder)
{
	prove(divisor, "nothing is divided by 0");
	*remainder = dividend % divisor;
	return dividend / divisor;
}

void proof_print_addresses(const __be32 *from, const __be32 *to)
{
	prove(__CPROVER_r_ok(from, sizeof(*from)) &&
	      __CPROVER_r_ok(to, sizeof(*to)), "what is logged is there");
}

/* Any datagram, and what has become of it. */

struct net_device *proof_device(void)
{
	return &any_device[nondet_bool()];
}

static void any_namespace(void)
{
	struct net_device device[2];
	struct in_ifaddr addresses[2];
	struct srcroute_iface iface;
	struct nf_hook_entries hooks;
	struct dst_entry dst[2];
	struct srcroute_cpu cpu;
	struct net net;
	int i;

	any_hooks = hooks;
	proof_net = net;
	proof_net.nf.hooks_ipv4[NF_INET_PRE_ROUTING] =
		nondet_bool() ? &any_hooks : NULL;
	proof_net.ipv4.ra_chain = nondet_bool() ? &any_daemon : NULL;
	any_daemon.next = NULL;
	any_daemon.sk = nondet_bool() ? &any_inet_socket.sk : NULL;
	for (i = 0; i < 2; i++) {
		any_addresses[i] = addresses[i];
		any_in_device[i].ifa_list = nondet_bool() ? any_addresses : NULL;
		any_device[i] = device[i];
		any_device[i].in_dev = nondet_bool() ? &any_in_device[i] : NULL;
		any_dst[i] = dst[i];
		any_dst[i].dev = proof_device();
	}
	any_addresses[0].ifa_next = nondet_bool() ? &any_addresses[1] : NULL;
	any_addresses[1].ifa_next = NULL;
	any_dst[0].flags |= DST_METADATA;
	any_dst[1].flags &= ~DST_METADATA;
	any_rtable(&any_route[0]);
	any_rtable(&any_route[1]);

	proof_cpu.local = cpu.local;
	proof_iface = iface;
	proof_iface.node.next = NULL;
	proof_iface.dev = proof_device();
	proof_iface.cpu = &proof_cpu;
	proof_sn.net = &proof_net;
	proof_sn.ifaces = nondet_bool() ? &proof_iface.node : NULL;
}

struct sk_buff *proof_datagram(void)
{
	struct sk_buff *skb = malloc(sizeof(*skb));
	struct proof_head *head = new_head();
#ifdef HEADER
	unsigned int headlen = HEADER;
#else
	unsigned int headlen = nondet_u32();
#endif
	struct proof_head rest;
	struct sk_buff any;

	suppose(skb);
	any_namespace();
	*skb = any;
	suppose(skb->len <= 0x7fffffff);
	suppose(headlen <= skb->len && headlen <= PROOF_HEAD);
	skb->head = NULL;
	use_head(skb, head, headlen);
	skb->dev = proof_device();
	skb->sk = nondet_bool() ? &any_socket : NULL;
	skb->ct = nondet_bool() ? &any_conn : NULL;
	suppose(skb->_skb_refdst <= PROOF_OUTPUT ||
		skb->_skb_refdst == (PROOF_METADATA | SKB_DST_NOREF));

	proof.skb = skb;
	proof.softirq = nondet_bool();
	proof_preempt_rt = nondet_bool();
	proof.rest = rest;
	proof.head = *head;
	proof.before = *skb;
	return skb;
}

/* What srcroute_classify() finds of an owned datagram; whatever it leaves is any. */
void proof_own(struct srcroute_packet *p, struct sk_buff *skb)
{
	struct srcroute_packet any;

	*p = any;
	p->skb = skb;
	p->net = &proof_net;
	p->sn = &proof_sn;
	p->in = proof_device();
	p->iface = &proof_iface;
	suppose(srcroute_header_read(skb, &p->h));
}

static u8 octet_before(unsigned int at)
{
	unsigned int headlen = skb_headlen(&proof.before);

	return at < headlen ? proof.head.octet[PROOF_HEAD - headlen + at] :
			      proof.rest.octet[at];
}

static bool is_octet_unchanged(const struct sk_buff *skb, unsigned int at)
{
#if defined(HEADER) && !defined(OCTETS)
	return true;	/* asked with OCTETS */
#else
	return octet_at(skb, at) == octet_before(at);
#endif
}

/* Every octet, and what goes with the datagram: O1, bit for bit. */
bool proof_is_unchanged(void)
{
	const struct sk_buff *skb = proof.skb, *before = &proof.before;
	unsigned int at = nondet_u32();

	suppose(at < PROOF_HEAD && at < before->len);
	return skb->len == before->len && skb->mark == before->mark &&
	       skb->_skb_refdst == before->_skb_refdst &&
	       skb->dev == before->dev && skb->sk == before->sk &&
	       is_octet_unchanged(skb, at);
}

unsigned long proof_counted(void)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < SRCROUTE_OUTCOME_COUNT; i++)
		sum += proof_cpu.stats.outcome[i];
	return sum;
}
