/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contracts of the option engine in ACSL, for `make proof`: rules O4, V1 to
 * V4, H7 and I3 of docs/SPEC.md. Only a prover reads this.
 *
 * An option area is @a, @n octets long; an option is named by its offset @i in
 * it. @seen is 1 if a source route came before it, else 0. What is defined by
 * itself walks from option to option, as the rules do.
 *
 * checkpatch: BLOCK_COMMENT_STYLE,MACRO_ARG_REUSE: lines of ACSL begin with an
 * at sign; its macros are terms without side effects.
 */
#ifndef _SRCROUTE_OPTION_ACSL_H
#define _SRCROUTE_OPTION_ACSL_H

#define IS_ROUTE(type)	((type) == SRR_LSRR || (type) == SRR_SSRR)
#define MIRRORED(n, k)	(4 * ((n) - 1 - (k) / 4) + (k) % 4)
#define IS_END(a, n, i)	((i) >= (n) || (a)[i] == 0)

/*@ // Where the option behind a sound one is. No Operation is an octet long.
  @ logic integer after{L}(u8 *a, integer i) =
  @	a[i] == 1 ? i + 1 : i + a[i + 1];
  @
  @ // The octet that the option is blamed for, -1 for none: V2, V1, V1, V3, V4.
  @ logic integer blamed{L}(u8 *a, integer n, integer i, integer seen) =
  @	a[i] == 1 ? -1 :
  @	IS_ROUTE(a[i]) && seen == 1 ? i :
  @	i + 1 >= n ? i :
  @	a[i + 1] < 2 || i + a[i + 1] > n ? i + 1 :
  @	!IS_ROUTE(a[i]) ? -1 :
  @	a[i + 1] % 4 != 3 ? i + 1 :
  @	a[i + 2] < 4 || a[i + 2] % 4 != 0 ? i + 2 : -1;
  @
  @ // The octet blamed of the first option from i on that breaks a rule, -1 for
  @ // none (O4, V).
  @ logic integer fault{L}(u8 *a, integer n, integer i, integer seen) =
  @	IS_END(a, n, i) ? -1 :
  @	blamed(a, n, i, seen) >= 0 ? blamed(a, n, i, seen) :
  @	fault(a, n, after(a, i), IS_ROUTE(a[i]) ? 1 : seen);
  @
  @ // ... and the type of that option, 0 for none.
  @ logic integer culprit{L}(u8 *a, integer n, integer i, integer seen) =
  @	IS_END(a, n, i) ? 0 :
  @	blamed(a, n, i, seen) >= 0 ? a[i] :
  @	culprit(a, n, after(a, i), IS_ROUTE(a[i]) ? 1 : seen);
  @
  @ // The first source route from i on, -1 if there is none or a fault ahead of
  @ // it (O4).
  @ logic integer route{L}(u8 *a, integer n, integer i) =
  @	IS_END(a, n, i) ? -1 :
  @	IS_ROUTE(a[i]) ? i :
  @	blamed(a, n, i, 0) >= 0 ? -1 : route(a, n, after(a, i));
  @
  @ // Where the area from i on end, and the padding begins, or a fault.
  @ logic integer end{L}(u8 *a, integer n, integer i, integer seen) =
  @	IS_END(a, n, i) || blamed(a, n, i, seen) >= 0 ? i :
  @	end(a, n, after(a, i), IS_ROUTE(a[i]) ? 1 : seen);
  @
  @ // 1 if there is something else than source routes and No Operation ahead of
  @ // that, 0 if not.
  @ logic integer others{L}(u8 *a, integer n, integer i, integer seen) =
  @	IS_END(a, n, i) || blamed(a, n, i, seen) >= 0 ? 0 :
  @	!IS_ROUTE(a[i]) && a[i] != 1 ? 1 :
  @	others(a, n, after(a, i), IS_ROUTE(a[i]) ? 1 : seen);
  @
  @ // Length and pointer that break no rule.
  @ predicate are_sound(integer len, integer ptr) =
  @	3 <= len <= SRR_OPTIONS_MAX && len % 4 == 3 &&
  @	4 <= ptr <= 255 && ptr % 4 == 0;
  @
  @ logic integer recorded(integer len, integer ptr) =
  @	((ptr > len ? len + 1 : ptr) - 4) / 4;
  @
  @ // The slot at ptr holds this address.
  @ predicate holds{L}(u8 *option, integer ptr, u8 *address) =
  @	option[ptr - 1] == address[0] && option[ptr] == address[1] &&
  @	option[ptr + 1] == address[2] && option[ptr + 2] == address[3];
  @*/

