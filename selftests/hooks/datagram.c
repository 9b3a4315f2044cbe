// SPDX-License-Identifier: GPL-2.0-only
/* Random datagrams; see datagram.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "datagram.h"
#include "reference.h"

enum {
	NOP = 1, RR = 7, TS = 68, LSRR = 131, SSRR = 137, ALERT = 148,
};

void dice_throw(struct dice *dice, u64 seed, u64 serial)
{
	dice->state = seed;
	dice->state = dice_next(dice) ^ serial;
}

/* An odd step through all numbers, and the bits of each well stirred. */
u64 dice_next(struct dice *dice)
{
	u64 x;

	dice->state += 0x9e3779b97f4a7c15;
	x = dice->state;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

unsigned int dice_below(struct dice *dice, unsigned int n)
{
	return n ? (dice_next(dice) >> 32) * n >> 32 : 0;
}

bool dice_percent(struct dice *dice, unsigned int percent)
{
	return dice_below(dice, 100) < percent;
}

/* Small numbers are more interesting than others. */
static u8 any_octet(struct dice *dice)
{
	return dice_below(dice, dice_percent(dice, 60) ? 16 : 256);
}

static void fill(u8 *to, unsigned int len, struct dice *dice)
{
	while (len--)
		*to++ = dice_next(dice);
}

static u16 read16(const u8 *from)
{
	return from[0] << 8 | from[1];
}

static void write16(u8 *to, u16 value)
{
	to[0] = value >> 8;
	to[1] = value;
}

static u32 read_address(const u8 *from)
{
	u32 addr;

	memcpy(&addr, from, sizeof(addr));
	return addr;
}

static void write_address(u8 *to, u32 addr)
{
	memcpy(to, &addr, sizeof(addr));
}

static u32 pick(const struct pool *pool, struct dice *dice)
{
	return pool->addr[dice_below(dice, pool->n)];
}

static u32 any_address(const struct taste *taste, struct dice *dice,
		       unsigned int own, unsigned int odd)
{
	unsigned int at = dice_below(dice, 100);

	if (at < own)
		return pick(taste->own, dice);
	return pick(at < own + odd ? taste->odd : taste->near, dice);
}

/*
 * Options. Each is written whole; its length and pointer octets may say
 * something else. All return how many octets they have written.
 */

static unsigned int put_route(u8 *to, struct dice *dice,
			      const struct taste *taste)
{
	static const u8 counts[] = { 1, 1, 1, 2, 2, 2, 3, 3, 0, 5, 9 };
	unsigned int n = counts[dice_below(dice, sizeof(counts))];
	unsigned int i;

	to[0] = dice_percent(dice, 60) ? LSRR : SSRR;
	to[1] = 3 + 4 * n;
	to[2] = 4;
	if (dice_percent(dice, 40))
		to[2] += 4 * dice_below(dice, n + 2);
	for (i = 0; i < n; i++)
		write_address(to + 3 + 4 * i,
			      any_address(taste, dice, 15, 10));
	if (dice_percent(dice, 8))
		to[1] = any_octet(dice);
	if (dice_percent(dice, 8))
		to[2] = any_octet(dice);
	return 3 + 4 * n;
}

static unsigned int put_record(u8 *to, struct dice *dice)
{
	unsigned int n = dice_below(dice, 4);

	to[0] = RR;
	to[1] = 3 + 4 * n;
	to[2] = 4 + 4 * dice_below(dice, n + 1);
	fill(to + 3, 4 * n, dice);
	if (dice_percent(dice, 10))
		to[1 + dice_below(dice, 2)] = any_octet(dice);
	return 3 + 4 * n;
}

static unsigned int put_timestamp(u8 *to, struct dice *dice,
				  const struct taste *taste)
{
	static const u8 flags[] = { 0, 0, 1, 1, 3, 3, 2, 15 };
	unsigned int n = dice_below(dice, 3), i, size;

	to[0] = TS;
	to[3] = flags[dice_below(dice, sizeof(flags))];
	size = to[3] ? 8 : 4;
	to[1] = 4 + n * size;
	to[2] = 5 + size * dice_below(dice, n + 1);
	to[3] |= dice_below(dice, 16) << 4;
	fill(to + 4, n * size, dice);
	for (i = 0; i < n && size == 8; i++)
		write_address(to + 4 + 8 * i, any_address(taste, dice, 60, 5));
	if (dice_percent(dice, 10))
		to[1 + dice_below(dice, 3)] = any_octet(dice);
	return 4 + n * size;
}

static unsigned int put_alert(u8 *to, struct dice *dice)
{
	memcpy(to, "\x94\x04\0\0", 4);
	if (dice_percent(dice, 20))
		to[1 + dice_below(dice, 3)] = any_octet(dice);
	return 4;
}

/* Security labels among them. */
static unsigned int put_other(u8 *to, struct dice *dice)
{
	static const u8 kinds[] = { 130, 133, 134, 136, 82, 25 };
	unsigned int n = dice_below(dice, 7);

	to[0] = dice_percent(dice, 60) ?
		kinds[dice_below(dice, sizeof(kinds))] : dice_below(dice, 256);
	to[1] = dice_percent(dice, 20) ? any_octet(dice) : 2 + n;
	fill(to + 2, n, dice);
	return 2 + n;
}

static unsigned int put_option(u8 *to, struct dice *dice,
			       const struct taste *taste)
{
	unsigned int at = dice_below(dice, 100);

	if (at < 45)
		return put_route(to, dice, taste);
	if (at < 60)
		return put_record(to, dice);
	if (at < 75)
		return put_timestamp(to, dice, taste);
	if (at < 80)
		return put_alert(to, dice);
	if (at < 87)
		return put_other(to, dice);
	*to = at < 96 ? NOP : 0;
	return 1;
}

/* Whole options mostly, now and then one that the header cuts off. */
static unsigned int put_options(u8 *area, struct dice *dice,
				const struct taste *taste)
{
	unsigned int wanted = dice_below(dice, 4), at = 0, size;
	u8 option[AREA_MAX];

	if (dice_percent(dice, 60)) {
		at = put_route(area, dice, taste);
	} else if (dice_percent(dice, 8)) {
		at = 4 * dice_below(dice, 11);
		fill(area, at, dice);
	}
	while (wanted--) {
		size = put_option(option, dice, taste);
		if (at + size > AREA_MAX && !dice_percent(dice, 5))
			continue;
		if (at + size > AREA_MAX)
			size = AREA_MAX - at;
		memcpy(area + at, option, size);
		at += size;
	}
	while (at % 4)
		area[at++] = dice_percent(dice, 90) ? 0 : any_octet(dice);
	return at;
}

/* The one's complement sum, of as much of the header as there is. */
static u16 sum(const u8 *octet, unsigned int len)
{
	u32 total = 0;
	unsigned int i;

	for (i = 0; i + 1 < len; i += 2)
		total += read16(octet + i);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return ~total;
}

static unsigned int header_len(const u8 *octet)
{
	return (octet[0] & 15) * 4;
}

unsigned int datagram_header(const struct datagram *d)
{
	return d->len ? header_len(d->octet) : 0;
}

/* Makes it right, if there is room for it. */
void datagram_sum(struct datagram *d)
{
	unsigned int len = datagram_header(d);

	if (d->len < HEADER)
		return;
	if (len > d->len)
		len = d->len;
	if (len < HEADER)
		len = HEADER;
	write16(d->octet + CHECKSUM, 0);
	write16(d->octet + CHECKSUM, sum(d->octet, len));
}

/* Another name changes the sum by as much, so a wrong one stays wrong. */
void datagram_name(struct datagram *d, u16 ident)
{
	u32 total;

	if (d->len < IDENT + 2)
		return;
	if (d->len >= HEADER) {
		total = (u16)~read16(d->octet + CHECKSUM);
		total += (u16)~read16(d->octet + IDENT) + ident;
		while (total >> 16)
			total = (total & 0xffff) + (total >> 16);
		write16(d->octet + CHECKSUM, ~total);
	}
	write16(d->octet + IDENT, ident);
}

static u8 any_protocol(struct dice *dice)
{
	static const u8 protocols[] = {
		IPPROTO_UDP, IPPROTO_UDP, IPPROTO_UDP, IPPROTO_ICMP,
		IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_GRE, IPPROTO_ESP,
		IPPROTO_IPIP, 254,
	};

	return protocols[dice_below(dice, sizeof(protocols))];
}

static u16 any_fragment(struct dice *dice)
{
	unsigned int at = dice_below(dice, 100);

	if (at < 75)
		return 0;
	if (at < 85)
		return IP_DF;
	if (at < 90)
		return IP_MF;
	return dice_next(dice);
}

static void put_header(u8 *head, struct dice *dice,
		       const struct taste *taste, unsigned int options_len)
{
	memset(head, 0, HEADER);
	head[0] = 0x40 | (HEADER + options_len) / 4;
	head[1] = dice_percent(dice, 80) ? 0 : dice_next(dice);
	write16(head + FRAGMENT, any_fragment(dice));
	head[TTL] = dice_percent(dice, 85) ? 64 : dice_below(dice, 4);
	head[PROTOCOL] = any_protocol(dice);
	write_address(head + SOURCE, any_address(taste, dice, 2, 6));
	write_address(head + DESTINATION, any_address(taste, dice, 65, 8));
}

/*
 * An ICMP message, most of them errors that quote a datagram with options; its
 * header may be broken, too. At most @room octets.
 */
static unsigned int put_icmp(u8 *to, unsigned int room, struct dice *dice,
			     const struct taste *taste)
{
	static const u8 types[] = { 3, 3, 3, 11, 12, 12, 4, 5, 8 };
	u8 message[8 + HEADER + AREA_MAX + 8];
	unsigned int len, area;

	fill(message, 8, dice);
	message[0] = types[dice_below(dice, sizeof(types))];
	message[1] = dice_percent(dice, 60) ? 1 : dice_below(dice, 16);
	area = put_options(message + 8 + HEADER, dice, taste);
	put_header(message + 8, dice, taste, area);
	/* In a header that is too short they are taken for options. */
	if (dice_percent(dice, 30)) {
		message[8 + 1] = any_octet(dice);
		fill(message + 8 + IDENT, 4, dice);
	}
	if (dice_percent(dice, 15))
		message[8] = 0x40 | dice_below(dice, 16);
	len = 8 + HEADER + area;
	fill(message + len, 8, dice);
	len += dice_below(dice, 9);
	if (dice_percent(dice, 10))
		len = dice_below(dice, len + 1);
	write16(message + 2, 0);
	write16(message + 2, sum(message, len));
	if (len > room)
		len = room;
	memcpy(to, message, len);
	return len;
}

static unsigned int any_size(struct dice *dice, unsigned int room)
{
	unsigned int at = dice_below(dice, 100), size;

	if (at < 80)
		size = dice_below(dice, 64);
	else if (at < 98)
		size = dice_below(dice, 1400);
	else
		size = dice_below(dice, LARGEST);
	return size < room ? size : room;
}

static unsigned int put_payload(u8 *to, unsigned int room, u8 protocol,
				struct dice *dice, const struct taste *taste)
{
	unsigned int len;

	if (protocol == IPPROTO_ICMP)
		return put_icmp(to, room, dice, taste);
	len = any_size(dice, room);
	fill(to, len, dice);
	/* Nothing that a socket of the router's would take. */
	if (protocol == IPPROTO_UDP && len >= 8)
		memcpy(to, "\x0f\xa0\0\x09\xff\xff\x12\x34", 8);
	return len;
}

static void set_length(struct datagram *d)
{
	write16(d->octet + TOTAL_LENGTH, d->len);
}

/* Ways to break a header. */

static void other_ihl(struct datagram *d, struct dice *dice,
		      const struct taste *taste)
{
	unsigned int ihl = dice_below(dice, 16), at = ihl * 4;

	if (!d->len)
		return;
	d->octet[0] = (d->octet[0] & 0xf0) | ihl;
	/* What is taken for an ICMP error where that header ends. */
	if (d->len > HEADER && d->octet[PROTOCOL] == IPPROTO_ICMP &&
	    at < d->len && dice_percent(dice, 70)) {
		put_icmp(d->octet + at, d->len - at, dice, taste);
		d->octet[0] = (d->octet[0] & 0xf0) | ihl;
		if (at < PROTOCOL + 1)
			d->octet[PROTOCOL] = IPPROTO_ICMP;
	}
}

static void other_version(struct datagram *d, struct dice *dice)
{
	if (d->len)
		d->octet[0] = (d->octet[0] & 15) | dice_below(dice, 16) << 4;
}

static void other_total(struct datagram *d, struct dice *dice)
{
	unsigned int header = datagram_header(d);

	if (d->len < HEADER)
		return;
	switch (dice_below(dice, 5)) {
	case 0:
		write16(d->octet + TOTAL_LENGTH, 0);
		break;
	case 1:
		write16(d->octet + TOTAL_LENGTH, dice_below(dice, header + 1));
		break;
	case 2:
		write16(d->octet + TOTAL_LENGTH,
			header + dice_below(dice, d->len + 1));
		break;
	case 3:
		write16(d->octet + TOTAL_LENGTH,
			d->len + 1 + dice_below(dice, 64));
		break;
	default:
		write16(d->octet + TOTAL_LENGTH, dice_next(dice));
	}
}

static void shorten(struct datagram *d, struct dice *dice)
{
	unsigned int header = datagram_header(d), len;

	switch (dice_below(dice, 5)) {
	case 0:
		len = dice_below(dice, HEADER + 1);
		break;
	case 1:
		len = HEADER;
		break;
	case 2:
		len = HEADER + dice_below(dice, header > HEADER ?
					  header - HEADER : 1);
		break;
	case 3:
		len = header + dice_below(dice, 12);
		break;
	default:
		len = dice_below(dice, d->len + 1);
	}
	if (len < d->len)
		d->len = len;
}

static void lengthen(struct datagram *d, struct dice *dice,
		     const struct taste *taste)
{
	unsigned int more = any_size(dice, taste->largest - d->len);

	fill(d->octet + d->len, more, dice);
	d->len += more;
}

static void flip(struct datagram *d, struct dice *dice)
{
	unsigned int n = 1 + dice_below(dice, 4), room = d->len;

	if (room > HEADER + AREA_MAX)
		room = HEADER + AREA_MAX;
	while (room && n--)
		d->octet[dice_below(dice, room)] ^= 1 << dice_below(dice, 8);
}

/**
 * datagram_damage() - break a datagram's header, in one way or several
 * @d: the datagram
 * @dice: thrown
 * @taste: what is wanted
 */
void datagram_damage(struct datagram *d, struct dice *dice,
		     const struct taste *taste)
{
	unsigned int n = 1 + dice_below(dice, 2);
	bool right_sum = dice_percent(dice, 75);
	bool right_total = dice_percent(dice, 60);

	while (n--) {
		switch (dice_below(dice, 7)) {
		case 0:
			other_ihl(d, dice, taste);
			break;
		case 1:
			other_version(d, dice);
			break;
		case 2:
			right_total = false;
			other_total(d, dice);
			break;
		case 3:
			right_sum = false;
			break;
		case 4:
			shorten(d, dice);
			break;
		case 5:
			lengthen(d, dice, taste);
			break;
		default:
			flip(d, dice);
		}
	}
	if (right_total && d->len >= HEADER)
		set_length(d);
	if (right_sum)
		datagram_sum(d);
	else if (d->len >= HEADER)
		d->octet[CHECKSUM] ^= 1 + dice_below(dice, 255);
}

/**
 * datagram_redirect() - change what a queue may change whatever the kernel checks
 * @d: the datagram
 * @dice: thrown
 * @taste: what is wanted
 */
void datagram_redirect(struct datagram *d, struct dice *dice,
		       const struct taste *taste)
{
	if (dice_percent(dice, 50))
		d->octet[1] = dice_next(dice);
	if (dice_percent(dice, 50))
		d->octet[TTL] = any_octet(dice);
	if (dice_percent(dice, 50))
		write_address(d->octet + SOURCE, any_address(taste, dice, 10, 30));
	if (dice_percent(dice, 50))
		write_address(d->octet + DESTINATION,
			      any_address(taste, dice, 50, 20));
	datagram_sum(d);
	if (dice_percent(dice, taste->damage))
		d->octet[CHECKSUM] ^= 1 + dice_below(dice, 255);
}

/**
 * datagram_make() - make a datagram up
 * @d: filled in
 * @dice: thrown
 * @taste: what is wanted
 */
void datagram_make(struct datagram *d, struct dice *dice,
		   const struct taste *taste)
{
	unsigned int area = put_options(d->octet + HEADER, dice, taste);

	put_header(d->octet, dice, taste, area);
	d->len = HEADER + area;
	d->len += put_payload(d->octet + d->len, taste->largest - d->len,
			      d->octet[PROTOCOL], dice, taste);
	set_length(d);
	datagram_sum(d);
	if (dice_percent(dice, taste->damage))
		datagram_damage(d, dice, taste);
}

/**
 * datagram_carrier() - make an ordinary datagram, to be replaced on its way
 * @d: filled in
 * @dice: thrown
 * @taste: what is wanted
 * @to: where it goes
 */
void datagram_carrier(struct datagram *d, struct dice *dice,
		      const struct taste *taste, u32 to)
{
	put_header(d->octet, dice, taste, 0);
	write16(d->octet + FRAGMENT, 0);
	d->octet[TTL] = 64;
	d->octet[PROTOCOL] = IPPROTO_UDP;
	write_address(d->octet + SOURCE, pick(taste->near, dice));
	write_address(d->octet + DESTINATION, to);
	d->len = HEADER;
	d->len += put_payload(d->octet + HEADER, 1200, IPPROTO_UDP, dice,
			      taste);
	set_length(d);
	datagram_sum(d);
}

/**
 * datagram_large() - make a TCP segment that is to be cut into several
 * @d: filled in
 * @dice: thrown
 * @taste: what is wanted
 */
void datagram_large(struct datagram *d, struct dice *dice,
		    const struct taste *taste)
{
	unsigned int area = put_options(d->octet + HEADER, dice, taste);
	u8 *tcp = d->octet + HEADER + area;

	put_header(d->octet, dice, taste, area);
	write16(d->octet + FRAGMENT, dice_percent(dice, 50) ? IP_DF : 0);
	d->octet[PROTOCOL] = IPPROTO_TCP;
	d->len = HEADER + area + TCP_HEADER + 1500 + dice_below(dice, 2000);
	fill(tcp, d->len - HEADER - area, dice);
	tcp[TCP_OFFSET] = TCP_HEADER / 4 << 4;
	tcp[13] = 0x10;	/* ACK */
	set_length(d);
	datagram_sum(d);
}

/**
 * datagram_hit() - make one for the module, with other options at times
 * @d: filled in
 * @dice: thrown
 * @taste: what is wanted
 * @to: the only address of its source route
 * @broken: the pointer of its source route is
 */
void datagram_hit(struct datagram *d, struct dice *dice,
		  const struct taste *taste, u32 to, bool broken)
{
	u8 *area = d->octet + HEADER;
	unsigned int len = 8;

	area[0] = NOP;
	area[1] = LSRR;
	area[2] = 7;
	area[3] = broken ? 3 : 4;
	write_address(area + 4, to);
	if (dice_percent(dice, 30)) {
		memcpy(area + len, "\1\7\7\4\0\0\0\0", 8);
		len += 8;
	}
	if (dice_percent(dice, 30)) {
		memset(area + len, 0, 12);
		memcpy(area + len, "\x44\x0c\5\1", 4);
		len += 12;
	}
	put_header(d->octet, dice, taste, len);
	write16(d->octet + FRAGMENT, 0);
	d->octet[TTL] = 64;
	d->octet[PROTOCOL] = IPPROTO_UDP;
	write_address(d->octet + SOURCE, pick(taste->near, dice));
	write_address(d->octet + DESTINATION, pick(taste->own, dice));
	d->len = HEADER + len;
	d->len += put_payload(d->octet + d->len, 1200, IPPROTO_UDP, dice,
			      taste);
	set_length(d);
	datagram_sum(d);
}

/* What ip_rcv_core() asks of a header. */
bool datagram_is_sound(const struct datagram *d)
{
	unsigned int header = datagram_header(d), total;

	if (d->len < HEADER || d->octet[0] >> 4 != 4 || header < HEADER ||
	    header > d->len)
		return false;
	total = read16(d->octet + TOTAL_LENGTH);
	return total >= header && total <= d->len && !sum(d->octet, header);
}

/* What the kernel wants at least behind the header, by protocol. */
static bool is_long_enough(u8 protocol, const u8 *octet, unsigned int len)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return len >= TCP_HEADER && octet[TCP_OFFSET] >> 4 >= 5 &&
		       (octet[TCP_OFFSET] >> 4) * 4U <= len;
	case IPPROTO_UDP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
	case IPPROTO_ESP:
		return len >= 8;
	case IPPROTO_GRE:
		return len >= 4;
	case IPPROTO_AH:
	case IPPROTO_SCTP:
		return len >= 12;
	default:
		return true;
	}
}

