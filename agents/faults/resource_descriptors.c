/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/process.h"
#include "agents/host/rlimit.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FORMAT = 1 };

struct args {
    struct process_choice whom;
    int64_t leave;
};

static const struct param params[] = {
    PROCESS_CHOICE,
    P(struct args, PARAM_INT, leave, .def = "0", .min = 0, .max = 512,
      .doc = "How many more descriptors each of them can open, from what it has open when the "
             "fault begins."),
};

struct limited {
    struct proc_id id;
    uint64_t was, ours;
};

struct descriptors_undo {
    uint32_t version;
    uint32_t n;
    uint64_t since; /* clock ticks: what was started later may have inherited */
    struct limited v[PROC_SET_MAX];
};
_Static_assert(sizeof(struct descriptors_undo) <= UNDO_DATA_MAX, "fits the undo record");

static int check(const void *args, struct err *err)
{
    const struct args *a = args;
    return process_check(&a->whom, err);
}

static int supported(struct fault_host *host, struct err *err)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    const uint64_t wanted = (UINT64_C(1) << CAP_SETUID) | (UINT64_C(1) << CAP_SETGID);
    (void)host;
    if (syscall(SYS_capget, &head, data) != 0 || (data[0].effective & wanted) != wanted)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "without CAP_SETUID and CAP_SETGID no limit of another user's process "
                          "can be changed; run as root");
    return 0;
}

static const struct descriptors_undo *read_undo(const struct undo *undo, struct err *err)
{
    const struct descriptors_undo *u = undo_record(undo, FORMAT, sizeof(*u), err);
    if (u == NULL)
        return NULL;
    if (u->n <= PROC_SET_MAX)
        return u;
    (void)make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return NULL;
}

