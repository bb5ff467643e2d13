/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * rules.h - which system calls a thread may still make once the guest runs, and why. Data: rules.c.
 *
 * What no rule allows is not carried out. A rule is about one system call, by its number; where its arguments decide, the rule
 * says which. Only the low 32 bits of an argument are compared: of an int the ABI leaves the upper half open, and the kernel
 * does not look at it.
 */
#ifndef FBK_VMM_RULES_H
#define FBK_VMM_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a thread is there for. A thread's filter is made of one role, or of several. */
enum fbk_role {
	FBK_ROLE_MAIN = 1 << 0,
	FBK_ROLE_VCPU = 1 << 1,
	FBK_ROLE_IO = 1 << 2,
	FBK_ROLE_NET_USER = 1 << 3, /* of the I/O thread, with a network in user space */
	FBK_ROLE_API = 1 << 4,
	FBK_ROLE_FRAMES = 1 << 5, /* a process of its own, which hands bad frames over to the host's kernel */
};
#define FBK_ROLES 6

#define FBK_RULE_ARGS 3

/* An argument is as wanted when (argument & mask) == value; FBK_ARG_SELF: when it is the process's own number. */
enum fbk_arg_kind { FBK_ARG_ANY, FBK_ARG_BITS, FBK_ARG_SELF };

struct fbk_rule_arg {
	enum fbk_arg_kind kind;
	unsigned int index;
	uint32_t mask, value;
};

struct fbk_rule {
	const char *name; /* of the system call */
	int nr;
	int refuse;	/* not allowed, but no reason to end the process: it fails with this errno; 0: allowed */
	uint32_t roles; /* enum fbk_role, OR-ed */
	struct fbk_rule_arg arg[FBK_RULE_ARGS];
	const char *reason;
};

/* The most frequent first: a filter asks about calls in this order, and before all of them about its role's first rule. */
extern const struct fbk_rule fbk_rules[];
extern const size_t fbk_nr_rules;

/* The rule about this call, or NULL. @self: the caller's process number */
const struct fbk_rule *fbk_rule_for(uint32_t roles, int nr, const uint64_t arg[6], int32_t self);

/* "main", "vcpu", "io", "net-user", "api", "frames" */
const char *fbk_role_name(enum fbk_role role);

#endif
