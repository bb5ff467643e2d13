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

/* [ARM-ARM "ESR_EL2, ISS for Data Abort", DFSC]: level -1 has a code of its own, 0x13 and 0x1b. */
static int decode_status(uint32_t fsc, struct fbk_abort *a)
{
	switch (fsc) {
	case 0x10:
		return 0;
	case 0x13 ... 0x17:
		a->flags |= FBK_SEA_ON_WALK;
		a->walk_level = (int32_t)fsc - 0x14;
		return 0;
	case 0x18:
		a->flags |= FBK_SEA_PARITY;
		return 0;
	case 0x1b ... 0x1f:
		a->flags |= FBK_SEA_PARITY | FBK_SEA_ON_WALK;
		a->walk_level = (int32_t)fsc - 0x1c;
		return 0;
	default:
		return -EBADMSG;
	}
}

static int decode_class(uint64_t esr, struct fbk_abort *a)
{
	switch (FBK_ESR_EC(esr)) {
	case FBK_EC_IABT_CUR:
		a->flags |= FBK_SEA_SAME_EL;
		a->kind = FBK_ABORT_INSTRUCTION;
		return 0;
	case FBK_EC_IABT_LOW:
		a->kind = FBK_ABORT_INSTRUCTION;
		return 0;
	case FBK_EC_DABT_CUR:
		a->flags |= FBK_SEA_SAME_EL;
		break;
	case FBK_EC_DABT_LOW:
		break;
	default:
		return -EBADMSG;
	}
	a->kind = FBK_ABORT_DATA;
	if (esr & FBK_ESR_CM)
		a->flags |= FBK_SEA_CM;
	if (esr & FBK_ESR_WNR)
		a->flags |= FBK_SEA_WRITE;
	return 0;
}

int fbk_sea_decode(const struct fbk_sea_exit *in, struct fbk_abort *ret)
{
	struct fbk_abort a = { .flags = FBK_SEA_HAS_ESR };
	int gva_valid, gpa_valid, err;

	if (!in || !ret)
		return -EINVAL;

	gva_valid = !(in->esr & FBK_ESR_FNV);
	switch (in->abi) {
	case FBK_ABI_MAINLINE:
		/* Our GVA_VALID says again what FnV says, for readers of flags; stock kernels leave it 0. */
		gpa_valid = !!(in->flags & FBK_KVM_SEA_FLAG_GPA_VALID);
		break;
	case FBK_ABI_PROPOSED:
		gva_valid = gva_valid && (in->flags & FBK_KVM_SEA_PROPOSED_FLAG_GVA_VALID);
		gpa_valid = !!(in->flags & FBK_KVM_SEA_PROPOSED_FLAG_GPA_VALID);
		break;
	default:
		return -EINVAL;
	}

	a.esr = in->esr;
	err = decode_class(in->esr, &a);
	if (err)
		return err;
	err = decode_status(FBK_ESR_FSC(in->esr), &a);
	if (err)
		return err;

	if (in->esr & FBK_ESR_EA)
		a.flags |= FBK_SEA_EA;
	/* SET is defined for code 0x10 only; elsewhere the bits are RES0 and UER is what Linux assumes too. */
	if (FBK_ESR_FSC(in->esr) == FBK_FSC_SEA) {
		a.flags |= FBK_SEA_HAS_SET;
		a.severity = (enum fbk_severity)FBK_ESR_SET(in->esr);
	}
	if (gva_valid) {
		a.flags |= FBK_SEA_HAS_GVA;
		a.gva.addr = in->gva;
	}
	if (gpa_valid) {
		a.flags |= FBK_SEA_HAS_GPA;
		a.gpa.addr = in->gpa;
	}
	*ret = a;
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
