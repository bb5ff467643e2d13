/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * cper_json.c - a record as JSON in the shape of OpenBMC's libcper: its names and nesting, numbers as numbers. What a
 * record does not state is left out, as there. Where the shape is left: docs/formats/cper.md.
 */
#include <firebreak/cper_parse.h>

#include "cursor.h"
#include "json.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define NAME(table, i) ((i) < sizeof(table) / sizeof((table)[0]) && (table)[i] ? (table)[i] : "Unknown (Reserved)")

/* --- words -------------------------------------------------------------------------------------------------------- */

const char *fbk_cper_severity_name(uint32_t severity)
{
	static const char *const names[] = { "Recoverable", "Fatal", "Corrected", "Informational" };

	return severity < 4 ? names[severity] : "Unknown";
}

const char *fbk_cper_memory_type_name(uint64_t type)
{
	static const char *const names[] = {
		"Unknown",
		"No Error",
		"Single-bit ECC",
		"Multi-bit ECC",
		"Single-symbol ChipKill ECC",
		"Multi-symbol ChipKill ECC",
		"Master Abort",
		"Target Abort",
		"Parity Error",
		"Watchdog Timeout",
		"Invalid Address",
		"Mirror Broken",
		"Memory Sparing",
		"Scrub Corrected Error",
		"Scrub Uncorrected Error",
		"Physical Memory Map-out Event",
	};

	return NAME(names, type);
}

#define STATUS_TYPE(status) ((status) >> 8 & 0xff)

const char *fbk_cper_status_name(uint64_t status)
{
	static const char *const names[] = {
		[1] = "ERR_INTERNAL", [4] = "ERR_MEM",	    [5] = "ERR_TLB",	  [6] = "ERR_CACHE",
		[7] = "ERR_FUNCTION", [8] = "ERR_SELFTEST", [9] = "ERR_FLOW",	  [16] = "ERR_BUS",
		[17] = "ERR_MAP",     [18] = "ERR_IMPROPER", [19] = "ERR_UNIMPL",  [20] = "ERR_LOL",
		[21] = "ERR_RESPONSE", [22] = "ERR_PARITY", [23] = "ERR_PROTOCOL", [24] = "ERR_ERROR",
		[25] = "ERR_TIMEOUT", [26] = "ERR_POISONED",
	};

	return NAME(names, STATUS_TYPE(status));
}

/* --- small parts -------------------------------------------------------------------------------------------------- */

/* A number and what it means; @word: the key of the latter. */
static void pair(struct fbk_writer *w, const char *k, const char *number, uint64_t v, const char *word, const char *name)
{
	fbk_json_object(w, k);
	fbk_json_uint(w, number, v);
	fbk_json_text(w, word, name);
	fbk_json_end(w);
}

static void named(struct fbk_writer *w, const char *k, uint64_t v, const char *name)
{
	pair(w, k, "value", v, "name", name);
}

static void revision(struct fbk_writer *w, uint32_t v)
{
	fbk_json_object(w, "revision");
	fbk_json_uint(w, "major", v >> 8);
	fbk_json_uint(w, "minor", v & 0xff);
	fbk_json_end(w);
}

static void severity(struct fbk_writer *w, uint32_t v)
{
	pair(w, "severity", "code", v, "name", fbk_cper_severity_name(v));
}

/* The fields of a GUID that are numbers are little-endian. */
static void guid(struct fbk_writer *w, const char *k, const uint8_t *g)
{
	static const uint8_t order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	uint32_t i;

	fbk_json_key(w, k);
	fbk_put_text(w, "\"");
	for (i = 0; i < sizeof(order); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			fbk_put_text(w, "-");
		fbk_put_number(w, g[order[i]], 16, 2);
	}
	fbk_put_text(w, "\"");
}

static void time_of(struct fbk_writer *w, const struct fbk_cper_time *t)
{
	const uint32_t part[] = { t->year, t->month, t->day, t->hour, t->minute, t->second };
	static const char *const behind[] = { "-", "-", "T", ":", ":", "+00:00\"" };
	uint32_t i;

	if (!t->stated)
		return;
	fbk_json_key(w, "timestamp");
	fbk_put_text(w, "\"");
	for (i = 0; i < 6; i++) {
		fbk_put_number(w, part[i], 10, i ? 2 : 4);
		fbk_put_text(w, behind[i]);
	}
	fbk_json_bool(w, "timestampIsPrecise", t->precise);
}

