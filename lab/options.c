// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "say.h"
#include "status.h"

static const char help_text[] =
	"usage: lab [OPTIONS] PAYLOAD [ARGS...] [-- QEMU-ARGS... [-- KERNEL-ARGS...]]\n"
	"       lab [OPTIONS] -c COMMAND        [-- QEMU-ARGS... [-- KERNEL-ARGS...]]\n"
	"       lab [OPTIONS] shell             [-- QEMU-ARGS... [-- KERNEL-ARGS...]]\n"
	"\n"
	"Boots an arm64 KVM host, runs PAYLOAD (a static arm64 program or a script of this\n"
	"machine, copied in) in it as root, and hands back its output and exit status.\n"
	"'shell' is an interactive shell; Ctrl-A x ends it, Ctrl-A Ctrl-A sends a Ctrl-A.\n"
	"\n"
	"  --kernel NAME|DIR|IMAGE  host kernel: a name in the cache (7, 6.12, ...), a folder with\n"
	"                           Image and modules/, or an Image\n"
	"  --modules DIR            modules for that kernel\n"
	"  --icount                 count instructions: exact, repeatable, one a virtual nanosecond\n"
	"  --cpus N                 processors (2; with --icount 1)\n"
	"  --memory SIZE            memory, in MiB or with M or G (4G)\n"
	"  --timeout SECONDS        end a payload that takes longer\n"
	"  --silence SECONDS        end a payload that prints nothing for longer\n"
	"  --boot-timeout SECONDS   end a lab that does not reach the payload (120)\n"
	"  --qemu PATH              another qemu-system-aarch64, 7.2 or later\n"
	"  --cpu MODEL              processor model (neoverse-n1)\n"
	"  --add FILE[:PATH]        copy a file or folder in, to PATH (/payload/NAME); repeatable\n"
	"  --env NAME=VALUE         environment of the payload; repeatable\n"
	"  --out DIR                bring back to DIR what the payload leaves in /out\n"
	"  --log FILE               kernel console log\n"
	"  --append ARGS            arguments for the host kernel; repeatable\n"
	"  --stdin                  give the payload this command's standard input\n"
	"  --require-sea            refuse a host kernel without KVM_CAP_ARM_SEA_TO_USER\n"
	"  --no-require-kvm         run even where the host kernel has no KVM\n"
	"  --native                 no lab: run on this machine, an arm64 one with /dev/kvm\n"
	"  -c COMMAND               run a line of the lab's sh instead of a payload\n"
	"  -h, --help               this text\n"
	"\n"
	"Exit status: the payload's own up to 198, 199 for anything above, 128+N for death by\n"
	"signal N. Of the lab: 200 wrong command line, 201 nothing cached and no network, 202 disk\n"
	"full, 203 packages missing and not root, 204 corrupt cache, 205 QEMU missing or too old,\n"
	"206 host kernel without KVM, 207 host kernel without KVM_CAP_ARM_SEA_TO_USER, 208 payload\n"
	"timeout, 209 lab kernel panic, 210 QEMU or the lab ended first, 211 lab did not boot in\n"
	"time, 212 unusable file, 213 /out could not be brought back, 214 anything else.\n";

enum {
	OPT_KERNEL = 256,
	OPT_MODULES,
	OPT_ICOUNT,
	OPT_CPUS,
	OPT_MEMORY,
	OPT_TIMEOUT,
	OPT_SILENCE,
	OPT_BOOT_TIMEOUT,
	OPT_QEMU,
	OPT_CPU,
	OPT_ADD,
	OPT_ENV,
	OPT_OUT,
	OPT_LOG,
	OPT_APPEND,
	OPT_STDIN,
	OPT_REQUIRE_SEA,
	OPT_NO_REQUIRE_KVM,
	OPT_NATIVE,
};

static const struct option long_options[] = {
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "modules", required_argument, NULL, OPT_MODULES },
	{ "icount", no_argument, NULL, OPT_ICOUNT },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "silence", required_argument, NULL, OPT_SILENCE },
	{ "boot-timeout", required_argument, NULL, OPT_BOOT_TIMEOUT },
	{ "qemu", required_argument, NULL, OPT_QEMU },
	{ "cpu", required_argument, NULL, OPT_CPU },
	{ "add", required_argument, NULL, OPT_ADD },
	{ "env", required_argument, NULL, OPT_ENV },
	{ "out", required_argument, NULL, OPT_OUT },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "stdin", no_argument, NULL, OPT_STDIN },
	{ "require-sea", no_argument, NULL, OPT_REQUIRE_SEA },
	{ "no-require-kvm", no_argument, NULL, OPT_NO_REQUIRE_KVM },
	{ "native", no_argument, NULL, OPT_NATIVE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

void fbk_lab_words_add(struct fbk_lab_words *words, char *s)
{
	char **v = realloc(words->v, (words->n + 2) * sizeof(*v));

	if (!v)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "out of memory");
	v[words->n++] = s;
	v[words->n] = NULL;
	words->v = v;
}

/* a plain decimal number in [min, max], nothing before or behind it */
static unsigned int number(const char *name, const char *s, unsigned int min,
			   unsigned int max)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(s, &end, 10);
	if (!isdigit((unsigned char)*s) || *end || errno || n < min || n > max)
		fbk_lab_die(FBK_LAB_E_USAGE, "--%s wants a number from %u to %u, not '%s'",
			    name, min, max, s);
	return n;
}

