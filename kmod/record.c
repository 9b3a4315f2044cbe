// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Record Route and Timestamp options get of us (H9).
 *
 * __ip_options_compile() has made room: the pointers are past it already.
 */
#include <linux/ip.h>
#include <net/ip.h>

#include "srcroute.h"

/*
 * The option of this type at an offset in the header, if it has @room octets
 * ahead of its pointer and behind its first @fixed ones. User space may have put
 * another header in the place of the one that was compiled.
 */
static u8 *find_room(const struct srcroute_header *h, unsigned int offset,
		     u8 type, unsigned int fixed, unsigned int room)
{
	unsigned int header_len = sizeof(*h->iph) + h->area_len;
	u8 *option = (u8 *)h->iph + offset;

	if (offset < sizeof(*h->iph) || offset + fixed > header_len ||
	    option[0] != type || offset + option[1] > header_len ||
	    option[2] > option[1] + 1 || option[2] < fixed + room + 1)
		return NULL;
	return option + option[2] - 1 - room;
}

static bool record_route(const struct srcroute_header *h, unsigned int offset,
			 __be32 addr)
{
	u8 *room = find_room(h, offset, IPOPT_RR, 3, sizeof(addr));

	if (!room)
		return false;
	memcpy(room, &addr, sizeof(addr));
	return true;
}

/* The kernel leaves the time of this form to who has a route. */
static bool record_time(const struct srcroute_header *h, unsigned int offset,
			__be32 addr)
{
	__be32 now = inet_current_timestamp();
	u8 *room = find_room(h, offset, IPOPT_TIMESTAMP, 4,
			     sizeof(addr) + sizeof(now));

	if (!room)
		return false;
	memcpy(room, &addr, sizeof(addr));
	memcpy(room + sizeof(addr), &now, sizeof(now));
	return true;
}

/**
 * srcroute_record() - write an address of ours into the room made for it
 * @skb: a datagram whose options have been compiled
 * @h: its header, writable
 * @addr: the address
 *
 * May be done again with another address. The checksum is left to the caller.
 *
 * Context: any.
 * Return: false if the options are not those that were compiled.
 */
bool srcroute_record(const struct sk_buff *skb, const struct srcroute_header *h,
		     __be32 addr)
{
	const struct ip_options *opt = &IPCB(skb)->opt;

	return (!opt->rr_needaddr || record_route(h, opt->rr, addr)) &&
	       (!opt->ts_needaddr || record_time(h, opt->ts, addr));
}
