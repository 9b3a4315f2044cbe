// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own check of the options (V5), and how what it does to them is undone:
 * it moves the pointers of Record Route and Timestamp.
 */
#include <linux/string.h>
#include <net/ip.h>

#include "datapath.h"

/**
 * srcroute_compile() - have the kernel check the options of a datagram (V5)
 * @p: the datagram; its header may be moved
 * @received: room for the options as they are, for as long as @p is in use
 * @fault: set to the offset in the header of the octet to blame, with -EINVAL
 *
 * Done once, and only where there is more than the source route. Room that the kernel
 * makes in Record Route and Timestamp is empty until srcroute_record(), and the
 * checksum stale. Whatever drops the datagram brings the options back as they were
 * received.
 *
 * Context: RCU read side.
 * Return: 0, -EINVAL, or -ENOMEM, where @p->h must not be used any more.
 */
int srcroute_compile(struct srcroute_packet *p,
		     struct srcroute_received *received, unsigned int *fault)
{
	struct ip_options *opt = &IPCB(p->skb)->opt;
	__be32 info;
	int err;

	if (!srcroute_header_make_writable(p->skb, &p->h))
		return -ENOMEM;
	memcpy(received->options, p->h.options, p->h.options_len);
	received->check = p->h.iph->check;
	p->received = received;

	opt->optlen = p->h.options_len;
	err = __ip_options_compile(p->net, opt, p->skb, &info);
	if (err)
		*fault = ntohl(info) >> 24;
	return err;
}

/**
 * srcroute_uncompile() - bring the options back as they were received
 * @p: the datagram, compiled; its header may be moved
 *
 * Context: RCU read side.
 * Return: false if there is no memory; @p->h must not be used any more then.
 */
bool srcroute_uncompile(struct srcroute_packet *p)
{
	const struct srcroute_received *received = p->received;

	p->received = NULL;
	if (!srcroute_header_make_writable(p->skb, &p->h))
		return false;
	memcpy(p->h.options, received->options, p->h.options_len);
	p->h.iph->check = received->check;
	memset(&IPCB(p->skb)->opt, 0, sizeof(IPCB(p->skb)->opt));
	return true;
}
