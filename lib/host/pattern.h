/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * pattern.h - what follows from how an error shows itself, whatever its addresses and the vCPU's state: worked out once,
 * and only looked at while a vCPU waits. Of an SEA exit it is kept, since the next one says mostly the same of itself.
 */
#ifndef FBK_HOST_PATTERN_H
#define FBK_HOST_PATTERN_H

#include "kvm_uapi.h"

#include <firebreak/event.h>

/* Bits of answers. */
#define FBK_PATTERN_PLAIN (1u << 0)  /* fbk_policy_is_plain() */
#define FBK_PATTERN_HELPER (1u << 1) /* fbk_inject_is_plain() */
#define FBK_PATTERN_PSTATE (1u << 2) /* PSTATE has to be read */
#define FBK_PATTERN_PAGES (1u << 3)  /* it is known of a page that it is lost; */
#define FBK_PATTERN_MORE (1u << 4)   /* of several */
#define FBK_PATTERN_NOTIFY (1u << 5) /* what is done about pages in this VM: the guest is told, ... */
#define FBK_PATTERN_RETIRE (1u << 6) /* ... they go out of reach, ... */
#define FBK_PATTERN_FILE (1u << 7)   /* ... and into the ledger's file */
#define FBK_PATTERN_ACKS (1u << 8)   /* acknowledgements are told in this VM */

struct fbk_pattern {
	uint32_t answers;
	uint32_t learnt;		   /* fbk_counts_learnt() */
	struct fbk_kvm_vcpu_events inject; /* with HELPER: what the kernel is asked for */
	struct fbk_event ev;		   /* what its event says, as far as that is known beforehand; addresses are 0 */
};

#endif
