/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * explain-esr - what a syndrome says, by the library's decoder alone. Runs on any machine; C99 and C++17 alike.
 *
 * usage: explain-esr ESR...    as in "esr=0x92000010" of a log
 * Exit status: 0; 1 one of them is no external abort; 2 usage.
 */
#include <firebreak/sea.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int explain(const char *text)
{
	struct fbk_sea_exit in;
	struct fbk_abort abort;
	char *end;
	int err;

	memset(&in, 0, sizeof(in));
	in.abi = FBK_ABI_MAINLINE;
	errno = 0;
	in.esr = strtoull(text, &end, 0);
	if (errno || end == text || *end != '\0') {
		fprintf(stderr, "explain-esr: '%s' is no number\n", text);
		return 2;
	}
	err = fbk_sea_decode(&in, &abort);
	if (err) {
		printf("%s: %s\n", text, err == -EBADMSG ? "not an external abort" : strerror(-err));
		return 1;
	}
	printf("%s: %s abort from %s, %s; severity %s%s; address register %s\n", text, fbk_sea_kind_name(abort.kind),
	       abort.flags & FBK_SEA_SAME_EL ? "the same exception level" : "a lower exception level",
	       fbk_sea_status_text((uint32_t)(in.esr & 0x3f)), fbk_severity_name(abort.severity),
	       abort.flags & FBK_SEA_HAS_SET ? "" : " by default", abort.flags & FBK_SEA_HAS_GVA ? "valid" : "not valid");
	return 0;
}

int main(int argc, char **argv)
{
	int i, worst = argc < 2 ? 2 : 0;

	if (argc < 2)
		fprintf(stderr, "usage: explain-esr ESR...\n");
	for (i = 1; i < argc; i++) {
		int status = explain(argv[i]);

		if (status > worst)
			worst = status;
	}
	return worst;
}
