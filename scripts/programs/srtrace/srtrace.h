/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * srtrace: what source routes show of a network.
 *
 *   main.c     command line
 *   wire.c     sockets: probes out, what they bring about in
 *   probe.c    datagrams: how a probe is made, what a reply says
 *   trace.c    the way to a destination, hop by hop; out to a gateway and back
 *   record.c   the way as routers record it; which addresses are one router's
 *   scan.c     which of many gateways forward source routes
 *   report.c   names, times, colours, JSON
 *
 * Addresses are in network byte order throughout, times in milliseconds.
 *
 * checkpatch: PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO: this is a program of user space
 */
#ifndef SRTRACE_H
#define SRTRACE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>
#include <srcroute/option.h>

/* All that fit ahead of the destination. */
#define GATEWAYS_MAX	(SRR_SLOTS_MAX - 1)
#define DATAGRAM_MAX	128
#define ADDRESS_TEXT	INET_ADDRSTRLEN

/* Exit codes; srtrace(8). */
enum {
	EXIT_REACHED = 0,
	EXIT_NOT_REACHED = 1,
	EXIT_USAGE = 2,
	EXIT_PRIVILEGE = 3,
	EXIT_SYSTEM = 4,
};

enum kind {
	KIND_ICMP,
	KIND_UDP,
	KIND_TCP,
};

/**
 * struct settings - what the command line asks for
 * @kind: of the probes
 * @strict: strict routes, not loose ones
 * @port: destination port of UDP, the first of many, or of TCP
 * @probes: per hop
 * @first: TTL to begin with
 * @last: TTL to end with
 * @wait: for a reply, milliseconds
 * @rate: probes per second of a scan
 * @source: address to send from, 0 for the one that routing chooses
 * @numeric: no names
 * @verbose: show option octets
 * @json: print JSON
 * @colour: standard output is a terminal
 */
struct settings {
	enum kind kind;
	bool strict;
	uint16_t port;
	unsigned int probes;
	unsigned int first;
	unsigned int last;
	unsigned int wait;
	double rate;
	in_addr_t source;
	bool numeric;
	bool verbose;
	bool json;
	bool colour;
};

extern struct settings settings;

/**
 * struct route - the way of a probe
 * @gateway: gateways in the order of travel
 * @gateways: how many
 * @to: the last address of the route, whose checksum the probe carries
 */
struct route {
	in_addr_t gateway[GATEWAYS_MAX];
	unsigned int gateways;
	in_addr_t to;
};

/**
 * struct probe - a datagram to be sent
 * @route: its way
 * @ttl: its time to live
 * @record: with an empty Record Route option, as long as there is room
 * @sequence: tells it from others of this process
 * @from: its source address
 */
struct probe {
	const struct route *route;
	unsigned int ttl;
	bool record;
	uint16_t sequence;
	in_addr_t from;
};

enum outcome {
	OUTCOME_NONE,		/* silence */
	OUTCOME_EXPIRED,	/* TTL exceeded on the way */
	OUTCOME_REFUSED,	/* another ICMP error */
	OUTCOME_ANSWERED,	/* the destination has answered */
	OUTCOME_RETURNED,	/* the probe itself has come to us */
};

/**
 * struct reply - what a probe has brought about
 * @outcome: of what kind
 * @from: who sent it
 * @type: of an ICMP error
 * @code: of an ICMP error
 * @pointer: of a Parameter Problem: the octet that is blamed
 * @rtt: from sending on, milliseconds
 * @to: the destination that the probe had, where an error quotes it
 * @options: IP options: of the quoted probe, or of an answer
 * @options_len: octets of @options
 */
struct reply {
	enum outcome outcome;
	in_addr_t from;
	uint8_t type;
	uint8_t code;
	uint8_t pointer;
	double rtt;
	in_addr_t to;
	uint8_t options[SRR_OPTIONS_MAX];
	unsigned int options_len;
};

/* probe.c */
size_t probe_build(uint8_t *datagram, const struct probe *probe);
bool reply_read(struct reply *reply, uint16_t *sequence,
		const uint8_t *datagram, size_t len, in_addr_t self);
int gateways_passed(const struct reply *reply);
in_addr_t first_stop(const struct route *route);
uint16_t own_port(void);

/* wire.c */
void wire_open(void);
in_addr_t wire_source(in_addr_t to);
void wire_send(const struct probe *probe, double *sent_at);
bool wire_receive(struct reply *reply, uint16_t *sequence, in_addr_t self,
		  double until);
void wire_ask(const struct probe *probe, struct reply *reply);
double now(void);
void sleep_until(double when);

/* trace.c */
int trace(const struct route *route);
int loop(in_addr_t gateway);

/* record.c */
int show_record(in_addr_t to);
int aliases(const in_addr_t *address, unsigned int n);

/* scan.c */
int scan(const char *path, in_addr_t to);

/* report.c */
const char *quad(in_addr_t address, char *text);
const char *name_of(in_addr_t address);
bool look_up(const char *name, in_addr_t *address, const char **why);
in_addr_t resolve(const char *name);
void show_host(in_addr_t address);
void show_area(const uint8_t *area, unsigned int len);
const char *paint(const char *code);
const char *error_name(const struct reply *reply);
struct json_object *json_address(in_addr_t address);
struct json_object *json_octets(const uint8_t *octets, unsigned int len);
struct json_object *json_addresses(const in_addr_t *address, unsigned int n);
struct json_object *json_reply(const struct reply *reply);
void json_print(struct json_object *object);
void fail(int status, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

#endif /* SRTRACE_H */
