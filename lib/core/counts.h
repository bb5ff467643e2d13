/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * counts.h - what is counted while a vCPU waits: few additions an error, from which a snapshot makes the rest.
 *
 * Each set has one writer at a time and takes no locked instruction for that: a vCPU's own thread, or whoever holds the
 * VM's lock. Readers may come at any moment: each counter is right by itself, and a snapshot may have an error in one of
 * them and not yet in another.
 */
#ifndef FBK_CORE_COUNTS_H
#define FBK_CORE_COUNTS_H

#include <firebreak/metrics.h>

/* Powers of two: what the counters are found by is put together from an event's words by shifting. */
#define FBK_COUNTS_SOURCES 8
#define FBK_COUNTS_SEVERITIES 8
#define FBK_COUNTS_MALFORMED (FBK_COUNTS_SEVERITIES - 1) /* instead of a severity */

/* Nothing but uint64_t; what lies near is added to in fewer instructions. */
struct fbk_counts {
	struct fbk_metrics_times duration;
	uint64_t done[FBK_METRICS_METHODS * FBK_METRICS_METHODS]; /* notify, replay */
	uint64_t learnt[FBK_COUNTS_SOURCES * FBK_COUNTS_SEVERITIES * FBK_METRICS_CLASSES];
	uint64_t verdict[FBK_METRICS_VERDICTS * FBK_METRICS_REASONS];
	struct fbk_metrics_times sync;
	uint64_t file_failures;
};

/* The shortest times, of which most are: what neither a disk nor a guest was waited for. */
#define FBK_COUNTS_SHORT_NS UINT64_C(10000)

/* In which bucket a time is counted, if it is longer than that. */
uint32_t fbk_counts_bucket(uint64_t ns);

static inline void fbk_counts_add(uint64_t *c, uint64_t n)
{
	__atomic_store_n(c, __atomic_load_n(c, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

static inline void fbk_counts_time(struct fbk_metrics_times *t, uint64_t ns)
{
	fbk_counts_add(&t->bucket[ns <= FBK_COUNTS_SHORT_NS ? 0 : fbk_counts_bucket(ns)], 1);
	fbk_counts_add(&t->sum_ns, ns);
}

static inline uint32_t fbk_counts_learnt_at(uint32_t source, uint32_t severity, uint32_t kind)
{
	return (source % FBK_COUNTS_SOURCES * FBK_COUNTS_SEVERITIES + severity % FBK_COUNTS_SEVERITIES) * FBK_METRICS_CLASSES +
	       kind % FBK_METRICS_CLASSES;
}

static inline uint32_t fbk_counts_verdict_at(uint32_t action, uint32_t reason)
{
	return action * FBK_METRICS_REASONS + reason;
}

static inline uint32_t fbk_counts_done_at(uint32_t notify, uint32_t replay)
{
	return notify * FBK_METRICS_METHODS + replay;
}

/* Which of learnt[] counts such an error, whatever was done for it. */
static inline uint32_t fbk_counts_learnt(const struct fbk_event *ev)
{
	return fbk_counts_learnt_at(ev->source, ev->decode ? FBK_COUNTS_MALFORMED : ev->abort.severity, ev->abort.kind);
}

/* One error, once everything was done for it. @learnt: fbk_counts_learnt() of it. */
static inline void fbk_counts_event(struct fbk_counts *c, const struct fbk_event *ev, uint32_t learnt)
{
	fbk_counts_add(&c->learnt[learnt], 1);
	fbk_counts_add(&c->verdict[fbk_counts_verdict_at(ev->verdict.action, ev->verdict.reason)], 1);
	fbk_counts_add(&c->done[fbk_counts_done_at(ev->notify, ev->replay)], 1);
	fbk_counts_time(&c->duration, ev->duration_ns);
}

/* Beside that, where there is a ledger's file. @waits: the policy waits for the disk. */
void fbk_counts_file(struct fbk_counts *c, const struct fbk_event *ev, int waits);

/* Adds them to a snapshot. Any thread. */
void fbk_counts_read(const struct fbk_counts *c, struct fbk_metrics *ret);

/* Adds @from, which nobody writes any more, to @c. */
void fbk_counts_fold(struct fbk_counts *c, const struct fbk_counts *from);

#endif
