/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/removal.h"

#include <stdio.h>
#include <string.h>

static bool is_beneath(const char *path, const char *top)
{
    size_t n = strlen(top);
    return strncmp(path, top, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

int removal_check(const struct paths *paths, struct err *err)
{
    static const char *const kept[] = {"/proc", "/sys", "/dev"};
    for (uint32_t i = 0; i < paths->n; i++) {
        const char *path = paths->v[i].s;
        if (strcmp(path, "/") == 0)
            return make_error(err, ERR_INPUT, 0,
                              "/ itself cannot be deleted: name the directories in it");
        for (size_t k = 0; k < sizeof(kept) / sizeof(kept[0]); k++)
            if (is_beneath(path, kept[k]))
                return make_error(err, ERR_INPUT, 0, "%s is the kernel's, not a file", path);
        for (uint32_t j = 0; j < paths->n; j++)
            if (i != j && is_beneath(path, paths->v[j].s))
                return make_error(err, ERR_INPUT, 0, "%s lies in %s: name one of them", path,
                                  paths->v[j].s);
    }
    return 0;
}

int removal_prepare(const struct fault_host *host, const struct paths *paths, bool if_there,
                    struct removal *ret, struct err *err)
{
    ret->n = 0;
    for (uint32_t i = 0; i < paths->n; i++) {
        if (quarantine_prepare(host, &paths->v[i], &ret->paths[ret->n], err) == 0)
            ret->n++;
        else if (!if_there || err->code != ERR_NOT_FOUND)
            return -1;
    }
    return ret->n > 0 ? 0 : make_error(err, ERR_NOT_FOUND, 0, "none of the paths is there");
}

/* Paths in one directory: what it looked like after the last of them was taken holds for all. */
static void note_parent(struct removal *r, uint32_t last)
{
    for (uint32_t i = 0; i < last; i++)
        if (hostfs_is_same(&r->paths[i].parent, &r->paths[last].parent))
            r->paths[i].parent_after = r->paths[last].parent_after;
}

int removal_take(const struct fault_host *host, const struct undo *undo, struct removal *r,
                 struct err *err)
{
    for (uint32_t i = 0; i < r->n; i++) {
        if (quarantine_take(host, undo, i, &r->paths[i], err) != 0)
            return -1;
        note_parent(r, i);
    }
    return 0;
}

int removal_recreate(const struct fault_host *host, const struct undo *undo, struct removal *r,
                     const char *template, struct err *err)
{
    for (uint32_t i = 0; i < r->n; i++) {
        if (quarantine_recreate(host, undo, i, &r->paths[i], template, err) != 0)
            return -1;
        note_parent(r, i);
    }
    return 0;
}

static uint32_t count_absent(const struct fault_host *host, const struct undo *undo,
                             const struct removal *r)
{
    uint32_t absent = 0;
    for (uint32_t i = 0; i < r->n; i++)
        absent += quarantine_holds(host, undo, i, &r->paths[i]);
    return absent;
}

bool removal_holds(const struct fault_host *host, const struct undo *undo, const struct removal *r)
{
    return r->n > 0 && count_absent(host, undo, r) == r->n;
}

void removal_evidence(const struct fault_host *host, const struct undo *undo,
                      const struct removal *r, struct evidence *ret)
{
    uint32_t absent = count_absent(host, undo, r);
    uint64_t entries = 0;
    for (uint32_t i = 0; i < r->n; i++)
        entries += r->paths[i].moved;
    memset(ret, 0, sizeof(*ret));
    ret->n = 3;
    ret->items[0] = (struct evidence_item){"paths", r->n};
    ret->items[1] = (struct evidence_item){"paths_deleted", absent};
    ret->items[2] = (struct evidence_item){"entries_moved", entries};
    ret->proven = r->n > 0 && absent == r->n;
    (void)snprintf(ret->what, sizeof(ret->what), "%u of %u paths are deleted, %.80s among them",
                   absent, r->n, r->paths[0].path.s);
}

int removal_restore(const struct fault_host *host, const struct undo *undo, const struct removal *r,
                    struct revert_report *ret, struct err *err)
{
    struct err later;
    int rc = 0;
    for (uint32_t i = 0; i < r->n; i++)
        if (quarantine_restore(host, undo, i, &r->paths[i], ret, rc == 0 ? err : &later) != 0)
            rc = -1;
    return rc;
}
