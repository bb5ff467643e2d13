// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * init of the lab: process 1 of the emulated host. Mounts what programs expect, looks
 * whether KVM is there, runs the payload, hands its exit status and /out back, and
 * switches the machine off.
 *
 * Preconditions: an initramfs made by the lab (busybox in /bin, /lab/config, /lab/argv,
 * /lab/env), a virtio console (hvc0) for the payload's output, virtio-serial ports
 * fbk.ctl, fbk.out and fbk.stdin. On fbk.ctl it writes lines: "ready", "fail WHAT",
 * "exit STATUS".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* <linux/kvm.h>; the numbers are ABI */
#define KVM_GET_API_VERSION 0xae00
#define KVM_CHECK_EXTENSION 0xae03
#define KVM_CAP_ARM_SEA_TO_USER 245

static char config[4096];
static int ctl = -1;

static bool wanted(const char *word)
{
	char line[64];

	snprintf(line, sizeof(line), "\n%s\n", word);
	return strstr(config, line);
}

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (ctl < 0 || write(ctl, line, n) != n)
		fprintf(stderr, "lab init: %.*s", n, line);
}

static void __attribute__((noreturn)) off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void nap_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

/* out: its standard output, or -1 */
static int run(int out, char *const argv[])
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (out >= 0)
			dup2(out, 1);
		execv(argv[0], argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void mounts(void)
{
	static const struct {
		const char *type, *dir;
	} table[] = {
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "devtmpfs", "/dev" },
		{ "devpts", "/dev/pts" },
		{ "tmpfs", "/dev/shm" },
		{ "tmpfs", "/tmp" },
		{ "tmpfs", "/run" },
		{ "tmpfs", "/out" },
		{ "debugfs", "/sys/kernel/debug" },
		{ "tracefs", "/sys/kernel/tracing" },
		{ "hugetlbfs", "/dev/hugepages" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		mkdir(table[i].dir, 0755);
		mount(table[i].type, table[i].dir, table[i].type, 0, NULL);
	}
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
}

static void modules_link(void)
{
	struct utsname u;
	char path[512];

	uname(&u);
	mkdir("/lib", 0755);
	mkdir("/lib/modules", 0755);
	snprintf(path, sizeof(path), "/lib/modules/%s", u.release);
	symlink("/modules", path);
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		return;
	ioctl(s, SIOCSIFFLAGS, &ifr);
	close(s);
}

/* the device of the virtio-serial port with that name; ports appear one by one after
 * their driver did, so wait a while */
static int port_open(const char *name)
{
	char path[320], got[64];

	for (int tries = 0; tries < 2000; tries++) {
		DIR *dir = opendir("/sys/class/virtio-ports");
		struct dirent *e;

		while (dir && (e = readdir(dir))) {
			FILE *f;

			snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", e->d_name);
			f = fopen(path, "re");
			if (!f)
				continue;
			if (fgets(got, sizeof(got), f) && !strcspn(got, "\n"))
				*got = '\0';
			got[strcspn(got, "\n")] = '\0';
			fclose(f);
			if (strcmp(got, name))
				continue;
			snprintf(path, sizeof(path), "/dev/%s", e->d_name);
			closedir(dir);
			return open(path, O_RDWR | O_CLOEXEC);
		}
		if (dir)
			closedir(dir);
		nap_ms(5);
	}
	return -1;
}

static int console_open(void)
{
	struct termios t;
	int fd = -1;

	for (int tries = 0; fd < 0 && tries < 2000; tries++) {
		fd = open("/dev/hvc0", O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			nap_ms(5);
	}
	if (fd >= 0 && !wanted("shell") && !tcgetattr(fd, &t)) {
		/* bytes come out as they went in */
		cfmakeraw(&t);
		tcsetattr(fd, TCSANOW, &t);
	}
	return fd;
}

static void kvm_check(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, KVM_GET_API_VERSION, 0) < 0) {
		if (wanted("require-kvm")) {
			tell("fail nokvm");
			off();
		}
	} else if (wanted("require-sea") &&
		   ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_SEA_TO_USER) <= 0) {
		tell("fail nosea");
		off();
	}
	if (fd >= 0)
		close(fd);
}

