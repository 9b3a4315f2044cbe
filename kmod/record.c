// SPDX-License-Identifier: GPL-2.0-only
/*
 * The address that we record in Record Route and Timestamp options (H9).
 *
 * __ip_options_compile() has checked the options, reserved room in them and moved
 * their pointers past it.
 */
#include <linux/ip.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>
#include <net/ip.h>

#include "datapath.h"

/* The room that was made in the option at an offset in the header. */
static u8 *room_in(const struct srcroute_header *h, unsigned int offset,
		   unsigned int room)
{
	u8 *option = (u8 *)h->iph + offset;

	return option + option[2] - 1 - room;
}

/*
 * Milliseconds since midnight UT (RFC 791). The kernel's own function for this is no
 * longer exported since Linux 7.2.
 */
static __be32 current_timestamp(void)
{
	struct timespec64 now;
	u32 second;

	ktime_get_real_ts64(&now);
	div_u64_rem(now.tv_sec, 24 * 60 * 60, &second);
	return htonl(second * MSEC_PER_SEC + (u32)now.tv_nsec / NSEC_PER_MSEC);
}

/* With addresses, __ip_options_compile() leaves the time, too, to forwarding. */
static void record_time(const struct srcroute_header *h, unsigned int offset,
			__be32 addr)
{
	__be32 now = current_timestamp();
	u8 *room = room_in(h, offset, sizeof(addr) + sizeof(now));

	memcpy(room, &addr, sizeof(addr));
	memcpy(room + sizeof(addr), &now, sizeof(now));
}

/**
 * srcroute_record() - write an address into the room reserved for it
 * @skb: a datagram whose options have been compiled, and not changed since then
 * @h: its header, writable
 * @addr: the address
 *
 * The checksum is left to the caller.
 *
 * Context: any.
 */
void srcroute_record(const struct sk_buff *skb, const struct srcroute_header *h,
		     __be32 addr)
{
	const struct ip_options *opt = &IPCB(skb)->opt;

	if (opt->rr_needaddr)
		memcpy(room_in(h, opt->rr, sizeof(addr)), &addr, sizeof(addr));
	if (opt->ts_needaddr)
		record_time(h, opt->ts, addr);
}
