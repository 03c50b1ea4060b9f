/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/reproduced.h"

#include "base/cleanup.h"

enum { LINE_MAX_BYTES = 64 << 10 };

static void put_variant(const struct scenario *s,
                        void (*put)(void *ctx, const char *label, const char *text), void *ctx)
{
    const struct scenario_variant *v = scenario_variant_of(s);
    CLEANUP_BUF struct buf line = BUF_INIT(LINE_MAX_BYTES);
    if (v == NULL)
        return;
    buf_printf(&line, "%s%s%s; expected to %s", v->name, v->description != NULL ? ", " : "",
               v->description != NULL ? v->description : "",
               scenario_expect_word((enum variant_expect)v->expect));
    put(ctx, "variant", buf_text(&line));
}

void reproduced_lines(const struct scenario *s,
                      void (*put)(void *ctx, const char *label, const char *text), void *ctx)
{
    const struct scenario_outage *o = &s->outage;
    CLEANUP_BUF struct buf what = BUF_INIT(LINE_MAX_BYTES);
    CLEANUP_BUF struct buf sources = BUF_INIT(LINE_MAX_BYTES);
    char lasted[64];
    put_variant(s, put, ctx);
    if (o->title == NULL)
        return;
    buf_printf(&what, "%s (%s", o->title, scenario_outage_class(o));
    if (o->duration.ns != 0)
        buf_printf(&what, ", %s there", duration_print(o->duration, lasted, sizeof(lasted)));
    buf_puts(&what, ")");
    for (size_t i = 0; i < o->n_sources; i++)
        buf_printf(&sources, "%s%s", i != 0 ? "; " : "", o->sources[i]);
    put(ctx, "reproduces", buf_text(&what));
    put(ctx, "fidelity", scenario_outage_fidelity(o));
    put(ctx, "time scale", o->scale);
    put(ctx, "keeps", o->keeps);
    put(ctx, "leaves out", o->leaves_out);
    put(ctx, "sources", buf_text(&sources));
}

json_t *reproduced_json(const struct scenario *s)
{
    const struct scenario_outage *o = &s->outage;
    if (o->title == NULL)
        return NULL;
    json_t *sources = json_array();
    for (size_t i = 0; i < o->n_sources; i++)
        (void)json_array_append_new(sources, json_string(o->sources[i]));
    json_t *ret = json_pack("{s:s, s:s?, s:s, s:s, s:s, s:s, s:s, s:o}", "title", o->title, "date",
                            o->date, "class", scenario_outage_class(o), "fidelity",
                            scenario_outage_fidelity(o), "scale", o->scale, "keeps", o->keeps,
                            "leaves_out", o->leaves_out, "sources", sources);
    (void)json_object_set_new(ret, "duration_s",
                              o->duration.ns != 0 ? json_real((double)o->duration.ns / 1e9)
                                                  : json_null());
    return ret;
}
