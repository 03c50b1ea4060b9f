/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Labs: hosts made of namespaces on this machine, with real services in them. Knows nothing of
 * scenarios, faults, probes or journals. A lab lives in a fabric process (own user namespace when
 * not root) that dies with the run: its life line is a pipe whose other end the caller holds, so
 * that SIGKILL of the caller ends it too.
 */
#ifndef BLACKSTART_LAB_LAB_H
#define BLACKSTART_LAB_LAB_H

#include "base/clock.h"
#include "base/err.h"
#include "lab/spec.h"

#include <stdbool.h>
#include <sys/types.h>

struct lab;

struct lab_options {
    const char *id;        /* run id */
    const char *state_dir; /* of this lab: upper directories, agents' undo logs; made, and removed
                              at the end */
    const char *cache_dir; /* package layers; NULL: /var/cache/blackstart, or ~/.cache/blackstart
                              when not root */
    const char *preload;   /* path of the preload library for services that ask for it; NULL: beside
                              our executable */
    /* Called with a short text when something worth a progress line happens; may be NULL. */
    void (*progress)(void *ctx, const char *text);
    void *progress_ctx;
    /* Asked whenever lab_up and lab_start_services wait; true ends the wait with ERR_CANCELLED. May
     * be NULL. */
    bool (*cancelled)(void *ctx);
    void *cancelled_ctx;
};

struct lab_host_info {
    const char *name;
    pid_t init_pid;       /* as seen from outside */
    struct addr addrs[2]; /* IPv4, IPv6 */
    const char *root;     /* /proc/<init>/root: valid for openers with the right privileges */
};

/* Makes layer (unpacking packages on first use), namespaces, network and roots; no service runs
 * yet. */
int lab_up(const struct lab_spec *spec, const struct lab_options *options, struct lab **ret,
           struct err *err) MUST_CHECK;

/* Starts the services in their order and waits until each is ready; on failure says which, with its
 * last log lines. */
int lab_start_services(struct lab *lab, struct err *err) MUST_CHECK;

/* Of a service of the spec, by its index, once it has been started: its calls are trapped. */
/* The name of the layer of packages in it, the same for the same packages in the same versions; ""
 * without any. */
const char *lab_packages(const struct lab *lab);
bool lab_service_is_trapped(const struct lab *lab, size_t service);

size_t lab_n_hosts(const struct lab *lab);
const struct lab_host_info *lab_host(const struct lab *lab, size_t i);
const struct lab_host_info *lab_find(const struct lab *lab, const char *name);

/*
 * Runs a program of ours (absolute path on the machine) in the host's network namespace, outside
 * its mount and pid namespaces: agents and probers. In it, descriptors 0..n_fds-1 are fds[]; where
 * the argument is "@ROOT", "@PROC" or "@INIT", the number of a descriptor of the host's root or of
 * /proc, or the init's pid is put in. Its stderr is the caller's. The child dies with the fabric.
 */
int lab_spawn(struct lab *lab, const char *host, const char *const *argv, const int *fds,
              size_t n_fds, pid_t *ret_pid, struct err *err) MUST_CHECK;

/* A descriptor that is readable once the host's init has ended; with no host, the lab's process. */
int lab_watch(const struct lab *lab, const char *host, int *ret_fd, struct err *err) MUST_CHECK;

/* A hostctl connection (base/hostctl.h) to the host's init, from outside its network namespace. */
int lab_hostctl(struct lab *lab, const char *host, int *ret_fd, struct err *err) MUST_CHECK;

/* The tail of a service's log on a host, at most `max` bytes, and copying all logs into a directory
 * at the end. */
int lab_log_tail(struct lab *lab, const char *host, const char *service, size_t max, char **ret,
                 struct err *err) MUST_CHECK;
int lab_collect_logs(struct lab *lab, const char *into_dir, struct err *err) MUST_CHECK;

/* Ends everything and waits until it is gone: processes, namespaces, mounts, links, cgroups,
 * directories. */
int lab_down(struct lab *lab, struct err *err) MUST_CHECK;
void lab_free(struct lab *lab); /* NULL is allowed; brings the lab down if it is up */

/* Where labs keep their state_dirs if nobody says otherwise: /var/lib/blackstart/labs, or below the
 * user's ~/.local/state. */
int lab_base_dir(char *out, size_t size, struct err *err) MUST_CHECK;

/* Removes what labs whose process is dead left behind (state directories, cgroups); says how many
 * in *ret_n. */
int lab_sweep(const char *base_dir, size_t *ret_n, struct err *err) MUST_CHECK;

#endif
