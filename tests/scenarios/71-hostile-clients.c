/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Clients of the control API that are slow, silent, greedy or mad, all at once: the guest does not notice, the monitor does not
 * grow, and whoever asks properly is answered.
 */
#include "harness.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

FBK_SCENARIO("71-hostile-clients", "control", 15,
	     "guest: bystander's sums and longest pause; host: the monitor's resident memory and descriptors; exit status 13");

#define API "/tmp/firebreak-hostile.api"
#define CLIENTS 400
#define SECONDS 8

static int client(const char *suffix)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), API "%s", suffix);
	/* Refused for now, when others wait already, is as good. */
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* What client number @i says, once more; NULL: nothing, ever. */
static const char *words(unsigned int i)
{
	static char filler[4096];

	memset(filler, 'a', sizeof(filler) - 1);
	switch (i % 8) {
	case 0: return NULL;
	case 1: return "G";
	case 2: return "POST /v1/simulate HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n";
	case 3: return filler; /* a method, a path, a header without end */
	case 4: return "POST /v1/simulate HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n";
	case 5: return "GET /v1/metrics HTTP/1.1\r\n\r\nGET /v1/metrics HTTP/1.1\r\n\r\n"; /* and does not read */
	case 6: return "\x16\x03\x01\x02" "garbage\r\n\r\n";
	default: return "POST /v1/simulate HTTP/1.1\r\nContent-Length: 4000\r\n\r\n[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[";
	}
}

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2, .api = API });
	char *ask[] = { fbk_path_files("firebreak"), "ctl", "--socket", API, "status", NULL };
	char *stop[] = { fbk_path_files("firebreak"), "ctl", "--socket", API, "stop", NULL };
	int fd[CLIENTS], console, pid = fbk_bystander_start(g);
	unsigned int fds = fbk_guest_descriptors(g), asked = 0, answered = 0, connected = 0;
	uint64_t until = fbk_now_ms() + SECONDS * 1000, next = 0;
	long own, grown;
	const char *line;
	char text[1024];

	FBK_CHECK_EQ(fbk_run(ask, text, sizeof(text)), 0);
	own = fbk_guest_own_kb(g);
	for (unsigned int i = 0; i < CLIENTS; i++)
		fd[i] = -1;
	/* One that types without end, and reads nothing. */
	console = client(".console");
	FBK_CHECK(console >= 0);
	while (fbk_now_ms() < until) {
		for (unsigned int i = 0; i < CLIENTS; i++) {
			const char *say = words(i);

			if (fd[i] < 0) {
				fd[i] = client("");
				connected += fd[i] >= 0;
			}
			if (fd[i] >= 0 && say && send(fd[i], say, strlen(say), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN) {
				close(fd[i]);
				fd[i] = -1;
			}
		}
		if (send(console, "\n\n\n\n\n\n\n\n", 8, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
			fbk_fail(__FILE__, __LINE__, "the console was closed");
		FBK_CHECK(fbk_guest_descriptors(g) <= fds + 10);
		fbk_guests_pump(5);
		/* Among all these one that means well is not let down for long. */
		if (fbk_now_ms() >= next) {
			next = fbk_now_ms() + 1000;
			asked++;
			answered += !fbk_run(ask, text, sizeof(text));
		}
	}
	for (unsigned int i = 0; i < CLIENTS; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	close(console);
	fbk_note("%u hostile connections; %u of %u others answered meanwhile", connected, answered, asked);
	FBK_CHECK(connected > CLIENTS);
	FBK_CHECK_EQ(fbk_run(ask, text, sizeof(text)), 0);
	grown = fbk_guest_own_kb(g) - own;
	fbk_note("resident memory beyond the guest's: %ld kB, and %ld kB more afterwards", own, grown);
	FBK_CHECK(own > 0 && grown < 512);

	fbk_guest_forget(g);
	fbk_guest_send(g, "go %d", pid);
	line = fbk_guest_expect(g, 60, "bystander[%d]: account", pid);
	fbk_note("longest pause of the bystander: %llu ms", (unsigned long long)fbk_field(line, "longest_ms"));
	FBK_CHECK(fbk_field(line, "longest_ms") < 2000);
	fbk_bystander_end(g, pid);
	FBK_CHECK_EQ(fbk_run(stop, text, sizeof(text)), 0);
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 13);
	FBK_CHECK(access(API, F_OK) && access(API ".console", F_OK));
}
