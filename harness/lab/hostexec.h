/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a program inside a host, as a child of its init: user, environment, limits, cgroup,
 * output. What the machine must be safe from (modules, clock, raw devices, mounts) is taken away
 * from all of them, root of the host included.
 */
#ifndef BLACKSTART_LAB_HOSTEXEC_H
#define BLACKSTART_LAB_HOSTEXEC_H

#include "lab/context.h"

/* Where programs without a slash in their name are looked for. */
#define HOSTEXEC_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct hostexec {
    char *const *argv;       /* NULL-terminated; argv[0] is looked up in PATH */
    char *const *env;        /* NAME=value, over the defaults; NULL: none */
    const struct user *user; /* NULL: root of the host */
    const char *workdir;     /* NULL: / */
    int out_fd;              /* stdout and stderr */
    uint32_t open_files, processes;
    const int *group_fds; /* directories of the control groups to enter, LAB_GROUPS of them, -1
                             where there is none; NULL: none at all */
    uint64_t trap_points; /* 0: none; else its calls of these are trapped, */
    int trap_socket;      /* and handed to the supervisor behind this (agents/fiu/supervisor.h) */
};

/* The child's pid, or -1. A program that cannot be run exits 127 with a line on its output. */
int hostexec_start(const struct lab_context *lab, const struct hostexec *how, pid_t *ret,
                   struct err *err) MUST_CHECK;

/* Becomes the program, with the descriptors that this process has: for shells that come in from
 * outside. Exits 127 with a line on stderr when it cannot. */
_Noreturn void hostexec_replace(const struct lab_context *lab, const struct hostexec *how);

#endif
