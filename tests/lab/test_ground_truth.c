/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole path of measurement against servers whose outages are known: prober process, pipe,
 * journal and its sample files, analysis. Outages of random length, 20 ms to 30 s, refused,
 * silently dropped, slow, wrongly answered, flapping, of one endpoint of two, and without an
 * answer, at intervals of 1 to 100 ms. Whatever the machine's load, the truth must lie within the
 * bounds; what load may do is make them inconclusive, and that share is printed. The long form
 * (BLACKSTART_FULL=yes, some five minutes) measures more than 1,000 outages with idle neighbours
 * and 400 beside neighbours that want all processors, and holds measuring's own limits against the
 * trials in which the machine was quiet for that interval, as a loop beside the prober measures it
 * that does nothing but keep time.
 */
#include "base/cleanup.h"
#include "draw.h"
#include "lab/tree.h"
#include "scratch.h"
#include "seed.h"
#include "truth.h"
#include "truth_load.h"
#include "truth_run.h"
#include "truth_score.h"

#include <math.h>
#include <sys/resource.h>

enum { BASE_PORT = 9400, QUIET_OUTAGES = 60, STATES_MAX = 128 };

/* How many trials, and how many of them with outages of up to 30 s. */
struct amount {
    uint32_t trials, long_ones;
};
static const struct amount amount_short = {2, 0}, amount_idle = {28, 3}, amount_busy = {11, 1};

static struct {
    bool full;
    struct trial_state {
        bool loaded;
        int64_t transit_ns; /* the slowest packet over the loopback */
        int64_t latest_ns;  /* the loop beside it woke so late once */
    } states[STATES_MAX];
    uint32_t n_trials;
    struct truth_run run;
    char dir[64];
    struct truth_server servers[ROWS_MAX], partners[ROWS_MAX]; /* partners: of partial ones */
    struct truth truths[STATES_MAX][ROWS_MAX];
    struct scenario_probe probes[ROWS_MAX];
} g;

static void give_up(const char *why)
{
    printf("\n  %s\n", why);
    CU_FAIL_FATAL("the test cannot go on");
}

static void must(int rc, const struct err *err)
{
    if (rc != 0)
        give_up(err->msg);
}

/* Short ones are as likely as long ones: 20 ms to 2 s, or 2 s to 30 s. */
static int64_t outage_length(bool is_long)
{
    double share = (double)draw(1000000) / 1e6;
    return (int64_t)(is_long ? 2e9 * pow(15, share) : 20e6 * pow(100, share));
}

static void servers_start(size_t i)
{
    static const enum truth_how hows[HARMS] = {TRUTH_REFUSED, TRUTH_DROPPED, TRUTH_SLOW,
                                               TRUTH_CONTENT, TRUTH_CONTENT, TRUTH_REFUSED,
                                               TRUTH_HUNG};
    uint16_t port = (uint16_t)(BASE_PORT + i);
    enum harm harm = rows[i].harm;
    CU_ASSERT_TRUE_FATAL(truth_start(&g.servers[i], "127.0.0.1", port, hows[harm]));
    if (harm == PARTIAL)
        CU_ASSERT_TRUE_FATAL(truth_start(&g.partners[i], "127.0.0.2", port, TRUTH_REFUSED));
}

static json_t *args_make(bool http, int port)
{
    char url[64];
    (void)snprintf(url, sizeof(url), "http://${host.ip}:%d/", port);
    return http ? json_pack("{s:s}", "url", url)
                : json_pack("{s:i, s:s}", "port", port, "send", "ping\n");
}

static void probe_make(size_t i)
{
    struct scenario_probe *p = &g.probes[i];
    struct err err = {.msg = ""};
    const struct probe_kind *kind = probe_kind_find(rows[i].http ? "http" : "tcp");
    if (kind == NULL) {
        give_up("no such kind of probe");
        return;
    }
    *p = (struct scenario_probe){.name = rows[i].name,
                                 .kind = kind,
                                 .every = {rows[i].every_ms * NS_PER_MS},
                                 .timeout = {900 * NS_PER_MS}, /* before a SYN is sent again */
                                 .fresh = true,
                                 .expect = {.body = "^pong$"},
                                 .weight = 1};
    if (rows[i].harm == SLOW)
        p->expect.latency = (struct duration){400 * NS_PER_MS};
    if (rows[i].harm == PARTIAL)
        p->endpoints = ENDPOINTS_EACH;
    servers_start(i);
    const struct prober_endpoint at[2] = {{.name = "n1", .ip = "127.0.0.1", .ip6 = ""},
                                          {.name = "n2", .ip = "127.0.0.2", .ip6 = ""}};
    json_t *args = args_make(rows[i].http, BASE_PORT + (int)i);
    must(truth_run_probe(&g.run, i, args, at, rows[i].harm == PARTIAL ? 2 : 1, &err), &err);
}

