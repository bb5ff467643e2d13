/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Guest memory in transparent huge pages of the host, all of it there from the start: a lost page costs one of them, no more than
 * 4 kB of the guest's, and a reset takes them anew. Declined, there is none, whatever the host would do by itself.
 */
#include "harness.h"

#include <stdio.h>

FBK_SCENARIO("39-transparent-huge-pages-of-the-host", "thp", 20,
	     "host: AnonHugePages and Rss in the monitor's smaps, HardwareCorrupted; guest: victims' siginfo, MemTotal, boots twice");

#define ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"
#define MIB 256
#define HUGE_KB 2048

static void run(void)
{
	long host = fbk_host_meminfo("HardwareCorrupted"), memory, huge;
	struct fbk_guest *g;
	struct fbk_victim v;
	char size[32];

	fbk_host_refuses_memory("200G", "200 GiB are more than this host has");
	snprintf(size, sizeof(size), "%ldM,prefault", (fbk_host_meminfo("MemAvailable") + fbk_host_meminfo("SwapFree")) / 1024 + 16);
	fbk_host_refuses_memory(size, "prefault takes ");
	fbk_host_set(ENABLED, "never");
	fbk_host_refuses_memory("256M,thp=on", "as root, echo madvise >" ENABLED);
	/* From here on, who does not ask gets none. */
	fbk_host_set(ENABLED, "madvise");
	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .memory_mib = MIB, .memory = ",thp=on,prefault" });
	FBK_CHECK_EQ(fbk_guest_smaps(g, NULL, "Rss"), MIB * 1024);
	huge = fbk_guest_smaps(g, NULL, "AnonHugePages");
	fbk_note("%ld of %d kB are in huge pages", huge, MIB * 1024);
	FBK_CHECK(huge > MIB * 1024 / 2);
	memory = fbk_guest_meminfo(g, "MemTotal");

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
	FBK_CHECK(!fbk_guest_isolated(g, v.gpa + 4096));
	fbk_host_expect_corrupted(host + 4);
	FBK_CHECK(fbk_guest_smaps(g, NULL, "AnonHugePages") >= huge - HUGE_KB);

	fbk_guest_forget(g);
	fbk_guest_send(g, "reboot");
	fbk_guest_expect(g, 180, "init[1]: ready");
	FBK_CHECK(fbk_guest_meminfo(g, "MemTotal") > memory - 32);
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), 0);
	FBK_CHECK_EQ(fbk_guest_smaps(g, NULL, "Rss"), MIB * 1024);
	FBK_CHECK(fbk_guest_smaps(g, NULL, "AnonHugePages") > MIB * 1024 / 2);
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
	fbk_guest_poweroff(g);

	fbk_host_set(ENABLED, "always");
	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .memory_mib = MIB, .memory = ",thp=off,prefault" });
	FBK_CHECK_EQ(fbk_guest_smaps(g, NULL, "Rss"), MIB * 1024);
	FBK_CHECK_EQ(fbk_guest_smaps(g, NULL, "AnonHugePages"), 0);
	fbk_guest_poweroff(g);
}
