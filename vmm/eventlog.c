/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* eventlog.c - see eventlog.h */
#include "eventlog.h"
#include "options.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fbk_eventlog_open(struct fbk_eventlog *l, const char *where)
{
	l->fd = -1;
	if (!where)
		return 0;
	if (!strcmp(where, "-")) {
		l->fd = STDERR_FILENO;
	} else if (!strncmp(where, "fd:", 3)) {
		char *end;
		long fd = strtol(where + 3, &end, 10);

		if (!where[3] || *end || fd < 0 || fd > 65535 || fcntl(fd, F_GETFD) < 0) {
			fbk_say("--events %s: no such open descriptor", where);
			return FBK_EXIT_INPUT;
		}
		l->fd = fd;
	} else {
		l->fd = open(where, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
		if (l->fd < 0) {
			fbk_say("--events %s: %s", where, strerror(errno));
			return FBK_EXIT_INPUT;
		}
	}
	return 0;
}

/* What was hit, what was done, what it means: one line. */
static void tell_human(const struct fbk_event *ev)
{
	char where[96] = "at an unknown address", who[32] = "", told[64];

	if (ev->abort.flags & FBK_SEA_HAS_GPA)
		snprintf(where, sizeof(where), "in guest page 0x%llx (error %u on it)",
			 (unsigned long long)ev->abort.gpa.addr, ev->count);
	else if (ev->abort.flags & FBK_SEA_HAS_GVA)
		snprintf(where, sizeof(where), "at guest virtual address 0x%llx",
			 (unsigned long long)ev->abort.gva.addr);
	if (ev->vcpu >= 0)
		snprintf(who, sizeof(who), "vCPU %d%s: ", ev->vcpu,
			 ev->el == 0 ? " user" : ev->el == 1 ? " kernel" : "");
	snprintf(told, sizeof(told), "guest told: %s", fbk_notify_name(ev->notify));
	fbk_say("memory error %llu: %s%s %s: %s (%s); %s; %llu us", (unsigned long long)ev->seq, who,
		fbk_source_name(ev->source), where, fbk_verdict_name(ev->verdict.action),
		ev->verdict.text ? ev->verdict.text : fbk_reason_name(ev->verdict.reason), told,
		(unsigned long long)(ev->duration_ns / 1000));
}

void fbk_eventlog_tell(struct fbk_eventlog *l, const struct fbk_event *ev)
{
	char line[FBK_EVENT_JSON_MAX];
	int len;

	if (l->fd >= 0) {
		len = fbk_event_json(ev, line, sizeof(line));
		/* One write for a line: with O_APPEND, lines of several threads do not mix. */
		if (len > 0 && write(l->fd, line, len) != len && !l->failed) {
			l->failed = 1;
			fbk_say("--events: %s: events from here on are missing there", strerror(errno));
		}
	}
	tell_human(ev);
}
