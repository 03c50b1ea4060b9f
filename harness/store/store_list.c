/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "store/store_parts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define ASKED                                                                                      \
    " WHERE (?1 IS NULL OR scenario = ?1) AND (?2 IS NULL OR verdict = ?2)"                        \
    " AND (?3 IS NULL OR wall >= ?3) AND (?4 IS NULL OR wall < ?4)"                                \
    " AND (?6 IS NULL OR json_extract(vars, '$.variant') = ?6)"
#define SAYS_NOTHING "(stopped = 1 AND trials = 0)"
#define WHERE        ASKED " AND (?5 = 0 OR (no_fault = 0 AND NOT " SAYS_NOTHING "))"
#define STOPPED                                                                                    \
    ASKED " AND ?5 <> 0 AND no_fault = 0 AND " SAYS_NOTHING " AND (?7 IS NULL OR setup = ?7)"

static void put_filter(struct store_statement *st, const struct store_filter *f)
{
    store_put_text(st, f->scenario);
    store_put_text(st, f->verdict);
    store_put_text(st, f->since);
    store_put_text(st, f->before);
    store_put_int(st, f->with_faults);
    store_put_text(st, f->variant);
}

static int count(const struct store *s, const struct store_filter *f, int64_t *ret, struct err *err)
{
    CLEANUP_STATEMENT struct store_statement st = {.stmt = NULL};
    if (store_prepare(s, "read", "SELECT count(*) FROM runs" WHERE, &st, err) != 0)
        return -1;
    put_filter(&st, f);
    if (store_step(&st, err) < 0)
        return -1;
    *ret = store_int(&st, 0);
    return 0;
}

/* Those that are left out, of this setup (NULL: of any), and not older than what is listed. */
static int count_stopped(const struct store *s, const struct store_filter *f, const char *setup,
                         struct store_list *ret, struct err *err)
{
    CLEANUP_STATEMENT struct store_statement st = {.stmt = NULL};
    struct store_filter near = *f;
    if (ret->more > 0 && ret->n != 0)
        near.since = ret->runs[ret->n - 1].run.wall;
    if (store_prepare(s, "read", "SELECT count(*) FROM runs" STOPPED, &st, err) != 0)
        return -1;
    put_filter(&st, &near);
    store_put_text(&st, setup);
    if (store_step(&st, err) < 0)
        return -1;
    ret->stopped = store_int(&st, 0);
    return 0;
}

/* Columns in the order of the SELECT. */
static void take_run(const struct store_statement *st, struct arena *arena, struct store_run *r)
{
    const char **const texts[] = {&r->run.run,    &r->run.wall,  &r->run.version, &r->run.verdict,
                                  &r->run.sha256, &r->run.setup, &r->scenario,    &r->file,
                                  &r->folder,     &r->why,       &r->vars,        &r->kernel,
                                  &r->machine,    &r->node,      &r->run.packages};
    enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };
    *r = (struct store_run){.id = store_int(st, TEXTS),
                            .run.trials = store_int(st, TEXTS + 1),
                            .seed = store_int(st, TEXTS + 2),
                            .took_ns = store_int(st, TEXTS + 3),
                            .exit_status = store_int(st, TEXTS + 4),
                            .no_fault = store_int(st, TEXTS + 5) != 0,
                            .dirty = store_int(st, TEXTS + 6) != 0,
                            .aborted = store_int(st, TEXTS + 7) != 0,
                            .run.stopped = store_int(st, TEXTS + 8) != 0};
    for (int i = 0; i < TEXTS; i++)
        *texts[i] = store_text(st, i, arena);
}

