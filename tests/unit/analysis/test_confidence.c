/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each claim that a report prints, in simulated series whose truth is known: it must hold as often
 * as it says. Recovery times are drawn from several distributions and measured as a prober does, as
 * intervals on a jittered schedule. BLACKSTART_FULL=yes draws 100,000 series a claim, and more.
 */
#include "analysis/analysis_parts.h"
#include "analysis/compare.h"
#include "analysis/sequential.h"
#include "analysis/stats.h"
#include "check.h"
#include "seed.h"

#include <math.h>
#include <stdio.h>

/* FULL_RUNS parts into shapes and sizes without a rest. */
enum {
    SHORT_RUNS = 500,
    FULL_RUNS = 100080,
    N_MAX = 400,
    P99_LEAST = 299,
    SHIFT_N_MAX = 12,
    SHIFT_SUM_MAX = 301
};

static uint64_t state;

/* xorshift64*, in (0, 1). */
static double draw(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return ((double)((state * UINT64_C(2685821657736338717)) >> 11) + 0.5) / 9007199254740992.0;
}

static double draw_normal(void)
{
    return sqrt(-2 * log(draw())) * cos(2 * M_PI * draw());
}

static bool is_full(void)
{
    const char *full = getenv("BLACKSTART_FULL");
    return full != NULL && strcmp(full, "yes") == 0;
}

static unsigned runs(void)
{
    return is_full() ? FULL_RUNS : SHORT_RUNS;
}

/* As many for a claim that is judged in each n-th series only; the short form then has fewer. */
static unsigned runs_each(unsigned n)
{
    return is_full() ? FULL_RUNS : SHORT_RUNS / n;
}

/* What recovery times look like: near a time-out, with a long tail, or of two ways to fail over. */
enum shape { TIGHT, TAIL, TWO_WAYS, SHAPES };
static const char *const shape_names[] = {"normal", "exponential", "two ways"};

static double draw_recovery(enum shape shape)
{
    switch (shape) {
    case TIGHT:
        return 3 + 0.2 * draw_normal();
    case TAIL:
        return 1 - 2 * log(draw());
    default:
        return draw() < 0.7 ? 1 + 0.1 * draw() : 5 + 0.5 * draw_normal();
    }
}

/* Their median, p90, p95 and p99: the truth that the claims are held against. Of the two ways the
 * first 70 % lie evenly below 1.1, so that p90 is the upper part's normal quantile of 2/3. */
static const double quantiles[SHAPES][ANALYSIS_QUANTILES] = {
    {3, 3 + 0.2 * 1.2815516, 3 + 0.2 * 1.6448536, 3 + 0.2 * 2.3263479},
    {1 + 2 * 0.6931472, 1 + 2 * 2.3025851, 1 + 2 * 2.9957323, 1 + 2 * 4.6051702},
    {1 + 0.1 * 0.5 / 0.7, 5 + 0.5 * 0.4307273, 5 + 0.5 * 0.9674216, 5 + 0.5 * 1.8339146},
};

/* Between two slots of 100 ms with 10 % of jitter, at an instant that the fault does not know. */
static void measure(double truth, struct analysis_figure *ret)
{
    const double every = 0.1;
    double start = -every * draw();
    double slot = floor((truth - start) / every);
    double before = start + slot * every + every * 0.1 * (draw() - 0.5);
    double after = start + (slot + 1) * every + every * 0.1 * (draw() - 0.5);
    while (before > truth)
        before -= every;
    while (after < truth)
        after += every;
    *ret = (struct analysis_figure){.lower = before > 0 ? before : 0, .upper = after};
}

/* The same by someone who goes home: what is not seen to end by then has an open end. */
static void measure_until(double watched, double truth, struct analysis_figure *ret)
{
    measure(truth, ret);
    ret->censored = ret->upper > watched;
    if (ret->censored) {
        ret->lower = ret->lower < watched ? ret->lower : watched;
        ret->upper = INFINITY;
    }
}

/* A claim of at least `nominal` may come out lower by chance alone, by so much at most. */
static void expect_at_least(const char *claim, double nominal, unsigned held, unsigned of)
{
    double share = (double)held / of, chance = 4 * sqrt(nominal * (1 - nominal) / of);
    printf("\n    figure: %s: held in %.2f %% of %u series (claimed: at least %.0f %%)", claim,
           100 * share, of, 100 * nominal);
    CU_ASSERT(share >= nominal - chance);
}

