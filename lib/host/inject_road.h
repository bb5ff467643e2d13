/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * inject_road.h - what the road asks of the injection beside the public calls.
 */
#ifndef FBK_HOST_INJECT_ROAD_H
#define FBK_HOST_INJECT_ROAD_H

#include "../core/entry.h"
#include "kvm_uapi.h"

#include <firebreak/inject.h>

/* Whether fbk_inject_abort() of an SEA exit is nothing but fbk_inject_by_helper(), whatever the guest's state and the addresses. */
static inline int fbk_inject_is_plain(const struct fbk_abort *a, uint32_t kvm)
{
	return fbk_entry_helper_suffices(a, kvm) && !fbk_entry_takes_syndrome(a, kvm);
}

/* What it asks of the kernel. */
void fbk_inject_prepare(enum fbk_abort_kind kind, struct fbk_kvm_vcpu_events *ret);

/* The method is then FBK_REPLAY_HELPER. Errors: -EIO. */
int fbk_inject_by_helper(int vcpu_fd, const struct fbk_kvm_vcpu_events *prepared);

#endif
