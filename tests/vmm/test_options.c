/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_options.c - the command line: one row a case.
 */
#include "test.h"

#include "firmware.h"
#include "options.h"
#include "size.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_ARGS 64

/* Splits at blanks; "_" stands for an empty argument. */
static int parse(const char *line, struct fbk_run_options *o, char *why)
{
	static char copy[4096];
	char *argv[MAX_ARGS];
	int argc = 0, at;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *t = strtok(copy, " "); t; t = strtok(NULL, " "))
		argv[argc++] = strcmp(t, "_") ? t : t + 1;
	why[0] = '\0';
	return fbk_options_parse(argc, argv, o, &at, why, 160);
}

static void defaults(void **state)
{
	struct fbk_run_options o;
	char why[160];

	assert_int_equal(parse("--kernel k", &o, why), 0);
	assert_string_equal(o.kernel, "k");
	assert_null(o.initrd);
	assert_null(o.events);
	assert_null(o.ledger);
	assert_null(o.policy);
	assert_null(o.metrics);
	assert_null(o.api);
	assert_int_equal(o.grace_s, 30);
	assert_false(o.has_id);
	assert_string_equal(o.append, "panic=-1");
	assert_int_equal(o.memory.len, 256 << 20);
	assert_int_equal(o.memory.huge_len, 0);
	assert_int_equal(o.memory.thp, FBK_THP_HOST);
	assert_false(o.memory.shared);
	assert_false(o.memory.prefault);
	assert_int_equal(o.nr_cpus, 1);
	assert_int_equal(o.nr_disks, 0);
	assert_int_equal(o.nr_nets, 0);
	assert_int_equal(o.sea, FBK_SEA_AUTO);
	assert_int_equal(o.retire, FBK_RETIRE_AUTO);
	assert_int_equal(o.sandbox, FBK_SANDBOX_AUTO);
	assert_null(o.user);
	assert_false(o.reset_exits);
	assert_false(o.panic_waits);
	assert_false(o.devicetree);
	assert_false(o.virtio_console);
}

static void everything(void **state)
{
	struct fbk_run_options o;
	char why[160], id[FBK_UUID_LEN];

	assert_int_equal(parse("--kernel=k --initrd i --append=a=b --memory 2G --cpus=8 --disk a,ro --disk b,queues=3 --disk c,queues=8,ro --sea off "
			       "--retire always --events=- --ledger l --metrics m --id 0FF1CE00-5eed-4a11-8bad-c0ffee000001  --policy=p "
			       "--reset exit --panic=wait --api=/run/vm --grace 7 --sandbox=on --user vm",
			       &o, why),
			 0);
	assert_string_equal(o.initrd, "i");
	assert_string_equal(o.append, "a=b");
	assert_true(o.memory.len == UINT64_C(2) << 30);
	assert_int_equal(o.nr_cpus, 8);
	assert_int_equal(o.nr_disks, 3);
	assert_string_equal(o.disk[0].path, "a");
	assert_true(o.disk[0].read_only);
	assert_int_equal(o.disk[0].nr_queues, 0);
	assert_string_equal(o.disk[1].path, "b");
	assert_false(o.disk[1].read_only);
	assert_int_equal(o.disk[1].nr_queues, 3);
	assert_true(o.disk[2].read_only);
	assert_int_equal(o.disk[2].nr_queues, 8);
	assert_int_equal(o.sea, FBK_SEA_OFF);
	assert_int_equal(o.retire, FBK_RETIRE_EVERY);
	assert_string_equal(o.events, "-");
	assert_string_equal(o.ledger, "l");
	assert_string_equal(o.policy, "p");
	assert_string_equal(o.metrics, "m");
	assert_true(o.has_id);
	fbk_uuid_format(o.id, id);
	assert_string_equal(id, "0ff1ce00-5eed-4a11-8bad-c0ffee000001");
	assert_true(o.reset_exits);
	assert_true(o.panic_waits);
	assert_string_equal(o.api, "/run/vm");
	assert_int_equal(o.grace_s, 7);
	assert_int_equal(o.sandbox, FBK_SANDBOX_ON);
	assert_string_equal(o.user, "vm");
	assert_int_equal(o.pids, FBK_PIDS_AUTO);
	assert_int_equal(parse("--kernel k --pids=own", &o, why), 0);
	assert_int_equal(o.pids, FBK_PIDS_OWN);
	assert_int_equal(parse("--kernel k --sandbox=on --pids=host", &o, why), 0);
	assert_int_equal(o.pids, FBK_PIDS_HOST);
	assert_int_equal(parse("--kernel k --sandbox log", &o, why), 0);
	assert_int_equal(o.sandbox, FBK_SANDBOX_LOG);
	assert_int_equal(parse("--kernel k --sandbox=off", &o, why), 0);
	assert_int_equal(o.sandbox, FBK_SANDBOX_OFF);
}

