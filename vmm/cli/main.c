/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * main.c - `firebreak`: which command is wanted.
 */
#include "../../lib/core/distance.h"
#include "command.h"
#include "options.h"
#include "report.h"

#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name, *arguments, *what;
	int (*run)(int argc, char **argv);
	const char *help;
	const struct fbk_help_topic *topics; /* NULL: its help is short */
} commands[] = {
	{ "run", "--kernel IMAGE [options]", "run a Linux guest", fbk_command_run, fbk_run_help, fbk_run_topics },
	{ "check", "", "what this host can do, and what is missing", fbk_command_check, fbk_check_help, NULL },
	{ "ctl", "[--socket PATH] COMMAND", "ask a running monitor, or tell it what to do", fbk_command_ctl, fbk_ctl_help, NULL },
	{ "decode", "esr|exit|cper|event ...", "a syndrome, an exit, an error record or events, in words", fbk_command_decode, fbk_decode_help, NULL },
	{ "ledger", "[show|check|export|repair] FILE", "the bad pages that a ledger knows", fbk_command_ledger, fbk_ledger_help, NULL },
	{ "policy", "[FILE]", "what is done about memory errors", fbk_command_policy, fbk_policy_help, NULL },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Every status there is; enum fbk_exit has the numbers. */
static const char status_help[] =
	"Exit status:\n"
	"   0  the guest powered itself off; check: memory errors can be contained here; else: it was done\n"
	"   1  check: guests run here, but their memory errors cannot be contained\n"
	"      ledger: the file is damaged; decode: this is no external abort, or lines are no events; ctl: refused\n"
	"  10  the guest kernel panicked (\"Kernel panic - not syncing\" on its console)\n"
	"  11  stopped by policy after a memory error\n"
	"  12  the guest reset itself, and --reset=exit was given\n"
	"  13  quit by the operator (Ctrl-A x, or the control API)\n"
	"  64  wrong usage\n"
	"  66  kernel, initrd, disk, config, event, metrics, ledger, policy or record file, or socket cannot be used\n"
	"  69  this host cannot do what was asked for (no arm64, no KVM, no GICv3, no SEA)\n"
	"  71  the host, or the monitor, failed at run time\n";

static void list(FILE *to)
{
	fputs("firebreak - a virtual machine monitor for arm64 that contains memory errors\n\n", to);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  firebreak %-6s %-31s  %s\n", commands[i].name, commands[i].arguments, commands[i].what);
	fputs("  firebreak help   COMMAND                          more about it\n"
	      "  firebreak help   run TOPIC                        one topic of its options\n"
	      "  firebreak --version\n\n",
	      to);
	fputs(status_help, to);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	const struct command *near = NULL;
	unsigned int least = 3, d;

	for (size_t i = 0; i < NR_COMMANDS && strlen(name) <= FBK_DISTANCE_MAX; i++) {
		d = fbk_distance(name, strlen(name), commands[i].name, strlen(commands[i].name));
		if (d < least && d < strlen(name)) {
			least = d;
			near = &commands[i];
		}
	}
	if (near)
		fbk_say("%.80s: no such command; `firebreak %s` is one", name, near->name);
	else
		fbk_say("%.80s: no such command; `firebreak --help` lists them", name);
	return FBK_EXIT_USAGE;
}

static int is_help(const char *s)
{
	return !strcmp(s, "--help") || !strcmp(s, "-h");
}

/* Output that did not get where it should is no success. */
static int finish(int status)
{
	return (fflush(stdout) || ferror(stdout)) && status <= FBK_EXIT_LACKING ? FBK_EXIT_HOST : status;
}

static int help_topic(const struct command *c, const char *name)
{
	char names[160] = "";
	size_t n = 0;

	for (const struct fbk_help_topic *t = c->topics; t && t->name; t++) {
		if (!strcmp(t->name, name)) {
			printf("%s\n%s", t->title, t->text);
			return FBK_EXIT_OFF;
		}
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "", t->name);
	}
	if (n)
		fbk_say("%s --help: %.80s: no such topic; there are %s", c->name, name, names);
	else
		fbk_say("%s --help: %.80s: it has no topics", c->name, name);
	return FBK_EXIT_USAGE;
}

int fbk_command_help(const char *command, const char *topic)
{
	const struct command *c = find(command);

	if (!c)
		return unknown(command);
	if (topic)
		return help_topic(c, topic);
	fputs(c->help, stdout);
	for (const struct fbk_help_topic *t = c->topics; t && t->name; t++)
		printf("\n%s (%s)\n%s", t->title, t->name, t->text);
	putchar('\n');
	fputs(status_help, stdout);
	return FBK_EXIT_OFF;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct command *c = find(name);

	if (c)
		return finish(argc > 2 && is_help(argv[2]) ? fbk_command_help(name, argc > 3 ? argv[3] : NULL) : c->run(argc - 2, argv + 2));
	if (!strcmp(name, "help") && argc > 2)
		return finish(fbk_command_help(argv[2], argc > 3 ? argv[3] : NULL));
	if (is_help(name) || !strcmp(name, "help")) {
		list(stdout);
		return finish(FBK_EXIT_OFF);
	}
	if (!strcmp(name, "--version")) {
		puts("firebreak " FBK_VERSION);
		return finish(FBK_EXIT_OFF);
	}
	if (*name)
		return unknown(name);
	list(stderr);
	return FBK_EXIT_USAGE;
}
