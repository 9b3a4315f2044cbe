// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way as routers record it.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "srtrace.h"

#define OPT_END		0
#define OPT_NOOP	1
#define OPT_RR		7
#define OPT_TS		68
#define DAY_MS		86400000
#define RECORDED_MAX	9
#define TTL		64

/* An option of a type; NULL if there is none that is whole. */
static const uint8_t *find_option(const struct reply *reply, uint8_t type)
{
	const uint8_t *options = reply->options;
	unsigned int at = 0, len;

	while (at + 2 < reply->options_len && options[at] != OPT_END) {
		if (options[at] == OPT_NOOP) {
			at++;
			continue;
		}
		len = options[at + 1];
		if (len < 3 || at + len > reply->options_len)
			return NULL;
		if (options[at] == type)
			return options + at;
		at += len;
	}
	return NULL;
}

/* What a Record Route option holds; -1 if there is none. */
static int recorded(const struct reply *reply, in_addr_t *address, bool *full)
{
	const uint8_t *option = find_option(reply, OPT_RR);
	int n;

	if (!option || option[2] < 4 || option[2] % 4)
		return -1;
	n = (option[2] - 4) / 4;
	if (n > RECORDED_MAX || 3 + 4 * n > option[1])
		return -1;
	memcpy(address, option + 3, 4 * n);
	*full = option[2] > option[1];
	return n;
}

/* A clock that a router has written down. */
struct clock {
	in_addr_t address;
	uint32_t ms;		/* since midnight, UT */
	bool standard;		/* or since when only the router knows */
};

/* What a Timestamp option holds; -1 if there is none. */
static int read_clocks(const struct reply *reply, struct clock *clock,
		       unsigned int *without)
{
	const uint8_t *option = find_option(reply, OPT_TS);
	unsigned int at;
	int n = 0;

	if (!option || option[1] < 4 || option[2] < 5 || (option[2] - 5) % 8 ||
	    option[2] > option[1] + 1u || (option[3] & 15) != 1)
		return -1;
	for (at = 4; at + 8 < option[2] && n < RECORDED_MAX; at += 8, n++) {
		memcpy(&clock[n].address, option + at, 4);
		clock[n].ms = (uint32_t)option[at + 4] << 24 |
			option[at + 5] << 16 | option[at + 6] << 8 |
			option[at + 7];
		clock[n].standard = !(clock[n].ms >> 31) &&
				    clock[n].ms < DAY_MS;
	}
	*without = option[3] >> 4;
	return n;
}

/* By how much it is ahead of when we have sent, across midnight as well. */
static double ahead(const struct clock *clock, double sent_at)
{
	double difference = clock->ms - fmod(sent_at, DAY_MS);

	if (difference > DAY_MS / 2)
		difference -= DAY_MS;
	if (difference < -DAY_MS / 2)
		difference += DAY_MS;
	return difference;
}

static void show_clocks(const struct clock *clock, int n, unsigned int without,
			const struct ask *ask)
{
	int i;

	printf("clocks, beside ours when it was sent:\n");
	for (i = 0; i < n; i++) {
		printf("%2d", i + 1);
		show_host(clock[i].address);
		if (clock[i].standard)
			printf("  %+.0f ms\n", ahead(&clock[i], ask->sent_at));
		else
			printf("  %u, of a time of its own\n",
			       clock[i].ms & 0x7fffffff);
	}
	if (without)
		printf("%u more had no room\n", without);
	printf("%.3f ms there and back\n", ask->reply.rtt);
}

