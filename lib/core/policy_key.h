/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * policy_key.h - the fields of struct fbk_policy by name: one table for what may be chosen, what is read and what is written.
 */
#ifndef FBK_CORE_POLICY_KEY_H
#define FBK_CORE_POLICY_KEY_H

#include <firebreak/policy.h>

enum fbk_policy_kind {
	FBK_POLICY_CONSUMED,   /* an action for an error that a vCPU consumed */
	FBK_POLICY_UNCONSUMED, /* an action for one that nobody consumed */
	FBK_POLICY_NUMBER,
	FBK_POLICY_SWITCH, /* 0 or 1 */
};

struct fbk_policy_key {
	const char *prefix, *name; /* one after the other they are the key */
	const char *meaning;	   /* for people */
	enum fbk_policy_kind kind;
	uint32_t min, max; /* of a number */
	size_t offset;	   /* of the field, which has 32 bits */
};

/* Every key has a number below this; in the order in which they are written. */
#define FBK_POLICY_NR_KEYS (21 + FBK_NR_SOURCES)

void fbk_policy_key_at(uint32_t i, struct fbk_policy_key *ret);

uint32_t fbk_policy_key_get(const struct fbk_policy *p, const struct fbk_policy_key *k);
void fbk_policy_key_set(struct fbk_policy *p, const struct fbk_policy_key *k, uint32_t value);

/* May the field have this value? */
int fbk_policy_key_allows(const struct fbk_policy_key *k, uint32_t value);

/* Nobody consumed what this source tells of. */
static inline int fbk_source_is_async(enum fbk_source s)
{
	return s == FBK_SOURCE_SIGBUS_AO || s == FBK_SOURCE_SIGBUS_IO;
}

#endif
