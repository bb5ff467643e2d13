/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * calls.h - requests to the machine on their way from the API's thread to the main thread, and the answers on theirs back.
 *
 * Bounded: one place for each client. Neither side waits for the other: the caller of fbk_calls_put() and of fbk_calls_done()
 * wakes the other's loop.
 */
#ifndef FBK_VMM_CALLS_H
#define FBK_VMM_CALLS_H

#include "http.h"
#include "request.h"

#include <pthread.h>

#define FBK_CALL_TEXT_MAX 256

struct fbk_call {
	enum { FBK_CALL_FREE, FBK_CALL_ASKED, FBK_CALL_TAKEN, FBK_CALL_LATE, FBK_CALL_DONE } state;
	uint64_t client;   /* fbk_http's number; later ones are larger */
	uint64_t until_ns; /* the client waits no longer */
	struct fbk_request request;
	unsigned int status;
	char text[FBK_CALL_TEXT_MAX]; /* what became of it: of the error below 200 and from 300 on */
};

struct fbk_calls {
	pthread_mutex_t lock;
	struct fbk_call call[FBK_HTTP_CLIENTS];
};

void fbk_calls_init(struct fbk_calls *c);

/* The API's thread. Errors: -EBUSY no place: earlier calls whose clients wait no more are still being carried out. */
int fbk_calls_put(struct fbk_calls *c, uint64_t client, uint64_t until_ns, const struct fbk_request *req);

/*
 * The API's thread: an answer, or a call whose time is over at @now_ns, which then has status 503 (never begun, and it will not
 * be) or 504 (begun: it will be done, and nobody told). @ret: a copy. Return: true: there was one.
 */
bool fbk_calls_collect(struct fbk_calls *c, uint64_t now_ns, struct fbk_call *ret);
/* When the first client's patience ends; UINT64_MAX: nobody waits. */
uint64_t fbk_calls_until(struct fbk_calls *c);

/* The main thread: the earliest that waits. Return: its place, for fbk_calls_done(); -ENOENT: none. */
int fbk_calls_take(struct fbk_calls *c, struct fbk_request *ret);
/* @text: cut at FBK_CALL_TEXT_MAX - 1. */
void fbk_calls_done(struct fbk_calls *c, int place, unsigned int status, const char *text);

#endif
