/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The emulated machine: its QEMU process and the channels to it.
 */
#ifndef FBK_LAB_MACHINE_H
#define FBK_LAB_MACHINE_H

#include <sys/types.h>

#include "cache.h"
#include "options.h"

/* our ends of the channels, -1 when absent or closed */
struct fbk_lab_machine {
	pid_t pid;
	int io; /* the payload's output, the shell's input */
	int ctl; /* lines from the lab's init */
	int log; /* the kernel's console */
	int out; /* a tar of /out */
	int in; /* the payload's standard input */
	int err; /* what QEMU itself says */
	int monitor; /* QEMU's human monitor; not in a counted lab */
};

/**
 * fbk_lab_machine_check - is QEMU there, and new enough?
 * @opt: command line
 *
 * Ends the program with FBK_LAB_E_QEMU and a sentence when not.
 */
void fbk_lab_machine_check(const struct fbk_lab_options *opt);

/**
 * fbk_lab_machine_start - start QEMU; it dies with this process, however that dies
 * @machine:   filled in
 * @opt:       command line
 * @kernel:    host kernel
 * @initramfs: memfd of the archive
 *
 * Ends the program with FBK_LAB_E_SYSTEM and a sentence when the system refuses.
 */
void fbk_lab_machine_start(struct fbk_lab_machine *machine, const struct fbk_lab_options *opt,
			   const struct fbk_lab_kernel *kernel, int initramfs);

#endif
