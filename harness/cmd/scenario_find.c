/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/scenario_find.h"

#include "base/cleanup.h"
#include "base/param.h"
#include "lab/place.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAMES_MAX = 256, NAME_SIZE = 64 };
static const char outages[] = "outages";

/* ./scenarios, then the installed ones. */
enum { N_PLACES = 2 };
struct places {
    char dirs[N_PLACES][PATH_MAX];
};

static int places_take(struct places *ret, struct err *err)
{
    char own[PATH_MAX];
    if (place_programs(own, sizeof(own), err) < 0 ||
        place_path(ret->dirs[0], err, "scenarios") < 0 ||
        place_path(ret->dirs[1], err, "%s/" BLACKSTART_SCENARIOS, own) < 0)
        return -1;
    return 0;
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static int find_named(const struct places *p, const char *name, char ret[PATH_MAX], struct err *err)
{
    static const char *const forms[][2] = {
        {"/outages/", "/" SCENARIO_FOLDER_FILE}, {"/", "/" SCENARIO_FOLDER_FILE}, {"/", ".yaml"}};
    for (size_t i = 0; i < N_PLACES; i++)
        for (size_t k = 0; k < sizeof(forms) / sizeof(forms[0]); k++) {
            if (place_path(ret, err, "%s%s%s%s", p->dirs[i], forms[k][0], name, forms[k][1]) < 0)
                return -1;
            if (is_file(ret))
                return 0;
        }
    return 1;
}

/* The names of the folders below `dir`/outages, behind those that there are. */
static void names_add(const char *dir, char names[NAMES_MAX][NAME_SIZE], size_t *n)
{
    char path[PATH_MAX];
    struct err ignored;
    if (place_path(path, &ignored, "%s/%s", dir, outages) < 0)
        return;
    DIR *d CLEANUP_DIR = opendir(path);
    for (struct dirent *e; d != NULL && *n < NAMES_MAX && (e = readdir(d)) != NULL;) {
        bool there = e->d_name[0] == '.' || strlen(e->d_name) >= NAME_SIZE;
        for (size_t i = 0; i < *n && !there; i++)
            there = strcmp(names[i], e->d_name) == 0;
        if (!there &&
            place_path(path, &ignored, "%s/%s/%s/" SCENARIO_FOLDER_FILE, dir, outages, e->d_name) ==
                0 &&
            is_file(path))
            (void)snprintf(names[(*n)++], NAME_SIZE, "%.*s", NAME_SIZE - 1, e->d_name);
    }
}

static int order(const void *a, const void *b)
{
    return strcmp(a, b);
}

static size_t names_take(const struct places *p, char names[NAMES_MAX][NAME_SIZE])
{
    size_t n = 0;
    for (size_t i = 0; i < N_PLACES; i++)
        names_add(p->dirs[i], names, &n);
    qsort(names, n, NAME_SIZE, order);
    return n;
}

/* Where nothing at all is shipped, the way there is what is missing. */
static int nothing_there(const struct places *p, const char *what, struct err *err)
{
    return make_error_hint(err, ERR_INPUT,
                           "go to where Blackstart's scenarios are, install it, or name the "
                           "scenario's folder or file",
                           "%.80s: looked in ./%.40s and %.200s, and no outage is there", what,
                           p->dirs[0], p->dirs[1]);
}

static int unknown(const struct places *p, const char *operand, struct err *err)
{
    static char names[NAMES_MAX][NAME_SIZE];
    const char *words[NAMES_MAX];
    const char *slash = strrchr(operand, '/');
    size_t n = names_take(p, names);
    for (size_t i = 0; i < n; i++)
        words[i] = names[i];
    if (n == 0)
        return nothing_there(p, operand, err);
    const char *near = nearest_word(slash != NULL ? slash + 1 : operand, words, n);
    return make_error(err, ERR_INPUT, 0,
                      "%s: there is no such file, folder or shipped scenario%s%s%s", operand,
                      near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
                      near != NULL ? "\"?" : "");
}

int scenario_find(const char *operand, char ret[PATH_MAX], struct err *err)
{
    static struct places places;
    struct stat st;
    bool there = stat(operand, &st) == 0;
    size_t len = strlen(operand);
    if (len == 0)
        return make_error(err, ERR_INPUT, 0,
                          "\"\": an empty name is no file, folder or shipped scenario");
    if (there && S_ISDIR(st.st_mode)) {
        bool slash = operand[len - 1] == '/';
        return place_path(ret, err, "%s%s" SCENARIO_FOLDER_FILE, operand, slash ? "" : "/");
    }
    bool path = operand[0] == '/' || operand[0] == '.' ||
                (len > 5 && strcmp(operand + len - 5, ".yaml") == 0);
    if (there || path)
        return place_path(ret, err, "%s", operand);
    if (places_take(&places, err) < 0)
        return -1;
    int rc = find_named(&places, operand, ret, err);
    return rc > 0 ? unknown(&places, operand, err) : rc;
}

int scenario_find_outages(int (*each)(void *ctx, const char *name, const char *file), void *ctx,
                          struct err *err)
{
    static char names[NAMES_MAX][NAME_SIZE];
    static struct places places;
    char path[PATH_MAX];
    if (places_take(&places, err) < 0)
        return -1;
    size_t n = names_take(&places, names);
    if (n == 0)
        return nothing_there(&places, "outages", err);
    for (size_t i = 0; i < n; i++) {
        int rc = find_named(&places, names[i], path, err);
        rc = rc == 0 ? each(ctx, names[i], path) : rc > 0 ? 0 : rc;
        if (rc != 0)
            return rc;
    }
    return 0;
}
