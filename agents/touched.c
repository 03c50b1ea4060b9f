/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/touched.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_TRIES = 2 };

static void add_path(struct touched *t, const struct path *path, unsigned rules)
{
    if (path->s[0] == '\0' || t->n == TOUCHED_PATHS_MAX)
        return;
    t->rules[t->n] = rules;
    t->before[t->n++].path = *path;
}

/* rules: of what is named by a path. A file that a list of names stands for is replaced as a whole,
 * also by a row that moves trees. */
static void add_param(struct touched *t, const struct param *p, const void *args, unsigned rules)
{
    const void *at = (const char *)args + p->offset;
    const struct names *names = at;
    const struct paths *list = at;
    if (p->type == PARAM_PATH)
        add_path(t, at, rules);
    if (p->type == PARAM_NAMES && p->file != NULL && names->n > 0) {
        struct path file;
        (void)snprintf(file.s, sizeof(file.s), "%s", p->file);
        add_path(t, &file, 0);
    }
    for (uint32_t i = 0; p->type == PARAM_PATHS && i < list->n && i < LIST_MAX; i++)
        add_path(t, &list->v[i], rules);
}

int touched_make(const struct fault *row, const void *args, struct touched **ret, struct err *err)
{
    *ret = NULL;
    if ((row->touches & TOUCHES_FILES) == 0)
        return 0;
    struct touched *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory to remember files in");
    unsigned rules = (row->touches & TOUCHES_TREES) != 0 ? FOOTPRINT_MOVED : 0;
    for (size_t i = 0; i < row->n_params; i++)
        add_param(t, &row->params[i], args, rules);
    *ret = t;
    return 0;
}

static bool is_beneath(const char *path, const char *top)
{
    size_t n = strlen(top);
    return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/' || n == 1);
}

const char *touched_common(const struct touched *a, const struct touched *b)
{
    for (uint32_t i = 0; a != NULL && i < a->n; i++)
        for (uint32_t k = 0; b != NULL && k < b->n; k++) {
            const char *one = a->before[i].path.s, *other = b->before[k].path.s;
            if (is_beneath(one, other) || is_beneath(other, one))
                return one;
        }
    return NULL;
}

void touched_free(struct touched *t)
{
    if (t == NULL)
        return;
    for (uint32_t i = 0; i < t->n; i++) {
        footprint_free(&t->before[i]);
        footprint_free(&t->after[i]);
    }
    free(t);
}

int64_t touched_bound_ns(const struct touched *t)
{
    return t != NULL ? t->n * FOOTPRINT_TIME_MS * NS_PER_MS : 0;
}

int touched_before(struct touched *t, const struct fault_host *host, struct err *err)
{
    for (uint32_t i = 0; t != NULL && i < t->n; i++) {
        const struct path path = t->before[i].path;
        if (footprint_take(host, &path, &t->before[i], err) != 0)
            return wrap_error(err, "remember what is there");
        t->left[i] = t->before[i].parent;
    }
    return 0;
}

/* Services that were told to end have written their last. The times that the fault puts back are
 * those from before they did. */
static void take_again(struct footprint *before, const struct fault_host *host)
{
    struct footprint now;
    struct err ignored;
    if (footprint_take(host, &before->path, &now, &ignored) != 0)
        return;
    struct footprint_entry *top = (void *)now.entries.data, *was = (void *)before->entries.data;
    if (now.n > 0 && before->n > 0) {
        top->meta.mtime_sec = was->meta.mtime_sec;
        top->meta.mtime_nsec = was->meta.mtime_nsec;
    }
    now.parent = before->parent;
    footprint_free(before);
    *before = now;
}

static void take_after(struct touched *t, const struct fault_host *host, uint32_t i)
{
    struct err ignored;
    for (int tries = 0; !t->has_after[i] && tries < READ_TRIES; tries++)
        t->has_after[i] = footprint_take(host, &t->before[i].path, &t->after[i], &ignored) == 0;
}

void touched_quiet(struct touched *t, const struct fault_host *host)
{
    for (uint32_t i = 0; t != NULL && i < t->n; i++) {
        if (t->reverting)
            take_after(t, host, i);
        else
            take_again(&t->before[i], host);
    }
}

void touched_applied(struct touched *t, const struct fault_host *host)
{
    for (uint32_t i = 0; t != NULL && i < t->n; i++)
        (void)footprint_parent(host, &t->before[i].path, &t->left[i]);
}

