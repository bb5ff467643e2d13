/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * retire.c - a lost page out of reach, its frame kept.
 *
 * In this order, while other vCPUs run on:
 *
 *   1. UFFDIO_REGISTER  of the one page: between 2 and 3 nobody can fault in a page of zeros, or the file's page again
 *   2. mremap           moves the entry to the graveyard; what was mapped there stays mapped, so the frame is not freed
 *   3. UFFDIO_POISON    puts the marker where it was
 *
 * That is all that a vCPU waits for. The rest is settled by fbk_vm_pump(), when the guest has had time to deal with its error,
 * since it would hold up the guest's page faults: UFFDIO_UNREGISTER, after which nothing is left there but the marker, which
 * answers first meanwhile; and the frame is locked (neither swapped out nor scanned) and made unreadable, for core dumps and
 * children as well, of which it was no better protected when it was still under the guest's page.
 *
 * If 3 fails, the entry moves back: the guest goes on with the page as it was. If that fails too, the page stays
 * registered: whoever touches it gets an error, and nobody zeros.
 *
 * r->lock serialises all of it, so that the second of two vCPUs that lose the same page at once finds it retired. It is
 * taken before the VM's lock.
 */
#include <firebreak/retire.h>

#include "../core/ledger_road.h"
#include "clock.h"
#include "region.h"
#include "retire.h"
#include "sys.h"
#include "vm_state.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* Newer than the build machine's headers. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4 /* Linux 5.7 */
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24 /* Linux 5.18 */
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif
#define FEATURE_MINOR_SHMEM (UINT64_C(1) << 10)
#define FEATURE_POISON (UINT64_C(1) << 14) /* Linux 6.6 */
/* Who comes by in the window gets a signal, or an error, and never waits: the kernel can lose the waking of one who waits. */
#define FEATURE_SIGBUS (UINT64_C(1) << 7) /* Linux 4.14 */
#define REGISTER_MISSING (UINT64_C(1) << 0)
#define REGISTER_MINOR (UINT64_C(1) << 2)

struct uffdio_poison_arg {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};
#define POISON_IOCTL _IOWR(UFFDIO, 0x08, struct uffdio_poison_arg)

#define DEFAULT_PAGES 4096
#define MAX_PAGES (1u << 20)
#define PAGE FBK_PAGE_SIZE

#define LATER 16	/* pages that wait for the guest's acknowledgement */
#define LATER_LOOKS 100 /* how often that is looked for, with FBK_RETIRE_TEND_NS between */
#define TRIES 3	    /* how often the kernel is asked to take a frame */
#define HAND_OVER 4 /* frames at one call */
#define SETTLE 16   /* graves at one call */

#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_PFN ((UINT64_C(1) << 55) - 1)

enum grave_state { GRAVE_EMPTY, GRAVE_PINNED, GRAVE_HANDING, GRAVE_HOST, GRAVE_REFUSED };

struct grave {
	uint64_t gpa;
	uint32_t state;
	uint16_t tries;
	uint16_t watched; /* the page has its marker, and is registered still */
};

struct fbk_retire {
	uint32_t can; /* atomic */
	uint32_t flags;
	int uffd, pagemap, offline;
	int (*take)(void *opaque, const void *page); /* NULL: by pagemap and offline */
	void *take_opaque;
	int minor;
	unsigned char *yard;
	uint32_t max;

	pthread_mutex_t lock; /* below, and the guest's page tables as far as pages are retired */
	uint64_t begun;	      /* retirements */
	uint32_t nr;	      /* graves taken */
	uint32_t settled;     /* of these, from the first on: nothing is left to be done about them but the hand-over */
	uint64_t due_ns;      /* CLOCK_MONOTONIC, before which the others are left alone */
	uint32_t pinned;      /* frames that the kernel might take */
	int asked;	      /* for fbk_vm_pump(), which is still to come, or to come again; atomic as well */
	struct grave *grave;
	uint32_t nr_later;
	struct {
		uint64_t gpa;
		uint32_t looks;
	} later[LATER];
	uint32_t huge_shift[FBK_GMEM_MAX_REGIONS]; /* of hugetlb regions, their pages: as the host told, 0: it did not yet */
};

/* --- open and close ------------------------------------------------------------------------------------------------ */

