// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * contract: does the library put a vCPU where the hardware would have put it?
 *
 * Runs as root on an arm64 KVM host, with the path of sea_inject.ko as its argument, or "states" for the part that depends
 * on what the CPU has. The oracle is the kernel's own
 * injection wherever it tells everything, compared in all registers that KVM_GET_REG_LIST names, and what the bare
 * guest's vector then finds; where the kernel loses something, the values that the architecture asks for, written out.
 */
#include "contract.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

const struct base bases[NR_BASES] = {
	{ "EL1h", 0x5, VECTOR_EL1_SYNC, guest_load, guest_store },
	{ "EL1t", 0x4, 0, guest_load, guest_store },
	{ "EL0", 0x0, VECTOR_EL0_SYNC, guest_load, guest_store },
	{ "AArch32 EL0, A32", 0x10, VECTOR_EL0_32_SYNC, guest_load_a32, guest_store_a32 },
	{ "AArch32 EL0, T32", 0x30, VECTOR_EL0_32_SYNC, guest_load_t32, guest_store_t32 },
};

bool has_sea, commits;
uint32_t kvm_bits, methods_seen[2];

/* Not the value of anything else. */
#define STALE 0x5a5a5a5a5aULL
#define LOADED 0x1234567 /* x1, which a load must not have written */

void begin(struct vm *vm, const struct base *b, uint64_t pstate, uint64_t sctlr, const char *code, uint64_t addr)
{
	vm->cpu[0].run->exit_reason = 0;
	for (unsigned int n = 0; n < 31; n++)
		vm_set_x(vm, 0, n, 0);
	vm_set_x(vm, 0, 0, addr);
	vm_set_x(vm, 0, 1, LOADED);
	vm_set_x(vm, 0, 9, DEVICE_GPA);
	vm_set_reg(vm, 0, CORE_REG(regs.pstate), b->mode | pstate);
	vm_set_reg(vm, 0, CORE_REG(regs.pc), code ? vm_code(code) : addr);
	vm_set_reg(vm, 0, CORE_REG(elr_el1), STALE);
	vm_set_reg(vm, 0, CORE_REG(spsr[KVM_SPSR_EL1]), 0x3c5);
	vm_set_reg(vm, 0, SYS_ESR, 0x56000000);
	vm_set_reg(vm, 0, SYS_FAR, STALE);
	vm_set_reg(vm, 0, SYS_SCTLR, sctlr);
}

void run_immediate(struct vm *vm)
{
	vm->cpu[0].run->immediate_exit = 1;
	if (!ioctl(vm->cpu[0].fd, KVM_RUN, 0) || errno != EINTR)
		bail("an immediate exit did not come");
	vm->cpu[0].run->immediate_exit = 0;
}

void plant_sea(struct vm *vm, uint64_t gpa)
{
	const uint64_t fields[4] = { 1, 0x92000010, gpa, gpa & ~0xfffULL };
	struct kvm_run *run = vm->cpu[0].run;

	begin(vm, BASE_EL0, 0x3c0, 0x30d00800, guest_load, gpa);
	run_immediate(vm);
	run->exit_reason = TEST_EXIT_ARM_SEA;
	memcpy(run->padding, fields, sizeof(fields));
}

int inject(struct vm *vm, uint32_t bits, struct fbk_abort *a, enum fbk_replay_method *method)
{
	uint64_t pstate;
	int err = fbk_inject_pstate(vm->cpu[0].fd, &pstate);

	return err ? err : fbk_inject_abort(vm->cpu[0].fd, vm->cpu[0].run, bits, a, pstate, method);
}

int run_to_vector(struct vm *vm)
{
	struct outcome o = vm_run(vm, 0);

	return o.kind == OUT_VECTOR ? (int)o.vector : -1;
}

/* An abort as an exit would tell of it. */
static struct fbk_abort abort_of(uint64_t esr, uint64_t gva)
{
	struct fbk_sea_exit in = { .esr = esr, .gva = gva };
	struct fbk_abort a;

	if (fbk_sea_decode(&in, &a))
		bail("the library does not know ESR 0x%llx", (unsigned long long)esr);
	return a;
}

static void probe(struct vm *vm)
{
	uint64_t before;

	if (fbk_kvm_probe(vm->fd, &kvm_bits))
		bail("cannot probe KVM");
	begin(vm, BASE_EL1H, 0x3c0, 0x30d00800, guest_load, HOLE_GPA);
	if (vm_run(vm, 0).reason != KVM_EXIT_MMIO)
		bail("no MMIO exit from a hole");
	before = vm_pc(vm, 0);
	if (vm_inject_dabt(vm, 0))
		bail("the helper does not work");
	commits = vm_pc(vm, 0) != before;
	vm->cpu[0].run->exit_reason = 0;
	if (run_to_vector(vm) != VECTOR_EL1_SYNC)
		bail("the helper's abort does not arrive");
	printf("# the helper %s; SEAs %s; syndromes %s\n", commits ? "enters at once" : "waits for KVM_RUN",
	       has_sea ? "leave the kernel" : "do not leave the kernel", takes_syndrome() ? "are taken" : "are not taken");
}

