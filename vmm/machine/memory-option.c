/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* memory-option.c - see memory-option.h */
#include "memory-option.h"
#include "platform.h"
#include "size.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The guest's physical addresses and the host's agree below the distance of RAM from address 0, and no further. */
#define HUGE_MIN UINT64_C(0x10000)
#define HUGE_MAX FBK_RAM_BASE

static int set_size(struct fbk_memory_option *o, const char *word, char *why, size_t why_len)
{
	if (fbk_size_parse(word, &o->len)) {
		snprintf(why, why_len, "--memory %.40s: not a size (512M, 2G; a plain number is MiB)", word);
		return -EINVAL;
	}
	if (o->len < FBK_RAM_MIN || o->len > FBK_RAM_MAX || o->len % FBK_RAM_GRANULE) {
		snprintf(why, why_len, "--memory %.40s: must be 64M to 255G, a multiple of 64K", word);
		return -EINVAL;
	}
	return 0;
}

static int set_huge(struct fbk_memory_option *o, const char *word, char *why, size_t why_len)
{
	uint64_t len;

	if (fbk_size_parse(word + strlen("hugetlb="), &len) || len < HUGE_MIN || len > HUGE_MAX || (len & (len - 1))) {
		snprintf(why, why_len, "--memory: %.40s: must be 2M, 1G, or another size of huge pages that the host has", word);
		return -EINVAL;
	}
	o->huge_len = len;
	return 0;
}

static int set_word(struct fbk_memory_option *o, const char *word, char *why, size_t why_len)
{
	if (!strncmp(word, "hugetlb=", 8))
		return set_huge(o, word, why, why_len);
	if (!strcmp(word, "thp=on")) {
		o->thp = FBK_THP_ON;
	} else if (!strcmp(word, "thp=off")) {
		o->thp = FBK_THP_OFF;
	} else if (!strncmp(word, "thp=", 4)) {
		snprintf(why, why_len, "--memory: %.40s: must be thp=on or thp=off", word);
		return -EINVAL;
	} else if (!strcmp(word, "shared")) {
		o->shared = true;
	} else if (!strcmp(word, "prefault")) {
		o->prefault = true;
	} else {
		snprintf(why, why_len, "--memory: \"%.40s\" is none of hugetlb=SIZE, thp=on, thp=off, shared and prefault", word);
		return -EINVAL;
	}
	return 0;
}

int fbk_memory_option_parse(char *val, struct fbk_memory_option *ret, char *why, size_t why_len)
{
	struct fbk_memory_option o = { 0 };
	char huge[FBK_SIZE_TEXT], *word = strsep(&val, ",");

	if (set_size(&o, word, why, why_len))
		return -EINVAL;
	while ((word = strsep(&val, ",")))
		if (set_word(&o, word, why, why_len))
			return -EINVAL;
	if (o.huge_len && o.thp != FBK_THP_HOST) {
		snprintf(why, why_len, "--memory: thp says how ordinary pages become huge ones, those of hugetlb are: give one of them");
		return -EINVAL;
	}
	if (o.huge_len && o.len % o.huge_len) {
		snprintf(why, why_len, "--memory: %llu MiB are no whole number of huge pages of %s", (unsigned long long)(o.len >> 20),
			 fbk_size_format(o.huge_len, huge));
		return -EINVAL;
	}
	*ret = o;
	return 0;
}
