/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The lab's command line, taken apart and checked.
 */
#ifndef FBK_LAB_OPTIONS_H
#define FBK_LAB_OPTIONS_H

#include <stdbool.h>

/* strings that point into argv, ended by a null pointer */
struct fbk_lab_words {
	char **v;
	unsigned int n;
};

struct fbk_lab_options {
	const char *kernel; /* name in the cache, folder, or Image; null: the default */
	const char *modules; /* folder of modules for an Image */
	const char *qemu;
	const char *cpu;
	const char *out; /* folder on this side for the payload's /out */
	const char *log;
	const char *command; /* -c: a line for the lab's sh instead of a payload */
	const char *payload;
	unsigned int cpus; /* 0: the default of the mode */
	unsigned int memory_mib;
	unsigned int timeout_s; /* 0: none */
	unsigned int boot_timeout_s;
	unsigned int silence_s; /* without a byte of the payload's output; 0: for ever */
	bool icount;
	bool shell;
	bool use_stdin;
	bool native;
	bool require_kvm;
	bool require_sea;
	struct fbk_lab_words adds; /* FILE[:PATH] */
	struct fbk_lab_words env; /* NAME=VALUE */
	struct fbk_lab_words append; /* kernel arguments */
	struct fbk_lab_words args; /* of the payload */
	struct fbk_lab_words qemu_args;
};

/**
 * fbk_lab_words_add - append a string to a list
 * @words: list
 * @s:     string (borrowed for as long as the list lives)
 */
void fbk_lab_words_add(struct fbk_lab_words *words, char *s);

/**
 * fbk_lab_options_parse - take the command line apart
 * @opt:  filled in
 * @argc: as main's
 * @argv: as main's (borrowed for as long as @opt lives)
 *
 * Ends the program with a sentence and FBK_LAB_E_USAGE when something is wrong, and
 * with status 0 after --help.
 */
void fbk_lab_options_parse(struct fbk_lab_options *opt, int argc, char **argv);

#endif
