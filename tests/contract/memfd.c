// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * Guest memory that KVM reads from a file of its own (guest_memfd): when the host finds a page of it bad, KVM_RUN fails with
 * EHWPOISON, and only KVM_EXIT_MEMORY_FAULT says where. Broken by hard_offline_page.
 */
#include "contract.h"

#include <firebreak/vm.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux 6.8, and 6.18 for arm64 and the flags; Debian 12's headers are older. */
#define TEST_CAP_GUEST_MEMFD 234
#define TEST_CAP_GUEST_MEMFD_FLAGS 244
#define TEST_MEMFD_MMAP (1 << 0)
#define TEST_MEMFD_INIT_SHARED (1 << 1)
#define TEST_MEM_GUEST_MEMFD (1 << 2)
#define TEST_EXIT_MEMORY_FAULT 39

struct test_create_guest_memfd {
	uint64_t size;
	uint64_t flags;
	uint64_t reserved[6];
};

struct test_region2 {
	uint32_t slot;
	uint32_t flags;
	uint64_t gpa, len, hva, fd_offset;
	uint32_t fd, pad;
	uint64_t pad2[14];
};

#define TEST_CREATE_GUEST_MEMFD _IOWR(KVMIO, 0xd4, struct test_create_guest_memfd)
#define TEST_SET_USER_MEMORY_REGION2 _IOW(KVMIO, 0x49, struct test_region2)

#define FILE_GPA 0x50000000ULL
#define FILE_LEN 0x200000ULL
#define KPF_HWPOISON 19
#define BAD_GPA (FILE_GPA + 0x5000)

static struct fbk_event last;
static unsigned int nr_events;

static void on_event(void *opaque, const struct fbk_event *ev)
{
	(void)opaque;
	last = *ev;
	nr_events++;
}

static const struct fbk_vm_ops ops = { .event = on_event };

static unsigned char *file_map(struct vm *vm)
{
	struct test_create_guest_memfd make = { .size = FILE_LEN, .flags = TEST_MEMFD_MMAP | TEST_MEMFD_INIT_SHARED };
	int fd = ioctl(vm->fd, TEST_CREATE_GUEST_MEMFD, &make);
	struct test_region2 region = { .slot = 1, .flags = TEST_MEM_GUEST_MEMFD, .gpa = FILE_GPA, .len = FILE_LEN, .fd = (uint32_t)fd };
	unsigned char *p;

	if (fd < 0)
		bail("no guest_memfd: %s", strerror(errno));
	p = mmap(NULL, FILE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		bail("cannot map a guest_memfd: %s", strerror(errno));
	region.hva = (uintptr_t)p;
	if (ioctl(vm->fd, TEST_SET_USER_MEMORY_REGION2, &region))
		bail("cannot give the VM a guest_memfd: %s", strerror(errno));
	close(fd);
	return p;
}

uint64_t host_breaks(const void *at)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int offline = open("/sys/devices/system/memory/hard_offline_page", O_WRONLY | O_CLOEXEC);
	uint64_t entry;
	char text[32];
	int n;

	if (pagemap < 0 || pread(pagemap, &entry, 8, (off_t)((uintptr_t)at / 4096 * 8)) != 8 || !(entry >> 63))
		bail("no page at %p", at);
	entry &= (1ULL << 55) - 1;
	n = snprintf(text, sizeof(text), "%#llx", (unsigned long long)entry * 4096);
	/* EBUSY: a file keeps the page, whose state is what counts. */
	if (offline < 0 || (write(offline, text, (size_t)n) != n && errno != EBUSY))
		bail("hard_offline_page of %s: %s", text, strerror(errno));
	close(pagemap);
	close(offline);
	return entry;
}

static void break_by_host(const void *at)
{
	uint64_t pfn = host_breaks(at), flags = 0;
	int kpageflags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);

	if (pread(kpageflags, &flags, 8, (off_t)pfn * 8) != 8 || !(flags >> KPF_HWPOISON & 1))
		bail("hard_offline_page of frame %#llx leaves it good", (unsigned long long)pfn);
	close(kpageflags);
}

static bool works(struct vm *vm, const char *code, uint64_t addr)
{
	begin(vm, BASE_EL0, 0x3c0, 0x30d00800, code, addr);
	return vm_run(vm, 0).kind == OUT_DONE;
}

