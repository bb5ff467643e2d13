// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "say.h"
#include "session.h"
#include "status.h"
#include "terminal.h"

/* without news, when news is due */
#define GRACE_MS 15000
/* from a panic to QEMU's end: the kernel resets at once, QEMU then stops */
#define PANIC_GRACE_MS 5000
/* for what QEMU's monitor has to say of a machine that is out of time */
#define ASK_MS 2000
#define NEVER (~0ULL)

enum outcome {
	RUNNING,
	EXITED, /* the payload, with a status */
	FAILED, /* the lab's init gave up */
	TIMED_OUT,
	SILENT,
	NOT_BOOTED,
	LEFT, /* by the escape key */
};

struct buf {
	char data[4096];
	size_t at, len;
};

struct session {
	struct fbk_lab_machine *m;
	const struct fbk_lab_options *opt;
	struct fbk_lab_log *log;
	enum outcome outcome;
	int status; /* of the payload */
	unsigned long long len, due; /* bytes of output that came, that there are in all */
	bool ending; /* the machine was told to stop */
	bool asked; /* its monitor was asked where the processors are */
	char fail[64]; /* what the lab's init could not do */
	int qemu_status;
	bool ready, gone, out_broken, stdout_broken;
	int stdout_errno;
	int signal; /* that ends this program */
	int sigfd;
	unsigned long long deadline; /* ms */
	unsigned long long heard; /* ms: the payload's last output, or its start */
	pid_t tar; /* 0: none, or ended */
	int tar_status;
	struct buf to_stdout, to_lab;
	bool stdin_open;
	char ctl_line[256];
	size_t ctl_len;
	char err_line[256]; /* QEMU's last words */
	size_t err_len;
};

static unsigned long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

static void set_of_signals(sigset_t *set)
{
	static const int list[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD, SIGPIPE };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		sigaddset(set, list[i]);
}

