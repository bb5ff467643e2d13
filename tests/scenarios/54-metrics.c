/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* What the monitor counts is what was broken, and what the guest says of it; the tools that read it are asked afterwards. */
#include "harness.h"
#include "internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

FBK_SCENARIO("54-metrics", "metrics", 8,
	     "guest: victims' siginfo and exit, HardwareCorrupted; host: how many pages were armed; a second VM's name is refused");

#define LEDGER "/tmp/firebreak-scenario-metrics.ledger"
#define ID "0ff1ce00-5eed-4a11-8bad-c0ffee000001"
#define OTHER_ID "0ff1ce00-5eed-4a11-8bad-c0ffee000002"
#define PAGES 5

/* Sum of a family's samples that have this text among their labels; -1: there is none. */
static long sum(const char *path, const char *family, const char *label)
{
	char line[256], start[128];
	FILE *f = fopen(path, "re");
	long s = -1;

	snprintf(start, sizeof(start), "%s{vm=\"" ID "\"", family);
	while (f && fgets(line, sizeof(line), f)) {
		unsigned long v;
		char *at = strstr(line, "} ");

		if (!strncmp(line, start, strlen(start)) && strstr(line, label) && at && sscanf(at, "} %lu", &v) == 1)
			s = (s < 0 ? 0 : s) + (long)v;
	}
	if (f)
		fclose(f);
	return s;
}

static unsigned int lines_with(const char *path, const char *a, const char *b)
{
	FILE *f = fopen(path, "re");
	unsigned int n = 0;
	char line[2048];

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, a) && strstr(line, b);
	if (f)
		fclose(f);
	return n;
}

static bool all_counted(void *metrics)
{
	return sum(metrics, "firebreak_guest_memory_errors_total", "source=\"sea\"") == PAGES &&
	       sum(metrics, "firebreak_records_acknowledged_total", "source=\"sea\"") == PAGES;
}

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2, .ledger = LEDGER, .id = ID });
	const char *metrics = fbk_guest_metrics(g), *events = fbk_guest_events(g);
	char *other[] = { fbk_path_files("firebreak"), "run", "--kernel", fbk_path_files("kernels/newest/Image"), "--ledger", LEDGER,
			  "--id", OTHER_ID, NULL };
	struct fbk_victim v;
	char text[1024];
	int i;

	/* From the start, so that the first error is an increase. */
	FBK_CHECK_EQ(sum(metrics, "firebreak_guest_memory_errors_total", "source=\"sea\""), 0);
	for (i = 0; i < PAGES; i++) {
		fbk_victim_start(&v, g, "anon");
		fbk_inject(g, v.gpa, "");
		fbk_victim_loses(&v);
	}
	fbk_wait_until(30, "errors and acknowledgements are counted", all_counted, (void *)metrics);
	fbk_guest_expect_corrupted(g, 4 * PAGES);
	FBK_CHECK_EQ(sum(metrics, "firebreak_guest_memory_errors_total", ""), PAGES);
	FBK_CHECK_EQ(sum(metrics, "firebreak_ledger_pages", ""), PAGES);
	FBK_CHECK_EQ(sum(metrics, "firebreak_ledger_sync_seconds_count", ""), PAGES);
	FBK_CHECK_EQ(sum(metrics, "firebreak_records_withdrawn_total", ""), 0);
	FBK_CHECK_EQ(sum(metrics, "firebreak_events_lost_total", ""), 0);
	/* One line an error, one an acknowledgement, and one of account. */
	FBK_CHECK_EQ(lines_with(events, "{\"kind\":\"error\"", "\"vm\":\"" ID "\""), PAGES);
	FBK_CHECK_EQ(lines_with(events, "{\"kind\":\"acknowledged\"", "\"method\":\"sea\""), PAGES);
	FBK_CHECK_EQ(lines_with(fbk_path_out("guest-%u.stderr", fbk_guest_id(g)), "firebreak: memory error ", "in guest page"), PAGES);

	fbk_guest_poweroff(g);
	/* Its ledger knows whose it is. */
	FBK_CHECK_EQ(fbk_run(other, text, sizeof(text)), 66);
	unlink(LEDGER);
}
