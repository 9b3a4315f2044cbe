/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * srtrace: what source routes show of a network.
 *
 *   main.c     command line
 *   probe.c    datagrams: how a probe is made
 *   reply.c    ... what a datagram says of a probe, and whether it is believed
 *   extension.c ... what routers add to an ICMP error (RFC 4884)
 *   wire.c     sockets: probes out, what they bring about in
 *   cage.c     privileges dropped once they are open
 *   engine.c   many probes in flight: pace, waiting, asking again
 *   trace.c    the way to a destination, hop by hop
 *   flows.c    its branches, which other flows pass
 *   mtu.c      its MTU
 *   monitor.c  a way asked again and again, reported once
 *   watch.c    ... and shown while it goes on
 *   loop.c     out to a gateway and back
 *   record.c   the way as routers record it
 *   aliases.c  which addresses are one router's
 *   scan.c     which of many gateways forward source routes
 *   report.c   names, colours, words
 *   picture.c  SVG, HTML, and for Graphviz
 *   json.c     a JSON object per line
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

#ifndef VERSION
#define VERSION "unknown"
#endif

/* The destination of the datagram, and all slots but the last. */
#define GATEWAYS_MAX	SRR_SLOTS_MAX
#define DATAGRAM_MAX	65535
#define PAYLOAD_MIN	8	/* octets of data in ICMP and UDP */
#define FLOWS_MAX	256
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

enum report {
	REPORT_NONE,
	REPORT_TEXT,
	REPORT_JSON,
	REPORT_CSV,
	REPORT_PROMETHEUS,
};

/**
 * struct settings - what the command line asks for
 * @kind: of the probes
 * @strict: strict routes, not loose ones
 * @port: destination port of UDP or TCP
 * @probes: per hop; with a scan, how often a gateway is asked
 * @first: TTL to begin with
 * @last: TTL to end with
 * @gap: silent hops in a row after which there is no use in going on
 * @wait: for a reply, milliseconds
 * @here: at most so many times as long as replies of the same hop took, 0 for @wait
 * @near: ... or, where it has sent none, as those of the next one did
 * @pace: least time between two probes, milliseconds
 * @window: most probes in flight
 * @rate: probes per second of a scan
 * @source: address to send from, 0 for the one that routing chooses
 * @device: interface or VRF to send by, or NULL
 * @vrf: @device is a VRF
 * @tos: type of service
 * @whole: the datagrams may not be fragmented
 * @size: length of the datagrams, 0 for the least
 * @report: in which form --report prints
 * @every: time between two rounds of --watch and --report, milliseconds
 * @rounds: how many rounds, 0 for no end
 * @times: --record asks for clocks
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
	unsigned int gap;
	double wait;
	double here;
	double near;
	double pace;
	unsigned int window;
	double rate;
	in_addr_t source;
	const char *device;
	bool vrf;
	uint8_t tos;
	bool whole;
	unsigned int size;
	enum report report;
	double every;
	unsigned int rounds;
	bool times;
	bool numeric;
	bool verbose;
	bool json;
	bool colour;
};

extern struct settings settings;

/*
 * The first of our ports, and the checksum of ICMP: what a balancer looks at is the same
 * in each run, so that two runs take the same way. Above the ports that Linux gives to
 * other programs.
 */
#define FLOW_FIRST	61000

/**
 * struct identity - what tells our probes from those of other runs
 * @id: ICMP identifier
 * @token: in the data of ICMP and UDP, in the sequence number of TCP
 *
 * Both are random: two containers have the same process ids.
 */
struct identity {
	uint16_t id;
	uint32_t token;
};

extern struct identity identity;

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

enum recording {
	RECORD_NOTHING,
	RECORD_ROUTE,		/* Record Route */
	RECORD_TIME,		/* Timestamp, with addresses */
};

