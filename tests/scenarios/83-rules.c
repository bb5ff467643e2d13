/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* Every rule of the sandbox, and its nearest miss, on the architecture and the kernel for which they are made. */
#include "harness.h"
#include "internal.h"

#include <string.h>

FBK_SCENARIO("83-rules", "sandbox", 30, "host: its kernel lets a child pass, or ends it by SIGSYS");

static void run(void)
{
	static char text[4096];
	char *argv[] = { fbk_path_files("sandbox-rules"), NULL };
	int status = fbk_run(argv, text, sizeof(text));

	if (status)
		fbk_fail(__FILE__, __LINE__, "status %d: %s", status, text);
	FBK_CHECK(strstr(text, "ok 7 - ") && strstr(text, "1..7"));
}
