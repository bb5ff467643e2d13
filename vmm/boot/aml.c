/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* aml.c - see aml.h. Opcodes: [ACPI "ACPI Machine Language (AML) Specification"]. */
#include "aml.h"

enum {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_WORD = 0x0b,
	AML_DWORD = 0x0c,
	AML_STRING = 0x0d,
	AML_QWORD = 0x0e,
	AML_SCOPE = 0x10,
	AML_BUFFER = 0x11,
	AML_METHOD = 0x14,
	AML_EXT = 0x5b,
	AML_EXT_DEVICE = 0x82,
	AML_ARG0 = 0x68,
	AML_AND = 0x7b,
	AML_OR = 0x7d,
	AML_NOTIFY = 0x86,
	AML_CREATE_DWORD_FIELD = 0x8a,
	AML_LEQUAL = 0x93,
	AML_IF = 0xa0,
	AML_RETURN = 0xa4,
};

/* Every package length is written in its three-byte form: it is filled in only when the term is closed. */
#define PKG_LEN_BYTES 3
#define PKG_LEN_MAX ((1u << 20) - 1)

void fbk_aml_init(struct fbk_aml *a, void *buf, size_t cap)
{
	memset(a, 0, sizeof(*a));
	fbk_bytes_init(&a->out, buf, cap);
}

static void put(struct fbk_aml *a, const void *bytes, size_t len)
{
	fbk_put(&a->out, bytes, len);
}

static void put_u8(struct fbk_aml *a, uint8_t v)
{
	fbk_put_u8(&a->out, v);
}

static void put_le(struct fbk_aml *a, uint64_t v, unsigned int width)
{
	fbk_put_le(&a->out, v, width);
}

static void open_term(struct fbk_aml *a)
{
	if (!a->out.error && a->depth == FBK_AML_DEPTH)
		a->out.error = -EINVAL;
	if (a->out.error)
		return;
	a->open[a->depth++] = a->out.len;
	fbk_put_zero(&a->out, PKG_LEN_BYTES);
}

void fbk_aml_close(struct fbk_aml *a)
{
	size_t at, len;

	if (!a->out.error && !a->depth)
		a->out.error = -EINVAL;
	if (a->out.error)
		return;
	at = a->open[--a->depth];
	len = a->out.len - at;
	if (len > PKG_LEN_MAX) {
		a->out.error = -ENOSPC;
		return;
	}
	/* [ACPI "Package Length Encoding"]: two bytes follow the lead byte, which holds the low four bits. */
	a->out.buf[at] = 2 << 6 | (len & 0xf);
	a->out.buf[at + 1] = len >> 4;
	a->out.buf[at + 2] = len >> 12;
}

int fbk_aml_done(struct fbk_aml *a)
{
	if (!a->out.error && a->depth)
		a->out.error = -EINVAL;
	return a->out.error ? a->out.error : (int)a->out.len;
}

static void put_name(struct fbk_aml *a, const char *name)
{
	size_t len;

	if (*name == '\\') {
		put_u8(a, '\\');
		name++;
	}
	len = strlen(name);
	if (len > 4 && !a->out.error)
		a->out.error = -EINVAL;
	put(a, name, len);
	while (len++ < 4)
		put_u8(a, '_');
}

static void put_integer(struct fbk_aml *a, uint64_t v)
{
	if (v == 0) {
		put_u8(a, AML_ZERO);
	} else if (v == 1) {
		put_u8(a, AML_ONE);
	} else if (v <= UINT8_MAX) {
		put_u8(a, AML_BYTE);
		put_le(a, v, 1);
	} else if (v <= UINT16_MAX) {
		put_u8(a, AML_WORD);
		put_le(a, v, 2);
	} else if (v <= UINT32_MAX) {
		put_u8(a, AML_DWORD);
		put_le(a, v, 4);
	} else {
		put_u8(a, AML_QWORD);
		put_le(a, v, 8);
	}
}

void fbk_aml_scope(struct fbk_aml *a, const char *name)
{
	put_u8(a, AML_SCOPE);
	open_term(a);
	put_name(a, name);
}

void fbk_aml_device(struct fbk_aml *a, const char *name)
{
	put_u8(a, AML_EXT);
	put_u8(a, AML_EXT_DEVICE);
	open_term(a);
	put_name(a, name);
}

void fbk_aml_method(struct fbk_aml *a, const char *name, unsigned int nr_args)
{
	put_u8(a, AML_METHOD);
	open_term(a);
	put_name(a, name);
	put_u8(a, (nr_args & 7) | 1 << 3); /* serialised: it names no thing that two callers may share */
}

