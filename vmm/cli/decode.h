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

/* Each a subcommand of decode. Return: exit status. */
int fbk_decode_exit(uint64_t flags, uint64_t esr, uint64_t gva, uint64_t gpa, bool json);
int fbk_decode_cper(const char *path, bool json);

#endif
