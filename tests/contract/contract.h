/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every fault row has to keep, as one function that knows no row by name: parameters come from
 * the row's own example and table, the judgement from its class, lifetime and footprint. It runs in
 * the network namespace of a quiet lab host (host.h), outside its mount and pid namespaces, as an
 * agent does.
 */
#ifndef BLACKSTART_TESTS_CONTRACT_CONTRACT_H
#define BLACKSTART_TESTS_CONTRACT_CONTRACT_H

#include "base/buf.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>

enum { CONTRACT_MADE = 32 };

struct contract {
    const struct fault *row;
    struct fault_host host;
    const char *upper; /* the host's own layer of files, seen from outside: all that changed */
    struct addrs peers;
    int64_t look_ns;   /* what a look at the host takes here */
    struct buf broken; /* one line for each thing that the row did not keep; empty: it keeps all */
    void *args;
    unsigned injections;             /* counted, for their names */
    struct undo made[CONTRACT_MADE]; /* the records, by that number: what a broken row left */
};

/* The whole of it. True when nothing is broken. Leaves the host as it was, if the row lets it. */
bool contract_check(struct contract *c);

void contract_break(struct contract *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A row's arguments from its example; hosts parameters take the peers. */
int example_args(const struct fault *row, const struct addrs *peers, void *args,
                 struct err *err) MUST_CHECK;
/* The same as an agent gets them; the caller's. NULL with err. */
json_t *example_json(const struct fault *row, const struct addrs *peers, struct err *err);

/* Checks on the parameter table alone: bounds, wrong values, the way over the wire and back. */
void contract_check_params(struct contract *c);

/* What a host looks like: kernel objects, files, processes, mounts, what is free on its disk, and
 * its services' control groups. */
struct look {
    struct buf kernel, files, processes, upper, mounts, space, groups;
};
int look_take(const struct contract *c, struct look *ret, struct err *err) MUST_CHECK;
/* Only the files. */
void look_files(const struct contract *c, struct buf *out);
void look_free(struct look *l);
/* Adds a line to broken for each part that differs. */
void look_compare(struct contract *c, const struct look *before, const struct look *now,
                  const char *when);
/* While active: differences only where the row says that it acts. */
void look_compare_footprint(struct contract *c, const struct look *before, const struct look *now);
#define CLEANUP_LOOK __attribute__((cleanup(look_free)))

/* Rows broken on purpose, made from a sound one. */
struct mutant {
    const char *name;
    const char *caught_by; /* words, one of which the reason must hold, parted by '|': a mutant that
                              fails for another reason has not been caught */
    bool (*applies)(const struct fault *row); /* NULL: to every row */
    bool each_class; /* what catches it differs by evidence class: tried on one row of each */
    void (*make)(const struct fault *sound, struct fault *ret);
};
extern const struct mutant mutants[];
extern const size_t n_mutants;
bool mutant_is_caught(const struct mutant *mutant, const char *reason);
/* Takes away what a mutant left in the host, with the sound row's revert. */
void mutant_sweep(struct contract *c, const struct fault *row);

#endif
