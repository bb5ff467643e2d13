// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "log.h"
#include "say.h"
#include "status.h"

#define KEEP 20

static const char panic_mark[] = "Kernel panic - not syncing";

static int is_log(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > 4 && !strcmp(e->d_name + len - 4, ".log");
}

/* names begin with the time, so the oldest come first */
static void rotate(const char *dir)
{
	struct dirent **list;
	int n = scandir(dir, &list, is_log, alphasort);

	for (int i = 0; i < n; i++) {
		if (i <= n - KEEP) {
			char *path = fbk_lab_fmt("%s/%s", dir, list[i]->d_name);

			unlink(path);
			free(path);
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

void fbk_lab_log_open(struct fbk_lab_log *log, const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
	time_t now = time(NULL);
	char stamp[32], *dir;
	struct tm tm;

	*log = (struct fbk_lab_log){ .fd = -1 };
	if (path) {
		log->fd = open(path, flags, 0666);
		if (log->fd < 0)
			fbk_lab_die(FBK_LAB_E_FILE, "cannot write the log '%s': %s", path,
				    strerror(errno));
		log->path = fbk_lab_fmt("%s", path);
		return;
	}
	dir = fbk_lab_fmt("%s/logs", fbk_lab_cache_dir());
	mkdir(dir, 0777);
	rotate(dir);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	log->path = fbk_lab_fmt("%s/%s-%d.log", dir, stamp, (int)getpid());
	log->fd = open(log->path, flags, 0666);
	if (log->fd < 0)
		fbk_lab_say("no log of the kernel console: %s: %s", log->path, strerror(errno));
	free(dir);
}

static void line_done(struct fbk_lab_log *log)
{
	const char *at;

	log->line[log->line_len] = '\0';
	at = strstr(log->line, panic_mark);
	if (at && !log->panicked) {
		at += sizeof(panic_mark) - 1;
		at += strspn(at, ": ");
		snprintf(log->panic, sizeof(log->panic), "%.*s", (int)strcspn(at, "\r\n"), at);
		log->panicked = true;
	}
	log->line_len = 0;
}

void fbk_lab_log_add(struct fbk_lab_log *log, const char *data, size_t len)
{
	for (size_t done = 0; log->fd >= 0 && done < len;) {
		ssize_t n = write(log->fd, data + done, len - done);

		if (n >= 0) {
			done += n;
		} else if (errno != EINTR) {
			fbk_lab_say("the log of the kernel console is cut short: %s: %s", log->path,
				    strerror(errno));
			close(log->fd);
			log->fd = -1;
		}
	}
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n' || log->line_len == sizeof(log->line) - 1)
			line_done(log);
		if (data[i] != '\n')
			log->line[log->line_len++] = data[i];
	}
}
