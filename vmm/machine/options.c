/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* options.c - see options.h */
#include "options.h"
#include "firmware.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	ch |= 0x20;
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* 8-4-4-4-12 hexadecimal digits. Errors: -EINVAL anything else, or all zeros, which stands for "not said". */
static int parse_uuid(const char *s, uint8_t ret[16])
{
	uint8_t id[16], any = 0;

	for (unsigned int i = 0; i < 16; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
			return -EINVAL;
		high = digit(s[0]);
		low = high < 0 ? -1 : digit(s[1]);
		if (low < 0)
			return -EINVAL;
		s += 2;
		id[i] = high << 4 | low;
		any |= id[i];
	}
	if (*s || !any)
		return -EINVAL;
	memcpy(ret, id, sizeof(id));
	return 0;
}

void fbk_uuid_format(const uint8_t id[16], char ret[FBK_UUID_LEN])
{
	for (unsigned int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*ret++ = '-';
		snprintf(ret, 3, "%02x", id[i]);
		ret += 2;
	}
}

static int set_cpus(struct fbk_run_options *o, const char *val, char *why, size_t why_len)
{
	if (val[0] < '1' || val[0] > '0' + FBK_MAX_CPUS || val[1]) {
		snprintf(why, why_len, "--cpus %.40s: must be 1 to %d", val, FBK_MAX_CPUS);
		return -EINVAL;
	}
	o->nr_cpus = val[0] - '0';
	return 0;
}

/* End @s in front of its first comma. Return: what stands behind that; NULL: there is none. */
static char *cut_word(char *s)
{
	char *comma = strchr(s, ',');

	if (comma)
		*comma++ = '\0';
	return comma;
}

static int set_grace(struct fbk_run_options *o, const char *val, char *why, size_t why_len)
{
	unsigned int n = 0, digits = 0;

	for (; val[digits] >= '0' && val[digits] <= '9' && digits < 5; digits++)
		n = n * 10 + (val[digits] - '0');
	if (!digits || val[digits] || n > FBK_GRACE_MAX_S) {
		snprintf(why, why_len, "--grace %.40s: must be 0 to %d seconds", val, FBK_GRACE_MAX_S);
		return -EINVAL;
	}
	o->grace_s = n;
	o->has_grace = true;
	return 0;
}

static int add_disk(struct fbk_run_options *o, char *val, char *why, size_t why_len)
{
	struct fbk_disk_option *d = &o->disk[o->nr_disks];
	char *word, *next;

	if (o->nr_disks == FBK_MAX_DISKS) {
		snprintf(why, why_len, "--disk %.80s: at most %d disks", val, FBK_MAX_DISKS);
		return -EINVAL;
	}
	d->path = val;
	for (word = cut_word(val); word; word = next) {
		next = cut_word(word);
		if (!strcmp(word, "ro")) {
			d->read_only = true;
		} else if (!strncmp(word, "queues=", 7)) {
			if (word[7] < '1' || word[7] > '0' + FBK_MAX_DISK_QUEUES || word[8]) {
				snprintf(why, why_len, "--disk %.60s: %.40s: must be 1 to %d", val, word, FBK_MAX_DISK_QUEUES);
				return -EINVAL;
			}
			d->nr_queues = word[7] - '0';
		} else {
			snprintf(why, why_len, "--disk %.60s: \"%.40s\" is neither ro nor queues=N", val, word);
			return -EINVAL;
		}
	}
	if (!*val) {
		snprintf(why, why_len, "--disk: no file is named");
		return -EINVAL;
	}
	o->nr_disks++;
	return 0;
}

/* "52:54:00:12:34:56", not a group's. */
static int parse_mac(const char *s, uint8_t ret[6])
{
	for (unsigned int i = 0; i < 6; i++) {
		int high, low;

		if (i && *s++ != ':')
			return -EINVAL;
		high = digit(s[0]);
		low = high < 0 ? -1 : digit(s[1]);
		if (low < 0)
			return -EINVAL;
		ret[i] = high << 4 | low;
		s += 2;
	}
	return *s || (ret[0] & 1) ? -EINVAL : 0;
}

static int parse_number(const char *s, unsigned long min, unsigned long max, uint16_t *ret)
{
	char *end;
	unsigned long n = *s >= '0' && *s <= '9' ? strtoul(s, &end, 10) : 0;

	if (*s < '0' || *s > '9' || *end || n < min || n > max)
		return -EINVAL;
	*ret = n;
	return 0;
}

/* tcp:[HOSTADDR]:HOSTPORT:GUESTPORT; cut up where it lies. */
static int parse_forward(char *s, struct fbk_net_forward *ret)
{
	char *proto = strsep(&s, ":"), *host = strsep(&s, ":"), *host_port = strsep(&s, ":");

	if (!host_port || !s || (strcmp(proto, "tcp") && strcmp(proto, "udp")))
		return -EINVAL;
	ret->udp = *proto == 'u';
	/* What nobody names is for this machine alone. */
	if (inet_pton(AF_INET, *host ? host : "127.0.0.1", &ret->host) != 1)
		return -EINVAL;
	if (parse_number(host_port, 1, 65535, &ret->host_port))
		return -EINVAL;
	return parse_number(s, 1, 65535, &ret->guest_port);
}

