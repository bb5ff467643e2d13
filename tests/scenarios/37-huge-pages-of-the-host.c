/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Guest memory from a pool of huge pages. A cell goes bad under the guest, and it costs 4 kB; the host loses a huge page whole,
 * and a reset puts another in its place, while the pool has one, or boots a guest that is not given it.
 */
#include "harness.h"
#include "internal.h"

#include <stdio.h>
#include <string.h>

FBK_SCENARIO("37-huge-pages-of-the-host", "hugetlb", 30,
	     "host: HugePages in /proc/meminfo, the monitor's smaps, HardwareCorrupted; guest: victims' siginfo, MemTotal, boots three times");

#define MIB 256
#define PAGES (MIB / 2)
#define API "/tmp/firebreak-hugetlb.api"

static char text[1024];

static bool answers(const char *verb, const char *says)
{
	FBK_CHECK_EQ(fbk_ctl(API, text, sizeof(text), verb, NULL), 0);
	return strstr(text, says);
}

static void ctl(const char *verb, const char *says)
{
	if (!answers(verb, says))
		fbk_fail(__FILE__, __LINE__, "ctl %s: %s", verb, text);
}

/* 512 pages, and one or two of before. */
static bool knows_of_all(void *unused)
{
	return answers("status", "\"lost_pages\":51");
}

static void pool(unsigned int pages)
{
	char nr[16];

	snprintf(nr, sizeof(nr), "%u", pages);
	fbk_host_set("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", nr);
}

/* Pages that nobody has, or was promised. */
static long spare(void)
{
	return fbk_host_meminfo("HugePages_Free") - fbk_host_meminfo("HugePages_Rsvd");
}

static void boots_again(struct fbk_guest *g)
{
	fbk_guest_expect(g, 180, "init[1]: ready");
	FBK_CHECK(fbk_guest_alive(g));
	FBK_CHECK(!fbk_guest_said(g, "Internal error"));
}

/* The host loses the huge page under a guest that stands still, and that will not go on but from the start. */
static void host_loses(struct fbk_guest *g, uint64_t gpa)
{
	long host = fbk_host_meminfo("HardwareCorrupted");

	ctl("pause", "\"state\":\"paused\"");
	fbk_host_poison(g, gpa);
	fbk_host_poison_settle(g);
	FBK_CHECK_EQ(fbk_host_meminfo("HardwareCorrupted"), host + 4);
	fbk_wait_until(60, "the monitor knows of the whole huge page", knows_of_all, NULL);
	fbk_guest_forget(g);
	ctl("reset", "\"state\":\"running\"");
	boots_again(g);
}

/* Behind kernel and initial RAM disk, and in another huge page than the victim's. */
static uint64_t other_page(const struct fbk_victim *v)
{
	uint64_t gpa = FBK_RAM_BASE + (200 << 20);

	return (v->gpa ^ gpa) >> 21 ? gpa + 0x5000 : gpa + 0x205000;
}

static void run(void)
{
	struct fbk_guest *g;
	struct fbk_victim v;
	long memory, less;

	pool(PAGES - 1);
	fbk_host_refuses_memory("256M,hugetlb=2M", "128 huge pages of 2 MiB are needed, 127 are free: as root, echo 128 >");
	fbk_host_refuses_memory("512M,shared,hugetlb=512M", "no huge pages of 512 MiB: it has pools for ");
	pool(PAGES + 1);
	FBK_CHECK_EQ(spare(), PAGES + 1);
	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .memory_mib = MIB, .memory = ",hugetlb=2M,prefault", .api = API });
	FBK_CHECK_EQ(spare(), 1);
	FBK_CHECK_EQ(fbk_guest_smaps(g, "rw-p", "KernelPageSize"), 2048);
	FBK_CHECK_EQ(fbk_guest_smaps(g, NULL, "Private_Hugetlb"), MIB * 1024);
	ctl("status", "\"memory_kind\":\"hugetlb\",\"memory_page_bytes\":2097152");
	memory = fbk_guest_meminfo(g, "MemTotal");

	/* The host does not know of this one: nothing is gone but the page that the guest lost. */
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
	FBK_CHECK(!fbk_guest_isolated(g, v.gpa + 4096));
	FBK_CHECK_EQ(fbk_guest_smaps(g, NULL, "Size"), MIB * 1024);

	/* The pool has a page to spare. */
	host_loses(g, other_page(&v));
	FBK_CHECK_EQ(spare(), 0);
	less = memory - fbk_guest_meminfo(g, "MemTotal");
	fbk_note("a page of the guest's stays lost: %ld kB less than before", less);
	FBK_CHECK(less > 32 && less < 128);
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), 0);
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);

	/* It has none left. What is not the guest's memory it need not be told of, page by page. */
	host_loses(g, other_page(&v));
	less = memory - fbk_guest_meminfo(g, "MemTotal");
	fbk_note("a huge page stays lost as well: %ld kB less than before", less);
	FBK_CHECK(less >= 2048 && less < 2048 + 256);
	FBK_CHECK(fbk_guest_monitor_said(g, "could not be replaced"));
	FBK_CHECK(!fbk_guest_said(g, "[Hardware Error]"));
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
	fbk_guest_poweroff(g);
}
