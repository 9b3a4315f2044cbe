// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of many gateways forward source routes, refuse them, or stay silent?
 *
 * checkpatch: PREFER_KERNEL_TYPES,LONG_LINE_STRING: this is a program of user space
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "srtrace.h"

#define TTL		64
#define WINDOW		16384	/* probes in flight, a quarter of their serials */
#define AT_ONCE		8192	/* gateways that are asked at a time */
#define LONG_LIST	20	/* gateways that progress is shown from */
#define APART		1000.0	/* milliseconds between two probes to a gateway */
#define RECENT		65536	/* more than are sent in that time */
#define PLACES		32	/* that an address may have among them */

/**
 * struct target - a gateway while it is asked
 * @address: its address
 * @line: of the file
 * @ask: what is sent to it, first by way of it, then to it
 * @through: what has become of the first
 * @sent: how often it was asked to forward
 * @tries: how often the same has been sent
 * @pings: it is sent an ordinary echo, since it does not forward
 * @due: when it may be sent something again
 * @after: the next one that waits for that
 * @older: the one before it in the file, of those that are asked
 * @newer: the one behind it
 */
struct target {
	in_addr_t address;
	unsigned int line;
	struct ask ask;
	struct reply through;
	unsigned int sent;
	unsigned int tries;
	bool pings;
	double due;
	struct target *after;
	struct target *older;
	struct target *newer;
};

struct count {
	unsigned int forward;
	unsigned int refuse;
	unsigned int silent;
	unsigned int alive;	/* silent, but there */
	unsigned int unknown;
	unsigned int excluded;
	unsigned int skipped;	/* lines that name no gateway */
};

struct prefix {
	uint32_t address;
	uint32_t mask;
};

/* When something was last sent to an address, by its hash. */
struct recent {
	in_addr_t address;
	double at;
};

/**
 * struct scan - while it goes on
 * @work: the engine's
 * @path: the list
 * @file: ... as it is read
 * @line: the line that was read last
 * @n: gateways in it, 0 if that is not known
 * @begun: gateways that have been asked
 * @ended: ... of which there is a verdict
 * @eof: it has been read
 * @to: where the routes lead; 0 for back to us
 * @oldest: the first in the file of those that are asked
 * @newest: the last
 * @first: waits to be sent something again; in the order of that time
 * @last: the last of these
 * @held: the next of the file, whose address was sent something just now
 * @excluded: what is not to be asked
 * @n_excluded: how many
 * @state: file that is resumed from, or -1
 * @kept: when it was written
 * @recent: times of sending
 * @count: of verdicts
 * @started: when it has begun
 * @said: when progress was shown
 * @shown: it is on the screen
 */
struct scan {
	struct work work;
	const char *path;
	FILE *file;
	unsigned int line;
	unsigned int n;
	unsigned int begun;
	unsigned int ended;
	bool eof;
	in_addr_t to;
	struct target *oldest;
	struct target *newest;
	struct target *first;
	struct target *last;
	struct target *held;
	struct prefix *excluded;
	unsigned int n_excluded;
	int state;
	double kept;
	struct recent *recent;
	struct count count;
	double started;
	double said;
	bool shown;
};

/* The first word of a line; what follows a # does not count. */
static char *first_word(char *line)
{
	line[strcspn(line, "#\n")] = 0;
	return strtok(line, " \t\r");
}

/* What is wrong with the gateway of a line; NULL if nothing is. */
static const char *read_gateway(const char *word, in_addr_t *address)
{
	const char *why;

	if (!look_up(word, address, &why))
		return why;
	return gateway_fault(*address);
}

/*
 * A file is read twice: once to say what is wrong with it before anything is sent, and
 * to know how much there is; and while it is asked, so that it may be as long as it
 * likes.
 */
