/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ledger_file.c - the ledger on disk: open and mend, append, compact.
 *
 * Order is what makes it safe. An append is written, then synced, then believed. A new file is written whole, locked and
 * synced under another name, renamed over the old one, and the folder synced, before anything more goes into it. A damaged
 * file is copied aside and the copy synced before a new one takes its place.
 */
#include <firebreak/ledger_file.h>

#include "../core/journal.h"
#include "clock.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SLOT FBK_JOURNAL_SLOT_LEN
#define BATCH 64    /* records in one write */
#define NOTES 256   /* pages that can be noted one by one */
#define RESERVE 256 /* slots kept ready behind the last one: 16 KiB */
#define CHUNK (1024 * SLOT)
#define SLACK 1024   /* records that are no reason to compact */
#define MAX_ASIDE 10000
#define RETRIES 16

struct fbk_ledger_file {
	char *dir, *name, *fresh; /* FILE's folder, its name there, and FILE.compacting */
	int dirfd;
	int writable;
	uint8_t id[FBK_JOURNAL_ID_LEN];
	uint32_t pages;		  /* found at opening */
	struct fbk_ledger found;  /* until they are loaded */
	void *found_storage;
	int32_t sys_errno;

	pthread_mutex_t lock; /* down to the buffer; held over writes and syncs */
	struct fbk_ledger *ledger;
	int fd;
	struct fbk_journal_header header;
	uint64_t end;	/* records in the file: the next one's place */
	int compacting;
	int dir_dirty;	/* the new file's name may not be on the disk yet */
	uint8_t buf[BATCH * SLOT];

	pthread_mutex_t notes_lock; /* the rest; never held over a system call */
	uint64_t note[NOTES];
	uint32_t nr_notes;
	int rewrite; /* only a compaction can make the file say everything again */
};

/* --- errors ------------------------------------------------------------------------------------------------------- */

/* The kernel's errno becomes one of ours. */
static int funnel(int32_t *raw)
{
	int err = errno;

	__atomic_store_n(raw, err, __ATOMIC_RELAXED);
	switch (err) {
	case ENOMEM:
		return -ENOMEM;
	case ENOENT:
	case ENOTDIR:
		return -ENOENT;
	case EACCES:
	case EPERM:
	case EROFS:
	case EISDIR:
	case ELOOP:
	case ENXIO:
		return -EACCES;
	case EWOULDBLOCK:
		return -EBUSY;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return -ENOSPC;
	}
	return -EIO;
}

/* Appends and compactions promise fewer. */
static int funnel_write(struct fbk_ledger_file *f)
{
	int err = funnel(&f->sys_errno);

	return err == -ENOSPC || err == -EACCES ? err : -EIO;
}

/* --- bytes -------------------------------------------------------------------------------------------------------- */

