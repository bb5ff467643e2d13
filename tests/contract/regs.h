/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Everything KVM shows of a vCPU (KVM_GET_REG_LIST), to compare by.
 */
#ifndef TEST_REGS_H
#define TEST_REGS_H

#include "vm.h"

#define REG_LEN 16 /* bytes kept of each; larger ones are not had by these vCPUs */

struct regs {
	unsigned int n;
	struct {
		uint64_t id;
		unsigned char value[REG_LEN];
	} reg[1024];
};

/* Looks up which registers this VM's vCPUs have. */
void regs_list(struct vm *vm);
/* All of vCPU 0, but for the counters, which run on by themselves. */
void regs_read(struct vm *vm, struct regs *ret);
/* One 64-bit register of them. */
uint64_t regs_value(const struct regs *r, uint64_t id);
/* NULL when equal; else names the registers that differ. @ignore: bits of ESR_EL1 that may differ. */
const char *regs_diff(const struct regs *a, const struct regs *b, uint64_t ignore_esr);

#endif
