/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_ledger_file.c - what was acknowledged as recorded is there afterwards, and nothing else: power cuts and failures at
 * every call, files cut and flipped at every byte, two owners, readers beside a writer, and real files under kill -9.
 */
#include "test.h"

#include "fake_disk.h"

#include "core/journal.h"
#include "host/sys.h"

#include <firebreak/ledger_file.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGES 6
#define ROOM 64
#define SLOT FBK_JOURNAL_SLOT_LEN

static const struct fbk_sys *real_sys;
static const struct fbk_sys_file *real_sys_file;

static struct fbk_gpa page(uint32_t n)
{
	return (struct fbk_gpa){ 0x40000000 + n * FBK_PAGE_SIZE };
}

/* A monitor with its ledger, and what it believes. */
struct owner {
	struct fbk_ledger ledger;
	uint64_t storage[ROOM * 4 + 8];
	struct fbk_ledger_file *file;
	struct fbk_ledger_file_info info;
	uint32_t tried[PAGES]; /* errors that were met */
	uint32_t acked[PAGES]; /* and, of these, how many are on the disk for certain */
};

static int start(struct owner *o)
{
	int err;

	memset(o->storage, 0, sizeof(o->storage));
	assert_int_equal(fbk_ledger_init(&o->ledger, o->storage, sizeof(o->storage), ROOM), 0);
	o->info = (struct fbk_ledger_file_info){ .size = sizeof(o->info) };
	o->file = NULL;
	err = fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_OWN, NULL, &o->info, &o->file);
	if (!err)
		assert_int_equal(fbk_ledger_file_load(o->file, &o->ledger), 0);
	return err;
}

static void stop(struct owner *o)
{
	fbk_ledger_file_close(o->file);
	o->file = NULL;
}

static int error_on(struct owner *o, uint32_t n)
{
	struct fbk_ledger_entry e;
	int err;

	/* Milliseconds, so that times come back as they were. */
	assert_true(fbk_ledger_record(&o->ledger, page(n), FBK_SOURCE_SEA, 1000000 * (uint64_t)(1000 + o->tried[n]), &e) >= 0);
	o->tried[n]++;
	err = fbk_ledger_file_append(o->file, page(n), 1, 1);
	if (!err)
		o->acked[n] = e.count;
	return err;
}

/* What a ledger says lies between what was acknowledged and what was tried. */
static void judge(const struct owner *o, const struct fbk_ledger *l)
{
	struct fbk_ledger_entry e;
	uint32_t n, seen = 0;

	for (n = 0; n < PAGES; n++) {
		int err = fbk_ledger_lookup(l, page(n), &e);

		if (err) {
			assert_int_equal(err, -ENOENT);
			assert_int_equal(o->acked[n], 0);
			continue;
		}
		seen++;
		assert_true(e.count >= o->acked[n] && e.count <= o->tried[n]);
		assert_int_equal(e.sources, 1u << FBK_SOURCE_SEA);
		assert_int_equal(e.first_ns, UINT64_C(1000000000));
		assert_int_equal(e.last_ns, 1000000 * (uint64_t)(999 + e.count));
	}
	assert_int_equal(fbk_ledger_pages(l), seen);
}

/* A short life: errors, states, a compaction, errors again. */
static void live(struct owner *o)
{
	uint32_t i;
	int err;

	for (i = 0; i < 5; i++)
		(void)error_on(o, i % 3);
	assert_int_equal(fbk_ledger_set_state(&o->ledger, page(0), FBK_PAGE_REPORTED), 0);
	fbk_ledger_file_note(o->file, page(0));
	/* These may fail here: what counts is what is there in the end. */
	err = fbk_ledger_file_compact(o->file);
	(void)error_on(o, 3);
	(void)error_on(o, 0);
	err = fbk_ledger_file_flush(o->file);
	err = fbk_ledger_file_compact(o->file);
	(void)err;
	(void)error_on(o, 4);
	(void)error_on(o, 0);
}

/* The one that comes after: it must open, believe no more than there was, and be able to write. */
static void next_life(struct owner *o)
{
	uint32_t n;

	assert_int_equal(start(o), 0);
	judge(o, &o->ledger);
	for (n = 0; n < PAGES; n++) {
		struct fbk_ledger_entry e = { 0 };

		o->tried[n] = fbk_ledger_lookup(&o->ledger, page(n), &e) ? 0 : e.count;
	}
	assert_int_equal(error_on(o, 5), 0);
	assert_int_equal(error_on(o, 0), 0);
	stop(o);
	assert_int_equal(start(o), 0);
	assert_int_equal(o->info.damaged_slots, 0);
	judge(o, &o->ledger);
	stop(o);
	assert_int_equal(fake_disk.nr_allocs, 0);
}

static void a_life(void **state)
{
	struct owner o = { 0 };
	struct fbk_ledger_entry e;
	uint32_t n;

	fake_disk_install();
	assert_int_equal(start(&o), 0);
	assert_int_equal(o.info.pages, 0);
	live(&o);
	for (n = 0; n < 5; n++)
		assert_int_equal(o.acked[n], o.tried[n]);
	stop(&o);
	assert_null(fake_disk_file("ledger.compacting"));

	assert_int_equal(start(&o), 0);
	assert_int_equal(o.info.version, FBK_JOURNAL_VERSION);
	assert_int_equal(o.info.pages, 5);
	assert_int_equal(o.info.records, 6);
	assert_true(o.info.damage_offset == FBK_LEDGER_FILE_WHOLE);
	judge(&o, &o.ledger);
	assert_int_equal(fbk_ledger_lookup(&o.ledger, page(0), &e), 0);
	assert_int_equal(e.state, FBK_PAGE_REPORTED);
	/* Fresh memory: all is history. */
	assert_int_equal(fbk_ledger_file_heal(o.file), 0);
	stop(&o);
	assert_int_equal(start(&o), 0);
	for (n = 0; n < 5; n++) {
		assert_int_equal(fbk_ledger_lookup(&o.ledger, page(n), &e), 0);
		assert_int_equal(e.state, FBK_PAGE_HEALED);
		assert_int_equal(e.count, o.tried[n]);
	}
	fake_disk.nr_calls = 0;
	assert_int_equal(fbk_ledger_file_heal(o.file), 0);
	assert_int_equal(fake_disk.nr_calls, 0);
	stop(&o);
	assert_int_equal(fake_disk.nr_allocs, 0);
}

