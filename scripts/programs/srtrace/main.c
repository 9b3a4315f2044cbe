// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command line of srtrace(8).
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "srtrace.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

#define UDP_PORT	33434
#define TCP_PORT	80

struct settings settings = {
	.probes = 3,
	.first = 1,
	.last = 30,
	.wait = 2000,
	.rate = 10,
};

enum mode {
	MODE_TRACE,
	MODE_LOOP,
	MODE_RECORD,
	MODE_ALIASES,
	MODE_PROBE,
};

static const char usage_text[] =
"usage: srtrace [OPTION...] [-S] [-g GATEWAY]... DESTINATION\n"
"       srtrace [OPTION...] --loop GATEWAY\n"
"       srtrace [OPTION...] --record DESTINATION\n"
"       srtrace [OPTION...] --aliases ADDRESS...\n"
"       srtrace [OPTION...] --probe FILE [-d DESTINATION] [-r RATE]\n"
"\n"
"What source routes show of a network:\n"
"  -g GATEWAY   go by way of it; up to eight, in this order\n"
"  -S           a strict route: each gateway is a neighbour of the one before\n"
"  --loop       out to a gateway and back to us, the two ways side by side\n"
"  --record     the way as routers record it (Record Route), there and back\n"
"  --aliases    which of these addresses belong to one router\n"
"  --probe      which of the gateways in FILE (- for standard input) forward\n"
"               source routes, refuse them, or say nothing\n"
"\n"
"  -I -U -T     probe by ICMP echo (default), UDP, or TCP SYN\n"
"  -p PORT      for UDP the first one (33434), for TCP the one (80)\n"
"  -q PROBES    per hop (3)\n"
"  -f TTL       first hop (1)\n"
"  -m TTL       last hop (30)\n"
"  -w SECONDS   to wait for a reply (2)\n"
"  -s ADDRESS   to send from\n"
"  -d ADDRESS   with --probe, where routes lead; without, back to us\n"
"  -r RATE      with --probe, gateways per second (10)\n"
"  -n           no names\n"
"  -v           the octets of the options\n"
"  -j           JSON\n"
"  -h, -V       this text; the version\n"
"\n"
"Exit codes: 0 reached, or some forward; 1 not; 2 usage; 3 no privilege;\n"
"4 the system. See srtrace(8).\n";

static double read_number(char option, const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= least && value <= most))
		fail(EXIT_USAGE, "-%c %s: a number from %g to %g", option, text,
		     least, most);
	return value;
}

static unsigned int read_whole(char option, const char *text,
			       unsigned int least, unsigned int most)
{
	double value = read_number(option, text, least, most);

	if (value != (unsigned int)value)
		fail(EXIT_USAGE, "-%c %s: a whole number", option, text);
	return value;
}

static void add_gateway(struct route *route, const char *name)
{
	if (route->gateways == GATEWAYS_MAX)
		fail(EXIT_USAGE, "-g %s: a route has room for %d gateways",
		     name, GATEWAYS_MAX);
	route->gateway[route->gateways++] = resolve(name);
}

static const struct option long_options[] = {
	{ "loop", no_argument, NULL, MODE_LOOP },
	{ "record", no_argument, NULL, MODE_RECORD },
	{ "aliases", no_argument, NULL, MODE_ALIASES },
	{ "probe", no_argument, NULL, MODE_PROBE },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ }
};

static void set_mode(enum mode *mode, enum mode new)
{
	if (*mode != MODE_TRACE)
		fail(EXIT_USAGE, "one of --loop, --record, --aliases, --probe");
	*mode = new;
}