/**
 * struct probe - a datagram to be sent
 * @route: its way
 * @ttl: its time to live
 * @record: what else routers shall write into it, as long as there is room
 * @flow: which of the flows of this run; a balancer treats one as a whole
 * @serial: its IP identification, never 0, which a kernel would replace
 * @size: length in octets, 0 for the least
 * @whole: may not be fragmented
 * @from: its source address
 */
struct probe {
	struct route route;
	unsigned int ttl;
	enum recording record;
	unsigned int flow;
	uint16_t serial;
	unsigned int size;
	bool whole;
	in_addr_t from;
};

enum outcome {
	OUTCOME_NONE,		/* silence */
	OUTCOME_EXPIRED,	/* TTL exceeded on the way */
	OUTCOME_REFUSED,	/* another ICMP error */
	OUTCOME_ANSWERED,	/* the destination has answered */
	OUTCOME_RETURNED,	/* the probe itself has come to us, its route used up */
	OUTCOME_UNSENT,		/* our own kernel has not sent it */
	OUTCOME_UNKNOWN,	/* silence, but datagrams were lost before we read them */
};

/**
 * enum doubt - why a datagram is not believed though it names a probe of ours
 * @DOUBT_NONE: it is believed
 */
enum doubt {
	DOUBT_NONE,
	DOUBT_IP_CHECKSUM,
	DOUBT_ICMP_CHECKSUM,
	DOUBT_FRAGMENT,
	DOUBT_OTHER_HOST,	/* at link layer */
	DOUBT_DESTINATION,	/* not for the address that we have sent from */
	DOUBT_QUOTED_SOURCE,
	DOUBT_QUOTED_DESTINATION,	/* none of the route */
	DOUBT_QUOTED_TRANSPORT,	/* other ports, identifier, sequence, checksum */
	DOUBT_ANSWERER,		/* an answer from an address that was not asked */
	DOUBT_CONTENT,		/* an answer with other data */
	DOUBT_PASSING,		/* a probe of ours that is still on its way */
	DOUBT_ROUTE,		/* it has come back with another route */
	DOUBT_TYPE,		/* an ICMP message that says nothing of a probe's fate */
	DOUBTS,
};

/**
 * enum place - what the options say of where in its route a probe was
 * @PLACE_NONE: it had no source route
 * @PLACE_SOUND: struct reply's @passed is to be trusted
 * @PLACE_CUT: the quote ends within the route, as far as it goes it is ours
 * @PLACE_STRIPPED: the quote has no options
 * @PLACE_BROKEN: the options hold a fault
 * @PLACE_OTHER: a sound route, but not the one that was sent
 */
enum place {
	PLACE_NONE,
	PLACE_SOUND,
	PLACE_CUT,
	PLACE_STRIPPED,
	PLACE_BROKEN,
	PLACE_OTHER,
};

#define LABELS_MAX	8
#define INTERFACE_NAME	64

/**
 * struct interface - what RFC 5837 tells of an interface
 * @role: 0 arrived by, 1 a part of it, 2 would leave by, 3 next hop
 * @index: of the interface, 0 if it is not said
 * @address: 0 if it is not said
 * @name: empty if it is not said
 * @mtu: 0 if it is not said
 */
struct interface {
	uint8_t role;
	uint32_t index;
	in_addr_t address;
	char name[INTERFACE_NAME];
	uint32_t mtu;
};

/**
 * struct extension - what a router has added to an ICMP error (RFC 4884)
 * @labels: MPLS label stack entries (RFC 4950), host byte order
 * @n_labels: how many
 * @interfaces: RFC 5837
 * @n_interfaces: how many
 * @others: objects that are none of these
 * @broken: there is something, and its checksum or a length in it is wrong
 */
struct extension {
	uint32_t labels[LABELS_MAX];
	unsigned int n_labels;
	struct interface interfaces[4];
	unsigned int n_interfaces;
	unsigned int others;
	bool broken;
};

