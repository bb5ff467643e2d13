/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* arguments.c - see arguments.h */
#include "arguments.h"
#include "textfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add(struct fbk_arguments *a, char *arg, const char *file, unsigned int line, char *why, size_t why_len)
{
	if (a->argc == FBK_ARGUMENTS_MAX) {
		snprintf(why, why_len, "more than %d arguments and lines of config files", FBK_ARGUMENTS_MAX);
		return -E2BIG;
	}
	a->place[a->argc] = (struct fbk_argument_place){ file, line };
	a->argv[a->argc++] = arg;
	return 0;
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t';
}

static bool is_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') && !(i && (s[i] == '-' || (s[i] >= '0' && s[i] <= '9'))))
			return false;
	return len > 0;
}

/* Return: what is wrong with a line that has something in it, NULL: nothing; its parts are then in the last four. */
static const char *split(char *s, char *end, char **ret_name, size_t *ret_name_len, char **ret_val, size_t *ret_val_len)
{
	char *eq, *name_end;

	for (const char *p = s; p < end; p++) {
		if (*p == '\r')
			return "a carriage return; lines end with a newline alone";
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return "a control byte";
	}
	eq = memchr(s, '=', (size_t)(end - s));
	if (!eq)
		return "not NAME = VALUE, a comment behind #, or blank";
	name_end = eq;
	while (name_end > s && is_blank(name_end[-1]))
		name_end--;
	if (!strncmp(s, "--", 2))
		return "options stand here without --";
	if (!is_name(s, (size_t)(name_end - s)))
		return "what stands before = is no option's name";
	if (name_end - s == 6 && !memcmp(s, "config", 6))
		return "a config file names no other one";
	for (eq++; eq < end && is_blank(*eq); eq++)
		;
	*ret_name = s;
	*ret_name_len = (size_t)(name_end - s);
	*ret_val = eq;
	*ret_val_len = (size_t)(end - eq);
	return NULL;
}

int fbk_arguments_lines(struct fbk_arguments *a, const char *file, char *text, size_t len, char *why, size_t why_len)
{
	char *end = text + len, *s = text, *next, *name, *val, *arg;
	unsigned int line = 1;
	size_t name_len, val_len;
	const char *wrong;
	int r;

	for (; s < end; s = next, line++) {
		char *stop = memchr(s, '\n', (size_t)(end - s));

		next = stop ? stop + 1 : end;
		if (!stop)
			stop = end;
		while (s < stop && is_blank(*s))
			s++;
		while (stop > s && is_blank(stop[-1]))
			stop--;
		if (s == stop || *s == '#')
			continue;
		wrong = split(s, stop, &name, &name_len, &val, &val_len);
		if (wrong) {
			snprintf(why, why_len, "%.200s:%u: %s", file, line, wrong);
			return -EINVAL;
		}
		arg = malloc(name_len + val_len + 4);
		if (!arg) {
			snprintf(why, why_len, "%.200s: no memory", file);
			return -ENOMEM;
		}
		sprintf(arg, "--%.*s=%.*s", (int)name_len, name, (int)val_len, val);
		r = add(a, arg, file, line, why, why_len);
		if (r) {
			free(arg);
			return r;
		}
		a->owned[a->nr_owned++] = arg;
	}
	return 0;
}

static int read_config(struct fbk_arguments *a, const char *path, char *why, size_t why_len)
{
	char *text = malloc(FBK_CONFIG_MAX), wrong[80];
	ssize_t n;
	int r;

	if (!text) {
		snprintf(why, why_len, "%.200s: no memory", path);
		return -ENOMEM;
	}
	n = fbk_textfile_read(path, text, FBK_CONFIG_MAX, wrong, sizeof(wrong));
	if (n < 0) {
		snprintf(why, why_len, "--config %.200s: %s", path, wrong);
		r = (int)n;
	} else {
		r = fbk_arguments_lines(a, path, text, (size_t)n, why, why_len);
	}
	free(text);
	return r;
}

int fbk_arguments_gather(int argc, char **argv, struct fbk_arguments *ret, char *why, size_t why_len)
{
	int r = 0;

	*ret = (struct fbk_arguments){
		.argv = calloc(FBK_ARGUMENTS_MAX + 1, sizeof(char *)),
		.place = calloc(FBK_ARGUMENTS_MAX, sizeof(struct fbk_argument_place)),
		.owned = calloc(FBK_ARGUMENTS_MAX, sizeof(char *)),
	};
	if (!ret->argv || !ret->place || !ret->owned) {
		snprintf(why, why_len, "no memory");
		return -ENOMEM;
	}
	for (int i = 0; i < argc && !r; i++) {
		/* The words are walked as fbk_options_parse() walks them: a value of its own is never taken for an option. */
		bool has_value = !strncmp(argv[i], "--", 2) && strcmp(argv[i], "--help") && !strchr(argv[i], '=');

		if (!strncmp(argv[i], "--config=", 9) && argv[i][9]) {
			r = read_config(ret, argv[i] + 9, why, why_len);
		} else if (!strcmp(argv[i], "--config") && i + 1 < argc) {
			r = read_config(ret, argv[++i], why, why_len);
		} else {
			r = add(ret, argv[i], NULL, 0, why, why_len);
			if (!r && has_value && i + 1 < argc)
				r = add(ret, argv[++i], NULL, 0, why, why_len);
		}
	}
	return r;
}

void fbk_arguments_free(struct fbk_arguments *a)
{
	for (unsigned int i = 0; i < a->nr_owned; i++)
		free(a->owned[i]);
	free(a->owned);
	free(a->place);
	free(a->argv);
}
