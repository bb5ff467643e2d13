// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * firebreak-lab: an arm64 KVM host in a box, for one payload. Started by the script
 * lab/lab, which sees to the cache and names in the environment
 *
 *   FIREBREAK_LAB_DIR   the folder of lab/setup
 *   FIREBREAK_LAB_INIT  the lab's init, an arm64 program (lab/init.c)
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "initramfs.h"
#include "log.h"
#include "machine.h"
#include "native.h"
#include "options.h"
#include "say.h"
#include "session.h"
#include "status.h"
#include "terminal.h"

/* a payload that cannot run in the lab is better told before the lab boots */
static void payload_check(const char *path)
{
	Elf64_Ehdr head;
	struct stat st;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		fbk_lab_die(FBK_LAB_E_FILE, "cannot read the payload '%s': %s", path,
			    strerror(errno));
	if (!S_ISREG(st.st_mode))
		fbk_lab_die(FBK_LAB_E_FILE, "the payload '%s' is not a file", path);
	n = read(fd, &head, sizeof(head));
	close(fd);
	if (n == sizeof(head) && !memcmp(head.e_ident, ELFMAG, SELFMAG) &&
	    head.e_machine != EM_AARCH64)
		fbk_lab_die(FBK_LAB_E_FILE, "the payload '%s' is not an arm64 program", path);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* --add FILE[:PATH] */
static void add_file(struct fbk_lab_cpio *cpio, const char *arg)
{
	char *from = fbk_lab_fmt("%s", arg), *to, *colon = strrchr(from, ':');

	if (colon && colon[1] == '/' && access(arg, F_OK)) {
		*colon = '\0';
		to = fbk_lab_fmt("%s", colon + 1);
	} else {
		size_t len = strlen(from);

		while (len > 1 && from[len - 1] == '/')
			from[--len] = '\0';
		to = fbk_lab_fmt("/payload/%s", base_name(from));
	}
	fbk_lab_cpio_tree(cpio, from, to);
	free(from);
	free(to);
}

static void put_strings(struct fbk_lab_cpio *cpio, const char *path,
			const struct fbk_lab_words *words)
{
	size_t len = 0;
	char *data;

	for (unsigned int i = 0; i < words->n; i++)
		len += strlen(words->v[i]) + 1;
	data = malloc(len + 1);
	if (!data)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "out of memory");
	len = 0;
	for (unsigned int i = 0; i < words->n; i++) {
		size_t n = strlen(words->v[i]) + 1;

		memcpy(data + len, words->v[i], n);
		len += n;
	}
	fbk_lab_cpio_data(cpio, path, 0644, data, len);
	free(data);
}

/* what init is to run, and in what surroundings */
static void put_argv(struct fbk_lab_cpio *cpio, const struct fbk_lab_options *opt)
{
	struct fbk_lab_words argv = { 0 };
	char *path = NULL;

	if (opt->shell) {
		fbk_lab_words_add(&argv, "/bin/sh");
		fbk_lab_words_add(&argv, "-l");
	} else if (opt->command) {
		fbk_lab_words_add(&argv, "/bin/sh");
		fbk_lab_words_add(&argv, "-c");
		fbk_lab_words_add(&argv, (char *)opt->command);
	} else {
		path = fbk_lab_fmt("/payload/%s", base_name(opt->payload));
		fbk_lab_words_add(&argv, path);
		for (unsigned int i = 0; i < opt->args.n; i++)
			fbk_lab_words_add(&argv, opt->args.v[i]);
	}
	put_strings(cpio, "/lab/argv", &argv);
	free(argv.v);
	free(path);
}

static void put_env(struct fbk_lab_cpio *cpio, const struct fbk_lab_options *opt)
{
	struct fbk_lab_words env = { 0 };
	const char *term = getenv("TERM");
	char *t = fbk_lab_fmt("TERM=%s", opt->shell && term ? term : "dumb");

	fbk_lab_words_add(&env, "PATH=/payload:/bin:/sbin:/usr/bin:/usr/sbin");
	fbk_lab_words_add(&env, "HOME=/root");
	fbk_lab_words_add(&env, "USER=root");
	fbk_lab_words_add(&env, t);
	fbk_lab_words_add(&env, "PS1=lab:\\w# ");
	/* output goes through a terminal, but not to one */
	if (!opt->shell)
		fbk_lab_words_add(&env, "NO_COLOR=1");
	fbk_lab_words_add(&env, "FIREBREAK_LAB=1");
	fbk_lab_words_add(&env, "FIREBREAK_OUT=/out");
	for (unsigned int i = 0; i < opt->env.n; i++)
		fbk_lab_words_add(&env, opt->env.v[i]);
	put_strings(cpio, "/lab/env", &env);
	free(env.v);
	free(t);
}

