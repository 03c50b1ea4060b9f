/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/process.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FORMAT = 1 };
static const int64_t END_WAIT_NS = 1 * NS_PER_SEC, KILL_WAIT_NS = 200 * NS_PER_MS;

int process_signal_check(const void *args, struct err *err)
{
    const struct process_signal_args *a = args;
    static const int harmless[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU,
                                   SIGCONT, SIGCHLD, SIGURG,  SIGWINCH};
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (a->signal == harmless[i])
            return make_error(err, ERR_INPUT, 0,
                              "signal %d ends no process; process.pause is what stops one",
                              a->signal);
    return process_check(&a->whom, err);
}

struct kill_undo {
    uint32_t version;
    int32_t signal;
    uint32_t sent;  /* noted by apply */
    uint32_t ended; /* noted by apply: seen through the pidfd */
    struct process_services services;
    struct proc_set procs;
};
_Static_assert(sizeof(struct kill_undo) <= UNDO_DATA_MAX, "fits the undo record");

static const struct kill_undo *read_undo(const struct undo *undo, struct err *err)
{
    const struct kill_undo *u = undo_record(undo, FORMAT, sizeof(*u), err);
    if (u == NULL)
        return NULL;
    if (u->procs.n <= PROC_SET_MAX && u->services.n <= PROCESS_SERVICES_MAX)
        return u;
    (void)make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return NULL;
}

int process_signal_prepare(struct fault_host *host, const void *args, struct undo *undo,
                           struct err *err)
{
    const struct process_signal_args *a = args;
    struct kill_undo *u = (void *)undo->data;
    struct proc_query query = process_query(&a->whom);
    memset(u, 0, sizeof(*u));
    u->version = FORMAT;
    u->signal = a->signal;
    undo->size = sizeof(*u);
    if (proc_find(host, &query, &u->procs, err) != 0)
        return -1;
    return process_note_services(host, &a->whom, &u->procs, &u->services, err);
}

/* Descendants that came after prepare are taken too. They are not in the record, which needs only
 * what it knows. */
static int find_now(const struct fault_host *host, const struct process_signal_args *a,
                    struct kill_undo *u, struct err *err)
{
    uint32_t added;
    return a->whom.tree ? proc_add_tree(host, &u->procs, &added, err) : 0;
}

static int send_signals(const struct fault_host *host, struct kill_undo *u, int *pidfds,
                        struct err *err)
{
    for (uint32_t i = 0; i < u->procs.n; i++) {
        if (proc_open(host, &u->procs.v[i], &pidfds[i], err) != 0)
            return -1;
        if (pidfds[i] < 0)
            continue;
        if (syscall(SYS_pidfd_send_signal, pidfds[i], u->signal, NULL, 0) == 0)
            u->sent++;
        else if (errno != ESRCH)
            return make_error(err, ERR_SYSTEM, errno, "signal %d to process %d", u->signal,
                              u->procs.v[i].host_pid);
    }
    if (u->sent == 0)
        return make_error(err, ERR_NOT_FOUND, 0,
                          "the process ended by itself before it could be signalled");
    return 0;
}

int process_signal_apply(struct fault_host *host, const void *args, struct undo *undo,
                         struct err *err)
{
    struct kill_undo *u = (void *)undo->data;
    int pidfds[PROC_SET_MAX];
    for (size_t i = 0; i < PROC_SET_MAX; i++)
        pidfds[i] = -1;
    if (find_now(host, args, u, err) != 0)
        return -1;
    int rc = send_signals(host, u, pidfds, err);
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + END_WAIT_NS;
    u->ended = 0;
    for (uint32_t i = 0; i < u->procs.n; i++) {
        if (pidfds[i] < 0)
            continue;
        int64_t left = deadline - clock_system(CLOCK_MONOTONIC);
        if (rc == 0 && proc_wait_end(pidfds[i], left > 0 ? left : 0))
            u->ended++;
        (void)close(pidfds[i]);
    }
    return rc;
}

static uint32_t count_ended(const struct fault_host *host, const struct kill_undo *u)
{
    uint32_t ended = 0;
    for (uint32_t i = 0; i < u->procs.n; i++)
        ended += proc_has_ended(host, &u->procs.v[i]);
    return ended;
}

/* What was killed stays killed: active from the moment at which all were signalled and have ended.
 */
int process_signal_verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                          struct err *err)
{
    const struct kill_undo *u = read_undo(undo, err);
    if (u == NULL)
        return -1;
    *ret_active = u->sent > 0 && count_ended(host, u) == u->procs.n;
    return 0;
}

int process_signal_evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                            struct err *err)
{
    const struct kill_undo *u = read_undo(undo, err);
    if (u == NULL)
        return -1;
    /* One that took its time after the wait in apply counts from the moment at which it is gone. */
    uint32_t ended = u->sent == 0 ? 0 : count_ended(host, u);
    if (ended > u->sent)
        ended = u->sent;
    memset(ret, 0, sizeof(*ret));
    ret->n = 2;
    ret->items[0] = (struct evidence_item){"signalled", u->sent};
    ret->items[1] = (struct evidence_item){"ended", ended};
    ret->proven = u->sent > 0 && ended == u->sent;
    (void)snprintf(ret->what, sizeof(ret->what), "%u of %u processes ended after signal %d", ended,
                   u->sent, u->signal);
    return 0;
}

/*
 * Whoever died between the signal and its note left processes that are about to end: their services
 * still count as running, and would not be started. A process whose first thread has ended counts
 * as running too, as long as another has not; only a pidfd tells.
 */
static uint32_t await_ended(const struct fault_host *host, const struct kill_undo *u)
{
    bool noted = u->sent > 0, at_once = u->signal == SIGKILL;
    int64_t deadline =
        clock_system(CLOCK_MONOTONIC) + (!noted && at_once ? KILL_WAIT_NS : END_WAIT_NS);
    uint32_t ended = 0;
    for (uint32_t i = 0; i < u->procs.n; i++) {
        int64_t left = deadline - clock_system(CLOCK_MONOTONIC);
        CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, u->procs.v[i].pid, 0);
        bool gone = fd < 0 || proc_state(host, &u->procs.v[i]) == 0;
        ended += gone || proc_wait_end(fd, left > 0 ? left : 0);
    }
    return ended;
}

int process_signal_revert(struct fault_host *host, const struct undo *undo,
                          struct revert_report *ret, struct err *err)
{
    const struct kill_undo *u = read_undo(undo, err);
    memset(ret, 0, sizeof(*ret));
    if (u == NULL)
        return -1;
    if (await_ended(host, u) == 0) {
        (void)snprintf(ret->what, sizeof(ret->what),
                       u->sent > 0 ? "no process has ended yet" : "nothing had been killed");
        return 0;
    }
    if (process_heal_services(host, &u->services, ret, err) != 0)
        return -1;
    if (u->services.n == 0)
        (void)snprintf(ret->what, sizeof(ret->what), "a process that was killed stays dead");
    return 0;
}
