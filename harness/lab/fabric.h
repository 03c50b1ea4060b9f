/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that holds a lab: forked by lab_up, in its own network and mount namespaces (and user
 * namespace when not root), parent of every host's init and of what is spawned beside them. It ends
 * the lab and removes what is left of it when it is told to, when its caller's end of the socket
 * closes, or when its caller dies.
 */
#ifndef BLACKSTART_LAB_FABRIC_H
#define BLACKSTART_LAB_FABRIC_H

#include "lab/context.h"

enum { FABRIC_ARGV_MAX = 32 * 1024, FABRIC_FDS_MAX = 16 };

enum fabric_op { FABRIC_SPAWN, FABRIC_HOSTCTL, FABRIC_DOWN };

/* Messages on a SOCK_SEQPACKET pair; descriptors travel beside them. */
struct fabric_request {
    uint32_t op, host, n_fds, argv_len;
    char argv[FABRIC_ARGV_MAX]; /* words, each ended by NUL; only argv_len bytes are sent */
};

struct fabric_reply {
    struct err err; /* code ERR_NONE: it went well */
    int32_t pid;
    uint32_t n_pids;
    int32_t pids[LAB_HOSTS_MAX]; /* the first reply of all: the hosts' inits */
};

/* Never returns. sync_fd: rootless only, asks the caller to write the id maps. */
_Noreturn void fabric_run(struct lab_context *lab, int control_fd, int sync_fd);

#endif
