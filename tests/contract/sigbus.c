// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * Poisoned pages (UFFDIO_POISON): the host tells by SIGBUS, and only of the host address. What the guest reads must be the
 * class and the address of its access all the same.
 */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 6.6; Debian 12's headers are older. */
#ifndef UFFD_FEATURE_POISON
#define UFFD_FEATURE_POISON (1 << 14)
#endif
struct test_uffdio_poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};
#define TEST_UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct test_uffdio_poison)

static volatile sig_atomic_t nr_sigbus;
static void *volatile sigbus_addr;

static void on_sigbus(int sig, siginfo_t *si, void *context)
{
	(void)sig;
	(void)context;
	if (si->si_code != BUS_MCEERR_AR)
		_exit(1);
	sigbus_addr = si->si_addr;
	nr_sigbus++;
}

static int uffd = -1;

static void page_poison(struct vm *vm, uint64_t gpa, unsigned char *saved)
{
	unsigned char *page = vm->ram + (gpa - RAM_GPA);
	struct uffdio_register reg = { .range = { (uintptr_t)page, 4096 }, .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct test_uffdio_poison poison = { .range = { (uintptr_t)page, 4096 } };

	memcpy(saved, page, 4096);
	if (ioctl(uffd, UFFDIO_REGISTER, &reg) || madvise(page, 4096, MADV_DONTNEED) ||
	    ioctl(uffd, TEST_UFFDIO_POISON, &poison))
		bail("cannot poison a page: %s", strerror(errno));
}

static void page_heal(struct vm *vm, uint64_t gpa, const unsigned char *saved)
{
	unsigned char *page = vm->ram + (gpa - RAM_GPA);
	struct uffdio_range range = { (uintptr_t)page, 4096 };

	if (ioctl(uffd, UFFDIO_UNREGISTER, &range) || madvise(page, 4096, MADV_DONTNEED))
		bail("cannot heal a page: %s", strerror(errno));
	memcpy(page, saved, 4096);
}

enum access { LOAD, STORE, FETCH };

static const struct row {
	const char *name;
	unsigned int base;
	enum vm_mmu mmu;
	enum access access;
	uint64_t addr, poison;
	enum fbk_abort_kind kind;
	enum fbk_replay_method method;
	uint64_t esr;	   /* what hardware would say */
	bool unless_walked; /* the level is known only where the helper walks the tables (7.x) */
} rows[] = {
	{ "EL1h, load", 0, MMU_OFF, LOAD, PAGE_GPA + 0x18, PAGE_GPA, FBK_ABORT_DATA, FBK_REPLAY_HELPER, 0x96000010, 0 },
	{ "EL1h, store", 0, MMU_OFF, STORE, PAGE_GPA + 0x18, PAGE_GPA, FBK_ABORT_DATA, FBK_REPLAY_HELPER, 0x96000010, 0 },
	{ "EL1h, fetch", 0, MMU_OFF, FETCH, PAGE_GPA + 0x18, PAGE_GPA, FBK_ABORT_INSTRUCTION, FBK_REPLAY_CORRECTED,
	  0x86000010, 0 },
	{ "EL1t, fetch", 1, MMU_OFF, FETCH, PAGE_GPA, PAGE_GPA, FBK_ABORT_INSTRUCTION, FBK_REPLAY_CORRECTED, 0x86000010, 0 },
	{ "EL0, load", 2, MMU_OFF, LOAD, PAGE_GPA + 8, PAGE_GPA, FBK_ABORT_DATA, FBK_REPLAY_HELPER, 0x92000010, 0 },
	{ "EL0, fetch", 2, MMU_OFF, FETCH, PAGE_GPA + 8, PAGE_GPA, FBK_ABORT_INSTRUCTION, FBK_REPLAY_CORRECTED, 0x82000010, 0 },
	{ "A32, load", 3, MMU_OFF, LOAD, PAGE_GPA + 8, PAGE_GPA, FBK_ABORT_DATA, FBK_REPLAY_HELPER, 0x92000010, 0 },
	{ "A32, fetch", 3, MMU_OFF, FETCH, PAGE_GPA + 8, PAGE_GPA, FBK_ABORT_INSTRUCTION, FBK_REPLAY_CORRECTED, 0x82000010, 0 },
	{ "T32, load", 4, MMU_OFF, LOAD, PAGE_GPA + 8, PAGE_GPA, FBK_ABORT_DATA, FBK_REPLAY_HELPER, 0x92000010, 0 },
	{ "T32, fetch", 4, MMU_OFF, FETCH, PAGE_GPA + 10, PAGE_GPA, FBK_ABORT_INSTRUCTION, FBK_REPLAY_CORRECTED, 0x82000010, 0 },
	{ "EL1h, MMU, load", 0, MMU_4K, LOAD, PAGE_VA_LOW + 8, PAGE_GPA, FBK_ABORT_DATA, FBK_REPLAY_HELPER, 0x96000010, 0 },
	{ "EL1h, MMU, upper half, load", 0, MMU_4K, LOAD, PAGE_VA_HIGH + 8, PAGE_GPA, FBK_ABORT_DATA, FBK_REPLAY_HELPER,
	  0x96000010, 0 },
	{ "EL0, MMU, load", 2, MMU_4K, LOAD, PAGE_VA_LOW + 8, PAGE_GPA, FBK_ABORT_DATA, FBK_REPLAY_HELPER, 0x92000010, 0 },
	{ "EL0, MMU, fetch", 2, MMU_4K, FETCH, PAGE_VA_LOW_EXEC + 8, PAGE_GPA, FBK_ABORT_INSTRUCTION, FBK_REPLAY_CORRECTED,
	  0x82000010, 0 },
	{ "EL1h, level-2 table, load", 0, MMU_4K, LOAD, PAGE_VA_LOW + 8, TABLE_LOW_GPA(2), FBK_ABORT_DATA, FBK_REPLAY_HELPER,
	  0x96000016, 1 },
	{ "EL0, level-3 table, load", 2, MMU_4K, LOAD, PAGE_VA_LOW + 8, TABLE_LOW_GPA(3), FBK_ABORT_DATA, FBK_REPLAY_HELPER,
	  0x92000017, 1 },
	{ "EL0, level-3 table, fetch", 2, MMU_4K, FETCH, PAGE_VA_LOW_EXEC + 8, TABLE_LOW_GPA(3), FBK_ABORT_INSTRUCTION,
	  FBK_REPLAY_CORRECTED, 0x82000017, 1 },
	{ "EL1h, upper half, level-0 table, load", 0, MMU_4K, LOAD, PAGE_VA_HIGH + 8, TABLE_HIGH_GPA(0), FBK_ABORT_DATA,
	  FBK_REPLAY_HELPER, 0x96000014, 1 },
};

/* The guest accesses; false: no SIGBUS came of it. */
static bool hit(struct vm *vm, const struct row *row)
{
	const struct base *b = &bases[row->base];
	uint64_t sctlr = vm_get_reg(vm, 0, SYS_SCTLR);
	struct outcome o;

	begin(vm, b, 0x3c0, sctlr, row->access == LOAD ? b->load : row->access == STORE ? b->store : NULL, row->addr);
	nr_sigbus = 0;
	o = vm_run(vm, 0);
	return o.kind == OUT_OTHER && o.err == EINTR && nr_sigbus == 1 &&
	       sigbus_addr == (void *)(vm->ram + (row->poison - RAM_GPA));
}

static void test_row(const struct row *row)
{
	static struct regs at_vector[2];
	static unsigned char saved[4096];
	struct vm *vm = vm_new(MEM_SMALL, false, NULL);
	const struct base *b = &bases[row->base];
	enum fbk_replay_method method[2] = { FBK_REPLAY_NONE, FBK_REPLAY_NONE };
	enum fbk_replay_method want = row->method;
	bool il_varies;
	uint64_t esr = row->esr;
	struct fbk_abort a;
	const char *diff;
	int vector[2];
	char name[128];

	snprintf(name, sizeof(name), "SIGBUS, %s", row->name);
	if (row->unless_walked && !commits)
		esr = (esr & ~0x3fULL) | 0x10;
	/*
	 * 6.12 tells IL of the access: 0 for a 16-bit one. For a data abort without ISV it is 1, and our series for that
	 * kernel says so: then nothing is left to correct.
	 */
	il_varies = !commits && b->mode & 0x20 && want == FBK_REPLAY_HELPER;
	vm_set_mmu(vm, 0, row->mmu);
	page_poison(vm, row->poison, saved);
	for (int way = 0; way < 2; way++) {
		if (!hit(vm, row)) {
			ok(false, name, "no SIGBUS");
			goto out;
		}
		if (!way && fbk_sea_poison((struct fbk_gpa){ row->poison }, &a))
			bail("the library refuses a page");
		if (inject(vm, way ? 0 : kvm_bits, &a, &method[way]))
			bail("%s: the library refuses", name);
		vector[way] = run_to_vector(vm);
		regs_read(vm, &at_vector[way]);
	}
	methods_seen[AFTER_SIGBUS] |= 1u << method[0];
	diff = regs_diff(&at_vector[0], &at_vector[1], 0);
	ok(!diff && vector[0] == (int)b->vector && vector[1] == vector[0] && a.kind == row->kind &&
		   a.gva.addr == row->addr && (method[0] == want || (il_varies && method[0] == FBK_REPLAY_CORRECTED)) &&
		   method[1] == FBK_REPLAY_REGISTERS &&
		   regs_value(&at_vector[0], SYS_ESR) == esr && regs_value(&at_vector[0], SYS_FAR) == row->addr &&
		   regs_value(&at_vector[0], CORE_REG(elr_el1)) ==
			   (row->access == FETCH ? row->addr : vm_code(row->access == LOAD ? b->load : b->store)),
	   name, "vectors %d/%d, %s, %s, gva 0x%llx, esr 0x%llx, %s", vector[0], vector[1], fbk_replay_name(method[0]),
	   fbk_sea_kind_name(a.kind), (unsigned long long)a.gva.addr,
	   (unsigned long long)regs_value(&at_vector[0], SYS_ESR), diff ? diff : "all registers alike");
out:
	page_heal(vm, row->poison, saved);
	vm_free(vm);
}

/*
 * Another vCPU changes the tables between the fault and the injection: the helper of 7.x then injects nothing and says 0.
 * The guest gets its abort all the same.
 */
static void test_idle_helper(void)
{
	static const struct row row = { .name = "", .base = 0, .mmu = MMU_4K, .access = LOAD, .addr = PAGE_VA_LOW + 8,
					.poison = TABLE_LOW_GPA(2) };
	static struct regs at_vector;
	static unsigned char saved[4096];
	struct vm *vm = vm_new(MEM_SMALL, false, NULL);
	enum fbk_replay_method method = FBK_REPLAY_NONE;
	uint64_t entry, pc, esr;
	unsigned char *slot = vm->ram + (TABLE_LOW_GPA(0) - RAM_GPA) + 8 * (PAGE_VA_LOW >> 30);
	struct fbk_abort a;
	int vector;

	vm_set_mmu(vm, 0, row.mmu);
	page_poison(vm, row.poison, saved);
	if (!hit(vm, &row))
		bail("a poisoned table raises no SIGBUS");
	pc = vm_pc(vm, 0);
	memcpy(&entry, slot, sizeof(entry));
	memset(slot, 0, sizeof(entry));
	if (commits) {
		if (vm_inject_dabt(vm, 0))
			bail("the helper does not work");
		ok(vm_pc(vm, 0) == pc, "control: the helper does inject nothing when the tables have changed", "it did");
	}
	if (fbk_sea_poison((struct fbk_gpa){ row.poison }, &a) || inject(vm, kvm_bits, &a, &method))
		bail("the library refuses");
	memcpy(slot, &entry, sizeof(entry));
	methods_seen[AFTER_SIGBUS] |= 1u << method;
	vector = run_to_vector(vm);
	regs_read(vm, &at_vector);
	esr = regs_value(&at_vector, SYS_ESR);
	/* By registers without an address: FnV, and FAR_EL1 as it was. */
	ok(vector == VECTOR_EL1_SYNC && method == (commits ? FBK_REPLAY_REGISTERS : FBK_REPLAY_HELPER) &&
		   esr == (commits ? 0x96000410 : 0x96000010) && regs_value(&at_vector, CORE_REG(elr_el1)) == pc,
	   "SIGBUS, a table changed before the injection", "vector %d, %s, esr 0x%llx", vector, fbk_replay_name(method),
	   (unsigned long long)esr);
	page_heal(vm, row.poison, saved);
	vm_free(vm);
}

void test_sigbus(void)
{
	struct sigaction act = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_POISON };

	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		bail("no UFFDIO_POISON: %s", strerror(errno));
	if (sigaction(SIGBUS, &act, NULL))
		bail("cannot catch SIGBUS");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		test_row(&rows[i]);
	test_idle_helper();
	close(uffd);
}
