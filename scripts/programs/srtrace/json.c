// SPDX-License-Identifier: GPL-2.0-only
/*
 * A JSON object per line, as things happen: docs/srtrace.schema.json.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>

#include "srtrace.h"

#define SCHEMA	"srtrace-2"

/**
 * json_address() - an address as a JSON string
 * @address: the address
 *
 * Return: the object.
 */
struct json_object *json_address(in_addr_t address)
{
	char text[ADDRESS_TEXT];

	return json_object_new_string(quad(address, text));
}

/**
 * json_addresses() - addresses as a JSON array
 * @address: the addresses
 * @n: how many
 *
 * Return: the object.
 */
struct json_object *json_addresses(const in_addr_t *address, unsigned int n)
{
	struct json_object *array = json_object_new_array();
	unsigned int i;

	for (i = 0; i < n; i++)
		json_object_array_add(array, json_address(address[i]));
	return array;
}

/**
 * json_octets() - octets as a JSON string of hexadecimal digits
 * @octets: the octets
 * @len: how many, at most SRR_OPTIONS_MAX
 *
 * Return: the object.
 */
struct json_object *json_octets(const uint8_t *octets, unsigned int len)
{
	char text[2 * SRR_OPTIONS_MAX + 1] = "";
	unsigned int i;

	for (i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", octets[i]);
	return json_object_new_string(text);
}

/**
 * json_add_number() - add a number with three digits behind the point
 * @object: where to
 * @key: what it is called
 * @value: the number
 */
void json_add_number(struct json_object *object, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", value);
	json_object_object_add(object, key,
			       json_object_new_double_s(value, text));
}

static void add_text(struct json_object *object, const char *key,
		     const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

/**
 * json_add_int() - add a whole number
 * @object: where to
 * @key: what it is called
 * @value: the number
 */
void json_add_int(struct json_object *object, const char *key, int64_t value)
{
	json_object_object_add(object, key, json_object_new_int64(value));
}

static void add_flag(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

/**
 * json_line() - begin a line
 * @type: what it is
 *
 * Return: the object, with the time in it.
 */
struct json_object *json_line(const char *type)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "type", type);
	json_add_number(object, "time", now() / 1e3);
	return object;
}

static struct json_object *json_icmp(const struct reply *reply)
{
	struct json_object *object = json_object_new_object();

	json_add_int(object, "type", reply->type);
	json_add_int(object, "code", reply->code);
	if (reply->type == ICMP_PARAMETERPROB)
		json_add_int(object, "pointer", reply->pointer);
	if (reply->mtu)
		json_add_int(object, "mtu", reply->mtu);
	return object;
}

static struct json_object *json_extension(const struct extension *more)
{
	struct json_object *object = json_object_new_object();
	struct json_object *labels = json_object_new_array();
	struct json_object *interfaces = json_object_new_array();
	unsigned int i;

