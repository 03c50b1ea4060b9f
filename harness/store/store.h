/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index of runs: one SQLite file beside the run folders, by default runs/history.db
 * (docs/store.md has its tables). The folders are the truth: whatever is lost here is read from
 * them again, so that no failure of the store may lose a run or change its verdict. Each call is
 * one transaction, whole or not at all, and waits STORE_BUSY_MS for another process's.
 *
 * It knows neither how a folder becomes an analysis (cmd) nor how anything is shown.
 */
#ifndef BLACKSTART_STORE_H
#define BLACKSTART_STORE_H

#include "analysis/analysis.h"
#include "journal/earlier.h"

#include <limits.h>

#define STORE_FILE "history.db"

enum {
    STORE_SCHEMA = 6, /* PRAGMA user_version */
    STORE_BUSY_MS = 10000,
    STORE_ARENA_MAX = 256 << 20
};

struct store;

enum store_mode {
    STORE_IF_THERE, /* ERR_NOT_FOUND when it is not */
    STORE_MAKE      /* makes the file, not its directory */
};

/*
 * Opens it, brings an older schema up to date, and checks its pages. A newer schema is refused
 * (ERR_UNSUPPORTED); what is no store of ours is ERR_REFUSED, what is damaged ERR_SYSTEM with the
 * mend.
 */
int store_open(const char *file, enum store_mode mode, struct store **ret,
               struct err *err) MUST_CHECK;
/*
 * Of a file that cannot be opened as a store, by its first bytes alone: is it ours, so that it may
 * be moved aside? It is when it is empty, when our application_id stands in its header, or when it
 * has no database's header and the name that the store has by itself. False also for what cannot be
 * read.
 */
bool store_may_be_ours(const char *file);
bool store_was_made(const struct store *s);       /* by this call to store_open */
void store_set_patience(struct store *s, int ms); /* instead of STORE_BUSY_MS */
const char *store_file(const struct store *s);
void store_close(struct store *s); /* NULL is allowed */
void store_close_at(struct store **s);
#define CLEANUP_STORE __attribute__((cleanup(store_close_at)))

/* A run's folder as it is now. */
struct store_folder {
    char path[PATH_MAX]; /* below the store's own directory; absolute anywhere else */
    int64_t journal_size, journal_mtime_ns;
};

/* Fills it; `dir` as the person gave it. */
int store_folder_look(const struct store *s, const char *dir, struct store_folder *ret,
                      struct err *err) MUST_CHECK;
/* Where a path of the store's leads from the working directory. */
int store_folder_path(const struct store *s, const char *path, char ret[PATH_MAX],
                      struct err *err) MUST_CHECK;

/* Is this folder's run recorded as it is now, or forgotten for good? */
int store_is_known(struct store *s, const struct store_folder *folder, bool *ret,
                   struct err *err) MUST_CHECK;

/* Records a run, in the place of what was known of it (by its id and time, or by its folder). */
int store_record(struct store *s, const struct history *h, const struct analysis *a,
                 const struct store_folder *folder, struct err *err) MUST_CHECK;

/* What the outage showed that the run reproduces. */
struct store_symptom {
    const char *shows, *expects; /* "met", "missed" */
    const char *state;           /* symptom_word of the trial that decided */
    const char *why;
    const char *without_fault; /* in the fault-free trial; "": there was none */
    int64_t judged, shown; /* trials with a fault that count, and those of them that showed it */
};

struct store_run {
    int64_t id;
    struct earlier_run run; /* id, time, version, verdict, targets */
    const char *scenario, *file, *folder, *why, *vars, *kernel, *machine, *node;
    int64_t seed, took_ns, exit_status;
    bool no_fault, dirty, aborted;
    struct store_symptom *symptoms; /* in the scenario's order */
    size_t n_symptoms;
};

struct store_list {
    struct arena arena; /* owns all below */
    struct store_run *runs;
    size_t n;
    int64_t more;    /* that the limit left out */
    int64_t stopped; /* that with_faults left out since they were stopped, not older than those */
};

void store_list_free(struct store_list *list);
#define CLEANUP_STORE_LIST __attribute__((cleanup(store_list_free)))

/* Texts NULL, numbers 0: not asked for. */
struct store_filter {
    const char *scenario;       /* its name */
    const char *variant;        /* of it */
    const char *verdict;        /* a word */
    const char *since, *before; /* of the run's time, compared as text: "2026-03-01T00:00:00Z" */
    /* Leaves out those that only measured, and those that were stopped before any trial with a
     * fault had ended. */
    bool with_faults;
    int64_t limit;
};

/* The newest first. */
int store_list(struct store *s, const struct store_filter *filter, struct store_list *ret,
               struct err *err) MUST_CHECK;

/* The trials of a run with their figures, as JSON: [{trial, fault_free, ..., figures,
 * symptoms}]. The caller
 * decrefs. */
int store_trials(struct store *s, int64_t id, json_t **ret, struct err *err) MUST_CHECK;

/* Earlier runs of a scenario's name, and of its variant (NULL: it has none), for the event
 * `history`: `setup` is the asking run's. What *ret points to lives in the list, which the caller
 * frees. */
int store_earlier(struct store *s, const char *scenario, const char *variant, const char *setup,
                  struct store_list *ret_list, struct earlier *ret, struct err *err) MUST_CHECK;

/* Forgets runs by `store_run.id`, all or none. With `keep_out` their folders, which stay, count as
 * known until they are recorded anew. */
int store_forget(struct store *s, const int64_t *ids, size_t n, bool keep_out,
                 struct err *err) MUST_CHECK;

#endif
