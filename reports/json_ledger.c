/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/json_parts.h"

static json_t *view_json(const struct analysis_view *v)
{
    return json_pack("{s:o, s:o, s:b, s:o, s:I, s:I, s:I, s:I}", "vantage", text(v->vantage),
                     "view", text(v->name), "read", v->read, "why",
                     v->why[0] != '\0' ? text(v->why) : json_null(), "present",
                     (json_int_t)v->present, "absent", (json_int_t)v->absent, "phantoms",
                     (json_int_t)v->phantoms, "duplicates", (json_int_t)v->duplicates);
}

static json_t *write_json(const struct analysis_write *w)
{
    return json_pack("{s:I, s:s, s:o, s:o, s:I, s:o}", "id", (json_int_t)w->id, "fate",
                     write_fate_word(w->fate), "sent_s", seconds(w->sent_ns), "answered_s",
                     seconds(w->done_ns), "times", (json_int_t)w->times, "why",
                     w->why[0] != '\0' ? text(w->why) : json_null());
}

static json_t *ledger_json(const struct analysis_ledger *l)
{
    json_t *views = json_array(), *writes = json_array(), *o = json_object();
    const struct {
        const char *name;
        uint32_t n;
    } counts[] = {{"written", l->written},
                  {"acknowledged", l->acknowledged},
                  {"refused", l->refused},
                  {"unknown", l->unknown},
                  {"unknown_present", l->unknown_present},
                  {"not_sent", l->gaps},
                  {"at_risk", l->at_risk},
                  {"lost_lower", l->lost_lower},
                  {"lost_upper", l->lost_upper},
                  {"phantoms", l->phantoms},
                  {"duplicates", l->duplicates},
                  {"strange", l->strange},
                  {"rounds", l->rounds}};
    for (size_t i = 0; i < l->n_views; i++)
        (void)json_array_append_new(views, view_json(&l->views[i]));
    for (size_t i = 0; i < l->n_writes; i++)
        (void)json_array_append_new(writes, write_json(&l->writes[i]));
    (void)json_object_set_new(o, "name", text(l->name));
    (void)json_object_set_new(o, "kind", text(l->kind));
    (void)json_object_set_new(o, "from", text(l->from));
    (void)json_object_set_new(o, "every_s", seconds(l->every_ns));
    (void)json_object_set_new(o, "sentence", text(l->sentence));
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        (void)json_object_set_new(o, counts[i].name, json_integer((json_int_t)counts[i].n));
    (void)json_object_set_new(o, "known", json_boolean(l->known));
    (void)json_object_set_new(o, "why", l->why[0] != '\0' ? text(l->why) : json_null());
    (void)json_object_set_new(o, "views_agree", json_boolean(l->agree));
    (void)json_object_set_new(o, "torn", json_boolean(l->torn));
    (void)json_object_set_new(o, "oldest_lost_s",
                              l->oldest_lost_ns < 0 ? json_null() : seconds(l->oldest_lost_ns));
    (void)json_object_set_new(o, "newest_lost_s",
                              l->newest_lost_ns < 0 ? json_null() : seconds(l->newest_lost_ns));
    (void)json_object_set_new(o, "loss_lower_s", seconds(l->loss_ns.lo));
    (void)json_object_set_new(o, "loss_upper_s", seconds(l->loss_ns.hi));
    (void)json_object_set_new(o, "views", views);
    (void)json_object_set_new(o, "writes", writes);
    return o;
}

json_t *json_ledgers(const struct analysis_trial *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->n_ledgers; i++)
        (void)json_array_append_new(list, ledger_json(&t->ledgers[i]));
    return list;
}