static int net_word(struct fbk_net_option *n, char *word, char *why, size_t why_len)
{
	char shown[64];

	snprintf(shown, sizeof(shown), "%.40s", word);
	if (!strncmp(word, "mac=", 4)) {
		n->has_mac = true;
		if (!parse_mac(word + 4, n->mac))
			return 0;
		snprintf(why, why_len, "--net: %s: not a MAC address of one card (52:54:00:12:34:56)", shown);
	} else if (!strncmp(word, "mtu=", 4) && !n->tap) {
		if (!parse_number(word + 4, 576, FBK_NET_USER_MTU_MAX, &n->mtu))
			return 0;
		snprintf(why, why_len, "--net: %s: must be 576 to %d", shown, FBK_NET_USER_MTU_MAX);
	} else if (!strncmp(word, "reach=", 6) && !n->tap) {
		static const char *const names[] = {
			[FBK_NET_REACH_ALL] = "all", [FBK_NET_REACH_OUTSIDE] = "outside", [FBK_NET_REACH_NONE] = "none"
		};

		for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (strcmp(word + 6, names[i]))
				continue;
			n->reach = i;
			return 0;
		}
		snprintf(why, why_len, "--net: %s: must be all, outside or none", shown);
	} else if (!strncmp(word, "forward=", 8) && !n->tap) {
		if (n->nr_forwards == FBK_NET_FORWARDS) {
			snprintf(why, why_len, "--net: %s: at most %d forwards", shown, FBK_NET_FORWARDS);
			return -EINVAL;
		}
		if (!parse_forward(word + 8, &n->forward[n->nr_forwards++]))
			return 0;
		snprintf(why, why_len, "--net: %s: must be forward=tcp:[HOSTADDR]:HOSTPORT:GUESTPORT, or udp", shown);
	} else {
		snprintf(why, why_len, "--net: %s: no such word behind %s", shown, n->tap ? "tap" : "user");
	}
	return -EINVAL;
}

static int add_net(struct fbk_run_options *o, char *val, char *why, size_t why_len)
{
	struct fbk_net_option *n = &o->net[o->nr_nets];
	char *kind, *word;

	if (o->nr_nets == FBK_MAX_NETS) {
		snprintf(why, why_len, "--net %.80s: at most %d networks", val, FBK_MAX_NETS);
		return -EINVAL;
	}
	kind = strsep(&val, ",");
	if (!strncmp(kind, "tap=", 4) && kind[4]) {
		n->tap = kind + 4;
	} else if (strcmp(kind, "user")) {
		snprintf(why, why_len, "--net %.40s: must be user, tap=NAME or tap=fd:N", kind);
		return -EINVAL;
	}
	n->mtu = 1500;
	while ((word = strsep(&val, ",")))
		if (net_word(n, word, why, why_len))
			return -EINVAL;
	o->nr_nets++;
	return 0;
}

/* One of two words. */
static int choose(const char *name, const char *val, const char *yes, const char *no, bool *ret, char *why, size_t why_len)
{
	if (strcmp(val, yes) && strcmp(val, no)) {
		snprintf(why, why_len, "%s %.40s: must be %s or %s", name, val, yes, no);
		return -EINVAL;
	}
	*ret = !strcmp(val, yes);
	return 0;
}

