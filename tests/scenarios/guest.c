/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * guest.c - a monitor process and the console of its guest.
 */
#include "internal.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_GUESTS 128
#define MAX_ALIVE 4
/* Deadlines are for what will never come: a machine with much else to do is slow. */
#define BOOT_S 180
#define ANSWER_S 120
#define SYSTEM_S 1200 /* a whole system starts, or ends */
#define MAX_FROZEN 9
/*
 * A panic ends in a reset, which ends the monitor with the status that tells of it. kpti: tests/scenarios/run. Debian's kernels test their
 * cryptography for as long as all else takes that they do as they boot.
 */
#define GUEST_ARGS "quiet panic=-1 kpti=off cryptomgr.notests"

struct fbk_guest {
	struct fbk_guest_spec spec;
	unsigned int id;
	pid_t child; /* that was started, and is waited for */
	pid_t pid;   /* the monitor: the same, but with --pids=own */
	bool ended; /* and status is its status */
	int status;
	bool spoilt;
	bool own;  /* for the scenario that booted it, and no other */
	bool used; /* by the scenario that runs */
	int in, out, copy;
	char *text; /* the console since boot */
	size_t len, size;
	size_t since; /* where the scenario begins to look */
	size_t obeyed;
	uint64_t ram_hva;
	char *disk[3];
	pid_t frozen[MAX_FROZEN];
	unsigned int nr_frozen;
};

static struct fbk_guest guests[MAX_GUESTS];
static unsigned int nr_guests;
static char *lines[4096]; /* handed out to the scenario */
static unsigned int nr_lines;
static char trouble[256];

