/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each load got before, during and after the faults, and what it cost itself. */
#include "reports/text_parts.h"

#include <math.h>

static void put_ms(struct buf *out, const char *before, int64_t ns)
{
    if (ns < 0)
        buf_printf(out, "%s-", before);
    else
        buf_printf(out, "%s%.1f ms", before, (double)ns / 1e6);
}

static void put_failures(struct buf *out, const struct analysis_load_counts *c)
{
    bool any = false;
    for (size_t i = 0; i < ANALYSIS_LOAD_FAILURES; i++)
        if (c->failures[i] != 0) {
            buf_printf(out, "%s%lld %s",
                       any ? ", " : "; attempts failed: ", (long long)c->failures[i],
                       load_failure_words[i]);
            any = true;
        }
}

static void put_phase(struct buf *out, enum load_phase p, const struct analysis_load_counts *c)
{
    double effort = analysis_load_effort(c);
    if (c->length_ns == 0)
        return;
    buf_printf(out, "      %-6s %.1f s: %.1f successes/s", load_phase_word(p),
               (double)c->length_ns / 1e9, analysis_load_rate(c));
    if (!isnan(effort))
        buf_printf(out, ", %.2f attempts each", effort);
    put_ms(out, "; latency p50 ", c->p50_ns);
    put_ms(out, ", p99 ", c->p99_ns);
    put_ms(out, ", worst ", c->most_ns);
    buf_printf(out, "; %lld given up", (long long)c->failed);
    if (c->not_sent != 0)
        buf_printf(out, ", %lld not sent", (long long)c->not_sent);
    put_failures(out, c);
    buf_puts(out, "\n");
}

/* A load that has no processor left is no measure of the system. */
static void put_cost(struct buf *out, const struct analysis_load *l)
{
    int64_t cpu = 0, length = 0, late = 0;
    for (size_t p = 0; p < LOAD_PHASES; p++) {
        const struct analysis_load_counts *c = &l->phases[p];
        cpu += c->cpu_ns;
        length += c->length_ns;
        late = c->late_ns > late ? c->late_ns : late;
    }
    if (length > 0)
        buf_printf(out, "      its own: %.0f %% of one processor, attempts at most %.1f ms late\n",
                   100.0 * (double)cpu / (double)length, (double)late / 1e6);
}

void text_put_loads(struct buf *out, const struct analysis_trial *t)
{
    for (size_t i = 0; i < t->n_loads; i++) {
        const struct analysis_load *l = &t->loads[i];
        buf_printf(out, "    load %s (%s) from %s: %s\n", l->name, l->kind, l->from, l->model);
        for (size_t p = 0; p < LOAD_PHASES; p++)
            put_phase(out, (enum load_phase)p, &l->phases[p]);
        put_cost(out, l);
    }
}
