/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* ctl-command.c - `firebreak ctl`: a client of the control API, on any machine. */
#include "command.h"
#include "exit.h"
#include "report.h"
#include "terminal.h"

#include <errno.h>
#include <http_parser.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 20 /* beyond what the monitor itself takes */

static const struct verb {
	const char *name, *method, *target;
} verbs[] = {
	{ "status", "GET", "/v1/status" },   { "pause", "POST", "/v1/pause" },	   { "resume", "POST", "/v1/resume" },
	{ "power", "POST", "/v1/power" },    { "reset", "POST", "/v1/reset" },	   { "stop", "POST", "/v1/stop" },
	{ "devices", "GET", "/v1/devices" }, { "errors", "GET", "/v1/errors" },   { "ledger", "GET", "/v1/ledger" },	   { "metrics", "GET", "/v1/metrics" },
	{ "console", NULL, NULL },	     { "simulate", "POST", "/v1/simulate" },
};

#define NR_VERBS (sizeof(verbs) / sizeof(verbs[0]))

struct answer {
	bool whole;
	char *text; /* ends with a NUL */
	size_t len;
};

/* --- the connection ------------------------------------------------------------------------------------------------- */

/* @path: "PATH" or "PATH.console". Return: a descriptor, or -1, told. */
static int reach(const char *path, const char *suffix)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd;

	if (snprintf(at.sun_path, sizeof(at.sun_path), "%s%s", path, suffix) >= (int)sizeof(at.sun_path)) {
		fbk_say("ctl: %.80s...: too long for a socket's path", path);
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	}
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		fbk_say("ctl: %s: %s%s", at.sun_path, strerror(errno),
			errno == ECONNREFUSED || errno == ENOENT ? "; no monitor runs with this --api" : "");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static int on_body(http_parser *p, const char *at, size_t len)
{
	struct answer *a = p->data;
	char *more = realloc(a->text, a->len + len + 1);

	if (!more)
		return -1;
	a->text = more;
	memcpy(a->text + a->len, at, len);
	a->len += len;
	a->text[a->len] = '\0';
	return 0;
}

static int on_whole(http_parser *p)
{
	struct answer *a = p->data;

	a->whole = true;
	return 0;
}

/* Return: the HTTP status, or 0, told. */
static unsigned int talk(const char *path, const char *method, const char *target, const char *body, struct answer *ret)
{
	static const http_parser_settings settings = { .on_body = on_body, .on_message_complete = on_whole };
	http_parser parser;
	char buf[4096];
	int fd = reach(path, ""), len;
	ssize_t n;

	if (fd < 0)
		return 0;
	http_parser_init(&parser, HTTP_RESPONSE);
	parser.data = ret;
	len = snprintf(buf, sizeof(buf),
		       "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", method,
		       target, strlen(body), body);
	n = len < (int)sizeof(buf) ? send(fd, buf, len, MSG_NOSIGNAL) : -1;
	while (n >= 0 && !ret->whole) {
		n = recv(fd, buf, sizeof(buf), 0);
		if (n >= 0 && http_parser_execute(&parser, &settings, buf, n) != (size_t)n)
			break;
		if (!n)
			break;
	}
	if (!ret->whole) {
		if (n < 0)
			fbk_say("ctl: %s: %s", path, errno == EAGAIN ? "it does not answer" : strerror(errno));
		else
			fbk_say("ctl: %s: no answer, or none of a monitor's", path);
	}
	close(fd);
	return ret->whole ? parser.status_code : 0;
}

/* --- what is asked -------------------------------------------------------------------------------------------------- */

static int refused(const char *verb, const struct answer *a, unsigned int status)
{
	json_t *json = a->len ? json_loadb(a->text, a->len, 0, NULL) : NULL;
	const char *why = json_string_value(json_object_get(json, "error"));

	if (why)
		fbk_say("ctl: %s: %s", verb, why);
	else
		fbk_say("ctl: %s: HTTP status %u", verb, status);
	json_decref(json);
	return status < 500 ? FBK_EXIT_LACKING : FBK_EXIT_HOST;
}

static int ask(const char *path, const struct verb *v, const char *target, const char *body, struct answer *ret)
{
	unsigned int status = talk(path, v->method, target, body, ret);

	if (!status)
		return FBK_EXIT_INPUT;
	return status >= 200 && status < 300 ? FBK_EXIT_OFF : refused(v->name, ret, status);
}

static int print(const char *path, const struct verb *v, const char *body)
{
	struct answer a = { 0 };
	int status = ask(path, v, v->target, body, &a);

	if (!status) {
		fwrite(a.text, 1, a.len, stdout);
		if (a.len && a.text[a.len - 1] != '\n')
			putchar('\n');
	}
	free(a.text);
	return status;
}

