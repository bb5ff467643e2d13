/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* guest_memory.c - see guest_memory.h */
#include "guest_memory.h"
#include "bytes.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void on_sigbus(int sig, siginfo_t *si, void *ucontext)
{
	siginfo_t poison = *si;

	/* What the file's end gives differs from poison in the code alone. */
	poison.si_code = BUS_MCEERR_AR;
	if (fbk_gmem_sigbus(&poison, ucontext))
		return;
	signal(SIGBUS, SIG_DFL);
}

void test_ram_open(struct test_ram *r)
{
	struct fbk_gmem_region region = { .gpa = { FBK_RAM_BASE }, .len = TEST_RAM_LEN };

	*r = (struct test_ram){ .fd = memfd_create("guest", MFD_CLOEXEC) };
	if (r->fd < 0 || ftruncate(r->fd, TEST_RAM_LEN))
		abort();
	r->at = mmap(NULL, TEST_RAM_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->at == MAP_FAILED)
		abort();
	region.hva.addr = (uintptr_t)r->at;
	if (fbk_gmem_add(&r->gmem, &region))
		abort();
}

void test_ram_close(struct test_ram *r)
{
	munmap(r->at, TEST_RAM_LEN);
	close(r->fd);
}

void test_ram_cut(struct test_ram *r, uint64_t offset)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER };

	/* Here, because cmocka puts its own handler in place before each test. */
	if (sigaction(SIGBUS, &sa, NULL) || ftruncate(r->fd, offset))
		abort();
}

void test_ram_put(struct test_ram *r, uint64_t offset, uint64_t val, unsigned int width)
{
	for (unsigned int i = 0; i < width; i++)
		r->at[offset + i] = val >> (8 * i);
}

uint64_t test_ram_get(const struct test_ram *r, uint64_t offset, unsigned int width)
{
	return fbk_get_le(r->at + offset, width);
}