static unsigned int memory_mib(const char *s)
{
	size_t len = strlen(s);
	unsigned long n, unit = 1;
	char *end;

	if (len && strchr("Gg", s[len - 1]))
		unit = 1024;
	errno = 0;
	n = strtoul(s, &end, 10);
	if (!isdigit((unsigned char)*s) || errno || n > 1048576 ||
	    (*end && (!strchr("MmGg", *end) || end[1])) || n * unit < 256 || n * unit > 1048576)
		fbk_lab_die(FBK_LAB_E_USAGE,
			    "--memory wants a size from 256M to 1024G, not '%s'", s);
	return n * unit;
}

static void parse_long(struct fbk_lab_options *opt, int c)
{
	switch (c) {
	case OPT_KERNEL:
		opt->kernel = optarg;
		break;
	case OPT_MODULES:
		opt->modules = optarg;
		break;
	case OPT_ICOUNT:
		opt->icount = true;
		break;
	case OPT_CPUS:
		opt->cpus = number("cpus", optarg, 1, 64);
		break;
	case OPT_MEMORY:
		opt->memory_mib = memory_mib(optarg);
		break;
	case OPT_TIMEOUT:
		opt->timeout_s = number("timeout", optarg, 1, 1000000);
		break;
	case OPT_SILENCE:
		opt->silence_s = number("silence", optarg, 1, 1000000);
		break;
	case OPT_BOOT_TIMEOUT:
		opt->boot_timeout_s = number("boot-timeout", optarg, 1, 1000000);
		break;
	case OPT_QEMU:
		opt->qemu = optarg;
		break;
	case OPT_CPU:
		opt->cpu = optarg;
		break;
	case OPT_ADD:
		fbk_lab_words_add(&opt->adds, optarg);
		break;
	case OPT_ENV:
		if (!strchr(optarg, '=') || *optarg == '=')
			fbk_lab_die(FBK_LAB_E_USAGE, "--env wants NAME=VALUE, not '%s'", optarg);
		fbk_lab_words_add(&opt->env, optarg);
		break;
	case OPT_OUT:
		opt->out = optarg;
		break;
	case OPT_LOG:
		opt->log = optarg;
		break;
	case OPT_APPEND:
		fbk_lab_words_add(&opt->append, optarg);
		break;
	case OPT_STDIN:
		opt->use_stdin = true;
		break;
	case OPT_REQUIRE_SEA:
		opt->require_sea = true;
		break;
	case OPT_NO_REQUIRE_KVM:
		opt->require_kvm = false;
		break;
	case OPT_NATIVE:
		opt->native = true;
		break;
	}
}

/* what follows the options: PAYLOAD ARGS -- QEMU-ARGS -- KERNEL-ARGS; getopt has eaten
 * a "--" that came before it */
static void parse_rest(struct fbk_lab_options *opt, char **argv, bool eaten)
{
	struct fbk_lab_words *part[] = { &opt->args, &opt->qemu_args, &opt->append };
	unsigned int at = opt->command && eaten;

	if (!opt->command && *argv && strcmp(*argv, "--")) {
		opt->payload = *argv++;
		opt->shell = !strcmp(opt->payload, "shell");
	}
	for (; *argv; argv++) {
		if (at < 2 && !strcmp(*argv, "--"))
			at++;
		else
			fbk_lab_words_add(part[at], *argv);
	}
	if (!opt->payload && !opt->command)
		fbk_lab_die(FBK_LAB_E_USAGE, "no payload: name a program or script, 'shell', or -c COMMAND (lab --help)");
	if ((opt->shell || opt->command) && opt->args.n)
		fbk_lab_die(FBK_LAB_E_USAGE, "'%s' is one word too many: %s takes no arguments",
			    opt->args.v[0], opt->shell ? "shell" : "-c COMMAND");
}

static void check(const struct fbk_lab_options *opt)
{
	if (opt->shell && opt->use_stdin)
		fbk_lab_die(FBK_LAB_E_USAGE, "--stdin makes no sense with 'shell': it has the terminal");
	if (opt->silence_s && (opt->native || opt->shell))
		fbk_lab_die(FBK_LAB_E_USAGE, "--silence is for a payload in the lab: neither 'shell' nor --native with it");
	if (opt->native && (opt->kernel || opt->icount || opt->qemu || opt->adds.n ||
			    opt->append.n || opt->qemu_args.n || opt->cpu || opt->modules))
		fbk_lab_die(FBK_LAB_E_USAGE,
			    "--native runs on this machine as it is: no kernel, QEMU, or --add with it");
}

void fbk_lab_options_parse(struct fbk_lab_options *opt, int argc, char **argv)
{
	int c;

	*opt = (struct fbk_lab_options){
		.qemu = NULL,
		.memory_mib = 4096,
		.boot_timeout_s = 120,
		.require_kvm = true,
	};
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:hc:", long_options, NULL)) != -1) {
		switch (c) {
		case 'h':
			fputs(help_text, stdout);
			exit(0);
		case 'c':
			opt->command = optarg;
			break;
		case ':':
			fbk_lab_die(FBK_LAB_E_USAGE, "option '%s' wants a value", argv[optind - 1]);
		case '?':
			if (optopt && optopt < 256)
				fbk_lab_die(FBK_LAB_E_USAGE, "unknown option '-%c' (lab --help lists them)",
					    optopt);
			fbk_lab_die(FBK_LAB_E_USAGE, "%s option '%s' (lab --help lists them)",
				    optopt ? "no value may be given to" : "unknown or ambiguous",
				    argv[optind - 1]);
		default:
			parse_long(opt, c);
		}
	}
	parse_rest(opt, argv + optind,
		   !strcmp(argv[optind - 1], "--") && argv[optind - 1] != opt->command);
	check(opt);
	if (!opt->cpus)
		opt->cpus = opt->icount ? 1 : 2;
	if (!opt->cpu)
		opt->cpu = "neoverse-n1";
	if (!opt->qemu)
		opt->qemu = "qemu-system-aarch64";
}
