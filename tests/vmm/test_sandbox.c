/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_sandbox.c - every rule of the sandbox is carried out, and its nearest miss.
 *
 * A child loads the filter that a thread of each role gets, and makes one call. The kernel is the judge: a call that is not
 * allowed ends the child by SIGSYS, any other, be it ever so invalid, does not. The table drives the tests: a rule about a call
 * that harmless[] does not know fails.
 */
#ifdef FBK_WITHOUT_CMOCKA
#include "without-cmocka.h"
#else
#include "test.h"
#endif

#include "filter.h"
#ifndef FBK_WITHOUT_CMOCKA
#include "violation.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BAD_FD ((uint64_t)-1)
#define BAD_PTR 1 /* misaligned, and nowhere */

static const struct timespec at_once;

/* Arguments with which a call, allowed as it may be, does nothing; a rule's own take their places. */
struct harmless {
	int nr;
	uint64_t arg[6];
};

static const struct harmless harmless[] = {
	{ SYS_ioctl, { BAD_FD, 0, BAD_PTR } },
	{ SYS_write, { BAD_FD, BAD_PTR, 0 } },
	{ SYS_read, { BAD_FD, BAD_PTR, 0 } },
	{ SYS_ppoll, { 0, 0, (uintptr_t)&at_once, 0, 8 } },
	{ SYS_futex, { BAD_PTR, 0, 0, 0, 0, 0 } },
	{ SYS_timerfd_settime, { BAD_FD, 0, BAD_PTR, 0 } },
	{ SYS_getrandom, { 0, 0, 0 } },
	{ SYS_clock_gettime, { BAD_FD, 0 } },
	{ SYS_io_uring_enter, { BAD_FD, 0, 0, 0, 0, 0 } },
	{ SYS_preadv, { BAD_FD, BAD_PTR, 0, 0, 0 } },
	{ SYS_pwritev, { BAD_FD, BAD_PTR, 0, 0, 0 } },
	{ SYS_fallocate, { BAD_FD, 0, 0, 0 } },
	{ SYS_readv, { BAD_FD, BAD_PTR, 0 } },
	{ SYS_writev, { BAD_FD, BAD_PTR, 0 } },
	{ SYS_socket, { BAD_FD, 0, 0 } },
	{ SYS_connect, { BAD_FD, BAD_PTR, 0 } },
	{ SYS_bind, { BAD_FD, BAD_PTR, 0 } },
	{ SYS_accept, { BAD_FD, 0, 0 } },
	{ SYS_accept4, { BAD_FD, 0, 0, 0 } },
	{ SYS_sendto, { BAD_FD, 0, 0, 0, 0, 0 } },
	{ SYS_recvfrom, { BAD_FD, 0, 0, 0, 0, 0 } },
	{ SYS_sendmsg, { BAD_FD, BAD_PTR, 0 } },
	{ SYS_recvmsg, { BAD_FD, BAD_PTR, 0 } },
	{ SYS_shutdown, { BAD_FD, 0 } },
	{ SYS_getsockname, { BAD_FD, 0, 0 } },
	{ SYS_getpeername, { BAD_FD, 0, 0 } },
	{ SYS_getsockopt, { BAD_FD, 0, 0, 0, 0 } },
	{ SYS_setsockopt, { BAD_FD, 0, 0, 0, 0 } },
	{ SYS_fcntl, { BAD_FD, 0, 0 } },
	{ SYS_openat, { BAD_FD, BAD_PTR, 0, 0 } },
	{ SYS_close, { BAD_FD } },
	{ SYS_renameat, { BAD_FD, BAD_PTR, BAD_FD, BAD_PTR } },
	{ SYS_unlinkat, { BAD_FD, BAD_PTR, 0 } },
	{ SYS_fstat, { BAD_FD, BAD_PTR } },
	{ SYS_newfstatat, { BAD_FD, BAD_PTR, BAD_PTR, 0 } },
	{ SYS_flock, { BAD_FD, 0 } },
	{ SYS_pread64, { BAD_FD, BAD_PTR, 0, 0 } },
	{ SYS_pwrite64, { BAD_FD, BAD_PTR, 0, 0 } },
	{ SYS_fdatasync, { BAD_FD } },
	{ SYS_fsync, { BAD_FD } },
	{ SYS_mremap, { BAD_PTR, 0, 0, 0, 0 } },
	{ SYS_madvise, { BAD_PTR, 0, 0 } },
	{ SYS_mprotect, { BAD_PTR, 0, 0 } },
	{ SYS_mlock, { 0, 0 } },
	{ SYS_mincore, { BAD_PTR, 0, 0 } },
	{ SYS_mmap, { 0, 0, 0, 0, BAD_FD, 0 } },
	{ SYS_munmap, { BAD_PTR, 0 } },
	{ SYS_brk, { 0 } },
	{ SYS_sysinfo, { BAD_PTR } },
	{ SYS_clock_nanosleep, { BAD_FD, 0, BAD_PTR, 0 } },
	{ SYS_rt_sigreturn, { 0 } }, /* to nowhere: the child dies, and not of SIGSYS */
	{ SYS_restart_syscall, { 0 } },
	{ SYS_tgkill, { 0, BAD_FD, 0 } },
	{ SYS_getpid, { 0 } },
	{ SYS_gettid, { 0 } },
	{ SYS_getpgid, { 0 } },
	{ SYS_rt_sigprocmask, { 0, 0, 0, 8 } },
	{ SYS_rt_sigaction, { 0, 0, 0, 8 } },
	{ SYS_exit, { 0 } },
	{ SYS_exit_group, { 0 } },
};

