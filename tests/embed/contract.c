// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * What the library promises to the process it lives in: no signal handler, no thread, no output, no descriptor, no
 * allocation and no system call but the named ones on the road of an error; forks and second VMs go undisturbed.
 *
 * The library is the real one, its own table of system calls included. Only ioctl() is a fake kernel's, below the C
 * library's name. The judges are /proc, seccomp and the linker's --wrap. With THREADS_ONLY it is the part that a thread
 * sanitizer should see, and nothing that gets in its way.
 */
#include "../bare/tap.h"

#include <firebreak/kvm.h>
#include <firebreak/vm.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAKE_FD 1000 /* nothing is open there */
#define RAM_GPA 0x40000000
#define RAM_LEN 0x200000
#define GHES_GPA 0x40100000
#define SET_VCPU_EVENTS 0x4040aea0
#define ESR_DATA_EL0 0x92000010

/* The kernel: as many vCPUs as there are descriptors, each with the registers that matter. */
struct fake_vcpu {
	uint64_t pc, pstate, esr, far, elr, spsr, vbar, other;
};

static struct fake_vcpu fake_vcpu[8];
static volatile int ioctls_fail;

static uint64_t *fake_reg(struct fake_vcpu *c, uint64_t id)
{
	switch (id) {
	case 0x6030000000100040: return &c->pc;
	case 0x6030000000100042: return &c->pstate;
	case 0x6030000000100046: return &c->elr;
	case 0x6030000000100048: return &c->spsr;
	case 0x603000000013c290: return &c->esr;
	case 0x603000000013c300: return &c->far;
	case 0x603000000013c600: return &c->vbar;
	default: return &c->other;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	struct fake_vcpu *c = &fake_vcpu[fd - FAKE_FD];
	struct kvm_one_reg *reg;
	va_list ap;

	va_start(ap, request);
	reg = va_arg(ap, void *);
	va_end(ap);
	if (ioctls_fail) {
		errno = EBADF;
		return -1;
	}
	switch ((uint32_t)request) {
	case KVM_CHECK_EXTENSION:
		/* what mainline has */
		return (uintptr_t)reg != FBK_KVM_CAP_ARM_INJECT_EXT_IABT && (uintptr_t)reg != FBK_KVM_CAP_ARM_INJECT_EXT_ABT_ESR;
	case KVM_GET_ONE_REG:
		memcpy((void *)(uintptr_t)reg->addr, fake_reg(c, reg->id), 8);
		return 0;
	case KVM_SET_ONE_REG:
		memcpy(fake_reg(c, reg->id), (void *)(uintptr_t)reg->addr, 8);
		return 0;
	case SET_VCPU_EVENTS:
		c->elr = c->pc;
		c->spsr = c->pstate;
		c->esr = ESR_DATA_EL0;
		c->pc = c->vbar + 0x400;
		return 0;
	}
	errno = ENOTTY;
	return -1;
}

/* One VM in this process. */
struct world {
	struct fbk_gmem gmem;
	struct fbk_ghes_layout ghes;
	struct fbk_policy policy;
	struct fbk_vm *vm;
	struct fbk_vcpu *vcpu;
	struct kvm_run run;
	unsigned char *ram;
	int fd;
	uint32_t events, foreign;
	uint64_t last_seq;
};

static void on_event(void *opaque, const struct fbk_event *ev)
{
	struct world *w = opaque;

	/* Its own number in order, its own memory. */
	w->foreign += ev->seq != w->last_seq + 1 || (ev->hva.addr && ev->hva.addr - (uintptr_t)w->ram >= RAM_LEN);
	w->last_seq = ev->seq;
	w->events++;
}

static int on_raise(void *opaque)
{
	(void)opaque;
	return 0;
}

static void on_pump(void *opaque)
{
	(void)opaque;
}

static const struct fbk_vm_ops ops = { .event = on_event, .raise_async = on_raise, .want_pump = on_pump };

static void must(int pass, const char *what)
{
	if (!pass) {
		dprintf(2, "Bail out! %s\n", what);
		_exit(1);
	}
}

static void world_start(struct world *w, int index, struct fbk_ledger_file *file)
{
	struct fbk_gmem_region r = { .gpa = { RAM_GPA }, .len = RAM_LEN };
	struct fbk_vm_config cfg = { .size = sizeof(cfg), .vm_fd = FAKE_FD + index, .gmem = &w->gmem, .ghes = &w->ghes,
				     .policy = &w->policy, .ops = &ops, .opaque = w, .ledger_file = file };

	memset(w, 0, sizeof(*w));
	w->fd = FAKE_FD + index;
	w->ram = mmap(NULL, RAM_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(w->ram != MAP_FAILED, "no memory");
	r.hva.addr = (uintptr_t)w->ram;
	fbk_policy_default(&w->policy);
	w->policy.ack_wait_us = 2000;
	w->policy.storm_repeats = 0;
	must(!fbk_gmem_add(&w->gmem, &r) && !fbk_ghes_layout_init(&w->ghes, (struct fbk_gpa){ GHES_GPA }) &&
	     !fbk_ghes_area_build(&w->ghes, w->ram + (GHES_GPA - RAM_GPA), FBK_GHES_AREA_LEN), "no error blocks");
	must(!fbk_vm_create(&cfg, &w->vm) && !fbk_vcpu_create(w->vm, w->fd, &w->run, (uint32_t)index, &w->vcpu), "no VM");
}

static void world_end(struct world *w)
{
	fbk_vcpu_destroy(w->vcpu);
	fbk_vm_destroy(w->vm);
	munmap(w->ram, RAM_LEN);
}

static int sea(struct world *w, uint64_t esr, uint64_t gpa, struct fbk_verdict *v)
{
	uint64_t exit[4] = { FBK_KVM_SEA_FLAG_GPA_VALID, esr, 0x1234, gpa };

	w->run.exit_reason = FBK_KVM_EXIT_ARM_SEA;
	memcpy(w->run.padding, exit, sizeof(exit));
	return fbk_vcpu_sea(w->vcpu, v);
}

static siginfo_t bus(struct world *w, int code, uint64_t gpa)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	si.si_signo = SIGBUS;
	si.si_code = code;
	si.si_addr = w->ram + (gpa - RAM_GPA);
	si.si_addr_lsb = 12;
	return si;
}

static void acknowledge(struct world *w, enum fbk_ghes_source s)
{
	memset(w->ram + (w->ghes.source[s].block.addr - RAM_GPA), 0, 4);
	must(!fbk_gmem_store_release_u64(&w->gmem, w->ghes.source[s].ack, 1), "no acknowledgement");
}

/* Every way onto the road, and a guest that acknowledges late: the second error waits, and goes by the other source. */
static void walk(struct world *w, uint32_t i)
{
	uint64_t gpa = RAM_GPA + (i % 64) * 4 * FBK_PAGE_SIZE, wait;
	siginfo_t ar = bus(w, BUS_MCEERR_AR, gpa + FBK_PAGE_SIZE), ao = bus(w, BUS_MCEERR_AO, gpa + 2 * FBK_PAGE_SIZE);
	struct fbk_verdict v;

	must(!sea(w, ESR_DATA_EL0, gpa, &v) && v.action == FBK_VERDICT_REPLAY, "a SEA");
	must(!fbk_vcpu_sigbus(w->vcpu, &ar, &v) && v.action == FBK_VERDICT_REPLAY, "a SIGBUS");
	must(!fbk_vm_sigbus(w->vm, &ao, &v) && v.action == FBK_VERDICT_REPORT, "news of a page");
	acknowledge(w, FBK_GHES_SEA);
	acknowledge(w, FBK_GHES_ASYNC);
	must(!fbk_vm_pump(w->vm, &wait), "the pump");
	must(!sea(w, 0x92001010, gpa, &v) && v.action == FBK_VERDICT_SERROR, "an uncontainable one");
}

static uint32_t events_of_a_walk(void)
{
	return 4;
}

#ifndef THREADS_ONLY
/* Each documented failure, with nothing left behind. */
static void fail(struct world *w)
{
	siginfo_t si = bus(w, BUS_MCEERR_AR, RAM_GPA + RAM_LEN);
	struct fbk_verdict v;

	must(sea(w, 0x96000007, RAM_GPA, &v) == -EBADMSG, "-EBADMSG");
	must(fbk_vcpu_sigbus(w->vcpu, &si, &v) == -ERANGE && fbk_vm_sigbus(w->vm, &si, &v) == -ERANGE, "-ERANGE");
	must(fbk_vcpu_sea(NULL, &v) == -EINVAL && fbk_vm_pump(w->vm, NULL) == -EINVAL, "-EINVAL");
	w->run.exit_reason = KVM_EXIT_MMIO;
	must(fbk_vcpu_sea(w->vcpu, &v) == -EINVAL, "-EINVAL of another exit");
	ioctls_fail = 1;
	must(sea(w, ESR_DATA_EL0, RAM_GPA, &v) == -EIO, "-EIO");
	ioctls_fail = 0;
}

static volatile int counting;
static uint32_t allocations;

#define WRAPPED(type, name, params, args)     \
	type __real_##name params;            \
	type __wrap_##name params;            \
	type __wrap_##name params             \
	{                                     \
		allocations += counting != 0; \
		return __real_##name args;    \
	}

WRAPPED(void *, malloc, (size_t len), (len))
WRAPPED(void *, calloc, (size_t nr, size_t len), (nr, len))
WRAPPED(void *, realloc, (void *p, size_t len), (p, len))
WRAPPED(void, free, (void *p), (p))

static void test_allocation(void)
{
	struct world w;
	uint32_t made, i;

	counting = 1;
	world_start(&w, 0, NULL);
	made = allocations;
	allocations = 0;
	for (i = 0; i < 100; i++)
		walk(&w, i);
	fail(&w);
	counting = 0;
	ok(allocations == 0, "nothing is allocated or freed on the road", "%u", allocations);
	ok(made > 0, "control: what is taken at creation is seen", "it is not");
	world_end(&w);
}

struct signals {
	struct {
		void *handler;
		int flags;
		int blocked;
	} signal[NSIG];
};

static void signals_read(struct signals *ret)
{
	sigset_t mask;

	memset(ret, 0, sizeof(*ret));
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	for (int s = 1; s < NSIG; s++) {
		struct sigaction act;

		if (sigaction(s, NULL, &act))
			continue; /* the C library's own two */
		ret->signal[s].handler = (void *)act.sa_sigaction;
		ret->signal[s].flags = act.sa_flags;
		ret->signal[s].blocked = sigismember(&mask, s);
	}
}

static void test_signals(void)
{
	static struct signals before, after;
	struct world w;
	sigset_t one;

	signals_read(&before);
	world_start(&w, 0, NULL);
	walk(&w, 0);
	fail(&w);
	signals_read(&after);
	world_end(&w);
	ok(!memcmp(&before, &after, sizeof(before)), "no signal's handler and no mask has changed", "one has");
	sigemptyset(&one);
	sigaddset(&one, SIGBUS);
	pthread_sigmask(SIG_BLOCK, &one, NULL);
	signals_read(&after);
	ok(memcmp(&before, &after, sizeof(before)), "control: a change would be seen", "it is not");
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	must(dir != NULL, path);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* What every descriptor stands for, save the one that looks. @allow: names that contain it are not counted. */
static int descriptors(const char *allow, int *ret_inherited)
{
	char path[64], to[256];
	int n = 0;

	*ret_inherited = 0;
	for (int fd = 0; fd < 256; fd++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		len = readlink(path, to, sizeof(to) - 1);
		if (len < 0)
			continue;
		to[len] = '\0';
		if (allow && strstr(to, allow))
			*ret_inherited += !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		else
			n++;
	}
	return n;
}

static char folder[] = "/tmp/fbk-embed-XXXXXX";

static struct fbk_ledger_file *ledger_open(const char *name)
{
	struct fbk_ledger_file *f;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	must(!fbk_ledger_file_open(path, FBK_LEDGER_FILE_OWN, NULL, NULL, &f), "no ledger file");
	return f;
}

static int ledger_is_free(const char *name)
{
	struct fbk_ledger_file *f;
	char path[128];
	int err;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	err = fbk_ledger_file_open(path, FBK_LEDGER_FILE_OWN, NULL, NULL, &f);
	if (!err)
		fbk_ledger_file_close(f);
	return err;
}

static void test_threads_and_descriptors(void)
{
	int inherited, before = descriptors(NULL, &inherited), tasks = entries("/proc/self/task"), within, with_file;
	struct fbk_ledger_file *f;
	struct world w;

	world_start(&w, 0, NULL);
	walk(&w, 0);
	fail(&w);
	within = descriptors(NULL, &inherited);
	ok(entries("/proc/self/task") == tasks, "no thread was started", "%d", entries("/proc/self/task"));
	ok(within == before, "no descriptor was opened", "%d before, %d within", before, within);
	world_end(&w);

	f = ledger_open("a.ledger");
	world_start(&w, 0, f);
	walk(&w, 0);
	within = descriptors(folder, &inherited);
	with_file = descriptors(NULL, &inherited);
	ok(within == before && with_file > before, "with a ledger's file: it and its folder, nothing else",
	   "%d before, %d others, %d in all", before, within, with_file);
	descriptors(folder, &inherited);
	ok(inherited == 0, "and those are closed on exec", "%d are not", inherited);
	world_end(&w);
	fbk_ledger_file_close(f);
	with_file = descriptors(NULL, &inherited);
	ok(with_file == before, "afterwards all are closed", "%d before, %d after", before, with_file);
}

static void test_output(void)
{
	int p[2], saved[2];
	struct world w;
	char said[64];
	ssize_t n;

	fflush(stdout);
	must(!pipe2(p, O_NONBLOCK | O_CLOEXEC), "no pipe");
	for (int i = 0; i < 2; i++) {
		saved[i] = dup(i + 1);
		dup2(p[1], i + 1);
	}
	world_start(&w, 0, NULL);
	walk(&w, 0);
	fail(&w);
	world_end(&w);
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		dup2(saved[i], i + 1);
		close(saved[i]);
	}
	n = read(p[0], said, sizeof(said));
	ok(n < 0 && errno == EAGAIN, "nothing is printed, on success and on each failure", "%zd bytes", n);
	close(p[0]);
	close(p[1]);
}

/*
 * A child under a filter that kills the whole process for any system call that is not in the list; what it does there
 * decides. Return: 0 all was allowed, else the signal or status that it ended with.
 */
#define JUMP_TO_ALLOW(nr, left) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), (left), 0)
#define MAX_CALLS 16

static void confine(const int *calls, unsigned int nr)
{
	struct sock_filter code[MAX_CALLS + 3];
	struct sock_fprog prog = { .filter = code };
	unsigned int n = 0, i;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (i = 0; i < nr; i++)
		code[n++] = (struct sock_filter)JUMP_TO_ALLOW((uint32_t)calls[i], (uint8_t)(nr - i));
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		_exit(99);
}

enum road { PLAIN, WITH_FILE, A_CALL_TOO_MANY };

/* As docs/embedding.md names them; exit_group is the test's own. */
static const int plain_calls[] = { SYS_ioctl, SYS_clock_gettime, SYS_nanosleep, SYS_clock_nanosleep, SYS_futex, SYS_exit_group };
static const int file_calls[] = { SYS_ioctl, SYS_clock_gettime, SYS_nanosleep, SYS_clock_nanosleep, SYS_futex, SYS_exit_group,
				  SYS_pwrite64, SYS_fdatasync, SYS_fstat, SYS_newfstatat, SYS_fallocate };
#define NR(list) (sizeof(list) / sizeof(*(list)))

static int under_filter(enum road road, const int *calls, unsigned int nr)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	must(pid >= 0, "no fork");
	if (!pid) {
		struct fbk_ledger_file *f = NULL;
		struct world w;

		if (road == WITH_FILE)
			f = ledger_open("confined.ledger");
		world_start(&w, 0, f);
		confine(calls, nr);
		for (uint32_t i = 0; i < 200; i++) /* more than the file has room for at once */
			walk(&w, i);
		fail(&w);
		if (road == A_CALL_TOO_MANY)
			(void)getppid();
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid, "no child");
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_system_calls(void)
{
	int got = under_filter(PLAIN, plain_calls, NR(plain_calls));

	ok(got == 0, "the road makes the documented system calls and no other", "signal or status %d", got);
	got = under_filter(WITH_FILE, file_calls, NR(file_calls));
	ok(got == 0, "with a ledger's file, four more", "signal or status %d", got);
	got = under_filter(WITH_FILE, plain_calls, NR(plain_calls));
	ok(got == SIGSYS, "control: without those the file's road is killed", "signal or status %d", got);
	got = under_filter(A_CALL_TOO_MANY, plain_calls, NR(plain_calls));
	ok(got == SIGSYS, "control: one call more is killed", "signal or status %d", got);
}

static int child_walks(const char *ledger)
{
	struct fbk_ledger_file *f = ledger ? ledger_open(ledger) : NULL;
	struct world w;

	world_start(&w, 2, f);
	walk(&w, 1);
	if (w.events != events_of_a_walk() || w.foreign || fbk_ledger_pages(fbk_vm_ledger(w.vm)) != 3)
		return 1;
	world_end(&w);
	fbk_ledger_file_close(f);
	return 0;
}

static int fork_and_walk(const char *ledger)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	must(pid >= 0, "no fork");
	if (!pid)
		_exit(child_walks(ledger));
	must(waitpid(pid, &status, 0) == pid, "no child");
	return status;
}

