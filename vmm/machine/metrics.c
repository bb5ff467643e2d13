/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * metrics.c - the file of --metrics, for node_exporter's textfile collector: always whole, since a new one takes the old
 * one's place in one step.
 */
#include "monitor.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PERIOD_NS 1000000000ull /* a scan of the ledger and a new file, at most so often */

static char text[FBK_MONITOR_METRICS_MAX];

int fbk_monitor_metrics_text(struct fbk_monitor *m, char *buf)
{
	struct fbk_metrics now = { .size = sizeof(now) };
	char vm[FBK_UUID_LEN];
	int len = fbk_vm_metrics(m->road, &now);

	if (!len)
		len = fbk_metrics_text(&now, NULL, buf, FBK_METRICS_TEXT_MAX);
	if (len < 0)
		return len;
	/* Ours, behind the library's. */
	fbk_uuid_format(m->opt.id, vm);
	return len + snprintf(buf + len, FBK_MONITOR_METRICS_MAX - len,
			      "# HELP firebreak_events_lost_total Lines of --events that its reader did not take in time.\n"
			      "# TYPE firebreak_events_lost_total counter\n"
			      "firebreak_events_lost_total{vm=\"%s\"} %llu\n",
			      vm, (unsigned long long)fbk_linelog_lost(&m->events.json));
}

/* Return: 0, or a negative errno. */
static int replace(const struct fbk_place *at, const char *fresh, size_t len)
{
	int fd, r;

	/* What lies there is of a monitor that was killed; the link of somebody else is not followed. */
	unlinkat(at->dirfd, fresh, 0);
	fd = openat(at->dirfd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno != EINTR)
			goto failed;
		done += n > 0 ? n : 0;
	}
	if (close(fd)) {
		fd = -1;
		goto failed;
	}
	if (!renameat(at->dirfd, fresh, at->dirfd, at->name))
		return 0;
	fd = -1;
failed:
	r = -errno;
	if (fd >= 0)
		close(fd);
	unlinkat(at->dirfd, fresh, 0);
	return r;
}

static int write_file(struct fbk_monitor *m)
{
	char fresh[NAME_MAX + 1];
	int len;

	if (snprintf(fresh, sizeof(fresh), "%s.new", m->metrics_place.name) >= (int)sizeof(fresh))
		return -ENAMETOOLONG;
	len = fbk_monitor_metrics_text(m, text);
	return len < 0 ? len : replace(&m->metrics_place, fresh, len);
}

int fbk_monitor_metrics_open(struct fbk_monitor *m)
{
	int r;

	m->metrics_timer.at_ns = FBK_LOOP_NEVER;
	if (!m->opt.metrics)
		return 0;
	r = fbk_loop_timer(&m->loop, &m->metrics_timer);
	if (!r)
		r = fbk_place_open(&m->metrics_place, m->opt.metrics);
	if (!r)
		r = write_file(m);
	if (r < 0) {
		fbk_say("--metrics %s: %s", m->opt.metrics, strerror(-r));
		return FBK_EXIT_INPUT;
	}
	return 0;
}

static void refresh(struct fbk_monitor *m)
{
	int r = write_file(m);

	if (r < 0 && !m->metrics_troubled)
		fbk_say("--metrics %s: %s; what it says is old until it works again", m->opt.metrics, strerror(-r));
	m->metrics_troubled = r < 0;
}

void fbk_monitor_metrics_tend(struct fbk_monitor *m)
{
	uint64_t now;

	if (!m->opt.metrics || m->metrics_timer.at_ns != FBK_LOOP_NEVER || !atomic_load(&m->metrics_stale))
		return;
	now = fbk_loop_now();
	if (m->metrics_ns && now < m->metrics_ns + PERIOD_NS) {
		m->metrics_timer.at_ns = m->metrics_ns + PERIOD_NS;
		return;
	}
	/* Before it is written: what is counted meanwhile is news. */
	atomic_store(&m->metrics_stale, false);
	m->metrics_ns = now;
	refresh(m);
}

void fbk_monitor_metrics_close(struct fbk_monitor *m)
{
	if (m->opt.metrics)
		refresh(m);
}