#define SCTLR 0x30500800ULL /* RES1 bits, MMU and caches off, SPAN = 0 */
#define SPAN (1ULL << 23)
#define DSSBS (1ULL << 44)

/*
 * Every bit of PSTATE in every base state, whether or not a guest can be brought to run with it: the registers are set,
 * the vCPU does not run, and the abort goes in once by the helper, once by registers, and with its syndrome where the kernel
 * takes it.
 */
void test_states(bool mte)
{
	static const struct {
		const char *name;
		uint64_t bits;
		bool sctlr; /* with every SCTLR_EL1, not just the first */
	} pstates[] = {
		{ "nothing", 0, true },		{ "DAIF", 0x3c0, false },	   { "N", 1ULL << 31, false },
		{ "Z", 1ULL << 30, false },	{ "C", 1ULL << 29, false },	   { "V", 1ULL << 28, false },
		{ "TCO", 1ULL << 25, false },	{ "DIT", 1ULL << 24, false },	   { "UAO", 1ULL << 23, false },
		{ "PAN", 1ULL << 22, true },	{ "IL", 1ULL << 20, false },	   { "ALLINT", 1ULL << 13, false },
		{ "SSBS", 1ULL << 12, true },	{ "BTYPE", 3ULL << 10, false }, { "all of them", 0xf3d03fc0, true },
	};
	static const struct {
		const char *name;
		uint64_t value;
	} sctlrs[] = {
		{ "SPAN", SCTLR | SPAN },
		{ "no SPAN", SCTLR },
		{ "SPAN, DSSBS", SCTLR | SPAN | DSSBS },
	};
	static struct regs before, again, at_once[2], at_vector[2];
	const struct {
		uint32_t bits;
		enum fbk_replay_method method;
	} ways[] = { { 0, FBK_REPLAY_REGISTERS }, { kvm_bits, FBK_REPLAY_SYNDROME } };
	size_t nr_ways = takes_syndrome() ? 2 : 1;
	unsigned int stale_il = 0;
	char name[128];
	struct vm *vm;

	vm_mte = mte;
	vm = vm_new(MEM_SMALL, false, NULL);
	vm_mte = false;
	regs_list(vm);
	/* From here on the last fault, whose address the kernel reports, is always the same. */
	begin(vm, BASE_EL1H, 0x3c0, SCTLR, guest_load, HOLE_GPA);
	if (vm_inject_dabt(vm, 0) || run_to_vector(vm) != VECTOR_EL1_SYNC)
		bail("the helper's abort does not arrive");

	for (size_t i = 0; i < NR_BASES * (sizeof(pstates) / sizeof(pstates[0])) * 3; i++) {
		const struct base *b = &bases[i % NR_BASES];
		size_t p = i / NR_BASES % (sizeof(pstates) / sizeof(pstates[0]));
		size_t s = i / NR_BASES / (sizeof(pstates) / sizeof(pstates[0]));
		uint64_t pstate = pstates[p].bits, esr;
		enum fbk_replay_method method;
		const char *diff;
		struct fbk_abort a;
		int vector[2];

		if (s && !pstates[p].sctlr)
			continue;
		/* Bits 13:10 and 25 of an AArch32 state are IT and GE: as good as any. */
		begin(vm, b, pstate, sctlrs[s].value, b->load, HOLE_GPA);
		run_immediate(vm);
		regs_read(vm, &before);
		if (vm_inject_dabt(vm, 0))
			bail("the helper does not work");
		regs_read(vm, &at_once[0]);
		esr = regs_value(&at_once[0], SYS_ESR);
		stale_il += !(esr >> 25 & 1);
		a = abort_of(esr, regs_value(&at_once[0], SYS_FAR));
		vector[0] = run_to_vector(vm);
		regs_read(vm, &at_vector[0]);

		for (size_t w = 0; w < nr_ways; w++) {
			snprintf(name, sizeof(name), "%s%s, PSTATE %s, SCTLR %s%s%s", mte ? "MTE, " : "", b->name, pstates[p].name,
				 sctlrs[s].name, w ? ", " : "", w ? fbk_replay_name(ways[w].method) : "");
			begin(vm, b, pstate, sctlrs[s].value, b->load, HOLE_GPA);
			run_immediate(vm);
			regs_read(vm, &again);
			diff = regs_diff(&before, &again, 0);
			if (diff)
				bail("%s: cannot come back to the same state: %s", name, diff);
			if (inject(vm, ways[w].bits, &a, &method) || method != ways[w].method)
				bail("%s: the library refuses", name);
			regs_read(vm, &at_once[1]);
			vector[1] = run_to_vector(vm);
			regs_read(vm, &at_vector[1]);

			/* The helper of 6.12 takes IL from an older trap, and shows no more than what it has written at once. */
			diff = commits ? regs_diff(&at_once[0], &at_once[1], 0) : NULL;
			if (!diff)
				diff = regs_diff(&at_vector[0], &at_vector[1], commits ? 0 : 1ULL << 25);
			ok(!diff && vector[0] == vector[1] && vector[1] == (int)b->vector &&
				   (regs_value(&at_vector[1], SYS_ESR) >> 25 & 1) &&
				   (regs_value(&at_vector[1], CORE_REG(regs.pstate)) >> 25 & 1) == mte,
			   name, "vector %d/%d, %s", vector[0], vector[1], diff ? diff : "all registers alike");
		}
	}
	if (stale_il)
		printf("# the helper left IL = 0 in %u cases\n", stale_il);
	vm_free(vm);
}

