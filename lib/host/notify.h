/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * notify.h - how the guest learns where the error is.
 */
#ifndef FBK_HOST_NOTIFY_H
#define FBK_HOST_NOTIFY_H

#include "observe.h"
#include "vm_state.h"

/*
 * Both fill the event's notify part. They take the lock, and call raise_async and want_pump without it.
 *
 * fbk_notify_sea: the vCPU is about to take the abort in user mode; its handler will look at the SEA source. When that
 * source does not get free in time the asynchronous one takes over.
 */
void fbk_notify_sea(struct fbk_vm *vm, int32_t vcpu, struct fbk_gpa gpa, struct fbk_event *ev);
void fbk_notify_async(struct fbk_vm *vm, const struct fbk_span *span, struct fbk_event *ev);

/* See fbk_vm_pump(). */
int fbk_notify_pump(struct fbk_vm *vm, uint64_t *ret_wait_ns);

/* Error blocks as at boot, nothing queued. Errors: -EHWPOISON a block is poisoned. */
int fbk_notify_reset(struct fbk_vm *vm);

#endif
