/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_road.c - a whole VM under a hostile guest and a failing kernel: any order of errors on any vCPU, guest writes all
 * over the error blocks, resets, pumps, pages that are retired and healed, and system calls that fail. Whatever happens,
 * errors are answered out of the documented set, each is told and injected once, a record that the guest can see is
 * well-formed, no other guest memory is touched, where a page was lost the guest finds no zeros before it is reset, and a guest
 * that reads its records at last is told of every page.
 */
#include "fuzz.h"

#include "core/ledger_road.h"
#include "host/kvm_uapi.h"
#include "host/sys.h"

#include <firebreak/cper.h>
#include <firebreak/vm.h>

#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define RAM_GPA UINT64_C(0x40000000)
#define RAM_LEN (UINT64_C(64) * FBK_PAGE_SIZE)
#define RAM_ALIGN (UINT64_C(1) << 30)
#define AREA_GPA (RAM_GPA + 0x10000)
#define AREA_LEN UINT64_C(0x3000) /* pointers and acknowledgements, and two blocks */
#define NR_VCPUS 2
#define NR_PAGES (RAM_LEN / FBK_PAGE_SIZE)
#define NR_GRAVES 24
#define MAX_RECORDS 4096 /* more than an input's errors can be worth */

static unsigned char *ram, *area;
static uint64_t now_ns, pstate;
static uint32_t fail_in; /* calls until one fails; 0: none does */
static uint32_t nr_events;
static int patched;	     /* the kernel injects instruction aborts, and takes syndromes */
static uint32_t nr_injected; /* of one error, as far as the kernel is concerned */
static struct fbk_event last_event;

static int fails(void)
{
	if (!fail_in || --fail_in)
		return 0;
	errno = EIO;
	return 1;
}

static int fuzz_ioctl(int fd, unsigned long request, void *arg)
{
	if (fails())
		return -1;
	if (request == KVM_CHECK_EXTENSION)
		return patched || ((uintptr_t)arg != FBK_KVM_CAP_ARM_INJECT_EXT_IABT &&
				   (uintptr_t)arg != FBK_KVM_CAP_ARM_INJECT_EXT_ABT_ESR);
	if (request == FBK_KVM_SET_VCPU_EVENTS) {
		const struct fbk_kvm_vcpu_events *ev = arg;

		CHECK(patched || !(ev->ext_iabt_pending | ev->ext_abt_has_esr | ev->ext_abt_esr));
		CHECK(ev->serror_pending + ev->ext_dabt_pending + ev->ext_iabt_pending == 1);
		CHECK(ev->ext_abt_has_esr || !ev->ext_abt_esr);
		CHECK(!(ev->ext_abt_esr & ~UINT64_C(0x1f7f)));
		/* As if EL1 were AArch32 whenever the abort is not the plainest. */
		if (ev->ext_abt_has_esr && pstate && ev->ext_abt_esr != 0x10) {
			errno = EINVAL;
			return -1;
		}
		nr_injected++;
	}
	if (request == KVM_GET_ONE_REG)
		memcpy((void *)(uintptr_t)((struct kvm_one_reg *)arg)->addr, &pstate, 8);
	return 0;
}

static int fuzz_clock(clockid_t clock, struct timespec *ret)
{
	now_ns += 1000;
	ret->tv_sec = (time_t)(now_ns / 1000000000);
	ret->tv_nsec = (long)(now_ns % 1000000000);
	return 0;
}

static int fuzz_sleep(const struct timespec *ts, struct timespec *rem)
{
	now_ns += (uint64_t)ts->tv_nsec;
	return 0;
}

/* There is one thread: it would wait for itself. */
static long fuzz_futex(uint32_t *word, int op, uint32_t value)
{
	CHECK(0);
	return 0;
}

static void *fuzz_map(size_t len)
{
	return calloc(1, len);
}

static void fuzz_unmap(void *p, size_t len)
{
	free(p);
}

static const struct fbk_sys fuzz_sys = {
	.ioctl = fuzz_ioctl,
	.clock_gettime = fuzz_clock,
	.nanosleep = fuzz_sleep,
	.futex = fuzz_futex,
	.calloc = calloc,
	.free = free,
	.map = fuzz_map,
	.unmap = fuzz_unmap,
};

/* The process's page tables: what is mapped where guest RAM should be, and whether userfaultfd watches the place. */
static enum { FRAME, EMPTY, MARKER } place[NR_PAGES];
static int watched[NR_PAGES];
static unsigned char yard[NR_GRAVES * FBK_PAGE_SIZE] __attribute__((aligned(4096)));
static int is_file;

