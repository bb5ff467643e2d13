/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* run-command.c - `firebreak run` */
#include "arguments.h"
#include "command.h"
#include "report.h"
#include "run.h"

#define SEE "`firebreak run --help` lists the options"

int fbk_command_run(int argc, char **argv)
{
	struct fbk_run_options opt = { 0 };
	struct fbk_arguments args;
	char wrong[320], why[160];
	int at, status;

	if (fbk_arguments_gather(argc, argv, &args, wrong, sizeof(wrong))) {
		fbk_say("run: %s", wrong);
		status = FBK_EXIT_INPUT;
	} else if (!fbk_options_parse(args.argc, args.argv, &opt, &at, why, sizeof(why))) {
		/* The options point into the arguments: they live as long. */
		status = opt.help ? fbk_command_help("run", NULL) : fbk_monitor_run(&opt);
	} else if (at < args.argc && args.place[at].file) {
		fbk_say("run: %s:%u: %s; " SEE, args.place[at].file, args.place[at].line, why);
		status = FBK_EXIT_INPUT;
	} else {
		fbk_say("run: %s; " SEE, why);
		status = FBK_EXIT_USAGE;
	}
	fbk_arguments_free(&args);
	return status;
}
