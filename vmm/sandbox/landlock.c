/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* landlock.c - see landlock.h. */
#include "landlock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* [Linux "include/uapi/linux/landlock.h"]; the build machine's headers may have an older one, or none. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define CREATE_VERSION 1
#define RULE_PATH_BENEATH 1

#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_beneath_attr {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

/* How many rights a version knows: 13 at first, then REFER (2), TRUNCATE (3), IOCTL_DEV (5). */
static uint64_t fs_rights(int version)
{
	unsigned int nr = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;

	return (UINT64_C(1) << nr) - 1;
}

static const uint64_t rights[] = {
	[FBK_LANDLOCK_READ] = FS_READ_FILE,
	[FBK_LANDLOCK_REPLACE] = FS_READ_FILE | FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_REG,
	[FBK_LANDLOCK_REMOVE] = FS_REMOVE_FILE,
};

int fbk_landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

	return version > 0 ? (int)version : 0;
}

int fbk_landlock_restrict(const struct fbk_landlock_grant *grant, unsigned int nr, bool connects)
{
	struct ruleset_attr attr = { 0 };
	int version = fbk_landlock_version(), fd, r = 0;

	if (!version)
		return -EOPNOTSUPP;
	attr.fs = fs_rights(version);
	if (version >= 4)
		attr.net = NET_BIND_TCP | (connects ? 0 : NET_CONNECT_TCP);
	if (version >= 6)
		attr.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	/* A kernel that knows less takes what it does not know, as long as it is zero. */
	fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return -errno;
	for (unsigned int i = 0; i < nr && !r; i++) {
		const struct path_beneath_attr beneath = { rights[grant[i].right], grant[i].fd };

		r = syscall(SYS_landlock_add_rule, fd, RULE_PATH_BENEATH, &beneath, 0) ? -errno : 0;
	}
	if (!r && syscall(SYS_landlock_restrict_self, fd, 0))
		r = -errno;
	close(fd);
	return r;
}
