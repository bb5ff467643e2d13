/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fake_disk.h - a folder of files behind the library's table of system calls, that remembers what has really reached the
 * disk. Any call can fail, write only half, or be the last one before the power goes.
 *
 * The pessimist's disk: after a power cut nothing is left but what was synced, and a name is what its folder's last sync
 * said; or, as the disk pleases, some of the rest.
 */
#ifndef FBK_TESTS_FAKE_DISK_H
#define FBK_TESTS_FAKE_DISK_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_FILES 16
#define FAKE_FILE_LEN 65536
#define FAKE_FDS 16

struct fake_file {
	int used, links;
	size_t len, kept_len;
	uint8_t data[FAKE_FILE_LEN], kept[FAKE_FILE_LEN];
};

struct fake_name {
	char name[64]; /* "": free */
	int file;
};

struct fake_disk {
	struct fake_file file[FAKE_FILES];
	struct fake_name name[FAKE_FILES], kept_name[FAKE_FILES];
	struct {
		int open, file; /* file -1: the folder */
		int locked;
	} fd[FAKE_FDS];

	uint32_t nr_calls;
	uint32_t fail_at;    /* the Nth call fails, N from 1 */
	uint32_t fail_until; /* and all up to this one */
	int fail_errno;
	uint32_t half_at; /* the Nth call, if it writes, writes half */
	uint32_t cut_at;  /* the power goes at the Nth call ... */
	int cut_late;	  /* ... after it was done, instead of before; a write is then half done */
	jmp_buf cut;
	void (*on_call)(void *opaque); /* after each one, e.g. to read beside the writer */
	void *opaque;

	int32_t nr_allocs;
};

extern struct fake_disk fake_disk;

void fake_disk_install(void); /* an empty folder */
/* After a power cut: nobody has anything open. @unsynced: what was not synced is there all the same. */
void fake_disk_reboot(int unsynced);
/* After kill -9: nobody has anything open, and the kernel still has what was written. */
void fake_disk_killed(void);
/* Calls are counted anew and none fails. */
void fake_disk_calm(void);
struct fake_file *fake_disk_file(const char *name); /* NULL: none of that name */
struct fake_file *fake_disk_make(const char *name); /* made, and synced as it will be left by fake_disk_sync() */
void fake_disk_sync(void);

#endif
