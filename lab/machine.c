// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "say.h"
#include "status.h"

/* the first with everything that the command line below uses */
#define QEMU_MAJOR 7
#define QEMU_MINOR 2

void fbk_lab_machine_check(const struct fbk_lab_options *opt)
{
	int fd[2], status, major, minor;
	char text[256] = "", *at;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) < 0)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "no pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "no process: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd[1], 1);
		dup2(open("/dev/null", O_RDWR), 2);
		execlp(opt->qemu, opt->qemu, "--version", NULL);
		_exit(127);
	}
	close(fd[1]);
	while (len < sizeof(text) - 1 &&
	       (n = read(fd[0], text + len, sizeof(text) - 1 - len)) != 0) {
		if (n > 0)
			len += n;
		else if (errno != EINTR)
			break;
	}
	close(fd[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		fbk_lab_die(FBK_LAB_E_QEMU,
			    "QEMU is missing: '%s' cannot be run (lab/setup --packages installs it as root, package qemu-system-arm)",
			    opt->qemu);
	at = strstr(text, "version ");
	if (!at || sscanf(at, "version %d.%d", &major, &minor) != 2)
		fbk_lab_die(FBK_LAB_E_QEMU, "'%s' does not answer --version like a QEMU", opt->qemu);
	if (major < QEMU_MAJOR || (major == QEMU_MAJOR && minor < QEMU_MINOR))
		fbk_lab_die(FBK_LAB_E_QEMU, "QEMU is too old: '%s' is %d.%d, the lab needs %d.%d",
			    opt->qemu, major, minor, QEMU_MAJOR, QEMU_MINOR);
}

/* a socket pair: our end closes on exec and does not block, the other is QEMU's */
static void channel(int *ours, int *theirs)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "no socket: %s", strerror(errno));
	*ours = fd[0];
	*theirs = fd[1];
	fcntl(*theirs, F_SETFD, 0);
	fcntl(*ours, F_SETFL, fcntl(*ours, F_GETFL) | O_NONBLOCK);
}

/* the words of QEMU's command line are all owned by the list */
static void add(struct fbk_lab_words *words, const char *s)
{
	fbk_lab_words_add(words, fbk_lab_fmt("%s", s));
}

static void words_free(struct fbk_lab_words *words)
{
	for (unsigned int i = 0; i < words->n; i++)
		free(words->v[i]);
	free(words->v);
}

static void add_channel(struct fbk_lab_words *w, const char *id, int fd)
{
	add(w, "-chardev");
	fbk_lab_words_add(w, fbk_lab_fmt("socket,id=%s,fd=%d", id, fd));
}

static void add_port(struct fbk_lab_words *w, const char *id, int nr, int fd)
{
	add_channel(w, id, fd);
	add(w, "-device");
	fbk_lab_words_add(w, fbk_lab_fmt("virtserialport,chardev=%s,nr=%d,name=fbk.%s", id, nr, id));
}

/*
 * panic=-1: reset at once, which ends QEMU. The other two leave out what takes half of
 * the boot under emulation and is nothing to a lab: the self-tests of the kernel's
 * ciphers, and the certificates that its modules are not checked against anyway.
 */
#define KERNEL_ARGS \
	"console=ttyAMA0 panic=-1 cryptomgr.notests initcall_blacklist=load_system_certificate_list"

static char *kernel_args(const struct fbk_lab_options *opt)
{
	char *s = fbk_lab_fmt(KERNEL_ARGS);

	for (unsigned int i = 0; i < opt->append.n; i++) {
		char *t = fbk_lab_fmt("%s %s", s, opt->append.v[i]);

		free(s);
		s = t;
	}
	return s;
}

