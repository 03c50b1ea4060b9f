/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users and groups of a lab's hosts: the machine's, and those that services name and the machine
 * lacks. Read once, before the hosts start, from the files alone: the name service would load
 * libraries from a root that a fault may have deleted.
 */
#ifndef BLACKSTART_LAB_USERS_H
#define BLACKSTART_LAB_USERS_H

#include "base/buf.h"
#include "base/param.h"
#include "lab/spec.h"

enum { USERS_MAX = 512, USER_GROUPS_MAX = 32 };

struct user {
    char name[NAME_MAX_LEN + 1];
    uid_t uid;
    gid_t gid;
    char home[PATH_MAX_LEN + 1];
    gid_t groups[USER_GROUPS_MAX];
    size_t n_groups;
};

struct users {
    struct user list[USERS_MAX];
    size_t n;
    struct buf passwd, group; /* the hosts' files */
};

/* passwd_path, group_path: the machine's. */
int users_load(struct users *u, const char *passwd_path, const char *group_path,
               const struct lab_spec *spec, struct err *err) MUST_CHECK;
void users_free(struct users *u);

/* NULL when there is none; name NULL or "" is root. */
const struct user *users_find(const struct users *u, const char *name);

#endif
