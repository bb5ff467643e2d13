/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * one_reg.h - one 64-bit register of a vCPU.
 */
#ifndef FBK_HOST_ONE_REG_H
#define FBK_HOST_ONE_REG_H

#include <stdint.h>

/* Errors: -EIO (errno tells). */
int fbk_one_reg_get(int vcpu_fd, uint64_t id, uint64_t *ret);
int fbk_one_reg_set(int vcpu_fd, uint64_t id, uint64_t value);

#endif
