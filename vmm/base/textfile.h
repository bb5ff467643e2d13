/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * textfile.h - a small file that somebody wrote by hand, as a whole.
 */
#ifndef FBK_VMM_TEXTFILE_H
#define FBK_VMM_TEXTFILE_H

#include <stddef.h>
#include <sys/types.h>

/**
 * fbk_textfile_read - all of a regular file
 * @max:     bytes that @buf holds, and the longest file that is taken
 * @why:     on failure, what is wrong with it, without its name and without a full stop
 * @why_len: 80 bytes hold every sentence
 *
 * Return:  how many bytes there are; nothing is put behind them.
 * Errors:  -EFBIG longer than @max; -EINVAL no regular file; else what the system said.
 */
ssize_t fbk_textfile_read(const char *path, char *buf, size_t max, char *why, size_t why_len);

#endif
