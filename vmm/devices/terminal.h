/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * terminal.h - the user's terminal: raw while the guest runs, restored on every way out.
 */
#ifndef FBK_VMM_TERMINAL_H
#define FBK_VMM_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Make standard input raw if it is a terminal and ours to use (foreground). Restored at exit and, by handlers set
 * here, when SIGSEGV, SIGILL, SIGFPE, SIGABRT, SIGSYS or SIGTRAP kills the process. Return: true a terminal was taken.
 */
bool fbk_terminal_open(void);

void fbk_terminal_restore(void); /* async-signal-safe; may be called at any time, any number of times */
void fbk_terminal_raw(void);	 /* raw again, after a stop */

/* What the escape key made of the input. */
enum fbk_terminal_key { FBK_KEY_NONE, FBK_KEY_QUIT, FBK_KEY_HELP };

struct fbk_escape {
	bool pending; /* the last byte was Ctrl-A */
};

/**
 * fbk_escape_filter - take the escape sequences out of typed input, in place
 * @len: in: bytes in @buf; out: bytes for the guest
 *
 * Return: the last command found; with FBK_KEY_QUIT the rest of the input is dropped.
 */
enum fbk_terminal_key fbk_escape_filter(struct fbk_escape *e, unsigned char *buf, size_t *len);

#endif