void fbk_lab_session_signals(void)
{
	sigset_t set;

	set_of_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void machine_kill(struct session *s)
{
	if (!s->gone)
		kill(s->m->pid, SIGKILL);
}

static void tar_start(struct session *s)
{
	sigset_t none;

	if (s->m->out < 0)
		return;
	s->tar = fork();
	if (s->tar == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		fcntl(s->m->out, F_SETFL, fcntl(s->m->out, F_GETFL) & ~O_NONBLOCK);
		dup2(s->m->out, 0);
		dup2(2, 1);
		/* Block by block: the archive's end is seen when it comes. The lab's tar does not fill
		 * up its last record, and the channel stays open until the lab is ended. The lab's clock may
		 * be ahead of this machine's by what they both round: that is nobody's concern. */
		execlp("tar", "tar", "-x", "-b", "1", "-f", "-", "-C", s->opt->out, "--no-same-owner",
		       "--no-overwrite-dir", "--warning=no-timestamp", NULL);
		_exit(127);
	}
	close(s->m->out);
	s->m->out = -1;
}

static void ctl_line(struct session *s, const char *line)
{
	if (!strcmp(line, "ready")) {
		s->ready = true;
		s->heard = now_ms();
		s->deadline = s->opt->timeout_s ? now_ms() + s->opt->timeout_s * 1000ULL : NEVER;
	} else if (!strncmp(line, "fail ", 5)) {
		if (!strcmp(line, "fail out")) {
			s->out_broken = true;
			return;
		}
		s->outcome = FAILED;
		snprintf(s->fail, sizeof(s->fail), "%.60s", line + 5);
		s->deadline = now_ms() + GRACE_MS;
	} else if (sscanf(line, "exit %d %llu", &s->status, &s->due) == 2 &&
		   s->outcome == RUNNING) {
		s->outcome = EXITED;
		s->deadline = now_ms() + GRACE_MS;
	}
}

/* reads what is there; at the end of a channel closes it */
static ssize_t take(int *fd, char *data, size_t len)
{
	ssize_t n = read(*fd, data, len);

	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	close(*fd);
	*fd = -1;
	return 0;
}

static void on_ctl(struct session *s)
{
	char data[256];
	ssize_t n = take(&s->m->ctl, data, sizeof(data));

	for (ssize_t i = 0; i < n; i++) {
		if (data[i] == '\n') {
			s->ctl_line[s->ctl_len] = '\0';
			s->ctl_len = 0;
			ctl_line(s, s->ctl_line);
		} else if (s->ctl_len < sizeof(s->ctl_line) - 1) {
			s->ctl_line[s->ctl_len++] = data[i];
		}
	}
}

static void on_log(struct session *s)
{
	char data[4096];
	ssize_t n = take(&s->m->log, data, sizeof(data));
	bool before = s->log->panicked;

	if (n > 0)
		fbk_lab_log_add(s->log, data, n);
	if (s->log->panicked && !before)
		s->deadline = now_ms() + PANIC_GRACE_MS;
}

static void on_err(struct session *s)
{
	char data[512];
	ssize_t n = take(&s->m->err, data, sizeof(data));

	if (n > 0)
		fbk_lab_log_add(s->log, data, n);
	for (ssize_t i = 0; i < n; i++) {
		/* keep the last line until another one begins */
		if (s->err_len && s->err_line[s->err_len - 1] == '\n')
			s->err_len = 0;
		if (s->err_len < sizeof(s->err_line) - 1)
			s->err_line[s->err_len++] = data[i];
	}
	s->err_line[s->err_len] = '\0';
}

static void on_monitor(struct session *s)
{
	char data[4096];
	ssize_t n = take(&s->m->monitor, data, sizeof(data));

	if (n > 0 && s->asked)
		fbk_lab_log_add(s->log, data, n);
}

static void on_signal(struct session *s)
{
	struct signalfd_siginfo si;

	if (read(s->sigfd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGCHLD) {
		if (!s->gone && waitpid(s->m->pid, &s->qemu_status, WNOHANG) == s->m->pid) {
			s->gone = true;
			s->deadline = NEVER;
		}
		if (s->tar && waitpid(s->tar, &s->tar_status, WNOHANG) == s->tar)
			s->tar = 0;
	} else if (si.ssi_signo != SIGPIPE) {
		s->signal = si.ssi_signo;
		machine_kill(s);
	}
}

static void on_io(struct session *s)
{
	ssize_t n = take(&s->m->io, s->to_stdout.data, sizeof(s->to_stdout.data));

	if (n > 0)
		s->heard = now_ms();
	s->len += n;
	s->to_stdout.at = 0;
	s->to_stdout.len = s->stdout_broken ? 0 : n;
}

static void flush_stdout(struct session *s)
{
	struct buf *b = &s->to_stdout;
	ssize_t n = write(1, b->data + b->at, b->len - b->at);

	if (n >= 0) {
		b->at += n;
	} else if (errno != EINTR && errno != EAGAIN) {
		s->stdout_broken = true;
		s->stdout_errno = errno;
		machine_kill(s);
		b->at = b->len;
	}
}

/* standard input: the shell's terminal, or what the payload reads */
static void on_stdin(struct session *s)
{
	struct buf *b = &s->to_lab;
	/* one byte is kept free for an escape key held back */
	ssize_t n = read(0, b->data, s->opt->shell ? 256 : sizeof(b->data));
	size_t len;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	b->at = b->len = 0;
	if (n <= 0) {
		s->stdin_open = false;
		if (!s->opt->shell && s->m->in >= 0) {
			/* The payload sees the end. A close would be a hang-up, at which
			 * QEMU forgets what it has not yet read. */
			shutdown(s->m->in, SHUT_WR);
		} else if (s->opt->shell) {
			b->data[0] = 4; /* ^D, as a terminal would say it */
			b->len = 1;
		}
		return;
	}
	len = n;
	if (s->opt->shell && fbk_lab_terminal_keys(b->data, &len)) {
		s->outcome = LEFT;
		machine_kill(s);
		len = 0;
	}
	b->len = len;
}

static void flush_lab(struct session *s)
{
	int *fd = s->opt->shell ? &s->m->io : &s->m->in;
	struct buf *b = &s->to_lab;
	ssize_t n;

	if (*fd < 0) {
		b->at = b->len = 0;
		return;
	}
	n = write(*fd, b->data + b->at, b->len - b->at);
	if (n >= 0)
		b->at += n;
	else if (errno != EAGAIN && errno != EINTR)
		b->at = b->len; /* the lab is going; its end is seen elsewhere */
}

/* the payload is done: once all it has left is here, so is the machine */
static void end_when_complete(struct session *s)
{
	if (s->outcome != EXITED || s->ending || s->gone)
		return;
	if (s->to_stdout.at < s->to_stdout.len)
		s->deadline = now_ms() + GRACE_MS; /* whoever reads this takes his time */
	if (s->len < s->due || (s->tar && !s->out_broken))
		return;
	s->ending = true;
	s->deadline = now_ms() + GRACE_MS;
	kill(s->m->pid, SIGTERM);
}

/* One that stood still is told from one that was slow by where its processors are, which goes to the log. */
static bool ask(struct session *s)
{
	static const char question[] = "info registers -a\n";

	s->asked = (s->outcome == TIMED_OUT || s->outcome == SILENT || s->outcome == NOT_BOOTED) && s->m->monitor >= 0 &&
		   write(s->m->monitor, question, sizeof(question) - 1) == sizeof(question) - 1;
	return s->asked;
}

/* ms: when the session has waited long enough, for whatever it waits */
static unsigned long long due(const struct session *s)
{
	unsigned long long silence = s->heard + s->opt->silence_s * 1000ULL;

	return s->opt->silence_s && s->ready && s->outcome == RUNNING && silence < s->deadline ? silence :
												 s->deadline;
}

static void on_deadline(struct session *s)
{
	if (s->outcome == RUNNING && !s->log->panicked)
		s->outcome = !s->ready ? NOT_BOOTED : due(s) < s->deadline ? SILENT : TIMED_OUT;
	if (!s->asked && ask(s)) {
		s->deadline = now_ms() + ASK_MS;
		return;
	}
	s->deadline = NEVER;
	machine_kill(s);
}

static void watch(struct pollfd *p, int fd, short events)
{
	p->fd = fd;
	p->events = events;
	p->revents = 0;
}

static bool open_channels(const struct session *s)
{
	return s->m->io >= 0 || s->m->ctl >= 0 || s->m->log >= 0 || s->m->err >= 0 ||
	       s->to_stdout.at < s->to_stdout.len;
}

static void turn(struct session *s)
{
	enum { SIGNAL, CTL, LOG, ERR, MONITOR, IO, STDOUT, STDIN, LAB, N };
	bool out_full = s->to_stdout.at < s->to_stdout.len;
	bool lab_full = s->to_lab.at < s->to_lab.len;
	unsigned long long now = now_ms(), then = due(s);
	struct pollfd p[N];
	int wait = -1;

	if (then != NEVER) {
		if (now >= then) {
			on_deadline(s);
			return;
		}
		wait = then - now > 1000000 ? 1000000 : (int)(then - now);
	}
	watch(&p[SIGNAL], s->sigfd, POLLIN);
	watch(&p[CTL], s->m->ctl, POLLIN);
	watch(&p[LOG], s->m->log, POLLIN);
	watch(&p[ERR], s->m->err, POLLIN);
	watch(&p[MONITOR], s->m->monitor, POLLIN);
	watch(&p[IO], out_full ? -1 : s->m->io, POLLIN);
	watch(&p[STDOUT], out_full ? 1 : -1, POLLOUT);
	watch(&p[STDIN], s->stdin_open && s->ready && !lab_full && !s->gone ? 0 : -1, POLLIN);
	watch(&p[LAB], lab_full ? (s->opt->shell ? s->m->io : s->m->in) : -1, POLLOUT);
	if (lab_full && p[LAB].fd < 0)
		flush_lab(s);
	if (poll(p, N, wait) < 0) {
		if (errno != EINTR)
			fbk_lab_die(FBK_LAB_E_SYSTEM, "poll: %s", strerror(errno));
		return;
	}
	if (p[SIGNAL].revents)
		on_signal(s);
	if (p[CTL].revents)
		on_ctl(s);
	if (p[LOG].revents)
		on_log(s);
	if (p[ERR].revents)
		on_err(s);
	if (p[MONITOR].revents)
		on_monitor(s);
	if (p[STDOUT].revents)
		flush_stdout(s);
	if (p[IO].revents)
		on_io(s);
	if (p[STDIN].revents)
		on_stdin(s);
	if (p[LAB].revents)
		flush_lab(s);
	end_when_complete(s);
}

static bool tar_ok(struct session *s)
{
	if (s->tar)
		while (waitpid(s->tar, &s->tar_status, 0) < 0 && errno == EINTR)
			;
	return WIFEXITED(s->tar_status) && !WEXITSTATUS(s->tar_status);
}

static int failure(const struct session *s)
{
	if (!strcmp(s->fail, "nokvm")) {
		fbk_lab_say("the host kernel has no KVM (--no-require-kvm runs without; console log: %s)",
			    s->log->path);
		return FBK_LAB_E_NOKVM;
	}
	if (!strcmp(s->fail, "nosea")) {
		fbk_lab_say("the host kernel has no KVM_CAP_ARM_SEA_TO_USER (Linux 6.19 or later, or a patched one, has; console log: %s)",
			    s->log->path);
		return FBK_LAB_E_NOSEA;
	}
	fbk_lab_say("the lab's init gave up: %s (console log: %s)", s->fail, s->log->path);
	return FBK_LAB_E_DIED;
}

static void died(const struct session *s)
{
	const char *words = s->err_len ? s->err_line : "";
	char how[64];

	if (WIFEXITED(s->qemu_status) && !WEXITSTATUS(s->qemu_status)) {
		fbk_lab_say("the lab was switched off before the payload ended (console log: %s)",
			    s->log->path);
		return;
	}
	if (WIFSIGNALED(s->qemu_status))
		snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(s->qemu_status));
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(s->qemu_status));
	fbk_lab_say("QEMU %s before the payload did%s%.*s (console log: %s)", how,
		    *words ? ": " : "", (int)strcspn(words, "\n"), words, s->log->path);
}