/* The promise of the road: one write and one sync, and a look whether the file is still there. */
static void an_append_is_three_calls(void **state)
{
	struct owner o = { 0 };

	fake_disk_install();
	assert_int_equal(start(&o), 0);
	fake_disk.nr_calls = 0;
	assert_int_equal(error_on(&o, 1), 0);
	assert_int_equal(fake_disk.nr_calls, 3);
	assert_int_equal(fbk_ledger_file_append(o.file, page(1), 1, 0), 0);
	assert_int_equal(fake_disk.nr_calls, 5);
	stop(&o);
}

/* --- power cuts --------------------------------------------------------------------------------------------------- */

static void power_goes_at_every_call(void **state)
{
	static struct owner o;
	volatile uint32_t n, done = 0;
	volatile int late, unsynced;

	for (unsynced = 0; unsynced < 2; unsynced++) {
		for (late = 0; late < 2; late++) {
			for (n = 1, done = 0; !done; n++) {
				fake_disk_install();
				memset(&o, 0, sizeof(o));
				fake_disk.cut_at = n;
				fake_disk.cut_late = late;
				if (!setjmp(fake_disk.cut)) {
					if (!start(&o)) {
						live(&o);
						stop(&o);
					}
					done = fake_disk.nr_calls < n;
				}
				fake_disk_reboot(unsynced);
				next_life(&o);
			}
			assert_true(n > 60);
		}
	}
}

/* The monitor is killed; the next one goes on; then the power goes. What the second one knew is there. */
static void killed_at_every_call_and_then_the_power_goes(void **state)
{
	static struct owner o;
	volatile uint32_t n, done;
	volatile int late;
	uint32_t i;

	for (late = 0; late < 2; late++) {
		for (n = 1, done = 0; !done; n++) {
			fake_disk_install();
			memset(&o, 0, sizeof(o));
			fake_disk.cut_at = n;
			fake_disk.cut_late = late;
			if (!setjmp(fake_disk.cut)) {
				assert_int_equal(start(&o), 0);
				live(&o);
				stop(&o);
				done = fake_disk.nr_calls < n;
			}
			fake_disk_killed();
			assert_int_equal(start(&o), 0);
			judge(&o, &o.ledger);
			for (i = 0; i < PAGES; i++) {
				struct fbk_ledger_entry e = { 0 };

				o.tried[i] = fbk_ledger_lookup(&o.ledger, page(i), &e) ? 0 : e.count;
				o.acked[i] = o.tried[i];
			}
			assert_int_equal(error_on(&o, 5), 0);
			fake_disk_reboot(0);
			next_life(&o);
		}
		assert_true(n > 60);
	}
}

/* It goes again while the damage of the first time is being mended. */
static void power_goes_while_mending(void **state)
{
	static uint8_t was[FAKE_FILE_LEN];
	static struct owner o;
	volatile uint32_t n, done;
	volatile int late, unsynced;

	for (unsynced = 0; unsynced < 2; unsynced++) {
		for (late = 0; late < 2; late++) {
			for (n = 1, done = 0; !done; n++) {
				struct fake_file *f;

				fake_disk_install();
				memset(&o, 0, sizeof(o));
				assert_int_equal(start(&o), 0);
				live(&o);
				stop(&o);
				f = fake_disk_file("ledger");
				/* Behind the last record, and in the first: which is acknowledged no more. */
				memset(f->data + 8 * SLOT, 0x5a, 20);
				f->data[SLOT + 30] ^= 1;
				memcpy(was, f->data, sizeof(was));
				memset(o.acked, 0, sizeof(o.acked));
				fake_disk_sync();
				fake_disk_calm();
				fake_disk.cut_at = n;
				fake_disk.cut_late = late;
				if (!setjmp(fake_disk.cut)) {
					assert_int_equal(start(&o), 0);
					assert_int_equal(o.info.damage_offset, SLOT);
					assert_int_equal(o.info.kept, 1);
					stop(&o);
					done = fake_disk.nr_calls < n;
				}
				fake_disk_reboot(unsynced);
				memset(&o.acked, 0, sizeof(o.acked));
				assert_int_equal(start(&o), 0);
				assert_int_equal(fbk_ledger_pages(&o.ledger), 4);
				judge(&o, &o.ledger);
				/* The damaged bytes are in one of the two. */
				if (!o.info.kept) {
					assert_non_null(fake_disk_file("ledger.damaged-1"));
					assert_memory_equal(fake_disk_file("ledger.damaged-1")->data, was + SLOT, 8 * SLOT);
				}
				stop(&o);
			}
			assert_true(n > 15);
		}
	}
}

/* --- failing calls ------------------------------------------------------------------------------------------------ */

static void settle(struct owner *o)
{
	int i;

	fake_disk_calm();
	for (i = 0; i < 4 && fbk_ledger_file_wants(o->file); i++) {
		uint32_t wants = fbk_ledger_file_wants(o->file);

		if (wants & FBK_LEDGER_FILE_WANTS_COMPACT)
			assert_int_equal(fbk_ledger_file_compact(o->file), 0);
		if (wants & FBK_LEDGER_FILE_WANTS_FLUSH)
			assert_int_equal(fbk_ledger_file_flush(o->file), 0);
	}
	assert_int_equal(fbk_ledger_file_wants(o->file), 0);
}

static void every_call_fails(void **state)
{
	static const int errnos[] = { EIO, ENOSPC, EROFS, ENOMEM };
	static struct owner o;
	uint32_t n, k, i;
	int forever, err, done;

	for (k = 0; k < ARRAY_SIZE(errnos); k++) {
		for (forever = 0; forever < 2; forever++) {
			for (n = 1, done = 0; !done; n++) {
				fake_disk_install();
				memset(&o, 0, sizeof(o));
				fake_disk.fail_at = n;
				fake_disk.fail_until = forever ? UINT32_MAX : n;
				fake_disk.fail_errno = errnos[k];
				err = start(&o);
				if (err) {
					assert_true(err == -EIO || err == -ENOSPC || err == -EACCES || err == -ENOMEM);
					assert_int_equal(fake_disk.nr_allocs, 0);
				} else {
					live(&o);
					done = fake_disk.nr_calls < n;
					/* What could not be written is written as soon as it can be. */
					settle(&o);
					for (i = 0; i < PAGES; i++)
						o.acked[i] = o.tried[i];
					stop(&o);
				}
				fake_disk_reboot(0);
				next_life(&o);
			}
			assert_true(n > 60);
		}
	}
}

