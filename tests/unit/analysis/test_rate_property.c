/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drawn services whose rate falls and comes back, asked as a prober asks, against how long they
 * were away: the truth lies within the bounds, and the lower one is above 0 for what lasts clearly
 * longer than the window. BLACKSTART_FULL=yes draws 200,000.
 */
#include "analysis/analysis_parts.h"
#include "check.h"
#include "draw.h"
#include "prober/rate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 400, DIPS = 3 };

/* Too low a rate, or no answer at all, in [down, up). */
struct dip {
    int64_t down, up;
    double share; /* of the limit */
    bool silent;  /* nothing answers */
    bool resets;  /* the counter begins anew at its end */
};

struct drawn {
    struct dip dips[DIPS];
    size_t n_dips, n;
    int64_t every, latency, from, until, blur;
    bool gaps;  /* of the prober */
    bool apart; /* the dips are, by more than the probe needs to tell them from each other */
    double limit, usual; /* a nanosecond */
    struct probe_rate rate;
    struct sample samples[SLOTS];
};

/* What was counted by then. */
static double counted(const struct drawn *d, int64_t at)
{
    double sum = d->usual * (double)at;
    for (size_t i = 0; i < d->n_dips; i++) {
        const struct dip *p = &d->dips[i];
        int64_t end = at < p->up ? at : p->up;
        if (end > p->down)
            sum -= (d->usual - p->share * d->limit) * (double)(end - p->down);
        if (p->resets && at >= p->up)
            sum = d->usual * (double)(at - p->up);
    }
    return floor(sum);
}

static bool is_silent(const struct drawn *d, int64_t at)
{
    for (size_t i = 0; i < d->n_dips; i++)
        if (d->dips[i].silent && at >= d->dips[i].down && at < d->dips[i].up)
            return true;
    return false;
}

static void dips_draw(struct drawn *d)
{
    int64_t at = d->from + draw(20 * d->every);
    d->n_dips = (size_t)draw(DIPS + 1);
    for (size_t i = 0; i < d->n_dips; i++) {
        struct dip *p = &d->dips[i];
        p->down = at;
        /* Long enough for a slot whose window is all in it. */
        p->up = at + d->blur + 3 * d->every + d->latency + draw(40 * d->every);
        p->share = draw(2) == 0 ? 0 : (double)draw(90) / 100;
        p->silent = draw(4) == 0;
        p->resets = p->silent && draw(2) == 0;
        p->share = p->silent ? 0 : p->share;
        at = p->up + (d->apart ? d->blur + 3 * d->every + d->latency : 1) + draw(d->blur);
    }
}

static void samples_draw(struct drawn *d)
{
    struct prober_readings r = {.list = NULL};
    int64_t stalled = 0;
    d->n = 0;
    for (uint32_t k = 0; k < SLOTS; k++) {
        int64_t due = d->every * (k + 1) + draw(d->every / 5) - d->every / 10;
        struct sample s = {.due_ns = due, .sent_ns = due + draw(d->every / 100), .slot = k};
        s.done_ns = s.sent_ns + 1 + draw(d->latency);
        struct prober_reading now = {s.sent_ns, s.done_ns, 0};
        if (d->gaps && draw(40) == 0)
            stalled = due + (draw(4) == 0 ? draw(3 * d->blur) : draw(2 * d->every));
        bool gap = due < stalled;
        /* It is read at some instant of the answer's time. */
        int64_t read = s.sent_ns + draw(s.done_ns - s.sent_ns);
        now.value = counted(d, read);
        if (gap)
            s.result = SAMPLE_GAP;
        else if (is_silent(d, s.sent_ns))
            s.result = SAMPLE_TIMEOUT;
        else
            s.result = (uint16_t)rate_judge(&r, &d->rate, d->every, &now);
        d->samples[d->n++] = s;
    }
    free(r.list);
}

