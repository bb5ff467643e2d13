// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * Retired pages, under a running vCPU: who touches one again gets an error and never zeros, its frame is not given back, and
 * a reset makes it good memory. Judges: KVM_RUN, the kernel's answer to system calls, /proc/self/pagemap, /proc/kpageflags
 * and /proc/meminfo.
 */
#include "contract.h"

#include <firebreak/vm.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KPF_BUDDY 10
#define KPF_HWPOISON 19
#define NO_PFN 0

static __thread volatile sig_atomic_t in_run, hit;
static __thread siginfo_t seen;
static siginfo_t late; /* BUS_MCEERR_AO */
static atomic_int nr_late;

static void on_sigbus(int sig, siginfo_t *si, void *context)
{
	(void)sig;
	if (fbk_gmem_sigbus(si, context))
		return;
	if (si->si_code == BUS_MCEERR_AO) {
		late = *si;
		nr_late++;
	} else if (in_run) {
		seen = *si;
		hit = 1;
	} else {
		_exit(99);
	}
}

struct world {
	struct vm *vm;
	struct fbk_gmem gmem;
	struct fbk_retire *retire;
	struct fbk_vm *road;
	struct fbk_vcpu *vcpu[2];
	struct fbk_event ev;
	unsigned int nr_events;
	int uffd;
};

static void on_event(void *opaque, const struct fbk_event *ev)
{
	struct world *w = opaque;

	w->ev = *ev;
	w->nr_events++;
}

static void on_pump(void *opaque)
{
	(void)opaque;
}

static const struct fbk_vm_ops ops = { .event = on_event, .want_pump = on_pump };

/* What is left to be done of a retirement. */
static uint64_t settle(struct world *w)
{
	const struct timespec due = { .tv_nsec = 11000000 };
	uint64_t wait;

	nanosleep(&due, NULL);
	if (fbk_vm_pump(w->road, &wait))
		bail("the pump fails");
	return wait;
}

/* @privileged: the library opens what it likes; else it gets a userfaultfd and nothing else. */
static void world_open(struct world *w, enum vm_memory memory, enum fbk_backing backing, bool privileged)
{
	struct fbk_retire_config how = { .size = sizeof(how), .flags = FBK_RETIRE_ALWAYS, .pagemap_fd = -1, .offline_fd = -1 };
	struct fbk_vm_config cfg = { .size = sizeof(cfg), .gmem = &w->gmem, .ops = &ops, .opaque = w };
	struct fbk_gmem_region region = { .gpa = { RAM_GPA }, .len = RAM_LEN, .backing = backing };

	memset(w, 0, sizeof(*w));
	w->uffd = -1;
	w->vm = vm_new(memory, false, NULL);
	region.hva.addr = (uintptr_t)w->vm->ram;
	if (backing == FBK_BACKING_FILE || backing == FBK_BACKING_HUGETLB)
		region.flags = FBK_GMEM_REPLACE;
	if (!privileged) {
		w->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */);
		how.uffd = w->uffd;
		how.flags |= FBK_RETIRE_FDS;
	}
	cfg.vm_fd = w->vm->fd;
	if (fbk_gmem_add(&w->gmem, &region) || fbk_retire_open(&how, &w->retire))
		bail("cannot prepare to retire");
	cfg.retire = w->retire;
	if (fbk_vm_create(&cfg, &w->road))
		bail("cannot make the road");
	for (unsigned int i = 0; i < 2; i++)
		if (fbk_vcpu_create(w->road, w->vm->cpu[i].fd, w->vm->cpu[i].run, i, &w->vcpu[i]))
			bail("cannot make a vCPU's road");
}

static void world_close(struct world *w)
{
	for (unsigned int i = 0; i < 2; i++)
		fbk_vcpu_destroy(w->vcpu[i]);
	fbk_vm_destroy(w->road);
	fbk_retire_close(w->retire);
	if (w->uffd >= 0)
		close(w->uffd);
	vm_free(w->vm);
}

static unsigned char *hva(const struct world *w)
{
	return w->vm->ram + (PAGE_GPA - RAM_GPA);
}

/* --- the kernel's own word ------------------------------------------------------------------------------------------ */

