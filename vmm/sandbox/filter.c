/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* filter.c - see filter.h. */
#include "filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int add_rule(scmp_filter_ctx ctx, const struct fbk_rule *r)
{
	struct scmp_arg_cmp cmp[FBK_RULE_ARGS];
	unsigned int nr = 0;

	for (int i = 0; i < FBK_RULE_ARGS; i++) {
		const struct fbk_rule_arg *a = &r->arg[i];

		if (a->kind != FBK_ARG_ANY)
			cmp[nr++] = (struct scmp_arg_cmp){ a->index, SCMP_CMP_MASKED_EQ, a->mask,
							   a->kind == FBK_ARG_SELF ? (uint32_t)getpid() : a->value };
	}
	return seccomp_rule_add_exact_array(ctx, r->refuse ? SCMP_ACT_ERRNO(r->refuse) : SCMP_ACT_ALLOW, r->nr, nr, cmp);
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

/* libseccomp writes to a descriptor. */
static int export(scmp_filter_ctx ctx, struct fbk_filter *ret)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), r;
	struct stat st;

	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(ctx, fd);
	if (!r && fstat(fd, &st))
		r = -errno;
	if (!r) {
		ret->len = st.st_size / sizeof(struct sock_filter);
		ret->code = malloc(st.st_size);
		if (!ret->code)
			r = -ENOMEM;
		else if (pread(fd, ret->code, st.st_size, 0) != st.st_size)
			r = -EIO;
	}
	close(fd);
	if (r)
		fbk_filter_free(ret);
	return r;
}

int fbk_filter_build(uint32_t roles, enum fbk_violation violation, struct fbk_filter *ret)
{
	scmp_filter_ctx ctx = seccomp_init(violation == FBK_VIOLATION_LOG ? SCMP_ACT_LOG : SCMP_ACT_TRAP);
	int r;

	*ret = (struct fbk_filter){ 0 };
	if (!ctx)
		return -ENOMEM;
	/* Another architecture's calls have other numbers: nothing is to be learnt from who makes one. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!r)
		r = add_rules(ctx, roles);
	if (!r)
		r = export(ctx, ret);
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