static void expect_at_most(const char *claim, double nominal, unsigned seen, unsigned of)
{
    double share = (double)seen / of, chance = 4 * sqrt(nominal * (1 - nominal) / of);
    printf("\n    figure: %s: %.2f %% of %u series (claimed: at most %.0f %%)", claim, 100 * share,
           of, 100 * nominal);
    CU_ASSERT(share <= nominal + chance);
}

/* One series through the same code that reports rest on. */
static void summarise(enum shape shape, uint32_t n, double limit, double watched,
                      struct analysis_summary *ret)
{
    static struct analysis_figure values[N_MAX];
    *ret = (struct analysis_summary){.values = values, .n = n, .side = AT_MOST, .limit = limit};
    for (uint32_t i = 0; i < n; i++) {
        measure_until(watched, draw_recovery(shape), &values[i]);
        values[i].verdict = verdict_at_most(values[i].lower, values[i].upper, limit);
        ret->passes += values[i].verdict == VERDICT_PASS;
        ret->censored += values[i].censored;
    }
    double lower[N_MAX], upper[N_MAX];
    analysis_summary_bounds(ret, lower, upper);
}

/* How often each claim of a summary was made, and how often it held. */
struct held {
    unsigned all, share, median_all, median, all_of[ANALYSIS_QUANTILES], of[ANALYSIS_QUANTILES];
};

static void held_count(const struct analysis_summary *s, enum shape shape, double passing,
                       struct held *h)
{
    double half = quantiles[shape][0];
    h->all++;
    h->share += s->share_proven <= passing; /* so many runs do pass */
    h->median_all += s->median_known;
    h->median += s->median_known && s->median_lower <= half && half <= s->median_upper;
    for (size_t k = 1; k < ANALYSIS_QUANTILES; k++) {
        h->all_of[k] += s->quantiles[k].known;
        h->of[k] += s->quantiles[k].known && s->quantiles[k].bound >= quantiles[shape][k];
    }
}

static void test_share_median_and_quantiles(void)
{
    static const uint32_t sizes[] = {10, 30, 60};
    struct held h = {.all = 0};
    for (enum shape shape = 0; shape < SHAPES; shape++)
        for (unsigned i = 0; i < runs_each(3); i++) {
            struct analysis_summary s;
            summarise(shape, sizes[i % 3], quantiles[shape][1], INFINITY, &s);
            held_count(&s, shape, 0.90, &h);
        }
    expect_at_least("the share that n trials prove", 0.95, h.share, h.all);
    expect_at_least("the median lies in its interval", 0.95, h.median, h.median_all);
    expect_at_least("p90 is at most its bound", 0.95, h.of[1], h.all_of[1]);
    expect_at_least("p95 is at most its bound", 0.95, h.of[2], h.all_of[2]);
    printf("\n    ");
}

/* From as many trials on as give it. */
static void test_p99(void)
{
    struct held h = {.all = 0};
    for (unsigned i = 0; i < runs_each(2); i++) {
        struct analysis_summary s;
        enum shape shape = i % SHAPES;
        uint32_t n = P99_LEAST + (uint32_t)(draw() * (N_MAX + 1 - P99_LEAST));
        summarise(shape, n, quantiles[shape][3], INFINITY, &s);
        held_count(&s, shape, 0.99, &h);
    }
    CU_ASSERT_EQUAL(h.all_of[3], h.all);
    expect_at_least("p99 is at most its bound, n 299 to 400", 0.95, h.of[3], h.all_of[3]);
    expect_at_least("the share that so many prove, of 99 %", 0.95, h.share, h.all);
    printf("\n    ");
}