static uint64_t number_at(const char *path, uint64_t index)
{
	uint64_t value = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, &value, sizeof(value), (off_t)(index * sizeof(value))) != sizeof(value))
		bail("%s at %llu: %s", path, (unsigned long long)index, strerror(errno));
	close(fd);
	return value;
}

static uint64_t pfn_of(const void *at)
{
	uint64_t entry = number_at("/proc/self/pagemap", (uintptr_t)at / 4096);

	return entry >> 63 ? entry & ((1ULL << 55) - 1) : NO_PFN;
}

/* Where in this process a frame is mapped, beside guest RAM. Return: how often; *ret_nr_maps: mappings in all. */
static unsigned int mapped(const struct world *w, uint64_t pfn, uintptr_t *ret_at, char *ret_perms, unsigned int *ret_nr_maps)
{
	FILE *f = fopen("/proc/self/maps", "re");
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned int times = 0;
	char line[512], perms[8];
	unsigned long from, to;

	if (!f || fd < 0)
		bail("no /proc/self/maps");
	*ret_nr_maps = 0;
	while (fgets(line, sizeof(line), f)) {
		++*ret_nr_maps;
		if (!pfn || sscanf(line, "%lx-%lx %7s", &from, &to, perms) != 3 || from >> 55)
			continue;
		for (unsigned long at = from; at < to; at += 4096) {
			uint64_t entry;

			if (at >= (uintptr_t)w->vm->ram && at < (uintptr_t)w->vm->ram + RAM_LEN)
				continue;
			if (pread(fd, &entry, 8, (off_t)(at / 4096 * 8)) != 8)
				break;
			if (entry >> 63 && (entry & ((1ULL << 55) - 1)) == pfn) {
				times++;
				*ret_at = at;
				memcpy(ret_perms, perms, 5);
			}
		}
	}
	fclose(f);
	close(fd);
	return times;
}

static unsigned int nr_maps(void)
{
	static const struct world none;
	unsigned int nr;

	mapped(&none, NO_PFN, NULL, NULL, &nr);
	return nr;
}

static long corrupted_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	long kb = -1;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "HardwareCorrupted: %ld kB", &kb);
	if (f)
		fclose(f);
	return kb;
}

/* --- the guest -------------------------------------------------------------------------------------------------------- */

/* What KVM_RUN gives with an SEA on the page; here it is said to have been one. */
static void loses(struct world *w, struct fbk_verdict *v)
{
	plant_sea(w->vm, PAGE_GPA + 8);
	if (fbk_vcpu_sea(w->vcpu[0], v))
		bail("the road fails");
}

/* One access; true: a SIGBUS at the page, replayed to the guest's handler for it. */
static bool meets_marker(struct world *w, const char *code, uint64_t addr)
{
	struct fbk_verdict v;
	struct outcome o;

	begin(w->vm, BASE_EL0, 0x3c0, 0x30d00800, code, addr);
	hit = 0;
	in_run = 1;
	o = vm_run(w->vm, 0);
	in_run = 0;
	return o.kind == OUT_OTHER && o.err == EINTR && hit && seen.si_addr == hva(w) && !fbk_vcpu_sigbus(w->vcpu[0], &seen, &v) &&
	       v.action == FBK_VERDICT_REPLAY && w->ev.retire == FBK_RETIRED_ALREADY &&
	       run_to_vector(w->vm) == VECTOR_EL0_SYNC;
}

static bool works(struct world *w, const char *code, uint64_t addr)
{
	begin(w->vm, BASE_EL0, 0x3c0, 0x30d00800, code, addr);
	return vm_run(w->vm, 0).kind == OUT_DONE;
}

static struct fbk_ledger_entry entry(const struct world *w)
{
	struct fbk_ledger_entry e = { 0 };

	if (fbk_ledger_lookup(fbk_vm_ledger(w->road), (struct fbk_gpa){ PAGE_GPA }, &e))
		bail("the page is not in the ledger");
	return e;
}

