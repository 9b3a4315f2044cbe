// SPDX-License-Identifier: GPL-2.0-only
/*
 * The option engine against its reference, for libFuzzer (scripts/check/fuzz) and for
 * the replay of the corpus (replay.c).
 *
 * An input is an address to look for, one to record, and an option area. What
 * differs is printed, and ends the program.
 *
 * checkpatch: CAMELCASE: the entry point is libFuzzer's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

/* An option area in a block of its own; @len octets, and not one more. */
struct area {
	u8 *octet;
	unsigned int len;
	void *block;
};

static struct area input;

/* An empty area begins where its block ends: malloc(0) would give an octet. */
static struct area copy(const u8 *octets, unsigned int len)
{
	u8 *block = malloc(len ? len : 1);
	struct area area = { len ? block : block + 1, len, block };

	if (!block)
		abort();
	if (len)
		memcpy(area.octet, octets, len);
	return area;
}

static void show(const char *name, const u8 *octets, unsigned int n)
{
	fprintf(stderr, "  %-8s", name);
	for (unsigned int i = 0; i < n; i++)
		fprintf(stderr, " %02x", octets[i]);
	fprintf(stderr, "\n");
}

static void show_finding(const char *name, enum srr_verdict verdict,
			 const struct srr *srr)
{
	static const char * const verdicts[] = { "NONE", "VALID", "FAULT" };

	fprintf(stderr,
		"  %-8s %s type %u off %u len %u ptr %u alone %d fault %u route_at_fault %d\n",
		name, verdicts[verdict], srr->type, srr->off, srr->len,
		srr->ptr, srr->only_option, srr->fault, srr->route_at_fault);
}

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "%s is wrong for this area:\n", what);
	show("area", input.octet, input.len);
	abort();
}

static void expect(bool right, const char *what)
{
	if (!right)
		give_up(what);
}

static void expect_same(const char *what, const void *engine, const void *reference,
			unsigned int n)
{
	if (!memcmp(engine, reference, n))
		return;
	show("engine", engine, n);
	show("reference", reference, n);
	give_up(what);
}

static void expect_number(const char *what, unsigned int engine,
			  unsigned int reference)
{
	if (engine == reference)
		return;
	fprintf(stderr, "  engine   %u\n  reference     %u\n", engine, reference);
	give_up(what);
}

/* Keep what the header promises to say. */
static void forget_the_rest(enum srr_verdict verdict, struct srr *srr)
{
	if (verdict == SRR_NONE)
		memset(srr, 0, sizeof(*srr));
	if (verdict == SRR_VALID) {
		srr->fault = 0;
		srr->route_at_fault = false;
	}
	if (verdict == SRR_FAULT && srr->route_at_fault) {
		srr->len = 0;
		srr->ptr = 0;
		srr->only_option = false;
	}
}

/* The engine has to fill in what it promises: it starts from rubbish. */
static enum srr_verdict check_find(struct srr *srr)
{
	struct srr reference = { 0 };
	enum srr_verdict verdict, expected;

	memset(srr, 0xee, sizeof(*srr));
	verdict = srr_parse(input.octet, input.len, srr);
	expected = reference_parse(input.octet, input.len, &reference);
	forget_the_rest(verdict, srr);
	forget_the_rest(expected, &reference);
	if (verdict != expected || memcmp(srr, &reference, sizeof(reference))) {
		show_finding("engine", verdict, srr);
		show_finding("reference", expected, &reference);
		give_up("srr_parse()");
	}
	return verdict;
}

static void check_recorded(const struct srr *srr,
			   const struct reference_route *route)
{
	struct reference_address list[SRR_SLOTS_MAX];
	unsigned int n = ~0u, expected = reference_recorded(route, list);
	const u8 *recorded = srr_recorded(input.octet, srr, &n);

	expect_number("the count of srr_recorded()", n, expected);
	expect(recorded == input.octet + srr->off + 3,
	       "the place of srr_recorded()");
	expect_same("srr_recorded()", recorded, list, n * sizeof(*list));
}

