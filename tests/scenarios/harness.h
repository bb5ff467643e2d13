/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * harness.h - what a scenario is written in: guests under the monitor, errors for them, and judges that are not ours.
 *
 * A scenario runs on an arm64 KVM host as root. A check that fails does not return: it ends the scenario, keeps the
 * evidence, and the next scenario begins. Waiting is always for an event, with a deadline, never for time to pass.
 */
#ifndef FBK_SCENARIO_HARNESS_H
#define FBK_SCENARIO_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fbk_guest;

/* --- Scenarios ---------------------------------------------------------------------------------------------- */

struct fbk_scenario {
	const char *name;
	const char *oracle; /* whose word decides, and about what */
	const char *group;  /* scenarios that can share a guest run in the same lab */
	unsigned int cost;  /* seconds, roughly: how the labs share the work */
	void (*run)(void);
};

/*
 * One a file. The scenario's function is the file's run().
 *
 * Scenarios find each other in a section of the program, so that a new file is all that a new one takes.
 */
#define FBK_SCENARIO(name_, group_, cost_, oracle_)                                                          \
	static void run(void);                                                                               \
	static const struct fbk_scenario scenario = { name_, oracle_, group_, cost_, run };                  \
	static const struct fbk_scenario *const scenario_entry                                               \
		__attribute__((used, section("fbk_scenarios"))) = &scenario

