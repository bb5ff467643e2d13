/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * run.h - a machine from its power-on to its end.
 */
#ifndef FBK_VMM_RUN_H
#define FBK_VMM_RUN_H

#include "options.h"

/*
 * Once in a process: it owns signals, terminal and threads. @opt: copied; what it points to is borrowed. Return: exit status;
 * does not return where a signal ended the machine.
 */
int fbk_monitor_run(const struct fbk_run_options *opt);

#endif
