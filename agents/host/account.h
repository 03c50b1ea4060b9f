/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users and groups of a host by name, as its own /etc/passwd and /etc/group have them: the agent's
 * may have others. Allocates: for prepare only.
 */
#ifndef BLACKSTART_AGENTS_HOST_ACCOUNT_H
#define BLACKSTART_AGENTS_HOST_ACCOUNT_H

#include "base/err.h"

#include <stdint.h>

/* A number is its own answer. ERR_NOT_FOUND for a name that is not there. */
int account_user(int root, const char *name, uint32_t *ret, struct err *err) MUST_CHECK;
int account_group(int root, const char *name, uint32_t *ret, struct err *err) MUST_CHECK;

enum { ACCOUNT_GROUPS_MAX = 64 };
/* Who somebody is to the kernel. */
struct identity {
    uint32_t uid, gid;
    uint32_t groups[ACCOUNT_GROUPS_MAX];
    uint32_t n_groups;
};
/* A user with his own group and those of which he is a member; a number has only itself. */
int account_identity(int root, const char *name, struct identity *ret, struct err *err) MUST_CHECK;

#endif