static int payload_status(struct session *s, bool tar)
{
	if (s->len < s->due) {
		fbk_lab_say("%llu bytes of the payload's output never arrived (console log: %s)",
			    s->due - s->len, s->log->path);
		return FBK_LAB_E_DIED;
	}
	if (!tar || s->out_broken) {
		fbk_lab_say("what the payload left in /out could not be brought to %s", s->opt->out);
		return FBK_LAB_E_OUT;
	}
	if (s->status >= FBK_LAB_PAYLOAD_MAX) {
		fbk_lab_say("the payload's exit status was %d", s->status);
		return FBK_LAB_PAYLOAD_MAX;
	}
	return s->status;
}

static int verdict(struct session *s)
{
	bool tar = tar_ok(s);

	if (s->stdout_broken && s->stdout_errno == ENOSPC) {
		fbk_lab_say("disk full: the payload's output could not be written");
		return FBK_LAB_E_DISK;
	}
	if (s->stdout_broken && s->stdout_errno != EPIPE) {
		fbk_lab_say("the payload's output could not be written: %s",
			    strerror(s->stdout_errno));
		return FBK_LAB_E_SYSTEM;
	}
	switch (s->outcome) {
	case EXITED:
		return payload_status(s, tar);
	case LEFT:
		fputs("\r\n", stderr);
		return 0;
	case FAILED:
		return failure(s);
	case TIMED_OUT:
		fbk_lab_say("payload timeout: not done after %u s (console log: %s)",
			    s->opt->timeout_s, s->log->path);
		return FBK_LAB_E_TIMEOUT;
	case SILENT:
		fbk_lab_say("payload timeout: silent for %u s (console log: %s)", s->opt->silence_s,
			    s->log->path);
		return FBK_LAB_E_TIMEOUT;
	case NOT_BOOTED:
		fbk_lab_say("the lab did not reach the payload within %u s (console log: %s)",
			    s->opt->boot_timeout_s, s->log->path);
		return FBK_LAB_E_BOOT;
	case RUNNING:
		break;
	}
	if (s->log->panicked) {
		fbk_lab_say("lab kernel panic: %s (console log: %s)", s->log->panic, s->log->path);
		return FBK_LAB_E_PANIC;
	}
	died(s);
	return FBK_LAB_E_DIED;
}

static void end_by_signal(int sig)
{
	sigset_t set;

	fbk_lab_terminal_restore();
	signal(sig, SIG_DFL);
	raise(sig);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int fbk_lab_session_run(struct fbk_lab_machine *machine, const struct fbk_lab_options *opt,
			struct fbk_lab_log *log)
{
	struct session s = {
		.m = machine,
		.opt = opt,
		.log = log,
		.stdin_open = opt->shell || opt->use_stdin,
		.deadline = now_ms() + opt->boot_timeout_s * 1000ULL,
	};
	sigset_t set;
	int status;

	set_of_signals(&set);
	sigdelset(&set, SIGPIPE);
	s.sigfd = signalfd(-1, &set, SFD_CLOEXEC);
	if (s.sigfd < 0)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "signalfd: %s", strerror(errno));
	tar_start(&s);
	while (!s.gone || (open_channels(&s) && !s.signal))
		turn(&s);
	fbk_lab_terminal_restore();
	if (s.signal)
		end_by_signal(s.signal);
	if (s.stdout_broken && s.stdout_errno == EPIPE)
		end_by_signal(SIGPIPE);
	status = verdict(&s);
	close(s.sigfd);
	return status;
}
