// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * sea-inject: the command-line face of /dev/sea_inject. See sea-inject(8).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sea_inject.h"

/* Documented in sea-inject(8). */
enum {
	EXIT_OTHER = 1, /* the system refused: said in words */
	EXIT_USAGE = 2,
	EXIT_NO_DEVICE = 3, /* module not loaded, or no permission */
	EXIT_NO_VM = 4, /* no such process, or it runs no VM */
	EXIT_NO_MEMORY = 5, /* the address is not in guest memory */
	EXIT_SHAPE = 6, /* no such shape */
	EXIT_ARMED = 7, /* armed already */
	EXIT_NOT_ARMED = 8, /* nothing to disarm */
	EXIT_UNSUPPORTED = 9, /* this kernel or VM is out of reach */
};

static const char usage_text[] =
	"usage: sea-inject arm (--pid PID [--vm N] (--gpa ADDR | --hva ADDR) | --hpa ADDR)\n"
	"                      [--pages N] [--shape SHAPE] [--ea] [--fnv] [--no-ipa]\n"
	"                      [--set uer|ueo|uc] [--hits N] [--firmware]\n"
	"       sea-inject disarm (--all | [--id ID] [--pid PID [--vm N]] [--gpa ADDR | --hva ADDR])\n"
	"       sea-inject list | status\n"
	"\n"
	"Makes a KVM guest take a synchronous external abort on each access to the page.\n"
	"  --pid PID     the process that runs the VM\n"
	"  --vm N        which of its VMs, from 0, in the order of its descriptors\n"
	"  --gpa ADDR    guest physical address\n"
	"  --hva ADDR    address in that process\n"
	"  --hpa ADDR    host physical address, in whatever VMs it is\n"
	"  --pages N     so many 4 KiB pages from there\n"
	"  --shape SHAPE sea: external abort, on a walk at its true level if a walk meets the page (default);\n"
	"                parity: the same with the parity/ECC codes;\n"
	"                sea-walk:L, parity-walk:L: as if on a walk at level L (-1 to 3)\n"
	"  --ea          slave error\n"
	"  --fnv         the address register is not valid (and no guest physical address)\n"
	"  --no-ipa      no guest physical address\n"
	"  --set X       severity: uer (default), ueo or uc\n"
	"  --hits N      heal the page after N hits\n"
	"  --firmware    the host's firmware tables claim the error (once, unless --hits)\n"
	"Addresses and numbers may be decimal or 0x hexadecimal. Needs root and the sea_inject module.\n"
	"Exit status: 0 done, 1 system error, 2 usage, 3 module not loaded or no permission,\n"
	"4 no such process or no VM in it, 5 address not in guest memory, 6 no such shape,\n"
	"7 armed already, 8 not armed, 9 not possible with this kernel or VM.\n";

