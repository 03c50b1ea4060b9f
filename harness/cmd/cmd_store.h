/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands' way to the store: which file, what happens when it fails (a note on stderr, and
 * nothing else), and how runs that it does not know are read from their folders.
 */
#ifndef BLACKSTART_CMD_STORE_H
#define BLACKSTART_CMD_STORE_H

#include "cmd/command.h"
#include "scenario/scenario.h"
#include "store/store.h"

#include <jansson.h>

#define CMD_STORE_OPTION                                                                           \
    {                                                                                              \
        .name = "store", .argument = "FILE",                                                       \
        .doc = "The store of runs (default: $BLACKSTART_STORE, else runs/history.db); an empty "   \
               "name: none."                                                                       \
    }

struct cmd_store {
    char file[PATH_MAX]; /* "": none */
    enum store_mode mode;
    bool asked;    /* the person named it */
    bool variable; /* by BLACKSTART_STORE */
};

/* Of a run whose folder was asked for by `out` (NULL: below runs/): a default store is made only
 * where the run's folder lies beside it. */
int cmd_store_of_run(const struct command_args *args, const char *out, struct cmd_store *ret,
                     struct err *err) MUST_CHECK;
/* Of a folder that is there: the one beside it comes before the default. */
int cmd_store_of_folder(const struct command_args *args, const char *dir, struct cmd_store *ret,
                        struct err *err) MUST_CHECK;
/* For commands that are about the store. */
int cmd_store_of_all(const struct command_args *args, struct cmd_store *ret,
                     struct err *err) MUST_CHECK;

/* The name of the scenario that the operand is, or whose file it is (*ret_file: scenario_free);
 * NULL where none was given. 2: the file has problems, which are printed. */
int cmd_store_scenario(const struct command_args *args, const char **ret,
                       struct scenario **ret_file, struct err *err) MUST_CHECK;

/* ERR_NOT_FOUND, with the nearest name that there is, when the store has no run of a scenario of
 * that name (`with_faults`: those that only measured do not count). */
int cmd_store_has(struct store *s, const char *scenario, bool with_faults,
                  struct err *err) MUST_CHECK;

/* The members of the event `history` for a run that is about to begin; NULL, and a note on stderr,
 * when the store cannot be asked. The caller decrefs. */
json_t *cmd_store_earlier(const struct cmd_store *store, const struct scenario *s);

/* Records a run, or says why not on stderr; never more than that. */
void cmd_store_record(const struct cmd_store *store, const char *dir, const struct history *h,
                      const struct analysis *a);

struct cmd_caught_up {
    size_t added, running;
    size_t copies;     /* folders of runs that another folder had added */
    json_t *seen;      /* those runs */
    size_t unread;     /* folders whose journal cannot be read */
    struct err reason; /* of the first of those */
    char folder[PATH_MAX];
};
void cmd_caught_up_free(struct cmd_caught_up *c);
#define CLEANUP_CAUGHT_UP __attribute__((cleanup(cmd_caught_up_free)))

/* Records what the store does not know of the folders in `dir`, or of `dir` itself if it is one;
 * `again`: also what it knows or has forgotten. */
int cmd_store_catch_up(struct store *s, const char *dir, bool again, struct cmd_caught_up *ret,
                       struct err *err) MUST_CHECK;
/* The directory in which the store's runs lie: its own. */
int cmd_store_runs(const struct store *s, char ret[PATH_MAX], struct err *err) MUST_CHECK;
/* What a person should know of it, on stderr; and how many runs `file` was given, on stdout. */
void cmd_store_tell(const struct cmd_caught_up *c);
void cmd_store_print_added(const struct cmd_caught_up *c, const char *file);

/* What a person called through sudo makes is that person's. */
void cmd_store_own(const struct store *s);

/* For commands that need one: that the person asked for none, in the words of how. Returns -1. */
int cmd_store_none(const struct cmd_store *place, struct err *err);
/* Opens the store as it is. */
int cmd_store_open_alone(const struct cmd_store *place, struct store **ret,
                         struct err *err) MUST_CHECK;
/* Opens the store and brings it up to date; a folder that cannot be recorded is told on stderr. */
int cmd_store_open(const struct cmd_store *place, struct store **ret, struct err *err) MUST_CHECK;

#endif
