/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/svg.h"

#include "reports/html_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

double svg_share(const struct svg_axis *axis, double v)
{
    double share;
    if (isnan(v) || !(axis->lo < axis->hi))
        return 0;
    if (axis->log)
        share = v > axis->lo ? log(v / axis->lo) / log(axis->hi / axis->lo) : 0;
    else
        share = (v - axis->lo) / (axis->hi - axis->lo);
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

static size_t ticks_linear(const struct svg_axis *axis, size_t want, double ret[SVG_TICKS_MAX])
{
    static const double steps[] = {1, 2, 5, 10};
    double raw = (axis->hi - axis->lo) / (double)(want != 0 ? want : 1);
    double power = pow(10, floor(log10(raw))), step = 10 * power;
    size_t n = 0;
    for (size_t i = sizeof(steps) / sizeof(steps[0]); i-- > 0;)
        step = steps[i] * power >= raw * 0.99 ? steps[i] * power : step;
    double first = ceil(axis->lo / step - 1e-9);
    for (; n < SVG_TICKS_MAX && (first + (double)n) * step <= axis->hi + step * 1e-9; n++)
        ret[n] = (first + (double)n) * step;
    return n;
}

/* Powers of ten; with so few of them that they say little, also their halves and fifths. */
static size_t ticks_log(const struct svg_axis *axis, double ret[SVG_TICKS_MAX])
{
    static const double parts[] = {1, 2, 5};
    bool few = axis->hi / axis->lo < 150;
    size_t n = 0;
    for (double power = pow(10, floor(log10(axis->lo))); power <= axis->hi; power *= 10)
        for (size_t i = 0; i < (few ? 3 : 1); i++)
            if (n < SVG_TICKS_MAX && power * parts[i] >= axis->lo * 0.999 &&
                power * parts[i] <= axis->hi * 1.001)
                ret[n++] = power * parts[i];
    return n;
}

size_t svg_ticks(const struct svg_axis *axis, size_t want, double ret[SVG_TICKS_MAX])
{
    if (!(axis->lo < axis->hi) || !isfinite(axis->lo) || !isfinite(axis->hi))
        return 0;
    return axis->log ? ticks_log(axis, ret) : ticks_linear(axis, want, ret);
}

int svg_tick_digits(const double *ticks, size_t n)
{
    double step = n > 1 ? ticks[1] - ticks[0] : 1;
    int digits = 0;
    for (; digits < 6 && fabs(step - round(step * pow(10, digits)) / pow(10, digits)) > step * 1e-6;
         digits++)
        ;
    return digits;
}

void svg_number(struct buf *out, double v)
{
    char text[40];
    if (!isfinite(v) || fabs(v) > 1e9)
        v = 0;
    int n = snprintf(text, sizeof(text), "%.2f", v);
    while (n > 1 && text[n - 1] == '0')
        text[--n] = '\0';
    if (n > 1 && text[n - 1] == '.')
        text[--n] = '\0';
    buf_puts(out, strcmp(text, "-0") == 0 ? "0" : text);
}

static void put_attribute(struct buf *out, const char *name, double v, const char *unit)
{
    buf_printf(out, " %s=\"", name);
    svg_number(out, v);
    buf_printf(out, "%s\"", unit);
}

void svg_begin(struct buf *out, const char *class, int height)
{
    buf_printf(out,
               "<svg class=\"%s\" width=\"100%%\" height=\"%d\" aria-hidden=\"true\" "
               "focusable=\"false\" xmlns=\"http://www.w3.org/2000/svg\">",
               class, height);
}

void svg_end(struct buf *out)
{
    buf_puts(out, "</svg>\n");
}

void svg_rect(struct buf *out, const char *class, double x, double y, double w, double h)
{
    buf_printf(out, "<rect class=\"%s\"", class);
    put_attribute(out, "x", x, "%");
    put_attribute(out, "y", y, "");
    put_attribute(out, "width", w > 0 ? w : 0, "%");
    put_attribute(out, "height", h > 0 ? h : 0, "");
    buf_puts(out, "/>");
}

void svg_line(struct buf *out, const char *class, double x1, double y1, double x2, double y2)
{
    buf_printf(out, "<line class=\"%s\"", class);
    put_attribute(out, "x1", x1, "%");
    put_attribute(out, "y1", y1, "");
    put_attribute(out, "x2", x2, "%");
    put_attribute(out, "y2", y2, "");
    buf_puts(out, "/>");
}

void svg_text(struct buf *out, const char *class, enum svg_anchor anchor, double x, double y,
              const char *text)
{
    static const char *const words[] = {"start", "middle", "end"};
    buf_printf(out, "<text class=\"%s\"", class);
    put_attribute(out, "x", x, "%");
    put_attribute(out, "y", y, "");
    buf_printf(out, " text-anchor=\"%s\">", words[anchor]);
    html_text(out, text);
    buf_puts(out, "</text>");
}

void svg_group_begin(struct buf *out, const char *class, const char *title)
{
    buf_printf(out, "<g class=\"%s\">", class);
    if (title == NULL)
        return;
    buf_puts(out, "<title>");
    html_text(out, title);
    buf_puts(out, "</title>");
}

void svg_group_end(struct buf *out)
{
    buf_puts(out, "</g>");
}

void svg_layer_begin(struct buf *out, double y, double height)
{
    buf_puts(out, "<svg x=\"0\" width=\"100%\"");
    put_attribute(out, "y", y, "");
    put_attribute(out, "height", height, "");
    buf_printf(out, " viewBox=\"0 0 %d ", SVG_LAYER_WIDTH);
    svg_number(out, height);
    buf_puts(out, "\" preserveAspectRatio=\"none\">");
}

void svg_layer_end(struct buf *out)
{
    buf_puts(out, "</svg>");
}

void svg_path_begin(struct buf *out, const char *class)
{
    buf_printf(out, "<path class=\"%s\" d=\"", class);
}

void svg_path_to(struct buf *out, char command, double x, double y)
{
    char at[2] = {command, '\0'};
    buf_puts(out, at);
    svg_number(out, x * SVG_LAYER_WIDTH);
    buf_puts(out, " ");
    svg_number(out, y);
}

void svg_path_box(struct buf *out, double x1, double y1, double x2, double y2)
{
    svg_path_to(out, 'M', x1, y1);
    buf_puts(out, "H");
    svg_number(out, x2 * SVG_LAYER_WIDTH);
    buf_puts(out, "V");
    svg_number(out, y2);
    buf_puts(out, "H");
    svg_number(out, x1 * SVG_LAYER_WIDTH);
    buf_puts(out, "Z");
}

void svg_path_end(struct buf *out)
{
    buf_puts(out, "\"/>");
}
