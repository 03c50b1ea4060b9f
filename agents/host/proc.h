/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes of one host, found by service, unit, pid file, exact name or cgroup, and held by
 * identity: pid together with its start time, so that a stranger who got the same pid is never
 * touched. Only
 * processes whose pid namespace is the host's are seen at all; its init and the agent itself are
 * protected. Nothing here allocates, so that reverts may use all of it. Knows nothing of faults.
 */
#ifndef BLACKSTART_AGENTS_HOST_PROC_H
#define BLACKSTART_AGENTS_HOST_PROC_H

#include "base/err.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROC_SET_MAX = 256 };

struct proc_id {
    int32_t pid;      /* as the agent's own /proc numbers it */
    int32_t host_pid; /* as the host itself numbers it */
    uint64_t start;   /* clock ticks since boot */
};

struct proc_set {
    uint32_t n;
    uint32_t reserved;
    struct proc_id v[PROC_SET_MAX];
};

enum proc_which { PROC_ALL, PROC_ONE, PROC_SHARE };

/* Exactly one of the five texts is given: neither NULL nor empty. */
struct proc_query {
    const char *service; /* a lab's: its main process */
    const char *unit;    /* all processes of a systemd unit, or of a lab's service */
    const char *pid_file;
    const char *name;   /* comm, or the base name of the executable; all processes that have it */
    const char *cgroup; /* a path as /proc/PID/cgroup shows it, in any hierarchy; and beneath it */
    bool tree;          /* and all that descend from those that `which` left */
    enum proc_which which;
    uint32_t share_ppm; /* PROC_SHARE: rounded up */
    uint64_t seed;      /* which of them */
};

/* The part of /proc/PID/stat that we use. */
struct proc_stat {
    int32_t pid, parent;
    char state;
    char comm[64];
    uint64_t start;
};

/* Pure. A comm may hold spaces, parentheses and newlines: the last ')' ends it. */
int proc_parse_stat(const char *text, size_t len, struct proc_stat *ret,
                    struct err *err) MUST_CHECK;

/* Pure: the last number of a line of /proc/PID/status ("NSpid:", "TracerPid:"). False if it is not
 * there. */
bool proc_parse_status(const char *text, const char *field, int32_t *ret_last);

/* Pure: the one decimal number that a pid file holds. */
int proc_parse_pid_file(const char *text, size_t len, int32_t *ret, struct err *err) MUST_CHECK;

/* ERR_NOT_FOUND when nothing matches, ERR_LIMIT when more than PROC_SET_MAX do, ERR_REFUSED when a
 * protected process does. */
int proc_find(const struct fault_host *host, const struct proc_query *query, struct proc_set *set,
              struct err *err) MUST_CHECK;

/* Pure: that exactly one way of naming the process is used. */
int proc_check_query(const struct proc_query *query, struct err *err) MUST_CHECK;

/* Pure: keeps one of the set, or a share of it. Which ones follows from the seed and the order in
 * which they were started, so that the same seed takes the same ones on the next run. */
void proc_choose(struct proc_set *set, enum proc_which which, uint32_t share_ppm, uint64_t seed);

/* Pure: of the text of /proc/PID/cgroup: is the process in this cgroup or beneath it? With a slash
 * first it is a whole path, else the name of any directory on the way (a unit). */
bool proc_parse_cgroup(const char *text, const char *cgroup);

/* Adds the host's processes that are in this cgroup, as above. */
int proc_find_in(const struct fault_host *host, const char *cgroup, struct proc_set *set,
                 struct err *err) MUST_CHECK;

/* A process that cannot be looked at, or a directory of /proc that cannot be read, is an error of
 * these: it may be one of those that are sought. */

/* Adds the host's processes that have this name, or, with name NULL, this pid in the host. */
int proc_find_by(const struct fault_host *host, const char *name, int32_t host_pid,
                 struct proc_set *set, struct err *err) MUST_CHECK;

/* Adds all descendants of what is in the set; *ret_added says how many were new. */
int proc_add_tree(const struct fault_host *host, struct proc_set *set, uint32_t *ret_added,
                  struct err *err) MUST_CHECK;

/* The state letter of /proc/PID/stat; 0 when that process is gone (also when its pid is another's
 * now), '?' when it cannot be looked at and so may live. 'Z' and 'X' are processes that have ended.
 */
char proc_state(const struct fault_host *host, const struct proc_id *id);
bool proc_has_ended(const struct fault_host *host, const struct proc_id *id);

/* A pidfd of exactly that process; *ret_fd = -1 and 0 when it has ended. */
int proc_open(const struct fault_host *host, const struct proc_id *id, int *ret_fd,
              struct err *err) MUST_CHECK;

/* Waits until the process behind a pidfd has ended. False after timeout_ns. */
bool proc_wait_end(int pidfd, int64_t timeout_ns);

/* As whom it runs. ERR_NOT_FOUND when it is gone. */
int proc_owner(const struct fault_host *host, const struct proc_id *id, uint32_t *ret_uid,
               uint32_t *ret_gid, struct err *err) MUST_CHECK;

/* The pid that traces it, 0 when none. */
int32_t proc_tracer(const struct fault_host *host, const struct proc_id *id);

/* Identity of any process that this /proc shows, ours too. ERR_NOT_FOUND when there is none. */
int proc_identify(int proc, int32_t pid, struct proc_id *ret, struct err *err) MUST_CHECK;

/* Steps through the numeric entries of a directory of /proc (processes, or a process' threads). */
struct proc_walk {
    int fd, error;
    size_t at, len;
    _Alignas(8) char entries[4096];
};
int proc_walk_open(struct proc_walk *walk, int proc, const char *dir, struct err *err) MUST_CHECK;
bool proc_walk_next(struct proc_walk *walk, int32_t *ret);
/* After the last of them: were these all? */
int proc_walk_end(const struct proc_walk *walk, struct err *err) MUST_CHECK;
void proc_walk_close(struct proc_walk *walk);
#define CLEANUP_WALK __attribute__((cleanup(proc_walk_close)))

#endif
