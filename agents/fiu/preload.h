/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the preload library: what a wrapped call asks before it does its work. The wrappers know
 * nothing of pages and rules; the decision knows nothing of which function was called. Everything
 * here may run in a signal handler, in a fresh child of fork or vfork, inside another library's
 * constructor, or inside the program's own malloc: no allocation, no lock that can be held.
 */
#ifndef BLACKSTART_AGENTS_FIU_PRELOAD_H
#define BLACKSTART_AGENTS_FIU_PRELOAD_H

#include "agents/fiu/page.h"
#include "agents/fiu/rule.h"

/* What a call is about, for the filters. */
struct preload_subject {
    int fd;            /* the file itself, when path is NULL; else where a relative path starts */
    const char *path;  /* or NULL */
    const char *path2; /* rename's other name, relative to fd2; or NULL */
    int fd2;
    bool follow;    /* the call follows a symbolic link in the last part of the path */
    const void *to; /* the address that the call names; NULL: the other end of the socket fd */
    uint32_t to_len;
};

/* The page, NULL without one; and its mask of armed points, a mask of nothing without one. */
extern struct fiu_page *preload_page;
extern _Atomic uint64_t *preload_armed;

/* Waits as long as the rules want, then the errno with which this call fails now, or 0. Leaves
 * errno as it is. */
int preload_decide(enum fiu_point point, const struct preload_subject *subject);

/* The same, and sets errno: true when the wrapper is to return its failure. */
bool preload_fails(enum fiu_point point, const struct preload_subject *subject);

/* Nanoseconds to add to a reading of a clock; `point` is FIU_REALTIME or FIU_MONOTONIC. */
int64_t preload_shift(enum fiu_point point);

static inline bool preload_any_armed(void)
{
    return __builtin_expect(atomic_load_explicit(preload_armed, memory_order_relaxed) != 0, 0);
}

/* The only cost of a call while nothing is armed: one relaxed load. */
static inline bool preload_is_armed(enum fiu_point point)
{
    uint64_t armed = atomic_load_explicit(preload_armed, memory_order_relaxed);
    return __builtin_expect((armed & FIU_BIT(point)) != 0, 0);
}

static inline bool preload_fails_fd(enum fiu_point point, int fd)
{
    return preload_is_armed(point) && preload_fails(point, &(struct preload_subject){.fd = fd});
}

static inline bool preload_fails_path(enum fiu_point point, int dir, const char *path, bool follow)
{
    return preload_is_armed(point) &&
           preload_fails(point,
                         &(struct preload_subject){.fd = dir, .path = path, .follow = follow});
}

/*
 * What was found out about a descriptor under one rule, kept so that the kernel need not be asked
 * at each call. That a rule is not about it is believed as it stands, for a moment: a mistake, made
 * because a descriptor was closed and reused without our seeing it, spares a call. That a rule is
 * about it is believed only while it is the same file (preload_path.c asks).
 */
struct preload_kept {
    uint64_t until; /* in ticks; 0: nothing is kept here */
    uint64_t owner;
    uint64_t dev, ino;
    int fd;
    uint32_t slot, age;
    bool holds;
};

/* The place for this descriptor and slot, and what it holds: NULL when it is about another, or the
 * descriptor may mean another file by now. */
struct preload_kept *preload_cache_place(unsigned slot, int fd);
const struct preload_kept *preload_cache_find(unsigned slot, int fd, uint64_t owner);
/* The age has to be read before the kernel is asked. */
uint32_t preload_cache_age(int fd);
void preload_cache_keep(const struct preload_kept *kept);
/* A descriptor now means another file, or a name has moved: what is kept of it is void, for all
 * threads. */
void preload_cache_forget(int fd);
void preload_cache_forget_all(void);

/* A new descriptor, or -1: whatever is kept for its number was of another file. Returns it. */
static inline int preload_opened(int fd)
{
    if (preload_any_armed() && fd >= 0)
        preload_cache_forget(fd);
    return fd;
}

/* Is the subject beneath the rule's prefix, and its other end one of the rule's? */
bool preload_path_holds(const struct fiu_rule *rule, unsigned slot,
                        const struct preload_subject *subject);
bool preload_addr_holds(const struct fiu_rule *rule, unsigned slot,
                        const struct preload_subject *subject);

#endif
