/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* silence.c - what the host's kernel sees of a guest that does not say what it should: does it run, and where? */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define TRACING "/sys/kernel/tracing/"
#define WATCH_US 200000
#define TOLD 12 /* lines of the guest's vCPUs in the log of the scenario; all of them are in the file */

static int put(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r = 0;

	if (fd < 0 || write(fd, word, strlen(word)) < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

/* The first line of a file. */
static bool get(const char *path, char *ret, int len)
{
	FILE *f = fopen(path, "re");
	bool there = f && fgets(ret, len, f);

	if (there)
		ret[strcspn(ret, "\n")] = '\0';
	if (f)
		fclose(f);
	return there;
}

static bool is_thread_of(pid_t pid, const char *line)
{
	const char *dash = strstr(line, "vcpu");
	char path[64];
	int tid;

	dash = dash ? strchr(dash, '-') : NULL;
	if (!dash || sscanf(dash, "-%d", &tid) != 1)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, tid);
	return !access(path, F_OK);
}

static void tell_threads(pid_t pid)
{
	char path[64], name[32] = "", call[128] = "";
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/comm", pid, e->d_name);
		if (!get(path, name, sizeof(name)))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/syscall", pid, e->d_name);
		get(path, call, sizeof(call));
		fbk_note("thread %.16s %s: system call %s", e->d_name, name, call);
	}
	if (dir)
		closedir(dir);
}

void fbk_silence_tell(unsigned int id, pid_t pid)
{
	unsigned int told = 0, nr = 0;
	char line[512];
	FILE *from, *to;
	int r;

	tell_threads(pid);
	mount("tracefs", TRACING, "tracefs", 0, NULL); /* it may be there already */
	put(TRACING "trace", "");
	r = put(TRACING "events/kvm/enable", "1");
	if (r) {
		fbk_note("KVM's events cannot be traced here: %s", strerror(-r));
		return;
	}
	usleep(WATCH_US);
	put(TRACING "events/kvm/enable", "0");
	from = fopen(TRACING "trace", "re");
	to = fopen(fbk_path_out("guest-%u.trace", id), "we");
	while (from && fgets(line, sizeof(line), from)) {
		if (to)
			fputs(line, to);
		if (!is_thread_of(pid, line))
			continue;
		nr++;
		line[strcspn(line, "\n")] = '\0';
		if (told++ < TOLD)
			fbk_note("%s", line);
	}
	fbk_note("KVM's events of guest-%u's vCPUs within %d ms: %u", id, WATCH_US / 1000, nr);
	if (from)
		fclose(from);
	if (to)
		fclose(to);
}
