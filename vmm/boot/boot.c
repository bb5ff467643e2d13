/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* boot.c - see boot.h */
#include "boot.h"
#include "exit.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(struct fbk_boot_file *f, const char *what, const char *path)
{
	struct stat st;

	f->what = what;
	f->path = path;
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st)) {
		fbk_say("%s %s: %s", what, path, strerror(errno));
		return FBK_EXIT_INPUT;
	}
	if (!S_ISREG(st.st_mode)) {
		fbk_say("%s %s: not a regular file", what, path);
		return FBK_EXIT_INPUT;
	}
	if (!st.st_size) {
		fbk_say("%s %s: is empty", what, path);
		return FBK_EXIT_INPUT;
	}
	f->len = st.st_size;
	return 0;
}

int fbk_boot_open(struct fbk_boot *b, const char *kernel, const char *initrd)
{
	uint8_t head[FBK_IMAGE_HEADER_LEN];
	const char *why;
	ssize_t n;
	int r;

	r = open_file(&b->kernel, "kernel", kernel);
	if (r)
		return r;
	n = pread(b->kernel.fd, head, sizeof(head), 0);
	if (n < 0) {
		fbk_say("kernel %s: %s", kernel, strerror(errno));
		return FBK_EXIT_INPUT;
	}
	if (fbk_image_parse(head, n, b->kernel.len, &b->image, &why)) {
		fbk_say("kernel %s: %s", kernel, why);
		return FBK_EXIT_INPUT;
	}
	return initrd ? open_file(&b->initrd, "initrd", initrd) : 0;
}

static int load_file(const struct fbk_boot_file *f, const struct fbk_gmem *gmem, struct fbk_gpa at)
{
	uint64_t done = 0;
	void *to;

	if (fbk_gmem_ptr(gmem, at, f->len, &to)) {
		fbk_say("%s %s: does not fit into guest memory", f->what, f->path);
		return FBK_EXIT_INPUT;
	}
	while (done < f->len) {
		ssize_t n = pread(f->fd, (char *)to + done, f->len - done, done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			fbk_say("%s %s: reading at byte %llu: %s", f->what, f->path, (unsigned long long)done,
				n ? strerror(errno) : "it became shorter while it was read");
			return FBK_EXIT_INPUT;
		}
		done += n;
	}
	return 0;
}

int fbk_boot_load(const struct fbk_boot *b, const struct fbk_gmem *gmem, const struct fbk_placement *at)
{
	int r = load_file(&b->kernel, gmem, at->kernel);

	if (!r && b->initrd.len)
		r = load_file(&b->initrd, gmem, at->initrd);
	return r;
}
