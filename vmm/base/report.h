/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * report.h - what the monitor says on standard error, a line at a time: `firebreak: ...`.
 */
#ifndef FBK_VMM_REPORT_H
#define FBK_VMM_REPORT_H

/* One write for a line, so that lines of several threads do not mix. errno is kept. Not async-signal-safe. */
void fbk_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