static void case_draw(struct drawn *d)
{
    *d = (struct drawn){.every = 1000000 + draw(1000000000)};
    int64_t window = d->every * (4 + draw(30));
    d->latency = 1 + draw(window / 25 < d->every ? window / 25 : d->every);
    d->gaps = draw(3) == 0;
    d->apart = draw(2) == 0;
    /* At least twenty in a window, and a usual rate that an answer's time does not turn bad. */
    d->limit = (20 + (double)draw(1000)) / (double)window;
    d->usual = d->limit * (1.25 + (double)draw(300) / 100);
    d->rate = (struct probe_rate){.given = true,
                                  .at_least = d->limit * 1e9,
                                  .over = {.ns = window},
                                  .per = {.ns = 1000000000}};
    d->blur = probe_rate_blur(&d->rate, d->every);
    d->from = window + 10 * d->every;
    d->until = d->every * (SLOTS + 1) - d->every / 2;
    dips_draw(d);
    samples_draw(d);
}

static struct span lost(const struct drawn *d, int64_t to)
{
    static struct slot slots[SLOTS];
    const struct slot_rule rule = {.rule = ENDPOINTS_ONE, .n_endpoints = 1, .every = d->every};
    struct slot_range r = {
        .slots = slots, .every = d->every, .stable_for = d->every * 4, .blur = d->blur};
    r.n = analysis_slots(&rule, d->samples, d->n, slots);
    for (size_t i = 0; i < r.n; i++)
        slots[i].lower -= d->blur;
    /* Those before belong to the wait for the steady state. */
    size_t first = 0;
    while (first < r.n && slots[first].due < d->from - 5 * d->every)
        first++;
    r.slots += first;
    r.n -= first;
    return analysis_lost(&r, d->from, to, d->until);
}

/* Stretches between two that are shorter than `told` count as away. */
static int64_t away_in(const struct drawn *d, int64_t to, int64_t told)
{
    int64_t sum = 0;
    for (size_t i = 0; i < d->n_dips; i++) {
        int64_t a = d->dips[i].down, b = d->dips[i].up;
        if (i + 1 < d->n_dips && d->dips[i + 1].down - b < told)
            b = d->dips[i + 1].down;
        a = a < to ? a : to;
        b = b < to ? b : to;
        sum += b - a;
    }
    return sum;
}

static void case_print(const struct drawn *d, const char *what, int64_t truth, struct span s)
{
    printf("\n  %s: every %lld, window %lld, blur %lld, gaps %d, apart %d: truth %lld, said "
           "%lld..%lld\n",
           what, (long long)d->every, (long long)d->rate.over.ns, (long long)d->blur, d->gaps,
           d->apart, (long long)truth, (long long)s.lo, (long long)s.hi);
    for (size_t i = 0; i < d->n_dips; i++)
        printf("    %lld..%lld at %.2f of the limit%s%s\n", (long long)d->dips[i].down,
               (long long)d->dips[i].up, d->dips[i].share, d->dips[i].silent ? ", silent" : "",
               d->dips[i].resets ? ", anew" : "");
    CU_FAIL("the truth lies elsewhere");
}

/* By two windows and a few intervals the first bad slot has come, and the last one's window has
 * begun. */
static bool is_clear(const struct drawn *d)
{
    bool is = false;
    for (size_t i = 0; i < d->n_dips; i++) {
        const struct dip *p = &d->dips[i];
        is = is || (p->up < d->until - d->blur &&
                    p->up - p->down > 2 * d->blur + 4 * d->every + d->latency);
    }
    return is && !d->gaps;
}

