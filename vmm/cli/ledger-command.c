/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ledger-command.c - `firebreak ledger`: what a ledger's file says, whether it is whole, and how it becomes so. On any
 * machine; all but repair also beside the monitor that writes it.
 */
#include "command.h"
#include "options.h"
#include "page.h"
#include "report.h"

#include <firebreak/event.h>
#include <firebreak/ledger_file.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char fbk_ledger_help[] =
	"firebreak ledger - the bad pages that a ledger knows\n"
	"\n"
	"  firebreak ledger [show] FILE              a table, for people\n"
	"  firebreak ledger check FILE               whether it is whole; if not, what is damaged, and where\n"
	"  firebreak ledger export [--json] FILE     everything, as JSON\n"
	"  firebreak ledger repair [--dry-run] FILE  put what is damaged aside in FILE.damaged-N, go on with what is whole\n"
	"\n"
	"The first three change nothing, and may be used while a monitor writes FILE. A FILE named like one of these words is\n"
	"written ./show.\n";

struct view {
	const char *path;
	struct fbk_ledger_file_info info;
	struct fbk_ledger_file *file;
	struct fbk_ledger ledger;
	void *storage;
	struct fbk_ledger_entry *page;
	uint32_t nr;
	struct fbk_ledger_damage *damage;
	uint32_t nr_damages;
};

/* --- the file ----------------------------------------------------------------------------------------------------- */

static int refuse(const char *path, int err, const struct fbk_ledger_file_info *info)
{
	switch (err) {
	case -EBADMSG:
		fbk_say("ledger: %s is no ledger", path);
		break;
	case -EPROTONOSUPPORT:
		fbk_say("ledger: %s has format version %u, and none beyond 2 is known here", path, info->version);
		break;
	case -EBUSY:
		if (info->owner_pid)
			fbk_say("ledger: %s belongs to a running monitor, process %d; it repairs it itself when it starts", path,
				info->owner_pid);
		else
			fbk_say("ledger: %s belongs to a running monitor; it repairs it itself when it starts", path);
		break;
	case -EACCES:
		fbk_say("ledger: %s: %s", path, info->sys_errno ? strerror(info->sys_errno) : "is no regular file");
		break;
	default:
		fbk_say("ledger: %s: %s", path, strerror(info->sys_errno ? info->sys_errno : -err));
	}
	return err == -ENOMEM || err == -EIO || err == -ENOSPC ? FBK_EXIT_HOST : FBK_EXIT_INPUT;
}

static int by_address(const void *a, const void *b)
{
	const struct fbk_ledger_entry *x = a, *y = b;

	return x->gpa.addr < y->gpa.addr ? -1 : x->gpa.addr > y->gpa.addr;
}

static int load_pages(struct view *v)
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

static int load_damage(struct view *v)
{
	uint32_t room;
	int err;

	err = fbk_ledger_file_damage(v->file, NULL, 0, &room);
	if (err)
		return err;
	/* The monitor that was writing has finished, or has mended it. */
	if (!room)
		v->info.damaged_slots = 0;
	if (!room)
		return 0;
	v->damage = calloc(room, sizeof(*v->damage));
	if (!v->damage)
		return -ENOMEM;
	err = fbk_ledger_file_damage(v->file, v->damage, room, &v->nr_damages);
	/* There may be more by now. */
	if (v->nr_damages > room)
		v->nr_damages = room;
	return err;
}

static void unload(struct view *v)
{
	fbk_ledger_file_close(v->file);
	free(v->storage);
	free(v->page);
	free(v->damage);
}

/* Return: 0, to be unloaded; or an exit status, told. */
static int load(struct view *v, const char *path, enum fbk_ledger_file_mode mode)
{
	int err;

	*v = (struct view){ .path = path, .info = { .size = sizeof(v->info) } };
	err = fbk_ledger_file_open(path, mode, NULL, &v->info, &v->file);
	if (err)
		return refuse(path, err, &v->info);
	err = load_pages(v);
	/* Looked for only where there is any: the file is read again for it. */
	if (!err && v->info.damaged_slots && !v->info.kept)
		err = load_damage(v);
	if (!err)
		return 0;
	fbk_say("ledger: %s: %s", path, strerror(-err));
	unload(v);
	return FBK_EXIT_HOST;
}

