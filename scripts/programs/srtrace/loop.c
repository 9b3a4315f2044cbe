// SPDX-License-Identifier: GPL-2.0-only
/*
 * Out to a gateway and back: the probes are for ourselves, by way of the
 * gateway, so those that come back have gone both ways.
 *
 * checkpatch: PREFER_KERNEL_TYPES,LONG_LINE: this is a program of user space
 */
#include <stdio.h>
#include <string.h>

#include "srtrace.h"

#define AHEAD	5

enum side {
	SIDE_UNKNOWN,	/* silent between the two ways */
	SIDE_OUT,
	SIDE_BACK,
};

/**
 * struct ways - a loop while it goes on
 * @work: the engine's
 * @route: out and back
 * @asks: by TTL
 * @next: the TTL to be sent next
 * @answered: the last TTL of which there is a reply
 * @whole: all TTLs up to this have their end
 * @silent: TTLs up to @whole that are silent, in a row
 * @end: the TTL at which it ends
 * @unsent: errno of the last one that our own kernel has not sent
 * @gave_up: after too many silent ones
 */
struct ways {
	struct work work;
	struct route route;
	struct ask asks[TTLS];
	bool done[TTLS];
	enum side side[TTLS];
	unsigned int next;
	unsigned int answered;
	unsigned int whole;
	unsigned int silent;
	unsigned int end;
	int unsent;
	bool gave_up;
};

static struct ask *next(struct work *work, double *when)
{
	struct ways *ways = (struct ways *)work;
	unsigned int far = ways->answered > ways->whole ?
		ways->answered : ways->whole;
	struct ask *ask;

	(void)when;
	if (ways->gave_up || ways->next > ways->end || ways->next > far + AHEAD)
		return NULL;
	ask = &ways->asks[ways->next];
	ask->probe = (struct probe){
		.route = ways->route, .ttl = ways->next++,
		.from = ways->route.to, .size = settings.size,
		.whole = settings.whole,
	};
	ask->tries = settings.probes;
	return ask;
}

static void done(struct work *work, struct ask *ask)
{
	struct ways *ways = (struct ways *)work;
	const struct reply *reply = &ask->reply;
	unsigned int ttl = ask->probe.ttl;

	ways->done[ttl] = true;
	if (reply_is_end(reply) && ttl < ways->end)
		ways->end = ttl;
	if ((reply_is_end(reply) || reply->outcome == OUTCOME_EXPIRED) &&
	    ttl > ways->answered)
		ways->answered = ttl;
	if (ttl <= ways->end)
		json_probe(ask);
	while (ways->whole < ways->end && ways->done[ways->whole + 1]) {
		reply = &ways->asks[++ways->whole].reply;
		ways->silent = reply->outcome == OUTCOME_NONE ||
			       reply->outcome == OUTCOME_UNSENT ?
			ways->silent + 1 : 0;
		if (reply->outcome == OUTCOME_UNSENT)
			ways->unsent = reply->error;
		if (ways->silent >= settings.gap)
			ways->gave_up = true;
	}
}

static bool has_passed(const struct reply *reply, unsigned int gateways)
{
	return reply->outcome == OUTCOME_EXPIRED &&
	       (reply->place == PLACE_SOUND || reply->place == PLACE_CUT) &&
	       reply->passed >= gateways;
}

/*
 * What expires at the gateway itself has not passed it yet. A silent hop is on the
 * way of its neighbours; between the two ways only the address of the gateway
 * tells, and where that is not seen, nothing does.
 */
static void find_sides(struct ways *ways)
{
	unsigned int gateways = ways->route.gateways;
	in_addr_t turn = ways->route.gateway[gateways - 1];
	unsigned int last_out = 0, first_back = 0, ttl;
	bool turned = false;

	for (ttl = settings.first; ttl < ways->end; ttl++) {
		const struct reply *reply = &ways->asks[ttl].reply;

		if (reply->outcome != OUTCOME_EXPIRED)
			continue;
		if (has_passed(reply, gateways)) {
			if (!first_back)
				first_back = ttl;
		} else if (!first_back) {
			last_out = ttl;
			turned = reply->from == turn;
		}
	}
	for (ttl = settings.first; ttl < ways->end; ttl++) {
		if (ttl <= last_out)
			ways->side[ttl] = SIDE_OUT;
		else if (turned || (first_back && ttl >= first_back))
			ways->side[ttl] = SIDE_BACK;
	}
}