static const struct harmless *harmless_of(int nr)
{
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (harmless[i].nr == nr)
			return &harmless[i];
	return NULL;
}

/* --- one call in a child ---------------------------------------------------------------------------------------------- */

struct call {
	int nr;
	uint64_t arg[6];
};

/* The thread's filter as it is loaded: those of a network in user space come with the I/O thread's. */
static uint32_t loaded(enum fbk_role role)
{
	return role == FBK_ROLE_NET_USER ? FBK_ROLE_IO | FBK_ROLE_NET_USER : role;
}

/* Made once for each set of roles; a rule about the process's own number is made by the child that is to be that process. */
static const struct fbk_filter *filter_of(uint32_t roles)
{
	static struct fbk_filter filter[1 << FBK_ROLES];

	if (!filter[roles].code)
		assert_int_equal(fbk_filter_build(roles, FBK_VIOLATION_SIGNAL, &filter[roles]), 0);
	return &filter[roles];
}

/* Return: whether the child has lived through it. @self: 1: the first argument becomes its number; @refuse: the errno it is to get */
static bool passes(uint32_t roles, struct call c, unsigned int self_arg, int refuse)
{
	struct fbk_filter f = *filter_of(roles);
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		long r;

		if (self_arg) {
			c.arg[self_arg - 1] += getpid();
			if (fbk_filter_build(roles, FBK_VIOLATION_SIGNAL, &f))
				_exit(97);
		}
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || fbk_filter_load(&f))
			_exit(99);
		r = syscall(c.nr, c.arg[0], c.arg[1], c.arg[2], c.arg[3], c.arg[4], c.arg[5]);
		syscall(SYS_exit_group, refuse && (r != -1 || errno != refuse) ? 98 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return false;
	if (WIFSIGNALED(status))
		assert_int_equal(c.nr, SYS_rt_sigreturn);
	else
		assert_int_equal(WEXITSTATUS(status), 0);
	return true;
}

static void describe(char ret[200], enum fbk_role role, const struct fbk_rule *r, const struct call *c)
{
	snprintf(ret, 200, "%s: %s (%s): call %d(0x%llx, 0x%llx, 0x%llx, 0x%llx)", fbk_role_name(role), r->name, r->reason, c->nr,
		 (unsigned long long)c->arg[0], (unsigned long long)c->arg[1], (unsigned long long)c->arg[2],
		 (unsigned long long)c->arg[3]);
}

