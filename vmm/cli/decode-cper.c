/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * decode-cper.c - an error record from a file, in words or as JSON. The file is anybody's: it is read whole, up to a limit,
 * and what it says is printed with nothing in it that a terminal would obey.
 */
#include "decode.h"
#include "options.h"
#include "report.h"

#include <firebreak/cper_parse.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The longest record as hexadecimal text, with room for white space. */
#define FILE_MAX (4u * FBK_CPER_MAX_LEN)

/* --- the file ----------------------------------------------------------------------------------------------------- */

static int refuse(const char *path, const char *why)
{
	return fbk_decode_refuse("cper", path, why);
}

/* Return: 0, with *ret to be freed; or an exit status, told. */
static int read_file(const char *path, uint8_t **ret, size_t *ret_len)
{
	uint8_t *buf = malloc(FILE_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;
	int fd, status = FBK_EXIT_OFF;

	if (!buf) {
		fbk_say("decode: no memory");
		return FBK_EXIT_HOST;
	}
	fd = fbk_decode_open("cper", path);
	if (fd < 0) {
		free(buf);
		return FBK_EXIT_INPUT;
	}
	while (n > 0 && len <= FILE_MAX) {
		n = read(fd, buf + len, FILE_MAX + 1 - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			len += (size_t)n;
	}
	if (n < 0)
		status = refuse(path, strerror(errno));
	else if (len > FILE_MAX)
		status = refuse(path, "longer than 4 MiB");
	else if (!len)
		status = refuse(path, "is empty");
	if (fd != STDIN_FILENO)
		close(fd);
	if (status) {
		free(buf);
		return status;
	}
	*ret = buf;
	*ret_len = len;
	return 0;
}

/* --- words -------------------------------------------------------------------------------------------------------- */

static void print_guid(const uint8_t *g)
{
	printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6],
	       g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]);
}

static void print_id(const char *name, const uint8_t *g)
{
	printf("  %-20s ", name);
	print_guid(g);
	putchar('\n');
}

static void print_text(const char *name, const char *s)
{
	printf("  %-20s ", name);
	for (; *s; s++) {
		if (isprint((unsigned char)*s))
			putchar(*s);
		else
			printf("\\x%02x", (unsigned char)*s);
	}
	putchar('\n');
}

static void print_value(const char *name, uint64_t v, const char *meaning)
{
	printf("  %-20s 0x%llx%s%s\n", name, (unsigned long long)v, meaning ? "  " : "", meaning ? meaning : "");
}

static void print_time(const struct fbk_cper_time *t)
{
	if (t->stated)
		printf("  %-20s %04u-%02u-%02u %02u:%02u:%02u, %s\n", "time", t->year, t->month, t->day, t->hour, t->minute, t->second,
		       t->precise ? "of the error" : "of its being collected");
	else
		printf("  %-20s no date\n", "time");
}

/* The names of the bits that are set; without one that has a name: "none". */
static void print_bits(const char *name, uint64_t v, const char *const *names, unsigned int nr)
{
	const char *between = "";

	printf("  %-20s 0x%llx  ", name, (unsigned long long)v);
	for (unsigned int i = 0; i < nr; i++) {
		if (!(v >> i & 1) || !names[i])
			continue;
		printf("%s%s", between, names[i]);
		between = ", ";
	}
	printf("%s\n", *between ? "" : "none");
}

#define BITS(name, v, names) print_bits(name, v, names, sizeof(names) / sizeof((names)[0]))

