/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The log of the lab's kernel console: a file, and an eye on what goes by.
 */
#ifndef FBK_LAB_LOG_H
#define FBK_LAB_LOG_H

#include <stdbool.h>
#include <stddef.h>

struct fbk_lab_log {
	int fd; /* -1: the log could not be written */
	char *path;
	bool panicked;
	char panic[200]; /* why, in the kernel's words */
	char line[512]; /* being gathered */
	size_t line_len;
};

/**
 * fbk_lab_log_open - open the log; the oldest of those in the cache go
 * @log:  filled in
 * @path: file, or null for a fresh one in the cache
 *
 * Ends the program with FBK_LAB_E_FILE when @path cannot be written. A log in the cache
 * that cannot be written costs a warning only.
 */
void fbk_lab_log_open(struct fbk_lab_log *log, const char *path);

/**
 * fbk_lab_log_add - take a piece of console output
 * @log:  log
 * @data: bytes (copied)
 * @len:  how many
 */
void fbk_lab_log_add(struct fbk_lab_log *log, const char *data, size_t len);

#endif
