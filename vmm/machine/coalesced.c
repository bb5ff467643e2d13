/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* coalesced.c - see coalesced.h */
#include "coalesced.h"
#include "monitor.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

void fbk_coalesced_open(struct fbk_monitor *m)
{
	struct fbk_coalesced *c = &m->coalesced;
	size_t page_len = sysconf(_SC_PAGESIZE);
	int page = ioctl(m->vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);

	pthread_mutex_init(&c->lock, NULL);
	if (page <= 0 || (page + 1) * page_len > m->run_len)
		return;
	for (unsigned int i = 0; i < m->nr_virtio; i++) {
		struct kvm_coalesced_mmio_zone ack = {
			.addr = FBK_VIRTIO_BASE + i * FBK_VIRTIO_STRIDE + FBK_VIRTIO_INTERRUPT_ACK,
			.size = 4,
		};

		if (ioctl(m->vm_fd, KVM_REGISTER_COALESCED_MMIO, &ack))
			break;
	}
	/* It is one ring, whichever vCPU's mapping shows it. */
	c->ring = (void *)((char *)m->cpu[0].run + page * page_len);
	c->entries = (page_len - sizeof(*c->ring)) / sizeof(c->ring->coalesced_mmio[0]);
}

void fbk_coalesced_drain(struct fbk_monitor *m)
{
	struct fbk_coalesced *c = &m->coalesced;
	uint32_t first;

	if (!c->ring || __atomic_load_n(&c->ring->last, __ATOMIC_ACQUIRE) == __atomic_load_n(&c->ring->first, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&c->lock);
	first = c->ring->first;
	while (first != __atomic_load_n(&c->ring->last, __ATOMIC_ACQUIRE)) {
		struct kvm_coalesced_mmio *e = &c->ring->coalesced_mmio[first];

		fbk_bus_access(m, e->phys_addr, e->data, e->len, 1);
		first = (first + 1) % c->entries;
		__atomic_store_n(&c->ring->first, first, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&c->lock);
}