/* RFC 4648, with padding */
static void base64(struct fbk_writer *w, const char *k, const uint8_t *p, uint32_t len)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t i, j;

	fbk_json_key(w, k);
	fbk_put_text(w, "\"");
	for (i = 0; i < len && !w->full; i += 3) {
		uint32_t left = len - i, v = (uint32_t)p[i] << 16;
		char out[4];

		v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
		v |= left > 2 ? p[i + 2] : 0;
		for (j = 0; j < 4; j++)
			out[j] = j <= left ? digit[v >> (18 - 6 * j) & 0x3f] : '=';
		fbk_put_raw(w, out, sizeof(out));
	}
	fbk_put_text(w, "\"");
}

/* --- memory errors ------------------------------------------------------------------------------------------------ */

/* [UEFI "Error Status"] */
static void error_status(struct fbk_writer *w, uint64_t v)
{
	static const char *const bits[] = { "addressSignal",	   "controlSignal", "dataSignal",	 "detectedByResponder",
					    "detectedByRequester", "firstError",    "overflowDroppedLogs" };
	uint32_t i;

	fbk_json_object(w, "errorStatus");
	named(w, "errorType", STATUS_TYPE(v), fbk_cper_status_name(v));
	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		fbk_json_bool(w, bits[i], v >> (16 + i) & 1);
	fbk_json_end(w);
}

/* Members that are plain numbers. NULL: not one of them, or not there. */
static const char *const memory_keys[2][FBK_CPER_NR_MEMORY_FIELDS] = {
	{
		[FBK_CPER_MEMORY_MASK] = "physicalAddressMask",
		[FBK_CPER_MEMORY_NODE] = "node",
		[FBK_CPER_MEMORY_CARD] = "card",
		[FBK_CPER_MEMORY_MODULE] = "moduleRank",
		[FBK_CPER_MEMORY_DEVICE] = "device",
		[FBK_CPER_MEMORY_ROW] = "row",
		[FBK_CPER_MEMORY_COLUMN] = "column",
		[FBK_CPER_MEMORY_BIT_POSITION] = "bitPosition",
		[FBK_CPER_MEMORY_REQUESTOR] = "requestorID",
		[FBK_CPER_MEMORY_RESPONDER] = "responderID",
		[FBK_CPER_MEMORY_TARGET] = "targetID",
		[FBK_CPER_MEMORY_RANK] = "rankNumber",
		[FBK_CPER_MEMORY_CARD_HANDLE] = "cardSmbiosHandle",
		[FBK_CPER_MEMORY_MODULE_HANDLE] = "moduleSmbiosHandle",
	},
	{
		[FBK_CPER_MEMORY_MASK] = "physicalAddressMask",
		[FBK_CPER_MEMORY_NODE] = "node",
		[FBK_CPER_MEMORY_CARD] = "card",
		[FBK_CPER_MEMORY_MODULE] = "module",
		[FBK_CPER_MEMORY_DEVICE] = "device",
		[FBK_CPER_MEMORY_ROW] = "row",
		[FBK_CPER_MEMORY_COLUMN] = "column",
		[FBK_CPER_MEMORY_BIT_POSITION] = "bitPosition",
		[FBK_CPER_MEMORY_RANK] = "rank",
		[FBK_CPER_MEMORY_CHIP] = "chipID",
		[FBK_CPER_MEMORY_REQUESTOR] = "requestorID",
		[FBK_CPER_MEMORY_RESPONDER] = "responderID",
		[FBK_CPER_MEMORY_TARGET] = "targetID",
		[FBK_CPER_MEMORY_CARD_HANDLE] = "cardSmbiosHandle",
		[FBK_CPER_MEMORY_MODULE_HANDLE] = "moduleSmbiosHandle",
	},
};

static int has(const struct fbk_cper_memory *m, enum fbk_cper_memory_field f)
{
	return !!(m->valid & 1u << f);
}

