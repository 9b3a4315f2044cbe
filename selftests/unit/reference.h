/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second option engine, naive, to hold kmod/option.c against. It is written
 * from docs/SPEC.md and from what include/srcroute/option.h and the comments
 * ahead of the engine's functions promise, and shares no code with the engine:
 * keep it so, or both are wrong together. Where the engine walks and counts,
 * this one makes lists first and looks at them afterwards.
 */
#ifndef _REFERENCE_H
#define _REFERENCE_H

#include <srcroute/option.h>

struct reference_address {
	u8 octet[4];
};

/**
 * struct reference_route - a sound source route, taken apart
 * @slot: its addresses
 * @slots: how many
 * @next: which of them the pointer points at, from 0; @slots or more when the
 *	  route is complete
 */
struct reference_route {
	struct reference_address slot[SRR_SLOTS_MAX];
	unsigned int slots;
	unsigned int next;
};

enum srr_verdict reference_parse(const u8 *area, unsigned int area_len,
				 struct srr *srr);
struct reference_route reference_read(const u8 *option);
bool reference_is_complete(const struct reference_route *route);
unsigned int reference_recorded(const struct reference_route *route,
				struct reference_address *list);
unsigned int reference_reverse(const struct reference_route *route,
			       struct reference_address *list);
void reference_advance(u8 *option, unsigned int slot, const u8 *record);
void reference_complete(u8 *option);

#endif /* _REFERENCE_H */
