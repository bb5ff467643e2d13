/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * cper_parse.h - error records read back: a generic error status block, as in a guest's error block, GHES or BERT, or a
 * whole CPER record, as in pstore and ERST.
 *
 * The bytes are anybody's. fbk_cper_parse() looks at every count, length and offset in them once, and says exactly what is
 * wrong and where; what it has let pass can then be walked without a further check. Views borrow the bytes, which must not
 * change meanwhile: copy what a guest can write first.
 */
#ifndef FIREBREAK_CPER_PARSE_H
#define FIREBREAK_CPER_PARSE_H

#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FBK_CPER_MAX_LEN (1u << 20) /* longest record that is taken */
#define FBK_CPER_GUID_LEN 16	    /* as it lies in memory: the first three fields little-endian */
#define FBK_CPER_FRU_TEXT_LEN 20

enum fbk_cper_form {
	FBK_CPER_BLOCK,	 /* generic error status block [ACPI "Generic Error Status Block"] */
	FBK_CPER_RECORD, /* CPER record [UEFI "Error Record Header"] */
};

/* What a malformed record has wrong. */
enum fbk_cper_flaw {
	FBK_CPER_FLAW_SHORT,	 /* a header begins here, and the bytes end within it */
	FBK_CPER_FLAW_FOREIGN,	 /* neither a status block nor a record */
	FBK_CPER_FLAW_REVISION,	 /* a layout that is not known */
	FBK_CPER_FLAW_EMPTY,	 /* a count or a length is zero that must not be */
	FBK_CPER_FLAW_LENGTH,	 /* a length does not even hold the fixed part */
	FBK_CPER_FLAW_TRUNCATED, /* a length or an offset leads beyond the end */
	FBK_CPER_FLAW_OVERLAP,	 /* two parts share bytes */
	FBK_CPER_FLAW_COUNT,	 /* more parts are counted than there is room for */
	FBK_CPER_FLAW_FIELD,	 /* a field is said to be valid that the section is too short to have */
	FBK_CPER_FLAW_TOO_LONG,	 /* longer than FBK_CPER_MAX_LEN */
};

/* The first flaw that was met. */
struct fbk_cper_fault {
	enum fbk_cper_flaw flaw;
	uint32_t offset; /* of the field that says so, from the first byte */
};

/* [UEFI "Error Record Header", Timestamp]. UTC is not promised. */
struct fbk_cper_time {
	uint32_t stated; /* 0: there is none, or it is no date; the rest is 0 then */
	uint32_t precise; /* of the error itself, not of its being collected */
	uint32_t year, month, day, hour, minute, second;
};

/* Bits of fbk_cper_view.valid; FBK_CPER_RECORD only. */
#define FBK_CPER_HAS_PLATFORM (1u << 0)
#define FBK_CPER_HAS_TIMESTAMP (1u << 1)
#define FBK_CPER_HAS_PARTITION (1u << 2)

/* A record that is whole. */
struct fbk_cper_view {
	const uint8_t *bytes; /* borrowed */
	uint32_t len;	      /* of them that the record takes; raw data behind a status block not counted */
	enum fbk_cper_form form;
	uint32_t severity; /* 0 recoverable, 1 fatal, 2 corrected, 3 informational */
	uint32_t nr_sections;

	/* FBK_CPER_BLOCK */
	uint32_t block_status;
	uint32_t raw_offset, raw_len; /* raw_len 0: none */

	/* FBK_CPER_RECORD */
	uint32_t revision;
	uint32_t valid;
	uint32_t flags;
	uint32_t reserved;
	struct fbk_cper_time time;
	uint8_t platform[FBK_CPER_GUID_LEN], partition[FBK_CPER_GUID_LEN];
	uint8_t creator[FBK_CPER_GUID_LEN], notification[FBK_CPER_GUID_LEN];
	uint64_t record_id;
	uint64_t persistence;
};

enum fbk_cper_kind {
	FBK_CPER_UNKNOWN = 0, /* a type that is not taken apart here */
	FBK_CPER_MEMORY = 1,  /* platform memory error, 73 bytes or, since UEFI 2.3, 80 */
	FBK_CPER_MEMORY2 = 2, /* platform memory error 2 */
	FBK_CPER_ARM = 3,     /* ARM processor error */
};

/* Bits of fbk_cper_section.valid. */
#define FBK_CPER_HAS_FRU_ID (1u << 0)
#define FBK_CPER_HAS_FRU_TEXT (1u << 1)
#define FBK_CPER_HAS_TIME (1u << 2) /* status block, revision 0x300 */

/* What a generic error data entry or a section descriptor says, and where its section lies. */
struct fbk_cper_section {
	enum fbk_cper_kind kind;
	uint32_t severity;
	uint32_t revision;
	uint32_t valid;
	uint32_t flags;
	uint32_t header_offset; /* of the entry or descriptor */
	uint32_t offset, len;	/* of the section itself */
	uint8_t type[FBK_CPER_GUID_LEN];
	uint8_t fru_id[FBK_CPER_GUID_LEN];
	char fru_text[FBK_CPER_FRU_TEXT_LEN + 4]; /* NUL-terminated; any byte may be in it */
	struct fbk_cper_time time;
	const uint8_t *body; /* borrowed */
};

