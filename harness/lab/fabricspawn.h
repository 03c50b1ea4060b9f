/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs beside a host: in its network namespace, outside its mount and pid namespaces. Called in
 * the fabric, whose children they become.
 */
#ifndef BLACKSTART_LAB_FABRICSPAWN_H
#define BLACKSTART_LAB_FABRICSPAWN_H

#include "lab/fabric.h"

struct fabricspawn_host {
    int net_fd;  /* its network namespace */
    int root_fd; /* O_PATH, its root directory */
    pid_t init;
};

int fabricspawn_start(const struct fabricspawn_host *host, const struct fabric_request *request,
                      const int *fds, pid_t *ret, struct err *err) MUST_CHECK;

/* A connection to the host's init; home_fd: the fabric's own network namespace, to return to. */
int fabricspawn_connect(const struct fabricspawn_host *host, int home_fd, int *ret_fd,
                        struct err *err) MUST_CHECK;

#endif
