/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The guest takes its driver off a disk that is in use, and puts it back: what was written is there, and the disk works. */
#include "harness.h"

#include <string.h>

FBK_SCENARIO("63-disk-unbound", "disks", 10, "guest: /sys/block, bytes read; the monitor ends with status 0");

#define DRIVER "/sys/bus/virtio/drivers/virtio_blk/"

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2, .disks = { ",queues=2" } });
	const char *line;
	int pid;

	fbk_disk(g, "/dev/vdb write 256 8 17");
	for (int round = 0; round < 3; round++) {
		pid = fbk_load_start(g, "/dev/vdb", 512, 8);
		/* The rng is virtio0, vda virtio1. */
		fbk_guest_send(g, "write " DRIVER "unbind virtio2");
		fbk_guest_send(g, "list /sys/block");
		line = fbk_guest_expect(g, 60, "init[1]: list /sys/block");
		FBK_CHECK(!strstr(line, "vdb") && strstr(line, "vda"));
		/* Its requests fail for want of a disk. */
		fbk_guest_send(g, "kill %d 9", pid);
		fbk_guest_expect(g, 60, "init[1]: exit pid=%d ", pid);
		fbk_guest_send(g, "write " DRIVER "bind virtio2");
		fbk_guest_sync(g);
		line = fbk_disk(g, "/dev/vdb read 256 8");
		FBK_CHECK_EQ(fbk_field(line, "returned"), 4096);
		FBK_CHECK_EQ(fbk_field(line, "first"), 17);
		FBK_CHECK_EQ(fbk_field(line, "same"), 1);
		pid = fbk_load_start(g, "/dev/vdb", 512, 8);
		FBK_CHECK(fbk_load_end(g, pid) > 0);
	}
	fbk_guest_poweroff(g);
}
