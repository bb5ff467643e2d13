/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * What the parts of sea-table share.
 */
#ifndef TEST_SEA_TESTS_H
#define TEST_SEA_TESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "klog.h"
#include "module.h"
#include "tap.h"
#include "vm.h"

extern bool has_sea; /* this kernel can forward SEAs */
extern const char *module_path;

/* Probes of the module that the kernel has registered. */
unsigned int kprobes_of_module(void);

/* The outcome of an access to an armed page on this kernel: an SEA exit, or an SError. */
bool is_hit(const struct outcome *o, uint64_t esr);

void test_rows(void);
void test_shapes(void);
void test_targets(void);
void test_lives(void);

#endif
