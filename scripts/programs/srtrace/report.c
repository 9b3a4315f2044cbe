// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names, times, colours, JSON.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/ip_icmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "srtrace.h"

#define NAMES_MAX	1024	/* that are remembered */

/**
 * quad() - an address as text
 * @address: the address
 * @text: room for ADDRESS_TEXT characters
 *
 * Return: @text.
 */
const char *quad(in_addr_t address, char *text)
{
	inet_ntop(AF_INET, &address, text, ADDRESS_TEXT);
	return text;
}

/**
 * name_of() - the name of an address
 * @address: the address
 *
 * Return: NULL if it has none, or none is wanted.
 */
const char *name_of(in_addr_t address)
{
	static struct {
		in_addr_t address;
		char *name;
	} known[NAMES_MAX];
	static unsigned int n;
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = address,
	};
	char name[NI_MAXHOST];
	unsigned int i;

	if (settings.numeric)
		return NULL;
	for (i = 0; i < n; i++)
		if (known[i].address == address)
			return known[i].name;
	if (n == NAMES_MAX)
		return NULL;
	known[n].address = address;
	if (!getnameinfo((struct sockaddr *)&to, sizeof(to), name, sizeof(name),
			 NULL, 0, NI_NAMEREQD))
		known[n].name = strdup(name);
	return known[n++].name;
}

/**
 * look_up() - the address of a name
 * @name: a name, or an address as text
 * @address: set to its address
 * @why: set to what is wrong with it, if it has none
 *
 * Return: false if it has none.
 */
bool look_up(const char *name, in_addr_t *address, const char **why)
{
	const struct addrinfo hints = { .ai_family = AF_INET };
	struct addrinfo *found;
	int err = getaddrinfo(name, NULL, &hints, &found);

	if (err) {
		*why = gai_strerror(err);
		return false;
	}
	*address = ((struct sockaddr_in *)found->ai_addr)->sin_addr.s_addr;
	freeaddrinfo(found);
	return true;
}

/**
 * resolve() - the address of a word of the command line
 * @name: the word
 *
 * Ends the program with EXIT_USAGE if it has none.
 *
 * Return: its address.
 */
in_addr_t resolve(const char *name)
{
	in_addr_t address;
	const char *why;

	if (!look_up(name, &address, &why))
		fail(EXIT_USAGE, "%s: %s", name, why);
	return address;
}

/**
 * show_host() - print two blanks and an address, with its name if it has one
 * @address: the address
 */
void show_host(in_addr_t address)
{
	const char *name = name_of(address);
	char text[ADDRESS_TEXT];

	quad(address, text);
	if (name)
		printf("  %s (%s)", name, text);
	else
		printf("  %s", text);
}

/**
 * show_area() - print octets of an option area
 * @area: the octets
 * @len: how many
 */
void show_area(const uint8_t *area, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		printf("%s%02x", i ? " " : "", area[i]);
}

/**
 * paint() - a colour, where there is one
 * @code: of ECMA-48, "0" to end it
 *
 * Return: what to print; the next but three calls overwrite it.
 */
const char *paint(const char *code)
{
	static char text[4][16];
	static unsigned int turn;

	if (!settings.colour)
		return "";
	turn = (turn + 1) % 4;
	snprintf(text[turn], sizeof(*text), "\033[%sm", code);
	return text[turn];
}

/**
 * error_name() - what an ICMP error says
 * @reply: the error
 *
 * Return: text; overwritten by the next call.
 */
const char *error_name(const struct reply *reply)
{
	static const char *const unreachable[] = {
		"network unreachable", "host unreachable",
		"protocol unreachable", "port unreachable",
		"fragmentation needed", "source route failed",
		"network unknown", "host unknown", "source host isolated",
		"network prohibited", "host prohibited",
		"network unreachable for TOS", "host unreachable for TOS",
		"prohibited by filtering", "host precedence violation",
		"precedence cutoff",
	};
	static char text[64];

	if (reply->type == ICMP_DEST_UNREACH &&
	    reply->code < sizeof(unreachable) / sizeof(*unreachable))
		snprintf(text, sizeof(text), "%s (%u/%u)",
			 unreachable[reply->code], reply->type, reply->code);
	else if (reply->type == ICMP_PARAMETERPROB)
		snprintf(text, sizeof(text),
			 "parameter problem at octet %u (%u/%u)",
			 reply->pointer, reply->type, reply->code);
	else
		snprintf(text, sizeof(text), "ICMP %u/%u", reply->type,
			 reply->code);
	return text;
}

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

static struct json_object *json_icmp(const struct reply *reply)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "type",
			       json_object_new_int(reply->type));
	json_object_object_add(object, "code",
			       json_object_new_int(reply->code));
	if (reply->type == ICMP_PARAMETERPROB)
		json_object_object_add(object, "pointer",
				       json_object_new_int(reply->pointer));
	return object;
}

/**
 * json_reply() - a reply as a JSON object
 * @reply: the reply
 *
 * Return: the object.
 */
struct json_object *json_reply(const struct reply *reply)
{
	static const char *const outcomes[] = {
		[OUTCOME_NONE] = "none",
		[OUTCOME_EXPIRED] = "expired",
		[OUTCOME_REFUSED] = "refused",
		[OUTCOME_ANSWERED] = "answered",
		[OUTCOME_RETURNED] = "returned",
	};
	struct json_object *object = json_object_new_object();
	const char *name;
	char rtt[32];
	int gateways;

	json_object_object_add(object, "outcome",
			       json_object_new_string(outcomes[reply->outcome]));
	if (reply->outcome == OUTCOME_NONE)
		return object;
	json_object_object_add(object, "from", json_address(reply->from));
	name = name_of(reply->from);
	if (name)
		json_object_object_add(object, "name",
				       json_object_new_string(name));
	snprintf(rtt, sizeof(rtt), "%.3f", reply->rtt);
	json_object_object_add(object, "rtt_ms",
			       json_object_new_double_s(reply->rtt, rtt));
	if (reply->type)
		json_object_object_add(object, "icmp", json_icmp(reply));
	json_object_object_add(object, "to", json_address(reply->to));
	if (reply->options_len)
		json_object_object_add(object, "options",
				       json_octets(reply->options,
						   reply->options_len));
	gateways = gateways_passed(reply);
	if (gateways >= 0)
		json_object_object_add(object, "passed",
				       json_object_new_int(gateways));
	return object;
}

/**
 * json_print() - print an object if JSON is wanted, and free it
 * @object: the object
 */
void json_print(struct json_object *object)
{
	if (settings.json)
		puts(json_object_to_json_string_ext(object,
						    JSON_C_TO_STRING_PRETTY));
	json_object_put(object);
}

/**
 * fail() - say what is wrong and end the program
 * @status: exit code
 * @format: as of printf(3), without a newline
 */
void fail(int status, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("srtrace: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}
