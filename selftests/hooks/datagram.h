/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random datagrams, sound and broken ones, and what the module may do with one.
 */
#ifndef _HOOKS_DATAGRAM_H
#define _HOOKS_DATAGRAM_H

#include <stdbool.h>

#include "types.h"

#define TCP_HEADER	20U
#define TCP_OFFSET	12U
#define TCP_CHECKSUM	16U
#define HEADER		20U	/* octets of an IP header without options */
#define LARGEST		4096U	/* octets of a datagram of ours */
#define AREA_MAX	40U	/* octets of options */

/* Offsets in the header. */
enum {
	TOTAL_LENGTH = 2, IDENT = 4, FRAGMENT = 6, TTL = 8, PROTOCOL = 9,
	CHECKSUM = 10, SOURCE = 12, DESTINATION = 16,
};

/* What one serial number makes of a seed; the same in every run. */
struct dice {
	u64 state;
};

void dice_throw(struct dice *dice, u64 seed, u64 serial);
u64 dice_next(struct dice *dice);
unsigned int dice_below(struct dice *dice, unsigned int n);
bool dice_percent(struct dice *dice, unsigned int percent);

#define ADDRESSES_MAX	64

/* In network byte order. */
struct pool {
	u32 addr[ADDRESSES_MAX];
	unsigned int n;
};

/**
 * struct taste - what kind of datagrams are wanted
 * @own: addresses of the router, on that way in
 * @near: hosts that it reaches
 * @odd: what is nowhere, broadcast, martian
 * @damage: in percent, how many get a broken header
 * @largest: octets at most
 */
struct taste {
	const struct pool *own;
	const struct pool *near;
	const struct pool *odd;
	unsigned int damage;
	unsigned int largest;
};

/**
 * struct datagram - octets, from the first of the IP header on
 * @len: how many
 * @octet: the octets
 */
struct datagram {
	unsigned int len;
	u8 octet[LARGEST];
};

/* May the module own it? */
enum claim { NEVER, PERHAPS, SURELY };

/* The values of lsrr and ssrr. */
struct setting {
	unsigned int lsrr, ssrr;
};

void datagram_make(struct datagram *d, struct dice *dice,
		   const struct taste *taste);
void datagram_damage(struct datagram *d, struct dice *dice,
		     const struct taste *taste);
void datagram_redirect(struct datagram *d, struct dice *dice,
		       const struct taste *taste);
void datagram_carrier(struct datagram *d, struct dice *dice,
		      const struct taste *taste, u32 to);
void datagram_large(struct datagram *d, struct dice *dice,
		    const struct taste *taste);
void datagram_hit(struct datagram *d, struct dice *dice,
		  const struct taste *taste, u32 to, bool broken);
void datagram_name(struct datagram *d, u16 ident);
unsigned int datagram_header(const struct datagram *d);
bool datagram_is_sound(const struct datagram *d);
bool datagram_may_replace(const struct datagram *d, const u8 *queued,
			  unsigned int len);
bool datagram_has_route(const struct datagram *d);
bool datagram_quotes_route(const struct datagram *d);
enum claim datagram_claim(const struct datagram *d, struct setting at,
			  const struct pool *own);
void datagram_sum(struct datagram *d);
u64 datagram_hash(const u8 *octet, unsigned int len);

#endif
