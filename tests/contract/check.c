// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * `firebreak check` tells an operator by which ways aborts go back to the guest: it must name those that this suite has just
 * seen the library take, and no road that this kernel does not have.
 */
#include "contract.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define PATH "./firebreak"

/* The line's words after its name, in buf; NULL: there is no such line. */
static const char *line_of(const char *text, const char *name, char *buf, size_t len)
{
	const char *at = strstr(text, name);

	if (!at)
		return NULL;
	at += strlen(name);
	snprintf(buf, len, "%.*s", (int)strcspn(at, "\n"), at);
	return buf;
}

/* Which of the methods that were seen is not named; NULL: all are. */
static const char *unnamed(const char *words, uint32_t seen)
{
	for (unsigned int m = FBK_REPLAY_NONE + 1; seen >> m; m++)
		if (seen >> m & 1 && !strstr(words, fbk_replay_name((enum fbk_replay_method)m)))
			return fbk_replay_name((enum fbk_replay_method)m);
	return NULL;
}

void test_check(void)
{
	static const char *const names[2] = { [AFTER_SEA] = "\nreplay after an SEA exit", [AFTER_SIGBUS] = "\nreplay after SIGBUS" };
	/* Whether there is that road here; whether syndromes go by it. */
	const bool roads[2] = { has_sea, true }, syndromes[2] = { has_sea && takes_syndrome(), false };
	char text[8192], buf[512], name[128];
	FILE *f = popen(PATH " check", "r");
	const char *words, *missing;
	size_t len;
	int status;

	if (!f)
		bail("cannot run " PATH);
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = 0;
	status = pclose(f);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == !has_sea, "firebreak check: its status says whether SEAs leave the kernel",
	   "status 0x%x", (unsigned int)status);
	for (int road = AFTER_SEA; road <= AFTER_SIGBUS; road++) {
		words = line_of(text, names[road], buf, sizeof(buf));
		snprintf(name, sizeof(name), "firebreak check: %s", names[road] + 1);
		if (!words) {
			ok(false, name, "no such line");
			continue;
		}
		missing = unnamed(words, methods_seen[road]);
		ok(!missing && !methods_seen[road] == !roads[road] && strstr(words, roads[road] ? " yes " : " no ") &&
			   !strstr(words, fbk_replay_name(FBK_REPLAY_SYNDROME)) == !syndromes[road],
		   name, "'%s'%s%s", words, missing ? " does not say " : "", missing ? missing : "");
	}
}
