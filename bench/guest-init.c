/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * guest-init - process 1 of the benchmark's guest: says that it runs, then loses pages and times each loss.
 *
 * Console: "init" at once; "page gpa=0x..." for each page, and "ready" when the kernel has done testing its ciphers; after a line on
 * its input, "touch ns=N" for each page: from the load to the first instruction of the SIGBUS handler, by the virtual counter. Then
 * it powers the guest off.
 * With "fbk.boot" on the kernel's command line it powers off after "init".
 */
#include "quiet.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#define PAGE 4096ul
#define PAGES 8

static sigjmp_buf back;
static volatile uint64_t began, caught;

static inline __attribute__((always_inline)) uint64_t ticks(void)
{
	uint64_t t;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(t)::"memory");
	return t;
}

static void on_bus(int sig, siginfo_t *si, void *context)
{
	caught = si->si_code == BUS_MCEERR_AR ? ticks() : 0;
	siglongjmp(back, 1);
}

static uint64_t gpa_of(const void *p)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0 || pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)p / PAGE * sizeof(entry))) != sizeof(entry))
		printf("failed: pagemap\n");
	close(fd);
	return (entry & ((UINT64_C(1) << 55) - 1)) * PAGE;
}

static void off(void)
{
	fflush(stdout);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };
	char text[1024] = "";
	volatile char *page;
	unsigned int i;
	uint64_t hz;
	int fd;

	if (write(1, "init\n", 5) != 5)
		off();
	mount("proc", "/proc", "proc", 0, NULL);
	fd = open("/proc/cmdline", O_RDONLY);
	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strstr(text, "fbk.boot"))
		off();
	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
	sigaction(SIGBUS, &sa, NULL);
	page = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		off();
	madvise((void *)page, PAGES * PAGE, MADV_NOHUGEPAGE);
	memset((void *)page, 1, PAGES * PAGE);
	for (i = 0; i < PAGES; i++)
		printf("page gpa=0x%llx\n", (unsigned long long)gpa_of((void *)(page + i * PAGE)));
	if (!quiet_wait())
		printf("failed: the guest does not come to rest\n");
	printf("ready\n");
	fflush(stdout);
	if (!fgets(text, sizeof(text), stdin))
		off();
	for (i = 0; i < PAGES; i++) {
		if (!sigsetjmp(back, 1)) {
			began = ticks();
			(void)page[i * PAGE + 8];
			printf("failed: no signal\n");
			continue;
		}
		printf("touch ns=%llu\n", caught ? (unsigned long long)((caught - began) * 1000000000 / hz) : 0ull);
	}
	off();
}
