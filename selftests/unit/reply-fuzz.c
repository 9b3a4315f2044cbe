// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer on what srtrace reads from the network: reply_read(), reply_judge(),
 * extension_read(). The first octet chooses the kind of probe, and whether the
 * checksums are made right, so that what is behind them is reached.
 *
 * Build and run: scripts/check/fuzz-reply
 *
 * checkpatch: PREFER_KERNEL_TYPES,CAMELCASE: this is a program of user space
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "srtrace.h"

#define INPUT_MAX	512

struct settings settings = { .port = 33434 };
struct identity identity = { 0x9000, 0x01020304 };

static void set_sum(uint8_t *octets, size_t len, size_t at)
{
	uint16_t value;

	octets[at] = 0;
	octets[at + 1] = 0;
	value = checksum_of(octets, len);
	octets[at] = value >> 8;
	octets[at + 1] = value;
}

static void mend(uint8_t *datagram, size_t len)
{
	size_t head = 4 * (datagram[0] & 15);

	if (len < 28 || head < 20 || head + 8 > len)
		return;
	datagram[2] = len >> 8;
	datagram[3] = len;
	if (datagram[9] == 1)
		set_sum(datagram + head, len - head, 2);
	set_sum(datagram, head, 10);
}

/* What must hold of a reply, whoever has sent it. */
static void check(const struct reply *reply, const struct probe *probe)
{
	if (reply->options_len > SRR_OPTIONS_MAX ||
	    reply->transport_len > sizeof(reply->transport) ||
	    reply->extension.n_labels > LABELS_MAX ||
	    reply->extension.n_interfaces > 4)
		abort();
	if (reply->doubt)
		return;
	if (reply->destination != probe->from ||
	    reply->passed > probe->route.gateways)
		abort();
	if (reply->outcome == OUTCOME_ANSWERED &&
	    reply->from != probe->route.to)
		abort();
	if (reply->outcome == OUTCOME_RETURNED &&
	    (reply->place != PLACE_SOUND ||
	     reply->passed != probe->route.gateways))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe probe = {
		.route = { .gateway = { htonl(0x0a000001), htonl(0x0a000002) } },
		.ttl = 7, .serial = 0x1234, .from = htonl(0x0a000009),
	};
	uint8_t *datagram;
	struct reply reply;
	uint16_t serial;

	if (!size || size > INPUT_MAX)
		return 0;
	settings.kind = data[0] % 3;
	settings.strict = data[0] & 4;
	probe.route.gateways = data[0] >> 3 & 1 ? 2 : 0;
	probe.route.to = data[0] & 16 ? probe.from : htonl(0x0a000003);
	/* Of its own size, so that one octet too far is noticed. */
	size--;
	datagram = malloc(size ? size : 1);
	if (!datagram)
		return 0;
	memcpy(datagram, data + 1, size);
	if (data[0] & 32)
		mend(datagram, size);
	is_own_probe(datagram, size, &serial);
	if (reply_read(&reply, datagram, size)) {
		reply_judge(&reply, &probe);
		check(&reply, &probe);
	}
	extension_read(&reply.extension, datagram, size);
	free(datagram);
	return 0;
}
