/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* policy_key.c - see policy_key.h */
#include "policy_key.h"

#include <firebreak/ledger.h>

#include <stddef.h>
#include <string.h>

#define ACTION(field, text) { "", #field, text, FBK_POLICY_CONSUMED, 0, 0, offsetof(struct fbk_policy, field) }
#define NUMBER(field, from, to, text) { "", #field, text, FBK_POLICY_NUMBER, from, to, offsetof(struct fbk_policy, field) }
#define SWITCH(field, text) { "", #field, text, FBK_POLICY_SWITCH, 0, 1, offsetof(struct fbk_policy, field) }

static const struct fbk_policy_key keys[] = {
	ACTION(uer, "consumed, recoverable by the syndrome (SET UER, or none stated)"),
	ACTION(ueo, "consumed, restartable (SET UEO)"),
	ACTION(uc, "consumed, uncontainable (SET UC, or the reserved value)"),
	ACTION(no_gva, "consumed, the virtual address alone is not known"),
	ACTION(no_gpa, "consumed, the physical address alone is not known"),
	ACTION(no_address, "consumed, neither address is known"),
	ACTION(user, "consumed by user mode (EL0)"),
	ACTION(kernel, "consumed by the guest's kernel (EL1)"),
#define FIRST_SOURCE 8 /* the sources stand here */
	ACTION(storm, "a vCPU took storm_repeats identical aborts in a row, no two further apart than storm_gap_ms"),
	ACTION(storm_again, "as many again, and ever after"),
	NUMBER(storm_repeats, 0, UINT32_MAX, "0: never a storm"),
	NUMBER(storm_gap_ms, 0, UINT32_MAX, "milliseconds"),
	ACTION(rate, "the VM had more than rate_errors errors within rate_ms"),
	NUMBER(rate_errors, 0, FBK_RATE_MAX, "0: no limit"),
	NUMBER(rate_ms, 1, UINT32_MAX, "milliseconds"),
	ACTION(budget, "the VM has lost more than budget_pages pages of 4 KiB, healed ones not counted"),
	NUMBER(budget_pages, 0, FBK_LEDGER_MAX_PAGES, "0: no limit"),
	NUMBER(ack_wait_us, 0, UINT32_MAX, "microseconds that a vCPU waits at most for the guest to acknowledge an earlier record"),
	NUMBER(ack_poll_us, 0, UINT32_MAX, "microseconds from the first look for it to the second"),
	NUMBER(span_pages, 1, UINT32_MAX, "most 4 KiB pages taken as lost with one larger host page"),
	SWITCH(ledger_unsynced, "1: the guest may run on before the ledger's record is on the disk"),
};

#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))

_Static_assert(NR_KEYS + FBK_NR_SOURCES == FBK_POLICY_NR_KEYS, "count of keys");
_Static_assert(sizeof(enum fbk_verdict_action) == sizeof(uint32_t), "fields of 32 bits");

void fbk_policy_key_at(uint32_t i, struct fbk_policy_key *ret)
{
	enum fbk_source s = (enum fbk_source)(i - FIRST_SOURCE);

	if (i < FIRST_SOURCE) {
		*ret = keys[i];
	} else if (i >= FIRST_SOURCE + FBK_NR_SOURCES) {
		*ret = keys[i - FBK_NR_SOURCES];
	} else {
		*ret = (struct fbk_policy_key){
			.prefix = "source.",
			.name = fbk_source_name(s),
			.meaning = fbk_source_is_async(s) ? "told by this source, consumed by nobody" : "consumed, told by this source",
			.kind = fbk_source_is_async(s) ? FBK_POLICY_UNCONSUMED : FBK_POLICY_CONSUMED,
			.offset = offsetof(struct fbk_policy, source) + (i - FIRST_SOURCE) * sizeof(uint32_t),
		};
	}
}

uint32_t fbk_policy_key_get(const struct fbk_policy *p, const struct fbk_policy_key *k)
{
	uint32_t value;

	memcpy(&value, (const char *)p + k->offset, sizeof(value));
	return value;
}

void fbk_policy_key_set(struct fbk_policy *p, const struct fbk_policy_key *k, uint32_t value)
{
	memcpy((char *)p + k->offset, &value, sizeof(value));
}

int fbk_policy_key_allows(const struct fbk_policy_key *k, uint32_t value)
{
	switch (k->kind) {
	case FBK_POLICY_CONSUMED:
		return value <= FBK_VERDICT_STOP && value != FBK_VERDICT_REPORT;
	case FBK_POLICY_UNCONSUMED:
		return value == FBK_VERDICT_REPORT || value == FBK_VERDICT_PAUSE || value == FBK_VERDICT_STOP;
	default:
		return value >= k->min && value <= k->max;
	}
}
