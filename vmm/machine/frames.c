/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * frames.c - see frames.h. [Linux "Documentation/admin-guide/mm/pagemap.rst"] and "Documentation/ABI/testing/
 * sysfs-memory-page-offline"; writing there needs CAP_SYS_ADMIN at the time of the write, so an open descriptor is not enough.
 */
#include "frames.h"
#include "filter.h"
#include "jail.h"
#include "landlock.h"
#include "trim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_PFN ((UINT64_C(1) << 55) - 1)
#define NOBODY 65534

#ifndef SYS_close_range
#define SYS_close_range 436 /* Linux 5.9 */
#endif

static void close_between(unsigned int first, unsigned int last)
{
	if (first > last || !syscall(SYS_close_range, first, last, 0))
		return;
	for (unsigned int fd = first; fd <= last && fd < 4096; fd++)
		close(fd);
}

static void keep_two(int a, int b)
{
	const int low = a < b ? a : b, high = a < b ? b : a;

	if (low > 0)
		close_between(0, low - 1);
	close_between(low + 1, high - 1);
	close_between(high + 1, ~0u);
}

/* Of the privilege only what the write needs. */
static int keep_one_capability(void)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return -errno;
	if (fbk_jail_become(NOBODY, NOBODY) || fbk_jail_keep_only(CAP_SYS_ADMIN))
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

/* Beside the privilege nothing is left. A kernel without Landlock, or seccomp, leaves what it leaves. */
static int confine(void)
{
	struct fbk_filter f;
	int r = keep_one_capability();

	if (r)
		return r;
	(void)fbk_landlock_restrict(NULL, 0, false);
	r = fbk_filter_build(FBK_ROLE_FRAMES, FBK_VIOLATION_SIGNAL, &f);
	if (r)
		return r;
	fbk_trim();
	r = fbk_filter_load(&f);
	return r == -EINVAL || r == -ENOSYS ? 0 : r;
}

static int take(int pagemap, int offline, uint64_t page)
{
	const uint64_t page_len = sysconf(_SC_PAGESIZE);
	uint64_t entry = 0;
	char text[24];
	int n;

	if (pread(pagemap, &entry, sizeof(entry), page / page_len * sizeof(entry)) != sizeof(entry))
		return -EIO;
	if (!(entry & PAGEMAP_PRESENT) || !(entry & PAGEMAP_PFN))
		return -ENODATA;
	n = sprintf(text, "0x%llx", (unsigned long long)((entry & PAGEMAP_PFN) * page_len));
	return write(offline, text, n) < 0 ? -errno : 0;
}

static void serve(int fd, int pagemap)
{
	int32_t r = 0;
	uint64_t page;
	int offline = open("/sys/devices/system/memory/hard_offline_page", O_WRONLY | O_CLOEXEC);
	if (offline < 0)
		r = -errno;
	if (!r)
		r = confine();
	if (write(fd, &r, sizeof(r)) != sizeof(r) || r)
		return;
	for (unsigned int nr = 0; read(fd, &page, sizeof(page)) == sizeof(page); nr++) {
		r = nr < FBK_FRAMES_MAX ? take(pagemap, offline, page) : -EPERM;
		if (write(fd, &r, sizeof(r)) != sizeof(r))
			return;
	}
}

int fbk_frames_start(struct fbk_frames *f)
{
	int pair[2], pagemap;
	sigset_t all;
	pid_t child;
	int32_t r;

	f->fd = -1;
	if (access("/sys/devices/system/memory/hard_offline_page", W_OK))
		return -errno;
	/* The monitor's: whose memory it tells is settled when it is opened. */
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		r = -errno;
		close(pagemap);
		return r;
	}
	child = fork();
	if (child < 0) {
		r = -errno;
		close(pagemap);
		close(pair[0]);
		close(pair[1]);
		return r;
	}
	if (!child) {
		/* A terminal's Ctrl-C is not for it, nor a service manager's SIGTERM to all: it ends with the monitor. And nobody waits for it
		 * at the other end of what the monitor has open. */
		setsid();
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		prctl(PR_SET_NAME, "frames");
		keep_two(pagemap, pair[1]);
		serve(pair[1], pagemap);
		_exit(0);
	}
	close(pagemap);
	close(pair[1]);
	if (read(pair[0], &r, sizeof(r)) != sizeof(r))
		r = -EIO;
	if (r)
		close(pair[0]);
	else
		f->fd = pair[0];
	return r;
}

int fbk_frames_take(void *opaque, const void *page)
{
	const struct fbk_frames *f = opaque;
	uint64_t address = (uintptr_t)page;
	int32_t r = 0;
	ssize_t n;

	/* The kernel tells of the frame that it takes by a signal, which breaks the wait off. */
	do
		n = write(f->fd, &address, sizeof(address));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(address))
		return -EPERM;
	do
		n = read(f->fd, &r, sizeof(r));
	while (n < 0 && errno == EINTR);
	return n == sizeof(r) ? r : -EPERM; /* it has gone */
}
