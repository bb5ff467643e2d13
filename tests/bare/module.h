/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sea_inject.ko: in and out of the kernel, and what its device is asked for.
 */
#ifndef TEST_MODULE_H
#define TEST_MODULE_H

#include "sea_inject.h"

#include <stdbool.h>
#include <stdint.h>

void module_insert(const char *path);
int module_remove(void);
/* /dev/sea_inject: 0 or -errno. *arm.size and pages are filled in. */
int inject_arm(struct sea_inject_arm *arm);
int inject_disarm(struct sea_inject_disarm *dis);
/* Bails if nothing was armed; the quiet one does not care. */
void inject_disarm_all(void);
void inject_disarm_all_quiet(void);
/* Arms one page of this process's VM by its guest physical address, or bails. */
void arm_gpa(uint64_t gpa, uint32_t kind, uint32_t flags, uint32_t set, uint64_t hits);
/* A number out of the module's state, by the name at the start of its line. */
uint64_t inject_state(const char *name);
/* Does the state have a page line that contains all of @words (separated by spaces)? */
bool inject_lists(const char *words);

#endif
