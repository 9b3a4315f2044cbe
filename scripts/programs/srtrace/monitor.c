// SPDX-License-Identifier: GPL-2.0-only
/*
 * A way asked again and again: what is counted of each hop, and how it is reported
 * once. watch.c shows the same while it goes on.
 *
 * checkpatch: PREFER_KERNEL_TYPES,LONG_LINE_STRING: this is a program of user space
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "srtrace.h"

#define AHEAD	5	/* hops that are asked beyond the last that answers */
#define NAME_WIDTH	30	/* of a report, at most */

static void count_time(struct times *times, double rtt)
{
	double before = times->mean;

	if (times->n) {
		times->jitter += fabs(rtt - times->last);
		if (rtt < times->best)
			times->best = rtt;
		if (rtt > times->worst)
			times->worst = rtt;
	} else {
		times->best = rtt;
		times->worst = rtt;
	}
	times->n++;
	times->last = rtt;
	times->mean += (rtt - times->mean) / times->n;
	times->squares += (rtt - before) * (rtt - times->mean);
}

/**
 * times_deviation() - how much times differ from their mean
 * @times: the times
 *
 * Return: the standard deviation, milliseconds.
 */
double times_deviation(const struct times *times)
{
	return times->n > 1 ? sqrt(times->squares / (times->n - 1)) : 0;
}

/**
 * times_jitter() - how much times differ from those before
 * @times: the times
 *
 * Return: on average, milliseconds.
 */
double times_jitter(const struct times *times)
{
	return times->n > 1 ? times->jitter / (times->n - 1) : 0;
}

/* The times of one router are never those of another that has taken its place. */
static struct seen *find_seen(struct spot *spot, in_addr_t from)
{
	struct seen *oldest = &spot->seen[0];
	unsigned int i;

	for (i = 0; i < spot->n_seen; i++)
		if (spot->seen[i].address == from)
			return &spot->seen[i];
	if (spot->n_seen < SEEN_MAX)
		oldest = &spot->seen[spot->n_seen++];
	for (i = 0; i < spot->n_seen && spot->n_seen == SEEN_MAX; i++)
		if (spot->seen[i].round < oldest->round)
			oldest = &spot->seen[i];
	*oldest = (struct seen){ .address = from };
	return oldest;
}

static void count_reply(struct spot *spot, const struct reply *reply,
			unsigned int round)
{
	struct seen *seen = find_seen(spot, reply->from);

	if (spot->now && spot->now != reply->from)
		spot->changes++;
	spot->now = reply->from;
	seen->round = round;
	count_time(&seen->times, reply->rtt);
	spot->received++;
}

static void remember(struct spot *spot, double rtt)
{
	memmove(spot->history, spot->history + 1,
		sizeof(spot->history) - sizeof(*spot->history));
	spot->history[HISTORY - 1] = rtt;
}

/**
 * spot_now() - who answers at a hop at present
 * @spot: the hop
 *
 * Return: NULL if nobody has.
 */
const struct seen *spot_now(const struct spot *spot)
{
	unsigned int i;

	for (i = 0; i < spot->n_seen; i++)
		if (spot->seen[i].address == spot->now)
			return &spot->seen[i];
	return NULL;
}

/**
 * spot_loss() - how much is lost at a hop
 * @spot: the hop
 *
 * Return: per cent of what was sent and has its end.
 */
double spot_loss(const struct spot *spot)
{
	return spot->ended ?
		100.0 * (spot->ended - spot->received) / spot->ended : 0;
}

/* How far it is of use to ask. */
static unsigned int horizon(const struct monitor *monitor)
{
	unsigned int far = monitor->answered + AHEAD;

	return far < monitor->end ? far : monitor->end;
}

static struct ask *next(struct work *work, double *when)
{
	struct monitor *monitor = (struct monitor *)work;
	struct ask *ask;