/**
 * struct reply - what a probe has brought about
 * @outcome: of what kind
 * @from: who sent it
 * @destination: of the datagram: us
 * @serial: of the probe that it names; 0 if it names none (UDP)
 * @type: of an ICMP error, else 0
 * @code: of an ICMP error
 * @pointer: of a Parameter Problem: the octet that is blamed
 * @mtu: of "fragmentation needed"
 * @error: of OUTCOME_UNSENT: errno
 * @rtt: from sending on, milliseconds
 * @ttl: as it arrived
 * @size: its length in octets
 * @quoted_from: source of the quoted datagram, or of a probe that has returned
 * @quoted_tos: type of service of the quoted datagram
 * @quoted_ttl: its TTL, as it was when the error was made
 * @quoted_head: length of the quoted header, as it says
 * @to: the destination that the probe had, where an error quotes it
 * @transport: first octets of the transport header: quoted, or of the datagram
 * @transport_len: how many of them, up to sizeof(@transport)
 * @data: octets behind the transport header of an echo reply
 * @data_len: how many
 * @options: IP options: of the quoted probe, or of an answer
 * @options_len: octets of @options, as many as there are
 * @options_cut: the quote ends within the options
 * @bad_length: the RFC 4884 length of the error is wrong
 * @place: what the options say
 * @passed: gateways that the probe had passed, where @place says so
 * @extension: what the router has added
 * @doubt: why it is not believed
 * @copies: how many more of it have come
 * @late: it came after the time to wait
 */
struct reply {
	enum outcome outcome;
	in_addr_t from;
	in_addr_t destination;
	uint16_t serial;
	uint8_t type;
	uint8_t code;
	uint8_t pointer;
	uint16_t mtu;
	int error;
	double rtt;
	uint8_t ttl;
	unsigned int size;
	in_addr_t quoted_from;
	uint8_t quoted_tos;
	uint8_t quoted_ttl;
	unsigned int quoted_head;
	in_addr_t to;
	uint8_t transport[20];
	unsigned int transport_len;
	const uint8_t *data;
	unsigned int data_len;
	uint8_t options[SRR_OPTIONS_MAX];
	unsigned int options_len;
	bool options_cut;
	bool bad_length;
	enum place place;
	unsigned int passed;
	struct extension extension;
	enum doubt doubt;
	unsigned int copies;
	bool late;
};

/* probe.c */
size_t probe_build(uint8_t *datagram, const struct probe *probe);
unsigned int probe_least(const struct probe *probe);
in_addr_t first_stop(const struct route *route);
in_addr_t stop_of(const struct route *route, unsigned int n);
uint16_t checksum_of(const uint8_t *octets, size_t len);
uint32_t tcp_sequence(uint16_t serial);

/* reply.c */
bool reply_read(struct reply *reply, const uint8_t *datagram, size_t len);
void reply_judge(struct reply *reply, const struct probe *probe);
bool reply_is_end(const struct reply *reply);
bool reply_is_reached(const struct reply *reply);
bool reply_is_there(const struct reply *reply);
bool is_own_probe(const uint8_t *datagram, size_t len, uint16_t *serial);

/* extension.c */
void extension_read(struct extension *extension, const uint8_t *at, size_t len);

/* wire.c */
enum event {
	EVENT_NONE,
	EVENT_SENT,		/* a probe of ours has left */
	EVENT_REPLY,
	EVENT_OTHER,
};

void wire_open(void);
in_addr_t wire_source(in_addr_t to);
bool wire_try_source(in_addr_t to, in_addr_t *source, int *error);
unsigned int wire_mtu(in_addr_t to);
bool wire_is_own(in_addr_t address);
int wire_send(const struct probe *probe);
enum event wire_receive(struct reply *reply, double *at, double until);
uint64_t wire_lost(void);
double now(void);

/* cage.c */
void cage(void);

/* engine.c */

/**
 * struct ask - a probe and what becomes of it
 * @probe: the probe; the engine gives it its serial
 * @tries: how often it may be sent until there is a reply
 * @sent: how often it has been sent
 * @sent_at: when it was sent last
 * @waited: for how long it was waited until it was given up
 * @reply: filled in
 * @of: whatever the caller wants
 */
