/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the lab's processes share: made by the caller before it forks the fabric, inherited by the
 * fabric and by each host's init, never changed after the hosts are cloned. No process of a lab
 * executes a program of its own, so that nothing has to be passed by file or argument and deleting
 * a host's files cannot take its init away.
 */
#ifndef BLACKSTART_LAB_CONTEXT_H
#define BLACKSTART_LAB_CONTEXT_H

#include "lab/lab.h"
#include "lab/users.h"

#include <limits.h>

enum { LAB_HOSTS_MAX = 200, LAB_SERVICES_MAX = 64, LAB_FILES_MAX = 256 };

struct context_host {
    const struct lab_host_spec *spec;
    char ip[16], ip6[24];
};

/* Version 2 of control groups, and version 1's controllers where it has them instead. */
enum { LAB_GROUP_V2, LAB_GROUP_MEMORY, LAB_GROUP_CPU, LAB_GROUP_IO, LAB_GROUP_PIDS, LAB_GROUPS };

struct lab_context {
    const struct lab_spec *spec;
    char id[64];
    char state_dir[PATH_MAX - 128];
    char layer[PATH_MAX]; /* "": no packages */
    char preload[PATH_MAX];
    uid_t uid;     /* the caller's */
    bool rootless; /* a user namespace of our own */
    bool id_range; /* rootless, with a range of ids from newuidmap */
    bool ipv6;
    struct users users;
    struct lab_host_spec client; /* added when the spec does not declare one */
    struct context_host hosts[LAB_HOSTS_MAX];
    size_t n_hosts;
    int lock_fd;
    /* Opened by the fabric: a host's root no longer shows them. */
    int preload_fd;
    struct context_source {
        const struct lab_file_spec *file;
        int fd;
    } sources[LAB_FILES_MAX];
    size_t n_sources;
    int group_fds[LAB_GROUPS]; /* of the lab; -1 where there is none */
};

/* state_dir/hosts/<name>/<leaf> */
int context_host_path(const struct lab_context *lab, size_t host, const char *leaf, char *out,
                      size_t size, struct err *err) MUST_CHECK;

#endif