static void guest_reap(struct fbk_guest *g)
{
	int status;

	if (g->ended || waitpid(g->child, &status, WNOHANG) != g->child || (!WIFEXITED(status) && !WIFSIGNALED(status)))
		return;
	g->ended = true;
	g->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void guest_take(struct fbk_guest *g)
{
	ssize_t n;

	for (;;) {
		if (g->size - g->len < 4097) {
			g->size = g->size ? 2 * g->size : 65536;
			g->text = realloc(g->text, g->size);
			if (!g->text)
				abort();
			/* Else an earlier guest's words may stand there, until this one has said something. */
			g->text[g->len] = '\0';
		}
		n = read(g->out, g->text + g->len, 4096);
		if (n <= 0)
			break;
		if (write(g->copy, g->text + g->len, (size_t)n) != n)
			fbk_note("the copy of a console is incomplete: %m");
		/* Nothing in it may end the text before its end. */
		for (ssize_t i = 0; i < n; i++)
			if (!g->text[g->len + (size_t)i])
				g->text[g->len + (size_t)i] = '?';
		g->len += (size_t)n;
		g->text[g->len] = '\0';
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(g->out);
		g->out = -1;
	}
}

void fbk_guests_pump(int timeout_ms)
{
	struct pollfd fds[MAX_GUESTS];
	unsigned int nr = 0, i;

	for (i = 0; i < nr_guests; i++)
		if (guests[i].out >= 0)
			fds[nr++] = (struct pollfd){ .fd = guests[i].out, .events = POLLIN };
	if (poll(fds, nr, timeout_ms) < 0 && errno != EINTR)
		abort();
	for (i = 0; i < nr_guests; i++) {
		if (guests[i].out >= 0)
			guest_take(&guests[i]);
		guest_reap(&guests[i]);
	}
}

static bool same_spec(const struct fbk_guest_spec *a, const struct fbk_guest_spec *b)
{
	return !strcmp(a->kernel, b->kernel) && a->cpus == b->cpus && a->memory_mib == b->memory_mib &&
	       a->sea_off == b->sea_off && a->no_disk == b->no_disk && a->by_file == b->by_file && a->kdump == b->kdump &&
	       !strcmp(a->memory ? a->memory : "", b->memory ? b->memory : "") &&
	       !strcmp(a->root ? a->root : "", b->root ? b->root : "") &&
	       !strcmp(a->disks[0] ? a->disks[0] : "-", b->disks[0] ? b->disks[0] : "-") &&
	       !strcmp(a->disks[1] ? a->disks[1] : "-", b->disks[1] ? b->disks[1] : "-") &&
	       !strcmp(a->append ? a->append : "", b->append ? b->append : "") &&
	       !strcmp(a->sandbox ? a->sandbox : "", b->sandbox ? b->sandbox : "") && a->as == b->as &&
	       !strcmp(a->pids ? a->pids : "", b->pids ? b->pids : "") &&
	       !strcmp(a->reset ? a->reset : "", b->reset ? b->reset : "") &&
	       !strcmp(a->ledger ? a->ledger : "", b->ledger ? b->ledger : "") &&
	       !strcmp(a->policy ? a->policy : "", b->policy ? b->policy : "") &&
	       !strcmp(a->id ? a->id : "", b->id ? b->id : "") &&
	       !strcmp(a->cper ? a->cper : "", b->cper ? b->cper : "") &&
	       !strcmp(a->retire ? a->retire : "", b->retire ? b->retire : "") &&
	       !strcmp(a->api ? a->api : "", b->api ? b->api : "") &&
	       !strcmp(a->firmware ? a->firmware : "", b->firmware ? b->firmware : "") &&
	       !strcmp(a->console ? a->console : "", b->console ? b->console : "") &&
	       !strcmp(a->net ? a->net : "", b->net ? b->net : "");
}

static const char *line_find(struct fbk_guest *g, size_t from, const char *needle, size_t *ret_end)
{
	char *hit, *start, *end;

	if (!g->text || from > g->len)
		return NULL;
	hit = strstr(g->text + from, needle);
	if (!hit)
		return NULL;
	end = strchr(hit, '\n');
	if (!end)
		return NULL; /* not whole yet */
	for (start = hit; start > g->text + from && start[-1] != '\n'; start--)
		;
	*ret_end = (size_t)(end - g->text) + 1;
	if (nr_lines == sizeof(lines) / sizeof(lines[0]))
		fbk_fail(__FILE__, __LINE__, "more lines in use than the harness keeps");
	lines[nr_lines] = strndup(start, (size_t)(end - start));
	if (!lines[nr_lines])
		abort();
	return lines[nr_lines++];
}

const char *fbk_guest_said(struct fbk_guest *g, const char *fmt, ...)
{
	char needle[256];
	va_list ap;
	size_t end;

	va_start(ap, fmt);
	vsnprintf(needle, sizeof(needle), fmt, ap);
	va_end(ap);
	fbk_guests_pump(0);
	return line_find(g, g->since, needle, &end);
}

const char *fbk_guest_nth(struct fbk_guest *g, unsigned int n, const char *fmt, ...)
{
	size_t from = g->since;
	const char *line;
	char needle[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(needle, sizeof(needle), fmt, ap);
	va_end(ap);
	fbk_guests_pump(0);
	do
		line = line_find(g, from, needle, &from);
	while (line && n--);
	return line;
}

unsigned int fbk_guest_count(struct fbk_guest *g, const char *fmt, ...)
{
	unsigned int nr = 0;
	char needle[256];
	const char *p;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(needle, sizeof(needle), fmt, ap);
	va_end(ap);
	fbk_guests_pump(0);
	for (p = g->text + g->since; (p = strstr(p, needle)); p++)
		nr++;
	return nr;
}

/* Wait for a line behind *@from and leave *@from behind it. */
static const char *expect_from(struct fbk_guest *g, size_t *from, unsigned int seconds, const char *needle)
{
	uint64_t deadline = fbk_deadline_ms(seconds), now;
	const char *line;

	for (;;) {
		line = line_find(g, *from, needle, from);
		if (line)
			return line;
		if (g->ended && g->out < 0) {
			g->spoilt = true;
			fbk_fail(__FILE__, __LINE__, "the monitor ended (status %d) before the guest said \"%s\"",
				 g->status, needle);
		}
		now = fbk_now_ms();
		if (now >= deadline) {
			g->spoilt = true;
			fbk_silence_tell(g->id, g->pid);
			fbk_fail(__FILE__, __LINE__, "the guest did not say within %u s: \"%s\"", seconds, needle);
		}
		fbk_guests_pump(deadline - now > 200 ? 200 : (int)(deadline - now));
	}
}

const char *fbk_guest_expect(struct fbk_guest *g, unsigned int seconds, const char *fmt, ...)
{
	size_t from = g->since;
	char needle[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(needle, sizeof(needle), fmt, ap);
	va_end(ap);
	return expect_from(g, &from, seconds, needle);
}

const char *fbk_guest_disk(struct fbk_guest *g, unsigned int n)
{
	return g->disk[n];
}

bool fbk_guest_has_uring(struct fbk_guest *g)
{
	char path[64], to[64];
	bool found = false;
	ssize_t n;

	for (int fd = 0; fd < 256 && !found; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", g->pid, fd);
		n = readlink(path, to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = '\0';
		found = !strcmp(to, "anon_inode:[io_uring]");
	}
	return found;
}

void fbk_guest_forget(struct fbk_guest *g)
{
	fbk_guests_pump(0);
	g->since = g->len;
}

void fbk_guest_send(struct fbk_guest *g, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	text[n++] = '\n';
	/* What init says in answer is looked for from here on. */
	fbk_guests_pump(0);
	g->obeyed = g->len;
	if (write(g->in, text, (size_t)n) != n)
		fbk_fail(__FILE__, __LINE__, "the monitor does not take input: %m");
}

void fbk_guest_sync(struct fbk_guest *g)
{
	static unsigned int serial;
	char word[32];

	snprintf(word, sizeof(word), "echo sync-%u", ++serial);
	/* Our init repeats the command, a shell does as it says. */
	fbk_guest_send(g, "%s%s", g->spec.root ? "echo " : "", word);
	expect_from(g, &g->obeyed, ANSWER_S, word);
}

static int open_copy(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	/* For a monitor that another user starts. */
	if (fd < 0 || fchmod(fd, 0666))
		fbk_fail(__FILE__, __LINE__, "%s: %m", path);
	return fd;
}

/* Each guest writes on a disk of its own. */
static char *disk_for(struct fbk_guest *g)
{
	char *from = fbk_path_files("guest/disk.img"), *to = NULL, buf[65536];
	int in, out;
	ssize_t n;

	if (asprintf(&to, "/tmp/firebreak-disk-%u.img", g->id) < 0)
		abort();
	in = open(from, O_RDONLY | O_CLOEXEC);
	out = open_copy(to);
	if (in < 0)
		fbk_fail(__FILE__, __LINE__, "%s: %m", from);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			fbk_fail(__FILE__, __LINE__, "%s: %m", to);
	close(in);
	close(out);
	return to;
}

void fbk_disk_fill(const char *path)
{
	int out = open_copy(path);
	char buf[65536];

	memset(buf, FBK_DISK_BYTE, sizeof(buf));
	for (size_t at = 0; at < FBK_DISK_LEN; at += sizeof(buf))
		if (write(out, buf, sizeof(buf)) != sizeof(buf))
			fbk_fail(__FILE__, __LINE__, "%s: %m", path);
	close(out);
}

static char *further_disk(struct fbk_guest *g, unsigned int n)
{
	char *to = NULL, *option = NULL;

	if (g->spec.disks[n][0] == '/')
		return (char *)g->spec.disks[n];
	if (asprintf(&to, "/tmp/firebreak-disk-%u-%u.img", g->id, n + 1) < 0 ||
	    asprintf(&option, "%s%s", to, g->spec.disks[n]) < 0)
		abort();
	fbk_disk_fill(to);
	g->disk[n + 1] = to;
	return option;
}

static char *policy_for(struct fbk_guest *g)
{
	char *path = fbk_path_out("guest-%u.policy", g->id);
	int fd = open_copy(path);

	if (dprintf(fd, "version = 1\n%s", g->spec.policy) < 0)
		fbk_fail(__FILE__, __LINE__, "%s: %m", path);
	close(fd);
	return path;
}

/* Put the options behind `run`, each in one word or two, into a file, and --config into their place. */
static void options_by_file(struct fbk_guest *g, char **options)
{
	char *path = fbk_path_out("guest-%u.conf", g->id);
	int fd = open_copy(path);

	for (char **o = options; *o; o++) {
		bool whole = strchr(*o, '=');

		if (dprintf(fd, "%s%s%s\n", *o + 2, whole ? "" : " = ", whole ? "" : o[1]) < 0)
			fbk_fail(__FILE__, __LINE__, "%s: %m", path);
		o += !whole;
	}
	close(fd);
	options[0] = "--config";
	options[1] = path;
	options[2] = NULL;
}

static pid_t parent_of(pid_t pid)
{
	char path[64];
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%*d (%*[^)]) %*c %d", &parent) != 1)
		parent = 0;
	if (f)
		fclose(f);
	return parent;
}

static bool has_keeper(const struct fbk_guest_spec *s)
{
	return s->pids ? !strcmp(s->pids, "own") : s->sandbox && !strcmp(s->sandbox, "on");
}

/* The process whose parent that one is, waited for. */
static pid_t only_child(pid_t parent)
{
	uint64_t deadline = fbk_deadline_ms(20);
	struct dirent *e;
	pid_t child = 0;
	DIR *proc;

	while (!child && fbk_now_ms() < deadline) {
		usleep(10000);
		proc = opendir("/proc");
		while (proc && !child && (e = readdir(proc))) {
			pid_t pid = atoi(e->d_name);

			if (pid > 0 && parent_of(pid) == parent)
				child = pid;
		}
		if (proc)
			closedir(proc);
	}
	if (!child)
		fbk_fail(__FILE__, __LINE__, "process %d has no child", parent);
	return child;
}

static bool is_hostile(const struct fbk_guest *g)
{
	return !strcmp(g->spec.kernel, "hostile");
}

static void guest_start(struct fbk_guest *g)
{
	const struct fbk_guest_spec *s = &g->spec;
	const struct {
		const char *name, *value; /* NULL: left to the monitor */
	} said[] = {
		{ "--reset", s->reset },       { "--retire", s->retire }, { "--ledger", s->ledger },
		{ "--policy", s->policy ? policy_for(g) : NULL },
		{ "--id", s->id },	       { "--net", s->net },	  { "--firmware", s->firmware },
		{ "--console", s->console },   { "--cper", s->cper },	  { "--api", s->api },
		{ "--sandbox", s->sandbox },   { "--pids", s->pids },
	};
	char cpus[16], memory[64], *append, *argv[64];
	int to_guest[2], from_guest[2], err, n = 0;

	snprintf(cpus, sizeof(cpus), "%u", s->cpus ? s->cpus : 1);
	snprintf(memory, sizeof(memory), "%uM%s", s->memory_mib ? s->memory_mib : 256, s->memory ? s->memory : "");
	if (asprintf(&append, "%s%s%s", is_hostile(g) ? "" : GUEST_ARGS, s->append ? " " : "", s->append ? s->append : "") < 0)
		abort();
	argv[n++] = fbk_path_files("firebreak");
	argv[n++] = "run";
	argv[n++] = "--kernel";
	argv[n++] = fbk_path_files("kernels/%s/Image", s->kernel);
	if (!is_hostile(g)) {
		argv[n++] = "--initrd";
		argv[n++] = fbk_path_files("guest/%s.cpio", s->root ? "debian" : s->net ? "net" : s->kdump ? "kdump" : s->kernel);
	}
	argv[n++] = "--append";
	argv[n++] = append;
	argv[n++] = "--memory";
	argv[n++] = memory;
	argv[n++] = "--cpus";
	argv[n++] = cpus;
	/* Left to itself, the monitor runs without the exit, and says what that means. */
	if (s->sea_off || fbk_host_has_sea())
		argv[n++] = s->sea_off ? "--sea=off" : "--sea=on";
	argv[n++] = "--events";
	argv[n++] = fbk_path_out("guest-%u.events", g->id);
	argv[n++] = "--metrics";
	argv[n++] = fbk_path_out("guest-%u.prom", g->id);
	if (s->root) {
		argv[n++] = "--disk";
		argv[n++] = (char *)s->root;
	} else if (!s->no_disk) {
		argv[n++] = "--disk";
		g->disk[0] = disk_for(g);
		argv[n++] = g->disk[0];
	}
	if (s->kdump) {
		argv[n++] = "--disk";
		argv[n++] = fbk_path_files("kernels/%s/Image,ro", s->kernel);
		argv[n++] = "--disk";
		argv[n++] = fbk_path_files("guest/kdump.cpio,ro");
		argv[n++] = "--panic";
		argv[n++] = "wait";
	}
	for (unsigned int i = 0; i < 2 && s->disks[i]; i++) {
		argv[n++] = "--disk";
		argv[n++] = further_disk(g, i);
	}
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		if (!said[i].value)
			continue;
		argv[n++] = (char *)said[i].name;
		argv[n++] = (char *)said[i].value;
	}
	argv[n] = NULL;
	if (s->by_file)
		options_by_file(g, argv + 2);

	if (pipe2(to_guest, O_CLOEXEC) || pipe2(from_guest, O_CLOEXEC))
		fbk_fail(__FILE__, __LINE__, "pipe: %m");
	err = open_copy(fbk_path_out("guest-%u.stderr", g->id));
	g->copy = open_copy(fbk_path_out("guest-%u.console", g->id));
	g->child = fbk_spawn_as(s->as, argv, to_guest[0], from_guest[1], err);
	close(to_guest[0]);
	close(from_guest[1]);
	close(err);
	if (g->child < 0)
		fbk_fail(__FILE__, __LINE__, "fork: %s", strerror(-g->child));
	g->pid = has_keeper(s) ? only_child(g->child) : g->child;
	g->in = to_guest[1];
	g->out = from_guest[0];
	fcntl(g->out, F_SETFL, O_NONBLOCK);
}

static void guest_kill(struct fbk_guest *g)
{
	int status;

	if (g->ended)
		return;
	kill(g->child, SIGKILL);
	/* Threads that are being traced say so before the process is gone. */
	while (waitpid(g->child, &status, 0) == g->child && !WIFSIGNALED(status) && !WIFEXITED(status))
		;
	g->ended = true;
	g->status = 128 + SIGKILL;
	guest_take(g);
}

static const char *guest_end(struct fbk_guest *g)
{
	unsigned int seconds = g->spec.root ? SYSTEM_S : ANSWER_S;
	uint64_t deadline = fbk_deadline_ms(seconds);

	if (!g->ended && write(g->in, "poweroff\n", 9) != 9)
		return "a guest did not take the order to power off";
	while (!g->ended && fbk_now_ms() < deadline)
		fbk_guests_pump(100);
	if (!g->ended) {
		fbk_silence_tell(g->id, g->pid);
		snprintf(trouble, sizeof(trouble), "guest-%u did not power off within %u s", g->id, seconds);
		guest_kill(g);
		return trouble;
	}
	if (g->status) {
		snprintf(trouble, sizeof(trouble), "guest-%u: the monitor ended with status %d", g->id, g->status);
		return trouble;
	}
	return NULL;
}

/* Memory is bounded: the guest that was booted first makes room. */
static void make_room(void)
{
	unsigned int alive = 0, i;
	const char *wrong;

	for (i = 0; i < nr_guests; i++)
		alive += !guests[i].ended;
	for (i = 0; i < nr_guests && alive >= MAX_ALIVE; i++) {
		if (guests[i].ended || guests[i].used)
			continue;
		wrong = guest_end(&guests[i]);
		if (wrong)
			fbk_fail(__FILE__, __LINE__, "of an earlier scenario: %s", wrong);
		alive--;
	}
}

static uint64_t ram_len(const struct fbk_guest *g)
{
	return (uint64_t)(g->spec.memory_mib ? g->spec.memory_mib : 256) << 20;
}

/* Guest memory is the one mapping as long as that; looked for before any error can split it. */
static uint64_t find_ram(struct fbk_guest *g)
{
	uint64_t want = ram_len(g), lo, hi;
	char path[64], line[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", g->pid);
	f = fopen(path, "re");
	if (!f)
		fbk_fail(__FILE__, __LINE__, "%s: %m", path);
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%lx-%lx", &lo, &hi) == 2 && hi - lo == want;
	fclose(f);
	if (!found)
		fbk_fail(__FILE__, __LINE__, "no mapping of the monitor is as long as the guest's memory");
	return lo;
}

long fbk_guest_own_kb(struct fbk_guest *g)
{
	uint64_t ram_end = g->ram_hva + ram_len(g), lo, hi, at = 0;
	char path[64], line[512];
	long rss, sum = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", g->pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2)
			at = lo;
		else if (sscanf(line, "Rss: %ld", &rss) == 1 && (at < g->ram_hva || at >= ram_end))
			sum += rss;
	}
	if (f)
		fclose(f);
	return sum;
}

unsigned int fbk_guest_descriptors(struct fbk_guest *g)
{
	unsigned int nr = 0;
	struct dirent *e;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", g->pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		nr += e->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return nr;
}

static struct fbk_guest *guest_new(const struct fbk_guest_spec *spec, bool own)
{
	struct fbk_guest *g;

	make_room();
	if (nr_guests == MAX_GUESTS)
		fbk_fail(__FILE__, __LINE__, "more guests than the harness keeps");
	g = &guests[nr_guests];
	*g = (struct fbk_guest){ .spec = *spec, .id = nr_guests, .in = -1, .out = -1, .own = own, .used = true };
	g->ended = true; /* until it has begun */
	nr_guests++;
	guest_start(g);
	g->ended = false;
	if (spec->root)
		fbk_guest_expect(g, SYSTEM_S, "debian: ready");
	else
		fbk_guest_expect(g, BOOT_S, is_hostile(g) ? "hostile: up" : "init[1]: ready");
	if (!spec->sea_off && !fbk_host_has_sea() && !fbk_guest_monitor_said(g, "lacks KVM_CAP_ARM_SEA_TO_USER"))
		fbk_fail(__FILE__, __LINE__, "the monitor does not say that SIGBUS is all that it has");
	g->ram_hva = find_ram(g);
	if (is_hostile(g)) {
		g->spoilt = true; /* to be killed, if the scenario does not see its end */
		return g;
	}
	fbk_guest_sync(g);
	fbk_guest_forget(g);
	return g;
}

static struct fbk_guest *guest_find(const struct fbk_guest_spec *spec)
{
	unsigned int i;

	for (i = 0; i < nr_guests; i++) {
		struct fbk_guest *g = &guests[i];

		if (!g->own && !g->spoilt && !g->ended && same_spec(&g->spec, spec))
			return g;
	}
	return NULL;
}

bool fbk_guest_there(const struct fbk_guest_spec *spec)
{
	fbk_guests_pump(0);
	return guest_find(spec);
}

struct fbk_guest *fbk_guest_get(const struct fbk_guest_spec *spec)
{
	struct fbk_guest *g = guest_find(spec);

	if (!g)
		return guest_new(spec, false);
	g->used = true;
	fbk_guest_sync(g);
	fbk_guest_forget(g);
	return g;
}

struct fbk_guest *fbk_guest_boot(const struct fbk_guest_spec *spec)
{
	return guest_new(spec, true);
}

void fbk_guest_spoil(struct fbk_guest *g)
{
	g->spoilt = true;
}

unsigned int fbk_guest_id(const struct fbk_guest *g)
{
	return g->id;
}

pid_t fbk_guest_pid(const struct fbk_guest *g)
{
	return g->pid;
}

pid_t fbk_guest_keeper(const struct fbk_guest *g)
{
	return g->child;
}

const char *fbk_guest_events(const struct fbk_guest *g)
{
	return fbk_path_out("guest-%u.events", g->id);
}

bool fbk_guest_monitor_said(const struct fbk_guest *g, const char *needle)
{
	FILE *f = fopen(fbk_path_out("guest-%u.stderr", g->id), "re");
	char line[1024];
	bool found = false;

	if (!f)
		fbk_fail(__FILE__, __LINE__, "guest-%u.stderr: %m", g->id);
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, needle) != NULL;
	fclose(f);
	return found;
}

const char *fbk_guest_metrics(const struct fbk_guest *g)
{
	return fbk_path_out("guest-%u.prom", g->id);
}

bool fbk_guest_alive(struct fbk_guest *g)
{
	fbk_guests_pump(0);
	return !g->ended;
}

int fbk_guest_wait(struct fbk_guest *g, unsigned int seconds)
{
	uint64_t deadline = fbk_deadline_ms(seconds);

	while (!g->ended || g->out >= 0) {
		if (fbk_now_ms() >= deadline)
			fbk_fail(__FILE__, __LINE__, "the monitor did not end within %u s", seconds);
		fbk_guests_pump(100);
	}
	return g->status;
}

void fbk_guest_poweroff(struct fbk_guest *g)
{
	const char *wrong = guest_end(g);

	if (wrong)
		fbk_fail(__FILE__, __LINE__, "%s", wrong);
}

void fbk_guests_begin(void)
{
	unsigned int i;

	for (i = 0; i < nr_guests; i++)
		guests[i].used = false;
	while (nr_lines)
		free(lines[--nr_lines]);
}

void fbk_guests_end(bool failed)
{
	const char *wrong;
	unsigned int i;

	for (i = 0; i < nr_guests; i++) {
		struct fbk_guest *g = &guests[i];

		if (!g->used)
			continue;
		if (g->nr_frozen)
			fbk_guest_thaw(g);
		if (failed)
			guest_kill(g);
		else if (!g->ended && !g->spoilt && g->own && (wrong = guest_end(g)))
			fbk_note("%s", wrong);
		else if (g->spoilt)
			guest_kill(g);
	}
}

void fbk_guests_tell(void)
{
	unsigned int i;

	for (i = 0; i < nr_guests; i++)
		if (guests[i].used)
			fbk_note("evidence: guest-%u.console guest-%u.stderr guest-%u.events host.log", i, i, i);
}

const char *fbk_guests_finish(void)
{
	const char *wrong = NULL, *w;
	unsigned int i;

	for (i = 0; i < nr_guests; i++) {
		if (guests[i].ended)
			continue;
		w = guest_end(&guests[i]);
		if (w && !wrong)
			wrong = w;
	}
	return wrong;
}

int fbk_ctl(const char *api, char *ret_text, size_t len, ...)
{
	char *argv[16] = { fbk_path_files("firebreak"), "ctl", "--socket", (char *)api };
	unsigned int n = 4;
	va_list ap;

	va_start(ap, len);
	do
		argv[n] = va_arg(ap, char *);
	while (argv[n++] && n < 16);
	va_end(ap);
	return fbk_run(argv, ret_text, len);
}

/* As a person at the console, beside the one that reads standard output. */
void fbk_guest_attach(struct fbk_guest *g, const char *api)
{
	char *argv[] = { fbk_path_files("firebreak"), "ctl", "--socket", (char *)api, "console", NULL }, text[4096] = "";
	uint64_t until = fbk_deadline_ms(60);
	int in[2], out[2], status;
	struct pollfd fds;
	size_t len = 0;
	ssize_t n = 1;
	pid_t pid;

	FBK_CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
	pid = fbk_spawn(argv, in[0], out[1], STDERR_FILENO);
	FBK_CHECK(pid > 0);
	close(in[0]);
	close(out[1]);
	fds = (struct pollfd){ out[0], POLLIN, 0 };
	FBK_CHECK_EQ(write(in[1], "echo marco\n", 11), 11);
	while (!strstr(text, "init[1]: echo marco") && n > 0 && len < sizeof(text) - 1 && fbk_now_ms() < until) {
		fbk_guests_pump(0);
		if (poll(&fds, 1, 100) <= 0)
			continue;
		n = read(out[0], text + len, sizeof(text) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
		text[len] = '\0';
	}
	FBK_CHECK(strstr(text, "init[1]: echo marco"));
	kill(pid, SIGKILL);
	FBK_CHECK_EQ(waitpid(pid, &status, 0), pid);
	close(in[1]);
	close(out[0]);
	/* And the other reader had it, too. */
	fbk_guest_expect(g, 60, "echo marco");
}

static const char *ask(struct fbk_guest *g, const char *answer, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static const char *ask(struct fbk_guest *g, const char *answer, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fbk_guest_send(g, "%s", text);
	return expect_from(g, &g->obeyed, ANSWER_S, answer);
}

long fbk_guest_meminfo(struct fbk_guest *g, const char *field)
{
	return (long)fbk_field(ask(g, "init[1]: meminfo", "meminfo %s", field), "kb");
}

long fbk_guest_reads(struct fbk_guest *g)
{
	return (long)fbk_field(ask(g, "init[1]: reads", "reads"), "n");
}

bool fbk_guest_isolated(struct fbk_guest *g, uint64_t gpa)
{
	return strstr(ask(g, "init[1]: page", "page %#llx", (unsigned long long)gpa), " poisoned");
}

struct isolated_arg {
	struct fbk_guest *guest;
	uint64_t gpa;
};

static bool is_isolated(void *p)
{
	struct isolated_arg *arg = p;

	return fbk_guest_isolated(arg->guest, arg->gpa);
}

void fbk_guest_expect_isolated(struct fbk_guest *g, uint64_t gpa)
{
	struct isolated_arg arg = { g, gpa };

	fbk_wait_until(ANSWER_S, "the guest's kernel has marked the page as poisoned", is_isolated, &arg);
}

struct corrupted_arg {
	struct fbk_guest *guest;
	long kb;
};

static bool has_counted(void *p)
{
	const struct corrupted_arg *arg = p;

	return fbk_guest_meminfo(arg->guest, "HardwareCorrupted") >= arg->kb;
}

void fbk_guest_expect_corrupted(struct fbk_guest *g, long kb)
{
	struct corrupted_arg arg = { g, kb };

	fbk_wait_until(ANSWER_S, "the guest's kernel has counted the lost page", has_counted, &arg);
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), kb);
}

uint64_t fbk_guest_hva(struct fbk_guest *g, uint64_t gpa)
{
	return g->ram_hva + (gpa - FBK_RAM_BASE);
}

long fbk_guest_smaps(struct fbk_guest *g, const char *perms, const char *field)
{
	uint64_t end = g->ram_hva + ((uint64_t)(g->spec.memory_mib ? g->spec.memory_mib : 256) << 20), lo, hi;
	char path[64], line[512], has[8];
	size_t len = strlen(field);
	bool ours = false;
	long sum = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", g->pid);
	f = fopen(path, "re");
	if (!f)
		fbk_fail(__FILE__, __LINE__, "%s: %m", path);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %7s", &lo, &hi, has) == 3)
			ours = lo >= g->ram_hva && hi <= end && (!perms || !strncmp(has, perms, strlen(perms)));
		else if (ours && !strncmp(line, field, len) && line[len] == ':')
			sum += strtol(line + len + 1, NULL, 10);
	}
	fclose(f);
	return sum;
}

