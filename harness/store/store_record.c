/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs go in and out; each call is one transaction. */
#include "analysis/trend.h"
#include "base/cleanup.h"
#include "journal/journal.h"
#include "store/store_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NS_PER_S INT64_C(1000000000)

int store_folder_look(const struct store *s, const char *dir, struct store_folder *ret,
                      struct err *err)
{
    char whole[PATH_MAX], journal[PATH_MAX + 32];
    struct stat st;
    size_t len = strlen(s->dir);
    if (realpath(dir, whole) == NULL)
        return make_error(err, ERR_INPUT, errno, "open %s", dir);
    (void)snprintf(journal, sizeof(journal), "%s/" JOURNAL_FILE, whole);
    if (stat(journal, &st) != 0)
        return make_error(err, ERR_INPUT, errno, "open %s/" JOURNAL_FILE, dir);
    bool below = strncmp(whole, s->dir, len) == 0 && whole[len] == '/';
    *ret = (struct store_folder){.journal_size = st.st_size,
                                 .journal_mtime_ns =
                                     st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec};
    (void)snprintf(ret->path, sizeof(ret->path), "%s", below ? whole + len + 1 : whole);
    return 0;
}

int store_folder_path(const struct store *s, const char *path, char ret[PATH_MAX], struct err *err)
{
    const char *slash = strrchr(s->file, '/');
    int len = path[0] == '/' || slash == NULL ? 0 : (int)(slash - s->file) + 1;
    if ((size_t)snprintf(ret, PATH_MAX, "%.*s%s", len, s->file, path) >= PATH_MAX)
        return make_error(err, ERR_LIMIT, 0, "%.60s...: the path is too long", path);
    return 0;
}

int store_is_known(struct store *s, const struct store_folder *folder, bool *ret, struct err *err)
{
    CLEANUP_STATEMENT struct store_statement st = {.stmt = NULL};
    if (store_prepare(s, "read",
                      "SELECT 1 FROM runs WHERE folder = ?1 AND journal_size = ?2 AND "
                      "journal_mtime_ns = ?3 UNION ALL SELECT 1 FROM forgotten WHERE folder = ?1 "
                      "AND journal_size = ?2 AND journal_mtime_ns = ?3",
                      &st, err) != 0)
        return -1;
    store_put_text(&st, folder->path);
    store_put_int(&st, folder->journal_size);
    store_put_int(&st, folder->journal_mtime_ns);
    int rc = store_step(&st, err);
    *ret = rc == 1;
    return rc < 0 ? -1 : 0;
}

static const char *text(const char *s)
{
    return s != NULL ? s : "";
}

static int forget_old(const struct store *s, const struct earlier_run *r, const char *folder,
                      struct err *err)
{
    CLEANUP_STATEMENT struct store_statement run = {.stmt = NULL};
    CLEANUP_STATEMENT struct store_statement mark = {.stmt = NULL};
    if (store_prepare(s, "write", "DELETE FROM runs WHERE (run = ?1 AND wall = ?2) OR folder = ?3",
                      &run, err) != 0 ||
        store_prepare(s, "write", "DELETE FROM forgotten WHERE folder = ?1", &mark, err) != 0)
        return -1;
    store_put_text(&run, r->run);
    store_put_text(&run, r->wall);
    store_put_text(&run, folder);
    store_put_text(&mark, folder);
    return store_step(&run, err) < 0 || store_step(&mark, err) < 0 ? -1 : 0;
}

static char *vars_text(const struct history *h)
{
    const json_t *vars = json_object_get(h->start, "vars");
    return vars != NULL ? json_dumps(vars, JSON_COMPACT | JSON_SORT_KEYS) : strdup("{}");
}

static void put_run(struct store_statement *st, const struct history *h, const struct analysis *a,
                    const struct earlier_run *r, const struct store_folder *folder,
                    const char *vars)
{
    const char *node = json_string_value(json_object_get(h->start, "node"));
    const char *const texts[] = {
        r->run,           r->wall,    folder->path, text(h->scenario), text(h->file),
        r->sha256,        r->setup,   vars,         r->version,        text(h->kernel),
        text(h->machine), text(node), r->packages,  r->verdict,        text(a->why)};
    const int64_t numbers[] = {folder->journal_size,
                               folder->journal_mtime_ns,
                               (int64_t)h->seed,
                               r->trials,
                               h->no_fault,
                               a->exit_status,
                               a->dirty,
                               h->aborted,
                               r->stopped,
                               h->end_ns};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        store_put_text(st, texts[i]);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        store_put_int(st, numbers[i]);
}

static int add_run(const struct store *s, const struct history *h, const struct analysis *a,
                   const struct earlier_run *r, const struct store_folder *folder, int64_t *ret,
                   struct err *err)
{
    CLEANUP_STATEMENT struct store_statement st = {.stmt = NULL};
    CLEANUP_FREE char *vars = vars_text(h);
    if (vars == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "the run's variables");
    if (store_prepare(
            s, "write",
            "INSERT INTO runs (run, wall, folder, scenario, file, sha256, setup, vars, "
            "version, kernel, machine, node, packages, verdict, why, journal_size, "
            "journal_mtime_ns, seed, trials, no_fault, exit_status, dirty, aborted, stopped, "
            "took_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
            "?, ?, ?, ?, ?)",
            &st, err) != 0)
        return -1;
    put_run(&st, h, a, r, folder, vars);
    if (store_step(&st, err) < 0)
        return -1;
    *ret = sqlite3_last_insert_rowid(s->db);
    return 0;
}

