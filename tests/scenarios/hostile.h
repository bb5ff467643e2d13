/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * hostile.h - a guest that means no good (tests/hostile), with every device there is, beside one that minds its own business.
 */
#ifndef FBK_SCENARIO_HOSTILE_H
#define FBK_SCENARIO_HOSTILE_H

#include "harness.h"

#define FBK_HOSTILE_ORACLE \
	"host: its kernel's log, the monitor's exit status, resident memory and words, the image files' bytes; guest beside it: bystander's sums"

#define FBK_HOSTILE_API "/tmp/firebreak-hostile-guest.api"

/* The good guest, the same for all of these scenarios, with a bystander at work in it; and its end. */
void fbk_witness_start(void);
void fbk_witness_end(void);

struct fbk_hostile {
	struct fbk_guest *guest;
	long own_kb, most_kb; /* the monitor's own memory at first, and ever since */
};

/* Boot it. @orders: for its command line. @net, @console: as for --net and --console; NULL: in user space, the default. */
void fbk_hostile_boot(struct fbk_hostile *h, const char *orders, unsigned int cpus, const char *net, const char *console);

/* Let it, until it has said that; while its monitor is looked at. Return: the line. */
const char *fbk_hostile_until(struct fbk_hostile *h, const char *said);

/*
 * It says that it is done, and that all its devices work; the operator is heard; and then it does it all once more after a reset,
 * or powers itself off, and its monitor ends with status 0 and has done no harm. Return: its account.
 */
const char *fbk_hostile_again(struct fbk_hostile *h);
const char *fbk_hostile_done(struct fbk_hostile *h);

/*
 * As fbk_hostile_again(), for a guest that may have hung itself before it is done: then the operator resets it.
 * Return: its account, or NULL if it hung.
 */
const char *fbk_hostile_again_if(struct fbk_hostile *h);

/* The operator ends it, whatever it is doing. */
void fbk_hostile_stop(struct fbk_hostile *h);

/* Its monitor has ended: it did not grow, and the disks hold what they should. */
void fbk_hostile_judge(struct fbk_hostile *h);

/* firebreak ctl to its monitor; exit status. */
int fbk_hostile_ctl(const char *verb, const char *a, const char *b);

#endif
