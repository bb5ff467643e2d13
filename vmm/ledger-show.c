/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ledger-show.c - `firebreak ledger`: what a ledger's file says, for people and for programs. On any machine, and beside
 * the monitor that writes it.
 */
#include "command.h"
#include "options.h"
#include "report.h"

#include <firebreak/event.h>
#include <firebreak/ledger_file.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char fbk_ledger_help[] =
	"firebreak ledger - what a ledger of bad pages says\n"
	"\n"
	"  firebreak ledger [--json] FILE   show it, also while a monitor writes it\n"
	"  firebreak ledger --repair FILE   keep what is damaged in FILE.damaged-N, and go on with what is whole\n"
	"\n"
	"Exit status: 0 whole; 1 damaged (what is whole is shown); 64 wrong usage; 66 no ledger, or none that can be read;\n"
	"71 the host failed.\n";

struct view {
	struct fbk_ledger_file_info info;
	struct fbk_ledger_file *file;
	struct fbk_ledger ledger;
	void *storage;
	struct fbk_ledger_entry *page;
	uint32_t nr;
};

static int by_address(const void *a, const void *b)
{
	const struct fbk_ledger_entry *x = a, *y = b;

	return x->gpa.addr < y->gpa.addr ? -1 : x->gpa.addr > y->gpa.addr;
}

static int load(struct view *v)
{
	uint32_t pages = fbk_ledger_file_pages(v->file), cursor = 0;
	size_t len = fbk_ledger_storage_len(pages ? pages : 1);

	v->storage = calloc(1, len);
	v->page = calloc(pages ? pages : 1, sizeof(*v->page));
	if (!v->storage || !v->page || fbk_ledger_init(&v->ledger, v->storage, len, pages ? pages : 1) ||
	    fbk_ledger_file_load(v->file, &v->ledger))
		return -ENOMEM;
	while (v->nr < pages && fbk_ledger_next(&v->ledger, &cursor, &v->page[v->nr]) == 0)
		v->nr++;
	qsort(v->page, v->nr, sizeof(*v->page), by_address);
	return 0;
}

/* RFC 3339, to the millisecond, which is what a ledger keeps. */
static const char *moment(uint64_t ns, char *buf, size_t len)
{
	time_t s = (time_t)(ns / 1000000000);
	char day[32] = "?";
	struct tm tm;

	if (gmtime_r(&s, &tm))
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, len, "%s.%03uZ", day, (unsigned int)(ns / 1000000 % 1000));
	return buf;
}

static void sources(const struct fbk_ledger_entry *e, const char *quote, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned int s = 0; s < FBK_NR_SOURCES && at < len; s++)
		if (e->sources >> s & 1)
			at += (size_t)snprintf(buf + at, len - at, "%s%s%s%s", at ? "," : "", quote,
					       fbk_source_name((enum fbk_source)s), quote);
}

static void show(const struct view *v, const char *path)
{
	char first[48], last[48], from[128];

	printf("%s: %u page%s in %llu record%s\n", path, v->nr, v->nr == 1 ? "" : "s", (unsigned long long)v->info.records,
	       v->info.records == 1 ? "" : "s");
	if (v->info.damaged_slots)
		printf("damaged: %llu place%s of 64 bytes, the first at byte %llu\n", (unsigned long long)v->info.damaged_slots,
		       v->info.damaged_slots == 1 ? "" : "s", (unsigned long long)v->info.damage_offset);
	if (v->info.kept)
		printf("kept: %s.damaged-%u\n", path, v->info.kept);
	if (v->nr)
		printf("%-18s  %-8s  %8s  %-24s  %-24s  %s\n", "page", "state", "errors", "first", "last", "sources");
	for (uint32_t i = 0; i < v->nr; i++) {
		const struct fbk_ledger_entry *e = &v->page[i];

		sources(e, "", from, sizeof(from));
		printf("0x%-16llx  %-8s  %8u  %s  %s  %s\n", (unsigned long long)e->gpa.addr, fbk_page_state_name(e->state), e->count,
		       moment(e->first_ns, first, sizeof(first)), moment(e->last_ns, last, sizeof(last)), from);
	}
}