	for (i = 0; i < more->n_labels; i++) {
		struct json_object *label = json_object_new_object();

		json_add_int(label, "label", more->labels[i] >> 12);
		json_add_int(label, "class", more->labels[i] >> 9 & 7);
		json_add_int(label, "bottom", more->labels[i] >> 8 & 1);
		json_add_int(label, "ttl", more->labels[i] & 0xff);
		json_object_array_add(labels, label);
	}
	for (i = 0; i < more->n_interfaces; i++) {
		struct json_object *one = json_object_new_object();

		json_add_int(one, "role", more->interfaces[i].role);
		json_add_int(one, "index", more->interfaces[i].index);
		add_text(one, "name", more->interfaces[i].name);
		json_add_int(one, "mtu", more->interfaces[i].mtu);
		if (more->interfaces[i].address)
			json_object_object_add(one, "address",
					       json_address(more->interfaces[i].address));
		json_object_array_add(interfaces, one);
	}
	json_object_object_add(object, "mpls", labels);
	json_object_object_add(object, "interfaces", interfaces);
	json_add_int(object, "others", more->others);
	add_flag(object, "broken", more->broken);
	return object;
}

static bool is_empty(const struct extension *more)
{
	return !more->n_labels && !more->n_interfaces && !more->others &&
	       !more->broken;
}

/**
 * json_add_reply() - add what a probe has brought about
 * @object: where to
 * @reply: the reply
 */
void json_add_reply(struct json_object *object, const struct reply *reply)
{
	const char *name;

	add_text(object, "outcome",
		 reply->outcome == OUTCOME_NONE ? "none" :
		 reply->outcome == OUTCOME_UNKNOWN ? "unknown" :
		 reply->outcome == OUTCOME_UNSENT ? "unsent" :
		 outcome_name(reply->outcome));
	if (reply->outcome == OUTCOME_UNSENT)
		add_text(object, "error", strerror(reply->error));
	if (reply->outcome == OUTCOME_NONE ||
	    reply->outcome == OUTCOME_UNSENT ||
	    reply->outcome == OUTCOME_UNKNOWN)
		return;
	json_object_object_add(object, "from", json_address(reply->from));
	name = name_of(reply->from);
	if (name)
		add_text(object, "name", name);
	json_add_number(object, "rtt_ms", reply->rtt);
	json_add_int(object, "reply_ttl", reply->ttl);
	json_add_int(object, "hops_back", hops_back(reply));
	json_add_int(object, "reply_size", reply->size);
	if (reply->late)
		add_flag(object, "late", true);
	if (reply->type)
		json_object_object_add(object, "icmp", json_icmp(reply));
	if (reply->type) {
		json_add_int(object, "quoted_ttl", reply->quoted_ttl);
		json_add_int(object, "quoted_tos", reply->quoted_tos);
	}
	json_object_object_add(object, "to", json_address(reply->to));
	if (reply->options_len)
		json_object_object_add(object, "options",
				       json_octets(reply->options,
						   reply->options_len));
	if (reply->place != PLACE_NONE)
		add_text(object, "route", place_name(reply->place));
	if (reply->place == PLACE_SOUND || reply->place == PLACE_CUT)
		json_add_int(object, "passed", reply->passed);
	if (!is_empty(&reply->extension))
		json_object_object_add(object, "extension",
				       json_extension(&reply->extension));
	if (reply->bad_length)
		add_flag(object, "bad_length", true);
}

/**
 * json_start() - print the first line: what is done, and how
 * @mode: trace, loop, ...
 * @route: the way of the probes; may be NULL
 * @from: our address, or 0
 */
void json_start(const char *mode, const struct route *route, in_addr_t from)
{
	static const char *const kinds[] = { "icmp", "udp", "tcp" };
	struct json_object *object;

	if (!settings.json)
		return;
	object = json_line("start");
	add_text(object, "schema", SCHEMA);
	add_text(object, "version", VERSION);
	add_text(object, "mode", mode);
	add_text(object, "kind", kinds[settings.kind]);
	if (settings.kind != KIND_ICMP)
		json_add_int(object, "port", settings.port);
	json_add_int(object, "probes", settings.probes);
	json_add_int(object, "first", settings.first);
	json_add_int(object, "last", settings.last);
	json_add_int(object, "gap", settings.gap);
	json_add_number(object, "wait_ms", settings.wait);
	if (settings.here)
		json_add_number(object, "wait_here", settings.here);
	if (settings.near)
		json_add_number(object, "wait_near", settings.near);
	if (from)
		json_object_object_add(object, "source", json_address(from));
	if (route) {
		json_object_object_add(object, "destination",
				       json_address(route->to));
		json_object_object_add(object, "gateways",
				       json_addresses(route->gateway,
						      route->gateways));
		add_flag(object, "strict", settings.strict);
	}
	json_print(object);
}

/**
 * json_probe() - print what has become of a probe
 * @ask: the probe
 */
void json_probe(const struct ask *ask)
{
	struct json_object *object;

	if (!settings.json)
		return;
	object = json_line("probe");
	json_add_int(object, "ttl", ask->probe.ttl);
	json_add_int(object, "ident", ask->probe.serial);
	json_add_int(object, "sent", ask->sent);
	if (ask->probe.size)
		json_add_int(object, "size", ask->probe.size);
	if (ask->probe.flow)
		json_add_int(object, "flow", ask->probe.flow);
	if (ask->reply.outcome == OUTCOME_NONE ||
	    ask->reply.outcome == OUTCOME_UNKNOWN)
		json_add_number(object, "waited_ms", ask->waited);
	json_add_reply(object, &ask->reply);
	json_print(object);
}

/**
 * json_end() - print the last line
 * @object: of json_line(), with what else is to be said
 * @verdict: the verdict
 * @reason: why
 */
void json_end(struct json_object *object, const char *verdict,
	      const char *reason)
{
	struct json_object *disbelieved = json_object_new_object();
	unsigned int i;

	for (i = DOUBT_NONE + 1; i < DOUBTS; i++)
		if (doubted(i))
			json_add_int(disbelieved, doubt_name(i), doubted(i));
	picture_verdict(verdict, reason);
	add_text(object, "verdict", verdict);
	add_text(object, "reason", reason);
	json_object_object_add(object, "not_believed", disbelieved);
	json_add_int(object, "copies", copied());
	json_add_int(object, "lost_here", wire_lost());
	json_print(object);
}

/**
 * json_print() - print an object as a line if JSON is wanted, and free it
 * @object: the object
 */
void json_print(struct json_object *object)
{
	if (settings.json) {
		puts(json_object_to_json_string_ext(object,
						    JSON_C_TO_STRING_PLAIN));
		output_done();
	}
	json_object_put(object);
}