/* Fields of a memory error, of either version. Values are stable. */
enum fbk_cper_memory_field {
	FBK_CPER_MEMORY_STATUS = 0,
	FBK_CPER_MEMORY_ADDRESS = 1, /* physical */
	FBK_CPER_MEMORY_MASK = 2,
	FBK_CPER_MEMORY_NODE = 3,
	FBK_CPER_MEMORY_CARD = 4,
	FBK_CPER_MEMORY_MODULE = 5,
	FBK_CPER_MEMORY_BANK = 6,
	FBK_CPER_MEMORY_DEVICE = 7,
	FBK_CPER_MEMORY_ROW = 8,
	FBK_CPER_MEMORY_COLUMN = 9,
	FBK_CPER_MEMORY_BIT_POSITION = 10,
	FBK_CPER_MEMORY_REQUESTOR = 11,
	FBK_CPER_MEMORY_RESPONDER = 12,
	FBK_CPER_MEMORY_TARGET = 13,
	FBK_CPER_MEMORY_TYPE = 14,
	FBK_CPER_MEMORY_RANK = 15,
	FBK_CPER_MEMORY_CARD_HANDLE = 16,
	FBK_CPER_MEMORY_MODULE_HANDLE = 17,
	FBK_CPER_MEMORY_ROW_HIGH = 18, /* version 1: bits 17:16 of the row */
	FBK_CPER_MEMORY_BANK_GROUP = 19,
	FBK_CPER_MEMORY_BANK_ADDRESS = 20,
	FBK_CPER_MEMORY_CHIP = 21,
	FBK_CPER_MEMORY_STATE = 22, /* version 2: bit 0 set, uncorrected */
	FBK_CPER_NR_MEMORY_FIELDS
};

struct fbk_cper_memory {
	uint32_t valid; /* bit (1u << enum fbk_cper_memory_field) */
	uint32_t version; /* 1 or 2 */
	uint64_t value[FBK_CPER_NR_MEMORY_FIELDS]; /* 0 unless valid */
};

/* Bits of fbk_cper_arm.valid. */
#define FBK_CPER_ARM_HAS_MPIDR (1u << 0)
#define FBK_CPER_ARM_HAS_AFFINITY (1u << 1)
#define FBK_CPER_ARM_HAS_RUNNING (1u << 2)
#define FBK_CPER_ARM_HAS_VENDOR (1u << 3)

struct fbk_cper_arm {
	uint32_t valid;
	uint32_t nr_infos, nr_contexts;
	uint32_t len; /* as the section says of itself */
	uint32_t affinity;
	uint32_t running; /* bit 0 */
	uint32_t psci;	  /* state, when not running */
	uint32_t contexts_at, vendor_at; /* in body */
	uint64_t mpidr, midr;
	const uint8_t *body; /* borrowed */
};

/* Bits of fbk_cper_arm_info.valid. */
#define FBK_CPER_ARM_INFO_HAS_MULTIPLE (1u << 0)
#define FBK_CPER_ARM_INFO_HAS_FLAGS (1u << 1)
#define FBK_CPER_ARM_INFO_HAS_INFORMATION (1u << 2)
#define FBK_CPER_ARM_INFO_HAS_VA (1u << 3)
#define FBK_CPER_ARM_INFO_HAS_PA (1u << 4)

/* fbk_cper_arm_info.kinds: several may be set. */
#define FBK_CPER_ARM_CACHE (1u << 1)
#define FBK_CPER_ARM_TLB (1u << 2)
#define FBK_CPER_ARM_BUS (1u << 3)
#define FBK_CPER_ARM_MICRO (1u << 4)

struct fbk_cper_arm_info {
	uint32_t offset, len; /* in the section */
	uint32_t version;
	uint32_t valid;
	uint32_t type;	/* as it stands there */
	uint32_t kinds; /* FBK_CPER_ARM_*, whichever revision's way of saying it was used; 0: none of them */
	uint32_t multiple; /* 0: a single error, 1: several, else so many */
	uint32_t flags;
	uint64_t information;
	uint64_t va, pa;
};

/* One field of fbk_cper_arm_info.information. The words are static. */
struct fbk_cper_arm_field {
	const char *key;  /* as in the JSON */
	const char *text; /* the same for people */
	const char *name; /* the value in words, as in the JSON; NULL: it is a flag or a number */
	uint64_t value;
	uint32_t flag; /* 1: yes or no */
	uint32_t reserved;
};

struct fbk_cper_arm_context {
	uint32_t version;
	uint32_t type;
	uint32_t len;	       /* of the registers */
	uint32_t reserved;
	const uint8_t *regs; /* borrowed */
};

