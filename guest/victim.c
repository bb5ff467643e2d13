/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * victim - a process with a page to lose.
 *
 * usage: victim MODE [COUNT]
 *
 * Prepares its page (or COUNT pages), says where they lie ("ready mode=.. va=.. gpa=.."), waits for SIGUSR1, touches
 * them, and says what came of it. Its SIGBUS handler says "SIGBUS code=BUS_MCEERR_AR addr=.. lsb=..". The modes:
 *
 *   anon      read anonymous memory
 *   write     write it
 *   atomic    change it by an atomic instruction
 *   early     as anon, but asks to be told at once of errors found by others (PR_MCE_KILL_EARLY)
 *   remap     as anon; the handler maps a new page over the lost one and the program goes on
 *   spin      read it over and over, until it is lost
 *   stubborn  as anon; the handler just tries again, whatever it is told
 *   many      as remap, COUNT pages one after another
 *   clean     read a mapped page of /mnt/data that was never written
 *   dirty     read a mapped page of /mnt/data that was written and not yet synchronised
 *   fetch     run a function in a page of its own
 *   thp       read in the middle of a transparent huge page
 *   shared    two processes read the same shared page
 *   threads   two threads on two vCPUs read a page each, COUNT times, both at the same time
 *   race      two threads on two vCPUs read the same page at the same time
 *   read      read() of /mnt/data: the kernel, not the process, touches the page
 *   direct    write() to /mnt/data, past the page cache: the disk, not a processor, reads the page
 *   keep      as direct, and then stay, as the page is not to be used by anybody else
 *   again     read its page twice, whatever it is told, and then as keep
 *   table     read memory whose last-level translation table lies in a page that is known
 *
 * Exit status: 0 the data was there and right (or the handler replaced it), 1 it was wrong; death by SIGBUS where the
 * handler has nothing to offer; 70 the victim could not do its part.
 */
#include "pages.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define HUGE (2ul << 20)
#define DATA "/mnt/data"
/* Where in the page the touch lands: a place that tells an exact address from a page's base. */
#define OFFSET 0x128

struct victim {
	const char *mode;
	size_t count;
	volatile uint8_t *page; /* the first page to touch */
	uint8_t want;		/* what a byte of it must read as */
	int fd;
	/* For the handler: */
	bool remaps;   /* it can put a new page in the lost one's place */
	bool stubborn; /* it does not want to know */
	bool skips;    /* it goes on behind the access */
	sigjmp_buf behind;
	_Atomic uint32_t hits;
	_Atomic uint32_t unexpected;
};

static struct victim me;

static const char *code_name(int code)
{
	switch (code) {
	case BUS_ADRALN:
		return "BUS_ADRALN";
	case BUS_ADRERR:
		return "BUS_ADRERR";
	case BUS_OBJERR:
		return "BUS_OBJERR";
	case BUS_MCEERR_AR:
		return "BUS_MCEERR_AR";
	case BUS_MCEERR_AO:
		return "BUS_MCEERR_AO";
	default:
		return "other";
	}
}

static void on_bus(int sig, siginfo_t *si, void *context)
{
	void *page = (void *)((uintptr_t)si->si_addr & ~(PAGE - 1));
	struct fbk_line l;
	void *fresh;

	/* With a great many pages the first ones are told one by one, and all of them are counted. */
	if (atomic_fetch_add(&me.hits, 1) < 4) {
		fbk_line_start(&l);
		fbk_line_text(&l, "SIGBUS code=");
		fbk_line_text(&l, code_name(si->si_code));
		fbk_line_hex(&l, "addr", (uintptr_t)si->si_addr);
		fbk_line_dec(&l, "lsb", si->si_addr_lsb);
		fbk_line_say(&l);
	}
	if (si->si_code != BUS_MCEERR_AR)
		atomic_fetch_add(&me.unexpected, 1);
	if (me.remaps && si->si_code == BUS_MCEERR_AR) {
		/* Filled first and moved there whole: another thread may be about to read it. */
		fresh = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (fresh == MAP_FAILED)
			fbk_die("mmap");
		memset(fresh, me.want, PAGE);
		if (mremap(fresh, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page) != page)
			fbk_die("mremap");
		return;
	}
	if (me.stubborn)
		return;
	if (me.skips)
		siglongjmp(me.behind, 1);
	/* Nothing to offer: die of it, as a program without a handler would. */
	signal(SIGBUS, SIG_DFL);
	raise(SIGBUS);
}

