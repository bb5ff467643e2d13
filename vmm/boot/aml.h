/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * aml.h - a small writer of ACPI machine language, just what a DSDT of fixed devices needs.
 *
 * Nested terms are opened and closed; the package length in front of each is filled in at the close. The first
 * failure (no room, nesting too deep) sticks, and fbk_aml_done() tells it, so that callers need no check per term.
 */
#ifndef FBK_VMM_AML_H
#define FBK_VMM_AML_H

#include "bytes.h"

#define FBK_AML_DEPTH 8

struct fbk_aml {
	struct fbk_bytes out;
	size_t open[FBK_AML_DEPTH]; /* where each open term's package length lies */
	unsigned int depth;
};

void fbk_aml_init(struct fbk_aml *a, void *buf, size_t cap);

/* Closes the writer. Return: bytes written. Errors: -ENOSPC no room, -EINVAL open and close do not match. */
int fbk_aml_done(struct fbk_aml *a);

/*
 * Terms that hold others; fbk_aml_close() ends the innermost. Names have at most 4 characters; a scope's may begin
 * with a backslash.
 */
void fbk_aml_scope(struct fbk_aml *a, const char *name);
void fbk_aml_device(struct fbk_aml *a, const char *name);
void fbk_aml_method(struct fbk_aml *a, const char *name, unsigned int nr_args);
void fbk_aml_if_equal(struct fbk_aml *a, unsigned int arg, const void *bytes, size_t len);
void fbk_aml_if_integer(struct fbk_aml *a, unsigned int arg, uint64_t val);
void fbk_aml_close(struct fbk_aml *a);

void fbk_aml_name_integer(struct fbk_aml *a, const char *name, uint64_t val);
void fbk_aml_name_string(struct fbk_aml *a, const char *name, const char *s);
void fbk_aml_name_eisaid(struct fbk_aml *a, const char *name, const char *id);

/* Statements inside a method. */
void fbk_aml_notify(struct fbk_aml *a, const char *path, uint8_t val);
void fbk_aml_return_arg(struct fbk_aml *a, unsigned int arg);
void fbk_aml_dword_field(struct fbk_aml *a, unsigned int arg, uint8_t offset, const char *name);
void fbk_aml_and(struct fbk_aml *a, const char *name, uint32_t mask);
void fbk_aml_or(struct fbk_aml *a, const char *name, uint32_t mask);

/* A `Name (_CRS, ResourceTemplate ...)`; its entries; fbk_aml_crs_close() ends it. */
void fbk_aml_crs_open(struct fbk_aml *a);
void fbk_aml_crs_memory32(struct fbk_aml *a, uint32_t base, uint32_t len);
void fbk_aml_crs_interrupt(struct fbk_aml *a, uint32_t gsi, int edge);
void fbk_aml_crs_close(struct fbk_aml *a);

#endif
