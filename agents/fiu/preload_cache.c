/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each thread keeps what it found out; the ages are the process's, so that a close or dup2 in one
 * thread is seen by all. Signal handlers come in the middle of everything: an entry is void while
 * it is written.
 */
#include "agents/fiu/preload.h"

#include "agents/fiu/preload_raw.h"

enum { CACHE_SIZE = 32, AGES = 1024 };

static _Thread_local struct preload_kept cache[CACHE_SIZE];

static _Atomic uint32_t ages[AGES];
static _Atomic uint32_t age_of_all;

uint32_t preload_cache_age(int fd)
{
    return atomic_load_explicit(&ages[(unsigned)fd % AGES], memory_order_acquire) +
           atomic_load_explicit(&age_of_all, memory_order_acquire);
}

void preload_cache_forget(int fd)
{
    atomic_fetch_add_explicit(&ages[(unsigned)fd % AGES], 1, memory_order_release);
}

void preload_cache_forget_all(void)
{
    atomic_fetch_add_explicit(&age_of_all, 1, memory_order_release);
}

struct preload_kept *preload_cache_place(unsigned slot, int fd)
{
    return &cache[((unsigned)fd + slot * 7) % CACHE_SIZE];
}

const struct preload_kept *preload_cache_find(unsigned slot, int fd, uint64_t owner)
{
    const struct preload_kept *kept = preload_cache_place(slot, fd);
    bool same = kept->fd == fd && kept->slot == slot && kept->owner == owner &&
                kept->age == preload_cache_age(fd);
    /* The unsigned difference also voids an entry of a counter that has been set back. */
    return same && kept->until - raw_ticks() <= RAW_TICKS_KEPT ? kept : NULL;
}

void preload_cache_keep(const struct preload_kept *kept)
{
    struct preload_kept *place = preload_cache_place(kept->slot, kept->fd);
    place->until = 0;
    atomic_signal_fence(memory_order_seq_cst);
    place->owner = kept->owner;
    place->dev = kept->dev;
    place->ino = kept->ino;
    place->fd = kept->fd;
    place->slot = kept->slot;
    place->age = kept->age;
    place->holds = kept->holds;
    atomic_signal_fence(memory_order_seq_cst);
    place->until = raw_ticks() + RAW_TICKS_KEPT;
}
