// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the option engine in user space, with cmocka. The areas end where
 * their arrays end, so that the address sanitizer sees every octet too far.
 *
 * checkpatch: COMPLEX_MACRO,MACRO_ARG_REUSE,CAMELCASE: addresses stand for four
 * octets of an array; EXPECT_ALL is given names of tables; CMUnitTest is
 * cmocka's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <srcroute/option.h>

#define ADDR1	10, 0, 0, 1
#define ADDR2	10, 0, 0, 2
#define ADDR3	10, 0, 0, 3
#define OURS	192, 0, 2, 9

struct finding {
	const char *what;
	u8 options[SRR_OPTIONS_MAX];
	unsigned int len;
	enum srr_verdict verdict;
	struct srr srr;
};

static enum srr_verdict find(const u8 *octets, unsigned int len,
			     struct srr *srr)
{
	u8 *options = malloc(len ? len : 1);
	enum srr_verdict verdict;

	memcpy(options, octets, len);
	verdict = srr_parse(options, len, srr);
	free(options);
	return verdict;
}

static const struct finding sound[] = {
	{ "a loose route", { 131, 7, 4, ADDR1 }, 7, SRR_VALID,
	  { .type = 131, .off = 0, .len = 7, .ptr = 4, .only_option = true } },
	{ "a strict route", { 137, 7, 8, ADDR1 }, 7, SRR_VALID,
	  { .type = 137, .off = 0, .len = 7, .ptr = 8, .only_option = true } },
	{ "an empty route", { 131, 3, 4 }, 3, SRR_VALID,
	  { .type = 131, .off = 0, .len = 3, .ptr = 4, .only_option = true } },
	{ "behind no-operations", { 1, 1, 131, 7, 4, ADDR1, 1 }, 10, SRR_VALID,
	  { .type = 131, .off = 2, .len = 7, .ptr = 4, .only_option = true } },
	{ "ahead of zeroed padding", { 131, 7, 4, ADDR1, 0, 0, 0 }, 10,
	  SRR_VALID,
	  { .type = 131, .off = 0, .len = 7, .ptr = 4, .only_option = true } },
	{ "ahead of padding that is not zeroed", { 131, 7, 4, ADDR1, 0, 9 }, 9,
	  SRR_VALID,
	  { .type = 131, .off = 0, .len = 7, .ptr = 4, .only_option = false } },
	{ "behind another option", { 7, 3, 4, 131, 3, 252 }, 6, SRR_VALID,
	  { .type = 131, .off = 3, .len = 3, .ptr = 252, .only_option = false } },
	{ "ahead of another option", { 131, 3, 4, 68, 4, 5, 0 }, 7, SRR_VALID,
	  { .type = 131, .off = 0, .len = 3, .ptr = 4, .only_option = false } },
};

static const struct finding none[] = {
	{ "no options", { 0 }, 0, SRR_NONE, { 0 } },
	{ "no route", { 7, 7, 4, 0, 0, 0, 0, 1 }, 8, SRR_NONE, { 0 } },
	{ "a route behind the end", { 0, 131, 3, 4 }, 4, SRR_NONE, { 0 } },
	{ "a route inside an option", { 7, 6, 4, 131, 3, 4 }, 6, SRR_NONE,
	  { 0 } },
	{ "a fault first: length 0", { 7, 0, 131, 3, 4 }, 5, SRR_NONE, { 0 } },
	{ "a fault first: too long", { 7, 6, 131, 3, 4 }, 5, SRR_NONE, { 0 } },
	{ "a fault first: no length", { 7 }, 1, SRR_NONE, { 0 } },
};

