/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracepoints srcroute:srcroute_advance, srcroute:srcroute_discard and
 * srcroute:srcroute_icmp_suppress.
 *
 * checkpatch: COMPLEX_MACRO,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT: the layout
 * that all trace headers have; their macros stand for lists, not expressions.
 * checkpatch: TRAILING_SEMICOLON: an item of a list of declarations ends in one.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM srcroute

#if !defined(_TRACE_SRCROUTE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_SRCROUTE_H

#include <linux/ip.h>
#include <linux/netdevice.h>
#include <linux/tracepoint.h>
#include <srcroute/outcome.h>

#ifndef SRCROUTE_OUTCOME_SYMBOLS
#define SRCROUTE_OUTCOME_SYMBOL(id, name, ...)	{ SRCROUTE_##id, name },
#define SRCROUTE_OUTCOME_SYMBOLS SRCROUTE_OUTCOMES(SRCROUTE_OUTCOME_SYMBOL) \
	{ -1, "" }
#endif

/* So that the format has values: user space does not know what the names are. */
#define SRCROUTE_OUTCOME_VALUE(id, ...)	TRACE_DEFINE_ENUM(SRCROUTE_##id);
SRCROUTE_OUTCOMES(SRCROUTE_OUTCOME_VALUE)

/* A header was rewritten (H6, H7); the datagram is shown as it leaves. */
TRACE_EVENT(srcroute_advance,

	TP_PROTO(const struct iphdr *iph, const struct net_device *in,
		 __be32 arrival, __be32 record, u8 ptr),

	TP_ARGS(iph, in, arrival, record, ptr),

	TP_STRUCT__entry(
		__array(char, in, IFNAMSIZ)
		__array(u8, saddr, 4)
		__array(u8, daddr, 4)
		__array(u8, arrival, 4)
		__array(u8, record, 4)
		__field(u8, ptr)
	),

	TP_fast_assign(
		memcpy(__entry->in, in->name, IFNAMSIZ);
		memcpy(__entry->saddr, &iph->saddr, 4);
		memcpy(__entry->daddr, &iph->daddr, 4);
		memcpy(__entry->arrival, &arrival, 4);
		memcpy(__entry->record, &record, 4);
		__entry->ptr = ptr;
	),

	TP_printk("in=%s saddr=%pI4 arrival=%pI4 daddr=%pI4 record=%pI4 ptr=%u",
		  __entry->in, __entry->saddr, __entry->arrival,
		  __entry->daddr, __entry->record, __entry->ptr)
);

/*
 * A datagram was discarded. Type 0 means that no ICMP error is due; one that is
 * may still be held back by the kernel (I1, rates).
 */
TRACE_EVENT(srcroute_discard,

	TP_PROTO(const struct iphdr *iph, const struct net_device *in,
		 enum srcroute_outcome reason, u8 type, u8 code),

	TP_ARGS(iph, in, reason, type, code),

	TP_STRUCT__entry(
		__array(char, in, IFNAMSIZ)
		__array(u8, saddr, 4)
		__array(u8, daddr, 4)
		__field(int, reason)
		__field(u8, type)
		__field(u8, code)
	),

	TP_fast_assign(
		memcpy(__entry->in, in->name, IFNAMSIZ);
		memcpy(__entry->saddr, &iph->saddr, 4);
		memcpy(__entry->daddr, &iph->daddr, 4);
		__entry->reason = reason;
		__entry->type = type;
		__entry->code = code;
	),

	TP_printk("in=%s saddr=%pI4 daddr=%pI4 reason=%s icmp=%u/%u",
		  __entry->in, __entry->saddr, __entry->daddr,
		  __print_symbolic(__entry->reason, SRCROUTE_OUTCOME_SYMBOLS),
		  __entry->type, __entry->code)
);

/*
 * An ICMP error of the kernel's own about a source-routed datagram was dropped (I1,
 * I4), which is shown as the error quotes it; or a reply of its own to one (H8), which
 * is shown itself.
 */
TRACE_EVENT(srcroute_icmp_suppress,

	TP_PROTO(const struct iphdr *iph, const struct net_device *out,
		 u8 type, u8 code),

	TP_ARGS(iph, out, type, code),

	TP_STRUCT__entry(
		__array(char, out, IFNAMSIZ)
		__array(u8, saddr, 4)
		__array(u8, daddr, 4)
		__field(u8, type)
		__field(u8, code)
	),

	TP_fast_assign(
		memcpy(__entry->out, out->name, IFNAMSIZ);
		memcpy(__entry->saddr, &iph->saddr, 4);
		memcpy(__entry->daddr, &iph->daddr, 4);
		__entry->type = type;
		__entry->code = code;
	),

	TP_printk("out=%s saddr=%pI4 daddr=%pI4 icmp=%u/%u",
		  __entry->out, __entry->saddr, __entry->daddr,
		  __entry->type, __entry->code)
);

#endif /* _TRACE_SRCROUTE_H */

#include <trace/define_trace.h>