/* The disk fills up, and the power goes: what was acknowledged before is there. */
static void failing_and_then_a_power_cut(void **state)
{
	static struct owner o;
	uint32_t n;
	int done, unsynced;

	for (unsynced = 0; unsynced < 2; unsynced++) {
		for (n = 1, done = 0; !done; n++) {
			fake_disk_install();
			memset(&o, 0, sizeof(o));
			fake_disk.fail_at = n;
			fake_disk.fail_until = UINT32_MAX;
			fake_disk.fail_errno = ENOSPC;
			if (!start(&o)) {
				live(&o);
				done = fake_disk.nr_calls < n;
			}
			fake_disk_reboot(unsynced);
			next_life(&o);
		}
	}
}

static void every_write_comes_short(void **state)
{
	static struct owner o;
	uint32_t n, i;
	int done, full;

	for (full = 0; full < 2; full++) {
		for (n = 1, done = 0; !done; n++) {
			fake_disk_install();
			memset(&o, 0, sizeof(o));
			fake_disk.half_at = n;
			/* Half of it, and then no more. */
			fake_disk.fail_at = full ? n + 1 : 0;
			fake_disk.fail_errno = ENOSPC;
			if (!start(&o)) {
				live(&o);
				done = fake_disk.nr_calls < n;
				settle(&o);
				for (i = 0; i < PAGES; i++)
					o.acked[i] = o.tried[i];
				stop(&o);
				/* Nothing torn stays behind. */
				assert_int_equal(start(&o), 0);
				assert_int_equal(o.info.damaged_slots, 0);
				stop(&o);
			}
			fake_disk_reboot(0);
			next_life(&o);
		}
	}
}

static void told_why(void **state)
{
	struct owner o = { 0 };

	fake_disk_install();
	assert_int_equal(start(&o), 0);
	fake_disk_calm();
	fake_disk.fail_at = 1;
	fake_disk.fail_errno = EDQUOT;
	assert_int_equal(error_on(&o, 0), -ENOSPC);
	assert_int_equal(fbk_ledger_file_errno(o.file), EDQUOT);
	assert_int_equal(fbk_ledger_file_wants(o.file), FBK_LEDGER_FILE_WANTS_FLUSH);
	/* The next one takes it along. */
	assert_int_equal(error_on(&o, 1), 0);
	assert_int_equal(fbk_ledger_file_wants(o.file), 0);
	/* A sync that fails leaves it open what is on the disk: all is to be written again. */
	fake_disk_calm();
	fake_disk.fail_at = 2;
	fake_disk.fail_errno = EIO;
	assert_int_equal(error_on(&o, 1), -EIO);
	assert_int_equal(fbk_ledger_file_wants(o.file), FBK_LEDGER_FILE_WANTS_FLUSH | FBK_LEDGER_FILE_WANTS_COMPACT);
	settle(&o);
	stop(&o);
	o.acked[0] = o.tried[0];
	o.acked[1] = o.tried[1];
	fake_disk_reboot(0);
	next_life(&o);
}

static void more_notes_than_fit(void **state)
{
	static uint64_t storage[4096];
	struct fbk_ledger_file *f;
	struct fbk_ledger l;
	uint32_t n;

	fake_disk_install();
	assert_int_equal(fbk_ledger_init(&l, storage, sizeof(storage), 400), 0);
	assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_OWN, NULL, NULL, &f), 0);
	assert_int_equal(fbk_ledger_file_load(f, &l), 0);
	for (n = 0; n < 400; n++) {
		assert_int_equal(fbk_ledger_record(&l, page(n), FBK_SOURCE_SEA, 1000000, NULL), 1);
		fbk_ledger_file_note(f, page(n));
		fbk_ledger_file_note(f, page(n));
	}
	assert_int_equal(fbk_ledger_file_wants(f), FBK_LEDGER_FILE_WANTS_FLUSH | FBK_LEDGER_FILE_WANTS_COMPACT);
	assert_int_equal(fbk_ledger_file_compact(f), 0);
	fbk_ledger_file_close(f);
	assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_READ, NULL, NULL, &f), 0);
	assert_int_equal(fbk_ledger_file_pages(f), 400);
	fbk_ledger_file_close(f);
	memset(storage, 0, sizeof(storage));
}

static void vanished_and_replaced(void **state)
{
	struct owner o = { 0 };

	fake_disk_install();
	assert_int_equal(start(&o), 0);
	assert_int_equal(error_on(&o, 0), 0);
	/* rm ledger */
	assert_int_equal(fbk_sys_file->unlinkat(1000, "ledger", 0), 0);
	assert_int_equal(error_on(&o, 1), -ENOENT);
	o.acked[0] = 0; /* they are gone with it, and come back by the compaction that is asked for */
	assert_true(fbk_ledger_file_wants(o.file) & FBK_LEDGER_FILE_WANTS_COMPACT);
	settle(&o);
	o.acked[0] = o.acked[1] = 1;
	assert_int_equal(error_on(&o, 1), 0);
	/* rm ledger, and somebody else's file in its place: not ours to overwrite */
	assert_int_equal(fbk_sys_file->unlinkat(1000, "ledger", 0), 0);
	strcpy((char *)fake_disk_make("ledger")->data, "hello");
	assert_int_equal(error_on(&o, 1), -ENOENT);
	assert_int_equal(fbk_ledger_file_compact(o.file), -EEXIST);
	assert_string_equal((char *)fake_disk_file("ledger")->data, "hello");
	assert_null(fake_disk_file("ledger.compacting"));
	/* It goes away again. */
	assert_int_equal(fbk_sys_file->unlinkat(1000, "ledger", 0), 0);
	settle(&o);
	o.acked[1] = o.tried[1];
	stop(&o);
	next_life(&o);
}

