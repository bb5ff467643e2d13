/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* sandbox.c - see sandbox.h. [proc(5)] */
#include "sandbox.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

unsigned long long fbk_task_field(pid_t pid, pid_t tid, const char *name, int base)
{
	char path[64], line[256];
	size_t len = strlen(name);
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
	f = fopen(path, "re");
	if (!f)
		fbk_fail(__FILE__, __LINE__, "%s: %m", path);
	while (!found && fgets(line, sizeof(line), f))
		found = !strncmp(line, name, len) && line[len] == ':';
	fclose(f);
	if (!found)
		fbk_fail(__FILE__, __LINE__, "%s has no line %s", path, name);
	return strtoull(line + len + 1, NULL, base);
}

void fbk_sandbox_threads(struct fbk_guest *g, uid_t uid, unsigned int least)
{
	static const char *const none[] = { "CapInh", "CapPrm", "CapEff", "CapAmb" };
	pid_t pid = fbk_guest_pid(g);
	unsigned int nr = 0;
	struct dirent *e;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	FBK_CHECK(dir);
	while ((e = readdir(dir))) {
		pid_t tid = atoi(e->d_name);

		/* What works for io_uring in the kernel is no thread that makes system calls. */
		if (tid <= 0)
			continue;
		for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
			FBK_CHECK_EQ(fbk_task_field(pid, tid, none[i], 16), 0);
		FBK_CHECK_EQ(fbk_task_field(pid, tid, "Uid", 10), uid);
		FBK_CHECK_EQ(fbk_task_field(pid, tid, "NoNewPrivs", 10), 1);
		FBK_CHECK_EQ(fbk_task_field(pid, tid, "Seccomp", 10), 2);
		nr++;
	}
	closedir(dir);
	if (nr < least)
		fbk_fail(__FILE__, __LINE__, "the monitor has %u threads, not %u", nr, least);
}

bool fbk_sandbox_apart(struct fbk_guest *g, const char *kind)
{
	char path[64], theirs[64], ours[64];
	ssize_t n, m;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", fbk_guest_pid(g), kind);
	n = readlink(path, theirs, sizeof(theirs));
	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	m = readlink(path, ours, sizeof(ours));
	/* A kernel without namespaces of that kind has nothing to be told apart. */
	if (m < 0)
		return true;
	FBK_CHECK(n > 0);
	return n != m || memcmp(theirs, ours, n);
}

void fbk_sandbox_root(struct fbk_guest *g, const char *only)
{
	char path[64];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/root", fbk_guest_pid(g));
	dir = opendir(path);
	FBK_CHECK(dir);
	while ((e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (!only || strcmp(e->d_name, only))
			fbk_fail(__FILE__, __LINE__, "there is %s in the monitor's root folder", e->d_name);
		found = true;
	}
	closedir(dir);
	FBK_CHECK(found == !!only);
}
