/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * One line of TAP a result.
 */
#ifndef TEST_TAP_H
#define TEST_TAP_H

#include <stdbool.h>

/* @fmt explains a failure. Returns @pass. */
bool ok(bool pass, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void skip(const char *name, const char *why);
/* Prints the plan. Returns the program's exit status. */
int tap_end(void);

#endif
