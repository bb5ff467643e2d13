/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * one_reg.h - one 64-bit register of a vCPU.
 */
#ifndef FBK_HOST_ONE_REG_H
#define FBK_HOST_ONE_REG_H

#include <linux/kvm.h>
#include <stdint.h>

/* Errors: -EIO (errno tells). */
int fbk_one_reg_get(int vcpu_fd, uint64_t id, uint64_t *ret);
int fbk_one_reg_set(int vcpu_fd, uint64_t id, uint64_t value);

/* fbk_one_reg_get() of one register into one place, again and again. */
static inline struct kvm_one_reg fbk_one_reg_question(uint64_t id, uint64_t *ret)
{
	return (struct kvm_one_reg){ .id = id, .addr = (uintptr_t)ret };
}

int fbk_one_reg_ask(int vcpu_fd, const struct kvm_one_reg *question);

#endif