/**
 * datagram_may_replace() - does a kernel that checks what a queue gives back take it?
 * @d: the datagram
 * @queued: the one in whose place it is put, from the first octet of its header on
 * @len: octets of @queued
 *
 * As nfqnl_validate_ip4() of Linux 7.3 does. That of 7.2, the first, does not look
 * behind the header.
 */
bool datagram_may_replace(const struct datagram *d, const u8 *queued,
			  unsigned int len)
{
	unsigned int header = header_len(queued);
	u16 fragment;

	if (queued[0] >> 4 != 4 || header < HEADER || len < header ||
	    d->len < header || d->octet[0] != queued[0] ||
	    read16(d->octet + TOTAL_LENGTH) != d->len ||
	    memcmp(d->octet + HEADER, queued + HEADER, header - HEADER))
		return false;
	fragment = read16(d->octet + FRAGMENT);
	if ((fragment ^ read16(queued + FRAGMENT)) & ~IP_DF)
		return false;
	return fragment & (IP_MF | IP_OFFMASK) ||
	       is_long_enough(d->octet[PROTOCOL], d->octet + header,
			      d->len - header);
}

static bool find(const u8 *area, unsigned int len, struct srr *srr)
{
	return reference_parse(area, len, srr) != SRR_NONE;
}

/* Is there a source route in it, in a header that can be trusted? */
bool datagram_has_route(const struct datagram *d)
{
	struct srr srr;

	return datagram_is_sound(d) &&
	       find(d->octet + HEADER, datagram_header(d) - HEADER, &srr);
}

