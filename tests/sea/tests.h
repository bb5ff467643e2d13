/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * What the parts of sea-table share: TAP, the module's device, the kernel's log.
 */
#ifndef TEST_SEA_TESTS_H
#define TEST_SEA_TESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "sea_inject.h"
#include "vm.h"

extern bool has_sea; /* this kernel can forward SEAs */
extern const char *module_path;

/* One TAP line; @fmt explains a failure. Returns @pass. */
bool ok(bool pass, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void skip(const char *name, const char *why);

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
void module_insert(void);
int module_remove(void);

/* Does the kernel's log have a line that contains @text? */
bool klog_has(const char *text);
/* Names the first sign of a kernel in trouble, or NULL. */
const char *klog_trouble(void);
/* Probes of the module that the kernel has registered. */
unsigned int kprobes_of_module(void);

/* The outcome of an access to an armed page on this kernel: an SEA exit, or an SError. */
bool is_hit(const struct outcome *o, uint64_t esr);

void test_rows(void);
void test_shapes(void);
void test_targets(void);
void test_lives(void);

#endif
