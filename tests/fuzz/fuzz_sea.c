/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_sea.c - any exit, any PSTATE: what is decoded agrees with the bits, and what is refused leaves no trace.
 */
#include "fuzz.h"

#include "core/entry.h"

#include <firebreak/sea.h>

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	enum fbk_abi abi = (enum fbk_abi)fuzz_take(&f, 1);
	uint64_t pstate = fuzz_take(&f, 8), esr, fsc;
	unsigned char raw[FBK_SEA_EXIT_LEN] = { 0 };
	struct fbk_sea_exit in;
	struct fbk_entry_from from;
	struct fbk_entry_to to;
	struct fbk_abort a, clean;
	int err;

	memcpy(raw, f.data, f.len < sizeof(raw) ? f.len : sizeof(raw));
	err = fbk_sea_exit_read(abi, raw, &in);
	CHECK(err == (abi == FBK_ABI_MAINLINE || abi == FBK_ABI_PROPOSED ? 0 : -EINVAL));
	if (err)
		return 0;
	memset(&clean, 0xa5, sizeof(clean));
	a = clean;
	err = fbk_sea_decode(&in, &a);
	if (err) {
		CHECK(err == -EBADMSG);
		CHECK(!memcmp(&a, &clean, sizeof(a)));
		return 0;
	}
	fsc = in.esr & 0x3f;
	CHECK((in.esr >> 26 & 0x3a) == 0x20);
	CHECK(fsc >= 0x10 && fsc <= 0x1f && fsc != 0x11 && fsc != 0x12 && fsc != 0x19 && fsc != 0x1a);
	CHECK(!(a.flags & FBK_SEA_HAS_GVA) || !(in.esr & 1 << 10));
	CHECK((a.flags & FBK_SEA_HAS_GVA) || a.gva.addr == 0);
	CHECK((a.flags & FBK_SEA_HAS_GPA) || a.gpa.addr == 0);
	CHECK(!(a.flags & FBK_SEA_ON_WALK) || (a.walk_level >= -1 && a.walk_level <= 3));
	CHECK(!!(a.flags & FBK_SEA_PARITY) == (fsc >= 0x18));
	CHECK(strncmp(fbk_sea_status_text((uint32_t)fsc), "synchronous", 11) == 0);
	CHECK(strcmp(fbk_sea_kind_name(a.kind), "invalid") && strcmp(fbk_severity_name(a.severity), "invalid"));

	esr = fbk_entry_esr(&a, pstate);
	CHECK((esr & 0x3f) == fsc);
	CHECK((esr >> 26 & 1) == fbk_entry_el(pstate));
	CHECK((esr >> 28) == (in.esr >> 28 & 0xf));
	/* Neither ISV and what hangs on it, nor S1PTW. */
	CHECK((esr & UINT64_C(0xffffffff01ffe080)) == 0);

	from = (struct fbk_entry_from){ .pc = in.gpa, .pstate = pstate, .vbar = in.gva, .sctlr = in.flags, .id_aa64pfr1 = in.gva };
	err = fbk_entry_take(&from, &a, &to);
	CHECK(err == (fbk_entry_possible(pstate) ? 0 : -EOPNOTSUPP));
	if (err)
		return 0;
	/* A vector of this table, at EL1h with everything masked, whatever was interrupted. */
	CHECK(((to.pc ^ from.vbar) & ~UINT64_C(0x7ff)) == 0 && (to.pc & 0x7f) == 0);
	CHECK((to.pstate & 0x3df) == 0x3c5 && to.spsr == pstate && to.elr == from.pc && to.esr == esr);
	return 0;
}
