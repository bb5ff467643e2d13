/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * arguments.h - the command line of `firebreak run`, with the lines of --config's files in their place.
 */
#ifndef FBK_VMM_ARGUMENTS_H
#define FBK_VMM_ARGUMENTS_H

#include <stddef.h>

#define FBK_CONFIG_MAX (64 << 10) /* bytes of a config file */
#define FBK_ARGUMENTS_MAX 512	  /* arguments and lines in all */

struct fbk_argument_place {
	const char *file; /* NULL: the command line itself */
	unsigned int line;
};

struct fbk_arguments {
	int argc;
	char **argv; /* what fbk_options_parse() takes */
	struct fbk_argument_place *place;
	char **owned; /* lines of files, made into arguments */
	unsigned int nr_owned;
};

/**
 * fbk_arguments_gather - replace each --config FILE by the options that the file gives
 * @argv:    the arguments behind `run`; must outlive @ret
 * @ret:     fbk_arguments_free() it, whatever is returned
 * @why:     on failure, one sentence without a full stop that names file and line
 * @why_len: 320 bytes hold every sentence; a long path is cut
 *
 * A line NAME = VALUE is the option --NAME with that value, as docs/formats/config.md has it. A later option overrides an
 * earlier one of its name, wherever either stands; those that may be repeated add up.
 *
 * Return:  0.
 * Errors:  -EINVAL a line is none, or --config has no value; -E2BIG too many; -ENOMEM; those of fbk_textfile_read().
 */
int fbk_arguments_gather(int argc, char **argv, struct fbk_arguments *ret, char *why, size_t why_len);

/* One file's text, @text being written on; @file names it in errors. Errors: as above. */
int fbk_arguments_lines(struct fbk_arguments *a, const char *file, char *text, size_t len, char *why, size_t why_len);

void fbk_arguments_free(struct fbk_arguments *a);

#endif