static void check_reverse(const struct srr *srr,
			  const struct reference_route *route)
{
	struct reference_address engine[SRR_SLOTS_MAX], reference[SRR_SLOTS_MAX];
	unsigned int n;

	memset(engine, 0xee, sizeof(engine));
	memset(reference, 0xee, sizeof(reference));
	n = srr_reverse(input.octet, srr, engine->octet);
	expect_number("the count of srr_reverse()", n,
		      reference_reverse(route, reference));
	expect_same("srr_reverse()", engine, reference, sizeof(reference));
}

static void check_slot(const struct srr *srr, const struct reference_route *route)
{
	bool complete = reference_is_complete(route);

	expect_number("srr_is_complete()", srr_is_complete(srr), complete);
	if (!complete)
		expect_same("srr_slot()", srr_slot(input.octet, srr),
			    route->slot[route->next].octet, 4);
}

/* A rewritten area holds the same route, sound, with another pointer. */
static void check_rewritten(const struct area *area, const struct srr *before)
{
	struct srr srr = { 0 };

	expect(srr_parse(area->octet, area->len, &srr) == SRR_VALID,
	       "a rewrite that breaks the route");
	expect(srr.type == before->type && srr.off == before->off &&
	       srr.len == before->len && srr.only_option == before->only_option,
	       "a rewrite that changes another part of the route");
}

static void check_advance(struct area *area, const struct srr *srr,
			  unsigned int slot, const u8 *record)
{
	u8 reference[SRR_OPTIONS_MAX];

	memcpy(reference, area->octet, area->len);
	srr_advance(area->octet + srr->off, SRR_PTR_MIN + 4 * slot, record);
	reference_advance(reference + srr->off, slot, record);
	expect_same("srr_advance()", area->octet, reference, area->len);
	check_rewritten(area, srr);
}

/* Every slot that is left, by skipping those before it. */
static void check_advances(const struct srr *srr,
			   const struct reference_route *route,
			   const u8 *record)
{
	for (unsigned int i = route->next; i < route->slots; i++) {
		struct area area = copy(input.octet, input.len);

		check_advance(&area, srr, i, record);
		free(area.block);
	}
}

/* Slot by slot to the end, as gateway after gateway would. */
static void check_journey(const struct srr *srr,
			  const struct reference_route *route,
			  const u8 *record)
{
	struct area area = copy(input.octet, input.len);
	struct srr now = *srr;

	for (unsigned int i = route->next; i < route->slots; i++) {
		expect(!srr_is_complete(&now), "the end of a journey");
		check_advance(&area, srr, i, record);
		now.ptr += 4;
	}
	expect(srr_is_complete(&now), "the end of a journey");
	free(area.block);
}

static void check_finish(const struct srr *srr)
{
	struct area area = copy(input.octet, input.len);
	u8 reference[SRR_OPTIONS_MAX];

	memcpy(reference, input.octet, input.len);
	srr_complete(area.octet + srr->off);
	reference_complete(reference + srr->off);
	expect_same("srr_complete()", area.octet, reference, area.len);
	check_rewritten(&area, srr);
	free(area.block);
}

static void check_all(const u8 *record)
{
	struct reference_route route;
	struct srr srr;

	if (check_find(&srr) != SRR_VALID)
		return;
	route = reference_read(input.octet + srr.off);
	check_recorded(&srr, &route);
	check_reverse(&srr, &route);
	check_slot(&srr, &route);
	check_advances(&srr, &route, record);
	check_journey(&srr, &route, record);
	check_finish(&srr);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (size < 8 || size > 8 + SRR_OPTIONS_MAX)
		return 0;
	input = copy(data + 8, size - 8);
	check_all(data + 4);	/* four octets ahead of it: the corpus has them */
	free(input.block);
	return 0;
}