/* As many answers as it takes; one document. */
static int print_ledger(const char *path, const struct verb *v)
{
	json_t *all = NULL, *part, *pages;
	char target[64];
	int status;

	snprintf(target, sizeof(target), "%s", v->target);
	for (;;) {
		struct answer a = { 0 };
		const char *next;

		status = ask(path, v, target, "", &a);
		part = status ? NULL : json_loadb(a.text ? a.text : "", a.len, 0, NULL);
		free(a.text);
		pages = json_object_get(part, "pages");
		if (!status && !json_is_array(pages)) {
			fbk_say("ctl: %s: no answer of a monitor's", path);
			status = FBK_EXIT_HOST;
		}
		next = json_string_value(json_object_get(part, "next"));
		if (next)
			snprintf(target, sizeof(target), "%s?after=%.20s", v->target, next);
		if (!all)
			all = json_incref(part);
		else
			json_array_extend(json_object_get(all, "pages"), pages);
		json_decref(part);
		if (status || !next)
			break;
	}
	if (!status) {
		json_object_del(all, "next");
		json_dumpf(all, stdout, JSON_COMPACT);
		putchar('\n');
	}
	json_decref(all);
	return status;
}

static int usage(const char *what, const char *why)
{
	fbk_say("ctl: %.80s: %s; `firebreak ctl --help` tells more", what, why);
	return FBK_EXIT_USAGE;
}

static int simulate(const char *path, const struct verb *v, int argc, char **argv)
{
	const char *cpu = NULL, *address = NULL;
	json_t *json;
	bool tell = false;
	char *body, *end;
	int status;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--tell"))
			tell = true;
		else if (!strcmp(argv[i], "--cpu") && i + 1 < argc)
			cpu = argv[++i];
		else if (argv[i][0] == '-' || address)
			return usage(argv[i], "not expected here");
		else
			address = argv[i];
	}
	if (!address)
		return usage("simulate", "which page?");
	if (cpu) {
		long n = strtol(cpu, &end, 10);

		if (!*cpu || *end)
			return usage(cpu, "no number of a vCPU");
		json = json_pack("{s:i, s:s}", "cpu", (int)n, "address", address);
	} else {
		json = json_pack("{s:s}", "gpa", address);
	}
	if (tell)
		json_object_set_new(json, "tell", json_true());
	body = json ? json_dumps(json, 0) : NULL;
	json_decref(json);
	if (!body)
		return usage(address, "no address");
	status = print(path, v, body);
	free(body);
	return status;
}

/* --- the console ---------------------------------------------------------------------------------------------------- */

static bool put_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		buf += n;
		len -= n;
	}
	return true;
}

static int console(const char *path)
{
	static const struct timeval never;
	struct pollfd fds[2] = { { STDIN_FILENO, POLLIN, 0 }, { reach(path, ".console"), POLLIN, 0 } };
	struct fbk_escape escape = { 0 };
	enum fbk_terminal_key key = FBK_KEY_NONE;
	char buf[1024];
	bool raw, there = true;
	ssize_t n;

	if (fds[1].fd < 0)
		return FBK_EXIT_INPUT;
	setsockopt(fds[1].fd, SOL_SOCKET, SO_SNDTIMEO, &never, sizeof(never)); /* a guest may be slow to take what is typed */
	signal(SIGPIPE, SIG_IGN);
	raw = fbk_terminal_open();
	if (raw)
		fbk_say("attached; Ctrl-A x leaves");
	while (there && key != FBK_KEY_QUIT && (poll(fds, 2, -1) > 0 || errno == EINTR)) {
		if (fds[1].revents) {
			n = read(fds[1].fd, buf, sizeof(buf));
			there = n > 0 && put_all(STDOUT_FILENO, buf, n);
		}
		if (there && fds[0].revents) {
			size_t len;

			n = read(STDIN_FILENO, buf, sizeof(buf));
			if (n <= 0) { /* a script's input has ended: what the guest says is still wanted */
				fds[0].fd = -1;
				shutdown(fds[1].fd, SHUT_WR);
				continue;
			}
			len = n;
			if (raw)
				key = fbk_escape_filter(&escape, (unsigned char *)buf, &len);
			if (key == FBK_KEY_HELP)
				fbk_say("Ctrl-A x: leave   Ctrl-A h: this help   Ctrl-A Ctrl-A: send Ctrl-A to the guest");
			there = put_all(fds[1].fd, buf, len);
		}
	}
	fbk_terminal_restore();
	if (raw && !there)
		fbk_say("the monitor has ended, or another client has the console");
	close(fds[1].fd);
	return FBK_EXIT_OFF;
}

int fbk_command_ctl(int argc, char **argv)
{
	const char *path = getenv("FIREBREAK_API");
	const struct verb *v = NULL;

	if (argc && !strncmp(argv[0], "--socket=", 9)) {
		path = argv[0] + 9;
		argc--, argv++;
	} else if (argc > 1 && !strcmp(argv[0], "--socket")) {
		path = argv[1];
		argc -= 2, argv += 2;
	}
	if (argc && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h")))
		return fbk_command_help("ctl", NULL);
	for (size_t i = 0; argc && i < NR_VERBS; i++)
		if (!strcmp(argv[0], verbs[i].name))
			v = &verbs[i];
	if (!v)
		return argc ? usage(argv[0], "no such command") : usage("a command is missing", "status is one");
	if (!path || !*path)
		return usage("--socket PATH is missing", "that of `firebreak run --api PATH`");
	if (!strcmp(v->name, "simulate"))
		return simulate(path, v, argc - 1, argv + 1);
	if (argc > 1)
		return usage(argv[1], "not expected here");
	if (!strcmp(v->name, "console"))
		return console(path);
	return !strcmp(v->name, "ledger") ? print_ledger(path, v) : print(path, v, "");
}
