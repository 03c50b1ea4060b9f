/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first thing on the page: what came out, in a sentence for those who read no further, then the
 * bound that decided it; and the table of all targets.
 */
#include "reports/html_parts.h"

#include <math.h>
#include <string.h>

const struct analysis_target *html_decider(const struct analysis *a)
{
    for (size_t i = 0; i < a->n_targets; i++)
        if (a->targets[i].verdict == a->verdict && !isnan(a->targets[i].limit))
            return &a->targets[i];
    return NULL;
}

const struct analysis_trial *html_shown_trial(const struct analysis *a)
{
    const struct analysis_target *by = html_decider(a);
    for (size_t i = 0; by != NULL && i < a->n_trials; i++)
        if (a->trials[i].trial == by->trial && !a->trials[i].fault_free)
            return &a->trials[i];
    for (size_t i = 0; i < a->n_trials; i++)
        if (a->trials[i].verdict == a->verdict && !a->trials[i].fault_free)
            return &a->trials[i];
    return a->n_trials != 0 ? &a->trials[a->n_trials - 1] : NULL;
}

static void put_figure(struct html *h, enum analysis_unit unit, double value)
{
    buf_puts(h->out, "<span class=\"nowrap\">");
    figure_put(h->out, unit, value);
    buf_puts(h->out, "</span>");
}

/* "and 5.000 s were allowed", "and 99 % were asked for" */
static void put_allowance(struct html *h, const struct analysis_target *t)
{
    put_figure(h, t->unit, t->limit);
    buf_puts(h->out, t->side == AT_LEAST ? " was asked for." : " was allowed.");
}

static const char *since(const struct analysis_target *t)
{
    static const char *const rows[][2] = {
        {"fault", "the fault"}, {"impact", "the first failure"}, {"heal", "the fault's removal"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i][0], t->from) == 0)
            return rows[i][1];
    return "the fault";
}

/* Of a recovery time, as one would say it. */
static void put_recovery(struct html *h, const struct analysis_target *t)
{
    html_text(h->out, t->of[0] != '\0' ? t->of : "the system");
    if (t->verdict == VERDICT_FAIL && isinf(t->upper)) {
        buf_puts(h->out, " had still not come back ");
        put_figure(h, t->unit, t->lower);
        buf_printf(h->out, " after %s; ", since(t));
    } else if (t->verdict == VERDICT_FAIL) {
        buf_puts(h->out, " took at least ");
        put_figure(h, t->unit, t->lower);
        buf_printf(h->out, " from %s to come back; ", since(t));
    } else {
        buf_puts(h->out, " came back at most ");
        put_figure(h, t->unit, t->upper);
        buf_printf(h->out, " after %s; ", since(t));
    }
    put_allowance(h, t);
}

static void put_other(struct html *h, const struct analysis_target *t)
{
    bool upper = (t->side == AT_LEAST) == (t->verdict == VERDICT_FAIL);
    buf_puts(h->out, "the ");
    html_words(h->out, t->measure);
    if (t->of[0] != '\0') {
        buf_puts(h->out, " of ");
        html_text(h->out, t->of);
    }
    buf_puts(h->out, upper ? " was at most " : " was at least ");
    put_figure(h, t->unit, upper ? t->upper : t->lower);
    buf_puts(h->out, "; ");
    put_allowance(h, t);
}

/* Where an interval does not lie on one side of its limit. */
static void put_undecided(struct html *h, const struct analysis_target *t)
{
    html_measure(h->out, t->measure);
    buf_puts(h->out, t->of[0] != '\0' ? " of " : "");
    html_text(h->out, t->of);
    buf_puts(h->out, " lies between ");
    put_figure(h, t->unit, t->lower);
    buf_puts(h->out, " and ");
    put_figure(h, t->unit, t->upper);
    buf_puts(h->out, ", and the limit of ");
    put_figure(h, t->unit, t->limit);
    buf_puts(h->out, " in between: this run cannot tell.");
}

static bool is_undecided(const struct analysis_target *t)
{
    return t->verdict == VERDICT_INCONCLUSIVE && isfinite(t->upper) && t->lower <= t->limit &&
           t->upper >= t->limit;
}

static const char *opening(const struct analysis *a)
{
    static const char *const words[] = {
        [VERDICT_NOT_JUDGED] = "Nothing was judged",
        [VERDICT_PASS] = "It held",
        [VERDICT_INCONCLUSIVE] = "It cannot be said whether it holds",
        [VERDICT_INVALID] = "The test does not count",
        [VERDICT_FAIL] = "It did not hold",
    };
    return words[a->verdict];
}

/* Of the target over several trials; NULL where there is one. */
static const struct analysis_summary *summary_of(const struct analysis *a,
                                                 const struct analysis_target *t)
{
    size_t k = (size_t)(t - a->targets);
    return k < a->n_summaries && a->summaries[k].n > 1 ? &a->summaries[k] : NULL;
}

static bool is_told(const struct analysis_target *by)
{
    return by != NULL && !isnan(by->lower) &&
           (by->verdict == VERDICT_PASS || by->verdict == VERDICT_FAIL);
}

