/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* confine.c - see confine.h. Why it is so: docs/decisions/0013-sandbox.md */
#include "confine.h"
#include "jail.h"
#include "keeper.h"
#include "landlock.h"
#include "monitor.h"
#include "report.h"
#include "violation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534
#define LOCKED_MAX (16ul << 20) /* what the graveyard of lost pages can hold */

/* Return: 0: go on without, which was told. */
static int lacks(struct fbk_monitor *m, const char *what, const char *why)
{
	if (m->opt.sandbox == FBK_SANDBOX_ON) {
		fbk_say("--sandbox=on: %s: %s; without the option the monitor runs with what there is", what, why);
		return FBK_EXIT_UNABLE;
	}
	fbk_say("warning: sandbox: %s: %s", what, why);
	return 0;
}

static bool has_net_user(const struct fbk_monitor *m)
{
	for (unsigned int i = 0; i < m->opt.nr_nets; i++)
		if (!m->opt.net[i].tap)
			return true;
	return false;
}

/* --- files ------------------------------------------------------------------------------------------------------------- */

/* Folders in which files are replaced, or removed, while the guest runs; the name of each file in its folder. */
struct places {
	struct fbk_place ledger;
	const struct fbk_place *replaced[2];
	unsigned int nr_replaced;
	struct fbk_place removed; /* the sockets of --api have one */
};

static int find_places(struct fbk_monitor *m, struct places *p)
{
	int r = 0;

	*p = (struct places){ .ledger.dirfd = -1, .removed.dirfd = -1 };
	if (m->opt.ledger) {
		r = fbk_place_open(&p->ledger, m->opt.ledger);
		p->replaced[p->nr_replaced++] = &p->ledger;
	}
	if (m->opt.metrics)
		p->replaced[p->nr_replaced++] = &m->metrics_place;
	if (m->opt.api && !r)
		r = fbk_place_open(&p->removed, m->opt.api);
	return r;
}

static int restrict_files(struct fbk_monitor *m, const struct places *p)
{
	struct fbk_landlock_grant grant[4];
	unsigned int nr = 0;
	int resolv = -1, r;

	for (unsigned int i = 0; i < p->nr_replaced; i++)
		grant[nr++] = (struct fbk_landlock_grant){ p->replaced[i]->dirfd, FBK_LANDLOCK_REPLACE };
	if (p->removed.dirfd >= 0)
		grant[nr++] = (struct fbk_landlock_grant){ p->removed.dirfd, FBK_LANDLOCK_REMOVE };
	if (has_net_user(m))
		resolv = open("/etc/resolv.conf", O_PATH | O_CLOEXEC);
	if (resolv >= 0)
		grant[nr++] = (struct fbk_landlock_grant){ resolv, FBK_LANDLOCK_READ };
	r = fbk_landlock_restrict(grant, nr, has_net_user(m));
	if (resolv >= 0)
		close(resolv);
	if (!r)
		m->confine.landlock = fbk_landlock_version();
	return r;
}

/* --- the user ------------------------------------------------------------------------------------------------------------ */

/* Who it is to be; root stays it where only root can do what is still to be done. Return: 0, or an exit status, told. */
static int choose_user(struct fbk_monitor *m, const struct places *p, uid_t *ret_uid, gid_t *ret_gid)
{
	const char *name = m->opt.user;
	int r;

	*ret_uid = *ret_gid = NOBODY;
	r = name ? fbk_jail_find_user(name, ret_uid, ret_gid) : 0;
	if (r) {
		fbk_say("--user %s: %s", name,
			r == -EPERM  ? "root is what is to be given up" :
			r == -ENOENT ? "/etc/passwd has no such user" :
				       "neither a name nor UID or UID:GID");
		return FBK_EXIT_INPUT;
	}
	for (unsigned int i = 0; i < p->nr_replaced; i++) {
		if (fbk_jail_user_replaces(*ret_uid, *ret_gid, p->replaced[i]->dirfd, p->replaced[i]->name))
			continue;
		if (name) {
			fbk_say("--user %s: that user cannot replace %s in its folder, as is done while the guest runs", name,
				p->replaced[i]->name);
			return FBK_EXIT_INPUT;
		}
		fbk_say("warning: sandbox: the monitor stays user 0, without capabilities: no other can replace %s in its folder; a "
			"folder of its own for --user is better", p->replaced[i]->name);
		*ret_uid = *ret_gid = 0;
		break;
	}
	return 0;
}

static int drop_root(struct fbk_monitor *m, uid_t uid, gid_t gid)
{
	struct rlimit locked;
	int r;

	/* Without the capability there is a limit, and bad frames are locked. */
	if (!getrlimit(RLIMIT_MEMLOCK, &locked) && locked.rlim_cur < LOCKED_MAX) {
		locked.rlim_cur = LOCKED_MAX;
		if (locked.rlim_max < LOCKED_MAX)
			locked.rlim_max = LOCKED_MAX;
		(void)setrlimit(RLIMIT_MEMLOCK, &locked);
	}
	r = fbk_jail_become(uid, gid);
	if (!r)
		m->confine.uid = uid;
	return r;
}

