// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a datagram says of a probe, and whether it is believed.
 *
 * Pure functions over a buffer: reply_read() takes a datagram apart,
 * reply_judge() holds it against the probe that it names. Anybody may have sent
 * these octets.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <string.h>

#include "srtrace.h"

#define ICMP_HEAD	8
#define TRANSPORT_QUOTE	8	/* what an error quotes at least (RFC 792) */
#define TOKEN_SERIAL	6	/* octets of data that name a probe */
#define QUOTE_PADDED	128	/* what RFC 4884 pads a quote to */

static uint16_t read16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static const uint8_t protocols[] = {
	[KIND_ICMP] = IPPROTO_ICMP,
	[KIND_UDP] = IPPROTO_UDP,
	[KIND_TCP] = IPPROTO_TCP,
};

static void keep_transport(struct reply *reply, const uint8_t *at, size_t len)
{
	reply->transport_len = len < sizeof(reply->transport) ?
		len : sizeof(reply->transport);
	memcpy(reply->transport, at, reply->transport_len);
}

/* As many of the options as there are. */
static void keep_options(struct reply *reply, const uint8_t *datagram,
			 size_t len, unsigned int ihl)
{
	size_t there = len < 4 * ihl ? len : 4 * ihl;

	reply->options_cut = there < 4 * ihl;
	reply->options_len = there - sizeof(struct iphdr);
	memcpy(reply->options, datagram + sizeof(struct iphdr),
	       reply->options_len);
}

