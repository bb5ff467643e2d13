/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
#include "stories.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fbk_story(const struct fbk_guest_spec *spec)
{
	struct fbk_guest *g = fbk_guest_get(spec);
	int pid = fbk_bystander_start(g);
	struct fbk_victim v;
	uint64_t gpa;
	long reads;

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);

	fbk_victim_start(&v, g, "remap");
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	fbk_victim_told(&v);
	fbk_victim_lives(&v);

	fbk_victim_start(&v, g, "clean 10");
	fbk_inject(g, v.gpa, "");
	reads = fbk_guest_reads(g);
	fbk_victim_go(&v);
	fbk_victim_lives(&v);
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: SIGBUS", v.pid));
	FBK_CHECK_EQ(fbk_guest_reads(g), reads + 1);

	fbk_guest_send(g, "free");
	gpa = fbk_field(fbk_guest_expect(g, 60, "init[1]: free"), "gpa");
	fbk_host_poison(g, gpa);
	fbk_guest_expect_isolated(g, gpa);
	fbk_bystander_end(g, pid);
}

void fbk_story_two_at_once(const struct fbk_guest_spec *spec)
{
	struct fbk_guest *g = fbk_guest_get(spec);
	long before = fbk_guest_meminfo(g, "HardwareCorrupted");
	struct fbk_victim v;
	size_t i;

	fbk_victim_start(&v, g, "threads 4");
	for (i = 0; i < v.nr_pages; i++)
		fbk_inject(g, v.page[i], "");
	fbk_victim_go(&v);
	fbk_victim_lives(&v);
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), before + 4 * (long)v.nr_pages);
}

static int byte_at(const char *path, off_t at)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t b;

	if (fd < 0 || pread(fd, &b, 1, at) != 1)
		fbk_fail(__FILE__, __LINE__, "%s: %m", path);
	close(fd);
	return b;
}

void fbk_expect_sectors(const char *path, unsigned int first, unsigned int behind, int byte)
{
	FBK_CHECK(byte_at(path, 512 * first - 1) != byte);
	for (unsigned int i = first; i < behind; i++) {
		FBK_CHECK_EQ(byte_at(path, 512 * i), byte);
		FBK_CHECK_EQ(byte_at(path, 512 * i + 511), byte);
	}
	FBK_CHECK(byte_at(path, 512 * behind) != byte);
}

void fbk_expect_shown(struct fbk_guest *g, const char *command, const char *shows)
{
	const char *line;

	fbk_guest_send(g, "%s", command);
	line = strstr(fbk_guest_expect(g, 60, "init[1]: %s", command), command) + strlen(command);
	if (strlen(shows) != strcspn(line, "\r\n") || strncmp(line, shows, strlen(shows)))
		fbk_fail(__FILE__, __LINE__, "%s: not%s but%s", command, shows, line);
}

void fbk_disk_succeeds(struct fbk_guest *g, const char *device, const char *words)
{
	FBK_CHECK_EQ((int64_t)fbk_field(fbk_disk(g, "%s %s", device, words), "returned") < 0, 0);
}

void fbk_story_disk(struct fbk_guest *g, bool uring)
{
	const char *b = fbk_guest_disk(g, 1), *c = fbk_guest_disk(g, 2), *line;
	struct stat before, after;
	int pid;

	FBK_CHECK_EQ(fbk_guest_has_uring(g), uring);
	FBK_CHECK_EQ(fbk_guest_monitor_said(g, "io_uring: "), !uring);
	fbk_guest_send(g, "list /sys/block/vdb/mq");
	line = fbk_guest_expect(g, 60, "init[1]: list /sys/block/vdb/mq");
	line = strstr(line, "/mq") + strlen("/mq");
	FBK_CHECK(strcspn(line, "\r\n") == 4 && strstr(line, " 0") && strstr(line, " 1"));
	fbk_expect_shown(g, "list /sys/block/vdc/mq", " 0");
	fbk_expect_shown(g, "show /sys/block/vdb/serial", " firebreak-1");
	fbk_expect_shown(g, "show /sys/block/vdc/serial", " firebreak-2");
	fbk_expect_shown(g, "show /sys/block/vdb/ro", " 0");
	fbk_expect_shown(g, "show /sys/block/vdc/ro", " 1");
	fbk_expect_shown(g, "show /sys/block/vdb/queue/write_cache", " write back");
	fbk_expect_shown(g, "show /sys/block/vdb/queue/discard_max_bytes", " 268435456");
	fbk_expect_shown(g, "show /sys/block/vdb/queue/write_zeroes_max_bytes", " 268435456");
	fbk_expect_shown(g, "show /sys/block/vdc/queue/discard_max_bytes", " 0");

	fbk_disk_succeeds(g, "/dev/vdb", "write 8 16 170");
	fbk_disk_succeeds(g, "/dev/vdb", "flush");
	fbk_expect_sectors(b, 8, 24, 170);
	FBK_CHECK_EQ(stat(b, &before), 0);
	fbk_disk_succeeds(g, "/dev/vdb", "discard 64 512");
	fbk_expect_sectors(b, 64, 576, 0);
	FBK_CHECK_EQ(stat(b, &after), 0);
	FBK_CHECK_EQ(before.st_blocks - after.st_blocks, 512);
	fbk_disk_succeeds(g, "/dev/vdb", "zero 601 3");
	fbk_expect_sectors(b, 601, 604, 0);
	line = fbk_disk(g, "/dev/vdb read 601 3");
	FBK_CHECK_EQ(fbk_field(line, "first"), 0);
	FBK_CHECK_EQ(fbk_field(line, "same"), 1);
	FBK_CHECK_EQ(stat(b, &after), 0);
	FBK_CHECK_EQ(after.st_size, FBK_DISK_LEN);

	line = fbk_disk(g, "/dev/vdc read 0 8");
	FBK_CHECK_EQ(fbk_field(line, "first"), FBK_DISK_BYTE);
	FBK_CHECK_EQ(fbk_field(line, "same"), 1);
	FBK_CHECK_EQ(fbk_field(fbk_disk(g, "/dev/vdc write 0 8 1"), "returned"), (uint64_t)-1);
	FBK_CHECK_EQ(fbk_field(fbk_disk(g, "/dev/vdc discard 0 8"), "returned"), (uint64_t)-1);
	FBK_CHECK_EQ(byte_at(c, 0), FBK_DISK_BYTE);

	pid = fbk_load_start(g, "/dev/vdb", 1024, 8);
	FBK_CHECK_EQ(fbk_field(fbk_disk(g, "/dev/vdb read 8 16"), "first"), 170);
	FBK_CHECK(fbk_load_end(g, pid) > 0);
	fbk_guest_poweroff(g);
}
