/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* run-help.c - what `firebreak run --help` prints, by topic, on any machine. */
#include "command.h"

#include <stddef.h>

const char fbk_run_help[] =
	"firebreak run - run a Linux guest whose memory errors are contained\n"
	"\n"
	"The console is on standard input and output. On a terminal: Ctrl-A x quits, Ctrl-A h helps.\n"
	"`firebreak run --help TOPIC` prints one topic: boot, machine, disk, net, errors, records, control, sandbox.\n";

const struct fbk_help_topic fbk_run_topics[] = {
	{ "boot", "What boots",
	  "  --kernel IMAGE         uncompressed arm64 Linux Image (Debian's vmlinuz); required\n"
	  "  --initrd FILE          initial RAM disk\n"
	  "  --append TEXT          kernel command line (default: panic=-1); the console needs no parameter\n"
	  "  --firmware=acpi|dt     how the guest learns of its hardware; by device tree it is told of no page (default: acpi)\n"
	  "  --console=pl011|virtio what its console is; virtio is quicker, and needs a driver (default: pl011)\n"
	  "  --config FILE          options from a file, a line NAME = VALUE each, as if they stood here\n" },
	{ "machine", "The machine",
	  "  --memory SIZE[,hugetlb=2M|1G][,thp=on|off][,shared][,prefault]\n"
	  "                         guest RAM: 512M, 2G; a plain number is MiB (default: 256M); from a pool of huge pages; with\n"
	  "                         transparent ones or without; as a memfd; all of it at the start\n"
	  "  --cpus N               vCPUs, 1 to 8 (default: 1)\n" },
	{ "disk", "Disks",
	  "  --disk FILE[,ro][,queues=N]\n"
	  "                         raw disk image or block device, as virtio-blk; up to 4 (default: a queue for each vCPU)\n" },
	{ "net", "Networks",
	  "  --net user[,mac=MAC][,mtu=N][,reach=all|outside|none][,forward=tcp:[ADDR]:PORT:GUESTPORT]...\n"
	  "                         a network card on a network in user space (DHCP; the host is 10.0.2.2); up to 2\n"
	  "                         reach: what the guest may call; outside: not the host's loopback (default: all)\n"
	  "  --net tap=NAME|fd:N[,mac=MAC]\n"
	  "                         a network card on a tap device of the host\n" },
	{ "errors", "Memory errors",
	  "  --sea=on|off           hardware memory errors leave the kernel for us (default: on where the kernel can)\n"
	  "  --retire=on|always|off lost pages are taken out of the guest's reach (default: on where the host can)\n"
	  "  --policy FILE          what is done about which error (default: as `firebreak policy` prints it)\n"
	  "  --cper=memory|processor\n"
	  "                         what an abort's record says: which page, or also which vCPU (default: memory)\n" },
	{ "records", "What is kept of them",
	  "  --ledger FILE          remember bad pages there, across runs; synced before the guest runs on\n"
	  "  --events FILE          one JSON line for each memory error, appended; - is standard error, fd:N a descriptor\n"
	  "  --metrics FILE         counters as Prometheus text, rewritten as errors come\n"
	  "  --id UUID              whose events, metrics and ledger these are (default: a random one)\n" },
	{ "control", "While it runs, and how it ends",
	  "  --api PATH             control API (HTTP, JSON) on a Unix socket of mode 0600; the console is on PATH.console\n"
	  "  --grace SECONDS        from SIGTERM, which presses the power button, to the end (default: 30; 0: at once)\n"
	  "  --reset=reboot|exit    what the guest's own reset does (default: reboot)\n"
	  "  --panic=exit|wait      after a guest panic: end at its reset or 5 s later, or let it be, as kdump needs (default: exit)\n" },
	{ "sandbox", "What the monitor gives up once everything is open",
	  "  --sandbox=on|log|off   on: all of it, or refuse to start; log: forbidden system calls are logged by the kernel, and\n"
	  "                         let pass; off: nothing (default: what this host offers, and a word about what it lacks)\n"
	  "  --user NAME|UID[:GID]  whom root becomes (default: 65534, nobody)\n"
	  "  --pids=own|host        own: a PID namespace; the process that was started waits, passes signals on and ends likewise\n"
	  "                         (default: own with --sandbox=on, else host)\n" },
	{ NULL, NULL, NULL },
};
