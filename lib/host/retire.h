/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * retire.h - the road's step that takes a lost page out of reach, and what belongs to it off the road.
 */
#ifndef FBK_HOST_RETIRE_H
#define FBK_HOST_RETIRE_H

#include "observe.h"

struct fbk_vm;
struct fbk_vcpu;

/* The step: the event's retire, retire_err and frame; state and frame in the ledger. Called without the VM's lock. */
void fbk_retire_step(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_span *span);

/* KVM_RUN failed with EFAULT: did a page that was being retired do it? Returns when that is over. */
int fbk_retire_raced(struct fbk_vcpu *vcpu);

/* SIGBUS about a frame that was retired. Return: 1 it is, and the ledger says that the host has it. */
int fbk_retire_sigbus(struct fbk_vm *vm, const siginfo_t *si);

/*
 * Retires what waited for the guest, does what is left to be done of retirements that are FBK_RETIRE_TEND_NS old, hands some
 * frames over to the kernel.
 *
 * @comes_again: the caller does as the return value says, and need not be asked until then
 * Return: 1 come again, after FBK_RETIRE_TEND_NS.
 */
#define FBK_RETIRE_TEND_NS UINT64_C(10000000)
int fbk_retire_tend(struct fbk_vm *vm, int comes_again);

/* Good memory for every page that is not healed. Return: how many stay as they are. */
uint32_t fbk_retire_heal(struct fbk_vm *vm);

#endif
