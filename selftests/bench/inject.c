// SPDX-License-Identifier: GPL-2.0-only
/*
 * Put frames into the receive path of a network device, from inside the kernel,
 * and print how many nanoseconds each took and how many they were. In a guest
 * that counts instructions (scripts/bed/vm -i) a nanosecond is one.
 *
 *	inject OBJECT BATCH SAMPLES INTERFACE... <FRAMES
 *
 * OBJECT is frames.bpf.c compiled; FRAMES are up to FRAMES_MAX frames. They are
 * received one after the other, over and over, in lists of BATCH. The figure is
 * the median of so many samples: an interrupt in one of them does not count.
 * The first interface is served by processor 0, the second at the same time by
 * processor 1, and so on; each gets a line.
 *
 * checkpatch: PARENTHESIS_ALIGNMENT: LIBBPF_OPTS() is an initialiser
 */
#define _GNU_SOURCE
#include <err.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "frames.h"

#define CPUS_MAX	64

static struct frame frames[FRAMES_MAX];

static unsigned int read_frames(void)
{
	unsigned int number = fread(frames, sizeof(*frames), FRAMES_MAX, stdin);

	if (!number)
		errx(1, "no frames");
	return number;
}

static struct bpf_map *find_map(const struct bpf_object *object,
				const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	if (!map)
		errx(1, "the program has no map %s", name);
	return map;
}

static struct bpf_object *load(const char *path, unsigned int number)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_map *map;
	unsigned int i;

	if (!object)
		err(1, "%s", path);
	map = find_map(object, ".rodata");
	if (bpf_map__set_initial_value(map, &number, sizeof(number)))
		errx(1, "%s: where is `number'?", path);
	if (bpf_object__load(object))
		err(1, "%s", path);
	map = find_map(object, "frames");
	for (i = 0; i < number; i++)
		if (bpf_map__update_elem(map, &i, sizeof(i), &frames[i],
					 sizeof(*frames), BPF_ANY))
			err(1, "frame %u", i);
	return object;
}

static void run(const struct bpf_object *object, unsigned int ifindex,
		unsigned int batch, unsigned int count)
{
	struct xdp_md context = {
		.data_end = sizeof(*frames),
		.ingress_ifindex = ifindex,
	};
	LIBBPF_OPTS(bpf_test_run_opts, options,
		.data_in = frames,
		.data_size_in = sizeof(*frames),
		.ctx_in = &context,
		.ctx_size_in = sizeof(context),
		.repeat = count,
		.batch_size = batch,
		.flags = BPF_F_TEST_XDP_LIVE_FRAMES,
	);
	struct bpf_program *program =
		bpf_object__find_program_by_name(object, "inject");

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options))
		err(1, "BPF_PROG_TEST_RUN");
}

static unsigned long long read_clock(const struct bpf_map *clock,
				     unsigned int i, int cpu)
{
	unsigned long long now[CPUS_MAX];
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 0 || cpus > CPUS_MAX)
		errx(1, "too many processors");
	if (bpf_map__lookup_elem(clock, &i, sizeof(i), now, cpus * sizeof(*now),
				 0))
		err(1, "clock");
	return now[cpu];
}

static int compare(const void *a, const void *b)
{
	const unsigned long long *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(const struct bpf_map *clock, int cpu, unsigned int samples)
{
	unsigned long long took[SAMPLES_MAX];
	unsigned int i;

	for (i = 0; i < samples; i++)
		took[i] = read_clock(clock, i + 1, cpu) -
			  read_clock(clock, i, cpu);
	qsort(took, samples, sizeof(*took), compare);
	return took[samples / 2];
}

static void serve(const struct bpf_object *object, const char *interface,
		  int cpu, unsigned int batch, unsigned int samples)
{
	/* One more, to read the clock at the end. */
	unsigned int count = WARM_UP + samples * SAMPLE + batch;
	unsigned int ifindex = if_nametoindex(interface);
	cpu_set_t set;

	if (!ifindex)
		err(1, "%s", interface);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "processor %d", cpu);
	run(object, ifindex, batch, count);
	printf("%.2f %u\n",
	       median(find_map(object, "clock"), cpu, samples) / SAMPLE, count);
}

/*
 * All by one program: the kernel patches a call of the program that is new into
 * its code, and QEMU's emulation of two processors may not survive that.
 */
static int serve_all(const struct bpf_object *object, char **interfaces,
		     unsigned int batch, unsigned int samples)
{
	int cpu, status, failed = 0;

	for (cpu = 0; interfaces[cpu]; cpu++) {
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			serve(object, interfaces[cpu], cpu, batch, samples);
			exit(0);
		}
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	unsigned int batch, samples;

	if (argc < 5 || argc - 4 > CPUS_MAX)
		errx(2, "usage: inject OBJECT BATCH SAMPLES INTERFACE... <FRAMES");
	batch = strtoul(argv[2], NULL, 10);
	samples = strtoul(argv[3], NULL, 10);
	if (!batch || SAMPLE % batch)
		errx(2, "BATCH is a divisor of %u", SAMPLE);
	if (!samples || samples > SAMPLES_MAX)
		errx(2, "SAMPLES is 1 to %u", SAMPLES_MAX);
	return serve_all(load(argv[1], read_frames()), argv + 4, batch, samples);
}
