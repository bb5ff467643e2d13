/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * tell.h - narration: who did or said what, a line each.
 */
#ifndef FBK_DEMO_TELL_H
#define FBK_DEMO_TELL_H

#include <stdbool.h>

struct fbk_tell_style {
	bool colour;
	bool comment; /* each line is a comment of TAP */
};

extern struct fbk_tell_style fbk_tell_style;

/* What makes a terminal show text so, or "". */
const char *fbk_bold(void);
const char *fbk_red(void);
const char *fbk_green(void);
const char *fbk_plain(void);

/* What every line that is no result begins with: "", or what makes it a comment. */
const char *fbk_margin(void);

/* "  WHO   what" */
void fbk_tell(const char *who, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same without a teller: the harness's notes. */
void fbk_tell_note(const char *text);

/* A line of a kernel's log on a console, without the time before it. */
const char *fbk_words(const char *line);

#endif
