/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * One run of a lab: relays what goes in and out, watches the clock, the kernel's
 * console and the process, and says how it ended.
 */
#ifndef FBK_LAB_SESSION_H
#define FBK_LAB_SESSION_H

#include "log.h"
#include "machine.h"
#include "options.h"

/**
 * fbk_lab_session_signals - block the signals that a session receives itself
 *
 * Context: before any child is started; children unblock.
 */
void fbk_lab_session_signals(void);

/**
 * fbk_lab_session_run - see a started machine through to its end
 * @machine: running machine; gone afterwards
 * @opt:     command line
 * @log:     open log
 *
 * Return: the exit status of the program: the payload's, or one of enum fbk_lab_status.
 * Ends the program by the signal when one arrives that should.
 */
int fbk_lab_session_run(struct fbk_lab_machine *machine, const struct fbk_lab_options *opt,
			struct fbk_lab_log *log);

#endif
