/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can become of an owned datagram: one table for the counters, the ICMP
 * errors, the tracepoint, the log and the documentation.
 */
#ifndef _SRCROUTE_OUTCOME_H
#define _SRCROUTE_OUTCOME_H

#include <linux/types.h>

/**
 * struct srcroute_outcome_info - what the rest of the module knows of one
 * @name: of the counter
 * @icmp_type: of the error that tells the source, 0 for none
 * @icmp_code: of that error
 * @drop_reason: enum skb_drop_reason, for the kernel's own drop monitoring
 * @sentence: for the log
 */
struct srcroute_outcome_info {
	const char *name;
	u8 icmp_type;
	u8 icmp_code;
	int drop_reason;
	const char *sentence;
};

/*
 * X(ID, name, ICMP type, ICMP code, kernel drop reason, sentence)
 *
 * ICMP type 0 means that no error is sent. Every owned datagram adds to
 * exactly one of these counters (contract, section S).
 *
 * checkpatch: COMPLEX_MACRO,MACRO_ARG_REUSE: it is a list, whatever X makes
 * of its items.
 */
#define SRCROUTE_OUTCOMES(X)						\
	X(HOP, "hop", 0, 0, NOT_SPECIFIED,				\
	  "handed to forwarding, towards the next address of its route") \
	X(TRANSIT, "transit", 0, 0, NOT_SPECIFIED,			\
	  "forwarded on its way to another router of its route")	\
	X(LOCAL, "local", 0, 0, NOT_SPECIFIED,				\
	  "route complete, handed to the kernel for local delivery")	\
	X(POLICY_DROP, "policy_drop", 0, 0, NETFILTER_DROP,		\
	  "dropped because lsrr or ssrr is 2")				\
	X(POLICY_REJECT, "policy_reject", 3, 13, NETFILTER_DROP,	\
	  "refused because lsrr or ssrr is 3")				\
	X(BAD_OPTION, "bad_option", 12, 0, IP_INHDR,			\
	  "malformed IP options")					\
	X(STRICT_TRANSIT, "strict_transit", 12, 0, IP_INHDR,		\
	  "strict route through this router, which it does not list")	\
	X(BAD_NEXT, "bad_next", 3, 5, IP_INADDRERRORS,			\
	  "next address is not that of one host")			\
	X(NO_ROUTE, "no_route", 3, 5, IP_INNOROUTES,			\
	  "no route to the next address")				\
	X(NOT_ADJACENT, "not_adjacent", 3, 5, IP_INNOROUTES,		\
	  "strict route, and the next address is not on a link of ours") \
	X(NONLOCAL, "nonlocal", 3, 5, NETFILTER_DROP,			\
	  "would leave through another interface, and nonlocal is 0")	\
	X(REVISIT, "revisit", 3, 5, NETFILTER_DROP,			\
	  "has been here before, and revisit is 0")			\
	X(BAD_SOURCE, "bad_source", 0, 0, IP_RPFILTER,			\
	  "source address failed the martian or reverse-path check")	\
	X(NO_MEMORY, "no_memory", 0, 0, NOMEM,				\
	  "out of memory")						\
	X(TTL_EXCEEDED, "ttl_exceeded", 11, 0, IP_INHDR,		\
	  "time to live exceeded")					\
	X(FRAG_NEEDED, "frag_needed", 3, 4, PKT_TOO_BIG,		\
	  "larger than the MTU, and must not be fragmented")		\
	X(NESTED, "nested", 0, 0, NETFILTER_DROP,			\
	  "came back too often while it was forwarded, out of tunnels")	\
	X(NOT_ACCEPTED, "not_accepted", 0, 0, IP_INHDR,			\
	  "route complete, out of SRv6, and accept_source_route is 0")

#define SRCROUTE_OUTCOME_ID(id, ...)	SRCROUTE_##id,

enum srcroute_outcome {
	SRCROUTE_OUTCOMES(SRCROUTE_OUTCOME_ID)
	SRCROUTE_OUTCOME_COUNT
};

extern const struct srcroute_outcome_info
srcroute_outcomes[SRCROUTE_OUTCOME_COUNT];

#endif /* _SRCROUTE_OUTCOME_H */
