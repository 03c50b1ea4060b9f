/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One probe in one trial. Above, what share of each bin's slots was good, bad or not known: a bin
 * with a bad slot shows it by at least two pixels across and four down, however many good ones are
 * with it. Below, the latency of the good answers.
 */
#include "reports/html_timeline.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    HEIGHT = 262,
    FAULT_Y = 40,
    GOOD_TITLE = 13,
    GOOD_Y = 44,
    GOOD_H = 54,
    LATENCY_TITLE = 120,
    LATENCY_Y = 128,
    LATENCY_H = 82,
    EVENTS_Y = 224,
    AXIS_Y = 238,
    BAD_LEAST = 4
};

struct chart {
    const struct timeline_view *view;
    const struct analysis_probe *p;
    const struct timeline *l;
    struct svg_axis ms;
    bool any_latency;
    double limit_ms; /* the target's; NAN: there is none */
    int up;          /* a signal has no latency: what is below moves up */
};

/* The edge before bin k, as a share of the width. */
static double edge(const struct chart *c, size_t k)
{
    double at = (double)c->l->from_ns + (double)c->l->bin_ns * (double)k - (double)c->view->zero;
    return svg_share(&c->view->axis, at / 1e9);
}

static double middle(const struct chart *c, size_t k)
{
    return (edge(c, k) + edge(c, k + 1)) / 2;
}

/* Heights of a bin's parts; what is bad hangs from above. */
static double bad_height(const struct timeline_bin *b)
{
    double all = (double)b->good + b->bad + b->gaps;
    double height = all > 0 ? GOOD_H * (double)b->bad / all : 0;
    return b->bad != 0 && height < BAD_LEAST ? BAD_LEAST : height;
}

static double gap_height(const struct timeline_bin *b)
{
    double all = (double)b->good + b->bad + b->gaps;
    double height = all > 0 ? GOOD_H * (double)b->gaps / all : 0;
    return b->gaps != 0 && height < BAD_LEAST ? BAD_LEAST : height;
}

enum part { PART_GOOD, PART_GAP, PART_BAD };

static bool part_of(const struct timeline_bin *b, enum part part, double *top, double *bottom)
{
    double bad = bad_height(b), gap = gap_height(b);
    *top = part == PART_BAD ? 0 : part == PART_GAP ? bad : bad + gap;
    *bottom = part == PART_BAD ? bad : part == PART_GAP ? bad + gap : GOOD_H;
    if (*bottom > GOOD_H)
        *bottom = GOOD_H;
    return *bottom > *top && (part != PART_GOOD || b->good != 0);
}

/* Bins alike beside each other are one box. */
static void put_part(struct html *h, const struct chart *c, enum part part, const char *class)
{
    bool any = false;
    for (size_t k = 0, end; k < c->l->n; k = end) {
        double top, bottom, t, b;
        end = k + 1;
        if (!part_of(&c->l->bins[k], part, &top, &bottom))
            continue;
        while (end < c->l->n && part_of(&c->l->bins[end], part, &t, &b) && t == top && b == bottom)
            end++;
        if (!any)
            svg_path_begin(h->out, class);
        any = true;
        svg_path_box(h->out, edge(c, k), top, edge(c, end), bottom);
    }
    if (any)
        svg_path_end(h->out);
}

/* Two pixels for what would be narrower. */
static void put_bad_least(struct html *h, const struct chart *c)
{
    bool any = false;
    for (size_t k = 0; k < c->l->n; k++) {
        if (c->l->bins[k].bad == 0 || (k != 0 && c->l->bins[k - 1].bad != 0))
            continue;
        if (!any)
            svg_path_begin(h->out, "badmin");
        any = true;
        svg_path_to(h->out, 'M', middle(c, k), 0);
        buf_puts(h->out, "V");
        svg_number(h->out, bad_height(&c->l->bins[k]));
    }
    if (any)
        svg_path_end(h->out);
}

static double nice(double v, bool up)
{
    static const double parts[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(v) + 1e-9));
    double below = power, above = 10 * power;
    for (size_t i = 0; i < 4; i++) {
        below = parts[i] * power <= v * 1.0001 ? parts[i] * power : below;
        above = parts[3 - i] * power >= v * 0.9999 ? parts[3 - i] * power : above;
    }
    return up ? above : below;
}

static void latency_axis(struct chart *c)
{
    double least = 0, most = isnan(c->limit_ms) ? 0 : c->limit_ms;
    for (size_t k = 0; k < c->l->n; k++) {
        const struct timeline_bin *b = &c->l->bins[k];
        if (b->p50_ns < 0)
            continue;
        double p50 = (double)b->p50_ns / 1e6, p99 = (double)b->p99_ns / 1e6;
        least = p50 > 0 && (least == 0 || p50 < least) ? p50 : least;
        most = p99 > most ? p99 : most;
        c->any_latency = true;
    }
    c->any_latency = c->any_latency && !c->p->signal;
    if (most < 1e-3)
        most = 1e-3;
    if (least == 0)
        least = most / 100;
    c->ms.log = most / least > 20;
    c->ms.lo = c->ms.log ? nice(least, false) : 0;
    c->ms.hi = nice(most, true);
}

