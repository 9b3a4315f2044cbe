// SPDX-License-Identifier: GPL-2.0-only
/*
 * Throw datagrams at the hooks of the network namespace that it is started in:
 * by devices, by tunnels, by raw sockets, and out of queues in the place of
 * others. What comes out behind the hooks is looked at in other queues.
 *
 *	throw SEED
 *
 * selftests/life/hooks.py builds what is around, and speaks to it by lines:
 *
 *	pool NAME ADDRESS...		addresses to make datagrams of
 *	way NAME KIND DEVICE QUEUE WEIGHT	a way in; DEVICE is made
 *	own WAY ADDRESS...		the router's, on that way
 *	tunnel WAY HERE THERE		... or the segment of SRv6
 *	listen DEVICE			a device to look at the datagrams of
 *	queues CHECKED			there are rules for them now; CHECKED: the kernel
 *					checks what they give back
 *	setting WAY LSRR SSRR		for the phases that follow
 *	phase COUNT EXACT LISTEN GSO	put so many in
 *
 * The answer to `queues' and `phase' ends with a line `done'. EXACT: nothing but
 * the module takes datagrams away.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "datagram.h"
#include "frames.h"
#include "ledger.h"
#include "queue.h"

/*
 * What a way in does, by the place where datagrams are put into the place of
 * others, or by what is around them.
 */
enum kind {
	PRE, FORWARD, FORWARD_BEHIND, POST, RAW, ERRORS, OUTPUT_BEHIND,
	/* from here on they arrive as they are */
	TAP_, GRE_, VXLAN_, IPIP_, SRV6_, KINDS
};

static const char * const kinds[KINDS] = {
	"pre", "forward", "forward-behind", "post", "raw", "errors",
	"output-behind", "tap", "gre", "vxlan", "ipip", "srv6",
};

/* Queues behind our hooks; those ahead of them have the numbers of their ways. */
enum { BEHIND_PRE = 100, BEHIND_FORWARD, BEHIND_OUTPUT, BEHIND_POST };

#define SEGMENT		1000	/* octets of TCP, of those that are cut */
#define BURST		24	/* datagrams of a way, one after the other */
#define LISTENERS_MAX	16
#define LONGEST_LINE	4096
/* The kernel would cut what is longer, which is its own affair. */
#define MTU		1500
#define PATIENCE	50	/* ms without a datagram: there is no more */
#define LONG_PATIENCE	5000	/* ms, where one is known to be missing */

/* Marks: what a rule tells the datagrams of a way by, and a serial number. */
#define MARK(way)	((0x40U + (way)) << 24)
#define SERIAL		0xffffffU

struct way {
	const char *name;
	enum kind kind;
	int in;		/* a tap, or a raw socket */
	unsigned int queue;
	unsigned int weight;
	struct pool own;
	struct tunnel tunnel;
	struct setting setting;
};

static struct way ways[WAYS_MAX];
static unsigned int ways_n, weights;
static struct pool near, odd;
static struct pool exits;	/* where what is not owned is forwarded to */
static struct pool asked;	/* the source that errors go back to */
static struct queues *queues;
static bool checked;	/* what @queues give back */
static int listeners[LISTENERS_MAX];
static unsigned int listeners_n;
static int leaving = -1;	/* packet socket on the way out */
static u64 seed;
static unsigned long sent;	/* put in, in this phase */

static struct way *find_way(const char *name)
{
	unsigned int i;

	for (i = 0; i < ways_n; i++)
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	errx(2, "no way '%s'", name);
}

static unsigned int index_of(const struct way *way)
{
	return way - ways;
}

static struct taste taste_of(const struct way *way)
{
	static const unsigned int damage[KINDS] = {
		[PRE] = 45, [FORWARD] = 45, [FORWARD_BEHIND] = 45,
		[POST] = 45, [RAW] = 45, [ERRORS] = 45, [OUTPUT_BEHIND] = 45,
		[TAP_] = 15, [GRE_] = 15, [VXLAN_] = 15, [IPIP_] = 15,
		[SRV6_] = 45,
	};
	bool leaves = way->kind == POST || way->kind == FORWARD_BEHIND ||
		      way->kind == OUTPUT_BEHIND;