/* Return: which argument, counted from one, holds the process's number; 0: none. */
static unsigned int as_wanted(const struct fbk_rule *r, struct call *ret)
{
	const struct harmless *h = harmless_of(r->nr);
	unsigned int self = 0;

	if (!h)
		fail_msg("nothing is known to be harmless about %s", r->name);
	ret->nr = r->nr;
	memcpy(ret->arg, h->arg, sizeof(ret->arg));
	for (int i = 0; i < FBK_RULE_ARGS; i++) {
		const struct fbk_rule_arg *a = &r->arg[i];

		if (a->kind == FBK_ARG_BITS)
			ret->arg[a->index] = (ret->arg[a->index] & ~(uint64_t)UINT32_MAX & ~(uint64_t)a->mask) |
					     (h->arg[a->index] & UINT32_MAX & ~a->mask) | a->value;
		if (a->kind == FBK_ARG_SELF) {
			ret->arg[a->index] = 0;
			self = a->index + 1;
		}
	}
	return self;
}

/* The nearest call that differs in one argument and that no other rule allows either. Return: false: there is none. */
static bool spoil(uint32_t roles, const struct fbk_rule_arg *a, unsigned int self, struct call *c)
{
	const uint64_t right = c->arg[a->index];
	uint64_t as_called[6];

	if (a->kind == FBK_ARG_SELF) {
		c->arg[a->index] = 1; /* the number is added: the next process */
		return true;
	}
	for (int bit = 0; bit < 32; bit++) {
		if (!(a->mask & 1u << bit))
			continue;
		c->arg[a->index] = right ^ 1u << bit;
		memcpy(as_called, c->arg, sizeof(as_called));
		if (self)
			as_called[self - 1] += 4711;
		if (!fbk_rule_for(roles, c->nr, as_called, 4711))
			return true;
	}
	return false;
}

static bool is_allowed_somehow(uint32_t roles, int nr)
{
	for (size_t i = 0; i < fbk_nr_rules; i++)
		if (fbk_rules[i].nr == nr && (fbk_rules[i].roles & roles))
			return true;
	return false;
}

/* --- the tests --------------------------------------------------------------------------------------------------------- */

static void each_rule_is_carried_out(void **state)
{
	char text[200];

	for (unsigned int i = 0; i < FBK_ROLES; i++) {
		enum fbk_role role = 1 << i;
		unsigned int nr = 0;

		for (size_t j = 0; j < fbk_nr_rules; j++) {
			struct call c;
			unsigned int self;

			if (!(fbk_rules[j].roles & role))
				continue;
			self = as_wanted(&fbk_rules[j], &c);
			describe(text, role, &fbk_rules[j], &c);
			if (!passes(loaded(role), c, self, fbk_rules[j].refuse))
				fail_msg("is not let through: %s", text);
			nr++;
		}
		assert_true(nr > 0);
	}
}

/* Each condition of a rule, not met by one bit. */
static void nearest_miss_is_caught(void **state)
{
	char text[200];

	for (unsigned int i = 0; i < FBK_ROLES; i++) {
		enum fbk_role role = 1 << i;

		for (size_t j = 0; j < fbk_nr_rules; j++) {
			const struct fbk_rule *r = &fbk_rules[j];

			for (int k = 0; (r->roles & role) && k < FBK_RULE_ARGS; k++) {
				struct call c;
				unsigned int self = as_wanted(r, &c);

				if (r->arg[k].kind == FBK_ARG_ANY)
					continue;
				describe(text, role, r, &c);
				if (!spoil(loaded(role), &r->arg[k], self, &c))
					fail_msg("no miss: other rules allow all around: %s", text);
				if (passes(loaded(role), c, self, 0))
					fail_msg("a miss is let through: %s, argument %u: 0x%llx", text, r->arg[k].index,
						 (unsigned long long)c.arg[r->arg[k].index]);
			}
		}
	}
}

