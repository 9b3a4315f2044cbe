// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MTU of a way: how long a datagram may be that is not fragmented.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>

#include "srtrace.h"

#define SMALLEST	68	/* what every link carries (RFC 791) */

/**
 * struct narrowing - while the way is followed
 * @work: the engine's
 * @ask: one probe at a time
 * @route: the way
 * @from: our address
 * @ttl: of the next one
 * @size: its length
 * @fits: the longest that has been answered at this TTL
 * @fails: the shortest that was not, with silence where a shorter one is answered
 * @silent: silent hops in a row
 * @sent: it is out
 * @over: there is no more to ask
 */
struct narrowing {
	struct work work;
	struct ask ask;
	const struct route *route;
	in_addr_t from;
	unsigned int ttl;
	unsigned int size;
	unsigned int fits;
	unsigned int fails;
	unsigned int silent;
	bool sent;
	bool over;
};

static struct ask *next(struct work *work, double *when)
{
	struct narrowing *narrowing = (struct narrowing *)work;
	struct ask *ask = &narrowing->ask;

	(void)when;
	if (narrowing->sent || narrowing->over)
		return NULL;
	engine_forget(ask);
	*ask = (struct ask){
		.probe = {
			.route = *narrowing->route, .ttl = narrowing->ttl,
			.from = narrowing->from, .size = narrowing->size,
			.whole = true,
		},
		.tries = settings.probes,
	};
	narrowing->sent = true;
	return ask;
}

/* Routers older than RFC 1191 do not say it: the next of the usual ones. */
static unsigned int shorter(unsigned int size)
{
	static const unsigned int usual[] = {
		65535, 32000, 17914, 9000, 8166, 4352, 2002, 1500, 1492, 1480,
		1400, 1280, 1006, 576, 508, 296, SMALLEST,
	};
	unsigned int i = 0;

	while (i < sizeof(usual) / sizeof(*usual) - 1 && usual[i] >= size)
		i++;
	return usual[i];
}

static void tell(const struct narrowing *narrowing, const char *what,
		 in_addr_t from)
{
	struct json_object *line = json_line("mtu");

	json_add_int(line, "ttl", narrowing->ttl);
	if (from)
		json_object_object_add(line, "from", json_address(from));
	json_add_int(line, "mtu", narrowing->size);
	json_object_object_add(line, "how", json_object_new_string(what));
	json_print(line);
	if (settings.json)
		return;
	printf("  ");
	if (from)
		show_host(from);
	printf("  MTU %u: %s\n", narrowing->size, what);
}

static void move_on(struct narrowing *narrowing)
{
	narrowing->ttl++;
	narrowing->fits = 0;
	narrowing->fails = 0;
	if (narrowing->ttl > settings.last ||
	    narrowing->silent >= settings.gap)
		narrowing->over = true;
}

static void show_reply(const struct narrowing *narrowing,
		       const struct reply *reply)
{
	if (settings.json)
		return;
	printf("%2u", narrowing->ttl);
	if (reply_is_there(reply)) {
		show_host(reply->from);
		printf("  %.3f ms", reply->rtt);
		if (reply->type && reply_is_end(reply))
			printf("  %s", error_name(reply));
		show_extension(reply);
	} else {
		printf("  %s", outcome_name(reply->outcome));
		if (reply->outcome == OUTCOME_UNSENT)
			printf(": %s", strerror(reply->error));
	}
	printf("\n");
}

/* An error says what is too long. */
static void take_error(struct narrowing *narrowing, const struct reply *reply)
{
	unsigned int least = probe_least(&narrowing->ask.probe);
	bool said = reply->mtu >= SMALLEST && reply->mtu < narrowing->size;
	unsigned int mtu = said ? reply->mtu : shorter(narrowing->size);

	if (narrowing->size <= SMALLEST || mtu < least) {
		show_reply(narrowing, reply);
		narrowing->over = true;
		return;
	}
	narrowing->size = mtu;
	tell(narrowing, said ? "says the router" :
	     "a guess, since the router does not say it", reply->from);
}