static int take_targets(struct store_statement *st, struct arena *arena, struct store_run *r,
                        struct err *err)
{
    struct earlier_target found[EARLIER_TARGETS_MAX];
    size_t n = 0;
    int rc;
    store_put_int(st, r->id);
    store_put_int(st, EARLIER_TARGETS_MAX);
    while ((rc = store_step(st, err)) == 1) {
        struct earlier_target *t = &found[n++];
        *t = (struct earlier_target){.measure = store_text(st, 0, arena),
                                     .of = store_text(st, 1, arena),
                                     .from = store_text(st, 2, arena),
                                     .unit = store_text(st, 3, arena),
                                     .limit = store_real(st, 4, NAN),
                                     .lower = store_real(st, 5, NAN),
                                     .verdict = store_text(st, 7, arena),
                                     .detail = store_text(st, 8, arena),
                                     .at_least = store_int(st, 9) != 0};
        t->upper = store_real(st, 6, isnan(t->lower) ? NAN : INFINITY);
    }
    r->run.targets = arena_array(arena, n + 1, sizeof(*r->run.targets));
    if (rc == 0 && r->run.targets == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "the runs' targets");
    if (rc == 0)
        memcpy(r->run.targets, found, n * sizeof(found[0]));
    r->run.n_targets = n;
    return rc;
}

static int take_runs(struct store_statement *runs, struct store_statement *targets,
                     struct store_statement *symptoms, struct store_list *ret, size_t room,
                     struct err *err)
{
    int rc;
    while ((rc = store_step(runs, err)) == 1 && ret->n < room) {
        struct store_run *r = &ret->runs[ret->n++];
        take_run(runs, &ret->arena, r);
        if (take_targets(targets, &ret->arena, r, err) != 0 ||
            store_take_symptoms(symptoms, &ret->arena, r, err) != 0)
            return -1;
    }
    return rc < 0 ? -1 : 0;
}

static int list(struct store *s, const struct store_filter *f, const char *setup,
                struct store_list *ret, struct err *err)
{
    CLEANUP_STATEMENT struct store_statement runs = {.stmt = NULL};
    CLEANUP_STATEMENT struct store_statement targets = {.stmt = NULL};
    CLEANUP_STATEMENT struct store_statement symptoms = {.stmt = NULL};
    int64_t n = 0;
    if (store_prepare(
            s, "read",
            "SELECT run, wall, version, verdict, sha256, setup, scenario, file, folder, "
            "why, vars, kernel, machine, node, packages, id, trials, seed, took_ns, exit_status, "
            "no_fault, dirty, aborted, stopped FROM runs" WHERE
            " ORDER BY wall DESC, id DESC LIMIT ?7",
            &runs, err) != 0 ||
        store_prepare(s, "read",
                      "SELECT measure, of, since, unit, bound, lower, upper, verdict, detail, "
                      "side = 'at least' FROM targets "
                      "WHERE run_id = ? ORDER BY place LIMIT ?",
                      &targets, err) != 0 ||
        store_prepare_symptoms(s, &symptoms, err) != 0 || count(s, f, &n, err) != 0)
        return -1;
    int64_t room = f->limit > 0 && f->limit < n ? f->limit : n;
    ret->more = n - room;
    ret->runs = arena_array(&ret->arena, (size_t)room + 1, sizeof(*ret->runs));
    if (ret->runs == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "%lld runs", (long long)n);
    put_filter(&runs, f);
    store_put_int(&runs, room);
    if (take_runs(&runs, &targets, &symptoms, ret, (size_t)room, err) != 0)
        return -1;
    return count_stopped(s, f, setup, ret, err);
}

static json_t *figure_json(const struct store_statement *st, int column)
{
    double value = store_real(st, column, NAN);
    return isnan(value) ? json_null() : json_real(value);
}

static int figures_json(struct store_statement *st, int64_t id, int64_t trial, json_t *to,
                        struct err *err)
{
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    int rc;
    store_put_int(st, id);
    store_put_int(st, trial);
    while ((rc = store_step(st, err)) == 1) {
        json_t *o = json_object();
        static const char *const texts[] = {"measure", "of",  "from",   "unit",
                                            "verdict", "why", "detail", "side"};
        static const char *const figures[] = {"limit", "lower", "upper"};
        for (int i = 0; i < 8; i++)
            (void)json_object_set_new(o, texts[i], json_string(store_text(st, i, &arena)));
        for (int i = 0; i < 3; i++)
            (void)json_object_set_new(o, figures[i], figure_json(st, 8 + i));
        (void)json_object_set_new(o, "automatic", json_boolean(store_int(st, 11) != 0));
        (void)json_array_append_new(to, o);
    }
    return rc;
}

