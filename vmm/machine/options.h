/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * options.h - what machine is wanted: the command line of `firebreak run`.
 */
#ifndef FBK_VMM_OPTIONS_H
#define FBK_VMM_OPTIONS_H

#include "exit.h"
#include "memory-option.h"
#include "net-user.h"
#include "platform.h"

#include <stdbool.h>
#include <stddef.h>

enum fbk_sea_choice { FBK_SEA_AUTO, FBK_SEA_ON, FBK_SEA_OFF };
/* AUTO: what of it this host offers; what it lacks is told. */
enum fbk_sandbox_choice { FBK_SANDBOX_AUTO, FBK_SANDBOX_ON, FBK_SANDBOX_LOG, FBK_SANDBOX_OFF };
/* A PID namespace for the monitor. AUTO: if all of the sandbox was asked for. */
enum fbk_pids_choice { FBK_PIDS_AUTO, FBK_PIDS_OWN, FBK_PIDS_HOST };
enum fbk_retire_choice { FBK_RETIRE_AUTO, FBK_RETIRE_ON, FBK_RETIRE_EVERY, FBK_RETIRE_OFF };

#define FBK_GRACE_MAX_S 3600

struct fbk_disk_option {
	const char *path;
	bool read_only;
	unsigned int nr_queues; /* 0: one for each vCPU */
};

struct fbk_net_option {
	const char *tap; /* name, or fd:N; NULL: a network in user space */
	bool has_mac;
	uint8_t mac[6];
	uint16_t mtu; /* of a network in user space */
	enum fbk_net_reach reach; /* likewise */
	struct fbk_net_forward forward[FBK_NET_FORWARDS];
	unsigned int nr_forwards;
};

struct fbk_run_options {
	const char *kernel, *initrd, *append, *events, *ledger, *metrics, *policy, *api, *user;
	uint8_t id[16];
	bool has_id;
	struct fbk_memory_option memory;
	unsigned int nr_cpus;
	bool has_grace;
	unsigned int grace_s; /* from the power button of SIGTERM to the end; 0: at once */
	struct fbk_disk_option disk[FBK_MAX_DISKS];
	unsigned int nr_disks;
	struct fbk_net_option net[FBK_MAX_NETS];
	unsigned int nr_nets;
	enum fbk_sea_choice sea;
	enum fbk_retire_choice retire;
	enum fbk_sandbox_choice sandbox;
	enum fbk_pids_choice pids;
	bool reset_exits, panic_waits, cper_processor;
	bool devicetree;     /* what the guest boots by; else ACPI */
	bool virtio_console; /* else the PL011 is its console */
	bool help;
};

/**
 * fbk_options_parse - read the arguments behind `run`
 * @argv:    may be changed (commas are where words end); the result points into it
 * @ret_at:  on failure, the argument that is wrong, by its number; @argc: one is missing, or two contradict each other
 * @why:     on failure, one sentence without a full stop
 * @why_len: 160 bytes hold every sentence with room for the argument it quotes
 *
 * Return:  0.
 * Errors:  -EINVAL.
 */
int fbk_options_parse(int argc, char **argv, struct fbk_run_options *ret, int *ret_at, char *why, size_t why_len);

#define FBK_UUID_LEN 37 /* NUL included */
void fbk_uuid_format(const uint8_t id[16], char ret[FBK_UUID_LEN]);

#endif
