// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way to a destination, hop by hop.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "srtrace.h"

#define AHEAD		5	/* hops that are asked beyond the last that answers */
#define WAIT_LEAST	250	/* milliseconds, however fast others were */
#define HOP_PAUSE	50	/* between two probes to a hop, which may limit errors */

struct hop {
	struct ask *asks;
	unsigned int sent;
	unsigned int done;
	double sent_at;
};

/**
 * struct walk - a trace while it goes on
 * @work: the engine's
 * @route: the way
 * @from: our address
 * @hops: by TTL
 * @shown: the last TTL that is printed
 * @answered: the last TTL of which there is a reply
 * @end: the TTL at which the way ends, as far as is known
 * @silent: hops without a reply, in a row, up to @shown
 * @last: the reply that ends it
 * @unsent: errno of the last one that our own kernel has not sent
 * @gave_up: after too many silent ones
 */
struct walk {
	struct work work;
	const struct route *route;
	in_addr_t from;
	struct hop hops[TTLS];
	unsigned int shown;
	unsigned int answered;
	unsigned int end;
	unsigned int silent;
	struct reply last;
	int unsent;
	bool gave_up;
};

/* Where an error met the probe. */
static void show_place(const struct reply *reply, const struct route *route)
{
	char text[ADDRESS_TEXT];

	if (!reply->type || reply->place == PLACE_NONE)
		return;
	if (reply->place == PLACE_SOUND || reply->place == PLACE_CUT)
		printf("  [%u of %u, to %s%s]", reply->passed, route->gateways,
		       quad(reply->to, text),
		       reply->place == PLACE_CUT ? ", quote cut" : "");
	else
		printf("  %s[%s]%s", paint("33"), place_name(reply->place),
		       paint("0"));
}

static void show_reply(const struct reply *reply, const struct route *route,
		       const struct reply *before)
{
	bool other = !before || before->from != reply->from;

	if (!reply_is_there(reply)) {
		printf("  %s", outcome_name(reply->outcome));
		if (reply->outcome == OUTCOME_UNSENT)
			printf(": %s", strerror(reply->error));
		return;
	}
	if (other)
		show_host(reply->from);
	printf("  %.3f ms", reply->rtt);
	if (reply->late)
		printf(" (late)");
	if (reply->copies)
		printf(" (%u more copies)", reply->copies);
	if (reply->type && (reply->outcome == OUTCOME_REFUSED ||
			    reply->outcome == OUTCOME_ANSWERED))
		printf("  %s%s%s", paint("31"), error_name(reply), paint("0"));
	if (other || before->place != reply->place ||
	    before->passed != reply->passed || before->to != reply->to)
		show_place(reply, route);
	if (reply->type && reply->quoted_tos != settings.tos &&
	    (other || before->quoted_tos != reply->quoted_tos))
		printf("  %s[TOS %u in the quote]%s", paint("33"),
		       reply->quoted_tos, paint("0"));
	if (other)
		show_extension(reply);
	if (settings.verbose)
		printf("  [reply TTL %u, %u hops back]", reply->ttl,
		       hops_back(reply));
	if (settings.verbose && reply->options_len) {
		printf("  ");
		show_area(reply->options, reply->options_len);
	}
}

static void show_header(const struct route *route)
{
	static uint8_t datagram[DATAGRAM_MAX];
	struct probe probe = { .route = *route };
	unsigned int i;

	printf("srtrace to");
	show_host(route->to);
	for (i = 0; i < route->gateways; i++) {
		printf(i ? "," : " by");
		show_host(route->gateway[i]);
	}
	if (route->gateways)
		printf(", %s", settings.strict ? "strict" : "loose");
	printf(", %u hops max\n", settings.last);
	if (settings.verbose && route->gateways) {
		probe_build(datagram, &probe);
		printf("option: ");
		show_area(datagram + 20, 4 * (datagram[0] & 15) - 20);
		printf("\n");
	}
}

static struct ask *make_ask(struct walk *walk, unsigned int ttl)
{
	struct hop *hop = &walk->hops[ttl];
	struct ask *ask;

	if (!hop->asks)
		hop->asks = calloc(settings.probes, sizeof(*hop->asks));
	if (!hop->asks)
		fail(EXIT_SYSTEM, "out of memory");
	ask = &hop->asks[hop->sent++];
	ask->probe = (struct probe){
		.route = *walk->route, .ttl = ttl, .from = walk->from,
		.size = settings.size, .whole = settings.whole,
	};
	ask->tries = 1;
	ask->of = hop;
	hop->sent_at = now();
	return ask;
}

