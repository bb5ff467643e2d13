/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* hostile.c - see hostile.h */
#include "hostile.h"
#include "internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_S 120
#define HANGS_S 30 /* what takes some 3 s is not done then */
#define END_S 60
#define LOOK_MS 250
#define MOST_DESCRIPTORS 400 /* its sockets are bounded (vmm/devices/net-user.h) */
/* A monitor that has touched all of its own has that much more than at the start: each queue's place for requests, libslirp's. */
#define GROWTH_KB 4096
/* Beyond it no request of the guest's leads (tests/hostile/virtio-chains.c). */
#define OWN_LEN (FBK_DISK_LEN / 4 * 3)

static struct fbk_guest *witness;
static int bystander;

void fbk_witness_start(void)
{
	witness = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest" });
	bystander = fbk_bystander_start(witness);
}

void fbk_witness_end(void)
{
	fbk_bystander_end(witness, bystander);
}

void fbk_hostile_boot(struct fbk_hostile *h, const char *orders, unsigned int cpus, const char *net, const char *console)
{
	struct fbk_guest_spec spec = {
		.kernel = "hostile",
		.cpus = cpus,
		.memory_mib = 64, /* as tests/hostile/hostile.h has it */
		.no_disk = true,
		.disks = { ",queues=2", ",ro,queues=1" },
		.net = net ? net : "user",
		.console = console,
		.api = FBK_HOSTILE_API,
		.append = orders,
	};

	h->guest = fbk_guest_boot(&spec);
	h->own_kb = h->most_kb = fbk_guest_own_kb(h->guest);
	FBK_CHECK(h->own_kb);
}

/* Return: the line, or NULL if it does not come within that time. */
static const char *watch(struct fbk_hostile *h, const char *said, unsigned int seconds)
{
	uint64_t deadline = fbk_deadline_ms(seconds);
	const char *line;
	long now;

	while (!(line = fbk_guest_said(h->guest, "%s", said)) && fbk_now_ms() < deadline) {
		if (!fbk_guest_alive(h->guest))
			fbk_fail(__FILE__, __LINE__, "the monitor ended (status %d) before the guest said \"%s\"",
				 fbk_guest_wait(h->guest, 0), said);
		now = fbk_guest_own_kb(h->guest);
		if (now > h->most_kb)
			h->most_kb = now;
		fbk_guests_pump(LOOK_MS);
	}
	return line;
}

const char *fbk_hostile_until(struct fbk_hostile *h, const char *said)
{
	const char *line = watch(h, said, MOST_S);

	if (!line)
		fbk_fail(__FILE__, __LINE__, "the guest did not say within %d s: \"%s\"", MOST_S, said);
	return line;
}

static void judge_disk(const char *path, size_t from)
{
	static uint8_t all[FBK_DISK_LEN];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) || read(fd, all, sizeof(all)) != (ssize_t)sizeof(all))
		fbk_fail(__FILE__, __LINE__, "%s: %m", path);
	close(fd);
	FBK_CHECK_EQ(st.st_size, FBK_DISK_LEN);
	for (size_t i = from; i < sizeof(all); i++)
		if (all[i] != FBK_DISK_BYTE)
			fbk_fail(__FILE__, __LINE__, "%s: byte %zu is %#x, which the guest has not written", path, i, all[i]);
}

void fbk_hostile_judge(struct fbk_hostile *h)
{
	judge_disk(fbk_guest_disk(h->guest, 1), OWN_LEN);
	judge_disk(fbk_guest_disk(h->guest, 2), 0);
	fbk_note("the monitor's own memory: %ld kB, at most %ld kB", h->own_kb, h->most_kb);
	FBK_CHECK(h->most_kb - h->own_kb < GROWTH_KB);
}

/* After an attack, with the guest still there. Return: its account. */
static const char *look(struct fbk_hostile *h)
{
	const char *line = fbk_hostile_until(h, "hostile: done"), *devices = fbk_guest_said(h->guest, "hostile: devices=");

	fbk_note("%s", line);
	FBK_CHECK(devices);
	FBK_CHECK(fbk_field(devices, "asked") >= 4);
	FBK_CHECK_EQ(fbk_field(devices, "works"), fbk_field(devices, "asked"));
	FBK_CHECK(!fbk_guest_said(h->guest, "got lost"));
	/* Whatever the guest has opened, there is room for the operator. */
	FBK_CHECK_EQ(fbk_hostile_ctl("status", NULL, NULL), 0);
	FBK_CHECK(fbk_guest_descriptors(h->guest) < MOST_DESCRIPTORS);
	return line;
}

const char *fbk_hostile_again(struct fbk_hostile *h)
{
	const char *line = look(h);

	fbk_guest_forget(h->guest);
	fbk_guest_send(h->guest, "r");
	fbk_hostile_until(h, "hostile: up");
	return line;
}

const char *fbk_hostile_again_if(struct fbk_hostile *h)
{
	if (watch(h, "hostile: done", HANGS_S))
		return fbk_hostile_again(h);
	fbk_note("the guest has hung itself");
	FBK_CHECK_EQ(fbk_hostile_ctl("status", NULL, NULL), 0);
	fbk_guest_forget(h->guest);
	FBK_CHECK_EQ(fbk_hostile_ctl("reset", NULL, NULL), 0);
	fbk_hostile_until(h, "hostile: up");
	return NULL;
}

void fbk_hostile_stop(struct fbk_hostile *h)
{
	FBK_CHECK_EQ(fbk_hostile_ctl("stop", NULL, NULL), 0);
	FBK_CHECK_EQ(fbk_guest_wait(h->guest, END_S), 13);
	fbk_hostile_judge(h);
}

const char *fbk_hostile_done(struct fbk_hostile *h)
{
	const char *line = look(h);

	fbk_guest_send(h->guest, "q");
	FBK_CHECK_EQ(fbk_guest_wait(h->guest, END_S), 0);
	fbk_hostile_judge(h);
	return line;
}

int fbk_hostile_ctl(const char *verb, const char *a, const char *b)
{
	char *argv[] = { fbk_path_files("firebreak"), "ctl", "--socket", FBK_HOSTILE_API, (char *)verb, (char *)a, (char *)b, NULL };
	char said[4096];

	return fbk_run(argv, said, sizeof(said));
}
