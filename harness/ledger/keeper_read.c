/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading back: rounds of full reads, one view after the other. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "ledger/keeper_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { VIEW_LIMIT_S = 10, PAUSE_MS = 200, PAUSE_MAX_MS = 1000, LINES_MAX = 192 << 20 };

/* What one view showed last. */
struct seen {
    bool ok, same; /* same: as in the round before */
    struct ledger_ids ids;
};

struct reading {
    struct keeper *k;
    void *client;
    int64_t limit; /* CLOCK_MONOTONIC */
    uint32_t round;
    struct seen *seen;
    size_t n;
    bool (*ended)(void *ctx);
    void *ctx;
};

static bool ids_equal(const struct ledger_ids *a, const struct ledger_ids *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->ids, b->ids, a->n * sizeof(*a->ids)) == 0);
}

static int view_read(struct reading *r, size_t view, struct err *err)
{
    struct keeper *k = r->k;
    struct seen *s = &r->seen[view];
    struct ledger_ids now = {NULL, 0, 0};
    struct err why = {.msg = ""};
    CLEANUP_BUF struct buf lines = BUF_INIT(LINES_MAX);
    int64_t limit = clock_system(CLOCK_MONOTONIC) + VIEW_LIMIT_S * NS_PER_SEC;
    ledgerlog_put_read(&lines, r->round, (uint32_t)view, keeper_now(k));
    bool ok = k->spec.kind->ops->read(r->client, view == 0 ? LEDGER_VIEW_CLIENT : view - 1, limit,
                                      &now, &why) == 0;
    struct buf ids = BUF_INIT(LINES_MAX);
    if (ok)
        ledgerlog_put_ids(&ids, now.ids, now.n); /* sorts them */
    s->same = ok && s->ok && r->round != 0 && ids_equal(&s->ids, &now);
    if (s->same)
        ledgerlog_put_same(&lines);
    else
        buf_add(&lines, buf_text(&ids), ids.len);
    ledgerlog_put_read_end(&lines, ok, keeper_now(k), why.msg);
    if (!buf_ok(&ids))
        lines.failed = true;
    buf_free(&ids);
    free(s->ids.ids);
    s->ids = now;
    s->ok = ok;
    return keeper_put(k, &lines, err);
}

/* Every view as in the round before, and all of them alike. */
static bool is_steady(const struct reading *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (!r->seen[i].same || !ids_equal(&r->seen[0].ids, &r->seen[i].ids))
            return false;
    return true;
}

static int rounds_read(struct reading *r, struct err *err)
{
    long pause_ms = PAUSE_MS;
    for (;; r->round++) {
        for (size_t i = 0; i < r->n; i++)
            if (r->ended(r->ctx))
                return 0;
            else if (view_read(r, i, err) != 0)
                return -1;
        if (is_steady(r) || clock_system(CLOCK_MONOTONIC) >= r->limit)
            return 0;
        struct timespec pause = clock_timespec(pause_ms * NS_PER_MS);
        (void)nanosleep(&pause, NULL);
        pause_ms = pause_ms < PAUSE_MAX_MS ? pause_ms + PAUSE_MS : PAUSE_MAX_MS;
    }
}

static int over_put(struct keeper *k, struct err *err)
{
    CLEANUP_BUF struct buf line = BUF_INIT(LEDGERLOG_LINE);
    ledgerlog_put_reading_over(&line);
    return keeper_put(k, &line, err);
}

int keeper_read_back(struct keeper *k, int64_t within_ns, bool (*ended)(void *ctx), void *ctx,
                     struct err *err)
{
    const struct ledger_ops *ops = k->spec.kind->ops;
    struct reading r = {.k = k,
                        .n = 1 + (k->spec.each ? k->spec.n_hosts : 0),
                        .limit = clock_system(CLOCK_MONOTONIC) + within_ns,
                        .ended = ended,
                        .ctx = ctx};
    /* Whatever is judged of these reads rests on acknowledgements that are durable. */
    if (log_flush(k->log, err) != 0)
        return -1;
    r.seen = calloc(r.n, sizeof(*r.seen));
    if (r.seen == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "read back");
    int rc = ops->open(&k->place, &r.client, err);
    if (rc == 0) {
        rc = rounds_read(&r, err);
        ops->close(r.client);
    }
    for (size_t i = 0; i < r.n; i++)
        free(r.seen[i].ids.ids);
    free(r.seen);
    if (rc == 0)
        rc = over_put(k, err);
    return rc == 0 ? log_flush(k->log, err) : -1;
}
