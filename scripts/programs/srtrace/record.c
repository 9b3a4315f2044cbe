// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way as routers record it; which addresses are one router's.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "srtrace.h"

#define OPT_END		0
#define OPT_NOOP	1
#define OPT_RR		7
#define RECORDED_MAX	9
#define TTL		64

/* What a Record Route option holds; -1 if there is none. */
static int recorded(const struct reply *reply, in_addr_t *address, bool *full)
{
	const uint8_t *options = reply->options;
	unsigned int at = 0, len;
	int n;

	while (at + 2 < reply->options_len && options[at] != OPT_END) {
		if (options[at] == OPT_NOOP) {
			at++;
			continue;
		}
		len = options[at + 1];
		if (len < 2 || at + len > reply->options_len)
			return -1;
		if (options[at] == OPT_RR) {
			n = (options[at + 2] - 4) / 4;
			if (n < 0 || n > RECORDED_MAX || 3u + 4 * n > len)
				return -1;
			memcpy(address, options + at + 3, 4 * n);
			*full = options[at + 2] > len;
			return n;
		}
		at += len;
	}
	return -1;
}

static void show_part(const char *title, const in_addr_t *address, int n)
{
	int i;

	printf("%s:\n", title);
	for (i = 0; i < n; i++) {
		printf("%2d", i + 1);
		show_host(address[i]);
		printf("\n");
	}
}

/**
 * show_record() - show the way that routers record, there and back
 * @to: the destination
 *
 * The destination records its own address, Linux as it receives the echo and
 * again as it answers: what is ahead of it was recorded on the way there.
 *
 * Return: exit code.
 */
int show_record(in_addr_t to)
{
	struct json_object *top = json_object_new_object();
	struct route route = { .to = to };
	struct probe probe = {
		.route = &route,
		.ttl = TTL,
		.record = true,
		.from = wire_source(to),
	};
	in_addr_t address[RECORDED_MAX];
	struct reply reply;
	bool full = false;
	unsigned int i;
	int n, turn, back;

	for (i = 0; i < settings.probes; i++) {
		probe.sequence = i;
		wire_ask(&probe, &reply);
		if (reply.outcome == OUTCOME_ANSWERED)
			break;
	}
	n = reply.outcome == OUTCOME_ANSWERED ?
		recorded(&reply, address, &full) : -1;
	for (turn = 0; turn < n && address[turn] != to; turn++)
		;
	for (back = turn; back < n && address[back] == to; back++)
		;

	if (!settings.json) {
		printf("srtrace to");
		show_host(to);
		printf(", recorded\n");
		if (n < 0) {
			printf(reply.outcome == OUTCOME_NONE ? "no answer\n" :
			       "an answer without a record\n");
		} else {
			show_part("there", address, turn);
			if (turn < n)
				show_part("back", address + back, n - back);
			else
				printf("the destination is not in it: no telling where it turns\n");
			if (full)
				printf("the option is full: there may be more\n");
			printf("%.3f ms\n", reply.rtt);
		}
		if (settings.verbose && reply.options_len) {
			show_area(reply.options, reply.options_len);
			printf("\n");
		}
	}
	json_object_object_add(top, "destination", json_address(to));
	json_object_object_add(top, "reply", json_reply(&reply));
	if (n >= 0) {
		json_object_object_add(top, "there",
				       json_addresses(address, turn));
		if (turn < n)
			json_object_object_add(top, "back",
					       json_addresses(address + back,
							      n - back));
		json_object_object_add(top, "full",
				       json_object_new_boolean(full));
	}
	json_print(top);
	return n >= 0 ? EXIT_REACHED : EXIT_NOT_REACHED;
}

/*
 * A gateway that forwards a source route replaces the address that named it by
 * that of the interface the datagram leaves by: both are its own.
 */
struct evidence {
	in_addr_t named;
	in_addr_t recorded;
	in_addr_t towards;
};

struct group {
	in_addr_t *address;
	unsigned int *of;	/* group number, by address */
	unsigned int n;
};

static unsigned int index_of(struct group *group, in_addr_t address)
{
	unsigned int i;

	for (i = 0; i < group->n; i++)
		if (group->address[i] == address)
			return i;
	group->address = realloc(group->address, (i + 1) * sizeof(address));
	group->of = realloc(group->of, (i + 1) * sizeof(*group->of));
	if (!group->address || !group->of)
		fail(EXIT_SYSTEM, "out of memory");
	group->address[i] = address;
	group->of[i] = i;
	group->n++;
	return i;
}