/* The next system call, by number, that a role has no rule for. */
static void next_call_is_caught(void **state)
{
	for (unsigned int i = 0; i < FBK_ROLES; i++) {
		uint32_t roles = loaded(1 << i);

		for (size_t j = 0; j < fbk_nr_rules; j++) {
			struct call c = { .nr = fbk_rules[j].nr, .arg = { BAD_FD, BAD_FD, BAD_FD, BAD_FD, BAD_FD, BAD_FD } };

			if (!(fbk_rules[j].roles & 1 << i))
				continue;
			while (is_allowed_somehow(roles, c.nr))
				c.nr++;
			if (passes(roles, c, 0, 0))
				fail_msg("%s: system call %d, behind %s, is let through", fbk_role_name(1 << i), c.nr, fbk_rules[j].name);
		}
	}
}

/* What somebody who has taken over a thread would try first. */
static void known_ways_out_are_closed(void **state)
{
	const struct call ways[] = {
		{ SYS_execve, { BAD_PTR, 0, 0 } },
		{ SYS_clone, { 0 } },
		{ SYS_ptrace, { BAD_FD, 0, 0, 0 } },
		{ SYS_process_vm_readv, { 0, 0, 0, 0, 0, 0 } },
		{ SYS_kill, { 0, 0 } },
		{ SYS_setuid, { 0 } },
		{ SYS_mount, { BAD_PTR, BAD_PTR, BAD_PTR, 0, 0 } },
		{ SYS_unshare, { 0 } },
		{ SYS_prctl, { BAD_FD, 0, 0, 0, 0 } },
		{ SYS_memfd_create, { BAD_PTR, 0 } },
		{ SYS_io_uring_setup, { 0, BAD_PTR } },
		{ SYS_io_uring_register, { BAD_FD, 0, 0, 0 } },
		{ SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, BAD_FD, 0 } },
		{ SYS_mmap, { 0, 4096, PROT_READ, MAP_PRIVATE, BAD_FD, 0 } },
		{ SYS_mprotect, { BAD_PTR, 0, PROT_EXEC } },
		{ SYS_ioctl, { BAD_FD, 0x5412 /* TIOCSTI */, 0 } },
		{ SYS_ioctl, { BAD_FD, 0xae01 /* KVM_CREATE_VM */, 0 } },
		{ SYS_openat, { (uint64_t)AT_FDCWD, BAD_PTR, O_RDWR, 0 } },
		{ SYS_socket, { 1 /* AF_UNIX */, 1 /* SOCK_STREAM */, 0 } },
		{ SYS_socket, { 16 /* AF_NETLINK */, 3, 0 } },
		{ SYS_socket, { 17 /* AF_PACKET */, 3, 0 } },
	};

	for (unsigned int i = 0; i < FBK_ROLES; i++)
		for (size_t j = 0; j < sizeof(ways) / sizeof(ways[0]); j++)
			if (passes(loaded(1 << i), ways[j], 0, 0))
				fail_msg("%s: way out %zu is open", fbk_role_name(1 << i), j);
}

#ifndef FBK_WITHOUT_CMOCKA
/* As in a container: signals of its own do not end the first process of a PID namespace. */
static void first_process_ends_too(void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		struct fbk_filter f;
		pid_t first;

		if (unshare(CLONE_NEWPID) && unshare(CLONE_NEWUSER | CLONE_NEWPID))
			_exit(96);
		first = fork();
		if (!first) {
			/* It may signal itself: the filter knows its number. */
			if (getpid() != 1 || fbk_filter_build(FBK_ROLE_MAIN, FBK_VIOLATION_SIGNAL, &f) || fbk_violation_open() ||
			    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || fbk_filter_load(&f))
				_exit(99);
			syscall(SYS_mkdirat, BAD_FD, BAD_PTR, 0);
			syscall(SYS_exit_group, 98); /* it has lived on */
		}
		_exit(waitpid(first, &status, 0) == first && WIFEXITED(status) ? WEXITSTATUS(status) : 97);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 96)
		skip();
	assert_int_equal(WEXITSTATUS(status), 128 + SIGSYS);
}
#endif

