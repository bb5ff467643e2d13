/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ledger.c - the monitor's side of --ledger: open the file, and look after it from the main thread.
 */
#include "monitor.h"
#include "report.h"

#include <errno.h>
#include <string.h>

#define RETRY_NS 1000000000ull /* a disk that was full a moment ago is not asked at every turn */

static int refuse(const char *path, int err, const struct fbk_ledger_file_info *info)
{
	char whose[FBK_UUID_LEN];

	switch (err) {
	case -EBUSY:
		if (info->owner_pid)
			fbk_say("--ledger %s: process %d has it", path, info->owner_pid);
		else
			fbk_say("--ledger %s: another monitor has it", path);
		break;
	case -EBADMSG:
		fbk_say("--ledger %s: this is no ledger; it was not touched", path);
		break;
	case -EPROTONOSUPPORT:
		fbk_say("--ledger %s: format version %u, and this monitor knows none beyond 2; it was not touched", path, info->version);
		break;
	case -ESTALE:
		fbk_uuid_format(info->id, whose);
		fbk_say("--ledger %s: it is that of VM %s, and not of the one that --id names; it was not touched", path, whose);
		break;
	case -ENOSPC:
		fbk_say("--ledger %s: the disk is full", path);
		break;
	default:
		fbk_say("--ledger %s: %s", path, strerror(info->sys_errno ? info->sys_errno : -err));
	}
	return FBK_EXIT_INPUT;
}

int fbk_monitor_ledger_open(struct fbk_monitor *m)
{
	struct fbk_ledger_file_info info = { .size = sizeof(info) };
	const char *path = m->opt.ledger;
	int r;

	m->ledger_timer.at_ns = FBK_LOOP_NEVER;
	if (!path)
		return 0;
	r = fbk_loop_timer(&m->loop, &m->ledger_timer);
	if (r < 0)
		return refuse(path, r, &info);
	r = fbk_ledger_file_open(path, FBK_LEDGER_FILE_OWN, m->opt.has_id ? m->opt.id : NULL, &info, &m->ledger);
	if (r < 0)
		return refuse(path, r, &info);
	if (info.damaged_slots)
		fbk_say("--ledger %s: damaged from byte %llu on: kept in %s.damaged-%u; %llu whole records go on", path,
			(unsigned long long)info.damage_offset, path, info.kept, (unsigned long long)info.records);
	return 0;
}

void fbk_monitor_ledger_heal(struct fbk_monitor *m)
{
	int r;

	if (!m->ledger)
		return;
	/* This guest's memory was mapped a moment ago: what was bad under the last one's addresses is not under these. */
	r = fbk_ledger_file_heal(m->ledger);
	if (r < 0)
		fbk_say("--ledger %s: could not be written yet: %s", m->opt.ledger, strerror(-r));
}

void fbk_monitor_ledger_tend(struct fbk_monitor *m)
{
	uint32_t wants = fbk_ledger_file_wants(m->ledger);
	int r = 0;

	if (!wants)
		m->ledger_timer.at_ns = FBK_LOOP_NEVER;
	if (m->ledger_timer.at_ns != FBK_LOOP_NEVER || !wants)
		return;
	if (wants & FBK_LEDGER_FILE_WANTS_COMPACT)
		r = fbk_ledger_file_compact(m->ledger);
	if (!r && (wants & FBK_LEDGER_FILE_WANTS_FLUSH))
		r = fbk_ledger_file_flush(m->ledger);
	if (r < 0 && !m->ledger_troubled)
		fbk_say("--ledger %s: %s; tried again until it works", m->opt.ledger, strerror(-r));
	else if (!r && m->ledger_troubled)
		fbk_say("--ledger %s: is complete again", m->opt.ledger);
	m->ledger_troubled = r < 0;
	if (r < 0)
		m->ledger_timer.at_ns = fbk_loop_now() + RETRY_NS;
}

void fbk_monitor_ledger_close(struct fbk_monitor *m)
{
	if (fbk_ledger_file_wants(m->ledger) && fbk_ledger_file_flush(m->ledger))
		fbk_say("--ledger %s: the last records could not be written: %s", m->opt.ledger,
			strerror(fbk_ledger_file_errno(m->ledger)));
}
