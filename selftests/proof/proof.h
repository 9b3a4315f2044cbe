/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the proofs of the hooks have in common: any datagram, any namespace, and
 * what has become of them.
 */
#ifndef _PROOF_H
#define _PROOF_H

#include "datapath.h"

/*
 * The octets of a datagram that the proof is about. Of a hook it is done for each
 * length of a header, HEADER octets: one octet further is out of bounds. Without
 * HEADER it is about the functions of kmod/header.c, for every length at once.
 */
#ifdef HEADER
#define PROOF_HEAD	HEADER
#else
#define PROOF_HEAD	60
#endif

#define prove(condition, what)		__CPROVER_assert(condition, what)
#define suppose(condition)		__CPROVER_assume(condition)

/* Is to be possible, or what is proved of it says nothing. */
#ifdef REACH
#define reach(condition)		__CPROVER_cover(condition)
#else
#define reach(condition)		((void)sizeof(condition))
#endif

/**
 * struct proof_head - memory that holds the linear part of a datagram
 * @octet: the linear part is at the end of it
 */
struct proof_head {
	u8 octet[PROOF_HEAD];
};

/*
 * What a datagram may have for a route. The third is not one of IPv4: that of an
 * IPv6 segment, for one.
 */
enum proof_dst {
	PROOF_NONE,
	PROOF_METADATA,
	PROOF_FOREIGN,
	PROOF_OUTPUT,
	PROOF_INPUT,
	PROOF_DST_COUNT
};

/**
 * struct proof_state - a datagram, and what has been done with it
 * @skb: the datagram
 * @taken: times that it was freed or given to someone else
 * @forwarded: times that it was given to ip_forward()
 * @rerouted: ip_route_me_harder() was asked
 * @answered: ICMP errors that were sent about it
 * @route: offset in the header of the sound source route that was found in it, or 0,
 *	   and its length and pointer
 * @unwritable: there was no memory to change its header in
 * @compiled: its options have been compiled
 * @held: references to routes and metadata that are not a datagram's
 * @bh: how often softirqs are held off
 * @softirq: this is one
 * @rest: what follows the linear part, by offset in the datagram
 * @head: @skb's memory at first
 * @before: @skb at first
 */
struct proof_state {
	struct sk_buff *skb;
	unsigned int taken;
	unsigned int forwarded;
	bool rerouted;
	unsigned int answered;
	struct {
		unsigned int at;
		u8 len;
		u8 ptr;
	} route;
	bool unwritable;
	bool compiled;
	int held;
	int bh;
	bool softirq;
	struct proof_head rest;
	struct proof_head head;
	struct sk_buff before;
};

extern struct proof_state proof;
extern struct net proof_net;
extern struct srcroute_net proof_sn;
extern struct srcroute_iface proof_iface;
extern struct srcroute_cpu proof_cpu;

/* A datagram of any octets and lengths, in the namespace and its interfaces. */
struct sk_buff *proof_datagram(void);
struct net_device *proof_device(void);
void proof_own(struct srcroute_packet *p, struct sk_buff *skb);
void proof_move(struct sk_buff *skb);
void proof_keep_route(const struct sk_buff *skb);
void proof_take(struct sk_buff *skb);
void proof_route(struct sk_buff *skb);
bool proof_is_fresh(const struct sk_buff *skb, const struct srcroute_header *h);
bool proof_is_unchanged(void);
unsigned long proof_counted(void);
bool proof_is_compiled(const struct sk_buff *skb);

#endif /* _PROOF_H */
