/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * run.c - put the machine together, run it, take it apart.
 */
#include "control.h"
#include "gic.h"
#include "jail.h"
#include "keeper.h"
#include "memory-why.h"
#include "monitor.h"
#include "policy.h"
#include "report.h"
#include "run.h"

#include <firebreak/kvm.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

void fbk_monitor_wake(struct fbk_monitor *m)
{
	fbk_loop_wake(&m->loop);
}

void fbk_monitor_end(struct fbk_monitor *m, enum fbk_end why)
{
	int none = FBK_END_NONE;

	if (why == FBK_END_QUIT)
		atomic_store(&m->end, why); /* even while held by the policy */
	else
		atomic_compare_exchange_strong(&m->end, &none, why);
	fbk_monitor_wake(m);
}

/* --- what the devices ask of the machine ------------------------------------------------------------------------- */

static void set_irq(struct fbk_monitor *m, unsigned int gsi, bool level)
{
	int r = fbk_gic_irq(m->vm_fd, gsi, level);

	if (r < 0) {
		fbk_say("interrupt %u: %s", gsi, strerror(-r));
		fbk_monitor_end(m, FBK_END_HOST);
	}
}

static void console_irq(void *opaque, bool level)
{
	set_irq(opaque, FBK_SPI_UART, level);
}

static void console_panicked(void *opaque)
{
	struct fbk_monitor *m = opaque;

	atomic_store(&m->panicked, true);
	fbk_monitor_wake(m);
}

static void console_wake(void *opaque)
{
	fbk_monitor_wake(opaque);
}

/* Edge-triggered: the driver's acknowledgement lowers nothing, so that an interrupt costs one system call. */
static void virtio_irq(void *opaque, unsigned int index)
{
	set_irq(opaque, FBK_SPI_VIRTIO + index, true);
}

static void virtio_kick(void *opaque, unsigned int index, unsigned int queue)
{
	fbk_io_kick(opaque, index, queue);
}

static void virtio_poisoned(void *opaque, struct fbk_gpa gpa)
{
	fbk_sigbus_found(opaque, gpa);
}

/* --- what the library asks --------------------------------------------------------------------------------------- */

static void on_event(void *opaque, const struct fbk_event *ev)
{
	struct fbk_monitor *m = opaque;

	bool waits = fbk_eventlog_tell(&m->events, ev);

	if (m->opt.events || m->opt.metrics || m->control) {
		/* Somebody wants to know of the acknowledgement, which the pump looks for. */
		if (ev->notify == FBK_NOTIFY_SEA)
			atomic_store(&m->want_pump, true);
		atomic_store(&m->metrics_stale, true);
	} else if (!m->ledger && !waits) {
		return;
	}
	fbk_monitor_wake(m);
}

static void on_acknowledged(void *opaque, const struct fbk_event_ack *ack)
{
	struct fbk_monitor *m = opaque;

	fbk_eventlog_tell_ack(&m->events, ack);
	atomic_store(&m->metrics_stale, true);
	fbk_monitor_wake(m);
}

/* The GED's interrupt is edge-triggered: high and low again make one. */
static int raise_async(void *opaque)
{
	struct fbk_monitor *m = opaque;
	int r = fbk_gic_irq(m->vm_fd, FBK_SPI_GED, 1);

	return r ? r : fbk_gic_irq(m->vm_fd, FBK_SPI_GED, 0);
}

static void want_pump(void *opaque)
{
	struct fbk_monitor *m = opaque;

	atomic_store(&m->want_pump, true);
	fbk_monitor_wake(m);
}

/* --- putting it together ----------------------------------------------------------------------------------------- */

/* The smallest guest physical address space that holds the machine: fewer levels to walk. */
static unsigned int ipa_bits(uint64_t ram_len)
{
	unsigned int bits = 32;

	while ((UINT64_C(1) << bits) < FBK_RAM_BASE + ram_len)
		bits++;
	return bits;
}

