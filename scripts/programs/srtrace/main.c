// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command line of srtrace(8).
 *
 * checkpatch: PREFER_KERNEL_TYPES,LONG_LINE,LONG_LINE_STRING: this is a program of user space
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "srtrace.h"

#define UDP_PORT	33434
#define TCP_PORT	80

struct settings settings = {
	.probes = 3,
	.first = 1,
	.last = 30,
	.gap = 5,
	.wait = 2000,
	.here = 3,
	.pace = 5,
	.window = 16,
	.rate = 10,
	.every = 1000,
};

struct identity identity;

/* What was on the command line, by letter. */
static bool given[256];
static bool given_patience;

enum mode {
	MODE_TRACE,
	MODE_FLOWS,
	MODE_MTU,
	MODE_LOOP,
	MODE_RECORD,
	MODE_ALIASES,
	MODE_PROBE,
};

static const char *excluded, *resume, *svg, *dot, *html;

static const char usage_text[] =
"usage: srtrace [OPTION...] [-S] [-g GATEWAY]... DESTINATION\n"
"       srtrace [OPTION...] --flows|--mtu [-S] [-g GATEWAY]... DESTINATION\n"
"       srtrace [OPTION...] --loop GATEWAY[,GATEWAY]...\n"
"       srtrace [OPTION...] --record DESTINATION\n"
"       srtrace [OPTION...] --aliases ADDRESS...\n"
"       srtrace [OPTION...] --probe FILE [-d DESTINATION] [-r RATE]\n"
"\n"
"What source routes show of a network:\n"
"  -g GATEWAY[,GATEWAY]...  go by way of it; up to nine, in this order\n"
"  -S           a strict route: each gateway is a neighbour of the one before\n"
"  --flows      all branches of the way, where it is balanced\n"
"  --mtu        how long a datagram may be that is not fragmented\n"
"  --loop       out to a gateway and back to us, the two ways side by side\n"
"  --record     the way as routers record it (Record Route), there and back\n"
"  --times      with --record, the clocks of the first four, too (Timestamp)\n"
"  --aliases    which of these addresses belong to one router\n"
"  --probe      which of the gateways in FILE (- for standard input) forward\n"
"               source routes, refuse them, or say nothing\n"
"\n"
"  --watch      the way, or with --loop both, again and again: h tells the keys\n"
"  --report[=text|json|csv|prometheus]  the same once, after -c rounds\n"
"  -c ROUNDS    how many (10; with --watch, no end)\n"
"  --every SECONDS  a round (1)\n"
"\n"
"  -I -U -T     probe by ICMP echo (default), UDP, or TCP SYN\n"
"  -p PORT      destination port of UDP (33434) or TCP (80)\n"
"  -q PROBES    per hop (3); else, how often the same is asked\n"
"  -f TTL       first hop (1)\n"
"  -m TTL       last hop (30)\n"
"  -w SECONDS[,HERE,NEAR]  to wait for a reply (2); in a trace no longer than HERE (3)\n"
"               times what the same hop took, or NEAR (0: not so) times the next one\n"
"  -z SECONDS   at least, between two probes (0.005)\n"
"  -N PROBES    at most, in flight (16)\n"
"  --gap HOPS   that may be silent in a row (5)\n"
"  -4           IPv4, which alone has source routes\n"
"  -i DEVICE    interface to send by\n"
"  --vrf VRF    VRF to send in\n"
"  -t TOS       type of service (0)\n"
"  -F           not to be fragmented\n"
"  -l OCTETS    length of the datagrams\n"
"  -s ADDRESS   to send from\n"
"  -d ADDRESS   with --probe, where routes lead; without, back to us\n"
"  --svg FILE, --dot FILE, --html FILE  a picture of a way, a loop, branches, aliases\n"
"  --exclude FILE  with --probe, addresses and prefixes that are not asked\n"
"  --resume FILE   with --probe, remembers how far it has come\n"
"  -r RATE      with --probe, probes per second (10)\n"
"  -n           no names\n"
"  -v           the octets of the options, the TTL of replies\n"
"  -j           JSON, an object per line\n"
"  -h, -V       this text; the version\n"
"\n"
"Exit codes: 0 reached, or some forward; 1 not; 2 usage; 3 no privilege;\n"
"4 the system. See srtrace(8).\n";

