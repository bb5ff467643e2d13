/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * cper_parse.c - error records read back. Every count, length and offset is looked at in fbk_cper_parse(), once, by the
 * same functions that walk the record afterwards.
 *
 * Offsets and lengths are added up as 64-bit numbers: they are 32 bits at most each, so that no sum can overflow.
 */
#include <firebreak/cper_parse.h>

#include "cper_guid.h"
#include "cursor.h"

#include <errno.h>
#include <string.h>

/* [ACPI "Generic Error Status Block"] */
#define BLOCK_LEN 20
#define BLOCK_RAW_OFFSET 4
#define BLOCK_RAW_LEN 8
#define BLOCK_DATA_LEN 12
#define BLOCK_SEVERITY 16
#define BLOCK_STATUS_RESERVED 0xffffc000u
#define BLOCK_STATUS_COUNT(status) ((status) >> 4 & 0x3ff)

/* [ACPI "Generic Error Data Entry"]: revision 0x201, and 0x300, which adds a timestamp */
#define ENTRY_LEN_2 64
#define ENTRY_LEN_3 72
#define ENTRY_SEVERITY 16
#define ENTRY_REVISION 20
#define ENTRY_VALID 22
#define ENTRY_FLAGS 23
#define ENTRY_DATA_LEN 24
#define ENTRY_FRU_ID 28
#define ENTRY_FRU_TEXT 44
#define ENTRY_TIME 64

/* [UEFI "Error Record Header"] */
#define RECORD_LEN 128
#define RECORD_REVISION 4
#define RECORD_SIGNATURE_END 6
#define RECORD_COUNT 10
#define RECORD_SEVERITY 12
#define RECORD_VALID 16
#define RECORD_TOTAL_LEN 20
#define RECORD_TIME 24
#define RECORD_PLATFORM 32
#define RECORD_PARTITION 48
#define RECORD_CREATOR 64
#define RECORD_NOTIFICATION 80
#define RECORD_ID 96
#define RECORD_FLAGS 104
#define RECORD_PERSISTENCE 108

/* [UEFI "Section Descriptor"] */
#define DESC_LEN 72
#define DESC_SECTION_OFFSET 0
#define DESC_SECTION_LEN 4
#define DESC_REVISION 8
#define DESC_VALID 10
#define DESC_FLAGS 12
#define DESC_TYPE 16
#define DESC_FRU_ID 32
#define DESC_SEVERITY 48
#define DESC_FRU_TEXT 52

/* [UEFI "Memory Error Section"]: before UEFI 2.3 it ended with the error's type. */
#define MEMORY_OLD_LEN 73
#define MEMORY2_LEN 96

/* [UEFI "ARM Processor Error Section"] */
#define ARM_LEN 40
#define ARM_NR_INFOS 4
#define ARM_NR_CONTEXTS 6
#define ARM_SECTION_LEN 8
#define ARM_AFFINITY 12
#define ARM_MPIDR 16
#define ARM_MIDR 24
#define ARM_RUNNING 32
#define ARM_PSCI 36

/* [UEFI "ARM Processor Error Information Structure"] */
#define INFO_LEN 32
#define INFO_OWN_LEN 1
#define INFO_VALID 2
#define INFO_TYPE 4
#define INFO_MULTIPLE 5
#define INFO_FLAGS 7
#define INFO_INFORMATION 8
#define INFO_VA 16
#define INFO_PA 24

/* [UEFI "ARM Processor Context Information"] */
#define CONTEXT_LEN 8
#define CONTEXT_TYPE 2
#define CONTEXT_ARRAY_LEN 4

/* --- what is wrong, and where ------------------------------------------------------------------------------------- */

static int flawed(struct fbk_cper_fault *fault, enum fbk_cper_flaw flaw, uint64_t offset)
{
	fault->flaw = flaw;
	fault->offset = (uint32_t)offset;
	return -EBADMSG;
}