void fbk_aml_if_equal(struct fbk_aml *a, unsigned int arg, const void *bytes, size_t len)
{
	put_u8(a, AML_IF);
	open_term(a);
	put_u8(a, AML_LEQUAL);
	put_u8(a, AML_ARG0 + arg);
	put_u8(a, AML_BUFFER);
	open_term(a);
	put_integer(a, len);
	put(a, bytes, len);
	fbk_aml_close(a);
}

void fbk_aml_if_integer(struct fbk_aml *a, unsigned int arg, uint64_t val)
{
	put_u8(a, AML_IF);
	open_term(a);
	put_u8(a, AML_LEQUAL);
	put_u8(a, AML_ARG0 + arg);
	put_integer(a, val);
}

void fbk_aml_name_integer(struct fbk_aml *a, const char *name, uint64_t val)
{
	put_u8(a, AML_NAME);
	put_name(a, name);
	put_integer(a, val);
}

void fbk_aml_name_string(struct fbk_aml *a, const char *name, const char *s)
{
	put_u8(a, AML_NAME);
	put_name(a, name);
	put_u8(a, AML_STRING);
	put(a, s, strlen(s) + 1);
}

/* "PNP0C33": three letters of five bits and four hexadecimal digits, big-endian [ACPI "EISAID"]. */
void fbk_aml_name_eisaid(struct fbk_aml *a, const char *name, const char *id)
{
	uint32_t v = 0;

	if (strlen(id) != 7) {
		if (!a->out.error)
			a->out.error = -EINVAL;
		return;
	}
	for (unsigned int i = 0; i < 3; i++)
		v = v << 5 | ((id[i] - '@') & 0x1f);
	for (unsigned int i = 3; i < 7; i++)
		v = v << 4 | ((id[i] <= '9' ? id[i] - '0' : id[i] - 'A' + 10) & 0xf);

	put_u8(a, AML_NAME);
	put_name(a, name);
	put_u8(a, AML_DWORD);
	for (int shift = 24; shift >= 0; shift -= 8)
		put_u8(a, v >> shift);
}

void fbk_aml_notify(struct fbk_aml *a, const char *path, uint8_t val)
{
	put_u8(a, AML_NOTIFY);
	put_name(a, path);
	put_u8(a, AML_BYTE);
	put_u8(a, val);
}

void fbk_aml_return_arg(struct fbk_aml *a, unsigned int arg)
{
	put_u8(a, AML_RETURN);
	put_u8(a, AML_ARG0 + arg);
}

void fbk_aml_dword_field(struct fbk_aml *a, unsigned int arg, uint8_t offset, const char *name)
{
	put_u8(a, AML_CREATE_DWORD_FIELD);
	put_u8(a, AML_ARG0 + arg);
	put_integer(a, offset);
	put_name(a, name);
}

static void put_logic(struct fbk_aml *a, uint8_t op, const char *name, uint32_t mask)
{
	put_u8(a, op);
	put_name(a, name);
	put_integer(a, mask);
	put_name(a, name); /* target */
}

void fbk_aml_and(struct fbk_aml *a, const char *name, uint32_t mask)
{
	put_logic(a, AML_AND, name, mask);
}

void fbk_aml_or(struct fbk_aml *a, const char *name, uint32_t mask)
{
	put_logic(a, AML_OR, name, mask);
}

/* A buffer's size comes before its bytes, so it takes a fixed-width integer that the close fills in. */
void fbk_aml_crs_open(struct fbk_aml *a)
{
	put_u8(a, AML_NAME);
	put_name(a, "_CRS");
	put_u8(a, AML_BUFFER);
	open_term(a);
	put_u8(a, AML_WORD);
	put_le(a, 0, 2);
}

void fbk_aml_crs_memory32(struct fbk_aml *a, uint32_t base, uint32_t len)
{
	put_u8(a, 0x86); /* [ACPI "32-Bit Fixed Memory Range Descriptor"] */
	put_le(a, 9, 2);
	put_u8(a, 1); /* read-write */
	put_le(a, base, 4);
	put_le(a, len, 4);
}

void fbk_aml_crs_interrupt(struct fbk_aml *a, uint32_t gsi, int edge)
{
	put_u8(a, 0x89); /* [ACPI "Extended Interrupt Descriptor"] */
	put_le(a, 6, 2);
	put_u8(a, 1 | (edge ? 1 << 1 : 0)); /* consumer, active high, exclusive */
	put_u8(a, 1);
	put_le(a, gsi, 4);
}

void fbk_aml_crs_close(struct fbk_aml *a)
{
	size_t at, len;

	put_u8(a, 0x79); /* end tag; checksum 0: none */
	put_u8(a, 0);
	if (a->out.error || !a->depth) {
		fbk_aml_close(a);
		return;
	}
	at = a->open[a->depth - 1] + PKG_LEN_BYTES + 1;
	len = a->out.len - (at + 2);
	a->out.buf[at] = len;
	a->out.buf[at + 1] = len >> 8;
	fbk_aml_close(a);
}