/**
 * fbk_cper_parse - is this a whole record, and of which form?
 * @bytes: the record (borrowed by the view); what follows it is not looked at
 * @len:   bytes there are
 * @ret:   the view
 * @fault: with -EBADMSG, what is wrong and where; may be NULL
 *
 * Bytes that begin with "CPER" are a record, any others a status block. Sections of every known kind are looked into;
 * sections of unknown type are bounded and no more. A status block may count fewer entries than it has.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -EBADMSG malformed: see @fault.
 * Context: pure; time grows with the length, and with the square of the number of sections if they are out of order.
 * Spec:    [ACPI "Generic Error Status Block", "Generic Error Data Entry"], [UEFI "Error Record Header", "Section
 *          Descriptor"]
 */
FBK_API FBK_MUST_CHECK int fbk_cper_parse(const void *bytes, size_t len, struct fbk_cper_view *ret,
					  struct fbk_cper_fault *fault);

/**
 * fbk_cper_flaw_text - a flaw in words for humans
 *
 * Return:  static string; "invalid" outside the enumeration.
 */
FBK_API const char *fbk_cper_flaw_text(enum fbk_cper_flaw flaw);

/**
 * fbk_cper_section_next - the sections, in the order of their entries or descriptors
 * @cursor: 0 before the first call; advanced on success
 *
 * Return:  0.
 * Errors:  -EINVAL null argument, or no cursor of this view's; -ENOENT no more.
 * Context: pure.
 */
FBK_API FBK_MUST_CHECK int fbk_cper_section_next(const struct fbk_cper_view *v, uint32_t *cursor,
						 struct fbk_cper_section *ret);

/**
 * fbk_cper_memory_read - what a memory error section says
 * @s: from fbk_cper_section_next()
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -ENODATA the section is of another kind.
 * Context: pure.
 * Spec:    [UEFI "Memory Error Section", "Memory Error Section 2"]
 */
FBK_API FBK_MUST_CHECK int fbk_cper_memory_read(const struct fbk_cper_section *s, struct fbk_cper_memory *ret);

/**
 * fbk_cper_arm_read - what an ARM processor error section says
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -ENODATA the section is of another kind.
 * Context: pure.
 * Spec:    [UEFI "ARM Processor Error Section"]
 */
FBK_API FBK_MUST_CHECK int fbk_cper_arm_read(const struct fbk_cper_section *s, struct fbk_cper_arm *ret);

/**
 * fbk_cper_arm_info_next, fbk_cper_arm_context_next - its error information and context structures
 * @cursor: 0 before the first call; advanced on success
 *
 * Up to UEFI 2.9 the type is a number (0 cache, 1 TLB, 2 bus, 3 micro-architectural), since then a set of bits (1 cache, 2
 * TLB, 3 bus, 4 micro-architectural). A value that has bit 0, or is 0, can only be meant in the old way; any other is read
 * in the new.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument, or no cursor of this section's; -ENOENT no more.
 * Context: pure.
 * Spec:    [UEFI "ARM Processor Error Information Structure", "ARM Processor Context Information"]
 */
FBK_API FBK_MUST_CHECK int fbk_cper_arm_info_next(const struct fbk_cper_arm *a, uint32_t *cursor,
						  struct fbk_cper_arm_info *ret);
FBK_API FBK_MUST_CHECK int fbk_cper_arm_context_next(const struct fbk_cper_arm *a, uint32_t *cursor,
						     struct fbk_cper_arm_context *ret);

/**
 * fbk_cper_arm_field_next - the fields of an error information that are declared valid
 * @info:   from fbk_cper_arm_info_next()
 * @cursor: 0 before the first call; advanced on success
 *
 * Those of a cache, TLB or bus error; of several kinds the first counts. What stands in a micro-architectural error is the
 * implementation's affair: it has no fields.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument, or no cursor of this function's; -ENOENT no more.
 * Context: pure.
 * Spec:    [UEFI "ARM Cache Error Structure", "ARM TLB Error Structure", "ARM Bus Error Structure"]
 */
FBK_API FBK_MUST_CHECK int fbk_cper_arm_field_next(const struct fbk_cper_arm_info *info, uint32_t *cursor,
						   struct fbk_cper_arm_field *ret);

/**
 * fbk_cper_json - the record as JSON, in the shape of OpenBMC's libcper
 * @buf: where to
 *
 * One object and a NUL, no newline. docs/formats/cper.md says what a status block has in the place of a record's header, and
 * where the shape is left.
 *
 * Return:  the length without the NUL.
 * Errors:  -EINVAL null argument; -ENOSPC the buffer is too small; what it holds then is no JSON.
 * Context: pure.
 */
FBK_API FBK_MUST_CHECK int fbk_cper_json(const struct fbk_cper_view *v, char *buf, size_t len);

/**
 * fbk_cper_severity_name, fbk_cper_memory_type_name, fbk_cper_status_name - values in words, as in the JSON
 * @type:   of a memory error: FBK_CPER_MEMORY_TYPE
 * @status: FBK_CPER_MEMORY_STATUS
 *
 * Return:  static string, one for values without a name as well.
 * Spec:    [UEFI "Memory Error Section", "Error Status"]
 */
FBK_API const char *fbk_cper_severity_name(uint32_t severity);
FBK_API const char *fbk_cper_memory_type_name(uint64_t type);
FBK_API const char *fbk_cper_status_name(uint64_t status);

FBK_EXTERN_C_END

#endif
