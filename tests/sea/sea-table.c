// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * sea-table: does sea-inject make SEAs as hardware would?
 *
 * Runs as root on an arm64 KVM host, with the path of sea_inject.ko as its only
 * argument; or with --vm, as a VM for others to break (see serve_vm()). It is its own monitor, with a bare guest (guest.S); the oracle is
 * what KVM_RUN returns and what the guest's registers hold. TAP on standard
 * output. On a kernel that cannot forward SEAs each of them must be an SError.
 */
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KLOG_READ_ALL 3
#define KLOG_ROOM (1 << 20)

bool has_sea;
const char *module_path;
static unsigned int tests_run, tests_failed;
static int device = -1;

bool ok(bool pass, const char *name, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %u - %s\n", pass ? "" : "not ", ++tests_run, name);
	if (!pass) {
		tests_failed++;
		printf("# ");
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
		printf("\n");
	}
	fflush(stdout);
	return pass;
}

void skip(const char *name, const char *why)
{
	printf("ok %u - %s # SKIP %s\n", ++tests_run, name, why);
}

int inject_arm(struct sea_inject_arm *arm)
{
	return ioctl(device, SEA_INJECT_ARM, arm) ? -errno : 0;
}

int inject_disarm(struct sea_inject_disarm *dis)
{
	return ioctl(device, SEA_INJECT_DISARM, dis) ? -errno : 0;
}

void inject_disarm_all(void)
{
	struct sea_inject_disarm dis = { .size = sizeof(dis) };
	int err = inject_disarm(&dis);

	if (err)
		bail("cannot disarm: %s", strerror(-err));
}

void inject_disarm_all_quiet(void)
{
	struct sea_inject_disarm dis = { .size = sizeof(dis) };

	(void)inject_disarm(&dis);
}

void arm_gpa(uint64_t gpa, uint32_t kind, uint32_t flags, uint32_t set, uint64_t hits)
{
	struct sea_inject_arm arm = {
		.size = sizeof(arm),
		.by = SEA_INJECT_BY_GPA,
		.addr = gpa,
		.pid = getpid(),
		.kind = kind,
		.flags = flags,
		.set = set,
		.hits = hits,
	};
	int err = inject_arm(&arm);

	if (err)
		bail("cannot arm 0x%llx: %s", (unsigned long long)gpa, strerror(-err));
}

/* The module's state as one string, in a buffer that the next call overwrites. */
static const char *state_read(void)
{
	static char text[1 << 20];
	size_t n = 0;
	ssize_t got;
	int fd = open(SEA_INJECT_DEVICE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		bail("cannot open %s: %s", SEA_INJECT_DEVICE, strerror(errno));
	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += got;
	if (got < 0)
		bail("cannot read %s: %s", SEA_INJECT_DEVICE, strerror(errno));
	close(fd);
	text[n] = '\0';
	return text;
}

uint64_t inject_state(const char *name)
{
	const char *line = state_read();

	for (; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ' ')
			return strtoull(line + strlen(name) + 1, NULL, 10);
	bail("no '%s' in the module's state", name);
}

static bool line_has_words(const char *line, const char *words)
{
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		const char *at = strstr(line, w);

		if (!at || (at[strlen(w)] && !strchr(" \n", at[strlen(w)])))
			return false;
	}
	return true;
}

bool inject_lists(const char *words)
{
	char *text = strdup(state_read()), *save = NULL;
	bool found = false;

	for (char *l = strtok_r(text, "\n", &save); l && !found; l = strtok_r(NULL, "\n", &save))
		found = !strncmp(l, "page ", 5) && line_has_words(l, words);
	free(text);
	return found;
}

