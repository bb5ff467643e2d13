/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * exit.h - the exit statuses of `firebreak`, whatever the command, and the end by a signal.
 */
#ifndef FBK_VMM_EXIT_H
#define FBK_VMM_EXIT_H

enum fbk_exit {
	FBK_EXIT_OFF = 0,	/* the guest powered itself off; check: all is there */
	FBK_EXIT_LACKING = 1,	/* check: guests run, but their memory errors are not contained; ledger: damaged; decode: no external abort, or not all lines are events; ctl: refused */
	FBK_EXIT_PANIC = 10,	/* the guest kernel panicked */
	FBK_EXIT_STOPPED = 11,	/* stopped by policy after a memory error */
	FBK_EXIT_RESET = 12,	/* the guest reset itself, and --reset=exit */
	FBK_EXIT_QUIT = 13,	/* the operator: the escape key, or the control API */
	FBK_EXIT_USAGE = 64,	/* wrong usage */
	FBK_EXIT_INPUT = 66,	/* kernel, initrd, disk, event, ledger, policy or record file, or socket cannot be used */
	FBK_EXIT_UNABLE = 69,	/* this host cannot do what was asked for at all */
	FBK_EXIT_HOST = 71,	/* the host, or this monitor, failed at run time */
};

/*
 * Die of a signal by its default action, also one that is blocked or handled. The first process of a PID namespace does not die of its own
 * signal [pid_namespaces(7)]. Return: the exit status that it then takes, as a shell would tell it.
 */
int fbk_exit_by_signal(int sig);

#endif
