/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* memory.c - see memory.h */
#include "memory.h"
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/kvm.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

#define HUGE UINT64_C(0x200000)

const char *fbk_memory_kind(const struct fbk_memory *mem)
{
	if (mem->is.huge_len)
		return mem->is.shared ? "shared-hugetlb" : "hugetlb";
	return mem->is.shared ? "shared" : "anonymous";
}

/* --- made ----------------------------------------------------------------------------------------------------------- */

/* How MAP_HUGETLB and MFD_HUGETLB name a size: by its logarithm. */
static unsigned int huge_flag(uint64_t huge_len)
{
	return (unsigned int)__builtin_ctzll(huge_len) << MAP_HUGE_SHIFT;
}

/* Nobody who is given the file may shorten it under the guest. */
static int open_file(struct fbk_memory *mem)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

	if (mem->is.huge_len)
		flags |= MFD_HUGETLB | huge_flag(mem->is.huge_len);
	mem->fd = memfd_create("firebreak-ram", flags);
	if (mem->fd < 0)
		return -errno;
	if (ftruncate(mem->fd, mem->is.len) || fcntl(mem->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -errno;
	return 0;
}

/* The kernel aligns it. Reserved whole in the pool, so that no page can be missing later. */
static int map_huge(struct fbk_memory *mem)
{
	int flags = mem->fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (int)huge_flag(mem->is.huge_len);
	void *p = mmap(NULL, mem->is.len, PROT_READ | PROT_WRITE, flags, mem->fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	mem->at = p;
	return 0;
}

/* Transparent huge pages need guest and host addresses that agree below 2 MiB. */
static int map_ordinary(struct fbk_memory *mem)
{
	uint64_t len = mem->is.len;
	uintptr_t at, start;
	void *p;

	p = mmap(NULL, len + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	at = (uintptr_t)p;
	start = (at + HUGE - 1) & ~(HUGE - 1);
	if (start > at)
		munmap(p, start - at);
	if (at + HUGE > start)
		munmap((void *)(start + len), at + HUGE - start);
	mem->at = (unsigned char *)start;
	if (mem->fd >= 0 &&
	    mmap(mem->at, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, mem->fd, 0) == MAP_FAILED)
		return -errno;
	if (mem->is.thp != FBK_THP_HOST &&
	    madvise(mem->at, len, mem->is.thp == FBK_THP_ON ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) &&
	    (mem->is.thp == FBK_THP_ON || errno != EINVAL)) /* a kernel without them has none to decline */
		return -errno;
	return 0;
}

static bool beyond_host(uint64_t len)
{
	struct sysinfo host;

	return !sysinfo(&host) && len > (host.totalram + (uint64_t)host.totalswap) * host.mem_unit;
}

/* There before it is asked for. Poison on the way is no error here: who touches it is told. */
static int populate(const struct fbk_memory *mem, uint64_t from, uint64_t to)
{
	if (to <= from || !madvise(mem->at + from, to - from, MADV_POPULATE_WRITE) || errno == EHWPOISON)
		return 0;
	if (errno != EINVAL)
		return -errno;
	/* An older kernel. All of it is zero. */
	for (uint64_t at = from; at < to; at += mem->page_len)
		(void)!fbk_gmem_write(mem->view, (struct fbk_gpa){ FBK_RAM_BASE + at }, "", 1, NULL);
	return 0;
}

int fbk_memory_open(const struct fbk_memory_option *o, struct fbk_memory *mem, struct fbk_gmem *view)
{
	struct fbk_gmem_region region = { .gpa = { FBK_RAM_BASE }, .len = o->len, .backing = FBK_BACKING_ANON };
	int r = 0;

	*mem = (struct fbk_memory){ .is = *o, .view = view, .fd = -1 };
	mem->page_len = o->huge_len ? o->huge_len : (uint64_t)sysconf(_SC_PAGESIZE);
	if (!o->huge_len && beyond_host(o->len))
		return -E2BIG;
	if (o->shared)
		r = open_file(mem);
	if (!r)
		r = o->huge_len ? map_huge(mem) : map_ordinary(mem);
	if (r)
		return r;

	region.hva.addr = (uintptr_t)mem->at;
	if (o->huge_len)
		region.backing = FBK_BACKING_HUGETLB;
	else if (o->shared)
		region.backing = FBK_BACKING_FILE;
	if (region.backing != FBK_BACKING_ANON)
		region.flags = FBK_GMEM_REPLACE;
	r = fbk_gmem_add(view, &region);
	return r || !o->prefault ? r : populate(mem, 0, o->len);
}

int fbk_memory_give(const struct fbk_memory *mem, int vm_fd)
{
	struct kvm_userspace_memory_region slot = { .slot = 0, .guest_phys_addr = FBK_RAM_BASE, .memory_size = mem->is.len };

	slot.userspace_addr = (uintptr_t)mem->at;
	return ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &slot) ? -errno : 0;
}

/* --- cleared -------------------------------------------------------------------------------------------------------- */

static int drop(const struct fbk_memory *mem, uint64_t from, uint64_t to)
{
	return to > from && madvise(mem->at + from, to - from, MADV_DONTNEED) ? -errno : 0;
}

static int punch(const struct fbk_memory *mem, uint64_t from, uint64_t to)
{
	if (to <= from || !fallocate(mem->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, to - from))
		return 0;
	return -errno;
}

#define NOWHERE UINT64_MAX

/* Where the page of that size begins in RAM that a lost page lies in. */
static uint64_t place(const struct fbk_memory *mem, const struct fbk_memory_lost *lost, uint64_t page_len)
{
	uint64_t offset = lost->page.addr - FBK_RAM_BASE;

	return offset < mem->is.len ? offset & ~(page_len - 1) : NOWHERE;
}

/* Call for each stretch between the pages that are bad, or, with @healed, that were so once. */
static int between(const struct fbk_memory *mem, const struct fbk_memory_lost *lost, unsigned int nr_lost, bool healed,
		   int (*call)(const struct fbk_memory *mem, uint64_t from, uint64_t to))
{
	uint64_t from = 0;
	int r;

	for (unsigned int i = 0; i < nr_lost; i++) {
		uint64_t page = place(mem, &lost[i], mem->page_len);

		if (page < from || page == NOWHERE || (lost[i].healed && !healed))
			continue;
		r = call(mem, from, page);
		if (r)
			return r;
		from = page + mem->page_len;
	}
	return call(mem, from, mem->is.len);
}

/* Return: where a write met poison that nobody knew of, else @to. */
static uint64_t write_zeros(const struct fbk_memory *mem, uint64_t from, uint64_t to)
{
	static const unsigned char zeros[0x10000];

	while (from < to) {
		uint64_t len = to - from < sizeof(zeros) ? to - from : sizeof(zeros);
		size_t done = 0;

		if (fbk_gmem_write(mem->view, (struct fbk_gpa){ FBK_RAM_BASE + from }, zeros, len, &done))
			return from + done;
		from += len;
	}
	return to;
}

static int clear_ordinary(const struct fbk_memory *mem, const struct fbk_memory_lost *lost, unsigned int nr_lost)
{
	int r = between(mem, lost, nr_lost, false, drop);

	if (r || mem->fd < 0)
		return r;
	r = between(mem, lost, nr_lost, true, punch);
	/* These the file has kept, unless a page of another kind lies over it, and was dropped. */
	for (unsigned int i = 0; i < nr_lost; i++) {
		uint64_t page = place(mem, &lost[i], mem->page_len);

		if (lost[i].healed && page != NOWHERE)
			(void)write_zeros(mem, page, page + mem->page_len);
	}
	return r;
}

/* Was it ever touched? The pages of a file may have been, by others. */
static bool is_there(const struct fbk_memory *mem, uint64_t at)
{
	unsigned char in = 1;

	return mem->fd >= 0 || mincore(mem->at + at, 1, &in) || (in & 1);
}

static void clear_huge(const struct fbk_memory *mem, const struct fbk_memory_lost *lost, unsigned int nr_lost)
{
	unsigned int i = 0;

	for (uint64_t at = 0; at < mem->is.len; at += mem->page_len) {
		uint64_t end = at + mem->page_len, from = at, page;

		if (!is_there(mem, at))
			continue;
		for (; i < nr_lost; i++) {
			page = place(mem, &lost[i], FBK_PAGE_SIZE);
			if (page != NOWHERE && page >= end)
				break;
			/* What the host has lost, it has lost whole: there is no way on behind it. */
			if (page == NOWHERE || page < from || lost[i].healed || write_zeros(mem, from, page) < page)
				continue;
			from = page + FBK_PAGE_SIZE;
		}
		(void)write_zeros(mem, from, end);
	}
}

int fbk_memory_clear(const struct fbk_memory *mem, const struct fbk_memory_lost *lost, unsigned int nr_lost)
{
	int r = 0;

	if (mem->is.huge_len)
		clear_huge(mem, lost, nr_lost);
	else
		r = clear_ordinary(mem, lost, nr_lost);
	return r || !mem->is.prefault ? r : between(mem, lost, nr_lost, false, populate);
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