static int __attribute__((format(printf, 2, 3))) fail(int status, const char *fmt, ...)
{
	va_list ap;

	fputs("sea-inject: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

static int usage_error(const char *what, const char *arg)
{
	return fail(EXIT_USAGE, "%s%s%s%s (sea-inject --help tells more)", what, arg ? " '" : "",
		    arg ? arg : "", arg ? "'" : "");
}

static bool parse_u64(const char *text, uint64_t max, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	/* strtoull would take a sign and leading space; base 0 would take octal. */
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoull(text, &end, !strncmp(text, "0x", 2) || !strncmp(text, "0X", 2) ? 16 : 10);
	if (errno || *end || v > max)
		return false;
	*ret = v;
	return true;
}

static int open_device(int *ret_fd)
{
	int fd = open(SEA_INJECT_DEVICE, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	switch (errno) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return fail(EXIT_NO_DEVICE, "the sea_inject module is not loaded (no %s)",
			    SEA_INJECT_DEVICE);
	case EACCES:
	case EPERM:
		return fail(EXIT_NO_DEVICE, "only root with CAP_SYS_ADMIN may use %s",
			    SEA_INJECT_DEVICE);
	default:
		return fail(EXIT_OTHER, "cannot open %s: %s", SEA_INJECT_DEVICE, strerror(errno));
	}
}

/* One option set for both subcommands; which one allows what is checked after. */
struct options {
	uint64_t pid, vm, addr, pages, hits, id;
	const char *shape, *set;
	uint32_t flags, by;
	bool has_pid, has_vm, has_pages, has_hits, has_id, all;
};

static int parse_shape(const char *text, struct sea_inject_arm *arm)
{
	static const char walk[] = "-walk:";
	const char *rest;

	if (!strncmp(text, "sea", 3)) {
		arm->kind = SEA_INJECT_KIND_EXTERNAL;
		rest = text + 3;
	} else if (!strncmp(text, "parity", 6)) {
		arm->kind = SEA_INJECT_KIND_PARITY;
		rest = text + 6;
	} else {
		return -1;
	}
	if (!*rest)
		return 0;
	if (strncmp(rest, walk, sizeof(walk) - 1))
		return -1;
	rest += sizeof(walk) - 1;
	arm->flags |= SEA_INJECT_WALK;
	if (!strcmp(rest, "-1")) {
		arm->level = -1;
		return 0;
	}
	if (rest[0] < '0' || rest[0] > '3' || rest[1])
		return -1;
	arm->level = rest[0] - '0';
	return 0;
}

static int parse_set(const char *text, struct sea_inject_arm *arm)
{
	static const struct {
		const char *name;
		uint32_t value;
	} sets[] = {
		{ "uer", SEA_INJECT_SET_UER },
		{ "uc", SEA_INJECT_SET_UC },
		{ "ueo", SEA_INJECT_SET_UEO },
	};

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		if (!strcmp(text, sets[i].name)) {
			arm->set = sets[i].value;
			return 0;
		}
	}
	return -1;
}

static int arm_error(int err, const struct options *o)
{
	switch (err) {
	case EPERM:
		return fail(EXIT_NO_DEVICE, "only root with CAP_SYS_ADMIN may arm pages");
	case ESRCH:
		return o->has_pid ?
			       fail(EXIT_NO_VM, "no process with id %llu",
				    (unsigned long long)o->pid) :
			       fail(EXIT_NO_VM, "the process that runs the VM is exiting");
	case ENODEV:
		return fail(EXIT_NO_VM, "process %llu runs no VM%s%.0llu",
			    (unsigned long long)o->pid, o->vm ? " with number " : "",
			    (unsigned long long)o->vm);
	case ERANGE:
		return fail(EXIT_NO_MEMORY, "address 0x%llx is not in guest memory",
			    (unsigned long long)o->addr);
	case EDOM:
		return fail(EXIT_SHAPE, "the module knows no such shape");
	case EINVAL:
		return fail(EXIT_USAGE, "these options contradict each other");
	case EEXIST:
		return fail(EXIT_ARMED, "address 0x%llx is armed already",
			    (unsigned long long)o->addr);
	case ENOSPC:
		return fail(EXIT_OTHER, "no more than %d pages can be armed at one time",
			    SEA_INJECT_PAGES_MAX);
	case E2BIG:
		return fail(EXIT_UNSUPPORTED, "the loaded module is older than this tool");
	case EOPNOTSUPP:
		return fail(EXIT_UNSUPPORTED,
			    "this VM's memory or this kernel is out of the module's reach (see the kernel log)");
	default:
		return fail(EXIT_OTHER, "cannot arm: %s", strerror(err));
	}
}

static int cmd_arm(const struct options *o)
{
	struct sea_inject_arm arm = {
		.size = sizeof(arm),
		.by = o->by,
		.addr = o->addr,
		.pages = o->has_pages ? o->pages : 1,
		.pid = (int32_t)o->pid,
		.vm = (uint32_t)o->vm,
		.flags = o->flags,
		.hits = o->hits,
	};
	int fd, err;

	if (o->all || o->has_id)
		return usage_error("--all and --id belong to disarm", NULL);
	if (!o->by)
		return usage_error("arm needs --gpa, --hva or --hpa", NULL);
	if (o->by == SEA_INJECT_BY_HPA && (o->has_pid || o->has_vm || o->has_pages))
		return usage_error("--hpa goes without --pid, --vm and --pages", NULL);
	if (o->by != SEA_INJECT_BY_HPA && !o->has_pid)
		return usage_error("--gpa and --hva need --pid", NULL);
	if (o->has_pages && !o->pages)
		return usage_error("--pages must be at least 1", NULL);
	if (o->has_hits && !o->hits)
		return usage_error("--hits must be at least 1", NULL);
	if (o->shape && parse_shape(o->shape, &arm))
		return fail(EXIT_SHAPE, "no shape '%s' (sea, parity, sea-walk:L, parity-walk:L)",
			    o->shape);
	if (o->set && parse_set(o->set, &arm))
		return fail(EXIT_SHAPE, "no severity '%s' (uer, ueo, uc)", o->set);
	if (arm.flags & SEA_INJECT_FNV &&
	    (arm.kind == SEA_INJECT_KIND_PARITY || arm.flags & SEA_INJECT_WALK))
		return usage_error("--fnv exists for the shape sea alone", NULL);
	if (arm.flags & SEA_INJECT_FIRMWARE && !o->has_hits)
		arm.hits = 1;

	err = open_device(&fd);
	if (err)
		return err;
	err = ioctl(fd, SEA_INJECT_ARM, &arm) ? errno : 0;
	close(fd);
	if (err)
		return arm_error(err, o);
	printf("armed id=%llu pages=%u gpa=0x%llx hva=0x%llx\n", (unsigned long long)arm.ret_id,
	       arm.ret_pages, (unsigned long long)arm.ret_gpa, (unsigned long long)arm.ret_hva);
	return 0;
}

static int cmd_disarm(const struct options *o)
{
	struct sea_inject_disarm dis = {
		.size = sizeof(dis),
		.id = o->id,
		.addr = o->addr,
		.pid = (int32_t)o->pid,
		.vm = (uint32_t)o->vm,
	};
	int fd, err;

	if (o->has_pages || o->shape || o->set || o->flags || o->has_hits)
		return usage_error("disarm takes no shape", NULL);
	if (o->by == SEA_INJECT_BY_HPA)
		return usage_error("disarm goes by --id, --pid, --gpa or --hva, not by --hpa", NULL);
	if (o->has_id)
		dis.match |= SEA_INJECT_MATCH_ID;
	if (o->has_pid)
		dis.match |= SEA_INJECT_MATCH_PID;
	if (o->has_vm)
		dis.match |= SEA_INJECT_MATCH_VM;
	if (o->by)
		dis.match |= o->by == SEA_INJECT_BY_GPA ? SEA_INJECT_MATCH_GPA :
							  SEA_INJECT_MATCH_HVA;
	if (!dis.match != o->all)
		return usage_error("disarm needs either --all or what to disarm", NULL);

	err = open_device(&fd);
	if (err)
		return err;
	err = ioctl(fd, SEA_INJECT_DISARM, &dis) ? errno : 0;
	close(fd);
	if (err == ENOENT)
		return fail(EXIT_NOT_ARMED, "no such page is armed");
	if (err)
		return fail(EXIT_OTHER, "cannot disarm: %s", strerror(err));
	printf("disarmed pages=%u\n", dis.ret_pages);
	return 0;
}

/* list: the lines that begin with "page ". status: the others. */
static int cmd_show(bool pages)
{
	char *line = NULL;
	size_t room = 0;
	int fd, err;
	FILE *f;

	err = open_device(&fd);
	if (err)
		return err;
	f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return fail(EXIT_OTHER, "no memory");
	}
	while (getline(&line, &room, f) > 0)
		if (!strncmp(line, "page ", 5) == pages)
			fputs(pages ? line + 5 : line, stdout);
	err = ferror(f) ? errno : 0;
	free(line);
	fclose(f);
	if (fflush(stdout) && !err)
		err = errno;
	return err ? fail(EXIT_OTHER, "cannot show: %s", strerror(err)) : 0;
}

