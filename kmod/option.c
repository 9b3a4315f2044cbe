// SPDX-License-Identifier: GPL-2.0-only
/*
 * The source-route area of IPv4: finding, checking, rewriting.
 *
 * See include/srcroute/option.h. Nothing here may call into the kernel: this
 * file is compiled in user space as well.
 *
 * Comments that begin with an at sign are for `make proof`; the contracts of
 * what others call are in include/srcroute/option-acsl.h.
 *
 * checkpatch: BLOCK_COMMENT_STYLE: lines of ACSL begin with an at sign.
 */
#include <srcroute/option.h>

#define OPT_END		0
#define OPT_NOOP	1

/*@ terminates \true;
  @ assigns \nothing;
  @ ensures \result <==> IS_ROUTE(type);
  @*/
static bool is_route(u8 type)
{
	return type == SRR_LSRR || type == SRR_SSRR;
}

/*@ requires \valid(srr) && octet < SRR_OPTIONS_MAX;
  @ terminates \true;
  @ assigns srr->fault, srr->route_at_fault;
  @ ensures srr->type == 0 ==> \result == SRR_NONE;
  @ ensures srr->type != 0 ==> \result == SRR_FAULT && srr->fault == octet &&
  @	(srr->route_at_fault <==> route_at_fault);
  @*/
static enum srr_verdict set_fault(struct srr *srr, unsigned int octet,
				  bool route_at_fault)
{
	if (!srr->type)
		return SRR_NONE;
	srr->fault = octet;
	srr->route_at_fault = route_at_fault;
	return SRR_FAULT;
}

/*@ requires from <= to && \valid_read(area + (from .. to - 1));
  @ terminates \true;
  @ assigns \nothing;
  @ ensures \result <==> \forall integer k; from <= k < to ==> area[k] == 0;
  @*/
/* Zeroed padding may stay as it is; the kernel would clear anything else. */
static bool is_zeroed(const u8 *area, unsigned int from, unsigned int to)
{
	/*@ loop invariant \at(from, Pre) <= from <= to;
	  @ loop invariant \forall integer k;
	  @	\at(from, Pre) <= k < from ==> area[k] == 0;
	  @ loop assigns from;
	  @ loop variant to - from;
	  @*/
	while (from < to)
		if (area[from++])
			return false;
	return true;
}

/**
 * srr_parse() - find the source route of a datagram and check the option area
 * @area: the option area
 * @area_len: its length in octets, at most SRR_OPTIONS_MAX
 * @srr: filled in unless SRR_NONE is returned
 *
 * Checks the area in octet order up to the end, or to an End of Options
 * octet (O4), and stops at the first fault:
 *
 * V1: no length octet left (blames the type octet), a length below 2 or past
 *     the area (blames the length octet);
 * V2: a second source route (blames its type octet);
 * V3: a source route not of a whole number of slots (blames the length octet);
 * V4: a pointer below 4 or not at a slot (blames the pointer octet).
 *
 * Return: see enum srr_verdict.
 */
enum srr_verdict srr_parse(const u8 *area, unsigned int area_len,
			   struct srr *srr)
{
	unsigned int at = 0;
	/*@ ghost int seen = 0; */

	srr->type = 0;
	srr->only_option = true;

