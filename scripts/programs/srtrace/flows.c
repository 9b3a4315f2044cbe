// SPDX-License-Identifier: GPL-2.0-only
/*
 * The branches of a way that is balanced: which routers other flows pass.
 *
 * A balancer sends all datagrams of a flow the same way. From each router the flows
 * that pass it are followed to the next hop until it is unlikely, by less than 5 %,
 * that there is a branch more than those that have been seen (the Multipath
 * Detection Algorithm: Veitch, Augustin, Teixeira, Friedman, 2009).
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "srtrace.h"

#define BRANCHES_MAX	32	/* at one hop; more are not told apart */
#define AT_ONCE		8	/* new flows for routers that lack some */
#define TRIES		4	/* of a flow that is silent where others are not */
#define SLOW		1000.0	/* milliseconds: what most routers allow */
#define MISSED		0.05	/* how likely it may be that a branch is not seen */

/**
 * struct vertex - a router at a hop, or its silence
 * @address: 0 for silence
 * @last: the way ends here
 * @flows: how many pass it, of those that were sent to this hop
 * @next: branches behind it
 * @tested: how often one of them has been sent again
 * @by_packet: and has taken another way
 */
struct vertex {
	in_addr_t address;
	bool last;
	unsigned int flows;
	unsigned int next;
	unsigned int tested;
	bool by_packet;
};

enum flow_state {
	FLOW_NEW,
	FLOW_SENT,
	FLOW_KNOWN,
};

/**
 * struct level - a hop
 * @vertex: the routers
 * @n: how many
 * @state: of each flow, whether it has been sent to this hop
 * @at: of each flow, which router it has met
 * @tries: of each flow, how often it has been sent
 */
struct level {
	struct vertex vertex[BRANCHES_MAX];
	unsigned int n;
	uint8_t state[FLOWS_MAX];
	uint8_t at[FLOWS_MAX];
	uint8_t tries[FLOWS_MAX];
};

/**
 * struct flows - while they are followed
 * @work: the engine's
 * @route: the way
 * @from: our address
 * @level: by TTL; that of the first hop less one is ourselves
 * @ttl: the hop that is looked at
 * @end: the last hop of which something is known
 * @used: flows so far
 * @waiting: probes without an end
 * @silent: hops with nothing but silence, in a row
 * @unsent: errno of the last one that our own kernel has not sent
 * @full: there were too few flows to be sure
 * @reached: a flow has reached the destination
 */
struct flows {
	struct work work;
	const struct route *route;
	in_addr_t from;
	struct level level[TTLS];
	unsigned int ttl;
	unsigned int end;
	unsigned int used;
	unsigned int waiting;
	unsigned int silent;
	int unsent;
	bool full;
	bool reached;
};

/**
 * struct sent - a probe and what it is for
 * @ask: the engine's
 * @again: the flow is known, and is sent once more
 */
struct sent {
	struct ask ask;
	bool again;
};

/**
 * flows_needed() - when to stop looking for another branch
 * @seen: branches that have been seen, at least 1
 *
 * If there were one more, all alike, one of them would have been missed by so many
 * flows with a likelihood of MISSED at most.
 *
 * Return: flows.
 */
unsigned int flows_needed(unsigned int seen)
{
	unsigned int branches = seen + 1, n, i;
	double missed, choose;

	for (n = branches; n < FLOWS_MAX; n++) {
		missed = 0;
		choose = 1;
		for (i = 1; i < branches; i++) {
			choose = choose * (branches - i + 1) / i;
			missed += (i % 2 ? 1 : -1) * choose *
				pow((double)(branches - i) / branches, n);
		}
		if (missed <= MISSED)
			break;
	}
	return n;
}

static struct ask *make(struct flows *flows, unsigned int ttl,
			unsigned int flow, bool again)
{
	struct sent *sent = calloc(1, sizeof(*sent));

	if (!sent)
		fail(EXIT_SYSTEM, "out of memory");
	sent->again = again;
	sent->ask.probe = (struct probe){
		.route = *flows->route, .ttl = ttl, .from = flows->from,
		.flow = flow, .size = settings.size, .whole = settings.whole,
	};
	sent->ask.tries = 1;
	if (!again) {
		flows->level[ttl].state[flow] = FLOW_SENT;
		flows->level[ttl].tries[flow]++;
	}
	flows->waiting++;
	return &sent->ask;
}

