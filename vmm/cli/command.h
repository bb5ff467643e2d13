/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * command.h - the subcommands. Each has one line in main.c's table, and its help in a file of its own.
 */
#ifndef FBK_VMM_COMMAND_H
#define FBK_VMM_COMMAND_H

/* @argc, @argv: what follows the subcommand's name. Return: exit status; lost output is main.c's to see. */
int fbk_command_run(int argc, char **argv);
int fbk_command_check(int argc, char **argv);
int fbk_command_ledger(int argc, char **argv);
int fbk_command_policy(int argc, char **argv);
int fbk_command_decode(int argc, char **argv);
int fbk_command_ctl(int argc, char **argv);

/* A part of a subcommand's help that can be asked for by itself. */
struct fbk_help_topic {
	const char *name, *title, *text;
};

extern const char fbk_run_help[];
extern const struct fbk_help_topic fbk_run_topics[]; /* up to one without a name */
extern const char fbk_check_help[];
extern const char fbk_ledger_help[];
extern const char fbk_policy_help[];
extern const char fbk_decode_help[];
extern const char fbk_ctl_help[];

/* main.c: prints a subcommand's help and the exit statuses, or one topic, on standard output. Return: exit status. */
int fbk_command_help(const char *command, const char *topic);

#endif