/* NR_PAGES: not in guest RAM. */
static size_t page_at(const void *at)
{
	uintptr_t offset = (uintptr_t)at - (uintptr_t)ram;

	return offset < RAM_LEN ? offset / FBK_PAGE_SIZE : NR_PAGES;
}

static long mem_page_size(void)
{
	return FBK_PAGE_SIZE;
}

static int mem_userfaultfd(int flags)
{
	return 5;
}

static int mem_open(const char *path, int flags)
{
	return 6;
}

static int mem_close(int fd)
{
	return 0;
}

static int mem_ioctl(int fd, unsigned long request, void *arg)
{
	size_t n;

	if (fails())
		return -1;
	if (request == UFFDIO_API)
		return 0;
	/* Each of the other three begins with the range. */
	n = page_at((void *)(uintptr_t)((struct uffdio_range *)arg)->start);
	CHECK(n < NR_PAGES && ((struct uffdio_range *)arg)->len == FBK_PAGE_SIZE);
	if (request == UFFDIO_REGISTER) {
		watched[n] = 1;
	} else if (request == UFFDIO_UNREGISTER) {
		watched[n] = 0;
	} else if (place[n] == EMPTY) {
		place[n] = MARKER;
	} else {
		errno = EEXIST;
		return -1;
	}
	return 0;
}

static ssize_t mem_pread(int fd, void *buf, size_t len, off_t at)
{
	const uint64_t entry = UINT64_C(1) << 63 | 0x1234;

	if (fails())
		return -1;
	memcpy(buf, &entry, sizeof(entry));
	return sizeof(entry);
}

static ssize_t mem_write(int fd, const void *buf, size_t len)
{
	return fails() ? -1 : (ssize_t)len;
}

static void *mem_mmap(void *at, size_t len, int prot, int flags)
{
	if (!(flags & MAP_FIXED)) {
		CHECK(len == sizeof(yard));
		return yard;
	}
	CHECK(is_file && page_at(at) < NR_PAGES);
	if (fails())
		return MAP_FAILED;
	place[page_at(at)] = FRAME;
	watched[page_at(at)] = 0;
	return at;
}

static void *mem_mremap(void *from, size_t len, int flags, void *to)
{
	if (fails())
		return MAP_FAILED;
	/* One way or the other between guest RAM and the graveyard. */
	CHECK((page_at(from) < NR_PAGES) != (page_at(to) < NR_PAGES));
	if (page_at(from) < NR_PAGES) {
		place[page_at(from)] = EMPTY;
		return to;
	}
	/* A mapping that moves leaves its registration behind, and takes the place of the one that was there. */
	place[page_at(to)] = FRAME;
	watched[page_at(to)] = 0;
	return to;
}

static int mem_munmap(void *at, size_t len)
{
	CHECK(at == yard);
	return 0;
}

static int mem_mprotect(void *at, size_t len, int prot)
{
	CHECK(page_at(at) == NR_PAGES);
	return fails() ? -1 : 0;
}

static int mem_madvise(void *at, size_t len, int advice)
{
	if (fails())
		return -1;
	if (page_at(at) < NR_PAGES)
		place[page_at(at)] = EMPTY;
	return 0;
}

static int mem_mlock(void *at, size_t len)
{
	return fails() ? -1 : 0;
}

static const struct fbk_sys_mem fuzz_mem = {
	.page_size = mem_page_size,
	.userfaultfd = mem_userfaultfd,
	.open = mem_open,
	.close = mem_close,
	.ioctl = mem_ioctl,
	.pread = mem_pread,
	.write = mem_write,
	.mmap = mem_mmap,
	.munmap = mem_munmap,
	.mremap = mem_mremap,
	.mprotect = mem_mprotect,
	.madvise = mem_madvise,
	.mlock = mem_mlock,
};

/* After every step: nobody can read zeros where a page was lost, and what is out of reach is in the ledger as that. */
static void look_at_memory(const struct fbk_vm *vm)
{
	struct fbk_ledger_entry e;
	size_t n;

	for (n = 0; n < NR_PAGES; n++) {
		CHECK(place[n] != EMPTY || watched[n]);
		if (place[n] == FRAME)
			continue;
		CHECK(fbk_ledger_lookup(fbk_vm_ledger(vm), (struct fbk_gpa){ RAM_GPA + n * FBK_PAGE_SIZE }, &e) == 0);
		CHECK(e.state != FBK_PAGE_HEALED && e.frame != FBK_FRAME_UNKNOWN);
		CHECK(place[n] != MARKER || e.state == FBK_PAGE_ISOLATED);
	}
}