static uint8_t *map(size_t len, int flags)
{
	uint8_t *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED)
		fbk_die("mmap");
	return p;
}

/* Memory in 4 KiB pages of its own, filled. */
static uint8_t *map_small(size_t pages)
{
	uint8_t *p = map(pages * PAGE, MAP_PRIVATE);

	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	memset(p, me.want, pages * PAGE);
	return p;
}

static void say_ready_at(uint64_t gpa)
{
	struct fbk_line l;

	fbk_line_start(&l);
	fbk_line_text(&l, "ready mode=");
	fbk_line_text(&l, me.mode);
	fbk_line_hex(&l, "va", (uintptr_t)me.page + OFFSET);
	fbk_line_hex(&l, "gpa", gpa);
	fbk_line_say(&l);
}

/* Of several pages, all the places first, many on a line: the console of a guest is slow. */
static void say_ready(size_t pages)
{
	uint64_t gpas[24];
	struct fbk_line l;
	size_t i, nr, at;

	for (at = 0; pages > 1 && at < pages; at += nr) {
		nr = pages - at < 24 ? pages - at : 24;
		fbk_pages_gpas(me.page + at * PAGE, nr, gpas);
		fbk_line_start(&l);
		fbk_line_text(&l, "pages");
		for (i = 0; i < nr; i++)
			fbk_line_hex(&l, "gpa", gpas[i]);
		fbk_line_say(&l);
	}
	say_ready_at(fbk_pages_gpa(me.page));
}

static void wait_for_go(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (sigwait(&set, &sig))
		fbk_die("sigwait");
}

static int verdict(bool right)
{
	struct fbk_line l;

	fbk_line_start(&l);
	fbk_line_text(&l, right ? "done data=right" : "done data=WRONG");
	fbk_line_dec(&l, "hits", atomic_load(&me.hits));
	fbk_line_dec(&l, "unexpected", atomic_load(&me.unexpected));
	fbk_line_say(&l);
	return right && !atomic_load(&me.unexpected) ? 0 : 1;
}

/* anon, write, atomic, early, remap, spin, thp: one page, one touch. */
static int touch_one(void)
{
	volatile uint8_t *at = me.page + OFFSET;

	if (!strcmp(me.mode, "spin")) {
		fbk_say("spinning");
		while (*at == me.want)
			;
	}
	if (!strcmp(me.mode, "write"))
		*at = me.want;
	else if (!strcmp(me.mode, "atomic"))
		__atomic_fetch_or((volatile uint64_t *)at, 0, __ATOMIC_SEQ_CST);
	return verdict(*at == me.want);
}

static int do_anon(void)
{
	if (!strcmp(me.mode, "early") && prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0))
		fbk_die("PR_MCE_KILL");
	me.remaps = !strcmp(me.mode, "remap");
	me.stubborn = !strcmp(me.mode, "stubborn");
	/* A neighbour on either side: the touch must cost this page and no other. */
	me.page = map_small(3) + PAGE;
	say_ready(1);
	wait_for_go();
	return touch_one();
}

static int do_many(void)
{
	size_t i, wrong = 0;

	me.remaps = true;
	me.page = map_small(me.count);
	say_ready(me.count);
	wait_for_go();
	for (i = 0; i < me.count; i++)
		if (me.page[i * PAGE + OFFSET] != me.want)
			wrong++;
	return verdict(!wrong);
}

