/* SPDX-License-Identifier: GPL-2.0-only */
/* NFQUEUE, many queues by one socket, many verdicts in one message. */
#ifndef _HOOKS_QUEUE_H
#define _HOOKS_QUEUE_H

#include <stdbool.h>

#include "types.h"

/**
 * struct queued - a datagram that waits for a verdict
 * @queue: number of the queue
 * @id: number of the datagram there
 * @mark: of the datagram
 * @len: its octets
 * @octet: they
 * @large: it is to be cut into several later on
 */
struct queued {
	unsigned int queue;
	u32 id;
	u32 mark;
	unsigned int len;
	const u8 *octet;
	bool large;
};

struct queues;

typedef void (*queue_handler)(const struct queued *queued, void *arg);

struct queues *queues_open(void);
void queues_bind(struct queues *queues, unsigned int number);
void queues_set_gso(struct queues *queues, unsigned int number, bool gso);
void queues_verdict(struct queues *queues, const struct queued *queued,
		    bool accept, const void *instead, unsigned int len,
		    u32 mark);
bool queues_pump(struct queues *queues, queue_handler handle, void *arg,
		 int patience);

/* What queues_verdict() is told where the datagram is to stay as it is. */
#define AS_IT_IS	NULL

#endif