static int was_isolated(const struct fbk_vm *vm, const void *at)
{
	struct fbk_gpa gpa = { RAM_GPA + page_at(at) * FBK_PAGE_SIZE };
	struct fbk_ledger_entry e;

	return page_at(at) < NR_PAGES && fbk_ledger_lookup(fbk_vm_ledger(vm), gpa, &e) == 0 && e.state == FBK_PAGE_ISOLATED;
}

/* The guest is reset: its memory is good, but where the kernel refused. */
static void heal(struct fbk_vm *vm)
{
	uint32_t kept = UINT32_MAX;
	size_t n;

	CHECK(fbk_vm_heal(vm, &kept) == 0);
	CHECK(kept == fbk_ledger_lost(fbk_vm_ledger(vm)));
	/* A fresh page comes where nothing is. */
	for (n = 0; n < NR_PAGES; n++)
		if (place[n] == EMPTY && !watched[n])
			place[n] = FRAME;
}

static void on_event(void *opaque, const struct fbk_event *ev)
{
	nr_events++;
	CHECK(ev->seq == nr_events);
	CHECK(ev->verdict.text);
	CHECK(nr_injected <= 1);
	CHECK(nr_injected || (ev->replay != FBK_REPLAY_HELPER && ev->replay != FBK_REPLAY_CORRECTED &&
			      ev->replay != FBK_REPLAY_SYNDROME && ev->replay != FBK_REPLAY_SERROR));
	nr_injected = 0;
	last_event = *ev;
}

static int on_raise(void *opaque)
{
	return fails() ? -EIO : 0;
}

static void on_pump(void *opaque)
{
}

static uint64_t le(const unsigned char *p, size_t n)
{
	struct fuzz f = { p, n };

	return fuzz_take(&f, n);
}

/* Written by us alone since the guest last scribbled: what it sees must make sense. */
static void look(const struct fbk_ghes_layout *l, enum fbk_ghes_source s)
{
	const unsigned char *block = area + (l->source[s].block.addr - AREA_GPA);
	uint64_t status = le(block, 4), len = le(block + 12, 4), i;

	if (!status)
		return;
	CHECK((status & 1) && le(block + 16, 4) == 0);
	CHECK(len == (status >> 4) * FBK_CPER_SECTION_LEN && len && len <= FBK_GHES_BLOCK_LEN - FBK_CPER_STATUS_LEN);
	for (i = 0; i < status >> 4; i++) {
		uint64_t pa = le(block + FBK_CPER_STATUS_LEN + i * FBK_CPER_SECTION_LEN + FBK_CPER_DATA_LEN + 16, 8);

		CHECK(pa % FBK_PAGE_SIZE == 0 && pa >= RAM_GPA && pa < RAM_GPA + RAM_LEN);
	}
}

