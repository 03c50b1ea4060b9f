/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each vantage saw of each endpoint, and how the probers themselves fared. */
#include "reports/text_parts.h"

#include <inttypes.h>
#include <math.h>

static void put_ms(struct buf *out, int64_t ns)
{
    if (ns < 0)
        buf_puts(out, "?");
    else
        buf_printf(out, "%.1f ms", (double)ns / 1e6);
}

static void put_share(struct buf *out, const char *what, double share)
{
    if (!isnan(share))
        buf_printf(out, ", %s %.1f %%", what, share * 100);
}

static void put_cell(struct buf *out, const struct analysis_trial *t, const struct analysis_cell *c)
{
    const struct analysis_probe *p = &t->probes[c->probe];
    buf_printf(out, "      %-16s %-12s %-12s ", p->name, p->from, c->host);
    if (c->scheduled == 0) {
        buf_puts(out, "nothing was measured\n");
        return;
    }
    buf_printf(out, "%7.3f %% good of %u", c->good_lo * 100, c->scheduled);
    if (c->gaps != 0)
        buf_printf(out, ", %u missing", c->gaps);
    if (c->outages != 0) {
        buf_printf(out, ", %u outage%s (%s), bad for ", c->outages, c->outages == 1 ? "" : "s",
                   sample_result_word(c->first_result));
        text_put_time(out, c->bad_ns.lo);
        buf_puts(out, " .. ");
        text_put_time(out, c->bad_ns.hi);
    }
    buf_printf(out, ", %.1f requests/s\n", c->per_second);
}

/* Where each stands is said when there are several; a cell each only where the line of its probe
 * does not say the same already. */
void text_put_matrix(struct buf *out, const struct analysis_trial *t)
{
    const struct analysis_matrix *x = &t->matrix;
    if (x->n_vantages < 2 && x->n_cells <= t->n_probes)
        return;
    buf_puts(out, "    vantages and endpoints, from the fault on\n");
    for (size_t i = 0; i < x->n_vantages && x->n_vantages > 1; i++)
        buf_printf(out, "      %s: %s\n", x->vantages[i].host, x->vantages[i].stands);
    buf_printf(out, "      %-16s %-12s %s\n", "probe", "vantage", "endpoint");
    for (size_t i = 0; i < x->n_cells; i++)
        put_cell(out, t, &x->cells[i]);
    for (size_t i = 0; i < x->n_disagreements; i++)
        buf_printf(out, "      they disagree: %s\n", x->disagreements[i]);
}

static void put_machine(struct buf *out, const struct analysis_health *h)
{
    if (isnan(h->load_begin) && isnan(h->steal_share) && isnan(h->pressure_share))
        return;
    buf_puts(out, "      its machine: ");
    if (isnan(h->load_begin) || isnan(h->load_end))
        buf_puts(out, "load not known");
    else
        buf_printf(out, "load %.2f at first, %.2f at the end", h->load_begin, h->load_end);
    put_share(out, "steal", h->steal_share);
    put_share(out, "tasks waited for a processor", h->pressure_share);
    buf_puts(out, "\n");
}

static void put_served(struct buf *out, const struct analysis_served *s)
{
    buf_printf(out, "      what %s at %s served: ", s->probe, s->host);
    if (isnan(s->share))
        buf_printf(out, "not known, %s\n", s->why);
    else
        buf_printf(out, "%" PRId64 " requests, of which %.1f %% were the probe's%s\n", s->grown,
                   s->share * 100, s->known < 1 ? "; not known all the time" : "");
}

static void put_one(struct buf *out, const struct analysis_health *h)
{
    buf_printf(
        out, "    prober at %s: %u sent (%.1f a second), %u late, %u gaps; sent after it was due: ",
        h->vantage, h->sent, h->per_second, h->late, h->gaps);
    put_ms(out, h->late_p50_ns);
    buf_puts(out, " median, ");
    put_ms(out, h->late_p99_ns);
    buf_puts(out, " p99, ");
    put_ms(out, h->late_max_ns);
    buf_puts(out, " at most");
    put_share(out, "processor", h->cpu_share);
    buf_puts(out, "\n");
    if (h->null_n >= 0) {
        buf_printf(out, "      its null server: %" PRId64 " answers, %" PRId64 " late; ", h->null_n,
                   h->null_late);
        put_ms(out, h->null_p50_ns);
        buf_puts(out, " median, ");
        put_ms(out, h->null_p99_ns);
        buf_puts(out, " p99, ");
        put_ms(out, h->null_max_ns);
        buf_puts(out, " at most\n");
    }
    put_machine(out, h);
    for (size_t i = 0; i < h->n_served; i++)
        put_served(out, &h->served[i]);
    if (h->suspect)
        buf_printf(out, "      SUSPECT: %s\n", h->why);
}

void text_put_health(struct buf *out, const struct analysis_trial *t)
{
    for (size_t i = 0; i < t->n_health; i++)
        put_one(out, &t->health[i]);
}
