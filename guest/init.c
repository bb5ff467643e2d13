/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * init - process 1 of a test guest: brings it up, then obeys one command a line from the console.
 *
 *   run PROGRAM [ARGUMENT...]  start /bin/PROGRAM           -> "started pid=N PROGRAM"
 *   go PID                     SIGUSR1 to it
 *   kill PID SIGNUMBER         that signal
 *   meminfo FIELD              a line of /proc/meminfo      -> "meminfo FIELD kb=N"
 *   page GPA                   flags of a page              -> "page gpa=0x.. flags=0x.. [poisoned] [free]"
 *   reads                      read requests of vda so far  -> "reads n=N"
 *   random                     64 bytes of /dev/hwrng        -> "random bytes=N same=0|1": all of them the same?
 *   show FILE                  its first line               -> "show FILE LINE"
 *   list FOLDER                what is in it                -> "list FOLDER NAME..."
 *   free                       a page that nobody uses      -> "free gpa=0x.."
 *   rebind DRIVER DEVICE       it off the virtio device, and on it again; also where that is this console
 *                                                          -> "rebound DEVICE"
 *   loglevel N                 what the console shows
 *   echo WORD                  -> "echo WORD": everything before it has been done
 *   poweroff, reboot, panic
 *
 * The power button powers it off: "power button".
 *
 * Each child that ends is told: "exit pid=N status=S" or "exit pid=N signal=S". The first line is "up kernel=RELEASE".
 * With "fbk.shell" on the kernel's command line, and a busybox in the image, a person gets a shell instead.
 */
#include "button.h"
#include "pages.h"
#include "say.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS 8
#define KLOG_CONSOLE_LEVEL 8

static void say2(const char *text, const char *more)
{
	struct fbk_line l;

	fbk_line_start(&l);
	fbk_line_text(&l, text);
	fbk_line_text(&l, more);
	fbk_line_say(&l);
}

static void complain(const char *what)
{
	struct fbk_line l;
	int err = errno;

	fbk_line_start(&l);
	fbk_line_text(&l, "REFUSED ");
	fbk_line_text(&l, what);
	fbk_line_text(&l, ": ");
	fbk_line_text(&l, strerror(err));
	fbk_line_say(&l);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		complain(path);
	if (fd >= 0)
		close(fd);
}

/* One word of a /proc file that starts with @key, as a number; -1 if there is none. */
static long long number_in(const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	size_t key_len = strlen(key);
	long long val = -1;
	char line[256];

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, key_len)) {
			val = strtoll(line + key_len, NULL, 10);
			break;
		}
	}
	fclose(f);
	return val;
}

static int word_on_cmdline(const char *word)
{
	char text[4096] = "";
	FILE *f = fopen("/proc/cmdline", "re");
	int found;

	if (!f)
		return 0;
	found = fgets(text, sizeof(text), f) && strstr(text, word);
	fclose(f);
	return found;
}

/* Modules lie in /modules; /modules/order names them, one a line, dependencies first. */
static void load_modules(void)
{
	FILE *order = fopen("/modules/order", "re");
	char name[128], path[160];
	int fd;

	if (!order)
		return;
	while (fgets(name, sizeof(name), order)) {
		name[strcspn(name, "\n")] = '\0';
		snprintf(path, sizeof(path), "/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
			complain(path);
		if (fd >= 0)
			close(fd);
	}
	fclose(order);
}

static void bring_up(void)
{
	struct utsname uts;
	int fd;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/mnt", 0755);
	mkdir("/tmp", 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) || mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) && errno != EBUSY))
		fbk_die("mount");
	/* Where the console's driver is a module, the kernel had none to give. */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	if (fbk_say_open("init"))
		fbk_die("/dev/kmsg");
	/* Every line of every program must reach the log, and every line of the log the console. */
	write_file("/proc/sys/kernel/printk_devkmsg", "on\n");
	klogctl(KLOG_CONSOLE_LEVEL, NULL, 8);
	/* Off by default in a guest this small. */
	write_file("/sys/kernel/mm/transparent_hugepage/enabled", "madvise\n");
	load_modules();
	if (!access("/dev/vda", F_OK)) {
		/* Dirty pages must stay dirty until a scenario has had its way with them. */
		write_file("/proc/sys/vm/dirty_writeback_centisecs", "0\n");
		/* Nor must the filesystem read anything of its own accord, some seconds later: reads are counted. */
		if (mount("/dev/vda", "/mnt", "ext4", MS_NOATIME, "no_prefetch_block_bitmaps,noinit_itable") &&
		    mount("/dev/vda", "/mnt", "ext4", MS_NOATIME | MS_RDONLY, NULL))
			complain("/dev/vda");
	}
	uname(&uts);
	say2("up kernel=", uts.release);
}

static void raw_console(void)
{
	struct termios tio;

	if (tcgetattr(STDIN_FILENO, &tio))
		return;
	cfmakeraw(&tio);
	tio.c_oflag |= OPOST | ONLCR;
	tcsetattr(STDIN_FILENO, TCSANOW, &tio);
}