/* Only the area can be touched: nobody has business with the rest, which need not be cleared each time either. */
static void clear_memory(void)
{
	if (!ram) {
		/* Aligned, so that a host page of any size that is told begins at the same place in each run. */
		char *all = mmap(NULL, 2 * RAM_ALIGN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		CHECK(all != MAP_FAILED);
		ram = (unsigned char *)(((uintptr_t)all + RAM_ALIGN - 1) & ~(RAM_ALIGN - 1));
		area = ram + (AREA_GPA - RAM_GPA);
		CHECK(!mprotect(area, AREA_LEN, PROT_READ | PROT_WRITE));
	}
	memset(area, 0, AREA_LEN);
	memset(place, 0, sizeof(place));
	memset(watched, 0, sizeof(watched));
}

/* As a guest should. */
static void read_record(const struct fbk_ghes_layout *l, enum fbk_ghes_source s)
{
	memset(area + (l->source[s].block.addr - AREA_GPA), 0, 4);
	area[l->source[s].ack.addr - AREA_GPA] = 1;
}

static size_t untold_pages(const struct fbk_vm *vm)
{
	struct fbk_ledger_entry e;
	size_t n, nr = 0;

	for (n = 0; n < NR_PAGES; n++) {
		struct fbk_gpa gpa = { RAM_GPA + n * FBK_PAGE_SIZE };

		nr += fbk_ledger_lookup(fbk_vm_ledger(vm), gpa, &e) == 0 && fbk_ledger_untold(fbk_vm_ledger(vm), gpa.addr);
	}
	return nr;
}

/* Whatever the guest did until now, from here on it reads. */
static void check_told(struct fbk_vm *vm, const struct fbk_ghes_layout *l)
{
	uint64_t wait;
	size_t i;

	fail_in = 0;
	for (i = 0; i < MAX_RECORDS && untold_pages(vm); i++) {
		read_record(l, FBK_GHES_SEA);
		read_record(l, FBK_GHES_ASYNC);
		CHECK(fbk_vm_pump(vm, &wait) == 0);
		now_ns += wait == UINT64_MAX ? 0 : wait;
	}
	CHECK(!untold_pages(vm));
}

/* What the road says of an error is a line. Of the last one: where another input ends, others are the last. */
static void check_last_event(void)
{
	char line[FBK_EVENT_JSON_MAX];

	CHECK(!nr_events || fbk_event_json(&last_event, line, sizeof(line)) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct fbk_vm_ops ops = { .event = on_event, .raise_async = on_raise, .want_pump = on_pump };
	struct fuzz f = { data, len };
	struct fbk_gmem gmem = { 0 };
	struct fbk_gmem_region r = { .gpa = { RAM_GPA }, .len = RAM_LEN };
	struct fbk_ghes_layout layout;
	struct fbk_policy policy;
	struct fbk_retire_config retire_cfg = { .size = sizeof(retire_cfg), .max_pages = NR_GRAVES };
	struct fbk_retire *retire = NULL;
	struct fbk_vm_config cfg = { .size = sizeof(cfg), .gmem = &gmem, .ghes = &layout, .policy = &policy, .ops = &ops };
	struct kvm_run run[NR_VCPUS];
	struct fbk_vcpu *vcpu[NR_VCPUS];
	struct fbk_vm *vm;
	uint32_t i, rules, size, expected = 0;
	int scribbled = 0, anywhere = 0, stopped = 0;

	fbk_sys = &fuzz_sys;
	fbk_sys_mem = &fuzz_mem;
	clear_memory();
	r.hva.addr = (uintptr_t)ram;
	now_ns = UINT64_C(1700000000000000000);
	pstate = 0;
	nr_events = nr_injected = fail_in = 0;
	is_file = 0;
	fbk_policy_default(&policy);
	policy.ack_wait_us = 2000;
	policy.span_pages = NR_PAGES;
	rules = (uint32_t)fuzz_take(&f, 1);
	policy.storm_repeats = rules % 8;
	policy.budget_pages = rules & 8 ? 3 : 0;
	policy.rate_errors = rules & 16 ? 2 : 0;
	policy.kernel = rules & 32 ? FBK_VERDICT_PAUSE : FBK_VERDICT_REPLAY;
	policy.budget = rules & 64 ? FBK_VERDICT_SERROR : FBK_VERDICT_STOP;
	policy.source[FBK_SOURCE_SIGBUS_IO] = rules & 128 ? FBK_VERDICT_PAUSE : FBK_VERDICT_REPORT;
	size = (uint32_t)fuzz_take(&f, 1);
	cfg.max_pages = 1 + size % 64;
	patched = !!(size & 32);
	if (size & 0xc0) {
		is_file = (size & 0xc0) == 0xc0;
		r.backing = is_file ? FBK_BACKING_FILE : FBK_BACKING_ANON;
		r.flags = is_file ? FBK_GMEM_REPLACE : 0;
		retire_cfg.flags = size & 0x80 ? FBK_RETIRE_ALWAYS : 0;
		CHECK(fbk_retire_open(&retire_cfg, &retire) == 0);
		cfg.retire = retire;
	}
	CHECK(fbk_gmem_add(&gmem, &r) == 0);
	CHECK(fbk_ghes_layout_init(&layout, (struct fbk_gpa){ AREA_GPA }) == 0);
	CHECK(fbk_vm_create(&cfg, &vm) == 0);
	CHECK(fbk_vm_reset(vm) == 0);
	for (i = 0; i < NR_VCPUS; i++)
		CHECK(fbk_vcpu_create(vm, (int)i, &run[i], i, &vcpu[i]) == 0);

	while (f.len) {
		uint8_t op = (uint8_t)fuzz_take(&f, 1);
		uint32_t who = op >> 7, told = nr_events;
		struct fbk_verdict v;
		uint64_t wait = 0;
		siginfo_t si;
		int err;

		memset(&si, 0, sizeof(si));
		si.si_signo = SIGBUS;
		switch (op & 7) {
		case 0: {
			/* Mostly aborts, else any syndrome at all. */
			uint64_t fields[4];

			fields[0] = fuzz_take(&f, 1);
			fields[1] = op & 8 ? fuzz_take(&f, 4) : 0x92000010 | (fuzz_take(&f, 2) & 0x1f4f) << (op & 16 ? 0 : 16);
			fields[2] = fuzz_take(&f, 2);
			fields[3] = RAM_GPA + fuzz_take(&f, 1) % 64 * FBK_PAGE_SIZE;
			memset(&run[who], 0, sizeof(run[who]));
			run[who].exit_reason = FBK_KVM_EXIT_ARM_SEA;
			memcpy(run[who].padding, fields, sizeof(fields));
			pstate = op & 32 ? 0x3c5 : 0;
			err = fbk_vcpu_sea(vcpu[who], &v);
			CHECK(err == 0 || err == -EBADMSG || err == -EIO);
			expected++;
			break;
		}
		case 1:
		case 2:
			if (op & 64) {
				/* Any address and any size, or none. */
				uint64_t fields[3] = { op, fuzz_take(&f, 8), fuzz_take(&f, 8) };

				if (op & 16)
					fields[1] = RAM_GPA + fields[1] % RAM_LEN;
				memset(&run[who], 0, sizeof(run[who]));
				run[who].exit_reason = op & 8 ? FBK_KVM_EXIT_MEMORY_FAULT : 10;
				memcpy(run[who].padding, fields, sizeof(fields));
				anywhere |= !(op & 16);
				err = fbk_vcpu_memory_fault(vcpu[who], EHWPOISON, &v);
				CHECK(err == 0 || err == -EIO);
				expected++;
				break;
			}
			si.si_code = op & 8 ? BUS_MCEERR_AO : BUS_MCEERR_AR;
			/* A page before guest RAM to a page behind it. */
			si.si_addr = (void *)((uintptr_t)ram + fuzz_take(&f, 3) % (RAM_LEN + 8192) - 4096);
			si.si_addr_lsb = (short)fuzz_take(&f, 1);
			if ((op & 7) == 1) {
				err = fbk_vcpu_sigbus(vcpu[who], &si, &v);
				CHECK(err == 0 || err == -EIO || err == -ERANGE || err == -EINVAL);
			} else {
				err = fbk_vm_sigbus(vm, &si, &v);
				CHECK(err == 0 || err == -ERANGE);
				/* The host may tell of a frame that was retired: no error, and no event. */
				if (err == 0 && nr_events == told) {
					CHECK(si.si_code == BUS_MCEERR_AO && v.action == FBK_VERDICT_REPORT);
					CHECK(was_isolated(vm, si.si_addr));
					break;
				}
			}
			expected += err == 0 || err == -EIO;
			break;
		case 3:
			CHECK(fbk_vm_pump(vm, &wait) == 0);
			CHECK(wait > 0);
			now_ns += wait == UINT64_MAX ? 0 : wait;
			break;
		case 4: {
			/* The guest reads one source as it should. */
			enum fbk_ghes_source s = (enum fbk_ghes_source)(op >> 3 & 1);

			if (!scribbled && !anywhere)
				look(&layout, s);
			read_record(&layout, s);
			break;
		}
		case 5: {
			/* Or writes what it likes where it likes. */
			uint64_t at = fuzz_take(&f, 2) % (op & 8 ? 32 : AREA_LEN);

			area[at] = (unsigned char)fuzz_take(&f, 1);
			scribbled = 1;
			break;
		}
		case 6:
			if (op & 64 && retire) {
				/* At the guest's reset, as the guide has it. */
				heal(vm);
				CHECK(fbk_vm_reset(vm) == 0);
				scribbled = stopped = 0;
				break;
			}
			if (op & 32) {
				/* One EFAULT for each retirement there was, and no more. */
				if (fbk_vcpu_retry(vcpu[who]))
					CHECK(retire && fbk_vcpu_retry(vcpu[who]) == 0);
				break;
			}
			fail_in = 1 + (op >> 3 & 3);
			break;
		default:
			if (op == 0xff) {
				CHECK(fbk_vm_reset(vm) == 0);
				scribbled = stopped = 0;
			} else {
				now_ns += fuzz_take(&f, 2) << 16;
			}
		}
		CHECK(nr_events == expected);
		CHECK(nr_events - told <= 1);
		/* A guest that is at its end, or never got its abort, is told nothing more before it is reset. */
		stopped |= nr_events != told && last_event.verdict.action == FBK_VERDICT_STOP;
		look_at_memory(vm);
	}
	check_last_event();
	if (!stopped)
		check_told(vm, &layout);

	for (i = 0; i < NR_VCPUS; i++)
		fbk_vcpu_destroy(vcpu[i]);
	fbk_vm_destroy(vm);
	fbk_retire_close(retire);
	return 0;
}