static void show_json(const struct view *v)
{
	char first[48], last[48], from[128];

	printf("{\"version\":%u,\"id\":\"", v->info.version);
	for (unsigned int i = 0; i < sizeof(v->info.id); i++)
		printf("%02x", v->info.id[i]);
	printf("\",\"records\":%llu,\"damaged_slots\":%llu,\"damage_offset\":", (unsigned long long)v->info.records,
	       (unsigned long long)v->info.damaged_slots);
	if (v->info.damaged_slots)
		printf("%llu", (unsigned long long)v->info.damage_offset);
	else
		printf("null");
	printf(",\"pages\":[");
	for (uint32_t i = 0; i < v->nr; i++) {
		const struct fbk_ledger_entry *e = &v->page[i];

		sources(e, "\"", from, sizeof(from));
		printf("%s\n {\"gpa\":\"0x%llx\",\"state\":\"%s\",\"count\":%u,\"first\":\"%s\",\"last\":\"%s\",\"sources\":[%s]}",
		       i ? "," : "", (unsigned long long)e->gpa.addr, fbk_page_state_name(e->state), e->count,
		       moment(e->first_ns, first, sizeof(first)), moment(e->last_ns, last, sizeof(last)), from);
	}
	printf("]}\n");
}

static int refuse(const char *path, int err, const struct fbk_ledger_file_info *info)
{
	switch (err) {
	case -EBADMSG:
		fbk_say("ledger: %s is no ledger", path);
		break;
	case -EPROTONOSUPPORT:
		fbk_say("ledger: %s has format version %u, and none beyond 1 is known here", path, info->version);
		break;
	case -EBUSY:
		fbk_say("ledger: %s belongs to a running monitor%s; it repairs it itself when it starts", path,
			info->owner_pid ? "" : " (its process is not known)");
		break;
	default:
		fbk_say("ledger: %s: %s", path, strerror(info->sys_errno ? info->sys_errno : -err));
	}
	return err == -ENOMEM || err == -EIO || err == -ENOSPC ? FBK_EXIT_HOST : FBK_EXIT_INPUT;
}

int fbk_command_ledger(int argc, char **argv)
{
	struct view v = { .info = { .size = sizeof(v.info) } };
	enum fbk_ledger_file_mode mode = FBK_LEDGER_FILE_READ;
	const char *path = NULL;
	int json = 0, wrong = 0, r;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(fbk_ledger_help, stdout);
			return 0;
		}
		if (!strcmp(argv[i], "--json"))
			json = 1;
		else if (!strcmp(argv[i], "--repair"))
			mode = FBK_LEDGER_FILE_OWN;
		else if (!strncmp(argv[i], "--", 2) || path)
			wrong = 1;
		else
			path = argv[i];
	}
	if (wrong || !path) {
		fbk_say("ledger: one FILE, --json or --repair; `firebreak ledger --help` tells more");
		return FBK_EXIT_USAGE;
	}
	if (mode == FBK_LEDGER_FILE_OWN) {
		struct fbk_ledger_file *there;

		/* The owner's way in would make a file where there is none. */
		r = fbk_ledger_file_open(path, FBK_LEDGER_FILE_READ, NULL, &v.info, &there);
		if (r < 0)
			return refuse(path, r, &v.info);
		fbk_ledger_file_close(there);
	}
	r = fbk_ledger_file_open(path, mode, NULL, &v.info, &v.file);
	if (r < 0)
		return refuse(path, r, &v.info);
	r = load(&v);
	if (r < 0)
		fbk_say("ledger: %s: %s", path, strerror(-r));
	else if (json)
		show_json(&v);
	else
		show(&v, path);
	fbk_ledger_file_close(v.file);
	free(v.storage);
	free(v.page);
	if (r < 0 || fflush(stdout))
		return FBK_EXIT_HOST;
	return v.info.damaged_slots && !v.info.kept ? FBK_EXIT_LACKING : 0;
}
