/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * memory-option.h - what the guest's RAM shall be made of: the value of --memory.
 */
#ifndef FBK_VMM_MEMORY_OPTION_H
#define FBK_VMM_MEMORY_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fbk_thp { FBK_THP_HOST, FBK_THP_ON, FBK_THP_OFF }; /* the host's own setting decides; asked for; declined */

struct fbk_memory_option {
	uint64_t len;
	uint64_t huge_len; /* of the pages of hugetlb; 0: ordinary pages */
	enum fbk_thp thp;  /* of ordinary pages: transparent huge pages */
	bool shared;	   /* a memfd, which other processes can be given */
	bool prefault;	   /* all of it is there before the guest starts */
};

/**
 * fbk_memory_option_parse - SIZE[,hugetlb=SIZE][,thp=on|off][,shared][,prefault]
 * @val:     cut up where it lies
 * @ret:     written on success only
 * @why:     on failure, one sentence without a full stop
 * @why_len: as of fbk_options_parse()
 *
 * Return:  0.
 * Errors:  -EINVAL.
 */
int fbk_memory_option_parse(char *val, struct fbk_memory_option *ret, char *why, size_t why_len);

#endif
