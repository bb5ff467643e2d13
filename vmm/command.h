/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * command.h - the subcommands.
 */
#ifndef FBK_VMM_COMMAND_H
#define FBK_VMM_COMMAND_H

/* @argc, @argv: what follows the subcommand's name. Return: exit status. */
int fbk_command_run(int argc, char **argv);
int fbk_command_check(int argc, char **argv);
int fbk_command_ledger(int argc, char **argv);
int fbk_command_policy(int argc, char **argv);

/* main.c: what `firebreak run --help` prints. */
extern const char fbk_run_help[];
/* ledger-show.c: what `firebreak ledger --help` prints. */
extern const char fbk_ledger_help[];
/* policy.c: what `firebreak policy --help` prints. */
extern const char fbk_policy_help[];

#endif