static void print_memory(const struct fbk_cper_memory *m)
{
	static const char *const names[FBK_CPER_NR_MEMORY_FIELDS] = {
		[FBK_CPER_MEMORY_STATUS] = "error status",
		[FBK_CPER_MEMORY_ADDRESS] = "physical address",
		[FBK_CPER_MEMORY_MASK] = "address mask",
		[FBK_CPER_MEMORY_NODE] = "node",
		[FBK_CPER_MEMORY_CARD] = "card",
		[FBK_CPER_MEMORY_MODULE] = "module",
		[FBK_CPER_MEMORY_BANK] = "bank",
		[FBK_CPER_MEMORY_DEVICE] = "device",
		[FBK_CPER_MEMORY_ROW] = "row",
		[FBK_CPER_MEMORY_COLUMN] = "column",
		[FBK_CPER_MEMORY_BIT_POSITION] = "bit position",
		[FBK_CPER_MEMORY_REQUESTOR] = "requestor",
		[FBK_CPER_MEMORY_RESPONDER] = "responder",
		[FBK_CPER_MEMORY_TARGET] = "target",
		[FBK_CPER_MEMORY_TYPE] = "error type",
		[FBK_CPER_MEMORY_RANK] = "rank",
		[FBK_CPER_MEMORY_CARD_HANDLE] = "card handle",
		[FBK_CPER_MEMORY_MODULE_HANDLE] = "module handle",
		[FBK_CPER_MEMORY_ROW_HIGH] = "row bits 17:16",
		[FBK_CPER_MEMORY_BANK_GROUP] = "bank group",
		[FBK_CPER_MEMORY_BANK_ADDRESS] = "bank address",
		[FBK_CPER_MEMORY_CHIP] = "chip",
		[FBK_CPER_MEMORY_STATE] = "state",
	};

	printf("  [UEFI \"%s\"]\n", m->version == 1 ? "Memory Error Section" : "Memory Error Section 2");
	for (unsigned int i = 0; i < FBK_CPER_NR_MEMORY_FIELDS; i++) {
		const char *meaning = NULL;

		if (!(m->valid >> i & 1))
			continue;
		if (i == FBK_CPER_MEMORY_TYPE)
			meaning = fbk_cper_memory_type_name(m->value[i]);
		else if (i == FBK_CPER_MEMORY_STATUS)
			meaning = fbk_cper_status_name(m->value[i]);
		else if (i == FBK_CPER_MEMORY_STATE)
			meaning = m->value[i] & 1 ? "uncorrected" : "corrected";
		print_value(names[i], m->value[i], meaning);
	}
}

/* [UEFI "ARM Cache Error Structure"] and its like: each field that is declared valid, below the number that holds them. */
static void print_information(const struct fbk_cper_arm_info *info)
{
	struct fbk_cper_arm_field f;
	uint32_t cursor = 0;
	char name[24];

	print_value("error information", info->information,
		    info->kinds & FBK_CPER_ARM_MICRO ? "what the implementation defines" :
		    info->kinds			     ? NULL :
						       "of no known type");
	while (fbk_cper_arm_field_next(info, &cursor, &f) == 0) {
		snprintf(name, sizeof(name), "  %s", f.text);
		print_value(name, f.value, f.flag ? (f.value ? "yes" : "no") : f.name);
	}
}

static void print_arm(const struct fbk_cper_arm *a)
{
	static const char *const kinds[] = { NULL, "cache", "TLB", "bus", "micro-architectural" };
	static const char *const flags[] = { "first error captured", "last error captured", "propagated", "overflow" };
	struct fbk_cper_arm_context c;
	struct fbk_cper_arm_info info;
	uint32_t cursor = 0;

	printf("  [UEFI \"ARM Processor Error Section\"]\n");
	if (a->valid & FBK_CPER_ARM_HAS_AFFINITY)
		print_value("affinity level", a->affinity, NULL);
	if (a->valid & FBK_CPER_ARM_HAS_MPIDR)
		print_value("MPIDR_EL1", a->mpidr, NULL);
	print_value("MIDR_EL1", a->midr, NULL);
	if (a->valid & FBK_CPER_ARM_HAS_RUNNING) {
		print_value("running", a->running & 1, a->running & 1 ? "yes" : "no");
		if (!(a->running & 1))
			print_value("PSCI state", a->psci, NULL);
	}
	while (fbk_cper_arm_info_next(a, &cursor, &info) == 0) {
		printf("  [UEFI \"ARM Processor Error Information Structure\"]\n");
		BITS("error type", info.kinds, kinds);
		if (info.valid & FBK_CPER_ARM_INFO_HAS_MULTIPLE)
			print_value("multiple error", info.multiple, info.multiple > 1 ? "so many" : info.multiple ? "several" : "a single one");
		if (info.valid & FBK_CPER_ARM_INFO_HAS_FLAGS)
			BITS("flags", info.flags, flags);
		if (info.valid & FBK_CPER_ARM_INFO_HAS_INFORMATION)
			print_information(&info);
		if (info.valid & FBK_CPER_ARM_INFO_HAS_VA)
			print_value("virtual address", info.va, NULL);
		if (info.valid & FBK_CPER_ARM_INFO_HAS_PA)
			print_value("physical address", info.pa, NULL);
	}
	cursor = 0;
	while (fbk_cper_arm_context_next(a, &cursor, &c) == 0) {
		printf("  [UEFI \"ARM Processor Context Information\"]\n");
		print_value("register context", c.type, "--json names the registers");
		print_value("bytes of registers", c.len, NULL);
	}
	if (a->valid & FBK_CPER_ARM_HAS_VENDOR)
		print_value("bytes of the vendor", a->len - a->vendor_at, NULL);
}

