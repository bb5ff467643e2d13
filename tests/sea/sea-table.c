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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool has_sea;
const char *module_path;

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
	module_insert(module_path);
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
	return tap_end();
}