	/*@ loop invariant at <= area_len;
	  @ loop invariant kept: \forall integer k; 0 <= k < area_len ==>
	  @	area[k] == \at(area[k], Pre);
	  @ loop invariant fault: fault{Pre}(area, area_len, 0, 0) ==
	  @	fault{Pre}(area, area_len, at, seen);
	  @ loop invariant culprit: culprit{Pre}(area, area_len, 0, 0) ==
	  @	culprit{Pre}(area, area_len, at, seen);
	  @ loop invariant 0 <= seen <= 1 && (seen == 1 <==> srr->type != 0);
	  @ loop invariant none: srr->type == 0 ==>
	  @	route{Pre}(area, area_len, 0) == route{Pre}(area, area_len, at);
	  @ loop invariant found: srr->type != 0 ==>
	  @	srr->off == route{Pre}(area, area_len, 0) &&
	  @	srr->type == area[srr->off] && IS_ROUTE(srr->type) &&
	  @	srr->len == area[srr->off + 1] &&
	  @	srr->ptr == area[srr->off + 2] &&
	  @	are_sound(srr->len, srr->ptr) && srr->off + srr->len <= at;
	  @ loop invariant end: end{Pre}(area, area_len, 0, 0) ==
	  @	end{Pre}(area, area_len, at, seen);
	  @ loop invariant others: others{Pre}(area, area_len, 0, 0) ==
	  @	(srr->only_option ? others{Pre}(area, area_len, at, seen) : 1);
	  @ loop assigns at, seen, *srr;
	  @ loop variant area_len - at;
	  @*/
	while (at < area_len && area[at] != OPT_END) {
		unsigned int len;
		bool route;

		if (area[at] == OPT_NOOP) {
			/*@ assert noop: blamed{Pre}(area, area_len, at, seen) == -1 &&
			  @	after{Pre}(area, at) == at + 1;
			  @*/
			at++;
			continue;
		}

		route = is_route(area[at]);
		if (route) {
			if (srr->type)
				return set_fault(srr, at, true);	/* V2 */
			srr->type = area[at];
			srr->off = at;
		} else {
			srr->only_option = false;
		}

		if (area_len - at < 2)
			return set_fault(srr, at, route);		/* V1 */
		len = area[at + SRR_LEN];
		if (len < 2 || len > area_len - at)
			return set_fault(srr, at + SRR_LEN, route);	/* V1 */

		if (route) {
			if (len % 4 != SRR_SLOTS)
				return set_fault(srr, at + SRR_LEN, true); /* V3 */
			srr->len = len;
			srr->ptr = area[at + SRR_PTR];
			if (srr->ptr < SRR_PTR_MIN || srr->ptr % 4)
				return set_fault(srr, at + SRR_PTR, true); /* V4 */
		}
		/*@ assert sound: blamed{Pre}(area, area_len, at, seen) == -1 &&
		  @	after{Pre}(area, at) == at + len;
		  @*/
		/*@ ghost if (route) seen = 1; */
		at += len;
	}

	if (!srr->type)
		return SRR_NONE;
	/*@ assert ended: end{Pre}(area, area_len, 0, 0) == at; */
	/*@ assert alone: others{Pre}(area, area_len, 0, 0) == (srr->only_option ? 0 : 1); */
	if (!is_zeroed(area, at, area_len))
		srr->only_option = false;
	return SRR_VALID;
}

/**
 * srr_recorded() - the addresses that gateways have recorded so far
 * @area: the option area
 * @srr: as srr_parse() filled it in, sound
 * @n: how many they are, 0 to SRR_SLOTS_MAX
 *
 * Return: the first of @n times four octets, in the order of travel.
 */
const u8 *srr_recorded(const u8 *area, const struct srr *srr, unsigned int *n)
{
	unsigned int end = srr_is_complete(srr) ? srr->len + 1u : srr->ptr;

	*n = (end - SRR_PTR_MIN) / 4;
	return area + srr->off + SRR_SLOTS;
}

/**
 * srr_reverse() - the way back along the recorded addresses
 * @area: the option area
 * @srr: as srr_parse() filled it in, sound
 * @route: room for SRR_SLOTS_MAX times four octets
 *
 * The source of the datagram, which ends the way back, is not part of it.
 *
 * Return: how many addresses were written to @route, the last recorded first.
 */
unsigned int srr_reverse(const u8 *area, const struct srr *srr, u8 *route)
{
	const u8 *slots;
	unsigned int i, n;

	slots = srr_recorded(area, srr, &n);
	/*@ loop invariant i <= n;
	  @ loop invariant kept: \forall integer k; 0 <= k < 4 * n ==>
	  @	slots[k] == \at(area[srr->off + 3 + k], Pre);
	  @ loop invariant reversed: \forall integer k; 0 <= k < 4 * i ==>
	  @	route[k] == \at(area[srr->off + 3 + MIRRORED(\at(n, Here), k)], Pre);
	  @ loop assigns i, route[0 .. 4 * n - 1];
	  @ loop variant n - i;
	  @*/
	for (i = 0; i < n; i++) {
		srr_copy_address(route + 4 * i, slots + 4 * (n - 1 - i));
		/*@ assert fresh: \forall integer k; 4 * i <= k < 4 * i + 4 ==>
		  @	route[k] == slots[MIRRORED(n, k)];
		  @*/
	}
	return n;
}

/**
 * srr_complete() - move the pointer past the last slot
 * @option: type octet of a sound source route
 *
 * For a route whose remaining addresses are all our own (H6).
 */
void srr_complete(u8 *option)
{
	option[SRR_PTR] = option[SRR_LEN] + 1;
}
