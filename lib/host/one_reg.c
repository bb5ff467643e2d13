/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * one_reg.c - one 64-bit register of a vCPU.
 */
#include "one_reg.h"

#include "kvm_uapi.h"
#include "sys.h"

#include <errno.h>

int fbk_one_reg_get(int vcpu_fd, uint64_t id, uint64_t *ret)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)ret };

	/* The kernel writes the value only when all else went well. */
	return fbk_sys->ioctl(vcpu_fd, KVM_GET_ONE_REG, &reg) < 0 ? -EIO : 0;
}

int fbk_one_reg_set(int vcpu_fd, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return fbk_sys->ioctl(vcpu_fd, KVM_SET_ONE_REG, &reg) < 0 ? -EIO : 0;
}