static void put_config(struct fbk_lab_cpio *cpio, const struct fbk_lab_options *opt)
{
	struct winsize ws = { 0 };
	char *s;

	if (opt->shell)
		ioctl(0, TIOCGWINSZ, &ws);
	s = fbk_lab_fmt("\n%s%s%s%s%ssize %u %u\n", opt->require_kvm ? "require-kvm\n" : "",
			opt->require_sea ? "require-sea\n" : "", opt->out ? "out\n" : "",
			opt->use_stdin ? "stdin\n" : "", opt->shell ? "shell\n" : "",
			ws.ws_row ? ws.ws_row : 24, ws.ws_col ? ws.ws_col : 80);
	fbk_lab_cpio_data(cpio, "/lab/config", 0644, s, strlen(s));
	free(s);
}

static int make_initramfs(const struct fbk_lab_options *opt, const struct fbk_lab_kernel *kernel)
{
	static const char *const dirs[] = { "bin", "sbin", "usr/bin", "usr/sbin", "root", "etc",
					    "proc", "sys", "dev", "tmp", "run", "out", "mnt",
					    "payload" };
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n";
	struct fbk_lab_cpio *cpio = fbk_lab_cpio_new();
	const char *init = getenv("FIREBREAK_LAB_INIT");
	char *path;

	if (!init)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "FIREBREAK_LAB_INIT is not set: start the lab by lab/lab");
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		fbk_lab_cpio_dir(cpio, dirs[i]);
	fbk_lab_cpio_node(cpio, "/dev/console", 5, 1);
	fbk_lab_cpio_node(cpio, "/dev/null", 1, 3);
	fbk_lab_cpio_data(cpio, "/etc/passwd", 0644, passwd, sizeof(passwd) - 1);
	fbk_lab_cpio_data(cpio, "/etc/group", 0644, "root:x:0:\n", 10);
	fbk_lab_cpio_program(cpio, init, "/init");
	path = fbk_lab_fmt("%s/userland/busybox", fbk_lab_cache_dir());
	fbk_lab_cpio_tree(cpio, path, "/bin/busybox");
	free(path);
	if (kernel->modules)
		fbk_lab_cpio_tree(cpio, kernel->modules, "/modules");
	put_config(cpio, opt);
	put_argv(cpio, opt);
	put_env(cpio, opt);
	for (unsigned int i = 0; i < opt->adds.n; i++)
		add_file(cpio, opt->adds.v[i]);
	if (opt->payload && !opt->shell) {
		path = fbk_lab_fmt("/payload/%s", base_name(opt->payload));
		fbk_lab_cpio_program(cpio, opt->payload, path);
		free(path);
	}
	return fbk_lab_cpio_finish(cpio);
}

static void check_out(const char *out)
{
	struct stat st;

	if (mkdir(out, 0777) < 0 && errno != EEXIST)
		fbk_lab_die(FBK_LAB_E_FILE, "cannot make the folder '%s': %s", out, strerror(errno));
	if (stat(out, &st) < 0 || !S_ISDIR(st.st_mode) || access(out, W_OK))
		fbk_lab_die(FBK_LAB_E_FILE, "'%s' is not a folder that can be written", out);
}

int main(int argc, char **argv)
{
	/* live as long as the program: nobody frees them */
	static struct fbk_lab_options opt;
	static struct fbk_lab_kernel kernel;
	static struct fbk_lab_log log;
	struct fbk_lab_machine machine;
	pid_t parent = getppid();
	int initramfs;

	fbk_lab_options_parse(&opt, argc, argv);
	/* a dying parent must not leave a lab behind */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return FBK_LAB_E_SYSTEM;
	if (opt.payload && !opt.shell)
		payload_check(opt.payload);
	if (opt.out)
		check_out(opt.out);
	if (opt.native)
		return fbk_lab_native(&opt);
	fbk_lab_machine_check(&opt);
	fbk_lab_kernel_find(&kernel, opt.kernel, opt.modules);
	fbk_lab_cache_verify(&kernel);
	initramfs = make_initramfs(&opt, &kernel);
	fbk_lab_log_open(&log, opt.log);
	fbk_lab_session_signals();
	fbk_lab_machine_start(&machine, &opt, &kernel, initramfs);
	if (opt.shell)
		fbk_lab_terminal_raw();
	return fbk_lab_session_run(&machine, &opt, &log);
}