/* End the scenario as failed; the first failure is the one that is told. */
void fbk_fail(const char *file, int line, const char *fmt, ...) __attribute__((noreturn, format(printf, 3, 4)));
/* End the scenario as one that cannot run here. */
void fbk_skip(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* A line for whoever watches (a TAP comment, or an act's narration). */
void fbk_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define FBK_CHECK(cond)                                                            \
	do {                                                                       \
		if (!(cond))                                                       \
			fbk_fail(__FILE__, __LINE__, "not so: %s", #cond);         \
	} while (0)

#define FBK_CHECK_EQ(a, b)                                                                                    \
	do {                                                                                                  \
		long long a_ = (long long)(a), b_ = (long long)(b);                                           \
		if (a_ != b_)                                                                                 \
			fbk_fail(__FILE__, __LINE__, "%s is %lld (%#llx), not %lld (%#llx)", #a, a_,          \
				 (unsigned long long)a_, b_, (unsigned long long)b_);                         \
	} while (0)

/* --- Guests ------------------------------------------------------------------------------------------------- */

#define FBK_DISK_LEN (1u << 20)
#define FBK_DISK_BYTE 0x5a

struct fbk_guest_spec {
	const char *kernel;	 /* "newest", "6.12", "6.1"; or "hostile" (tests/hostile), which needs no initial RAM disk and obeys nobody */
	unsigned int cpus;	 /* 0: one */
	unsigned int memory_mib; /* 0: 256 */
	const char *memory;	 /* what --memory says behind the size (",shared"), or NULL */
	bool sea_off;		 /* the host capability left off */
	bool no_disk;
	bool by_file; /* the monitor's options are in a file, for --config */
	const char *root; /* a disk of the host with a system of its own, which says "debian: ready"; or NULL for ours (guest/init.c) */
	const char *disks[2]; /* further disks, each FBK_DISK_LEN bytes of FBK_DISK_BYTE: what --disk says behind the file, "" nothing;
				 * with a slash in front, all that --disk says: no file is made */
	const char *append; /* further words for the guest's command line, or NULL */
	const char *reset;  /* --reset=, or NULL for the monitor's default */
	const char *ledger; /* --ledger=, or NULL for none */
	const char *policy; /* what the file of --policy says behind its version, or NULL for none */
	const char *id;	    /* --id=, or NULL: the monitor takes one */
	const char *cper;   /* --cper=, or NULL for the monitor's default */
	const char *retire; /* --retire=, or NULL for the monitor's default */
	const char *api;    /* --api=, or NULL for none */
	const char *firmware; /* --firmware=, or NULL for the monitor's default */
	const char *sandbox; /* --sandbox=, or NULL for the monitor's default */
	const char *pids;   /* --pids; NULL: as the sandbox has it */
	uid_t as;	    /* the user that starts the monitor; 0: root */
	bool kdump;	    /* with what a crash kernel takes: its programs and modules, kernel and RAM disk as vdb and vdc, --panic=wait */
	const char *console;  /* --console=, likewise */
	const char *net;    /* --net=, with the initial RAM disk that has a card's driver; or NULL for none */
};

/**
 * fbk_guest_get - a guest of that kind that is up and obeys
 *
 * A guest that an earlier scenario left in good order is used again; what it said before is forgotten.
 */
struct fbk_guest *fbk_guest_get(const struct fbk_guest_spec *spec);

/* Is there one already? */
bool fbk_guest_there(const struct fbk_guest_spec *spec);

/* A guest of this scenario's own, which no other will get. */
struct fbk_guest *fbk_guest_boot(const struct fbk_guest_spec *spec);

/* No later scenario shall use this guest: it has been through something. */
void fbk_guest_spoil(struct fbk_guest *g);

unsigned int fbk_guest_id(const struct fbk_guest *g); /* the N of its files, guest-N.* */
pid_t fbk_guest_pid(const struct fbk_guest *g);
pid_t fbk_guest_keeper(const struct fbk_guest *g); /* with --pids=own the process that was started, else the same */
const char *fbk_guest_events(const struct fbk_guest *g);
const char *fbk_guest_metrics(const struct fbk_guest *g);

/* The host's file under its disk: 0 vda, 1 vdb, ...; valid until the scenario ends. */
const char *fbk_guest_disk(struct fbk_guest *g, unsigned int n);

/* What its monitor holds itself, in kB: all that is resident, but for the guest's memory. 0: it has ended. */
long fbk_guest_own_kb(struct fbk_guest *g);
unsigned int fbk_guest_descriptors(struct fbk_guest *g); /* how many are open in its monitor */

/* Has its monitor a ring of io_uring? */
bool fbk_guest_has_uring(struct fbk_guest *g);

/* Has its monitor said so on standard error? */
bool fbk_guest_monitor_said(const struct fbk_guest *g, const char *needle);

/* `firebreak ctl` on such a socket, with these words, the last of them NULL: its exit status, and what it wrote. */
int fbk_ctl(const char *api, char *ret_text, size_t len, ...) __attribute__((sentinel));
/* `firebreak ctl console` on the socket of its API: what is typed there is obeyed, and what the guest says is said there, too. */
void fbk_guest_attach(struct fbk_guest *g, const char *api);

/* A line to the guest's init. */
void fbk_guest_send(struct fbk_guest *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * fbk_guest_expect - wait for a line of the guest's console
 * @seconds: deadline
 * @fmt:     text that the line contains
 *
 * Looks at everything the guest has said since the scenario got it, or since fbk_guest_forget(). Fails the scenario
 * when the deadline passes or the monitor ends.
 *
 * Return: the whole line; valid until the scenario ends.
 */
const char *fbk_guest_expect(struct fbk_guest *g, unsigned int seconds, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The line if it has been said already, else NULL. */
const char *fbk_guest_said(struct fbk_guest *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for the line that contains it for the n-th time, from 0. */
const char *fbk_guest_nth(struct fbk_guest *g, unsigned int n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* How often it has been said already. */
unsigned int fbk_guest_count(struct fbk_guest *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Everything that was sent has been obeyed, and all that came of it has been said. */
void fbk_guest_sync(struct fbk_guest *g);

/* Look only at what is said from now on. */
void fbk_guest_forget(struct fbk_guest *g);

/* Wait for the monitor to end; its exit status, or 128 + signal. */
int fbk_guest_wait(struct fbk_guest *g, unsigned int seconds);

/* Is the monitor still there, without waiting? */
bool fbk_guest_alive(struct fbk_guest *g);

/* Power the guest off and check that all ends in order (status 0). */
void fbk_guest_poweroff(struct fbk_guest *g);

/* /proc/meminfo of the guest, a field in kB. */
long fbk_guest_meminfo(struct fbk_guest *g, const char *field);
/* Read requests that its disk has had. */
long fbk_guest_reads(struct fbk_guest *g);
/* Has the guest's kernel marked the page at @gpa as poisoned (/proc/kpageflags)? */
bool fbk_guest_isolated(struct fbk_guest *g, uint64_t gpa);
/* The same, waited for: isolation after an asynchronous report takes the guest a moment. */
void fbk_guest_expect_isolated(struct fbk_guest *g, uint64_t gpa);
/* Its /proc/meminfo comes to say HardwareCorrupted @kb: the kernel marks a page first, and counts it when all is done. */
void fbk_guest_expect_corrupted(struct fbk_guest *g, long kb);

/* The host address in the monitor of a guest page, from /proc/PID/maps. */
uint64_t fbk_guest_hva(struct fbk_guest *g, uint64_t gpa);

/* Of its memory, as the host's kernel has mapped it with these permissions ("rw-s"; NULL: any): a field of /proc/PID/smaps, in kB. */
long fbk_guest_smaps(struct fbk_guest *g, const char *perms, const char *field);

/* Stop the vCPU threads of the monitor, and only these (ptrace). */
void fbk_guest_freeze(struct fbk_guest *g);
void fbk_guest_freeze_main(struct fbk_guest *g); /* its main thread, and only that */
void fbk_guest_thaw(struct fbk_guest *g);

/* --- Programs in guests ------------------------------------------------------------------------------------- */

#define FBK_VICTIM_PAGES_MAX 1200

struct fbk_victim {
	struct fbk_guest *guest;
	int pid;
	uint64_t va;  /* the byte it will touch first */
	uint64_t gpa; /* the page under it */
	size_t nr_pages;
	uint64_t page[FBK_VICTIM_PAGES_MAX]; /* when it has several */
};

/* Start victim in a mode ("anon", "clean 7", ...) and wait until it is ready. */
void fbk_victim_start(struct fbk_victim *v, struct fbk_guest *g, const char *mode);
/* Let it touch its page. */
void fbk_victim_go(struct fbk_victim *v);
/* Wait for its end. 0 and the exit status, or the signal that killed it. */
int fbk_victim_wait(struct fbk_victim *v, int *ret_status);

/* It was told BUS_MCEERR_AR for the page it touched. */
void fbk_victim_told(struct fbk_victim *v);
/* The whole promise for one page of one process: it is told, dies of it alone, and the page is taken out of use. */
void fbk_victim_loses(struct fbk_victim *v);
/* It touches its page, its kernel learns of the abort and of no page (BUS_OBJERR), and it dies of it alone. */
void fbk_victim_dies(struct fbk_victim *v);
/* A process reads its page over and over when the host loses it: the process is told, and dies of it. */
void fbk_victim_host_loses(struct fbk_victim *v, struct fbk_guest *g);
/* It ends with status 0: the data was there and right, or its handler put new data in its place. */
void fbk_victim_lives(struct fbk_victim *v);

/* Run disk with these arguments; what it says of its one operation. */
const char *fbk_disk(struct fbk_guest *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Start it as a load on a disk, and end it: fails if anything failed or was wrong. Return: operations. */
int fbk_load_start(struct fbk_guest *g, const char *device, unsigned int sector, unsigned int threads);
long fbk_load_end(struct fbk_guest *g, int pid);

/* Start a program of the guest, as `run` of its init does; its pid. */
int fbk_program_start(struct fbk_guest *g, const char *command);

int fbk_bystander_start(struct fbk_guest *g);
/* End it: fails unless it has computed on, gone wrong never, and exits with 0. Return: beats. */
long fbk_bystander_end(struct fbk_guest *g, int pid);

/* Value of " KEY=..." in a line, decimal or 0x; fails if there is none. */
uint64_t fbk_field(const char *line, const char *key);

/* --- Errors ------------------------------------------------------------------------------------------------- */

/* Arm a guest page: its next accesses are SEAs. @how: further words for sea-inject, or "". */
void fbk_inject(struct fbk_guest *g, uint64_t gpa, const char *how);

/* Poison the host frame under a guest page, as the host's own memory-failure handling does. */
void fbk_host_poison(struct fbk_guest *g, uint64_t gpa);
/* Wait until the monitor has taken every signal about it: a pending one swallows the next. */
void fbk_host_poison_settle(struct fbk_guest *g);

/* --- The host ----------------------------------------------------------------------------------------------- */

/* /proc/meminfo of the host: a field, in kB where it has a unit. */
long fbk_host_meminfo(const char *field);
/* Into a file of /proc or /sys, as root does with echo. At the scenario's end it is as it was before. */
void fbk_host_set(const char *path, const char *value);
/* A monitor that must refuse to start a guest with such memory: status 69, and a sentence that contains @says. */
void fbk_host_refuses_memory(const char *memory, const char *says);
/* Waits until the host's kernel counts so many kB of HardwareCorrupted: a monitor that is root hands lost frames over. */
void fbk_host_expect_corrupted(long kb);
/* Has the host's kernel said it since the scenario began? */
bool fbk_host_said(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Wait until a condition holds; fails the scenario with @what after @seconds. */
void fbk_wait_until(unsigned int seconds, const char *what, bool (*cond)(void *arg), void *arg);
unsigned int fbk_host_cpus(void);

/* --- For the programs that run scenarios -------------------------------------------------------------------- */

struct fbk_harness_config {
	const char *files;  /* folder with firebreak, sea-inject, sea_inject.ko, kernels/, guest/ */
	const char *out;    /* folder for consoles, events, the host's log */
	void (*note)(const char *text);
};

void fbk_harness_init(const struct fbk_harness_config *config);

enum fbk_outcome { FBK_PASSED, FBK_FAILED, FBK_SKIPPED };

/* Run one. @ret_why: the reason if it did not pass; valid until the next. @ret_ms: how long it took. */
enum fbk_outcome fbk_harness_run(const struct fbk_scenario *s, const char **ret_why, unsigned int *ret_ms);

/* End all guests; FBK_FAILED if one of them does not end in order. */
enum fbk_outcome fbk_harness_finish(const char **ret_why);

#endif
