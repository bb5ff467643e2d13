/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* request.c - see request.h */
#include "request.h"

#include <errno.h>
#include <http_parser.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fields of simulate's body that were there. */
enum { SEEN_GPA = 1 << 0, SEEN_ADDRESS = 1 << 1, SEEN_CPU = 1 << 2 };

#define BRACKETS_MAX 16 /* the parser of JSON recurses, and no body of ours nests */

static const struct endpoint {
	const char *path;
	bool post;
	enum fbk_asked what;
} endpoints[] = {
	{ "/v1/status", false, FBK_ASKED_STATUS },
	{ "/v1/devices", false, FBK_ASKED_DEVICES },
	{ "/v1/errors", false, FBK_ASKED_ERRORS },
	{ "/v1/ledger", false, FBK_ASKED_LEDGER },
	{ "/v1/metrics", false, FBK_ASKED_METRICS },
	{ "/v1/pause", true, FBK_ASKED_PAUSE },
	{ "/v1/resume", true, FBK_ASKED_RESUME },
	{ "/v1/power", true, FBK_ASKED_POWER },
	{ "/v1/reset", true, FBK_ASKED_RESET },
	{ "/v1/stop", true, FBK_ASKED_STOP },
	{ "/v1/simulate", true, FBK_ASKED_SIMULATE },
};

#define NR_ENDPOINTS (sizeof(endpoints) / sizeof(endpoints[0]))

/* Decimal, or hexadecimal behind 0x; nothing before or behind. Errors: -EINVAL. */
static int parse_number(const char *s, size_t len, uint64_t *ret)
{
	char digits[24], *end;

	if (!len || len >= sizeof(digits) || s[0] < '0' || s[0] > '9')
		return -EINVAL;
	memcpy(digits, s, len);
	digits[len] = '\0';
	errno = 0;
	*ret = strtoull(digits, &end, digits[0] == '0' && digits[1] == 'x' ? 16 : 10);
	/* The first rule keeps out signs and blanks, the last what ends early. */
	return errno || *end || end == digits ? -EINVAL : 0;
}

static int set_parameter(struct fbk_request *r, const char *name, size_t name_len, const char *val, size_t val_len)
{
	uint64_t n;

	if (r->what != FBK_ASKED_LEDGER || parse_number(val, val_len, &n))
		return -EINVAL;
	if (name_len == 5 && !memcmp(name, "after", 5)) {
		r->after = n;
		r->has_after = true;
		return 0;
	}
	if (name_len == 5 && !memcmp(name, "limit", 5) && n && n <= FBK_LEDGER_PAGES_MAX) {
		r->limit = n;
		return 0;
	}
	return -EINVAL;
}

static int parse_query(struct fbk_request *r, const char *query, char *why, size_t why_len)
{
	while (*query) {
		size_t len = strcspn(query, "&"), name = strcspn(query, "=&");

		if (name == len || set_parameter(r, query, name, query + name + 1, len - name - 1)) {
			snprintf(why, why_len, "?%.*s: no parameter of this, or no value of it", (int)(len < 80 ? len : 80), query);
			return HTTP_STATUS_BAD_REQUEST;
		}
		query += len;
		query += *query == '&';
	}
	return 0;
}

/* An address is a string, "0x..." or decimal: a JSON number need not be exact beyond 2^53. */
static int get_address(const json_t *val, uint64_t *ret)
{
	return json_is_string(val) ? parse_number(json_string_value(val), json_string_length(val), ret) : -EINVAL;
}

