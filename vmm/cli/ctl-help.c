/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* ctl-help.c - what `firebreak ctl --help` prints. */
#include "command.h"

const char fbk_ctl_help[] =
	"firebreak ctl - ask a running monitor, or tell it what to do\n"
	"\n"
	"  firebreak ctl [--socket PATH] COMMAND\n"
	"\n"
	"  status                  running or paused, and what machine it is\n"
	"  pause, resume           the guest and its clock stand still; go on\n"
	"  power                   press the power button: the guest shuts itself down, if it listens\n"
	"  reset                   as the reset button: the guest boots anew, with all of its memory\n"
	"  stop                    end the monitor at once, with status 13\n"
	"  devices                 the virtio devices, and where the guest has their queues\n"
	"  errors                  the latest memory errors, as in --events\n"
	"  ledger                  the bad pages, as `firebreak ledger export` has them\n"
	"  metrics                 counters, as Prometheus text\n"
	"  console                 the guest's console: Ctrl-A x leaves it\n"
	"  simulate GPA            lose that page of guest memory: the guest meets the error when it touches it\n"
	"  simulate --cpu N ADDR   the same for a virtual address of what vCPU N is running\n"
	"    --tell                the guest is told at once, as of what its host found\n"
	"\n"
	"PATH is that of `firebreak run --api PATH`; without --socket it is taken from the variable FIREBREAK_API.\n"
	"The answer, on standard output, is JSON (docs/api.md); why something is refused stands on standard error.\n";