const char *fbk_cper_flaw_text(enum fbk_cper_flaw flaw)
{
	switch (flaw) {
	case FBK_CPER_FLAW_SHORT:
		return "the bytes end before the header that begins here does";
	case FBK_CPER_FLAW_FOREIGN:
		return "neither a generic error status block nor a CPER record";
	case FBK_CPER_FLAW_REVISION:
		return "a revision whose layout is not known";
	case FBK_CPER_FLAW_EMPTY:
		return "zero, where there must be something";
	case FBK_CPER_FLAW_LENGTH:
		return "a length too small for what it must hold";
	case FBK_CPER_FLAW_TRUNCATED:
		return "a length or an offset that leads beyond the end";
	case FBK_CPER_FLAW_OVERLAP:
		return "an offset into bytes that belong to another part";
	case FBK_CPER_FLAW_COUNT:
		return "a count of more than there is room for";
	case FBK_CPER_FLAW_FIELD:
		return "a field said to be valid that lies beyond the section's end";
	case FBK_CPER_FLAW_TOO_LONG:
		return "longer than any record that is taken";
	}
	return "invalid";
}

/* --- small parts -------------------------------------------------------------------------------------------------- */

/* Two decimal digits; more than 99: none. */
static uint32_t bcd(uint8_t v)
{
	return (v >> 4) < 10 && (v & 0xf) < 10 ? (uint32_t)(v >> 4) * 10 + (v & 0xf) : 100;
}

/* [UEFI "Error Record Header", Timestamp] */
static void read_time(const uint8_t *p, int valid, struct fbk_cper_time *ret)
{
	struct fbk_cper_time t = {
		.stated = 1,
		.precise = p[3] & 1,
		.second = bcd(p[0]),
		.minute = bcd(p[1]),
		.hour = bcd(p[2]),
		.day = bcd(p[4]),
		.month = bcd(p[5]),
	};
	uint32_t year = bcd(p[6]), century = bcd(p[7]);

	*ret = (struct fbk_cper_time){ 0 };
	if (!valid || year > 99 || century > 99 || t.second > 60 || t.minute > 59 || t.hour > 23 || t.day < 1 || t.day > 31 ||
	    t.month < 1 || t.month > 12)
		return;
	t.year = century * 100 + year;
	*ret = t;
}

static enum fbk_cper_kind kind_of(const uint8_t *type)
{
	if (!memcmp(type, fbk_cper_guid_memory, FBK_CPER_GUID_LEN))
		return FBK_CPER_MEMORY;
	if (!memcmp(type, fbk_cper_guid_memory2, FBK_CPER_GUID_LEN))
		return FBK_CPER_MEMORY2;
	if (!memcmp(type, fbk_cper_guid_arm, FBK_CPER_GUID_LEN))
		return FBK_CPER_ARM;
	return FBK_CPER_UNKNOWN;
}

/* --- memory errors ------------------------------------------------------------------------------------------------ */

/* Where a field stands, and which validation bit says that it does. Width 0: this version has no such field. */
struct place {
	uint8_t bit, offset, width, shift;
	uint32_t mask; /* after the shift; 0: all of it */
};