void fbk_lab_machine_start(struct fbk_lab_machine *machine, const struct fbk_lab_options *opt,
			   const struct fbk_lab_kernel *kernel, int initramfs)
{
	int io, ctl, log, out = -1, in = -1, monitor = -1, err[2];
	pid_t parent = getpid();
	struct fbk_lab_words w = { 0 };

	*machine = (struct fbk_lab_machine){ .out = -1, .in = -1, .monitor = -1 };
	channel(&machine->io, &io);
	channel(&machine->ctl, &ctl);
	channel(&machine->log, &log);
	if (pipe2(err, O_CLOEXEC | O_NONBLOCK) < 0)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "no pipe: %s", strerror(errno));
	if (access("/proc/self/fd", R_OK))
		fbk_lab_die(FBK_LAB_E_SYSTEM, "/proc is not mounted: QEMU cannot be given its files");
	machine->err = err[0];
	fcntl(initramfs, F_SETFD, 0);

	add(&w, opt->qemu);
	add(&w, "-M");
	/* a seed in the device tree would make no two counted runs alike */
	fbk_lab_words_add(&w, fbk_lab_fmt("virt,virtualization=on,gic-version=3%s",
					  opt->icount ? ",dtb-randomness=off" : ""));
	add(&w, "-cpu");
	add(&w, opt->cpu);
	add(&w, "-smp");
	fbk_lab_words_add(&w, fbk_lab_fmt("%u", opt->cpus));
	add(&w, "-m");
	fbk_lab_words_add(&w, fbk_lab_fmt("%uM", opt->memory_mib));
	add(&w, "-nodefaults");
	add(&w, "-no-user-config");
	add(&w, "-no-reboot");
	add(&w, "-display");
	add(&w, "none");
	if (opt->icount) {
		add(&w, "-icount");
		add(&w, "shift=0,sleep=off");
		add(&w, "-rtc");
		add(&w, "base=2026-01-01T00:00:00,clock=vm");
		add(&w, "-seed");
		add(&w, "1");
	}
	add_channel(&w, "log", log);
	add(&w, "-serial");
	add(&w, "chardev:log");
	add(&w, "-device");
	/* the device hears of its queues at once, not when the main loop gets round to it:
	 * else no two counted runs are alike */
	add(&w, "virtio-serial-pci,ioeventfd=off");
	add_port(&w, "ctl", 1, ctl);
	add_port(&w, "io", 2, io);
	if (opt->out) {
		channel(&machine->out, &out);
		add_port(&w, "out", 3, out);
	}
	if (opt->use_stdin) {
		channel(&machine->in, &in);
		add_port(&w, "stdin", 4, in);
	}
	if (!opt->icount) {
		channel(&machine->monitor, &monitor);
		add_channel(&w, "monitor", monitor);
		add(&w, "-mon");
		add(&w, "chardev=monitor,mode=readline");
	}
	add(&w, "-kernel");
	add(&w, kernel->image);
	add(&w, "-initrd");
	fbk_lab_words_add(&w, fbk_lab_fmt("/proc/self/fd/%d", initramfs));
	add(&w, "-append");
	fbk_lab_words_add(&w, kernel_args(opt));
	for (unsigned int i = 0; i < opt->qemu_args.n; i++)
		add(&w, opt->qemu_args.v[i]);

	machine->pid = fork();
	if (machine->pid < 0)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "no process for QEMU: %s", strerror(errno));
	if (machine->pid == 0) {
		sigset_t none;
		int null = open("/dev/null", O_RDWR);

		/* not the terminal's business: this program passes signals on */
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(127);
		dup2(null, 0);
		dup2(err[1], 1);
		dup2(err[1], 2);
		fcntl(2, F_SETFL, fcntl(2, F_GETFL) & ~O_NONBLOCK);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execvp(w.v[0], w.v);
		_exit(127);
	}
	close(io);
	close(ctl);
	close(log);
	close(err[1]);
	close(initramfs);
	if (out >= 0)
		close(out);
	if (in >= 0)
		close(in);
	if (monitor >= 0)
		close(monitor);
	words_free(&w);
}