static void setup(void)
{
    struct err err = {.msg = ""};
    uint64_t seed = seed_take("SEED");
    draw_state = (seed * UINT64_C(0x9e3779b97f4a7c15)) | 1;
    printf("\nnote: SEED=%llu\n", (unsigned long long)seed);
    must(own_network(&err), &err);
    rows_make(g.full ? ROWS_MAX / ROWS : 1);
    (void)setpriority(PRIO_PROCESS, 0, -10); /* the pipe's reader; the hogs' own is taken back */
    scratch_name(g.dir, sizeof(g.dir), "/tmp", "truth");
    references_start();
    must(truth_run_open(&g.run, g.dir, draw_state, g.probes, n_rows, &err), &err);
    for (size_t i = 0; i < n_rows; i++)
        probe_make(i);
}

static struct truth_order order_make(size_t row, int64_t now, bool is_long)
{
    struct truth_order o = {.down_ns = now + (20 + (int64_t)draw(200)) * NS_PER_MS, .dips = 1};
    int64_t length = outage_length(is_long);
    o.up_ns = o.down_ns + length;
    /* Up for less than the time that counts as recovered: one outage. Down for longer than any
     * interval, so that no dip is missed. */
    if (rows[row].harm == FLAPPING) {
        o.gap_ns = 60 * NS_PER_MS;
        o.dips = 1 + length / (400 * NS_PER_MS) < 8 ? 1 + length / (400 * NS_PER_MS) : 8;
    }
    return o;
}

/* How many outages of it are known. */
static uint32_t truths_take(uint32_t trial)
{
    uint32_t known = 0;
    for (size_t i = 0; i < n_rows; i++) {
        struct truth *t = &g.truths[trial][i];
        CU_ASSERT_TRUE_FATAL(truth_take(&g.servers[i], t));
        CU_ASSERT_FALSE(t->failed);
        known += !t->starved;
        int64_t *times[] = {&t->down_lo, &t->down_hi, &t->up_lo, &t->up_hi};
        for (size_t k = 0; k < 4; k++)
            *times[k] -= g.run.clock.epoch;
    }
    return known;
}

static uint32_t trial_run(bool loaded, bool is_long)
{
    struct err err;
    uint32_t trial = g.n_trials++;
    references_reset();
    must(truth_run_begin(&g.run, trial, &err), &err);
    truth_run_loop(&g.run, 500 * NS_PER_MS);
    must(truth_run_inject(&g.run, &err), &err);
    int64_t now = clock_system(CLOCK_MONOTONIC), last = now;
    for (size_t i = 0; i < n_rows; i++) {
        struct truth_order order = order_make(i, now, is_long);
        last = order.up_ns > last ? order.up_ns : last;
        CU_ASSERT_TRUE(truth_ask(&g.servers[i], &order));
    }
    truth_run_loop(&g.run, last - now + 550 * NS_PER_MS);
    must(truth_run_end(&g.run, &err), &err);
    uint32_t known = truths_take(trial);
    struct quietness after = references_read();
    g.states[trial] = (struct trial_state){
        .transit_ns = after.slowest_ns, .latest_ns = after.latest_ns, .loaded = loaded};
    return after.slowest_ns <= SCORE_HELD_UP_MS * NS_PER_MS ? known : 0;
}

/* More than asked for where outages are not known. */
static void trials_run(const struct amount *amount, bool loaded)
{
    uint32_t known = 0;
    if (loaded)
        hogs_start();
    for (uint32_t i = 0; known < amount->trials * n_rows &&
                         i < (g.full ? amount->trials * 3 / 2 : 4 * amount->trials);
         i++)
        known += trial_run(loaded, i < amount->long_ones);
    hogs_stop();
}

