/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* eventlog.c - see eventlog.h */
#include "eventlog.h"
#include "exit.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAST_WORDS_MS 2000 /* how long a reader that does not read may hold up the end */

int fbk_eventlog_open(struct fbk_eventlog *l, const char *where)
{
	int out = -1;

	if (!where) {
		/* only the account */
	} else if (!strcmp(where, "-")) {
		out = STDERR_FILENO;
	} else if (!strncmp(where, "fd:", 3)) {
		char *end;
		long fd = strtol(where + 3, &end, 10);

		if (!where[3] || *end || fd < 0 || fd > 65535 || fcntl(fd, F_GETFD) < 0) {
			fbk_say("--events %s: no such open descriptor", where);
			return FBK_EXIT_INPUT;
		}
		out = fd;
	} else {
		out = open(where, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
		if (out < 0) {
			fbk_say("--events %s: %s", where, strerror(errno));
			return FBK_EXIT_INPUT;
		}
	}
	fbk_linelog_init(&l->json, out);
	fbk_linelog_init(&l->account, STDERR_FILENO);
	return 0;
}

/* What was hit, what was done, what it means: one line. */
static bool tell_human(struct fbk_eventlog *l, const struct fbk_event *ev)
{
	char line[640];
	int len;
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
	len = snprintf(line, sizeof(line), "firebreak: memory error %llu: %s%s %s: %s (%s); %s; %llu us\n", (unsigned long long)ev->seq,
		       who, fbk_source_name(ev->source), where, fbk_verdict_name(ev->verdict.action),
		       ev->verdict.text ? ev->verdict.text : fbk_reason_name(ev->verdict.reason), told,
		       (unsigned long long)(ev->duration_ns / 1000));
	if (len >= (int)sizeof(line)) {
		len = sizeof(line) - 1; /* cut short */
		line[len - 1] = '\n';
	}
	return fbk_linelog_put(&l->account, line, len);
}

static bool put_json(struct fbk_eventlog *l, const char *line, int len)
{
	if (len <= 0)
		return false;
	if (l->recent)
		fbk_ring_put(l->recent, line, len);
	return l->json.fd >= 0 && fbk_linelog_put(&l->json, line, len);
}

bool fbk_eventlog_tell(struct fbk_eventlog *l, const struct fbk_event *ev)
{
	char line[FBK_EVENT_JSON_MAX];
	bool waits = false;
	int len;

	if (l->json.fd >= 0 || l->recent) {
		len = fbk_event_json(ev, line, sizeof(line));
		waits = put_json(l, line, len);
	}
	return tell_human(l, ev) || waits || fbk_linelog_lost(&l->json);
}

bool fbk_eventlog_tell_ack(struct fbk_eventlog *l, const struct fbk_event_ack *ack)
{
	char line[FBK_EVENT_JSON_MAX];
	int len;

	if (l->json.fd < 0 && !l->recent)
		return false;
	len = fbk_event_ack_json(ack, line, sizeof(line));
	return put_json(l, line, len);
}

/* Nothing is lost in silence: once when it begins, and with the number when the reader is there again, or at the end. */
static void tell_lost(struct fbk_eventlog *l, bool done)
{
	uint64_t lost = fbk_linelog_lost(&l->json);

	if (lost == l->told_lost || (l->told_lost && !done))
		return;
	fbk_say("--events: %llu lines are missing there: %s", (unsigned long long)lost,
		l->json.error ? strerror(l->json.error) : "the reader is too slow");
	l->told_lost = lost;
}

void fbk_eventlog_drain(struct fbk_eventlog *l)
{
	fbk_linelog_drain(&l->json);
	fbk_linelog_drain(&l->account);
	tell_lost(l, !l->json.error && !fbk_linelog_waits(&l->json));
}

void fbk_eventlog_close(struct fbk_eventlog *l)
{
	fbk_linelog_close(&l->json, LAST_WORDS_MS);
	fbk_linelog_close(&l->account, LAST_WORDS_MS);
	tell_lost(l, true);
}
