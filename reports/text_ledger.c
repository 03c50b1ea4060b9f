/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writes of each ledger: how many, what every view has of them, and those that are not as they
 * should be. */
#include "reports/text_parts.h"

#include <inttypes.h>

enum { WRITES_SHOWN = 20 };

static void put_views(struct buf *out, const struct analysis_ledger *l)
{
    for (size_t i = 0; i < l->n_views; i++) {
        const struct analysis_view *v = &l->views[i];
        buf_printf(out, "      read from %s, %s: ", v->vantage, v->name);
        if (v->read)
            buf_printf(out, "%u there, %u acknowledged absent, %u phantoms, %u duplicates\n",
                       v->present, v->absent, v->phantoms, v->duplicates);
        else
            buf_printf(out, "NOT READ: %s\n", v->why);
    }
}

static void put_writes(struct buf *out, const struct analysis_ledger *l)
{
    for (size_t i = 0; i < l->n_writes && i < WRITES_SHOWN; i++) {
        const struct analysis_write *w = &l->writes[i];
        buf_printf(out, "      %s: %" PRIu64 ", sent ", write_fate_word(w->fate), w->id);
        text_put_time(out, w->sent_ns);
        buf_puts(out, ", answered ");
        text_put_time(out, w->done_ns);
        if (w->times > 1)
            buf_printf(out, ", there %u times", w->times);
        buf_printf(out, "%s%s\n", w->why[0] != '\0' ? ", " : "", w->why);
    }
    if (l->n_writes > WRITES_SHOWN)
        buf_printf(out, "      ... %zu more, all of them in result.json\n",
                   l->n_writes - WRITES_SHOWN);
}

static void put_ledger(struct buf *out, const struct analysis_ledger *l)
{
    buf_printf(out, "    ledger %s (%s) from %s, every %.3f s\n      %s\n", l->name, l->kind,
               l->from, (double)l->every_ns / 1e9, l->sentence);
    buf_printf(out,
               "      %u written: %u acknowledged, %u refused, %u unknown (%u of these are there), "
               "%u not sent\n",
               l->written, l->acknowledged, l->refused, l->unknown, l->unknown_present, l->gaps);
    if (l->rounds != 0)
        buf_printf(out,
                   "      read back in %u rounds: the last two %s, the views %s; %u phantoms, %u "
                   "duplicates, %u that were never written down\n",
                   l->rounds, l->known ? "the same" : "NOT THE SAME, OR NOT ALL",
                   l->agree ? "agree" : "DO NOT AGREE", l->phantoms, l->duplicates, l->strange);
    if (l->torn)
        buf_puts(out, "      ITS FILE IS TORN: what came last is not in it\n");
    if (l->lost_upper != 0) {
        buf_puts(out, "      time whose writes are gone: ");
        text_put_time(out, l->loss_ns.lo);
        buf_puts(out, " .. ");
        text_put_time(out, l->loss_ns.hi);
        buf_puts(out, "\n");
    }
    put_views(out, l);
    put_writes(out, l);
}

void text_put_ledgers(struct buf *out, const struct analysis_trial *t)
{
    for (size_t i = 0; i < t->n_ledgers; i++)
        put_ledger(out, &t->ledgers[i]);
}
