/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * monitor.h - the running virtual machine: what its threads share.
 *
 * Threads: main (signals, terminal input, timers, resets), one for each vCPU, which serves its own exits, one for I/O where
 * a device wants it, and one for the clients of --api.
 */
#ifndef FBK_VMM_MONITOR_H
#define FBK_VMM_MONITOR_H

#include "boot.h"
#include "confine.h"
#include "console.h"
#include "eventlog.h"
#include "io.h"
#include "loop.h"
#include "memory.h"
#include "net-tap.h"
#include "net-user.h"
#include "place.h"
#include "platform.h"
#include "options.h"
#include "virtio-blk.h"
#include "virtio-mmio.h"
#include "virtio-net.h"
#include "virtio-rng.h"

#include <firebreak/vm.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

struct kvm_run;
struct fbk_control;
struct fbk_monitor;

struct fbk_cpu {
	struct fbk_monitor *m;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	struct fbk_vcpu *road;
	pthread_t thread;
	/* Written by this thread's SIGBUS handler while in_run is set, read by the thread after KVM_RUN. */
	volatile sig_atomic_t in_run, sigbus_pending;
	siginfo_t sigbus;
};

/* Why the guest no longer runs. */
enum fbk_end {
	FBK_END_NONE,
	FBK_END_OFF,   /* PSCI SYSTEM_OFF */
	FBK_END_RESET, /* PSCI SYSTEM_RESET */
	FBK_END_CRASH, /* KVM says the guest crashed */
	FBK_END_STOP,  /* verdict of the policy */
	FBK_END_PAUSE, /* verdict of the policy */
	FBK_END_HOST,  /* KVM, memory or the monitor failed; already told on standard error */
	FBK_END_QUIT,  /* the operator */
};

/* Why the guest stands still, and can go on. */
enum fbk_pause { FBK_PAUSE_NONE, FBK_PAUSE_API, FBK_PAUSE_POLICY };

#define FBK_STACK_LEN (128 << 10) /* of every thread but the main one */

enum fbk_state { FBK_STATE_PARK, FBK_STATE_RUN, FBK_STATE_LEAVE };

struct fbk_monitor {
	struct fbk_run_options opt;
	pid_t pid; /* by which the host knows it, whatever namespace it is in */
	int kvm_fd, vm_fd, gic_fd;
	size_t run_len; /* bytes of a vCPU's mapping */
	struct fbk_gmem gmem;
	struct fbk_memory memory;
	struct fbk_ghes_layout ghes;
	struct fbk_vm *road;
	struct fbk_policy policy;
	struct fbk_retire *retire;	/* NULL: lost pages stay in reach */
	struct fbk_ledger_file *ledger; /* NULL: none */
	atomic_bool metrics_stale;	/* something was counted since */
	/* The main thread's own: what was said to be in trouble, and when to try again or to write next. */
	bool metrics_troubled, ledger_troubled;
	struct fbk_place metrics_place;
	uint64_t metrics_ns; /* when it was written last */
	struct fbk_loop_timer metrics_timer, ledger_timer;
	struct fbk_boot boot;
	struct fbk_cpu cpu[FBK_MAX_CPUS];

	struct fbk_console console;
	struct fbk_virtio_console virtio_console;
	struct fbk_eventlog events;
	struct fbk_control *control; /* NULL: no --api */
	struct fbk_virtio virtio[FBK_MAX_VIRTIO];
	struct fbk_virtio_rng rng;
	struct fbk_virtio_blk blk[FBK_MAX_DISKS];
	struct fbk_virtio_net net[FBK_MAX_NETS];
	union {
		struct fbk_net_user user;
		struct fbk_net_tap tap;
	} net_backend[FBK_MAX_NETS]; /* which of them: the options know */
	unsigned int nr_virtio;
	struct fbk_virtio_host virtio_host; /* what those ask of us */
	struct fbk_io io;

	struct fbk_confine confine;
	struct fbk_loop loop; /* the main thread's */
	atomic_int end;	   /* enum fbk_end */
	atomic_int pause;  /* enum fbk_pause; changed by the main thread */
	uint64_t counter;  /* the guest's, when that began */
	bool has_counter;
	atomic_bool want_pump;
	atomic_bool panicked;
	int signal; /* the signal that ends us; 0: none */

	/* The leash of the other threads. */
	pthread_mutex_t lock;
	pthread_cond_t state_changed, parked_changed;
	atomic_int state; /* enum fbk_state; changed with the lock held */
	unsigned int nr_threads, nr_parked;
};

