/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * control.c - the control API: its thread, which answers what can be read at any time, and what the main thread does for it.
 */
#include "control.h"
#include "attach.h"
#include "calls.h"
#include "http.h"
#include "listen.h"
#include "monitor.h"
#include "page.h"
#include "report.h"
#include "ring.h"
#include "simulate.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MACHINE_PATIENCE_NS (10 * 1000000000ull) /* how long a client waits for the main thread: a reset takes a while */
#define LAST_WORDS_NS 1000000000ull		 /* how long clients may hold up the end */
#define JSON "application/json"

struct fbk_control {
	struct fbk_monitor *m;
	struct fbk_loop loop;
	struct fbk_listen listen, console_listen;
	char *console_path;
	struct fbk_http http;
	struct fbk_calls calls;
	struct fbk_attach attach;
	struct fbk_ring recent;
	uint64_t since_ns;
	pthread_t thread;
	bool started;
	atomic_bool leaving;
};

/* --- what can be read at any time; the API's thread ----------------------------------------------------------------- */

static const char *end_word(enum fbk_end end)
{
	switch (end) {
	case FBK_END_OFF: return "off";
	case FBK_END_CRASH: return "crash";
	case FBK_END_STOP: return "policy";
	case FBK_END_HOST: return "host";
	case FBK_END_QUIT: return "operator";
	case FBK_END_NONE:
	case FBK_END_RESET: /* it goes on at once, or is off */
	case FBK_END_PAUSE: break;
	}
	return NULL;
}

static const char *state_word(struct fbk_monitor *m, const char **ret_reason)
{
	*ret_reason = end_word(atomic_load(&m->end));
	if (*ret_reason)
		return "ended";
	switch ((enum fbk_pause)atomic_load(&m->pause)) {
	case FBK_PAUSE_API:
		*ret_reason = "api";
		return "paused";
	case FBK_PAUSE_POLICY:
		*ret_reason = "policy";
		return "paused";
	case FBK_PAUSE_NONE:
		break;
	}
	return "running";
}

static void answer_json(struct fbk_control *c, uint64_t client, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (text)
		fbk_http_answer(&c->http, client, HTTP_STATUS_OK, JSON, text, strlen(text));
	else
		fbk_http_refuse(&c->http, client, HTTP_STATUS_INTERNAL_SERVER_ERROR, "out of memory");
}

static json_t *sandbox_json(const struct fbk_monitor *m)
{
	const struct fbk_confine *c = &m->confine;

	return json_pack("{s:s, s:i, s:b, s:b, s:I}", "seccomp",
			 !c->filters ? "off" : m->opt.sandbox == FBK_SANDBOX_LOG ? "log" : "on", "landlock", c->landlock, "namespaces",
			 (int)c->namespaces, "empty_root", (int)c->root, "uid", (json_int_t)c->uid);
}

static void tell_status(struct fbk_control *c, uint64_t client)
{
	struct fbk_monitor *m = c->m;
	const char *reason, *state = state_word(m, &reason);
	char id[FBK_UUID_LEN];

	fbk_uuid_format(m->opt.id, id);
	answer_json(c, client,
		    json_pack("{s:s, s:s?, s:b, s:s, s:s, s:i, s:i, s:I, s:s, s:I, s:f, s:i, s:o}", "state", state, "reason", reason, "panicked",
			      (int)atomic_load(&m->panicked), "id", id, "version", FBK_VERSION, "pid", (int)m->pid, "cpus",
			      (int)m->opt.nr_cpus, "memory_bytes", (json_int_t)m->opt.memory.len, "memory_kind",
			      fbk_memory_kind(&m->memory), "memory_page_bytes", (json_int_t)m->memory.page_len, "uptime_seconds",
			      (fbk_loop_now() - c->since_ns) / 1e9, "lost_pages", (int)fbk_ledger_lost(fbk_vm_ledger(m->road)), "sandbox",
			      sandbox_json(m)));
}

static json_t *address_json(struct fbk_gpa gpa)
{
	return json_sprintf("0x%llx", (unsigned long long)gpa.addr);
}

