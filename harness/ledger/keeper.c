/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "ledger/keeper_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STACK = 1 << 20, CALM_GRACE_S = 5 };

int64_t keeper_now(const struct keeper *k)
{
    return clock_system(CLOCK_MONOTONIC) - k->spec.epoch_ns;
}

static void keep_failure(struct keeper *k, const struct err *why)
{
    (void)pthread_mutex_lock(&k->lock);
    if (!k->failed)
        k->why = *why;
    k->failed = true;
    (void)pthread_mutex_unlock(&k->lock);
}

int keeper_put(struct keeper *k, const struct buf *lines, struct err *err)
{
    if (log_append(k->log, lines, err) == 0)
        return 0;
    keep_failure(k, err);
    return -1;
}

/* One write from intent to result. Without its intent in the file nothing is sent. */
static void worker_write(struct worker *w)
{
    struct keeper *k = w->keeper;
    CLEANUP_BUF struct buf line = BUF_INIT(4096);
    struct err err;
    char why[LEDGERLOG_WHY] = "";
    enum ledger_result result = LEDGER_FAIL;
    if (w->client == NULL && k->spec.kind->ops->open(&k->place, &w->client, &err) != 0) {
        keep_failure(k, &err);
        return;
    }
    int64_t sent = keeper_now(k);
    ledgerlog_put_intent(&line, w->id, w->due_ns - k->spec.epoch_ns, sent);
    if (keeper_put(k, &line, &err) != 0)
        return;
    int64_t deadline = sent + k->spec.epoch_ns + k->spec.timeout_ns;
    result = k->spec.kind->ops->write(w->client, w->id, deadline, why);
    buf_drop(&line, line.len);
    ledgerlog_put_result(&line, w->id, result, keeper_now(k), why);
    (void)keeper_put(k, &line, &err);
}

static void *worker_run(void *ctx)
{
    struct worker *w = ctx;
    struct keeper *k = w->keeper;
    (void)pthread_mutex_lock(&k->lock);
    for (;;) {
        while (!w->busy && !k->stop)
            (void)pthread_cond_wait(&w->wake, &k->lock);
        if (!w->busy)
            break;
        (void)pthread_mutex_unlock(&k->lock);
        worker_write(w);
        (void)pthread_mutex_lock(&k->lock);
        w->busy = false;
        w->next_idle = k->idle;
        k->idle = w;
        k->n_busy--;
        (void)pthread_cond_signal(&k->calm);
    }
    (void)pthread_mutex_unlock(&k->lock);
    return NULL;
}

/* NULL: all are under way, or there is no room for one more. */
static struct worker *worker_new(struct keeper *k)
{
    /* A write may outstay its time by what connecting and a busy machine take. */
    size_t most = 2 * (size_t)(k->spec.timeout_ns / k->spec.every_ns) + 16;
    if (k->n_workers == (most < KEEPER_WORKERS_MAX ? most : KEEPER_WORKERS_MAX))
        return NULL;
    struct worker *w = calloc(1, sizeof(*w));
    pthread_attr_t attr;
    if (w == NULL || pthread_attr_init(&attr) != 0) {
        free(w);
        return NULL;
    }
    w->keeper = k;
    (void)pthread_cond_init(&w->wake, NULL);
    (void)pthread_attr_setstacksize(&attr, STACK);
    if (pthread_create(&w->thread, &attr, worker_run, w) != 0) {
        (void)pthread_cond_destroy(&w->wake);
        free(w);
        w = NULL;
    } else {
        k->workers[k->n_workers++] = w;
    }
    (void)pthread_attr_destroy(&attr);
    return w;
}

static bool hand_out(struct keeper *k, uint64_t id, int64_t due)
{
    (void)pthread_mutex_lock(&k->lock);
    struct worker *w = k->idle;
    if (w != NULL)
        k->idle = w->next_idle;
    else
        w = worker_new(k);
    if (w != NULL) {
        w->id = id;
        w->due_ns = due;
        w->busy = true;
        k->n_busy++;
        (void)pthread_cond_signal(&w->wake);
    }
    (void)pthread_mutex_unlock(&k->lock);
    return w != NULL;
}

static void gap_put(struct keeper *k)
{
    CLEANUP_BUF struct buf line = BUF_INIT(LEDGERLOG_LINE);
    struct err err;
    if (k->gap_n == 0)
        return;
    ledgerlog_put_gap(&line, k->gap_first, k->gap_n);
    k->gap_n = 0;
    (void)keeper_put(k, &line, &err);
}

/* Up to a tenth of the interval either way, so that it does not beat with what the system does at
 * fixed times. */
static int64_t due_of(const struct keeper *k, uint64_t id)
{
    uint64_t draw = DIGEST_START;
    digest_add(&draw, &k->spec.seed, sizeof(k->spec.seed));
    digest_add(&draw, &id, sizeof(id));
    int64_t span = k->spec.every_ns / 5;
    int64_t jitter = span > 0 ? (int64_t)(draw % (uint64_t)span) - span / 2 : 0;
    return k->base_ns + (int64_t)(id - k->base_id) * k->spec.every_ns + jitter;
}

static void slot_run(struct keeper *k, int64_t now)
{
    uint64_t id = k->next_id++;
    bool late = now - k->due_ns > k->spec.every_ns;
    if (!late && hand_out(k, id, k->due_ns)) {
        gap_put(k);
    } else {
        if (k->gap_n == 0)
            k->gap_first = id;
        k->gap_n++;
    }
    k->due_ns = due_of(k, k->next_id);
}

