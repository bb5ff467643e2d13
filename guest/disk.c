/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * disk - a program that uses a disk past the page cache.
 *
 * usage: disk DEVICE write SECTOR SECTORS BYTE   "wrote returned=.. errno=.."
 *        disk DEVICE read SECTOR SECTORS         "read returned=.. errno=.. first=.. same=0|1": all bytes as the first?
 *        disk DEVICE flush                       "flush returned=.. errno=.."
 *        disk DEVICE discard SECTOR SECTORS      "discard returned=.. errno=..": the ioctl
 *        disk DEVICE zero SECTOR SECTORS         "zero returned=.. errno=..": likewise
 *        disk DEVICE load SECTOR THREADS         until SIGTERM; "load", then "loaded operations=.. wrong=.. failed=.."
 *
 * The load: each thread has eight sectors from SECTOR on for itself, and a page of memory; it writes the page, reads it again and
 * compares. Exit status: 0, or 70: the program could not do its part.
 */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PAGE 4096ul
#define SECTOR 512ul
#define MAX_LEN (1ul << 20)

static int fd;
static uint8_t buf[MAX_LEN] __attribute__((aligned(PAGE)));

static void say_result(const char *what, ssize_t n, bool more)
{
	struct fbk_line l;
	int err = errno;
	bool same = true;

	fbk_line_start(&l);
	fbk_line_text(&l, what);
	fbk_line_dec(&l, "returned", n);
	fbk_line_dec(&l, "errno", n < 0 ? err : 0);
	if (more && n > 0) {
		for (ssize_t i = 1; i < n; i++)
			same = same && buf[i] == buf[0];
		fbk_line_dec(&l, "first", buf[0]);
		fbk_line_dec(&l, "same", same);
	}
	fbk_line_say(&l);
}

/* --- load ---------------------------------------------------------------------------------------------------------- */

static struct worker {
	pthread_t thread;
	off_t at;
	unsigned int seed;
	unsigned long operations, wrong, failed;
} worker[16];

static atomic_bool ended;

static void *work(void *arg)
{
	struct worker *w = arg;
	uint8_t *page = aligned_alloc(PAGE, 2 * PAGE);

	if (!page)
		fbk_die("memory");
	while (!atomic_load(&ended)) {
		for (size_t i = 0; i < PAGE; i++)
			page[i] = i * 7 + w->seed + w->operations;
		if (pwrite(fd, page, PAGE, w->at) != (ssize_t)PAGE || pread(fd, page + PAGE, PAGE, w->at) != (ssize_t)PAGE)
			w->failed++;
		else if (memcmp(page, page + PAGE, PAGE))
			w->wrong++;
		w->operations++;
	}
	return NULL;
}

static void load(off_t at, unsigned int threads)
{
	unsigned long operations = 0, wrong = 0, failed = 0;
	struct fbk_line l;
	sigset_t set;
	int sig;

	if (threads > sizeof(worker) / sizeof(worker[0])) {
		errno = EINVAL;
		fbk_die("threads");
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (unsigned int i = 0; i < threads; i++) {
		worker[i].at = at + (off_t)(i * PAGE);
		worker[i].seed = i;
		errno = pthread_create(&worker[i].thread, NULL, work, &worker[i]);
		if (errno)
			fbk_die("pthread_create");
	}
	fbk_say("load");
	sigwait(&set, &sig);
	atomic_store(&ended, true);
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(worker[i].thread, NULL);
		operations += worker[i].operations;
		wrong += worker[i].wrong;
		failed += worker[i].failed;
	}
	fbk_line_start(&l);
	fbk_line_text(&l, "loaded");
	fbk_line_dec(&l, "operations", (int64_t)operations);
	fbk_line_dec(&l, "wrong", (int64_t)wrong);
	fbk_line_dec(&l, "failed", (int64_t)failed);
	fbk_line_say(&l);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	uint64_t range[2] = { argc > 3 ? strtoull(argv[3], NULL, 0) * SECTOR : 0, argc > 4 ? strtoull(argv[4], NULL, 0) * SECTOR : 0 };

	fbk_say_open("disk");
	fd = argc > 1 ? open(argv[1], O_RDWR | O_DIRECT | O_CLOEXEC) : -1;
	if (fd < 0 && argc > 1 && (errno == EROFS || errno == EACCES))
		fd = open(argv[1], O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		fbk_die("open");
	if (!strcmp(what, "load") && argc == 5) {
		load((off_t)range[0], (unsigned int)(range[1] / SECTOR));
		return 0;
	}
	if (range[1] > MAX_LEN && (!strcmp(what, "write") || !strcmp(what, "read"))) {
		errno = EINVAL;
		fbk_die("length");
	}
	if (!strcmp(what, "write") && argc == 6) {
		memset(buf, atoi(argv[5]), range[1]);
		say_result("wrote", pwrite(fd, buf, range[1], (off_t)range[0]), false);
	} else if (!strcmp(what, "read") && argc == 5) {
		say_result("read", pread(fd, buf, range[1], (off_t)range[0]), true);
	} else if (!strcmp(what, "flush")) {
		say_result("flush", fsync(fd), false);
	} else if (!strcmp(what, "discard") && argc == 5) {
		say_result("discard", ioctl(fd, BLKDISCARD, range), false);
	} else if (!strcmp(what, "zero") && argc == 5) {
		say_result("zero", ioctl(fd, BLKZEROOUT, range), false);
	} else {
		errno = EINVAL;
		fbk_die("usage");
	}
	return 0;
}