/* --- words -------------------------------------------------------------------------------------------------------- */

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static unsigned long long ull(uint64_t n)
{
	return n;
}

static void print_damage(const struct view *v)
{
	for (uint32_t i = 0; i < v->nr_damages; i++) {
		const struct fbk_ledger_damage *d = &v->damage[i];

		printf("damaged: byte %llu, %llu byte%s: %s\n", ull(d->offset), ull(d->len), plural(d->len),
		       fbk_ledger_damage_text(d->kind));
	}
}

static void print_gpa(const struct fbk_ledger_entry *e, char *buf, size_t len)
{
	snprintf(buf, len, "0x%llx", ull(e->gpa.addr));
}

static void print_state(const struct fbk_ledger_entry *e, char *buf, size_t len)
{
	snprintf(buf, len, "%s", fbk_page_state_name(e->state));
}

static void print_frame(const struct fbk_ledger_entry *e, char *buf, size_t len)
{
	snprintf(buf, len, "%s", fbk_frame_name(e->frame));
}

static void print_count(const struct fbk_ledger_entry *e, char *buf, size_t len)
{
	snprintf(buf, len, "%u", e->count);
}

/* To the millisecond: that much of the latest time is kept. */
static void print_first(const struct fbk_ledger_entry *e, char *buf, size_t len)
{
	fbk_page_moment(e->first_ns, 3, buf, len);
}

static void print_last(const struct fbk_ledger_entry *e, char *buf, size_t len)
{
	fbk_page_moment(e->last_ns, 3, buf, len);
}

static void print_sources(const struct fbk_ledger_entry *e, char *buf, size_t len)
{
	fbk_page_sources(e, "", buf, len);
}

/* The table: a line here is a column. */
static const struct column {
	const char *title;
	int width; /* negative: flush left */
	void (*print)(const struct fbk_ledger_entry *e, char *buf, size_t len);
} columns[] = {
	{ "page", -18, print_gpa },     { "state", -8, print_state }, { "errors", 8, print_count },
	{ "frame", -7, print_frame },   { "first", -24, print_first }, { "last", -24, print_last },
	{ "sources", -1, print_sources },
};

#define NR_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void print_row(const struct fbk_ledger_entry *e)
{
	char cell[160];

	for (size_t c = 0; c < NR_COLUMNS; c++) {
		if (e)
			columns[c].print(e, cell, sizeof(cell));
		else
			snprintf(cell, sizeof(cell), "%s", columns[c].title);
		printf("%s%*s", c ? "  " : "", columns[c].width, cell);
	}
	putchar('\n');
}

/* --- the subcommands ---------------------------------------------------------------------------------------------- */

static int show(const char *path)
{
	struct view v;
	int r = load(&v, path, FBK_LEDGER_FILE_READ);

	if (r)
		return r;
	printf("%s: %u page%s in %llu record%s\n", path, v.nr, plural(v.nr), ull(v.info.records), plural(v.info.records));
	print_damage(&v);
	if (v.nr)
		print_row(NULL);
	for (uint32_t i = 0; i < v.nr; i++)
		print_row(&v.page[i]);
	r = v.info.damaged_slots ? FBK_EXIT_LACKING : FBK_EXIT_OFF;
	unload(&v);
	return r;
}

static int check(const char *path)
{
	struct view v;
	int r = load(&v, path, FBK_LEDGER_FILE_READ);

	if (r)
		return r;
	printf("%s: %s: %llu whole record%s of %u page%s\n", path, v.info.damaged_slots ? "damaged" : "whole", ull(v.info.records),
	       plural(v.info.records), v.nr, plural(v.nr));
	print_damage(&v);
	r = v.info.damaged_slots ? FBK_EXIT_LACKING : FBK_EXIT_OFF;
	unload(&v);
	return r;
}