/* One line for each harm and interval, of those trials that `wanted` takes. */
static uint32_t trials_score(const struct analysis *a, const char *what,
                             bool (*wanted)(const struct trial_state *t, const struct row *row),
                             bool judged)
{
    uint32_t outages = 0, inconclusive = 0, unknown = 0;
    struct score *scores = calloc(n_rows, sizeof(*scores));
    for (uint32_t trial = 0; trial < a->n_trials; trial++)
        for (size_t i = 0; i < n_rows; i++)
            if (wanted(&g.states[trial], &rows[i]))
                score_outage(&scores[row_first(i)], trial, &a->trials[trial].probes[i],
                             &g.truths[trial][i], g.states[trial].transit_ns);
    for (size_t i = 0; i < n_rows; i++) {
        score_print(&rows[i], &scores[i], what, judged);
        outages += scores[i].outages;
        inconclusive += scores[i].inconclusive;
        unknown += scores[i].unknown;
    }
    free(scores);
    printf("figure: ground truth, %s: %u outages, %.2f %% inconclusive\n", what, outages,
           outages != 0 ? 100.0 * inconclusive / outages : 0);
    if (unknown != 0)
        printf("note: %u outages are not known: their server, or the loopback, was held up\n",
               unknown);
    if (judged && outages >= QUIET_OUTAGES)
        CU_ASSERT_TRUE(inconclusive * 100 <= outages * 2);
    if (judged && outages < QUIET_OUTAGES)
        printf("note: the machine was not quiet: %u outages in quiet trials, %d are judged\n",
               outages, (int)QUIET_OUTAGES);
    return outages;
}

static bool is_idle(const struct trial_state *t, const struct row *row)
{
    (void)row;
    return !t->loaded;
}

/* No slot of this row could be lost: nothing on this machine was held up by half an interval, or
 * on the way by more than a packet takes. */
static bool is_quiet(const struct trial_state *t, const struct row *row)
{
    return !t->loaded && 2 * t->latest_ns <= row->every_ms * NS_PER_MS &&
           t->transit_ns <= SCORE_QUIET_MS * NS_PER_MS;
}

static bool is_loaded(const struct trial_state *t, const struct row *row)
{
    (void)row;
    return t->loaded;
}

static void all_score(const struct analysis *a)
{
    const struct amount *idle = g.full ? &amount_idle : &amount_short;
    CU_ASSERT_TRUE(trials_score(a, "idle neighbours", is_idle, false) >= idle->trials * n_rows);
    if (!g.full)
        return;
    /* There is no more than half of it, where servers were kept from running. */
    CU_ASSERT_TRUE(trials_score(a, "busy neighbours", is_loaded, false) >=
                   amount_busy.trials * n_rows / 2);
    (void)trials_score(a, "quiet trials", is_quiet, true);
}

static void teardown(void)
{
    struct err err = {.msg = ""};
    truth_run_close(&g.run);
    references_stop();
    (void)waitpid(-1, NULL, WNOHANG);
    for (size_t i = 0; i < n_rows; i++) {
        CU_ASSERT_TRUE(truth_stop(&g.servers[i]));
        if (g.partners[i].pid > 0)
            CU_ASSERT_TRUE(truth_stop(&g.partners[i]));
    }
    if (getenv("KEEP") != NULL)
        printf("note: kept %s\n", g.dir);
    else
        CU_ASSERT_EQUAL(tree_remove(g.dir, &err), 0);
}

static void test_the_truth_lies_within(void)
{
    struct err err = {.msg = ""};
    const char *full = getenv("BLACKSTART_FULL");
    g.full = full != NULL && strcmp(full, "yes") == 0;
    setup();
    trials_run(g.full ? &amount_idle : &amount_short, false);
    if (g.full)
        trials_run(&amount_busy, true);
    CLEANUP_HISTORY struct history *h = NULL;
    CLEANUP_ANALYSIS struct analysis *a = NULL;
    must(truth_run_analyse(&g.run, g.dir, &h, &a, &err), &err);
    all_score(a);
    struct quietness q = references_read();
    printf("figure: a loop of 1 ms beside it lost %.2f %% of its slots\n",
           q.slots != 0 ? 100.0 * (double)q.lost / (double)q.slots : 0);
    int64_t cpu = 0, sent = 0;
    for (size_t i = 0; i < h->n_trials; i++) {
        cpu += h->trials[i].cpu_ns;
        sent += h->trials[i].sent;
    }
    printf("figure: prober's CPU time %.1f us a probe over %lld probes\n",
           sent != 0 ? (double)cpu / (double)sent / 1e3 : 0, (long long)sent);
    teardown();
}

static const struct check_test tests[] = {
    {"the truth lies within", test_the_truth_lies_within},
};

CHECK_MAIN("ground truth", tests)