static int set_field(struct fbk_request *r, const char *name, const json_t *val, unsigned int *seen, char *why, size_t why_len)
{
	const char *wants = NULL;

	if (r->what != FBK_ASKED_SIMULATE) {
		snprintf(why, why_len, "%.80s: no such field; the body is empty", name);
	} else if (!strcmp(name, "gpa") || !strcmp(name, "address")) {
		if (get_address(val, &r->address))
			wants = "a string with a number, \"0x...\" or decimal";
		r->virtual = *name == 'a';
		*seen |= r->virtual ? SEEN_ADDRESS : SEEN_GPA;
	} else if (!strcmp(name, "cpu")) {
		if (!json_is_integer(val) || json_integer_value(val) < 0 || json_integer_value(val) > UINT16_MAX)
			wants = "the number of a vCPU";
		else
			r->cpu = json_integer_value(val);
		*seen |= SEEN_CPU;
	} else if (!strcmp(name, "tell")) {
		if (!json_is_boolean(val))
			wants = "true or false";
		r->tell = json_is_true(val);
	} else {
		snprintf(why, why_len, "%.80s: no such field; there are gpa, address, cpu and tell", name);
	}
	if (wants)
		snprintf(why, why_len, "%.80s: must be %s", name, wants);
	return *why ? -EINVAL : 0;
}

/* What belongs together, and what is needed. */
static int check_fields(const struct fbk_request *r, unsigned int seen, char *why, size_t why_len)
{
	if (r->what != FBK_ASKED_SIMULATE)
		return 0;
	switch (seen & (SEEN_GPA | SEEN_ADDRESS | SEEN_CPU)) {
	case SEEN_GPA:
	case SEEN_ADDRESS | SEEN_CPU:
		return 0;
	}
	snprintf(why, why_len, "either gpa is needed, or cpu and address");
	return -EINVAL;
}

static int parse_body(struct fbk_request *r, const char *body, size_t len, char *why, size_t why_len)
{
	unsigned int brackets = 0, seen = 0;
	json_error_t error;
	const char *name;
	json_t *json, *val;
	int status = 0;

	if (!len)
		return check_fields(r, 0, why, why_len) ? HTTP_STATUS_BAD_REQUEST : 0;
	for (size_t i = 0; i < len; i++)
		brackets += body[i] == '[' || body[i] == '{';
	if (brackets > BRACKETS_MAX) {
		snprintf(why, why_len, "the body nests too deeply");
		return HTTP_STATUS_BAD_REQUEST;
	}
	json = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error);
	if (!json) {
		snprintf(why, why_len, "the body is no JSON: %.120s", error.text);
		return HTTP_STATUS_BAD_REQUEST;
	}
	*why = '\0';
	if (!json_is_object(json)) {
		snprintf(why, why_len, "the body is no JSON object");
		status = HTTP_STATUS_BAD_REQUEST;
	} else {
		json_object_foreach(json, name, val) {
			if (set_field(r, name, val, &seen, why, why_len)) {
				status = HTTP_STATUS_BAD_REQUEST;
				break;
			}
		}
		if (!status && check_fields(r, seen, why, why_len))
			status = HTTP_STATUS_BAD_REQUEST;
	}
	json_decref(json);
	return status;
}

int fbk_request_parse(const char *method, const char *target, const char *body, size_t len, struct fbk_request *ret, char *why,
		      size_t why_len)
{
	struct fbk_request r = { .limit = FBK_LEDGER_PAGES_MAX };
	size_t path_len = strcspn(target, "?");
	const struct endpoint *e = NULL;
	int status;

	for (size_t i = 0; i < NR_ENDPOINTS; i++)
		if (strlen(endpoints[i].path) == path_len && !memcmp(endpoints[i].path, target, path_len))
			e = &endpoints[i];
	if (!e) {
		snprintf(why, why_len, "%.80s: there is no such thing here", target);
		return HTTP_STATUS_NOT_FOUND;
	}
	if (strcmp(method, e->post ? "POST" : "GET")) {
		snprintf(why, why_len, "%.20s: %s is wanted for %s", method, e->post ? "POST" : "GET", e->path);
		return HTTP_STATUS_METHOD_NOT_ALLOWED;
	}
	r.what = e->what;
	status = parse_query(&r, target[path_len] ? target + path_len + 1 : "", why, why_len);
	if (!status)
		status = parse_body(&r, body, len, why, why_len);
	if (!status)
		*ret = r;
	return status;
}
