/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * decode-esr.c - a syndrome register in words: every class by its name, aborts and SErrors field by field.
 */
#include "decode.h"

#include <stdio.h>

#define SPEC_ESR "[ARM-ARM \"ESR_EL2\"]"
#define SPEC_DATA "[ARM-ARM \"ESR_EL2, ISS for Data Abort\"]"
#define SPEC_INSTRUCTION "[ARM-ARM \"ESR_EL2, ISS for Instruction Abort\"]"
#define SPEC_SERROR "[ARM-ARM \"ESR_EL2, ISS for SError exception\"]"

#define EC_INSTRUCTION 0x20
#define EC_DATA 0x24
#define EC_SERROR 0x2f

static const char *class_name(unsigned int ec)
{
	static const char *const names[64] = {
		[0x00] = "unknown reason",
		[0x01] = "WFI, WFE, WFIT or WFET",
		[0x03] = "MCR or MRC, coprocessor 15",
		[0x04] = "MCRR or MRRC, coprocessor 15",
		[0x05] = "MCR or MRC, coprocessor 14",
		[0x06] = "LDC or STC",
		[0x07] = "SVE, Advanced SIMD or floating point",
		[0x08] = "VMRS",
		[0x09] = "pointer authentication",
		[0x0a] = "LD64B, ST64B, ST64BV or ST64BV0",
		[0x0c] = "MRRC, coprocessor 14",
		[0x0d] = "branch target",
		[0x0e] = "illegal execution state",
		[0x11] = "SVC in AArch32",
		[0x12] = "HVC in AArch32",
		[0x13] = "SMC in AArch32",
		[0x14] = "MSRR, MRRS or 128-bit system instruction",
		[0x15] = "SVC in AArch64",
		[0x16] = "HVC in AArch64",
		[0x17] = "SMC in AArch64",
		[0x18] = "MSR, MRS or system instruction",
		[0x19] = "SVE",
		[0x1a] = "ERET, ERETAA or ERETAB",
		[0x1b] = "TSTART",
		[0x1c] = "pointer authentication failure",
		[0x1d] = "SME",
		[0x1e] = "granule protection check",
		[0x20] = "instruction abort from a lower exception level",
		[0x21] = "instruction abort without a change of exception level",
		[0x22] = "PC alignment",
		[0x24] = "data abort from a lower exception level",
		[0x25] = "data abort without a change of exception level",
		[0x26] = "SP alignment",
		[0x27] = "memory operation (CPY, SET)",
		[0x28] = "floating point in AArch32",
		[0x2c] = "floating point in AArch64",
		[0x2d] = "guarded control stack",
		[0x2f] = "SError",
		[0x30] = "breakpoint from a lower exception level",
		[0x31] = "breakpoint without a change of exception level",
		[0x32] = "software step from a lower exception level",
		[0x33] = "software step without a change of exception level",
		[0x34] = "watchpoint from a lower exception level",
		[0x35] = "watchpoint without a change of exception level",
		[0x38] = "BKPT in AArch32",
		[0x3a] = "vector catch in AArch32",
		[0x3c] = "BRK in AArch64",
		[0x3d] = "profiling",
	};

	return names[ec] ? names[ec] : "reserved class";
}

static const char *status_name(unsigned int fsc)
{
	static const char *const names[64] = {
		[0x00] = "address size fault, level 0",
		[0x01] = "address size fault, level 1",
		[0x02] = "address size fault, level 2",
		[0x03] = "address size fault, level 3",
		[0x04] = "translation fault, level 0",
		[0x05] = "translation fault, level 1",
		[0x06] = "translation fault, level 2",
		[0x07] = "translation fault, level 3",
		[0x08] = "access flag fault, level 0",
		[0x09] = "access flag fault, level 1",
		[0x0a] = "access flag fault, level 2",
		[0x0b] = "access flag fault, level 3",
		[0x0c] = "permission fault, level 0",
		[0x0d] = "permission fault, level 1",
		[0x0e] = "permission fault, level 2",
		[0x0f] = "permission fault, level 3",
		[0x10] = "synchronous external abort, not on a table walk",
		[0x11] = "synchronous tag check fault",
		[0x12] = "synchronous external abort on a table walk, level -2",
		[0x13] = "synchronous external abort on a table walk, level -1",
		[0x14] = "synchronous external abort on a table walk, level 0",
		[0x15] = "synchronous external abort on a table walk, level 1",
		[0x16] = "synchronous external abort on a table walk, level 2",
		[0x17] = "synchronous external abort on a table walk, level 3",
		[0x18] = "synchronous parity or ECC error, not on a table walk",
		[0x1b] = "synchronous parity or ECC error on a table walk, level -1",
		[0x1c] = "synchronous parity or ECC error on a table walk, level 0",
		[0x1d] = "synchronous parity or ECC error on a table walk, level 1",
		[0x1e] = "synchronous parity or ECC error on a table walk, level 2",
		[0x1f] = "synchronous parity or ECC error on a table walk, level 3",
		[0x21] = "alignment fault",
		[0x22] = "granule protection fault on a table walk, level -2",
		[0x23] = "granule protection fault on a table walk, level -1",
		[0x24] = "granule protection fault on a table walk, level 0",
		[0x25] = "granule protection fault on a table walk, level 1",
		[0x26] = "granule protection fault on a table walk, level 2",
		[0x27] = "granule protection fault on a table walk, level 3",
		[0x28] = "granule protection fault, not on a table walk",
		[0x29] = "address size fault, level -1",
		[0x2a] = "translation fault, level -2",
		[0x2b] = "translation fault, level -1",
		[0x2c] = "address size fault, level -2",
		[0x30] = "TLB conflict",
		[0x31] = "unsupported atomic hardware update",
		[0x34] = "implementation defined (lockdown)",
		[0x35] = "implementation defined (unsupported exclusive or atomic)",
	};

	return names[fsc] ? names[fsc] : "reserved code";
}

