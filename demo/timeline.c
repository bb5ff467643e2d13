/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * timeline.c - see timeline.h. The format of events is docs/formats/events.md; its keys are unique in a line but for
 * those looked for behind the name of their object.
 */
#include "timeline.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EVENTS 256

struct event {
	unsigned long long mono_ns;
	char line[2048];
};

/* The value of a key, unquoted; "" if it is null or not there. Several may be in use at once. */
static const char *value(const char *line, const char *object, const char *key)
{
	static char text[8][128];
	static unsigned int turn;
	char needle[40], *ret = text[turn++ % 8];
	const char *p = line;
	size_t n;

	ret[0] = '\0';
	if (object) {
		snprintf(needle, sizeof(needle), "\"%s\":{", object);
		p = strstr(p, needle);
	}
	snprintf(needle, sizeof(needle), "\"%s\":", key);
	p = p ? strstr(p, needle) : NULL;
	if (!p)
		return ret;
	p += strlen(needle);
	if (*p == '"')
		n = strcspn(++p, "\"");
	else
		n = strcspn(p, ",}\n");
	if (!strncmp(p, "null", 4))
		return ret;
	snprintf(ret, sizeof(text[0]), "%.*s", (int)n, p);
	return ret;
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return x->mono_ns < y->mono_ns ? -1 : x->mono_ns > y->mono_ns;
}

static void tell(const struct event *e, unsigned long long first_ns)
{
	const char *gpa = value(e->line, "abort", "gpa"), *gva = value(e->line, "abort", "gva");
	const char *vcpu = value(e->line, NULL, "vcpu"), *el = value(e->line, NULL, "el");
	const char *notify = value(e->line, "notify", "method"), *verdict = value(e->line, NULL, "verdict");
	const char *class = value(e->line, "abort", "class");
	char hit[96], who[64];

	snprintf(hit, sizeof(hit), "page %s", *gpa ? gpa : "unknown");
	if (*vcpu)
		snprintf(who, sizeof(who), "vCPU %s in %s, %s access%s%s", vcpu, *el == '0' ? "user mode" : "kernel mode",
			 class, *gva ? " at " : "", gva);
	else
		snprintf(who, sizeof(who), "nobody, the host found it");
	printf("  +%7.3f s  %-16s  hit: %-46s  done: %s%s%s, in %.2f ms\n", (double)(e->mono_ns - first_ns) / 1e9, hit, who,
	       !strcmp(verdict, "replay") ? "same abort to the guest" :
	       !strcmp(verdict, "report") ? "guest told" :
					    verdict,
	       !strcmp(verdict, "replay") && !strcmp(notify, "sea") ? " + record of the page" : "",
	       !strcmp(verdict, "replay") && !strcmp(notify, "async") ? " + report of the page" : "",
	       (double)strtoull(value(e->line, NULL, "duration_ns"), NULL, 10) / 1e6);
}

unsigned int fbk_timeline(const char *folder)
{
	static struct event events[MAX_EVENTS];
	unsigned int nr = 0, i;
	char pattern[512];
	glob_t files;
	size_t n;
	FILE *f;

	snprintf(pattern, sizeof(pattern), "%s/*.events", folder);
	if (glob(pattern, 0, NULL, &files))
		return 0;
	for (n = 0; n < files.gl_pathc; n++) {
		f = fopen(files.gl_pathv[n], "re");
		while (f && nr < MAX_EVENTS && fgets(events[nr].line, sizeof(events[nr].line), f)) {
			if (strcmp(value(events[nr].line, NULL, "kind"), "error"))
				continue;
			events[nr].mono_ns = strtoull(value(events[nr].line, NULL, "mono_ns"), NULL, 10);
			nr++;
		}
		if (f)
			fclose(f);
	}
	globfree(&files);
	qsort(events, nr, sizeof(events[0]), by_time);
	for (i = 0; i < nr; i++)
		tell(&events[i], events[0].mono_ns);
	return nr;
}