/* --- damaged, foreign, newer -------------------------------------------------------------------------------------- */

/* A file as a monitor leaves it, without the space it keeps ready. */
static size_t make_file(struct owner *o)
{
	struct fake_file *f;

	fake_disk_install();
	memset(o, 0, sizeof(*o));
	assert_int_equal(start(o), 0);
	live(o);
	stop(o);
	f = fake_disk_file("ledger");
	f->len = 7 * SLOT; /* header, 5 pages, one of them twice */
	fake_disk_sync();
	return f->len;
}

static void cut_at_every_byte(void **state)
{
	static struct owner o;
	static uint8_t was[FAKE_FILE_LEN];
	size_t cut, len = make_file(&o);

	for (cut = 0; cut < len; cut++) {
		struct fake_file *f;
		size_t torn;

		assert_int_equal(make_file(&o), len);
		f = fake_disk_file("ledger");
		memcpy(was, f->data, len);
		memset(f->data + cut, 0, len - cut);
		f->len = cut;
		/* A tail of nothing but zeros is space that was kept ready. */
		for (torn = cut; torn > cut / SLOT * SLOT && !was[torn - 1]; torn--)
			;
		torn -= cut / SLOT * SLOT;
		/* Behind the cut nothing can be known. */
		memset(o.acked, 0, sizeof(o.acked));
		fake_disk_calm();
		assert_int_equal(start(&o), 0);
		judge(&o, &o.ledger);
		assert_int_equal(o.info.records, cut >= SLOT ? cut / SLOT - 1 : 0);
		assert_int_equal(o.info.damaged_slots, torn != 0);
		if (torn) {
			assert_int_equal(o.info.damage_offset, cut / SLOT * SLOT);
			f = fake_disk_file("ledger.damaged-1");
			assert_non_null(f);
			assert_int_equal(f->len, cut % SLOT);
			assert_memory_equal(f->data, was + cut / SLOT * SLOT, f->len);
		} else {
			assert_null(fake_disk_file("ledger.damaged-1"));
		}
		stop(&o);
		next_life(&o);
	}
}

static void every_byte_flipped(void **state)
{
	static struct owner o;
	static uint8_t was[FAKE_FILE_LEN];
	size_t at, len = make_file(&o);

	for (at = 0; at < len; at++) {
		struct fake_file *f;

		assert_int_equal(make_file(&o), len);
		f = fake_disk_file("ledger");
		f->data[at] ^= 0xff;
		memcpy(was, f->data, len);
		memset(o.acked, 0, sizeof(o.acked));
		fake_disk_calm();
		assert_int_equal(start(&o), 0);
		judge(&o, &o.ledger);
		assert_true(fbk_ledger_pages(&o.ledger) >= (at < SLOT ? 5 : 4));
		assert_int_equal(o.info.records, at / SLOT ? 5 : 6);
		assert_int_equal(o.info.damaged_slots, 1);
		assert_int_equal(o.info.damage_offset, at / SLOT * SLOT);
		assert_int_equal(o.info.kept, 1);
		f = fake_disk_file("ledger.damaged-1");
		assert_int_equal(f->len, len - at / SLOT * SLOT);
		assert_memory_equal(f->data, was + at / SLOT * SLOT, f->len);
		stop(&o);
		next_life(&o);
	}
}

/* Each kind of damage by its name, alone and in a row; and what a reader's looking at it may fail with. */
static void damage_by_name(void **state)
{
	static const struct fbk_journal_header other = { .epoch = 12345, .first_seq = 1 };
	static struct owner o;
	struct fbk_ledger_entry e = { .gpa = page(1), .first_ns = 1, .last_ns = 1, .count = 1, .sources = 1, .state = FBK_PAGE_POISONED };
	struct fbk_ledger_damage d[8], clean[8];
	struct fbk_ledger_file *r;
	uint8_t *data;
	uint32_t nr, i, total;
	size_t len;

	len = make_file(&o);
	data = fake_disk_file("ledger")->data;
	assert_true(len >= 7 * SLOT);
	data[SLOT - 1] ^= 1;
	data[SLOT + 4] ^= 1;
	data[2 * SLOT] ^= 1;
	data[3 * SLOT + 1] ^= 1;
	memset(data + 4 * SLOT, 0, SLOT);
	fbk_journal_put_record(data + 5 * SLOT, other.epoch, other.first_seq, &e);
	e.gpa.addr++;
	fbk_journal_put_record(data + 6 * SLOT, other.epoch, other.first_seq, &e);
	/* One whole record, so that it is a ledger at all, and a torn end. */
	e.gpa.addr--;
	fbk_journal_put_record(data + 7 * SLOT, other.epoch, other.first_seq + 6, &e);
	memset(data + 8 * SLOT, 1, 5);
	fake_disk_file("ledger")->len = 8 * SLOT + 5;
	fake_disk_calm();
	assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_READ, NULL, NULL, &r), 0);
	assert_int_equal(fbk_ledger_file_damage(r, d, ARRAY_SIZE(d), &nr), 0);
	/* The first whole record says whose the others should be: the one in slot 5, in its wrong place. */
	static const struct fbk_ledger_damage want[] = {
		{ 0, SLOT, FBK_LEDGER_DAMAGE_HEADER },
		{ SLOT, SLOT, FBK_LEDGER_DAMAGE_CHECKSUM },
		{ 2 * SLOT, 2 * SLOT, FBK_LEDGER_DAMAGE_FOREIGN },
		{ 4 * SLOT, SLOT, FBK_LEDGER_DAMAGE_HOLE },
		{ 6 * SLOT, SLOT, FBK_LEDGER_DAMAGE_NONSENSE },
		{ 7 * SLOT, SLOT, FBK_LEDGER_DAMAGE_MISPLACED },
		{ 8 * SLOT, 5, FBK_LEDGER_DAMAGE_CUT },
	};
	assert_int_equal(nr, ARRAY_SIZE(want));
	for (i = 0; i < nr; i++) {
		assert_int_equal(d[i].offset, want[i].offset);
		assert_int_equal(d[i].len, want[i].len);
		assert_int_equal(d[i].kind, want[i].kind);
	}
	/* As many as there is room for. */
	for (total = nr, i = 0; i < total; i++) {
		memset(clean, 0xee, sizeof(clean));
		assert_int_equal(fbk_ledger_file_damage(r, i ? clean : NULL, i, &nr), 0);
		assert_int_equal(nr, total);
		assert_memory_equal(clean, d, i * sizeof(d[0]));
		assert_int_equal(((uint8_t *)&clean[i])[0], 0xee);
	}
	assert_int_equal(fbk_ledger_file_damage(NULL, d, 1, &nr), -EINVAL);
	assert_int_equal(fbk_ledger_file_damage(r, NULL, 1, &nr), -EINVAL);
	assert_int_equal(fbk_ledger_file_damage(r, d, 1, NULL), -EINVAL);
	/* No room to read into, and no reading. */
	for (i = 1; i <= 2; i++) {
		fake_disk_calm();
		fake_disk.fail_at = fake_disk.fail_until = i;
		fake_disk.fail_errno = EIO;
		nr = 42;
		assert_int_equal(fbk_ledger_file_damage(r, d, 8, &nr), i == 1 ? -ENOMEM : -EIO);
		assert_int_equal(nr, 42);
	}
	fbk_ledger_file_close(r);
	assert_int_equal(fake_disk.nr_allocs, 0);

	for (i = 0; i < FBK_LEDGER_NR_DAMAGES; i++)
		assert_string_not_equal(fbk_ledger_damage_text((enum fbk_ledger_damage_kind)i), "invalid");
	assert_string_equal(fbk_ledger_damage_text(FBK_LEDGER_NR_DAMAGES), "invalid");
}

