/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/process.h"
#include "agents/host/bearer.h"
#include "base/clock.h"

#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FORMAT = 1, KILLS = 0, PROC_FD = BEARER_FD, ROOT_FD = BEARER_FD + 1 };
static const int64_t START_WAIT_NS = 3 * NS_PER_SEC;
static const int64_t END_WAIT_NS = 1 * NS_PER_SEC;

struct args {
    struct process_signal_args kill;
    struct duration every, after;
};

static const struct param params[] = {
    PROCESS_CHOICE,
    P(struct process_signal_args, PARAM_SIGNAL, signal, .def = "KILL",
      .doc = "The signal; one that ends the process."),
    P(struct args, PARAM_DURATION, every, .def = "100ms", .min = 10 * NS_PER_MS,
      .max = 60 * NS_PER_SEC, .doc = "How often is looked whether it is there again."),
    P(struct args, PARAM_DURATION, after, .def = "0s", .max = 3600 * NS_PER_SEC,
      .doc = "How old one that came back gets before it is killed. The first are killed at once."),
};

struct again_undo {
    uint32_t version;
    int32_t signal;
    struct proc_id bearer; /* noted by apply */
    struct process_services services;
};
_Static_assert(sizeof(struct again_undo) <= UNDO_DATA_MAX, "fits the undo record");

static const struct again_undo *read_undo(const struct undo *undo, struct err *err)
{
    const struct again_undo *u = undo_record(undo, FORMAT, sizeof(*u), err);
    if (u == NULL)
        return NULL;
    if (u->services.n <= PROCESS_SERVICES_MAX)
        return u;
    (void)make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return NULL;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct again_undo *u = (void *)undo->data;
    struct proc_query query = process_query(&a->kill.whom);
    struct proc_set set;
    memset(u, 0, sizeof(*u));
    u->version = FORMAT;
    u->signal = a->kill.signal;
    undo->size = sizeof(*u);
    if (proc_find(host, &query, &set, err) != 0)
        return -1;
    return process_note_services(host, &a->kill.whom, &set, &u->services, err);
}

/* ---- in the bearer ---- */

struct chase {
    const struct fault_host *host;
    const struct args *args;
};

static bool is_old_enough(const struct proc_id *id, int64_t after_ns)
{
    int64_t hz = sysconf(_SC_CLK_TCK);
    int64_t started = (int64_t)id->start * (NS_PER_SEC / (hz > 0 ? hz : 100));
    return clock_system(CLOCK_BOOTTIME) - started >= after_ns;
}

/* Signals all of them before it waits for any. False when the bearer's own end has come. */
static bool kill_set(struct bearer *self, const struct fault_host *host, struct proc_set *set,
                     int signal)
{
    static int pidfds[PROC_SET_MAX];
    struct err ignored;
    bool goes_on = true;
    for (uint32_t i = 0; i < set->n; i++) {
        if (proc_open(host, &set->v[i], &pidfds[i], &ignored) != 0)
            pidfds[i] = -1;
        if (pidfds[i] >= 0 && syscall(SYS_pidfd_send_signal, pidfds[i], signal, NULL, 0) != 0) {
            (void)close(pidfds[i]);
            pidfds[i] = -1;
        }
    }
    for (uint32_t i = 0; i < set->n; i++) {
        if (pidfds[i] < 0)
            continue;
        int seen = goes_on ? bearer_wait(self, pidfds[i], POLLIN, END_WAIT_NS) : -1;
        if (seen > 0)
            bearer_count(self, KILLS, 1);
        goes_on = goes_on && seen >= 0;
        (void)close(pidfds[i]);
    }
    return goes_on;
}

/* One look, and the end of those that are old enough. Nothing there is nothing to do. */
static bool kill_once(struct bearer *self, const struct fault_host *host, const struct args *a,
                      int64_t after_ns)
{
    static struct proc_set set;
    struct proc_query query = process_query(&a->kill.whom);
    struct err ignored;
    uint32_t old = 0;
    if (proc_find(host, &query, &set, &ignored) != 0)
        return true;
    for (uint32_t i = 0; i < set.n; i++)
        if (is_old_enough(&set.v[i], after_ns))
            set.v[old++] = set.v[i];
    set.n = old;
    return kill_set(self, host, &set, a->kill.signal);
}