	if (monitor->paused) {
		*when = now() + 1e3;
		return NULL;
	}
	if (monitor->ttl > horizon(monitor)) {
		if (monitor->rounds && monitor->round >= monitor->rounds)
			return NULL;
		*when = monitor->began + settings.every;
		if (now() < *when)
			return NULL;
		monitor->ttl = settings.first;
	}
	if (monitor->ttl == settings.first) {
		monitor->began = now();
		monitor->round++;
	}
	ask = calloc(1, sizeof(*ask));
	if (!ask)
		fail(EXIT_SYSTEM, "out of memory");
	ask->probe = (struct probe){
		.route = monitor->route, .ttl = monitor->ttl++,
		.from = monitor->from, .size = settings.size,
		.whole = settings.whole,
	};
	ask->tries = 1;
	monitor->spot[ask->probe.ttl].sent++;
	return ask;
}

static void find_end(struct monitor *monitor, const struct ask *ask)
{
	unsigned int ttl = ask->probe.ttl;

	if (reply_is_there(&ask->reply) && ttl > monitor->answered)
		monitor->answered = ttl;
	if (reply_is_end(&ask->reply) && ttl <= monitor->end) {
		monitor->end = ttl;
		monitor->last = ask->reply;
	} else if (ttl == monitor->end &&
		   ask->reply.outcome == OUTCOME_EXPIRED) {
		/* The way has become longer. */
		monitor->end = settings.last;
		monitor->last = ask->reply;
	}
}

static void done(struct work *work, struct ask *ask)
{
	struct monitor *monitor = (struct monitor *)work;
	struct spot *spot = &monitor->spot[ask->probe.ttl];
	const struct reply *reply = &ask->reply;

	if (reply_is_there(reply)) {
		count_reply(spot, reply, monitor->round);
		spot->ended++;
		spot->outcome = reply->outcome;
		if (reply->outcome == OUTCOME_EXPIRED)
			spot->back = (reply->place == PLACE_SOUND ||
				      reply->place == PLACE_CUT) &&
				     reply->passed >= monitor->route.gateways;
		remember(spot, reply->rtt);
		if (reply->outcome == OUTCOME_REFUSED)
			spot->error = *reply;
	} else if (reply->outcome == OUTCOME_UNSENT) {
		spot->sent--;
		monitor->unsent++;
		monitor->error = reply->error;
	} else if (!interrupted() && reply->outcome != OUTCOME_UNKNOWN) {
		spot->ended++;
		remember(spot, HISTORY_LOST);
	} else {
		spot->sent--;
	}
	find_end(monitor, ask);
	if (settings.report == REPORT_JSON)
		json_probe(ask);
	engine_forget(ask);
	free(ask);
}

/**
 * monitor_reset() - forget what has been counted
 * @monitor: the way
 */
void monitor_reset(struct monitor *monitor)
{
	unsigned int ttl, i;

	memset(monitor->spot, 0, sizeof(monitor->spot));
	monitor->unsent = 0;
	for (ttl = 0; ttl < TTLS; ttl++)
		for (i = 0; i < HISTORY; i++)
			monitor->spot[ttl].history[i] = HISTORY_NONE;
}

/**
 * monitor_begin() - prepare to ask a way again and again
 * @monitor: filled in
 * @route: the way; its end is ours with @loop
 * @loop: out to the last gateway and back
 */
void monitor_begin(struct monitor *monitor, const struct route *route,
		   bool loop)
{
	memset(monitor, 0, sizeof(*monitor));
	monitor->work = (struct work){
		.next = next, .done = done,
		.pace = settings.pace, .window = settings.window,
	};
	monitor->route = *route;
	monitor->loop = loop;
	monitor->from = wire_source(first_stop(route));
	if (loop)
		monitor->route.to = monitor->from;
	monitor->ttl = settings.last + 1;
	monitor->end = settings.last;
	monitor->rounds = settings.rounds;
	monitor_reset(monitor);
}

