/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps that took their hosts wave after wave: how far each came. */
#include "analysis/analysis_parts.h"

#include <string.h>

static int64_t number(const struct history_event *e, const char *member)
{
    return json_integer_value(json_object_get(e->members, member));
}

static const char *word(const struct history_event *e, const char *member)
{
    const char *s = json_string_value(json_object_get(e->members, member));
    return s != NULL ? s : "";
}

/* A later event of the same step says more. */
static void take(struct analysis_trial *t, const struct history_event *e)
{
    size_t k = 0;
    while (k < t->n_rollouts && t->rollouts[k].step != number(e, "step"))
        k++;
    t->n_rollouts += k == t->n_rollouts;
    struct analysis_share blast = analysis_blast(t);
    struct analysis_rollout *r = &t->rollouts[k];
    *r = (struct analysis_rollout){.step = number(e, "step"),
                                   .fault = word(e, "fault"),
                                   .state = word(e, "state"),
                                   .why = word(e, "what"),
                                   .wave = number(e, "wave"),
                                   .waves = number(e, "waves"),
                                   .reached = json_object_get(e->members, "reached"),
                                   .spared = json_object_get(e->members, "spared"),
                                   .blast_lower = blast.lower,
                                   .blast_upper = blast.upper};
    size_t reached = json_array_size(r->reached), all = reached + json_array_size(r->spared);
    r->reach = all != 0 ? (double)reached / (double)all : 0;
}

void analysis_rollouts(struct analysis_maker *m, struct analysis_trial *t)
{
    const struct history_event *events = &m->h->events[t->of->first_event];
    size_t n = 0;
    for (size_t i = 0; i < t->of->n_events; i++)
        n += strcmp(events[i].ev, "rollout") == 0;
    if (n == 0)
        return;
    t->rollouts = analysis_array(m, n, sizeof(*t->rollouts));
    for (size_t i = 0; t->rollouts != NULL && i < t->of->n_events; i++)
        if (strcmp(events[i].ev, "rollout") == 0)
            take(t, &events[i]);
}
