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

/* peers: 10.77.0.1, fd77::1; ports: 1-65535 */
static void put_args(struct html *h, const struct history_injection *i)
{
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
    const char *name;
    json_t *value, *one;
    size_t k;
    json_object_foreach((json_t *)i->args, name, value)
    {
        char *plain = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
        buf_printf(&text, "%s%s: ", text.len != 0 ? "; " : "", name);
        json_array_foreach(value, k, one) if (json_is_string(one))
            buf_printf(&text, "%s%s", k != 0 ? ", " : "", json_string_value(one));
        bool texts = json_is_array(value) && json_is_string(json_array_get(value, 0));
        buf_puts(&text, json_is_string(value)    ? json_string_value(value)
                        : texts || plain == NULL ? ""
                                                 : plain);
        free(plain);
    }
    if (text.len == 0)
        return;
    buf_puts(h->out, "<code class=\"why\">");
    buf_puts(h->out, html_text_upto(h->out, buf_text(&text), ARGS_SHOWN) ? "" : "\xe2\x80\xa6");
    buf_puts(h->out, "</code>");
}

static void put_bracket(struct html *h, const struct timeline_view *v, int64_t asked, int64_t known)
{
    char a[32], b[32];
    buf_printf(h->out, "%s to %s", timeline_since(v, asked, a), timeline_since(v, known, b));
}

static void put_proof(struct html *h, const struct analysis_injection *a)
{
    const struct history_evidence *e = a->evidence;
    html_cell(h);
    buf_printf(h->out, "<span class=\"v %s\">%s</span><span class=\"why\">",
               a->proven ? "v-pass" : "v-invalid", a->proven ? "proven" : "not proven");
    if (!a->proven && a->why != NULL)
        html_textf(h->out, "%s. ", a->why);
    if (e != NULL && e->what != NULL)
        html_text(h->out, e->what);
    buf_puts(h->out, "</span>");
    if (e == NULL || json_object_size(e->items) == 0)
        return;
    const char *name;
    json_t *value;
    buf_puts(h->out, "<code class=\"why\">");
    json_object_foreach((json_t *)e->items, name, value)
        html_textf(h->out, "%s=%" JSON_INTEGER_FORMAT " ", name, json_integer_value(value));
    buf_puts(h->out, "</code>");
}

static void put_end(struct html *h, const struct timeline_view *v,
                    const struct history_injection *i)
{
    html_cell(h);
    if (i->ended_by != NULL && strcmp(i->ended_by, "instant") == 0) {
        buf_puts(h->out, "a moment, which nothing ends");
    } else {
        put_bracket(h, v, i->revert_asked_ns, i->undone_ns);
        buf_puts(h->out, "<span class=\"why\">ended by ");
        html_text(h->out, i->ended_by != NULL ? i->ended_by : "?");
        buf_puts(h->out, "</span>");
    }
    if (i->restored_by != RESTORED_BY_NOBODY)
        html_textf(h->out, "; brought back by %s", restored_by_word(i->restored_by));
}

static void put_injection(struct html *h, const struct analysis_injection *a)
{
    const struct history_injection *i = a->of;
    const struct analysis_trial *t = trial_of(h, a->trial);
    struct timeline_view v = {.t = t, .zero = t != NULL ? html_zero(t) : 0};
    const char *what = changed(h, a);
    html_row(h);
    html_trial_cell(h, a->trial);
    html_cell(h);
    html_textf(h->out, "%s on %s", i->fault, i->host);
    if (what != NULL) {
        buf_puts(h->out, "<span class=\"why\">");
        (void)html_text_upto(h->out, what, TEXT_SHOWN);
        buf_puts(h->out, "</span>");
    }
    put_args(h, i);
    if (i->error != NULL) {
        buf_puts(h->out, "<span class=\"why v-fail\">error: ");
        html_text(h->out, i->error);
        buf_puts(h->out, "</span>");
    }
    if (i->foreign)
        buf_puts(h->out, "<span class=\"why\">something was changed by others and left</span>");
    html_cell(h);
    put_bracket(h, &v, i->asked_ns, i->active_ns);
    put_proof(h, a);
    put_end(h, &v, i);
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
        HTML_COLUMNS("#Trial", "!Fault and what it changed", "#On", "Evidence", "#Off"));
    for (size_t i = 0; i < a->n_injections && i < HTML_ROWS_MAX / 2; i++)
        put_injection(h, &a->injections[i]);
    html_table_end(h);
    html_rows_left(h, a->n_injections, HTML_ROWS_MAX / 2);
}

static void put_names(struct html *h, const json_t *names)
{
    const json_t *name;
    size_t i;
    html_cell(h);
    json_array_foreach(names, i, name)
    {
        buf_puts(h->out, i != 0 ? ", " : "");
        html_text(h->out, json_string_value(name));
    }
}

static void put_rollout(struct html *h, uint32_t trial, const struct analysis_rollout *r)
{
    html_row(h);
    html_trial_cell(h, trial);
    html_cellf(h, "%s, step %lld", r->fault, (long long)r->step);
    html_cellf(h, "%s, wave %lld of %lld%s%s", r->state, (long long)r->wave, (long long)r->waves,
               r->why[0] != '\0' ? ": " : "", r->why);
    put_names(h, r->reached);
    put_names(h, r->spared);
    html_cellf(h, "%.1f %%", r->reach * 100);
    html_cellf(h, "%.1f to %.1f %%", r->blast_lower * 100, r->blast_upper * 100);
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
                     HTML_COLUMNS("#Trial", "!Fault", "Ended", "Reached", "Spared", "#Of the hosts",
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
    html_row(h);
    html_cell(h);
    html_text(h->out, host->name);
    html_cell(h);
    buf_printf(h->out, "<span class=\"v %s\">%s</span>",
               !host->known  ? "v-none"
               : host->clean ? "v-pass"
                             : "v-fail",
               !host->known  ? "not looked at"
               : host->clean ? "clean"
                             : "not clean");
    html_cell(h);
    size_t before = h->out->len;
    put_list(h, "Differs from before:", host->differences);
    put_list(h, "Could not be put back; by hand:", host->left);
    put_list(h, "Written by others meanwhile, not judged:", host->listed);
    if (h->out->len == before)
        buf_printf(h->out, "<span class=\"soft\">%s</span>",
                   host->known ? "nothing" : "no agent stands there");
}

void html_cleanup(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    if (a->n_hosts == 0)
        return;
    html_table_begin(h, "Each host's state after the run, compared with the one before it",
                     HTML_COLUMNS("!Host", "State", "What differs"));
    for (size_t i = 0; i < a->n_hosts && i < HTML_ROWS_MAX; i++)
        put_host(h, &a->hosts[i]);
    html_table_end(h);
    html_rows_left(h, a->n_hosts, HTML_ROWS_MAX);
}
