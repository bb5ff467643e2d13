/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* policy-command.c - `firebreak policy`, on any machine. */
#include "command.h"
#include "exit.h"
#include "policy.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char fbk_policy_help[] =
	"firebreak policy - what is to be done about memory errors\n"
	"\n"
	"  firebreak policy         print the default policy, as a file for run --policy\n"
	"  firebreak policy FILE    check one, and print the whole policy that follows from it\n"
	"\n"
	"Exit status: 0 done; 64 wrong usage; 66 no file that can be read, or no policy; 71 the host failed.\n";

int fbk_command_policy(int argc, char **argv)
{
	char text[FBK_POLICY_TEXT_MAX];
	struct fbk_policy policy;
	int r;

	if (argc && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))) {
		fputs(fbk_policy_help, stdout);
		return 0;
	}
	if (argc > 1 || (argc && !strncmp(argv[0], "--", 2))) {
		fbk_say("policy: at most one FILE; `firebreak policy --help` tells more");
		return FBK_EXIT_USAGE;
	}
	fbk_policy_default(&policy);
	if (argc) {
		r = fbk_policy_load("policy", argv[0], &policy);
		if (r)
			return r;
	}
	if (fbk_policy_format(&policy, text, sizeof(text)) < 0) {
		fbk_say("policy: cannot be written as text");
		return FBK_EXIT_HOST;
	}
	if (fputs(text, stdout) < 0 || fflush(stdout)) {
		fbk_say("policy: standard output: %s", strerror(errno));
		return FBK_EXIT_HOST;
	}
	return 0;
}
