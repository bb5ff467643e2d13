/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * clients.h - who talks to the servers in a guest, from outside: a load on each of them, a customer, and an operator.
 *
 * Ports are the host's, forwarded to the guest by its monitor. Nothing of firebreak is asked here: what these clients
 * have been answered is the witness.
 */
#ifndef FBK_DEMO_CLIENTS_H
#define FBK_DEMO_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a load has seen so far. Its process writes, everybody reads. */
struct fbk_load {
	volatile unsigned int done;   /* transactions that were committed, requests that were answered as they should be */
	volatile unsigned int broken; /* connections that ended before the answer came: the same is asked again, or not (below) */
	volatile unsigned int wrong;  /* answers that were not as they should be */
	volatile bool stop;
	char first[160]; /* the first that was broken or wrong */
	pid_t pid;
};

/**
 * fbk_load_transactions - start a process that commits transactions 1, 2, 3, ... in a Redis server, one after another
 *
 * Each sets two keys and is committed when EXEC was answered. One whose connection broke may have been committed or not;
 * it is sent again until it is.
 */
struct fbk_load *fbk_load_transactions(uint16_t port);

/**
 * fbk_load_requests - start a process that asks a web server for its first page, over a connection of its own each time
 *
 * A request counts as done when status 200, a length, and as many bytes with "nginx" among them have come. It is never repeated.
 */
struct fbk_load *fbk_load_requests(uint16_t port);

/* Let it finish what it is at, and end. Return: did it end well, within five minutes? */
bool fbk_load_stop(struct fbk_load *load);

/**
 * fbk_transactions_kept - ask a Redis server for transactions 1 to @nr
 *
 * Return: how many are there, with both of their keys as they were set; @ret_first: what the first other one had
 * (empty if there is none, or if the server did not answer).
 */
unsigned int fbk_transactions_kept(uint16_t port, unsigned int nr, char *ret_first, size_t len);

/**
 * fbk_redis_fill - give a key a value of @len bytes: @text over and over
 * @text: of a length that divides 256
 *
 * Piece by piece into a value that has its length from the start, so that the server never has a page full of @text but
 * those of the value itself.
 *
 * Return: 0; -EPIPE the connection broke; -EBADMSG another answer than expected.
 */
int fbk_redis_fill(uint16_t port, const char *key, const char *text, size_t len);

/* GET of one key. Return: as above. */
int fbk_redis_get(uint16_t port, const char *key, char *ret_val, size_t len);

/**
 * fbk_operator - run commands in the guest's shell
 *
 * They may be run more than once, when the connection breaks. Fails the scenario if nothing comes of it for @seconds.
 *
 * Return: what they wrote, without the last line's end; valid until the eighth call from here.
 */
const char *fbk_operator(uint16_t port, unsigned int seconds, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
