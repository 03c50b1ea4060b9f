/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run does beside its steps: the ledgers' writes, and what ends it before its time. */
#include "base/buf.h"
#include "engine/plan_parts.h"

static const char *duration_text(struct duration d, char text[64])
{
    return duration_print(d, text, 64);
}

void plan_print_ledgers(const struct scenario *s, struct buf *out)
{
    char every[64], within[64];
    for (size_t i = 0; i < s->n_ledgers; i++) {
        const struct scenario_ledger *l = &s->ledgers[i];
        buf_printf(out, "%s%s: a write by %s every %s from %s,\n            read back from ",
                   i == 0 ? "\nwrites      " : "\n            ", l->name, l->kind->name,
                   duration_text(l->every, every), l->from);
        for (size_t k = 0; k < scenario_ledger_vantages(l); k++)
            buf_printf(out, "%s%s", k != 0 ? ", " : "", scenario_ledger_vantage(l, k));
        buf_printf(out, "%s, within %s after the recovery",
                   l->views == LEDGER_VIEWS_EACH && !l->kind->no_hosts
                       ? " as a client and from each host by itself"
                       : " as a client",
                   duration_text(l->read_within, within));
    }
}

json_t *plan_json_ledgers(const struct scenario *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_ledgers; i++) {
        const struct scenario_ledger *l = &s->ledgers[i];
        json_t *from = json_array();
        for (size_t k = 0; k < scenario_ledger_vantages(l); k++)
            (void)json_array_append_new(from, json_string(scenario_ledger_vantage(l, k)));
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:o, s:f, s:f, s:b}", "name", l->name, "kind",
                            l->kind->name, "from", from, "every_s", (double)l->every.ns / 1e9,
                            "read_within_s", (double)l->read_within.ns / 1e9, "each_host",
                            l->views == LEDGER_VIEWS_EACH && !l->kind->no_hosts));
    }
    return list;
}

void plan_print_ends(const struct scenario *s, struct buf *out)
{
    char text[64];
    buf_puts(out, "\nended early ");
    for (size_t i = 0; i < s->n_guards; i++) {
        const struct scenario_guard *g = &s->guards[i];
        if (g->probe != NULL)
            buf_printf(out, "when %s%s%s is bad for %s, ", g->probe,
                       g->vantage != NULL ? " at " : "", g->vantage != NULL ? g->vantage : "",
                       duration_text(g->bad_for, text));
        else
            buf_printf(out, "when more than %g %% of the services' weight is impacted, ",
                       (double)g->blast.ppm / 1e4);
    }
    buf_printf(out, "after %s (deadline)", duration_text(s->deadline, text));
}