static void put_target(struct store_statement *st, const struct analysis_target *t,
                       const struct earlier_target *as)
{
    const char *const texts[] = {
        as->measure, as->of,       as->from,   as->unit,
        as->verdict, text(t->why), as->detail, as->at_least ? "at least" : "at most"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        store_put_text(st, texts[i]);
    store_put_real(st, t->limit);
    store_put_real(st, t->lower);
    store_put_real(st, t->upper);
    store_put_int(st, t->automatic);
}

static int add_targets(const struct store *s, int64_t id, const struct analysis *a, struct err *err)
{
    CLEANUP_STATEMENT struct store_statement st = {.stmt = NULL};
    if (store_prepare(s, "write",
                      "INSERT INTO targets (run_id, place, trial, measure, of, since, unit, "
                      "verdict, why, detail, side, bound, lower, upper, automatic) "
                      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                      &st, err) != 0)
        return -1;
    for (size_t i = 0; i < a->n_targets; i++) {
        struct earlier_target as;
        trend_target_of(&a->targets[i], &as);
        store_put_int(&st, id);
        store_put_int(&st, (int64_t)i);
        store_put_int(&st, a->targets[i].trial);
        put_target(&st, &a->targets[i], &as);
        if (store_step(&st, err) < 0)
            return -1;
    }
    return 0;
}

static int add_figures(const struct analysis_trial *t, int64_t id, struct store_statement *st,
                       struct err *err)
{
    for (size_t i = 0; i < t->n_targets; i++) {
        struct earlier_target as;
        trend_target_of(&t->targets[i], &as);
        store_put_int(st, id);
        store_put_int(st, t->trial);
        store_put_int(st, (int64_t)i);
        put_target(st, &t->targets[i], &as);
        if (store_step(st, err) < 0)
            return -1;
    }
    return 0;
}

static int add_trials(const struct store *s, int64_t id, const struct analysis *a, struct err *err)
{
    CLEANUP_STATEMENT struct store_statement trial = {.stmt = NULL};
    CLEANUP_STATEMENT struct store_statement figure = {.stmt = NULL};
    if (store_prepare(s, "write",
                      "INSERT INTO trials (run_id, trial, fault_free, start_ns, end_ns, verdict, "
                      "why) VALUES (?, ?, ?, ?, nullif(?, -9223372036854775808), ?, ?)",
                      &trial, err) != 0 ||
        store_prepare(s, "write",
                      "INSERT INTO figures (run_id, trial, place, measure, of, since, unit, "
                      "verdict, why, detail, side, bound, lower, upper, automatic) "
                      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                      &figure, err) != 0)
        return -1;
    for (size_t i = 0; i < a->n_trials; i++) {
        const struct analysis_trial *t = &a->trials[i];
        const int64_t numbers[] = {id, t->trial, t->fault_free, t->start_ns, t->end_ns};
        for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
            store_put_int(&trial, numbers[k]);
        store_put_text(&trial, verdict_word(t->verdict));
        store_put_text(&trial, text(t->why));
        if (store_step(&trial, err) < 0 || add_figures(t, id, &figure, err) != 0)
            return -1;
    }
    return 0;
}

int store_record(struct store *s, const struct history *h, const struct analysis *a,
                 const struct store_folder *folder, struct err *err)
{
    CLEANUP_ARENA struct arena arena = ARENA_INIT(STORE_ARENA_MAX);
    struct earlier_run r;
    int64_t id = 0;
    if (trend_run_of(h, a, &arena, &r, err) != 0 || store_begin(s, err) != 0)
        return -1;
    if (forget_old(s, &r, folder->path, err) == 0 && add_run(s, h, a, &r, folder, &id, err) == 0 &&
        add_targets(s, id, a, err) == 0 && add_trials(s, id, a, err) == 0 &&
        store_add_symptoms(s, id, a, err) == 0 && store_add_trial_symptoms(s, id, a, err) == 0)
        return store_commit(s, err);
    store_roll_back(s);
    return -1;
}

static int forget_one(struct store_statement *mark, struct store_statement *away, int64_t id,
                      bool keep_out, struct err *err)
{
    if (keep_out) {
        store_put_int(mark, id);
        if (store_step(mark, err) < 0)
            return -1;
    }
    store_put_int(away, id);
    return store_step(away, err) < 0 ? -1 : 0;
}

int store_forget(struct store *s, const int64_t *ids, size_t n, bool keep_out, struct err *err)
{
    CLEANUP_STATEMENT struct store_statement mark = {.stmt = NULL};
    CLEANUP_STATEMENT struct store_statement away = {.stmt = NULL};
    if (store_prepare(s, "write",
                      "INSERT OR REPLACE INTO forgotten (folder, journal_size, journal_mtime_ns) "
                      "SELECT folder, journal_size, journal_mtime_ns FROM runs WHERE id = ?",
                      &mark, err) != 0 ||
        store_prepare(s, "write", "DELETE FROM runs WHERE id = ?", &away, err) != 0 ||
        store_begin(s, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (forget_one(&mark, &away, ids[i], keep_out, err) != 0) {
            store_roll_back(s);
            return -1;
        }
    return store_commit(s, err);
}
