/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Messages of the lab: one sentence each, on stderr, told apart from the payload's
 * output by "lab: ".
 */
#ifndef FBK_LAB_SAY_H
#define FBK_LAB_SAY_H

/**
 * fbk_lab_say - print a sentence on stderr
 * @fmt: as printf, without newline
 *
 * Context: main thread.
 */
void fbk_lab_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * fbk_lab_die - print a sentence on stderr and exit
 * @status: one of enum fbk_lab_status
 * @fmt:    as printf, without newline
 *
 * Context: main thread, before the machine runs (children die with their parent).
 */
void fbk_lab_die(int status, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/**
 * fbk_lab_fmt - print into a fresh string; ends the program when memory is out
 * @fmt: as printf
 *
 * Return: the string, owned by the caller.
 */
char *fbk_lab_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
