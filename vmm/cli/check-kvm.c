/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * check-kvm.c - what `firebreak check` says of KVM's capabilities, and by which ways aborts go back to the guest: the words
 * are those of replay.method in events, the rules the library's (docs/decisions/0004).
 */
#include "check-kvm.h"

#include <firebreak/kvm.h>

static struct fbk_check_line yes_or_no(const char *what, bool have, const char *if_yes, const char *if_no)
{
	return (struct fbk_check_line){ what, have ? "yes" : "no", have ? if_yes : if_no };
}

static const char *after_sea(uint32_t kvm)
{
	if (!(kvm & FBK_KVM_INJECT_EXT_DABT))
		return "registers";
	if (!(kvm & FBK_KVM_INJECT_EXT_ABT_ESR))
		return "helper where it says everything, else helper-corrected; registers where it did nothing";
	if (!(kvm & FBK_KVM_INJECT_EXT_IABT))
		return "kernel-syndrome; for instruction aborts helper-corrected, registers where it did nothing";
	return "kernel-syndrome; helper for a 32-bit guest kernel";
}

static const char *after_sigbus(uint32_t kvm)
{
	if (!(kvm & FBK_KVM_INJECT_EXT_DABT))
		return "registers";
	return "helper, for instruction fetches helper-corrected; registers where it did nothing";
}

void fbk_check_kvm(uint32_t kvm, struct fbk_check_line ret[FBK_CHECK_KVM_LINES])
{
	ret[0] = yes_or_no("RAS extension", kvm & FBK_KVM_INJECT_SERROR_ESR, "errors come with a severity, and an SError can say which",
			   "the hardware does not say how severe an error is; SErrors come without a syndrome");
	ret[1] = yes_or_no("KVM_CAP_ARM_SEA_TO_USER", kvm & FBK_KVM_SEA_TO_USER, "a guest's memory error comes to the monitor",
			   "a guest's memory error panics its kernel: Linux 6.19 and later forward it, older ones with our patches");
	ret[2] = yes_or_no("KVM_CAP_ARM_INJECT_EXT_DABT", kvm & FBK_KVM_INJECT_EXT_DABT, "the same abort can be given back to the guest",
			   "aborts are given back by the monitor through registers, to 64-bit guest kernels (Linux 5.5 has it)");
	ret[3] = yes_or_no("KVM_CAP_ARM_INJECT_EXT_IABT", kvm & FBK_KVM_INJECT_EXT_IABT, "instruction aborts are given back by the kernel",
			   "instruction aborts are completed by the monitor through registers: nothing is lost");
	ret[4] = yes_or_no("KVM_CAP_ARM_INJECT_EXT_ABT_ESR", kvm & FBK_KVM_INJECT_EXT_ABT_ESR,
			   "the kernel gives an abort back with all that the hardware said of it",
			   "severity, level and the like are put right by the monitor through registers: nothing is lost");
	ret[5] = yes_or_no("replay after an SEA exit", kvm & FBK_KVM_SEA_TO_USER, after_sea(kvm),
			   "there is no such exit: the monitor learns of errors by SIGBUS alone");
	ret[6] = yes_or_no("replay after SIGBUS", true, after_sigbus(kvm), "");
}

bool fbk_check_contains(uint32_t kvm)
{
	return kvm & FBK_KVM_SEA_TO_USER;
}