/* [UEFI "Memory Error Section"] */
static const struct place memory_1[FBK_CPER_NR_MEMORY_FIELDS] = {
	[FBK_CPER_MEMORY_STATUS] = { 0, 8, 8, 0, 0 },
	[FBK_CPER_MEMORY_ADDRESS] = { 1, 16, 8, 0, 0 },
	[FBK_CPER_MEMORY_MASK] = { 2, 24, 8, 0, 0 },
	[FBK_CPER_MEMORY_NODE] = { 3, 32, 2, 0, 0 },
	[FBK_CPER_MEMORY_CARD] = { 4, 34, 2, 0, 0 },
	[FBK_CPER_MEMORY_MODULE] = { 5, 36, 2, 0, 0 },
	[FBK_CPER_MEMORY_BANK] = { 6, 38, 2, 0, 0 },
	[FBK_CPER_MEMORY_DEVICE] = { 7, 40, 2, 0, 0 },
	[FBK_CPER_MEMORY_ROW] = { 8, 42, 2, 0, 0 },
	[FBK_CPER_MEMORY_COLUMN] = { 9, 44, 2, 0, 0 },
	[FBK_CPER_MEMORY_BIT_POSITION] = { 10, 46, 2, 0, 0 },
	[FBK_CPER_MEMORY_REQUESTOR] = { 11, 48, 8, 0, 0 },
	[FBK_CPER_MEMORY_RESPONDER] = { 12, 56, 8, 0, 0 },
	[FBK_CPER_MEMORY_TARGET] = { 13, 64, 8, 0, 0 },
	[FBK_CPER_MEMORY_TYPE] = { 14, 72, 1, 0, 0 },
	[FBK_CPER_MEMORY_RANK] = { 15, 74, 2, 0, 0 },
	[FBK_CPER_MEMORY_CARD_HANDLE] = { 16, 76, 2, 0, 0 },
	[FBK_CPER_MEMORY_MODULE_HANDLE] = { 17, 78, 2, 0, 0 },
	[FBK_CPER_MEMORY_ROW_HIGH] = { 18, 73, 1, 0, 0x3 },
	[FBK_CPER_MEMORY_BANK_GROUP] = { 19, 38, 2, 8, 0 },
	[FBK_CPER_MEMORY_BANK_ADDRESS] = { 20, 38, 2, 0, 0xff },
	[FBK_CPER_MEMORY_CHIP] = { 21, 73, 1, 5, 0 },
};

/* [UEFI "Memory Error Section 2"] */
static const struct place memory_2[FBK_CPER_NR_MEMORY_FIELDS] = {
	[FBK_CPER_MEMORY_STATUS] = { 0, 8, 8, 0, 0 },
	[FBK_CPER_MEMORY_ADDRESS] = { 1, 16, 8, 0, 0 },
	[FBK_CPER_MEMORY_MASK] = { 2, 24, 8, 0, 0 },
	[FBK_CPER_MEMORY_NODE] = { 3, 32, 2, 0, 0 },
	[FBK_CPER_MEMORY_CARD] = { 4, 34, 2, 0, 0 },
	[FBK_CPER_MEMORY_MODULE] = { 5, 36, 2, 0, 0 },
	[FBK_CPER_MEMORY_BANK] = { 6, 38, 2, 0, 0 },
	[FBK_CPER_MEMORY_DEVICE] = { 7, 40, 4, 0, 0 },
	[FBK_CPER_MEMORY_ROW] = { 8, 44, 4, 0, 0 },
	[FBK_CPER_MEMORY_COLUMN] = { 9, 48, 4, 0, 0 },
	[FBK_CPER_MEMORY_RANK] = { 10, 52, 4, 0, 0 },
	[FBK_CPER_MEMORY_BIT_POSITION] = { 11, 56, 4, 0, 0 },
	[FBK_CPER_MEMORY_CHIP] = { 12, 60, 1, 0, 0 },
	[FBK_CPER_MEMORY_TYPE] = { 13, 61, 1, 0, 0 },
	[FBK_CPER_MEMORY_STATE] = { 14, 62, 1, 0, 0 },
	[FBK_CPER_MEMORY_REQUESTOR] = { 15, 64, 8, 0, 0 },
	[FBK_CPER_MEMORY_RESPONDER] = { 16, 72, 8, 0, 0 },
	[FBK_CPER_MEMORY_TARGET] = { 17, 80, 8, 0, 0 },
	[FBK_CPER_MEMORY_CARD_HANDLE] = { 18, 88, 4, 0, 0 },
	[FBK_CPER_MEMORY_MODULE_HANDLE] = { 19, 92, 4, 0, 0 },
	[FBK_CPER_MEMORY_BANK_GROUP] = { 20, 38, 2, 8, 0 },
	[FBK_CPER_MEMORY_BANK_ADDRESS] = { 21, 38, 2, 0, 0xff },
};

static uint64_t get(const uint8_t *p, uint32_t width)
{
	switch (width) {
	case 1:
		return *p;
	case 2:
		return fbk_get_le16(p);
	case 4:
		return fbk_get_le32(p);
	default:
		return fbk_get_le64(p);
	}
}

