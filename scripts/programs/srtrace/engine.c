// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many probes in flight: pace, waiting, asking again.
 *
 * checkpatch: PREFER_KERNEL_TYPES,VOLATILE: this is a program of user space, with signals
 */
#include <signal.h>
#include <string.h>
#include <sys/random.h>

#include "srtrace.h"

#define SERIALS		65536
#define BEHIND		100	/* milliseconds that are made up for */
#define TICK		100	/* milliseconds */
#define IDLE		50	/* milliseconds without anything to wait for */

/* By serial: the last probe that has had it. */
static struct ask *by_serial[SERIALS];
static uint16_t last_serial;
static unsigned int doubts[DOUBTS], copies;
static volatile sig_atomic_t stop;

/* In the order of sending. */
static struct ask *oldest, *newest;
static unsigned int in_flight;
/* The highest TTL of a probe that has expired on the way. */
static unsigned int expired;
/* Those that are to be sent once more. */
static struct ask *again, **again_end = &again;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

/**
 * catch_interrupts() - let Ctrl-C end the work, not the program
 */
void catch_interrupts(void)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESETHAND,
	};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/**
 * engine_stop() - end the work, as Ctrl-C does
 */
void engine_stop(void)
{
	stop = 1;
}

/**
 * interrupted() - has the user asked for an end?
 *
 * Return: true from Ctrl-C on.
 */
bool interrupted(void)
{
	return stop;
}

/**
 * doubted() - datagrams that named a probe of ours and were not believed
 * @doubt: for which reason
 *
 * Return: how many.
 */
unsigned int doubted(enum doubt doubt)
{
	return doubts[doubt];
}

/**
 * copied() - replies that have come once more
 *
 * Return: how many.
 */
unsigned int copied(void)
{
	return copies;
}

/* Random to begin with, so that two runs beside each other differ; never 0. */
static uint16_t next_serial(void)
{
	if (!last_serial &&
	    getrandom(&last_serial, sizeof(last_serial), 0) < 0)
		last_serial = 1;
	do
		last_serial++;
	while (!last_serial ||
	       (by_serial[last_serial] && by_serial[last_serial]->in_flight));
	return last_serial;
}

/**
 * engine_forget() - a probe's memory goes
 * @ask: the probe; nothing that still comes is for it
 */
void engine_forget(struct ask *ask)
{
	if (by_serial[ask->probe.serial] == ask)
		by_serial[ask->probe.serial] = NULL;
}

static void unlink_ask(struct ask *ask)
{
	struct ask *before = NULL, *one;

	for (one = oldest; one != ask; one = one->next)
		before = one;
	if (before)
		before->next = ask->next;
	else
		oldest = ask->next;
	if (newest == ask)
		newest = before;
	ask->next = NULL;
	ask->in_flight = false;
	in_flight--;
}

static void send_ask(struct work *work, struct ask *ask)
{
	int error;

	engine_forget(ask);
	ask->probe.serial = next_serial();
	by_serial[ask->probe.serial] = ask;
	ask->sent++;
	ask->sent_at = now();
	ask->lost_before = wire_lost();
	memset(&ask->reply, 0, sizeof(ask->reply));
	error = wire_send(&ask->probe);
	if (error) {
		ask->reply.outcome = OUTCOME_UNSENT;
		ask->reply.error = error;
		work->done(work, ask);
		return;
	}
	if (work->sent)
		work->sent(work, ask);
	ask->next = NULL;
	if (newest)
		newest->next = ask;
	else
		oldest = ask;
	newest = ask;
	ask->in_flight = true;
	in_flight++;
}

/* Replies that have come while nobody looked are ahead of this. */
static void give_up(struct work *work, struct ask *ask)
{
	unlink_ask(ask);
	ask->waited = now() - ask->sent_at;
	if (ask->sent < ask->tries && !interrupted()) {
		*again_end = ask;
		again_end = &ask->next;
		return;
	}
	if (wire_lost() != ask->lost_before)
		ask->reply.outcome = OUTCOME_UNKNOWN;
	work->done(work, ask);
}

/*
 * UDP that answers UDP may name no probe: the first one that may be meant, and of those
 * rather one that is to go further than any that has expired on the way.
 */
static struct ask *find(const struct reply *reply)
{
	struct ask *ask, *first = NULL;