static const struct option long_options[] = {
	{ "flows", no_argument, NULL, MODE_FLOWS },
	{ "mtu", no_argument, NULL, MODE_MTU },
	{ "loop", no_argument, NULL, MODE_LOOP },
	{ "record", no_argument, NULL, MODE_RECORD },
	{ "aliases", no_argument, NULL, MODE_ALIASES },
	{ "probe", no_argument, NULL, MODE_PROBE },
	{ "watch", no_argument, NULL, 'W' },
	{ "report", optional_argument, NULL, 'P' },
	{ "every", required_argument, NULL, 'E' },
	{ "exclude", required_argument, NULL, 'X' },
	{ "resume", required_argument, NULL, 'Z' },
	{ "svg", required_argument, NULL, 'A' },
	{ "dot", required_argument, NULL, 'B' },
	{ "html", required_argument, NULL, 'C' },
	{ "times", no_argument, NULL, 'D' },
	{ "gap", required_argument, NULL, 'G' },
	{ "vrf", required_argument, NULL, 'R' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ }
};

/* As the user has written it. */
static const char *option_name(char letter)
{
	static char text[32];
	const struct option *one;

	snprintf(text, sizeof(text), "-%c", letter);
	for (one = long_options; one->name && isupper(letter); one++)
		if (one->val == letter)
			snprintf(text, sizeof(text), "--%s", one->name);
	return text;
}

static double read_number(char option, const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= least && value <= most))
		fail(EXIT_USAGE, "%s %s: a number from %g to %g",
		     option_name(option), text, least, most);
	return value;
}

static unsigned int read_whole(char option, const char *text,
			       unsigned int least, unsigned int most)
{
	double value = read_number(option, text, least, most);

	if (value != (unsigned int)value)
		fail(EXIT_USAGE, "%s %s: a whole number", option_name(option),
		     text);
	return value;
}

/* MAX, or MAX,HERE,NEAR as traceroute has it. */
static void read_wait(char *text)
{
	char *here = text, *near;

	settings.wait = 1e3 * read_number('w', strsep(&here, ","), 0.01, 60);
	if (!here)
		return;
	near = here;
	settings.here = read_number('w', strsep(&near, ","), 0, 1000);
	settings.near = near ? read_number('w', near, 0, 1000) : 0;
	given_patience = true;
}

static void add_gateway(struct route *route, const char *name)
{
	if (route->gateways == GATEWAYS_MAX)
		fail(EXIT_USAGE, "-g %s: a route has room for %d gateways",
		     name, GATEWAYS_MAX);
	route->gateway[route->gateways++] = resolve(name);
}

static void add_gateways(struct route *route, char *names)
{
	char *name, *rest = names;

	while ((name = strsep(&rest, ",")))
		add_gateway(route, name);
}

static void set_mode(enum mode *mode, enum mode new)
{
	if (*mode != MODE_TRACE)
		fail(EXIT_USAGE, "one of --flows, --mtu, --loop, --record, --aliases, --probe");
	*mode = new;
}

static enum report report_form(const char *name)
{
	static const char *const names[] = {
		[REPORT_TEXT] = "text", [REPORT_JSON] = "json",
		[REPORT_CSV] = "csv", [REPORT_PROMETHEUS] = "prometheus",
	};
	enum report form;

	for (form = REPORT_TEXT; form <= REPORT_PROMETHEUS; form++)
		if (!name || !strcmp(name, names[form]))
			return form;
	fail(EXIT_USAGE, "--report=%s: text, json, csv or prometheus", name);
}

static void set_option(int option, struct route *route, in_addr_t *to)
{
	switch (option) {
	case 'g':
		add_gateways(route, optarg);
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
		read_wait(optarg);
		break;
	case 'z':
		settings.pace = 1e3 * read_number('z', optarg, 0, 60);
		break;
	case 'N':
		settings.window = read_whole('N', optarg, 1, 1000);
		break;
	case 'A':
		svg = optarg;
		break;
	case 'B':
		dot = optarg;
		break;
	case 'C':
		html = optarg;
		break;
	case 'D':
		settings.times = true;
		break;
	case 'X':
		excluded = optarg;
		break;
	case 'Z':
		resume = optarg;
		break;
	case 'W':
		break;
	case 'P':
		settings.report = report_form(optarg);
		break;
	case 'E':
		settings.every = 1e3 * read_number('E', optarg, 0.1, 3600);
		break;
	case 'c':
		settings.rounds = read_whole('c', optarg, 1, 1000000);
		break;
	case 'G':
		settings.gap = read_whole('G', optarg, 1, 255);
		break;
	case 'i':
		settings.device = optarg;
		break;
	case 'R':
		settings.device = optarg;
		settings.vrf = true;
		break;
	case '4':	/* there is no other */
		break;
	case 't':
		settings.tos = read_whole('t', optarg, 0, 255);
		break;
	case 'F':
		settings.whole = true;
		break;
	case 'l':
		settings.size = read_whole('l', optarg, 28, 65535);
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
		output_done();
		exit(0);
	case 'V':
		puts("srtrace " VERSION);
		output_done();
		exit(0);
	default:	/* getopt has said what */
		fail(EXIT_USAGE, "srtrace -h tells how it is used");
	}
}

