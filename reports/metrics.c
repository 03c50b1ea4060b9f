/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics.txt: OpenMetrics text. All are gauges, since each run has its own figures, and a gauge
 * reads the same to OpenMetrics and to the older Prometheus text. What differs from run to run (its
 * id) is a label of run_info alone, so that a series goes on from run to run.
 */
#include "reports/figure.h"
#include "reports/letter.h"
#include "reports/report.h"
#include "reports/wall.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct metrics {
    const struct report *report;
    struct buf *out;
    const struct family *family;
};

struct family {
    const char *name, *unit, *help; /* the unit is the end of the name, or "" */
    void (*put)(struct metrics *m);
};

/* A figure of a prober's health; name is the label's value, NULL: it needs none. */
struct health_figure {
    const char *name;
    bool sum; /* over trials; else the greatest counts */
    double (*of)(const struct analysis_health *h);
};

static void put_value(struct buf *out, const char *s)
{
    for (uint32_t c; s != NULL && (c = letter_next(&s)) != 0;) {
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", (char)c);
        else if (c == '\n')
            buf_puts(out, "\\n");
        else
            letter_put(out, c < 0x20 || c == 0x7F ? LETTER_UNKNOWN : c);
    }
}

/* Label names and values in turn, NULL at the end; the scenario's name is a label of all. */
static void put_sample(struct metrics *m, const char *const *labels, double value)
{
    struct buf *out = m->out;
    if (isnan(value))
        return;
    buf_printf(out, "blackstart_%s{scenario=\"", m->family->name);
    put_value(out, m->report->history->scenario);
    for (size_t i = 0; labels[i] != NULL; i += 2) {
        buf_printf(out, "\",%s=\"", labels[i]);
        put_value(out, labels[i + 1]);
    }
    if (isinf(value))
        buf_printf(out, "\"} %sInf\n", value < 0 ? "-" : "+");
    else
        buf_printf(out, "\"} %.12g\n", value);
}
#define LABELS(...) ((const char *const[]){__VA_ARGS__ NULL})

static const char *known(const char *s)
{
    return s != NULL ? s : "";
}

static void put_info(struct metrics *m)
{
    const struct history *h = m->report->history;
    char seed[24];
    (void)snprintf(seed, sizeof(seed), "%" PRIu64, h->seed);
    put_sample(m,
               LABELS("run", known(h->run), "version", known(h->version), "kernel",
                      known(h->kernel), "machine", known(h->machine), "sha256", known(h->sha256),
                      "seed", seed, ),
               1);
}

static void put_start(struct metrics *m)
{
    put_sample(m, LABELS(), (double)wall_ns(m->report->history, 0) / 1e9);
}

static void put_duration(struct metrics *m)
{
    put_sample(m, LABELS(), (double)m->report->history->end_ns / 1e9);
}

static void put_exit(struct metrics *m)
{
    put_sample(m, LABELS(), m->report->analysis->exit_status);
}

static void put_verdict(struct metrics *m)
{
    for (int v = VERDICT_NOT_JUDGED; v <= VERDICT_FAIL; v++)
        put_sample(m, LABELS("verdict", verdict_word((enum verdict)v), ),
                   m->report->analysis->verdict == (enum verdict)v);
}

static void put_trials(struct metrics *m)
{
    const struct analysis *a = m->report->analysis;
    for (int v = VERDICT_NOT_JUDGED; v <= VERDICT_FAIL; v++) {
        unsigned n = 0;
        for (size_t i = 0; i < a->n_trials; i++)
            n += a->trials[i].verdict == (enum verdict)v && !a->trials[i].fault_free;
        put_sample(m, LABELS("verdict", verdict_word((enum verdict)v), ), n);
    }
}

static void put_target_verdicts(struct metrics *m)
{
    const struct analysis *a = m->report->analysis;
    for (size_t i = 0; i < a->n_targets; i++)
        for (int v = VERDICT_NOT_JUDGED; !figure_is_twin(a->targets, i) && v <= VERDICT_FAIL; v++) {
            const struct analysis_target *t = &a->targets[i];
            put_sample(m,
                       LABELS("measure", t->measure, "of", t->of, "from", t->from, "detail",
                              t->detail, "verdict", verdict_word((enum verdict)v), ),
                       t->verdict == (enum verdict)v);
        }
}