/* The silent ones at the end of what was given up say nothing. */
static void cut_silence(struct ways *ways)
{
	if (ways->end <= ways->whole &&
	    reply_is_end(&ways->asks[ways->end].reply))
		return;
	ways->end = ways->answered + 1;
}

static void show_side(const struct reply *reply)
{
	char text[ADDRESS_TEXT];

	if (!reply)
		printf("  %-28s", "");
	else if (reply->outcome != OUTCOME_EXPIRED)
		printf("  %-28s", outcome_name(reply->outcome));
	else
		printf("  %-16s %8.3f ms", quad(reply->from, text), reply->rtt);
}

static unsigned int count(const struct ways *ways, enum side side)
{
	unsigned int ttl, n = 0;

	for (ttl = settings.first; ttl < ways->end; ttl++)
		n += ways->side[ttl] == side;
	return n;
}

/*
 * Row by row from us to the gateway. A router that is on both ways may answer
 * with two addresses, so a pair that differs is marked, and no more is said.
 */
static unsigned int show_ways(const struct ways *ways, bool returned)
{
	unsigned int outs = count(ways, SIDE_OUT), backs = count(ways, SIDE_BACK);
	unsigned int rows = outs > backs + 1 ? outs - 1 : backs;
	const struct ask *first = &ways->asks[settings.first];
	unsigned int i, marked = 0;
	bool turns = backs || returned;

	if (!turns)
		rows = outs;
	printf("     %-28s  %s\n", "out", "back");
	for (i = 0; i < rows; i++) {
		const struct reply *out = i + turns < outs ?
			&first[i].reply : NULL;
		const struct reply *back = i < backs ?
			&ways->asks[ways->end - 1 - i].reply : NULL;
		bool differ = turns && (!out || !back ||
			out->outcome != OUTCOME_EXPIRED ||
			back->outcome != OUTCOME_EXPIRED ||
			out->from != back->from);

		printf("%2u ", i + settings.first);
		show_side(out);
		show_side(back);
		printf("%s\n", differ ? "  !" : "");
		marked += differ;
	}
	if (outs && turns) {
		printf("%2u ", outs - 1 + settings.first);
		show_side(&first[outs - 1].reply);
		printf("  <- turns here\n");
	}
	if (turns && count(ways, SIDE_UNKNOWN))
		printf("%u silent hops between the two ways: on which, is not known\n",
		       count(ways, SIDE_UNKNOWN));
	return marked;
}

static struct json_object *json_side(const struct ways *ways, enum side side)
{
	struct json_object *array = json_object_new_array();
	unsigned int ttl;

	for (ttl = settings.first; ttl < ways->end; ttl++) {
		const struct reply *reply = &ways->asks[ttl].reply;

		if (ways->side[ttl] != side)
			continue;
		json_object_array_add(array,
				      reply->outcome == OUTCOME_EXPIRED ?
				      json_address(reply->from) : NULL);
	}
	return array;
}

static void conclude(const struct ways *ways, bool whole)
{
	static const char different[] =
		"; ! the ways differ, or a router has two addresses";
	const struct reply *end = &ways->asks[ways->end].reply;
	struct json_object *line = json_line("end");
	const char *verdict = "not returned", *reason = "no hop left";
	const char *unknown = unknown_reason(whole);
	bool returned = end->outcome == OUTCOME_RETURNED;
	unsigned int marked = 0;
	char text[ADDRESS_TEXT];

	if (!settings.json)
		marked = show_ways(ways, returned);
	if (returned) {
		verdict = "returned";
		reason = "the probe itself, its route used up";
	} else if (end->outcome == OUTCOME_REFUSED) {
		verdict = "refused";
		reason = error_name(end);
	} else if (unknown) {
		verdict = "unknown";
		reason = unknown;
	} else if (ways->unsent) {
		verdict = "unknown";
		reason = unsent_reason(ways->unsent);
	} else if (!ways->gave_up) {
		/* It has been asked as far as the user wants. */
		reason = "no hop left";
	} else if (!count(ways, SIDE_BACK)) {
		reason = "nothing is heard from behind the gateway: it does not forward, or all is dropped";
	} else {
		reason = "the way back falls silent";
	}
	if (settings.json)
		;
	else if (returned)
		printf("back after %.3f ms; %u hops out, %u back%s\n",
		       end->rtt, count(ways, SIDE_OUT), count(ways, SIDE_BACK),
		       marked ? different : "");
	else if (end->outcome == OUTCOME_REFUSED)
		printf("refused by %s: %s\n", quad(end->from, text), reason);
	else
		printf("no probe has come back: %s\n", reason);
	json_object_object_add(line, "out", json_side(ways, SIDE_OUT));
	json_object_object_add(line, "back", json_side(ways, SIDE_BACK));
	json_object_object_add(line, "undecided",
			       json_side(ways, SIDE_UNKNOWN));
	json_end(line, verdict, reason);
	show_doubts();
}