/* Every kind of access by a system call, and ours: an error, and never data. */
static const char *reads_anything(struct world *w)
{
	unsigned char buf[8];
	struct iovec here = { buf, sizeof(buf) }, there = { hva(w), sizeof(buf) };
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC), file = memfd_create("t", 0), pipes[2];

	if (zero < 0 || file < 0 || pipe(pipes))
		bail("no files: %s", strerror(errno));
	if (fbk_gmem_read(&w->gmem, (struct fbk_gpa){ PAGE_GPA }, buf, sizeof(buf), NULL) != -EHWPOISON)
		return "fbk_gmem_read()";
	if (fbk_gmem_write(&w->gmem, (struct fbk_gpa){ PAGE_GPA + 8 }, buf, sizeof(buf), NULL) != -EHWPOISON)
		return "fbk_gmem_write()";
	if (process_vm_readv(getpid(), &here, 1, &there, 1, 0) != -1 || errno != EFAULT)
		return "process_vm_readv()";
	if (process_vm_writev(getpid(), &here, 1, &there, 1, 0) != -1 || errno != EFAULT)
		return "process_vm_writev()";
	if (preadv(zero, &there, 1, 0) != -1 || errno != EFAULT)
		return "preadv()";
	if (pwritev(file, &there, 1, 0) > 0)
		return "pwritev()";
	if (!madvise(hva(w), 4096, 22 /* MADV_POPULATE_READ */) || errno != EHWPOISON)
		return "MADV_POPULATE_READ";
	if (write(pipes[1], hva(w), 8) != -1 || errno != EFAULT)
		return "write()";
	close(zero);
	close(file);
	close(pipes[0]);
	close(pipes[1]);
	return NULL;
}

/* --- cases ------------------------------------------------------------------------------------------------------------ */

