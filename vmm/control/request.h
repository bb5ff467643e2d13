/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * request.h - what a request of the control API asks for: paths, parameters and bodies, told apart. docs/api.md.
 */
#ifndef FBK_VMM_REQUEST_H
#define FBK_VMM_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fbk_asked {
	FBK_ASKED_STATUS,
	FBK_ASKED_DEVICES,
	FBK_ASKED_ERRORS,
	FBK_ASKED_LEDGER,
	FBK_ASKED_METRICS,
	/* From here on the machine itself is asked. */
	FBK_ASKED_PAUSE,
	FBK_ASKED_RESUME,
	FBK_ASKED_POWER,
	FBK_ASKED_RESET,
	FBK_ASKED_STOP,
	FBK_ASKED_SIMULATE,
};

#define FBK_LEDGER_PAGES_MAX 1000 /* in one answer */

struct fbk_request {
	enum fbk_asked what;
	/* LEDGER: pages behind that one, or all; so many at most. */
	bool has_after;
	uint64_t after;
	unsigned int limit;
	/* SIMULATE: a guest physical address, or a virtual one as that vCPU sees it. */
	bool virtual;
	uint64_t address;
	unsigned int cpu;
	bool tell; /* at once, as of poison that the host found, and not when it is touched */
};

/**
 * fbk_request_parse - what is asked for
 * @target: path and query as they came
 * @ret:    written on success only
 * @why:    on failure, one sentence without a full stop
 *
 * Return: 0, or the HTTP status to refuse it with: 400, 404, 405.
 */
int fbk_request_parse(const char *method, const char *target, const char *body, size_t len, struct fbk_request *ret, char *why,
		      size_t why_len);

#endif