	return (struct taste){
		.own = &way->own, .near = &near, .odd = &odd,
		.damage = damage[way->kind],
		.largest = leaves || way->kind == RAW ? MTU : LARGEST,
	};
}

/* Putting one in. */

static bool is_multicast(const struct datagram *d)
{
	return d->len >= HEADER && d->octet[DESTINATION] >> 4 == 14;
}

/* What ip_rcv_core() asks for, and does. */
static void received(struct put *put)
{
	const u8 *octet = put->datagram->octet;

	put->taken = datagram_is_sound(put->datagram);
	if (put->taken)
		put->trimmed = octet[TOTAL_LENGTH] << 8 |
			       octet[TOTAL_LENGTH + 1];
}

/* Nobody asks more than this of what is in SRv6. */
static void unwrapped(struct put *put)
{
	put->taken = put->datagram->len >= HEADER;
	if (put->claim == SURELY)
		put->claim = PERHAPS;
}

static void enter(const struct way *way, u32 serial,
		  const struct datagram *d)
{
	struct put put = {
		.way = index_of(way),
		.claim = datagram_claim(d, way->setting, &way->own),
		.taken = true,
		.trimmed = d->len,
		.datagram = d,
	};

	if (way->kind == SRV6_)
		unwrapped(&put);
	else
		received(&put);
	ledger_enter(serial, &put);
	sent++;
}

static enum wrapping wrapping_of(const struct way *way)
{
	switch (way->kind) {
	case GRE_:
		return GRE;
	case VXLAN_:
		return VXLAN;
	case IPIP_:
		return IPIP;
	case SRV6_:
		return SRV6;
	default:
		return BARE;
	}
}

static void arrive(const struct way *way, struct dice *dice,
		   const struct datagram *d)
{
	frames_write(way->in, dice, d, wrapping_of(way), &way->tunnel);
}

/*
 * By a tap, in the receive path as a whole. A queue may get it in pieces, with
 * identifications that follow on its own.
 */
static void send_large(const struct way *way, u32 serial)
{
	struct taste taste = taste_of(way);
	struct datagram d;
	struct dice dice;
	unsigned int n;

	dice_throw(&dice, seed, serial);
	datagram_large(&d, &dice, &taste);
	for (n = d.len / SEGMENT; n; n--)
		if (ledger_serial(index_of(way)) % 65536 < n)
			return;	/* 0 has been left out of them */
	datagram_name(&d, serial);
	if (way->kind == TAP_)
		enter(way, serial, &d);
	frames_write_large(way->in, &dice, &d, SEGMENT);
}

