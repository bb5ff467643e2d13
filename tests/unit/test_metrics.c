/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_metrics.c - what is counted, and that its text fits. What the text means to Prometheus: tests/formats.
 */
#include "test.h"

#include "core/counts.h"

#include <errno.h>
#include <string.h>

static char text[FBK_METRICS_TEXT_MAX + 1];

static uint64_t sum(const uint64_t *v, size_t nr)
{
	uint64_t s = 0;

	while (nr--)
		s += *v++;
	return s;
}

static void bounds(void **state)
{
	uint32_t i;

	assert_int_equal(fbk_metrics_bound_ns(0), 10000);
	for (i = 1; i < FBK_METRICS_BUCKETS; i++)
		assert_true(fbk_metrics_bound_ns(i) > fbk_metrics_bound_ns(i - 1));
	assert_int_equal(fbk_metrics_bound_ns(FBK_METRICS_BUCKETS - 2), UINT64_C(10000000000));
	assert_int_equal(fbk_metrics_bound_ns(FBK_METRICS_BUCKETS - 1), UINT64_MAX);
	assert_int_equal(fbk_metrics_bound_ns(UINT32_MAX), UINT64_MAX);
}

/* A time lies in the first bucket whose bound it does not exceed. */
static void times(void **state)
{
	uint32_t i;

	for (i = 0; i < FBK_METRICS_BUCKETS; i++) {
		struct fbk_metrics_times t = { .sum_ns = 0 };
		uint64_t bound = fbk_metrics_bound_ns(i);

		fbk_counts_time(&t, bound);
		assert_int_equal(t.bucket[i], 1);
		assert_int_equal(t.sum_ns, bound);
		if (i == FBK_METRICS_BUCKETS - 1)
			continue;
		fbk_counts_time(&t, bound + 1);
		assert_int_equal(t.bucket[i + 1], 1);
	}
}

/* The bucket is found by a power of two: around each of them, and at random, it is the one that a search finds. */
static void any_time(void **state)
{
	uint64_t random = 88172645463325252;
	uint32_t k, i;

	for (k = 0; k < 64 * 4 + 10000; k++) {
		struct fbk_metrics_times t = { .sum_ns = 0 };
		uint64_t ns;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		ns = k < 256 ? (UINT64_C(1) << k / 4) + k % 4 - 2 : random >> random % 64;
		fbk_counts_time(&t, ns);
		for (i = 0; ns > fbk_metrics_bound_ns(i); i++)
			;
		assert_int_equal(t.bucket[i], 1);
	}
}

static void every_error_once_everywhere(void **state)
{
	static struct fbk_counts c;
	struct fbk_metrics m = { .size = sizeof(m) };
	struct fbk_event ev = { 0 };
	uint32_t n = 0, i;

	for (i = 0; i < FBK_NR_SOURCES; i++) {
		ev.source = (enum fbk_source)i;
		ev.abort.severity = (enum fbk_severity)(i % 4);
		ev.abort.kind = (enum fbk_abort_kind)(i % 3);
		ev.verdict.action = (enum fbk_verdict_action)(i % 5);
		ev.verdict.reason = (enum fbk_reason)(i % 9);
		ev.notify = (enum fbk_notify)(i % 4);
		ev.replay = (enum fbk_replay_method)(i % 5);
		ev.duration_ns = 10000 * i;
		ev.step_ns[FBK_STEP_RECORD] = 7;
		ev.ledger_file = i == 1 ? -EIO : 1;
		fbk_counts_event(&c, &ev, fbk_counts_learnt(&ev));
		fbk_counts_file(&c, &ev, 1);
		n++;
	}
	ev.decode = -EBADMSG;
	fbk_counts_event(&c, &ev, fbk_counts_learnt(&ev));
	n++;
	fbk_counts_read(&c, &m);
	assert_int_equal(sum(m.source, FBK_NR_SOURCES), n);
	assert_int_equal(m.source[FBK_SOURCE_SIGBUS_AO], 1);
	assert_int_equal(sum(m.severity, FBK_METRICS_SEVERITIES), n - 1);
	assert_int_equal(sum(m.kind, FBK_METRICS_CLASSES), n - 1);
	assert_int_equal(m.severity[FBK_SEVERITY_UC], 1);
	assert_int_equal(m.malformed, 1);
	assert_int_equal(sum(m.verdict[0], FBK_METRICS_VERDICTS * FBK_METRICS_REASONS), n);
	assert_int_equal(m.verdict[FBK_VERDICT_SERROR][FBK_REASON_UNCONTAINABLE], 1);
	assert_int_equal(sum(m.notify, FBK_METRICS_METHODS), n);
	assert_int_equal(sum(m.replay, FBK_METRICS_METHODS), n);
	assert_int_equal(m.replay[FBK_REPLAY_CORRECTED], 1);
	assert_int_equal(sum(m.duration.bucket, FBK_METRICS_BUCKETS), n);
	assert_int_equal(sum(m.sync.bucket, FBK_METRICS_BUCKETS), n - 2);
	assert_int_equal(m.sync.sum_ns, 7 * (n - 2));
	assert_int_equal(m.file_failures, 1);
}

/* The words leave room in the arrays: the next one that comes must not be the first without a counter. */
static void room_for_words(void **state)
{
	assert_string_equal(fbk_verdict_name((enum fbk_verdict_action)(FBK_METRICS_VERDICTS - 1)), "invalid");
	assert_string_equal(fbk_reason_name((enum fbk_reason)(FBK_METRICS_REASONS - 1)), "invalid");
	assert_string_equal(fbk_notify_name((enum fbk_notify)(FBK_METRICS_METHODS - 1)), "invalid");
	assert_string_equal(fbk_replay_name((enum fbk_replay_method)(FBK_METRICS_METHODS - 1)), "invalid");
	assert_string_equal(fbk_page_state_name((enum fbk_page_state)(FBK_METRICS_STATES - 1)), "invalid");
}

static void the_longest_text_fits(void **state)
{
	struct fbk_metrics m;
	int len, n;

	memset(&m, 0xff, sizeof(m));
	m.size = sizeof(m);
	len = fbk_metrics_text(&m, NULL, text, FBK_METRICS_TEXT_MAX);
	assert_true(len > 0);
	assert_int_equal(strlen(text), len);
	/* With every verdict's every reason, of the longest words there are. */
	assert_true(len + FBK_METRICS_VERDICTS * FBK_METRICS_REASONS * 16 < FBK_METRICS_TEXT_MAX);
	for (n = 0; n <= len; n += n < 100 ? 1 : 997) {
		text[n] = 'G';
		assert_int_equal(fbk_metrics_text(&m, NULL, text, (size_t)n), -ENOSPC);
		assert_int_equal(text[n], 'G');
	}
	assert_int_equal(fbk_metrics_text(&m, NULL, text, (size_t)len + 1), len);
	assert_int_equal(fbk_metrics_text(NULL, NULL, text, sizeof(text)), -EINVAL);
	assert_int_equal(fbk_metrics_text(&m, NULL, NULL, 10), -EINVAL);
	m.size--;
	assert_int_equal(fbk_metrics_text(&m, NULL, text, sizeof(text)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds),
		cmocka_unit_test(times),
		cmocka_unit_test(any_time),
		cmocka_unit_test(every_error_once_everywhere),
		cmocka_unit_test(room_for_words),
		cmocka_unit_test(the_longest_text_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
