/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ledger_file.h - the ledger on disk: what is known of bad pages outlives the monitor.
 *
 * A journal: each change of a page appends one record of 64 bytes, which says all that is known of the page
 * (docs/formats/ledger.md). One owner at a time writes it; anybody may read it meanwhile. Besides FILE itself the names
 * FILE.compacting and FILE.damaged-1, -2, ... belong to it.
 *
 * Nothing is ever emptied in silence: the owner who finds damage copies the file, from the first damaged byte to its
 * end, to the next free FILE.damaged-N, and goes on with a file of everything that is whole.
 *
 * Every error is one of those named at the function. info.sys_errno, or fbk_ledger_file_errno(), has the kernel's own.
 */
#ifndef FIREBREAK_LEDGER_FILE_H
#define FIREBREAK_LEDGER_FILE_H

#include <firebreak/ledger.h>
#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FBK_LEDGER_FILE_ID_LEN 16
#define FBK_LEDGER_FILE_WHOLE UINT64_MAX /* damage_offset of a file without damage */

struct fbk_ledger_file;

/* What was found when the file was opened. */
struct fbk_ledger_file_info {
	uint32_t size;			    /* sizeof(struct fbk_ledger_file_info), set by the caller */
	uint32_t version;		    /* of the format; 0: the header is damaged, or the file was empty */
	uint8_t id[FBK_LEDGER_FILE_ID_LEN]; /* whose; zeros: not said */
	uint64_t file_len;		    /* bytes */
	uint64_t records;		    /* whole ones */
	uint32_t pages;			    /* that these are about */
	int32_t owner_pid;		    /* -EBUSY: the owner's process, 0 when the kernel does not say */
	uint64_t damaged_slots;		    /* of 64 bytes */
	uint64_t damage_offset;		    /* of the first; FBK_LEDGER_FILE_WHOLE */
	uint32_t kept;			    /* N of FILE.damaged-N, where the owner has put the damage aside; 0: nowhere */
	int32_t sys_errno;		    /* raw errno behind a failure; 0: none */
};

enum fbk_ledger_file_mode {
	FBK_LEDGER_FILE_OWN,  /* create if need be, lock, mend, write */
	FBK_LEDGER_FILE_READ, /* look only: takes no lock and changes nothing */
};

/**
 * fbk_ledger_file_open - open, and read whole
 * @path: of the file, which must be a regular one and no symbolic link (copied)
 * @mode: owner or reader
 * @id:   FBK_LEDGER_FILE_ID_LEN bytes that name the VM (copied), or NULL: any will do
 * @info: what was found (size set by the caller); also filled on failure, as far as it is known; may be NULL
 * @ret:  the new object, closed with fbk_ledger_file_close()
 *
 * The lock belongs to the open file: a child made by fork() shares it, and must not use the object.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument or no such mode; -ENOMEM; -ENOENT no such folder, or, for a reader, no such file;
 *          -EACCES no permission, a read-only file system, or no regular file; -EBUSY it has an owner already;
 *          -EBADMSG it is no ledger; -EPROTONOSUPPORT it is of a newer format; -ESTALE it is another VM's; -EFBIG more
 *          records than any ledger has pages; -ENOSPC the disk is full, and damage could not be put aside or the file not be
 *          begun; -EIO the kernel refused. In all these cases what is in the
 *          file stays as it was.
 * Context: any thread; may block on the disk, never on the lock.
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_file_open(const char *path, enum fbk_ledger_file_mode mode, const uint8_t *id,
						struct fbk_ledger_file_info *info, struct fbk_ledger_file **ret);

/* What has been noted is not written here: see fbk_ledger_file_flush(). NULL allowed. */
FBK_API void fbk_ledger_file_close(struct fbk_ledger_file *f);

/* Bytes of the file that are in use, its header included; 0 for null. Context: any thread; lock-free. */
FBK_API uint64_t fbk_ledger_file_len(const struct fbk_ledger_file *f);

/* How many pages the file knows: what a ledger for fbk_ledger_file_load() must have room for. */
FBK_API uint32_t fbk_ledger_file_pages(const struct fbk_ledger_file *f);

/**
 * fbk_ledger_file_load - enter what the file knows in a ledger, and let the file follow that ledger from now on
 * @l: borrowed until fbk_ledger_file_close(); pages that it has already are overwritten
 *
 * fbk_vm_create() does it for the VM's ledger.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument, or loaded before; -ENOSPC the ledger is too small (nothing was entered).
 * Context: the ledger's writer.
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_file_load(struct fbk_ledger_file *f, struct fbk_ledger *l);

/* What became of a place in the file that should hold a record. */
enum fbk_ledger_damage_kind {
	FBK_LEDGER_DAMAGE_HEADER,    /* the header is not whole */
	FBK_LEDGER_DAMAGE_HOLE,	     /* zeros before something that was written */
	FBK_LEDGER_DAMAGE_CUT,	     /* the file ends within it */
	FBK_LEDGER_DAMAGE_FOREIGN,   /* does not begin like a record */
	FBK_LEDGER_DAMAGE_CHECKSUM,  /* begins like one, and is torn or changed */
	FBK_LEDGER_DAMAGE_NONSENSE,  /* its checksum fits, and it says what no record can say */
	FBK_LEDGER_DAMAGE_MISPLACED, /* a whole record, of another file or another place */
	FBK_LEDGER_NR_DAMAGES
};

