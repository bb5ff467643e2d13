/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * entry.c - what the guest's registers say after it took the abort.
 */
#include "entry.h"

#include <errno.h>

int fbk_entry_esr(const struct fbk_abort *a, uint64_t pstate, uint64_t *ret)
{
	uint64_t same = fbk_entry_el(pstate) ? 1 : 0;
	uint64_t ec = a->kind == FBK_ABORT_INSTRUCTION ? FBK_EC_IABT_LOW : FBK_EC_DABT_LOW;

	if (!(a->flags & FBK_SEA_HAS_ESR))
		return -ENODATA;
	/* IL is 1 for every instruction abort, and for data aborts without ISV: ours never have it. */
	*ret = (ec + same) << 26 | FBK_ESR_IL | fbk_entry_iss(a);
	return 0;
}
