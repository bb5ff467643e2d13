/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * main.c - `firebreak`: which command is wanted.
 */
#include "command.h"
#include "options.h"
#include "report.h"

#include <stdio.h>
#include <string.h>

#define STATUS_HELP                                                                              \
	"Exit status:\n"                                                                         \
	"   0  the guest powered itself off; check: memory errors can be contained here\n"       \
	"   1  check: guests run here, but their memory errors cannot be contained\n"            \
	"      ledger: the file is damaged\n"                                                   \
	"  10  the guest kernel panicked (\"Kernel panic - not syncing\" on its console)\n"      \
	"  11  stopped by policy after a memory error\n"                                         \
	"  12  the guest reset itself, and --reset=exit was given\n"                             \
	"  13  quit by the operator (Ctrl-A x)\n"                                                \
	"  64  wrong usage\n"                                                                    \
	"  66  kernel, initrd, disk, event, ledger or policy file cannot be used\n"                      \
	"  69  this host cannot do what was asked for (no arm64, no KVM, no GICv3, no SEA)\n"    \
	"  71  the host, or the monitor, failed at run time\n"

static const char help[] =
	"firebreak - a virtual machine monitor for arm64 that contains memory errors\n"
	"\n"
	"  firebreak run --kernel IMAGE [options]   run a Linux guest (firebreak run --help)\n"
	"  firebreak check                          what this host can do, and what is missing\n"
	"  firebreak ledger FILE                    the bad pages that a ledger knows (firebreak ledger --help)\n"
	"  firebreak policy [FILE]                  what is done about memory errors (firebreak policy --help)\n"
	"  firebreak --version\n"
	"\n" STATUS_HELP;

const char fbk_run_help[] =
	"firebreak run - run a Linux guest whose memory errors are contained\n"
	"\n"
	"  --kernel IMAGE         uncompressed arm64 Linux Image (Debian's vmlinuz); required\n"
	"  --initrd FILE          initial RAM disk\n"
	"  --append TEXT          kernel command line (default: panic=-1); the console needs no parameter\n"
	"  --memory SIZE          guest RAM: 512M, 2G; a plain number is MiB (default: 256M)\n"
	"  --cpus N               vCPUs, 1 to 8 (default: 1)\n"
	"  --disk FILE[,ro]       raw disk image, as virtio-blk; up to 4\n"
	"  --sea=on|off           hardware memory errors leave the kernel for us (default: on where the kernel can)\n"
	"  --events FILE          one JSON line for each memory error, appended; - is standard error, fd:N a descriptor\n"
	"  --ledger FILE          remember bad pages there, across runs; synced before the guest runs on\n"
	"  --policy FILE          what is done about which error (default: as `firebreak policy` prints it)\n"
	"  --reset=reboot|exit    what the guest's own reset does (default: reboot)\n"
	"  --panic=exit|wait      after a guest panic: end at its reset or 5 s later, or let it be (default: exit)\n"
	"\n"
	"The console is on standard input and output. On a terminal: Ctrl-A x quits, Ctrl-A h helps.\n"
	"\n" STATUS_HELP;

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (!strcmp(command, "run"))
		return fbk_command_run(argc - 2, argv + 2);
	if (!strcmp(command, "check"))
		return fbk_command_check(argc - 2, argv + 2);
	if (!strcmp(command, "ledger"))
		return fbk_command_ledger(argc - 2, argv + 2);
	if (!strcmp(command, "policy"))
		return fbk_command_policy(argc - 2, argv + 2);
	if (!strcmp(command, "--help") || !strcmp(command, "-h") || !strcmp(command, "help")) {
		fputs(help, stdout);
		return 0;
	}
	if (!strcmp(command, "--version")) {
		puts("firebreak " FBK_VERSION);
		return 0;
	}
	if (*command)
		fbk_say("%.80s: no such command; `firebreak --help` lists them", command);
	else
		fputs(help, stderr);
	return FBK_EXIT_USAGE;
}