/* @base: the section's offset in the record. */
static int read_memory(const struct place *at, const uint8_t *body, uint64_t len, uint64_t base, struct fbk_cper_memory *ret,
		       struct fbk_cper_fault *fault)
{
	uint64_t valid = fbk_get_le64(body);
	uint32_t i;

	*ret = (struct fbk_cper_memory){ .version = at == memory_1 ? 1 : 2 };
	for (i = 0; i < FBK_CPER_NR_MEMORY_FIELDS; i++) {
		uint64_t v;

		if (!at[i].width || !(valid >> at[i].bit & 1))
			continue;
		if (at[i].offset + at[i].width > len)
			return flawed(fault, FBK_CPER_FLAW_FIELD, base);
		v = get(body + at[i].offset, at[i].width) >> at[i].shift;
		ret->valid |= 1u << i;
		ret->value[i] = at[i].mask ? v & at[i].mask : v;
	}
	return 0;
}

int fbk_cper_memory_read(const struct fbk_cper_section *s, struct fbk_cper_memory *ret)
{
	struct fbk_cper_fault unused;

	if (!s || !ret)
		return -EINVAL;
	if (s->kind != FBK_CPER_MEMORY && s->kind != FBK_CPER_MEMORY2)
		return -ENODATA;
	return read_memory(s->kind == FBK_CPER_MEMORY ? memory_1 : memory_2, s->body, s->len, 0, ret, &unused);
}

/* --- ARM processor errors ----------------------------------------------------------------------------------------- */

static void read_arm(const uint8_t *body, struct fbk_cper_arm *ret)
{
	*ret = (struct fbk_cper_arm){
		.valid = fbk_get_le32(body),
		.nr_infos = fbk_get_le16(body + ARM_NR_INFOS),
		.nr_contexts = fbk_get_le16(body + ARM_NR_CONTEXTS),
		.len = fbk_get_le32(body + ARM_SECTION_LEN),
		.affinity = body[ARM_AFFINITY],
		.running = fbk_get_le32(body + ARM_RUNNING),
		.psci = fbk_get_le32(body + ARM_PSCI),
		.mpidr = fbk_get_le64(body + ARM_MPIDR),
		.midr = fbk_get_le64(body + ARM_MIDR),
		.body = body,
	};
}

/* Both ways of saying it: see the header. */
static uint32_t kinds_of(uint32_t type)
{
	if (type == 0 || type & 1)
		return type < 4 ? FBK_CPER_ARM_CACHE << type : 0;
	return type & (FBK_CPER_ARM_CACHE | FBK_CPER_ARM_TLB | FBK_CPER_ARM_BUS | FBK_CPER_ARM_MICRO);
}

static void read_info(const uint8_t *p, uint32_t offset, struct fbk_cper_arm_info *ret)
{
	*ret = (struct fbk_cper_arm_info){
		.offset = offset,
		.len = p[INFO_OWN_LEN],
		.version = p[0],
		.valid = fbk_get_le16(p + INFO_VALID),
		.type = p[INFO_TYPE],
		.kinds = kinds_of(p[INFO_TYPE]),
		.multiple = fbk_get_le16(p + INFO_MULTIPLE),
		.flags = p[INFO_FLAGS],
		.information = fbk_get_le64(p + INFO_INFORMATION),
		.va = fbk_get_le64(p + INFO_VA),
		.pa = fbk_get_le64(p + INFO_PA),
	};
}

