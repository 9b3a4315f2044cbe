// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of many gateways forward source routes, refuse them, or stay silent?
 *
 * checkpatch: PREFER_KERNEL_TYPES,LONG_LINE_STRING: this is a program of user space
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "srtrace.h"

#define TTL		64
#define WINDOW		16384	/* probes in flight, a quarter of their serials */
#define LONG_LIST	20	/* gateways that progress is shown from */

/**
 * struct target - a gateway to ask
 * @address: its address
 * @through: a route by way of it
 * @straight: an ordinary echo to it, if it does not forward
 * @pings: the echo has been sent
 */
struct target {
	in_addr_t address;
	struct ask through;
	struct ask straight;
	bool pings;
};

struct count {
	unsigned int forward;
	unsigned int refuse;
	unsigned int silent;
	unsigned int alive;	/* silent, but there */
	unsigned int unknown;
};

/* One address or name per line; what follows a # does not count. */
static struct target *read_list(const char *path, unsigned int *n)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
	struct target *targets = NULL;
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;
	const char *why;
	char *word;

	if (!file)
		fail(EXIT_USAGE, "%s: %s", path, strerror(errno));
	*n = 0;
	while (getline(&line, &size, file) >= 0) {
		number++;
		line[strcspn(line, "#\n")] = 0;
		word = strtok(line, " \t\r");
		if (!word)
			continue;
		targets = realloc(targets, (*n + 1) * sizeof(*targets));
		if (!targets)
			fail(EXIT_SYSTEM, "out of memory");
		memset(&targets[*n], 0, sizeof(*targets));
		if (!look_up(word, &targets[*n].address, &why))
			fail(EXIT_USAGE, "%s, line %u: %s: %s", path, number,
			     word, why);
		(*n)++;
	}
	free(line);
	if (file != stdin)
		fclose(file);
	if (!*n)
		fail(EXIT_USAGE, "%s: no gateway in it", path);
	return targets;
}

/**
 * struct scan - while it goes on
 * @work: the engine's
 * @targets: all gateways
 * @n: how many
 * @at: the next that has not been asked
 * @ended: of how many there is a verdict
 * @to: where the routes lead; 0 for back to us
 * @pings: gateways to which an echo is to be sent, the first of them, the last
 * @count: of verdicts
 * @said: when progress was shown
 */
struct scan {
	struct work work;
	struct target *targets;
	unsigned int n;
	unsigned int at;
	unsigned int ended;
	in_addr_t to;
	struct target **pings;
	unsigned int first_ping;
	unsigned int last_ping;
	struct count count;
	double said;
};

static struct ask *prepare(struct target *target, struct ask *ask, in_addr_t to,
			   bool straight)
{
	in_addr_t self = 0;
	int error;

	wire_try_source(target->address, &self, &error);
	ask->probe = (struct probe){
		.route = { .gateway = { target->address },
			   .gateways = !straight,
			   .to = straight ? target->address : to ? to : self },
		.ttl = TTL, .from = self,
	};
	ask->tries = settings.probes;
	ask->of = target;
	return ask;
}

static void progress(struct scan *scan)
{
	if (scan->n < LONG_LIST || !isatty(STDERR_FILENO) ||
	    now() < scan->said + 1e3)
		return;
	scan->said = now();
	fprintf(stderr, "\r%u of %u asked", scan->at, scan->n);
}

static struct ask *next(struct work *work, double *when)
{
	struct scan *scan = (struct scan *)work;
	struct target *target;

	(void)when;
	progress(scan);
	if (scan->first_ping < scan->last_ping) {
		target = scan->pings[scan->first_ping++];
		return prepare(target, &target->straight, 0, true);
	}
	if (scan->at == scan->n)
		return NULL;
	target = &scan->targets[scan->at++];
	return prepare(target, &target->through, scan->to, false);
}

/* Not that nobody is there, which is what our own kernel says after ARP, too. */
static bool is_refusal(const struct reply *reply)
{
	if (reply->outcome != OUTCOME_REFUSED)
		return false;
	return reply->type != ICMP_DEST_UNREACH ||
	       (reply->code != ICMP_NET_UNREACH &&
		reply->code != ICMP_HOST_UNREACH &&
		reply->code != ICMP_NET_UNKNOWN &&
		reply->code != ICMP_HOST_UNKNOWN);
}

static bool forwards(const struct reply *reply)
{
	return reply->outcome == OUTCOME_ANSWERED ||
	       reply->outcome == OUTCOME_RETURNED;
}

