/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The source-route options of IPv4 (RFC 791): finding, checking, rewriting.
 *
 * Plain C over octets: no kernel call, no global state, no allocation. The
 * kernel module and the user-space tests compile the same source.
 *
 * An "option area" is what follows the 20 fixed octets of the IP header, 0 to
 * 40 octets of it. Addresses are four octets in wire order and need no
 * alignment.
 */
#ifndef _SRCROUTE_OPTION_H
#define _SRCROUTE_OPTION_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
typedef unsigned char u8;
#endif

#define SRR_LSRR	131	/* loose source and record route */
#define SRR_SSRR	137	/* strict source and record route */

#define SRR_OPTIONS_MAX	40	/* octets of an option area */
#define SRR_SLOTS_MAX	9	/* addresses that fit into it */

/* Offsets inside a source route, and the pointer to its first slot. */
#define SRR_LEN		1
#define SRR_PTR		2
#define SRR_SLOTS	3
#define SRR_PTR_MIN	4

/**
 * enum srr_verdict - what srr_parse() makes of an option area
 * @SRR_NONE: no source route ahead of the end, or of the first fault (O4)
 * @SRR_VALID: one source route, and the area holds no fault of rules V1 to V4
 * @SRR_FAULT: a source route was met, and a rule of V1 to V4 is broken
 */
enum srr_verdict {
	SRR_NONE,
	SRR_VALID,
	SRR_FAULT,
};

/**
 * struct srr - a source route and where it lies
 * @type: SRR_LSRR or SRR_SSRR; of the first one where there are several
 * @only_option: the rest of the area is No Operation and zeroed padding
 * @off: offset of its type octet in the option area
 * @len: its length octet
 * @ptr: its pointer octet
 * @fault: with SRR_FAULT, offset in the option area of the octet to blame
 * @route_at_fault: with SRR_FAULT, a source route is what is wrong; where it
 *		    is not, @len and @ptr are those of a sound source route
 */
struct srr {
	u8 type;
	bool only_option;
	u8 off;
	u8 len;
	u8 ptr;
	u8 fault;
	bool route_at_fault;
};

#ifdef __FRAMAC__
#include <srcroute/option-acsl.h>
#endif

enum srr_verdict srr_parse(const u8 *area, unsigned int area_len,
			   struct srr *srr);

/**
 * srr_is_complete() - is the route used up?
 * @srr: as srr_parse() filled it in, sound
 *
 * Return: true if the pointer lies beyond the option (RFC 791, 3.1).
 */
static inline bool srr_is_complete(const struct srr *srr)
{
	return srr->ptr > srr->len;
}

/**
 * srr_slot() - the address that the pointer points at
 * @area: the option area
 * @srr: as srr_parse() filled it in, sound and not complete
 *
 * Return: four octets in wire order.
 */
static inline const u8 *srr_slot(const u8 *area, const struct srr *srr)
{
	return area + srr->off + srr->ptr - 1;
}

/**
 * srr_copy_address() - copy an address
 * @to: where to
 * @from: four octets, at any alignment; they do not overlap @to
 */
static inline void srr_copy_address(u8 *to, const u8 *from)
{
	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
	to[3] = from[3];
}

/**
 * srr_advance() - take an address and leave ours in its place (H7)
 * @option: type octet of a sound source route that is not complete
 * @ptr: the pointer as it points at that address: not before where it points now
 * @record: the address to record in that slot
 *
 * Slots before it, skipped because they named us (H6), stay as they are. The
 * pointer moves past the slot; the length of the option never changes.
 */
static inline void srr_advance(u8 *option, unsigned int ptr, const u8 *record)
{
	srr_copy_address(option + ptr - 1, record);
	option[SRR_PTR] = ptr + 4;
}

const u8 *srr_recorded(const u8 *area, const struct srr *srr, unsigned int *n);
unsigned int srr_reverse(const u8 *area, const struct srr *srr, u8 *route);
void srr_complete(u8 *option);

#endif /* _SRCROUTE_OPTION_H */
