/* SPDX-License-Identifier: GPL-2.0-or-later */
/* That the fault was there, that it did something, and that nothing of it is left. */
#include "reports/html_timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS_SHOWN = 600, LIST_SHOWN = 12, TEXT_SHOWN = 300 };

/* What the agent said that it had changed. */
static const char *changed(const struct html *h, const struct analysis_injection *a)
{
    const struct history *of = h->report->history;
    for (size_t i = 0; i < of->n_events; i++) {
        const struct history_event *e = &of->events[i];
        if (e->trial >= of->n_trials || of->trials[e->trial].trial != a->trial ||
            strcmp(e->ev, "applied") != 0)
            continue;
        const char *id = json_string_value(json_object_get(e->members, "injection"));
        if (id != NULL && a->of->id != NULL && strcmp(id, a->of->id) == 0)
            return json_string_value(json_object_get(e->members, "what"));
    }
    return NULL;
}

static const struct analysis_trial *trial_of(const struct html *h, uint32_t number)
{
    const struct analysis *a = h->report->analysis;
    for (size_t i = 0; i < a->n_trials; i++)
        if (a->trials[i].trial == number)
            return &a->trials[i];
    return NULL;
}

static void put_args(struct html *h, const struct history_injection *i)
{
    char *text = i->args != NULL ? json_dumps(i->args, JSON_COMPACT) : NULL;
    if (text != NULL && strcmp(text, "{}") != 0) {
        buf_puts(h->out, "<code class=\"why\">");
        if (!html_text_upto(h->out, text, ARGS_SHOWN))
            buf_puts(h->out, "\xe2\x80\xa6");
        buf_puts(h->out, "</code>");
    }
    free(text);
}

static void put_bracket(struct html *h, const struct timeline_view *v, int64_t asked, int64_t known)
{
    char a[32], b[32];
    buf_printf(h->out, "%s to %s", timeline_since(v, asked, a), timeline_since(v, known, b));
}

static void put_proof(struct html *h, const struct analysis_injection *a)
{
    const struct history_evidence *e = a->evidence;
    buf_printf(h->out, "<td><span class=\"v %s\">%s</span><span class=\"why\">",
               a->proven ? "v-pass" : "v-invalid", a->proven ? "proven" : "not proven");
    if (!a->proven && a->why != NULL)
        html_textf(h->out, "%s. ", a->why);
    if (e != NULL && e->what != NULL)
        html_text(h->out, e->what);
    const char *name;
    json_t *value;
    buf_puts(h->out, "</span>");
    if (e != NULL && json_object_size(e->items) != 0) {
        buf_puts(h->out, "<code>");
        json_object_foreach((json_t *)e->items, name, value)
            html_textf(h->out, "%s=%" JSON_INTEGER_FORMAT " ", name, json_integer_value(value));
        buf_puts(h->out, "</code>");
    }
    buf_puts(h->out, "</td>");
}

static void put_end(struct html *h, const struct timeline_view *v,
                    const struct history_injection *i)
{
    if (i->ended_by != NULL && strcmp(i->ended_by, "instant") == 0) {
        buf_puts(h->out, "<td>a moment, which nothing ends");
    } else {
        buf_puts(h->out, "<td class=\"n\">");
        put_bracket(h, v, i->revert_asked_ns, i->undone_ns);
        buf_puts(h->out, "<span class=\"why\">ended by ");
        html_text(h->out, i->ended_by != NULL ? i->ended_by : "?");
        buf_puts(h->out, "</span>");
    }
    if (i->restored_by != RESTORED_BY_NOBODY)
        html_textf(h->out, "; brought back by %s", restored_by_word(i->restored_by));
    buf_puts(h->out, "</td>");
}

static void put_injection(struct html *h, const struct analysis_injection *a)
{
    const struct history_injection *i = a->of;
    const struct analysis_trial *t = trial_of(h, a->trial);
    struct timeline_view v = {.t = t, .zero = t != NULL ? html_zero(t) : 0};
    const char *what = changed(h, a);
    buf_printf(h->out, "<tr><td class=\"n\">%u</td><th scope=\"row\">", a->trial);
    html_textf(h->out, "%s on %s", i->fault, i->host);
    if (what != NULL) {
        buf_puts(h->out, "<span class=\"why\">");
        (void)html_text_upto(h->out, what, TEXT_SHOWN);
        buf_puts(h->out, "</span>");
    }
    put_args(h, i);
    if (i->error != NULL) {
        buf_puts(h->out, "<span class=\"v v-fail\">error: ");
        html_text(h->out, i->error);
        buf_puts(h->out, "</span>");
    }
    buf_puts(h->out, i->foreign ? "<span class=\"why\">something was changed by others and left"
                                  "</span></th><td class=\"n\">"
                                : "</th><td class=\"n\">");
    put_bracket(h, &v, i->asked_ns, i->active_ns);
    buf_puts(h->out, "</td>");
    put_proof(h, a);
    put_end(h, &v, i);
    buf_puts(h->out, "</tr>\n");
}

