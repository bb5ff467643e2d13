/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A monitor that root has started: nobody's, without capabilities, in namespaces of its own with an empty root, each thread with its
 * filter; and every promise about memory errors is kept as before, down to frames that the host's kernel takes.
 */
#include "harness.h"
#include "sandbox.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

FBK_SCENARIO("80-sandbox", "sandbox", 20,
	     "host: /proc/PID/status of every thread, /proc/PID/ns, /proc/PID/root, HardwareCorrupted; guest: victim's siginfo, boots anew, exit status 0");

#define API "/tmp/firebreak-sandbox.api"
#define LEDGER "/tmp/firebreak-sandbox.ledger"
#define NOBODY 65534

static void run(void)
{
	const struct fbk_guest_spec spec = { .kernel = "newest", .cpus = 2, .api = API, .ledger = LEDGER, .sandbox = "on", .pids = "host" };
	struct fbk_guest *g;
	struct fbk_victim v;
	long host_kb;

	unlink(LEDGER);
	g = fbk_guest_boot(&spec);
	host_kb = fbk_host_meminfo("HardwareCorrupted");
	/* main, two vCPUs, io, api */
	fbk_sandbox_threads(g, NOBODY, 5);
	FBK_CHECK(fbk_sandbox_apart(g, "mnt") && fbk_sandbox_apart(g, "net") && fbk_sandbox_apart(g, "ipc") && fbk_sandbox_apart(g, "uts"));
	fbk_sandbox_root(g, NULL);

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
	fbk_host_expect_corrupted(host_kb + 4);

	/* All that a reset needs is still there. */
	fbk_guest_forget(g);
	fbk_guest_send(g, "reboot");
	fbk_guest_expect(g, 180, "init[1]: ready");
	fbk_sandbox_threads(g, NOBODY, 5);
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
	fbk_guest_poweroff(g);
	/* The folder is everybody's, so that nobody can remove it there. */
	FBK_CHECK(access(API, F_OK) && access(API ".console", F_OK));
}