static void chase(struct bearer *self, void *arg)
{
    const struct chase *c = arg;
    struct fault_host view = *c->host;
    struct err err;
    view.proc = PROC_FD;
    view.root = ROOT_FD;
    bool goes_on = kill_once(self, &view, c->args, 0);
    if (goes_on && bearer_value(self->counters, KILLS) == 0) {
        (void)make_error(&err, ERR_NOT_FOUND, 0,
                         "no process was there that could be killed, or it does not end on "
                         "signal %d",
                         c->args->kill.signal);
        bearer_refuse(self, &err);
    }
    bearer_ready(self);
    while (goes_on && bearer_wait(self, -1, 0, c->args->every.ns) == 0)
        goes_on = kill_once(self, &view, c->args, c->args->after.ns);
}

/* ---- in the agent ---- */

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct again_undo *u = (void *)undo->data;
    struct chase arg = {host, args};
    const int fds[] = {host->proc, host->root};
    const struct bearer_spec spec = {.run = undo->run,
                                     .injection = undo->injection,
                                     .fds = fds,
                                     .n_fds = 2,
                                     .caps = (UINT64_C(1) << CAP_KILL) |
                                             (UINT64_C(1) << CAP_SYS_PTRACE),
                                     .lease_ns = undo->lease_ns,
                                     .start_ns = START_WAIT_NS,
                                     .body = chase,
                                     .arg = &arg};
    return bearer_start(host, &spec, &u->bearer, err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct again_undo *u = read_undo(undo, err);
    if (u == NULL)
        return -1;
    *ret_active = bearer_lives(host, &u->bearer);
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct bearer_counters *counters = bearer_read(undo);
    (void)host;
    if (read_undo(undo, err) == NULL)
        return -1;
    uint64_t kills = counters != NULL ? bearer_value(counters, KILLS) : 0;
    memset(ret, 0, sizeof(*ret));
    ret->n = 1;
    ret->items[0] = (struct evidence_item){"kills", kills};
    ret->proven = kills > 0;
    (void)snprintf(ret->what, sizeof(ret->what), "%llu processes were killed",
                   (unsigned long long)kills);
    return 0;
}

static int renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                 struct err *err)
{
    const struct again_undo *u = read_undo(undo, err);
    return u == NULL ? -1 : bearer_renew(host, undo, &u->bearer, lease_ns, err);
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct again_undo *u = read_undo(undo, err);
    memset(ret, 0, sizeof(*ret));
    if (u == NULL)
        return -1;
    if (bearer_end(host, undo, &u->bearer, 0, err) != 0) {
        (void)snprintf(ret->manual, sizeof(ret->manual), "kill -9 %d", u->bearer.pid);
        return -1;
    }
    if (process_heal_services(host, &u->services, ret, err) != 0)
        return -1;
    if (u->services.n == 0)
        (void)snprintf(ret->what, sizeof(ret->what),
                       "nobody is killed any more; what was killed last stays dead");
    return 0;
}

const struct fault fault_process_kill_again = {
    .name = "process.kill_again",
    .summary = "Kills a process each time it comes back, as a crash loop would.",
    .doc = "A process of the agent's own looks for the processes that the parameters name, kills "
           "them through pidfds and counts those that it saw end; and again, for as long as the "
           "fault lasts. How a service's restart policy holds out, or that it gives up, is what "
           "this shows. At the end the policy is left to bring the service back; in a lab, and of "
           "a real host's unit that was named, healing starts one that nobody brings back. The "
           "host's init and the agent cannot be chosen.",
    .example = "- fault: process.kill_again\n"
               "  hosts: n1\n"
               "  service: worker\n"
               "  every: 20ms\n"
               "  for: 5s\n",
    .footprint = "the processes that the parameters name",
    .touches = TOUCHES_PROCESSES,
    .caps = (UINT64_C(1) << CAP_KILL) | (UINT64_C(1) << CAP_SYS_PTRACE),
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_COUNTER,
    .bound_ms = SERVICE_BOUND_MS(PROCESS_SERVICES_MAX),
    FAULT_PARAMS(struct args, params),
    .supported = process_pidfd_supported,
    .check = process_signal_check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .renew = renew,
    .revert = revert,
};
