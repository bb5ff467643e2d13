/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
#include "fake_mem.h"

#include "host/sys.h"

#include <firebreak/types.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define PAGES 4096
#define YARD UINT64_C(0x7000000000)
#define SPARE UINT64_C(0x7800000000) /* a huge page from the pool */

struct fake_mem fake_mem;

/* One page of address space. frame: 0 none, MARKER, else 1 + its number. */
#define MARKER UINT32_MAX
struct place {
	uint32_t frame;
	int registered, none, locked, dontdump, dontfork, replaced;
};

static struct {
	uint64_t ram, len;
	int file;
	struct place at[PAGES], yard[PAGES];
	int offline[PAGES];
} mem;

static struct place *place(const void *p)
{
	uint64_t a = (uintptr_t)p;

	if (a - mem.ram < mem.len)
		return &mem.at[(a - mem.ram) / FBK_PAGE_SIZE];
	if (a - YARD < PAGES * FBK_PAGE_SIZE)
		return &mem.yard[(a - YARD) / FBK_PAGE_SIZE];
	abort(); /* not this process's to touch */
}

static void give_back(uint32_t frame)
{
	/* A file holds its own. */
	if (frame && frame != MARKER && !mem.file && !mem.offline[frame - 1])
		fake_mem.nr_given_back++;
}

static int fails(void)
{
	uint32_t n = ++fake_mem.nr_calls;

	if (!fake_mem.fail_at || (fake_mem.fail_on ? n < fake_mem.fail_at : n != fake_mem.fail_at))
		return 0;
	errno = fake_mem.fail_errno;
	return 1;
}

static int refuse(int err)
{
	errno = err;
	return -1;
}

static long f_page_size(void)
{
	return fake_mem.page_size;
}

static int f_userfaultfd(int flags)
{
	if (fails())
		return -1;
	if (fake_mem.no_uffd || !(flags & 1))
		return refuse(EPERM);
	fake_mem.nr_fds++;
	return FAKE_UFFD;
}

static int f_open(const char *path, int flags)
{
	if (fails())
		return -1;
	if (!strcmp(path, "/proc/self/pagemap")) {
		fake_mem.nr_fds++;
		return FAKE_PAGEMAP;
	}
	if (fake_mem.no_root || strcmp(path, "/sys/devices/system/memory/hard_offline_page"))
		return refuse(EACCES);
	fake_mem.nr_fds++;
	return FAKE_OFFLINE;
}

static int f_close(int fd)
{
	fake_mem.nr_fds--;
	return 0;
}

static int f_ioctl(int fd, unsigned long request, void *arg)
{
	struct uffdio_range *range = arg; /* first in all of them */
	struct uffdio_api *api = arg;
	struct place *p;

	if (fails())
		return -1;
	if (fd != FAKE_UFFD)
		abort();
	if (request == UFFDIO_API) {
		if (fake_mem.no_poison || (fake_mem.no_minor && (api->features & 1u << 10)))
			return refuse(EINVAL);
		return 0;
	}
	if (range->len != FBK_PAGE_SIZE)
		abort();
	p = place((void *)(uintptr_t)range->start);
	switch (_IOC_NR(request)) {
	case 0x00: /* UFFDIO_REGISTER */
		if ((((struct uffdio_register *)arg)->mode & 4) && !mem.file)
			return refuse(EINVAL);
		p->registered = 1;
		return 0;
	case 0x01: /* UFFDIO_UNREGISTER */
		p->registered = 0;
		return 0;
	case 0x08: /* UFFDIO_POISON */
		if (!p->registered)
			return refuse(ENOENT);
		if (p->frame)
			return refuse(EEXIST);
		p->frame = MARKER;
		return 0;
	}
	abort();
}

static ssize_t f_pread(int fd, void *buf, size_t len, off_t at)
{
	struct place *p = place((void *)(uintptr_t)(at / 8 * (off_t)FBK_PAGE_SIZE));
	uint64_t entry = p->frame && p->frame != MARKER && !mem.offline[p->frame - 1] ? UINT64_C(1) << 63 | p->frame : 0;

	if (fails())
		return -1;
	memcpy(buf, &entry, sizeof(entry));
	return sizeof(entry);
}

static ssize_t f_write(int fd, const void *buf, size_t len)
{
	char text[32] = "";
	uint64_t frame;

	if (fails())
		return -1;
	if (fd != FAKE_OFFLINE || len >= sizeof(text))
		abort();
	if (fake_mem.not_permitted)
		return refuse(EPERM);
	if (fake_mem.host_busy)
		return refuse(EBUSY);
	memcpy(text, buf, len);
	frame = strtoull(text, NULL, 0) / FBK_PAGE_SIZE;
	if (!frame || frame > PAGES)
		abort();
	mem.offline[frame - 1] = 1;
	fake_mem.nr_offline++;
	return (ssize_t)len;
}

static void *f_mmap(void *at, size_t len, int prot, int flags)
{
	if (fails())
		return MAP_FAILED;
	if (!at && flags & MAP_HUGETLB) {
		/* The size that is asked for must be said. */
		if (len != 1ul << (flags >> 26 & 0x3f))
			abort();
		if (fake_mem.no_huge)
			return refuse(ENOMEM), MAP_FAILED;
		fake_mem.nr_maps++;
		return (void *)(uintptr_t)SPARE;
	}
	if (!at) {
		if (len > PAGES * FBK_PAGE_SIZE)
			abort();
		fake_mem.nr_maps++;
		return (void *)(uintptr_t)YARD;
	}
	if (!(flags & MAP_FIXED) || len != FBK_PAGE_SIZE)
		abort();
	give_back(place(at)->frame);
	*place(at) = (struct place){ .replaced = 1 };
	return at;
}

