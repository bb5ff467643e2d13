// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: The firebreak authors
/*
 * The face of the kernel's EINJ interface, for programs that know no other way to
 * ask for a memory error: the files of apei/einj in debugfs, with their names and
 * their manners, and the firmware table that such programs look for. A stand-in:
 * behind it are the armed pages of this module, not a platform's firmware.
 */
#include <linux/acpi.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/sysfs.h>

#include "internal.h"

/* [ACPI "Error Injection", "Error Type Definition", "SET_ERROR_TYPE_WITH_ADDRESS"] */
#define EINJ_MEMORY_UNCORRECTABLE 0x10U
#define EINJ_FLAG_MEMORY 0x2U

static bool sea_einj;
module_param_named(einj, sea_einj, bool, 0400);
MODULE_PARM_DESC(einj, "stand in for the kernel's EINJ interface in debugfs (default: no)");

static u32 einj_type;
static u32 einj_flags;
static u32 einj_notrigger;
static u64 einj_param1; /* host physical address */
static u64 einj_param2; /* its mask */
static u64 einj_param3;
static u64 einj_param4;

static struct dentry *einj_dir;
static struct dentry *einj_parent; /* when it is ours */
static struct kobject *einj_acpi_kobj;
static struct kobject *einj_tables_kobj;

/* A table without entries: it tells that there is one, and asks for nothing. */
static struct acpi_table_einj einj_table = {
	.header = {
		.signature = ACPI_SIG_EINJ,
		.length = sizeof(einj_table),
		.revision = 1,
		.oem_id = { 'S', 'E', 'A', 'I', 'N', 'J' },
		.oem_table_id = { 'S', 'T', 'A', 'N', 'D', '-', 'I', 'N' },
	},
	.header_length = sizeof(einj_table) - sizeof(struct acpi_table_header),
};

static const struct bin_attribute einj_table_attr = {
	.attr = { .name = ACPI_SIG_EINJ, .mode = 0400 },
	.size = sizeof(einj_table),
	.private = &einj_table,
	.read = sysfs_bin_attr_simple_read,
};

static int available_error_type_show(struct seq_file *m, void *v)
{
	seq_printf(m, "0x%08x\tMemory Uncorrectable non-fatal\n", EINJ_MEMORY_UNCORRECTABLE);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(available_error_type);

static ssize_t error_type_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	char text[16];
	int n = scnprintf(text, sizeof(text), "0x%x\n", READ_ONCE(einj_type));

	return simple_read_from_buffer(buf, len, pos, text, n);
}

/* Hexadecimal, with or without 0x. */
static ssize_t error_type_write(struct file *file, const char __user *buf, size_t len,
				loff_t *pos)
{
	u64 type;
	int err;

	err = kstrtoull_from_user(buf, len, 16, &type);
	if (err)
		return err;
	if (type != EINJ_MEMORY_UNCORRECTABLE)
		return -EINVAL;
	WRITE_ONCE(einj_type, type);
	return len;
}

static const struct file_operations error_type_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = error_type_read,
	.write = error_type_write,
	.llseek = default_llseek,
};

static int error_inject_set(void *data, u64 val)
{
	struct sea_inject_arm req = {
		.size = sizeof(req),
		.by = SEA_INJECT_BY_HPA,
		.addr = READ_ONCE(einj_param1) & READ_ONCE(einj_param2),
	};
	u32 flags = READ_ONCE(einj_flags);
	int err;

	if (!READ_ONCE(einj_type))
		return -EINVAL;
	/* No flag: the type says what the parameters are. */
	if (flags && flags != EINJ_FLAG_MEMORY)
		return -EINVAL;
	/* A page, or less of one. */
	if ((READ_ONCE(einj_param2) & PAGE_MASK) != PAGE_MASK)
		return -EINVAL;
	/* Without it the platform touches the address itself; we can only wait for a guest. */
	if (!READ_ONCE(einj_notrigger))
		return -EOPNOTSUPP;
	err = sea_arm(&req);
	/* What is broken already is broken. */
	return err == -EEXIST ? 0 : err;
}
DEFINE_DEBUGFS_ATTRIBUTE(error_inject_fops, NULL, error_inject_set, "%llu\n");

static int einj_debugfs_init(void)
{
	struct dentry *apei = debugfs_lookup("apei", NULL);

	if (!apei)
		einj_parent = debugfs_create_dir("apei", NULL);
	if (IS_ERR(einj_parent))
		return PTR_ERR(einj_parent);
	einj_dir = debugfs_create_dir("einj", apei ?: einj_parent);
	dput(apei);
	/* The kernel's own is there. */
	if (IS_ERR(einj_dir))
		return PTR_ERR(einj_dir);

	debugfs_create_file("available_error_type", 0400, einj_dir, NULL,
			    &available_error_type_fops);
	debugfs_create_file("error_type", 0600, einj_dir, NULL, &error_type_fops);
	debugfs_create_file_unsafe("error_inject", 0200, einj_dir, NULL, &error_inject_fops);
	debugfs_create_x32("flags", 0600, einj_dir, &einj_flags);
	debugfs_create_x64("param1", 0600, einj_dir, &einj_param1);
	debugfs_create_x64("param2", 0600, einj_dir, &einj_param2);
	debugfs_create_x64("param3", 0600, einj_dir, &einj_param3);
	debugfs_create_x64("param4", 0600, einj_dir, &einj_param4);
	debugfs_create_x32("notrigger", 0600, einj_dir, &einj_notrigger);
	return 0;
}

/* Where the kernel runs with ACPI, the folder is its own, and so is what is in it. */
static int einj_table_init(void)
{
	u8 *bytes = (u8 *)&einj_table;
	unsigned int i;
	u8 sum = 0;

	if (!acpi_disabled)
		return 0;
	for (i = 0; i < sizeof(einj_table); i++)
		sum += bytes[i];
	einj_table.header.checksum -= sum;

	einj_acpi_kobj = kobject_create_and_add("acpi", firmware_kobj);
	if (!einj_acpi_kobj)
		return -ENOMEM;
	einj_tables_kobj = kobject_create_and_add("tables", einj_acpi_kobj);
	if (!einj_tables_kobj)
		return -ENOMEM;
	return sysfs_create_bin_file(einj_tables_kobj, &einj_table_attr);
}

int sea_einj_init(void)
{
	int err;

	if (!sea_einj)
		return 0;
	err = einj_debugfs_init();
	if (!err)
		err = einj_table_init();
	if (err)
		sea_einj_exit();
	return err;
}

void sea_einj_exit(void)
{
	if (!IS_ERR_OR_NULL(einj_dir))
		debugfs_remove(einj_dir);
	if (!IS_ERR_OR_NULL(einj_parent))
		debugfs_remove(einj_parent);
	if (einj_tables_kobj)
		sysfs_remove_bin_file(einj_tables_kobj, &einj_table_attr);
	kobject_put(einj_tables_kobj);
	kobject_put(einj_acpi_kobj);
}
