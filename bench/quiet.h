/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * quiet.h - waiting until a kernel's own work is over, in a host or a guest. Debian's arm64 kernels test their cryptography in
 * threads, which go on for long after process 1 has begun, and have the processor whenever it waits.
 */
#ifndef FBK_BENCH_QUIET_H
#define FBK_BENCH_QUIET_H

#include <stdbool.h>

/* Until the processor has been idle for most of a while, nobody but the caller being about. Return: whether it came to that. */
bool quiet_wait(void);

#endif