/* The bounds of the targets whose figures have the family's unit. */
static void put_bounds(struct metrics *m, enum analysis_unit unit)
{
    const struct analysis *a = m->report->analysis;
    for (size_t i = 0; i < a->n_targets; i++) {
        const struct analysis_target *t = &a->targets[i];
        const double values[] = {t->lower, t->upper, t->limit};
        static const char *const words[] = {"lower", "upper", "limit"};
        for (size_t k = 0; t->unit == unit && !figure_is_twin(a->targets, i) && k < 3; k++)
            put_sample(m,
                       LABELS("measure", t->measure, "of", t->of, "from", t->from, "detail",
                              t->detail, "bound", words[k], ),
                       values[k]);
    }
}

static void put_seconds(struct metrics *m)
{
    put_bounds(m, UNIT_SECONDS);
}

static void put_shares(struct metrics *m)
{
    put_bounds(m, UNIT_SHARE);
}

static void put_counts(struct metrics *m)
{
    put_bounds(m, UNIT_COUNT);
}

/* What it shows; the second of two that say the same has a number. */
static void put_shows(struct buf *out, const struct analysis *a, size_t k)
{
    unsigned alike = 1;
    for (size_t i = 0; i < k; i++)
        alike += strcmp(a->symptoms[i].shows, a->symptoms[k].shows) == 0;
    buf_puts(out, a->symptoms[k].shows);
    if (alike > 1)
        buf_printf(out, " (%u)", alike);
}

static void put_symptom_states(struct metrics *m)
{
    const struct analysis *a = m->report->analysis;
    for (size_t k = 0; k < a->n_symptoms; k++) {
        CLEANUP_BUF struct buf shows = BUF_INIT(4096);
        put_shows(&shows, a, k);
        for (int s = SYMPTOM_NOT_JUDGED; s <= SYMPTOM_NOT_SHOWN; s++)
            put_sample(
                m,
                LABELS("symptom", buf_text(&shows), "state", symptom_word((enum symptom_state)s), ),
                a->symptoms[k].state == (enum symptom_state)s);
    }
}

static unsigned trials_in_state(const struct analysis *a, size_t k, bool fault_free,
                                enum symptom_state state)
{
    unsigned n = 0;
    for (size_t i = 0; i < a->n_trials; i++) {
        const struct analysis_trial *t = &a->trials[i];
        n += t->fault_free == fault_free && k < t->n_symptoms && t->symptoms[k].state == state;
    }
    return n;
}

static void put_symptom_trials(struct metrics *m)
{
    const struct analysis *a = m->report->analysis;
    for (size_t k = 0; k < a->n_symptoms; k++) {
        CLEANUP_BUF struct buf shows = BUF_INIT(4096);
        put_shows(&shows, a, k);
        for (int i = 0; i <= 2 * SYMPTOM_NOT_SHOWN + 1; i++) {
            enum symptom_state state = (enum symptom_state)(i / 2);
            bool fault_free = i % 2 != 0;
            put_sample(m,
                       LABELS("symptom", buf_text(&shows), "state", symptom_word(state), "fault",
                              fault_free ? "no" : "yes", ),
                       trials_in_state(a, k, fault_free, state));
        }
    }
}

/* A probe stands in the scenario's order in each trial. */
static void put_slots(struct metrics *m)
{
    const struct analysis *a = m->report->analysis;
    static const char *const words[] = {"good", "bad", "gap"};
    for (size_t k = 0; a->n_trials != 0 && k < a->trials[0].n_probes; k++) {
        double sums[3] = {0};
        for (size_t i = 0; i < a->n_trials && k < a->trials[i].n_probes; i++) {
            const struct analysis_probe *p = &a->trials[i].probes[k];
            sums[0] += p->good;
            sums[1] += p->bad;
            sums[2] += p->gaps;
        }
        for (size_t w = 0; w < 3; w++)
            put_sample(m,
                       LABELS("probe", a->trials[0].probes[k].name, "vantage",
                              a->trials[0].probes[k].from, "result", words[w], ),
                       sums[w]);
    }
}

