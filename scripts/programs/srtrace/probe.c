// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams: how a probe is made.
 *
 * What a balancer looks at is the same in all probes of a flow: addresses, ports,
 * and the first four octets of ICMP, its checksum among them. What tells the
 * probes apart is elsewhere: in the IP identification, and behind these octets.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "srtrace.h"

#define OPT_RR		7
#define OPT_TS		68
#define OPT_PTR		4
#define TS_ADDRESSES	1

static uint32_t sum(uint32_t so_far, const void *octets, size_t len)
{
	const uint8_t *p = octets;
	size_t i;

	for (i = 0; i < len; i++)
		so_far += i % 2 ? p[i] : p[i] << 8;
	return so_far;
}

static uint16_t fold(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

/**
 * checksum_of() - the checksum of the Internet
 * @octets: what it covers
 * @len: how much
 *
 * Return: in host byte order; 0 if the octets hold their own, right one.
 */
uint16_t checksum_of(const uint8_t *octets, size_t len)
{
	return ~fold(sum(0, octets, len));
}

/* The destination in it is the last of the route: that is where it is checked. */
static uint32_t pseudo_header(const struct probe *probe, uint8_t protocol,
			      size_t len)
{
	uint32_t total = protocol + len;

	total = sum(total, &probe->from, sizeof(probe->from));
	return sum(total, &probe->route.to, sizeof(probe->route.to));
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/* The token and the serial; two octets are left that may balance a checksum. */
static void put_data(uint8_t *at, const struct probe *probe)
{
	memcpy(at, &identity.token, sizeof(identity.token));
	put16(at + 4, probe->serial);
}

static void put_icmp(uint8_t *at, const struct probe *probe, size_t len)
{
	/* Never 0 nor 0xffff, which are one number to this sum. */
	uint16_t wanted = 1 + (FLOW_FIRST + 0x101u * probe->flow) % 0xfff0;
	uint16_t so_far;

	at[0] = ICMP_ECHO;
	put16(at + 4, identity.id);
	put16(at + 6, probe->serial);
	put_data(at + 8, probe);
	put16(at + 2, wanted);
	so_far = fold(sum(0, at, len));
	/* What is missing to 0xffff. */
	put16(at + 14, 0xffff - so_far);
}

static void put_udp(uint8_t *at, const struct probe *probe, size_t len)
{
	uint16_t check;

	put16(at, FLOW_FIRST + probe->flow);
	put16(at + 2, settings.port);
	put16(at + 4, len);
	put_data(at + 8, probe);
	check = ~fold(sum(pseudo_header(probe, IPPROTO_UDP, len), at, len));
	put16(at + 6, check ? check : 0xffff);
}

/**
 * tcp_sequence() - the sequence number of a probe
 * @serial: its serial
 *
 * Return: host byte order; the serial is in the upper half.
 */
uint32_t tcp_sequence(uint16_t serial)
{
	return identity.token ^ (uint32_t)serial << 16;
}

/* A SYN, never a connection: our kernel answers the reply with RST. */
static void put_tcp(uint8_t *at, const struct probe *probe, size_t len)
{
	struct tcphdr header = {
		.source = htons(FLOW_FIRST + probe->flow),
		.dest = htons(settings.port),
		.seq = htonl(tcp_sequence(probe->serial)),
		.doff = sizeof(header) / 4,
		.syn = 1,
		.window = htons(1024),
	};

	memcpy(at, &header, sizeof(header));
	put16(at + 16, ~fold(sum(pseudo_header(probe, IPPROTO_TCP, len), at,
				 len)));
}

/* The first gateway is the destination of the datagram, the others follow. */
static size_t put_route(uint8_t *at, const struct route *route)
{
	size_t slots = route->gateways;

	if (!slots)
		return 0;
	at[0] = settings.strict ? SRR_SSRR : SRR_LSRR;
	at[1] = 3 + 4 * slots;
	at[2] = OPT_PTR;
	memcpy(at + 3, route->gateway + 1, 4 * (slots - 1));
	memcpy(at + 3 + 4 * (slots - 1), &route->to, 4);
	return at[1];
}

static size_t put_record(uint8_t *at, size_t room, enum recording what)
{
	if (what == RECORD_ROUTE && room >= 7) {
		at[0] = OPT_RR;
		at[1] = 3 + (room - 3) / 4 * 4;
		at[2] = OPT_PTR;
		return at[1];
	}
	if (what == RECORD_TIME && room >= 12) {
		at[0] = OPT_TS;
		at[1] = 4 + (room - 4) / 8 * 8;
		at[2] = OPT_PTR + 1;
		at[3] = TS_ADDRESSES;
		return at[1];
	}
	return 0;
}

static size_t put_options(uint8_t *at, const struct probe *probe)
{
	size_t len = put_route(at, &probe->route);

	len += put_record(at + len, SRR_OPTIONS_MAX - len, probe->record);
	return (len + 3) / 4 * 4;
}

/**
 * first_stop() - where a probe goes first
 * @route: its way
 *
 * Return: the first gateway, or the destination where there is none.
 */
in_addr_t first_stop(const struct route *route)
{
	return stop_of(route, 0);
}

/**
 * stop_of() - where a probe goes after some gateways
 * @route: its way
 * @n: how many it has passed
 *
 * Return: the next gateway, or the destination where there is none.
 */
in_addr_t stop_of(const struct route *route, unsigned int n)
{
	return n < route->gateways ? route->gateway[n] : route->to;
}

static size_t transport_least(void)
{
	if (settings.kind == KIND_TCP)
		return sizeof(struct tcphdr);
	return sizeof(struct udphdr) + PAYLOAD_MIN;
}

/**
 * probe_least() - how short a probe may be
 * @probe: the probe
 *
 * Return: octets of header, options and what tells it from others.
 */
unsigned int probe_least(const struct probe *probe)
{
	uint8_t area[SRR_OPTIONS_MAX + 3];

	return sizeof(struct iphdr) + put_options(area, probe) +
	       transport_least();
}

/**
 * probe_build() - make a datagram
 * @datagram: room for DATAGRAM_MAX octets
 * @probe: what it is to be
 *
 * The checksum of UDP and TCP is right for the last address of the route, where
 * alone it is checked (RFC 1122, 4.1.3.4). The same probe makes the same octets
 * each time: replies are compared with them.
 *
 * Return: its length in octets.
 */
size_t probe_build(uint8_t *datagram, const struct probe *probe)
{
	static const uint8_t protocols[] = {
		[KIND_ICMP] = IPPROTO_ICMP,
		[KIND_UDP] = IPPROTO_UDP,
		[KIND_TCP] = IPPROTO_TCP,
	};
	size_t least = probe_least(probe);
	size_t len = probe->size > least ? probe->size : least;
	uint8_t *area = datagram + sizeof(struct iphdr);
	struct iphdr header = { .version = 4 };
	size_t options;

	memset(datagram, 0, len);
	options = put_options(area, probe);
	header.ihl = (sizeof(header) + options) / 4;
	header.tos = settings.tos;
	header.tot_len = htons(len);
	header.id = htons(probe->serial);
	header.frag_off = htons(probe->whole ? IP_DF : 0);
	header.ttl = probe->ttl;
	header.protocol = protocols[settings.kind];
	header.saddr = probe->from;
	header.daddr = first_stop(&probe->route);
	memcpy(datagram, &header, sizeof(header));
	put16(datagram + 10, checksum_of(datagram, 4u * header.ihl));

	len -= sizeof(header) + options;
	if (settings.kind == KIND_UDP)
		put_udp(area + options, probe, len);
	else if (settings.kind == KIND_TCP)
		put_tcp(area + options, probe, len);
	else
		put_icmp(area + options, probe, len);
	return len + sizeof(header) + options;
}
