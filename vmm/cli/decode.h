/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * decode.h - `firebreak decode`: what its parts share.
 */
#ifndef FBK_VMM_DECODE_H
#define FBK_VMM_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* decode-input.c: pure. */

/* "0x92000010", "2449473552": all of it, below 2^64. Errors: -EINVAL. */
int fbk_number_parse(const char *s, uint64_t *ret);

/*
 * Hexadecimal text becomes bytes, in place: pairs of digits with white space between them, or without. Anything else is
 * binary and stays as it is.
 *
 * Return: how many bytes there are now.
 * Errors: -EBADMSG the last pair, or one before white space, has only one digit; *ret_offset says where.
 */
long fbk_hex_unwrap(uint8_t *bytes, size_t len, size_t *ret_offset);

/* A field in words. */
struct fbk_field {
	const char *spec; /* clause; NULL: the one before it */
	const char *name;
	unsigned int high, low; /* bits */
	uint64_t value;
	const char *meaning;
};

#define FBK_ESR_MAX_FIELDS 20

struct fbk_esr_words {
	struct fbk_field field[FBK_ESR_MAX_FIELDS];
	unsigned int nr;
	bool external; /* an external abort, of any kind */
	const char *summary;
};

/* decode-esr.c: pure. */
void fbk_esr_explain(uint64_t esr, struct fbk_esr_words *ret);

/* Both print on standard output, the second one as members of a JSON object. */
void fbk_esr_print(const struct fbk_esr_words *w, uint64_t esr);
void fbk_esr_print_json(const struct fbk_esr_words *w, uint64_t esr);

/* The longest line that is taken for an event. One of today has 2048 bytes at most. */
#define FBK_EVENT_LINE_MAX 16384u

/*
 * event-words.c: pure. One line of events, without its newline, as a paragraph on @o.
 *
 * Return: 0; 1: it has keys that are not known here, one of which *why names.
 * Errors: -EBADMSG no event, *why says what is wrong; -ENOMEM.
 */
int fbk_event_explain(const char *line, size_t len, FILE *o, char *why, size_t why_len);

/* decode-file.c: a regular file, or "-". Return: a descriptor; -1 with the reason told. */
int fbk_decode_open(const char *what, const char *path);
/* Says why on standard error. Return: exit status. */
int fbk_decode_refuse(const char *what, const char *path, const char *why);

/* Each a subcommand of decode. Return: exit status. */
int fbk_decode_exit(uint64_t flags, uint64_t esr, uint64_t gva, uint64_t gpa, bool json);
int fbk_decode_cper(const char *path, bool json);
int fbk_decode_event(const char *path);

#endif