static void look_through(struct scan *scan)
{
	unsigned int number = 0;
	struct stat about;
	in_addr_t address;
	char *line = NULL;
	const char *why;
	size_t size = 0;
	char *word;

	if (fstat(fileno(scan->file), &about) || !S_ISREG(about.st_mode))
		return;
	while (getline(&line, &size, scan->file) >= 0) {
		number++;
		word = first_word(line);
		if (!word || number <= scan->line)
			continue;
		why = read_gateway(word, &address);
		if (why)
			fail(EXIT_USAGE, "%s, line %u: %s: %s", scan->path,
			     number, word, why);
		scan->n++;
	}
	free(line);
	if (!scan->n && !scan->line)
		fail(EXIT_USAGE, "%s: no gateway in it", scan->path);
	rewind(scan->file);
}

static bool read_prefix(char *word, struct prefix *prefix)
{
	char *slash = strchr(word, '/'), *end;
	unsigned long length = 32;
	struct in_addr address;

	if (slash) {
		*slash++ = 0;
		length = strtoul(slash, &end, 10);
		if (end == slash || *end || length > 32)
			return false;
	}
	if (!inet_aton(word, &address))
		return false;
	prefix->mask = length ? 0xffffffff << (32 - length) : 0;
	prefix->address = ntohl(address.s_addr) & prefix->mask;
	return true;
}

static void read_excluded(struct scan *scan, const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int number = 0;
	char *line = NULL, *word;
	size_t size = 0;

	if (!file)
		fail(EXIT_USAGE, "%s: %s", path, strerror(errno));
	while (getline(&line, &size, file) >= 0) {
		number++;
		word = first_word(line);
		if (!word)
			continue;
		scan->excluded = realloc(scan->excluded,
					 (scan->n_excluded + 1) *
					 sizeof(*scan->excluded));
		if (!scan->excluded)
			fail(EXIT_SYSTEM, "out of memory");
		if (!read_prefix(word, &scan->excluded[scan->n_excluded++]))
			fail(EXIT_USAGE, "%s, line %u: %s: no address and no prefix",
			     path, number, word);
	}
	free(line);
	fclose(file);
}

static bool is_excluded(const struct scan *scan, in_addr_t address)
{
	unsigned int i;

	for (i = 0; i < scan->n_excluded; i++)
		if ((ntohl(address) & scan->excluded[i].mask) ==
		    scan->excluded[i].address)
			return true;
	return false;
}

static int state_file = -1;

/**
 * scan_resume() - open the file that says how far the list has been asked
 * @path: its name; it is made if it is not there
 *
 * Ahead of cage(), which allows no writing of files that are not open.
 */
void scan_resume(const char *path)
{
	state_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (state_file < 0)
		fail(EXIT_USAGE, "%s: %s", path, strerror(errno));
}

static void read_state(struct scan *scan)
{
	char text[32] = "";

	scan->state = state_file;
	if (scan->state < 0 ||
	    pread(scan->state, text, sizeof(text) - 1, 0) <= 0)
		return;
	if (sscanf(text, "line %u\n", &scan->line) != 1)
		fail(EXIT_USAGE, "the file of --resume is no such file");
}

/* All lines up to this have their verdict. */
static void keep_state(struct scan *scan)
{
	unsigned int line = scan->oldest ? scan->oldest->line - 1 : scan->line;
	char text[32];
	int len;

	scan->kept = now();
	if (scan->state < 0)
		return;
	len = snprintf(text, sizeof(text), "line %u\n", line);
	if (pwrite(scan->state, text, len, 0) != len ||
	    ftruncate(scan->state, len))
		fail(EXIT_SYSTEM, "the file of --resume: %s", strerror(errno));
}

/*
 * Where it is kept when something was last sent to an address. All the places are looked
 * at that it may have, since those before it may have become free meanwhile.
 */
static struct recent *recent_of(struct scan *scan, in_addr_t address)
{
	unsigned int at = (ntohl(address) * 2654435761u) >> 16, i;
	struct recent *oldest = &scan->recent[at];

	for (i = 0; i < PLACES; i++) {
		struct recent *one = &scan->recent[(at + i) % RECENT];

		if (one->address == address)
			return one;
		if (one->at < oldest->at)
			oldest = one;
	}
	return oldest;
}