static int open_vm(struct fbk_monitor *m)
{
	unsigned int bits = ipa_bits(m->opt.memory.len);
	int most, r;

	m->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (m->kvm_fd < 0) {
		fbk_say("/dev/kvm: %s: `firebreak check` tells more", strerror(errno));
		return FBK_EXIT_UNABLE;
	}
	r = ioctl(m->kvm_fd, KVM_GET_API_VERSION, 0);
	if (r != KVM_API_VERSION) {
		fbk_say("/dev/kvm: API version %d instead of %d", r, KVM_API_VERSION);
		return FBK_EXIT_UNABLE;
	}
	most = ioctl(m->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
	if (most > 0 && bits > (unsigned int)most) {
		fbk_say("--memory: this host's guest physical addresses have %d bits, %u are needed", most, bits);
		return FBK_EXIT_UNABLE;
	}
	m->vm_fd = ioctl(m->kvm_fd, KVM_CREATE_VM, most > 0 ? KVM_VM_TYPE_ARM_IPA_SIZE(bits) : 0);
	if (m->vm_fd < 0) {
		fbk_say("creating the virtual machine: %s", strerror(errno));
		return FBK_EXIT_HOST;
	}
	r = ioctl(m->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (r < 0) {
		fbk_say("KVM_GET_VCPU_MMAP_SIZE: %s", strerror(errno));
		return FBK_EXIT_HOST;
	}
	m->run_len = r;
	return 0;
}

static int enable_sea(struct fbk_monitor *m)
{
	struct kvm_enable_cap nisv = { .cap = KVM_CAP_ARM_NISV_TO_USER };
	int r;

	/* Without it an odd instruction at a hole in the memory map would end the VM; a kernel without it does that. */
	(void)ioctl(m->vm_fd, KVM_ENABLE_CAP, &nisv);

	if (m->opt.sea == FBK_SEA_OFF)
		return 0;
	r = fbk_kvm_enable_sea(m->vm_fd);
	if (!r)
		return 0;
	if (r != -EOPNOTSUPP) {
		fbk_say("switching on KVM_CAP_ARM_SEA_TO_USER: %s", strerror(errno));
		return FBK_EXIT_HOST;
	}
	if (m->opt.sea == FBK_SEA_ON) {
		fbk_say("--sea=on: this kernel lacks KVM_CAP_ARM_SEA_TO_USER: run Linux 6.19 or later; --sea=off "
			"runs without");
		return FBK_EXIT_UNABLE;
	}
	fbk_say("warning: this kernel lacks KVM_CAP_ARM_SEA_TO_USER: a hardware memory error under the guest becomes an "
		"SError and its kernel panics; poison that the host knows of (SIGBUS) is still contained");
	return 0;
}

static void add_virtio(struct fbk_monitor *m, const struct fbk_virtio_ops *ops, void *dev)
{
	unsigned int i = m->nr_virtio++;

	fbk_virtio_init(&m->virtio[i], i, ops, dev, &m->virtio_host);
}

_Static_assert(FBK_MAX_DISK_QUEUES <= FBK_VIRTIO_QUEUES && FBK_MAX_CPUS <= FBK_MAX_DISK_QUEUES, "a queue for each vCPU");

static int open_net(struct fbk_monitor *m, unsigned int i)
{
	const struct fbk_net_option *o = &m->opt.net[i];
	struct fbk_virtio_net *n = &m->net[i];
	char why[160];
	int r;

	/* Locally administered; the same at every run of one VM. */
	n->mac[0] = 0x02;
	memcpy(n->mac + 1, m->opt.id + 11, 5);
	n->mac[5] += i;
	if (o->has_mac)
		memcpy(n->mac, o->mac, sizeof(n->mac));
	if (o->tap) {
		n->backend = &m->net_backend[i].tap.backend;
		r = fbk_net_tap_open(&m->net_backend[i].tap, o->tap, n, why, sizeof(why));
		if (r < 0)
			fbk_say("--net tap: %s", why);
	} else {
		unsigned int at = o->nr_forwards;

		n->backend = &m->net_backend[i].user.backend;
		r = fbk_net_user_open(&m->net_backend[i].user, o->mtu, o->reach, o->forward, o->nr_forwards, n, &at);
		if (r < 0 && at < o->nr_forwards)
			fbk_say("--net: port %u of this host cannot be forwarded: %s", o->forward[at].host_port, strerror(-r));
		else if (r < 0)
			fbk_say("--net: %s", strerror(-r));
	}
	if (r < 0)
		return FBK_EXIT_INPUT;
	n->v = &m->virtio[m->nr_virtio];
	add_virtio(m, &fbk_virtio_net_ops, n);
	return 0;
}

static int start_nets(struct fbk_monitor *m)
{
	int r = 0;

	for (unsigned int i = 0; i < m->opt.nr_nets && !r; i++)
		r = m->opt.net[i].tap ? fbk_net_tap_start(&m->net_backend[i].tap, &m->io.loop) :
					fbk_net_user_start(&m->net_backend[i].user, &m->io.loop);
	if (!r)
		return 0;
	fbk_say("preparing the networks: %s", strerror(-r));
	return FBK_EXIT_HOST;
}

static const char *why_no_disk(int r)
{
	switch (r) {
	case -EINVAL:
		return "not a regular file or block device of at least 512 bytes";
	case -EBUSY:
		return "in use: another virtual machine, or another --disk, has locked it (with ,ro those that only read share one)";
	default:
		return strerror(-r);
	}
}

static int open_devices(struct fbk_monitor *m)
{
	int r;

	m->virtio_host = (struct fbk_virtio_host){ virtio_irq, virtio_kick, virtio_poisoned, &m->gmem, m };
	m->console.irq = console_irq;
	m->console.panicked = console_panicked;
	m->console.wake = console_wake;
	m->console.opaque = m;
	r = fbk_console_init(&m->console);
	if (r < 0) {
		fbk_say("console: %s", strerror(-r));
		return FBK_EXIT_HOST;
	}
	add_virtio(m, &fbk_virtio_rng_ops, &m->rng);
	for (unsigned int i = 0; i < m->opt.nr_disks; i++) {
		const struct fbk_disk_option *o = &m->opt.disk[i];

		r = fbk_virtio_blk_open(&m->blk[i], o->path, o->read_only, o->nr_queues ? o->nr_queues : m->opt.nr_cpus, i,
					m->io.aio);
		if (r < 0) {
			fbk_say("--disk %s: %s", o->path, why_no_disk(r));
			return FBK_EXIT_INPUT;
		}
		add_virtio(m, &fbk_virtio_blk_ops, &m->blk[i]);
	}
	for (unsigned int i = 0; i < m->opt.nr_nets; i++) {
		r = open_net(m, i);
		if (r)
			return r;
	}
	if (m->opt.virtio_console) {
		fbk_virtio_console_init(&m->virtio_console);
		fbk_console_use(&m->console, &m->virtio_console);
		m->virtio_console.v = &m->virtio[m->nr_virtio];
		add_virtio(m, &fbk_virtio_console_ops, &m->virtio_console);
	}
	return 0;
}

static int open_memory(struct fbk_monitor *m)
{
	const struct fbk_memory_option *o = &m->opt.memory;
	char why[FBK_MEMORY_WHY_LEN];
	int r = 0;

	/* Nobody is asked about ordinary memory: it is there, or mapping it fails. */
	if ((o->huge_len || o->thp == FBK_THP_ON || o->prefault) && fbk_memory_lacks(o, "", why)) {
		fbk_say("--memory: %s", why);
		return FBK_EXIT_UNABLE;
	}
	r = fbk_memory_open(o, &m->memory, &m->gmem);
	if (r < 0 && fbk_memory_lacks(o, "", why)) {
		fbk_say("--memory: %s", why);
		return FBK_EXIT_UNABLE;
	}
	if (!r)
		r = fbk_memory_give(&m->memory, m->vm_fd);
	if (r < 0) {
		fbk_say("%llu MiB of guest memory: %s", (unsigned long long)(o->len >> 20), strerror(-r));
		return FBK_EXIT_HOST;
	}
	return 0;
}

static int open_machine(struct fbk_monitor *m)
{
	int r;

	r = open_memory(m);
	if (r)
		return r;
	for (unsigned int i = 0; i < m->opt.nr_cpus; i++) {
		r = fbk_cpu_create(m, i);
		if (r)
			return r;
	}
	r = fbk_ghes_layout_init(&m->ghes, (struct fbk_gpa){ FBK_RECORDS_GPA });
	if (!r)
		r = fbk_monitor_load(m); /* vCPUs are initialised before the interrupt controller is */
	if (r)
		return r < 0 ? FBK_EXIT_HOST : r;
	m->gic_fd = fbk_gic_create(m->vm_fd, m->opt.nr_cpus);
	if (m->gic_fd < 0) {
		fbk_say("GICv3: %s%s", strerror(-m->gic_fd),
			m->gic_fd == -ENODEV ? ": this host's KVM offers none; `firebreak check` tells more" : "");
		return m->gic_fd == -ENODEV ? FBK_EXIT_UNABLE : FBK_EXIT_HOST;
	}
	return 0;
}

static int open_retire(struct fbk_monitor *m)
{
	struct fbk_retire_config cfg = {
		.size = sizeof(cfg),
		.flags = m->opt.retire == FBK_RETIRE_EVERY ? FBK_RETIRE_ALWAYS : 0,
	};
	int r;

	if (m->opt.retire == FBK_RETIRE_OFF)
		return 0;
	if (m->confine.frames.fd >= 0) {
		cfg.flags |= FBK_RETIRE_OFFLINE;
		cfg.offline = fbk_frames_take;
		cfg.offline_opaque = &m->confine.frames;
	}
	r = fbk_retire_open(&cfg, &m->retire);
	if (r < 0) {
		fbk_say("preparing to retire pages: %s", strerror(-r));
		return FBK_EXIT_HOST;
	}
	if (m->opt.retire != FBK_RETIRE_AUTO && !(fbk_retire_can(m->retire) & FBK_RETIRE_CAN_POISON)) {
		fbk_say("--retire: this host has no userfaultfd with UFFDIO_POISON, or does not let us use it");
		return FBK_EXIT_UNABLE;
	}
	return 0;
}

static int open_road(struct fbk_monitor *m)
{
	static const struct fbk_vm_ops ops = { .event = on_event, .raise_async = raise_async, .want_pump = want_pump,
					       .acknowledged = on_acknowledged };
	struct fbk_vm_config cfg = {
		.size = sizeof(cfg),
		.vm_fd = m->vm_fd,
		.gmem = &m->gmem,
		.ghes = fbk_monitor_ghes(m),
		.policy = &m->policy,
		.ops = &ops,
		.opaque = m,
		.ledger_file = m->ledger,
		.cper = m->opt.cper_processor ? FBK_VM_CPER_PROCESSOR : 0,
	};
	int r;

	memcpy(cfg.id, m->opt.id, sizeof(cfg.id));
	r = open_retire(m);
	if (r)
		return r;
	cfg.retire = m->retire;
	r = fbk_vm_create(&cfg, &m->road);
	for (unsigned int i = 0; i < m->opt.nr_cpus && !r; i++)
		r = fbk_vcpu_create(m->road, m->cpu[i].fd, m->cpu[i].run, i, &m->cpu[i].road);
	if (!r)
		r = fbk_sigbus_init(m);
	if (r < 0) {
		fbk_say("preparing for memory errors: %s", strerror(-r));
		return FBK_EXIT_HOST;
	}
	fbk_monitor_ledger_heal(m);
	return 0;
}

/* A name that no other VM has, where the operator gives none: a random UUID [RFC 9562, version 4]. */
static int take_id(struct fbk_run_options *o)
{
	if (o->has_id)
		return 0;
	if (getrandom(o->id, sizeof(o->id), 0) != sizeof(o->id)) {
		fbk_say("getrandom: %s", strerror(errno));
		return FBK_EXIT_HOST;
	}
	o->id[6] = (o->id[6] & 0x0f) | 0x40;
	o->id[8] = (o->id[8] & 0x3f) | 0x80;
	return 0;
}

/*
 * The opening phase: everything that has a path, and every descriptor that is made of another, before a second thread runs. What
 * is done to files afterwards stands in docs/architecture.md ("What is opened, and when"): that is what a sandbox, put up behind
 * this, has to leave. tests/vmm/walls knows the files of the monitor that open anything.
 */
static int open_all(struct fbk_monitor *m)
{
	int r;

	/* Else a file of ours would become standard input or output. */
	for (int fd = open("/dev/null", O_RDWR); fd >= 0; fd = dup(fd))
		if (fd > STDERR_FILENO) {
			close(fd);
			break;
		}
	r = fbk_loop_init(&m->loop);
	if (r < 0) {
		fbk_say("eventfd: %s", strerror(-r));
		return FBK_EXIT_HOST;
	}
	if (m->opt.policy)
		r = fbk_policy_load("--policy", m->opt.policy, &m->policy);
	if (!r)
		r = fbk_boot_open(&m->boot, m->opt.kernel, m->opt.initrd);
	if (!r)
		r = fbk_eventlog_open(&m->events, m->opt.events);
	if (!r)
		r = fbk_monitor_ledger_open(m);
	if (!r)
		r = fbk_io_init(m);
	if (!r)
		r = open_devices(m);
	if (!r)
		r = open_vm(m);
	if (!r)
		r = enable_sea(m);
	if (!r)
		r = open_machine(m);
	if (!r)
		r = fbk_io_open(m);
	if (!r)
		r = start_nets(m);
	if (!r)
		r = open_road(m);
	if (!r)
		r = fbk_monitor_metrics_open(m);
	if (!r)
		r = fbk_control_open(m);
	return r;
}

static int run(struct fbk_monitor *m)
{
	int r;

	/* One heap for all threads, which ask for little: another for each would cost memory, and calls that no filter allows. */
	mallopt(M_ARENA_MAX, 1);
	/* What libslirp buffers for a connection (128 KiB each way) is a mapping of its own, which goes back when the connection ends: the C
	 * library would raise this bound at the first one that is freed, and keep the later ones in the heap. */
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	/* All times are told in UTC; the C library would look for /etc/localtime at each of them, and find no file any more. */
	setenv("TZ", "UTC0", 1);
	tzset();
	signal(SIGPIPE, SIG_IGN); /* a console that nobody reads is no reason to end the guest */
	fbk_confine_prepare(m);
	fbk_policy_default(&m->policy);
	r = take_id(&m->opt);
	if (!r)
		r = open_all(m);
	return r ? r : fbk_main_thread(m);
}

/* Most of its room is never touched: huge pages, which a host may use unasked, would make it resident. NULL: no memory. */
static struct fbk_monitor *make_monitor(const struct fbk_run_options *opt)
{
	struct fbk_monitor *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		return NULL;
	(void)madvise(m, sizeof(*m), MADV_NOHUGEPAGE);
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->state_changed, NULL);
	pthread_cond_init(&m->parked_changed, NULL);
	m->opt = *opt;
	m->pid = fbk_keeper_host_pid();
	return m;
}

/* Return: negative: this is the monitor; else an exit status: of the keeper, or told. */
static int split(const struct fbk_run_options *opt)
{
	const bool all = opt->pids == FBK_PIDS_AUTO && opt->sandbox == FBK_SANDBOX_ON;
	int status, r = all || opt->pids == FBK_PIDS_OWN ? fbk_keeper_split(&status) : 0;

	if (!r)
		return -1;
	if (r > 0)
		return status;
	fbk_say(all ? "--sandbox=on: a PID namespace: %s (--pids=host does without)" : "--pids=own: %s", fbk_jail_why_not(r));
	return FBK_EXIT_UNABLE;
}

int fbk_monitor_run(const struct fbk_run_options *opt)
{
	struct fbk_monitor *m;
	int status = split(opt);

	if (status >= 0)
		return status;
	m = make_monitor(opt);
	if (!m) {
		fbk_say("no memory for the monitor: %s", strerror(errno));
		return FBK_EXIT_HOST;
	}
	status = run(m);
	fbk_control_close(m); /* where it was not the main thread's end */
	/* The kernel takes the machine apart with the process; the terminal is ours to restore, before a signal ends us. */
	fbk_terminal_restore();
	return m->signal ? fbk_exit_by_signal(m->signal) : status;
}
