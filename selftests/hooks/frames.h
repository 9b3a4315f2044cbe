/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames around a datagram, and the devices that they are put in by. */
#ifndef _HOOKS_FRAMES_H
#define _HOOKS_FRAMES_H

#include <netinet/in.h>

#include "datagram.h"

#define FRAME_MAX	(LARGEST + 256)

/* What is around the datagram. */
enum wrapping { BARE, GRE, VXLAN, IPIP, SRV6 };

/* In network byte order. */
struct tunnel {
	u32 here, there;
	struct in6_addr sid;
};

int frames_open(const char *name);
void frames_write(int tap, struct dice *dice, const struct datagram *d,
		  enum wrapping wrapping, const struct tunnel *tunnel);
void frames_write_large(int tap, struct dice *dice, const struct datagram *d,
			unsigned int size);

#endif