/**
 * monitor_target() - what the user has named
 * @monitor: the way
 *
 * Return: the destination, or the gateway at which it turns.
 */
in_addr_t monitor_target(const struct monitor *monitor)
{
	const struct route *route = &monitor->route;

	return monitor->loop ? route->gateway[route->gateways - 1] : route->to;
}

/**
 * monitor_rows() - how many hops there are to show
 * @monitor: the way
 *
 * Return: the TTL of the last.
 */
unsigned int monitor_rows(const struct monitor *monitor)
{
	if (monitor->spot[monitor->end].received)
		return monitor->end;
	return monitor->answered;
}

/**
 * monitor_turn() - the hop at which a loop turns
 * @monitor: the loop
 *
 * Return: the TTL of the last hop that has not passed the last gateway.
 */
unsigned int monitor_turn(const struct monitor *monitor)
{
	unsigned int ttl, turn = settings.first - 1;

	for (ttl = settings.first; ttl < monitor->end; ttl++) {
		const struct spot *spot = &monitor->spot[ttl];

		if (spot->received && spot->back)
			break;
		if (spot->received)
			turn = ttl;
	}
	return turn;
}

/**
 * monitor_changes() - how often the way has changed
 * @monitor: the way
 *
 * Return: how often another router has answered at a hop than before, at the hop
 * where that was most often: one change of the way is seen at many hops.
 */
unsigned int monitor_changes(const struct monitor *monitor)
{
	unsigned int ttl, most = 0;

	for (ttl = settings.first; ttl <= monitor_rows(monitor); ttl++)
		if (monitor->spot[ttl].changes > most)
			most = monitor->spot[ttl].changes;
	return most;
}

static const char *side_of(const struct monitor *monitor, unsigned int ttl)
{
	if (ttl == monitor->end && reply_is_reached(&monitor->last))
		return "end";
	return ttl <= monitor_turn(monitor) ? "out" : "back";
}

/* As wide as the longest name, so that a row without long ones fits in 80 columns. */
static int name_width(const struct monitor *monitor)
{
	unsigned int ttl, i;
	int width = strlen("255.255.255.255");

	for (ttl = settings.first; ttl <= monitor_rows(monitor); ttl++) {
		const struct spot *spot = &monitor->spot[ttl];

		for (i = 0; i < spot->n_seen; i++) {
			const char *name = name_of(spot->seen[i].address);
			int length = name ? strlen(name) : 0;

			width = length > width ? length : width;
		}
	}
	return width < NAME_WIDTH ? width : NAME_WIDTH;
}

static void show_row(const struct monitor *monitor, unsigned int ttl, int width)
{
	const struct spot *spot = &monitor->spot[ttl];
	unsigned int i, n = 0;
	char text[ADDRESS_TEXT];

	/* First the one that answers now, then those before it. */
	for (i = 0; i < spot->n_seen + !spot->n_seen; i++) {
		const struct seen *seen = &spot->seen[i];
		const char *name = spot->n_seen ? name_of(seen->address) : NULL;

		if (n++)
			printf("%-4s", "");
		else
			printf("%2u%s ", ttl, !monitor->loop ? " " :
			       *side_of(monitor, ttl) == 'o' ? ">" :
			       *side_of(monitor, ttl) == 'b' ? "<" : " ");
		printf("%-*.*s", width, width, !spot->n_seen ? "*" : name ? name :
		       quad(seen->address, text));
		if (n == 1)
			printf(" %5.1f %5u", spot_loss(spot), spot->ended);
		else
			printf(" %5s %5u", "", seen->times.n);
		if (spot->n_seen)
			printf(" %7.1f %7.1f %7.1f %7.1f %6.1f %6.1f",
			       seen->times.last, seen->times.mean,
			       seen->times.best, seen->times.worst,
			       times_deviation(&seen->times),
			       times_jitter(&seen->times));
		if (n == 1 && spot->outcome == OUTCOME_REFUSED)
			printf("  %s", error_name(&spot->error));
		printf("\n");
	}
}