/* The first hop that may be asked: not too far ahead, not too often at a time. */
static struct ask *next(struct work *work, double *when)
{
	struct walk *walk = (struct walk *)work;
	unsigned int far = walk->answered > walk->shown ?
		walk->answered : walk->shown;
	unsigned int ttl;

	if (walk->gave_up)
		return NULL;
	for (ttl = walk->shown + 1; ttl <= walk->end && ttl <= far + AHEAD;
	     ttl++) {
		struct hop *hop = &walk->hops[ttl];

		if (hop->sent == settings.probes)
			continue;
		if (!hop->sent || now() >= hop->sent_at + HOP_PAUSE)
			return make_ask(walk, ttl);
		if (!*when || hop->sent_at + HOP_PAUSE < *when)
			*when = hop->sent_at + HOP_PAUSE;
	}
	return NULL;
}

/* What replies of a hop took at most, and not less than a bit; 0 if there is none. */
static double slowest(const struct hop *hop)
{
	double most = 0;
	unsigned int i;

	for (i = 0; i < hop->sent; i++)
		if (reply_is_there(&hop->asks[i].reply))
			most = fmax(most, fmax(hop->asks[i].reply.rtt, 0.001));
	return most;
}

/*
 * A hop that has answered is not silent, whatever becomes of its other probes, and
 * does not take much longer for them. One that has not may be slow: if the user does
 * not say so, nothing is made of how fast those behind it are.
 */
static double patience(struct work *work, const struct ask *ask)
{
	const struct walk *walk = (struct walk *)work;
	double wait = settings.here * slowest(ask->of);
	unsigned int ttl;

	for (ttl = ask->probe.ttl + 1; !wait && settings.near &&
	     ttl <= walk->end; ttl++)
		wait = settings.near * slowest(&walk->hops[ttl]);
	return wait ? fmin(fmax(wait, WAIT_LEAST), settings.wait) :
		      settings.wait;
}

static void show_hop(struct walk *walk, unsigned int ttl)
{
	const struct reply *before = NULL;
	struct hop *hop = &walk->hops[ttl];
	bool silent = true;
	unsigned int i;

	if (!settings.json)
		printf("%2u", ttl);
	for (i = 0; i < hop->sent; i++) {
		const struct reply *reply = &hop->asks[i].reply;

		if (!settings.json)
			show_reply(reply, walk->route, before);
		if (reply->outcome == OUTCOME_UNSENT)
			walk->unsent = reply->error;
		else if (reply->outcome != OUTCOME_NONE)
			silent = false;
		if (reply_is_there(reply)) {
			before = reply;
			if (!reply_is_end(&walk->last))
				walk->last = *reply;
		}
	}
	if (!settings.json)
		printf("\n");
	output_done();
	walk->silent = silent ? walk->silent + 1 : 0;
	walk->gave_up = walk->silent >= settings.gap;
}

static void show_complete(struct walk *walk)
{
	while (walk->shown < walk->end && !walk->gave_up &&
	       walk->hops[walk->shown + 1].done == settings.probes)
		show_hop(walk, ++walk->shown);
}

static void note(struct walk *walk, const struct ask *ask)
{
	const struct reply *reply = &ask->reply;

	if (reply_is_there(reply) && ask->probe.ttl > walk->answered)
		walk->answered = ask->probe.ttl;
	if (reply_is_end(reply) && ask->probe.ttl < walk->end)
		walk->end = ask->probe.ttl;
	if (ask->probe.ttl <= walk->end)
		json_probe(ask);
}

static void done(struct work *work, struct ask *ask)
{
	struct walk *walk = (struct walk *)work;

	((struct hop *)ask->of)->done++;
	note(walk, ask);
	show_complete(walk);
}

/* Of a hop that is not printed yet it is shown there, else by itself. */
static void hear_late(struct work *work, struct ask *ask, const struct reply *reply)
{
	struct walk *walk = (struct walk *)work;
	char text[ADDRESS_TEXT];

	ask->reply = *reply;
	note(walk, ask);
	if (ask->probe.ttl <= walk->shown && !settings.json)
		printf("late, of hop %u: %s after %.3f ms\n", ask->probe.ttl,
		       quad(reply->from, text), reply->rtt);
}

/* What is known when the user ends it. */
static void show_rest(struct walk *walk)
{
	while (walk->shown < walk->end && walk->hops[walk->shown + 1].sent)
		show_hop(walk, ++walk->shown);
}

