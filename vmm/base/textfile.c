/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* textfile.c - see textfile.h */
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Errors: negative errno; -EFBIG more than @max bytes. Return: how many there were. */
static ssize_t read_whole(int fd, char *buf, size_t max)
{
	size_t n = 0;
	ssize_t r;
	char more;

	for (;;) {
		r = read(fd, n < max ? buf + n : &more, n < max ? max - n : 1);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			return (ssize_t)n;
		if (n == max)
			return -EFBIG;
		n += (size_t)r;
	}
}

ssize_t fbk_textfile_read(const char *path, char *buf, size_t max, char *why, size_t why_len)
{
	struct stat st;
	ssize_t n;
	/* Without O_NONBLOCK a FIFO would hold us here until somebody writes to it. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		n = -errno;
	} else {
		if (fstat(fd, &st))
			n = -errno;
		else if (!S_ISREG(st.st_mode))
			n = -EINVAL;
		else
			n = read_whole(fd, buf, max);
		close(fd);
	}
	if (n == -EINVAL)
		snprintf(why, why_len, "not a regular file");
	else if (n == -EFBIG)
		snprintf(why, why_len, "longer than %zu bytes", max);
	else if (n < 0)
		snprintf(why, why_len, "%s", strerror((int)-n));
	return n;
}