static bool passes(const struct level *level, unsigned int flow, unsigned int n)
{
	return level->state[flow] == FLOW_KNOWN && level->at[flow] == n;
}

/* A flow that is new, to the hop at which routers lack flows; they find their own. */
static struct ask *one_more(struct flows *flows)
{
	const struct level *level = &flows->level[flows->ttl - 1];
	unsigned int flow;

	for (flow = 0; flow < flows->used; flow++)
		if (level->state[flow] == FLOW_NEW && level->tries[flow])
			return make(flows, flows->ttl - 1, flow, false);
	if (flows->used == FLOWS_MAX) {
		flows->full = true;
		return NULL;
	}
	return make(flows, flows->ttl - 1, flows->used++, false);
}

/* What else is to be known of the branches behind a router. */
static struct ask *follow(struct flows *flows, unsigned int n, bool *lacks)
{
	struct level *level = &flows->level[flows->ttl];
	struct level *before = level - 1;
	struct vertex *vertex = &before->vertex[n];
	unsigned int flow, sent = 0, wanted;

	for (flow = 0; flow < flows->used; flow++)
		sent += passes(before, flow, n) && level->state[flow] != FLOW_NEW;
	wanted = flows_needed(vertex->next ? vertex->next : 1);
	if (sent < wanted) {
		for (flow = 0; flow < flows->used; flow++)
			if (passes(before, flow, n) &&
			    level->state[flow] == FLOW_NEW)
				return make(flows, flows->ttl, flow, false);
		*lacks = true;
		return NULL;
	}
	if (vertex->next < 2 || vertex->tested == flows_needed(1))
		return NULL;
	vertex->tested++;
	for (flow = 0; !passes(before, flow, n); flow++)
		;
	return make(flows, flows->ttl, flow, true);
}

static bool is_silent(const struct level *level)
{
	unsigned int n;

	for (n = 0; n < level->n; n++)
		if (level->vertex[n].address)
			return false;
	return true;
}

static bool is_end(const struct level *level)
{
	unsigned int n;

	for (n = 0; n < level->n; n++)
		if (level->vertex[n].flows && !level->vertex[n].last)
			return false;
	return true;
}

static bool is_branch(const struct flows *flows, unsigned int ttl,
		      unsigned int from, unsigned int to)
{
	const struct level *level = &flows->level[ttl];
	unsigned int flow;

	for (flow = 0; flow < flows->used; flow++)
		if (passes(level, flow, to) && passes(level - 1, flow, from))
			return true;
	return false;
}

static void count_branches(struct flows *flows, unsigned int ttl)
{
	struct level *level = &flows->level[ttl];
	struct level *before = level - 1;
	unsigned int from, to;

	for (from = 0; from < before->n; from++) {
		before->vertex[from].next = 0;
		for (to = 0; to < level->n; to++)
			before->vertex[from].next +=
				is_branch(flows, ttl, from, to);
	}
}

/*
 * Where others answer, silence is a router that limits its errors rather than a
 * branch: those are sent again, and all of it slower.
 */
static bool again(struct flows *flows, unsigned int ttl)
{
	struct level *level = &flows->level[ttl];
	unsigned int flow;
	bool some = false;

	if (is_silent(level))
		return false;
	for (flow = 0; flow < flows->used; flow++) {
		if (level->state[flow] != FLOW_KNOWN ||
		    level->vertex[level->at[flow]].address ||
		    level->tries[flow] >= TRIES)
			continue;
		level->state[flow] = FLOW_NEW;
		level->vertex[level->at[flow]].flows--;
		some = true;
	}
	if (some) {
		flows->work.pace = flows->work.pace < SLOW / 4 ?
			SLOW / 4 : SLOW;
		count_branches(flows, ttl);
	}
	return some;
}

static struct ask *next(struct work *work, double *when)
{
	struct flows *flows = (struct flows *)work;
	struct level *before;
	struct ask *ask;
	unsigned int n;
	bool lacks;