#define TO(mode)	(1u << (mode))
#define WAYS		(TO(MODE_TRACE) | TO(MODE_FLOWS) | TO(MODE_MTU))
#define DRAWN		(TO(MODE_TRACE) | TO(MODE_FLOWS) | TO(MODE_LOOP) | TO(MODE_ALIASES))
#define HOPS		(WAYS | TO(MODE_LOOP))

/* Options that have an effect in some of the modes alone. */
static const struct {
	char option;
	unsigned int modes;
} effects[] = {
	{ 'g', WAYS },
	{ 'S', HOPS },
	{ 'U', HOPS },
	{ 'T', HOPS },
	{ 'p', HOPS },
	{ 'f', HOPS },
	{ 'm', HOPS },
	{ 'G', HOPS },
	{ 'l', HOPS },
	{ 'F', HOPS & ~TO(MODE_MTU) },
	{ 'z', HOPS | TO(MODE_ALIASES) },
	{ 'N', (HOPS | TO(MODE_ALIASES)) & ~TO(MODE_MTU) },
	{ 'q', ~TO(MODE_FLOWS) },
	{ 'd', TO(MODE_PROBE) },
	{ 'r', TO(MODE_PROBE) },
	{ 'A', DRAWN },
	{ 'B', DRAWN },
	{ 'C', DRAWN },
	{ 'D', TO(MODE_RECORD) },
	{ 'X', TO(MODE_PROBE) },
	{ 'Z', TO(MODE_PROBE) },
};

/* How long a hop took is known where it is asked several times. */
static void check_patience(bool used)
{
	if (used)
		return;
	if (given_patience)
		fail(EXIT_USAGE, "-w: times of other probes have an effect in a trace alone");
	settings.here = 0;
	settings.near = 0;
}

static void check_rounds(enum mode mode)
{
	bool rounds = given['W'] || given['P'];

	check_patience(mode == MODE_TRACE && !rounds);

	if (given['W'] && given['P'])
		fail(EXIT_USAGE, "--watch or --report, not both");
	if (rounds && mode != MODE_TRACE && mode != MODE_LOOP)
		fail(EXIT_USAGE, "--watch and --report are for a way, or --loop");
	if (!rounds && (given['c'] || given['E']))
		fail(EXIT_USAGE, "-c and --every go with --watch or --report");
	if (rounds && (given['q'] || given['G'] || settings.verbose))
		fail(EXIT_USAGE, "-q, --gap and -v have no effect with --watch or --report");
	if (rounds && (svg || dot || html))
		fail(EXIT_USAGE, "--watch and --report draw no pictures");
	if (settings.json && given['W'])
		fail(EXIT_USAGE, "-j has no effect with --watch");
	if (given['P'] && settings.json)
		settings.report = REPORT_JSON;
	settings.json = settings.json || settings.report == REPORT_JSON;
	if (given['P'] && !settings.rounds)
		settings.rounds = 10;
}

static void check(enum mode mode, const struct route *route, int words)
{
	unsigned int i;

	if (mode == MODE_ALIASES ? words < 1 : words != 1)
		fail(EXIT_USAGE, "%s; srtrace -h tells how it is used",
		     mode == MODE_ALIASES ? "no addresses" :
		     words ? "one word too many" : "no target");
	for (i = 0; i < sizeof(effects) / sizeof(*effects); i++)
		if (given[(unsigned char)effects[i].option] &&
		    !(effects[i].modes & TO(mode)))
			fail(EXIT_USAGE, "%s has no effect here; srtrace -h tells how it is used",
			     option_name(effects[i].option));
	if (TO(mode) & WAYS && settings.strict && !route->gateways)
		fail(EXIT_USAGE, "-S needs a gateway (-g)");
	if (settings.first > settings.last)
		fail(EXIT_USAGE, "-f %u lies behind -m %u", settings.first,
		     settings.last);
	if (settings.kind == KIND_ICMP && settings.port)
		fail(EXIT_USAGE, "-p goes with -U or -T");
	check_rounds(mode);
	if (given['i'] && given['R'])
		fail(EXIT_USAGE, "-i or --vrf, not both");
	if (settings.json && settings.verbose)
		fail(EXIT_USAGE, "-v has no effect with -j, where the octets are");
	if (!settings.port)
		settings.port = settings.kind == KIND_TCP ? TCP_PORT : UDP_PORT;
}