static void join(struct group *group, in_addr_t a, in_addr_t b)
{
	unsigned int first = index_of(group, a);
	unsigned int second = index_of(group, b);	/* may move all of it */
	unsigned int to = group->of[first], from = group->of[second];
	unsigned int i;

	for (i = 0; i < group->n; i++)
		if (group->of[i] == from)
			group->of[i] = to;
}

/* What @named records on the way to @towards and on to us; 0 for nothing. */
static in_addr_t ask(in_addr_t named, in_addr_t towards)
{
	struct route route = { .gateway = { named, towards }, .gateways = 2 };
	static uint16_t sequence;
	struct probe probe = { .route = &route, .ttl = TTL };
	const uint8_t *slot;
	in_addr_t address;
	struct reply reply;
	struct srr srr;
	unsigned int n;

	probe.from = wire_source(named);
	probe.sequence = sequence++;
	route.to = probe.from;
	if (!towards || towards == named)
		route.gateways = 1;
	wire_ask(&probe, &reply);
	if (reply.outcome != OUTCOME_RETURNED ||
	    srr_parse(reply.options, reply.options_len, &srr) != SRR_VALID)
		return 0;
	slot = srr_recorded(reply.options, &srr, &n);
	if (!n)
		return 0;
	memcpy(&address, slot, sizeof(address));
	return address;
}

static bool is_in(const struct group *group, unsigned int number,
		  in_addr_t address)
{
	unsigned int i;

	for (i = 0; i < group->n; i++)
		if (group->address[i] == address)
			return group->of[i] == number;
	return false;
}

static void show_group(const struct group *group, unsigned int number,
		       const struct evidence *evidence, unsigned int n)
{
	char named[ADDRESS_TEXT], rec[ADDRESS_TEXT], to[ADDRESS_TEXT];
	unsigned int i;

	for (i = 0; i < group->n; i++)
		if (group->of[i] == number)
			show_host(group->address[i]);
	printf("\n");
	for (i = 0; i < n; i++) {
		if (is_in(group, number, evidence[i].named))
			printf("    %s recorded %s towards %s\n",
			       quad(evidence[i].named, named),
			       quad(evidence[i].recorded, rec),
			       quad(evidence[i].towards, to));
	}
}

static struct json_object *json_group(const struct group *group,
				      unsigned int number,
				      const struct evidence *evidence,
				      unsigned int n)
{
	struct json_object *object = json_object_new_object();
	struct json_object *all = json_object_new_array();
	struct json_object *why = json_object_new_array();
	unsigned int i;

	for (i = 0; i < group->n; i++)
		if (group->of[i] == number)
			json_object_array_add(all,
					      json_address(group->address[i]));
	for (i = 0; i < n; i++) {
		struct json_object *one;

		if (!is_in(group, number, evidence[i].named))
			continue;
		one = json_object_new_object();
		json_object_object_add(one, "named",
				       json_address(evidence[i].named));
		json_object_object_add(one, "recorded",
				       json_address(evidence[i].recorded));
		json_object_object_add(one, "towards",
				       json_address(evidence[i].towards));
		json_object_array_add(why, one);
	}
	json_object_object_add(object, "addresses", all);
	json_object_object_add(object, "evidence", why);
	return object;
}

/**
 * aliases() - which addresses belong to one router?
 * @address: addresses to ask
 * @n: how many
 *
 * Each is asked to forward to us, and to each of the others.
 *
 * Return: exit code; EXIT_NOT_REACHED if none forwards.
 */
int aliases(const in_addr_t *address, unsigned int n)
{
	struct evidence *evidence = calloc((size_t)n * n, sizeof(*evidence));
	struct json_object *top = json_object_new_object();
	struct json_object *routers = json_object_new_array();
	unsigned int i, j, found = 0, number = 0;
	struct group group = { 0 };

	if (!evidence)
		fail(EXIT_SYSTEM, "out of memory");
	for (i = 0; i < n; i++)
		index_of(&group, address[i]);
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			in_addr_t towards = i == j ? wire_source(address[i]) :
						     address[j];
			in_addr_t rec = ask(address[i], i == j ? 0 : towards);

			if (!rec)
				continue;
			evidence[found++] = (struct evidence){
				address[i], rec, towards,
			};
			join(&group, address[i], rec);
		}
	}
	for (i = 0; i < group.n; i++) {
		if (group.of[i] != i)
			continue;
		if (!settings.json) {
			printf("router %u:", ++number);
			show_group(&group, i, evidence, found);
		}
		json_object_array_add(routers,
				      json_group(&group, i, evidence, found));
	}
	json_object_object_add(top, "routers", routers);
	json_print(top);
	free(evidence);
	free(group.address);
	free(group.of);
	return found ? EXIT_REACHED : EXIT_NOT_REACHED;
}