static void set_option(int option, struct route *route, in_addr_t *to)
{
	switch (option) {
	case 'g':
		add_gateway(route, optarg);
		break;
	case 'd':
		*to = resolve(optarg);
		break;
	case 's':
		settings.source = resolve(optarg);
		break;
	case 'S':
		settings.strict = true;
		break;
	case 'I':
		settings.kind = KIND_ICMP;
		break;
	case 'U':
		settings.kind = KIND_UDP;
		break;
	case 'T':
		settings.kind = KIND_TCP;
		break;
	case 'p':
		settings.port = read_whole('p', optarg, 1, 65535);
		break;
	case 'q':
		settings.probes = read_whole('q', optarg, 1, 10);
		break;
	case 'f':
		settings.first = read_whole('f', optarg, 1, 255);
		break;
	case 'm':
		settings.last = read_whole('m', optarg, 1, 255);
		break;
	case 'w':
		settings.wait = 1e3 * read_number('w', optarg, 0.01, 60);
		break;
	case 'r':
		settings.rate = read_number('r', optarg, 0.01, 10000);
		break;
	case 'n':
		settings.numeric = true;
		break;
	case 'v':
		settings.verbose = true;
		break;
	case 'j':
		settings.json = true;
		break;
	case 'h':
		fputs(usage_text, stdout);
		exit(0);
	case 'V':
		puts("srtrace " VERSION);
		exit(0);
	default:	/* getopt has said what */
		fail(EXIT_USAGE, "srtrace -h tells how it is used");
	}
}

static void check(enum mode mode, const struct route *route, in_addr_t to,
		  int words)
{
	if (mode == MODE_ALIASES ? words < 1 : words != 1)
		fail(EXIT_USAGE, "%s; srtrace -h tells how it is used",
		     mode == MODE_ALIASES ? "which addresses?" :
		     words ? "one word too many" : "whereto?");
	if (mode != MODE_TRACE && (route->gateways || settings.strict))
		fail(EXIT_USAGE, "-g and -S are for a trace alone");
	if (mode != MODE_PROBE && to)
		fail(EXIT_USAGE, "-d goes with --probe");
	if (mode != MODE_TRACE && settings.kind != KIND_ICMP)
		fail(EXIT_USAGE, "-U and -T are for a trace alone");
	if (settings.strict && !route->gateways)
		fail(EXIT_USAGE, "-S needs a gateway (-g)");
	if (settings.first > settings.last)
		fail(EXIT_USAGE, "-f %u lies behind -m %u", settings.first,
		     settings.last);
	if (settings.kind == KIND_ICMP && settings.port)
		fail(EXIT_USAGE, "-p goes with -U or -T");
	if (!settings.port)
		settings.port = settings.kind == KIND_TCP ? TCP_PORT : UDP_PORT;
}

static int ask_aliases(char **names, unsigned int n)
{
	in_addr_t *address = calloc(n, sizeof(*address));
	unsigned int i;
	int status;

	if (!address)
		fail(EXIT_SYSTEM, "out of memory");
	for (i = 0; i < n; i++)
		address[i] = resolve(names[i]);
	status = aliases(address, n);
	free(address);
	return status;
}

int main(int argc, char **argv)
{
	struct route route = { .gateways = 0 };
	enum mode mode = MODE_TRACE;
	in_addr_t to = 0;
	int option;

	while ((option = getopt_long(argc, argv, "g:SIUTp:q:f:m:w:s:d:r:nvjhV",
				     long_options, NULL)) >= 0) {
		if (option >= MODE_LOOP && option <= MODE_PROBE)
			set_mode(&mode, option);
		else
			set_option(option, &route, &to);
	}
	argv += optind;
	argc -= optind;
	check(mode, &route, to, argc);
	settings.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");

	wire_open();
	switch (mode) {
	case MODE_LOOP:
		return loop(resolve(argv[0]));
	case MODE_RECORD:
		return show_record(resolve(argv[0]));
	case MODE_ALIASES:
		return ask_aliases(argv, argc);
	case MODE_PROBE:
		return scan(argv[0], to);
	case MODE_TRACE:
		break;
	}
	route.to = resolve(argv[0]);
	return trace(&route);
}
