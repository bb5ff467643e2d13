/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* policy.c - see policy.h */
#include "policy.h"
#include "exit.h"
#include "report.h"
#include "textfile.h"

int fbk_policy_load(const char *what, const char *path, struct fbk_policy *ret)
{
	static char text[FBK_POLICY_FILE_MAX];
	struct fbk_policy_error wrong;
	char why[80];
	ssize_t n = fbk_textfile_read(path, text, sizeof(text), why, sizeof(why));

	if (n < 0)
		fbk_say("%s %s: %s", what, path, why);
	else if (fbk_policy_parse(text, (size_t)n, ret, &wrong))
		fbk_say("%s %s:%u:%u: %s", what, path, wrong.line, wrong.column, wrong.text);
	else
		return 0;
	return FBK_EXIT_INPUT;
}
