// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way to a destination, hop by hop; out to a gateway and back.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "srtrace.h"

#define HOPS_MAX	255

static bool is_end(const struct reply *reply)
{
	return reply->outcome == OUTCOME_ANSWERED ||
	       reply->outcome == OUTCOME_RETURNED ||
	       reply->outcome == OUTCOME_REFUSED;
}

static bool is_reached(const struct reply *reply)
{
	return reply->outcome == OUTCOME_ANSWERED ||
	       reply->outcome == OUTCOME_RETURNED;
}

/* Where an error met the probe. */
static void show_place(const struct reply *reply, const struct route *route)
{
	char text[ADDRESS_TEXT];
	int gateways = gateways_passed(reply);

	if (reply->outcome != OUTCOME_EXPIRED &&
	    reply->outcome != OUTCOME_REFUSED)
		return;
	if (gateways < 0)
		printf("  %s[no sound route in it]%s", paint("33"), paint("0"));
	else
		printf("  [%d of %u, to %s]", gateways, route->gateways,
		       quad(reply->to, text));
}

static void show_reply(const struct reply *reply, const struct route *route,
		       const struct reply *before)
{
	if (reply->outcome == OUTCOME_NONE) {
		printf("  *");
		return;
	}
	if (!before || before->from != reply->from)
		show_host(reply->from);
	printf("  %.3f ms", reply->rtt);
	if (reply->outcome == OUTCOME_REFUSED)
		printf("  %s%s%s", paint("31"), error_name(reply), paint("0"));
	if (route->gateways &&
	    (!before || before->from != reply->from ||
	     gateways_passed(before) != gateways_passed(reply) ||
	     before->to != reply->to))
		show_place(reply, route);
	if (settings.verbose && reply->options_len) {
		printf("  ");
		show_area(reply->options, reply->options_len);
	}
}

