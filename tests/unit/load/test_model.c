/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users, arrivals and retries in virtual time: a service is a function from an attempt to its
 * answer and how long that takes. */
#include "base/buf.h"
#include "base/clock.h"
#include "check.h"
#include "load/load.h"
#include "load/model.h"

#include <stdio.h>
#include <string.h>

enum { SENT_MAX = 200000, PLACES = 300 };

struct answer {
    enum load_outcome outcome;
    int64_t after; /* INT64_MAX: none ever */
};
typedef struct answer service(const struct model_task *t);

struct world {
    struct model *m;
    int64_t now, answers[PLACES]; /* when each user's attempt is answered */
    enum load_outcome outcomes[PLACES];
    int64_t sent[SENT_MAX]; /* when each attempt went out */
    uint32_t attempt[SENT_MAX];
    size_t n_sent, cancelled, most_in_flight, most_busy;
};

static const struct load_shape plain = {.users = 1,
                                        .rate = 1,
                                        .in_flight = 256,
                                        .timeout = {NS_PER_SEC},
                                        .retry = {.factor = 2,
                                                  .at_most = {10 * NS_PER_SEC},
                                                  .jitter = LOAD_JITTER_NONE,
                                                  .on = LOAD_ON_DEFAULT}};

static struct world *world_new(const struct load_shape *shape, uint64_t seed)
{
    static struct world w;
    struct err err;
    memset(&w, 0, sizeof(w));
    for (size_t i = 0; i < PLACES; i++)
        w.answers[i] = INT64_MAX;
    CU_ASSERT_EQUAL_FATAL(model_new(shape, seed, &w.m, &err), 0);
    return &w;
}

static void take_all(struct world *w, service *serve)
{
    for (;;) {
        struct model_task t = model_take(w->m, w->now);
        if (t.what == MODEL_NOTHING)
            return;
        if (t.what == MODEL_CANCEL) {
            w->answers[t.user] = INT64_MAX;
            w->cancelled++;
            continue;
        }
        struct answer a = serve(&t);
        w->answers[t.user] = a.after == INT64_MAX ? INT64_MAX : w->now + a.after;
        w->outcomes[t.user] = a.outcome;
        if (w->n_sent < SENT_MAX) {
            w->attempt[w->n_sent] = t.attempt;
            w->sent[w->n_sent++] = w->now;
        }
        size_t flying = model_in_flight(w->m), busy = model_busy(w->m);
        w->most_in_flight = flying > w->most_in_flight ? flying : w->most_in_flight;
        w->most_busy = busy > w->most_busy ? busy : w->most_busy;
    }
}

static void run_until(struct world *w, int64_t end, service *serve)
{
    for (;;) {
        size_t first = 0;
        take_all(w, serve);
        for (size_t i = 1; i < PLACES; i++)
            first = w->answers[i] < w->answers[first] ? i : first;
        int64_t next = model_next(w->m);
        bool answer = w->answers[first] < next;
        next = answer ? w->answers[first] : next;
        if (next > end)
            break;
        w->now = next;
        if (answer) {
            w->answers[first] = INT64_MAX;
            model_done(w->m, first, w->outcomes[first], w->now);
        }
    }
    w->now = end;
}

static struct answer good(const struct model_task *t)
{
    (void)t;
    return (struct answer){LOAD_OK, 10 * NS_PER_MS};
}

static struct answer silent(const struct model_task *t)
{
    (void)t;
    return (struct answer){LOAD_OK, INT64_MAX};
}

static struct answer conflict(const struct model_task *t)
{
    (void)t;
    return (struct answer){LOAD_CONFLICT, 0};
}

static struct answer third_time(const struct model_task *t)
{
    return (struct answer){t->attempt == 3 ? LOAD_OK : LOAD_CONFLICT, NS_PER_MS};
}

static struct answer refused(const struct model_task *t)
{
    (void)t;
    return (struct answer){LOAD_REFUSED, 0};
}