static void bank(struct fbk_writer *w, const struct fbk_cper_memory *m)
{
	if (!has(m, FBK_CPER_MEMORY_BANK) && !has(m, FBK_CPER_MEMORY_BANK_GROUP) && !has(m, FBK_CPER_MEMORY_BANK_ADDRESS))
		return;
	fbk_json_object(w, "bank");
	if (has(m, FBK_CPER_MEMORY_BANK)) {
		fbk_json_uint(w, "value", m->value[FBK_CPER_MEMORY_BANK]);
	} else {
		fbk_json_uint(w, "address", m->value[FBK_CPER_MEMORY_BANK_ADDRESS]);
		fbk_json_uint(w, "group", m->value[FBK_CPER_MEMORY_BANK_GROUP]);
	}
	fbk_json_end(w);
}

static void extended(struct fbk_writer *w, const struct fbk_cper_memory *m)
{
	uint64_t high = m->value[FBK_CPER_MEMORY_ROW_HIGH];

	if (m->version != 1 || (!has(m, FBK_CPER_MEMORY_ROW_HIGH) && !has(m, FBK_CPER_MEMORY_CHIP)))
		return;
	fbk_json_object(w, "extended");
	if (has(m, FBK_CPER_MEMORY_ROW_HIGH)) {
		fbk_json_bool(w, "rowBit16", high & 1);
		fbk_json_bool(w, "rowBit17", high >> 1 & 1);
	}
	if (has(m, FBK_CPER_MEMORY_CHIP))
		fbk_json_uint(w, "chipIdentification", m->value[FBK_CPER_MEMORY_CHIP]);
	fbk_json_end(w);
}

static void memory(struct fbk_writer *w, const struct fbk_cper_memory *m)
{
	const char *const *keys = memory_keys[m->version - 1];
	uint64_t pa = m->value[FBK_CPER_MEMORY_ADDRESS], type = m->value[FBK_CPER_MEMORY_TYPE];
	uint32_t i;

	fbk_json_key(w, "message");
	fbk_put_text(w, "\"Memory error");
	if (has(m, FBK_CPER_MEMORY_ADDRESS)) {
		fbk_put_text(w, " at 0x");
		fbk_put_number(w, pa, 16, 1);
	}
	fbk_put_text(w, "\"");
	fbk_json_object(w, m->version == 1 ? "Memory" : "Memory2");
	if (has(m, FBK_CPER_MEMORY_STATUS))
		error_status(w, m->value[FBK_CPER_MEMORY_STATUS]);
	bank(w, m);
	if (has(m, FBK_CPER_MEMORY_TYPE))
		named(w, "memoryErrorType", type, fbk_cper_memory_type_name(type));
	extended(w, m);
	if (has(m, FBK_CPER_MEMORY_STATE))
		pair(w, "status", "value", m->value[FBK_CPER_MEMORY_STATE], "state",
		     m->value[FBK_CPER_MEMORY_STATE] & 1 ? "Uncorrected" : "Corrected");
	if (has(m, FBK_CPER_MEMORY_ADDRESS)) {
		fbk_json_uint(w, "physicalAddress", pa);
		fbk_json_key(w, "physicalAddressHex");
		fbk_put_text(w, "\"0x");
		fbk_put_number(w, pa, 16, 16);
		fbk_put_text(w, "\"");
	}
	for (i = 0; i < FBK_CPER_NR_MEMORY_FIELDS; i++)
		if (keys[i] && has(m, (enum fbk_cper_memory_field)i))
			fbk_json_uint(w, keys[i], m->value[i]);
	fbk_json_end(w);
}

/* --- ARM processor errors ----------------------------------------------------------------------------------------- */

/* [UEFI "ARM Cache Error Structure", "ARM TLB Error Structure", "ARM Bus Error Structure"]: what its bit says is valid. */
struct part {
	uint8_t valid, shift;
	uint16_t mask;
	uint8_t bus_only;
	uint8_t nr_names;
	const char *const *names; /* NULL with mask 1: true or false; else a number */
	const char *key, *text;
};

static const char *const transactions[] = { "Instruction", "Data Access", "Generic" };
static const char *const cache_operations[] = { "Generic Error", "Generic Read", "Generic Write", "Data Read",
						"Data Write", "Instruction Fetch", "Prefetch",	   "Eviction",
						"Snooping",	 "Snooped",	  "Management" };
static const char *const tlb_operations[] = { "Generic Error", "Generic Read",	    "Generic Write",
					      "Data Read",     "Data Write",	    "Instruction Fetch",
					      "Prefetch",      "Local Management Operation", "External Management Operation" };
