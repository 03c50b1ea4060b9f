/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thousands of systems that go down and come back at random instants, asked by probes of random
 * interval, latency, lateness and stalls: whatever is drawn, the truth lies within the bounds. A
 * request sent while a system is down may also succeed late, once it is back, as one whose first
 * packet was sent again does.
 */
#include "analysis/analysis_parts.h"
#include "check.h"
#include "draw.h"

#include <stdio.h>

enum { CASES = 20000, SLOTS = 120, ENDPOINTS = 3 };

static double widths; /* of conclusive bounds, in intervals and latencies */
static int n_narrow;

struct truth {
    int64_t down, up; /* down in [down, up) */
};

struct drawn {
    enum endpoints_rule rule;
    size_t n;
    int64_t every, latency, spread;
    struct truth endpoints[ENDPOINTS];
    struct truth all; /* as the rule sees it; down == up: never */
    struct sample samples[SLOTS * ENDPOINTS];
    size_t n_samples;
};

static struct sample ask(const struct drawn *d, uint32_t slot, uint16_t endpoint, int64_t due,
                         int64_t sent)
{
    const struct truth *t = &d->endpoints[endpoint];
    struct sample s = {
        .due_ns = due, .sent_ns = sent, .slot = slot, .endpoint = endpoint, .result = SAMPLE_GOOD};
    s.done_ns = sent + 1 + draw(d->latency);
    if (sent < t->down || sent >= t->up)
        return s;
    /* Not with `each`: there, an endpoint whose every failure is mended late is never seen down. */
    if (d->rule != ENDPOINTS_EACH && t->up - sent < d->every && draw(4) == 0) {
        s.done_ns = t->up + 1 + draw(d->latency);
        return s;
    }
    s.result = draw(2) == 0 ? SAMPLE_REFUSED : SAMPLE_TIMEOUT;
    s.done_ns = s.result == SAMPLE_TIMEOUT ? sent + 20 * d->every : s.done_ns;
    return s;
}

/* The prober's clock was read somewhat before the send, and again somewhat behind it. */
static void smear(const struct drawn *d, struct sample *s, int64_t *ended)
{
    int64_t sent = s->sent_ns, from = sent - (draw(4) == 0 ? draw(d->every / 2) : draw(10000));
    from = from > s->due_ns ? from : s->due_ns;
    from = from > *ended ? from : *ended;
    *ended = sent + draw(d->spread / ENDPOINTS / 2 + 1);
    *ended = *ended < s->done_ns ? *ended : s->done_ns;
    s->sent_ns = from;
    s->send_ns = (uint32_t)(*ended - from);
}

static void combine(struct drawn *d)
{
    d->all = d->endpoints[0];
    for (size_t i = 1; i < d->n; i++) {
        const struct truth *t = &d->endpoints[i];
        bool wider = d->rule == ENDPOINTS_EACH;
        d->all.down = (t->down < d->all.down) == wider ? t->down : d->all.down;
        d->all.up = (t->up > d->all.up) == wider ? t->up : d->all.up;
    }
}

static void case_draw(struct drawn *d)
{
    static const enum endpoints_rule rules[] = {ENDPOINTS_ONE, ENDPOINTS_ANY, ENDPOINTS_EACH};
    memset(d, 0, sizeof(*d));
    d->rule = rules[draw(3)];
    d->n = d->rule == ENDPOINTS_ONE ? 1 : (size_t)(2 + draw(ENDPOINTS - 1));
    d->every = 1000000 + draw(1000000000);
    d->latency = 1 + draw(2 * d->every);
    d->spread = d->every / 100;
    int64_t base = d->every * (20 + draw(20)), length = 1 + draw(d->every * 40);
    for (size_t i = 0; i < d->n; i++) {
        d->endpoints[i].down = base + draw(d->every * 2);
        d->endpoints[i].up = d->endpoints[i].down + length + draw(d->every * 2);
    }
    combine(d);
    int64_t last = 0, ended = 0;
    for (uint32_t k = 0; k < SLOTS; k++) {
        int64_t due = d->every * (k + 1) + draw(d->every / 5) - d->every / 10;
        /* One slot in twenty is late, some by more than an interval; sends keep their order. */
        int64_t sent = due + (draw(20) == 0 ? draw(2 * d->every) : draw(d->spread + 1));
        sent = sent > last ? sent : last + 1;
        sent = sent > ended ? sent : ended;
        for (size_t e = 0; e < d->n; e++) {
            last = sent + (int64_t)e * (d->spread / ENDPOINTS);
            last = last > ended ? last : ended;
            struct sample s = ask(d, k, (uint16_t)e, due, last);
            smear(d, &s, &ended);
            if (draw(200) == 0)
                s.result = SAMPLE_GAP;
            if (draw(200) != 0)
                d->samples[d->n_samples++] = s;
        }
    }
}

