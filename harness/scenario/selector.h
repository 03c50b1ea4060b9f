/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which hosts a selector means. Pure: the hosts, the roles' holders and the seed are given, so that
 * the same seed always chooses the same hosts. `client` stands outside: no selector but its own
 * name reaches it.
 */
#ifndef BLACKSTART_SELECTOR_H
#define BLACKSTART_SELECTOR_H

#include "scenario/scenario.h"

struct selector_host {
    const char *name;
    const char *const *labels;
    size_t n_labels;
};

struct role_holder {
    const char *role;
    const char *host; /* NULL: nobody has it */
};

/*
 * Sets chosen[i] for each of the n_hosts. A share is rounded up and at least one; the choice among
 * its hosts is drawn from `seed` alone. ERR_NOT_FOUND: a role that nobody has, or nothing chosen
 * and no address either.
 */
int selector_resolve(const struct selector *s, const struct selector_host *hosts, size_t n_hosts,
                     const struct role_holder *roles, size_t n_roles, uint64_t seed, bool *chosen,
                     struct err *err) MUST_CHECK;

/* The k-th role that the selector mentions, at any depth, in order; NULL past the last. */
const char *selector_role(const struct selector *s, size_t k);

/* The share that a selector draws, at any depth; NULL: nothing in it is left to chance. */
const struct selector *selector_share(const struct selector *s);

/* The k-th address or network that it names, as its part of kind SELECT_ADDR, in order; NULL past
 * the last. */
const struct selector *selector_addr(const struct selector *s, size_t k);

/* As a person would say it: "the leader", "all but the leader", "a third (33%) of label member". */
const char *selector_print(const struct selector *s, char *out, size_t size);

#endif