static void device_open(void)
{
	device = open(SEA_INJECT_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		bail("cannot open %s: %s", SEA_INJECT_DEVICE, strerror(errno));
}

void module_insert(void)
{
	int fd = open(module_path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		bail("cannot open %s: %s", module_path, strerror(errno));
	if (syscall(SYS_finit_module, fd, "", 0))
		bail("cannot insert %s: %s", module_path, strerror(errno));
	close(fd);
	device_open();
}

/* 0 or -errno. */
int module_remove(void)
{
	close(device);
	device = -1;
	return syscall(SYS_delete_module, "sea_inject", O_NONBLOCK) ? -errno : 0;
}

static char *klog_read(void)
{
	static char text[KLOG_ROOM];
	int n = klogctl(KLOG_READ_ALL, text, sizeof(text) - 1);

	if (n < 0)
		bail("cannot read the kernel's log: %s", strerror(errno));
	text[n] = '\0';
	return text;
}

bool klog_has(const char *want)
{
	return strstr(klog_read(), want);
}

const char *klog_trouble(void)
{
	static const char *const signs[] = {
		"WARNING:", "BUG:", "Oops", "Internal error", "Unable to handle", "refcount_t:",
		"KASAN:", "INFO: possible", "suspicious RCU usage", "blocked for more than",
		"rcu_preempt detected", "Call trace:", "list_del corruption",
	};
	const char *log = klog_read();

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(log, signs[i]))
			return signs[i];
	return NULL;
}

unsigned int kprobes_of_module(void)
{
	static const char path[] = "/sys/kernel/debug/kprobes/list";
	unsigned int n = 0;
	char line[256];
	FILE *f = fopen(path, "r");

	if (!f)
		bail("cannot open %s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f))
		n += strstr(line, "kvm_handle_guest_abort") || strstr(line, "apei_claim_sea") ||
		     strstr(line, "kvm_pgtable_stage2_map") || strstr(line, "kvm_arch_destroy_vm");
	fclose(f);
	return n;
}

bool is_hit(const struct outcome *o, uint64_t esr)
{
	if (has_sea)
		return o->kind == OUT_SEA && o->sea.esr == esr;
	return o->kind == OUT_VECTOR && o->esr_el1 == 0xbf000000;
}

/*
 * A VM for the test of the tool: says where its RAM is and
 * what an error becomes on this kernel, then loads from each guest
 * physical address that it reads from standard input, and tells how that went.
 */
static int serve_vm(void)
{
	struct vm *vm = vm_new(MEM_SMALL, has_sea, NULL);
	unsigned long long addr;

	printf("%p %s\n", (void *)vm->ram, has_sea ? "sea" : "serror");
	fflush(stdout);
	while (scanf("%llx", &addr) == 1) {
		struct outcome o;

		vm_aim(vm, 0, 1, guest_load, addr);
		o = vm_run(vm, 0);
		printf("%s\n", outcome_text(&o));
		fflush(stdout);
	}
	vm_free(vm);
	return 0;
}

/* So many large pages more; or, negative or 0, exactly so many. Returns what there were. */
static long hugepages_reserve(long wanted)
{
	static const char path[] = "/proc/sys/vm/nr_hugepages";
	FILE *f = fopen(path, "r+");
	long before;

	if (!f || fscanf(f, "%ld", &before) != 1)
		bail("cannot read %s", path);
	rewind(f);
	fprintf(f, "%ld", wanted > 0 ? before + wanted : -wanted);
	fclose(f);
	return before;
}

int main(int argc, char **argv)
{
	static void (*const parts[])(void) = { test_rows, test_shapes, test_targets, test_lives };
	const char *trouble;
	long hugepages;

	if (argc != 2) {
		fprintf(stderr, "usage: sea-table /path/to/sea_inject.ko | --vm\n");
		return 2;
	}
	has_sea = kvm_has_sea();
	if (!strcmp(argv[1], "--vm"))
		return serve_vm();
	module_path = argv[1];
	trouble = klog_trouble();
	if (trouble)
		bail("the kernel is in trouble before anything began: %s", trouble);
	printf("# this kernel %s forward SEAs\n", has_sea ? "can" : "cannot");

	hugepages = hugepages_reserve(RAM_LEN >> 21);
	module_insert();
	ok(kprobes_of_module() == 0, "the module is inert when loaded", "it has probes");
	/* Looked at after each part: the kernel's log is a ring, and hits fill it. */
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		parts[i]();
		trouble = trouble ? trouble : klog_trouble();
	}
	hugepages_reserve(-hugepages);

	ok(inject_state("armed") == 0 && inject_state("hooked") == 0, "nothing is armed at the end",
	   "%llu pages", (unsigned long long)inject_state("armed"));
	ok(kprobes_of_module() == 0, "no probe is left at the end", "%u are", kprobes_of_module());
	ok(module_remove() == 0, "the module unloads", "it does not");
	trouble = trouble ? trouble : klog_trouble();
	ok(!trouble, "the kernel's log shows no trouble", "it has '%s'", trouble ? trouble : "");
	printf("1..%u\n", tests_run);
	return tests_failed ? 1 : 0;
}
