// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * The code of docs/embedding.md, which must compile as it stands there; what needs no guest is run. guide.h is made of the
 * page's blocks, in their order.
 */
#include <firebreak/kvm.h>
#include <firebreak/vm.h>

#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "guide.h"

#include "../bare/tap.h"

static unsigned int stopped, held;

void monitor_stop(struct monitor *m, const char *why)
{
	(void)m;
	(void)why;
	stopped++;
}

void monitor_hold(struct monitor *m, const char *why)
{
	(void)m;
	(void)why;
	held++;
}

int monitor_pulse_ged(struct monitor *m)
{
	(void)m;
	return 0;
}

static void test_tables(void)
{
	static struct monitor m;
	struct fbk_gmem_region r = { .gpa = { 0x40000000 }, .len = 0x20000 };
	unsigned char hest[512], sum = 0;
	void *ram = mmap(NULL, 0x20000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int len;

	r.hva.addr = (uintptr_t)ram;
	len = fbk_gmem_add(&m.gmem, &r) ? -1 : error_sources(&m, 0x40010000, hest, sizeof(hest));
	for (int i = 0; i < len; i++)
		sum += hest[i];
	/* The page says where the structures begin and how long they are. */
	ok(len == 40 + 2 * 92 && !memcmp(hest, "HEST", 4) && !sum && hest[36] == 2, "the guest's tables", "%d bytes, sum %u", len, sum);
	munmap(ram, 0x20000);
}

static void test_verdicts(void)
{
	static const enum fbk_verdict_action all[] = { FBK_VERDICT_REPLAY, FBK_VERDICT_REPORT, FBK_VERDICT_SERROR,
						       FBK_VERDICT_STOP, FBK_VERDICT_PAUSE };
	struct monitor m;
	struct cpu cpu = { .m = &m };

	for (unsigned int i = 0; i < sizeof(all) / sizeof(*all); i++)
		carry_out(&cpu, 0, &(struct fbk_verdict){ .action = all[i], .text = "" });
	ok(stopped == 1 && held == 1, "verdicts: one stops, one holds", "%u stop, %u hold", stopped, held);
	carry_out(&cpu, -EIO, &(struct fbk_verdict){ .action = FBK_VERDICT_REPLAY, .text = "" });
	ok(stopped == 2, "a failure stops, whatever the verdict is", "it does not");
}

static void test_ledger_goes_along(void)
{
	struct fbk_ledger_entry from[3] = { { .gpa = { 0x40001000 }, .first_ns = 5000000, .last_ns = 7000000, .count = 2,
					      .sources = 1, .state = FBK_PAGE_REPORTED },
					    { .gpa = { 0x40003000 }, .first_ns = 1, .last_ns = 1, .count = 1, .sources = 2,
					      .state = FBK_PAGE_POISONED } };
	struct fbk_ledger_entry to[4], *e;
	char folder[] = "/tmp/fbk-guide-XXXXXX", path[64];
	struct fbk_ledger_file *f;
	struct fbk_ledger l;
	static uint64_t storage[512];
	uint32_t n = 0;
	int err;

	if (!mkdtemp(folder))
		exit(1);
	snprintf(path, sizeof(path), "%s/ledger", folder);
	err = ledger_import(path, from, 2);
	/* A VM made with this file would start with: */
	if (!err && !fbk_ledger_init(&l, storage, sizeof(storage), 16) &&
	    !fbk_ledger_file_open(path, FBK_LEDGER_FILE_OWN, NULL, NULL, &f)) {
		if (!fbk_ledger_file_load(f, &l))
			n = ledger_export(&l, to, 4);
		fbk_ledger_file_close(f);
	}
	e = n && to[0].gpa.addr == 0x40001000 ? &to[0] : &to[1];
	ok(!err && n == 2 && e->gpa.addr == 0x40001000 && e->count == 2 && e->state == FBK_PAGE_REPORTED && e->last_ns == 7000000,
	   "a ledger goes along with its guest", "import %d, %u entries", err, n);
	err = ledger_import(path, from, 3);
	ok(err == -EINVAL, "what no ledger could hold is refused", "%d", err);
	unlink(path);
	rmdir(folder);
}

static void test_sigbus_fetch(void)
{
	union sigval none = { 0 };
	siginfo_t si;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	ok(!sigbus_fetch(&si), "no signal, nothing to fetch", "there is");
	ok(!pthread_sigqueue(pthread_self(), SIGBUS, none) && sigbus_fetch(&si) && si.si_signo == SIGBUS,
	   "a blocked signal is fetched", "it is not");
}

int main(void)
{
	(void)road_create;
	(void)device_met;
	(void)on_sigbus;
	(void)sigbus_only_in_kvm_run;
	(void)after_run;
	(void)on_timer;
	(void)on_news;
	(void)after_reset;
	(void)this_cpu;
	test_tables();
	test_verdicts();
	test_ledger_goes_along();
	test_sigbus_fetch();
	return tap_end();
}
