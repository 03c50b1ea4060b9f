/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/history_keep.h"

#include "base/cleanup.h"
#include "cmd/when.h"
#include "journal/journal.h"
#include "lab/tree.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRUNED ".pruned-" /* a folder that is being removed; no run any more */

int history_import(const struct command_args *args, struct store *s, struct err *err)
{
    CLEANUP_CAUGHT_UP struct cmd_caught_up c = {.added = 0};
    const char *dir;
    for (size_t i = 0; (dir = command_value_at(args, "import", i)) != NULL; i++)
        if (cmd_store_catch_up(s, dir, true, &c, err) != 0)
            return -1;
    cmd_store_tell(&c);
    cmd_store_print_added(&c, store_file(s));
    return c.unread != 0 ? err_exit_status(ERR_INPUT) : 0;
}

/* --- prune --- */

struct pruner {
    struct store *s;
    const struct store_list *list;
    int64_t keep; /* of each scenario; -1: not asked */
    const char *before;
    bool with_folders, dry;
    int64_t *ids;
    size_t n;
};

/* Is this the folder of that run still, below the store's own directory? */
static bool is_ours(struct pruner *p, const struct store_run *r, char path[PATH_MAX])
{
    struct store_folder now;
    struct err why;
    bool known = false;
    return r->folder[0] != '/' && store_folder_path(p->s, r->folder, path, &why) == 0 &&
           store_folder_look(p->s, path, &now, &why) == 0 && strcmp(now.path, r->folder) == 0 &&
           store_is_known(p->s, &now, &known, &why) == 0 && known && !journal_is_open(path);
}

static void drop_latest(const char *path)
{
    char copy[PATH_MAX], link[PATH_MAX + 16], target[PATH_MAX] = "";
    (void)snprintf(copy, sizeof(copy), "%s", path);
    (void)snprintf(link, sizeof(link), "%s/latest", dirname(copy));
    const char *slash = strrchr(path, '/');
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n > 0 && slash != NULL && strcmp(target, slash + 1) == 0)
        (void)unlink(link);
}

/* Renamed first: half a folder must never look like a run. */
static int folder_remove(const char *path, struct err *err)
{
    char copy[PATH_MAX], gone[PATH_MAX + 16];
    const char *slash = strrchr(path, '/');
    (void)snprintf(copy, sizeof(copy), "%s", path);
    (void)snprintf(gone, sizeof(gone), "%s/" PRUNED "%s", dirname(copy),
                   slash != NULL ? slash + 1 : path);
    if (strlen(gone) >= PATH_MAX || rename(path, gone) < 0)
        return make_error(err, ERR_SYSTEM, errno, "remove %s", path);
    drop_latest(path);
    return tree_remove(gone, err);
}

/* What a prune that was killed left behind. */
static void sweep(const struct store *s)
{
    struct dirent *e;
    char dir[PATH_MAX], path[PATH_MAX];
    struct err why;
    if (cmd_store_runs(s, dir, &why) != 0)
        return;
    CLEANUP_DIR DIR *d = opendir(dir);
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strncmp(e->d_name, PRUNED, strlen(PRUNED)) != 0 ||
            (size_t)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= sizeof(path))
            continue;
        if (tree_remove(path, &why) != 0)
            (void)fprintf(stderr, "note: %s\n", why.msg);
    }
}

static bool goes(const struct pruner *p, size_t at)
{
    const struct store_run *r = &p->list->runs[at];
    int64_t newer = 0;
    if (p->before != NULL && strcmp(r->run.wall, p->before) >= 0)
        return false;
    for (size_t i = 0; p->keep >= 0 && i < at && newer < p->keep; i++)
        newer += strcmp(p->list->runs[i].scenario, r->scenario) == 0;
    return p->keep < 0 || newer >= p->keep;
}

/* The folder goes before the store's rows: what a kill leaves in between is pruned again. */
static int prune_one(struct pruner *p, const struct store_run *r, struct err *err)
{
    char path[PATH_MAX], when[WHEN_TEXT];
    bool folder = p->with_folders && is_ours(p, r, path);
    when_print(r->run.wall, when);
    (void)printf("%s %s  %s  %s  %s%s\n", p->dry ? "would forget" : "forgotten", when, r->scenario,
                 r->run.verdict, r->run.run,
                 folder            ? ", and its folder"
                 : p->with_folders ? ", not its folder, which is not beside the store or is gone"
                                   : "");
    if (!p->dry && folder && folder_remove(path, err) != 0)
        return -1;
    p->ids[p->n++] = r->id;
    return 0;
}

static int prune_all(struct pruner *p, struct err *err)
{
    p->ids = calloc(p->list->n + 1, sizeof(*p->ids));
    if (p->ids == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "%zu runs", p->list->n);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < p->list->n; i++)
        if (goes(p, i))
            rc = prune_one(p, &p->list->runs[i], err);
    struct err why;
    if (!p->dry && p->n != 0 && store_forget(p->s, p->ids, p->n, !p->with_folders, &why) != 0 &&
        rc == 0) {
        *err = why;
        rc = -1;
    }
    if (rc == 0)
        (void)printf("%zu of %zu run%s %s\n", p->n, p->list->n, p->list->n == 1 ? "" : "s",
                     p->dry ? "would be forgotten" : "forgotten");
    free(p->ids);
    return rc;
}

