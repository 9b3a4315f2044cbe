// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets: probes out, what they bring about in.
 *
 * Replies are read from a packet socket, ahead of the IP layer: that of a host
 * drops datagrams with a source route, and answers along one have it.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "srtrace.h"

#define FRAME_MAX	2048

static int out = -1, in = -1;

/**
 * now() - the time
 *
 * Return: milliseconds since some point in the past.
 */
double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/**
 * sleep_until() - wait
 * @when: as now() tells it
 */
void sleep_until(double when)
{
	double left = when - now();

	if (left > 0)
		usleep(left * 1e3);
}

static int open_socket(int domain, int type, int protocol)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);

	if (fd < 0 && (errno == EPERM || errno == EACCES))
		fail(EXIT_PRIVILEGE,
		     "raw sockets need root, or the capability CAP_NET_RAW");
	if (fd < 0)
		fail(EXIT_SYSTEM, "socket: %s", strerror(errno));
	return fd;
}

/*
 * All ICMP, and what is for our port or from it: on a busy machine nothing else
 * wakes us. The header's length is in its first octet.
 */
static void filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, 7, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 6),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, own_port(), 2, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, own_port(), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {
		.len = sizeof(code) / sizeof(*code),
		.filter = code,
	};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		       sizeof(program)))
		fail(EXIT_SYSTEM, "SO_ATTACH_FILTER: %s", strerror(errno));
}

/**
 * wire_open() - open the sockets
 *
 * Ends the program with EXIT_PRIVILEGE without the capability for it.
 */
void wire_open(void)
{
	struct sockaddr_ll any = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
	};

	out = open_socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	/* Nothing arrives before the filter is there. */
	in = open_socket(AF_PACKET, SOCK_DGRAM, 0);
	filter(in);
	if (bind(in, (struct sockaddr *)&any, sizeof(any)))
		fail(EXIT_SYSTEM, "bind: %s", strerror(errno));
}

/**
 * wire_source() - the address that datagrams are sent from
 * @to: where they go first
 *
 * Ends the program with EXIT_SYSTEM if there is no route.
 *
 * Return: that of the command line, or what routing chooses.
 */
in_addr_t wire_source(in_addr_t to)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = to,
		.sin_port = htons(9),
	};
	socklen_t len = sizeof(address);
	char text[ADDRESS_TEXT];
	int fd;

	if (settings.source)
		return settings.source;
	fd = open_socket(AF_INET, SOCK_DGRAM, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockname(fd, (struct sockaddr *)&address, &len))
		fail(EXIT_SYSTEM, "%s: %s", quad(to, text), strerror(errno));
	close(fd);
	return address.sin_addr.s_addr;
}

/**
 * wire_send() - send a probe
 * @probe: the probe
 * @sent_at: set to the time
 *
 * Ends the program with EXIT_SYSTEM where the kernel does not take it, unless
 * for reasons of the network, which are silence.
 */
void wire_send(const struct probe *probe, double *sent_at)
{
	uint8_t datagram[DATAGRAM_MAX];
	size_t len = probe_build(datagram, probe);
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = first_stop(probe->route),
	};
	char text[ADDRESS_TEXT];

	*sent_at = now();
	if (sendto(out, datagram, len, 0, (struct sockaddr *)&to,
		   sizeof(to)) >= 0)
		return;
	if (errno != EHOSTUNREACH && errno != ENETUNREACH && errno != ENOBUFS &&
	    errno != EPERM)
		fail(EXIT_SYSTEM, "%s: %s", quad(to.sin_addr.s_addr, text),
		     strerror(errno));
}

/**
 * wire_receive() - wait for what a probe brings about
 * @reply: filled in but for the time
 * @sequence: that of the probe
 * @self: the source of our probes
 * @until: when to give up, as now() tells it
 *
 * Return: false if nothing has come.
 */
bool wire_receive(struct reply *reply, uint16_t *sequence, in_addr_t self,
		  double until)
{
	struct pollfd poll_in = { .fd = in, .events = POLLIN };
	uint8_t datagram[FRAME_MAX];
	struct sockaddr_ll from;
	socklen_t from_len;
	ssize_t len;
	double left;

	while ((left = until - now()) > 0) {
		if (poll(&poll_in, 1, (int)left + 1) <= 0)
			continue;
		from_len = sizeof(from);
		len = recvfrom(in, datagram, sizeof(datagram), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &from_len);
		/* Our own probes pass here too, on their way out. */
		if (len > 0 && from.sll_pkttype != PACKET_OUTGOING &&
		    reply_read(reply, sequence, datagram, len, self))
			return true;
	}
	return false;
}

/**
 * wire_ask() - send a probe and wait for what becomes of it
 * @probe: the probe
 * @reply: filled in; OUTCOME_NONE after settings.wait without any
 */
void wire_ask(const struct probe *probe, struct reply *reply)
{
	uint16_t sequence;
	double sent_at;

	wire_send(probe, &sent_at);
	while (wire_receive(reply, &sequence, probe->from,
			    sent_at + settings.wait)) {
		if (sequence != probe->sequence)
			continue;
		reply->rtt = now() - sent_at;
		return;
	}
	memset(reply, 0, sizeof(*reply));
}