static void test_kind(const char *name, enum vm_memory memory, enum fbk_backing backing, bool locked)
{
	struct world w;
	struct fbk_ledger_entry e;
	struct fbk_verdict v;
	struct timespec from, to;
	unsigned int before, after, healed_maps, times;
	uint32_t kept = 99;
	uintptr_t at = 0;
	char perms[8] = "", what[96];
	const char *read_by;
	uint64_t pfn, flags, neighbour;

	world_open(&w, memory, backing, false);
	if (locked && mlock(w.vm->ram, RAM_LEN))
		bail("cannot lock memory: %s", strerror(errno));
	memset(hva(&w) - 4096, 0x5a, 3 * 4096);
	if (!works(&w, guest_load, PAGE_GPA) || !works(&w, guest_store, PAGE_GPA + 8))
		bail("%s: the page does not work", name);
	pfn = pfn_of(hva(&w));
	before = nr_maps();
	clock_gettime(CLOCK_MONOTONIC, &from);
	loses(&w, &v);
	clock_gettime(CLOCK_MONOTONIC, &to);
	after = nr_maps();
	e = entry(&w);
	snprintf(what, sizeof(what), "retire, %s: the page is out of reach", name);
	ok(w.ev.retire == FBK_RETIRED_DONE && !w.ev.retire_err && w.ev.frame == FBK_FRAME_PINNED && e.state == FBK_PAGE_ISOLATED &&
		   e.frame == FBK_FRAME_PINNED && pfn_of(hva(&w)) == NO_PFN,
	   what, "%d, error %d, frame %d, state %d", w.ev.retire, w.ev.retire_err, w.ev.frame, e.state);
	printf("# %s: %u mappings before, %u after; the road took %lld us\n", name, before, after,
	       (long long)((to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000));

	snprintf(what, sizeof(what), "retire, %s: the marker is met at once", name);
	read_by = reads_anything(&w);
	ok(run_to_vector(w.vm) == VECTOR_EL0_SYNC && meets_marker(&w, guest_load, PAGE_GPA) && !read_by &&
		   mapped(&w, pfn, &at, perms, &after) == 1,
	   what, "event %u: %d, %s reads it", w.nr_events, w.ev.retire, read_by ? read_by : "nothing");
	settle(&w);

	snprintf(what, sizeof(what), "retire, %s: the frame is kept, unreadable", name);
	times = mapped(&w, pfn, &at, perms, &after);
	flags = number_at("/proc/kpageflags", pfn);
	ok(times == 1 && !strncmp(perms, "---", 3) && number_at("/proc/kpagecount", pfn) && !(flags >> KPF_BUDDY & 1),
	   what, "mapped %u times, %s, count %llu, flags 0x%llx", times, perms,
	   (unsigned long long)number_at("/proc/kpagecount", pfn), (unsigned long long)flags);

	snprintf(what, sizeof(what), "retire, %s: load, store and fetch meet the marker", name);
	ok(meets_marker(&w, guest_load, PAGE_GPA) && meets_marker(&w, guest_store, PAGE_GPA + 0xff8) && meets_marker(&w, NULL, PAGE_GPA + 0x40) &&
		   w.ev.frame == FBK_FRAME_PINNED && entry(&w).frame == FBK_FRAME_PINNED,
	   what, "event %u: %d", w.nr_events, w.ev.retire);

	snprintf(what, sizeof(what), "retire, %s: no system call and no copy reads it", name);
	read_by = reads_anything(&w);
	ok(!read_by, what, "%s does", read_by ? read_by : "nothing");

	memcpy(&neighbour, hva(&w) + 4096, 8);
	snprintf(what, sizeof(what), "retire, %s: the pages beside it are as they were", name);
	ok(neighbour == 0x5a5a5a5a5a5a5a5aULL && works(&w, guest_load, PAGE2_GPA) && works(&w, guest_load, PAGE_GPA - 8), what,
	   "0x%llx", (unsigned long long)neighbour);

	if (fbk_vm_heal(w.road, &kept))
		bail("healing fails");
	healed_maps = nr_maps();
	neighbour = 99;
	(void)!fbk_gmem_read(&w.gmem, (struct fbk_gpa){ PAGE_GPA + 0x100 }, &neighbour, 8, NULL);
	times = mapped(&w, pfn, &at, perms, &after);
	snprintf(what, sizeof(what), "retire, %s: healed, the page is good memory and the frame still kept", name);
	ok(!kept && entry(&w).state == FBK_PAGE_HEALED && entry(&w).frame == FBK_FRAME_PINNED && works(&w, guest_store, PAGE_GPA + 8) &&
		   works(&w, guest_load, PAGE_GPA + 16) && !neighbour && pfn_of(hva(&w)) != NO_PFN && pfn_of(hva(&w)) != pfn &&
		   times == 1,
	   what, "%u kept, state %d, reads 0x%llx, mapped %u times", kept, entry(&w).state, (unsigned long long)neighbour, times);
	printf("# %s: %u mappings after healing\n", name, healed_maps);

	loses(&w, &v);
	snprintf(what, sizeof(what), "retire, %s: it may be lost again", name);
	ok(w.ev.retire == FBK_RETIRED_DONE && run_to_vector(w.vm) == VECTOR_EL0_SYNC && meets_marker(&w, guest_load, PAGE_GPA) && mapped(&w, pfn, &at, perms, &after) == 1, what,
	   "%d, error %d", w.ev.retire, w.ev.retire_err);
	world_close(&w);
}

/* How many huge pages of @kb KiB the host has, after it was asked for @want. */
static int reserve(unsigned int kb, int want)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%ukB/nr_hugepages", kb);
	f = fopen(path, "r+e");
	if (!f || fprintf(f, "%d", want) < 0 || fflush(f))
		bail("%s: %s", path, strerror(errno));
	rewind(f);
	if (fscanf(f, "%d", &want) != 1)
		bail("%s says no number", path);
	fclose(f);
	return want;
}

/* The size of the pages of the mapping at an address, as the kernel says. */
static unsigned int page_kb(const void *at)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned int kb = 0, found = 0;
	unsigned long from, to;
	char line[512];
	bool inside = false;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && strchr(line, '-') < strchr(line, ' '))
			inside = (uintptr_t)at >= from && (uintptr_t)at < to;
		else if (inside && sscanf(line, "KernelPageSize: %u kB", &kb) == 1)
			found = kb;
	}
	if (f)
		fclose(f);
	return found;
}

