/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * notify.h - how the guest learns where the error is.
 */
#ifndef FBK_HOST_NOTIFY_H
#define FBK_HOST_NOTIFY_H

#include "observe.h"
#include "vm_state.h"

/* What is to be done once the lock is released. Zero-initialise. */
struct fbk_after {
	int raise;
	int pump;
};

/*
 * Both fill the event's notify part and leave the rest in *after. Called with the lock held; a guest with ACPI only.
 *
 * fbk_notify_sea: the vCPU is about to take the abort in user mode; its handler will look at the SEA source. The slot is
 * where the ledger has the touched page. When that
 * source does not get free in time its record is replaced, and the asynchronous source tells of both pages. The lock is free while it waits.
 */
void fbk_notify_sea(struct fbk_vcpu *vcpu, struct fbk_event *ev, uint64_t *slot, struct fbk_after *after);
void fbk_notify_async(struct fbk_vm *vm, const struct fbk_span *span, struct fbk_event *ev, struct fbk_after *after);

/* Of a span whose touched page was told by itself the others, by the asynchronous source. */
void fbk_notify_rest(struct fbk_vm *vm, const struct fbk_span *span, struct fbk_event *ev, struct fbk_after *after);

/* Calls raise_async and want_pump as asked. Without the lock. Errors: raise_async's. */
int fbk_notify_finish(struct fbk_vm *vm, const struct fbk_after *after);

/* Tells the acknowledgements that were seen. Without the lock, and after the event of whoever saw them. */
void fbk_notify_tell_acks(struct fbk_vm *vm);

static inline int fbk_notify_has_acks(const struct fbk_vm *vm)
{
	return __atomic_load_n(&vm->nr_acks, __ATOMIC_RELAXED) != 0;
}

/* See fbk_vm_pump(). */
int fbk_notify_pump(struct fbk_vm *vm, uint64_t *ret_wait_ns);

/* Error blocks as at boot, nothing queued. Errors: -EHWPOISON a block is poisoned. */
int fbk_notify_reset(struct fbk_vm *vm);

#endif