/* Looks at the whole section and finds where its parts begin. @len: of the section, ARM_LEN at least. */
static int measure_arm(const uint8_t *body, uint64_t len, uint64_t base, struct fbk_cper_arm *ret, struct fbk_cper_fault *fault)
{
	uint64_t at = ARM_LEN, part;
	uint32_t i;

	read_arm(body, ret);
	if (ret->len < ARM_LEN)
		return flawed(fault, FBK_CPER_FLAW_LENGTH, base + ARM_SECTION_LEN);
	if (ret->len > len)
		return flawed(fault, FBK_CPER_FLAW_TRUNCATED, base + ARM_SECTION_LEN);
	if (!ret->nr_infos)
		return flawed(fault, FBK_CPER_FLAW_EMPTY, base + ARM_NR_INFOS);
	for (i = 0; i < ret->nr_infos; i++, at += part) {
		if (at + INFO_LEN > ret->len)
			return flawed(fault, FBK_CPER_FLAW_COUNT, base + ARM_NR_INFOS);
		part = body[at + INFO_OWN_LEN];
		if (part < INFO_LEN)
			return flawed(fault, FBK_CPER_FLAW_LENGTH, base + at + INFO_OWN_LEN);
		if (at + part > ret->len)
			return flawed(fault, FBK_CPER_FLAW_TRUNCATED, base + at + INFO_OWN_LEN);
	}
	ret->contexts_at = (uint32_t)at;
	for (i = 0; i < ret->nr_contexts; i++, at += CONTEXT_LEN + part) {
		if (at + CONTEXT_LEN > ret->len)
			return flawed(fault, FBK_CPER_FLAW_COUNT, base + ARM_NR_CONTEXTS);
		part = fbk_get_le32(body + at + CONTEXT_ARRAY_LEN);
		if (at + CONTEXT_LEN + part > ret->len)
			return flawed(fault, FBK_CPER_FLAW_TRUNCATED, base + at + CONTEXT_ARRAY_LEN);
	}
	ret->vendor_at = (uint32_t)at;
	return 0;
}

int fbk_cper_arm_read(const struct fbk_cper_section *s, struct fbk_cper_arm *ret)
{
	struct fbk_cper_fault unused;

	if (!s || !ret)
		return -EINVAL;
	if (s->kind != FBK_CPER_ARM)
		return -ENODATA;
	return measure_arm(s->body, s->len, 0, ret, &unused);
}

/* Cursors are offsets in the section; 0 stands for the first part's. */
int fbk_cper_arm_info_next(const struct fbk_cper_arm *a, uint32_t *cursor, struct fbk_cper_arm_info *ret)
{
	uint32_t at;

	if (!a || !cursor || !ret)
		return -EINVAL;
	at = *cursor ? *cursor : ARM_LEN;
	if (at == a->contexts_at)
		return -ENOENT;
	if (at < ARM_LEN || at > a->contexts_at || a->contexts_at - at < INFO_LEN)
		return -EINVAL;
	read_info(a->body + at, at, ret);
	*cursor = at + ret->len;
	return 0;
}

int fbk_cper_arm_context_next(const struct fbk_cper_arm *a, uint32_t *cursor, struct fbk_cper_arm_context *ret)
{
	const uint8_t *p;
	uint32_t at, len;

	if (!a || !cursor || !ret)
		return -EINVAL;
	at = *cursor ? *cursor : a->contexts_at;
	if (at == a->vendor_at)
		return -ENOENT;
	if (at < a->contexts_at || at > a->vendor_at || a->vendor_at - at < CONTEXT_LEN)
		return -EINVAL;
	p = a->body + at;
	len = fbk_get_le32(p + CONTEXT_ARRAY_LEN);
	if (len > a->vendor_at - at - CONTEXT_LEN)
		return -EINVAL;
	*ret = (struct fbk_cper_arm_context){
		.version = fbk_get_le16(p),
		.type = fbk_get_le16(p + CONTEXT_TYPE),
		.len = len,
		.regs = p + CONTEXT_LEN,
	};
	*cursor = at + CONTEXT_LEN + len;
	return 0;
}

/* --- sections ----------------------------------------------------------------------------------------------------- */

/* @len_at: where the section's length is said. */
static int check_section(const struct fbk_cper_section *s, uint64_t len_at, struct fbk_cper_fault *fault)
{
	static const uint32_t least[] = {
		[FBK_CPER_UNKNOWN] = 1,
		[FBK_CPER_MEMORY] = MEMORY_OLD_LEN,
		[FBK_CPER_MEMORY2] = MEMORY2_LEN,
		[FBK_CPER_ARM] = ARM_LEN,
	};
	struct fbk_cper_memory m;
	struct fbk_cper_arm a;

	if (s->len < least[s->kind])
		return flawed(fault, FBK_CPER_FLAW_LENGTH, len_at);
	switch (s->kind) {
	case FBK_CPER_MEMORY:
		return read_memory(memory_1, s->body, s->len, s->offset, &m, fault);
	case FBK_CPER_MEMORY2:
		return read_memory(memory_2, s->body, s->len, s->offset, &m, fault);
	case FBK_CPER_ARM:
		return measure_arm(s->body, s->len, s->offset, &a, fault);
	case FBK_CPER_UNKNOWN:
		break;
	}
	return 0;
}