/* Under what, and in how many trials. */
static void put_setting(struct html *h, const struct analysis_target *by)
{
    const struct analysis *a = h->report->analysis;
    const struct analysis_trial *t = html_shown_trial(a);
    const struct analysis_summary *s = summary_of(a, by);
    if (s != NULL)
        buf_printf(h->out, " in %u of %zu trials",
                   a->verdict == VERDICT_PASS ? s->passes : s->misses, s->n);
    if (t != NULL && t->n_waves != 0) {
        buf_puts(h->out, t->waves[0].refused ? "; " : " under ");
        html_text(h->out, t->waves[0].faults);
        buf_puts(h->out, t->n_waves > 1 ? " and what followed" : "");
    }
    buf_puts(h->out, s == NULL ? ": " : ": in the one that decided, ");
}

static void put_lead(struct html *h, const struct analysis_target *by)
{
    const struct analysis *a = h->report->analysis;
    buf_puts(h->out, "<p class=\"lead\">");
    buf_puts(h->out, opening(a));
    if (is_told(by)) {
        put_setting(h, by);
        if (strcmp(by->measure, "recovery_time") == 0)
            put_recovery(h, by);
        else if (by->unit == UNIT_COUNT)
            html_textf(h->out, "%s.", by->why);
        else
            put_other(h, by);
    } else {
        buf_puts(h->out, ": ");
        if (by != NULL && is_undecided(by))
            put_undecided(h, by);
        else
            html_textf(h->out, "%s.", a->why);
    }
    buf_puts(h->out, "</p>\n");
}

static void put_target_name(struct html *h, const struct analysis_target *t)
{
    html_measure(h->out, t->measure);
    if (t->of[0] != '\0') {
        buf_puts(h->out, " of ");
        html_text(h->out, t->of);
    }
    if (t->from[0] != '\0')
        buf_printf(h->out, ", from %s", since(t));
    if (t->detail[0] != '\0') {
        buf_puts(h->out, " ");
        html_text(h->out, t->detail);
    }
}

static void put_interval(struct html *h, const struct analysis_target *t)
{
    if (isnan(t->lower)) {
        buf_puts(h->out, isnan(t->limit) ? "" : "not measured");
        return;
    }
    put_figure(h, t->unit, t->lower);
    buf_puts(h->out, " to ");
    put_figure(h, t->unit, t->upper);
}

static void put_bound(struct html *h, const struct analysis_target *by)
{
    buf_puts(h->out, "<figure class=\"bound\"><figcaption><strong>");
    put_target_name(h, by);
    buf_puts(h->out, ":</strong> ");
    put_interval(h, by);
    buf_printf(h->out, ", limit %s ", figure_side(by));
    put_figure(h, by->unit, by->limit);
    buf_puts(h->out, "<span class=\"soft\">The bar is where the truth lies; shaded is what would "
                     "miss the target. ");
    if (by->why != NULL && by->why[0] != '\0')
        html_textf(h->out, "Decided by: %s.", by->why);
    buf_puts(h->out, "</span></figcaption>");
    html_bound(h, by, true);
    buf_puts(h->out, "</figure>\n");
}

void html_verdict(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    const struct analysis_target *by = html_decider(a);
    buf_printf(h->out, "<section class=\"verdict %s\" aria-label=\"Verdict\"><h2>",
               html_verdict_class(a->verdict));
    html_verdict_word(h, a->verdict);
    buf_puts(h->out, "</h2>\n");
    put_lead(h, by);
    buf_puts(h->out, "<p class=\"soft\">");
    html_textf(h->out, "%s: %s.", verdict_word(a->verdict), a->why != NULL ? a->why : "");
    buf_puts(h->out, "</p>\n");
    if (by != NULL && !isnan(by->lower))
        put_bound(h, by);
    for (size_t i = 0; i < a->n_sentences; i++) {
        buf_puts(h->out, i == 0 ? "<ul class=\"plain\">" : "");
        buf_puts(h->out, "<li>");
        html_text(h->out, a->sentences[i]);
        buf_puts(h->out, i + 1 == a->n_sentences ? "</li></ul>\n" : "</li>");
    }
    if (a->dirty)
        buf_puts(h->out, "<p class=\"alarm\" role=\"alert\">A host was left dirty: what to do by "
                         "hand stands under <a href=\"#cleanup\">Proof of clean-up</a>.</p>\n");
    buf_puts(h->out, "</section>\n");
}

static void put_target(struct html *h, const struct analysis_target *t)
{
    html_row(h);
    html_cell(h);
    put_target_name(h, t);
    buf_puts(h->out, "<span class=\"why\">");
    html_text(h->out, t->why);
    buf_puts(h->out, t->automatic ? "" : " (not an automatic recovery)");
    buf_puts(h->out, "</span>");
    html_cell(h);
    html_verdict_word(h, t->verdict);
    html_cell(h);
    put_interval(h, t);
    html_cell(h);
    if (!isnan(t->limit)) {
        buf_printf(h->out, "%s ", figure_side(t));
        put_figure(h, t->unit, t->limit);
    }
    html_cell(h);
    html_bound(h, t, false);
}

void html_targets(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    if (a->n_targets == 0)
        return;
    bool several = a->n_trials > 1;
    html_table_begin(
        h,
        several ? "Each target with the figures of the trial that decided it"
                : "What was asked for, and what was measured",
        HTML_COLUMNS("!Target", "Verdict", "#Measured", "#Limit", "~Interval and limit"));
    for (size_t i = 0; i < a->n_targets; i++)
        put_target(h, &a->targets[i]);
    html_table_end(h);
}