static void print_section(const struct fbk_cper_section *s, unsigned int number)
{
	static const char *const kinds[] = { "unknown", "platform memory error", "platform memory error 2", "ARM processor error" };
	static const char *const flags[] = { "primary",		       "containment warning", "reset",	    "threshold exceeded",
					     "resource not accessible", "latent error",	      "propagated", "overflow" };
	struct fbk_cper_memory m;
	struct fbk_cper_arm a;

	printf("section %u: %s, %u bytes at byte %u (described at byte %u)\n", number, kinds[s->kind], s->len, s->offset,
	       s->header_offset);
	print_id("type", s->type);
	print_value("severity", s->severity, fbk_cper_severity_name(s->severity));
	print_value("revision", s->revision, NULL);
	BITS("flags", s->flags, flags);
	if (s->valid & FBK_CPER_HAS_FRU_ID)
		print_id("FRU id", s->fru_id);
	if (s->valid & FBK_CPER_HAS_FRU_TEXT)
		print_text("FRU text", s->fru_text);
	if (s->valid & FBK_CPER_HAS_TIME)
		print_time(&s->time);
	if (fbk_cper_memory_read(s, &m) == 0)
		print_memory(&m);
	else if (fbk_cper_arm_read(s, &a) == 0)
		print_arm(&a);
}

static void print_head(const struct fbk_cper_view *v)
{
	static const char *const status[] = { "uncorrectable", "correctable", "multiple uncorrectable", "multiple correctable" };
	static const char *const flags[] = { "recovered", "from an earlier boot", "simulated" };

	if (v->form == FBK_CPER_BLOCK) {
		printf("generic error status block, %u bytes [ACPI \"Generic Error Status Block\", \"Generic Error Data Entry\"]\n", v->len);
		BITS("block status", v->block_status, status);
		print_value("entries counted", v->block_status >> 4 & 0x3ff, NULL);
		print_value("severity", v->severity, fbk_cper_severity_name(v->severity));
		if (v->raw_len)
			printf("  %-20s %u bytes at byte %u\n", "raw data", v->raw_len, v->raw_offset);
		return;
	}
	printf("CPER record, %u bytes [UEFI \"Error Record Header\", \"Section Descriptor\"]\n", v->len);
	print_value("revision", v->revision, NULL);
	print_value("severity", v->severity, fbk_cper_severity_name(v->severity));
	if (v->valid & FBK_CPER_HAS_TIMESTAMP)
		print_time(&v->time);
	if (v->valid & FBK_CPER_HAS_PLATFORM)
		print_id("platform", v->platform);
	if (v->valid & FBK_CPER_HAS_PARTITION)
		print_id("partition", v->partition);
	print_id("creator", v->creator);
	print_id("notification", v->notification);
	print_value("record id", v->record_id, NULL);
	BITS("flags", v->flags, flags);
	print_value("persistence", v->persistence, NULL);
}

static void print(const struct fbk_cper_view *v)
{
	struct fbk_cper_section s;
	uint32_t cursor = 0;

	print_head(v);
	for (unsigned int number = 1; fbk_cper_section_next(v, &cursor, &s) == 0; number++)
		print_section(&s, number);
}

/* Return: exit status. */
static int print_json(const struct fbk_cper_view *v)
{
	size_t room = 64 * 1024;
	char *buf = NULL;
	int n = -ENOSPC;

	while (n == -ENOSPC) {
		free(buf);
		buf = malloc(room);
		if (!buf)
			break;
		n = fbk_cper_json(v, buf, room);
		room *= 2;
	}
	if (n < 0)
		fbk_say("decode: no memory");
	else
		puts(buf);
	free(buf);
	return n < 0 ? FBK_EXIT_HOST : FBK_EXIT_OFF;
}

int fbk_decode_cper(const char *path, bool json)
{
	struct fbk_cper_fault fault;
	struct fbk_cper_view v;
	uint8_t *bytes;
	size_t len, odd;
	char why[160];
	long n;
	int r;

	r = read_file(path, &bytes, &len);
	if (r)
		return r;
	n = fbk_hex_unwrap(bytes, len, &odd);
	if (n < 0) {
		snprintf(why, sizeof(why), "byte %zu: a hexadecimal digit without a second one", odd);
		r = refuse(path, why);
	} else if (fbk_cper_parse(bytes, (size_t)n, &v, &fault)) {
		snprintf(why, sizeof(why), "byte %u%s: %s", fault.offset, (size_t)n == len ? "" : " of the record",
			 fbk_cper_flaw_text(fault.flaw));
		r = refuse(path, why);
	} else if (json) {
		r = print_json(&v);
	} else {
		print(&v);
	}
	free(bytes);
	return r;
}