static const char *const participations[] = { "Local Processor Originated Request", "Local Processor Responded to Request",
					      "Local Processor Observed", "Generic" };
static const char *const spaces[] = { "External Memory Access", "Internal Memory Access", NULL, "Device Memory Access" };
static const char *const modes[] = { "Secure", "Normal" };

#define NAMES(table) (uint8_t)(sizeof(table) / sizeof((table)[0])), (table)

static const struct part parts[] = {
	{ 0, 16, 0x3, 0, NAMES(transactions), "transactionType", "transaction type" },
	{ 1, 18, 0xf, 0, 0, NULL, "operation", "operation" }, /* names depend on the structure */
	{ 2, 22, 0x7, 0, 0, NULL, "level", "level" },
	{ 3, 25, 0x1, 0, 0, NULL, "processorContextCorrupt", "context corrupt" },
	{ 4, 26, 0x1, 0, 0, NULL, "corrected", "corrected" },
	{ 5, 27, 0x1, 0, 0, NULL, "precisePC", "precise PC" },
	{ 6, 28, 0x1, 0, 0, NULL, "restartablePC", "restartable at PC" },
	{ 8, 31, 0x1, 1, 0, NULL, "timedOut", "timed out" },
	{ 7, 29, 0x3, 1, NAMES(participations), "participationType", "participation" },
	{ 9, 32, 0x3, 1, NAMES(spaces), "addressSpace", "address space" },
	{ 10, 34, 0x1ff, 1, 0, NULL, "memoryAttributes", "memory attributes" },
	{ 11, 43, 0x1, 1, NAMES(modes), "accessMode", "access mode" },
};

#define NR_PARTS (sizeof(parts) / sizeof(parts[0]))
#define OPERATION 1

/* Where several are said, the first. Return: 0 cache, 1 TLB, 2 bus; -1 none of them: nothing but the implementation knows. */
static int structure(uint32_t kinds)
{
	return kinds & FBK_CPER_ARM_CACHE ? 0 : kinds & FBK_CPER_ARM_TLB ? 1 : kinds & FBK_CPER_ARM_BUS ? 2 : -1;
}

int fbk_cper_arm_field_next(const struct fbk_cper_arm_info *info, uint32_t *cursor, struct fbk_cper_arm_field *ret)
{
	const char *const *names;
	const struct part *p;
	uint64_t value;
	uint32_t i, nr;
	int which;

	if (!info || !cursor || !ret || *cursor > NR_PARTS)
		return -EINVAL;
	which = info->valid & FBK_CPER_ARM_INFO_HAS_INFORMATION ? structure(info->kinds) : -1;
	for (i = *cursor; i < NR_PARTS; i++)
		if (which >= 0 && info->information >> parts[i].valid & 1 && (which == 2 || !parts[i].bus_only))
			break;
	if (i == NR_PARTS)
		return -ENOENT;
	p = &parts[i];
	value = info->information >> p->shift & p->mask;
	names = p->names;
	nr = p->nr_names;
	if (p->valid == OPERATION) {
		names = which == 0 ? cache_operations : tlb_operations;
		/* On the bus only those that both have. */
		nr = which == 0 ? 11 : which == 1 ? 9 : 7;
	}
	*ret = (struct fbk_cper_arm_field){ .key = p->key, .text = p->text, .value = value, .flag = !names && p->mask == 1 };
	if (names)
		ret->name = value < nr && names[value] ? names[value] : "Unknown (Reserved)";
	*cursor = i + 1;
	return 0;
}

static void information(struct fbk_writer *w, const struct fbk_cper_arm_info *info)
{
	static const char *const keys[] = { "cacheError", "tlbError", "busError" };
	struct fbk_cper_arm_field f;
	uint32_t cursor = 0;

	if (structure(info->kinds) < 0)
		return;
	fbk_json_object(w, "errorInformation");
	fbk_json_object(w, keys[structure(info->kinds)]);
	while (fbk_cper_arm_field_next(info, &cursor, &f) == 0) {
		if (f.name)
			named(w, f.key, f.value, f.name);
		else if (f.flag)
			fbk_json_bool(w, f.key, (int)f.value);
		else
			fbk_json_uint(w, f.key, f.value);
	}
	fbk_json_end(w);
	fbk_json_end(w);
}