int64_t keeper_turn(struct keeper *k)
{
    if (!k->running || k->spec.reads_only)
        return INT64_MAX;
    for (int64_t now = clock_system(CLOCK_MONOTONIC); k->due_ns <= now;
         now = clock_system(CLOCK_MONOTONIC))
        slot_run(k, now);
    return k->due_ns;
}

int keeper_start(struct keeper *k, uint32_t trial, struct err *err)
{
    CLEANUP_BUF struct buf line = BUF_INIT(LEDGERLOG_LINE);
    if (k->running)
        return make_error(err, ERR_PROTOCOL, 0, "a trial is under way");
    k->trial = trial;
    (void)snprintf(k->collection, sizeof(k->collection), "%s:%" PRIu32, k->base, trial);
    int64_t limit = clock_system(CLOCK_MONOTONIC) + KEEPER_PREPARE_S * NS_PER_SEC;
    keeper_reading_free(k);
    if (!k->spec.reads_only && k->spec.kind->ops->prepare != NULL &&
        k->spec.kind->ops->prepare(&k->place, limit, err) != 0)
        return -1;
    ledgerlog_put_trial(&line, trial, keeper_now(k));
    if (keeper_put(k, &line, err) != 0)
        return -1;
    k->base_ns = clock_system(CLOCK_MONOTONIC) + k->spec.every_ns;
    k->base_id = k->next_id;
    k->due_ns = due_of(k, k->next_id);
    k->running = true;
    return 0;
}

/* Their connections lead to this trial's collection no more. */
static void clients_close(struct keeper *k)
{
    for (size_t i = 0; i < k->n_workers; i++) {
        if (!k->workers[i]->busy && k->workers[i]->client != NULL) {
            k->spec.kind->ops->close(k->workers[i]->client);
            k->workers[i]->client = NULL;
        }
    }
}

static int wait_calm(struct keeper *k)
{
    struct timespec until = clock_timespec(clock_system(CLOCK_REALTIME) + k->spec.timeout_ns +
                                           CALM_GRACE_S * NS_PER_SEC);
    int r = 0;
    (void)pthread_mutex_lock(&k->lock);
    while (k->n_busy != 0 && r == 0)
        r = pthread_cond_timedwait(&k->calm, &k->lock, &until);
    (void)pthread_mutex_unlock(&k->lock);
    return r;
}

int keeper_stop(struct keeper *k, struct err *err)
{
    CLEANUP_BUF struct buf line = BUF_INIT(LEDGERLOG_LINE);
    if (!k->running)
        return make_error(err, ERR_PROTOCOL, 0, "no trial is under way");
    (void)keeper_turn(k);
    int64_t until = keeper_now(k);
    k->running = false;
    gap_put(k);
    if (wait_calm(k) != 0)
        return make_error(err, ERR_TIMEOUT, 0, "a write does not end");
    clients_close(k);
    ledgerlog_put_until(&line, until);
    return keeper_put(k, &line, err);
}

const struct err *keeper_failure(struct keeper *k)
{
    (void)pthread_mutex_lock(&k->lock);
    bool failed = k->failed;
    (void)pthread_mutex_unlock(&k->lock);
    return failed ? &k->why : NULL;
}

static int head_put(struct keeper *k, struct err *err)
{
    CLEANUP_BUF struct buf lines = BUF_INIT(64 * 1024);
    uint32_t view = 0;
    ledgerlog_put_head(&lines, k->name, k->from);
    ledgerlog_put_view(&lines, view++, "as a client");
    for (size_t i = 0; k->spec.each && i < k->spec.n_hosts; i++)
        ledgerlog_put_view(&lines, view++, k->spec.hosts[i].name);
    return keeper_put(k, &lines, err);
}

int keeper_new(const struct keeper_spec *spec, struct log *log, struct keeper **ret,
               struct err *err)
{
    struct keeper *k = calloc(1, sizeof(*k));
    if (k == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "ledger");
    k->spec = *spec;
    (void)snprintf(k->name, sizeof(k->name), "%s", spec->name);
    (void)snprintf(k->from, sizeof(k->from), "%s", spec->from);
    (void)snprintf(k->base, sizeof(k->base), "%s", spec->collection);
    k->place = (struct ledger_place){.args = spec->args,
                                     .hosts = spec->hosts,
                                     .n_hosts = spec->n_hosts,
                                     .collection = k->collection};
    k->log = log;
    k->next_id = 1;
    (void)pthread_mutex_init(&k->lock, NULL);
    (void)pthread_cond_init(&k->calm, NULL);
    if (head_put(k, err) != 0) {
        keeper_free(k);
        return -1;
    }
    *ret = k;
    return 0;
}

void keeper_free(struct keeper *k)
{
    if (k == NULL)
        return;
    (void)pthread_mutex_lock(&k->lock);
    k->stop = true;
    for (size_t i = 0; i < k->n_workers; i++)
        (void)pthread_cond_signal(&k->workers[i]->wake);
    (void)pthread_mutex_unlock(&k->lock);
    for (size_t i = 0; i < k->n_workers; i++)
        (void)pthread_join(k->workers[i]->thread, NULL);
    clients_close(k);
    keeper_reading_free(k);
    for (size_t i = 0; i < k->n_workers; i++) {
        (void)pthread_cond_destroy(&k->workers[i]->wake);
        free(k->workers[i]);
    }
    (void)pthread_cond_destroy(&k->calm);
    (void)pthread_mutex_destroy(&k->lock);
    free(k);
}