static uint32_t entry_len(const uint8_t *entry)
{
	switch (fbk_get_le16(entry + ENTRY_REVISION) >> 8) {
	case 2:
		return ENTRY_LEN_2;
	case 3:
		return ENTRY_LEN_3;
	}
	return 0;
}

static void read_entry(const uint8_t *bytes, uint32_t at, struct fbk_cper_section *ret)
{
	const uint8_t *p = bytes + at;
	uint32_t head = entry_len(p);

	*ret = (struct fbk_cper_section){
		.kind = kind_of(p),
		.severity = fbk_get_le32(p + ENTRY_SEVERITY),
		.revision = fbk_get_le16(p + ENTRY_REVISION),
		.valid = p[ENTRY_VALID] & (head == ENTRY_LEN_3 ? 0x7u : 0x3u),
		.flags = p[ENTRY_FLAGS],
		.header_offset = at,
		.offset = at + head,
		.len = fbk_get_le32(p + ENTRY_DATA_LEN),
		.body = p + head,
	};
	memcpy(ret->type, p, FBK_CPER_GUID_LEN);
	memcpy(ret->fru_id, p + ENTRY_FRU_ID, FBK_CPER_GUID_LEN);
	memcpy(ret->fru_text, p + ENTRY_FRU_TEXT, FBK_CPER_FRU_TEXT_LEN);
	if (ret->valid & FBK_CPER_HAS_TIME)
		read_time(p + ENTRY_TIME, 1, &ret->time);
}

static void read_descriptor(const uint8_t *bytes, uint32_t at, struct fbk_cper_section *ret)
{
	const uint8_t *p = bytes + at;

	*ret = (struct fbk_cper_section){
		.kind = kind_of(p + DESC_TYPE),
		.severity = fbk_get_le32(p + DESC_SEVERITY),
		.revision = fbk_get_le16(p + DESC_REVISION),
		.valid = p[DESC_VALID] & 0x3u,
		.flags = fbk_get_le32(p + DESC_FLAGS),
		.header_offset = at,
		.offset = fbk_get_le32(p + DESC_SECTION_OFFSET),
		.len = fbk_get_le32(p + DESC_SECTION_LEN),
	};
	ret->body = bytes + ret->offset;
	memcpy(ret->type, p + DESC_TYPE, FBK_CPER_GUID_LEN);
	memcpy(ret->fru_id, p + DESC_FRU_ID, FBK_CPER_GUID_LEN);
	memcpy(ret->fru_text, p + DESC_FRU_TEXT, FBK_CPER_FRU_TEXT_LEN);
}

/* Cursors are the offset of the next entry or descriptor; 0 stands for the first one's. */
int fbk_cper_section_next(const struct fbk_cper_view *v, uint32_t *cursor, struct fbk_cper_section *ret)
{
	uint32_t at, end;

	if (!v || !cursor || !ret)
		return -EINVAL;
	if (v->form == FBK_CPER_RECORD) {
		at = *cursor ? *cursor : RECORD_LEN;
		end = RECORD_LEN + v->nr_sections * DESC_LEN;
		if (at == end)
			return -ENOENT;
		if (at < RECORD_LEN || at > end || end - at < DESC_LEN)
			return -EINVAL;
		read_descriptor(v->bytes, at, ret);
		*cursor = at + DESC_LEN;
		return 0;
	}
	at = *cursor ? *cursor : BLOCK_LEN;
	if (at == v->len)
		return -ENOENT;
	if (at < BLOCK_LEN || at > v->len || v->len - at < ENTRY_LEN_2 || !entry_len(v->bytes + at))
		return -EINVAL;
	read_entry(v->bytes, at, ret);
	*cursor = ret->offset + ret->len;
	return 0;
}