static bool within(const struct span *s, int64_t truth)
{
    return s->lo <= truth && truth <= s->hi;
}

static void case_print(const struct drawn *d, const struct analysis_outage *o, const char *what)
{
    printf("\n  %s: rule %d, every %lld, truth %lld..%lld; onset (%lld, %lld] recovery (%lld, "
           "%lld]\n",
           what, (int)d->rule, (long long)d->every, (long long)d->all.down, (long long)d->all.up,
           (long long)o->onset.lo, (long long)o->onset.hi, (long long)o->recovery.lo,
           (long long)o->recovery.hi);
    CU_FAIL("the truth lies elsewhere");
}

/* Returns whether an outage was seen; *ret_gap: whether it was said to be uncertain. */
static bool case_check(const struct drawn *d, bool *ret_gap)
{
    static struct slot slots[SLOTS * ENDPOINTS];
    struct slot_rule rule = {.rule = d->rule, .n_endpoints = d->n, .every = d->every};
    struct slot_range r = {.slots = slots, .every = d->every, .stable_for = d->every * 4};
    r.n = analysis_slots(&rule, d->samples, d->n_samples, slots);
    struct analysis_outage o, first, last;
    size_t n = 0;
    for (size_t at = 0; analysis_outage_next(&r, &at, 0, &o); n++) {
        if (n == 0)
            first = o;
        last = o;
        CU_ASSERT_TRUE(o.onset.lo <= o.onset.hi);
        CU_ASSERT_TRUE(o.recovery.lo <= o.recovery.hi);
        CU_ASSERT_TRUE(o.bad_ns.lo <= o.bad_ns.hi);
    }
    *ret_gap = n != 0 && (first.gap_at_edge || last.gap_at_edge);
    if (n == 0)
        return false;
    if (!within(&first.onset, d->all.down))
        case_print(d, &first, "onset");
    if (!within(&last.recovery, d->all.up))
        case_print(d, &last, "recovery");
    if (!*ret_gap && last.recovered) {
        n_narrow++;
        widths += (double)(first.onset.hi - first.onset.lo) / (double)(d->every + d->latency);
        widths += (double)(last.recovery.hi - last.recovery.lo) / (double)(d->every + d->latency);
    }
    return true;
}

/* Endpoints that were down at different times made more than one. */
static bool is_one_outage(const struct drawn *d)
{
    int64_t last_down = 0, first_up = INT64_MAX;
    for (size_t i = 0; i < d->n; i++) {
        last_down = d->endpoints[i].down > last_down ? d->endpoints[i].down : last_down;
        first_up = d->endpoints[i].up < first_up ? d->endpoints[i].up : first_up;
    }
    return d->n == 1 || first_up - last_down > d->every * 3;
}

static void test_the_truth_lies_within(void)
{
    static struct drawn d;
    int seen = 0, gaps = 0, brief = 0;
    for (int i = 0; i < CASES; i++) {
        bool gap = false;
        do
            case_draw(&d);
        while (!is_one_outage(&d));
        bool found = case_check(&d, &gap);
        seen += found;
        gaps += gap;
        brief += !found;
        /* Whatever lasts for three intervals and is asked at each of them is seen. */
        if (!found && d.all.up - d.all.down > 6 * d.every)
            CU_FAIL("an outage was missed");
    }
    /* Bounds that hold everything would never be wrong either. */
    CU_ASSERT_TRUE(n_narrow > CASES / 2);
    CU_ASSERT_TRUE(widths / (2.0 * n_narrow) < 1);
    /* The draw itself must be worth something. */
    CU_ASSERT_TRUE(seen > CASES / 2);
    CU_ASSERT_TRUE(gaps > CASES / 100 && gaps < CASES / 2);
    CU_ASSERT_TRUE(brief > 0);
}

static const struct check_test tests[] = {
    {"the truth lies within", test_the_truth_lies_within},
};

CHECK_MAIN("analysis property", tests)
