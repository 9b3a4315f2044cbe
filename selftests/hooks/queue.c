// SPDX-License-Identifier: GPL-2.0-only
/* NFQUEUE; see queue.h. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "queue.h"

#define WAITING_MAX	65536	/* datagrams in a queue */
#define RECEIVE_BUFFER	(16 << 20)
/*
 * The kernel takes a message that fits into a page from its caches, and maps
 * memory for any other, which takes far longer.
 */
#define BATCH		3500
#define VERDICT_MAX	(LARGEST_VERDICT + 256)
#define LARGEST_VERDICT	65536

struct queues {
	struct mnl_socket *socket;
	unsigned int used;	/* octets of verdicts that wait in @verdicts */
	char verdicts[BATCH + VERDICT_MAX];
	char message[1 << 17];
};

static void send_message(struct queues *queues, const void *message,
			 unsigned int len)
{
	if (mnl_socket_sendto(queues->socket, message, len) < 0)
		err(1, "netlink");
}

/* Without a queue socket this program would wait for ever. */
static void ask(struct queues *queues, struct nlmsghdr *request)
{
	char answer[8192];
	ssize_t len;

	request->nlmsg_flags |= NLM_F_ACK;
	send_message(queues, request, request->nlmsg_len);
	len = mnl_socket_recvfrom(queues->socket, answer, sizeof(answer));
	if (len < 0 || mnl_cb_run(answer, len, 0, 0, NULL, NULL) < 0)
		err(1, "nfnetlink_queue");
}

struct queues *queues_open(void)
{
	struct queues *queues = calloc(1, sizeof(*queues));
	int size = RECEIVE_BUFFER, one = 1, fd;

	if (!queues)
		err(1, "queues");
	queues->socket = mnl_socket_open(NETLINK_NETFILTER);
	if (!queues->socket ||
	    mnl_socket_bind(queues->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		err(1, "netlink");
	fd = mnl_socket_get_fd(queues->socket);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof(one)))
		err(1, "netlink");
	return queues;
}

/**
 * queues_bind() - take over a queue of the namespace
 * @queues: by queues_open()
 * @number: of the queue
 */
void queues_bind(struct queues *queues, unsigned int number)
{
	char buffer[256];
	struct nlmsghdr *request;

	request = nfq_nlmsg_put(buffer, NFQNL_MSG_CONFIG, number);
	nfq_nlmsg_cfg_put_cmd(request, AF_INET, NFQNL_CFG_CMD_BIND);
	ask(queues, request);
	request = nfq_nlmsg_put(buffer, NFQNL_MSG_CONFIG, number);
	nfq_nlmsg_cfg_put_params(request, NFQNL_COPY_PACKET, 0xffff);
	nfq_nlmsg_cfg_put_qmaxlen(request, WAITING_MAX);
	ask(queues, request);
}

/**
 * queues_set_gso() - whether large datagrams come in one piece
 * @queues: by queues_open()
 * @number: of a queue, bound
 * @gso: they do
 */
void queues_set_gso(struct queues *queues, unsigned int number, bool gso)
{
	char buffer[256];
	struct nlmsghdr *request;

	request = nfq_nlmsg_put(buffer, NFQNL_MSG_CONFIG, number);
	mnl_attr_put_u32(request, NFQA_CFG_FLAGS,
			 htonl(gso ? NFQA_CFG_F_GSO : 0));
	mnl_attr_put_u32(request, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO));
	ask(queues, request);
}

/* The answers come as datagrams that were let go arrive at the next queue. */
static bool flush(struct queues *queues)
{
	if (!queues->used)
		return false;
	send_message(queues, queues->verdicts, queues->used);
	queues->used = 0;
	return true;
}

/**
 * queues_verdict() - say what becomes of a datagram
 * @queues: by queues_open()
 * @queued: the datagram
 * @accept: it goes on; else it is dropped
 * @instead: octets to put in its place, or AS_IT_IS
 * @len: how many
 * @mark: its mark, from now on
 */
void queues_verdict(struct queues *queues, const struct queued *queued,
		    bool accept, const void *instead, unsigned int len,
		    u32 mark)
{
	struct nlmsghdr *verdict;

	if (queues->used + len + 128 > BATCH)
		flush(queues);
	verdict = nfq_nlmsg_put(queues->verdicts + queues->used,
				NFQNL_MSG_VERDICT, queued->queue);
	nfq_nlmsg_verdict_put(verdict, queued->id,
			      accept ? NF_ACCEPT : NF_DROP);
	if (mark != queued->mark)
		nfq_nlmsg_verdict_put_mark(verdict, mark);
	if (instead)
		nfq_nlmsg_verdict_put_pkt(verdict, instead, len);
	queues->used += NLMSG_ALIGN(verdict->nlmsg_len);
}

static void handle_message(const struct nlmsghdr *message,
			   queue_handler handle, void *arg)
{
	struct nlattr *attr[NFQA_MAX + 1] = {};
	struct nfqnl_msg_packet_hdr *header;
	const struct nfgenmsg *general;
	struct queued queued = {};

	if (message->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

		/* A queue has been flushed because a hook has come or gone. */
		if (error->error && error->error != -ENOENT) {
			errno = -error->error;
			err(1, "verdict");
		}
		return;
	}
	if (nfq_nlmsg_parse(message, attr) < 0 || !attr[NFQA_PACKET_HDR])
		err(1, "message of nfnetlink_queue");
	general = mnl_nlmsg_get_payload(message);
	header = mnl_attr_get_payload(attr[NFQA_PACKET_HDR]);
	queued.queue = ntohs(general->res_id);
	queued.id = ntohl(header->packet_id);
	if (attr[NFQA_MARK])
		queued.mark = ntohl(mnl_attr_get_u32(attr[NFQA_MARK]));
	if (attr[NFQA_PAYLOAD]) {
		queued.len = mnl_attr_get_payload_len(attr[NFQA_PAYLOAD]);
		queued.octet = mnl_attr_get_payload(attr[NFQA_PAYLOAD]);
	}
	if (attr[NFQA_SKB_INFO])
		queued.large = ntohl(mnl_attr_get_u32(attr[NFQA_SKB_INFO])) &
			       NFQA_SKB_GSO;
	handle(&queued, arg);
}

static bool receive(struct queues *queues, queue_handler handle, void *arg)
{
	int fd = mnl_socket_get_fd(queues->socket);
	const struct nlmsghdr *message;
	ssize_t received;
	int len;

	received = recv(fd, queues->message, sizeof(queues->message),
			MSG_DONTWAIT);
	if (received < 0) {
		if (errno == EAGAIN)
			return false;
		err(1, "netlink");
	}
	len = received;
	message = (const struct nlmsghdr *)queues->message;
	for (; mnl_nlmsg_ok(message, len);
	     message = mnl_nlmsg_next(message, &len))
		handle_message(message, handle, arg);
	return true;
}

/**
 * queues_pump() - handle what waits, until there is no more
 * @queues: by queues_open()
 * @handle: called for each; gives its verdict
 * @arg: for @handle
 * @patience: how long to wait for the first, in milliseconds
 *
 * Return: false if there was nothing.
 */
bool queues_pump(struct queues *queues, queue_handler handle, void *arg,
		 int patience)
{
	struct pollfd fd = {
		.fd = mnl_socket_get_fd(queues->socket),
		.events = POLLIN,
	};
	bool any = false;

	if (patience && !poll(&fd, 1, patience))
		return false;
	do {
		while (receive(queues, handle, arg))
			any = true;
	} while (flush(queues));
	return any;
}
