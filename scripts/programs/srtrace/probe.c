// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams: how a probe is made, what a reply says.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "srtrace.h"

#define OPT_RR		7
#define OPT_PTR		4
#define PAYLOAD		8	/* octets of data in ICMP and UDP */

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
	return htons(~total & 0xffff);
}

/* The destination in it is the last of the route: that is where it is checked. */
static uint32_t pseudo_header(const struct probe *probe, uint8_t protocol,
			      size_t len)
{
	uint32_t total = protocol + len;

	total = sum(total, &probe->from, sizeof(probe->from));
	return sum(total, &probe->route->to, sizeof(probe->route->to));
}

/**
 * own_port() - what tells our datagrams from those of other processes
 *
 * Return: an ICMP identifier or port, host byte order, above the well-known.
 */
uint16_t own_port(void)
{
	return 0x8000 | (getpid() & 0x7fff);
}

static size_t put_icmp(uint8_t *at, const struct probe *probe)
{
	struct icmphdr header = {
		.type = ICMP_ECHO,
		.un.echo.id = htons(own_port()),
		.un.echo.sequence = htons(probe->sequence),
	};
	size_t len = sizeof(header) + PAYLOAD;

	memcpy(at, &header, sizeof(header));
	header.checksum = fold(sum(0, at, len));
	memcpy(at, &header, sizeof(header));
	return len;
}

static size_t put_udp(uint8_t *at, const struct probe *probe)
{
	size_t len = sizeof(struct udphdr) + PAYLOAD;
	struct udphdr header = {
		.source = htons(own_port()),
		.dest = htons(settings.port + probe->sequence),
		.len = htons(len),
	};

	memcpy(at, &header, sizeof(header));
	header.check = fold(sum(pseudo_header(probe, IPPROTO_UDP, len), at,
				len));
	if (!header.check)
		header.check = 0xffff;
	memcpy(at, &header, sizeof(header));
	return len;
}