static int do_thp(void)
{
	uint8_t *p = map(2 * HUGE, MAP_PRIVATE);

	p = (uint8_t *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
	if (madvise(p, HUGE, MADV_HUGEPAGE))
		fbk_die("MADV_HUGEPAGE");
	memset(p, me.want, HUGE);
	me.page = p + 77 * PAGE;
	if (!(fbk_pages_flags(fbk_pages_gpa(me.page)) & FBK_KPF_THP)) {
		errno = EAGAIN;
		fbk_die("no transparent huge page was to be had");
	}
	say_ready(1);
	wait_for_go();
	return touch_one();
}

static uint64_t checksum(const volatile uint8_t *p, size_t len)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	while (len--)
		sum = (sum ^ *p++) * UINT64_C(0x100000001b3);
	return sum;
}

static void open_data(int flags)
{
	struct stat st;

	me.fd = open(DATA, flags | O_CLOEXEC);
	if (me.fd < 0 || fstat(me.fd, &st))
		fbk_die(DATA);
	if ((size_t)st.st_size < (me.count + 1) * PAGE) {
		errno = ENODATA;
		fbk_die(DATA);
	}
}

/* One page of the file, the one numbered COUNT, so that scenarios need not share. */
static volatile uint8_t *map_data(int prot)
{
	uint8_t *p = mmap(NULL, PAGE, prot, MAP_SHARED, me.fd, (off_t)(me.count * PAGE));

	if (p == MAP_FAILED)
		fbk_die("mmap " DATA);
	/* Without this the kernel maps a whole neighbourhood around the fault. */
	madvise(p, PAGE, MADV_RANDOM);
	return p;
}

static int do_clean(void)
{
	uint64_t before, after;
	struct fbk_line l;

	open_data(O_RDONLY);
	/* Its neighbours stay out of the cache: one page to lose, one read to get it back. */
	posix_fadvise(me.fd, 0, 0, POSIX_FADV_RANDOM);
	me.page = map_data(PROT_READ);
	before = checksum(me.page, PAGE);
	say_ready(1);
	wait_for_go();
	after = checksum(me.page, PAGE);
	fbk_line_start(&l);
	fbk_line_text(&l, "bytes");
	fbk_line_hex(&l, "before", before);
	fbk_line_hex(&l, "after", after);
	fbk_line_say(&l);
	return verdict(before == after);
}

static int do_dirty(void)
{
	open_data(O_RDWR);
	me.page = map_data(PROT_READ | PROT_WRITE);
	memset((void *)me.page, me.want, PAGE);
	say_ready(1);
	wait_for_go();
	return touch_one();
}

static int do_fetch(void)
{
#ifdef __aarch64__
	static const uint32_t code[] = { 0x52800540, 0xd65f03c0 }; /* mov w0, #42; ret */
#else
#error the fetch mode needs a function for this architecture
#endif
	uint8_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*function)(void) = (int (*)(void))(uintptr_t)(p + OFFSET);

	if (p == MAP_FAILED)
		fbk_die("mmap");
	memcpy(p + OFFSET, code, sizeof(code));
	__builtin___clear_cache((char *)p, (char *)p + PAGE);
	me.page = p;
	if (function() != 42) {
		errno = ENOEXEC;
		fbk_die("the function does not work");
	}
	say_ready(1);
	wait_for_go();
	return verdict(function() == 42);
}

static int do_shared(void)
{
	uint8_t *p = map(PAGE, MAP_SHARED);
	int ready[2], status;
	pid_t child;
	char c;

	memset(p, me.want, PAGE);
	me.page = p;
	if (pipe(ready))
		fbk_die("pipe");
	child = fork();
	if (child < 0)
		fbk_die("fork");
	if (!child) {
		fbk_say_open("victim-child");
		if (*me.page != me.want || write(ready[1], "r", 1) != 1)
			fbk_die("child");
		wait_for_go();
		return touch_one();
	}
	if (read(ready[0], &c, 1) != 1)
		fbk_die("pipe");
	say_ready(1);
	wait_for_go();
	/* The child goes first and must lose the page; then it is this process's turn to find it gone. */
	kill(child, SIGUSR1);
	if (waitpid(child, &status, 0) != child)
		fbk_die("waitpid");
	{
		struct fbk_line l;

		fbk_line_start(&l);
		fbk_line_text(&l, "child");
		fbk_line_dec(&l, "signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		fbk_line_say(&l);
	}
	return touch_one();
}

struct runner {
	pthread_t thread;
	size_t cpu;
	size_t first; /* the first page it touches; the next is two further on */
	size_t nr;
	size_t wrong;
};

static _Atomic uint32_t at_barrier, rounds;

/* Both threads leave at once, whichever of the two vCPUs is the faster. */
static void meet(uint32_t round)
{
	if (atomic_fetch_add(&at_barrier, 1) == 1) {
		atomic_store(&at_barrier, 0);
		atomic_store(&rounds, round + 1);
	}
	while (atomic_load(&rounds) <= round)
		;
}

static void *run_thread(void *arg)
{
	struct runner *r = arg;
	cpu_set_t set;
	size_t i;

	CPU_ZERO(&set);
	CPU_SET(r->cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set)) {
		errno = ENODEV;
		fbk_die("no second vCPU");
	}
	for (i = 0; i < r->nr; i++) {
		meet((uint32_t)i);
		if (me.page[(r->first + 2 * i) * PAGE + OFFSET] != me.want)
			r->wrong++;
	}
	return NULL;
}

