/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * gmem.c - guest memory, only through range-checked copies that survive a poisoned page.
 */
#include <firebreak/gmem.h>

#include "gmem_copy.h"
#include "region.h"

#include <endian.h>
#include <errno.h>
#include <ucontext.h>

static int overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

static int wraps(uint64_t base, uint64_t len)
{
	return base + len < base;
}

int fbk_gmem_add(struct fbk_gmem *view, const struct fbk_gmem_region *r)
{
	uint64_t all;
	uint32_t i, place;

	if (!view || !r)
		return -EINVAL;
	all = r->gpa.addr | r->hva.addr | r->len;
	if (r->backing > FBK_BACKING_HUGETLB || (r->flags & ~FBK_GMEM_REPLACE))
		return -EINVAL;
	if ((all & ~FBK_PAGE_MASK) || r->len == 0 || wraps(r->gpa.addr, r->len) || wraps(r->hva.addr, r->len))
		return -EINVAL;
	for (i = 0; i < view->nr_regions; i++) {
		const struct fbk_gmem_region *o = &view->region[i];

		if (overlap(r->gpa.addr, r->len, o->gpa.addr, o->len) || overlap(r->hva.addr, r->len, o->hva.addr, o->len))
			return -EEXIST;
	}
	if (view->nr_regions == FBK_GMEM_MAX_REGIONS)
		return -ENOSPC;

	for (place = view->nr_regions; place > 0 && view->region[place - 1].gpa.addr > r->gpa.addr; place--)
		view->region[place] = view->region[place - 1];
	view->region[place] = *r;
	view->nr_regions++;
	return 0;
}

/* How many of len bytes from gpa lie in its run, and where. 0: none. */
static uint64_t span(const struct fbk_gmem *view, uint64_t gpa, uint64_t len, unsigned char **ret)
{
	const struct fbk_gmem_region *r = fbk_region_of(view, gpa);
	uint64_t offset;

	if (!r)
		return 0;
	offset = gpa - r->gpa.addr;
	*ret = fbk_region_at(r, gpa);
	return len < r->len - offset ? len : r->len - offset;
}

static int check(const struct fbk_gmem *view, uint64_t gpa, uint64_t len)
{
	unsigned char *p;
	uint64_t n;

	do {
		n = span(view, gpa, len, &p);
		if (n == 0)
			return len ? -ERANGE : 0;
		gpa += n;
		len -= n;
	} while (len);
	return 0;
}

static size_t copy(unsigned char *dst, const unsigned char *src, size_t len)
{
	size_t left = fbk_gmem_copy(dst, src, len);

	/* The fast copy stops at the chunk that holds the bad page's first byte; go on to the byte. */
	if (left)
		left = fbk_gmem_copy_bytes(dst + (len - left), src + (len - left), left);
	return len - left;
}

/* The range does not lie in one run: from each what it has of it. */
static int transfer_runs(const struct fbk_gmem *view, uint64_t gpa, unsigned char *to, const unsigned char *from, size_t len,
			 size_t *ret_done)
{
	size_t done = 0;
	int err;

	err = check(view, gpa, len);
	if (err)
		return err;
	while (done < len) {
		unsigned char *p = NULL;
		size_t n = (size_t)span(view, gpa + done, len - done, &p);
		size_t good = to ? copy(to + done, p, n) : copy(p, from + done, n);

		done += good;
		if (good < n) {
			err = -EHWPOISON;
			break;
		}
	}
	if (ret_done)
		*ret_done = done;
	return err;
}

static inline int transfer(const struct fbk_gmem *view, uint64_t gpa, unsigned char *to, const unsigned char *from,
			   size_t len, size_t *ret_done)
{
	unsigned char *p;
	size_t good;

	if (span(view, gpa, len, &p) != len || len == 0)
		return transfer_runs(view, gpa, to, from, len, ret_done);
	good = to ? copy(to, p, len) : copy(p, from, len);
	if (ret_done)
		*ret_done = good;
	return good == len ? 0 : -EHWPOISON;
}

int fbk_gmem_read(const struct fbk_gmem *view, struct fbk_gpa gpa, void *buf, size_t len, size_t *ret_done)
{
	if (!view || !buf)
		return -EINVAL;
	return transfer(view, gpa.addr, buf, NULL, len, ret_done);
}

