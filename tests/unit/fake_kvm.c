/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fake_kvm.c - one VM with one register file behind the library's table of system calls.
 */
#include "test.h"

#include "fake_kvm.h"

#include "host/kvm_uapi.h"
#include "host/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct fake_kvm fake_kvm;

static int fails(void)
{
	/* Several threads may be at it. */
	if (__atomic_add_fetch(&fake_kvm.nr_calls, 1, __ATOMIC_RELAXED) != fake_kvm.fail_at)
		return 0;
	errno = fake_kvm.fail_errno;
	return 1;
}

static uint64_t *reg_of(uint64_t id)
{
	/* By number, not by the library's own macros: these are the kernel's. */
	switch (id) {
	case 0x6030000000100040:
		return &fake_kvm.pc;
	case 0x6030000000100042:
		return &fake_kvm.pstate;
	case 0x603000000013c290:
		return &fake_kvm.esr_el1;
	case 0x603000000013c300:
		return &fake_kvm.far_el1;
	case 0x603000000013c600:
		return &fake_kvm.vbar_el1;
	case 0x603000000013c080:
		return &fake_kvm.sctlr_el1;
	case 0x603000000013c083:
		return &fake_kvm.sctlr2_el1;
	case 0x603000000013c128:
		return &fake_kvm.gcscr_el1;
	case 0x603000000013c000:
		return &fake_kvm.midr;
	case 0x603000000013c005:
		return &fake_kvm.mpidr;
	case 0x603000000013c021:
		return &fake_kvm.id_aa64pfr1;
	case 0x6030000000100046:
		return &fake_kvm.elr_el1;
	case 0x6030000000100048:
		return &fake_kvm.spsr_el1;
	}
	return NULL;
}

static int one_reg(int set, const struct kvm_one_reg *r)
{
	uint64_t *reg = reg_of(r->id);

	if (!reg) {
		errno = ENOENT;
		return -1;
	}
	if (set) {
		memcpy(reg, (const void *)(uintptr_t)r->addr, sizeof(*reg));
		fake_kvm.nr_set_reg++;
	} else {
		memcpy((void *)(uintptr_t)r->addr, reg, sizeof(*reg));
		fake_kvm.nr_get_reg++;
	}
	return 0;
}

/*
 * As much of an injection as the kernel shows; a 32-bit EL1 has its DFSR where ESR_EL1 is. @iss: NULL: the kernel makes up
 * its own, if it does anything.
 */
static void take(uint64_t ec, const uint64_t *iss)
{
	int user = (fake_kvm.pstate & 0xf) == 0;

	fake_kvm.abt_has_esr = !!iss;
	if (fake_kvm.idle && !iss)
		return;
	if (!iss || !(*iss & 0x400))
		fake_kvm.far_el1 = fake_kvm.hfar;
	if (fake_kvm.el1_32bit) {
		fake_kvm.esr_el1 = 0x210;
		return;
	}
	fake_kvm.esr_el1 = (ec + !user) << 26 | 0x02000000 | (iss ? *iss : fake_kvm.fsc);
	if (fake_kvm.commits) {
		fake_kvm.elr_el1 = fake_kvm.pc;
		fake_kvm.spsr_el1 = fake_kvm.pstate;
		fake_kvm.pc = fake_kvm.vbar_el1 + (user ? 0x400 : 0x200);
		fake_kvm.pstate = 0x3c5;
	}
}

/* What the series of kernel/ let an abort say. */
static int is_valid_iss(uint64_t iss, int iabt)
{
	uint64_t allowed = 0x63f | (iabt ? 0 : 0x140) | (fake_kvm.ras ? 0x1800 : 0);

	return !fake_kvm.el1_32bit && !(iss & ~allowed) && (0xf9f90000 >> (iss & 0x1f) & 1) && (iss & 0x3f) < 0x20;
}