/* One trial of five does not recover while it is watched. */
static void test_censored_trials(void)
{
    static const double watched[SHAPES] = {3 + 0.2 * 0.8416212, 1 + 2 * 1.6094379,
                                           5 - 0.5 * 0.4307273};
    struct held h = {.all = 0};
    unsigned censored = 0, trials = 0;
    for (unsigned i = 0; i < runs_each(2); i++) {
        struct analysis_summary s;
        enum shape shape = i % SHAPES;
        uint32_t n = 30 + 30 * (i / SHAPES % 2);
        summarise(shape, n, quantiles[shape][0], watched[shape], &s);
        held_count(&s, shape, 0.50, &h);
        censored += s.censored;
        trials += n;
    }
    printf("\n    figure: of the trials that follow %.1f %% are censored",
           100.0 * censored / trials);
    CU_ASSERT(censored > trials / 6);
    expect_at_least("censored trials: the share that n prove", 0.95, h.share, h.all);
    expect_at_least("censored trials: the median lies in its interval", 0.95, h.median,
                    h.median_all);
    expect_at_least("censored trials: p90 is at most its bound", 0.95, h.of[1], h.all_of[1]);
    printf("\n    ");
}

/* All shares, not one alone: where the claim is tightest. */
static void test_shares_of_every_size(void)
{
    double worst = 1;
    for (uint32_t n = 5; n <= 60; n += 11) {
        double proven[N_MAX];
        for (uint32_t passes = 0; passes <= n; passes++)
            proven[passes] = stats_share_proven(n, n - passes, 0.95);
        for (int k = 1; k < 50; k++) {
            double p = k / 50.0, held = 0, chance = pow(1 - p, n);
            for (uint32_t passes = 0; passes <= n; passes++) {
                held += proven[passes] <= p ? chance : 0;
                chance *= (double)(n - passes) / (passes + 1) * p / (1 - p);
            }
            worst = held < worst ? held : worst;
        }
    }
    printf("\n    figure: the share that n trials prove: exact coverage at least %.2f %% (n 5 to "
           "60, shares of 2 %% to 98 %%)\n    ",
           100 * worst);
    CU_ASSERT(worst >= 0.95 - 1e-9);
}

/* How one build is measured: shifts[i] for each of n_targets. */
struct build {
    enum shape shape; /* of the first target; those behind it have the shapes behind it */
    uint32_t n;
    size_t n_targets;
    const double *shifts;
    double watched; /* 0: until it has recovered; else up to this share of p95 */
};

static void fill(struct compare *c, enum compare_side side, const struct build *b)
{
    static const char *const probes[SHAPES] = {"read", "write", "list"};
    struct analysis_figure values[SHAPES][N_MAX];
    struct analysis_summary all[SHAPES];
    for (size_t k = 0; k < b->n_targets; k++) {
        enum shape shape = (enum shape)((b->shape + k) % SHAPES);
        double until = b->watched > 0 ? b->watched * quantiles[shape][2] : INFINITY;
        all[k] = (struct analysis_summary){.measure = "recovery_time",
                                           .of = probes[k],
                                           .from = "fault",
                                           .detail = "",
                                           .unit = UNIT_SECONDS,
                                           .side = AT_MOST,
                                           .values = values[k],
                                           .n = b->n};
        for (uint32_t i = 0; i < b->n; i++)
            measure_until(until, draw_recovery(shape) + b->shifts[k], &values[k][i]);
    }
    const struct analysis a = {.summaries = all, .n_summaries = b->n_targets};
    struct err err;
    CU_ASSERT_EQUAL_FATAL(compare_add(c, side, &a, &err), 0);
}

static struct compare *compare_once(const struct build *a, const struct build *b)
{
    struct compare *c = NULL;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(compare_new(0, &c, &err), 0);
    fill(c, COMPARE_A, a);
    fill(c, COMPARE_B, b);
    CU_ASSERT_EQUAL_FATAL(compare_judge(c, &err), 0);
    return c;
}

struct compared {
    unsigned shown, worse, covered, of;
    double seen;
};

static struct compared compare_often(enum shape shape, uint32_t n, double shift, unsigned of)
{
    static const double none = 0;
    const struct build a = {shape, n, 1, &none, 0}, b = {shape, n, 1, &shift, 0};
    struct compared r = {.of = of};
    for (unsigned i = 0; i < of; i++) {
        CLEANUP_COMPARE struct compare *c = compare_once(&a, &b);
        const struct compare_target *t = &c->targets[0];
        r.shown += t->word == COMPARE_WORSE || t->word == COMPARE_BETTER;
        r.worse += t->word == COMPARE_WORSE;
        r.covered += t->shift_lower <= shift && shift <= t->shift_upper;
        r.seen += t->seen / of;
    }
    return r;
}