	(void)when;
	for (;;) {
		before = &flows->level[flows->ttl - 1];
		lacks = false;
		for (n = 0; n < before->n; n++) {
			if (before->vertex[n].last || !before->vertex[n].flows)
				continue;
			ask = follow(flows, n, &lacks);
			if (ask)
				return ask;
		}
		if (lacks && flows->ttl > settings.first &&
		    flows->waiting < AT_ONCE) {
			ask = one_more(flows);
			if (ask)
				return ask;
		}
		if (flows->waiting)
			return NULL;
		/* All flows are ours. */
		if (lacks && flows->ttl == settings.first &&
		    flows->used < FLOWS_MAX) {
			before->state[flows->used] = FLOW_KNOWN;
			flows->used++;
			continue;
		}
		if (again(flows, flows->ttl))
			continue;
		if (flows->ttl > settings.first &&
		    again(flows, flows->ttl - 1))
			continue;
		flows->end = flows->ttl;
		flows->silent = is_silent(&flows->level[flows->ttl]) ?
			flows->silent + 1 : 0;
		if (flows->ttl == settings.last ||
		    flows->silent >= settings.gap ||
		    is_end(&flows->level[flows->ttl]))
			return NULL;
		flows->ttl++;
		flows->work.pace = settings.pace;
	}
}

static unsigned int find_vertex(struct level *level, in_addr_t address,
				bool last)
{
	unsigned int n;

	for (n = 0; n < level->n; n++)
		if (level->vertex[n].address == address)
			break;
	if (n == BRANCHES_MAX)
		return n - 1;
	if (n == level->n) {
		level->n++;
		level->vertex[n].address = address;
		level->vertex[n].last = last;
	}
	return n;
}

static void done(struct work *work, struct ask *ask)
{
	struct flows *flows = (struct flows *)work;
	const struct reply *reply = &ask->reply;
	unsigned int ttl = ask->probe.ttl, flow = ask->probe.flow, n;
	struct level *level = &flows->level[ttl];
	struct sent *sent = (struct sent *)ask;
	in_addr_t from = reply_is_there(reply) ? reply->from : 0;

	flows->waiting--;
	json_probe(ask);
	if (reply_is_reached(reply))
		flows->reached = true;
	if (reply->outcome == OUTCOME_UNSENT)
		flows->unsent = reply->error;
	if (sent->again) {
		/* It has met another router than before. */
		if (from && from != level->vertex[level->at[flow]].address)
			level[-1].vertex[level[-1].at[flow]].by_packet = true;
	} else {
		n = find_vertex(level, from, reply_is_end(reply));
		level->state[flow] = FLOW_KNOWN;
		level->at[flow] = n;
		level->vertex[n].flows++;
		if (ttl >= settings.first)
			count_branches(flows, ttl);
	}
	engine_forget(ask);
	free(sent);
}

static unsigned int width(const struct level *level)
{
	unsigned int n, width = 0;

	for (n = 0; n < level->n; n++)
		width += level->vertex[n].flows > 0;
	return width;
}

static void show_vertex(in_addr_t address)
{
	if (address)
		show_host(address);
	else
		printf("  *");
}

static void show_level(const struct flows *flows, unsigned int ttl)
{
	const struct level *level = &flows->level[ttl];
	const struct level *before = level - 1;
	unsigned int n, from, some = 0;
	char text[ADDRESS_TEXT];

	printf("%2u", ttl);
	for (n = 0; n < level->n; n++) {
		if (!level->vertex[n].flows)
			continue;
		if (some++)
			printf("  ");
		show_vertex(level->vertex[n].address);
		if (width(level) > 1)
			printf("  %u flows", level->vertex[n].flows);
		for (from = 0; width(before) > 1 && from < before->n; from++)
			if (is_branch(flows, ttl, from, n))
				printf("  <- %s", before->vertex[from].address ?
				       quad(before->vertex[from].address, text) :
				       "*");
		if (level->vertex[n].by_packet)
			printf("  balances packets, not flows");
		printf("\n");
	}
}

static void json_level(const struct flows *flows, unsigned int ttl)
{
	const struct level *level = &flows->level[ttl];
	const struct level *before = level - 1;
	struct json_object *line;
	unsigned int n, from;

	for (n = 0; n < level->n; n++) {
		struct json_object *all;

		if (!level->vertex[n].flows)
			continue;
		all = json_object_new_array();
		line = json_line("branch");
		json_add_int(line, "ttl", ttl);
		json_object_object_add(line, "router",
				       level->vertex[n].address ?
				       json_address(level->vertex[n].address) :
				       NULL);
		json_add_int(line, "flows", level->vertex[n].flows);
		json_object_object_add(line, "by_packet",
				       json_object_new_boolean(level->vertex[n].by_packet));
		for (from = 0; ttl > settings.first && from < before->n; from++)
			if (is_branch(flows, ttl, from, n))
				json_object_array_add(all,
						      before->vertex[from].address ?
						      json_address(before->vertex[from].address) :
						      NULL);
		json_object_object_add(line, "behind", all);
		json_print(line);
	}
}

