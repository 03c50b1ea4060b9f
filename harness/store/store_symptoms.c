/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an outage showed that runs reproduce: in and out. */
#include "store/store_parts.h"

#include <errno.h>
#include <string.h>

/* It has a trial's symptoms of few and short words. */
enum { TRIAL_ARENA_MAX = 1 << 20 };

static const char *text(const char *s)
{
    return s != NULL ? s : "";
}

int store_add_symptoms(const struct store *s, int64_t id, const struct analysis *a, struct err *err)
{
    CLEANUP_STATEMENT struct store_statement st = {.stmt = NULL};
    if (store_prepare(s, "write",
                      "INSERT INTO symptoms (run_id, place, trial, judged, shown, shows, expects, "
                      "state, why, without_fault) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                      &st, err) != 0)
        return -1;
    for (size_t i = 0; i < a->n_symptoms; i++) {
        const struct analysis_symptom *of = &a->symptoms[i];
        const struct analysis_shown *all = &a->shown[i];
        const int64_t numbers[] = {id, (int64_t)i, of->trial, all->n, all->shown};
        const char *const texts[] = {text(of->shows), of->missed ? "missed" : "met",
                                     symptom_word(of->state), text(of->why),
                                     all->dry_known ? symptom_word(all->dry) : NULL};
        for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
            store_put_int(&st, numbers[k]);
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
            store_put_text(&st, texts[k]);
        if (store_step(&st, err) < 0)
            return -1;
    }
    return 0;
}

int store_add_trial_symptoms(const struct store *s, int64_t id, const struct analysis *a,
                             struct err *err)
{
    CLEANUP_STATEMENT struct store_statement st = {.stmt = NULL};
    if (store_prepare(s, "write",
                      "INSERT INTO trial_symptoms (run_id, trial, place, state, why) "
                      "VALUES (?, ?, ?, ?, ?)",
                      &st, err) != 0)
        return -1;
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_symptoms; k++) {
            const struct analysis_symptom *of = &a->trials[i].symptoms[k];
            store_put_int(&st, id);
            store_put_int(&st, a->trials[i].trial);
            store_put_int(&st, (int64_t)k);
            store_put_text(&st, symptom_word(of->state));
            store_put_text(&st, text(of->why));
            if (store_step(&st, err) < 0)
                return -1;
        }
    return 0;
}

int store_prepare_symptoms(const struct store *s, struct store_statement *ret, struct err *err)
{
    return store_prepare(s, "read",
                         "SELECT shows, expects, state, why, without_fault, judged, shown FROM "
                         "symptoms WHERE run_id = ? ORDER BY place",
                         ret, err);
}

int store_take_symptoms(struct store_statement *st, struct arena *arena, struct store_run *r,
                        struct err *err)
{
    size_t room = 0;
    int rc;
    store_put_int(st, r->id);
    while ((rc = store_step(st, err)) == 1) {
        if (r->n_symptoms == room) {
            struct store_symptom *more =
                arena_array(arena, room = 2 * room + 4, sizeof(*r->symptoms));
            if (more == NULL)
                return make_error(err, ERR_LIMIT, ENOMEM, "the runs' symptoms");
            if (r->n_symptoms != 0)
                memcpy(more, r->symptoms, r->n_symptoms * sizeof(*more));
            r->symptoms = more;
        }
        r->symptoms[r->n_symptoms++] =
            (struct store_symptom){.shows = store_text(st, 0, arena),
                                   .expects = store_text(st, 1, arena),
                                   .state = store_text(st, 2, arena),
                                   .why = store_text(st, 3, arena),
                                   .without_fault = store_text(st, 4, arena),
                                   .judged = store_int(st, 5),
                                   .shown = store_int(st, 6)};
    }
    return rc;
}

int store_prepare_trial_symptoms(const struct store *s, struct store_statement *ret,
                                 struct err *err)
{
    return store_prepare(s, "read",
                         "SELECT s.shows, t.state, t.why FROM trial_symptoms t JOIN symptoms s "
                         "USING (run_id, place) WHERE t.run_id = ? AND t.trial = ? "
                         "ORDER BY t.place",
                         ret, err);
}

int store_trial_symptoms_json(struct store_statement *st, int64_t id, int64_t trial, json_t *to,
                              struct err *err)
{
    CLEANUP_ARENA struct arena arena = ARENA_INIT(TRIAL_ARENA_MAX);
    int rc;
    store_put_int(st, id);
    store_put_int(st, trial);
    while ((rc = store_step(st, err)) == 1)
        (void)json_array_append_new(
            to, json_pack("{s:s, s:s, s:s}", "shows", store_text(st, 0, &arena), "state",
                          store_text(st, 1, &arena), "why", store_text(st, 2, &arena)));
    return rc;
}
