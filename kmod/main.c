// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: The firebreak authors
/*
 * /dev/sea_inject: requests in, state out. See sea-inject(4).
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

static int sea_arm_spots(const struct sea_inject_arm *req, const struct sea_spot *spots,
			 unsigned int n, u64 *ret_id)
{
	const struct sea_shape shape = {
		.kind = req->kind,
		.flags = req->flags,
		.set = req->set,
		.level = req->level,
	};
	int err;

	err = mutex_lock_interruptible(&sea_lock);
	if (err)
		return err;
	err = sea_hook_install(req->flags & SEA_INJECT_FIRMWARE);
	if (!err)
		err = sea_table_arm(spots, n, &shape, req->hits, ret_id);
	/* Armed first, dropped second: what is mapped meanwhile is dropped too. */
	if (!err) {
		err = sea_drop_stage2(spots, n);
		if (err)
			sea_table_disarm_ids(*ret_id, n);
	}
	sea_table_idle();
	mutex_unlock(&sea_lock);
	return err;
}

static struct sea_vm_ref *sea_vm_pick(struct list_head *refs, u32 index)
{
	struct sea_vm_ref *ref;

	list_for_each_entry(ref, refs, node)
		if (ref->index == index)
			return ref;
	return NULL;
}

static int sea_arm_check(const struct sea_inject_arm *req)
{
	u64 bytes = req->pages << PAGE_SHIFT;

	if (req->ret_id || req->ret_gpa || req->ret_hva || req->ret_pages || req->pad)
		return -EINVAL;
	if (req->pages > SEA_INJECT_PAGES_MAX)
		return -ENOSPC;
	if (req->addr + bytes < req->addr)
		return -ERANGE;
	switch (req->by) {
	case SEA_INJECT_BY_GPA:
	case SEA_INJECT_BY_HVA:
		break;
	case SEA_INJECT_BY_HPA:
		if (req->pid || req->vm || req->pages != 1)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	return sea_shape_check(req);
}

/* Without sea_lock. */
int sea_arm(struct sea_inject_arm *req)
{
	struct sea_spot *spots = NULL;
	struct sea_vm_ref *ref;
	unsigned int n = 0;
	LIST_HEAD(refs);
	u64 id = 0;
	int err;

	if (!req->pages)
		req->pages = 1;
	err = sea_arm_check(req);
	if (err)
		return err;

	if (req->by == SEA_INJECT_BY_HPA) {
		err = sea_vms_of_host(&refs);
		if (!err)
			err = sea_spots_by_hpa(&refs, req->addr, &spots, &n);
	} else {
		err = sea_vms_of_pid(req->pid, &refs);
		if (err)
			return err;
		ref = sea_vm_pick(&refs, req->vm);
		if (!ref)
			err = -ENODEV;
		else if (req->by == SEA_INJECT_BY_GPA)
			err = sea_spots_by_gpa(ref, req->addr, req->pages, &spots, &n);
		else
			err = sea_spots_by_hva(ref, req->addr, req->pages, &spots, &n);
	}
	if (!err)
		err = sea_arm_spots(req, spots, n, &id);
	if (!err) {
		req->ret_id = id;
		req->ret_gpa = (u64)spots[0].gfn << PAGE_SHIFT;
		req->ret_hva = spots[0].hva;
		req->ret_pages = n;
	}
	kvfree(spots);
	sea_vms_put(&refs);
	return err;
}

#define SEA_MATCH_ALL                                                                   \
	(SEA_INJECT_MATCH_ID | SEA_INJECT_MATCH_PID | SEA_INJECT_MATCH_VM |             \
	 SEA_INJECT_MATCH_GPA | SEA_INJECT_MATCH_HVA)

static int sea_disarm(struct sea_inject_disarm *req)
{
	struct pid *pid = NULL;
	int err;

	if (req->match & ~SEA_MATCH_ALL || req->ret_pages || req->pad)
		return -EINVAL;
	/* Both use .addr. */
	if (req->match & SEA_INJECT_MATCH_GPA && req->match & SEA_INJECT_MATCH_HVA)
		return -EINVAL;

	err = mutex_lock_interruptible(&sea_lock);
	if (err)
		return err;
	if (req->match & SEA_INJECT_MATCH_PID)
		pid = find_get_pid(req->pid);
	if (!(req->match & SEA_INJECT_MATCH_PID) || pid)
		req->ret_pages = sea_table_disarm(req, pid);
	put_pid(pid);
	sea_table_idle();
	mutex_unlock(&sea_lock);
	return req->ret_pages ? 0 : -ENOENT;
}

/* One request: its struct in, the work, its struct out. */
#define sea_request(type, arg, fn)                                                      \
	({                                                                              \
		type __user *__arg = (type __user *)(arg);                              \
		type __req = {};                                                        \
		u32 __size;                                                             \
		int __err;                                                              \
		__err = get_user(__size, &__arg->size);                                 \
		if (!__err && __size < sizeof(__size))                                  \
			__err = -EINVAL;                                                \
		if (!__err)                                                             \
			__err = copy_struct_from_user(&__req, sizeof(__req), __arg,     \
						      __size);                          \
		if (!__err)                                                             \
			__err = fn(&__req);                                             \
		if (!__err && copy_to_user(__arg, &__req,                               \
					   min_t(size_t, __size, sizeof(__req))))       \
			__err = -EFAULT;                                                \
		__err;                                                                  \
	})

static long sea_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* The size in the request number is that of the caller's header. */
	if (_IOC_TYPE(cmd) != _IOC_TYPE(SEA_INJECT_ARM) ||
	    _IOC_DIR(cmd) != _IOC_DIR(SEA_INJECT_ARM))
		return -ENOTTY;
	switch (_IOC_NR(cmd)) {
	case _IOC_NR(SEA_INJECT_ARM):
		return sea_request(struct sea_inject_arm, arg, sea_arm);
	case _IOC_NR(SEA_INJECT_DISARM):
		return sea_request(struct sea_inject_disarm, arg, sea_disarm);
	default:
		return -ENOTTY;
	}
}

