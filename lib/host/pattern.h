/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * pattern.h - what follows from how an error shows itself, whatever its addresses and the vCPU's state: worked out once,
 * and only looked at while a vCPU waits. Of an SEA exit it is kept, since the next one says mostly the same of itself.
 */
#ifndef FBK_HOST_PATTERN_H
#define FBK_HOST_PATTERN_H

#include <firebreak/sea.h>

/* Bits of answers. */
#define FBK_PATTERN_PLAIN (1u << 0)  /* fbk_policy_is_plain() */
#define FBK_PATTERN_HELPER (1u << 1) /* fbk_inject_is_plain() */
#define FBK_PATTERN_PSTATE (1u << 2) /* PSTATE has to be read */

struct fbk_pattern {
	uint64_t raw_flags, raw_esr; /* of an SEA exit: what it is known by */
	struct fbk_abort abort;	     /* its addresses are 0 */
	uint32_t answers;
	uint32_t learnt; /* fbk_counts_learnt() */
};

#endif
