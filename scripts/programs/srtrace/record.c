// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way as routers record it.
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
			if (options[at + 2] < 4 || options[at + 2] % 4 ||
			    n > RECORDED_MAX || 3u + 4 * n > len)
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

static void show_failure(const struct reply *reply)
{
	char text[ADDRESS_TEXT];

	if (reply->outcome == OUTCOME_ANSWERED)
		printf("an answer without a record\n");
	else if (reply->type)
		printf("%s: %s\n", quad(reply->from, text), error_name(reply));
	else if (reply->outcome == OUTCOME_UNSENT)
		printf("not sent: %s\n", strerror(reply->error));
	else
		printf("no answer\n");
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
				.record = RECORD_ROUTE,
				.from = wire_source(to),
			},
			.tries = settings.probes,
		},
	};
	const struct reply *reply = &asked.ask.reply;
	struct json_object *line;
	in_addr_t address[RECORDED_MAX];
	bool answered, full = false;
	int n, turn, back;

	json_start("record", &asked.ask.probe.route, asked.ask.probe.from);
	engine_run(&asked.work);
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
			show_failure(reply);
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
	json_end(line, n >= 0 ? "recorded" : "not recorded",
		 n >= 0 ? "the destination's answer" :
		 answered ? "an answer without a record" :
		 reply->outcome == OUTCOME_REFUSED ? error_name(reply) :
		 "no answer");
	show_doubts();
	return n >= 0 ? EXIT_REACHED : EXIT_NOT_REACHED;
}