static void wrong_lines(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{ "", "--kernel is needed" },
		{ "--memory 1G", "--kernel is needed" },
		{ "--kernel", "value is missing" },
		{ "--kernel=", "empty value" },
		{ "--kernel _", "empty value" },
		{ "--kernel k --sandbox=yes", "must be on, log or off" },
		{ "--kernel k --pids=2", "must be own or host" },
		{ "kernel", "not an option" },
		{ "-k x", "not an option" },
		{ "--kernels x", "no such option" },
		{ "--averyveryveryveryverylongoptionname x", "no such option" },
		{ "--kernel k --id 0ff1ce00-5eed-4a11-8bad-c0ffee00000", "not a UUID" },
		{ "--kernel k --id 0ff1ce00-5eed-4a11-8bad-c0ffee0000012", "not a UUID" },
		{ "--kernel k --id 0ff1ce00-5eed-4a11-8bad-c0ffee00000g", "not a UUID" },
		{ "--kernel k --id 0ff1ce00x5eed-4a11-8bad-c0ffee000001", "not a UUID" },
		{ "--kernel k --id 0ff1ce005eed4a118badc0ffee000001", "not a UUID" },
		{ "--kernel k --id 00000000-0000-0000-0000-000000000000", "not all zero" },
		{ "--kernel k --cpus 0", "1 to 8" },
		{ "--kernel k --cpus 9", "1 to 8" },
		{ "--kernel k --cpus 10", "1 to 8" },
		{ "--kernel k --cpus -1", "1 to 8" },
		{ "--kernel k --cpus one", "1 to 8" },
		{ "--kernel k --grace -1", "0 to 3600" },
		{ "--kernel k --grace 3601", "0 to 3600" },
		{ "--kernel k --grace 1s", "0 to 3600" },
		{ "--kernel k --memory 63M", "64M to 255G" },
		{ "--kernel k --memory 256G", "64M to 255G" },
		{ "--kernel k --memory 65537K", "multiple of 64K" },
		{ "--kernel k --memory -1", "not a size" },
		{ "--kernel k --memory 1T", "not a size" },
		{ "--kernel k --memory 1GG", "not a size" },
		{ "--kernel k --memory 99999999999999999999", "not a size" },
		{ "--kernel k --memory 18446744073709551615G", "not a size" },
		{ "--kernel k --memory ,shared", "--memory : not a size" },
		{ "--kernel k --memory 512M,", "\"\" is none of" },
		{ "--kernel k --memory 512M,huge", "\"huge\" is none of hugetlb=SIZE" },
		{ "--kernel k --memory 512M,shared=on", "\"shared=on\" is none of" },
		{ "--kernel k --memory 512M,prefault,hugetlb", "\"hugetlb\" is none of" },
		{ "--kernel k --memory 512M,hugetlb=", "hugetlb=: must be 2M, 1G" },
		{ "--kernel k --memory 512M,hugetlb=on", "hugetlb=on: must be 2M, 1G" },
		{ "--kernel k --memory 512M,hugetlb=3M", "hugetlb=3M: must be 2M, 1G" },
		{ "--kernel k --memory 512M,hugetlb=4K", "hugetlb=4K: must be 2M, 1G" },
		{ "--kernel k --memory 4G,hugetlb=2G", "hugetlb=2G: must be 2M, 1G" },
		{ "--kernel k --memory 512M,hugetlb=0", "hugetlb=0: must be 2M, 1G" },
		{ "--kernel k --memory 65M,hugetlb=2M", "65 MiB are no whole number of huge pages of 2 MiB" },
		{ "--kernel k --memory 1536M,shared,hugetlb=1G", "1536 MiB are no whole number of huge pages of 1 GiB" },
		{ "--kernel k --memory 512M,thp=", "thp=: must be thp=on or thp=off" },
		{ "--kernel k --memory 512M,thp=always", "thp=always: must be thp=on or thp=off" },
		{ "--kernel k --memory 512M,hugetlb=2M,thp=on", "give one of them" },
		{ "--kernel k --memory 512M,thp=off,hugetlb=2M", "give one of them" },
		{ "--kernel k --memory 512M,hugetlb=2M --retire=on", "only whole huge pages" },
		{ "--kernel k --retire always --memory 1G,hugetlb=1G", "only whole huge pages" },
		{ "--kernel k --sea maybe", "on or off" },
		{ "--kernel k --reset off", "exit or reboot" },
		{ "--kernel k --panic never", "wait or exit" },
		{ "--kernel k --firmware uefi", "dt or acpi" },
		{ "--kernel k --console ttyS0", "virtio or pl011" },
		{ "--kernel k --firmware=dt --cper=processor", "--cper processor: without ACPI" },
		{ "--kernel k --cper processor --firmware dt", "--cper processor: without ACPI" },
		{ "--kernel k --grace 30 --firmware dt", "--grace 30: without ACPI" },
		{ "--kernel k --net bridge", "must be user, tap=NAME" },
		{ "--kernel k --net tap=", "must be user, tap=NAME" },
		{ "--kernel k --net user,mac=52:54:00:12:34", "not a MAC address" },
		{ "--kernel k --net user,mac=52:54:00:12:34:567", "not a MAC address" },
		{ "--kernel k --net user,mac=53:54:00:12:34:56", "not a MAC address" },
		{ "--kernel k --net user,mtu=575", "576 to 65520" },
		{ "--kernel k --net user,reach=", "must be all, outside or none" },
		{ "--kernel k --net user,reach=allx", "must be all, outside or none" },
		{ "--kernel k --net tap=t,reach=all", "no such word behind tap" },
		{ "--kernel k --net user,mtu=65521", "576 to 65520" },
		{ "--kernel k --net user,mtu=1500x", "576 to 65520" },
		{ "--kernel k --net tap=a,mtu=1500", "no such word behind tap" },
		{ "--kernel k --net tap=a,forward=tcp::1:2", "no such word behind tap" },
		{ "--kernel k --net user,", "no such word behind user" },
		{ "--kernel k --net user,forward=tcp:80:80", "must be forward=tcp" },
		{ "--kernel k --net user,forward=sctp::80:80", "must be forward=tcp" },
		{ "--kernel k --net user,forward=tcp:nowhere:80:80", "must be forward=tcp" },
		{ "--kernel k --net user,forward=tcp::0:80", "must be forward=tcp" },
		{ "--kernel k --net user,forward=tcp::80:65536", "must be forward=tcp" },
		{ "--kernel k --net user,forward=tcp::80:80:80", "must be forward=tcp" },
		{ "--kernel k --net user --net tap=a --net user", "at most 2" },
		{ "--kernel k --disk a --disk b --disk c --disk d --disk e", "at most 4" },
		{ "--kernel k --disk a,rw", "\"rw\" is neither" },
		{ "--kernel k --disk a,", "\"\" is neither" },
		{ "--kernel k --disk a,ro,queues", "\"queues\" is neither" },
		{ "--kernel k --disk a,queues=0", "a: queues=0: must be 1 to 8" },
		{ "--kernel k --disk a,queues=9,ro", "must be 1 to 8" },
		{ "--kernel k --disk a,queues=11", "must be 1 to 8" },
		{ "--kernel k --disk a,queues=", "must be 1 to 8" },
		{ "--kernel k --disk ,ro", "no file" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_run_options o = { .kernel = "untouched" };
		char why[160];

		if (parse(rows[i].line, &o, why) != -EINVAL || !strstr(why, rows[i].says))
			fail_msg("%s: '%s'", rows[i].line, why);
		assert_string_equal(o.kernel, "untouched");
	}
}