/**
 * gateway_fault() - what is wrong with a gateway
 * @address: its address
 *
 * A route that would lead to ourselves on the way shows nothing of the network.
 *
 * Return: NULL if nothing is.
 */
const char *gateway_fault(in_addr_t address)
{
	uint32_t host = ntohl(address);

	if (host >> 24 == 0 || host >> 24 == 127 || host >> 28 == 0xe ||
	    host == 0xffffffff)
		return "no address that a gateway can have";
	if (wire_is_own(address))
		return "an address of this machine, which cannot be the gateway of a route that it sends";
	return NULL;
}

/* Nobody has it, or many have. With gateways it is not we who have 127/8. */
static void check_destination(in_addr_t address, unsigned int gateways)
{
	uint32_t host = ntohl(address);
	char text[ADDRESS_TEXT];

	if (host >> 24 == 0 || host >> 28 == 0xe || host == 0xffffffff ||
	    (gateways && host >> 24 == 127))
		fail(EXIT_USAGE, "%s: no address that a destination can have",
		     quad(address, text));
}

static void check_gateway(in_addr_t address)
{
	const char *why = gateway_fault(address);
	char text[ADDRESS_TEXT];

	if (why)
		fail(EXIT_USAGE, "%s: %s", quad(address, text), why);
}

static void check_gateways(const struct route *route)
{
	unsigned int i;

	for (i = 0; i < route->gateways; i++)
		check_gateway(route->gateway[i]);
}

static void check_source(void)
{
	char text[ADDRESS_TEXT];

	if (settings.source && !wire_is_own(settings.source))
		fail(EXIT_USAGE, "-s %s: no address of this machine",
		     quad(settings.source, text));
}

/* A socket that gets the number of standard output would get what is printed. */
static void check_output(void)
{
	int fd;

	if (fcntl(STDOUT_FILENO, F_GETFD) < 0)
		fail(EXIT_SYSTEM, "standard output is closed");
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
	signal(SIGPIPE, SIG_IGN);
}

static void choose_identity(void)
{
	if (getrandom(&identity, sizeof(identity), 0) < 0)
		fail(EXIT_SYSTEM, "getrandom: %s", strerror(errno));
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
	for (i = 0; i < n; i++)
		check_gateway(address[i]);
	status = aliases(address, n);
	free(address);
	return status;
}

static int go(const struct route *route, bool loop)
{
	if (given['W'])
		return watch(route, loop);
	if (given['P'])
		return report(route, loop);
	return loop ? show_loop(route) : show_trace(route);
}

static int run(enum mode mode, struct route *route, in_addr_t to, char **words,
	       int n)
{
	switch (mode) {
	case MODE_LOOP:
		add_gateways(route, words[0]);
		check_gateways(route);
		return go(route, true);
	case MODE_RECORD:
		route->to = resolve(words[0]);
		check_destination(route->to, 0);
		return show_record(route->to);
	case MODE_ALIASES:
		return ask_aliases(words, n);
	case MODE_PROBE:
		if (given['d'])
			check_destination(to, 1);
		return scan(words[0], to, excluded);
	case MODE_TRACE:
	case MODE_FLOWS:
	case MODE_MTU:
		break;
	}
	check_gateways(route);
	route->to = resolve(words[0]);
	check_destination(route->to, route->gateways);
	if (mode == MODE_FLOWS)
		return show_flows(route);
	return mode == MODE_MTU ? show_mtu(route) : go(route, false);
}

int main(int argc, char **argv)
{
	struct route route = { .gateways = 0 };
	enum mode mode = MODE_TRACE;
	in_addr_t to = 0;
	int option, status;

	check_output();
	while ((option = getopt_long(argc, argv, "4g:SIUTp:q:c:f:m:w:z:N:s:i:t:Fl:d:r:nvjhV",
				     long_options, NULL)) >= 0) {
		given[option & 0xff] = true;
		if (option > MODE_TRACE && option <= MODE_PROBE)
			set_mode(&mode, option);
		else
			set_option(option, &route, &to);
	}
	argv += optind;
	argc -= optind;
	check(mode, &route, argc);
	settings.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");

	choose_identity();
	wire_open();
	if (resume)
		scan_resume(resume);
	picture_open(svg, dot, html);
	cage();
	check_source();
	catch_interrupts();
	status = run(mode, &route, to, argv, argc);
	picture_done();
	output_done();
	return status;
}
