/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_cper_parse.c - any bytes: refused with a flaw at an offset among them, or walked to the end within them and written
 * as JSON.
 *
 * The first byte says whether the type of the first section is made a known one, which chance would hardly hit.
 */
#include "fuzz.h"

#include "core/cper_guid.h"
#include "json.h"

#include <firebreak/cper_parse.h>

#include <errno.h>

static void walk(const struct fbk_cper_view *v)
{
	struct fbk_cper_section s;
	uint32_t cursor = 0, nr = 0;
	uint64_t seen = 0;
	int err;

	while ((err = fbk_cper_section_next(v, &cursor, &s)) == 0) {
		struct fbk_cper_arm_context c;
		struct fbk_cper_arm_info info;
		struct fbk_cper_arm_field f;
		struct fbk_cper_memory m;
		struct fbk_cper_arm a;
		uint32_t within, parts, field;

		nr++;
		CHECK(s.len && s.offset <= v->len && s.len <= v->len - s.offset && s.body == v->bytes + s.offset);
		CHECK(memchr(s.fru_text, 0, sizeof(s.fru_text)));
		seen += s.len;
		CHECK((fbk_cper_memory_read(&s, &m) == 0) == (s.kind == FBK_CPER_MEMORY || s.kind == FBK_CPER_MEMORY2));
		if (fbk_cper_arm_read(&s, &a) != 0) {
			CHECK(s.kind != FBK_CPER_ARM);
			continue;
		}
		for (within = parts = 0; (err = fbk_cper_arm_info_next(&a, &within, &info)) == 0; parts++) {
			CHECK(info.len >= 32 && info.offset + info.len <= s.len);
			for (field = 0; (err = fbk_cper_arm_field_next(&info, &field, &f)) == 0;)
				CHECK(f.key && f.text && (f.name || !f.flag || f.value < 2));
			CHECK(err == -ENOENT && field <= 12);
		}
		CHECK(err == -ENOENT && parts == a.nr_infos);
		for (within = parts = 0; (err = fbk_cper_arm_context_next(&a, &within, &c)) == 0; parts++)
			CHECK(c.regs >= s.body && c.regs + c.len <= s.body + s.len);
		CHECK(err == -ENOENT && parts == a.nr_contexts);
	}
	/* Without overlap they cannot be more than the whole. */
	CHECK(err == -ENOENT && nr == v->nr_sections && seen < v->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t *const types[] = { fbk_cper_guid_memory, fbk_cper_guid_memory2, fbk_cper_guid_arm };
	static char json[128 * 1024];
	struct fbk_cper_fault fault = { 0 };
	struct fbk_cper_view v;
	uint8_t *p;
	size_t at;
	int err, n;

	if (!len)
		return 0;
	/* On the heap, so that not one byte more can be read. */
	p = malloc(len - 1 ? len - 1 : 1);
	CHECK(p);
	memcpy(p, data + 1, len - 1);
	at = len > 5 && !memcmp(p, "CPER", 4) ? 144 : 20;
	if (data[0] & 3 && len - 1 >= at + 16)
		memcpy(p + at, types[(data[0] & 3) - 1], 16);
	err = fbk_cper_parse(p, len - 1, &v, &fault);
	if (err) {
		CHECK(err == -EBADMSG);
		CHECK(fault.offset < len - 1 || (fault.flaw == FBK_CPER_FLAW_SHORT && fault.offset == 0));
		CHECK(strcmp(fbk_cper_flaw_text(fault.flaw), "invalid"));
	} else {
		walk(&v);
		n = fbk_cper_json(&v, json, sizeof(json));
		if (n < 0) {
			CHECK(n == -ENOSPC && len > 4096);
		} else {
			const char *end = json_value(json);

			CHECK(strlen(json) == (size_t)n && end && !*end);
			CHECK(fbk_cper_json(&v, json, (size_t)n) == -ENOSPC);
		}
	}
	free(p);
	return 0;
}