static int do_threads(void)
{
	bool race = !strcmp(me.mode, "race");
	struct runner r[2] = {
		{ .cpu = 0, .first = 0, .nr = race ? 1 : me.count },
		{ .cpu = 1, .first = race ? 0 : 1, .nr = race ? 1 : me.count },
	};
	size_t pages = race ? 1 : 2 * me.count, i;

	me.remaps = true;
	me.page = map_small(pages);
	say_ready(pages);
	wait_for_go();
	for (i = 0; i < 2; i++)
		if (pthread_create(&r[i].thread, NULL, run_thread, &r[i]))
			fbk_die("pthread_create");
	for (i = 0; i < 2; i++)
		pthread_join(r[i].thread, NULL);
	return verdict(!r[0].wrong && !r[1].wrong);
}

static int do_read(void)
{
	static uint8_t buf[PAGE];
	struct fbk_line l;
	ssize_t n;

	open_data(O_RDONLY);
	posix_fadvise(me.fd, 0, 0, POSIX_FADV_RANDOM);
	if (pread(me.fd, buf, PAGE, (off_t)(me.count * PAGE)) != (ssize_t)PAGE)
		fbk_die("pread");
	/* Mapped only to learn where it lies: a page of the cache that no process has. */
	me.page = map_data(PROT_READ);
	(void)*me.page;
	say_ready(1);
	munmap((void *)me.page, PAGE);
	wait_for_go();
	n = pread(me.fd, buf, PAGE, (off_t)(me.count * PAGE));
	fbk_line_start(&l);
	fbk_line_text(&l, "read");
	fbk_line_dec(&l, "returned", n);
	fbk_line_dec(&l, "errno", n < 0 ? errno : 0);
	fbk_line_say(&l);
	return verdict(n == (ssize_t)PAGE);
}

static void read_and_skip(size_t offset)
{
	me.skips = true;
	if (!sigsetjmp(me.behind, 1))
		(void)me.page[offset];
	me.skips = false;
}

static int do_direct(void)
{
	static uint8_t good[PAGE] __attribute__((aligned(PAGE)));
	bool again = !strcmp(me.mode, "again"), stays = again || !strcmp(me.mode, "keep");
	off_t at = (off_t)(me.count * PAGE);
	struct fbk_line l;
	ssize_t n;

	open_data(O_RDWR | O_DIRECT);
	me.page = map_small(1);
	say_ready(1);
	wait_for_go();
	if (again) {
		read_and_skip(OFFSET);
		read_and_skip(PAGE - 1);
	}
	n = pwrite(me.fd, (void *)me.page, PAGE, at);
	fbk_line_start(&l);
	fbk_line_text(&l, "write");
	fbk_line_dec(&l, "returned", n);
	fbk_line_dec(&l, "errno", n < 0 ? errno : 0);
	fbk_line_say(&l);
	/* The disk itself is well. */
	if (stays) {
		verdict(pwrite(me.fd, good, PAGE, at) == (ssize_t)PAGE);
		for (;;)
			pause();
	}
	return verdict(pwrite(me.fd, good, PAGE, at) == (ssize_t)PAGE);
}