static int note_one(const struct fault_host *host, const struct proc_id *id, uint64_t leave,
                    struct descriptors_undo *u, struct err *err)
{
    struct limited one = {.id = *id};
    if (rlimit_read(host, id, &one.was, err) != 0 ||
        rlimit_leave_free(host, id, leave, &one.ours, err) != 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    if (one.ours < one.was) /* else it has less than that already */
        u->v[u->n++] = one;
    return 0;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct descriptors_undo *u = (void *)undo->data;
    struct proc_query query = process_query(&a->whom);
    struct proc_set set;
    int64_t hz = sysconf(_SC_CLK_TCK);
    memset(u, 0, sizeof(*u));
    u->version = FORMAT;
    u->since = (uint64_t)(clock_system(CLOCK_BOOTTIME) / (NS_PER_SEC / (hz > 0 ? hz : 100)));
    undo->size = sizeof(*u);
    if (proc_find(host, &query, &set, err) != 0)
        return -1;
    for (uint32_t i = 0; i < set.n; i++)
        if (note_one(host, &set.v[i], (uint64_t)a->leave, u, err) != 0)
            return -1;
    if (u->n == 0)
        return make_error(err, ERR_NOT_FOUND, 0,
                          "no process there may open more descriptors than that");
    return 0;
}

/* Is it still there, and what limit has it? */
static int look(const struct fault_host *host, const struct proc_id *id, bool *ret_there,
                uint64_t *ret_now, struct err *err)
{
    *ret_there = !proc_has_ended(host, id);
    if (!*ret_there || rlimit_read(host, id, ret_now, err) == 0)
        return 0;
    *ret_there = false;
    return err->code == ERR_NOT_FOUND ? 0 : -1;
}

/* Only what has the one limit gets the other; what had neither is counted. */
static int change(const struct fault_host *host, const struct proc_id *id, uint64_t from,
                  uint64_t to, uint32_t *foreign, struct err *err)
{
    bool there;
    uint64_t now;
    if (look(host, id, &there, &now, err) != 0)
        return -1;
    if (!there || now == to)
        return 0;
    if (now != from) {
        *foreign += 1;
        return 0;
    }
    if (rlimit_put(host, id, to, err) == 0)
        return 0;
    if (err->code == ERR_LIMIT) { /* others lowered the hard limit meanwhile */
        *foreign += 1;
        return 0;
    }
    return err->code == ERR_NOT_FOUND ? 0 : -1;
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct descriptors_undo *u = (const void *)undo->data;
    uint32_t foreign = 0;
    (void)args;
    for (uint32_t i = 0; i < u->n; i++)
        if (change(host, &u->v[i].id, u->v[i].was, u->v[i].ours, &foreign, err) != 0)
            return -1;
    if (foreign > 0)
        return make_error(err, ERR_FOREIGN, 0, "%u processes have another limit than just before",
                          foreign);
    return 0;
}

struct counts {
    uint32_t ours, all, full;
};

static int count(const struct fault_host *host, const struct descriptors_undo *u,
                 struct counts *ret, struct err *err)
{
    *ret = (struct counts){0};
    for (uint32_t i = 0; i < u->n; i++) {
        bool there;
        uint64_t now, free;
        if (look(host, &u->v[i].id, &there, &now, err) != 0)
            return -1;
        if (!there)
            continue;
        ret->all++;
        ret->ours += now == u->v[i].ours;
        ret->full += rlimit_count_free(host, &u->v[i].id, now, &free, err) == 0 && free == 0;
    }
    return 0;
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct descriptors_undo *u = read_undo(undo, err);
    struct counts n;
    if (u == NULL || count(host, u, &n, err) != 0)
        return -1;
    *ret_active = n.ours > 0 && n.ours == n.all;
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct descriptors_undo *u = read_undo(undo, err);
    struct counts n;
    if (u == NULL || count(host, u, &n, err) != 0)
        return -1;
    memset(ret, 0, sizeof(*ret));
    ret->n = 3;
    ret->items[0] = (struct evidence_item){"processes_limited", n.ours};
    ret->items[1] = (struct evidence_item){"processes", n.all};
    ret->items[2] = (struct evidence_item){"processes_full", n.full};
    ret->proven = n.ours > 0 && n.ours == n.all;
    (void)snprintf(ret->what, sizeof(ret->what),
                   "%u of %u processes have the lower limit, %u have no descriptor left", n.ours,
                   n.all, n.full);
    return 0;
}

/* Children that were started meanwhile have inherited the limit. */
static int put_heirs_back(const struct fault_host *host, const struct descriptors_undo *u,
                          const struct limited *of, struct err *err)
{
    struct proc_set set = {.n = 1, .v = {of->id}};
    uint32_t ignored = 0;
    if (proc_add_tree(host, &set, &ignored, err) != 0)
        return -1;
    for (uint32_t i = 1; i < set.n; i++)
        if (set.v[i].start >= u->since &&
            change(host, &set.v[i], of->ours, of->was, &ignored, err) != 0)
            return -1;
    return 0;
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct descriptors_undo *u = read_undo(undo, err);
    uint32_t foreign = 0;
    memset(ret, 0, sizeof(*ret));
    if (u == NULL)
        return -1;
    for (uint32_t i = 0; i < u->n; i++)
        if (change(host, &u->v[i].id, u->v[i].ours, u->v[i].was, &foreign, err) != 0) {
            (void)snprintf(ret->manual, sizeof(ret->manual),
                           "prlimit --pid %d --nofile=%llu:", u->v[i].id.pid,
                           (unsigned long long)u->v[i].was);
            return -1;
        }
    for (uint32_t i = 0; i < u->n; i++)
        if (!proc_has_ended(host, &u->v[i].id) && put_heirs_back(host, u, &u->v[i], err) != 0)
            return -1;
    ret->foreign = foreign > 0;
    if (foreign > 0)
        (void)snprintf(ret->what, sizeof(ret->what),
                       "%u processes were given another limit by others, and keep it", foreign);
    else
        (void)snprintf(ret->what, sizeof(ret->what), "%u processes have their limit back", u->n);
    return 0;
}

const struct fault fault_resource_descriptors = {
    .name = "resource.descriptors",
    .summary = "Lets processes open no more files and connections.",
    .doc = "Lowers the soft limit on descriptors (RLIMIT_NOFILE) of the chosen processes to what "
           "each has open, and as many more as it is left: then open, accept, socket and the like "
           "fail with EMFILE. What is open stays open. The hard limit is not touched, so a "
           "program that raises its own limit again gets out of it. What is started from them "
           "meanwhile inherits the limit, and a process that is started anew by its supervisor has "
           "its own. At the end each gets back what it had; one that others gave another limit "
           "meanwhile keeps that.",
    .example = "- fault: resource.descriptors\n"
               "  hosts: n1\n"
               "  service: web\n"
               "  leave: 2\n"
               "  for: 5s\n",
    .footprint = "the limit on descriptors of the processes that the parameters name, and of what "
                 "descends from them",
    .touches = TOUCHES_PROCESSES,
    .caps = RLIMIT_CAPS,
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    FAULT_PARAMS(struct args, params),
    .supported = supported,
    .check = check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