static void test_hugetlb(const char *name, enum vm_memory memory, unsigned int kb, int nr)
{
	struct world w;
	struct fbk_verdict v;
	uint32_t kept = 0;
	uint64_t pfn;
	char what[96];

	if (reserve(kb, nr) < nr)
		bail("no huge pages of %u KiB", kb);
	world_open(&w, memory, FBK_BACKING_HUGETLB, false);
	memset(hva(&w) - 4096, 0x5a, 3 * 4096);
	pfn = pfn_of(hva(&w));
	snprintf(what, sizeof(what), "retire, %s: the guest's memory is that", name);
	ok(pfn && page_kb(hva(&w)) == kb, what, "pages of %u KiB", page_kb(hva(&w)));
	loses(&w, &v);
	snprintf(what, sizeof(what), "retire, %s: 4 KiB are lost, the huge page stays", name);
	ok(v.action == FBK_VERDICT_REPLAY && w.ev.retire == FBK_RETIRED_LEFT && !w.ev.retire_err && w.ev.pages == 1 &&
		   run_to_vector(w.vm) == VECTOR_EL0_SYNC && works(&w, guest_load, PAGE2_GPA) && works(&w, guest_load, PAGE_GPA - 8) &&
		   pfn_of(hva(&w)) == pfn && fbk_ledger_pages(fbk_vm_ledger(w.road)) == 1,
	   what, "%d, %u pages", w.ev.retire, w.ev.pages);
	snprintf(what, sizeof(what), "retire, %s: not healed, and said so", name);
	ok(!fbk_vm_heal(w.road, &kept) && kept == 1 && entry(&w).state == FBK_PAGE_POISONED, what, "%u kept", kept);
	world_close(&w);
	(void)reserve(kb, 0);
}

/* Not in the huge page that the guest's own program lies in. */
#define HUGE_GPA (RAM_GPA + 0x400000 + 0x5000)
#define HUGE_LEN 0x200000

/* The guest loads from a huge page that the host found bad: told, and replayed. */
static bool meets_host_poison(struct world *w, enum fbk_retired want)
{
	struct fbk_verdict v = { 0 };
	struct outcome o;

	begin(w->vm, BASE_EL0, 0x3c0, 0x30d00800, guest_load, HUGE_GPA);
	hit = 0;
	in_run = 1;
	o = vm_run(w->vm, 0);
	in_run = 0;
	return o.kind == OUT_OTHER && o.err == EINTR && hit && seen.si_code == BUS_MCEERR_AR &&
	       !fbk_vcpu_sigbus(w->vcpu[0], &seen, &v) && v.action == FBK_VERDICT_REPLAY && w->ev.retire == want &&
	       w->ev.frame == FBK_FRAME_HOST && run_to_vector(w->vm) == VECTOR_EL0_SYNC;
}

/* The host's kernel itself found a huge page bad: healed by another one, if its pool has one. */
static void test_hugetlb_heals(const char *name, enum vm_memory memory)
{
	long before = corrupted_kb();
	struct world w;
	uint32_t kept = 0;
	unsigned char *at;
	uint64_t pfn, word = 1;
	char what[128];
	bool lost;
	int r;

	if (reserve(2048, 4) != 4)
		bail("no huge pages");
	world_open(&w, memory, FBK_BACKING_HUGETLB, false);
	at = w.vm->ram + (HUGE_GPA - RAM_GPA);
	memset(w.vm->ram + HUGE_LEN, 0x5a, RAM_LEN - HUGE_LEN);
	pfn = host_breaks(at);
	lost = meets_host_poison(&w, FBK_RETIRED_HOST);
	snprintf(what, sizeof(what), "retire, %s that the host found bad: all of it is lost", name);
	ok(lost && seen.si_addr_lsb == 21 && w.ev.pages == HUGE_LEN / 4096 && corrupted_kb() == before + 4, what, "%u pages, lsb %d, %s, %ld kB",
	   w.ev.pages, seen.si_addr_lsb, fbk_retired_name(w.ev.retire), corrupted_kb() - before);
	r = fbk_vm_heal(w.road, &kept);
	snprintf(what, sizeof(what), "retire, %s that the host found bad, and no other: it stays, an error for who touches it", name);
	ok(!r && kept == HUGE_LEN / 4096 && meets_host_poison(&w, FBK_RETIRED_ALREADY), what, "%d, %u kept, %s", r, kept,
	   fbk_retired_name(w.ev.retire));
	if (reserve(2048, 5) != 5)
		bail("no more huge pages");
	r = fbk_vm_heal(w.road, &kept);
	(void)!fbk_gmem_read(&w.gmem, (struct fbk_gpa){ HUGE_GPA }, &word, 8, NULL);
	snprintf(what, sizeof(what), "retire, %s that the host found bad: a reset takes another", name);
	ok(!r && !kept && !word && page_kb(at) == 2048 && pfn_of(at) && pfn_of(at) / 512 != pfn / 512 && at[-0x205000] == 0x5a &&
		   at[0x200000] == 0x5a && works(&w, guest_store, HUGE_GPA + 8) && works(&w, guest_load, HUGE_GPA),
	   what, "%d, %u kept, pages of %u KiB, word %llx", r, kept, page_kb(at), (unsigned long long)word);
	world_close(&w);
	(void)reserve(2048, 0);
	snprintf(what, sizeof(what), "retire, %s that the host found bad: its frame is not used again", name);
	ok(number_at("/proc/kpageflags", pfn) >> KPF_HWPOISON & 1 && !(number_at("/proc/kpageflags", pfn) >> KPF_BUDDY & 1) &&
		   corrupted_kb() == before + 4,
	   what, "flags %#llx", (unsigned long long)number_at("/proc/kpageflags", pfn));
}