void test_memfd(void)
{
	static const struct {
		const char *name, *code;
	} accesses[] = { { "load", guest_load }, { "store", guest_store }, { "fetch", NULL } };
	struct vm *vm = vm_new(MEM_SMALL, false, NULL);
	struct fbk_gmem gmem = { 0 };
	struct fbk_gmem_region region = { .gpa = { RAM_GPA }, .len = RAM_LEN, .hva = { (uintptr_t)vm->ram } };
	struct fbk_vm_config cfg = { .size = sizeof(cfg), .vm_fd = vm->fd, .gmem = &gmem, .ops = &ops };
	struct fbk_vcpu *vcpu;
	struct fbk_vm *road;
	unsigned char *file;
	char what[96];
	int flags = ioctl(vm->fd, KVM_CHECK_EXTENSION, TEST_CAP_GUEST_MEMFD_FLAGS);

	if (ioctl(vm->fd, KVM_CHECK_EXTENSION, TEST_CAP_GUEST_MEMFD) <= 0 || !(flags & TEST_MEMFD_MMAP) || !(flags & TEST_MEMFD_INIT_SHARED)) {
		printf("# this kernel has no guest_memfd for plain VMs\n");
		vm_free(vm);
		return;
	}
	file = file_map(vm);
	if (fbk_gmem_add(&gmem, &region))
		bail("no view");
	region = (struct fbk_gmem_region){ .gpa = { FILE_GPA }, .len = FILE_LEN, .hva = { (uintptr_t)file } };
	if (fbk_gmem_add(&gmem, &region) || fbk_vm_create(&cfg, &road) || fbk_vcpu_create(road, vm->cpu[0].fd, vm->cpu[0].run, 0, &vcpu))
		bail("cannot make the road");
	memset(file, 0x5a, FILE_LEN);
	ok(works(vm, guest_load, BAD_GPA) && works(vm, guest_store, BAD_GPA + 8), "memory fault: the page is good", "it is not");
	break_by_host(file + (BAD_GPA - FILE_GPA));
	for (unsigned int i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		uint64_t addr = BAD_GPA + 0x18 + 0x100 * i, esr;
		struct fbk_verdict v = { 0 };
		struct outcome o;
		int err, vector;

		begin(vm, BASE_EL0, 0x3c0, 0x30d00800, accesses[i].code, addr);
		o = vm_run(vm, 0);
		snprintf(what, sizeof(what), "memory fault, %s: KVM_RUN says EHWPOISON, and where", accesses[i].name);
		ok(o.kind == OUT_OTHER && o.err == EHWPOISON && vm->cpu[0].run->exit_reason == TEST_EXIT_MEMORY_FAULT, what, "%s",
		   outcome_text(&o));
		nr_events = 0;
		err = fbk_vcpu_memory_fault(vcpu, o.err, &v);
		vector = run_to_vector(vm);
		esr = vm_get_reg(vm, 0, SYS_ESR);
		snprintf(what, sizeof(what), "memory fault, %s: replayed, and arrives", accesses[i].name);
		ok(!err && v.action == FBK_VERDICT_REPLAY && vector == VECTOR_EL0_SYNC && esr == (accesses[i].code ? 0x92000010 : 0x82000010) &&
			   vm_get_reg(vm, 0, SYS_FAR) == addr && nr_events == 1 && last.source == FBK_SOURCE_MEMORY_FAULT &&
			   last.pages == 1 && (last.abort.gpa.addr & ~0xfffULL) == BAD_GPA,
		   what, "%d, vector %d, esr 0x%llx, far 0x%llx, page 0x%llx, %s", err, vector, (unsigned long long)esr,
		   (unsigned long long)vm_get_reg(vm, 0, SYS_FAR), (unsigned long long)last.abort.gpa.addr, v.text ? v.text : "-");
	}
	ok(works(vm, guest_load, BAD_GPA + 4096) && works(vm, guest_store, BAD_GPA - 8) && fbk_ledger_pages(fbk_vm_ledger(road)) == 1,
	   "memory fault: the pages beside it are good, and one is lost", "not so");
	fbk_vcpu_destroy(vcpu);
	fbk_vm_destroy(road);
	munmap(file, FILE_LEN);
	vm_free(vm);
}
