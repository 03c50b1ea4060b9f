/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/analysis_parts.h"

/* A run of bad slots and what surrounds it. */
struct dip {
    size_t first, last; /* bad slots */
    size_t before;      /* the last good slot before it, or n: none */
    size_t after;       /* the first good slot behind it, or n: none */
};

static bool gap_between(const struct slot_range *r, size_t from, size_t to)
{
    for (size_t i = from; i < to && i < r->n; i++)
        if (r->slots[i].state == SLOT_GAP || (i > from && r->slots[i].missing != 0))
            return true;
    return to < r->n && to > from && r->slots[to].missing != 0;
}

static size_t find_state(const struct slot_range *r, size_t at, enum slot_state state)
{
    while (at < r->n && r->slots[at].state != state)
        at++;
    return at;
}

/*
 * The last good slot that had its answer when the first bad one was sent. One that was still under
 * way proves less: it may have been lost in the outage, sent again by TCP, and answered behind it.
 */
static size_t find_good_before(const struct slot_range *r, size_t at)
{
    for (size_t i = at; i-- > 0;)
        if (r->slots[i].state == SLOT_GOOD && r->slots[i].done <= r->slots[at].upper)
            return i;
    return r->n;
}

static bool dip_next(const struct slot_range *r, size_t at, struct dip *ret)
{
    ret->first = find_state(r, at, SLOT_BAD);
    if (ret->first == r->n)
        return false;
    ret->before = find_good_before(r, ret->first);
    ret->last = ret->first;
    /* A bad slot that went out late may have been sent after good ones of higher number: only what
     * was sent behind it speaks of recovery. */
    for (ret->after = ret->first; ret->after < r->n; ret->after++) {
        const struct slot *s = &r->slots[ret->after];
        if (s->state == SLOT_BAD)
            ret->last = ret->after;
        else if (s->state == SLOT_GOOD && s->lower > r->slots[ret->last].lower)
            break;
    }
    return true;
}

/* Is the streak that begins at good slot `from` long enough? *ret_done: its earliest completion. */
static bool streak_holds(const struct slot_range *r, size_t from, int64_t *ret_done)
{
    int64_t done = SPAN_OPEN;
    for (size_t i = from; i < r->n && r->slots[i].state != SLOT_BAD; i++) {
        const struct slot *s = &r->slots[i];
        if (s->state != SLOT_GOOD)
            continue;
        done = s->done < done ? s->done : done;
        /* By slots, not by their jittered times: n slots cover n intervals. */
        int64_t covered = (int64_t)(s->number - r->slots[from].number + 1) * r->every;
        if (covered >= r->stable_for) {
            *ret_done = done;
            return true;
        }
    }
    return false;
}

static void add(int64_t *sum, int64_t from, int64_t to)
{
    if (to > from && __builtin_add_overflow(*sum, to - from, sum))
        *sum = SPAN_OPEN;
}

static void dip_add(const struct slot_range *r, const struct dip *d, int64_t before,
                    struct analysis_outage *o)
{
    int64_t lo = d->before < r->n ? r->slots[d->before].lower : before;
    o->dips++;
    for (size_t i = d->first; i <= d->last; i++)
        o->bad_slots += r->slots[i].state == SLOT_BAD;
    add(&o->bad_ns.lo, r->slots[d->first].upper, r->slots[d->last].lower);
    if (d->after < r->n && o->bad_ns.hi != SPAN_OPEN)
        add(&o->bad_ns.hi, lo, r->slots[d->after].done);
    else
        o->bad_ns.hi = SPAN_OPEN;
}

bool analysis_outage_next(const struct slot_range *range, size_t *at, int64_t before,
                          struct analysis_outage *ret)
{
    struct dip d;
    if (!dip_next(range, *at, &d))
        return false;
    const struct slot *slots = range->slots;
    *ret = (struct analysis_outage){.first_recovery_ns = SPAN_OPEN,
                                    .first_result = slots[d.first].result,
                                    .faults = "",
                                    .automatic = true,
                                    .wave = -1};
    ret->onset.lo = d.before < range->n ? slots[d.before].lower : before;
    ret->onset.hi = slots[d.first].upper;
    ret->gap_at_edge =
        slots[d.first].stalled || d.before == range->n || gap_between(range, d.before, d.first);
    if (d.after < range->n)
        ret->first_recovery_ns = slots[d.after].done;
    for (;;) {
        dip_add(range, &d, before, ret);
        ret->recovery = (struct span){slots[d.last].lower, SPAN_OPEN};
        *at = d.after;
        if (d.after == range->n)
            break;
        if (streak_holds(range, d.after, &ret->recovery.hi)) {
            ret->recovered = true;
            ret->gap_at_edge =
                ret->gap_at_edge || slots[d.last].stalled || gap_between(range, d.last, d.after);
            break;
        }
        if (!dip_next(range, d.after, &d)) {
            *at = range->n;
            break;
        }
    }
    return true;
}