/* 10 users, 10 ms for an answer, 90 ms of thought: 10 / 100 ms = 100 a second. */
static void test_closed(void)
{
    struct load_shape s = plain;
    s.users = 10;
    s.think.ns = 90 * NS_PER_MS;
    struct world *w = world_new(&s, 1);
    model_start(w->m, 0);
    run_until(w, 100 * NS_PER_SEC, good);
    const struct load_tally *t = model_tally(w->m);
    CU_ASSERT(t->ok > 9800 && t->ok < 10200);
    CU_ASSERT_EQUAL(t->attempts, t->begun);
    CU_ASSERT_EQUAL(t->failed, 0);
    CU_ASSERT(w->most_in_flight <= 10);
    CU_ASSERT_EQUAL(model_heard(w->m), 10);
    CU_ASSERT_EQUAL(t->latency.n, t->ok);
    CU_ASSERT_EQUAL(t->latency.most, 10 * NS_PER_MS);
    model_free(w->m);
}

/* Users wait for their answer: one that takes 1 s holds them up, and the rate falls with it. */
static void test_closed_waits(void)
{
    struct load_shape s = plain;
    s.users = 5;
    s.timeout.ns = 2 * NS_PER_SEC;
    struct world *w = world_new(&s, 1);
    model_start(w->m, 0);
    run_until(w, 100 * NS_PER_SEC, silent);
    const struct load_tally *t = model_tally(w->m);
    CU_ASSERT_EQUAL(t->failures[LOAD_TIMEOUT], 250);
    CU_ASSERT_EQUAL(t->failed, 250);
    CU_ASSERT_EQUAL(w->cancelled, 250);
    CU_ASSERT_EQUAL(t->ok, 0);
    model_free(w->m);
}

/* An open loop goes on whatever is answered; what is too much under way is not sent, and counted.
 */
static void test_open(void)
{
    struct load_shape s = plain;
    s.model = LOAD_OPEN;
    s.rate = 100;
    s.arrivals = LOAD_EVEN;
    s.in_flight = 20;
    struct world *w = world_new(&s, 1);
    model_start(w->m, 0);
    run_until(w, 10 * NS_PER_SEC, good);
    CU_ASSERT_EQUAL(model_tally(w->m)->begun, 1000);
    CU_ASSERT_EQUAL(model_tally(w->m)->not_sent, 0);
    run_until(w, 20 * NS_PER_SEC, silent); /* 1 s each: at most 20 a second */
    const struct load_tally *t = model_tally(w->m);
    CU_ASSERT_EQUAL(t->begun + t->not_sent, 2000);
    CU_ASSERT(t->begun - 1000 >= 190 && t->begun - 1000 <= 202);
    CU_ASSERT_EQUAL(w->most_busy, 20);
    model_free(w->m);
}

/* As many as the rate gives; gaps as those of a Poisson process, whose deviation is their mean. */
static void test_poisson(void)
{
    struct load_shape s = plain;
    s.model = LOAD_OPEN;
    s.rate = 1000;
    struct world *w = world_new(&s, 7);
    double sum = 0, squares = 0;
    model_start(w->m, 0);
    run_until(w, 100 * NS_PER_SEC, good);
    CU_ASSERT(w->n_sent > 98500 && w->n_sent < 101500);
    for (size_t i = 1; i < w->n_sent; i++) {
        double gap = (double)(w->sent[i] - w->sent[i - 1]) / 1e6;
        sum += gap;
        squares += gap * gap;
    }
    double n = (double)w->n_sent - 1, mean = sum / n, variance = squares / n - mean * mean;
    printf("figure: Poisson arrivals: mean %.3f ms, variance %.3f\n", mean, variance);
    CU_ASSERT(mean > 0.985 && mean < 1.015);
    CU_ASSERT(variance > 0.95 && variance < 1.05);
    model_free(w->m);
}

/* 10, 20, 40 ms, then 50 each, and 6 attempts in all. */
static void test_backoff(void)
{
    static const int64_t waits[] = {10, 20, 40, 50, 50};
    struct load_shape s = plain;
    s.think.ns = 1000 * NS_PER_SEC;
    s.retry.limit = 5;
    s.retry.backoff.ns = 10 * NS_PER_MS;
    s.retry.at_most.ns = 50 * NS_PER_MS;
    struct world *w = world_new(&s, 3);
    model_start(w->m, 0);
    run_until(w, 1000 * NS_PER_SEC, conflict);
    CU_ASSERT_EQUAL_FATAL(w->n_sent, 6);
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(w->sent[i + 1] - w->sent[i], waits[i] * NS_PER_MS);
    CU_ASSERT_EQUAL(model_tally(w->m)->failed, 1);
    CU_ASSERT_EQUAL(model_tally(w->m)->failures[LOAD_CONFLICT], 6);
    model_free(w->m);
}

