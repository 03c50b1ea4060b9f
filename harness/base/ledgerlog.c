/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writing half: one line of text for each thing that happened. */
#include "base/ledgerlog.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDS_LINE = 60000 };

const char *ledger_result_word(enum ledger_result r)
{
    static const char *const words[] = {"pending", "ok", "fail", "unknown"};
    return words[r];
}

/* Any text as the rest of one line. */
static const char *clean(const char *text, char out[LEDGERLOG_WHY])
{
    (void)snprintf(out, LEDGERLOG_WHY, "%s", text != NULL ? text : "");
    utf8_clean(out, strlen(out));
    return out;
}

void ledgerlog_put_head(struct buf *out, const char *name, const char *from)
{
    buf_printf(out, "blackstart-ledger 1 %s %s\n", name, from);
}

void ledgerlog_put_view(struct buf *out, uint32_t view, const char *name)
{
    char text[LEDGERLOG_WHY];
    buf_printf(out, "v %" PRIu32 " %s\n", view, clean(name, text));
}

void ledgerlog_put_trial(struct buf *out, uint32_t trial, int64_t t)
{
    buf_printf(out, "t %" PRIu32 " %" PRId64 "\n", trial, t);
}

void ledgerlog_put_intent(struct buf *out, uint64_t id, int64_t due, int64_t sent)
{
    buf_printf(out, "w %" PRIu64 " %" PRId64 " %" PRId64 "\n", id, due, sent);
}

void ledgerlog_put_result(struct buf *out, uint64_t id, enum ledger_result result, int64_t done,
                          const char *why)
{
    char text[LEDGERLOG_WHY];
    if (result == LEDGER_OK)
        buf_printf(out, "a %" PRIu64 " %" PRId64 "\n", id, done);
    else
        buf_printf(out, "%c %" PRIu64 " %" PRId64 " %s\n", result == LEDGER_FAIL ? 'f' : 'u', id,
                   done, clean(why, text));
}

void ledgerlog_put_gap(struct buf *out, uint64_t first, uint64_t n)
{
    buf_printf(out, "g %" PRIu64 " %" PRIu64 "\n", first, n);
}

void ledgerlog_put_until(struct buf *out, int64_t t)
{
    buf_printf(out, "s %" PRId64 "\n", t);
}

void ledgerlog_put_read(struct buf *out, uint32_t round, uint32_t view, int64_t t)
{
    buf_printf(out, "r %" PRIu32 " %" PRIu32 " %" PRId64 "\n", round, view, t);
}

static int compare(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* The ids from `at` on that make one range; returns where the next begins. */
static size_t range_next(const uint64_t *ids, size_t n, size_t at, struct ledgerlog_range *ret)
{
    size_t end = at;
    *ret = (struct ledgerlog_range){.from = ids[at], .to = ids[at], .times = 0};
    while (end < n && ids[end] == ids[at])
        end++;
    ret->times = (uint32_t)(end - at);
    while (end < n && ids[end] == ret->to + 1) {
        size_t same = end;
        while (same < n && ids[same] == ids[end])
            same++;
        if (same - end != ret->times)
            break;
        ret->to = ids[end];
        end = same;
    }
    return end;
}

void ledgerlog_put_ids(struct buf *out, uint64_t *ids, size_t n)
{
    size_t line = 0;
    if (n != 0)
        qsort(ids, n, sizeof(*ids), compare);
    for (size_t at = 0; at < n;) {
        struct ledgerlog_range r;
        size_t before = out->len;
        at = range_next(ids, n, at, &r);
        buf_puts(out, line == 0 ? "i" : "");
        buf_printf(out, " %" PRIu64, r.from);
        if (r.to != r.from)
            buf_printf(out, "-%" PRIu64, r.to);
        if (r.times != 1)
            buf_printf(out, "x%" PRIu32, r.times);
        line += out->len - before;
        if (line > IDS_LINE || at == n) {
            buf_puts(out, "\n");
            line = 0;
        }
    }
}

void ledgerlog_put_same(struct buf *out)
{
    buf_puts(out, "m\n");
}

void ledgerlog_put_read_end(struct buf *out, bool ok, int64_t t, const char *why)
{
    char text[LEDGERLOG_WHY];
    if (ok)
        buf_printf(out, "e %" PRId64 "\n", t);
    else
        buf_printf(out, "x %" PRId64 " %s\n", t, clean(why, text));
}

void ledgerlog_put_reading_over(struct buf *out)
{
    buf_puts(out, "z\n");
}
