/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_handshake.c - whose turn it is, whatever the guest writes into the acknowledgement.
 */
#include "test.h"

#include "core/handshake.h"

static const struct fbk_gpa pages[2] = { { 0x1000 }, { 0x5000 } };

static void one_round(void **state)
{
	struct fbk_handshake h;
	uint32_t acked = 9;

	fbk_handshake_init(&h);
	assert_int_equal(fbk_handshake_look(&h, 1, &acked), FBK_TURN_OURS);
	assert_int_equal(acked, 0);
	fbk_handshake_wrote(&h, 7, pages, 2, 3);
	assert_int_equal(h.serial, 7);
	assert_int_equal(h.owner, 3);
	assert_true(fbk_handshake_has(&h, 0x5000));
	assert_false(fbk_handshake_has(&h, 0x2000));
	assert_int_equal(fbk_handshake_look(&h, 0, &acked), FBK_TURN_GUEST);
	assert_int_equal(fbk_handshake_look(&h, 1, &acked), FBK_TURN_OURS);
	assert_int_equal(acked, 2);
	assert_int_equal(h.pages[1].addr, 0x5000);
	assert_false(fbk_handshake_has(&h, 0x5000));
	/* Seen once, booked once. */
	assert_int_equal(fbk_handshake_look(&h, 1, &acked), FBK_TURN_OURS);
	assert_int_equal(acked, 0);
}

static void only_bit_0_counts(void **state)
{
	struct fbk_handshake h;
	uint32_t acked;

	fbk_handshake_init(&h);
	assert_int_equal(fbk_handshake_look(&h, ~UINT64_C(0), &acked), FBK_TURN_OURS);
	assert_int_equal(fbk_handshake_look(&h, ~UINT64_C(1), &acked), FBK_TURN_GUEST);
	/* Cleared by the guest with nothing in flight: it only blocks itself. */
	assert_int_equal(fbk_handshake_give_up(&h), 0);
	assert_true(h.unresponsive);
}

static void giving_up_and_coming_back(void **state)
{
	struct fbk_handshake h;
	uint32_t acked;

	fbk_handshake_init(&h);
	fbk_handshake_wrote(&h, 1, pages, 1, 0);
	assert_int_equal(fbk_handshake_give_up(&h), 1);
	assert_int_equal(h.pages[0].addr, 0x1000);
	assert_false(h.in_flight);
	assert_true(h.unresponsive);
	assert_int_equal(fbk_handshake_look(&h, 0, &acked), FBK_TURN_GUEST);
	assert_true(h.unresponsive);
	assert_int_equal(fbk_handshake_look(&h, 1, &acked), FBK_TURN_OURS);
	assert_int_equal(acked, 0); /* the record that was taken back was not acknowledged */
	assert_false(h.unresponsive);
}

static void broken_stays_broken(void **state)
{
	struct fbk_handshake h;
	uint32_t acked;

	fbk_handshake_init(&h);
	fbk_handshake_wrote(&h, 1, pages, 1, 0);
	fbk_handshake_break(&h);
	assert_int_equal(fbk_handshake_look(&h, 1, &acked), FBK_TURN_BROKEN);
	assert_int_equal(acked, 0);
	assert_false(fbk_handshake_has(&h, 0x1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_round),
		cmocka_unit_test(only_bit_0_counts),
		cmocka_unit_test(giving_up_and_coming_back),
		cmocka_unit_test(broken_stays_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
