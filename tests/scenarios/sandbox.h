/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* sandbox.h - what the host's kernel says of a monitor's privileges. */
#ifndef FBK_SCENARIO_SANDBOX_H
#define FBK_SCENARIO_SANDBOX_H

#include "harness.h"

/* A field of /proc/PID/task/TID/status, hexadecimal where @base is 16; fails where there is none. */
unsigned long long fbk_task_field(pid_t pid, pid_t tid, const char *name, int base);

/* Every thread: that user's, without capabilities, with no_new_privs and filters. @least: threads that there must be. */
void fbk_sandbox_threads(struct fbk_guest *g, uid_t uid, unsigned int least);

/* The process has a namespace of that kind ("mnt", "net", ...) that is not ours, if the kernel has any. */
bool fbk_sandbox_apart(struct fbk_guest *g, const char *kind);

/* Its root folder holds only what @only says, or nothing where that is NULL. */
void fbk_sandbox_root(struct fbk_guest *g, const char *only);

#endif