/* Never retired, as without userfaultfd: a reset takes it away from the guest all the same, and keeps the frame. */
static void test_heal_alone(void)
{
	struct world w;
	struct fbk_retire_config how = { .size = sizeof(how), .flags = FBK_RETIRE_FDS | FBK_RETIRE_ALWAYS, .uffd = -1,
					 .pagemap_fd = -1, .offline_fd = -1 };
	struct fbk_verdict v;
	unsigned int times, maps;
	uintptr_t at;
	char perms[8];
	uint32_t kept = 99;
	uint64_t pfn, word = 1;

	world_open(&w, MEM_SMALL, FBK_BACKING_ANON, false);
	for (unsigned int i = 0; i < 2; i++)
		fbk_vcpu_destroy(w.vcpu[i]);
	fbk_vm_destroy(w.road);
	fbk_retire_close(w.retire);
	if (fbk_retire_open(&how, &w.retire))
		bail("cannot prepare");
	struct fbk_vm_config cfg = { .size = sizeof(cfg), .gmem = &w.gmem, .ops = &ops, .opaque = &w, .retire = w.retire,
				     .vm_fd = w.vm->fd };

	if (fbk_vm_create(&cfg, &w.road))
		bail("cannot make the road");
	for (unsigned int i = 0; i < 2; i++)
		if (fbk_vcpu_create(w.road, w.vm->cpu[i].fd, w.vm->cpu[i].run, i, &w.vcpu[i]))
			bail("cannot make a vCPU's road");
	memset(hva(&w), 0x5a, 4096);
	pfn = pfn_of(hva(&w));
	loses(&w, &v);
	ok(!fbk_retire_can(w.retire) && w.ev.retire == FBK_RETIRED_UNAVAILABLE && w.ev.retire_err == -EOPNOTSUPP &&
		   entry(&w).state == FBK_PAGE_POISONED && pfn_of(hva(&w)) == pfn,
	   "retire, no userfaultfd: the page stays, and the event says so", "%d, error %d", w.ev.retire, w.ev.retire_err);
	if (fbk_vm_heal(w.road, &kept))
		bail("healing fails");
	times = mapped(&w, pfn, &at, perms, &maps);
	(void)!fbk_gmem_read(&w.gmem, (struct fbk_gpa){ PAGE_GPA }, &word, 8, NULL);
	ok(!kept && times == 1 && !strncmp(perms, "---", 3) && !word && pfn_of(hva(&w)) != pfn && entry(&w).frame == FBK_FRAME_PINNED,
	   "retire, no userfaultfd: healed all the same, the frame kept", "%u kept, mapped %u times", kept, times);
	world_close(&w);
}