static double down(const struct chart *c, int64_t ns)
{
    return LATENCY_H * (1 - svg_share(&c->ms, (double)ns / 1e6));
}

/* From bin k on, up to one that has no good answer. */
static size_t run_end(const struct chart *c, size_t k)
{
    while (k < c->l->n && c->l->bins[k].p50_ns >= 0)
        k++;
    return k;
}

static void put_band(struct html *h, const struct chart *c)
{
    svg_path_begin(h->out, "band");
    for (size_t k = 0, end; k<c->l->n; k = end> k ? end : k + 1) {
        end = run_end(c, k);
        for (size_t i = k; i < end; i++)
            svg_path_to(h->out, i == k ? 'M' : 'L', middle(c, i), down(c, c->l->bins[i].p99_ns));
        for (size_t i = end; i-- > k;)
            svg_path_to(h->out, 'L', middle(c, i), down(c, c->l->bins[i].p50_ns));
        buf_puts(h->out, end > k ? "Z" : "");
    }
    svg_path_end(h->out);
}

static void put_median(struct html *h, const struct chart *c)
{
    svg_path_begin(h->out, "p50");
    for (size_t k = 0, end; k<c->l->n; k = end> k ? end : k + 1) {
        end = run_end(c, k);
        for (size_t i = k; i < end; i++)
            svg_path_to(h->out, i == k ? 'M' : 'L', middle(c, i), down(c, c->l->bins[i].p50_ns));
        buf_puts(h->out, end == k + 1 ? "h0" : ""); /* a round end makes it a dot */
    }
    svg_path_end(h->out);
}

static void put_side(struct html *h, const struct chart *c)
{
    double ticks[SVG_TICKS_MAX];
    size_t n = c->any_latency ? svg_ticks(&c->ms, 3, ticks) : 0;
    svg_begin(h->out, "ax x4", HEIGHT - c->up);
    svg_text(h->out, "tk", SVG_END, 86, GOOD_Y + 9, "100 %");
    svg_text(h->out, "tk", SVG_END, 86, GOOD_Y + GOOD_H, "0 %");
    for (size_t i = 0; i < n; i++) {
        char text[32];
        double y = LATENCY_Y + LATENCY_H * (1 - svg_share(&c->ms, ticks[i]));
        (void)snprintf(text, sizeof(text), "%g", ticks[i]);
        svg_text(h->out, "tk", SVG_END, 86, y + 4, text);
    }
    svg_end(h->out);
}

static void put_latency(struct html *h, const struct chart *c)
{
    double ticks[SVG_TICKS_MAX];
    size_t n = svg_ticks(&c->ms, 3, ticks);
    for (size_t i = 0; i < n; i++) {
        double y = LATENCY_Y + LATENCY_H * (1 - svg_share(&c->ms, ticks[i]));
        svg_line(h->out, "grid", 0, y, 100, y);
    }
    if (!isnan(c->limit_ms)) {
        double y = LATENCY_Y + down(c, (int64_t)(c->limit_ms * 1e6));
        svg_line(h->out, "limit", 0, y, 100, y);
        svg_text(h->out, "tl", SVG_END, 99.5, y - 4, "limit");
    }
    svg_layer_begin(h->out, LATENCY_Y, LATENCY_H);
    put_band(h, c);
    put_median(h, c);
    svg_layer_end(h->out);
}

static void put_titles(struct html *h, const struct chart *c)
{
    char bin[32];
    CLEANUP_BUF struct buf text = BUF_INIT(256);
    buf_printf(&text, c->p->signal ? "Signal there, in each %s" : "Good answers, in each %s",
               html_duration(c->l->bin_ns, bin));
    svg_text(h->out, "tl", SVG_START, 0, GOOD_TITLE, buf_text(&text));
    if (c->p->signal)
        return;
    svg_text(h->out, "tl", SVG_START, 0, LATENCY_TITLE,
             !c->any_latency ? "Latency: no good answer"
             : c->ms.log     ? "Latency in ms, logarithmic"
                             : "Latency in ms");
}

static void put_drawing(struct html *h, const struct chart *c)
{
    int axis_y = AXIS_Y - c->up, bottom = LATENCY_Y + LATENCY_H - c->up;
    bool signal = c->p->signal;
    svg_begin(h->out, "in", HEIGHT - c->up);
    timeline_axis(h, &c->view->axis, GOOD_Y, axis_y);
    timeline_faults(h, c->view, FAULT_Y, axis_y - FAULT_Y, true);
    svg_layer_begin(h->out, GOOD_Y, GOOD_H);
    put_part(h, c, PART_GOOD, signal ? "signal" : "good");
    put_part(h, c, PART_GAP, "gap");
    put_part(h, c, PART_BAD, signal ? "quiet" : "bad");
    if (!signal)
        put_bad_least(h, c);
    svg_layer_end(h->out);
    if (c->any_latency)
        put_latency(h, c);
    timeline_unsure(h, c->view, c->p, GOOD_Y, bottom - GOOD_Y);
    put_titles(h, c);
    html_event_marks(h, c->view->t, &c->view->axis, EVENTS_Y - c->up);
    svg_line(h->out, "cursor", 0, FAULT_Y, 0, axis_y);
    svg_end(h->out);
}

