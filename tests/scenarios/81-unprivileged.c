/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A monitor of a user who may use /dev/kvm, and has no other privilege: the same sandbox, and the same promise. Where the host gives
 * users no namespaces it says so, and filters, Landlock and lost privileges are what is left.
 */
#include "harness.h"
#include "sandbox.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FBK_SCENARIO("81-unprivileged", "sandbox", 25,
	     "host: /proc/PID/status of every thread, /proc/PID/ns, /proc/PID/root; guest: victim's siginfo, exit status 0");

#define API "/tmp/firebreak-unprivileged.api"
#define USER 1000
#define LIMIT "/proc/sys/user/max_user_namespaces"

static void without_namespaces(void)
{
	const struct fbk_guest_spec spec = { .kernel = "newest", .api = API, .as = USER };
	struct fbk_guest *g;
	char text[1024];

	fbk_host_set(LIMIT, "0");
	g = fbk_guest_boot(&spec);
	fbk_host_set(LIMIT, "1000");
	FBK_CHECK(fbk_guest_monitor_said(g, "warning: sandbox: namespaces: the host allows no more of them (sysctl user.max_user_namespaces)"));
	fbk_sandbox_threads(g, USER, 4);
	FBK_CHECK(!fbk_sandbox_apart(g, "user"));
	FBK_CHECK_EQ(fbk_ctl(API, text, sizeof(text), "status", NULL), 0);
	FBK_CHECK(strstr(text, "\"namespaces\":false,\"empty_root\":false"));
	FBK_CHECK(strstr(text, "\"seccomp\":\"on\"") && !strstr(text, "\"landlock\":0"));
	fbk_guest_poweroff(g);
}

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
	without_namespaces();
}