static void a_full_disk_keeps_damage_where_it_is(void **state)
{
	static uint8_t was[FAKE_FILE_LEN];
	static struct owner o;
	struct fake_file *f;
	uint32_t n;

	for (n = 1;; n++) {
		make_file(&o);
		f = fake_disk_file("ledger");
		f->data[2 * SLOT + 9] ^= 4;
		memcpy(was, f->data, sizeof(was));
		fake_disk_calm();
		fake_disk.fail_at = n;
		fake_disk.fail_until = UINT32_MAX;
		fake_disk.fail_errno = ENOSPC;
		if (start(&o) == 0)
			break;
		/* Until the whole of it stands aside, and the new one is whole. */
		f = fake_disk_file("ledger");
		if (memcmp(f->data, was, sizeof(was)))
			assert_non_null(fake_disk_file("ledger.damaged-1"));
	}
	assert_true(n > 15);
	stop(&o);
}

/* A slot's checksum, bit by bit. */
static void make_whole(uint8_t *slot)
{
	uint32_t crc = ~0u, n;

	for (n = 0; n < 60; n++) {
		crc ^= slot[n];
		for (int b = 0; b < 8; b++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	crc = ~crc;
	memcpy(slot + 60, &crc, 4);
}

/* A file of version 1: a reader leaves it, an owner puts one of today's in its place. */
static void an_older_file(void **state)
{
	static struct owner o;
	struct fbk_ledger_file_info info = { .size = sizeof(info) };
	struct fbk_ledger_file *r;
	struct fake_file *f;
	uint32_t pages;

	make_file(&o);
	f = fake_disk_file("ledger");
	f->data[8] = 1;
	make_whole(f->data);
	fake_disk_calm();
	assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_READ, NULL, &info, &r), 0);
	assert_int_equal(info.version, 1);
	assert_int_equal(info.damaged_slots, 0);
	pages = info.pages;
	assert_true(pages > 0);
	fbk_ledger_file_close(r);
	assert_int_equal(f->data[8], 1);
	assert_int_equal(start(&o), 0);
	assert_int_equal(o.info.version, 1);
	assert_int_equal(o.info.kept, 0);
	stop(&o);
	assert_int_equal(fake_disk_file("ledger")->data[8], 2);
	assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_READ, NULL, &info, &r), 0);
	assert_int_equal(info.version, 2);
	assert_int_equal(info.pages, pages);
	fbk_ledger_file_close(r);
	assert_int_equal(fake_disk.nr_allocs, 0);
}

static void not_ours_not_touched(void **state)
{
	static const struct {
		const char *what;
		size_t at, len; /* of the header, overwritten with 'x' */
		uint8_t version;
		int err;
	} rows[] = {
		{ "foreign", 0, 7 * SLOT, 1, -EBADMSG },
		{ "newer", 0, 0, 3, -EPROTONOSUPPORT },
		{ "newest", 0, 0, 255, -EPROTONOSUPPORT },
		{ "begins like ours, and goes on like nobody's", 8, 7 * SLOT - 8, 1, -EBADMSG },
	};
	static uint8_t was[FAKE_FILE_LEN];
	static struct owner o;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake_file *f;
		struct fbk_ledger_file *r;

		make_file(&o);
		f = fake_disk_file("ledger");
		memset(f->data + rows[i].at, 'x', rows[i].len);
		if (rows[i].version != 1) {
			f->data[8] = rows[i].version;
			make_whole(f->data);
		}
		memcpy(was, f->data, sizeof(was));
		fake_disk_calm();
		assert_int_equal(start(&o), rows[i].err);
		assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_READ, NULL, NULL, &r), rows[i].err);
		assert_ptr_equal(fake_disk_file("ledger"), f);
		assert_memory_equal(f->data, was, sizeof(was));
		assert_int_equal(f->len, 7 * SLOT);
		assert_null(fake_disk_file("ledger.damaged-1"));
		assert_int_equal(o.info.version, rows[i].version != 1 ? rows[i].version : 0);
		assert_int_equal(fake_disk.nr_allocs, 0);
	}
}

static void whose_it_is(void **state)
{
	static const uint8_t mine[16] = "mine", yours[16] = "yours";
	struct fbk_ledger_file_info info = { .size = sizeof(info) };
	struct fbk_ledger_file *f;

	fake_disk_install();
	assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_OWN, mine, NULL, &f), 0);
	fbk_ledger_file_close(f);
	assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_OWN, yours, &info, &f), -ESTALE);
	assert_memory_equal(info.id, mine, 16);
	assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_OWN, mine, NULL, &f), 0);
	fbk_ledger_file_close(f);
	assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_OWN, NULL, NULL, &f), 0);
	fbk_ledger_file_close(f);
}