static void rules_are_well_formed(void **state)
{
	for (size_t i = 0; i < fbk_nr_rules; i++) {
		const struct fbk_rule *r = &fbk_rules[i];

		assert_true(r->roles && r->roles < 1 << FBK_ROLES);
		assert_true(r->reason && strlen(r->reason) > 4);
		for (int j = 0; j < FBK_RULE_ARGS; j++) {
			const struct fbk_rule_arg *a = &r->arg[j];

			assert_true(a->index < 6);
			if (a->kind == FBK_ARG_BITS && (a->value & ~a->mask))
				fail_msg("%s (%s): can never be met", r->name, r->reason);
			if (a->kind == FBK_ARG_BITS && !a->mask)
				fail_msg("%s (%s): is always met", r->name, r->reason);
		}
		/* One that another covers would say what is not so. */
		for (size_t j = 0; j < fbk_nr_rules; j++)
			if (i != j && fbk_rules[j].nr == r->nr && (fbk_rules[j].roles & r->roles) &&
			    fbk_rules[j].arg[0].kind == FBK_ARG_ANY)
				fail_msg("%s (%s): another rule allows more", r->name, r->reason);
	}
}

/* A filter that let everything pass would be seen: its test fails without one. */
static void log_lets_pass(void **state)
{
	struct fbk_filter f;

	assert_int_equal(fbk_filter_build(FBK_ROLE_VCPU, FBK_VIOLATION_LOG, &f), 0);
	assert_true(f.len > 10);
	fbk_filter_free(&f);
	assert_null(f.code);
}

/* Instructions of a filter until it decides about a call. */
static unsigned int walk(const struct fbk_filter *f, const struct seccomp_data *d, uint32_t *ret_action)
{
	unsigned int at = 0, steps = 0;
	uint32_t a = 0;

	for (;;) {
		const struct sock_filter *i = &f->code[at++];
		bool jump;

		assert_true(at <= f->len);
		steps++;
		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)d + i->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			at += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
			jump = i->code == (BPF_JMP | BPF_JEQ | BPF_K) ? a == i->k : i->code == (BPF_JMP | BPF_JGE | BPF_K) ? a >= i->k : a > i->k;
			at += jump ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			*ret_action = i->k;
			return steps;
		default:
			fail_msg("a filter's instruction 0x%x is not known here", i->code);
		}
	}
}

/* A filter is paid for at every exit of a vCPU: nothing is asked before what it does then. */
static void most_frequent_is_asked_first(void **state)
{
	for (unsigned int role = 0; role < FBK_ROLES; role++) {
		const struct fbk_filter *f = filter_of(1u << role);
		const struct fbk_rule *r = fbk_rules;
		struct seccomp_data d = { 0 };
		unsigned int args = 0, steps;
		uint32_t action;

		while (!(r->roles & 1u << role))
			r++;
		d.nr = r->nr;
		memcpy(&d.arch, &f->code[1].k, sizeof(d.arch)); /* the first comparison of all */
		for (; args < FBK_RULE_ARGS && r->arg[args].kind == FBK_ARG_BITS; args++)
			d.args[r->arg[args].index] = r->arg[args].value;
		steps = walk(f, &d, &action);
		assert_int_equal(action, SECCOMP_RET_ALLOW);
		if (steps > 7 + 3 * args)
			fail_msg("%s: %u instructions until %s (%s) is allowed", fbk_role_name(1u << role), steps, r->name, r->reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_well_formed),	cmocka_unit_test(each_rule_is_carried_out),
		cmocka_unit_test(nearest_miss_is_caught),	cmocka_unit_test(next_call_is_caught),
		cmocka_unit_test(known_ways_out_are_closed),	cmocka_unit_test(log_lets_pass),
		cmocka_unit_test(most_frequent_is_asked_first),
#ifndef FBK_WITHOUT_CMOCKA
		cmocka_unit_test(first_process_ends_too),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
