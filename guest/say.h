/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * say.h - lines in the guest's kernel log, from anywhere, signal handlers included.
 *
 * The programs of a guest speak through /dev/kmsg and not through the terminal: each line is one record there, so it
 * can never be torn by a message of the kernel, and the order of "kernel said" and "program said" is the log's own.
 */
#ifndef FBK_GUEST_SAY_H
#define FBK_GUEST_SAY_H

#include <stddef.h>
#include <stdint.h>

#define FBK_LINE_MAX 480

/* A line under construction. Overlong lines are cut, never split. */
struct fbk_line {
	size_t len;
	char text[FBK_LINE_MAX];
};

/**
 * fbk_say_open - name the speaker; every line then starts with "NAME[PID]: "
 *
 * Return:  0.
 * Errors:  -errno of opening /dev/kmsg; lines then go to standard error.
 * Context: once, before the first line; again in a child after fork() for the new pid.
 */
int fbk_say_open(const char *name);

/* fbk_line_* - build a line. Context: async-signal-safe. */
void fbk_line_start(struct fbk_line *l);
void fbk_line_text(struct fbk_line *l, const char *text);
void fbk_line_hex(struct fbk_line *l, const char *key, uint64_t val);
void fbk_line_dec(struct fbk_line *l, const char *key, int64_t val);
/* Write it. Context: async-signal-safe; errno preserved. */
void fbk_line_say(struct fbk_line *l);

/* One line of plain text. Context: async-signal-safe. */
void fbk_say(const char *text);

/* "TEXT: strerror(errno)", then exit status 70: the test itself is broken, which no verdict may hide. */
void fbk_die(const char *text) __attribute__((noreturn));

#endif