/* --- the two forms ------------------------------------------------------------------------------------------------ */

static int parse_block(const uint8_t *p, size_t len, struct fbk_cper_view *v, struct fbk_cper_fault *fault)
{
	uint64_t at, end, data_len;

	if (len < BLOCK_LEN)
		return flawed(fault, FBK_CPER_FLAW_SHORT, 0);
	data_len = fbk_get_le32(p + BLOCK_DATA_LEN);
	*v = (struct fbk_cper_view){
		.bytes = p,
		.form = FBK_CPER_BLOCK,
		.severity = fbk_get_le32(p + BLOCK_SEVERITY),
		.block_status = fbk_get_le32(p),
		.raw_offset = fbk_get_le32(p + BLOCK_RAW_OFFSET),
		.raw_len = fbk_get_le32(p + BLOCK_RAW_LEN),
	};
	if (v->block_status & BLOCK_STATUS_RESERVED)
		return flawed(fault, FBK_CPER_FLAW_FOREIGN, 0);
	if (!data_len)
		return flawed(fault, FBK_CPER_FLAW_EMPTY, BLOCK_DATA_LEN);
	end = BLOCK_LEN + data_len;
	if (end > len)
		return flawed(fault, FBK_CPER_FLAW_TRUNCATED, BLOCK_DATA_LEN);
	if (end > FBK_CPER_MAX_LEN)
		return flawed(fault, FBK_CPER_FLAW_TOO_LONG, BLOCK_DATA_LEN);
	if (v->raw_len && v->raw_offset < end)
		return flawed(fault, FBK_CPER_FLAW_OVERLAP, BLOCK_RAW_OFFSET);
	if (v->raw_len && (uint64_t)v->raw_offset + v->raw_len > len)
		return flawed(fault, FBK_CPER_FLAW_TRUNCATED, BLOCK_RAW_LEN);

	for (at = BLOCK_LEN; at < end; v->nr_sections++) {
		struct fbk_cper_section s;
		uint32_t head;
		int err;

		if (end - at < ENTRY_LEN_2)
			return flawed(fault, FBK_CPER_FLAW_SHORT, at);
		head = entry_len(p + at);
		if (!head)
			return flawed(fault, FBK_CPER_FLAW_REVISION, at + ENTRY_REVISION);
		if (end - at < head)
			return flawed(fault, FBK_CPER_FLAW_SHORT, at);
		read_entry(p, (uint32_t)at, &s);
		if (!s.len)
			return flawed(fault, FBK_CPER_FLAW_EMPTY, at + ENTRY_DATA_LEN);
		if (s.len > end - s.offset)
			return flawed(fault, FBK_CPER_FLAW_TRUNCATED, at + ENTRY_DATA_LEN);
		err = check_section(&s, at + ENTRY_DATA_LEN, fault);
		if (err)
			return err;
		at = s.offset + s.len;
	}
	if (BLOCK_STATUS_COUNT(v->block_status) > v->nr_sections)
		return flawed(fault, FBK_CPER_FLAW_COUNT, 0);
	v->len = (uint32_t)end;
	return 0;
}

/* Does a section share bytes with one of those described before it? */
static int overlaps(const uint8_t *p, uint32_t desc, uint64_t offset, uint64_t len)
{
	uint32_t d;

	for (d = RECORD_LEN; d < desc; d += DESC_LEN) {
		uint64_t other = fbk_get_le32(p + d + DESC_SECTION_OFFSET);

		if (offset < other + fbk_get_le32(p + d + DESC_SECTION_LEN) && other < offset + len)
			return 1;
	}
	return 0;
}

