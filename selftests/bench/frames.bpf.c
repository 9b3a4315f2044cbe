// SPDX-License-Identifier: GPL-2.0-only
/*
 * For selftests/bench: an XDP program that makes every frame that
 * BPF_PROG_TEST_RUN injects one of the given ones, in turn, and reads the clock
 * every SAMPLE frames. The pages of injected frames are used again, with what
 * the last forwarding left in them. Processors count apart.
 *
 * checkpatch: VOLATILE: who loads the program sets it before it runs
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "frames.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAMES_MAX);
	__type(key, __u32);
	__type(value, struct frame);
} frames SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SAMPLES_MAX + 1);
	__type(key, __u32);
	__type(value, __u64);
} clock SEC(".maps");

struct place {
	__u32 seen;
	__u32 turn;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct place);
} place SEC(".maps");

const volatile __u32 number;

static void read_clock(__u32 seen)
{
	__u32 i = (seen - WARM_UP) / SAMPLE;
	__u64 *now = bpf_map_lookup_elem(&clock, &i);

	if (now)
		*now = bpf_ktime_get_ns();
}

SEC("xdp")
int inject(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct frame *to = (void *)(long)ctx->data;
	struct frame *from;
	struct place *at;
	__u32 i = 0;

	at = bpf_map_lookup_elem(&place, &i);
	if (!at)
		return XDP_ABORTED;
	i = at->turn;
	at->turn = i + 1 < number ? i + 1 : 0;
	from = bpf_map_lookup_elem(&frames, &i);
	if (!from || (void *)(to + 1) > end)
		return XDP_ABORTED;
	*to = *from;

	if (at->seen >= WARM_UP && at->seen % SAMPLE == 0)
		read_clock(at->seen);
	at->seen++;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
