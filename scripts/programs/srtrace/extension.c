// SPDX-License-Identifier: GPL-2.0-only
/*
 * What routers add to an ICMP error (RFC 4884): label stacks of MPLS (RFC 4950),
 * interfaces (RFC 5837).
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <string.h>

#include "srtrace.h"

#define CLASS_MPLS	1
#define CLASS_INTERFACE	2

/* Which parts of an interface are told, in this order; the type says. */
#define HAS_INDEX	0x08
#define HAS_ADDRESS	0x04
#define HAS_NAME	0x02
#define HAS_MTU		0x01

static uint32_t read32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static bool read_labels(struct extension *extension, const uint8_t *at,
			size_t len)
{
	if (len % 4)
		return false;
	for (; len; at += 4, len -= 4)
		if (extension->n_labels < LABELS_MAX)
			extension->labels[extension->n_labels++] = read32(at);
	return true;
}

/* Its length octet counts itself; what cannot be printed is shown as a dot. */
static size_t read_name(char *name, const uint8_t *at, size_t len)
{
	size_t i, n;

	if (!len || !at[0] || at[0] > len || at[0] > INTERFACE_NAME)
		return 0;
	n = at[0] - 1;
	for (i = 0; i < n && at[1 + i]; i++)
		name[i] = at[1 + i] > ' ' && at[1 + i] < 0x7f ? at[1 + i] : '.';
	name[i] = 0;
	return at[0];
}

static bool read_interface(struct extension *extension, uint8_t type,
			   const uint8_t *at, size_t len)
{
	struct interface one = { .role = type >> 6 };
	size_t n;

	if (type & HAS_INDEX) {
		if (len < 4)
			return false;
		one.index = read32(at);
		at += 4;
		len -= 4;
	}
	if (type & HAS_ADDRESS) {
		if (len < 4)
			return false;
		n = at[1] == 1 ? 8 : 20;	/* IPv4 or not */
		if (len < n)
			return false;
		if (n == 8)
			memcpy(&one.address, at + 4, 4);
		at += n;
		len -= n;
	}
	if (type & HAS_NAME) {
		n = read_name(one.name, at, len);
		if (!n)
			return false;
		at += n;
		len -= n;
	}
	if (type & HAS_MTU) {
		if (len < 4)
			return false;
		one.mtu = read32(at);
	}
	if (extension->n_interfaces < 4)
		extension->interfaces[extension->n_interfaces++] = one;
	return true;
}

/**
 * extension_read() - read what a router has added
 * @extension: filled in; nothing in it where the octets are none of RFC 4884
 * @at: the octets behind the quote
 * @len: how many
 */
void extension_read(struct extension *extension, const uint8_t *at, size_t len)
{
	size_t object;
	bool sound;

	memset(extension, 0, sizeof(*extension));
	if (len < 4)
		return;
	/* A checksum of 0 says that there is none. */
	if (at[0] >> 4 != 2 ||
	    ((at[2] || at[3]) && checksum_of(at, len))) {
		extension->broken = true;
		return;
	}
	for (at += 4, len -= 4; len; at += object, len -= object) {
		object = len < 4 ? 0 : at[0] << 8 | at[1];
		if (object < 4 || object > len) {
			extension->broken = true;
			return;
		}
		if (at[2] == CLASS_MPLS && at[3] == 1) {
			sound = read_labels(extension, at + 4, object - 4);
		} else if (at[2] == CLASS_INTERFACE) {
			sound = read_interface(extension, at[3], at + 4,
					       object - 4);
		} else {
			extension->others++;
			sound = true;
		}
		if (!sound)
			extension->broken = true;
	}
}
