/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FRAMES_H
#define FRAMES_H

#define FRAMES_MAX	1024

/* Frames received before the first clock reading, and between two. */
#define WARM_UP		1024
#define SAMPLE		256
#define SAMPLES_MAX	1024

/* A whole Ethernet frame. */
struct frame {
	__u64 octets[16];
};

#endif /* FRAMES_H */
