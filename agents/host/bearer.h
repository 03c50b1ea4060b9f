/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process of the agent's own that bears a fault: the harm lasts exactly as long as it lives. The
 * kernel kills it with the process that started it; it ends by itself at its lease deadline
 * (CLOCK_BOOTTIME) and when its line is closed; one that is itself stopped is killed by whoever
 * reverts. It holds no descriptor but those that it was given: above all not the netfilter socket,
 * whose table must go when the agent does. Counters of what it did stand in memory that it shares
 * with the process that started it. Knows nothing of what is borne. Nothing here allocates.
 */
#ifndef BLACKSTART_AGENTS_HOST_BEARER_H
#define BLACKSTART_AGENTS_HOST_BEARER_H

#include "agents/host/proc.h"

#include <stdatomic.h>

enum {
    BEARERS_MAX = 64, /* at once, of one agent */
    BEARER_COUNTERS = 16,
    BEARER_FDS_MAX = 8,
    BEARER_FD = 2 /* in the bearer: the first of the descriptors that it was given */
};

struct bearer_counters {
    _Atomic uint64_t v[BEARER_COUNTERS];
};

/* In the bearer's own process. */
struct bearer {
    struct bearer_counters *counters;
};

/* What the bearer says once, when the harm is done or cannot be. */
struct bearer_report {
    int32_t code; /* enum err_code */
    char msg[200];
};

struct bearer_spec {
    const char *run,
        *injection; /* its comm is their fault_mark(): so one whose record was lost is found */
    const int *fds; /* kept open, as BEARER_FD + i */
    size_t n_fds;
    uint64_t caps;    /* those that it keeps of privside's (CAP bits) */
    int64_t lease_ns; /* CLOCK_BOOTTIME */
    int64_t start_ns; /* how long bearer_start waits for its report; 0: a second */
    /* Runs in the bearer, does the harm, calls bearer_ready or bearer_refuse, then goes on until
     * bearer_wait says that the end has come. The bearer exits when it returns. */
    void (*body)(struct bearer *self, void *arg);
    void *arg; /* the bearer has its own copy of all memory */
};

/* Returns when the bearer has reported. After a failure nothing of it is left. */
int bearer_start(const struct fault_host *host, const struct bearer_spec *spec,
                 struct proc_id *ret_id, struct err *err) MUST_CHECK;

/* Moves the deadline. ERR_LAPSED when the bearer has ended, is stopped (it would take neither the
 * deadline nor its work), or another process started it. */
int bearer_renew(const struct fault_host *host, const struct undo *undo, const struct proc_id *id,
                 int64_t lease_ns, struct err *err) MUST_CHECK;

/*
 * Ends the bearer (from any process of ours) and waits until it is gone: its line is closed, and
 * after grace_ms it is killed. id as the record has it; one that was not recorded is looked for by
 * its name. Nothing to end is a success.
 */
int bearer_end(const struct fault_host *host, const struct undo *undo, const struct proc_id *id,
               int grace_ms, struct err *err) MUST_CHECK;

/* NULL when this process did not start it. They stay readable until bearer_end. */
const struct bearer_counters *bearer_read(const struct undo *undo);

/* Does it run, unstopped? */
bool bearer_lives(const struct fault_host *host, const struct proc_id *id);

/* ---- in the bearer ---- */

void bearer_ready(struct bearer *self);
_Noreturn void bearer_refuse(struct bearer *self, const struct err *err);

/*
 * Waits until fd (-1: none) has one of the events, the time is over (0: looks only; < 0: no end),
 * or the end has come. Returns -1 at the end (told to, lease, agent gone), else the revents of fd,
 * 0 when the time is over.
 */
int bearer_wait(struct bearer *self, int fd, short events, int64_t timeout_ns);

static inline void bearer_count(struct bearer *self, unsigned counter, uint64_t n)
{
    atomic_fetch_add_explicit(&self->counters->v[counter], n, memory_order_relaxed);
}
static inline void bearer_set(struct bearer *self, unsigned counter, uint64_t value)
{
    atomic_store_explicit(&self->counters->v[counter], value, memory_order_relaxed);
}
static inline uint64_t bearer_value(const struct bearer_counters *c, unsigned counter)
{
    return atomic_load_explicit(&c->v[counter], memory_order_relaxed);
}

#endif
