/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_jail.c - namespaces, an empty root, another user, no capabilities, Landlock: done by a child, and judged by what this
 * machine's kernel then refuses it. Started by root, as root and as a user without privilege.
 */
#include "test.h"

#include "jail.h"
#include "landlock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER 1000
#define NOBODY 65534

static char folder[64];

static const char *in(const char *name)
{
	static char path[4][128];
	static unsigned int next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", folder, name);
	return path[next];
}

static void touch(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	assert_true(fd >= 0 && !fchmod(fd, mode));
	close(fd);
}

static int set_up(void **state)
{
	strcpy(folder, "/tmp/firebreak-jail-XXXXXX");
	return !mkdtemp(folder) || chmod(folder, 0755);
}

static int tear_down(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* In a child, whose failed check is told by its exit status: the line. */
#define CHECK(cond)                     \
	do {                            \
		if (!(cond))            \
			_exit(1 + __LINE__ % 250); \
	} while (0)

static void in_child(const char *what, void (*fn)(void), uid_t uid)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (uid) {
			CHECK(!setgroups(0, NULL) && !setgid(uid) && !setuid(uid));
			/* As after execve: else its own files in /proc are root's. */
			CHECK(!prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
		}
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("%s, user %u: status 0x%x: check in line %d, or that and a multiple of 250", what, uid, status,
			 WEXITSTATUS(status) - 1);
}

/* --- namespaces and the root ------------------------------------------------------------------------------------------ */

static const char resolv[] = "# a comment\nnameserver fe80::1%eth0\nsearch example\nnameserver 192.0.2.1\nnameserver 192.0.2.300\n"
			     "nameserver 198.51.100.7 \n";

static void apart(void)
{
	char text[256];
	struct dirent *e;
	unsigned int found = 0;
	DIR *dir;
	int before = open("/etc/passwd", O_RDONLY), fd;

	CHECK(before >= 0 && if_nametoindex("lo"));
	CHECK(!fbk_jail_namespaces(false));
	CHECK(!fbk_jail_root(resolv));
	dir = opendir("/");
	CHECK(dir);
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			found += strcmp(e->d_name, "etc") ? 100 : 1;
	CHECK(found == 1);
	CHECK(chdir("..") || !access("etc/resolv.conf", F_OK));
	CHECK(open("/etc/passwd", O_RDONLY) < 0 && errno == ENOENT);
	CHECK(mkdir("/x", 0700) && errno == EROFS);
	CHECK(open("/etc/resolv.conf", O_WRONLY) < 0);
	/* What was open stays so. */
	CHECK(read(before, text, 1) == 1);
	fd = open("/etc/resolv.conf", O_RDONLY);
	CHECK(fd >= 0 && read(fd, text, sizeof(text)) == sizeof(resolv) - 1 && !memcmp(text, resolv, sizeof(resolv) - 1));
	fbk_jail_name_servers(text, sizeof(text));
	CHECK(!strcmp(text, "nameserver 192.0.2.1\nnameserver 198.51.100.7\n"));
	fbk_jail_name_servers(text, 30);
	CHECK(!strcmp(text, "nameserver 192.0.2.1\n"));
}

/* A network of its own has nothing but a loopback device that is down. */
static void network(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd;

	CHECK(!fbk_jail_namespaces(false));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno == ENETUNREACH);
}