/* Accesses that really left the guest, with their completion outstanding. */
void test_mmio(void)
{
	/* All that a guest of any CPU may run with; what it lacks reads as 0 in both runs. */
	static const uint64_t pstates[] = { 0, 0xf00003c0, 1ULL << 24 | 0x3c0, 1ULL << 22 | 0x3c0, 1ULL << 12 | 0x3c0 };
	static struct regs at_vector[3];
	struct vm *vm = vm_new(MEM_SMALL, false, NULL);
	char name[128];

	regs_list(vm);
	for (size_t i = 0; i < NR_BASES * 2 * (sizeof(pstates) / sizeof(pstates[0])); i++) {
		const struct base *b = &bases[i % NR_BASES];
		bool store = i / NR_BASES % 2;
		uint64_t pstate = pstates[i / NR_BASES / 2];
		/* IT bits would make AArch32 code conditional. */
		uint64_t addr = HOLE_GPA + 0x18 + 8 * i, usable = b->mode & 0x10 ? pstate & ~0xfc00ULL : pstate;
		enum fbk_replay_method method[2];
		struct fbk_abort a = { 0 };
		int vector[3];
		const char *diff;

		snprintf(name, sizeof(name), "%s, MMIO %s, PSTATE 0x%llx", b->name, store ? "write" : "read",
			 (unsigned long long)usable);
		/* 0: the helper, corrected; 1: the same with an immediate exit before the guest runs; 2: by registers. */
		for (int way = 0; way < 3; way++) {
			struct fbk_abort *use = way == 2 ? &a : &(struct fbk_abort){ .kind = FBK_ABORT_UNKNOWN };

			begin(vm, b, usable, SCTLR | SPAN, store ? b->store : b->load, addr);
			if (vm_run(vm, 0).reason != KVM_EXIT_MMIO)
				bail("%s: no MMIO exit", name);
			memset(vm->cpu[0].run->mmio.data, 0xee, sizeof(vm->cpu[0].run->mmio.data));
			if (inject(vm, way == 2 ? 0 : kvm_bits, use, &method[way == 2]))
				bail("%s: the library refuses", name);
			if (way == 0)
				a = *use;
			if (way)
				run_immediate(vm);
			vector[way] = run_to_vector(vm);
			regs_read(vm, &at_vector[way]);
		}
		diff = regs_diff(&at_vector[0], &at_vector[1], 0);
		if (!diff)
			diff = regs_diff(&at_vector[0], &at_vector[2], 0);
		ok(!diff && vector[0] == (int)b->vector && vector[1] == vector[0] && vector[2] == vector[0] &&
			   a.kind == FBK_ABORT_DATA && (a.flags & FBK_SEA_HAS_GVA) && a.gva.addr == addr &&
			   method[1] == FBK_REPLAY_REGISTERS && regs_value(&at_vector[0], CORE_REG(regs.regs[1])) == LOADED &&
			   regs_value(&at_vector[0], SYS_FAR) == addr &&
			   regs_value(&at_vector[0], SYS_ESR) == (is_el1(b) ? 0x96000010 : 0x92000010),
		   name, "vectors %d/%d/%d, esr 0x%llx, %s", vector[0], vector[1], vector[2],
		   (unsigned long long)regs_value(&at_vector[0], SYS_ESR), diff ? diff : "all registers alike");
	}
	vm_free(vm);
}

int main(int argc, char **argv)
{
	const char *trouble;
	struct vm *vm;

	if (argc != 2) {
		fprintf(stderr, "usage: contract /path/to/sea_inject.ko | states\n");
		return 2;
	}
	has_sea = kvm_has_sea();
	vm = vm_new(MEM_SMALL, false, NULL);
	probe(vm);
	vm_free(vm);

	test_states(false);
	if (kvm_has_mte())
		test_states(true);
	test_refusal();
	if (strcmp(argv[1], "states")) {
		test_mmio();
		test_sigbus();
		test_retire();
		test_memfd();
		test_sea(argv[1]);
		test_liar(argv[1]);
		test_check();
	}
	trouble = klog_trouble();
	ok(!trouble, "the kernel's log shows no trouble", "it has '%s'", trouble ? trouble : "");
	return tap_end();
}