/* When something may be sent to an address: a list may name it twice. */
static double allowed(struct scan *scan, in_addr_t address)
{
	const struct recent *recent = recent_of(scan, address);

	return recent->address == address ? recent->at + APART : 0;
}

/* Both lists lose it. */
static void forget(struct scan *scan, struct target *target)
{
	if (target->older)
		target->older->newer = target->newer;
	else
		scan->oldest = target->newer;
	if (target->newer)
		target->newer->older = target->older;
	else
		scan->newest = target->older;
	engine_forget(&target->ask);
	free(target);
}

static struct target *new_target(struct scan *scan, in_addr_t address)
{
	struct target *target = calloc(1, sizeof(*target));

	if (!target)
		fail(EXIT_SYSTEM, "out of memory");
	target->address = address;
	target->line = scan->line;
	target->older = scan->newest;
	if (scan->newest)
		scan->newest->newer = target;
	else
		scan->oldest = target;
	scan->newest = target;
	scan->begun++;
	return target;
}

static struct target *next_target(struct scan *scan)
{
	static char *line;
	static size_t size;
	in_addr_t address;
	const char *why;
	char *word;

	while (!scan->eof && getline(&line, &size, scan->file) >= 0) {
		scan->line++;
		word = first_word(line);
		if (!word)
			continue;
		why = read_gateway(word, &address);
		if (why) {
			fprintf(stderr, "srtrace: %s, line %u: %s: %s\n",
				scan->path, scan->line, word, why);
			scan->count.skipped++;
		} else if (is_excluded(scan, address)) {
			scan->count.excluded++;
		} else {
			return new_target(scan, address);
		}
	}
	scan->eof = true;
	return NULL;
}

static struct ask *prepare(struct scan *scan, struct target *target)
{
	bool straight = target->pings;
	struct ask *ask = &target->ask;
	in_addr_t self = 0;
	int error;

	wire_try_source(target->address, &self, &error);
	ask->probe = (struct probe){
		.route = { .gateway = { target->address },
			   .gateways = !straight,
			   .to = straight ? target->address :
				 scan->to ? scan->to : self },
		.ttl = TTL, .from = self, .serial = ask->probe.serial,
	};
	ask->tries = 1;
	ask->sent = 0;
	ask->of = target;
	target->tries++;
	target->sent += !straight;
	return ask;
}

static void sent(struct work *work, struct ask *ask)
{
	const struct target *target = ask->of;
	struct recent *recent = recent_of((struct scan *)work, target->address);

	recent->address = target->address;
	recent->at = now();
}

static void progress(struct scan *scan)
{
	unsigned int left;

	if ((scan->n && scan->n < LONG_LIST) || !isatty(STDERR_FILENO) ||
	    now() < scan->said + 1e3)
		return;
	scan->said = now();
	fprintf(stderr, "\r%u", scan->ended);
	if (scan->n && scan->ended) {
		left = (now() - scan->started) / 1e3 *
			(scan->n - scan->ended) / scan->ended;
		fprintf(stderr, " of %u asked, %u:%02u left", scan->n,
			left / 60, left % 60);
	} else {
		fprintf(stderr, " asked");
	}
	fprintf(stderr, ", %u forward", scan->count.forward);
	scan->shown = true;
}

static void hide_progress(struct scan *scan)
{
	if (scan->shown)
		fprintf(stderr, "\r%-60s\r", "");
	scan->shown = false;
}

/* Not before @due; the others go on meanwhile. */
static void later(struct scan *scan, struct target *target, double due)
{
	target->due = due;
	target->after = NULL;
	if (scan->last)
		scan->last->after = target;
	else
		scan->first = target;
	scan->last = target;
}

static struct target *again(struct scan *scan)
{
	struct target *target;
	double due;

	while ((target = scan->first) && now() >= target->due) {
		scan->first = target->after;
		if (!scan->first)
			scan->last = NULL;
		due = allowed(scan, target->address);
		if (now() >= due)
			return target;
		later(scan, target, due);
	}
	return NULL;
}

