/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The terminal of an interactive shell: raw while the lab has it, restored afterwards,
 * with an escape key that the lab keeps for itself.
 */
#ifndef FBK_LAB_TERMINAL_H
#define FBK_LAB_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/**
 * fbk_lab_terminal_raw - hand every key to the lab; undone at exit
 *
 * Context: does nothing when standard input is no terminal.
 */
void fbk_lab_terminal_raw(void);

/**
 * fbk_lab_terminal_restore - give the terminal back as it was
 *
 * Context: any time, any number of times.
 */
void fbk_lab_terminal_restore(void);

/**
 * fbk_lab_terminal_keys - take the escape key out of typed bytes
 * @buf: typed bytes, rewritten in place
 * @len: how many; set to how many remain
 *
 * Ctrl-A x asks to leave, Ctrl-A Ctrl-A is one Ctrl-A, Ctrl-A and anything else is
 * passed on as typed.
 *
 * Return: true when the person wants to leave.
 */
bool fbk_lab_terminal_keys(char *buf, size_t *len);

#endif
