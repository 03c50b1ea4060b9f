/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The load's contract: a kind of service that is asked is one file in harness/load/ exporting one
 * const row, and one line in loads.def. Rows are read by the scenario (parameters, docs, schema);
 * their functions run only inside the load's process, on its one event loop, and never block. They
 * know nothing of who asks when: that is the model's.
 */
#ifndef BLACKSTART_LOAD_LOAD_H
#define BLACKSTART_LOAD_LOAD_H

#include "base/err.h"
#include "base/kind.h"
#include "base/members.h"
#include "load/shape.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;

enum { LOAD_HOSTS_MAX = 64 };

/* What clients work on; outlives them. */
struct load_place {
    struct event_base *base;
    const void *args; /* of the kind */
    const struct named_host *hosts;
    size_t n_hosts;
    bool fresh;  /* a connection for each attempt */
    void *state; /* the kind's own, for all its clients */
    /* The attempt of that user has ended; may be called while it is being sent. */
    void (*answered)(void *ctx, size_t user, enum load_outcome outcome);
    void *ctx;
};
/* {id}, {user}, ${host}, ${host.ip} and ${host.ip6} in a text; other braces stay. */
struct buf;
void load_template(const char *text, uint64_t id, size_t user, const struct named_host *host,
                   struct buf *out);

struct load_ops {
    int (*begin)(struct load_place *p, struct err *err); /* makes p->state; may be NULL */
    void (*end)(struct load_place *p);                   /* when all clients are closed */
    int (*open)(struct load_place *p, size_t user, void **ret, struct err *err);
    void (*close)(void *client);
    /* One attempt of an operation, at hosts[host]; ends with `answered`, or with cancel. */
    void (*send)(void *client, uint64_t id, size_t host);
    void (*cancel)(void *client); /* no answer is wanted any more */
};

struct load_kind {
    KIND_ROW;
    /* What no single parameter shows to be wrong: NULL, or the key that is to blame, with why in
     * err. */
    const char *(*check)(const void *args, struct err *err);
    const struct load_ops *ops;
};

extern const struct kinds load_kinds;
const struct load_kind *load_kind_find(const char *name);

#endif
