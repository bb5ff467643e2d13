/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* filter.h - the rules of a role as a seccomp filter. [seccomp(2)] */
#ifndef FBK_VMM_FILTER_H
#define FBK_VMM_FILTER_H

#include "rules.h"

struct sock_filter;

struct fbk_filter {
	struct sock_filter *code;
	unsigned short len; /* instructions */
};

/* What becomes of a call that no rule allows. */
enum fbk_violation {
	FBK_VIOLATION_SIGNAL, /* it is not carried out; the thread gets SIGSYS */
	FBK_VIOLATION_LOG,    /* it is carried out, and in the kernel's log */
};

/**
 * fbk_filter_build - make the filter of @roles of this process
 * @ret: given back with fbk_filter_free()
 *
 * Return:  0.
 * Errors:  -ENOMEM; -EOPNOTSUPP libseccomp does not know this machine, or a call of the table; another negative errno of
 *          libseccomp's or of the file that carries its output.
 */
int fbk_filter_build(uint32_t roles, enum fbk_violation violation, struct fbk_filter *ret);
void fbk_filter_free(struct fbk_filter *f);

/* The calling thread's, from here on and for good. It must have no_new_privs. Errors: negative errno of seccomp(2). */
int fbk_filter_load(const struct fbk_filter *f);

#endif
