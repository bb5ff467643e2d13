/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sea.c - what a KVM_EXIT_ARM_SEA says.
 */
#include <firebreak/sea.h>

#include "esr.h"

#include <errno.h>
#include <string.h>

int fbk_sea_exit_read(enum fbk_abi abi, const void *raw, struct fbk_sea_exit *ret)
{
	uint64_t word[4];

	if (!raw || !ret)
		return -EINVAL;
	memcpy(word, raw, sizeof(word));
	switch (abi) {
	case FBK_ABI_MAINLINE:
		ret->flags = word[0];
		ret->esr = word[1];
		break;
	case FBK_ABI_PROPOSED:
		ret->esr = word[0];
		ret->flags = word[1];
		break;
	default:
		return -EINVAL;
	}
	ret->abi = abi;
	ret->gva = word[2];
	ret->gpa = word[3];
	return 0;
}

/* What one field of the syndrome says: bits of fbk_abort.flags, or WRONG. */
#define WRONG UINT32_MAX

/* [ARM-ARM "ESR_EL2, ISS for Data Abort", DFSC]: level -1 has a code of its own, 0x13 and 0x1b. */
static uint32_t status_flags(uint32_t fsc)
{
	static const uint32_t flags[16] = {
		[0x0] = 0,
		[0x1 ... 0x2] = WRONG,
		[0x3 ... 0x7] = FBK_SEA_ON_WALK,
		[0x8] = FBK_SEA_PARITY,
		[0x9 ... 0xa] = WRONG,
		[0xb ... 0xf] = FBK_SEA_PARITY | FBK_SEA_ON_WALK,
	};

	return fsc >> 4 == 1 ? flags[fsc & 0xf] : WRONG;
}

static uint32_t class_flags(uint64_t esr, enum fbk_abort_kind *ret_kind)
{
	uint32_t ec = FBK_ESR_EC(esr);
	uint32_t flags = 0;

	/* The lower EL's class is even, the current EL's is the next. */
	switch (ec & ~1u) {
	case FBK_EC_DABT_LOW:
		*ret_kind = FBK_ABORT_DATA;
		if (esr & FBK_ESR_CM)
			flags |= FBK_SEA_CM;
		if (esr & FBK_ESR_WNR)
			flags |= FBK_SEA_WRITE;
		break;
	case FBK_EC_IABT_LOW:
		*ret_kind = FBK_ABORT_INSTRUCTION;
		break;
	default:
		return WRONG;
	}
	return ec & 1 ? flags | FBK_SEA_SAME_EL : flags;
}

/* Which of the addresses the exit says are valid; WRONG: no such layout. */
static uint32_t address_flags(const struct fbk_sea_exit *in)
{
	uint32_t gva = in->esr & FBK_ESR_FNV ? 0 : FBK_SEA_HAS_GVA;

	switch (in->abi) {
	case FBK_ABI_MAINLINE:
		/* Our GVA_VALID says again what FnV says, for readers of flags; stock kernels leave it 0. */
		return gva | (in->flags & FBK_KVM_SEA_FLAG_GPA_VALID ? FBK_SEA_HAS_GPA : 0);
	case FBK_ABI_PROPOSED:
		if (!(in->flags & FBK_KVM_SEA_PROPOSED_FLAG_GVA_VALID))
			gva = 0;
		return gva | (in->flags & FBK_KVM_SEA_PROPOSED_FLAG_GPA_VALID ? FBK_SEA_HAS_GPA : 0);
	default:
		return WRONG;
	}
}

