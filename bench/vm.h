/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * vm.h - a virtual machine as a child process that is measured from outside: whose monitor it is does not matter here.
 *
 * Its console is the monitor's standard input and output. Every function ends the process with a message when something
 * is not as expected: a benchmark with a hole in it is worth nothing.
 */
#ifndef FBK_BENCH_VM_H
#define FBK_BENCH_VM_H

#include <stdio.h>
#include <sys/types.h>

struct vm {
	pid_t pid;
	FILE *in, *out;
	double began;
};

double vm_now(void); /* Units: seconds */
void __attribute__((noreturn)) vm_die(const char *what); /* errno says why, if it is not 0 */

/* @argv: ends with NULL; argv[0] is the path. Standard error stays the caller's. */
void vm_start(struct vm *vm, const char *const argv[]);

/* The next line that starts with @what: borrowed until the next call. A line that starts with "failed" is the end. */
char *vm_line(struct vm *vm, const char *what);

void vm_say(struct vm *vm, const char *line);

/* Until the guest has powered off and its monitor has ended with status 0. */
void vm_end(struct vm *vm);

/*
 * Resident memory in kB of the monitor and its children, what they share counted once for each: all of it, less mappings of
 * @guest_mib and more, which are the guest's RAM.
 */
long vm_resident_beyond_guest(const struct vm *vm, unsigned int guest_mib);

#endif
