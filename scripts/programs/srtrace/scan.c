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
#define ROUND		4096	/* gateways whose sequence numbers differ */
#define LONG_LIST	20	/* gateways that progress is shown from */

/**
 * struct target - a gateway to ask
 * @address: its address
 * @source: where we send from
 * @sent: when its route was sent
 * @alive: it answers an ordinary echo
 * @reply: what became of the route through it
 */
struct target {
	in_addr_t address;
	in_addr_t source;
	double sent;
	bool alive;
	struct reply reply;
};

struct count {
	unsigned int forward;
	unsigned int refuse;
	unsigned int silent;
	unsigned int alive;	/* silent, but there */
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

/* Even sequence numbers are ordinary echoes, odd ones go through the gateway. */
static void send_both(struct target *target, unsigned int i, in_addr_t to)
{
	struct route through = {
		.gateway = { target->address },
		.gateways = 1,
	};
	struct route straight = { .to = target->address };
	struct probe probe = {
		.route = &straight,
		.ttl = TTL,
		.sequence = 2 * i,
	};

	target->source = wire_source(target->address);
	probe.from = target->source;
	wire_send(&probe, &target->sent);
	through.to = to ? to : target->source;
	probe.route = &through;
	probe.sequence++;
	wire_send(&probe, &target->sent);
}

/* Our own address may be another one towards another gateway. */
static void receive(struct target *targets, unsigned int n, in_addr_t self,
		    double until)
{
	struct target *target;
	struct reply reply;
	uint16_t sequence;

	while (wire_receive(&reply, &sequence, self, until)) {
		if (sequence / 2 >= n)
			continue;
		target = &targets[sequence / 2];
		if (!target->sent)
			continue;
		if (sequence % 2 == 0) {
			target->alive |= reply.outcome == OUTCOME_ANSWERED;
			continue;
		}
		if (target->reply.outcome != OUTCOME_NONE)
			continue;
		reply.rtt = now() - target->sent;
		target->reply = reply;
	}
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

static void tell(const struct target *target, struct count *count,
		 struct json_object *list)
{
	struct json_object *one = json_object_new_object();
	const struct reply *reply = &target->reply;
	char from[ADDRESS_TEXT];
	const char *verdict;

	if (reply->outcome == OUTCOME_ANSWERED ||
	    reply->outcome == OUTCOME_RETURNED) {
		verdict = "forwards";
		count->forward++;
	} else if (is_refusal(reply)) {
		verdict = "refuses";
		count->refuse++;
	} else {
		verdict = "silent";
		count->silent++;
		count->alive += target->alive;
	}
	json_object_object_add(one, "gateway", json_address(target->address));
	json_object_object_add(one, "verdict", json_object_new_string(verdict));
	json_object_object_add(one, "answers_ping",
			       json_object_new_boolean(target->alive));
	json_object_object_add(one, "reply", json_reply(reply));
	json_object_array_add(list, one);
	if (settings.json)
		return;

	printf("%s%-8s%s", paint(*verdict == 'f' ? "32" :
				 *verdict == 'r' ? "31" : "33"),
	       verdict, paint("0"));
	show_host(target->address);
	if (*verdict == 'f')
		printf("  %.3f ms", reply->rtt);
	if (*verdict == 's')
		printf(target->alive ? "  answers ping" : "  does not answer ping");
	if (*verdict != 'f' && reply->outcome != OUTCOME_NONE)
		printf("  %s from %s", error_name(reply),
		       quad(reply->from, from));
	if (settings.verbose && reply->options_len) {
		printf("  ");
		show_area(reply->options, reply->options_len);
	}
	printf("\n");
}

static void scan_round(struct target *targets, unsigned int n, in_addr_t to,
		       unsigned int before, unsigned int all)
{
	bool progress = all >= LONG_LIST && isatty(STDERR_FILENO);
	double next = now(), said = now();
	unsigned int i;

	for (i = 0; i < n; i++) {
		send_both(&targets[i], i, to);
		next += 1e3 / settings.rate;
		receive(targets, n, targets[i].source, next);
		if (progress && now() - said > 1e3) {
			said = now();
			fprintf(stderr, "\r%u of %u asked", before + i + 1,
				all);
		}
	}
	receive(targets, n, targets[n - 1].source, now() + settings.wait);
	if (progress)
		fprintf(stderr, "\r\033[K");
}

/**
 * scan() - ask gateways, one after the other, to forward a source route
 * @path: a file with a gateway per line, "-" for standard input
 * @to: where the routes lead through them; 0 for back to us
 *
 * An ordinary echo beside each tells a gateway that says nothing from one that
 * is not there.
 *
 * Return: exit code; EXIT_NOT_REACHED if none forwards.
 */
int scan(const char *path, in_addr_t to)
{
	struct json_object *list = json_object_new_array();
	struct json_object *top = json_object_new_object();
	unsigned int i, done, now_many, n;
	struct count count = { 0 };
	struct target *targets;

	targets = read_list(path, &n);
	for (done = 0; done < n; done += now_many) {
		now_many = n - done < ROUND ? n - done : ROUND;
		scan_round(targets + done, now_many, to, done, n);
		for (i = done; i < done + now_many; i++)
			tell(&targets[i], &count, list);
	}
	free(targets);
	if (!settings.json)
		printf("%u of %u forward (%.1f %%), %u refuse, %u silent, of whom %u answer ping\n",
		       count.forward, n, 100.0 * count.forward / n,
		       count.refuse, count.silent, count.alive);
	json_object_object_add(top, "gateways", list);
	json_object_object_add(top, "forward",
			       json_object_new_int(count.forward));
	json_object_object_add(top, "refuse",
			       json_object_new_int(count.refuse));
	json_object_object_add(top, "silent",
			       json_object_new_int(count.silent));
	json_print(top);
	return count.forward ? EXIT_REACHED : EXIT_NOT_REACHED;
}
