/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots -> how long the service was away, and when a signal came: bounds of both. */
#include "analysis/analysis_parts.h"

/* Pieces of time that are added up once each, as they come: in the order of their ends. */
struct pieces {
    int64_t from, to;   /* of the window */
    int64_t begin, end; /* of the last piece, with those that it touches */
    int64_t sum;
};

static void piece_add(struct pieces *p, int64_t begin, int64_t end)
{
    begin = begin > p->from ? begin : p->from;
    end = end < p->to ? end : p->to;
    if (begin >= end)
        return;
    if (begin >= p->end) {
        p->begin = begin;
    } else {
        /* It may reach back over time that others have covered: too much is still a bound. */
        if (begin < p->begin) {
            p->sum += p->begin - begin;
            p->begin = begin;
        }
        begin = p->end;
    }
    if (end > begin) {
        p->sum += end - begin;
        p->end = end;
    }
}

/* The send of the last good slot that had its answer when the bad one was sent, as for an outage.
 */
static int64_t good_before(const struct slot_range *r, size_t at, int64_t otherwise)
{
    for (size_t i = at; i-- > 0;)
        if (r->slots[i].state == SLOT_GOOD && r->slots[i].done <= r->slots[at].upper)
            return r->slots[i].lower;
    return otherwise;
}

/* Bad slots without anything else between them, by what they prove. */
struct run {
    bool any;
    int64_t from, to; /* it was away by the first, and still at the second */
};

struct walk {
    const struct slot_range *r;
    struct pieces least, most;
    const struct slot *last; /* the last that is known; NULL: none yet */
    bool blind;              /* slots are missing since then */
    struct run run;
};

static void run_end(struct walk *w)
{
    int64_t from = w->run.from > w->least.end ? w->run.from : w->least.end;
    if (w->run.any)
        piece_add(&w->least, from, w->run.to);
    w->run.any = false;
}

static void run_add(struct walk *w, const struct slot *s)
{
    /* What proves nothing ends it: behind it the service may have been back. */
    if (s->proof == PROOF_NONE) {
        run_end(w);
        return;
    }
    int64_t still = s->proof == PROOF_SENT ? s->lower + w->r->blur : s->lower;
    struct run *run = &w->run;
    run->from = !run->any || s->upper < run->from ? s->upper : run->from;
    run->to = !run->any || still > run->to ? still : run->to;
    run->any = true;
}

static void walk_bad(struct walk *w, size_t i)
{
    const struct slot *s = &w->r->slots[i], *last = w->last;
    bool first = last == NULL || last->state == SLOT_GOOD;
    if (first)
        piece_add(&w->most, good_before(w->r, i, w->most.from), s->upper);
    else
        piece_add(&w->most, last->upper, s->upper);
    if (first || w->blind)
        run_end(w);
    run_add(w, s);
    w->last = s;
    w->blind = false;
}

static void walk_good(struct walk *w, const struct slot *s)
{
    const struct slot *last = w->last;
    bool away = last != NULL && last->state == SLOT_BAD;
    /* Sent before the last bad one was, it says nothing of what came behind that. */
    if (away && s->lower <= last->lower)
        return;
    if (away)
        piece_add(&w->most, last->upper, s->done);
    else if (w->blind || last == NULL)
        piece_add(&w->most, last != NULL ? last->lower : w->most.from, s->done);
    w->last = s;
    w->blind = false;
}

/* Behind the last slot: one interval and its jitter may pass without another. */
static void walk_end(struct walk *w, int64_t due, int64_t end)
{
    const struct slot *last = w->last;
    if (last == NULL)
        piece_add(&w->most, w->most.from, end);
    else if (last->state == SLOT_BAD)
        piece_add(&w->most, last->upper, end);
    else if (w->blind || end - due > w->r->every + w->r->every / 5)
        piece_add(&w->most, last->lower, end);
}

struct span analysis_lost(const struct slot_range *r, int64_t from, int64_t to, int64_t until)
{
    const struct pieces none = {.from = from, .to = to, .begin = from, .end = from};
    struct walk w = {.r = r, .least = none, .most = none};
    int64_t due = from;
    bool closed = false;
    for (size_t i = 0; i < r->n && !closed; i++) {
        const struct slot *s = &r->slots[i];
        w.blind = w.blind || s->missing != 0 || s->state == SLOT_GAP;
        due = s->due;
        if (s->state == SLOT_BAD)
            walk_bad(&w, i);
        else if (s->state == SLOT_GOOD)
            walk_good(&w, s);
        closed = w.last == s && s->lower >= to;
    }
    if (!closed)
        walk_end(&w, due, to != SPAN_OPEN ? to : until > due ? until : due);
    run_end(&w);
    return (struct span){w.least.sum, w.most.sum};
}

struct span analysis_signal(const struct slot_range *r, int64_t from)
{
    struct span ret = {from, SPAN_OPEN};
    bool blind = false;
    for (size_t i = 0; i < r->n; i++) {
        const struct slot *s = &r->slots[i];
        if (s->due >= from && (s->missing != 0 || s->state == SLOT_GAP))
            blind = true; /* it may have come, and gone again */
        if (s->state == SLOT_GOOD && s->done >= from) {
            ret.hi = s->done;
            break;
        }
        if (s->state == SLOT_BAD && !blind && s->lower > ret.lo)
            ret.lo = s->lower;
    }
    return ret;
}
