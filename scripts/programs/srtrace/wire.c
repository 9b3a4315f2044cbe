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
#include <linux/net_tstamp.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "srtrace.h"

#define RECEIVE_BUFFER	(8 << 20)

static int out = -1, in = -1;
static uint64_t lost;

/**
 * now() - the time
 *
 * Return: milliseconds of the clock that the kernel stamps datagrams with.
 */
double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* By the interface or VRF of the command line. */
static void bind_device(int fd)
{
	if (settings.device &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, settings.device,
		       strlen(settings.device)))
		fail(EXIT_SYSTEM, "%s: %s", settings.device, strerror(errno));
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
 * All ICMP, and what is for our ports or from them: on a busy machine nothing else
 * wakes us. The header's length is in its first octet.
 */
static void filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, 9, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 8),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, identity.id, 0, 1),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, identity.id + FLOWS_MAX, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, identity.id, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, identity.id + FLOWS_MAX, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, DATAGRAM_MAX),
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

/* More room than most are given; times of the kernel; what had no room. */
static void prepare(int fd)
{
	const int stamps = SOF_TIMESTAMPING_RX_SOFTWARE |
			   SOF_TIMESTAMPING_SOFTWARE;
	const int size = RECEIVE_BUFFER, on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps,
		       sizeof(stamps)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)))
		fail(EXIT_SYSTEM, "setsockopt: %s", strerror(errno));
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
	bind_device(out);
	/* Nothing arrives before the filter is there. */
	in = open_socket(AF_PACKET, SOCK_DGRAM, 0);
	filter(in);
	prepare(in);
	if (bind(in, (struct sockaddr *)&any, sizeof(any)))
		fail(EXIT_SYSTEM, "bind: %s", strerror(errno));
}

/**
 * wire_try_source() - the address that datagrams are sent from
 * @to: where they go first
 * @source: set to that of the command line, or to what routing chooses
 * @error: set to the reason if there is none
 *
 * Return: false if there is no route.
 */
bool wire_try_source(in_addr_t to, in_addr_t *source, int *error)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = to,
		.sin_port = htons(9),
	};
	socklen_t len = sizeof(address);
	bool found;
	int fd;

	if (settings.source) {
		*source = settings.source;
		return true;
	}
	fd = open_socket(AF_INET, SOCK_DGRAM, 0);
	bind_device(fd);
	found = !connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
		!getsockname(fd, (struct sockaddr *)&address, &len);
	*error = errno;
	*source = address.sin_addr.s_addr;
	close(fd);
	return found;
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
	char text[ADDRESS_TEXT];
	in_addr_t source;
	int error;

	if (!wire_try_source(to, &source, &error))
		fail(EXIT_SYSTEM, "%s: %s", quad(to, text), strerror(error));
	return source;
}

/**
 * wire_is_own() - is it an address of this machine?
 * @address: the address
 *
 * The routing table is asked, so AnyIP and 127/8 count.
 *
 * Return: true if datagrams for it end here.
 */
bool wire_is_own(in_addr_t address)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
		struct rtattr attribute;
		in_addr_t to;
	} ask = {
		.head = {
			.nlmsg_len = sizeof(ask),
			.nlmsg_type = RTM_GETROUTE,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.route = { .rtm_family = AF_INET, .rtm_dst_len = 32 },
		.attribute = { RTA_LENGTH(sizeof(address)), RTA_DST },
		.to = address,
	};
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
		char rest[4096];
	} answer;
	int fd = open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	ssize_t len = -1;

	if (send(fd, &ask, sizeof(ask), 0) == sizeof(ask))
		len = recv(fd, &answer, sizeof(answer), 0);
	close(fd);
	return len >= (ssize_t)NLMSG_LENGTH(sizeof(answer.route)) &&
	       answer.head.nlmsg_type == RTM_NEWROUTE &&
	       answer.route.rtm_type == RTN_LOCAL;
}

/**
 * wire_send() - send a probe
 * @probe: the probe
 *
 * Return: 0, or the errno for which our own kernel has not sent it.
 */
int wire_send(const struct probe *probe)
{
	static uint8_t datagram[DATAGRAM_MAX];
	size_t len = probe_build(datagram, probe);
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = first_stop(&probe->route),
	};

	return sendto(out, datagram, len, 0, (struct sockaddr *)&to,
		      sizeof(to)) < 0 ? errno : 0;
}

/* When it came, and what had no room before it. */
static double read_control(struct msghdr *message)
{
	struct cmsghdr *part;
	struct timespec time;
	double at = now();
	uint32_t dropped;

	for (part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SO_TIMESTAMPING) {
			memcpy(&time, CMSG_DATA(part), sizeof(time));
			if (time.tv_sec)
				at = time.tv_sec * 1e3 + time.tv_nsec / 1e6;
		} else if (part->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&dropped, CMSG_DATA(part), sizeof(dropped));
			lost += (uint32_t)(dropped - (uint32_t)lost);
		}
	}
	return at;
}

/**
 * wire_lost() - what had no room in the socket
 *
 * Return: datagrams, of all that were for us, since the beginning.
 */
uint64_t wire_lost(void)
{
	return lost;
}

static enum event read_one(struct reply *reply, double *at)
{
	static uint8_t datagram[DATAGRAM_MAX];
	uint8_t control[256];
	struct sockaddr_ll from;
	struct iovec room = { datagram, sizeof(datagram) };
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &room,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(in, &message, MSG_DONTWAIT);

	if (len < 0)
		return EVENT_NONE;
	*at = read_control(&message);
	/* The kernel's time of sending is that of the copy which we see leave. */
	if (from.sll_pkttype == PACKET_OUTGOING) {
		memset(reply, 0, sizeof(*reply));
		return is_own_probe(datagram, len, &reply->serial) ?
			EVENT_SENT : EVENT_OTHER;
	}
	if (!reply_read(reply, datagram, len))
		return EVENT_OTHER;
	if (from.sll_pkttype != PACKET_HOST)
		reply->doubt = DOUBT_OTHER_HOST;
	return EVENT_REPLY;
}

/**
 * wire_receive() - wait for what probes bring about
 * @reply: filled in but for the time that it took
 * @at: set to the kernel's time of it
 * @until: when to give up, as now() tells it; what is there already is read
 *	   even if that is past
 *
 * Return: EVENT_NONE if nothing has come.
 */
enum event wire_receive(struct reply *reply, double *at, double until)
{
	struct pollfd poll_in = { .fd = in, .events = POLLIN };
	enum event event;
	double left;

	for (;;) {
		do
			event = read_one(reply, at);
		while (event == EVENT_OTHER);
		if (event != EVENT_NONE)
			return event;
		left = until - now();
		if (left <= 0 || interrupted())
			return EVENT_NONE;
		/* Not past the time that was meant, and not in a circle. */
		ppoll(&poll_in, 1, &(struct timespec){
			(time_t)(left / 1e3), (long)(left * 1e6) % 1000000000
		}, NULL);
	}
}
