/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * coalesced.h - writes that the kernel keeps for later: the guest's acknowledgement of a virtio interrupt costs it no exit to us.
 *
 * They reach the device before the next access that does exit, of any vCPU, in the order in which they were made; until then the
 * device does not know of them (virtio-mmio.h says why that is enough). A kernel without them, or with its ring full, exits
 * as ever. [KVM-API 4.116 "KVM_(UN)REGISTER_COALESCED_MMIO"]
 */
#ifndef FBK_VMM_COALESCED_H
#define FBK_VMM_COALESCED_H

#include <pthread.h>
#include <stdint.h>

struct fbk_monitor;
struct kvm_coalesced_mmio_ring;

struct fbk_coalesced {
	struct kvm_coalesced_mmio_ring *ring; /* NULL: there is none */
	uint32_t entries;
	pthread_mutex_t lock; /* of whoever takes from it */
};

/* Before any thread runs; vCPUs and devices are there. Without it everything works, only slower: nothing to fail. */
void fbk_coalesced_open(struct fbk_monitor *m);

/* Let the devices have what is kept. Any thread. */
void fbk_coalesced_drain(struct fbk_monitor *m);

#endif