int fbk_gmem_write(const struct fbk_gmem *view, struct fbk_gpa gpa, const void *buf, size_t len, size_t *ret_done)
{
	if (!view || !buf)
		return -EINVAL;
	return transfer(view, gpa.addr, NULL, buf, len, ret_done);
}

int fbk_gmem_ptr(const struct fbk_gmem *view, struct fbk_gpa gpa, uint64_t len, void **ret)
{
	unsigned char *p;

	if (!view || !ret)
		return -EINVAL;
	if (len == 0 || span(view, gpa.addr, len, &p) != len)
		return -ERANGE;
	*ret = p;
	return 0;
}

static int single(const struct fbk_gmem *view, struct fbk_gpa gpa, uint64_t len, void **ret)
{
	if (gpa.addr % len)
		return -EINVAL;
	return fbk_gmem_ptr(view, gpa, len, ret);
}

int fbk_gmem_load_acquire_u16(const struct fbk_gmem *view, struct fbk_gpa gpa, uint16_t *ret)
{
	uint16_t v;
	void *p;
	int err;

	if (!ret)
		return -EINVAL;
	err = single(view, gpa, sizeof(v), &p);
	if (err)
		return err;
	if (fbk_gmem_load_u16(p, &v))
		return -EHWPOISON;
	*ret = le16toh(v);
	return 0;
}

int fbk_gmem_load_acquire_u64(const struct fbk_gmem *view, struct fbk_gpa gpa, uint64_t *ret)
{
	uint64_t v;
	void *p;
	int err;

	if (!ret)
		return -EINVAL;
	err = single(view, gpa, sizeof(v), &p);
	if (err)
		return err;
	if (fbk_gmem_load_u64(p, &v))
		return -EHWPOISON;
	*ret = le64toh(v);
	return 0;
}

int fbk_gmem_store_release_u16(const struct fbk_gmem *view, struct fbk_gpa gpa, uint16_t val)
{
	void *p;
	int err = single(view, gpa, sizeof(val), &p);

	if (err)
		return err;
	return fbk_gmem_store_u16(p, htole16(val)) ? -EHWPOISON : 0;
}

int fbk_gmem_store_release_u32(const struct fbk_gmem *view, struct fbk_gpa gpa, uint32_t val)
{
	void *p;
	int err = single(view, gpa, sizeof(val), &p);

	if (err)
		return err;
	return fbk_gmem_store_u32(p, htole32(val)) ? -EHWPOISON : 0;
}

int fbk_gmem_store_release_u64(const struct fbk_gmem *view, struct fbk_gpa gpa, uint64_t val)
{
	void *p;
	int err = single(view, gpa, sizeof(val), &p);

	if (err)
		return err;
	return fbk_gmem_store_u64(p, htole64(val)) ? -EHWPOISON : 0;
}

int fbk_gmem_gpa(const struct fbk_gmem *view, struct fbk_hva hva, struct fbk_gpa *ret)
{
	uint32_t i;

	if (!view || !ret)
		return -EINVAL;
	for (i = 0; i < view->nr_regions; i++) {
		const struct fbk_gmem_region *r = &view->region[i];

		if (hva.addr - r->hva.addr < r->len) {
			ret->addr = r->gpa.addr + (hva.addr - r->hva.addr);
			return 0;
		}
	}
	return -ERANGE;
}

int fbk_gmem_sigbus(const siginfo_t *si, void *ucontext)
{
	ucontext_t *uc = ucontext;
	uintptr_t pc;

	/* Only faults of the interrupted instruction itself; BUS_MCEERR_AO and kill() may come between any two. */
	if (!si || !uc || si->si_signo != SIGBUS || si->si_code <= 0 || si->si_code == BUS_MCEERR_AO)
		return 0;
#if defined(__aarch64__)
	pc = uc->uc_mcontext.pc;
#elif defined(__x86_64__)
	pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
#endif
	if (pc < (uintptr_t)fbk_gmem_text_start || pc >= (uintptr_t)fbk_gmem_text_end)
		return 0;
#if defined(__aarch64__)
	uc->uc_mcontext.pc = (uintptr_t)fbk_gmem_fixup;
#elif defined(__x86_64__)
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)fbk_gmem_fixup;
#endif
	return 1;
}