static int set_events(const uint8_t *ev)
{
	/* Mainline refuses what it does not know. */
	static const uint8_t zeros[48];
	uint64_t iss;

	memcpy(&iss, ev + 16, 8);
	if (ev[0] > 1 || ev[1] > 1 || ev[2] > 1 || ev[3] > 1 || ev[4] > 1 || (ev[3] && !fake_kvm.iabt) || (ev[2] && ev[3]) ||
	    (ev[4] && !(fake_kvm.abt_esr && (ev[2] || ev[3]) && is_valid_iss(iss, ev[3]))) || (!ev[4] && iss) ||
	    memcmp(ev + 5, zeros, 3) || memcmp(ev + 24, zeros, 40) || (ev[1] && !fake_kvm.ras)) {
		fake_kvm.nr_refused++;
		errno = EINVAL;
		return -1;
	}
	if (ev[0]) {
		fake_kvm.nr_serror++;
		fake_kvm.serror_has_esr = ev[1];
		memcpy(&fake_kvm.serror_esr, ev + 8, 8);
	}
	if (ev[2]) {
		fake_kvm.nr_dabt++;
		take(0x24, ev[4] ? &iss : NULL);
	}
	if (ev[3]) {
		fake_kvm.nr_iabt++;
		take(0x20, ev[4] ? &iss : NULL);
	}
	return 0;
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	fake_kvm.nr_ioctls++;
	if (fails())
		return -1;
	switch (request) {
	case KVM_CHECK_EXTENSION:
		assert_int_equal(fd, FAKE_VM_FD);
		switch ((uintptr_t)arg) {
		case 245:
			return fake_kvm.sea;
		case 178:
			return fake_kvm.dabt;
		case 158:
			return fake_kvm.ras;
		case FBK_KVM_CAP_ARM_INJECT_EXT_IABT:
			return fake_kvm.iabt;
		case 0x46420002:
			return fake_kvm.abt_esr;
		}
		return 0;
	case KVM_ENABLE_CAP:
		assert_int_equal(fd, FAKE_VM_FD);
		fake_kvm.enabled_cap = ((struct kvm_enable_cap *)arg)->cap;
		return 0;
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG:
		assert_true(fd >= FAKE_VCPU_FD);
		return one_reg(request == KVM_SET_ONE_REG, arg);
	case 0x4040aea0: /* KVM_SET_VCPU_EVENTS on arm64 */
		assert_true(fd >= FAKE_VCPU_FD);
		return set_events(arg);
	}
	errno = ENOTTY;
	return -1;
}

static int fake_clock(clockid_t clock, struct timespec *ret)
{
	uint64_t now_ns;

	if (fails())
		return -1;
	now_ns = __atomic_add_fetch(&fake_kvm.now_ns, fake_kvm.tick_ns, __ATOMIC_RELAXED);
	ret->tv_sec = (time_t)(now_ns / 1000000000);
	ret->tv_nsec = (long)(now_ns % 1000000000);
	return 0;
}

static int fake_nanosleep(const struct timespec *ts, struct timespec *rem)
{
	if (fails())
		return -1;
	fake_kvm.nr_sleeps++;
	fake_kvm.now_ns += (uint64_t)ts->tv_sec * 1000000000 + (uint64_t)ts->tv_nsec;
	if (fake_kvm.on_sleep)
		fake_kvm.on_sleep(fake_kvm.opaque);
	return 0;
}

static long fake_futex(uint32_t *word, int op, uint32_t value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void *fake_calloc(size_t nr, size_t len)
{
	void *p = fails() ? NULL : calloc(nr, len);

	fake_kvm.nr_allocs += p != NULL;
	return p;
}

static void fake_free(void *p)
{
	fake_kvm.nr_allocs -= p != NULL;
	free(p);
}

static void *fake_map(size_t len)
{
	return fake_calloc(1, len);
}

static void fake_unmap(void *p, size_t len)
{
	fake_free(p);
}

static const struct fbk_sys fake_sys = {
	.ioctl = fake_ioctl,
	.clock_gettime = fake_clock,
	.nanosleep = fake_nanosleep,
	.futex = fake_futex,
	.calloc = fake_calloc,
	.free = fake_free,
	.map = fake_map,
	.unmap = fake_unmap,
};

void fake_kvm_install(void)
{
	memset(&fake_kvm, 0, sizeof(fake_kvm));
	fake_kvm.sea = fake_kvm.dabt = fake_kvm.ras = 1;
	fake_kvm.now_ns = UINT64_C(1700000000000000000);
	fake_kvm.tick_ns = 100;
	fake_kvm.pc = 0x400000;
	fake_kvm.fsc = 0x10;
	fake_kvm.midr = 0x413fd0c1;
	fake_kvm.mpidr = 0x80000001;
	fake_kvm.vbar_el1 = 0xffff800080010000;
	fake_kvm.sctlr_el1 = 0x30d00800;
	fbk_sys = &fake_sys;
}
