/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The same on a host that lets nobody use io_uring: it is told once, and all else is as before. */
#include "stories.h"

#include <fcntl.h>
#include <unistd.h>

FBK_SCENARIO("61-disk-without-io-uring", "disks", 10, FBK_STORY_DISK_ORACLE);

static void run(void)
{
	struct fbk_guest *g;
	int fd = open("/proc/sys/kernel/io_uring_disabled", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		fbk_skip("this kernel's io_uring cannot be switched off");
	FBK_CHECK_EQ(write(fd, "2", 1), 1);
	g = fbk_guest_boot(&(struct fbk_guest_spec)FBK_STORY_DISK_SPEC);
	FBK_CHECK_EQ(pwrite(fd, "0", 1, 0), 1);
	close(fd);
	fbk_story_disk(g, false);
}
