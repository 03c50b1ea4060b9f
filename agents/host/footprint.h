/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies under one path of a host, written down so that it can be compared later: content, mode,
 * owner, mtime and attributes of every entry, and the directory above. Bounded in entries, bytes
 * and time; what the bounds left out is said. Knows nothing of which fault was there, only whether
 * it moves trees whole (then what others wrote meanwhile is theirs).
 */
#ifndef BLACKSTART_AGENTS_HOST_FOOTPRINT_H
#define BLACKSTART_AGENTS_HOST_FOOTPRINT_H

#include "agents/host/hostfs.h"
#include "base/buf.h"

enum {
    FOOTPRINT_ENTRIES_MAX = 20000,
    FOOTPRINT_DEPTH_MAX = 32,
    FOOTPRINT_BYTES_MAX = 64 * 1024 * 1024,
    FOOTPRINT_READ_MS = 150, /* then only what stat says is taken */
    FOOTPRINT_TIME_MS = 300  /* then nothing more */
};

struct footprint_entry {
    struct hostfs_meta meta;
    uint64_t content, attributes;
    uint32_t name; /* offset in names: "" is the path itself, "/a/b" lies in it */
    uint16_t depth;
    bool is_read; /* content and attributes are known */
};

struct footprint {
    struct path path;
    struct hostfs_meta parent;
    bool has_parent;
    bool is_cut;   /* there is more than the bounds allow */
    bool is_stat;  /* not every content was read */
    int64_t begun; /* CLOCK_REALTIME, which files' times are in */
    int64_t ended;
    uint32_t n;
    struct buf entries, names; /* n struct footprint_entry, sorted by name */
};

/* A path that is not there is an empty footprint. */
int footprint_take(const struct fault_host *host, const struct path *path, struct footprint *ret,
                   struct err *err) MUST_CHECK;
void footprint_free(struct footprint *f);

/* Only the directory above. False when there is none. */
bool footprint_parent(const struct fault_host *host, const struct path *path,
                      struct hostfs_meta *ret);

enum {
    FOOTPRINT_MOVED = 1, /* the tree was moved away and back: who had it open may have written */
    FOOTPRINT_PARENT_BUSY = 2, /* others changed the directory above meanwhile */
    FOOTPRINT_FOREIGN = 4      /* all that differs is others' doing */
};

/* Each difference in words; is_dirt: it is not as it has to be. */
typedef void footprint_fn(void *ctx, bool is_dirt, const char *text);
void footprint_compare(const struct footprint *before, const struct footprint *after,
                       unsigned rules, footprint_fn *fn, void *ctx);

#endif