	if (reply->serial)
		return by_serial[reply->serial];
	for (ask = oldest; ask; ask = ask->next) {
		if (ask->probe.route.to != reply->from)
			continue;
		if (ask->probe.ttl > expired)
			return ask;
		if (!first)
			first = ask;
	}
	return first;
}

static void take_reply(struct work *work, struct reply *reply, double at)
{
	struct ask *ask = find(reply);

	if (!ask)
		return;
	reply_judge(reply, &ask->probe);
	/* Ordinary datagrams to ourselves end here, and are answered. */
	if (reply->doubt == DOUBT_PASSING && !ask->probe.route.gateways &&
	    reply->to == ask->probe.route.to)
		return;
	if (reply->doubt) {
		doubts[reply->doubt]++;
		return;
	}
	reply->rtt = at - ask->sent_at;
	if (reply->rtt < 0)
		reply->rtt = 0;
	if (reply->outcome == OUTCOME_EXPIRED && ask->probe.ttl > expired)
		expired = ask->probe.ttl;
	if (ask->in_flight) {
		unlink_ask(ask);
		ask->reply = *reply;
		work->done(work, ask);
	} else if (ask->reply.outcome != OUTCOME_NONE &&
		   ask->reply.outcome != OUTCOME_UNKNOWN) {
		ask->reply.copies++;
		copies++;
	} else if (work->late) {
		reply->late = true;
		work->late(work, ask, reply);
	}
}

static void receive(struct work *work, double until)
{
	struct reply reply;
	struct ask *ask;
	double at;

	for (;;) {
		switch (wire_receive(&reply, &at, until)) {
		case EVENT_SENT:
			ask = by_serial[reply.serial];
			if (ask && ask->in_flight)
				ask->sent_at = at;
			break;
		case EVENT_REPLY:
			take_reply(work, &reply, at);
			/* There may be something new to send. */
			until = 0;
			break;
		default:
			return;
		}
	}
}

/* When there is no more use in waiting for its reply. */
static double deadline(struct work *work, const struct ask *ask)
{
	return ask->sent_at + (work->patience ? work->patience(work, ask) :
						settings.wait);
}

/* All being waited for as long, that is the one that was sent first. */
static struct ask *first_due(struct work *work)
{
	struct ask *first = oldest, *ask;

	if (!work->patience)
		return first;
	for (ask = oldest; ask; ask = ask->next)
		if (deadline(work, ask) < deadline(work, first))
			first = ask;
	return first;
}

static struct ask *next_ask(struct work *work, double *when)
{
	struct ask *ask = again;

	if (!ask)
		return interrupted() ? NULL : work->next(work, when);
	again = ask->next;
	if (!again)
		again_end = &again;
	return ask;
}

/**
 * engine_run() - send probes and wait for what becomes of them
 * @work: where they come from, who hears of them
 *
 * What has come in is always read before anything is sent or given up, so a
 * schedule that is behind loses no reply.
 *
 * Return: false if the user has ended it.
 */
bool engine_run(struct work *work)
{
	double next_send = now(), next_tick = 0, until, when;
	struct ask *ask, *due;
	bool idle = true;

	for (;;) {
		receive(work, 0);
		if (work->tick && now() >= next_tick) {
			work->tick(work);
			next_tick = now() + TICK;
		}
		while ((due = first_due(work)) &&
		       (now() >= deadline(work, due) || interrupted()))
			give_up(work, due);
		until = due ? deadline(work, due) : now() + IDLE;
		if (work->tick && next_tick < until)
			until = next_tick;
		when = 0;
		if (in_flight >= work->window) {
			idle = true;
			receive(work, until);
			continue;
		}
		if (now() < next_send) {
			receive(work, next_send < until ? next_send : until);
			continue;
		}
		ask = next_ask(work, &when);
		if (ask) {
			/* Time in which there was nothing to send is not missed. */
			if (idle && next_send < now())
				next_send = now();
			idle = false;
			send_ask(work, ask);
			next_send += work->pace;
			/* What was missed is not made up for in one burst. */
			if (next_send < now() - BEHIND)
				next_send = now() - BEHIND;
			continue;
		}
		if (!oldest && !again && !when)
			return !interrupted();
		idle = true;
		if (when && when < until)
			until = when;
		receive(work, until);
	}
}
