/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* jail.c - see jail.h. */
#include "jail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- namespaces ------------------------------------------------------------------------------------------------------ */

static int put(int dirfd, const char *path, int flags, const char *text, size_t len)
{
	int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0444), r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		r = -errno;
	close(fd);
	return r;
}

/* [user_namespaces(7)]: who maps itself alone must give up changing its groups first. */
static int map_self(uid_t uid, gid_t gid)
{
	char text[32];
	int r = put(AT_FDCWD, "/proc/self/setgroups", 0, "deny", 4);

	if (!r)
		r = put(AT_FDCWD, "/proc/self/uid_map", 0, text, sprintf(text, "%u %u 1", uid, uid));
	if (!r)
		r = put(AT_FDCWD, "/proc/self/gid_map", 0, text, sprintf(text, "%u %u 1", gid, gid));
	return r;
}

/* A kernel that has no namespaces of a kind refuses all that are asked for with it. */
static int wanted(bool keep_network)
{
	static const struct {
		const char *path;
		int flag;
	} kinds[] = {
		{ "/proc/self/ns/ipc", CLONE_NEWIPC }, { "/proc/self/ns/uts", CLONE_NEWUTS }, { "/proc/self/ns/net", CLONE_NEWNET },
	};
	int flags = CLONE_NEWNS;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((kinds[i].flag != CLONE_NEWNET || !keep_network) && !access(kinds[i].path, F_OK))
			flags |= kinds[i].flag;
	return flags;
}

static int leave(int flags)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (!unshare(flags))
		return 0;
	if (errno != EPERM || !uid || unshare(flags | CLONE_NEWUSER))
		return -errno;
	return map_self(uid, gid);
}

int fbk_jail_namespaces(bool keep_network)
{
	return leave(wanted(keep_network));
}

int fbk_jail_pid_namespace(void)
{
	return leave(CLONE_NEWPID);
}

/* [user_namespaces(7)] */
const char *fbk_jail_why_not(int err)
{
	switch (err) {
	case -ENOSPC:
		return "the host allows no more of them (sysctl user.max_user_namespaces)";
	case -EPERM:
		return "this user may not have them (sysctl kernel.unprivileged_userns_clone, or a security module)";
	case -EINVAL:
		return "this kernel has none";
	default:
		return strerror(-err);
	}
}

/* --- the root --------------------------------------------------------------------------------------------------------- */

/* A file system of our own, mounted where any folder is; nobody else sees it there. Return: 0: and we are in it. */
static int enter_empty(void)
{
	static const char *const where[] = { "/tmp", "/run", "/dev", "/proc", "/sys", "/etc" };
	int r = -ENOENT;

	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		if (!mount("tmpfs", where[i], "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,nr_inodes=8,mode=555"))
			return chdir(where[i]) ? -errno : 0;
		r = -errno;
	}
	return r;
}

static int fill(const char *resolv_conf)
{
	if (!resolv_conf)
		return 0;
	if (mkdir("etc", 0555))
		return -errno;
	return put(AT_FDCWD, "etc/resolv.conf", O_CREAT | O_EXCL, resolv_conf, strlen(resolv_conf));
}

/* Where the root is the kernel's first one (an initial RAM disk), it cannot be moved away: it is covered. */
static int take_its_place(void)
{
	if (!syscall(SYS_pivot_root, ".", "."))
		return umount2(".", MNT_DETACH) ? -errno : 0;
	if (errno != EINVAL)
		return -errno;
	return mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") ? -errno : 0;
}

int fbk_jail_root(const char *resolv_conf)
{
	int r;

	/* What is mounted here is mounted for nobody else. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	r = enter_empty();
	if (!r)
		r = fill(resolv_conf);
	if (!r && mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		r = -errno;
	if (!r)
		r = take_its_place();
	if (!r && chdir("/"))
		r = -errno;
	return r;
}

void fbk_jail_name_servers(char *ret, size_t len)
{
	FILE *f = fopen("/etc/resolv.conf", "re");
	char line[256], address[64];
	struct in_addr in;
	size_t at = 0;

	ret[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "nameserver %63s", address) != 1 || inet_pton(AF_INET, address, &in) != 1)
			continue;
		if (at + strlen(address) + sizeof("nameserver \n") > len)
			break;
		at += sprintf(ret + at, "nameserver %s\n", address);
	}
	if (f)
		fclose(f);
}

/* --- the user --------------------------------------------------------------------------------------------------------- */

static int parse_id(const char *s, char end, const char **ret_end, uint32_t *ret)
{
	char *stop;
	unsigned long val;

	errno = 0;
	val = strtoul(s, &stop, 10);
	if (errno || stop == s || *s < '0' || *s > '9' || val >= UINT32_MAX || (*stop && *stop != end))
		return -EINVAL;
	*ret_end = stop;
	*ret = val;
	return 0;
}

static int by_name(const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *p;
	int r = -ENOENT;

	if (!f)
		return -ENOENT;
	/* The file alone: what else may know of users would need libraries that a static program has not. */
	while (r && (p = fgetpwent(f))) {
		if (strcmp(p->pw_name, name))
			continue;
		*ret_uid = p->pw_uid;
		*ret_gid = p->pw_gid;
		r = 0;
	}
	fclose(f);
	return r;
}

int fbk_jail_find_user(const char *text, uid_t *ret_uid, gid_t *ret_gid)
{
	const char *end;
	uid_t uid;
	gid_t gid;
	int r;

	if (text[0] >= '0' && text[0] <= '9') {
		r = parse_id(text, ':', &end, &uid);
		gid = uid;
		if (!r && *end)
			r = parse_id(end + 1, '\0', &end, &gid);
	} else {
		r = by_name(text, &uid, &gid);
	}
	if (r)
		return r;
	if (!uid)
		return -EPERM;
	*ret_uid = uid;
	*ret_gid = gid;
	return 0;
}

bool fbk_jail_user_replaces(uid_t uid, gid_t gid, int dirfd, const char *name)
{
	struct stat dir, file;
	bool can = !setgroups(0, NULL) && !setegid(gid) && !seteuid(uid) && !faccessat(dirfd, ".", W_OK | X_OK, AT_EACCESS);

	if (seteuid(0) || setegid(0))
		return false;
	/* In a folder like /tmp a file is its owner's to replace. */
	if (can && !fstatat(dirfd, ".", &dir, 0) && (dir.st_mode & S_ISVTX) && dir.st_uid != uid)
		can = fstatat(dirfd, name, &file, AT_SYMLINK_NOFOLLOW) ? errno == ENOENT : file.st_uid == uid;
	return can;
}

int fbk_jail_become(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

int fbk_jail_keep_only(int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	data[CAP_TO_INDEX(cap)].permitted = data[CAP_TO_INDEX(cap)].effective = CAP_TO_MASK(cap);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

int fbk_jail_drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	/* Who may not has nothing to gain by it: no program is executed any more. */
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL)
		return -errno;
	return syscall(SYS_capset, &header, none) ? -errno : 0;
}