static const char *verdict_of(const struct monitor *monitor)
{
	return monitor->last.outcome == OUTCOME_RETURNED ? "returned" :
		reply_is_reached(&monitor->last) ? "reached" :
		monitor->last.outcome == OUTCOME_REFUSED ? "refused" :
		unknown_reason(!interrupted()) || monitor->unsent ? "unknown" :
		monitor->loop ? "not returned" : "not reached";
}

/**
 * monitor_show() - print what has been counted, as text
 * @monitor: the way
 */
void monitor_show(const struct monitor *monitor)
{
	int width = name_width(monitor);
	unsigned int ttl;

	printf("%-*s %5s %5s %7s %7s %7s %7s %6s %6s\n", width + 4,
	       "hop", "loss%", "sent", "last", "mean", "best", "worst", "stdev", "jitter");
	for (ttl = settings.first; ttl <= monitor_rows(monitor); ttl++)
		show_row(monitor, ttl, width);
	printf("%s; %u rounds, %u changes of the way\n", verdict_of(monitor),
	       monitor->round, monitor_changes(monitor));
	if (monitor->unsent)
		printf("our own kernel has not sent %u probes: %s\n",
		       monitor->unsent, strerror(monitor->error));
	show_doubts();
}

static struct json_object *json_seen(const struct seen *seen)
{
	struct json_object *one = json_object_new_object();
	const char *name = name_of(seen->address);

	json_object_object_add(one, "address", json_address(seen->address));
	if (name)
		json_object_object_add(one, "name",
				       json_object_new_string(name));
	json_add_int(one, "received", seen->times.n);
	json_add_number(one, "last_ms", seen->times.last);
	json_add_number(one, "mean_ms", seen->times.mean);
	json_add_number(one, "best_ms", seen->times.best);
	json_add_number(one, "worst_ms", seen->times.worst);
	json_add_number(one, "deviation_ms", times_deviation(&seen->times));
	json_add_number(one, "jitter_ms", times_jitter(&seen->times));
	return one;
}

static void report_json(const struct monitor *monitor)
{
	const char *unknown = unknown_reason(!interrupted());
	struct json_object *line, *all;
	unsigned int ttl, i;

	for (ttl = settings.first; ttl <= monitor_rows(monitor); ttl++) {
		const struct spot *spot = &monitor->spot[ttl];

		line = json_line("hop");
		json_add_int(line, "ttl", ttl);
		if (monitor->loop)
			json_object_object_add(line, "side",
					       json_object_new_string(side_of(monitor, ttl)));
		json_add_int(line, "sent", spot->ended);
		json_add_int(line, "received", spot->received);
		json_add_number(line, "loss_percent", spot_loss(spot));
		json_add_int(line, "changes", spot->changes);
		all = json_object_new_array();
		for (i = 0; i < spot->n_seen; i++)
			json_object_array_add(all, json_seen(&spot->seen[i]));
		json_object_object_add(line, "routers", all);
		json_print(line);
	}
	line = json_line("end");
	json_add_int(line, "rounds", monitor->round);
	json_add_int(line, "changes", monitor_changes(monitor));
	if (monitor->unsent)
		json_add_int(line, "unsent", monitor->unsent);
	json_end(line, verdict_of(monitor),
		 unknown ? unknown :
		 monitor->unsent ? unsent_reason(monitor->error) :
		 "all rounds are over");
}

