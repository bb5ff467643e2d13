/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * decode-exit.c - what libfirebreak makes of a KVM_EXIT_ARM_SEA: the decoded abort, the default policy's verdict, the way of
 * its replay.
 */
#include "decode.h"
#include "options.h"

#include <firebreak/policy.h>
#include <firebreak/sea.h>

#include <stdio.h>

#define ESR_IL (UINT64_C(1) << 25)
#define ESR_SET (UINT64_C(3) << 11)

/* What KVM's own injection says, by the library's rule (docs/decisions/0004). */
static const char *helper(const struct fbk_abort *a)
{
	if (a->kind == FBK_ABORT_INSTRUCTION)
		return "KVM's helper injects a data abort if it knows no other, and the class is corrected";
	if (a->flags & FBK_SEA_ON_WALK)
		return "KVM's helper does not say the walk's level: ESR_EL1 is corrected";
	if (!(a->flags & FBK_SEA_HAS_GVA))
		return "KVM's helper does not say that the address is not valid: ESR_EL1 is corrected, FAR_EL1 keeps its value";
	if (a->flags & (FBK_SEA_PARITY | FBK_SEA_EA | FBK_SEA_CM | FBK_SEA_WRITE) || a->esr & ESR_SET || !(a->esr & ESR_IL))
		return "KVM's helper drops SET, EA, CM, WnR and the parity code: ESR_EL1 is corrected";
	return "KVM's helper says everything; without one, the whole exception entry by registers";
}

/* In two parts: of kernels with our series, of others. */
static const char *syndrome(const struct fbk_verdict *v)
{
	return v->action == FBK_VERDICT_REPLAY ? "kernel-syndrome where the kernel takes it; else " : "";
}

static const char *replay(const struct fbk_abort *a, const struct fbk_verdict *v)
{
	switch (v->action) {
	case FBK_VERDICT_REPLAY:
		return helper(a);
	case FBK_VERDICT_SERROR:
		return "no abort: an SError is injected";
	default:
		return "no abort is injected";
	}
}

static void print(const struct fbk_abort *a, const struct fbk_verdict *v)
{
	bool gva = a->flags & FBK_SEA_HAS_GVA, gpa = a->flags & FBK_SEA_HAS_GPA;

	printf("abort [KVM-API \"KVM_EXIT_ARM_SEA\"] [K4]\n");
	printf("  class     %s abort\n", fbk_sea_kind_name(a->kind));
	printf("  status    %s\n", fbk_sea_status_text((uint32_t)a->esr & 0x3f));
	printf("  severity  %s%s\n", fbk_severity_name(a->severity), a->flags & FBK_SEA_HAS_SET ? "" : ", by default: the syndrome does not say");
	if (gva)
		printf("  gva       0x%llx, valid (FnV is 0)\n", (unsigned long long)a->gva.addr);
	else
		printf("  gva       not valid (FnV is 1)\n");
	if (gpa)
		printf("  gpa       0x%llx, valid to the page\n", (unsigned long long)a->gpa.addr);
	else
		printf("  gpa       not valid (flags bit 0 is 0)\n");
	printf("default policy [V7]\n");
	printf("  verdict   %s: %s\n", fbk_verdict_name(v->action), v->text);
	printf("replay [V2, V3]\n");
	printf("  method    %s%s\n", syndrome(v), replay(a, v));
}

static void print_address(const char *name, bool valid, uint64_t addr)
{
	if (valid)
		printf(",\"%s\":\"0x%llx\"", name, (unsigned long long)addr);
	else
		printf(",\"%s\":null", name);
}

static void print_json(const struct fbk_abort *a, const struct fbk_verdict *v)
{
	printf(",\"abort\":{\"class\":\"%s\",\"status\":\"%s\",\"severity\":\"%s\",\"severity_stated\":%s", fbk_sea_kind_name(a->kind),
	       fbk_sea_status_text((uint32_t)a->esr & 0x3f), fbk_severity_name(a->severity),
	       a->flags & FBK_SEA_HAS_SET ? "true" : "false");
	print_address("gva", a->flags & FBK_SEA_HAS_GVA, a->gva.addr);
	print_address("gpa", a->flags & FBK_SEA_HAS_GPA, a->gpa.addr);
	printf("},\"verdict\":\"%s\",\"reason\":\"%s\",\"text\":\"%s\",\"replay\":\"%s%s\"", fbk_verdict_name(v->action),
	       fbk_reason_name(v->reason), v->text, syndrome(v), replay(a, v));
}

int fbk_decode_exit(uint64_t flags, uint64_t esr, uint64_t gva, uint64_t gpa, bool json)
{
	const struct fbk_sea_exit in = { .abi = FBK_ABI_MAINLINE, .flags = flags, .esr = esr, .gva = gva, .gpa = gpa };
	struct fbk_policy_case c = { .source = FBK_SOURCE_SEA };
	struct fbk_esr_words words;
	struct fbk_policy policy;
	struct fbk_verdict v;
	struct fbk_abort a;

	fbk_esr_explain(esr, &words);
	fbk_policy_default(&policy);
	c.abort = &a;
	if (json)
		printf("{\"flags\":\"0x%llx\",", (unsigned long long)flags);
	if (json)
		fbk_esr_print_json(&words, esr);
	else
		fbk_esr_print(&words, esr);
	if (fbk_sea_decode(&in, &a) || fbk_policy_decide(&policy, &c, &v)) {
		/* What the road does with it. */
		if (json)
			printf(",\"abort\":null,\"verdict\":\"%s\",\"reason\":\"%s\"}\n", fbk_verdict_name(FBK_VERDICT_STOP),
			       fbk_reason_name(FBK_REASON_MALFORMED));
		else
			printf("This is no exit that a kernel makes: the syndrome is no external abort of [K3]. The monitor stops.\n");
		return FBK_EXIT_LACKING;
	}
	if (json) {
		print_json(&a, &v);
		printf("}\n");
	} else {
		print(&a, &v);
	}
	return FBK_EXIT_OFF;
}
