/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the store's own files share, and nobody else. */
#ifndef BLACKSTART_STORE_PARTS_H
#define BLACKSTART_STORE_PARTS_H

#include "store/store.h"

#include <sqlite3.h>

struct store {
    sqlite3 *db;
    char file[PATH_MAX], dir[PATH_MAX]; /* dir: absolute, without links */
    bool made;
    int busy_ms;
};

/* What SQLite said, with the mend where there is one; returns -1. */
int store_failed(const struct store *s, const char *what, struct err *err);

/* A statement whose values are put in order; a value that could not be is told by store_step. */
struct store_statement {
    const struct store *store;
    sqlite3_stmt *stmt;
    const char *what;
    int n, rc;
};

int store_prepare(const struct store *s, const char *what, const char *sql,
                  struct store_statement *ret, struct err *err) MUST_CHECK;
void store_put_text(struct store_statement *st, const char *text); /* NULL stays NULL */
void store_put_int(struct store_statement *st, int64_t value);
void store_put_real(struct store_statement *st, double value); /* not finite: NULL */
/* 1: a row; 0: done, and the statement can be filled anew; -1. */
int store_step(struct store_statement *st, struct err *err) MUST_CHECK;
void store_finish(struct store_statement *st);
#define CLEANUP_STATEMENT __attribute__((cleanup(store_finish)))

/* Of the present row. Never NULL: "" stands for what has no text. */
const char *store_text(const struct store_statement *st, int column, struct arena *arena);
int64_t store_int(const struct store_statement *st, int column);
double store_real(const struct store_statement *st, int column, double otherwise);

/* One that fails rolls back; nothing of it stays. */
int store_begin(const struct store *s, struct err *err) MUST_CHECK;
int store_commit(const struct store *s, struct err *err) MUST_CHECK;
void store_roll_back(const struct store *s);

/* store_symptoms.c: of a run and of its trials, in; and out, by a statement for all runs, or for
 * all trials. */
int store_add_symptoms(const struct store *s, int64_t id, const struct analysis *a,
                       struct err *err) MUST_CHECK;
int store_add_trial_symptoms(const struct store *s, int64_t id, const struct analysis *a,
                             struct err *err) MUST_CHECK;
int store_prepare_symptoms(const struct store *s, struct store_statement *ret,
                           struct err *err) MUST_CHECK;
int store_take_symptoms(struct store_statement *st, struct arena *arena, struct store_run *r,
                        struct err *err) MUST_CHECK;
int store_prepare_trial_symptoms(const struct store *s, struct store_statement *ret,
                                 struct err *err) MUST_CHECK;
/* Appends {shows, state, why} to the list for each. */
int store_trial_symptoms_json(struct store_statement *st, int64_t id, int64_t trial, json_t *to,
                              struct err *err) MUST_CHECK;

/* From whatever version the file has to `version`: STORE_SCHEMA, or an older one in a test. */
int store_migrate(const struct store *s, int version, struct err *err) MUST_CHECK;

#endif
