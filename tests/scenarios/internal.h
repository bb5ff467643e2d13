/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * internal.h - what the files of the harness share and scenarios do not see.
 */
#ifndef FBK_SCENARIO_INTERNAL_H
#define FBK_SCENARIO_INTERNAL_H

#include "harness.h"

#include <stdarg.h>

#define FBK_PAGE 4096ul
#define FBK_RAM_BASE UINT64_C(0x40000000) /* where the monitor puts guest memory (vmm/README.md) */
#define FBK_SVC 0xd4000001 /* SVC #0, by which a program calls its kernel */

extern struct fbk_harness_config fbk_harness;

uint64_t fbk_now_ms(void);
uint64_t fbk_deadline_ms(unsigned int seconds); /* that many from now; more where the host's kernel is slow by design */
/* A path below the folder of programs, or below the folder of results. Freed by nobody: a run makes few of them. */
char *fbk_path_files(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *fbk_path_out(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Start a program with its output appended to a file; -errno, or its pid. */
pid_t fbk_spawn(char *const argv[], int in, int out, int err);
/* As another user, without groups; 0: as we are. */
pid_t fbk_spawn_as(uid_t uid, char *const argv[], int in, int out, int err);
/* Run one to its end; its exit status or 128 + signal, and what it wrote (cut at the size of the buffer). */
int fbk_run(char *const argv[], char *ret_text, size_t len);

/* A file of FBK_DISK_LEN bytes of FBK_DISK_BYTE. */
void fbk_disk_fill(const char *path);
/* A module of the host's kernel that makes @path; some kernels have it built in. */
void fbk_host_module(const char *name, const char *path);

/* Take in what guests have written, waiting at most that long for something to come. */
void fbk_guests_pump(int timeout_ms);
/* The scenario begins or has ended; a failed one takes its guests with it. */
void fbk_guests_begin(void);
void fbk_guests_end(bool failed);
/* Power all off; NULL, or what was not in order. */
const char *fbk_guests_finish(void);
/* Name the evidence of the guests that the scenario used. */
void fbk_guests_tell(void);

/* A guest that does not answer: what KVM does with it, to the log and to guest-ID.trace. */
void fbk_silence_tell(unsigned int id, pid_t pid);

void fbk_host_open(void);
/* Does KVM here give guests' SEAs to the monitor? */
bool fbk_host_has_sea(void);
void fbk_host_begin(void);
/* NULL, or the line by which the host's kernel complained of itself since the scenario began. */
const char *fbk_host_complaint(void);
/* Put back what fbk_host_set() has changed. */
void fbk_host_restore(void);

#endif