static void conclude(const struct walk *walk, bool whole)
{
	const struct reply *last = &walk->last;
	const char *verdict = "not reached", *reason = "no hop left";
	const char *unknown = unknown_reason(whole);
	char text[ADDRESS_TEXT];

	if (reply_is_reached(last)) {
		verdict = "reached";
		reason = last->type ? "its own error" : "its own answer";
	} else if (last->outcome == OUTCOME_REFUSED) {
		verdict = "refused";
		reason = error_name(last);
		if (!settings.json)
			printf("refused by %s: %s\n", quad(last->from, text),
			       reason);
	} else if (unknown) {
		verdict = "unknown";
		reason = unknown;
	} else if (walk->unsent) {
		verdict = "unknown";
		reason = unsent_reason(walk->unsent);
		if (!settings.json)
			printf("our own kernel has not sent them all: %s\n",
			       strerror(walk->unsent));
	} else if (walk->gave_up) {
		reason = "too many silent hops";
		if (!settings.json)
			printf("%u silent hops in a row: not asked further\n",
			       walk->silent);
	}
	json_end(json_line("end"), verdict, reason);
	show_doubts();
}

static enum look look_of(const struct reply *reply, const struct route *route)
{
	unsigned int i;

	if (reply_is_reached(reply))
		return LOOK_END;
	if (reply->outcome == OUTCOME_REFUSED)
		return LOOK_REFUSED;
	for (i = 0; i < route->gateways; i++)
		if (route->gateway[i] == reply->from)
			return LOOK_GATEWAY;
	return LOOK_ROUTER;
}

/* The reply of a hop that stands for those of the same router; NULL for others. */
static const struct reply *first_of(const struct hop *hop, unsigned int i)
{
	const struct reply *reply = &hop->asks[i].reply;
	unsigned int j;

	if (!reply_is_there(reply))
		return NULL;
	for (j = 0; j < i; j++)
		if (reply_is_there(&hop->asks[j].reply) &&
		    hop->asks[j].reply.from == reply->from)
			return NULL;
	return reply;
}

/* A row for each hop; more than one box where more than one router has answered. */
static void draw(const struct walk *walk)
{
	unsigned int before = picture_box(0, 0, LOOK_US), ttl, i, n, box;
	char text[ADDRESS_TEXT];

	picture_title("srtrace to %s", quad(walk->route->to, text));
	picture_line(before, "us");
	picture_host(before, walk->from);
	for (ttl = settings.first; ttl <= walk->shown; ttl++) {
		const struct hop *hop = &walk->hops[ttl];
		unsigned int first = before, row = ttl - settings.first + 1;

		for (i = n = 0; i < hop->sent; i++) {
			const struct reply *reply = first_of(hop, i);

			if (!reply)
				continue;
			box = picture_box(n, row, look_of(reply, walk->route));
			picture_line(box, "%u", ttl);
			picture_host(box, reply->from);
			picture_line(box, "%.3f ms", reply->rtt);
			if (reply->type && reply_is_end(reply))
				picture_line(box, "%s", error_name(reply));
			if (reply->place == PLACE_SOUND ||
			    reply->place == PLACE_CUT)
				picture_line(box, "passed %u of %u",
					     reply->passed,
					     walk->route->gateways);
			picture_arrow(before, box, LOOK_ROUTER);
			if (!n++)
				first = box;
		}
		if (!n) {
			first = picture_box(0, row, LOOK_SILENT);
			picture_line(first, "%u  silent", ttl);
			picture_arrow(before, first, LOOK_ROUTER);
		}
		before = first;
	}
}

/**
 * show_trace() - show the way along a route
 * @route: the route; may have no gateway
 *
 * Return: exit code.
 */
int show_trace(const struct route *route)
{
	static struct walk walk;
	unsigned int ttl;
	bool whole;

	walk.work = (struct work){
		.next = next, .done = done, .late = hear_late,
		.patience = patience,
		.pace = settings.pace, .window = settings.window,
	};
	walk.route = route;
	walk.from = wire_source(first_stop(route));
	walk.shown = settings.first - 1;
	walk.end = settings.last;
	json_start("trace", route, walk.from);
	if (!settings.json)
		show_header(route);
	whole = engine_run(&walk.work);
	if (!whole)
		show_rest(&walk);
	conclude(&walk, whole);
	if (picture_wanted())
		draw(&walk);
	for (ttl = 0; ttl < TTLS; ttl++)
		free(walk.hops[ttl].asks);
	return reply_is_reached(&walk.last) ? EXIT_REACHED : EXIT_NOT_REACHED;
}