/* Is it an ICMP error about a datagram with a source route? (O6) */
bool datagram_quotes_route(const struct datagram *d)
{
	unsigned int at = datagram_header(d), header, total;
	struct srr srr;

	if (!datagram_is_sound(d) || at + 8 + HEADER > d->len ||
	    d->octet[PROTOCOL] != IPPROTO_ICMP)
		return false;
	if (d->octet[at] != ICMP_DEST_UNREACH &&
	    d->octet[at] != ICMP_TIME_EXCEEDED &&
	    d->octet[at] != ICMP_PARAMETERPROB)
		return false;
	at += 8;
	header = header_len(d->octet + at);
	total = read16(d->octet + at + TOTAL_LENGTH);
	return d->octet[at] >> 4 == 4 && (!total || total >= header) &&
	       header > HEADER && at + header <= d->len &&
	       find(d->octet + at + HEADER, header - HEADER, &srr);
}

static bool is_in(const struct pool *pool, u32 addr)
{
	unsigned int i;

	for (i = 0; i < pool->n; i++)
		if (pool->addr[i] == addr)
			return true;
	return false;
}

/**
 * datagram_claim() - may the module own what has been received? (O1, O6)
 * @d: the datagram
 * @at: lsrr and ssrr of the interface of arrival
 * @own: addresses of the router
 *
 * Return: PERHAPS where it is up to the routes.
 */
enum claim datagram_claim(const struct datagram *d, struct setting at,
			  const struct pool *own)
{
	unsigned int action;
	struct srr srr;

	if (!datagram_is_sound(d) ||
	    !find(d->octet + HEADER, datagram_header(d) - HEADER, &srr))
		return NEVER;
	action = srr.type == SSRR ? at.ssrr : at.lsrr;
	if (!action)
		return NEVER;
	return action > 1 || is_in(own, read_address(d->octet + DESTINATION)) ?
	       SURELY : PERHAPS;
}

/* To tell whether octets are still what they were. */
u64 datagram_hash(const u8 *octet, unsigned int len)
{
	u64 hash = len * 0x9e3779b97f4a7c15;

	while (len--) {
		hash = (hash ^ *octet++) * 0xff51afd7ed558ccd;
		hash ^= hash >> 33;
	}
	return hash;
}
