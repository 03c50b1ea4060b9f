/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/outages_table.h"

#include "base/cleanup.h"
#include "cmd/cmd_variants.h"
#include "journal/journal.h"
#include "lab/place.h"
#include "reports/outages.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNS_MAX = 256, TEXT_MAX = 1 << 20 };

struct table {
    struct judged runs[RUNS_MAX]; /* one for each row: what it says lives there */
    char dirs[RUNS_MAX][PATH_MAX];
    struct variants_row rows[RUNS_MAX];
    size_t n;
    struct stat seen[RUNS_MAX]; /* of journals, so that no run counts twice */
    size_t n_seen;
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

/* By another name, or named again. */
static bool is_seen(struct table *t, const char *dir)
{
    char path[PATH_MAX];
    struct stat st;
    struct err ignored;
    if (place_path(path, &ignored, "%s/" JOURNAL_FILE, dir) != 0 || stat(path, &st) != 0)
        return false;
    for (size_t i = 0; i < t->n_seen; i++)
        if (t->seen[i].st_dev == st.st_dev && t->seen[i].st_ino == st.st_ino)
            return true;
    if (t->n_seen < RUNS_MAX)
        t->seen[t->n_seen++] = st;
    return false;
}

static int run_add(struct table *t, const char *dir, struct err *err)
{
    struct variants_row row;
    bool there;
    if (is_seen(t, dir))
        return 0;
    if (t->n_seen == RUNS_MAX)
        return make_error(err, ERR_LIMIT, 0, "more than %d runs", RUNS_MAX - 1);
    if (t->n == RUNS_MAX)
        return make_error(err, ERR_LIMIT, 0, "more than %d rows", RUNS_MAX);
    struct judged *run = &t->runs[t->n];
    (void)snprintf(t->dirs[t->n], PATH_MAX, "%s", dir);
    if (judged_load(dir, run, err) < 0) {
        judged_free(run);
        return -1;
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
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = dir_add(t, dirs[i], err);
    if (rc == 0 && json) {
        json_t *o = report_outages_json(t->rows, t->n);
        (void)json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        (void)puts("");
        json_decref(o);
    } else if (rc == 0) {
        report_outages_markdown(t->rows, t->n, &out);
        (void)fputs(buf_text(&out), stdout);
    }
    for (size_t i = 0; i < t->n; i++)
        judged_free(&t->runs[i]);
    free(t);
    return rc;
}
