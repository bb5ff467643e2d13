/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* filter.c - see filter.h. */
#include "filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST_MAX (5 + 3 * FBK_RULE_ARGS)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half of an argument comes first");

static uint32_t action_of(const struct fbk_rule *r)
{
	return r->refuse ? SCMP_ACT_ERRNO(r->refuse) : SCMP_ACT_ALLOW;
}

static uint32_t value_of(const struct fbk_rule_arg *a)
{
	return a->kind == FBK_ARG_SELF ? (uint32_t)getpid() : a->value;
}

static int add_rule(scmp_filter_ctx ctx, const struct fbk_rule *r)
{
	struct scmp_arg_cmp cmp[FBK_RULE_ARGS];
	unsigned int nr = 0;

	for (int i = 0; i < FBK_RULE_ARGS; i++) {
		const struct fbk_rule_arg *a = &r->arg[i];

		if (a->kind != FBK_ARG_ANY)
			cmp[nr++] = (struct scmp_arg_cmp){ a->index, SCMP_CMP_MASKED_EQ, a->mask, value_of(a) };
	}
	return seccomp_rule_add_exact_array(ctx, action_of(r), r->nr, nr, cmp);
}

static int add_rules(scmp_filter_ctx ctx, uint32_t roles)
{
	uint8_t priority = UINT8_MAX;
	int r = 0;

	for (size_t i = 0; i < fbk_nr_rules && !r; i++) {
		if (!(fbk_rules[i].roles & roles))
			continue;
		r = add_rule(ctx, &fbk_rules[i]);
		/* The first one's counts. */
		if (!r && priority)
			r = seccomp_syscall_priority(ctx, fbk_rules[i].nr, priority--);
	}
	return r;
}

/*
 * libseccomp asks about calls in our order, but about the arguments of one call in that of their values. A role's first rule,
 * where arguments decide, is therefore asked about here, ahead of libseccomp's code, which decides all that does not match.
 * Return: instructions; what does not match goes on behind the last one.
 */
static unsigned int first_rule(uint32_t roles, struct sock_filter code[FIRST_MAX])
{
	const struct fbk_rule *r = fbk_rules;
	unsigned int nr = 0;

	while (r < fbk_rules + fbk_nr_rules && !(r->roles & roles))
		r++;
	if (r == fbk_rules + fbk_nr_rules || r->arg[0].kind == FBK_ARG_ANY)
		return 0;
	code[nr++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[nr++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 0, 0);
	code[nr++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	code[nr++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->nr, 0, 0);
	for (int i = 0; i < FBK_RULE_ARGS; i++) {
		const struct fbk_rule_arg *a = &r->arg[i];

		if (a->kind == FBK_ARG_ANY)
			continue;
		code[nr++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							  offsetof(struct seccomp_data, args) + a->index * sizeof(uint64_t));
		if (a->mask != UINT32_MAX)
			code[nr++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, a->mask);
		code[nr++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value_of(a), 0, 0);
	}
	code[nr++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action_of(r));
	for (unsigned int i = 0; i < nr; i++)
		if (BPF_CLASS(code[i].code) == BPF_JMP)
			code[i].jf = nr - i - 1;
	return nr;
}

/* libseccomp writes to a descriptor. */
static int export(scmp_filter_ctx ctx, const struct sock_filter *first, unsigned int nr, struct fbk_filter *ret)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), r;
	struct stat st;

	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(ctx, fd);
	if (!r && fstat(fd, &st))
		r = -errno;
	if (!r) {
		ret->len = nr + st.st_size / sizeof(struct sock_filter);
		ret->code = malloc(ret->len * sizeof(struct sock_filter));
		if (!ret->code)
			r = -ENOMEM;
		else if (pread(fd, ret->code + nr, st.st_size, 0) != st.st_size)
			r = -EIO;
		else
			memcpy(ret->code, first, nr * sizeof(struct sock_filter));
	}
	close(fd);
	if (r)
		fbk_filter_free(ret);
	return r;
}

int fbk_filter_build(uint32_t roles, enum fbk_violation violation, struct fbk_filter *ret)
{
	scmp_filter_ctx ctx = seccomp_init(violation == FBK_VIOLATION_LOG ? SCMP_ACT_LOG : SCMP_ACT_TRAP);
	struct sock_filter first[FIRST_MAX];
	int r;

	*ret = (struct fbk_filter){ 0 };
	if (!ctx)
		return -ENOMEM;
	/* Another architecture's calls have other numbers: nothing is to be learnt from who makes one. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!r)
		r = add_rules(ctx, roles);
	if (!r)
		r = export(ctx, first, first_rule(roles, first), ret);
	seccomp_release(ctx);
	return r == -EDOM || r == -EINVAL ? -EOPNOTSUPP : r;
}

void fbk_filter_free(struct fbk_filter *f)
{
	free(f->code);
	*f = (struct fbk_filter){ 0 };
}

int fbk_filter_load(const struct fbk_filter *f)
{
	const struct sock_fprog prog = { f->len, f->code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) ? -errno : 0;
}
