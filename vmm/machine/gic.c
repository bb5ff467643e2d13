/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* gic.c - see gic.h. [KVM-API "ARM Virtual Generic Interrupt Controller v3"] */
#include "gic.h"
#include "platform.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

static int set_attr(int fd, uint32_t group, uint64_t attr, const void *val)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)val };

	return ioctl(fd, KVM_SET_DEVICE_ATTR, &a) ? -errno : 0;
}

int fbk_gic_create(int vm_fd, unsigned int nr_cpus)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	const uint64_t dist = FBK_GICD_BASE;
	const uint64_t redist = FBK_GICR_BASE | (uint64_t)nr_cpus << 52;
	const uint32_t nr_irqs = FBK_NR_IRQS;
	int r;

	if (ioctl(vm_fd, KVM_CREATE_DEVICE, &dev))
		return -errno;
	r = set_attr(dev.fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs);
	if (!r)
		r = set_attr(dev.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	if (!r)
		r = set_attr(dev.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &redist);
	if (!r)
		r = set_attr(dev.fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	return r ? r : (int)dev.fd;
}

/* Register offsets shared by the distributor and the redistributor's SGI frame. */
enum {
	CTLR = 0x0000,
	IGROUPR = 0x0080,
	ICENABLER = 0x0180,
	ISPENDR = 0x0200, /* from user space: sets the pending latch to exactly what is written */
	ICACTIVER = 0x0380,
	IPRIORITYR = 0x0400,
	ICFGR = 0x0c00,
	GICR_SGI = 0x10000,
};

/* Interrupts @first to @first + 31 in the frame at @base. */
static int reset_32(int fd, uint32_t group, uint64_t cpu, uint64_t base, unsigned int first)
{
	const uint32_t zero = 0, ones = UINT32_MAX;
	int r;

	r = set_attr(fd, group, cpu | (base + ICENABLER + first / 8), &ones);
	if (!r)
		r = set_attr(fd, group, cpu | (base + ISPENDR + first / 8), &zero);
	if (!r)
		r = set_attr(fd, group, cpu | (base + ICACTIVER + first / 8), &ones);
	if (!r)
		r = set_attr(fd, group, cpu | (base + IGROUPR + first / 8), &zero);
	for (unsigned int i = 0; !r && i < 32; i += 4)
		r = set_attr(fd, group, cpu | (base + IPRIORITYR + first + i), &zero);
	for (unsigned int i = 0; !r && i < 32; i += 16)
		if (first + i >= 16) /* SGIs are always edge-triggered */
			r = set_attr(fd, group, cpu | (base + ICFGR + (first + i) / 4), &zero);
	return r;
}

#define SYSREG(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

static int reset_cpu_interface(int fd, uint64_t cpu)
{
	static const struct {
		uint32_t reg;
		uint64_t val;
	} regs[] = {
		{ SYSREG(3, 0, 4, 6, 0), 0 },	 /* ICC_PMR_EL1 */
		{ SYSREG(3, 0, 12, 8, 3), 0 },	 /* ICC_BPR0_EL1 */
		{ SYSREG(3, 0, 12, 12, 3), 0 },	 /* ICC_BPR1_EL1 */
		{ SYSREG(3, 0, 12, 12, 6), 0 },	 /* ICC_IGRPEN0_EL1 */
		{ SYSREG(3, 0, 12, 12, 7), 0 },	 /* ICC_IGRPEN1_EL1 */
		{ SYSREG(3, 0, 12, 8, 4), 0 },	 /* ICC_AP0R0_EL1 */
		{ SYSREG(3, 0, 12, 9, 0), 0 },	 /* ICC_AP1R0_EL1 */
	};

	for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		int r = set_attr(fd, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, cpu | regs[i].reg, &regs[i].val);

		if (r)
			return r;
	}
	return 0;
}

int fbk_gic_reset(int gic_fd, unsigned int nr_cpus)
{
	const uint32_t zero = 0;
	int r;

	r = set_attr(gic_fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, CTLR, &zero);
	for (unsigned int first = 32; !r && first < FBK_NR_IRQS; first += 32)
		r = reset_32(gic_fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0, 0, first);
	for (uint64_t i = 0; !r && i < nr_cpus; i++) {
		uint64_t cpu = i << KVM_DEV_ARM_VGIC_V3_MPIDR_SHIFT; /* MPIDR affinity: the vCPU's index */

		r = reset_32(gic_fd, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, cpu, GICR_SGI, 0);
		if (!r)
			r = reset_cpu_interface(gic_fd, cpu);
	}
	return r;
}

int fbk_gic_irq(int vm_fd, unsigned int gsi, int level)
{
	struct kvm_irq_level line = { .irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | gsi, .level = level };

	return ioctl(vm_fd, KVM_IRQ_LINE, &line) ? -errno : 0;
}
