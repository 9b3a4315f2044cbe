// SPDX-License-Identifier: GPL-2.0-only
/* What was put in and what came out; see ledger.h. */
#include <stdio.h>
#include <string.h>

#include "ledger.h"

/*
 * A datagram is told by its identification, which nothing changes. So there are
 * fewer of them in a phase than identifications; 0 is none, as the kernel gives
 * such a datagram another.
 */
#define ENTRIES		65536
#define SHOWN		64	/* octets of it that are kept, to be shown */
#define REPORTS_MAX	20

struct entry {
	u32 serial;
	u32 mark;
	u8 way;
	u8 claim;
	bool entered;	/* else its carrier is still on the way */
	bool taken;
	bool seen;
	u16 len, trimmed;
	u64 hash, trimmed_hash;
	u8 head[SHOWN];
};

static struct entry entries[ENTRIES];
static struct tally tallies[WAYS_MAX];
static const char *names[WAYS_MAX];
static u32 next_serial = 1, first_serial;
static unsigned long faults;
static bool swallow_nothing;

void ledger_name_way(unsigned int way, const char *name)
{
	names[way] = name;
}

/**
 * ledger_begin() - forget what was, for a new phase
 * @exact: nothing but the module takes a datagram away
 */
void ledger_begin(bool exact)
{
	memset(entries, 0, sizeof(entries));
	memset(tallies, 0, sizeof(tallies));
	first_serial = next_serial;
	faults = 0;
	swallow_nothing = exact;
}

static void print_octets(const u8 *octet, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len && i < SHOWN; i++)
		printf("%02x", octet[i]);
	if (len > SHOWN)
		printf("... (%u octets)", len);
}

static void report(const struct entry *entry, const char *what,
		   const u8 *octet, unsigned int len)
{
	if (faults++ >= REPORTS_MAX)
		return;
	printf("fault %s, datagram %u: %s: ", names[entry->way], entry->serial,
	       what);
	print_octets(entry->head, entry->len);
	if (octet) {
		printf(" -> ");
		print_octets(octet, len);
	}
	printf("\n");
	fflush(stdout);
}

/* A number for a datagram that is about to be made. */
u32 ledger_serial(unsigned int way)
{
	struct entry *entry;

	if (!(next_serial % ENTRIES))
		next_serial++;
	entry = &entries[next_serial % ENTRIES];
	memset(entry, 0, sizeof(*entry));
	entry->serial = next_serial;
	entry->way = way;
	return next_serial++;
}

/* Is it the carrier of a datagram that is still to be put in? */
bool ledger_knows(u16 ident, unsigned int way)
{
	const struct entry *entry = &entries[ident];

	return entry->serial && entry->way == way && !entry->entered;
}

u32 ledger_resolve(u16 ident)
{
	return entries[ident].serial;
}

void ledger_enter(u32 serial, const struct put *put)
{
	const struct datagram *d = put->datagram;
	struct entry *entry = &entries[serial % ENTRIES];
	struct tally *tally = &tallies[put->way];

	entry->entered = true;
	entry->mark = put->mark;
	entry->claim = put->claim;
	entry->taken = put->taken;
	entry->len = d->len;
	entry->trimmed = put->trimmed;
	entry->hash = datagram_hash(d->octet, d->len);
	entry->trimmed_hash = put->trimmed == d->len ? entry->hash :
			      datagram_hash(d->octet, put->trimmed);
	memcpy(entry->head, d->octet, d->len < SHOWN ? d->len : SHOWN);
	tally->sent++;
	tally->never += put->claim == NEVER;
	tally->refused += !put->taken;
	tally->surely += put->taken && put->claim == SURELY;
}

/* What is shorter than that has its mark alone. */
static struct entry *find(const u8 *octet, unsigned int len, u32 mark)
{
	struct entry *entry;

	if (len < IDENT + 2)
		entry = &entries[mark % ENTRIES];
	else
		entry = &entries[octet[IDENT] << 8 | octet[IDENT + 1]];
	return entry->entered ? entry : NULL;
}

static void see(struct entry *entry, const u8 *octet, unsigned int len,
		u32 mark, bool once)
{
	struct tally *tally = &tallies[entry->way];
	bool same;

	same = len == entry->trimmed &&
	       datagram_hash(octet, len) == entry->trimmed_hash;
	if (!same && entry->claim == NEVER && swallow_nothing)
		report(entry, "not ours, but changed", octet, len);
	if (same && entry->claim == NEVER && mark != entry->mark)
		report(entry, "not ours, but marked", octet, len);
	if (entry->seen && once && swallow_nothing)
		report(entry, "seen twice", octet, len);
	if (!entry->taken) {
		/* The kernel takes more than we thought. */
		entry->taken = true;
		tally->refused--;
	}
	if (!entry->seen) {
		tally->seen++;
		tally->changed += !same;
	}
	entry->seen = true;
}

/**
 * ledger_see() - look at a datagram behind our hooks
 * @octet: of it
 * @len: how many
 * @mark: its mark
 * @once: there are no copies of it
 *
 * Return: false if it is none of those that were put in.
 */
bool ledger_see(const u8 *octet, unsigned int len, u32 mark,
		bool once)
{
	struct entry *entry = find(octet, len, mark);

	if (entry)
		see(entry, octet, len, mark, once);
	return entry;
}

/**
 * ledger_see_leave() - look at a datagram on its way out
 * @way: by which it must have come, or it is passed over
 * @octet: of it
 * @len: how many
 */
void ledger_see_leave(unsigned int way, const u8 *octet, unsigned int len)
{
	struct entry *entry = find(octet, len, 0);

	if (entry && entry->way == way)
		see(entry, octet, len, entry->mark, false);
}

/**
 * ledger_copy() - look at what a packet socket has got of a datagram
 * @octet: of it
 * @len: how many
 */
void ledger_copy(const u8 *octet, unsigned int len)
{
	struct entry *entry = find(octet, len, 0);

	if (!entry)
		return;
	tallies[entry->way].copied++;
	if (len != entry->len || datagram_hash(octet, len) != entry->hash)
		report(entry, "a packet socket's copy has changed", octet, len);
}

static bool is_missing(const struct entry *entry)
{
	return entry->entered && entry->taken && !entry->seen &&
	       entry->claim == NEVER;
}

/* Is there one that the module cannot have taken, and is still to come? */
bool ledger_is_missing(void)
{
	u32 serial;

	for (serial = first_serial; serial < next_serial; serial++)
		if (is_missing(&entries[serial % ENTRIES]))
			return true;
	return false;
}

/**
 * ledger_close() - the phase is over
 *
 * Return: the tallies, by way.
 */
const struct tally *ledger_close(void)
{
	const struct entry *entry;
	u32 serial;

	for (serial = first_serial; serial < next_serial; serial++) {
		entry = &entries[serial % ENTRIES];
		if (!entry->entered || entry->seen || !entry->taken)
			continue;
		tallies[entry->way].gone++;
		if (is_missing(entry) && swallow_nothing)
			report(entry, "not ours, but gone", NULL, 0);
	}
	return tallies;
}

unsigned long ledger_faults(void)
{
	return faults;
}
