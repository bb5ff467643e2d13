/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* simulate.c - see simulate.h. [Linux "Documentation/admin-guide/mm/userfaultfd.rst"] */
#include "simulate.h"
#include "monitor.h"
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the build machine's headers may lack: Linux 5.11, 6.6. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#define FEATURE_POISON (UINT64_C(1) << 14)
struct poison_arg {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};
#define POISON_IOCTL _IOWR(UFFDIO, 0x08, struct poison_arg)

static int uffd = -1;

void fbk_simulate_open(struct fbk_monitor *m)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURE_POISON };

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	if (uffd >= 0 && ioctl(uffd, UFFDIO_API, &api)) {
		close(uffd);
		uffd = -1;
	}
}

int fbk_simulate(struct fbk_monitor *m, struct fbk_gpa page)
{
	uint64_t len = m->memory.page_len;
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct poison_arg poison = { 0 };
	struct fbk_ledger_entry e;
	void *hva;
	int r = 0;

	page.addr &= ~(len - 1);
	if (fbk_gmem_ptr(&m->gmem, page, len, &hva))
		return -ERANGE;
	/* What is bad already must not go back to the host as if it were good. */
	for (struct fbk_gpa p = page; p.addr < page.addr + len; p.addr += FBK_PAGE_SIZE)
		if (!fbk_ledger_lookup(fbk_vm_ledger(m->road), p, &e) && e.state != FBK_PAGE_HEALED)
			return -EEXIST;
	if (uffd < 0)
		return -EOPNOTSUPP;
	reg.range = poison.range = (struct uffdio_range){ (uintptr_t)hva, len };
	if (ioctl(uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	if (madvise(hva, len, MADV_DONTNEED) || ioctl(uffd, POISON_IOCTL, &poison))
		r = -errno;
	/* The marker stays when the registration goes. */
	if (ioctl(uffd, UFFDIO_UNREGISTER, &reg.range) && !r)
		r = -errno;
	return r;
}

static int get_reg(int fd, uint64_t id, uint64_t *ret)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)ret };

	return ioctl(fd, KVM_GET_ONE_REG, &reg) ? -errno : 0;
}

int fbk_simulate_find(struct fbk_monitor *m, unsigned int cpu, uint64_t address, struct fbk_gpa *ret)
{
	struct fbk_walk_regs regs;
	int fd = m->cpu[cpu].fd, r;

	r = get_reg(fd, ARM64_SYS_REG(3, 0, 1, 0, 0), &regs.sctlr);
	if (!r)
		r = get_reg(fd, ARM64_SYS_REG(3, 0, 2, 0, 2), &regs.tcr);
	if (!r)
		r = get_reg(fd, ARM64_SYS_REG(3, 0, 2, 0, 0), &regs.ttbr0);
	if (!r)
		r = get_reg(fd, ARM64_SYS_REG(3, 0, 2, 0, 1), &regs.ttbr1);
	return r ? r : fbk_walk(&m->gmem, &regs, address, ret);
}
