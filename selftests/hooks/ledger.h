/* SPDX-License-Identifier: GPL-2.0-only */
/* What was put in, what became of it, and what must not have. */
#ifndef _HOOKS_LEDGER_H
#define _HOOKS_LEDGER_H

#include "datagram.h"

#define WAYS_MAX	32

/**
 * struct tally - sums over the datagrams of a way in
 * @sent: put in
 * @refused: of those, not taken by the kernel: no hook of ours saw them
 * @seen: came to where they are looked at, behind our hooks
 * @changed: of @seen, with other octets than before
 * @never: of @sent, those that the module must not touch
 * @surely: of @sent and not @refused, those that it must own
 * @gone: not @seen, though not @refused; the module may have taken them
 * @copied: also seen by a packet socket
 */
struct tally {
	unsigned long sent, refused, seen, changed, never, surely, gone, copied;
};

/**
 * struct put - a datagram about to be put in
 * @way: which way
 * @claim: may the module own it?
 * @taken: nothing in the kernel refuses it on the way to our hooks
 * @mark: its mark, if it is to be looked at
 * @trimmed: octets that are left of it at our hooks
 * @datagram: it
 */
struct put {
	unsigned int way;
	enum claim claim;
	bool taken;
	u32 mark;
	unsigned int trimmed;
	const struct datagram *datagram;
};

void ledger_begin(bool exact);
u32 ledger_serial(unsigned int way);
bool ledger_knows(u16 ident, unsigned int way);
u32 ledger_resolve(u16 ident);
void ledger_enter(u32 serial, const struct put *put);
bool ledger_see(const u8 *octet, unsigned int len, u32 mark,
		bool once);
void ledger_see_leave(unsigned int way, const u8 *octet, unsigned int len);
void ledger_copy(const u8 *octet, unsigned int len);
bool ledger_is_missing(void);
const struct tally *ledger_close(void);
unsigned long ledger_faults(void);
void ledger_name_way(unsigned int way, const char *name);

#endif
