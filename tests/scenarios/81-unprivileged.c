/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* A monitor of a user who may use /dev/kvm, and has no other privilege: the same sandbox, and the same promise. */
#include "harness.h"
#include "sandbox.h"

#include <sys/stat.h>
#include <unistd.h>

FBK_SCENARIO("81-unprivileged", "sandbox", 15,
	     "host: /proc/PID/status of every thread, /proc/PID/ns, /proc/PID/root; guest: victim's siginfo, exit status 0");

#define API "/tmp/firebreak-unprivileged.api"
#define USER 1000

static void run(void)
{
	const struct fbk_guest_spec spec = { .kernel = "newest", .api = API, .as = USER, .sandbox = "on" };
	struct fbk_guest *g;
	struct fbk_victim v;

	FBK_CHECK(!chown("/dev/kvm", 0, USER) && !chmod("/dev/kvm", 0660));
	g = fbk_guest_boot(&spec);
	fbk_sandbox_threads(g, USER, 4);
	FBK_CHECK(fbk_sandbox_apart(g, "user") && fbk_sandbox_apart(g, "mnt") && fbk_sandbox_apart(g, "net"));
	fbk_sandbox_root(g, NULL);
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
	fbk_guest_poweroff(g);
	FBK_CHECK(access(API, F_OK));
}