struct ask {
	struct probe probe;
	unsigned int tries;
	unsigned int sent;
	double sent_at;
	double waited;
	struct reply reply;
	void *of;
	/* The engine's. */
	uint64_t lost_before;
	struct ask *next;
	bool in_flight;
};

/**
 * struct work - where an engine gets its probes from, and who hears of them
 * @next: the next one to be sent; NULL if there is none now. @when may be set
 *	  to the time at which to ask again, else it is when something happens
 * @sent: a probe has just been sent; may be NULL
 * @done: a probe has its reply, or there will be none
 * @late: there is a reply after all, after done(); may be NULL
 * @patience: how long to wait for a probe's reply, milliseconds; NULL for
 *	      settings.wait
 * @tick: called several times a second; may be NULL
 * @pace: least time between two probes, milliseconds
 * @window: most probes in flight
 */
struct work {
	struct ask *(*next)(struct work *work, double *when);
	void (*sent)(struct work *work, struct ask *ask);
	void (*done)(struct work *work, struct ask *ask);
	void (*late)(struct work *work, struct ask *ask,
		     const struct reply *reply);
	double (*patience)(struct work *work, const struct ask *ask);
	void (*tick)(struct work *work);
	double pace;
	unsigned int window;
};

bool engine_run(struct work *work);
void engine_forget(struct ask *ask);
void engine_stop(void);
bool interrupted(void);
void catch_interrupts(void);
unsigned int doubted(enum doubt doubt);
unsigned int copied(void);

/* trace.c, flows.c, mtu.c, loop.c, record.c, aliases.c, scan.c */
unsigned int flows_needed(unsigned int seen);
int show_flows(const struct route *route);
int show_mtu(const struct route *route);
int show_trace(const struct route *route);
int show_loop(const struct route *way);
int show_record(in_addr_t to);
int aliases(const in_addr_t *address, unsigned int n);
void scan_resume(const char *path);
int scan(const char *path, in_addr_t to, const char *excluded);

/* main.c */
const char *gateway_fault(in_addr_t address);

#define TTLS		257
#define SEEN_MAX	4	/* routers of a hop whose times are kept */
#define HISTORY		128
#define HISTORY_NONE	-1.0
#define HISTORY_LOST	-2.0

/**
 * struct times - of the replies of one router
 * @n: how many
 * @last: the last one, milliseconds, as all of them
 * @best: the shortest
 * @worst: the longest
 * @mean: of all
 * @squares: of what they differ from the mean, summed up
 * @jitter: what they differ from the one before, summed up
 */
struct times {
	unsigned int n;
	double last;
	double best;
	double worst;
	double mean;
	double squares;
	double jitter;
};

/**
 * struct seen - a router that has answered at a hop
 * @address: of it
 * @round: in which it has last answered
 * @times: of its replies
 */
struct seen {
	in_addr_t address;
	unsigned int round;
	struct times times;
};

/**
 * struct spot - a hop of a way that is watched
 * @sent: probes
 * @ended: ... of which it is known whether there was a reply
 * @received: replies
 * @changes: how often another router has answered than before
 * @now: who answers at present
 * @seen: who has answered
 * @n_seen: how many of them are kept
 * @outcome: of the last reply
 * @error: the last error that was no "time exceeded"
 * @back: it was behind the last gateway
 * @history: times, the newest last; HISTORY_NONE, HISTORY_LOST
 */
struct spot {
	unsigned int sent;
	unsigned int ended;
	unsigned int received;
	unsigned int changes;
	in_addr_t now;
	struct seen seen[SEEN_MAX];
	unsigned int n_seen;
	enum outcome outcome;
	struct reply error;
	bool back;
	double history[HISTORY];
};

