/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * kvm.c - what this host's KVM offers, and switching it on.
 */
#include <firebreak/kvm.h>

#include "kvm_uapi.h"
#include "sys.h"

#include <errno.h>

int fbk_kvm_probe(int vm_fd, uint32_t *ret)
{
	static const struct {
		unsigned long cap;
		uint32_t bit;
	} caps[] = {
		{ FBK_CAP_ARM_SEA_TO_USER, FBK_KVM_SEA_TO_USER },
		{ FBK_CAP_ARM_INJECT_EXT_DABT, FBK_KVM_INJECT_EXT_DABT },
		{ FBK_KVM_CAP_ARM_INJECT_EXT_IABT, FBK_KVM_INJECT_EXT_IABT },
		{ FBK_KVM_CAP_ARM_INJECT_EXT_ABT_ESR, FBK_KVM_INJECT_EXT_ABT_ESR },
		{ FBK_CAP_ARM_INJECT_SERROR_ESR, FBK_KVM_INJECT_SERROR_ESR },
	};
	uint32_t bits = 0;
	size_t i;
	int has;

	if (!ret)
		return -EINVAL;
	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		has = fbk_sys->ioctl(vm_fd, KVM_CHECK_EXTENSION, (void *)caps[i].cap);
		if (has < 0)
			return -EIO;
		if (has > 0)
			bits |= caps[i].bit;
	}
	*ret = bits;
	return 0;
}

int fbk_kvm_enable_sea(int vm_fd)
{
	struct kvm_enable_cap cap = { .cap = FBK_CAP_ARM_SEA_TO_USER };
	int has = fbk_sys->ioctl(vm_fd, KVM_CHECK_EXTENSION, (void *)(unsigned long)FBK_CAP_ARM_SEA_TO_USER);

	if (has < 0)
		return -EIO;
	if (has == 0)
		return -EOPNOTSUPP;
	return fbk_sys->ioctl(vm_fd, KVM_ENABLE_CAP, &cap) < 0 ? -EIO : 0;
}
