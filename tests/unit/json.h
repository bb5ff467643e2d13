/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * json.h - a strict reader of JSON text, enough to judge what we write [RFC 8259].
 */
#ifndef FBK_TESTS_JSON_H
#define FBK_TESTS_JSON_H

#include <stddef.h>

/* The end of one value that begins at s; NULL when it is not JSON. */
static const char *json_value(const char *s);

static const char *json_string(const char *s)
{
	int i;

	if (*s++ != '"')
		return NULL;
	while (*s != '"') {
		if ((unsigned char)*s < 0x20)
			return NULL;
		if (*s++ != '\\')
			continue;
		switch (*s++) {
		case '"':
		case '\\':
		case '/':
		case 'b':
		case 'f':
		case 'n':
		case 'r':
		case 't':
			break;
		case 'u':
			for (i = 0; i < 4; i++, s++)
				if (!((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'f') || (*s >= 'A' && *s <= 'F')))
					return NULL;
			break;
		default:
			return NULL;
		}
	}
	return s + 1;
}

static const char *json_word(const char *s, const char *word)
{
	while (*word)
		if (*s++ != *word++)
			return NULL;
	return s;
}

static const char *json_value(const char *s)
{
	switch (*s) {
	case '{':
		if (*++s == '}')
			return s + 1;
		for (;;) {
			s = json_string(s);
			if (!s || *s++ != ':')
				return NULL;
			s = json_value(s);
			if (!s)
				return NULL;
			if (*s == '}')
				return s + 1;
			if (*s++ != ',')
				return NULL;
		}
	case '[':
		if (*++s == ']')
			return s + 1;
		for (;;) {
			s = json_value(s);
			if (!s)
				return NULL;
			if (*s == ']')
				return s + 1;
			if (*s++ != ',')
				return NULL;
		}
	case '"':
		return json_string(s);
	case 't':
		return json_word(s, "true");
	case 'f':
		return json_word(s, "false");
	case 'n':
		return json_word(s, "null");
	case '-':
		s++;
		/* fall through */
	case '0' ... '9':
		if (*s == '0' && s[1] >= '0' && s[1] <= '9')
			return NULL;
		if (*s < '0' || *s > '9')
			return NULL;
		while (*s >= '0' && *s <= '9')
			s++;
		return s;
	}
	return NULL;
}

#endif