static struct json_object *json_clocks(const struct clock *clock, int n,
				       double sent_at)
{
	struct json_object *all = json_object_new_array();
	int i;

	for (i = 0; i < n; i++) {
		struct json_object *one = json_object_new_object();

		json_object_object_add(one, "address",
				       json_address(clock[i].address));
		json_add_int(one, "clock_ms", clock[i].ms);
		if (clock[i].standard)
			json_add_number(one, "ahead_ms",
					ahead(&clock[i], sent_at));
		json_object_array_add(all, one);
	}
	return all;
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

/* One probe, sent until it is answered. */
struct asked {
	struct work work;
	struct ask ask;
};

static struct ask *next(struct work *work, double *when)
{
	struct asked *asked = (struct asked *)work;

	(void)when;
	return asked->ask.sent ? NULL : &asked->ask;
}

static void done(struct work *work, struct ask *ask)
{
	(void)work;
	json_probe(ask);
}

/* Why there is no record; the same for people and for programs. */
static const char *failure(const struct reply *reply, bool whole)
{
	const char *unknown = unknown_reason(whole);

	if (reply->outcome == OUTCOME_ANSWERED)
		return "an answer without a record";
	if (reply->type)
		return error_name(reply);
	if (reply->outcome == OUTCOME_UNSENT)
		return unsent_reason(reply->error);
	return unknown ? unknown : "no answer";
}

static void show_failure(const struct reply *reply, bool whole)
{
	char text[ADDRESS_TEXT];

	if (reply->type)
		printf("%s: ", quad(reply->from, text));
	printf("%s\n", failure(reply, whole));
}

/* The last line for programs, and the exit code. */
static int conclude(struct json_object *line, const struct reply *reply,
		    bool found, bool whole)
{
	bool answered = reply_is_there(reply);
	bool unknown = reply->outcome == OUTCOME_UNSENT ||
		       (!answered && unknown_reason(whole));

	json_end(line, found ? "recorded" : unknown ? "unknown" : "not recorded",
		 found ? "the destination's answer" : failure(reply, whole));
	show_doubts();
	return found ? EXIT_REACHED : EXIT_NOT_REACHED;
}

/*
 * The clocks of routers, where time is lost one way: what is between two of them grows
 * while the way there is slow, whatever their clocks say.
 */
static int show_times(in_addr_t to, struct asked *asked, bool whole)
{
	const struct reply *reply = &asked->ask.reply;
	bool answered = reply->outcome == OUTCOME_ANSWERED;
	struct clock clock[RECORDED_MAX];
	unsigned int without = 0;
	struct json_object *line = json_line("end");
	int n = answered ? read_clocks(reply, clock, &without) : -1;

	if (!settings.json) {
		printf("srtrace to");
		show_host(to);
		printf(", with the clocks of routers\n");
		if (n < 0)
			show_failure(reply, whole);
		else
			show_clocks(clock, n, without, &asked->ask);
	}
	if (n >= 0) {
		json_object_object_add(line, "clocks",
				       json_clocks(clock, n,
						   asked->ask.sent_at));
		json_add_int(line, "without", without);
	}
	return conclude(line, reply, n >= 0, whole);
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
	struct asked asked = {
		.work = { .next = next, .done = done, .window = 1 },
		.ask = {
			.probe = {
				.route = { .to = to }, .ttl = TTL,
				.record = settings.times ?
					RECORD_TIME : RECORD_ROUTE,
				.from = wire_source(to),
			},
			.tries = settings.probes,
		},
	};
	const struct reply *reply = &asked.ask.reply;
	struct json_object *line;
	in_addr_t address[RECORDED_MAX];
	bool answered, whole, full = false;
	int n, turn, back;

	json_start("record", &asked.ask.probe.route, asked.ask.probe.from);
	whole = engine_run(&asked.work);
	if (settings.times)
		return show_times(to, &asked, whole);
	answered = reply->outcome == OUTCOME_ANSWERED;
	n = answered ? recorded(reply, address, &full) : -1;
	for (turn = 0; turn < n && address[turn] != to; turn++)
		;
	for (back = turn; back < n && address[back] == to; back++)
		;

	if (!settings.json) {
		printf("srtrace to");
		show_host(to);
		printf(", recorded\n");
		if (n < 0) {
			show_failure(reply, whole);
		} else {
			show_part("there", address, turn);
			if (turn < n)
				show_part("back", address + back, n - back);
			else
				printf("the destination is not in it: no telling where it turns\n");
			if (full)
				printf("the option is full: there may be more\n");
			printf("%.3f ms\n", reply->rtt);
		}
		if (settings.verbose && reply->options_len) {
			show_area(reply->options, reply->options_len);
			printf("\n");
		}
	}
	line = json_line("end");
	if (n >= 0) {
		json_object_object_add(line, "there",
				       json_addresses(address, turn));
		if (turn < n)
			json_object_object_add(line, "back",
					       json_addresses(address + back,
							      n - back));
		json_object_object_add(line, "full",
				       json_object_new_boolean(full));
	}
	return conclude(line, reply, n >= 0, whole);
}
