/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_acpi.c - the tables as a guest walks them; the golden test has iasl judge their bytes.
 */
#include "test.h"

#include "acpi.h"
#include "platform.h"

static uint8_t blob[FBK_TABLES_LEN];
static struct fbk_ghes_layout ghes;

static bool uart_is_console = true;

static int build(unsigned int nr_cpus, unsigned int nr_virtio, size_t cap, struct fbk_gpa *rsdp, size_t *len)
{
	struct fbk_acpi_config cfg = { .nr_cpus = nr_cpus, .nr_virtio = nr_virtio, .ghes = &ghes, 
				       .uart_is_console = uart_is_console };
	struct fbk_bytes out;
	int r;

	assert_int_equal(fbk_ghes_layout_init(&ghes, (struct fbk_gpa){ FBK_RECORDS_GPA }), 0);
	fbk_bytes_init(&out, blob, cap);
	r = fbk_acpi_build(&cfg, &out, (struct fbk_gpa){ FBK_TABLES_GPA }, rsdp);
	*len = out.len;
	return r;
}

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len--)
		s += *p++;
	return s;
}

static const uint8_t *at(uint64_t gpa)
{
	assert_in_range(gpa, FBK_TABLES_GPA, FBK_TABLES_GPA + sizeof(blob) - 36);
	return blob + (gpa - FBK_TABLES_GPA);
}

/* The table with this signature, by way of RSDP and XSDT, its sum checked; NULL: there is none. */
static const uint8_t *look_for(struct fbk_gpa rsdp, const char *signature)
{
	const uint8_t *r = at(rsdp.addr), *xsdt = at(fbk_get_le(r + 24, 8));

	assert_memory_equal(r, "RSD PTR ", 8);
	assert_int_equal(sum(r, 20), 0);
	assert_int_equal(sum(r, 36), 0);
	assert_int_equal(sum(xsdt, fbk_get_le(xsdt + 4, 4)), 0);
	for (size_t i = 36; i < fbk_get_le(xsdt + 4, 4); i += 8) {
		const uint8_t *t = at(fbk_get_le(xsdt + i, 8));

		assert_int_equal((uintptr_t)(t - blob) % 8, 0);
		assert_int_equal(sum(t, fbk_get_le(t + 4, 4)), 0);
		if (!memcmp(t, signature, 4))
			return t;
	}
	return NULL;
}

static const uint8_t *find(struct fbk_gpa rsdp, const char *signature)
{
	const uint8_t *t = look_for(rsdp, signature);

	if (!t)
		fail_msg("no table %s", signature);
	return t;
}

static void every_table_is_found(void **state)
{
	static const char *const names[] = { "FACP", "APIC", "GTDT", "SPCR", "HEST" };
	struct fbk_gpa rsdp;
	const uint8_t *dsdt;
	size_t len;

	assert_int_equal(build(2, 2, sizeof(blob), &rsdp, &len), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		find(rsdp, names[i]);
	dsdt = at(fbk_get_le(find(rsdp, "FACP") + 140, 8));
	assert_memory_equal(dsdt, "DSDT", 4);
	assert_int_equal(sum(dsdt, fbk_get_le(dsdt + 4, 4)), 0);
}

/* Linux would say everything on both. */
static void no_spcr_beside_another_console(void **state)
{
	struct fbk_gpa rsdp;
	size_t len;
	int r;

	uart_is_console = false;
	r = build(2, 2, sizeof(blob), &rsdp, &len);
	uart_is_console = true;
	assert_int_equal(r, 0);
	assert_null(look_for(rsdp, "SPCR"));
	find(rsdp, "HEST");
}

static void madt_has_each_cpu(void **state)
{
	struct fbk_gpa rsdp;
	size_t len;

	for (unsigned int nr = 1; nr <= FBK_MAX_CPUS; nr++) {
		const uint8_t *madt;
		unsigned int cpus = 0;

		assert_int_equal(build(nr, 1, sizeof(blob), &rsdp, &len), 0);
		madt = find(rsdp, "APIC");
		for (size_t i = 44; i < fbk_get_le(madt + 4, 4); i += madt[i + 1]) {
			if (madt[i] == 11) {
				assert_int_equal(madt[i + 1], 80);
				assert_int_equal(fbk_get_le(madt + i + 68, 8), cpus); /* MPIDR */
				cpus++;
			}
			if (madt[i] == 14)
				assert_int_equal(fbk_get_le(madt + i + 12, 4), nr * 0x20000);
		}
		assert_int_equal(cpus, nr);
	}
}

/* Whatever the room, the answer is -ENOSPC or all tables, and nothing lies behind the room. */
static void any_shortage_is_told(void **state)
{
	struct fbk_gpa rsdp;
	size_t need, len;

	assert_int_equal(build(8, 5, sizeof(blob), &rsdp, &need), 0);
	for (size_t cap = 0; cap < need; cap++) {
		memset(blob, 0xa5, sizeof(blob));
		assert_int_equal(build(8, 5, cap, &rsdp, &len), -ENOSPC);
		assert_int_equal(blob[cap], 0xa5);
	}
	assert_int_equal(build(8, 5, need, &rsdp, &len), 0);
}

static void nonsense_is_refused(void **state)
{
	struct fbk_gpa rsdp;
	size_t len;

	assert_int_equal(build(0, 1, sizeof(blob), &rsdp, &len), -EINVAL);
	assert_int_equal(build(FBK_MAX_CPUS + 1, 1, sizeof(blob), &rsdp, &len), -EINVAL);
	assert_int_equal(build(1, FBK_MAX_VIRTIO + 1, sizeof(blob), &rsdp, &len), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_table_is_found),
		cmocka_unit_test(no_spcr_beside_another_console),
		cmocka_unit_test(madt_has_each_cpu),
		cmocka_unit_test(any_shortage_is_told),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests_name("vmm-acpi", tests, NULL, NULL);
}
