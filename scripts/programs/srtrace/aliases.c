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
	unsigned int index;	/* of the named one in the group */
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

	/* A group has the number of its first address. */
	if (from < to) {
		i = to;
		to = from;
		from = i;
	}
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
		if (group->of[evidence[i].index] == number)
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

		if (group->of[evidence[i].index] != number)
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

#define ABREAST		3	/* boxes of a picture */
#define ALL_PAIRS	8	/* up to so many addresses each is asked towards each */

/**
 * struct member - an address that is asked
 * @address: the address
 * @index: of it in the group
 * @forwards: it has forwarded something back to us
 * @distance: hops out to it and back, as the last probe that returned has it
 */
struct member {
	in_addr_t address;
	unsigned int index;
	bool forwards;
	unsigned int distance;
};

/**
 * struct asking - while it goes on, in rounds
 * @work: the engine's
 * @heard: of each address, by its index, what came when it was to forward to us
 * @asked: how many these are
 * @unsent: errno of the last probe that our own kernel has not sent
 * @member: the addresses; after the first round those alone that forward
 * @n: how many
 * @at: the next one of this round
 * @offset: each is asked towards the one that is so many behind it; 0 in the first
 *	    round, where they are asked to forward to us
 * @waiting: probes without an end
 * @group: which are together
 * @evidence: why
 * @found: how many of it
 * @against: what was recorded and cannot be the gateway's own
 * @against_n: how many
 */
struct asking {
	struct work work;
	struct reply *heard;
	unsigned int asked;
	int unsent;
	struct member *member;
	unsigned int n;
	unsigned int at;
	unsigned int offset;
	unsigned int waiting;
	struct group group;
	struct evidence *evidence;
	unsigned int found;
	struct evidence *against;
	unsigned int against_n;
};

static void add(struct evidence **all, unsigned int n, struct evidence one)
{
	/* Room is doubled whenever it is a power of two. */
	if (!(n & (n - 1))) {
		*all = realloc(*all, (n ? 2 * n : 1) * sizeof(one));
		if (!*all)
			fail(EXIT_SYSTEM, "out of memory");
	}
	(*all)[n] = one;
}

/*
 * Those that do not forward are not asked again. Few are asked towards each of the
 * others; of many, each towards those 1, 2, 4, ... places behind it: as many probes a
 * round as there are addresses.
 */
static bool next_round(struct asking *asking)
{
	unsigned int i, n = 0;

	if (!asking->offset) {
		for (i = 0; i < asking->n; i++)
			if (asking->member[i].forwards)
				asking->member[n++] = asking->member[i];
		asking->n = n;
	}
	if (asking->n <= ALL_PAIRS || !asking->offset)
		asking->offset++;
	else
		asking->offset *= 2;
	asking->at = 0;
	return asking->offset < asking->n;
}

static struct ask *next(struct work *work, double *when)
{
	struct asking *asking = (struct asking *)work;
	in_addr_t named, towards, self;
	struct ask *ask;
	int error;

	(void)when;
	if (asking->at == asking->n &&
	    (asking->waiting || !next_round(asking)))
		return NULL;
	named = asking->member[asking->at].address;
	towards = asking->member[(asking->at + asking->offset) %
				 asking->n].address;
	asking->at++;
	asking->waiting++;
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

static void mark(struct asking *asking, in_addr_t address, unsigned int distance)
{
	unsigned int i;

	for (i = 0; i < asking->n; i++) {
		if (asking->member[i].address != address)
			continue;
		asking->member[i].forwards = true;
		asking->member[i].distance = distance;
	}
}

/* Its own is neither the next gateway nor we. */
static void weigh(struct asking *asking, const struct ask *ask, in_addr_t slot)
{
	const struct route *route = &ask->probe.route;
	struct evidence one = { route->gateway[0], slot, stop_of(route, 1),
				index_of(&asking->group,
					 route->gateway[0]) };

	if (slot == ask->probe.from ||
	    (route->gateways > 1 && slot == route->gateway[1])) {
		add(&asking->against, asking->against_n++, one);
		return;
	}
	add(&asking->evidence, asking->found++, one);
	join(&asking->group, route->gateway[0], slot);
}

static void done(struct work *work, struct ask *ask)
{
	struct asking *asking = (struct asking *)work;
	in_addr_t slot = recorded(&ask->reply);

	asking->waiting--;
	json_probe(ask);
	if (ask->reply.outcome == OUTCOME_UNSENT)
		asking->unsent = ask->reply.error;
	if (!asking->offset)
		asking->heard[index_of(&asking->group,
				       ask->probe.route.gateway[0])] = ask->reply;
	if (slot) {
		if (!asking->offset)
			mark(asking, ask->probe.route.gateway[0],
			     TTL - ask->reply.ttl);
		weigh(asking, ask, slot);
	}
	engine_forget(ask);
	free(ask);
}

/*
 * One router is as far away by each of its addresses, but for the hop to its other
 * side. More is no proof, since ways differ, and named.
 */
static void doubt_group(const struct asking *asking, unsigned int number,
			struct json_object *list)
{
	const struct member *near = NULL, *far = NULL;
	char one[ADDRESS_TEXT], other[ADDRESS_TEXT], text[160];
	unsigned int i;