static void cmd_run(int argc, char **argv)
{
	struct fbk_line l;
	char path[64];
	sigset_t none;
	pid_t pid;

	if (argc < 2) {
		errno = EINVAL;
		complain("run");
		return;
	}
	snprintf(path, sizeof(path), "/bin/%s", argv[1]);
	pid = fork();
	if (pid < 0) {
		complain("fork");
		return;
	}
	if (!pid) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execv(path, argv + 1);
		fbk_say_open("init");
		fbk_die(path);
	}
	fbk_line_start(&l);
	fbk_line_text(&l, "started");
	fbk_line_dec(&l, "pid", pid);
	fbk_line_text(&l, " ");
	fbk_line_text(&l, argv[1]);
	fbk_line_say(&l);
}

static void cmd_kill(const char *pid, int sig)
{
	if (atoi(pid) < 2) {
		errno = EINVAL;
		complain("kill");
	} else if (kill(atoi(pid), sig)) {
		complain("kill");
	}
}

static void cmd_meminfo(const char *field)
{
	struct fbk_line l;
	char key[64];

	snprintf(key, sizeof(key), "%s:", field);
	fbk_line_start(&l);
	fbk_line_text(&l, "meminfo ");
	fbk_line_text(&l, field);
	fbk_line_dec(&l, "kb", number_in("/proc/meminfo", key));
	fbk_line_say(&l);
}

static void cmd_page(const char *gpa_text)
{
	uint64_t gpa = strtoull(gpa_text, NULL, 0), flags = fbk_pages_flags(gpa);
	struct fbk_line l;

	fbk_line_start(&l);
	fbk_line_text(&l, "page");
	fbk_line_hex(&l, "gpa", gpa);
	fbk_line_hex(&l, "flags", flags);
	if (flags & FBK_KPF_HWPOISON)
		fbk_line_text(&l, " poisoned");
	if (flags & FBK_KPF_BUDDY)
		fbk_line_text(&l, " free");
	fbk_line_say(&l);
}

/*
 * The page of a read is there before the read is counted. None is under way any more when the ninth number of the
 * statistics is zero [Linux Documentation/block/stat.rst].
 */
static void cmd_reads(void)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	long long n = -1, under_way;
	struct fbk_line l;
	FILE *f;

	do {
		f = fopen("/sys/block/vda/stat", "re");
		under_way = 0;
		if (!f || fscanf(f, "%lld %*d %*d %*d %*d %*d %*d %*d %lld", &n, &under_way) != 2)
			n = -1;
		if (f)
			fclose(f);
	} while (under_way && !nanosleep(&pause, NULL));
	fbk_line_start(&l);
	fbk_line_text(&l, "reads");
	fbk_line_dec(&l, "n", n);
	fbk_line_say(&l);
}

static void cmd_random(void)
{
	int fd = open("/dev/hwrng", O_RDONLY | O_CLOEXEC), same = 1;
	unsigned char buf[64];
	struct fbk_line l;
	ssize_t n, len = 0;

	while (fd >= 0 && len < (ssize_t)sizeof(buf) && (n = read(fd, buf + len, sizeof(buf) - (size_t)len)) > 0)
		len += n;
	if (len < (ssize_t)sizeof(buf))
		complain("/dev/hwrng");
	if (fd >= 0)
		close(fd);
	for (ssize_t i = 1; i < len; i++)
		same &= buf[i] == buf[0];
	fbk_line_start(&l);
	fbk_line_text(&l, "random");
	fbk_line_dec(&l, "bytes", len);
	fbk_line_dec(&l, "same", same);
	fbk_line_say(&l);
}

static void cmd_show(const char *path)
{
	FILE *f = fopen(path, "re");
	char text[256] = "";
	struct fbk_line l;

	if (!f || !fgets(text, sizeof(text), f))
		complain(path);
	if (!f)
		return;
	text[strcspn(text, "\n")] = '\0';
	fclose(f);
	fbk_line_start(&l);
	fbk_line_text(&l, "show ");
	fbk_line_text(&l, path);
	fbk_line_text(&l, " ");
	fbk_line_text(&l, text);
	fbk_line_say(&l);
}

static void cmd_list(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	struct fbk_line l;

	if (!dir) {
		complain(path);
		return;
	}
	fbk_line_start(&l);
	fbk_line_text(&l, "list ");
	fbk_line_text(&l, path);
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		fbk_line_text(&l, " ");
		fbk_line_text(&l, e->d_name);
	}
	closedir(dir);
	fbk_line_say(&l);
}

static void cmd_free(void)
{
	uint64_t gpa = fbk_pages_free();
	struct fbk_line l;

	fbk_line_start(&l);
	if (gpa) {
		fbk_line_text(&l, "free");
		fbk_line_hex(&l, "gpa", gpa);
	} else {
		fbk_line_text(&l, "REFUSED free: every page has a user again");
	}
	fbk_line_say(&l);
}

