/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * guest-io - process 1 of a guest whose devices are measured from inside, by the virtual counter.
 *
 * Preconditions: the modules of its devices in /modules; two disks, of which the larger is read and overwritten; a card on a
 * user-mode network whose host is 10.0.2.2, with bench/vmm-cost listening on PORT; "iomem=relaxed" on the command line,
 * since the console's flag register is read through /dev/mem; and a line on the console's input where it waits for one.
 *
 * Console: "ready", and waits; "figure NAME VALUE" for each, times in ns and throughput in MB/s; "done", and waits; then it
 * powers the guest off. "failed: WHAT" where something is not as it must be. With "fbk.exits" on the kernel's command line it
 * measures the exits alone.
 */
#include "guest-io.h"
#include "quiet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Instructions are counted: a few rounds say as much as many. */
#define EXITS 2000
#define ROUNDS 400 /* of 4 KiB, and of one byte over the network */
#define SMALL 4096
#define LARGE (128 << 10)
#define DEPTH 16
#define UART_FR 0x18

static void __attribute__((noreturn)) off(void)
{
	fflush(stdout);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void __attribute__((noreturn)) fail(const char *what)
{
	printf("failed: %s: %s\n", what, errno ? strerror(errno) : "not as expected");
	off();
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void figure(const char *name, double val)
{
	printf("figure %s %.2f\n", name, val);
	fflush(stdout);
}

static void wait_line(void)
{
	char line[32];

	if (!fgets(line, sizeof(line), stdin))
		fail("no line on the console");
}

/* In the order of dependence. One that is missing is built in, or its device will be missed. */
static void load_modules(void)
{
	static const char *const name[] = { "virtio_mmio", "virtio_blk", "failover", "net_failover", "virtio_net", "virtio-rng" };
	char path[64];

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "/modules/%s.ko", name[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (syscall(SYS_finit_module, fd, "", 0))
			fail(path);
		close(fd);
	}
}

/* --- an exit to the monitor and back -------------------------------------------------------------------------------- */

/* The console's registers: where the kernel's driver says that it has found them, by ACPI or by device tree. */
static uint64_t uart_base(void)
{
	FILE *f = fopen("/proc/iomem", "re");
	unsigned long long start = 0;
	char line[128];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = (strstr(line, "ARMH0011") || strstr(line, "pl011")) && sscanf(line, " %llx-", &start) == 1;
	if (f)
		fclose(f);
	errno = 0;
	if (!start)
		fail("no console in /proc/iomem");
	return start;
}

static void measure_exits(void)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	volatile uint32_t *regs;
	uint64_t began;

	if (fd < 0)
		fail("/dev/mem");
	regs = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, uart_base());
	if (regs == MAP_FAILED)
		fail("mapping the console's registers");
	(void)regs[UART_FR / 4];
	began = now_ns();
	for (int i = 0; i < EXITS; i++)
		(void)regs[UART_FR / 4];
	figure("exit", (double)(now_ns() - began) / EXITS);
	close(fd);
}

/* --- block ---------------------------------------------------------------------------------------------------------- */

struct disk {
	int fd;
	uint64_t len;
	aio_context_t aio;
	char *buf; /* of DEPTH times LARGE */
	uint64_t seed;
};