/* A SYN, never a connection: our kernel answers the reply with RST. */
static size_t put_tcp(uint8_t *at, const struct probe *probe)
{
	struct tcphdr header = {
		.source = htons(own_port()),
		.dest = htons(settings.port),
		.seq = htonl((uint32_t)probe->sequence << 16),
		.doff = sizeof(header) / 4,
		.syn = 1,
		.window = htons(1024),
	};

	memcpy(at, &header, sizeof(header));
	header.check = fold(sum(pseudo_header(probe, IPPROTO_TCP,
					      sizeof(header)), at,
				sizeof(header)));
	memcpy(at, &header, sizeof(header));
	return sizeof(header);
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

static size_t put_record(uint8_t *at, size_t room)
{
	if (room < 7)
		return 0;
	at[0] = OPT_RR;
	at[1] = 3 + (room - 3) / 4 * 4;
	at[2] = OPT_PTR;
	return at[1];
}

/**
 * first_stop() - where a probe goes first
 * @route: its way
 *
 * Return: the first gateway, or the destination where there is none.
 */
in_addr_t first_stop(const struct route *route)
{
	return route->gateways ? route->gateway[0] : route->to;
}

/**
 * probe_build() - make a datagram
 * @datagram: room for DATAGRAM_MAX octets
 * @probe: what it is to be
 *
 * The checksum of UDP and TCP is right for the last address of the route, where
 * alone it is checked (RFC 1122, 4.1.3.4).
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
	uint8_t *area = datagram + sizeof(struct iphdr);
	struct iphdr header = { .version = 4 };
	size_t options, len;

	memset(datagram, 0, DATAGRAM_MAX);
	options = put_route(area, probe->route);
	if (probe->record)
		options += put_record(area + options, SRR_OPTIONS_MAX - options);
	options = (options + 3) / 4 * 4;

	if (settings.kind == KIND_UDP)
		len = put_udp(area + options, probe);
	else if (settings.kind == KIND_TCP)
		len = put_tcp(area + options, probe);
	else
		len = put_icmp(area + options, probe);

	len += sizeof(header) + options;
	header.ihl = (sizeof(header) + options) / 4;
	header.tot_len = htons(len);
	header.id = htons(probe->sequence);
	header.ttl = probe->ttl;
	header.protocol = protocols[settings.kind];
	header.saddr = probe->from;
	header.daddr = first_stop(probe->route);
	memcpy(datagram, &header, sizeof(header));
	header.check = fold(sum(0, datagram, 4u * header.ihl));
	memcpy(datagram, &header, sizeof(header));
	return len;
}

/* A header whose options and first eight octets of data are there. */
static bool read_header(struct iphdr *header, const uint8_t *datagram,
			size_t len)
{
	if (len < sizeof(*header))
		return false;
	memcpy(header, datagram, sizeof(*header));
	return header->version == 4 && header->ihl >= 5 &&
	       len >= 4u * header->ihl + 8;
}

static void keep_options(struct reply *reply, const uint8_t *datagram,
			 const struct iphdr *header)
{
	reply->options_len = 4 * header->ihl - sizeof(*header);
	memcpy(reply->options, datagram + sizeof(*header), reply->options_len);
}

static uint16_t read16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

/* Is it a probe of ours? @at is what follows its IP header. */
static bool is_ours(uint16_t *sequence, uint8_t protocol, const uint8_t *at)
{
	switch (settings.kind) {
	case KIND_ICMP:
		*sequence = read16(at + 6);
		return protocol == IPPROTO_ICMP && at[0] == ICMP_ECHO &&
		       read16(at + 4) == own_port();
	case KIND_UDP:
		*sequence = read16(at + 2) - settings.port;
		return protocol == IPPROTO_UDP && read16(at) == own_port();
	case KIND_TCP:
		*sequence = read16(at + 4);
		return protocol == IPPROTO_TCP && read16(at) == own_port() &&
		       read16(at + 2) == settings.port;
	}
	return false;
}

/* Does it answer a probe of ours? */
static bool is_answer(uint16_t *sequence, uint8_t protocol, const uint8_t *at,
		      size_t len)
{
	uint32_t acknowledged;

	switch (settings.kind) {
	case KIND_ICMP:
		*sequence = read16(at + 6);
		return protocol == IPPROTO_ICMP && at[0] == ICMP_ECHOREPLY &&
		       read16(at + 4) == own_port();
	case KIND_UDP:
		*sequence = read16(at) - settings.port;
		return protocol == IPPROTO_UDP && read16(at + 2) == own_port();
	case KIND_TCP:
		if (len < sizeof(struct tcphdr))
			return false;
		memcpy(&acknowledged, at + 8, sizeof(acknowledged));
		*sequence = (ntohl(acknowledged) - 1) >> 16;
		return protocol == IPPROTO_TCP && read16(at + 2) == own_port() &&
		       read16(at) == settings.port;
	}
	return false;
}

static bool read_error(struct reply *reply, uint16_t *sequence,
		       const uint8_t *at, size_t len)
{
	struct iphdr quoted;

	if (at[0] != ICMP_DEST_UNREACH && at[0] != ICMP_TIME_EXCEEDED &&
	    at[0] != ICMP_PARAMETERPROB && at[0] != ICMP_SOURCE_QUENCH)
		return false;
	if (!read_header(&quoted, at + 8, len - 8) ||
	    !is_ours(sequence, quoted.protocol, at + 8 + 4 * quoted.ihl))
		return false;
	reply->type = at[0];
	reply->code = at[1];
	reply->pointer = at[4];
	reply->to = quoted.daddr;
	keep_options(reply, at + 8, &quoted);
	reply->outcome = OUTCOME_REFUSED;
	if (reply->type == ICMP_TIME_EXCEEDED && !reply->code)
		reply->outcome = OUTCOME_EXPIRED;
	return true;
}

/**
 * reply_read() - what a datagram says of a probe
 * @reply: filled in but for the time
 * @sequence: that of the probe
 * @datagram: what has come in
 * @len: its length in octets
 * @self: the source of our probes
 *
 * Return: false if it has nothing to do with a probe of ours.
 */
bool reply_read(struct reply *reply, uint16_t *sequence,
		const uint8_t *datagram, size_t len, in_addr_t self)
{
	struct iphdr header;
	const uint8_t *at;

	memset(reply, 0, sizeof(*reply));
	if (!read_header(&header, datagram, len))
		return false;
	at = datagram + 4 * header.ihl;
	len -= 4 * header.ihl;
	reply->from = header.saddr;
	reply->to = header.daddr;

	if (header.protocol == IPPROTO_ICMP &&
	    read_error(reply, sequence, at, len)) {
		/* A closed port is an answer. */
		if (reply->type == ICMP_DEST_UNREACH &&
		    reply->code == ICMP_PORT_UNREACH)
			reply->outcome = OUTCOME_ANSWERED;
		return true;
	}
	keep_options(reply, datagram, &header);
	if (header.saddr == self && is_ours(sequence, header.protocol, at)) {
		reply->outcome = OUTCOME_RETURNED;
		return true;
	}
	reply->outcome = OUTCOME_ANSWERED;
	return is_answer(sequence, header.protocol, at, len);
}

/**
 * gateways_passed() - how much of its route a datagram had gone
 * @reply: what quotes it, or the datagram itself
 *
 * Whoever replies may quote anything. A pointer far beyond the option does not
 * make the route longer, so what counts are the addresses ahead of it.
 *
 * Return: gateways passed; -1 if the options hold no source route, or hold a
 *	   fault, so that a gateway would refuse them.
 */
int gateways_passed(const struct reply *reply)
{
	struct srr srr;
	unsigned int n;

	if (srr_parse(reply->options, reply->options_len, &srr) != SRR_VALID)
		return -1;
	srr_recorded(reply->options, &srr, &n);
	return n;
}