static void send_raw(const struct way *way, const struct datagram *d,
		     u32 mark)
{
	char control[CMSG_SPACE(sizeof(mark))] = {};
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct iovec iov = { (void *)d->octet, d->len };
	struct msghdr message = {
		.msg_name = &to, .msg_namelen = sizeof(to),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SO_MARK;
	cmsg->cmsg_len = CMSG_LEN(sizeof(mark));
	memcpy(CMSG_DATA(cmsg), &mark, sizeof(mark));
	to.sin_addr.s_addr = exits.addr[0];
	/* It need not be taken, nor find room or a route. */
	sendmsg(way->in, &message, MSG_DONTWAIT);
}

/* A datagram on its way to the place where another takes its place. */
static void send_carrier(const struct way *way, u32 serial)
{
	struct taste taste = taste_of(way);
	struct datagram d;
	struct dice dice;

	dice_throw(&dice, seed, serial);
	switch (way->kind) {
	case PRE:
		if (dice_percent(&dice, 30) || checked) {
			taste.damage = 0;
			taste.largest = MTU;
			datagram_make(&d, &dice, &taste);
			break;
		}
		datagram_carrier(&d, &dice, &taste, exits.addr[0]);
		break;
	case ERRORS:
		datagram_hit(&d, &dice, &taste, exits.addr[0], true);
		memcpy(d.octet + SOURCE, asked.addr, 4);
		datagram_sum(&d);
		break;
	case FORWARD:
	case FORWARD_BEHIND:
	case POST:
		if (dice_percent(&dice, 60))
			datagram_hit(&d, &dice, &taste, exits.addr[0], false);
		else
			datagram_carrier(&d, &dice, &taste, exits.addr[0]);
		break;
	default:
		if (dice_percent(&dice, 50))
			datagram_make(&d, &dice, &taste);
		else
			datagram_carrier(&d, &dice, &taste, exits.addr[0]);
	}
	datagram_name(&d, serial);
	if (way->kind == RAW || way->kind == OUTPUT_BEHIND)
		send_raw(way, &d, MARK(index_of(way)) | (serial & SERIAL));
	else
		arrive(way, &dice, &d);
}

static void send_one(const struct way *way)
{
	u32 serial = ledger_serial(index_of(way));
	struct taste taste = taste_of(way);
	struct datagram d;
	struct dice dice;

	dice_throw(&dice, seed + 1, serial);
	if ((way->kind == PRE || way->kind == TAP_) && dice_percent(&dice, 4)) {
		send_large(way, serial);
		return;
	}
	if (way->kind < TAP_) {
		send_carrier(way, serial);
		return;
	}
	datagram_make(&d, &dice, &taste);
	datagram_name(&d, serial);
	/* Such a one passes the hooks by: it is the kernel's own affair. */
	if (way->kind == SRV6_ && is_multicast(&d))
		d.octet[DESTINATION] = 10;
	enter(way, serial, &d);
	arrive(way, &dice, &d);
}

/* Datagrams in the place of others. */

static bool is_local_out(const struct way *way)
{
	return way->kind == RAW || way->kind == ERRORS ||
	       way->kind == OUTPUT_BEHIND;
}

static bool routes_alike(const struct datagram *d, const struct queued *queued)
{
	return d->len >= HEADER && d->octet[1] == queued->octet[1] &&
	       !memcmp(d->octet + SOURCE, queued->octet + SOURCE, 8);
}

/* Much of what is sent would have no route. */
static void route_alike(struct datagram *d, const struct queued *queued)
{
	if (d->len < HEADER)
		return;
	d->octet[1] = queued->octet[1];
	memcpy(d->octet + DESTINATION, queued->octet + DESTINATION, 4);
	/* Other contents may begin there, by the length of the header. */
	if (datagram_header(d) != SOURCE)
		memcpy(d->octet + SOURCE, queued->octet + SOURCE, 4);
}

static void make_instead(struct datagram *d, const struct way *way,
			 const struct queued *queued, struct dice *dice)
{
	struct taste taste = taste_of(way);
	bool alike = is_local_out(way) && dice_percent(dice, 80);
	bool sound;

	if (checked && queued->len <= taste.largest && dice_percent(dice, 90)) {
		d->len = queued->len;
		memcpy(d->octet, queued->octet, queued->len);
		datagram_redirect(d, dice, &taste);
		if (alike) {
			route_alike(d, queued);
			datagram_sum(d);
		}
		return;
	}
	if (dice_percent(dice, 50) || queued->len > taste.largest) {
		datagram_make(d, dice, &taste);
		sound = datagram_is_sound(d);
		if (alike)
			route_alike(d, queued);
		if (alike && sound)
			datagram_sum(d);
		return;
	}
	d->len = queued->len;
	memcpy(d->octet, queued->octet, queued->len);
	if (dice_percent(dice, 85))
		datagram_damage(d, dice, &taste);
	if (alike)
		route_alike(d, queued);
}

static enum claim claim_of(const struct way *way, const struct datagram *d,
			   bool tagged)
{
	switch (way->kind) {
	case PRE:
		return datagram_claim(d, way->setting, &way->own);
	case FORWARD:
	case FORWARD_BEHIND:	/* by ip_forward_options() */
		return tagged ? PERHAPS : NEVER;
	case ERRORS:
		return datagram_quotes_route(d) ? PERHAPS : NEVER;
	default:
		return NEVER;
	}
}

/* The kernel gives its errors an identification of its own. */
static u32 serial_of(const struct way *way, const struct queued *queued)
{
	u16 ident;

	if (way->kind == ERRORS)
		return ledger_serial(index_of(way));
	ident = queued->octet[IDENT] << 8 | queued->octet[IDENT + 1];
	return ledger_knows(ident, index_of(way)) ? ledger_resolve(ident) : 0;
}

/*
 * Are there options that the kernel has compiled and will write into, at offsets
 * that it trusts? ip_forward_options() does so of what the module does not own,
 * with or without the module: beyond the header of another datagram in its place,
 * or beyond its end. Not for more than LARGEST octets.
 */
static bool is_written_by_kernel(const struct way *way,
				 const struct queued *queued)
{
	struct datagram d = { .len = queued->len };

	if ((way->kind != FORWARD && way->kind != FORWARD_BEHIND) ||
	    (queued->octet[0] & 15) * 4U <= HEADER)
		return false;
	memcpy(d.octet, queued->octet, d.len);
	return datagram_claim(&d, way->setting, &way->own) == NEVER;
}

static void replace(const struct way *way, const struct queued *queued)
{
	struct datagram d;
	struct put put = {
		.way = index_of(way),
		.mark = queued->mark,
		.datagram = &d,
	};
	bool as_it_is, tagged = queued->len > HEADER && queued->octet[0] > 0x45;
	struct dice dice;
	u32 serial = queued->len < HEADER ? 0 : serial_of(way, queued);

	if (!serial) {
		queues_verdict(queues, queued, true, AS_IT_IS, 0, queued->mark);
		return;
	}
	dice_throw(&dice, ~seed, serial);
	/*
	 * What is to be cut stays as it is: the kernel would warn of one without
	 * a checksum to be filled in.
	 */
	as_it_is = way->kind != ERRORS && queued->len <= LARGEST &&
		   (queued->large || is_written_by_kernel(way, queued) ||
		    dice_percent(&dice, 10));
	if (as_it_is) {
		d.len = queued->len;
		memcpy(d.octet, queued->octet, d.len);
	} else {
		make_instead(&d, way, queued, &dice);
		datagram_name(&d, serial);
	}
	/*
	 * The mark tells it behind the hooks. What is sent has one already, and
	 * another would have it routed anew.
	 */
	if (!is_local_out(way) || way->kind == ERRORS)
		put.mark = MARK(put.way) | (serial & SERIAL);
	put.trimmed = d.len;
	put.claim = claim_of(way, &d, tagged);
	/* It may only lose what is behind the header that it came with. */
	put.taken = as_it_is || d.len >= (queued->octet[0] & 15) * 4U ||
		    d.len >= queued->len;
	if (is_local_out(way) && !routes_alike(&d, queued))
		put.taken = false;	/* it may have no route */
	if (checked && !as_it_is &&
	    !datagram_may_replace(&d, queued->octet, queued->len))
		put.taken = false;
	ledger_enter(serial, &put);
	sent++;
	queues_verdict(queues, queued, true, as_it_is ? AS_IT_IS : d.octet,
		       d.len, put.mark);
}

/*
 * What the module has left alone ends here, unless it is such as the kernel has
 * on any day: on what is not, it may well stumble itself.
 */
static void look_at(const struct queued *queued)
{
	struct datagram d = { .len = queued->len };
	bool accept = true, once = queued->queue != BEHIND_POST;

	/* A broadcast passes POST_ROUTING for each that gets it. */
	if (ledger_see(queued->octet, queued->len, queued->mark, once)) {
		if (d.len > LARGEST)
			d.len = 0;
		memcpy(d.octet, queued->octet, d.len);
		accept = queued->id % 8 == 0 &&
			 (queued->queue == BEHIND_PRE ||
			  queued->queue == BEHIND_OUTPUT) &&
			 datagram_is_sound(&d) && d.len <= MTU;
	}
	queues_verdict(queues, queued, accept, AS_IT_IS, 0, queued->mark);
}

static void handle(const struct queued *queued, void *arg)
{
	unsigned int i;

	(void)arg;
	if (queued->queue >= BEHIND_PRE) {
		look_at(queued);
		return;
	}
	for (i = 0; i < ways_n; i++)
		if (ways[i].kind < TAP_ && ways[i].queue == queued->queue)
			replace(&ways[i], queued);
}

/* Packet sockets. */

static int listen_to(const char *device, bool keep)
{
	struct sockaddr_ll where = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(keep ? ETH_P_ALL : 0),
		.sll_ifindex = if_nametoindex(device),
	};
	int size = 16 << 20;
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || !where.sll_ifindex ||
	    bind(fd, (struct sockaddr *)&where, sizeof(where)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		err(1, "packet socket on %s", device);
	return fd;
}

static void turn_listeners(bool on)
{
	struct sockaddr_ll where;
	socklen_t len;
	unsigned int i;

	for (i = 0; i < listeners_n; i++) {
		len = sizeof(where);
		if (getsockname(listeners[i], (struct sockaddr *)&where, &len))
			err(1, "packet socket");
		/* Protocol 0 would mean the one that it has. */
		where.sll_protocol = htons(on ? ETH_P_ALL : ETH_P_LOOP);
		if (bind(listeners[i], (struct sockaddr *)&where,
			 sizeof(where)))
			err(1, "packet socket");
	}
}

static void see_leave(const u8 *octet, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < ways_n; i++)
		if (ways[i].kind == POST)
			ledger_see_leave(i, octet, len);
}