static void open_disk(struct disk *d)
{
	static const char *const path[] = { "/dev/vda", "/dev/vdb" };

	*d = (struct disk){ .fd = -1 };
	for (int i = 0; i < 2; i++) {
		int fd = open(path[i], O_RDWR | O_DIRECT | O_CLOEXEC);
		uint64_t len;

		if (fd < 0 || ioctl(fd, BLKGETSIZE64, &len))
			fail(path[i]);
		if (len <= d->len) {
			close(fd);
			continue;
		}
		if (d->fd >= 0)
			close(d->fd);
		d->fd = fd;
		d->len = len;
	}
	d->buf = mmap(NULL, DEPTH * LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (d->buf == MAP_FAILED || syscall(SYS_io_setup, DEPTH, &d->aio))
		fail("asynchronous I/O");
}

/* The same walk over the disk in every guest. */
static uint64_t next_random(struct disk *d)
{
	d->seed = d->seed * 6364136223846793005u + 1442695040888963407u;
	return (d->seed >> 33) % (d->len / SMALL) * SMALL;
}

static void submit(struct disk *d, struct iocb *io, bool write, bool random, uint64_t nr, uint32_t len)
{
	unsigned int slot = io->aio_data;

	*io = (struct iocb){
		.aio_data = slot,
		.aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes = d->fd,
		.aio_buf = (uintptr_t)(d->buf + (size_t)slot * LARGE),
		.aio_nbytes = len,
		.aio_offset = random ? next_random(d) : nr * len % d->len,
	};
	if (syscall(SYS_io_submit, d->aio, 1, &io) != 1)
		fail("io_submit");
}

/* @depth requests in flight as long as there are any to be made. Return: ns of all */
static uint64_t transfer(struct disk *d, bool write, bool random, uint64_t nr, uint32_t len, unsigned int depth)
{
	struct io_event ev[DEPTH];
	struct iocb io[DEPTH];
	uint64_t began = now_ns(), started = 0, done = 0;

	for (; started < depth; started++) {
		io[started].aio_data = started;
		submit(d, &io[started], write, random, started, len);
	}
	while (done < nr) {
		long got = syscall(SYS_io_getevents, d->aio, 1, depth, ev, NULL);

		if (got <= 0)
			fail("io_getevents");
		for (long i = 0; i < got; i++, done++) {
			if (ev[i].res != len)
				fail("a transfer came short");
			if (started < nr)
				submit(d, &io[ev[i].data], write, random, started++, len);
		}
	}
	return now_ns() - began;
}

static void measure_block(void)
{
	struct disk d;
	uint64_t nr;

	open_disk(&d);
	nr = d.len / LARGE;
	figure("read-4k", (double)transfer(&d, false, true, ROUNDS, SMALL, 1) / ROUNDS);
	figure("read-4k-deep", (double)transfer(&d, false, true, ROUNDS, SMALL, DEPTH) / ROUNDS);
	figure("write-4k", (double)transfer(&d, true, true, ROUNDS, SMALL, 1) / ROUNDS);
	figure("write-4k-deep", (double)transfer(&d, true, true, ROUNDS, SMALL, DEPTH) / ROUNDS);
	figure("read-seq", (double)nr * LARGE * 1000 / transfer(&d, false, false, nr, LARGE, 1));
	figure("read-seq-deep", (double)nr * LARGE * 1000 / transfer(&d, false, false, nr, LARGE, DEPTH));
	figure("write-seq", (double)nr * LARGE * 1000 / transfer(&d, true, false, nr, LARGE, 1));
	figure("write-seq-deep", (double)nr * LARGE * 1000 / transfer(&d, true, false, nr, LARGE, DEPTH));
	close(d.fd);
}

/* --- net ------------------------------------------------------------------------------------------------------------ */

static struct sockaddr_in addr_of(const char *ip, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, ip, &a.sin_addr);
	return a;
}

static void set_addr(int fd, int request, const char *ip)
{
	struct sockaddr_in a = addr_of(ip, 0);
	struct ifreq ifr = { .ifr_name = "eth0" };

	memcpy(&ifr.ifr_addr, &a, sizeof(a));
	if (ioctl(fd, request, &ifr))
		fail("the network's address");
}

static void open_net(void)
{
	struct ifreq ifr = { .ifr_name = "eth0", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	set_addr(fd, SIOCSIFADDR, "10.0.2.15");
	set_addr(fd, SIOCSIFNETMASK, "255.255.255.0");
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		fail("the network's card");
	close(fd);
}

/* A connection to the host's server that serves @service. */
static int connect_to(char service)
{
	struct sockaddr_in a = addr_of("10.0.2.2", FBK_BENCH_PORT);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		fail("connecting to the host");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (write(fd, &service, 1) != 1)
		fail("writing to the host");
	return fd;
}

static void measure_net(void)
{
	static char buf[FBK_BENCH_CHUNK];
	uint64_t began, left;
	char byte = 0;
	int fd;

	fd = connect_to(FBK_BENCH_ECHO);
	began = now_ns();
	for (int i = 0; i < ROUNDS; i++)
		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
			fail("a round trip");
	figure("round-trip", (double)(now_ns() - began) / ROUNDS);
	close(fd);

	fd = connect_to(FBK_BENCH_SINK);
	began = now_ns();
	for (left = FBK_BENCH_STREAM; left;) {
		ssize_t n = write(fd, buf, left < sizeof(buf) ? left : sizeof(buf));

		if (n <= 0)
			fail("sending");
		left -= n;
	}
	if (read(fd, &byte, 1) != 1) /* it has arrived */
		fail("sending");
	figure("send", (double)FBK_BENCH_STREAM * 1000 / (now_ns() - began));
	close(fd);

	fd = connect_to(FBK_BENCH_SOURCE);
	began = now_ns();
	for (left = FBK_BENCH_STREAM; left;) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n <= 0 || (uint64_t)n > left)
			fail("receiving");
		left -= n;
	}
	figure("receive", (double)FBK_BENCH_STREAM * 1000 / (now_ns() - began));
	close(fd);
}

static bool is_told(const char *word)
{
	char line[1024] = "";
	FILE *f = fopen("/proc/cmdline", "re");

	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	return strstr(line, word);
}

int main(void)
{
	mount("proc", "/proc", "proc", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	load_modules();
	open_net();
	errno = 0;
	if (!quiet_wait())
		fail("the kernel does not come to rest");
	printf("ready\n");
	fflush(stdout);
	wait_line();
	measure_exits();
	if (!is_told("fbk.exits")) {
		measure_block();
		measure_net();
	}
	printf("done\n");
	fflush(stdout);
	wait_line();
	off();
}