static void put_outages(struct metrics *m)
{
    const struct analysis *a = m->report->analysis;
    for (size_t k = 0; a->n_trials != 0 && k < a->trials[0].n_probes; k++) {
        double n = 0;
        for (size_t i = 0; i < a->n_trials && k < a->trials[i].n_probes; i++)
            n += (double)a->trials[i].probes[k].n_outages;
        put_sample(
            m,
            LABELS("probe", a->trials[0].probes[k].name, "vantage", a->trials[0].probes[k].from, ),
            n);
    }
}

/* Sums or maxima over the trials, for each vantage; those of the first trial are all. */
static void put_health(struct metrics *m, const struct health_figure *figures, size_t n)
{
    const struct analysis *a = m->report->analysis;
    for (size_t k = 0; a->n_trials != 0 && k < a->trials[0].n_health; k++)
        for (size_t f = 0; f < n; f++) {
            double all = NAN;
            for (size_t i = 0; i < a->n_trials && k < a->trials[i].n_health; i++) {
                double one = figures[f].of(&a->trials[i].health[k]);
                if (isnan(all) || isnan(one))
                    all = isnan(all) ? one : all;
                else
                    all = figures[f].sum ? all + one : fmax(all, one);
            }
            const char *label = figures[f].name != NULL ? "what" : NULL;
            put_sample(m,
                       LABELS("vantage", a->trials[0].health[k].vantage, label, figures[f].name, ),
                       all);
        }
}
#define HEALTH(m, figures) put_health(m, figures, sizeof(figures) / sizeof((figures)[0]))

static double seconds(int64_t ns)
{
    return ns < 0 ? NAN : (double)ns / 1e9;
}

#define HEALTH_FIGURE(name, expression)                                                            \
    static double name(const struct analysis_health *h)                                            \
    {                                                                                              \
        return expression;                                                                         \
    }
HEALTH_FIGURE(health_sent, h->sent)
HEALTH_FIGURE(health_late, h->late)
HEALTH_FIGURE(health_gaps, h->gaps)
HEALTH_FIGURE(health_late_p50, seconds(h->late_p50_ns))
HEALTH_FIGURE(health_late_p99, seconds(h->late_p99_ns))
HEALTH_FIGURE(health_late_max, seconds(h->late_max_ns))
HEALTH_FIGURE(health_cpu, h->cpu_share)
HEALTH_FIGURE(health_steal, h->steal_share)
HEALTH_FIGURE(health_suspect, h->suspect)

static void put_prober(struct metrics *m)
{
    static const struct health_figure figures[] = {
        {"sent", true, health_sent}, {"late", true, health_late}, {"gap", true, health_gaps}};
    HEALTH(m, figures);
}

static void put_prober_late(struct metrics *m)
{
    static const struct health_figure figures[] = {{"p50", false, health_late_p50},
                                                   {"p99", false, health_late_p99},
                                                   {"max", false, health_late_max}};
    HEALTH(m, figures);
}

static void put_prober_cpu(struct metrics *m)
{
    static const struct health_figure figures[] = {{"prober", false, health_cpu},
                                                   {"steal", false, health_steal}};
    HEALTH(m, figures);
}

/* Where it asks several services: of the one of which it was most. */
static double health_served(const struct analysis_health *h)
{
    double most = NAN;
    for (size_t i = 0; i < h->n_served; i++)
        most = fmax(most, h->served[i].share);
    return most;
}

static void put_prober_served(struct metrics *m)
{
    static const struct health_figure figures[] = {{NULL, false, health_served}};
    HEALTH(m, figures);
}

static void put_prober_suspect(struct metrics *m)
{
    static const struct health_figure figures[] = {{NULL, true, health_suspect}};
    HEALTH(m, figures);
}