/* A stretch of the file with one kind of damage. */
struct fbk_ledger_damage {
	uint64_t offset, len; /* bytes */
	enum fbk_ledger_damage_kind kind;
};

/**
 * fbk_ledger_file_damage - what is damaged, and how, in the order of the file
 * @ret:    where to, the first ones
 * @room:   how many fit there; 0: @ret may be NULL
 * @ret_nr: how many there are, however many fitted
 *
 * Reads the file again. An owner's has none: it was put aside when the file was opened.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -ENOMEM; -EIO the kernel refused.
 * Context: any thread; may block on the disk.
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_file_damage(struct fbk_ledger_file *f, struct fbk_ledger_damage *ret, uint32_t room,
						  uint32_t *ret_nr);

/* Static string, in words for humans; "invalid" outside the enumeration. */
FBK_API const char *fbk_ledger_damage_text(enum fbk_ledger_damage_kind kind);

/**
 * fbk_ledger_file_heal - every page stands on good memory now, as in a monitor that has just mapped fresh memory
 *
 * Sets the state of all pages, in the ledger and on disk; counts and times stay. Frames that the last process held are not
 * held any more: unknown. Does nothing when there is nothing to change.
 *
 * Return:  0.
 * Errors:  as fbk_ledger_file_compact(); the ledger has the new states then, too.
 * Context: the ledger's writer, before vCPUs run.
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_file_heal(struct fbk_ledger_file *f);

/**
 * fbk_ledger_file_append - write what the ledger says of some pages
 * @gpa:  the first
 * @nr:   how many in a row; those that the ledger does not have are passed over
 * @sync: wait until it is on the disk
 *
 * One pwrite for up to 64 pages, one fdatasync, no allocation. What an earlier call could not write is written first.
 *
 * Return:  0 it is in the file, and with @sync on the disk.
 * Errors:  -EINVAL null argument, a reader's file, or nothing loaded; -ENOENT the file was deleted (a compaction makes it
 *          again); -ENOSPC the disk is full; -EIO the kernel refused. Then the pages are noted, and wanted again.
 * Context: any thread, the ledger's entries made; waits for other appends and the end of a compaction.
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_file_append(struct fbk_ledger_file *f, struct fbk_gpa gpa, uint32_t nr, int sync);

/**
 * fbk_ledger_file_note - a page's entry has changed, and can be written later
 *
 * Written with the next append, flush or compaction. Bounded: what cannot be noted one by one is written by a compaction.
 *
 * Context: any thread; no system call unless two threads meet.
 */
FBK_API void fbk_ledger_file_note(struct fbk_ledger_file *f, struct fbk_gpa gpa);

/* Bits of fbk_ledger_file_wants(). */
#define FBK_LEDGER_FILE_WANTS_FLUSH (1u << 0)
#define FBK_LEDGER_FILE_WANTS_COMPACT (1u << 1)

/**
 * fbk_ledger_file_wants - what the monitor should do when it has time, from a thread that runs no vCPU
 *
 * Return:  FBK_LEDGER_FILE_WANTS_* bits; 0 nothing, or null.
 * Context: any thread; no system call unless two threads meet.
 */
FBK_API uint32_t fbk_ledger_file_wants(struct fbk_ledger_file *f);

/**
 * fbk_ledger_file_flush - write what was noted, and wait until it is on the disk
 *
 * Return:  0.
 * Errors:  as fbk_ledger_file_append().
 * Context: as fbk_ledger_file_append().
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_file_flush(struct fbk_ledger_file *f);

/**
 * fbk_ledger_file_compact - a new file with one record a page in the place of the old one
 *
 * Written beside the old one and put in its place in one step; appends go on meanwhile and wait only for the last one.
 * It also is the cure for what an append could not do: after it everything is in the file again.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument, a reader's file, or nothing loaded; -EBUSY a compaction is under way; -EEXIST another
 *          file stands in this one's place; -EACCES, -ENOSPC, -EIO. Then the old file stays, and stays in use.
 * Context: any thread that runs no vCPU; may block on the disk for long.
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_file_compact(struct fbk_ledger_file *f);

/* The raw errno of the latest failure of an append, flush or compaction; 0: there was none. Context: any thread. */
FBK_API int32_t fbk_ledger_file_errno(const struct fbk_ledger_file *f);

FBK_EXTERN_C_END

#endif
