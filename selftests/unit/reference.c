// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second option engine, naive, to hold kmod/option.c against; see reference.h.
 */
#include <string.h>

#include "reference.h"

enum { END = 0, NO_OPERATION = 1, LOOSE = 131, STRICT = 137 };

/* An option as it lies in the area; where its length is bad, all the rest. */
struct option {
	const u8 *octet;
	unsigned int at;
	unsigned int size;
	bool bad_length;
};

struct options {
	struct option list[SRR_OPTIONS_MAX];
	unsigned int n;
};

struct fault {
	unsigned int at;
	bool of_route;
};

struct faults {
	struct fault list[4 * SRR_OPTIONS_MAX];
	unsigned int n;
};

static struct option first_option(const u8 *octet, unsigned int left)
{
	struct option all = { .octet = octet, .size = left };

	if (octet[0] == END)
		return all;
	if (octet[0] == NO_OPERATION)
		all.size = 1;
	else if (left < 2 || octet[1] < 2 || octet[1] > left)
		all.bad_length = true;
	else
		all.size = octet[1];
	return all;
}

static struct options split(const u8 *area, unsigned int area_len)
{
	struct options options = { .n = 0 };
	unsigned int at = 0;

	while (at < area_len) {
		struct option one = first_option(area + at, area_len - at);

		one.at = at;
		at += one.size;
		options.list[options.n++] = one;
	}
	return options;
}

static bool is_route(const struct option *option)
{
	return option->octet[0] == LOOSE || option->octet[0] == STRICT;
}

static void blame(struct faults *faults, unsigned int at, bool of_route)
{
	faults->list[faults->n++] = (struct fault){ at, of_route };
}

static void judge_route(const struct option *route, struct faults *faults)
{
	if (route->size >= 2 &&
	    (route->octet[1] < 3 || (route->octet[1] - 3) % 4 != 0))
		blame(faults, route->at + 1, true);		/* V3 */
	if (route->size >= 3 &&
	    (route->octet[2] < 4 || (route->octet[2] - 4) % 4 != 0))
		blame(faults, route->at + 2, true);		/* V4 */
}

/* Everything that is wrong, be it behind another fault or not. */
static struct faults judge(const struct options *options)
{
	struct faults faults = { .n = 0 };
	unsigned int routes = 0;

	for (unsigned int i = 0; i < options->n; i++) {
		const struct option *option = &options->list[i];

		if (option->bad_length)				/* V1 */
			blame(&faults,
			      option->size == 1 ? option->at : option->at + 1,
			      is_route(option));
		if (!is_route(option))
			continue;
		if (++routes > 1)
			blame(&faults, option->at, true);	/* V2 */
		judge_route(option, &faults);
	}
	return faults;
}

/* Octet order; faults of one octet tell the same. */
static struct fault first_fault(const struct faults *faults)
{
	struct fault first = faults->list[0];

	for (unsigned int i = 1; i < faults->n; i++)
		if (faults->list[i].at < first.at)
			first = faults->list[i];
	return first;
}

static const struct option *first_route(const struct options *options)
{
	for (unsigned int i = 0; i < options->n; i++)
		if (is_route(&options->list[i]))
			return &options->list[i];
	return NULL;
}

static bool is_filler(const struct option *option)
{
	if (option->octet[0] == NO_OPERATION)
		return true;
	for (unsigned int i = 0; i < option->size; i++)
		if (option->octet[i] != 0)
			return false;
	return true;
}

static bool is_alone(const struct options *options, const struct option *route)
{
	for (unsigned int i = 0; i < options->n; i++)
		if (&options->list[i] != route && !is_filler(&options->list[i]))
			return false;
	return true;
}

/* A fault with a bad length ends the list, so a route in it comes first. */
enum srr_verdict reference_parse(const u8 *area, unsigned int area_len,
				 struct srr *srr)
{
	struct options options = split(area, area_len);
	struct faults faults = judge(&options);
	const struct option *route = first_route(&options);

	if (!route)
		return SRR_NONE;
	srr->type = route->octet[0];
	srr->off = route->at;
	srr->len = route->size > 1 ? route->octet[1] : 0;
	srr->ptr = route->size > 2 ? route->octet[2] : 0;
	srr->only_option = is_alone(&options, route);
	if (!faults.n)
		return SRR_VALID;
	srr->fault = first_fault(&faults).at;
	srr->route_at_fault = first_fault(&faults).of_route;
	return SRR_FAULT;
}

struct reference_route reference_read(const u8 *option)
{
	struct reference_route route = {
		.slots = (option[1] - 3) / 4,
		.next = option[2] / 4 - 1,
	};

	memcpy(route.slot, option + 3, 4 * route.slots);
	return route;
}

static void write_back(const struct reference_route *route, u8 *option)
{
	memcpy(option + 3, route->slot, 4 * route->slots);
	option[2] = 4 * (route->next + 1);
}

bool reference_is_complete(const struct reference_route *route)
{
	return route->next >= route->slots;
}

unsigned int reference_recorded(const struct reference_route *route,
				struct reference_address *list)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < route->slots; i++)
		if (i < route->next)
			list[n++] = route->slot[i];
	return n;
}

/* Like cards: each one goes on top of those before it. */
unsigned int reference_reverse(const struct reference_route *route,
			       struct reference_address *list)
{
	struct reference_address recorded[SRR_SLOTS_MAX];
	unsigned int n = reference_recorded(route, recorded);

	for (unsigned int i = 0; i < n; i++) {
		memmove(list + 1, list, i * sizeof(*list));
		list[0] = recorded[i];
	}
	return n;
}

/* Slots before it are skipped. */
void reference_advance(u8 *option, unsigned int slot, const u8 *record)
{
	struct reference_route route = reference_read(option);

	memcpy(route.slot[slot].octet, record, 4);
	route.next = slot + 1;
	write_back(&route, option);
}

void reference_complete(u8 *option)
{
	struct reference_route route = reference_read(option);

	route.next = route.slots;
	write_back(&route, option);
}
