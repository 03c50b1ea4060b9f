/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drawing for reading. Across, places are shares of the width in percent and text keeps its size,
 * so that one drawing is legible on a phone and on a wide screen; down, they are pixels. What is a
 * path stands in a layer that stretches, with lines that do not. Colours are the page's classes.
 */
#ifndef BLACKSTART_REPORTS_SVG_H
#define BLACKSTART_REPORTS_SVG_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum { SVG_TICKS_MAX = 12, SVG_LAYER_WIDTH = 1000 };

struct svg_axis {
    double lo, hi; /* lo < hi; both above 0 where it is logarithmic */
    bool log;
};

/* Where v lies between lo and hi, 0 to 1; what is outside lies at the edge. */
double svg_share(const struct svg_axis *axis, double v);
/* Round values within the axis, about as many as wanted, in order. */
size_t svg_ticks(const struct svg_axis *axis, size_t want, double ret[SVG_TICKS_MAX]);
/* Digits behind the point that tell two of these ticks apart. */
int svg_tick_digits(const double *ticks, size_t n);

/* A number without needless digits: 12.5, 3. */
void svg_number(struct buf *out, double v);

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

void svg_begin(struct buf *out, const char *class, int height);
void svg_end(struct buf *out);
void svg_rect(struct buf *out, const char *class, double x, double y, double w, double h);
void svg_line(struct buf *out, const char *class, double x1, double y1, double x2, double y2);
/* The text is escaped. */
void svg_text(struct buf *out, const char *class, enum svg_anchor anchor, double x, double y,
              const char *text);
/* What holds a shape and the words that appear above it. */
void svg_group_begin(struct buf *out, const char *class, const char *title);
void svg_group_end(struct buf *out);

/* Between these: <path>s, 0 to SVG_LAYER_WIDTH across. */
void svg_layer_begin(struct buf *out, double y, double height);
void svg_layer_end(struct buf *out);
void svg_path_begin(struct buf *out, const char *class);
void svg_path_to(struct buf *out, char command, double x, double y); /* x as a share, 0 to 1 */
/* A box of its own within a path; x as shares. */
void svg_path_box(struct buf *out, double x1, double y1, double x2, double y2);
void svg_path_end(struct buf *out);

#endif
