/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/process.h"
#include "agents/host/tracer.h"
#include "base/cleanup.h"
#include "base/fault.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FORMAT = 1 };

static const struct param params[] = {
    PROCESS_CHOICE,
};

struct pause_undo {
    uint32_t version;
    uint32_t reserved;
    struct proc_id tracer; /* noted by apply */
    struct proc_set procs;
};
_Static_assert(sizeof(struct pause_undo) <= UNDO_DATA_MAX, "fits the undo record");

static int check(const void *args, struct err *err)
{
    return process_check(args, err);
}

static int supported(struct fault_host *host, struct err *err)
{
    (void)host;
    if (syscall(SYS_close_range, ~0U, ~0U, 0) != 0 && errno == ENOSYS)
        return make_error(err, ERR_UNSUPPORTED, 0, "this kernel is older than 5.9");
    return 0;
}

static const struct pause_undo *read_undo(const struct undo *undo, struct err *err)
{
    const struct pause_undo *u = undo_record(undo, FORMAT, sizeof(*u), err);
    if (u == NULL)
        return NULL;
    if (u->procs.n <= PROC_SET_MAX)
        return u;
    (void)make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return NULL;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct pause_undo *u = (void *)undo->data;
    struct proc_query query = process_query(args);
    memset(u, 0, sizeof(*u));
    u->version = FORMAT;
    undo->size = sizeof(*u);
    if (proc_find(host, &query, &u->procs, err) != 0)
        return -1;
    for (uint32_t i = 0; i < u->procs.n; i++)
        if (proc_tracer(host, &u->procs.v[i]) != 0)
            return make_error(err, ERR_REFUSED, 0,
                              "process %d is traced already (a debugger, or another pause)",
                              u->procs.v[i].host_pid);
    return 0;
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct process_choice *a = args;
    struct pause_undo *u = (void *)undo->data;
    return tracer_start(host, undo, &u->procs, a->tree, &u->tracer, err);
}

static void count(const struct fault_host *host, const struct pause_undo *u, uint32_t *ret_held,
                  uint32_t *ret_all)
{
    *ret_held = *ret_all = 0;
    for (uint32_t i = 0; u->tracer.pid > 0 && i < u->procs.n; i++) {
        uint32_t held, all;
        tracer_count(host, &u->procs.v[i], u->tracer.pid, &held, &all);
        *ret_held += held;
        *ret_all += all;
    }
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct pause_undo *u = read_undo(undo, err);
    uint32_t held, all;
    if (u == NULL)
        return -1;
    count(host, u, &held, &all);
    *ret_active = held > 0 && held == all;
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct pause_undo *u = read_undo(undo, err);
    uint32_t held, all;
    if (u == NULL)
        return -1;
    count(host, u, &held, &all);
    memset(ret, 0, sizeof(*ret));
    ret->n = 2;
    ret->items[0] = (struct evidence_item){"threads_stopped", held};
    ret->items[1] = (struct evidence_item){"threads", all};
    ret->proven = held > 0 && held == all;
    (void)snprintf(ret->what, sizeof(ret->what), "%u of %u threads are stopped", held, all);
    return 0;
}

static int renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                 struct err *err)
{
    const struct pause_undo *u = read_undo(undo, err);
    return u == NULL ? -1 : bearer_renew(host, undo, &u->tracer, lease_ns, err);
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct pause_undo *u = read_undo(undo, err);
    memset(ret, 0, sizeof(*ret));
    if (u == NULL)
        return -1;
    if (bearer_end(host, undo, &u->tracer, 0, err) != 0) {
        (void)snprintf(ret->manual, sizeof(ret->manual), "kill -9 %d", u->tracer.pid);
        return -1;
    }
    uint32_t ended = 0;
    for (uint32_t i = 0; i < u->procs.n; i++)
        ended += proc_has_ended(host, &u->procs.v[i]);
    if (ended > 0)
        (void)snprintf(ret->what, sizeof(ret->what), "%u of %u processes ended meanwhile", ended,
                       u->procs.n);
    else
        (void)snprintf(ret->what, sizeof(ret->what), "%u processes run again", u->procs.n);
    return 0;
}

const struct fault fault_process_pause = {
    .name = "process.pause",
    .summary = "Stops a process, as if it hung, and lets it go on.",
    .doc =
        "Every thread is seized and stopped by a tracer of the agent's own, so that the stop ends "
        "by itself when the tracer, or the agent, ends in any way, and at the end of its lease. "
        "Its parent sees nothing, and a CONT from anybody does not wake it; timers and network "
        "peers go on without it. A process that a debugger holds cannot be paused, nor can the "
        "host's init and the agent.",
    .example = "- fault: process.pause\n"
               "  hosts: n1\n"
               "  service: web\n"
               "  for: 5s\n",
    .footprint = "the processes that the parameters name",
    .touches = TOUCHES_PROCESSES,
    .caps = (UINT64_C(1) << CAP_SYS_PTRACE) | (UINT64_C(1) << CAP_KILL),
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    .bound_ms = 6000,
    FAULT_PARAMS(struct process_choice, params),
    .supported = supported,
    .check = check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .renew = renew,
    .revert = revert,
};