/*
 * Silence: perhaps too long for a router that says nothing of it. A short one
 * tells, and then the length between the two at which it begins.
 */
static void take_silence(struct narrowing *narrowing, const struct reply *reply)
{
	unsigned int least = probe_least(&narrowing->ask.probe);

	if (least < SMALLEST)
		least = SMALLEST;
	if (!narrowing->fits && narrowing->size > least) {
		if (!narrowing->fails)
			narrowing->fails = narrowing->size;
		narrowing->size = least;
		return;
	}
	if (narrowing->fits) {
		narrowing->fails = narrowing->size;
		narrowing->size = (narrowing->fits + narrowing->fails) / 2;
		return;
	}
	/* The short one is not answered either, which says nothing of lengths. */
	if (narrowing->fails)
		narrowing->size = narrowing->fails;
	narrowing->silent++;
	show_reply(narrowing, reply);
	move_on(narrowing);
}

static void done(struct work *work, struct ask *ask)
{
	struct narrowing *narrowing = (struct narrowing *)work;
	const struct reply *reply = &ask->reply;

	narrowing->sent = false;
	json_probe(ask);
	if (reply->type == ICMP_DEST_UNREACH &&
	    reply->code == ICMP_FRAG_NEEDED) {
		take_error(narrowing, reply);
		return;
	}
	if (reply->outcome == OUTCOME_NONE) {
		take_silence(narrowing, reply);
		return;
	}
	if (!reply_is_there(reply)) {
		show_reply(narrowing, reply);
		narrowing->over = true;
		return;
	}
	narrowing->silent = 0;
	if (narrowing->fails) {
		narrowing->fits = narrowing->size;
		if (narrowing->fails - narrowing->fits > 1) {
			narrowing->size = (narrowing->fits +
					   narrowing->fails) / 2;
			return;
		}
		tell(narrowing, "what is longer vanishes here, and nobody says so",
		     0);
	}
	show_reply(narrowing, reply);
	if (reply_is_end(reply))
		narrowing->over = true;
	else
		move_on(narrowing);
}

/**
 * show_mtu() - show the MTU of the way to a destination
 * @route: the route; may have no gateway
 *
 * It begins with that of our own link.
 *
 * Return: exit code.
 */
int show_mtu(const struct route *route)
{
	struct narrowing narrowing = {
		.work = { .next = next, .done = done, .window = 1,
			  .pace = settings.pace },
		.route = route,
		.from = wire_source(first_stop(route)),
		.ttl = settings.first,
	};
	const struct reply *reply = &narrowing.ask.reply;
	const char *verdict = "not reached", *reason = "no hop left";
	struct json_object *line;
	bool whole;

	narrowing.size = settings.size ? settings.size :
		wire_mtu(first_stop(route));
	json_start("mtu", route, narrowing.from);
	if (!settings.json) {
		printf("srtrace to");
		show_host(route->to);
		printf(", its MTU; %u to begin with\n", narrowing.size);
	}
	whole = engine_run(&narrowing.work);
	if (reply_is_reached(reply)) {
		verdict = "reached";
		reason = reply->type ? "its own error" : "its own answer";
	} else if (!whole) {
		verdict = "unknown";
		reason = "interrupted";
	} else if (reply->outcome == OUTCOME_REFUSED) {
		verdict = "refused";
		reason = error_name(reply);
	} else if (reply->outcome == OUTCOME_UNSENT) {
		verdict = "unknown";
		reason = unsent_reason(reply->error);
	} else if (narrowing.silent >= settings.gap) {
		reason = "too many silent hops";
	}
	if (!settings.json)
		printf("%s: %s; MTU %s%u\n", verdict, reason,
		       reply_is_reached(reply) ? "" : "as far as is known ",
		       narrowing.size);
	line = json_line("end");
	json_add_int(line, "path_mtu", narrowing.size);
	json_end(line, verdict, reason);
	show_doubts();
	return reply_is_reached(reply) ? EXIT_REACHED : EXIT_NOT_REACHED;
}
