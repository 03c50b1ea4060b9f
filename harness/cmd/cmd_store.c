/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_store.h"

#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "base/param.h"
#include "cmd/cmd_load.h"
#include "cmd/judged.h"
#include "journal/journal.h"
#include "run/run_dir.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 64 };
#define DEFAULT RUN_DIR_RUNS "/" STORE_FILE

static int take(const char *file, struct cmd_store *ret, struct err *err)
{
    if ((size_t)snprintf(ret->file, sizeof(ret->file), "%s", file) >= sizeof(ret->file))
        return make_error(err, ERR_USAGE, 0, "--store %.60s...: the path is too long", file);
    return 0;
}

/* 1: the person named one, or none. */
static int take_asked(const struct command_args *args, struct cmd_store *ret, struct err *err)
{
    const char *file = command_value(args, "store");
    *ret = (struct cmd_store){.mode = STORE_MAKE, .asked = true};
    if (file == NULL) {
        file = getenv("BLACKSTART_STORE");
        ret->variable = file != NULL;
    }
    if (file != NULL)
        return take(file, ret, err) < 0 ? -1 : 1;
    ret->asked = false;
    return 0;
}

int cmd_store_of_run(const struct command_args *args, const char *out, struct cmd_store *ret,
                     struct err *err)
{
    int rc = take_asked(args, ret, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    ret->mode = out == NULL ? STORE_MAKE : STORE_IF_THERE;
    return take(DEFAULT, ret, err);
}

int cmd_store_of_folder(const struct command_args *args, const char *dir, struct cmd_store *ret,
                        struct err *err)
{
    int rc = take_asked(args, ret, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    char whole[PATH_MAX], file[PATH_MAX + sizeof(STORE_FILE) + 1];
    ret->mode = STORE_IF_THERE;
    if (realpath(dir, whole) == NULL)
        return take(DEFAULT, ret, err);
    (void)snprintf(file, sizeof(file), "%s/" STORE_FILE, dirname(whole));
    return take(access(file, F_OK) == 0 ? file : DEFAULT, ret, err);
}

int cmd_store_of_all(const struct command_args *args, struct cmd_store *ret, struct err *err)
{
    int rc = take_asked(args, ret, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    ret->mode = access(RUN_DIR_RUNS, F_OK) == 0 ? STORE_MAKE : STORE_IF_THERE;
    return take(DEFAULT, ret, err);
}

void cmd_store_own(const struct store *s)
{
    if (store_was_made(s))
        run_dir_give(store_file(s));
}

static int open_store(const struct cmd_store *place, struct store **ret, struct err *err)
{
    if (store_open(place->file, place->mode, ret, err) != 0)
        return -1;
    cmd_store_own(*ret);
    return 0;
}

static int setup_of(const struct scenario *s, char ret[EARLIER_SETUP_TEXT], struct err *err)
{
    json_t *vars = json_object();
    for (size_t i = 0; i < s->n_vars; i++)
        (void)json_object_set_new(vars, s->vars[i].name, json_string(s->vars[i].value));
    int rc = earlier_setup(s->sha256, s->other_text, s->other_len, vars, ret, err);
    json_decref(vars);
    return rc;
}

static json_t *ask_earlier(struct store *store, const struct scenario *s, struct err *err)
{
    CLEANUP_STORE_LIST struct store_list list = {.n = 0};
    struct earlier earlier = {.known = true};
    char setup[EARLIER_SETUP_TEXT];
    if (setup_of(s, setup, err) != 0)
        return NULL;
    earlier.setup = setup;
    if (store != NULL &&
        store_earlier(store, s->name, s->variant, setup, &list, &earlier, err) != 0)
        return NULL;
    json_t *members = earlier_to_json(&earlier);
    if (members == NULL)
        (void)make_error(err, ERR_LIMIT, ENOMEM, "earlier runs");
    return members;
}

json_t *cmd_store_earlier(const struct cmd_store *place, const struct scenario *s)
{
    CLEANUP_STORE struct store *store = NULL;
    struct err err = {.code = ERR_NONE};
    if (place->file[0] == '\0')
        return NULL;
    int rc = store_open(place->file, STORE_IF_THERE, &store, &err);
    json_t *members = rc == 0 || err.code == ERR_NOT_FOUND ? ask_earlier(store, s, &err) : NULL;
    if (members == NULL)
        (void)fprintf(stderr, "note: not compared with earlier runs: %s\n", err.msg);
    return members;
}

void cmd_store_record(const struct cmd_store *place, const char *dir, const struct history *h,
                      const struct analysis *a)
{
    CLEANUP_STORE struct store *store = NULL;
    struct store_folder folder;
    struct err err = {.code = ERR_NONE};
    if (place->file[0] == '\0')
        return;
    if (open_store(place, &store, &err) == 0 && store_folder_look(store, dir, &folder, &err) == 0 &&
        store_record(store, h, a, &folder, &err) == 0)
        return;
    if (err.code == ERR_NOT_FOUND && !place->asked)
        return;
    (void)fprintf(stderr,
                  "note: the run is whole, but not in the history: %s\n"
                  "note: `blackstart history --import %s` records it later\n",
                  err.msg, dir);
}

int cmd_store_scenario(const struct command_args *args, const char **ret,
                       struct scenario **ret_file, struct err *err)
{
    *ret = args->n_operands != 0 ? args->operands[0] : NULL;
    *ret_file = NULL;
    if (*ret == NULL || strchr(*ret, '.') == NULL || access(*ret, F_OK) != 0)
        return 0;
    int rc = cmd_load_scenario(args, *ret, &fault_catalogue, ret_file, err);
    if (rc == 0)
        *ret = (*ret_file)->name;
    return rc;
}

int cmd_store_has(struct store *s, const char *scenario, bool with_faults, struct err *err)
{
    CLEANUP_STORE_LIST struct store_list list = {.n = 0};
    const char *names[NAMES_MAX];
    size_t n = 0;
    if (store_list(s, &(struct store_filter){.with_faults = with_faults}, &list, err) != 0)
        return -1;
    for (size_t i = 0; i < list.n; i++) {
        const char *name = list.runs[i].scenario;
        size_t k = 0;
        if (strcmp(name, scenario) == 0)
            return 0;
        while (k < n && strcmp(names[k], name) != 0)
            k++;
        if (k == n && n < NAMES_MAX)
            names[n++] = name;
    }
    const char *near = nearest_word(scenario, names, n);
    return make_error(err, ERR_NOT_FOUND, 0,
                      "%s has no run of a scenario \"%s\"%s%s%s; see "
                      "blackstart history",
                      store_file(s), scenario, near != NULL ? "; did you mean \"" : "",
                      near != NULL ? near : "", near != NULL ? "\"?" : "");
}

/* By what the store tells runs apart: its id and time. */
static void count(struct cmd_caught_up *c, const struct history *h)
{
    char key[256];
    (void)snprintf(key, sizeof(key), "%.100s %.100s", h->run, h->wall);
    if (c->seen == NULL)
        c->seen = json_object();
    if (json_object_get(c->seen, key) != NULL)
        c->copies++;
    else
        c->added++;
    (void)json_object_set_new(c->seen, key, json_true());
}

void cmd_caught_up_free(struct cmd_caught_up *c)
{
    json_decref(c->seen);
    c->seen = NULL;
}

/* One folder of a run: 0 when nothing is wrong with the store. */
static int catch_up_one(struct store *s, const char *dir, bool again, struct cmd_caught_up *ret,
                        struct err *err)
{
    CLEANUP_JUDGED struct judged j = {.history = NULL};
    struct store_folder folder;
    struct err why;
    bool known = false;
    if (store_folder_look(s, dir, &folder, &why) != 0)
        return 0; /* gone meanwhile */
    if (!again && store_is_known(s, &folder, &known, err) != 0)
        return -1;
    if (known)
        return 0;
    if (journal_is_open(dir)) {
        ret->running++;
        return 0;
    }
    if (judged_load(dir, &j, &why) != 0) {
        if (ret->unread++ == 0) {
            ret->reason = why;
            (void)snprintf(ret->folder, sizeof(ret->folder), "%s", dir);
        }
        return 0;
    }
    count(ret, j.history);
    return store_record(s, j.history, j.analysis, &folder, err);
}

static bool is_run(const char *dir)
{
    char journal[PATH_MAX + 32];
    struct stat st;
    (void)snprintf(journal, sizeof(journal), "%s/" JOURNAL_FILE, dir);
    return stat(journal, &st) == 0 && S_ISREG(st.st_mode);
}

static int skip_hidden(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* A link such as runs/latest leads to a folder that is listed itself. */
static bool is_link(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

int cmd_store_catch_up(struct store *s, const char *dir, bool again, struct cmd_caught_up *ret,
                       struct err *err)
{
    struct dirent **list = NULL;
    if (is_run(dir))
        return catch_up_one(s, dir, again, ret, err);
    int n = scandir(dir, &list, skip_hidden, alphasort), rc = 0;
    if (n < 0)
        return make_error(err, ERR_INPUT, errno, "read the directory %s", dir);
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        size_t len = (size_t)snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
        if (rc == 0 && len < sizeof(path) && !is_link(path) && is_run(path))
            rc = catch_up_one(s, path, again, ret, err);
        free(list[i]);
    }
    free(list);
    return rc;
}

int cmd_store_runs(const struct store *s, char ret[PATH_MAX], struct err *err)
{
    return store_folder_path(s, ".", ret, err);
}

void cmd_store_print_added(const struct cmd_caught_up *c, const char *file)
{
    (void)printf("%zu run%s recorded in %s", c->added, c->added == 1 ? "" : "s", file);
    if (c->copies != 0)
        (void)printf("; %zu folder%s", c->copies,
                     c->copies == 1 ? " holds a copy" : "s hold copies");
    (void)puts("");
}

void cmd_store_tell(const struct cmd_caught_up *c)
{
    if (c->running != 0)
        (void)fprintf(stderr, "note: %zu run%s going on and not listed yet\n", c->running,
                      c->running == 1 ? " is" : "s are");
    if (c->unread != 0)
        (void)fprintf(stderr, "note: %zu folder%s no run that can be read, the first: %s\n",
                      c->unread, c->unread == 1 ? " holds" : "s hold", c->reason.msg);
}

int cmd_store_none(const struct cmd_store *place, struct err *err)
{
    return make_error(err, ERR_USAGE, 0,
                      place->variable ? "BLACKSTART_STORE is empty, which means no store; "
                                        "--store FILE names one"
                                      : "--store needs a file's name here");
}

int cmd_store_open_alone(const struct cmd_store *place, struct store **ret, struct err *err)
{
    if (place->file[0] == '\0')
        return cmd_store_none(place, err);
    if (open_store(place, ret, err) == 0)
        return 0;
    return err->code == ERR_NOT_FOUND && !place->asked
               ? make_error(err, ERR_NOT_FOUND, 0,
                            "no runs yet: `blackstart run` records each in %s; --store FILE "
                            "names another store",
                            place->file)
               : -1;
}

int cmd_store_open(const struct cmd_store *place, struct store **ret, struct err *err)
{
    CLEANUP_CAUGHT_UP struct cmd_caught_up c = {.added = 0};
    CLEANUP_STORE struct store *s = NULL;
    char dir[PATH_MAX];
    struct err why;
    if (cmd_store_open_alone(place, &s, err) != 0)
        return -1;
    /* What the store has is shown whatever could not be added. */
    if (cmd_store_runs(s, dir, &why) != 0 || cmd_store_catch_up(s, dir, false, &c, &why) != 0)
        (void)fprintf(stderr, "note: not up to date with the runs' folders: %s\n", why.msg);
    cmd_store_tell(&c);
    *ret = steal_ptr(&s);
    return 0;
}