static void sooner(double *when, double at)
{
	if (!*when || at < *when)
		*when = at;
}

static struct ask *next(struct work *work, double *when)
{
	struct scan *scan = (struct scan *)work;
	struct target *target = again(scan);
	double due;

	progress(scan);
	if (now() >= scan->kept + APART)
		keep_state(scan);
	if (target)
		return prepare(scan, target);
	target = scan->held;
	scan->held = NULL;
	if (!target && scan->begun - scan->ended < AT_ONCE)
		target = next_target(scan);
	if (target) {
		due = allowed(scan, target->address);
		if (now() >= due)
			return prepare(scan, target);
		scan->held = target;
		sooner(when, due);
	}
	if (scan->first)
		sooner(when, scan->first->due);
	return NULL;
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

static bool forwards(const struct reply *reply)
{
	return reply->outcome == OUTCOME_ANSWERED ||
	       reply->outcome == OUTCOME_RETURNED;
}

static const char *judge(const struct target *target, struct count *count)
{
	const struct reply *reply = &target->through;

	if (forwards(reply)) {
		count->forward++;
		return "forwards";
	}
	if (is_refusal(reply)) {
		count->refuse++;
		return "refuses";
	}
	if (reply->outcome == OUTCOME_UNKNOWN ||
	    (interrupted() && reply->outcome == OUTCOME_NONE)) {
		count->unknown++;
		return "unknown";
	}
	if (reply->outcome == OUTCOME_UNSENT) {
		count->unknown++;
		return "unsent";
	}
	count->silent++;
	count->alive += target->ask.reply.outcome == OUTCOME_ANSWERED;
	return "silent";
}

static void tell_json(const struct target *target, const char *verdict)
{
	struct json_object *line = json_line("gateway");

	json_object_object_add(line, "gateway", json_address(target->address));
	json_object_object_add(line, "verdict", json_object_new_string(verdict));
	if (target->pings)
		json_object_object_add(line, "answers_ping",
				       json_object_new_boolean(target->ask.reply.outcome ==
							       OUTCOME_ANSWERED));
	json_add_int(line, "sent", target->sent);
	json_add_reply(line, &target->through);
	json_print(line);
}

static void tell(struct scan *scan, const struct target *target)
{
	const char *verdict = judge(target, &scan->count);
	const struct reply *reply = &target->through;
	char from[ADDRESS_TEXT];

	scan->ended++;
	if (settings.json) {
		tell_json(target, verdict);
		return;
	}
	hide_progress(scan);
	printf("%s%-8s%s", paint(*verdict == 'f' ? "32" :
				 *verdict == 'r' ? "31" : "33"),
	       verdict, paint("0"));
	show_host(target->address);
	if (forwards(reply))
		printf("  %.3f ms", reply->rtt);
	if (reply->outcome == OUTCOME_UNSENT)
		printf("  %s", strerror(reply->error));
	if (target->pings)
		printf(target->ask.reply.outcome == OUTCOME_ANSWERED ?
		       "  answers ping" : "  does not answer ping");
	if (!forwards(reply) && reply->type)
		printf("  %s from %s", error_name(reply),
		       quad(reply->from, from));
	if (settings.verbose && reply->options_len) {
		printf("  ");
		show_area(reply->options, reply->options_len);
	}
	printf("\n");
	output_done();
}

static bool is_silence(const struct reply *reply)
{
	return reply->outcome == OUTCOME_NONE ||
	       reply->outcome == OUTCOME_UNKNOWN ||
	       reply->outcome == OUTCOME_UNSENT;
}

/* An echo tells a gateway that says nothing from one that is not there. */
static void done(struct work *work, struct ask *ask)
{
	struct scan *scan = (struct scan *)work;
	struct target *target = ask->of;
	const struct reply *reply = &ask->reply;

	if (is_silence(reply) && target->tries < settings.probes &&
	    !interrupted()) {
		later(scan, target, ask->sent_at + APART);
		return;
	}
	if (!target->pings) {
		target->through = *reply;
		if (!interrupted() && !forwards(reply) &&
		    reply->outcome != OUTCOME_UNSENT) {
			target->pings = true;
			target->tries = 0;
			later(scan, target, ask->sent_at + APART);
			return;
		}
	}
	tell(scan, target);
	forget(scan, target);
}

/* Those that wait to be asked again when the user ends it. */
static void tell_rest(struct scan *scan)
{
	while (scan->oldest) {
		if (scan->oldest->sent)
			tell(scan, scan->oldest);
		else
			scan->begun--;
		forget(scan, scan->oldest);
	}
}

static void conclude(struct scan *scan, bool whole)
{
	const struct count *count = &scan->count;
	unsigned int n = scan->n ? scan->n - count->excluded : scan->begun;
	struct json_object *line;

	hide_progress(scan);
	if (!settings.json) {
		printf("%u of %u forward (%.1f %%), %u refuse, %u silent, of whom %u answer ping",
		       count->forward, n, n ? 100.0 * count->forward / n : 0.0,
		       count->refuse, count->silent, count->alive);
		if (count->unknown)
			printf(", %u unknown", count->unknown);
		if (count->excluded)
			printf(", %u excluded", count->excluded);
		if (count->skipped)
			printf(", %u lines skipped", count->skipped);
		if (scan->ended < n)
			printf(", %u not asked to the end", n - scan->ended);
		printf("\n");
	}
	line = json_line("end");
	json_add_int(line, "forward", count->forward);
	json_add_int(line, "refuse", count->refuse);
	json_add_int(line, "silent", count->silent);
	json_add_int(line, "unknown", count->unknown);
	json_add_int(line, "excluded", count->excluded);
	json_add_int(line, "skipped", count->skipped);
	json_add_int(line, "not_asked", n - scan->ended);
	json_end(line, count->forward ? "some forward" :
		 count->unknown || !whole ? "unknown" : "none forwards",
		 !whole ? "interrupted" : count->unknown && !count->forward ?
		 "of some it is not known" : "all have been asked");
	show_doubts();
}

/**
 * scan() - ask gateways, one after the other, to forward a source route
 * @path: a file with a gateway per line, "-" for standard input
 * @to: where the routes lead through them; 0 for back to us
 * @excluded: a file with addresses and prefixes that are not to be asked, or NULL
 *
 * Return: exit code; EXIT_NOT_REACHED if none forwards.
 */
int scan(const char *path, in_addr_t to, const char *excluded)
{
	struct scan scan = {
		.work = { .next = next, .sent = sent, .done = done,
			  .pace = 1e3 / settings.rate, .window = WINDOW },
		.path = path,
		.file = strcmp(path, "-") ? fopen(path, "r") : stdin,
		.to = to,
		.recent = calloc(RECENT, sizeof(struct recent)),
		.started = now(),
		.kept = now(),
	};
	unsigned int skip;
	char *line = NULL;
	size_t size = 0;
	bool whole;

	if (!scan.recent)
		fail(EXIT_SYSTEM, "out of memory");
	if (!scan.file)
		fail(EXIT_USAGE, "%s: %s", path, strerror(errno));
	if (excluded)
		read_excluded(&scan, excluded);
	read_state(&scan);
	look_through(&scan);
	for (skip = 0; skip < scan.line; skip++)
		if (getline(&line, &size, scan.file) < 0)
			break;
	free(line);
	json_start("probe", NULL, 0);
	whole = engine_run(&scan.work);
	/* Those that have no verdict yet are asked again when it is resumed. */
	keep_state(&scan);
	if (!whole)
		tell_rest(&scan);
	conclude(&scan, whole);
	free(scan.recent);
	free(scan.excluded);
	if (scan.file != stdin)
		fclose(scan.file);
	return scan.count.forward ? EXIT_REACHED : EXIT_NOT_REACHED;
}
