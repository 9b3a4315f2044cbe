// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which addresses belong to one router?
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "srtrace.h"

#define TTL	64

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

/* What the gateway has recorded; 0 for nothing. */
static in_addr_t recorded(const struct reply *reply)
{
	const uint8_t *slot;
	in_addr_t address;
	struct srr srr;
	unsigned int n;

	if (reply->outcome != OUTCOME_RETURNED ||
	    srr_parse(reply->options, reply->options_len, &srr) != SRR_VALID)
		return 0;
	slot = srr_recorded(reply->options, &srr, &n);
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

static void json_group(struct json_object *object, const struct group *group,
		       unsigned int number, const struct evidence *evidence,
		       unsigned int n)
{
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
}

/**
 * struct asking - all pairs, while they are asked
 * @work: the engine's
 * @address: the addresses
 * @n: how many
 * @at: the next pair
 * @group: which are together
 * @evidence: why
 * @found: how many
 */
struct asking {
	struct work work;
	const in_addr_t *address;
	unsigned int n;
	size_t at;
	struct group group;
	struct evidence *evidence;
	unsigned int found;
};

static struct ask *next(struct work *work, double *when)
{
	struct asking *asking = (struct asking *)work;
	in_addr_t named, towards, self;
	struct ask *ask;
	int error;

	(void)when;
	if (asking->at == (size_t)asking->n * asking->n)
		return NULL;
	named = asking->address[asking->at / asking->n];
	towards = asking->address[asking->at % asking->n];
	asking->at++;
	ask = calloc(1, sizeof(*ask));
	if (!ask)
		fail(EXIT_SYSTEM, "out of memory");
	/* Without a way it is not sent, and says so. */
	if (!wire_try_source(named, &self, &error))
		self = 0;
	ask->probe = (struct probe){
		.route = { .gateway = { named, towards }, .gateways = 2,
			   .to = self },
		.ttl = TTL, .from = self,
	};
	if (towards == named)
		ask->probe.route.gateways = 1;
	ask->tries = settings.probes;
	return ask;
}

static void done(struct work *work, struct ask *ask)
{
	struct asking *asking = (struct asking *)work;
	const struct route *route = &ask->probe.route;
	in_addr_t slot = recorded(&ask->reply);

	json_probe(ask);
	if (slot) {
		asking->evidence[asking->found++] = (struct evidence){
			route->gateway[0], slot, stop_of(route, 1),
		};
		join(&asking->group, route->gateway[0], slot);
	}
	engine_forget(ask);
	free(ask);
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
	struct asking asking = {
		.work = { .next = next, .done = done, .pace = settings.pace,
			  .window = settings.window },
		.address = address,
		.n = n,
		.evidence = calloc((size_t)n * n, sizeof(struct evidence)),
	};
	struct group *group = &asking.group;
	unsigned int i, number = 0;
	struct json_object *line;
	bool whole;

	if (!asking.evidence)
		fail(EXIT_SYSTEM, "out of memory");
	for (i = 0; i < n; i++)
		index_of(group, address[i]);
	json_start("aliases", NULL, 0);
	whole = engine_run(&asking.work);
	for (i = 0; i < group->n; i++) {
		if (group->of[i] != i)
			continue;
		if (!settings.json) {
			printf("router %u:", ++number);
			show_group(group, i, asking.evidence, asking.found);
		}
		line = json_line("router");
		json_group(line, group, i, asking.evidence, asking.found);
		json_print(line);
	}
	json_end(json_line("end"), asking.found ? "some forward" : "none forwards",
		 whole ? "all have been asked" : "interrupted");
	show_doubts();
	free(asking.evidence);
	free(group->address);
	free(group->of);
	return asking.found ? EXIT_REACHED : EXIT_NOT_REACHED;
}
