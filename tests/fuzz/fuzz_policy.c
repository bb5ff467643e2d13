/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_policy.c - any text as a policy: refused at a place that there is, without a trace; or a policy that can be followed,
 * and that is the same after it was written and read again.
 */
#include "fuzz.h"

#include <firebreak/policy.h>

#include <errno.h>

static void check_error(const struct fbk_policy_error *e, const uint8_t *data, size_t len)
{
	uint32_t lines = 1;
	size_t i;

	for (i = 0; i < len; i++)
		lines += data[i] == '\n';
	CHECK(e->line >= 1 && e->line <= lines + 1);
	CHECK(e->column >= 1 && e->column <= FBK_POLICY_LINE_MAX + 1);
	CHECK(e->text[0] && memchr(e->text, '\0', sizeof(e->text)));
	for (i = 0; e->text[i]; i++)
		CHECK(e->text[i] >= ' ' && e->text[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fbk_policy clean, p, again;
	struct fbk_policy_error error;
	char text[FBK_POLICY_TEXT_MAX];
	int err, n;

	memset(&clean, 0xa5, sizeof(clean));
	p = clean;
	memset(&error, 0, sizeof(error));
	err = fbk_policy_parse((const char *)data, len, &p, &error);
	if (err) {
		CHECK(err == -EBADMSG);
		CHECK(!memcmp(&p, &clean, sizeof(p)));
		check_error(&error, data, len);
		return 0;
	}
	CHECK(fbk_policy_check(&p) == 0);
	n = fbk_policy_format(&p, text, sizeof(text));
	CHECK(n > 0 && text[n] == '\0');
	CHECK(fbk_policy_parse(text, (size_t)n, &again, NULL) == 0);
	CHECK(!memcmp(&p, &again, sizeof(p)));
	return 0;
}
