/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * host.c - the host as a witness (its kernel's log, its accounts), and the two ways to break a page of it.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int kmsg_fd = -1, copy_fd = -1;
static char *text;
static size_t len, size, since;

/* By these words a kernel says that it has a bug, or is in trouble. */
static const char *const complaints[] = {
	"WARNING:", "BUG:", "Oops", "Internal error:", "Kernel panic", "Unable to handle kernel", "kernel BUG at",
	"refcount_t:", "INFO: task", "INFO: possible", "self-detected stall", "soft lockup", "hung_task", "UBSAN:", "KASAN:",
	"leaked", "scheduling while atomic", "suspicious RCU",
};

/* Take in what the host's kernel has said. */
static void pump(void)
{
	char record[8192], *body, *end;
	ssize_t n;

	for (;;) {
		n = read(kmsg_fd, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE) /* records were lost: go on with the oldest there is */
			continue;
		if (n <= 0)
			return;
		record[n] = '\0';
		body = strchr(record, ';');
		end = body ? strchr(body, '\n') : NULL;
		if (!end)
			continue;
		body++;
		end[1] = '\0';
		if (copy_fd >= 0 && write(copy_fd, body, strlen(body)) < 0)
			copy_fd = -1;
		while (size - len < strlen(body) + 1) {
			size = size ? 2 * size : 65536;
			text = realloc(text, size);
			if (!text)
				abort();
		}
		strcpy(text + len, body);
		len += strlen(body);
	}
}

/* What a scenario has changed of the host. */
static struct setting {
	const char *path;
	char was[64];
} settings[8];
static unsigned int nr_settings;

static bool put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = (ssize_t)strlen(value);
	bool fine = fd >= 0 && write(fd, value, (size_t)n) == n;

	if (fd >= 0)
		close(fd);
	return fine;
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)) {
		fbk_note("cannot load %s: %m", path);
		exit(70);
	}
	close(fd);
}

void fbk_host_module(const char *name, const char *path)
{
	char said[256];

	if (access(path, F_OK) && fbk_run((char *[]){ "/bin/modprobe", (char *)name, NULL }, said, sizeof(said)))
		fbk_fail(__FILE__, __LINE__, "modprobe %s: %s", name, said);
}

#define CAP_ARM_SEA_TO_USER 245 /* newer than the build machine's headers */

bool fbk_host_has_sea(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), has;

	if (kvm < 0)
		fbk_fail(__FILE__, __LINE__, "/dev/kvm: %m");
	has = ioctl(kvm, KVM_CHECK_EXTENSION, CAP_ARM_SEA_TO_USER);
	close(kvm);
	return has > 0;
}

void fbk_host_open(void)
{
	kmsg_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg_fd < 0) {
		fbk_note("/dev/kmsg: %m");
		exit(70);
	}
	copy_fd = open(fbk_path_out("host.log"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size = 65536;
	text = calloc(1, size);
	if (!text)
		abort();
	load_module(fbk_path_files("sea_inject.ko"));
	/* A monitor that crashes leaves its registers in the log. */
	put("/proc/sys/debug/exception-trace", "1");
	pump();
	since = len;
}

void fbk_host_begin(void)
{
	pump();
	since = len;
}

const char *fbk_host_complaint(void)
{
	static char line[256];
	size_t i, best = SIZE_MAX;
	char *hit;

	pump();
	for (i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
		hit = strstr(text + since, complaints[i]);
		if (hit && (size_t)(hit - text) < best)
			best = (size_t)(hit - text);
	}
	if (best == SIZE_MAX)
		return NULL;
	while (best > since && text[best - 1] != '\n')
		best--;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text + best, "\n"), text + best);
	return line;
}

bool fbk_host_said(const char *fmt, ...)
{
	char needle[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(needle, sizeof(needle), fmt, ap);
	va_end(ap);
	pump();
	return strstr(text + since, needle);
}

long fbk_host_meminfo(const char *field)
{
	char line[256], key[64];
	long val = -1;
	FILE *f = fopen("/proc/meminfo", "re");
	int n = snprintf(key, sizeof(key), "%s:", field);

	while (f && val < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, (size_t)n))
			val = strtol(line + n, NULL, 10);
	if (f)
		fclose(f);
	if (val < 0)
		fbk_fail(__FILE__, __LINE__, "the host's /proc/meminfo has no %s", field);
	return val;
}

/* A file that lists what there is to choose from has the choice in brackets. */
static void keep(const char *path)
{
	struct setting *s = &settings[nr_settings];
	char line[256], *from, *to;
	FILE *f;

	for (unsigned int i = 0; i < nr_settings; i++)
		if (!strcmp(settings[i].path, path))
			return;
	f = fopen(path, "re");
	if (nr_settings == sizeof(settings) / sizeof(settings[0]) || !f || !fgets(line, sizeof(line), f))
		fbk_fail(__FILE__, __LINE__, "%s cannot be kept as it is: %m", path);
	fclose(f);
	from = strchr(line, '[');
	from = from ? from + 1 : line;
	to = from + strcspn(from, "]\n");
	snprintf(s->was, sizeof(s->was), "%.*s", (int)(to - from), from);
	s->path = path;
	nr_settings++;
}