static volatile int stop_walking;

static void *walk_on(void *arg)
{
	for (uint32_t i = 0; !stop_walking; i++)
		walk(arg, i);
	return NULL;
}

static void test_fork(void)
{
	struct fbk_ledger_file *f = ledger_open("parent.ledger");
	int status, busy, bad = 0;
	pthread_t thread;
	struct world w;

	world_start(&w, 0, f);
	walk(&w, 0);
	status = fork_and_walk("child.ledger");
	ok(status == 0, "a child makes a VM of its own, and its errors are its own", "wait status 0x%x", status);
	walk(&w, 0);
	ok(w.events == 2 * events_of_a_walk() && !w.foreign && fbk_ledger_pages(fbk_vm_ledger(w.vm)) == 3 &&
		   fbk_ledger_file_errno(f) == 0,
	   "the parent goes on as if nothing had been", "%u events, %u foreign", w.events, w.foreign);
	busy = ledger_is_free("parent.ledger");
	ok(busy == -EBUSY, "the child's end does not give away the parent's ledger", "%d", busy);

	/* At any moment, a lock of the parent's being held by another thread. */
	must(!pthread_create(&thread, NULL, walk_on, &w), "no thread");
	for (int i = 0; i < 30; i++)
		bad += fork_and_walk(NULL) != 0;
	stop_walking = 1;
	pthread_join(thread, NULL);
	ok(bad == 0 && !w.foreign, "a fork in the middle of the parent's road", "%d of 30 children failed", bad);
	world_end(&w);
	fbk_ledger_file_close(f);
	ok(ledger_is_free("parent.ledger") == 0, "closed, the ledger is free", "it is not");
}
#endif

