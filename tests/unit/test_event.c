/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_event.c - every event is one line of valid JSON, and the promised length always holds it.
 */
#include "test.h"

#include "json.h"

#include <firebreak/event.h>

#include <errno.h>
#include <string.h>

static struct fbk_event sample(void)
{
	struct fbk_sea_exit in = { .flags = 1, .esr = 0x92000010, .gva = 0xffff0000dead1018, .gpa = 0x40010000 };
	struct fbk_event ev = {
		.size = sizeof(ev),
		.vcpu = 1,
		.seq = 7,
		.time_ns = UINT64_C(1795344735) * 1000000000 + 42,
		.mono_ns = 5000,
		.source = FBK_SOURCE_SEA,
		.raw_flags = 1,
		.raw_esr = 0x92000010,
		.pages = 1,
		.ledger = 1,
		.count = 1,
		.ledger_file = 1,
		.verdict = { FBK_VERDICT_REPLAY, FBK_REASON_RECOVERABLE, "because" },
		.notify = FBK_NOTIFY_SEA,
		.record = 7,
		.replay = FBK_REPLAY_HELPER,
		.repeats = 1,
		.duration_ns = 1234,
	};

	assert_int_equal(fbk_sea_decode(&in, &ev.abort), 0);
	return ev;
}

static int is_one_json_line(const char *buf, int len)
{
	const char *end = json_value(buf);

	return len > 0 && (size_t)len == strlen(buf) && end && end[0] == '\n' && end[1] == '\0';
}

static void one_line_word_for_word(void **state)
{
	char buf[FBK_EVENT_JSON_MAX];
	struct fbk_event ev = sample();
	int len = fbk_event_json(&ev, buf, sizeof(buf));

	assert_string_equal(buf,
		"{\"seq\":7,\"time\":\"2026-11-22T10:52:15.000000042Z\",\"mono_ns\":5000,\"source\":\"sea\",\"vcpu\":1,"
		"\"el\":0,\"raw\":{\"flags\":\"0x1\",\"esr\":\"0x92000010\"},\"decode_error\":null,\"abort\":{"
		"\"class\":\"data\",\"severity\":\"recoverable\",\"severity_stated\":true,"
		"\"status\":\"synchronous external abort, not on a table walk\",\"esr\":\"0x92000010\","
		"\"gva\":\"0xffff0000dead1018\",\"gpa\":\"0x40010000\",\"walk_level\":null,\"parity\":false,\"ea\":false,"
		"\"cm\":false,\"wnr\":false},\"hva\":null,\"pages\":1,\"ledger\":{\"error\":null,\"new\":true,\"count\":1,"
		"\"in_file\":true,\"file_error\":null},"
		"\"verdict\":\"replay\",\"reason\":\"recoverable\",\"text\":\"because\",\"notify\":{\"method\":\"sea\","
		"\"error\":null,\"ack_wait_ns\":0,\"record\":7},\"replay\":{\"method\":\"helper\",\"error\":null,\"errno\":0},"
		"\"repeats\":1,\"duration_ns\":1234}\n");
	assert_true(is_one_json_line(buf, len));
}

static void what_is_not_known_is_null(void **state)
{
	char buf[FBK_EVENT_JSON_MAX];
	struct fbk_event ev = sample();

	ev.vcpu = ev.el = -1;
	ev.abort = (struct fbk_abort){ .kind = FBK_ABORT_UNKNOWN };
	ev.ledger = -ENODATA;
	ev.replay_err = -EIO;
	ev.sys_errno = 1;
	ev.notify_err = -12345;
	ev.verdict.text = NULL;
	assert_true(is_one_json_line(buf, fbk_event_json(&ev, buf, sizeof(buf))));
	assert_non_null(strstr(buf, "\"vcpu\":null,\"el\":null,"));
	assert_non_null(strstr(buf, "\"status\":null,\"esr\":null,\"gva\":null,\"gpa\":null,"));
	assert_non_null(strstr(buf, "\"error\":\"ENODATA\""));
	assert_non_null(strstr(buf, "\"error\":\"EIO\",\"errno\":1"));
	assert_non_null(strstr(buf, "\"error\":\"errno 12345\""));
	assert_non_null(strstr(buf, "\"text\":null"));
	ev.decode = -EBADMSG;
	assert_true(is_one_json_line(buf, fbk_event_json(&ev, buf, sizeof(buf))));
	assert_non_null(strstr(buf, "\"decode_error\":\"EBADMSG\",\"abort\":{}"));
}

static void text_is_escaped(void **state)
{
	char buf[FBK_EVENT_JSON_MAX];
	struct fbk_event ev = sample();

	ev.verdict.text = "a\"b\\c\n\x7f\xc3";
	assert_true(is_one_json_line(buf, fbk_event_json(&ev, buf, sizeof(buf))));
	assert_non_null(strstr(buf, "\"a\\\"b\\\\c\\u000a\\u007f\\u00c3\""));
}

/* The longest of everything fits, and no shorter buffer is overrun. */
static void the_longest_line_fits(void **state)
{
	char buf[FBK_EVENT_JSON_MAX + 1];
	struct fbk_event ev = sample();
	char text[97];
	size_t n;
	int len;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	ev.seq = ev.time_ns = ev.mono_ns = ev.raw_flags = ev.raw_esr = ev.hva.addr = ev.ack_wait_ns = ev.record = UINT64_MAX;
	ev.duration_ns = UINT64_MAX;
	ev.abort.flags = UINT32_MAX;
	ev.abort.kind = FBK_ABORT_INSTRUCTION;
	ev.abort.severity = FBK_SEVERITY_UC;
	ev.abort.esr = ev.abort.gva.addr = ev.abort.gpa.addr = UINT64_MAX << 6 | 0x1b;
	ev.abort.walk_level = INT32_MIN;
	ev.vcpu = ev.el = INT32_MAX;
	ev.pages = ev.count = ev.repeats = UINT32_MAX;
	ev.source = FBK_SOURCE_SIGBUS_AO;
	ev.ledger = ev.ledger_file = ev.notify_err = ev.replay_err = ev.sys_errno = INT32_MIN;
	ev.verdict = (struct fbk_verdict){ FBK_VERDICT_REPLAY, FBK_REASON_UNCONTAINABLE, text };
	ev.notify = FBK_NOTIFY_QUEUED;
	ev.replay = FBK_REPLAY_CORRECTED;
	len = fbk_event_json(&ev, buf, FBK_EVENT_JSON_MAX);
	assert_true(is_one_json_line(buf, len));
	for (n = 0; n <= (size_t)len; n++) {
		buf[n] = 'G';
		assert_int_equal(fbk_event_json(&ev, buf, n), -ENOSPC);
		assert_int_equal(buf[n], 'G');
	}
	assert_int_equal(fbk_event_json(&ev, buf, (size_t)len + 1), len);
	assert_int_equal(fbk_event_json(NULL, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(fbk_event_json(&ev, NULL, 10), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_word_for_word),
		cmocka_unit_test(what_is_not_known_is_null),
		cmocka_unit_test(text_is_escaped),
		cmocka_unit_test(the_longest_line_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