static int trials_json(struct store_statement *trials, struct store_statement *figures,
                       struct store_statement *symptoms, int64_t id, json_t *to, struct err *err)
{
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    int rc;
    store_put_int(trials, id);
    while ((rc = store_step(trials, err)) == 1) {
        json_t *list = json_array(), *showed = json_array();
        json_t *o = json_pack(
            "{s:I, s:b, s:s, s:s, s:o, s:o}", "trial", (json_int_t)store_int(trials, 0),
            "fault_free", store_int(trials, 1) != 0, "verdict", store_text(trials, 2, &arena),
            "why", store_text(trials, 3, &arena), "figures", list, "symptoms", showed);
        (void)json_array_append_new(to, o);
        if (figures_json(figures, id, store_int(trials, 0), list, err) != 0 ||
            store_trial_symptoms_json(symptoms, id, store_int(trials, 0), showed, err) != 0)
            return -1;
    }
    return rc;
}

int store_trials(struct store *s, int64_t id, json_t **ret, struct err *err)
{
    CLEANUP_STATEMENT struct store_statement trials = {.stmt = NULL};
    CLEANUP_STATEMENT struct store_statement figures = {.stmt = NULL};
    CLEANUP_STATEMENT struct store_statement symptoms = {.stmt = NULL};
    if (store_prepare(s, "read",
                      "SELECT trial, fault_free, verdict, why FROM trials WHERE run_id = ? "
                      "ORDER BY trial",
                      &trials, err) != 0 ||
        store_prepare(s, "read",
                      "SELECT measure, of, since, unit, verdict, why, detail, side, bound, lower, "
                      "upper, automatic FROM figures WHERE run_id = ? AND trial = ? ORDER BY place",
                      &figures, err) != 0 ||
        store_prepare_trial_symptoms(s, &symptoms, err) != 0)
        return -1;
    *ret = json_array();
    if (trials_json(&trials, &figures, &symptoms, id, *ret, err) == 0)
        return 0;
    json_decref(*ret);
    *ret = NULL;
    return -1;
}

/* One state of the store for all that is read. */
static int list_whole(struct store *s, const struct store_filter *filter, const char *setup,
                      struct store_list *ret, struct err *err)
{
    *ret = (struct store_list){.arena = ARENA_INIT(STORE_ARENA_MAX)};
    if (sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        return store_failed(s, "read", err);
    int rc = list(s, filter, setup, ret, err);
    store_roll_back(s);
    return rc;
}

int store_list(struct store *s, const struct store_filter *filter, struct store_list *ret,
               struct err *err)
{
    return list_whole(s, filter, NULL, ret, err);
}

void store_list_free(struct store_list *l)
{
    arena_free(&l->arena);
}

int store_earlier(struct store *s, const char *scenario, const char *variant, const char *setup,
                  struct store_list *ret_list, struct earlier *ret, struct err *err)
{
    const struct store_filter filter = {
        .scenario = scenario, .variant = variant, .with_faults = true, .limit = EARLIER_MAX};
    if (list_whole(s, &filter, setup, ret_list, err) != 0)
        return -1;
    *ret = (struct earlier){
        .known = true, .setup = setup, .older = ret_list->more, .stopped = ret_list->stopped};
    ret->runs = arena_array(&ret_list->arena, ret_list->n + 1, sizeof(*ret->runs));
    if (ret->runs == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "%zu runs", ret_list->n);
    for (size_t i = ret_list->n; i > 0; i--)
        ret->runs[ret->n++] = ret_list->runs[i - 1].run;
    return 0;
}
