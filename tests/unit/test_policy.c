/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_policy.c - one row a case: what happened, what is done about it, and why.
 */
#include "test.h"

#include <firebreak/policy.h>

#include <errno.h>
#include <string.h>

#define BOTH (FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA)
#define MS UINT64_C(1000000)

static void verdicts(void **state)
{
	static const struct {
		const char *what;
		enum fbk_source source;
		uint32_t flags;
		enum fbk_severity severity;
		enum fbk_verdict_action action;
		enum fbk_reason reason;
	} rows[] = {
		{ "UER", FBK_SOURCE_SEA, BOTH, FBK_SEVERITY_UER, FBK_VERDICT_REPLAY,
		  FBK_REASON_RECOVERABLE },
		{ "UEO", FBK_SOURCE_SEA, BOTH, FBK_SEVERITY_UEO, FBK_VERDICT_REPLAY,
		  FBK_REASON_RECOVERABLE },
		{ "UC", FBK_SOURCE_SEA, BOTH, FBK_SEVERITY_UC, FBK_VERDICT_SERROR,
		  FBK_REASON_UNCONTAINABLE },
		{ "reserved", FBK_SOURCE_SEA, BOTH, FBK_SEVERITY_RESERVED, FBK_VERDICT_SERROR,
		  FBK_REASON_UNCONTAINABLE },
		{ "no GVA", FBK_SOURCE_SEA, FBK_SEA_HAS_GPA, FBK_SEVERITY_UER, FBK_VERDICT_REPLAY,
		  FBK_REASON_RECOVERABLE },
		{ "no GPA", FBK_SOURCE_SEA, FBK_SEA_HAS_GVA, FBK_SEVERITY_UER, FBK_VERDICT_REPLAY,
		  FBK_REASON_RECOVERABLE },
		{ "neither", FBK_SOURCE_SEA, 0, FBK_SEVERITY_UER, FBK_VERDICT_SERROR,
		  FBK_REASON_NO_ADDRESS },
		{ "UC outranks neither", FBK_SOURCE_SEA, 0, FBK_SEVERITY_UC, FBK_VERDICT_SERROR,
		  FBK_REASON_UNCONTAINABLE },
		{ "AR", FBK_SOURCE_SIGBUS_AR, FBK_SEA_HAS_GPA, FBK_SEVERITY_UER, FBK_VERDICT_REPLAY,
		  FBK_REASON_RECOVERABLE },
		{ "AO", FBK_SOURCE_SIGBUS_AO, FBK_SEA_HAS_GPA, FBK_SEVERITY_UER, FBK_VERDICT_REPORT, FBK_REASON_ASYNC },
		{ "I/O thread", FBK_SOURCE_SIGBUS_IO, FBK_SEA_HAS_GPA, FBK_SEVERITY_UER, FBK_VERDICT_REPORT,
		  FBK_REASON_ASYNC },
	};
	struct fbk_policy p;
	size_t i;

	fbk_policy_default(&p);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_abort a = { .flags = rows[i].flags, .severity = rows[i].severity };
		struct fbk_policy_case c = { .source = rows[i].source, .abort = &a };
		struct fbk_verdict v;

		assert_int_equal(fbk_policy_decide(&p, &c, &v), 0);
		if (v.action != rows[i].action || v.reason != rows[i].reason)
			fail_msg("%s: %s because %s", rows[i].what, fbk_verdict_name(v.action), fbk_reason_name(v.reason));
		assert_non_null(v.text);
	}
}

