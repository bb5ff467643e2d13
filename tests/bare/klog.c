// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * See klog.h.
 */
#include "klog.h"
#include "vm.h"

#include <errno.h>
#include <string.h>
#include <sys/klog.h>

#define KLOG_READ_ALL 3
#define KLOG_ROOM (1 << 20)

static char *klog_read(void)
{
	static char text[KLOG_ROOM];
	int n = klogctl(KLOG_READ_ALL, text, sizeof(text) - 1);

	if (n < 0)
		bail("cannot read the kernel's log: %s", strerror(errno));
	text[n] = '\0';
	return text;
}

bool klog_has(const char *want)
{
	return strstr(klog_read(), want);
}

const char *klog_trouble(void)
{
	static const char *const signs[] = {
		"WARNING:", "BUG:", "Oops", "Internal error", "Unable to handle", "refcount_t:",
		"KASAN:", "INFO: possible", "suspicious RCU usage", "blocked for more than",
		"rcu_preempt detected", "Call trace:", "list_del corruption",
	};
	const char *log = klog_read();

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(log, signs[i]))
			return signs[i];
	return NULL;
}
