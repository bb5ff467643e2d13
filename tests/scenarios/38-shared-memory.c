/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Guest memory that other processes can be given: a lost page costs what it costs elsewhere, a reset gives good memory for it, and
 * the file keeps the bad frame.
 */
#include "harness.h"
#include "internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

FBK_SCENARIO("38-shared-memory", "shared-memory", 20,
	     "host: the monitor's smaps, its memory mapped by another process, HardwareCorrupted; guest: victims' siginfo, MemTotal, boots twice");

#define MIB 256
/* Where a kernel of these days lies, and what its header says there [Linux "Documentation/arch/arm64/booting.rst"]. */
#define KERNEL 0x200000
#define MAGIC 56

/* Its memory, as a process sees it that is given the descriptor. */
static unsigned char *map_it(struct fbk_guest *g)
{
	char path[64], to[64];
	unsigned char *p;
	ssize_t n = -1;
	int fd;

	for (int i = 0; i < 256; i++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", fbk_guest_pid(g), i);
		n = readlink(path, to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = '\0';
		if (!strncmp(to, "/memfd:firebreak-ram", 20))
			break;
	}
	fd = open(path, O_RDWR | O_CLOEXEC);
	FBK_CHECK(n > 0 && fd >= 0);
	FBK_CHECK_EQ(lseek(fd, 0, SEEK_END), MIB << 20);
	p = mmap(NULL, MIB << 20, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	FBK_CHECK(p != MAP_FAILED);
	return p;
}

static void run(void)
{
	long host = fbk_host_meminfo("HardwareCorrupted"), memory;
	struct fbk_victim v;
	unsigned char *shared;
	struct fbk_guest *g;

	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2, .memory_mib = MIB, .memory = ",shared" });
	FBK_CHECK_EQ(fbk_guest_smaps(g, "rw-s", "Size"), MIB * 1024);
	FBK_CHECK(fbk_guest_smaps(g, "rw-s", "Rss") > 16 * 1024);
	shared = map_it(g);
	FBK_CHECK(!memcmp(shared + KERNEL + MAGIC, "ARM\x64", 4));
	memory = fbk_guest_meminfo(g, "MemTotal");

	/* A cell goes bad under a process. */
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
	fbk_host_expect_corrupted(host + 4);
	/* The host loses a page that another reads. */
	fbk_victim_host_loses(&v, g);
	fbk_guest_expect_corrupted(g, 8);
	fbk_host_expect_corrupted(host + 8);

	fbk_guest_forget(g);
	fbk_guest_send(g, "reboot");
	fbk_guest_expect(g, 180, "init[1]: ready");
	FBK_CHECK(!fbk_guest_said(g, "Internal error"));
	/* A page kept back would be 64 kB less; which tables lie where may differ. */
	FBK_CHECK(fbk_guest_meminfo(g, "MemTotal") > memory - 32);
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), 0);
	FBK_CHECK_EQ(fbk_guest_smaps(g, "rw-p", "Size"), 8);
	FBK_CHECK_EQ(fbk_guest_smaps(g, "rw-s", "Size"), MIB * 1024 - 8);
	FBK_CHECK(!memcmp(shared + KERNEL + MAGIC, "ARM\x64", 4));
	FBK_CHECK_EQ(fbk_host_meminfo("HardwareCorrupted"), host + 8);
	munmap(shared, MIB << 20);

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
	fbk_host_expect_corrupted(host + 12);
	fbk_guest_poweroff(g);
}