static int set_option(struct fbk_run_options *o, const char *name, char *val, char *why, size_t why_len)
{
	bool yes;

	if (!strcmp(name, "--kernel")) {
		o->kernel = val;
	} else if (!strcmp(name, "--initrd")) {
		o->initrd = val;
	} else if (!strcmp(name, "--append")) {
		if (strlen(val) > FBK_BOOTARGS_MAX) {
			snprintf(why, why_len, "--append: longer than %d bytes", FBK_BOOTARGS_MAX);
			return -EINVAL;
		}
		o->append = val;
	} else if (!strcmp(name, "--events")) {
		o->events = val;
	} else if (!strcmp(name, "--ledger")) {
		o->ledger = val;
	} else if (!strcmp(name, "--policy")) {
		o->policy = val;
	} else if (!strcmp(name, "--metrics")) {
		o->metrics = val;
	} else if (!strcmp(name, "--api")) {
		o->api = val;
	} else if (!strcmp(name, "--user")) {
		o->user = val;
	} else if (!strcmp(name, "--id")) {
		if (parse_uuid(val, o->id)) {
			snprintf(why, why_len, "--id %.40s: not a UUID (8-4-4-4-12 hexadecimal digits, not all zero)", val);
			return -EINVAL;
		}
		o->has_id = true;
	} else if (!strcmp(name, "--memory")) {
		return fbk_memory_option_parse(val, &o->memory, why, why_len);
	} else if (!strcmp(name, "--cpus")) {
		return set_cpus(o, val, why, why_len);
	} else if (!strcmp(name, "--grace")) {
		return set_grace(o, val, why, why_len);
	} else if (!strcmp(name, "--disk")) {
		return add_disk(o, val, why, why_len);
	} else if (!strcmp(name, "--net")) {
		return add_net(o, val, why, why_len);
	} else if (!strcmp(name, "--sea")) {
		if (choose(name, val, "on", "off", &yes, why, why_len))
			return -EINVAL;
		o->sea = yes ? FBK_SEA_ON : FBK_SEA_OFF;
	} else if (!strcmp(name, "--firmware")) {
		return choose(name, val, "dt", "acpi", &o->devicetree, why, why_len);
	} else if (!strcmp(name, "--console")) {
		return choose(name, val, "virtio", "pl011", &o->virtio_console, why, why_len);
	} else if (!strcmp(name, "--cper")) {
		return choose(name, val, "processor", "memory", &o->cper_processor, why, why_len);
	} else if (!strcmp(name, "--retire")) {
		if (!strcmp(val, "always")) {
			o->retire = FBK_RETIRE_EVERY;
			return 0;
		}
		if (choose(name, val, "on", "off", &yes, why, why_len))
			return -EINVAL;
		o->retire = yes ? FBK_RETIRE_ON : FBK_RETIRE_OFF;
	} else if (!strcmp(name, "--sandbox")) {
		if (!strcmp(val, "log")) {
			o->sandbox = FBK_SANDBOX_LOG;
			return 0;
		}
		if (strcmp(val, "on") && strcmp(val, "off")) {
			snprintf(why, why_len, "%s %.40s: must be on, log or off", name, val);
			return -EINVAL;
		}
		o->sandbox = strcmp(val, "on") ? FBK_SANDBOX_OFF : FBK_SANDBOX_ON;
	} else if (!strcmp(name, "--pids")) {
		if (choose(name, val, "own", "host", &yes, why, why_len))
			return -EINVAL;
		o->pids = yes ? FBK_PIDS_OWN : FBK_PIDS_HOST;
	} else if (!strcmp(name, "--reset")) {
		return choose(name, val, "exit", "reboot", &o->reset_exits, why, why_len);
	} else if (!strcmp(name, "--panic")) {
		return choose(name, val, "wait", "exit", &o->panic_waits, why, why_len);
	} else {
		snprintf(why, why_len, "%.80s: no such option", name);
		return -EINVAL;
	}
	return 0;
}

/* What options say together, whatever their order. */
static int contradict(const struct fbk_run_options *o, char *why, size_t why_len)
{
	if (o->devicetree && o->cper_processor)
		snprintf(why, why_len, "--cper processor: without ACPI (--firmware dt) there are no error records that could say it");
	else if (o->devicetree && o->has_grace && o->grace_s)
		snprintf(why, why_len, "--grace %u: without ACPI (--firmware dt) the guest has no power button to wait for", o->grace_s);
	else if (o->memory.huge_len && (o->retire == FBK_RETIRE_ON || o->retire == FBK_RETIRE_EVERY))
		snprintf(why, why_len, "--retire: of hugetlb only whole huge pages could be taken out of the guest's reach: leave it out");
	else if (o->virtio_console && strlen(o->append) > FBK_BOOTARGS_MAX - strlen(FBK_BOOTARGS_VIRTIO_CONSOLE))
		snprintf(why, why_len, "--append: longer than %zu bytes, the rest of %d being \"" FBK_BOOTARGS_VIRTIO_CONSOLE "\"",
			 FBK_BOOTARGS_MAX - strlen(FBK_BOOTARGS_VIRTIO_CONSOLE), FBK_BOOTARGS_MAX);
	else
		return 0;
	return -EINVAL;
}

int fbk_options_parse(int argc, char **argv, struct fbk_run_options *ret, int *ret_at, char *why, size_t why_len)
{
	struct fbk_run_options o = { .append = "panic=-1", .memory.len = UINT64_C(256) << 20, .nr_cpus = 1, .grace_s = 30 };

	for (int i = 0; i < argc; i++) {
		char name[32], *eq, *val;
		size_t len;

		*ret_at = i;
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			o.help = true;
			*ret = o;
			return 0;
		}
		if (strncmp(argv[i], "--", 2)) {
			snprintf(why, why_len, "%.80s: not an option", argv[i]);
			return -EINVAL;
		}
		eq = strchr(argv[i], '=');
		len = eq ? (size_t)(eq - argv[i]) : strlen(argv[i]);
		if (len >= sizeof(name))
			len = sizeof(name) - 1;
		memcpy(name, argv[i], len);
		name[len] = '\0';
		if (eq) {
			val = eq + 1;
		} else if (i + 1 < argc) {
			val = argv[++i];
		} else {
			snprintf(why, why_len, "%.80s: no such option, or its value is missing", argv[i]);
			return -EINVAL;
		}
		if (!*val && strcmp(name, "--append")) {
			snprintf(why, why_len, "%.31s: empty value", name);
			return -EINVAL;
		}
		if (set_option(&o, name, val, why, why_len))
			return -EINVAL;
	}
	*ret_at = argc;
	if (!o.kernel) {
		snprintf(why, why_len, "--kernel is needed: an uncompressed arm64 Linux Image");
		return -EINVAL;
	}
	if (contradict(&o, why, why_len))
		return -EINVAL;
	*ret = o;
	return 0;
}