/*
 * Is a stopped thread in a system call in which it holds none of the monitor's locks? Behind one, or about to start it anew: a
 * thread that stands still with a lock would hold up all the others.
 */
static bool at_rest(pid_t tid)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };
	uint64_t code;

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &iov))
		return false;
	code = (uint64_t)ptrace(PTRACE_PEEKTEXT, tid, regs.pc - 4, 0);
	if ((uint32_t)code != FBK_SVC && code >> 32 != FBK_SVC)
		return false;
	return regs.regs[8] == SYS_ppoll || regs.regs[8] == SYS_futex || (regs.regs[8] == SYS_ioctl && regs.regs[1] == KVM_RUN);
}

static void freeze_thread(struct fbk_guest *g, pid_t tid)
{
	uint64_t deadline = fbk_deadline_ms(60);
	int status;

	for (;;) {
		if (g->nr_frozen == MAX_FROZEN || ptrace(PTRACE_SEIZE, tid, 0, 0) || ptrace(PTRACE_INTERRUPT, tid, 0, 0) ||
		    waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
			fbk_fail(__FILE__, __LINE__, "cannot stop thread %d of the monitor: %m", tid);
		if (at_rest(tid))
			break;
		ptrace(PTRACE_DETACH, tid, 0, 0);
		if (fbk_now_ms() > deadline)
			fbk_fail(__FILE__, __LINE__, "thread %d of the monitor is never at rest", tid);
		usleep(1000);
	}
	g->frozen[g->nr_frozen++] = tid;
}

void fbk_guest_freeze_main(struct fbk_guest *g)
{
	freeze_thread(g, g->pid);
}

void fbk_guest_freeze(struct fbk_guest *g)
{
	char path[64], name[32];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", g->pid);
	dir = opendir(path);
	if (!dir)
		fbk_fail(__FILE__, __LINE__, "%s: %m", path);
	while ((e = readdir(dir))) {
		pid_t tid = atoi(e->d_name);
		FILE *f;

		if (tid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", g->pid, tid);
		f = fopen(path, "re");
		if (!f || !fgets(name, sizeof(name), f))
			name[0] = '\0';
		if (f)
			fclose(f);
		if (!strncmp(name, "vcpu", 4))
			freeze_thread(g, tid);
	}
	closedir(dir);
	if (!g->nr_frozen)
		fbk_fail(__FILE__, __LINE__, "the monitor has no thread whose name begins with vcpu");
}

void fbk_guest_thaw(struct fbk_guest *g)
{
	while (g->nr_frozen)
		ptrace(PTRACE_DETACH, g->frozen[--g->nr_frozen], 0, 0);
}
