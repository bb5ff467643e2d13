/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* All of the monitor's options come from a file: the guest has what they say, and its errors are contained. */
#include "harness.h"
#include "internal.h"

#include <stdio.h>
#include <string.h>

FBK_SCENARIO("55-config-file", "newest", 12,
	     "guest: its vCPUs, disks and memory; victim's siginfo; exit status 0. A line that is wrong: exit status 66, its place");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){
		.kernel = "newest", .cpus = 2, .memory_mib = 192, .disks = { ",ro" }, .policy = "budget_pages = 3\n", .by_file = true });
	char *config = fbk_path_out("guest-%u.conf", fbk_guest_id(g));
	char *wrong[] = { fbk_path_files("firebreak"), "run", "--config", config, "--config=/tmp/firebreak-wrong.conf", NULL };
	static char said[4096];
	struct fbk_victim v;
	FILE *f;

	FBK_CHECK(fbk_guest_meminfo(g, "MemTotal") < 192 << 10);
	FBK_CHECK(fbk_guest_meminfo(g, "MemTotal") > 128 << 10);
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
	fbk_guest_poweroff(g);

	f = fopen("/tmp/firebreak-wrong.conf", "w");
	FBK_CHECK(f && fputs("# so many are not there\n\n  cpus = 9\n", f) >= 0 && !fclose(f));
	FBK_CHECK_EQ(fbk_run(wrong, said, sizeof(said)), 66);
	FBK_CHECK(strstr(said, "firebreak: run: /tmp/firebreak-wrong.conf:3: --cpus 9: must be 1 to 8"));
}
