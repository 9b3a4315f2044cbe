// SPDX-License-Identifier: GPL-2.0-only
/* Frames, and taps to put them in by; see frames.h. */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "frames.h"

#define VXLAN_PORT	4789
#define VXLAN_ID	7
#define PIECES_MAX	8	/* the kernel would take 17 */
#define PIECE_MAX	4096

/* selftests/lib/thrower.py gives it to every device. */
static const u8 here[ETH_ALEN] = { 2, 0, 0, 0, 0xf0, 1 };
static const u8 there[ETH_ALEN] = { 2, 0, 0, 0, 0xf0, 2 };

/**
 * frames_open() - make a tap whose frames need not be in one piece
 * @name: of the device
 *
 * Return: what to write to.
 */
int frames_open(const char *name)
{
	struct ifreq request = {
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_NAPI |
			     IFF_NAPI_FRAGS,
	};
	int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
	if (tap < 0 || ioctl(tap, TUNSETIFF, &request))
		err(1, "tap %s", name);
	return tap;
}

static unsigned int put_ethernet(u8 *to, u16 type)
{
	struct ethhdr *eth = (struct ethhdr *)to;

	memcpy(eth->h_dest, here, ETH_ALEN);
	memcpy(eth->h_source, there, ETH_ALEN);
	eth->h_proto = htons(type);
	return sizeof(*eth);
}

static unsigned int put_outer(u8 *to, const struct tunnel *tunnel,
			      u8 protocol, unsigned int len)
{
	struct datagram outer = { .len = sizeof(struct iphdr) };
	struct iphdr *iph = (struct iphdr *)outer.octet;

	iph->version = 4;
	iph->ihl = 5;
	iph->tot_len = htons(sizeof(*iph) + len);
	iph->ttl = 64;
	iph->protocol = protocol;
	iph->saddr = tunnel->there;
	iph->daddr = tunnel->here;
	datagram_sum(&outer);
	memcpy(to, outer.octet, outer.len);
	return outer.len;
}

static unsigned int put_gre(u8 *to, const struct tunnel *tunnel,
			    unsigned int len)
{
	unsigned int at = put_outer(to, tunnel, IPPROTO_GRE, 4 + len);

	memcpy(to + at, "\0\0\x08\0", 4);
	return at + 4;
}

static unsigned int put_vxlan(u8 *to, const struct tunnel *tunnel,
			      unsigned int len)
{
	unsigned int more = sizeof(struct udphdr) + 8 + ETH_HLEN, at;
	struct udphdr udp = {
		.source = htons(40000),
		.dest = htons(VXLAN_PORT),
		.len = htons(more + len),
	};

	at = put_outer(to, tunnel, IPPROTO_UDP, more + len);
	memcpy(to + at, &udp, sizeof(udp));
	at += sizeof(udp);
	memset(to + at, 0, 8);
	to[at] = 8;	/* there is an identifier */
	to[at + 6] = VXLAN_ID;
	at += 8;
	return at + put_ethernet(to + at, ETH_P_IP);
}

/* The last segment, with a routing header that says so or without one. */
static unsigned int put_srv6(u8 *to, struct dice *dice,
			     const struct tunnel *tunnel, unsigned int len)
{
	u8 routing[24] = { IPPROTO_IPIP, 2, 4 };
	unsigned int more = dice_percent(dice, 30) ? sizeof(routing) : 0;
	struct ipv6hdr header = {
		.version = 6,
		.payload_len = htons(more + len),
		.nexthdr = more ? IPPROTO_ROUTING : IPPROTO_IPIP,
		.hop_limit = 64,
	};

	memcpy(&header.daddr, &tunnel->sid, sizeof(header.daddr));
	memcpy(&header.saddr, &tunnel->sid, sizeof(header.saddr));
	header.saddr.s6_addr[15]++;
	memcpy(to, &header, sizeof(header));
	memcpy(routing + 8, &tunnel->sid, 16);
	memcpy(to + sizeof(header), routing, more);
	return sizeof(header) + more;
}

static unsigned int put_wrapping(u8 *to, struct dice *dice,
				 enum wrapping wrapping,
				 const struct tunnel *tunnel, unsigned int len)
{
	switch (wrapping) {
	case GRE:
		return put_gre(to, tunnel, len);
	case VXLAN:
		return put_vxlan(to, tunnel, len);
	case IPIP:
		return put_outer(to, tunnel, IPPROTO_IPIP, len);
	case SRV6:
		return put_srv6(to, dice, tunnel, len);
	default:
		return 0;
	}
}

/*
 * Cuts that fall into headers and options more often than not. The first piece
 * is what lies in the linear part.
 */
static int cut(struct iovec *iov, u8 *frame, unsigned int len,
	       unsigned int inner, struct dice *dice)
{
	unsigned int at = 0, size, left;
	int n = 0;

	while (n < PIECES_MAX - 2 && at < len) {
		if (!n)
			size = ETH_HLEN + dice_below(dice, inner + 64);
		else
			size = 1 + dice_below(dice, 48);
		left = len - at;
		if (size > left)
			size = left;
		iov[n++] = (struct iovec){ frame + at, size };
		at += size;
	}
	while (at < len) {
		size = len - at < PIECE_MAX ? len - at : PIECE_MAX;
		iov[n++] = (struct iovec){ frame + at, size };
		at += size;
	}
	return n;
}

/* There may be no memory for it, and a piece may be too short. */
static void write_pieces(int tap, struct dice *dice,
			 const struct virtio_net_hdr *header, u8 *frame,
			 unsigned int len, unsigned int inner)
{
	struct iovec iov[1 + PIECES_MAX] = {
		{ (void *)header, sizeof(*header) },
		{ frame, len },
	};
	int n = 1;

	if (dice_percent(dice, 60))
		n = cut(iov + 1, frame, len, inner, dice);
	if (writev(tap, iov, 1 + n) < 0)
		warn("frame");
}

/**
 * frames_write() - let a datagram arrive
 * @tap: by frames_open()
 * @dice: thrown
 * @d: the datagram
 * @wrapping: what is around it
 * @tunnel: the ends of that
 */
void frames_write(int tap, struct dice *dice, const struct datagram *d,
		  enum wrapping wrapping, const struct tunnel *tunnel)
{
	struct virtio_net_hdr header = {};
	unsigned int len, inner;
	u8 frame[FRAME_MAX];

	len = put_ethernet(frame, wrapping == SRV6 ? ETH_P_IPV6 : ETH_P_IP);
	inner = put_wrapping(frame + len, dice, wrapping, tunnel, d->len);
	len += inner;
	memcpy(frame + len, d->octet, d->len);
	write_pieces(tap, dice, &header, frame, len + d->len, inner);
}

/**
 * frames_write_large() - let a TCP segment arrive that is several in one
 * @tap: by frames_open()
 * @dice: thrown
 * @d: the datagram
 * @size: what one of them holds
 */
void frames_write_large(int tap, struct dice *dice, const struct datagram *d,
			unsigned int size)
{
	unsigned int transport = ETH_HLEN + datagram_header(d);
	struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = transport + TCP_HEADER,
		.gso_size = size,
		.csum_start = transport,
		.csum_offset = TCP_CHECKSUM,
	};
	u8 frame[FRAME_MAX];
	unsigned int len = put_ethernet(frame, ETH_P_IP);

	memcpy(frame + len, d->octet, d->len);
	write_pieces(tap, dice, &header, frame, len + d->len, 0);
}