	for (i = 0; i < asking->n; i++) {
		const struct member *member = &asking->member[i];

		if (asking->group.of[member->index] != number)
			continue;
		if (!near || member->distance < near->distance)
			near = member;
		if (!far || member->distance > far->distance)
			far = member;
	}
	if (!near || far->distance - near->distance <= 2)
		return;
	snprintf(text, sizeof(text),
		 "%s is %u hops out and back, %s %u: perhaps not one router",
		 quad(near->address, one), near->distance,
		 quad(far->address, other), far->distance);
	json_object_array_add(list, json_object_new_string(text));
	if (!settings.json)
		printf("    but %s\n", text);
}

static void show_against(const struct asking *asking, struct json_object *list)
{
	char named[ADDRESS_TEXT], rec[ADDRESS_TEXT], text[160];
	unsigned int i;

	for (i = 0; i < asking->against_n; i++) {
		const struct evidence *one = &asking->against[i];

		snprintf(text, sizeof(text),
			 "%s recorded %s, to which it was to send: not its own",
			 quad(one->named, named), quad(one->recorded, rec));
		json_object_array_add(list, json_object_new_string(text));
		if (!settings.json)
			printf("not believed: %s\n", text);
	}
}

/*
 * Why nothing is known of a group: an address alone that has not forwarded. NULL if it
 * is a router as far as is known. Of those not named a gateway has spoken.
 */
static const char *not_known(const struct asking *asking, unsigned int number)
{
	const struct group *group = &asking->group;
	const struct reply *reply = &asking->heard[number];
	char from[ADDRESS_TEXT];
	static char text[128];
	unsigned int i;

	for (i = 0; i < group->n; i++)
		if (i != number && group->of[i] == number)
			return NULL;
	if (number >= asking->asked || reply->outcome == OUTCOME_RETURNED)
		return NULL;
	if (reply->outcome == OUTCOME_UNSENT)
		return unsent_reason(reply->error);
	if (reply_is_there(reply)) {
		snprintf(text, sizeof(text), "%s from %s", error_name(reply),
			 quad(reply->from, from));
		return text;
	}
	if (reply->outcome == OUTCOME_UNKNOWN)
		return outcome_name(reply->outcome);
	return interrupted() ? "interrupted" : "silent";
}

static void conclude(struct asking *asking, bool whole)
{
	struct json_object *line, *list = json_object_new_array();
	const struct group *group = &asking->group;
	const char *unknown = unknown_reason(whole);
	unsigned int i, number = 0;

	for (i = 0; i < group->n; i++) {
		struct json_object *but;
		const char *why;

		if (group->of[i] != i)
			continue;
		but = json_object_new_array();
		why = not_known(asking, i);
		if (!settings.json) {
			if (why)
				printf("not known, %s:", why);
			else
				printf("router %u:", ++number);
			show_group(group, i, asking->evidence, asking->found);
		}
		line = json_line("router");
		if (why)
			json_object_object_add(line, "not_known",
					       json_object_new_string(why));
		json_group(line, group, i, asking->evidence, asking->found);
		doubt_group(asking, i, but);
		json_object_object_add(line, "contradictions", but);
		json_print(line);
	}
	show_against(asking, list);
	line = json_line("end");
	json_object_object_add(line, "contradictions", list);
	if (!unknown && asking->unsent)
		unknown = unsent_reason(asking->unsent);
	json_end(line, asking->found ? "some forward" :
		 unknown ? "unknown" : "none forwards",
		 unknown ? unknown : "all have been asked");
	show_doubts();
}

/* A router is a box with its interfaces. */
static void draw(const struct asking *asking)
{
	const struct group *group = &asking->group;
	unsigned int i, j, box, n = 0, number = 0;
	const char *why;

	picture_title("srtrace: addresses that belong to one router");
	for (i = 0; i < group->n; i++) {
		if (group->of[i] != i)
			continue;
		why = not_known(asking, i);
		box = picture_box(n % ABREAST, n / ABREAST,
				  why ? LOOK_SILENT : LOOK_ROUTER);
		n++;
		if (why)
			picture_line(box, "%s", why);
		else
			picture_line(box, "router %u", ++number);
		for (j = i; j < group->n; j++)
			if (group->of[j] == i)
				picture_host(box, group->address[j]);
	}
}

/**
 * aliases() - which addresses belong to one router?
 * @address: addresses to ask
 * @n: how many
 *
 * Return: exit code; EXIT_NOT_REACHED if none forwards.
 */
int aliases(const in_addr_t *address, unsigned int n)
{
	struct asking asking = {
		.work = { .next = next, .done = done, .pace = settings.pace,
			  .window = settings.window },
		.heard = calloc(n, sizeof(struct reply)),
		.asked = n,
		.member = calloc(n, sizeof(struct member)),
		.n = n,
	};
	unsigned int i;
	bool whole;

	if (!asking.member || !asking.heard)
		fail(EXIT_SYSTEM, "out of memory");
	for (i = 0; i < n; i++) {
		asking.member[i].address = address[i];
		asking.member[i].index = index_of(&asking.group, address[i]);
	}
	json_start("aliases", NULL, 0);
	whole = engine_run(&asking.work);
	conclude(&asking, whole);
	if (picture_wanted())
		draw(&asking);
	free(asking.heard);
	free(asking.member);
	free(asking.evidence);
	free(asking.against);
	free(asking.group.address);
	free(asking.group.of);
	return asking.found ? EXIT_REACHED : EXIT_NOT_REACHED;
}
