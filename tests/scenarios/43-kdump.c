/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The guest crashes into a crash kernel, which is no reset: the pages that were lost before are lost still. What dumps the old
 * memory and leaves them out, as the old kernel's flags tell it to, reads all the rest; what reads one of them dies of it, and it
 * alone. An error in the crash kernel's own memory costs what it costs elsewhere. The reset that follows heals.
 */
#include "harness.h"

#include <stdio.h>

FBK_SCENARIO("43-kdump", "kdump", 40,
	     "guest: /proc/vmcore as its crash kernel reads it, the kernel's oops, victims' siginfo, MemTotal after the reset; status 0");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){
		.kernel = "newest", .memory_mib = 448, .append = "crashkernel=192M", .kdump = true });
	long memory = fbk_guest_meminfo(g, "MemTotal");
	struct fbk_victim v, w;
	int pid;
	const char *line;
	char command[80];
	long pages;

	/* One page is lost to a cell, the other to the host. */
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
	fbk_victim_host_loses(&w, g);
	fbk_guest_expect_corrupted(g, 8);
	pid = fbk_program_start(g, "crash-load /dev/vdb /dev/vdc quiet panic=-1 nr_cpus=1");
	fbk_guest_expect(g, 120, "crash-load[%d]: loaded", pid);

	fbk_guest_forget(g);
	fbk_guest_send(g, "panic");
	fbk_guest_expect(g, 60, "Kernel panic - not syncing: sysrq triggered crash");
	fbk_guest_expect(g, 180, "init[1]: ready");
	FBK_CHECK(fbk_guest_alive(g));
	/* The memory that was kept for it, and nothing else. */
	FBK_CHECK(fbk_guest_meminfo(g, "MemTotal") < 192 * 1024);

	snprintf(command, sizeof(command), "vmcore all %#llx %#llx", (unsigned long long)v.gpa, (unsigned long long)w.gpa);
	pid = fbk_program_start(g, command);
	line = fbk_guest_expect(g, 300, "vmcore[%d]: read", pid);
	pages = (long)fbk_field(line, "pages");
	fbk_note("%ld pages of the old memory are read, %ld left out", pages, (long)fbk_field(line, "left"));
	FBK_CHECK_EQ(fbk_field(line, "left"), 2);
	FBK_CHECK(pages > (448 - 192 - 8) * 256);

	snprintf(command, sizeof(command), "vmcore page %#llx", (unsigned long long)v.gpa);
	pid = fbk_program_start(g, command);
	fbk_guest_expect(g, 60, "Internal error: synchronous external abort");
	fbk_guest_expect(g, 60, "init[1]: exit pid=%d signal=", pid);
	FBK_CHECK(!fbk_guest_said(g, "vmcore[%d]: read", pid));

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);

	fbk_guest_forget(g);
	fbk_guest_send(g, "reboot");
	fbk_guest_expect(g, 180, "init[1]: ready");
	FBK_CHECK(fbk_guest_meminfo(g, "MemTotal") > memory - 32);
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), 0);
	fbk_guest_poweroff(g);
}