static const char *kind_word(uint32_t device_id)
{
	switch (device_id) {
	case 1: return "network";
	case 2: return "disk";
	case 3: return "console";
	default: return "entropy";
	}
}

/* [VIRTIO 2.1] */
static const char *driver_word(uint32_t status)
{
	return status & 128 ? "failed" : status & 64 ? "needs-reset" : status & 4 ? "running" : status ? "starting" : "none";
}

static void tell_devices(struct fbk_control *c, uint64_t client)
{
	struct fbk_monitor *m = c->m;
	json_t *devices = json_array();

	for (unsigned int i = 0; i < m->nr_virtio; i++) {
		struct fbk_virtio_view view;
		json_t *queues = json_array();

		fbk_virtio_look(&m->virtio[i], &view);
		for (unsigned int q = 0; q < FBK_VIRTIO_QUEUES; q++)
			if (view.queue[q].num)
				json_array_append_new(queues,
						      json_pack("{s:i, s:i, s:b, s:i, s:o, s:o, s:o}", "queue", (int)q, "size",
								(int)view.queue[q].num, "ready", (int)view.queue[q].ready, "in_flight",
								(int)view.queue[q].in_flight, "descriptors",
								address_json(view.queue[q].desc), "available",
								address_json(view.queue[q].avail), "used",
								address_json(view.queue[q].used)));
		json_array_append_new(devices, json_pack("{s:i, s:s, s:o, s:s, s:o}", "transport", (int)i, "kind",
							 kind_word(view.device_id), "address",
							 address_json((struct fbk_gpa){ FBK_VIRTIO_BASE + i * FBK_VIRTIO_STRIDE }),
							 "driver", driver_word(view.status), "queues", queues));
	}
	answer_json(c, client, json_pack("{s:o}", "devices", devices));
}

/* The lines are JSON already. */
static void tell_errors(struct fbk_control *c, uint64_t client)
{
	char *lines = malloc(FBK_RING_ROOM), *text = malloc(FBK_RING_ROOM + 128);
	uint64_t dropped;
	size_t len, n;

	if (!lines || !text) {
		free(text);
		fbk_http_refuse(&c->http, client, HTTP_STATUS_INTERNAL_SERVER_ERROR, "out of memory");
	} else {
		len = fbk_ring_copy(&c->recent, lines, &dropped);
		n = sprintf(text, "{\"dropped\":%llu,\"events\":[", (unsigned long long)dropped);
		for (size_t i = 0; i + 1 < len; i++)
			text[n++] = lines[i] == '\n' ? ',' : lines[i];
		memcpy(text + n, "]}", 2);
		fbk_http_answer(&c->http, client, HTTP_STATUS_OK, JSON, text, n + 2);
	}
	free(lines);
}

