/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Each device meets a bad page in each part of a queue: the descriptor table, the available ring, the used ring, a buffer; bad by the
 * host's word, and bad by ours. A device whose ring is gone needs a reset, and works after it; one whose buffer is gone has failed at
 * that one of its requests; its other queue, and the other devices, go on.
 */
#include "hostile.h"
#include "internal.h"

#include <stdio.h>
#include <string.h>

FBK_SCENARIO("69-rings-in-lost-pages", "rings", 40,
	     "guest: a driver without an operating system looks at status and used ring, and has each device work again; host: HardwareCorrupted");

enum { BLOCK = 2, RNG = 4 };
enum { BUFFER = 3, NR_PARTS };
#define NR_QUEUES 7 /* rng, two disks, network and console both ways */

static void judge(const char *line)
{
	bool buffer = fbk_field(line, "part") == BUFFER;
	long kind = fbk_field(line, "kind");
	/* Of what it sends, a driver hears no more than that it has been taken. */
	bool tells = kind == BLOCK || kind == RNG || fbk_field(line, "queue") == 0;

	FBK_CHECK_EQ(fbk_field(line, "reset"), buffer ? 0 : 1);
	FBK_CHECK_EQ(fbk_field(line, "answered"), buffer ? 1 : 0);
	FBK_CHECK_EQ(fbk_field(line, "failed"), buffer && tells ? 1 : 0);
	FBK_CHECK_EQ(fbk_field(line, "beside"), 1);
	FBK_CHECK_EQ(fbk_field(line, "others"), 1);
	FBK_CHECK_EQ(fbk_field(line, "works"), 1);
}

static void every_part(bool by_host)
{
	long corrupted = fbk_host_meminfo("HardwareCorrupted");
	static char text[65536];
	struct fbk_hostile h;
	char said[64], at[32];

	fbk_hostile_boot(&h, "mode=poison", 1, NULL, "virtio");
	for (unsigned int n = 0; n < NR_QUEUES * NR_PARTS; n++) {
		uint64_t gpa;

		snprintf(said, sizeof(said), "hostile: poison n=%u ", n);
		gpa = fbk_field(fbk_hostile_until(&h, said), "gpa");
		snprintf(at, sizeof(at), "%#llx", (unsigned long long)gpa);
		if (by_host) {
			fbk_host_poison(h.guest, gpa);
			fbk_host_poison_settle(h.guest);
		} else {
			FBK_CHECK_EQ(fbk_hostile_ctl("simulate", at, NULL), 0);
		}
		fbk_guest_send(h.guest, "g");
		snprintf(said, sizeof(said), "hostile: met n=%u ", n);
		judge(fbk_hostile_until(&h, said));
		FBK_CHECK_EQ(fbk_ctl(FBK_HOSTILE_API, text, sizeof(text), "ledger", NULL), 0);
		if (!strstr(text, at))
			fbk_fail(__FILE__, __LINE__, "the ledger lacks %s: %s", at, text);
	}
	if (by_host)
		FBK_CHECK_EQ(fbk_host_meminfo("HardwareCorrupted"), corrupted + 4 * NR_QUEUES * NR_PARTS);
	fbk_hostile_done(&h);
}

static void run(void)
{
	every_part(true);
	every_part(false);
}