/**
 * struct monitor - a way that is asked again and again
 * @work: the engine's
 * @route: the way
 * @loop: it comes back to us
 * @from: our address
 * @spot: by TTL
 * @ttl: the next one to be asked
 * @end: where the way ends, as far as is known
 * @answered: the last TTL of which there has been a reply
 * @last: what the end has said
 * @unsent: probes that our own kernel has not sent, which are no loss
 * @error: errno of the last of them
 * @began: when the round has begun
 * @round: which one it is
 * @rounds: how many there shall be, 0 for no end
 * @paused: nothing is sent
 */
struct monitor {
	struct work work;
	struct route route;
	bool loop;
	in_addr_t from;
	struct spot spot[TTLS];
	unsigned int ttl;
	unsigned int end;
	unsigned int answered;
	struct reply last;
	unsigned int unsent;
	int error;
	double began;
	unsigned int round;
	unsigned int rounds;
	bool paused;
};

/* monitor.c, watch.c */
void monitor_begin(struct monitor *monitor, const struct route *route,
		   bool loop);
void monitor_reset(struct monitor *monitor);
in_addr_t monitor_target(const struct monitor *monitor);
unsigned int monitor_rows(const struct monitor *monitor);
unsigned int monitor_turn(const struct monitor *monitor);
unsigned int monitor_changes(const struct monitor *monitor);
void monitor_show(const struct monitor *monitor);
double times_deviation(const struct times *times);
double times_jitter(const struct times *times);
double spot_loss(const struct spot *spot);
const struct seen *spot_now(const struct spot *spot);
int report(const struct route *route, bool loop);
int watch(const struct route *route, bool loop);

/* report.c */
const char *name_soon(in_addr_t address);
const char *name_of(in_addr_t address);
bool look_up(const char *name, in_addr_t *address, const char **why);
in_addr_t resolve(const char *name);
const char *quad(in_addr_t address, char *text);
void show_host(in_addr_t address);
void show_area(const uint8_t *area, unsigned int len);
void show_extension(const struct reply *reply);
void show_doubts(void);
const char *paint(const char *code);
const char *error_name(const struct reply *reply);
const char *outcome_name(enum outcome outcome);
const char *unknown_reason(bool whole);
const char *unsent_reason(int error);
const char *place_name(enum place place);
const char *doubt_name(enum doubt doubt);
unsigned int hops_back(const struct reply *reply);
void output_done(void);
void fail(int status, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* picture.c */

/**
 * enum look - how boxes and arrows of a picture look
 * @LOOK_SAME: an arrow between what is one router, or may be
 * @LOOK_OTHER: where ways part, or are balanced
 */
enum look {
	LOOK_US,
	LOOK_ROUTER,
	LOOK_GATEWAY,
	LOOK_END,
	LOOK_SILENT,
	LOOK_REFUSED,
	LOOK_SAME,
	LOOK_OTHER,
};

void picture_open(const char *svg, const char *dot, const char *html);
bool picture_wanted(void);
void picture_title(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void picture_verdict(const char *verdict, const char *reason);
unsigned int picture_box(unsigned int column, unsigned int row, enum look look);
void picture_line(unsigned int number, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void picture_host(unsigned int number, in_addr_t address);
void picture_arrow(unsigned int from, unsigned int to, enum look look);
void picture_done(void);

/* json.c */
struct json_object *json_address(in_addr_t address);
struct json_object *json_addresses(const in_addr_t *address, unsigned int n);
struct json_object *json_octets(const uint8_t *octets, unsigned int len);
struct json_object *json_line(const char *type);
void json_add_int(struct json_object *object, const char *key, int64_t value);
void json_add_number(struct json_object *object, const char *key, double value);
void json_add_reply(struct json_object *object, const struct reply *reply);
void json_start(const char *mode, const struct route *route, in_addr_t from);
void json_probe(const struct ask *ask);
void json_end(struct json_object *object, const char *verdict, const char *reason);
void json_print(struct json_object *object);

#endif /* SRTRACE_H */