/* The error sources that the guest has; NULL: it boots by device tree, and has none. */
static inline const struct fbk_ghes_layout *fbk_monitor_ghes(const struct fbk_monitor *m)
{
	return m->opt.devicetree ? NULL : &m->ghes;
}

/* run.c */
void fbk_monitor_wake(struct fbk_monitor *m);		       /* async-signal-safe */
void fbk_monitor_end(struct fbk_monitor *m, enum fbk_end why); /* the first reason counts; any thread */

/* vcpu.c. Errors are told on standard error. */
int fbk_cpu_create(struct fbk_monitor *m, unsigned int index); /* enum fbk_exit, 0: done */
int fbk_cpu_reset(struct fbk_cpu *cpu);			       /* power-on state; the first one runs from the boot's entry */
int fbk_cpus_start(struct fbk_monitor *m);		       /* threads, parked */
void fbk_cpus_run(struct fbk_monitor *m);
void fbk_cpus_park(struct fbk_monitor *m);  /* returns when no vCPU is in KVM_RUN */
void fbk_cpus_leave(struct fbk_monitor *m); /* ends and joins the threads */
/* Parked: the guest's virtual counter, which is one for all of its vCPUs. Errors: negative errno. */
int fbk_cpu_get_counter(struct fbk_cpu *cpu, uint64_t *ret);
int fbk_cpu_set_counter(struct fbk_cpu *cpu, uint64_t val);
extern __thread struct fbk_cpu *fbk_this_cpu;

/* bus.c */
void fbk_bus_access(struct fbk_monitor *m, uint64_t gpa, uint8_t data[8], uint32_t len, int is_write);

/* sigbus.c */
int fbk_sigbus_init(struct fbk_monitor *m);   /* negative errno */
void fbk_sigbus_drain(struct fbk_monitor *m); /* main thread: walk the road for what the handler has queued */
/* An access of ours to guest memory met poison at or just behind @gpa: record and report it. Any thread. */
void fbk_sigbus_found(struct fbk_monitor *m, struct fbk_gpa gpa);
/* Main thread: the host's page around that one of guest RAM is lost, and nobody has touched it. */
void fbk_sigbus_report(struct fbk_monitor *m, struct fbk_gpa page);

/* ledger.c: the file of --ledger; all of it does nothing without. Errors are told on standard error. */
int fbk_monitor_ledger_open(struct fbk_monitor *m); /* enum fbk_exit, 0: done */
void fbk_monitor_ledger_heal(struct fbk_monitor *m); /* the road is open, no vCPU runs */
void fbk_monitor_ledger_tend(struct fbk_monitor *m); /* main thread, after each turn: write what waits, compact */
void fbk_monitor_ledger_close(struct fbk_monitor *m); /* no vCPU runs any more */

/* metrics.c: the file of --metrics, likewise. All of it on the main thread. */
int fbk_monitor_metrics_open(struct fbk_monitor *m); /* the road is open. Return: 0, or an exit status, told */
void fbk_monitor_metrics_tend(struct fbk_monitor *m); /* after each turn */
void fbk_monitor_metrics_close(struct fbk_monitor *m);
#define FBK_MONITOR_METRICS_MAX (FBK_METRICS_TEXT_MAX + 1024)
/* Any thread. @buf: that long. Return: length, or a negative errno. */
int fbk_monitor_metrics_text(struct fbk_monitor *m, char *buf);

/* main-thread.c: until the guest has ended. Return: exit status. */
int fbk_main_thread(struct fbk_monitor *m);

/*
 * For those whom the main thread calls. A guest that stands still does so with its clock. Going on after a pause by policy
 * lets the vCPU meet the same error again, and the policy decide again: nothing is lost by it.
 */
void fbk_machine_pause(struct fbk_monitor *m, enum fbk_pause why); /* the first reason stays */
void fbk_machine_resume(struct fbk_monitor *m);
void fbk_machine_halt(struct fbk_monitor *m); /* for the length of one call, paused or not */
void fbk_machine_go_on(struct fbk_monitor *m);
int fbk_machine_power_button(struct fbk_monitor *m); /* negative errno, told; -EOPNOTSUPP it has none, not told */
int fbk_machine_reset(struct fbk_monitor *m);	     /* as a reset button; it runs afterwards. Return: 0, or the machine is at its end */

/* reset.c: while parked. Return: 0, or an exit status, told. */
int fbk_monitor_load(struct fbk_monitor *m); /* memory, firmware and vCPUs as at power-on */
int fbk_monitor_reset(struct fbk_monitor *m);

#endif
