/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* virtqueue.c - see virtqueue.h */
#include "virtqueue.h"
#include "bytes.h"

#define DESC_LEN 16
#define AVAIL_RING 4 /* behind flags and idx */
#define USED_RING 4
#define USED_LEN 8

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };
enum { AVAIL_NO_INTERRUPT = 1 };

static bool in_ram(const struct fbk_gmem *gmem, struct fbk_gpa gpa, uint64_t len, unsigned int align)
{
	void *p;

	return gpa.addr % align == 0 && !fbk_gmem_ptr(gmem, gpa, len, &p);
}

bool fbk_virtq_valid(const struct fbk_virtq *q, const struct fbk_gmem *gmem)
{
	if (!q->num || q->num > FBK_VIRTQ_MAX || (q->num & (q->num - 1)))
		return false;
	/* [VIRTIO 2.7.6, 2.7.8]: used_event and avail_event follow the rings where they are in use. */
	return in_ram(gmem, q->desc, (uint64_t)DESC_LEN * q->num, 16) &&
	       in_ram(gmem, q->avail, AVAIL_RING + 2 * (uint64_t)q->num + (q->event_idx ? 2 : 0), 2) &&
	       in_ram(gmem, q->used, USED_RING + USED_LEN * (uint64_t)q->num + (q->event_idx ? 2 : 0), 4);
}

static struct fbk_gpa at(struct fbk_gpa base, uint64_t offset)
{
	return (struct fbk_gpa){ base.addr + offset };
}

/* A copy of ring memory, which tells where it met poison. */
static int copy_in(const struct fbk_gmem *gmem, struct fbk_gpa gpa, void *buf, size_t len, struct fbk_gpa *ret_poison)
{
	size_t done = 0;
	int r = fbk_gmem_read(gmem, gpa, buf, len, &done);

	if (r == -EHWPOISON)
		*ret_poison = at(gpa, done);
	return r;
}

struct desc {
	struct fbk_gpa gpa;
	uint32_t len;
	uint16_t flags, next;
};

static int read_desc(const struct fbk_gmem *gmem, struct fbk_gpa table, uint32_t index, struct desc *ret,
		     struct fbk_gpa *ret_poison)
{
	uint8_t raw[DESC_LEN];
	int r = copy_in(gmem, at(table, (uint64_t)DESC_LEN * index), raw, sizeof(raw), ret_poison);

	if (r < 0)
		return r;
	ret->gpa.addr = fbk_get_le(raw, 8);
	ret->len = fbk_get_le(raw + 8, 4);
	ret->flags = fbk_get_le(raw + 12, 2);
	ret->next = fbk_get_le(raw + 14, 2);
	return 0;
}

static int add_seg(struct fbk_virtq_chain *c, const struct desc *d)
{
	bool writable = d->flags & DESC_WRITE;

	if (c->nr_segs == FBK_VIRTQ_MAX)
		return -EBADMSG; /* longer than any queue: a loop */
	if (!writable && c->nr_segs != c->nr_readable)
		return -EBADMSG; /* [VIRTIO 2.7.4.2]: readable ones come first */
	c->seg[c->nr_segs++] = (struct fbk_virtq_seg){ d->gpa, d->len };
	if (!writable)
		c->nr_readable++;
	return 0;
}

/* Follow one table from @index on, until a descriptor without a next, or with an indirect table in @ret_indirect. */
static int walk(const struct fbk_gmem *gmem, struct fbk_gpa table, uint32_t nr, uint32_t index, bool may_indirect,
		struct fbk_virtq_chain *c, struct desc *ret_indirect, struct fbk_gpa *ret_poison)
{
	struct desc d;
	int r;

	for (uint32_t steps = 0; steps < nr; steps++) {
		if (index >= nr)
			return -EBADMSG;
		r = read_desc(gmem, table, index, &d, ret_poison);
		if (r < 0)
			return r;
		if (d.flags & DESC_INDIRECT) {
			if (!may_indirect || (d.flags & DESC_NEXT))
				return -EBADMSG;
			*ret_indirect = d;
			return 1;
		}
		r = add_seg(c, &d);
		if (r < 0)
			return r;
		if (!(d.flags & DESC_NEXT))
			return 0;
		index = d.next;
	}
	return -EBADMSG;
}