void fbk_host_set(const char *path, const char *value)
{
	keep(path);
	if (!put(path, value))
		fbk_fail(__FILE__, __LINE__, "%s into %s: %m", value, path);
}

void fbk_host_restore(void)
{
	while (nr_settings) {
		const struct setting *s = &settings[--nr_settings];

		if (!put(s->path, s->was))
			fbk_note("%s could not be put back to %s: %s", s->path, s->was, strerror(errno));
	}
}

void fbk_host_refuses_memory(const char *memory, const char *says)
{
	char *argv[] = { fbk_path_files("firebreak"), "run", "--kernel", fbk_path_files("kernels/newest/Image"), "--memory",
			 (char *)memory, NULL };
	char said[1024];
	int status = fbk_run(argv, said, sizeof(said));

	if (status != 69 || !strstr(said, says))
		fbk_fail(__FILE__, __LINE__, "--memory %s: status %d: %s", memory, status, said);
}

static bool corrupted(void *arg)
{
	return fbk_host_meminfo("HardwareCorrupted") == *(long *)arg;
}

void fbk_host_expect_corrupted(long kb)
{
	fbk_wait_until(20, "the host's kernel counts the lost frames", corrupted, &kb);
}

unsigned int fbk_host_cpus(void)
{
	return (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
}

static void injector(char *const argv[])
{
	char said[1024];
	int status = fbk_run(argv, said, sizeof(said));

	if (status)
		fbk_fail(__FILE__, __LINE__, "sea-inject %s ended with status %d: %s", argv[1], status, said);
}

void fbk_inject(struct fbk_guest *g, uint64_t gpa, const char *how)
{
	char pid[16], at[32], *words = strdup(how), *save, *word, *argv[24];
	int n = 0;

	if (!words)
		abort();
	snprintf(pid, sizeof(pid), "%d", fbk_guest_pid(g));
	snprintf(at, sizeof(at), "%#llx", (unsigned long long)gpa);
	argv[n++] = fbk_path_files("sea-inject");
	argv[n++] = "arm";
	argv[n++] = "--pid";
	argv[n++] = pid;
	argv[n++] = "--gpa";
	argv[n++] = at;
	for (word = strtok_r(words, " ", &save); word && n < 22; word = strtok_r(NULL, " ", &save))
		argv[n++] = word;
	argv[n] = NULL;
	injector(argv);
	free(words);
}

/*
 * Through hard_offline_page and not by madvise(): the monitor is not asked, as with a real error. The kernel then does
 * what it does for any process: unmaps the page, and tells by SIGBUS.
 */
void fbk_host_poison(struct fbk_guest *g, uint64_t gpa)
{
	uint64_t hva = fbk_guest_hva(g, gpa), entry;
	char path[64], at[32];
	int fd, n;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", fbk_guest_pid(g));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &entry, sizeof(entry), (off_t)(hva / FBK_PAGE * sizeof(entry))) != sizeof(entry))
		fbk_fail(__FILE__, __LINE__, "%s: %m", path);
	close(fd);
	if (!(entry & UINT64_C(1) << 63))
		fbk_fail(__FILE__, __LINE__, "the monitor has no page under guest address %#llx (pagemap %#llx)",
			 (unsigned long long)gpa, (unsigned long long)entry);
	n = snprintf(at, sizeof(at), "%#llx",
		     (unsigned long long)((entry & ((UINT64_C(1) << 55) - 1)) * FBK_PAGE));
	fd = open("/sys/devices/system/memory/hard_offline_page", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		fbk_skip("this host's kernel has no hard_offline_page");
	if (write(fd, at, (size_t)n) != n)
		fbk_fail(__FILE__, __LINE__, "hard_offline_page of %s: %m", at);
	close(fd);
}

static bool no_signal_pending(void *arg)
{
	const uint64_t sigbus = UINT64_C(1) << (SIGBUS - 1);
	struct fbk_guest *g = arg;
	uint64_t pending = 0, some;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", fbk_guest_pid(g));
	f = fopen(path, "re");
	if (!f)
		fbk_fail(__FILE__, __LINE__, "%s: %m", path);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "SigPnd: %lx", &some) == 1 || sscanf(line, "ShdPnd: %lx", &some) == 1)
			pending |= some;
	fclose(f);
	return !(pending & sigbus);
}

void fbk_host_poison_settle(struct fbk_guest *g)
{
	fbk_wait_until(120, "the monitor takes its signal", no_signal_pending, g);
}