void touched_reverting(struct touched *t, const struct fault_host *host)
{
    if (t == NULL || t->reverting)
        return;
    t->reverting = true;
    for (uint32_t i = 0; i < t->n; i++) {
        struct hostfs_meta now;
        if (footprint_parent(host, &t->before[i].path, &now) &&
            !hostfs_has_mtime(&now, &t->left[i]))
            t->rules[i] |= FOOTPRINT_PARENT_BUSY;
    }
}

static void log_line(void *ctx, bool is_dirt, const char *text)
{
    struct touched_log *log = ctx;
    struct buf *to = is_dirt ? &log->dirt : &log->listed;
    to->max = TOUCHED_TEXT_MAX;
    buf_printf(to, "%s\n", text);
}

/* The newest of each path; of too many the oldest goes. */
static void keep(struct touched_log *log, struct footprint *after)
{
    uint32_t i = 0;
    while (i < log->n_kept && strcmp(log->kept[i].path.s, after->path.s) != 0)
        i++;
    if (i == TOUCHED_KEPT_MAX)
        i = 0;
    if (i < log->n_kept) {
        footprint_free(&log->kept[i]);
        memmove(&log->kept[i], &log->kept[i + 1], (log->n_kept - i - 1) * sizeof(log->kept[0]));
        log->n_kept--;
    }
    log->kept[log->n_kept++] = *after;
    *after = (struct footprint){0};
}

void touched_ended(struct touched *t, const struct fault_host *host, bool is_foreign,
                   struct touched_log *log)
{
    for (uint32_t i = 0; t != NULL && i < t->n; i++) {
        take_after(t, host, i);
        if (!t->has_after[i]) {
            char text[PATH_MAX_LEN + 80];
            (void)snprintf(text, sizeof(text),
                           "%s: cannot be read: not known whether it is as it "
                           "was",
                           t->before[i].path.s);
            log_line(log, true, text);
            continue;
        }
        footprint_compare(&t->before[i], &t->after[i],
                          t->rules[i] | (is_foreign ? FOOTPRINT_FOREIGN : 0), log_line, log);
        keep(log, &t->after[i]);
    }
}

void touched_log_clear(struct touched_log *log)
{
    buf_free(&log->dirt);
    buf_free(&log->listed);
    for (uint32_t i = 0; i < log->n_kept; i++)
        footprint_free(&log->kept[i]);
    *log = (struct touched_log){0};
}

static bool is_asked(const struct paths *paths, const char *text)
{
    for (uint32_t i = 0; i < paths->n; i++) {
        size_t n = strlen(paths->v[i].s);
        if (strncmp(text, paths->v[i].s, n) == 0 && strchr("/:,", text[n]) != NULL)
            return true;
    }
    return paths->n == 0;
}

static size_t tell_lines(const struct buf *lines, bool is_dirt, const struct paths *paths,
                         footprint_fn *fn, void *ctx)
{
    size_t n = 0;
    for (const char *at = buf_text(lines); *at != '\0';) {
        char text[1024];
        size_t len = strcspn(at, "\n");
        (void)snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : sizeof(text)),
                       at);
        at += len + (at[len] == '\n');
        if (!is_asked(paths, text))
            continue;
        fn(ctx, is_dirt, text);
        n++;
    }
    return n;
}

size_t touched_tell(const struct touched_log *log, const struct fault_host *host,
                    const struct paths *paths, footprint_fn *fn, void *ctx)
{
    size_t n = tell_lines(&log->dirt, true, paths, fn, ctx);
    if (!buf_ok(&log->dirt) && ++n > 0)
        fn(ctx, true, "differences that could not be remembered: too many, or no memory");
    struct touched_log later = {0};
    for (uint32_t i = 0; i < log->n_kept; i++) {
        struct footprint now;
        struct err ignored;
        if (footprint_take(host, &log->kept[i].path, &now, &ignored) != 0)
            continue;
        footprint_compare(&log->kept[i], &now, FOOTPRINT_FOREIGN, log_line, &later);
        footprint_free(&now);
    }
    (void)tell_lines(&log->listed, false, paths, fn, ctx);
    (void)tell_lines(&later.listed, false, paths, fn, ctx);
    touched_log_clear(&later);
    return n;
}
