/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* memory.c - see memory.h */
#include "memory.h"
#include "platform.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

#define HUGE UINT64_C(0x200000)

int fbk_memory_create(int vm_fd, uint64_t len, struct fbk_gmem *view)
{
	struct kvm_userspace_memory_region slot = { .slot = 0, .guest_phys_addr = FBK_RAM_BASE, .memory_size = len };
	struct fbk_gmem_region region = { .gpa = { FBK_RAM_BASE }, .len = len, .backing = FBK_BACKING_ANON };
	uintptr_t at, start;
	void *p;

	/* Huge pages need guest and host addresses that agree below 2 MiB. */
	p = mmap(NULL, len + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	at = (uintptr_t)p;
	start = (at + HUGE - 1) & ~(HUGE - 1);
	if (start > at)
		munmap(p, start - at);
	if (at + HUGE > start)
		munmap((void *)(start + len), at + HUGE - start);

	region.hva.addr = start;
	slot.userspace_addr = start;
	if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &slot))
		return -errno;
	return fbk_gmem_add(view, &region);
}

static int clear_range(const struct fbk_gmem_region *r, uint64_t from, uint64_t to)
{
	if (to <= from)
		return 0;
	return madvise((void *)(r->hva.addr + from), to - from, MADV_DONTNEED) ? -errno : 0;
}

int fbk_memory_clear(const struct fbk_gmem *view, const struct fbk_gpa *bad, unsigned int nr_bad)
{
	const struct fbk_gmem_region *r = &view->region[0];
	uint64_t from = 0, page_len = sysconf(_SC_PAGESIZE); /* the host's may be larger than ours */
	int err;

	for (unsigned int i = 0; i < nr_bad; i++) {
		uint64_t page = (bad[i].addr - r->gpa.addr) & ~(page_len - 1);

		if (page < from || page >= r->len)
			continue;
		err = clear_range(r, from, page);
		if (err)
			return err;
		from = page + page_len;
	}
	return clear_range(r, from, r->len);
}

int fbk_memory_is_poisoned(const struct fbk_gmem *view, struct fbk_gpa page)
{
	uint64_t page_len = sysconf(_SC_PAGESIZE);
	void *p;

	page.addr &= ~(page_len - 1);
	if (fbk_gmem_ptr(view, page, page_len, &p))
		return 0;
	return madvise(p, page_len, MADV_POPULATE_READ) && errno == EHWPOISON;
}