static bool has_length(uint8_t type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

/*
 * Where the quote ends and what has been added begins. Routers older than RFC
 * 4884 say nothing of a length and add it behind 128 octets all the same; there
 * it is only believed with a checksum that is right.
 */
static size_t quote_length(struct reply *reply, const uint8_t *at, size_t len)
{
	size_t said = has_length(at[0]) ? 4 * at[5] : 0;
	struct extension extension;

	at += ICMP_HEAD;
	len -= ICMP_HEAD;
	if (said && said <= len && said >= sizeof(struct iphdr)) {
		if (said < len)
			extension_read(&reply->extension, at + said,
				       len - said);
		return said;
	}
	reply->bad_length = said;
	if (!said && has_length(reply->type) && len > QUOTE_PADDED + 4 &&
	    (at[QUOTE_PADDED + 2] || at[QUOTE_PADDED + 3])) {
		extension_read(&extension, at + QUOTE_PADDED,
			       len - QUOTE_PADDED);
		if (!extension.broken) {
			reply->extension = extension;
			return QUOTE_PADDED;
		}
	}
	return len;
}

/* An error that quotes what may be a probe of ours. */
static bool read_error(struct reply *reply, const uint8_t *at, size_t len)
{
	const uint8_t *quote = at + ICMP_HEAD;
	struct iphdr quoted;

	if (len < ICMP_HEAD + sizeof(quoted))
		return false;
	reply->type = at[0];
	reply->code = at[1];
	if (reply->type == ICMP_PARAMETERPROB)
		reply->pointer = at[4];
	if (reply->type == ICMP_DEST_UNREACH && reply->code == ICMP_FRAG_NEEDED)
		reply->mtu = read16(at + 6);
	len = quote_length(reply, at, len);
	memcpy(&quoted, quote, sizeof(quoted));
	if (quoted.version != 4 || quoted.ihl < 5 ||
	    quoted.protocol != protocols[settings.kind])
		return false;
	reply->serial = ntohs(quoted.id);
	reply->quoted_from = quoted.saddr;
	reply->quoted_tos = quoted.tos;
	reply->quoted_ttl = quoted.ttl;
	reply->quoted_head = 4 * quoted.ihl;
	reply->to = quoted.daddr;
	keep_options(reply, quote, len, quoted.ihl);
	if (len > 4u * quoted.ihl)
		keep_transport(reply, quote + 4 * quoted.ihl,
			       len - 4 * quoted.ihl);
	reply->outcome = OUTCOME_REFUSED;
	if (reply->type == ICMP_TIME_EXCEEDED && !reply->code)
		reply->outcome = OUTCOME_EXPIRED;
	return true;
}

static bool is_error(uint8_t type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB || type == ICMP_SOURCE_QUENCH ||
	       type == ICMP_REDIRECT;
}

static bool is_our_port(uint16_t port)
{
	return (uint16_t)(port - FLOW_FIRST) < FLOWS_MAX;
}

static bool read_echo_reply(struct reply *reply, const uint8_t *at, size_t len)
{
	if (at[0] != ICMP_ECHOREPLY || read16(at + 4) != identity.id)
		return false;
	reply->serial = read16(at + 6);
	reply->data = at + ICMP_HEAD;
	reply->data_len = len - ICMP_HEAD;
	return true;
}

static bool read_segment(struct reply *reply, const uint8_t *at, size_t len)
{
	uint32_t acknowledged;

	if (len < sizeof(struct tcphdr) || !is_our_port(read16(at + 2)) ||
	    read16(at) != settings.port || !(at[13] & 0x10))
		return false;
	memcpy(&acknowledged, at + 8, sizeof(acknowledged));
	acknowledged = ntohl(acknowledged) - 1;
	reply->serial = (acknowledged ^ identity.token) >> 16;
	return acknowledged == tcp_sequence(reply->serial);
}

/* It is a probe, or an answer to one. The probe itself is told by its source. */
static bool read_plain(struct reply *reply, const struct iphdr *header,
		       const uint8_t *at, size_t len)
{
	if (header->protocol != protocols[settings.kind] ||
	    len < TRANSPORT_QUOTE)
		return false;
	keep_transport(reply, at, len);
	if (reply->from == reply->destination ||
	    (settings.kind == KIND_ICMP && at[0] == ICMP_ECHO)) {
		if (settings.kind != KIND_ICMP || at[0] == ICMP_ECHO) {
			reply->outcome = OUTCOME_RETURNED;
			reply->serial = ntohs(header->id);
			reply->quoted_from = reply->from;
			return settings.kind == KIND_ICMP ?
				read16(at + 4) == identity.id :
				is_our_port(read16(at));
		}
	}
	reply->outcome = OUTCOME_ANSWERED;
	if (settings.kind == KIND_ICMP)
		return read_echo_reply(reply, at, len);
	if (settings.kind == KIND_TCP)
		return read_segment(reply, at, len);
	/* Only what sends our data back tells which of the probes it answers. */
	if (len >= TRANSPORT_QUOTE + TOKEN_SERIAL &&
	    !memcmp(at + TRANSPORT_QUOTE, &identity.token,
		    sizeof(identity.token)))
		reply->serial = read16(at + TRANSPORT_QUOTE +
				       sizeof(identity.token));
	return is_our_port(read16(at + 2)) && read16(at) == settings.port;
}

/**
 * reply_read() - take a datagram apart
 * @reply: filled in as far as the datagram alone tells
 * @datagram: what has come in, from its IP header on
 * @len: its length in octets
 *
 * Return: false if it has nothing to do with a probe of ours. What is wrong with
 *	   it as a datagram is in @doubt, so that it can be told whose probe it
 *	   names.
 */
bool reply_read(struct reply *reply, const uint8_t *datagram, size_t len)
{
	struct iphdr header;
	const uint8_t *at;
	size_t head, total;

	memset(reply, 0, sizeof(*reply));
	if (len < sizeof(header))
		return false;
	memcpy(&header, datagram, sizeof(header));
	head = 4 * header.ihl;
	total = ntohs(header.tot_len);
	if (header.version != 4 || head < sizeof(header) ||
	    total < head + ICMP_HEAD || total > len)
		return false;
	at = datagram + head;
	len = total - head;
	reply->from = header.saddr;
	reply->destination = header.daddr;
	reply->to = header.daddr;
	reply->ttl = header.ttl;
	reply->size = total;
	if (ntohs(header.frag_off) & (IP_MF | IP_OFFMASK))
		reply->doubt = DOUBT_FRAGMENT;
	else if (header.protocol == IPPROTO_ICMP && checksum_of(at, len))
		reply->doubt = DOUBT_ICMP_CHECKSUM;
	if (checksum_of(datagram, head))
		reply->doubt = DOUBT_IP_CHECKSUM;

	if (header.protocol == IPPROTO_ICMP && is_error(at[0]))
		return read_error(reply, at, len);
	keep_options(reply, datagram, head, header.ihl);
	return read_plain(reply, &header, at, len);
}

/* Of a quote that ends within the route: as far as it goes, is it ours? */
static void judge_cut(struct reply *reply, const uint8_t *sent,
		      const struct route *route)
{
	const uint8_t *options = reply->options;
	unsigned int ptr, from;

	reply->place = PLACE_CUT;
	if (reply->options_len < 3)
		return;
	ptr = options[SRR_PTR];
	if (options[0] != sent[0] || options[1] != sent[1] || ptr < 4 ||
	    ptr % 4 || ptr > 4 + 4 * route->gateways) {
		reply->place = PLACE_BROKEN;
		return;
	}
	reply->passed = (ptr - 4) / 4;
	for (from = ptr - 1; from + 4 <= reply->options_len &&
	     from < sent[1]; from += 4)
		if (memcmp(options + from, sent + from, 4))
			reply->place = PLACE_OTHER;
}

/*
 * Where in its route the probe was: a pointer says so, if the option is of the
 * type and length that we have sent, and what is still to come is as it was.
 */
static void judge_place(struct reply *reply, const uint8_t *sent,
			const struct route *route)
{
	unsigned int n, rest;
	struct srr srr;

	reply->place = PLACE_NONE;
	if (!route->gateways)
		return;
	if (!reply->options_len && !reply->options_cut) {
		reply->place = PLACE_STRIPPED;
		return;
	}
	if (reply->options_cut) {
		judge_cut(reply, sent, route);
		return;
	}
	switch (srr_parse(reply->options, reply->options_len, &srr)) {
	case SRR_NONE:
	case SRR_FAULT:
		reply->place = PLACE_BROKEN;
		return;
	case SRR_VALID:
		break;
	}
	srr_recorded(reply->options, &srr, &n);
	reply->place = PLACE_OTHER;
	if (srr.type != sent[0] || srr.len != sent[1])
		return;
	rest = 3 + 4 * n;
	if (memcmp(reply->options + srr.off + rest, sent + rest,
		   srr.len - rest))
		return;
	reply->passed = n;
	reply->place = PLACE_SOUND;
}

static bool is_in_route(const struct route *route, in_addr_t address)
{
	unsigned int i;

	for (i = 0; i <= route->gateways; i++)
		if (stop_of(route, i) == address)
			return true;
	return false;
}

static enum doubt doubt_error(const struct reply *reply,
			      const struct probe *probe, const uint8_t *sent,
			      unsigned int head)
{
	unsigned int compared = reply->transport_len < TRANSPORT_QUOTE ?
		reply->transport_len : TRANSPORT_QUOTE;
	bool cut = compared < TRANSPORT_QUOTE;

	if (reply->quoted_from != probe->from)
		return DOUBT_QUOTED_SOURCE;
	if (!is_in_route(&probe->route, reply->to))
		return DOUBT_QUOTED_DESTINATION;
	/*
	 * Only where options take their room may they be missing (RFC 792), and then
	 * the header must be as long as ours.
	 */
	if ((cut && (head == sizeof(struct iphdr) ||
		     reply->quoted_head != head)) ||
	    memcmp(reply->transport, sent, compared))
		return DOUBT_QUOTED_TRANSPORT;
	if (reply->type == ICMP_SOURCE_QUENCH || reply->type == ICMP_REDIRECT)
		return DOUBT_TYPE;
	return DOUBT_NONE;
}

static enum doubt doubt_returned(const struct reply *reply,
				 const struct probe *probe, const uint8_t *sent)
{
	struct srr srr;

	if (reply->from != probe->from)
		return DOUBT_QUOTED_SOURCE;
	if (memcmp(reply->transport, sent, TRANSPORT_QUOTE))
		return DOUBT_QUOTED_TRANSPORT;
	if (probe->route.to != probe->from || reply->to != probe->from ||
	    !probe->route.gateways)
		return DOUBT_PASSING;
	if (srr_parse(reply->options, reply->options_len, &srr) != SRR_VALID ||
	    !srr_is_complete(&srr))
		return DOUBT_PASSING;
	return DOUBT_NONE;
}

static enum doubt doubt_answer(const struct reply *reply,
			       const struct probe *probe, const uint8_t *sent,
			       size_t sent_len)
{
	if (reply->destination != probe->from)
		return DOUBT_DESTINATION;
	if (reply->from != probe->route.to)
		return DOUBT_ANSWERER;
	if (settings.kind == KIND_TCP && probe->flow !=
	    (uint16_t)(read16(reply->transport + 2) - FLOW_FIRST))
		return DOUBT_CONTENT;
	if (settings.kind == KIND_ICMP &&
	    (reply->data_len != sent_len - ICMP_HEAD ||
	     memcmp(reply->data, sent + ICMP_HEAD, reply->data_len)))
		return DOUBT_CONTENT;
	return DOUBT_NONE;
}

/**
 * reply_judge() - hold a reply against the probe that it names
 * @reply: as reply_read() has filled it in; @doubt, @place, @passed and @outcome
 *	   are completed
 * @probe: the probe
 *
 * Reached is what the destination itself answers, or with UDP and TCP its own
 * error; a firewall on the way is not the destination, whatever it sends.
 */
void reply_judge(struct reply *reply, const struct probe *probe)
{
	static uint8_t datagram[DATAGRAM_MAX];
	size_t len = probe_build(datagram, probe);
	const uint8_t *sent = datagram + 4 * (datagram[0] & 15);
	enum doubt doubt;

	if (reply->outcome == OUTCOME_RETURNED)
		doubt = doubt_returned(reply, probe, sent);
	else if (reply->outcome == OUTCOME_ANSWERED)
		doubt = doubt_answer(reply, probe, sent,
				     len - (sent - datagram));
	else if (reply->destination != probe->from)
		doubt = DOUBT_DESTINATION;
	else
		doubt = doubt_error(reply, probe, sent, sent - datagram);
	/* What is wrong with the datagram itself comes first. */
	if (!reply->doubt)
		reply->doubt = doubt;
	reply->data = NULL;
	reply->data_len = 0;
	if (reply->doubt)
		return;
	judge_place(reply, datagram + sizeof(struct iphdr), &probe->route);
	if (reply->outcome == OUTCOME_RETURNED && reply->place != PLACE_SOUND)
		reply->doubt = DOUBT_ROUTE;
	if (reply->outcome == OUTCOME_REFUSED &&
	    reply->type == ICMP_DEST_UNREACH &&
	    reply->code != ICMP_FRAG_NEEDED && settings.kind != KIND_ICMP &&
	    reply->from == probe->route.to && reply->to == probe->route.to)
		reply->outcome = OUTCOME_ANSWERED;
}

/**
 * reply_is_end() - is there nothing behind it?
 * @reply: the reply
 *
 * Return: true if the probe has come to its end, here or there.
 */
bool reply_is_end(const struct reply *reply)
{
	return reply->outcome == OUTCOME_ANSWERED ||
	       reply->outcome == OUTCOME_RETURNED ||
	       reply->outcome == OUTCOME_REFUSED;
}

/**
 * reply_is_reached() - has the probe come to where it was to go?
 * @reply: the reply
 *
 * Return: true if its destination says so, or we are that.
 */
bool reply_is_reached(const struct reply *reply)
{
	return reply->outcome == OUTCOME_ANSWERED ||
	       reply->outcome == OUTCOME_RETURNED;
}

/**
 * reply_is_there() - is there one?
 * @reply: the reply
 *
 * Return: false for silence, and for a probe that was not sent.
 */
bool reply_is_there(const struct reply *reply)
{
	return reply_is_end(reply) || reply->outcome == OUTCOME_EXPIRED;
}

/**
 * is_own_probe() - is it a probe of ours, as it leaves?
 * @datagram: from its IP header on
 * @len: its length in octets
 * @serial: set to its serial
 *
 * Return: false if it is something else that leaves.
 */
bool is_own_probe(const uint8_t *datagram, size_t len, uint16_t *serial)
{
	size_t head = len < sizeof(struct iphdr) ? 0 : 4 * (datagram[0] & 15);

	if (!head || len < head + TRANSPORT_QUOTE ||
	    datagram[9] != protocols[settings.kind])
		return false;
	*serial = read16(datagram + 4);
	if (settings.kind == KIND_ICMP)
		return datagram[head] == ICMP_ECHO &&
		       read16(datagram + head + 4) == identity.id;
	return is_our_port(read16(datagram + head));
}