static void put_bin(struct buf *out, const struct timeline_bin *b)
{
    buf_printf(out, "[%u,%u,%u", b->good, b->bad, b->gaps);
    if (b->p50_ns >= 0)
        buf_printf(out, ",%lld,%lld,%lld", (long long)(b->p50_ns / 1000),
                   (long long)(b->p99_ns / 1000), (long long)(b->most_ns / 1000));
    if (b->bad != 0)
        buf_printf(out, ",%u", (unsigned)b->first_result);
    buf_puts(out, "]");
}

/* For the script; numbers and words of ours alone, so that the quotes hold. */
static void put_series(struct html *h, const struct chart *c)
{
    double from = ((double)c->l->from_ns - (double)c->view->zero) / 1e9;
    double bin = (double)c->l->bin_ns / 1e9;
    bool first = true;
    buf_printf(h->out,
               " data-series='{\"lo\":%.6f,\"hi\":%.6f,\"from\":%.6f,\"bin\":%.6f,\"digits\":%d,"
               "\"results\":{",
               c->view->axis.lo, c->view->axis.hi, from, bin, bin < 0.01 ? 3 : 2);
    for (unsigned r = 1; r < SAMPLE_RESULT_COUNT; r++)
        for (size_t k = 0; k < c->l->n; k++)
            if (c->l->bins[k].first_result == r) {
                buf_printf(h->out, "%s\"%u\":\"%s\"", first ? "" : ",", r, sample_result_word(r));
                first = false;
                break;
            }
    buf_puts(h->out, "},\"bins\":[");
    for (size_t k = 0; k < c->l->n; k++) {
        buf_puts(h->out, k != 0 ? "," : "");
        put_bin(h->out, &c->l->bins[k]);
    }
    buf_puts(h->out, "]}'");
}

static void put_caption(struct html *h, const struct analysis_probe *p)
{
    char every[32];
    buf_puts(h->out, "<figcaption><strong>");
    html_text(h->out, p->label);
    buf_puts(h->out, "</strong><span class=\"soft\">");
    html_textf(h->out, "%sFrom %s, %s, every %s: %u slots, %u good, %u bad, %u not known.",
               p->signal ? "The system's own signal: good when it is there. " : "", p->from,
               p->rule != NULL ? p->rule : "", html_duration(p->every_ns, every), p->scheduled,
               p->good, p->bad, p->gaps);
    buf_puts(h->out, "</span></figcaption>");
}

/* What the chart shows, for who cannot see it. */
static void put_label(struct html *h, const struct chart *c)
{
    html_textf(h->out, "Timeline of %s: %u slots, %u good, %u bad, %u not known; %zu outages",
               c->p->label, c->p->scheduled, c->p->good, c->p->bad, c->p->gaps, c->p->n_outages);
    for (size_t i = 0; i < c->p->n_outages && i < 3; i++) {
        CLEANUP_BUF struct buf text = BUF_INIT(512);
        timeline_outage_text(&text, c->view, &c->p->outages[i]);
        html_textf(h->out, "; %s", buf_text(&text));
    }
}

static double latency_limit(const struct analysis_trial *t, const struct analysis_probe *p)
{
    for (size_t i = 0; i < t->n_targets; i++)
        if (strcmp(t->targets[i].measure, "latency") == 0 &&
            strcmp(t->targets[i].of, p->label) == 0)
            return t->targets[i].limit * 1e3;
    return NAN;
}

void timeline_chart(struct html *h, const struct timeline_view *v, const struct analysis_probe *p)
{
    struct chart c = {.view = v, .p = p, .l = &p->timeline, .ms = {.lo = 0, .hi = 1}};
    c.limit_ms = latency_limit(v->t, p);
    c.up = p->signal ? LATENCY_Y + LATENCY_H - GOOD_Y - GOOD_H : 0;
    latency_axis(&c);
    buf_puts(h->out, "<figure>");
    put_caption(h, p);
    buf_puts(h->out, "<div class=\"plot\" role=\"img\" tabindex=\"0\" aria-label=\"");
    put_label(h, &c);
    buf_puts(h->out, "\"");
    put_series(h, &c);
    buf_puts(h->out, ">");
    put_side(h, &c);
    put_drawing(h, &c);
    buf_puts(h->out, "</div><p class=\"readout\" aria-live=\"polite\">\xc2\xa0</p></figure>\n");
}