static void read_socket(int fd, bool outgoing)
{
	static u8 octets[65536];
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);
	ssize_t got;

	while ((got = recvfrom(fd, octets, sizeof(octets), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &len)) >= 0) {
		bool out = from.sll_pkttype == PACKET_OUTGOING;

		len = sizeof(from);
		if (out != outgoing || from.sll_protocol != htons(ETH_P_IP))
			continue;
		if (outgoing)
			see_leave(octets, got);
		else
			ledger_copy(octets, got);
	}
}

static bool pump(int patience)
{
	bool any = queues_pump(queues, handle, NULL, patience);
	unsigned int i;

	if (leaving >= 0)
		read_socket(leaving, true);
	for (i = 0; i < listeners_n; i++)
		read_socket(listeners[i], false);
	return any;
}

/* A phase. */

static const struct way *any_way(struct dice *dice)
{
	unsigned int at = dice_below(dice, weights), i = 0;

	while (at >= ways[i].weight)
		at -= ways[i++].weight;
	return &ways[i];
}

static void settle(void)
{
	int waited;

	while (pump(PATIENCE))
		;
	for (waited = 0; waited < LONG_PATIENCE && ledger_is_missing();
	     waited += PATIENCE)
		pump(PATIENCE);
}

static void print_tallies(void)
{
	const struct tally *tally = ledger_close();
	unsigned int i;

	for (i = 0; i < ways_n; i++, tally++) {
		printf("tally %s sent=%lu refused=%lu seen=%lu changed=%lu",
		       ways[i].name, tally->sent, tally->refused, tally->seen,
		       tally->changed);
		printf(" never=%lu surely=%lu gone=%lu copied=%lu\n",
		       tally->never, tally->surely, tally->gone,
		       tally->copied);
	}
}

