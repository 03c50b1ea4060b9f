/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/footprint.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { TEXT_MAX = 400, TICK_MS = 20 /* files' times come from a clock that lags by a tick */ };

struct comparison {
    const struct footprint *before, *after;
    unsigned rules;
    bool others_at_top; /* entries that are not ours came into the path's own directory */
    footprint_fn *fn;
    void *ctx;
};

static const struct footprint_entry *entry_at(const struct footprint *f, uint32_t i)
{
    return (const struct footprint_entry *)(const void *)f->entries.data + i;
}

static const char *name_of(const struct footprint *f, const struct footprint_entry *e)
{
    return buf_text(&f->names) + e->name;
}

static void say(const struct comparison *c, bool is_dirt, const char *name, const char *what)
{
    char text[TEXT_MAX * 2];
    (void)snprintf(text, sizeof(text), "%s%.300s: %s", c->before->path.s, name, what);
    c->fn(c->ctx, is_dirt && (c->rules & FOOTPRINT_FOREIGN) == 0, text);
}

static void add(char text[TEXT_MAX], const char *part)
{
    size_t used = strlen(text);
    (void)snprintf(text + used, TEXT_MAX - used, "%s%s", used > 0 ? ", " : "", part);
}

/* What no write changes: true when any of it differs. */
static bool add_standing(const struct hostfs_meta *was, const struct hostfs_meta *is,
                         char text[TEXT_MAX])
{
    char part[80];
    if (was->mode != is->mode) {
        (void)snprintf(part, sizeof(part), "mode %04o, was %04o",
                       (was->mode & S_IFMT) == (is->mode & S_IFMT) ? is->mode & 07777U : is->mode,
                       (was->mode & S_IFMT) == (is->mode & S_IFMT) ? was->mode & 07777U
                                                                   : was->mode);
        add(text, part);
    }
    if (was->uid != is->uid || was->gid != is->gid) {
        (void)snprintf(part, sizeof(part), "owner %u:%u, was %u:%u", is->uid, is->gid, was->uid,
                       was->gid);
        add(text, part);
    }
    return text[0] != '\0';
}

static bool add_mtime(const struct hostfs_meta *was, const struct hostfs_meta *is,
                      char text[TEXT_MAX])
{
    char part[80];
    if (hostfs_has_mtime(was, is))
        return false;
    (void)snprintf(part, sizeof(part), "mtime %lld.%09u, was %lld.%09u", (long long)is->mtime_sec,
                   is->mtime_nsec, (long long)was->mtime_sec, was->mtime_nsec);
    add(text, part);
    return true;
}

static bool add_content(const struct footprint_entry *was, const struct footprint_entry *is,
                        char text[TEXT_MAX])
{
    bool differs = S_ISDIR(is->meta.mode)        ? false
                   : was->is_read && is->is_read ? was->content != is->content
                                                 : was->meta.size != is->meta.size;
    if (differs)
        add(text, "content differs");
    return differs;
}

static bool is_meanwhile(const struct comparison *c, const struct hostfs_meta *meta)
{
    int64_t at = meta->mtime_sec * NS_PER_SEC + meta->mtime_nsec;
    return at >= c->before->begun - TICK_MS * NS_PER_MS && at <= c->after->ended;
}

/*
 * Whoever had a file or a directory open while its tree was away went on writing to it: the same
 * inode, written in the meantime. What lies deeper than the entries that were moved goes with its
 * directory, and a fault has no hand in it. The path's own directory is ours to put back.
 */
static bool is_others_write(const struct comparison *c, const struct footprint_entry *was,
                            const struct footprint_entry *is)
{
    if ((c->rules & FOOTPRINT_MOVED) == 0 || !is_meanwhile(c, &is->meta))
        return false;
    if (is->depth >= 2)
        return true;
    if (is->depth == 0 && S_ISDIR(is->meta.mode))
        return c->others_at_top;
    return hostfs_is_same(&was->meta, &is->meta);
}

static void compare_entry(const struct comparison *c, const struct footprint_entry *was,
                          const struct footprint_entry *is)
{
    char text[TEXT_MAX] = "";
    bool standing = add_standing(&was->meta, &is->meta, text);
    if (was->is_read && is->is_read && was->attributes != is->attributes) {
        add(text, "extended attributes differ");
        standing = true;
    }
    bool content = add_content(was, is, text);
    bool mtime = add_mtime(&was->meta, &is->meta, text);
    if (text[0] != '\0')
        say(c, standing || ((content || mtime) && !is_others_write(c, was, is)),
            name_of(c->after, is), text);
}

static bool is_our_name(const char *name)
{
    return strstr(name, "/.blackstart-") != NULL;
}

static void tell_gone(const struct comparison *c, const struct footprint_entry *was)
{
    if (c->after->is_cut)
        return;
    say(c, (c->rules & FOOTPRINT_MOVED) == 0 || was->depth < 2, name_of(c->before, was), "gone");
}

static void tell_new(const struct comparison *c, const struct footprint_entry *is)
{
    if (c->before->is_cut)
        return;
    say(c, is_our_name(name_of(c->after, is)), name_of(c->after, is), "new");
}

static void look_at_top(struct comparison *c, const struct footprint_entry *is)
{
    if (is->depth == 1 && !is_our_name(name_of(c->after, is)))
        c->others_at_top = true;
}

/* Either may be NULL: only in the other list. */
static void compare_pair(const struct comparison *c, const struct footprint_entry *was,
                         const struct footprint_entry *is)
{
    if (was != NULL && is != NULL)
        compare_entry(c, was, is);
    else if (was != NULL)
        tell_gone(c, was);
    else if (is != NULL)
        tell_new(c, is);
}

/* The two sorted lists side by side. */
static void walk_both(struct comparison *c, bool only_top)
{
    const struct footprint *before = c->before, *after = c->after;
    for (uint32_t i = 0, j = 0; i < before->n || j < after->n;) {
        const struct footprint_entry *was = i < before->n ? entry_at(before, i) : NULL;
        const struct footprint_entry *is = j < after->n ? entry_at(after, j) : NULL;
        int order =
            was != NULL && is != NULL ? strcmp(name_of(before, was), name_of(after, is)) : 0;
        if (order < 0)
            is = NULL;
        if (order > 0)
            was = NULL;
        i += was != NULL;
        j += is != NULL;
        if (!only_top)
            compare_pair(c, was, is);
        else if (was == NULL && is != NULL)
            look_at_top(c, is);
    }
}

static void compare_parent(const struct comparison *c)
{
    char text[TEXT_MAX] = "", name[] = ", the directory above";
    if (!c->before->has_parent)
        return;
    if (!c->after->has_parent) {
        say(c, true, name, "gone");
        return;
    }
    bool standing = add_standing(&c->before->parent, &c->after->parent, text);
    bool mtime = add_mtime(&c->before->parent, &c->after->parent, text);
    if (text[0] != '\0')
        say(c, standing || (mtime && (c->rules & FOOTPRINT_PARENT_BUSY) == 0), name, text);
}

void footprint_compare(const struct footprint *before, const struct footprint *after,
                       unsigned rules, footprint_fn *fn, void *ctx)
{
    struct comparison c = {.before = before, .after = after, .rules = rules, .fn = fn, .ctx = ctx};
    walk_both(&c, true);
    walk_both(&c, false);
    compare_parent(&c);
    if (before->is_cut || after->is_cut)
        say(&c, false, "", "larger than the bounds: only a part of it was compared");
    else if (before->is_stat || after->is_stat)
        say(&c, false, "",
            "larger than the bounds: of a part only size, mode, owner and mtime "
            "were compared");
}