/* Return: bytes, fewer only at the end of the file; -1 and errno. */
static ssize_t read_all(int fd, void *buf, size_t len, uint64_t at)
{
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = fbk_sys_file->pread(fd, (char *)buf + got, len - got, (off_t)(at + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* Return: 0; -1 and errno. @ret_written: how much of it is there in either case. */
static int write_all(int fd, const void *buf, size_t len, uint64_t at, size_t *ret_written)
{
	size_t done = 0;
	int err = 0;
	ssize_t n;

	while (done < len && !err) {
		n = fbk_sys_file->pwrite(fd, (const char *)buf + done, len - done, (off_t)(at + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			err = -1;
		else
			done += (size_t)n;
	}
	*ret_written = done;
	return err;
}

/* --- names -------------------------------------------------------------------------------------------------------- */

static char *join(const char *a, size_t a_len, const char *b)
{
	size_t b_len = strlen(b);
	char *s = fbk_sys->calloc(1, a_len + b_len + 1);

	if (s) {
		memcpy(s, a, a_len);
		memcpy(s + a_len, b, b_len);
	}
	return s;
}

/* The folder stays open: a monitor may change its working directory. */
static int split(struct fbk_ledger_file *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (!*name)
		return -EACCES;
	f->dir = slash ? join(path, (size_t)(slash - path) + 1, "") : join(".", 1, "");
	f->name = join(name, strlen(name), "");
	f->fresh = join(name, strlen(name), ".compacting");
	return f->dir && f->name && f->fresh ? 0 : -ENOMEM;
}

static int same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* --- who has it --------------------------------------------------------------------------------------------------- */

/* The process that /proc/locks names for this file; 0: none, or it does not say. */
static int32_t owner_of(int fd)
{
	char line[4096], *p, *next, *end;
	struct stat st;
	ssize_t n;
	int locks;

	if (fbk_sys_file->fstat(fd, &st))
		return 0;
	locks = fbk_sys_file->openat(AT_FDCWD, "/proc/locks", O_RDONLY | O_CLOEXEC, 0);
	if (locks < 0)
		return 0;
	n = read_all(locks, line, sizeof(line) - 1, 0);
	fbk_sys_file->close(locks);
	if (n <= 0)
		return 0;
	line[n] = '\0';
	/* "12: FLOCK  ADVISORY  WRITE 4321 fe:01:131077 0 EOF" */
	for (p = line; p; p = next) {
		unsigned long pid, ino;

		next = strchr(p, '\n');
		if (next)
			*next++ = '\0';
		p = strstr(p, "FLOCK");
		p = p ? strstr(p, "WRITE ") : NULL;
		if (!p)
			continue;
		pid = strtoul(p + 6, &end, 10);
		p = strchr(end, ':');
		p = p ? strchr(p + 1, ':') : NULL;
		if (!p)
			continue;
		ino = strtoul(p + 1, NULL, 10);
		if (ino == st.st_ino && pid <= INT32_MAX)
			return (int32_t)pid;
	}
	return 0;
}

static int open_locked(struct fbk_ledger_file *f, struct fbk_ledger_file_info *info)
{
	struct stat here, there;
	int tries, err;

	/* The owner may be putting a new file in the place of the one that we have opened: then it is not ours to have. */
	for (tries = 0; tries < RETRIES; tries++) {
		f->fd = fbk_sys_file->openat(f->dirfd, f->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
		if (f->fd < 0)
			return funnel(&f->sys_errno);
		if (fbk_sys_file->fstat(f->fd, &here))
			return funnel(&f->sys_errno);
		if (!S_ISREG(here.st_mode))
			return -EACCES;
		if (fbk_sys_file->flock(f->fd, LOCK_EX | LOCK_NB)) {
			err = funnel(&f->sys_errno);
			if (err != -EBUSY)
				return err == -ENOMEM ? err : -EIO;
			info->owner_pid = owner_of(f->fd);
			return -EBUSY;
		}
		if (fbk_sys_file->fstatat(f->dirfd, f->name, &there, AT_SYMLINK_NOFOLLOW) == 0) {
			if (same_file(&here, &there))
				return 0;
		} else if (errno != ENOENT) {
			return funnel(&f->sys_errno);
		}
		fbk_sys_file->close(f->fd);
		f->fd = -1;
	}
	return -EBUSY;
}

static int open_to_read(struct fbk_ledger_file *f)
{
	struct stat st;

	f->fd = fbk_sys_file->openat(f->dirfd, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	if (f->fd < 0 || fbk_sys_file->fstat(f->fd, &st))
		return funnel(&f->sys_errno);
	return S_ISREG(st.st_mode) ? 0 : -EACCES;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static int enter(struct fbk_ledger *l, const struct fbk_ledger_entry *e)
{
	struct fbk_ledger_entry known;
	int err = fbk_ledger_lookup(l, e->gpa, &known);

	if (err == -ENOENT)
		return fbk_ledger_put(l, e);
	if (err)
		return err;
	fbk_journal_merge(&known, e);
	return fbk_ledger_put(l, &known);
}

/* Everything that is whole goes into f->found. */
static int scan(struct fbk_ledger_file *f, struct fbk_journal *j, uint64_t *ret_len)
{
	uint8_t *buf = fbk_sys->calloc(1, CHUNK);
	struct fbk_ledger_entry e;
	uint64_t at = 0;
	ssize_t n, i;
	int err = 0;

	if (!buf)
		return -ENOMEM;
	fbk_journal_begin(j);
	do {
		n = read_all(f->fd, buf, CHUNK, at);
		if (n < 0)
			err = funnel(&f->sys_errno) == -ENOMEM ? -ENOMEM : -EIO;
		for (i = 0; i < n && !err; i += SLOT) {
			size_t len = n - i < SLOT ? (size_t)(n - i) : SLOT;

			if (fbk_journal_next(j, buf + i, len, &e) != FBK_JOURNAL_RECORD)
				continue;
			err = enter(&f->found, &e);
			/* More of them than when the room for them was made: it grows while we read. */
			err = err == -ENOSPC ? -EAGAIN : err < 0 ? -EBADMSG : 0;
		}
		at += n > 0 ? (uint64_t)n : 0;
	} while (n == CHUNK && !err);
	*ret_len = at;
	fbk_sys->free(buf);
	return err;
}

static int read_file(struct fbk_ledger_file *f, struct fbk_journal *j, struct fbk_ledger_file_info *info)
{
	struct stat st;
	uint64_t room;
	int err, tries;
	size_t len;

	for (tries = 0, err = -EAGAIN; tries < RETRIES && err == -EAGAIN; tries++) {
		fbk_sys->free(f->found_storage);
		f->found_storage = NULL;
		if (fbk_sys_file->fstat(f->fd, &st))
			return funnel(&f->sys_errno) == -ENOMEM ? -ENOMEM : -EIO;
		room = (uint64_t)st.st_size / SLOT + 1;
		if (room > FBK_LEDGER_MAX_PAGES)
			return -EFBIG;
		len = fbk_ledger_storage_len((uint32_t)room);
		f->found_storage = fbk_sys->calloc(1, len);
		if (!f->found_storage)
			return -ENOMEM;
		err = fbk_ledger_init(&f->found, f->found_storage, len, (uint32_t)room);
		if (!err)
			err = scan(f, j, &info->file_len);
		/* What an owner is writing at this moment is not damage: look again. */
		if (!err && !f->writable && j->damaged && tries < 3)
			err = -EAGAIN;
	}
	if (err == -EAGAIN)
		err = -EIO;
	if (err)
		return err;
	info->version = j->header_state == FBK_JOURNAL_HEADER_WHOLE || j->header_state == FBK_JOURNAL_HEADER_NEWER ? j->version : 0;
	memcpy(info->id, j->header.id, sizeof(info->id));
	info->records = j->records;
	info->pages = fbk_ledger_pages(&f->found);
	info->damaged_slots = j->damaged;
	info->damage_offset = j->damage_offset;
	return fbk_journal_verdict(j);
}

/* --- a new file in the old one's place ---------------------------------------------------------------------------- */

struct fresh {
	int fd;
	struct fbk_journal_header header;
	uint64_t end;
	uint32_t fill;
	uint8_t buf[BATCH * SLOT];
};

static int fresh_drain(struct fresh *n)
{
	size_t written;

	if (!n->fill)
		return 0;
	if (write_all(n->fd, n->buf, n->fill * SLOT, (1 + n->end) * SLOT, &written))
		return -1;
	n->end += n->fill;
	n->fill = 0;
	return 0;
}

static int fresh_put(struct fresh *n, const struct fbk_ledger_entry *e)
{
	fbk_journal_put_record(n->buf + n->fill * SLOT, n->header.epoch, n->header.first_seq + n->end + n->fill, e);
	return ++n->fill == BATCH ? fresh_drain(n) : 0;
}

/* With the lock held, or before anybody else has the file. */
static void fresh_init(const struct fbk_ledger_file *f, struct fresh *n)
{
	uint64_t now = fbk_clock_ns(CLOCK_REALTIME);

	n->fd = -1;
	memcpy(n->header.id, f->id, sizeof(n->header.id));
	n->header.epoch = now > f->header.epoch ? now : f->header.epoch + 1;
	n->header.first_seq = f->header.first_seq + f->end;
}

/* Written and locked; not yet synced. Return: 0; -1 and errno. */
static int fresh_begin(struct fbk_ledger_file *f, struct fresh *n, const struct fbk_ledger *l)
{
	struct fbk_ledger_entry e;
	uint8_t head[SLOT];
	uint32_t cursor = 0;
	size_t written;
	struct stat st;

	/* Whoever may read the old file may read the new one. */
	if (fbk_sys_file->fstat(f->fd, &st))
		return -1;
	/* What a killed owner has left there. */
	if (fbk_sys_file->unlinkat(f->dirfd, f->fresh, 0) && errno != ENOENT)
		return -1;
	n->fd = fbk_sys_file->openat(f->dirfd, f->fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				     st.st_mode & 0666);
	if (n->fd < 0)
		return -1;
	fbk_journal_put_header(head, &n->header);
	if (fbk_sys_file->flock(n->fd, LOCK_EX | LOCK_NB) || write_all(n->fd, head, SLOT, 0, &written))
		return -1;
	while (fbk_ledger_next(l, &cursor, &e) == 0)
		if (fresh_put(n, &e))
			return -1;
	return fresh_drain(n);
}

/* With the lock held. Return: 0; -1 and errno. */
static int fresh_finish(struct fbk_ledger_file *f, struct fresh *n)
{
	/* Failing is harmless: then space is taken record by record. */
	(void)fbk_sys_file->fallocate(n->fd, 0, (off_t)((1 + n->end + RESERVE) * SLOT));
	if (fbk_sys_file->fsync(n->fd))
		return -1;
	if (fbk_sys_file->renameat(f->dirfd, f->fresh, f->dirfd, f->name))
		return -1;
	fbk_sys_file->close(f->fd);
	f->fd = n->fd;
	f->header = n->header;
	__atomic_store_n(&f->end, n->end, __ATOMIC_RELAXED);
	f->dir_dirty = 1;
	if (fbk_sys_file->fsync(f->dirfd))
		return -1;
	f->dir_dirty = 0;
	return 0;
}

static void fresh_drop(struct fbk_ledger_file *f, struct fresh *n)
{
	int saved = errno;

	if (n->fd >= 0 && n->fd != f->fd) {
		fbk_sys_file->close(n->fd);
		(void)fbk_sys_file->unlinkat(f->dirfd, f->fresh, 0);
	}
	errno = saved;
}

/* Before anybody else has the file. */
static int rewrite(struct fbk_ledger_file *f, const struct fbk_ledger *l)
{
	struct fresh *n = fbk_sys->calloc(1, sizeof(*n));
	int err;

	if (!n)
		return -ENOMEM;
	fresh_init(f, n);
	err = fresh_begin(f, n, l);
	if (!err)
		err = fresh_finish(f, n);
	if (err) {
		err = funnel_write(f);
		fresh_drop(f, n);
	}
	fbk_sys->free(n);
	return err;
}

/* --- damage ------------------------------------------------------------------------------------------------------- */

/* Without the C library's printf, which a library need not drag in for one number. */
static void aside_name(char *ret, const char *name, uint32_t number)
{
	char digits[10];
	size_t len = strlen(name), n = sizeof(digits);

	memcpy(ret, name, len);
	memcpy(ret + len, ".damaged-", 9);
	len += 9;
	do {
		digits[--n] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	memcpy(ret + len, digits + n, sizeof(digits) - n);
	ret[len + sizeof(digits) - n] = '\0';
}

static int copy_from(struct fbk_ledger_file *f, int to, uint64_t from, uint64_t len)
{
	uint64_t at = 0;
	size_t written;
	ssize_t n;

	while (at < len) {
		n = read_all(f->fd, f->buf, len - at < sizeof(f->buf) ? (size_t)(len - at) : sizeof(f->buf), from + at);
		if (n < 0 || write_all(to, f->buf, (size_t)n, at, &written))
			return -1;
		if (n == 0)
			break;
		at += (uint64_t)n;
	}
	return 0;
}

/* Return: 0; or a negative errno of fbk_ledger_file_open(). */
static int put_aside(struct fbk_ledger_file *f, uint64_t from, uint64_t len, uint32_t *ret_number)
{
	char *name = fbk_sys->calloc(1, strlen(f->name) + 32);
	uint32_t number;
	int to = -1, err;

	if (!name)
		return -ENOMEM;
	for (number = 1; number <= MAX_ASIDE && to < 0; number++) {
		aside_name(name, f->name, number);
		to = fbk_sys_file->openat(f->dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (to < 0 && errno != EEXIST)
			break;
		*ret_number = number;
	}
	err = to < 0 ? -1 : copy_from(f, to, from, len);
	if (!err)
		err = fbk_sys_file->fsync(to);
	if (!err)
		err = fbk_sys_file->fsync(f->dirfd);
	if (err) {
		err = funnel_write(f);
		*ret_number = 0;
		if (to >= 0)
			(void)fbk_sys_file->unlinkat(f->dirfd, name, 0);
	}
	if (to >= 0)
		fbk_sys_file->close(to);
	fbk_sys->free(name);
	return err;
}

/* --- open and close ----------------------------------------------------------------------------------------------- */

static int is_zero(const uint8_t *id)
{
	static const uint8_t none[FBK_JOURNAL_ID_LEN];

	return !memcmp(id, none, sizeof(none));
}

/* The owner's part: the file is read; now make it one that can be written. */
static int take_over(struct fbk_ledger_file *f, const struct fbk_journal *j, const uint8_t *id, struct fbk_ledger_file_info *info)
{
	int err;

	f->header = j->header;
	f->end = j->used ? j->used - 1 : 0;
	memcpy(f->id, is_zero(j->header.id) && id ? id : j->header.id, sizeof(f->id));
	if (j->header_state == FBK_JOURNAL_HEADER_NONE)
		return rewrite(f, &f->found);
	/* Ours go behind a header that says so. */
	if (!j->damaged && j->version != FBK_JOURNAL_VERSION)
		return rewrite(f, &f->found);
	if (j->damaged) {
		err = put_aside(f, j->damage_offset, info->file_len - j->damage_offset, &info->kept);
		return err ? err : rewrite(f, &f->found);
	}
	if (info->file_len % SLOT || info->file_len < (1 + f->end + RESERVE / 2) * SLOT)
		(void)fbk_sys_file->fallocate(f->fd, 0, (off_t)((1 + f->end + RESERVE) * SLOT));
	(void)fbk_sys_file->unlinkat(f->dirfd, f->fresh, 0);
	/* Its former owner may have been killed between a write and its sync, or a rename and its. */
	f->dir_dirty = 1;
	if (fbk_sys_file->fdatasync(f->fd) || fbk_sys_file->fsync(f->dirfd))
		return funnel_write(f);
	f->dir_dirty = 0;
	return 0;
}

int fbk_ledger_file_open(const char *path, enum fbk_ledger_file_mode mode, const uint8_t *id, struct fbk_ledger_file_info *info,
			 struct fbk_ledger_file **ret)
{
	struct fbk_ledger_file_info found = { .size = sizeof(found), .damage_offset = FBK_LEDGER_FILE_WHOLE };
	struct fbk_ledger_file *f;
	struct fbk_journal j;
	int err;

	if (!path || !ret || (mode != FBK_LEDGER_FILE_OWN && mode != FBK_LEDGER_FILE_READ) || (info && info->size != sizeof(*info)))
		return -EINVAL;
	f = fbk_sys->calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->dirfd = -1;
	f->fd = -1;
	f->writable = mode == FBK_LEDGER_FILE_OWN;
	if (pthread_mutex_init(&f->lock, NULL)) {
		fbk_sys->free(f);
		return -ENOMEM;
	}
	if (pthread_mutex_init(&f->notes_lock, NULL)) {
		pthread_mutex_destroy(&f->lock);
		fbk_sys->free(f);
		return -ENOMEM;
	}
	err = split(f, path);
	if (err)
		goto failed;
	f->dirfd = fbk_sys_file->openat(AT_FDCWD, f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (f->dirfd < 0) {
		err = funnel(&f->sys_errno);
		goto failed;
	}
	err = f->writable ? open_locked(f, &found) : open_to_read(f);
	if (err)
		goto failed;
	err = read_file(f, &j, &found);
	if (err)
		goto failed;
	if (id && !is_zero(id) && !is_zero(j.header.id) && memcmp(id, j.header.id, sizeof(j.header.id))) {
		err = -ESTALE;
		goto failed;
	}
	err = f->writable ? take_over(f, &j, id, &found) : 0;
	if (err)
		goto failed;
	f->pages = found.pages;
	if (info)
		*info = found;
	*ret = f;
	return 0;

failed:
	found.sys_errno = f->sys_errno;
	fbk_ledger_file_close(f);
	if (info)
		*info = found;
	return err;
}

void fbk_ledger_file_close(struct fbk_ledger_file *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		fbk_sys_file->close(f->fd);
	if (f->dirfd >= 0)
		fbk_sys_file->close(f->dirfd);
	pthread_mutex_destroy(&f->notes_lock);
	pthread_mutex_destroy(&f->lock);
	fbk_sys->free(f->found_storage);
	fbk_sys->free(f->dir);
	fbk_sys->free(f->name);
	fbk_sys->free(f->fresh);
	fbk_sys->free(f);
}

uint32_t fbk_ledger_file_pages(const struct fbk_ledger_file *f)
{
	return f ? f->pages : 0;
}

int32_t fbk_ledger_file_errno(const struct fbk_ledger_file *f)
{
	return f ? __atomic_load_n(&f->sys_errno, __ATOMIC_RELAXED) : 0;
}

uint64_t fbk_ledger_file_len(const struct fbk_ledger_file *f)
{
	return f ? (1 + __atomic_load_n(&f->end, __ATOMIC_RELAXED)) * SLOT : 0;
}

/* --- what is damaged ---------------------------------------------------------------------------------------------- */

struct survey {
	struct fbk_ledger_damage *ret, last; /* last: still growing, once nr is not 0 */
	uint32_t room, nr;
};

static void survey_flush(struct survey *v)
{
	if (v->nr && v->nr <= v->room)
		v->ret[v->nr - 1] = v->last;
}

static void survey_add(struct survey *v, uint64_t offset, uint64_t len, enum fbk_ledger_damage_kind kind)
{
	if (v->nr && v->last.kind == kind && v->last.offset + v->last.len == offset) {
		v->last.len += len;
		return;
	}
	survey_flush(v);
	v->nr++;
	v->last = (struct fbk_ledger_damage){ .offset = offset, .len = len, .kind = kind };
}

static void survey_slot(struct survey *v, struct fbk_journal *j, const uint8_t *buf, size_t len)
{
	uint64_t hole = j->free_run, at = j->slots * SLOT;
	struct fbk_ledger_entry e;
	enum fbk_journal_slot slot = fbk_journal_next(j, buf, len, &e);

	/* Free slots turn out to be a hole when something follows. */
	if (hole && slot != FBK_JOURNAL_FREE)
		survey_add(v, at - hole * SLOT, hole * SLOT, FBK_LEDGER_DAMAGE_HOLE);
	if (slot == FBK_JOURNAL_DAMAGED)
		survey_add(v, at, len, fbk_journal_damage_kind(j, buf, len));
}

int fbk_ledger_file_damage(struct fbk_ledger_file *f, struct fbk_ledger_damage *ret, uint32_t room, uint32_t *ret_nr)
{
	struct survey v = { .ret = ret, .room = room };
	struct fbk_journal j;
	uint8_t *buf;
	uint64_t at = 0;
	ssize_t n, i;

	if (!f || !ret_nr || (room && !ret))
		return -EINVAL;
	buf = fbk_sys->calloc(1, CHUNK);
	if (!buf)
		return -ENOMEM;
	fbk_journal_begin(&j);
	do {
		n = read_all(f->fd, buf, CHUNK, at);
		for (i = 0; i < n; i += SLOT)
			survey_slot(&v, &j, buf + i, n - i < SLOT ? (size_t)(n - i) : SLOT);
		at += n > 0 ? (uint64_t)n : 0;
	} while (n == CHUNK);
	fbk_sys->free(buf);
	if (n < 0) {
		(void)funnel(&f->sys_errno);
		return -EIO;
	}
	survey_flush(&v);
	*ret_nr = v.nr;
	return 0;
}

const char *fbk_ledger_damage_text(enum fbk_ledger_damage_kind kind)
{
	static const char *const words[] = {
		[FBK_LEDGER_DAMAGE_HEADER] = "the header is not whole",
		[FBK_LEDGER_DAMAGE_HOLE] = "zeros before something that was written",
		[FBK_LEDGER_DAMAGE_CUT] = "the file ends within a record",
		[FBK_LEDGER_DAMAGE_FOREIGN] = "does not begin like a record",
		[FBK_LEDGER_DAMAGE_CHECKSUM] = "a record that is torn or changed: its checksum does not fit",
		[FBK_LEDGER_DAMAGE_NONSENSE] = "a record whose checksum fits, and that says what none can say",
		[FBK_LEDGER_DAMAGE_MISPLACED] = "a whole record of another file or another place",
	};

	return (unsigned int)kind < FBK_LEDGER_NR_DAMAGES ? words[kind] : "invalid";
}

/* --- the ledger in memory ----------------------------------------------------------------------------------------- */

int fbk_ledger_file_load(struct fbk_ledger_file *f, struct fbk_ledger *l)
{
	struct fbk_ledger_entry e;
	uint32_t cursor = 0, fresh = 0;

	if (!f || !l || f->ledger)
		return -EINVAL;
	while (fbk_ledger_next(&f->found, &cursor, &e) == 0)
		fresh += fbk_ledger_lookup(l, e.gpa, NULL) == -ENOENT;
	if (fresh > l->max_pages - fbk_ledger_pages(l))
		return -ENOSPC;
	cursor = 0;
	while (fbk_ledger_next(&f->found, &cursor, &e) == 0)
		if (fbk_ledger_put(l, &e) < 0)
			return -EINVAL;
	f->ledger = l;
	fbk_sys->free(f->found_storage);
	f->found_storage = NULL;
	return 0;
}

int fbk_ledger_file_heal(struct fbk_ledger_file *f)
{
	struct fbk_ledger_entry e;
	uint32_t cursor = 0, changed = 0;

	if (!f || !f->writable || !f->ledger)
		return -EINVAL;
	while (fbk_ledger_next(f->ledger, &cursor, &e) == 0) {
		if (e.state != FBK_PAGE_HEALED && fbk_ledger_set_state(f->ledger, e.gpa, FBK_PAGE_HEALED) == 0)
			changed++;
		/* The process that held it is gone. */
		if (e.frame == FBK_FRAME_PINNED && fbk_ledger_set_frame(f->ledger, e.gpa, FBK_FRAME_UNKNOWN) == 0)
			changed++;
	}
	if (!changed)
		return 0;
	/* Wanted again, should it fail now. */
	pthread_mutex_lock(&f->notes_lock);
	f->rewrite = 1;
	pthread_mutex_unlock(&f->notes_lock);
	return fbk_ledger_file_compact(f);
}

/* --- append ------------------------------------------------------------------------------------------------------- */

static void note(struct fbk_ledger_file *f, uint64_t page)
{
	uint32_t i;

	for (i = 0; i < f->nr_notes; i++)
		if (f->note[i] == page)
			return;
	if (f->nr_notes == NOTES)
		f->rewrite = 1;
	else
		f->note[f->nr_notes++] = page;
}

void fbk_ledger_file_note(struct fbk_ledger_file *f, struct fbk_gpa gpa)
{
	if (!f || !f->writable)
		return;
	pthread_mutex_lock(&f->notes_lock);
	note(f, gpa.addr & FBK_PAGE_MASK);
	pthread_mutex_unlock(&f->notes_lock);
}

/* With the lock held: what is buffered goes behind the last record. */
static int drain(struct fbk_ledger_file *f, uint32_t *fill)
{
	size_t written;
	int err;

	if (!*fill)
		return 0;
	err = write_all(f->fd, f->buf, *fill * SLOT, (1 + f->end) * SLOT, &written);
	/* Whole records are there and stay; one that is torn is overwritten by the next. */
	__atomic_store_n(&f->end, f->end + written / SLOT, __ATOMIC_RELAXED); /* fbk_ledger_file_wants() has a look */
	*fill = 0;
	return err ? funnel_write(f) : 0;
}

static int put(struct fbk_ledger_file *f, uint64_t page, uint32_t *fill)
{
	struct fbk_ledger_entry e;

	if (fbk_ledger_lookup(f->ledger, (struct fbk_gpa){ page }, &e))
		return 0;
	fbk_journal_put_record(f->buf + *fill * SLOT, f->header.epoch, f->header.first_seq + f->end + *fill, &e);
	return ++*fill == BATCH ? drain(f, fill) : 0;
}

static int settle(struct fbk_ledger_file *f, int sync, int *ret_rewrite)
{
	struct stat st;

	if (sync && f->dir_dirty) {
		if (fbk_sys_file->fsync(f->dirfd))
			return funnel_write(f);
		f->dir_dirty = 0;
	}
	if (sync && fbk_sys_file->fdatasync(f->fd)) {
		/* The kernel tells of it once and forgets what it could not write, records of earlier calls perhaps as well. */
		*ret_rewrite = 1;
		return funnel_write(f);
	}
	if (fbk_sys_file->fstat(f->fd, &st))
		return funnel_write(f);
	if (st.st_nlink == 0) {
		*ret_rewrite = 1;
		return -ENOENT;
	}
	return 0;
}

int fbk_ledger_file_append(struct fbk_ledger_file *f, struct fbk_gpa gpa, uint32_t nr, int sync)
{
	uint64_t page = gpa.addr & FBK_PAGE_MASK;
	uint32_t fill = 0, noted, i;
	int err = 0, again = 0;

	if (!f || !f->writable || !f->ledger)
		return -EINVAL;
	pthread_mutex_lock(&f->lock);
	/* Only a holder of the lock takes notes away, so the first ones stay where they are. */
	pthread_mutex_lock(&f->notes_lock);
	noted = f->nr_notes;
	pthread_mutex_unlock(&f->notes_lock);
	for (i = 0; i < noted && !err; i++)
		err = put(f, __atomic_load_n(&f->note[i], __ATOMIC_RELAXED), &fill);
	for (i = 0; i < nr && !err; i++)
		err = put(f, page + i * FBK_PAGE_SIZE, &fill);
	if (!err)
		err = drain(f, &fill);
	if (!err)
		err = settle(f, sync, &again);
	/* Of the errors of a write only these two are told here. */
	if (err && err != -ENOSPC && err != -ENOENT)
		err = -EIO;

	pthread_mutex_lock(&f->notes_lock);
	if (err) {
		for (i = 0; i < nr && i <= NOTES; i++)
			note(f, page + i * FBK_PAGE_SIZE);
		f->rewrite |= again;
	} else {
		memmove(f->note, f->note + noted, (f->nr_notes - noted) * sizeof(f->note[0]));
		f->nr_notes -= noted;
	}
	pthread_mutex_unlock(&f->notes_lock);
	pthread_mutex_unlock(&f->lock);
	return err;
}

int fbk_ledger_file_flush(struct fbk_ledger_file *f)
{
	return fbk_ledger_file_append(f, (struct fbk_gpa){ 0 }, 0, 1);
}

/* --- compact ------------------------------------------------------------------------------------------------------ */

uint32_t fbk_ledger_file_wants(struct fbk_ledger_file *f)
{
	uint32_t wants = 0;
	uint64_t end;

	if (!f || !f->writable || !f->ledger)
		return 0;
	/* A look that comes too early or too late does no harm. */
	end = __atomic_load_n(&f->end, __ATOMIC_RELAXED);
	if (end > 2 * (uint64_t)fbk_ledger_pages(f->ledger) + SLACK)
		wants |= FBK_LEDGER_FILE_WANTS_COMPACT;
	pthread_mutex_lock(&f->notes_lock);
	if (f->nr_notes)
		wants |= FBK_LEDGER_FILE_WANTS_FLUSH;
	if (f->rewrite)
		wants |= FBK_LEDGER_FILE_WANTS_COMPACT;
	pthread_mutex_unlock(&f->notes_lock);
	return wants;
}

/* With the lock held: what was appended to the old file while the new one was written. Return: 0; -1 and errno. */
static int catch_up(struct fbk_ledger_file *f, struct fresh *n, uint64_t from)
{
	struct fbk_ledger_entry e;
	struct fbk_journal j;
	uint64_t at, i, nr;

	for (at = from; at < f->end; at += nr) {
		nr = f->end - at < BATCH ? f->end - at : BATCH;
		if (read_all(f->fd, f->buf, nr * SLOT, (1 + at) * SLOT) != (ssize_t)(nr * SLOT)) {
			errno = EIO;
			return -1;
		}
		/* A place in the middle of a file whose header is known. */
		fbk_journal_begin(&j);
		j.slots = 1 + at;
		j.header = f->header;
		j.based = 1;
		for (i = 0; i < nr; i++) {
			if (fbk_journal_next(&j, f->buf + i * SLOT, SLOT, &e) != FBK_JOURNAL_RECORD) {
				errno = EIO;
				return -1;
			}
			/* What memory says is as new, or newer. */
			if (fbk_ledger_lookup(f->ledger, e.gpa, &e) == 0 && fresh_put(n, &e))
				return -1;
		}
	}
	return fresh_drain(n);
}

/* With the lock held: is ours the file at that name, or is there none? */
static int in_place(struct fbk_ledger_file *f)
{
	struct stat here, there;

	if (fbk_sys_file->fstat(f->fd, &here))
		return funnel_write(f);
	if (fbk_sys_file->fstatat(f->dirfd, f->name, &there, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : funnel_write(f);
	return same_file(&here, &there) ? 0 : -EEXIST;
}

int fbk_ledger_file_compact(struct fbk_ledger_file *f)
{
	struct fresh *n;
	uint64_t from;
	int err, had = 0;

	if (!f || !f->writable || !f->ledger)
		return -EINVAL;
	n = fbk_sys->calloc(1, sizeof(*n));
	if (!n)
		return -EIO;
	pthread_mutex_lock(&f->lock);
	if (f->compacting) {
		pthread_mutex_unlock(&f->lock);
		fbk_sys->free(n);
		return -EBUSY;
	}
	f->compacting = 1;
	fresh_init(f, n);
	from = f->end;
	pthread_mutex_lock(&f->notes_lock);
	had = f->rewrite;
	f->rewrite = 0; /* by what comes from now on it is set again */
	pthread_mutex_unlock(&f->notes_lock);
	pthread_mutex_unlock(&f->lock);

	err = fresh_begin(f, n, f->ledger);
	/* Most of it reaches the disk before anybody has to wait. */
	if (!err)
		err = fbk_sys_file->fsync(n->fd);
	if (err)
		err = funnel_write(f);

	pthread_mutex_lock(&f->lock);
	if (!err)
		err = in_place(f);
	if (!err && (catch_up(f, n, from) || fresh_finish(f, n)))
		err = funnel_write(f);
	if (err)
		fresh_drop(f, n);
	f->compacting = 0;
	pthread_mutex_lock(&f->notes_lock);
	if (err)
		f->rewrite |= had;
	pthread_mutex_unlock(&f->notes_lock);
	pthread_mutex_unlock(&f->lock);
	fbk_sys->free(n);
	return err;
}
