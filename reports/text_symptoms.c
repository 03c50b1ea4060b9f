/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.txt and the terminal: what a reproduced outage showed. */
#include "reports/figure.h"
#include "reports/letter.h"
#include "reports/text_parts.h"

enum { LINE_MAX_BYTES = 4096 };

static const char *of(const char *style)
{
    return style != NULL ? style : "";
}

static void put_symptom(struct buf *out, const struct analysis_symptom *s,
                        const struct report_paint *paint)
{
    CLEANUP_BUF struct buf name = BUF_INIT(LINE_MAX_BYTES), why = BUF_INIT(LINE_MAX_BYTES);
    buf_printf(&name, "\"%s\"", s->shows);
    figure_put_symptom(&why, s);
    if (s->why[0] != '\0')
        buf_printf(&why, "; %s", s->why);
    buf_printf(out, "  %s%-12s%s ", of(paint->verdicts[figure_symptom_verdict(s->state)]),
               symptom_word(s->state), of(paint->off));
    letter_put_lines(out, buf_text(&name));
    buf_printf(out, "\n               %s", of(paint->why));
    letter_put_lines(out, buf_text(&why));
    buf_printf(out, "%s\n", of(paint->off));
}

void text_put_symptoms(struct buf *out, const struct analysis_symptom *list, size_t n,
                       const struct report_paint *paint)
{
    if (n != 0)
        buf_puts(out, "  symptoms of the outage\n");
    for (size_t i = 0; i < n; i++)
        put_symptom(out, &list[i], paint);
    if (n != 0)
        buf_puts(out, "  targets\n");
}