static void test_two_equal_builds(void)
{
    unsigned shown = 0, covered = 0, of = 0;
    for (enum shape shape = 0; shape < SHAPES; shape++)
        for (uint32_t n = 4; n <= 12; n += 4) {
            struct compared r = compare_often(shape, n, 0, runs() / 9);
            shown += r.shown;
            covered += r.covered;
            of += r.of;
        }
    expect_at_most("compare: false alarm on equal builds", 0.05, shown, of);
    expect_at_least("compare: the shift lies in its interval", 0.95, covered, of);
    printf("\n    ");
}

static void test_a_shifted_build(void)
{
    unsigned covered = 0, of = 0;
    for (enum shape shape = 0; shape < SHAPES; shape++) {
        struct compared r = compare_often(shape, 8, 0.5, runs_each(6));
        printf("\n    figure: compare: power of 8 v 8 for 0.5 s, %s: %.1f %%", shape_names[shape],
               100.0 * r.worse / r.of);
        covered += r.covered;
        of += r.of;
    }
    expect_at_least("compare: a shift of 0.5 s lies in its interval", 0.95, covered, of);
    /* What it says that it would have seen four times of five. */
    struct compared equal = compare_often(TIGHT, 12, 0, 100);
    struct compared shifted = compare_often(TIGHT, 12, equal.seen, runs_each(6));
    double power = (double)shifted.worse / shifted.of;
    printf("\n    figure: compare: the shift of %.2f s that 12 v 12 say they would see is seen in "
           "%.1f %%\n    ",
           equal.seen, 100 * power);
    CU_ASSERT(power > 0.7 && power < 0.95);
}

/* Of n v n without ties, by counting all choices of n of 2n ranks by their sum. */
static double shift_coverage(size_t n)
{
    static double ways[SHIFT_N_MAX + 1][SHIFT_SUM_MAX];
    struct err err;
    size_t rank = 0;
    double choices = 0, beyond = 0;
    memset(ways, 0, sizeof(ways));
    ways[0][0] = 1;
    for (size_t r = 1; r <= 2 * n; r++)
        for (size_t k = n; k >= 1; k--)
            for (size_t sum = SHIFT_SUM_MAX - 1; sum >= r; sum--)
                ways[k][sum] += ways[k - 1][sum - r];
    CU_ASSERT_EQUAL_FATAL(ranks_shift_rank(n, n, 0.025, &rank, &err), 0);
    for (size_t sum = 0; sum < SHIFT_SUM_MAX; sum++) {
        choices += ways[n][sum];
        beyond += sum < n * (n + 1) / 2 + rank ? ways[n][sum] : 0;
    }
    return 1 - 2 * beyond / choices;
}

static void test_shifts_of_every_size(void)
{
    double worst = 1;
    for (size_t n = 4; n <= SHIFT_N_MAX; n++)
        worst = shift_coverage(n) < worst ? shift_coverage(n) : worst;
    printf("\n    figure: compare: the shift lies in its interval: exact coverage at least %.2f %% "
           "(4 v 4 to 12 v 12), of 8 v 8 %.2f %%\n    ",
           100 * worst, 100 * shift_coverage(8));
    CU_ASSERT(worst >= 0.95);
}

/* Three targets at once, of 8 v 8 or 12 v 12: no alarm for any whose builds are equal, whether the
 * others' are or not. */
static void several_targets(const char *what, double first, double watched)
{
    const double none[SHAPES] = {0}, shifted[SHAPES] = {first, 0, 0};
    const size_t from = first > 0 ? 1 : 0;
    unsigned alarms = 0, covered = 0, of = runs_each(1);
    for (unsigned i = 0; i < of; i++) {
        uint32_t n = i / SHAPES % 2 == 0 ? 8 : 12;
        const struct build a = {i % SHAPES, n, SHAPES, none, watched};
        const struct build b = {i % SHAPES, n, SHAPES, shifted, watched};
        CLEANUP_COMPARE struct compare *c = compare_once(&a, &b);
        bool alarm = false;
        for (size_t k = from; k < SHAPES; k++)
            alarm = alarm || c->targets[k].word != COMPARE_SAME;
        alarms += alarm;
        covered += c->targets[from].shift_lower <= 0 && c->targets[from].shift_upper >= 0;
    }
    printf("\n    figure: compare, %s:", what);
    expect_at_most("a false alarm of any", 0.05, alarms, of);
    expect_at_least("the shift lies in its interval", 0.95, covered, of);
}

