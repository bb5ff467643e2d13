/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* run-command.c - `firebreak run` */
#include "command.h"
#include "report.h"
#include "run.h"

int fbk_command_run(int argc, char **argv)
{
	struct fbk_run_options opt = { 0 };
	char why[160];

	if (fbk_options_parse(argc, argv, &opt, why, sizeof(why))) {
		fbk_say("run: %s; `firebreak run --help` lists the options", why);
		return FBK_EXIT_USAGE;
	}
	return opt.help ? fbk_command_help("run") : fbk_monitor_run(&opt);
}
