/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/judged.h"

#include "agents/faults/catalogue.h"

enum { VARS_MAX = 256 };

/* The scenario as it was run: its text, its lab's text and its variables stand in the journal. */
static int scenario_of(const struct history *h, struct scenario **ret, struct err *err)
{
    struct scenario_set sets[VARS_MAX];
    size_t n = 0;
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(h->start, "vars"), name, value)
    {
        if (n < VARS_MAX && json_is_string(value))
            sets[n++] = (struct scenario_set){name, json_string_value(value)};
    }
    const json_t *other = json_object_get(h->start, "other");
    const json_t *text = json_object_get(h->start, "text");
    struct problems problems = {0};
    int rc = scenario_parse_whole(h->file, h->text, json_string_length(text),
                                  json_string_value(other), json_string_length(other),
                                  &fault_catalogue, sets, n, ret, &problems, err);
    problems_free(&problems);
    return rc < 0 ? wrap_error(err, "the journal's scenario") : 0;
}

int judged_load(const char *dir, struct judged *ret, struct err *err)
{
    *ret = (struct judged){.history = NULL};
    if (history_load(dir, &ret->history, err) < 0)
        return -1; /* it has named the directory */
    if (scenario_of(ret->history, &ret->scenario, err) < 0 ||
        analysis_make(ret->scenario, ret->history, &ret->analysis, err) < 0)
        return wrap_error(err, "%s", dir);
    return 0;
}

void judged_free(struct judged *j)
{
    analysis_free(j->analysis);
    scenario_free(j->scenario);
    history_free(j->history);
    *j = (struct judged){.history = NULL};
}