static void test_several_targets(void)
{
    several_targets("three targets, all equal", 0, 0);
    several_targets("three targets, the first 5 s apart", 5, 0);
    several_targets("three targets, all equal, watched to nine tenths of p95", 0, 0.9);
    printf("\n    ");
}

static enum sequential_state series_of(const struct sequential_plan *plan, double share,
                                       uint32_t *ret_n)
{
    uint32_t passes = 0, misses = 0;
    enum sequential_state is = SEQUENTIAL_OPEN;
    while (is == SEQUENTIAL_OPEN && passes + misses < 100) {
        if (draw() < share)
            passes++;
        else
            misses++;
        is = sequential_decide(plan, passes, misses);
    }
    *ret_n = passes + misses;
    return is;
}

static void test_the_plan(void)
{
    const struct sequential_plan plan = {0.99, 0.90, 0.05, 0.05};
    unsigned rejected = 0, accepted = 0, passed = 0, caught = 0, of = runs();
    double good_n = 0, bad_n = 0;
    for (unsigned i = 0; i < of; i++) {
        uint32_t n;
        enum sequential_state is = series_of(&plan, 0.99, &n);
        rejected += is == SEQUENTIAL_REJECT;
        passed += is == SEQUENTIAL_ACCEPT;
        good_n += (double)n / of;
        is = series_of(&plan, 0.90, &n);
        accepted += is == SEQUENTIAL_ACCEPT;
        caught += is == SEQUENTIAL_REJECT;
        bad_n += (double)n / of;
    }
    expect_at_most("sequential: a good system rejected", 0.05, rejected, of);
    expect_at_most("sequential: a bad system accepted", 0.05, accepted, of);
    printf("\n    figure: sequential: good accepted %.1f %% after %.1f trials on average, bad "
           "rejected %.1f %% after %.1f\n    ",
           100.0 * passed / of, good_n, 100.0 * caught / of, bad_n);
    struct sequential_errors e = sequential_errors(&plan, 100);
    printf("figure: sequential: exactly %.2f %% and %.2f %%\n    ", 100 * e.alpha, 100 * e.beta);
    CU_ASSERT_DOUBLE_EQUAL((double)rejected / of, e.alpha, 4 * sqrt(e.alpha / of));
    CU_ASSERT_DOUBLE_EQUAL((double)accepted / of, e.beta, 4 * sqrt(e.beta / of));
}

/* Independent trials must not be called linked, nor with a trend. */
static void test_order(void)
{
    unsigned told = 0, drift = 0, of = runs();
    for (unsigned i = 0; i < of; i++) {
        double v[24];
        uint32_t n = i % 3 == 0 ? 8 : i % 3 == 1 ? 12 : 24;
        struct analysis_summary s = {.n = n};
        for (uint32_t k = 0; k < n; k++)
            v[k] = draw_recovery(i % SHAPES);
        analysis_summary_order(&s, v);
        told += s.order_shown;
        for (uint32_t k = 0; k < n; k++)
            v[k] = draw_recovery(TIGHT) + 0.05 * k;
        s = (struct analysis_summary){.n = n};
        analysis_summary_order(&s, v);
        drift += s.order_shown;
    }
    expect_at_most("order: independent trials called otherwise", 0.05, told, of);
    printf(
        "\n    figure: order: a drift of a quarter of the spread a trial is told in %.0f %%\n    ",
        100.0 * drift / of);
}

static const struct check_test tests[] = {
    {"share, median and quantiles", test_share_median_and_quantiles},
    {"p99", test_p99},
    {"censored trials", test_censored_trials},
    {"shares of every size", test_shares_of_every_size},
    {"two equal builds", test_two_equal_builds},
    {"a shifted build", test_a_shifted_build},
    {"shifts of every size", test_shifts_of_every_size},
    {"several targets", test_several_targets},
    {"the plan", test_the_plan},
    {"order", test_order},
};

int main(void)
{
    state = seed_take("CONFIDENCE_SEED") * UINT64_C(0x9e3779b97f4a7c15) + 1;
    return check_main("confidence", tests, sizeof(tests) / sizeof(tests[0]));
}