static int f_munmap(void *at, size_t len)
{
	uint32_t i;

	fake_mem.nr_maps--;
	if ((uintptr_t)at == SPARE)
		return 0;
	for (i = 0; i < PAGES; i++)
		give_back(mem.yard[i].frame);
	return 0;
}

static void *huge_mremap(size_t len, int flags, void *to)
{
	size_t i;

	if (flags != (MREMAP_MAYMOVE | MREMAP_FIXED) || (uintptr_t)to & (len - 1))
		abort();
	for (i = 0; i < len; i += FBK_PAGE_SIZE) {
		struct place *p = place((char *)to + i);

		give_back(p->frame);
		*p = (struct place){ .replaced = 1 };
	}
	fake_mem.nr_maps--;
	return to;
}

static void *f_mremap(void *from, size_t len, int flags, void *to)
{
	struct place *a, *b;

	if (fails())
		return MAP_FAILED;
	if ((uintptr_t)from == SPARE)
		return huge_mremap(len, flags, to);
	a = place(from);
	b = place(to);
	if (len != FBK_PAGE_SIZE || flags != (MREMAP_MAYMOVE | MREMAP_FIXED | 4) || a == b)
		abort();
	give_back(b->frame);
	*b = (struct place){ .frame = a->frame };
	a->frame = 0;
	return to;
}

static int f_mprotect(void *at, size_t len, int prot)
{
	if (fails())
		return -1;
	place(at)->none = prot == PROT_NONE;
	return 0;
}

static int f_madvise(void *at, size_t len, int advice)
{
	struct place *p;

	if (fails())
		return -1;
	if ((uintptr_t)at == SPARE && advice == 23 /* MADV_POPULATE_WRITE */)
		return fake_mem.false_huge ? refuse(EFAULT) : 0;
	p = place(at);
	switch (advice) {
	case 24: /* MADV_DONTNEED_LOCKED */
	case MADV_DONTNEED:
		give_back(p->frame);
		p->frame = 0;
		return 0;
	case MADV_DONTDUMP:
		p->dontdump = 1;
		return 0;
	case MADV_DONTFORK:
		p->dontfork = 1;
		return 0;
	}
	abort();
}

static int f_mlock(void *at, size_t len)
{
	if (fails())
		return -1;
	place(at)->locked = 1;
	return 0;
}

static const struct fbk_sys_mem fake = {
	.page_size = f_page_size,
	.userfaultfd = f_userfaultfd,
	.open = f_open,
	.close = f_close,
	.ioctl = f_ioctl,
	.pread = f_pread,
	.write = f_write,
	.mmap = f_mmap,
	.munmap = f_munmap,
	.mremap = f_mremap,
	.mprotect = f_mprotect,
	.madvise = f_madvise,
	.mlock = f_mlock,
};

void fake_mem_install(void *ram, uint64_t len, int file)
{
	uint32_t i;

	memset(&mem, 0, sizeof(mem));
	mem.ram = (uintptr_t)ram;
	mem.len = len;
	mem.file = file;
	if (len > PAGES * FBK_PAGE_SIZE)
		abort();
	for (i = 0; i < len / FBK_PAGE_SIZE; i++)
		mem.at[i].frame = i + 1;
	fake_mem = (struct fake_mem){ .page_size = FBK_PAGE_SIZE, .fail_errno = ENOMEM };
	fbk_sys_mem = &fake;
}

enum fake_sight fake_mem_look(const void *at)
{
	const struct place *p = place(at);

	if (p->frame == MARKER)
		return FAKE_POISON;
	if (p->frame == (uint32_t)(((uintptr_t)at - mem.ram) / FBK_PAGE_SIZE) + 1)
		return FAKE_FRAME;
	/* A file's page comes back. */
	if (mem.file && !p->frame && !p->registered && !p->replaced)
		return FAKE_FRAME;
	return !p->frame && p->registered ? FAKE_HELD : FAKE_ZEROS;
}

void fake_mem_break(const void *at, uint64_t len)
{
	uint64_t i;

	for (i = 0; i < len; i += FBK_PAGE_SIZE) {
		struct place *p = place((const char *)at + i);

		if (p->frame && p->frame != MARKER)
			mem.offline[p->frame - 1] = 1;
		p->frame = MARKER;
	}
}

void *fake_mem_whereabouts(const void *at)
{
	uint32_t frame = (uint32_t)(((uintptr_t)at - mem.ram) / FBK_PAGE_SIZE) + 1, i;

	for (i = 0; i < PAGES; i++) {
		if (mem.at[i].frame == frame)
			return (void *)(uintptr_t)(mem.ram + i * FBK_PAGE_SIZE);
		if (mem.yard[i].frame == frame)
			return (void *)(uintptr_t)(YARD + i * FBK_PAGE_SIZE);
	}
	return NULL;
}

int fake_mem_hidden(const void *at)
{
	const struct place *p = place(at);

	return p->none && p->locked && p->dontdump && p->dontfork;
}

int fake_mem_watched(const void *at)
{
	return place(at)->registered;
}
