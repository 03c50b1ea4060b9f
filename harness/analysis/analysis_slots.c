/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples to slots. With several endpoints the bounds differ by what is asked: `any` is up while
 * one is, so a good slot is proved by the latest good send and the earliest good completion, and a
 * bad one holds from the last send on; `each` is down as soon as one is, so it is the other way
 * round.
 */
#include "analysis/analysis_parts.h"

#include <string.h>

struct tally {
    uint32_t good, bad, stalled;
    int64_t good_first, good_last, bad_first, bad_last; /* sends, at the earliest */
    int64_t bad_first_late, bad_last_late;              /* and at the latest */
    int64_t good_soonest, good_latest, bad_done;        /* completions */
    int64_t slow_soonest;
    uint32_t slow;
    uint32_t counted, unknown; /* bad for a counter's growth; for not knowing it */
    int64_t lateness;
    uint16_t result;
};

static void least(int64_t *v, int64_t with)
{
    *v = with < *v ? with : *v;
}

static void most(int64_t *v, int64_t with)
{
    *v = with > *v ? with : *v;
}

static void tally_good(struct tally *t, const struct sample *s)
{
    if (t->good++ == 0) {
        t->good_first = t->good_last = s->sent_ns;
        t->good_soonest = t->good_latest = s->done_ns;
    }
    least(&t->good_first, s->sent_ns);
    most(&t->good_last, s->sent_ns);
    least(&t->good_soonest, s->done_ns);
    most(&t->good_latest, s->done_ns);
}

static void tally_bad(struct tally *t, const struct sample *s)
{
    int64_t latest = s->sent_ns + s->send_ns;
    bool unknown = s->result == SAMPLE_RATE_UNKNOWN, counted = s->result == SAMPLE_RATE;
    t->counted += counted;
    t->unknown += unknown;
    if (counted || unknown)
        most(&latest, s->done_ns); /* the counter was read by then */
    if (t->bad++ == 0) {
        t->bad_first_late = t->bad_last_late = latest;
        t->bad_first = t->bad_last = s->sent_ns;
        t->bad_done = s->done_ns;
        t->result = s->result;
    }
    if (s->result == SAMPLE_SLOW) {
        if (t->slow++ == 0)
            t->slow_soonest = s->done_ns;
        least(&t->slow_soonest, s->done_ns);
    }
    least(&t->bad_first, s->sent_ns);
    most(&t->bad_last, s->sent_ns);
    least(&t->bad_first_late, latest);
    most(&t->bad_last_late, latest);
    most(&t->bad_done, s->done_ns);
}

static void tally_add(struct tally *t, const struct sample *s, int64_t every)
{
    if (s->result == SAMPLE_GAP)
        return;
    int64_t late = s->sent_ns + s->send_ns - s->due_ns;
    bool stalled = late > every;
    most(&t->lateness, late);
    if (s->result != SAMPLE_GOOD) {
        tally_bad(t, s);
        t->stalled += stalled;
    } else if (!stalled) {
        tally_good(t, s);
    }
}

static uint8_t proof_of(const struct tally *t, const struct slot_rule *rule)
{
    if (t->counted + t->unknown == 0)
        return PROOF_SENT;
    /* Its window reaches back to where another may have had the role. */
    if (rule->rule == ENDPOINTS_ROLE)
        return PROOF_NONE;
    bool none = rule->rule == ENDPOINTS_EACH ? t->unknown == t->bad : t->unknown != 0;
    return none ? PROOF_NONE : PROOF_WINDOW;
}

static void slot_any(const struct tally *t, size_t n, struct slot *ret)
{
    if (t->good != 0) {
        ret->state = SLOT_GOOD;
        ret->lower = t->good_last;
        ret->done = t->good_soonest;
    } else if (t->bad == n) {
        ret->state = SLOT_BAD;
        ret->lower = t->bad_first;
        ret->upper = t->bad_last_late;
        ret->slow = t->slow != 0;
        ret->done = ret->slow ? t->slow_soonest : t->bad_done;
        ret->stalled = t->stalled != 0;
    }
}

