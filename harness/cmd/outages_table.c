/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/outages_table.h"

#include "base/cleanup.h"
#include "cmd/cmd_variants.h"
#include "cmd/terminal.h"
#include "journal/journal.h"
#include "lab/place.h"
#include "reports/outages.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUNS_MAX = 256, TEXT_MAX = 1 << 20 };

struct table {
    struct judged runs[RUNS_MAX]; /* one for each row: what it says lives there */
    char dirs[RUNS_MAX][PATH_MAX];
    struct variants_row rows[RUNS_MAX];
    size_t n;
    json_t *seen; /* runs' ids and times: no run counts twice, whatever its folders are called */
};

static bool is_run(const char *dir)
{
    char path[PATH_MAX];
    struct err ignored;
    return place_path(path, &ignored, "%s/" JOURNAL_FILE, dir) == 0 && access(path, F_OK) == 0;
}

/* Where the scenario has it among its variants. */
static size_t rank_of(const struct variants_row *row)
{
    for (size_t i = 0; i < row->scenario->n_variants; i++)
        if (strcmp(row->scenario->variants[i].name, row->name) == 0)
            return i;
    return SCENARIO_VARIANTS_MAX;
}

/* The row of the same variant of the same scenario, or where it belongs among the scenario's. */
static size_t place_of(const struct table *t, const struct variants_row *row, bool *ret_there,
                       const struct variants_row **ret_like)
{
    size_t place = t->n, seen = 0;
    *ret_there = false;
    for (size_t i = 0; i < t->n && !*ret_there; i++) {
        if (strcmp(t->rows[i].scenario->name, row->scenario->name) != 0)
            continue;
        *ret_like = &t->rows[i];
        *ret_there = strcmp(t->rows[i].name, row->name) == 0;
        if (seen++ == 0 || *ret_there || rank_of(&t->rows[i]) <= rank_of(row))
            place = rank_of(&t->rows[i]) > rank_of(row) || *ret_there ? i : i + 1;
    }
    return place;
}

static void join(struct variants_row *row, const struct variants_row *with)
{
    overview_join(&row->overview, &with->overview);
    if (row->overview.verdict != row->verdict)
        row->why = "";
    row->verdict = row->overview.verdict;
    row->dirty = row->dirty || with->dirty;
}

/* A copy, by another name, or named again. */
static bool is_seen(struct table *t, const struct history *h)
{
    char key[256];
    (void)snprintf(key, sizeof(key), "%.100s %.100s", h->run, h->wall);
    if (json_object_get(t->seen, key) != NULL)
        return true;
    (void)json_object_set_new(t->seen, key, json_true());
    return false;
}

static int run_add(struct table *t, const char *dir, struct err *err)
{
    struct variants_row row;
    bool there;
    if (t->n == RUNS_MAX)
        return make_error(err, ERR_LIMIT, 0, "more than %d rows", RUNS_MAX);
    struct judged *run = &t->runs[t->n];
    (void)snprintf(t->dirs[t->n], PATH_MAX, "%s", dir);
    int rc = judged_load(dir, run, err);
    if (rc < 0 || is_seen(t, run->history)) {
        judged_free(run);
        return rc;
    }
    variants_row_of(run, t->dirs[t->n], &row);
    const struct variants_row *like = NULL;
    size_t place = place_of(t, &row, &there, &like);
    overview_make(run->analysis, like != NULL ? &like->overview : NULL, &row.overview);
    if (row.verdict != row.overview.verdict)
        row.why = "";
    row.verdict = row.overview.verdict;
    if (there) {
        join(&t->rows[place], &row);
        judged_free(run);
        return 0;
    }
    memmove(&t->rows[place + 1], &t->rows[place], (t->n - place) * sizeof(t->rows[0]));
    t->rows[place] = row;
    t->n++;
    return 0;
}

static int select_folder(const struct dirent *e)
{
    return e->d_name[0] != '.' && e->d_type != DT_LNK; /* runs/latest is another's name */
}

/* A run's folder, or those in it, by their names. */
static int dir_add(struct table *t, const char *dir, struct err *err)
{
    struct dirent **list = NULL;
    size_t found = 0;
    if (is_run(dir))
        return run_add(t, dir, err);
    int n = scandir(dir, &list, select_folder, alphasort), rc = 0;
    if (n < 0)
        return make_error(err, ERR_INPUT, errno, "%s", dir);
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        if (rc == 0 && place_path(path, err, "%s/%s", dir, list[i]->d_name) < 0)
            rc = -1;
        if (rc == 0 && is_run(path)) {
            found++;
            rc = run_add(t, path, err);
        }
        free(list[i]);
    }
    free(list);
    if (rc == 0 && found == 0)
        return make_error(err, ERR_INPUT, 0, "%s: there is no run in it", dir);
    return rc;
}

int outages_table(const char *const *dirs, size_t n, bool json, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(TEXT_MAX);
    if (n == 0)
        return make_error(err, ERR_USAGE, 0, "--table needs runs' folders");
    struct table *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "table");
    t->seen = json_object();
    int rc = t->seen != NULL ? 0 : make_error(err, ERR_LIMIT, ENOMEM, "table");
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = dir_add(t, dirs[i], err);
    if (rc == 0 && json) {
        json_t *o = report_outages_json(t->rows, t->n);
        (void)json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        (void)puts("");
        json_decref(o);
    } else if (rc == 0) {
        report_outages_markdown(t->rows, t->n, &out);
        terminal_put(stdout, buf_text(&out));
    }
    for (size_t i = 0; i < t->n; i++)
        judged_free(&t->runs[i]);
    json_decref(t->seen);
    free(t);
    return rc;
}
