/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fake_mem.h - a process's page tables behind the library's table of system calls about memory: which frame is where, what
 * was given back, and what somebody who touches an address would find. The Nth call can be made to fail.
 */
#ifndef FBK_TESTS_FAKE_MEM_H
#define FBK_TESTS_FAKE_MEM_H

#include <stdint.h>

#define FAKE_UFFD 300
#define FAKE_PAGEMAP 301
#define FAKE_OFFLINE 302

/* What an access finds. */
enum fake_sight {
	FAKE_FRAME,  /* the frame that was there from the start */
	FAKE_ZEROS,  /* another page, or one yet to come */
	FAKE_POISON, /* SIGBUS */
	FAKE_HELD,   /* no page, and none comes: EFAULT */
};

struct fake_mem {
	/* what the host offers */
	int no_uffd, no_poison, no_minor, no_root, not_permitted, host_busy;
	int no_huge;	/* the pool of huge pages is empty */
	int false_huge; /* or has none but a bad one, which counts as free */
	long page_size;

	/* the Nth of all calls fails, N from 1, or all from the Nth on; 0: none does */
	uint32_t nr_calls, fail_at;
	int fail_on, fail_errno;

	uint32_t nr_given_back; /* frames of guest RAM that nobody holds any more, and the kernel was not told of */
	uint32_t nr_offline;
	int nr_fds, nr_maps;	/* live ones */
};

extern struct fake_mem fake_mem;

/* @file: guest RAM is a file's. RAM is @len bytes from @ram, all of it there. */
void fake_mem_install(void *ram, uint64_t len, int file);
enum fake_sight fake_mem_look(const void *at);
/* The host finds what is there bad: the frames are its own, and whoever touches them gets a signal. */
void fake_mem_break(const void *at, uint64_t len);
/* Where the frame is that was at @at at the start; NULL: nowhere. */
void *fake_mem_whereabouts(const void *at);
/* Can what is there be read, by whatever may: a core dump, a child, swap? */
int fake_mem_hidden(const void *at);
/* Is it registered with the userfaultfd? */
int fake_mem_watched(const void *at);

#endif