enum { OPT_PID = 256, OPT_VM, OPT_GPA, OPT_HVA, OPT_HPA, OPT_PAGES, OPT_SHAPE, OPT_EA, OPT_FNV,
       OPT_NO_IPA, OPT_SET, OPT_HITS, OPT_FIRMWARE, OPT_ALL, OPT_ID };

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, OPT_PID },
	{ "vm", required_argument, NULL, OPT_VM },
	{ "gpa", required_argument, NULL, OPT_GPA },
	{ "hva", required_argument, NULL, OPT_HVA },
	{ "hpa", required_argument, NULL, OPT_HPA },
	{ "pages", required_argument, NULL, OPT_PAGES },
	{ "shape", required_argument, NULL, OPT_SHAPE },
	{ "ea", no_argument, NULL, OPT_EA },
	{ "fnv", no_argument, NULL, OPT_FNV },
	{ "no-ipa", no_argument, NULL, OPT_NO_IPA },
	{ "set", required_argument, NULL, OPT_SET },
	{ "hits", required_argument, NULL, OPT_HITS },
	{ "firmware", no_argument, NULL, OPT_FIRMWARE },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "id", required_argument, NULL, OPT_ID },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* Returns 0, or the exit status to leave with; -1 for --help. */
static int parse_options(int argc, char **argv, struct options *o)
{
	int c, index;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", long_options, &index)) != -1) {
		uint64_t *number = NULL, max = UINT64_MAX;
		bool addr = false;
		uint32_t by = 0;

		switch (c) {
		case OPT_PID:
			number = &o->pid;
			max = INT32_MAX;
			o->has_pid = true;
			break;
		case OPT_VM:
			number = &o->vm;
			max = UINT32_MAX;
			o->has_vm = true;
			break;
		case OPT_GPA:
		case OPT_HVA:
		case OPT_HPA:
			by = c == OPT_GPA ? SEA_INJECT_BY_GPA :
			     c == OPT_HVA ? SEA_INJECT_BY_HVA :
					    SEA_INJECT_BY_HPA;
			addr = true;
			number = &o->addr;
			break;
		case OPT_PAGES:
			number = &o->pages;
			o->has_pages = true;
			break;
		case OPT_HITS:
			number = &o->hits;
			o->has_hits = true;
			break;
		case OPT_ID:
			number = &o->id;
			o->has_id = true;
			break;
		case OPT_SHAPE:
			o->shape = optarg;
			break;
		case OPT_SET:
			o->set = optarg;
			break;
		case OPT_EA:
			o->flags |= SEA_INJECT_EA;
			break;
		case OPT_FNV:
			o->flags |= SEA_INJECT_FNV;
			break;
		case OPT_NO_IPA:
			o->flags |= SEA_INJECT_NO_IPA;
			break;
		case OPT_FIRMWARE:
			o->flags |= SEA_INJECT_FIRMWARE;
			break;
		case OPT_ALL:
			o->all = true;
			break;
		case 'h':
			return -1;
		case ':':
			return usage_error("no value for", argv[optind - 1]);
		default:
			return usage_error("unknown option", argv[optind - 1]);
		}
		if (addr && o->by)
			return usage_error("give one address only", NULL);
		if (addr)
			o->by = by;
		if (number && !parse_u64(optarg, max, number))
			return usage_error("not a number in range:", optarg);
	}
	if (optind < argc)
		return usage_error("unexpected argument", argv[optind]);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	const char *cmd = argc > 1 ? argv[1] : NULL;
	int status;

	if (!cmd)
		return usage_error("which command? arm, disarm, list or status", NULL);
	if (!strcmp(cmd, "--help") || !strcmp(cmd, "-h") || !strcmp(cmd, "help")) {
		fputs(usage_text, stdout);
		return 0;
	}
	status = parse_options(argc - 1, argv + 1, &o);
	if (status < 0) {
		fputs(usage_text, stdout);
		return 0;
	}
	if (status)
		return status;

	if (!strcmp(cmd, "arm"))
		return cmd_arm(&o);
	if (!strcmp(cmd, "disarm"))
		return cmd_disarm(&o);
	if (!strcmp(cmd, "list") || !strcmp(cmd, "status")) {
		if (argc > 2)
			return usage_error("unexpected argument", argv[2]);
		return cmd_show(!strcmp(cmd, "list"));
	}
	return usage_error("unknown command", cmd);
}