static const char *judge(const struct target *target, struct count *count)
{
	const struct reply *reply = &target->through.reply;

	if (forwards(reply)) {
		count->forward++;
		return "forwards";
	}
	if (is_refusal(reply)) {
		count->refuse++;
		return "refuses";
	}
	if (reply->outcome == OUTCOME_UNKNOWN ||
	    (interrupted() && reply->outcome == OUTCOME_NONE)) {
		count->unknown++;
		return "unknown";
	}
	if (reply->outcome == OUTCOME_UNSENT) {
		count->unknown++;
		return "unsent";
	}
	count->silent++;
	count->alive += target->straight.reply.outcome == OUTCOME_ANSWERED;
	return "silent";
}

static void tell_json(const struct target *target, const char *verdict)
{
	struct json_object *line = json_line("gateway");

	json_object_object_add(line, "gateway", json_address(target->address));
	json_object_object_add(line, "verdict", json_object_new_string(verdict));
	if (target->pings)
		json_object_object_add(line, "answers_ping",
				       json_object_new_boolean(target->straight.reply.outcome ==
							       OUTCOME_ANSWERED));
	json_object_object_add(line, "sent",
			       json_object_new_int(target->through.sent));
	json_add_reply(line, &target->through);
	json_print(line);
}

static void tell(struct scan *scan, const struct target *target)
{
	const char *verdict = judge(target, &scan->count);
	const struct reply *reply = &target->through.reply;
	char from[ADDRESS_TEXT];

	scan->ended++;
	if (settings.json) {
		tell_json(target, verdict);
		return;
	}
	if (scan->said)
		fprintf(stderr, "\r\033[K");
	printf("%s%-8s%s", paint(*verdict == 'f' ? "32" :
				 *verdict == 'r' ? "31" : "33"),
	       verdict, paint("0"));
	show_host(target->address);
	if (forwards(reply))
		printf("  %.3f ms", reply->rtt);
	if (reply->outcome == OUTCOME_UNSENT)
		printf("  %s", strerror(reply->error));
	if (target->pings)
		printf(target->straight.reply.outcome == OUTCOME_ANSWERED ?
		       "  answers ping" : "  does not answer ping");
	if (!forwards(reply) && reply->type)
		printf("  %s from %s", error_name(reply),
		       quad(reply->from, from));
	if (settings.verbose && reply->options_len) {
		printf("  ");
		show_area(reply->options, reply->options_len);
	}
	printf("\n");
	output_done();
}

/* An echo tells a gateway that says nothing from one that is not there. */
static void done(struct work *work, struct ask *ask)
{
	struct scan *scan = (struct scan *)work;
	struct target *target = ask->of;

	if (ask == &target->through && !interrupted() &&
	    (ask->reply.outcome == OUTCOME_NONE ||
	     ask->reply.outcome == OUTCOME_UNKNOWN ||
	     ask->reply.outcome == OUTCOME_REFUSED)) {
		target->pings = true;
		scan->pings[scan->last_ping++] = target;
		return;
	}
	tell(scan, target);
}

/**
 * scan() - ask gateways, one after the other, to forward a source route
 * @path: a file with a gateway per line, "-" for standard input
 * @to: where the routes lead through them; 0 for back to us
 *
 * Return: exit code; EXIT_NOT_REACHED if none forwards.
 */
int scan(const char *path, in_addr_t to)
{
	struct scan scan = {
		.work = { .next = next, .done = done,
			  .pace = 1e3 / settings.rate, .window = WINDOW },
		.to = to,
	};
	const struct count *count = &scan.count;
	struct json_object *line;
	bool whole;

	scan.targets = read_list(path, &scan.n);
	scan.pings = calloc(scan.n, sizeof(struct target *));
	if (!scan.pings)
		fail(EXIT_SYSTEM, "out of memory");
	json_start("probe", NULL, 0);
	whole = engine_run(&scan.work);
	if (scan.said)
		fprintf(stderr, "\r\033[K");
	if (!settings.json) {
		printf("%u of %u forward (%.1f %%), %u refuse, %u silent, of whom %u answer ping",
		       count->forward, scan.n, 100.0 * count->forward / scan.n,
		       count->refuse, count->silent, count->alive);
		if (count->unknown)
			printf(", %u unknown", count->unknown);
		if (scan.ended < scan.n)
			printf(", %u not asked to the end", scan.n - scan.ended);
		printf("\n");
	}
	line = json_line("end");
	json_object_object_add(line, "forward",
			       json_object_new_int(count->forward));
	json_object_object_add(line, "refuse",
			       json_object_new_int(count->refuse));
	json_object_object_add(line, "silent",
			       json_object_new_int(count->silent));
	json_object_object_add(line, "unknown",
			       json_object_new_int(count->unknown));
	json_object_object_add(line, "not_asked",
			       json_object_new_int(scan.n - scan.ended));
	json_end(line, count->forward ? "some forward" : "none forwards",
		 whole ? "all have been asked" : "interrupted");
	show_doubts();
	free(scan.pings);
	free(scan.targets);
	return count->forward ? EXIT_REACHED : EXIT_NOT_REACHED;
}