static const char *arm_kind_name(uint32_t kinds)
{
	if (kinds & FBK_CPER_ARM_CACHE)
		return "Cache Error";
	if (kinds & FBK_CPER_ARM_TLB)
		return "TLB Error";
	if (kinds & FBK_CPER_ARM_BUS)
		return "Bus Error";
	return kinds ? "Micro-Architectural Error" : "Unknown (Reserved)";
}

static void arm_info(struct fbk_writer *w, const struct fbk_cper_arm_info *info)
{
	static const char *const bits[] = { "firstErrorCaptured", "lastErrorCaptured", "propagated", "overflow" };
	uint32_t i;

	fbk_json_item(w);
	fbk_json_uint(w, "version", info->version);
	fbk_json_uint(w, "length", info->len);
	named(w, "errorType", info->type, arm_kind_name(info->kinds));
	if (info->valid & FBK_CPER_ARM_INFO_HAS_MULTIPLE)
		pair(w, "multipleError", "value", info->multiple, "type", info->multiple ? "Multiple Errors" : "Single Error");
	if (info->valid & FBK_CPER_ARM_INFO_HAS_FLAGS) {
		fbk_json_object(w, "flags");
		for (i = 0; i < 4; i++)
			fbk_json_bool(w, bits[i], info->flags >> i & 1);
		fbk_json_end(w);
	}
	if (info->valid & FBK_CPER_ARM_INFO_HAS_INFORMATION)
		information(w, info);
	if (info->valid & FBK_CPER_ARM_INFO_HAS_VA)
		fbk_json_uint(w, "virtualFaultAddress", info->va);
	if (info->valid & FBK_CPER_ARM_INFO_HAS_PA)
		fbk_json_uint(w, "physicalFaultAddress", info->pa);
	fbk_json_end(w);
}

/* [UEFI "ARM Processor Context Information"], Tables "ARMv8 AArch32 GPRs" and on: one register behind the other. */
static const struct {
	const char *name;
	uint32_t width;
	const char *regs; /* separated by spaces */
} contexts[] = {
	{ "AArch32 General Purpose Registers", 4, "r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 r12 r13_sp r14_lr r15_pc" },
	{ "AArch32 EL1 Context Registers", 4,
	  "dfar dfsr ifar isr mair0 mair1 midr mpidr nmrr prrr sctlr_ns spsr spsr_abt spsr_fiq spsr_irq spsr_svc spsr_und "
	  "tpidrprw tpidruro tpidrurw ttbcr ttbr0 ttbr1 dacr" },
	{ "AArch32 EL2 Context Registers", 4,
	  "elr_hyp hamair0 hamair1 hcr hcr2 hdfar hifar hpfar hsr htcr htpidr httbr spsr_hyp vtcr vttbr dacr32_el2" },
	{ "AArch32 Secure Context Registers", 4, "sctlr_s spsr_mon" },
	{ "AArch64 General Purpose Registers", 8,
	  "x0 x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 x11 x12 x13 x14 x15 x16 x17 x18 x19 x20 x21 x22 x23 x24 x25 x26 x27 x28 x29 x30 sp" },
	{ "AArch64 EL1 Context Registers", 8,
	  "elr_el1 esr_el1 far_el1 isr_el1 mair_el1 midr_el1 mpidr_el1 sctlr_el1 sp_el0 sp_el1 spsr_el1 tcr_el1 tpidr_el0 "
	  "tpidr_el1 tpidrro_el0 ttbr0_el1 ttbr1_el1" },
	{ "AArch64 EL2 Context Registers", 8,
	  "elr_el2 esr_el2 far_el2 hacr_el2 hcr_el2 hpfar_el2 mair_el2 sctlr_el2 sp_el2 spsr_el2 tcr_el2 tpidr_el2 ttbr0_el2 "
	  "vtcr_el2 vttbr_el2" },
	{ "AArch64 EL3 Context Registers", 8,
	  "elr_el3 esr_el3 far_el3 mair_el3 sctlr_el3 sp_el3 spsr_el3 tcr_el3 tpidr_el3 ttbr0_el3" },
	{ "Miscellaneous System Register Structure", 0, NULL },
};

#define CONTEXT_MISC 8
#define MISC_LEN 10
#define NR_CONTEXTS (sizeof(contexts) / sizeof(contexts[0]))