static void by_device_tree(void **state)
{
	struct fbk_run_options o;
	char why[160];

	assert_int_equal(parse("--kernel k --firmware dt --cper memory --grace 0", &o, why), 0);
	assert_true(o.devicetree);
	assert_int_equal(parse("--kernel k --firmware dt --firmware acpi --cper processor", &o, why), 0);
	assert_false(o.devicetree);
}

static void networks(void **state)
{
	struct fbk_run_options o;
	char why[160];

	assert_int_equal(parse("--kernel k --net user,mac=52:54:00:ab:CD:ef,mtu=65520,reach=outside,forward=tcp::8080:80,forward=udp:10.1.2.3:53:1053 "
			       "--net=tap=fd:7,mac=02:00:00:00:00:01", &o, why), 0);
	assert_int_equal(o.nr_nets, 2);
	assert_null(o.net[0].tap);
	assert_true(o.net[0].has_mac);
	assert_memory_equal(o.net[0].mac, "\x52\x54\0\xab\xcd\xef", 6);
	assert_int_equal(o.net[0].mtu, 65520);
	assert_int_equal(o.net[0].reach, FBK_NET_REACH_OUTSIDE);
	assert_int_equal(o.net[1].reach, FBK_NET_REACH_ALL);
	assert_int_equal(o.net[0].nr_forwards, 2);
	assert_false(o.net[0].forward[0].udp);
	assert_int_equal(ntohl(o.net[0].forward[0].host.s_addr), 0x7f000001);
	assert_int_equal(o.net[0].forward[0].host_port, 8080);
	assert_int_equal(o.net[0].forward[0].guest_port, 80);
	assert_true(o.net[0].forward[1].udp);
	assert_int_equal(ntohl(o.net[0].forward[1].host.s_addr), 0x0a010203);
	assert_string_equal(o.net[1].tap, "fd:7");
	assert_int_equal(o.net[1].mac[5], 1);
}