int history_prune(const struct command_args *args, const char *scenario, struct store *s,
                  struct err *err)
{
    CLEANUP_STORE_LIST struct store_list list = {.n = 0};
    const char *older = command_value(args, "older-than");
    char before[WHEN_TEXT];
    uint64_t keep = 0;
    if (older == NULL && command_value(args, "keep") == NULL)
        return make_error(err, ERR_USAGE, 0, "--prune needs --keep N or --older-than WHEN");
    if (command_count(args, "keep", 0, 1000000, &keep, err) != 0 ||
        (older != NULL && when_parse("older-than", older, time(NULL), before, err) != 0))
        return -1;
    const struct store_filter filter = {.scenario = scenario};
    if (store_list(s, &filter, &list, err) != 0)
        return -1;
    struct pruner p = {.s = s,
                       .list = &list,
                       .keep = command_value(args, "keep") != NULL ? (int64_t)keep : -1,
                       .before = older != NULL ? before : NULL,
                       .with_folders = command_flag(args, "with-folders"),
                       .dry = command_flag(args, "dry-run")};
    if (p.with_folders && !p.dry)
        sweep(s);
    return prune_all(&p, err);
}

/* --- rebuild --- */

/* Its rollback journal first: a new store must not find that of an old one. */
static int move_aside(const char *file, char ret[PATH_MAX + 16], struct err *err)
{
    static const char *const parts[] = {"-journal", "-wal", "-shm", ""};
    int n = 1;
    do
        (void)snprintf(ret, PATH_MAX + 16, "%s.old-%d", file, n);
    while (access(ret, F_OK) == 0 && ++n < 1000);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char from[PATH_MAX + 16], to[PATH_MAX + 32];
        (void)snprintf(from, sizeof(from), "%s%s", file, parts[i]);
        (void)snprintf(to, sizeof(to), "%s%s", ret, parts[i]);
        if (rename(from, to) < 0 && errno != ENOENT)
            return make_error(err, ERR_SYSTEM, errno, "move %s to %s", from, to);
    }
    return 0;
}

/* Runs that the old store knew elsewhere; how many have no folder any more. */
static int take_over(struct store *s, const struct store_list *old, struct cmd_caught_up *c,
                     size_t *ret_gone, struct err *err)
{
    for (size_t i = 0; i < old->n; i++) {
        char path[PATH_MAX], journal[PATH_MAX + 32];
        if (store_folder_path(s, old->runs[i].folder, path, err) != 0)
            return -1;
        (void)snprintf(journal, sizeof(journal), "%s/" JOURNAL_FILE, path);
        if (access(journal, F_OK) < 0)
            (*ret_gone)++;
        else if (cmd_store_catch_up(s, path, false, c, err) != 0)
            return -1;
    }
    return 0;
}

/* The runs of a store that can be read; *why says why it cannot. */
static bool read_old(const char *file, struct store_list *ret, struct err *why)
{
    CLEANUP_STORE struct store *s = NULL;
    return store_open(file, STORE_IF_THERE, &s, why) == 0 &&
           store_list(s, &(struct store_filter){.limit = 0}, ret, why) == 0;
}

static int make_anew(const char *file, const struct store_list *old, struct cmd_caught_up *c,
                     size_t *ret_gone, struct err *err)
{
    CLEANUP_STORE struct store *s = NULL;
    char dir[PATH_MAX];
    if (store_open(file, STORE_MAKE, &s, err) != 0)
        return -1;
    cmd_store_own(s);
    return cmd_store_runs(s, dir, err) != 0 || cmd_store_catch_up(s, dir, false, c, err) != 0 ||
                   take_over(s, old, c, ret_gone, err) != 0
               ? -1
               : 0;
}

/* May the file be moved away? What is no store of ours, or in use, or of a newer one, stays. */
static int check_old(const struct cmd_store *place, bool force, const struct err *why,
                     struct err *err)
{
    struct stat st;
    if (stat(place->file, &st) == 0 && !S_ISREG(st.st_mode))
        return make_error(err, ERR_USAGE, 0, "the store %s is not a file", place->file);
    *err = *why;
    if (why->code == ERR_UNSUPPORTED || why->code == ERR_TIMEOUT)
        return -1;
    if (why->code == ERR_NONE || force || store_may_be_ours(place->file))
        return 0;
    return make_error(err, ERR_INPUT, 0, "%s, or add --force to move it aside", why->msg);
}

int history_rebuild(const struct cmd_store *place, bool force, struct err *err)
{
    CLEANUP_STORE_LIST struct store_list old = {.n = 0};
    CLEANUP_CAUGHT_UP struct cmd_caught_up c = {.added = 0};
    char aside[PATH_MAX + 16] = "";
    struct err why = {.code = ERR_NONE};
    size_t gone = 0;
    if (place->file[0] == '\0')
        return cmd_store_none(place, err);
    bool there = access(place->file, F_OK) == 0;
    bool read = there && read_old(place->file, &old, &why);
    if (there &&
        (check_old(place, force, &why, err) != 0 || move_aside(place->file, aside, err) != 0))
        return -1;
    if (there)
        (void)printf("%s moved to %s\n", place->file, aside);
    if (make_anew(place->file, &old, &c, &gone, err) != 0)
        return -1;
    cmd_store_tell(&c);
    cmd_store_print_added(&c, place->file);
    if (there && !read)
        (void)printf("the old one could not be read (%s); what lies elsewhere: --import DIR\n",
                     why.msg);
    if (gone != 0)
        (void)printf("%zu run%s no folder any more and stand%s only in %s\n", gone,
                     gone == 1 ? " has" : "s have", gone == 1 ? "s" : "", aside);
    return 0;
}
