/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A VM that may lose two pages loses them as every VM does; with the third it is stopped, and its monitor says why. A
 * policy that says nothing sensible is refused before anything runs.
 */
#include "harness.h"
#include "internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FBK_SCENARIO("50-policy-budget", "policy", 9,
	     "guest: two victims' siginfo and end, no word of the third; the monitor's exit status and standard error");

#define POLICY "/tmp/firebreak-scenario.policy"

static void refuse(const char *expected)
{
	char *argv[] = { fbk_path_files("firebreak"), "run", "--policy", POLICY,
			 "--kernel", fbk_path_files("kernels/newest/Image"), NULL };
	char text[1024];

	FBK_CHECK_EQ(fbk_run(argv, text, sizeof(text)), 66);
	if (!strstr(text, expected))
		fbk_fail(__FILE__, __LINE__, "instead of \"%s\": %s", expected, text);
	unlink(POLICY);
}

static void refuse_text(const char *text, const char *expected)
{
	FILE *f = fopen(POLICY, "we");

	if (!f || fputs(text, f) < 0 || fclose(f))
		fbk_fail(__FILE__, __LINE__, "%s: %m", POLICY);
	refuse(expected);
}

static void run(void)
{
	struct fbk_guest *g;
	struct fbk_victim v;

	unlink(POLICY);
	refuse("firebreak: --policy " POLICY ": No such file or directory\n");
	refuse_text("version = 1\nbudget_page = 2\n",
		    "firebreak: --policy " POLICY ":2:1: no such key: \"budget_page\"; did you mean budget_pages?\n");
	/* Nobody writes into it: it must not be waited for. */
	FBK_CHECK(!mkfifo(POLICY, 0600));
	refuse("firebreak: --policy " POLICY ": not a regular file\n");

	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .policy = "budget_pages = 2\nbudget = stop\n" });
	for (int i = 0; i < 2; i++) {
		fbk_victim_start(&v, g, "anon");
		fbk_inject(g, v.gpa, "");
		fbk_victim_loses(&v);
	}
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 11);
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: SIGBUS", v.pid));
	FBK_CHECK(fbk_guest_monitor_said(g, "firebreak: the virtual machine is stopped: more pages are lost than the policy allows"));
}