static void sea_show_page(const struct sea_page *page, void *arg)
{
	char name[SEA_SHAPE_NAME_MAX];
	struct seq_file *m = arg;

	sea_shape_name(&page->shape, SEA_NO_WALK, name, sizeof(name));
	seq_printf(m,
		   "page id=%llu pid=%d vm=%u gpa=0x%llx hva=0x%lx shape=%s state=%s hits=%llu limit=%llu esr=0x%08llx\n",
		   page->id, pid_vnr(page->vm->pid), page->vm->index,
		   (u64)page->gfn << PAGE_SHIFT, page->hva, name,
		   page->armed ? "armed" : "healed", page->hits, page->limit, page->last_esr);
}

/* Documented in sea-inject(4): scripts read it. */
static int sea_show(struct seq_file *m, void *v)
{
	int err;

	sea_table_settle();
	err = mutex_lock_interruptible(&sea_lock);
	if (err)
		return err;
	seq_printf(m, "armed %u\nhooked %d\nhits %llu\nclaimed %llu\nhealed %llu\n",
		   sea_table_armed(), sea_hook_installed(), sea_stats.hits, sea_stats.claimed,
		   sea_stats.healed);
	seq_printf(m, "guessed_levels %llu\nunlogged %llu\ndead_vms %llu\n", sea_stats.guessed,
		   sea_stats.unlogged, sea_stats.dead_vms);
	sea_table_for_each(sea_show_page, m);
	mutex_unlock(&sea_lock);
	return 0;
}

static int sea_open(struct inode *inode, struct file *file)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* The misc device leaves its own pointer there, which seq_file takes amiss. */
	file->private_data = NULL;
	return single_open(file, sea_show, NULL);
}

static const struct file_operations sea_fops = {
	.owner = THIS_MODULE,
	.open = sea_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
	.unlocked_ioctl = sea_ioctl,
};

static struct miscdevice sea_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sea_inject",
	.fops = &sea_fops,
	.mode = 0600,
};

static int __init sea_init(void)
{
	int err;

	BUILD_BUG_ON(PAGE_SHIFT != 12);
	sea_hook_init();
	err = sea_einj_init();
	if (err)
		return err;
	err = misc_register(&sea_device);
	if (err) {
		sea_einj_exit();
		/* Somebody may have been quick. */
		sea_table_exit();
		sea_hook_drain();
	}
	return err;
}

static void __exit sea_exit(void)
{
	sea_einj_exit();
	misc_deregister(&sea_device);
	sea_table_exit();
	sea_hook_drain();
}

module_init(sea_init);
module_exit(sea_exit);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The firebreak authors");
MODULE_DESCRIPTION("Make KVM guests take synchronous external aborts on chosen pages");