/* Number of pages that became translation tables between two snapshots; the last of them in @ret. */
static size_t new_tables(const struct fbk_pages_map *a, const struct fbk_pages_map *b, uint64_t *ret)
{
	size_t i, nr = 0;

	for (i = 0; i < a->nr; i++) {
		if (!(a->flags[i] & FBK_KPF_PGTABLE) && (b->flags[i] & FBK_KPF_PGTABLE)) {
			*ret = (a->first_pfn + i) * PAGE;
			nr++;
		}
	}
	return nr;
}

static uint8_t *map_at(uintptr_t at)
{
	uint8_t *p = mmap((void *)at, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED)
		fbk_die("mmap");
	madvise(p, 2 * PAGE, MADV_NOHUGEPAGE);
	return p;
}

/*
 * The kernel does not tell where a process's translation tables lie, but it tells which pages are tables. So: make one
 * come into being, all else being equal, and look which page it was. Who else makes a table at that moment makes the
 * answer ambiguous, and another try is due.
 */
static int do_table(void)
{
	static struct fbk_pages_map before, after;
	uintptr_t at = UINT64_C(0x100000000000);
	uint64_t table = 0;
	struct fbk_line l;
	int tries;

	fbk_pages_snapshot(&before);
	fbk_pages_snapshot(&after);
	/* A neighbour two megabytes below: the tables of all higher levels are there already. */
	memset(map_at(at), me.want, PAGE);
	for (tries = 0; !me.page && tries < 20; tries++) {
		uint8_t *p;

		at += HUGE;
		p = map_at(at);
		fbk_pages_snapshot(&before);
		/* Through the kernel: a touch would leave the translation in the TLB, and the walk would be spared. */
		if (madvise(p, 2 * PAGE, MADV_POPULATE_WRITE))
			fbk_die("MADV_POPULATE_WRITE");
		fbk_pages_snapshot(&after);
		if (new_tables(&before, &after, &table) == 1)
			me.page = p;
	}
	if (!me.page) {
		errno = EAGAIN;
		fbk_die("no translation table could be told from the others");
	}
	me.want = 0;
	fbk_line_start(&l);
	fbk_line_text(&l, "table");
	fbk_line_dec(&l, "level", 3);
	fbk_line_hex(&l, "gpa", table);
	fbk_line_say(&l);
	say_ready_at(table);
	wait_for_go();
	return touch_one();
}

static const struct {
	const char *mode;
	int (*act)(void);
	size_t count; /* default */
} modes[] = {
	{ "anon", do_anon, 1 },	  { "write", do_anon, 1 },    { "atomic", do_anon, 1 }, { "early", do_anon, 1 },
	{ "remap", do_anon, 1 },  { "spin", do_anon, 1 },   { "stubborn", do_anon, 1 },  { "many", do_many, 8 },     { "clean", do_clean, 1 }, { "dirty", do_dirty, 2 },
	{ "fetch", do_fetch, 1 }, { "thp", do_thp, 1 },	      { "shared", do_shared, 1 }, { "threads", do_threads, 1 },
	{ "race", do_threads, 1 }, { "read", do_read, 3 },    { "table", do_table, 1 }, { "direct", do_direct, 4 },
	{ "again", do_direct, 4 }, { "keep", do_direct, 4 },
};

int main(int argc, char **argv)
{
	/* SA_NODEFER: a handler that touches a lost page again must be told, not killed. */
	struct sigaction sa = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_NODEFER };
	sigset_t go;
	size_t i;

	(void)fbk_say_open("victim");
	sigemptyset(&go);
	sigaddset(&go, SIGUSR1);
	sigprocmask(SIG_BLOCK, &go, NULL);
	sigaction(SIGBUS, &sa, NULL);
	me.want = 0xa5;
	for (i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].mode))
			continue;
		me.mode = modes[i].mode;
		me.count = argc > 2 ? strtoul(argv[2], NULL, 10) : modes[i].count;
		return modes[i].act();
	}
	errno = EINVAL;
	fbk_die("mode");
}
