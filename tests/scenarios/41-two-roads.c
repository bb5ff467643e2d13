/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * One frame of the host, and two reports of it to the monitor: to the process as a whole, and to the vCPU that touches the
 * page. In either order it is one page in the ledger, one count, and four kilobytes for the guest.
 */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

FBK_SCENARIO("41-two-roads", "newest", 4,
	     "guest: victim's siginfo and exit, HardwareCorrupted, /proc/kpageflags, records in its log; host: HardwareCorrupted");

/* Events that name the page and say a thing. */
static unsigned int events(struct fbk_guest *g, uint64_t gpa, const char *what)
{
	char line[4096], page[48];
	unsigned int n = 0;
	FILE *f = fopen(fbk_guest_events(g), "re");

	if (!f)
		fbk_fail(__FILE__, __LINE__, "%s: %m", fbk_guest_events(g));
	snprintf(page, sizeof(page), "\"gpa\":\"0x%llx", (unsigned long long)gpa >> 12);
	while (fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, page);

		/* The page's digits, then the three of the byte in it. */
		if (at && at[strlen(page) + 3] == '"')
			n += strstr(line, what) != NULL;
	}
	fclose(f);
	return n;
}

struct told {
	struct fbk_guest *g;
	uint64_t gpa;
};

static bool both(void *arg)
{
	struct told *t = arg;

	return events(t->g, t->gpa, "\"source\":\"sigbus-ar\"") && events(t->g, t->gpa, "\"source\":\"sigbus-ao\"");
}

static void check(struct fbk_guest *g, struct fbk_victim *v, long guest, long host)
{
	int status = 0;

	fbk_victim_told(v);
	FBK_CHECK_EQ(fbk_victim_wait(v, &status), SIGBUS);
	fbk_wait_until(60, "both roads bring it", both, &(struct told){ g, v->gpa });
	fbk_guest_expect_isolated(g, v->gpa);
	fbk_guest_expect_corrupted(g, guest + 4);
	FBK_CHECK_EQ(fbk_host_meminfo("HardwareCorrupted"), host + 4);
	FBK_CHECK_EQ(events(g, v->gpa, "\"new\":true,\"count\":1"), 1);
	FBK_CHECK_EQ(events(g, v->gpa, "\"new\":false,\"count\":1") + 1,
		     events(g, v->gpa, "\"new\":")); /* none counted twice */
}

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	long guest = fbk_guest_meminfo(g, "HardwareCorrupted"), host = fbk_host_meminfo("HardwareCorrupted");
	int pid = fbk_bystander_start(g);
	struct fbk_victim v;

	/* The vCPU first: the main thread stands still until the guest has dealt with it, and then has nothing to tell. */
	fbk_victim_start(&v, g, "spin");
	fbk_victim_go(&v);
	fbk_guest_expect(g, 60, "victim[%d]: spinning", v.pid);
	fbk_guest_freeze_main(g);
	fbk_host_poison(g, v.gpa);
	fbk_victim_told(&v);
	fbk_guest_thaw(g);
	check(g, &v, guest, host);
	FBK_CHECK_EQ(events(g, v.gpa, "\"notify\":{\"method\":\"sea\"") + events(g, v.gpa, "\"notify\":{\"method\":\"known\""),
		     events(g, v.gpa, "\"notify\":"));

	/* The process first: the vCPUs stand still until the record lies in the asynchronous source's block. */
	guest += 4;
	host += 4;
	fbk_victim_start(&v, g, "spin");
	fbk_victim_go(&v);
	fbk_guest_expect(g, 60, "victim[%d]: spinning", v.pid);
	fbk_guest_freeze(g);
	fbk_host_poison(g, v.gpa);
	fbk_host_poison_settle(g);
	fbk_guest_thaw(g);
	check(g, &v, guest, host);
	fbk_bystander_end(g, pid);
}