static int export(const char *path)
{
	char page[FBK_PAGE_JSON_MAX];
	int r, named = 0;
	struct view v;

	r = load(&v, path, FBK_LEDGER_FILE_READ);
	if (r)
		return r;
	for (unsigned int i = 0; i < sizeof(v.info.id); i++)
		named |= v.info.id[i];
	printf("{\"version\":%u,\"id\":%s", v.info.version, named ? "\"" : "null");
	for (unsigned int i = 0; named && i < sizeof(v.info.id); i++)
		printf("%02x%s", v.info.id[i], i + 1 == sizeof(v.info.id) ? "\"" : "");
	printf(",\"records\":%llu,\"damage\":[", ull(v.info.records));
	for (uint32_t i = 0; i < v.nr_damages; i++)
		printf("%s\n {\"offset\":%llu,\"length\":%llu,\"what\":\"%s\"}", i ? "," : "", ull(v.damage[i].offset), ull(v.damage[i].len),
		       fbk_ledger_damage_text(v.damage[i].kind));
	printf("],\"pages\":[");
	for (uint32_t i = 0; i < v.nr; i++) {
		fbk_page_json(&v.page[i], page, sizeof(page));
		printf("%s\n %s", i ? "," : "", page);
	}
	puts("]}");
	r = v.info.damaged_slots ? FBK_EXIT_LACKING : FBK_EXIT_OFF;
	unload(&v);
	return r;
}

static int repair(const char *path, int dry)
{
	struct view before, after;
	int r;

	/* First as a reader: the owner's way in would make a file where there is none. */
	r = load(&before, path, FBK_LEDGER_FILE_READ);
	if (r)
		return r;
	if (dry) {
		print_damage(&before);
		if (before.info.damaged_slots)
			printf("%s: would be put aside: %llu bytes from byte %llu on; would be kept: %llu record%s of %u page%s\n", path,
			       ull(before.info.file_len - before.info.damage_offset), ull(before.info.damage_offset),
			       ull(before.info.records), plural(before.info.records), before.nr, plural(before.nr));
		else
			printf("%s: is whole: nothing to repair\n", path);
		unload(&before);
		return FBK_EXIT_OFF;
	}
	/* The owner mends it as he opens it: the same way as a monitor that starts. */
	r = load(&after, path, FBK_LEDGER_FILE_OWN);
	if (r) {
		unload(&before);
		return r;
	}
	if (after.info.kept) {
		print_damage(&before);
		printf("%s: put aside: %llu bytes from byte %llu on, in %s.damaged-%u; kept: %u page%s, one record each\n", path,
		       ull(after.info.file_len - after.info.damage_offset), ull(after.info.damage_offset), path, after.info.kept, after.nr,
		       plural(after.nr));
	} else {
		printf("%s: is whole: nothing to repair\n", path);
	}
	unload(&before);
	unload(&after);
	return FBK_EXIT_OFF;
}

static int usage(const char *why, const char *what)
{
	fbk_say("ledger: %s%.80s; `firebreak ledger --help` tells more", why, what);
	return FBK_EXIT_USAGE;
}

int fbk_command_ledger(int argc, char **argv)
{
	static const char *const words[] = { "show", "check", "export", "repair" };
	int json = 0, dry = 0, nr = 0;
	const char *plain[2] = { "", "" }, *what = words[0], *path;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return fbk_command_help("ledger", NULL);
		if (!strcmp(argv[i], "--json"))
			json = 1;
		else if (!strcmp(argv[i], "--dry-run"))
			dry = 1;
		else if (argv[i][0] == '-' && argv[i][1])
			return usage("no such option: ", argv[i]);
		else if (nr == 2)
			return usage("one too many: ", argv[i]);
		else
			plain[nr++] = argv[i];
	}
	path = plain[0];
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(plain[0], words[i])) {
			what = words[i];
			path = plain[1];
			nr--;
		}
	}
	if (nr == 2)
		return usage("show, check, export or repair, not ", plain[0]);
	if (nr != 1)
		return usage("a FILE is wanted", "");
	if (json && strcmp(what, "export"))
		return usage("--json belongs to export", "");
	if (dry && strcmp(what, "repair"))
		return usage("--dry-run belongs to repair", "");
	if (!strcmp(what, "check"))
		return check(path);
	if (!strcmp(what, "export"))
		return export(path);
	return strcmp(what, "repair") ? show(path) : repair(path, dry);
}
