/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * check.c - `firebreak check`: what this host can do, what is missing, and what follows from it.
 */
#include "check-kvm.h"
#include "command.h"
#include "jail.h"
#include "landlock.h"
#include "options.h"
#include "report.h"

#include <firebreak/kvm.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Newer than the build machine's headers. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#define FEATURE_POISON (UINT64_C(1) << 14) /* Linux 6.6 */

static void line(const char *what, const char *state, const char *follows)
{
	printf("%-30s %-8s %s\n", what, state, follows);
}

static void yes_or_no(const char *what, int have, const char *if_yes, const char *if_no)
{
	line(what, have ? "yes" : "no", have ? if_yes : if_no);
}

/* Return: a VM, or -1 with the reason told. */
static int check_kvm(void)
{
	char follows[120];
	int kvm, vm, version;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0) {
		int err = errno;

		snprintf(follows, sizeof(follows), "no guest can run: /dev/kvm: %s%s", strerror(err),
			 err == EACCES ? " (is this user in the group kvm?)" :
			 err == ENOENT ? " (no virtualization here, or the kernel was started below EL2)" : "");
		line("KVM", "no", follows);
		return -1;
	}
	version = ioctl(kvm, KVM_GET_API_VERSION, 0);
	vm = version == KVM_API_VERSION ? ioctl(kvm, KVM_CREATE_VM, 0) : -1;
	/* 40-bit guest addresses are the default, and more than some machines have. */
	if (vm < 0 && version == KVM_API_VERSION && errno == EINVAL)
		vm = ioctl(kvm, KVM_CREATE_VM, KVM_VM_TYPE_ARM_IPA_SIZE(32));
	if (vm < 0) {
		snprintf(follows, sizeof(follows), "no guest can run: %s",
			 version == KVM_API_VERSION ? strerror(errno) : "KVM speaks another API version");
		line("KVM", "no", follows);
	} else {
		line("KVM", "yes", "guests run on this machine's own CPUs");
	}
	close(kvm);
	return vm;
}

static int check_gic(int vm)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3, .flags = KVM_CREATE_DEVICE_TEST };
	int have = !ioctl(vm, KVM_CREATE_DEVICE, &dev);

	yes_or_no("GICv3", have, "guests get interrupts from the kernel", "no guest can run: the monitor needs a GICv3");
	return have;
}

static void check_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	long fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd < 0) {
		line("userfaultfd", "no", "lost pages stay in the guest's reach until it resets");
		return;
	}
	if (ioctl(fd, UFFDIO_API, &api))
		api.features = 0;
	close(fd);
	if (api.features & FEATURE_POISON)
		line("userfaultfd", "yes", "with UFFDIO_POISON: lost pages are taken out of the guest's reach");
	else
		line("userfaultfd", "partly", "without UFFDIO_POISON (Linux 6.6): lost pages stay in reach until a reset");
}

static void check_offline(void)
{
	int have = !access("/sys/devices/system/memory/hard_offline_page", W_OK);

	yes_or_no("hard offline", have, "bad frames are handed over to the host's kernel",
		  "bad frames stay with the monitor, and go back to the host when it ends");
}

static void check_apei(void)
{
	int have = !access("/sys/firmware/acpi/tables/HEST", F_OK);

	yes_or_no("APEI (host firmware tables)", have,
		  "the host's firmware sees each error first; what it claims, the guest never learns as an SEA",
		  "no firmware claims errors: every guest SEA reaches KVM's own handling");
}

/* Tried by a child, since there is no way back. */
static int have_namespaces(void)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(fbk_jail_namespaces(false) || fbk_jail_root(NULL) ? 1 : 0);
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status);
}

static void check_sandbox(void)
{
	const uint32_t action = SECCOMP_RET_TRAP;
	int landlock = fbk_landlock_version();
	char follows[100];

	yes_or_no("sandbox: system calls", !syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action),
		  "each thread has a filter of its own", "this kernel has no seccomp filters: system calls are not confined");
	snprintf(follows, sizeof(follows), "Landlock version %d%s", landlock,
		 landlock >= 6 ? "" : landlock >= 4 ? ", without signals and abstract sockets" : ", files only");
	yes_or_no("sandbox: files", landlock, follows, "no Landlock: the empty root folder is what confines paths");
	yes_or_no("sandbox: namespaces", have_namespaces(), "the monitor has its own, and an empty root folder",
		  "this user cannot have its own (user namespaces are off, or not for everybody)");
	yes_or_no("sandbox: user", !geteuid(), "root becomes nobody, or --user", "the monitor stays the user that starts it");
}

static void check_memory_failure(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char buf[128];
	int have = 0;

	while (f && fgets(buf, sizeof(buf), f))
		have |= !strncmp(buf, "HardwareCorrupted:", 18);
	if (f)
		fclose(f);
	yes_or_no("memory failure handling", have, "the host isolates bad pages and tells the monitor by SIGBUS",
		  "the host does not isolate bad pages, and no SIGBUS tells of them");
}

int fbk_command_check(int argc, char **argv)
{
	struct fbk_check_line lines[FBK_CHECK_KVM_LINES];
	uint32_t kvm = 0;
	int vm, gic, i;
	bool sea;

	if (argc) {
		fbk_say("check: %.80s: no argument is taken", argv[0]);
		return FBK_EXIT_USAGE;
	}
	vm = check_kvm();
	if (vm < 0) {
		check_userfaultfd();
		check_offline();
		check_apei();
		check_memory_failure();
		check_sandbox();
		puts("No guest can run here.");
		return FBK_EXIT_UNABLE;
	}
	gic = check_gic(vm);
	if (fbk_kvm_probe(vm, &kvm) < 0)
		fbk_say("asking KVM for its capabilities: %s", strerror(errno));

	fbk_check_kvm(kvm, lines);
	for (i = 0; i < FBK_CHECK_KVM_LINES; i++)
		line(lines[i].what, lines[i].state, lines[i].follows);
	check_userfaultfd();
	check_offline();
	check_apei();
	check_memory_failure();
	check_sandbox();
	close(vm);

	if (!gic) {
		puts("No guest can run here.");
		return FBK_EXIT_UNABLE;
	}
	sea = fbk_check_contains(kvm);
	puts(sea ? "Guest memory errors can be contained here." :
		   "Guests run here; of their memory errors, only those that the host reports by SIGBUS are contained.");
	return sea ? FBK_EXIT_OFF : FBK_EXIT_LACKING;
}