static const struct finding faults[] = {
	{ "V1: a route without length", { 1, 131 }, 2, SRR_FAULT,
	  { .type = 131, .fault = 1, .route_at_fault = true } },
	{ "V1: a route of length 0", { 131, 0, 4 }, 3, SRR_FAULT,
	  { .type = 131, .fault = 1, .route_at_fault = true } },
	{ "V1: a route of length 1", { 137, 1, 4 }, 3, SRR_FAULT,
	  { .type = 137, .fault = 1, .route_at_fault = true } },
	{ "V1: a route past the area", { 131, 7, 4, 10, 0, 0 }, 6, SRR_FAULT,
	  { .type = 131, .fault = 1, .route_at_fault = true } },
	{ "V1: another option without length", { 131, 3, 4, 7 }, 4, SRR_FAULT,
	  { .type = 131, .fault = 3, .route_at_fault = false } },
	{ "V1: another option of length 1", { 131, 3, 4, 7, 1 }, 5, SRR_FAULT,
	  { .type = 131, .fault = 4, .route_at_fault = false } },
	{ "V1: another option past the area", { 131, 3, 4, 7, 3 }, 5,
	  SRR_FAULT,
	  { .type = 131, .fault = 4, .route_at_fault = false } },
	{ "V2: a second route", { 131, 3, 4, 1, 137, 3, 4 }, 7, SRR_FAULT,
	  { .type = 131, .fault = 4, .route_at_fault = true } },
	{ "V2: comes ahead of the second's length", { 137, 3, 4, 131, 0 }, 5,
	  SRR_FAULT, { .type = 137, .fault = 3, .route_at_fault = true } },
	{ "V3: length 2", { 131, 2, 4 }, 3, SRR_FAULT,
	  { .type = 131, .fault = 1, .route_at_fault = true } },
	{ "V3: half a slot", { 131, 5, 4, 0, 0 }, 5, SRR_FAULT,
	  { .type = 131, .fault = 1, .route_at_fault = true } },
	{ "V3: comes ahead of the pointer", { 131, 6, 5, 0, 0, 0 }, 6,
	  SRR_FAULT, { .type = 131, .fault = 1, .route_at_fault = true } },
	{ "V4: pointer 0", { 131, 7, 0, ADDR1 }, 7, SRR_FAULT,
	  { .type = 131, .fault = 2, .route_at_fault = true } },
	{ "V4: pointer 3", { 131, 7, 3, ADDR1 }, 7, SRR_FAULT,
	  { .type = 131, .fault = 2, .route_at_fault = true } },
	{ "V4: pointer 6", { 1, 137, 7, 6, ADDR1 }, 8, SRR_FAULT,
	  { .type = 137, .fault = 3, .route_at_fault = true } },
	{ "V4: pointer 9, beyond the end", { 131, 7, 9, ADDR1 }, 7, SRR_FAULT,
	  { .type = 131, .fault = 2, .route_at_fault = true } },
};

static void expect_finding(const struct finding *f)
{
	struct srr srr = { 0 };

	print_message("# %s\n", f->what);
	assert_int_equal(find(f->options, f->len, &srr), f->verdict);
	if (f->verdict == SRR_NONE)
		return;
	assert_int_equal(srr.type, f->srr.type);
	if (f->verdict == SRR_FAULT) {
		assert_int_equal(srr.fault, f->srr.fault);
		assert_int_equal(srr.route_at_fault, f->srr.route_at_fault);
		return;
	}
	assert_int_equal(srr.off, f->srr.off);
	assert_int_equal(srr.len, f->srr.len);
	assert_int_equal(srr.ptr, f->srr.ptr);
	assert_int_equal(srr.only_option, f->srr.only_option);
}

#define EXPECT_ALL(table)						\
	do {								\
		for (size_t i = 0; i < sizeof(table) / sizeof(*(table)); i++) \
			expect_finding(&(table)[i]);			\
	} while (0)

static void O1_finds_sound_routes(void **state)
{
	EXPECT_ALL(sound);
}

static void O4_finds_no_route(void **state)
{
	EXPECT_ALL(none);
}

static void V_blames_the_first_fault(void **state)
{
	EXPECT_ALL(faults);
}

static void V_keeps_a_sound_route_with_a_fault_behind_it(void **state)
{
	const u8 options[] = { 131, 7, 8, ADDR1, 7, 0 };
	struct srr srr;

	assert_int_equal(find(options, sizeof(options), &srr), SRR_FAULT);
	assert_int_equal(srr.off, 0);
	assert_int_equal(srr.len, 7);
	assert_int_equal(srr.ptr, 8);
}

/* Every length and pointer: what is sound is exactly what V1, V3, V4 say. */
static void V_every_length_and_pointer(void **state)
{
	u8 options[SRR_OPTIONS_MAX] = { 131 };

	for (unsigned int len = 0; len < 256; len++) {
		for (unsigned int ptr = 0; ptr < 256; ptr++) {
			struct srr srr = { 0 };
			bool ok;

			options[1] = len;
			options[2] = ptr;
			ok = len >= 3 && len <= 40 && (len - 3) % 4 == 0 &&
			     ptr >= 4 && ptr % 4 == 0;
			memset(options + 3, 1, sizeof(options) - 3);
			assert_int_equal(find(options, sizeof(options), &srr),
					 ok ? SRR_VALID : SRR_FAULT);
			if (ok)
				assert_int_equal(srr_is_complete(&srr),
						 ptr > len);
		}
	}
}

static struct srr found(const u8 *options, unsigned int len)
{
	struct srr srr;

	assert_int_equal(srr_parse(options, len, &srr), SRR_VALID);
	return srr;
}

static void H6_next_is_the_slot_at_the_pointer(void **state)
{
	const u8 options[] = { 1, 131, 11, 8, ADDR1, ADDR2 };
	struct srr srr = found(options, sizeof(options));

	assert_memory_equal(srr_slot(options, &srr), ((u8[]){ ADDR2 }), 4);
}

