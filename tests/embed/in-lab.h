/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * What the parts of embed-lab share.
 */
#ifndef EMBED_IN_LAB_H
#define EMBED_IN_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Has the host's kernel find the frame under an address of a process bad. False: this kernel cannot be asked to. */
bool break_by_host(pid_t pid, uint64_t hva);

void test_no_handler(const char *name);

#endif