/* As standard input and output. */
static void hold(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY);

	if (fd < 0)
		fbk_die(path);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void cmd_rebind(const char *driver, const char *device)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/virtio/drivers/%s/unbind", driver);
	write_file(path, device);
	/* A console that was taken away has hung up; as long as somebody holds it, it stands in the way of the next. */
	hold("/dev/null");
	snprintf(path, sizeof(path), "/sys/bus/virtio/drivers/%s/bind", driver);
	write_file(path, device);
	hold("/dev/console");
	raw_console();
	say2("rebound ", device);
}

static void end(int how)
{
	sync();
	umount("/mnt");
	reboot(how);
	complain("reboot");
}

static void obey(char *text)
{
	char *argv[MAX_ARGS + 1] = { 0 }, *save, *word;
	int argc = 0;

	for (word = strtok_r(text, " \t\r", &save); word && argc < MAX_ARGS; word = strtok_r(NULL, " \t\r", &save))
		argv[argc++] = word;
	if (!argc)
		return;
	if (!strcmp(argv[0], "run")) {
		cmd_run(argc, argv);
	} else if (!strcmp(argv[0], "go") && argc == 2) {
		cmd_kill(argv[1], SIGUSR1);
	} else if (!strcmp(argv[0], "kill") && argc == 3) {
		cmd_kill(argv[1], atoi(argv[2]));
	} else if (!strcmp(argv[0], "meminfo") && argc == 2) {
		cmd_meminfo(argv[1]);
	} else if (!strcmp(argv[0], "page") && argc == 2) {
		cmd_page(argv[1]);
	} else if (!strcmp(argv[0], "reads")) {
		cmd_reads();
	} else if (!strcmp(argv[0], "random")) {
		cmd_random();
	} else if (!strcmp(argv[0], "show") && argc == 2) {
		cmd_show(argv[1]);
	} else if (!strcmp(argv[0], "list") && argc == 2) {
		cmd_list(argv[1]);
	} else if (!strcmp(argv[0], "free")) {
		cmd_free();
	} else if (!strcmp(argv[0], "loglevel") && argc == 2) {
		klogctl(KLOG_CONSOLE_LEVEL, NULL, atoi(argv[1]));
	} else if (!strcmp(argv[0], "rebind") && argc == 3) {
		cmd_rebind(argv[1], argv[2]);
	} else if (!strcmp(argv[0], "write") && argc == 3) {
		write_file(argv[1], argv[2]);
	} else if (!strcmp(argv[0], "echo") && argc == 2) {
		say2("echo ", argv[1]);
	} else if (!strcmp(argv[0], "poweroff")) {
		end(RB_POWER_OFF);
	} else if (!strcmp(argv[0], "reboot")) {
		end(RB_AUTOBOOT);
	} else if (!strcmp(argv[0], "panic")) {
		write_file("/proc/sysrq-trigger", "c\n");
	} else {
		errno = EINVAL;
		complain(argv[0]);
	}
}

static void reap(void)
{
	struct fbk_line l;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		fbk_line_start(&l);
		fbk_line_text(&l, "exit");
		fbk_line_dec(&l, "pid", pid);
		if (WIFSIGNALED(status))
			fbk_line_dec(&l, "signal", WTERMSIG(status));
		else
			fbk_line_dec(&l, "status", WEXITSTATUS(status));
		fbk_line_say(&l);
	}
}

static void shell(void)
{
	char *const argv[] = { "sh", NULL };
	pid_t pid;

	pid = fork();
	if (!pid) {
		/* A session and a controlling terminal of its own, or Ctrl-C goes nowhere. */
		setsid();
		syscall(SYS_ioctl, STDIN_FILENO, TIOCSCTTY, 1);
		setenv("PATH", "/bin", 1);
		setenv("PS1", "guest# ", 1);
		execv("/bin/sh", argv);
		_exit(127);
	}
	while (wait(NULL) != pid)
		;
	end(RB_POWER_OFF);
}

int main(void)
{
	struct pollfd fds[3];
	struct signalfd_siginfo si;
	char text[512];
	size_t len = 0;
	sigset_t mask;

	bring_up();
	hold("/dev/console");
	if (word_on_cmdline("fbk.shell"))
		shell();
	raw_console();
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fds[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = signalfd(-1, &mask, SFD_CLOEXEC), .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = fbk_button_open(), .events = POLLIN };
	fbk_say("ready");
	for (;;) {
		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[2].revents & POLLIN && fbk_button_pressed(fds[2].fd)) {
			fbk_say("power button");
			end(RB_POWER_OFF);
		}
		if (fds[1].revents & POLLIN && read(fds[1].fd, &si, sizeof(si)) == sizeof(si))
			reap();
		if (fds[0].revents & POLLIN) {
			ssize_t n = read(STDIN_FILENO, text + len, 1);

			if (n == 1 && (text[len] == '\n' || len == sizeof(text) - 1)) {
				text[len] = '\0';
				len = 0;
				obey(text);
			} else if (n == 1) {
				len++;
			}
		}
	}
}
