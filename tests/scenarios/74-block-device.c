/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* Disks that are block devices of the host, with sectors of 512 bytes and of 4 KiB, and one that is set read-only. */
#include "internal.h"
#include "stories.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

FBK_SCENARIO("74-block-device", "disks", 20, "host: the bytes and the blocks of the files under its loop devices; guest: /sys/block");

#define FILE_1 "/tmp/firebreak-block-1"
#define FILE_2 "/tmp/firebreak-block-2"
#define DEV_LEN 32

/* @ret_dev: DEV_LEN bytes. Return: a descriptor of the device, which lives as long as somebody has one. */
static int attach(const char *path, unsigned int sector, char *ret_dev)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), file = open(path, O_RDWR | O_CLOEXEC), nr, fd;
	struct loop_config config = { .fd = file, .block_size = sector, .info.lo_flags = LO_FLAGS_AUTOCLEAR };

	nr = ioctl(control, LOOP_CTL_GET_FREE);
	FBK_CHECK(nr >= 0);
	snprintf(ret_dev, DEV_LEN, "/dev/loop%d", nr);
	fd = open(ret_dev, O_RDWR | O_CLOEXEC);
	FBK_CHECK_EQ(ioctl(fd, LOOP_CONFIGURE, &config), 0);
	close(file);
	close(control);
	return fd;
}

static void used(struct fbk_guest *g, const char *dev, const char *file)
{
	struct stat before, after;

	fbk_disk_succeeds(g, dev, "write 8 16 170");
	fbk_disk_succeeds(g, dev, "flush");
	fbk_expect_sectors(file, 8, 24, 170);
	FBK_CHECK_EQ(stat(file, &before), 0);
	fbk_disk_succeeds(g, dev, "discard 64 512");
	fbk_expect_sectors(file, 64, 576, 0);
	FBK_CHECK_EQ(stat(file, &after), 0);
	FBK_CHECK_EQ(before.st_blocks - after.st_blocks, 512);
	fbk_disk_succeeds(g, dev, "zero 600 8");
	fbk_disk_succeeds(g, dev, "flush");
	fbk_expect_sectors(file, 600, 608, 0);
}

static void run(void)
{
	static char dev_1[DEV_LEN], dev_2[DEV_LEN], option[DEV_LEN + 16]; /* as long as the guests */
	char *second[] = { fbk_path_files("firebreak"), "run", "--kernel", fbk_path_files("kernels/newest/Image"), "--disk", dev_1, NULL };
	char text[256];
	const int read_only = 1;
	struct fbk_guest *g;
	int fd_1, fd_2, pid;

	fbk_host_module("loop", "/dev/loop-control");
	fbk_disk_fill(FILE_1);
	fbk_disk_fill(FILE_2);
	fd_1 = attach(FILE_1, 512, dev_1);
	fd_2 = attach(FILE_2, 4096, dev_2);
	snprintf(option, sizeof(option), "%s,queues=2", dev_1);
	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2, .disks = { option, dev_2 } });
	fbk_expect_shown(g, "show /sys/block/vdb/size", " 2048");
	fbk_expect_shown(g, "show /sys/block/vdb/queue/logical_block_size", " 512");
	fbk_expect_shown(g, "show /sys/block/vdc/size", " 2048");
	fbk_expect_shown(g, "show /sys/block/vdc/queue/logical_block_size", " 4096");
	used(g, "/dev/vdb", FILE_1);
	used(g, "/dev/vdc", FILE_2);
	fbk_disk_succeeds(g, "/dev/vdb", "zero 701 3");
	fbk_disk_succeeds(g, "/dev/vdb", "flush");
	fbk_expect_sectors(FILE_1, 701, 704, 0);
	pid = fbk_load_start(g, "/dev/vdb", 1024, 8);
	FBK_CHECK(fbk_load_end(g, pid) > 0);
	pid = fbk_load_start(g, "/dev/vdc", 1024, 8);
	FBK_CHECK(fbk_load_end(g, pid) > 0);
	FBK_CHECK_EQ(fbk_run(second, text, sizeof(text)), 66);
	FBK_CHECK(strstr(text, "in use: another virtual machine"));
	fbk_guest_poweroff(g);

	FBK_CHECK_EQ(ioctl(fd_1, BLKROSET, &read_only), 0);
	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .disks = { dev_1 } });
	fbk_expect_shown(g, "show /sys/block/vdb/ro", " 1");
	FBK_CHECK_EQ(fbk_field(fbk_disk(g, "/dev/vdb read 8 16"), "first"), 170);
	FBK_CHECK_EQ(fbk_field(fbk_disk(g, "/dev/vdb write 8 16 1"), "returned"), (uint64_t)-1);
	fbk_guest_poweroff(g);
	close(fd_1);
	close(fd_2);
	unlink(FILE_1);
	unlink(FILE_2);
}