/* a file of NUL-ended strings */
static char **strings(const char *path)
{
	static const size_t max = 1 << 20;
	char **v = NULL, *buf = malloc(max), *p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0, len = 0;
	ssize_t got;

	while (buf && fd >= 0 && len < max && (got = read(fd, buf + len, max - len)) > 0)
		len += got;
	if (fd >= 0)
		close(fd);
	for (p = buf; p && p < buf + len; p += strlen(p) + 1) {
		v = realloc(v, (n + 2) * sizeof(*v));
		v[n++] = p;
		v[n] = NULL;
	}
	return v;
}

static void winsize_set(int fd)
{
	struct winsize ws = { 0 };
	const char *at = strstr(config, "\nsize ");

	if (at && sscanf(at, "\nsize %hu %hu", &ws.ws_row, &ws.ws_col) == 2)
		ioctl(fd, TIOCSWINSZ, &ws);
}

static void __attribute__((noreturn)) payload_exec(int console, int in)
{
	char **argv = strings("/lab/argv"), **env = strings("/lab/env");
	int err;

	setsid();
	if (wanted("shell")) {
		ioctl(console, TIOCSCTTY, 1);
		winsize_set(console);
	}
	clearenv();
	for (; env && *env; env++)
		putenv(*env);
	dup2(in, 0);
	dup2(console, 1);
	dup2(console, 2);
	if (chdir("/payload") < 0)
		chdir("/");
	if (argv)
		execvp(argv[0], argv);
	err = errno;
	dprintf(console, "lab: cannot run %s: %s%s\n", argv ? argv[0] : "the payload",
		strerror(err),
		err == ENOENT ? " (dynamically linked, or a script for an interpreter that the lab lacks?)" : "");
	_exit(err == ENOENT ? 127 : 126);
}

static int payload_run(int console)
{
	int status = 0, in = console;
	pid_t pid, got;

	if (!wanted("shell"))
		in = wanted("stdin") ? port_open("fbk.stdin") : open("/dev/null", O_RDWR | O_CLOEXEC);
	if (in < 0) {
		tell("fail port fbk.stdin");
		off();
	}
	tell("ready");
	pid = fork();
	if (pid == 0)
		payload_exec(console, in);
	if (pid < 0) {
		tell("fail fork");
		off();
	}
	while ((got = wait(&status)) != pid)
		if (got < 0 && errno != EINTR)
			break;
	/* whoever it left behind neither writes on nor changes /out */
	kill(-1, SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void out_send(void)
{
	int fd = port_open("fbk.out");

	if (fd < 0) {
		tell("fail port fbk.out");
		return;
	}
	/* a port opens once: it cannot be named to tar, only handed over */
	if (run(fd, (char *[]){ "/bin/busybox", "tar", "-c", "-f", "-", "-C", "/out", ".", NULL }))
		tell("fail out");
	close(fd);
}

int main(void)
{
	int console, fd, status;

	mounts();
	fd = open("/lab/config", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, config, sizeof(config) - 1) < 0)
		off();
	close(fd);
	run(-1, (char *[]){ "/bin/busybox", "--install", "-s", "/bin", NULL });
	modules_link();
	if (access("/sys/class/virtio-ports", F_OK)) {
		run(-1, (char *[]){ "/bin/busybox", "modprobe", "virtio_pci", NULL });
		run(-1, (char *[]){ "/bin/busybox", "modprobe", "virtio_console", NULL });
	}
	loopback_up();
	ctl = port_open("fbk.ctl");
	console = console_open();
	if (console < 0) {
		tell("fail port hvc0");
		off();
	}
	kvm_check();
	status = payload_run(console);
	tcdrain(console);
	if (wanted("out"))
		out_send();
	tell("exit %d", status);
	off();
}
