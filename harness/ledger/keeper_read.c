/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading back: rounds of full reads, one view after the other. How many rounds there are, is said
 * by the one who asks for them, who hears of other vantages too. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "ledger/keeper_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 192 << 20 };

/* What one view showed last. */
struct seen {
    bool ok, same; /* same: as in the round before */
    struct ledger_ids ids;
};

struct reading {
    struct keeper *k;
    void *client;
    uint32_t round;
    struct seen *seen;
    size_t n;
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
    int64_t limit = clock_system(CLOCK_MONOTONIC) + LEDGERLOG_VIEW_S * NS_PER_SEC;
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

static void round_tell(const struct reading *r, struct keeper_round *ret)
{
    const struct ledger_ids *ids = &r->seen[0].ids;
    uint64_t digest = DIGEST_START;
    ret->steady = is_steady(r);
    digest_add(&digest, &ids->n, sizeof(ids->n));
    if (ids->n != 0)
        digest_add(&digest, ids->ids, ids->n * sizeof(*ids->ids));
    digest_print(digest, ret->digest);
}

static int reading_new(struct keeper *k, struct err *err)
{
    /* Whatever is judged of these reads rests on acknowledgements that are durable. */
    if (log_flush(k->log, err) != 0)
        return -1;
    struct reading *r = calloc(1, sizeof(*r));
    size_t n = 1 + (k->spec.each ? k->spec.n_hosts : 0);
    k->reading = r;
    if (r == NULL || (r->seen = calloc(n, sizeof(*r->seen))) == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "read back");
    r->k = k;
    r->n = n;
    return k->spec.kind->ops->open(&k->place, &r->client, err);
}

void keeper_reading_free(struct keeper *k)
{
    struct reading *r = steal_ptr(&k->reading);
    if (r == NULL)
        return;
    if (r->client != NULL)
        k->spec.kind->ops->close(r->client);
    for (size_t i = 0; i < r->n; i++)
        free(r->seen[i].ids.ids);
    free(r->seen);
    free(r);
}

int keeper_read(struct keeper *k, bool (*ended)(void *ctx), void *ctx, struct keeper_round *ret,
                struct err *err)
{
    *ret = (struct keeper_round){.steady = false};
    if (k->running)
        return make_error(err, ERR_PROTOCOL, 0, "writes are due");
    if (k->reading == NULL && reading_new(k, err) != 0) {
        keeper_reading_free(k);
        return -1;
    }
    struct reading *r = k->reading;
    for (size_t i = 0; i < r->n; i++)
        if (ended(ctx))
            return 0;
        else if (view_read(r, i, err) != 0)
            return -1;
    round_tell(r, ret);
    r->round++;
    return 0;
}

int keeper_read_over(struct keeper *k, struct err *err)
{
    CLEANUP_BUF struct buf line = BUF_INIT(LEDGERLOG_LINE);
    keeper_reading_free(k);
    ledgerlog_put_reading_over(&line);
    return keeper_put(k, &line, err) == 0 ? log_flush(k->log, err) : -1;
}