static double now(void)
{
	struct timeval time;

	gettimeofday(&time, NULL);
	return time.tv_sec + time.tv_usec / 1e6;
}

static void run_phase(unsigned long count, bool exact, bool listen, bool gso)
{
	static u64 phases;
	const struct way *way;
	struct dice dice;
	double start = now();
	unsigned int i;

	dice_throw(&dice, seed, ~++phases);
	ledger_begin(exact);
	sent = 0;
	for (i = 0; i < ways_n; i++)
		if (ways[i].kind < TAP_)
			queues_set_gso(queues, ways[i].queue, gso);
	if (listen)
		turn_listeners(true);
	while (sent < count && now() - start < 600) {
		way = any_way(&dice);
		for (i = 0; i < BURST; i++)
			send_one(way);
		pump(0);
	}
	settle();
	if (listen)
		turn_listeners(false);
	print_tallies();
}

/* Lines. */

static void read_pool(struct pool *pool, char **words)
{
	struct in_addr addr;

	for (; *words; words++) {
		if (pool->n == ADDRESSES_MAX || !inet_aton(*words, &addr))
			errx(2, "address %s", *words);
		pool->addr[pool->n++] = addr.s_addr;
	}
}

static void do_pool(char **words)
{
	static const struct {
		const char *name;
		struct pool *pool;
	} pools[] = {
		{ "near", &near }, { "odd", &odd }, { "exit", &exits },
		{ "asked", &asked },
	};
	unsigned int i;

	for (i = 0; i < sizeof(pools) / sizeof(*pools); i++)
		if (!strcmp(pools[i].name, words[0]))
			read_pool(pools[i].pool, words + 1);
}