static void H7_advance_changes_slot_and_pointer_alone(void **state)
{
	u8 option[] = { 137, 15, 8, ADDR1, ADDR2, ADDR3, 99 };
	const u8 wanted[] = { 137, 15, 12, ADDR1, OURS, ADDR3, 99 };

	srr_advance(option, 8, (u8[]){ OURS });
	assert_memory_equal(option, wanted, sizeof(wanted));
}

static void H6_advance_passes_over_slots(void **state)
{
	u8 option[] = { 131, 15, 4, ADDR1, ADDR2, ADDR3 };
	const u8 wanted[] = { 131, 15, 16, ADDR1, ADDR2, OURS };

	srr_advance(option, 12, (u8[]){ OURS });
	assert_memory_equal(option, wanted, sizeof(wanted));
}

static void H7_advance_takes_one_of_twins(void **state)
{
	u8 option[] = { 131, 15, 8, ADDR1, ADDR1, ADDR1 };
	const u8 wanted[] = { 131, 15, 12, ADDR1, OURS, ADDR1 };

	srr_advance(option, 8, (u8[]){ OURS });
	assert_memory_equal(option, wanted, sizeof(wanted));
}

static void H6_finish_moves_the_pointer_past_the_end(void **state)
{
	u8 option[] = { 131, 11, 4, ADDR1, ADDR2 };
	const u8 wanted[] = { 131, 11, 12, ADDR1, ADDR2 };

	srr_complete(option);
	assert_memory_equal(option, wanted, sizeof(wanted));
}

static void I3_reverse_is_the_recorded_part_backwards(void **state)
{
	const u8 options[] = { 131, 15, 12, ADDR1, ADDR2, ADDR3 };
	const u8 wanted[] = { ADDR2, ADDR1 };
	u8 route[4 * SRR_SLOTS_MAX];
	struct srr srr = found(options, sizeof(options));
	unsigned int n;

	assert_ptr_equal(srr_recorded(options, &srr, &n), options + 3);
	assert_int_equal(n, 2);
	assert_int_equal(srr_reverse(options, &srr, route), 2);
	assert_memory_equal(route, wanted, sizeof(wanted));
}

static void I3_nothing_or_all_recorded(void **state)
{
	u8 options[] = { 131, 39, 4, ADDR1, ADDR2, ADDR3, ADDR1, ADDR2, ADDR3,
		      ADDR1, ADDR2, ADDR3 };
	u8 route[4 * SRR_SLOTS_MAX];
	struct srr srr = found(options, sizeof(options));

	assert_int_equal(srr_reverse(options, &srr, route), 0);
	for (unsigned int ptr = 40; ptr <= 252; ptr += 4) {
		options[2] = ptr;
		srr = found(options, sizeof(options));
		assert_int_equal(srr_reverse(options, &srr, route), 9);
		assert_memory_equal(route, options + 35, 4);
		assert_memory_equal(route + 32, options + 3, 4);
	}
}

/* Example 3 of Postel and Reynolds, from gateway to gateway. */
static void H7_example_3(void **state)
{
	static const u8 hop[3][2][4] = {
		{ { 28, 19, 0, 0 }, { 28, 45, 0, 0 } },
		{ { 10, 1, 0, 15 }, { 10, 5, 0, 10 } },
		{ { 128, 43, 0, 1 }, { 128, 43, 1, 1 } },
	};
	u8 option[] = { 137, 15, 4, 28, 19, 0, 0, 10, 1, 0, 15,
			128, 43, 0, 1 };
	const u8 wanted[] = { 137, 15, 16, 28, 45, 0, 0, 10, 5, 0, 10,
			      128, 43, 1, 1 };

	for (int i = 0; i < 3; i++) {
		struct srr srr = found(option, sizeof(option));

		assert_int_equal(srr.ptr, 4 + 4 * i);
		assert_memory_equal(srr_slot(option, &srr), hop[i][0], 4);
		srr_advance(option, srr.ptr, hop[i][1]);
	}
	assert_memory_equal(option, wanted, sizeof(wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O1_finds_sound_routes),
		cmocka_unit_test(O4_finds_no_route),
		cmocka_unit_test(V_blames_the_first_fault),
		cmocka_unit_test(V_keeps_a_sound_route_with_a_fault_behind_it),
		cmocka_unit_test(V_every_length_and_pointer),
		cmocka_unit_test(H6_next_is_the_slot_at_the_pointer),
		cmocka_unit_test(H7_advance_changes_slot_and_pointer_alone),
		cmocka_unit_test(H6_advance_passes_over_slots),
		cmocka_unit_test(H7_advance_takes_one_of_twins),
		cmocka_unit_test(H6_finish_moves_the_pointer_past_the_end),
		cmocka_unit_test(I3_reverse_is_the_recorded_part_backwards),
		cmocka_unit_test(I3_nothing_or_all_recorded),
		cmocka_unit_test(H7_example_3),
	};

	return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