void html_injections(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    if (a->n_injections == 0) {
        buf_puts(h->out, "<p>Nothing was injected.</p>\n");
        return;
    }
    html_table_begin(
        h,
        "Each fault on each host: its command was sent and its effect verified within "
        "the times given, in seconds since the first fault of its trial",
        HTML_COLUMNS("#Trial", "Fault and what it changed", "#On", "Evidence", "#Off"));
    for (size_t i = 0; i < a->n_injections && i < HTML_ROWS_MAX / 2; i++)
        put_injection(h, &a->injections[i]);
    html_table_end(h);
    html_rows_left(h, a->n_injections, HTML_ROWS_MAX / 2);
}

static void put_names(struct html *h, const json_t *names)
{
    const json_t *name;
    size_t i;
    buf_puts(h->out, "<td>");
    json_array_foreach(names, i, name)
    {
        buf_puts(h->out, i != 0 ? ", " : "");
        html_text(h->out, json_string_value(name));
    }
    buf_puts(h->out, "</td>");
}

static void put_rollout(struct html *h, uint32_t trial, const struct analysis_rollout *r)
{
    buf_printf(h->out, "<tr><td class=\"n\">%u</td><th scope=\"row\">", trial);
    html_textf(h->out, "%s, step %lld", r->fault, (long long)r->step);
    buf_puts(h->out, "</th><td>");
    html_textf(h->out, "%s, wave %lld of %lld%s%s", r->state, (long long)r->wave,
               (long long)r->waves, r->why[0] != '\0' ? ": " : "", r->why);
    buf_puts(h->out, "</td>");
    put_names(h, r->reached);
    put_names(h, r->spared);
    buf_printf(h->out, "<td class=\"n\">%.1f %%</td><td class=\"n\">%.1f to %.1f %%</td></tr>\n",
               r->reach * 100, r->blast_lower * 100, r->blast_upper * 100);
}

void html_rollouts(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    size_t n = 0;
    for (size_t i = 0; i < a->n_trials; i++)
        n += a->trials[i].n_rollouts;
    if (n == 0)
        return;
    html_table_begin(h, "Steps that went from host to host, and how far they came",
                     HTML_COLUMNS("#Trial", "Fault", "Ended", "Reached", "Spared", "#Of the hosts",
                                  "#Of the probes' weight"));
    for (size_t i = 0; i < a->n_trials && i < HTML_ROWS_MAX; i++)
        for (size_t k = 0; k < a->trials[i].n_rollouts; k++)
            put_rollout(h, a->trials[i].trial, &a->trials[i].rollouts[k]);
    html_table_end(h);
}

static void put_list(struct html *h, const char *title, const json_t *list)
{
    const json_t *one;
    size_t i, n = json_array_size(list);
    if (n == 0)
        return;
    buf_printf(h->out, "<p class=\"soft\">%s</p><ul class=\"plain\">", title);
    json_array_foreach(list, i, one)
    {
        if (i >= LIST_SHOWN)
            break;
        buf_puts(h->out, "<li><code>");
        (void)html_text_upto(h->out, json_string_value(one), TEXT_SHOWN);
        buf_puts(h->out, "</code></li>");
    }
    buf_puts(h->out, "</ul>");
    if (n > LIST_SHOWN)
        buf_printf(h->out, "<p class=\"soft\">and %zu more</p>", n - LIST_SHOWN);
}

static void put_host(struct html *h, const struct analysis_host *host)
{
    buf_puts(h->out, "<tr><th scope=\"row\">");
    html_text(h->out, host->name);
    buf_printf(h->out, "</th><td><span class=\"v %s\">%s</span></td><td>",
               !host->known  ? "v-none"
               : host->clean ? "v-pass"
                             : "v-fail",
               !host->known  ? "not looked at"
               : host->clean ? "clean"
                             : "not clean");
    put_list(h, "Differs from before:", host->differences);
    put_list(h, "Could not be put back; by hand:", host->left);
    put_list(h, "Written by others meanwhile, not judged:", host->listed);
    buf_puts(h->out, "</td></tr>\n");
}

void html_cleanup(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    if (a->n_hosts == 0)
        return;
    html_table_begin(h, "Each host's state after the run, compared with the one before it",
                     HTML_COLUMNS("Host", "State", "What differs"));
    for (size_t i = 0; i < a->n_hosts && i < HTML_ROWS_MAX; i++)
        put_host(h, &a->hosts[i]);
    html_table_end(h);
    html_rows_left(h, a->n_hosts, HTML_ROWS_MAX);
}
