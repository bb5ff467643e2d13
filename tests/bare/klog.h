/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * What the host kernel says.
 */
#ifndef TEST_KLOG_H
#define TEST_KLOG_H

#include <stdbool.h>

/* Does the kernel's log have a line that contains @text? */
bool klog_has(const char *text);
/* Names the first sign of a kernel in trouble, or NULL. */
const char *klog_trouble(void);

#endif