static void read_record(const uint8_t *p, struct fbk_cper_view *v)
{
	*v = (struct fbk_cper_view){
		.bytes = p,
		.len = fbk_get_le32(p + RECORD_TOTAL_LEN),
		.form = FBK_CPER_RECORD,
		.severity = fbk_get_le32(p + RECORD_SEVERITY),
		.nr_sections = fbk_get_le16(p + RECORD_COUNT),
		.revision = fbk_get_le16(p + RECORD_REVISION),
		.valid = fbk_get_le32(p + RECORD_VALID),
		.flags = fbk_get_le32(p + RECORD_FLAGS),
		.record_id = fbk_get_le64(p + RECORD_ID),
		.persistence = fbk_get_le64(p + RECORD_PERSISTENCE),
	};
	read_time(p + RECORD_TIME, !!(v->valid & FBK_CPER_HAS_TIMESTAMP), &v->time);
	memcpy(v->platform, p + RECORD_PLATFORM, FBK_CPER_GUID_LEN);
	memcpy(v->partition, p + RECORD_PARTITION, FBK_CPER_GUID_LEN);
	memcpy(v->creator, p + RECORD_CREATOR, FBK_CPER_GUID_LEN);
	memcpy(v->notification, p + RECORD_NOTIFICATION, FBK_CPER_GUID_LEN);
}

static int parse_record(const uint8_t *p, size_t len, struct fbk_cper_view *v, struct fbk_cper_fault *fault)
{
	uint64_t bodies, high;
	uint32_t i;

	if (len < RECORD_LEN)
		return flawed(fault, FBK_CPER_FLAW_SHORT, 0);
	if (fbk_get_le32(p + RECORD_SIGNATURE_END) != UINT32_MAX)
		return flawed(fault, FBK_CPER_FLAW_FOREIGN, RECORD_SIGNATURE_END);
	read_record(p, v);
	bodies = RECORD_LEN + (uint64_t)v->nr_sections * DESC_LEN;
	if (!v->nr_sections)
		return flawed(fault, FBK_CPER_FLAW_EMPTY, RECORD_COUNT);
	if (v->len < RECORD_LEN)
		return flawed(fault, FBK_CPER_FLAW_LENGTH, RECORD_TOTAL_LEN);
	if (v->len > len)
		return flawed(fault, FBK_CPER_FLAW_TRUNCATED, RECORD_TOTAL_LEN);
	if (v->len > FBK_CPER_MAX_LEN)
		return flawed(fault, FBK_CPER_FLAW_TOO_LONG, RECORD_TOTAL_LEN);
	if (bodies > v->len)
		return flawed(fault, FBK_CPER_FLAW_COUNT, RECORD_COUNT);

	for (i = 0, high = bodies; i < v->nr_sections; i++) {
		uint32_t at = RECORD_LEN + i * DESC_LEN;
		struct fbk_cper_section s;
		uint64_t offset, section_len;
		int err;

		offset = fbk_get_le32(p + at + DESC_SECTION_OFFSET);
		section_len = fbk_get_le32(p + at + DESC_SECTION_LEN);
		if (!section_len)
			return flawed(fault, FBK_CPER_FLAW_EMPTY, at + DESC_SECTION_LEN);
		if (offset >= v->len)
			return flawed(fault, FBK_CPER_FLAW_TRUNCATED, at + DESC_SECTION_OFFSET);
		if (offset + section_len > v->len)
			return flawed(fault, FBK_CPER_FLAW_TRUNCATED, at + DESC_SECTION_LEN);
		/* Behind everything seen so far, as firmware writes them, it can overlap nothing. */
		if (offset < bodies || (offset < high && overlaps(p, at, offset, section_len)))
			return flawed(fault, FBK_CPER_FLAW_OVERLAP, at + DESC_SECTION_OFFSET);
		if (offset + section_len > high)
			high = offset + section_len;
		read_descriptor(p, at, &s);
		err = check_section(&s, at + DESC_SECTION_LEN, fault);
		if (err)
			return err;
	}
	return 0;
}

int fbk_cper_parse(const void *bytes, size_t len, struct fbk_cper_view *ret, struct fbk_cper_fault *fault)
{
	struct fbk_cper_fault found;
	struct fbk_cper_view v;
	int err;

	if (!bytes || !ret)
		return -EINVAL;
	if (len >= 4 && !memcmp(bytes, "CPER", 4))
		err = parse_record(bytes, len, &v, &found);
	else
		err = parse_block(bytes, len, &v, &found);
	if (!err)
		*ret = v;
	else if (fault)
		*fault = found;
	return err;
}