/* Sums over the trials; what was lost is between the two bounds. */
static void put_ledgers(struct metrics *m)
{
    const struct analysis *a = m->report->analysis;
    static const char *const words[] = {"written",    "acknowledged", "at_risk",  "lost_lower",
                                        "lost_upper", "phantom",      "duplicate"};
    for (size_t k = 0; a->n_trials != 0 && k < a->trials[0].n_ledgers; k++) {
        double sums[7] = {0};
        for (size_t i = 0; i < a->n_trials && k < a->trials[i].n_ledgers; i++) {
            const struct analysis_ledger *l = &a->trials[i].ledgers[k];
            const uint32_t counts[] = {l->written,    l->acknowledged, l->at_risk,   l->lost_lower,
                                       l->lost_upper, l->phantoms,     l->duplicates};
            for (size_t w = 0; w < 7; w++)
                sums[w] += counts[w];
        }
        for (size_t w = 0; w < 7; w++)
            put_sample(m, LABELS("ledger", a->trials[0].ledgers[k].name, "what", words[w], ),
                       sums[w]);
    }
}

static void put_injections(struct metrics *m)
{
    const struct analysis *a = m->report->analysis;
    for (int proven = 0; proven < 2; proven++) {
        unsigned n = 0;
        for (size_t i = 0; i < a->n_injections; i++)
            n += a->injections[i].proven == proven;
        put_sample(m, LABELS("proven", proven ? "yes" : "no", ), n);
    }
}

static void put_hosts(struct metrics *m)
{
    const struct analysis *a = m->report->analysis;
    for (size_t i = 0; i < a->n_hosts; i++)
        if (a->hosts[i].known)
            put_sample(m, LABELS("host", a->hosts[i].name, ), a->hosts[i].clean);
}

static const struct family families[] = {
    {"run_info", "", "Which run these are the figures of; always 1.", put_info},
    {"run_start_time_seconds", "seconds", "When the run began, since 1970.", put_start},
    {"run_duration_seconds", "seconds", "How long the run took.", put_duration},
    {"run_exit_status", "", "0 pass, 1 fail, 3 inconclusive or invalid, 4 a host left dirty.",
     put_exit},
    {"run_verdict", "", "1 for the run's verdict, 0 for the others.", put_verdict},
    {"run_trials", "", "Trials with a fault, by their verdict.", put_trials},
    {"target_verdict", "", "1 for the target's verdict, 0 for the others.", put_target_verdicts},
    {"target_seconds", "seconds", "Bounds of what a target measured, and its limit.", put_seconds},
    {"target_ratio", "ratio", "Bounds of what a target measured, and its limit.", put_shares},
    {"target_number", "", "Bounds of what a target measured, and its limit.", put_counts},
    {"symptom_state", "", "1 for what the run says of a symptom of the outage, 0 for the others.",
     put_symptom_states},
    {"symptom_trials", "", "Trials, by whether they showed a symptom of the outage.",
     put_symptom_trials},
    {"probe_slots", "", "Slots of a probe from the fault on, over all trials.", put_slots},
    {"probe_outages", "", "Outages that a probe saw, over all trials.", put_outages},
    {"prober_slots", "", "What a prober sent, sent late, or did not send, over all trials.",
     put_prober},
    {"prober_late_seconds", "seconds", "How late a prober sent, in its worst trial.",
     put_prober_late},
    {"prober_processor_ratio", "ratio", "Share of a processor, in the worst trial.",
     put_prober_cpu},
    {"prober_served_ratio", "ratio", "Its share of what a service saw, in the worst trial.",
     put_prober_served},
    {"prober_suspect_trials", "", "Trials in which a prober was not well.", put_prober_suspect},
    {"ledger_writes", "", "Writes of a ledger, over all trials.", put_ledgers},
    {"run_injections", "", "Faults on hosts, by whether their effect was proven.", put_injections},
    {"host_clean", "", "1 when the host is as it was before, 0 when it is not.", put_hosts},
};

int report_render_metrics(const struct report *report, struct buf *out, struct err *err)
{
    struct metrics m = {.report = report, .out = out};
    (void)err;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        const struct family *f = &families[i];
        m.family = f;
        buf_printf(out, "# TYPE blackstart_%s gauge\n", f->name);
        if (f->unit[0] != '\0')
            buf_printf(out, "# UNIT blackstart_%s %s\n", f->name, f->unit);
        buf_printf(out, "# HELP blackstart_%s %s\n", f->name, f->help);
        f->put(&m);
    }
    buf_puts(out, "# EOF\n");
    return 0;
}