/* --- all of it ------------------------------------------------------------------------------------------------------------ */

void fbk_confine_prepare(struct fbk_monitor *m)
{
	m->confine.frames.fd = -1;
	m->confine.uid = geteuid();
	/* While there is nothing yet that would be copied. */
	if (m->opt.sandbox != FBK_SANDBOX_OFF && m->opt.retire != FBK_RETIRE_OFF && !geteuid())
		(void)fbk_frames_start(&m->confine.frames);
}

static int enter_jail(struct fbk_monitor *m)
{
	char servers[1024];
	int r;

	/* With Landlock these two are a second wall; an unprivileged user may not be allowed them. */
	r = fbk_jail_namespaces(has_net_user(m));
	if (r)
		return lacks(m, "namespaces", fbk_jail_why_not(r));
	m->confine.namespaces = true;
	if (has_net_user(m))
		fbk_jail_name_servers(servers, sizeof(servers));
	r = fbk_jail_root(has_net_user(m) ? servers : NULL);
	if (r)
		return lacks(m, "an empty root folder", strerror(-r));
	m->confine.root = true;
	return 0;
}

static int build_filters(struct fbk_monitor *m)
{
	enum fbk_violation violation = m->opt.sandbox == FBK_SANDBOX_LOG ? FBK_VIOLATION_LOG : FBK_VIOLATION_SIGNAL;
	struct fbk_confine *c = &m->confine;
	int r = fbk_filter_build(FBK_ROLE_VCPU, violation, &c->vcpu);

	if (!r)
		r = fbk_filter_build(FBK_ROLE_MAIN, violation, &c->main);
	if (!r && m->io.nr_queues)
		r = fbk_filter_build(FBK_ROLE_IO | (has_net_user(m) ? FBK_ROLE_NET_USER : 0), violation, &c->io);
	if (!r && m->control)
		r = fbk_filter_build(FBK_ROLE_API, violation, &c->api);
	return r;
}

static bool have_seccomp(void)
{
	const uint32_t action = SECCOMP_RET_TRAP;

	return !syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

static int prepare_filters(struct fbk_monitor *m)
{
	int r;

	if (!have_seccomp())
		return lacks(m, "system call filters (seccomp)", "this kernel has none");
	r = fbk_violation_open();
	if (!r)
		r = build_filters(m);
	m->confine.filters = !r;
	return r;
}

/* Return: 0; an exit status, told; or a negative errno. */
static int confine(struct fbk_monitor *m, const struct places *p)
{
	bool root = !geteuid();
	uid_t uid = 0;
	gid_t gid = 0;
	int r = root ? choose_user(m, p, &uid, &gid) : 0;

	if (!r)
		r = enter_jail(m);
	if (!r && root)
		r = drop_root(m, uid, gid);
	if (!r)
		r = fbk_jail_drop_capabilities();
	if (!r && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		r = -errno;
	if (r)
		return r;
	r = fbk_keeper_bind();
	if (r)
		return r;
	r = restrict_files(m, p);
	if (r == -EOPNOTSUPP)
		r = lacks(m, "Landlock", "this kernel has none");
	return r ? r : prepare_filters(m);
}

int fbk_confine_process(struct fbk_monitor *m)
{
	struct places p;
	int r;

	if (m->opt.sandbox == FBK_SANDBOX_OFF) {
		fbk_say("warning: --sandbox=off: a guest that takes over the monitor can do all that its user can");
		return 0;
	}
	if (m->opt.user && geteuid()) {
		fbk_say("--user %s: only root can become somebody else", m->opt.user);
		return FBK_EXIT_UNABLE;
	}
	r = find_places(m, &p);
	if (!r)
		r = confine(m, &p);
	fbk_place_close(&p.ledger);
	fbk_place_close(&p.removed);
	if (r < 0) {
		fbk_say("sandbox: %s", strerror(-r));
		r = FBK_EXIT_HOST;
	}
	if (!r && m->opt.sandbox == FBK_SANDBOX_LOG)
		fbk_say("warning: --sandbox=log: system calls that no rule allows are carried out, and only logged by the kernel");
	return r;
}

void fbk_confine_thread(struct fbk_monitor *m, enum fbk_role role, const char *who)
{
	const struct fbk_confine *c = &m->confine;
	const struct fbk_filter *f = role == FBK_ROLE_MAIN ? &c->main :
				     role == FBK_ROLE_VCPU ? &c->vcpu :
				     role == FBK_ROLE_IO   ? &c->io :
							     &c->api;
	int r;

	if (!c->filters)
		return;
	fbk_violation_thread(who);
	r = fbk_filter_load(f);
	if (!r)
		return;
	fbk_say("sandbox: thread %s: %s", who, strerror(-r));
	fbk_monitor_end(m, FBK_END_HOST);
}