/* --- beside a writer ---------------------------------------------------------------------------------------------- */

struct beside {
	struct owner *o;
	uint32_t nr;
};

static void look(void *opaque)
{
	struct fbk_ledger_file_info info = { .size = sizeof(info) };
	struct beside *b = opaque;
	struct fbk_ledger_file *f;
	uint64_t storage[ROOM * 4 + 8] = { 0 };
	struct fbk_ledger l;
	uint32_t calls = fake_disk.nr_calls;

	if (fake_disk_file("ledger")) {
		assert_int_equal(fbk_ledger_init(&l, storage, sizeof(storage), ROOM), 0);
		assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_READ, NULL, &info, &f), 0);
		assert_int_equal(info.damaged_slots, 0);
		assert_int_equal(fbk_ledger_file_load(f, &l), 0);
		judge(b->o, &l);
		assert_int_equal(fbk_ledger_file_append(f, page(0), 1, 1), -EINVAL);
		assert_int_equal(fbk_ledger_file_compact(f), -EINVAL);
		fbk_ledger_file_close(f);
		b->nr++;
	}
	fake_disk.nr_calls = calls;
}

static void read_between_any_two_calls(void **state)
{
	static struct owner o;
	struct beside b = { .o = &o };

	fake_disk_install();
	memset(&o, 0, sizeof(o));
	fake_disk.on_call = look;
	fake_disk.opaque = &b;
	assert_int_equal(start(&o), 0);
	live(&o);
	fake_disk_calm();
	stop(&o);
	assert_true(b.nr > 50);
	assert_int_equal(fake_disk.nr_allocs, 0);
}

/* Errors come while a compaction writes. */
static void meanwhile(void *opaque)
{
	struct beside *b = opaque;

	if (b->nr++ != 6)
		return;
	(void)error_on(b->o, 4);
	(void)error_on(b->o, 0);
	assert_int_equal(fbk_ledger_file_compact(b->o->file), -EBUSY);
}

static void appends_during_a_compaction(void **state)
{
	static struct owner o;
	struct beside b = { .o = &o };
	int i;

	fake_disk_install();
	memset(&o, 0, sizeof(o));
	assert_int_equal(start(&o), 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(error_on(&o, (uint32_t)i % 3), 0);
	fake_disk.on_call = meanwhile;
	fake_disk.opaque = &b;
	b.nr = 2; /* in the middle: unlink, openat, flock, pwrite, pwrite */
	assert_int_equal(fbk_ledger_file_compact(o.file), 0);
	fake_disk_calm();
	assert_int_equal(o.acked[4], 1);
	stop(&o);
	fake_disk_reboot(0);
	assert_int_equal(start(&o), 0);
	assert_int_equal(o.info.records, 5 + 0);
	judge(&o, &o.ledger);
	stop(&o);
}

static void one_owner(void **state)
{
	static struct owner a, b;

	fake_disk_install();
	memset(&a, 0, sizeof(a));
	assert_int_equal(start(&a), 0);
	assert_int_equal(start(&b), -EBUSY);
	/* The lock goes along with the file. */
	assert_int_equal(error_on(&a, 0), 0);
	assert_int_equal(fbk_ledger_file_compact(a.file), 0);
	assert_int_equal(start(&b), -EBUSY);
	stop(&a);
	assert_int_equal(start(&b), 0);
	stop(&b);
}

/* The owner puts a new file in place between any two calls of one who would like to have it. */
static void compacts(void *opaque)
{
	struct beside *b = opaque;

	if (b->nr-- == 0)
		assert_int_equal(fbk_ledger_file_compact(b->o->file), 0);
}

static void an_old_file_s_lock_is_worth_nothing(void **state)
{
	static struct owner a, b;
	struct beside beside = { .o = &a };
	uint32_t n;

	for (n = 0; n < 20; n++) {
		fake_disk_install();
		memset(&a, 0, sizeof(a));
		assert_int_equal(start(&a), 0);
		assert_int_equal(error_on(&a, 0), 0);
		fake_disk.on_call = compacts;
		fake_disk.opaque = &beside;
		beside.nr = n;
		assert_int_equal(start(&b), -EBUSY);
		fake_disk_calm();
		stop(&a);
	}
}

static void callers_bugs(void **state)
{
	struct fbk_ledger_file_info info = { .size = 1 };
	struct fbk_ledger_file *f;
	uint64_t storage[16] = { 0 };
	struct fbk_ledger l;
	struct owner o = { 0 };

	fake_disk_install();
	assert_int_equal(fbk_ledger_file_open(NULL, FBK_LEDGER_FILE_OWN, NULL, NULL, &f), -EINVAL);
	assert_int_equal(fbk_ledger_file_open("x", (enum fbk_ledger_file_mode)2, NULL, NULL, &f), -EINVAL);
	assert_int_equal(fbk_ledger_file_open("x", FBK_LEDGER_FILE_OWN, NULL, &info, &f), -EINVAL);
	assert_int_equal(fbk_ledger_file_open("x/", FBK_LEDGER_FILE_OWN, NULL, NULL, &f), -EACCES);
	assert_int_equal(fbk_ledger_file_open("x", FBK_LEDGER_FILE_READ, NULL, NULL, &f), -ENOENT);
	assert_int_equal(fbk_ledger_file_append(NULL, page(0), 1, 1), -EINVAL);
	assert_int_equal(fbk_ledger_file_compact(NULL), -EINVAL);
	assert_int_equal(fbk_ledger_file_wants(NULL), 0);
	assert_int_equal(fbk_ledger_file_pages(NULL), 0);
	fbk_ledger_file_note(NULL, page(0));
	fbk_ledger_file_close(NULL);
	assert_int_equal(start(&o), 0);
	assert_int_equal(fbk_ledger_file_load(o.file, &o.ledger), -EINVAL);
	(void)error_on(&o, 0);
	(void)error_on(&o, 1);
	stop(&o);
	assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_OWN, NULL, NULL, &f), 0);
	assert_int_equal(fbk_ledger_file_append(f, page(0), 1, 1), -EINVAL);
	assert_int_equal(fbk_ledger_init(&l, storage, sizeof(storage), 1), 0);
	assert_int_equal(fbk_ledger_file_load(f, &l), -ENOSPC);
	assert_int_equal(fbk_ledger_pages(&l), 0);
	fbk_ledger_file_close(f);
	assert_int_equal(fake_disk.nr_allocs, 0);
}