static uint32_t count_words(const char *s)
{
	uint32_t n = 1;

	for (; *s; s++)
		n += *s == ' ';
	return n;
}

static void arm_registers(struct fbk_writer *w, const struct fbk_cper_arm_context *c)
{
	const char *name, *end;
	uint32_t i, width = contexts[c->type].width;

	fbk_json_object(w, "registerArray");
	for (i = 0, name = contexts[c->type].regs;; i++, name = end + 1) {
		const uint8_t *p = c->regs + i * width;
		char key[16] = { 0 };

		for (end = name; *end && *end != ' '; end++)
			key[end - name] = *end;
		fbk_json_uint(w, key, width == 8 ? fbk_get_le64(p) : fbk_get_le32(p));
		if (!*end)
			break;
	}
	fbk_json_end(w);
}

/* [UEFI "ARM Misc. Context Register"]: how MRS names the register, and what it held */
static void arm_misc(struct fbk_writer *w, const struct fbk_cper_arm_context *c)
{
	uint32_t mrs = fbk_get_le16(c->regs);

	fbk_json_object(w, "registerArray");
	fbk_json_object(w, "mrsEncoding");
	fbk_json_uint(w, "op2", mrs & 7);
	fbk_json_uint(w, "crm", mrs >> 3 & 0xf);
	fbk_json_uint(w, "crn", mrs >> 7 & 0xf);
	fbk_json_uint(w, "op1", mrs >> 11 & 7);
	fbk_json_uint(w, "o0", mrs >> 14 & 1);
	fbk_json_end(w);
	fbk_json_uint(w, "value", fbk_get_le64(c->regs + 2));
	fbk_json_end(w);
}

static void arm_context(struct fbk_writer *w, const struct fbk_cper_arm_context *c)
{
	fbk_json_item(w);
	fbk_json_uint(w, "version", c->version);
	named(w, "registerContextType", c->type, c->type < NR_CONTEXTS ? contexts[c->type].name : "Unknown (Reserved)");
	fbk_json_uint(w, "registerArraySize", c->len);
	if (c->type < CONTEXT_MISC && c->len >= contexts[c->type].width * count_words(contexts[c->type].regs)) {
		arm_registers(w, c);
	} else if (c->type == CONTEXT_MISC && c->len >= MISC_LEN) {
		arm_misc(w, c);
	} else {
		fbk_json_object(w, "registerArray");
		base64(w, "data", c->regs, c->len);
		fbk_json_end(w);
	}
	fbk_json_end(w);
}

