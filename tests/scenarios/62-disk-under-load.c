/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A disk meets bad pages while two queues of another are full: one that the host knows of, and one that the monitor has retired
 * (userfaultfd). Both requests fail, each alone; the load sees neither an error nor a wrong byte, and goes on.
 */
#include "harness.h"

FBK_SCENARIO("62-disk-under-load", "disks", 14,
	     "guest: the programs' errno is EIO, every byte of the load is compared; the monitor ends with status 0");

static void meets(struct fbk_guest *g, struct fbk_victim *v)
{
	const char *line;

	fbk_victim_go(v);
	line = fbk_guest_expect(g, 60, "victim[%d]: write", v->pid);
	FBK_CHECK_EQ(fbk_field(line, "returned"), (uint64_t)-1);
	FBK_CHECK_EQ(fbk_field(line, "errno"), 5);
}

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){
		.kernel = "newest", .cpus = 2, .append = "hest_disable", .retire = "always", .disks = { ",queues=2" } });
	int pid = fbk_load_start(g, "/dev/vdb", 0, 12);
	struct fbk_victim v;

	FBK_CHECK(fbk_guest_has_uring(g));
	/* Both keep their pages: this guest's kernel is not told of them, and would hand them out again. */
	fbk_victim_start(&v, g, "keep 50");
	fbk_host_poison(g, v.gpa);
	fbk_host_poison_settle(g);
	meets(g, &v);
	fbk_guest_expect(g, 60, "victim[%d]: done data=right", v.pid);

	fbk_victim_start(&v, g, "again 51");
	fbk_inject(g, v.gpa, "--hits 1");
	meets(g, &v);
	fbk_guest_expect(g, 60, "victim[%d]: done data=right", v.pid);
	FBK_CHECK(fbk_load_end(g, pid) > 100);
	fbk_guest_poweroff(g);
}