/* Full jitter: evenly between nothing and the wait, so that half of it is the mean. */
static void test_jitter(void)
{
    struct load_shape s = plain;
    size_t tenths[10] = {0}, n = 0;
    s.retry.limit = 1;
    s.retry.backoff.ns = 100 * NS_PER_MS;
    s.retry.jitter = LOAD_JITTER_FULL;
    struct world *w = world_new(&s, 11);
    model_start(w->m, 0);
    run_until(w, 1000 * NS_PER_SEC, conflict);
    for (size_t i = 1; i < w->n_sent; i++) {
        if (w->attempt[i] != 2)
            continue;
        int64_t wait = w->sent[i] - w->sent[i - 1];
        CU_ASSERT(wait >= 0 && wait <= 100 * NS_PER_MS);
        tenths[wait / (10 * NS_PER_MS + 1)]++;
        n++;
    }
    CU_ASSERT_FATAL(n > 15000);
    for (size_t i = 0; i < 10; i++)
        CU_ASSERT(tenths[i] > n / 10 - n / 100 && tenths[i] < n / 10 + n / 100);
    model_free(w->m);
}

/* Attempts are of one operation, and its latency is from the first to the one that was good. */
static void test_retries(void)
{
    struct load_shape s = plain;
    s.retry.limit = 2;
    s.retry.backoff.ns = 10 * NS_PER_MS;
    s.think.ns = 10 * NS_PER_MS;
    struct world *w = world_new(&s, 1);
    model_start(w->m, 0);
    run_until(w, 10 * NS_PER_SEC, third_time);
    const struct load_tally *t = model_tally(w->m);
    CU_ASSERT(t->ok > 100);
    CU_ASSERT_EQUAL(t->failures[LOAD_CONFLICT] / 2, t->begun - (t->attempts % 3 == 1));
    CU_ASSERT_EQUAL(t->latency.most, 33 * NS_PER_MS); /* 1 + 10 + 1 + 20 + 1 */
    model_free(w->m);
    s.retry.limit = 1; /* one too few */
    w = world_new(&s, 1);
    model_start(w->m, 0);
    run_until(w, 10 * NS_PER_SEC, third_time);
    CU_ASSERT_EQUAL(model_tally(w->m)->ok, 0);
    CU_ASSERT(model_tally(w->m)->failed > 100);
    model_free(w->m);
    s.retry.limit = 5; /* but not for this failure */
    s.retry.on = 1 << LOAD_TIMEOUT;
    w = world_new(&s, 1);
    model_start(w->m, 0);
    run_until(w, 10 * NS_PER_SEC, third_time);
    CU_ASSERT_EQUAL(model_tally(w->m)->attempts, model_tally(w->m)->begun);
    model_free(w->m);
}

/* A refusal takes no time: without a floor this would be an endless loop. */
static void test_refused(void)
{
    struct load_shape s = plain;
    s.retry.limit = 500;
    struct world *w = world_new(&s, 1);
    model_start(w->m, 0);
    run_until(w, NS_PER_SEC, refused);
    CU_ASSERT(model_tally(w->m)->attempts >= 999 && model_tally(w->m)->attempts <= 1001);
    model_free(w->m);
}

static void test_turns(void)
{
    struct load_shape s = plain;
    s.users = 2;
    struct world *w = world_new(&s, 1);
    model_start(w->m, 0);
    struct model_task a = model_take(w->m, 0), b = model_take(w->m, 0);
    CU_ASSERT_EQUAL(a.turn, a.user);
    CU_ASSERT_EQUAL(b.turn, b.user);
    CU_ASSERT_NOT_EQUAL(a.user, b.user);
    CU_ASSERT_NOT_EQUAL(a.id, b.id);
    model_done(w->m, a.user, LOAD_TIMEOUT, 5);
    model_done(w->m, b.user, LOAD_CONFLICT, 5);
    struct model_task c = model_take(w->m, 5), d = model_take(w->m, 5);
    CU_ASSERT_EQUAL(c.turn + d.turn, a.turn + 1 + b.turn);
    model_free(w->m);
}