static unsigned int draw_hop(const struct ways *ways, unsigned int ttl,
			     unsigned int column, unsigned int row, enum look look)
{
	const struct reply *reply = &ways->asks[ttl].reply;
	bool there = reply_is_there(reply);
	unsigned int box = picture_box(column, row,
				       there ? look : LOOK_SILENT);

	if (!there) {
		picture_line(box, "%u  silent", ttl);
		return box;
	}
	picture_line(box, "%u", ttl);
	picture_host(box, reply->from);
	picture_line(box, "%.3f ms", reply->rtt);
	if (reply->outcome == OUTCOME_REFUSED)
		picture_line(box, "%s", error_name(reply));
	return box;
}

/*
 * Out on the left, downwards; back on the right, upwards; what is beside each other is
 * as far from us. A pair that differs is where the ways part, or has two addresses.
 */
static void draw(const struct ways *ways)
{
	unsigned int outs = count(ways, SIDE_OUT), backs = count(ways, SIDE_BACK);
	unsigned int us = picture_box(0, 0, LOOK_US), box, before = us, i;
	const struct reply *end = &ways->asks[ways->end].reply;
	in_addr_t turn = ways->route.gateway[ways->route.gateways - 1];
	unsigned int *left = calloc(TTLS, sizeof(*left));
	char text[ADDRESS_TEXT];

	if (!left)
		fail(EXIT_SYSTEM, "out of memory");
	picture_title("srtrace out to %s and back", quad(turn, text));
	picture_line(us, "us");
	picture_host(us, ways->route.to);
	for (i = 0; i < outs; i++) {
		unsigned int ttl = settings.first + i;
		bool turns = i + 1 == outs && (backs || reply_is_end(end));

		box = draw_hop(ways, ttl, 0, i + 1,
			       turns ? LOOK_GATEWAY : LOOK_ROUTER);
		picture_arrow(before, box, LOOK_ROUTER);
		left[i] = box;
		before = box;
	}
	for (i = 0; i < backs; i++) {
		unsigned int ttl = ways->end - backs + i, row = backs - i;
		bool differ = row > outs ||
			ways->asks[settings.first + row - 1].reply.from !=
			ways->asks[ttl].reply.from;

		box = draw_hop(ways, ttl, 1, row,
			       differ ? LOOK_OTHER : LOOK_ROUTER);
		picture_arrow(before, box, differ ? LOOK_OTHER : LOOK_ROUTER);
		if (row <= outs && !differ)
			picture_arrow(left[row - 1], box, LOOK_SAME);
		before = box;
	}
	free(left);
	if (end->outcome == OUTCOME_RETURNED) {
		picture_arrow(before, us, LOOK_ROUTER);
	} else if (reply_is_end(end)) {
		box = draw_hop(ways, ways->end, 0, outs + 1, LOOK_REFUSED);
		picture_arrow(before, box, LOOK_ROUTER);
	}
}

/**
 * show_loop() - show the way out to a gateway and the way back
 * @way: the gateways; the last one is where it turns
 *
 * Return: exit code; EXIT_REACHED if a probe has come back.
 */
int show_loop(const struct route *way)
{
	static struct ways ways;
	bool whole;

	ways.work = (struct work){
		.next = next, .done = done,
		.pace = settings.pace, .window = settings.window,
	};
	ways.route = *way;
	ways.route.to = wire_source(way->gateway[0]);
	ways.next = settings.first;
	ways.whole = settings.first - 1;
	ways.end = settings.last;
	json_start("loop", &ways.route, ways.route.to);
	if (!settings.json) {
		printf("srtrace out to");
		show_host(way->gateway[way->gateways - 1]);
		printf(" and back\n");
	}
	whole = engine_run(&ways.work);
	cut_silence(&ways);
	find_sides(&ways);
	conclude(&ways, whole);
	if (picture_wanted())
		draw(&ways);
	return ways.asks[ways.end].reply.outcome == OUTCOME_RETURNED ?
		EXIT_REACHED : EXIT_NOT_REACHED;
}
