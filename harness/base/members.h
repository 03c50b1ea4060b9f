/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of a request's params, as the coordinator's own processes (prober, ledger, load) read
 * them: a number within bounds, a word, hosts. What is wrong is ERR_PROTOCOL, with the member's
 * name. Knows no method and no kind.
 */
#ifndef BLACKSTART_BASE_MEMBERS_H
#define BLACKSTART_BASE_MEMBERS_H

#include "base/err.h"
#include "base/param.h"

#include <jansson.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/* A whole number from min to max that must be there. */
int member_integer(const json_t *params, const char *name, int64_t min, int64_t max, int64_t *ret,
                   struct err *err) MUST_CHECK;
/* The same, but *ret stays as it is when there is none. */
int member_integer_given(const json_t *params, const char *name, int64_t min, int64_t max,
                         int64_t *ret, struct err *err) MUST_CHECK;
/* 1 to max bytes without a space, which must be there; belongs to params. */
int member_word(const json_t *params, const char *name, size_t max, const char **ret,
                struct err *err) MUST_CHECK;

struct named_host {
    char name[NAME_MAX_LEN + 1];
    char ip[INET_ADDRSTRLEN], ip6[INET6_ADDRSTRLEN]; /* empty: has none */
};
/* Where to ask it: its IPv4 address when it has one. */
const char *named_host_address(const struct named_host *host);

/* Item i of a list of {name, ip, ip6}. */
int member_host(const json_t *list, size_t i, struct named_host *ret, struct err *err) MUST_CHECK;
/* All of it, at most max, each with an address; a list that is missing has none. */
int member_hosts(const json_t *list, size_t max, struct named_host *ret, size_t *ret_n,
                 struct err *err) MUST_CHECK;

#endif
