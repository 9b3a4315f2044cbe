// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Record Route and Timestamp options get of us (H9).
 *
 * __ip_options_compile() has made room: the pointers are past it already.
 */
#include <linux/ip.h>
#include <net/ip.h>

#include "srcroute.h"

static void record_route(u8 *rr, __be32 addr)
{
	memcpy(rr + rr[2] - 5, &addr, sizeof(addr));
}

/* The kernel leaves the time of this form to who has a route. */
static void record_time(u8 *ts, __be32 addr)
{
	__be32 now = inet_current_timestamp();

	memcpy(ts + ts[2] - 9, &addr, sizeof(addr));
	memcpy(ts + ts[2] - 5, &now, sizeof(now));
}

/**
 * srcroute_record() - write an address of ours into the room made for it
 * @skb: a datagram whose options have been compiled; its header is writable
 * @addr: the address
 *
 * May be done again with another address. The checksum is left to the caller.
 */
void srcroute_record(struct sk_buff *skb, __be32 addr)
{
	const struct ip_options *opt = &IPCB(skb)->opt;
	u8 *header = skb_network_header(skb);

	if (opt->rr_needaddr)
		record_route(header + opt->rr, addr);
	if (opt->ts_needaddr)
		record_time(header + opt->ts, addr);
}