static void the_operator_chooses(void **state)
{
	struct fbk_abort uer = { .flags = BOTH }, uc = { .flags = BOTH, .severity = FBK_SEVERITY_UC }, none = { 0 };
	struct fbk_policy_case c = { 0 };
	struct fbk_policy p;
	struct fbk_verdict v;

	fbk_policy_default(&p);
	p.recoverable = FBK_VERDICT_STOP;
	p.uncontainable = FBK_VERDICT_PAUSE;
	p.no_address = FBK_VERDICT_REPLAY;
	assert_int_equal(fbk_policy_check(&p), 0);
	c.abort = &uer;
	assert_int_equal(fbk_policy_decide(&p, &c, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_STOP);
	assert_int_equal(v.reason, FBK_REASON_POLICY);
	c.abort = &uc;
	assert_int_equal(fbk_policy_decide(&p, &c, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_PAUSE);
	c.abort = &none;
	assert_int_equal(fbk_policy_decide(&p, &c, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(v.reason, FBK_REASON_NO_ADDRESS);
}

static void a_storm_escalates_twice(void **state)
{
	struct fbk_abort a = { .flags = BOTH, .esr = 0x92000010 };
	struct fbk_history h = { 0 };
	struct fbk_policy_case c = { .abort = &a, .history = &h };
	struct fbk_policy p;
	uint64_t pc = 0x1000;
	uint32_t n;

	fbk_policy_default(&p);
	p.storm_repeats = 5;
	for (n = 1; n <= 14; n++) {
		struct fbk_verdict v;

		assert_int_equal(fbk_history_again(&h, &p, &a, n * MS), n > 1);
		fbk_history_note(&h, &p, &a, n > 1 ? &pc : NULL, n * MS);
		assert_int_equal(h.repeats, n);
		assert_int_equal(fbk_policy_decide(&p, &c, &v), 0);
		assert_int_equal(v.action, n == 5 ? FBK_VERDICT_SERROR : n >= 10 ? FBK_VERDICT_STOP : FBK_VERDICT_REPLAY);
		assert_int_equal(v.reason, v.action == FBK_VERDICT_REPLAY ? FBK_REASON_RECOVERABLE : FBK_REASON_STORM);
	}
}

static void what_ends_a_storm(void **state)
{
	struct fbk_abort a = { .flags = BOTH, .esr = 0x92000010, .gva.addr = 1, .gpa.addr = 2 };
	uint64_t pc = 0x1000, other_pc = 0x1004;
	struct fbk_history base = { 0 }, h;
	struct fbk_abort b;
	struct fbk_policy p;

	fbk_policy_default(&p);
	fbk_history_note(&base, &p, &a, &pc, 0);
	fbk_history_note(&base, &p, &a, &pc, 1);
	assert_int_equal(base.repeats, 2);

	h = base;
	fbk_history_note(&h, &p, &a, &other_pc, 2);
	assert_int_equal(h.repeats, 1);

	h = base;
	fbk_history_note(&h, &p, &a, &pc, 1 + (p.storm_gap_ms + 1) * MS);
	assert_int_equal(h.repeats, 1);

	h = base;
	b = a;
	b.gva.addr++;
	fbk_history_note(&h, &p, &b, &pc, 2);
	assert_int_equal(h.repeats, 1);

	h = base;
	b = a;
	b.gpa.addr++;
	fbk_history_note(&h, &p, &b, &pc, 2);
	assert_int_equal(h.repeats, 1);

	h = base;
	b = a;
	b.esr |= 0x40;
	fbk_history_note(&h, &p, &b, &pc, 2);
	assert_int_equal(h.repeats, 1);

	h = base;
	fbk_history_note(&h, &p, &a, &pc, 2);
	assert_int_equal(h.repeats, 3);
}

static void storms_can_be_switched_off(void **state)
{
	struct fbk_abort a = { .flags = BOTH };
	struct fbk_history h = { 0 };
	struct fbk_policy_case c = { .abort = &a, .history = &h };
	struct fbk_policy p;
	struct fbk_verdict v;
	uint32_t n;

	fbk_policy_default(&p);
	p.storm_repeats = 0;
	for (n = 0; n < 1000; n++) {
		fbk_history_note(&h, &p, &a, NULL, n);
		assert_int_equal(fbk_policy_decide(&p, &c, &v), 0);
		assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	}
}

static void bad_policies(void **state)
{
	struct fbk_policy good, p;
	struct fbk_abort a = { .flags = BOTH };
	struct fbk_policy_case c = { .source = FBK_NR_SOURCES, .abort = &a };
	struct fbk_verdict v;

	fbk_policy_default(&good);
	assert_int_equal(fbk_policy_check(&good), 0);
	assert_int_equal(fbk_policy_check(NULL), -EINVAL);
	p = good;
	p.size--;
	assert_int_equal(fbk_policy_check(&p), -EINVAL);
	p = good;
	p.uncontainable = FBK_VERDICT_REPORT; /* consumed: a report alone would leave the vCPU at the same access */
	assert_int_equal(fbk_policy_check(&p), -EINVAL);
	p = good;
	p.storm_again = (enum fbk_verdict_action)77;
	assert_int_equal(fbk_policy_check(&p), -EINVAL);
	p = good;
	p.span_pages = 0;
	assert_int_equal(fbk_policy_check(&p), -EINVAL);
	p = good;
	p.ledger_unsynced = 2;
	assert_int_equal(fbk_policy_check(&p), -EINVAL);
	assert_int_equal(fbk_policy_decide(&good, &c, &v), -EINVAL);
	c.source = FBK_SOURCE_SEA;
	c.abort = NULL;
	assert_int_equal(fbk_policy_decide(&good, &c, &v), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(the_operator_chooses),
		cmocka_unit_test(a_storm_escalates_twice),
		cmocka_unit_test(what_ends_a_storm),
		cmocka_unit_test(storms_can_be_switched_off),
		cmocka_unit_test(bad_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
