// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * See regs.h.
 */
#include "regs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static struct kvm_reg_list *list;

static bool runs_by_itself(uint64_t id)
{
	/* Timer counters: the virtual one by its odd KVM number, the physical one by its encoding. */
	return id == ARM64_SYS_REG(3, 3, 14, 3, 2) || id == ARM64_SYS_REG(3, 3, 14, 0, 1);
}

void regs_list(struct vm *vm)
{
	struct kvm_reg_list probe = { .n = 0 };
	unsigned int i, n = 0;

	if (!ioctl(vm->cpu[0].fd, KVM_GET_REG_LIST, &probe) || errno != E2BIG)
		bail("cannot count the registers: %s", strerror(errno));
	free(list);
	list = calloc(1, sizeof(*list) + probe.n * sizeof(list->reg[0]));
	if (!list)
		bail("no memory");
	list->n = probe.n;
	if (ioctl(vm->cpu[0].fd, KVM_GET_REG_LIST, list))
		bail("cannot list the registers: %s", strerror(errno));
	for (i = 0; i < list->n; i++)
		if (!runs_by_itself(list->reg[i]))
			list->reg[n++] = list->reg[i];
	list->n = n;
	if (n > sizeof(((struct regs *)0)->reg) / sizeof(((struct regs *)0)->reg[0]))
		bail("more registers than expected: %u", n);
}

void regs_read(struct vm *vm, struct regs *ret)
{
	for (unsigned int i = 0; i < list->n; i++) {
		unsigned char value[256] = { 0 };
		struct kvm_one_reg reg = { .id = list->reg[i], .addr = (uintptr_t)value };

		if (ioctl(vm->cpu[0].fd, KVM_GET_ONE_REG, &reg))
			bail("cannot get register 0x%llx: %s", (unsigned long long)reg.id, strerror(errno));
		ret->reg[i].id = reg.id;
		memcpy(ret->reg[i].value, value, REG_LEN);
	}
	ret->n = list->n;
}

uint64_t regs_value(const struct regs *r, uint64_t id)
{
	uint64_t value;

	for (unsigned int i = 0; i < r->n; i++) {
		if (r->reg[i].id != id)
			continue;
		memcpy(&value, r->reg[i].value, sizeof(value));
		return value;
	}
	bail("no register 0x%llx", (unsigned long long)id);
}

static const char *name_of(uint64_t id)
{
	static char text[32];

	if (id == CORE_REG(regs.pc))
		return "PC";
	if (id == CORE_REG(regs.pstate))
		return "PSTATE";
	if (id == CORE_REG(elr_el1))
		return "ELR_EL1";
	if (id == CORE_REG(spsr[KVM_SPSR_EL1]))
		return "SPSR_EL1";
	if (id == SYS_ESR)
		return "ESR_EL1";
	if (id == SYS_FAR)
		return "FAR_EL1";
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)id);
	return text;
}

const char *regs_diff(const struct regs *a, const struct regs *b, uint64_t ignore_esr)
{
	static char text[512];
	size_t n = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < a->n && n < sizeof(text) - 80; i++) {
		uint64_t x, y, mask = a->reg[i].id == SYS_ESR ? ~ignore_esr : ~0ULL;

		memcpy(&x, a->reg[i].value, sizeof(x));
		memcpy(&y, b->reg[i].value, sizeof(y));
		if (a->reg[i].id == b->reg[i].id && !((x ^ y) & mask) &&
		    !memcmp(a->reg[i].value + 8, b->reg[i].value + 8, REG_LEN - 8))
			continue;
		n += snprintf(text + n, sizeof(text) - n, "%s 0x%llx/0x%llx ", name_of(a->reg[i].id),
			      (unsigned long long)x, (unsigned long long)y);
	}
	return n ? text : NULL;
}