static void handshake(struct fbk_retire *r)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURE_SIGBUS | FEATURE_POISON | FEATURE_MINOR_SHMEM };

	r->minor = 1;
	if (!fbk_sys_mem->ioctl(r->uffd, UFFDIO_API, &api)) {
		r->can |= FBK_RETIRE_CAN_POISON | FBK_RETIRE_CAN_LOCK;
		return;
	}
	/* A kernel that has one of them only. A refused handshake leaves the descriptor as it was. */
	api = (struct uffdio_api){ .api = UFFD_API, .features = FEATURE_SIGBUS | FEATURE_POISON };
	r->minor = 0;
	if (!fbk_sys_mem->ioctl(r->uffd, UFFDIO_API, &api))
		r->can |= FBK_RETIRE_CAN_POISON | FBK_RETIRE_CAN_LOCK;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		fbk_sys_mem->close(*fd);
	*fd = -1;
}

static void open_fds(struct fbk_retire *r)
{
	r->uffd = fbk_sys_mem->userfaultfd(O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	if (r->take)
		return;
	r->offline = fbk_sys_mem->open("/sys/devices/system/memory/hard_offline_page", O_WRONLY | O_CLOEXEC);
	if (r->offline < 0)
		return;
	r->pagemap = fbk_sys_mem->open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

int fbk_retire_open(const struct fbk_retire_config *cfg, struct fbk_retire **ret)
{
	struct fbk_retire *r;
	void *yard;

	if (!cfg || !ret || cfg->size != sizeof(*cfg) || (cfg->flags & ~(FBK_RETIRE_ALWAYS | FBK_RETIRE_FDS | FBK_RETIRE_OFFLINE)) ||
	    cfg->max_pages > MAX_PAGES || ((cfg->flags & FBK_RETIRE_OFFLINE) && !cfg->offline))
		return -EINVAL;
	r = fbk_sys->calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->flags = cfg->flags;
	r->max = cfg->max_pages ? cfg->max_pages : DEFAULT_PAGES;
	r->uffd = r->pagemap = r->offline = -1;
	if (r->flags & FBK_RETIRE_OFFLINE) {
		r->take = cfg->offline;
		r->take_opaque = cfg->offline_opaque;
	}
	r->grave = fbk_sys->calloc(r->max, sizeof(*r->grave));
	if (!r->grave)
		goto free_r;
	/* Address space only, so that the graveyard is one range and each grave a place in it. */
	yard = fbk_sys_mem->mmap(NULL, r->max * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
	if (yard == MAP_FAILED)
		goto free_grave;
	r->yard = yard;
	if (pthread_mutex_init(&r->lock, NULL))
		goto unmap;

	if (r->flags & FBK_RETIRE_FDS) {
		r->uffd = cfg->uffd;
		r->pagemap = cfg->pagemap_fd;
		r->offline = cfg->offline_fd;
	} else {
		open_fds(r);
	}
	/* On a host whose pages are larger than the guest's, a marker costs more than the guest has lost. */
	if (r->uffd >= 0 && fbk_sys_mem->page_size() == (long)PAGE)
		handshake(r);
	if ((r->take || (r->pagemap >= 0 && r->offline >= 0)) && fbk_sys_mem->page_size() == (long)PAGE)
		r->can |= FBK_RETIRE_CAN_HAND_OVER;
	*ret = r;
	return 0;

unmap:
	fbk_sys_mem->munmap(yard, r->max * PAGE);
free_grave:
	fbk_sys->free(r->grave);
free_r:
	fbk_sys->free(r);
	return -ENOMEM;
}

uint32_t fbk_retire_can(const struct fbk_retire *r)
{
	return r ? __atomic_load_n(&r->can, __ATOMIC_RELAXED) : 0;
}

/* --- one page ------------------------------------------------------------------------------------------------------- */

static unsigned char *grave_at(const struct fbk_retire *r, uint32_t i)
{
	return r->yard + i * PAGE;
}

static int uffd_register(struct fbk_retire *r, void *at, int file)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)at, PAGE },
		.mode = REGISTER_MISSING | (file && r->minor ? REGISTER_MINOR : 0),
	};

	if (!fbk_sys_mem->ioctl(r->uffd, UFFDIO_REGISTER, &reg))
		return 0;
	/* Where a page of a file was replaced at a reset, there is anonymous memory. */
	if (errno != EINVAL || reg.mode == REGISTER_MISSING)
		return -errno;
	reg.mode = REGISTER_MISSING;
	return fbk_sys_mem->ioctl(r->uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

static int uffd_unregister(struct fbk_retire *r, void *at)
{
	struct uffdio_range range = { (uintptr_t)at, PAGE };

	return fbk_sys_mem->ioctl(r->uffd, UFFDIO_UNREGISTER, &range) ? -errno : 0;
}

static int drop(void *at)
{
	if (!fbk_sys_mem->madvise(at, PAGE, MADV_DONTNEED_LOCKED))
		return 0;
	if (errno != EINVAL)
		return -errno;
	return fbk_sys_mem->madvise(at, PAGE, MADV_DONTNEED) ? -errno : 0;
}

static int mark(struct fbk_retire *r, void *at, int file)
{
	struct uffdio_poison_arg arg;
	int tries, err = -EEXIST;

	for (tries = 0; tries < 8 && err == -EEXIST; tries++) {
		arg = (struct uffdio_poison_arg){ .range = { (uintptr_t)at, PAGE } };
		err = fbk_sys_mem->ioctl(r->uffd, POISON_IOCTL, &arg) ? -errno : 0;
		/* The file's page came back, which costs nothing: it is the file that holds the frame. */
		if (err == -EEXIST && (!file || drop(at)))
			break;
	}
	return err;
}

static int move(void *from, void *to)
{
	return fbk_sys_mem->mremap(from, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) == MAP_FAILED ? -errno : 0;
}

/* What can be done is done, whatever of it fails. */
static void protect(struct fbk_retire *r, void *grave)
{
	int refused;

	/*
	 * Locked: what is written to swap, merged or looked through for zeros is read. It also is mapped now, should it be a
	 * file's page that mremap left out. Locking is limited without privilege, and then the other three hold.
	 */
	refused = fbk_sys_mem->mlock(grave, PAGE);
	refused |= fbk_sys_mem->mprotect(grave, PAGE, PROT_NONE);
	refused |= fbk_sys_mem->madvise(grave, PAGE, MADV_DONTDUMP);
	refused |= fbk_sys_mem->madvise(grave, PAGE, MADV_DONTFORK);
	if (refused)
		__atomic_fetch_and(&r->can, ~FBK_RETIRE_CAN_LOCK, __ATOMIC_RELAXED);
}

/* The grave that move() filled is taken. @watched: and the marker is set, where a registration is left. */
static void bury(struct fbk_retire *r, uint64_t gpa, int watched)
{
	r->grave[r->nr] = (struct grave){ .gpa = gpa, .state = GRAVE_PINNED, .watched = (uint16_t)watched };
	__atomic_store_n(&r->nr, r->nr + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&r->pinned, r->pinned + 1, __ATOMIC_RELAXED);
}

/* What is left to be done about the next grave. With the lock held; @yield: for as short as can be, since a vCPU may want it. */
static void settle_one(struct fbk_vm *vm, int yield)
{
	struct fbk_retire *r = vm->retire;
	uint32_t i = r->settled;
	struct grave *g = &r->grave[i];
	const struct fbk_gmem_region *region = fbk_region_of(vm->gmem, g->gpa);

	/* A registration that stays harms nobody: the marker answers first. */
	if (g->watched && region)
		(void)uffd_unregister(r, fbk_region_at(region, g->gpa));
	g->watched = 0;
	if (yield)
		pthread_mutex_unlock(&r->lock);
	protect(r, grave_at(r, i));
	if (yield)
		pthread_mutex_lock(&r->lock);
	/* Another thread may have been here meanwhile; once more does no harm. */
	if (r->settled == i)
		__atomic_store_n(&r->settled, i + 1, __ATOMIC_RELAXED);
}

static void settle_all(struct fbk_vm *vm)
{
	while (vm->retire->settled < vm->retire->nr)
		settle_one(vm, 0);
}

void fbk_retire_close(struct fbk_retire *r)
{
	if (!r)
		return;
	/* What is registered still ends with the descriptor. */
	for (; r->settled < r->nr; r->settled++)
		protect(r, grave_at(r, r->settled));
	if (!(r->flags & FBK_RETIRE_FDS)) {
		close_fd(&r->uffd);
		close_fd(&r->pagemap);
		close_fd(&r->offline);
	}
	if (!r->nr)
		fbk_sys_mem->munmap(r->yard, r->max * PAGE);
	pthread_mutex_destroy(&r->lock);
	fbk_sys->free(r->grave);
	fbk_sys->free(r);
}

/* Called with the lock held. *ret_frame: PINNED also if the page could not be marked, and not be put back. */
static enum fbk_retired take(struct fbk_retire *r, uint64_t gpa, void *at, int file, int32_t *ret_err, enum fbk_frame *ret_frame)
{
	unsigned char *grave = grave_at(r, r->nr);
	int err;

	r->begun++;
	err = uffd_register(r, at, file);
	if (err) {
		*ret_err = err;
		return FBK_RETIRED_FAILED;
	}
	err = move(at, grave);
	if (err) {
		/* The page is there, so that a registration that stays harms nobody. */
		(void)uffd_unregister(r, at);
		*ret_err = err;
		return FBK_RETIRED_FAILED;
	}
	err = mark(r, at, file);
	if (err) {
		*ret_err = err;
		if (!move(grave, at))
			return FBK_RETIRED_FAILED;
		bury(r, gpa, 0);
		*ret_frame = FBK_FRAME_PINNED;
		return FBK_RETIRED_FAILED;
	}
	*ret_frame = FBK_FRAME_PINNED;
	bury(r, gpa, 1);
	return FBK_RETIRED_DONE;
}

/* --- the road -------------------------------------------------------------------------------------------------------- */

/* @state: 0: as it is. */
static void set(struct fbk_vm *vm, uint64_t gpa, uint32_t state, enum fbk_frame frame)
{
	int err = 0;

	fbk_lock_take(&vm->lock);
	if (state)
		err = fbk_ledger_set_state(&vm->ledger, (struct fbk_gpa){ gpa }, (enum fbk_page_state)state);
	/* The page is in the ledger: none is ever taken out of it. */
	if (!err)
		err = fbk_ledger_set_frame(&vm->ledger, (struct fbk_gpa){ gpa }, frame);
	fbk_lock_release(&vm->lock);
}

/* The host told of them, so that it has their frames; but for those that show our own marker. */
static void taken_by_host(struct fbk_vm *vm, const struct fbk_span *span)
{
	const struct fbk_gmem_region *region = fbk_region_of(vm->gmem, span->page);
	struct fbk_ledger_entry e;
	uint32_t i, *shift;

	if (region && region->backing == FBK_BACKING_HUGETLB) {
		/* Where stage 2 cannot map them whole, KVM tells of less. */
		shift = &vm->retire->huge_shift[region - vm->gmem->region];
		if (*shift < span->shift)
			*shift = span->shift;
	}
	for (; span; span = span->next) {
		for (i = 0; i < span->nr_pages; i++) {
			struct fbk_gpa gpa = { span->page + i * PAGE };

			if (!fbk_ledger_lookup(&vm->ledger, gpa, &e) && e.state != FBK_PAGE_ISOLATED)
				set(vm, gpa.addr, FBK_PAGE_ISOLATED, FBK_FRAME_HOST);
		}
	}
}

/* What came of a page that was to be retired. */
struct outcome {
	enum fbk_retired retire;
	int32_t err;
	enum fbk_frame frame;
};

static struct outcome retire_page(struct fbk_vm *vm, uint64_t gpa, uint64_t mono_ns)
{
	struct fbk_retire *r = vm->retire;
	const struct fbk_gmem_region *region = fbk_region_of(vm->gmem, gpa);
	struct outcome o = { .retire = FBK_RETIRED_UNAVAILABLE };

	if (!(r->can & FBK_RETIRE_CAN_POISON) || !region || region->backing == FBK_BACKING_UNKNOWN) {
		o.err = -EOPNOTSUPP;
	} else if (r->nr == r->max) {
		o.err = -ENOSPC;
	} else {
		if (r->settled == r->nr)
			r->due_ns = mono_ns + FBK_RETIRE_TEND_NS;
		o.retire = take(r, gpa, fbk_region_at(region, gpa), region->backing == FBK_BACKING_FILE, &o.err, &o.frame);
		if (o.frame != FBK_FRAME_UNKNOWN)
			set(vm, gpa, o.retire == FBK_RETIRED_DONE ? FBK_PAGE_ISOLATED : 0, o.frame);
	}
	return o;
}

/* When it has acknowledged the record, the guest will not use the page any more. Return: whether there is room to wait. */
static int wait_for_guest(struct fbk_retire *r, uint64_t gpa)
{
	uint32_t i;

	for (i = 0; i < r->nr_later; i++)
		if (r->later[i].gpa == gpa)
			return 1;
	if (r->nr_later == LATER)
		return 0;
	r->later[r->nr_later].gpa = gpa;
	r->later[r->nr_later].looks = 0;
	__atomic_store_n(&r->nr_later, r->nr_later + 1, __ATOMIC_RELAXED);
	return 1;
}

/* One page that the guest consumed, and that nobody else has dealt with. */
static struct outcome consumed(struct fbk_vm *vm, const struct fbk_event *ev, uint64_t gpa)
{
	struct fbk_retire *r = vm->retire;
	const struct fbk_gmem_region *region = fbk_region_of(vm->gmem, gpa);
	struct outcome left = { .retire = FBK_RETIRED_LEFT };

	if (region && region->backing == FBK_BACKING_HUGETLB)
		return left;
	if (!(r->flags & FBK_RETIRE_ALWAYS)) {
		if (!vm->has_ghes || ev->el != 0)
			return left;
		if (!__atomic_load_n(&vm->listens, __ATOMIC_RELAXED) && (r->can & FBK_RETIRE_CAN_POISON)) {
			if (wait_for_guest(r, gpa))
				left.retire = FBK_RETIRED_LATER;
			return left;
		}
	}
	return retire_page(vm, gpa, ev->mono_ns);
}

void fbk_retire_step(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_span *span)
{
	struct fbk_gpa gpa = { ev->abort.gpa.addr & FBK_PAGE_MASK };
	struct fbk_ledger_entry e;
	struct outcome o;
	uint32_t graves;
	int ask;

	if (!vm->retire || !span->nr_pages || ev->verdict.action == FBK_VERDICT_STOP)
		return;
	pthread_mutex_lock(&vm->retire->lock);
	if (fbk_ledger_lookup(&vm->ledger, gpa, &e)) {
		/* What is not in the ledger would not be found again to be healed. */
		pthread_mutex_unlock(&vm->retire->lock);
		ev->retire = FBK_RETIRED_UNAVAILABLE;
		ev->retire_err = -ENOSPC;
		return;
	}
	graves = vm->retire->nr;
	if (e.state == FBK_PAGE_ISOLATED)
		o = (struct outcome){ FBK_RETIRED_ALREADY, 0, e.frame };
	else if (ev->source != FBK_SOURCE_SEA)
		o = (struct outcome){ FBK_RETIRED_HOST, 0, FBK_FRAME_HOST };
	else
		o = consumed(vm, ev, gpa.addr);
	ev->retire = o.retire;
	ev->retire_err = o.err;
	ev->frame = o.frame;
	if (ev->source != FBK_SOURCE_SEA)
		taken_by_host(vm, span);
	ask = (o.retire == FBK_RETIRED_LATER || vm->retire->nr != graves) && !vm->retire->asked;
	/* Nobody else would. */
	if (!vm->ops->want_pump)
		settle_all(vm);
	else if (ask)
		__atomic_store_n(&vm->retire->asked, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&vm->retire->lock);
	if (ask && vm->ops->want_pump)
		vm->ops->want_pump(vm->opaque);
}

int fbk_retire_raced(struct fbk_vcpu *vcpu)
{
	struct fbk_retire *r = vcpu->vm->retire;
	uint64_t begun;

	if (!r)
		return 0;
	pthread_mutex_lock(&r->lock);
	begun = r->begun;
	pthread_mutex_unlock(&r->lock);
	if (begun == vcpu->retire_seen)
		return 0;
	vcpu->retire_seen = begun;
	return 1;
}

/* --- off the road ----------------------------------------------------------------------------------------------------- */

/* The grave of the frame that was under the page last; r->nr: there is none. */
static uint32_t grave_of(const struct fbk_retire *r, uint64_t gpa)
{
	uint32_t i;

	for (i = r->nr; i > 0; i--)
		if (r->grave[i - 1].gpa == gpa)
			return i - 1;
	return r->nr;
}

/* With the lock held: the host has the frame of grave i. */
static void host_has(struct fbk_vm *vm, uint32_t i)
{
	struct fbk_retire *r = vm->retire;
	struct grave *g = &r->grave[i];

	if (g->state == GRAVE_PINNED)
		__atomic_store_n(&r->pinned, r->pinned - 1, __ATOMIC_RELAXED);
	g->state = GRAVE_HOST;
	/* The ledger tells of the page's latest frame. */
	if (grave_of(r, g->gpa) != i)
		return;
	set(vm, g->gpa, 0, FBK_FRAME_HOST);
	fbk_ledger_file_note(vm->ledger_file, (struct fbk_gpa){ g->gpa });
}

int fbk_retire_sigbus(struct fbk_vm *vm, const siginfo_t *si)
{
	struct fbk_hva hva = { (uintptr_t)si->si_addr };
	struct fbk_retire *r = vm->retire;
	struct fbk_ledger_entry e;
	uint64_t offset;
	struct fbk_gpa gpa;
	uint32_t i;
	int ours;

	if (!r || si->si_signo != SIGBUS || (si->si_code != BUS_MCEERR_AR && si->si_code != BUS_MCEERR_AO))
		return 0;
	offset = hva.addr - (uintptr_t)r->yard;
	ours = offset < r->max * PAGE;
	if (!ours && si->si_code != BUS_MCEERR_AO)
		return 0;
	pthread_mutex_lock(&r->lock);
	i = ours ? (uint32_t)(offset / PAGE) : r->nr;
	/* Of a file's page the kernel tells under every address at which the file is mapped, whether or not the page is. */
	if (!ours && !fbk_gmem_gpa(vm->gmem, hva, &gpa) && !fbk_ledger_lookup(&vm->ledger, gpa, &e) &&
	    e.state == FBK_PAGE_ISOLATED) {
		i = grave_of(r, e.gpa.addr);
		ours = i < r->nr;
	}
	if (i < r->nr)
		host_has(vm, i);
	pthread_mutex_unlock(&r->lock);
	return ours;
}

/*
 * Hard offline and not MADV_HWPOISON: that one sends the signal to its caller, as if it had touched the page, whatever that
 * thread is doing. Errors: -errno; -ENODATA the frame's number is not to be had.
 */
static int offline(struct fbk_retire *r, const unsigned char *at)
{
	uint64_t entry = 0, addr;
	char text[2 + 16 + 1];
	int n = 0, shift;

	if (r->take)
		return r->take(r->take_opaque, at);
	if (fbk_sys_mem->pread(r->pagemap, &entry, sizeof(entry), (off_t)((uintptr_t)at / PAGE * sizeof(entry))) != sizeof(entry))
		return -EIO;
	addr = (entry & PAGEMAP_PFN) * PAGE;
	if (!(entry & PAGEMAP_PRESENT) || !addr)
		return -ENODATA;
	text[n++] = '0';
	text[n++] = 'x';
	for (shift = 60; shift >= 0; shift -= 4)
		text[n++] = "0123456789abcdef"[addr >> shift & 15];
	return fbk_sys_mem->write(r->offline, text, (size_t)n) < 0 ? -errno : 0;
}

/* With the lock held: pages whose record the guest has acknowledged meanwhile. */
static void retire_late(struct fbk_vm *vm, uint64_t mono_ns)
{
	struct fbk_retire *r = vm->retire;
	struct fbk_ledger_entry e;
	uint32_t i, kept = 0;

	for (i = 0; i < r->nr_later; i++) {
		struct fbk_gpa gpa = { r->later[i].gpa };

		if (fbk_ledger_lookup(&vm->ledger, gpa, &e) || e.state == FBK_PAGE_ISOLATED || e.state == FBK_PAGE_HEALED)
			continue;
		if (!fbk_ledger_untold(&vm->ledger, gpa.addr)) {
			(void)retire_page(vm, gpa.addr, mono_ns);
			fbk_ledger_file_note(vm->ledger_file, gpa);
		} else if (++r->later[i].looks < LATER_LOOKS) {
			r->later[kept++] = r->later[i];
		}
	}
	__atomic_store_n(&r->nr_later, kept, __ATOMIC_RELAXED);
}

/* Is there anything to do off the road? */
static int busy(const struct fbk_retire *r)
{
	return __atomic_load_n(&r->nr_later, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&r->settled, __ATOMIC_RELAXED) < __atomic_load_n(&r->nr, __ATOMIC_RELAXED) ||
	       ((fbk_retire_can(r) & FBK_RETIRE_CAN_HAND_OVER) && __atomic_load_n(&r->pinned, __ATOMIC_RELAXED));
}

int fbk_retire_tend(struct fbk_vm *vm, int comes_again)
{
	struct fbk_retire *r = vm->retire;
	uint32_t i, done = 0;
	uint64_t mono_ns;
	int err, more;

	if (!r || (!busy(r) && !__atomic_load_n(&r->asked, __ATOMIC_RELAXED)))
		return 0;
	mono_ns = fbk_clock_ns(CLOCK_MONOTONIC);
	pthread_mutex_lock(&r->lock);
	retire_late(vm, mono_ns);
	for (i = 0; i < SETTLE && r->settled < r->nr && mono_ns >= r->due_ns; i++)
		settle_one(vm, 1);
	for (i = 0; i < r->settled && done < HAND_OVER && (r->can & FBK_RETIRE_CAN_HAND_OVER); i++) {
		struct grave *g = &r->grave[i];

		if (g->state != GRAVE_PINNED)
			continue;
		done++;
		g->tries++;
		g->state = GRAVE_HANDING;
		/* The kernel may take its time: no vCPU waits for that. */
		pthread_mutex_unlock(&r->lock);
		err = offline(r, grave_at(r, i));
		pthread_mutex_lock(&r->lock);
		/* The kernel's signal may have been there already. */
		if (g->state == GRAVE_HANDING)
			g->state = GRAVE_PINNED;
		else
			__atomic_store_n(&r->pinned, r->pinned - 1, __ATOMIC_RELAXED);
		if (g->state != GRAVE_PINNED)
			continue;
		if (!err) {
			host_has(vm, i);
		} else if (err == -EPERM) {
			__atomic_fetch_and(&r->can, ~FBK_RETIRE_CAN_HAND_OVER, __ATOMIC_RELAXED);
		} else if (g->tries == TRIES) {
			g->state = GRAVE_REFUSED;
			__atomic_store_n(&r->pinned, r->pinned - 1, __ATOMIC_RELAXED);
		}
	}
	more = busy(r);
	__atomic_store_n(&r->asked, more && comes_again, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&r->lock);
	return more;
}

/* With the lock held. The page is mapped, and nobody knows whether its frame reads right: keep it, take another. */
static int replace(struct fbk_retire *r, uint64_t gpa, void *at)
{
	int err;

	if (r->nr == r->max)
		return -ENOSPC;
	err = move(at, grave_at(r, r->nr));
	if (!err)
		bury(r, gpa, 0);
	return err;
}

static int is_bad(struct fbk_vm *vm, uint64_t gpa, struct fbk_ledger_entry *e)
{
	return !fbk_ledger_lookup(&vm->ledger, (struct fbk_gpa){ gpa }, e) && e->state != FBK_PAGE_HEALED;
}

/*
 * The fresh huge page is there before the old one goes: a pool may have none, or count one as free that the kernel found bad
 * and gives to nobody. A size that is too small for what is mapped there is refused as a whole.
 */
static int replace_huge(void *at, size_t len, uint32_t shift)
{
	void *fresh = fbk_sys_mem->mmap(NULL, len, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (int)(shift << MAP_HUGE_SHIFT));
	int err;

	if (fresh == MAP_FAILED)
		return -errno;
	if (!fbk_sys_mem->madvise(fresh, len, MADV_POPULATE_WRITE) &&
	    fbk_sys_mem->mremap(fresh, len, MREMAP_MAYMOVE | MREMAP_FIXED, at) != MAP_FAILED)
		return 0;
	err = -errno;
	fbk_sys_mem->munmap(fresh, len);
	return err;
}

/*
 * With the lock held: the huge page around the page, with all of its lost pages. Only one that the host has found bad: any
 * other would go back to its pool with the bad frame in it.
 */
static int heal_huge(struct fbk_vm *vm, const struct fbk_gmem_region *region, uint64_t gpa)
{
	uint32_t shift = vm->retire->huge_shift[region - vm->gmem->region];
	uint64_t len = UINT64_C(1) << shift, hva = (uintptr_t)fbk_region_at(region, gpa) & ~(len - 1), first, page;
	struct fbk_ledger_entry e;
	int err;

	if (!shift || !(region->flags & FBK_GMEM_REPLACE) || hva < region->hva.addr || hva - region->hva.addr + len > region->len)
		return -EOPNOTSUPP;
	first = region->gpa.addr + (hva - region->hva.addr);
	for (page = first; page < first + len; page += PAGE) {
		if (!is_bad(vm, page, &e))
			continue;
		/* All of them are dealt with when the first one's turn comes. */
		if (page < gpa)
			return -EAGAIN;
		if (e.frame != FBK_FRAME_HOST)
			return -EOPNOTSUPP;
	}
	err = replace_huge((void *)(uintptr_t)hva, (size_t)len, shift);
	if (err)
		return err;
	for (page = gpa + PAGE; page < first + len; page += PAGE) {
		if (!is_bad(vm, page, &e))
			continue;
		set(vm, page, FBK_PAGE_HEALED, FBK_FRAME_HOST);
		fbk_ledger_file_note(vm->ledger_file, e.gpa);
	}
	return 0;
}

/* With the lock held. Errors: it stays as it is. */
static int heal(struct fbk_vm *vm, struct fbk_ledger_entry *e)
{
	struct fbk_retire *r = vm->retire;
	const struct fbk_gmem_region *region = fbk_region_of(vm->gmem, e->gpa.addr);
	void *at;
	int err = 0;

	if (!region || region->backing == FBK_BACKING_UNKNOWN)
		return -EOPNOTSUPP;
	if (region->backing == FBK_BACKING_HUGETLB)
		return heal_huge(vm, region, e->gpa.addr);
	if (region->backing == FBK_BACKING_FILE && !(region->flags & FBK_GMEM_REPLACE))
		return -EOPNOTSUPP;
	at = fbk_region_at(region, e->gpa.addr);
	if (e->frame == FBK_FRAME_UNKNOWN) {
		err = replace(r, e->gpa.addr, at);
		if (err)
			return err;
		/* Where it was there is a fresh page now. */
		e->frame = FBK_FRAME_PINNED;
	} else if (region->backing == FBK_BACKING_ANON) {
		err = drop(at);
	}
	if (region->backing == FBK_BACKING_FILE)
		return fbk_sys_mem->mmap(at, PAGE, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED) == MAP_FAILED ? -errno : 0;
	/* One that failed half-way may be registered still, and would hold up whoever touches it. */
	if (!err && (r->can & FBK_RETIRE_CAN_POISON))
		err = uffd_unregister(r, at);
	return err;
}

uint32_t fbk_retire_heal(struct fbk_vm *vm)
{
	struct fbk_ledger_entry e;
	uint32_t cursor = 0, kept = 0;
	enum fbk_frame before;
	int err;

	pthread_mutex_lock(&vm->retire->lock);
	vm->retire->nr_later = 0;
	settle_all(vm);
	while (fbk_ledger_next(&vm->ledger, &cursor, &e) == 0) {
		if (e.state == FBK_PAGE_HEALED)
			continue;
		before = e.frame;
		err = heal(vm, &e);
		if (!err || e.frame != before) {
			set(vm, e.gpa.addr, err ? 0 : FBK_PAGE_HEALED, e.frame);
			fbk_ledger_file_note(vm->ledger_file, e.gpa);
		}
	}
	/* Afterwards: with one page others may have been healed. */
	for (cursor = 0; fbk_ledger_next(&vm->ledger, &cursor, &e) == 0;)
		kept += e.state != FBK_PAGE_HEALED;
	settle_all(vm);
	pthread_mutex_unlock(&vm->retire->lock);
	return kept;
}