static void field(struct fbk_esr_words *w, uint64_t esr, const char *name, unsigned int high, unsigned int low, const char *meaning)
{
	w->field[w->nr++] = (struct fbk_field){
		.name = name,
		.high = high,
		.low = low,
		.value = esr >> low & (high - low == 63 ? UINT64_MAX : (UINT64_C(1) << (high - low + 1)) - 1),
		.meaning = meaning,
	};
}

static const char *either(uint64_t esr, unsigned int bit, const char *set, const char *clear)
{
	return esr >> bit & 1 ? set : clear;
}

/* SET of an abort, or what the bits are where it is not defined. */
static const char *error_type(uint64_t esr)
{
	static const char *const names[] = {
		"recoverable (UER)",
		"reserved; read as uncontainable",
		"uncontainable (UC)",
		"restartable (UEO)",
	};

	return (esr & 0x3f) == 0x10 ? names[esr >> 11 & 3] : "says nothing: defined for status 0x10 only";
}

static void data_access(struct fbk_esr_words *w, uint64_t esr)
{
	static const char *const sizes[] = { "byte", "halfword", "word", "doubleword" };
	bool has = esr >> 24 & 1;

	field(w, esr, "ISV", 24, 24, either(esr, 24, "bits 23 to 14 describe the access", "bits 23 to 14 say nothing"));
	if (!has)
		return;
	field(w, esr, "SAS", 23, 22, sizes[esr >> 22 & 3]);
	field(w, esr, "SSE", 21, 21, either(esr, 21, "sign-extended", "not sign-extended"));
	field(w, esr, "SRT", 20, 16, "register transferred");
	field(w, esr, "SF", 15, 15, either(esr, 15, "64-bit register", "32-bit register"));
	field(w, esr, "AR", 14, 14, either(esr, 14, "acquire or release", "neither acquire nor release"));
}

static void abort_fields(struct fbk_esr_words *w, uint64_t esr, bool data)
{
	unsigned int first = w->nr, fsc = esr & 0x3f;

	if (data) {
		data_access(w, esr);
		field(w, esr, "VNCR", 13, 13, either(esr, 13, "an access through VNCR_EL2", "no access through VNCR_EL2"));
	}
	field(w, esr, "SET", 12, 11, error_type(esr));
	field(w, esr, "FnV", 10, 10, either(esr, 10, "the fault address register is not valid", "the fault address register is valid"));
	field(w, esr, "EA", 9, 9, either(esr, 9, "of the implementation's second kind (a slave error)", "no further classification"));
	if (data)
		field(w, esr, "CM", 8, 8,
		      either(esr, 8, "cache maintenance or address translation instruction", "no cache maintenance instruction"));
	field(w, esr, "S1PTW", 7, 7, either(esr, 7, "stage 2, on a walk of stage 1's tables", "not a stage 2 fault on a stage 1 walk"));
	if (data)
		field(w, esr, "WnR", 6, 6,
		      esr & 1 << 8 ? "says nothing beside CM" : either(esr, 6, "write (unknown for an atomic access)", "read"));
	field(w, esr, data ? "DFSC" : "IFSC", 5, 0, status_name(fsc));
	w->field[first].spec = data ? SPEC_DATA : SPEC_INSTRUCTION;
	/* Level -2 is real to the architecture; [K3] does not forward it. */
	w->external = fsc == 0x10 || (fsc >= 0x12 && fsc <= 0x18) || (fsc >= 0x1b && fsc <= 0x1f);
	w->summary = w->external ? status_name(fsc) : "an abort, but no external one";
}