static void conclude(const struct flows *flows, bool whole)
{
	unsigned int ttl, n, widest = 0;
	const char *unknown = unknown_reason(whole);
	struct json_object *line;
	const char *verdict, *reason;

	for (ttl = settings.first; ttl <= flows->end; ttl++) {
		n = width(&flows->level[ttl]);
		if (n > widest)
			widest = n;
		if (settings.json)
			json_level(flows, ttl);
		else
			show_level(flows, ttl);
	}
	verdict = flows->reached ? "reached" :
		unknown || flows->unsent ? "unknown" : "not reached";
	/* Branches may have been missed. */
	reason = unknown ? unknown :
		flows->unsent ? unsent_reason(flows->unsent) :
		flows->full ? "too few flows to be sure of all branches" :
		"no other branch, with a likelihood of 95 %";
	if (!settings.json)
		printf("%s; %u flows, at most %u branches beside each other: %s\n",
		       verdict, flows->used, widest, reason);
	line = json_line("end");
	json_add_int(line, "flows", flows->used);
	json_add_int(line, "widest", widest);
	json_end(line, verdict, reason);
	show_doubts();
}

/* A row for each hop. */
static void draw(const struct flows *flows)
{
	unsigned int before[BRANCHES_MAX] = { picture_box(0, 0, LOOK_US) };
	unsigned int here[BRANCHES_MAX] = { 0 }, ttl, n, from, column;
	char text[ADDRESS_TEXT];

	picture_title("srtrace to %s, all branches",
		      quad(flows->route->to, text));
	picture_line(before[0], "us");
	picture_host(before[0], flows->from);
	for (ttl = settings.first; ttl <= flows->end; ttl++) {
		const struct level *level = &flows->level[ttl];

		for (n = column = 0; n < level->n; n++) {
			const struct vertex *vertex = &level->vertex[n];
			bool wide = width(level) > 1;

			if (!vertex->flows)
				continue;
			here[n] = picture_box(column++,
					      ttl - settings.first + 1,
					      !vertex->address ? LOOK_SILENT :
					      vertex->last ? LOOK_END : wide ?
					      LOOK_OTHER : LOOK_ROUTER);
			picture_line(here[n], "%u%s", ttl,
				     vertex->address ? "" : "  silent");
			if (vertex->address)
				picture_host(here[n], vertex->address);
			if (wide)
				picture_line(here[n], "%u flows",
					     vertex->flows);
			if (vertex->by_packet)
				picture_line(here[n], "balances packets");
			for (from = 0; from < level[-1].n; from++)
				if (level[-1].vertex[from].flows &&
				    is_branch(flows, ttl, from, n))
					picture_arrow(before[from], here[n],
						      level[-1].vertex[from].next > 1 ?
						      LOOK_OTHER : LOOK_ROUTER);
		}
		memcpy(before, here, sizeof(here));
	}
}

/**
 * show_flows() - show the branches of the way to a destination
 * @route: the route; may have no gateway
 *
 * Return: exit code.
 */
int show_flows(const struct route *route)
{
	static struct flows flows;
	struct level *us;
	bool whole;

	flows.work = (struct work){
		.next = next, .done = done,
		.pace = settings.pace, .window = settings.window,
	};
	flows.route = route;
	flows.from = wire_source(first_stop(route));
	flows.ttl = settings.first;
	us = &flows.level[settings.first - 1];
	us->n = 1;
	us->vertex[0] = (struct vertex){ .address = flows.from, .flows = 1 };
	json_start("flows", route, flows.from);
	if (!settings.json) {
		printf("srtrace to");
		show_host(route->to);
		printf(", all branches, %u hops max\n", settings.last);
	}
	whole = engine_run(&flows.work);
	if (!whole)
		flows.end = flows.ttl;
	conclude(&flows, whole);
	if (picture_wanted())
		draw(&flows);
	return flows.reached ? EXIT_REACHED : EXIT_NOT_REACHED;
}