static void kinds_of_memory(void **state)
{
	static const struct {
		const char *line;
		struct fbk_memory_option is;
	} rows[] = {
		{ "512M,hugetlb=2M", { .len = UINT64_C(512) << 20, .huge_len = 2 << 20 } },
		{ "64,hugetlb=64k,shared", { .len = 64 << 20, .huge_len = 65536, .shared = true } },
		{ "3G,prefault,hugetlb=1G", { .len = UINT64_C(3) << 30, .huge_len = 1 << 30, .prefault = true } },
		{ "512M,thp=on,prefault", { .len = UINT64_C(512) << 20, .thp = FBK_THP_ON, .prefault = true } },
		{ "512M,shared,thp=off", { .len = UINT64_C(512) << 20, .thp = FBK_THP_OFF, .shared = true } },
		/* What is said last holds, of options and of words. */
		{ "512M,thp=off,thp=on", { .len = UINT64_C(512) << 20, .thp = FBK_THP_ON } },
		{ "512M,shared --memory 64M", { .len = 64 << 20 } },
		{ "512M,hugetlb=2M --retire=off", { .len = UINT64_C(512) << 20, .huge_len = 2 << 20 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[80], why[160];
		struct fbk_run_options o;

		snprintf(line, sizeof(line), "--kernel k --memory %s", rows[i].line);
		if (parse(line, &o, why))
			fail_msg("%s: %s", line, why);
		assert_true(o.memory.len == rows[i].is.len);
		assert_true(o.memory.huge_len == rows[i].is.huge_len);
		assert_int_equal(o.memory.thp, rows[i].is.thp);
		assert_int_equal(o.memory.shared, rows[i].is.shared);
		assert_int_equal(o.memory.prefault, rows[i].is.prefault);
	}
}

static void a_long_command_line(void **state)
{
	static char text[2100];
	char *argv[] = { "--kernel", "k", "--append", text, "--console", "virtio" };
	const size_t more = strlen(FBK_BOOTARGS_VIRTIO_CONSOLE);
	struct fbk_run_options o;
	char why[160];
	int at;

	memset(text, 'x', 2047);
	assert_int_equal(fbk_options_parse(4, argv, &o, &at, why, sizeof(why)), 0);
	text[2047] = 'x';
	assert_int_equal(fbk_options_parse(4, argv, &o, &at, why, sizeof(why)), -EINVAL);
	/* What goes in front takes its part of it. */
	text[2047 - more] = '\0';
	assert_int_equal(fbk_options_parse(6, argv, &o, &at, why, sizeof(why)), 0);
	assert_true(o.virtio_console);
	text[2047 - more] = 'x';
	text[2048 - more] = '\0';
	assert_int_equal(fbk_options_parse(6, argv, &o, &at, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "--append: longer than"));
}

static void sizes(void **state)
{
	static const struct {
		const char *s;
		uint64_t bytes;
	} rows[] = { { "512", UINT64_C(512) << 20 }, { "64K", 65536 }, { "1g", UINT64_C(1) << 30 }, { "0", 0 } };
	static const struct {
		uint64_t bytes;
		const char *s;
	} texts[] = { { 0, "0 KiB" }, { 1023, "0 KiB" }, { 65536, "64 KiB" }, { 2 << 20, "2 MiB" }, { 1536 << 20, "1536 MiB" },
		      { UINT64_C(1) << 30, "1 GiB" }, { UINT64_C(1) << 40, "1024 GiB" }, { UINT64_MAX, "18014398509481983 KiB" } };
	char text[FBK_SIZE_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t bytes;

		assert_int_equal(fbk_size_parse(rows[i].s, &bytes), 0);
		assert_true(bytes == rows[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_string_equal(fbk_size_format(texts[i].bytes, text), texts[i].s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),	       cmocka_unit_test(everything), cmocka_unit_test(wrong_lines),
		cmocka_unit_test(a_long_command_line), cmocka_unit_test(sizes),
		cmocka_unit_test(networks),	       cmocka_unit_test(kinds_of_memory),
		cmocka_unit_test(by_device_tree),
	};

	return cmocka_run_group_tests_name("vmm-options", tests, NULL, NULL);
}
