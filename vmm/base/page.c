/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* page.c - see page.h */
#include "page.h"

#include <firebreak/sea.h>

#include <stdio.h>
#include <time.h>

const char *fbk_page_moment(uint64_t ns, int digits, char *buf, size_t len)
{
	time_t s = (time_t)(ns / 1000000000);
	unsigned int fraction = (unsigned int)(ns % 1000000000);
	char day[32] = "?";
	struct tm tm;

	if (gmtime_r(&s, &tm))
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	for (int i = digits; i < 9; i++)
		fraction /= 10;
	snprintf(buf, len, "%s.%0*uZ", day, digits, fraction);
	return buf;
}

void fbk_page_sources(const struct fbk_ledger_entry *e, const char *quote, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned int s = 0; s < FBK_NR_SOURCES && at < len; s++)
		if (e->sources >> s & 1)
			at += (size_t)snprintf(buf + at, len - at, "%s%s%s%s", at ? "," : "", quote,
					       fbk_source_name((enum fbk_source)s), quote);
}

int fbk_page_json(const struct fbk_ledger_entry *e, char *buf, size_t len)
{
	char first[48], last[48], from[160];

	fbk_page_sources(e, "\"", from, sizeof(from));
	return snprintf(buf, len,
			"{\"gpa\":\"0x%llx\",\"state\":\"%s\",\"frame\":\"%s\",\"count\":%u,\"first\":\"%s\",\"last\":\"%s\",\"sources\":[%s]}",
			(unsigned long long)e->gpa.addr, fbk_page_state_name(e->state), fbk_frame_name(e->frame), e->count,
			fbk_page_moment(e->first_ns, 9, first, sizeof(first)), fbk_page_moment(e->last_ns, 9, last, sizeof(last)), from);
}