static void network_kept(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd;

	CHECK(!fbk_jail_namespaces(true));
	CHECK(!fbk_jail_root(NULL));
	CHECK(access("/etc", F_OK) && errno == ENOENT);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

static void namespaces_and_root(void **state)
{
	static const struct {
		const char *what;
		void (*fn)(void);
	} rows[] = { { "apart", apart }, { "network", network }, { "network kept", network_kept } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		in_child(rows[i].what, rows[i].fn, 0);
		if (!geteuid())
			in_child(rows[i].what, rows[i].fn, USER);
	}
}

/* --- the user ---------------------------------------------------------------------------------------------------------- */

static void nothing_left(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	CHECK(!syscall(SYS_capget, &header, data));
	CHECK(!data[0].effective && !data[0].permitted && !data[0].inheritable);
	CHECK(!data[1].effective && !data[1].permitted && !data[1].inheritable);
}

static void gives_root_away(void)
{
	uid_t uid[3];

	CHECK(!fbk_jail_become(NOBODY, NOBODY));
	CHECK(!fbk_jail_drop_capabilities());
	CHECK(!getresuid(&uid[0], &uid[1], &uid[2]) && uid[0] == NOBODY && uid[1] == NOBODY && uid[2] == NOBODY);
	CHECK(getegid() == NOBODY && getgroups(0, NULL) == 0);
	nothing_left();
	CHECK(setuid(0) && errno == EPERM);
	CHECK(open("/etc/shadow", O_RDONLY) < 0);
}

/* Who stays user 0 has no capabilities either, and cannot get any. */
static void gives_capabilities_away(void)
{
	CHECK(!fbk_jail_drop_capabilities());
	nothing_left();
	CHECK(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0);
	CHECK(setuid(0) == 0); /* it is that */
	nothing_left();
	CHECK(chroot("/tmp") && errno == EPERM);
}

static void in_own_namespace(void)
{
	CHECK(!fbk_jail_namespaces(false));
	CHECK(!fbk_jail_drop_capabilities());
	nothing_left();
	CHECK(getuid() == USER);
	CHECK(chroot("/tmp") && errno == EPERM);
}

static void user(void **state)
{
	if (geteuid())
		skip();
	in_child("root given away", gives_root_away, 0);
	in_child("capabilities given away", gives_capabilities_away, 0);
	in_child("capabilities of a namespace given away", in_own_namespace, USER);
}

static void finds_users(void **state)
{
	uid_t uid = 1;
	gid_t gid = 2;
	const struct passwd *nobody = getpwnam("nobody");

	assert_int_equal(fbk_jail_find_user("4711", &uid, &gid), 0);
	assert_int_equal(uid, 4711);
	assert_int_equal(gid, 4711);
	assert_int_equal(fbk_jail_find_user("12:34", &uid, &gid), 0);
	assert_int_equal(uid, 12);
	assert_int_equal(gid, 34);
	assert_non_null(nobody);
	assert_int_equal(fbk_jail_find_user("nobody", &uid, &gid), 0);
	assert_int_equal(uid, nobody->pw_uid);
	assert_int_equal(gid, nobody->pw_gid);

	uid = gid = 7;
	assert_int_equal(fbk_jail_find_user("root", &uid, &gid), -EPERM);
	assert_int_equal(fbk_jail_find_user("0", &uid, &gid), -EPERM);
	assert_int_equal(fbk_jail_find_user("0:5", &uid, &gid), -EPERM);
	assert_int_equal(fbk_jail_find_user("nobody-of-that-name", &uid, &gid), -ENOENT);
	assert_int_equal(fbk_jail_find_user("", &uid, &gid), -ENOENT);
	assert_int_equal(fbk_jail_find_user("-1", &uid, &gid), -ENOENT);
	assert_int_equal(fbk_jail_find_user("1x", &uid, &gid), -EINVAL);
	assert_int_equal(fbk_jail_find_user("1:", &uid, &gid), -EINVAL);
	assert_int_equal(fbk_jail_find_user("1:2:3", &uid, &gid), -EINVAL);
	assert_int_equal(fbk_jail_find_user("1: 2", &uid, &gid), -EINVAL);
	assert_int_equal(fbk_jail_find_user("4294967295", &uid, &gid), -EINVAL);
	assert_int_equal(uid, 7);
	assert_int_equal(gid, 7);
}

static void replaces(void)
{
	static const struct {
		mode_t mode;
		uid_t owner, file; /* of the file there */
		bool can;
	} rows[] = {
		{ 0755, 0, NOBODY, false },  { 0777, 0, 0, true },	 { 01777, 0, 0, false },
		{ 01777, 0, NOBODY, true },  { 0700, NOBODY, 0, true },  { 01777, NOBODY, 0, true },
		{ 0555, NOBODY, 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd;

		CHECK(!mkdir(in("d"), 0700));
		touch(in("d/file"), 0644);
		CHECK(!chown(in("d/file"), rows[i].file, 0) && !chown(in("d"), rows[i].owner, 0) && !chmod(in("d"), rows[i].mode));
		fd = open(in("d"), O_PATH | O_DIRECTORY);
		CHECK(fd >= 0 && fbk_jail_user_replaces(NOBODY, NOBODY, fd, "file") == rows[i].can);
		/* And is as it was. */
		CHECK(!geteuid() && !getegid());
		if (rows[i].mode == 01777 && !rows[i].owner)
			CHECK(fbk_jail_user_replaces(NOBODY, NOBODY, fd, "none"));
		close(fd);
		CHECK(!unlink(in("d/file")) && !rmdir(in("d")));
	}
}

static void user_replaces(void **state)
{
	if (geteuid())
		skip();
	in_child("who replaces files", replaces, 0);
}

/* --- Landlock ------------------------------------------------------------------------------------------------------------ */

static int make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -errno : 0;
}

static void paths(void)
{
	const int version = fbk_landlock_version();
	struct fbk_landlock_grant grant[3];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int open_before, fd;

	touch(in("read"), 0644);
	touch(in("other"), 0644);
	CHECK(!mkdir(in("replace"), 0700) && !mkdir(in("remove"), 0700) && !mkdir(in("none"), 0700));
	touch(in("remove/socket"), 0600);
	touch(in("none/file"), 0600);
	grant[0] = (struct fbk_landlock_grant){ open(in("read"), O_PATH), FBK_LANDLOCK_READ };
	grant[1] = (struct fbk_landlock_grant){ open(in("replace"), O_PATH), FBK_LANDLOCK_REPLACE };
	grant[2] = (struct fbk_landlock_grant){ open(in("remove"), O_PATH), FBK_LANDLOCK_REMOVE };
	open_before = open(in("other"), O_RDWR);
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!fbk_landlock_restrict(grant, 3, false));

	CHECK(open(in("read"), O_RDONLY) >= 0);
	CHECK(open(in("read"), O_RDWR) < 0 && errno == EACCES);
	CHECK(open(in("other"), O_RDONLY) < 0 && errno == EACCES);
	CHECK(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
	CHECK(write(open_before, "x", 1) == 1);

	CHECK(!make(in("replace/a")) && !make(in("replace/b")));
	CHECK(!rename(in("replace/b"), in("replace/a")));
	CHECK(!unlink(in("replace/a")));
	CHECK(mkdir(in("replace/d"), 0700) && errno == EACCES);
	CHECK(symlink("/", in("replace/l")) && errno == EACCES);
	/* Not even through a folder that is open, and its parent. */
	CHECK(openat(grant[1].fd, "../none/file", O_RDONLY) < 0 && errno == EACCES);

	CHECK(make(in("remove/a")) == -EACCES);
	CHECK(!unlink(in("remove/socket")));
	CHECK(make(in("none/a")) == -EACCES);
	CHECK(unlink(in("none/file")) && errno == EACCES);

	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)) && (version < 4 || errno == EACCES));
	to.sin_port = htons(0);
	CHECK(version < 4 || (bind(fd, (struct sockaddr *)&to, sizeof(to)) && errno == EACCES));
	CHECK(version < 6 || (kill(getppid(), 0) && errno == EPERM));
	CHECK(!raise(0));
}

/* A network in user space connects; what it forwards listens already. */
static void connects(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd;

	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!fbk_landlock_restrict(NULL, 0, true));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno == ECONNREFUSED);
}

static void landlock(void **state)
{
	if (!fbk_landlock_version())
		skip();
	in_child("paths", paths, 0);
	in_child("connects", connects, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(namespaces_and_root),
		cmocka_unit_test(user),
		cmocka_unit_test(finds_users),
		cmocka_unit_test_setup_teardown(user_replaces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(landlock, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
