/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * vmm-cost - what whole monitors cost, side by side: the same guest kernel and programs under each of them, each in its
 * leanest form, 256 MiB and 1 vCPU.
 *
 * It boots a guest that has no devices, for exec to init and exec to exit, with and without the tests that its kernel makes of its
 * ciphers, and then one with two disks, a user-mode network, an entropy source and a socket to control it by, in which guest-io does its
 * work. firebreak runs that one once more without its sandbox, for what a filter costs at each exit. Meant for the deterministic lab
 * (--icount).
 * Output: tab-separated, monitor, name, figure: seconds, kB, and what guest-io says.
 */
#include "guest-io.h"
#include "quiet.h"
#include "vm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUEST_MIB 256
#define DISK "/dev/shm/disk"
#define DISK_LEN (32u << 20)
#define SMALL_DISK "/dev/shm/small"
#define SMALL_DISK_LEN (1u << 20)
#define SOCKET "/tmp/control"
#define BOOTS 2
#define WORDS 64

struct guest {
	const char *kernel, *initrd, *append;
};

static const char *const firebreak_run[] = { "run", "--memory", "256M", "--cpus", "1", NULL };
#define FIREBREAK_DEVICES "--disk", DISK, "--disk", SMALL_DISK, "--net", "user", "--api", SOCKET
static const char *const firebreak_devices[] = { FIREBREAK_DEVICES, NULL };
static const char *const firebreak_open[] = { FIREBREAK_DEVICES, "--sandbox", "off", NULL };

/*
 * No device but those that the machine cannot be without, no tables that nobody reads, GICv3 and virtio over MMIO like ours.
 */
static const char *const qemu_run[] = {
	"-M", "virt,accel=kvm,gic-version=3,its=off,acpi=off", "-cpu", "host", "-m", "256", "-smp", "1",
	"-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", NULL,
};
static const char *const qemu_devices[] = {
	"-global", "virtio-mmio.force-legacy=false",
	"-blockdev", "driver=file,filename=" DISK ",aio=io_uring,node-name=a",
	"-device", "virtio-blk-device,drive=a",
	"-blockdev", "driver=file,filename=" SMALL_DISK ",aio=io_uring,node-name=b",
	"-device", "virtio-blk-device,drive=b",
	"-netdev", "user,id=n", "-device", "virtio-net-device,netdev=n",
	"-device", "virtio-rng-device", "-qmp", "unix:" SOCKET ",server=on,wait=off", NULL,
};

struct monitor {
	const char *name, *path;
	const char *const *run, *const *devices, *const *open;
	const char *kernel, *initrd, *append; /* its words for them */
};

static void add(const char *argv[WORDS], unsigned int *nr, const char *word)
{
	if (*nr == WORDS - 1)
		vm_die("too many words");
	argv[(*nr)++] = word;
	argv[*nr] = NULL;
}

static void start(struct vm *vm, const struct monitor *m, const struct guest *g, const char *const *devices)
{
	const char *argv[WORDS];
	unsigned int nr = 0;

	add(argv, &nr, m->path);
	for (unsigned int i = 0; m->run[i]; i++)
		add(argv, &nr, m->run[i]);
	for (unsigned int i = 0; devices && devices[i]; i++)
		add(argv, &nr, devices[i]);
	add(argv, &nr, m->kernel);
	add(argv, &nr, g->kernel);
	add(argv, &nr, m->initrd);
	add(argv, &nr, g->initrd);
	add(argv, &nr, m->append);
	add(argv, &nr, g->append);
	vm_start(vm, argv);
}

/* The first one also reads the monitor from where it lies: not counted. @suffix: of the figures' names. */
static void boot(const struct monitor *m, const struct guest *g, const char *suffix)
{
	double init = 0, end = 0;
	struct vm vm;

	for (unsigned int i = 0; i < BOOTS; i++) {
		start(&vm, m, g, NULL);
		vm_line(&vm, "init");
		init = vm_now() - vm.began;
		vm_end(&vm);
		end = vm_now() - vm.began;
	}
	printf("%s\tinit%s\t%.4f\n%s\tend%s\t%.4f\n", m->name, suffix, init, m->name, suffix, end);
	fflush(stdout);
}

static void take_figures(struct vm *vm, const char *monitor, const char *suffix)
{
	char *line, name[32];
	double val;

	for (;;) {
		line = vm_line(vm, "");
		if (!strncmp(line, "done", 4))
			break;
		if (sscanf(line, "figure %31s %lf", name, &val) == 2)
			printf("%s\t%s%s\t%.2f\n", monitor, name, suffix, val);
		fflush(stdout);
	}
}

