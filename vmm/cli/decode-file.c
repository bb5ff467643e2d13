/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* decode-file.c - see decode.h */
#include "decode.h"
#include "exit.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int fbk_decode_refuse(const char *what, const char *path, const char *why)
{
	fbk_say("decode %s %.200s: %s", what, path, why);
	return FBK_EXIT_INPUT;
}

int fbk_decode_open(const char *what, const char *path)
{
	struct stat st;
	int fd;

	if (!strcmp(path, "-"))
		return STDIN_FILENO;
	/* A FIFO without a writer must not hold us. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		fbk_decode_refuse(what, path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		fbk_decode_refuse(what, path,
				  S_ISDIR(st.st_mode) ? "is a directory" : "is no regular file; standard input is read as -");
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}
