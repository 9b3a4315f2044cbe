// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names, colours, words.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/ip_icmp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* Those who wait for a name; the thread answers in the same place. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	bool runs;
	unsigned int asked;
	unsigned int known;
	in_addr_t address[NAMES_MAX];
	char name[NAMES_MAX][NI_MAXHOST];
} soon = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER };

static void *find_names(void *unused)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	char name[NI_MAXHOST];

	(void)unused;
	pthread_mutex_lock(&soon.lock);
	for (;;) {
		while (soon.known == soon.asked)
			pthread_cond_wait(&soon.more, &soon.lock);
		to.sin_addr.s_addr = soon.address[soon.known];
		pthread_mutex_unlock(&soon.lock);
		if (getnameinfo((struct sockaddr *)&to, sizeof(to), name,
				sizeof(name), NULL, 0, NI_NAMEREQD))
			name[0] = 0;
		pthread_mutex_lock(&soon.lock);
		memcpy(soon.name[soon.known++], name, sizeof(name));
	}
	return NULL;
}

/**
 * name_soon() - the name of an address, if it is known already
 * @address: the address
 *
 * Nobody waits for it: a thread looks it up.
 *
 * Return: NULL if it is not known yet, or there is none.
 */
const char *name_soon(in_addr_t address)
{
	const char *name = NULL;
	pthread_t thread;
	unsigned int i;

	if (!address)
		return NULL;
	pthread_mutex_lock(&soon.lock);
	if (!soon.runs)
		soon.runs = !pthread_create(&thread, NULL, find_names, NULL);
	for (i = 0; i < soon.asked && soon.address[i] != address; i++)
		;
	if (i == soon.asked && soon.runs && i < NAMES_MAX) {
		soon.address[soon.asked++] = address;
		pthread_cond_signal(&soon.more);
	} else if (i < soon.known && soon.name[i][0]) {
		name = soon.name[i];
	}
	pthread_mutex_unlock(&soon.lock);
	return name;
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

	if (reply->mtu)
		snprintf(text, sizeof(text),
			 "fragmentation needed, MTU %u (%u/%u)", reply->mtu,
			 reply->type, reply->code);
	else if (reply->type == ICMP_DEST_UNREACH &&
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
 * outcome_name() - a word for an outcome
 * @outcome: the outcome
 *
 * Return: text; "*" for silence.
 */
const char *outcome_name(enum outcome outcome)
{
	static const char *const names[] = {
		[OUTCOME_NONE] = "*",
		[OUTCOME_EXPIRED] = "expired",
		[OUTCOME_REFUSED] = "refused",
		[OUTCOME_ANSWERED] = "answered",
		[OUTCOME_RETURNED] = "returned",
		[OUTCOME_UNSENT] = "not sent",
		[OUTCOME_UNKNOWN] = "unknown: replies were lost here",
	};

	return names[outcome];
}

/**
 * unknown_reason() - why nothing can be said of what has not come
 * @whole: false if the user has ended it
 *
 * Return: text; NULL if silence is silence.
 */
const char *unknown_reason(bool whole)
{
	if (!whole)
		return "interrupted";
	return wire_lost() ? "replies were lost before they were read" : NULL;
}

/**
 * unsent_reason() - why our own kernel has not sent a probe
 * @error: errno of it
 *
 * Return: text; overwritten by the next call.
 */
const char *unsent_reason(int error)
{
	static char text[128];

	snprintf(text, sizeof(text), "not sent: %s", strerror(error));
	return text;
}

/**
 * place_name() - what is to be said of the options of a quote
 * @place: what they say
 *
 * Return: text.
 */
const char *place_name(enum place place)
{
	static const char *const names[] = {
		[PLACE_NONE] = "none",
		[PLACE_SOUND] = "sound",
		[PLACE_CUT] = "cut",
		[PLACE_STRIPPED] = "options stripped",
		[PLACE_BROKEN] = "no sound route in it",
		[PLACE_OTHER] = "another route in it",
	};

	return names[place];
}

/**
 * doubt_name() - why a datagram is not believed
 * @doubt: the reason
 *
 * Return: text.
 */
const char *doubt_name(enum doubt doubt)
{
	static const char *const names[] = {
		[DOUBT_NONE] = "believed",
		[DOUBT_IP_CHECKSUM] = "wrong checksum of IP",
		[DOUBT_ICMP_CHECKSUM] = "wrong checksum of ICMP",
		[DOUBT_FRAGMENT] = "a fragment",
		[DOUBT_OTHER_HOST] = "a frame for another host",
		[DOUBT_DESTINATION] = "for another address",
		[DOUBT_QUOTED_SOURCE] = "quotes another source",
		[DOUBT_QUOTED_DESTINATION] = "quotes a destination outside the route",
		[DOUBT_QUOTED_TRANSPORT] = "quotes other data",
		[DOUBT_ANSWERER] = "answers from another address",
		[DOUBT_CONTENT] = "answers with other data",
		[DOUBT_PASSING] = "a probe that passes us on its way",
		[DOUBT_ROUTE] = "came back with another route",
		[DOUBT_TYPE] = "says nothing of its fate",
	};

	return names[doubt];
}

/**
 * show_doubts() - say how many datagrams were not believed, and why; and how many copies
 */
void show_doubts(void)
{
	unsigned int i;

	if (settings.json)
		return;
	for (i = DOUBT_NONE + 1; i < DOUBTS; i++)
		if (doubted(i))
			printf("not believed: %u (%s)\n", doubted(i),
			       doubt_name(i));
	if (copied())
		printf("came more than once: %u replies\n", copied());
}

/**
 * show_extension() - print what a router has added to an error
 * @reply: the error
 */
void show_extension(const struct reply *reply)
{
	static const char *const roles[] = {
		"in", "part of in", "out", "next hop",
	};
	const struct extension *more = &reply->extension;
	char text[ADDRESS_TEXT];
	unsigned int i;

	for (i = 0; i < more->n_labels; i++)
		printf("  <MPLS L=%u,E=%u,S=%u,T=%u>", more->labels[i] >> 12,
		       more->labels[i] >> 9 & 7, more->labels[i] >> 8 & 1,
		       more->labels[i] & 0xff);
	for (i = 0; i < more->n_interfaces; i++) {
		const struct interface *one = &more->interfaces[i];

		printf("  <%s", roles[one->role]);
		if (one->name[0])
			printf(" %s", one->name);
		if (one->address)
			printf(" %s", quad(one->address, text));
		if (one->index)
			printf(" index %u", one->index);
		if (one->mtu)
			printf(" MTU %u", one->mtu);
		printf(">");
	}
	if (more->others)
		printf("  <%u other objects>", more->others);
	if (more->broken)
		printf("  [broken extension]");
	if (reply->bad_length)
		printf("  [wrong length of the quote]");
}

/**
 * hops_back() - how long the way of a reply was
 * @reply: the reply
 *
 * Return: hops, if it began with the next of the usual TTLs.
 */
unsigned int hops_back(const struct reply *reply)
{
	static const unsigned int usual[] = { 32, 64, 128, 255 };
	unsigned int i = 0;

	while (usual[i] < reply->ttl)
		i++;
	return usual[i] - reply->ttl + 1;
}

/**
 * output_done() - has all that was printed arrived?
 *
 * Ends the program with EXIT_SYSTEM if the disk is full or nobody reads.
 */
void output_done(void)
{
	bool now = fflush(stdout);

	if (now || ferror(stdout)) {
		fprintf(stderr, "srtrace: standard output: %s\n",
			now ? strerror(errno) : "not all could be written");
		_exit(EXIT_SYSTEM);
	}
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