static int load_idx(const struct fbk_virtq *q, const struct fbk_gmem *gmem, uint16_t *ret, struct fbk_gpa *ret_poison)
{
	int r = fbk_gmem_load_acquire_u16(gmem, at(q->avail, 2), ret);

	if (r == -EHWPOISON)
		*ret_poison = q->avail;
	return r;
}

static int store_u16(const struct fbk_gmem *gmem, struct fbk_gpa gpa, uint16_t val, struct fbk_gpa *ret_poison)
{
	int r = fbk_gmem_store_release_u16(gmem, gpa, val);

	if (r == -EHWPOISON)
		*ret_poison = gpa;
	return r;
}

int fbk_virtq_pop(struct fbk_virtq *q, const struct fbk_gmem *gmem, struct fbk_virtq_chain *ret,
		  struct fbk_gpa *ret_poison)
{
	struct desc indirect;
	uint16_t idx;
	uint8_t raw[2];
	int r;

	r = load_idx(q, gmem, &idx, ret_poison);
	if (!r && idx == q->next_avail && q->event_idx) {
		r = store_u16(gmem, at(q->used, USED_RING + USED_LEN * q->num), q->next_avail, ret_poison);
		if (r < 0)
			return r;
		/* What was added before the driver could see the wish came without a notification [VIRTIO 2.7.10]. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		r = load_idx(q, gmem, &idx, ret_poison);
	}
	if (r < 0)
		return r;
	if (idx == q->next_avail)
		return 0;
	if ((uint16_t)(idx - q->next_avail) > q->num)
		return -EBADMSG; /* more available than the ring holds */
	r = copy_in(gmem, at(q->avail, AVAIL_RING + 2 * (q->next_avail % q->num)), raw, sizeof(raw), ret_poison);
	if (r < 0)
		return r;

	ret->head = fbk_get_le(raw, 2);
	ret->nr_readable = 0;
	ret->nr_segs = 0;
	r = walk(gmem, q->desc, q->num, ret->head, true, ret, &indirect, ret_poison);
	if (r == 1) {
		/* [VIRTIO 2.7.5.3] */
		if (!indirect.len || indirect.len % DESC_LEN || indirect.len / DESC_LEN > FBK_VIRTQ_MAX)
			return -EBADMSG;
		r = walk(gmem, indirect.gpa, indirect.len / DESC_LEN, 0, false, ret, NULL, ret_poison);
	}
	if (r < 0)
		return r;
	q->next_avail++;
	return 1;
}

int fbk_virtq_push(struct fbk_virtq *q, const struct fbk_gmem *gmem, uint16_t head, uint32_t len,
		   struct fbk_gpa *ret_poison)
{
	struct fbk_gpa entry = at(q->used, USED_RING + USED_LEN * (q->next_used % q->num));
	uint8_t raw[USED_LEN];
	struct fbk_bytes b;
	size_t done = 0;
	int r;

	fbk_bytes_init(&b, raw, sizeof(raw));
	fbk_put_u32(&b, head);
	fbk_put_u32(&b, len);
	r = fbk_gmem_write(gmem, entry, raw, sizeof(raw), &done);
	if (r == -EHWPOISON)
		*ret_poison = at(entry, done);
	if (r < 0)
		return r;
	q->next_used++;
	return store_u16(gmem, at(q->used, 2), q->next_used, ret_poison);
}

bool fbk_virtq_wants_irq(struct fbk_virtq *q, const struct fbk_gmem *gmem)
{
	uint16_t flags, event, decided = q->decided_used;

	if (q->next_used == decided)
		return false;
	/* The used index must be visible before the driver's wish is read [VIRTIO 2.7.7.1]. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	q->decided_used = q->next_used;
	if (!q->event_idx)
		return fbk_gmem_load_acquire_u16(gmem, q->avail, &flags) < 0 || !(flags & AVAIL_NO_INTERRUPT);
	if (fbk_gmem_load_acquire_u16(gmem, at(q->avail, AVAIL_RING + 2 * (uint64_t)q->num), &event) < 0)
		return true;
	/* [VIRTIO 2.7.7.2]: was the entry with index @event among those pushed since? */
	return (uint16_t)(q->next_used - event - 1) < (uint16_t)(q->next_used - decided);
}