/* More users begin at once, fewer end with what they have under way. */
static void test_change(void)
{
    struct load_shape s = plain, more = plain;
    s.users = 2;
    more.users = 64;
    struct world *w = world_new(&s, 1);
    model_start(w->m, 0);
    run_until(w, NS_PER_SEC, good);
    CU_ASSERT_EQUAL(w->most_in_flight, 2);
    model_change(w->m, &more, w->now);
    CU_ASSERT_EQUAL(model_heard(w->m), 0);
    run_until(w, 2 * NS_PER_SEC, good);
    CU_ASSERT_EQUAL(w->most_in_flight, 64);
    CU_ASSERT_EQUAL(model_heard(w->m), 64);
    model_change(w->m, &s, w->now);
    run_until(w, 2 * NS_PER_SEC + 20 * NS_PER_MS, good);
    w->most_in_flight = 0;
    run_until(w, 3 * NS_PER_SEC, good);
    CU_ASSERT_EQUAL(w->most_in_flight, 2);
    model_stop(w->m);
    CU_ASSERT_EQUAL(model_next(w->m), INT64_MAX);
    CU_ASSERT_EQUAL(model_in_flight(w->m), 0);
    CU_ASSERT_EQUAL(model_busy(w->m), 0);
    model_free(w->m);
}

/* The seed alone decides. */
static void test_seed(void)
{
    struct load_shape s = plain;
    static int64_t first[100];
    s.model = LOAD_OPEN;
    s.rate = 50;
    struct world *w = world_new(&s, 5);
    model_start(w->m, 0);
    run_until(w, 10 * NS_PER_SEC, good);
    memcpy(first, w->sent, sizeof(first));
    model_free(w->m);
    w = world_new(&s, 5);
    model_start(w->m, 0);
    run_until(w, 10 * NS_PER_SEC, good);
    CU_ASSERT_EQUAL(memcmp(first, w->sent, sizeof(first)), 0);
    model_free(w->m);
    w = world_new(&s, 6);
    model_start(w->m, 0);
    run_until(w, 10 * NS_PER_SEC, good);
    CU_ASSERT_NOT_EQUAL(memcmp(first, w->sent, sizeof(first)), 0);
    model_free(w->m);
}

static void test_template(void)
{
    const struct named_host host = {.name = "n1", .ip = "10.0.0.1", .ip6 = "fd00::1"};
    struct buf out = BUF_INIT(200);
    load_template("http://${host}/${host.ip}/[${host.ip6}]/{id}?u={user}&x={y}${z}$", 42, 6, &host,
                  &out);
    CU_ASSERT_STRING_EQUAL(buf_text(&out), "http://n1/10.0.0.1/[fd00::1]/42?u=7&x={y}${z}$");
    buf_free(&out);
}

static void test_kinds(void)
{
    struct err err;
    CU_ASSERT_EQUAL(
        param_table_check(load_shape_params, load_n_shape_params, sizeof(struct load_shape), &err),
        0);
    for (size_t i = 0; i < load_kinds.n; i++)
        CU_ASSERT_EQUAL(param_table_check(load_kinds.rows[i]->params, load_kinds.rows[i]->n_params,
                                          load_kinds.rows[i]->args_size, &err),
                        0);
}

static const struct check_test tests[] = {
    {"a closed loop", test_closed}, {"users wait", test_closed_waits},
    {"an open loop", test_open},    {"Poisson arrivals", test_poisson},
    {"back-off", test_backoff},     {"full jitter", test_jitter},
    {"retries", test_retries},      {"refusals", test_refused},
    {"hosts in turn", test_turns},  {"a change", test_change},
    {"the seed", test_seed},        {"words in braces", test_template},
    {"tables", test_kinds},
};

CHECK_MAIN("load/model", tests)