static void report_csv(const struct monitor *monitor)
{
	char to[ADDRESS_TEXT], text[ADDRESS_TEXT];
	unsigned int ttl, i;

	printf("destination,hop,side,address,sent,received,loss_percent,last_ms,mean_ms,best_ms,worst_ms,deviation_ms,jitter_ms,changes\n");
	for (ttl = settings.first; ttl <= monitor_rows(monitor); ttl++) {
		const struct spot *spot = &monitor->spot[ttl];

		quad(monitor_target(monitor), to);
		if (!spot->n_seen)
			printf("%s,%u,%s,,%u,0,%.1f,,,,,,,0\n", to, ttl,
			       monitor->loop ? side_of(monitor, ttl) : "out",
			       spot->ended, spot_loss(spot));
		for (i = 0; i < spot->n_seen; i++) {
			const struct times *times = &spot->seen[i].times;

			printf("%s,%u,%s,%s,%u,%u,%.1f,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,%u\n",
			       to, ttl,
			       monitor->loop ? side_of(monitor, ttl) : "out",
			       quad(spot->seen[i].address, text), spot->ended,
			       times->n, spot_loss(spot), times->last,
			       times->mean, times->best, times->worst,
			       times_deviation(times), times_jitter(times),
			       spot->changes);
		}
	}
}

/* Of one hop, in seconds, as Prometheus wants it. */
static void metric(const struct monitor *monitor, const char *name,
		   const char *help, double (*value)(const struct spot *spot))
{
	char to[ADDRESS_TEXT], text[ADDRESS_TEXT] = "";
	unsigned int ttl;

	printf("# HELP srtrace_%s %s\n# TYPE srtrace_%s gauge\n", name, help,
	       name);
	for (ttl = settings.first; ttl <= monitor_rows(monitor); ttl++) {
		const struct spot *spot = &monitor->spot[ttl];

		if (spot->now)
			quad(spot->now, text);
		printf("srtrace_%s{destination=\"%s\",hop=\"%u\",side=\"%s\",address=\"%s\"} %.6f\n",
		       name, quad(monitor_target(monitor), to), ttl,
		       monitor->loop ? side_of(monitor, ttl) : "out",
		       spot->now ? text : "", value(spot));
	}
}

static double loss_ratio(const struct spot *spot)
{
	return spot_loss(spot) / 100;
}

static double mean_seconds(const struct spot *spot)
{
	const struct seen *seen = spot_now(spot);

	return seen ? seen->times.mean / 1e3 : NAN;
}

static double worst_seconds(const struct spot *spot)
{
	const struct seen *seen = spot_now(spot);

	return seen ? seen->times.worst / 1e3 : NAN;
}

static double changes_of(const struct spot *spot)
{
	return spot->changes;
}

static void report_prometheus(const struct monitor *monitor)
{
	char to[ADDRESS_TEXT];

	metric(monitor, "loss_ratio", "Of the probes of this run.", loss_ratio);
	metric(monitor, "rtt_mean_seconds",
	       "Of the router that answers now.", mean_seconds);
	metric(monitor, "rtt_worst_seconds",
	       "Of the router that answers now.", worst_seconds);
	metric(monitor, "path_changes", "Of this run.", changes_of);
	printf("# HELP srtrace_reached Has the destination answered, or the probe returned?\n"
	       "# TYPE srtrace_reached gauge\n"
	       "srtrace_reached{destination=\"%s\"} %d\n",
	       quad(monitor_target(monitor), to), reply_is_reached(&monitor->last));
}

/**
 * report() - ask a way some rounds, and report once
 * @route: the way
 * @loop: out to the last gateway and back
 *
 * Return: exit code.
 */
int report(const struct route *route, bool loop)
{
	static struct monitor monitor;

	monitor_begin(&monitor, route, loop);
	json_start(loop ? "loop" : "trace", &monitor.route, monitor.from);
	engine_run(&monitor.work);
	switch (settings.report) {
	case REPORT_JSON:
		report_json(&monitor);
		break;
	case REPORT_CSV:
		report_csv(&monitor);
		break;
	case REPORT_PROMETHEUS:
		report_prometheus(&monitor);
		break;
	default:
		monitor_show(&monitor);
	}
	return reply_is_reached(&monitor.last) ? EXIT_REACHED :
						 EXIT_NOT_REACHED;
}
