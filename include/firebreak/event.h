/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * event.h - one structured event per error, and its JSON line.
 */
#ifndef FIREBREAK_EVENT_H
#define FIREBREAK_EVENT_H

#include <firebreak/policy.h>
#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fbk_event; /* TO BE DESIGNED: plain visible record */

#define FBK_EVENT_JSON_MAX 1024 /* bytes that always hold one JSON line, newline and NUL included */

/**
 * fbk_event_json - format an event as one JSON object and a newline
 *
 * Return:  length without the NUL.
 * Errors:  -ENOSPC buf too small (FBK_EVENT_JSON_MAX always suffices).
 * Context: async-signal-safe; does not allocate.
 */
FBK_API FBK_MUST_CHECK int fbk_event_json(const struct fbk_event *ev, char *buf, size_t len);

FBK_EXTERN_C_END

#endif
