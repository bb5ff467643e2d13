/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * elsewhere.c - the commands on a machine that is not arm64.
 */
#include "command.h"
#include "options.h"
#include "report.h"

#include <sys/utsname.h>

static int not_here(const char *command)
{
	struct utsname u;

	fbk_say("%s: this machine is %s; guests run on arm64 only. `lab/lab` is an arm64 KVM host in a box: "
		"`lab/lab shell` gives a shell on it, `make demo` shows the whole",
		command, uname(&u) ? "not arm64" : u.machine);
	return FBK_EXIT_UNABLE;
}

int fbk_command_run(int argc, char **argv)
{
	return not_here("run");
}

int fbk_command_check(int argc, char **argv)
{
	return not_here("check");
}