static void test_the_lost_time_of_a_rate_lies_within(void)
{
    const char *full = getenv("BLACKSTART_FULL");
    const int cases = full != NULL && strcmp(full, "yes") == 0 ? 200000 : 10000;
    static struct drawn d;
    int away = 0, clear = 0, above = 0;
    double share = 0;
    for (int i = 0; i < cases; i++) {
        case_draw(&d);
        int64_t to = draw(2) == 0 ? SPAN_OPEN : d.from + d.every * (20 + draw(300));
        struct span s = lost(&d, to);
        int64_t seen = to == SPAN_OPEN || to > d.until ? d.until - d.every : to;
        /* Of what is apart: the very time at which the rate was too low. */
        int64_t told = d.apart ? 0 : d.blur + 2 * d.every + d.latency;
        int64_t least = away_in(&d, seen, 0), most = away_in(&d, to, told);
        if (s.lo > most)
            case_print(&d, "at least", most, s);
        if (s.hi < least)
            case_print(&d, "at most", least, s);
        away += least != 0;
        if (to != SPAN_OPEN || !is_clear(&d))
            continue;
        clear++;
        share += (double)s.lo / (double)most;
        if (s.lo > 0)
            above++;
        else
            case_print(&d, "nothing is said", most, s);
    }
    CU_ASSERT(away > cases / 2);
    CU_ASSERT(clear > cases / 20);
    CU_ASSERT_EQUAL(above, clear);
    printf(
        "figure: of %d drawn rates the lost time lay within in all; of %d that were away for over "
        "two windows the lower bound is %.0f %% of it in the mean\n",
        cases, clear, 100 * share / clear);
}

/* Two endpoints, asked at once; `b` bad for a rate, `u` for one that is not known, `x` silent. */
static uint8_t proof(enum endpoints_rule rule, const char *results)
{
    struct sample s[2];
    const struct slot_role role = {.from = 0, .endpoint = 0};
    for (uint16_t i = 0; i < 2; i++)
        s[i] = (struct sample){.endpoint = i,
                               .sent_ns = 100 + i,
                               .done_ns = 200 + i,
                               .result = results[i] == '.'   ? SAMPLE_GOOD
                                         : results[i] == 'b' ? SAMPLE_RATE
                                         : results[i] == 'u' ? SAMPLE_RATE_UNKNOWN
                                                             : SAMPLE_TIMEOUT};
    const struct slot_rule of = {
        .rule = rule, .n_endpoints = 2, .every = 1000, .roles = &role, .n_roles = 1};
    struct slot slot = analysis_slot(&of, s, 2, NULL);
    CU_ASSERT_EQUAL(slot.state, SLOT_BAD);
    /* The counter is read by the answer's end; what does not answer is away when it is asked. */
    int64_t by = rule == ENDPOINTS_ANY ? 201 : 200;
    CU_ASSERT_EQUAL(slot.upper, slot.proof == PROOF_WINDOW ? by : slot.upper);
    return slot.proof;
}

/* `any` is away while all are, `each` while one is; a role's window may be another's. */
static void test_what_a_slot_of_several_proves(void)
{
    CU_ASSERT_EQUAL(proof(ENDPOINTS_ANY, "xx"), PROOF_SENT);
    CU_ASSERT_EQUAL(proof(ENDPOINTS_ANY, "bb"), PROOF_WINDOW);
    CU_ASSERT_EQUAL(proof(ENDPOINTS_ANY, "xb"), PROOF_WINDOW);
    CU_ASSERT_EQUAL(proof(ENDPOINTS_ANY, "xu"), PROOF_NONE);
    CU_ASSERT_EQUAL(proof(ENDPOINTS_ANY, "ub"), PROOF_NONE);
    CU_ASSERT_EQUAL(proof(ENDPOINTS_EACH, ".x"), PROOF_SENT);
    CU_ASSERT_EQUAL(proof(ENDPOINTS_EACH, "b."), PROOF_WINDOW);
    CU_ASSERT_EQUAL(proof(ENDPOINTS_EACH, "bu"), PROOF_WINDOW);
    CU_ASSERT_EQUAL(proof(ENDPOINTS_EACH, ".u"), PROOF_NONE);
    CU_ASSERT_EQUAL(proof(ENDPOINTS_ROLE, "x."), PROOF_SENT);
    CU_ASSERT_EQUAL(proof(ENDPOINTS_ROLE, "b."), PROOF_NONE);
}

static const struct check_test tests[] = {
    {"what a slot of several proves", test_what_a_slot_of_several_proves},
    {"the lost time of a rate lies within", test_the_lost_time_of_a_rate_lies_within},
};

CHECK_MAIN("rate property", tests)