/*@ requires area_len <= SRR_OPTIONS_MAX;
  @ requires \valid_read(area + (0 .. area_len - 1)) && \valid(srr);
  @ requires \separated(area + (0 .. area_len - 1), srr);
  @ terminates \true;
  @ assigns *srr;
  @ ensures none: \result == SRR_NONE <==> route{Pre}(area, area_len, 0) < 0;
  @ ensures valid: \result == SRR_VALID <==>
  @	route{Pre}(area, area_len, 0) >= 0 &&
  @	fault{Pre}(area, area_len, 0, 0) < 0;
  @ ensures verdict: \result == SRR_NONE || \result == SRR_VALID ||
  @	\result == SRR_FAULT;
  @ ensures first: \result != SRR_NONE ==>
  @	srr->off == route{Pre}(area, area_len, 0) && srr->off < area_len &&
  @	srr->type == area[srr->off] && IS_ROUTE(srr->type);
  @ ensures blamed: \result == SRR_FAULT ==>
  @	srr->fault == fault{Pre}(area, area_len, 0, 0) < area_len;
  @ ensures at_fault: \result == SRR_FAULT ==> (srr->route_at_fault <==>
  @	IS_ROUTE(culprit{Pre}(area, area_len, 0, 0)));
  @ ensures sound: \result == SRR_VALID ||
  @	(\result == SRR_FAULT && !srr->route_at_fault) ==>
  @	are_sound(srr->len, srr->ptr) && srr->off + srr->len <= area_len &&
  @	srr->len == area[srr->off + 1] && srr->ptr == area[srr->off + 2];
  @ ensures alone: \result == SRR_VALID ==>
  @	(srr->only_option <==> others{Pre}(area, area_len, 0, 0) == 0 &&
  @	\forall integer k; end{Pre}(area, area_len, 0, 0) <= k < area_len ==>
  @	\old(area[k]) == 0);
  @*/
enum srr_verdict srr_parse(const u8 *area, unsigned int area_len,
			   struct srr *srr);

/*@ requires \valid_read(srr);
  @ terminates \true;
  @ assigns \nothing;
  @ ensures \result <==> srr->ptr > srr->len;
  @*/
static inline bool srr_is_complete(const struct srr *srr);

/*@ requires \valid_read(srr) && are_sound(srr->len, srr->ptr);
  @ requires srr->ptr <= srr->len;
  @ requires \valid_read(area + (0 .. srr->off + srr->len - 1));
  @ terminates \true;
  @ assigns \result \from area, *srr;
  @ ensures \result == area + (srr->off + srr->ptr - 1);
  @ ensures srr->ptr + 3 <= srr->len;
  @*/
static inline const u8 *srr_slot(const u8 *area, const struct srr *srr);

/*@ requires \valid_read(srr) && are_sound(srr->len, srr->ptr);
  @ requires \valid_read(area + (0 .. srr->off + srr->len - 1));
  @ requires \valid(n) && \separated(n, srr);
  @ terminates \true;
  @ assigns *n \from *srr;
  @ assigns \result \from area, *srr;
  @ ensures \result == area + (srr->off + 3);
  @ ensures *n == recorded(srr->len, srr->ptr);
  @ ensures *n <= SRR_SLOTS_MAX && 3 + 4 * *n <= srr->len;
  @*/
const u8 *srr_recorded(const u8 *area, const struct srr *srr, unsigned int *n);

/*@ requires \valid_read(srr) && are_sound(srr->len, srr->ptr);
  @ requires \valid_read(area + (0 .. srr->off + srr->len - 1));
  @ requires \valid(route + (0 .. 4 * SRR_SLOTS_MAX - 1));
  @ requires \separated(route + (0 .. 4 * SRR_SLOTS_MAX - 1), srr);
  @ requires \separated(route + (0 .. 4 * SRR_SLOTS_MAX - 1),
  @	area + (0 .. srr->off + srr->len - 1));
  @ terminates \true;
  @ assigns route[0 .. 4 * recorded(srr->len, srr->ptr) - 1];
  @ ensures \result == recorded(srr->len, srr->ptr);
  @ ensures \forall integer k; 0 <= k < 4 * \result ==> route[k] ==
  @	\old(area[srr->off + 3 + MIRRORED(\at(\result, Post), k)]);
  @*/
unsigned int srr_reverse(const u8 *area, const struct srr *srr, u8 *route);

/*@ requires \valid(to + (0 .. 3)) && \valid_read(from + (0 .. 3));
  @ requires \separated(to + (0 .. 3), from + (0 .. 3));
  @ terminates \true;
  @ assigns to[0 .. 3];
  @ ensures to[0] == from[0] && to[1] == from[1] && to[2] == from[2] &&
  @	to[3] == from[3];
  @*/
static inline void srr_copy_address(u8 *to, const u8 *from);

/*@ requires \valid(option + (0 .. 2)) && are_sound(option[1], option[2]);
  @ requires \valid(option + (0 .. option[1] - 1));
  @ requires option[2] <= ptr && ptr + 3 <= option[1] && ptr % 4 == 0;
  @ requires \valid_read(record + (0 .. 3));
  @ requires \separated(option + (0 .. SRR_OPTIONS_MAX), record + (0 .. 3));
  @ terminates \true;
  @ assigns option[2], option[ptr - 1 .. ptr + 2];
  @ ensures slot: holds(option, ptr, record);
  @ ensures pointer: option[2] == ptr + 4;
  @ ensures rest: \forall integer k; 0 <= k < option[1] && k != 2 &&
  @	!(ptr - 1 <= k < ptr + 3) ==> option[k] == \old(option[k]);
  @ ensures sound: option[1] == \old(option[1]) &&
  @	are_sound(option[1], option[2]);
  @*/
static inline void srr_advance(u8 *option, unsigned int ptr, const u8 *record);

/*@ requires \valid(option + (0 .. 2)) && are_sound(option[1], option[2]);
  @ terminates \true;
  @ assigns option[2];
  @ ensures option[2] == option[1] + 1 && are_sound(option[1], option[2]);
  @*/
void srr_complete(u8 *option);

#endif /* _SRCROUTE_OPTION_ACSL_H */
