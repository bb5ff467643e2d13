/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * records.c - write what the library lays into guest memory to files, for the golden test to compare.
 *
 * usage: lib-records FOLDER
 */
#include <firebreak/cper.h>
#include <firebreak/event.h>
#include <firebreak/ghes.h>

#include <stdio.h>

static unsigned char buf[FBK_GHES_AREA_LEN];

static int put(const char *folder, const char *name, int len)
{
	char path[4096];
	FILE *f;

	if (len <= 0) {
		fprintf(stderr, "%s: not built (%d)\n", name, len);
		return 1;
	}
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "wb");
	if (!f || fwrite(buf, 1, (size_t)len, f) != (size_t)len || fclose(f)) {
		perror(path);
		return 1;
	}
	return 0;
}

static int cper(const char *folder, const char *name, uint32_t nr_pages, uint64_t serial)
{
	struct fbk_gpa pages[FBK_CPER_MAX_PAGES];
	struct fbk_cper in = {
		.pages = pages,
		.nr_pages = nr_pages,
		.time_ns = UINT64_C(1795344735123456789), /* 2026-11-22 10:52:15 UTC */
		.serial = serial,
	};
	uint32_t i;

	for (i = 0; i < nr_pages; i++)
		pages[i].addr = 0x40010123 + i * UINT64_C(0x100200000);
	return put(folder, name, fbk_cper_encode(&in, buf, sizeof(buf)));
}

static int event(const char *folder)
{
	struct fbk_sea_exit exit = { .flags = 1, .esr = 0x92000010, .gva = 0x7f0000001018, .gpa = 0x40010000 };
	struct fbk_event ev = {
		.size = sizeof(ev),
		.seq = 1,
		.time_ns = UINT64_C(1795344735123456789),
		.mono_ns = 12345678900,
		.source = FBK_SOURCE_SEA,
		.raw_flags = 1,
		.raw_esr = 0x92000010,
		.pages = 1,
		.ledger = 1,
		.count = 1,
		.ledger_file = 1,
		.verdict = { FBK_VERDICT_REPLAY, FBK_REASON_RECOVERABLE, "recoverable: the guest gets the abort that the hardware raised" },
		.notify = FBK_NOTIFY_SEA,
		.record = 1,
		.replay = FBK_REPLAY_HELPER,
		.repeats = 1,
		.duration_ns = 23456,
	};

	if (fbk_sea_decode(&exit, &ev.abort))
		return 1;
	return put(folder, "event.json", fbk_event_json(&ev, (char *)buf, sizeof(buf)));
}

int main(int argc, char **argv)
{
	struct fbk_ghes_layout l;
	int bad = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: lib-records FOLDER\n");
		return 2;
	}
	bad |= fbk_ghes_layout_init(&l, (struct fbk_gpa){ 0x40200000 });
	bad |= fbk_ghes_area_build(&l, buf, sizeof(buf));
	bad |= put(argv[1], "area-first-64.bin", 64); /* the rest is zeros: tests/unit */
	bad |= put(argv[1], "hest.aml", fbk_hest_build(&l, "FBREAK", "FBRKTEST", buf, sizeof(buf)));
	bad |= cper(argv[1], "cper-one-page.bin", 1, 42);
	bad |= cper(argv[1], "cper-two-pages.bin", 2, 43);
	bad |= cper(argv[1], "cper-full-block.bin", FBK_CPER_MAX_PAGES, 1234567890);
	bad |= event(argv[1]);
	return bad != 0;
}
