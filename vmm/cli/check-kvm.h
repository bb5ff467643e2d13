/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * check-kvm.h - what `firebreak check` says of KVM's capabilities, and by which ways aborts go back to the guest.
 */
#ifndef FBK_VMM_CHECK_KVM_H
#define FBK_VMM_CHECK_KVM_H

#include <stdbool.h>
#include <stdint.h>

struct fbk_check_line {
	const char *what, *state, *follows;
};

#define FBK_CHECK_KVM_LINES 7

/* @kvm: FBK_KVM_* bits, as probed */
void fbk_check_kvm(uint32_t kvm, struct fbk_check_line ret[FBK_CHECK_KVM_LINES]);

/* Whether a guest's memory errors can be contained, on a host with these bits where guests run at all. */
bool fbk_check_contains(uint32_t kvm);

#endif