static void arm(struct fbk_writer *w, const struct fbk_cper_arm *a)
{
	struct fbk_cper_arm_context context;
	struct fbk_cper_arm_info info;
	uint32_t cursor = 0;

	fbk_json_text(w, "message", "ARM processor error");
	fbk_json_object(w, "ArmProcessor");
	fbk_json_uint(w, "errorInfoNum", a->nr_infos);
	fbk_json_uint(w, "contextInfoNum", a->nr_contexts);
	fbk_json_uint(w, "sectionLength", a->len);
	if (a->valid & FBK_CPER_ARM_HAS_AFFINITY)
		pair(w, "errorAffinity", "value", a->affinity, "type", a->affinity < 4 ? "Vendor Defined" : "Reserved");
	if (a->valid & FBK_CPER_ARM_HAS_MPIDR) {
		fbk_json_uint(w, "mpidrEl1", a->mpidr);
		fbk_json_uint(w, "affinity3", a->mpidr >> 32 & 0xff);
	}
	fbk_json_uint(w, "midrEl1", a->midr);
	if (a->valid & FBK_CPER_ARM_HAS_RUNNING) {
		fbk_json_bool(w, "running", a->running & 1);
		if (!(a->running & 1))
			fbk_json_uint(w, "psciState", a->psci);
	}
	fbk_json_array(w, "errorInfo");
	while (fbk_cper_arm_info_next(a, &cursor, &info) == 0)
		arm_info(w, &info);
	fbk_json_array_end(w);
	fbk_json_array(w, "contextInfo");
	cursor = 0;
	while (fbk_cper_arm_context_next(a, &cursor, &context) == 0)
		arm_context(w, &context);
	fbk_json_array_end(w);
	if (a->valid & FBK_CPER_ARM_HAS_VENDOR && a->len > a->vendor_at) {
		fbk_json_object(w, "vendorSpecificInfo");
		base64(w, "data", a->body + a->vendor_at, a->len - a->vendor_at);
		fbk_json_end(w);
	}
	fbk_json_end(w);
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

/* [UEFI "Error Record Header", Notification Type] */
static const char *notification_name(const uint8_t *g)
{
	static const struct {
		uint8_t guid[FBK_CPER_GUID_LEN];
		const char *name;
	} known[] = {
		{ { 0xb1, 0x8b, 0xce, 0x2d, 0xd7, 0xbd, 0x0e, 0x45, 0xb9, 0xad, 0x9c, 0xf4, 0xeb, 0xd4, 0xf8, 0x90 }, "CMC" },
		{ { 0x96, 0x2f, 0x29, 0x4e, 0x43, 0xd8, 0x55, 0x4a, 0xa8, 0xc2, 0xd4, 0x81, 0xf2, 0x7e, 0xbe, 0xee }, "CPE" },
		{ { 0xfe, 0x6f, 0xf5, 0xe8, 0x9c, 0x91, 0xc5, 0x4c, 0xba, 0x88, 0x65, 0xab, 0xe1, 0x49, 0x13, 0xbb }, "MCE" },
		{ { 0x1f, 0xc0, 0x93, 0xcf, 0x16, 0x1a, 0xfc, 0x4d, 0xb8, 0xbc, 0x9c, 0x4d, 0xaf, 0x67, 0xc1, 0x04 }, "PCIe" },
		{ { 0xe8, 0x63, 0x52, 0xcc, 0x08, 0x93, 0x4a, 0x45, 0x89, 0xd0, 0x34, 0x0b, 0xd3, 0x9b, 0xc9, 0x8e }, "INIT" },
		{ { 0xff, 0x89, 0xad, 0x5b, 0xe6, 0xb7, 0xc9, 0x42, 0x81, 0x4a, 0xcf, 0x24, 0x85, 0xd6, 0xe9, 0x8a }, "NMI" },
		{ { 0x66, 0xa4, 0x61, 0x3d, 0x40, 0xab, 0x9a, 0x40, 0xa6, 0x98, 0xf3, 0x62, 0xd4, 0x64, 0xb3, 0x8f }, "Boot" },
		{ { 0x91, 0xd7, 0x7d, 0x66, 0xb3, 0xc6, 0x27, 0x4c, 0x8a, 0x6b, 0x0f, 0x8e, 0x72, 0x2d, 0xeb, 0x41 }, "DMAr" },
		{ { 0x8a, 0x78, 0x78, 0x9a, 0xe8, 0xbb, 0xe4, 0x11, 0x80, 0x9e, 0x67, 0x61, 0x1e, 0x5d, 0x46, 0xb0 }, "SEA" },
		{ { 0x81, 0x4c, 0x28, 0x5c, 0xae, 0xb0, 0x87, 0x4e, 0xa3, 0x22, 0xb0, 0x4c, 0x85, 0x62, 0x43, 0x23 }, "SEI" },
		{ { 0xac, 0xd5, 0xa9, 0x09, 0x04, 0x52, 0x14, 0x42, 0x96, 0xe5, 0x94, 0x99, 0x2e, 0x75, 0x2b, 0xcd }, "PEI" },
	};
	uint32_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!memcmp(known[i].guid, g, FBK_CPER_GUID_LEN))
			return known[i].name;
	return "Unknown";
}

static const char *record_flags_name(uint32_t flags)
{
	switch (flags) {
	case 1:
		return "HW_ERROR_FLAGS_RECOVERED";
	case 2:
		return "HW_ERROR_FLAGS_PREVERR";
	case 4:
		return "HW_ERROR_FLAGS_SIMULATED";
	}
	return "Unknown";
}

static void record_header(struct fbk_writer *w, const struct fbk_cper_view *v)
{
	fbk_json_object(w, "header");
	revision(w, v->revision);
	fbk_json_uint(w, "sectionCount", v->nr_sections);
	severity(w, v->severity);
	fbk_json_uint(w, "recordLength", v->len);
	time_of(w, &v->time);
	if (v->valid & FBK_CPER_HAS_PLATFORM)
		guid(w, "platformID", v->platform);
	if (v->valid & FBK_CPER_HAS_PARTITION)
		guid(w, "partitionID", v->partition);
	guid(w, "creatorID", v->creator);
	fbk_json_object(w, "notificationType");
	guid(w, "guid", v->notification);
	fbk_json_text(w, "type", notification_name(v->notification));
	fbk_json_end(w);
	fbk_json_uint(w, "recordID", v->record_id);
	named(w, "flags", v->flags, record_flags_name(v->flags));
	fbk_json_uint(w, "persistenceInfo", v->persistence);
	fbk_json_end(w);
}

