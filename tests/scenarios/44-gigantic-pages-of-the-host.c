/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * All of guest memory is one page of the host's, of 1 GiB. The host loses it whole, and with it all that the guest has; a reset puts
 * another in its place. A cell that goes bad under the guest costs 4 kB.
 */
#include "harness.h"
#include "internal.h"

#include <stdio.h>
#include <string.h>

FBK_SCENARIO("44-gigantic-pages-of-the-host", "gigantic", 30,
	     "host: HugePages of 1 GiB, the monitor's smaps, HardwareCorrupted; guest: victims' siginfo, MemTotal, boots twice");

#define MIB 1024
#define POOL "/sys/kernel/mm/hugepages/hugepages-1048576kB/"
#define API "/tmp/firebreak-gigantic.api"

static char text[1024];

static bool answers(const char *verb, const char *says)
{
	FBK_CHECK_EQ(fbk_ctl(API, text, sizeof(text), verb, NULL), 0);
	return strstr(text, says);
}

/* Of a page that large the policy takes 2 MiB around the address as lost, and the rest when somebody meets it. */
static bool knows(void *unused)
{
	return answers("status", "\"lost_pages\":512");
}

/* To make 1 GiB of zeros may take longer than the API has a client wait. */
static void reset(void)
{
	if (fbk_ctl(API, text, sizeof(text), "reset", NULL) && !strstr(text, "still being done"))
		fbk_fail(__FILE__, __LINE__, "ctl reset: %s", text);
}

static long spare(void)
{
	long nr = -1;
	FILE *f = fopen(POOL "free_hugepages", "re");

	if (!f || fscanf(f, "%ld", &nr) != 1)
		fbk_fail(__FILE__, __LINE__, POOL "free_hugepages: %m");
	fclose(f);
	return nr;
}

static void run(void)
{
	struct fbk_guest *g;
	struct fbk_victim v;
	long memory, host;

	fbk_host_set(POOL "nr_hugepages", "2");
	FBK_CHECK_EQ(spare(), 2);
	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .memory_mib = MIB, .memory = ",hugetlb=1G", .api = API });
	FBK_CHECK_EQ(fbk_guest_smaps(g, "rw-p", "KernelPageSize"), MIB * 1024);
	FBK_CHECK(answers("status", "\"memory_kind\":\"hugetlb\",\"memory_page_bytes\":1073741824"));
	memory = fbk_guest_meminfo(g, "MemTotal");

	host = fbk_host_meminfo("HardwareCorrupted");
	FBK_CHECK(answers("pause", "\"state\":\"paused\""));
	fbk_host_poison(g, FBK_RAM_BASE + (700 << 20));
	fbk_host_poison_settle(g);
	FBK_CHECK_EQ(fbk_host_meminfo("HardwareCorrupted"), host + 4);
	fbk_wait_until(60, "the monitor knows of it", knows, NULL);
	fbk_guest_forget(g);
	reset();
	fbk_guest_expect(g, 180, "init[1]: ready");
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "MemTotal"), memory);
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), 0);
	FBK_CHECK_EQ(spare(), 0);
	/* The host does not know of this one: nothing is gone but the page that the guest lost. */
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
	FBK_CHECK(!fbk_guest_isolated(g, v.gpa + 4096));
	FBK_CHECK_EQ(fbk_guest_smaps(g, NULL, "Private_Hugetlb"), MIB * 1024);
	fbk_guest_poweroff(g);
}
