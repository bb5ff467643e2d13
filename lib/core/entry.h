/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * entry.h - what the guest's registers say after it took the abort.
 */
#ifndef FBK_CORE_ENTRY_H
#define FBK_CORE_ENTRY_H

#include <firebreak/sea.h>

/* The exception level that a PSTATE says: 0 or 1; AArch32 counts, its user mode is 0. */
uint32_t fbk_entry_el(uint64_t pstate);

/* Whether the interrupted state was AArch32. */
int fbk_entry_is_aarch32(uint64_t pstate);

/*
 * ESR_EL1 as the hardware would show it to AArch64 EL1, had the abort been taken there.
 *
 * Errors: -ENODATA the abort came without a syndrome.
 */
int fbk_entry_esr(const struct fbk_abort *a, uint64_t pstate, uint64_t *ret);

#endif
