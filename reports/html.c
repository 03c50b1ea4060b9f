/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.html: one file that needs nothing from anywhere, and that also lets nothing in: its own
 * policy allows the one style and the one script by their hashes, and no request at all.
 */
#include "reports/html_parts.h"
#include "reports/reproduced.h"

#include <openssl/evp.h>
#include <string.h>

/* In the page's order; one that writes nothing is not in the list of contents either. */
static const struct section {
    const char *id, *title;
    void (*render)(struct html *h);
} sections[] = {
    {"symptoms", "Symptoms of the outage", html_symptoms},
    {"targets", "Targets", html_targets},
    {"timeline", "Timeline", html_timelines},
    {"recovery", "Over all trials", html_recoveries},
    {"trials", "Trials", html_trials},
    {"outages", "Outages", html_outages},
    {"writes", "Lost writes", html_ledgers},
    {"loads", "Loads", html_loads},
    {"vantages", "Vantages", html_matrix},
    {"asked", "Asked before", html_admissions},
    {"runbook", "Runbook", html_tasks},
    {"injection", "Proof of injection", html_injections},
    {"waves", "Waves", html_rollouts},
    {"cleanup", "Proof of clean-up", html_cleanup},
    {"health", "Prober health", html_health},
    {"rules", "Rules and exclusions", html_rules},
    {"trend", "Earlier runs", html_trend},
    {"logs", "Service logs", html_logs},
    {"scenario", "Scenario", html_scenario},
    {"origin", "Origin", html_origin},
};

static void put_lines(struct buf *out, const char *const *lines)
{
    for (; *lines != NULL; lines++)
        buf_puts(out, *lines);
}

/* 'sha256-...' of what stands between the tags. */
static int put_hash(struct buf *out, const char *const *lines, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
    unsigned char sum[EVP_MAX_MD_SIZE], coded[2 * EVP_MAX_MD_SIZE];
    unsigned n;
    put_lines(&text, lines);
    if (EVP_Digest(buf_text(&text), text.len, sum, &n, EVP_sha256(), NULL) != 1)
        return make_error(err, ERR_SYSTEM, 0, "SHA-256 of the page's style");
    (void)EVP_EncodeBlock(coded, sum, (int)n);
    buf_printf(out, " 'sha256-%s'", (const char *)coded);
    return 0;
}

static int put_head(struct html *h, struct err *err)
{
    const struct history *of = h->report->history;
    struct buf *out = h->out;
    buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "base-uri 'none'; form-action 'none'; style-src");
    if (put_hash(out, html_style, err) != 0)
        return -1;
    buf_puts(out, "; script-src");
    if (put_hash(out, html_script, err) != 0)
        return -1;
    buf_puts(out, "\"/>\n<meta name=\"viewport\" content=\"width=device-width, "
                  "initial-scale=1\"/>\n<meta name=\"color-scheme\" content=\"light dark\"/>\n"
                  "<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>");
    html_textf(out, "%s: %s", verdict_word(h->report->analysis->verdict),
               of->scenario != NULL ? of->scenario : "?");
    buf_puts(out, "</title>\n<style>");
    put_lines(out, html_style);
    buf_puts(out, "</style></head>\n");
    return 0;
}

/* Fillings that charts refer to; a stripe is drawn along its tile's left edge. */
static void put_patterns(struct buf *out)
{
    static const struct {
        const char *id, *colour, *width;
        int tile, angle;
    } rows[] = {{"gap", "gap", "2", 5, 45}, {"unsure", "unsure", "3", 5, -45}};
    buf_puts(out, "<svg class=\"off\" width=\"0\" height=\"0\" aria-hidden=\"true\" "
                  "focusable=\"false\"><defs>");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        buf_printf(out,
                   "<pattern id=\"%s\" width=\"%d\" height=\"%d\" patternUnits=\"userSpaceOnUse\" "
                   "patternTransform=\"rotate(%d)\"><line class=\"st-%s\" x1=\"0\" y1=\"0\" "
                   "x2=\"0\" y2=\"%d\" stroke-width=\"%s\"/></pattern>",
                   rows[i].id, rows[i].tile, rows[i].tile, rows[i].angle, rows[i].colour,
                   rows[i].tile, rows[i].width);
    buf_puts(out, "</defs></svg>\n");
}

static void put_line(void *ctx, const char *label, const char *text)
{
    buf_printf(ctx, "<p class=\"kind\">%s: ", label);
    html_text(ctx, text);
    buf_puts(ctx, "</p>");
}

static void put_title(struct html *h)
{
    const struct history *of = h->report->history;
    buf_puts(h->out, "<header><p class=\"kind\">Blackstart report</p><h1>");
    html_text(h->out, of->scenario);
    buf_puts(h->out, "</h1>");
    const char *about = h->report->scenario->description;
    if (about != NULL && about[0] != '\0') {
        buf_puts(h->out, "<p>");
        html_text(h->out, about);
        buf_puts(h->out, "</p>");
    }
    reproduced_lines(h->report->scenario, put_line, h->out);
    buf_puts(h->out, "<p class=\"kind\">");
    html_textf(h->out, "Run %s%s%s%s", of->run != NULL ? of->run : "?",
               of->wall != NULL ? " of " : "", of->wall != NULL ? of->wall : "",
               of->no_fault ? ", without faults" : "");
    buf_puts(h->out, "</p></header>\n");
}

static void put_contents(struct buf *out, const size_t *have, size_t n)
{
    buf_puts(out, "<nav aria-label=\"Contents\"><ul>");
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "<li><a href=\"#%s\">%s</a></li>", sections[have[i]].id,
                   sections[have[i]].title);
    buf_puts(out, "</ul></nav>\n");
}

static void section_begin(struct buf *out, const char *id, const char *title)
{
    buf_printf(out, "<section id=\"%s\" aria-labelledby=\"h-%s\"><h2 id=\"h-%s\">%s</h2>\n", id, id,
               id, title);
}

static void section_end(struct buf *out)
{
    buf_puts(out, "</section>\n");
}

/* The sections first, since the list of contents depends on which there are. */
static void put_sections(struct html *h)
{
    enum { N = sizeof(sections) / sizeof(sections[0]) };
    CLEANUP_BUF struct buf all = BUF_INIT(h->out->max), one = BUF_INIT(h->out->max);
    size_t have[N], n = 0;
    struct html within = {.report = h->report, .out = &one};
    for (size_t i = 0; i < N; i++) {
        buf_drop(&one, one.len);
        sections[i].render(&within);
        if (one.len == 0)
            continue;
        have[n++] = i;
        section_begin(&all, sections[i].id, sections[i].title);
        buf_add(&all, buf_text(&one), one.len);
        section_end(&all);
    }
    put_contents(h->out, have, n);
    buf_add(h->out, buf_text(&all), all.len);
    h->out->failed = h->out->failed || all.failed || one.failed;
}

int report_render_html(const struct report *report, struct buf *out, struct err *err)
{
    struct html h = {.report = report, .out = out};
    if (put_head(&h, err) != 0)
        return -1;
    buf_puts(out, "<body>\n");
    put_patterns(out);
    put_title(&h);
    buf_puts(out, "<main>\n");
    html_verdict(&h);
    put_sections(&h);
    buf_puts(out, "</main>\n<footer><p>Made from the run's journal alone. This file asks nothing "
                  "of any network.</p></footer>\n<script>");
    put_lines(out, html_script);
    buf_puts(out, "</script></body></html>\n");
    return 0;
}