int fbk_sea_decode(const struct fbk_sea_exit *in, struct fbk_abort *ret)
{
	uint32_t address, class, status, fsc, flags;
	enum fbk_abort_kind kind = FBK_ABORT_UNKNOWN;
	uint64_t esr;

	if (!in || !ret)
		return -EINVAL;
	address = address_flags(in);
	if (address == WRONG)
		return -EINVAL;
	esr = in->esr;
	fsc = FBK_ESR_FSC(esr);
	class = class_flags(esr, &kind);
	status = status_flags(fsc);
	if (class == WRONG || status == WRONG)
		return -EBADMSG;

	flags = FBK_SEA_HAS_ESR | address | class | status;
	if (esr & FBK_ESR_EA)
		flags |= FBK_SEA_EA;
	/* SET is defined for code 0x10 only; elsewhere the bits are RES0 and UER is what Linux assumes too. */
	if (fsc == FBK_FSC_SEA)
		flags |= FBK_SEA_HAS_SET;

	ret->flags = flags;
	ret->kind = kind;
	ret->severity = flags & FBK_SEA_HAS_SET ? (enum fbk_severity)FBK_ESR_SET(esr) : FBK_SEVERITY_UER;
	ret->walk_level = flags & FBK_SEA_ON_WALK ? (int32_t)(fsc & 7) - 4 : 0;
	ret->esr = esr;
	ret->gva.addr = flags & FBK_SEA_HAS_GVA ? in->gva : 0;
	ret->gpa.addr = flags & FBK_SEA_HAS_GPA ? in->gpa : 0;
	return 0;
}

int fbk_sea_poison(struct fbk_gpa gpa, struct fbk_abort *ret)
{
	if (!ret)
		return -EINVAL;
	*ret = (struct fbk_abort){
		.flags = FBK_SEA_HAS_GPA,
		.kind = FBK_ABORT_UNKNOWN,
		.gpa = gpa,
	};
	return 0;
}

const char *fbk_sea_kind_name(enum fbk_abort_kind kind)
{
	switch (kind) {
	case FBK_ABORT_DATA:
		return "data";
	case FBK_ABORT_INSTRUCTION:
		return "instruction";
	case FBK_ABORT_UNKNOWN:
		return "unknown";
	}
	return "invalid";
}

const char *fbk_severity_name(enum fbk_severity severity)
{
	switch (severity) {
	case FBK_SEVERITY_UER:
		return "recoverable";
	case FBK_SEVERITY_RESERVED:
		return "reserved";
	case FBK_SEVERITY_UC:
		return "uncontainable";
	case FBK_SEVERITY_UEO:
		return "restartable";
	}
	return "invalid";
}

const char *fbk_source_name(enum fbk_source source)
{
	switch (source) {
	case FBK_SOURCE_SEA:
		return "sea";
	case FBK_SOURCE_SIGBUS_AR:
		return "sigbus-ar";
	case FBK_SOURCE_SIGBUS_AO:
		return "sigbus-ao";
	case FBK_SOURCE_SIGBUS_IO:
		return "sigbus-io";
	case FBK_SOURCE_MEMORY_FAULT:
		return "memory-fault";
	case FBK_NR_SOURCES:
		break;
	}
	return "invalid";
}

const char *fbk_sea_status_text(uint32_t fsc)
{
	static const char *const text[16] = {
		[0x0] = "synchronous external abort, not on a table walk",
		[0x3] = "synchronous external abort on a table walk, level -1",
		[0x4] = "synchronous external abort on a table walk, level 0",
		[0x5] = "synchronous external abort on a table walk, level 1",
		[0x6] = "synchronous external abort on a table walk, level 2",
		[0x7] = "synchronous external abort on a table walk, level 3",
		[0x8] = "synchronous parity or ECC error, not on a table walk",
		[0xb] = "synchronous parity or ECC error on a table walk, level -1",
		[0xc] = "synchronous parity or ECC error on a table walk, level 0",
		[0xd] = "synchronous parity or ECC error on a table walk, level 1",
		[0xe] = "synchronous parity or ECC error on a table walk, level 2",
		[0xf] = "synchronous parity or ECC error on a table walk, level 3",
	};

	if (fsc < 0x10 || fsc > 0x1f || !text[fsc - 0x10])
		return "not an external abort";
	return text[fsc - 0x10];
}
