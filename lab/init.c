// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * init of the lab: process 1 of the emulated host. Mounts what programs expect, looks
 * whether KVM is there, runs the payload, hands its exit status and /out back, and
 * switches the machine off.
 *
 * Preconditions: an initramfs made by the lab (busybox in /bin, /lab/config, /lab/argv,
 * /lab/env), virtio-serial ports fbk.ctl, fbk.io, fbk.out and fbk.stdin. On fbk.ctl it
 * writes lines: "ready", "fail WHAT", "exit STATUS LEN", where LEN counts the bytes
 * written to fbk.io; then it waits for the lab to end the machine, who alone knows that
 * all have arrived.
 *
 * The payload writes on a pseudo-terminal, so that programs flush line by line, and
 * this program carries that to fbk.io. A virtio console would do without the detour,
 * but QEMU drops what a console cannot write at once.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* <linux/kvm.h>; the numbers are ABI */
#define KVM_GET_API_VERSION 0xae00
#define KVM_CREATE_VM 0xae01
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
/*
 * An emulated processor stands still while the real one serves others, and to the scheduler's deadline server it then
 * looks as if time had jumped: Linux 7.3 warns of that from hrtimer_forward(), in the log that tests search for warnings.
 * Nothing here needs the server, which keeps ordinary tasks from starving below real-time ones.
 */
static void fair_server_off(void)
{
	char path[64];
	int fd;

	for (unsigned int cpu = 0;; cpu++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/sched/fair_server/cpu%u/runtime", cpu);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (write(fd, "0", 1) != 1)
			fprintf(stderr, "lab init: cannot write %s: %m\n", path);
		close(fd);
	}
}

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

struct pty {
	int master, slave;
};

static bool pty_open(struct pty *pty)
{
	struct winsize ws = { 0 };
	struct termios t;
	const char *at;

	pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pty->master < 0 || grantpt(pty->master) || unlockpt(pty->master))
		return false;
	pty->slave = open(ptsname(pty->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pty->slave < 0)
		return false;
	at = strstr(config, "\nsize ");
	if (at && sscanf(at, "\nsize %hu %hu", &ws.ws_row, &ws.ws_col) == 2)
		ioctl(pty->master, TIOCSWINSZ, &ws);
	if (!wanted("shell") && !tcgetattr(pty->slave, &t)) {
		/* bytes come out as they went in */
		cfmakeraw(&t);
		tcsetattr(pty->slave, TCSANOW, &t);
	}
	return true;
}

/*
 * A VM without processors for as long as the lab lives, in a process that does nothing else. With the first VM that comes, and the
 * last that goes, the kernel patches a jump in its scheduler, and QEMU's processors, each a thread of its own, may miss that: one
 * translates the old instruction after the other has thrown the translation away and before it writes the new one, and goes on
 * with it. Its vCPUs' threads are then scheduled in without KVM's knowledge: a WARNING in mark_page_dirty_in_slot(), a guest's
 * registers in the host, or a processor that stands still in KVM's vectors (seen in QEMU 7.2: the text said jump,
 * kvm_running_vcpu of the processor inside the guest was null).
 */
static void vm_keep(int kvm)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm >= 0 && fork() == 0) {
		for (int fd = 0; fd < 32; fd++)
			if (fd != vm)
				close(fd);
		prctl(PR_SET_NAME, "lab-vm");
		for (;;)
			pause();
	}
	close(vm);
}

/* Is there a KVM, and the one that was asked for? */
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
	if (fd >= 0) {
		vm_keep(fd);
		close(fd);
	}
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

static void __attribute__((noreturn)) payload_exec(int tty, int in)
{
	char **argv = strings("/lab/argv"), **env = strings("/lab/env");
	sigset_t none;
	int err;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (wanted("shell"))
		ioctl(tty, TIOCSCTTY, 1);
	clearenv();
	for (; env && *env; env++)
		putenv(*env);
	dup2(in, 0);
	dup2(tty, 1);
	dup2(tty, 2);
	if (chdir("/payload") < 0)
		chdir("/");
	if (argv)
		execvp(argv[0], argv);
	err = errno;
	dprintf(tty, "lab: cannot run %s: %s%s\n", argv ? argv[0] : "the payload", strerror(err),
		err == ENOENT ? " (dynamically linked, or a script for an interpreter that the lab lacks?)" : "");
	_exit(err == ENOENT ? 127 : 126);
}

/* what the payload has written, to the lab; false when there is no more */
static bool carry_out(int master, int io, unsigned long long *len)
{
	char data[16384];
	ssize_t n = read(master, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	for (ssize_t done = 0; done < n;) {
		ssize_t put = write(io, data + done, n - done);

		if (put < 0 && errno != EINTR)
			return false;
		if (put > 0) {
			done += put;
			*len += put;
		}
	}
	return n > 0;
}

/* what the person has typed; what a program does not read in time is lost, as on any
 * terminal */
static void carry_in(int master, int io)
{
	char data[1024];
	ssize_t n = read(io, data, sizeof(data));

	if (n > 0)
		write(master, data, n);
}

/* true when the payload has ended; the others are orphans that came to process 1 */
static bool reap(pid_t pid, int *status)
{
	bool done = false;
	int got;
	pid_t p;

	while ((p = waitpid(-1, &got, WNOHANG)) > 0) {
		if (p == pid) {
			*status = got;
			done = true;
		}
	}
	return done;
}

static int payload_wait(pid_t pid, struct pty *pty, int io, unsigned long long *len)
{
	struct signalfd_siginfo si;
	int status = 0;
	sigset_t chld;
	bool done = false;
	struct pollfd p[] = {
		{ .fd = pty->master, .events = POLLIN },
		{ .fd = wanted("shell") ? io : -1, .events = POLLIN },
		{ .events = POLLIN },
	};

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	p[2].fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	fcntl(pty->master, F_SETFL, O_NONBLOCK);
	while (!done) {
		if (poll(p, 3, -1) < 0)
			continue;
		if (p[0].revents)
			carry_out(pty->master, io, len);
		if (p[1].revents)
			carry_in(pty->master, io);
		if (p[2].revents) {
			while (read(p[2].fd, &si, sizeof(si)) > 0)
				;
			done = reap(pid, &status);
		}
	}
	/* whoever it left behind neither writes on nor changes /out */
	kill(-1, SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	close(p[2].fd);
	close(pty->slave);
	fcntl(pty->master, F_SETFL, 0);
	while (carry_out(pty->master, io, len))
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int payload_run(unsigned long long *len)
{
	int io = port_open("fbk.io"), in;
	struct pty pty;
	sigset_t chld;
	pid_t pid;

	if (io < 0 || !pty_open(&pty)) {
		tell("fail port fbk.io");
		off();
	}
	in = pty.slave;
	if (!wanted("shell"))
		in = wanted("stdin") ? port_open("fbk.stdin") : open("/dev/null", O_RDWR | O_CLOEXEC);
	if (in < 0) {
		tell("fail port fbk.stdin");
		off();
	}
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	tell("ready");
	pid = fork();
	if (pid == 0)
		payload_exec(pty.slave, in);
	if (pid < 0) {
		tell("fail fork");
		off();
	}
	return payload_wait(pid, &pty, io, len);
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
	unsigned long long len = 0;
	int fd, status;

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
	fair_server_off();
	ctl = port_open("fbk.ctl");
	kvm_check();
	status = payload_run(&len);
	if (wanted("out"))
		out_send();
	sync();
	tell("exit %d %llu", status, len);
	for (;;)
		pause();
}