static void work(const struct monitor *m, const struct guest *g)
{
	struct vm vm;

	start(&vm, m, g, m->devices);
	vm_line(&vm, "ready");
	printf("%s\tresident-idle\t%ld\n", m->name, vm_resident_beyond_guest(&vm, GUEST_MIB));
	vm_say(&vm, "go");
	take_figures(&vm, m->name, "");
	printf("%s\tresident\t%ld\n", m->name, vm_resident_beyond_guest(&vm, GUEST_MIB));
	fflush(stdout);
	vm_say(&vm, "off");
	vm_end(&vm);
}

static void work_open(const struct monitor *m, const struct guest *g)
{
	struct vm vm;

	start(&vm, m, g, m->open);
	vm_line(&vm, "ready");
	vm_say(&vm, "go");
	take_figures(&vm, m->name, "-open");
	vm_say(&vm, "off");
	vm_end(&vm);
}

/* --- the host that guests talk to ---------------------------------------------------------------------------------- */

static void serve(int fd)
{
	static char buf[FBK_BENCH_CHUNK];
	uint64_t left = FBK_BENCH_STREAM;
	char service, byte;
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (read(fd, &service, 1) != 1)
		return;
	switch (service) {
	case FBK_BENCH_ECHO:
		while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
			;
		break;
	case FBK_BENCH_SINK:
		while (left) {
			ssize_t n = read(fd, buf, sizeof(buf));

			if (n <= 0)
				return;
			left -= n;
		}
		if (write(fd, "", 1) != 1)
			return;
		break;
	case FBK_BENCH_SOURCE:
		while (left) {
			ssize_t n = write(fd, buf, left < sizeof(buf) ? left : sizeof(buf));

			if (n <= 0)
				return;
			left -= n;
		}
		break;
	}
}

static pid_t start_server(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(FBK_BENCH_PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, client;
	pid_t pid;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 8))
		vm_die("the server");
	pid = fork();
	if (pid < 0)
		vm_die("fork");
	if (pid) {
		close(fd);
		return pid;
	}
	for (;;) {
		client = accept(fd, NULL, NULL);
		if (client < 0)
			_exit(1);
		serve(client);
		close(client);
	}
}

/* Written, not only as long as that: what a disk has never been given is no page to be read from it. */
static void make_disk(const char *path, uint32_t len)
{
	static char block[1 << 20];
	int fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);

	memset(block, 0x5a, sizeof(block));
	for (uint32_t i = 0; fd >= 0 && i < len; i += sizeof(block))
		if (write(fd, block, sizeof(block)) != sizeof(block))
			fd = -1;
	if (fd < 0)
		vm_die(path);
	close(fd);
}

int main(int argc, char **argv)
{
	struct monitor monitor[] = {
		{ "firebreak", NULL, firebreak_run, firebreak_devices, firebreak_open, "--kernel", "--initrd", "--append" },
		{ "qemu", NULL, qemu_run, qemu_devices, NULL, "-kernel", "-initrd", "-append" },
	};
	pid_t server;

	if (argc < 6) {
		fprintf(stderr, "usage: vmm-cost FIREBREAK QEMU KERNEL BOOT-INITRD IO-INITRD [MONITOR]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	monitor[0].path = argv[1];
	monitor[1].path = argv[2];
	make_disk(DISK, DISK_LEN);
	make_disk(SMALL_DISK, SMALL_DISK_LEN);
	server = start_server();
	for (unsigned int i = 0; i < sizeof(monitor) / sizeof(monitor[0]); i++) {
		if (argc > 6 && strcmp(argv[6], monitor[i].name))
			continue;
		errno = 0;
		if (!quiet_wait())
			vm_die("waiting until the host is quiet");
		boot(&monitor[i], &(struct guest){ argv[3], argv[4], "quiet fbk.boot" }, "");
		boot(&monitor[i], &(struct guest){ argv[3], argv[4], "quiet fbk.boot cryptomgr.notests" }, "-untested");
		work(&monitor[i], &(struct guest){ argv[3], argv[5], "quiet iomem=relaxed" });
		if (monitor[i].open)
			work_open(&monitor[i], &(struct guest){ argv[3], argv[5], "quiet iomem=relaxed fbk.exits" });
	}
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return 0;
}