static int by_address(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Addresses of the pages behind @r->after, ascending. Return: how many, or -ENOMEM. The ledger may grow meanwhile. */
static int list_pages(const struct fbk_ledger *ledger, const struct fbk_request *r, uint64_t **ret)
{
	uint32_t room = fbk_ledger_pages(ledger), cursor = 0, nr = 0;
	struct fbk_ledger_entry e;

	*ret = malloc((room + 1) * sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	while (nr < room && !fbk_ledger_next(ledger, &cursor, &e))
		if (!r->has_after || e.gpa.addr > r->after)
			(*ret)[nr++] = e.gpa.addr;
	qsort(*ret, nr, sizeof(**ret), by_address);
	return nr;
}

static void tell_ledger(struct fbk_control *c, uint64_t client, const struct fbk_request *r)
{
	const struct fbk_ledger *ledger = fbk_vm_ledger(c->m->road);
	uint64_t *gpa;
	int nr = list_pages(ledger, r, &gpa), told = nr < (int)r->limit ? nr : (int)r->limit;
	char *text = nr < 0 ? NULL : malloc(256 + (size_t)told * FBK_PAGE_JSON_MAX), id[FBK_UUID_LEN];
	struct fbk_ledger_entry e;
	size_t len;

	if (!text) {
		fbk_http_refuse(&c->http, client, HTTP_STATUS_INTERNAL_SERVER_ERROR, "out of memory");
	} else {
		fbk_uuid_format(c->m->opt.id, id);
		len = sprintf(text, "{\"id\":\"%s\",\"next\":", id);
		/* Where the rest begins. */
		if (told < nr)
			len += sprintf(text + len, "\"0x%llx\",\"pages\":[", (unsigned long long)gpa[told - 1]);
		else
			len += sprintf(text + len, "null,\"pages\":[");
		for (int i = 0; i < told; i++) {
			if (fbk_ledger_lookup(ledger, (struct fbk_gpa){ gpa[i] }, &e))
				continue; /* no page leaves a ledger */
			if (i)
				text[len++] = ',';
			len += fbk_page_json(&e, text + len, FBK_PAGE_JSON_MAX);
		}
		memcpy(text + len, "]}", 2);
		fbk_http_answer(&c->http, client, HTTP_STATUS_OK, JSON, text, len + 2);
	}
	free(gpa);
}

static void tell_metrics(struct fbk_control *c, uint64_t client)
{
	char *text = malloc(FBK_MONITOR_METRICS_MAX);
	int len = text ? fbk_monitor_metrics_text(c->m, text) : -ENOMEM;

	if (len < 0) {
		free(text);
		fbk_http_refuse(&c->http, client, HTTP_STATUS_INTERNAL_SERVER_ERROR, "%s", strerror(-len));
		return;
	}
	fbk_http_answer(&c->http, client, HTTP_STATUS_OK, "text/plain; version=0.0.4; charset=utf-8", text, len);
}

static void on_request(void *opaque, uint64_t client, const struct fbk_http_request *http)
{
	struct fbk_control *c = opaque;
	struct fbk_request r;
	char why[200];
	int status = fbk_request_parse(http->method, http->target, http->body, http->body_len, &r, why, sizeof(why));

	if (status) {
		fbk_http_refuse(&c->http, client, status, "%s", why);
		return;
	}
	switch (r.what) {
	case FBK_ASKED_STATUS:
		tell_status(c, client);
		break;
	case FBK_ASKED_DEVICES:
		tell_devices(c, client);
		break;
	case FBK_ASKED_ERRORS:
		tell_errors(c, client);
		break;
	case FBK_ASKED_LEDGER:
		tell_ledger(c, client, &r);
		break;
	case FBK_ASKED_METRICS:
		tell_metrics(c, client);
		break;
	default:
		if (fbk_calls_put(&c->calls, client, fbk_loop_now() + MACHINE_PATIENCE_NS, &r))
			fbk_http_refuse(&c->http, client, HTTP_STATUS_SERVICE_UNAVAILABLE,
					"the machine is busy with earlier requests: nothing was done");
		else
			fbk_monitor_wake(c->m);
	}
}

static void give_answers(struct fbk_control *c, uint64_t now_ns)
{
	struct fbk_call call;

	while (fbk_calls_collect(&c->calls, now_ns, &call)) {
		char *text = NULL;

		if (call.status < 300)
			text = strdup(call.text);
		if (text)
			fbk_http_answer(&c->http, call.client, call.status, JSON, text, strlen(text));
		else
			fbk_http_refuse(&c->http, call.client, call.status, "%s", call.text);
	}
}

static void *api_thread(void *arg)
{
	struct fbk_control *c = arg;
	uint64_t end_ns = FBK_LOOP_NEVER, until_ns;
	int r;

	pthread_setname_np(pthread_self(), "api");
	fbk_confine_thread(c->m, FBK_ROLE_API, "api");
	for (;;) {
		if (atomic_load(&c->leaving) && end_ns == FBK_LOOP_NEVER) {
			/* Nothing more is done for anybody. */
			fbk_http_leave(&c->http);
			give_answers(c, FBK_LOOP_NEVER);
			end_ns = fbk_loop_now() + LAST_WORDS_NS;
		}
		give_answers(c, fbk_loop_now());
		fbk_attach_tend(&c->attach);
		if (end_ns != FBK_LOOP_NEVER && (fbk_http_idle(&c->http) || fbk_loop_now() >= end_ns))
			break;
		until_ns = fbk_calls_until(&c->calls);
		r = fbk_loop_turn(&c->loop, until_ns < end_ns ? until_ns : end_ns);
		if (r < 0) {
			fbk_say("--api %s: poll: %s; it answers no more", c->m->opt.api, strerror(-r));
			break;
		}
	}
	fbk_http_close(&c->http);
	fbk_attach_close(&c->attach);
	return NULL;
}

static void wake_api(void *opaque)
{
	struct fbk_control *c = opaque;

	fbk_loop_wake(&c->loop);
}

/* --- what is asked of the machine; the main thread ------------------------------------------------------------------- */

struct answer {
	unsigned int status;
	char text[FBK_CALL_TEXT_MAX];
};

static void refuse(struct answer *a, unsigned int status, const char *why)
{
	a->status = status;
	snprintf(a->text, sizeof(a->text), "%s", why);
}

static void simulate(struct fbk_monitor *m, const struct fbk_request *req, struct answer *a)
{
	struct fbk_gpa gpa = { req->address };
	int r = 0;

	if (req->virtual && req->cpu >= m->opt.nr_cpus) {
		snprintf(a->text, sizeof(a->text), "cpu: there are %u", m->opt.nr_cpus);
		a->status = HTTP_STATUS_BAD_REQUEST;
		return;
	}
	fbk_machine_halt(m);
	if (req->virtual)
		r = fbk_simulate_find(m, req->cpu, req->address, &gpa);
	if (!r)
		r = fbk_simulate(m, gpa);
	gpa.addr &= ~(m->memory.page_len - 1);
	fbk_machine_go_on(m);
	switch (r) {
	case 0:
		a->status = HTTP_STATUS_OK;
		snprintf(a->text, sizeof(a->text), "{\"gpa\":\"0x%llx\",\"bytes\":%llu}", (unsigned long long)gpa.addr,
			 (unsigned long long)m->memory.page_len);
		/* The page is gone in any case; the guest hears of it now and not when it touches it. */
		if (req->tell)
			fbk_sigbus_report(m, gpa);
		break;
	case -EFAULT:
		refuse(a, HTTP_STATUS_UNPROCESSABLE_ENTITY, "address: nothing is mapped there for that vCPU");
		break;
	case -ERANGE:
		refuse(a, HTTP_STATUS_UNPROCESSABLE_ENTITY, "there is no guest memory at that address");
		break;
	case -EEXIST:
		refuse(a, HTTP_STATUS_CONFLICT, "that page, or a part of it, is lost already");
		break;
	case -EOPNOTSUPP:
		refuse(a, HTTP_STATUS_NOT_IMPLEMENTED,
		       "this host has no userfaultfd with UFFDIO_POISON (Linux 6.6), or does not let the monitor use it");
		break;
	default:
		refuse(a, HTTP_STATUS_INTERNAL_SERVER_ERROR, strerror(-r));
	}
}

static void tell_state(struct fbk_monitor *m, unsigned int status, struct answer *a)
{
	const char *reason;

	a->status = status;
	snprintf(a->text, sizeof(a->text), "{\"state\":\"%s\"}", state_word(m, &reason));
}

static void carry_out(struct fbk_monitor *m, const struct fbk_request *req, struct answer *a)
{
	int end = atomic_load(&m->end), r = 0;

	if (end != FBK_END_NONE && end != FBK_END_PAUSE && req->what != FBK_ASKED_STOP) {
		refuse(a, HTTP_STATUS_CONFLICT, "the guest has just ended");
		return;
	}
	switch (req->what) {
	case FBK_ASKED_PAUSE:
		fbk_machine_pause(m, FBK_PAUSE_API);
		tell_state(m, HTTP_STATUS_OK, a);
		break;
	case FBK_ASKED_RESUME:
		fbk_machine_resume(m);
		tell_state(m, HTTP_STATUS_OK, a);
		break;
	case FBK_ASKED_POWER:
		r = fbk_machine_power_button(m);
		tell_state(m, HTTP_STATUS_ACCEPTED, a);
		if (r == -EOPNOTSUPP) {
			refuse(a, HTTP_STATUS_CONFLICT, "the guest has no power button: it was booted without ACPI (--firmware dt)");
			return;
		}
		break;
	case FBK_ASKED_RESET:
		r = fbk_machine_reset(m);
		tell_state(m, HTTP_STATUS_OK, a);
		break;
	case FBK_ASKED_STOP:
		fbk_monitor_end(m, FBK_END_QUIT);
		tell_state(m, HTTP_STATUS_ACCEPTED, a);
		break;
	case FBK_ASKED_SIMULATE:
		simulate(m, req, a);
		break;
	default:
		refuse(a, HTTP_STATUS_INTERNAL_SERVER_ERROR, "no such request");
	}
	if (r)
		refuse(a, HTTP_STATUS_INTERNAL_SERVER_ERROR, "the host failed; standard error tells");
}

void fbk_control_tend(struct fbk_monitor *m)
{
	struct fbk_control *c = m->control;
	struct fbk_request req;
	struct answer a;
	int place;

	while (c && (place = fbk_calls_take(&c->calls, &req)) >= 0) {
		carry_out(m, &req, &a);
		fbk_calls_done(&c->calls, place, a.status, a.text);
		wake_api(c);
	}
}

/* --- putting it together --------------------------------------------------------------------------------------------- */

static int open_sockets(struct fbk_control *c)
{
	const char *path = c->m->opt.api;
	int r;

	if (asprintf(&c->console_path, "%s.console", path) < 0) {
		c->console_path = NULL;
		return -ENOMEM;
	}
	r = fbk_listen_open(&c->listen, path);
	if (!r)
		r = fbk_listen_open(&c->console_listen, c->console_path);
	return r;
}

static int open_control(struct fbk_control *c)
{
	int r = fbk_loop_init(&c->loop);

	if (!r)
		r = open_sockets(c);
	if (!r)
		r = fbk_http_open(&c->http, &c->loop, c->listen.fd);
	if (!r)
		r = fbk_attach_open(&c->attach, &c->loop, c->console_listen.fd, &c->m->console);
	return r;
}

int fbk_control_open(struct fbk_monitor *m)
{
	const char *path = m->opt.api, *why;
	struct fbk_control *c;
	int r;

	if (!path)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c) {
		fbk_say("--api %s: out of memory", path);
		return FBK_EXIT_HOST;
	}
	m->control = c;
	c->m = m;
	c->listen.fd = c->console_listen.fd = -1;
	c->since_ns = fbk_loop_now();
	fbk_calls_init(&c->calls);
	json_object_seed(0); /* now: it opens /dev/urandom */
	fbk_ring_init(&c->recent);
	c->http.request = on_request;
	c->http.opaque = c;
	r = open_control(c);
	if (!r) {
		m->console.tap.told = wake_api;
		m->console.tap.opaque = c;
		m->events.recent = &c->recent;
		fbk_simulate_open(m);
		return 0;
	}
	why = strerror(-r);
	if (r == -EADDRINUSE)
		why = "another process listens there";
	else if (r == -EEXIST)
		why = "what lies there is no socket; it was not touched";
	else if (r == -ENAMETOOLONG)
		why = "a socket's path, with .console behind it, has at most 107 bytes";
	fbk_say("--api %s%s: %s", path, c->listen.fd >= 0 && c->console_listen.fd < 0 ? ".console" : "", why);
	return FBK_EXIT_INPUT;
}

int fbk_control_start(struct fbk_monitor *m)
{
	struct fbk_control *c = m->control;
	pthread_attr_t attr;
	int r;

	if (!c)
		return 0;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, FBK_STACK_LEN);
	r = pthread_create(&c->thread, &attr, api_thread, c);
	pthread_attr_destroy(&attr);
	c->started = !r;
	if (!r)
		return 0;
	fbk_say("starting the API's thread: %s", strerror(r));
	return FBK_EXIT_HOST;
}

void fbk_control_close(struct fbk_monitor *m)
{
	struct fbk_control *c = m->control;

	if (!c)
		return;
	if (c->started) {
		atomic_store(&c->leaving, true);
		wake_api(c);
		pthread_join(c->thread, NULL);
	}
	m->events.recent = NULL;
	fbk_listen_close(&c->listen);
	fbk_listen_close(&c->console_listen);
	free(c->console_path);
	free(c);
	m->control = NULL;
}
