/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/text_parts.h"

#include <inttypes.h>

static void put_admissions(struct buf *out, const struct analysis_trial *t, bool *any)
{
    for (size_t i = 0; i < t->n_admissions; i++) {
        const struct analysis_admission *a = &t->admissions[i];
        if (!*any)
            buf_puts(out, "\nasked before they went out\n");
        *any = true;
        buf_printf(out, "  trial %u, step %" PRId64 ": %s: %s%s\n", t->trial, a->step, a->fault,
                   a->checked_ns != HISTORY_UNKNOWN ? "check passed; " : "", a->sentence);
    }
}

static void put_task(struct buf *out, uint32_t trial, const struct analysis_task *k)
{
    buf_printf(out, "  trial %u, step %" PRId64 ".%" PRId64 ": %s on %s: ", trial, k->step,
               k->number, k->name, k->hosts);
    text_put_time(out, k->begin_ns);
    buf_puts(out, " begun, ");
    text_put_time(out, k->typed_ns);
    buf_puts(out, " typed, ");
    text_put_time(out, k->end_ns);
    buf_puts(out, " ended");
    if (k->typed_ns != HISTORY_UNKNOWN)
        buf_printf(out, "; the person %.3f s (stated)", (double)(k->typed_ns - k->begin_ns) / 1e9);
    if (k->end_ns != HISTORY_UNKNOWN && k->typed_ns != HISTORY_UNKNOWN)
        buf_printf(out, ", the command %.3f s", (double)(k->end_ns - k->typed_ns) / 1e9);
    buf_printf(out, "%s%s\n", k->why[0] != '\0' ? ": FAILED: " : "", k->why);
}

void text_put_admissions(struct buf *out, const struct analysis *a)
{
    bool any = false;
    for (size_t i = 0; i < a->n_trials; i++)
        put_admissions(out, &a->trials[i], &any);
    any = false;
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_tasks; k++) {
            if (!any)
                buf_puts(out, "\nrunbook, by a person's hand\n");
            any = true;
            put_task(out, a->trials[i].trial, &a->trials[i].tasks[k]);
        }
}
