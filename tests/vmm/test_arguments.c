/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_arguments.c - the command line with config files in it: one row a file, and where its lines end up.
 */
#include "test.h"

#include "arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/firebreak-arguments-XXXXXX";

static void write_config(const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static int gather(int argc, char **argv, struct fbk_arguments *a, char *why)
{
	why[0] = '\0';
	return fbk_arguments_gather(argc, argv, a, why, 320);
}

static void lines_are_options(void **state)
{
	static const char text[] = "# a server\n\n kernel = /boot/vmlinuz \n\tappend=root=/dev/vda quiet # not a comment\n"
				   "disk = a,ro\ndisk=b\nappend =";
	char before[] = "--cpus", two[] = "2", config[] = "--config", after[] = "--memory=1G", value[] = "--append",
	     looks_so[] = "--config";
	char *argv[] = { before, two, config, path, after, value, looks_so }, why[320];
	static const char *const want[] = { "--cpus", "2", "--kernel=/boot/vmlinuz", "--append=root=/dev/vda quiet # not a comment",
					    "--disk=a,ro", "--disk=b", "--append=", "--memory=1G", "--append", "--config" };
	static const unsigned int line[] = { 0, 0, 3, 4, 5, 6, 7, 0, 0, 0 };
	struct fbk_arguments a;

	write_config(text, sizeof(text) - 1);
	assert_int_equal(gather(7, argv, &a, why), 0);
	assert_int_equal(a.argc, ARRAY_SIZE(want));
	for (int i = 0; i < a.argc; i++) {
		assert_string_equal(a.argv[i], want[i]);
		assert_int_equal(a.place[i].line, line[i]);
		if (line[i])
			assert_string_equal(a.place[i].file, path);
		else
			assert_null(a.place[i].file);
	}
	fbk_arguments_free(&a);
}

static void what_is_no_line(void **state)
{
	static const struct {
		const char *text;
		size_t len; /* 0: of the text */
		const char *why;
	} rows[] = {
		{ "kernel = k\nmemory\n", 0, ":2: not NAME = VALUE, a comment behind #, or blank" },
		{ "--memory = 1G", 0, ":1: options stand here without --" },
		{ "= 1G", 0, ":1: what stands before = is no option's name" },
		{ "mem ory = 1G", 0, ":1: what stands before = is no option's name" },
		{ "Memory = 1G", 0, ":1: what stands before = is no option's name" },
		{ "\n\nconfig = other", 0, ":3: a config file names no other one" },
		{ "cpus = 2\r\n", 0, ":1: a carriage return; lines end with a newline alone" },
		{ "cpus = \0", 8, ":1: a control byte" },
		{ "append = \033[2J", 0, ":1: a control byte" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char config[64], why[320], want[400];
		char *argv[] = { config };
		struct fbk_arguments a;

		snprintf(config, sizeof(config), "--config=%s", path);
		write_config(rows[i].text, rows[i].len ? rows[i].len : strlen(rows[i].text));
		assert_int_equal(gather(1, argv, &a, why), -EINVAL);
		snprintf(want, sizeof(want), "%s%s", path, rows[i].why);
		assert_string_equal(why, want);
		fbk_arguments_free(&a);
	}
}

static void what_is_no_file(void **state)
{
	static const struct {
		const char *file;
		int error;
		const char *why;
	} rows[] = {
		{ "/nonexistent/file", -ENOENT, "--config /nonexistent/file: No such file or directory" },
		{ "/tmp", -EINVAL, "--config /tmp: not a regular file" },
		{ "/dev/zero", -EINVAL, "--config /dev/zero: not a regular file" },
	};
	char config[] = "--config", why[320], *argv[] = { config, NULL };
	struct fbk_arguments a;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		argv[1] = (char *)rows[i].file;
		assert_int_equal(gather(2, argv, &a, why), rows[i].error);
		assert_string_equal(why, rows[i].why);
		fbk_arguments_free(&a);
	}
	/* Without its value it is left for the options' reader to name. */
	assert_int_equal(gather(1, argv, &a, why), 0);
	assert_int_equal(a.argc, 1);
	fbk_arguments_free(&a);
}

static void bounds(void **state)
{
	static char text[FBK_CONFIG_MAX + 1];
	char config[] = "--config", why[320], *argv[] = { config, path };
	struct fbk_arguments a;

	memset(text, '\n', sizeof(text));
	write_config(text, FBK_CONFIG_MAX);
	assert_int_equal(gather(2, argv, &a, why), 0);
	assert_int_equal(a.argc, 0);
	fbk_arguments_free(&a);
	write_config(text, FBK_CONFIG_MAX + 1);
	assert_int_equal(gather(2, argv, &a, why), -EFBIG);
	assert_non_null(strstr(why, ": longer than 65536 bytes"));
	fbk_arguments_free(&a);

	for (unsigned int n = FBK_ARGUMENTS_MAX; n <= FBK_ARGUMENTS_MAX + 1; n++) {
		for (unsigned int i = 0; i < n; i++)
			memcpy(text + i * 4, "a=b\n", 4);
		write_config(text, n * 4);
		assert_int_equal(gather(2, argv, &a, why), n > FBK_ARGUMENTS_MAX ? -E2BIG : 0);
		fbk_arguments_free(&a);
	}
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	return unlink(path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_options),
		cmocka_unit_test(what_is_no_line),
		cmocka_unit_test(what_is_no_file),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