/* --- real files --------------------------------------------------------------------------------------------------- */

struct folder {
	char path[64], ledger[96];
};

static struct folder real_folder(void)
{
	struct folder d;

	fake_disk_install(); /* frees what was left */
	fbk_sys = real_sys;
	fbk_sys_file = real_sys_file;
	strcpy(d.path, "/tmp/firebreak-ledger-XXXXXX");
	assert_non_null(mkdtemp(d.path));
	snprintf(d.ledger, sizeof(d.ledger), "%s/ledger", d.path);
	return d;
}

static void remove_folder(const struct folder *d)
{
	static const char *const names[] = { "ledger", "ledger.compacting", "ledger.damaged-1", "link", "fifo" };
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", d->path, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(d->path), 0);
}

static struct fbk_ledger_file *open_real(const struct folder *d, enum fbk_ledger_file_mode mode, struct fbk_ledger *l, uint64_t *storage,
					 size_t len)
{
	struct fbk_ledger_file_info info = { .size = sizeof(info) };
	struct fbk_ledger_file *f;

	memset(storage, 0, len);
	assert_int_equal(fbk_ledger_init(l, storage, len, ROOM), 0);
	assert_int_equal(fbk_ledger_file_open(d->ledger, mode, NULL, &info, &f), 0);
	assert_int_equal(info.damaged_slots, 0);
	assert_int_equal(fbk_ledger_file_load(f, l), 0);
	return f;
}