static int raw_socket(void)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW), size = 1 << 20;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		err(1, "raw socket");
	return fd;
}

static void do_way(char **words)
{
	struct way *way = &ways[ways_n];

	if (ways_n == WAYS_MAX)
		errx(2, "too many ways");
	way->name = strdup(words[0]);
	while (strcmp(kinds[way->kind], words[1]))
		if (++way->kind == KINDS)
			errx(2, "no kind '%s'", words[1]);
	way->in = is_local_out(way) && way->kind != ERRORS ?
		  raw_socket() : frames_open(words[2]);
	way->queue = atoi(words[3]);
	way->weight = atoi(words[4]);
	weights += way->weight;
	ledger_name_way(ways_n++, way->name);
}

static void do_tunnel(char **words)
{
	struct tunnel *tunnel = &find_way(words[0])->tunnel;
	bool ok = words[2] ?
		inet_pton(AF_INET, words[1], &tunnel->here) == 1 &&
		inet_pton(AF_INET, words[2], &tunnel->there) == 1 :
		inet_pton(AF_INET6, words[1], &tunnel->sid) == 1;

	if (!ok)
		errx(2, "tunnel %s", words[1]);
}

static void do_queues(char **words)
{
	unsigned int i;

	checked = atoi(words[0]);
	queues = queues_open();
	for (i = 0; i < ways_n; i++)
		if (ways[i].kind < TAP_)
			queues_bind(queues, ways[i].queue);
	for (i = BEHIND_PRE; i <= BEHIND_POST; i++) {
		queues_bind(queues, i);
		queues_set_gso(queues, i, true);
	}
}

static void do_line(char **words)
{
	const char *what = words[0];

	words++;
	if (!strcmp(what, "pool")) {
		do_pool(words);
	} else if (!strcmp(what, "way")) {
		do_way(words);
	} else if (!strcmp(what, "own")) {
		read_pool(&find_way(words[0])->own, words + 1);
	} else if (!strcmp(what, "tunnel")) {
		do_tunnel(words);
	} else if (!strcmp(what, "listen")) {
		if (listeners_n == LISTENERS_MAX)
			errx(2, "too many listeners");
		listeners[listeners_n++] = listen_to(words[0], false);
	} else if (!strcmp(what, "leaving")) {
		leaving = listen_to(words[0], true);
	} else if (!strcmp(what, "queues")) {
		do_queues(words);
	} else if (!strcmp(what, "setting")) {
		find_way(words[0])->setting = (struct setting){
			atoi(words[1]), atoi(words[2]),
		};
	} else if (!strcmp(what, "phase")) {
		run_phase(atol(words[0]), atoi(words[1]), atoi(words[2]),
			  atoi(words[3]));
	} else if (!strcmp(what, "done")) {
		printf("done\n");
	} else {
		errx(2, "what is '%s'?", what);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[LONGEST_LINE], *words[ADDRESSES_MAX + 8];
	unsigned int n;

	if (argc != 2)
		errx(2, "usage: throw SEED");
	seed = strtoull(argv[1], NULL, 0);
	while (fgets(line, sizeof(line), stdin)) {
		for (n = 0; n < ADDRESSES_MAX + 7; n++) {
			words[n] = strtok(n ? NULL : line, "\n ");
			if (!words[n])
				break;
		}
		words[n] = NULL;
		if (n)
			do_line(words);
	}
	return 0;
}
