/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* policy.c - see policy.h */
#include "policy.h"
#include "exit.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Errors: negative errno; -EFBIG more than @len bytes. Return: how many there were. */
static ssize_t read_whole(int fd, char *buf, size_t len)
{
	size_t n = 0;
	ssize_t r;

	while (n < len) {
		r = read(fd, buf + n, len - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			return (ssize_t)n;
		n += (size_t)r;
	}
	return -EFBIG;
}

int fbk_policy_load(const char *what, const char *path, struct fbk_policy *ret)
{
	static char text[FBK_POLICY_FILE_MAX + 1];
	struct fbk_policy_error wrong;
	struct stat st;
	ssize_t n;
	/* Without O_NONBLOCK a FIFO would hold us here until somebody writes to it. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		fbk_say("%s %s: %s", what, path, strerror(errno));
		return FBK_EXIT_INPUT;
	}
	if (fstat(fd, &st))
		n = -errno;
	else if (!S_ISREG(st.st_mode))
		n = -EINVAL;
	else
		n = read_whole(fd, text, sizeof(text));
	close(fd);
	if (n == -EINVAL)
		fbk_say("%s %s: not a regular file", what, path);
	else if (n == -EFBIG)
		fbk_say("%s %s: longer than %d bytes", what, path, FBK_POLICY_FILE_MAX);
	else if (n < 0)
		fbk_say("%s %s: %s", what, path, strerror((int)-n));
	else if (fbk_policy_parse(text, (size_t)n, ret, &wrong))
		fbk_say("%s %s:%u:%u: %s", what, path, wrong.line, wrong.column, wrong.text);
	else
		return 0;
	return FBK_EXIT_INPUT;
}
