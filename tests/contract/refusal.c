// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * A kernel that takes syndromes refuses some: those that no external abort has, and all of them for a guest whose EL1 is
 * AArch32. The guest gets its abort all the same, once. On other kernels the same guests get it by the ways of those.
 */
#include "contract.h"

#include <stdio.h>

#define SCTLR 0x30d00800ULL

/* A road that relies on the kernel has not read PSTATE. */
static uint64_t unread(int way, uint64_t pstate)
{
	return takes_syndrome() && way == 0 ? 0 : pstate;
}

static void test_syndrome(const struct base *b)
{
	static struct regs at_vector[2];
	enum fbk_replay_method method[2] = { FBK_REPLAY_NONE, FBK_REPLAY_NONE };
	const uint32_t bits[2] = { kvm_bits, 0 };
	struct vm *vm = vm_new(MEM_SMALL, false, NULL);
	/* 0x19 is no status code; the library does not judge what an exit has said. */
	struct fbk_abort a = { .flags = FBK_SEA_HAS_ESR | FBK_SEA_HAS_GVA, .kind = FBK_ABORT_DATA, .esr = 0x92000059 };
	uint64_t want = is_el1(b) ? 0x96000059 : 0x92000059, pc = vm_code(b->load), addr = HOLE_GPA + 0x18;
	const char *diff;
	int vector[2];
	char name[128];

	snprintf(name, sizeof(name), "a syndrome that no kernel takes, %s", b->name);
	regs_list(vm);
	a.gva.addr = addr;
	for (int way = 0; way < 2; way++) {
		begin(vm, b, 0x3c0, SCTLR, b->load, addr);
		if (vm_run(vm, 0).reason != KVM_EXIT_MMIO)
			bail("%s: no MMIO exit", name);
		if (fbk_inject_abort(vm->cpu[0].fd, vm->cpu[0].run, bits[way], &a, unread(way, b->mode | 0x3c0), &method[way]))
			bail("%s: the library refuses", name);
		vector[way] = run_to_vector(vm);
		regs_read(vm, &at_vector[way]);
	}
	diff = regs_diff(&at_vector[0], &at_vector[1], 0);
	ok(!diff && vector[0] == (int)b->vector && method[0] == FBK_REPLAY_CORRECTED && method[1] == FBK_REPLAY_REGISTERS &&
		   regs_value(&at_vector[0], SYS_ESR) == want && regs_value(&at_vector[0], SYS_FAR) == addr &&
		   regs_value(&at_vector[0], CORE_REG(elr_el1)) == pc,
	   name, "vectors %d/%d, %s/%s, esr 0x%llx, %s", vector[0], vector[1], fbk_replay_name(method[0]),
	   fbk_replay_name(method[1]), (unsigned long long)regs_value(&at_vector[0], SYS_ESR), diff ? diff : "all registers alike");
	vm_free(vm);
}

#define MODE_SVC 0x13
#define MODE_ABT 0x17
#define MODE_USR 0x10
#define VECTOR_DATA_ABORT 0x10 /* from VBAR */

/* The oracle is the kernel's own injection, which knows fault status registers of AArch32. */
static void test_el1_32bit(const char *what, uint64_t mode, uint64_t esr)
{
	static struct regs after[2];
	struct base b = { .name = what, .mode = mode };
	enum fbk_replay_method method = FBK_REPLAY_NONE;
	struct fbk_sea_exit in = { .esr = esr, .gva = HOLE_GPA };
	uint64_t mode_after, pc;
	struct fbk_abort a;
	const char *diff;
	struct vm *vm;
	char name[128];

	snprintf(name, sizeof(name), "AArch32 EL1, %s", what);
	vm_el1_32bit = true;
	vm = vm_new(MEM_SMALL, false, NULL);
	vm_el1_32bit = false;
	regs_list(vm);
	if (fbk_sea_decode(&in, &a))
		bail("%s: the library does not know the exit", name);
	for (int way = 0; way < 2; way++) {
		begin(vm, &b, 0x1c0, 0xc50838, guest_load_a32, HOLE_GPA);
		run_immediate(vm);
		if (way ? vm_inject_dabt(vm, 0) :
			  fbk_inject_abort(vm->cpu[0].fd, vm->cpu[0].run, kvm_bits, &a, unread(way, mode | 0x1c0), &method))
			bail("%s: no abort by way %d", name, way);
		/* 6.12 enters here. */
		run_immediate(vm);
		regs_read(vm, &after[way]);
	}
	diff = regs_diff(&after[0], &after[1], 0);
	mode_after = regs_value(&after[1], CORE_REG(regs.pstate)) & 0x1f;
	pc = regs_value(&after[1], CORE_REG(regs.pc));
	ok(!diff && method == FBK_REPLAY_HELPER && mode_after == MODE_ABT && pc == RAM_GPA + VECTOR_DATA_ABORT, name,
	   "%s, mode 0x%llx, pc 0x%llx, %s", fbk_replay_name(method), (unsigned long long)mode_after, (unsigned long long)pc,
	   diff ? diff : "all registers alike");
	vm_free(vm);
}

void test_refusal(void)
{
	test_syndrome(BASE_EL1H);
	test_syndrome(BASE_EL0);
	if (!kvm_has_el1_32bit())
		return;
	test_el1_32bit("supervisor mode, plain", MODE_SVC, 0x92000010);
	test_el1_32bit("supervisor mode, store", MODE_SVC, 0x92000050);
	test_el1_32bit("user mode, store", MODE_USR, 0x92000050);
	test_el1_32bit("user mode, FnV", MODE_USR, 0x92000410);
}
