// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * See module.h.
 */
#include "module.h"
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int device = -1;

int inject_arm(struct sea_inject_arm *arm)
{
	return ioctl(device, SEA_INJECT_ARM, arm) ? -errno : 0;
}

int inject_disarm(struct sea_inject_disarm *dis)
{
	return ioctl(device, SEA_INJECT_DISARM, dis) ? -errno : 0;
}

void inject_disarm_all(void)
{
	struct sea_inject_disarm dis = { .size = sizeof(dis) };
	int err = inject_disarm(&dis);

	if (err)
		bail("cannot disarm: %s", strerror(-err));
}

void inject_disarm_all_quiet(void)
{
	struct sea_inject_disarm dis = { .size = sizeof(dis) };

	(void)inject_disarm(&dis);
}

void arm_gpa(uint64_t gpa, uint32_t kind, uint32_t flags, uint32_t set, uint64_t hits)
{
	struct sea_inject_arm arm = {
		.size = sizeof(arm),
		.by = SEA_INJECT_BY_GPA,
		.addr = gpa,
		.pid = getpid(),
		.kind = kind,
		.flags = flags,
		.set = set,
		.hits = hits,
	};
	int err = inject_arm(&arm);

	if (err)
		bail("cannot arm 0x%llx: %s", (unsigned long long)gpa, strerror(-err));
}

/* The module's state as one string, in a buffer that the next call overwrites. */
static const char *state_read(void)
{
	static char text[1 << 20];
	size_t n = 0;
	ssize_t got;
	int fd = open(SEA_INJECT_DEVICE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		bail("cannot open %s: %s", SEA_INJECT_DEVICE, strerror(errno));
	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += got;
	if (got < 0)
		bail("cannot read %s: %s", SEA_INJECT_DEVICE, strerror(errno));
	close(fd);
	text[n] = '\0';
	return text;
}

uint64_t inject_state(const char *name)
{
	const char *line = state_read();

	for (; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ' ')
			return strtoull(line + strlen(name) + 1, NULL, 10);
	bail("no '%s' in the module's state", name);
}

static bool line_has_words(const char *line, const char *words)
{
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		const char *at = strstr(line, w);

		if (!at || (at[strlen(w)] && !strchr(" \n", at[strlen(w)])))
			return false;
	}
	return true;
}

bool inject_lists(const char *words)
{
	char *text = strdup(state_read()), *save = NULL;
	bool found = false;

	for (char *l = strtok_r(text, "\n", &save); l && !found; l = strtok_r(NULL, "\n", &save))
		found = !strncmp(l, "page ", 5) && line_has_words(l, words);
	free(text);
	return found;
}

static void device_open(void)
{
	device = open(SEA_INJECT_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		bail("cannot open %s: %s", SEA_INJECT_DEVICE, strerror(errno));
}

void module_insert(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		bail("cannot open %s: %s", path, strerror(errno));
	if (syscall(SYS_finit_module, fd, "", 0))
		bail("cannot insert %s: %s", path, strerror(errno));
	close(fd);
	device_open();
}

/* 0 or -errno. */
int module_remove(void)
{
	close(device);
	device = -1;
	return syscall(SYS_delete_module, "sea_inject", O_NONBLOCK) ? -errno : 0;
}
