/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* violation.h - the end of a process of which a thread has made a system call that no rule allows. */
#ifndef FBK_VMM_VIOLATION_H
#define FBK_VMM_VIOLATION_H

/* From here on such a call is told on standard error, the terminal put in order, and the process ends by SIGSYS. Errors: -errno. */
int fbk_violation_open(void);

/* What the calling thread is called there. @who: lives as long as the thread */
void fbk_violation_thread(const char *who);

#endif
