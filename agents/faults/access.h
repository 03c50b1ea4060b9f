/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may do what with one file or directory: its mode, owner, group and access control list, read,
 * changed and put back by descriptor. What is ours follows from what it was and what is wanted, so
 * that a revert needs no more than these two. Allocates nothing.
 */
#ifndef BLACKSTART_FAULTS_ACCESS_H
#define BLACKSTART_FAULTS_ACCESS_H

#include "agents/host/hostfs.h"

enum { ACCESS_ACL_MAX = 1028 }; /* of 128 entries: longer lists are refused */
enum { ACCESS_MODE = 1, ACCESS_OWNER = 2, ACCESS_GROUP = 4, ACCESS_USER = 8 };

struct access_want {
    uint32_t what; /* ACCESS_* */
    uint32_t mode, uid, gid;
    uint32_t user; /* who gets an entry without any right in the access control list */
    uint32_t reserved;
};

struct access_state {
    uint64_t dev, ino;
    uint32_t mode, uid, gid;
    uint32_t acl_len; /* 0: none */
    unsigned char acl[ACCESS_ACL_MAX];
};

/* Of a regular file or a directory. ERR_REFUSED for what could not be put back: file capabilities,
 * which a change of owner takes away, and too long a list. */
int access_read(int fd, struct access_state *ret, struct err *err) MUST_CHECK;

/* What was becomes when it is changed as wanted. */
int access_make(const struct access_state *was, const struct access_want *want,
                struct access_state *ret, struct err *err) MUST_CHECK;

/* The same rights; which inode has them does not count. */
bool access_is(const struct access_state *a, const struct access_state *b);

/* Are these rights between what was and what we make of it? A change takes several calls, and may
 * have been cut short after any of them. */
bool access_is_between(const struct access_state *now, const struct access_state *was,
                       const struct access_state *ours);

/* Gives it the rights of a state that one of the others made. */
int access_put(int fd, const struct access_state *state, struct err *err) MUST_CHECK;

#endif
