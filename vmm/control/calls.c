/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* calls.c - see calls.h */
#include "calls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void fbk_calls_init(struct fbk_calls *c)
{
	pthread_mutex_init(&c->lock, NULL);
}

int fbk_calls_put(struct fbk_calls *c, uint64_t client, uint64_t until_ns, const struct fbk_request *req)
{
	int r = -EBUSY;

	pthread_mutex_lock(&c->lock);
	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS && r; i++) {
		struct fbk_call *call = &c->call[i];

		if (call->state != FBK_CALL_FREE)
			continue;
		call->state = FBK_CALL_ASKED;
		call->client = client;
		call->until_ns = until_ns;
		call->request = *req;
		r = 0;
	}
	pthread_mutex_unlock(&c->lock);
	return r;
}

/* Lock held. Does the client get an answer now? */
static bool ripe(struct fbk_call *call, uint64_t now_ns)
{
	if (call->state == FBK_CALL_DONE)
		return true;
	if ((call->state != FBK_CALL_ASKED && call->state != FBK_CALL_TAKEN) || call->until_ns > now_ns)
		return false;
	call->status = call->state == FBK_CALL_ASKED ? HTTP_STATUS_SERVICE_UNAVAILABLE : HTTP_STATUS_GATEWAY_TIMEOUT;
	snprintf(call->text, sizeof(call->text), "the machine is busy: %s",
		 call->state == FBK_CALL_ASKED ? "nothing was done" : "it is still being done");
	return true;
}

bool fbk_calls_collect(struct fbk_calls *c, uint64_t now_ns, struct fbk_call *ret)
{
	bool found = false;

	pthread_mutex_lock(&c->lock);
	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS && !found; i++) {
		struct fbk_call *call = &c->call[i];

		if (!ripe(call, now_ns))
			continue;
		*ret = *call;
		/* Its place is the main thread's until that is done with it. */
		call->state = call->state == FBK_CALL_TAKEN ? FBK_CALL_LATE : FBK_CALL_FREE;
		found = true;
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

uint64_t fbk_calls_until(struct fbk_calls *c)
{
	uint64_t until = UINT64_MAX;

	pthread_mutex_lock(&c->lock);
	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS; i++)
		if ((c->call[i].state == FBK_CALL_ASKED || c->call[i].state == FBK_CALL_TAKEN) && c->call[i].until_ns < until)
			until = c->call[i].until_ns;
	pthread_mutex_unlock(&c->lock);
	return until;
}

int fbk_calls_take(struct fbk_calls *c, struct fbk_request *ret)
{
	int first = -ENOENT;

	pthread_mutex_lock(&c->lock);
	for (int i = 0; i < FBK_HTTP_CLIENTS; i++)
		if (c->call[i].state == FBK_CALL_ASKED && (first < 0 || c->call[i].client < c->call[first].client))
			first = i;
	if (first >= 0) {
		c->call[first].state = FBK_CALL_TAKEN;
		*ret = c->call[first].request;
	}
	pthread_mutex_unlock(&c->lock);
	return first;
}

void fbk_calls_done(struct fbk_calls *c, int place, unsigned int status, const char *text)
{
	struct fbk_call *call = &c->call[place];

	pthread_mutex_lock(&c->lock);
	call->status = status;
	snprintf(call->text, sizeof(call->text), "%s", text);
	call->state = call->state == FBK_CALL_LATE ? FBK_CALL_FREE : FBK_CALL_DONE;
	pthread_mutex_unlock(&c->lock);
}
