/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * one_reg.c - one 64-bit register of a vCPU.
 */
#include "one_reg.h"

#include "kvm_uapi.h"
#include "sys.h"

#include <errno.h>

int fbk_one_reg_ask(int vcpu_fd, const struct kvm_one_reg *question)
{
	/* The kernel only reads the question, and writes the value only when all else went well. */
	return fbk_sys->ioctl(vcpu_fd, KVM_GET_ONE_REG, (void *)(uintptr_t)question) < 0 ? -EIO : 0;
}

int fbk_one_reg_get(int vcpu_fd, uint64_t id, uint64_t *ret)
{
	const struct kvm_one_reg question = fbk_one_reg_question(id, ret);

	return fbk_one_reg_ask(vcpu_fd, &question);
}

int fbk_one_reg_set(int vcpu_fd, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return fbk_sys->ioctl(vcpu_fd, KVM_SET_ONE_REG, &reg) < 0 ? -EIO : 0;
}