static void show_header(const struct route *route)
{
	uint8_t datagram[DATAGRAM_MAX];
	struct probe probe = { .route = route };
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

/* One probe that ends at a hop, or goes further. */
static void ask_hop(const struct route *route, in_addr_t from, unsigned int ttl,
		    struct reply *reply)
{
	static uint16_t sequence;
	struct probe probe = {
		.route = route,
		.ttl = ttl,
		.sequence = sequence++,
		.from = from,
	};

	wire_ask(&probe, reply);
}

/* One hop: all its probes. The last reply worth telling is left in @last. */
static struct json_object *show_hop(const struct route *route, in_addr_t from,
				    unsigned int ttl, struct reply *last)
{
	struct json_object *replies = json_object_new_array();
	const struct reply *before = NULL;
	struct reply reply, shown;
	unsigned int i;

	if (!settings.json)
		printf("%2u", ttl);
	memset(last, 0, sizeof(*last));
	for (i = 0; i < settings.probes; i++) {
		ask_hop(route, from, ttl, &reply);
		json_object_array_add(replies, json_reply(&reply));
		if (!settings.json) {
			show_reply(&reply, route, before);
			fflush(stdout);
		}
		if (reply.outcome == OUTCOME_NONE)
			continue;
		shown = reply;
		before = &shown;
		if (!is_end(last))
			*last = reply;
	}
	if (!settings.json)
		printf("\n");
	return replies;
}

/**
 * trace() - show the way along a route
 * @route: the route; may have no gateway
 *
 * Return: exit code.
 */
int trace(const struct route *route)
{
	struct json_object *top = json_object_new_object();
	struct json_object *hops = json_object_new_array();
	in_addr_t from = wire_source(first_stop(route));
	struct reply last = { 0 };
	unsigned int ttl;

	if (!settings.json)
		show_header(route);
	for (ttl = settings.first; ttl <= settings.last && !is_end(&last);
	     ttl++) {
		struct json_object *hop = json_object_new_object();

		json_object_object_add(hop, "ttl", json_object_new_int(ttl));
		json_object_object_add(hop, "replies",
				       show_hop(route, from, ttl, &last));
		json_object_array_add(hops, hop);
	}
	json_object_object_add(top, "destination", json_address(route->to));
	json_object_object_add(top, "source", json_address(from));
	json_object_object_add(top, "gateways",
			       json_addresses(route->gateway, route->gateways));
	json_object_object_add(top, "strict",
			       json_object_new_boolean(settings.strict));
	json_object_object_add(top, "hops", hops);
	json_object_object_add(top, "reached",
			       json_object_new_boolean(is_reached(&last)));
	json_print(top);
	return is_reached(&last) ? EXIT_REACHED : EXIT_NOT_REACHED;
}

/**
 * struct ways - what a loop has found
 * @out: replies on the way out, the gateway's included
 * @outs: how many
 * @back: replies on the way back
 * @backs: how many
 * @end: how the last probe ended
 */
struct ways {
	struct reply out[HOPS_MAX];
	unsigned int outs;
	struct reply back[HOPS_MAX];
	unsigned int backs;
	struct reply end;
};

/* A silent hop belongs to the way on which we are. */
static void find_ways(struct ways *ways, const struct route *route,
		      in_addr_t from)
{
	bool back = false;
	struct reply reply;
	unsigned int ttl, i;

	for (ttl = settings.first; ttl <= settings.last; ttl++) {
		for (i = 0; i < settings.probes; i++) {
			ask_hop(route, from, ttl, &reply);
			if (reply.outcome != OUTCOME_NONE)
				break;
		}
		if (is_end(&reply)) {
			ways->end = reply;
			return;
		}
		if (reply.outcome == OUTCOME_EXPIRED &&
		    gateways_passed(&reply) > 0)
			back = true;
		if (back)
			ways->back[ways->backs++] = reply;
		else
			ways->out[ways->outs++] = reply;
	}
}

static void show_side(const struct reply *reply)
{
	char text[ADDRESS_TEXT];

	if (!reply)
		printf("  %-28s", "");
	else if (reply->outcome == OUTCOME_NONE)
		printf("  %-28s", "*");
	else
		printf("  %-16s %8.3f ms", quad(reply->from, text), reply->rtt);
}

/*
 * Row by row from us to the gateway. A router that is on both ways may answer
 * with two addresses, so a pair that differs is marked, and no more is said.
 */
static unsigned int show_ways(const struct ways *ways)
{
	unsigned int outs = ways->outs ? ways->outs - 1 : 0;
	unsigned int rows = outs > ways->backs ? outs : ways->backs;
	unsigned int i, marked = 0;

	printf("     %-28s  %s\n", "out", "back");
	for (i = 0; i < rows; i++) {
		const struct reply *out = i < outs ? &ways->out[i] : NULL;
		const struct reply *back = i < ways->backs ?
			&ways->back[ways->backs - 1 - i] : NULL;
		bool differ = !out || !back || out->from != back->from;

		printf("%2u ", i + 1);
		show_side(out);
		show_side(back);
		printf("%s\n", differ ? "  !" : "");
		marked += differ;
	}
	if (ways->outs) {
		printf("%2u ", ways->outs);
		show_side(&ways->out[ways->outs - 1]);
		printf("  <- turns here\n");
	}
	return marked;
}

static struct json_object *json_ways(const struct reply *reply, unsigned int n)
{
	struct json_object *array = json_object_new_array();
	unsigned int i;

	for (i = 0; i < n; i++)
		json_object_array_add(array, json_reply(&reply[i]));
	return array;
}

/**
 * loop() - show the way out to a gateway and the way back
 * @gateway: the gateway
 *
 * The probes are for ourselves, by way of the gateway: those that come back
 * have gone both ways.
 *
 * Return: exit code; EXIT_REACHED if a probe has come back.
 */
int loop(in_addr_t gateway)
{
	struct route route = { .gateway = { gateway }, .gateways = 1 };
	struct json_object *top = json_object_new_object();
	static const char different[] =
		"; ! the ways differ, or a router has two addresses";
	static struct ways ways;
	unsigned int marked;
	bool returned;

	route.to = wire_source(gateway);
	find_ways(&ways, &route, route.to);
	returned = ways.end.outcome == OUTCOME_RETURNED;

	if (!settings.json) {
		printf("srtrace out to");
		show_host(gateway);
		printf(" and back\n");
		marked = show_ways(&ways);
		if (returned)
			printf("back after %.3f ms; %u hops out, %u back%s\n",
			       ways.end.rtt, ways.outs, ways.backs,
			       marked ? different : "");
		else if (ways.end.outcome == OUTCOME_REFUSED)
			printf("refused: %s\n", error_name(&ways.end));
		else
			printf("no probe has come back\n");
	}
	json_object_object_add(top, "gateway", json_address(gateway));
	json_object_object_add(top, "out", json_ways(ways.out, ways.outs));
	json_object_object_add(top, "back", json_ways(ways.back, ways.backs));
	json_object_object_add(top, "end", json_reply(&ways.end));
	json_object_object_add(top, "returned",
			       json_object_new_boolean(returned));
	json_print(top);
	return returned ? EXIT_REACHED : EXIT_NOT_REACHED;
}
