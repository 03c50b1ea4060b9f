/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lab host that outlives its agents, agents started on it one after the other, and the host's
 * whole state as text: what the sweeps compare. The state is read by nft, ip and /proc, not by the
 * agent's own code.
 */
#ifndef BLACKSTART_TESTS_CRASH_RIG_H
#define BLACKSTART_TESTS_CRASH_RIG_H

#include "base/buf.h"
#include "base/frame.h"
#include "lab/lab.h"

enum { RIG_STATE_MAX = 8 * 1024 * 1024, RIG_CALL_MS = 5000 };

struct rig {
    struct lab *lab;
    pid_t init;
    char id[32], lab_dir[80], agents_dir[96], log[96];
    const char *agent;                         /* the program */
    int net_fd, root_fd, upper_fd, machine_fd; /* the last: our own / */
};

struct rig_agent {
    int fd;
    pid_t pids[3]; /* netside, privside, guardian */
    int pidfd;     /* of privside, which is the program itself */
    int64_t last_id;
    unsigned replayed; /* records that its start found */
    bool replay_failed;
    char why[200]; /* of the last call that failed */
    struct frame_reader in;
};

int rig_up(struct rig *r, const char *name, const char *program, struct err *err) MUST_CHECK;
void rig_down(struct rig *r);

/* The addresses of the host's peer. */
void rig_peers(const struct rig *r, struct addrs *ret);

/* Appends what a person would look at: rules, links, addresses, routes, files, processes. */
int rig_state(const struct rig *r, struct buf *out, struct err *err) MUST_CHECK;

/* The same of a host that has just come up, once it does not change any more. */
int rig_quiet_state(const struct rig *r, struct buf *out, struct err *err) MUST_CHECK;

/* Starts an agent and says hello; `before` (a program and its options, NULL-terminated, may be
 * NULL) runs it. */
int rig_start(struct rig *r, struct rig_agent *a, const char *const *before,
              struct err *err) MUST_CHECK;

/* Waits until the host's service has a connection with its peer again, which it opens when it has
 * come up; gives up after two seconds. */
void rig_await_connection(const struct rig *r);

/* false: an error, no answer in time, or the link is gone (*ret NULL then). The caller decrefs. */
bool rig_call(struct rig_agent *a, const char *method, json_t *params, int timeout_ms,
              json_t **ret);

/* Closes the link and waits for the agent's end; false when its processes do not end in time: then
 * they are killed. */
bool rig_stop(struct rig_agent *a, int timeout_ms, int *ret_exit);

/* The process that bears the agent's fault: privside's child beside netside and guardian; 0: none.
 */
pid_t rig_bearer(const struct rig_agent *a);

/* Processes of ours that are still in the host's network namespace, by name. */
void rig_strays(const struct rig *r, struct buf *out);
/* Undo logs that are still there. */
unsigned rig_logs(const struct rig *r);

#endif