static void slot_each(const struct tally *t, size_t n, struct slot *ret)
{
    if (t->bad != 0) {
        ret->state = SLOT_BAD;
        ret->lower = t->bad_last;
        ret->upper = t->bad_first_late;
        ret->slow = t->slow == t->bad && t->good + t->bad == n;
        ret->done = ret->slow && t->good != 0 && t->good_latest > t->bad_done ? t->good_latest
                                                                              : t->bad_done;
        ret->stalled = t->stalled != 0;
    } else if (t->good == n) {
        ret->state = SLOT_GOOD;
        ret->lower = t->good_first;
        ret->done = t->good_latest;
    }
}

static uint32_t role_endpoint(const struct slot_rule *rule, int64_t due)
{
    uint32_t endpoint = rule->n_roles != 0 ? rule->roles[0].endpoint : SLOT_NO_ENDPOINT;
    for (size_t i = 1; i < rule->n_roles && rule->roles[i].from <= due; i++)
        endpoint = rule->roles[i].endpoint;
    return endpoint;
}

struct slot analysis_slot(const struct slot_rule *rule, const struct sample *s, size_t n,
                          const struct slot *before)
{
    struct tally tally;
    memset(&tally, 0, sizeof(tally));
    struct slot ret = {.due = s->due_ns, .number = s->slot, .state = SLOT_GAP};
    size_t wanted = rule->n_endpoints != 0 ? rule->n_endpoints : 1;
    uint32_t only = SLOT_NO_ENDPOINT;
    if (rule->rule == ENDPOINTS_ROLE) {
        only = role_endpoint(rule, s->due_ns);
        wanted = 1;
    }
    for (size_t i = 0; i < n; i++)
        if (rule->rule != ENDPOINTS_ROLE || s[i].endpoint == only)
            tally_add(&tally, &s[i], rule->every);
    if (rule->rule == ENDPOINTS_EACH)
        slot_each(&tally, wanted, &ret);
    else
        slot_any(&tally, wanted, &ret);
    ret.proof = proof_of(&tally, rule);
    ret.result = tally.result;
    ret.late = tally.lateness > rule->every / 4;
    ret.missing = before != NULL ? ret.number - before->number - 1 : 0;
    return ret;
}

size_t analysis_slots(const struct slot_rule *rule, const struct sample *samples, size_t n,
                      struct slot *ret)
{
    size_t n_slots = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && samples[end].slot == samples[i].slot; end++)
            ;
        ret[n_slots] =
            analysis_slot(rule, samples + i, end - i, n_slots != 0 ? &ret[n_slots - 1] : NULL);
        n_slots++;
    }
    return n_slots;
}

/* Slots that should have been due in [from, to) behind the last one known; one interval and its
 * jitter may pass without one. */
static uint32_t missing_tail(int64_t from, int64_t to, int64_t every)
{
    int64_t n = to > from && every > 0 ? (to - from - every / 5) / every : 0;
    return n > 0 && n < UINT32_MAX ? (uint32_t)n : 0;
}

struct slot_count analysis_slots_count(const struct slot_range *range, int64_t from, int64_t to,
                                       int64_t until)
{
    struct slot_count c = {0, 0, 0, 0, 0};
    int64_t last = from;
    for (size_t i = 0; i < range->n; i++) {
        const struct slot *s = &range->slots[i];
        if (s->due < from || s->due >= to)
            continue;
        c.gaps += s->missing + (s->state == SLOT_GAP || s->stalled);
        c.good += s->state == SLOT_GOOD;
        c.bad += s->state == SLOT_BAD && !s->stalled;
        c.late += s->late;
        last = s->due;
    }
    c.gaps += missing_tail(last, to < until ? to : until, range->every);
    c.scheduled = c.good + c.bad + c.gaps;
    return c;
}