static void serror_fields(struct fbk_esr_words *w, uint64_t esr)
{
	static const char *const states[] = {
		"uncontainable (UC)", "unrecoverable (UEU)", "restartable (UEO)", "recoverable (UER)",
		"reserved",	      "reserved",	     "corrected (CE)",	  "reserved",
	};
	unsigned int first = w->nr;
	bool defined = !(esr >> 24 & 1), described = (esr & 0x3f) == 0x11;

	field(w, esr, "IDS", 24, 24, either(esr, 24, "bits 23 to 0 are implementation defined", "bits 23 to 0 are as architected"));
	if (defined) {
		field(w, esr, "IESB", 13, 13, either(esr, 13, "taken by an implicit error synchronization", "not by an implicit error synchronization"));
		field(w, esr, "AET", 12, 10, described ? states[esr >> 10 & 7] : "says nothing: defined for status 0x11 only");
		field(w, esr, "EA", 9, 9, either(esr, 9, "of the implementation's second kind", "no further classification"));
		field(w, esr, "DFSC", 5, 0, described ? "asynchronous SError" : (esr & 0x3f) == 0 ? "uncategorized" : "reserved code");
	} else {
		field(w, esr, "ISS", 23, 0, "implementation defined");
	}
	w->field[first].spec = SPEC_SERROR;
	w->external = true;
	w->summary = "SError: an asynchronous external abort, or another error of the implementation's";
}

void fbk_esr_explain(uint64_t esr, struct fbk_esr_words *w)
{
	unsigned int ec = esr >> 26 & 0x3f;

	*w = (struct fbk_esr_words){ .summary = "no abort" };
	field(w, esr, "EC", 31, 26, class_name(ec));
	w->field[0].spec = SPEC_ESR;
	field(w, esr, "IL", 25, 25, either(esr, 25, "32-bit instruction, or no instruction's length is told", "16-bit instruction"));
	if (esr >> 32)
		field(w, esr, "ISS2", 55, 32, "further description of the class");
	switch (ec & ~1u) {
	case EC_DATA:
		abort_fields(w, esr, true);
		break;
	case EC_INSTRUCTION:
		abort_fields(w, esr, false);
		break;
	default:
		if (ec == EC_SERROR)
			serror_fields(w, esr);
		else
			field(w, esr, "ISS", 24, 0, "depends on the class, which is no abort");
	}
}

static void bits(const struct fbk_field *f, char *buf, size_t len)
{
	if (f->high == f->low)
		snprintf(buf, len, "%u", f->low);
	else
		snprintf(buf, len, "%u:%u", f->high, f->low);
}

void fbk_esr_print(const struct fbk_esr_words *w, uint64_t esr)
{
	char range[16], shown[24];

	printf("esr 0x%llx: %s\n", (unsigned long long)esr, w->summary);
	for (unsigned int i = 0; i < w->nr; i++) {
		const struct fbk_field *f = &w->field[i];

		if (f->spec)
			printf("%s\n", f->spec);
		bits(f, range, sizeof(range));
		snprintf(shown, sizeof(shown), "0x%llx", (unsigned long long)f->value);
		printf("  %-6s %-6s %-9s %s\n", f->name, range, shown, f->meaning);
	}
}

void fbk_esr_print_json(const struct fbk_esr_words *w, uint64_t esr)
{
	const char *spec = "";
	char range[16];

	printf("\"esr\":\"0x%llx\",\"external_abort\":%s,\"summary\":\"%s\",\"fields\":[", (unsigned long long)esr,
	       w->external ? "true" : "false", w->summary);
	for (unsigned int i = 0; i < w->nr; i++) {
		const struct fbk_field *f = &w->field[i];

		if (f->spec)
			spec = f->spec;
		bits(f, range, sizeof(range));
		printf("%s{\"name\":\"%s\",\"bits\":\"%s\",\"value\":\"0x%llx\",\"meaning\":\"%s\",\"spec\":\"", i ? "," : "", f->name,
		       range, (unsigned long long)f->value, f->meaning);
		/* A clause's title is quoted, and in it is nothing else to escape. */
		for (const char *s = spec; *s; s++)
			printf("%s%c", *s == '"' ? "\\" : "", *s);
		printf("\"}");
	}
	putchar(']');
}