/* libcper knows no status block: this stands where a record has its header. */
static void block_header(struct fbk_writer *w, const struct fbk_cper_view *v)
{
	static const char *const bits[] = { "uncorrectable", "correctable", "multipleUncorrectable", "multipleCorrectable" };
	uint32_t i;

	fbk_json_object(w, "genericErrorStatus");
	fbk_json_object(w, "blockStatus");
	for (i = 0; i < 4; i++)
		fbk_json_bool(w, bits[i], v->block_status >> i & 1);
	fbk_json_uint(w, "entryCount", v->block_status >> 4 & 0x3ff);
	fbk_json_end(w);
	fbk_json_uint(w, "sectionCount", v->nr_sections);
	severity(w, v->severity);
	fbk_json_uint(w, "recordLength", v->len);
	if (v->raw_len) {
		fbk_json_uint(w, "rawDataOffset", v->raw_offset);
		fbk_json_uint(w, "rawDataLength", v->raw_len);
	}
	fbk_json_end(w);
}

static void descriptor(struct fbk_writer *w, const struct fbk_cper_section *s)
{
	static const char *const bits[] = { "primary",		     "containmentWarning", "reset",	 "errorThresholdExceeded",
					    "resourceNotAccessible", "latentError",	   "propagated", "overflow" };
	static const char *const types[] = { "Unknown", "Platform Memory", "Platform Memory 2", "ARM" };
	uint32_t i;

	fbk_json_item(w);
	fbk_json_uint(w, "sectionOffset", s->offset);
	fbk_json_uint(w, "sectionLength", s->len);
	revision(w, s->revision);
	fbk_json_object(w, "flags");
	for (i = 0; i < 8; i++)
		fbk_json_bool(w, bits[i], s->flags >> i & 1);
	fbk_json_end(w);
	fbk_json_object(w, "sectionType");
	guid(w, "data", s->type);
	fbk_json_text(w, "type", types[s->kind]);
	fbk_json_end(w);
	if (s->valid & FBK_CPER_HAS_FRU_ID)
		guid(w, "fruID", s->fru_id);
	if (s->valid & FBK_CPER_HAS_FRU_TEXT)
		fbk_json_text(w, "fruText", s->fru_text);
	severity(w, s->severity);
	time_of(w, &s->time);
	fbk_json_end(w);
}

static void section(struct fbk_writer *w, const struct fbk_cper_section *s)
{
	struct fbk_cper_memory m;
	struct fbk_cper_arm a;

	fbk_json_item(w);
	if (fbk_cper_memory_read(s, &m) == 0) {
		memory(w, &m);
	} else if (fbk_cper_arm_read(s, &a) == 0) {
		arm(w, &a);
	} else {
		fbk_json_object(w, "Unknown");
		base64(w, "data", s->body, s->len);
		fbk_json_end(w);
	}
	fbk_json_end(w);
}

int fbk_cper_json(const struct fbk_cper_view *v, char *buf, size_t len)
{
	struct fbk_writer w = { .buf = buf, .len = len < INT_MAX ? len : INT_MAX };
	struct fbk_cper_section s;
	uint32_t cursor = 0;

	if (!v || !buf)
		return -EINVAL;
	fbk_put_text(&w, "{");
	if (v->form == FBK_CPER_RECORD)
		record_header(&w, v);
	else
		block_header(&w, v);
	fbk_json_array(&w, "sectionDescriptors");
	while (fbk_cper_section_next(v, &cursor, &s) == 0)
		descriptor(&w, &s);
	fbk_json_array_end(&w);
	fbk_json_array(&w, "sections");
	cursor = 0;
	while (fbk_cper_section_next(v, &cursor, &s) == 0)
		section(&w, &s);
	fbk_json_array_end(&w);
	fbk_put_text(&w, "}");
	return fbk_writer_end(&w);
}