/* Two VMs, a thread each. */
#define ROUNDS 300

struct lane {
	struct world w;
	uint32_t distinct; /* pages that it will lose */
	pthread_t thread;
};

static void *lane_run(void *arg)
{
	struct lane *l = arg;

	for (uint32_t i = 0; i < ROUNDS; i++)
		walk(&l->w, i % l->distinct);
	return NULL;
}

static void *pump_run(void *arg)
{
	struct world *w = arg;
	struct fbk_ledger_entry e;
	uint64_t wait;
	uint32_t cursor;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		must(!fbk_vm_pump(w->vm, &wait), "the pump");
		for (cursor = 0; !fbk_ledger_next(fbk_vm_ledger(w->vm), &cursor, &e);)
			must(e.count > 0, "an empty entry");
	}
	return NULL;
}

static void test_two_vms(void)
{
	static struct lane lane[2] = { { .distinct = 8 }, { .distinct = 33 } };
	pthread_t pump;
	uint32_t i;

	for (i = 0; i < 2; i++)
		world_start(&lane[i].w, (int)i, NULL);
	for (i = 0; i < 2; i++)
		must(!pthread_create(&lane[i].thread, NULL, lane_run, &lane[i]), "no thread");
	must(!pthread_create(&pump, NULL, pump_run, &lane[0].w), "no thread");
	for (i = 0; i < 2; i++)
		pthread_join(lane[i].thread, NULL);
	pthread_join(pump, NULL);
	for (i = 0; i < 2; i++) {
		struct world *w = &lane[i].w;
		char name[80];

		snprintf(name, sizeof(name), "VM %u of two at once has its own events and its own ledger", i);
		ok(w->events == ROUNDS * events_of_a_walk() && !w->foreign &&
			   fbk_ledger_pages(fbk_vm_ledger(w->vm)) == 3 * lane[i].distinct,
		   name, "%u events, %u foreign, %u pages", w->events, w->foreign, fbk_ledger_pages(fbk_vm_ledger(w->vm)));
		world_end(w);
	}
}

int main(void)
{
	for (unsigned int i = 0; i < 8; i++)
		fake_vcpu[i].vbar = 0x40008000;
#ifndef THREADS_ONLY
	char clean[160];

	must(mkdtemp(folder) != NULL, "no folder");
	test_signals();
	test_threads_and_descriptors();
	test_output();
	test_allocation();
	test_system_calls();
	test_fork();
	snprintf(clean, sizeof(clean), "rm -rf %s", folder);
#endif
	test_two_vms();
#ifndef THREADS_ONLY
	must(!system(clean), clean);
#endif
	return tap_end();
}
