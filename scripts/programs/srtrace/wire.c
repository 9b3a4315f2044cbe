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
#include <linux/errqueue.h>
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
#define LINK_HEAD_MAX	64	/* octets ahead of a datagram on a link */

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
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FLOW_FIRST, 0, 1),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FLOW_FIRST + FLOWS_MAX, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FLOW_FIRST, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FLOW_FIRST + FLOWS_MAX, 1, 0),
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

/* Times of the kernel, not of when we come to look. */
static void stamp(int fd, int which)
{
	const int stamps = which | SOF_TIMESTAMPING_SOFTWARE;

	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps,
		       sizeof(stamps)))
		fail(EXIT_SYSTEM, "SO_TIMESTAMPING: %s", strerror(errno));
}

/* More room than most are given. */
static void widen(int fd)
{
	const int size = RECEIVE_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
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
	stamp(out, SOF_TIMESTAMPING_TX_SOFTWARE);
	/* Nothing arrives before the filter is there. */
	in = open_socket(AF_PACKET, SOCK_DGRAM, 0);
	filter(in);
	widen(in);
	stamp(in, SOF_TIMESTAMPING_RX_SOFTWARE);
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
 * wire_mtu() - how long the datagrams may be that we send
 * @to: where they go first
 *
 * Return: the MTU of the device; 1500 where it is not known.
 */
unsigned int wire_mtu(in_addr_t to)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = to,
		.sin_port = htons(9),
	};
	const int probe = IP_PMTUDISC_PROBE;
	int fd = open_socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(int);
	int mtu = 0;

	bind_device(fd);
	/* Of the device, whatever has been learnt of the way. */
	setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &len) || mtu < 68)
		mtu = 1500;
	close(fd);
	return mtu < DATAGRAM_MAX ? mtu : DATAGRAM_MAX;
}

/* Of the table of the VRF where one is meant, else of the main ones. */
static bool is_local(in_addr_t address, uint32_t device)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
		struct rtattr to_head;
		in_addr_t to;
		struct rtattr device_head;
		uint32_t device;
	} ask = {
		.head = {
			.nlmsg_len = sizeof(ask),
			.nlmsg_type = RTM_GETROUTE,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.route = { .rtm_family = AF_INET, .rtm_dst_len = 32 },
		.to_head = { RTA_LENGTH(sizeof(address)), RTA_DST },
		.to = address,
		.device_head = { RTA_LENGTH(sizeof(device)), RTA_OIF },
		.device = device,
	};
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
		char rest[4096];
	} answer;
	int fd = open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	ssize_t len = -1;

	if (!device)
		ask.head.nlmsg_len = offsetof(typeof(ask), device_head);
	if (send(fd, &ask, ask.head.nlmsg_len, 0) == ask.head.nlmsg_len)
		len = recv(fd, &answer, sizeof(answer), 0);
	close(fd);
	return len >= (ssize_t)NLMSG_LENGTH(sizeof(answer.route)) &&
	       answer.head.nlmsg_type == RTM_NEWROUTE &&
	       answer.route.rtm_type == RTN_LOCAL;
}

/**
 * wire_is_own() - is it an address of this machine?
 * @address: the address
 *
 * The routing table is asked, so AnyIP and 127/8 count; that of the VRF, if one is
 * meant, and no other.
 *
 * Return: true if datagrams for it end here.
 */
bool wire_is_own(in_addr_t address)
{
	return is_local(address,
			settings.vrf ? if_nametoindex(settings.device) : 0);
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

/* When it came, or left. */
static double read_time(struct msghdr *message)
{
	struct cmsghdr *part;
	struct timespec time;

	for (part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET ||
		    part->cmsg_type != SO_TIMESTAMPING)
			continue;
		memcpy(&time, CMSG_DATA(part), sizeof(time));
		if (time.tv_sec)
			return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
	}
	return now();
}

/**
 * wire_lost() - what had no room in the socket
 *
 * Asked for, since SO_RXQ_OVFL tells only with the next datagram that has room.
 *
 * Return: datagrams, of all that were for us, since the beginning.
 */
uint64_t wire_lost(void)
{
	struct tpacket_stats count;
	socklen_t len = sizeof(count);

	if (!getsockopt(in, SOL_PACKET, PACKET_STATISTICS, &count, &len))
		lost += count.tp_drops;
	return lost;
}

/* The datagram in a frame that has left; where it begins depends on the device. */
static bool find_own(const uint8_t *frame, size_t len, uint16_t *serial)
{
	size_t at;

	for (at = 0; at < LINK_HEAD_MAX && at + sizeof(struct iphdr) < len; at++)
		if (frame[at] >> 4 == 4 &&
		    len - at == (size_t)(frame[at + 2] << 8 | frame[at + 3]) &&
		    is_own_probe(frame + at, len - at, serial))
			return true;
	return false;
}

/* The kernel's time of a probe that has left the queue of the device. */
static enum event read_sent(struct reply *reply, double *at)
{
	static uint8_t frame[DATAGRAM_MAX + LINK_HEAD_MAX];
	uint8_t control[512];
	struct iovec room = { frame, sizeof(frame) };
	struct msghdr message = {
		.msg_iov = &room,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(out, &message, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (len < 0)
		return EVENT_NONE;
	memset(reply, 0, sizeof(*reply));
	*at = read_time(&message);
	return find_own(frame, len, &reply->serial) ? EVENT_SENT : EVENT_OTHER;
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
	*at = read_time(&message);
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
	struct pollfd both[] = { { .fd = in, .events = POLLIN }, { .fd = out } };
	enum event event;
	double left;

	for (;;) {
		/* A probe has left before it is answered. */
		do {
			event = read_sent(reply, at);
			if (event == EVENT_NONE)
				event = read_one(reply, at);
		} while (event == EVENT_OTHER);
		if (event != EVENT_NONE)
			return event;
		left = until - now();
		if (left <= 0 || interrupted())
			return EVENT_NONE;
		/* Not past the time that was meant, and not in a circle. */
		ppoll(both, 2, &(struct timespec){
			(time_t)(left / 1e3), (long)(left * 1e6) % 1000000000
		}, NULL);
	}
}