/* With privilege the kernel gets the frame; it says so by a signal at an address that is not guest RAM. */
static void test_hand_over(const char *name, enum vm_memory memory, enum fbk_backing backing)
{
	long before = corrupted_kb();
	struct world w;
	struct fbk_verdict v = { 0 };
	uint64_t pfn, wait = 0;
	unsigned int events;
	uint32_t kept = 99;
	char what[96];
	int r;

	world_open(&w, memory, backing, true);
	prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	memset(hva(&w), 0x5a, 4096);
	pfn = pfn_of(hva(&w));
	loses(&w, &v);
	if (run_to_vector(w.vm) != VECTOR_EL0_SYNC)
		bail("the abort does not arrive");
	events = w.nr_events;
	nr_late = 0;
	for (int i = 0; i < 100 && entry(&w).frame != FBK_FRAME_HOST; i++)
		wait = settle(&w);
	snprintf(what, sizeof(what), "retire, %s: with privilege the kernel takes the frame", name);
	ok(entry(&w).frame == FBK_FRAME_HOST && entry(&w).state == FBK_PAGE_ISOLATED && wait == UINT64_MAX &&
		   corrupted_kb() == before + 4 && number_at("/proc/kpageflags", pfn) >> KPF_HWPOISON & 1,
	   what, "frame %d, wait %lld, HardwareCorrupted %ld after %ld, flags 0x%llx", entry(&w).frame, (long long)wait,
	   corrupted_kb(), before, (unsigned long long)number_at("/proc/kpageflags", pfn));
	/* Of a frame whose page table entry does not say that it was written the kernel tells nobody: a split huge page's. */
	r = 0;
	v.action = FBK_VERDICT_REPORT;
	if (nr_late || memory != MEM_THP)
		r = nr_late == 1 ? fbk_vm_sigbus(w.road, &late, &v) : -1;
	snprintf(what, sizeof(what), "retire, %s: its signal about the graveyard is no news", name);
	ok(!r && v.action == FBK_VERDICT_REPORT && w.nr_events == events, what, "%d signals, %d, %u events", nr_late, r,
	   w.nr_events - events);
	snprintf(what, sizeof(what), "retire, %s: handed over, the marker still holds", name);
	ok(meets_marker(&w, guest_load, PAGE_GPA) && w.ev.frame == FBK_FRAME_HOST, what, "%d", w.ev.retire);
	r = fbk_vm_heal(w.road, &kept);
	snprintf(what, sizeof(what), "retire, %s: handed over, then healed", name);
	ok(!r && !kept && works(&w, guest_store, PAGE_GPA) && entry(&w).frame == FBK_FRAME_HOST, what, "%d, %u kept", r, kept);
	prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0);
	world_close(&w);
}

/* --- races -------------------------------------------------------------------------------------------------------------- */

struct race {
	struct world w;
	atomic_int go, done, stop;
	unsigned int zeros, again, strange, copies, markers;
};

/* A vCPU that reads without end, until it meets the marker. */
static void *hammer(void *arg)
{
	struct race *r = arg;
	int round = 0;

	while (!r->stop) {
		struct outcome o;
		struct fbk_verdict v;

		if (r->go == round) {
			sched_yield();
			continue;
		}
		round = r->go;
		vm_aim(r->w.vm, 1, 1, guest_watch, PAGE_GPA);
		for (;;) {
			hit = 0;
			in_run = 1;
			o = vm_run(r->w.vm, 1);
			in_run = 0;
			if (o.kind == OUT_OTHER && o.err == EINTR && hit) {
				r->markers++;
				if (fbk_vcpu_sigbus(r->w.vcpu[1], &seen, &v) || vm_run(r->w.vm, 1).kind != OUT_VECTOR)
					r->strange++;
				break;
			}
			if (o.kind == OUT_OTHER && o.err == EFAULT && fbk_vcpu_retry(r->w.vcpu[1])) {
				r->again++;
				continue;
			}
			if (o.kind == OUT_DONE)
				r->zeros++;
			else
				r->strange++;
			break;
		}
		r->done++;
	}
	return NULL;
}

/* A device: copies without end. */
static void *copy(void *arg)
{
	struct race *r = arg;
	int round = 0;

	while (!r->stop) {
		uint64_t word;

		if (r->go == round) {
			sched_yield();
			continue;
		}
		round = r->go;
		for (;;) {
			int err = fbk_gmem_read(&r->w.gmem, (struct fbk_gpa){ PAGE_GPA }, &word, sizeof(word), NULL);

			r->copies++;
			if (err) {
				if (err != -EHWPOISON)
					r->strange++;
				break;
			}
			if (!word) {
				r->zeros++;
				break;
			}
		}
		r->done++;
	}
	return NULL;
}