static void a_second_process_is_told_who_has_it(void **state)
{
	struct folder d = real_folder();
	struct fbk_ledger_file_info info = { .size = sizeof(info) };
	uint64_t storage[ROOM * 4 + 8];
	struct fbk_ledger_file *f = NULL, *again;
	struct fbk_ledger l;
	int fds[2], to[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(pipe(to), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		f = open_real(&d, FBK_LEDGER_FILE_OWN, &l, storage, sizeof(storage));
		_exit(write(fds[1], "x", 1) != 1 || read(to[0], &c, 1) != 1);
	}
	assert_int_equal(read(fds[0], &c, 1), 1);
	assert_int_equal(fbk_ledger_file_open(d.ledger, FBK_LEDGER_FILE_OWN, NULL, &info, &again), -EBUSY);
	/* Not every file system numbers its files as /proc/locks does. */
	assert_true(info.owner_pid == pid || info.owner_pid == 0);
	f = open_real(&d, FBK_LEDGER_FILE_READ, &l, storage, sizeof(storage));
	fbk_ledger_file_close(f);
	assert_int_equal(write(to[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	f = open_real(&d, FBK_LEDGER_FILE_OWN, &l, storage, sizeof(storage));
	fbk_ledger_file_close(f);
	close(fds[0]);
	close(fds[1]);
	close(to[0]);
	close(to[1]);
	remove_folder(&d);
}

static void neither_links_nor_pipes(void **state)
{
	struct folder d = real_folder();
	struct fbk_ledger_file *f;
	char path[128];

	snprintf(path, sizeof(path), "%s/link", d.path);
	assert_int_equal(symlink("ledger", path), 0);
	assert_int_equal(fbk_ledger_file_open(path, FBK_LEDGER_FILE_OWN, NULL, NULL, &f), -EACCES);
	snprintf(path, sizeof(path), "%s/fifo", d.path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(fbk_ledger_file_open(path, FBK_LEDGER_FILE_OWN, NULL, NULL, &f), -EACCES);
	assert_int_equal(fbk_ledger_file_open(path, FBK_LEDGER_FILE_READ, NULL, NULL, &f), -EACCES);
	assert_int_equal(fbk_ledger_file_open(d.path, FBK_LEDGER_FILE_OWN, NULL, NULL, &f), -EACCES);
	snprintf(path, sizeof(path), "%s/no/ledger", d.path);
	assert_int_equal(fbk_ledger_file_open(path, FBK_LEDGER_FILE_OWN, NULL, NULL, &f), -ENOENT);
	if (geteuid()) { /* root may do what it likes */
		int fd = open(d.ledger, O_CREAT | O_WRONLY, 0400);

		close(fd);
		assert_int_equal(fbk_ledger_file_open(d.ledger, FBK_LEDGER_FILE_OWN, NULL, NULL, &f), -EACCES);
	}
	remove_folder(&d);
}

static void who_may_read_it_stays_so(void **state)
{
	struct folder d = real_folder();
	uint64_t storage[ROOM * 4 + 8];
	struct fbk_ledger_file *f;
	struct fbk_ledger l;
	struct stat before, after;

	f = open_real(&d, FBK_LEDGER_FILE_OWN, &l, storage, sizeof(storage));
	assert_int_equal(stat(d.ledger, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0600);
	assert_int_equal(chmod(d.ledger, 0640), 0);
	assert_int_equal(fbk_ledger_file_compact(f), 0);
	assert_int_equal(stat(d.ledger, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_mode & 0777, 0640);
	fbk_ledger_file_close(f);
	remove_folder(&d);
}

/* kill -9 while a process appends and compacts as fast as it can; it says in shared memory what it was promised. */
static void killed_at_any_moment(void **state)
{
	struct folder d = real_folder();
	struct owner *o = mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int round;

	assert_true(o != MAP_FAILED);
	memset(o, 0, sizeof(*o));
	for (round = 0; round < 25; round++) {
		uint64_t storage[ROOM * 4 + 8];
		struct timespec wait = { .tv_nsec = 500000 + (long)round * 700000 };
		struct fbk_ledger_file *f;
		struct fbk_ledger l;
		pid_t pid;
		int fds[2];
		char c;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			uint32_t i, n;

			o->file = open_real(&d, FBK_LEDGER_FILE_OWN, &o->ledger, o->storage, sizeof(o->storage));
			for (n = 0; n < PAGES; n++) {
				struct fbk_ledger_entry e = { 0 };

				o->tried[n] = fbk_ledger_lookup(&o->ledger, page(n), &e) ? 0 : e.count;
			}
			for (i = 0;; i++) {
				n = i % PAGES;
				__atomic_store_n(&o->tried[n], o->tried[n] + 1, __ATOMIC_SEQ_CST);
				if (fbk_ledger_record(&o->ledger, page(n), FBK_SOURCE_SEA, 1000000 * (uint64_t)(999 + o->tried[n]), NULL) < 0 ||
				    fbk_ledger_file_append(o->file, page(n), 1, 1))
					_exit(1);
				__atomic_store_n(&o->acked[n], o->tried[n], __ATOMIC_SEQ_CST);
				if (i == 0 && write(fds[1], "x", 1) != 1)
					_exit(1);
				if (i % 50 == 49 && fbk_ledger_file_compact(o->file))
					_exit(1);
			}
		}
		/* From its first error on, a while that differs from round to round. */
		close(fds[1]);
		assert_int_equal(read(fds[0], &c, 1), 1);
		close(fds[0]);
		nanosleep(&wait, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		f = open_real(&d, FBK_LEDGER_FILE_READ, &l, storage, sizeof(storage));
		judge(o, &l);
		fbk_ledger_file_close(f);
	}
	assert_true(o->acked[0] > 1);
	munmap(o, sizeof(*o));
	remove_folder(&d);
}

/* Threads: two that append, one that compacts, one that reads the file. */
struct crowd {
	struct folder d;
	struct fbk_ledger l;
	struct fbk_ledger_file *f;
	pthread_mutex_t lock; /* the ledger's one writer */
	int done;
	uint32_t bad;
};

#define CROWD_ERRORS 100

static void *crowd_append(void *arg)
{
	struct crowd *c = arg;
	uint32_t i;

	for (i = 0; i < CROWD_ERRORS; i++) {
		int err;

		pthread_mutex_lock(&c->lock);
		err = fbk_ledger_record(&c->l, page(i % 20), FBK_SOURCE_SEA, 1000000, NULL);
		pthread_mutex_unlock(&c->lock);
		fbk_ledger_file_note(c->f, page(i % 7));
		if (err < 0 || fbk_ledger_file_append(c->f, page(i % 20), 1, 1))
			__atomic_add_fetch(&c->bad, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *crowd_compact(void *arg)
{
	struct crowd *c = arg;

	while (!__atomic_load_n(&c->done, __ATOMIC_ACQUIRE)) {
		(void)fbk_ledger_file_wants(c->f);
		if (fbk_ledger_file_compact(c->f))
			__atomic_add_fetch(&c->bad, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *crowd_read(void *arg)
{
	struct crowd *c = arg;

	while (!__atomic_load_n(&c->done, __ATOMIC_ACQUIRE)) {
		struct fbk_ledger_file_info info = { .size = sizeof(info) };
		struct fbk_ledger_file *f;

		if (fbk_ledger_file_open(c->d.ledger, FBK_LEDGER_FILE_READ, NULL, &info, &f)) {
			__atomic_add_fetch(&c->bad, 1, __ATOMIC_RELAXED);
			continue;
		}
		if (info.damaged_slots || info.pages > 20)
			__atomic_add_fetch(&c->bad, 1, __ATOMIC_RELAXED);
		fbk_ledger_file_close(f);
	}
	return NULL;
}

static void a_crowd(void **state)
{
	struct crowd c = { .d = real_folder(), .lock = PTHREAD_MUTEX_INITIALIZER };
	uint64_t storage[ROOM * 4 + 8];
	struct fbk_ledger_entry e;
	uint32_t n, sum = 0;
	pthread_t t[4];

	c.f = open_real(&c.d, FBK_LEDGER_FILE_OWN, &c.l, storage, sizeof(storage));
	assert_int_equal(pthread_create(&t[0], NULL, crowd_append, &c), 0);
	assert_int_equal(pthread_create(&t[1], NULL, crowd_append, &c), 0);
	assert_int_equal(pthread_create(&t[2], NULL, crowd_compact, &c), 0);
	assert_int_equal(pthread_create(&t[3], NULL, crowd_read, &c), 0);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	__atomic_store_n(&c.done, 1, __ATOMIC_RELEASE);
	pthread_join(t[2], NULL);
	pthread_join(t[3], NULL);
	fbk_ledger_file_close(c.f);
	assert_int_equal(c.bad, 0);
	c.f = open_real(&c.d, FBK_LEDGER_FILE_READ, &c.l, storage, sizeof(storage));
	for (n = 0; n < 20; n++) {
		assert_int_equal(fbk_ledger_lookup(&c.l, page(n), &e), 0);
		sum += e.count;
	}
	assert_int_equal(sum, 2 * CROWD_ERRORS);
	fbk_ledger_file_close(c.f);
	remove_folder(&c.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_life),
		cmocka_unit_test(an_append_is_three_calls),
		cmocka_unit_test(power_goes_at_every_call),
		cmocka_unit_test(killed_at_every_call_and_then_the_power_goes),
		cmocka_unit_test(power_goes_while_mending),
		cmocka_unit_test(every_call_fails),
		cmocka_unit_test(failing_and_then_a_power_cut),
		cmocka_unit_test(every_write_comes_short),
		cmocka_unit_test(told_why),
		cmocka_unit_test(more_notes_than_fit),
		cmocka_unit_test(vanished_and_replaced),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(every_byte_flipped),
		cmocka_unit_test(damage_by_name),
		cmocka_unit_test(a_full_disk_keeps_damage_where_it_is),
		cmocka_unit_test(an_older_file),
		cmocka_unit_test(not_ours_not_touched),
		cmocka_unit_test(whose_it_is),
		cmocka_unit_test(read_between_any_two_calls),
		cmocka_unit_test(appends_during_a_compaction),
		cmocka_unit_test(one_owner),
		cmocka_unit_test(an_old_file_s_lock_is_worth_nothing),
		cmocka_unit_test(callers_bugs),
		cmocka_unit_test(a_second_process_is_told_who_has_it),
		cmocka_unit_test(neither_links_nor_pipes),
		cmocka_unit_test(who_may_read_it_stays_so),
		cmocka_unit_test(killed_at_any_moment),
		cmocka_unit_test(a_crowd),
	};

	real_sys = fbk_sys;
	real_sys_file = fbk_sys_file;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