static void test_race(const char *name, enum vm_memory memory, enum fbk_backing backing, int rounds)
{
	struct race r = { 0 };
	pthread_t thread[2];
	struct fbk_verdict v;
	uint32_t kept;
	char what[96];
	int failed = 0;

	world_open(&r.w, memory, backing, false);
	if (pthread_create(&thread[0], NULL, hammer, &r) || pthread_create(&thread[1], NULL, copy, &r))
		bail("no threads");
	for (int round = 1; round <= rounds && !failed; round++) {
		memset(hva(&r.w), 0x5a, 4096);
		r.done = 0;
		r.go = round;
		usleep(200 + 37 * (round % 50));
		loses(&r.w, &v);
		if (run_to_vector(r.w.vm) != VECTOR_EL0_SYNC)
			bail("the abort does not arrive");
		failed = entry(&r.w).state != FBK_PAGE_ISOLATED;
		for (int i = 0; i < 100000 && r.done < 2; i++)
			usleep(100);
		failed |= r.done < 2 || fbk_vm_heal(r.w.road, &kept) || kept;
	}
	r.stop = 1;
	for (int i = 0; i < 2; i++)
		if (!failed)
			pthread_join(thread[i], NULL);
	snprintf(what, sizeof(what), "retire, %s, under a vCPU and a device that read without end: no zeros, no other error", name);
	ok(!failed && !r.zeros && !r.strange, what, "%u zeros, %u strange%s", r.zeros, r.strange, failed ? ", stopped" : "");
	printf("# %s: %d rounds, %u markers met, %u retries, %u copies\n", name, rounds, r.markers, r.again, r.copies);
	if (!failed)
		world_close(&r.w);
}

/* KVM_RUN with EFAULT and nothing retired: not ours, and not twice after one that was. */
static void test_other_faults(void)
{
	struct world w;
	struct fbk_verdict v;
	struct outcome o;
	bool before, once, twice;

	world_open(&w, MEM_SMALL, FBK_BACKING_ANON, false);
	mprotect(w.vm->ram + 0x400000, 4096, PROT_NONE);
	begin(w.vm, BASE_EL1H, 0x3c0, 0x30d00800, guest_load, RAM_GPA + 0x400000);
	o = vm_run(w.vm, 0);
	before = fbk_vcpu_retry(w.vcpu[0]);
	loses(&w, &v);
	once = fbk_vcpu_retry(w.vcpu[0]);
	twice = fbk_vcpu_retry(w.vcpu[0]);
	ok(o.kind == OUT_OTHER && o.err == EFAULT && !before && once && !twice, "retire: a fault of another kind is told after one retry",
	   "%s, %d %d %d", outcome_text(&o), before, once, twice);
	world_close(&w);
}

void test_retire(void)
{
	struct sigaction act = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER }, was;

	if (sigaction(SIGBUS, &act, &was))
		bail("cannot catch SIGBUS");
	test_kind("anonymous memory", MEM_SMALL, FBK_BACKING_ANON, false);
	test_kind("locked memory", MEM_SMALL, FBK_BACKING_ANON, true);
	test_kind("a transparent huge page", MEM_THP, FBK_BACKING_ANON, false);
	test_kind("shared memory", MEM_SHARED, FBK_BACKING_FILE, false);
	test_hugetlb("hugetlb of 2 MiB", MEM_HUGETLB, 2048, 4);
	test_hugetlb("hugetlb of 1 GiB", MEM_HUGETLB_1G, 1048576, 1);
	test_hugetlb_heals("hugetlb", MEM_HUGETLB);
	test_hugetlb_heals("a file in hugetlb", MEM_HUGETLB_SHARED);
	test_heal_alone();
	test_hand_over("anonymous memory", MEM_SMALL, FBK_BACKING_ANON);
	test_hand_over("a transparent huge page", MEM_THP, FBK_BACKING_ANON);
	test_hand_over("shared memory", MEM_SHARED, FBK_BACKING_FILE);
	test_other_faults();
	test_race("anonymous memory", MEM_SMALL, FBK_BACKING_ANON, 60);
	test_race("a transparent huge page", MEM_THP, FBK_BACKING_ANON, 20);
	test_race("shared memory", MEM_SHARED, FBK_BACKING_FILE, 20);
	sigaction(SIGBUS, &was, NULL);
}
